"""
OKX's public answers: instruments, tiers, marks, discounts, fees.

Field lists follow the V5 documentation (2026-06 to 2026-07) and recorded answers.
"""

from decimal import Decimal

from monitor.simulator.okx_account import Prices
from monitor.simulator.okx_rates import DISCOUNTS, LOAN_TIERS, PAIR_TIERS
from monitor.simulator.okx_tables import (
    INSTRUMENTS,
    INVERSE_GROUP,
    LINEAR_GROUP,
    MAKER_RATE,
    PAIRS,
    SPOT_GROUP,
    SPOT_MAKER_RATE,
    TIERS,
    Instrument,
)
from monitor.simulator.truth import plain

Row = dict[str, object]
_FUNDING_MS = 8 * 3600 * 1000
_YEAR_2021_MS = "1611916828000"
_EXPIRIES_MS = {"261225": "1798185600000", "270326": "1806048000000"}
_OPTION_DATE = "261225"
_OPTION_FAMILIES = ("BTC-USD", "ETH-USD")
# Coins whose last slice is told as the least rate, beyond the last tier that is listed.
_OPEN_ENDED = frozenset({"SOL", "LTC"})
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
    """A row of the instruments of type SWAP or FUTURES."""
    row = _blank_instrument() | {
        "ctMult": plain(it.multiplier),
        "ctType": "linear" if it.is_linear else "inverse",
        "ctVal": plain(it.value),
        "ctValCcy": it.base if it.is_linear else "USD",
        "groupId": LINEAR_GROUP if it.is_linear else INVERSE_GROUP,
        "instFamily": it.family,
        "instId": it.inst_id,
        "instType": it.kind,
        "lever": it.lever,
        "lotSz": plain(it.lot),
        "minSz": plain(it.lot),
        "settleCcy": it.named_settle or it.settle,
        "tickSz": plain(it.tick),
        "uly": it.uly,
    }
    if it.kind == "FUTURES":
        row |= {"alias": "next_quarter", "expTime": _EXPIRIES_MS[it.inst_id[-6:]]}
    return row


def instruments(kind: str, family: str | None) -> list[Row]:
    """All rows of a type; of options, those of a family."""
    if kind == "SPOT":
        return [_spot(coin) for coin in SPOT_COINS]
    if kind == "MARGIN":
        return [_pair(it) for it in PAIRS.values()]
    if kind == "OPTION":
        known = family in _OPTION_FAMILIES
        return [_option(str(family), side) for side in ("C", "P")] if known else []
    return [instrument(it) for it in INSTRUMENTS.values() if it.kind == kind]


def _pair(it: Instrument) -> Row:
    return _spot(it.base) | {
        "instId": it.inst_id,
        "instType": "MARGIN",
        "lever": it.lever,
        "quoteCcy": it.quote,
        "tickSz": plain(it.tick),
        "tradeQuoteCcyList": [it.quote],
    }


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


def _option(family: str, kind: str) -> Row:
    base = family.split("-", maxsplit=1)[0]
    strike = "100000" if base == "BTC" else "4000"
    return _blank_instrument() | {
        "ctMult": "0.01",
        "ctVal": "1",
        "ctValCcy": base,
        "expTime": _EXPIRIES_MS[_OPTION_DATE],
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


def position_tiers(kind: str, family: str) -> list[Row]:
    """Tiers of a contract family, in contracts."""
    return [
        _tier(
            number=tier.number,
            sizes=(tier.min_size, tier.max_size),
            rates=(tier.mmr, tier.imr),
            instFamily=family,
            uly=family.replace("_UM", ""),
        )
        for tier in TIERS[kind][family]
    ]


def loan_tiers(ccy: str) -> list[Row]:
    """Tiers of a coin's borrowing, in coins."""
    return [
        _tier(
            number=tier.number,
            sizes=(tier.least, tier.most),
            rates=(tier.mmr, tier.imr),
            ccy=ccy,
        )
        for tier in LOAN_TIERS.get(ccy, ())
    ]


def pair_tiers(pair: str) -> list[Row]:
    """Tiers of MARGIN positions on a pair, by what is borrowed; sizes are of the base."""
    rows: list[Row] = []
    before = Decimal(0)
    for tier in PAIR_TIERS[pair]:
        row = _tier(
            number=tier.number,
            sizes=(before, tier.most_base),
            rates=(tier.mmr, tier.imr),
            instId=pair,
            baseMaxLoan=plain(tier.most_base),
            quoteMaxLoan=plain(tier.most_quote),
        )
        rows.append(row)
        before = tier.most_base
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


def mark_price(it: Instrument, prices: Prices, at_ms: int) -> Row:
    return {
        "instType": it.kind,
        "instId": it.inst_id,
        "markPx": plain(prices.mark(it)),
        "ts": str(at_ms),
    }


def funding_rate(it: Instrument, rate: Decimal, due_ms: int, at_ms: int) -> Row:
    """The rate of a swap that is charged next, and when."""
    return {
        "formulaType": "noRate",
        "fundingRate": plain(rate),
        "fundingTime": str(due_ms),
        "impactValue": "",
        "instId": it.inst_id,
        "instType": it.kind,
        "interestRate": "",
        "maxFundingRate": "0.00375",
        "method": "current_period",
        "minFundingRate": "-0.00375",
        "nextFundingRate": "",
        "nextFundingTime": str(due_ms + _FUNDING_MS),
        "premium": "0",
        "settFundingRate": plain(rate),
        "settState": "settled",
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
    listed = slices[:-1] if ccy in _OPEN_ENDED else slices
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
            for number, part in enumerate(listed, 1)
        ],
        "discountLv": "1",
        "minDiscountRate": plain(slices[-1].rate),
    }


def trade_fee(kind: str, rate: Decimal, at_ms: int) -> Row:
    """Fees are negative where they are charged."""
    spot = kind in {"SPOT", "MARGIN"}
    taker = plain(-rate)
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


def funding_balance(ccy: str, amount: Decimal) -> Row:
    """A coin of the funding account."""
    return {"availBal": plain(amount), "bal": plain(amount), "ccy": ccy, "frozenBal": "0"}
