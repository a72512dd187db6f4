"""The terminal table: every pool, how near its end is, and how old that is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.engine.effects import AccountAssessment, State
from monitor.risk.model import Basis
from monitor.status.report import report
from monitor.status.table import print_table
from tests.alerting import NOON
from tests.assessing import NEEDED, RISK, a_pool, an_account


def printed(capsys: pytest.CaptureFixture[str], *assessments: AccountAssessment) -> str:
    print_table(report(assessments, NOON))
    return capsys.readouterr().out


def test_a_pool_in_trouble_shows_its_figures_and_what_would_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(capsys, an_account())

    row = next(line for line in text.splitlines() if line.startswith("main/unified"))
    for part in ("fresh", "91.3 %", "258.30 USD", "235.79 USD", "critical", "-0.05 %",
                 "SOLUSDT at 132.33", "0.4 s"):  # fmt: skip
        assert part in row
    assert (
        "main/unified: add 2,085.30 USDT to Unified Trading or "
        "close 287.6 contracts of SOLUSDT long" in text
    )


def test_elsewhere_than_on_a_terminal_it_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in printed(capsys, an_account())


@pytest.mark.parametrize(
    ("balance", "shown"),
    [
        ("258.30", "█" * 18 + "░" * 2 + " 91.3 %"),
        ("-1", "over 100 %"),
        ("1e9", "░" * 20 + " 0.0 %"),
    ],
)
def test_the_bar_follows_the_ratio(
    capsys: pytest.CaptureFixture[str], balance: str, shown: str
) -> None:
    held = replace(NEEDED, margin_balance=Decimal(balance))

    assert shown in printed(capsys, an_account(pools=(a_pool(requirement=held),)))


def test_a_blind_pool_shows_its_last_ratio_as_the_last_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pool = a_pool(state=State.BLIND, age_seconds=75.0)
    text = printed(capsys, an_account(state=State.BLIND, because="key refused", pools=(pool,)))

    assert "blind" in text
    assert "last known " in text
    assert "75.0 s" in text
    assert "main: blind: key refused" in text


def test_an_account_without_figures_has_a_row_that_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(capsys, an_account(state=State.BLIND, because="refused", pools=()))

    assert any(
        line.startswith("main ") and "blind" in line and "refused" in line
        for line in text.splitlines()
    )


def test_outside_text_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    # rich would drop [bold] and raise at [/v5/position].
    because = "[bold]no[/v5/position] \x1b[2J"
    text = printed(
        capsys, an_account(account="[red]a", state=State.BLIND, because=because, pools=())
    )

    assert "[red]a" in text
    assert "[bold]no[/v5/position]" in text
    assert "\x1b" not in text


def test_how_true_the_predictions_came_is_shown_in_basis_points(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pool = a_pool(
        prediction_error=Decimal("-0.000031"), largest_prediction_error=Decimal("0.00112")
    )
    assert " 0.3 bp (11.2) " in printed(capsys, an_account(pools=(pool,)))
    assert " bp" not in printed(capsys, an_account())


def test_what_is_not_our_own_arithmetic_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    risk = replace(
        RISK, pool=replace(RISK.pool, basis=Basis.PARTLY, carried=("2 options", "3 open orders"))
    )
    text = printed(capsys, an_account(pools=(a_pool(risk=risk),)))
    assert "main/unified: partly: taken over from the exchange: 2 options, 3 open orders" in text
    assert "taken over" not in printed(capsys, an_account())
