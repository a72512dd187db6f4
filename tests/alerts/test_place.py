"""Where a pool stands on the ladder, and whether that is an alarm."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.alerts.place import Place, approached, climbed, next_below
from monitor.risk.result import Requirement

BOTH = ("near", "very near")


def at_percent(percent: str) -> Requirement:
    return Requirement(
        unit="USDT",
        margin_balance=Decimal(100),
        initial_margin=Decimal(0),
        maintenance_margin=Decimal(percent),
    )


def at_distance(
    place: Place,
    distance: str | None,
    *,
    ease: bool = True,
    opening: bool = False,
    unopened: str | None = None,
) -> Place:
    return approached(
        place,
        None if distance is None else Decimal(distance),
        DEFAULT_LADDER,
        may_ease=ease,
        is_opening=opening,
        unopened=None if unopened is None else Decimal(unopened),
    )


def test_rungs_of_both_measures_are_stood_on_the_mildest_first() -> None:
    place = climbed(Place(), at_percent("91"), DEFAULT_LADDER)
    assert place.alarms == ("warning", "critical")
    assert at_distance(place, "0.019").alarms == ("near", "warning", "very near", "critical")


def test_each_measure_has_its_own_hysteresis() -> None:
    place = Place(alarms=("near", "warning", "very near", "critical"))
    eased = climbed(place, at_percent("86.9"), DEFAULT_LADDER)
    assert eased.alarms == ("near", "warning", "very near")
    assert at_distance(eased, "0.0249").alarms == ("near", "warning", "very near")
    assert at_distance(eased, "0.0251").alarms == ("near", "warning")
    assert at_distance(eased, "0.0601").alarms == ("warning",)
    assert climbed(Place(alarms=("near",)), at_percent("5"), DEFAULT_LADDER).alarms == ("near",)


def test_without_good_data_it_only_gets_worse() -> None:
    place = Place(alarms=("near", "warning"))
    assert climbed(place, at_percent("10"), DEFAULT_LADDER, may_ease=False) == place
    assert at_distance(place, "0.5", ease=False) == place
    assert at_distance(place, "0.01", ease=False).alarms == ("near", "warning", "very near")


def test_a_rung_that_prices_brought_it_to_is_an_alarm() -> None:
    place = at_distance(Place(), "0.019")
    assert (place.alarms, place.accepted, place.is_taken_on) == (BOTH, (), False)


def test_a_rung_that_it_stands_on_by_its_opening_is_none() -> None:
    place = at_distance(Place(), "0.019", opening=True)
    assert place == Place(accepted=BOTH, accepted_distance=Decimal("0.019"), is_taken_on=True)
    # the next look is no news
    again = at_distance(place, "0.0185")
    assert again == Place(accepted=BOTH, accepted_distance=Decimal("0.019"))


def test_a_rung_that_it_would_stand_on_without_its_growth_as_well_is_an_alarm() -> None:
    place = at_distance(Place(), "0.019", opening=True, unopened="0.045")
    assert (place.alarms, place.accepted) == (("near",), ("very near",))
    assert at_distance(Place(), "0.019", opening=True, unopened="0.02").alarms == BOTH


def test_a_rung_that_was_an_alarm_stays_one_when_more_is_opened() -> None:
    place = at_distance(Place(alarms=("near",)), "0.019", opening=True, unopened="0.055")
    assert (place.alarms, place.accepted) == (("near",), ("very near",))
    assert place.is_taken_on


@pytest.mark.parametrize(
    ("sentence", "distance", "alarms", "accepted"),
    [
        ("it goes up and down about where it was opened", "0.043", (), ("near",)),
        ("nearly half of it is gone", "0.0231", (), ("near",)),
        ("half of it is gone", "0.023", ("near",), ()),
        ("a nearer rung is reached by prices", "0.0199", ("very near",), ("near",)),
        ("it holds up to its leave", "0.06", (), ("near",)),
        ("it is left", "0.061", (), ()),
    ],
)
def test_after_an_opening_at_46_permille(
    sentence: str, distance: str, alarms: tuple[str, ...], accepted: tuple[str, ...]
) -> None:
    opened = at_distance(Place(), "0.046", opening=True)
    place = at_distance(opened, distance)
    assert (place.alarms, place.accepted) == (alarms, accepted), sentence


def test_a_nearer_rung_is_an_alarm_though_half_of_the_opening_is_not_gone() -> None:
    opened = at_distance(Place(), "0.03", opening=True)
    place = at_distance(opened, "0.019")
    assert (place.alarms, place.accepted) == (("very near",), ("near",))
    # and when prices are back, what is left is what was taken on
    back = at_distance(place, "0.029")
    assert (back.alarms, back.accepted) == ((), ("near",))


def test_what_was_half_gone_is_an_alarm_until_it_is_left() -> None:
    alarmed = at_distance(at_distance(Place(), "0.019", opening=True), "0.0095")
    assert (alarmed.alarms, alarmed.accepted_distance) == (BOTH, None)
    assert at_distance(alarmed, "0.018").alarms == BOTH
    assert at_distance(alarmed, "0.03").alarms == ("near",)


def test_more_that_is_opened_counts_from_its_own_distance() -> None:
    first = at_distance(Place(), "0.046", opening=True)
    more = at_distance(first, "0.018", opening=True, unopened="0.045")
    assert more == Place(accepted=BOTH, accepted_distance=Decimal("0.018"), is_taken_on=True)
    assert at_distance(more, "0.0091").alarms == ()
    assert at_distance(more, "0.009").alarms == BOTH


def test_an_opening_takes_on_no_rung_on_ratio() -> None:
    place = climbed(Place(accepted=BOTH), at_percent("80"), DEFAULT_LADDER)
    assert (place.alarms, place.accepted) == (("warning",), BOTH)


def test_rungs_of_an_older_ladder_are_forgotten() -> None:
    place = at_distance(Place(alarms=("panic", "near")), "0.04")
    assert place.alarms == ("near",)


def test_a_pool_that_nothing_ends_stands_nowhere() -> None:
    assert at_distance(Place(alarms=("near",)), None) == Place()


@pytest.mark.parametrize(
    ("sentence", "place", "distance", "expected"),
    [
        ("far away the first rung comes next", Place(), "0.3", "0.05"),
        ("a rung that is stood on is passed", Place(alarms=("near",)), "0.03", "0.02"),
        ("also where only hysteresis holds it", Place(alarms=("near",)), "0.055", "0.02"),
        ("a ratio's rung is none of these", Place(alarms=("warning",)), "0.3", "0.05"),
        ("after the last none comes", Place(alarms=BOTH), "0.019", None),
        (
            "half of what was taken on comes before the next rung",
            Place(accepted=("near",), accepted_distance=Decimal("0.048")),
            "0.048",
            "0.024",
        ),
        (
            "or after it",
            Place(accepted=("near",), accepted_distance=Decimal("0.036")),
            "0.036",
            "0.02",
        ),
        ("a rung just reached is none that comes", Place(), "0.05", "0.02"),
        (
            "what was taken on and is left by less than hysteresis asks for is stood on",
            Place(accepted=("near",), accepted_distance=Decimal("0.048")),
            "0.055",
            "0.024",
        ),
        (
            "and on the last rung half of it is what comes",
            Place(accepted=BOTH, accepted_distance=Decimal("0.018")),
            "0.018",
            "0.009",
        ),
    ],
)
def test_what_comes_next_on_the_way_to_the_end(
    sentence: str, place: Place, distance: str, expected: str | None
) -> None:
    found = next_below(place, Decimal(distance), DEFAULT_LADDER)
    assert found == (None if expected is None else Decimal(expected)), sentence
