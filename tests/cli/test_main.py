"""What every command's end means to a shell: exit codes, and which stream says what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor import __version__
from monitor.cli.main import app, exit_code, main
from monitor.errors import (
    ConfigError,
    DeliveryError,
    Malformed,
    MissingMark,
    MissingReply,
    MonitorError,
    Refused,
    StorageError,
    Unmodelled,
    Unreachable,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MonitorError("no daemon answers"), 1),
        (Unreachable("no answer"), 1),
        (StorageError("the disk is full"), 1),
        (DeliveryError("not taken"), 1),
        (ConfigError("a mistake"), 2),
        (Malformed("data[0].mmr", "a number"), 3),
        (MissingReply("not there"), 3),
        (Unmodelled("an option"), 3),
        (Refused("no such key"), 3),
        (MissingMark("BTC/USDT:USDT"), 3),
    ],
)
def test_an_error_says_by_its_kind_what_a_shell_may_do(error: MonitorError, code: int) -> None:
    assert exit_code(error) == code


def ran(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    monkeypatch.setattr("sys.argv", ["margin-monitor", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    code = ended.value.code
    assert code is None or isinstance(code, int)
    return code or 0, said.out, said.err


def test_the_version_is_a_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ran(monkeypatch, capsys, "--version")

    assert (code, out, err) == (0, f"margin-monitor {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bogus"], "bogus"),
        (["status", "--bogus"], "--bogus"),
        (["evaluate"], "files"),
        (["evaluate", "x.json", "--mark", "SOL=-1"], "SYMBOL=PRICE"),
        (["demo", "bogus"], "bogus"),
        (["capture"], "name an account"),
        (["capture", "--list", "bogus"], "expected one of"),
    ],
)
def test_wrong_usage_is_told_without_a_traceback(
    words: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = ran(monkeypatch, capsys, *words)

    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_every_mistake_of_a_config_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "m.toml"
    file.write_text("accunts = 1\nchanels = 2\n", encoding="utf-8")
    code, out, err = ran(monkeypatch, capsys, "run", "--config", str(file))

    assert (code, out) == (2, "")
    assert all(f"{file}:{line}: {key}: " in err for line, key in ((1, "accunts"), (2, "chanels")))


def test_every_command_has_help_with_an_example(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    assert len(names) > 6
    for name in names:
        code, out, _ = ran(monkeypatch, capsys, name, "--help")
        assert (code, "Example:" in out) == (0, True), name
