"""Which process holds which socket, read from folders made like /proc."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcptui.kernel.owners import OwnerScan, hides_processes, read_owners


def make_process(proc: Path, pid: int, links: Sequence[str], comm: bytes = b"nginx\n") -> Path:
    """A process with descriptors 0, 1, 2, ... that lead to ``links``."""
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_bytes(comm)
    for number, link in enumerate(links):
        (folder / "fd" / str(number)).symlink_to(link)
    return folder


def pairs(scan: OwnerScan) -> list[tuple[int, int]]:
    """Inode and pid, in their order."""
    return list(zip(scan.inodes.tolist(), scan.pids.tolist(), strict=True))


def test_sockets_are_told_from_everything_else_that_is_open(tmp_path: Path) -> None:
    links = ["/dev/null", "pipe:[7]", "socket:[31]", "anon_inode:[eventpoll]", "/srv/socket:[8]", "socket:[30]"]
    make_process(tmp_path, 12, links)
    scan = read_owners(str(tmp_path))
    assert pairs(scan) == [(30, 12), (31, 12)]
    assert scan.names == {12: "nginx"}
    assert scan.hidden == 0
    assert [scan.inodes.dtype, scan.pids.dtype] == [np.dtype(np.uint32), np.dtype(np.int32)]


def test_a_socket_stands_once_for_each_process_that_shares_it(tmp_path: Path) -> None:
    make_process(tmp_path, 900, ["socket:[5]", "socket:[5]", "socket:[4]"], b"parent\n")
    make_process(tmp_path, 77, ["socket:[5]"], b"child\n")
    scan = read_owners(str(tmp_path))
    assert pairs(scan) == [(4, 900), (5, 77), (5, 900)]
    assert scan.names == {77: "child", 900: "parent"}


def test_a_process_without_sockets_has_no_name_here(tmp_path: Path) -> None:
    make_process(tmp_path, 2, [], b"kthreadd\n")
    make_process(tmp_path, 3, ["/dev/null"])
    scan = read_owners(str(tmp_path))
    assert (pairs(scan), scan.names, scan.hidden) == ([], {}, 0)


def test_a_process_that_ends_meanwhile_costs_the_others_nothing(tmp_path: Path) -> None:
    """It is in the list and then has no folder of descriptors, no descriptor, or no name any more."""
    (tmp_path / "10").mkdir()
    (make_process(tmp_path, 11, ["socket:[1]"]) / "comm").unlink()
    (make_process(tmp_path, 12, ["socket:[2]"]) / "fd" / "not-a-link").touch()
    scan = read_owners(str(tmp_path))
    assert (pairs(scan), scan.names, scan.hidden) == ([(2, 12)], {12: "nginx"}, 0)


def test_only_numbers_are_processes(tmp_path: Path) -> None:
    make_process(tmp_path, 12, ["socket:[1]"])
    for name in ("self", "net", "٣", "-1", "1x"):
        make_process(tmp_path, 0, ["socket:[2]"]).rename(tmp_path / name)
    assert pairs(read_owners(str(tmp_path))) == [(1, 12)]


@pytest.mark.parametrize(
    ("comm", "name"),
    [
        (b"nginx: worker\n", "nginx: worker"),
        (b"\n", ""),
        (b"a\nb\n", "a\\x0ab"),
        (b"red\x1b[31m\n", "red\\x1b[31m"),
        ("grün".encode() + b"\n", "grün"),
        (b"cut \xc3\n", "cut \N{REPLACEMENT CHARACTER}"),
        ("\u202eevil".encode() + b"\n", "\\u202eevil"),
    ],
)
def test_a_name_is_printable_whatever_a_process_calls_itself(tmp_path: Path, comm: bytes, name: str) -> None:
    """``prctl(PR_SET_NAME)`` takes any bytes, and 15 of them may end within a character."""
    make_process(tmp_path, 12, ["socket:[1]"], comm)
    assert read_owners(str(tmp_path)).names == {12: name}


def test_the_largest_inode_and_pid_keep_their_place(tmp_path: Path) -> None:
    """Inode numbers of sockets are 32 bits (``get_next_ino()``), pids 22 (``PID_MAX_LIMIT``)."""
    make_process(tmp_path, 4_194_303, ["socket:[4294967295]", "socket:[1]"])
    make_process(tmp_path, 1, ["socket:[4294967295]"])
    assert pairs(read_owners(str(tmp_path))) == [(1, 4_194_303), (2**32 - 1, 1), (2**32 - 1, 4_194_303)]


def test_without_proc_the_system_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_owners(str(tmp_path / "proc"))


links = st.lists(
    st.one_of(
        st.integers(1, 9).map("socket:[{}]".format),
        st.integers(1, 2**32 - 1).map("socket:[{}]".format),
        st.sampled_from(("/dev/null", "pipe:[3]", "socket", "[1]")),
    ),
    max_size=6,
)


@given(st.dictionaries(st.integers(1, 4_194_303), links, max_size=5))
@example({})
def test_a_scan_is_the_sorted_set_of_what_is_open(processes: Mapping[int, Sequence[str]]) -> None:
    with TemporaryDirectory() as proc:
        for pid, each in processes.items():
            make_process(Path(proc), pid, each)
        scan = read_owners(proc)
    held = {(int(link[8:-1]), pid) for pid, each in processes.items() for link in each if link.startswith("socket:")}
    assert pairs(scan) == sorted(held)
    assert set(scan.names) == {pid for _, pid in held}


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    make_process(tmp_path, 12, ["socket:[1]"])
    (make_process(tmp_path, 11, ["socket:[1]"]) / "comm").unlink()
    before = sorted(os.listdir("/proc/self/fd"))
    read_owners(str(tmp_path))
    assert sorted(os.listdir("/proc/self/fd")) == before


# -- Processes that are not even listed --------------------------------------------------------------------------------

NOBODY = 65534
MOUNTS = """\
21 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
22 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc {}
34 22 0:29 / /proc/sys/fs/binfmt_misc rw,relatime shared:15 - autofs systemd-1 rw,fd=29
"""
"""``proc_pid_mountinfo(5)``; the options of the file system itself stand last."""


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """As a user who is not excepted."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def is_hidden(mountinfo: str) -> bool:
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, "mountinfo")
        path.write_text(mountinfo)
        with as_nobody():
            return hides_processes(str(path))


@pytest.mark.parametrize(
    ("options", "hides"),
    [
        ("rw", False),
        ("rw,hidepid=0", False),
        ("rw,hidepid=1", False),  # listed, but not to be looked at: such processes are counted
        ("rw,hidepid=noaccess", False),
        ("rw,hidepid=2", True),
        ("rw,hidepid=invisible", True),
        ("rw,gid=5,hidepid=invisible,subset=pid", True),
        ("rw,hidepid=4", True),
        ("rw,hidepid=ptraceable", True),
        ("rw,hidepid=20", False),
    ],
)
def test_a_proc_that_does_not_list_other_users_processes_is_told_by_its_mount(options: str, *, hides: bool) -> None:
    assert is_hidden(MOUNTS.format(options)) is hides


def test_another_proc_than_ours_hides_nothing() -> None:
    assert not is_hidden(MOUNTS.format("rw,hidepid=2").replace(" /proc ", " /srv/jail/proc "))


def test_without_mountinfo_nothing_is_known_to_be_hidden(tmp_path: Path) -> None:
    with as_nobody():
        assert not hides_processes(str(tmp_path / "mountinfo"))


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_nothing_is_hidden_from_root(tmp_path: Path) -> None:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS.format("rw,hidepid=2"))
    assert not hides_processes(str(path))
