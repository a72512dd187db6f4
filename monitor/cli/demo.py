"""
`margin-monitor demo`: the simulated exchanges and the daemon together, live in the terminal.

The one place that starts both sides of the line. The daemon is the very one that `run`
starts: its config points at loopback, its state lives in a temporary folder, its one channel
is a receiver of this process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from monitor.simulator.scenario import Scenario


def demo(
    scenario: Annotated[
        str, typer.Argument(help="A scenario's name or file; --list shows them.")
    ] = "flash_crash",
    speed: Annotated[
        float,
        typer.Option(min=0.1, help="How fast prices and faults run; budgets keep to the clock."),
    ] = 1.0,
    *,
    list_scenarios: Annotated[bool, typer.Option("--list", help="List the scenarios.")] = False,
) -> None:
    """
    Watch three simulated exchanges through a crash; no keys, no network. Ends by itself.

    Example: margin-monitor demo zara
    """
    from monitor.simulator.scenario import names

    if list_scenarios:
        for name in names():
            typer.echo(f"{name:<14}{_load(name).description}")
        return
    import asyncio

    from monitor.cli.demo_stage import play

    asyncio.run(play(_load(scenario), speed))


def _load(name: str) -> Scenario:
    from monitor.simulator.scenario import ScenarioError, load

    try:
        return load(name)
    except ScenarioError as error:
        raise typer.BadParameter(str(error), param_hint="SCENARIO") from None
