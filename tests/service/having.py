"""Settings for tests, with sane defaults."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.risk.result import Target
from monitor.settings import Budgets, ChannelSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.settings import AccountSettings


def some_settings(
    folder: Path, *channels: ChannelSettings, accounts: tuple[AccountSettings, ...] = ()
) -> Settings:
    return Settings(
        file=folder / "m.toml",
        accounts=accounts,
        ladder=DEFAULT_LADDER,
        budgets=Budgets(),
        target=Target(ratio=Decimal("0.5"), distance=Decimal("0.05")),
        channels=channels,
        state_directory=folder / "state",
        http_host="127.0.0.1",
        http_port=0,
    )
