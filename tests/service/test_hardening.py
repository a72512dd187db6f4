"""No core dump, and no look into the process that holds the secrets."""

from __future__ import annotations

import subprocess
import sys

import pytest

from monitor.cli import run as command
from monitor.errors import ConfigError
from monitor.service import hardening

LOOK = """
import ctypes, resource
from monitor.service.hardening import harden
harden()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_no_other_process_may_look_into_this_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.split() == ["0", "0", "0"]


def test_run_sees_to_it_before_any_secret_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setattr(hardening, "harden", lambda: called.append("hardened"))
    monkeypatch.setenv("MARGIN_MONITOR_CONFIG", "/nowhere/margin-monitor.toml")
    with pytest.raises(ConfigError):
        command.run()
    assert called == ["hardened"]
