"""
When to speak, and in which words: rungs, conditions, incidents, policy, messages.

Pure. It knows what is wrong and what was told of it; it knows no exchange, no feed, no file
and no channel. This list is the room's interface.
"""

from monitor.alerts.facts import Facts, Gone, LastKnown, PoolFacts
from monitor.alerts.incident import Condition, Incident, Step, Subject, Transition, step
from monitor.alerts.ladder import DEFAULT_LADDER, Ladder, Measure, Rung, Severity
from monitor.alerts.message import Notification, write
from monitor.alerts.policy import Policy, QuietReason, SpeakReason

__all__ = [
    "DEFAULT_LADDER",
    "Condition",
    "Facts",
    "Gone",
    "Incident",
    "Ladder",
    "LastKnown",
    "Measure",
    "Notification",
    "Policy",
    "PoolFacts",
    "QuietReason",
    "Rung",
    "Severity",
    "SpeakReason",
    "Step",
    "Subject",
    "Transition",
    "step",
    "write",
]
