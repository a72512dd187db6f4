"""
Replies as Binance would send them, built from its pages' field lists.

Amounts are those of the caller; profit and notional are multiplied out here, maintenance
margin is always the caller's, so that no expected figure comes from the code under test.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.call import Replies, Reply
from monitor.exchanges.payload import parse_json
from monitor.exchanges.port import Frame

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
# When the rows last changed: two minutes before noon.
CHANGED = 1_795_348_680_000
PAYLOADS = Path(__file__).parent / "payloads"

BTC_2026 = (
    "300000 .004 0 150",
    "800000 .005 300 100",
    "3000000 .0065 1500 75",
    "12000000 .01 12000 50",
    "70000000 .02 132000 25",
    "100000000 .025 482000 20",
)
ETH_2026 = (
    "300000 .004 0 150",
    "800000 .005 300 100",
    "3000000 .0065 1500 75",
    "12000000 .01 12000 50",
    "50000000 .02 132000 25",
)
SOL_2026 = ("50000 .005 0 100", "400000 .0065 75 75", "1000000 .01 1475 50")
BTC_2021 = (
    "50000 .004 0 125",
    "250000 .005 50 100",
    "1000000 .01 1300 50",
    "10000000 .025 16300 20",
)
ETH_2021 = (
    "10000 .005 0 100",
    "100000 .0065 15 75",
    "500000 .01 365 50",
    "1000000 .02 5365 25",
    "2000000 .05 35365 10",
    "5000000 .1 135365 5",
)

Json = Any
# What the endpoint of institutions answers to everybody else; the code is of our choosing.
NO_PORTFOLIO = {"code": -3999, "msg": "This account is not a portfolio margin account."}


def plain(number: Decimal) -> str:
    return f"{number:.8f}"


def position(
    symbol: str,
    amount: str,
    entry: str,
    mark: str,
    maintenance: str,
    *,
    side: str = "BOTH",
    asset: str = "USDT",
    isolated: str | None = None,
    **changes: Json,
) -> dict[str, Json]:
    """One row of «Position Information V3»."""
    size = Decimal(amount)
    profit = size * (Decimal(mark) - Decimal(entry))
    return {
        "symbol": symbol,
        "positionSide": side,
        "positionAmt": amount,
        "entryPrice": entry,
        "breakEvenPrice": entry,
        "markPrice": mark,
        "unRealizedProfit": plain(profit),
        "liquidationPrice": "0",
        "isolatedMargin": "0" if isolated is None else plain(Decimal(isolated) + profit),
        "notional": plain(size * Decimal(mark)),
        "marginAsset": asset,
        "isolatedWallet": "0" if isolated is None else isolated,
        "initialMargin": plain(abs(size) * Decimal(mark) / 20),
        "maintMargin": maintenance,
        "positionInitialMargin": plain(abs(size) * Decimal(mark) / 20),
        "openOrderInitialMargin": "0",
        "adl": 2,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": CHANGED,
    } | changes


def sketch(row: dict[str, Json]) -> dict[str, Json]:
    """The same position as «Account Information V3» has it."""
    return {
        "symbol": row["symbol"],
        "positionSide": row["positionSide"],
        "positionAmt": row["positionAmt"],
        "unrealizedProfit": row["unRealizedProfit"],
        "isolatedMargin": row["isolatedMargin"],
        "notional": row["notional"],
        "isolatedWallet": row["isolatedWallet"],
        "initialMargin": row["initialMargin"],
        "maintMargin": row["maintMargin"],
        "updateTime": row["updateTime"],
    }


def wallet(asset: str, cross: str, rows: list[dict[str, Json]], **changes: Json) -> dict[str, Json]:
    """One asset of «Account Information V3»; totals without isolated positions."""
    mine = [row for row in rows if row["marginAsset"] == asset and row["isolatedWallet"] == "0"]
    alone = [row for row in rows if row["marginAsset"] == asset and row["isolatedWallet"] != "0"]
    profit = sum((Decimal(row["unRealizedProfit"]) for row in mine), Decimal(0))
    maintenance = sum((Decimal(row["maintMargin"]) for row in mine), Decimal(0))
    initial = sum((Decimal(row["initialMargin"]) for row in mine), Decimal(0))
    apart = sum((Decimal(row["isolatedWallet"]) for row in alone), Decimal(0))
    return {
        "asset": asset,
        "walletBalance": plain(Decimal(cross) + apart),
        "unrealizedProfit": plain(profit),
        "marginBalance": plain(Decimal(cross) + profit),
        "maintMargin": plain(maintenance),
        "initialMargin": plain(initial),
        "positionInitialMargin": plain(initial),
        "openOrderInitialMargin": "0.00000000",
        "crossWalletBalance": cross,
        "crossUnPnl": plain(profit),
        "availableBalance": "0.00000000",
        "maxWithdrawAmount": "0.00000000",
        "updateTime": CHANGED,
    } | changes


def premium(symbol: str, mark: str | None, **changes: Json) -> dict[str, Json]:
    """One row of «Mark Price»."""
    return {
        "symbol": symbol,
        "markPrice": mark,
        "indexPrice": mark,
        "lastFundingRate": "0.00010000",
        "nextFundingTime": CHANGED + 3_600_000,
        "time": CHANGED,
    } | changes


def index(asset: str, price: str, bid: str, ask: str) -> dict[str, Json]:
    """One row of «Multi-Assets Mode Asset Index»."""
    return {
        "symbol": f"{asset}USD",
        "time": CHANGED,
        "index": price,
        "bidBuffer": "0",
        "askBuffer": "0",
        "bidRate": bid,
        "askRate": ask,
    }


def contract(symbol: str, asset: str = "USDT", step: str = "0.001", **changes: Json) -> Json:
    """One symbol of «Exchange Information»."""
    return {
        "symbol": symbol,
        "pair": symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "status": "TRADING",
        "baseAsset": symbol.removesuffix(asset),
        "quoteAsset": asset,
        "marginAsset": asset,
        "quantityPrecision": 3,
        "liquidationFee": "0.012500",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "maxQty": "1000", "minQty": step, "stepSize": step},
        ],
    } | changes


def bracket_rows(*texts: str) -> list[dict[str, Json]]:
    """Brackets from «cap rate cum leverage» texts, as bare JSON numbers."""
    rows = []
    floor = 0
    for number, text in enumerate(texts, start=1):
        cap, rate, cum, leverage = text.split()
        rows.append(
            {
                "bracket": number,
                "initialLeverage": int(leverage),
                "notionalCap": int(cap),
                "notionalFloor": floor,
                "maintMarginRatio": Decimal(rate),
                "cum": Decimal(cum),
            }
        )
        floor = int(cap)
    return rows


def stop(symbol: str, side: str, **changes: Json) -> dict[str, Json]:
    """One row of «Current All Algo Open Orders»."""
    return {
        "algoId": 2148627,
        "clientAlgoId": "",
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET",
        "symbol": symbol,
        "side": side,
        "positionSide": "BOTH",
        "quantity": "0.01",
        "algoStatus": "NEW",
        "triggerPrice": "750.000",
        "closePosition": False,
        "reduceOnly": True,
        "updateTime": CHANGED,
    } | changes


def bodies(
    rows: list[dict[str, Json]],
    wallets: dict[str, str],
    brackets: dict[str, tuple[str, ...]] | None = None,
    *,
    hedge: bool = False,
) -> dict[str, Json]:
    """Every reply of one account by request: lists whole, as a capture made elsewhere has them."""
    symbols = sorted({row["symbol"] for row in rows})
    assets = {row["symbol"]: row["marginAsset"] for row in rows}
    tables = brackets or {}
    return {
        "GET /fapi/v1/accountConfig": {
            "feeTier": 0,
            "canTrade": True,
            "dualSidePosition": hedge,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        },
        "GET /fapi/v3/account": {
            "totalMaintMargin": "0",
            "assets": [wallet(asset, cross, rows) for asset, cross in wallets.items()],
            "positions": [sketch(row) for row in rows],
        },
        "GET /fapi/v3/positionRisk": rows,
        "GET /fapi/v1/exchangeInfo": {
            "symbols": [contract(symbol, assets[symbol]) for symbol in symbols]
        },
        "GET /fapi/v1/leverageBracket": [
            {"symbol": symbol, "brackets": bracket_rows(*tables.get(symbol, BTC_2026))}
            for symbol in symbols
        ],
        "GET /fapi/v1/symbolConfig": [
            {"symbol": symbol, "marginType": "CROSSED", "leverage": 20} for symbol in symbols
        ],
        "GET /fapi/v1/openAlgoOrders": [],
        "GET /fapi/v1/openOrders": [],
        "GET /sapi/v1/account/info": {"vipLevel": 0, "isPortfolioMarginRetailEnabled": False},
        "GET /sapi/v1/portfolio/account": NO_PORTFOLIO,
        "GET /dapi/v1/account": {"assets": [wallet("BTC", "0", [])], "positions": []},
        "GET /dapi/v1/positionRisk": [],
        "GET /fapi/v1/income?limit=1000": [],
        "GET /api/v3/account?omitZeroBalances=true": {"balances": []},
    } | {
        f"GET /fapi/v1/commissionRate?symbol={symbol}": {
            "symbol": symbol,
            "makerCommissionRate": "0.0002",
            "takerCommissionRate": "0.0005",
        }
        for symbol in symbols
    }


def _number(value: object) -> str:
    if isinstance(value, Decimal):
        return f"\x00{value}\x00"
    raise TypeError(value)


def dumped(body: Json) -> str:
    """JSON text with Decimals as bare numbers."""
    return json.dumps(body, default=_number).replace('"\\u0000', "").replace('\\u0000"', "")


def reply(request: str, body: Json, *, status: int = 200, at: datetime = NOON) -> Reply:
    return Reply(request=request, status=status, body=parse_json(dumped(body)), at=at)


def replies(told: dict[str, Json], *more: Reply) -> Replies:
    return Replies([*(reply(request, body) for request, body in told.items()), *more])


def read(told: dict[str, Json], *more: Reply):
    """The account's view «main», read from these replies."""
    return EXCHANGE.read_account("main", replies(told, *more))


