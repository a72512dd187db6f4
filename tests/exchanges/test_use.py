"""What is used of a host's limits, by us and by others, and what that leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.exchanges.call import Budget, Used
from monitor.exchanges.use import Use
from tests.alerting import NOON, at

WEIGHT = Budget(name="weight", per_minute=2400, window_seconds=60)
PER_UID = Budget(name="per uid", per_minute=3000, by_address=False)


def told(used: int) -> Used:
    return Used(budget=WEIGHT, used=used, limit=2400)


def test_what_was_sent_counts_for_a_minute() -> None:
    use = Use()
    use.spent(WEIGHT, 40, NOON)
    use.spent(WEIGHT, 5, at(30))
    assert use.sent(WEIGHT, at(59)) == 45
    assert use.sent(WEIGHT, at(61)) == 5
    assert use.sent(WEIGHT, at(91)) == 0
    assert use.in_use(at(30))["weight"].own == 45
    assert use.in_use(at(30))["weight"].others is None


def test_what_the_header_counts_beyond_our_own_is_others() -> None:
    use = Use()
    use.spent(WEIGHT, 100, NOON)
    use.told(told(700), at(1))
    found = use.in_use(at(2))["weight"]
    assert (found.own, found.others) == (100, 600)
    assert found.share == pytest.approx(700 / 2400)
    # The next minute begins at 0: what they did in the one before is still what is known of them.
    use.spent(WEIGHT, 10, at(61))
    use.told(told(15), at(62))
    assert use.in_use(at(62))["weight"].others == 600
    assert use.in_use(at(121))["weight"].others == 5


def test_steady_reading_takes_its_share_and_gives_way_to_others() -> None:
    use = Use()
    assert use.allowance(WEIGHT, 0.2, NOON) == 480
    use.told(told(1000), NOON)  # 0.8 × 2400 − 1000 = 920: enough room for both
    assert use.allowance(WEIGHT, 0.2, NOON) == 480
    use.told(told(1700), NOON)  # 1920 − 1700
    assert use.allowance(WEIGHT, 0.2, NOON) == 220
    use.told(told(2300), NOON)
    assert use.allowance(WEIGHT, 0.2, NOON) == 0


def test_after_too_many_half_is_left_for_ten_minutes() -> None:
    use = Use()
    use.limited(at(30))
    assert use.is_halved(at(31))
    assert use.allowance(WEIGHT, 0.2, at(31)) == 240
    assert use.is_halved(at(30 + 599))
    assert not use.is_halved(at(30 + 601))
    assert use.allowance(WEIGHT, 0.2, at(30 + 601)) == 480


def test_a_window_that_is_nearly_used_up_is_waited_out() -> None:
    use = Use()
    use.told(told(2159), at(20))  # below 90 %
    assert use.seconds_until_room(WEIGHT, at(20)) == 0
    use.told(told(2160), at(20))
    assert use.seconds_until_room(WEIGHT, at(20)) == 40
    assert use.seconds_until_room(WEIGHT, at(60)) == 0


def test_the_window_ends_by_the_exchanges_clock() -> None:
    use = Use()
    use.told(told(2400), at(20), timedelta(seconds=15))  # 35 s past the minute there
    assert use.seconds_until_room(WEIGHT, at(20)) == 25


def test_a_window_that_names_its_end_is_waited_for_until_then() -> None:
    use = Use()
    use.told(Used(budget=PER_UID, used=50, limit=50, resets_at=at(1)), NOON)
    assert use.seconds_until_room(PER_UID, NOON) == 1
    assert use.in_use(NOON)["per uid"].others is None
    use.told(Used(budget=PER_UID, used=50, limit=50, resets_at=at(1)), at(2))
    assert use.seconds_until_room(PER_UID, at(2)) == 0
