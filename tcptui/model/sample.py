"""One look at the kernel: the table, and everything needed to judge how far to trust it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tcptui.model.owners import Owners
from tcptui.model.table import SocketTable


@dataclass(frozen=True)
class Degradation:
    """Something that could not be read or is not exact, said once."""

    code: str
    """Stable name for programs, such as ``netlink.unavailable``."""
    reason: str
    hint: str = ""
    """What to do about it; empty when there is nothing to do."""

    def __str__(self) -> str:
        return f"{self.reason}: {self.hint}" if self.hint else self.reason


@dataclass(frozen=True)
class Cost:
    """What taking the sample cost, in milliseconds of wall time."""

    dump_ms: float = 0.0
    """Waiting for the kernel's socket table."""
    decode_ms: float = 0.0
    """Turning it into columns."""
    owners_ms: float = 0.0
    """Finding out which process holds which socket."""
    total_ms: float = 0.0


@dataclass(frozen=True)
class Origin:
    """Where samples come from; the same for all samples of one source. All texts are printable."""

    host: str
    kernel: str
    source: str
    """Which interface is read: ``sock_diag``, ``/proc/net/tcp``, ``psutil``, ``demo leak``."""
    netns: str = "self"
    options: tuple[str, ...] = ()
    """The words of the command line that choose this source again."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample. Compared by identity."""

    origin: Origin
    taken_at: datetime
    """Wall clock, with a time zone."""
    monotonic_s: float
    """For differences between samples of one source."""
    table: SocketTable
    namespaces: tuple[str, ...] = ("self",)
    """Names by the table's ``netns`` index."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """Counters as ``Tcp.CurrEstab`` and ``TcpExt.ListenDrops``, gauges as ``sockstat.TCP.tw``."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Kernel parameters by dotted name; one that is absent or unreadable has no entry."""
    cost: Cost = Cost()
    degraded: tuple[Degradation, ...] = ()
    absent_fields: frozenset[str] = frozenset()
    """Fields that this source cannot know; they are shown as unknown, never as 0."""
    is_whole: bool = True
    """Whether every socket is in the table; otherwise those that a filter may mean, and the listeners."""
    owners: Owners | None = None
    """Who holds the sockets; None where nobody asked for it."""
    cgroups: Mapping[int, str] | None = None
    """Path by cgroup id; None where nobody asked for it."""
    age_ms: NDArray[np.int64] | None = None
    """How long each socket has been in its state at least; None before a monitor has watched them."""
