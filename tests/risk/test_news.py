"""What the exchange says by itself."""

from __future__ import annotations

from monitor.risk.news import Warned
from tests.build import NOON


def test_a_warning_is_critical_unless_it_is_said_to_be_none() -> None:
    said = Warned(at=NOON, words="margin call")

    assert said.is_critical
    assert said.exchange_symbol is None
