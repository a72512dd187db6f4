"""
OKX's position rows as the wire has them.

All numbers are texts of full precision; `""` means that a figure does not apply in this
account mode. Field lists follow the V5 documentation (2026-06 to 2026-07) and recorded
answers.
"""

from decimal import Decimal

from monitor.simulator.okx_account import (
    PORTFOLIO,
    ZERO,
    Account,
    MarginPosition,
    OtherPosition,
    Prices,
)
from monitor.simulator.okx_balance import usd_notional
from monitor.simulator.okx_ledger import (
    AccountFigures,
    cross_liquidation_price,
    isolated_liquidation_price,
    margin_liquidation_price,
    ratio_text_value,
)
from monitor.simulator.okx_legs import PositionFigures
from monitor.simulator.okx_orders import closing, protects, text
from monitor.simulator.okx_stress import stress_mmr

Row = dict[str, object]
_SHOWN_FROM = Decimal("0.000001")  # a liquidation price below this is no price


def position(
    account: Account, now: AccountFigures, mine: PositionFigures, prices: Prices, at_ms: int
) -> Row:
    """A row of the positions; figures in the settle coin."""
    it = mine.position
    stops = [order for order in account.orders if protects(order, it)]
    margin = it.margin if it.is_isolated else None
    backing = it.margin or mine.imr
    of_unit = None if it.is_isolated else unit_mmr(account, now, mine)
    row = _blank_position() | {
        "adl": "3" if mine.upl > 0 else "1",
        "availPos": text(it.pos),
        "avgPx": text(it.avg_px),
        "bePx": text(it.avg_px * (1 + it.direction * 2 * account.taker_rate)),
        "cTime": str(it.opened_ms),
        "ccy": mine.ccy,
        "closeOrderAlgo": [closing(order) for order in stops if order.closes_position],
        "idxPx": text(prices.index(mine.instrument)),
        "imr": "" if it.is_isolated else text(mine.imr),
        "instId": it.inst_id,
        "instType": mine.instrument.kind,
        "last": text(mine.mark),
        "lever": text(it.lever),
        "liqPx": "" if of_unit is not None else text(shown_liquidation_price(now, mine)),
        "margin": text(margin),
        "markPx": text(mine.mark),
        "mgnMode": "isolated" if it.is_isolated else "cross",
        "mgnRatio": text(pool_ratio(now, mine)),
        "mmr": text(mine.mmr if of_unit is None else of_unit),
        "notionalUsd": text(usd_notional(now, mine)),
        "pos": text(it.pos),
        "posId": it.pos_id,
        "posSide": it.pos_side,
        "upl": text(mine.upl),
        "uplLastPx": text(mine.upl),
        "uplRatio": text(mine.upl / backing if backing else ZERO),
        "uplRatioLastPx": text(mine.upl / backing if backing else ZERO),
        "uTime": str(at_ms),
    }
    if not mine.instrument.is_linear:
        row["usdPx"] = text(prices.usd(mine.ccy))
    return row | _lent(it) if isinstance(it, MarginPosition) else row


def _lent(it: MarginPosition) -> Row:
    """What only a MARGIN row tells: what it holds and what it owes, as a negative amount."""
    return {
        "availPos": text(it.held),
        "interest": text(it.interest),
        "liab": text(-it.owed),
        "liabCcy": it.owed_ccy,
        "pos": text(it.held),
        "posCcy": it.held_ccy,
    }


def unit_mmr(account: Account, now: AccountFigures, mine: PositionFigures) -> Decimal | None:
    """
    What portfolio margin asks for the risk unit of a position, in USD; None in other modes.

    All rows of one unit repeat it. What is declared is of one unit that holds everything.
    """
    if account.level != PORTFOLIO:
        return None
    if account.stress is None or account.fixed_mmr is not None:
        return account.fixed_mmr
    usd = {coin.ccy: coin.usd for coin in now.coins}
    return stress_mmr(now.positions, usd, account.stress).get(mine.instrument.base, ZERO)


