"""One account of every kind that is watched, as a scenario of its own; prices stand still."""

from monitor.simulator.scenario import Scenario, parse
from monitor.simulator.server import Simulation
from tests.end_to_end import kinds_binance, kinds_bybit, kinds_okx

MARKS = {"BTC": "94321.7", "ETH": "3456.78", "SOL": "171.23", "XRP": "2.3457"}

ACCOUNTS = {**kinds_binance.ACCOUNTS, **kinds_bybit.ACCOUNTS, **kinds_okx.ACCOUNTS}
"""The account's lines by the kind's name, which begins with its exchange."""

LITTLE_COINS = frozenset({"bybit inverse", "bybit mixed", "bybit expiry futures"})
"""
They hold little of a coin whose USD index is told by no more than its worth ÷ its amount, both cut
at eight decimals: of a worth of some 0.05 USD that leaves 1e-8 / 0.05 = 2e-7 of the index.
"""

PARTLY = frozenset({"bybit hedge", "bybit open orders"}) | kinds_okx.PARTLY | kinds_bybit.PARTLY
"""Their exchange does not publish the whole rule, so a part is taken over from its own figures."""

REPORTED = kinds_okx.REPORTED | kinds_binance.REPORTED | kinds_bybit.REPORTED
"""Their exchange publishes no rule, or not all of it: the requirement is its own figure."""

NAME = "main"


def scenario(kind: str) -> Scenario:
    """The scenario with one account of this kind, called `NAME`."""
    market = "".join(f"[market.{base}]\nstart = {price}\n" for base, price in MARKS.items())
    head = f'name = "kind"\ndescription = "{kind}"\nseed = 11\nduration_seconds = 60\n'
    account = (
        f'[[accounts]]\nname = "{NAME}"\nexchange = "{kind.split(maxsplit=1)[0]}"\n{ACCOUNTS[kind]}'
    )
    return parse(head + market + account, f"{kind}.toml")


def basis(kind: str) -> str:
    """What the figures of a kind's pools stand on."""
    return "partly" if kind in PARTLY else "reported" if kind in REPORTED else "modelled"


def pin(simulation: Simulation) -> None:
    """Hold every price, index prices included: what is read at any time is of one moment."""
    for path in simulation.world.scenario.paths:
        simulation.world.pin(path.base, path.start)
    for exchange in simulation.world.exchanges:
        simulation.world.publish(exchange.name)
