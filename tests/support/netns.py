"""Network namespaces of the tests: made under a name of their own, entered by one thread at a time, always removed.

A socket belongs to the namespace that its creating thread was in and stays there, so a test enters only to create
sockets and uses them from outside.
"""

import contextlib
import ctypes
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import final

from tests.support.commands import run_command

NAME_PREFIX = "tcptui-"
RUN_DIRECTORY = Path("/run/netns")
"""Where ``ip netns`` keeps its named namespaces (ip-netns(8))."""

_CLONE_NEWNET = 0x40000000  # include/uapi/linux/sched.h; os.CLONE_NEWNET is there from Python 3.12 on
_OWN_NAMESPACE = "/proc/thread-self/ns/net"


@final
class NetworkNamespace:
    """One named network namespace with its loopback up; exists between ``__enter__`` and ``__exit__``.

    The name carries the process id and a random part, so that what a crashed run left behind is never met again.
    Deleting the name frees the namespace as soon as its last socket is gone: whoever created sockets in it closes them.
    """

    def __init__(self, label: str = "ns") -> None:
        """Choose the name; nothing is made before the context is entered."""
        self.name = f"{NAME_PREFIX}{label}-{os.getpid()}-{secrets.token_hex(4)}"
        self.path = RUN_DIRECTORY / self.name

    def __enter__(self) -> "NetworkNamespace":
        """Make the namespace; one that cannot be set up completely is removed again."""
        try:
            run_command("ip", "netns", "add", self.name)
            self.ip("link", "set", "lo", "up")
        except BaseException:
            self._delete()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the namespace's name."""
        self._delete()

    def _delete(self) -> None:
        if self.path.exists():
            run_command("ip", "netns", "delete", self.name)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Put the calling thread into the namespace for the time of the block.

        Other threads stay where they are, but a thread or process that is started inside is born there and stays.
        """
        with entered_path(self.path):
            yield

    def argv(self, *command: str) -> list[str]:
        """The command line that runs ``command`` inside, for a caller that starts the process itself."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str) -> str:
        """Standard output of ``command`` run inside."""
        return run_command(*self.argv(*command))

    def ip(self, *arguments: str) -> str:
        """Standard output of ``ip`` with ``arguments``, inside."""
        return run_command("ip", "-n", self.name, *arguments)

    def ip_batch(self, *lines: str) -> None:
        """Several ``ip`` commands in one process; the first that fails ends it with an error."""
        run_command("ip", "-n", self.name, "-batch", "-", stdin="\n".join(lines))

    def read_sysctl(self, name: str) -> str:
        """Value of the kernel parameter ``name``, spelled with dots as sysctl(8) does."""
        with self.entered():
            return _sysctl_path(name).read_text().strip()

    def write_sysctl(self, name: str, value: int | str) -> None:
        """Set the kernel parameter ``name`` in this namespace."""
        with self.entered():
            _sysctl_path(name).write_text(str(value))

    def raise_sysctl(self, name: str, least: int) -> None:
        """Set the kernel parameter ``name`` to ``least`` unless it is that high already."""
        if int(self.read_sysctl(name)) < least:
            self.write_sysctl(name, least)


@contextlib.contextmanager
def entered_path(path: Path) -> Iterator[None]:
    """Put the calling thread into the network namespace that ``path`` names for the time of the block."""
    home = os.open(_OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _set_namespace(path)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def enter_for_good(path: Path) -> None:
    """Put the calling thread into the network namespace that ``path`` names and leave it there.

    For a child process whose whole life is in that namespace.
    """
    _set_namespace(path)


def namespaces_of_this_process() -> list[str]:
    """Names of the namespaces that this process made and has not removed."""
    if not RUN_DIRECTORY.is_dir():
        return []
    mine = f"-{os.getpid()}-"
    return sorted(p.name for p in RUN_DIRECTORY.iterdir() if p.name.startswith(NAME_PREFIX) and mine in p.name)


def _set_namespace(path: Path) -> None:
    target = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _setns(target)
    finally:
        os.close(target)


def _setns(descriptor: int) -> None:
    """setns(2) for the calling thread."""
    if sys.version_info >= (3, 12):
        os.setns(descriptor, _CLONE_NEWNET)
    else:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(descriptor, _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, f"setns: {os.strerror(number)}")


def _sysctl_path(name: str) -> Path:
    """``/proc/sys/net`` shows the namespace of the thread that opens a file in it, so it is read without a process."""
    return Path("/proc/sys", *name.split("."))
