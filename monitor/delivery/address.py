"""
Which apprise URLs may be a channel.

Allowed are apprise's own services that are reached over a network. Refused are those that
stay on this machine's desktop or disk, link-local targets (where clouds keep credentials),
and options that would read a file, follow a redirect unseen, or call a failure a success.
No sentence from here shows a URL: its scheme at most.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from apprise import Apprise, AppriseAsset, NotifyBase
from apprise.plugins.telegram import NotifyTelegram

if TYPE_CHECKING:
    from collections.abc import Iterable

# apprise's own log shows parts of URLs even when they are masked. What a person needs to know
# of it is told by this room in its own words, so it goes nowhere else, at any level.
logging.getLogger("apprise").setLevel(logging.INFO)
logging.getLogger("apprise").propagate = False
logging.getLogger("apprise").addHandler(logging.NullHandler())
logging.getLogger("urllib3").setLevel(logging.INFO)

# Desktop notifications, this machine's own log, a USB light: nobody far away sees them.
LOCAL_SCHEMES = frozenset(
    "blink1 dbus gio glib gnome kde macosx qt syslog windows".split()  # noqa: SIM905 - readable
)
# Where `template=` names a file or address to read, not a name at the service.
_TEMPLATE_IS_A_FILE = frozenset({"discord", "guilded", "slack", "tgram", "workflow", "workflows"})
_METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(a) for a in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")
)
_US = "margin-monitor"


def service_at(url: str) -> NotifyBase:
    """
    apprise's service for a channel's URL: no redirects, no retries of its own.

    Raises:
        ValueError: If the URL may not be a channel, with the reason as a clause.
    """
    scheme = _scheme(url)
    if scheme in LOCAL_SCHEMES:
        raise ValueError(f"{scheme}:// stays on this machine: expected a service on a network")
    # Without a time limit of its own apprise sends in the thread that calls it; with one, in a
    # pool that all services share, where a few that hang leave no room for the others.
    asset = AppriseAsset(
        http_redirects=False, service_timeout=0, app_id=_US, app_desc=_US, app_url=""
    )
    service = Apprise.instantiate(url, asset=asset)
    if service is None:
        raise ValueError(
            f"apprise can't read this {scheme}:// URL: either it knows no such service, or a "
            "part that the service needs is missing"
        )
    _refuse_options(scheme, service, url)
    _refuse_receivers(scheme, service)
    if is_link_local(host_of(service)) or any(is_link_local(v) for _, v in _query(url)):
        raise ValueError(
            "link-local and cloud metadata addresses can't be a channel: expected a receiver"
        )
    service.redirects = False
    return service


def refusal(url: str) -> str | None:
    """Why this URL may not be a channel, None if it may."""
    try:
        service_at(url)
    except ValueError as error:
        return str(error)
    return None


def host_of(service: NotifyBase) -> str:
    """The host that the owner chose; empty where the service is at a fixed place."""
    templates: tuple[str, ...] = service.templates
    chosen = any("{host}" in template for template in templates)
    return str(service.host or "").strip("[]") if chosen else ""


def leads_to_link_local(host: str) -> bool:
    """Whether this name resolves to a link-local or metadata address now. Blocks; may be slow."""
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False  # then it can't be sent to either, and that is told
    return any(is_link_local(str(address[0])) for *_, address in found)


def is_link_local(host: str) -> bool:
    """Whether a host, in any spelling of an address, is link-local or a metadata service."""
    name = host.strip("[]").rstrip(".").partition("%")[0].lower()
    if name in _METADATA_HOSTS:
        return True
    return any(_reaches_metadata(address) for address in _addresses(name))


def _reaches_metadata(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    seen = mapped or address
    return seen.is_link_local or seen in _METADATA_ADDRESSES


def _addresses(name: str) -> Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    with suppress(ValueError):
        yield ipaddress.ip_address(name)
    if re.fullmatch(r"[0-9a-fx.]+", name):
        # 2852039166, 0xA9FEA9FE and 169.254.43518 are what resolvers take 169.254.169.254 for.
        with suppress(OSError):
            yield ipaddress.IPv4Address(socket.inet_aton(name))


def _scheme(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator or not re.fullmatch(r"[A-Za-z0-9]{1,20}", scheme):
        raise ValueError("expected an apprise URL, such as tgram://… or ntfy://…")
    if scheme.lower() in {"file", "config"}:
        raise ValueError(f"{scheme}:// names a file: expected a service on a network")
    return scheme.lower()


def _refuse_options(scheme: str, service: NotifyBase, url: str) -> None:
    options = {key.lower() for key, _ in _query(url)}
    if "template" in options and _TEMPLATE_IS_A_FILE & {scheme, *_schemes(service)}:
        raise ValueError("template= would read a file: expected a URL without it")
    if not service.verify_certificate:
        raise ValueError("verify= can't be off: certificates are always checked")
    if service.optional:
        raise ValueError("optional= would call a failure a success: expected a URL without it")
    if service.retry:
        raise ValueError("retry= is not needed: messages are tried again until they arrive")


def _refuse_receivers(scheme: str, service: NotifyBase) -> None:
    """One channel has one receiver: of two, one that fails would hold up or repeat the other's."""
    if len(service) > 1:
        raise ValueError(
            f"it names {len(service)} receivers: make a channel of each, so that one that fails "
            "neither holds up nor repeats what the others get"
        )
    if isinstance(service, NotifyTelegram) and not service.targets:
        # apprise would take whoever wrote to the bot first for its owner.
        raise ValueError(f"the chat's id is missing: expected {scheme}://bot-token/chat-id")


def _schemes(service: NotifyBase) -> set[str]:
    # apprise declares one name or several, and None on its base class.
    given: tuple[str | tuple[str, ...] | None, ...] = (service.protocol, service.secure_protocol)
    return {s for p in given if p for s in ((p,) if isinstance(p, str) else p)}


def _query(url: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        raise ValueError("the URL can't be read") from None
