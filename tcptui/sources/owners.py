"""Who holds which socket, found out step by step: only for sockets whose holder is not known, within a given time.

The kernel gives a socket's inode, and every process the list of its descriptors; no interface leads from the one to the
other. So the links of ``/proc/PID/fd`` are read, and what they said is kept (``sources.descriptors``). Each look does
what is left to do, and what it has no time for is done by the next:

1. Processes that were never read are read.
2. A socket that is new is looked for where it probably is: in processes that hold the listener it came in at, that are
   in its cgroup, or that have opened sockets lately. Only links that may say something new are read there, so a
   process with 100,000 descriptors costs no more than it has opened since.
3. What is still missing is looked for everywhere: all processes are listed, and descriptors read that are new.
4. Every process is read anew from time to time, since a descriptor can become another socket unseen while the one that
   it was lives on elsewhere; sooner where a socket is missing. When all processes have been read since a socket was
   first missed, it is nobody's.
5. Descriptors are counted.
"""

import contextlib
import errno
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import distinct, factorize_column, positions
from tcptui.kernel.processes import ProcessFolder, hides_processes, is_first_pid_namespace, process_ids
from tcptui.model.owners import Blindness, Holders, Owners, Process
from tcptui.model.states import TcpState
from tcptui.model.table import Rows
from tcptui.sources.descriptors import NEVER, DescriptorTable, Inodes, Turn
from tcptui.sources.processes import Describe

VERIFIED_EVERY_S = 30.0
"""A process is read anew this often; its name and user too."""
ROUND_EVERY_S = 5.0
"""After a round through all processes that found nothing, the next one waits this long.

What is read anew for the sake of a missing socket is at least so old.
"""
COUNTED_EVERY_S = 1.0
SHARE = 0.5
"""Part of the time left that one step may take while others wait."""
_MOST_RECENT = 16
_OUR_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_UNKNOWN_START = -1

Wanted = NDArray[np.uint32]
Turns = NDArray[np.int64]
Clock = Callable[[], float]
Work = Callable[[DescriptorTable, ProcessFolder], Iterable[Inodes]]


class _OutOfTimeError(Exception):
    """The time that was given has been used."""


@dataclass(frozen=True, eq=False)
class _Holding:
    """Who holds what; as in ``Owners``."""

    inodes: NDArray[np.uint32]
    codes: NDArray[np.int32]
    groups: tuple[Holders, ...]


class _Seen:
    """Which sockets are there by what the tables say.

    A table that is not whole tells nothing of what it leaves out. So a socket is taken to be there until a whole table
    is without it, or a narrow one is that comes after a narrow one with it.
    """

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self.alive: Wanted = np.zeros(0, np.uint32)
        """Rising."""
        self._in_last: Wanted = self.alive
        self._was_whole = True
        self._gone: Wanted = self.alive
        """Sockets that have gone though a link to them is known; rising."""
        self._gone_in: Turns = np.zeros(0, np.int64)

    def update(self, wanted: Wanted, held: Wanted, turn: Turn, *, is_whole: bool) -> None:
        """Take the inodes of a table; ``held`` are those to which links are known. Both rise."""
        if is_whole:
            gone, self.alive = _without(self.alive, wanted), wanted
        else:
            gone = _without(self._in_last, wanted) if not self._was_whole else wanted[:0]
            self.alive = distinct(np.concatenate((_without(self.alive, gone), wanted)))
        self._in_last, self._was_whole = wanted, is_whole
        inodes = np.concatenate((_without(self._gone, gone), gone))
        turns = np.append(self._gone_in[positions(gone, self._gone) < 0], np.full(len(gone), turn))
        is_kept = (positions(held, inodes) >= 0) & (positions(self.alive, inodes) < 0)
        order = np.argsort(inodes[is_kept])
        self._gone, self._gone_in = inodes[is_kept][order], turns[is_kept][order]

    def gone_since(self, turn: Turn) -> Wanted:
        """Sockets that were there in the look ``turn`` and are not any more; rising."""
        return self._gone[self._gone_in > turn]


