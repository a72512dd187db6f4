"""Signals: what ends the daemon, what makes it start anew, and what must change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import ConfigError
from monitor.service.serving import Wishes
from tests.service.having import some_settings

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.settings import Settings


def refused() -> Settings:
    raise ConfigError("m.toml:3: accounts[0].exchange: expected an exchange")


def test_it_starts_with_what_it_was_given_and_ends_for_good(tmp_path: Path) -> None:
    first = some_settings(tmp_path)
    wishes = Wishes(first, refused)

    assert wishes.take() is first
    assert not wishes.stop.is_set()
    wishes.end()
    assert wishes.stop.is_set()
    assert wishes.take() is None


def test_reading_the_config_anew_starts_with_that(tmp_path: Path) -> None:
    second = some_settings(tmp_path / "other")
    wishes = Wishes(some_settings(tmp_path), lambda: second)
    wishes.take()
    wishes.reload()

    assert wishes.stop.is_set()
    assert wishes.take() is second
    assert not wishes.stop.is_set()


def test_a_config_with_mistakes_changes_nothing(tmp_path: Path) -> None:
    wishes = Wishes(some_settings(tmp_path), refused)
    wishes.take()
    wishes.reload()

    assert not wishes.stop.is_set()


def test_an_end_that_comes_while_it_starts_anew_ends_it(tmp_path: Path) -> None:
    wishes = Wishes(some_settings(tmp_path), lambda: some_settings(tmp_path))
    wishes.take()
    wishes.reload()
    wishes.end()

    assert wishes.take() is None
