"""What is the case on one machine while something is explained: plain values that the caller has read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tcptui.explain.commands import Selection
from tcptui.model.disk import OnDisk

NEEDS_HOLDERS = frozenset({"RLIMIT_NOFILE"})
"""The topics that tell of a process, and so take looking for those that hold sockets."""


@dataclass(frozen=True)
class NearestLimit:
    """The process that is nearest to its limit of open descriptors."""

    process: str
    """Printable."""
    pid: int
    used: int
    limit: int


@dataclass(frozen=True)
class Circumstances:
    """Live values; what is missing could not be read, or was not looked for."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """Text of /proc/sys by dotted name. A name that is missing could not be read or does not exist."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """By dotted name: ``TcpExt.ListenDrops``, ``sockstat.TCP.tw``."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """How much counters grow a second, since the sample before."""
    disk: OnDisk | None = None
    """None where the files are not about this namespace, or were not read."""
    read_only: frozenset[str] = frozenset()
    """Parameters whose file nobody may write from here."""
    nearest_limit: NearestLimit | None = None
    selection: Selection = field(default_factory=Selection)
    """What the commands to look further are to be about."""
    columns: tuple[str, ...] = ()
    """Field ids of the columns that are on the screen."""
    was_read: bool = False
    """Whether parameters were looked for at all, also where none of those that are told of was there."""
    is_sum: bool = False
    """Whether the counters are those of several namespaces together."""
