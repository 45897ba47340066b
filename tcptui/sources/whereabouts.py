"""Who holds the sockets and in which cgroups they were made: found out beside the samples, and kept."""

import errno
import math
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from tcptui.analysis.matching import distinct
from tcptui.errors import system_reason
from tcptui.kernel.cgroups import cgroup2_mount, cgroup_paths
from tcptui.language import tr, tr_n
from tcptui.model.owners import Blindness, Owners, Process, no_owners
from tcptui.model.sample import Degradation, Whereabouts
from tcptui.model.table import Rows
from tcptui.sources.leaks import LeakFinder
from tcptui.sources.names import machine_names
from tcptui.sources.owners import OwnerFinder
from tcptui.sources.processes import Describe, describer
from tcptui.sources.reading import cannot_read

CGROUPS_READ_EVERY_S = 2.0
"""Where sockets are in cgroups that are not known, the tree is read again at most this often."""
LEAKS_EVERY_S = 5.0
"""How long what was found of leaks is good for: that goes through all descriptors of a busy process."""
MOST_CGROUPS = 20_000
"""Cgroups to remember; beyond it those are forgotten that have ended."""

Clock = Callable[[], float]


class WhereaboutsFinder:
    """Finds out what is asked for in each sample's rows, and keeps it. Owned by one thread."""

    def __init__(self, clock: Clock = time.monotonic, families: Iterable[int] = (4, 6)) -> None:
        """Know nothing yet; the rows will be of these families."""
        self._clock = clock
        self._finder = OwnerFinder(_make_describer, clock=clock)
        self._leak_finder = LeakFinder(families)
        self._leaks: Mapping[Process, int] | None = None
        self._leaks_due_s = -math.inf
        self._cgroups: Mapping[int, str] = {}
        self._cgroups_read_s = -math.inf
        self._cgroups_trouble: tuple[Degradation, ...] = ()
        self._pathless: set[int] = set()
        """Ids that were looked for in vain: the cgroup has ended, or is none of this mount's."""
        self._nothing = no_owners()
        self._newest: Whereabouts | None = None

    @property
    def newest(self) -> Whereabouts | None:
        """What is known; None before the first look."""
        return self._newest

    def look(self, rows: Rows, budget_s: float = math.inf, *, is_whole: bool = True) -> Whereabouts:
        """Look for what is not known of ``rows``, for at most ``budget_s``; the same object if nothing is new.

        ``is_whole`` is whether a socket is gone that is not among ``rows``.
        """
        started_s = self._clock()
        before = self._newest
        cgroups = self._look_for_cgroups(rows)
        left_s = max(started_s + budget_s - self._clock(), 0.0)
        owners, trouble = self._look_for_owners(rows, left_s, is_whole=is_whole)
        degraded = (*trouble, *self._cgroups_trouble)
        if before is not None and (owners, cgroups, degraded) == (before.owners, before.cgroups, before.degraded):
            return before
        spent_ms = (self._clock() - started_s) * 1e3
        self._newest = Whereabouts(owners, cgroups, degraded, spent_ms)
        return self._newest

    def leaks(self, rows: Rows, namespaces: Collection[int]) -> Mapping[Process, int] | None:
        """TCP sockets that each process holds and ``rows`` do not show; None before the first look.

        ``namespaces`` are the inodes of the network namespaces of which ``rows`` are all sockets.
        """
        now_s = self._clock()
        if self._newest is not None and now_s >= self._leaks_due_s:
            # It takes two looks to find any: the second is soon.
            self._leaks_due_s = now_s if self._leaks is None else now_s + LEAKS_EVERY_S
            self._leaks = self._leak_finder.look(rows, self._newest.owners, namespaces)
        return self._leaks

    def _look_for_owners(self, rows: Rows, budget_s: float, *, is_whole: bool) -> tuple[Owners, list[Degradation]]:
        try:
            owners = self._finder.look(rows, budget_s, self._cgroups, is_whole=is_whole)
        except OSError as error:
            known = self._finder.newest or self._nothing
            hint = tr("is it mounted?") if error.errno == errno.ENOENT else ""
            return known, [Degradation("owners.unreadable", cannot_read("/proc", error), hint)]
        return owners, _owners_trouble(owners)

    def _look_for_cgroups(self, rows: Rows) -> Mapping[int, str]:
        """Paths by id: read anew where a row has an id that was never looked for."""
        ids = set(distinct(rows["cgroup_id"]).tolist()) - {0}
        now_s = self._clock()
        if ids - self._cgroups.keys() - self._pathless and now_s - self._cgroups_read_s >= CGROUPS_READ_EVERY_S:
            self._cgroups_read_s = now_s
            paths, self._cgroups_trouble = _read_cgroups()
            # Those of cgroups that have ended stay: sockets outlive them.
            self._cgroups = {**self._cgroups, **paths} if len(self._cgroups) < MOST_CGROUPS else paths
            self._pathless = ids - self._cgroups.keys()
        return self._cgroups


def _make_describer() -> Describe:
    return describer({uid: name for name, uid in machine_names().users.items()})


def _owners_trouble(owners: Owners) -> list[Degradation]:
    """What keeps owners from being known."""
    if owners.hidden:
        reason = tr_n(
            "{count} process does not show which sockets it holds",
            "{count} processes do not show which sockets they hold",
            owners.hidden,
            count=owners.hidden,
        )
        return [Degradation("owners.partial", reason, "" if os.geteuid() == 0 else tr("run as root to see more"))]
    if owners.blindness is Blindness.OTHER_USERS:
        reason = tr("/proc hides the processes of other users (hidepid)")
        return [Degradation("owners.partial", reason, tr("run as root to see them"))]
    if owners.blindness is Blindness.PID_NAMESPACE:
        reason = tr("only the processes of this pid namespace are listed, so others are not named")
        return [Degradation("owners.partial", reason, tr("run on the host, or in a container with --pid=host"))]
    return []


def _read_cgroups() -> tuple[Mapping[int, str], tuple[Degradation, ...]]:
    """The path of every cgroup by its id."""
    try:
        mount = cgroup2_mount()
    except OSError as error:
        reason = tr("cannot read the mounts ({reason})", reason=system_reason(error))
        return {}, (Degradation("cgroups.absent", reason),)
    if mount is None:
        reason = tr("no cgroup v2 is mounted, so a socket's service is that of its process")
        return {}, (Degradation("cgroups.absent", reason),)
    return cgroup_paths(mount), ()
