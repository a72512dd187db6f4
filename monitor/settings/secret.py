"""
Where a secret is taken from. A secret's text never stands in a message, only its place does.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMS = '{ credential = "name" }, { env = "NAME" }, { file = "/path" } or text'
_READABLE_BY_OTHERS = 0o077
_MOST_BYTES = 16 * 1024


def is_private(path: Path) -> bool:
    """Whether nobody but its owner may read or change the file (mode 0600 or less)."""
    return not path.stat().st_mode & _READABLE_BY_OTHERS


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSources:
    """
    The places that secrets are read from, for one configuration file.

    `text_allowed` is whether the configuration file itself is private enough to hold them.
    Where not `opened`, no source is looked into: what would be read there is empty.
    """

    environ: Mapping[str, str]
    text_allowed: bool
    opened: bool = True

    def read(self, given: object) -> str:
        """
        The secret that a value of the configuration file stands for.

        Raises:
            ValueError: If it names no source, or the source is missing, empty or too open.
        """
        if not self.opened:
            return ""
        if isinstance(given, str):
            return _checked(self._from_text(given))
        if not isinstance(given, dict):
            raise ValueError(f"expected a secret: {FORMS}")  # noqa: TRY004 - pydantic collects these
        match list(given.items()):
            case [("credential", str(name))]:
                return _checked(self._from_credential(name))
            case [("env", str(name))]:
                return _checked(self._from_environment(name))
            case [("file", str(name))]:
                return _checked(self._from_file(name))
            case _:
                raise ValueError(_wrong_source([str(key) for key in given]))

    def _from_text(self, text: str) -> str:
        if text and not (self.text_allowed or protects_nothing(text)):
            raise ValueError(
                "a secret may stand here as text only if nobody else can read this file: "
                "chmod 600 it, or take the secret from a credential, env or file"
            )
        return text

    def _from_credential(self, name: str) -> str:
        # systemd opens these to the service alone (by an ACL that shows as group-readable),
        # so their mode is not looked at.
        directory = self.environ.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise ValueError(
                f"credential '{name}' can't be read: systemd gave no credentials "
                "($CREDENTIALS_DIRECTORY is not set); add LoadCredential= to the unit"
            )
        if "/" in name or name in {"", ".", ".."}:
            raise ValueError(f"'{name}' is not the name of a credential")
        # LoadCredential=credentials:/a/directory gives each file of it this longer name
        # (systemd.exec(5)).
        places = (Path(directory) / name, Path(directory) / f"credentials_{name}")
        place = next((place for place in places if place.exists()), places[0])
        return _text_of(place, f"credential '{name}'")

    def _from_environment(self, name: str) -> str:
        try:
            return self.environ[name]
        except KeyError:
            raise ValueError(f"the environment variable {name} is not set") from None

    def _from_file(self, name: str) -> str:
        path = at_home(name)
        if not path.is_absolute():
            raise ValueError(f"the secret's file must be an absolute path, not '{name}'")
        return _text_of(path, f"file {path}", private=True)


def at_home(name: str) -> Path:
    """
    The path, with ~ for a home directory.

    Raises:
        ValueError: If that is of nobody on this machine.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise ValueError(f"{name.split('/', maxsplit=1)[0]} is the home of nobody here") from None


def protects_nothing(text: str) -> bool:
    """
    Whether a text is no secret though it stands where one does: a key of the simulator, or a
    plain receiver's URL on this very machine without a password or query in it.
    """
    if re.fullmatch(r"sim-[\w.-]+", text):
        return True
    try:
        url = urlsplit(text)
        plain = url.scheme in {"json", "xml", "form"} and not (url.query or "@" in url.netloc)
    except ValueError:
        return False
    return plain and url.hostname in {"127.0.0.1", "localhost", "::1"}


def _text_of(path: Path, words: str, *, private: bool = False) -> str:
    try:
        if private and not is_private(path):
            raise ValueError(f"{words} can be read by others: chmod 600 it")
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{words} is too large to be a secret")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{words} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{words} is not text") from None


def _checked(secret: str) -> str:
    secret = secret.strip()
    if not secret:
        raise ValueError("the secret is empty")
    if not secret.isprintable():
        raise ValueError("the secret holds a line break or another unprintable character")
    return secret


def _wrong_source(keys: list[str]) -> str:
    valid = ("credential", "env", "file")
    strange = [key for key in keys if key not in valid]
    if strange:
        return f"'{strange[0]}' is no source of a secret; {nearest(strange[0], valid)}"
    return f"expected one source of the secret: {FORMS}"


def nearest(word: str, valid: tuple[str, ...] | list[str]) -> str:
    """A clause that names the valid word most like this one."""
    similar: Callable[[str], float] = lambda other: _likeness(word, other)  # noqa: E731
    return f"the nearest valid name is '{max(valid, key=similar)}'"


def _likeness(word: str, other: str) -> float:
    return difflib.SequenceMatcher(None, word.lower(), other.lower()).ratio()