class _Missing:
    """The sockets that nobody is known to hold, and since which look."""

    def __init__(self, inodes: Wanted, since: Turns, is_nobodys: NDArray[np.bool_]) -> None:
        """Look for ``inodes``, which rise, but for those that are nobody's."""
        self._inodes = inodes
        self._since = since
        self._is_nobodys = is_nobodys
        self._is_found = np.zeros(len(inodes), bool)

    def followed_by(self, inodes: Wanted, nobodys: Wanted, turn: Turn) -> "_Missing":
        """What is missing in the look ``turn``, of which some may have been all along."""
        since = np.full(len(inodes), turn)
        at = positions(self._inodes[~self._is_found], inodes)
        since[at >= 0] = self._since[~self._is_found][at[at >= 0]]
        return _Missing(inodes, since, positions(nobodys, inodes) >= 0)

    @property
    def found(self) -> Wanted:
        """Those that were found in this look; rising."""
        return self._inodes[self._is_found]

    @property
    def _is_left(self) -> NDArray[np.bool_]:
        return ~(self._is_found | self._is_nobodys)

    def take(self, found: Inodes) -> int:
        """Note what was found; how much of it was looked for."""
        at = positions(self._inodes, found)
        at = at[at >= 0]
        count = int(np.count_nonzero(~(self._is_found[at] | self._is_nobodys[at])))
        self._is_found[at] = True
        return count

    def settle(self, turn: Turn) -> Wanted:
        """Look no more for what has been missing in the look ``turn`` already; which sockets those are."""
        is_settled = self._is_left & (self._since <= turn)
        self._is_nobodys |= is_settled
        return self._inodes[is_settled]

    def after(self, turn: Turn) -> Wanted:
        """Those left that are missing only since a later look; rising."""
        return self._inodes[self._is_left & (self._since > turn)]

    def youngest(self, before: float) -> Turn:
        """The last look, ``before`` that one, since which something is missing that is left; or ``NEVER``."""
        since = self._since[self._is_left]
        return int(since[since < before].max(initial=NEVER))


@dataclass
class _Round:
    """A way through all processes that takes as many looks as it needs."""

    goal: Turn
    """What was listed in this look or later need not be listed."""
    is_vain: bool = True
    """Whether nothing has been found on it."""


