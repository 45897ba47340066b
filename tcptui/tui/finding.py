"""Looking for text in the rows of a frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tcptui.model.fields import Field
    from tcptui.monitor.frame import Frame


def next_match(frame: Frame, fields: Iterable[Field], text: str, start: int, step: int) -> int | None:
    """The nearest position from ``start`` on, in the direction of ``step`` and round the end, whose row shows ``text``.

    Capital and small letters are the same. None where no row does.
    """
    wanted, shown = text.casefold(), list(fields)
    count = len(frame.order)
    for distance in range(count):
        position = (start + distance * step) % count
        row = int(frame.order[position])
        if any(wanted in frame.grid.shown(row, field).casefold() for field in shown):
            return position
    return None
