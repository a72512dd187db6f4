"""What is told where the rules change: the account's mode, its leverage tiers, their tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import Severity
from monitor.engine.effects import TablesWanted
from monitor.engine.events import SnapshotTaken, Source
from monitor.risk.cash import Booking, BookingKind, FreeBalance, Funding
from monitor.risk.model import MarginPool, Reported
from tests.build import NOON, Number, flat, long
from tests.engine.scene import LONG, Scene, calm, changes, renamed, snapshot, the_pool

if TYPE_CHECKING:
    from typing import Any

UNIFIED = renamed(the_pool(), "unified")
HALF = replace(LONG, tiers=flat("0.5"))


def switched(scene: Scene, *pools: MarginPool, mode: str = "portfolio", **prices: Number) -> Scene:
    taken = replace(snapshot(*pools, at=scene.at, **prices), mode=mode)
    return scene.feed(SnapshotTaken(snapshot=taken, at=scene.at))


def read_with(scene: Scene, pool: MarginPool, price: Number, **more: Any) -> Scene:
    taken = replace(snapshot(pool, at=scene.at, SOL=price), **more)
    return scene.feed(SnapshotTaken(snapshot=taken, at=scene.at))


def tables_wanted(scene: Scene) -> list[str]:
    return [each.because for each in scene.latest if isinstance(each, TablesWanted)]


# -- the account's mode -----------------------------------------------------------------------


def test_a_new_mode_is_told_once_with_the_figures_after_it() -> None:
    scene = switched(calm().later(15), the_pool(), SOL=120)
    assert scene.told == ["ACCOUNT MODE CHANGED: main (bybit)"]
    assert "changed from «unified, cross» to «portfolio»" in scene.body
    assert "Its pools now:\n• main/USDT: margin ratio 68.6 %, 30.6 % from liquidation" in scene.body
    assert scene.now.mode == "portfolio"
    assert switched(scene.later(15).tick(SOL=120), the_pool(), SOL=120).told == []
    assert switched(scene.later(15), the_pool(), mode="x", SOL=120).told == [
        "ACCOUNT MODE CHANGED: main (bybit)"
    ]


def test_a_mode_that_goes_to_and_fro_is_told_six_times_an_hour() -> None:
    scene = calm()
    for turn in range(10):
        switched(scene.later(15).tick(SOL=120), the_pool(), mode=f"mode {turn % 2}", SOL=120)
    assert scene.all_told == ["ACCOUNT MODE CHANGED: main (bybit)"] * 6
    assert changes(scene.latest)[0].quiet_because == "the like was told often enough this hour"


def test_positions_that_went_over_to_another_pool_are_not_taken_for_gone() -> None:
    scene = switched(calm().later(15), UNIFIED, SOL=120)
    assert scene.snapshots_wanted == []
    assert [str(pool.risk.pool.id) for pool in scene.now.pools] == ["main/unified"]


def test_positions_that_are_nowhere_after_it_are_doubted_as_ever() -> None:
    scene = switched(calm().later(15), renamed(the_pool(LONG, positions=()), "unified"))
    assert (scene.told, len(scene.snapshots_wanted)) == ([], 1)


def test_the_incident_of_a_pool_that_is_no_more_ends_in_these_words() -> None:
    scene = calm().later(1).tick(SOL=99).later(14)
    bigger = renamed(the_pool(cash=5000), "unified")
    switched(scene, bigger, SOL=99)
    scene.tick(SOL=99).second()
    assert scene.all_told[1:] == [
        "ACCOUNT MODE CHANGED: main (bybit)",
        "RESOLVED: main/USDT (bybit) is no more: the account's mode changed",
    ]
    assert "changed from «unified, cross» to «portfolio»." in scene.body
    assert "POSITIONS GONE" not in " ".join(scene.all_told)


def test_a_pool_gone_long_after_it_is_gone_for_another_reason() -> None:
    other = renamed(the_pool(long("ETH", 10, 100, tiers=flat("0.4"))), "isolated/ETH")
    scene = Scene().read(the_pool(), other, SOL=120, ETH=99).tick(SOL=120, ETH=99)
    switched(scene.later(1), the_pool(), other, SOL=120, ETH=99).tick(SOL=120, ETH=99)
    for _ in range(3):
        switched(scene.later(4), the_pool(), SOL=120).tick(SOL=120)
    assert scene.all_told[-1].startswith("POSITIONS GONE: main (bybit)")


def test_a_pool_that_came_back_and_goes_later_is_not_gone_by_the_mode() -> None:
    scene = switched(calm().later(15), UNIFIED, SOL=120)
    for _ in range(30):
        switched(scene.later(15), UNIFIED, the_pool(), SOL=120).tick(SOL=120)
    scene.later(1).tick(SOL=99)
    for _ in range(4):
        switched(scene.later(4), UNIFIED, SOL=99).tick(SOL=99)
    assert scene.all_told[-1] == "POSITIONS GONE: main (bybit); peak 80.8 %"


def test_a_rung_of_a_ratio_in_the_new_mode_is_an_alarm_and_one_of_distance_is_not() -> None:
    near = renamed(the_pool(long("SOL", 10, 100), cash=54), "unified")
    far = the_pool(long("SOL", 10, 100), cash=540)
    scene = Scene().read(far, SOL=100).tick(SOL=100)
    switched(scene.later(15), near, SOL=100).tick(SOL=100).second()
    assert scene.all_told == ["ACCOUNT MODE CHANGED: main (bybit)"]
    assert "4.9 % from liquidation, rung near" in scene.body
    heavy = calm()
    switched(heavy.later(15), renamed(the_pool(cash=300), "unified"), SOL=120)
    # 480 ÷ 500
    assert heavy.told == [
        "ACCOUNT MODE CHANGED: main (bybit)",
        "CRITICAL 90 %: main (bybit) at 96.0 %, 2.8 % from liquidation",
    ]


# -- leverage tiers ---------------------------------------------------------------------------


def test_higher_tiers_are_told_with_ratio_and_price_before_and_after() -> None:
    scene = calm().later(15).read(the_pool(HALF), SOL=120)
    # 600 ÷ 700, which is a rung by itself
    assert scene.told[0] == ("LEVERAGE TIERS CHANGED: main (bybit), ratio from 68.6 % to 85.7 %")
    assert scene.told[1] == "WARNING 80 %: main (bybit) at 85.7 %"
    first = changes(scene.latest)[0]
    assert first.notification is not None
    assert "liquidation price from 83.3333 to 100" in first.notification.body
    assert (first.notification.severity, first.incident.is_open) == (Severity.WARNING, False)
    assert scene.later(15).tick(SOL=120).read(the_pool(HALF), SOL=120).told == []


def test_lower_tiers_are_for_information() -> None:
    scene = Scene().read(the_pool(HALF), SOL=140).tick(SOL=140)
    scene.later(15).read(the_pool(), SOL=140)
    assert [c.incident.severity for c in changes(scene.latest)] == [Severity.INFO]
    assert [c.incident.subject for c in changes(scene.latest)] == [Subject.TIERS]


def test_tiers_of_another_mode_are_no_change_of_tiers() -> None:
    scene = switched(calm().later(15), the_pool(HALF), SOL=120)
    assert [c.incident.subject for c in changes(scene.latest)] == [Subject.MODE, Subject.STANDING]


# -- their tables -----------------------------------------------------------------------------


def said(maintenance: int) -> dict[str, Reported]:
    return {
        "USDT": Reported(
            at=NOON, margin_balance=Decimal(700), maintenance_margin=Decimal(maintenance)
        )
    }


def test_tables_are_asked_for_at_once_where_theirs_no_longer_follow() -> None:
    scene = Scene().read(the_pool(), reported=said(480), SOL=120).tick(SOL=120)
    assert tables_wanted(scene) == []
    scene.later(15).read(the_pool(), reported=said(600), SOL=120)
    assert tables_wanted(scene) == ["main/USDT: the pool"]


def test_and_again_only_after_longer_and_longer_waits() -> None:
    scene = Scene().read(the_pool(), reported=said(480), SOL=120).tick(SOL=120)
    asked = []
    for minute in range(1, 200):
        scene.later(60).read(the_pool(), reported=said(600), SOL=120)
        asked += [minute] if tables_wanted(scene) else []
    assert asked == [1, 11, 31, 71, 131, 191]


def test_when_they_follow_again_the_next_time_is_at_once_after_ten_minutes() -> None:
    scene = Scene().read(the_pool(), reported=said(480), SOL=120).tick(SOL=120)
    for maintenance, minutes in ((600, 1), (600, 10), (480, 1), (600, 10)):
        scene.later(60 * minutes).read(the_pool(), reported=said(maintenance), SOL=120)
    assert tables_wanted(scene) == ["main/USDT: the pool"]


def test_a_live_update_asks_for_no_tables() -> None:
    scene = Scene().read(the_pool(), reported=said(480), SOL=120).tick(SOL=120)
    scene.later(1).read(the_pool(), source=Source.LIVE, reported=said(600), SOL=120)
    assert tables_wanted(scene) == []


def test_a_gap_that_new_tables_close_drives_the_rungs_but_is_not_told() -> None:
    scene = Scene().read(the_pool(), reported=said(480), SOL=120).tick(SOL=120)
    scene.later(5).read(the_pool(), reported=said(600), SOL=120)
    # 600 of 700: the worse of both, at once
    assert scene.told == ["WARNING 80 %: main (bybit) at 85.7 %"]
    scene.later(1).tick(SOL=120).read(the_pool(HALF), reported=said(600), SOL=120)
    assert scene.told == ["LEVERAGE TIERS CHANGED: main (bybit), ratio from 68.6 % to 85.7 %"]
    scene.later(5).tick(SOL=120).read(the_pool(HALF), reported=said(600), SOL=120)
    assert len(scene.all_told) == 2


def test_a_gap_that_new_tables_leave_is_told_with_them() -> None:
    scene = Scene().read(the_pool(), reported=said(480), SOL=120).tick(SOL=120)
    scene.later(5).read(the_pool(), reported=said(500), SOL=120)
    assert scene.told == []
    scene.later(1).read(the_pool(), reported=said(500), SOL=120)
    assert scene.told == ["FIGURES DISAGREE: main (bybit), worse of both at 71.4 %"]


# -- predictions ------------------------------------------------------------------------------


def report(balance: str) -> dict[str, Reported]:
    return {
        "USDT": Reported(at=NOON, margin_balance=Decimal(balance), maintenance_margin=Decimal(440))
    }


def test_a_prediction_that_is_far_off_is_told_until_one_comes_true() -> None:
    # the old pool foretells 600 at 110; the new one has other constants and agrees with theirs
    odd = the_pool(other_balance=Decimal(4), carried=("an order",))
    scene = calm().later(15).read(odd, reported=report("604"), SOL=110).tick(SOL=110)
    # 4 of 1,100
    assert scene.all_told == ["PREDICTION OFF: main (bybit) by 36.4 basis points"]
    assert scene.now.pools[0].prediction_error == Decimal(4) / 1100
    scene.later(15).read(odd, reported=report("604"), SOL=110)
    assert scene.told == ["RESOLVED: predictions of main (bybit) come true again"]
    assert scene.now.pools[0].largest_prediction_error == Decimal(4) / 1100


def test_where_the_figures_disagree_that_is_told_and_not_what_follows_from_it() -> None:
    scene = calm().later(15).read(the_pool(), reported=report("590"), SOL=110).tick(SOL=110)
    assert [c.incident.subject for c in changes(scene.effects)] == [Subject.DISAGREES]


# -- figures that disagree --------------------------------------------------------------------


def test_while_they_disagree_the_end_is_that_of_the_worse_pair() -> None:
    # theirs has 80 less at 120: 10 × mark − 580 = 4 × mark at 96.67
    less = {"USDT": Reported(at=NOON, margin_balance=Decimal(620), maintenance_margin=Decimal(480))}
    scene = Scene().read(the_pool(), reported=less, SOL=120).tick(SOL=120).second()
    outlook = scene.now.pools[0].outlook
    assert outlook is not None
    price = outlook.liquidation["SOL/USDT:USDT"].nearest
    assert price is not None
    assert abs(price - Decimal(290) / 3) < Decimal("1e-9")
    assert "By the worse of both, liquidation is 19.4 % away." in scene.body
    # by ours it would stand 17.5 % away at 101, by theirs 4.3 %
    scene.later(1).tick(SOL=101).second()
    assert "4.3 % from liquidation, reached within 5 %" in scene.body
    # advice is for theirs too: 0.4 × 1,010 ÷ 0.5 − 430
    advice = scene.now.pools[0].advice
    assert advice is not None
    assert advice.top_up is not None
    assert advice.top_up.amount == 378


def test_another_gap_moves_the_end_though_book_and_marks_stand() -> None:
    scene = Scene().read(the_pool(), reported=report("620"), SOL=120).tick(SOL=120).second()
    first = scene.now.pools[0].outlook
    scene.read(the_pool(), reported=report("560"), SOL=120).second()
    then = scene.now.pools[0].outlook
    assert first is not None
    assert then is not None
    # theirs holds 40 less than ours as well: 10 × mark − 580 (then 640) = 4 × mark − 40
    for outlook, price in ((first, Decimal(90)), (then, Decimal(100))):
        found = outlook.liquidation["SOL/USDT:USDT"].nearest
        assert found is not None
        assert abs(found - price) < Decimal("1e-9")


def test_where_theirs_leaves_more_ours_is_the_worse() -> None:
    more = {"USDT": Reported(at=NOON, margin_balance=Decimal(780), maintenance_margin=Decimal(480))}
    scene = Scene().read(the_pool(), reported=more, SOL=120).tick(SOL=120).second()
    outlook = scene.now.pools[0].outlook
    assert outlook is not None
    price = outlook.liquidation["SOL/USDT:USDT"].nearest
    assert price is not None
    assert abs(price - Decimal(250) / 3) < Decimal("1e-9")


# -- what came of it in a message ---------------------------------------------------------------


def test_a_message_tells_what_changed_since_the_last_one() -> None:
    scene = calm().later(1).tick(SOL=99)
    assert "in brackets the change since 12:00:00 UTC:" in scene.body
    assert "unrealized PnL −10.00 USDT (−210.00 USDT)" in scene.body
    paid = Booking(
        id="1",
        at=scene.at + timedelta(seconds=2),
        kind=BookingKind.FUNDING,
        asset="USDT",
        amount=Decimal(-10),
        symbol="SOLUSDT",
    )
    read_with(scene.later(14), the_pool(cash=490), 99, bookings=(paid,))
    scene.tick(SOL=91)
    assert scene.told == ["CRITICAL 90 %: main (bybit) at 91.0 %"]
    # −80 of PnL, 32 less to hold, 10 of funding
    assert (
        "What drives it, worst first; in brackets the change since 12:00:01 UTC:\n"
        "• SOL/USDT:USDT long 10 contracts: unrealized PnL −90.00 USDT (−80.00 USDT), maintenance "
        "margin 364.00 USDT (100 %, −32.00 USDT)\n"
        "• funding: −10.00 USDT\n"
        "Together −58.00 USDT of headroom.\n" in scene.body
    )


def test_a_message_tells_the_next_funding_and_what_lies_free() -> None:
    due = Funding(symbol="SOL/USDT:USDT", rate=Decimal("0.001"), at=NOON + timedelta(hours=4))
    free = FreeBalance(asset="USDT", amount=Decimal(50), wallet="Funding Account")
    scene = read_with(Scene(), the_pool(), 120, funding={due.symbol: due}, free=(free,))
    scene.tick(SOL=120).later(1).tick(SOL=100)
    # 1 of 500; 10 × mark − 501 = 4 × mark
    assert (
        "Next funding at 16:00:00 UTC: −1.00 USDT; after it, at these marks, margin ratio 80.2 %, "
        "16.5 % from liquidation.\n" in scene.body
    )
    assert "to futures wallet (free: 50.00 USDT in Funding Account)\n" in scene.body
    assert scene.now.free == (free,)
    funding = scene.second().now.pools[0].funding
    assert funding is not None
    assert funding.margin_ratio == Decimal(400) / 499


def test_what_lies_in_the_pool_s_own_wallet_is_not_elsewhere() -> None:
    own = FreeBalance(asset="USDT", amount=Decimal(50), wallet="futures wallet")
    scene = read_with(Scene(), the_pool(), 100, free=(own,))
    assert "(free:" not in scene.body


def test_every_step_of_what_only_happens_is_its_only_one() -> None:
    scene = switched(calm().later(15), the_pool(), SOL=120).steady(300, SOL=120)
    of_mode = [c for c in changes(scene.effects) if c.incident.subject is Subject.MODE]
    assert [c.transition.step for c in of_mode] == [Step.OPENED, Step.OPENED]
    # `steady` reads the former mode again, which is a change as well
