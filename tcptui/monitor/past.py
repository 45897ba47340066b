"""Samples that are over, kept as they were: each as what it has otherwise than the next, in bounded memory.

The older they are, the fewer there are of them: when room is needed, the one goes that leaves the smallest gap, as
measured by its age. So the newest are there sample by sample, and the hour is covered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.deltas import (
    Difference,
    Places,
    Table,
    Unwinding,
    difference,
    merged,
    packed,
    places_in,
    reader_of,
    unpacked,
)
from tcptui.analysis.matching import distinct, positions
from tcptui.model.owners import Attribution, Descriptors, Holders, Process, no_owners
from tcptui.model.sample import Sample, Whereabouts
from tcptui.model.table import ROW, SocketTable, identities_of
from tcptui.query.request import EVERYTHING_PLAIN, Request

SPAN_S = 3600.0
"""How far back samples are kept."""
MOST_BYTES = 12 * 2**20
"""What all of them may take; the newest, which the monitor has anyway, and 16 bytes for each of its sockets come on
top."""
MOST_ROWS = 400_000
"""Of larger tables nothing is kept: a single one would take half of the room."""
ROWS_PER_S = 100_000
"""So many rows are compared in a second of samples: at more sockets, or shorter intervals, samples are left out."""

_MOMENT_BYTES = 2_400
"""What a moment takes beside what is packed and counted."""
_HOLDERS_BYTES, _PATH_BYTES, _ENTRY_BYTES, _DETAIL_BYTES = 800, 300, 120, 9_000
"""What is counted for a group of holders, a path, an entry of a mapping, and what the kernel told of one socket."""
_FULL_S = 60.0
"""So much is added to each age: gaps begin to grow behind that."""
_WIDEST_GAP = 1.5
"""Rather than leave a gap of more than this part of its age the oldest moment is given up."""
_DEADLINE_TOLERANCE_MS, _SINCE_TOLERANCE_MS = 100, 2
"""By so much two samples may differ on a point in time that has not changed: they are taken row by row."""

_SOCKET = np.dtype(
    [
        *ROW.descr,
        ("deadline_ms", "i8"),
        ("since_ms", "i8"),
        ("holders", "i4"),
        ("cgroup", "i4"),
        ("standing", "u1"),
        ("is_watched", "?"),
    ]
)
"""A row with what is known beside it. ``timer_ms`` is 0: when the timer fires stays the same while it runs, and so does
since when the socket is in its state. ``holders`` and ``cgroup`` are numbers that mean the same in all moments."""
_OPAQUE, _OPAQUE_ROW = (np.dtype((np.void, kind.itemsize)) for kind in (_SOCKET, ROW))
_HALVES = np.dtype([("row", _OPAQUE_ROW), ("beside", (np.void, _SOCKET.itemsize - ROW.itemsize))])
"""The same, to be moved as bytes: ten times as fast as column by column."""
_COUNTER = np.dtype([("name", "u8"), ("value", "i8")])
_DESCRIPTORS = np.dtype([("pid", "u8"), ("open", "i8"), ("limit", "i8")])
_ENDED = np.dtype([("process", "u8")])
_KINDS = (_SOCKET, _COUNTER, _DESCRIPTORS, _ENDED)
_NO_LIMIT = -1
_LARGEST = 2**63 - 1
"""Counter that is kept as it is; the kernel counts on to twice as many."""
_PID_BITS = 22
"""Of a process id (``PID_MAX_LIMIT``, ``include/linux/threads.h``)."""
_LASTING = (
    *("origin", "namespaces", "namespace_parameters", "parameters", "disk"),
    *("read_only_parameters", "degraded", "absent_fields"),
)
"""What is mostly the same from sample to sample, and then kept once."""


@dataclass(frozen=True, eq=False)
class Recalled:
    """A sample as it was. Compared by identity."""

    sample: Sample
    request: Request
    """What it was taken for."""
    previous: Recalled | None = None
    """The sample before it, if that is kept."""


@dataclass(frozen=True, eq=False)
class _Moment:
    """A sample without its tables."""

    about: Sample
    request: Request
    is_followed: bool
    """Whether the next moment is of the very next sample."""
    packed: bytes
    """What its tables have otherwise than those of the next moment."""
    holders: tuple[int, ...]
    """Numbers of those that are in there."""
    paths: tuple[int, ...]
    about_bytes: int
    """What ``about`` takes beside what it shares."""

    @property
    def size(self) -> int:
        """Bytes, but for holders and paths: several moments have the same."""
        return _MOMENT_BYTES + self.about_bytes + len(self.packed) + 8 * (len(self.holders) + len(self.paths))

    @property
    def differences(self) -> list[Difference]:
        """One for each of ``_KINDS``."""
        return unpacked(self.packed, _KINDS)


@dataclass(frozen=True, eq=False)
class _Newest:
    """The newest sample that is kept, whole."""

    sample: Sample
    request: Request
    holders: NDArray[np.int32]
    """The number of each of its groups."""
    cgroups: NDArray[np.int32]
    """The number of each of its cgroups."""
    points_ms: NDArray[np.int64]
    """``deadline_ms`` and ``since_ms`` in the table's order, as they are told of all samples in which they did not
    change."""
    small_tables: tuple[Table, Table, Table]
    """Counters, descriptors, and processes that have ended."""

    @property
    def identities(self) -> NDArray[np.uint64]:
        """What names its sockets, in that order."""
        return identities_of(self.sample.table.rows)[self.sample.table.order]

    def sockets(self, places: Places) -> Table:
        """Some of its sockets, by their places in that order."""
        sample, attribution, at = self.sample, _attribution_of(self.sample), self.sample.table.order[places]
        assert sample.is_watched is not None, "a monitor has watched them"
        sockets = np.empty(len(places), _SOCKET)
        sockets.view(_HALVES)["row"] = np.ascontiguousarray(sample.table.rows).view(_OPAQUE_ROW)[at]
        sockets["timer_ms"] = 0
        sockets["deadline_ms"], sockets["since_ms"] = self.points_ms[:, places]
        sockets["holders"] = np.append(self.holders, np.int32(-1))[attribution.codes[at]]
        sockets["cgroup"] = np.append(self.cgroups, np.int32(-1))[attribution.cgroup_codes[at]]
        sockets["standing"] = attribution.standing[at]
        sockets["is_watched"] = sample.is_watched[at]
        return sockets


class _Numbers:
    """Numbers for things that go on from sample to sample, and the things as long as a moment has their number."""

    def __init__(self, bytes_each: int, key: Callable[[Any], object]) -> None:
        """Things with the same ``key`` are the same."""
        self._bytes_each = bytes_each
        self._key = key
        self._things: dict[int, Any] = {}
        self._present: dict[object, int] = {}
        self._leaving: list[int] = []
        self._uses: dict[int, int] = {}
        self._count = 0

    @property
    def byte_count(self) -> int:
        """What the things take that moments have the number of."""
        return self._bytes_each * len(self._uses)

    def of(self, things: Iterable[Any]) -> NDArray[np.int32]:
        """The number of each of ``things``, which are the newest sample's; others have another if they come back.

        Those of the sample before stay until ``forget``.
        """
        before, self._present = self._present, {}
        numbers = []
        for thing in things:
            key = self._key(thing)
            number = self._present.get(key, before.pop(key, None))
            if number is None:
                number, self._count = self._count, self._count + 1
            self._present[key] = number
            self._things[number] = thing
            numbers.append(number)
        self._leaving = list(before.values())
        return np.array(numbers, np.int32)

    def forget(self) -> None:
        """Leave behind what the newest sample does not have, and no moment either."""
        for number in self._leaving:
            if number not in self._uses:
                del self._things[number]
        self._leaving = []

    def use(self, numbers: Iterable[int]) -> None:
        """A moment has come to have these."""
        for number in numbers:
            self._uses[number] = self._uses.get(number, 0) + 1

    def release(self, numbers: Iterable[int]) -> None:
        """A moment that had these is gone."""
        present = set(self._present.values()) if numbers else set()
        for number in numbers:
            self._uses[number] -= 1
            if not self._uses[number]:
                del self._uses[number]
                if number not in present:
                    del self._things[number]

    def named(self, numbers: NDArray[np.int32]) -> tuple[NDArray[np.int32], tuple[Any, ...]]:
        """An index for each of ``numbers``, and the things that it leads to; -1 stays."""
        known = distinct(numbers)
        known = known[known >= 0]
        return positions(known, numbers).astype(np.int32), tuple(self._things[number] for number in known.tolist())


class Past:
    """The samples of the last hour. Owned by one thread."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._newest: _Newest | None = None
        self._moments: list[_Moment] = []
        """All others, the oldest first."""
        self._groups = _Numbers(_HOLDERS_BYTES, _identity_of)
        self._paths = _Numbers(_PATH_BYTES, str)
        self._counters: dict[str, int] = {}
        self._left_out = False
        """Whether a sample came after the newest that is kept."""
        self._moment_bytes = 0

    @property
    def byte_count(self) -> int:
        """What all moments but the newest take."""
        return self._moment_bytes + self._groups.byte_count + self._paths.byte_count

    def __len__(self) -> int:
        return len(self._moments) + (self._newest is not None)

    def times_answering(self, request: Request) -> NDArray[np.float64]:
        """When the samples that have in them what ``request`` asks for were taken; rising."""
        requests = [*(each.request for each in self._moments), *([self._newest.request] if self._newest else [])]
        return self.times_s[[each.covers(request) for each in requests]]

    def append(self, sample: Sample, request: Request = EVERYTHING_PLAIN) -> None:
        """Keep a sample that is over, with all that has been found out about it."""
        rows = len(sample.table)
        if rows > MOST_ROWS:
            self._forget()
            return
        newest = self._newest
        if newest is not None and (sample.monotonic_s - newest.sample.monotonic_s) * ROWS_PER_S < rows:
            self._left_out = True
            return
        attribution = _attribution_of(sample)
        self._newest = _Newest(
            *(sample, request, self._groups.of(attribution.groups), self._paths.of(attribution.cgroups)),
            *(_points_of(sample), self._small_tables(sample)),
        )
        if newest is not None:
            self._put_away(newest, self._newest)
        self._groups.forget()
        self._paths.forget()
        self._left_out = False
        self._make_room(sample.monotonic_s)

    def at(self, monotonic_s: float) -> Recalled | None:
        """The sample of that time, and the one before it; None where it is not kept."""
        newest = self._newest
        times = self.times_s
        index = int(np.searchsorted(times, monotonic_s))
        if newest is None or index == len(times) or times[index] != monotonic_s:
            return None
        unwinding = self._unwound_to(newest, index)
        reached = unwinding.sample
        if index and self._moments[index - 1].is_followed:
            unwinding.back(self._moments[index - 1])
            return replace(reached, previous=unwinding.sample)
        return reached

    def about(self, monotonic_s: float) -> Sample | None:
        """What was known at a time beside sockets, counters and processes: of the nearest sample."""
        if self._newest is None:
            return None
        nearest = int(np.argmin(np.abs(self.times_s - monotonic_s)))
        return self._moments[nearest].about if nearest < len(self._moments) else _about(self._newest.sample)[0]

    @property
    def times_s(self) -> NDArray[np.float64]:
        """When each sample was taken; rising."""
        times = [moment.about.monotonic_s for moment in self._moments]
        return np.array([*times, *([self._newest.sample.monotonic_s] if self._newest else [])], np.float64)

    def _unwound_to(self, newest: _Newest, index: int) -> _Unwinding:
        tables = [newest.sockets(np.arange(len(newest.sample.table))), *newest.small_tables]
        unwinding = _Unwinding(newest, tables, list(self._counters), (self._groups, self._paths))
        for moment in reversed(self._moments[index:]):
            unwinding.back(moment)
        return unwinding

    def _forget(self) -> None:
        self._newest = None
        while self._moments:
            self._drop(0)

    def _put_away(self, older: _Newest, newer: _Newest) -> None:
        """Keep what ``older`` has otherwise than ``newer``; points in time are told alike in both."""
        at = places_in(older.identities, newer.identities)
        _settle(older.points_ms, newer.points_ms, at)
        differences = [difference(older.sockets, newer.sockets, at, len(older.sample.table))]
        for old, new in zip(older.small_tables, newer.small_tables, strict=True):
            at = places_in(_first_column(old), _first_column(new))
            differences.append(difference(reader_of(old), reader_of(new), at, len(old)))
        about, about_bytes = _about(older.sample, newer.sample)
        moment = _moment(about, older.request, differences, about_bytes, is_followed=not self._left_out)
        self._add(len(self._moments), moment)

    def _small_tables(self, sample: Sample) -> tuple[Table, Table, Table]:
        owners = sample.owners
        counters = [
            (self._counters.setdefault(name, len(self._counters)), min(value, _LARGEST))
            for name, value in sample.counters.items()
        ]
        told = owners.descriptors if owners is not None else {}
        descriptors = [(pid, each.open, _NO_LIMIT if each.limit is None else each.limit) for pid, each in told.items()]
        ended = [(_number_of(process),) for process in _attribution_of(sample).ended]
        return _table(counters, _COUNTER), _table(descriptors, _DESCRIPTORS), _table(ended, _ENDED)

    # -- Thinning ------------------------------------------------------------------------------------------------------

    def _add(self, index: int, moment: _Moment) -> None:
        self._moments.insert(index, moment)
        self._moment_bytes += moment.size
        self._groups.use(moment.holders)
        self._paths.use(moment.paths)

    def _drop(self, index: int) -> _Moment:
        moment = self._moments.pop(index)
        self._moment_bytes -= moment.size
        self._groups.release(moment.holders)
        self._paths.release(moment.paths)
        return moment

    def _make_room(self, now_s: float) -> None:
        """Leave out moments until they are young enough and there is room."""
        while self._moments and self._moments[0].about.monotonic_s < now_s - SPAN_S:
            self._drop(0)
        while self._moments and self.byte_count > self._most_bytes:
            index = self._least_missed(now_s)
            left_out = self._drop(index)
            if index:
                self._add(index - 1, _joined(self._drop(index - 1), left_out))

    def _least_missed(self, now_s: float) -> int:
        """The moment that leaves the smallest gap for its age; the oldest where every gap would be too wide."""
        if len(self._moments) < 2:
            return 0
        times = np.array([*(moment.about.monotonic_s for moment in self._moments), now_s])
        gaps = (times[2:] - times[:-2]) / (now_s - times[1:-1] + _FULL_S)
        index = int(np.argmin(gaps))
        return index + 1 if gaps[index] <= _WIDEST_GAP else 0


