"""
OKX's private answers, row by row, as the wire has them.

All numbers are texts of full precision; `""` means that a figure does not apply in this
account mode. Field lists follow the V5 documentation (2026-06 to 2026-07) and recorded
answers.
"""

from decimal import Decimal

from monitor.simulator.okx_account import (
    FUTURES,
    MULTI_CURRENCY,
    PORTFOLIO,
    SPOT,
    ZERO,
    Account,
    OtherPosition,
    Prices,
)
from monitor.simulator.okx_ledger import (
    AccountFigures,
    CoinFigures,
    PositionFigures,
    cross_liquidation_price,
    isolated_liquidation_price,
    ratio_text_value,
)
from monitor.simulator.okx_orders import closing, protects, text

Row = dict[str, object]
_USD_LEVELS = frozenset({MULTI_CURRENCY, PORTFOLIO})
_SHOWN_FROM = Decimal("0.000001")  # a liquidation price below this is no price


def balance(account: Account, now: AccountFigures, at_ms: int) -> Row:
    """`data[0]` of the balance, without prices of coins, which only the stream has."""
    unified = account.level in _USD_LEVELS
    cross = [p for p in now.positions if not p.position.is_isolated]
    swaps = sum((_usd_notional(now, p) for p in cross), ZERO)
    owed = now.borrow_notional

    def usd(value: Decimal | None) -> str:
        return text(value) if unified else ""

    iso = sum((c.iso_equity * c.usd for c in now.coins), ZERO)
    waiting = sum((c.order_imr * c.usd for c in now.coins), ZERO)
    return {
        "adjEq": usd(now.adjusted_equity),
        "availEq": usd(max(ZERO, now.adjusted_equity - now.imr)),
        "borrowFroz": usd(now.borrow_imr),
        "details": [_detail(account, coin, at_ms) for coin in now.coins],
        "imr": usd(now.imr),
        "isoEq": "" if account.level == SPOT else text(iso),
        "mgnRatio": text(
            ratio_text_value(now.adjusted_equity, now.requirement) if unified else None
        ),
        "mmr": usd(now.mmr),
        "notionalUsd": usd(swaps + owed),
        "notionalUsdForBorrow": usd(owed),
        "notionalUsdForFutures": usd(ZERO),
        "notionalUsdForOption": usd(ZERO),
        "notionalUsdForSwap": usd(swaps),
        "ordFroz": usd(waiting),
        "totalEq": text(now.total_equity),
        "uTime": str(at_ms),
        "upl": usd(sum(((c.upl - c.iso_upl) * c.usd for c in now.coins), ZERO)),
        "delta": "",
        "deltaLever": "",
        "deltaNeutralStatus": "",
    }


def _detail(account: Account, coin: CoinFigures, at_ms: int) -> Row:
    pool = account.level == FUTURES and coin.has_cross
    borrows = account.level in _USD_LEVELS
    spot = account.level == SPOT

    def pooled(value: Decimal | None) -> str:
        return text(value) if pool else ""

    def borrowing(value: Decimal) -> str:
        return text(value) if borrows else ""

    free = max(ZERO, coin.cross_equity - coin.imr)
    owed = coin.borrowed if borrows else ZERO
    return {
        "accAvgPx": "",
        "autoLendAmt": "0",
        "autoLendMtAmt": "0",
        "autoLendStatus": "unsupported",
        "autoStakingStatus": "unsupported",
        "availBal": text(coin.cash if spot else free),
        "availEq": "" if spot else text(free),
        "borrowFroz": borrowing(ZERO),
        "cashBal": text(coin.cash),
        "ccy": coin.ccy,
        "clSpotInUseAmt": "",
        "colBorrAutoConversion": "0",
        "colRes": "0",
        "collateralEnabled": coin.ccy not in account.switched_off,
        "collateralRestrict": False,
        "crossLiab": borrowing(owed),
        "disEq": text(coin.discounted),
        "eq": text(coin.equity),
        "eqUsd": text(coin.equity * coin.usd),
        "fixedBal": "0",
        "frozenBal": text(coin.iso_equity + coin.order_imr),
        "frpType": "0",
        "imr": pooled(coin.imr),
        "interest": borrowing(ZERO),
        "isoEq": "" if spot else text(coin.iso_equity),
        "isoLiab": borrowing(ZERO),
        "isoUpl": "" if spot else text(coin.iso_upl),
        "liab": borrowing(owed),
        "maxLoan": borrowing(ZERO),
        "maxSpotInUse": "",
        "mgnRatio": pooled(ratio_text_value(coin.cross_equity, coin.requirement)),
        "mmr": pooled(coin.mmr),
        "notionalLever": pooled(
            coin.notional / coin.cross_equity if coin.cross_equity > 0 else None
        ),
        "openAvgPx": "",
        "ordFrozen": text(coin.order_imr),
        "rewardBal": "",
        "smtSyncEq": "0",
        "spotBal": "",
        "spotCopyTradingEq": "0",
        "spotInUseAmt": "",
        "spotIsoBal": "0",
        "spotUpl": "",
        "spotUplRatio": "",
        "stgyEq": text(coin.strategy),
        "totalPnl": "",
        "totalPnlRatio": "",
        "twap": "0",
        "uTime": str(at_ms),
        "upl": "" if spot else text(coin.upl),
        "uplLiab": borrowing(owed if coin.cash >= 0 else ZERO),
    }


