"""
OKX's arithmetic, held against worked examples.

Examples marked "captured" are rows that the exchange itself sent, published in issues and in
source comments of open projects; "help" are the exchange's own pages; the rest is arithmetic.
"""

from decimal import Decimal

import pytest

from monitor.simulator.okx_account import (
    FUTURES,
    MULTI_CURRENCY,
    PORTFOLIO,
    SPOT,
    Account,
    Order,
    OtherPosition,
    Position,
    Prices,
)
from monitor.simulator.okx_ledger import (
    cross_liquidation_price,
    figures,
    isolated_liquidation_price,
    ratio_text_value,
)
from monitor.simulator.okx_legs import discounted_amount, position_figures, tier_of
from monitor.simulator.okx_pools import liquidate, pools, room_and_need
from monitor.simulator.okx_rates import DISCOUNTS
from monitor.simulator.okx_tables import TIERS

D = Decimal


def at(usdt="1", **prices: str) -> Prices:
    return Prices(coin=lambda base: D(prices[base]), usdt=D(usdt))


def swap(inst_id: str, contracts: str, avg_px: str, lever: str = "10", **more) -> Position:
    size = D(contracts)
    return Position(
        inst_id=inst_id,
        direction=1 if size > 0 else -1,
        contracts=abs(size),
        avg_px=D(avg_px),
        lever=D(lever),
        pos_id=more.pop("pos_id", inst_id + contracts),
        **more,
    )


def close_to(value: Decimal | None, expected: str, within: str) -> bool:
    return value is not None and abs(value - D(expected)) <= D(within)


def test_discounts_count_slice_by_slice():
    """Help: 100 BTC count 96.425 BTC, 5,785,500 USD at 60,000."""
    counted = discounted_amount(D(100), DISCOUNTS["BTC"])
    by_hand = 20 * D("0.98") + 5 * D("0.975") + 5 * D("0.97") + 20 * D("0.965")
    by_hand += 20 * D("0.96") + 20 * D("0.955") + 10 * D("0.95")
    assert counted == by_hand == D("96.425")
    assert counted * 60000 == 5785500
    assert discounted_amount(D(-100), DISCOUNTS["BTC"]) == -100, "a liability in full"


def test_a_captured_cross_long():
    """Captured: one BTC-USDT-SWAP at leverage 2; its liqPx and mgnRatio to the last digits."""
    mark = D("341.32186083589574") / D("0.01")  # N = 2 x imr
    mine = swap("BTC-USDT-SWAP", "1", "34131.1", "2")
    now = position_figures(mine, mark, tier_of("BTC-USDT", D(1)), D("0.0005"))
    assert now.imr == D("170.66093041794787")
    assert close_to(now.mmr, "1.3652874433435829", "1e-15")
    equity = D("140.49930117599155") * (now.mmr + now.fee)
    account = Account(name="w4", cash={"USDT": equity - now.upl}, positions=[mine])
    # the mark above has more digits than a tick: the account is asked without cutting it
    prices = Prices(coin=lambda _: mark, usdt=D(1)).with_mark("BTC-USDT-SWAP", mark)
    whole = figures(account, prices)
    coin = whole.coin("USDT")
    ratio = ratio_text_value(coin.cross_equity, coin.requirement)
    assert close_to(ratio, "140.49930117599155", "1e-13")
    price = cross_liquidation_price(whole, whole.positions[0])
    assert close_to(price, "12608.959083877446", "1e-11")


def test_a_captured_isolated_inverse_short():
    """Captured: ETH-USD-SWAP, 93,740 USD; the wire's liqPx is one tick nearer."""
    mine = swap("ETH-USD-SWAP", "-9374", "4778.8384462538659751", margin=D("11.2907226596551759"))
    mark = D("4631.350432786379")
    now = position_figures(mine, mark, tier_of("ETH-USD", D(9374)), D("0.0005"))
    assert close_to(now.upl, "0.624671486862", "1e-12")
    assert close_to(now.mmr, "0.101201584031", "1e-12")
    ratio = ratio_text_value(now.equity, now.mmr + now.fee)
    assert close_to(ratio, "107.03564178926794", "1e-12")
    assert close_to(isolated_liquidation_price(now), "11198.2237627941", "1e-10")


