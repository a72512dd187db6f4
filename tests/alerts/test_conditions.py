"""What each subject makes of what is known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.alerts import conditions
from monitor.alerts.incident import Subject
from monitor.alerts.ladder import DEFAULT_LADDER, Severity
from monitor.alerts.place import Place
from monitor.risk.model import PoolId
from monitor.risk.result import Reconciliation, Requirement, Verdict
from tests.alerts.cases import POOL
from tests.build import NOON

OTHER = PoolId(account="main", name="BTC")


def test_one_condition_speaks_for_all_rungs() -> None:
    place = Place(alarms=("near", "warning", "very near"))
    found = conditions.standing(
        POOL, DEFAULT_LADDER, place, ratio=Decimal("0.83"), distance=Decimal("0.013")
    )
    assert found is not None
    assert (found.subject, found.severity, found.rung) == (
        Subject.STANDING,
        Severity.CRITICAL,
        "very near",
    )
    assert (found.value, found.distance) == (Decimal("0.83"), Decimal("0.013"))
    assert found.reasons == found.alarms == place.alarms


def test_what_was_taken_on_is_for_information() -> None:
    place = Place(
        accepted=("near", "very near"), accepted_distance=Decimal("0.019"), is_taken_on=True
    )
    found = conditions.standing(
        POOL, DEFAULT_LADDER, place, ratio=Decimal("0.2"), distance=Decimal("0.019")
    )
    assert found is not None
    assert (found.severity, found.rung, found.reasons) == (Severity.INFO, "very near", ())
    assert (found.accepted, found.accepted_distance, found.is_taken_on) == (
        ("near", "very near"),
        Decimal("0.019"),
        True,
    )


def test_an_alarm_beside_it_has_its_own_severity() -> None:
    place = Place(alarms=("warning",), accepted=("near", "very near"))
    found = conditions.standing(
        POOL, DEFAULT_LADDER, place, ratio=Decimal("0.8"), distance=Decimal("0.019")
    )
    assert found is not None
    assert (found.severity, found.rung) == (Severity.WARNING, "warning")


def test_without_a_rung_there_is_no_condition() -> None:
    assert (
        conditions.standing(POOL, DEFAULT_LADDER, Place(), ratio=Decimal("0.5"), distance=None)
        is None
    )


def test_a_prediction_is_off_by_that_verdict_alone() -> None:
    error = Decimal("-0.0031")
    for verdict in (Verdict.AGREES, Verdict.DRIFTS, None):
        assert conditions.prediction_off(POOL, error, verdict) is None
    assert conditions.prediction_off(POOL, None, Verdict.DISAGREES) is None
    found = conditions.prediction_off(POOL, error, Verdict.DISAGREES)
    assert found is not None
    assert (found.because, found.severity) == ("31 basis points", Severity.WARNING)


def test_tiers_that_ask_for_more_are_a_warning() -> None:
    worse = conditions.tiers_changed(POOL, ("SOL/USDT:USDT",), is_worse=True)
    assert (worse.severity, worse.because) == (Severity.WARNING, "SOL/USDT:USDT")
    better = conditions.tiers_changed(POOL, ("SOL/USDT:USDT",), is_worse=False)
    assert better.severity is Severity.INFO


def test_a_mode_is_told_with_the_one_before() -> None:
    found = conditions.mode_changed("main", "single-asset", "multi-assets")
    assert (found.pool, found.because) == (None, "from «single-asset» to «multi-assets»")


def test_silent_marks_are_critical_only_where_positions_are_open() -> None:
    silent = {POOL: "no live mark of SOL for 21 s", OTHER: "no live mark of BTC for 21 s"}
    held = conditions.stale("main", silent, positions_open=True)
    assert held is not None
    assert (held.pool, held.severity) == (None, Severity.CRITICAL)
    assert held.reasons == ("main/unified", "main/BTC")
    assert held.because == "no live mark of SOL for 21 s; no live mark of BTC for 21 s"
    bare = conditions.stale("main", silent, positions_open=False)
    assert bare is not None
    assert bare.severity is Severity.WARNING
    assert conditions.stale("main", {}, positions_open=True) is None


def test_being_blind_names_its_pools_or_the_whole_account() -> None:
    pools = conditions.blind("main", "no mark", pools=(POOL,), whole=False, positions_open=False)
    assert (pools.reasons, pools.severity) == (("main/unified",), Severity.WARNING)
    whole = conditions.blind("main", "no reply", pools=(), whole=True, positions_open=True)
    assert (whole.reasons, whole.severity) == (("account",), Severity.CRITICAL)


def test_what_the_owner_must_act_on_is_a_reason_by_itself() -> None:
    refused = conditions.blind(
        "main", "key expired", pools=(), whole=True, positions_open=True, owner_must_act=True
    )
    assert refused.reasons == ("account", "key expired")


def test_figures_disagree_only_by_that_verdict() -> None:
    ours = Requirement(
        unit="USDT",
        margin_balance=Decimal(500),
        initial_margin=Decimal(0),
        maintenance_margin=Decimal(400),
    )

    def judged(verdict: Verdict) -> Reconciliation:
        return Reconciliation(ours=ours, theirs=None, gap=Decimal("-0.0031"), verdict=verdict)

    for verdict in (Verdict.AGREES, Verdict.DRIFTS, Verdict.UNKNOWN):
        assert conditions.disagrees(POOL, judged(verdict)) is None
    assert conditions.disagrees(POOL, None) is None
    found = conditions.disagrees(POOL, judged(Verdict.DISAGREES))
    assert found is not None
    assert found.because == (
        "by the exchange's own figures there is less left than by ours: "
        "31 basis points of the notional"
    )


def test_a_key_is_too_powerful_only_where_nobody_allowed_it() -> None:
    found = conditions.key_too_powerful("main", ("trade", "withdraw"), allowed=False)
    assert found is not None
    assert (found.because, found.severity) == ("trade, withdraw", Severity.WARNING)
    assert conditions.key_too_powerful("main", ("trade",), allowed=True) is None
    assert conditions.key_too_powerful("main", (), allowed=False) is None


def test_what_a_key_lacks_is_named_right_by_right() -> None:
    found = conditions.key_lacks("main", ("wallet", "positions"))
    assert found is not None
    assert (found.because, found.reasons) == ("wallet, positions", ("wallet", "positions"))
    assert conditions.key_lacks("main", ()) is None


@pytest.mark.parametrize(
    ("days", "reasons"),
    [
        ("14.1", None),
        ("14", ("14 days",)),
        ("7", ("14 days", "7 days")),
        ("1.1", ("14 days", "7 days")),
        ("1", ("14 days", "7 days", "1 days")),
        ("-1", ("14 days", "7 days", "1 days")),
    ],
)
def test_the_end_of_a_key_has_a_reason_for_each_time_it_is_told(
    days: str, reasons: tuple[str, ...] | None
) -> None:
    found = conditions.key_ends("main", NOON + timedelta(days=float(days)), NOON)
    assert (None if found is None else found.reasons) == reasons
    assert conditions.key_ends("main", None, NOON) is None
