"""Captures that were made elsewhere, and `margin-monitor evaluate` as a shell sees it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.cli.main import main

if TYPE_CHECKING:
    import pytest

D = Decimal
CAPTURES = Path(__file__).parent / "captures"
NOON = "2026-11-22T12:00:00.000Z"
MS = 1_795_348_800_000

Json = dict[str, Any]


class Shell:
    """`margin-monitor evaluate` on a capture, as a shell sees it."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, said: pytest.CaptureFixture[str]
    ) -> None:
        self._file, self._patch, self._said = folder / "capture.json", patch, said

    def run(self, capture: Json, *words: str) -> tuple[int, str, str]:
        self._file.write_text(json.dumps(capture), encoding="utf-8")
        self._patch.setattr("sys.argv", ["margin-monitor", "evaluate", str(self._file), *words])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = self._said.readouterr()
        return code, said.out, said.err

    def pools(self, capture: Json, *words: str) -> dict[str, Json]:
        code, out, err = self.run(capture, "--json", *words)
        assert (code, err) == (0, "")
        (account,) = json.loads(out)["accounts"]
        return {pool["id"].removeprefix("main/"): pool for pool in account["pools"]}

    def named(self, capture: Json) -> str:
        """What is said where the figures can't be computed."""
        code, out, err = self.run(capture, "--json")
        assert (code, out) == (3, "")
        return err


def capture(name: str) -> Json:
    found: Json = json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def without(found: Json, *paths: str) -> Json:
    kept = [r for r in found["replies"] if not any(path in r["request"] for path in paths)]
    return {**found, "replies": kept}


def renamed(found: Json, old: str, new: str) -> Json:
    replies = [{**r, "request": r["request"].replace(old, new)} for r in found["replies"]]
    return {**found, "replies": replies}


def body_of(found: Json, path: str) -> Any:
    return next(r["body"] for r in found["replies"] if r["request"].split("?")[0].endswith(path))


def with_frames(found: Json, *frames: tuple[str, Json]) -> Json:
    told = [{"feed": feed, "at": NOON, "text": json.dumps(body)} for feed, body in frames]
    return {**found, "frames": told}


def near(text: str | None, expected: D | str, within: str = "1e-9") -> bool:
    assert text is not None
    return abs(D(text) - D(expected)) <= D(within) * abs(D(expected))
