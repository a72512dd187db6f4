"""Signals, and what must not stop the watching or get out when it ends."""

import asyncio
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from monitor.errors import ConfigError, MonitorError
from monitor.exchanges.gate import Host
from monitor.service import control, logs
from monitor.service.daemon import Daemon
from monitor.service.serving import Wishes, serve
from monitor.settings import Settings, load_settings
from monitor.storage.database import FILE_NAME
from tests.end_to_end.stage import (
    command,
    run,
    status_of,
    until,
)
from tests.service.scene import the_scene
from tests.service.test_dead_man import listening


async def test_where_every_channel_refuses_for_good_the_run_ends_with_the_reason(
    tmp_path: Path,
) -> None:
    app = web.Application()  # 404 to everything
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    more = f'[[channels]]\nname = "mail"\nurl = "json://127.0.0.1:{port}/b"\n'
    try:
        async with the_scene(tmp_path, more=more) as scene:
            text = scene.config.read_text().replace(
                scene.receiver.url, f"json://127.0.0.1:{port}/a"
            )
            scene.config.write_text(text)
            exchange = scene.simulation.access()[0].exchange
            scene.simulation.world.fault(exchange, "bad_key")
            ended = await run("run", "--config", str(scene.config))
    finally:
        await runner.cleanup()
    assert ended.code == 1
    assert "every channel refuses messages for good" in ended.err
    assert "phone: the receiver answered with HTTP 404" in ended.err
    assert "mail: the receiver answered with HTTP 404" in ended.err
    assert "Traceback" not in ended.err


async def test_a_hangup_reads_the_config_anew_all_of_it_or_nothing(tmp_path: Path) -> None:
    async with the_scene(tmp_path) as scene:
        log = tmp_path / "out"
        async with command("run", "--config", str(scene.config), log=log) as process:
            await status_of(scene.config, scene.account)
            right = scene.config.read_text()
            scene.config.write_text(right.replace("poll_seconds", "pol_seconds"))
            process.process.send_signal(1)
            await process.until_said("config.refused")
            await until(
                lambda: [m for m in scene.receiver.messages if "configuration" in m.title],
                "told of the refused config",
            )
            assert "pol_seconds" in scene.receiver.messages[-1].body
            scene.config.write_text(right.replace('"phone"', '"telephone"'))
            process.process.send_signal(1)
            await process.until_said("daemon.started", times=2)
            await status_of(scene.config, scene.account)
            assert await process.stop() == 0


async def test_a_reload_is_no_stop_to_whoever_waits_for_pings(tmp_path: Path) -> None:
    async with listening() as service, the_scene(tmp_path) as scene:
        log = tmp_path / "out"
        address = tmp_path / "address"
        address.touch(mode=0o600)
        address.write_text(service.url)
        with scene.config.open("a") as config:
            config.write(f'\n[heartbeat]\nurl = {{ file = "{address}" }}\n')
        async with command("run", "--config", str(scene.config), log=log) as process:
            await status_of(scene.config, scene.account)
            process.process.send_signal(1)
            await process.until_said("daemon.started", times=2)
            await status_of(scene.config, scene.account)
            assert service.asked.count("/s3cret-uuid/fail") == 0
            assert await process.stop() == 0
        assert service.asked.count("/s3cret-uuid/fail") == 1


