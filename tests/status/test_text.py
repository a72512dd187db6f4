"""Values as a person reads them."""

from __future__ import annotations

import pytest

from monitor.status.text import money, number, percent, plain_text, rows


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1234.5", "1,234.50 USDT"),
        ("-0.5", "-0.50000000 USDT"),
        ("1", "1.00 USDT"),
        ("0", "0.00 USDT"),
        (None, "unknown"),
    ],
)
def test_money_is_rounded_and_has_its_unit(value: str | None, shown: str) -> None:
    assert money(value, "USDT") == shown


@pytest.mark.parametrize(
    ("value", "with_sign", "without"),
    [
        ("0.1234", "+12.34 %", "12.34 %"),
        ("-0.05", "-5.00 %", "-5.00 %"),
        ("Infinity", "over 100 %", "over 100 %"),
        (None, "none", "none"),
    ],
)
def test_a_fraction_is_shown_in_per_cent(value: str | None, with_sign: str, without: str) -> None:
    assert (percent(value), percent(value, sign=False)) == (with_sign, without)


def test_what_is_no_list_has_no_rows() -> None:
    assert rows({"a": [{}], "b": "text"}, "a") == [{}]
    assert rows({"a": [{}], "b": "text"}, "b") == []


def test_text_moves_no_cursor_and_unknown_numbers_stay_unknown() -> None:
    assert plain_text("[b]\x1bx").plain == "[b] x"
    assert number(None) is None
