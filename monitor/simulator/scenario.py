"""
A scenario: price paths, accounts and a timeline of faults, read from TOML.

Every mistake is an error that names the file and the key.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path

from monitor.simulator.faults import KINDS
from monitor.simulator.market import CoinPath, Leg

MAX_DURATION_SECONDS = 60
_EXCHANGES = ("binance", "bybit", "okx")
_SIDES = ("long", "short")
_MARGIN_MODES = ("cross", "isolated")
_POSITION_MODES = ("one_way", "hedge")
_MODES = {
    "binance": ("single_asset", "multi_assets", "credits", "portfolio_margin", "pm_pro"),
    "bybit": ("cross", "isolated", "portfolio"),
    "okx": ("spot", "futures", "multi_currency", "portfolio"),
}
_PERMISSIONS = ("read", "trade", "withdraw", "transfer")


class ScenarioError(Exception):
    """A scenario file that can't be used; the message names file and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSpec:
    """A position as it stands at the start. `symbol` is the exchange's own."""

    symbol: str
    side: str
    contracts: Decimal
    entry_price: Decimal
    leverage: Decimal = Decimal(10)
    margin_mode: str = "cross"
    isolated_margin: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSpec:
    """An open order: `limit` with a price, or a `stop` with a trigger price."""

    symbol: str
    side: str  # "buy" or "sell"
    kind: str  # "limit" or "stop"
    contracts: Decimal = Decimal(0)
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    reduce_only: bool = False
    closes_position: bool = False
    position_side: str | None = None  # "long" or "short" in hedge mode


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    """One account of one exchange, and the key that opens it."""

    name: str
    exchange: str
    mode: str
    position_mode: str
    wallets: Mapping[str, Decimal]
    positions: tuple[PositionSpec, ...]
    orders: tuple[OrderSpec, ...]
    key: str
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)
    permissions: tuple[str, ...]
    stays: bool = False  # never taken over, so that a ratio above 1 can be looked at
    extra: Mapping[str, object] = field(default_factory=dict)  # read by the exchange's own room


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSpec:
    """A fault that begins at a virtual second and lasts so many virtual seconds."""

    at_seconds: float
    exchange: str
    kind: str
    path: str = ""
    seconds: float | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    name: str
    description: str
    seed: int
    duration_seconds: float
    paths: tuple[CoinPath, ...]
    accounts: tuple[AccountSpec, ...]
    faults: tuple[FaultSpec, ...]


def names() -> tuple[str, ...]:
    """Names of the scenarios that come with the package, sorted."""
    folder = resources.files(__package__) / "scenarios"
    return tuple(sorted(p.name[:-5] for p in folder.iterdir() if p.name.endswith(".toml")))


def load(name_or_path: str) -> Scenario:
    """
    Give the scenario of this name, or the one in the file at this path.

    Raises:
        ScenarioError: If there is no such scenario, or its file is wrong.

    """
    if name_or_path in names():
        source = resources.files(__package__) / "scenarios" / f"{name_or_path}.toml"
        return parse(source.read_text(encoding="utf-8"), f"{name_or_path}.toml")
    path = Path(name_or_path)
    if path.suffix != ".toml" or not path.is_file():
        known = ", ".join(names())
        raise ScenarioError(f"no scenario {name_or_path!r}; there are: {known}")
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, file: str) -> Scenario:
    """
    Give the scenario that this TOML describes; `file` is for the messages.

    Raises:
        ScenarioError: With file, key and what was expected.

    """
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{file}: {error}") from error
    table = _Table(raw, file, "")
    duration = float(table.decimal("duration_seconds"))
    if not 0 < duration <= MAX_DURATION_SECONDS:
        table.fail("duration_seconds", f"more than 0, at most {MAX_DURATION_SECONDS}")
    scenario = Scenario(
        name=table.text("name"),
        description=table.text("description"),
        seed=table.whole("seed"),
        duration_seconds=duration,
        paths=tuple(_path(base, part) for base, part in table.table("market").tables()),
        accounts=tuple(_account(part) for part in table.list("accounts")),
        faults=tuple(_fault(part) for part in table.list("faults", required=False)),
    )
    table.finish()
    _check_names(scenario, file)
    return scenario


