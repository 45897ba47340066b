"""The cgroup v2 tree: the ids that sock_diag gives for sockets, and the paths that people know (``cgroups(7)``).

A cgroup's id is the inode number of its directory (FACTS section 6.2).
"""

import os
import re
from collections.abc import Iterator

from tcptui.text import printable

_OCTAL_ESCAPE = re.compile(rb"\\([0-7]{3})")
_CHILDLESS = 2
"""``st_nlink`` of a directory without directories: its name and its ``.``. File systems that do not count say 1."""
_DELETED = " (deleted)"
_TELLING = ("", "name=systemd", "memory", "pids", "cpu", "cpuacct", "devices", "freezer", "blkio")
"""Hierarchies by how likely they tell whose a process is: version 2, which has no controllers in its line, systemd's
own, and the controllers of version 1 that container runtimes have in use on every machine."""


def cgroup2_mount(mountinfo: str = "/proc/self/mountinfo") -> str | None:
    """Where the cgroup v2 tree is to be seen; None where it is not. Most of the tree, if there are several places.

    Raises:
        OSError: ``mountinfo`` cannot be read.
    """
    with open(mountinfo, "rb") as file:
        mounts = [mount for line in file if (mount := _cgroup2_mount_of(line)) is not None]
    return os.fsdecode(min(mounts, key=lambda mount: mount[0] != b"/")[1]) if mounts else None


def _cgroup2_mount_of(line: bytes) -> tuple[bytes, bytes] | None:
    """Which part of the tree a line of mountinfo mounts where (``proc_pid_mountinfo(5)``); None for another type."""
    mounted, _, kind = line.partition(b" - ")
    if not kind.startswith(b"cgroup2 "):
        return None
    root, mount_point = mounted.split(b" ")[3:5]
    return root, _OCTAL_ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), mount_point)


def cgroup_paths(mount: str) -> dict[int, str]:
    """The path below ``mount`` of every cgroup by its id, printable; ``/`` is the mount's own.

    5 us a cgroup: 15 ms for 3,000. Listing each directory would take three times as long, since even a cgroup without
    children has some 50 files; only those that have children are listed.
    """
    paths = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        try:
            found = os.stat(mount + path)
            paths[found.st_ino] = printable(path)
            # fs/kernfs/inode.c: kernfs_refresh_inode() counts the directories in st_nlink
            if found.st_nlink != _CHILDLESS:
                waiting += _children(mount, path)
        except OSError:  # ENOENT, ENODEV: removed meanwhile; EACCES: its owner keeps it to himself
            continue
    return paths


def _children(mount: str, path: str) -> Iterator[str]:
    prefix = path.removesuffix("/") + "/"
    with os.scandir(mount + path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield prefix + entry.name


def process_cgroup(text: str | bytes) -> str:
    """The cgroup that ``/proc/PID/cgroup`` with this text tells of (``cgroups(7)``), printable; empty for no text.

    Where version 1 is mounted there is a line for each hierarchy, and a process can be at the root of some: the most
    telling one counts where it is elsewhere. A cgroup that is removed already goes by the name that it had.
    """
    paths: dict[str, str] = {}
    for line in os.fsdecode(text).split("\n"):  # the only line break that a cgroup's name cannot have: cgroup_mkdir()
        _, *fields = line.split(":", 2)
        if len(fields) == 2 and fields[1].startswith("/"):
            # kernel/cgroup/cgroup.c: proc_cgroup_show()
            path = fields[1].removesuffix(_DELETED)
            paths |= dict.fromkeys(fields[0].split(","), path)
    telling = [paths[name] for name in (*_TELLING, *paths) if paths.get(name, "/") != "/"]
    return printable(next(iter(telling), "/" if paths else ""))
