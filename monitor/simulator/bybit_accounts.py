"""Bybit's accounts as a scenario declares them, and the prices that they are valued at."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from monitor.simulator.bybit_account import Account, Option, Order, Position, Prices
from monitor.simulator.bybit_modes import MARGIN_MODES
from monitor.simulator.bybit_tables import INSTRUMENTS, has_legs
from monitor.simulator.declared import Declared
from monitor.simulator.scenario import AccountSpec, OrderSpec, PositionSpec, ScenarioError
from monitor.simulator.world import World

NAME = "bybit"
_RESTING = {it.base: it.resting_price for it in INSTRUMENTS.values()}
_EIGHT_HOURS_MS = 8 * 3600 * 1000
_USDT_INDEX = Decimal("1.0002")
_USDC_INDEX = Decimal("0.9999")


@dataclass(slots=True, kw_only=True)
class BybitAccount:
    """An account with its key, its ledger and what has happened to it."""

    spec: AccountSpec
    ledger: Account
    uid: int
    executions: list[dict[str, object]] = field(default_factory=list)
    outbox: list[tuple[str, list[dict[str, object]]]] = field(default_factory=list)
    fills: int = 0

    def next_fill(self, at_ms: int) -> str:
        """Give a name for a fill that no other of this account has."""
        self.fills += 1
        return f"{at_ms:x}-{self.fills:04x}"


class BybitState:
    """What routes and sockets share."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.started_ms = milliseconds(world.now())
        self.accounts = tuple(
            BybitAccount(spec=spec, ledger=opened(spec, self.started_ms), uid=24_600_000 + number)
            for number, spec in enumerate(world.scenario.accounts)
            if spec.exchange == NAME
        )
        self._funding_ms: int | None = None
        self._funding_rates: dict[str, Decimal] = {}

    def by_name(self, name: str) -> BybitAccount:
        return next(account for account in self.accounts if account.spec.name == name)

    def by_key(self, key: str) -> BybitAccount | None:
        return next((account for account in self.accounts if account.spec.key == key), None)

    def server_ms(self, path: str = "") -> int:
        return milliseconds(self.world.server_time(NAME, path))

    def prices(self) -> Prices:
        """The published prices of this moment."""
        usdt, usdc = self._mark("USDT"), self._mark("USDC")
        return Prices(
            coin=self._mark,
            coin_index=self._index,
            # A scenario that says nothing of the two leaves them at 1, where they never are.
            usdt_index=_USDT_INDEX if usdt == 1 else usdt,
            usdc_index=_USDC_INDEX if usdc == 1 else usdc,
        )

    def options(self) -> tuple[Option, ...]:
        """Every option that somebody holds, by its symbol: what is listed."""
        held = {o.symbol: o for account in self.accounts for o in account.ledger.options}
        return tuple(held[symbol] for symbol in sorted(held))

    def funding_rate(self, base: str) -> Decimal:
        return self._funding_rates.get(base, self.world.market.funding_rate(base))

    def next_funding_ms(self) -> int:
        """When funding is charged next: as it was set, else every eight hours of the day."""
        if self._funding_ms is not None:
            return self._funding_ms
        return (self.server_ms() // _EIGHT_HOURS_MS + 1) * _EIGHT_HOURS_MS

    def set_funding(self, at_ms: int, rates: dict[str, Decimal]) -> None:
        """Have the next funding charged then, at these rates by base coin."""
        self._funding_ms = at_ms
        self._funding_rates |= rates

    def funding_is_due(self) -> bool:
        """Whether the time that was set has come; it is then forgotten."""
        if self._funding_ms is None or self.server_ms() < self._funding_ms:
            return False
        self._funding_ms = None
        return True

    def _mark(self, base: str) -> Decimal:
        try:
            return self.world.mark(NAME, base)
        except KeyError:
            return _RESTING[base]

    def _index(self, base: str) -> Decimal:
        try:
            return self.world.index(NAME, base)
        except KeyError:
            return _RESTING[base]


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def opened(spec: AccountSpec, at_ms: int) -> Account:
    """
    The account that a scenario declares.

    Raises:
        ScenarioError: If it names a contract that is not listed here, or declares what an
            account can't be.

    """
    where = f"account {spec.name!r}: extra"
    extra = Declared(spec.extra, where)
    hedge = spec.position_mode == "hedge"
    sessions = extra.decimals("session_prices")
    account = Account(
        name=spec.name,
        margin_mode=MARGIN_MODES[spec.mode],
        unified_status=extra.whole("unified_status", 6),
        hedge=hedge,
        wallets=dict(spec.wallets),
        positions=[
            replace(_position(spec.name, it, at_ms, hedge=hedge), session=sessions.get(it.symbol))
            for it in spec.positions
        ],
        orders=[_order(spec, it, n, hedge=hedge) for n, it in enumerate(spec.orders)],
        options=[_option(row) for row in extra.rows("options")],
        spot_borrow=extra.decimals("borrowed"),
        switched_off=extra.texts("switched_off"),
        taker_rate=extra.decimal("taker_rate", "0.00055"),
        tax=extra.decimal("tax", "0"),
        haircut_loss=extra.decimal("haircut_loss", "0"),
        declared_im=extra.decimal("fixed_im", "0"),
        declared_mm=extra.decimal("fixed_mm", "0"),
        funding_wallet=extra.decimals("funding_wallet"),
    )
    extra.finish()
    for coin in [*account.wallets, *account.spot_borrow]:
        if coin not in {"USDT", "USDC", *_RESTING}:
            raise ScenarioError(f"account {spec.name!r}: wallets.{coin}: no such coin here")
    return account


def _listed(account: str, symbol: str) -> str:
    if symbol not in INSTRUMENTS:
        known = ", ".join(INSTRUMENTS)
        raise ScenarioError(f"account {account!r}: symbol {symbol!r}: there are {known}")
    return symbol


def _position(account: str, spec: PositionSpec, at_ms: int, *, hedge: bool) -> Position:
    long = spec.side == "long"
    return Position(
        symbol=_listed(account, spec.symbol),
        side="Buy" if long else "Sell",
        size=spec.contracts,
        entry=spec.entry_price,
        leverage=spec.leverage,
        idx=(1 if long else 2) if hedge and has_legs(spec.symbol) else 0,
        isolated_margin=spec.isolated_margin or Decimal(0),
        opened_ms=at_ms,
    )


def _order(account: AccountSpec, spec: OrderSpec, number: int, *, hedge: bool) -> Order:
    side = "Buy" if spec.side == "buy" else "Sell"
    legs = hedge and has_legs(_listed(account.name, spec.symbol))
    mine = [p for p in account.positions if p.symbol == spec.symbol]
    qty = spec.contracts or (mine[0].contracts if mine else Decimal(0))
    return Order(
        order_id=f"{number:08x}-0000-4000-8000-000000000001",
        symbol=spec.symbol,
        side=side,
        qty=qty,
        price=spec.price if spec.kind == "limit" else None,
        trigger=spec.trigger_price if spec.kind == "stop" else None,
        reduce_only=spec.reduce_only,
        closes_position=spec.closes_position,
        idx={"long": 1, "short": 2}.get(spec.position_side or "", 0) if legs else 0,
    )


def _option(row: Declared) -> Option:
    option = Option(
        symbol=row.text("symbol"),
        side=row.text("side", "Sell"),
        size=row.decimal("size"),
        entry=row.decimal("entry"),
        mark=row.decimal("mark"),
        initial_margin=row.decimal("initial_margin", "0"),
        maintenance_margin=row.decimal("maintenance_margin", "0"),
    )
    row.finish()
    return option
