"""Which columns a table has, in which order, and which of them stay in sight. Loaded before numpy is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tcptui.model.states import ALL_STATE_COLUMNS, TcpState

if TYPE_CHECKING:
    from tcptui.model.fields import Field, ViewKind

MOST_PINNED = 6

Columns = Mapping["ViewKind", tuple[str, ...]]
"""Ids of fields by view, the one that names the row first; ``ALL_STATE_COLUMNS`` among them."""


def arranged(fields: Sequence[Field], chosen: Iterable[str], has_any: Callable[[TcpState], bool]) -> Iterator[Field]:
    """Those of ``fields`` that are chosen, in that order; of all states those that have any sockets.

    A state that is chosen by its name stands where it is named, whether there are any or not.
    """
    by_id = {field.id: field for field in fields}
    named = set(chosen)
    for column in chosen:
        if column in by_id:
            yield by_id[column]
        elif column == ALL_STATE_COLUMNS:
            states = (field for field in fields if field.id in TcpState.__members__ and field.id not in named)
            yield from (field for field in states if has_any(TcpState[field.id]))


def pinned_count(kind: ViewKind, column_ids: Sequence[str]) -> int:
    """How many columns stay in sight when the others are scrolled sideways.

    They are those up to the total, unless that stands so far to the right that little else would have room.
    """
    if kind.last_pinned not in column_ids[:MOST_PINNED]:
        return 1
    pinned = column_ids[: column_ids.index(kind.last_pinned) + 1]
    return 1 if any(each in TcpState.__members__ for each in pinned) else len(pinned)
