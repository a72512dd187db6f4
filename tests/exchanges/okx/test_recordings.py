"""
Every recorded or sample payload of OKX: read and compared, or refused with the reason.

The files and their licence are in payloads/SOURCES.md.
"""

from __future__ import annotations

import copy
import json
from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.okx import EXCHANGE, rows
from monitor.exchanges.okx.held import held as read_held
from monitor.exchanges.okx.stops import read_stop
from monitor.exchanges.okx.tiers import read_tiers
from monitor.exchanges.payload import Row
from monitor.risk.evaluate import evaluate
from monitor.risk.model import Basis, MarginMode, Side, TierMeasure
from monitor.risk.reconcile import reconcile
from monitor.risk.result import Verdict
from monitor.risk.solve import liquidation_prices
from tests.exchanges.okx import examples, listings, wire
from tests.exchanges.okx.figures import close, figured, pool_of, reported, verdict

COVERED = {
    "okx_code_samples",
    "okx_fetchAccounts_0",
    "okx_fetchBalance_0",
    "okx_fetchBalance_2",
    "okx_fetchOpenOrders_0",
    "okx_fetchPosition_0",
    "okx_fetchPosition_2",
    "okx_fetchPositions_1",
}


def test_every_file_is_spoken_for():
    assert {path.stem for path in wire.PAYLOADS.glob("*.json")} == COVERED


def spot_margin_account():
    """The recorded trading account; its mode is told by its fields, the tables are made up."""
    tables = [
        listings.discount(ccy, f"∞ {rate}")
        for ccy, rate in {
            "BTC": "0.98",
            "ETH": "0.98",
            "OKB": "0.9",
            "UNI": "0.85",
            "USDC": "0.98",
            "TRX": "0.85",
            "LTC": "0.95",
            "ADA": "0.9",
            "USDT": "1",
        }.items()
    ]
    told = wire.bodies(
        wire.config("3"), wire.envelope(), wire.recorded("okx_fetchBalance_2"), stops=None
    )
    told["GET /api/v5/public/discount-rate-interest-free-quota"] = wire.envelope(*tables)
    return told


def test_recorded_trading_account_discounts_coin_by_coin():
    told = wire.snapshot(spot_margin_account())
    details = wire.recorded("okx_fetchBalance_2")["data"][0]["details"]
    ours = {value.asset: value.value for value in figured(told, "unified").collateral}

    assert ours.keys() == {detail["ccy"] for detail in details if detail["cashBal"] != "0"}
    for detail in details:
        if detail["ccy"] in ours:
            assert close(ours[detail["ccy"]], detail["disEq"]) or detail["disEq"] == "0"
        if detail["disEq"] == "0":
            assert ours.get(detail["ccy"], 0) == 0


def test_recorded_trading_account_stands_at_okxs_own_ratio():
    told = wire.snapshot(spot_margin_account())
    row = wire.recorded("okx_fetchBalance_2")["data"][0]
    pool, risk = pool_of(told, "unified"), figured(told, "unified")

    # Open spot margin orders take 22.505 USD off the equity, and their fees come to 0.469.
    assert pool.basis is Basis.PARTLY
    assert close(pool.other_balance, "-22.505", 3)
    assert close(pool.other_maintenance - Decimal(row["mmr"]), "0.46925", 4)
    assert close(risk.requirement.margin_balance, row["adjEq"])
    assert close(1 / risk.requirement.ratio, row["mgnRatio"])
    assert close(reported(told, "unified").ratio, 1 / Decimal(row["mgnRatio"]))
    assert verdict(told, "unified").verdict is Verdict.UNKNOWN, "nothing is held"


@pytest.mark.parametrize("detail", wire.recorded("okx_fetchBalance_2")["data"][0]["details"])
def test_recorded_coins_are_the_sum_of_their_parts(detail):
    coin = rows.coin(Row(detail, "details"))

    assert coin.equity == coin.cash + coin.pnl + coin.isolated_equity


