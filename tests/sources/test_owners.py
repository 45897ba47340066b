"""The search for the holders of sockets, on a machine that is made of folders."""

import contextlib
import functools
import itertools
import math
import os
import resource
import shutil
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tcptui.model.owners import Blindness, Owners, Process
from tcptui.model.states import TcpState
from tcptui.model.table import ROW, Rows
from tcptui.sources.descriptors import CHUNK, MISSES
from tcptui.sources.owners import COUNTED_EVERY_S, ROUND_EVERY_S, VERIFIED_EVERY_S, OwnerFinder
from tcptui.sources.processes import Describe, Description

NOBODY = 65534
FILE = 0
"""Stands in the place of an inode for what is no socket."""
CGROUPS = {1: "/web.service", 2: "/db.service"}
LISTENING_EVERY = 7
"""Among the made sockets every so manieth listens."""
TICK_S = 0.001
"""What a look at the clock takes."""
A_SHORT_TIME_S = 1.0
"""More than a look without limit takes by the made clock."""

Happening = Callable[[], object]


def new_proc() -> Path:
    """An empty folder that anybody can get at; in memory, where making a link does not take a millisecond."""
    proc = Path(mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    proc.chmod(0o755)
    return proc


def link_to(inode: int) -> str:
    return f"socket:[{inode}]" if inode != FILE else "/dev/null"


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """As a user to whom a closed folder is closed."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@contextlib.contextmanager
def as_whoever_runs_the_tests() -> Iterator[None]:
    before = os.geteuid()
    os.seteuid(os.getuid())
    try:
        yield
    finally:
        os.seteuid(before)


class Clock:
    """Time that passes when somebody looks at it, and what happens at that moment."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.tick_s = TICK_S
        self.looks = 0
        self.happenings: dict[int, list[Happening]] = {}
        """By the number of the look."""

    def __call__(self) -> float:
        self.now_s += self.tick_s
        for happening in self.happenings.pop(self.looks, ()):
            with as_whoever_runs_the_tests():
                happening()
        self.looks += 1
        return self.now_s

    def soon(self, looks: int, happening: Happening) -> None:
        """Let it happen when the clock is looked at for that time from now on."""
        self.happenings.setdefault(self.looks + looks, []).append(happening)


@dataclass
class Program:
    """One process as it is."""

    pid: int
    start: int
    name: str
    links: dict[int, int] = field(default_factory=dict)
    """What each descriptor is: the inode of a socket, or a file."""
    sockets: Counter[int] = field(default_factory=Counter)
    """How many descriptors it has of each socket."""
    since: dict[int, int] = field(default_factory=dict)
    """When each descriptor came to be what it is, by the machine's count of changes."""
    shown_since: int | None = 0
    """None while it does not show its descriptors."""

    @property
    def key(self) -> tuple[int, int]:
        return self.pid, self.start

    @property
    def command(self) -> str:
        """Tells it from every other that has its id at another time."""
        return f"{self.name} of {self.start}"

    @property
    def lowest_free(self) -> int:
        return self.free_numbers(1)[0]

    def free_numbers(self, count: int) -> list[int]:
        """The numbers of the next descriptors: the kernel gives out the lowest."""
        free = (number for number in itertools.count() if number not in self.links)
        return list(itertools.islice(free, count))


class Machine:
    """Processes with descriptors, in a folder made like /proc."""

    def __init__(self, proc: Path, clock: Clock) -> None:
        self.proc = proc
        self.clock = clock
        self.programs: dict[int, Program] = {}
        self.changes = 0
        self.last_inode = 100
        self.unheld: set[int] = set()
        """Sockets that are there without a descriptor."""
        self.untabled: set[int] = set()
        """Open, but not in the kernel's table (CLOSE)."""
        self.held_until: dict[tuple[int, int, int], float] = {}
        """When a process has closed a socket."""
        self.named_until: dict[tuple[int, int, str], float] = {}
        """When a process has given up a name."""

    # -- What happens ----------------------------------------------------------------------------------------------

    def start(self, pid: int, links: Iterable[int] = (), name: str = "sh") -> Program:
        """A process starts, in the place of the one that has the id."""
        self.end_if_there(pid)
        self.changes += 1
        program = self.programs[pid] = Program(pid, 5000 + self.changes, name, shown_since=self.changes)
        hidden = self.proc / "starting"
        (hidden / "fd").mkdir(parents=True)
        numbers = " ".join(map(str, range(4, 22)))
        (hidden / "stat").write_text(f"{pid} ({name}) S {numbers} {program.start} 0 0\n")
        (hidden / "comm").write_text(f"{name}\n")
        (hidden / "cgroup").write_text(f"0::{CGROUPS[1 + pid % 2]}\n")
        (hidden / "limits").write_text(
            f"Max open files            {1000 + pid}                 524288               files\n"
        )
        hidden.rename(self.proc / str(pid))
        for number, link in enumerate(links):
            self.put(pid, number, link)
        return program

    def end(self, pid: int) -> None:
        program = self.programs.pop(pid)
        for inode in program.sockets:
            self.held_until[(*program.key, inode)] = self.clock.now_s
        self.named_until[(*program.key, program.name)] = self.clock.now_s
        (self.proc / str(pid) / "fd").chmod(0o755)
        shutil.rmtree(self.proc / str(pid))

    def end_if_there(self, pid: int) -> None:
        if pid in self.programs:
            self.end(pid)

    def put(self, pid: int, number: int, inode: int) -> None:
        """A descriptor comes to be that, whatever it was."""
        self.close(pid, number)
        program = self.programs[pid]
        self.changes += 1
        program.links[number], program.since[number] = inode, self.changes
        if inode != FILE:
            program.sockets[inode] += 1
        (self.proc / str(pid) / "fd" / str(number)).symlink_to(link_to(inode))

    def close(self, pid: int, number: int) -> None:
        program = self.programs[pid]
        inode = program.links.pop(number, None)
        if inode is None:
            return
        os.unlink(self.proc / str(pid) / "fd" / str(number))
        if inode != FILE:
            program.sockets[inode] -= 1
            if not program.sockets[inode]:
                del program.sockets[inode]
                self.held_until[(*program.key, inode)] = self.clock.now_s

    def new_socket(self) -> int:
        self.last_inode += 1
        return self.last_inode

    def open(self, pid: int, count: int = 1) -> list[int]:
        """A process opens sockets; their inodes."""
        inodes = [self.new_socket() for _ in range(count)]
        for number, inode in zip(self.programs[pid].free_numbers(count), inodes, strict=True):
            self.put(pid, number, inode)
        return inodes

    def rename(self, pid: int, name: str) -> None:
        """A process runs another program (``execve(2)``)."""
        program = self.programs[pid]
        self.named_until[(*program.key, program.name)] = self.clock.now_s
        program.name = name
        (self.proc / str(pid) / "comm").write_text(f"{name}\n")

    def show(self, pid: int, *, shows: bool) -> None:
        self.changes += 1
        self.programs[pid].shown_since = self.changes if shows else None
        (self.proc / str(pid) / "fd").chmod(0o755 if shows else 0)

    # -- How it is -------------------------------------------------------------------------------------------------

    @property
    def shown(self) -> list[Program]:
        """The processes that show their descriptors, by id."""
        return [program for _, program in sorted(self.programs.items()) if program.shown_since is not None]

    @property
    def sockets(self) -> set[int]:
        """All that are in the kernel's table."""
        held = {inode for program in self.programs.values() for inode in program.sockets}
        return (held | self.unheld) - self.untabled

    def rows(self, inodes: Iterable[int] | None = None) -> Rows:
        """The table, or a part of it, in no order."""
        wanted = sorted(self.sockets if inodes is None else inodes, key=lambda inode: inode * 7919 % 1009)
        rows = np.zeros(len(wanted) + 2, ROW)  # two have no inode, as in TIME_WAIT
        rows["inode"][:-2] = wanted
        rows["state"] = np.where(rows["inode"] % LISTENING_EVERY == 0, TcpState.LISTEN, TcpState.ESTABLISHED)
        rows["local_port"] = 80 + rows["inode"] % 3
        rows["cgroup_id"] = rows["inode"] % 3
        return rows

    @property
    def holders(self) -> dict[int, tuple[tuple[int, int, str], ...]]:
        """Id, start and name of those that show that they hold a socket, by its inode."""
        told: dict[int, tuple[tuple[int, int, str], ...]] = {}
        for program in self.shown:
            for inode in program.sockets:
                told[inode] = (*told.get(inode, ()), (*program.key, program.name))
        return told

    def describe(self, pid: int) -> Description:
        """What psutil would tell of whoever has the id."""
        program = self.programs.get(pid)
        return Description(program.command, 1000 + pid, f"user{pid}") if program is not None else Description()


def holders_of(owners: Owners) -> dict[int, tuple[tuple[int, int, str], ...]]:
    groups = [tuple((each.pid, each.start_ticks, each.name) for each in group) for group in owners.groups]
    return {inode: groups[code] for inode, code in zip(owners.inodes.tolist(), owners.codes.tolist(), strict=True)}


def all_of(owners: Owners) -> tuple[object, ...]:
    """Everything that a reader can see."""
    processes = [[vars(process) for process in group] for group in owners.groups]
    arrays = [array.tolist() for array in (owners.inodes, owners.codes, owners.nobodys, owners.gone)]
    counts = dict(owners.descriptors)
    return (processes, arrays, counts, owners.blindness, owners.hidden, owners.looked_at, owners.former)


class Watch:
    """A finder on a machine."""

    def __init__(self, machine: Machine, make_describer: Callable[[], Describe] | None = None) -> None:
        self.machine = machine
        self.clock = machine.clock
        self.finder = OwnerFinder(make_describer or (lambda: machine.describe), str(machine.proc), machine.clock)

    def look(self, budget_s: float = math.inf, inodes: Iterable[int] | None = None) -> Owners:
        """Look at the whole table, or at a narrow one with ``inodes`` in it."""
        rows = self.machine.rows(inodes)
        with as_nobody():
            return self.finder.look(rows, budget_s, CGROUPS, is_whole=inodes is None)


FORGED = 1_000_000_000


@pytest.fixture
def machine() -> Iterator[Machine]:
    proc = new_proc()
    yield Machine(proc, Clock())
    shutil.rmtree(proc)


@pytest.fixture
def watch(machine: Machine) -> Watch:
    return Watch(machine)


def forge(machine: Machine, pid: int) -> None:
    """Have each link of a process lead somewhere else without a change: whoever reads one betrays it (``read_of``)."""
    folder = machine.proc / str(pid) / "fd"
    for number in machine.programs[pid].links:
        os.unlink(folder / str(number))
        (folder / str(number)).symlink_to(link_to(FORGED + number))


def read_of(owners: Owners) -> list[int]:
    """The forged descriptors that have been read."""
    return (owners.inodes[owners.inodes >= FORGED] - FORGED).tolist()


def pids_of(owners: Owners, inode: int) -> list[int]:
    return [pid for pid, _, _ in holders_of(owners).get(inode, ())]


# -- Who holds what ----------------------------------------------------------------------------------------------------


def test_a_holder_is_told_with_all_that_is_known_of_it(machine: Machine, watch: Watch) -> None:
    machine.start(12, [FILE, 5, 5, 4], "parent")
    child = machine.start(7, [5], "child")
    machine.start(3, [FILE])
    owners = watch.look()
    assert {inode: [each[2] for each in group] for inode, group in holders_of(owners).items()} == {
        4: ["parent"],
        5: ["child", "parent"],
    }
    assert vars(owners.groups[0][0]) == {
        "pid": 7,
        "start_ticks": child.start,
        "name": "child",
        "command": child.command,
        "uid": 1007,
        "user": "user7",
        "cgroup": "/db.service",
    }
    assert owners.former == frozenset()
    assert {pid: count.limit for pid, count in owners.descriptors.items()} == {7: 1007, 12: 1012}
    assert (owners.looked_at, owners.hidden, owners.blindness) == (1, 0, Blindness.NONE)
    assert [owners.inodes.dtype, owners.codes.dtype] == [np.dtype(np.uint32), np.dtype(np.int32)]


def test_each_company_of_holders_is_told_apart(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5, 6, 7, 8, 9])
    machine.start(3, [5, 6, 7, 10])
    machine.start(4, [6, 8, 11])
    machine.start(5, [6, 7, 8, 11])
    assert {inode: [each[0] for each in group] for inode, group in holders_of(watch.look()).items()} == {
        5: [2, 3],
        6: [2, 3, 4, 5],
        7: [2, 3, 5],
        8: [2, 4, 5],
        9: [2],
        10: [3],
        11: [4, 5],
    }


