"""What holds for the whole stage."""

import math
from collections.abc import Iterator

import pytest

from monitor.exchanges import gate, openings
from monitor.exchanges.use import Use

allowance = Use.allowance
"""As the product has it."""


@pytest.fixture(scope="session", autouse=True)
def loopback_has_no_limits_to_keep_to() -> Iterator[None]:
    """In this process; keeping to the exchanges' limits would take seconds for each reading."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "BURST_SHARE", 1000.0)
        patch.setattr(openings, "SPACING_SECONDS", 2.0)
        patch.setattr(Use, "allowance", lambda *_: math.inf)
        yield
