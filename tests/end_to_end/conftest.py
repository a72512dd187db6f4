"""What holds for the whole stage."""

import math

import pytest

from monitor.exchanges import gate, openings
from monitor.exchanges.use import Use

allowance = Use.allowance
"""As the product has it."""


@pytest.fixture(autouse=True)
def loopback_has_no_limits_to_keep_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process; keeping to the exchanges' limits would take seconds for each reading."""
    monkeypatch.setattr(gate, "BURST_SHARE", 1000.0)
    monkeypatch.setattr(openings, "SPACING_SECONDS", 2.0)
    monkeypatch.setattr(Use, "allowance", lambda *_: math.inf)
