"""
Deposits, withdrawals and trades on a pretended Binance account, told on its private stream.

A coin's wallet is the one in USD-M; where only COIN-M has that coin, the one there. `coin-m/BTC`
names the latter in any case.
"""

from decimal import Decimal

from monitor.simulator import binance_frames as frames
from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_ledger import ZERO, Ledger, Leg
from monitor.simulator.binance_quotes import milliseconds
from monitor.simulator.changes import Change

COIN_PREFIX = "coin-m/"
_ENTRY_UNIT = Decimal("0.00000001")  # COIN-M keeps entry prices to eight decimals


def change(state: BinanceState, account: BinanceAccount, wish: Change) -> None:
    """
    Carry out a wish and queue its ACCOUNT_UPDATE.

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
    leg = next(leg for leg in (_leg(account, wish),) if leg.isolated_wallet is not None)
    book, asset = account.ledger_of(leg), leg.margin_asset
    leg.isolated_wallet = (leg.isolated_wallet or ZERO) + amount
    leg.updated_at = book.touched_at[asset] = milliseconds(state.server_time())
    account.tell(frames.account_update(state, book, "MARGIN_TRANSFER", {asset: ZERO}, (leg,)), book)


def _leg(account: BinanceAccount, wish: Change) -> Leg:
    return next(
        leg
        for leg in (*account.ledger.legs, *account.coin.legs)
        if leg.symbol.name == wish.symbol and (leg.amount > 0) == (wish.side == "long")
    )


def _resize(state: BinanceState, account: BinanceAccount, wish: Change) -> None:
    """Close or open a part at the mark, without a fee; profit of what is closed is realized."""
    leg = _leg(account, wish)
    book = account.ledger_of(leg)
    mark = state.quotes.mark(leg.symbol.name)
    at = milliseconds(state.server_time())
    before = abs(leg.amount)
    asset = leg.margin_asset
    if wish.contracts < before:
        gained = _realize(book, leg, (before - wish.contracts) / before, mark)
        income = account.income_of(book)
        named = (asset, leg.symbol.name)
        income.append(frames.income("REALIZED_PNL", gained, named, at, len(income) + 1))
    else:
        leg.entry_price = _average(leg, before, wish.contracts - before, mark)
    leg.amount = wish.contracts if leg.amount > 0 else -wish.contracts
    leg.updated_at = book.touched_at[asset] = at
    if not leg.amount:
        book.legs.remove(leg)
    account.tell(frames.account_update(state, book, "ORDER", {asset: ZERO}, (leg,)), book)


def _average(leg: Leg, before: Decimal, added: Decimal, mark: Decimal) -> Decimal:
    """Give the entry price of both parts: by size, or of an inverse contract by its inverse."""
    if leg.symbol.is_coin_margined:
        average = (before + added) / (before / leg.entry_price + added / mark)
        return average.quantize(_ENTRY_UNIT)
    return (leg.entry_price * before + mark * added) / (before + added)


def _realize(book: Ledger, leg: Leg, share: Decimal, mark: Decimal) -> Decimal:
    """Book the profit of a share of a leg; an isolated one gives back that share of its wallet."""
    wallets, asset = book.cross_wallets, leg.margin_asset
    gained = leg.unrealized_profit(mark) * share
    returned = ZERO
    if leg.isolated_wallet is not None:
        returned = leg.isolated_wallet * share
        leg.isolated_wallet -= returned
    wallets[asset] = wallets.get(asset, ZERO) + gained + returned
    return gained