def test_recorded_cross_long_needs_what_okx_says():
    row = wire.recorded("okx_fetchPosition_0")["data"][0]
    # What OKX holds against this account, and its equity by the pool's own ratio.
    notional = Decimal(2) * Decimal("0.001") * Decimal("101.33")
    needed = Decimal(row["mmr"]) + notional * Decimal("0.0005")
    equity = needed * Decimal(row["mgnRatio"])
    told = wire.bodies(
        wire.config(mode="long_short_mode"),
        wire.recorded("okx_fetchPosition_0"),
        wire.balance(
            wire.coin(
                "USDT",
                str(equity - Decimal(row["upl"])),
                upl=row["upl"],
                imr=row["imr"],
                mmr=row["mmr"],
                mgnRatio=row["mgnRatio"],
            )
        ),
    )
    told["GET /api/v5/public/instruments?instType=SWAP"] = wire.envelope(
        listings.instrument("LTC-USDT-SWAP", "0.001")
    )
    read = wire.snapshot(told)
    leg = figured(read, "USDT").positions[0]
    fee = notional * Decimal("0.0005")

    assert leg.position.side is Side.LONG
    assert leg.notional == notional
    assert leg.maintenance_margin - fee == Decimal(row["mmr"])
    assert leg.unrealized_pnl == Decimal(row["upl"])
    assert leg.initial_margin == Decimal(row["imr"])
    assert close(reported(read, "USDT").ratio, 1 / Decimal(row["mgnRatio"]))
    assert verdict(read, "USDT").verdict is Verdict.AGREES
    # OKX tells no liquidation price where equity is large, and neither is there one.
    assert leg.position.reported_liquidation_price is None
    pool = pool_of(read, "USDT")
    assert liquidation_prices(pool, read.marks, "LTC/USDT:USDT").nearest is None


def recorded_isolated():
    told = wire.bodies(
        wire.config(mode="long_short_mode"),
        wire.recorded("okx_fetchPosition_2"),
        wire.balance(wire.coin("BTC", "0", upl="0.000000899562244", isoUpl="0.000000899562244")),
    )
    return wire.snapshot(told)


def test_recorded_isolated_inverse_long_stands_at_okxs_own_figures():
    row = wire.recorded("okx_fetchPosition_2")["data"][0]
    read = recorded_isolated()
    name = "isolated/BTC-USD-SWAP/long"
    pool, risk = pool_of(read, name), figured(read, name)
    leg = risk.positions[0]

    assert pool.margin_mode is MarginMode.ISOLATED
    assert leg.position.leverage == 3
    assert leg.position.adl_rank == 1
    assert abs(leg.unrealized_pnl - Decimal(row["upl"])) < Decimal("1e-15")
    fee = leg.notional * Decimal("0.0005")
    assert abs(leg.maintenance_margin - fee - Decimal(row["mmr"])) < Decimal("1e-15")
    assert close(1 / risk.requirement.ratio, row["mgnRatio"], 9)
    assert verdict(read, name).verdict is Verdict.AGREES
    ours = liquidation_prices(pool, read.marks, "BTC/USD:BTC")
    # One tick (0.1) is OKX's own step; two are allowed.
    assert abs(ours.nearest - Decimal(row["liqPx"])) <= Decimal("0.2")


def test_recorded_stop_order_protects_a_net_short():
    (row,) = wire.recorded("okx_fetchOpenOrders_0")["data"]
    stop = read_stop(Row(row, "data[0]"))

    assert stop is not None
    assert (stop.inst_id, stop.side) == ("LTC-USDT-SWAP", Side.SHORT)
    assert stop.margin_mode is MarginMode.CROSS


def test_recorded_spot_account_has_nothing_to_liquidate():
    told = wire.bodies(
        wire.recorded("okx_fetchAccounts_0"), wire.envelope(), wire.balance(wire.coin("BTC", "1"))
    )
    read = wire.snapshot(told)

    assert (read.mode, read.pools) == ("spot mode, no borrowing", ())
    permissions = EXCHANGE.read_permissions(wire.replies(told))
    assert permissions.powers == ("withdraw", "trade")
    assert permissions.ip_bound is False


def test_recorded_funding_account_is_no_trading_account():
    told = wire.bodies(wire.config(), wire.envelope(), wire.recorded("okx_fetchBalance_0"))

    with pytest.raises(Malformed, match=r"data\[0\]\.adjEq"):
        wire.view(told)


