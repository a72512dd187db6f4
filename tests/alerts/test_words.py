"""Figures as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.alerts import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.91285", "91.3 %"),
        ("0.8", "80.0 %"),
        ("0", "0.0 %"),
        ("1", "100.0 %"),
        ("1.0420", "104.2 %"),
        ("0.99996", "99.996 %"),
        ("0.9999999", "99.9999 %"),
        ("0.9994", "99.9 %"),
        ("25", "2,500.0 %"),
        ("Infinity", "over 100 %"),
    ],
)
def test_a_ratio_never_rounds_up_to_the_end(value: str, text: str) -> None:
    assert words.ratio(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [("0.80", "80 %"), ("0.775", "77.5 %"), ("0.05", "5 %"), ("0.9", "90 %")]
)
def test_a_threshold_keeps_its_digits(value: str, text: str) -> None:
    assert words.threshold(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("-0.00053", "−0.053 %"),
        ("0.1667", "+16.7 %"),
        ("-0.05", "−5.0 %"),
        ("0", "0 %"),
        ("-1.5", "−150.0 %"),
    ],
)
def test_a_move_shows_its_sign_and_two_digits_when_small(value: str, text: str) -> None:
    assert words.move(Decimal(value)) == text


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        ("-6016", "USDT", "−6,016.00 USDT"),
        ("258.3049", "USD", "258.30 USD"),
        ("0.00345", "USDC", "0.0034 USDC"),
        ("0", "USDT", "0 USDT"),
        ("1.23456789", "BTC", "1.23457 BTC"),
        ("0.00012345678", "BTC", "0.000123457 BTC"),
        ("1234567.891", "DOGE", "1,234,568 DOGE"),
    ],
)
def test_money_is_rounded_to_what_its_unit_is_worth(amount: str, unit: str, text: str) -> None:
    assert words.money(Decimal(amount), unit) == text


def test_a_gain_shows_its_sign_where_asked() -> None:
    assert words.money(Decimal("12.5"), "USDT", signed=True) == "+12.50 USDT"
    assert words.money(Decimal(0), "USDT", signed=True) == "0 USDT"


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        ("2085.30000001", "USDT", "2,085.31 USDT"),
        ("2085.3", "USDT", "2,085.30 USDT"),
        ("0.01234567", "BTC", "0.01234567 BTC"),
    ],
)
def test_an_amount_to_add_is_never_too_little(amount: str, unit: str, text: str) -> None:
    assert words.money_to_add(Decimal(amount), unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("132.3312345", "132.331"), ("64321.5", "64,321.5"), ("0.000012345678", "0.0000123457")],
)
def test_a_price_has_six_digits(value: str, text: str) -> None:
    assert words.price(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [("0.3756", "38 %"), ("1", "100 %"), ("0", "0 %"), ("0.003", "under 1 %")]
)
def test_a_share_is_whole_percent(value: str, text: str) -> None:
    assert words.share(Decimal(value)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.44, "0.4 s"),
        (-1, "0.0 s"),
        (21.9, "21 s"),
        (190, "3 min 10 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90061, "1 d 1 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("two\nlines\x1b[2J", "two lines '2J"),
        ("@everyone see https://evil.example/x", "(at)everyone see (address)"),
        ("<b>*bold*</b> `x` [a](b)", "'b>'bold''/b> 'x' 'a'(b)".replace(">", "'")),
        ("BTCUSD_PERP has no tiers", "BTCUSD_PERP has no tiers"),
    ],
)
def test_words_from_outside_are_made_harmless(text: str, harmless: str) -> None:
    assert words.outside(text) == harmless


def test_words_from_outside_are_cut() -> None:
    assert words.outside("x" * 500) == "x" * 299 + "…"


@pytest.mark.parametrize("size", ["1e-300", "1e27", "1e40", "1e300"])
def test_absurd_numbers_make_absurd_sentences_and_no_fault(size: str) -> None:
    number = Decimal(size)
    told = [
        words.ratio(number),
        words.distance(number),
        words.move(-number),
        words.share(number),
        words.money(number, "USDT"),
        words.money(number, "BTC", signed=True),
        words.money_to_add(number, "USDT"),
        words.price(number),
    ]
    assert all(any(letter.isdigit() for letter in text) for text in told)
