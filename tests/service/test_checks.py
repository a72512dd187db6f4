"""What `check` finds before going live, on a simulated account and on a channel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from monitor.alerts.ladder import Severity
from monitor.exchanges.registry import EXCHANGES
from monitor.risk.model import PoolId
from monitor.service import checks as checking
from monitor.service.checks import run_checks
from monitor.settings import AccountSettings, ChannelSettings
from monitor.simulator.scenario import load
from monitor.simulator.server import running
from tests.end_to_end.stage import receiving
from tests.service.having import some_settings

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.service.findings import Check
    from monitor.simulator.scenario import Scenario
    from monitor.simulator.server import Access

NAME = "calm-bybit"


def one_account(permissions: tuple[str, ...] = ("read",)) -> Scenario:
    calm = load("calm")
    (held,) = (account for account in calm.accounts if account.name == NAME)
    return replace(calm, accounts=(replace(held, permissions=permissions),))


def account(access: Access, **changes: object) -> AccountSettings:
    given = AccountSettings(
        name=access.account,
        exchange=access.exchange,
        api_key=SecretStr(access.api_key),
        api_secret=SecretStr(access.api_secret),
        passphrase=None,
        products=None,
        poll_seconds=15,
        rest_url=access.rest_url,
        ws_url=access.ws_url,
        allow_trading_key=False,
    )
    return replace(given, **changes)  # type: ignore[arg-type] - given by the tests


async def checks(
    folder: Path, permissions: tuple[str, ...] = ("read",), **changes: object
) -> list[Check]:
    """Every line about the one account, from its own first to its own last."""
    async with running(one_account(permissions)) as simulation:
        (access,) = simulation.access()
        held = some_settings(folder, accounts=(account(access, **changes),))
        lines = [line async for line in run_checks(held, send_test=False)][2:]
    return [line for line in lines if line.what.startswith(NAME)]


async def test_a_sound_account_is_gone_through_from_reachable_to_its_marks(tmp_path: Path) -> None:
    found = await checks(tmp_path)

    assert [line.what for line in found] == [
        f"{NAME}: {what}"
        for what in (
            "reachable",
            "clock",
            "key rights",
            "account mode",
            "positions",
            "leverage tiers",
            "mark stream",
            "private stream",
        )
    ]
    assert [line for line in found if not line.ok] == []
    words = {line.what.removeprefix(f"{NAME}: "): line.found for line in found}
    assert words["key rights"].startswith("read-only")
    assert words["account mode"] == "unified, cross"
    held = {p.symbol for p in one_account().accounts[0].positions}
    assert set(words["positions"].split(", ")) == held
    assert words["mark stream"] == f"{len(held)} symbols heard"
    assert words["private stream"].startswith("given: ")


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_key_that_may_trade_fails_unless_that_is_allowed(
    allowed: bool, tmp_path: Path
) -> None:
    found = await checks(tmp_path, ("read", "trade"), allow_trading_key=allowed)
    (rights,) = (line for line in found if line.what.endswith("key rights"))

    assert rights.ok is allowed
    assert "may do more than read" in rights.found
    assert ("allowed in the config" in rights.found) is allowed


async def test_a_wrong_secret_is_told_without_it_and_with_what_to_do(tmp_path: Path) -> None:
    found = await checks(tmp_path, api_secret=SecretStr("canary-secret"))

    assert not found[-1].ok
    assert found[-1].what in {f"{NAME}: read", f"{NAME}: key rights"}
    assert EXCHANGES["bybit"].permission_hint in found[-1].found
    assert not any("canary-secret" in line.found for line in found)


async def test_an_exchange_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    found = await checks(tmp_path, rest_url="http://127.0.0.1:9")

    assert [line.ok for line in found] == [False]
    assert found[0].what == f"{NAME}: read"
    # Its key may be well: nothing is said of it.
    assert EXCHANGES["bybit"].permission_hint not in found[0].found


async def test_what_a_key_may_not_look_at_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = checking._read

    async def unreadable(*given: object) -> object:
        replies, snapshot = await read(*given)  # type: ignore[arg-type] - handed through
        return replies, replace(snapshot, mode=f"{snapshot.mode}; not read: COIN-M")

    monkeypatch.setattr(checking, "_read", unreadable)

    (failed,) = [line for line in await checks(tmp_path) if not line.ok]

    assert failed.what == f"{NAME}: all of the account"
    assert failed.found.startswith("COIN-M: this key may not ask for it")


async def test_a_pool_that_can_not_be_read_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = checking._read

    async def unreadable(*given: object) -> object:
        replies, snapshot = await read(*given)  # type: ignore[arg-type] - handed through
        unread = {PoolId(account=NAME, name="USDC"): "exchangeInfo: no row for NEWUSDC"}
        return replies, replace(snapshot, unread=unread)

    monkeypatch.setattr(checking, "_read", unreadable)

    (failed,) = [line for line in await checks(tmp_path) if not line.ok]

    assert failed.what == f"{NAME}: pool USDC"
    assert failed.found == "can't be read: exchangeInfo: no row for NEWUSDC"


async def test_a_test_message_is_sent_where_asked_for(tmp_path: Path) -> None:
    async with receiving() as phone:
        there = ChannelSettings(
            name="phone", url=SecretStr(phone.url), min_severity=Severity.CRITICAL
        )
        gone = replace(there, name="gone", url=SecretStr("json://127.0.0.1:9/"))
        settings = some_settings(tmp_path, there, gone)
        quiet = [line async for line in run_checks(settings, send_test=False)][2:]
        assert phone.messages == []
        said = [line async for line in run_checks(settings, send_test=True)][2:]

    assert [(line.what, line.ok) for line in quiet] == [
        ("channel phone", True),
        ("channel gone", True),
    ]
    assert [(line.what, line.ok) for line in said] == [
        ("channel phone", True),
        ("channel gone", False),
    ]
    assert [message.title for message in phone.messages] == [
        "TEST: margin-monitor reaches you here"
    ]
