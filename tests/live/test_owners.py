"""Whose a socket is: processes against ss, cgroups against the kernel's own files."""

import contextlib
import json
import math
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tcptui.kernel.cgroups import cgroup2_mount, cgroup_paths
from tcptui.kernel.decode import Attributes
from tcptui.kernel.processes import process_ids
from tcptui.kernel.sock_diag import DumpQuery, SockDiag
from tcptui.model.owners import Owners
from tcptui.model.states import TcpState
from tcptui.model.table import ROW
from tcptui.sources.base import states_mask
from tcptui.sources.owners import COUNTED_EVERY_S, VERIFIED_EVERY_S, OwnerFinder
from tcptui.sources.processes import describer
from tcptui.sources.whereabouts import CGROUPS_READ_EVERY_S, WhereaboutsFinder
from tests.support.commands import run_command
from tests.support.limits import raise_descriptor_limit
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live
from tests.support.program import NOBODY
from tests.support.ss import ss_rows
from tests.support.waiting import wait_for

pytestmark = pytest.mark.live

HOLDER = """
import os, socket, sys
name, others = sys.argv[1], int(sys.argv[2])
sys.stdin.readline()
with open("/proc/self/comm", "w") as comm:
    comm.write(name)
sockets = [socket.create_server(("127.0.0.1", port)) for port in (8001, 8002)]
twice = os.dup(sockets[0].fileno())
pids = [os.getpid()]
for _ in range(others):
    pids.append(os.fork())
    if not pids[-1]:
        sys.stdin.read()
        os._exit(0)
print(*pids, flush=True)
sys.stdin.read()
for pid in pids[1:]:
    os.waitpid(pid, 0)
"""
"""Listens on two ports under a name of its own as soon as it gets a line; children share the sockets till it ends."""

HOARDER = """
import socket, sys
sys.path.insert(0, sys.argv[1])
from tests.support.limits import raise_descriptor_limit
raise_descriptor_limit()
held = [socket.socket() for _ in range(int(sys.argv[2]))]
for port, _ in enumerate(sys.stdin, 8001):
    held.append(socket.create_server(("127.0.0.1", port)))
    print(len(held), flush=True)
"""
"""Holds as many sockets as it is told, and for each line that it gets a listener more."""

LOOK_AROUND = f"""
import json, os, socket, sys
import numpy as np, psutil
sys.path.insert(0, sys.argv[1])
# Everything is loaded while files can still be read: a clone may lie where nobody may look.
from tcptui.model.table import ROW
from tcptui.sources.owners import OwnerFinder
from tcptui.sources.processes import describer
if sys.argv[2] == "nobody":
    os.setgroups([])
    os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
own = socket.socket()
rows = np.zeros(2, ROW)
rows["inode"] = os.fstat(own.fileno()).st_ino, int(sys.argv[3])
owners = OwnerFinder(lambda: describer({{}})).look(rows)
groups = [[process.pid for process in group] for group in owners.groups]
held = dict(zip(owners.inodes.tolist(), (groups[code] for code in owners.codes.tolist())))
own_is_found = held.get(int(rows["inode"][0])) == [os.getpid()]
names = dict(own=own_is_found, hidden=owners.hidden, blindness=owners.blindness.name, nobodys=owners.nobodys.tolist())
print(json.dumps(names))
"""
"""What is seen by whom: root or nobody, who also looks for somebody else's socket."""

RECYCLED = """
import json, os, socket, sys
import numpy as np, psutil
sys.path.insert(0, sys.argv[1])
from tcptui.kernel.processes import ProcessFolder
from tcptui.model.table import ROW
from tcptui.sources.owners import OwnerFinder
from tcptui.sources.processes import describer
PID = 300

def spawn(name):
    with open("/proc/sys/kernel/ns_last_pid", "w") as file:
        file.write(str(PID - 1))
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        with open("/proc/self/comm", "w") as comm:
            comm.write(name)
        own = socket.socket()
        os.write(tell, str(os.fstat(own.fileno()).st_ino).encode())
        os.read(stay, 1)
        os._exit(0)
    assert child == PID
    inode = int(os.read(ready, 20))
    with ProcessFolder(PID) as folder:
        return folder.start_ticks(), inode

def end():
    os.kill(PID, 9)
    os.waitpid(PID, 0)

def look(inode):
    rows = np.zeros(1, ROW)
    rows["inode"] = inode
    owners = finder.look(rows)
    return [(each.pid, each.start_ticks, each.name) for group in owners.groups for each in group if each.pid == PID]

stay, _ = os.pipe()
finder = OwnerFinder(lambda: describer({}))
old, inode = spawn("old")
before = look(inode)
new = old
while new == old:  # one that was started in the same clock tick no program can tell apart
    end()
    new, inode = spawn("new")
print(json.dumps(dict(old=old, new=new, before=before, after=look(inode))))
end()
"""
"""In a pid namespace of its own: what is known of a process, and of another that gets its id."""

