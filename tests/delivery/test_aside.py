"""Calls that block: none holds up the next one, or the end of the process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from monitor.delivery.aside import MOST_LEFT_BEHIND, Aside
from monitor.errors import DeliveryError


async def test_what_a_call_raises_is_told_without_its_words() -> None:
    def call() -> None:
        raise ValueError("tgram://canary8c1f")

    with pytest.raises(DeliveryError) as caught:
        await Aside("x").run(call, 1)
    assert str(caught.value) == "the service failed (ValueError)"
    assert caught.value.__cause__ is None


async def test_its_own_failure_comes_through() -> None:
    def call() -> None:
        raise DeliveryError("no", permanent=True)

    with pytest.raises(DeliveryError, match="no") as caught:
        await Aside("x").run(call, 1)
    assert caught.value.permanent


async def test_one_that_hangs_holds_up_no_other_and_not_too_many_are_left_behind() -> None:
    over, aside = threading.Event(), Aside("x")
    for _ in range(MOST_LEFT_BEHIND):
        with pytest.raises(DeliveryError, match=r"no answer within 0\.01 s"):
            await aside.run(over.wait, 0.01)
    with pytest.raises(DeliveryError, match="earlier messages are still under way"):
        await aside.run(over.wait, 0.01)
    over.set()
    for thread in aside._threads:
        thread.join(2)
    await aside.run(lambda: None, 1)


def test_the_end_of_the_process_waits_for_none() -> None:
    begun = time.monotonic()
    code = (
        "import asyncio, threading\n"
        "from monitor.delivery.aside import Aside\n"
        "from monitor.errors import DeliveryError\n"
        "try:\n"
        "    asyncio.run(Aside('x').run(threading.Event().wait, 0.01))\n"
        "except DeliveryError:\n"
        "    print('left')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
    )
    assert ended.stdout == "left\n"
    assert ended.stderr == ""
    assert time.monotonic() - begun < 20
