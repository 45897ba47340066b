"""A source that gives what a test wants, and ways to wait for what comes of it. No patching: it is a ``Source``."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tcptui.errors import TcptuiError
from tcptui.model.sample import Cost, Sample
from tcptui.model.states import TcpState
from tcptui.model.table import SocketTable
from tcptui.monitor.presenter import Presentation, Presenter
from tcptui.query.bytecode import kernel_can_tell
from tcptui.query.mask import mask_of
from tcptui.query.request import EVERYTHING_PLAIN, Need, Request
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
    """What a source gives that has no socket, owner or path beyond what is asked for."""
    owners = sample.owners if Need.OWNERS in request.needs else None
    cgroups = sample.cgroups if Need.CGROUPS in request.needs else None
    given = replace(sample, owners=owners, cgroups=cgroups, is_whole=request.scope is None)
    if request.scope is None:
        return given
    rows = sample.table.rows
    kept = mask_of(widened(request.scope, _is_plain), rows) | (rows["state"] == TcpState.LISTEN)
    return replace(given, table=SocketTable(rows[kept]))


def _is_plain(test: Test) -> bool:
    """Whether a kernel can tell it of a socket."""
    return kernel_can_tell(test) or isinstance(test, (StateTest, FamilyTest))


@dataclass
class ScriptedSource:
    """Sample *n* is what ``script(n)`` has of the request, from 1; an exception is raised instead."""

    script: Callable[[int], Sample | BaseException] = numbered
    closed: threading.Event = field(default_factory=threading.Event)
    taken: int = 0
    requests: list[Request] = field(default_factory=list)
    """What each sample was asked with."""
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

    def close(self) -> None:
        """Nothing may be read afterwards."""
        self.closed.set()

    def await_taken(self, number: int) -> None:
        """Wait until sample ``number`` has been asked for."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.taken >= number, PATIENCE_S), f"no sample {number}"


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
    """What a poller handed on: samples, what each was taken for, the interval in force, and troubles."""

    samples: list[tuple[Sample, Request, float]] = field(default_factory=list)
    troubles: list[TcptuiError] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def sample(self, sample: Sample, request: Request, interval_s: float) -> None:
        """For ``on_sample``."""
        with self._changed:
            self.samples.append((sample, request, interval_s))
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

    def await_troubles(self, count: int) -> None:
        """Wait until so many troubles came."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.troubles) >= count, PATIENCE_S)


def running(*names: str) -> set[str]:
    """Which of these threads are alive."""
    return {thread.name for thread in threading.enumerate()} & set(names)
