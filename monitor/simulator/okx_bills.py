"""
OKX's bills: what changed a coin's balance, newest first on the wire.

Source: API docs "Get bills details (last 7 days)", "Get bill types": 1 transfer, 2 trade,
3 delivery, 5 liquidation, 8 funding fee, 9 ADL, 10 clawback.
"""

from dataclasses import dataclass
from decimal import Decimal

from monitor.simulator.okx_account import Account
from monitor.simulator.okx_orders import text
from monitor.simulator.okx_tables import instrument_of

Row = dict[str, object]
TRANSFER, TRADE, DELIVERY, LIQUIDATION, FUNDING = "1", "2", "3", "5", "8"
ADL, CLAWBACK = "9", "10"
PARTIAL = "5 in part"  # a liquidation that leaves something of the position
_SUB_TYPES = {
    # what it is: where the amount is not negative, and where it is
    TRANSFER: ("11", "12"),
    TRADE: ("5", "6"),  # a long closed, a short closed
    DELIVERY: ("112", "113"),
    LIQUIDATION: ("104", "105"),
    PARTIAL: ("100", "101"),
    FUNDING: ("174", "173"),
    ADL: ("125", "126"),
    CLAWBACK: ("108", "108"),
}
_FIRST_ID = 623_950_854_533_513_219
_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """An entry; `change` is signed, `balance` is what the coin's cash is after it."""

    bill_id: int
    kind: str
    sub_kind: str
    ccy: str
    change: Decimal
    balance: Decimal
    at_ms: int
    inst_id: str = ""
    margin_mode: str = ""
    contracts: Decimal | None = None
    price: Decimal | None = None
    trade: str = ""


class Bills:
    """The bills of one account."""

    def __init__(self) -> None:
        self._kept: list[Bill] = []

    def write(  # noqa: PLR0913 - each is a column
        self,
        account: Account,
        kind: str,
        ccy: str,
        change: Decimal,
        at_ms: int,
        *,
        inst_id: str = "",
        margin_mode: str = "",
        contracts: Decimal | None = None,
        price: Decimal | None = None,
        second: bool | None = None,
        trade: str = "",
    ) -> None:
        """Note a change of a coin; `second` takes the second word for it whatever its sign."""
        place = change < 0 if second is None else second
        bill = Bill(
            bill_id=_FIRST_ID + len(self._kept),
            kind=kind.split(maxsplit=1)[0],
            sub_kind=_SUB_TYPES[kind][place],
            ccy=ccy,
            change=change,
            balance=account.cash.get(ccy, Decimal(0)),
            at_ms=at_ms,
            inst_id=inst_id,
            margin_mode=margin_mode,
            contracts=contracts,
            price=price,
            trade=trade,
        )
        self._kept = [*self._kept, bill][-_MOST:]

    def rows(self) -> list[Row]:
        """All, oldest first."""
        return [_row(bill) for bill in self._kept]


def _row(bill: Bill) -> Row:
    names = (
        "clOrdId earnAmt earnApr execType fillFwdPx fillIdxPx fillMarkPx fillMarkVol fillPxUsd "
        "fillPxVol fillTime notes ordId tag tradeId"
    )
    row: Row = dict.fromkeys(names.split(), "")
    moved = bill.kind == TRANSFER
    return row | {
        "bal": text(bill.balance),
        "balChg": text(bill.change),
        "billId": str(bill.bill_id),
        "ccy": bill.ccy,
        "fee": "0",
        "from": ("6" if bill.change > 0 else "18") if moved else "",
        "instId": bill.inst_id,
        "instType": instrument_of(bill.inst_id).kind if bill.inst_id else "",
        "interest": "0",
        "mgnMode": bill.margin_mode,
        "pnl": "0" if moved else text(bill.change),
        "posBal": "0",
        "posBalChg": "0",
        "px": text(bill.price),
        "subType": bill.sub_kind,
        "sz": text(bill.contracts if bill.contracts is not None else abs(bill.change)),
        "to": ("18" if bill.change > 0 else "6") if moved else "",
        "tradeId": bill.trade,
        "ts": str(bill.at_ms),
        "type": bill.kind,
    }
