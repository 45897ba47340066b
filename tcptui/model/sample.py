"""One look at the kernel: the table, and everything needed to judge how far to trust it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tcptui.language import tr
from tcptui.model.detail import SocketDetail
from tcptui.model.disk import OnDisk
from tcptui.model.fields import endpoint_text
from tcptui.model.owners import Attribution, Owners, Process
from tcptui.model.table import Mask, Rows, SocketTable


@dataclass(frozen=True)
class Degradation:
    """Something that could not be read or is not exact, said once, in the language in force."""

    code: str
    """Stable name for programs, such as ``netlink.unavailable``."""
    reason: str
    hint: str = ""
    """What to do about it; empty when there is nothing to do."""

    def __str__(self) -> str:
        return tr("{problem}: {advice}", problem=self.reason, advice=self.hint) if self.hint else self.reason


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
    """Where samples come from; the same for all samples of one source. Texts are printable, and empty where unknown."""

    host: str
    kernel: str
    source: str
    """Which interface is read: ``sock_diag``, ``/proc/net/tcp``, ``psutil``, ``demo leak``."""
    netns: str = "self"
    options: tuple[str, ...] = ()
    """The words of the command line that choose this source again."""
    is_still: bool = False
    """Whether there is one sample only, of some time past: it has no interval, no ages and no rates."""
    tells_time: bool = True
    """Whether it is known when the sample was taken."""


@dataclass(frozen=True, eq=False)
class Whereabouts:
    """What has been found out about processes and cgroups, apart from the samples. Compared by identity."""

    owners: Owners
    cgroups: Mapping[int, str] = field(default_factory=dict)
    """Path by cgroup id."""
    degraded: tuple[Degradation, ...] = ()
    """What of it could not be read."""
    spent_ms: float = 0.0
    """What the last look cost."""


@dataclass(frozen=True, eq=False)
class Destroyed:
    """Sockets that the kernel has freed since the sample before, as its destroy events tell (FACTS section 6.6)."""

    rows: Rows
    """Dtype ``ROW``, in CLOSE; cookie, namespace, family, addresses and ports are known, the rest is 0."""
    is_complete: bool = True
    """Whether it is known to be all of them."""


def destroyed_together(before: Destroyed | None, after: Destroyed | None) -> Destroyed | None:
    """What was freed until a sample that nobody looked at, and from there until the next.

    None where the second does not tell, and not complete where the first does not.
    """
    if before is None or after is None:
        return None if after is None else replace(after, is_complete=False)
    rows = np.concatenate((before.rows, after.rows))
    return Destroyed(rows, is_complete=before.is_complete and after.is_complete)


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample. Compared by identity."""

    origin: Origin
    taken_at: datetime
    """Wall clock, with a time zone; where the origin does not tell it, when the source was read."""
    monotonic_s: float
    """For differences between samples of one source."""
    table: SocketTable
    namespaces: tuple[str, ...] = ("self",)
    """Names by the table's ``netns`` index; one that has ended has an empty name."""
    namespace_parameters: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    """Kernel parameters by the table's ``netns`` index, where there are several namespaces."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """Counters as ``Tcp.CurrEstab`` and ``TcpExt.ListenDrops``, gauges as ``sockstat.TCP.tw``."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Kernel parameters by dotted name; one that is absent or unreadable has no entry."""
    disk: OnDisk | None = None
    """Kernel parameters as files set them for the next boot; None where those files are about another namespace."""
    read_only_parameters: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Names, by the table's ``netns`` index, that nobody may change from here."""
    cost: Cost = Cost()
    degraded: tuple[Degradation, ...] = ()
    absent_fields: frozenset[str] = frozenset()
    """Fields that this source cannot know; they are shown as unknown, never as 0.

    ``holders`` is among them where it does not tell who holds a socket."""
    untold: Mapping[str, Mask] = field(default_factory=dict)
    """By field the rows in which it is unknown, where it is known in others."""
    address_names: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """What stands in the place of addresses of ``model.address.STAND_IN_PREFIX``, printable."""
    is_whole: bool = True
    """Whether every socket is in the table; otherwise those that a filter may mean, and the listeners."""
    whereabouts: Whereabouts | None = None
    """Who holds the sockets, and in which cgroups; None where nobody has looked."""
    attribution: Attribution | None = None
    """Who stands behind each row; None where nobody asked for it."""
    age_ms: NDArray[np.int64] | None = None
    """How long each socket has been in its state at least; None before a monitor has watched them."""
    is_watched: Mask | None = None
    """Whether each socket came into its state under watch, so that its age is all of it, to an interval."""
    destroyed: Destroyed | None = None
    """What was freed since the sample before; None where the events are not to be had. A monitor keeps of it what no
    sample has shown."""
    leaks: Mapping[Process, int] | None = None
    """TCP sockets that a process has held for two looks at least and no table shows; None where nobody looked."""
    detail: SocketDetail | None = None
    """More about the one socket that was asked for; None where it is gone, or none was."""

    def is_known(self, field_id: str, row: int) -> bool:
        """Whether a field is known in one row of the table."""
        return field_id not in self.absent_fields and not (field_id in self.untold and self.untold[field_id][row])

    def end_text(self, end: tuple[int, int, int]) -> str:
        """An address with its port; the name where that is all that is known."""
        name = self.address_names.get(end[:2])
        if name is None:
            return endpoint_text(end)
        return f"{name}:{end[2]}" if end[2] else name

    @property
    def owners(self) -> Owners | None:
        """Who holds the sockets; None where nobody has looked."""
        return self.whereabouts.owners if self.whereabouts else None

    @property
    def cgroups(self) -> Mapping[int, str] | None:
        """Path by cgroup id; None where nobody has looked."""
        return self.whereabouts.cgroups if self.whereabouts else None
