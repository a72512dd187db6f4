"""What can't be understood is read anew from its tables up."""

from dataclasses import dataclass

import pytest

from monitor.errors import MissingReply
from monitor.exchanges.understanding import understanding


@dataclass
class Keeper:
    forgotten: int = 0

    def forget(self) -> None:
        self.forgotten += 1


def test_tables_go_where_they_are_not_understood_and_only_there() -> None:
    keeper = Keeper()
    with understanding(keeper):
        pass
    with pytest.raises(ZeroDivisionError), understanding(keeper):
        raise ZeroDivisionError
    assert keeper.forgotten == 0
    with pytest.raises(MissingReply), understanding(keeper):
        raise MissingReply("nothing is told of BTC")
    assert keeper.forgotten == 1
