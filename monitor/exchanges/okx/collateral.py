"""
Coins as collateral of a multi-currency account: price, haircut, and what their price follows.

Knows one coin at a time; must not know the account's totals or requirements.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.okx import tables
from monitor.exchanges.okx.calls import BALANCE
from monitor.exchanges.okx.envelope import reading
from monitor.exchanges.okx.products import CONTRACTS, MARGIN, SWAP, product_of
from monitor.risk.model import ONE, ZERO, Collateral, Follow, Mark, Payoff
from monitor.risk.payoff import notional

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.exchanges.call import Replies
    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.rows import Coin
    from monitor.risk.model import Borrow, HaircutStep, Instrument

# Coins that stand for money: no mark moves them.
MONEY = frozenset(
    {"USD", "USDT", "USDC", "USDG", "DAI", "TUSD", "USDP", "PAX", "USDK", "PYUSD", "FDUSD"}
    | {"RLUSD", "USDD", "USD1", "EUR", "EURC", "EURT", "BRL", "AUD", "SGD", "AED", "TRY"}
)
# A USD figure with fewer digits than this leaves a price too coarse.
_FINE = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """
    A coin's USD price and, for one that floats, what it follows from there.

    `instrument` is None where no live mark exists: then `mark` stands in the snapshot alone.
    """

    price: Decimal
    follows: Follow | None = None
    mark: Mark | None = None
    instrument: Instrument | None = None

    @property
    def is_live(self) -> bool:
        return self.instrument is not None

    @property
    def marks(self) -> dict[str, Mark]:
        """The followed mark by its symbol; nothing for a coin that follows none."""
        if self.follows is None or self.mark is None:
            return {}
        return {self.follows.symbol: self.mark}


def followed(ccy: str) -> tuple[tuple[str, str], ...]:
    """Whose mark the coin follows where nothing of it is held: its perpetual, else its pair."""
    return (SWAP, f"{ccy}-USDT-SWAP"), (MARGIN, f"{ccy}-USDT")


def switches_tell(coins: Iterable[Coin]) -> bool:
    """
    Whether the account's flags «counts as collateral» mean what they say.

    Some replies have «false» beside every coin, also where OKX's own figure counts it. Where
    a coin that counts has «true», and none that counts has «false», they are kept.
    """
    flags = {c.counts_as_collateral for c in coins if c.discounted is not None and c.discounted > 0}
    return flags == {True}


def counts(coin: Coin, *, switches: bool) -> bool:
    """
    Whether the coin counts at all: it does not where its owner switched it off.

    OKX then discounts it to nothing. Where there is nothing of it yet, its flag alone tells, if
    `switches_tell`: profit and coins that come in count nothing either.
    """
    if coin.counts_as_collateral or coin.discounted is None or coin.discounted > ZERO:
        return True
    return coin.equity <= ZERO and not switches


def haircuts(coin: Coin, replies: Replies, *, switches: bool) -> tuple[HaircutStep, ...]:
    """
    What the coin loses as collateral: all of it where OKX lists no discount of it.

    The list is believed only if OKX's own figure of what the coin counts is nothing, too.

    Args:
        switches: As `counts` has it.

    Raises:
        MissingReply, Malformed: If its discount tiers are not there, or can't be read.
    """
    if not counts(coin, switches=switches) or (
        not coin.discounted and tables.leaves_out(replies, coin.ccy)
    ):
        return tables.COUNTS_NOTHING
    return tables.haircuts(replies, coin.ccy)


def floats(ccy: str, steps: tuple[HaircutStep, ...], *, is_burdened: bool) -> bool:
    """
    Whether a mark moves what the coin counts, or what is needed in it.

    Args:
        is_burdened: Something is owed of it, or positions settle in it: what they need, and a
            debt that they lose, moves with its price even where it counts for nothing.
    """
    return ccy not in MONEY and (is_burdened or any(step.haircut < ONE for step in steps))


def usd_price(coin: Coin, legs: Iterable[Leg]) -> Decimal:
    """
    USD per coin, by OKX's own figures: as told, else from equity, else from its positions.

    Raises:
        Malformed: If nothing tells it.
    """
    told, from_equity = told_price(coin), coin.price
    if told is not None:
        return told
    mine = tuple(leg for leg in legs if leg.row.ccy == coin.ccy)
    price = _first(leg.row.usd_price or _from_notional(leg) for leg in mine)
    # A coin of which there is nothing tells no price; what a contract is quoted at does.
    price = price or from_equity or _first(_from_quotation(leg) for leg in mine)
    if price is None:
        with reading(BALANCE):
            raise Malformed(f"details[ccy={coin.ccy}].eqUsd", "what the coin is worth", "nothing")
    return price


def told_price(coin: Coin) -> Decimal | None:
    """USD per coin by its own row alone; None where that does not tell it, or too coarsely."""
    if coin.usd_price is not None:
        return coin.usd_price
    return coin.price if _is_fine(coin.in_usd) else None


def _first(prices: Iterable[Decimal | None]) -> Decimal | None:
    return next((price for price in prices if price is not None), None)


def _from_quotation(leg: Leg) -> Decimal | None:
    """The index, else the mark, of an inverse contract quoted in USD per settle coin."""
    instrument = leg.instrument
    inverse = instrument.payoff is Payoff.INVERSE and leg.row.inst_type in CONTRACTS
    if not inverse or (instrument.base, instrument.quote) != (leg.row.ccy, "USD"):
        return None
    return leg.row.index_price or (None if leg.mark is None else leg.mark.price)


def _is_fine(usd: Decimal | None) -> bool:
    """Whether the last digit of a figure is a small part of it."""
    exponent = None if usd is None else usd.as_tuple().exponent
    if usd is None or not isinstance(exponent, int):
        return False
    return ONE.scaleb(exponent) <= _FINE * abs(usd)


def _from_notional(leg: Leg) -> Decimal | None:
    """A linear position's notional in USD over that in its settle coin."""
    linear = leg.instrument.payoff is Payoff.LINEAR and leg.row.inst_type in CONTRACTS
    if not linear or leg.mark is None or not leg.row.notional_usd:
        return None
    return abs(leg.row.notional_usd) / notional(leg.position, leg.mark.price)


