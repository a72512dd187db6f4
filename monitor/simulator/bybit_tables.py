"""
What Bybit publishes about its contracts and collateral: instruments, risk limits, ratios.

Every row says whether it was seen published (`invented=False`) or filled in so that a ladder
is long enough to be climbed. Invented rows follow the published recurrence of the deductions,
so they hold together, but no such row was ever read at the exchange.

It knows no account and no price.

Source: Bybit "Derivatives margin parameters" and "Get Risk Limit"; first tiers as answered
live in 2025-12 to 2026-10; announcement of 2025-07-01 for the small caps.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

D = Decimal
Category = Literal["linear", "inverse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """
    A contract; sizes are in base coin (linear) or in USD (inverse).

    One that expires has a `delivery_ms`, and its mark lies above the perpetual's by `premium`,
    a fraction.
    """

    symbol: str
    category: Category
    base: str
    quote: str
    settle: str
    tick: Decimal
    step: Decimal
    resting_price: Decimal
    delivery_ms: int = 0
    premium: Decimal = Decimal(0)

    @property
    def mark_step(self) -> Decimal:
        """The digits of a mark price: one more than those of an order price."""
        return self.tick / 10

    @property
    def least_price(self) -> Decimal:
        return self.tick

    @property
    def greatest_price(self) -> Decimal:
        return self.tick * 19_999_998


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskTier:
    """A risk limit; `deduction` keeps the maintenance margin continuous at its lower edge."""

    risk_id: int
    limit: Decimal
    max_leverage: Decimal
    maintenance_rate: Decimal
    initial_rate: Decimal
    deduction: Decimal
    invented: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioTier:
    """The collateral ratio of the slice of a coin between `floor` and `cap` (None: no end)."""

    floor: Decimal
    cap: Decimal | None
    ratio: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BorrowTier:
    """The rates on a borrowed amount up to `cap` coins."""

    cap: Decimal
    maintenance_rate: Decimal
    initial_rate: Decimal


_LINEAR = (
    # base, tick, step, resting price
    ("BTC", "0.10", "0.001", "100000"),
    ("ETH", "0.01", "0.01", "3500"),
    ("SOL", "0.010", "0.1", "180"),
    ("XRP", "0.0001", "0.1", "2.4"),
    ("BNB", "0.10", "0.01", "650"),
    ("ADA", "0.0001", "1", "0.7"),
    ("DOGE", "0.00001", "1", "0.2"),
    ("LTC", "0.01", "0.1", "100"),
    ("AVAX", "0.001", "0.1", "25"),
    ("LINK", "0.001", "0.1", "18"),
    ("HYPE", "0.001", "0.01", "40"),
    ("VOXEL", "0.00001", "1", "0.06"),
    ("SWEAT", "0.000001", "1", "0.004"),
    ("MYRO", "0.00001", "1", "0.02"),
    ("MAJOR", "0.00001", "1", "0.15"),
)
_PERP = (
    ("BTC", "0.10", "0.001", "100000"),
    ("ETH", "0.01", "0.01", "3500"),
    ("SOL", "0.010", "0.1", "180"),
)
_INVERSE = (
    ("BTC", "0.50", "1", "100000"),
    ("ETH", "0.05", "1", "3500"),
)


_EXPIRING = (
    # All but the spelling is invented: the last day of 2027, a Friday, at 08:00 UTC.
    ("BTC", "0.50", "0.001", "100000"),
    ("ETH", "0.05", "0.01", "3500"),
)
_DELIVERY_MS = 1_830_240_000_000
_PREMIUM = D("0.0125")


def _contracts() -> dict[str, Instrument]:
    found: list[Instrument] = []
    kinds: tuple[tuple[Category, str, str, tuple[tuple[str, str, str, str], ...]], ...] = (
        ("linear", "USDT", "USDT", _LINEAR),
        ("linear", "USDC", "PERP", _PERP),
        ("inverse", "USD", "USD", _INVERSE),
        ("linear", "USDT", "USDT-31DEC27", _EXPIRING),
        ("linear", "USDC", "-31DEC27", _EXPIRING),
        ("inverse", "USD", "USDZ27", _INVERSE),
    )
    for category, quote, suffix, rows in kinds:
        expires = suffix.endswith("27")
        found += [
            Instrument(
                symbol=base + suffix,
                category=category,
                base=base,
                quote=quote,
                settle=base if category == "inverse" else quote,
                tick=D(tick),
                step=D(step),
                resting_price=D(price),
                delivery_ms=_DELIVERY_MS if expires else 0,
                premium=_PREMIUM if expires else D(0),
            )
            for base, tick, step, price in rows
        ]
    return {instrument.symbol: instrument for instrument in found}


INSTRUMENTS: dict[str, Instrument] = _contracts()


def has_legs(symbol: str) -> bool:
    """Whether hedge mode has two legs of it: of the USDT perpetuals only."""
    it = INSTRUMENTS.get(symbol)
    return it is not None and it.settle == "USDT" and not it.delivery_ms


# limit, max leverage, maintenance %, initial %: published rows first, then invented ones
_Row = tuple[str, str, str, str]
_PUBLISHED: dict[str, tuple[_Row, ...]] = {
    # The first three rows as answered live in 2026-09; the rest from the undated copy of the
    # margin parameters, whose deductions all grow by the 510 of the new first tier.
    "BTCUSDT": (
        ("300000", "150", "0.33", "0.66"),
        ("2000000", "100", "0.5", "1"),
        ("2600000", "90", "0.56", "1.11"),
        ("3200000", "80", "0.63", "1.25"),
        ("3800000", "75", "0.67", "1.33"),
        ("4400000", "70", "0.71", "1.43"),
        ("5000000", "65", "0.77", "1.54"),
        ("5600000", "55", "0.91", "1.82"),
        ("8500000", "50", "1", "2"),
        ("10000000", "45", "1.3", "2.22"),
        ("14000000", "40", "1.5", "2.5"),
        ("20000000", "35", "1.6", "2.86"),
        ("28000000", "30", "2", "3.33"),
        ("38000000", "25", "2.5", "4"),
        ("50000000", "20", "2.9", "5"),
        ("55000000", "19", "3", "5.26"),
        ("60000000", "18", "3.5", "5.56"),
        ("65000000", "17", "3.6", "5.88"),
        ("70000000", "16", "3.8", "6.25"),
        ("75000000", "15", "4", "6.67"),
        ("80000000", "14", "4.5", "7.14"),
    ),
    "ETHUSDT": (("300000", "150", "0.33", "0.66"),),
    "SOLUSDT": (("50000", "100", "0.5", "1"),),
    "XRPUSDT": (("50000", "100", "0.5", "1"),),
    "BNBUSDT": (("10000", "75", "0.67", "1.33"),),
    "ADAUSDT": (("200000", "75", "0.75", "1.33"),),
    "HYPEUSDT": (
        ("5000", "75", "0.67", "1.3"),
        ("25000", "50", "1", "2"),
        ("50000", "45", "1.11", "2.2"),
    ),
    "BTCPERP": (("100000", "125", "0.4", "0.8"), ("1000000", "100", "0.5", "1")),
    "BTCUSD": (("150", "100", "0.5", "1"), ("300", "50", "1", "2")),
}
_SMALL_CAP: tuple[_Row, ...] = (
    ("5000", "20", "2.5", "5"),
    ("9000", "19", "2.63", "5.26"),
    ("13000", "18", "2.78", "5.56"),
    ("17000", "17", "2.94", "5.88"),
    ("21000", "16", "3.13", "6.25"),
    ("25000", "15", "3.33", "6.67"),
    ("40000", "14", "3.57", "7.14"),
    ("55000", "13", "3.85", "7.69"),
    ("70000", "12", "4.17", "8.33"),
    ("85000", "11", "4.55", "9.09"),
    ("100000", "10", "5", "10"),
    ("110000", "9.5", "5.26", "10.53"),
    ("120000", "9", "5.56", "11.11"),
    ("130000", "8.5", "5.88", "11.76"),
    ("140000", "8", "6.25", "12.5"),
    ("150000", "7.5", "6.67", "13.33"),
)
_INVENTED_LARGE: tuple[_Row, ...] = (
    ("1000000", "100", "0.5", "1"),
    ("3000000", "50", "1", "2"),
    ("8000000", "25", "2", "4"),
    ("20000000", "12.5", "4", "8"),
    ("40000000", "5", "10", "20"),
)
_INVENTED_MIDDLE: tuple[_Row, ...] = (
    ("500000", "75", "0.75", "1.33"),
    ("1500000", "50", "1", "2"),
    ("4000000", "25", "2", "4"),
    ("10000000", "12.5", "4", "8"),
    ("20000000", "5", "10", "20"),
)
_INVENTED_INVERSE_BTC: tuple[_Row, ...] = (
    ("50", "75", "0.75", "1.33"),
    ("100", "50", "1", "2"),
    ("250", "25", "2", "4"),
)
_INVENTED_INVERSE_ETH: tuple[_Row, ...] = (
    ("3000", "100", "0.5", "1"),
    ("6000", "50", "1", "2"),
)
_REST: dict[str, tuple[_Row, ...]] = {
    "BTCUSDT": (),
    "ETHUSDT": _INVENTED_LARGE,
    "HYPEUSDT": _INVENTED_MIDDLE[2:],
    "ADAUSDT": _INVENTED_MIDDLE[1:],
    "BTCPERP": _INVENTED_LARGE[1:],
    "BTCUSD": (),
    "ETHUSD": _INVENTED_INVERSE_ETH,
    "BTCUSDZ27": _INVENTED_INVERSE_BTC,
    "ETHUSDZ27": _INVENTED_INVERSE_ETH,
}
_SMALL = frozenset({"VOXELUSDT", "SWEATUSDT", "MYROUSDT", "MAJORUSDT"})


def ladder(rows: tuple[_Row, ...], seen: int, first_id: int) -> tuple[RiskTier, ...]:
    """
    The tiers of a symbol, each with its deduction by the published recurrence.

    Source: Bybit "Maintenance margin": d_1 = 0, d_n = d_(n-1) + limit_(n-1) (m_n - m_(n-1)).
    """
    tiers: list[RiskTier] = []
    for number, (limit, leverage, maintenance, initial) in enumerate(rows):
        rate = D(maintenance) / 100
        last = tiers[-1] if tiers else None
        tiers.append(
            RiskTier(
                risk_id=first_id + number,
                limit=D(limit),
                max_leverage=D(leverage),
                maintenance_rate=rate,
                initial_rate=D(initial) / 100,
                deduction=last.deduction + last.limit * (rate - last.maintenance_rate)
                if last
                else D(0),
                invented=number >= seen,
            )
        )
    return tuple(tiers)


def _risk_limits() -> dict[str, tuple[RiskTier, ...]]:
    limits: dict[str, tuple[RiskTier, ...]] = {}
    for place, symbol in enumerate(INSTRUMENTS):
        seen = _SMALL_CAP if symbol in _SMALL else _PUBLISHED.get(symbol, ())
        rest = () if symbol in _SMALL else _REST.get(symbol, _INVENTED_MIDDLE)
        limits[symbol] = ladder(seen + rest, len(seen), 100 * place + 1)
    return limits


RISK_LIMITS: dict[str, tuple[RiskTier, ...]] = _risk_limits()


def _slices(*steps: tuple[str | None, str]) -> tuple[RatioTier, ...]:
    tiers: list[RatioTier] = []
    floor = D(0)
    for cap, ratio in steps:
        tiers.append(
            RatioTier(floor=floor, cap=None if cap is None else D(cap), ratio=D(ratio)),
        )
        floor = tiers[-1].cap or floor
    return tuple(tiers)


# BTC's steps are the example table of "Collateral value ratio tiers" (2025-09-18); those of
# USDT are its ratio there; every other row is invented.
COLLATERAL_RATIOS: dict[str, tuple[RatioTier, ...]] = {
    "USDT": _slices((None, "1")),
    "USDC": _slices((None, "1")),
    "BTC": _slices(
        ("10", "0.98"),
        ("20", "0.95"),
        ("30", "0.90"),
        ("40", "0.85"),
        ("50", "0.80"),
        (None, "0"),
    ),
    "ETH": _slices(("150", "0.97"), ("500", "0.93"), ("1000", "0.85"), (None, "0")),
    "SOL": _slices(("2000", "0.90"), ("8000", "0.80"), (None, "0")),
    "XRP": _slices(("100000", "0.85"), ("500000", "0.70"), (None, "0")),
    "BNB": _slices(("500", "0.90"), (None, "0")),
    "ADA": _slices(("200000", "0.80"), (None, "0")),
    "DOGE": _slices(("500000", "0.80"), (None, "0")),
    "LTC": _slices(("2000", "0.85"), (None, "0")),
}


def _borrowing(*rows: tuple[str, str, str]) -> tuple[BorrowTier, ...]:
    return tuple(
        BorrowTier(cap=D(cap), maintenance_rate=D(maintenance), initial_rate=D(initial))
        for cap, maintenance, initial in rows
    )


# BTC as in the documented answer of "Get Position Tiers"; the others invented.
BORROW_TIERS: dict[str, tuple[BorrowTier, ...]] = {
    "BTC": _borrowing(
        ("390", "0.04", "0.2"),
        ("391", "0.04", "0.25"),
        ("392", "0.04", "0.33333333"),
        ("393", "0.04", "0.5"),
    ),
    "USDT": _borrowing(
        ("200000", "0.02", "0.1"), ("1000000", "0.03", "0.125"), ("8000000", "0.05", "0.2")
    ),
    "USDC": _borrowing(
        ("200000", "0.02", "0.1"), ("1000000", "0.03", "0.125"), ("8000000", "0.05", "0.2")
    ),
    "ETH": _borrowing(("500", "0.04", "0.2"), ("5000", "0.06", "0.25")),
}
ANY_BORROW_TIER = BorrowTier(
    cap=D(1_000_000_000), maintenance_rate=D("0.05"), initial_rate=D("0.25")
)
