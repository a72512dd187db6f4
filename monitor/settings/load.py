"""From the configuration file to Settings: found, read, checked as a whole."""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from monitor.alerts.ladder import DEFAULT_LADDER, Ladder, Measure, Severity
from monitor.errors import ConfigError
from monitor.risk.result import Target
from monitor.settings.document import Document, RungTable
from monitor.settings.mistakes import Mistake, Places, found_by
from monitor.settings.record import (
    AccountSettings,
    Budgets,
    ChannelSettings,
    HeartbeatSettings,
    Settings,
)
from monitor.settings.secret import SecretSources, is_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.alerts.ladder import Rung
    from monitor.settings.document import Account, HeartbeatTable

VARIABLE = "MARGIN_MONITOR_CONFIG"
DEFAULT_PLACES = (
    Path("/etc/margin-monitor/margin-monitor.toml"),
    Path("config/margin-monitor.toml"),
)
_USUAL_POLL_SECONDS = 15.0
_POLLS_PER_BUDGET = 3


def find_config(given: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """
    The configuration file: `given` (--config), else $MARGIN_MONITOR_CONFIG, else the first
    of the default places that exists.

    Raises:
        ConfigError: If there is none; the message names where it was looked for.
    """
    if given is not None:
        return given
    if environ.get(VARIABLE):
        return Path(environ[VARIABLE])
    for place in DEFAULT_PLACES:
        if place.is_file():
            return place
    looked = ", ".join(str(place) for place in DEFAULT_PLACES)
    raise ConfigError(
        f"no configuration file: {VARIABLE} is not set and there is none at {looked}; "
        "start from config/minimal.toml, or name one with --config"
    )


def load_settings(
    path: Path, environ: Mapping[str, str] = os.environ, *, secrets: bool = True
) -> Settings:
    """
    What the file says, with every secret read from its source.

    Args:
        secrets: False for those who need none: no source is opened, every secret is empty.

    Raises:
        ConfigError: If anything in it is wrong; `mistakes` lists every mistake with its place.
    """
    text, private = _read(path)
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # among them a number of 5,000 digits
        raise ConfigError(f"{path}: this is not TOML: {error}") from None
    mistakes = _across_tables(data)
    document = None
    try:
        sources = SecretSources(environ=environ, text_allowed=private, opened=secrets)
        document = Document.model_validate(data, context=sources)
    except ValidationError as error:
        mistakes += found_by(error)
    if document is None or mistakes:
        raise ConfigError(*Places(path, text).told(mistakes))
    return _settings(path, document, environ)


def _read(path: Path) -> tuple[str, bool]:
    try:
        # Some editors put a mark before UTF-8.
        return path.read_text(encoding="utf-8-sig"), is_private(path)
    except OSError as error:
        raise ConfigError(f"{path}: the configuration can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the configuration is not UTF-8 text") from None


def _across_tables(data: dict[str, object]) -> list[Mistake]:
    # Looked at in the raw data, so that one wrong key doesn't hide these.
    found: list[Mistake] = []
    for section, word in (("accounts", "account"), ("channels", "channel"), ("ladder", "rung")):
        found += _repeated_names(section, word, _tables(data, section))
    found += _ladder_mistakes(_tables(data, "ladder"))
    return found + _slow_polls(data)


def _tables(data: Mapping[str, object], section: str) -> list[dict[str, object]]:
    given = data.get(section)
    return [t if isinstance(t, dict) else {} for t in given] if isinstance(given, list) else []


def _repeated_names(section: str, word: str, tables: list[dict[str, object]]) -> list[Mistake]:
    names = [str(table.get("name")) for table in tables]
    first = {name: names.index(name) for name in names}
    return [
        ((section, place, "name"), f"{word} {section}[{first[name]}] is called '{name}' already")
        for place, name in enumerate(names)
        if "name" in tables[place] and first[name] < place
    ]


def _ladder_mistakes(tables: list[dict[str, object]]) -> list[Mistake]:
    rungs: dict[int, Rung] = {}
    for place, table in enumerate(tables):
        try:
            rungs[place] = RungTable.model_validate(table).rung()
        except ValidationError:
            continue  # told where the document is read
    found: list[Mistake] = []
    for place, rung in rungs.items():
        for other in rungs.values():
            because = _out_of_order(rung, other)
            if because:
                found.append((("ladder", place, "enter"), because))
    counts = Counter((rung.on, rung.enter) for rung in rungs.values())
    for place, rung in rungs.items():
        if counts[rung.on, rung.enter] > 1:
            because = f"another rung on {rung.on.value} enters at {rung.enter}, too"
            found.append((("ladder", place, "enter"), because))
    return found


def _out_of_order(rung: Rung, milder: Rung) -> str | None:
    """Why a rung must not enter before a milder one, None where it doesn't."""
    if rung.on is not milder.on or rung.severity.rank <= milder.severity.rank:
        return None
    if rung.on is Measure.RATIO and rung.enter < milder.enter:
        order = "above"
    elif rung.on is Measure.DISTANCE and rung.enter > milder.enter:
        order = "below"
    else:
        return None
    return (
        f"rung '{rung.name}' ({rung.severity.value}) must enter {order} rung '{milder.name}' "
        f"({milder.severity.value}, {milder.enter}), found {rung.enter}"
    )


def _slow_polls(data: Mapping[str, object]) -> list[Mistake]:
    budgets = data.get("budgets")
    budget = budgets.get("account", 60) if isinstance(budgets, dict) else 60
    if not isinstance(budget, int | Decimal):
        return []
    return [
        (
            ("accounts", place, "poll_seconds"),
            f"expected less than the account's budget ({budget} seconds), found {poll}",
        )
        for place, table in enumerate(_tables(data, "accounts"))
        if isinstance(poll := table.get("poll_seconds"), int | Decimal) and poll >= budget
    ]


def _settings(path: Path, document: Document, environ: Mapping[str, str]) -> Settings:
    # Only who runs two monitors gives them names: each takes half.
    parts = 1 if document.instance is None else 2
    budgets = Budgets(
        account_seconds=document.budgets.account,
        marks_seconds=document.budgets.marks,
        limits_share=float(document.budgets.limits) / parts,
        is_shared=parts > 1,
    )
    host, _, port = document.http.listen.rpartition(":")
    rungs = tuple(table.rung() for table in document.ladder)
    return Settings(
        file=path,
        accounts=tuple(_account(account, budgets) for account in document.accounts),
        ladder=Ladder(rungs=rungs) if rungs else DEFAULT_LADDER,
        budgets=budgets,
        target=Target(ratio=document.advice.target_ratio, distance=document.advice.target_distance),
        channels=tuple(
            ChannelSettings(name=c.name, url=c.url, min_severity=Severity(c.min_severity))
            for c in document.channels
        ),
        state_directory=_state_directory(document.state.directory, environ),
        http_host=host.removeprefix("[").removesuffix("]"),
        http_port=int(port),
        heartbeat=_heartbeat(document.heartbeat),
        instance=document.instance.name if document.instance is not None else "",
    )


def _heartbeat(table: HeartbeatTable | None) -> HeartbeatSettings | None:
    return None if table is None else HeartbeatSettings(url=table.url, seconds=table.seconds)


def _account(account: Account, budgets: Budgets) -> AccountSettings:
    usual = min(_USUAL_POLL_SECONDS, budgets.account_seconds / _POLLS_PER_BUDGET)
    return AccountSettings(
        name=account.name,
        exchange=account.exchange,
        api_key=account.api_key,
        api_secret=account.api_secret,
        passphrase=account.passphrase,
        products=None if account.products is None else tuple(account.products),
        poll_seconds=usual if account.poll_seconds is None else account.poll_seconds,
        rest_url=account.rest_url,
        ws_url=account.ws_url,
        allow_trading_key=account.allow_trading_key,
    )


def _state_directory(given: str | None, environ: Mapping[str, str]) -> Path:
    if given is not None:
        return Path(given).expanduser()
    if environ.get("STATE_DIRECTORY"):
        # systemd lists several directories with colons between; the first is ours.
        return Path(environ["STATE_DIRECTORY"].split(":")[0])
    return Path("~/.local/state/margin-monitor").expanduser()
