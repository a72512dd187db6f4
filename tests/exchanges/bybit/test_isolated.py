"""Isolated margin: a pool for each position, its balance found by its own liquidation price."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed
from monitor.exchanges.bybit import EXCHANGE
from monitor.risk import Basis, MarginMode, PoolRisk, Verdict, evaluate, reconcile
from monitor.risk.cash import FreeBalance
from monitor.risk.solve import liquidation_prices
from tests.exchanges.bybit.wire import (
    NOW,
    POSITIONS,
    WALLET,
    Json,
    account,
    coin,
    envelope,
    fee_rate,
    fees,
    frame,
    instrument,
    instruments,
    inverse,
    limit_order,
    limits,
    orders,
    position,
    replies,
    wallet,
)
from tests.exchanges.slow_answers import AHEAD, slow

if TYPE_CHECKING:
    from monitor.risk.model import AccountSnapshot

D = Decimal
USDT_LIST = POSITIONS.format("linear", "USDT")
EMPTY = {
    "totalMarginBalance": "",
    "totalInitialMargin": "",
    "totalMaintenanceMargin": "",
    "totalAvailableBalance": "",
    "accountIMRate": "",
    "accountMMRate": "",
}
LOW = ("30000", "0.005", "0.01", "100", "")
FIRST_TIER = ("2000000", "0.005", "0.01", "100.00", "")


def isolated(
    *rows: Json, taker: str = "0", coin_settled: list[Json] | None = None
) -> dict[str, Json]:
    """
    An account in isolated margin: account-wide figures are empty.

    Which figures are empty there is known from one copy of a third party only, not from the
    documentation.
    """
    return account(
        wallet(coin("USDT", "5000", "5000", "5000"), coin("BTC", "2", "2", "90000"), **EMPTY),
        usdt=list(rows),
        coin_settled=coin_settled,
        mode="ISOLATED_MARGIN",
        lists=instruments(instrument("BTCUSDT", "BTC"))
        | instruments(inverse("BTCUSD", "BTC"), category="inverse")
        | limits("BTCUSDT", FIRST_TIER)
        | limits("BTCUSD", ("150", "0.005", "0.01", "100.00", ""), category="inverse")
        | fees(fee_rate("BTCUSDT", taker))
        | fees(fee_rate("BTCUSD", taker), category="inverse"),
    )


def long_of_the_article(liquidation: str, **other: object) -> Json:
    """1 BTC at 20,000, 50x: initial margin 400, maintenance margin at a mark of 20,000 100."""
    return position(
        "BTCUSDT",
        "Buy",
        "1",
        "20000",
        "20000",
        leverage="50",
        positionIM="400",
        positionMM="100",
        liqPrice=liquidation,
        **other,
    )


def snapshot(bodies: dict[str, Json]) -> AccountSnapshot:
    return EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)


def risks(bodies: dict[str, Json]) -> list[PoolRisk]:
    read = snapshot(bodies)
    return [evaluate(pool, read.marks, NOW) for pool in read.pools]


def ends_at(bodies: dict[str, Json]) -> Decimal | None:
    read = snapshot(bodies)
    (pool,) = read.pools
    (held,) = pool.positions
    return liquidation_prices(pool, read.marks, held.instrument.symbol).nearest


def test_an_isolated_position_is_a_pool_in_its_settle_coin() -> None:
    (risk,) = risks(isolated(long_of_the_article("19700")))
    pool = risk.pool
    assert (str(pool.id), pool.unit) == ("main/isolated/BTCUSDT", "USDT")
    assert (pool.margin_mode, pool.positions[0].margin_mode) == (MarginMode.ISOLATED,) * 2
    assert (pool.top_up_asset, pool.wallet) == ("USDT", "margin of the isolated position BTCUSDT")
    assert (pool.basis, pool.carried) == (Basis.MODELLED, ())
    assert snapshot(isolated()).mode == "unified, isolated"
    assert snapshot(isolated()).pools == ()


def test_the_published_price_says_that_nothing_was_added() -> None:
    """
    Bybit «Liquidation price (isolated margin)», 2024-09: 20,000 − (400 − 100) = 19,700.

    With maintenance margin on the mark (rule of 2025-09-18) it is (20,000 × 0.98) ÷ 0.995 =
    19,698.4925; this one is derived, not confirmed on a wire.
    """
    (risk,) = risks(isolated(long_of_the_article("19700")))
    assert risk.requirement.margin_balance == 400
    assert risk.requirement.maintenance_margin == 100
    assert round(ends_at(isolated(long_of_the_article("19700"))) or D(0), 4) == D("19698.4925")
    assert risk.positions[0].position.reported_liquidation_price == 19700


def test_the_derived_price_says_that_nothing_was_added() -> None:
    (risk,) = risks(isolated(long_of_the_article("19698.49246231")))
    assert risk.requirement.margin_balance == 400


def test_the_price_tells_what_was_added() -> None:
    """100 added: (19,600 − 100) ÷ 0.995 = 19,597.98994975, on the mark of 2025-09-18."""
    bodies = isolated(long_of_the_article("19597.98994975"))
    (risk,) = risks(bodies)
    assert abs(risk.requirement.margin_balance - 500) < D("0.00000001")
    assert abs((ends_at(bodies) or D(0)) - D("19597.98994975")) < D("0.00000001")


def test_a_fee_to_close_stands_in_both_margins_and_changes_no_price() -> None:
    """20,000 × 0.98 × 0.00055 = 10.78 in both margins."""
    row = long_of_the_article("19698.49246231") | {"positionIM": "410.78", "positionMM": "110.78"}
    (risk,) = risks(isolated(row, taker="0.00055"))
    assert risk.requirement.margin_balance == D("410.78")
    assert risk.requirement.maintenance_margin == D("110.78")
    assert abs((ends_at(isolated(row, taker="0.00055")) or D(0)) - D("19698.4924623")) < D("1e-7")


def test_the_price_is_the_trigger_where_no_rule_gives_it() -> None:
    """Funding was paid out of the margin: at 19,800 the pool is at its end, by Bybit's word."""
    bodies = isolated(long_of_the_article("19800"))
    (risk,) = risks(bodies)
    # 19,800 × 0.005 + 200
    assert risk.requirement.margin_balance == 299
    assert abs((ends_at(bodies) or D(0)) - 19800) < D("1e-9")


