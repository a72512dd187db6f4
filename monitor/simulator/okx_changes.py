"""What changes an OKX account beside the market: transfers, trades, funding, another mode."""

from dataclasses import replace
from decimal import Decimal

from monitor.simulator import okx_bills as bills
from monitor.simulator import okx_orders as orders
from monitor.simulator import okx_rows as rows
from monitor.simulator.changes import Change
from monitor.simulator.okx_account import ZERO, MarginPosition, Order, Position
from monitor.simulator.okx_accounts import LEVELS, OkxAccount, OkxState
from monitor.simulator.okx_events import account_row, next_trade, tell
from monitor.simulator.okx_ledger import figures
from monitor.simulator.okx_legs import PositionFigures
from monitor.simulator.okx_tables import INSTRUMENTS

_FIRST_STOP = 2_017_146_754_403_904_416


def change(state: OkxState, owner: OkxAccount, wish: Change) -> None:
    """
    Carry out a transfer or a trade, and queue what the private channels say of it.

    Raises:
        StopIteration: If it names a position that there is not.

    """
    if wish.coin is not None:
        _move(owner, wish.coin, wish.amount)
        _bill(state, owner, bills.TRANSFER, wish.coin, wish.amount)
        tell(state, owner, "transferred", coins=[wish.coin])
    elif wish.margin is not None:
        coin, pos_id = _add_margin(owner, wish, wish.margin)
        tell(state, owner, "transferred", coins=[coin], pos_ids=[pos_id])
    else:
        _resize(state, owner, wish, "filled", bills.TRADE)


def charge_funding(state: OkxState, owner: OkxAccount) -> None:
    """
    Book the funding of every swap at its mark: longs pay a positive rate, shorts get it.

    That of an isolated position goes off its margin.

    Source: OKX help "Funding fee": position value at the mark times the rate.
    """
    now = figures(owner.ledger, state.prices())
    paid: dict[str, str] = {}
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
        paid[it.pos_id] = mine.ccy
    if paid:
        tell(state, owner, "funding_fee", coins={*paid.values()}, pos_ids=paid)


def take(state: OkxState, owner: OkxAccount, event: str, wish: Change) -> None:
    """
    Take a part of a position as the exchange does by itself: its liquidation, ADL, delivery.

    It goes at the mark and without a fee, down to what the wish leaves.

    Raises:
        StopIteration: If it names a position that there is not.
        ValueError: If there is no such event, or the position would grow.

    """
    kinds = {"liquidation": bills.PARTIAL, "adl": bills.ADL, "delivered": bills.DELIVERY}
    if event not in kinds:
        raise ValueError(f"event: expected one of {', '.join(kinds)}, got {event!r}")
    whole = event == "liquidation" and not wish.contracts
    _resize(state, owner, wish, event, bills.LIQUIDATION if whole else kinds[event])


def place_stop(state: OkxState, owner: OkxAccount, symbol: str, trigger: Decimal) -> None:
    """
    Place a stop-loss for the whole of a position, and tell of it.

    Raises:
        StopIteration: If there is no such position.

    """
    it = next(p for p in owner.ledger.positions if p.inst_id == symbol)
    owner.trades_done += 1
    order = Order(
        order_id=str(_FIRST_STOP + owner.trades_done),
        inst_id=symbol,
        side="sell" if it.direction > 0 else "buy",
        contracts=it.contracts,
        trigger=trigger,
        closes_position=True,
        pos_side=it.pos_side,
    )
    owner.ledger.orders.append(order)
    _tell_order(state, owner, order, "live")


def cancel_stops(state: OkxState, owner: OkxAccount, symbol: str) -> None:
    """Cancel every stop on an instrument, and tell of each."""
    gone = [o for o in owner.ledger.orders if o.trigger is not None and o.inst_id == symbol]
    owner.ledger.orders = [order for order in owner.ledger.orders if order not in gone]
    for order in gone:
        _tell_order(state, owner, order, "canceled")


def _tell_order(state: OkxState, owner: OkxAccount, order: Order, became: str) -> None:
    isolated = any(p.is_isolated and p.inst_id == order.inst_id for p in owner.ledger.positions)
    row = orders.algo_order(order, state.server_ms(), became, isolated=isolated)
    owner.outbox.append(("orders-algo", row))


def claw_back(state: OkxState, owner: OkxAccount, coin: str, amount: Decimal) -> None:
    """Take so much of a coin to cover what others lost."""
    _move(owner, coin, -amount)
    _bill(state, owner, bills.CLAWBACK, coin, -amount)
    tell(state, owner, "claw_back", coins=[coin])


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
        second=None if kind == bills.FUNDING else mine.position.direction < 0,
        trade="" if kind == bills.FUNDING else owner.trades.get(mine.position.pos_id, ""),
    )


def _add_margin(owner: OkxAccount, wish: Change, amount: Decimal) -> tuple[str, str]:
    """To an isolated position; one of MARGIN holds it beside what it bought. Its coin and id."""
    ledger, direction = owner.ledger, 1 if wish.side == "long" else -1
    held: list[Position | MarginPosition] = [*ledger.positions, *ledger.loans]
    it = next(
        p for p in held if p.is_isolated and (p.inst_id, p.direction) == (wish.symbol, direction)
    )
    margin = (it.margin or ZERO) + amount
    if isinstance(it, MarginPosition):
        place = ledger.loans.index(it)
        ledger.loans[place] = replace(it, margin=margin, held=it.held + amount)
        return it.ccy, it.pos_id
    ledger.positions[ledger.positions.index(it)] = replace(it, margin=margin)
    return INSTRUMENTS[it.inst_id].settle, it.pos_id


def _resize(state: OkxState, owner: OkxAccount, wish: Change, event: str, kind: str) -> None:
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
    if size >= it.contracts and kind != bills.TRADE:
        raise ValueError(f"contracts: {event} leaves less than {it.contracts}, got {size}")
    next_trade(owner, it.pos_id)
    if size < it.contracts:
        part = (it.contracts - size) / it.contracts
        gained = mine.upl * part + (it.margin or ZERO) * part
        _move(owner, mine.ccy, gained)
        closed = it.contracts - size
        _bill(state, owner, kind, mine.ccy, gained, mine=mine, contracts=closed)
    if isinstance(it, MarginPosition):
        place = ledger.loans.index(it)
        ledger.loans[place : place + 1] = [it.resized(size, mine.mark)] if size else []
    else:
        place = ledger.positions.index(it)
        ledger.positions[place : place + 1] = [it.resized(size, mine.mark)] if size else []
    last = [] if size else [rows.closed_position(mine, state.server_ms())]
    tell(state, owner, event, coins=[mine.ccy], pos_ids=[it.pos_id], closed=last)
