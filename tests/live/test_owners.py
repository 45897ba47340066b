"""Whose a socket is: processes against ss, cgroups against the kernel's own files."""

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tcptui.kernel.cgroups import cgroup2_mount, cgroup_paths
from tcptui.kernel.decode import Attributes
from tcptui.kernel.owners import OwnerScan, read_owners
from tcptui.kernel.sock_diag import DumpQuery, SockDiag
from tcptui.model.states import TcpState
from tcptui.sources.base import states_mask
from tests.support.commands import run_command
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live
from tests.support.program import NOBODY
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

SCAN_AS_NOBODY = f"""
import os, socket
from tcptui.kernel.owners import read_owners
os.setgroups([])
os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
own = socket.socket()
scan = read_owners()
print(scan.hidden, (os.fstat(own.fileno()).st_ino, os.getpid()) in zip(scan.inodes.tolist(), scan.pids.tolist()))
"""
_USER = re.compile(r'\("([^"]*)",pid=(\d+),fd=\d+\)')


class Holder:
    """A process that holds two listeners of a namespace, with children that share them."""

    def __init__(self, namespace: NetworkNamespace, name: str = "holder", children: int = 0) -> None:
        command = namespace.argv(sys.executable, "-c", HOLDER, name, str(children))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def listen(self) -> list[int]:
        """Have it open its sockets; who holds them."""
        assert self.process.stdin is not None  # both are pipes
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return [int(word) for word in self.process.stdout.readline().split()]

    def end(self) -> None:
        self.process.communicate(timeout=60)


@contextlib.contextmanager
def holder(namespace: NetworkNamespace, name: str = "holder", children: int = 0) -> Iterator[Holder]:
    held = Holder(namespace, name, children)
    try:
        yield held
    finally:
        held.end()


def owners_by_ss(namespace: NetworkNamespace) -> set[tuple[int, int, str]]:
    """Inode, pid and name of who holds a TCP socket of the namespace."""
    owners = set()
    for line in run_command("ss", "-N", namespace.name, "-tanHpe").splitlines():
        inode = re.search(r"\bino:(\d+)", line)
        assert inode is not None
        owners |= {(int(inode[1]), int(pid), name) for name, pid in _USER.findall(line)}
    return owners


def owners_among(scan: OwnerScan, pids: Sequence[int]) -> set[tuple[int, int, str]]:
    rows = zip(scan.inodes.tolist(), scan.pids.tolist(), strict=True)
    return {(inode, pid, scan.names[pid]) for inode, pid in rows if pid in pids}


def test_owners_are_those_that_ss_names(namespace: NetworkNamespace) -> None:
    """Two sockets, one of them held twice by the same process, shared by three processes."""
    with holder(namespace, "web worker", children=2) as held:
        pids = held.listen()
        found = owners_among(read_owners(), pids)
        assert found == owners_by_ss(namespace)
    assert len(found) == 2 * 3
    assert {name for *_, name in found} == {"web worker"}


def test_a_process_cannot_write_to_the_terminal_with_its_name(namespace: NetworkNamespace) -> None:
    with holder(namespace, "\x1b[2J\nx\u202e") as held:
        (pid,) = held.listen()
        assert read_owners().names[pid] == "\\x1b[2J\\x0ax\\u202e"


def test_a_process_that_has_ended_holds_nothing(namespace: NetworkNamespace) -> None:
    """Neither as a zombie, which still has its folder in /proc, nor when that is gone."""
    with holder(namespace) as held:
        (pid,) = held.listen()
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert os.path.isdir(f"/proc/{pid}/fd")
        assert owners_among(read_owners(), [pid]) == set()
        held.process.wait()
        assert pid not in read_owners().names


def test_processes_that_come_and_go_do_not_end_a_scan(namespace: NetworkNamespace) -> None:
    with holder(namespace) as held:
        pids = held.listen()
        for _ in range(30):
            passing = [subprocess.Popen(["true"]) for _ in range(5)]
            assert len(owners_among(read_owners(), pids)) == 2
            for each in passing:
                each.wait()


def test_processes_of_others_are_counted_where_they_may_not_be_looked_at() -> None:
    """FACTS section 6.8."""
    require_live()
    command = [sys.executable, "-c", SCAN_AS_NOBODY]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    hidden, own_is_found = done.stdout.split()
    assert int(hidden) > 0
    assert own_is_found == "True"


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
