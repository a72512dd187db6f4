"""
What is known of an account, and what follows from each further fact.

Pure: events in, effects out, time in every event. `Engine` is the daemon's way,
`assess_pool` that of tools which have a pool and marks at hand. This list, with the values in
`events` and `effects`, is the room's interface.
"""

from monitor.engine.assessment import assess_pool, reconciled
from monitor.engine.engine import Engine
from monitor.engine.knowledge import Budgets

__all__ = ["Budgets", "Engine", "assess_pool", "reconciled"]
