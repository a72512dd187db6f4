"""Crashes through the engine: made ones always, a real one where its file lies beside."""

from __future__ import annotations

from decimal import Decimal as D  # noqa: N817 - short in tables
from typing import TYPE_CHECKING

import pytest

from tests.crashes.books import Book, Leg, books
from tests.crashes.candles import Candle, Crash, folder, load
from tests.crashes.compare import explained, strays
from tests.crashes.made import MINUTE, falling, slowly, ten_times
from tests.crashes.replay import Replay, Rules, Story
from tests.crashes.truth import Truth, in_order, truth_of

if TYPE_CHECKING:
    from pathlib import Path

SPEEDS = (1, 60, 600)
ALL_RUNGS = [["near"], ["very near"], ["warning"], ["critical"]]


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


# -- the truth ------------------------------------------------------------------------------


def test_the_truth_of_a_book_is_its_own_arithmetic() -> None:
    book = ten_times()

    assert book.balance({"BTC": D(95)}) == 500
    assert book.requirement({"BTC": D(95)}) == D("47.5")
    assert not book.is_liquidated({"BTC": D("90.46")})
    assert book.is_liquidated({"BTC": D("90.45")})
    # What a fall costs is 100 coins less 0.5 % of them.
    assert book.distance({"BTC": D(95)}) == D("452.5") / (95 * D("99.5"))
    assert book.distance({"BTC": D(90)}) == 0


def test_the_distance_of_a_hedged_pair_is_the_move_that_hurts_both_legs() -> None:
    legs = (
        Leg(coin="ETH", amount=D(50), entry=D(10)),
        Leg(coin="BTC", amount=D(-2), entry=D(100)),
    )
    pair = Book(name="pair", wallet=D(100), legs=legs)
    # At 9 and 110 the balance is 100 − 50 − 20 = 30, held are 0.5 % of 450 + 220. ETH falls and
    # what it is held against shrinks, BTC rises and that grows: 450 × 0.995 + 220 × 1.005.
    left = D("26.65") / (D("447.75") + D("221.1"))
    assert pair.distance({"ETH": D(9), "BTC": D(110)}) == left


def test_rungs_taken_on_count_once_half_is_gone_or_they_were_left() -> None:
    # 452.5 ÷ 9,452.5 = 4.79 % are left at the first price, 95; half of that at 92.6704, which is
    # passed 16.5 s after second 80; 2 % at 92.2983, 10.06 s after second 140.
    book = ten_times()
    falls = truth_of(falling(95, 93, 92.6, 92), book)
    assert falls.reached == {"near": 99, "very near": 153}
    comes_back = truth_of(falling(95, 97, 95), book)
    assert list(comes_back.reached) == ["near"]
    assert truth_of(falling(95, 96.2, 95), book).reached == {}  # 5.97 %: it was not left


def test_rungs_of_one_tick_stand_together() -> None:
    assert in_order({"near": 3.0, "critical": 9.0, "very near": 3.0}) == [
        ["near", "very near"],
        ["critical"],
    ]


# -- the engine, at every speed -------------------------------------------------------------


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_steady_fall_tells_every_rung_at_its_tick_at_any_speed(speed: int) -> None:
    # Ten minutes from each price to the next, a tenth of that in the middle 20 s of a minute.
    crash = falling(*slowly(100, 98, 96, 95, 94, 93, 92, 91, 90))
    story = Replay(crash, ten_times(), speed).run()

    # The 28th minute falls from 95.3 to 95.2 between second 20 and 40: 95.2129 is passed after
    # 17.4 s of these, at the tick of second 39. And so on: 92.2983 of 92.3 to 92.2, 90.5660 and
    # 90.5028 of 90.6 to 90.5, the end 90.4523 of 90.5 to 90.4.
    assert story.reached == {
        "near": 27 * MINUTE + 39,
        "very near": 57 * MINUTE + 21,
        "warning": 74 * MINUTE + 27,
        "critical": 74 * MINUTE + 42,
    }
    assert story.ended == 75 * MINUTE + 30
    assert story.ways == [ALL_RUNGS]
    assert (story.others, story.untold) == ([], [])
    # «Warning» is told under the title of what is graver.
    assert [title.split(":")[0] for title in story.titles if "STILL" not in title] == [
        "NEAR 5 %", "VERY NEAR 2 %", "VERY NEAR 2 %", "CRITICAL 90 %",
    ]  # fmt: skip
    assert story.lead("near") == 47 * MINUTE + 51
    assert strays(story, truth_of(crash, ten_times())) == []


@pytest.mark.parametrize("speed", SPEEDS)
def test_rungs_are_missed_only_where_the_market_jumps_over_them(speed: int) -> None:
    jump = falling(100, 100, 100)
    jump.candles[MINUTE]["BTC"] = Candle(
        opened=D("90.56"), highest=D("90.56"), lowest=D("90.4"), closed=D("90.4")
    )
    story = Replay(jump, ten_times(), speed).run()

    assert story.ways == [[["near", "warning", "very near"], ["critical"]]]
    assert strays(story, truth_of(jump, ten_times())) == []