def test_a_captured_isolated_inverse_long():
    """Captured, 2026-01-20: one BTC-USD-SWAP of 100 USD at 92,300."""
    mine = swap("BTC-USD-SWAP", "1", "92300", "3", margin=D("0.0003611412062116"))
    now = position_figures(mine, D("92376.7"), tier_of("BTC-USD", D(1)), D("0.0005"))
    assert close_to(now.mmr, "0.0000043300962256", "1e-16")
    assert close_to(now.upl, "0.000000899562244", "1e-15")
    ratio = ratio_text_value(now.equity, now.mmr + now.fee)
    assert close_to(ratio, "74.32029212310307", "1e-8")
    assert close_to(isolated_liquidation_price(now), "69536.6125000014", "1e-9")


@pytest.fixture
def futures_mode():
    return Account(
        name="w7",
        level=FUTURES,
        cash={"USDT": D(1300)},
        positions=[
            swap("BTC-USDT-SWAP", "20", "100000", "50"),
            swap("ETH-USDT-SWAP", "-30", "3500", "50"),
            swap("SOL-USDT-SWAP", "50", "180", "5", margin=D(1800)),
        ],
    )


W7 = {"BTC": "96000", "ETH": "3600", "SOL": "171"}


def test_futures_mode_has_a_pool_per_currency(futures_mode):
    now = figures(futures_mode, at(**W7))
    coin = now.coin("USDT")
    assert coin.cross_equity == 1300 - 800 - 300 == 200
    # 19,200 x 0.45 % = 86.4 and 10,800 x 0.45 % = 48.6
    assert coin.requirement == D("86.4") + D("48.6") == 135
    assert (coin.imr, coin.mmr, coin.notional / coin.cross_equity) == (600, 120, 150)
    assert ratio_text_value(coin.cross_equity, coin.requirement) == D(200) / 135
    # the whole of eq: 1,300 - 1,100 + 1,350
    assert (coin.equity, coin.iso_equity, coin.upl, coin.iso_upl) == (1550, 1350, -1550, -450)
    btc, eth, sol = now.positions
    assert close_to(cross_liquidation_price(now, btc), "95673.5308890005", "1e-10")
    assert close_to(cross_liquidation_price(now, eth), "3621.5696034511", "1e-10")
    assert close_to(isolated_liquidation_price(sol), "145.5280444669", "1e-10")
    assert sol.equity == 1350
    assert sol.mmr + sol.fee == 8550 * D("0.0105") == D("89.775")


def test_the_truth_of_futures_mode(futures_mode):
    usdt, sol = pools(futures_mode, at(**W7))
    assert (usdt.pool, usdt.unit, sol.pool, sol.unit) == (
        "USDT",
        "USDT",
        "isolated/SOL-USDT-SWAP",
        "USDT",
    )
    assert usdt.ratio == D("0.675")
    assert sol.ratio == D("89.775") / 1350
    rows = [*usdt.row()["positions"], *sol.row()["positions"]]
    expected = ("95673.5308890005", "3621.5696034511", "145.5280444669")
    for row, price in zip(rows, expected, strict=True):
        assert close_to(D(row["liquidation_price"]), price, "1e-9")


def test_an_inverse_pool_is_counted_in_its_coin():
    """30,000 USD long at 110,000, mark 96,000, 0.042 BTC."""
    account = Account(
        name="w8",
        cash={"BTC": D("0.042")},
        positions=[swap("BTC-USD-SWAP", "300", "110000", "50")],
    )
    now = figures(account, at(BTC="96000"))
    coin = now.coin("BTC")
    assert now.positions[0].notional == D("0.3125")
    assert close_to(now.positions[0].upl, "-0.0397727273", "1e-10")
    assert close_to(coin.cross_equity, "0.0022272727", "1e-10")
    assert coin.requirement == D("0.3125") * D("0.0045") == D("0.00140625")
    ratio = ratio_text_value(coin.cross_equity, coin.requirement)
    assert close_to(ratio, "1.5838383838", "1e-10")
    price = cross_liquidation_price(now, now.positions[0])
    assert close_to(price, "95749.5667244367", "1e-9")
    (pool,) = pools(account, at(BTC="96000"))
    assert pool.unit == "BTC"
    assert close_to(D(pool.row()["positions"][0]["liquidation_price"]), "95749.5667244367", "1e-9")


