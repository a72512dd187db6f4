"""The figures as one table of plain text."""

from __future__ import annotations

from dataclasses import asdict, dataclass

HEADS = ("what", "ours", "beside", "unit", "ratio", "goal", "")


@dataclass(frozen=True, slots=True)
class Line:
    """
    One figure of ours and, where there is one, that of what stands beside it.

    `goal` is the most that ours ÷ beside may be; where nothing stands beside, that ours may.
    """

    what: str
    ours: float
    beside: float | None
    unit: str
    goal: float | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.beside is None else self.ours / self.beside

    @property
    def is_met(self) -> bool | None:
        if self.goal is None:
            return None
        return (self.ours if self.ratio is None else self.ratio) <= self.goal

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio, "is_met": self.is_met}

    def cells(self) -> tuple[str, ...]:
        verdict = {None: "", True: "met", False: "MISSED"}[self.is_met]
        mark = "≤ {:g}" + ("" if self.beside is None else " ×")
        return (
            self.what,
            f"{self.ours:.2f}",
            "" if self.beside is None else f"{self.beside:.2f}",
            self.unit,
            "" if self.ratio is None else f"{self.ratio:.2f} ×",
            "" if self.goal is None else mark.format(self.goal),
            verdict,
        )


def as_table(lines: list[Line]) -> str:
    rows = [HEADS, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    left = (0, 3, 6)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
