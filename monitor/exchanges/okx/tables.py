"""
The tables that a position or a coin is figured with: contract, tiers, fee, discount, mark.

Looks them up in the replies by what is held, whoever asked for them; must not know pools.
What is not there is MissingReply, naming the request that would bring it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.okx import asked, calls
from monitor.exchanges.okx.envelope import only_row, reading, row_with, rows
from monitor.exchanges.okx.errors import NAME
from monitor.exchanges.okx.products import FUTURES, MARGIN, coins_in
from monitor.exchanges.okx.tiers import (
    initial_rate,
    read_borrow_tiers,
    read_loan_tiers,
    read_tiers,
)
from monitor.risk.model import (
    ONE,
    ZERO,
    Borrow,
    HaircutStep,
    Instrument,
    MarginMode,
    Mark,
    Payoff,
    TierTable,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.exchanges.call import Replies, RestCall
    from monitor.exchanges.payload import Row

_PAYOFFS = {"linear": Payoff.LINEAR, "inverse": Payoff.INVERSE}
# The deprecated fee fields, for a reply without fee groups.
_FEE_FIELDS = {"USDT": "takerU", "USDC": "takerUSDC"}
_USD = "USD"
COUNTS_NOTHING = (HaircutStep(up_to=None, haircut=ONE),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One contract as OKX lists it: the instrument, its family and its fee group."""

    instrument: Instrument
    product: str
    family: str
    fee_group: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One pair of margin trading: its coins, its lot in base coin and its fee group."""

    base: str
    quote: str
    lot: Decimal
    fee_group: str | None


def _row(replies: Replies, call: RestCall, key: str, value: str) -> Row:
    with reading(call):
        found = row_with(replies, call, key, value)
    if found is None:
        raise MissingReply(f"nothing is told of {value}", exchange=NAME, call=call.request)
    return found


def listed(replies: Replies, product: str, inst_id: str, margined_in: str | None = None) -> Listed:
    """
    The contract of this id.

    ``{"instId": "BTC-USD-SWAP", "instFamily": "BTC-USD", "uly": "BTC-USD", "ctType":
    "inverse", "ctVal": "100", "ctMult": "1", "settleCcy": "BTC", "lotSz": "0.1", …}``

    The payoff is `ctType`'s word, never the id's: USD-margined contracts are linear too.
    Those settle in the stablecoin that the account chose, whichever the list names: in the
    one that a position of it is `margined_in`.

    Raises:
        MissingReply, Malformed: If no reply lists it, or not in full.
    """
    call = calls.instrument(product, inst_id)
    row = _row(replies, call, "instId", inst_id)
    with reading(call):
        base, _, quote = row.text("uly").partition("-")
        payoff = row.one_of("ctType", _PAYOFFS)
        settle = row.text("settleCcy")
        if payoff is Payoff.LINEAR and quote == _USD and margined_in:
            settle = margined_in
        expiry = f"-{_date(row, inst_id)}" if product == FUTURES else ""
        instrument = Instrument(
            symbol=f"{base}/{quote}:{settle}{expiry}",
            exchange_symbol=inst_id,
            base=base,
            quote=quote,
            settle=settle,
            payoff=payoff,
            contract_size=row.positive("ctVal") * row.positive("ctMult"),
            lot=row.positive("lotSz"),
        )
        return Listed(
            instrument=instrument,
            product=product,
            family=row.text("instFamily"),
            fee_group=row.optional_text("groupId"),
        )


def _date(row: Row, inst_id: str) -> str:
    """The day of expiry as the unified symbol writes it: ``261225``."""
    return row.time("expTime").strftime("%y%m%d") if row.has("expTime") else inst_id[-6:]


def pair(replies: Replies, inst_id: str) -> Pair:
    """
    The pair of this id.

    ``{"instType": "MARGIN", "instId": "BTC-USDT", "baseCcy": "BTC", "quoteCcy": "USDT",
    "lotSz": "0.00000001", "tickSz": "0.1", …}``

    Raises:
        MissingReply, Malformed: If no reply lists it, or not in full.
    """
    call = asked.pair(replies, inst_id)
    row = _row(replies, call, "instId", inst_id)
    with reading(call):
        base, quote = coins_in(inst_id)
        return Pair(
            base=row.optional_text("baseCcy") or base,
            quote=row.optional_text("quoteCcy") or quote,
            lot=row.positive("lotSz"),
            fee_group=row.optional_text("groupId"),
        )


def instrument_of(replies: Replies, product: str, inst_id: str) -> Instrument:
    """
    The contract, or the pair as one coin a contract, of this id.

    Raises:
        MissingReply, Malformed: If no reply lists it, or not in full.
    """
    if product != MARGIN:
        return listed(replies, product, inst_id).instrument
    of = pair(replies, inst_id)
    return Instrument(
        symbol=f"{of.base}/{of.quote}",
        exchange_symbol=inst_id,
        base=of.base,
        quote=of.quote,
        settle=of.quote,
        payoff=Payoff.LINEAR,
        contract_size=ONE,
        lot=of.lot,
    )


def tier_table(replies: Replies, of: Listed, margin_mode: MarginMode) -> TierTable:
    """
    The tiers of a contract's family. Its cross positions are tiered together, isolated ones alone.

    Perpetuals and expiry futures of a family have tables, and sums, of their own.

    Raises:
        MissingReply, Malformed: If no reply holds them, or they can't be used.
    """
    product, family, name = of.product, of.family, of.instrument.exchange_symbol
    call = asked.tiers(replies, product, family, margin_mode.value, name)
    with reading(call):
        group = f"{product} {family}" if margin_mode is MarginMode.CROSS else None
        return read_tiers(rows(replies.get(call)), family, group)


def has_no_tiers(replies: Replies, of: Listed, margin_mode: MarginMode) -> bool:
    """
    Whether OKX was asked for a family's tiers and says that it has none: a new listing.

    It says so by a code; an empty list it never gives, and such a one is no answer.
    """
    name = of.instrument.exchange_symbol
    call = asked.tiers(replies, of.product, of.family, margin_mode.value, name)
    return not replies.has(call) and replies.tried(call)


def loan_table(
    replies: Replies, inst_id: str, margin_mode: MarginMode, *, of_base: bool
) -> TierTable:
    """
    The tiers of margin trading on a pair, by the coins borrowed of its base or its quote.

    Raises:
        MissingReply, Malformed: If no reply holds them, or they can't be used.
    """
    call = calls.loan_tiers(inst_id, margin_mode.value)
    with reading(call):
        return read_loan_tiers(rows(replies.get(call)), inst_id, of_base=of_base)


def borrowing(replies: Replies, ccy: str, owed: Decimal) -> Borrow | None:
    """
    What a debt in this coin is charged; None where nothing is owed and no tiers were told.

    Raises:
        MissingReply, Malformed: If something is owed and no reply tells, or it can't be used.
    """
    tiers, fees = calls.borrow_tiers(ccy), asked.loan_fees(replies)
    if not owed and not (replies.has(tiers) and replies.has(fees)):
        return None
    with reading(tiers):
        told = rows(replies.get(tiers))
        told = tuple(row for row in told if (row.optional_text("ccy") or ccy) == ccy)
        table, initial = read_borrow_tiers(told, ccy), initial_rate(told, owed)
    with reading(fees):
        row = only_row(rows(replies.get(fees)))
        return Borrow(tiers=table, fee_rate=_dearest(row), initial_rate=initial)


def _dearest(row: Row) -> Decimal:
    """
    The taker rate of margin trading: the one told for the account, else its dearest group's.

    Which group a coin's debt is charged by is not published.
    """
    groups = row.rows("feeGroup") if row.has("feeGroup") else ()
    if groups:
        return max(_charge(group, "taker") for group in groups)
    return _charge(row, "taker")


def taker_rate(replies: Replies, of: Listed) -> Decimal:
    """
    The rate that liquidation is charged with, as a fraction of notional; never negative.

    ``{"instType": "SWAP", "level": "Lv1", "feeGroup": [{"groupId": "1", "maker": "-0.0002",
    "taker": "-0.0005"}], "taker": "", "takerU": "", …}``: negative is a charge.

    Raises:
        MissingReply, Malformed: If no reply tells it, or tells of a rebate.
    """
    call = asked.fees(replies, of.product, of.family, of.instrument.exchange_symbol)
    with reading(call):
        row = only_row(rows(replies.get(call)))
        inverse = of.instrument.payoff is Payoff.INVERSE
        old = "taker" if inverse else _FEE_FIELDS.get(of.instrument.settle, "taker")
        return _taker(row, of.fee_group, old)


def pair_taker_rate(replies: Replies, inst_id: str, of: Pair) -> Decimal:
    """
    The rate that liquidating margin trading on a pair is charged with.

    Raises:
        MissingReply, Malformed: As `taker_rate` does.
    """
    call = asked.pair_fees(replies, inst_id)
    with reading(call):
        return _taker(only_row(rows(replies.get(call))), of.fee_group, "taker")


def _taker(row: Row, fee_group: str | None, old_field: str) -> Decimal:
    groups = row.rows("feeGroup") if row.has("feeGroup") else ()
    if groups and fee_group is not None:
        for group in groups:
            if group.text("groupId") == fee_group:
                return _charge(group, "taker")
        raise Malformed(row.at("feeGroup"), f"group {fee_group}", f"{len(groups)} others")
    if groups and not row.has(old_field):
        return _dearest(row)
    return _charge(row, old_field)


def _charge(place: Row, key: str) -> Decimal:
    rate = -place.decimal(key)
    if rate < ZERO:
        raise Malformed(place.at(key), "a charge, negative or 0", str(-rate))
    return rate


def haircuts(replies: Replies, ccy: str) -> tuple[HaircutStep, ...]:
    """
    What a coin loses as collateral, by tiers of its amount; marginal, like tax brackets.

    ``{"ccy": "BTC", "minDiscountRate": "0", "details": [{"tier": "1", "minAmt": "0",
    "maxAmt": "20", "discountRate": "0.98", …}, …]}``; an empty `maxAmt` has no end, beyond
    the last tier `minDiscountRate` holds.

    Raises:
        MissingReply, Malformed: If no reply tells them, or they overlap.

    Source: OKX API guide, «Get discount rate and interest-free quota»; help, «Discount rate».
    """
    call = calls.discount(ccy)
    row = _row(replies, call, "ccy", ccy)
    with reading(call):
        details = row.rows("details")
        if not details:
            raise Malformed(row.at("details"), f"the discount tiers of {ccy}", "none")
        steps: list[HaircutStep] = []
        for step in sorted((_step(detail) for detail in details), key=_end):
            if steps and (steps[-1].up_to is None or step.up_to == steps[-1].up_to):
                raise Malformed(row.at("details"), "tiers that don't overlap", f"{step.up_to}")
            steps.append(step)
        if steps[-1].up_to is not None:
            steps.append(HaircutStep(up_to=None, haircut=ONE - _rate(row, "minDiscountRate")))
        return tuple(steps)


def _step(row: Row) -> HaircutStep:
    end = row.positive("maxAmt") if row.has("maxAmt") else None
    row.raw("maxAmt")
    return HaircutStep(up_to=end, haircut=ONE - _rate(row, "discountRate"))


def _end(step: HaircutStep) -> tuple[bool, Decimal]:
    return step.up_to is None, step.up_to or ZERO


def _rate(row: Row, key: str) -> Decimal:
    rate = row.decimal(key)
    if not ZERO <= rate <= ONE:
        raise Malformed(row.at(key), "a rate from 0 to 1", str(rate))
    return rate


def leaves_out(replies: Replies, ccy: str) -> bool:
    """Whether a list of coins' discounts tells of other coins, and not of this one."""
    call = calls.discount(ccy)
    reply = replies.find(call)
    if reply is None:
        return False
    with reading(call):
        return row_with(replies, call, "ccy", ccy) is None and bool(rows(reply))


def mark_of(replies: Replies, product: str, inst_id: str) -> Mark | None:
    """The mark of an instrument as a mark-price reply tells it, None where there is none."""
    call = calls.mark(product, inst_id)
    with reading(call):
        row, reply = row_with(replies, call, "instId", inst_id), replies.find(call)
        if row is None or reply is None:
            return None
        return Mark(price=row.positive("markPx"), at=reply.by_our_clock(row.time("ts")))
