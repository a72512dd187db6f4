"""
What OKX publishes about its contracts and collateral: instruments, tiers, discounts, fees.

A tier is `invented` where no published row for it was found; such rows follow the exchange's
announced rule (every further tier adds as many contracts, and half a percent to both rates).

It knows no account and no price.

Source: OKX "Get instruments", "Get position tiers", "Get discount rate and interest-free
quota"; announcements of 2021-06-11, 2022-11-08, 2023-08-23, 2023-10-31 and 2025-11-13; first
tiers of BTC and ETH as answered live on 2026-09-25.
"""

from dataclasses import dataclass
from decimal import Decimal

D = Decimal
TAKER_RATE = D("0.0005")
MAKER_RATE = D("0.0002")
SPOT_TAKER_RATE = D("0.001")
SPOT_MAKER_RATE = D("0.0008")
_TIERS_IN_A_TABLE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A swap; `face` is one contract in base coin (linear) or in USD (inverse)."""

    inst_id: str
    base: str
    quote: str
    settle: str
    face: Decimal
    tick: Decimal
    lot: Decimal
    lever: str
    resting_price: Decimal

    @property
    def is_linear(self) -> bool:
        return self.settle == self.quote

    @property
    def family(self) -> str:
        return f"{self.base}-{self.quote}"

    @property
    def mark_step(self) -> Decimal:
        return self.tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Holds up to `max_size` contracts; its rates apply to the whole position."""

    number: int
    min_size: Decimal
    max_size: Decimal
    mmr: Decimal
    imr: Decimal
    invented: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """The rate of the slice of a coin between `floor` and `cap` (None: no end)."""

    floor: Decimal
    cap: Decimal | None
    rate: Decimal


_SWAPS = (
    # instrument, face, tick, lot, lever, resting price
    ("BTC-USDT-SWAP", "0.01", "0.1", "0.01", "100", "100000"),
    ("ETH-USDT-SWAP", "0.1", "0.01", "0.01", "100", "3500"),
    ("SOL-USDT-SWAP", "1", "0.01", "0.01", "76", "180"),
    ("XRP-USDT-SWAP", "100", "0.0001", "0.01", "50", "2.4"),
    ("DOGE-USDT-SWAP", "1000", "0.00001", "0.01", "50", "0.2"),
    ("ADA-USDT-SWAP", "100", "0.0001", "0.1", "50", "0.7"),
    ("LTC-USDT-SWAP", "1", "0.01", "0.1", "50", "100"),
    ("ASTER-USDT-SWAP", "1", "0.0001", "1", "50", "1.1"),
    ("ACE-USDT-SWAP", "1", "0.0001", "1", "20", "0.4"),
    ("BTC-USDC-SWAP", "0.0001", "0.1", "1", "75", "100000"),
    ("BTC-USD-SWAP", "100", "0.1", "0.1", "100", "100000"),
    ("ETH-USD-SWAP", "10", "0.01", "0.1", "75", "3500"),
    ("SOL-USD-SWAP", "10", "0.01", "0.1", "76", "180"),
)


def _swap(row: tuple[str, str, str, str, str, str]) -> Instrument:
    inst_id, face, tick, lot, lever, price = row
    base, quote, _ = inst_id.split("-")
    return Instrument(
        inst_id=inst_id,
        base=base,
        quote=quote,
        settle=base if quote == "USD" else quote,
        face=D(face),
        tick=D(tick),
        lot=D(lot),
        lever=lever,
        resting_price=D(price),
    )


INSTRUMENTS: dict[str, Instrument] = {row[0]: _swap(row) for row in _SWAPS}

_Row = tuple[str, str, str]  # contracts up to, maintenance %, initial %
# family: published rows, invented rows, and how many contracts each further tier adds
_LADDERS: dict[str, tuple[tuple[_Row, ...], tuple[_Row, ...], str]] = {
    "BTC-USDT": ((("1000", "0.4", "1"),), (("2000", "0.5", "1.33"), ("5000", "1", "2")), "5000"),
    "ETH-USDT": ((("5000", "0.4", "1"),), (("10000", "0.5", "1.33"), ("20000", "1", "2")), "20000"),
    "SOL-USDT": (
        (
            ("500", "1", "1.3"),
            ("1000", "1.5", "2"),
            ("4000", "2", "5"),
            ("8000", "2.5", "5.5"),
        ),
        (),
        "4000",
    ),
    "SOL-USD": (
        (
            ("1000", "1", "1.3"),
            ("2500", "1.5", "2"),
            ("5000", "2", "5"),
            ("10000", "2.5", "5.5"),
        ),
        (),
        "5000",
    ),
    "BTC-USDC": (
        (("15000", "0.5", "1.33"), ("30000", "0.75", "2"), ("60000", "1", "2.5")),
        (),
        "60000",
    ),
    "ADA-USDT": ((("1500", "0.5", "2"), ("3000", "0.75", "2.5"), ("6000", "1", "3")), (), "6000"),
    "ASTER-USDT": (
        (("42000", "1", "2"), ("82000", "1.5", "2.5"), ("150000", "3", "5")),
        (),
        "150000",
    ),
    "ACE-USDT": (
        (("12000", "2", "5"), ("22000", "3", "6.66"), ("35000", "4", "8")),
        (),
        "12000",
    ),
    "BTC-USD": ((), (("1000", "0.4", "1"), ("2000", "0.5", "1.33"), ("4000", "0.75", "2")), "2000"),
    # The rates of the first tiers were seen (0.5 % on ETH-USD, 0.65 % on LTC-USDT); the sizes
    # were not.
    "ETH-USD": ((), (("10000", "0.5", "1.33"), ("20000", "0.75", "2")), "10000"),
    "LTC-USDT": ((), (("1000", "0.65", "2"), ("3000", "1", "3")), "3000"),
    "XRP-USDT": ((), (("5000", "0.65", "2"), ("15000", "1", "3")), "15000"),
    "DOGE-USDT": ((), (("5000", "0.65", "2"), ("15000", "1", "3")), "15000"),
}


def _ladder(family: str) -> tuple[Tier, ...]:
    seen, guessed, step = _LADDERS[family]
    rows = [*seen, *guessed]
    while len(rows) < _TIERS_IN_A_TABLE:
        size, mmr, imr = rows[-1]
        rows.append((str(D(size) + D(step)), str(D(mmr) + D("0.5")), str(D(imr) + D("0.5"))))
    tiers: list[Tier] = []
    for number, (size, mmr, imr) in enumerate(rows, 1):
        tiers.append(
            Tier(
                number=number,
                # The exchange's own tables step by one here, though sizes have fractions.
                min_size=tiers[-1].max_size + 1 if tiers else D(0),
                max_size=D(size),
                mmr=D(mmr) / 100,
                imr=D(imr) / 100,
                invented=number > len(seen),
            )
        )
    return tuple(tiers)


TIERS: dict[str, tuple[Tier, ...]] = {family: _ladder(family) for family in _LADDERS}


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

# Maintenance and initial rate of a borrowing: 3 % on BTC was recovered from an official
# sample; the others are invented.
BORROW_RATES: dict[str, tuple[Decimal, Decimal]] = {
    "BTC": (D("0.03"), D("0.1")),
    "USDT": (D("0.02"), D("0.1")),
    "USDC": (D("0.02"), D("0.1")),
}
ANY_BORROW_RATES = (D("0.03"), D("0.1"))

# Fee groups as the instruments name them: 1 spot, 2 linear contracts, 3 inverse contracts.
SPOT_GROUP, LINEAR_GROUP, INVERSE_GROUP = "1", "2", "3"