def _check_names(scenario: Scenario, file: str) -> None:
    seen: set[str] = set()
    for account in scenario.accounts:
        for word in (account.name, account.key):
            if word in seen:
                raise ScenarioError(f"{file}: accounts: {word!r} is used twice")
            seen.add(word)


def _path(base: str, table: "_Table") -> CoinPath:
    path = CoinPath(
        base=base,
        start=table.decimal("start", positive=True),
        noise_rate=table.decimal("noise_rate", default=Decimal(0)),
        funding_rate=table.decimal("funding_rate", default=Decimal("0.0001")),
        legs=tuple(_leg(part) for part in table.list("legs", required=False)),
    )
    table.finish()
    untils = [leg.until for leg in path.legs]
    if untils != sorted(untils):
        table.fail("legs", "ascending in `until`")
    return path


def _leg(table: "_Table") -> Leg:
    leg = Leg(until=table.decimal("until"), price=table.decimal("price", positive=True))
    table.finish()
    return leg


def _account(table: "_Table") -> AccountSpec:
    name = table.text("name")
    exchange = table.choice("exchange", _EXCHANGES)
    account = AccountSpec(
        name=name,
        exchange=exchange,
        mode=table.choice("mode", _MODES[exchange]),
        position_mode=table.choice("position_mode", _POSITION_MODES, default="one_way"),
        wallets=table.table("wallets").decimals(),
        positions=tuple(_position(part) for part in table.list("positions", required=False)),
        orders=tuple(_order(part) for part in table.list("orders", required=False)),
        key=table.text("key", default=f"sim-{name}-key"),
        secret=table.text("secret", default=f"sim-{name}-secret"),
        passphrase=table.text("passphrase", default=f"sim-{name}-passphrase"),
        permissions=table.choices("permissions", _PERMISSIONS, default=("read",)),
        stays=table.flag("stays"),
        extra=table.raw("extra"),
    )
    table.finish()
    return account


def _position(table: "_Table") -> PositionSpec:
    position = PositionSpec(
        symbol=table.text("symbol"),
        side=table.choice("side", _SIDES),
        contracts=table.decimal("contracts", positive=True),
        entry_price=table.decimal("entry_price", positive=True),
        leverage=table.decimal("leverage", positive=True, default=Decimal(10)),
        margin_mode=table.choice("margin_mode", _MARGIN_MODES, default="cross"),
        isolated_margin=table.optional_decimal("isolated_margin"),
    )
    table.finish()
    if (position.margin_mode == "isolated") != (position.isolated_margin is not None):
        table.fail("isolated_margin", "given for an isolated position, and only for one")
    return position


def _order(table: "_Table") -> OrderSpec:
    order = OrderSpec(
        symbol=table.text("symbol"),
        side=table.choice("side", ("buy", "sell")),
        kind=table.choice("kind", ("limit", "stop")),
        contracts=table.decimal("contracts", default=Decimal(0)),
        price=table.optional_decimal("price"),
        trigger_price=table.optional_decimal("trigger_price"),
        reduce_only=table.flag("reduce_only"),
        closes_position=table.flag("closes_position"),
        position_side=table.choice("position_side", (*_SIDES, ""), default="") or None,
    )
    table.finish()
    if order.kind == "limit" and order.price is None:
        table.fail("price", "a price, as the kind is 'limit'")
    if order.kind == "stop" and order.trigger_price is None:
        table.fail("trigger_price", "a price, as the kind is 'stop'")
    return order