WOBBLE = (100, 95, 95, 97, 97, 95, 95)


def test_a_rung_left_for_less_than_a_look_is_one_incident_and_explained() -> None:
    # Over 6 % for two minutes: two looks at 60×, and at 600× it is over before the next.
    crash, book = falling(*WOBBLE, 94), ten_times()
    met = {speed: Replay(crash, book, speed).run() for speed in SPEEDS}

    assert met[1].ways == met[60].ways == [[["near"]], [["near"]]]
    assert met[600].ways == [[["near"]]]
    assert all(strays(story, truth_of(crash, book)) == [] for story in met.values())
    assert explained(crash, book, (60, 600), met[600]) == ("looks",)


def test_what_opens_a_third_time_in_the_product_s_hour_is_explained_by_it() -> None:
    # Every 70 minutes for a quarter of an hour on «near».
    once = [*slowly(100, 95, minutes=5), *[95] * 10, *slowly(97, 100, minutes=5), *[100] * 48]
    crash, book = falling(*once, *once, *once), ten_times()
    met = {speed: Replay(crash, book, speed).run() for speed in (1, 60)}

    assert met[1].ways == [[["near"]]] * 3
    assert met[60].ways == [[["near"]]] * 2
    assert explained(crash, book, (1, 60), met[60]) == ("openings",)


def test_a_difference_that_no_rule_makes_is_not_explained() -> None:
    crash, book = falling(*WOBBLE, 94), ten_times()
    forged = Replay(crash, book, 60).run()
    forged.incidents[1].rungs.append(["critical"])
    assert explained(crash, book, (1, 60), forged) is None


def test_seconds_that_are_left_out_change_nothing() -> None:
    # Down to «near», about where it is left, rest, out of it, «very near» and back to the edge.
    edge = [96.1, 96.3, 96.2, 96.1, 95, 96.25]
    ways = [*slowly(100, 95, 96, minutes=7), *edge, *[94] * 20, *slowly(94, 97, 92, minutes=3)]
    crash = falling(*ways, 92.7, 92.8, 92.3, 92.9, 95.5, 96.22, 96.23, 93, 91, 90)
    for speed in (1, 60):
        quick, whole = (
            Replay(crash, ten_times(), speed, every_second=every).run() for every in (False, True)
        )
        assert quick.incidents == whole.incidents
        assert (quick.reached, quick.since, quick.ended) == (
            whole.reached,
            whole.since,
            whole.ended,
        )


@pytest.mark.parametrize(
    ("sentence", "change", "word"),
    [
        ("a rung that never came", {"reached": {"near": 9.0}}, "in truth [['near'], ['critical']]"),
        ("a rung too late", {"reached": {"near": 12.0, "critical": 99.0}}, "near +3 s"),
        ("a rung without a message", {"untold": ["near"]}, "near untold"),
        ("another incident", {"others": ["stale"]}, "another kind: stale"),
        ("another end", {"ended": 98.0}, "ended at 98.0, in truth at 99.0"),
    ],
)
def test_what_strays_from_the_truth_is_said(
    sentence: str, change: dict[str, object], word: str
) -> None:
    truth = Truth(reached={"near": 9.0, "critical": 99.0}, ended=99.0)
    right: dict[str, object] = {"reached": dict(truth.reached), "ended": truth.ended}
    assert strays(Story(**right), truth) == []  # type: ignore[arg-type] # fields of a story
    found = strays(Story(**{**right, **change}), truth)  # type: ignore[arg-type] # the same
    assert len(found) == 1, sentence
    assert word in found[0]


def test_a_story_can_be_kept() -> None:
    story = Replay(falling(*WOBBLE, 90), ten_times(), 60).run()
    assert Story.of_data(story.as_data()) == story


def test_stretched_rules_keep_the_budgets_above_them() -> None:
    rules = Rules().stretched(60, "looks")
    assert (rules.looks, rules.readings, rules.openings) == (60, 15, 3600)
    assert rules.budgets().marks_seconds == 900
    assert Rules().budgets().marks_seconds == 15


# -- a real one -----------------------------------------------------------------------------

REAL = "2020-03-13_covid_worst_hour_1m"


@pytest.mark.skipif(folder() is None, reason="the folder shared/data/crashes is absent")
def test_a_real_crash_is_the_same_at_every_speed() -> None:
    found = folder()
    assert found is not None
    crash = load(found / f"{REAL}.csv")
    ended = 0
    for book in books(crash):
        truth = truth_of(crash, book)
        ended += truth.ended is not None
        met = {speed: Replay(crash, book, speed).run() for speed in SPEEDS}
        for story in met.values():
            assert strays(story, truth) == [], book.name
        for pair in ((1, 60), (60, 600)):
            is_same = met[pair[0]].ways == met[pair[1]].ways
            assert is_same or explained(crash, book, pair, met[pair[1]]), book.name
    assert ended == 3  # 10x, 20x and the hedged one; 5x survives that hour