def test_a_short_ends_above_its_entry() -> None:
    """20,000 × 1.02 ÷ 1.005 = 20,298.50746269; with 50 added (20,400 + 50) ÷ 1.005."""
    for price, balance in (("20298.50746269", 400), ("20348.25870647", 450)):
        row = long_of_the_article(price) | {"side": "Sell"}
        (risk,) = risks(isolated(row))
        assert abs(risk.requirement.margin_balance - balance) < D("0.00000002")


def test_a_loss_weighs_on_the_position_alone() -> None:
    """At a mark of 19,800: 400 − 200 = 200 against 19,800 × 0.005 = 99."""
    row = long_of_the_article("19700") | {
        "markPrice": "19800",
        "positionMM": "99",
        "unrealisedPnl": "-200",
    }
    (risk,) = risks(isolated(row))
    assert (risk.requirement.margin_balance, risk.requirement.maintenance_margin) == (200, 99)


def test_in_hedge_mode_each_side_is_a_pool() -> None:
    bodies = isolated(
        long_of_the_article("19700", positionIdx=1),
        long_of_the_article("20300", positionIdx=2) | {"side": "Sell"},
    )
    long, short = snapshot(bodies).pools
    assert str(long.id) == "main/isolated/BTCUSDT/long"
    assert str(short.id) == "main/isolated/BTCUSDT/short"
    assert short.wallet == "margin of the isolated position BTCUSDT (short)"
    # Each is charged by itself: nothing is locked, nothing taken over.
    assert (long.basis, short.basis) == (Basis.MODELLED, Basis.MODELLED)


def test_an_inverse_position_is_a_pool_in_its_coin() -> None:
    """
    10,000 USD long at 50,000, 10x, 0.5 %: 0.02 + PnL − 10,000 ÷ P × 0.005 = 0.

    10,000 ÷ P = (0.2 + 0.02) ÷ 1.005, so P = 45,681.8181818. Published (2024-09, maintenance
    margin on the entry price): 10,000 ÷ (0.2 + 0.02 − 0.001) = 45,662.10045662.
    """
    for price in ("45681.81818182", "45662.10045662"):
        row = position(
            "BTCUSD",
            "Buy",
            "10000",
            "50000",
            "50000",
            positionIM="0.02",
            positionMM="0.001",
            liqPrice=price,
        )
        bodies = isolated(coin_settled=[row])
        (risk,) = risks(bodies)
        assert risk.pool.unit == "BTC"
        assert risk.requirement.margin_balance == D("0.02")
        assert risk.requirement.maintenance_margin == D("0.001")
        assert round(ends_at(bodies) or D(0), 7) == D("45681.8181818")


def test_without_a_price_the_margin_is_its_own() -> None:
    """At 1x a long has no price: 20,000 × (1 − 1) is nothing."""
    row = long_of_the_article("") | {"leverage": "1", "positionIM": "20000"}
    (risk,) = risks(isolated(row))
    assert (risk.requirement.margin_balance, risk.pool.basis) == (20000, Basis.MODELLED)


def test_a_price_beyond_the_limits_says_how_much_was_added_at_least() -> None:
    """Lowest price 0.10: 20,000 − 0.1 of loss and 0.0005 of maintenance margin are covered."""
    (risk,) = risks(isolated(long_of_the_article("")))
    assert risk.requirement.margin_balance == D("19999.9005")
    assert risk.pool.basis is Basis.PARTLY
    assert "margin added by hand" in risk.pool.carried[0]
    # A short's price lies beyond the highest one, 1,999,999.80: 1,979,999.8 and 9,999.999.
    (risk,) = risks(isolated(long_of_the_article("") | {"side": "Sell"}))
    assert risk.requirement.margin_balance == D("1989999.799")


