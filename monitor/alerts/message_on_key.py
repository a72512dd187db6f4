"""What is said of an account's key: what it may do beyond reading, what it lacks, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.incident import Step
from monitor.alerts.naming import lasted, still

if TYPE_CHECKING:
    from monitor.alerts.facts import Facts
    from monitor.alerts.incident import Transition
    from monitor.alerts.naming import Told


def key(transition: Transition, facts: Facts) -> Told:
    incident = transition.after
    name = f"{incident.account} ({facts.exchange})"
    if transition.step is Step.RESOLVED:
        return f"RESOLVED: the key of {name} reads only", [lasted(incident)]
    lines = [
        (
            f"The API key of {incident.account} on {facts.exchange} may do more than read: "
            f"{words.outside(incident.because)}."
        ),
        "The monitor needs none of that, and watches on.",
        "",
        (
            "What to do: make a read-only key and delete this one, "
            "or say allow_trading_key = true in the configuration."
        ),
    ]
    return f"{still(transition)}KEY TOO POWERFUL: {name}", lines


def lacks(transition: Transition, facts: Facts) -> Told:
    """The missing rights, in the exchange's words."""
    incident = transition.after
    name = f"{incident.account} ({facts.exchange})"
    if transition.step is Step.RESOLVED:
        return f"RESOLVED: the key of {name} has every right it needs", [lasted(incident)]
    lines = [
        (
            f"The API key of {incident.account} on {facts.exchange} lacks a right that watching "
            f"needs: {words.outside(incident.because)}."
        ),
        "What it may still read is watched; what it may not is not seen.",
        "",
        "What to do: give the key this right at the exchange, or use another read-only key.",
    ]
    return f"{still(transition)}KEY LACKS A RIGHT: {name}, {words.outside(incident.because)}", lines


def ends(transition: Transition, facts: Facts) -> Told:
    """The day on which the key stops to work; 14, 7 and 1 days before it."""
    incident = transition.after
    name = f"{incident.account} ({facts.exchange})"
    if transition.step is Step.RESOLVED:
        return f"RESOLVED: the key of {name} does not end soon", [lasted(incident)]
    lines = [
        (
            f"The API key of {incident.account} on {facts.exchange} expires on "
            f"{incident.because}. From then on the account can't be watched with it."
        ),
        "",
        "What to do: make a new read-only key, or prolong this one, at the exchange.",
    ]
    return f"KEY EXPIRES: {name}, on {incident.because}", lines
