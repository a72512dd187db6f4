"""
ccxt's classes for our exchanges, without its two hundred others.

`import ccxt` runs every exchange it knows, twice: half a second and 50 MiB for what nobody
asked for. Here the packages' own files are left out and only the modules that are wanted run;
what these expect of the package, its base class and errors, is lent to it in the meantime. A
plain `import ccxt` later finds everything as if this had not been.
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec, module_from_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PACKAGES = ("ccxt", "ccxt.async_support")
_LENT = ("ccxt.base.errors", "ccxt.base.exchange")


def _alone(names: Iterable[str]) -> Mapping[str, type[Any]]:
    """The classes of these names; whoever has imported all of ccxt before gets those."""
    lent = [package for package in _PACKAGES if package not in sys.modules]
    try:
        for package in lent:
            spec = find_spec(package)
            if spec is None:
                raise ModuleNotFoundError(f"{package} is not installed")
            sys.modules[package] = module_from_spec(spec)
        for module in _LENT:
            members = vars(importlib.import_module(module))
            if "ccxt" in lent:
                vars(sys.modules["ccxt"]).update(
                    {name: member for name, member in members.items() if name[0] != "_"}
                )
        return _classes(names)
    finally:
        for package in lent:
            sys.modules.pop(package, None)


def _classes(names: Iterable[str]) -> Mapping[str, type[Any]]:
    modules = {name: importlib.import_module(f"ccxt.async_support.{name}") for name in names}
    return MappingProxyType({name: getattr(module, name) for name, module in modules.items()})


def _loaded(names: tuple[str, ...]) -> Mapping[str, type[Any]]:
    try:
        return _alone(names)
    except (ImportError, AttributeError):
        # A ccxt that hangs together differently is imported as it wants to be.
        return _classes(names)


CLASSES = _loaded(("binanceusdm", "bybit", "okx"))
"""ccxt's class for each of the names by which our exchanges ask for theirs."""

_errors = sys.modules["ccxt.base.errors"]
BaseError: type[Exception] = _errors.BaseError
RequestTimeout: type[Exception] = _errors.RequestTimeout