def anchor(
    coin: Coin,
    steps: tuple[HaircutStep, ...],
    legs: tuple[Leg, ...],
    replies: Replies,
    at: datetime,
) -> Anchor:
    """
    Where the coin's price stands, and the mark that carries it on.

    That is the mark of what is held of the coin (its USDT-margined perpetual first), else of
    the coin's USDT perpetual or its USDT pair, else one of the snapshot's own that nothing
    moves but a common move of all prices.

    Raises:
        Malformed: If nothing tells the coin's price, or a mark can't be read.
    """
    price = usd_price(coin, legs)
    settles = any(leg.row.ccy == coin.ccy and leg.row.is_cross for leg in legs)
    if not floats(coin.ccy, steps, is_burdened=settles or bool(coin.owed)):
        return Anchor(price=price)
    live = _live(coin.ccy, legs, replies)
    mark, instrument = live or (Mark(price=price, at=at), None)
    symbol = f"{coin.ccy}/USD" if instrument is None else instrument.symbol
    follows = Follow(base=coin.ccy, symbol=symbol, anchor_mark=mark.price)
    return Anchor(price=price, follows=follows, mark=mark, instrument=instrument)


def _live(ccy: str, legs: tuple[Leg, ...], replies: Replies) -> tuple[Mark, Instrument] | None:
    """A mark of the coin that comes live, and of what; None where there is none."""
    found = [
        (_second_best(leg), leg.mark, leg.instrument)
        for leg in legs
        if leg.instrument.base == ccy and leg.mark is not None
    ]
    if found:
        return min(found, key=lambda held: held[0])[1:]
    for product, inst_id in followed(ccy):
        mark = tables.mark_of(replies, product, inst_id)
        if mark is not None:
            try:
                return mark, tables.instrument_of(replies, product, inst_id)
            except MissingReply:
                continue
    return None


def _second_best(leg: Leg) -> tuple[bool, bool]:
    """A perpetual before an expiry future or a pair, a USDT-margined one before others."""
    return product_of(leg.row.inst_id) != SWAP, leg.instrument.settle != "USDT"


def collateral(
    coin: Coin,
    amount: Decimal,
    steps: tuple[HaircutStep, ...],
    at_price: Anchor,
    borrow: Borrow | None,
) -> Collateral:
    """
    `amount` of the coin as collateral (isolated margin is not in it); PnL comes on top.

    A liability counts in full, and is charged margin of its own where `borrow` says so.
    Source: OKX help, «Discount rate», «Borrowing», official samples.
    """
    return Collateral(
        asset=coin.ccy,
        balance=amount,
        price=at_price.price,
        haircuts=steps,
        follows=at_price.follows,
        borrow=borrow,
    )