def test_the_equity_identity_of_the_official_sample():
    """Official sample: cash 4850.435693622894, upl -7.5456, a bot's 150: eq 4992.890093622894."""
    upl = D("-7.545600000000006")
    account = Account(
        name="w9",
        level=MULTI_CURRENCY,
        cash={"USDT": D("4850.435693622894")},
        strategy={"USDT": D(150)},
        others=[
            OtherPosition(
                inst_type="FUTURES",
                inst_id="BTC-USDT-251226",
                ccy="USDT",
                pos=D(1),
                avg_px=D(1),
                mark_px=D(1),
                pos_id="1",
                upl=upl,
            )
        ],
    )
    coin = figures(account, at(usdt="0.99973")).coin("USDT")
    assert close_to(coin.equity, "4992.890093622894", "1e-14")  # the sample adds doubles
    assert close_to(coin.discounted, "4991.542013297616", "1e-9")


def test_a_captured_liability_in_multi_currency_margin():
    """Official best-practices page: adjEq 30979.1086748182657, mmr 762.2525422198, 39.9556239."""
    price = D("25408.4180739947") / D("0.5096053466363398")
    account = Account(
        name="w3",
        level=MULTI_CURRENCY,
        cash={"BTC": D("-0.5096053466363398"), "USDT": D("56387.5267488129657")},
        spot_taker_rate=D("0.0005"),
    )
    # a USD price has eight decimals here, the page's own has more: 1e-8 of 0.51 BTC
    now = figures(account, Prices(coin=lambda _: price, usdt=D(1)))
    assert close_to(now.adjusted_equity, "30979.1086748182657", "1e-8")
    assert close_to(now.mmr, "762.252542219842", "1e-9")
    assert close_to(now.fee, "13.0853353081", "1e-10")
    ratio = ratio_text_value(now.adjusted_equity, now.requirement)
    assert close_to(ratio, "39.9556239578938079", "1e-10")


def test_multi_currency_adds_everything_up_in_dollars():
    account = Account(
        name="multi",
        level=MULTI_CURRENCY,
        cash={"BTC": D("0.5"), "USDT": D(1000)},
        positions=[
            swap("SOL-USDT-SWAP", "400", "180", "10"),
            swap("BTC-USD-SWAP", "-100", "100000", "10"),
        ],
    )
    now = figures(account, at(usdt="0.999", SOL="170", BTC="90000"))
    btc = D("0.5") + 10000 * (D(1) / 90000 - D(1) / 100000)
    usdt = D(1000) - 4000
    btc_usd = 90000 * D("0.999")
    by_hand = btc * D("0.98") * btc_usd + usdt * D("0.999")
    assert close_to(now.adjusted_equity, str(by_hand), "1e-18")
    owed = 3000 * D("0.999")
    mmr = 68000 * D("0.01") * D("0.999") + D(10000) / 90000 * D("0.004") * btc_usd
    fee = 68000 * D("0.0005") * D("0.999") + D(10000) / 90000 * D("0.0005") * btc_usd
    borrow = owed * D("0.02") + owed * D("1.02") * D("0.001")
    assert close_to(now.requirement, str(mmr + fee + borrow), "1e-18")
    (pool,) = pools(account, at(usdt="0.999", SOL="170", BTC="90000"))
    assert (pool.pool, pool.unit) == ("unified", "USD")
    sol = pool.row()["positions"][0]
    root = D(sol["liquidation_price"])
    then = figures(
        account, at(usdt="0.999", SOL="170", BTC="90000").with_mark("SOL-USDT-SWAP", root)
    )
    assert abs(then.adjusted_equity - then.requirement) < D("1e-6")


def test_a_switched_off_coin_counts_for_nothing():
    account = Account(name="off", level=MULTI_CURRENCY, cash={"BTC": D(1), "USDT": D(10)})
    assert figures(account, at(BTC="50000")).adjusted_equity == 49010
    account.switched_off = frozenset({"BTC"})
    assert figures(account, at(BTC="50000")).adjusted_equity == 10


