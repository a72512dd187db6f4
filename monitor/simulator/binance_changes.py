"""Deposits, withdrawals and trades on a pretended Binance account, told on its private stream."""

from decimal import Decimal

from monitor.simulator import binance_frames as frames
from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_ledger import ZERO, Leg
from monitor.simulator.binance_quotes import milliseconds
from monitor.simulator.changes import Change


def change(state: BinanceState, account: BinanceAccount, wish: Change) -> None:
    """
    Carry out a wish and queue its ACCOUNT_UPDATE.

    Raises:
        StopIteration: If it names a position that there is not.

    """
    if wish.coin is not None:
        _transfer(state, account, wish.coin, wish.amount)
    else:
        _resize(state, account, wish)


def _transfer(state: BinanceState, account: BinanceAccount, asset: str, amount: Decimal) -> None:
    book = account.ledger
    book.cross_wallets[asset] = book.cross_wallets.get(asset, ZERO) + amount
    book.touched_at[asset] = milliseconds(state.server_time())
    reason = "DEPOSIT" if amount >= 0 else "WITHDRAW"
    account.outbox.append(frames.account_update(state, account, reason, {asset: amount}, ()))


def _resize(state: BinanceState, account: BinanceAccount, wish: Change) -> None:
    """Close or open a part at the mark, without a fee; profit of what is closed is realized."""
    book = account.ledger
    leg = next(
        leg
        for leg in book.legs
        if leg.symbol.name == wish.symbol and (leg.amount > 0) == (wish.side == "long")
    )
    mark = state.quotes.mark(leg.symbol.name)
    at = milliseconds(state.server_time())
    before = abs(leg.amount)
    asset = leg.symbol.margin_asset
    if wish.contracts < before:
        _realize(account, leg, (before - wish.contracts) / before, mark)
    else:
        added = wish.contracts - before
        leg.entry_price = (leg.entry_price * before + mark * added) / wish.contracts
    leg.amount = wish.contracts if leg.amount > 0 else -wish.contracts
    leg.updated_at = book.touched_at[asset] = at
    if not leg.amount:
        book.legs.remove(leg)
    account.outbox.append(frames.account_update(state, account, "ORDER", {asset: ZERO}, (leg,)))


def _realize(account: BinanceAccount, leg: Leg, share: Decimal, mark: Decimal) -> None:
    """Book the profit of a share of a leg; an isolated one gives back that share of its wallet."""
    wallets, asset = account.ledger.cross_wallets, leg.symbol.margin_asset
    gained = leg.unrealized_profit(mark) * share
    if leg.isolated_wallet is not None:
        gained += leg.isolated_wallet * share
        leg.isolated_wallet -= leg.isolated_wallet * share
    wallets[asset] = wallets.get(asset, ZERO) + gained
