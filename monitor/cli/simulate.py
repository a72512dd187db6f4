"""`margin-monitor simulate`: the three simulated exchanges alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from monitor.simulator.server import Simulation


def simulate(
    scenario: Annotated[str, typer.Argument(help="A scenario's name or file.")] = "calm",
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes any free port.")] = 8080,
    speed: Annotated[float, typer.Option(min=0.01, help="How fast the price path runs.")] = 1.0,
) -> None:
    """
    Play three exchanges on loopback until stopped; prints the addresses and keys to use.

    Example: margin-monitor simulate flash_crash --port 8080
    """
    import asyncio

    asyncio.run(_serve(scenario, host, port, speed))


async def _serve(name: str, host: str, port: int, speed: float) -> None:
    import asyncio
    import signal
    import sys

    from monitor.simulator.scenario import ScenarioError, load
    from monitor.simulator.server import running

    try:
        scenario = load(name)
    except ScenarioError as error:
        raise typer.BadParameter(str(error), param_hint="SCENARIO") from None
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with running(scenario, host, port, speed) as simulation:
        for line in _lines(simulation):
            typer.echo(line)
        typer.echo("\n# ready")
        sys.stdout.flush()
        await stopped.wait()


def _lines(simulation: Simulation) -> list[str]:
    """What to put into a config file, as TOML that can be pasted."""
    lines = [
        f"# {simulation.world.scenario.name}: {simulation.world.scenario.description}",
        f"# steer it: http://{simulation.host}:{simulation.port}/sim/",
    ]
    for access in simulation.access():
        lines += [
            "",
            "[[accounts]]",
            f'name = "{access.account}"',
            f'exchange = "{access.exchange}"',
            f'api_key = "{access.api_key}"',
            f'api_secret = "{access.api_secret}"',
            *([f'passphrase = "{access.passphrase}"'] if access.passphrase else []),
            f'rest_url = "{access.rest_url}"',
            f'ws_url = "{access.ws_url}"',
        ]
    return lines
