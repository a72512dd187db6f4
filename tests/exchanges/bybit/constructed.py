"""Accounts made up to show one thing each, with their arithmetic."""

from __future__ import annotations

from tests.exchanges.bybit.wire import (
    FULL,
    Json,
    account,
    coin,
    collateral,
    fee_rate,
    fees,
    instrument,
    instruments,
    limits,
    position,
    ratios,
    ticker,
    wallet,
)


def both_legs() -> dict[str, Json]:
    """
    Hedge mode with both legs of a symbol held, constructed: the wire charges them by a rule of
    its own (long 20, short 5), of which only the wire's figures are known.
    """
    row = wallet(
        coin(
            "USDT",
            "1000",
            "1010",
            "1010",
            unrealisedPnl="10",
            totalPositionIM="260",
            totalPositionMM="25",
        ),
        totalMarginBalance="1010",
        totalInitialMargin="260",
        totalMaintenanceMargin="25",
        totalAvailableBalance="750",
        accountMMRate="0.0247",
    )
    legs = [
        position(
            "SOLUSDT",
            "Buy",
            "20",
            "99",
            "100",
            positionIdx=1,
            positionIM="210",
            positionMM="20",
            unrealisedPnl="20",
        ),
        position(
            "SOLUSDT",
            "Sell",
            "10",
            "99",
            "100",
            positionIdx=2,
            positionIM="50",
            positionMM="5",
            unrealisedPnl="-10",
            liqPrice="0",
        ),
    ]
    return account(
        row,
        usdt=legs,
        lists=instruments(instrument("SOLUSDT", "SOL", lot="0.1"))
        | limits("SOLUSDT", ("50000", "0.005", "0.01", "100.00", ""))
        | fees(fee_rate("SOLUSDT", "0.00055"))
        | collateral(ratios("USDT", FULL)),
    )


def coins_as_collateral() -> dict[str, Json]:
    """
    45 BTC under the tiers of Bybit's article count 9.8 + 9.5 + 9 + 8.5 + 4 = 40.8 BTC.

    Constructed around it: BTC at an index of 100,000, 10,000 USDT at 1.0005 with a SOL long of
    10 at 100 (mark 100, 10x, 0.5 %, taker 0.055 %: fee 0.495, initial 100.495, maintenance
    5.495), 200 METH (no perpetual) at 4,000 and ratio 0.9, and 500 of a coin switched off.
    Balance 40.8 × 100,000 + 10,000 × 1.0005 + 200 × 4,000 × 0.9 = 4,810,005.
    """
    row = wallet(
        coin(
            "USDT",
            "10000",
            "10000",
            "10005",
            totalPositionIM="100.495",
            totalPositionMM="5.495",
        ),
        coin("BTC", "45", "45", "4500000"),
        coin("METH", "200", "200", "800000"),
        coin("MNT", "500", "500", "400", collateralSwitch=False),
        coin("ADA", "0", "0", "0"),
        totalMarginBalance="4810005",
        totalInitialMargin="100.5452475",
        totalMaintenanceMargin="5.4977475",
        totalAvailableBalance="4809904.4547525",
    )
    tiers = ratios(
        "BTC",
        ("0", "10", "0.98"),
        ("10", "20", "0.95"),
        ("20", "30", "0.9"),
        ("30", "40", "0.85"),
        ("40", "50", "0.8"),
        ("50", "", "0"),
    )
    return account(
        row,
        usdt=[
            position(
                "SOLUSDT",
                "Buy",
                "10",
                "100",
                "100",
                positionIM="100.495",
                positionMM="5.495",
            )
        ],
        lists=instruments(instrument("SOLUSDT", "SOL", lot="0.1"), instrument("BTCUSDT", "BTC"))
        | limits("SOLUSDT", ("50000", "0.005", "0.01", "100.00", ""))
        | fees(fee_rate("SOLUSDT", "0.00055"))
        | collateral(ratios("USDT", FULL), tiers, ratios("METH", ("0", "", "0.9")))
        | {"/v5/market/tickers?category=linear&symbol=BTCUSDT": [ticker("BTCUSDT", "99950")]},
    )


def haircut_of_spot_orders() -> dict[str, Json]:
    """
    Totals of the wallet stream's documentation sample: 9,684.46297164 of margin balance, of
    which only 9,556.6056555 is available without any margin held: 127.85731614 is haircut.
    """
    row = wallet(
        coin("USDT", "9684.46297164", "9684.46297164", "9684.46297164"),
        totalMarginBalance="9684.46297164",
        totalAvailableBalance="9556.6056555",
    )
    return account(row, lists=collateral(ratios("USDT", FULL)))
