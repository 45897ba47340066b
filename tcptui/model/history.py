"""Bounded memory of state counts over time."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcptui.model.states import STATE_COUNT

HISTORY_LENGTH = 3600
"""Samples kept: an hour at one a second."""


@dataclass(frozen=True, eq=False)
class HistoryView:
    """A stretch of history, oldest first; safe to hand to another thread."""

    monotonic_s: NDArray[np.float64]
    """Shape ``(n,)``."""
    counts: NDArray[np.uint32]
    """Sockets by state number, shape ``(n, STATE_COUNT)``."""

    def __len__(self) -> int:
        return len(self.monotonic_s)


class History:
    """A ring of the newest ``capacity`` samples' counts. Owned by one thread; hands out ``HistoryView``."""

    def __init__(self, capacity: int = HISTORY_LENGTH) -> None:
        self._times = np.zeros(capacity, np.float64)
        self._counts = np.zeros((capacity, STATE_COUNT), np.uint32)
        self._total = 0

    def append(self, monotonic_s: float, state_counts: NDArray[np.int64]) -> None:
        """Remember one sample; the oldest is forgotten once the ring is full."""
        slot = self._total % len(self._times)
        self._times[slot] = monotonic_s
        self._counts[slot] = state_counts
        self._total += 1

    def view(self, until_s: float = math.inf) -> HistoryView:
        """All that is remembered of the time up to ``until_s``, copied."""
        slots = np.arange(max(0, self._total - len(self._times)), self._total) % len(self._times)
        slots = slots[self._times[slots] <= until_s]
        return HistoryView(self._times[slots], self._counts[slots])
