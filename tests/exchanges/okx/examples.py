"""The worked examples of OKX's margin rules, as the replies that such an account gives."""

from __future__ import annotations

from decimal import Decimal

from tests.exchanges.okx import listings
from tests.exchanges.okx.wire import (
    Json,
    balance,
    bodies,
    coin,
    config,
    envelope,
    fees,
    mark,
    position,
    tiers,
)

# Expiry futures: contracts, tiers of their own beside the perpetuals', and fees (0.1 %, which
# a captured demo account was charged).
FUTURES_TABLES: dict[str, Json] = {
    "GET /api/v5/public/instruments?instType=FUTURES": envelope(
        *(listings.future(*row) for row in listings.FUTURES)
    ),
    "GET /api/v5/account/trade-fee?instType=FUTURES": fees("-0.001", "-0.001"),
} | {
    f"GET /api/v5/public/position-tiers?instType=FUTURES&tdMode={way}&instFamily={family}": tiers(
        family, *rows
    )
    for family, rows in listings.FUTURES_TIERS.items()
    for way in ("cross", "isolated")
}


# Worked example W7: futures mode, two cross positions in the USDT pool and an isolated one.
def w7(**changes: Json) -> dict[str, Json]:
    held = envelope(
        position(
            "BTC-USDT-SWAP",
            "20",
            "100000",
            "96000",
            upl="-800",
            imr="384",
            mmr="76.8",
            mgnRatio="1.4814814814814814",
            liqPx="95673.5308890005",
            notionalUsd="19200",
        ),
        position(
            "ETH-USDT-SWAP",
            "-30",
            "3500",
            "3600",
            upl="-300",
            imr="216",
            mmr="43.2",
            mgnRatio="1.4814814814814814",
            liqPx="3621.5696034511",
            notionalUsd="10800",
        ),
        position(
            "SOL-USDT-SWAP",
            "50",
            "180",
            "171",
            mgnMode="isolated",
            upl="-450",
            lever="5",
            margin="1800",
            mmr="85.5",
            mgnRatio="15.037593984962406",
            liqPx="145.5280444669",
            notionalUsd="8550",
        ),
    )
    told = balance(
        coin(
            "USDT",
            "1300",
            eq="1550",
            upl="-1550",
            isoUpl="-450",
            isoEq="1350",
            frozenBal="1350",
            imr="600",
            mmr="120",
            mgnRatio="1.4814814814814814",
            notionalLever="150",
            disEq="0",
            eqUsd="1550",
            **changes,
        ),
        isoEq="1350",
    )
    return bodies(config(), held, told)


# Worked example W8: futures mode, the BTC pool with an inverse long.
def w8() -> dict[str, Json]:
    held = envelope(
        position(
            "BTC-USD-SWAP",
            "300",
            "110000",
            "96000",
            ccy="BTC",
            upl="-0.0397727272727273",
            lever="20",
            imr="0.015625",
            mmr="0.00125",
            mgnRatio="1.5838383838383838",
            liqPx="95749.5667244367",
            notionalUsd="30000",
        )
    )
    told = balance(
        coin(
            "BTC",
            "0.042",
            eq="0.0022272727272727",
            upl="-0.0397727272727273",
            imr="0.015625",
            mmr="0.00125",
            mgnRatio="1.5838383838383838",
            eqUsd="213.8",
            disEq="0",
        )
    )
    return bodies(config(), held, told)


