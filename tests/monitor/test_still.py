"""A source of one sample that does not change: it is taken once, and nothing is compared with it or remembered."""

import math
import threading
from collections.abc import Iterable
from dataclasses import replace

from tcptui.model.detail import SocketKey
from tcptui.model.fields import ViewKind
from tcptui.model.sample import Sample, Whereabouts
from tcptui.model.states import TcpState
from tcptui.model.table import Rows
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.poller import Poller
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, Need, Request
from tests.model.random_tables import Socket, sample_of

SOCKETS = [Socket(TcpState.CLOSE_WAIT, cookie=1), Socket(TcpState.ESTABLISHED, cookie=2)]


def still(sockets: Iterable[Socket] = SOCKETS) -> Sample:
    sample = sample_of(sockets)
    return replace(sample, origin=replace(sample.origin, is_still=True))


class StillSource:
    """Gives the same sample again and again, and counts how often."""

    def __init__(self) -> None:
        self.taken = threading.Semaphore(0)
        self._sample = still()

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        self.taken.release()
        return self._sample

    def look(self, rows: Rows, budget_s: float = math.inf) -> Whereabouts | None:
        return None

    def close(self) -> None:
        """Nothing is held open."""


def test_it_is_taken_once_and_again_only_if_it_is_asked_for() -> None:
    source = StillSource()
    poller = Poller(source, 0.001, lambda *_: None, lambda _: None)
    poller.start()
    assert source.taken.acquire(timeout=10)
    assert not source.taken.acquire(timeout=0.1), "a hundred intervals"
    poller.set_request(Request(needs=frozenset({Need.MARKS})), at_once=False)
    poller.set_interval(0.001)
    assert not source.taken.acquire(timeout=0.1)
    poller.set_request(EVERYTHING_PLAIN, at_once=True)
    assert source.taken.acquire(timeout=10)
    poller.stop()


def test_nothing_is_compared_however_often_it_comes() -> None:
    monitor = Monitor(View(ViewKind.PEERS))
    for _ in range(3):
        monitor.accept(still())
    shown = monitor.shown
    assert shown is not None
    assert (shown.previous, shown.transitions, len(shown.history)) == (None, None, 0)
    assert not {"change", "trend", "age_ms"} & set(shown.grid.columns)
    assert shown.sample.age_ms is None
    assert shown.sample.attribution is not None


def test_it_answers_every_view_by_itself() -> None:
    monitor = Monitor(View())
    monitor.accept(still())
    for text in ("close-wait", "fwmark 1", "autobound", "nginx", "service web"):
        view = View(ViewKind.CONNECTIONS, parse_filter(text), shows_info=True)
        assert monitor.covers(view.request.of_sockets)
        monitor.show(view)
        shown = monitor.shown
        assert shown is not None
        assert shown.view == view


def test_a_connection_that_is_looked_at_is_found_when_it_is_taken_again() -> None:
    monitor = Monitor(View())
    monitor.accept(still())
    row = still().table.rows[0]
    named = {name: int(row[name]) for name in SocketKey._fields if name != "is_listener"}
    view = View(ViewKind.CONNECTIONS, watched=SocketKey(**named, is_listener=False))
    assert not monitor.covers(view.request.of_sockets)
    monitor.show(view)
    monitor.accept(still(), view.request.of_sockets)
    shown = monitor.shown
    assert shown is not None
    assert shown.watch is not None
    assert shown.watch.state is TcpState.CLOSE_WAIT