REPOSITORY = str(Path(__file__).parents[2])
_USER = re.compile(r'\("([^"]*)",pid=(\d+),fd=\d+\)')

Held = set[tuple[int, int, str]]
"""Inode, pid and name of who holds it."""


class Holder:
    """A process that holds two listeners of a namespace, with children that share them."""

    def __init__(
        self, namespace: NetworkNamespace, name: str = "holder", children: int = 0, wrapper: Iterable[str] = ()
    ) -> None:
        command = namespace.argv(*wrapper, sys.executable, "-c", HOLDER, name, str(children))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def listen(self) -> list[int]:
        """Have it open its sockets; who holds them."""
        return [int(word) for word in tell(self.process).split()]

    def end(self) -> None:
        self.process.communicate(timeout=60)


def tell(process: "subprocess.Popen[str]", line: str = "") -> str:
    """Say something to a process; what it answers."""
    assert process.stdin is not None  # both are pipes
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline()


@contextlib.contextmanager
def holder(
    namespace: NetworkNamespace, name: str = "holder", children: int = 0, wrapper: Iterable[str] = ()
) -> Iterator[Holder]:
    held = Holder(namespace, name, children, wrapper)
    try:
        yield held
    finally:
        held.end()


class Clock:
    """The clock, which can be put forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


def new_finder(clock: Clock | None = None) -> OwnerFinder:
    require_live()
    return OwnerFinder(lambda: describer({0: "root"}), clock=clock or Clock())


def look(finder: OwnerFinder, namespace: NetworkNamespace, budget_s: float = math.inf) -> Owners:
    """Look for the holders of the sockets that ss sees in the namespace."""
    inodes = [row.inode or 0 for row in ss_rows(namespace, "-e")]
    rows = np.zeros(len(inodes), ROW)
    rows["inode"] = inodes
    return finder.look(rows, budget_s)


def held_by_ss(namespace: NetworkNamespace) -> Held:
    """Who holds a TCP socket of the namespace, by ``ss``."""
    held = set()
    for line in run_command("ss", "-N", namespace.name, "-tanHpe").splitlines():
        inode = re.search(r"\bino:(\d+)", line)
        assert inode is not None
        held |= {(int(inode[1]), int(pid), name) for name, pid in _USER.findall(line)}
    return held


def held(owners: Owners, among: Iterable[int] | None = None) -> Held:
    """Who holds a socket, or one of the inodes in ``among``, by the finder."""
    groups = [owners.groups[code] for code in owners.codes.tolist()]
    wanted = {*owners.inodes.tolist()} if among is None else {*among}
    return {
        (inode, process.pid, process.name)
        for inode, group in zip(owners.inodes.tolist(), groups, strict=True)
        for process in group
        if inode in wanted
    }


def inodes_of(namespace: NetworkNamespace) -> set[int]:
    return {row.inode or 0 for row in ss_rows(namespace, "-e")}


def test_owners_are_those_that_ss_names(namespace: NetworkNamespace) -> None:
    """Two sockets, one of them held twice by the same process, shared by three processes."""
    with holder(namespace, "web worker", children=2) as held_:
        pids = held_.listen()
        owners = look(new_finder(), namespace)
        found = held(owners, inodes_of(namespace))
        assert found == held_by_ss(namespace)
        told = [process for process in owners.processes() if process.pid == pids[0]]
    assert len(found) == 2 * 3
    assert {pid for _, pid, _ in found} == {*pids}
    assert {name for *_, name in found} == {"web worker"}
    assert [(each.uid, each.user, each.command.endswith("web worker 2")) for each in told] == [(0, "root", True)]


def test_a_process_cannot_write_to_the_terminal_with_its_name(namespace: NetworkNamespace) -> None:
    with holder(namespace, "\x1b[2J\nx\u202e") as held_:
        (pid,) = held_.listen()
        owners = look(new_finder(), namespace)
        assert [each.name for each in owners.processes() if each.pid == pid] == ["\\x1b[2J\\x0ax\\u202e"]


def test_a_process_that_has_ended_holds_nothing(namespace: NetworkNamespace) -> None:
    """Neither as a zombie, which still has its folder in /proc, nor when that is gone."""
    clock = Clock()
    knowing = new_finder(clock)
    with holder(namespace) as held_:
        (pid,) = held_.listen()
        (process,) = (each for each in look(knowing, namespace).processes() if each.pid == pid)
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert os.path.isdir(f"/proc/{pid}/fd")
        clock.ahead_s = VERIFIED_EVERY_S
        for finder in (knowing, new_finder()):
            owners = look(finder, namespace)
            assert pid not in [each.pid for each in owners.processes()]
        assert look(knowing, namespace).ended([process]) == frozenset()
        held_.process.wait()
        assert look(knowing, namespace).ended([process]) == {process}


def test_processes_that_come_and_go_do_not_end_a_look(namespace: NetworkNamespace) -> None:
    finder = new_finder()
    with holder(namespace) as held_:
        pids = held_.listen()
        for _ in range(30):
            passing = [subprocess.Popen(["true"]) for _ in range(5)]
            owners = look(finder, namespace)
            assert {pid for _, pid, _ in held(owners, inodes_of(namespace))} == {*pids}
            assert owners.looked_at == 1
            for each in passing:
                each.wait()


def test_another_program_in_the_same_process_goes_by_its_name(namespace: NetworkNamespace) -> None:
    """With ``execve(2)`` neither id nor start changes."""
    clock = Clock()
    finder = new_finder(clock)
    with namespace.entered(), socket.create_server(("127.0.0.1", 8001)) as listener:
        inode = os.fstat(listener.fileno()).st_ino
        command = ["sh", "-c", "read line; exec cat"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[listener.fileno()]
        )
    assert {name for _, pid, name in held(look(finder, namespace), [inode]) if pid == process.pid} == {"sh"}
    assert tell(process, "first\nsecond") == "second\n"
    clock.ahead_s = VERIFIED_EVERY_S
    owners = look(finder, namespace)
    assert held(owners, [inode]) == {(inode, process.pid, "cat")}
    assert [each.command for each in owners.processes() if each.pid == process.pid] == ["cat"]
    process.communicate(timeout=60)


def test_a_socket_on_its_way_is_nobodys_till_it_arrives(namespace: NetworkNamespace) -> None:
    """Sent by ``SCM_RIGHTS`` and not received yet, it has no descriptor."""
    clock = Clock()
    finder = new_finder(clock)
    near, far = socket.socketpair()
    with namespace.entered():
        listener = socket.create_server(("127.0.0.1", 8001))
    inode = os.fstat(listener.fileno()).st_ino
    assert {pid for _, pid, _ in held(look(finder, namespace), [inode])} == {os.getpid()}
    with near, far:
        socket.send_fds(near, [b"x"], [listener.fileno()])
        listener.close()
        for ahead_s in (VERIFIED_EVERY_S, 2 * VERIFIED_EVERY_S):
            clock.ahead_s = ahead_s
            owners = look(finder, namespace)
        assert inode in owners.nobodys
        _, (arrived,), *_ = socket.recv_fds(far, 1, 1)
        clock.ahead_s = 3 * VERIFIED_EVERY_S
        owners = look(finder, namespace)
        assert {pid for _, pid, _ in held(owners, [inode])} == {os.getpid()}
        assert inode not in owners.nobodys
        os.close(arrived)


def test_a_process_with_many_descriptors_is_read_in_many_short_looks(namespace: NetworkNamespace) -> None:
    count = raise_descriptor_limit() - 1000
    clock = Clock()
    finder = new_finder(clock)
    command = namespace.argv(sys.executable, "-c", HOARDER, REPOSITORY, str(count))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        tell(process)

        def known() -> int:
            owners = finder.newest
            return sum(pid == process.pid for _, pid, _ in held(owners)) if owners else 0

        steps = [0]
        while look(finder, namespace, 0.01).looked_at < 1:
            assert known() >= steps[-1]
            if known() > steps[-1]:
                steps.append(known())
        assert known() == count + 1
        assert len(steps) > 3
        tell(process)
        owners = look(finder, namespace, 0.25)
        assert known() == count + 2
        assert held(owners, inodes_of(namespace)) == held_by_ss(namespace)
        clock.ahead_s = COUNTED_EVERY_S
        descriptors = look(finder, namespace).descriptors[process.pid]
        assert descriptors.open == len(os.listdir(f"/proc/{process.pid}/fd"))
        assert descriptors.limit == raise_descriptor_limit()
        process.communicate(timeout=60)


# -- Who may not be looked at ------------------------------------------------------------------------------------------


def seen_by(user: str, inode: int, *wrapper: str) -> Any:
    """What ``LOOK_AROUND`` tells."""
    require_live()
    return json.loads(run_command(*wrapper, sys.executable, "-c", LOOK_AROUND, REPOSITORY, user, str(inode)))


@pytest.fixture
def own_inode() -> Iterator[int]:
    """Of a socket of this process."""
    with socket.socket() as own:
        yield os.fstat(own.fileno()).st_ino


def test_processes_of_others_are_counted_where_they_may_not_be_looked_at(own_inode: int) -> None:
    """FACTS section 6.8."""
    seen = seen_by("nobody", own_inode)
    assert seen["hidden"] > 0
    assert seen["own"]
    assert (seen["blindness"], seen["nobodys"]) == ("OTHER_USERS", [own_inode])


def refuses(pid: int) -> bool:
    """Whether a process does not show its descriptors to us; some list them, and no more than that."""
    folder = f"/proc/{pid}/fd"
    try:
        for number in os.listdir(folder):
            os.readlink(f"{folder}/{number}")
    except PermissionError:
        return True
    except FileNotFoundError:  # it has ended
        return False
    return False


def test_root_sees_all_that_do_not_refuse_even_root(own_inode: int) -> None:
    """A security module can keep a process from everybody."""
    refusing = sum(map(refuses, process_ids()))
    seen = seen_by("root", own_inode)
    assert (seen["own"], seen["hidden"], seen["nobodys"]) == (True, refusing, [])
    assert seen["blindness"] in (("REFUSED",) if refusing else ("NONE", "PID_NAMESPACE"))


@pytest.mark.parametrize(("hidepid", "are_listed"), [(1, True), (2, False)])
def test_a_proc_that_hides_others_is_told_from_one_without_them(
    own_inode: int, hidepid: int, *, are_listed: bool
) -> None:
    mount = f'mount -t proc -o hidepid={hidepid} proc /proc && exec "$@"'
    seen = seen_by("nobody", own_inode, "unshare", "-m", "sh", "-c", mount, "sh")
    assert (seen["hidden"] > 0) is are_listed
    assert (seen["own"], seen["blindness"], seen["nobodys"]) == (True, "OTHER_USERS", [own_inode])


def test_in_a_pid_namespace_the_others_are_not_seen(own_inode: int) -> None:
    seen = seen_by("root", own_inode, "unshare", "-p", "-f", "--mount-proc")
    assert (seen["own"], seen["hidden"]) == (True, 0)
    assert (seen["blindness"], seen["nobodys"]) == ("PID_NAMESPACE", [own_inode])


def test_a_process_of_another_pid_namespace_goes_by_the_id_that_it_has_here(namespace: NetworkNamespace) -> None:
    with holder(namespace, "container", children=1, wrapper=("unshare", "-p", "-f")) as held_:
        inside = held_.listen()
        found = held(look(new_finder(), namespace), inodes_of(namespace))
        assert found == held_by_ss(namespace)
        assert len(found) == 4
        assert not {*inside} & {pid for _, pid, _ in found}


def test_another_process_that_gets_the_id_is_told_apart() -> None:
    require_live()
    seen = json.loads(run_command("unshare", "-p", "-f", "--mount-proc", sys.executable, "-c", RECYCLED, REPOSITORY))
    assert seen["old"] < seen["new"]
    assert seen["before"] == [[300, seen["old"], "old"]]
    assert seen["after"] == [[300, seen["new"], "new"]]


# -- Cgroups -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[str]:
    """The cgroup v2 tree, mounted where only this test looks."""
    require_live()
    folder = tmp_path / "cgroup of a test"
    folder.mkdir()
    run_command("mount", "-t", "cgroup2", "none", str(folder))
    yield str(folder)
    run_command("umount", str(folder))


@pytest.fixture
def cgroup(mount: str) -> Iterator[str]:
    """Path of a new cgroup two levels down."""
    path = f"/tcptui-{os.getpid()}-{secrets.token_hex(4)}/web.service"
    os.makedirs(mount + path)
    yield path
    for each in (path, os.path.dirname(path)):
        wait_for(lambda: _is_removed(mount + each), bool, wanted=f"the processes of {each} to be gone")  # noqa: B023


def _is_removed(folder: str) -> bool:
    """Whether the cgroup is gone; a process that has ended can stay in it a moment longer (EBUSY)."""
    with contextlib.suppress(OSError):
        os.rmdir(folder)
    return not os.path.exists(folder)


def cgroup_ids_of(namespace: NetworkNamespace) -> list[int]:
    """The cgroup of each TCP socket of the namespace, by sock_diag."""
    found: list[int] = []

    def take(_messages: NDArray[np.void], attributes: Attributes) -> None:
        found.extend(attributes.cgroup_ids.tolist())

    with namespace.entered():
        sock_diag = SockDiag()
    sock_diag.dump(DumpQuery(socket.AF_INET, states_mask(TcpState)), take)
    sock_diag.close()
    return found


def test_a_sockets_cgroup_has_the_path_of_the_process_that_made_it(
    namespace: NetworkNamespace, mount: str, cgroup: str
) -> None:
    with holder(namespace) as held:
        Path(f"{mount}{cgroup}/cgroup.procs").write_text(str(held.process.pid))
        held.listen()
        first, second = cgroup_ids_of(namespace)
        assert first == second == os.stat(f"{mount}{cgroup}").st_ino
        assert cgroup_paths(mount)[first] == cgroup
        assert f"0::{cgroup}\n" in Path(f"/proc/{held.process.pid}/cgroup").read_text()


def test_all_cgroups_of_the_kernel_are_found(mount: str, cgroup: str) -> None:
    """Those without children are not listed; none may be missed for that (``kernfs_refresh_inode()``)."""
    paths = cgroup_paths(mount)
    walked = {os.stat(folder).st_ino: folder.removeprefix(mount) or "/" for folder, *_ in os.walk(mount)}
    here = os.path.dirname(cgroup)
    assert {number: path for number, path in paths.items() if path.startswith(here)} == {
        number: path for number, path in walked.items() if path.startswith(here)
    }
    assert len([path for path in paths.values() if path.startswith(here)]) == 2
    assert paths[os.stat(mount).st_ino] == "/"


def test_a_mount_of_the_tree_is_found(mount: str) -> None:
    """This one, unless the machine has it mounted already."""
    found = cgroup2_mount()
    assert found is not None
    assert os.stat(found).st_dev == os.stat(mount).st_dev


@contextlib.contextmanager
def child(folder: str) -> Iterator[int]:
    """A cgroup in another one; its id."""
    os.mkdir(folder)
    try:
        yield os.stat(folder).st_ino
    finally:
        os.rmdir(folder)


def test_a_cgroup_that_has_ended_keeps_its_path(cgroup: str, mount: str) -> None:
    """Its sockets can outlive it."""
    clock = Clock()
    finder = WhereaboutsFinder(clock)
    rows = np.zeros(1, ROW)
    with child(f"{mount}{cgroup}/first") as first:
        rows["cgroup_id"] = first
        assert finder.look(rows).cgroups[first] == f"{cgroup}/first"
    with child(f"{mount}{cgroup}/second") as second:
        rows["cgroup_id"] = second
        clock.ahead_s = CGROUPS_READ_EVERY_S
        paths = finder.look(rows).cgroups
    assert (paths[first], paths[second]) == (f"{cgroup}/first", f"{cgroup}/second")


def test_a_cgroup_without_a_path_is_looked_for_once(cgroup: str, mount: str) -> None:
    clock = Clock()
    finder = WhereaboutsFinder(clock)
    rows = np.zeros(1, ROW)
    rows["cgroup_id"] = 1 << 60
    finder.look(rows)
    with child(f"{mount}{cgroup}/new") as new:
        clock.ahead_s = CGROUPS_READ_EVERY_S
        assert new not in finder.look(rows).cgroups
        rows["cgroup_id"] = new
        assert finder.look(rows).cgroups[new] == f"{cgroup}/new"