def test_recorded_history_of_positions_is_no_list_of_positions():
    told = wire.bodies(wire.config(), wire.recorded("okx_fetchPositions_1"), wire.balance())

    with pytest.raises(Malformed, match=r"data\[0\]\.pos"):
        wire.snapshot(told)


# The examples in ccxt's comments, by the function that they stand in and its place there.
SAMPLES = json.loads((wire.PAYLOADS / "okx_code_samples.json").read_text())["samples"]


def sample(function, number=0):
    found = [s["sample"] for s in SAMPLES if s["function"] == function]
    return copy.deepcopy(found[number])


def test_samples_are_those_spoken_for_below():
    assert [s["function"] for s in SAMPLES] == [
        "fetch_accounts",
        "fetch_balance",
        "fetch_balance",
        "fetch_balance",
        "fetch_open_orders",
        "fetch_open_orders",
        "fetch_leverage",  # a setting, told again in every position's row: never asked for
        "fetch_positions",
        "parse_position",
        "parse_position",
        "fetch_market_leverage_tiers",
        "handle_balance",
        "handle_positions",
        "handle_authenticate",
    ]


def test_sample_configuration_is_futures_mode_with_a_powerful_key():
    replies = wire.replies({"GET /api/v5/account/config": sample("fetch_accounts")})

    assert EXCHANGE.read_permissions(replies).powers == ("withdraw", "trade")
    config = rows.config(Row(sample("fetch_accounts")["data"][0], "data[0]"))
    assert (config.mode, config.hedged) == (rows.Mode.FUTURES, True)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (0, r"isoUpl"),  # of 2021, before isolated PnL was told apart (and «28 .21» is no number)
        (1, r"isoUpl"),  # of 2021, Spot mode
        (2, r"data\[0\]\.adjEq"),  # the funding account
    ],
)
def test_sample_balances_that_are_too_old_are_refused(number, why):
    told = wire.bodies(wire.config(), wire.envelope(), sample("fetch_balance", number))

    with pytest.raises(Malformed, match=why):
        wire.snapshot(told)


def test_sample_orders_are_no_stop_losses():
    spot, trigger = (sample("fetch_open_orders", n)["data"][0] for n in (0, 1))

    # An order of the order book, and a buy of a long: it opens.
    assert read_stop(Row(spot, "")) is None
    assert read_stop(Row(trigger, "")) is None


def test_sample_expiry_future_stands_at_its_own_figures_but_for_a_mark_of_its_moment():
    # An isolated inverse long of 10 USD, 1 % maintenance; the row of 2021 tells no mark. Its
    # margins put it at N = mmr ÷ 1 % = 0.00311811092368 ETH, so P = 10 ÷ N.
    held = sample("fetch_positions")
    row = held["data"][0]
    notional = Decimal(row["mmr"]) / Decimal("0.008")
    row["markPx"] = str(10 / notional)
    told = wire.bodies(wire.config(mode="long_short_mode"), held, wire.balance())
    told |= examples.FUTURES_TABLES
    listed = listings.future("ETH-USD-210430", "10", "1619769600000")
    told["GET /api/v5/public/instruments?instType=FUTURES"] = wire.envelope(listed)
    tiers = "GET /api/v5/public/position-tiers?instType=FUTURES&tdMode=isolated&instFamily=ETH-USD"
    told[tiers] = wire.tiers("ETH-USD", "5000 0.008 0.02")
    told["GET /api/v5/account/trade-fee?instType=FUTURES"] = wire.fees("-0.0005")
    read = wire.snapshot(told)
    name = "isolated/ETH-USD-210430/long"
    risk = figured(read, name)

    assert risk.positions[0].position.instrument.symbol == "ETH/USD:ETH-210430"
    fee = risk.positions[0].notional * Decimal("0.0005")
    assert close(risk.positions[0].maintenance_margin - fee, row["mmr"])
    assert abs(risk.positions[0].unrealized_pnl - Decimal(row["upl"])) < Decimal("1e-6")
    assert close(1 / risk.requirement.ratio, row["mgnRatio"], 2)


