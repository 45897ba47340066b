"""Network namespaces: finding one by name, pid or path, or all there are, and doing something inside them.

``ip-netns(8)`` keeps names as mounts in ``/run/netns``; ``/proc/PID/ns/net`` is a process's own; ``setns(2)`` moves one
thread, so the work is done in a thread that lives for that alone. Such a thread costs 0.15 ms, a ``setns`` 8 us: work
in many namespaces is done in one thread that goes from one to the next.
"""

import ctypes
import errno
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from tcptui.errors import RequestError, SourceError, TcptuiError, system_reason
from tcptui.kernel.processes import process_ids
from tcptui.language import tr
from tcptui.text import printable

ALL = "all"
"""Stands for every namespace of the machine, where there can be several."""
NAMED_FOLDER = "/run/netns"
NAMED_FOLDERS = (NAMED_FOLDER, "/run/docker/netns")
"""Where names are kept: by ip-netns(8), and by container runtimes as it does; by Docker."""
CLONE_NEWNET = 0x40000000

T = TypeVar("T")


def namespace_path(text: str) -> str:
    """The file that stands for the namespace ``text`` names: a name of ip-netns(8), a pid, or a path.

    Raises:
        RequestError: there is none.
    """
    if text == ALL:
        raise RequestError(tr("this takes one network namespace, not all of them: name one"), _known_names())
    if text.isascii() and text.isdecimal():
        path, missing = f"/proc/{text}/ns/net", tr("no process {pid}", pid=text)
    elif "/" in text:
        path, missing = text, tr("no network namespace at {path}", path=printable(text))
    else:
        path, missing = f"{NAMED_FOLDER}/{text}", tr("no network namespace named {name}", name=printable(text))
    if not os.path.lexists(path) or text in ("", ".", ".."):
        raise RequestError(missing, _known_names())
    return path


def _known_names() -> str:
    try:
        names = sorted(os.listdir(NAMED_FOLDER))
    except OSError:
        names = []
    if not names:
        return tr("give a name from `ip netns`, a process id or a path such as /proc/1/ns/net")
    return tr("`ip netns` knows {names}", names=tr(", ").join(printable(name) for name in names[:8]))


class FoundNamespace(NamedTuple):
    """A network namespace that a process is in, or that has a name."""

    inode: int
    """The number in ``net:[4026531833]``; the kernel gives that of a namespace that has ended to another."""
    path: str
    """To enter it by: that of its first name, which stays, or that of its lowest process."""
    names: tuple[str, ...] = ()
    """Printable."""
    lowest_pid: int | None = None
    """None where no process is in it, or none that may be looked at."""
    process_count: int = 0


class Listing(NamedTuple):
    """The network namespaces of this machine, as far as they are to be found."""

    namespaces: list[FoundNamespace]
    hidden: int
    """Processes that do not show which one they are in."""


def own_namespace() -> int:
    """The inode of the calling thread's namespace.

    Raises:
        OSError: /proc is not mounted.
    """
    return os.stat("/proc/thread-self/ns/net").st_ino


def is_namespace_of_init() -> bool:
    """Whether process 1 is in the namespace of this process, as far as that can be told: others than root cannot."""
    try:
        return os.stat("/proc/1/ns/net").st_ino == own_namespace()
    except OSError:
        return True


def all_namespaces(proc: str = "/proc", folders: Iterable[str] = NAMED_FOLDERS) -> Listing:
    """The namespaces that processes are in, and those that have a name.

    Not those that only an open descriptor, a socket or a mount elsewhere keeps. It takes 5 us a process, more than half
    of it for listing /proc: 20 ms for 4,000.

    Raises:
        OSError: ``proc`` cannot be read.
    """
    pids, hidden = _pids_by_namespace(proc)
    paths = _named_paths(folders, proc)
    namespaces = []
    for inode in sorted(pids.keys() | paths.keys()):
        inside, named = pids.get(inode, []), paths.get(inode, [])
        namespaces.append(
            FoundNamespace(
                inode,
                named[0] if named else f"{proc}/{inside[0]}/ns/net",
                tuple(printable(os.path.basename(path)) for path in named),
                inside[0] if inside else None,
                len(inside),
            )
        )
    return Listing(namespaces, hidden)


