"""How the program holds out: memory and missed intervals, minutes with real sockets and hours with made-up ones.

``TCPTUI_SOAK_S`` is how long the real part runs, 600 s without it.
"""

import gc
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from tcptui.explain.topics import parameter_names
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import SocketTable
from tcptui.monitor.presenter import Presentation, Presenter
from tcptui.monitor.view import View
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.demo import DemoSource
from tcptui.sources.live import LiveSource
from tests.bench.measuring import percentile, print_table
from tests.support.crowd import Crowd
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live
from tests.support.terminal import terminal

SOAK_S = float(os.environ.get("TCPTUI_SOAK_S", "600"))
PAIRS = 10_000
CHURN = 0.05
"""Of the connections a second: 500 of 10,000, with both of their ends."""

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]


@dataclass
class Intervals:
    """What a presenter has shown: when each sample was taken, and the interval that it admitted."""

    taken_s: list[float] = field(default_factory=list)
    admitted_s: list[float] = field(default_factory=list)

    def note(self, presentation: Presentation) -> None:
        """Take a presentation, which may be of a sample that was noted before."""
        frame = presentation.frame
        if frame is not None and (not self.taken_s or frame.sample.monotonic_s > self.taken_s[-1]):
            self.taken_s.append(frame.sample.monotonic_s)
            self.admitted_s.append(presentation.interval_s)

    @property
    def gaps(self) -> list[float]:
        """Time from each sample to the next, as a part of the interval admitted at the first of them."""
        return [
            (later - earlier) / admitted
            for earlier, later, admitted in zip(self.taken_s, self.taken_s[1:], self.admitted_s, strict=False)
        ]


def test_ten_minutes_of_20_000_sockets_of_which_500_change_each_second() -> None:
    require_live()
    with NetworkNamespace("soak") as namespace, Crowd(namespace, PAIRS, peers=200) as crowd:
        crowd.settle()
        crowd.churn(CHURN)
        source = LiveSource(netns=str(namespace.path), parameters=parameter_names(), destroyed=True)
        presenter, seen = Presenter(source, View(), 1.0), Intervals()
        command = (sys.executable, "-m", "tcptui", "-N", str(namespace.path))
        memory = []
        with terminal(command, columns=120, rows=40) as running:
            running.wait_for("● live", timeout_s=30)
            presenter.start(lambda: seen.note(presenter.latest()))
            steps = 20
            for _ in range(steps):
                running.watch(SOAK_S / steps)
                memory.append(running.memory_mib())
            presenter.stop()
    gaps = seen.gaps
    rows = [
        ("samples", f"{len(seen.taken_s):,}"),
        ("intervals admitted", ", ".join(f"{each:g} s" for each in sorted(set(seen.admitted_s)))),
        ("longest gap", f"{max(gaps):.2f} intervals"),
        ("99 % of the gaps", f"{percentile(gaps, 99):.2f} intervals"),
        ("gaps of more than 1.5 intervals", f"{sum(gap > 1.5 for gap in gaps)}"),
    ]
    print_table(f"{SOAK_S:.0f} s, 20,000 sockets, 1,000 ends changed a second", rows)
    print_table("memory of the screen, MiB", [("", *(f"{each:.0f}" for each in memory))])


class Churning(DemoSource):
    """20,000 sockets of 200 peers, 500 of them others in each sample; a second passes from one to the next."""

    SOCKETS, CHANGED = 20_000, 500

    def __init__(self) -> None:
        super().__init__("calm")
        self._model = super().sample()
        self._rows = np.zeros(self.SOCKETS, self._model.table.rows.dtype)
        numbers = np.arange(self.SOCKETS)
        self._rows["cookie"] = numbers + 1
        self._rows["family"] = 4
        self._rows["state"] = np.where(numbers % 10 == 0, TcpState.TIME_WAIT, TcpState.ESTABLISHED)
        for end, address in (("local", 0x0A000001), ("remote", 0x0A010000 + numbers % 200)):
            self._rows[f"{end}_lo"] = address | 0xFFFF << 32
        self._rows["local_port"] = 443
        self._rows["remote_port"] = 1024 + numbers // 200
        self._taken = 0

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        self._taken += 1
        first = self._taken * self.CHANGED % self.SOCKETS
        rows = self._rows = self._rows.copy()
        rows["cookie"][first : first + self.CHANGED] += np.uint64(self.SOCKETS)
        taken_at = datetime(2026, 1, 2, tzinfo=timezone.utc) + timedelta(seconds=self._taken)
        return replace(
            *(self._model,), table=SocketTable(rows), monotonic_s=float(self._taken), taken_at=taken_at, destroyed=None
        )


def test_two_hours_on_a_synthetic_clock() -> None:
    source = Churning()
    presented = threading.Semaphore(0)
    presenter = Presenter(source, View(), 0.0)
    presenter.start(presented.release)
    memory = []
    try:
        for minute in range(0, 121, 10):
            _wait_until(lambda minute=minute: _clock(presenter) >= minute * 60, presented)  # type: ignore[misc]
            gc.collect()
            memory.append((f"{minute} min", f"{_resident_mib():.0f}"))
    finally:
        presenter.stop()
    print_table("memory of presenter and history, MiB (with the test's own)", memory)


def _clock(presenter: Presenter) -> float:
    frame = presenter.latest().frame
    return frame.sample.monotonic_s if frame is not None else -1.0


def _wait_until(is_true: Callable[[], bool], presented: threading.Semaphore) -> None:
    while not is_true():
        assert presented.acquire(timeout=60), "nothing was presented for a minute"


def _resident_mib() -> float:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS:"))
