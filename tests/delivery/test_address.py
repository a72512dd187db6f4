"""Which apprise URLs may be a channel."""

from __future__ import annotations

import pytest
from apprise import Apprise

from monitor.delivery.address import (
    LOCAL_SCHEMES,
    host_of,
    is_link_local,
    leads_to_link_local,
    refusal,
    service_at,
)

CANARY = "canarysecret"


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1:8099/alerts",
        "jsons://10.0.0.5/x",
        "gotify://192.168.1.9/AbCdEfGhIjKlMnO",
        "ntfy://localhost:8080/topic",
        "tgram://123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi/12345",
        "https://discord.com/api/webhooks/123456789/abcdefgh",
        "mailto://user:pw@example.org",
    ],
)
def test_services_on_a_network_are_allowed_private_ones_too(url: str) -> None:
    assert refusal(url) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"json://169.254.169.254/{CANARY}", "link-local"),
        (f"json://[fe80::1]/{CANARY}", "link-local"),
        (f"json://[::ffff:169.254.169.254]/{CANARY}", "link-local"),
        (f"json://2852039166/{CANARY}", "link-local"),
        (f"json://0xA9FEA9FE/{CANARY}", "link-local"),
        (f"json://metadata.google.internal/{CANARY}", "link-local"),
        (f"mailto://user:{CANARY}@example.org?smtp=169.254.169.254", "link-local"),
        (f"file:///etc/{CANARY}", "names a file"),
        ("syslog://", "stays on this machine"),
        ("dbus://", "stays on this machine"),
        (f"nosuch://{CANARY}@host", "can't read this nosuch:// URL"),
        (f"tgram://{CANARY}", "can't read this tgram:// URL"),
        (f"https://example.org/{CANARY}", "can't read this https:// URL"),
        (CANARY, "expected an apprise URL"),
        (f"discord://1234/{CANARY}?template=/etc/passwd", "would read a file"),
        (f"jsons://host/{CANARY}?verify=no", "always checked"),
        (f"json://host/{CANARY}?optional=yes", "a success"),
        (f"json://host/{CANARY}?retry=3", "tried again"),
        (f"tgram://123456789:{CANARY}-ABCDEFGHIJKLMNOPQRSTUVWX", "the chat's id is missing"),
        (f"tgram://123456789:{CANARY}-ABCDEFGHIJKLMNOPQRSTUVWX/no(chat", "chat's id is missing"),
        (f"tgram://123456789:{CANARY}-ABCDEFGHIJKLMNOPQRSTUVWX/12/34", "it names 2 receivers"),
        (f"ntfys://host/{CANARY}/{CANARY}2", "it names 2 receivers"),
        (f"mailtos://user:{CANARY}@example.org?to=a@example.org,b@example.org", "2 receivers"),
    ],
)
def test_others_are_refused_without_showing_them(url: str, words: str) -> None:
    because = refusal(url)

    assert because is not None
    assert words in because
    assert CANARY not in because


def test_no_service_follows_a_redirect_even_when_the_url_asks_for_it() -> None:
    assert service_at("json://host/?redirect=yes").redirects is False


def test_every_service_without_a_way_out_of_this_machine_is_known() -> None:
    # A service whose URL needs nothing but its scheme talks to nobody else.
    found = set()
    for schema in Apprise().details(show_disabled=True)["schemas"]:
        if any("{" not in t.replace("{schema}", "") for t in schema["details"]["templates"]):
            found |= {*(schema["protocols"] or ()), *(schema["secure_protocols"] or ())}

    assert found <= LOCAL_SCHEMES


def test_a_token_is_not_taken_for_a_host() -> None:
    telegram = service_at("tgram://123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi/12345")

    assert host_of(telegram) == ""
    assert host_of(service_at("json://example.org/x")) == "example.org"


def test_a_name_is_looked_up_before_it_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [(2, 1, 6, "", ("169.254.169.254", 0))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: answer)

    assert leads_to_link_local("innocent.example")
    assert not is_link_local("innocent.example")