# Multi-currency margin, made up: 0.5 BTC, 2,000 USDT and 100 OKB behind a BTC long and an ETH
# short; prices 96000 × 1.0002, 1.0002 and 50 USD. Written out in test_pools.py.
def multi(**totals: Json) -> dict[str, Json]:
    held = envelope(
        position(
            "BTC-USDT-SWAP",
            "100",
            "100000",
            "96000",
            upl="-4000",
            imr="9600",
            lever="10",
            mmr="384",
            mgnRatio="",
            notionalUsd="96019.2",
            usdPx="1.0002",
        ),
        position(
            "ETH-USDT-SWAP",
            "-200",
            "3800",
            "3600",
            upl="4000",
            imr="7200",
            lever="10",
            mmr="288",
            mgnRatio="",
            notionalUsd="72014.4",
            usdPx="1.0002",
        ),
    )
    told = balance(
        coin("BTC", "0.5", eqUsd="48009.6", disEq="47049.408"),
        coin("USDT", "2000", eqUsd="2000.4", disEq="2000.4"),
        coin("OKB", "100", eqUsd="5000", disEq="4500"),
        coin("JFI", "10", eqUsd="8000", disEq="0", collateralEnabled=False),
        **{
            "adjEq": "53549.808",
            "imr": "16803.36",
            "mmr": "672.1344",
            "mgnRatio": "70.818915581962973",
            "notionalUsd": "168033.6",
            "notionalUsdForSwap": "168033.6",
            "ordFroz": "0",
            "borrowFroz": "0",
            "upl": "0",
            **totals,
        },
    )
    marks = (mark("BTC-USDT-SWAP", "96000"), mark("ETH-USDT-SWAP", "3600"))
    return bodies(config("3"), held, told, marks=marks)


# Worked example W3: multi-currency margin, a BTC liability against USDT. The official page tells
# the totals and the BTC row; the USDT behind them is what makes them up.
def w3() -> dict[str, Json]:
    debt = coin(
        "BTC",
        "-0.509575622217854",
        eq="-0.5096053466363398",
        liab="0.509575622217854",
        crossLiab="0.509575622217854",
        interest="0.0000297244184858",
        eqUsd="-25408.4180739947",
        disEq="-25408.4180739947",
    )
    usdt = "56387.5267488129657014"
    told = balance(
        debt,
        coin("USDT", usdt, eqUsd=usdt, disEq=usdt),
        adjEq="30979.1086748182657014",
        mmr="762.252542219842",
        mgnRatio="39.9556239578938079",
        ordFroz="0",
    )
    marks = (mark("BTC-USDT-SWAP", "49859.01"),)
    found = bodies(config("3"), envelope(), told, marks=marks)
    found["GET /api/v5/account/trade-fee?instType=MARGIN"] = fees("-0.0005", instType="MARGIN")
    return found


# Worked example W6: the captured totals, over positions that make them up: a swap at 0.4 %, a
# future at 1.3 % (made up to leave the wire's mmr, to nine digits) and a debt at 2 %.
def w6() -> dict[str, Json]:
    swap = position(
        "BTC-USDT-SWAP",
        "2.486132864",
        "100000",
        "100000",
        upl="0",
        lever="",
        mmr=str(Decimal("2486.1328640000006") * Decimal("0.004")),
    )
    future = position(
        "LTC-USDT-261225",
        "1",
        "101.11322817202809",
        "101.11322817202809",
        instType="FUTURES",
        upl="0",
        lever="",
        mmr=str(Decimal("101.11322817202809") * Decimal("0.013")),
    )
    debt = "-2046.8510380360844"
    told = balance(
        coin("USDT", "1", eqUsd="1", disEq="1"),
        coin("USDC", debt, crossLiab=debt[1:], liab=debt[1:], eqUsd=debt, disEq=debt),
        coin("DAI", "102987.98402272492", eqUsd="102987.98402272492"),
        adjEq="100942.13298468884",
        imr="2480.1422383312265",
        mmr="52.196024182958055",
        mgnRatio="1814.5924297007082",
        borrowFroz="409.3702076072169",
        ordFroz="0",
        notionalUsdForSwap="2486.1328640000006",
        notionalUsdForFutures="101.11322817202809",
        notionalUsdForBorrow="2046.8510380360844",
    )
    found = bodies(config("3"), envelope(swap, future), told)
    return found | FUTURES_TABLES
