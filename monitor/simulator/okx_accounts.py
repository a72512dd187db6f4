"""OKX's accounts as a scenario declares them, and the prices that they are valued at."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from monitor.simulator.declared import Declared
from monitor.simulator.okx_account import (
    FUTURES,
    MULTI_CURRENCY,
    PORTFOLIO,
    SPOT,
    Account,
    MarginPosition,
    Order,
    OtherPosition,
    Position,
    Prices,
)
from monitor.simulator.okx_bills import Bills
from monitor.simulator.okx_rates import DISCOUNTS, PAIR_TIERS
from monitor.simulator.okx_tables import INSTRUMENTS
from monitor.simulator.scenario import AccountSpec, OrderSpec, PositionSpec, ScenarioError
from monitor.simulator.world import World

NAME = "okx"
FUNDING_MS = 8 * 3600 * 1000
LEVELS = {
    "spot": SPOT,
    "futures": FUTURES,
    "multi_currency": MULTI_CURRENCY,
    "portfolio": PORTFOLIO,
}
_RESTING = {"OKB": Decimal(50)} | {it.base: it.resting_price for it in INSTRUMENTS.values()}
_USDT = Decimal("0.9998")
_USDC = Decimal("0.9999")
_FIRST_POS_ID = 3_234_559_463_547_297_792
_FIRST_ALGO_ID = 2_017_146_754_403_004_416
_FIRST_UID = 44_705_892_343_619_584


@dataclass(slots=True, kw_only=True)
class OkxAccount:
    """
    An account with its key, its ledger and what its sockets are still to be told.

    `changed_ms` is when a coin, by its name, or a position, by its id, last changed; `trades`
    holds each position's last trade.
    """

    spec: AccountSpec
    ledger: Account
    uid: str
    outbox: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    bills: Bills = field(default_factory=Bills)
    changed_ms: dict[str, int] = field(default_factory=dict)
    trades: dict[str, str] = field(default_factory=dict)
    trades_done: int = 0


class OkxState:
    """What routes and sockets share."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.started_ms = milliseconds(world.now())
        self.funding_due_at: datetime | None = None  # None: at the next eighth hour, uncharged
        self._funding_rates: dict[str | None, Decimal] = {}
        self.accounts = tuple(
            OkxAccount(
                spec=spec,
                ledger=opened(spec, self.started_ms, number),
                uid=str(_FIRST_UID + number),
            )
            for number, spec in enumerate(world.scenario.accounts)
            if spec.exchange == NAME
        )

    def by_name(self, name: str) -> OkxAccount:
        return next(account for account in self.accounts if account.spec.name == name)

    def by_key(self, key: str) -> OkxAccount | None:
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
            usdt=_USDT if usdt == 1 else usdt,
            usdc=_USDC if usdc == 1 else usdc,
        )

    def funding_rate(self, base: str) -> Decimal:
        """Of a coin's swaps, as a fraction of the notional; positive: longs pay."""
        rates = self._funding_rates
        return rates.get(base, rates.get(None, self.world.market.funding_rate(base)))

    def set_funding_rate(self, base: str | None, rate: Decimal) -> None:
        """Set a coin's rate, or that of all."""
        self._funding_rates[base] = rate

    def next_funding_ms(self) -> int:
        """When funding is due next: at what was set, else at the next 0, 8 or 16 o'clock."""
        if self.funding_due_at is not None:
            return milliseconds(self.funding_due_at)
        return (self.server_ms() // FUNDING_MS + 1) * FUNDING_MS

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


def opened(spec: AccountSpec, at_ms: int, number: int) -> Account:
    """
    The account that a scenario declares.

    Raises:
        ScenarioError: If it names a contract that is not listed here, or declares what an
            account can't be.

    """
    extra = Declared(spec.extra, f"account {spec.name!r}: extra")
    hedge = spec.position_mode == "hedge"
    first_id = _FIRST_POS_ID + 1000 * number
    account = Account(
        name=spec.name,
        level=LEVELS[spec.mode],
        hedge=hedge,
        cash=dict(spec.wallets),
        strategy=extra.decimals("strategy"),
        interest=extra.decimals("interest"),
        funding=extra.decimals("funding"),
        positions=[
            _position(spec.name, it, str(first_id + n), at_ms, hedge=hedge)
            for n, it in enumerate(spec.positions)
        ],
        loans=[
            _loan(spec.name, row, str(first_id + 300 + n), at_ms)
            for n, row in enumerate(extra.rows("loans"))
        ],
        others=[_other(row, str(first_id + 500 + n)) for n, row in enumerate(extra.rows("others"))],
        orders=[
            _order(spec, it, str(_FIRST_ALGO_ID + 1000 * number + n), hedge=hedge)
            for n, it in enumerate(spec.orders)
        ],
        switched_off=extra.texts("switched_off"),
        taker_rate=extra.decimal("taker_rate", "0.0005"),
        futures_taker_rate=extra.decimal("futures_taker_rate", "0.0005"),
        spot_taker_rate=extra.decimal("spot_taker_rate", "0.001"),
        spot_borrow=extra.flag("spot_borrow"),
        fixed_mmr=extra.optional_decimal("fixed_mmr"),
        fixed_fee=extra.decimal("fixed_fee", "0"),
        stress=extra.optional_decimal("stress"),
    )
    extra.finish()
    for ccy in [*account.cash, *account.strategy, *account.interest, *account.funding]:
        if ccy not in {*DISCOUNTS, *_RESTING}:
            raise ScenarioError(f"account {spec.name!r}: wallets.{ccy}: no such coin here")
    return account


def _listed(account: str, inst_id: str) -> str:
    if inst_id not in INSTRUMENTS:
        known = ", ".join(INSTRUMENTS)
        raise ScenarioError(f"account {account!r}: symbol {inst_id!r}: there are {known}")
    return inst_id


def _position(
    account: str, spec: PositionSpec, pos_id: str, at_ms: int, *, hedge: bool
) -> Position:
    return Position(
        inst_id=_listed(account, spec.symbol),
        direction=1 if spec.side == "long" else -1,
        contracts=spec.contracts,
        avg_px=spec.entry_price,
        lever=spec.leverage,
        pos_id=pos_id,
        pos_side=spec.side if hedge else "net",
        margin=spec.isolated_margin,
        opened_ms=at_ms,
    )


def _order(account: AccountSpec, spec: OrderSpec, order_id: str, *, hedge: bool) -> Order:
    mine = [p for p in account.positions if p.symbol == spec.symbol]
    held = mine[0].contracts if mine else Decimal(0)
    return Order(
        order_id=order_id,
        inst_id=_listed(account.name, spec.symbol),
        side=spec.side,
        contracts=spec.contracts or held,
        price=spec.price if spec.kind == "limit" else None,
        trigger=spec.trigger_price if spec.kind == "stop" else None,
        reduce_only=spec.reduce_only,
        closes_position=spec.closes_position,
        pos_side=spec.position_side or "net" if hedge else "net",
    )


def _loan(account: str, row: Declared, pos_id: str, at_ms: int) -> MarginPosition:
    """A MARGIN position; what it is margined in may be said where it is cross."""
    pair, margin = row.text("symbol"), row.optional_decimal("isolated_margin")
    if pair not in PAIR_TIERS:
        known = ", ".join(PAIR_TIERS)
        raise ScenarioError(f"account {account!r}: pair {pair!r}: there are {known}")
    long = row.text("side") == "long"
    held_ccy = pair.split("-")[0 if long else 1]
    loan = MarginPosition(
        inst_id=pair,
        direction=1 if long else -1,
        held=row.decimal("held"),
        owed=row.decimal("owed"),
        interest=row.decimal("interest", "0"),
        avg_px=row.decimal("entry_price"),
        lever=row.decimal("leverage", "5"),
        pos_id=pos_id,
        ccy=row.text("ccy", held_ccy),
        margin=margin,
        opened_ms=at_ms,
    )
    row.finish()
    return loan


def _other(row: Declared, pos_id: str) -> OtherPosition:
    other = OtherPosition(
        inst_type=row.text("inst_type"),
        inst_id=row.text("inst_id"),
        ccy=row.text("ccy"),
        pos=row.decimal("pos"),
        avg_px=row.decimal("avg_px"),
        mark_px=row.decimal("mark_px"),
        pos_id=pos_id,
        upl=row.decimal("upl", "0"),
        imr=row.decimal("imr", "0"),
        mmr=row.decimal("mmr", "0"),
        fee=row.decimal("fee", "0"),
        pos_ccy=row.text("pos_ccy", ""),
        liab=row.decimal("liab", "0"),
        liab_ccy=row.text("liab_ccy", ""),
        value=row.optional_decimal("value"),
    )
    row.finish()
    return other
