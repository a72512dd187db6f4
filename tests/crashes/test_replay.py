"""Crashes through the engine: synthetic ones always, real ones where their files lie beside."""

from __future__ import annotations

from decimal import Decimal as D  # noqa: N817 - short in tables
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.crashes.books import Book, Leg, books
from tests.crashes.candles import Candle, Crash, folder, load
from tests.crashes.replay import Replay

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = 60


def ten_times(price: int = 100) -> Book:
    """100 coins from 100 with 1,000: ended where 1,000 + 100 (P − 100) = 0.5 P, P = 90.4523."""
    return Book(
        name="BTC 10x", wallet=D(1000), legs=(Leg(coin="BTC", amount=D(100), entry=D(price)),)
    )


def test_a_candle_is_walked_in_the_order_that_hurts() -> None:
    candle = Candle(opened=D(100), highest=D(110), lowest=D(90), closed=D(105))

    assert candle.way(for_longs=True) == (100, 110, 90, 105)
    assert candle.way(for_longs=False) == (100, 90, 110, 105)


def test_prices_go_straight_in_log_price_between_the_points() -> None:
    candle = Candle(opened=D(100), highest=D(100), lowest=D(81), closed=D(81))
    crash = Crash(name="made", step_seconds=MINUTE, candles={0: {"BTC": candle}})
    walked = dict(crash.prices())

    assert len(walked) == 20
    # Half of the way from the highest to the lowest is reached after half a minute: √(100 × 81).
    assert abs(walked[30.0]["BTC"] - 90) < D("0.0001")
    assert walked[60.0]["BTC"] == 81


def test_a_file_is_read_with_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "2020-01-01_made_1m.csv"
    file.write_text(
        "timestamp_ms,symbol,open,high,low,close\n"
        "60000,BTC/USDT,100,110,90,105\n60000,ETH/USDT,10,11,9,10.5\n"
        "120000,BTC/USDT,105,106,104,105\n"
    )
    crash = load(file)

    assert (crash.coins, crash.step_seconds) == (("BTC", "ETH"), 60)
    assert crash.candles[60]["BTC"].lowest == 104
    assert len(list(crash.prices())) == 40
    assert [book.name for book in books(crash)] == [
        "BTC 5x", "BTC 10x", "BTC 20x", "ETH against BTC", "all coins",
    ]  # fmt: skip


def test_the_truth_of_a_book_is_its_own_arithmetic() -> None:
    book = ten_times()

    assert book.balance({"BTC": D(95)}) == 500
    assert book.requirement({"BTC": D(95)}) == D("47.5")
    assert not book.is_liquidated({"BTC": D("90.46")})
    assert book.is_liquidated({"BTC": D("90.45")})


@pytest.mark.parametrize("speed", [1, 60])
def test_a_steady_fall_tells_every_rung_in_its_order_at_any_speed(speed: int) -> None:
    # An hour down to 95.5, where 5.3 % are left, 94.5 (4.3 %), 92 (1.7 %), then through the end
    # at 90.4523; each candle is ten minutes of the same slope cut in minutes.
    way = [100, 98, 96, 95, 94, 93, 92, 91, 90]
    slow = [a + (b - a) * k / 10 for a, b in pairwise(way) for k in range(10)]
    crash = falling_exactly([*slow, 90.0])
    story = Replay(crash, ten_times(), speed).run()

    assert story.ended is not None
    assert story.others == set()
    assert story.peaks == ["critical"]
    assert [each.what.split(":")[0] for each in story.said] == [
        "NEAR 5 %", "VERY NEAR 2 %", "VERY NEAR 2 %", "CRITICAL 90 %",
    ]  # fmt: skip
    # The second «very near» is the rung of 80 %, under the title of what is graver.
    near, very_near = story.lead("NEAR"), story.lead("VERY NEAR")
    # Of price 5 % above the end stand 95.2 (mark × 0.95 = the end); a coin falls in ten minutes.
    assert near is not None
    assert very_near is not None
    assert 2500 < near < 3000
    assert 1000 < very_near < 1300


def falling_exactly(closes: list[float]) -> Crash:
    candles = {
        MINUTE * n: {
            "BTC": Candle(opened=D(str(a)), highest=D(str(a)), lowest=D(str(b)), closed=D(str(b)))
        }
        for n, (a, b) in enumerate(pairwise(closes))
    }
    return Crash(name="made", step_seconds=MINUTE, candles=candles)


REAL = sorted(folder().glob("*.csv")) if folder() else []
BRIEF = [path for path in REAL if path.stem.startswith("2020-03-13")]


@pytest.mark.skipif(not REAL, reason="the folder shared/data/crashes is absent")
def test_every_real_crash_tells_of_the_end_before_it_comes() -> None:
    met = 0
    for path in BRIEF:
        crash = load(path)
        for book in books(crash):
            story = Replay(crash, book, 60).run()
            assert story.others == set(), (crash.name, book.name)
            if story.ended is not None:
                met += 1
                assert story.peaks[-1] == "critical", (crash.name, book.name, story.said)
                assert story.said[-1].second <= story.ended
    assert met > 0
