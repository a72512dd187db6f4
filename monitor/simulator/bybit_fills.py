"""
Bybit's rows of fills, and of the orders behind them, as the wire has them.

Field lists follow the V5 documentation of "Execution" and "Order" (2026-07); `execPnl` is the
profit without fees, which is the `cashFlow` of the transaction log. Numbers are texts.
"""

from dataclasses import dataclass
from decimal import Decimal

from monitor.simulator.bybit_account import Booking, Order, Position
from monitor.simulator.bybit_rows import coin_text, open_order
from monitor.simulator.bybit_tables import INSTRUMENTS
from monitor.simulator.truth import plain

Row = dict[str, object]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a position shrinks: the words of the fill, of its order and of the log's line."""

    exec_type: str
    create_type: str
    booking: str


OWN = Cause(exec_type="Trade", create_type="CreateByUser", booking="TRADE")
TAKEOVER = Cause(
    exec_type="BustTrade", create_type="CreateByTakeOver_PassThrough", booking="LIQUIDATION"
)
CAUSES = {
    "takeover": TAKEOVER,
    "liquidation": Cause(exec_type="Trade", create_type="CreateByLiq", booking="LIQUIDATION"),
    "adl": Cause(exec_type="AdlTrade", create_type="CreateByAdl_PassThrough", booking="ADL"),
    "settlement": Cause(exec_type="Settle", create_type="CreateBySettle", booking="DELIVERY"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A part of a position that was closed (or, `opens`, opened) at one price."""

    number: str  # names its order and itself
    position: Position
    cause: Cause
    qty: Decimal
    price: Decimal
    mark: Decimal
    profit: Decimal  # in settle coin, without the fee
    fee: Decimal
    at_ms: int
    opens: bool = False

    @property
    def order_id(self) -> str:
        return f"{self.number}-order"

    @property
    def trade_id(self) -> str:
        return f"{self.number}-trade"

    @property
    def side(self) -> str:
        """Of the order: what closes a long is a Sell."""
        closing = "Sell" if self.position.side == "Buy" else "Buy"
        return self.position.side if self.opens else closing

    @property
    def category(self) -> str:
        return INSTRUMENTS[self.position.symbol].category

    @property
    def value(self) -> Decimal:
        return self.qty * self.price if self.category == "linear" else self.qty / self.price

    def execution(self) -> Row:
        """The row of the execution list, and with its category that of the stream."""
        return _blank(self.position.symbol, self.order_id, self.trade_id, self.at_ms) | {
            "side": self.side,
            "orderPrice": plain(self.price),
            "orderQty": plain(self.qty),
            "createType": self.cause.create_type,
            "orderType": "Market",
            "execFee": coin_text(self.fee),
            "execPnl": coin_text(self.profit),
            "execPrice": plain(self.price),
            "execQty": plain(self.qty),
            "execType": self.cause.exec_type,
            "execValue": coin_text(self.value),
            "markPrice": plain(self.mark),
            "closedSize": "0" if self.opens else plain(self.qty),
        }

    def order(self) -> Row:
        """The row of the order stream."""
        order = Order(
            order_id=self.order_id,
            symbol=self.position.symbol,
            side=self.side,
            qty=self.qty,
            reduce_only=not self.opens,
            idx=self.position.idx,
        )
        return open_order(order, self.at_ms, "Filled") | {
            "category": self.category,
            "createType": self.cause.create_type,
            "cancelType": "UNKNOWN",
            "orderType": "Market",
            "timeInForce": "IOC",
            "avgPrice": plain(self.price),
            "leavesQty": "0",
            "leavesValue": "0",
            "cumExecQty": plain(self.qty),
            "cumExecValue": coin_text(self.value),
            "cumExecFee": coin_text(self.fee),
            "closedPnl": coin_text(self.profit - self.fee),
        }

    def booking(self, left: Decimal) -> Booking:
        """The line of the log; `left` is what the position has afterwards."""
        sign = 1 if self.position.side == "Buy" else -1
        return Booking(
            kind=self.cause.booking,
            coin=INSTRUMENTS[self.position.symbol].settle,
            at_ms=self.at_ms,
            change=self.profit - self.fee,
            balance=ZERO,
            fee=self.fee,
            symbol=self.position.symbol,
            side=self.side,
            qty=self.qty,
            size=sign * left,
            price=self.price,
            order_id=self.order_id,
            trade_id=self.trade_id,
        )


def funding(booking: Booking, exec_id: str) -> Row:
    """The execution that a charge of funding leaves behind; the fee is positive where paid."""
    value = abs(booking.funding / booking.fee_rate) if booking.fee_rate else ZERO
    return _blank(booking.symbol, exec_id, exec_id, booking.at_ms) | {
        "side": booking.side,
        "execFee": coin_text(-booking.funding),
        "execPrice": plain(booking.price),
        "execQty": plain(booking.qty),
        "execType": "Funding",
        "execValue": coin_text(value),
        "feeRate": plain(booking.fee_rate),
        "markPrice": plain(booking.price),
    }


def _blank(symbol: str, order_id: str, exec_id: str, at_ms: int) -> Row:
    return {
        "symbol": symbol,
        "orderId": order_id,
        "orderLinkId": "",
        "side": "",
        "orderPrice": "0",
        "orderQty": "0",
        "leavesQty": "0",
        "createType": "",
        "orderType": "UNKNOWN",
        "stopOrderType": "UNKNOWN",
        "execFee": "0",
        "execId": exec_id,
        "execPnl": "0",
        "execPrice": "0",
        "execQty": "0",
        "execType": "",
        "execValue": "0",
        "execTime": str(at_ms),
        "feeCurrency": "",
        "isMaker": False,
        "feeRate": "0",
        "tradeIv": "",
        "markIv": "",
        "markPrice": "",
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "",
        "seq": at_ms,
        "extraFees": "",
    }
