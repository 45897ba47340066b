"""Bounded memory over time: how many sockets were in each state, and how they came, went and moved."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcptui.model.states import STATE_COUNT, TcpState

HISTORY_LENGTH = 3600
"""Samples kept: an hour at one a second."""


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
    """A stretch of history, oldest first; safe to hand to another thread."""

    monotonic_s: NDArray[np.float64]
    """Shape ``(n,)``."""
    counts: NDArray[np.uint32]
    """Sockets by state number, shape ``(n, STATE_COUNT)``."""
    transitions: tuple[Transitions | None, ...] = ()
    """What changed since the entry before, one an entry; None where that cannot be told."""

    def __len__(self) -> int:
        return len(self.monotonic_s)


class History:
    """A ring of the newest ``capacity`` samples' counts. Owned by one thread; hands out ``HistoryView``."""

    def __init__(self, capacity: int = HISTORY_LENGTH) -> None:
        self._times = np.zeros(capacity, np.float64)
        self._counts = np.zeros((capacity, STATE_COUNT), np.uint32)
        self._transitions: deque[Transitions | None] = deque(maxlen=capacity)
        self._total = 0

    def append(
        self, monotonic_s: float, state_counts: NDArray[np.int64], transitions: Transitions | None = None
    ) -> None:
        """Remember one sample; the oldest is forgotten once the ring is full."""
        slot = self._total % len(self._times)
        self._times[slot] = monotonic_s
        self._counts[slot] = state_counts
        self._transitions.append(transitions)
        self._total += 1

    def view(self, until_s: float = math.inf) -> HistoryView:
        """All that is remembered of the time up to ``until_s``, copied."""
        slots = np.arange(max(0, self._total - len(self._times)), self._total) % len(self._times)
        shown = slots[self._times[slots] <= until_s]
        return HistoryView(self._times[shown], self._counts[shown], tuple(self._transitions)[: len(shown)])
