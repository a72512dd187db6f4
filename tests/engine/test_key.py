"""What one account's engine says of its key: rights too many, too few, and its end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.engine.events import KeyRightsRead
from tests.engine.test_engine_on_data import calm

if TYPE_CHECKING:
    from tests.engine.scene import Scene


def read(scene: Scene, **rights: object) -> Scene:
    values: dict[str, object] = {"powers": (), "allowed": False} | rights
    return scene.feed(KeyRightsRead(at=scene.at, **values))  # type: ignore[arg-type] - given by the tests


def test_a_missing_right_is_named_and_so_is_its_return() -> None:
    scene = read(calm(), missing=("wallet",))
    assert scene.told == ["KEY LACKS A RIGHT: main (bybit), wallet"]
    assert "lacks a right that watching needs: wallet." in scene.body
    assert read(scene.later(10), missing=("wallet",)).told == []
    assert read(scene).told == ["RESOLVED: the key of main (bybit) has every right it needs"]


def test_gained_rights_are_told_at_once_and_again_a_day_later() -> None:
    scene = read(calm())
    assert scene.told == []
    assert read(scene.later(10), powers=("withdraw",)).told == ["KEY TOO POWERFUL: main (bybit)"]
    began = scene.at
    scene.at = began + timedelta(seconds=86_399)
    assert "STILL KEY TOO POWERFUL: main (bybit)" not in read(scene, powers=("withdraw",)).told
    scene.at = began + timedelta(seconds=86_400)
    assert "STILL KEY TOO POWERFUL: main (bybit)" in read(scene, powers=("withdraw",)).told


def test_an_end_is_told_fourteen_seven_and_one_day_ahead() -> None:
    scene = calm()
    ends_at = scene.at + timedelta(days=20)
    words = f"KEY EXPIRES: main (bybit), on {ends_at:%Y-%m-%d %H:%M} UTC"
    ahead = []
    for _ in range(21 * 4):
        scene.at += timedelta(hours=6)
        if words in read(scene, expires_at=ends_at).told:
            ahead.append(ends_at - scene.at)
    assert ahead == [timedelta(days=days) for days in (14, 7, 1)]


def test_a_key_that_was_prolonged_is_no_trouble_any_more() -> None:
    scene = calm()
    read(scene, expires_at=scene.at + timedelta(days=3))
    assert scene.told[0].startswith("KEY EXPIRES")
    read(scene, expires_at=scene.at + timedelta(days=90))
    assert scene.told == ["RESOLVED: the key of main (bybit) does not end soon"]
    assert read(scene, expires_at=None).told == []
