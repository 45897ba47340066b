"""Sockets that are left to end by themselves, each in a lab of its own with one setting, and how long they lived.

All wait at the same time, so the longest of them sets the length of the whole. The table that says when a socket has
left its state is read by the production source; a box holds one socket in the state that is watched, and no other.
"""

import contextlib
import errno
import math
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from tcptui.explain.bounds import BOUNDS
from tcptui.explain.knowledge import load
from tcptui.explain.live import LiveValues
from tcptui.model.states import TcpState
from tcptui.model.table import timer_text
from tcptui.sources.live import LiveSource
from tests.support.lab import Lab
from tests.support.parking import Parked
from tests.support.waiting import WaitedInVainError, wait_for

Start = Callable[[], socket.socket | None]
"""Begins the life. Returns the socket if a program still holds it; None for one that is closed."""

ENDLESS_FROM_S = 40.0
"""What has not ended by then does not end, where the same with another setting ends within 12 s."""
_SENT_AT_ONCE_BYTES = 1 << 20
_OWN_PARAMETERS = Path("/proc/sys/net/ipv4")


@dataclass(frozen=True)
class Ending:
    """One way in which the kernel ends a socket, and the law that says when."""

    name: str
    state: TcpState
    """What the socket is in until it ends."""
    bound: str
    """Key of ``BOUNDS``."""
    number: str
    """Which of the bound's numbers is the lifetime."""
    prepare: Callable[[Lab], Start]
    """Does all that takes time."""

    def predicted_s(self, live: Mapping[str, str]) -> float:
        """How long the socket lives where the parameters are ``live``, as an explanation says it; perhaps for ever."""
        _, numbers = BOUNDS[self.bound].answer(LiveValues(live, load().parameters).numbers)
        seconds = numbers.get(self.number, math.inf)
        assert isinstance(seconds, float)
        return seconds


@dataclass(frozen=True)
class Case:
    """One ending under one setting."""

    ending: Ending
    setting: tuple[tuple[str, int], ...]
    """Parameters of ``net.ipv4`` that differ from the default."""
    is_foretold: bool = False
    """Not waited for to the end: the timewait timer, once it runs, tells the rest."""

    def __str__(self) -> str:
        """The ending and the setting in one line."""
        return " ".join((self.ending.name, *(f"{name.removeprefix('tcp_')}={value}" for name, value in self.setting)))

    @property
    def missing(self) -> list[str]:
        """Parameters that this kernel does not have."""
        return [name for name, _ in self.setting if not (_OWN_PARAMETERS / name).exists()]


def case(ending: Ending, *, is_foretold: bool = False, **setting: int) -> Case:
    """``ending`` with the parameters of ``net.ipv4`` that ``setting`` names."""
    return Case(ending, tuple(setting.items()), is_foretold)


@dataclass(frozen=True)
class Lived:
    """What became of one socket."""

    live: Mapping[str, str]
    """The parameters of its namespace."""
    predicted_s: float
    measured_s: float | None
    """None if it had not ended when the waiting was over, or was never seen in its state."""
    watched_s: float
    """Its age when it was last looked at."""
    timers: tuple[str, ...]
    """The timers that were seen to run, in that order."""
    error: int | None
    """What the program was told; None if no program held the socket."""


@final
class _Life:
    """A socket between its preparation and its end."""

    def __init__(self, case: Case, lab: Lab, source: LiveSource, live: Mapping[str, str]) -> None:
        self._case = case
        self._source = source
        self._live = live
        self._predicted_s = case.ending.predicted_s(self._live)
        self._start = case.ending.prepare(lab)
        self._held: socket.socket | None = None
        self._began_s = 0.0
        self._lived_s: float | None = None
        self._age_s = 0.0
        self._timers: list[str] = []

    def begin(self, clock: Callable[[], float]) -> None:
        """Bring the socket into its state and look at once: a second is a short life on a busy machine."""
        self._began_s = clock()
        self._held = self._start()
        self._look()

    def is_over(self) -> bool:
        """Look for the socket, unless it is known to have ended; an endless life is watched for a while."""
        if self._lived_s is None:
            self._look()
        is_endless = self._predicted_s == math.inf and self._age_s >= ENDLESS_FROM_S
        return self._lived_s is not None or is_endless

    def lived(self) -> Lived:
        """What is known when the waiting is over."""
        return Lived(
            live=self._live,
            predicted_s=self._predicted_s,
            measured_s=self._lived_s,
            watched_s=self._age_s,
            timers=tuple(self._timers),
            error=None if self._held is None else self._held.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
        )

    def _look(self) -> None:
        sample = self._source.sample()
        age_s = self._age_s = sample.monotonic_s - self._began_s
        rows = sample.table.rows
        mine = rows[rows["state"] == self._case.ending.state]
        if len(mine):
            timer = timer_text(int(mine["timer"][0]))
            if timer not in self._timers[-1:]:
                self._timers.append(timer)
            if self._case.is_foretold and timer == "timewait":
                self._lived_s = age_s + int(mine["timer_ms"][0]) / 1000
        elif self._timers:
            self._lived_s = age_s


def live_through(cases: Sequence[Case], clock: Callable[[], float], *, seconds: float) -> dict[Case, Lived]:
    """Let every case live at the same time, for ``seconds`` at most, and tell what became of each.

    Args:
        cases: of parameters that this kernel has.
        clock: tells what ``time.monotonic`` does.
        seconds: after which the waiting is over whatever still lives.
    """
    with contextlib.ExitStack() as undo:
        lives = {each: undo.enter_context(_prepared(each, clock)) for each in cases}
        for life in lives.values():
            life.begin(clock)
        with contextlib.suppress(WaitedInVainError):  # what has not ended has no measured time, and its test says so
            wait_for(
                lambda: [life.is_over() for life in lives.values()],
                all,
                wanted="every socket to end",
                seconds=seconds,
            )
        return {each: life.lived() for each, life in lives.items()}


