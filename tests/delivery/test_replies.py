"""What receivers answer: waits wherever they stand, and a refusal behind a status of 200."""

from __future__ import annotations

import json

import pytest
import requests

from monitor.delivery.replies import Refusal, concluded, heard
from monitor.errors import DeliveryError
from tests.alerting import a_notification
from tests.delivery.test_apprise_channel import receiving, to, to_telegram

NOON = "Sun, 22 Nov 2026 12:00:00 GMT"
LATER = "Sun, 22 Nov 2026 12:02:00 GMT"


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"Retry-After": "30"}, "", 30),
        ({"Retry-After": LATER, "Date": NOON}, "", 120),
        ({}, '{"retry_after": 2.5}', 2.5),  # Discord
        ({}, '{"ok": false, "parameters": {"retry_after": 35}}', 35),  # Telegram
        ({"Retry-After": "3"}, '{"retry_after": 5}', 5),
        ({}, "Too Many Requests: retry after 9", 9),
        ({"Retry-After": "0"}, "", 1),  # not again and again without a pause
        ({"Retry-After": "999999999"}, "", 3600),
        ({"Retry-After": "-5"}, "", None),
        ({"Retry-After": "nan"}, "", None),
        ({"Retry-After": "soon"}, '{"retry_after": true}', None),
        ({"Retry-After": LATER, "Date": "soon"}, "[" * 5000, None),
        ({}, "", None),
    ],
)
async def test_the_receivers_wait_is_found_f63_f64(
    headers: dict[str, str], body: str, wait: float | None
) -> None:
    async with receiving(status=429, headers=headers, body=body) as receiver:
        channel = to(receiver)
        with pytest.raises(DeliveryError) as caught:
            await channel.send(a_notification())
    assert caught.value.retry_after_seconds == wait
    assert not caught.value.permanent


async def test_a_wait_in_other_answers_is_no_wait() -> None:
    async with receiving(status=500, body='{"retry_after": 900}') as receiver:
        with pytest.raises(DeliveryError) as caught:
            await to(receiver).send(a_notification())
    assert caught.value.retry_after_seconds is None


@pytest.mark.parametrize(
    ("status", "kind", "body", "permanent"),
    [
        (403, "text/html; charset=UTF-8", "<html>Attention required!</html>", False),
        (403, "text/html", '{"ok": false, "description": "Forbidden"}', True),
        (403, "application/json", "", True),
        (404, "text/html", "<html>Not Found</html>", True),
    ],
)
async def test_a_page_of_a_firewall_is_not_the_receivers_word_f48(
    status: int, kind: str, body: str, permanent: bool
) -> None:
    async with receiving(status=status, headers={"Content-Type": kind}, body=body) as receiver:
        with pytest.raises(DeliveryError) as caught:
            await to(receiver).send(a_notification())
    assert caught.value.permanent is permanent


@pytest.mark.parametrize(
    ("body", "words", "permanent", "wait"),
    [
        (
            {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked"},
            "the receiver answered with HTTP 403",
            True,
            None,
        ),
        (
            {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"},
            "the receiver is not there any more",
            True,
            None,
        ),
        (
            {"ok": False, "error_code": 429, "parameters": {"retry_after": 8}},
            "the receiver answered with HTTP 429",
            False,
            8,
        ),
        ({"ok": False}, "the receiver answered that it did not take it", False, None),
        (
            {"ok": False, "error_code": "x"},
            "the receiver answered that it did not take it",
            False,
            None,
        ),
    ],
)
async def test_a_refusal_behind_status_200_is_none_the_less_one_f68(
    body: dict[str, object], words: str, permanent: bool, wait: float | None
) -> None:
    async with receiving(body=json.dumps(body)) as receiver:
        with pytest.raises(DeliveryError) as caught:
            await to_telegram(receiver).send(a_notification())
    assert str(caught.value) == words
    assert caught.value.permanent is permanent
    assert caught.value.retry_after_seconds == wait


@pytest.mark.parametrize("body", ['{"ok": true}', '{"ok": 0}', "[false]", "", "taken", "\x00"])
async def test_every_other_answer_with_status_200_is_a_receipt_f68(body: str) -> None:
    async with receiving(body=body) as receiver:
        await to_telegram(receiver).send(a_notification())
    assert len(receiver.bodies) == 1


def test_what_was_refused_on_the_way_to_success_was_taken() -> None:
    assert concluded([Refusal(status=429, words="")], "", is_taken=True) is None


def test_without_an_answer_the_log_says_what_it_can() -> None:
    found = concluded([], "Failed to send: error=503.", is_taken=False)
    assert found == Refusal(status=503, words="Failed to send: error=503.")
    assert concluded([], "no route", is_taken=False) == Refusal(status=None, words="no route")


async def test_outside_of_a_send_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = requests.Response()
    answer.status_code, answer._content = 500, b""
    monkeypatch.setattr("monitor.delivery.replies._plain_send", lambda *_, **__: answer)
    with requests.Session() as session:
        asked = session.prepare_request(requests.Request("GET", "http://127.0.0.1/"))
        session.send(asked)
        with heard() as refusals:
            session.send(asked, stream=True)
            assert refusals == []
            session.send(asked)
        assert [each.status for each in refusals] == [500]