async def test_a_reload_that_is_refused_fails_and_one_that_is_not_does_not_f81(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with the_scene(tmp_path) as scene:
        log = tmp_path / "out"
        async with command("run", "--config", str(scene.config), log=log) as process:
            await status_of(scene.config, scene.account)
            right = scene.config.read_text()
            scene.config.write_text(right.replace("poll_seconds", "pol_seconds"))
            refused = await run("reload", "--config", str(scene.config))
            assert refused.code == 2
            assert "pol_seconds" in refused.err
            # Where a unit runs it, the daemon is found without the config, and tells its owner.
            monkeypatch.setattr(control, "UNIT_DIRECTORY", tmp_path / "state")
            with pytest.raises(ConfigError, match="pol_seconds"):
                await control.ask_bytes(tmp_path / "nowhere", "POST", "/reload")
            await until(lambda: scene.receiver.of("", "the new configuration was refused"), "told")
            scene.config.write_text(right.replace('"phone"', '"telephone"'))
            taken = await run("reload", "--config", str(scene.config))
            assert (taken.code, taken.err) == (0, "")
            await process.until_said("daemon.started", times=2)
            assert await process.stop() == 0


async def test_a_stop_that_was_asked_for_is_told_and_a_start_after_it_is_none_too_many_f75_f77(
    tmp_path: Path,
) -> None:
    grave = '[[channels]]\nname = "siren"\nurl = "json://127.0.0.1:9/"\nmin_severity = "critical"'
    async with the_scene(tmp_path, more=grave) as scene:
        log = tmp_path / "out"
        for _ in range(3):
            async with command("run", "--config", str(scene.config), log=log) as process:
                await process.until_said("daemon.started", times=1)
                await status_of(scene.config, scene.account)
                assert await process.stop() == 0
        assert [m.title for m in scene.receiver.messages] == [
            "STOPPED: margin-monitor was told to stop"
        ] * 3
        with sqlite3.connect(tmp_path / "state" / FILE_NAME) as connection:
            assert connection.execute("SELECT DISTINCT channel FROM outbox").fetchall() == [
                ("phone",)
            ]


async def test_the_third_start_in_ten_minutes_that_follows_no_stop_is_told_once_f77(
    tmp_path: Path,
) -> None:
    async with the_scene(tmp_path) as scene:
        log, told = tmp_path / "out", "the monitor is restarting repeatedly"
        for started in range(1, 6):
            async with command("run", "--config", str(scene.config), log=log) as process:
                await process.until_said("daemon.started", times=started)
                await status_of(scene.config, scene.account)
                if started >= 3:
                    await until(lambda: scene.receiver.of("", told), "told of the restarts")
                await process.kill()
        assert len(scene.receiver.of("", told)) == 1
        assert len(scene.receiver.messages) == 1


def settings(tmp_path: Path, **changes: object) -> Settings:
    config = tmp_path / "m.toml"
    config.touch(mode=0o600)
    config.write_text(
        '[[accounts]]\nname = "main"\nexchange = "okx"\napi_key = "canary-key-1"\n'
        'api_secret = "canary-secret-2"\npassphrase = "canary-phrase-3"\n'
        '[[channels]]\nname = "phone"\nurl = "json://user:canary-pw-4@127.0.0.1:9/canary-path-5"\n'
        f'[state]\ndirectory = "{tmp_path / "state"}"\n[http]\nlisten = "127.0.0.1:0"\n'
    )
    return replace(load_settings(config), **changes)  # type: ignore[arg-type]  # fields by name


async def test_a_fault_of_ours_ends_it_without_showing_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = settings(tmp_path)

    async def broken(_: Daemon, __: asyncio.Event) -> None:
        raise RuntimeError(f"odd: {' '.join(given.secrets())}")

    monkeypatch.setattr(Daemon, "run", broken)
    with pytest.raises(MonitorError) as caught:
        await serve(given, lambda: given)
    said = capsys.readouterr().err + repr(caught.value)
    assert "daemon.died" in said
    assert "RuntimeError" in said
    assert not re.search("canary", said)


def test_what_is_known_is_not_given_up_for_a_new_config(tmp_path: Path) -> None:
    given = settings(tmp_path)
    elsewhere = replace(given, state_directory=tmp_path / "elsewhere")
    wishes = Wishes(given, lambda: elsewhere)
    assert isinstance(wishes.take(), Daemon)
    wishes.reload()
    assert not wishes.stop.is_set()
    with pytest.raises(ConfigError, match=r"state\.directory"):
        wishes._refuse_what_would_lose(elsewhere)


async def test_an_end_that_was_asked_for_is_not_undone_by_a_hangup(tmp_path: Path) -> None:
    given = settings(tmp_path)
    wishes = Wishes(given, lambda: given)
    assert wishes.take() is not None
    wishes.end()
    wishes.reload()
    assert wishes.take() is None


async def test_a_reload_forgets_nothing_of_what_a_host_was_used_for_f81(tmp_path: Path) -> None:
    given = settings(tmp_path)
    nowhere = (replace(given.accounts[0], exchange="binance", rest_url="http://127.0.0.1:9"),)
    given = replace(given, accounts=nowhere)
    less = replace(given, budgets=replace(given.budgets, limits_share=0.05))
    wishes = Wishes(given, lambda: less)

    def used(daemon: Daemon) -> list[int]:
        polls = getattr(daemon, "_polls", None)
        return [] if polls is None else [use.own for _, use in polls.in_use(daemon.now())]

    async def lived(daemon: Daemon) -> Host:
        task = asyncio.create_task(daemon.run(wishes.stop))
        await until(lambda: any(used(daemon)), "asked")
        wishes.reload()
        await task
        return next(iter(daemon._hosts.all().values()))

    first = wishes.take()
    assert first is not None
    before = await lived(first)
    before.openings.opened()
    second = wishes.take()
    assert second is not None
    assert second._clock is first._clock
    after = await lived(second)
    assert after is before
    assert (after.share, len(after.openings._tries)) == (0.05, 1)


async def test_no_secret_gets_into_the_log_the_state_or_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exchange repeats everything that it was sent, and the log is as loud as it gets."""

    async def echo(request: web.Request) -> web.Response:
        said = f"{request.url} {dict(request.headers)}"
        return web.json_response({"code": "50999", "msg": said, "data": []}, status=401)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", echo)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    given = settings(tmp_path)
    accounts = tuple(replace(a, rest_url=address, ws_url=address) for a in given.accounts)
    given = replace(given, accounts=accounts)
    louder = logs.set_up
    monkeypatch.setattr(logs, "set_up", lambda secrets: louder(secrets, level=10))
    task = asyncio.create_task(serve(given, lambda: given))
    try:
        store = tmp_path / "state" / FILE_NAME
        await until(lambda: store.exists() and _messages(store), "the account is told blind")
        answer = await control.ask_bytes(given.state_directory, "GET", "/status")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await runner.cleanup()
    said = capsys.readouterr().err + answer.decode()
    assert "daemon.started" in said
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir() if path.is_file())
    assert "canary" not in said
    assert b"canary" not in kept
    modes = {p.name: oct(p.stat().st_mode & 0o777) for p in (tmp_path / "state").iterdir()}
    assert {mode for name, mode in modes.items() if name != "control.sock"} <= {"0o600"}, modes


def _messages(store: Path) -> list[tuple[str]]:
    with sqlite3.connect(store) as connection:
        try:
            return connection.execute("SELECT body FROM outbox").fetchall()
        except sqlite3.OperationalError:
            return []


async def test_a_stop_in_the_midst_of_a_send_is_in_time_and_loses_nothing(tmp_path: Path) -> None:
    async with the_scene(tmp_path) as scene:
        scene.receiver.hangs = True
        exchange = scene.simulation.access()[0].exchange
        scene.simulation.world.fault(exchange, "bad_key")
        log = tmp_path / "out"
        async with command("run", "--config", str(scene.config), log=log) as process:
            await until(lambda: scene.receiver.messages, "a message is being sent", seconds=30)
            # systemd kills after 20 s; nothing that is sent may hold it up for longer.
            assert await process.stop() == 0
        first = scene.receiver.messages[0]
        scene.receiver.hangs = False
        scene.receiver.messages.clear()
        async with command("run", "--config", str(scene.config), log=log) as process:
            await until(lambda: scene.receiver.messages, "it is sent again", seconds=30)
            assert scene.receiver.messages[0].incident == first.incident != ""
            assert await process.stop() == 0
