"""
An answer with HTTP 200 that is no answer: never «no positions», never a calm figure.

Every call of an account in turn, from the first reading on and after good ones: over a real
socket, then through the engine by a clock that is moved by hand. What can't be read is told
within the account's budget and five seconds.
"""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.cli.replay import missing_requests
from monitor.engine.effects import AccountAssessment, Assessed, IncidentChanged, State
from monitor.engine.engine import Engine
from monitor.engine.events import Event, MarksMoved, PollFailed, SnapshotTaken, TimePassed
from monitor.engine.knowledge import Budgets
from monitor.errors import ExchangeError
from monitor.exchanges.call import Replies, Reply, RestCall
from monitor.exchanges.port import Credentials, Exchange
from monitor.exchanges.registry import EXCHANGES
from monitor.exchanges.rest import RestClient
from monitor.risk.evaluate import evaluate
from monitor.risk.model import AccountSnapshot, Mark
from monitor.simulator.server import Simulation, running
from tests.end_to_end import kinds
from tests.end_to_end.garbage import bodies, calls_of, strike

BUDGETS = Budgets(account_seconds=6, marks_seconds=4)
TOLD = timedelta(
    seconds=BUDGETS.account_seconds + BUDGETS.grace_seconds + 1
)  # and the beat of the clock
POLLED = 2
KINDS = (
    "binance several margin assets",
    "bybit other coins as collateral",
    "okx futures linear cross net",
    "okx multi_currency much collateral",
)

Outcome = ExchangeError | AccountSnapshot


def client_of(simulation: Simulation) -> RestClient:
    (access,) = simulation.access()
    credentials = Credentials(
        api_key=access.api_key, api_secret=access.api_secret, passphrase=access.passphrase or ""
    )
    return RestClient(
        EXCHANGES[access.exchange],
        credentials,
        account=access.account,
        now=lambda: datetime.now(UTC),
        rest_url=access.rest_url,
    )


def understood(exchange: Exchange, replies: Replies, at: datetime) -> Outcome:
    """What the account is by these replies; an error where one more would be needed."""
    try:
        missing = missing_requests(exchange, replies)
        if missing:
            return ExchangeError("a call that was never made is wanted", call=missing[0])
        return exchange.read_account(kinds.NAME, replies).snapshot(at)
    except ExchangeError as error:
        return error


async def struck(
    simulation: Simulation, client: RestClient, path: str, good: Replies
) -> list[tuple[str, Outcome]]:
    """What becomes of a reading for each body on this path, by the body's name."""
    calls = [call for call in calls_of(client.exchange, good) if call.path.startswith(path)]
    assert calls, path
    found = []
    for body in bodies(client.exchange.name):
        strike(simulation, body, path)
        outcomes = [await answered(client, call) for call in calls]
        simulation.world.clear_faults()
        found.append((body.name, reading(client.exchange, good, calls, outcomes)))
    return found


async def answered(client: RestClient, call: RestCall) -> Reply | ExchangeError:
    try:
        return await client.call(call)
    except ExchangeError as error:
        return error


def reading(
    exchange: Exchange,
    good: Replies,
    calls: list[RestCall],
    outcomes: list[Reply | ExchangeError],
) -> Outcome:
    """The reading with these calls answered so; as in `RestClient`, an optional one may fail."""
    asked = {call.request for call in calls}
    replies = [reply for reply in good if reply.request not in asked]
    for call, outcome in zip(calls, outcomes, strict=True):
        if isinstance(outcome, Reply):
            replies.append(outcome)
        elif not call.optional:
            return outcome
    return understood(exchange, Replies(replies), max(reply.at for reply in good))


class Watched:
    """One account's engine, a clock moved by hand, and live marks that never fail."""

    def __init__(self, exchange: str, began: datetime) -> None:
        self.engine = Engine(account=kinds.NAME, exchange=exchange, budgets=BUDGETS)
        self.began = self.now = began
        self.told: list[tuple[timedelta, str]] = []
        self.seen: list[tuple[timedelta, AccountAssessment]] = []

    def takes(self, event: Event) -> None:
        for effect in self.engine.process(event):
            if isinstance(effect, IncidentChanged) and effect.notification is not None:
                self.told.append((self.now - self.began, effect.notification.title))
            elif isinstance(effect, Assessed):
                self.seen.append((self.now - self.began, effect.assessment))

    def polls(self, outcome: Outcome) -> None:
        if isinstance(outcome, ExchangeError):
            self.takes(PollFailed(error=outcome, at=self.now))
        else:
            self.takes(SnapshotTaken(snapshot=outcome, at=self.now))

    def passes(self, outcome: Outcome, marks: AccountSnapshot) -> None:
        """Time, until it must have been told; each poll brings the same."""
        for second in range(1, int(TOLD.total_seconds()) + 1):
            self.now = self.began + timedelta(seconds=second)
            live = {
                i.exchange_symbol: Mark(price=marks.marks[i.symbol].price, at=self.now)
                for i in marks.instruments()
                if i.symbol in marks.marks
            }
            self.takes(MarksMoved(marks=live, at=self.now))
            if second % POLLED == 0:
                self.polls(outcome)
            self.takes(TimePassed(at=self.now))


