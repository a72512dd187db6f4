"""
Snapshots that span pages: nothing is replaced until the last one is there.

Knows page numbers; must not know what stands on a page.

Source: OKX API guide, «Account channel», «Positions channel», copies of July 2026: `curPage`,
`lastPage`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from monitor.errors import Malformed

if TYPE_CHECKING:
    from monitor.exchanges.payload import Row

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages(Generic[T]):
    """The pages of a snapshot under way, and how many the last complete one had."""

    told: tuple[tuple[T, ...], ...] = ()
    whole: int = 0

    def with_page(self, row: Row, told: tuple[T, ...]) -> tuple[Pages[T], tuple[T, ...] | None]:
        """
        These with one more page, and all that they tell once it is the last.

        One that came already changes nothing; a first page begins anew.

        Raises:
            Malformed: If it came without the ones before it.
        """
        page, is_last = row.integer("curPage"), row.boolean("lastPage")
        if 1 < page <= (len(self.told) or self.whole):
            return self, None
        earlier = self.told if page > 1 else ()
        if len(earlier) != page - 1:
            raise Malformed("curPage", f"page {len(earlier) + 1} of the snapshot", str(page))
        pages = (*earlier, told)
        if not is_last:
            return Pages(told=pages), None
        return Pages(whole=page), tuple(item for one in pages for item in one)
