"""One process at a time, read from folders made like /proc and from the real one."""

import contextlib
import os
import resource
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcptui.kernel.processes import (
    CLOSED,
    NO_SOCKET,
    ProcessFolder,
    hides_processes,
    is_first_pid_namespace,
    process_ids,
)

NOBODY = 65534
LIMITS = b"""\
Limit                     Soft Limit           Hard Limit           Units
Max processes             96365                96365                processes
Max open files            %s                524288               files
"""


def make_process(
    proc: Path, pid: int, links: Mapping[int, str] | Sequence[str] = (), comm: bytes = b"nginx\n", start: int = 4711
) -> Path:
    """A process whose descriptors lead to ``links``."""
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_bytes(comm)
    numbers = " ".join(str(field) for field in range(4, 22))
    (folder / "stat").write_bytes(b"%d (%s) S %s %d 23 24\n" % (pid, comm[:-1], numbers.encode(), start))
    for number, link in links.items() if isinstance(links, Mapping) else enumerate(links):
        (folder / "fd" / str(number)).symlink_to(link)
    return folder


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[ProcessFolder]:
    """The process whose folder that is."""
    with ProcessFolder(int(folder.name), str(folder.parent)) as process:
        yield process


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


# -- Descriptors -------------------------------------------------------------------------------------------------------


def test_sockets_are_told_from_everything_else_that_is_open(tmp_path: Path) -> None:
    links = ["/dev/null", "pipe:[7]", "socket:[31]", "anon_inode:[eventpoll]", "/srv/socket:[8]", "socket:[30]"]
    with opened(make_process(tmp_path, 12, links)) as process:
        assert process.descriptors().tolist() == [0, 1, 2, 3, 4, 5]
        assert process.socket_inodes(range(7)).tolist() == [0, 0, 31, 0, 0, 30, CLOSED]
    assert NO_SOCKET == 0


def test_the_largest_inode_and_number_keep_their_value(tmp_path: Path) -> None:
    """Inode numbers of sockets are 32 bits (``get_next_ino()``), those of descriptors 31 (``fs.nr_open``)."""
    links = {2**31 - 65: "socket:[4294967295]", 7: "socket:[1]"}
    with opened(make_process(tmp_path, 4_194_303, links)) as process:
        assert process.descriptors().tolist() == [7, 2**31 - 65]
        assert process.socket_inodes([2**31 - 65, 7]).tolist() == [2**32 - 1, 1]


@given(st.dictionaries(st.integers(0, 300), st.sampled_from(("/dev/null", "pipe:[3]", "socket:[5]", "socket:[77]"))))
@example({})
def test_what_is_listed_is_what_is_open(links: Mapping[int, str]) -> None:
    with TemporaryDirectory() as proc, opened(make_process(Path(proc), 12, links)) as process:
        numbers = process.descriptors()
        inodes = process.socket_inodes(numbers.tolist())
    assert numbers.tolist() == sorted(links)
    assert [numbers.dtype, inodes.dtype] == [np.dtype(np.uint32), np.dtype(np.int64)]
    told = [int(links[number][8:-1]) if links[number].startswith("socket") else 0 for number in sorted(links)]
    assert inodes.tolist() == told


def test_a_process_without_descriptors_has_none(tmp_path: Path) -> None:
    with opened(make_process(tmp_path, 2)) as process:
        assert process.descriptors().tolist() == []
        assert process.socket_inodes([]).tolist() == []


def test_what_is_no_number_is_no_descriptor(tmp_path: Path) -> None:
    folder = make_process(tmp_path, 12, ["socket:[2]"])
    (folder / "fd" / "not-a-link").touch()
    with opened(folder) as process:
        assert process.descriptors().tolist() == [0]


def test_a_file_whose_path_is_too_long_to_be_told_is_no_socket(tmp_path: Path) -> None:
    """``d_path()`` of ``fs/d_path.c`` says ENAMETOOLONG beyond a page."""
    deep = os.open(tmp_path, os.O_PATH)
    for _ in range(25):
        os.mkdir("x" * 200, dir_fd=deep)
        deeper = os.open("x" * 200, os.O_PATH, dir_fd=deep)
        os.close(deep)
        deep = deeper
    with ProcessFolder(os.getpid()) as process:
        assert process.socket_inodes([deep]).tolist() == [NO_SOCKET]
    os.close(deep)


