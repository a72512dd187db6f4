"""Calls that brought nothing of late: which may be left out, for how long, and what is said."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from monitor.errors import ExchangeError, Malformed, Refused, Unreachable
from monitor.exchanges.call import RestCall
from monitor.exchanges.left_out import LeftOut, NoRoom
from tests.exchanges.serving import Hands
from tests.fakes.exchange import ACCOUNT, STOPS

NOTHING_OF_IT = replace(ACCOUNT, absent_codes=frozenset({"-1121"}))
WALLET = replace(ACCOUNT, optional=True, sticky=True)
DOWN = Unreachable("down", status=503)
REFUSED = Refused("refused", status=401, code="-2015")


def left_out(clock: Hands) -> LeftOut:
    return LeftOut("fake", "main", clock)


@pytest.mark.parametrize(
    ("call", "error", "may_be"),
    [
        (ACCOUNT, REFUSED, False),
        (STOPS, DOWN, True),
        (NOTHING_OF_IT, Refused("no such symbol", code="-1121"), True),
        (NOTHING_OF_IT, Malformed("body", "a symbol", code="-1121"), True),
        (NOTHING_OF_IT, REFUSED, False),
        (WALLET, DOWN, True),
    ],
)
def test_what_is_needed_is_left_out_only_where_its_absence_is_told(
    call: object, error: ExchangeError, may_be: bool
) -> None:
    assert left_out(Hands()).may_be(call, error) is may_be  # type: ignore[arg-type]


def test_a_wallet_that_was_seen_is_left_out_only_for_a_plain_no() -> None:
    found = left_out(Hands())
    found.answered(WALLET)
    assert not found.may_be(WALLET, DOWN)
    assert found.may_be(WALLET, Unreachable("no such path", status=404))
    assert found.may_be(WALLET, REFUSED)
    found.leave(WALLET, REFUSED)
    # From now on it is as if it had never been seen.
    assert found.may_be(WALLET, DOWN)


@pytest.mark.parametrize(
    ("call", "seconds"),
    [
        (replace(STOPS, max_age_seconds=0), 60),
        (replace(STOPS, max_age_seconds=300), 300),
        (replace(STOPS, max_age_seconds=3600), 600),
        (replace(STOPS, max_age_seconds=3600, absent_codes=frozenset({"-1121"})), 60),
    ],
)
def test_it_is_left_out_for_a_while(call: object, seconds: int) -> None:
    clock = Hands()
    found = left_out(clock)
    found.leave(call, DOWN)  # type: ignore[arg-type]
    clock.now += timedelta(seconds=seconds - 1)
    assert found.holds(call)  # type: ignore[arg-type]
    assert found.requests() == [STOPS.request]
    clock.now += timedelta(seconds=1)
    assert not found.holds(call)  # type: ignore[arg-type]
    assert found.requests() == []


def test_what_there_was_no_room_for_is_soon_tried_again() -> None:
    clock = Hands()
    found = left_out(clock)
    found.leave(replace(STOPS, max_age_seconds=300), NoRoom("left for later"))
    clock.now += timedelta(seconds=60)
    assert found.requests() == []


def test_all_of_it_can_be_tried_again_at_once() -> None:
    found = left_out(Hands())
    found.leave(STOPS, DOWN)
    found.try_all()
    assert not found.holds(STOPS)


def test_the_reason_is_said_once() -> None:
    clock = Hands()
    found = left_out(clock)
    with capture_logs() as logs:
        for error in (DOWN, DOWN, REFUSED):
            found.put_off(STOPS, error)
    assert [(each["call"], each["because"]) for each in logs] == [
        (STOPS.request, "down"),
        (STOPS.request, "refused"),
    ]


def test_what_nobody_answered_is_awaited_for_as_long_as_it_is_left_out() -> None:
    clock = Hands()
    found = left_out(clock)
    call = replace(STOPS, max_age_seconds=300)
    found.leave(call, DOWN)
    assert set(found.with_awaited([ACCOUNT])) == {ACCOUNT, call}
    assert found.with_awaited([call]) == (call,)
    clock.now += timedelta(seconds=300)
    assert found.with_awaited([ACCOUNT]) == (ACCOUNT,)


@pytest.mark.parametrize(
    ("call", "error"), [(STOPS, REFUSED), (NOTHING_OF_IT, Malformed("body", "a", code="-1121"))]
)
def test_what_is_denied_is_not_awaited(call: RestCall, error: ExchangeError) -> None:
    found = left_out(Hands())
    found.leave(call, DOWN)
    found.leave(call, error)
    assert found.with_awaited([]) == ()
