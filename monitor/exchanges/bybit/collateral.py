"""
The coins of a unified wallet → collateral: price, haircut, and what a floating coin follows.

A coin's price is the USD index that Bybit valued it at, `usdValue` ÷ `equity`. Between two
readings a floating coin's price goes with that index where Bybit streams it, else with the mark
of a contract on the coin; a stablecoin keeps its price until the next reading.

Source: Bybit «Collateral Value Ratio Tiers» and glossary «Unified Trading Account», 2025-09-18
and 2026-03-13.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import MissingReply
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import answers, listing, naming, priced_at_named, rows_of
from monitor.exchanges.bybit.index import index_calls, index_of, live_call, live_index
from monitor.exchanges.bybit.instruments import listed
from monitor.exchanges.bybit.tiers import borrow_of, haircuts
from monitor.risk.model import ONE, ZERO, Collateral, Follow, HaircutStep, Mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitor.exchanges.bybit.rows import Coin, Held
    from monitor.exchanges.call import Replies, RestCall
    from monitor.risk.model import Borrow, Instrument

STABLECOINS = frozenset(
    {"USDT", "USDC", "USDE", "DAI", "FDUSD", "USD1", "PYUSD", "RLUSD", "TUSD", "USDD", "USDTB"}
)
# What eight decimals of several figures leave open, in coins.
_DIGITS = Decimal("0.000001")
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


def asked_for_coin(
    replies: Replies, coin: Coin, legs: Iterable[Held], *, debts: bool
) -> list[RestCall]:
    """
    The calls that a coin of the wallet asks for, one after the other.

    Args:
        legs: What is held: a contract on the coin may bring its mark.
        debts: Whether a debt in the coin is charged by tiers of its own.
    """
    settles = any(leg.settle == coin.coin for leg in legs)
    if coin.is_empty and not settles:
        return []
    asked: list[RestCall] = []
    if debts and (settles or is_owed(coin)):
        asked.append(calls.borrow_tiers(coin.coin, optional=not coin.owed))
    if is_owed(coin) or settles:
        asked += index_calls(coin)
    switch = calls.collateral_switch(coin.coin)
    if coin.counts is None and not replies.has(switch):
        return [*asked, switch]
    if counts(replies, coin):
        asked.append(calls.collateral_ratio(coin.coin))
    if not _floats(replies, coin):
        return asked
    asked.append(live_call(coin.coin))
    symbol = _perpetual(coin.coin)
    has_index = live_index(replies, coin.coin) is not None
    if not has_index and all(leg.symbol != symbol for leg in legs):
        contract = calls.instrument(symbol, optional=True)
        asked.append(contract)
        if replies.has(contract) and listed(replies, contract) is not None:
            asked.append(calls.ticker(symbol, optional=True))
    return asked


def is_owed(coin: Coin) -> bool:
    """Whether there is a debt in the coin: borrowed outright, or a negative equity."""
    return bool(coin.owed) or coin.equity < ZERO


def collateral_of(  # noqa: PLR0913 - one coin, and what its mode makes of it
    replies: Replies,
    coin: Coin,
    anchor: Anchor | None,
    *,
    debts: bool,
    options: bool,
    settles: bool,
) -> Collateral:
    """
    The coin as collateral.

    Args:
        debts: Whether a debt in the coin is charged by tiers of its own (cross margin).
        options: Whether the value of options counts (portfolio margin).
        settles: Whether positions settle in the coin, so that a debt may begin on the way.

    Raises:
        MissingReply, Malformed: If its ratios, switches or, for a debt, its tiers are missing
            or unreadable.
    """
    counted = counts(replies, coin)
    follows = None
    if anchor is not None:
        follows = Follow(base=coin.coin, symbol=anchor.symbol, anchor_mark=anchor.mark.price)
    return Collateral(
        asset=coin.coin,
        balance=coin.own + (coin.option_value if options else ZERO),
        price=coin.price,
        haircuts=haircuts(replies, coin.coin) if counted else _NOTHING_COUNTS,
        follows=follows,
        borrow=_borrow(replies, coin, settles=settles) if debts else None,
    )


def _borrow(replies: Replies, coin: Coin, *, settles: bool) -> Borrow | None:
    """
    What a debt in the coin is, or would be, charged.

    Whether an unrealized negative equity is charged like a loan is not published. Bybit's own
    borrowed amount says so: where it leaves a negative equity out, nothing is charged here.
    """
    if not (settles or is_owed(coin)):
        return None
    if coin.equity < -_DIGITS and not coin.owed:
        return None
    try:
        found = borrow_of(replies, coin.coin, _loan(coin), coin.owed)
        return None if found is None else replace(found, beside=_beside(coin))
    except MissingReply:
        if coin.owed:
            raise
        return None


def untold_debts(
    replies: Replies, coins: Iterable[Coin], settles: Iterable[str]
) -> tuple[str, ...]:
    """
    Of which coins nobody knows what a debt that began on the way would be charged, in words.

    Nothing is charged for it then. A debt that stands needs its tiers, or its pool is blind.
    """
    settled = frozenset(settles)
    names = [
        c.coin
        for c in coins
        if c.coin in settled and not is_owed(c) and _borrow(replies, c, settles=True) is None
    ]
    if not names:
        return ()
    return (f"a debt in {', '.join(names)} would cost no margin here: Bybit's rates are not known",)


def _beside(coin: Coin) -> Decimal:
    """
    What options are worth, where what is owed says that a debt is of the whole equity.

    Cross margin does not count their value; the coin's equity, whose lack is a debt, holds it.
    """
    owed = max(coin.lent, -coin.equity, ZERO)
    return coin.option_value if abs(coin.owed - owed) <= _DIGITS else ZERO


def _loan(coin: Coin) -> Decimal:
    """
    Coins owed whatever the equity: those borrowed outright.

    Where Bybit counts more as borrowed than a loan and a negative equity explain (coins locked
    in orders are no equity to it), its own amount stands.
    """
    explained = max(coin.lent, -coin.equity, -coin.own - coin.unrealised_pnl, ZERO)
    return coin.owed if coin.owed > explained + _DIGITS else coin.lent


def anchor_of(
    replies: Replies,
    coin: Coin,
    held: Mapping[str, tuple[Instrument, Mark]],
    at: datetime,
) -> Anchor | None:
    """
    What a coin's price goes by from here on, None where it does not float or does not count.

    Its USD index, where a spot ticker shows that Bybit streams one; else a contract on the coin
    that is held, else the coin's USDT perpetual, else, where Bybit lists none or its ticker is
    not there, the index at this reading, which nothing moves.

    Args:
        held: Instrument and mark of every symbol held, by unified symbol.
    """
    if not _floats(replies, coin) or coin.price <= ZERO:
        return None
    if live_index(replies, coin.coin) is not None:
        index = index_of(coin.coin)
        # At the value of this very reading: the ticker's is of a moment later.
        return Anchor(symbol=index.symbol, mark=Mark(price=coin.price, at=at), instrument=index)
    for symbol, (instrument, mark) in held.items():
        if instrument.base == coin.coin:
            return Anchor(symbol=symbol, mark=mark, instrument=instrument)
    return _perpetual_anchor(replies, coin) or Anchor(
        symbol=index_of(coin.coin).symbol, mark=Mark(price=coin.price, at=at), instrument=None
    )


def _perpetual_anchor(replies: Replies, coin: Coin) -> Anchor | None:
    symbol = _perpetual(coin.coin)
    contract = calls.instrument(symbol, optional=True)
    if not (replies.has(contract) and answers(replies, calls.ticker(symbol))):
        return None
    instrument, mark = listed(replies, contract), ticker_mark(replies, symbol)
    if instrument is None or mark is None:
        return None
    return Anchor(symbol=instrument.symbol, mark=mark, instrument=instrument)


def ticker_mark(
    replies: Replies, symbol: str, category: str = "linear", key: str = "markPrice"
) -> Mark | None:
    """
    The symbol's mark by the tickers reply, None where there is no such reply or row.

    Raises:
        Malformed: If the row's mark is no number above 0.
    """
    call = calls.ticker(symbol, category)
    reply = replies.find(call)
    if reply is None:
        return None
    with naming(call.request):
        rows = [r for r in listing(replies, call).rows if r.optional_text("symbol") == symbol]
        if not rows:
            return None
        return Mark(price=rows[0].positive(key), at=priced_at_named(reply))


def _perpetual(coin: str) -> str:
    return f"{coin}USDT"


def _floats(replies: Replies, coin: Coin) -> bool:
    """Whether the coin's price moves what the account is worth: it counts, or it is owed."""
    if coin.coin in STABLECOINS:
        return False
    return is_owed(coin) or counts(replies, coin)
