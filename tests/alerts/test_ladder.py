"""Which rung is stood on, with hysteresis, and which ladders are refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.alerts.ladder import DEFAULT_LADDER, Ladder, Measure, Rung
from monitor.risk.result import Requirement

FOUR = Ladder(rungs=tuple(reversed(DEFAULT_LADDER.rungs)))


def at_percent(percent: str) -> Requirement:
    return Requirement(
        unit="USDT",
        margin_balance=Decimal(100),
        initial_margin=Decimal(0),
        maintenance_margin=Decimal(percent),
    )


@pytest.mark.parametrize(
    ("sentence", "standing", "percent", "stands_on"),
    [
        ("below every rung nothing is stood on", None, "79.999", None),
        ("the threshold itself is reached", None, "80", "warning"),
        ("the highest rung reached is stood on", None, "93", "critical"),
        ("the end is on the highest rung", None, "250", "critical"),
        ("between leave and enter a rung holds", "warning", "78", "warning"),
        ("between leave and enter a rung is not reached anew", None, "78", None),
        ("the leave threshold itself still holds", "warning", "77", "warning"),
        ("below leave the rung is left", "warning", "76.999", None),
        ("from critical it eases to warning", "critical", "86.9", "warning"),
        ("a lower rung holds by its own leave", "critical", "77.5", "warning"),
        ("from critical it may fall to nothing at once", "critical", "50", None),
        ("critical holds down to its leave", "critical", "87", "critical"),
        ("a rung that is no more counts as none", "high", "78", None),
    ],
)
def test_standing_on_ratio(
    sentence: str, standing: str | None, percent: str, stands_on: str | None
) -> None:
    rung = FOUR.by_ratio(at_percent(percent), standing)
    assert (rung.name if rung else None) == stands_on, sentence


@pytest.mark.parametrize(
    ("sentence", "standing", "distance", "stands_on"),
    [
        ("far from the end nothing is stood on", None, "0.051", None),
        ("the threshold itself is reached", None, "0.05", "near"),
        ("nearer is higher", None, "0.01", "very near"),
        ("at the end the highest rung is stood on", None, "0", "very near"),
        ("between enter and leave a rung holds", "near", "0.06", "near"),
        ("above leave the rung is left", "near", "0.0601", None),
        ("it eases to the milder rung", "very near", "0.0251", "near"),
        ("where no move ends it nothing is stood on", "near", None, None),
    ],
)
def test_standing_on_distance(
    sentence: str, standing: str | None, distance: str | None, stands_on: str | None
) -> None:
    rung = FOUR.by_distance(None if distance is None else Decimal(distance), standing)
    assert (rung.name if rung else None) == stands_on, sentence


def test_a_balance_of_nothing_reaches_every_rung() -> None:
    broke = Requirement(
        unit="USDT",
        margin_balance=Decimal(-5),
        initial_margin=Decimal(0),
        maintenance_margin=Decimal(1),
    )
    assert FOUR.by_ratio(broke, None) == FOUR.rung("critical")


def test_rungs_of_a_measure_come_mildest_first() -> None:
    assert [rung.name for rung in FOUR.on(Measure.RATIO)] == ["warning", "critical"]
    assert [rung.name for rung in FOUR.on(Measure.DISTANCE)] == ["near", "very near"]


@pytest.mark.parametrize(
    ("sentence", "changes", "said"),
    [
        (
            "80 is no fraction",
            {"enter": Decimal(80), "leave": Decimal(77)},
            r"rung 'high': enter \(80\) must be a fraction between 0 and 1: 0\.80 is 80 %",
        ),
        (
            "leave lies below enter",
            {"enter": Decimal("0.8"), "leave": Decimal("0.8")},
            r"rung 'high': leave \(0\.8\) must lie below enter \(0\.8\)",
        ),
        (
            "on distance leave lies above enter",
            {"on": Measure.DISTANCE, "enter": Decimal("0.05"), "leave": Decimal("0.04")},
            r"rung 'high': leave \(0\.04\) must lie above enter \(0\.05\)",
        ),
        ("none is no name", {"name": "none"}, "a rung needs a name, other than 'none'"),
        ("NaN is refused", {"leave": Decimal("NaN")}, "leave"),
    ],
)
def test_a_wrong_rung_is_refused(sentence: str, changes: dict[str, object], said: str) -> None:
    right: dict[str, object] = {"name": "high", "enter": Decimal("0.8"), "leave": Decimal("0.7")}
    with pytest.raises(ValueError, match=said):
        Rung(**{**right, **changes})  # type: ignore[arg-type] # wrong on purpose


def test_of_all_rungs_the_gravest_speaks_and_of_those_alike_the_nearest() -> None:
    assert [rung.name for rung in FOUR.ordered()] == ["near", "warning", "very near", "critical"]


@pytest.mark.parametrize(
    ("names", "speaks"),
    [
        ((), None),
        (("near",), "near"),
        (("near", "warning"), "warning"),
        (("warning", "near", "very near"), "very near"),
        (("critical", "very near"), "critical"),
        (("a rung of an older ladder", "near"), "near"),
    ],
)
def test_which_rung_speaks_for_all(names: tuple[str, ...], speaks: str | None) -> None:
    rung = FOUR.highest(names)
    assert (rung.name if rung else None) == speaks


def test_a_rung_comes_with_those_before_it_of_its_measure() -> None:
    assert FOUR.up_to(FOUR.rung("critical")) == ("warning", "critical")
    assert FOUR.up_to(FOUR.rung("near")) == ("near",)
    assert FOUR.up_to(None) == ()


def test_the_default_ladder_is_the_one_that_is_documented() -> None:
    rungs = [(r.name, r.on.value, r.severity.value, r.enter, r.leave) for r in DEFAULT_LADDER.rungs]
    assert rungs == [
        ("warning", "ratio", "warning", Decimal("0.80"), Decimal("0.77")),
        ("critical", "ratio", "critical", Decimal("0.90"), Decimal("0.87")),
        ("near", "distance", "warning", Decimal("0.05"), Decimal("0.06")),
        ("very near", "distance", "critical", Decimal("0.02"), Decimal("0.025")),
    ]


def test_two_rungs_may_share_neither_name_nor_place() -> None:
    warning = DEFAULT_LADDER.rungs[0]
    with pytest.raises(ValueError, match="two rungs are called 'warning'"):
        Ladder(rungs=(warning, warning))
    twin = Rung(name="twin", enter=warning.enter, leave=Decimal("0.5"))
    with pytest.raises(ValueError, match=r"two rungs on ratio enter at 0\.80"):
        Ladder(rungs=(warning, twin))
