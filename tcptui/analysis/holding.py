"""The views that tell who holds sockets: processes, services, namespaces, and the connections themselves."""

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.attribution import together_of
from tcptui.analysis.grid import Grid, Late
from tcptui.analysis.matching import Codes, Column, distinct
from tcptui.analysis.matrix import Groups, matrix
from tcptui.analysis.texts import EXITED, TextColumn, holders_text, text_column
from tcptui.model.fields import NO_NUMBER, ViewKind
from tcptui.model.owners import (
    LIKELY_LEAD,
    NAMED,
    NO_CGROUP,
    REASONS,
    Attribution,
    Descriptors,
    Holders,
    Process,
    Standing,
)
from tcptui.model.sample import Sample
from tcptui.model.services import NO_SERVICE, services_of
from tcptui.model.table import Mask

Members = NDArray[np.int64]
"""Row numbers of a table."""

_STANDINGS = tuple(Standing)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Rows with each of their holders: one that three processes share stands there three times."""

    rows: Members
    processes: Codes
    """For each of them the number of the process."""
    known: tuple[Process, ...]
    """The processes by their numbers."""


def _attribution(sample: Sample) -> Attribution:
    assert sample.attribution is not None, "who stands behind the rows is worked out before they are grouped"
    return sample.attribution


def _pairs(attribution: Attribution, members: Members) -> _Pairs:
    numbers: dict[Process, int] = {}
    of_group = [[numbers.setdefault(process, len(numbers)) for process in group] for group in attribution.groups]
    sizes = np.array([len(group) for group in of_group], np.int64)
    starts = np.cumsum(sizes) - sizes
    flat = np.array([number for group in of_group for number in group], np.int64)
    named = members[attribution.codes[members] >= 0]
    codes = attribution.codes[named]
    counts = sizes[codes] if len(codes) else np.zeros(0, np.int64)
    rows = np.repeat(named, counts)
    offsets = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    processes = flat[np.repeat(starts[codes], counts) + offsets] if len(rows) else np.zeros(0, np.int64)
    return _Pairs(rows, processes, tuple(numbers))


def by_process(sample: Sample, members: Members) -> Grid:
    """One row for each process, with what it holds, held and has waiting at its listeners; and one for each reason.

    Sockets that several processes share are in a row of those together, so that each socket counts once.
    """
    attribution = _attribution(sample)
    groups: list[Holders] = [*attribution.groups, *([()] * len(_STANDINGS))]
    codes = attribution.codes[members].astype(np.int64)
    codes = np.where(codes >= 0, codes, len(attribution.groups) + attribution.standing[members].astype(np.int64))
    columns = matrix(Groups(codes, sample.table.rows[members], len(groups)))
    names = [_group_text(group, attribution) for group in attribution.groups]
    texts = {
        "process": text_column([*names, *(REASONS.get(each, "") for each in _STANDINGS)]),
        "user": text_column([group[0].user if group else "" for group in groups]),
        "command": text_column([group[0].command if group else "" for group in groups]),
    }
    columns |= {field_id: (column.codes,) for field_id, column in texts.items()}
    columns["pid"] = (np.array([group[0].pid if group else NO_NUMBER for group in groups], np.int64),)
    columns["holders"] = (np.array([len(group) for group in groups], np.int64),)
    told = _descriptors(sample)
    columns |= _descriptor_columns(
        [_nearest([_of_process(each, told, attribution) for each in group]) for group in groups]
    )
    reasons = [(-1 - standing, 0, 0) for standing in _STANDINGS]
    identities = [*map(_identity_of, attribution.groups), *reasons]
    return Grid(
        ViewKind.PROCESSES,
        columns,
        np.flatnonzero(columns["total"][0]),
        tuple(np.array(part, np.int64) for part in zip(*identities, strict=True)),
        sample.absent_fields - {"inode"},
        {field_id: column.texts for field_id, column in texts.items()},
    )


def _group_text(group: Holders, attribution: Attribution) -> str:
    """The processes of a row, and whether all of them are gone."""
    name = holders_text(Standing.HELD, group)
    return f"{name}{EXITED}" if attribution.ended.issuperset(group) else name


def _identity_of(group: Holders) -> tuple[int, int, int]:
    """Its first process, and a number for the others."""
    others = " ".join(f"{each.pid}/{each.start_ticks}" for each in group[1:])
    return group[0].pid, group[0].start_ticks, _hash_of(others) if others else 0


def _descriptors(sample: Sample) -> Mapping[int, Descriptors]:
    return sample.owners.descriptors if sample.owners is not None else {}


def _of_process(process: Process, told: Mapping[int, Descriptors], attribution: Attribution) -> Descriptors | None:
    return None if process in attribution.ended else told.get(process.pid)


def _nearest(descriptors: Sequence[Descriptors | None]) -> Descriptors | None:
    """Those that are nearest to their limit."""
    return max(descriptors, key=_share, default=None)


def _descriptor_columns(descriptors: Sequence[Descriptors | None]) -> dict[str, Column]:
    used = np.array([NO_NUMBER if each is None else each.open for each in descriptors], np.int64)
    limits = [NO_NUMBER if each is None or each.limit is None else each.limit for each in descriptors]
    limit = np.array(limits, np.int64)
    return {"descriptors": (used, limit), "descriptor_limit": (limit,)}


def _nearest_to_limit(pairs: _Pairs, codes: Codes, size: int, sample: Sample) -> dict[str, Column]:
    """For each group of rows the descriptors of the process that is nearest to its limit, of those that hold them.

    ``codes`` are the groups of the pairs' rows.
    """
    told, attribution = _descriptors(sample), _attribution(sample)
    nearest: list[Descriptors | None] = [None] * size
    for pair in distinct(codes * max(len(pairs.known), 1) + pairs.processes).tolist():
        group, number = divmod(pair, len(pairs.known))
        nearest[group] = _nearest([nearest[group], _of_process(pairs.known[number], told, attribution)])
    return _descriptor_columns(nearest)


def _share(descriptors: Descriptors | None) -> float:
    return -1.0 if descriptors is None else descriptors.open / (descriptors.limit or 2**31)


def by_service(sample: Sample, members: Members) -> Grid:
    """One row for each service: unit, container, pod, session; and one for each reason why there is none."""
    attribution = _attribution(sample)
    column = text_column(_service_names(attribution))
    codes = column.codes[_service_codes(attribution, members)].astype(np.int64)
    size = len(column.texts)
    columns = matrix(Groups(codes, sample.table.rows[members], size))
    columns["service"] = (np.arange(size),)
    pairs = _pairs(attribution, members)
    at = np.searchsorted(members, pairs.rows)
    columns |= _nearest_to_limit(pairs, codes[at], size, sample)
    return Grid(
        ViewKind.SERVICES,
        columns,
        np.flatnonzero(columns["total"][0]),
        (np.array([_hash_of(text) for text in column.texts], np.int64),),
        sample.absent_fields - {"inode"},
        {"service": column.texts},
    )


def _service_names(attribution: Attribution) -> list[str]:
    """The services of all cgroups; the same for likely holders; what to say of a row without one, by its standing."""
    services = services_of(attribution.cgroups)
    likely = [each.name if each == NO_SERVICE else f"{LIKELY_LEAD}{each.name}" for each in services]
    reasons = [NO_CGROUP if standing in NAMED else REASONS[standing] for standing in _STANDINGS]
    return [*(each.name for each in services), *likely, *reasons]


def _service_codes(attribution: Attribution, members: Members) -> Codes:
    """For each row the index into ``_service_names``."""
    cgroup, standing = (column[members].astype(np.int64) for column in (attribution.cgroup_codes, attribution.standing))
    size = len(attribution.cgroups)
    return np.where(cgroup >= 0, cgroup + size * (standing == Standing.LIKELY), 2 * size + standing)


def _hash_of(text: str) -> int:
    """A number that stands for a text in every sample."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def by_namespace(sample: Sample, members: Members) -> Grid:
    """One row for each network namespace that has sockets."""
    size = len(sample.namespaces)
    rows = sample.table.rows[members]
    columns = matrix(Groups(rows["netns"].astype(np.int64), rows, size))
    names = text_column(sample.namespaces)
    columns["netns"] = (names.codes,)
    pairs = _pairs(_attribution(sample), members)
    columns |= _nearest_to_limit(pairs, sample.table.rows["netns"][pairs.rows].astype(np.int64), size, sample)
    return Grid(
        ViewKind.NAMESPACES,
        columns,
        np.flatnonzero(columns["total"][0]),
        (np.arange(size),),
        sample.absent_fields,
        {"netns": names.texts},
    )


