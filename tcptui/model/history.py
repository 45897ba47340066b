"""Bounded memory over time: how many sockets were in each state, and how they came, went and moved."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcptui.model.states import STATE_COUNT, TcpState

HISTORY_LENGTH = 3600
"""Samples kept one by one: an hour at one a second."""
STRETCH_S = 15.0
"""Stretches of time that older samples are kept by, each with its last and its highest counts."""
STRETCHES = 24 * 60 * 4
"""A day of them."""


@dataclass(frozen=True, eq=False)
class Transitions:
    """Sockets that came, went and moved between two samples."""

    opened: NDArray[np.int64]
    """New sockets by the state they are in, shape ``(STATE_COUNT,)``."""
    closed: NDArray[np.int64]
    """Vanished sockets by the state they were last seen in, shape ``(STATE_COUNT,)``."""
    moved: NDArray[np.uint32]
    """Sockets by state before and after, shape ``(STATE_COUNT, STATE_COUNT)``; on the diagonal those that stayed."""
    elapsed_s: float = 0.0
    """Between the samples."""
    brief: int | None = None
    """Connections that came and went in between, in no sample at all; None where the kernel does not tell."""
    is_brief_exact: bool = True
    """Whether none of them was missed."""

    @property
    def opened_per_s(self) -> float:
        """Sockets that came into being, the brief ones too."""
        return self._per_s(int(self.opened.sum()) + (self.brief or 0))

    @property
    def closed_per_s(self) -> float:
        """Sockets that ended, the brief ones too."""
        return self._per_s(int(self.closed.sum()) + (self.brief or 0))

    @property
    def brief_per_s(self) -> float:
        """Those that came and went in between."""
        return self._per_s(self.brief or 0)

    def opened_in_per_s(self, state: TcpState) -> float:
        """New sockets that a sample saw in ``state`` first."""
        return self._per_s(int(self.opened[state]))

    def closed_in_per_s(self, state: TcpState) -> float:
        """Sockets that were in ``state`` when they were last seen."""
        return self._per_s(int(self.closed[state]))

    def moved_per_s(self, before: TcpState, after: TcpState) -> float:
        """Sockets that went from one state to another."""
        return self._per_s(int(self.moved[before, after]))

    def _per_s(self, count: int) -> float:
        return count / self.elapsed_s if self.elapsed_s > 0 else 0.0


@dataclass(frozen=True, eq=False)
class HistoryView:
    """A part of history, oldest first; safe to hand to another thread."""

    monotonic_s: NDArray[np.float64]
    """When each entry's last sample was taken; shape ``(n,)``."""
    counts: NDArray[np.uint32]
    """Sockets by state number in that sample, shape ``(n, STATE_COUNT)``."""
    peaks: NDArray[np.uint32]
    """The most that each state had in any sample of the entry: the same as ``counts`` where it is of one sample."""

    def __len__(self) -> int:
        return len(self.monotonic_s)

    def until(self, monotonic_s: float) -> "HistoryView":
        """The entries up to a time."""
        size = int(np.searchsorted(self.monotonic_s, monotonic_s, side="right"))
        return HistoryView(self.monotonic_s[:size], self.counts[:size], self.peaks[:size])


NO_HISTORY = HistoryView(np.zeros(0), *(np.zeros((0, STATE_COUNT), np.uint32) for _ in range(2)))

_CHANGES = np.dtype(
    [
        ("opened", "u4", (STATE_COUNT,)),
        ("closed", "u4", (STATE_COUNT,)),
        ("moved", "u4", (STATE_COUNT, STATE_COUNT)),
        ("elapsed_s", "f8"),
        ("brief", "i8"),
        ("is_brief_exact", "?"),
        ("is_known", "?"),
    ]
)
"""``Transitions`` in a row of an array. ``brief`` is negative where the kernel does not tell."""
_UNKNOWN = np.zeros((), _CHANGES)


