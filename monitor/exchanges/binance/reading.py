"""
How an account is read: which calls are still wanted, and when the replies make a whole.

Must not know margin rules (`pools.py`) or events (`updates.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed
from monitor.exchanges.binance.account import (
    has_config,
    read_assets,
    read_config,
    read_positions,
    read_sketches,
)
from monitor.exchanges.binance.calls import (
    ACCOUNT,
    ACCOUNT_KIND,
    CONFIG,
    CONTRACTS,
    LEVERAGES,
    PLAIN_ORDERS,
    POSITIONS,
    STOP_ORDERS,
    bracket_call,
    contract_call,
    fee_call,
)
from monitor.exchanges.binance.contracts import has_contract
from monitor.exchanges.binance.marks import mark_call
from monitor.exchanges.binance.modes import (
    refuse_credits,
    refuse_multi_assets,
    refuse_portfolio_margin,
)
from monitor.exchanges.binance.tiers import has_brackets
from monitor.exchanges.binance.view import UsdmAccount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.binance.account import PositionKey, PositionRow, Sketch
    from monitor.exchanges.port import Replies, RestCall

FIRST_CALLS = (CONFIG, ACCOUNT, POSITIONS, ACCOUNT_KIND)


def needed(replies: Replies) -> tuple[RestCall, ...]:
    """
    The calls still wanted: first mode, wallet and positions; then what the held symbols ask
    for. Replies that can't be read want nothing more: `read_account` says what is wrong.
    """
    first = tuple(call for call in FIRST_CALLS if not replies.has(call))
    if has_config(replies):
        first = tuple(call for call in first if call is not CONFIG)
    if not (has_config(replies) and replies.has(POSITIONS)):
        return first
    try:
        wanted = [call for call in _calls_for(replies) if _is_missing(replies, call)]
    except ExchangeError:
        wanted = []
    return (*first, *wanted)


def _is_missing(replies: Replies, call: RestCall) -> bool:
    """Whether no reply answers a call, or the one that does leaves its symbol out."""
    symbol = dict(call.query).get("symbol", "")
    if call.path == bracket_call(symbol).path:
        return not has_brackets(replies, symbol)
    if call == contract_call(symbol):
        return not has_contract(replies, symbol)
    return not replies.has(call)


def _calls_for(replies: Replies) -> tuple[RestCall, ...]:
    positions = read_positions(replies)
    if not positions or read_config(replies).multi_assets:
        return ()
    symbols = sorted({row.symbol for row in positions.values()})
    unmarked = sorted({row.symbol for row in positions.values() if row.mark_price is None})
    return (
        *_contract_calls(replies, symbols),
        *(bracket_call(symbol) for symbol in symbols),
        LEVERAGES,
        STOP_ORDERS,
        PLAIN_ORDERS,
        *(fee_call(symbol) for symbol in _one_per_asset(positions)),
        *(mark_call(symbol) for symbol in unmarked),
    )


def _contract_calls(replies: Replies, symbols: list[str]) -> tuple[RestCall, ...]:
    """The contract list; where a day-old one lacks a symbol, the list anew for its sake."""
    unknown = [symbol for symbol in symbols if not has_contract(replies, symbol)]
    if unknown and not replies.has(CONTRACTS):
        return (CONTRACTS,)
    return tuple(contract_call(symbol) for symbol in unknown)


def _one_per_asset(positions: Mapping[PositionKey, PositionRow]) -> tuple[str, ...]:
    """One symbol of every margin asset: its fee rate stands for the others'."""
    first: dict[str | None, str] = {}
    for row in sorted(positions.values(), key=lambda row: row.symbol):
        first.setdefault(row.asset, row.symbol)
    return tuple(first.values())


def read_account(account: str, replies: Replies) -> UsdmAccount:
    """
    The account's view.

    Raises:
        Unmodelled: If its mode is not single-asset USDⓈ-M; the mode is named.
        MissingReply: If a reply that the figures need was not given.
        Malformed: If one can't be read, or two that belong together don't.
    """
    refuse_portfolio_margin(replies)
    config = read_config(replies)
    refuse_multi_assets(config)
    assets = read_assets(replies)
    refuse_credits(*assets)
    positions = read_positions(replies)
    sketches = read_sketches(replies)
    _check_one_moment(positions, sketches)
    return UsdmAccount(
        account=account,
        replies=replies,
        config=config,
        assets=assets,
        positions=positions,
        sketches=sketches,
    )


def _check_one_moment(
    positions: Mapping[PositionKey, PositionRow], sketches: Mapping[PositionKey, Sketch]
) -> None:
    """
    Wallet and position rows come by two calls; a trade between them makes a false pair.

    An account reply without any position is let pass: the rows then show the only position
    in full, at worst one that closed this very moment.

    Raises:
        Malformed: If the account reply's open positions are not those of the position rows.
    """
    told = {key: row.amount for key, row in positions.items()}
    drawn = {key: sketch.amount for key, sketch in sketches.items()}
    if drawn and told != drawn:
        differing = sorted({symbol for symbol, _ in dict(told.items() ^ drawn.items())})
        raise Malformed(
            "positionRisk",
            "the very positions of the account reply",
            f"others in {', '.join(differing)} (traded in between: read both again)",
        )
