"""What each subject makes of what is known."""

from __future__ import annotations

from decimal import Decimal

from monitor.alerts import conditions
from monitor.alerts.incident import Subject
from monitor.alerts.ladder import DEFAULT_LADDER, Severity
from monitor.risk.model import PoolId
from monitor.risk.result import Reconciliation, Requirement, Verdict
from tests.alerts.cases import POOL

OTHER = PoolId(account="main", name="BTC")


def test_a_rung_on_ratio_carries_its_severity_and_its_place() -> None:
    critical = DEFAULT_LADDER.rung("critical")
    found = conditions.ratio(POOL, Decimal("0.93"), rung=critical, ladder=DEFAULT_LADDER)
    assert found is not None
    assert (found.subject, found.severity, found.rung) == (
        Subject.RATIO,
        Severity.CRITICAL,
        "critical",
    )
    assert (found.place("critical"), found.place("warning"), found.place(None)) == (1, 0, -1)
    assert (found.value, found.reasons) == (Decimal("0.93"), ("critical",))


def test_without_a_rung_there_is_no_condition() -> None:
    assert conditions.ratio(POOL, Decimal("0.5"), rung=None, ladder=DEFAULT_LADDER) is None
    near = conditions.liquidation_near(POOL, None, rung=None, ladder=DEFAULT_LADDER)
    assert near is None


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