class _Names:
    """The columns of texts and numbers that say whose each socket is, each made when it is looked at."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample

    @property
    def _attribution(self) -> Attribution:
        return _attribution(self._sample)

    @functools.cached_property
    def process(self) -> TextColumn:
        """Who holds it, or why nobody is named."""
        holders, standing = self._attribution.codes.astype(np.int64), self._attribution.standing
        cases = (holders + 1) * len(_STANDINGS) + standing
        occurs = np.zeros((len(self._attribution.groups) + 1) * len(_STANDINGS), bool)
        occurs[cases] = True
        present = np.flatnonzero(occurs)
        number = np.cumsum(occurs) - 1
        return text_column([self._text(case) for case in present.tolist()], number[cases])

    def _text(self, case: int) -> str:
        holders, standing = divmod(case, len(_STANDINGS))
        return holders_text(Standing(standing), self._attribution.groups[holders - 1] if holders else None)

    @functools.cached_property
    def holding(self) -> TextColumn:
        """How the holders stand to it."""
        return text_column([standing.name.lower() for standing in _STANDINGS], self._attribution.standing)

    @functools.cached_property
    def service(self) -> TextColumn:
        """Its service, or why there is none."""
        codes = _service_codes(self._attribution, np.arange(len(self._sample.table)))
        return text_column(_service_names(self._attribution), codes)

    @functools.cached_property
    def netns(self) -> TextColumn:
        """The name of its namespace."""
        return text_column(self._sample.namespaces, self._sample.table.rows["netns"])

    @property
    def pid(self) -> Column:
        """The id of the first holder."""
        pids = [group[0].pid for group in self._attribution.groups]
        return (np.array([*pids, NO_NUMBER], np.int64)[self._attribution.codes],)

    @property
    def holders(self) -> Column:
        """How many hold it."""
        sizes = [len(group) for group in self._attribution.groups]
        return (np.array([*sizes, 0], np.int64)[self._attribution.codes],)


def connections(sample: Sample, mask: Mask | None) -> Grid:
    """One row for each socket."""
    rows = sample.table.rows
    columns: dict[str, Column] = {name: (rows[name],) for name in rows.dtype.names or ()}
    columns["local_address"] = (rows["local_hi"], rows["local_lo"])
    columns["remote_address"] = (rows["remote_hi"], rows["remote_lo"])
    if sample.age_ms is not None and sample.is_watched is not None:
        columns["age_ms"] = (sample.age_ms, sample.is_watched)
    names = _Names(sample)
    told = ("netns",) if sample.attribution is None else ("netns", "process", "holding", "service")
    makers: dict[str, Callable[[], Column]] = {name: functools.partial(columns.__getitem__, name) for name in columns}
    makers |= {name: functools.partial(_codes_of, names, name) for name in told}
    if sample.attribution is not None:
        makers |= {"pid": lambda: names.pid, "holders": lambda: names.holders}
    texts = Late({name: functools.partial(_texts_of, names, name) for name in told})
    members = np.arange(len(rows)) if mask is None else np.flatnonzero(mask)
    identities = (rows["cookie"], rows["netns"])
    return Grid(
        ViewKind.CONNECTIONS,
        Late(makers),
        members,
        identities,
        sample.absent_fields,
        texts,
        sample.untold,
        sample.address_names,
    )


def _texts_of(names: _Names, name: str) -> Sequence[str]:
    column: TextColumn = getattr(names, name)
    return column.texts


def _codes_of(names: _Names, name: str) -> Column:
    column: TextColumn = getattr(names, name)
    return (column.codes,)


def with_holders(grid: Grid, sample: Sample, sockets: Sequence[Members]) -> Grid:
    """``grid`` with those who hold any of some sockets for each of its rows: the row numbers in ``sockets``."""
    if sample.attribution is None:
        return grid
    attribution = sample.attribution
    groups = [
        together_of(attribution.groups[code] for code in attribution.codes[at].tolist() if code >= 0) for at in sockets
    ]
    standings = [Standing(int(attribution.standing[at[0]])) for at in sockets]
    texts = [
        holders_text(Standing.HELD, group) if group else holders_text(standing, None)
        for standing, group in zip(standings, groups, strict=True)
    ]
    names = text_column(texts)
    pids = np.array([group[0].pid if group else NO_NUMBER for group in groups], np.int64)
    columns = {**grid.columns, "process": (names.codes,), "pid": (pids,)}
    return replace(grid, columns=columns, texts={**grid.texts, "process": names.texts})