def _fault(table: "_Table") -> FaultSpec:
    seconds = table.optional_decimal("seconds")
    fault = FaultSpec(
        at_seconds=float(table.decimal("at_seconds")),
        exchange=table.choice("exchange", _EXCHANGES),
        kind=table.choice("kind", tuple(sorted(KINDS))),
        path=table.text("path", default=""),
        seconds=None if seconds is None else float(seconds),
        value=table.text("value", default="") or None,
    )
    table.finish()
    return fault


class _Table:
    """A TOML table that knows where it stands, and which of its keys nobody asked for."""

    def __init__(self, raw: object, file: str, path: str) -> None:
        self._file = file
        self._path = path
        if not isinstance(raw, dict):
            raise ScenarioError(f"{file}: {path or 'the file'}: expected a table")
        self._raw: dict[str, object] = dict(raw)
        self._asked: set[str] = set()

    def fail(self, key: str, expected: str) -> None:
        raise ScenarioError(f"{self._file}: {self._at(key)}: expected {expected}")

    def finish(self) -> None:
        for key in self._raw.keys() - self._asked:
            raise ScenarioError(f"{self._file}: {self._at(key)}: unknown key")

    def text(self, key: str, *, default: str | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str):
            self.fail(key, "a text")
        return str(value)

    def whole(self, key: str) -> int:
        value = self._get(key, None)
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail(key, "a whole number")
            return 0
        return value

    def flag(self, key: str) -> bool:
        value = self._get(key, default=False)
        if not isinstance(value, bool):
            self.fail(key, "true or false")
        return value is True

    def decimal(
        self, key: str, *, default: Decimal | None = None, positive: bool = False
    ) -> Decimal:
        """A number, or a text that holds one."""
        value = self._get(key, default)
        number = self._number(key, value)
        if positive and number <= 0:
            self.fail(key, f"a number above zero, got {number}")
        return number

    def optional_decimal(self, key: str) -> Decimal | None:
        return self.decimal(key, positive=True) if key in self._raw else None

    def decimals(self) -> Mapping[str, Decimal]:
        return {key: self.decimal(key) for key in self._raw}

    def choice(self, key: str, choices: tuple[str, ...], *, default: str | None = None) -> str:
        value = self.text(key, default=default)
        if value not in choices:
            self.fail(key, f"one of {', '.join(choices)}, got {value!r}")
        return value

    def choices(
        self, key: str, choices: tuple[str, ...], *, default: tuple[str, ...]
    ) -> tuple[str, ...]:
        value = self._get(key, list(default))
        if not isinstance(value, list) or any(item not in choices for item in value):
            self.fail(key, f"a list of {', '.join(choices)}")
            return ()
        return tuple(str(item) for item in value)

    def table(self, key: str) -> "_Table":
        return _Table(self._get(key, None), self._file, self._at(key))

    def raw(self, key: str) -> Mapping[str, object]:
        """A table that somebody else reads and checks; empty where it is not given."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            self.fail(key, "a table")
            return {}
        return value

    def tables(self) -> Iterator[tuple[str, "_Table"]]:
        for key in self._raw:
            yield key, self.table(key)

    def list(self, key: str, *, required: bool = True) -> "tuple[_Table, ...]":
        value = self._get(key, None if required else [])
        if not isinstance(value, list):
            self.fail(key, "a list of tables")
            return ()
        return tuple(
            _Table(item, self._file, f"{self._at(key)}[{index}]")
            for index, item in enumerate(value)
        )

    def _get(self, key: str, default: object) -> object:
        self._asked.add(key)
        value = self._raw.get(key, default)
        if value is None:
            raise ScenarioError(f"{self._file}: {self._at(key)}: missing")
        return value

    def _number(self, key: str, value: object) -> Decimal:
        try:
            if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
                raise InvalidOperation  # noqa: TRY301 - one message for both ways to be wrong
            number = Decimal(value)
        except InvalidOperation:
            self.fail(key, f"a number, got {value!r}")
            return Decimal(0)
        if not number.is_finite():
            self.fail(key, f"a finite number, got {value!r}")
        return number

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key
