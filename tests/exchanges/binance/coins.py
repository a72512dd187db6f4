"""COIN-M's and portfolio margin's replies, built from their pages' field lists as in `wire.py`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.exchanges.binance import wire

if TYPE_CHECKING:
    from tests.exchanges.binance.wire import Json


def position(
    symbol: str,
    amount: str,
    entry: str,
    mark: str,
    *,
    size: int = 100,
    side: str = "BOTH",
    isolated: str | None = None,
    **changes: Json,
) -> dict[str, Json]:
    """One row of COIN-M's «Position Information»: profit and notional in coins."""
    face = Decimal(amount) * size
    profit = face / Decimal(entry) - face / Decimal(mark)
    alone = "0.00000000" if isolated is None else wire.plain(Decimal(isolated) + profit)
    return {
        "symbol": symbol,
        "positionAmt": amount,
        "entryPrice": entry,
        "breakEvenPrice": entry,
        "markPrice": mark,
        "unRealizedProfit": wire.plain(profit),
        "liquidationPrice": "0",
        "leverage": "20",
        "maxQty": "150",
        "marginType": "cross" if isolated is None else "isolated",
        "isolatedMargin": alone,
        "isAutoAddMargin": "false",
        "positionSide": side,
        "notionalValue": wire.plain(face / Decimal(mark)),
        "isolatedWallet": "0" if isolated is None else isolated,
        "updateTime": wire.CHANGED,
    } | changes


def sketch(row: dict[str, Json], maintenance: str) -> dict[str, Json]:
    """The same position as COIN-M's «Account Information» has it."""
    kept = ("symbol", "positionAmt", "positionSide", "leverage", "entryPrice", "isolatedWallet")
    return {key: row[key] for key in kept} | {
        "unrealizedProfit": row["unRealizedProfit"],
        "maintMargin": maintenance,
        "initialMargin": "0",
        "notionalValue": row["notionalValue"],
        "isolated": row["marginType"] == "isolated",
        "updateTime": wire.CHANGED,
    }


def wallet(
    asset: str, cross: str, rows: list[dict[str, Json]], *maintenance: str
) -> dict[str, Json]:
    """One asset of COIN-M's «Account Information»; totals of its cross positions."""
    mine = [
        row
        for row in rows
        if row["symbol"].startswith(f"{asset}USD_") and row["marginType"] == "cross"
    ]
    profit = sum((Decimal(row["unRealizedProfit"]) for row in mine), Decimal(0))
    charged = sum((Decimal(text) for text in maintenance), Decimal(0))
    return {
        "asset": asset,
        "walletBalance": cross,
        "unrealizedProfit": wire.plain(profit),
        "marginBalance": wire.plain(Decimal(cross) + profit),
        "maintMargin": wire.plain(charged),
        "initialMargin": "0.00000000",
        "positionInitialMargin": "0.00000000",
        "openOrderInitialMargin": "0.00000000",
        "crossWalletBalance": cross,
        "crossUnPnl": wire.plain(profit),
        "availableBalance": "0.00000000",
        "maxWithdrawAmount": "0.00000000",
        "updateTime": wire.CHANGED,
    }


def contract(symbol: str, size: int = 100, **changes: Json) -> Json:
    """One symbol of COIN-M's «Exchange Information»."""
    base = symbol.partition("USD_")[0]
    return {
        "symbol": symbol,
        "pair": f"{base}USD",
        "contractType": "PERPETUAL" if symbol.endswith("PERP") else "CURRENT_QUARTER",
        "deliveryDate": 4133404800000 if symbol.endswith("PERP") else 1_798_185_600_000,
        "contractStatus": "TRADING",
        "contractSize": size,
        "baseAsset": base,
        "quoteAsset": "USD",
        "marginAsset": base,
        "filters": [{"filterType": "LOT_SIZE", "stepSize": "1"}],
    } | changes


# «cap rate cum leverage» in BTC, as the brackets of BTCUSD_PERP stand in Binance's FAQ.
BTC = (
    "5 .004 0 125",
    "10 .005 .005 100",
    "20 .01 .055 50",
    "50 .025 .355 20",
    "100 .05 1.605 10",
    "200 .1 6.605 5",
    "400 .125 11.605 4",
)


def lists(*symbols: str, **sizes: int) -> dict[str, Json]:
    """COIN-M's public lists for these symbols."""
    brackets = []
    for symbol in symbols:
        rows = wire.bracket_rows(*BTC)
        for row in rows:
            row["qtyCap"], row["qtylFloor"] = row.pop("notionalCap"), row.pop("notionalFloor")
        brackets.append({"symbol": symbol, "notionalCoef": 1, "brackets": rows})
    return {
        "GET /dapi/v1/exchangeInfo": {
            "symbols": [contract(symbol, sizes.get(symbol, 100)) for symbol in symbols]
        },
        "GET /dapi/v2/leverageBracket": brackets,
        "GET /dapi/v1/premiumIndex": [],
        "GET /dapi/v1/adlQuantile": [],
        "GET /dapi/v1/openAlgoOrders": [],
        "GET /dapi/v1/openOrders": [],
        "GET /dapi/v1/income?limit=1000": [],
    }


def beside(
    told: dict[str, Json],
    rows: list[dict[str, Json]],
    wallets: dict[str, str],
    maintenance: dict[str, str],
) -> dict[str, Json]:
    """
    The account's replies with a COIN-M wallet beside.

    `maintenance` is each symbol's own, in coins, as Binance would tell it.
    """
    charged: dict[str, list[str]] = {}
    for row in rows:
        if row["marginType"] == "cross":
            asset = row["symbol"].partition("USD_")[0]
            charged.setdefault(asset, []).append(maintenance[row["symbol"]])
    return (
        told
        | lists(*sorted({row["symbol"] for row in rows}))
        | {
            "GET /dapi/v1/account": {
                "assets": [
                    wallet(asset, cross, rows, *charged.get(asset, []))
                    for asset, cross in wallets.items()
                ],
                "positions": [sketch(row, maintenance[row["symbol"]]) for row in rows],
            },
            "GET /dapi/v1/positionRisk": rows,
        }
    )


def portfolio(
    balances: list[dict[str, Json]],
    usdm: list[dict[str, Json]] | None = None,
    coinm: list[dict[str, Json]] | None = None,
    **account: Json,
) -> dict[str, Json]:
    """Every reply of a portfolio margin account."""
    return {
        "GET /sapi/v1/account/info": {"vipLevel": 0, "isPortfolioMarginRetailEnabled": True},
        "GET /sapi/v1/portfolio/account": wire.NO_PORTFOLIO,
        "GET /papi/v1/account": {
            "uniMMR": "5167.92171923",
            "accountEquity": "73.47428058",
            "actualEquity": "122607.35137903",
            "accountInitialMargin": "23.72469206",
            "accountMaintMargin": "23.72469206",
            "accountStatus": "NORMAL",
            "virtualMaxWithdrawAmount": "1627523.32459208",
            "totalAvailableBalance": "",
            "totalMarginOpenLoss": "",
            "updateTime": wire.CHANGED,
        }
        | account,
        "GET /papi/v1/balance": balances,
        "GET /papi/v1/um/positionRisk": usdm or [],
        "GET /papi/v1/cm/positionRisk": coinm or [],
    }
