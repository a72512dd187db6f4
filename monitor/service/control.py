"""
I/O. The way into the running daemon: HTTP over a UNIX socket that only its user may open.

It carries what needs the daemon's knowledge or its secrets. The socket stands in
$RUNTIME_DIRECTORY, which systemd sets, else in the state directory, with mode 0660. A command
typed by a person has no $RUNTIME_DIRECTORY: it looks where the unit puts it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import structlog
from aiohttp import web

from monitor.errors import ConfigError, MonitorError, RiskError, WrongUsage
from monitor.exchanges.payload import parse_json
from monitor.status.report import to_json
from monitor.status.supposed import SHOCKS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

SOCKET_NAME = "control.sock"
# RuntimeDirectory= of systemd/margin-monitor.service.
UNIT_DIRECTORY = Path("/run/margin-monitor")
ASK_SECONDS = 180.0
# So often is looked whether the socket is still there; a person may wait for as long.
LOOK_SECONDS = 5.0
WHAT = "control socket"

log = structlog.get_logger()


class NotRunning(MonitorError):  # noqa: N818 - says what is the matter
    """No daemon answers at the control socket."""


def socket_path(state_directory: Path) -> Path:
    """Where the daemon listens."""
    runtime = os.environ.get("RUNTIME_DIRECTORY")
    return (Path(runtime) if runtime else state_directory) / SOCKET_NAME


def socket_of_daemon(state_directory: Path) -> Path:
    """Where a command finds the daemon: where it would listen itself, else at the unit's place."""
    path = socket_path(state_directory)
    of_unit = UNIT_DIRECTORY / SOCKET_NAME
    return of_unit if not _is_there(path) and _is_there(of_unit) else path


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True  # in a folder that is closed to us: asking there says so


class ControlServer:
    """
    Answers local commands: `GET /status` (`?shocks=1` with them), `POST /capture/{account}`,
    `POST /whatif/{account}` (the changes as a query), `POST /check` and `POST /reload`.
    """

    def __init__(  # noqa: PLR0913 - what it answers with
        self,
        path: Path,
        *,
        status: Callable[[bool], object],
        capture: Callable[[str], Awaitable[bytes]],
        whatif: Callable[[str, Mapping[str, list[str]]], object],
        check: Callable[[bool], Awaitable[object]],
        reload: Callable[[], None],
    ) -> None:
        self._path = path
        self._status = status
        self._capture = capture
        self._whatif = whatif
        self._check = check
        self._reload = reload
        self._listening: asyncio.Server | None = None
        self._inode: int | None = None
        self._trouble = ""
        app = web.Application()
        app.router.add_get("/status", self._get_status)
        app.router.add_post("/capture/{account}", self._post_capture)
        app.router.add_post("/whatif/{account}", self._post_whatif)
        app.router.add_post("/check", self._post_check)
        app.router.add_post("/reload", self._post_reload)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def start(self) -> None:
        """Listen. A socket that a killed daemon left behind is replaced."""
        await self._runner.setup()
        await self._listen()

    async def keep(self) -> None:
        """
        For ever: listen anew where the socket is gone, with its directory or without.

        One that another process has put there meanwhile is left to it, as the state is.
        """
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            before = self._trouble
            try:
                if _inode_of(self._path) is not None:
                    continue
                await self._listen()
            except OSError as error:
                self._trouble = error.strerror or str(error)
                if self._trouble != before:
                    log.error("surface.unavailable", what=WHAT, because=self._trouble)  # noqa: TRY400 - the reason says it
            else:
                log.info("surface.restored", what=WHAT)

    async def _listen(self) -> None:
        try:
            await self._replace()
        except OSError as error:
            self._trouble = error.strerror or str(error)
            raise
        self._trouble = ""

    async def _replace(self) -> None:
        """Listen anew. Whoever is cancelled meanwhile leaves a socket that `stop` closes."""
        if self._runner.server is None:
            raise RuntimeError("it is set up before it listens")
        listener, before = _bound(self._path), self._listening
        try:
            # Nothing is waited for before it is known here: it begins to serve only then.
            self._listening = await asyncio.get_running_loop().create_unix_server(
                self._runner.server, sock=listener, start_serving=False
            )
            # Its number is nobody else's for as long as it is open.
            self._inode = _inode_of(self._path)
            if before is not None:
                before.close()
            await self._listening.start_serving()
        except OSError:
            listener.close()
            self._path.unlink(missing_ok=True)
            raise

    async def stop(self) -> None:
        with suppress(OSError):
            if self._inode is not None and _inode_of(self._path) == self._inode:
                self._path.unlink(missing_ok=True)
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()

    async def _get_status(self, request: web.Request) -> web.Response:
        try:
            found = self._status(SHOCKS in request.query)
        except MonitorError as error:
            return _refusal(error)
        return web.Response(text=to_json(found), content_type="application/json")

    async def _post_capture(self, request: web.Request) -> web.Response:
        try:
            text = await self._capture(request.match_info["account"])
        except MonitorError as error:
            return _refusal(error)
        return web.Response(body=text, content_type="application/json")

    async def _post_whatif(self, request: web.Request) -> web.Response:
        words = {key: request.query.getall(key) for key in request.query}
        try:
            found = self._whatif(request.match_info["account"], words)
        except MonitorError as error:
            return _refusal(error)
        return web.Response(text=to_json(found), content_type="application/json")

    async def _post_check(self, request: web.Request) -> web.Response:
        lines = await self._check("send_test" in request.query)
        return web.Response(text=to_json(lines), content_type="application/json")

    async def _post_reload(self, _: web.Request) -> web.Response:
        try:
            self._reload()
        except MonitorError as error:
            return _refusal(error)
        return web.Response()