def test_own_descriptors_are_those_that_fstat_knows() -> None:
    with socket.socket() as first, socket.socket() as second, open("/dev/null") as file:
        with ProcessFolder(os.getpid()) as process:
            numbers = [first.fileno(), second.fileno(), file.fileno()]
            assert {*numbers} <= {*process.descriptors().tolist()}
            told = process.socket_inodes(numbers).tolist()
        assert told == [os.fstat(first.fileno()).st_ino, os.fstat(second.fileno()).st_ino, NO_SOCKET]


def test_descriptors_are_counted_without_listing_them() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        with ProcessFolder(child.pid) as process:
            assert process.descriptor_count() in (None, len(process.descriptors()))
        child.communicate()


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder for processes that anybody can get at, whatever lies above it."""
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return "."


def test_a_process_that_does_not_show_its_descriptors_says_so(proc: str) -> None:
    """FACTS section 6.8."""
    folder = make_process(Path(proc), 12, ["socket:[1]"])
    (folder / "fd").chmod(0)
    with as_nobody(), ProcessFolder(12, proc) as process:
        assert process.name() == "nginx"
        with pytest.raises(PermissionError):
            process.descriptors()


def test_a_process_whose_descriptors_are_listed_and_no_more_says_so(proc: str) -> None:
    """``proc_fd_permission()`` lets a process list its own descriptors that ``ptrace_may_access()`` keeps from it."""
    folder = make_process(Path(proc), 12, ["socket:[1]"])
    (folder / "fd").chmod(0o444)
    with as_nobody(), ProcessFolder(12, proc) as process:
        assert process.descriptors().tolist() == [0]
        with pytest.raises(PermissionError):
            process.socket_inodes([0])


# -- Who it is ---------------------------------------------------------------------------------------------------------


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
    with opened(make_process(tmp_path, 12, comm=comm)) as process:
        assert process.name() == name


@pytest.mark.parametrize("comm", [b"nginx\n", b"a) R 1 2\n", b")))\n", b"(\n", b"\n", b"a\nb\n", b"\xff\n"])
def test_the_start_is_found_behind_any_name(tmp_path: Path, comm: bytes) -> None:
    with opened(make_process(tmp_path, 12, comm=comm, start=99887766)) as process:
        assert process.start_ticks() == 99887766


def test_a_child_starts_after_its_parent() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        with ProcessFolder(os.getpid()) as parent, ProcessFolder(child.pid) as process:
            assert parent.start_ticks() <= process.start_ticks()
            assert process.name() == "cat"
        child.communicate()


@pytest.mark.parametrize("stat", [b"", b"12 (nginx) S 1 2\n"])
def test_a_stat_without_a_start_is_none(tmp_path: Path, stat: bytes) -> None:
    folder = make_process(tmp_path, 12)
    (folder / "stat").write_bytes(stat)
    with opened(folder) as process, pytest.raises(ProcessLookupError):
        process.start_ticks()


def test_the_cgroup_is_the_one_that_its_file_tells_of(tmp_path: Path) -> None:
    folder = make_process(tmp_path, 12)
    (folder / "cgroup").write_bytes(b"0::/system.slice/nginx\x1b.service\n")
    with opened(folder) as process:
        assert process.cgroup() == "/system.slice/nginx\\x1b.service"


@pytest.mark.parametrize(("soft", "limit"), [(b"1024   ", 1024), (b"unlimited", None)])
def test_the_limit_of_descriptors_is_the_soft_one(tmp_path: Path, soft: bytes, limit: int | None) -> None:
    folder = make_process(tmp_path, 12)
    (folder / "limits").write_bytes(LIMITS % soft)
    with opened(folder) as process:
        assert process.descriptor_limit() == limit


def test_own_limit_is_that_of_getrlimit() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ProcessFolder(os.getpid()) as process:
        assert process.descriptor_limit() == (None if soft == resource.RLIM_INFINITY else soft)


def test_what_a_kernel_does_not_tell_is_not_known(tmp_path: Path) -> None:
    """Without CONFIG_CGROUPS there is no ``cgroup``; the process is there for all that."""
    with opened(make_process(tmp_path, 12)) as process:
        assert process.cgroup() == ""
        assert process.descriptor_limit() is None


# -- Processes that end ------------------------------------------------------------------------------------------------


def test_there_is_no_folder_of_a_process_that_has_ended(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ProcessFolder(12, str(tmp_path))


def test_a_folder_never_shows_another_process_that_has_got_the_id(tmp_path: Path) -> None:
    folder = make_process(tmp_path, 12, ["socket:[1]"])
    with opened(folder) as process:
        shutil.rmtree(folder)
        make_process(tmp_path, 12, ["socket:[2]"], comm=b"other\n", start=5000)
        for read in (process.start_ticks, process.name, process.descriptors):
            with pytest.raises(FileNotFoundError):
                read()


def test_links_are_closed_when_the_process_has_ended_meanwhile(tmp_path: Path) -> None:
    folder = make_process(tmp_path, 12, ["socket:[1]", "socket:[2]"])
    with opened(folder) as process:
        numbers = process.descriptors().tolist()
        shutil.rmtree(folder)
        make_process(tmp_path, 12, ["socket:[3]", "socket:[4]"])
        assert process.socket_inodes(numbers).tolist() == [CLOSED, CLOSED]


def test_everything_fails_once_a_real_process_is_gone() -> None:
    with contextlib.ExitStack() as stack:
        child = stack.enter_context(subprocess.Popen(["cat"], stdin=subprocess.PIPE))
        process, unread = (stack.enter_context(ProcessFolder(child.pid)) for _ in range(2))
        numbers = process.descriptors().tolist()
        child.communicate()
        assert process.socket_inodes(numbers).tolist() == [CLOSED] * len(numbers)
        reads = (process.start_ticks, process.name, process.cgroup, process.descriptors, unread.descriptors)
        for read in reads:
            with pytest.raises((FileNotFoundError, ProcessLookupError)):
                read()


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    folder = make_process(tmp_path, 12, ["socket:[1]"])
    before = sorted(os.listdir("/proc/self/fd"))
    with opened(folder) as process:
        process.descriptors()
        process.start_ticks()
        with contextlib.suppress(FileNotFoundError):
            process.cgroup()
    with pytest.raises(FileNotFoundError):
        ProcessFolder(13, str(tmp_path))
    assert sorted(os.listdir("/proc/self/fd")) == before


# -- All processes -----------------------------------------------------------------------------------------------------


def test_only_numbers_are_processes(tmp_path: Path) -> None:
    for name in ("12", "4194303", "self", "net", "٣", "-1", "1x"):
        (tmp_path / name).mkdir()
    assert process_ids(str(tmp_path)) == {12, 4_194_303}


def test_without_proc_the_system_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        process_ids(str(tmp_path / "proc"))


def test_this_process_is_among_all() -> None:
    assert os.getpid() in process_ids()


@pytest.mark.parametrize(("link", "is_first"), [("pid:[4026531836]", True), ("pid:[4026532321]", False)])
def test_the_first_pid_namespace_is_told_by_its_inode(tmp_path: Path, link: str, *, is_first: bool) -> None:
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "self" / "ns" / "pid").symlink_to(link)
    assert is_first_pid_namespace(str(tmp_path)) is is_first


def test_a_pid_namespace_that_is_not_told_is_taken_for_the_first(tmp_path: Path) -> None:
    assert is_first_pid_namespace(str(tmp_path))


# -- Processes that are not even listed --------------------------------------------------------------------------------

MOUNTS = """\
21 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
22 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc {}
34 22 0:29 / /proc/sys/fs/binfmt_misc rw,relatime shared:15 - autofs systemd-1 rw,fd=29
"""
"""``proc_pid_mountinfo(5)``; the options of the file system itself stand last."""


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
