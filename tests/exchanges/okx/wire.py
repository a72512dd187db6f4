"""
Replies and frames as OKX would send them, built from its API guide's field lists.

Figures of risk (mmr, mgnRatio, adjEq …) are always the caller's, so that no expected figure
comes from the code under test.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.exchanges.okx import EXCHANGE
from monitor.exchanges.port import Frame, Replies, Reply

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
            "totalEq": "1550",
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


def instrument(inst_id: str, value: str, lot: str = "0.01", **changes: Json) -> dict[str, Json]:
    """One perpetual: linear if it is quoted in USDT or USDC, inverse if in USD."""
    base, quote, _ = inst_id.split("-")
    inverse = quote == "USD"
    return {
        "instType": "SWAP",
        "instId": inst_id,
        "instFamily": f"{base}-{quote}",
        "uly": f"{base}-{quote}",
        "ctType": "inverse" if inverse else "linear",
        "ctVal": value,
        "ctMult": "1",
        "ctValCcy": "USD" if inverse else base,
        "settleCcy": base if inverse else quote,
        "lever": "100",
        "lotSz": lot,
        "minSz": lot,
        "tickSz": "0.1",
        "state": "live",
        "expTime": "",
        "groupId": "4" if inverse else "1",
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


def discount(ccy: str, *steps: str, least: str = "0") -> dict[str, Json]:
    """Steps of `maxAmt discountRate`; a maxAmt of ∞ is sent as nothing."""
    details, floor = [], "0"
    for number, step in enumerate(steps, 1):
        most, rate = step.split()
        details.append(
            {
                "tier": str(number),
                "minAmt": floor,
                "maxAmt": "" if most == "∞" else most,
                "discountRate": rate,
                "liqPenaltyRate": "0.02",
                "disCcyEq": "",
            }
        )
        floor = most
    return {"ccy": ccy, "amt": "", "colRes": "0", "minDiscountRate": least, "details": details}


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


# The tables of the worked examples, as whole lists; tier 1 of BTC and ETH and its fee are of
# September 2026, the tiers above and SOL's 1 % (W7) are made up.
INSTRUMENTS = (
    instrument("BTC-USDT-SWAP", "0.01"),
    instrument("ETH-USDT-SWAP", "0.1"),
    instrument("SOL-USDT-SWAP", "1"),
    instrument("XRP-USDT-SWAP", "100"),
    instrument("LTC-USDT-SWAP", "1"),
    instrument("BTC-USD-SWAP", "100", lot="0.1"),
    instrument("ETH-USD-SWAP", "10", lot="0.1"),
    instrument("BTC-USDC-SWAP", "0.0001", groupId="1"),
)
TIERS = {
    "BTC-USDT": ("1000 0.004 0.01", "2000 0.005 0.0133", "5000 0.01 0.02"),
    "ETH-USDT": ("5000 0.004 0.01", "10000 0.005 0.0133"),
    "SOL-USDT": ("50000 0.01 0.02", "100000 0.015 0.025"),
    "XRP-USDT": ("50000 0.005 0.02",),
    "LTC-USDT": ("20000 0.0065 0.02",),
    "BTC-USD": ("1000 0.004 0.01", "2000 0.005 0.0133"),
    "ETH-USD": ("20000 0.005 0.01",),
    "BTC-USDC": ("15000 0.005 0.0133", "30000 0.0075 0.02"),
}
DISCOUNTS = (
    discount("USDT", "∞ 1"),
    discount("USDC", "∞ 0.98"),
    discount("BTC", "20 0.98", "25 0.9775", "30 0.97"),
    discount("ETH", "1000 0.98", "2000 0.97"),
    discount("SOL", "20000 0.95"),
    discount("OKB", "10000 0.9"),
    discount("LTC", "10000 0.95"),
    discount("UNI", "10000 0.85"),
    discount("TRX", "1000000 0.85"),
    discount("ADA", "1000000 0.9"),
    discount("JFI", "∞ 0"),
)

_CONFIG = "GET /api/v5/account/config"
_BALANCE = "GET /api/v5/account/balance"
_POSITIONS = "GET /api/v5/account/positions"
_INSTRUMENTS = "GET /api/v5/public/instruments?instType=SWAP"
_FEES = "GET /api/v5/account/trade-fee?instType=SWAP"
_DISCOUNTS = "GET /api/v5/public/discount-rate-interest-free-quota"
_MARKS = "GET /api/v5/public/mark-price?instType=SWAP"
_STOPS = "GET /api/v5/trade/orders-algo-pending?ordType={}"
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
        _INSTRUMENTS: envelope(*INSTRUMENTS),
        _FEES: fees(),
        _DISCOUNTS: envelope(*DISCOUNTS),
        _MARKS: envelope(*marks),
    }
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
