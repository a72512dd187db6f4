"""Typed reading: every access names its place, nothing is guessed."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.payload import (
    MAX_BODY_BYTES,
    MAX_ROWS,
    Row,
    as_decimal,
    parse_json,
    rows_of,
)

ROW = Row(
    {
        "size": "0.20",
        "count": 3,
        "price": Decimal("1.10"),
        "empty": "",
        "null": None,
        "yes": True,
        "no": "false",
        "at": "1790000000000",
        "side": "Buy",
        "nested": {"a": "1"},
        "list": [{"a": "1"}, {"a": "2"}],
    },
    "data[0]",
)


def test_numbers_keep_the_digits_that_were_sent() -> None:
    assert str(ROW.decimal("size")) == "0.20"
    assert str(parse_json('{"a": 1.10}')) == "{'a': Decimal('1.10')}"
    assert ROW.integer("count") == 3
    assert ROW.positive("price") == Decimal("1.1")


def test_an_empty_string_is_not_applicable_and_never_zero() -> None:
    assert ROW.optional_decimal("empty") is None
    assert ROW.optional_decimal("null") is None
    assert ROW.optional_decimal("absent") is None
    assert not ROW.has("empty")


def test_words_times_and_bools() -> None:
    assert ROW.boolean("yes") is True
    assert ROW.boolean("no") is False
    assert ROW.time("at") == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert ROW.one_of("side", {"Buy": 1, "Sell": -1}) == 1
    assert ROW.row("nested").decimal("a") == 1
    assert [row.path for row in ROW.rows("list")] == ["data[0].list[0]", "data[0].list[1]"]


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda: ROW.decimal("absent"), "data[0].absent: expected a value"),
        (lambda: ROW.decimal("empty"), "data[0].empty: expected a number, found ''"),
        (lambda: ROW.decimal("null"), "data[0].null: expected a number, found None"),
        (lambda: ROW.decimal("yes"), "data[0].yes: expected a number, found True"),
        (lambda: ROW.text("empty"), "data[0].empty: expected text"),
        (lambda: ROW.text("nested"), "data[0].nested: expected text"),
        (lambda: ROW.integer("size"), "data[0].size: expected a whole number"),
        (lambda: ROW.boolean("side"), "data[0].side: expected true or false"),
        (lambda: ROW.row("side"), "data[0].side: expected an object"),
        (lambda: ROW.rows("nested"), "data[0].nested: expected a list"),
        (lambda: ROW.one_of("side", {"Long": 1}), "data[0].side: expected one of Long"),
        (lambda: Row("x", "body"), "body: expected an object, found 'x'"),
        (lambda: rows_of([1], "body"), "body[0]: expected an object"),
        (lambda: rows_of([{}] * (MAX_ROWS + 1), "body"), "body: expected at most 5000 rows"),
        (lambda: Row({"p": "0"}, "").positive("p"), "p: expected a number above 0"),
        (lambda: Row({"t": 10**20}, "").time("t"), "t: expected a time in ms"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(read: Callable[[], object], words: str) -> None:
    with pytest.raises(Malformed) as caught:
        read()
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", "1_000", "abc", "", " ", "9" * 500, [], {}]
)
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        as_decimal(value, "x")


@pytest.mark.parametrize(
    "text", ["<html>", "", '{"a": 1', "NaN", '{"a": NaN}', '{"a": Infinity}', "[" * 100_000]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_json(text)
    assert str(caught.value).startswith("body: expected JSON")
    assert len(str(caught.value)) < 200


def test_a_huge_body_is_refused_before_it_is_read() -> None:
    with pytest.raises(Malformed) as caught:
        parse_json(b"0" * (MAX_BODY_BYTES + 1))
    assert "at most" in str(caught.value)


def test_an_exponent_is_read_as_the_number_that_it_is() -> None:
    assert as_decimal("1e-7", "x") == Decimal("0.0000001")
