"""What is said of an account's key, word for word."""

from __future__ import annotations

from monitor.alerts.incident import Subject
from monitor.alerts.ladder import Severity
from monitor.alerts.message import write
from tests.alerts.cases import taken
from tests.alerts.telling import about, facts, resolved


def test_a_key_that_may_do_too_much() -> None:
    condition = about(
        Subject.KEY_TOO_POWERFUL, severity=Severity.WARNING, because="trade, withdraw"
    )
    told = write(taken(None, condition), facts())
    assert told.title == "KEY TOO POWERFUL: main (bybit)"
    assert told.body == (
        "The API key of main on bybit may do more than read: trade, withdraw.\n"
        "The monitor needs none of that, and watches on.\n\n"
        "What to do: make a read-only key and delete this one, or say allow_trading_key = true "
        "in the configuration.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )
    told = write(resolved(condition, 86400), facts())
    assert (told.title, told.severity) == (
        "RESOLVED: the key of main (bybit) reads only",
        Severity.WARNING,
    )


def test_a_key_that_lacks_a_right() -> None:
    condition = about(Subject.KEY_LACKS, severity=Severity.WARNING, because="wallet")
    told = write(taken(None, condition), facts())
    assert told.title == "KEY LACKS A RIGHT: main (bybit), wallet"
    assert told.body == (
        "The API key of main on bybit lacks a right that watching needs: wallet.\n"
        "What it may still read is watched; what it may not is not seen.\n\n"
        "What to do: give the key this right at the exchange, or use another read-only key.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )
    told = write(resolved(condition, 86400), facts())
    assert told.title == "RESOLVED: the key of main (bybit) has every right it needs"


def test_a_key_that_ends() -> None:
    condition = about(Subject.KEY_ENDS, severity=Severity.WARNING, because="2026-12-06 12:00 UTC")
    told = write(taken(None, condition), facts())
    assert told.title == "KEY EXPIRES: main (bybit), on 2026-12-06 12:00 UTC"
    assert told.body == (
        "The API key of main on bybit expires on 2026-12-06 12:00 UTC. From then on the account "
        "can't be watched with it.\n\n"
        "What to do: make a new read-only key, or prolong this one, at the exchange.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )
    told = write(resolved(condition, 86400), facts())
    assert told.title == "RESOLVED: the key of main (bybit) does not end soon"
