"""Multi-Assets and Credits Trading Mode: one pool in USD, read from payloads and evaluated."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.binance.indexes import floats
from monitor.risk import Verdict, evaluate, liquidation_prices, reconcile
from monitor.risk.model import Basis, Mark
from tests.exchanges.binance import wire

D = Decimal


def multi(rows, wallets, tables, indexes, totals=("0", "0"), **changes):
    """The replies of an account in Multi-Assets Mode; its totals are the caller's."""
    told = wire.bodies(rows, wallets, tables)
    told["GET /fapi/v1/accountConfig"]["multiAssetsMargin"] = True
    told["GET /fapi/v3/account"] |= {
        "totalMarginBalance": totals[0],
        "totalMaintMargin": totals[1],
        "totalInitialMargin": "0",
        "totalOpenOrderInitialMargin": "0",
    } | changes
    told["GET /fapi/v1/assetIndex"] = indexes
    return told


def only_pool(told):
    taken = wire.snapshot(told)
    (pool,) = taken.pools
    return taken, pool


def evaluated(told):
    taken, pool = only_pool(told)
    return taken, pool, evaluate(pool, taken.marks, wire.NOON)


def near(value, expected):
    wanted = D(expected)
    return value is not None and value.quantize(wanted) == wanted


# Step 2 of Binance's example in «How to Use Multi-Assets Mode»: its rates are no round part of
# an index, which is between them here.
RATES = [
    wire.index("USDT", "0.98500000", "0.98010000", "0.99495000"),
    wire.index("USDC", "1.00000000", "1.00000000", "1.00000000"),
]
ROWS = [
    wire.position("BTCUSDT", "0.5", "20000", "20000", "80"),
    wire.position("ETHUSDC", "20", "600", "600", "120", asset="USDC"),
]
TABLES = {
    "BTCUSDT": ("1000000 .008 0 50",),
    "ETHUSDC": ("1000000 .01 0 50",),
}
EXAMPLE = (ROWS, {"USDT": "200", "USDC": "220"}, TABLES, RATES, ("416.02", "199.596"))


def test_the_official_example():
    """Equity 200 · .9801 + 220, maintenance margin 80 · .99495 + 120."""
    taken, pool, risk = evaluated(multi(*EXAMPLE))

    assert taken.mode == "USDⓈ-M Multi-Assets Mode and COIN-M, one-way"
    assert (str(pool.id), pool.unit, pool.basis) == ("main/unified", "USD", Basis.MODELLED)
    assert near(risk.requirement.margin_balance, "416.0200000000")
    assert near(risk.requirement.maintenance_margin, "199.5960000000")
    assert near(risk.requirement.ratio, "0.479775")
    assert reconcile(risk, taken.reported[pool.id]).verdict is Verdict.AGREES


def test_the_example_has_its_ends_where_an_asset_that_goes_negative_counts_at_the_ask():
    """USDT turns negative at 19,600; the ends are worked out from the rules, not published."""
    taken, pool, _ = evaluated(multi(*EXAMPLE))

    ends = {
        symbol: liquidation_prices(pool, taken.marks, symbol).nearest
        for symbol in ("BTC/USDT:USDT", "ETH/USDC:USDC")
    }
    assert near(ends["BTC/USDT:USDT"], "19555.4283")
    assert near(ends["ETH/USDC:USDC"], "589.0695")


def test_the_example_is_liquidated_at_19_500():
    """−50 · .99495 + 220 against 78 · .99495 + 120."""
    taken, pool, _ = evaluated(multi(*EXAMPLE))
    marks = {**taken.marks, "BTC/USDT:USDT": Mark(price=D(19500), at=wire.NOON)}

    figures = evaluate(pool, marks, wire.NOON).requirement

    assert near(figures.margin_balance, "170.2525000000")
    assert near(figures.maintenance_margin, "197.6061000000")
    assert near(figures.ratio, "1.1607")


COINS = [
    *RATES,
    wire.index("BTC", "60000.00000000", "57000.00000000", "63000.00000000"),
    wire.index("BNB", "600.00000000", "570.00000000", "630.00000000"),
]