def test_auto_margin_is_said() -> None:
    (risk,) = risks(isolated(long_of_the_article("19700", autoAddMargin=1)))
    (words,) = risk.pool.carried
    assert words.startswith("auto-margin replenishment is on: Bybit draws on the wallet")


def test_bybits_own_words_are_held_against_the_rules() -> None:
    bodies = isolated(long_of_the_article("19700"))
    read = snapshot(bodies)
    ((name, said),) = read.reported.items()
    # 19,700 × 0.005 + 300: what the pool holds by Bybit's own price.
    assert said.margin_balance == D("398.5")
    assert (said.maintenance_margin, said.initial_margin, said.ratio) == (100, 400, None)
    assert name == read.pools[0].id
    assert reconcile(risks(bodies)[0], said).verdict is Verdict.AGREES
    bodies[USDT_LIST]["result"]["list"][0]["positionMM"] = "180"
    wrong = snapshot(bodies).reported[name]
    assert reconcile(risks(bodies)[0], wrong).verdict is Verdict.DISAGREES


def test_an_order_beside_the_position_moves_its_tier_alone() -> None:
    """20,000 held and 15,000 ordered: 35,000 stands in the second tier, 1 % less 150."""
    row = long_of_the_article("") | {"positionMM": "50", "leverage": "1"}
    bodies = isolated(row | {"positionIM": "20000"})
    tiers = limits(
        "BTCUSDT", ("30000", "0.005", "0.01", "100", ""), ("60000", "0.01", "0.02", "50", "150")
    )
    ordered = orders(limit_order("BTCUSDT", "Buy", "15000", "1"))
    bodies |= {request: envelope({"list": rows}) for request, rows in (tiers | ordered).items()}
    (risk,) = risks(bodies)
    assert risk.requirement.maintenance_margin == 20000 * D("0.01") - 150
    assert risk.requirement.margin_balance == 20000


def test_the_rest_of_the_wallet_is_free() -> None:
    bodies = isolated(long_of_the_article("19700"))
    rows = bodies[WALLET]["result"]["list"][0]["coin"]
    rows[0] |= {"totalOrderIM": "30", "locked": "70"}
    assert snapshot(bodies).free == (
        FreeBalance(asset="USDT", amount=D(4500), wallet="Unified Trading Account"),
        FreeBalance(asset="BTC", amount=D(2), wallet="Unified Trading Account"),
    )
    rows[0]["walletBalance"] = "100"
    assert [free.asset for free in snapshot(bodies).free] == ["BTC"]


@pytest.mark.parametrize("key", ["leverage", "positionIM", "positionMM"])
def test_every_figure_of_the_position_is_needed(key: str) -> None:
    with pytest.raises(Malformed, match=f"{key} of BTCUSDT"):
        snapshot(isolated(long_of_the_article("19700") | {key: ""}))


def test_a_frame_changes_one_pool() -> None:
    bodies = isolated(long_of_the_article("19700"))
    view = EXCHANGE.read_account("main", replies(bodies))
    row = long_of_the_article("19800", category="linear", seq=15411084100)
    after = view.updated(frame("position", row)).snapshot(NOW)
    assert after.pools[0].collateral[0].balance == 299
    assert after.reported == {}
    shown = wallet(coin("USDT", "4000", "4000", "4000"), **EMPTY)
    poorer = view.updated(frame("wallet", shown)).snapshot(NOW)
    assert poorer.pools == view.snapshot(NOW).pools
    assert poorer.free[0].amount == 3600


def test_where_no_price_is_shown_nor_limited_the_digits_alone_are_open() -> None:
    """1 of the margin, 4 of the figures, and one of the entry price of 20,000 for 1 BTC… each."""
    bodies = isolated(long_of_the_article(""))
    for request, body in bodies.items():
        if "instruments-info" in request:
            del body["result"]["list"][0]["priceFilter"]
    read = snapshot(bodies)
    (pool,) = read.pools
    assert pool.collateral[0].balance == 400
    assert read.reported[pool.id].resolution == D("0.00000005") + 20_000 * D("0.00000001")
    for request, body in bodies.items():
        if "instruments-info" in request:
            body["result"]["list"][0]["priceFilter"] = {"minPrice": "0", "maxPrice": "0"}
    assert snapshot(bodies).pools[0].collateral[0].balance == 400


def test_prices_of_an_answer_are_of_when_bybit_says_by_our_clock() -> None:
    told = slow(replies(isolated(long_of_the_article("19700"))))
    read = EXCHANGE.read_account("main", told).snapshot(NOW)
    # It says noon, by a clock that is ahead.
    assert {mark.at for mark in read.marks.values()} == {NOW - AHEAD}
