"""Where secrets are taken from, and which sources are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.settings.secret import SecretSources, protects_nothing

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-77aa"


def sources(*, text_allowed: bool = True, **environ: str) -> SecretSources:
    return SecretSources(environ=environ, text_allowed=text_allowed)


def a_file(path: Path, text: str, mode: int) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_each_source_gives_the_secret_without_the_last_line_break(tmp_path: Path) -> None:
    path = a_file(tmp_path / "key", f"{CANARY}\n", 0o600)

    assert sources().read(CANARY) == CANARY
    assert sources(NAME=CANARY).read({"env": "NAME"}) == CANARY
    assert sources().read({"file": str(path)}) == CANARY
    assert sources(CREDENTIALS_DIRECTORY=str(tmp_path)).read({"credential": "key"}) == CANARY


def test_a_credential_may_look_group_readable_because_systemd_makes_it_so(tmp_path: Path) -> None:
    a_file(tmp_path / "key", CANARY, 0o440)

    assert sources(CREDENTIALS_DIRECTORY=str(tmp_path)).read({"credential": "key"}) == CANARY


def test_a_directory_of_credentials_is_read_by_systemds_names(tmp_path: Path) -> None:
    # systemd.exec(5): LoadCredential=ID:DIRECTORY names each file of it ID_filename.
    a_file(tmp_path / "credentials_key", CANARY, 0o400)

    assert sources(CREDENTIALS_DIRECTORY=str(tmp_path)).read({"credential": "key"}) == CANARY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = a_file(tmp_path / "key", CANARY, mode)

    with pytest.raises(ValueError, match="can be read by others") as caught:
        sources().read({"file": str(path)})
    assert CANARY not in str(caught.value)


def test_text_is_refused_in_a_file_that_others_can_read() -> None:
    with pytest.raises(ValueError, match="only if nobody else can read this file") as caught:
        sources(text_allowed=False).read(CANARY)
    assert CANARY not in str(caught.value)


def test_the_simulators_keys_may_stand_anywhere() -> None:
    assert sources(text_allowed=False).read("sim-zara-key") == "sim-zara-key"


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("json://127.0.0.1:9/alerts", True),
        ("json://localhost/", True),
        ("json://user:pw@127.0.0.1/", False),
        ("json://127.0.0.1/?key=x", False),
        ("json://example.org/", False),
        ("gotify://localhost/token", False),
        ("json://[broken", False),
        ("realkey", False),
    ],
)
def test_only_what_opens_nothing_counts_as_no_secret(text: str, harmless: bool) -> None:
    assert protects_nothing(text) is harmless


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"env": "ABSENT"}, "ABSENT is not set"),
        ({"env": "EMPTY"}, "the secret is empty"),
        ({"env": "BROKEN"}, "unprintable"),
        ({"file": "/nonexistent/key"}, "No such file"),
        ({"file": "relative"}, "absolute path"),
        ({"credential": "key"}, "CREDENTIALS_DIRECTORY is not set"),
        ({"file": "/a", "env": "B"}, "expected one source"),
        ({}, "expected one source"),
        ({"fil": "/a"}, "the nearest valid name is 'file'"),
        (5, "expected a secret"),
        ("", "the secret is empty"),
    ],
)
def test_a_source_that_gives_nothing_is_told(given: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        sources(EMPTY=" ", BROKEN="a\nb").read(given)


@pytest.mark.parametrize("name", ["../key", "..", ""])
def test_a_credential_cannot_lead_out_of_its_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a credential"):
        sources(CREDENTIALS_DIRECTORY=str(tmp_path)).read({"credential": name})
