"""What the outside may look at, and what is wrong with it."""

from __future__ import annotations

import pytest

from monitor.engine.effects import State
from monitor.errors import RiskError, WrongUsage
from monitor.status.board import Board
from tests.alerting import at
from tests.assessing import an_account


def test_the_newest_assessment_of_each_account_stands() -> None:
    board = Board(["main", "other"])
    newest = an_account(at=at(2))
    other = an_account(account="other")
    for assessment in (an_account(at=at(1)), other, newest):
        board.put(assessment)

    assert board.assessments() == [newest, other]


def test_an_account_that_was_never_read_is_a_trouble() -> None:
    assert Board(["main"]).troubles(at(0)) == [("main", "main was never read")]


def test_an_account_whose_evaluation_stopped_is_a_trouble_however_fresh_it_was() -> None:
    board = Board(["main"])
    board.put(an_account(at=at(0)))

    assert board.troubles(at(10)) == []
    assert board.troubles(at(11)) == [("main", "main was last evaluated 11 s ago")]


def test_an_account_that_is_not_fresh_is_a_trouble_with_its_reason() -> None:
    board = Board(["main"])
    board.put(an_account(state=State.BLIND, because="key refused"))

    assert board.troubles(at(1)) == [("main", "main is blind: key refused")]


def test_how_an_account_stands_is_one_sentence() -> None:
    board = Board(["main", "other"])
    board.put(an_account())
    board.put(an_account(account="other", state=State.STALE, pools=()))

    # 235.79 of 258.30 are held: 91.3 %
    assert board.standing("main") == "main is fresh, unified 91.3 %"
    assert board.standing("other") == "other is stale, nothing at risk"
    assert board.standing("third") is None


def test_one_account_is_found_by_its_name_or_said_not_to_be_there() -> None:
    board = Board(["main", "other"])
    board.put(an_account())

    assert board.assessment("main") == an_account()
    with pytest.raises(RiskError, match="other was never read"):
        board.assessment("other")
    with pytest.raises(WrongUsage, match="'third': accounts here are main, other"):
        board.assessment("third")
