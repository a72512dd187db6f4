"""
The coins of a unified wallet → collateral: price, haircut, and what a floating coin follows.

A coin's price is the USD index that Bybit valued it at, `usdValue` ÷ `equity`. Between two
readings a floating coin's price goes with the mark of a linear contract on it; a stablecoin
keeps its price until the next reading.

Source: Bybit «Collateral Value Ratio Tiers» and glossary «Unified Trading Account», 2025-09-18
and 2026-03-13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import answered_at_named, listing, naming, rows_of
from monitor.exchanges.bybit.instruments import listed
from monitor.exchanges.bybit.tiers import haircuts
from monitor.risk.model import ONE, ZERO, Collateral, Follow, HaircutStep, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.exchanges.bybit.rows import Coin
    from monitor.exchanges.port import Replies, RestCall
    from monitor.risk.model import Instrument

STABLECOINS = frozenset(
    {"USDT", "USDC", "USDE", "DAI", "FDUSD", "USD1", "PYUSD", "RLUSD", "TUSD", "USDD", "USDTB"}
)
_NOTHING_COUNTS = (HaircutStep(up_to=None, haircut=ONE),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A mark that a floating coin can follow; `instrument` is None where none is live."""

    symbol: str
    mark: Mark
    instrument: Instrument | None


def counts(replies: Replies, coin: Coin) -> bool:
    """
    Whether the coin is collateral: platform and user both let it be.

    Raises:
        MissingReply, Malformed: If neither its wallet row nor collateral-info says so.
    """
    if coin.counts is not None:
        return coin.counts
    call = calls.collateral_switch(coin.coin)
    with naming(call.request):
        row = rows_of(replies, call, "currency")[0]
        return row.boolean("marginCollateral") and row.boolean("collateralSwitch")


def asked_for_coin(replies: Replies, coin: Coin, held: frozenset[str]) -> list[RestCall]:
    """The calls that a coin of the wallet asks for, one after the other."""
    if coin.is_empty:
        return []
    switch = calls.collateral_switch(coin.coin)
    if coin.counts is None and not replies.has(switch):
        return [switch]
    if not counts(replies, coin):
        return []
    asked = [calls.collateral_ratio(coin.coin)]
    symbol = _perpetual(coin.coin)
    if _floats(coin) and symbol not in held:
        contract = calls.instrument(symbol, optional=True)
        asked.append(contract)
        if replies.has(contract) and listed(replies, contract) is not None:
            asked.append(calls.ticker(symbol, optional=True))
    return asked


def collateral_of(replies: Replies, coin: Coin, anchor: Anchor | None) -> Collateral:
    """
    The coin as collateral.

    Raises:
        MissingReply, Malformed: If its ratios or switches are missing or unreadable.
    """
    counted = counts(replies, coin)
    follows = None
    if anchor is not None:
        follows = Follow(base=coin.coin, symbol=anchor.symbol, anchor_mark=anchor.mark.price)
    return Collateral(
        asset=coin.coin,
        balance=coin.wallet_balance,
        price=coin.price,
        haircuts=haircuts(replies, coin.coin) if counted else _NOTHING_COUNTS,
        follows=follows,
    )


def anchor_of(
    replies: Replies,
    coin: Coin,
    held: Mapping[str, tuple[Instrument, Mark]],
    at: datetime,
) -> Anchor | None:
    """
    What a coin's price goes by from here on, None where it does not float or does not count.

    A contract on the coin that is held, else the coin's USDT perpetual, else, where Bybit lists
    none or its ticker is not there, the coin's own index at this reading, which nothing moves.

    Args:
        held: Instrument and mark of every symbol held, by unified symbol.
    """
    if not _floats(coin) or coin.price <= ZERO or not counts(replies, coin):
        return None
    for symbol, (instrument, mark) in held.items():
        if instrument.base == coin.coin:
            return Anchor(symbol=symbol, mark=mark, instrument=instrument)
    return _perpetual_anchor(replies, coin) or Anchor(
        symbol=f"{coin.coin}/USD", mark=Mark(price=coin.price, at=at), instrument=None
    )


def _perpetual_anchor(replies: Replies, coin: Coin) -> Anchor | None:
    symbol = _perpetual(coin.coin)
    contract = calls.instrument(symbol, optional=True)
    if not replies.has(contract):
        return None
    instrument, mark = listed(replies, contract), ticker_mark(replies, symbol)
    if instrument is None or mark is None:
        return None
    return Anchor(symbol=instrument.symbol, mark=mark, instrument=instrument)


def ticker_mark(replies: Replies, symbol: str) -> Mark | None:
    """
    The symbol's mark by the tickers reply, None where there is no such reply or row.

    Raises:
        Malformed: If the row's mark is no number above 0.
    """
    call = calls.ticker(symbol)
    reply = replies.find(call)
    if reply is None:
        return None
    with naming(call.request):
        rows = [r for r in listing(replies, call).rows if r.optional_text("symbol") == symbol]
        if not rows:
            return None
        return Mark(price=rows[0].positive("markPrice"), at=answered_at_named(reply))


def _perpetual(coin: str) -> str:
    return f"{coin}USDT"


def _floats(coin: Coin) -> bool:
    return coin.coin not in STABLECOINS and coin.wallet_balance > ZERO
