"""The built wheel: what is in it, what it says of itself, and that it runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from monitor import __version__

ROOT = Path(__file__).parents[1]
SECONDS = 60


def ran(*words: str, cwd: Path, **environ: str) -> str:
    """A command's stdout; fails with what it said if it does."""
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what is needed for it, so that nothing lands in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir")
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    ran(*pip, *build, str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    ran(*pip, "install", "--quiet", "--no-deps", "--target", str(folder), str(wheel), cwd=folder)
    return folder


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_it_holds_every_source_file_and_what_these_read(wheel: Path) -> None:
    tracked = {
        str(path.relative_to(ROOT))
        for pattern in ("*.py", "*.sql", "*.toml")
        for path in (ROOT / "monitor").rglob(pattern)
    }
    assert "monitor/storage/schema.sql" in tracked
    assert "monitor/simulator/scenarios/flash_crash.toml" in tracked
    assert tracked - names_in(wheel) == set()


def test_it_holds_nothing_beside_the_package_and_its_metadata(wheel: Path) -> None:
    places = {name.split("/")[0] for name in names_in(wheel)}

    assert places == {"monitor", f"margin_monitor-{__version__}.dist-info"}
    assert not [name for name in names_in(wheel) if name.endswith((".pyc", ".db", ".log"))]


def test_what_it_says_of_itself_names_no_index_and_no_machine(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        said = opened.read(f"margin_monitor-{__version__}.dist-info/METADATA").decode()
    head = said.partition("\n\n")[0]

    assert re.search(rf"^Version: {re.escape(__version__)}$", head, re.MULTILINE)
    required = re.findall(r"^Requires-Dist: (.*)$", head, re.MULTILINE)
    assert any(line.startswith("ccxt") for line in required)
    # A dependency by address would look like «name @ https://…».
    assert not [line for line in required if "@" in line or "://" in line]
    assert str(ROOT) not in said


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_names_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", text, re.MULTILINE)

    assert len(pinned) > 20
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_installed_it_runs_from_its_own_files(installed: Path) -> None:
    site = {"PYTHONPATH": str(installed)}
    where = ran(
        sys.executable, "-c", "import monitor; print(monitor.__file__)", cwd=installed, **site
    )
    assert Path(where.strip()).is_relative_to(installed)
    said = ran(sys.executable, "-m", "monitor", "--version", cwd=installed, **site)
    assert said == f"margin-monitor {__version__}\n"
    listed = ran(sys.executable, "-m", "monitor", "demo", "--list", cwd=installed, **site)
    assert "flash_crash" in listed


def test_installed_its_command_runs(installed: Path) -> None:
    command = installed / "bin" / "margin-monitor"

    said = ran(str(command), "--version", cwd=installed, PYTHONPATH=str(installed))
    assert said == f"margin-monitor {__version__}\n"