class OwnerFinder:
    """Knows who holds which socket, and learns more whenever it is given time. Owned by one thread."""

    def __init__(
        self, make_describer: Callable[[], Describe], proc: str = "/proc", clock: Clock = time.monotonic
    ) -> None:
        """Know nothing yet; what ``make_describer`` makes, on the first look, describes processes."""
        self._make_describer = make_describer
        self._describe: Describe | None = None
        self._proc = proc
        self._clock = clock
        self._turn: Turn = NEVER
        self._alive: set[int] = set()
        self._tables: dict[int, DescriptorTable] = {}
        """By process id."""
        self._recent: dict[int, None] = {}
        """Processes in which sockets were found that had been missing, the latest last."""
        self._seen = _Seen()
        nothing = np.zeros(0, np.uint32)
        self._missing = _Missing(nothing, np.zeros(0, np.int64), np.zeros(0, bool))
        self._nobodys: Wanted = nothing
        self._tried_in: Turn = NEVER
        """The look up to which new sockets have been looked for where they probably are."""
        self._first: set[int] = set()
        """Processes of the first look that have not been read."""
        self._round: _Round | None = None
        self._vain_round_s = -math.inf
        self._found_count = 0
        """Missing sockets that were found, ever."""
        self._first_step = 0
        self._deadline_s = 0.0
        self._is_in_a_hurry = False
        self._holding: _Holding | None = None
        self._newest: Owners | None = None

    @property
    def newest(self) -> Owners | None:
        """What is known; None before the first look."""
        return self._newest

    def look(
        self,
        rows: Rows,
        budget_s: float = math.inf,
        cgroups: Mapping[int, str] | None = None,
        *,
        is_whole: bool = True,
    ) -> Owners:
        """Look for the holders of the sockets in ``rows``; the same object as before if nothing is new.

        Args:
            rows: of a sample.
            budget_s: time to spend at most, but for what one chunk of links takes.
            cgroups: paths by id, to guess with.
            is_whole: whether a socket is gone that is not among ``rows``.

        Raises:
            OSError: /proc cannot be read, or we are short of descriptors or memory.
        """
        if self._describe is None:
            self._describe = self._make_describer()
        end_s = self._clock() + budget_s
        self._turn += 1
        self._is_in_a_hurry = budget_s < math.inf
        self._note_processes()
        self._note_wanted(rows["inode"], is_whole=is_whole)
        steps = (
            self._read_unread,
            lambda: self._try_likely(rows, cgroups or {}),
            self._go_round,
            self._verify,
            self._count_descriptors,
        )
        self._take_turns(steps, end_s)
        self._settle_nobodys()
        self._newest = self._owners(self._newest)
        return self._newest

    def _take_turns(self, steps: tuple[Callable[[], None], ...], end_s: float) -> None:
        """Do each step for as long as there is time for it; the next look begins with those that got none."""
        for step in range(self._first_step, self._first_step + len(steps)):
            now_s = self._clock()
            self._deadline_s = now_s + (end_s - now_s) * SHARE
            with contextlib.suppress(_OutOfTimeError):
                steps[step % len(steps)]()
            if self._clock() >= end_s:
                self._first_step = (step + 1) % len(steps)
                return
        self._first_step = 0

    # -- What there is -------------------------------------------------------------------------------------------------

    def _note_processes(self) -> None:
        """Forget processes that have ended."""
        self._alive = process_ids(self._proc)
        if self._newest is None:
            self._first = set(self._alive)
        for gone in self._tables.keys() - self._alive:
            self._forget(gone)

    def _forget(self, pid: int) -> None:
        table = self._tables.pop(pid, None)
        self._recent.pop(pid, None)
        if table is not None and (table.has_sockets or table.has_news):
            self._holding = None

    def _note_wanted(self, inodes: NDArray[np.uint32], *, is_whole: bool) -> None:
        """Which sockets nobody is known to hold, and since when."""
        wanted = distinct(inodes)
        wanted = wanted[wanted > 0]
        held = self._held().inodes
        self._seen.update(wanted, held, self._turn, is_whole=is_whole)
        self._nobodys = self._nobodys[positions(self._seen.alive, self._nobodys) >= 0]
        self._missing = self._missing.followed_by(_without(wanted, held), self._nobodys, self._turn)

    def _unread(self) -> set[int]:
        """Processes that have not been read to the end."""
        return self._alive - {pid for pid, table in self._tables.items() if table.read_in > NEVER}

    # -- Searching -----------------------------------------------------------------------------------------------------

    def _read_unread(self) -> None:
        """Read processes that were never read."""
        try:
            for pid in sorted(self._unread()):
                self._visit(pid, _go_on)
        finally:
            self._first &= self._unread()

    def _try_likely(self, rows: Rows, cgroups: Mapping[int, str]) -> None:
        """Look for sockets that are new where they probably are."""
        if len(self._missing.after(self._tried_in)):
            for pid in self._likely(rows, cgroups):
                found_before = self._found_count
                self._visit(pid, self._probe)
                if self._found_count > found_before and not len(self._missing.after(self._tried_in)):
                    break
        self._tried_in = self._turn

    def _likely(self, rows: Rows, cgroups: Mapping[int, str]) -> Iterator[int]:
        """Processes that may have opened the sockets that are new, the likeliest first."""
        missing = rows[positions(self._missing.after(self._tried_in), rows["inode"]) >= 0]
        guesses = [
            *self._holders_of_listeners(rows, missing),
            *self._members_of_cgroups(missing, cgroups),
            *reversed(self._recent),
        ]
        return (pid for pid in dict.fromkeys(guesses) if pid in self._tables)

    def _holders_of_listeners(self, rows: Rows, missing: Rows) -> list[int]:
        listening = rows[rows["state"] == TcpState.LISTEN]
        ports = distinct(missing["local_port"])
        inodes = listening["inode"][positions(ports, listening["local_port"]) >= 0]
        held = self._held()
        at = positions(held.inodes, inodes)
        codes = distinct(held.codes[at[at >= 0]])
        return [process.pid for code in codes.tolist() for process in held.groups[code]]

    def _members_of_cgroups(self, missing: Rows, cgroups: Mapping[int, str]) -> list[int]:
        paths = {cgroups.get(number, "") for number in distinct(missing["cgroup_id"]).tolist()} - {"", "/"}
        return [pid for pid, table in self._tables.items() if table.process.cgroup in paths]

    def _youngest_missed(self) -> Turn:
        """The last look in which something came to be missing that is worth looking for everywhere.

        Where time is short, that is what an earlier look has missed too: most of what is not found where it probably is
        has been closed since the table was read.
        """
        if self._first:
            return NEVER
        return self._missing.youngest(before=self._turn if self._is_in_a_hurry else math.inf)

    def _go_round(self) -> None:
        """List all processes that were not listed since the youngest missing socket was first missed."""
        youngest = self._youngest_missed()
        if youngest == NEVER:
            self._round = None
        elif self._round is None and self._clock() - self._vain_round_s >= ROUND_EVERY_S and self._behind(youngest):
            self._round = _Round(youngest)
        if self._round is None:
            return
        found_before = self._found_count
        try:
            self._follow(self._round)
        finally:
            self._round.is_vain &= self._found_count == found_before
        if self._round.is_vain:
            self._vain_round_s = self._clock()
        self._round = None

    def _follow(self, round: _Round) -> None:
        for pid in [pid for pid, table in self._tables.items() if table.is_doubtful]:
            self._visit(pid, _read_doubtful)
        for pid in self._behind(round.goal):
            found_before = self._found_count
            self._visit(pid, self._read_new)
            if self._found_count > found_before and self._youngest_missed() == NEVER:
                break

    def _behind(self, turn: Turn) -> list[int]:
        """Processes that were not listed since the look ``turn``, those first that were listed longest ago."""
        return [
            pid
            for _, pid in sorted((each.listed_in, pid) for pid, each in self._tables.items() if each.listed_in < turn)
        ]

    def _settle_nobodys(self) -> None:
        """What all processes have been read for, in vain, nobody holds; unless it has been found since."""
        if self._alive == self._tables.keys():
            read_in = min((table.read_in for table in self._tables.values()), default=self._turn)
            self._nobodys = np.sort(np.concatenate((self._nobodys, self._missing.settle(read_in))))
        for found in (self._missing.found, self._held().inodes):
            self._nobodys = _without(self._nobodys, found)

    # -- One process ---------------------------------------------------------------------------------------------------

    def _visit(self, pid: int, work: Work) -> None:
        """Do ``work`` with the descriptors of a process.

        Raises:
            _OutOfTimeError: that was the last thing there was time for.
            OSError: we are short of something.
        """
        try:
            with ProcessFolder(pid, self._proc) as folder:
                self._do(work, self._table(pid, folder), folder)
        except (FileNotFoundError, ProcessLookupError, NotADirectoryError):  # it has ended
            self._forget(pid)
            self._alive.discard(pid)
        except OSError as error:  # EACCES or EPERM: ptrace_may_access() says no (FACTS section 6.8)
            if error.errno in _OUR_SHORTAGES:
                raise
            table = self._tables.setdefault(pid, DescriptorTable(Process(pid, _UNKNOWN_START, "")))
            table.refuse(self._turn, self._clock())
            self._take_news(table)
        if self._is_late():
            raise _OutOfTimeError

    def _table(self, pid: int, folder: ProcessFolder) -> DescriptorTable:
        """What is known of a process; of another that has got its id, nothing."""
        start_ticks = folder.start_ticks()
        table = self._tables.get(pid)
        if table is None or table.process.start_ticks != start_ticks:
            self._forget(pid)
            table = self._tables[pid] = DescriptorTable(Process(pid, start_ticks, ""))
        return table

    def _do(self, work: Work, table: DescriptorTable, folder: ProcessFolder) -> None:
        if table.is_refused or table.begun_in == NEVER:
            work = self._read_all
        try:
            for sockets in work(table, folder):
                self._note_find(table.process.pid, self._missing.take(sockets))
                if self._is_late():
                    break
            self._describe_process(table, folder)
        finally:
            self._take_news(table)

    def _note_find(self, pid: int, count: int) -> None:
        """Note that so many missing sockets were found in a process."""
        if not count:
            return
        self._found_count += count
        self._recent.pop(pid, None)
        self._recent[pid] = None
        if len(self._recent) > _MOST_RECENT:
            del self._recent[next(iter(self._recent))]

    def _take_news(self, table: DescriptorTable) -> None:
        if table.has_news:
            self._holding = None
            table.has_news = False

    def _read_all(self, table: DescriptorTable, folder: ProcessFolder) -> Iterable[Inodes]:
        return table.read_all(folder, self._turn, self._clock())

    def _read_new(self, table: DescriptorTable, folder: ProcessFolder) -> Iterable[Inodes]:
        return table.read_new(folder, self._turn, self._seen.alive)

    def _probe(self, table: DescriptorTable, folder: ProcessFolder) -> Iterable[Inodes]:
        return table.probe(folder, self._turn, self._seen.gone_since(table.checked_in))

    def _recount(self, table: DescriptorTable, folder: ProcessFolder) -> Iterable[Inodes]:
        table.recount(folder)
        table.counted_s = self._clock()
        return ()

    def _describe_process(self, table: DescriptorTable, folder: ProcessFolder) -> None:
        """Find out who a process is that has sockets, once for each reading of all its links."""
        if table.is_described or not table.has_sockets:
            return
        assert self._describe is not None
        before = table.process
        told = self._describe(before.pid)
        # By the id, which belongs to this process still if its folder has a name in it now.
        process = Process(
            before.pid, before.start_ticks, folder.name(), told.command, told.uid, told.user, folder.cgroup()
        )
        limit = folder.descriptor_limit()
        table.is_described = True
        table.count = replace(table.count, limit=limit)
        if vars(process) != vars(before):
            table.process, table.has_news = process, True

    def _is_late(self) -> bool:
        return self._clock() >= self._deadline_s

    # -- Keeping up ----------------------------------------------------------------------------------------------------

    def _verify(self) -> None:
        """Read processes anew whose reading is old, or did not find what is missing."""
        for pid in [pid for pid, table in self._tables.items() if table.is_half_read]:
            self._visit(pid, _go_on)
        now_s = self._clock()
        needed = self._youngest_missed()
        due = [
            (table.begun_s, pid)
            for pid, table in self._tables.items()
            if now_s - table.begun_s >= (ROUND_EVERY_S if table.read_in < needed else VERIFIED_EVERY_S)
        ]
        for _, pid in sorted(due):
            self._visit(pid, self._read_all)

    def _count_descriptors(self) -> None:
        """How many descriptors the processes with sockets have open."""
        due_s = self._clock() - COUNTED_EVERY_S
        due = sorted((table.counted_s, pid) for pid, table in self._tables.items() if table.counted_s <= due_s)
        for _, pid in due:
            if self._tables[pid].has_sockets:
                self._visit(pid, self._recount)

    # -- What is known -------------------------------------------------------------------------------------------------

    def _held(self) -> _Holding:
        """Who holds what, by the tables."""
        if self._holding is None:
            tables = [self._tables[pid] for pid in sorted(self._tables) if self._tables[pid].has_sockets]
            inodes, codes, shared = _by_inode([table.sockets for table in tables])
            alone: list[Holders] = [(table.process,) for table in tables]
            together = (tuple(tables[number].process for number in numbers) for numbers in shared)
            self._holding = _Holding(inodes, codes, (*alone, *together))
        return self._holding

    def _owners(self, before: Owners | None) -> Owners:
        """All that is known; ``before`` if it says the same."""
        held = self._held()
        tables = [self._tables[group[0].pid] for group in held.groups if len(group) == 1]
        owners = Owners(
            inodes=held.inodes,
            codes=held.codes,
            groups=held.groups,
            nobodys=self._nobodys,
            descriptors={table.process.pid: table.count for table in tables},
            blindness=self._blindness(),
            hidden=sum(table.is_refused for table in self._tables.values()),
            looked_at=1 - len(self._unread()) / max(len(self._alive), 1),
            former=frozenset(
                each.process for each in self._tables.values() if each.had_sockets and not each.has_sockets
            ),
        )
        return before if before is not None and _says_the_same(owners, before) else owners

    def _blindness(self) -> Blindness:
        is_refused = any(table.is_refused for table in self._tables.values())
        if is_refused or hides_processes(f"{self._proc}/self/mountinfo"):
            return Blindness.REFUSED if os.geteuid() == 0 else Blindness.OTHER_USERS
        return Blindness.NONE if is_first_pid_namespace(self._proc) else Blindness.PID_NAMESPACE