class _Unwinding:
    """Goes back from the newest sample."""

    def __init__(
        self, newest: _Newest, tables: Iterable[Table], counters: list[str], numbers: tuple[_Numbers, _Numbers]
    ) -> None:
        self._tables = [Unwinding(table) for table in tables]
        self._newest = newest
        self._counters = counters
        self._groups, self._paths = numbers
        self._about, self._request = newest.sample, newest.request

    def back(self, moment: _Moment) -> None:
        """On to an older moment."""
        for table, step in zip(self._tables, moment.differences, strict=True):
            table.back(step)
        self._about, self._request = moment.about, moment.request

    @property
    def sample(self) -> Recalled:
        """The sample reached."""
        sockets, counters, descriptors, ended = (table.table for table in self._tables)
        sockets = sockets.view(_OPAQUE)[self._order_of(sockets)].view(_SOCKET)
        about = self._about
        now_ms = _milliseconds(about.monotonic_s)
        rows = sockets.view(_HALVES)["row"].copy().view(ROW)
        is_running = sockets["deadline_ms"] > 0
        rows["timer_ms"] = np.where(is_running, np.maximum(sockets["deadline_ms"] - now_ms, 0), 0)
        attribution = self._attribution(sockets, ended["process"])
        sample = replace(
            about,
            table=SocketTable(rows),
            counters={self._counters[name]: value for name, value in counters.tolist()},
            attribution=attribution,
            whereabouts=_whereabouts(about.whereabouts, attribution, descriptors),
            age_ms=np.maximum(now_ms - sockets["since_ms"], 0),
            is_watched=sockets["is_watched"].copy(),
            destroyed=None,
        )
        return Recalled(sample, self._request)

    def _order_of(self, sockets: Table) -> Places:
        """As the newest sample has them, so that nothing jumps about; what is not in there comes at the end."""
        order, rows = self._newest.sample.table.order, self._newest.sample.table.rows
        at = positions(identities_of(rows)[order], identities_of(sockets))
        return np.argsort(np.append(order, len(order))[at], kind="stable")

    def _attribution(self, sockets: Table, ended: NDArray[np.uint64]) -> Attribution:
        codes, groups = self._groups.named(sockets["holders"])
        cgroup_codes, cgroups = self._paths.named(sockets["cgroup"])
        numbers = set(ended.tolist())
        gone = frozenset(process for group in groups for process in group if _number_of(process) in numbers)
        return Attribution(codes, groups, sockets["standing"].copy(), cgroup_codes, cgroups, gone)


