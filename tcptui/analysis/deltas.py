"""What an older table has otherwise than a newer one: so that many samples of the same sockets take little room.

Tables are structured arrays whose rows rise by what names them, their identity. Of two tables only the difference is
kept: rows of the older one that are gone, rows of the newer one that are fresh, and the values that were others.
"""

import functools
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import positions

Table = NDArray[np.void]
Places = NDArray[np.int64]
"""Row numbers of a table, rising."""
Identities = NDArray[np.uint64]
"""What names each row; they rise."""

Reader = Callable[[Places], Table]
"""Gives rows of a table by their numbers."""

_AT_ONCE = 8192
"""Rows compared at once."""
_WORD = 8
_FASTEST = 1
"""The level of ``zlib`` that takes a third of the usual time and leaves an eighth more."""


@dataclass(frozen=True, eq=False)
class Difference:
    """How to make an older table out of a newer one. Compared by identity."""

    older_size: int
    newer_size: int
    fresh: Places
    """Rows of the newer table that the older one does not have."""
    gone: Places
    """Rows of the older table that the newer one does not have."""
    gone_rows: Table
    others: Mapping[str, tuple[Places, NDArray[np.generic]]] = field(default_factory=dict)
    """By column which rows of the older table had another value, and that value; none of them is gone."""

    @property
    def sources(self) -> Places:
        """For each row of the older table its row in the newer one, -1 where it is gone."""
        sources = np.full(self.older_size, -1)
        is_gone = np.zeros(self.older_size, bool)
        is_gone[self.gone] = True
        sources[~is_gone] = _all_but(self.fresh, self.newer_size)
        return sources


def places_in(older: Identities, newer: Identities) -> NDArray[np.int64]:
    """For each row of a newer table its row in an older one, -1 where it has none: names that rows share are none."""
    at = positions(older, newer)
    at[_is_repeated(newer) | np.append(_is_repeated(older), False)[at]] = -1
    return at


def difference(older: Reader, newer: Reader, at: NDArray[np.int64], older_size: int) -> Difference:
    """What to keep of an older table when there is a newer one; ``at`` are the ``places_in`` the older one."""
    met, fresh = np.flatnonzero(at >= 0), np.flatnonzero(at < 0)
    places, before, after = _changed(older, newer, at, met)
    others = {}
    for name in before.dtype.names or ():
        differs = np.flatnonzero(before[name] != after[name])
        if len(differs):
            others[name] = (places[differs], before[name][differs])
    gone = _all_but(at[met], older_size)
    return Difference(older_size, len(at), fresh, gone, older(gone), others)


def reader_of(table: Table) -> Reader:
    """For a table that is there as a whole."""
    return functools.partial(_rows_at, table)


def merged(older: Difference, newer: Difference) -> Difference:
    """Both in one: ``older`` makes a table out of the one that ``newer`` makes out of a third."""
    to_middle, to_newest = older.sources, newer.sources
    through = np.append(to_newest, -1)[to_middle]
    gone = np.flatnonzero(through < 0)
    from_middle = np.flatnonzero(to_middle[gone] >= 0)
    gone_rows = np.empty(len(gone), older.gone_rows.dtype)
    _opaque(gone_rows)[np.flatnonzero(to_middle[gone] < 0)] = _opaque(older.gone_rows)
    found = np.searchsorted(newer.gone, to_middle[gone[from_middle]])
    _opaque(gone_rows)[from_middle] = _opaque(newer.gone_rows)[found]
    of_middle = np.full(older.newer_size, -1)
    of_middle[to_middle[to_middle >= 0]] = np.flatnonzero(to_middle >= 0)
    others = {}
    for name in {**newer.others, **older.others}:
        places, values = _laid_over(older, newer, of_middle, name)
        in_gone = positions(gone, places)
        gone_rows[name][in_gone[in_gone >= 0]] = values[in_gone >= 0]
        if (in_gone < 0).any():
            others[name] = (places[in_gone < 0], values[in_gone < 0])
    fresh = _all_but(through[through >= 0], newer.newer_size)
    return Difference(older.older_size, newer.newer_size, fresh, gone, gone_rows, others)


def _laid_over(
    older: Difference, newer: Difference, of_middle: Places, name: str
) -> tuple[Places, NDArray[np.generic]]:
    """Where one column had other values in the oldest table: what ``older`` says goes before what ``newer`` says."""
    nothing = (np.zeros(0, np.int64), np.zeros(0, older.gone_rows.dtype[name]))
    places, values = older.others.get(name, nothing)
    later, later_values = newer.others.get(name, nothing)
    later = of_middle[later]
    counts = (later >= 0) & (positions(places, later) < 0)
    together = np.concatenate((places, later[counts]))
    order = np.argsort(together)
    return together[order], np.concatenate((values, later_values[counts]))[order]


class Unwinding:
    """Goes from a table to older and older ones. Owned by one thread.

    What has been a row of any of them stays where it is; only the numbers of those that are rows now are moved.
    """

    def __init__(self, newest: Table) -> None:
        self._rows = newest.copy()
        self._size = len(newest)
        self._at = np.arange(len(newest))

    @property
    def table(self) -> Table:
        """The table reached."""
        return _rows_at(self._rows, self._at)

    def back(self, difference: Difference) -> None:
        """Go on to the table that ``difference`` makes."""
        self._take_in(difference.gone_rows)
        sources = difference.sources
        at = np.append(self._at, -1)[sources]
        at[difference.gone] = np.arange(self._size - len(difference.gone), self._size)
        for name, (places, values) in difference.others.items():
            self._rows[name][at[places]] = values
        self._at = at

    def _take_in(self, rows: Table) -> None:
        """Make room for more rows; those that no later step can want are left behind when it grows."""
        if self._size + len(rows) > len(self._rows):
            kept = self.table
            self._size, self._at = len(kept), np.arange(len(kept))
            self._rows = np.empty(2 * (len(kept) + len(rows)), kept.dtype)
            _opaque(self._rows)[: len(kept)] = _opaque(kept)
        _opaque(self._rows)[self._size : self._size + len(rows)] = _opaque(rows)
        self._size += len(rows)