def test_a_coin_counts_at_the_bid_of_its_index_and_follows_it():
    told = multi([], {"BTC": "0.5", "USDT": "0", "BNB": "0"}, {}, COINS)

    taken, pool, risk = evaluated(told)

    assert risk.requirement.margin_balance == D("0.5") * 57000
    (index,) = taken.followed
    assert (index.symbol, index.exchange_symbol, index.base) == ("BTC/USD", "BTCUSD", "BTC")
    assert taken.marks["BTC/USD"].price == 60000
    fallen = {"BTC/USD": Mark(price=D(54000), at=wire.NOON)}
    after = evaluate(pool, fallen, wire.NOON).requirement
    assert near(after.margin_balance, str(D("0.5") * 57000 * D("0.9") + D("0E-12")))


def test_the_index_of_a_coin_comes_live_beside_the_marks():
    taken, _ = only_pool(multi(ROWS[:1], {"BTC": "0.5", "USDT": "200"}, TABLES, COINS))

    (stream,) = EXCHANGE.mark_streams(taken.instruments())

    assert '"btcusd@assetIndex", "btcusdt@markPrice@1s"' in stream.subscribe[0]
    assert stream.symbols == {"BTCUSD", "BTCUSDT"}
    assert stream.path == "/market/ws"


def test_a_debt_in_a_coin_counts_at_the_ask():
    _, _, risk = evaluated(multi([], {"BTC": "-0.1", "USDC": "9000"}, {}, COINS))

    assert risk.requirement.margin_balance == 9000 - D("0.1") * 63000


def test_a_dollar_follows_nothing():
    taken, pool = only_pool(multi([], {"USDT": "200", "BTC": "1"}, {}, COINS))

    follows = {c.asset: c.follows is not None for c in pool.collateral}
    assert follows == {"USDT": False, "BTC": True}
    assert [i.symbol for i in taken.followed] == ["BTC/USD"]
    assert [floats(name) for name in ("BFUSD", "FDUSD", "U", "BNFCR", "LDUSDT")] == [False] * 5
    assert [floats(name) for name in ("ETH", "UNI", "BNB")] == [True] * 3


def test_an_asset_without_a_rate_counts_nothing_and_is_named():
    told = multi([], {"USDC": "100", "NEWCOIN": "0.7"}, {}, COINS)

    _, pool, risk = evaluated(told)

    assert risk.requirement.margin_balance == 100
    assert pool.basis is Basis.PARTLY
    assert pool.carried == ("NEWCOIN, for which Binance publishes no rate, as worth nothing",)


@pytest.mark.parametrize("wallets", [{"USDC": "9", "NEWCOIN": "-7"}])
def test_what_is_owed_without_a_rate_can_t_be_left_out(wallets):
    with pytest.raises(Malformed, match="a row for NEWCOINUSD"):
        wire.snapshot(multi([], wallets, {}, COINS))


def test_the_rates_are_needed():
    told = multi(*EXAMPLE)
    del told["GET /fapi/v1/assetIndex"]

    with pytest.raises(MissingReply) as caught:
        wire.snapshot(told)
    assert caught.value.call == "GET /fapi/v1/assetIndex"


def test_the_rates_asset_by_asset_do_as_well():
    told = multi(*EXAMPLE)
    rates = told.pop("GET /fapi/v1/assetIndex")
    told |= {f"GET /fapi/v1/assetIndex?symbol={row['symbol']}": row for row in rates}

    _, _, risk = evaluated(told)

    assert near(risk.requirement.margin_balance, "416.0200000000")


@pytest.mark.parametrize("key", ["index", "bidRate", "askRate"])
def test_every_field_of_a_rate_is_named_when_missing(key):
    told = multi(*EXAMPLE)
    told["GET /fapi/v1/assetIndex"] = [
        {name: value for name, value in row.items() if name != key} for row in RATES
    ]

    with pytest.raises(Malformed, match=key):
        wire.snapshot(told)


@pytest.mark.parametrize(
    "key",
    ["totalMarginBalance", "totalMaintMargin", "totalInitialMargin", "totalOpenOrderInitialMargin"],
)
def test_every_total_is_named_when_missing(key):
    told = multi(*EXAMPLE)
    del told["GET /fapi/v3/account"][key]

    with pytest.raises(Malformed, match=f"account.{key}"):
        wire.snapshot(told)


