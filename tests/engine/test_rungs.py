"""Where figures put a pool: by one of them, or by two where a mark lags."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.alerts.ladder import DEFAULT_LADDER as LADDER
from monitor.alerts.place import Place
from monitor.engine.assessment import figures
from monitor.engine.openings import Opened
from monitor.engine.rungs import by_distance, by_ratio, distances
from tests.build import NOON, marks
from tests.engine.scene import the_pool

BELOW = Place()
WARNED = Place(alarms=("warning",))
CRITICAL = Place(alarms=("warning", "critical"))
# The long of 10 SOL: 68.6 % at 120, 83.9 % at 96, 92.6 % at 88, over 100 % at 80.
CALM, WARNING, OVER_90, OVER = (
    figures(the_pool(), marks(SOL=price), NOON) for price in (120, 96, 88, 80)
)


@pytest.mark.parametrize(
    ("stood", "now", "abreast", "expected"),
    [
        (BELOW, OVER_90, CALM, BELOW),
        (BELOW, OVER_90, WARNING, WARNED),
        (BELOW, WARNING, OVER_90, WARNED),
        (BELOW, OVER_90, OVER, CRITICAL),
        (CRITICAL, CALM, OVER_90, CRITICAL),
        (CRITICAL, CALM, WARNING, WARNED),
        (CRITICAL, WARNING, CALM, WARNED),
        (WARNED, OVER_90, CALM, WARNED),
        (WARNED, CALM, OVER_90, WARNED),
        (CRITICAL, CALM, CALM, BELOW),
        (BELOW, OVER_90, None, CRITICAL),
    ],
)
def test_a_rung_is_reached_or_left_where_both_say_so(
    stood: Place, now, abreast, expected: Place
) -> None:
    place, _ = by_ratio(stood, now, None, abreast, LADDER, may_ease=True)
    assert place == expected


def test_the_figures_are_those_that_decided() -> None:
    def by(now, abreast):
        return by_ratio(BELOW, now, None, abreast, LADDER, may_ease=True)[1]

    assert by(OVER_90, WARNING) is WARNING
    assert by(WARNING, OVER_90) is WARNING
    assert by(OVER_90, OVER) is OVER_90
    assert by(OVER, OVER_90) is OVER_90
    assert by(CALM, WARNING) is CALM


def test_what_keeps_a_pool_where_it_stands_is_told_by_the_figures_that_do() -> None:
    def by(now, abreast):
        return by_ratio(CRITICAL, now, None, abreast, LADDER, may_ease=True)[1]

    assert by(OVER_90, CALM) is OVER_90
    assert by(CALM, OVER_90) is OVER_90
    assert by(OVER, OVER_90) is OVER_90


def test_the_worst_in_between_counts_where_it_is_higher() -> None:
    place, by = by_ratio(BELOW, CALM, OVER_90, None, LADDER, may_ease=True)
    assert (place, by) == (CRITICAL, OVER_90)


def test_without_good_data_nothing_is_left_by_either() -> None:
    assert by_ratio(CRITICAL, CALM, None, CALM, LADDER, may_ease=False)[0] == CRITICAL


@pytest.mark.parametrize(
    ("first", "second", "alarms"),
    [
        ("0.01", "0.10", ()),
        ("0.01", "0.04", ("near",)),
        ("0.04", "0.01", ("near",)),
        ("0.01", "0", ("near", "very near")),
    ],
)
def test_a_distance_is_reached_where_both_are_within_it(
    first: str, second: str, alarms: tuple[str, ...]
) -> None:
    found = by_distance(BELOW, (Decimal(first), Decimal(second)), LADDER, None, may_ease=True)
    assert found.alarms == alarms


def test_what_an_opening_leads_to_is_taken_on_by_both() -> None:
    place = by_distance(BELOW, (Decimal("0.01"), Decimal("0.04")), LADDER, Opened(), may_ease=True)
    assert (place.alarms, place.accepted) == ((), ("near",))


@pytest.mark.parametrize(
    ("first", "second", "alarms"),
    [
        ("0.04", "0.023", ()),
        ("0.023", "0.04", ()),
        ("0.023", "0.024", ("near",)),
        ("0.04", "0.01", ()),
    ],
)
def test_what_was_taken_on_is_an_alarm_where_half_of_it_is_gone_by_both(
    first: str, second: str, alarms: tuple[str, ...]
) -> None:
    taken_on = Place(accepted=("near",), accepted_distance=Decimal("0.048"))
    found = by_distance(taken_on, (Decimal(first), Decimal(second)), LADDER, None, may_ease=True)
    assert found.alarms == alarms


def test_the_distance_of_figures_newer_than_the_last_look_is_that_of_then() -> None:
    assert distances((CALM, None), (Decimal("0.3"),)) == (Decimal("0.3"),)
    assert distances((CALM, WARNING), (Decimal("0.3"),)) == (Decimal("0.3"), Decimal("0.3"))
    assert distances((CALM, WARNING), (Decimal("0.3"), None)) == (Decimal("0.3"), None)


def test_over_100_percent_no_distance_is_left() -> None:
    assert distances((OVER, CALM), (Decimal("0.3"), Decimal("0.4"))) == (0, Decimal("0.4"))


def test_nothing_is_known_of_a_pool_that_never_could_be_evaluated() -> None:
    assert distances((None, None), (None,)) == (None,)
