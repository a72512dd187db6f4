"""Bodies that an exchange should never answer with HTTP 200, and calls that they may strike."""

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.exchanges.call import Replies, Reply, RestCall
from monitor.exchanges.port import Exchange
from monitor.simulator.server import Simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A fault of the simulator that answers 200 with something else."""

    name: str
    kind: str
    value: str | None = None


_ENVELOPES = {
    "binance": ("[{}]", '{"assets": [], "positions": []}'),
    "bybit": (
        '{"retCode": 0, "retMsg": "OK", "result": {}, "time": 1}',
        '{"retCode": 0, "retMsg": "OK", "result": null, "time": 1}',
        '{"retCode": 0, "retMsg": "OK", "result": {"list": [{}]}, "time": 1}',
    ),
    "okx": ('{"code": "0", "msg": ""}', '{"code": "0", "msg": "", "data": [{}]}'),
}


def bodies(exchange: str) -> tuple[Body, ...]:
    plain = tuple(
        Body(name=kind, kind=kind) for kind in ("html", "empty", "truncated", "null", "empty_list")
    )
    texts = ("{}", "[]", '""', "0", *_ENVELOPES[exchange])
    return (*plain, *(Body(name=text, kind="body", value=text) for text in texts))


def strike(simulation: Simulation, body: Body, path: str) -> None:
    """From now on this path of the one exchange answers so."""
    name = simulation.world.exchanges[0].name
    simulation.world.fault(name, body.kind, path=path, value=body.value)


def calls_of(exchange: Exchange, good: Replies) -> tuple[RestCall, ...]:
    """The calls of a whole reading whose replies these are, in the order in which they are made."""
    return tuple(_asked(exchange, good))


def _asked(exchange: Exchange, good: Replies) -> Iterator[RestCall]:
    by_request = {reply.request: reply for reply in good}
    got: dict[str, Reply] = {}
    failed: set[str] = set()
    while True:
        asked = exchange.needed(Replies(got.values(), failed))
        wanted = [c for c in asked if c.request not in got and c.request not in failed]
        if not wanted:
            return
        for call in wanted:
            if call.optional and call.request not in by_request:
                # What the account is not served brought nothing in the good reading either.
                failed.add(call.request)
                continue
            got[call.request] = by_request[call.request]
            yield call
