"""The rows of one view as columns, and their order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import Column
from tcptui.analysis.texts import cell_text
from tcptui.language import tr
from tcptui.model.address import UNTOLD_ADDRESS
from tcptui.model.fields import ADDRESS, ENDPOINT, NETWORK, TEXT, Field, Json, SortKey, Value, ViewKind
from tcptui.model.table import Mask

V = TypeVar("V")

Order = NDArray[np.int64]
"""Row numbers in the order of display."""

_ADDRESSES = (ADDRESS, NETWORK, ENDPOINT)
FEW = 4_000
"""Rows of which a set is made sooner than some dozen are looked for among them."""


class Late(Mapping[str, V]):
    """Values that are made when somebody first looks at them: most columns are neither seen nor ordered by."""

    def __init__(self, makers: Mapping[str, Callable[[], V]]) -> None:
        """Each of ``makers`` makes the value of its key."""
        self._makers = makers
        self._made: dict[str, V] = {}

    def __getitem__(self, key: str) -> V:
        if key not in self._made:
            self._made[key] = self._makers[key]()
        return self._made[key]

    def __contains__(self, key: object) -> bool:
        return key in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


@dataclass(frozen=True, eq=False)
class Grid:
    """All rows of one view. The columns may be longer than the view: ``members`` says which rows belong to it."""

    kind: ViewKind
    columns: Mapping[str, Column]
    """By field id; a field of the view that has no column here is unknown to the source."""
    members: Order
    identities: Column
    """What names a row in the next sample too; where a row is of one network namespace, that is the last part."""
    absent: frozenset[str] = field(default_factory=frozenset)
    """Fields that the source cannot know."""
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By id of a field of type ``TEXT`` what its numbers stand for, in alphabetical order."""
    untold: Mapping[str, Mask] = field(default_factory=dict)
    """By field id the rows in which it is unknown, where it is known in others."""
    address_names: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """What is told in the place of some addresses (``Sample.address_names``)."""

    def __len__(self) -> int:
        return len(self.members)

    def value(self, row: int, field: Field) -> Value | None:
        """The value in ``row``, None where it is unknown."""
        if field.id in self.absent or field.id not in self.columns:
            return None
        if field.id in self.untold and self.untold[field.id][row]:
            return None
        return tuple(int(part[row]) for part in self.columns[field.id])

    def human(self, row: int, field: Field) -> str:
        """The value as text, the same in every language, as a filter takes it; ``?`` where it is unknown."""
        value = self.value(row, field)
        if value is None:
            return "?"
        if field.type is TEXT:
            return self.texts[field.id][value[0]]
        return self._name(value, field) or field.type.human(value)

    def shown(self, row: int, field: Field) -> str:
        """The value as text for people, in the language in force; ``?`` where it is unknown."""
        text = self.human(row, field)
        if field.type is TEXT:
            return cell_text(field.id, text)
        return tr(text) if text == self.address_names.get(UNTOLD_ADDRESS) else text

    def plain(self, field: Field, order: Order) -> list[Json]:
        """A field's values for programs, one a row of ``order``; None where unknown."""
        if field.id in self.absent or field.id not in self.columns:
            return [None] * len(order)
        parts = [part[order].tolist() for part in self.columns[field.id]]
        if field.type is TEXT:
            texts = self.texts[field.id]
            return [texts[code] for code in parts[0]]
        values = list(zip(*parts, strict=True))
        plain = [field.type.plain(value) for value in values]
        if self.address_names and field.type in _ADDRESSES:
            named = zip(values, plain, strict=True)
            plain = [None if value[:2] == UNTOLD_ADDRESS else self._name(value, field) or text for value, text in named]
        if field.id in self.untold:
            unknown = self.untold[field.id][order].tolist()
            plain = [None if is_unknown else value for value, is_unknown in zip(plain, unknown, strict=True)]
        return plain

    def _name(self, value: Value, field: Field) -> str:
        """What is told in the place of an address, with the port of an endpoint; empty for a true address."""
        name = self.address_names.get((value[0], value[1]), "") if field.type in _ADDRESSES else ""
        return f"{name}:{value[2]}" if name and field.type is ENDPOINT and value[2] else name

    def identity(self, row: int) -> Value:
        """What names ``row`` in the next sample too."""
        return tuple(int(part[row]) for part in self.identities)

    def sum(self, field_id: str) -> int:
        """Sum of a number column over the members."""
        return int(self.columns[field_id][0][self.members].sum())

    def gone(self, identities: Sequence[Value]) -> list[bool]:
        """For each of ``identities`` whether no row of the view has it."""
        if len(self) <= FEW:
            there = set(zip(*(part[self.members].tolist() for part in self.identities), strict=True))
            return [identity not in there for identity in identities]
        return [self.position(self.members, identity) is None for identity in identities]

    def position(self, order: Order, identity: Value) -> int | None:
        """Where in ``order`` the row of that identity is, None if it is gone."""
        if len(identity) != len(self.identities):  # of another view
            return None
        matches = np.ones(len(order), bool)
        for part, wanted in zip(self.identities, identity, strict=True):
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
        keys += [part[self.members] for part in self.identities]
        if len(keys) == 1:
            return self.members[np.argsort(keys[0], kind="stable")]
        return self.members[np.lexsort(keys[::-1])]


def _reversed_key(key: NDArray[np.generic]) -> NDArray[np.generic]:
    """A key that sorts the other way round, without overflow for unsigned numbers."""
    return np.invert(key)
