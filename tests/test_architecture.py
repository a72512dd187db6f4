"""
What imports can't show: no floats in the core, no long file, a test file for what decides.

The direction of imports is import-linter's part (`pyproject.toml`).
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = 400

# The folders in which every source file must have its test file. The exceptions say why; one
# that is shown elsewhere names the test that does.
ROOMS: dict[str, dict[str, str]] = {
    "risk": {
        "__init__": "lists the room's public names",
        "cash": "only values",
        "news": "only values",
    },
    "alerts": {"__init__": "lists the room's public names", "facts": "only values"},
    "engine": {
        "__init__": "lists the room's public names",
        "effects": "only values",
        "events": "only values",
    },
    "exchanges": {
        "__init__": "empty",
        "account_connection": "test_account_feed",
        "port": "only values; the secrets of Credentials: test_rest",
    },
    "exchanges/binance": {
        "__init__": "puts the readers together: test_account",
        "coin_calls": "test_calls, test_modes",
        "contracts": "test_account, test_calls",
        "indexes": "test_multi_assets",
        "portfolio_calls": "test_calls, test_modes",
        "portfolio_pool": "test_portfolio",
        "reading": "test_account, test_recorded, test_modes",
        "reported": "test_pools, test_recorded",
        "view": "test_updates, test_account, test_unread",
    },
    "exchanges/bybit": {
        "__init__": "puts the readers together: test_account",
        "calls": "test_needs",
        "envelope": "test_errors, test_every_field",
        "instruments": "test_every_field, test_pools",
        "legs": "test_pools, test_recordings",
        "moment": "test_account",
        "rows": "test_every_field, test_recordings, test_lists",
    },
    "exchanges/okx": {
        "__init__": "puts the readers together: test_account",
        "asked": "tables asked for in other ways: tests/cli, a stranger's captures",
        "coin_pools": "test_pools, test_reported, test_trades",
        "envelope": "test_broken_replies, test_errors",
        "held": "test_broken_replies, test_recordings, test_trades",
        "isolated": "test_pools, test_trades, test_carried",
        "legs": "test_pools, test_recordings",
        "parts": "test_carried, test_book",
        "products": "test_futures, test_marks",
        "reading": "test_broken_replies, test_account",
        "rows": "test_broken_replies, test_recordings",
        "tables": "test_tiers, test_broken_replies",
        "unified": "test_pools, test_debts, test_modes",
        "wants": "test_account, test_calls, test_trades",
        "pages": "test_frame_order",
    },
    "delivery": {"__init__": "empty", "channel": "only a port"},
    "storage": {
        "__init__": "lists the room's public names",
        "columns": "test_store, test_history",
        "incidents": "test_store",
        "outbox": "test_store",
        "itself": "test_store",
        "reader": "test_history",
        "watched": "test_store",
        "works": "test_store, test_writer",
    },
    "status": {"__init__": "empty", "metrics": "test_http"},
    "service": {
        "__init__": "empty",
        "feeds": "test_checks, test_private_check",
        "findings": "only values",
        "key_rights": "test_account_task",
        "tasks": "test_daemon",
    },
    "settings": {
        "__init__": "lists the room's public names",
        "document": "test_load",
        "mistakes": "test_load",
        "record": "only values: test_load",
    },
    "simulator": {
        "__init__": "empty",
        "binance": "test_binance_rest, test_binance_clients",
        "binance_accounts": "test_binance_pools",
        "binance_auth": "test_binance_rest",
        "binance_coin_calls": "test_binance_coin",
        "binance_coin_rows": "test_binance_coin",
        "binance_coin_tables": "test_binance_coin",
        "binance_declared": "test_binance_shared",
        "binance_frames": "test_binance_stream",
        "binance_income": "test_binance_modes",
        "binance_ledger": "test_binance_pools",
        "binance_liquidation": "test_binance_pools",
        "binance_order_frames": "test_binance_forced, test_binance_stream",
        "binance_orders": "test_binance_wire, test_binance_coin",
        "binance_other": "test_binance_rest",
        "binance_portfolio_calls": "test_binance_portfolio",
        "binance_portfolio_rows": "test_binance_portfolio",
        "binance_prices": "test_binance_pools, test_binance_shared",
        "binance_public": "test_binance_wire",
        "binance_quotes": "test_binance_pools",
        "binance_rows": "test_binance_wire",
        "binance_steering": "test_binance_changes, test_faults",
        "binance_tables": "test_binance_wire",
        "binance_weights": "test_binance_rest, test_binance_portfolio",
        "bybit": "test_bybit_rest, test_bybit_clients",
        "bybit_account": "test_bybit_wire",
        "bybit_accounts": "test_bybit_ledger",
        "bybit_auth": "test_bybit_rest",
        "bybit_changes": "test_bybit_events, test_bybit_takeover",
        "bybit_estimate": "test_bybit_ledger, test_bybit_wire",
        "bybit_fills": "test_bybit_cash, test_bybit_events",
        "bybit_market": "test_bybit_rest, test_bybit_wire",
        "bybit_options": "test_bybit_wire",
        "bybit_paging": "test_bybit_rest",
        "bybit_public": "test_bybit_wire",
        "bybit_rows": "test_bybit_wire",
        "bybit_steering": "test_bybit_modes, test_bybit_events",
        "bybit_tables": "test_bybit_wire, test_bybit_ledger",
        "changes": "test_unified_faults, test_binance_changes",
        "faulty_rest": "test_unified_faults, test_faults",
        "okx": "test_okx_rest, test_okx_clients",
        "okx_account": "test_okx_wire",
        "okx_accounts": "test_okx_ledger",
        "okx_auth": "test_okx_rest",
        "okx_balance": "test_okx_wire, test_okx_wire_modes",
        "okx_bills": "test_okx_changes",
        "okx_channels": "test_okx_stream",
        "okx_events": "test_okx_private",
        "okx_legs": "test_okx_ledger, test_okx_modes",
        "okx_orders": "test_okx_wire",
        "okx_pools": "test_okx_ledger",
        "okx_public": "test_okx_wire",
        "okx_queries": "test_okx_rest, test_okx_wire_modes",
        "okx_rates": "test_okx_wire_modes, test_okx_modes",
        "okx_rows": "test_okx_wire",
        "okx_steering": "test_okx_changes",
        "okx_stress": "test_okx_modes",
        "okx_tables": "test_okx_wire, test_okx_ledger",
        "server": "test_steering, test_okx_clients",
        "takeover": "test_bybit_ledger, test_okx_ledger",
        "truth": "test_steering, test_world",
    },
}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def floats_in(tree: ast.AST) -> list[int]:
    """The lines with a float (or complex) literal, or a call of `float`."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"float", "complex"}
        )
    ]


