"""What the one evaluation makes of a reading, by pool, and how near two figures are."""

from __future__ import annotations

from decimal import Decimal

from monitor.risk.evaluate import evaluate
from monitor.risk.model import PoolId
from monitor.risk.reconcile import reconcile


def pool_of(snapshot, name):
    return next(pool for pool in snapshot.pools if pool.id.name == name)


def figured(snapshot, name):
    return evaluate(pool_of(snapshot, name), snapshot.marks, snapshot.at)


def reported(snapshot, name):
    return snapshot.reported[PoolId(account="main", name=name)]


def verdict(snapshot, name):
    return reconcile(figured(snapshot, name), snapshot.reported.get(pool_of(snapshot, name).id))


def close(ours, theirs, digits=12):
    return abs(ours - Decimal(theirs)) <= abs(Decimal(theirs)) * Decimal(10) ** -digits
