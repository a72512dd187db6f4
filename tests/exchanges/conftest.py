"""What is a question of time alone is asked on a virtual clock: no busy machine makes it late."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.hunt.network import Network
from tests.hunt.virtual_loop import VirtualLoop

VIRTUAL = {"test_pace.py"}
# A loop's clock of a machine that has been up for a while: what was long ago has a time too.
UP_SECONDS = 1000.0


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    del config
    return {"virtual": _virtual} if item.path.name in VIRTUAL else {"real": asyncio.new_event_loop}


def _virtual() -> VirtualLoop:
    loop = VirtualLoop(Network())
    loop.block(UP_SECONDS)
    return loop
