"""
How far prices may move against a pool until it is liquidated, by the simulator's books alone.

The meaning is that of the interface: every base coin with a net long falls and every one with a
net short rises, all by one fraction, until the pool stands at 100 %. Net is what the positions
come to and, read the other way, what they and the coins beside them come to; the nearer end of
the two counts. Nothing is computed here but that: prices are supposed on the exchange, and its
own pools say what is left at them. Which coin a contract is on, and which way it pays, is seen
by moving one coin after the other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from monitor.simulator.truth import PoolTruth, PositionTruth
from monitor.simulator.world import Exchange, World
from tests.hunt.plan import MARKS
from tests.hunt.record import FAR, Reach, Record

SURVEY_SECONDS = 30.0
# A coin is moved by so much to see what hangs on it.
TOUCH = Decimal("0.001")
# Roots are solved to so much of themselves.
CLOSE = Decimal("0.004")
# From such a change of what is left on, the distance is looked for anew.
STIRS = Decimal("0.005")
# Two contracts that cancel out to so much may count either way: rates of coins differ by that.
EVEN = Decimal("0.0003")
_ZERO, _ONE = Decimal(0), Decimal(1)
_MOST_STEPS = 40

Way = tuple[tuple[str, int], ...]
"""Coin and sign, in order: +1 rises, -1 falls."""
Slack = Callable[[Decimal], Decimal]


@dataclass(slots=True)
class _Known:
    """Of one pool: what was found last, and for which book; a root for each way."""

    held: tuple[object, ...] = ()
    left: Decimal = _ZERO
    surveyed_at: float = -1e9
    by_positions: tuple[Way, ...] = ()
    by_all: tuple[Way, ...] = ()
    roots: dict[Way, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class _Coin:
    """
    What hangs on one coin in a pool, in dollars: its legs, signed, and all of the balance.

    Without `is_base` contracts are quoted in it, and none is on it: whether it moves at all with
    the base coins depends on whether any of it lies in the pool.
    """

    legs: list[Decimal] = field(default_factory=list)
    symbols: set[str] = field(default_factory=set)
    counted: Decimal = _ZERO
    is_base: bool = False

    @property
    def net(self) -> Decimal:
        return sum(self.legs, _ZERO)

    @property
    def gross(self) -> Decimal:
        return sum(map(abs, self.legs), _ZERO)


class TrueDistance:
    """Looks at accounts at their present marks, and notes each pool's distance as it changes."""

    def __init__(self, world: World, record: Record) -> None:
        self._world = world
        self._record = record
        self._known: dict[tuple[str, str], _Known] = {}

    def sample(
        self, exchange: Exchange, account: str, pools: Sequence[PoolTruth], now: float
    ) -> None:
        """Note how far an account's pools, which are these at the published marks, may move."""
        for pool in pools:
            if not pool.positions and not pool.maintenance_margin:
                # Coins beside a debt may come to nothing, and there is nothing to liquidate.
                self._known.pop((account, pool.pool), None)
                self._record.reach(account, pool.pool, Reach(at=now, least=FAR, most=FAR))
                continue
            known = self._known.setdefault((account, pool.pool), _Known())
            held = tuple((p.exchange_symbol, p.side, p.contracts) for p in pool.positions)
            left = _left(pool)
            is_new = held != known.held or now - known.surveyed_at > SURVEY_SECONDS
            if is_new or abs(left - known.left) > STIRS * abs(known.left):
                look = _Look(self._world, exchange, account, pool)
                with look.supposing():
                    if is_new:
                        look.survey(known)
                        known.held, known.surveyed_at = held, now
                    least, most = look.solved(known)
                known.left = left
                self._record.reach(account, pool.pool, Reach(at=now, least=least, most=most))
        there = {pool.pool for pool in pools}
        for gone in [key for key in self._known if key[0] == account and key[1] not in there]:
            del self._known[gone]
            self._record.reach(*gone, Reach(at=now, least=FAR, most=FAR))