def test_sockets_that_no_table_has_are_told_too(machine: Machine, watch: Watch) -> None:
    """Narrow tables come and go; what is known of a process stays."""
    machine.start(2, [2**32 - 1, 5])
    assert watch.look(inodes=[]).inodes.tolist() == [5, 2**32 - 1]


def test_without_proc_the_system_says_why(tmp_path: Path) -> None:
    finder = OwnerFinder(lambda: lambda _pid: Description(), str(tmp_path / "proc"))
    with pytest.raises(FileNotFoundError):
        finder.look(np.zeros(0, ROW))
    assert finder.newest is None


def test_a_machine_without_processes_has_no_holders(machine: Machine, watch: Watch) -> None:
    machine.unheld = {5}
    owners = watch.look()
    assert (owners.groups, owners.looked_at, owners.nobodys.tolist()) == ((), 1, [5])


def test_a_holder_has_ended_when_its_process_has_and_not_when_its_sockets_have(machine: Machine, watch: Watch) -> None:
    for pid in (2, 3, 4):
        machine.start(pid, [pid])
    machine.start(5, [FILE])
    holders = watch.look().processes()
    machine.close(2, 0)
    machine.show(3, shows=False)
    machine.start(4, [FILE])
    machine.clock.now_s += VERIFIED_EVERY_S
    owners = watch.look()
    assert {each.pid for each in owners.former} == {2, 3}
    assert [each.pid for each in owners.ended(holders)] == [4]


