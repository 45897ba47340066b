"""``python -m tcptui`` as a process, with whatever a shell may give it for its three streams."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
R = TypeVar("R")

DEADLINE_S = 60.0
COMMAND = (sys.executable, "-m", "tcptui")


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it wrote."""

    exit_code: int
    output: str
    errors: str

    @property
    def complaint(self) -> str:
        """The one line on standard error; there must be exactly one, readable, and no data beside it."""
        (line,) = self._complaint_lines
        return line

    @property
    def complaint_about_filter(self) -> tuple[str, str, str]:
        """The line on standard error, the filter below it, and what the caret below that points at, to the end."""
        line, text, caret = self._complaint_lines
        assert caret.strip() == "^"
        assert text.startswith("  ")
        return line, text[2:], text[caret.index("^") :]

    @property
    def _complaint_lines(self) -> list[str]:
        lines = self.errors.splitlines()
        assert self.output == ""
        assert lines, "nothing on standard error"
        assert lines[0].startswith("tcptui: ")
        assert all(line.isprintable() for line in lines)
        assert "Traceback" not in self.errors
        return [lines[0].removeprefix("tcptui: "), *lines[1:]]


def environment(**changed: str) -> dict[str, str]:
    """This process's environment without what would change what the program does."""
    foreign = ("TCPTUI_", "_TCPTUI_", "PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONUTF8", "LANG", "LC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | changed


def tcptui(
    *arguments: str,
    stdout: int = subprocess.PIPE,
    before: Callable[[], None] | None = None,
    environ: dict[str, str] | None = None,
) -> Ended:
    """Run the program without a terminal; ``before`` is called in the new process, to close a stream or set a limit."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment() if environ is None else environ,
        preexec_fn=before,
        check=False,
        timeout=DEADLINE_S,
    )
    return Ended(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())


def side_by_side(work: Callable[[T], R], requests: Iterable[T]) -> dict[T, R]:
    """What ``work`` makes of each request, several at a time: a process mostly waits for its libraries."""
    wanted = list(dict.fromkeys(requests))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(wanted, pool.map(work, wanted), strict=True))


def tcptui_on_terminal(*arguments: str, environ: dict[str, str]) -> Ended:
    """Run the program with all three streams on a terminal, which hold the same text."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as process:
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 4096):
                written += part
        except OSError:  # EIO: the other side is closed
            pass
        exit_code = process.wait(DEADLINE_S)
    os.close(ours)
    return Ended(exit_code, "", written.decode().replace("\r\n", "\n"))
