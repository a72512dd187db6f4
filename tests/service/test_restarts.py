"""Starts that follow no stop in order. F-77."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.service.restarts import note_start, pause_seconds
from monitor.storage import open_store
from tests.alerting import NOON, at

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.alerts.message import Notification


def lives(
    folder: Path, *lives: tuple[float, bool], pauses: list[float] | None = None
) -> list[float]:
    """The starts (seconds) that were told; of each life its start, and whether it was stopped."""
    told = []
    for began, is_stopped in lives:
        store = open_store(folder, NOON)

        def tell(notice: Notification, name: str, began: float = began, store=store) -> None:
            store.tell(notice, ["phone"], name)
            told.append(began)

        pause = note_start(store, tell, at(began))
        if pauses is not None:
            pauses.append(pause)
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


def test_from_the_fourth_on_exchanges_are_left_alone_for_ever_longer_f77(tmp_path: Path) -> None:
    pauses: list[float] = []
    lives(tmp_path, *((second * 20.0, False) for second in range(10)), pauses=pauses)
    assert pauses == [0, 0, 0, 1, 2, 4, 8, 15, 15, 15]


def test_who_is_stopped_in_order_or_starts_seldom_waits_for_nothing_f77(tmp_path: Path) -> None:
    pauses: list[float] = []
    lives(tmp_path, *((second, True) for second in range(9)), pauses=pauses)
    lives(tmp_path, *((1000.0 + 300 * number, False) for number in range(9)), pauses=pauses)
    assert pauses == [0] * 18


def test_however_often_it_starts_the_wait_has_an_end() -> None:
    assert pause_seconds(100_000) == 15
