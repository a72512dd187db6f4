"""The table of faults names tests that are there, and leaves no fault out."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROWS = re.compile(r"^\| (F-\d\d) ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([^`]+\.py)::(\w+)`")
NOT_COVERED = "not covered"
FAULTS = 98
COVERED_AT_LEAST = 90

TABLE = {row[0]: row for row in ROWS.findall((HERE / "FAULTS.md").read_text(encoding="utf-8"))}


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_fault_has_its_row_once() -> None:
    text = (HERE / "FAULTS.md").read_text(encoding="utf-8")
    begun = re.findall(r"^\| (F-\d\d)\b", text, re.MULTILINE)

    assert begun == [f"F-{number:02}" for number in range(1, FAULTS + 1)]
    assert list(TABLE) == begun


@pytest.mark.parametrize("fault", TABLE)
def test_what_a_row_names_is_there(fault: str) -> None:
    _, _, covered_by, how = TABLE[fault]
    named = NAMED.findall(covered_by)
    gone = [
        f"{file}::{name}"
        for file, name in named
        if not (HERE / file).is_file() or name not in functions_of(HERE / file)
    ]

    assert gone == []
    assert bool(named) is not (covered_by.strip() == NOT_COVERED)
    assert how.strip()


def test_nearly_all_are_covered() -> None:
    covered = [fault for fault, row in TABLE.items() if NAMED.search(row[2])]
    print(f"{len(covered)} of {FAULTS} faults are covered")  # noqa: T201 - read by who runs it

    assert len(covered) >= COVERED_AT_LEAST
