"""
The tables that a position or a coin is figured with: contract, tiers, fee, discount, mark.

Looks them up in the replies by what is held, whoever asked for them; must not know pools.
What is not there is MissingReply, naming the request that would bring it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.okx import calls
from monitor.exchanges.okx.envelope import only_row, reading, row_with, rows
from monitor.exchanges.okx.errors import NAME
from monitor.exchanges.okx.tiers import read_tiers
from monitor.risk.model import (
    ONE,
    ZERO,
    HaircutStep,
    Instrument,
    MarginMode,
    Mark,
    Payoff,
    TierTable,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.exchanges.payload import Row
    from monitor.exchanges.port import Replies, RestCall

_PAYOFFS = {"linear": Payoff.LINEAR, "inverse": Payoff.INVERSE}
# The deprecated fee fields, for a reply without fee groups.
_FEE_FIELDS = {"USDT": "takerU", "USDC": "takerUSDC"}
COUNTS_NOTHING = (HaircutStep(up_to=None, haircut=ONE),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One perpetual as OKX lists it: the instrument, its family and its fee group."""

    instrument: Instrument
    family: str
    fee_group: str | None


def _row(replies: Replies, call: RestCall, key: str, value: str) -> Row:
    with reading(call):
        found = row_with(replies, call, key, value)
    if found is None:
        raise MissingReply(f"nothing is told of {value}", exchange=NAME, call=call.request)
    return found


def listed(replies: Replies, inst_id: str) -> Listed:
    """
    The perpetual of this id.

    ``{"instId": "BTC-USD-SWAP", "instFamily": "BTC-USD", "uly": "BTC-USD", "ctType":
    "inverse", "ctVal": "100", "ctMult": "1", "settleCcy": "BTC", "lotSz": "0.1", …}``

    The payoff is `ctType`'s word, never the id's: USD-margined contracts are linear too.

    Raises:
        MissingReply, Malformed: If no reply lists it, or not in full.
    """
    call = calls.instrument(inst_id)
    row = _row(replies, call, "instId", inst_id)
    with reading(call):
        base, _, quote = row.text("uly").partition("-")
        settle = row.text("settleCcy")
        instrument = Instrument(
            symbol=f"{base}/{quote}:{settle}",
            exchange_symbol=inst_id,
            base=base,
            quote=quote,
            settle=settle,
            payoff=row.one_of("ctType", _PAYOFFS),
            contract_size=row.positive("ctVal") * row.positive("ctMult"),
            lot=row.positive("lotSz"),
        )
        return Listed(
            instrument=instrument,
            family=row.text("instFamily"),
            fee_group=row.optional_text("groupId"),
        )


def tier_table(replies: Replies, family: str, margin_mode: MarginMode) -> TierTable:
    """
    The tiers of a family. Cross positions of a family are tiered together, isolated ones alone.

    Raises:
        MissingReply, Malformed: If no reply holds them, or they can't be used.
    """
    call = calls.tiers(family, margin_mode.value)
    with reading(call):
        group = family if margin_mode is MarginMode.CROSS else None
        return read_tiers(rows(replies.get(call)), family, group)


def taker_rate(replies: Replies, of: Listed) -> Decimal:
    """
    The rate that liquidation is charged with, as a fraction of notional; never negative.

    ``{"instType": "SWAP", "level": "Lv1", "feeGroup": [{"groupId": "1", "maker": "-0.0002",
    "taker": "-0.0005"}], "taker": "", "takerU": "", …}``: negative is a charge.

    Raises:
        MissingReply, Malformed: If no reply tells it, or tells of a rebate.
    """
    call = calls.fees(of.family)
    with reading(call):
        row = only_row(rows(replies.get(call)))
        place, key = _fee_place(row, of)
        rate = -place.decimal(key)
        if rate < ZERO:
            raise Malformed(place.at(key), "a charge, negative or 0", str(-rate))
        return rate


def _fee_place(row: Row, of: Listed) -> tuple[Row, str]:
    groups = row.rows("feeGroup") if row.has("feeGroup") else ()
    if groups and of.fee_group is not None:
        for group in groups:
            if group.text("groupId") == of.fee_group:
                return group, "taker"
        raise Malformed(row.at("feeGroup"), f"group {of.fee_group}", f"{len(groups)} others")
    inverse = of.instrument.payoff is Payoff.INVERSE
    return row, "taker" if inverse else _FEE_FIELDS.get(of.instrument.settle, "taker")


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


def mark_of(replies: Replies, inst_id: str) -> Mark | None:
    """The mark of a perpetual as a mark-price reply tells it, None where there is none."""
    call = calls.mark(inst_id)
    with reading(call):
        row = row_with(replies, call, "instId", inst_id)
        return None if row is None else Mark(price=row.positive("markPx"), at=row.time("ts"))
