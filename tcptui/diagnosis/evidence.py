"""What rules judge: the sockets of a sample, what earlier samples told, counters' growth, parameters and thresholds."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import positions
from tcptui.diagnosis.counters import Growth
from tcptui.diagnosis.sockets import Index, Sockets
from tcptui.diagnosis.thresholds import DEFAULTS, Thresholds
from tcptui.diagnosis.trend import Points
from tcptui.model.owners import Process
from tcptui.model.sample import Sample
from tcptui.model.table import identities_of

PAGE_BYTES = 4096
"""What tcp_mem counts in, on every machine that this program has been tried on."""

_FIRST_KNOWN_KERNEL = (4, 4)
"""From here on half-open connections are in the global table, and what is said of parameters has been checked."""

LASTING_S = 4.0
"""What has gone on for so long is no single event: a restart, or the start of a load."""

_NO_IDENTITIES = np.zeros(0, np.uint64)


@dataclass(frozen=True, eq=False)
class Stillness:
    """Sockets that are stuck, and since when."""

    identities: NDArray[np.uint64] = field(default_factory=lambda: _NO_IDENTITIES)
    """Rising."""
    values: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """What has not changed since then."""
    since_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def followed_by(self, identities: NDArray[np.uint64], values: NDArray[np.int64], now_s: float) -> "Stillness":
        """Those that are stuck now: since now, or since when they were so with the same value."""
        order = np.argsort(identities)
        identities, values = identities[order], values[order]
        since_s = np.full(len(identities), now_s)
        at = positions(self.identities, identities)
        known = np.flatnonzero(at >= 0)
        same = known[self.values[at[known]] == values[known]]
        since_s[same] = self.since_s[at[same]]
        return Stillness(identities, values, since_s)

    def for_s(self, identities: NDArray[np.uint64], now_s: float) -> NDArray[np.float64]:
        """How long each has been stuck as far as was watched; 0 for one that is not."""
        at = positions(self.identities, identities)
        found = np.zeros(len(identities))
        found[at >= 0] = now_s - self.since_s[at[at >= 0]]
        return found


@dataclass(frozen=True)
class QueuePast:
    """What an accept queue has gone through while it was watched."""

    peak: int = 0
    near: int = 0
    """Samples in a row in which it was nearly full."""
    over: int = 0
    """Samples in a row in which it was over its backlog."""


@dataclass(frozen=True, eq=False)
class Past:
    """What samples up to this one told."""

    samples: int = 1
    watched_s: float = 0.0
    window: Growth = field(default_factory=Growth)
    """Of the counters, over the last half minute or as long as it has been watched."""
    steps: tuple[Growth, ...] = ()
    """The same from each sample to the next, as far back as it matters; the newest last."""
    close_waits: Mapping[str, Points] = field(default_factory=dict)
    """How many each process holds, by ``Held.key``."""
    leaks: Mapping[Process, Points] = field(default_factory=dict)
    queues: Mapping[tuple[int, ...], QueuePast] = field(default_factory=dict)
    """By ``Listeners.key``."""
    used: Mapping[tuple[int, ...], Points] = field(default_factory=dict)
    """Local ports in use towards each busy destination, by ``Destination.key``."""
    gauges: Mapping[str, Points] = field(default_factory=dict)
    """Gauges that have a limit."""
    sending: Stillness = field(default_factory=Stillness)
    """Sockets whose peer has closed its window."""
    unread: Stillness = field(default_factory=Stillness)
    """Sockets whose program does not read."""
    mismatches: int = 0
    """Samples in a row in which table and gauges differed."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that rules may look at. In it are the sockets of one namespace, or of all."""

    sockets: Sockets
    past: Past = field(default_factory=Past)
    thresholds: Thresholds = DEFAULTS
    is_filtered: bool = False
    """Whether the sockets are those that a filter means."""

    @property
    def sample(self) -> Sample:
        """The sample that is judged."""
        return self.sockets.sample

    @property
    def window(self) -> Growth:
        """How the counters have grown lately."""
        return self.past.window

    def threshold(self, id: str) -> float:
        """The number in force."""
        return self.thresholds[id]

    @property
    def recent(self) -> Growth:
        """How the counters have grown since the sample before."""
        return self.past.steps[-1] if self.past.steps else Growth()

    def is_lasting(self, holds: Callable[[Growth], bool]) -> bool:
        """Whether something has held of the counters' growth without a break for some seconds: no single event."""
        seconds = 0.0
        for step in reversed(self.past.steps):
            if not holds(step):
                return False
            seconds += step.elapsed_s
            if seconds >= LASTING_S:
                return True
        return False

    # -- Numbers -------------------------------------------------------------------------------------------------------

    @property
    def parameters(self) -> Mapping[str, str]:
        """Kernel parameters of the namespace."""
        return self.sockets.parameters

    def parameter(self, name: str, at: int = 0) -> int | None:
        """A number of a parameter; None where it is not known."""
        return self.sockets.parameter(name, at)

    def gauge(self, name: str) -> int | None:
        """A gauge or counter as it is; None where it is not known."""
        return self.sample.counters.get(name)

    @property
    def knows_ages(self) -> bool:
        """Whether it is known how long sockets have been in their state."""
        return self.sockets.knows("idle_ms") or self.past.watched_s > 0

    @property
    def is_known_kernel(self) -> bool:
        """Whether what is said of parameters holds for this kernel; one that is not told is taken for a present one."""
        found = re.match(r"(\d+)\.(\d+)", self.sample.origin.kernel)
        return found is None or (int(found[1]), int(found[2])) >= _FIRST_KNOWN_KERNEL

    def still_s(self, stillness: Stillness, index: Index) -> NDArray[np.float64]:
        """How long each of these rows has been stuck."""
        rows = self.sample.table.rows[index]
        return stillness.for_s(identities_of(rows), self.sample.monotonic_s)

    def within(self, netns: int) -> "Evidence":
        """The sockets of one namespace alone."""
        mask = self.sample.table.rows["netns"] == netns
        if self.sockets.mask is not None:
            mask &= self.sockets.mask
        return replace(self, sockets=Sockets(self.sample, mask, netns))
