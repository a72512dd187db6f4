"""`margin-monitor last-words`: run by systemd after the daemon stopped, not by people."""

from __future__ import annotations

from monitor.cli.options import ConfigOption


def last_words(config: ConfigOption = None) -> None:
    """
    Tell every channel that the monitor has stopped, if $SERVICE_RESULT says that it failed.

    Example: ExecStopPost=-/opt/margin-monitor/.venv/bin/margin-monitor last-words
    """
    import asyncio
    import os

    from monitor.service.clock import Clock
    from monitor.service.last_words import cause, speak
    from monitor.settings import find_config, load_settings

    because = cause(os.environ)
    if because is not None:
        asyncio.run(speak(load_settings(find_config(config)), because, Clock().now()))
