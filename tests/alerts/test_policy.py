"""Whether anybody is told, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.alerts.incident import Step, Subject, Transition
from monitor.alerts.policy import Policy, QuietReason, SpeakReason
from tests.alerts.cases import on_rung, opened, taken, taken_on
from tests.build import NOON

POLICY = Policy()
TOLD = opened(spoken_at=NOON)


def after(seconds: float, **changes: object) -> Transition:
    at = NOON + timedelta(seconds=seconds)
    incident = replace(TOLD, told=("warning", "critical"))
    made = Transition(step=Step.ESCALATED, before=incident, after=incident, at=at)
    return replace(made, **changes)  # type: ignore[arg-type] # fields of the dataclass


@pytest.mark.parametrize(
    ("sentence", "transition", "reason"),
    [
        ("an opening is told", taken(None, on_rung("warning", "0.8")), SpeakReason.OPENED),
        ("an end is told", taken(TOLD, None), SpeakReason.RESOLVED),
        (
            "a rung never told before is told at once",
            taken(TOLD, on_rung("critical", "0.9"), seconds=1),
            SpeakReason.ESCALATED,
        ),
        ("a rung told before is not told again soon", after(1799), QuietReason.TOO_SOON),
        ("a rung told before is told again later", after(1800), SpeakReason.ESCALATED),
        (
            "easing is not told",
            taken(opened("critical", "0.9"), on_rung("warning", "0.8")),
            QuietReason.EASED,
        ),
        ("a reminder is told", after(0, step=Step.REPEATED), SpeakReason.REPEATED),
        (
            "an opening that stands on a rung is told",
            taken(None, taken_on("near", "0.04")),
            SpeakReason.TAKEN_ON,
        ),
        (
            "what is known of it is not",
            taken(None, taken_on("near", "0.04", is_taken_on=False)),
            QuietReason.ACCEPTED,
        ),
        (
            "nor is its end",
            taken(taken(None, taken_on("near", "0.04")).after, None),
            QuietReason.ACCEPTED,
        ),
    ],
)
def test_decision(sentence: str, transition: Transition, reason: SpeakReason | QuietReason) -> None:
    assert POLICY.decide(transition) is reason, sentence


@pytest.mark.parametrize(
    ("sentence", "subject", "rung", "seconds", "due"),
    [
        ("critical is said again after half an hour", Subject.STANDING, "critical", 1800, True),
        ("and not before", Subject.STANDING, "critical", 1799, False),
        ("a warning is not said again", Subject.STANDING, "warning", 86400, False),
        ("a key is told daily", Subject.KEY_TOO_POWERFUL, "warning", 86400, True),
        ("and so is what it lacks", Subject.KEY_LACKS, "warning", 86400, True),
        ("its end at its own times only", Subject.KEY_ENDS, "warning", 86400, False),
        ("what was taken on is not said again", Subject.STANDING, "taken on", 86400, False),
        ("and not before a day", Subject.KEY_TOO_POWERFUL, "warning", 86399, False),
    ],
)
def test_reminders(sentence: str, subject: Subject, rung: str, seconds: int, *, due: bool) -> None:
    made = taken_on("very near", "0.01") if rung == "taken on" else on_rung(rung, "0.9")
    condition = replace(made, subject=subject)
    incident = replace(taken(None, condition).after, spoken_at=NOON)
    at = NOON + timedelta(seconds=seconds)
    assert POLICY.is_due(incident, condition, at) is due, sentence
