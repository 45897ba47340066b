"""Finding out who holds the sockets, against ``ss -p``: from nothing, and when a few are new."""

import subprocess
import time
from collections.abc import Callable

import pytest

from tcptui.model.fields import ViewKind
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.poller import look_budget
from tcptui.monitor.view import View
from tcptui.sources.live import LiveSource
from tcptui.sources.whereabouts import WhereaboutsFinder
from tests.bench.measuring import medians, print_table
from tests.support.crowd import Crowd
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

DESCRIPTORS = 100_000
ROUNDS = 5
NEW = 0.01
"""Part of the sockets that are new in a warm look."""


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def test_cold_and_warm_against_ss() -> None:
    """The far ends of the connections wait in accept queues, so half of the 200,000 sockets have a descriptor."""
    require_live()
    taken: dict[str, list[float]] = {"ss -tanpH": [], "cold": [], "warm": [], "nothing new": []}
    with NetworkNamespace("bench") as namespace, Crowd(namespace, DESCRIPTORS, peers=1000) as crowd:
        source = LiveSource(netns=str(namespace.path))
        command = namespace.argv("sh", "-c", "ss -tanpH >/dev/null")
        for _ in range(ROUNDS):
            finder = WhereaboutsFinder()
            rows = source.sample().table.rows
            taken["ss -tanpH"].append(seconds(lambda: subprocess.run(command, check=True)))
            taken["cold"].append(seconds(lambda: finder.look(rows)))  # noqa: B023 - called at once
            crowd.churn(NEW)
            rows = source.sample().table.rows
            taken["warm"].append(seconds(lambda: finder.look(rows, look_budget(1.0))))  # noqa: B023
            taken["nothing new"].append(seconds(lambda: finder.look(rows, look_budget(1.0))))  # noqa: B023
        source.close()
    ss, cold, *_ = (sorted(each)[ROUNDS // 2] for each in taken.values())
    table = [("", "ms", "of ss -tanpH", "of cold")]
    for name, times in taken.items():
        median = sorted(times)[ROUNDS // 2]
        table.append((name, f"{median * 1e3:.1f}", f"{median / ss:.3f}", f"{median / cold:.3f}"))
    print_table(f"owners, {DESCRIPTORS:,} descriptors, {NEW:.0%} of the connections new when warm", table)


def test_polling_with_owners() -> None:
    """What a tick costs: the sample, the look, and the frame in views with and without processes; 100,000 sockets."""
    require_live()
    with NetworkNamespace("bench") as namespace, Crowd(namespace, DESCRIPTORS // 2, peers=1000) as crowd:
        crowd.settle()
        source = LiveSource(netns=str(namespace.path))
        first = source.sample()
        source.look(first.table.rows)
        work: dict[str, Callable[[], object]] = {
            "sample": source.sample,
            "look, nothing new": lambda: source.look(first.table.rows, look_budget(1.0)),
        }
        for kind in (ViewKind.PEERS, ViewKind.PROCESSES, ViewKind.SERVICES, ViewKind.CONNECTIONS):
            monitor = Monitor(View(kind))
            monitor.accept(source.sample())
            again = source.sample()
            work[f"frame: {kind.value}"] = lambda monitor=monitor, again=again: monitor.accept(again)  # type: ignore[misc]
        times = medians(work)
        source.close()
    rows = [("", "ms", "of the sample")]
    rows += [(name, f"{each * 1e3:.1f}", f"{each / times['sample']:.2f}") for name, each in times.items()]
    print_table("a tick at 100,000 sockets, 50,000 of them with a descriptor", rows)