def test_the_totals_are_carried_to_the_marks_of_the_rows():
    """The account reply is at 20,000, the row at 20,100: 50 USDT at bid, .4 at ask."""
    told = multi(*EXAMPLE)
    told["GET /fapi/v3/positionRisk"] = [
        wire.position("BTCUSDT", "0.5", "20000", "20100", "80.4"),
        ROWS[1],
    ]

    taken, pool, risk = evaluated(told)
    reported = taken.reported[pool.id]

    assert reported.margin_balance == D("416.02") + 50 * D("0.9801")
    assert reported.maintenance_margin == D("199.596") + D("0.4") * D("0.99495")
    assert reconcile(risk, reported).verdict is Verdict.AGREES


@pytest.mark.parametrize(
    ("wallet", "told_pnl", "counts_at"),
    [
        ("0", "0", "0.9801"),
        ("0.5", "0", "0.9801"),
        ("10", "-10.5", "0.99495"),
        ("10", "-10", "0.9801"),
    ],
)
def test_a_change_counts_at_the_ask_where_wallet_and_profit_are_a_debt(wallet, told_pnl, counts_at):
    told = multi(*EXAMPLE)
    for row in told["GET /fapi/v3/account"]["assets"]:
        if row["asset"] == "USDT":
            row.update(crossWalletBalance=wallet, crossUnPnl=told_pnl)
    told["GET /fapi/v3/positionRisk"] = [
        wire.position("BTCUSDT", "0.5", "20000", "20100", "80.4"),
        ROWS[1],
    ]

    (reported,) = wire.snapshot(told).reported.values()

    assert reported.margin_balance == D("416.02") + 50 * D(counts_at)


def test_the_digits_of_the_rates_count_once_per_coin_and_per_dollar():
    """
    2 totals and 20.5 contracts' marks; 200 coins, 10 of loss, 2 figures at the ask of .99495
    and 80 of maintenance in USDT; 220, 2 and 120 in USDC.
    """
    told = multi(*EXAMPLE)
    for row in told["GET /fapi/v3/account"]["assets"]:
        if row["asset"] == "USDT":
            row["crossUnPnl"] = "-10"

    (reported,) = wire.snapshot(told).reported.values()

    usdt, usdc = 200 + 10 + 2 * D("0.99495") + 80, 220 + 2 + 120
    assert reported.resolution == D("1e-8") * (2 + D("20.5") + usdt + usdc)


def test_wrong_totals_disagree():
    told = multi(*EXAMPLE[:4], ("466.02", "199.596"))

    taken, pool, risk = evaluated(told)

    assert reconcile(risk, taken.reported[pool.id]).verdict is Verdict.DISAGREES


def test_the_margin_of_open_orders_is_taken_over_and_named():
    _, pool = only_pool(multi(*EXAMPLE, totalOpenOrderInitialMargin="12.5"))

    assert pool.other_initial == D("12.5")
    assert pool.carried == ("initial margin of open orders",)
    assert pool.basis is Basis.MODELLED


def event(asset, wallet):
    at = wire.CHANGED + 60_000
    inner = {"m": "FUNDING_FEE", "B": [{"a": asset, "wb": wallet, "cw": wallet, "bc": "0"}]}
    return wire.frame({"e": "ACCOUNT_UPDATE", "T": at, "E": at, "a": inner})


def test_an_event_moves_the_wallet_and_ends_the_report():
    view = wire.read(multi(*EXAMPLE)).updated(event("USDT", "190"))

    taken = view.snapshot(wire.NOON)
    (pool,) = taken.pools
    figures = evaluate(pool, taken.marks, wire.NOON).requirement

    assert near(figures.margin_balance, str(190 * D(".9801") + 220 + D("0E-9")))
    assert pool.other_initial == 0
    assert taken.reported == {}


CREDITS = "BNFCR"


def in_credits(total, *, settles="BNFCR", indexes=RATES):
    row = wire.position("BTCUSDC", "0.5", "20000", "19800", "79.2", asset=settles)
    told = multi(
        [row],
        {"BNFCR": "-40", "USDC": "900"} | ({} if settles == CREDITS else {settles: "900"}),
        {"BTCUSDC": ("1000000 .008 0 50",)},
        indexes,
        (total, "79.2"),
    )
    told["GET /fapi/v1/exchangeInfo"] = {"symbols": [wire.contract("BTCUSDC", "USDC")]}
    return told