def test_hedged_legs_stand_in_the_tier_of_the_larger_side_and_pay_both():
    legs = [
        swap("BTC-USDT-SWAP", "1950", "100000", pos_side="long"),
        swap("BTC-USDT-SWAP", "-100", "100000", pos_side="short"),
    ]
    account = Account(name="hedge", hedge=True, cash={"USDT": D(100000)}, positions=legs)
    now = figures(account, at(BTC="100000"))
    coin = now.coin("USDT")
    # 2,050 contracts of 1,000 USDT each, 1,950 on the larger side: the second tier, 0.5 %
    assert coin.mmr == 2050000 * D("0.005")
    assert coin.fee == 2050000 * D("0.0005")
    price = cross_liquidation_price(now, now.positions[0])
    # both legs move: (100,000 - 11,275) / (19.5 - 1 - 20.5 x 0.0055)
    assert close_to(price, str(100000 - 88725 / (D("18.5") - D("20.5") * D("0.0055"))), "1e-18")


def test_an_isolated_position_s_equity_is_not_collateral():
    account = Account(
        name="both",
        level=MULTI_CURRENCY,
        cash={"USDT": D(1000)},
        positions=[swap("SOL-USDT-SWAP", "50", "180", "5", margin=D(1800))],
    )
    now = figures(account, at(usdt="0.999", SOL="171"))
    assert now.coin("USDT").equity == 1000 + 1350
    assert now.adjusted_equity == 1000 * D("0.999")
    assert now.requirement == 0


def test_open_orders_add_to_the_requirement_and_their_fee_is_set_aside():
    account = Account(name="order", cash={"USDT": D(1000)})
    account.orders.append(
        Order(
            order_id="1",
            inst_id="BTC-USDT-SWAP",
            side="buy",
            contracts=D(10),
            price=D(90000),
        )
    )
    coin = figures(account, at(BTC="100000")).coin("USDT")
    assert coin.mmr == 9000 * D("0.004")
    assert coin.fee == 9000 * D("0.0005")
    assert coin.cross_equity == 1000 - 9000 * D("0.0005")
    assert len(pools(account, at(BTC="100000"))) == 1, "an account without a position has a ratio"


def test_the_whole_position_pays_the_tier_it_has_reached():
    assert [tier_of("SOL-USDT", D(size)).mmr for size in ("500", "500.5", "1000", "4001")] == [
        D("0.01"),
        D("0.015"),
        D("0.015"),
        D("0.025"),
    ]
    last = TIERS["SWAP"]["SOL-USDT"][-1]
    assert tier_of("SOL-USDT", last.max_size * 2) is last


def test_portfolio_margin_says_what_it_was_told_to():
    account = Account(
        name="pm",
        level=PORTFOLIO,
        cash={"USDT": D(10000)},
        positions=[swap("BTC-USDT-SWAP", "10", "100000")],
        fixed_mmr=D(777),
    )
    (pool,) = pools(account, at(BTC="100000"))
    assert (pool.margin_balance, pool.maintenance_margin) == (10000, 777)


def test_spot_mode_has_no_pool():
    assert pools(Account(name="spot", level=SPOT, cash={"USDT": D(10)}), at()) == ()


def test_liquidation_takes_the_requirement_and_leaves_other_pools_alone(futures_mode):
    prices = at(BTC="95600", ETH="3600", SOL="171")
    balance, needed = room_and_need(figures(futures_mode, prices), "USDT")
    assert needed > balance
    done = liquidate(futures_mode, prices, "USDT")
    assert done.paid == needed
    assert futures_mode.cash == {"USDT": 0}
    assert [p.inst_id for p in futures_mode.positions] == ["SOL-USDT-SWAP"]


def test_an_isolated_liquidation_costs_its_margin_only(futures_mode):
    prices = at(BTC="96000", ETH="3600", SOL="145")
    assert pools(futures_mode, prices)[1].ratio > 1
    liquidate(futures_mode, prices, "isolated/SOL-USDT-SWAP")
    assert futures_mode.cash == {"USDT": 1300}
    assert len(futures_mode.positions) == 2
    assert figures(futures_mode, prices).coin("USDT").cross_equity == 200


def test_a_unified_liquidation_sells_what_is_left():
    account = Account(
        name="multi",
        level=MULTI_CURRENCY,
        cash={"BTC": D("0.1"), "USDT": D(0)},
        positions=[swap("SOL-USDT-SWAP", "100", "180")],
    )
    liquidate(account, at(SOL="100", BTC="100000"), "unified")
    # loss 8,000 and 10,000 x (1 % + 0.05 %) = 105; 8,105 / 100,000 = 0.08105 BTC
    assert account.cash == {"BTC": D("0.1") - D("0.08105"), "USDT": 0}