def test_sample_cross_long_is_read_but_its_mark_is_not_of_its_moment():
    # Hand-edited: markPx 4786 beside a notional of 341.3 USDT and a last price of 34134.
    row = sample("parse_position", 0) | {"mgnRatio": "140.49930117599155"}
    held = read_held(Row(row, "data[0]"))

    assert held.side is Side.LONG
    assert held.maintenance == Decimal("1.3652874433435829")
    assert held.liquidation_price == Decimal("12608.959083877446")
    notional = Decimal("0.01") * held.mark_price
    assert not close(notional, 2 * Decimal("170.66093041794787"), 2)


def test_sample_history_row_is_no_position():
    with pytest.raises(Malformed, match="pos"):
        read_held(Row(sample("parse_position", 1), "data[0]"))


def test_sample_tiers_of_margin_trading_name_no_family():
    # Of MARGIN: by instId, with loans as limits. A swap's rows carry their family.
    found = tuple(Row(row, "data") for row in sample("fetch_market_leverage_tiers")["data"])

    with pytest.raises(Malformed, match="instFamily"):
        read_tiers(found, "ETH-USDT", None)
    row = sample("fetch_market_leverage_tiers")["data"][0] | {"instFamily": "ETH-USDT"}
    table = read_tiers((Row(row, "data"),), "ETH-USDT", None)
    assert table.measured_in is TierMeasure.CONTRACTS
    assert table.tiers[0].cap == 500


def test_sample_account_frame_of_2026_stands_at_its_own_ratio():
    data = sample("handle_balance")["data"][0]
    totals = rows.totals(Row(data, "data[0]"))

    # W6: fees of swaps 0.05 %, futures 0.1 %, borrowing 1.02 × 0.1 %.
    fees = (
        Decimal(data["notionalUsdForSwap"]) * Decimal("0.0005")
        + Decimal(data["notionalUsdForFutures"]) * Decimal("0.001")
        + Decimal(data["notionalUsdForBorrow"]) * Decimal("0.00102")
    )
    needed = totals.maintenance + fees
    assert close(totals.adjusted_equity / needed, totals.margin_ratio)
    coin = rows.coin(Row(data["details"][0], "details[0]"))
    assert coin.usd_price == Decimal("200.026")
    assert coin.cash * coin.usd_price == coin.in_usd


def test_sample_account_frame_is_applied():
    view = wire.view(examples.multi())
    frame = sample("handle_balance")
    assert view.updated(wire.frame(frame)).snapshot(wire.NOON).pools, "it is of years before"
    frame["data"][0]["uTime"] = str(wire.NOON_MS + 1)
    changed = view.updated(wire.frame(frame))

    # A snapshot of one page: what it leaves out is gone, and what positions settle in with it.
    with pytest.raises(Malformed, match="USDT"):
        changed.snapshot(wire.NOON)


def test_sample_position_frame_is_merged():
    frame = sample("handle_positions")
    view = wire.view(examples.w7()).updated(wire.frame(frame))
    risk = figured(view.snapshot(wire.NOON), "USDT")
    xrp = risk.positions[-1]
    row = frame["data"][0]

    # 1 contract of 100 XRP at 0.52692, 0.5 % maintenance, 3x.
    assert xrp.notional == Decimal("52.692")
    assert abs(xrp.unrealized_pnl - Decimal(row["upl"])) < Decimal("1e-12")
    fee = xrp.notional * Decimal("0.0005")
    assert xrp.maintenance_margin - fee == Decimal(row["mmr"])
    assert close(xrp.initial_margin, row["imr"])
    assert xrp.position.reported_liquidation_price == Decimal(row["liqPx"])
    assert len(risk.positions) == 3


def test_sample_login_says_nothing_of_the_account():
    view = wire.view(examples.w7())

    assert view.updated(wire.frame(sample("handle_authenticate"))) is view


def test_recorded_isolated_row_differs_from_our_headroom_by_less_than_a_billionth():
    read = recorded_isolated()
    name = "isolated/BTC-USD-SWAP/long"
    risk = evaluate(pool_of(read, name), read.marks, read.at)

    gap = reconcile(risk, reported(read, name)).gap
    assert abs(gap) < Decimal("1e-9")
