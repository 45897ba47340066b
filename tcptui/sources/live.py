"""The Linux kernel of this machine: sock_diag, or /proc/net/tcp where that is not to be had."""

import errno
import math
import os
import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from tcptui.analysis.matching import distinct, positions
from tcptui.errors import SourceError, system_reason
from tcptui.kernel.namespaces import (
    ALL,
    FoundNamespace,
    all_namespaces,
    is_namespace_of_init,
    namespace_path,
    own_namespace,
    run_in_each,
    run_in_namespace,
)
from tcptui.kernel.processes import hides_processes
from tcptui.language import tr, tr_n
from tcptui.model.detail import SocketDetail, SocketKey
from tcptui.model.sample import Cost, Degradation, Origin, Sample, Whereabouts
from tcptui.model.table import Rows, SocketTable
from tcptui.query.request import EVERYTHING_PLAIN, FOUND_BESIDE, Need, Request
from tcptui.sources.base import family_options
from tcptui.sources.destroyed import DestroyedSockets
from tcptui.sources.disk import DiskReader
from tcptui.sources.machine import host_and_kernel
from tcptui.sources.place import HIGHEST_NUMBER, MACHINE_WIDE, Neighbour, Place, Roll, Wanted, joined, lasting, summed
from tcptui.sources.reading import Reading
from tcptui.sources.whereabouts import WhereaboutsFinder
from tcptui.text import printable

LISTED_EVERY_S = 2.0
"""How long a list of the namespaces is good for."""
REFRESHED_EVERY_S = 10.0
"""How old what is not read with each sample may be, where few namespaces are due at a time."""
REFRESHED_AT_ONCE = 10
"""Namespaces that are entered for it in one sample: 66 parameters of each take 1.5 ms."""

_DESCRIPTORS_EACH = 9
"""That a place holds open, at most."""
_DESCRIPTORS_LEFT = 256
"""For all that is no place."""
_GONE = frozenset({errno.ENOENT, errno.ESRCH, errno.EINVAL})
"""What says that there is no such network namespace, but one that has ended, or one of another kind."""


