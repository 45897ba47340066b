"""One process at a time as ``/proc/PID`` tells of it: which sockets its descriptors are, and who it is (``proc(5)``).

The folder is opened once and everything is read below it, so that all belongs to the same process: a folder of one that
has ended stays empty even when its number is given to another.

Reading the links is what costs: 2.6 us each, four fifths of it in ``readlink``. ``stat`` takes as long and may hang,
since it follows the link to a file on a server that is gone.
"""

import errno
import os
from collections.abc import Iterable
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from tcptui.kernel.cgroups import process_cgroup
from tcptui.text import printable

_HIDING = (b"hidepid=2", b"hidepid=invisible", b"hidepid=4", b"hidepid=ptraceable")
"""Options of ``proc(5)`` under which processes that may not be looked at are not listed."""
_SOCKET_LINK = "socket:["
"""``net/socket.c: sockfs_dname()`` writes ``socket:[INODE]``; a link to a file begins with a slash."""
_FIRST_PID_NAMESPACE = "pid:[4026531836]"
"""``PROC_PID_INIT_INO`` of ``include/linux/proc_ns.h``."""
CLOSED, NO_SOCKET = -1, 0
"""What stands for a descriptor that is not there, and for one of another thing, where others have a socket's inode."""
_START_FIELD = 22 - 3
"""``starttime`` among the fields of ``stat`` behind the name, which are the third and on (``proc_pid_stat(5)``)."""

Numbers = NDArray[np.uint32]


def process_ids(proc: str = "/proc") -> set[int]:
    """The ids of all processes that are listed.

    Raises:
        OSError: ``proc`` cannot be read.
    """
    return {int(name) for name in os.listdir(proc) if name.isascii() and name.isdecimal()}


def hides_processes(mountinfo: str = "/proc/self/mountinfo") -> bool:
    """Whether /proc is mounted so that other users' processes are not even listed (hidepid).

    Root sees them nevertheless. So may a group that the mount names (``gid=``), which is not looked at.
    """
    if os.geteuid() == 0:
        return False
    try:
        with open(mountinfo, "rb") as file:
            options = [line.rsplit(b" ", 1)[-1].split(b",") for line in file if line.split(b" ")[4] == b"/proc"]
    except OSError:
        return False
    return any(option.strip() in _HIDING for each in options for option in each)


def is_first_pid_namespace(proc: str = "/proc") -> bool:
    """Whether this process sees the processes of the whole machine; taken for so where it is not told."""
    try:
        return os.readlink(f"{proc}/self/ns/pid") == _FIRST_PID_NAMESPACE
    except OSError:
        return True


class ProcessFolder:
    """The open folder of one process; a context manager.

    Once the process has ended its descriptors are closed, and everything else raises ``OSError``.
    """

    def __init__(self, pid: int, proc: str = "/proc") -> None:
        """Open the folder.

        Raises:
            OSError: there is no such process.
        """
        self._folder = os.open(f"{proc}/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._descriptors: int | None = None

    def __enter__(self) -> "ProcessFolder":  # noqa: PYI034 - typing.Self comes with Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptors is not None:
            os.close(self._descriptors)
        os.close(self._folder)

    def start_ticks(self) -> int:
        """When it was started, in clock ticks since the boot: tells it from another that gets its id later.

        Raises:
            OSError: that is not told, as it is of every process there is.
        """
        fields = self._read("stat").rpartition(b")")[2].split()
        if len(fields) <= _START_FIELD:
            raise ProcessLookupError(errno.ESRCH, "it has no start", "stat")
        return int(fields[_START_FIELD])

    def name(self) -> str:
        """The kernel's name for it (``comm``), printable."""
        return printable(self._read("comm").removesuffix(b"\n").decode("utf-8", "replace"))

    def cgroup(self) -> str:
        """The cgroup it is in, printable; empty where that is not told."""
        return process_cgroup(self._read_if_there("cgroup"))

    def descriptor_limit(self) -> int | None:
        """Its soft ``RLIMIT_NOFILE``; None for none, or where it is not told."""
        lines = self._read_if_there("limits").splitlines()
        words = next((line.split() for line in lines if line.startswith(b"Max open files")), [])
        return int(words[3]) if len(words) > 3 and words[3].isdigit() else None

    def descriptor_count(self) -> int | None:
        """How many descriptors it has open, without listing them; None before Linux 6.2 (``proc_fd_getattr()``)."""
        return os.stat(self._descriptor_folder()).st_size or None

    def descriptors(self) -> Numbers:
        """Their numbers, rising.

        Raises:
            PermissionError: EACCES or EPERM, ``ptrace_may_access()`` says no (FACTS section 6.8).
        """
        names = os.listdir(self._descriptor_folder())
        return np.sort(np.array([int(name) for name in names if name.isdecimal()], np.uint32))

    def socket_inodes(self, numbers: Iterable[int]) -> NDArray[np.int64]:
        """For each descriptor its socket's inode, ``NO_SOCKET`` if it is another thing, ``CLOSED`` if there is none.

        Raises:
            PermissionError: one may list this process's descriptors, and no more than that.
        """
        folder = self._descriptor_folder()
        inodes = []
        for number in numbers:
            try:
                link = os.readlink(str(number), dir_fd=folder)
            except (FileNotFoundError, ProcessLookupError):  # noqa: PERF203 - closed, or the process has ended
                inodes.append(CLOSED)
            except PermissionError:
                raise
            except OSError:  # ENAMETOOLONG: a file too deep down for PATH_MAX
                inodes.append(NO_SOCKET)
            else:
                inodes.append(int(link[len(_SOCKET_LINK) : -1]) if link.startswith(_SOCKET_LINK) else NO_SOCKET)
        return np.array(inodes, np.int64)

    def socket_protocol(self, number: int) -> str:
        """The kernel's name for the protocol of the socket behind a descriptor, such as ``TCPv6`` or ``UNIX``.

        Empty where the descriptor is closed or another thing by now (``net/socket.c: sockfs_xattr_get()``).

        Raises:
            PermissionError: one may not look at it.
        """
        path = f"/proc/self/fd/{self._folder}/fd/{number}"
        try:
            return os.getxattr(path, "system.sockprotoname").rstrip(b"\0").decode("ascii", "replace")
        except PermissionError:
            raise
        except OSError:
            return ""

    def network_namespace(self) -> int:
        """The inode of the network namespace that the process is in.

        Raises:
            OSError: that is not told.
        """
        return int(os.readlink("ns/net", dir_fd=self._folder).removeprefix("net:[").removesuffix("]"))

    def _descriptor_folder(self) -> int:
        if self._descriptors is None:
            self._descriptors = os.open("fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._folder)
        return self._descriptors

    def _read_if_there(self, name: str) -> bytes:
        """What a file says that not every kernel has (``CONFIG_CGROUPS``); nothing where it is not there."""
        try:
            return self._read(name)
        except FileNotFoundError:
            return b""

    def _read(self, name: str) -> bytes:
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._folder)
        try:
            return os.read(file, 8192)
        finally:
            os.close(file)
