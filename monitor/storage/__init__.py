"""
What outlives the process: incidents, messages to be delivered, samples of the ratio.

It keeps and gives back values; it decides nothing about them, sends nothing and reads no
clock.
"""

from monitor.storage.history import Sample
from monitor.storage.outbox import OutboxRow
from monitor.storage.reader import Reader
from monitor.storage.store import Store, open_store

__all__ = ["OutboxRow", "Reader", "Sample", "Store", "open_store"]
