"""TLS is never off: a certificate that does not hold is named, and nothing is sent."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitor.errors import Unreachable
from monitor.exchanges import connection
from monitor.exchanges.client import client_class
from monitor.exchanges.connection import Connection, Lost
from monitor.exchanges.port import MarkStream
from monitor.exchanges.rest import RestClient
from tests.exchanges.serving import Hands
from tests.fakes.exchange import FAKE, TIME

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def certificate(folder: Path) -> ssl.SSLContext:
    """A certificate of our own making, which nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A TLS server, and what was sent to it after the handshake."""
    heard: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1000))
        writer.close()

    listening = await asyncio.start_server(take, "127.0.0.1", 0, ssl=certificate(folder))
    try:
        yield listening.sockets[0].getsockname()[1], heard
    finally:
        listening.close()
        await listening.wait_closed()


async def test_a_certificate_that_does_not_hold_is_named_and_nothing_is_sent(
    tmp_path: Path,
) -> None:
    async with server(tmp_path) as (port, heard):
        client = RestClient(
            FAKE, None, account="main", now=Hands(), rest_url=f"https://localhost:{port}"
        )
        try:
            with pytest.raises(Unreachable, match="TLS: self-signed certificate"):
                await client.call(TIME)
        finally:
            await client.close()
    assert heard == []


class Listener:
    exchange = FAKE
    patience_seconds = 5.0
    wanted: frozenset[str] = frozenset()

    def __init__(self, url: str) -> None:
        self.ws_url = url

    def take(self, _: object) -> dict[str, float]:
        return {}


async def test_a_socket_says_so_as_well(tmp_path: Path) -> None:
    stream = MarkStream(host="", path="/x", subscribe=(), acks=0, symbols=frozenset())
    async with server(tmp_path) as (port, heard):
        with pytest.raises(Lost, match="TLS: self-signed certificate"):
            await Connection(Listener(f"wss://localhost:{port}"), stream).run()  # type: ignore[arg-type] - as much of one as is used
    assert heard == []


async def test_both_kinds_of_address_are_raced(monkeypatch: pytest.MonkeyPatch) -> None:
    # RFC 8305: where one kind hangs, the other is tried a moment later.
    asked: list[dict[str, object]] = []

    class Asked(Exception):  # noqa: N818 - ends the test's connection
        pass

    def connect(*_: object, **how: object) -> None:
        asked.append(how)
        raise Asked

    monkeypatch.setattr(connection, "connect", connect)
    stream = MarkStream(host="ws://x", path="/x", subscribe=(), acks=0, symbols=frozenset())
    with pytest.raises(Asked):
        await Connection(Listener("ws://x"), stream).run()  # type: ignore[arg-type] - as above
    assert asked[0]["happy_eyeballs_delay"] == 0.25
    # And ccxt's connector for REST, as it is made.
    assert "happy_eyeballs_delay" in inspect.getsource(client_class(FAKE).__mro__[1].open)
