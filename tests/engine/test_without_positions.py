"""
Pools that hold no position and are liquidated all the same: of options alone, or of debts.

Their requirement stands in no position: 500 USDT, of which an amount is required.
"""

from __future__ import annotations

from decimal import Decimal

from monitor.alerts.ladder import Severity
from monitor.errors import Refused
from monitor.risk.model import Basis, MarginPool
from tests.engine.scene import LONG, Scene, changes, the_pool


def requiring(amount: int) -> MarginPool:
    return the_pool(
        LONG,
        positions=(),
        other_maintenance=Decimal(amount),
        basis=Basis.PARTLY,
        carried=("2 options",),
    )


def watched(*amounts: int) -> Scene:
    """Readings of such a pool, 5 s between them."""
    scene = Scene()
    for amount in amounts:
        scene.later(5).read(requiring(amount))
    return scene


def test_a_rung_is_told_with_figures_and_what_to_add() -> None:
    scene = watched(100, 410)
    assert scene.told == ["WARNING 80 %: main (bybit) at 82.0 %"]
    assert "Margin balance 500.00 USDT, maintenance margin 410.00 USDT" in scene.body
    # 410 ÷ 0.5 − 500
    assert "each alone:\n• add 320.00 USDT to futures wallet\n\n" in scene.body
    assert "What changed since 12:00:05 UTC:\n• all else" in scene.body
    assert "Together −310.00 USDT of headroom." in scene.body
    assert "in part taken over from it (2 options)" in scene.body


def test_its_end_is_no_end_of_positions() -> None:
    scene = watched(410, 100)
    assert scene.all_told[-1] == "RESOLVED: main (bybit) at 20.0 %"
    assert scene.later(5).read(requiring(0)).told == []


def test_its_end_by_being_paid_back_is_none_either() -> None:
    assert watched(410, 0).all_told[-1] == "RESOLVED: main (bybit) at 0.0 %"


def test_to_and_fro_is_no_storm() -> None:
    # a pool without anything in it would say so at once each time
    words = [title.split(":")[0] for title in watched(*[410, 100] * 6).all_told]
    assert words == ["WARNING 80 %", "RESOLVED", "WARNING 80 %"]


def test_positions_that_go_and_leave_a_debt_are_told_to_be_gone() -> None:
    scene = Scene().read(the_pool(), SOL=99).tick(SOL=99)
    for _ in range(3):
        scene.later(4).read(requiring(100), SOL=99).tick(SOL=99)
    assert scene.all_told[-1] == "POSITIONS GONE: main (bybit); peak 80.8 %"


def test_positions_opened_on_its_rung_that_go_are_told_to_be_gone_as_well() -> None:
    scene = watched(410).later(5).read(the_pool(), SOL=99).tick(SOL=99)
    for _ in range(3):
        scene.later(4).read(requiring(100), SOL=99).tick(SOL=99)
    assert scene.all_told[-1] == "POSITIONS GONE: main (bybit); peak 82.0 %"


def test_to_be_blind_of_it_is_critical_and_names_what_it_holds() -> None:
    scene = watched(100).fail(Refused("no"))
    assert [change.incident.severity for change in changes(scene.latest)] == [Severity.CRITICAL]
    assert "• main/USDT: margin ratio 20.0 %, no position, 2 options; 0.0 s old" in scene.body
