"""`margin-monitor reload`: let the running daemon read its configuration anew."""

from __future__ import annotations

from monitor.cli.options import ConfigOption


def reload(config: ConfigOption = None) -> None:
    """
    Let the running daemon read its configuration anew: all of it, or nothing.

    A configuration with mistakes is refused, each of them listed, and the one of before serves
    on. Open incidents and messages not yet delivered pass from one to the other.

    Example: margin-monitor reload
    """
    import asyncio
    from pathlib import Path

    from monitor.errors import ConfigError
    from monitor.service.control import NotRunning, ask_bytes
    from monitor.settings import find_config, load_settings

    try:
        directory = load_settings(find_config(config), secrets=False).state_directory
    except ConfigError as error:
        # The daemon is to hear of it all the same, and to tell its owner: where a unit runs it,
        # its socket is found without the config.
        try:
            asyncio.run(ask_bytes(Path("/nowhere"), "POST", "/reload"))
        except NotRunning:
            raise error from None
        return
    asyncio.run(ask_bytes(directory, "POST", "/reload"))
