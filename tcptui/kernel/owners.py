"""Which process holds which socket: the links in ``/proc/[pid]/fd`` (``proc(5)``), one look at each process.

The kernel makes it cost 3.6 us a descriptor, four fifths of them in ``readlink``: 72 ms for a process with 20,000.
Names below an open folder are a seventh cheaper than whole paths. ``stat`` takes as long and may hang, since it follows
the link to a file on a server that is gone.
"""

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcptui.text import printable

_HIDING = (b"hidepid=2", b"hidepid=invisible", b"hidepid=4", b"hidepid=ptraceable")
"""Options of ``proc(5)`` under which processes that may not be looked at are not listed."""
_SOCKET_LINK = "socket:["
"""``net/socket.c: sockfs_dname()`` writes ``socket:[INODE]``; a link to a file begins with a slash."""


@dataclass(frozen=True, eq=False)
class OwnerScan:
    """The sockets of all processes that may be looked at."""

    inodes: NDArray[np.uint32]
    """Rising. A socket that several processes hold stands once for each of them."""
    pids: NDArray[np.int32]
    """One for each inode."""
    names: dict[int, str]
    """The kernel's name (``comm``) of each process in ``pids``, printable."""
    hidden: int
    """Processes whose descriptors may not be read."""


def read_owners(proc: str = "/proc") -> OwnerScan:
    """Every socket that a process has a descriptor for; a thread with a table of its own (``unshare(2)``) is left out.

    Raises:
        OSError: ``proc`` itself cannot be read.
    """
    inodes: list[int] = []
    pids: list[int] = []
    names: dict[int, str] = {}
    hidden = 0
    for pid in _process_ids(proc):
        try:
            held, name = _sockets_and_name(f"{proc}/{pid}/fd")
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        except PermissionError:  # EACCES or EPERM: ptrace_may_access() says no (FACTS section 6.8)
            hidden += 1
            continue
        if held:
            inodes += held
            pids += [pid] * len(held)
            names[pid] = name
    return OwnerScan(*_by_inode(inodes, pids), names, hidden)


def hides_processes(mountinfo: str = "/proc/self/mountinfo") -> bool:
    """Whether /proc is mounted so that other users' processes are not even listed, and this process is not excepted."""
    if os.geteuid() == 0:
        return False
    try:
        with open(mountinfo, "rb") as file:
            options = [line.rsplit(b" ", 1)[-1].split(b",") for line in file if line.split(b" ")[4] == b"/proc"]
    except OSError:
        return False
    return any(option.strip() in _HIDING for each in options for option in each)


def _process_ids(proc: str) -> list[int]:
    return [int(name) for name in os.listdir(proc) if name.isascii() and name.isdecimal()]


def _sockets_and_name(fd_folder: str) -> tuple[list[int], str]:
    """The inodes of a process's sockets, and its name if it has any.

    Raises:
        OSError: the process has ended, or may not be looked at.
    """
    folder = os.open(fd_folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        held = [int(link[len(_SOCKET_LINK) : -1]) for link in _links(folder) if link.startswith(_SOCKET_LINK)]
        return held, _name(folder) if held else ""
    finally:
        os.close(folder)


def _links(folder: int) -> list[str]:
    """Where the links in a folder of descriptors lead to.

    Raises:
        PermissionError: one may list this process's descriptors, and no more than that.
    """
    links = []
    for descriptor in os.listdir(folder):
        try:
            links.append(os.readlink(descriptor, dir_fd=folder))
        except PermissionError:  # noqa: PERF203 - one that is closed meanwhile must not end the walk
            raise
        except OSError:  # ENOENT: closed; ENAMETOOLONG: a file too deep down for PATH_MAX
            continue
    return links


def _name(folder: int) -> str:
    """The name of the process whose folder of descriptors this is: no other, even if its number is given anew."""
    comm = os.open("../comm", os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return printable(os.read(comm, 64).removesuffix(b"\n").decode("utf-8", "replace"))
    finally:
        os.close(comm)


def _by_inode(inodes: list[int], pids: list[int]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Both columns in the order of the inodes; a process that has two descriptors of one socket holds it once."""
    pairs = np.sort(np.array(inodes, np.uint64) << np.uint64(32) | np.array(pids, np.uint64))
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
    return (pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32).view(np.int32)
