"""Starts that follow no stop in order. F-77."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.service.restarts import note_start
from monitor.storage import open_store
from tests.alerting import NOON, at

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.alerts.message import Notification


def lives(folder: Path, *lives: tuple[float, bool]) -> list[float]:
    """The starts (seconds) that were told; of each life its start, and whether it was stopped."""
    told = []
    for began, is_stopped in lives:
        store = open_store(folder, NOON)

        def tell(notice: Notification, name: str, began: float = began, store=store) -> None:
            store.tell(notice, ["phone"], name)
            told.append(began)

        note_start(store, tell, at(began))
        if is_stopped:
            store.end_in_order()
        store.close()
    return told


def test_the_third_is_told_and_the_fourth_is_not_f77(tmp_path: Path) -> None:
    assert lives(tmp_path, (0, False), (2, False), (4, False), (6, False)) == [4]


def test_it_is_told_again_after_an_hour_if_it_goes_on_f77(tmp_path: Path) -> None:
    crashes = [(minute * 60.0, False) for minute in range(0, 130, 2)]

    assert lives(tmp_path, *crashes) == [240, 3840, 7440]


def test_starts_that_are_far_apart_are_none_too_many(tmp_path: Path) -> None:
    assert lives(tmp_path, (0, False), (301, False), (602, False), (903, False)) == []


def test_who_was_stopped_in_order_is_not_counted(tmp_path: Path) -> None:
    assert lives(tmp_path, *((second, True) for second in range(20))) == []
    assert lives(tmp_path, (30, False), (31, True), (32, False)) == []
    assert lives(tmp_path, (33, False)) == [33]
