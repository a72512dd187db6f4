"""Which kind of trouble kept an answer away, in words."""

from __future__ import annotations

import socket
import ssl

import pytest

from monitor.exchanges import trouble


def expired() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] …")
    error.verify_message = "certificate has expired"
    return error


def other_version() -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] …")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


class WrappedError(OSError):
    """As aiohttp gives what it met."""

    def __init__(self, inner: Exception) -> None:
        super().__init__("canary-address")
        self.os_error = inner


def caused(inner: Exception) -> Exception:
    outer = RuntimeError("https://host/?signature=canary-address")
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    "wrap", [lambda error: error, caused, WrappedError, lambda e: caused(WrappedError(e))]
)
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (expired(), "TLS: certificate has expired"),
        (other_version(), "TLS: WRONG VERSION NUMBER"),
        (socket.gaierror(-2, "Name or service not known"), trouble.NAMES_FAIL),
        (ConnectionResetError("gone"), None),
    ],
)
def test_tls_and_names_are_told_apart_from_the_rest(wrap, error, words) -> None:  # type: ignore[no-untyped-def]
    assert trouble.words(wrap(error)) == words


def test_a_chain_that_goes_in_a_circle_ends() -> None:
    one, other = RuntimeError(), RuntimeError()
    one.__cause__, other.__cause__ = other, one
    assert trouble.words(one) is None