def other_position(it: OtherPosition, at_ms: int) -> Row:
    """A row of a product that is declared, not computed."""
    return _blank_position() | {
        "adl": "1",
        "availPos": text(it.pos),
        "avgPx": text(it.avg_px),
        "cTime": str(at_ms),
        "ccy": it.ccy,
        "imr": text(it.imr),
        "instId": it.inst_id,
        "instType": it.inst_type,
        "last": text(it.mark_px),
        "lever": "" if it.inst_type == "OPTION" else "5",
        "liab": text(it.liab) if it.liab else "",
        "liabCcy": it.liab_ccy,
        "markPx": text(it.mark_px),
        "mgnMode": "cross",
        "mmr": text(it.mmr),
        "notionalUsd": text(abs(it.pos) * it.mark_px),
        "optVal": text(it.worth) if it.is_option else "",
        "pos": text(it.pos),
        "posCcy": it.pos_ccy,
        "posId": it.pos_id,
        "posSide": "net",
        "upl": text(it.upl),
        "uTime": str(at_ms),
    }


def closed_position(mine: PositionFigures, at_ms: int) -> Row:
    """The row that tells of a position's end: size 0, and no figures."""
    it = mine.position
    return _blank_position() | {
        "ccy": mine.ccy,
        "cTime": str(it.opened_ms),
        "instId": it.inst_id,
        "instType": mine.instrument.kind,
        "lever": text(it.lever),
        "markPx": text(mine.mark),
        "mgnMode": "isolated" if it.is_isolated else "cross",
        "pos": "0",
        "availPos": "0",
        "posId": it.pos_id,
        "posSide": it.pos_side,
        "uTime": str(at_ms),
    }


def _blank_position() -> Row:
    names = (
        "adl availPos avgPx baseBal baseBorrowed baseInterest bePx bizRefId bizRefType cTime ccy "
        "clSpotInUseAmt deltaBS deltaPA gammaBS gammaPA hedgedPos idxPx imr instId instType "
        "interest last lever liab liabCcy liqPx margin markPx maxSpotInUseAmt mgnMode mgnRatio "
        "mmr nonSettleAvgPx notionalUsd optVal pendingCloseOrdLiabVal pos posCcy posId posSide "
        "quoteBal quoteBorrowed quoteInterest settledPnl spotInUseAmt spotInUseCcy thetaBS "
        "thetaPA uTime upl uplLastPx uplRatio uplRatioLastPx usdPx vegaBS vegaPA"
    )
    row: Row = dict.fromkeys(names.split(), "")
    money = dict.fromkeys(("fee", "fundingFee", "liqPenalty", "pnl", "realizedPnl"), "0")
    return row | money | {"closeOrderAlgo": [], "tradeId": "269691532"}


def shown_liquidation_price(now: AccountFigures, mine: PositionFigures) -> Decimal | None:
    """
    None where the exchange shows nothing: far away, or hedged on the same contract.

    Nor is one shown of MARGIN in cross margin, whose rule was not found.
    """
    is_loan = isinstance(mine.position, MarginPosition)
    if mine.position.is_isolated:
        return margin_liquidation_price(mine) if is_loan else isolated_liquidation_price(mine)
    legs = {
        p.position.direction
        for p in now.positions
        if p.instrument is mine.instrument and not p.position.is_isolated
    }
    hedged = len(legs) > 1
    price = None if hedged or is_loan else cross_liquidation_price(now, mine)
    return price if price is not None and price >= _SHOWN_FROM else None


def pool_ratio(now: AccountFigures, mine: PositionFigures) -> Decimal | None:
    """`mgnRatio` of the pool that the position stands in."""
    if mine.position.is_isolated:
        return ratio_text_value(mine.equity, mine.mmr + mine.fee)
    if now.account.is_unified:
        return ratio_text_value(now.adjusted_equity, now.requirement)
    coin = now.coin(mine.ccy)
    return ratio_text_value(coin.cross_equity, coin.requirement)
