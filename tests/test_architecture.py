"""
What imports can't show: no floats in the core, no long file, a test file for what decides.

The direction of imports is import-linter's part (`pyproject.toml`).
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = 400

# Rooms in which every source file must have its test file; the exceptions say why.
ROOMS: dict[str, dict[str, str]] = {
    "risk": {"__init__": "lists the room's public names"},
    "alerts": {"__init__": "lists the room's public names", "facts": "only values"},
    "engine": {
        "__init__": "lists the room's public names",
        "effects": "only values",
        "events": "only values",
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
