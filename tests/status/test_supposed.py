"""A supposed account beside the real one, as data and as text; and tables of shocks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.engine.assessment import assess_pool
from monitor.engine.effects import AccountAssessment, State
from monitor.errors import RiskError, WrongUsage
from monitor.risk.result import Target
from monitor.status.report import report
from monitor.status.supposed import print_shocks, print_supposed, status_report, whatif_report
from tests.alerting import NOON
from tests.assessing import an_account
from tests.build import a_pool, flat, long, marks, short

D = Decimal
# 10 BTC at 100 and 5 ETH short at 10, 1 % each, on 200: 10.5 of 200.
HELD = a_pool(
    long("BTC", 10, tiers=flat("0.01")), short("ETH", 5, 10, tiers=flat("0.01")), cash=200
)
KNOWN = an_account(
    pools=(assess_pool(HELD, marks(BTC=100, ETH=10), NOON, ladder=DEFAULT_LADDER, target=Target()),)
)


def ask(known: AccountAssessment = KNOWN, **words: list[str]) -> dict[str, Any]:
    return whatif_report(known, words, ladder=DEFAULT_LADDER, target=Target(), at=NOON)


def pool(found: Any, number: int = 0) -> dict[str, Any]:
    return dict(found["accounts"][0]["pools"][number])


def test_before_and_after_are_reports() -> None:
    found = ask(move=["BTC=-10%"])

    assert found["before"] == report([KNOWN], NOON)
    assert {k: pool(found["after"])[k] for k in ("margin_balance", "maintenance_margin")} == {
        "margin_balance": "100",
        "maintenance_margin": "9.5",
    }
    assert pool(found["after"])["liquidated_after"] is None
    assert "shocks" not in pool(found["after"])
    assert pool(found["before"]).keys() | {"liquidated_after"} == pool(found["after"]).keys()


def test_a_pool_that_ends_on_the_way_says_after_which_part() -> None:
    # 200 − 10·d = 0.1·(100 − d) + 0.5 at d = 189.5 ÷ 9.9, of 40
    found = ask(move=["BTC=-40%"])

    part = D(pool(found["after"])["liquidated_after"])
    assert part == pytest.approx(D("189.5") / D("9.9") / 40)


def test_shocks_are_of_the_account_before_and_after() -> None:
    found = ask(add=["USDT=100"], shocks=["1"])

    before, after = (
        {(s["coin"], s["move"]): s for s in pool(found[key])["shocks"]}
        for key in ("before", "after")
    )
    assert before["BTC", "-0.1"]["margin_ratio"] == str(D("9.5") / 100)
    assert before["BTC", "-0.2"]["margin_ratio"] is None
    assert D(before["BTC", "-0.2"]["liquidated_at"]) == pytest.approx(-D("1.895") / D("9.9"))
    assert after["BTC", "-0.2"] == {
        "coin": "BTC",
        "move": "-0.2",
        "margin_ratio": str(D("8.5") / 100),
        "liquidated_at": None,
    }
    assert [move for coin, move in before if coin == "all"] == ["-0.05", "-0.1", "-0.2", "0.1"]


def test_where_nothing_is_known_nothing_is_supposed() -> None:
    blind = an_account(state=State.BLIND, because="key refused", pools=())
    with pytest.raises(RiskError, match="main: no figures are known: key refused"):
        ask(blind, add=["USDT=1"])
    with pytest.raises(WrongUsage, match="'sell' is no change"):
        ask(sell=["BTC=1"])


def test_a_status_has_shocks_where_they_are_asked_for() -> None:
    assert status_report([KNOWN], NOON) == report([KNOWN], NOON)
    found = pool(status_report([KNOWN], NOON, with_shocks=True))
    assert [s["coin"] for s in found["shocks"]] == ["BTC"] * 4 + ["ETH"] * 4 + ["all"] * 4


# --- as text


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """Rows by their first column; columns are two spaces or more apart."""
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    return {row[0].strip(): [c.strip() for c in row[1:] if c.strip()] for row in rows}


def test_before_and_after_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(move=["BTC=-10%"], close=["ETHUSDT=100%"])
    print_supposed(found["before"], found["after"])

    said = lines(capsys)
    assert said["main/USDT"] == ["before", "after"]
    assert said["margin ratio"] == ["5.25 %", "9.00 %"]
    assert said["margin balance"] == ["200.00 USDT", "100.00 USDT"]
    assert said["maintenance margin"] == ["10.50 USDT", "9.00 USDT"]
    assert said["BTCUSDT long, mark"] == ["100", "90"]
    # 200 + 10·(P − 100) = 0.1·P
    assert said["BTCUSDT long, liquidation"] == [f"{D('800.5') / D('9.9'):.7g}", "80.80808"]
    assert said["ETHUSDT short, contracts"] == ["5", "closed"]


def test_an_end_on_the_way_is_said_below(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(move=["BTC=-40%"])
    print_supposed(found["before"], found["after"])
    assert "main/USDT: liquidated after 47.9 % of the move" in capsys.readouterr().out

    poor = ask(add=["USDT=-190"], move=["BTC=1%"])
    print_supposed(poor["before"], poor["after"])
    assert "main/USDT: liquidated before any price moves" in capsys.readouterr().out


def test_shocks_are_a_table_of_coins_and_moves(capsys: pytest.CaptureFixture[str]) -> None:
    print_shocks(status_report([KNOWN], NOON, with_shocks=True))

    said = lines(capsys)
    assert said["main/USDT"] == ["-5.00 %", "-10.00 %", "-20.00 %", "+10.00 %"]
    assert said["BTC"] == ["6.67 %", "9.50 %", "liquidated at -19.14 %", "3.83 %"]
    assert said["ETH"][0] == f"{(10 + D('0.475')) / D('202.5') * 100:.2f} %"


def test_a_pool_that_no_price_moves_has_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    empty = assess_pool(a_pool(), {}, NOON, ladder=DEFAULT_LADDER, target=Target())
    print_shocks(status_report([replace(KNOWN, pools=(empty,))], NOON, with_shocks=True))
    assert capsys.readouterr().out == ""


def test_an_account_without_pools_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    bare = report([replace(KNOWN, pools=())], NOON)
    print_supposed(bare, bare)
    assert capsys.readouterr().out == "no pools\n"
