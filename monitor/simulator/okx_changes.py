"""What changes an OKX account beside the market: transfers, trades, funding, another mode."""

from dataclasses import replace
from decimal import Decimal

from monitor.simulator import okx_bills as bills
from monitor.simulator import okx_rows as rows
from monitor.simulator.changes import Change
from monitor.simulator.okx_account import ZERO, MarginPosition, Position
from monitor.simulator.okx_accounts import LEVELS, OkxAccount, OkxState
from monitor.simulator.okx_ledger import figures
from monitor.simulator.okx_legs import PositionFigures
from monitor.simulator.okx_rest import position_rows
from monitor.simulator.okx_stream import account_row, balance_and_position


def change(state: OkxState, owner: OkxAccount, wish: Change) -> None:
    """
    Carry out a transfer or a trade, and queue what the private channels say of it.

    Raises:
        StopIteration: If it names a position that there is not.

    """
    if wish.coin is not None:
        _move(owner, wish.coin, wish.amount)
        _bill(state, owner, bills.TRANSFER, wish.coin, wish.amount)
        _tell(state, owner, "transferred")
    elif wish.margin is not None:
        _add_margin(state, owner, wish, wish.margin)
        _tell(state, owner, "transferred")
    else:
        _resize(state, owner, wish)
        _tell(state, owner, "filled")


def charge_funding(state: OkxState, owner: OkxAccount) -> None:
    """
    Book the funding of every swap at its mark: longs pay a positive rate, shorts get it.

    That of an isolated position goes off its margin.

    Source: OKX help "Funding fee": position value at the mark times the rate.
    """
    now = figures(owner.ledger, state.prices())
    paid: set[str] = set()
    for mine in now.positions:
        it = mine.position
        if mine.instrument.kind != "SWAP" or not isinstance(it, Position):
            continue
        amount = -it.direction * mine.notional * state.funding_rate(mine.instrument.base)
        if it.margin is None:
            _move(owner, mine.ccy, amount)
        else:
            place = owner.ledger.positions.index(it)
            owner.ledger.positions[place] = replace(it, margin=it.margin + amount)
        _bill(state, owner, bills.FUNDING, mine.ccy, amount, mine=mine, contracts=it.contracts)
        paid.add(it.pos_id)
    if paid:
        _tell(state, owner, "funding_fee")
        for row in position_rows(state, owner):
            if row["posId"] in paid:
                owner.outbox.append(("positions", row | {"pTime": row["uTime"]}))


def change_mode(
    state: OkxState,
    owner: OkxAccount,
    *,
    mode: str | None = None,
    position_mode: str | None = None,
    spot_borrow: bool | None = None,
) -> None:
    """
    Set account mode, position mode, whether Spot mode may borrow: what is named; the rest stays.

    Raises:
        ValueError: If there is no such mode, or positions are held that it can't have.

    """
    ledger = owner.ledger
    if mode is not None:
        if mode not in LEVELS:
            raise ValueError(f"mode: expected one of {', '.join(LEVELS)}, got {mode!r}")
        if mode == "spot" and (ledger.positions or ledger.loans):
            raise ValueError("mode: Spot mode has no positions, close them first")
        ledger.level = LEVELS[mode]
        owner.spec = replace(owner.spec, mode=mode)
    if spot_borrow is not None:
        ledger.spot_borrow = spot_borrow
    if position_mode is not None:
        if position_mode not in {"one_way", "hedge"}:
            raise ValueError(f"position_mode: one_way or hedge, got {position_mode!r}")
        ledger.hedge = position_mode == "hedge"
        named = {1: "long", -1: "short"} if ledger.hedge else {1: "net", -1: "net"}
        ledger.positions = [replace(p, pos_side=named[p.direction]) for p in ledger.positions]
        owner.spec = replace(owner.spec, position_mode=position_mode)
    owner.outbox.append(("account", account_row(state, owner)))


def _move(owner: OkxAccount, coin: str, amount: Decimal) -> None:
    owner.ledger.cash[coin] = owner.ledger.cash.get(coin, ZERO) + amount


def _bill(  # noqa: PLR0913 - what a bill says
    state: OkxState,
    owner: OkxAccount,
    kind: str,
    coin: str,
    amount: Decimal,
    *,
    mine: PositionFigures | None = None,
    contracts: Decimal | None = None,
) -> None:
    at_ms = state.server_ms()
    if mine is None:
        owner.bills.write(owner.ledger, kind, coin, amount, at_ms)
        return
    owner.bills.write(
        owner.ledger,
        kind,
        coin,
        amount,
        at_ms,
        inst_id=mine.instrument.inst_id,
        margin_mode="isolated" if mine.position.is_isolated else "cross",
        contracts=contracts,
        price=mine.mark,
        second=mine.position.direction < 0 if kind == bills.TRADE else None,
    )


def _tell(state: OkxState, owner: OkxAccount, event: str) -> None:
    frame = balance_and_position(state, owner, event)
    owner.outbox.append(("balance_and_position", frame))
    owner.outbox.append(("account", account_row(state, owner)))


def _add_margin(state: OkxState, owner: OkxAccount, wish: Change, amount: Decimal) -> None:
    """To an isolated position; one of MARGIN holds it beside what it bought."""
    ledger, direction = owner.ledger, 1 if wish.side == "long" else -1
    held: list[Position | MarginPosition] = [*ledger.positions, *ledger.loans]
    it = next(
        p for p in held if p.is_isolated and (p.inst_id, p.direction) == (wish.symbol, direction)
    )
    margin = (it.margin or ZERO) + amount
    if isinstance(it, MarginPosition):
        place = ledger.loans.index(it)
        ledger.loans[place] = replace(it, margin=margin, held=it.held + amount)
    else:
        ledger.positions[ledger.positions.index(it)] = replace(it, margin=margin)
    row = next(r for r in position_rows(state, owner) if r["posId"] == it.pos_id)
    owner.outbox.append(("positions", row | {"pTime": row["uTime"]}))


def _resize(state: OkxState, owner: OkxAccount, wish: Change) -> None:
    """Close or open a part at the mark, of the wished position where both are; without a fee."""
    ledger = owner.ledger
    direction = 1 if wish.side == "long" else -1
    now = figures(ledger, state.prices())
    wished_first = sorted(now.positions, key=lambda p: p.position.is_isolated is not wish.isolated)
    mine = next(
        p
        for p in wished_first
        if (p.position.inst_id, p.position.direction) == (wish.symbol, direction)
    )
    it, size = mine.position, wish.contracts
    if size < it.contracts:
        part = (it.contracts - size) / it.contracts
        gained = mine.upl * part + (it.margin or ZERO) * part
        _move(owner, mine.ccy, gained)
        closed = it.contracts - size
        _bill(state, owner, bills.TRADE, mine.ccy, gained, mine=mine, contracts=closed)
    if isinstance(it, MarginPosition):
        place = ledger.loans.index(it)
        ledger.loans[place : place + 1] = [it.resized(size, mine.mark)] if size else []
    else:
        place = ledger.positions.index(it)
        ledger.positions[place : place + 1] = [it.resized(size, mine.mark)] if size else []
    row = rows.closed_position(mine, state.server_ms())
    if size:
        row = next(r for r in position_rows(state, owner) if r["posId"] == it.pos_id)
    owner.outbox.append(("positions", row | {"pTime": row["uTime"]}))
