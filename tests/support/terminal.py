"""A program in a pseudo-terminal: what a person at an xterm would type and see."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import pty
import resource
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyte

READ_SIZE = 1 << 16


class AnsweringScreen(pyte.Screen):
    """Answers what a program asks of a terminal, as real ones do."""

    answer: Callable[[str], object] = staticmethod(lambda _text: None)

    def write_process_input(self, data: str) -> None:
        self.answer(data)


@dataclass
class Terminal:
    """A running program, its screen, and when it wrote what."""

    pid: int
    descriptor: int
    screen: pyte.Screen
    stream: pyte.ByteStream
    started: float
    written: list[tuple[float, bytes]] = field(default_factory=list)
    bytes_per_s: float = math.inf
    """How fast the terminal takes what is written."""
    free_at: float = 0.0
    """When it has taken what was read last."""
    exit_status: int | None = None
    usage: resource.struct_rusage | None = None

    @property
    def text(self) -> str:
        """The screen as lines."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def bytes_written(self) -> int:
        """Bytes that the program has written so far."""
        return sum(len(data) for _, data in self.written)

    @property
    def read_size(self) -> int:
        """How much is read at once: of a slow line so little that it comes in evenly."""
        return READ_SIZE if math.isinf(self.bytes_per_s) else max(int(self.bytes_per_s / 20), 1)

    def type(self, keys: str | bytes) -> float:
        """Send keys; the time they were sent."""
        now = time.monotonic()
        os.write(self.descriptor, keys.encode() if isinstance(keys, str) else keys)
        return now

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size, as a window manager does."""
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def pump(self, seconds: float) -> bool:
        """Take what the program writes for at most ``seconds``, or until it has written something.

        Whether it wrote anything; the end of the program counts as nothing.
        """
        end = time.monotonic() + max(seconds, 0)
        select.select([], [], [], max(min(self.free_at, end) - time.monotonic(), 0))
        ready, _, _ = select.select([self.descriptor], [], [], max(end - time.monotonic(), 0))
        if not ready or time.monotonic() < self.free_at:
            return False
        try:
            data = os.read(self.descriptor, self.read_size)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if not data:
            return False
        self.free_at = time.monotonic() + len(data) / self.bytes_per_s
        self.written.append((time.monotonic(), data))
        self.stream.feed(data)
        return True

    def wait_for(self, condition: Callable[[str], bool] | str, timeout_s: float = 10) -> float:
        """Wait until the screen fulfils a condition or holds a text; when that was.

        Raises:
            AssertionError: it does not within ``timeout_s``; shows the screen.
        """
        wanted = (lambda text: condition in text) if isinstance(condition, str) else condition
        deadline = time.monotonic() + timeout_s
        while not wanted(self.text):
            remaining = deadline - time.monotonic()
            if remaining <= 0 or (self.has_ended and not self.pump(0)):
                raise AssertionError(f"the screen never showed {condition!r}; it shows:\n{self.text}")
            self.pump(min(remaining, 0.2))
        return self.written[-1][0] if self.written else time.monotonic()

    def watch(self, seconds: float) -> int:
        """Take what is written for ``seconds``; how many bytes that were."""
        before = self.bytes_written
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            self.pump(remaining)
        return self.bytes_written - before

    @property
    def has_ended(self) -> bool:
        """Whether the program is gone."""
        if self.exit_status is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.exit_status, self.usage = os.waitstatus_to_exitcode(status), usage
        return self.exit_status is not None

    def wait_for_end(self, timeout_s: float = 10) -> int:
        """The exit status once the program has ended.

        Raises:
            AssertionError: it does not end within ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        while not self.has_ended:
            assert time.monotonic() < deadline, f"the program does not end; the screen shows:\n{self.text}"
            if not self.pump(0.05):
                select.select([], [], [], 0.01)
        while self.pump(0):
            pass
        assert self.exit_status is not None
        return self.exit_status

    def memory_mib(self) -> float:
        """Resident memory of the program."""
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS:"))

    def cpu_seconds(self) -> float:
        """CPU time that the program has used so far, with that of its children that have ended."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def terminal(
    command: Sequence[str],
    *,
    columns: int = 80,
    rows: int = 24,
    environment: Mapping[str, str] | None = None,
    bytes_per_s: float = math.inf,
) -> Iterator[Terminal]:
    """Run ``command`` in a terminal at the end of a line of some speed; it is ended at the latest with the block."""
    screen = AnsweringScreen(columns, rows)
    started = time.monotonic()
    pid, descriptor = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        base = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        os.execvpe(command[0], list(command), base | {"TERM": "xterm-256color"} | dict(environment or {}))
    screen.answer = lambda text: os.write(descriptor, text.encode())
    running = Terminal(pid, descriptor, screen, pyte.ByteStream(screen), started, bytes_per_s=bytes_per_s)
    try:
        yield running
    finally:
        if not running.has_ended:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(descriptor)