def _go_on(table: DescriptorTable, folder: ProcessFolder) -> Iterable[Inodes]:
    return table.go_on(folder)


def _read_doubtful(table: DescriptorTable, folder: ProcessFolder) -> Iterable[Inodes]:
    return table.read_doubtful(folder)


def _says_the_same(owners: Owners, before: Owners) -> bool:
    """Whether a reader would see no difference."""
    plain = ("descriptors", "blindness", "hidden", "looked_at", "former")
    arrays = ("inodes", "codes", "nobodys")
    return (
        all(getattr(owners, name) == getattr(before, name) for name in plain)
        and all(np.array_equal(getattr(owners, name), getattr(before, name)) for name in arrays)
        and _facts(owners.groups) == _facts(before.groups)
    )


def _facts(groups: Iterable[Holders]) -> list[list[dict[str, object]]]:
    """All that is known of processes; they count as equal under another name."""
    return [[vars(process) for process in group] for group in groups]


def _without(inodes: Wanted, known: Wanted) -> Wanted:
    """Those of ``inodes`` that are not in ``known``, which rises."""
    return inodes[positions(known, inodes) < 0]


def _by_inode(sockets: list[Inodes]) -> tuple[NDArray[np.uint32], NDArray[np.int32], list[tuple[int, ...]]]:
    """Each inode once, rising, with the number of the only process that has it, or behind those that of its group.

    Args:
        sockets: inodes of each process.

    Returns:
        Inodes, codes, and the groups of processes that share sockets, by number.
    """
    sizes = [len(each) for each in sockets]
    inodes = np.concatenate([np.zeros(0, np.uint64), *sockets]).astype(np.uint64)
    numbers = np.repeat(np.arange(len(sockets), dtype=np.uint64), sizes)
    pairs = distinct(inodes << np.uint64(32) | numbers)
    inode, number = pairs >> np.uint64(32), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
    starts = np.flatnonzero(np.append(True, inode[1:] != inode[:-1])[: len(inode)])
    counts = np.diff(np.append(starts, len(inode)))
    codes = number[starts]
    shared: list[tuple[int, ...]] = []
    for count in sorted({*counts[counts > 1].tolist()}):
        having = np.flatnonzero(counts == count)
        keys, group = factorize_column(tuple(number[starts[having] + offset] for offset in range(count)))
        codes[having] = len(sockets) + len(shared) + group
        shared += zip(*(key.tolist() for key in keys), strict=True)
    return inode[starts].astype(np.uint32), codes.astype(np.int32), shared
