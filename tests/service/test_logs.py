"""No secret leaves in a log line, whoever writes it."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from monitor.service import logs

CANARY = "canary-9f8e7d6c5b4a"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def read(capfd: pytest.CaptureFixture[str]) -> tuple[str, list[dict[str, object]]]:
    text = capfd.readouterr().err
    return text, [json.loads(line) for line in text.splitlines()]


def test_an_event_is_one_json_line_with_its_fields(capfd: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    structlog.get_logger().warning("feed.lost", exchange="okx", because="no pong")
    _, (line,) = read(capfd)
    assert line["event"] == "feed.lost"
    assert line["exchange"] == "okx"
    assert line["level"] == "warning"
    assert "timestamp" in line


@pytest.mark.parametrize(
    "text",
    [
        CANARY,
        f"GET https://example.org/positionRisk?timestamp=1&signature={CANARY}x",
        "X-MBX-APIKEY: k3y-of-some-length",
        "{'OK-ACCESS-SIGN': 'k3y-of-some-length'}",
        "wss://example.org/ws?listenKey=k3y-of-some-length",
        "https://api.telegram.org/bot123456:k3y-of-some-length/sendMessage",
        "https://discord.com/api/webhooks/123/k3y-of-some-length",
        "https://discord.com/api/v10/webhooks/123/k3y-of-some-length",
        "POST /bot123456%3Ak3y-of-some-length/sendMessage",
        "Authorization: Bearer k3y-of-some-length",
        f"wss://example.org/ws/{'k3yofsomelength' * 4}",
        "json://user:k3y-of-some-length@127.0.0.1/",
    ],
)
@pytest.mark.parametrize("way", ["structlog", "stdlib", "exception", "nested"])
def test_secrets_are_taken_out(text: str, way: str, capfd: pytest.CaptureFixture[str]) -> None:
    logs.set_up([CANARY])
    log = structlog.get_logger()
    if way == "structlog":
        log.error("call.failed", because=text)
    elif way == "stdlib":
        logging.getLogger("some.library").error("failed: %s", text)
    elif way == "nested":
        log.error("call.failed", detail={"list": [text]})
    else:
        try:
            raise RuntimeError(text)
        except RuntimeError:
            log.exception("part.died")
    written, found = read(capfd)
    assert found
    assert CANARY not in written
    assert "k3y-of-some-length" not in written
    assert logs.HIDDEN in written


def test_tracebacks_show_no_local_variables(capfd: pytest.CaptureFixture[str]) -> None:
    logs.set_up()

    def fail() -> None:
        local_value = "local" + chr(45) + "value"
        raise RuntimeError(str(len(local_value)))

    try:
        fail()
    except RuntimeError:
        structlog.get_logger().exception("part.died")
    written, _ = read(capfd)
    assert "RuntimeError" in written
    assert "local-value" not in written


def test_outside_text_cannot_make_a_second_line(capfd: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    structlog.get_logger().error("call.failed", symbol='X"\n{"event": "all is well"}\x1b[2J')
    written, found = read(capfd)
    assert len(found) == 1
    assert "\x1b" not in written


def test_libraries_that_show_addresses_stay_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    logs.set_up(level=logging.DEBUG)
    for name in logs.QUIET:
        logging.getLogger(name).debug("https://example.org/token")
        logging.getLogger(name).info("https://example.org/token")
    assert read(capfd)[0] == ""


def test_a_part_of_a_secret_address_is_taken_out_in_whatever_form(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logs.set_up(
        ["jsons://user:s%2Fcanary-1234@alerts.example.org/canary-path-1/x?key=canary-key-12"]
    )
    log = structlog.get_logger()
    shown = "s/canary-1234 s%2Fcanary-1234 canary-path-1 canary-key-12 at alerts.example.org/x"
    log.error("call.failed", because=shown)
    text, (line,) = read(capfd)
    assert "canary" not in text
    assert line["because"] == "*** *** *** *** at alerts.example.org/x"