def _whereabouts(before: Whereabouts | None, attribution: Attribution, descriptors: Table) -> Whereabouts | None:
    """What was known of processes, as far as it is about those that stand behind a row."""
    if before is None:
        return None
    processes = {process: None for group in attribution.groups for process in group}
    alive = tuple((process,) for process in processes if process not in attribution.ended)
    told = {
        pid: Descriptors(opened, None if limit == _NO_LIMIT else limit) for pid, opened, limit in descriptors.tolist()
    }
    return replace(before, owners=replace(before.owners, groups=alive, descriptors=told))


def _attribution_of(sample: Sample) -> Attribution:
    assert sample.attribution is not None, "a monitor has worked out who stands behind the rows"
    return sample.attribution


def _points_of(sample: Sample) -> NDArray[np.int64]:
    """When the timers of sockets fire, 0 where none runs, and since when they are in their states; in their order."""
    order = sample.table.order
    assert sample.age_ms is not None, "a monitor has watched them"
    now_ms, timer_ms = _milliseconds(sample.monotonic_s), sample.table.rows["timer_ms"][order].astype(np.int64)
    return np.stack((np.where(timer_ms > 0, timer_ms + now_ms, 0), now_ms - sample.age_ms[order]))


def _settle(older: NDArray[np.int64], newer: NDArray[np.int64], at: NDArray[np.int64]) -> None:
    """Have ``newer`` tell points in time as ``older`` does where they are as good as the same."""
    met = np.flatnonzero(at >= 0)
    for before, now, tolerance_ms in zip(older, newer, (_DEADLINE_TOLERANCE_MS, _SINCE_TOLERANCE_MS), strict=True):
        was = before[at[met]]
        is_same = (np.abs(now[met] - was) <= tolerance_ms) & (was > 0) & (now[met] > 0)
        now[met[is_same]] = was[is_same]