def packed(differences: Iterable[Difference]) -> bytes:
    """Differences of several kinds of tables in as few bytes as may be."""
    return zlib.compress(b"".join(piece for each in differences for piece in _pieces(each)), _FASTEST)


def unpacked(data: bytes, kinds: Iterable[np.dtype[np.void]]) -> list[Difference]:
    """What was packed, of tables of these kinds."""
    reader = _Reader(zlib.decompress(data))
    return [reader.difference(kind) for kind in kinds]


def _pieces(difference: Difference) -> Iterator[bytes]:
    names = difference.gone_rows.dtype.names or ()
    counts = [len(difference.others[name][0]) if name in difference.others else 0 for name in names]
    sizes = (difference.older_size, difference.newer_size, len(difference.fresh), len(difference.gone))
    yield _bytes_of(np.array([*sizes, *counts], np.uint32))
    yield from (_steps_of(difference.fresh), _steps_of(difference.gone))
    yield from (_bytes_of(difference.gone_rows[name]) for name in names)
    for name in names:
        if name in difference.others:
            places, values = difference.others[name]
            yield from (_steps_of(places), _bytes_of(values))


def _steps_of(places: Places) -> bytes:
    """Rising numbers by how far each is from the one before."""
    return _bytes_of(np.diff(places, prepend=0).astype(np.uint32))


def _bytes_of(values: NDArray[np.generic]) -> bytes:
    """All first bytes, then all second bytes, and so on: those that are alike lie together."""
    return np.ascontiguousarray(values).view(np.uint8).reshape(-1, values.dtype.itemsize).T.tobytes()


class _Reader:
    """Reads what ``_pieces`` has written."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def difference(self, kind: np.dtype[np.void]) -> Difference:
        names = kind.names or ()
        older_size, newer_size, fresh, gone, *counts = self._values(np.dtype(np.uint32), 4 + len(names)).tolist()
        fresh_places, gone_places = self._places(fresh), self._places(gone)
        gone_rows = np.empty(gone, kind)
        for name in names:
            gone_rows[name] = self._values(kind[name], gone)
        others = {
            name: (self._places(count), self._values(kind[name], count))
            for name, count in zip(names, counts, strict=True)
            if count
        }
        return Difference(older_size, newer_size, fresh_places, gone_places, gone_rows, others)

    def _places(self, count: int) -> Places:
        return np.cumsum(self._values(np.dtype(np.uint32), count), dtype=np.int64)

    def _values(self, kind: np.dtype[np.generic], count: int) -> NDArray[np.generic]:
        size = kind.itemsize * count
        planes = np.frombuffer(self._data, np.uint8, size, self._at).reshape(kind.itemsize, count)
        self._at += size
        return np.ascontiguousarray(planes.T).reshape(-1).view(kind)


def _changed(older: Reader, newer: Reader, at: NDArray[np.int64], met: Places) -> tuple[Places, Table, Table]:
    """Which rows of the older table have another value in the newer one, as they are there and here.

    Some at a time: both tables as a whole need not be there, and what is compared stays in the processor's cache.
    """
    places, before, after = [met[:0]], [older(met[:0])], [newer(met[:0])]
    for start in range(0, len(met), _AT_ONCE):
        part = met[start : start + _AT_ONCE]
        were, are = older(at[part]), newer(part)
        differs = np.flatnonzero(_differs(were, are))
        places.append(at[part[differs]])
        before.append(_rows_at(were, differs))
        after.append(_rows_at(are, differs))
    return np.concatenate(places), np.concatenate(before), np.concatenate(after)


def _differs(one: Table, other: Table) -> NDArray[np.bool_]:
    """Whether each row has other bytes; eight of them are compared at once, for every row begins with its name."""
    size = one.dtype.itemsize
    differs = np.zeros(len(one), bool)
    for offset in (*range(0, size - _WORD, _WORD), size - _WORD):
        word = np.dtype({"names": ["word"], "formats": ["u8"], "offsets": [offset], "itemsize": size})
        differs |= one.view(word)["word"] != other.view(word)["word"]
    return differs


def _is_repeated(identities: Identities) -> NDArray[np.bool_]:
    """Whether each of ``identities``, which rise, is there more than once."""
    is_same = identities[1:] == identities[:-1]
    return np.append(is_same, False)[: len(identities)] | np.append(False, is_same)[: len(identities)]


def _all_but(places: Places, size: int) -> Places:
    """All row numbers but some."""
    is_left = np.ones(size, bool)
    is_left[places] = False
    return np.flatnonzero(is_left)


def _rows_at(table: Table, places: Places) -> Table:
    return _opaque(table)[places].view(table.dtype)


def _opaque(table: Table) -> NDArray[np.void]:
    """The rows as bytes without columns, which is how numpy moves and compares them ten times as fast."""
    return table.view(np.dtype((np.void, table.dtype.itemsize)))