class LiveSource:
    """Samples of one network namespace, or of all that this machine has."""

    def __init__(
        self,
        *,
        netns: str | None = None,
        families: Iterable[int] = (4, 6),
        reader: str = "auto",
        parameters: Iterable[str] = (),
        counters: bool = True,
        destroyed: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open everything that will be read, inside the namespace.

        Args:
            netns: name, pid or path; None is the namespace of this process; ``all`` is every namespace, and the others
                are looked for with the first sample.
            families: 4, 6 or both.
            reader: ``netlink``, ``proc``, or ``auto`` for the first of them that works.
            parameters: dotted names of the kernel parameters to read with each sample.
            counters: whether to read the counters.
            destroyed: whether to listen to what the kernel tells of sockets that it frees. That costs it 2 us a socket
                anywhere on the machine, and is of use only where one sample follows another.
            clock: tells what ``time.monotonic`` does.

        Raises:
            RequestError: there is no such namespace.
            SourceError: it cannot be entered or read.
        """
        self._wanted = Wanted(tuple(families), reader, tuple(parameters), counters)
        self._clock = clock
        self._places: dict[int, Place] = {}
        """By index into ``Sample.namespaces``; what has ended or cannot be opened has none."""
        self._netns_inodes: dict[int, int] = {}
        """Of the namespaces of these places."""
        self._roll = _new_roll() if netns == ALL else None
        """None where one namespace is all that is looked at."""
        self._listed_s = clock() - LISTED_EVERY_S
        self._refreshed_s: dict[int, float] = {}
        """When the places of other namespaces were refreshed last, by index."""
        self._left_out = _LeftOut()
        self._ended_counters: dict[str, int] = {}
        self._destroyed = DestroyedSockets(self._wanted.families) if destroyed else None
        # The files are for the namespace that the machine has booted with.
        is_booted = netns in (None, ALL) and is_namespace_of_init()
        self._disk = DiskReader(self._wanted.parameters, clock) if parameters and is_booted else None
        if netns in (None, ALL):
            self._open_place(0)
        else:
            run_in_namespace(namespace_path(netns), lambda: self._open_place(0))
        if self._roll is not None:
            room = (_raise_descriptor_limit() - _DESCRIPTORS_LEFT) // _DESCRIPTORS_EACH
            self._most_places = min(room, HIGHEST_NUMBER + 1)
        self._whereabouts = WhereaboutsFinder(families=self._wanted.families)
        self._is_whole = True
        """Whether the last sample was."""
        host, kernel = host_and_kernel()
        shown_netns = "self" if netns is None else printable(netns)
        options = [*(() if netns is None else ("-N", netns)), *family_options(self._wanted.families)]
        if reader != "auto":
            options += ["--source", reader]
        self._origin = Origin(host, kernel, self._places[0].reader_name, shown_netns, tuple(map(printable, options)))

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        started = time.perf_counter()
        self._look_around()
        taken_at, monotonic_s = datetime.now(timezone.utc), self._clock()
        trouble: list[Degradation] = []
        destroyed = None
        if self._destroyed is not None and not (request.is_glance and self._destroyed.has_room):
            destroyed = self._destroyed.take(monotonic_s, trouble)
        reading = self._read_places(request, trouble)
        self._is_whole = reading.is_whole
        found = self._found(reading.rows, request) if request.needs & FOUND_BESIDE else self._whereabouts.newest
        detail = self._look_up(request.watched, trouble) if request.watched is not None else None
        counters = {} if request.is_glance else self._read_counters(trouble)
        if Need.STRAIN in request.needs:
            counters |= self._places[0].strain(trouble)
        leaks = (
            self._whereabouts.leaks(reading.rows, self._netns_inodes.values()) if Need.LEAKS in request.needs else None
        )
        parameters = {0: {}} if request.is_glance else self._read_parameters(trouble)
        return Sample(
            origin=self._origin,
            taken_at=taken_at,
            monotonic_s=monotonic_s,
            table=SocketTable(reading.rows),
            namespaces=(self._origin.netns,) if self._roll is None else tuple(self._roll.labels),
            namespace_parameters={} if self._roll is None else parameters,
            counters=counters,
            parameters=parameters[0],
            disk=self._disk.read() if self._disk is not None and not request.is_glance else None,
            read_only_parameters={index: place.read_only_parameters for index, place in self._places.items()},
            cost=Cost(
                dump_ms=reading.dump_s * 1e3,
                decode_ms=reading.decode_s * 1e3,
                owners_ms=found.spent_ms if found and request.needs & FOUND_BESIDE else 0.0,
                total_ms=(time.perf_counter() - started) * 1e3,
            ),
            degraded=tuple(dict.fromkeys(trouble)),
            absent_fields=reading.absent_fields,
            is_whole=reading.is_whole,
            whereabouts=found,
            destroyed=destroyed,
            leaks=leaks,
            detail=detail,
        )

    def look(self, rows: Rows, budget_s: float = math.inf) -> Whereabouts:
        """Find out who holds the sockets in ``rows``, as far as it is not known, for about ``budget_s`` at most.

        The rows are those of the last sample.
        """
        return self._whereabouts.look(rows, budget_s, is_whole=self._is_whole)

    def _found(self, rows: Rows, request: Request) -> Whereabouts:
        """All that can be found out about ``rows`` at once: where a socket is nobody's, whether it is still there."""
        found = self.look(rows)
        if not len(found.owners.nobodys):
            return found
        there = distinct(self._read_places(request, []).rows["inode"])
        is_there = positions(there, found.owners.nobodys) >= 0
        nobodys, gone = found.owners.nobodys[is_there], found.owners.nobodys[~is_there]
        return replace(found, owners=replace(found.owners, nobodys=nobodys, gone=gone))

    def _look_up(self, key: SocketKey, trouble: list[Degradation]) -> SocketDetail | None:
        """More about one socket; None if it is gone."""
        place = self._places.get(key.netns)
        try:
            return place.look_up(key) if place is not None else None
        except SourceError as error:
            trouble.append(Degradation("detail.unreadable", error.message))
            return None

    def close(self) -> None:
        if self._destroyed is not None:
            self._destroyed.close()
        for place in self._places.values():
            place.close()

    # -- What is read ----------------------------------------------------------------------------------------------

    def _read_places(self, request: Request, trouble: list[Degradation]) -> Reading:
        """The sockets of all namespaces that are looked at."""
        readings = []
        unread = 0
        for index, place in self._places.items():
            try:
                reading = place.read(request, trouble)
            except SourceError:
                if index == 0:
                    raise
                unread += 1
                continue
            readings.append(reading)
            trouble += (*place.trouble, *reading.degraded)
        trouble += self._left_out.trouble(unread)
        return joined(readings)

    def _read_counters(self, trouble: list[Degradation]) -> dict[str, int]:
        """The sums over the namespaces, ended ones included; what belongs to the machine once."""
        here, *others = [place.counters(trouble) for place in self._places.values()]
        if self._roll is None:
            return here
        total = summed([here, *others, self._ended_counters])
        return {name: here.get(name, value) if name in MACHINE_WIDE else value for name, value in total.items()}

    def _read_parameters(self, trouble: list[Degradation]) -> dict[int, dict[str, str]]:
        """The parameters of each namespace."""
        return {index: place.parameters(trouble) for index, place in self._places.items()}

    # -- Which namespaces are looked at ----------------------------------------------------------------------------

    def _open_place(self, index: int) -> None:
        """Open all that is read of a namespace; the calling thread is in it.

        Raises:
            SourceError: it cannot be read.
        """
        self._places[index] = Place(self._wanted) if index == 0 else Neighbour(self._wanted, index)
        self._netns_inodes[index] = own_namespace()
        if self._destroyed is not None:
            self._destroyed.open(index)

    def _forget_place(self, index: int) -> None:
        """Close all that is read of a namespace, without which it ends as soon as its last process does."""
        place = self._places.pop(index)
        del self._netns_inodes[index]
        del self._refreshed_s[index]
        if self._destroyed is not None:
            self._destroyed.drop(index)
        self._ended_counters = summed([self._ended_counters, lasting(place.counters([]))])
        place.close()

    def _look_around(self) -> None:
        """Follow the namespaces that come and go, and refresh what is not read with each sample."""
        if self._roll is None:
            return
        now_s = self._clock()
        if now_s - self._listed_s >= LISTED_EVERY_S:
            self._listed_s = now_s
            self._follow(self._roll)
        self._refresh(self._roll, now_s)

    def _follow(self, roll: Roll) -> None:
        """Forget the namespaces that have ended and open those that are new."""
        try:
            namespaces, hidden = all_namespaces()
        except OSError as error:
            self._left_out = _LeftOut(unlisted=system_reason(error) if error.strerror else str(error))
            return
        for index in roll.ended(namespaces):
            self._forget_place(index)
            roll.forget(index)
        unknown = roll.unknown(namespaces)
        room = max(self._most_places - len(self._places), 0)
        opened = run_in_each(unknown[:room], lambda namespace: self._open_neighbour(roll, namespace))
        roll.update(namespaces)
        self._left_out = _LeftOut(
            hidden=hidden,
            refused=sum(isinstance(each, OSError) and each.errno not in _GONE for each in opened),
            unreadable=opened.count(False),
            crowded_out=len(unknown[room:]),
            is_blind=hides_processes(),
        )

    def _open_neighbour(self, roll: Roll, namespace: FoundNamespace) -> bool:
        """Open the place of another namespace, which the calling thread is in, under an index of its own."""
        index = roll.free_number()
        try:
            self._open_place(index)
        except SourceError:
            return False
        roll.enter(namespace, index)
        self._refreshed_s[index] = self._clock()
        return True

    def _refresh(self, roll: Roll, now_s: float) -> None:
        """Enter the namespaces whose turn it is."""
        waiting = sorted((then_s, index) for index, then_s in self._refreshed_s.items())
        due = [index for then_s, index in waiting[:REFRESHED_AT_ONCE] if now_s - then_s >= REFRESHED_EVERY_S]
        # One that cannot be entered any more has had its turn too.
        self._refreshed_s |= dict.fromkeys(due, now_s)
        places = {roll.found[index].inode: self._places[index] for index in due}
        run_in_each([roll.found[index] for index in due], lambda namespace: places[namespace.inode].refresh())


def _new_roll() -> Roll:
    """A roll with the namespace of this process.

    Raises:
        SourceError: which that is cannot be told.
    """
    try:
        return Roll(own_namespace())
    except OSError as error:
        problem = tr("cannot tell network namespaces apart ({reason})", reason=system_reason(error))
        raise SourceError(problem, tr("is /proc mounted?")) from error


def _raise_descriptor_limit() -> int:
    """Let this process open as many descriptors as it may at most; how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return 1 << 20 if hard == resource.RLIM_INFINITY else hard


@dataclass(frozen=True)
class _LeftOut:
    """What keeps us from seeing all namespaces."""

    hidden: int = 0
    """Processes that do not show theirs."""
    refused: int = 0
    """Namespaces that cannot be entered, mostly because we may not."""
    unreadable: int = 0
    """Namespaces that were entered in vain."""
    crowded_out: int = 0
    """Namespaces for which there are no descriptors."""
    is_blind: bool = False
    """Whether /proc does not even list other users' processes."""
    unlisted: str = ""
    """Why there is no list of them."""

    def trouble(self, unread: int) -> list[Degradation]:
        """What to say of it, once; ``unread`` namespaces failed in this sample."""
        reasons = [
            *([tr("cannot list /proc ({reason})", reason=self.unlisted)] if self.unlisted else []),
            *self._counted(unread),
        ]
        if self.is_blind and not self.hidden:
            reasons.append(tr("/proc hides the processes of other users (hidepid)"))
        hint = tr("run as root") if os.geteuid() else tr("raise the limit (ulimit -n)") if self.crowded_out else ""
        return [Degradation("netns.partial", tr("; ").join(reasons), hint)] if reasons else []

    def _counted(self, unread: int) -> Iterator[str]:
        """What is the matter with how many."""
        if self.refused:
            yield tr_n(
                "{count} network namespace cannot be entered",
                "{count} network namespaces cannot be entered",
                self.refused,
                count=self.refused,
            )
        if unreadable := self.unreadable + unread:
            yield tr_n(
                "{count} network namespace cannot be read",
                "{count} network namespaces cannot be read",
                unreadable,
                count=unreadable,
            )
        if self.crowded_out:
            yield tr_n(
                "{count} network namespace finds no descriptor",
                "{count} network namespaces find no descriptor",
                self.crowded_out,
                count=self.crowded_out,
            )
        if self.hidden:
            yield tr_n(
                "{count} process does not show its network namespace",
                "{count} processes do not show their network namespaces",
                self.hidden,
                count=self.hidden,
            )
