"""`check` against a simulated exchange: all well, and each thing that may be wrong by itself."""

from pathlib import Path

import pytest

from tests.cli.background import KINDS, aside, exchange, watched
from tests.end_to_end.kinds import NAME

LINES = [
    "config",
    "secrets",
    f"{NAME}: reachable",
    f"{NAME}: clock",
    f"{NAME}: key rights",
    f"{NAME}: account mode",
    f"{NAME}: positions",
    f"{NAME}: leverage tiers",
    f"{NAME}: mark stream",
    f"{NAME}: private stream",
    "request limits",
    "channel phone",
]


def lines(out: str) -> dict[str, tuple[str, str]]:
    """Verdict and what was found, by what was looked at."""
    found = {}
    for line in out.splitlines():
        verdict, rest = line[:4].strip(), line[6:]
        what, _, told = rest.partition("  ")
        found[what.strip()] = (verdict, told.strip())
    return found


def failed(out: str) -> list[str]:
    return [what for what, (verdict, _) in lines(out).items() if verdict == "FAIL"]


@pytest.mark.parametrize("kind", KINDS)
def test_where_all_is_well_every_line_is_ok(kind: str, tmp_path: Path, typed) -> None:
    with aside(exchange(kind, tmp_path)) as (_, receiver, config):
        ended = typed("check", "--config", config, "--send-test")
    assert (ended.code, ended.err) == (0, "")
    found = lines(ended.out)
    assert list(found) == LINES
    assert {verdict for verdict, _ in found.values()} == {"ok"}
    assert "BTC" in found[f"{NAME}: positions"][1]
    assert found[f"{NAME}: key rights"][1].startswith("read-only")
    (message,) = receiver.messages
    assert message.title.startswith("TEST")


def test_without_send_test_no_message_is_sent(tmp_path: Path, typed) -> None:
    with aside(exchange(KINDS[1], tmp_path)) as (_, receiver, config):
        assert typed("check", "--config", config).code == 0
    assert receiver.messages == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_key_fails_and_says_what_to_look_at(kind: str, tmp_path: Path, typed) -> None:
    with aside(exchange(kind, tmp_path)) as (_, _, config):
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("sim-main-key", "not-the-key-1234"), encoding="utf-8")
        ended = typed("check", "--config", config)
    assert ended.code == 1
    assert failed(ended.out)
    assert "not-the-key-1234" not in ended.out + ended.err
    assert "must be mended" in ended.err


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_without_permission_fails(kind: str, tmp_path: Path, typed) -> None:
    with aside(exchange(kind, tmp_path)) as (simulation, _, config):
        simulation.world.fault(simulation.world.exchanges[0].name, "no_permission")
        ended = typed("check", "--config", config)
    assert ended.code == 1
    assert failed(ended.out)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_may_trade_fails_unless_it_is_allowed(kind: str, tmp_path: Path, typed) -> None:
    with aside(exchange(kind, tmp_path)) as (simulation, _, config):
        for account in simulation.world.exchanges[0].accounts:
            object.__setattr__(account.spec, "permissions", ("read", "trade"))
        ended = typed("check", "--config", config)
        assert ended.code == 1
        assert failed(ended.out) == [f"{NAME}: key rights"]
        assert "more than read" in lines(ended.out)[f"{NAME}: key rights"][1]
        text = config.read_text(encoding="utf-8")
        allowed = text.replace("poll_seconds = 1", "poll_seconds = 1\nallow_trading_key = true")
        config.write_text(allowed, encoding="utf-8")
        assert typed("check", "--config", config).code == 0


def test_an_exchange_that_is_away_fails(tmp_path: Path, typed) -> None:
    with aside(exchange(KINDS[0], tmp_path)) as (_, _, config):
        pass
    ended = typed("check", "--config", config)
    assert ended.code == 1
    assert [what for what in failed(ended.out) if what.startswith(NAME)]
    # The rest is gone through all the same.
    assert "channel phone" in lines(ended.out)


def test_marks_that_do_not_come_fail(tmp_path: Path, typed, monkeypatch) -> None:
    monkeypatch.setattr("monitor.service.checks.MARKS_SECONDS", 0.5)
    with aside(exchange(KINDS[1], tmp_path)) as (simulation, _, config):
        simulation.world.fault("bybit", "stall")
        ended = typed("check", "--config", config)
    assert ended.code == 1
    assert failed(ended.out) == [f"{NAME}: mark stream"]
    assert "BTCUSDT" in lines(ended.out)[f"{NAME}: mark stream"][1]


def test_a_clock_that_is_far_off_fails_though_it_is_corrected(tmp_path: Path, typed) -> None:
    with aside(exchange(KINDS[2], tmp_path)) as (simulation, _, config):
        simulation.world.fault("okx", "clock", value="30")
        ended = typed("check", "--config", config)
    assert failed(ended.out) == [f"{NAME}: clock"]
    assert lines(ended.out)[f"{NAME}: clock"][1].startswith(("+30.", "+29.9"))


def test_a_channel_that_does_not_take_the_test_fails(tmp_path: Path, typed) -> None:
    with aside(exchange(KINDS[1], tmp_path)) as (_, receiver, config):
        receiver.refuses = True
        ended = typed("check", "--config", config, "--send-test")
    assert ended.code == 1
    assert failed(ended.out) == ["channel phone"]


def test_where_secrets_cannot_be_read_the_daemon_is_asked(tmp_path: Path, typed) -> None:
    with aside(watched(KINDS[1], tmp_path)) as config:
        elsewhere = tmp_path / "elsewhere.toml"
        elsewhere.write_text(
            "\n".join(
                line.partition("=")[0] + '= { file = "/nowhere/secret" }'
                if line.startswith(("api_key", "api_secret"))
                else line
                for line in config.read_text(encoding="utf-8").splitlines()
            ),
            encoding="utf-8",
        )
        ended = typed("check", "--config", elsewhere)
        assert ended.code == 0, ended.err
        assert list(lines(ended.out)) == LINES
    alone = typed("check", "--config", elsewhere)
    assert (alone.code, alone.out) == (2, "")
    assert "/nowhere/secret" in alone.err
