"""How messages name what they are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.alerts.naming import lasted, place
from monitor.risk.model import PoolId
from tests.alerts.cases import opened
from tests.alerts.telling import KNOWN, facts
from tests.build import NOON


def test_the_pool_is_named_where_the_account_has_several() -> None:
    incident = opened()
    assert place(incident, facts()) == "main (bybit)"
    other = replace(KNOWN, pool=PoolId(account="main", name="BTC"))
    assert place(incident, facts(known=(KNOWN, other))) == "main/unified (bybit)"
    assert place(replace(incident, pool=None), facts(known=(KNOWN, other))) == "main (bybit)"


def test_how_long_it_lasted_goes_to_its_end() -> None:
    over = replace(opened(), resolved_at=NOON + timedelta(minutes=5))
    assert lasted(over) == "It lasted 5 min."
