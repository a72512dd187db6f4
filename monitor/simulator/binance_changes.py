"""
Deposits, withdrawals and trades on a pretended Binance account, told on its private stream.

A coin's wallet is the one in USD-M; where only COIN-M has that coin, the one there. `coin-m/BTC`
names the latter in any case.
"""

from decimal import Decimal

from monitor.simulator import binance_frames as frames
from monitor.simulator import binance_order_frames as orders
from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_ledger import ALL_SYMBOLS, PORTFOLIO_MODES, ZERO, Ledger, Leg
from monitor.simulator.binance_liquidation import Closed
from monitor.simulator.binance_quotes import milliseconds
from monitor.simulator.changes import Change
from monitor.simulator.scenario import PositionSpec

COIN_PREFIX = "coin-m/"
_ENTRY_UNIT = Decimal("0.00000001")  # COIN-M keeps entry prices to eight decimals


def change(state: BinanceState, account: BinanceAccount, wish: Change) -> None:
    """
    Carry out a wish and queue its events.

    Raises:
        StopIteration: If it names a position that there is not.

    """
    if wish.coin is not None:
        _transfer(state, account, wish.coin, wish.amount)
    elif wish.margin is not None:
        _add_margin(state, account, wish, wish.margin)
    else:
        _resize(state, account, wish)


def _transfer(state: BinanceState, account: BinanceAccount, coin: str, amount: Decimal) -> None:
    asset = coin.removeprefix(COIN_PREFIX)
    only_coin = asset in account.coin.assets() and asset not in account.ledger.assets()
    book = account.coin if asset != coin or only_coin else account.ledger
    at = milliseconds(state.server_time())
    book.cross_wallets[asset] = book.cross_wallets.get(asset, ZERO) + amount
    book.touched_at[asset] = at
    reason = "DEPOSIT" if amount >= 0 else "WITHDRAW"
    account.tell(frames.account_update(state, book, reason, {asset: amount}, ()), book)
    income = account.income_of(book)
    income.append(frames.income("TRANSFER", amount, (asset, ""), at, len(income) + 1))


def _add_margin(
    state: BinanceState, account: BinanceAccount, wish: Change, amount: Decimal
) -> None:
    """Into the wallet of an isolated leg."""
    leg = next(
        leg for leg in (leg_of(account, wish.symbol, wish.side),) if leg.isolated_wallet is not None
    )
    book, asset = account.ledger_of(leg), leg.margin_asset
    leg.isolated_wallet = (leg.isolated_wallet or ZERO) + amount
    leg.updated_at = book.touched_at[asset] = milliseconds(state.server_time())
    account.tell(frames.account_update(state, book, "MARGIN_TRANSFER", {asset: ZERO}, (leg,)), book)


def _resize(state: BinanceState, account: BinanceAccount, wish: Change) -> None:
    """Close or open a part at the mark, without a fee; profit of what is closed is realized."""
    leg = leg_of(account, wish.symbol, wish.side)
    book = account.ledger_of(leg)
    mark = state.quotes.mark(leg.symbol.name)
    before = abs(leg.amount)
    gained = ZERO
    if wish.contracts < before:
        gained = realize(book, leg, (before - wish.contracts) / before, mark)
        income = account.income_of(book)
        named = (leg.margin_asset, leg.symbol.name)
        at = milliseconds(state.server_time())
        income.append(frames.income("REALIZED_PNL", gained, named, at, len(income) + 1))
    else:
        leg.entry_price = _average(leg, before, wish.contracts - before, mark)
    sign = 1 if leg.amount > 0 else -1
    leg.amount = sign * wish.contracts
    done = Closed(
        leg=leg,
        amount=sign * abs(before - wish.contracts),
        mark=mark,
        realized=gained,
        fee=ZERO,
    )
    _tell_trade(state, account, done, opens=wish.contracts > before)


