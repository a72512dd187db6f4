"""A close that a reading shows just before its event: what the event tells of it still."""

from tests.service.test_live_account import Day, at, contracts, frame, view


def test_an_event_that_follows_the_reading_which_showed_a_close_tells_its_cause() -> None:
    day = Day()
    day.read(view(0, 9.9), 10)
    after = day.live.heard(1, frame("0", 9.9, 10.3))
    assert after.snapshot is not None
    assert (contracts(after.snapshot), after.snapshot.at) == (0, at(10.3))
    assert [key[1:] for key in after.closed] == [("SOL/USDT:USDT", "long")]


def test_an_event_about_something_else_tells_no_cause() -> None:
    day = Day()
    day.read(view(0, 9.9), 10)
    assert day.live.heard(1, frame("5", 9, 10.3, cash="400")).closed == frozenset()


def test_a_cause_is_told_however_often_the_close_was_read_meanwhile_but_not_for_ever() -> None:
    day = Day()
    for began in (10, 12, 14):
        day.read(view(0, 9.9), began)
    assert day.live.heard(1, frame("0", 9.9, 14.5)).closed
    day = Day()
    day.read(view(0, 9.9), 10)
    assert day.live.heard(1, frame("0", 9.9, 26)).closed == frozenset()