def _pids_by_namespace(proc: str) -> tuple[dict[int, list[int]], int]:
    """The processes in each namespace, rising, and how many do not show theirs."""
    by_link: dict[str, list[int]] = {}
    hidden = 0
    for pid in sorted(process_ids(proc)):
        try:
            by_link.setdefault(os.readlink(f"{proc}/{pid}/ns/net"), []).append(pid)
        except (FileNotFoundError, ProcessLookupError):  # noqa: PERF203 - it has ended; a zombie is in none any more
            continue
        except OSError:  # EACCES, EPERM: ptrace_may_access() says no
            hidden += 1
    return {int(link[len("net:[") : -1]): pids for link, pids in by_link.items() if link.startswith("net:[")}, hidden


def _named_paths(folders: Iterable[str], proc: str) -> dict[int, list[str]]:
    """The names of each namespace; other kinds of namespace (``nsfs`` has them all) are found out when entered."""
    try:
        nsfs = os.stat(f"{proc}/self/ns/net").st_dev
    except OSError:
        return {}
    found: dict[int, list[str]] = {}
    for folder in folders:
        for path in _files_in(folder):
            try:
                status = os.stat(path)
            except OSError:  # removed meanwhile
                continue
            if status.st_dev == nsfs:
                found.setdefault(status.st_ino, []).append(path)
    return found


def _files_in(folder: str) -> list[str]:
    try:
        return [f"{folder}/{name}" for name in sorted(os.listdir(folder))]
    except OSError:  # there is none, or it is root's alone, as Docker's
        return []


class _Outcome(Generic[T]):
    """What a thread's work came to."""

    value: T
    error: BaseException | None = None


def run_in_namespace(path: str, work: Callable[[], T]) -> T:
    """The result of ``work``, called with the calling thread in the network namespace at ``path``.

    Raises:
        RequestError: it is not a network namespace.
        SourceError: it may not be entered.
    """

    def enter_and_work() -> T:
        try:
            _enter(path)
        except OSError as error:
            raise _refused(path, error) from error
        return work()

    return _in_own_thread(enter_and_work)


def run_in_each(namespaces: Sequence[FoundNamespace], work: Callable[[FoundNamespace], T]) -> list[T | OSError]:
    """What ``work`` comes to in each of ``namespaces``, called in it; the reason why for one that was not entered.

    ENOENT: it has ended. EINVAL: it is a namespace of another kind. EPERM, EACCES: we may not. What ``work`` raises
    ends the round.
    """

    def enter_and_work(namespace: FoundNamespace) -> T | OSError:
        try:
            _enter(namespace.path, namespace.inode)
        except OSError as error:
            return error
        return work(namespace)

    return _in_own_thread(lambda: [enter_and_work(each) for each in namespaces]) if namespaces else []


def _in_own_thread(work: Callable[[], T]) -> T:
    """The result of ``work``, which leaves the calling thread in the namespace where it is."""
    outcome: _Outcome[T] = _Outcome()

    def run() -> None:
        try:
            outcome.value = work()
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread below
            outcome.error = error

    thread = threading.Thread(target=run, name="tcptui-netns")
    thread.start()
    thread.join()
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


def _enter(path: str, inode: int | None = None) -> None:
    """Move the calling thread into the namespace at ``path``, which must still be number ``inode`` if that is given.

    Raises:
        OSError: there is none, or it may not be entered.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if inode is not None and os.fstat(descriptor).st_ino != inode:  # the process or the name is another's
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        _setns(descriptor)
    finally:
        os.close(descriptor)


def _refused(path: str, error: OSError) -> TcptuiError:
    if error.errno == errno.EINVAL:
        return RequestError(tr("{path} is not a network namespace", path=printable(path)), _known_names())
    problem = tr(
        "cannot enter the network namespace at {path} ({reason})", path=printable(path), reason=system_reason(error)
    )
    is_refused = isinstance(error, PermissionError)
    return SourceError(problem, tr("run as root: it takes CAP_SYS_ADMIN") if is_refused else tr("is it still there?"))


def _setns(descriptor: int) -> None:
    """``setns(2)``; Python has it from 3.12 on."""
    if hasattr(os, "setns"):
        os.setns(descriptor, CLONE_NEWNET)
    elif ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
