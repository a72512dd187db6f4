"""
One real crash through real processes at 60×, beside the same crash through the engine alone.

A simulator plays the file's prices on one exchange to accounts of 5×, 10× and 20× and a hedged
pair; a daemon watches them over loopback and its messages are received as any channel's. Per
account the rungs told are held against those of the engine's replay. Usage:
python bench/crash_processes.py [--file 2020-03-13_covid_worst_hour_1m] [--speed 60]
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from processes import Receiver, end, folder, machine, simulating, start_daemon, write_config

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.crashes import candles
from tests.crashes.books import Book, books
from tests.crashes.replay import Replay

if TYPE_CHECKING:
    from tests.crashes.candles import Crash

EXCHANGE, SYMBOL = "bybit", "{}USDT"
# The daemon starts and reads in the meantime; in real seconds.
PRELUDE_SECONDS, AFTERWARDS_SECONDS = 15, 10
ALARMS = ("NEAR", "VERY NEAR", "WARNING", "CRITICAL")


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


def rungs(titles: list[str]) -> list[str]:
    """The alarms among these titles, each once in a row."""
    found: list[str] = []
    for title in titles:
        word = next((a for a in reversed(ALARMS) if title.startswith(a)), None)
        if word is not None and found[-1:] != [word]:
            found.append(word)
    return found


async def live(crash: Crash, speed: int) -> dict[str, list[str]]:
    """The titles that came for each account, from real processes."""
    receiver = Receiver()
    url = await receiver.start()
    try:
        with folder() as name:
            file = Path(name) / "crash.toml"
            file.write_text(scenario(crash, speed), encoding="utf-8")
            async with simulating(str(file), speed) as simulator:
                daemon = await start_daemon(write_config(Path(name), simulator, url))
                try:
                    length = (max(crash.candles) + crash.step_seconds) / speed
                    await asyncio.sleep(PRELUDE_SECONDS + length + AFTERWARDS_SECONDS)
                finally:
                    await end(daemon, signal.SIGTERM)
    finally:
        await receiver.stop()
    titles = [message.title for message in receiver.messages]
    return {
        account(number): [title for title in titles if account(number) in title]
        for number in range(len(chosen(crash)))
    }


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
    came = asyncio.run(live(crash, given.speed))
    differ = 0
    for number, book in enumerate(chosen(crash)):
        alone = rungs(Replay(crash, book, given.speed).run().titles)
        real = rungs(came[account(number)])
        differ += real != alone
        print(f"{book.name:<14} processes: {', '.join(real) or 'none'}")
        print(f"{'':<14} engine:    {', '.join(alone) or 'none'}")
        print(f"{'':<14} all told:  {came[account(number)]}")
    print(f"{differ} of {len(came)} differ")


if __name__ == "__main__":
    main()
