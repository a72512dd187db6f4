"""
The README's picture and message, taken from the demo itself: `make pictures`.

It plays the crash until the second account is warned, and writes what stands on the screen
then to live-view.svg, and that message as it arrived to alert.txt, beside this file.
"""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from monitor.cli.demo_stage import _config, _panel, _receiving
from monitor.service.daemon import Daemon
from monitor.service.logs import set_up
from monitor.settings import load_settings
from monitor.simulator.scenario import load
from monitor.simulator.server import running
from monitor.status.report import report
from monitor.status.table import table

HERE = Path(__file__).parent
WIDTH = 150
LONGEST_SECONDS = 60
SHOWN = "NEAR 5 %: flash-binance"


async def make() -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        async with running(load("flash_crash")) as simulation, _receiving() as received:
            receiver, url = received
            config = state / "m.toml"
            config.touch(mode=0o600)
            config.write_text(_config(simulation, url, state), encoding="utf-8")
            set_up(stream=io.StringIO())
            daemon, stop = Daemon(load_settings(config)), asyncio.Event()
            at_work = asyncio.create_task(daemon.run(stop))
            async with asyncio.timeout(LONGEST_SECONDS):
                while SHOWN not in (message := await receiver.messages.get()).title:
                    pass
            seen = report(daemon.board.assessments(), daemon.now())
            stop.set()
            await at_work
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(table(seen), "", _panel(message))
    drawn = console.export_svg(title="margin-monitor demo")
    # rich's picture would fetch a font from elsewhere; the reader's own will do.
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    (HERE / "live-view.svg").write_text(drawn, encoding="utf-8")
    (HERE / "alert.txt").write_text(f"{message.title}\n\n{message.body}\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(make())
