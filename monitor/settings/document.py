"""
The shape of the configuration file: its tables and keys, and what each may hold.

Every check here concerns one key, or keys of one table; what concerns several tables is
looked at in `load`. The sentences of the ValueErrors are read by the person who wrote the file.
"""

from __future__ import annotations

import ipaddress
from decimal import Decimal
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    ValidationInfo,
    field_validator,
    model_validator,
)

from monitor.alerts.ladder import Measure, Rung, Severity
from monitor.delivery.address import is_link_local, refusal
from monitor.settings.secret import FORMS, SecretSources, at_home, nearest

EXCHANGES = ("binance", "bybit", "okx")
PRODUCTS = ("usdm", "coinm")
_LONGEST_NAME = 40
_LEAST_SHARE, _LARGEST_SHARE = Decimal("0.01"), Decimal("0.50")
_HIGHEST_PORT = 65535


def _number(given: object) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | Decimal):
        raise ValueError("expected a number")  # noqa: TRY004 - pydantic collects ValueErrors
    number = Decimal(given)
    if not number.is_finite():
        raise ValueError("expected a finite number")
    return number


def _fraction(given: object) -> Decimal:
    number = _number(given)
    if Decimal(1) < number <= Decimal(100):
        shown = format((number / 100).normalize(), "f")
        raise ValueError(f"expected a fraction between 0 and 1, found {number}: write {shown}")
    if not 0 < number < 1:
        raise ValueError(f"expected a fraction between 0 and 1 (0.80 is 80 %), found {number}")
    return number


def _seconds(least: str, most: str) -> BeforeValidator:
    def check(given: object) -> float:
        number = _number(given)
        if not Decimal(least) <= number <= Decimal(most):
            raise ValueError(f"expected {least} to {most} seconds, found {number}")
        return float(number)

    return BeforeValidator(check)


def _limits(given: object) -> Decimal:
    share = _fraction(given)
    if not _LEAST_SHARE <= share <= _LARGEST_SHARE:
        raise ValueError(
            f"expected {_LEAST_SHARE} to {_LARGEST_SHARE} of the published limits, found {share}"
        )
    return share