class _Look:
    """One look at one pool, at prices that are supposed."""

    def __init__(self, world: World, exchange: Exchange, account: str, pool: PoolTruth) -> None:
        self._world = world
        self._exchange = exchange
        self._account = account
        self._pool = pool
        self._marks = {base: world.mark(exchange.name, base) for base in MARKS}

    @contextmanager
    def supposing(self) -> Iterator[None]:
        """Marks may be moved while the block lasts; then all stand where they stood."""
        try:
            yield
        finally:
            self._at(self._marks)

    def _at(self, prices: Mapping[str, Decimal]) -> PoolTruth | None:
        """The pool at these prices of some coins; None where the exchange has none such then."""
        for base, price in prices.items():
            self._world.pin(base, price, self._exchange.name)
        self._world.publish(self._exchange.name)
        found = self._exchange.pools(self._account)
        return next((pool for pool in found if pool.pool == self._pool.pool), None)

    def survey(self, known: _Known) -> None:
        """Find the ways that hurt, by moving each coin by itself."""
        coins: dict[str, _Coin] = {}
        touched: dict[str, PoolTruth] = {}
        for base, price in self._marks.items():
            moved = self._at({base: price * (1 + TOUCH)})
            self._at({base: price})
            if moved is None:
                continue
            touched[base] = moved
            unit = self._marks.get(self._pool.unit, _ONE)
            gained = (moved.margin_balance - self._pool.margin_balance) * unit / TOUCH
            if gained:
                coins[base] = _Coin(counted=gained)
        for place, position in enumerate(self._pool.positions):
            self._hang(coins, position, {b: pool.positions[place] for b, pool in touched.items()})
        several = {base for base, coin in coins.items() if len(coin.symbols) > 1}
        known.by_positions = _ways({b: (c.net or c.counted, c) for b, c in coins.items()}, several)
        known.by_all = _ways({b: (c.counted, c) for b, c in coins.items()}, coins.keys())
        known.roots = {}

    def _hang(
        self,
        coins: dict[str, _Coin],
        position: PositionTruth,
        touched: Mapping[str, PositionTruth],
    ) -> None:
        """Hang one position on the coin that it is on, and against the one it is quoted in."""
        mark, value = position.mark_price, position.notional
        bases = [base for base, after in touched.items() if after.mark_price > mark]
        quotes = [base for base, after in touched.items() if after.mark_price < mark]
        sign = 1 if position.side == "long" else -1
        for base in (*bases, *quotes):
            is_inverse = base in bases and touched[base].notional < value
            paid_in = base if is_inverse else quotes[0] if quotes else ""
            worth = value * self._marks.get(paid_in, _ONE)
            coin = coins.setdefault(base, _Coin())
            coin.legs.append(sign * worth if base in bases else -sign * worth)
            coin.symbols.add(position.exchange_symbol)
            coin.is_base = coin.is_base or base in bases

    def solved(self, known: _Known) -> tuple[Decimal, Decimal]:
        """The least that the distance may be meant to be, and the most."""
        if self._pool.ratio >= 1:
            return _ZERO, _ZERO
        left = _left(self._pool)
        shrunk = left / known.left if known.left > 0 else _ONE
        roots: dict[Way, Decimal] = {}
        for way in dict.fromkeys((*known.by_positions, *known.by_all)):
            guess = known.roots.get(way, FAR) * shrunk
            roots[way] = _root(self._along(way), left, guess)
        known.roots = roots
        by_positions = [roots[way] for way in known.by_positions]
        by_all = [roots[way] for way in known.by_all]
        least = min((*by_positions, *by_all), default=FAR)
        return least, min(max(by_positions, default=FAR), max(by_all, default=FAR))

    def _along(self, way: Way) -> Slack:
        """What is left after so much of a move, while other coins stand."""

        def left(move: Decimal) -> Decimal:
            supposed = {base: self._marks[base] * (1 + sign * move) for base, sign in way}
            pool = self._at(self._marks | supposed)
            return -_ONE if pool is None else _left(pool)

        return left


def _left(pool: PoolTruth) -> Decimal:
    return pool.margin_balance - pool.maintenance_margin


def _ways(coins: Mapping[str, tuple[Decimal, _Coin]], doubtful: Iterable[str]) -> tuple[Way, ...]:
    """
    The way that hurts by the nets of the coins; others, where it may be meant to be another.

    With the doubtful ones that come to nearly nothing turned round; and without those in which
    contracts are but quoted.
    """
    signs = {base: -1 if net > 0 else 1 for base, (net, _) in coins.items()}
    even = {
        base
        for base, (net, coin) in coins.items()
        if not net or (base in doubtful and abs(net) <= EVEN * coin.gross)
    }
    turned = {base: -sign if base in even else sign for base, sign in signs.items()}
    still = {b: s for b, s in signs.items() if coins[b][1].is_base or not coins[b][1].legs}
    found = (tuple(sorted(each.items())) for each in (signs, turned, still) if each)
    return tuple(dict.fromkeys(found))


def _root(left: Slack, start: Decimal, guess: Decimal) -> Decimal:
    """
    The least move at which nothing is left, `FAR` where that is not nearer.

    `start` is left without any move. A dip that comes back before `FAR` is found only near the
    `guess`: of slack that bends but downwards there is none.
    """
    low, low_left, high, high_left = _ZERO, start, FAR, None
    for near in (guess * (1 - CLOSE / 2), guess * (1 + CLOSE / 2)):
        if high_left is None and low < near < FAR:
            found = left(near)
            if found > 0:
                low, low_left = near, found
            else:
                high, high_left = near, found
    if high_left is None:
        high_left = left(FAR)
        if high_left > 0:
            return FAR
    for step in range(_MOST_STEPS):
        if high - low <= CLOSE * high:
            break
        share = low_left / (low_left - high_left)
        # False position stops at one end of what is curved; every third step halves.
        middle = (low + high) / 2 if step % 3 == 2 else low + (high - low) * share
        middle = min(max(middle, low + (high - low) / 50), high - (high - low) / 50)
        found = left(middle)
        if found > 0:
            low, low_left = middle, found
        else:
            high, high_left = middle, found
    return (low + high) / 2
