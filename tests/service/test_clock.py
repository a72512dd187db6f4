"""Time anchored once; suspends noticed."""

from datetime import UTC, datetime, timedelta

from monitor.service.clock import Clock

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Machine:
    def __init__(self) -> None:
        self.wall = START.timestamp()
        self.boot = 1000.0
        self.mono = 900.0

    def clock(self) -> Clock:
        return Clock(
            wall=lambda: self.wall, boottime=lambda: self.boot, monotonic=lambda: self.mono
        )

    def run(self, seconds: float) -> None:
        self.boot += seconds
        self.mono += seconds


def test_time_goes_on_from_the_anchor() -> None:
    machine = Machine()
    clock = machine.clock()
    assert clock.now() == START
    machine.run(61.5)
    assert clock.now() == START + timedelta(seconds=61.5)


def test_a_stepped_wall_clock_moves_nothing() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 3600
    machine.run(1)
    assert clock.now() == START + timedelta(seconds=1)


def test_suspended_time_counts_and_is_told_once() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.run(10)
    assert clock.slept_seconds() == 0
    machine.boot += 120
    assert clock.now() == START + timedelta(seconds=130)
    assert clock.slept_seconds() == 120
    assert clock.slept_seconds() == 0


def test_a_short_gap_is_no_suspend() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.boot += 4
    assert clock.slept_seconds() == 0


def test_the_real_clock_is_near_the_wall() -> None:
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(seconds=1)
