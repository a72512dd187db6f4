"""The demo's stage: both sides started, the live view, every message, the summary."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from monitor.cli.demo_receiver import Received, Receiver
from monitor.cli.demo_summary import summary
from monitor.service.clock import Clock
from monitor.service.daemon import Daemon
from monitor.service.logs import set_up
from monitor.settings import load_settings
from monitor.simulator.server import running
from monitor.status.report import report
from monitor.status.table import table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.engine.effects import AccountAssessment
    from monitor.simulator.scenario import Scenario
    from monitor.simulator.server import Simulation

LAST_SECONDS = 3.0
REFRESH_SECONDS = 0.25
PLAIN_SECONDS = 5.0
PLAIN_WIDTH = 120


async def play(scenario: Scenario, speed: float) -> None:
    """The whole demo; returns when the scenario is over and the last message has come."""
    console = _console()
    with tempfile.TemporaryDirectory(prefix="margin-monitor-demo-") as folder:
        state = Path(folder)
        async with running(scenario, speed=speed) as simulation, _receiving() as received:
            receiver, url = received
            config = state / "margin-monitor.toml"
            config.touch(mode=0o600)
            config.write_text(_config(simulation, url, state), encoding="utf-8")
            settings = load_settings(config)
            with (state / "log").open("w", encoding="utf-8") as log:
                set_up(settings.secrets(), stream=log)
                daemon = Daemon(settings)
                stop = asyncio.Event()
                running_daemon = asyncio.create_task(daemon.run(stop))
                try:
                    show = _Show(console, simulation, receiver, daemon, running_daemon)
                    await show.run(scenario.duration_seconds / speed + LAST_SECONDS)
                finally:
                    stop.set()
                    await running_daemon
        console.print(summary(simulation.world.events, show.messages))


def _console() -> Console:
    """The terminal; into a file or a pipe lines that are wide enough for the summary."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)


@asynccontextmanager
async def _receiving() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver(Clock().now)
    url = await receiver.start()
    try:
        yield receiver, url
    finally:
        await receiver.stop()


def _config(simulation: Simulation, channel_url: str, state: Path) -> str:
    """The config file of the demo's daemon: the simulator's accounts, one channel."""
    accounts = [
        "\n".join(
            (
                "[[accounts]]",
                f'name = "{access.account}"',
                f'exchange = "{access.exchange}"',
                f'api_key = "{access.api_key}"',
                f'api_secret = "{access.api_secret}"',
                f'passphrase = "{access.passphrase}"' if access.passphrase else "",
                f'rest_url = "{access.rest_url}"',
                f'ws_url = "{access.ws_url}"',
                "poll_seconds = 5",
            )
        )
        for access in simulation.access()
    ]
    channel = f'[[channels]]\nname = "phone"\nurl = "{channel_url}"\nmin_severity = "info"'
    rest = f'[state]\ndirectory = "{state}"\n[http]\nlisten = "127.0.0.1:0"'
    return "\n\n".join((*accounts, channel, rest)) + "\n"


class _Show:
    """What the viewer sees: on a terminal a live view, elsewhere plain lines."""

    def __init__(
        self,
        console: Console,
        simulation: Simulation,
        receiver: Receiver,
        daemon: Daemon,
        running_daemon: asyncio.Task[None],
    ) -> None:
        self.messages: list[Received] = []
        self._console = console
        self._simulation = simulation
        self._receiver = receiver
        self._daemon = daemon
        self._running = running_daemon

    async def run(self, seconds: float) -> None:
        scenario = self._simulation.world.scenario
        self._console.print(f"[bold]{scenario.name}[/bold]: {scenario.description}")
        if self._console.is_terminal:
            await self._live(seconds)
        else:
            await self._plain(seconds)

    async def _live(self, seconds: float) -> None:
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            async for _ in self._beats(seconds, REFRESH_SECONDS):
                live.update(self._view(seconds), refresh=True)

    async def _plain(self, seconds: float) -> None:
        async for _ in self._beats(seconds, PLAIN_SECONDS):
            for assessment in self._assessments():
                self._console.print(_line(assessment), highlight=False)

    async def _beats(self, seconds: float, every: float) -> AsyncIterator[None]:
        """Messages the moment that they come, and a beat for the view in between."""
        loop = asyncio.get_running_loop()
        end, beat = loop.time() + seconds, loop.time()
        while (now := loop.time()) < end:
            if self._running.done():
                self._running.result()
                return
            if now >= beat:
                beat = now + every
                yield
            try:
                wait = min(beat, end) - loop.time()
                message = await asyncio.wait_for(self._receiver.messages.get(), max(0.0, wait))
            except TimeoutError:
                continue
            self.messages.append(message)
            self._console.print(_panel(message))

    def _assessments(self) -> list[AccountAssessment]:
        return self._daemon.board.assessments()

    def _view(self, seconds: float) -> Group:
        elapsed = self._simulation.world.elapsed()
        head = Text(f"{elapsed:5.1f} s of {seconds * self._simulation.world.speed:.0f} s")
        data = report(self._assessments(), self._daemon.now())
        return Group(head, table(data))


def _panel(message: Received) -> Panel:
    time = message.at.strftime("%H:%M:%S")
    style = "red" if message.title.startswith("CRITICAL") else "yellow"
    title = f"{time}  {message.title}"
    return Panel(Text(message.body), title=Text(title), title_align="left", border_style=style)


def _line(assessment: AccountAssessment) -> str:
    pools = ", ".join(
        f"{pool.risk.pool.id} {pool.requirement.ratio * 100:.1f} %"
        for pool in assessment.pools
        if pool.risk.positions
    )
    return f"{assessment.at:%H:%M:%S}  {assessment.account:<10} {assessment.state.value:<6} {pools}"
