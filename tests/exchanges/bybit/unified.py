"""Accounts in cross and portfolio margin, made up to show one thing each, with their arithmetic."""

from __future__ import annotations

from tests.exchanges.bybit.wire import (
    FULL,
    Json,
    account,
    borrow_tiers,
    coin,
    collateral,
    debts,
    fee_rate,
    fees,
    instrument,
    instruments,
    inverse,
    limits,
    position,
    ratios,
    wallet,
)


def inverse_long() -> dict[str, Json]:
    """
    BTCUSD long 10,000 USD at 50,000, mark 48,000, 10x, 0.5 %, taker 0.055 %, constructed.

    Value 0.20833333 BTC; fee 0.2 × 1.1 × 0.00055 = 0.000121; initial margin 0.02095433,
    maintenance margin 0.00116267, unrealized PnL −0.00833333 BTC. The fee of an inverse
    contract is not verified. The wallet beside it is 0.1 BTC at an index of 48,000, of which
    0.95 counts: 0.09166667 × 0.95 × 48,000 = 4,180.
    """
    row = wallet(
        coin(
            "BTC",
            "0.1",
            "0.09166667",
            "4400.00016",
            unrealisedPnl="-0.00833333",
            totalPositionIM="0.02095433",
            totalPositionMM="0.00116267",
        ),
        totalMarginBalance="4180.000152",
        totalInitialMargin="1005.808",
        totalMaintenanceMargin="55.808",
        totalAvailableBalance="3174.192152",
        accountMMRate="0.0133",
    )
    held = position(
        "BTCUSD",
        "Buy",
        "10000",
        "50000",
        "48000",
        positionIM="0.02095433",
        positionMM="0.00116267",
        unrealisedPnl="-0.00833333",
    )
    return account(
        row,
        coin_settled=[held],
        lists=instruments(inverse("BTCUSD", "BTC"), category="inverse")
        | limits("BTCUSD", ("150", "0.005", "0.01", "100", ""), category="inverse")
        | fees(fee_rate("BTCUSD", "0.00055"), category="inverse")
        | collateral(ratios("BTC", ("0", "", "0.95")))
        | debts(borrow_tiers("BTC", ("390", "0.04", "0.2"), ("391", "0.04", "0.25"))),
    )


def in_debt() -> dict[str, Json]:
    """
    5,000 USDT borrowed by hand and spent, 0.1 BTC at 50,000 (ratio 0.95), constructed.

    Wallet 1,000 USDT, of which 5,000 are lent: −4,000. SOL long 10 at 100, mark 100, 10x, 0.5 %,
    taker 0.055 %: fee 0.495, initial 100.495, maintenance 5.495. The debt of 5,000 is charged
    4 % = 200 and 20 % = 1,000. Balance −4,000 + 4,750 = 750.
    """
    row = wallet(
        coin(
            "USDT",
            "1000",
            "-4000",
            "-4000",
            spotBorrow="5000",
            borrowAmount="5000",
            totalPositionIM="100.495",
            totalPositionMM="5.495",
        ),
        coin("BTC", "0.1", "0.1", "5000"),
        totalMarginBalance="750",
        totalInitialMargin="1100.495",
        totalMaintenanceMargin="205.495",
        totalAvailableBalance="0",
        accountMMRate="0.2739",
    )
    held = position("SOLUSDT", "Buy", "10", "100", "100", positionIM="100.495", positionMM="5.495")
    return account(
        row,
        usdt=[held],
        lists=instruments(instrument("SOLUSDT", "SOL", lot="0.1"), instrument("BTCUSDT", "BTC"))
        | limits("SOLUSDT", ("50000", "0.005", "0.01", "100.00", ""))
        | fees(fee_rate("SOLUSDT", "0.00055"))
        | collateral(ratios("USDT", FULL), ratios("BTC", ("0", "", "0.95")))
        | debts(
            borrow_tiers("USDT", ("6000", "0.04", "0.2"), ("9000", "0.05", "0.25")),
            borrow_tiers("BTC", ("390", "0.04", "0.2")),
        ),
    )


def portfolio() -> dict[str, Json]:
    """
    Portfolio margin: equity after ratio, options in it, and a requirement of Bybit's alone.

    1,000 USDT (ratio 0.9) with a long of 10 SOL at 100, mark 110 (+100), and a short option
    worth −50: equity 1,050, of which 945 counts. 15 of that is haircut of spot orders. Leverage,
    margins and liquidation prices are empty.
    """
    row = wallet(
        coin(
            "USDT",
            "1000",
            "1050",
            "1050",
            unrealisedPnl="100",
            locked="200",
            totalOrderIM="",
            totalPositionIM="",
            totalPositionMM="",
        ),
        totalMarginBalance="945",
        totalInitialMargin="400",
        totalMaintenanceMargin="310",
        totalAvailableBalance="530",
        accountMMRate="0.3333",
    )
    held = position(
        "SOLUSDT",
        "Buy",
        "10",
        "100",
        "110",
        leverage="",
        positionIM="",
        positionMM="",
        riskId=0,
        riskLimitValue="",
        unrealisedPnl="100",
    )
    return account(
        row,
        usdt=[held],
        options=[option()],
        mode="PORTFOLIO_MARGIN",
        lists=instruments(instrument("SOLUSDT", "SOL", lot="0.1"))
        | fees(fee_rate("SOLUSDT", "0.00055"))
        | collateral(ratios("USDT", ("0", "", "0.9"))),
    )


def option() -> Json:
    return position("BTC-27DEC26-100000-C-USDT", "Sell", "0.1", "600", "500", leverage="", riskId=0)
