"""A source that gives what a test wants, and ways to wait for what comes of it. No patching: it is a ``Source``."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tcptui.errors import TcptuiError
from tcptui.model.sample import Cost, Sample, Whereabouts
from tcptui.model.states import TcpState
from tcptui.model.table import Rows, SocketTable
from tcptui.monitor.presenter import Presentation, Presenter
from tcptui.query.bytecode import kernel_can_tell
from tcptui.query.mask import mask_of
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.query.simplify import widened
from tcptui.query.syntax import FamilyTest, StateTest, Test
from tests.model.random_tables import Socket, sample_of

PATIENCE_S = 20.0
"""How long to wait for another thread before a test fails; reached only then."""

SHORT_S = 0.0005
"""An interval that makes a poller take one sample after another."""


def numbered(number: int) -> Sample:
    """The sample of so many sockets, taken at that second: each one tells which it is."""
    sockets = [Socket(TcpState.ESTABLISHED, local_port=80 + index % 2, cookie=index + 1) for index in range(number)]
    return sample_of(sockets, monotonic_s=float(number))


def costing(sample: Sample, total_ms: float) -> Sample:
    """The same sample, which took so long."""
    return replace(sample, cost=Cost(total_ms=total_ms))


def honouring(request: Request, sample: Sample) -> Sample:
    """What a source gives that has no socket beyond what is asked for, and what it knows of holders without a look."""
    given = replace(sample, is_whole=request.scope is None)
    if request.scope is None:
        return given
    rows = sample.table.rows
    kept = mask_of(widened(request.scope, _is_plain), rows) | (rows["state"] == TcpState.LISTEN)
    return replace(given, table=SocketTable(rows[kept]))


def _is_plain(test: Test) -> bool:
    """Whether a kernel can tell it of a socket."""
    return kernel_can_tell(test) or isinstance(test, (StateTest, FamilyTest))


@dataclass(frozen=True)
class Look:
    """One look for who holds sockets."""

    after: int
    """The sample that it came after."""
    sockets: int
    """How many it was asked about."""
    budget_s: float


def nothing_found(_look: int) -> Whereabouts | BaseException | None:
    """What a source finds that knows nothing of processes."""
    return None


@dataclass
class ScriptedSource:
    """Sample *n* is what ``script(n)`` has of the request, from 1; an exception is raised instead."""

    script: Callable[[int], Sample | BaseException] = numbered
    finds: Callable[[int], Whereabouts | BaseException | None] = nothing_found
    """What look *n* finds, from 1; an exception is raised instead."""
    closed: threading.Event = field(default_factory=threading.Event)
    taken: int = 0
    requests: list[Request] = field(default_factory=list)
    """What each sample was asked with."""
    looks: list[Look] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        """The next one."""
        assert not self.closed.is_set()
        with self._changed:
            self.taken += 1
            self.requests.append(request)
            number = self.taken
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()
        what = self.script(number)
        if isinstance(what, BaseException):
            raise what
        return honouring(request, what)

    def look(self, rows: Rows, budget_s: float = math.inf) -> Whereabouts | None:
        """The next look."""
        assert not self.closed.is_set()
        with self._changed:
            self.looks.append(Look(self.taken, len(rows), budget_s))
            number = len(self.looks)
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()
        what = self.finds(number)
        if isinstance(what, BaseException):
            raise what
        return what

    def close(self) -> None:
        """Nothing may be read afterwards."""
        self.closed.set()

    def await_taken(self, number: int) -> None:
        """Wait until sample ``number`` has been asked for."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.taken >= number, PATIENCE_S), f"no sample {number}"

    def await_looks(self, number: int) -> None:
        """Wait until look ``number`` has been asked for."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.looks) >= number, PATIENCE_S), f"no look {number}"


class Announcements:
    """What a front end would have seen: the presentation at each announcement."""

    def __init__(self, presenter: Presenter) -> None:
        self._presenter = presenter
        self._changed = threading.Condition()
        self.seen: list[Presentation] = []

    def __call__(self) -> None:
        with self._changed:
            self.seen.append(self._presenter.latest())
            self._changed.notify_all()

    def wait_until(self, accept: Callable[[Presentation], bool]) -> Presentation:
        """The first presentation, from now on, that is as wanted."""
        with self._changed:
            start = len(self.seen)

            def first() -> Presentation | None:
                return next(filter(accept, [*self.seen[start:], self._presenter.latest()]), None)

            found = self._changed.wait_for(first, PATIENCE_S)
            assert found is not None, "no presentation was as wanted"
            return found

    def first_frame(self) -> Presentation:
        """The first presentation with something to show."""
        return self.wait_until(lambda each: each.frame is not None)


@dataclass
class Handed:
    """What a poller handed on: samples, what each was taken for, the interval in force; looks; and troubles."""

    samples: list[tuple[Sample, Request, float]] = field(default_factory=list)
    looks: list[tuple[Whereabouts | None, float]] = field(default_factory=list)
    troubles: list[TcptuiError] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def sample(self, sample: Sample, request: Request, interval_s: float) -> None:
        """For ``on_sample``."""
        with self._changed:
            self.samples.append((sample, request, interval_s))
            self._changed.notify_all()

    def look(self, whereabouts: Whereabouts | None, spent_s: float) -> None:
        """For ``on_look``."""
        with self._changed:
            self.looks.append((whereabouts, spent_s))
            self._changed.notify_all()

    def trouble(self, error: TcptuiError) -> None:
        """For ``on_trouble``."""
        with self._changed:
            self.troubles.append(error)
            self._changed.notify_all()

    def await_samples(self, count: int) -> None:
        """Wait until so many samples came."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.samples) >= count, PATIENCE_S)

    def await_looks(self, count: int) -> None:
        """Wait until so many looks came."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.looks) >= count, PATIENCE_S)

    def await_troubles(self, count: int) -> None:
        """Wait until so many troubles came."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.troubles) >= count, PATIENCE_S)


def running(*names: str) -> set[str]:
    """Which of these threads are alive."""
    return {thread.name for thread in threading.enumerate()} & set(names)
