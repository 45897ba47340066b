"""Reading the kernel, against everything that people read it with today."""

import os
import resource
import socket
import struct
import subprocess
import time
import tracemalloc
from collections.abc import Callable

import psutil
import pytest
from pyroute2 import DiagSocket

from tcptui.analysis.grouping import build_grid
from tcptui.model.fields import ViewKind
from tcptui.sources.live import LiveSource
from tests.bench.measuring import medians, print_table
from tests.support.crowd import Crowd
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

SIZES = [int(size) for size in os.environ.get("TCPTUI_BENCH_SIZES", "1000,10000,100000").split(",")]
SLOW_READERS_UP_TO = 100_000
"""Above it psutil and pyroute2 take tens of seconds a round."""

PIPELINES = {
    "netstat | awk": "netstat -n | awk '/^tcp/ {++S[$NF]} END {for(a in S) print a, S[a]}'",
    "netstat | cut | sort | uniq": "netstat -ant | fgrep : | cut -b 77-90 | sort | uniq -c",
    "ss | awk | sort | uniq": "ss -tan | awk '{print $1,$5}' | awk -F: '{print $1}' | sort | uniq -c | sort -n",
}


class BareDump:
    """The kernel's part of a dump: a receive loop in which nothing is decoded."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4)
        self._socket.bind((0, 0))
        self._buffer = bytearray(64 * 1024)

    def __call__(self) -> None:
        for family in (socket.AF_INET, socket.AF_INET6):
            self._socket.send(struct.pack("=IHHIIBBBBI48x", 72, 20, 0x301, 1, 0, family, 6, 0, 0, 0x1FFE))
            while not self._is_end(self._socket.recv_into(self._buffer)):
                pass

    def _is_end(self, size: int) -> bool:
        return struct.unpack_from("=IH", self._buffer, size - 20) == (20, 3)

    def close(self) -> None:
        self._socket.close()


def shell(namespace: NetworkNamespace, command: str) -> Callable[[], object]:
    argv = namespace.argv("sh", "-c", f"{command} >/dev/null")
    return lambda: subprocess.run(argv, check=True)


def by_pyroute2() -> None:
    with DiagSocket() as diag:
        diag.bind()
        for family in (socket.AF_INET, socket.AF_INET6):
            diag.get_sock_stats(family=family)


@pytest.mark.parametrize("size", SIZES)
def test_cost_of_a_sample(size: int) -> None:
    require_live()
    with NetworkNamespace("bench") as namespace, Crowd(namespace, size // 2, peers=1000) as crowd:
        crowd.settle()
        source = LiveSource(netns=str(namespace.path))
        with namespace.entered():
            bare = BareDump()

            def analysed() -> None:
                sample = source.sample()
                build_grid(sample, ViewKind.STATES, None)
                build_grid(sample, ViewKind.PEERS, None)

            times = medians(
                {
                    "bare dump": bare,
                    "sample": source.sample,
                    "sample + histogram + peers": analysed,
                    "ss -tanH": shell(namespace, "ss -tanH"),
                    **{name: shell(namespace, command) for name, command in PIPELINES.items()},
                }
            )
            if size <= SLOW_READERS_UP_TO:
                slow = {"psutil": lambda: psutil.net_connections("tcp"), "pyroute2": by_pyroute2}
                times |= medians(slow, rounds=1)
            bare.close()
        source.close()
    ours = times["sample + histogram + peers"]
    rows = [("", "ms", "us/socket", "ours is")]
    rows += [
        (name, f"{taken * 1e3:.1f}", f"{taken / size * 1e6:.2f}", f"{ours / taken:.2f} x")
        for name, taken in times.items()
    ]
    print_table(f"{size:,} sockets", rows)


def test_memory_with_an_hour_of_history() -> None:
    """A process of its own would be exact; what matters is what one sample, one frame and the history hold."""
    require_live()
    from tcptui.model.history import HISTORY_LENGTH
    from tcptui.monitor.monitor import Monitor
    from tcptui.monitor.view import View

    with NetworkNamespace("bench") as namespace, Crowd(namespace, 50_000, peers=1000) as crowd:
        crowd.settle()
        source = LiveSource(netns=str(namespace.path))
        tracemalloc.start()
        monitor = Monitor(View())
        counts = source.sample().table.state_counts()
        for second in range(HISTORY_LENGTH):
            monitor._unfiltered.append(float(second), counts)
        for _ in range(3):
            monitor.accept(source.sample())
            assert monitor.shown is not None
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        source.close()
    rows = [("", "MiB"), ("held", f"{held / 2**20:.1f}"), ("at the peak", f"{peak / 2**20:.1f}")]
    print_table("memory of samples, frames and an hour of history, 100,000 sockets", rows)


def test_cost_of_a_whole_snapshot_process() -> None:
    require_live()
    import sys

    with NetworkNamespace("bench") as namespace:

        def cpu(*command: str) -> float:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(namespace.argv(*command), check=True, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        commands = {
            "tcptui snapshot": (sys.executable, "-m", "tcptui", "snapshot"),
            "tcptui snapshot :443": (sys.executable, "-m", "tcptui", "snapshot", ":443"),
            "tcptui explain TIME_WAIT": (sys.executable, "-m", "tcptui", "explain", "TIME_WAIT"),
            "tcptui --help": (sys.executable, "-m", "tcptui", "--help"),
            "python -c pass": (sys.executable, "-c", "pass"),
        }
        rows = [("", "CPU s", "wall s")]
        for name, command in commands.items():
            cpus, started = sorted(cpu(*command) for _ in range(7)), time.perf_counter()
            cpu(*command)
            rows.append((name, f"{cpus[3]:.3f}", f"{time.perf_counter() - started:.3f}"))
    print_table("whole processes, few sockets", rows)
