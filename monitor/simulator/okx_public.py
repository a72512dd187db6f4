"""
OKX's public answers: instruments, tiers, marks, discounts, fees.

Field lists follow the V5 documentation (2026-06 to 2026-07) and recorded answers.
"""

from decimal import Decimal

from monitor.simulator.okx_account import Prices
from monitor.simulator.okx_tables import (
    DISCOUNTS,
    INSTRUMENTS,
    INVERSE_GROUP,
    LINEAR_GROUP,
    MAKER_RATE,
    SPOT_GROUP,
    SPOT_MAKER_RATE,
    TIERS,
    Instrument,
)
from monitor.simulator.truth import plain

Row = dict[str, object]
_YEAR_2021_MS = "1611916828000"
_EXPIRY_MS = "1798185600000"
_FUTURE_DATE, _OPTION_DATE = "261225", "261225"
_OPTION_FAMILIES = ("BTC-USD", "ETH-USD")
_BORROW_STEPS = 6
SPOT_COINS = tuple(coin for coin in DISCOUNTS if coin != "USDT")


def _blank_instrument() -> Row:
    names = (
        "alias auctionEndTime baseCcy contTdSwTime ctMult ctType ctVal ctValCcy expTime instFamily "
        "lever optType openType preMktSwTime quoteCcy settleCcy stk uly"
    )
    row: Row = dict.fromkeys(names.split(), "")
    return row | {
        "category": "1",
        "futureSettlement": False,
        "instIdCode": 10458,
        "listTime": _YEAR_2021_MS,
        "maxIcebergSz": "100000000",
        "maxLmtAmt": "20000000",
        "maxLmtSz": "100000000",
        "maxMktAmt": "",
        "maxMktSz": "85000",
        "maxStopSz": "85000",
        "maxTriggerSz": "100000000",
        "maxTwapSz": "100000000",
        "posLmtAmt": "",
        "posLmtPct": "",
        "maxPlatOILmt": "",
        "ruleType": "normal",
        "state": "live",
        "tradeQuoteCcyList": [],
    }


def instrument(it: Instrument) -> Row:
    """A row of the instruments of type SWAP."""
    return _blank_instrument() | {
        "ctMult": "1",
        "ctType": "linear" if it.is_linear else "inverse",
        "ctVal": plain(it.face),
        "ctValCcy": it.base if it.is_linear else "USD",
        "groupId": LINEAR_GROUP if it.is_linear else INVERSE_GROUP,
        "instFamily": it.family,
        "instId": it.inst_id,
        "instType": "SWAP",
        "lever": it.lever,
        "lotSz": plain(it.lot),
        "minSz": plain(it.lot),
        "settleCcy": it.settle,
        "tickSz": plain(it.tick),
        "uly": it.family,
    }


def other_instruments(kind: str, family: str | None) -> list[Row]:
    """Rows of the types that this exchange lists and nobody trades here."""
    if kind == "SPOT":
        return [_spot(coin) for coin in SPOT_COINS]
    if kind == "FUTURES":
        return [_future(it) for it in INSTRUMENTS.values() if it.base in {"BTC", "ETH"}]
    if kind == "OPTION" and family in _OPTION_FAMILIES:
        return [_option(str(family), kind) for kind in ("C", "P")]
    return []


def _spot(coin: str) -> Row:
    return _blank_instrument() | {
        "baseCcy": coin,
        "groupId": SPOT_GROUP,
        "instId": f"{coin}-USDT",
        "instType": "SPOT",
        "lever": "10",
        "lotSz": "0.00000001",
        "minSz": "0.00001",
        "quoteCcy": "USDT",
        "tickSz": "0.0001",
        "tradeQuoteCcyList": ["USDT"],
    }


def _future(it: Instrument) -> Row:
    return instrument(it) | {
        "alias": "next_quarter",
        "expTime": _EXPIRY_MS,
        "instId": f"{it.family}-{_FUTURE_DATE}",
        "instType": "FUTURES",
    }


def _option(family: str, kind: str) -> Row:
    base = family.split("-", maxsplit=1)[0]
    strike = "100000" if base == "BTC" else "4000"
    return _blank_instrument() | {
        "ctMult": "0.01",
        "ctVal": "1",
        "ctValCcy": base,
        "expTime": _EXPIRY_MS,
        "groupId": INVERSE_GROUP,
        "instFamily": family,
        "instId": f"{family}-{_OPTION_DATE}-{strike}-{kind}",
        "instType": "OPTION",
        "lotSz": "1",
        "minSz": "1",
        "optType": kind,
        "settleCcy": base,
        "stk": strike,
        "tickSz": "0.0001",
        "uly": family,
    }


def position_tiers(family: str) -> list[Row]:
    """Tiers of a contract family, in contracts."""
    return [
        _tier(
            number=tier.number,
            sizes=(tier.min_size, tier.max_size),
            rates=(tier.mmr, tier.imr),
            instFamily=family,
            uly=family,
        )
        for tier in TIERS[family]
    ]


