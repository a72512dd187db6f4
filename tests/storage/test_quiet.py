"""What hosts asked for is kept over a restart, and no wait is longer for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.storage.store import open_store
from tests.alerting import NOON, at

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_host_asked_for_outlives_the_process(tmp_path: Path) -> None:
    store = open_store(tmp_path, NOON)
    assert store.quiet_until("binance") is None
    store.keep_quiet("binance", at(60), NOON)
    store.keep_quiet("binance", at(600), at(1))
    store.keep_quiet("okx", at(5), NOON)
    store.close()

    again = open_store(tmp_path, at(1))
    assert again.quiet_until("binance") == at(600)
    assert again.quiet_until("okx") == at(5)
    again.keep_quiet("binance", None, at(601))
    again.close()

    last = open_store(tmp_path, at(2))
    assert last.quiet_until("binance") is None
    last.close()


@pytest.mark.parametrize(
    ("asked_at", "until", "started_at", "expected"),
    [
        # Read again in time, and the clock set back by an hour during the wait or long after it:
        # a wait of 30 s is 30 s at most.
        (100, 130, 110, 130),
        (100, 130, 100 - 3590, 130 - 3590),
        (100, 130, 160 - 3600, 190 - 3600),
        # An hour's wait may be met in its midst by a clock that was set back: then it is as it was.
        (100, 3700, 1900, 3700),
        (100, 130, 200, 130),
    ],
)
def test_no_wait_is_longer_than_it_was_asked_to_be_however_the_clock_is_set_f56(
    tmp_path: Path, asked_at: int, until: int, started_at: int, expected: int
) -> None:
    store = open_store(tmp_path, at(asked_at))
    store.keep_quiet("binance", at(until), at(asked_at))
    store.close()

    again = open_store(tmp_path, at(started_at))
    assert again.quiet_until("binance") == at(expected)
    again.close()
