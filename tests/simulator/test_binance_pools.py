"""Binance's arithmetic in the simulator, against the examples that Binance and we worked out."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from monitor.simulator.binance_ledger import Ledger, Leg, Rates
from monitor.simulator.binance_liquidation import liquidate, settle_debts
from monitor.simulator.binance_pools import pools
from monitor.simulator.binance_tables import SYMBOLS, Symbol, brackets
from monitor.simulator.scenario import AccountSpec
from monitor.simulator.truth import PoolTruth, PositionTruth

D = Decimal


def spec(mode: str = "single_asset", position_mode: str = "one_way") -> AccountSpec:
    return AccountSpec(
        name="a",
        exchange="binance",
        mode=mode,
        position_mode=position_mode,
        wallets={},
        positions=(),
        orders=(),
        key="k",
        secret="s",
        passphrase="p",
        permissions=("read",),
    )


def leg(
    symbol: Symbol | str, amount: str, entry: str, *, side: str = "BOTH", wallet: str | None = None
) -> Leg:
    return Leg(
        symbol=SYMBOLS[symbol] if isinstance(symbol, str) else symbol,
        side=side,
        amount=D(amount),
        entry_price=D(entry),
        leverage=D(10),
        isolated_wallet=None if wallet is None else D(wallet),
    )


def ledger(wallets: Mapping[str, str], *legs: Leg, mode: str = "single_asset") -> Ledger:
    hedge = any(item.side != "BOTH" for item in legs)
    return Ledger(
        spec=spec(mode, "hedge" if hedge else "one_way"),
        cross_wallets={asset: D(balance) for asset, balance in wallets.items()},
        legs=list(legs),
        orders=[],
    )


def pools_of(
    book: Ledger, marks: Mapping[str, str], rates: Mapping[str, Rates] | None = None
) -> dict[str, PoolTruth]:
    found = pools(book, lambda name: D(marks[name]), rates or {})
    return {pool.pool: pool for pool in found}


def price(position: PositionTruth) -> Decimal:
    return D(str(position.row()["liquidation_price"]))


def symbol(name: str, rows: str) -> Symbol:
    return Symbol(
        name=name,
        base=name[:3],
        margin_asset=name[3:],
        brackets=brackets(rows),
        price_decimals=2,
        quantity_decimals=3,
    )


def test_the_official_example_of_two_longs() -> None:
    # Binance support, "How to Calculate Liquidation Price of USD-M Futures Contracts".
    btc = symbol("BTCUSDT", "50000 .004 1; 250000 .005 1; 1000000 .01 1; 10000000 .025 1")
    eth = symbol("ETHUSDT", "1353650 0 1; 9000000 .1 1")  # its .10 / 135,365 tier
    book = ledger(
        {"USDT": "1535443.01"}, leg(btc, "109.488", "32481.98"), leg(eth, "3683.979", "1456.84")
    )
    pool = pools_of(book, {"BTCUSDT": "31967.27", "ETHUSDT": "1335.18"})["USDT"]
    assert pool.margin_balance == D("1535443.01") - D("56354.56848") - D("448192.88514")
    assert [p.maintenance_margin for p in pool.positions] == [
        D("3500032.45776") * D("0.025") - 16300,
        D("4918775.08122") * D("0.1") - 135365,
    ]
    assert pool.maintenance_margin == D("427713.319566")
    assert round(pool.ratio, 6) == D("0.414895")
    assert round(price(pool.positions[0]), 2) == D("26316.89")


def test_multi_assets_mode_values_credits_at_bid_and_debts_at_ask() -> None:
    # Binance support, "Multi-Assets Mode", step 2.
    rates = {
        "USDT": Rates(bid=D("0.9801"), ask=D("0.99495")),
        "USDC": Rates(bid=D(1), ask=D(1)),
    }
    btc = symbol("BTCUSDT", "100000 .008 1")
    eth = symbol("ETHUSDC", "100000 .01 1")
    book = ledger(
        {"USDT": "200", "USDC": "220"},
        leg(btc, "0.5", "20000"),
        leg(eth, "20", "600"),
        mode="multi_assets",
    )
    pool = pools_of(book, {"BTCUSDT": "20000", "ETHUSDC": "600"}, rates)["unified"]
    assert pool.margin_balance == 200 * D("0.9801") + 220
    assert pool.maintenance_margin == 80 * D("0.99495") + 120
    assert round(pool.ratio * 100, 2) == D("47.98")
    assert [round(price(p), 4) for p in pool.positions] == [
        D("19555.4283"),
        D("589.0695"),
    ]
    fallen = pools_of(book, {"BTCUSDT": "19500", "ETHUSDC": "600"}, rates)["unified"]
    assert fallen.margin_balance == D("170.2525")
    assert fallen.maintenance_margin == D("197.6061")


def test_both_legs_of_a_hedge_pay_margin_and_share_one_liquidation_price() -> None:
    book = ledger(
        {"USDT": "8000"},
        leg("BTCUSDT", "3", "60000", side="LONG"),
        leg("BTCUSDT", "-1", "63000", side="SHORT"),
    )
    pool = pools_of(book, {"BTCUSDT": "61000"})["USDT"]
    assert pool.margin_balance == 8000 + 3000 + 2000
    assert pool.maintenance_margin == 183000 * D("0.004") + 61000 * D("0.004")
    assert round(pool.ratio * 100, 4) == D("7.5077")
    expected = (8000 - 180000 + 63000) / (
        3 * D("0.004") + 1 * D("0.004") - 3 + 1
    )  # 54,939.5161: both notionals stay in the first bracket there
    assert {round(price(p), 8) for p in pool.positions} == {round(expected, 8)}


def test_of_two_liquidation_prices_a_net_long_is_told_the_lower_one() -> None:
    # High above, where the last brackets take half of both legs, there is another.
    book = ledger(
        {"USDT": "8000"},
        leg("BTCUSDT", "3", "60000", side="LONG"),
        leg("BTCUSDT", "-2", "60000", side="SHORT"),
    )
    (long, short) = pools_of(book, {"BTCUSDT": "60000"})["USDT"].positions
    expected = (60000 - 8000) / (1 - 5 * D("0.004"))  # 53,061.22
    assert round(price(long), 8) == round(price(short), 8) == round(expected, 8)


def test_equal_legs_die_above() -> None:
    book = ledger(
        {"USDT": "800"},
        leg("BTCUSDT", "1", "60000", side="LONG"),
        leg("BTCUSDT", "-1", "60000", side="SHORT"),
    )
    (long, _) = pools_of(book, {"BTCUSDT": "60000"})["USDT"].positions
    assert price(long) == 800 / (2 * D("0.004"))  # 100,000: maintenance alone grows


def test_the_bracket_at_the_liquidation_price_counts_not_that_of_today() -> None:
    book = ledger({"USDT": "700000"}, leg("ETHUSDT", "5000", "2500"))
    pool = pools_of(book, {"ETHUSDT": "2455.10"})["USDT"]
    assert pool.maintenance_margin == 12275500 * D("0.02") - 132000  # the fifth bracket
    assert pool.margin_balance == 475500
    expected = (700000 + 12000 - 12500000) / (5000 * (D("0.01") - 1))  # the fourth: 2,381.4141
    assert round(price(pool.positions[0]), 8) == round(expected, 8)


def test_an_isolated_position_stays_out_of_the_cross_pool() -> None:
    book = ledger(
        {"USDT": "4000"},
        leg("SOLUSDT", "-500", "140"),
        leg("BTCUSDT", "0.2", "64000", wallet="1300"),
    )
    found = pools_of(book, {"SOLUSDT": "146.5", "BTCUSDT": "61000"})
    cross, isolated = found["USDT"], found["isolated/BTCUSDT"]
    assert (cross.margin_balance, cross.maintenance_margin) == (
        4000 - 3250,
        73250 * D("0.0065") - 75,
    )
    assert round(cross.ratio * 100, 4) == D("53.4833")
    assert round(price(cross.positions[0]), 4) == D("147.1932")
    assert (isolated.margin_balance, isolated.maintenance_margin) == (1300 - 600, D("48.8"))
    assert round(price(isolated.positions[0]), 4) == D("57730.9237")


def test_isolated_legs_of_a_hedge_are_two_pools() -> None:
    book = ledger(
        {"USDT": "0"},
        leg("BTCUSDT", "1", "60000", side="LONG", wallet="6000"),
        leg("BTCUSDT", "-1", "60000", side="SHORT", wallet="6000"),
    )
    found = pools_of(book, {"BTCUSDT": "61000"})
    assert found["isolated/BTCUSDT/long"].margin_balance == 7000
    assert found["isolated/BTCUSDT/short"].margin_balance == 5000


def test_a_long_and_a_short_of_two_symbols_share_the_pool() -> None:
    book = ledger({"USDT": "12000"}, leg("BTCUSDT", "4", "63000"), leg("ETHUSDT", "-40", "2400"))
    pool = pools_of(book, {"BTCUSDT": "61000", "ETHUSDT": "2455.10"})["USDT"]
    assert (pool.margin_balance, pool.maintenance_margin) == (1796, D("1368.816"))
    assert round(pool.ratio * 100, 4) == D("76.2147")
    assert [round(price(p), 4) for p in pool.positions] == [
        D("60892.7751"),
        D("2465.7371"),
    ]


def test_ahmed_has_no_liquidation_price_while_the_wallet_covers_the_whole_notional() -> None:
    small = ledger({"USDT": "1000"}, leg("BTCUSDT", "0.022222", "45000"))
    (position,) = pools_of(small, {"BTCUSDT": "42500"})["USDT"].positions
    assert position.row()["liquidation_price"] is None
    ahmed = ledger({"USDT": "1000"}, leg("BTCUSDT", "0.1", "45000"))
    pool = pools_of(ahmed, {"BTCUSDT": "42500"})["USDT"]
    assert (pool.margin_balance, pool.maintenance_margin) == (750, 17)
    assert round(price(pool.positions[0]), 4) == D("35140.5622")


def test_losses_in_one_asset_do_not_touch_the_pool_of_another() -> None:
    book = ledger(
        {"USDT": "1000", "USDC": "100"},
        leg("BTCUSDT", "0.1", "60000"),
        leg("BTCUSDC", "0.1", "60000"),
    )
    found = pools_of(book, {"BTCUSDT": "59050", "BTCUSDC": "59050"})
    assert found["USDT"].margin_balance == 1000 - 95
    assert found["USDC"].margin_balance == 100 - 95
    assert found["USDC"].ratio == 5905 * D("0.004") / 5  # 4.724: long dead
    assert found["USDT"].ratio < D("0.03")


@pytest.mark.parametrize(
    ("name", "cap", "cum"),
    [
        ("BTCUSDT", 300_000, 0),
        ("BTCUSDT", 12_000_000, 12_000),
        ("BTCUSDT", 1_800_000_000, 421_482_000),
        ("ETHUSDT", 150_000_000, 2_007_000),
        ("ETHUSDT", 1_200_000_000, 280_507_000),
        ("SOLUSDT", 400_000, 75),
        ("SOLUSDT", 400_000_000, 66_731_475),
        ("BTCUSDC", 1_000_000_000, 288_402_550),
        ("ACTUSDT", 250_000, 4_919),
        ("ACTUSDT", 5_000_000, 650_744),
        ("1000SATSUSDT", 250_000, 6_695),
        ("1000SATSUSDT", 5_000_000, 652_520),
    ],
)
def test_the_amounts_of_the_published_brackets(name: str, cap: int, cum: int) -> None:
    (bracket,) = (b for b in SYMBOLS[name].brackets if b.cap == cap)
    assert bracket.cum == cum


def test_liquidation_closes_at_the_mark_takes_the_fee_and_leaves_the_rest() -> None:
    book = ledger({"USDT": "12000", "USDC": "5"}, leg("BTCUSDT", "4", "63000"))
    (closed,) = liquidate(book, tuple(book.legs), lambda _: D(60200), 7)
    assert closed.realized == 4 * (60200 - 63000)
    assert closed.fee == 4 * 60200 * D("0.0125")
    # 12,000 - 11,200 - 3,010 is below zero: the insurance fund pays the difference.
    assert settle_debts(book, {}) == {"USDT": D(2210)}
    assert book.cross_wallets == {"USDT": 0, "USDC": 5}
    assert book.legs == []


def test_liquidation_of_an_isolated_position_leaves_the_others_alone() -> None:
    book = ledger(
        {"USDT": "4000"},
        leg("SOLUSDT", "-500", "140"),
        leg("BTCUSDT", "0.2", "64000", wallet="1300"),
    )
    liquidate(book, (book.legs[1],), lambda _: D(57700), 7)
    # The wallet of 1,300 is lost by 1,260 and the fee of 144.25; the cross wallet stays whole.
    assert book.cross_wallets == {"USDT": 4000}
    assert [item.symbol.name for item in book.legs] == ["SOLUSDT"]


def test_in_multi_assets_mode_other_assets_pay_the_debt() -> None:
    rates = {"USDT": Rates(bid=D(1), ask=D(1)), "BTC": Rates(bid=D(50000), ask=D(55000))}
    book = ledger({"USDT": "-500", "BTC": "0.1"}, mode="multi_assets")
    assert settle_debts(book, rates) == {}
    assert book.cross_wallets == {"USDT": 0, "BTC": D("0.09")}
