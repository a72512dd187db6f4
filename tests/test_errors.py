"""The exception family: who belongs where, and that an error says where it happened."""

from __future__ import annotations

import pytest

from monitor import errors
from monitor.errors import ConfigError, ExchangeError, Malformed, MonitorError, Unreachable


def test_everything_raised_here_is_of_the_family() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    family = [kind for kind in classes if issubclass(kind, BaseException)]

    assert len(family) > 10
    assert all(issubclass(kind, MonitorError) for kind in family)
    # Every one of them stands in the drawing.
    assert [kind.__name__ for kind in family if kind.__name__ not in (errors.__doc__ or "")] == []


def test_every_mistake_of_a_config_is_kept_and_shown() -> None:
    error = ConfigError("m.toml:1: a: is missing", "m.toml:2: b: is missing")

    assert error.mistakes == ("m.toml:1: a: is missing", "m.toml:2: b: is missing")
    assert str(error) == "m.toml:1: a: is missing\nm.toml:2: b: is missing"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({}, "no answer"),
        ({"exchange": "okx"}, "okx: no answer"),
        ({"exchange": "okx", "account": "main", "call": "GET /x"}, "okx main GET /x: no answer"),
    ],
)
def test_an_error_shows_the_place_as_far_as_it_is_known(place: dict[str, str], text: str) -> None:
    assert str(Unreachable("no answer", **place)) == text  # type: ignore[arg-type] # words only


def test_a_border_fills_in_what_the_raiser_could_not_know_and_changes_nothing_else() -> None:
    error = ExchangeError("no answer", call="GET /x").placed(exchange="okx", call="GET /y")

    assert (error.exchange, error.account, error.call) == ("okx", "", "GET /x")


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ("", "data[0].mmr: expected a number"),
        ("'x'", "data[0].mmr: expected a number, found 'x'"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_path(found: str, text: str) -> None:
    assert str(Malformed("data[0].mmr", "a number", found)) == text


def test_the_whole_of_what_cannot_be_read_needs_no_path() -> None:
    assert str(Malformed("", "an object", "[]")) == "expected an object, found []"
