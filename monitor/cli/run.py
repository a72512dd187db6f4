"""`margin-monitor run`: the daemon, in the foreground."""

from __future__ import annotations

from monitor.cli.options import ConfigOption


def run(config: ConfigOption = None) -> None:
    """
    Watch the configured accounts until SIGTERM or SIGINT; SIGHUP reads the config anew.

    Example: margin-monitor run --config /etc/margin-monitor/margin-monitor.toml
    """
    import asyncio

    from monitor.service.hardening import harden
    from monitor.service.serving import serve
    from monitor.settings import find_config, load_settings

    harden()
    path = find_config(config)
    asyncio.run(serve(load_settings(path), lambda: load_settings(path)))
