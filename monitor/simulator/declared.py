"""
An account's `extra` table: what only one exchange knows, read with errors that name the key.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from monitor.simulator.scenario import ScenarioError


class Declared:
    """
    A table of declarations of which each key must be asked for.

    Raises:
        ScenarioError: From every method, where a value is not of the asked kind.

    """

    def __init__(self, raw: Mapping[str, object], where: str) -> None:
        self._raw = raw
        self._where = where
        self._asked: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, f"a text, got {value!r}")
        return value

    def whole(self, key: str, default: int) -> int:
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, f"a whole number, got {value!r}")
        return value

    def flag(self, key: str) -> bool:
        value = self._get(key, default=False)
        if not isinstance(value, bool):
            raise self._wrong(key, f"true or false, got {value!r}")
        return value

    def decimal(self, key: str, default: str | None = None) -> Decimal:
        return self._number(key, self._get(key, default))

    def optional_decimal(self, key: str) -> Decimal | None:
        return self.decimal(key) if key in self._raw else None

    def decimals(self, key: str) -> dict[str, Decimal]:
        value = self._get(key, {})
        if not isinstance(value, dict):
            raise self._wrong(key, f"a table of numbers, got {value!r}")
        return {str(name): self._number(f"{key}.{name}", item) for name, item in value.items()}

    def texts(self, key: str) -> frozenset[str]:
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(key, f"a list of texts, got {value!r}")
        return frozenset(value)

    def rows(self, key: str) -> "list[Declared]":
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(key, f"a list of tables, got {value!r}")
        return [Declared(item, f"{self._where}.{key}[{n}]") for n, item in enumerate(value)]

    def finish(self) -> None:
        """See that nothing is left that nobody asked for."""
        for key in self._raw.keys() - self._asked:
            raise ScenarioError(f"{self._where}.{key}: unknown key")

    def _get(self, key: str, default: object) -> object:
        self._asked.add(key)
        value = self._raw.get(key, default)
        if value is None:
            raise ScenarioError(f"{self._where}.{key}: missing")
        return value

    def _number(self, key: str, value: object) -> Decimal:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise self._wrong(key, f"a number, got {value!r}") from None
        if not number.is_finite():
            raise self._wrong(key, f"a finite number, got {value!r}")
        return number

    def _wrong(self, key: str, expected: str) -> ScenarioError:
        return ScenarioError(f"{self._where}.{key}: expected {expected}")
