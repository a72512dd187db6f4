"""How Bybit treats a position beside its figures."""

from __future__ import annotations

import pytest

from monitor.exchanges.bybit.standing import NORMAL, read_standing
from monitor.exchanges.payload import Row
from tests.exchanges.bybit.wire import NOW, position


def warned(**changes: object) -> list[tuple[str, str | None, bool]]:
    row = Row(position("BTCUSDT", "Buy", "1", "100", "90", **changes), "")
    told = read_standing(row).warnings("BTCUSDT", NOW)
    assert all(each.at == NOW for each in told)
    return [(each.words, each.exchange_symbol, each.is_critical) for each in told]


def test_a_normal_position_says_nothing() -> None:
    assert warned() == []
    assert read_standing(Row({}, "")) == NORMAL


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("Liq", "Bybit is liquidating BTCUSDT (positionStatus Liq)"),
        ("Adl", "Bybit is auto-deleveraging BTCUSDT (positionStatus Adl)"),
    ],
)
def test_what_is_under_way_is_critical(status: str, words: str) -> None:
    assert warned(positionStatus=status) == [(words, "BTCUSDT", True)]


def test_a_status_that_is_not_known_is_named_and_fit_to_be_shown() -> None:
    ((words, _, critical),) = warned(positionStatus="New\x1b[2J{thing}" + "x" * 99)
    assert words.startswith("Bybit gives BTCUSDT a status that is not known: New2Jthingxxx")
    assert len(words) < 100
    assert not critical
    ((words, _, _),) = warned(positionStatus=["?"])
    assert words.endswith(": ?")


@pytest.mark.parametrize("key", ["mmrSysUpdatedTime", "mmrSysUpdateTime"])
def test_a_lowered_risk_limit_tells_when_the_rate_rises(key: str) -> None:
    # 1,795,348,800 s is NOW: 2026-11-22 12:00
    ((words, symbol, critical),) = warned(isReduceOnly=True, **{key: "1795352400000"})
    assert words == (
        "Bybit has lowered the risk limit of BTCUSDT: it may only be reduced, and its maintenance "
        "rate is raised by force at 2026-11-22 13:00 UTC (isReduceOnly)"
    )
    assert (symbol, critical) == ("BTCUSDT", False)


@pytest.mark.parametrize("when", ["", "0", "soon", "1e99"])
def test_a_time_that_is_none_is_left_out(when: str) -> None:
    ((words, _, _),) = warned(isReduceOnly=True, mmrSysUpdatedTime=when)
    assert "by force (isReduceOnly)" in words


def test_a_time_without_the_mark_tells_only_of_the_past() -> None:
    assert warned(isReduceOnly=False, mmrSysUpdatedTime="1795352400000") == []


def test_both_may_hold_at_once() -> None:
    told = warned(isReduceOnly="true", positionStatus="Liq")
    assert [critical for _, _, critical in told] == [True, False]
