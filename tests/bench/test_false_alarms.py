"""A machine that is busy and well, for minutes: nothing that the rules say may be a warning.

A server and its clients in two namespaces, each judged like a machine of its own every second: short connections, of
which either end closes half, so that both have tens of thousands of TIME_WAIT; connections that stay; the server's
ports restarted one after the other; a load test that starts and stops. ``TCPTUI_SOAK_S`` is how long, 600 s without it,
and ``TCPTUI_SOAK_RATE`` how many connections a second, 2,000 without it.

Of 2,000 a second each end closes 1,000 first. If one closed all of them, 120,000 TIME_WAIT would settle in a table that
has room for 131,072 by default, and the warning of R19 that it is nearly full would be right.
"""

import contextlib
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pytest

from tcptui.diagnosis.finding import Severity
from tcptui.explain.topics import parameter_names
from tcptui.headless.diagnose import Watch
from tcptui.model.states import TcpState
from tcptui.sources.live import LiveSource
from tests.bench.measuring import percentile, print_table
from tests.support.lab import Lab
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live
from tests.support.traffic import TrafficWorker, site, visitors
from tests.support.veth import BOX_INET

SOAK_S = float(os.environ.get("TCPTUI_SOAK_S", "600"))
PER_S = float(os.environ.get("TCPTUI_SOAK_RATE", "2000"))
PORTS = range(8000, 8008)
RESTART_EVERY_S = 15.0
LOAD_TEST_EVERY_S, LOAD_TEST_S = 60.0, 20.0

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]


@dataclass
class Patient:
    """A namespace that is watched, and what was said of it."""

    watch: Watch
    said: dict[str, Counter[Severity]] = field(default_factory=lambda: defaultdict(Counter))
    """How often each rule spoke, by severity."""
    alarms: list[str] = field(default_factory=list)
    time_waits: list[int] = field(default_factory=list)
    judged: int = 0

    def look(self, at_s: float) -> None:
        """Judge one more sample."""
        self.watch.look()
        report = self.watch.report()
        self.judged += 1
        self.time_waits.append(int(report.sample.table.state_counts()[TcpState.TIME_WAIT]))
        for finding in report.diagnosis.findings:
            self.said[finding.rule][finding.severity] += 1
            if finding.severity > Severity.INFO:
                facts = "; ".join(fact.text for fact in finding.evidence)
                self.alarms.append(f"{at_s:.0f} s: {finding.rule} {finding.verdict} ({facts})")


@contextmanager
def watched(namespace: NetworkNamespace) -> Iterator[Patient]:
    with closing(LiveSource(netns=str(namespace.path), parameters=parameter_names())) as source:
        yield Patient(Watch(source))


def test_a_busy_machine_that_is_well_gives_no_alarm() -> None:
    require_live()
    loads: list[TrafficWorker] = []
    with contextlib.ExitStack() as undo:
        lab = undo.enter_context(Lab())
        server, clients = undo.enter_context(watched(lab.box)), undo.enter_context(watched(lab.peer))
        patients = {"server": server, "clients": clients}
        with (
            site(lab.box, BOX_INET, PORTS, RESTART_EVERY_S) as serving,
            visitors(lab.peer, BOX_INET, PORTS, PER_S, staying=300) as visiting,
        ):
            started_s = time.monotonic()
            watch_for_a_while(lab, patients, loads, started_s)
            took_s = time.monotonic() - started_s
    print_said(patients)
    rows = [
        ("connections a second", f"{serving.done['accepted'] / took_s:,.0f}"),
        ("restarts, load tests", f"{serving.done['restarted']}, {len(loads)}"),
        ("clients", ", ".join(f"{name} {count:,}" for name, count in visiting.done.items())),
        *(
            (f"TIME_WAIT of the {name}", f"{percentile(each.time_waits, 50):,.0f}, at most {max(each.time_waits):,}")
            for name, each in patients.items()
        ),
        ("samples judged", f"{server.judged + clients.judged:,}"),
    ]
    print_table(f"{SOAK_S:.0f} s of a busy machine", rows)
    assert not server.alarms + clients.alarms, "\n".join(server.alarms + clients.alarms)


def watch_for_a_while(lab: Lab, patients: dict[str, Patient], loads: list[TrafficWorker], started_s: float) -> None:
    """Look once a second, and have a load test come and go."""
    never_set = threading.Event()
    with contextlib.ExitStack() as running:
        while (at_s := time.monotonic() - started_s) < SOAK_S:
            is_load_test = at_s % LOAD_TEST_EVERY_S > LOAD_TEST_EVERY_S - LOAD_TEST_S
            if is_load_test and at_s > len(loads) * LOAD_TEST_EVERY_S:
                load = visitors(lab.peer, BOX_INET, PORTS, PER_S / 4)
                loads.append(running.enter_context(load))
            elif not is_load_test:
                running.close()
            for patient in patients.values():
                patient.look(at_s)
            never_set.wait(max(0.0, 1 - (time.monotonic() - started_s - at_s)))


def print_said(patients: dict[str, Patient]) -> None:
    rows = [("", "rule", *(severity.name.lower() for severity in Severity))]
    for name, patient in patients.items():
        for rule, counts in sorted(patient.said.items()):
            rows.append((name, rule, *(f"{counts[severity]:,}" for severity in Severity)))
    print_table("how often each rule spoke", rows)
    for name, patient in patients.items():
        for alarm in patient.alarms[:20]:
            print(f"  {name}, {alarm}")