def _bound(path: Path) -> socket.socket:
    """
    A socket that stands there, in place of whatever did, for its user and group alone.

    In one go: nothing else may make files or directories while the mask is that narrow.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _inode_of(path: Path) -> int | None:
    """What stands at this path; None where nothing does. Raises OSError if nobody can tell."""
    try:
        return path.lstat().st_ino
    except (FileNotFoundError, NotADirectoryError):
        return None


# What a command's caller learns from its exit code, kept on the way through the socket.
_STATUSES: dict[type[MonitorError], int] = {WrongUsage: 400, RiskError: 422, ConfigError: 412}


def _refusal(error: MonitorError) -> web.Response:
    kinds = (status for kind, status in _STATUSES.items() if isinstance(error, kind))
    return web.Response(status=next(kinds, 409), text=str(error))


async def ask_bytes(state_directory: Path, method: str, path: str) -> bytes:
    """
    The daemon's answer.

    Raises:
        NotRunning: If nothing listens there.
        WrongUsage: If what was asked for makes no sense there, in the daemon's words.
        RiskError: If the figures can't be computed, in its words.
        ConfigError: If the configuration can't be used, in its words.
        MonitorError: If it could not do it for another reason, in its words.
    """
    socket = socket_of_daemon(state_directory)
    connector = aiohttp.UnixConnector(path=str(socket))
    timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.request(method, f"http://daemon{path}") as response,
        ):
            body = await response.read()
    except (aiohttp.ClientConnectionError, FileNotFoundError, TimeoutError) as error:
        if isinstance(getattr(error, "os_error", None), PermissionError):
            raise MonitorError(f"{socket} may not be opened by this user: try sudo") from error
        raise NotRunning(
            f"no daemon answers at {socket}: is `margin-monitor run` running, with this config?"
        ) from error
    if response.status != web.HTTPOk.status_code:
        said = body.decode("utf-8", "replace") or f"HTTP {response.status}"
        kinds = (kind for kind, status in _STATUSES.items() if status == response.status)
        raise next(kinds, MonitorError)(said)
    return body


async def ask(state_directory: Path, method: str, path: str) -> object:
    """The daemon's answer as plain data. Raises as `ask_bytes` does."""
    return parse_json(await ask_bytes(state_directory, method, path))
