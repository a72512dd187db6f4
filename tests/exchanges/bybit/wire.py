"""
Bybit answers and frames, built from the field lists of the V5 documentation (2026-07-24).

The figures are the caller's: nothing here computes one. Fields that no reader needs are there
all the same, as the documentation shows them.
"""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.exchanges.call import Replies, Reply
from monitor.exchanges.port import Frame

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW_MS = 1795348800000
PAYLOADS = Path(__file__).with_name("payloads")

Json = dict[str, Any]

INFO = "/v5/account/info"
WALLET = "/v5/account/wallet-balance?accountType=UNIFIED"
POSITIONS = "/v5/position/list?category={}&settleCoin={}"
INVERSE_LIST = "/v5/position/list?category=inverse"
OPTION_LIST = "/v5/position/list?category=option"
KEY = "/v5/user/query-api"
# Collateral that counts in full.
FULL = ("0", "", "1")


def envelope(result: object, *, ms: int = NOW_MS) -> Json:
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": ms}


def reply(request: str, body: object, *, at: datetime = NOW) -> Reply:
    return Reply(request=f"GET {request}", status=200, body=body, at=at)


def recorded(name: str) -> Json:
    """One recorded answer, as it came."""
    found: Json = json.loads((PAYLOADS / f"{name}.json").read_text())
    return found


def samples(function: str) -> list[Json]:
    """The documentation samples of one function of ccxt's source."""
    every = json.loads((PAYLOADS / "bybit_code_samples.json").read_text())["samples"]
    return [sample["sample"] for sample in every if sample["function"] == function]


