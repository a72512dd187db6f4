"""Commands run in this process, as a shell sees them."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from monitor.cli.main import main
from monitor.exchanges import gate
from monitor.exchanges.payload import parse_json
from tests.cli.strangers import Shell


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that ran to its end."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return parse_json(self.out)


Typed = Callable[..., Ended]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    """`margin-monitor` with the words that are typed; logs are put back as they were."""
    # Loopback has no limits to keep to.
    monkeypatch.setattr(gate, "BURST_SHARE", 1000.0)
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("MARGIN_MONITOR_CONFIG", "STATE_DIRECTORY", "RUNTIME_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    handlers = logging.getLogger().handlers[:]

    def run(*words: object) -> Ended:
        monkeypatch.setattr("sys.argv", ["margin-monitor", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Ended(code=code or 0, out=said.out, err=said.err)

    yield run
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    # No config file but the one that a test names.
    monkeypatch.delenv("MARGIN_MONITOR_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, monkeypatch, capsys)
