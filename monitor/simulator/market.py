"""
Price paths: scripted legs with seeded noise, the same for the same seed.

A path is a function of the virtual second alone, so it does not matter who asks, how often,
or in which order.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256

_SIGNIFICANT_DIGITS = 7
_NOISE_STEP_SECONDS = Decimal("0.5")
_NOISE_RESOLUTION = 10**12
_STABLE = frozenset({"USDT", "USDC", "USD"})  # 1 where a scenario says nothing else
_INDEX_SPREAD = Decimal("0.00005")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One stretch of a path: at the virtual second `until` the price stands at `price`."""

    until: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinPath:
    """
    The path of one coin in US dollars.

    `legs` are ascending in `until`; two legs with one `until` are a gap. After the last leg
    the price stays. `noise_rate` is the largest deviation, as a fraction of the price.
    """

    base: str
    start: Decimal
    legs: tuple[Leg, ...] = ()
    noise_rate: Decimal = Decimal(0)
    funding_rate: Decimal = Decimal("0.0001")

    def scripted(self, seconds: Decimal) -> Decimal:
        """Give the price without noise; linear between the ends of the legs."""
        before, price = Decimal(0), self.start
        for leg in self.legs:
            if seconds < leg.until:
                done = (seconds - before) / (leg.until - before)
                return price + (leg.price - price) * max(done, Decimal(0))
            before, price = leg.until, leg.price
        return price


class Market:
    """Prices of all coins of a scenario at any virtual second."""

    def __init__(self, seed: int, paths: tuple[CoinPath, ...]) -> None:
        self._seed = seed
        self._paths = {path.base: path for path in paths}

    @property
    def bases(self) -> tuple[str, ...]:
        """The coins that the scenario declares, in its order."""
        return tuple(self._paths)

    def price(self, base: str, seconds: float) -> Decimal:
        """
        Give the mark price of a coin in US dollars, of seven significant digits.

        Raises:
            KeyError: If the scenario has no such coin. Only USDT, USDC and USD need no path:
                they are 1 then.

        """
        path = self._paths.get(base)
        if path is None:
            if base in _STABLE:
                return Decimal(1)
            raise KeyError(base)
        at = Decimal(str(seconds))
        noise = path.noise_rate * self._noise(base, at)
        return _rounded(path.scripted(at) * (1 + noise))

    def index(self, base: str, seconds: float) -> Decimal:
        """Give the index price: beside the mark by half a basis point at most."""
        spread = _INDEX_SPREAD * self._noise(f"{base}/index", Decimal(str(seconds)))
        return _rounded(self.price(base, seconds) * (1 + spread))

    def funding_rate(self, base: str) -> Decimal:
        """Give the funding rate of a coin's perpetual contracts, as a fraction."""
        path = self._paths.get(base)
        return path.funding_rate if path else Decimal(0)

    def _noise(self, name: str, at: Decimal) -> Decimal:
        """Give a value between -1 and 1, linear between seeded nodes half a second apart."""
        position = at / _NOISE_STEP_SECONDS
        node = int(position)
        share = position - node
        left, right = self._node(name, node), self._node(name, node + 1)
        return left + (right - left) * share

    def _node(self, name: str, node: int) -> Decimal:
        digest = sha256(f"{self._seed}:{name}:{node}".encode()).digest()
        whole = int.from_bytes(digest[:8]) % (2 * _NOISE_RESOLUTION + 1)
        return Decimal(whole - _NOISE_RESOLUTION) / _NOISE_RESOLUTION


def _rounded(price: Decimal) -> Decimal:
    exponent = price.adjusted() - (_SIGNIFICANT_DIGITS - 1)
    return price.quantize(Decimal(1).scaleb(exponent), rounding=ROUND_HALF_EVEN)
