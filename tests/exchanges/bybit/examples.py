"""
Worked examples of Bybit's margin rules, as the wire would tell them.

Each function says where its figures come from; they were computed there or by hand, and where
a wire figure of the day is known, it is that one, digit for digit.
"""

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
    wallet,
)


def two_positions() -> dict[str, Json]:
    """
    A long and a short in one pool, first tiers of 2026-10, taker rate 0.055 %, index 1.0005.

    BTC: fee 100,000 × 0.5 × 0.9 × 0.00055 = 24.75; initial 47,500 ÷ 10 + 24.75 = 4,774.75;
    maintenance 47,500 × 0.0033 + 24.75 = 181.50. ETH: fee 35,000 × 1.05 × 0.00055 = 20.2125;
    initial 36,000 ÷ 20 + 20.2125 = 1,820.2125; maintenance 118.80 + 20.2125 = 139.0125.
    """
    row = wallet(
        coin(
            "USDT",
            "12000",
            "8500",
            "8504.25",
            unrealisedPnl="-3500",
            totalPositionIM="6594.9625",
            totalPositionMM="320.5125",
        ),
        totalEquity="8504.25",
        totalMarginBalance="8504.25",
        totalInitialMargin="6598.25998125",
        totalMaintenanceMargin="320.67275625",
        totalAvailableBalance="1905.99001875",
        accountIMRate="0.7758",
        accountMMRate="0.0377",
    )
    first = ("300000", "0.0033", "0.0066", "150.00", "")
    return account(
        row,
        usdt=[
            position(
                "BTCUSDT",
                "Buy",
                "0.5",
                "100000",
                "95000",
                leverage="10",
                positionIM="4774.75",
                positionMM="181.5",
                unrealisedPnl="-2500",
                liqPrice="78632.84550000",
            ),
            position(
                "ETHUSDT",
                "Sell",
                "10",
                "3500",
                "3600",
                leverage="20",
                positionIM="1820.2125",
                positionMM="139.0125",
                unrealisedPnl="-1000",
                liqPrice="4418.3577",
                adlRankIndicator=4,
            ),
        ],
        lists=instruments(instrument("BTCUSDT", "BTC"), instrument("ETHUSDT", "ETH", lot="0.01"))
        | limits("BTCUSDT", first)
        | limits("ETHUSDT", first)
        | fees(fee_rate("BTCUSDT", "0.00055"), fee_rate("ETHUSDT", "0.00055"))
        | collateral(ratios("USDT", FULL)),
    )


def taxed_long() -> dict[str, Json]:
    """
    SOLUSDT on a wire of 2025-10-02: Indian tax makes 0.00055 the 0.000649 that is charged.

    The margins are those by mark, which the wire then gave beside the plain ones and which
    became the plain ones: 46.6058 × 0.005 + 46.604 × 0.9 × 0.000649 = 0.26025039. Totals are
    those of that day's wallet, with the maintenance margin by mark: 0.26025039 × 1.000686.
    """
    row = wallet(
        coin(
            "USDT",
            "11.47724524",
            "11.47904524",
            "11.48691986",
            unrealisedPnl="0.0018",
            totalPositionIM="4.68780139",
            totalPositionMM="0.26025039",
        ),
        totalMarginBalance="11.48691986",
        totalInitialMargin="4.69101722",
        totalMaintenanceMargin="0.26042892",
        totalAvailableBalance="6.79590264",
        accountMMRate="0.0226",
    )
    return account(
        row,
        usdt=[
            position(
                "SOLUSDT",
                "Buy",
                "0.2",
                "233.02",
                "233.029",
                leverage="10",
                positionIM="4.68780139",
                positionMM="0.26025039",
                unrealisedPnl="0.0018",
                liqPrice="176.89650029",
            )
        ],
        lists=instruments(instrument("SOLUSDT", "SOL", lot="0.1"))
        | limits("SOLUSDT", ("50000", "0.005", "0.01", "100.00", ""))
        | fees(fee_rate("SOLUSDT", "0.00055"))
        | collateral(ratios("USDT", FULL)),
    )


def taxed_long_of_the_day() -> dict[str, Json]:
    """
    The same with the plain figures of that day, whose margins still went by entry:
    46.604 × 0.005 + 0.0272214 = 0.2602414, times index 0.26041992.
    """
    bodies = taxed_long()
    row = bodies["/v5/position/list?category=linear&settleCoin=USDT"]["result"]["list"][0]
    row |= {"positionIM": "4.6876214", "positionMM": "0.2602414"}
    totals = bodies["/v5/account/wallet-balance?accountType=UNIFIED"]["result"]["list"][0]
    totals["coin"][0] |= {"totalPositionIM": "4.6876214", "totalPositionMM": "0.2602414"}
    totals |= {
        "totalInitialMargin": "4.6908371",
        "totalMaintenanceMargin": "0.26041992",
        "totalAvailableBalance": "6.79608275",
        "accountIMRate": "0.4083",
    }
    return bodies


