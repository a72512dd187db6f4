"""What Binance keeps of an account: its ledgers, listenKeys, records of money booked."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor.simulator.binance_auth import unknown_listen_key
from monitor.simulator.binance_declared import Extras
from monitor.simulator.binance_ledger import PORTFOLIO_MODES, Ledger, Leg, open_ledgers
from monitor.simulator.binance_pools import Pool, ledger_pools
from monitor.simulator.binance_portfolio import Portfolio
from monitor.simulator.binance_prices import Prices
from monitor.simulator.binance_quotes import Quotes, Row, milliseconds
from monitor.simulator.scenario import AccountSpec
from monitor.simulator.world import World

NAME = "binance"
_FIRST_ORDER_ID = 8_000_000_001
# The streams that have no listenKey of their own: whose they use.
_KEY_OF = {"pro": "usd"}
_LISTEN_KEY_LIFE = timedelta(minutes=60)


@dataclass(slots=True, kw_only=True)
class UserStream:
    """
    The private stream of one engine: `usd`, `coin`, `portfolio` or `pro`, and its listenKey.

    Frames wait in `outbox` until they are pushed. `ended` are keys that ran out, which their
    sockets are told of; of a key that somebody deleted nobody is told.
    """

    name: str
    key: str  # the API key, from which listenKeys are made
    listen_key: str | None = None
    listen_key_expires_at: datetime | None = None
    ended: list[str] = field(default_factory=list)
    outbox: list[Row] = field(default_factory=list)
    listen_keys_made: int = 0

    def renew_listen_key(self, now: datetime) -> str:
        """Give the account's key, valid for an hour from now; a new one if there is none."""
        self.expire_listen_key(now)
        if self.listen_key is None:
            self.listen_keys_made += 1
            seed = f"{self.key}:{self.name}:{self.listen_keys_made}"
            self.listen_key = hashlib.sha256(seed.encode()).hexdigest()
        self.listen_key_expires_at = now + _LISTEN_KEY_LIFE
        return self.listen_key

    def extend_listen_key(self, now: datetime) -> str:
        """
        Give the account's key, valid for another hour.

        Raises:
            Refused: If there is none, or its hour is over.

        """
        self.expire_listen_key(now)
        if self.listen_key is None:
            raise unknown_listen_key()
        return self.renew_listen_key(now)

    def delete_listen_key(self) -> None:
        """Forget the key; its streams say nothing any more."""
        self.listen_key = None
        self.listen_key_expires_at = None

    def end_listen_key(self) -> None:
        """Forget the key as one that ran out; its streams are told so."""
        if self.listen_key is not None:
            self.ended.append(self.listen_key)
        self.delete_listen_key()

    def expire_listen_key(self, now: datetime) -> None:
        if self.listen_key_expires_at is not None and self.listen_key_expires_at <= now:
            self.end_listen_key()


@dataclass(slots=True, kw_only=True)
class BinanceAccount:
    """One account: `ledger` is its USD-M book, `coin` its COIN-M book."""

    spec: AccountSpec
    ledger: Ledger
    coin: Ledger
    extras: Extras
    opened_at: int  # milliseconds
    streams: dict[str, UserStream]
    force_orders: list[Row] = field(default_factory=list)
    income: list[Row] = field(default_factory=list)
    coin_income: list[Row] = field(default_factory=list)

    @property
    def is_portfolio(self) -> bool:
        return self.spec.mode in PORTFOLIO_MODES

    @property
    def portfolio(self) -> Portfolio:
        return Portfolio(usd=self.ledger, coin=self.coin, extras=self.extras)

    def ledger_of(self, leg: Leg) -> Ledger:
        return self.coin if leg.symbol.is_coin_margined else self.ledger

    def income_of(self, ledger: Ledger) -> list[Row]:
        return self.coin_income if ledger.is_coin_margined else self.income

    def pools(self) -> tuple[Pool, ...]:
        """Give all margin pools; of a coin in both engines USD-M's says where it belongs."""
        if self.is_portfolio:
            return (self.portfolio.pool(),)
        coin = ledger_pools(self.coin)
        taken = {pool.name for pool in coin if pool.legs or self.coin.cross_wallets.get(pool.name)}
        usd = (
            replace(pool, name=f"usdm/{pool.name}") if pool.name in taken else pool
            for pool in ledger_pools(self.ledger)
        )
        return (*usd, *coin)

    def pool_of(self, leg: Leg) -> Pool:
        return next(pool for pool in self.pools() if any(leg is held for held in pool.legs))

    def keyed(self, stream: str) -> UserStream:
        """Give the stream whose listenKey opens this one."""
        return self.streams[_KEY_OF.get(stream, stream)]

    def warn(self, frame: Row) -> None:
        """Queue what is told of a whole portfolio; the pro program has a stream for it."""
        self.streams["pro" if self.spec.mode == "pm_pro" else "portfolio"].outbox.append(frame)

    def tell(self, frame: Row, ledger: Ledger) -> None:
        """Queue a private frame of an engine; plain portfolio margin has one stream for both."""
        if self.spec.mode == "portfolio_margin":
            engine = "CM" if ledger.is_coin_margined else "UM"
            self.streams["portfolio"].outbox.append({**frame, "fs": engine})
        else:
            self.streams["coin" if ledger.is_coin_margined else "usd"].outbox.append(frame)


class BinanceState:
    """All accounts of this exchange, its quotes and its clock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.quotes = Quotes(world, NAME)
        self._order_id = _FIRST_ORDER_ID
        at = milliseconds(world.now())
        self.accounts = tuple(
            open_account(spec, at) for spec in world.scenario.accounts if spec.exchange == NAME
        )

    def server_time(self, path: str = "") -> datetime:
        return self.world.server_time(NAME, path)

    def by_key(self, key: str) -> BinanceAccount | None:
        return next((account for account in self.accounts if account.spec.key == key), None)

    def by_name(self, name: str) -> BinanceAccount:
        return next(account for account in self.accounts if account.spec.name == name)

    def by_listen_key(self, listen_key: str, stream: str | None) -> BinanceAccount | None:
        """Give the account whose stream of this name the key opens."""
        for account in self.accounts if listen_key and stream else ():
            if account.keyed(stream or "").listen_key == listen_key:
                return account
        return None

    def next_order_id(self) -> int:
        self._order_id += 1
        return self._order_id

    def prices(self, account: BinanceAccount) -> Prices:
        return prices_for(account, self.quotes)


def open_account(spec: AccountSpec, at: int) -> BinanceAccount:
    """
    Give an account as the scenario describes it.

    Raises:
        ScenarioError: If its `extra` table is not as it should be.
        ValueError: If a symbol is unknown, or an isolated position stands where none can.

    """
    ledger, coin, extras = open_ledgers(spec, at)
    names = ("usd", "coin", "portfolio", "pro")
    return BinanceAccount(
        spec=spec,
        ledger=ledger,
        coin=coin,
        extras=extras,
        opened_at=at,
        streams={name: UserStream(name=name, key=spec.key) for name in names},
    )


def prices_for(account: BinanceAccount, quotes: Quotes) -> Prices:
    """Give the published marks, and rates as they count for this kind of account."""
    rates = quotes.portfolio_rates() if account.is_portfolio else quotes.rates()
    return Prices(marks=quotes.mark, rates=rates)