def _milliseconds(monotonic_s: float) -> int:
    """A point in time as a number above 0: a clock may begin anywhere."""
    return round(monotonic_s * 1000) + 2**40


def _first_column(table: Table) -> NDArray[np.uint64]:
    names = table.dtype.names
    assert names is not None
    column: NDArray[np.uint64] = table[names[0]]
    return column


def _table(rows: Sequence[tuple[int, ...]], kind: np.dtype[np.void]) -> Table:
    return np.array(sorted(rows), kind) if rows else np.zeros(0, kind)


def _identity_of(group: Holders) -> object:
    """Processes under other names are told apart: those that are only likely have nothing but a name."""
    return group, tuple(process.name for process in group)


def _number_of(process: Process) -> int:
    number: int = process.start_ticks << _PID_BITS | process.pid & (1 << _PID_BITS) - 1
    return number & (1 << 64) - 1


_NOTHING = SocketTable(np.zeros(0, ROW))


def _about(sample: Sample, after: Sample | None = None) -> tuple[Sample, int]:
    """A sample without its tables, and the bytes that it takes beside what it shares with the one ``after`` it."""
    lasting = {name: getattr(sample, name) for name in _LASTING}
    lasting |= {name: getattr(after, name) for name in _LASTING if after and getattr(after, name) == lasting[name]}
    whereabouts = _bare(sample.whereabouts, after.whereabouts if after else None)
    about = replace(sample, table=_NOTHING, counters={}, attribution=None, age_ms=None, is_watched=None, destroyed=None)
    about = replace(about, whereabouts=whereabouts, **lasting)
    own = [value for name, value in lasting.items() if after is None or value is not getattr(after, name)]
    own.append(whereabouts.cgroups if whereabouts and not _shares_cgroups(whereabouts, after) else ())
    return about, _ENTRY_BYTES * sum(map(_entries_in, own)) + _DETAIL_BYTES * (sample.detail is not None)


