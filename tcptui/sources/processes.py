"""What psutil tells of a process beside its descriptors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tcptui.text import printable

LONGEST_COMMAND = 4096
"""Characters of a command line that are kept."""


@dataclass(frozen=True)
class Description:
    """Whose a process is, and what it was started as. All texts are printable."""

    command: str = ""
    uid: int | None = None
    user: str = ""


T = TypeVar("T")

Describe = Callable[[int], Description]


def describer(user_names: Mapping[int, str]) -> Describe:
    """What describes a process by its id; ``user_names`` are the names of users by uid.

    Its command line and its user are read, each as far as it is told. psutil would look users' names up through name
    servers, which may hang; so they are given.
    """
    import psutil  # 12 ms that nobody pays who does not look at processes

    def describe(pid: int) -> Description:
        try:
            process = psutil.Process(pid)
        except (psutil.Error, OSError):
            return Description()
        with process.oneshot():
            uid = told(lambda: process.uids().real)
            words = told(process.cmdline) or []
        return Description(
            command=printable(" ".join(words)[:LONGEST_COMMAND]),
            uid=uid,
            user="" if uid is None else user_names.get(uid, str(uid)),
        )

    def told(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except (psutil.Error, OSError, ValueError):
            return None

    return describe
