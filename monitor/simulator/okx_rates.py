"""
What OKX publishes about coins: discount rates as collateral, tiers of borrowing.

It knows no account and no price.

Source: OKX "Get discount rate and interest-free quota", "Get position tiers" of type MARGIN.
"""

from dataclasses import dataclass
from decimal import Decimal

D = Decimal
_TIERS_IN_A_TABLE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """The rate of the slice of a coin between `floor` and `cap` (None: no end)."""

    floor: Decimal
    cap: Decimal | None
    rate: Decimal


def _slices(*steps: tuple[str | None, str]) -> tuple[Discount, ...]:
    slices: list[Discount] = []
    floor = D(0)
    for cap, rate in steps:
        slices.append(Discount(floor=floor, cap=None if cap is None else D(cap), rate=D(rate)))
        floor = slices[-1].cap or floor
    return tuple(slices)


# BTC is the exchange's help example, the first rates of ETH, USDC, LTC, OKB and ADA were seen
# in 2025-07, that of USDT in an official sample; steps and the other coins are invented.
DISCOUNTS: dict[str, tuple[Discount, ...]] = {
    "USDT": _slices((None, "1")),
    "USDC": _slices((None, "0.98")),
    "BTC": _slices(
        ("20", "0.98"),
        ("25", "0.975"),
        ("30", "0.97"),
        ("50", "0.965"),
        ("70", "0.96"),
        ("90", "0.955"),
        ("110", "0.95"),
        (None, "0.9"),
    ),
    "ETH": _slices(("1000", "0.98"), ("2000", "0.975"), ("4000", "0.965"), (None, "0.9")),
    "SOL": _slices(("5000", "0.95"), ("20000", "0.9"), (None, "0.8")),
    "LTC": _slices(("5000", "0.95"), (None, "0.85")),
    "OKB": _slices(("20000", "0.9"), (None, "0.8")),
    "ADA": _slices(("500000", "0.9"), (None, "0.8")),
    "XRP": _slices(("500000", "0.9"), (None, "0.8")),
    "DOGE": _slices(("500000", "0.85"), (None, "0.75")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanTier:
    """Holds a debt of up to `most` coins; its rates apply to the whole of it."""

    number: int
    least: Decimal
    most: Decimal
    mmr: Decimal
    imr: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTier:
    """The tier of a MARGIN position on a pair, by what is borrowed of its base or its quote."""

    number: int
    most_base: Decimal
    most_quote: Decimal
    mmr: Decimal
    imr: Decimal


def _loan_tiers(step: str, mmr_percent: str) -> tuple[LoanTier, ...]:
    """Steps of as many coins, each of a percent more."""
    return tuple(
        LoanTier(
            number=number,
            least=D(step) * (number - 1),
            most=D(step) * number,
            mmr=(D(mmr_percent) + number - 1) / 100,
            imr=D("0.09") + D(number) / 100,
        )
        for number in range(1, _TIERS_IN_A_TABLE + 1)
    )


# 3 %, 4 %, 5 % in steps of 25 BTC were captured in 2022, and 3 % on BTC recovered from an
# official sample, 2 % on USDT from a captured account; the rest is invented.
_LOAN_STEPS = {
    "BTC": ("25", "3"),
    "ETH": ("400", "3"),
    "SOL": ("5000", "3"),
    "USDT": ("500000", "2"),
    "USDC": ("500000", "2"),
}
_ANY_LOAN_STEP = ("100000", "4")
LOAN_TIERS = {ccy: _loan_tiers(*_LOAN_STEPS.get(ccy, _ANY_LOAN_STEP)) for ccy in DISCOUNTS}


def loan_tier(ccy: str, owed: Decimal) -> LoanTier:
    """The first tier that holds so large a debt; above the last, the last."""
    tiers = LOAN_TIERS.get(ccy) or _loan_tiers(*_ANY_LOAN_STEP)
    return next((tier for tier in tiers if owed <= tier.most), tiers[-1])


def _pair_tiers(base: str, quote: str) -> tuple[PairTier, ...]:
    """Invented but for the first rate, 2 %, which an official sample has."""
    return tuple(
        PairTier(
            number=number,
            most_base=D(base) * number,
            most_quote=D(quote) * number,
            mmr=(D(1) + number) / 100,
            imr=D("0.09") + D(number) / 100,
        )
        for number in range(1, _TIERS_IN_A_TABLE + 1)
    )


PAIR_TIERS = {
    "BTC-USDT": _pair_tiers("5", "500000"),
    "ETH-USDT": _pair_tiers("100", "400000"),
    "SOL-USDT": _pair_tiers("1500", "250000"),
    "BTC-USDC": _pair_tiers("3", "250000"),
}


def pair_tier(pair: str, owed: Decimal, *, in_base: bool) -> PairTier:
    """The first tier that holds so large a debt in the pair's base or quote; above, the last."""
    tiers = PAIR_TIERS[pair]
    for tier in tiers:
        if owed <= (tier.most_base if in_base else tier.most_quote):
            return tier
    return tiers[-1]