def _entries_in(value: object) -> int:
    """How many entries mappings and sets have, with what is in them."""
    if isinstance(value, Mapping):
        return len(value) + sum(map(_entries_in, value.values()))
    return len(value) if isinstance(value, (tuple, frozenset)) else 0


def _bare(whereabouts: Whereabouts | None, after: Whereabouts | None) -> Whereabouts | None:
    if whereabouts is None:
        return None
    owners = whereabouts.owners
    kept = replace(no_owners(), blindness=owners.blindness, hidden=owners.hidden, looked_at=owners.looked_at)
    cgroups = after.cgroups if after is not None and after.cgroups == whereabouts.cgroups else whereabouts.cgroups
    return replace(whereabouts, owners=kept, cgroups=cgroups)


def _shares_cgroups(whereabouts: Whereabouts, after: Sample | None) -> bool:
    return after is not None and whereabouts.cgroups is after.cgroups


def _moment(
    about: Sample, request: Request, differences: list[Difference], about_bytes: int, *, is_followed: bool
) -> _Moment:
    holders, paths = (_numbers_in(differences[0], column) for column in ("holders", "cgroup"))
    return _Moment(about, request, is_followed, packed(differences), holders, paths, about_bytes)


def _numbers_in(sockets: Difference, column: str) -> tuple[int, ...]:
    """What a column has in the rows and values that are kept."""
    others = sockets.others[column][1] if column in sockets.others else sockets.gone_rows[column][:0]
    return tuple(number for number in distinct(np.append(sockets.gone_rows[column], others)).tolist() if number >= 0)


def _joined(older: _Moment, left_out: _Moment) -> _Moment:
    """``older`` as it has to be kept without the moment after it."""
    differences = [merged(*pair) for pair in zip(older.differences, left_out.differences, strict=True)]
    return _moment(older.about, older.request, differences, older.about_bytes, is_followed=False)
