"""Network namespaces: finding one by name, pid or path, and doing something inside it.

``ip-netns(8)`` keeps names as mounts in ``/run/netns``; ``/proc/PID/ns/net`` is a process's own; ``setns(2)`` moves one
thread, so the work is done in a thread that lives for that alone.
"""

import ctypes
import errno
import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from tcptui.errors import RequestError, SourceError, TcptuiError
from tcptui.text import printable

NAMED_FOLDER = "/run/netns"
CLONE_NEWNET = 0x40000000

T = TypeVar("T")


def namespace_path(text: str) -> str:
    """The file that stands for the namespace ``text`` names: a name of ip-netns(8), a pid, or a path.

    Raises:
        RequestError: there is none.
    """
    if text == "all":
        raise RequestError("all namespaces at once are more than this version can show", _known_names())
    if text.isascii() and text.isdecimal():
        path, missing = f"/proc/{text}/ns/net", f"no process {text}"
    elif "/" in text:
        path, missing = text, f"no network namespace at {printable(text)}"
    else:
        path, missing = f"{NAMED_FOLDER}/{text}", f"no network namespace named {printable(text)}"
    if not os.path.lexists(path) or text in ("", ".", ".."):
        raise RequestError(missing, _known_names())
    return path


def _known_names() -> str:
    try:
        names = sorted(os.listdir(NAMED_FOLDER))
    except OSError:
        names = []
    if not names:
        return "give a name from `ip netns`, a process id or a path such as /proc/1/ns/net"
    return f"`ip netns` knows {', '.join(printable(name) for name in names[:8])}"


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
    outcome: _Outcome[T] = _Outcome()

    def enter_and_work() -> None:
        try:
            _enter(path)
            outcome.value = work()
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread below
            outcome.error = error

    thread = threading.Thread(target=enter_and_work, name="tcptui-netns")
    thread.start()
    thread.join()
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


def _enter(path: str) -> None:
    """Move the calling thread into the namespace at ``path``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(path, error) from error
    try:
        _setns(descriptor)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        os.close(descriptor)


def _refused(path: str, error: OSError) -> TcptuiError:
    if error.errno == errno.EINVAL:
        return RequestError(f"{printable(path)} is not a network namespace", _known_names())
    reason = f"cannot enter the network namespace at {printable(path)} ({error.strerror})"
    hint = "run as root: it takes CAP_SYS_ADMIN" if isinstance(error, PermissionError) else "is it still there?"
    return SourceError(reason, hint)


def _setns(descriptor: int) -> None:
    """``setns(2)``; Python has it from 3.12 on."""
    if hasattr(os, "setns"):
        os.setns(descriptor, CLONE_NEWNET)
    elif ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