@pytest.mark.parametrize("path", sources("monitor/risk"), ids=lambda path: path.name)
def test_the_core_has_no_floats(path: Path):
    assert floats_in(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("text", ["x = 0.5", "x = 1e-8", "x = f(float(y))", "x = 2j"])
def test_a_float_would_be_found(text: str):
    assert floats_in(ast.parse(text)) == [1]


@pytest.mark.parametrize("text", ["x = 1", "x = Decimal('0.5')", "x: float", "'0.5'"])
def test_what_is_no_float_is_not_taken_for_one(text: str):
    assert floats_in(ast.parse(text)) == []


def test_no_file_is_longer_than_may_be_read_at_once():
    found = sources("monitor", "tests")
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in found}

    assert len(found) > len(list((ROOT / "monitor" / "risk").glob("*.py")))
    too_long = {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > LONGEST}
    assert too_long == {}


@pytest.mark.parametrize("room", ROOMS)
def test_every_file_that_decides_has_its_test_file(room: str):
    folder = ROOT / "monitor" / room
    decides = {path.stem for path in folder.glob("*.py")} - ROOMS[room].keys()

    assert decides
    missing = {name for name in decides if not (ROOT / "tests" / room / f"test_{name}.py").exists()}
    assert missing == set()


@pytest.mark.parametrize("room", ROOMS)
def test_an_exception_names_a_file_that_is_there_and_untested(room: str):
    for name in ROOMS[room]:
        assert (ROOT / "monitor" / room / f"{name}.py").exists()
        assert not (ROOT / "tests" / room / f"test_{name}.py").exists()


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_shown_elsewhere_names_a_test_that_is_there(room: str):
    for name, reason in ROOMS[room].items():
        named = re.findall(r"test_\w+", reason)
        gone = [t for t in named if not (ROOT / "tests" / room / f"{t}.py").exists()]
        assert gone == []
        path = ROOT / "monitor" / room / f"{name}.py"
        assert (path.read_text(encoding="utf-8").strip() == "") is (reason == "empty")


def test_every_room_is_looked_at():
    rooms = {
        str(path.relative_to(ROOT / "monitor"))
        for path in (ROOT / "monitor").rglob("*")
        if path.is_dir() and any(path.glob("*.py"))
    }

    # The commands are shown as a person uses them: in end_to_end, and in tests/cli.
    assert rooms - ROOMS.keys() == {"cli"}


def test_nothing_stands_in_the_outermost_folder_but_what_belongs_there():
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    listed = subprocess.run([git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert {name.split("/")[0] for name in listed.stdout.splitlines()} == {
        ".ci",
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "SECURITY.md",
        "bench",
        "config",
        "deploy",
        "monitor",
        "pyproject.toml",
        "requirements-dev.lock",
        "requirements.lock",
        "systemd",
        "tests",
    }