def test_credits_settle_profit_and_count_a_dollar_each():
    """−40 credits, −100 of profit in credits, and 900 USDC: 760. Unverified but for the asset."""
    taken, pool, risk = evaluated(in_credits("760"))

    assert taken.mode == "USDⓈ-M Credits Trading Mode and COIN-M, one-way"
    assert pool.positions[0].instrument.settle == CREDITS
    assert pool.positions[0].instrument.symbol == "BTC/USDC:USDC"
    assert risk.requirement.margin_balance == 760
    assert near(risk.requirement.maintenance_margin, "79.2000000000")
    assert reconcile(risk, taken.reported[pool.id]).verdict is Verdict.AGREES
    assert pool.top_up_asset == "USDC"


def test_credits_that_already_hold_all_collateral_count_alone():
    """Whether the credits' wallet holds the others is unverified: Binance's total tells."""
    told = in_credits("760")
    rows = told["GET /fapi/v3/account"]["assets"]
    credits_row = next(row for row in rows if row["asset"] == CREDITS)
    credits_row |= {"crossWalletBalance": "860", "walletBalance": "860"}

    _, _, risk = evaluated(told)
    after = wire.read(told).updated(event(CREDITS, "850")).snapshot(wire.NOON)

    assert risk.requirement.margin_balance == 760
    # And still do when an event has ended what Binance said of the whole: 850 − 100.
    (pool,) = after.pools
    assert evaluate(pool, after.marks, wire.NOON).requirement.margin_balance == 750


def test_a_changed_position_still_settles_in_credits_where_the_event_does_not_say():
    leg = {
        "s": "BTCUSDC",
        "pa": "0.4",
        "ep": "20000",
        "up": "0",
        "mt": "cross",
        "iw": "0",
        "ps": "BOTH",
    }
    at = wire.CHANGED + 60_000
    body = {"e": "ACCOUNT_UPDATE", "T": at, "E": at, "a": {"m": "ORDER", "B": [], "P": [leg]}}

    (pool,) = wire.read(in_credits("760")).updated(wire.frame(body)).snapshot(wire.NOON).pools

    assert (pool.positions[0].contracts, pool.positions[0].instrument.settle) == (D("0.4"), CREDITS)


def test_a_coin_beside_the_credits_counts_at_its_bid_in_what_decides():
    """860 − 100 credits alone are 760, with 0.02 BTC at the bid 1,900: the total is the latter."""
    told = in_credits("1900", indexes=COINS)
    account = told["GET /fapi/v3/account"]
    for row in account["assets"]:
        row["crossWalletBalance"] = {CREDITS: "860", "USDC": "0"}[row["asset"]]
    account["assets"].append(wire.wallet("BTC", "0.02", []))

    _, _, risk = evaluated(told)

    assert risk.requirement.margin_balance == 760 + D("0.02") * 57000


def test_a_little_of_another_asset_beside_the_credits_is_not_lost():
    """Both readings lie near the total: 1,000 credits less 100, with 0.5 USDC and without."""
    told = in_credits("900.5")
    for row in told["GET /fapi/v3/account"]["assets"]:
        row["crossWalletBalance"] = {CREDITS: "1000", "USDC": "0.5"}[row["asset"]]

    _, _, risk = evaluated(told)

    assert risk.requirement.margin_balance == D("900.5")


def test_credits_mode_with_profit_in_the_contract_s_own_asset():
    taken, pool, risk = evaluated(in_credits("760", settles="USDC"))

    assert pool.positions[0].instrument.settle == "USDC"
    assert risk.requirement.margin_balance == 760
    assert reconcile(risk, taken.reported[pool.id]).verdict is Verdict.AGREES


def test_the_asset_that_the_most_likely_deposit_is_in_is_there_to_be_added():
    _, pool = only_pool(multi([], {"BTC": "1"}, {}, COINS))

    assert pool.top_up_asset == "USDT"
    (added,) = [c for c in pool.collateral if c.asset == "USDT"]
    assert (added.balance, added.price) == (0, D("0.985"))
    assert replace(added, balance=D(1)).rate_if_positive < 1
