"""OKX's open orders, row by row: conditional stops in the algo list, limits in the other."""

from decimal import Context, Decimal

from monitor.simulator.okx_account import MarginPosition, Order, Position
from monitor.simulator.okx_tables import INSTRUMENTS
from monitor.simulator.truth import plain

Row = dict[str, object]
_DIGITS = Context(prec=17)  # what the exchange's doubles show


def text(value: Decimal | None) -> str:
    """Seventeen significant digits; None is `""`."""
    return "" if value is None else plain(_DIGITS.plus(value))


def protects(order: Order, it: Position | MarginPosition) -> bool:
    """Whether the order is a stop that would close this position."""
    closing = "sell" if it.direction > 0 else "buy"
    return (
        order.trigger is not None
        and order.inst_id == it.inst_id
        and order.side == closing
        and order.pos_side == it.pos_side
    )


def closing(order: Order) -> Row:
    return {
        "algoId": order.order_id,
        "slTriggerPx": text(order.trigger),
        "slTriggerPxType": "mark",
        "tpTriggerPx": "",
        "tpTriggerPxType": "",
        "closeFraction": "1",
    }


def algo_order(order: Order, at_ms: int, state: str = "live", *, isolated: bool = False) -> Row:
    """A row of the pending algo orders: a conditional stop-loss at market."""
    names = (
        "activePx actualPx actualSide callbackRatio callbackSpread ccy chaseType chaseVal clOrdId "
        "isTradeBorrowMode last lever maxChaseType maxChaseVal moveTriggerPx ordId ordPx pxLimit "
        "pxSpread pxVar quickMgnType szLimit tag tgtCcy timeInterval tpOrdPx tpTriggerPx "
        "tpTriggerPxType triggerPx triggerPxType triggerTime algoClOrdId"
    )
    row: Row = dict.fromkeys(names.split(), "")
    return row | {
        "actualSz": "0",
        "algoId": order.order_id,
        "amendPxOnTriggerType": "0",
        "attachAlgoOrds": [],
        "cTime": str(at_ms),
        "closeFraction": "1" if order.closes_position else "",
        "failCode": "0",
        "instId": order.inst_id,
        "instType": INSTRUMENTS[order.inst_id].kind,
        "linkedOrd": {"ordId": ""},
        "ordIdList": [],
        "ordType": "conditional",
        "posSide": order.pos_side,
        "reduceOnly": "true" if order.reduce_only or order.closes_position else "false",
        "side": order.side,
        "slOrdPx": "-1",
        "slTriggerPx": text(order.trigger),
        "slTriggerPxType": "mark",
        "state": state,
        "sz": "" if order.closes_position else text(order.contracts),
        "tdMode": "isolated" if isolated else "cross",
        "uTime": str(at_ms),
    }


def open_order(order: Order, at_ms: int, state: str = "live") -> Row:
    """A row of the pending orders."""
    names = (
        "algoClOrdId algoId avgPx cancelSource cancelSourceReason ccy clOrdId fillPx fillTime "
        "isTpLimit pxType pxUsd pxVol quickMgnType rebateCcy slOrdPx slTriggerPx slTriggerPxType "
        "stpId tag tgtCcy tpOrdPx tpTriggerPx tpTriggerPxType tradeId"
    )
    row: Row = dict.fromkeys(names.split(), "")
    return row | {
        "accFillSz": "0",
        "attachAlgoOrds": [],
        "cTime": str(at_ms),
        "category": "normal",
        "fee": "0",
        "feeCcy": "",
        "fillSz": "0",
        "instId": order.inst_id,
        "instType": INSTRUMENTS[order.inst_id].kind,
        "lever": "10",
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": order.order_id,
        "ordType": "limit",
        "pnl": "0",
        "posSide": order.pos_side,
        "px": text(order.price),
        "rebate": "0",
        "reduceOnly": "true" if order.reduce_only else "false",
        "side": order.side,
        "source": "",
        "state": state,
        "stpMode": "cancel_maker",
        "sz": text(order.contracts),
        "tdMode": "cross",
        "uTime": str(at_ms),
    }
