"""The steps that an incident takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.incident import OPENINGS_WITHIN, Incident, Step, happened, step
from monitor.alerts.ladder import Severity
from tests.alerts.cases import blind, on_rung, opened, taken, taken_on
from tests.build import NOON


def test_nothing_wrong_and_nothing_open_is_no_step() -> None:
    assert step(None, None, NOON, may_ease=True) is None


def test_it_opens_with_what_holds() -> None:
    transition = taken(None, on_rung("warning", "0.81"))
    after = transition.after
    assert (transition.step, transition.before) == (Step.OPENED, None)
    assert (after.rung, after.severity, after.worst_severity) == (
        "warning",
        Severity.WARNING,
        Severity.WARNING,
    )
    assert (after.opened_at, after.changed_at, after.openings) == (NOON, NOON, (NOON,))
    assert (after.worst, after.worst_at, after.told) == (Decimal("0.81"), NOON, ("warning",))
    assert (after.alarms, after.accepted, after.was_alarm) == (("warning",), (), True)
    assert after.is_open


def test_its_id_is_short_stable_and_its_own() -> None:
    first, again = opened(), opened()
    later = taken(None, on_rung("warning", "0.81"), seconds=1).after
    assert first.id == again.id != later.id
    assert len(first.id) == 8
    assert first.id.isalnum()
    assert first.id == first.id.lower()


def test_the_same_rung_is_no_step() -> None:
    assert step(opened(), on_rung("warning", "0.85"), NOON, may_ease=True) is None


def test_a_higher_rung_escalates_even_on_data_that_may_not_ease() -> None:
    transition = taken(opened(), on_rung("critical", "0.92"), seconds=60, ease=False)
    after = transition.after
    assert transition.step is Step.ESCALATED
    assert (after.rung, after.severity, after.worst_severity) == (
        "critical",
        Severity.CRITICAL,
        Severity.CRITICAL,
    )
    assert after.opened_at == NOON
    assert after.changed_at == NOON + timedelta(seconds=60)
    assert after.worst == Decimal("0.92")


def test_a_lower_rung_eases_and_keeps_the_worst() -> None:
    transition = taken(opened("critical", "0.95"), on_rung("warning", "0.85"), seconds=60)
    assert transition.step is Step.EASED
    assert (transition.after.rung, transition.after.severity) == ("warning", Severity.WARNING)
    assert transition.after.worst_severity is Severity.CRITICAL
    assert transition.after.worst == Decimal("0.95")


def test_nothing_eases_or_ends_on_data_that_may_not_ease() -> None:
    critical = opened("critical", "0.95")
    assert step(critical, on_rung("warning", "0.85"), NOON, may_ease=False) is None
    assert step(critical, None, NOON, may_ease=False) is None


def test_it_resolves_when_nothing_is_wrong_any_more() -> None:
    transition = taken(opened("critical", "0.95"), None, seconds=90)
    after = transition.after
    assert transition.step is Step.RESOLVED
    assert (after.is_open, after.resolved_at) == (False, NOON + timedelta(seconds=90))
    assert (after.rung, after.worst, after.worst_severity) == (
        None,
        Decimal("0.95"),
        Severity.CRITICAL,
    )


def test_it_opens_anew_with_a_new_id_and_remembers_its_openings() -> None:
    over = taken(opened(), None, seconds=60).after
    again = taken(over, on_rung("warning", "0.81"), seconds=120).after
    assert again.id != over.id
    assert again.openings == (NOON, NOON + timedelta(seconds=120))


def test_openings_of_more_than_an_hour_ago_are_forgotten() -> None:
    over = taken(opened(), None, seconds=60).after
    again = taken(over, on_rung("warning", "0.81"), seconds=3600).after
    assert again.openings == (NOON + timedelta(seconds=3600),)


def test_the_second_opening_within_an_hour_stays_open_till_that_hour_is_over() -> None:
    over = taken(opened(), None, seconds=60).after
    again = taken(over, on_rung("warning", "0.81"), seconds=120).after
    kept = taken(again, None, seconds=180)
    assert kept.step is Step.EASED
    assert kept.after.is_open
    assert kept.after.rung is None
    nearly = NOON + timedelta(seconds=3599)
    assert step(kept.after, None, nearly, may_ease=True) is None
    assert taken(kept.after, None, seconds=3600).step is Step.RESOLVED


def test_an_outage_may_open_and_end_more_often_and_then_stays_open_as_well() -> None:
    incident = None
    for number in range(6):
        opening = taken(incident, blind("main/USDT"), seconds=120 * number)
        assert opening.step is Step.OPENED
        incident = opening.after
        ended = step(incident, None, incident.opened_at + timedelta(seconds=60), may_ease=True)
        assert (ended is not None) is (number < 5)
        if ended is not None:
            assert ended.step is Step.RESOLVED
            incident = ended.after
    assert incident is not None
    assert incident.is_open


def test_two_openings_in_one_instant_have_ids_of_their_own() -> None:
    first = taken(None, blind("main/USDT"), seconds=0)
    ended = step(first.after, None, first.after.opened_at, may_ease=True)
    assert ended is not None
    second = taken(ended.after, blind("main/USDT"), seconds=0)
    assert second.step is Step.OPENED
    assert second.after.opened_at == first.after.opened_at
    assert second.after.id != first.after.id


def test_what_is_gone_for_good_is_over_at_once() -> None:
    over = taken(opened(), None, seconds=60).after
    again = taken(over, on_rung("warning", "0.81"), seconds=120).after
    at = NOON + timedelta(seconds=180)
    gone = step(again, None, at, may_ease=True, is_final=True)
    assert gone is not None
    assert gone.step is Step.RESOLVED
    assert step(again, None, at, may_ease=False, is_final=True) is None


def test_what_is_kept_open_still_escalates() -> None:
    over = taken(opened(), None, seconds=60).after
    again = taken(over, on_rung("warning", "0.81"), seconds=120).after
    kept = taken(again, None, seconds=180).after
    assert taken(kept, on_rung("warning", "0.81"), seconds=240).step is Step.ESCALATED


def test_the_worst_ratio_is_the_highest_and_the_worst_distance_the_least() -> None:
    later = NOON + timedelta(seconds=5)
    incident = opened("warning", "0.81")
    worse = incident.noted(on_rung("warning", "0.86", distance=Decimal("0.04")), later)
    assert (worse.worst, worse.worst_at) == (Decimal("0.86"), later)
    assert (worse.nearest, worse.nearest_at) == (Decimal("0.04"), later)
    better = on_rung("warning", "0.83", distance=Decimal("0.05"))
    assert worse.noted(better, later + timedelta(seconds=5)) == worse
    assert worse.noted(replace(better, distance=None), later).nearest == Decimal("0.04")


def test_a_rung_of_another_measure_escalates_though_a_graver_one_is_stood_on() -> None:
    near = opened("very near", "0.1")
    both = on_rung("very near", "0.8", alarms=("warning", *near.alarms), reasons=("warning",))
    transition = taken(near, both, seconds=5)
    assert transition.step is Step.ESCALATED
    assert transition.after.alarms == ("warning", "near", "very near")
    assert taken(transition.after, on_rung("very near", "0.7"), seconds=9).step is Step.EASED


def test_what_is_taken_on_with_an_opening_is_no_alarm() -> None:
    transition = taken(None, taken_on("near", "0.04"))
    after = transition.after
    assert transition.step is Step.TAKEN_ON
    assert (after.severity, after.rung, after.told, after.openings) == (
        Severity.INFO,
        "near",
        (),
        (),
    )
    assert (after.was_alarm, after.accepted_distance) == (False, Decimal("0.04"))


def test_what_is_taken_on_and_told_already_is_only_noted() -> None:
    assert taken(None, taken_on("near", "0.04", is_taken_on=False)).step is Step.NOTED


def test_more_is_taken_on() -> None:
    first = taken(None, taken_on("near", "0.04")).after
    more = taken(first, taken_on("very near", "0.015"), seconds=60)
    assert more.step is Step.TAKEN_ON
    assert more.after.accepted == ("near", "very near")
    assert more.after.accepted_distance == Decimal("0.015")
    assert taken(more.after, taken_on("near", "0.015"), seconds=90).step is Step.EASED


def test_a_move_of_prices_makes_an_alarm_of_it_and_that_is_its_opening() -> None:
    calm = taken(None, taken_on("near", "0.04")).after
    alarmed = taken(calm, on_rung("very near", "0.2"), seconds=3600 * 15)
    assert alarmed.step is Step.ESCALATED
    assert alarmed.after.openings == (NOON + timedelta(hours=15),)
    assert alarmed.after.severity is Severity.CRITICAL


def test_an_alarm_is_over_where_only_what_was_taken_on_is_left() -> None:
    calm = taken_on("near", "0.04", is_taken_on=False)
    alarm = on_rung("very near", "0.2", alarms=("very near",), accepted=("near",))
    alarmed = taken(taken(None, calm).after, alarm, seconds=60).after
    assert step(alarmed, calm, NOON, may_ease=False) is None
    over = taken(alarmed, calm, seconds=120)
    assert over.step is Step.RESOLVED
    assert not over.after.is_open
    left = (over.after.rung, over.after.alarms, over.after.accepted, over.after.accepted_distance)
    assert left == (None, (), ("near",), Decimal("0.04"))
    noted = taken(over.after, calm, seconds=121)
    assert noted.step is Step.NOTED
    assert noted.after.id != over.after.id
    # the second alarm within the hour stays open, and ends when the hour is over
    again = taken(noted.after, alarm, seconds=180).after
    kept = taken(again, calm, seconds=240)
    assert (kept.step, kept.after.rung, kept.after.is_open) == (Step.EASED, "near", True)
    assert step(kept.after, calm, NOON + timedelta(seconds=300), may_ease=True) is None
    assert taken(kept.after, calm, seconds=3661).step is Step.RESOLVED


def test_what_was_never_an_alarm_ends_at_once() -> None:
    calm = taken(None, taken_on("near", "0.04")).after
    over = taken(calm, None, seconds=1)
    assert over.step is Step.RESOLVED
    assert (over.after.accepted, over.after.accepted_distance) == ((), None)


def test_what_was_never_an_alarm_ends_at_once_whatever_opened_before_it() -> None:
    recent = (NOON, NOON + timedelta(seconds=1))
    calm = replace(taken(None, taken_on("near", "0.04")).after, openings=recent)
    assert taken(calm, None, seconds=2).step is Step.RESOLVED


def test_what_happens_is_over_as_it_is_told() -> None:
    mode = blind("x")
    first = happened(None, mode, NOON)
    assert (first.step, first.after.is_open) == (Step.OPENED, False)
    second = happened(first.after, mode, NOON)
    assert second.after.id != first.after.id


def test_a_new_reason_escalates_and_a_known_one_does_not() -> None:
    one = taken(None, blind("main/USDT")).after
    assert step(one, blind("main/USDT"), NOON, may_ease=True) is None
    both = taken(one, blind("main/USDT", "main/BTC"), seconds=5)
    assert both.step is Step.ESCALATED
    assert both.after.told == ("main/USDT", "main/BTC")
    assert step(both.after, blind("main/BTC"), NOON, may_ease=True) is None


def test_the_whole_account_covers_its_pools_but_not_a_refusal() -> None:
    whole = taken(None, blind("account")).after
    assert step(whole, blind("main/USDT"), NOON, may_ease=True) is None
    refused = blind("account", "key expired", because="key expired")
    assert taken(whole, refused).step is Step.ESCALATED


def test_an_incident_whose_reasons_were_not_kept_counts_as_told() -> None:
    restored = replace(taken(None, blind()).after, told=())
    assert step(restored, blind("account"), NOON, may_ease=True) is None


_RUNGS = st.sampled_from((None, "warning", "critical"))


@given(st.lists(st.tuples(_RUNGS, st.booleans(), st.integers(1, 1800)), max_size=60))
def test_at_most_two_openings_an_hour_and_every_opening_can_end(
    steps: list[tuple[str | None, bool, int]],
) -> None:
    incident: Incident | None = None
    at, openings = NOON, []
    for rung, may_ease, seconds in steps:
        at += timedelta(seconds=seconds)
        condition = None if rung is None else on_rung(rung, "0.8")
        transition = step(incident, condition, at, may_ease=may_ease)
        if transition is None:
            continue
        incident = transition.after
        if transition.step in (Step.EASED, Step.RESOLVED):
            assert may_ease
        if transition.step is Step.OPENED:
            openings.append(at)
        assert len([each for each in openings if at - each < OPENINGS_WITHIN]) <= 2
    for _ in range(2):
        at += OPENINGS_WITHIN
        ended = step(incident, None, at, may_ease=True)
        incident = ended.after if ended is not None else incident
    assert incident is None or not incident.is_open
