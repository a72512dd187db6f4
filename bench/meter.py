"""CPU time between two numbers of frames."""

from __future__ import annotations

import asyncio
import time

# Neither the start nor the end is counted.
WARM_SHARE, END_SHARE = 0.1, 0.98


class Meter:
    """CPU time between two numbers of frames."""

    def __init__(self, total: int) -> None:
        self.done = asyncio.Event()
        self._first, self._last = int(total * WARM_SHARE), int(total * END_SHARE)
        self._count = 0
        self._cpu = self._wall = 0

    def frame(self) -> None:
        self._count += 1
        if self._count == self._first:
            self._cpu, self._wall = time.process_time_ns(), time.perf_counter_ns()
        elif self._count == self._last:
            self._cpu = time.process_time_ns() - self._cpu
            self._wall = time.perf_counter_ns() - self._wall
            self.done.set()

    def result(self) -> dict[str, float]:
        frames = self._last - self._first
        return {
            "frames": frames,
            "microseconds_per_frame": self._cpu / frames / 1000,
            "core_percent": 100 * self._cpu / self._wall,
        }
