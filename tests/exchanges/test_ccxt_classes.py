"""ccxt's classes by themselves are ccxt's own, and whoever imports all of it later is well."""

import subprocess
import sys


def told_by(script: str) -> list[str]:
    """What a fresh interpreter prints: in this one all of ccxt may be imported already."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()


def test_no_other_exchange_is_imported() -> None:
    (loaded,) = told_by(
        "import sys, monitor.exchanges.ccxt_classes;"
        "print(','.join(sorted(m for m in sys.modules if m.startswith('ccxt.async_support.')"
        " and '.base' not in m)))"
    )
    assert loaded.split(",") == [
        f"ccxt.async_support.{name}" for name in ("binance", "binanceusdm", "bybit", "okx")
    ]


def test_they_are_the_classes_and_errors_that_a_later_import_of_ccxt_shows() -> None:
    assert (
        told_by(
            "from monitor.exchanges.ccxt_classes import CLASSES, BaseError, RequestTimeout\n"
            "import ccxt, ccxt.async_support as late, ccxt.pro\n"
            "print(*(CLASSES[name] is getattr(late, name) for name in CLASSES),"
            " BaseError is ccxt.BaseError, RequestTimeout is late.RequestTimeout,"
            " issubclass(ccxt.pro.okx, CLASSES['okx']), hasattr(ccxt, 'kraken'))"
        )
        == ["True"] * 7
    )


def test_where_all_of_ccxt_was_imported_before_its_classes_are_taken() -> None:
    assert (
        told_by(
            "import ccxt.async_support as early\n"
            "from monitor.exchanges.ccxt_classes import CLASSES\n"
            "print(*(CLASSES[name] is getattr(early, name) for name in CLASSES))"
        )
        == ["True"] * 3
    )


def test_a_ccxt_that_hangs_together_differently_is_imported_as_a_whole() -> None:
    assert told_by(
        "import importlib.util as util\n"
        "known = util.module_from_spec\n"
        "def refuse(spec): raise ImportError('not like this')\n"
        "util.module_from_spec = refuse\n"
        "from monitor.exchanges import ccxt_classes\n"
        "import ccxt\n"
        "print(ccxt_classes.CLASSES['bybit'].__name__, hasattr(ccxt, 'kraken'))"
    ) == ["bybit", "True"]
