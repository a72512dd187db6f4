"""Open orders and conditional orders as Binance lists them."""

from monitor.simulator.binance_ledger import ZERO
from monitor.simulator.binance_quotes import Row
from monitor.simulator.scenario import OrderSpec
from monitor.simulator.truth import plain


def _side(order: OrderSpec) -> Row:
    return {
        "side": order.side.upper(),
        "positionSide": (order.position_side or "both").upper(),
    }


def plain_order(order: OrderSpec, order_id: int, at: int, pair: str | None = None) -> Row:
    """One element of openOrders; one of COIN-M has its pair."""
    return {
        "orderId": order_id,
        "symbol": order.symbol,
        **({} if pair is None else {"pair": pair}),
        "status": "NEW",
        "clientOrderId": f"sim-{order_id}",
        "price": plain(order.price or ZERO),
        "avgPrice": "0.00000",
        "origQty": plain(order.contracts),
        "executedQty": "0.000",
        "cumQuote" if pair is None else "cumBase": "0.00000",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        **_side(order),
        "stopPrice": "0.00",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": "LIMIT",
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "time": at,
        "updateTime": at,
    }


def algo_order(order: OrderSpec, algo_id: int, at: int) -> Row:
    """One element of openAlgoOrders."""
    return {
        "algoId": algo_id,
        "clientAlgoId": f"sim-{algo_id}",
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET" if order.price is None else "STOP",
        "symbol": order.symbol,
        **_side(order),
        "timeInForce": "GTC",
        "quantity": plain(order.contracts),
        "algoStatus": "NEW",
        "actualOrderId": "",
        "actualPrice": "0.00000",
        "triggerPrice": plain(order.trigger_price or ZERO),
        "price": plain(order.price or ZERO),
        "icebergQuantity": None,
        "tpTriggerPrice": "0.000",
        "tpPrice": "0.000",
        "slTriggerPrice": "0.000",
        "slPrice": "0.000",
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": "MARK_PRICE",
        "priceMatch": "NONE",
        "closePosition": order.closes_position,
        "priceProtect": False,
        "reduceOnly": order.reduce_only,
        "createTime": at,
        "updateTime": at,
        "triggerTime": 0,
        "goodTillDate": 0,
    }
