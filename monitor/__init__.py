"""margin-monitor: watches margin pools and warns before liquidation."""

__version__ = "0.1.0"