def figures(snapshot: AccountSnapshot) -> dict[str, tuple[object, ...]]:
    """
    What must not be another: every pool's legs, and what it stands at, to six decimals.

    Without an optional ticker a coin's index is told by eight decimals of its worth.
    """
    found = {}
    for pool in snapshot.pools:
        needed = evaluate(pool, snapshot.marks, snapshot.at).requirement
        legs = frozenset((p.instrument.symbol, p.side, p.contracts) for p in pool.positions)
        amounts = (round(needed.margin_balance, 6), round(needed.maintenance_margin, 6))
        found[str(pool.id)] = (legs, *amounts)
    return found


def is_at_the_worst(snapshot: AccountSnapshot, whole: AccountSnapshot) -> bool:
    """
    Whether it says that it assumes the worst, and needs no less margin than the good reading.

    A list without a tier can't be told from that of a symbol that has none yet (F-38).
    """
    told = [word for pool in snapshot.pools for word in pool.carried]
    assumed, good = figures(snapshot), figures(whole)
    return (
        any("worst" in word for word in told)
        and assumed.keys() == good.keys()
        and all(assumed[pool][:2] == good[pool][:2] for pool in good)
        and all(assumed[pool][2] >= good[pool][2] for pool in good)
    )


def check_told(watched: Watched, name: str, *, account_known: bool) -> None:
    """Blind is told in time, and nothing was ever shown calm, gone or over."""
    # That an account stands near its end as the watch begins is told beside it.
    told = [(after, title) for after, title in watched.told if not title.startswith("WATCHED")]
    assert len(told) == 1, (name, told)
    assert "BLIND" in told[0][1]
    assert told[0][0] <= TOLD
    for after, assessment in watched.seen:
        if not account_known:
            assert (assessment.state, assessment.pools) == (State.BLIND, ())
        elif after > timedelta(seconds=BUDGETS.account_seconds):
            assert assessment.state is State.BLIND
        if account_known:
            assert any(pool.risk.positions for pool in assessment.pools)


NEVER_ASKED = {
    # Only an account of portfolio margin Pro is served it.
    "binance several margin assets": "/sapi/v1/portfolio/account",
    "bybit other coins as collateral": "/v5/account/collateral-info",
    "okx futures linear cross net": "/api/v5/public/mark-price",
}
"""Paths of a catalogue that these accounts have no use for: what they say stands elsewhere."""


def every_call() -> list[tuple[str, str]]:
    """Each kind with every path that its exchange's catalogue names and that it asks for."""
    found = []
    for kind in KINDS:
        exchange = EXCHANGES[kind.split(maxsplit=1)[0]]
        index = 1 if "multi_currency" in kind else 0
        calls = exchange.catalogue[index][1]
        paths = dict.fromkeys(call.path for call in calls)
        found += [(kind, path) for path in paths if path != NEVER_ASKED.get(kind)]
    return found


async def outcomes_of(
    kind: str, path: str
) -> tuple[Replies, AccountSnapshot, list[tuple[str, Outcome]]]:
    """A good reading, what it says, and what becomes of it for each body on this path."""
    async with running(kinds.scenario(kind)) as simulation:
        kinds.pin(simulation)
        client = client_of(simulation)
        try:
            good = await client.read_account()
            whole = understood(client.exchange, good, max(reply.at for reply in good))
            assert isinstance(whole, AccountSnapshot)
            assert any(reply.path.startswith(path) for reply in good), "it never asks for this"
            return good, whole, await struck(simulation, client, path, good)
        finally:
            await client.close()


def check_error(name: str, error: ExchangeError, whole: AccountSnapshot) -> None:
    fresh = Watched(whole.exchange, whole.at)
    fresh.polls(error)
    fresh.passes(error, whole)
    check_told(fresh, name, account_known=False)
    later = Watched(whole.exchange, whole.at)
    later.polls(whole)
    later.passes(error, whole)
    check_told(later, name, account_known=True)


@pytest.mark.parametrize(("kind", "path"), every_call())
async def test_what_is_no_answer_is_never_taken_for_one(kind: str, path: str) -> None:
    good, whole, outcomes = await outcomes_of(kind, path)
    calls = calls_of(EXCHANGES[whole.exchange], good)
    needed = {call.path for call in calls if not call.optional}
    for name, outcome in outcomes:
        if isinstance(outcome, ExchangeError):
            check_error(name, outcome, whole)
        elif name in {"empty_list", "[]"} and is_at_the_worst(outcome, whole):
            continue
        else:
            # Only an optional reply may be missing, and then the figures are the very same.
            assert path not in needed, name
            assert figures(outcome) == figures(whole), name


@pytest.mark.parametrize("kind", KINDS)
async def test_nor_where_every_call_is_answered_so(kind: str) -> None:
    _, whole, outcomes = await outcomes_of(kind, "/")
    for name, outcome in outcomes:
        assert isinstance(outcome, ExchangeError), name
        check_error(name, outcome, whole)