def info(mode: str = "REGULAR_MARGIN", status: object = 5) -> Json:
    return {
        "marginMode": mode,
        "updatedTime": "1723481446000",
        "unifiedMarginStatus": status,
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def coin(name: str, wallet: str, equity: str, usd: str, **other: object) -> Json:
    return {
        "availableToBorrow": "",
        "bonus": "0",
        "accruedInterest": "0",
        "availableToWithdraw": "",
        "totalOrderIM": "0",
        "equity": equity,
        "totalPositionMM": "0",
        "usdValue": usd,
        "unrealisedPnl": "0",
        "collateralSwitch": True,
        "spotHedgingQty": "0",
        "borrowAmount": "0.000000000000000000",
        "spotBorrow": "0",
        "totalPositionIM": "0",
        "walletBalance": wallet,
        "cumRealisedPnl": "-3.1",
        "locked": "0",
        "marginCollateral": True,
        "colRes": "0",
        "coin": name,
    } | other


def wallet(*coins: Json, **totals: str) -> Json:
    """The one account of a wallet answer; totals are 0 unless said."""
    return {
        "accountType": "UNIFIED",
        "totalEquity": "0",
        "totalWalletBalance": "0",
        "totalMarginBalance": "0",
        "totalPerpUPL": "0",
        "totalInitialMargin": "0",
        "totalMaintenanceMargin": "0",
        "totalAvailableBalance": "0",
        "accountIMRate": "0",
        "accountMMRate": "0",
        "accountLTV": "0",
        "coin": list(coins),
    } | totals


def position(symbol: str, side: str, size: str, entry: str, mark: str, **other: object) -> Json:
    return {
        "positionIdx": 0,
        "symbol": symbol,
        "side": side,
        "size": size,
        "avgPrice": entry,
        "positionValue": "0",
        "markPrice": mark,
        "liqPrice": "",
        "leverage": "10",
        "positionIM": "0",
        "positionMM": "0",
        "positionIMByMp": "0",
        "positionMMByMp": "0",
        "unrealisedPnl": "0",
        "curRealisedPnl": "0",
        "cumRealisedPnl": "-51.9",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "riskId": 1,
        "riskLimitValue": "200000",
        "adlRankIndicator": 2,
        "autoAddMargin": 0,
        "positionStatus": "Normal",
        "breakEvenPrice": "",
        "sessionAvgPrice": "",
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": "1677168085779",
        "updatedTime": "1699948800031",
        "seq": 15411084098,
        "tradeMode": 0,
        "tpslMode": "Full",
        "bustPrice": "",
        "positionBalance": "0",
    } | other


def positions(*rows: Json, category: str = "linear", cursor: str = "") -> Json:
    return {"list": list(rows), "category": category, "nextPageCursor": cursor}


def instrument(symbol: str, base: str, settle: str = "USDT", lot: str = "0.001") -> Json:
    return {
        "symbol": symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": settle,
        "settleCoin": settle,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
        "lotSizeFilter": {"minOrderQty": lot, "qtyStep": lot, "maxOrderQty": "1190.000"},
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "isPreListing": False,
    }


def risk_limits(symbol: str, *tiers: tuple[str, str, str, str, str]) -> list[Json]:
    """Rows of (limit, maintenance rate, initial rate, leverage, deduction)."""
    return [
        {
            "id": number,
            "symbol": symbol,
            "riskLimitValue": limit,
            "maintenanceMargin": maintenance,
            "initialMargin": initial,
            "isLowestRisk": int(number == 1),
            "maxLeverage": leverage,
            "mmDeduction": deduction,
        }
        for number, (limit, maintenance, initial, leverage, deduction) in enumerate(tiers, start=1)
    ]


def ratios(name: str, *tiers: tuple[str, str, str]) -> Json:
    """Collateral ratios of (from, to, ratio)."""
    rows = [{"minQty": low, "maxQty": high, "collateralRatio": ratio} for low, high, ratio in tiers]
    return {"currency": name, "collateralRatioList": rows}


def ticker(symbol: str, mark: str, **other: str) -> Json:
    return {
        "symbol": symbol,
        "lastPrice": mark,
        "indexPrice": mark,
        "markPrice": mark,
        "openInterest": "69655.813",
        "fundingRate": "0.0001",
        "nextFundingTime": "1795363200000",
        "deliveryTime": "0",
    } | other


def fee_rate(symbol: str, taker: str) -> Json:
    return {"symbol": symbol, "takerFeeRate": taker, "makerFeeRate": "0.0002"}


def stop_order(symbol: str, side: str, kind: str, direction: int, **other: object) -> Json:
    return {
        "orderId": f"stop-{symbol}-{side}",
        "orderLinkId": "",
        "symbol": symbol,
        "side": side,
        "orderType": "Market",
        "orderStatus": "Untriggered",
        "stopOrderType": kind,
        "triggerPrice": "90",
        "triggerBy": "MarkPrice",
        "triggerDirection": direction,
        "reduceOnly": True,
        "closeOnTrigger": True,
        "qty": "1",
        "leavesQty": "1",
        "leavesValue": "0",
        "price": "0",
        "positionIdx": 0,
        "takeProfit": "",
        "stopLoss": "",
    } | other


def inverse(symbol: str, base: str, lot: str = "1") -> Json:
    """An inverse contract, margined and settled in its base coin; sizes are in USD."""
    return instrument(symbol, base, base, lot) | {
        "contractType": "InversePerpetual",
        "quoteCoin": "USD",
        "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
    }


def borrow_tiers(name: str, *tiers: tuple[str, str, str]) -> Json:
    """What a debt is charged: rows of (limit, maintenance rate, initial rate)."""
    rows = [
        {
            "tier": str(number),
            "borrowLimit": limit,
            "positionMMR": maintenance,
            "positionIMR": initial,
            "maxLeverage": str(round(1 / float(initial), 2)),
        }
        for number, (limit, maintenance, initial) in enumerate(tiers, start=1)
    ]
    return {"currency": name, "positionTiersRatioList": rows}


def limit_order(symbol: str, side: str, price: str, left: str, **other: object) -> Json:
    """An order that waits in the book and would open something."""
    return (
        stop_order(symbol, side, "", 0)
        | {
            "orderId": f"limit-{symbol}-{side}-{price}",
            "orderType": "Limit",
            "orderStatus": "New",
            "triggerPrice": "",
            "reduceOnly": False,
            "closeOnTrigger": False,
            "price": price,
            "qty": left,
            "leavesQty": left,
        }
        | other
    )


def instruments(*rows: Json, category: str = "linear") -> dict[str, list[Json]]:
    return {f"/v5/market/instruments-info?category={category}": list(rows)}


def limits(
    symbol: str, *tiers: tuple[str, str, str, str, str], category: str = "linear"
) -> dict[str, list[Json]]:
    request = f"/v5/market/risk-limit?category={category}&symbol={symbol}"
    return {request: risk_limits(symbol, *tiers)}


def fees(*rows: Json, category: str = "linear") -> dict[str, list[Json]]:
    request = f"/v5/account/fee-rate?category={category}&symbol="
    return {request + row["symbol"]: [row] for row in rows}


def debts(*rows: Json) -> dict[str, list[Json]]:
    return {"/v5/spot-margin-trade/position-tiers": list(rows)}


def orders(*rows: Json, settle: str = "USDT") -> dict[str, list[Json]]:
    return {f"/v5/order/realtime?category=linear&settleCoin={settle}": list(rows)}


def collateral(*rows: Json) -> dict[str, list[Json]]:
    return {"/v5/spot-margin-trade/collateral": list(rows)}


def account(
    wallet_row: Json,
    *,
    usdt: list[Json] | None = None,
    usdc: list[Json] | None = None,
    coin_settled: list[Json] | None = None,
    options: list[Json] | None = None,
    mode: str = "REGULAR_MARGIN",
    lists: dict[str, list[Json]] | None = None,
    other: dict[str, object] | None = None,
) -> dict[str, Json]:
    """
    Bodies by request: a unified account, in cross margin unless said.

    `lists` are further answers by request, given as their rows; `other` adds or replaces
    whole results, and takes an answer away where it says None.
    """
    results: dict[str, object] = {
        INFO: info(mode),
        WALLET: {"list": [wallet_row]},
        POSITIONS.format("linear", "USDT"): positions(*(usdt or [])),
        POSITIONS.format("linear", "USDC"): positions(*(usdc or [])),
        INVERSE_LIST: positions(*(coin_settled or []), category="inverse"),
        OPTION_LIST: positions(*(options or []), category="option"),
        **{request: {"list": rows} for request, rows in (lists or {}).items()},
        **(other or {}),
    }
    return {
        request: envelope(deepcopy(result))
        for request, result in results.items()
        if result is not None
    }


def replies(bodies: dict[str, Json]) -> Replies:
    return Replies(reply(request, body) for request, body in bodies.items())


def frame(topic: str, *rows: Json, seconds: float = 1, path: str | None = "/v5/private") -> Frame:
    """A private frame that came `seconds` after the replies."""
    body = {
        "id": "5923242c464be9-25ca-483d-a743-c60101fc656f",
        "topic": topic,
        "creationTime": NOW_MS + int(seconds * 1000),
        "data": list(rows),
    }
    at = NOW + timedelta(seconds=seconds)
    return Frame(feed="account", text=json.dumps(body), at=at, path=path)
