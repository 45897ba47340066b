"""Rows that are gone and still stand in their place for some seconds, so that nobody misses that they went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tcptui.model.fields import Value
    from tcptui.monitor.frame import Frame

STAYS_S = 4.0
LEAST_MOST = 3
"""Of the rows in sight so many, or a quarter if that is more, may be of the gone: the living matter more."""


@dataclass(frozen=True)
class Ghost:
    """A row as it was last seen."""

    cells: Mapping[str, str]
    """Texts by field id."""
    above: Value | None
    """What named the row above it; None at the top."""
    until_s: float
    """When it leaves, by the samples' clock."""
    place: int = 0
    """How many living rows stand above it."""


def raised(before: Frame, now: Frame, positions: range, field_ids: Iterable[str]) -> list[Ghost]:
    """The rows at ``positions`` of the earlier frame that are in the newer one no more, both of the same view."""
    fields = [field for field in before.fields if field.id in set(field_ids)]
    ghosts = []
    above: Value | None = None
    rows = before.order[positions.start : positions.stop].tolist()
    identities = [before.grid.identity(row) for row in rows]
    for row, identity, is_gone in zip(rows, identities, now.grid.gone(identities), strict=True):
        if not is_gone:
            above = identity
            continue
        cells = {field.id: before.grid.shown(row, field) for field in fields}
        ghosts.append(Ghost(cells, above, now.sample.monotonic_s + STAYS_S))
    return ghosts[: max(LEAST_MOST, len(positions) // 4)]


def settled(ghosts: Iterable[Ghost], now: Frame) -> list[Ghost]:
    """Those that stay for the newer frame, each below the row that it was below, from the top downwards."""
    staying = [ghost for ghost in ghosts if now.sample.monotonic_s < ghost.until_s]
    return sorted((replace(ghost, place=_place(ghost, now)) for ghost in staying), key=lambda ghost: ghost.place)


def _place(ghost: Ghost, frame: Frame) -> int:
    position = frame.grid.position(frame.order, ghost.above) if ghost.above is not None else None
    return 0 if position is None else position + 1


class Lines:
    """Where living rows and ghosts stand below one another."""

    def __init__(self, ghosts: list[Ghost], row_count: int) -> None:
        """``ghosts`` in the order of their places."""
        self.ghosts = ghosts
        self._count = row_count

    def __len__(self) -> int:
        return self._count + len(self.ghosts)

    def line_of(self, position: int) -> int:
        """The line of the living row at ``position``."""
        return position + sum(ghost.place <= position for ghost in self.ghosts)

    def at(self, line: int) -> int | Ghost | None:
        """The position of the living row in ``line``, or the ghost; None below the last."""
        for number, ghost in enumerate(self.ghosts):
            if line < ghost.place + number:
                return line - number
            if line == ghost.place + number:
                return ghost
        position = line - len(self.ghosts)
        return position if position < self._count else None
