"""All rules, against the sample that they judge."""

import itertools
import os

import pytest

from tcptui.diagnosis.course import Course
from tcptui.diagnosis.judging import judge
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.sources.live import LiveSource
from tests.bench.measuring import medians, print_table
from tests.diagnosis.scenes import JAVA, NGINX, NO_INFO, ON, QUIET_COUNTERS, TIMEWAIT, at, listener, part
from tests.support.crowd import Crowd
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

SIZE = int(os.environ.get("TCPTUI_BENCH_DIAGNOSIS", "100000"))
MOST_SHARE = 0.2
"""Of the cost of a sample that all rules together may take."""


def troubled(monotonic_s: float) -> Sample:
    """A table with something in every state, most of it wrong: 100,000 rows for the default size."""
    thousand = SIZE // 100
    return at(
        monotonic_s,
        *(listener(443), listener(80), listener(22)),
        part(TcpState.ESTABLISHED, 40 * thousand, peers=9000, holder=NGINX, idle_ms=500),
        part(TcpState.ESTABLISHED, 5 * thousand, local_port=None, peers=5, remote_port=3306, holder=JAVA),
        part(TcpState.CLOSE_WAIT, 5 * thousand, peers=300, holder=JAVA, idle_ms=90_000),
        part(TcpState.TIME_WAIT, 20 * thousand, peers=9000, timer=TIMEWAIT, timer_ms=30_000),
        part(TcpState.TIME_WAIT, 15 * thousand, local_port=None, remote_port=6379, timer=TIMEWAIT, timer_ms=30_000),
        part(TcpState.FIN_WAIT2, 6 * thousand, peers=2000, timer=TIMEWAIT, timer_ms=30_000),
        part(TcpState.LAST_ACK, 5 * thousand, peers=3000, timer=ON, retransmits=4, send_queue_bytes=8000),
        part(TcpState.SYN_RECV, 2 * thousand, peers=2000, timer=ON, retransmits=2),
        part(TcpState.SYN_SENT, 2 * thousand, local_port=None, peers=500, remote_port=8080, holder=JAVA, timer=ON),
        counters=QUIET_COUNTERS,
        age_s=90,
        absent=NO_INFO - {"idle_ms"},
    )


def test_cost_of_all_rules() -> None:
    require_live()
    course, crowded = Course(), Course()
    tables = [troubled(float(second)) for second in range(8)]
    with NetworkNamespace("bench") as namespace, Crowd(namespace, SIZE // 2, peers=1000) as crowd:
        crowd.settle()
        source = LiveSource(netns=str(namespace.path))
        samples = [source.sample() for _ in range(3)]
        turn, turn_crowded = itertools.cycle(tables), itertools.cycle(samples)
        times = medians(
            {
                "sample": source.sample,
                "rules, all is well": lambda: judge(crowded.take(next(turn_crowded))),
                "rules, all is wrong": lambda: judge(course.take(next(turn))),
            }
        )
        source.close()
    rows = [("", "ms", "of a sample")]
    rows += [(name, f"{taken * 1e3:.1f}", f"{taken / times['sample']:.2f} x") for name, taken in times.items()]
    print_table(f"{SIZE:,} sockets", rows)
    assert times["rules, all is wrong"] <= MOST_SHARE * times["sample"]