def usdc_long() -> dict[str, Json]:
    """
    BTCPERP on a wire of 2026-03-29: 0.001 at 66,473.5, mark 66,472.02, 10x, 0.4 %, taker 0.1 %.

    Fee 66.4735 × 0.9 × 0.001 = 0.05982615, so initial 6.70702815 and maintenance 0.32571423;
    the wire's liquidation price of 10,736.47573672 implies 55.73554426 of room. The wallet is
    constructed to that: index 1, so balance 55.73554426 + 0.32571423 = 56.06125849 and, with
    unrealized PnL of 0.001 × (66,472.02 − 66,473.5) = −0.00148, wallet 56.06273849.
    """
    row = wallet(
        coin(
            "USDC",
            "56.06273849",
            "56.06125849",
            "56.06125849",
            unrealisedPnl="-0.00148",
            totalPositionIM="6.70702815",
            totalPositionMM="0.32571423",
        ),
        totalMarginBalance="56.06125849",
        totalInitialMargin="6.70702815",
        totalMaintenanceMargin="0.32571423",
        totalAvailableBalance="49.35423034",
        accountMMRate="0.0058",
    )
    return account(
        row,
        usdc=[
            position(
                "BTCPERP",
                "Buy",
                "0.001",
                "66473.5",
                "66472.02",
                leverage="10",
                positionIM="6.70702815",
                positionMM="0.32571423",
                unrealisedPnl="-0.00148",
                liqPrice="10736.47573672",
                breakEvenPrice="66606.58",
                sessionAvgPrice="66473.5",
            )
        ],
        lists=instruments(instrument("BTCPERP", "BTC", "USDC"))
        | limits(
            "BTCPERP",
            ("100000", "0.004", "0.008", "125.00", ""),
            ("1000000", "0.005", "0.01", "100.00", "100"),
        )
        | fees(fee_rate("BTCPERP", "0.001"))
        | collateral(ratios("USDC", FULL)),
    )


def position_and_order() -> dict[str, Json]:
    """
    XRPUSDT on a testnet wire of 2025-01: an open order beside a position, USDT at ratio 0.84.

    Wire: order margins 2.55573119 and 0.21612869, position margins 1.11999668 and 0.08910268
    (by entry, as then was the rule), index 1.000086; totals 3.67604398 and 0.30525761; margin
    balance 841.28368768 = 1001.44207561 × 1.000086 × 0.84, available 837.60764370. Size and
    prices are constructed to them: 4 × 2.7862 = 11.1448, 11.1448 × (0.1 + 0.9 × 0.00055) =
    1.11999668, and 4 × (3.1342 − 2.7862) = 1.392 = 1001.44207561 − 1000.05007561.
    """
    row = wallet(
        coin(
            "USDT",
            "1000.05007561",
            "1001.44207561",
            "1001.52819963",
            unrealisedPnl="1.392",
            totalOrderIM="2.55573119",
            totalPositionIM="1.11999668",
            totalPositionMM="0.08910268",
        ),
        totalMarginBalance="841.28368768",
        totalInitialMargin="3.67604398",
        totalMaintenanceMargin="0.30525761",
        totalAvailableBalance="837.60764370",
        accountIMRate="0.0043",
        accountMMRate="0.0003",
    )
    return account(
        row,
        usdt=[
            position(
                "XRPUSDT",
                "Buy",
                "4",
                "2.7862",
                "3.1342",
                leverage="10",
                positionIM="1.11999668",
                positionMM="0.08910268",
                unrealisedPnl="1.392",
            )
        ],
        lists=instruments(instrument("XRPUSDT", "XRP", lot="0.1"))
        | limits("XRPUSDT", ("200000", "0.0075", "0.0133", "75.00", ""))
        | fees(fee_rate("XRPUSDT", "0.00055"))
        | collateral(ratios("USDT", ("0", "", "0.84"))),
    )


def hedge_mode_long() -> dict[str, Json]:
    """
    ADAUSDT, the long leg of hedge mode alone, on a wire of 2025-12.

    By the rule 106.51733189 and 61.74533189; the wire says 106.51735757 and 61.74535757, as the
    entry it shows is rounded. Its liquidation price of 0.37000066 implies 748.78764480 of room:
    (0.41 − 0.37000066) × 18,720. The wallet is constructed to that, at index 1: margin balance
    748.78764480 + 61.74535757 = 810.53300237; unrealized PnL 18,720 × (0.41 − 0.41160027) =
    −29.9570544, so wallet 840.49005677.
    """
    row = wallet(
        coin(
            "USDT",
            "840.49005677",
            "810.53300237",
            "810.53300237",
            unrealisedPnl="-29.9570544",
            totalPositionIM="106.51735757",
            totalPositionMM="61.74535757",
        ),
        totalMarginBalance="810.53300237",
        totalInitialMargin="106.51735757",
        totalMaintenanceMargin="61.74535757",
        totalAvailableBalance="704.0156448",
        accountMMRate="0.0761",
    )
    return account(
        row,
        usdt=[
            position(
                "ADAUSDT",
                "Buy",
                "18720",
                "0.41160027",
                "0.41",
                positionIdx=1,
                leverage="75",
                positionIM="106.51735757",
                positionMM="61.74535757",
                unrealisedPnl="-29.9570544",
                liqPrice="0.37000066",
                takeProfit="0.4321",
                stopLoss="0.3704",
            )
        ],
        lists=instruments(instrument("ADAUSDT", "ADA", lot="1"))
        | limits("ADAUSDT", ("200000", "0.0075", "0.0133", "75.00", ""))
        | fees(fee_rate("ADAUSDT", "0.00055"))
        | collateral(ratios("USDT", FULL)),
    )
