"""What is shipped beside the package: the unit, the install script, the image's recipe."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.cli.main import app
from monitor.service.control import UNIT_DIRECTORY

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "systemd" / "margin-monitor.service"
PROGRAM = "/opt/margin-monitor/.venv/bin/margin-monitor"


def unit() -> dict[str, list[str]]:
    """The values of each key of the unit."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    program = tmp_path / "margin-monitor"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    copy = tmp_path / UNIT.name
    copy.write_text(
        UNIT.read_text(encoding="utf-8").replace(PROGRAM, str(program)), encoding="utf-8"
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    # What it says of other units of this machine is none of ours.
    ours = [line for line in done.stderr.splitlines() if UNIT.stem in line]
    assert ours == []
    assert done.returncode == 0


def test_the_unit_starts_again_speaks_after_a_fault_and_is_watched() -> None:
    settings = unit()

    assert settings["ExecStart"] == [f"{PROGRAM} run"]
    assert settings["Type"] == ["notify"]
    assert settings["Restart"] == ["always"]
    assert settings["StartLimitIntervalSec"] == ["0"]
    assert int(settings["WatchdogSec"][0]) > 0
    assert settings["ExecStopPost"] == [f"-{PROGRAM} last-words"]
    assert settings["ExecReload"] == [f"{PROGRAM} reload"]


def test_the_unit_leaves_no_core_dump() -> None:
    assert unit()["LimitCORE"] == ["0"]


def test_the_commands_that_the_unit_runs_exist() -> None:
    known = {c.name or getattr(c.callback, "__name__", "") for c in app.registered_commands}

    assert {"run", "reload", "last-words"} <= known


def test_commands_look_for_the_socket_where_the_unit_puts_it() -> None:
    settings = unit()

    assert Path("/run", *settings["RuntimeDirectory"]) == UNIT_DIRECTORY
    assert settings["StateDirectory"] == ["margin-monitor"]


@pytest.mark.parametrize("name", ["deploy/install.sh", ".ci/run"])
def test_a_script_is_executable_and_can_be_parsed(name: str) -> None:
    path = ROOT / name

    assert path.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(path)], timeout=30, check=False).returncode == 0


def test_what_the_image_copies_is_let_through_to_its_build() -> None:
    recipe = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    let_through = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", recipe, re.MULTILINE)
        for word in line.split()
    }

    assert "requirements.lock" in copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}\n" in let_through, name


def test_every_file_that_the_readme_points_to_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    places = [p for p in re.findall(r"\]\(([^)]+)\)", text) if "://" not in p]

    assert len(places) > 4
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_every_command_that_the_readme_lists_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Commands")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)", section, re.MULTILINE))
    known = {c.callback.__name__ for c in app.registered_commands if c.callback and not c.hidden}

    assert listed == known


def test_the_alert_in_the_readme_is_the_one_that_the_demo_sent() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sent = (ROOT / "deploy" / "pictures" / "alert.txt").read_text(encoding="utf-8")

    assert f"```text\n{sent}```" in text