def test_what_starts_and_ends_without_sockets_is_no_news(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    owners = watch.look()
    machine.start(3, [FILE])
    assert watch.look() is owners
    machine.end(3)
    assert watch.look() is owners


def test_a_folder_that_is_no_process_is_none(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    machine.start(3, [6])
    (machine.proc / "3" / "stat").write_text("")
    (machine.proc / "4").mkdir()
    owners = watch.look()
    assert owners.looked_at == 1
    assert (pids_of(owners, 5), owners.nobodys.tolist()) == ([2], [6])


def test_names_of_users_are_not_loaded_before_they_are_needed(machine: Machine) -> None:
    made = []

    def make_describer() -> Describe:
        made.append(1)
        return machine.describe

    watch = Watch(machine, make_describer)
    assert made == []
    for _ in range(3):
        watch.look()
    assert made == [1]


def test_a_process_is_described_once_for_each_time_that_it_is_read(machine: Machine) -> None:
    described = []

    def describe(pid: int) -> Description:
        described.append(pid)
        return machine.describe(pid)

    watch = Watch(machine, lambda: describe)
    machine.start(2, [5])
    machine.start(3, [FILE])
    machine.start(4, [6])
    watch.look()
    machine.open(2)
    watch.look()
    assert described == [2, 4]
    machine.clock.now_s += VERIFIED_EVERY_S
    watch.look()
    assert described == [2, 4, 2, 4]


def test_another_programs_name_is_followed(machine: Machine, watch: Watch) -> None:
    """``execve(2)`` changes neither the id nor the start, nor what stays open."""
    machine.start(2, [5], "sh")
    before = watch.look()
    machine.rename(2, "nginx")
    assert watch.look() is before
    machine.clock.now_s += VERIFIED_EVERY_S
    ((process,),) = watch.look().groups
    assert (process.name, process.command) == ("nginx", machine.programs[2].command)


def test_the_count_of_descriptors_is_followed(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    before = watch.look()
    for number in range(500):  # many enough for a folder on a disk to grow as well
        machine.put(2, 10 + number, FILE)
    machine.clock.now_s += COUNTED_EVERY_S
    assert watch.look().descriptors[2].open > before.descriptors[2].open


# -- The same or another -----------------------------------------------------------------------------------------------


def test_it_is_the_same_object_as_long_as_nothing_is_new(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5, 6])
    machine.start(3, [6])
    before = watch.look()
    for _ in range(100):
        machine.clock.now_s += 1
        assert watch.look(0.05) is before
    assert watch.finder.newest is before


@pytest.mark.parametrize(
    "happening",
    [
        lambda machine: machine.end(3),
        lambda machine: machine.close(2, 0),
        lambda machine: machine.put(2, 0, 6),
        lambda machine: machine.put(3, 0, 7),
        lambda machine: machine.start(2, [5, 6]),
        lambda machine: machine.rename(2, "cat"),
        lambda machine: machine.show(3, shows=False),
        lambda machine: machine.unheld.add(8),
    ],
)
def test_it_is_another_one_when_something_is(
    machine: Machine, watch: Watch, happening: Callable[[Machine], object]
) -> None:
    machine.start(2, [5, 6], "sh")
    machine.start(3, [6], "sh")
    before = watch.look()
    happening(machine)
    machine.clock.now_s += VERIFIED_EVERY_S
    assert all_of(watch.look()) != all_of(before)


# -- What is read ------------------------------------------------------------------------------------------------------


def test_new_sockets_of_a_large_process_cost_their_number(machine: Machine, watch: Watch) -> None:
    """Neither are its descriptors listed nor known ones read."""
    machine.start(2)
    machine.open(2, 10_000)
    watch.look()
    forge(machine, 2)
    (machine.proc / "2" / "fd" / "20000").symlink_to(link_to(FORGED))
    for number in range(1000, 1020):
        machine.close(2, number)
    new = machine.open(2, 3 * MISSES)
    owners = watch.look()
    assert read_of(owners) == []
    assert [inode for inode in new if pids_of(owners, inode) != [2]] == []
    assert not {*range(1101, 1121)} & {*owners.inodes.tolist()}


def test_a_narrow_table_does_not_make_all_else_look_closed(machine: Machine, watch: Watch) -> None:
    """Nor is anything read again when the table is whole again."""
    machine.start(2)
    known = machine.open(2, 3000)
    machine.unheld = {7}
    watch.look()
    forge(machine, 2)
    new = machine.open(2, 3)
    for inodes in (new, [*known[:100], *new], new):
        owners = watch.look(inodes=inodes)
        assert read_of(owners) == []
        assert pids_of(owners, new[0]) == [2]
        assert owners.nobodys.tolist() == [7]
    more = machine.open(2, 3)
    owners = watch.look()
    assert read_of(owners) == []
    assert pids_of(owners, more[0]) == [2]
    assert owners.nobodys.tolist() == [7]


def test_closed_sockets_are_found_to_be_closed(machine: Machine, watch: Watch) -> None:
    """Where others are looked for; and their numbers are free then."""
    machine.start(2, [5, 6, 7])
    watch.look(1.0)
    machine.put(2, 0, FILE)
    machine.put(2, 3, 8)
    machine.close(2, 1)
    assert watch.look(1.0).inodes.tolist() == [7, 8]
    machine.put(2, 1, 9)
    assert watch.look(1.0).inodes.tolist() == [7, 8, 9]
    machine.put(2, 2, FILE)
    machine.unheld = {1001}
    assert watch.look(1.0).inodes.tolist() == [8, 9]


def test_new_sockets_are_found_behind_a_few_free_numbers(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    watch.look(1.0)
    new = range(100, 200)
    for inode in new:
        machine.put(2, inode - 100 + MISSES - 10, inode)
    assert watch.look(1.0).inodes.tolist() == [5, *new]


def test_a_socket_is_looked_for_once_where_it_probably_is(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    watch.look(1.0)
    machine.unheld = {1001}
    watch.look(1.0)
    watch.look(1.0)  # goes round
    (machine.proc / "2" / "fd" / "1").symlink_to(link_to(FORGED + 1))
    assert read_of(watch.look(1.0)) == []
    machine.unheld.add(1002)
    assert read_of(watch.look(1.0)) == [1]


def test_when_a_socket_is_found_no_other_process_is_looked_at(machine: Machine, watch: Watch) -> None:
    machine.start(2, [6])
    machine.start(4, [13])
    watch.look(1.0)
    (machine.proc / "4" / "fd" / "1").symlink_to(link_to(FORGED + 1))
    machine.put(2, 1, 16)  # it looks as likely in the one as in the other
    owners = watch.look(1.0)
    assert (pids_of(owners, 16), read_of(owners)) == ([2], [])
    machine.put(2, 100, 19)
    watch.look(1.0)
    assert read_of(watch.finder.newest or owners) == [1]
    (machine.proc / "4" / "fd" / "2").symlink_to(link_to(FORGED + 2))
    owners = watch.look(1.0)
    assert (pids_of(owners, 19), read_of(owners)) == ([2], [1])


def test_what_is_gone_takes_no_room(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    tracemalloc.start()
    before_bytes = 0
    for number in range(200):
        machine.unheld = {*range(10_000 + number * 1000, 11_000 + number * 1000)}
        watch.look(0.01)
        if number == 50:
            before_bytes, _ = tracemalloc.get_traced_memory()
    after_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after_bytes - before_bytes < 500_000


def test_what_leaves_a_narrow_table_is_read_again(machine: Machine, watch: Watch) -> None:
    """Its number may be another socket's."""
    machine.start(2)
    first, second, third = machine.open(2, 3)
    watch.look()
    watch.look(inodes=[first, second])
    machine.put(2, 1, 555)
    owners = watch.look(inodes=[first, 555])
    assert pids_of(owners, 555) == [2]
    assert pids_of(owners, second) == []
    assert pids_of(owners, third) == [2]


def test_a_socket_that_is_reset_and_stays_open_is_read_again_once(machine: Machine, watch: Watch) -> None:
    machine.start(2)
    machine.untabled = {*machine.open(2, 500)}
    machine.untabled.clear()
    watch.look()
    machine.untabled = {*machine.programs[2].sockets}
    machine.open(2)
    watch.look()
    forge(machine, 2)
    (new,) = machine.open(2)
    owners = watch.look()
    assert read_of(owners) == []
    assert pids_of(owners, new) == [2]


def test_sockets_of_other_kinds_are_not_read_for_each_new_one(machine: Machine, watch: Watch) -> None:
    """UNIX and UDP sockets are in no table, ever."""
    machine.start(2)
    machine.untabled = {*machine.open(2, 500)}
    machine.open(2)
    watch.look()
    forge(machine, 2)
    (new,) = machine.open(2)
    owners = watch.look()
    assert read_of(owners) == []
    assert pids_of(owners, new) == [2]


def test_the_highest_number_takes_no_room(machine: Machine, watch: Watch) -> None:
    """A process may have one descriptor of a thousand million (``dup2(2)``)."""
    machine.start(2, [5])
    machine.put(2, 2**31 - 65, 6)
    tracemalloc.start()
    watch.look()
    (new,) = machine.open(2)
    assert pids_of(watch.look(), new) == [2]
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 1 << 24


def test_a_vain_round_is_not_repeated_with_each_look(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    machine.start(3)
    watch.look(1.0)
    machine.unheld = {1001}
    watch.look(1.0)

    def is_listed(number: int) -> bool:
        """Whether a look finds a descriptor that nobody misses."""
        (machine.proc / "3" / "fd" / str(number)).symlink_to(link_to(FORGED + number))
        return number in read_of(watch.look(1.0))

    assert is_listed(100)
    machine.clock.now_s += 1
    assert not is_listed(101)
    machine.unheld.add(1002)
    for number in (102, 103, 104):
        machine.clock.now_s += 1
        assert not is_listed(number)
    machine.clock.now_s += ROUND_EVERY_S
    assert is_listed(105)


def test_a_round_that_finds_something_is_followed_by_another(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    watch.look(1.0)
    for pid in (3, 4, 5):
        machine.start(pid)
        watch.look(1.0)
        machine.put(pid, 100, 1000 + pid)
        watch.look(1.0)
        assert pids_of(watch.look(1.0), 1000 + pid) == [pid]


# -- Too little time ---------------------------------------------------------------------------------------------------


def test_a_large_process_is_read_in_parts(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    machine.start(3, name="large")
    machine.open(3, 20_000)
    machine.start(4, [6])
    machine.clock.tick_s = 0.003  # as if a chunk were read between any two looks at the clock
    counts = [0]
    while counts[-1] < 20_002:
        owners = watch.look(0.03)
        counts.append(len(owners.inodes))
        assert counts[-1] - counts[-2] <= 11 * CHUNK
        assert owners.looked_at < 1 or counts[-1] == 20_002
        assert {name for group in holders_of(owners).values() for _, _, name in group} <= {"sh", "large"}
        assert len(owners.nobodys) == 0
    assert counts == sorted(set(counts))
    assert len(counts) > 4
    assert owners.looked_at == 1


def test_many_new_sockets_are_found_in_parts(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    watch.look()
    machine.open(2, 12 * CHUNK)
    counts = [1]
    while counts[-1] < 12 * CHUNK + 1:
        before = machine.clock.looks
        counts.append(len(watch.look(0.03).inodes))
        assert counts[-2] <= counts[-1] <= counts[-2] + (machine.clock.looks - before) * CHUNK / 2


def test_a_large_process_keeps_no_socket_of_others_waiting(machine: Machine, watch: Watch) -> None:
    machine.start(2)
    machine.open(2, 3)
    watch.look()
    machine.start(3)
    machine.open(3, 20_000)
    (new,) = machine.open(2)
    machine.clock.tick_s = 0.003
    owners = watch.look(0.1)
    assert owners.looked_at < 1
    assert pids_of(owners, new) == [2]


def test_as_long_as_processes_are_unread_the_others_are_not_gone_through(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    machine.start(3)
    machine.open(3, 5 * CHUNK)
    owners = watch.look(0.0)
    (machine.proc / "2" / "fd" / "100").symlink_to(link_to(FORGED))
    looks = 0
    while owners.looked_at < 1:
        assert read_of(owners) == []
        looks += 1
        machine.unheld.add(90_000 + looks)
        machine.clock.now_s += 1
        owners = watch.look(0.0)
    assert looks > 5


def test_a_reading_that_was_left_off_is_finished_whatever_comes_between(machine: Machine, watch: Watch) -> None:
    """Other sockets are looked for meanwhile; one is nobody's when all links have been read."""
    machine.start(2, [5])
    machine.start(3)
    machine.open(3, 8 * CHUNK)
    watch.look()
    forge(machine, 3)
    machine.clock.now_s += VERIFIED_EVERY_S
    first = 90_000
    machine.unheld = {first}
    while first not in (owners := watch.look(0.0)).nobodys:
        machine.unheld.add(first + len(machine.unheld))
        machine.clock.now_s += 1
    assert len(read_of(owners)) == 8 * CHUNK


def test_what_a_round_leaves_off_is_left_to_the_next_look(machine: Machine, watch: Watch) -> None:
    """And not until everything is read anew."""
    machine.start(2, [5])
    machine.start(3, [FILE] * 3 * CHUNK)
    watch.look()
    machine.put(3, 3 * CHUNK - 1, 90_000)
    started_s = machine.clock.now_s
    while pids_of(watch.look(0.0), 90_000) != [3]:
        assert machine.clock.now_s - started_s < ROUND_EVERY_S


def test_a_file_of_many_that_has_become_a_socket_is_nobodys_at_no_time(machine: Machine, watch: Watch) -> None:
    """Not even where it is read last, and other sockets are looked for meanwhile."""
    machine.start(2, [5])
    machine.start(3, [FILE] * 4 * CHUNK)
    watch.look()
    first = 90_000
    machine.put(3, 4 * CHUNK - 1, first)
    machine.clock.now_s += VERIFIED_EVERY_S
    while pids_of(owners := watch.look(0.0), first) != [3]:
        assert first not in owners.nobodys
        machine.unheld.add(first + 1 + len(machine.unheld))
        machine.clock.now_s += 1


def test_what_changes_between_two_parts_is_seen_in_the_end(machine: Machine, watch: Watch) -> None:
    machine.start(3)
    machine.open(3, 5000)
    owners = watch.look(0.0)
    assert 0 < len(owners.inodes) < 5000
    for number in range(0, 5000, 7):
        machine.close(3, number)
    for number in range(0, 5000, 11):
        machine.put(3, number, machine.new_socket())
    machine.open(3, 10)
    for _ in range(200):
        machine.clock.now_s += 1
        owners = watch.look(0.01)
        assert len(owners.nobodys) == 0
    assert holders_of(owners) == machine.holders


def test_reading_anew_in_parts_loses_nothing(machine: Machine, watch: Watch) -> None:
    machine.start(3)
    machine.open(3, 5000)
    before = watch.look()
    machine.clock.now_s += VERIFIED_EVERY_S
    forge(machine, 3)
    read: list[int] = []
    while len(read) < 5000:
        owners = watch.look(0.0)
        assert owners.looked_at == 1
        assert len(owners.inodes) == 5000
        read = read_of(owners)
    assert len(before.inodes) == 5000


def test_another_process_takes_the_place_of_one_that_is_half_read(machine: Machine, watch: Watch) -> None:
    machine.start(3, name="old")
    machine.open(3, 3000)
    assert 0 < len(watch.look(0.0).inodes) < 3000
    machine.start(3, [7, 8], "new")
    for _ in range(10):
        owners = watch.look(0.0)
        assert {name for group in holders_of(owners).values() for _, _, name in group} == {"new"}
    assert owners.inodes.tolist() == [7, 8]


@pytest.mark.parametrize("budget_s", [0.0, 0.005, 0.1])
def test_new_sockets_keep_none_from_being_settled(machine: Machine, watch: Watch, budget_s: float) -> None:
    for pid in range(2, 8):
        machine.start(pid, [pid])
    waiting: dict[int, int] = {}
    longest = 0
    for look in range(400):
        machine.clock.now_s += 1
        waiting[machine.new_socket()] = look
        machine.unheld.add(machine.last_inode)
        for inode in watch.look(budget_s).nobodys.tolist():
            longest = max(longest, look - waiting.pop(inode, look))
    assert longest <= (150 if budget_s < 0.1 else 2 * ROUND_EVERY_S)
    assert min(waiting.values()) >= 400 - longest - 1


# -- Processes that come, go and change --------------------------------------------------------------------------------


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_process_may_end_at_any_moment(machine: Machine, *, is_replaced: bool) -> None:
    for looks in range(60):
        watch = Watch(machine)
        for pid in (2, 3, 4):
            machine.start(pid, [pid, 100 + pid])
        old = machine.programs[3]
        watch.look(0.0)
        machine.clock.soon(looks, lambda: machine.start(3, [55]) if is_replaced else machine.end(3))
        machine.clock.now_s += VERIFIED_EVERY_S
        owners = watch.look()
        machine.clock.happenings.clear()
        assert (pids_of(owners, 2), pids_of(owners, 104)) == ([2], [4])
        for process in owners.processes():
            if process.pid == 3:
                assert (process.start_ticks == old.start) == (3 in owners.inodes)
                assert process.command.endswith(f" of {process.start_ticks}")


def test_another_process_that_gets_the_id_is_told_apart(machine: Machine, watch: Watch) -> None:
    old = machine.start(2, [5], "old")
    machine.start(3, [5])
    watch.look()
    new = machine.start(2, [6], "new")
    owners = watch.look()
    assert holders_of(owners)[6] == ((2, new.start, "new"),)
    assert old.start not in [each.start_ticks for each in owners.processes()]


def test_another_process_that_gets_the_id_while_it_is_described_is_told_apart(machine: Machine) -> None:
    """For psutil goes by the id."""

    def describe(pid: int) -> Description:
        if machine.programs[pid].name == "old":
            machine.start(pid, [6], "new")
        return machine.describe(pid)

    watch = Watch(machine, lambda: with_own_rights(describe))
    machine.start(2, [5], "old")
    assert watch.look().processes() == []
    assert [(each.name, each.command[:3]) for each in watch.look().processes()] == [("new", "new")]


def with_own_rights(describe: Describe) -> Describe:
    def described(pid: int) -> Description:
        with as_whoever_runs_the_tests():
            return describe(pid)

    return described


def test_a_process_that_ends_is_not_waited_for(machine: Machine, watch: Watch) -> None:
    """On a busy machine there is one in every look."""
    machine.start(2, [5])
    machine.unheld = {7}
    for looks in range(3, 20):
        machine.start(3)
        machine.clock.soon(looks, lambda: machine.end_if_there(3))
        owners = watch.look()
        assert owners.looked_at == 1
        assert owners.nobodys.tolist() == [7]


def test_a_process_that_refuses_is_counted_and_asked_again(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5, 6])
    machine.start(3, [6])
    machine.show(2, shows=False)
    owners = watch.look()
    assert (owners.hidden, owners.blindness, owners.looked_at) == (1, Blindness.OTHER_USERS, 1)
    assert owners.nobodys.tolist() == [5]
    assert pids_of(owners, 6) == [3]
    machine.show(2, shows=True)
    machine.clock.now_s += VERIFIED_EVERY_S
    owners = watch.look()
    assert (owners.hidden, owners.blindness, owners.nobodys.tolist()) == (0, Blindness.NONE, [])
    assert (pids_of(owners, 5), pids_of(owners, 6)) == ([2], [2, 3])


def test_a_process_that_refused_is_asked_again_where_a_socket_is_missing(machine: Machine, watch: Watch) -> None:
    machine.start(2)
    machine.start(3, [6])
    machine.show(2, shows=False)
    assert watch.look(1.0).hidden == 1
    machine.show(2, shows=True)
    machine.put(2, 0, 7)
    watch.look(1.0)
    owners = watch.look(1.0)
    assert (owners.hidden, pids_of(owners, 7)) == (0, [2])


def test_a_process_that_comes_to_refuse_is_not_named_any_more(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    watch.look()
    machine.show(2, shows=False)
    machine.clock.now_s += VERIFIED_EVERY_S
    owners = watch.look()
    assert (owners.groups, owners.hidden) == ((), 1)
    machine.clock.now_s += ROUND_EVERY_S
    assert watch.look().nobodys.tolist() == [5]


def test_another_process_that_has_the_id_of_one_that_refused_is_looked_at(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    machine.show(2, shows=False)
    watch.look()
    machine.start(2, [6])
    owners = watch.look()
    assert (owners.hidden, pids_of(owners, 6)) == (0, [2])


# -- Sockets that pass from one to another -----------------------------------------------------------------------------


def test_a_number_that_is_used_again_while_its_socket_lives_elsewhere(machine: Machine, watch: Watch) -> None:
    """A server accepts, gives the connection to a worker (``SCM_RIGHTS``), closes it and accepts the next one."""
    machine.start(2, [FILE], "server")
    machine.start(3, [FILE], "worker")
    (first,) = machine.open(2)
    watch.look()
    machine.put(3, 1, first)
    machine.close(2, 1)
    (second,) = machine.open(2)
    for _ in range(int(ROUND_EVERY_S) + 2):
        machine.clock.now_s += 1
        owners = watch.look(0.1)
        assert second not in owners.nobodys
    assert (pids_of(owners, first), pids_of(owners, second)) == ([3], [2])


def test_a_file_that_becomes_a_socket_is_found(machine: Machine, watch: Watch) -> None:
    machine.start(2, [FILE, FILE, FILE])
    watch.look()
    machine.put(2, 1, 5)
    assert pids_of(watch.look(), 5) == [2]


@pytest.mark.parametrize("waits_s", [[], [1.0], [3 * VERIFIED_EVERY_S]])
def test_a_socket_that_its_holder_has_passed_on_before_it_ended_is_nobodys_at_no_time(
    machine: Machine, watch: Watch, waits_s: Sequence[float]
) -> None:
    machine.start(2, [5])
    machine.start(3, [6, FILE])
    watch.look(0.1)
    for wait_s in waits_s:
        machine.clock.now_s += wait_s
        watch.look(0.1)
    machine.put(3, 1, 5)
    machine.end(2)
    for _ in range(int(ROUND_EVERY_S) + 2):
        owners = watch.look(0.1)
        assert len(owners.nobodys) == 0
        machine.clock.now_s += 1
    assert pids_of(owners, 5) == [3]


def test_a_socket_that_was_nobodys_is_looked_for_when_it_has_been_somebodys(machine: Machine, watch: Watch) -> None:
    machine.start(2, [6])
    machine.start(3, [FILE])
    machine.unheld = {5}
    assert watch.look(0.1).nobodys.tolist() == [5]
    machine.put(2, 1, 5)
    machine.clock.now_s += VERIFIED_EVERY_S
    assert pids_of(watch.look(0.1), 5) == [2]
    machine.put(3, 0, 5)
    machine.end(2)
    for _ in range(int(ROUND_EVERY_S) + 2):
        owners = watch.look(0.1)
        assert len(owners.nobodys) == 0
        machine.clock.now_s += 1
    assert pids_of(owners, 5) == [3]


def test_a_socket_that_was_nobodys_is_looked_for_when_its_finder_has_ended(machine: Machine) -> None:
    """The process that came to hold it passes it on and ends while it is looked at."""

    def describe(pid: int) -> Description:
        description = machine.describe(pid)
        if pid == 3:
            machine.put(2, 0, 5)
            machine.end(3)
        return description

    watch = Watch(machine, lambda: with_own_rights(describe))
    machine.start(2, [FILE])
    machine.start(3, [FILE])
    machine.unheld = {5}
    assert watch.look(0.1).nobodys.tolist() == [5]
    machine.put(3, 0, 5)
    machine.clock.now_s += VERIFIED_EVERY_S
    owners = watch.look(0.1)
    assert (len(owners.groups), len(owners.nobodys)) == (0, 0)
    machine.clock.now_s += ROUND_EVERY_S
    watch.look(0.1)
    assert pids_of(watch.look(0.1), 5) == [2]


def test_nobodys_socket_may_come_to_have_a_holder_and_lose_it(machine: Machine, watch: Watch) -> None:
    machine.start(2, [6])
    machine.start(3)
    machine.unheld = {5}
    assert watch.look().nobodys.tolist() == [5]
    machine.put(2, 1, 5)
    machine.unheld.clear()
    machine.clock.now_s += VERIFIED_EVERY_S
    owners = watch.look()
    assert (owners.nobodys.tolist(), pids_of(owners, 5)) == ([], [2])
    machine.unheld = {5}
    machine.close(2, 1)
    machine.clock.now_s += VERIFIED_EVERY_S
    watch.look()
    machine.clock.now_s += ROUND_EVERY_S
    owners = watch.look()
    assert (owners.nobodys.tolist(), pids_of(owners, 5)) == ([5], [])
    machine.unheld.clear()
    assert watch.look().nobodys.tolist() == []


def test_a_socket_is_nobodys_only_after_all_processes_have_been_read(machine: Machine, watch: Watch) -> None:
    machine.start(2)
    machine.open(2, 2 * CHUNK)
    machine.start(3, [5])
    machine.unheld = {7}
    looks = 0
    while not len(watch.look(0.0).nobodys):
        looks += 1
    assert watch.finder.newest is not None
    assert watch.finder.newest.looked_at == 1
    assert looks > 2


def test_a_clock_that_stands_still_confuses_nothing(machine: Machine, watch: Watch) -> None:
    """What was before what is told by the looks, not by the clock."""
    machine.clock.tick_s = 0.0
    machine.start(2, [5])
    machine.start(3, [FILE])
    machine.unheld = {7}
    assert watch.look().nobodys.tolist() == [7]
    machine.put(3, 500, 6)
    machine.unheld.add(8)
    owners = watch.look()
    assert pids_of(owners, 6) == [3]
    assert owners.nobodys.tolist() == [7]


# -- Our own troubles --------------------------------------------------------------------------------------------------


def test_when_we_run_out_of_descriptors_nothing_is_forgotten(machine: Machine, watch: Watch) -> None:
    """No process has ended or refused because of that."""
    machine.start(2, [5])
    machine.start(3, [6])
    before = watch.look()
    machine.clock.now_s += VERIFIED_EVERY_S
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 1, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            watch.look()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert watch.finder.newest is before
    assert watch.look() is before


def test_no_descriptor_stays_open(machine: Machine, watch: Watch) -> None:
    machine.start(2, [5])
    machine.start(3, [6])
    machine.show(3, shows=False)
    before = sorted(os.listdir("/proc/self/fd"))
    watch.look()
    watch.look(0.0)
    assert sorted(os.listdir("/proc/self/fd")) == before


# -- Anything may happen at any time -----------------------------------------------------------------------------------

NAMES = ("nginx", "sh", "java")
KINDS = (
    *("start", "fork", "end", "open", "open", "burst", "sweep", "file", "far", "close", "replace", "dup", "pass_on"),
    *("refuse", "show", "exec", "kernel", "release", "claim", "reset", "connect"),
)
Event = tuple[str, int, int, int]
events = st.tuples(st.sampled_from(KINDS), st.integers(0, 999), st.integers(0, 999), st.integers(0, 999))
BIG_PID = 9


class Life:
    """What can happen on a machine, whatever it looks like at the time."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def happen(self, event: Event) -> None:
        kind, *numbers = event
        if kind == "kernel":
            self.machine.unheld.add(self.machine.new_socket())
        elif kind == "release":
            self.machine.unheld -= {self._one_of(self.machine.unheld, numbers[0])}
        elif kind == "start":
            self.machine.start(2 + numbers[0] % 6, [FILE] * (numbers[1] % 3), NAMES[numbers[2] % 3])
        elif self.machine.programs:
            pid = self._one_of(self.machine.programs, numbers[0])
            assert pid is not None
            getattr(self, kind)(pid, *numbers[1:])

    @staticmethod
    def _one_of(choice: Iterable[int], number: int) -> int | None:
        choices = sorted(choice)
        return choices[number % len(choices)] if choices else None

    def fork(self, pid: int, number: int, _other: int) -> None:
        child = 2 + number % 6
        if child != pid:
            parent = self.machine.programs[pid]
            self.machine.start(child, name=parent.name)
            for descriptor, link in parent.links.items():
                self.machine.put(child, descriptor, link)

    def end(self, pid: int, *_: int) -> None:
        self.machine.end(pid)

    def open(self, pid: int, *_: int) -> None:
        self.machine.open(pid)

    def burst(self, pid: int, *_: int) -> None:
        self.machine.open(pid, MISSES + 8)

    def sweep(self, pid: int, number: int, other: int) -> None:
        """Many descriptors become other sockets."""
        for descriptor in sorted(self.machine.programs[pid].links)[number % 5 :: 1 + other % 3]:
            self.machine.put(pid, descriptor, self.machine.new_socket())

    def file(self, pid: int, *_: int) -> None:
        self.machine.put(pid, self.machine.programs[pid].lowest_free, FILE)

    def far(self, pid: int, number: int, *_: int) -> None:
        """A descriptor behind many free ones (``dup2(2)``)."""
        self.machine.put(pid, 3000 + number, self.machine.new_socket())

    def close(self, pid: int, number: int, *_: int) -> None:
        descriptor = self._one_of(self.machine.programs[pid].links, number)
        if descriptor is not None:
            self.machine.close(pid, descriptor)

    def replace(self, pid: int, number: int, other: int) -> None:
        """A descriptor becomes a new socket, or a file."""
        descriptor = self._one_of(self.machine.programs[pid].links, number)
        if descriptor is not None:
            self.machine.put(pid, descriptor, self.machine.new_socket() if other % 3 else FILE)

    def dup(self, pid: int, number: int, other: int) -> None:
        """A descriptor becomes another one's socket, or a new one does."""
        program = self.machine.programs[pid]
        source = self._one_of(program.links, number)
        if source is not None:
            target = self._one_of(program.links, other) if other % 2 else program.lowest_free
            self.machine.put(pid, target or 0, program.links[source])

    def take(self, pid: int, inode: int | None) -> None:
        if inode is not None:
            self.machine.put(pid, self.machine.programs[pid].lowest_free, inode)

    def pass_on(self, pid: int, number: int, other: int) -> None:
        """A socket passes to another process (``SCM_RIGHTS``), which may leave it the only one that has it."""
        inode = self._one_of(self.machine.programs[pid].sockets, number)
        taker = self._one_of(self.machine.programs, other)
        assert taker is not None
        self.take(taker, inode)
        if other % 2 and taker != pid:
            for descriptor, held in list(self.machine.programs[pid].links.items()):
                if held == inode:
                    self.machine.close(pid, descriptor)

    def refuse(self, pid: int, *_: int) -> None:
        self.machine.show(pid, shows=False)

    def show(self, pid: int, *_: int) -> None:
        self.machine.show(pid, shows=True)

    def exec(self, pid: int, number: int, _other: int) -> None:
        self.machine.rename(pid, NAMES[number % 3])

    def claim(self, pid: int, number: int, _other: int) -> None:
        """A process gets hold of a socket that was on its way."""
        inode = self._one_of(self.machine.unheld, number)
        self.take(pid, inode)
        self.machine.unheld -= {inode}

    def reset(self, pid: int, number: int, _other: int) -> None:
        """A connection is reset, and its program does not care."""
        self.machine.untabled |= {self._one_of(self.machine.programs[pid].sockets, number) or 0}

    def connect(self, _pid: int, number: int, _other: int) -> None:
        self.machine.untabled -= {self._one_of(self.machine.untabled, number)}


@settings(stateful_step_count=30)
class AnyLife(RuleBasedStateMachine):
    """Whatever happens, what is said was so not long ago, and is so in the end."""

    def __init__(self) -> None:
        super().__init__()
        proc = new_proc()
        self.clock = Clock()
        self.machine = Machine(proc, self.clock)
        self.life = Life(self.machine)
        self.watch = Watch(self.machine)
        self.told: tuple[Owners, tuple[object, ...]] | None = None
        self.missed_since: dict[int, int] = {}
        """By what change each socket of the last table was first in it."""
        self.ever: set[Process] = set()
        """Who has been told to hold a socket."""

    def teardown(self) -> None:
        shutil.rmtree(self.machine.proc)

    @initialize(is_big=st.booleans(), first=st.lists(events, max_size=8))
    def begins(self, first: Sequence[Event], *, is_big: bool) -> None:
        if is_big:
            self.machine.start(BIG_PID, name="big")
            self.machine.open(BIG_PID, CHUNK + 100)
        for pid in (2, 3):
            self.machine.start(pid)
        for event in first:
            self.life.happen(event)

    @rule(event=events)
    def happens(self, event: Event) -> None:
        self.life.happen(event)

    @rule(seconds=st.sampled_from((0.2, 1.1, ROUND_EVERY_S, VERIFIED_EVERY_S / 2, VERIFIED_EVERY_S)))
    def passes(self, seconds: float) -> None:
        self.clock.now_s += seconds

    @rule(
        budget_s=st.sampled_from((math.inf, math.inf, 0.0, 0.004, 0.02, 0.1)),
        scope=st.sampled_from((None, None, 0, 1)),
        meanwhile=st.lists(st.tuples(st.integers(0, 60), events), max_size=3),
    )
    def looks(self, budget_s: float, scope: int | None, meanwhile: Sequence[tuple[int, Event]]) -> None:
        for looks, event in meanwhile:
            self.clock.soon(looks, functools.partial(self.life.happen, event))
        self.look(budget_s, scope)
        self.clock.happenings.clear()

    def look(self, budget_s: float = math.inf, scope: int | None = None) -> Owners:
        machine, started_s = self.machine, self.clock.now_s
        wanted = {each for each in machine.sockets if scope is None or scope in (each % 3, each % LISTENING_EVERY)}
        self.missed_since = {inode: self.missed_since.get(inode, machine.changes) for inode in wanted}
        owners = self.watch.look(budget_s, None if scope is None else wanted)
        if budget_s == math.inf:
            assert owners.looked_at == 1
            assert self.clock.now_s - started_s < A_SHORT_TIME_S
        self._check_holders(owners, VERIFIED_EVERY_S + A_SHORT_TIME_S if budget_s == math.inf else math.inf)
        self._check_nobodys(owners)
        self._check_novelty(owners)
        self.ever.update(owners.processes())
        return owners

    def _check_holders(self, owners: Owners, seconds: float) -> None:
        """Each held it under that name within the last ``seconds``, and not only another that had the id then."""
        machine, bound_s = self.machine, self.clock.now_s - seconds
        keys = {program.key: program for program in machine.programs.values()}
        for inode, group in holders_of(owners).items():
            assert group == tuple(sorted(group))
            for pid, start, name in group:
                program = keys.get((pid, start))
                if program is None or inode not in program.sockets:
                    assert machine.held_until[pid, start, inode] >= bound_s
                if program is None or name != program.name:
                    assert machine.named_until[pid, start, name] >= bound_s
        for process in owners.processes():
            assert process.command in (f"{process.name} of {process.start_ticks}", "")
        assert not {*owners.inodes.tolist()} & {*owners.nobodys.tolist()}

    def _check_nobodys(self, owners: Owners) -> None:
        """None has been held, in plain sight and by the same descriptor, ever since it was missed."""
        before = {*self.told[0].nobodys.tolist()} if self.told is not None else set()
        news = {*owners.nobodys.tolist()} - before
        for program in self.machine.shown:
            for number, inode in program.links.items():
                if inode in news:
                    assert max(program.since[number], program.shown_since or 0) > self.missed_since[inode]

    def _check_novelty(self, owners: Owners) -> None:
        """It is another object exactly if it says something else."""
        if self.told is not None:
            assert (owners is self.told[0]) == (all_of(owners) == self.told[1])
        self.told = owners, all_of(owners)

    @rule()
    def comes_to_the_truth(self) -> None:
        """With time enough two looks do, one when all readings are old, and one for what that came to miss."""
        self.clock.now_s += VERIFIED_EVERY_S
        self.look()
        self.clock.now_s += ROUND_EVERY_S
        owners = self.look()
        assert self.is_true(owners)
        assert self.look() is owners

    @rule(budget_s=st.sampled_from((0.0, 0.01)))
    def comes_to_the_truth_in_many_small_steps(self, budget_s: float) -> None:
        for number in range(300):
            self.clock.now_s += 1
            owners = self.look(budget_s)
            if number % 10 == 0 and self.is_true(owners):
                return
        raise AssertionError("it never does")

    def is_true(self, owners: Owners) -> bool:
        machine = self.machine
        refusing = len(machine.programs) - len(machine.shown)
        truth = machine.holders
        keys = {program.key for program in machine.programs.values()}
        return (
            len(owners.inodes) == len(truth)
            and holders_of(owners) == truth
            and {*owners.nobodys.tolist()} == machine.sockets - truth.keys()
            and owners.ended(self.ever) == {each for each in self.ever if (each.pid, each.start_ticks) not in keys}
            and owners.hidden == refusing
            and owners.blindness is (Blindness.OTHER_USERS if refusing else Blindness.NONE)
            and owners.looked_at == 1
            and {pid: count.open for pid, count in owners.descriptors.items()}
            == {
                each.pid: (machine.proc / str(each.pid) / "fd").stat().st_size for each in machine.shown if each.sockets
            }
        )


TestAnyLife = AnyLife.TestCase