class History:
    """A day of counts in bounded memory. Owned by one thread; hands out ``HistoryView``.

    The newest ``capacity`` samples are kept one by one, with what changed before each. What falls out of there goes
    into stretches of ``STRETCH_S``, of which the last sample's counts and the highest are kept. ``BYTES`` is what that
    takes when it is full: 5,254,560, of which 4,212,000 are for what changed.
    """

    BYTES = HISTORY_LENGTH * (8 + 4 * STATE_COUNT + _CHANGES.itemsize) + STRETCHES * (8 + 2 * 4 * STATE_COUNT)

    def __init__(self, capacity: int = HISTORY_LENGTH, stretches: int = STRETCHES) -> None:
        self._times = np.zeros(capacity, np.float64)
        self._counts = np.zeros((capacity, STATE_COUNT), np.uint32)
        self._changes = np.zeros(capacity, _CHANGES)
        self._total = 0
        self._old_times = np.zeros(stretches, np.float64)
        self._old_counts = np.zeros((stretches, STATE_COUNT), np.uint32)
        self._old_peaks = np.zeros((stretches, STATE_COUNT), np.uint32)
        self._old_total = 0

    def append(
        self, monotonic_s: float, state_counts: NDArray[np.int64], transitions: Transitions | None = None
    ) -> None:
        """Remember one sample; the oldest goes into its stretch once there is no room for it."""
        slot = self._total % len(self._times)
        if self._total >= len(self._times):
            self._put_away(self._times[slot], self._counts[slot])
        self._times[slot] = monotonic_s
        self._counts[slot] = state_counts
        self._changes[slot] = _UNKNOWN if transitions is None else _row_of(transitions)
        self._total += 1

    def _put_away(self, monotonic_s: float, counts: NDArray[np.uint32]) -> None:
        """Have a sample in the stretch that it belongs to; the oldest stretch is forgotten after a day."""
        slot = (self._old_total - 1) % len(self._old_times)
        if not self._old_total or monotonic_s // STRETCH_S != self._old_times[slot] // STRETCH_S:
            self._old_total += 1
            slot = (self._old_total - 1) % len(self._old_times)
            self._old_peaks[slot] = 0
        self._old_times[slot] = monotonic_s
        self._old_counts[slot] = counts
        self._old_peaks[slot] = np.maximum(self._old_peaks[slot], counts)

    def view(self, until_s: float = math.inf) -> HistoryView:
        """All that is remembered of the time up to ``until_s``, copied."""
        old, new = self._old_total, self._total
        return HistoryView(
            np.concatenate((*_parts(self._old_times, old), *_parts(self._times, new))),
            np.concatenate((*_parts(self._old_counts, old), *_parts(self._counts, new))),
            np.concatenate((*_parts(self._old_peaks, old), *_parts(self._counts, new))),
        ).until(until_s)

    def transitions_at(self, monotonic_s: float) -> Transitions | None:
        """What changed before the sample of that time; None where that could not be told, or is not kept any more."""
        times = np.concatenate(_parts(self._times, self._total))
        at = int(np.searchsorted(times, monotonic_s))
        if at == len(times) or times[at] != monotonic_s:
            return None
        first = max(0, self._total - len(self._times))
        return _transitions_in(self._changes[(first + at) % len(self._times)])


def _parts(ring: NDArray[np.generic], total: int) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """What is in a ring, in which ``total`` values were put one after the other, the older part first."""
    if total <= len(ring):
        return ring[:0], ring[:total]
    return ring[total % len(ring) :], ring[: total % len(ring)]


def _row_of(transitions: Transitions) -> tuple[object, ...]:
    brief = -1 if transitions.brief is None else transitions.brief
    tables = (transitions.opened, transitions.closed, transitions.moved)
    return (*tables, transitions.elapsed_s, brief, transitions.is_brief_exact, True)


def _transitions_in(row: np.void) -> Transitions | None:
    if not row["is_known"]:
        return None
    return Transitions(
        opened=row["opened"].astype(np.int64),
        closed=row["closed"].astype(np.int64),
        moved=row["moved"].copy(),
        elapsed_s=float(row["elapsed_s"]),
        brief=int(row["brief"]) if row["brief"] >= 0 else None,
        is_brief_exact=bool(row["is_brief_exact"]),
    )
