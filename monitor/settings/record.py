"""What the configuration file says, checked: the one value that the process is built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from monitor.alerts.ladder import Ladder, Severity
    from monitor.risk.result import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """
    One account to watch.

    `products` is None where the account itself decides (and always off Binance). `rest_url`
    and `ws_url` stand, where given, before every path of the exchange, without a last slash.
    """

    name: str
    exchange: str
    api_key: SecretStr
    api_secret: SecretStr
    passphrase: SecretStr | None
    products: tuple[str, ...] | None
    poll_seconds: float
    rest_url: str | None
    ws_url: str | None
    allow_trading_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """
    How old an input may be before it counts as late.

    `limits_share` is how much of what an exchange publishes as its limits steady reading may
    use, all accounts behind this machine's address together; a fraction. `is_shared`: another
    monitor watches the same accounts and uses as much.
    """

    account_seconds: float = 60.0
    marks_seconds: float = 15.0
    limits_share: float = 0.20
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """One way to reach a person; `url` is apprise's and holds its secrets."""

    name: str
    url: SecretStr
    min_severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatSettings:
    """The dead man's switch: an address to ping; it is a secret."""

    url: SecretStr
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Everything that the configuration file at `file` says.

    `instance` is what this monitor is called where several watch, empty where it has no name.
    """

    file: Path
    accounts: tuple[AccountSettings, ...]
    ladder: Ladder
    budgets: Budgets
    target: Target
    channels: tuple[ChannelSettings, ...]
    state_directory: Path
    http_host: str
    http_port: int
    heartbeat: HeartbeatSettings | None = None
    instance: str = ""

    def secrets(self) -> tuple[str, ...]:
        """Every secret text, for the one reader that must know them all: redaction."""
        held = [channel.url for channel in self.channels]
        held += [self.heartbeat.url] if self.heartbeat is not None else []
        for account in self.accounts:
            held += [account.api_key, account.api_secret]
            held += [account.passphrase] if account.passphrase is not None else []
        return tuple(secret.get_secret_value() for secret in held)