def _name(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError("expected text")  # noqa: TRY004 - pydantic collects ValueErrors
    fits = given and given == given.strip() and given.isprintable() and "/" not in given
    if not fits or len(given) > _LONGEST_NAME:
        raise ValueError(
            f"expected a name of 1 to {_LONGEST_NAME} printable characters without '/', "
            "and no blank at either end"
        )
    return given


def _one_of(valid: tuple[str, ...], words: str) -> BeforeValidator:
    def check(given: object) -> str:
        if not isinstance(given, str) or given not in valid:
            listed = ", ".join(valid)
            near = nearest(given, valid) if isinstance(given, str) else "expected text"
            raise ValueError(f"expected {words} ({listed}), found {given!r}; {near}")
        return given

    return BeforeValidator(check)


def _secret(given: object, info: ValidationInfo) -> SecretStr | None:
    sources = info.context
    if not isinstance(sources, SecretSources):
        raise TypeError("a document is read with its secret sources as context")
    return None if given is None else SecretStr(sources.read(given))


def _base_url(*schemes: str) -> BeforeValidator:
    def check(given: object) -> str | None:
        if given is None:
            return None
        expected = f"expected an address such as {schemes[0]}://host:port/prefix"
        if not isinstance(given, str) or not given.isprintable() or " " in given:
            raise ValueError(expected)
        try:
            url = urlsplit(given)
            whole = url.scheme in schemes and url.hostname and url.port != 0
        except ValueError:
            whole = False
        if not whole:
            raise ValueError(expected)
        if "@" in url.netloc or url.query or url.fragment:
            raise ValueError(f"{expected}, without user, password, query or fragment")
        return given.rstrip("/")

    return BeforeValidator(check)


def _listen(given: object) -> str:
    expected = "expected host:port on this machine, such as 127.0.0.1:8321"
    if not isinstance(given, str):
        raise ValueError(expected)  # noqa: TRY004 - pydantic collects ValueErrors
    host, colon, port = given.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _HIGHEST_PORT:
        raise ValueError(f"{expected}, found {given!r}")
    if not _is_loopback(host.removeprefix("[").removesuffix("]")):
        raise ValueError(
            f"{expected}, found {given!r}: figures are shown to this machine only; "
            "use an SSH tunnel or a reverse proxy to see them from elsewhere"
        )
    return given


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Name = Annotated[str, BeforeValidator(_name)]
Fraction = Annotated[Decimal, BeforeValidator(_fraction)]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
Poll = Annotated[float | None, _seconds("0.5", "300")]
Budget = Annotated[float, _seconds("1", "3600")]


class Table(BaseModel):
    """A table of the file: unknown keys are mistakes, and no error shows an input."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Account(Table):
    name: Name
    exchange: Annotated[str, _one_of(EXCHANGES, "an exchange")]
    api_key: Secret
    api_secret: Secret
    passphrase: Annotated[SecretStr | None, BeforeValidator(_secret)] = Field(
        default=None, validate_default=True
    )
    products: list[Annotated[str, _one_of(PRODUCTS, "a product")]] | None = None
    poll_seconds: Poll = None
    rest_url: Annotated[str | None, _base_url("https", "http")] = None
    ws_url: Annotated[str | None, _base_url("wss", "ws")] = None
    allow_trading_key: StrictBool = False

    @field_validator("passphrase")
    @classmethod
    def _only_okx_has_one(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        exchange = info.data.get("exchange")
        if exchange == "okx" and value is None:
            raise ValueError(f"an OKX key has a passphrase: expected {FORMS}")
        if exchange in {"binance", "bybit"} and value is not None:
            raise ValueError(f"a key of {exchange} has no passphrase")
        return value

    @field_validator("products")
    @classmethod
    def _only_binance_has_some(
        cls, value: list[str] | None, info: ValidationInfo
    ) -> list[str] | None:
        exchange = info.data.get("exchange")
        if value is not None and exchange in {"bybit", "okx"}:
            raise ValueError(f"products are chosen on binance only, not on {exchange}")
        if value is not None and (not value or len(set(value)) < len(value)):
            raise ValueError("expected at least one product, each once, or no such key")
        return value


class RungTable(Table):
    name: Name
    enter: Fraction
    leave: Fraction
    severity: Annotated[str, _one_of(tuple(s.value for s in Severity), "a severity")] = "warning"
    on: Annotated[str, _one_of(tuple(m.value for m in Measure), "a measure")] = "ratio"

    @model_validator(mode="after")
    def _makes_a_rung(self) -> RungTable:
        self.rung()
        return self

    def rung(self) -> Rung:
        return Rung(
            name=self.name,
            enter=self.enter,
            leave=self.leave,
            severity=Severity(self.severity),
            on=Measure(self.on),
        )


class BudgetTable(Table):
    account: Budget = 60.0
    marks: Budget = 15.0
    limits: Annotated[Decimal, BeforeValidator(_limits)] = Decimal("0.20")


class AdviceTable(Table):
    target_ratio: Fraction = Decimal("0.50")
    target_distance: Fraction = Decimal("0.05")


class Channel(Table):
    name: Name
    url: Secret
    min_severity: Annotated[str, _one_of(tuple(s.value for s in Severity), "a severity")] = "info"

    @field_validator("url")
    @classmethod
    def _leads_to_a_service(cls, value: SecretStr) -> SecretStr:
        # Empty where secrets are left alone: then there is nothing to judge.
        url = value.get_secret_value()
        because = refusal(url) if url else None
        if because:
            raise ValueError(because)
        return value


class StateTable(Table):
    directory: str | None = None

    @field_validator("directory")
    @classmethod
    def _is_absolute(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.isprintable() or not at_home(value).is_absolute():
            raise ValueError(f"expected an absolute path, found {value!r}")
        return value


class HttpTable(Table):
    listen: Annotated[str, BeforeValidator(_listen)] = "127.0.0.1:8321"


class HeartbeatTable(Table):
    url: Secret
    seconds: Annotated[float, _seconds("20", "3600")] = 60.0

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: SecretStr) -> SecretStr:
        expected = "expected an address to ping, such as https://hc-ping.com/your-uuid"
        # Empty where secrets are left alone. The address is a secret: no error shows it.
        url = value.get_secret_value()
        if not url:
            return value
        try:
            parts = urlsplit(url)
            whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            whole = False
        if not whole or not url.isprintable() or " " in url or parts.query or parts.fragment:
            raise ValueError(expected + ", without query or fragment")
        if is_link_local(parts.hostname or ""):
            raise ValueError("link-local and cloud metadata addresses can't be pinged")
        return SecretStr(url.rstrip("/"))


class InstanceTable(Table):
    name: Name


class Document(Table):
    accounts: list[Account] = Field(min_length=1)
    channels: list[Channel] = Field(min_length=1)
    ladder: list[RungTable] = []
    budgets: BudgetTable = BudgetTable()
    advice: AdviceTable = AdviceTable()
    state: StateTable = StateTable()
    http: HttpTable = HttpTable()
    heartbeat: HeartbeatTable | None = None
    instance: InstanceTable | None = None


TABLES: dict[str, type[Table]] = {
    "accounts": Account,
    "channels": Channel,
    "ladder": RungTable,
    "budgets": BudgetTable,
    "advice": AdviceTable,
    "state": StateTable,
    "http": HttpTable,
    "heartbeat": HeartbeatTable,
    "instance": InstanceTable,
}
