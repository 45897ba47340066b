"""Who stands behind a socket: the processes that hold it, and what to say where there is none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tcptui.language import mark


@dataclass(frozen=True)
class Process:
    """One process. Its id may be given to another later, so the time of its start belongs to its identity."""

    pid: int
    start_ticks: int
    """Clock ticks since the boot (``starttime`` of ``proc_pid_stat(5)``)."""
    name: str = field(compare=False)
    """The kernel's ``comm``, at most 15 characters, printable; like all below it is as it was last seen."""
    command: str = field(compare=False, default="")
    """The command line, printable; empty for one that has none or does not show it."""
    uid: int | None = field(compare=False, default=None)
    """Real user id."""
    user: str = field(compare=False, default="")
    """That user's name, or the number as text; empty where unknown."""
    cgroup: str = field(compare=False, default="")
    """The cgroup it is in, as ``/proc/PID/cgroup`` tells; empty where unknown."""


Holders = tuple[Process, ...]
"""The processes that hold one socket, by rising id: several if they share it (``fork(2)``, ``SCM_RIGHTS``)."""


@dataclass(frozen=True)
class Descriptors:
    """How many descriptors a process has open, and how many it may have."""

    open: int
    limit: int | None
    """Soft ``RLIMIT_NOFILE``; None where it is not told."""


class Blindness(IntEnum):
    """Why not every process can be looked at."""

    NONE = 0
    """Every process of the machine is looked at."""
    OTHER_USERS = 1
    """Processes of other users do not show their descriptors, or are not even listed (hidepid)."""
    REFUSED = 2
    """Some processes do not show their descriptors although it is root that asks (a security module, a container)."""
    PID_NAMESPACE = 3
    """Only the processes of this pid namespace are listed, and it is not the machine's first."""


@dataclass(frozen=True, eq=False)
class Owners:
    """Which processes hold which sockets, as far as has been looked. Compared by identity."""

    inodes: NDArray[np.uint32]
    """Rising, each once."""
    codes: NDArray[np.int32]
    """For each inode the index of its holders in ``groups``."""
    groups: tuple[Holders, ...]
    nobodys: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    """Rising; inodes that no process holds that may be looked at, and all have been."""
    gone: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    """Rising; inodes of sockets that were closed while their holders were looked for."""
    descriptors: Mapping[int, Descriptors] = field(default_factory=dict)
    """By process id."""
    blindness: Blindness = Blindness.NONE
    hidden: int = 0
    """Processes that do not show their descriptors."""
    looked_at: float = 1.0
    """Part of the processes that has been looked at since the first look."""
    former: frozenset[Process] = frozenset()
    """Processes that are there still, and held sockets once and do not now."""

    def processes(self) -> list[Process]:
        """Every process that holds a socket, once."""
        return list(dict.fromkeys(process for group in self.groups for process in group))

    def ended(self, holders: Iterable[Process]) -> frozenset[Process]:
        """Those of ``holders``, which held sockets in these or earlier owners, that are not there any more."""
        return frozenset(holders).difference(self.processes(), self.former)


def no_owners() -> Owners:
    """What is known where no process can be looked at."""
    return Owners(np.zeros(0, np.uint32), np.zeros(0, np.int32), ())


def owners_of(holders: Mapping[int, Holders], **known: object) -> Owners:
    """Owners with the holders of each inode; ``known`` are further fields."""
    inodes = sorted(holders)
    groups = tuple(dict.fromkeys(holders[inode] for inode in inodes))
    index = {group: number for number, group in enumerate(groups)}
    codes = np.array([index[holders[inode]] for inode in inodes], np.int32)
    return Owners(np.array(inodes, np.uint32), codes, groups, **known)  # type: ignore[arg-type] # checked by callers


class Standing(IntEnum):
    """How a row's holders stand to its socket, or why it has none."""

    HELD = 0
    """They hold it."""
    REMEMBERED = 1
    """They held it when it was last seen with a descriptor."""
    LISTENER = 2
    """They hold the listener at which it came in: it is not accepted yet, or nobody saw who accepted it."""
    SEARCHING = 3
    """Not every process has been looked at since the socket was first seen."""
    OTHER_USER = 4
    """No process that may be looked at holds it, but there are some that may not."""
    PID_NAMESPACE = 5
    """No process that is listed holds it, but only those of this pid namespace are."""
    KERNEL = 6
    """No process has a descriptor for it: the kernel's own, held by io_uring, or just being passed on."""
    EARLIER = 7
    """Its program had closed it before it was first seen, and that was when the watching began."""
    BRIEF = 8
    """Its program opened and closed it between two samples."""
    GONE = 9
    """It was closed while its holder was looked for."""
    REFUSED = 10
    """No process that may be looked at holds it, but some do not show even root what they hold."""
    LIKELY = 11
    """Nobody saw whose it was, but all that were seen and then closed, towards the same far end, are of that name."""
    UNTOLD = 12
    """The source of the samples does not tell of processes."""


NAMED = frozenset({Standing.HELD, Standing.REMEMBERED, Standing.LISTENER, Standing.LIKELY})
"""The standings in which a row has holders."""


REASONS = {
    Standing.SEARCHING: mark("(looking)"),
    Standing.OTHER_USER: mark("(other user)"),
    Standing.PID_NAMESPACE: mark("(other pid ns)"),
    Standing.KERNEL: mark("(kernel)"),
    Standing.EARLIER: mark("(closed before)"),
    Standing.BRIEF: mark("(too brief)"),
    Standing.GONE: mark("(gone)"),
    Standing.REFUSED: mark("(not shown)"),
    Standing.UNTOLD: mark("(not told)"),
}
"""What stands in the place of a process where none is named, and can be filtered by: in English in every language.

What a person is shown says ``analysis.texts.cell_text``."""
LIKELY_LEAD = "likely "
"""What stands before the name of a process or service that is only likely."""
NO_CGROUP = mark("(no cgroup)")
"""What stands in the place of a service where the process is named and its cgroup is not known."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """Who stands behind each row of a table, and in which cgroup it was made. Compared by identity."""

    codes: NDArray[np.int32]
    """For each row the index of its holders in ``groups``; -1 where there are none."""
    groups: tuple[Holders, ...]
    standing: NDArray[np.uint8]
    """A ``Standing`` for each row."""
    cgroup_codes: NDArray[np.int32]
    """For each row the index of its cgroup in ``cgroups``; -1 where it is not known."""
    cgroups: tuple[str, ...]
    """Paths."""
    ended: frozenset[Process] = frozenset()
    """Processes among ``groups`` that are not there any more."""
