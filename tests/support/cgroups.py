"""A control group of a test's own, in the cgroup v2 tree."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import run_command
from tests.support.waiting import wait_for


@dataclass(frozen=True)
class Cgroup:
    """A cgroup and where its tree is mounted for the time of a test."""

    mount: Path
    path: str
    """Below the mount, beginning with a slash."""

    def take_in(self, pid: int) -> None:
        """Put a process into the cgroup."""
        (self.mount / self.path.lstrip("/") / "cgroup.procs").write_text(str(pid))


@contextlib.contextmanager
def new_cgroup(folder: Path, name: str) -> Iterator[Cgroup]:
    """A cgroup ``name`` below one that nobody else has, in the tree mounted at ``folder``."""
    run_command("mount", "-t", "cgroup2", "none", str(folder))
    try:
        parent = f"/tcptui-{os.getpid()}-{secrets.token_hex(4)}"
        made = Cgroup(folder, f"{parent}/{name}")
        os.makedirs(f"{folder}{made.path}")
        try:
            yield made
        finally:
            for path in (made.path, parent):
                wait_for(lambda: _is_removed(f"{folder}{path}"), bool, wanted=f"nobody in {path}")  # noqa: B023
    finally:
        run_command("umount", str(folder))


def _is_removed(folder: str) -> bool:
    """Whether the cgroup is gone; a process that has ended can stay in it a moment longer (EBUSY)."""
    with contextlib.suppress(OSError):
        os.rmdir(folder)
    return not os.path.exists(folder)
