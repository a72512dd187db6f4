"""`capture`: into a file or to stdout, by itself or through the daemon; and what it would ask."""

import json
from pathlib import Path

import pytest

from monitor.exchanges.capture import read_capture
from monitor.exchanges.registry import EXCHANGES
from tests.cli.background import KINDS, aside, exchange, watched
from tests.end_to_end.kinds import NAME


@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_what_the_exchange_told_without_secrets(kind, tmp_path: Path, typed) -> None:
    file = tmp_path / "main.json"
    with aside(exchange(kind, tmp_path)) as (simulation, _, config):
        ended = typed("capture", NAME, "-o", file, "--config", config)
        (access,) = simulation.access()
    assert (ended.code, ended.out) == (0, "")
    assert f"{NAME}: written to {file}" in ended.err
    text = file.read_text(encoding="utf-8")
    capture = read_capture(text.encode())
    assert (capture.exchange, capture.account) == (access.exchange, NAME)
    for word in ("sim-main-key", "sim-main-secret", "sim-main-passphrase", "signature", "127.0.0"):
        assert word not in text


def test_without_a_file_it_goes_to_stdout(tmp_path: Path, typed) -> None:
    with aside(exchange(KINDS[0], tmp_path)) as (_, _, config):
        ended = typed("capture", NAME, "--config", config)
    assert (ended.code, ended.err) == (0, "")
    assert read_capture(ended.out.encode()).account == NAME


def test_a_running_daemon_is_asked_so_that_secrets_need_not_be_read(tmp_path: Path, typed) -> None:
    with aside(watched(KINDS[1], tmp_path)) as config:
        # Another user's view of the config: the secrets stand where only the daemon could read.
        elsewhere = tmp_path / "elsewhere.toml"
        lines = [
            line if not line.startswith(("api_key", "api_secret")) else _unreadable(line)
            for line in config.read_text(encoding="utf-8").splitlines()
        ]
        elsewhere.write_text("\n".join(lines), encoding="utf-8")
        ended = typed("capture", NAME, "--config", elsewhere)
    assert ended.code == 0, ended.err
    assert read_capture(ended.out.encode()).exchange == "bybit"


def _unreadable(line: str) -> str:
    return line.partition("=")[0] + '= { file = "/nowhere/secret" }'


def test_an_account_that_is_not_configured_is_wrong_usage(tmp_path: Path, typed) -> None:
    with aside(exchange(KINDS[0], tmp_path)) as (_, _, config):
        ended = typed("capture", "other", "--config", config)
    assert (ended.code, ended.out) == (2, "")
    assert "other" in ended.err
    assert NAME in ended.err


def test_an_exchange_that_is_away_is_told_and_no_file_is_left(tmp_path: Path, typed) -> None:
    file = tmp_path / "main.json"
    with aside(exchange(KINDS[0], tmp_path)) as (_, _, config):
        pass
    ended = typed("capture", NAME, "-o", file, "--config", config)
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert NAME in ended.err
    assert not file.exists()


def test_what_is_not_watched_is_named(tmp_path: Path, typed) -> None:
    """An account whose figures can't be computed is captured all the same, and named later."""
    with aside(exchange(KINDS[2], tmp_path)) as (simulation, _, config):
        simulation.world.fault("okx", "bad_key")
        ended = typed("capture", NAME, "--config", config)
    assert ended.code == 3
    assert NAME in ended.err
    assert "sim-main" not in ended.err


@pytest.mark.parametrize("name", EXCHANGES)
def test_it_lists_what_it_would_ask(name: str, typed) -> None:
    ended = typed("capture", "--list", name)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("# ")
    needed = [line for line in lines if line.startswith("GET ") and "(optional)" not in line]
    optional = [line for line in lines if "(optional)" in line]
    assert len(needed) > 4
    assert optional
    assert all(line.startswith(("# ", "GET /")) for line in lines)


def test_what_it_lists_is_what_it_asks(tmp_path: Path, typed) -> None:
    """Every request of a real capture is one of the listed ones, placeholders filled in."""
    with aside(exchange(KINDS[1], tmp_path)) as (_, _, config):
        captured = json.loads(typed("capture", NAME, "--config", config).out)
    listed = typed("capture", "--list", "bybit").out
    paths = {line.split()[1].partition("?")[0] for line in listed.splitlines() if "GET" in line}
    asked = {reply["request"].split()[1].partition("?")[0] for reply in captured["replies"]}
    assert asked <= paths