def as_streamed(row: Row, now: AccountFigures) -> Row:
    """The balance as the account channel words it: with prices, and one field renamed."""
    details = row["details"] if isinstance(row["details"], list) else []
    streamed = []
    for detail in details:
        kept = {key: value for key, value in detail.items() if key != "maxSpotInUse"}
        price = text(now.coin(str(detail["ccy"])).usd)
        streamed.append(kept | {"maxSpotInUseAmt": "", "coinUsdPrice": price})
    return row | {"details": streamed}


def position(
    account: Account, now: AccountFigures, mine: PositionFigures, prices: Prices, at_ms: int
) -> Row:
    """A row of the positions; figures in the settle coin."""
    it = mine.position
    stops = [order for order in account.orders if protects(order, it)]
    margin = it.margin if it.is_isolated else None
    backing = it.margin or mine.imr
    fixed = account.level == PORTFOLIO and account.fixed_mmr is not None and not it.is_isolated
    row = _blank_position() | {
        "adl": "3" if mine.upl > 0 else "1",
        "availPos": text(it.pos),
        "avgPx": text(it.avg_px),
        "bePx": text(it.avg_px * (1 + it.direction * 2 * account.taker_rate)),
        "cTime": str(it.opened_ms),
        "ccy": mine.instrument.settle,
        "closeOrderAlgo": [closing(order) for order in stops if order.closes_position],
        "idxPx": text(prices.index(mine.instrument)),
        "imr": "" if it.is_isolated else text(mine.imr),
        "instId": it.inst_id,
        "instType": "SWAP",
        "last": text(mine.mark),
        "lever": text(it.lever),
        "liqPx": "" if fixed else text(shown_liquidation_price(now, mine)),
        "margin": text(margin),
        "markPx": text(mine.mark),
        "mgnMode": "isolated" if it.is_isolated else "cross",
        "mgnRatio": text(pool_ratio(now, mine)),
        "mmr": text(account.fixed_mmr if fixed else mine.mmr),
        "notionalUsd": text(_usd_notional(now, mine)),
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
        row["usdPx"] = text(prices.usd(mine.instrument.settle))
    return row


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
        "optVal": text(it.upl) if it.inst_type == "OPTION" else "",
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
        "ccy": mine.instrument.settle,
        "cTime": str(it.opened_ms),
        "instId": it.inst_id,
        "instType": "SWAP",
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
    """None where the exchange shows nothing: far away, or hedged on the same instrument."""
    if mine.position.is_isolated:
        return isolated_liquidation_price(mine)
    legs = {
        p.position.direction
        for p in now.positions
        if p.instrument is mine.instrument and not p.position.is_isolated
    }
    price = cross_liquidation_price(now, mine) if len(legs) == 1 else None
    return price if price is not None and price >= _SHOWN_FROM else None


def pool_ratio(now: AccountFigures, mine: PositionFigures) -> Decimal | None:
    """`mgnRatio` of the pool that the position stands in."""
    if mine.position.is_isolated:
        return ratio_text_value(mine.equity, mine.mmr + mine.fee)
    if now.level in _USD_LEVELS:
        return ratio_text_value(now.adjusted_equity, now.requirement)
    coin = now.coin(mine.instrument.settle)
    return ratio_text_value(coin.cross_equity, coin.requirement)


def _usd_notional(now: AccountFigures, mine: PositionFigures) -> Decimal:
    if mine.instrument.is_linear:
        return mine.notional * now.coin(mine.instrument.settle).usd
    return mine.position.contracts * mine.instrument.face


def position_risk(account: Account, now: AccountFigures, at_ms: int) -> Row:
    """`data[0]` of account-position-risk: one snapshot without maintenance figures."""
    unified = account.level in _USD_LEVELS
    return {
        "adjEq": text(now.adjusted_equity) if unified else "",
        "balData": [
            {"ccy": coin.ccy, "disEq": text(coin.discounted), "eq": text(coin.equity)}
            for coin in now.coins
        ],
        "posData": [
            {
                "baseBal": "",
                "ccy": mine.instrument.settle,
                "instId": mine.instrument.inst_id,
                "instType": "SWAP",
                "mgnMode": "isolated" if mine.position.is_isolated else "cross",
                "notionalCcy": text(mine.notional),
                "notionalUsd": text(_usd_notional(now, mine)),
                "pos": text(mine.position.pos),
                "posCcy": "",
                "posId": mine.position.pos_id,
                "posSide": mine.position.pos_side,
                "quoteBal": "",
            }
            for mine in now.positions
        ],
        "ts": str(at_ms),
    }
