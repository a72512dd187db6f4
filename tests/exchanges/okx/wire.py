"""
Replies and frames as OKX would send them, built from its API guide's field lists.

Figures of risk (mmr, mgnRatio, adjEq …) are always the caller's, so that no expected figure
comes from the code under test.
"""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from monitor.errors import ExchangeError
from monitor.exchanges.call import Replies, Reply
from monitor.exchanges.okx import EXCHANGE
from monitor.exchanges.port import Frame
from tests.exchanges.okx.listings import BORROWING, DISCOUNTS, INSTRUMENTS, TIERS

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOON_MS = 1_795_348_800_000
PAYLOADS = Path(__file__).parent / "payloads"

Json = Any


def recorded(name: str) -> Json:
    """The answer in one of ccxt's recorded cases."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())["httpResponse"]


def envelope(*data: Json) -> Json:
    return {"code": "0", "msg": "", "data": list(data)}


def config(level: str = "2", mode: str = "net_mode", **changes: Json) -> Json:
    return envelope(
        {
            "acctLv": level,
            "posMode": mode,
            "perm": "read_only",
            "ip": "",
            "uid": "44705892343619584",
            "mainUid": "44705892343619584",
            "autoLoan": False,
            "ctIsoMode": "automatic",
            "enableSpotBorrow": False,
            "greeksType": "PA",
            "label": "margin monitor",
            "level": "Lv1",
            "liquidationGear": "-1",
            "mgnIsoMode": "automatic",
            "settleCcy": "USDC",
            "type": "0",
            **changes,
        }
    )


def coin(ccy: str, cash: str, **changes: Json) -> dict[str, Json]:
    """One coin of a balance with nothing but cash."""
    return {
        "ccy": ccy,
        "eq": cash,
        "cashBal": cash,
        "upl": "0",
        "isoUpl": "0",
        "isoEq": "0",
        "stgyEq": "0",
        "availEq": cash,
        "availBal": cash,
        "frozenBal": "0",
        "ordFrozen": "0",
        "disEq": cash,
        "eqUsd": cash,
        "imr": "",
        "mmr": "",
        "mgnRatio": "",
        "notionalLever": "",
        "liab": "",
        "crossLiab": "",
        "isoLiab": "",
        "uplLiab": "",
        "interest": "",
        "borrowFroz": "",
        "maxLoan": "",
        "collateralEnabled": True,
        "rewardBal": "0",
        "smtSyncEq": "0",
        "spotIsoBal": "0",
        "spotCopyTradingEq": "0",
        "twap": "0",
        "uTime": str(NOON_MS - 60_000),
        **changes,
    }


def balance(*coins: Json, **totals: Json) -> Json:
    return envelope(
        {
            "totalEq": str(sum(Decimal(str(coin.get("eqUsd") or 0)) for coin in coins)),
            "adjEq": "",
            "availEq": "",
            "isoEq": "0",
            "ordFroz": "",
            "borrowFroz": "",
            "imr": "",
            "mmr": "",
            "mgnRatio": "",
            "notionalUsd": "",
            "notionalUsdForSwap": "",
            "upl": "",
            "uTime": str(NOON_MS),
            "details": list(coins),
            **totals,
        }
    )


def position(inst_id: str, pos: str, entry: str, mark: str, **changes: Json) -> dict[str, Json]:
    """A cross position in net mode; the caller tells upl, imr, mmr and mgnRatio."""
    return {
        "instType": "SWAP",
        "instId": inst_id,
        "mgnMode": "cross",
        "posSide": "net",
        "posId": f"{inst_id}/{changes.get('mgnMode', 'cross')}/{changes.get('posSide', 'net')}",
        "ccy": "USDT",
        "pos": pos,
        "availPos": pos,
        "avgPx": entry,
        "markPx": mark,
        "last": mark,
        "idxPx": mark,
        "usdPx": "",
        "upl": "0",
        "uplRatio": "0",
        "lever": "50",
        "imr": "",
        "margin": "",
        "mmr": "",
        "mgnRatio": "",
        "liqPx": "",
        "notionalUsd": "",
        "adl": "1",
        "closeOrderAlgo": [],
        "liab": "",
        "liabCcy": "",
        "posCcy": "",
        "interest": "",
        "optVal": "",
        "cTime": str(NOON_MS - 3_600_000),
        "uTime": str(NOON_MS - 60_000),
        **changes,
    }


def tiers(family: str, *rows: str) -> Json:
    """Rows of `maxSz mmr imr`; the next one starts one contract above, as OKX writes it."""
    data, least = [], "0"
    for number, row in enumerate(rows, 1):
        most, maintenance, initial = row.split()
        data.append(
            {
                "instFamily": family,
                "uly": family,
                "instId": "",
                "tier": str(number),
                "minSz": least,
                "maxSz": most,
                "mmr": maintenance,
                "imr": initial,
                "maxLever": "100",
                "optMgnFactor": "0",
                "baseMaxLoan": "",
                "quoteMaxLoan": "",
            }
        )
        least = str(int(most) + 1)
    return envelope(*data)


def borrowing(*rows: str) -> Json:
    """Rows of `maxSz mmr imr` for the borrowing of one coin."""
    told = tiers("", *rows)
    for row in told["data"]:
        row.update(instFamily="", uly="")
    return told


def funding(inst_id: str, rate: str) -> dict[str, Json]:
    return {
        "instType": "SWAP",
        "instId": inst_id,
        "fundingRate": rate,
        "fundingTime": str(NOON_MS + 4 * 3_600_000),
        "nextFundingRate": "",
        "nextFundingTime": str(NOON_MS + 12 * 3_600_000),
        "method": "current_period",
    }


def fees(taker: str = "-0.0005", inverse: str = "-0.0005", **changes: Json) -> Json:
    return envelope(
        {
            "instType": "SWAP",
            "level": "Lv1",
            "taker": "",
            "takerU": "",
            "takerUSDC": "",
            "feeGroup": [
                {"groupId": "1", "taker": taker, "maker": "-0.0002"},
                {"groupId": "4", "taker": inverse, "maker": "-0.0002"},
            ],
            "ts": str(NOON_MS),
            **changes,
        }
    )


def mark(inst_id: str, price: str) -> dict[str, Json]:
    return {"instType": "SWAP", "instId": inst_id, "markPx": price, "ts": str(NOON_MS)}


def stop(inst_id: str, side: str, **changes: Json) -> dict[str, Json]:
    """A conditional stop-loss order on a cross position in net mode."""
    return {
        "instType": "SWAP",
        "instId": inst_id,
        "algoId": "581878926302093312",
        "ordType": "conditional",
        "state": "live",
        "side": side,
        "posSide": "net",
        "tdMode": "cross",
        "sz": "20",
        "closeFraction": "",
        "reduceOnly": "true",
        "slTriggerPx": "95800",
        "slTriggerPxType": "mark",
        "slOrdPx": "-1",
        "tpTriggerPx": "",
        "triggerPx": "",
        "cTime": str(NOON_MS),
        **changes,
    }


_CONFIG = "GET /api/v5/account/config"
_BALANCE = "GET /api/v5/account/balance"
_POSITIONS = "GET /api/v5/account/positions"
_INSTRUMENTS = "GET /api/v5/public/instruments?instType=SWAP"
_FEES = "GET /api/v5/account/trade-fee?instType=SWAP"
_DISCOUNTS = "GET /api/v5/public/discount-rate-interest-free-quota"
_MARKS = "GET /api/v5/public/mark-price?instType=SWAP"
_STOPS = "GET /api/v5/trade/orders-algo-pending?ordType={}"
_PAIR_MARKS = "GET /api/v5/public/mark-price?instType=MARGIN"
_FREE = "GET /api/v5/asset/balances"
_BILLS = "GET /api/v5/account/bills"
_FUNDING = "GET /api/v5/public/funding-rate?instId={}"
_LOAN_FEES = "GET /api/v5/account/trade-fee?instType=MARGIN"
_BORROWING = "GET /api/v5/public/position-tiers?instType=MARGIN&tdMode=cross&ccy={}"
STOP_KINDS = ("conditional", "oco", "trigger", "move_order_stop")


def bodies(
    mode: Json,
    held: Json,
    told: Json,
    *,
    marks: tuple[Json, ...] = (),
    stops: tuple[Json, ...] | None = (),
) -> dict[str, Json]:
    """Every reply of an account, by request, with whole lists; `stops` None leaves theirs out."""
    found = {
        _CONFIG: mode,
        _BALANCE: told,
        _POSITIONS: held,
        _INSTRUMENTS: envelope(*copy.deepcopy(INSTRUMENTS)),
        _FEES: fees(),
        _DISCOUNTS: envelope(*copy.deepcopy(DISCOUNTS)),
        _MARKS: envelope(*marks),
        _PAIR_MARKS: envelope(),
        _FREE: envelope(),
        _BILLS: envelope(),
        _LOAN_FEES: fees("-0.001", instType="MARGIN"),
    }
    for ccy, steps in BORROWING.items():
        found[_BORROWING.format(ccy)] = borrowing(*steps)
    for row in INSTRUMENTS:
        found[_FUNDING.format(row["instId"])] = envelope(funding(row["instId"], "0.0001"))
    found[_FUNDING.format("ANY")] = envelope(
        *(funding(row["instId"], "0.0001") for row in INSTRUMENTS)
    )
    for family, rows in TIERS.items():
        for way in ("cross", "isolated"):
            query = f"instType=SWAP&tdMode={way}&instFamily={family}"
            found[f"GET /api/v5/public/position-tiers?{query}"] = tiers(family, *rows)
    for kind in STOP_KINDS if stops is not None else ():
        of_kind = [row for row in stops or () if row["ordType"] == kind]
        found[_STOPS.format(kind)] = envelope(*of_kind)
    return found


def reply(request: str, body: Json, status: int = 200) -> Reply:
    return Reply(request=request, status=status, body=body, at=NOON)


def replies(told: dict[str, Json]) -> Replies:
    return Replies(reply(request, body) for request, body in told.items())


def view(told: dict[str, Json]):
    return EXCHANGE.read_account("main", replies(told))


def snapshot(told: dict[str, Json]):
    return view(told).snapshot(NOON)


def missed(told: dict[str, Json]) -> str:
    """Why figures can't be given: of the whole account, or of one of its pools."""
    try:
        found = snapshot(told)
    except ExchangeError as error:
        return str(error)
    assert found.unread, "all of it was read"
    return "; ".join(found.unread.values())


def frame(data: Json, path: str | None = "/ws/v5/private") -> Frame:
    text = data if isinstance(data, str) else json.dumps(data)
    return Frame(feed="account", text=text, at=NOON, path=path)


def push(channel: str, *data: Json, event: str | None = "event_update", **arg: Json) -> Frame:
    """A push of a private channel; snapshots are one page."""
    body: dict[str, Json] = {"arg": {"channel": channel, "uid": "1", **arg}, "data": list(data)}
    if event is not None:
        body["eventType"] = event
    if event == "snapshot":
        body |= {"curPage": 1, "lastPage": True}
    return frame(body)