def open_position(state: BinanceState, account: BinanceAccount, spec: PositionSpec) -> None:
    """
    Open a position at its entry price, without a fee; an isolated one takes its margin along.

    Raises:
        ValueError: If there is no such symbol, a position stands there, or none may.

    """
    symbol = state.quotes.table.get(spec.symbol)
    if symbol is None or spec.symbol not in ALL_SYMBOLS:
        raise ValueError(f"there is no symbol {spec.symbol!r}")
    book = account.coin if symbol.is_coin_margined else account.ledger
    side = spec.side.upper() if book.hedge else "BOTH"
    if any(leg.symbol.name == spec.symbol and leg.side == side for leg in book.legs):
        raise ValueError(f"a position in {spec.symbol} is open already")
    shared = account.spec.mode in PORTFOLIO_MODES or book.multi_assets
    if spec.isolated_margin is not None and shared:
        raise ValueError(f"{account.spec.mode} mode has no isolated positions")
    leg = Leg(
        symbol=symbol,
        side=side,
        amount=spec.contracts if spec.side == "long" else -spec.contracts,
        entry_price=spec.entry_price,
        leverage=spec.leverage,
        isolated_wallet=spec.isolated_margin,
        settles_in=book.settles_in,
    )
    wallets, asset = book.cross_wallets, leg.margin_asset
    wallets[asset] = wallets.get(asset, ZERO) - (spec.isolated_margin or ZERO)
    book.legs.append(leg)
    done = Closed(leg=leg, amount=leg.amount, mark=spec.entry_price, realized=ZERO, fee=ZERO)
    _tell_trade(state, account, done, opens=True)


def set_leverage(
    state: BinanceState, account: BinanceAccount, symbol: str, leverage: Decimal
) -> None:
    """
    Give a symbol's positions another leverage and tell it.

    Raises:
        StopIteration: If no position of it is open.

    """
    every = (*account.ledger.legs, *account.coin.legs)
    legs = [leg for leg in every if leg.symbol.name == symbol]
    book = account.ledger_of(next(iter(legs)))
    for leg in legs:
        leg.leverage = leverage
    account.tell(frames.leverage_update(state, symbol, leverage), book)


def move_margin(state: BinanceState, account: BinanceAccount, leg: Leg, amount: Decimal) -> None:
    """
    Move margin from the cross wallet into an isolated position, or back where it is negative.

    Raises:
        ValueError: If the position is not isolated.

    """
    if leg.isolated_wallet is None:
        raise ValueError(f"{leg.symbol.name} is crossed")
    book, asset = account.ledger_of(leg), leg.margin_asset
    leg.isolated_wallet += amount
    book.cross_wallets[asset] = book.cross_wallets.get(asset, ZERO) - amount
    leg.updated_at = book.touched_at[asset] = milliseconds(state.server_time())
    account.tell(frames.account_update(state, book, "MARGIN_TRANSFER", {asset: ZERO}, (leg,)), book)


def leg_of(account: BinanceAccount, symbol: str | None, side: str) -> Leg:
    """Give an open position. Raises StopIteration where there is none."""
    return next(
        leg
        for leg in (*account.ledger.legs, *account.coin.legs)
        if leg.symbol.name == symbol and (leg.amount > 0) == (side == "long")
    )


def _tell_trade(state: BinanceState, account: BinanceAccount, done: Closed, *, opens: bool) -> None:
    """Note a trade of the owner's own and queue its order and what it did to the account."""
    leg, asset = done.leg, done.leg.margin_asset
    book = account.ledger_of(leg)
    leg.updated_at = book.touched_at[asset] = milliseconds(state.server_time())
    if not leg.amount:
        book.legs.remove(leg)
    number = state.next_order_id()
    order = orders.Order(id=number, client_id=f"sim-{number}", type="MARKET", opens=opens)
    account.tell(orders.filled(state, done, order), book)
    account.tell(frames.account_update(state, book, "ORDER", {asset: ZERO}, (leg,)), book)


def _average(leg: Leg, before: Decimal, added: Decimal, mark: Decimal) -> Decimal:
    """Give the entry price of both parts: by size, or of an inverse contract by its inverse."""
    if leg.symbol.is_coin_margined:
        average = (before + added) / (before / leg.entry_price + added / mark)
        return average.quantize(_ENTRY_UNIT)
    return (leg.entry_price * before + mark * added) / (before + added)


def realize(book: Ledger, leg: Leg, share: Decimal, mark: Decimal) -> Decimal:
    """Book the profit of a share of a leg; an isolated one gives back that share of its wallet."""
    wallets, asset = book.cross_wallets, leg.margin_asset
    gained = leg.unrealized_profit(mark) * share
    returned = ZERO
    if leg.isolated_wallet is not None:
        returned = leg.isolated_wallet * share
        leg.isolated_wallet -= returned
    wallets[asset] = wallets.get(asset, ZERO) + gained + returned
    return gained
