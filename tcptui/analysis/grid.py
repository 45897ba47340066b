"""The rows of one view as columns, and their order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tcptui.model.fields import Field, SortKey, Value, ViewKind

Column = tuple[NDArray[np.generic], ...]
"""A field's values: as many arrays as the field's value has parts, most significant first (``model.fields``)."""
Order = NDArray[np.int64]
"""Row numbers in the order of display."""


@dataclass(frozen=True, eq=False)
class Grid:
    """All rows of one view. The columns may be longer than the view: ``members`` says which rows belong to it."""

    kind: ViewKind
    columns: Mapping[str, Column]
    """By field id; a field of the view that has no column here is unknown to the source."""
    members: Order
    identity_field: str
    """The field whose value names a row across samples."""
    absent: frozenset[str] = field(default_factory=frozenset)
    """Fields that the source cannot know."""

    def __len__(self) -> int:
        return len(self.members)

    def value(self, row: int, field: Field) -> Value | None:
        """The value in ``row``, None where it is unknown."""
        if field.id in self.absent or field.id not in self.columns:
            return None
        return tuple(int(part[row]) for part in self.columns[field.id])

    def human(self, row: int, field: Field) -> str:
        """The value as text for people; ``?`` where it is unknown."""
        value = self.value(row, field)
        return "?" if value is None else field.type.human(value)

    def identity(self, row: int) -> Value:
        """What names ``row`` in the next sample too."""
        return tuple(int(part[row]) for part in self.columns[self.identity_field])

    def sum(self, field_id: str) -> int:
        """Sum of a number column over the members."""
        return int(self.columns[field_id][0][self.members].sum())

    def position(self, order: Order, identity: Value) -> int | None:
        """Where in ``order`` the row of that identity is, None if it is gone."""
        matches = np.ones(len(order), bool)
        for part, wanted in zip(self.columns[self.identity_field], identity, strict=True):
            matches &= part[order] == wanted
        found = np.flatnonzero(matches)
        return int(found[0]) if len(found) else None

    def ordered(self, sort: SortKey | None) -> Order:
        """The members in the order that ``sort`` asks for; equal ones stay in the order of their identity."""
        if sort is None or sort.field_id not in self.columns:
            return self.members
        keys = [part[self.members] for part in self.columns[sort.field_id]]
        if sort.descending:
            keys = [_reversed_key(key) for key in keys]
        if sort.field_id != self.identity_field:
            keys += [part[self.members] for part in self.columns[self.identity_field]]
        if len(keys) == 1:
            return self.members[np.argsort(keys[0], kind="stable")]
        return self.members[np.lexsort(keys[::-1])]


def _reversed_key(key: NDArray[np.generic]) -> NDArray[np.generic]:
    """A key that sorts the other way round, without overflow for unsigned numbers."""
    return np.invert(key)