def snapshot(told: dict[str, Json], *more: Reply):
    """The account with every pool read; raises what was wrong with the first that is not."""
    return whole(read(told, *more))


def whole(view):
    for side in view._sides():
        for unread in side.unread.values():
            raise unread.error
    return view.snapshot(NOON)


def frame(body: Json, seconds: float = 1) -> Frame:
    text = body if isinstance(body, str) else dumped(body)
    return Frame(feed="account", text=text, at=NOON + timedelta(seconds=seconds))


def recorded(name: str) -> Json:
    """The recorded answer of one of ccxt's test cases, as parsed JSON."""
    case: Json = parse_json((PAYLOADS / f"{name}.json").read_bytes())
    return case["httpResponse"]


def sample(function: str, note: str) -> Json:
    """One example payload out of ccxt's comments."""
    text = (PAYLOADS / "binance_code_samples.json").read_bytes()
    document: Json = parse_json(text)
    (found,) = [
        entry["sample"]
        for entry in document["samples"]
        if entry["function"] == function and entry["note"].startswith(note)
    ]
    return found


def sample_of_line(line: int) -> Json:
    """The example payload that stands at this line of ccxt's source."""
    document: Json = parse_json((PAYLOADS / "binance_code_samples.json").read_bytes())
    (found,) = [entry["sample"] for entry in document["samples"] if entry["line"] == line]
    return found
