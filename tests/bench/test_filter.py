"""What a filter saves and what it costs, against the sample without it and against ss with the same filter."""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable

import pytest

from tcptui.model.fields import ViewKind
from tcptui.model.sample import Sample
from tcptui.monitor.frame import build_frame
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.request import Request, request_for
from tcptui.query.syntax import Filter
from tcptui.sources.live import LiveSource
from tests.bench.measuring import ROUNDS, medians, print_table
from tests.support.crowd import Crowd, source_address
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

SIZES = [int(size) for size in os.environ.get("TCPTUI_BENCH_SIZES", "1000,10000,100000").split(",")]
PORT, PAIRS = 8080, 50
"""A port with a hundred sockets, however many there are in all."""
PEERS = 1000
TIME_WAIT = 100
ADDRESS = source_address(7)

FILTERS = {
    f":{PORT}": f"sport = :{PORT} or dport = :{PORT}",
    f"dport = :{PORT}": f"dport = :{PORT}",
    "state time-wait": "state time-wait",
    ADDRESS: f"src {ADDRESS} or dst {ADDRESS}",
    f"dport = :{PORT} recvq = 0": f"dport = :{PORT}",
    "recvq > 0": "",
}
"""The filter and the nearest that ss takes; the kernel cannot narrow the last one."""


def ss(namespace: NetworkNamespace, words: str) -> Callable[[], object]:
    """``ss -tanH`` inside the namespace, its output thrown away."""

    def run() -> None:
        with namespace.entered():
            subprocess.run(["ss", "-tanH", *words.split()], stdout=subprocess.DEVNULL, check=True)

    return run


def narrowed(source: LiveSource, request: Request) -> Callable[[], Sample]:
    return lambda: source.sample(request)


def answered(filter: Filter, full: Sample) -> Callable[[], object]:
    """What a keystroke in the filter costs while the last sample is at hand."""
    return lambda: build_frame(View(ViewKind.PEERS, filter), full)


@pytest.mark.parametrize("size", SIZES)
def test_cost_of_a_filter(size: int) -> None:
    require_live()
    with (
        NetworkNamespace("bench") as namespace,
        Crowd(namespace, size // 2, peers=PEERS, ports={PORT: PAIRS}, time_wait=TIME_WAIT) as crowd,
    ):
        source = LiveSource(netns=namespace.name, counters=False)
        filters = {text: parse_filter(text) for text in FILTERS}
        full = source.sample()
        rows = [("", "rows", "told", "ms", "of all", "ss ms", "ours is", "answer ms", "parse ms")]
        crowd.settle()
        found = {text: source.sample(request_for(filter)) for text, filter in filters.items()}
        samples = medians(
            {
                "everything": source.sample,
                **{text: narrowed(source, request_for(filter)) for text, filter in filters.items()},
            }
        )
        by_ss = medians({"everything": ss(namespace, ""), **{text: ss(namespace, FILTERS[text]) for text in FILTERS}})
        answers = medians({text: answered(filter, full) for text, filter in filters.items()})
        parses = medians({text: lambda text=text: parse_filter(text) for text in FILTERS})  # type: ignore[misc]
        whole = samples["everything"]
        for text, taken in samples.items():
            filter, sample = filters.get(text), found.get(text, full)
            total = build_frame(View(ViewKind.PEERS, filter), sample).total
            rows.append(
                (
                    *(text, f"{total:,}", f"{len(sample.table):,}", f"{taken * 1e3:.1f}", f"{taken / whole:.2f} x"),
                    *(f"{by_ss[text] * 1e3:.1f}", f"{taken / by_ss[text]:.2f} x"),
                    *((f"{answers[text] * 1e3:.2f}", f"{parses[text] * 1e3:.2f}") if filter else ("", "")),
                )
            )
        source.close()
    print_table(f"filters, {size:,} sockets", rows)


FIRST_FILTER = """
import time
started = time.perf_counter()
from tcptui.query.parse import parse_filter
loaded = time.perf_counter()
parse_filter("dport = :443")
print(loaded - started, time.perf_counter() - loaded)
"""


def test_cost_of_the_first_filter() -> None:
    """Of a process: the grammar is read for it."""
    runs = [
        subprocess.run([sys.executable, "-c", FIRST_FILTER], check=True, capture_output=True, text=True).stdout
        for _ in range(ROUNDS)
    ]
    times = zip(*[map(float, run.split()) for run in runs], strict=True)
    loading, parsing = (f"{statistics.median(each) * 1e3:.1f}" for each in times)
    print_table("first filter of a process", [("", "ms"), ("loading the parser", loading), ("parsing", parsing)])