@contextlib.contextmanager
def _prepared(case: Case, clock: Callable[[], float]) -> Iterator[_Life]:
    with Lab() as lab:
        for name, value in case.setting:
            lab.sysctl(f"net.ipv4.{name}", value)
        live = _parameters(lab)
        source = LiveSource(netns=str(lab.box.path), families=(4,), counters=False, clock=clock)
        with contextlib.closing(source):
            yield _Life(case, lab, source, live)


def _parameters(lab: Lab) -> Mapping[str, str]:
    """What the laws take, as the box's kernel has it."""
    names = dict.fromkeys(name for bound in BOUNDS.values() for name in bound.parameters)
    with contextlib.closing(LiveSource(netns=str(lab.box.path), parameters=names)) as source:
        return source.sample().parameters


# -- How each life begins ------------------------------------------------------------------------------------------


def _one_lost(lab: Lab, state: TcpState = TcpState.ESTABLISHED) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection on which nothing that the box sends arrives any more."""
    parked = lab.park(state, 1)
    lab.lose(parked)
    return _one(lab, parked)


def _one(lab: Lab, parked: Parked) -> tuple[socket.socket, socket.socket]:
    (box,), (peer,) = lab.ends(parked)
    return box, peer


def _dial(lab: Lab) -> Start:
    return lambda: lab.ends(lab.park(TcpState.SYN_SENT, 1))[0][0]


def _knock(lab: Lab) -> Start:
    def start() -> None:
        lab.park(TcpState.SYN_RECV, 1)

    return start


def _send_into_silence(lab: Lab) -> Start:
    box, _ = _one_lost(lab)

    def start() -> socket.socket:
        box.send(b"x")
        return box

    return start


def _shut_down_into_silence(lab: Lab) -> Start:
    box, _ = _one_lost(lab)

    def start() -> socket.socket:
        box.shutdown(socket.SHUT_WR)
        return box

    return start


def _probe_into_silence(lab: Lab) -> Start:
    """SO_KEEPALIVE starts the timer anew, with the parameters of that moment (FACTS section 2.3)."""
    box, _ = _one_lost(lab)

    def start() -> socket.socket:
        box.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return box

    return start


def _close_into_silence(lab: Lab) -> Start:
    box, _ = _one_lost(lab)
    return box.close


def _close_last_into_silence(lab: Lab) -> Start:
    box, _ = _one_lost(lab, TcpState.CLOSE_WAIT)
    return box.close


def _close_both_into_silence(lab: Lab) -> Start:
    box, peer = _one_lost(lab)

    def start() -> None:
        box.close()
        peer.close()

    return start


def _close_before_a_shut_window(lab: Lab) -> Start:
    """The peer does not read; when the kernel probes its window, all that fits has arrived and more is waiting."""
    box, _ = _one(lab, lab.park(TcpState.ESTABLISHED, 1))
    box.settimeout(0)

    def send_more() -> str:
        with contextlib.suppress(BlockingIOError):  # the send buffer is full
            box.send(bytes(_SENT_AT_ONCE_BYTES))
        (row,) = lab.ss("-o")
        return row.timer.name if row.timer else "off"

    def start() -> None:
        wait_for(send_more, lambda timer: timer == "persist", wanted="the peer's window to shut")
        box.close()

    return start


def _close_first(lab: Lab) -> Start:
    box, _ = _one(lab, lab.park(TcpState.ESTABLISHED, 1))
    return box.close


def _close_both(lab: Lab) -> Start:
    box, peer = _one(lab, lab.park(TcpState.ESTABLISHED, 1))

    def start() -> None:
        box.close()
        peer.close()

    return start


SYN_SENT = Ending("SYN_SENT", TcpState.SYN_SENT, "syn", "about", _dial)
SYN_RECV = Ending("SYN_RECV", TcpState.SYN_RECV, "syn_ack", "about", _knock)
KEEPALIVE = Ending("ESTABLISHED, idle", TcpState.ESTABLISHED, "keepalive", "death", _probe_into_silence)
UNACKNOWLEDGED = Ending("ESTABLISHED, sent", TcpState.ESTABLISHED, "retries2", "about", _send_into_silence)
SHUT_DOWN = Ending("FIN_WAIT1, held", TcpState.FIN_WAIT1, "retries2", "about", _shut_down_into_silence)
FIN_WAIT1 = Ending("FIN_WAIT1", TcpState.FIN_WAIT1, "orphan", "about", _close_into_silence)
LAST_ACK = Ending("LAST_ACK", TcpState.LAST_ACK, "orphan", "about", _close_last_into_silence)
CLOSING = Ending("CLOSING", TcpState.CLOSING, "orphan", "about", _close_both_into_silence)
SHUT_WINDOW = Ending(
    "FIN_WAIT1, zero window", TcpState.FIN_WAIT1, "zero_window_orphan", "about", _close_before_a_shut_window
)
FIN_WAIT2 = Ending("FIN_WAIT2", TcpState.FIN_WAIT2, "fin_wait2", "about", _close_first)
TIME_WAIT = Ending("TIME_WAIT", TcpState.TIME_WAIT, "time_wait", "seconds", _close_both)

GIVEN_UP = errno.ETIMEDOUT
"""What a program is told whose socket has ended so."""
