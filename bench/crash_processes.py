"""
One real crash through real processes at 60×, beside the same marks through the engine alone.

A simulator plays the file's prices on one exchange to accounts of 5×, 10× and 20× and a hedged
pair; a daemon watches them over loopback and its messages are received as any channel's. A
second socket hears the same marks as the daemon, ten a second, and each account is captured
before its fall: these very marks and pools go through the engine's replay. Per account the rungs
that the daemon committed as told, in their order, are held against those of the engine alone,
and these against the tick at which each is reached; it ends with 1 where they differ. Usage:
python bench/crash_processes.py [--file 2020-03-13_covid_worst_hour_1m] [--speed 60]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sqlite3
import sys
import tomllib
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from processes import (
    Receiver,
    end,
    folder,
    machine,
    simulating,
    start_daemon,
    write_config,
)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from monitor.exchanges.call import Replies
from monitor.exchanges.capture import read_capture
from monitor.exchanges.registry import EXCHANGES
from monitor.risk.evaluate import requirement
from monitor.risk.solve import adverse_move
from monitor.service.control import ask_bytes
from tests.build import marks
from tests.crashes import candles
from tests.crashes.books import Book, books
from tests.crashes.candles import Crash
from tests.crashes.compare import strays
from tests.crashes.replay import Replay
from tests.crashes.truth import truth_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.risk.model import MarginPool

EXCHANGE, SYMBOL = "bybit", "{}USDT"
# The daemon starts and reads in the meantime; in real seconds.
PRELUDE_SECONDS, AFTERWARDS_SECONDS, DAEMON_SECONDS = 30, 10, 10


def scenario(crash: Crash, speed: int) -> str:
    """The crash as a scenario of the simulator, after a calm stretch at its first prices."""
    prelude = PRELUDE_SECONDS * speed
    lines = [
        'name = "crash"',
        f'description = "{crash.name}"',
        "seed = 1",
        "duration_seconds = 60",  # of a demo; the path goes on for as long as it has legs
    ]
    for coin, price in crash.first_prices().items():
        lines += [f"[market.{coin}]", f"start = {price}", "noise_rate = 0", "legs = ["]
        lines.append(f"  {{ until = {prelude}, price = {price} }},")
        for second, known in crash.candles.items():
            if coin not in known:
                continue
            way = known[coin].way(for_longs=not crash.is_squeeze)
            for number, point in enumerate(way[1:], start=1):
                until = prelude + second + number * crash.step_seconds / (len(way) - 1)
                lines.append(f"  {{ until = {until:.2f}, price = {point} }},")
        lines.append("]")
    for number, book in enumerate(chosen(crash)):
        lines += ["[[accounts]]", f'name = "{account(number)}"', f'exchange = "{EXCHANGE}"']
        lines += ['mode = "cross"', 'position_mode = "hedge"']
        lines += [f"wallets = {{ USDT = {book.wallet} }}", "positions = ["]
        for leg in book.legs:
            side = "long" if leg.amount > 0 else "short"
            lines.append(
                f'  {{ symbol = "{SYMBOL.format(leg.coin)}", side = "{side}", '
                f"contracts = {abs(leg.amount)}, entry_price = {leg.entry}, leverage = 20 }},"
            )
        lines.append("]")
    return "\n".join(lines) + "\n"


def chosen(crash: Crash) -> tuple[Book, ...]:
    return books(crash)[:4]


def account(number: int) -> str:
    return f"book-{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Crash):
    """A crash as its marks came: per frame the market's second and every coin's price."""

    frames: list[tuple[float, dict[str, Decimal]]]

    def first_prices(self) -> dict[str, Decimal]:
        return self.frames[0][1]

    def prices(self) -> Iterator[tuple[float, dict[str, Decimal]]]:
        return iter(self.frames[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured(Book):
    """A book with the pool that the product reads of it at the exchange, by whose rules it ends."""

    captured: MarginPool

    def pool(self, prices: Mapping[str, Decimal]) -> MarginPool:  # noqa: ARG002 - it is given
        return self.captured

    def balance(self, prices: Mapping[str, Decimal]) -> Decimal:
        return requirement(self.captured, marks(**prices)).margin_balance

    def requirement(self, prices: Mapping[str, Decimal]) -> Decimal:
        return requirement(self.captured, marks(**prices)).maintenance_margin

    def distance(self, prices: Mapping[str, Decimal]) -> Decimal:
        return abs(adverse_move(self.captured, marks(**prices)) or Decimal(0))


def as_captured(book: Book, text: bytes) -> Captured:
    capture = read_capture(text)
    exchange = EXCHANGES[capture.exchange]
    view = exchange.read_account(capture.account, Replies(capture.replies))
    (pool,) = (pool for pool in view.snapshot(capture.at).pools if pool.positions)
    return Captured(
        name=book.name,
        wallet=book.wallet,
        legs=book.legs,
        captured=replace(pool, id=replace(pool.id, account="main")),
    )


class Listener:
    """Hears the marks that the daemon hears, on a socket of its own."""

    def __init__(self, crash: Crash, ws_url: str) -> None:
        self._crash, self._url = crash, f"{ws_url}/v5/public/linear"
        self._marks: list[tuple[float, dict[str, Decimal]]] = []

    async def run(self) -> None:
        topics = [f"tickers.{SYMBOL.format(coin)}" for coin in self._crash.coins]
        last, loop = dict[str, Decimal](), asyncio.get_running_loop()
        async with aiohttp.ClientSession() as session, session.ws_connect(self._url) as socket:
            await socket.send_json({"op": "subscribe", "args": topics})
            async for frame in socket:
                said = frame.json().get("data", {})
                if not isinstance(said, dict) or "markPrice" not in said:
                    continue
                coin = said["symbol"].removesuffix("USDT")
                last = last | {coin: Decimal(said["markPrice"])}
                if len(last) == len(topics):
                    self._marks.append((loop.time(), last))

    def heard(self, speed: int) -> Heard:
        """The marks as a crash; a second of ours is `speed` of the market's."""
        began = self._marks[0][0]
        frames = [((at - began) * speed, prices) for at, prices in self._marks]
        return Heard(
            name=self._crash.name,
            step_seconds=self._crash.step_seconds,
            candles=self._crash.candles,
            frames=frames,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """
    What real processes made of a crash.

    Per account its book as captured, and every incident about a rung: the rungs told, in their
    order. `titles` of what was received: of many at once the channel gets one message that
    names them all.
    """

    heard: Heard
    books: dict[str, Captured]
    incidents: dict[str, list[list[str]]]
    titles: list[str]


def committed(state: Path) -> dict[str, list[list[str]]]:
    """Per account the rungs told of each incident, from the daemon's own file."""
    found: dict[str, list[list[str]]] = {}
    with closing(sqlite3.connect(state / "margin-monitor.db")) as database:
        for name, told in database.execute(
            "SELECT account, told FROM incidents WHERE subject = 'standing' ORDER BY opened_at"
        ):
            if rungs := json.loads(told):  # none of what its owner took on
                found.setdefault(name, []).append(rungs)
    return found


async def live(crash: Crash, speed: int) -> Played:
    receiver = Receiver()
    url = await receiver.start()
    try:
        with folder() as name:
            file = Path(name) / "crash.toml"
            file.write_text(scenario(crash, speed), encoding="utf-8")
            async with simulating(str(file), speed) as simulator:
                given = tomllib.loads(simulator.accounts)["accounts"][0]
                listener = Listener(crash, given["ws_url"])
                listening = asyncio.create_task(listener.run())
                config = write_config(Path(name), simulator, url)
                daemon = await start_daemon(config)
                began = asyncio.get_running_loop().time()
                try:
                    captured = await capture_all(crash, config)
                    began -= asyncio.get_running_loop().time()
                    length = (max(crash.candles) + crash.step_seconds) / speed
                    await asyncio.sleep(PRELUDE_SECONDS + began + length + AFTERWARDS_SECONDS)
                finally:
                    await end(daemon, signal.SIGTERM)
                    listening.cancel()
                    await asyncio.wait((listening,))
            incidents = committed(Path(name) / "state")
    finally:
        await receiver.stop()
    titles = [message.title for message in receiver.messages]
    return Played(heard=listener.heard(speed), books=captured, incidents=incidents, titles=titles)


async def capture_all(crash: Crash, config: Path) -> dict[str, Captured]:
    """Every account's book, read while its prices still stand."""
    await asyncio.sleep(DAEMON_SECONDS)
    found = {}
    for number, book in enumerate(chosen(crash)):
        state, name = config.parent / "state", account(number)
        text = await ask_bytes(state, "POST", f"/capture/{name}")
        found[name] = as_captured(book, text)
    return found


def order(incidents: list[list[str]]) -> list[str]:
    """The rungs in the order in which they were first told."""
    return list(dict.fromkeys(rung for rungs in incidents for rung in rungs))


def by_engine(heard: Heard, book: Book, speed: int) -> tuple[list[list[str]], list[str]]:
    """The rungs of each incident by the engine alone, and where these stray from the truth."""
    story = Replay(heard, book, speed).run()
    incidents = [[rung for together in met for rung in together] for met in story.ways]
    return incidents, strays(story, truth_of(heard, book))


def beside(heard: Heard, book: Book, speed: int, real: list[list[str]]) -> str | None:
    """
    In words why the engine alone met other incidents, None where it is not known.

    Whether a rung was left between two looks depends on when in the second the clock ticks.
    """
    for tenths in range(1, 10):
        late = [(second + tenths / 10 * speed, prices) for second, prices in heard.frames[1:]]
        shifted = replace(heard, frames=[heard.frames[0], *late])
        if by_engine(shifted, book, speed)[0] == real:
            return f"(as the processes, where its clock ticks {tenths / 10} s earlier)"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", default="2020-03-13_covid_worst_hour_1m")
    parser.add_argument("--speed", type=int, default=60)
    given = parser.parse_args()
    found = candles.folder()
    if found is None:
        sys.exit("the folder shared/data/crashes is absent: nothing to replay")
    crash = candles.load(found / f"{given.file}.csv")
    print(f"# {machine()}; {crash.name} at {given.speed}x")
    played = asyncio.run(live(crash, given.speed))
    differ = 0
    for number in range(len(chosen(crash))):
        book = played.books[account(number)]
        real = played.incidents.get(account(number), [])
        alone, strayed = by_engine(played.heard, book, given.speed)
        why = "" if real == alone else beside(played.heard, book, given.speed, real)
        differ += order(real) != order(alone) or bool(strayed) or why is None
        print(f"{book.name:<14} processes: {real}")
        print(f"{'':<14} engine:    {alone} {why or ''} {'; '.join(strayed)}")
        print(f"{'':<14} received:  {[t for t in played.titles if account(number) in t]}")
    print(f"{differ} of {len(chosen(crash))} differ; {len(played.heard.frames)} marks heard")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
