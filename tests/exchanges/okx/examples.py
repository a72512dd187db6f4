"""The worked examples of OKX's margin rules, as the replies that such an account gives."""

from __future__ import annotations

from tests.exchanges.okx.wire import (
    Json,
    balance,
    bodies,
    coin,
    config,
    envelope,
    mark,
    position,
)


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