def margin_tiers(name: str, value: str) -> list[Row]:
    """Tiers of a borrowing, in coins: the first three as captured in 2022, in steps of 25."""
    rows: list[Row] = []
    for number in range(1, _BORROW_STEPS + 1):
        imr = Decimal("0.09") + Decimal("0.01") * number
        rows.append(
            _tier(
                number=number,
                sizes=(Decimal(25 * (number - 1)), Decimal(25 * number)),
                rates=(Decimal("0.02") + Decimal("0.01") * number, imr),
                baseMaxLoan=str(25 * number),
                quoteMaxLoan=str(2_000_000 * number),
                **{name: value},
            )
        )
    return rows


def _tier(
    *,
    number: int,
    sizes: tuple[Decimal, Decimal],
    rates: tuple[Decimal, Decimal],
    **names: str,
) -> Row:
    mmr, imr = rates
    return {
        "baseMaxLoan": "",
        "imr": plain(imr),
        "instFamily": "",
        "instId": "",
        "maxLever": plain((1 / imr).quantize(Decimal("0.01"))),
        "maxSz": plain(sizes[1]),
        "minSz": plain(sizes[0]),
        "mmr": plain(mmr),
        "optMgnFactor": "0",
        "quoteMaxLoan": "",
        "tier": str(number),
        "uly": "",
        **names,
    }


def mark_price(it: Instrument, prices: Prices, at_ms: int, kind: str = "SWAP") -> Row:
    return {
        "instType": kind,
        "instId": it.inst_id,
        "markPx": plain(prices.mark(it)),
        "ts": str(at_ms),
    }


def index_ticker(inst_id: str, prices: Prices, at_ms: int) -> Row:
    """The index of a coin in USDT or USD (`BTC-USDT`, `BTC-USD`, `USDT-USD`)."""
    coin, quote = inst_id.split("-")
    price = prices.usd(coin) if quote == "USD" else prices.usd(coin) / prices.usdt
    shown = plain(price.quantize(Decimal("0.00000001")))
    return {
        "instId": inst_id,
        "idxPx": shown,
        "high24h": shown,
        "sodUtc0": shown,
        "open24h": shown,
        "low24h": shown,
        "sodUtc8": shown,
        "ts": str(at_ms),
    }


def index_names() -> tuple[str, ...]:
    return tuple(f"{coin}-USDT" for coin in SPOT_COINS) + tuple(f"{c}-USD" for c in DISCOUNTS)


def discounts(ccy: str) -> Row:
    """A row of the discount rates; beyond the last tier the least rate holds."""
    slices = DISCOUNTS[ccy]
    return {
        "amt": "0",
        "ccy": ccy,
        "colRes": "0",
        "collateralRestrict": False,
        "details": [
            {
                "disCcyEq": "",
                "discountRate": plain(part.rate),
                "liqPenaltyRate": "0",
                "maxAmt": "" if part.cap is None else plain(part.cap),
                "minAmt": plain(part.floor),
                "tier": str(number),
            }
            for number, part in enumerate(slices, 1)
        ],
        "discountLv": "1",
        "minDiscountRate": plain(slices[-1].rate),
    }


def trade_fee(kind: str, contract_rate: Decimal, spot_rate: Decimal, at_ms: int) -> Row:
    """Fees are negative where they are charged."""
    spot = kind in {"SPOT", "MARGIN"}
    taker = plain(-(spot_rate if spot else contract_rate))
    maker = plain(-(SPOT_MAKER_RATE if spot else MAKER_RATE))
    groups = (SPOT_GROUP,) if spot else (LINEAR_GROUP, INVERSE_GROUP)
    return {
        "category": "1",
        "delivery": "",
        "exercise": "",
        "feeGroup": [{"groupId": group, "maker": maker, "taker": taker} for group in groups],
        "fiat": [],
        "instType": kind,
        "level": "Lv1",
        "maker": maker,
        "makerU": "" if spot else maker,
        "makerUSDC": maker,
        "ruleType": "normal",
        "taker": taker,
        "takerU": "" if spot else taker,
        "takerUSDC": taker,
        "ts": str(at_ms),
    }


def currency(ccy: str) -> Row:
    return {
        "burningFeeRate": "",
        "canDep": True,
        "canInternal": True,
        "canWd": True,
        "ccy": ccy,
        "chain": f"{ccy}-ERC20" if ccy != "BTC" else "BTC-Bitcoin",
        "ctAddr": "",
        "depQuotaFixed": "",
        "depQuoteDailyLayer2": "",
        "fee": "0.0002",
        "logoLink": "",
        "mainNet": True,
        "maxFee": "0.0004",
        "maxFeeForCtAddr": "",
        "maxWd": "500",
        "minDep": "0.0005",
        "minDepArrivalConfirm": "1",
        "minFee": "0.0002",
        "minFeeForCtAddr": "",
        "minInternal": "0.0001",
        "minWd": "0.0005",
        "minWdUnlockConfirm": "3",
        "name": ccy,
        "needTag": False,
        "usedDepQuotaFixed": "",
        "usedWdQuota": "0",
        "wdQuota": "10000000",
        "wdTickSz": "8",
    }
