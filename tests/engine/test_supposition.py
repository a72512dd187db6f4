"""A supposed account: words to changes, and what would be known then."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.engine.effects import AccountAssessment, State
from monitor.engine.supposition import Supposed, read_changes, suppose
from monitor.errors import MissingCollateral, WrongUsage
from monitor.risk.change import Addition, Changes, Closure, Move
from monitor.risk.model import PoolId, Side
from monitor.risk.result import Target
from tests.assessing import an_account
from tests.build import a_pool, long
from tests.engine.scene import Scene, the_pool

D = Decimal


def supposed(known: AccountAssessment, **words: list[str]) -> Supposed:
    return suppose(known, read_changes(words), ladder=DEFAULT_LADDER, target=Target())


def standing() -> AccountAssessment:
    """10 SOL from 100 at 120 with 500 USDT: 480 of 700. Beside it, 1 BTC at 100 in 1,000."""
    other = a_pool(long("BTC", 1), cash=1000, id=PoolId(account="main", name="other"))
    scene = Scene().read(the_pool(), other, SOL=120, BTC=100).tick(SOL=120, BTC=100)
    return scene.second().engine.assessment()


# --- what would be known


def test_the_changed_pool_is_solved_anew() -> None:
    known = standing()
    found = supposed(known, move=["SOL=-20%"]).assessment.pools[0]

    # at 96: 384 of 460
    assert found.risk.requirement.ratio == D(384) / 460
    assert found.rung == "warning"
    assert found.outlook is not None
    assert found.outlook.liquidation["SOL/USDT:USDT"].nearest == pytest.approx(D(250) / 3)
    assert found.advice is not None
    assert found.advice.top_up is not None


def test_money_counts_before_prices_move() -> None:
    found = supposed(standing(), add=["USDT@USDT=100"], all=["-25%"])

    # 500 + 100 + 10 × (90 − 100) against 0.4 × 900
    now = found.assessment.pools[0].requirement
    assert (now.margin_balance, now.maintenance_margin) == (500, 360)
    assert found.liquidated_after == {}


def test_a_pool_that_no_change_touches_stays_as_it_is_known() -> None:
    known = standing()
    found = supposed(known, move=["SOL=-5%"]).assessment

    assert found.pools[1] is known.pools[1]
    assert found.pools[0] is not known.pools[0]
    assert (found.account, found.state, found.feeds) == (known.account, known.state, known.feeds)


def test_how_fresh_it_was_stays_and_the_exchanges_figures_go() -> None:
    known = an_account()
    stale = replace(known, pools=(replace(known.pools[0], state=State.STALE, age_seconds=9.5),))
    found = supposed(stale, add=["USDT=500"]).assessment.pools[0]

    assert (found.state, found.age_seconds) == (State.STALE, 9.5)
    assert found.reconciliation == known.pools[0].reconciliation
    assert (found.reported, found.reported_age_seconds) == (None, None)
    assert known.pools[0].reported is not None


def test_a_pool_that_does_not_live_to_see_it_says_when() -> None:
    found = supposed(standing(), move=["SOL=-50%"])

    # liquidated at 83.33, of a way from 120 to 60
    assert {str(pool): end for pool, end in found.liquidated_after.items()} == {
        "main/USDT": pytest.approx((120 - D(250) / 3) / 60)
    }


def test_a_lack_is_told_as_it_is() -> None:
    with pytest.raises(MissingCollateral):
        supposed(standing(), add=["DOGE@other=1"])


# --- words


def test_every_kind_of_word_is_read() -> None:
    words = {
        "move": ["BTC=-10%", "SOL/USDT:USDT=+2.5%", "ETH=−1 %"],
        "all": ["5%"],
        "add": ["USDT=500", "BTC@unified=-0.25"],
        "close": ["SOLUSDT=50%", "SOL/USDT:USDT/long=12", "BTCUSDT/SHORT@isolated/BTCUSDT=100%"],
    }

    assert read_changes(words) == Changes(
        additions=(
            Addition(asset="USDT", amount=D(500)),
            Addition(asset="BTC", amount=D("-0.25"), pool="unified"),
        ),
        closures=(
            Closure(symbol="SOLUSDT", share=D("0.5")),
            Closure(symbol="SOL/USDT:USDT", side=Side.LONG, contracts=D(12)),
            Closure(symbol="BTCUSDT", side=Side.SHORT, pool="isolated/BTCUSDT", share=D(1)),
        ),
        moves=(
            Move(name="BTC", fraction=D("-0.1")),
            Move(name="SOL/USDT:USDT", fraction=D("0.025")),
            Move(name="ETH", fraction=D("-0.01")),
            Move(name=None, fraction=D("0.05")),
        ),
    )


def test_no_word_is_no_change() -> None:
    assert read_changes({}) == Changes()


@pytest.mark.parametrize(
    ("option", "word", "said"),
    [
        ("move", "BTC", "--move BTC: expected something such as BTC=-10%"),
        ("move", "=-10%", "such as BTC=-10%"),
        ("move", "BTC=", "such as BTC=-10%"),
        ("move", "BTC=-10", "--move BTC=-10: expected a percentage, such as -10%"),
        ("move", "BTC=ten%", "expected a percentage"),
        ("move", "BTC=NaN%", "expected a percentage"),
        ("move", "BTC=Infinity%", "expected a percentage"),
        ("move", "BTC=1e99%", "expected a percentage"),
        ("move", "BTC=-100%", "a price can't fall by 100% or more"),
        ("all", "-250%", "--all -250%: a price can't fall by 100% or more"),
        ("all", "ten", "--all ten: expected a percentage"),
        ("add", "500", "such as USDT=500"),
        ("add", "USDT=much", "--add USDT=much: expected an amount, such as USDT=500"),
        ("add", "USDT=5%", "expected an amount"),
        ("close", "SOLUSDT", "such as SOLUSDT=50%"),
        ("close", "SOLUSDT=0%", "expected up to 100% or contracts, such as SOLUSDT=50%"),
        ("close", "SOLUSDT=101%", "expected up to 100% or contracts"),
        ("close", "SOLUSDT=-3", "expected up to 100% or contracts"),
        ("close", "SOLUSDT=half", "expected up to 100% or contracts"),
        ("sell", "SOL=1", "'sell' is no change; known are move, all, add and close"),
    ],
)
def test_a_word_that_cannot_be_read_says_what_would_be(option: str, word: str, said: str) -> None:
    with pytest.raises(WrongUsage) as refused:
        read_changes({option: [word]})
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"move": ["BTC=-10%", "btc=5%"]}, "BTC is moved twice"),
        ({"all": ["-10%", "5%"]}, "all is moved twice"),
    ],
)
def test_one_thing_moves_once(words: dict[str, list[str]], said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        read_changes(words)
