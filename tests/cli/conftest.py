"""What the command tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.strangers import Shell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    # No config file but the one that a test names.
    monkeypatch.delenv("MARGIN_MONITOR_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, monkeypatch, capsys)
