"""
What OKX publishes about its contracts: instruments, tiers, fees.

A tier is `invented` where no published row for it was found; such rows follow the exchange's
announced rule (every further tier adds as many contracts, and half a percent to both rates).

It knows no account and no price.

Source: OKX "Get instruments", "Get position tiers"; announcements of 2021-06-11, 2022-11-08,
2023-08-23, 2023-10-31 and 2025-11-13; first tiers of BTC and ETH as answered live on 2026-09-25.
"""

from dataclasses import dataclass
from decimal import Decimal

D = Decimal
ZERO = D(0)
TAKER_RATE = D("0.0005")
MAKER_RATE = D("0.0002")
SPOT_TAKER_RATE = D("0.001")
SPOT_MAKER_RATE = D("0.0008")
_TIERS_IN_A_TABLE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """
    A contract, or the pair of a MARGIN position.

    `face` is one contract in base coin (linear) or in USD (inverse); `premium` is what its mark
    stands above the coin's price, as a fraction. `settle` is what this account settles in, and
    `named_settle` the exchange's word for it, which is "USD" where the account chooses.
    """

    inst_id: str
    kind: str
    family: str
    base: str
    quote: str
    settle: str
    is_linear: bool
    value: Decimal
    multiplier: Decimal
    tick: Decimal
    lot: Decimal
    lever: str
    resting_price: Decimal
    premium: Decimal = ZERO
    named_settle: str = ""

    @property
    def face(self) -> Decimal:
        return self.value * self.multiplier

    @property
    def uly(self) -> str:
        """Its underlying: the pair that it is quoted in."""
        return f"{self.base}-{self.quote}"

    @property
    def mark_step(self) -> Decimal:
        """Marks have finer digits than orders: recorded ones run to the last of a double."""
        return self.tick / 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Holds up to `max_size` contracts; its rates apply to the whole position."""

    number: int
    min_size: Decimal
    max_size: Decimal
    mmr: Decimal
    imr: Decimal
    invented: bool


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


# A multiplier other than 1 is invented: live contracts but options have 1. So are the sizes of
# contracts on XRP-USD and of the dated ones settled in USD (their first tier was seen).
_MULTIPLIED = (
    # instrument, value, multiplier, tick, lot, lever, resting price
    ("XRP-USD-SWAP", "1", "10", "0.0001", "1", "50", "2.4"),
    ("XRP-USDT-261225", "10", "10", "0.0001", "0.1", "20", "2.4"),
)
_FUTURES = (
    # instrument, face, tick, lot, lever, resting price
    ("BTC-USDT-261225", "0.01", "0.1", "0.01", "100", "100000"),
    ("BTC-USDT-270326", "0.01", "0.1", "0.01", "100", "100000"),
    ("ETH-USDT-261225", "0.1", "0.01", "0.01", "75", "3500"),
    ("ETH-USDT-270326", "0.1", "0.01", "0.01", "75", "3500"),
    ("BTC-USD-261225", "100", "0.1", "0.1", "100", "100000"),
    ("BTC-USD-270326", "100", "0.1", "0.1", "100", "100000"),
    ("ETH-USD-261225", "10", "0.01", "0.1", "75", "3500"),
    ("BTC-USD_UM-261225", "0.01", "0.1", "0.1", "20", "100000"),
    ("BTC-USD_UM-270326", "0.01", "0.1", "0.1", "20", "100000"),
)
# Marks of dated contracts stand above the coin's price, invented: more where later.
_PREMIUMS = {"261225": D("0.0012"), "270326": D("0.0085")}
_PAIRS = (
    # pair, tick, lever, resting price
    ("BTC-USDT", "0.1", "10", "100000"),
    ("ETH-USDT", "0.01", "10", "3500"),
    ("SOL-USDT", "0.01", "10", "180"),
    ("BTC-USDC", "0.1", "10", "100000"),
)
SETTLE_CCY = "USDC"  # what the accounts here have chosen for contracts settled in USD


def _contract(inst_id: str, value: str, multiplier: str, row: tuple[str, ...]) -> Instrument:
    tick, lot, lever, price = row
    base, quoted, last = inst_id.split("-")
    quote, _, margined_in_usd = quoted.partition("_")
    inverse = quoted == "USD"
    return Instrument(
        inst_id=inst_id,
        kind="SWAP" if last == "SWAP" else "FUTURES",
        family=f"{base}-{quoted}",
        base=base,
        quote=quote,
        settle=base if inverse else SETTLE_CCY if margined_in_usd else quote,
        is_linear=not inverse,
        value=D(value),
        multiplier=D(multiplier),
        tick=D(tick),
        lot=D(lot),
        lever=lever,
        resting_price=D(price),
        premium=_PREMIUMS.get(last, ZERO),
        named_settle="USD" if margined_in_usd else "",
    )


def _pair(row: tuple[str, str, str, str]) -> Instrument:
    inst_id, tick, lever, price = row
    base, quote = inst_id.split("-")
    return Instrument(
        inst_id=inst_id,
        kind="MARGIN",
        family="",
        base=base,
        quote=quote,
        settle=quote,
        is_linear=True,
        value=D(1),
        multiplier=D(1),
        tick=D(tick),
        lot=D("0.00000001"),
        lever=lever,
        resting_price=D(price),
    )


INSTRUMENTS: dict[str, Instrument] = {
    **{row[0]: _contract(row[0], row[1], "1", row[2:]) for row in (*_SWAPS, *_FUTURES)},
    **{row[0]: _contract(row[0], row[1], row[2], row[3:]) for row in _MULTIPLIED},
}
PAIRS: dict[str, Instrument] = {row[0]: _pair(row) for row in _PAIRS}


def instrument_of(inst_id: str) -> Instrument:
    """The contract or pair of this id. Raises KeyError if there is none."""
    return INSTRUMENTS[inst_id] if inst_id in INSTRUMENTS else PAIRS[inst_id]


_Row = tuple[str, str, str]  # contracts up to, maintenance %, initial %
# published rows, invented rows, and how many contracts each further tier adds
_Ladder = tuple[tuple[_Row, ...], tuple[_Row, ...], str]
_SWAP_LADDERS: dict[str, _Ladder] = {
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
    "XRP-USD": ((), (("20000", "0.65", "2"), ("60000", "1", "3")), "60000"),
}
# Dated contracts have tables of their own; only the first tier of those settled in USD was seen.
_FUTURES_LADDERS: dict[str, _Ladder] = {
    "BTC-USDT": (
        (),
        (("800", "0.45", "1"), ("1600", "0.6", "1.5"), ("4000", "1.1", "2.5")),
        "4000",
    ),
    "ETH-USDT": ((), (("3000", "0.5", "1.33"), ("9000", "0.8", "2")), "9000"),
    "XRP-USDT": ((), (("4000", "1", "5"), ("12000", "1.5", "6")), "12000"),
    "BTC-USD": ((), (("900", "0.45", "1"), ("1800", "0.6", "1.5")), "2500"),
    "ETH-USD": ((), (("8000", "0.6", "1.5"), ("16000", "0.9", "2")), "8000"),
    "BTC-USD_UM": ((("4000", "2", "5"),), (), "4000"),
}


def _ladder(rows_of: _Ladder) -> tuple[Tier, ...]:
    seen, guessed, step = rows_of
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


TIERS: dict[str, dict[str, tuple[Tier, ...]]] = {
    "SWAP": {family: _ladder(rows) for family, rows in _SWAP_LADDERS.items()},
    "FUTURES": {family: _ladder(rows) for family, rows in _FUTURES_LADDERS.items()},
}
"""Tiers by kind and family."""


# Fee groups as the instruments name them: 1 spot, 2 linear contracts, 3 inverse contracts.
SPOT_GROUP, LINEAR_GROUP, INVERSE_GROUP = "1", "2", "3"
