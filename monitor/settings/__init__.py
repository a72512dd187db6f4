"""
The configuration file: one file in, one checked value out, or every mistake in it.

It knows the shape of the file and where secrets are; it knows no exchange, sends nothing and
keeps nothing.
"""

from monitor.settings.load import find_config, load_settings
from monitor.settings.record import AccountSettings, Budgets, ChannelSettings, Settings

__all__ = [
    "AccountSettings",
    "Budgets",
    "ChannelSettings",
    "Settings",
    "find_config",
    "load_settings",
]
