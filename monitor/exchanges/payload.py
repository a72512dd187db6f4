"""
Typed reading of what an exchange sent.

Every access names its path («data[0].mmr»), so that an error says where the datum is missing
and what was expected. Nothing is guessed: an absent figure is an error, or None where the
caller asked for an optional one; an empty string means «not applicable», never zero.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from monitor.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_DIGITS = 400
MAX_EXPONENT = 400
MAX_ROWS = 5_000
MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
_SHOWN_CHARACTERS = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")

_decoder = msgspec.json.Decoder(float_hook=Decimal)


def parse_json(text: str | bytes, path: str = "body") -> object:
    """
    The value that a JSON text stands for; numbers with a point are Decimal, digit for digit.

    Raises:
        Malformed: If the text is not JSON, larger than 16 MiB, or nested deeper than 64.
    """
    if len(text) > MAX_BODY_BYTES:
        raise Malformed(path, f"at most {MAX_BODY_BYTES} bytes", f"{len(text)}")
    try:
        value: object = _decoder.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError, InvalidOperation) as error:
        shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
        raise Malformed(path, "JSON", _shown(shown)) from error
    if _is_deeper(value, MAX_DEPTH):
        raise Malformed(path, f"at most {MAX_DEPTH} lists or objects in each other", "more")
    return value


def _is_deeper(value: object, levels: int) -> bool:
    """Whether lists and objects stand in each other in more levels than these."""
    if not isinstance(value, (dict, list)):
        return False
    if not levels:
        return True
    # Most of what a reply holds are plain values: they are looked at in this loop alone.
    inner = value.values() if isinstance(value, dict) else value
    return any(_is_deeper(each, levels - 1) for each in inner if isinstance(each, (dict, list)))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def as_decimal(value: object, path: str) -> Decimal:
    """
    The finite number that a JSON string or number stands for.

    Raises:
        Malformed: If it is anything else: a bool, "", NaN, Infinity, or absurdly long.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise Malformed(path, "a number", _shown(value))
    text = str(value).strip()
    if not text or len(text) > MAX_DIGITS or "_" in text:
        raise Malformed(path, "a number", _shown(value))
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise Malformed(path, "a number", _shown(value)) from error
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        raise Malformed(path, "a finite number", _shown(value))
    return number


class Row:
    """One JSON object and the path that leads to it."""

    __slots__ = ("_data", "path")

    def __init__(self, data: object, path: str) -> None:
        if not isinstance(data, dict):
            raise Malformed(path, "an object", _shown(data))
        self._data: dict[str, Any] = data
        self.path = path

    def data(self) -> dict[str, object]:
        """The object itself."""
        return dict(self._data)

    def at(self, key: str) -> str:
        """The path of a key of this row."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the key is there and says something: not null, not an empty string."""
        return self._data.get(key) not in (None, "")

    def keys(self) -> tuple[str, ...]:
        return tuple(self._data)

    def raw(self, key: str) -> object:
        """The value as it is. Raises Malformed if the key is absent."""
        if key not in self._data:
            raise Malformed(self.at(key), "a value", "nothing")
        return self._data[key]

    def text(self, key: str) -> str:
        """A string that is not empty; a bare number is taken as its digits."""
        value = self.raw(key)
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value:
            raise Malformed(self.at(key), "text", _shown(value))
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else None

    def decimal(self, key: str) -> Decimal:
        return as_decimal(self.raw(key), self.at(key))

    def optional_decimal(self, key: str) -> Decimal | None:
        """The number, or None where the key is absent, null or an empty string."""
        return self.decimal(key) if self.has(key) else None

    def positive(self, key: str) -> Decimal:
        """A number above 0: a price, a size, a contract's worth."""
        number = self.decimal(key)
        if number <= 0:
            raise Malformed(self.at(key), "a number above 0", str(number))
        return number

    def integer(self, key: str) -> int:
        number = self.decimal(key)
        if number != number.to_integral_value():
            raise Malformed(self.at(key), "a whole number", str(number))
        return int(number)

    def boolean(self, key: str) -> bool:
        """A JSON bool, or the words true/false as text."""
        value = self.raw(key)
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        raise Malformed(self.at(key), "true or false", _shown(value))

    def time(self, key: str) -> datetime:
        """Milliseconds since 1970, as an aware UTC datetime."""
        milliseconds = self.integer(key)
        try:
            return _EPOCH + timedelta(milliseconds=milliseconds)
        except OverflowError as error:
            raise Malformed(self.at(key), "a time in ms", str(milliseconds)) from error

    def optional_time(self, key: str) -> datetime | None:
        return self.time(key) if self.has(key) else None

    def one_of(self, key: str, meanings: Mapping[str, T]) -> T:
        """What the text at `key` means. Raises Malformed for a word that has no meaning yet."""
        word = self.text(key)
        if word not in meanings:
            raise Malformed(self.at(key), "one of " + ", ".join(meanings), _shown(word))
        return meanings[word]

    def row(self, key: str) -> Row:
        return Row(self.raw(key), self.at(key))

    def rows(self, key: str) -> tuple[Row, ...]:
        return rows_of(self.raw(key), self.at(key))


def rows_of(value: object, path: str) -> tuple[Row, ...]:
    """
    The objects of a JSON list.

    Raises:
        Malformed: If it is no list, holds anything but objects, or more than 5,000 of them.
    """
    if not isinstance(value, list):
        raise Malformed(path, "a list", _shown(value))
    if len(value) > MAX_ROWS:
        raise Malformed(path, f"at most {MAX_ROWS} rows", str(len(value)))
    return tuple(Row(item, f"{path}[{index}]") for index, item in enumerate(value))


def read_each(rows: tuple[Row, ...], read: Callable[[Row], T]) -> tuple[T, ...]:
    """What `read` makes of every row, in their order."""
    return tuple(read(row) for row in rows)
