"""What Binance keeps beside the ledgers: accounts by key, listenKeys, records of liquidations."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.simulator.binance_auth import unknown_listen_key
from monitor.simulator.binance_ledger import Ledger, open_ledger
from monitor.simulator.binance_quotes import Quotes, milliseconds
from monitor.simulator.binance_rows import Row
from monitor.simulator.scenario import AccountSpec
from monitor.simulator.world import World

NAME = "binance"
_LISTEN_KEY_LIFE = timedelta(minutes=60)


@dataclass(slots=True, kw_only=True)
class BinanceAccount:
    """One account. Its private frames wait in `outbox` for the next step."""

    spec: AccountSpec
    ledger: Ledger
    opened_at: int  # milliseconds
    listen_key: str | None = None
    listen_key_expires_at: datetime | None = None
    closed_listen_keys: list[str] = field(default_factory=list)
    outbox: list[Row] = field(default_factory=list)
    force_orders: list[Row] = field(default_factory=list)
    income: list[Row] = field(default_factory=list)
    listen_keys_made: int = 0

    def renew_listen_key(self, now: datetime) -> str:
        """Give the account's key, valid for an hour from now; a new one if there is none."""
        self.expire_listen_key(now)
        if self.listen_key is None:
            self.listen_keys_made += 1
            seed = f"{self.spec.key}:{self.listen_keys_made}"
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

    def close_listen_key(self) -> None:
        """Forget the key; its streams end."""
        if self.listen_key is not None:
            self.closed_listen_keys.append(self.listen_key)
        self.listen_key = None
        self.listen_key_expires_at = None

    def expire_listen_key(self, now: datetime) -> None:
        if self.listen_key_expires_at is not None and self.listen_key_expires_at <= now:
            self.close_listen_key()


class BinanceState:
    """All accounts of this exchange, its quotes and its clock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.quotes = Quotes(world, NAME)
        at = milliseconds(world.now())
        self.accounts = tuple(
            BinanceAccount(spec=spec, ledger=open_ledger(spec, at), opened_at=at)
            for spec in world.scenario.accounts
            if spec.exchange == NAME
        )

    def server_time(self, path: str = "") -> datetime:
        return self.world.server_time(NAME, path)

    def by_key(self, key: str) -> BinanceAccount | None:
        return next((account for account in self.accounts if account.spec.key == key), None)

    def by_name(self, name: str) -> BinanceAccount:
        return next(account for account in self.accounts if account.spec.name == name)

    def by_listen_key(self, listen_key: str) -> BinanceAccount | None:
        return next((a for a in self.accounts if a.listen_key == listen_key), None)
