"""Samples that are over take little room, and never more than they may."""

import gc
import tracemalloc
from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.attribution import attribute
from tcptui.model.detail import SocketDetail
from tcptui.model.owners import Descriptors, Process, owners_of
from tcptui.model.sample import Sample, Whereabouts
from tcptui.model.states import TcpState
from tcptui.model.table import ROW, SocketTable, identities_of
from tcptui.monitor.memory import Memory
from tcptui.monitor.past import MOST_BYTES, SPAN_S, Past
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, request_for
from tests.model.random_tables import TAKEN_AT, Known, Socket, sample_of, samples
from tests.monitor.test_watch import KEY

COUNTERS = {f"TcpExt.Counter{number}": 1_000_000 * number for number in range(300)}


class Churn:
    """A machine on which some sockets are others in each sample; a second passes from one to the next."""

    def __init__(self, sockets: int, changed: int, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self._changed = changed
        self._memory = Memory()
        self._rows = np.zeros(sockets, ROW)
        self._next_cookie = 1
        self._second = 0
        self._renew(np.arange(sockets))

    def _renew(self, at: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> None:
        rows = self._rows
        rows["cookie"][at] = np.arange(self._next_cookie, self._next_cookie + len(at))
        self._next_cookie += len(at)
        rows["family"][at], rows["local_port"][at], rows["state"][at] = 4, 443, TcpState.ESTABLISHED
        rows["local_lo"][at] = 0x0A000001 | 0xFFFF << 32
        rows["remote_lo"][at] = 0x0A010000 + self._random.integers(0, 5000, len(at)) | 0xFFFF << 32
        rows["remote_port"][at] = self._random.integers(1024, 65536, len(at))
        rows["inode"][at] = rows["cookie"][at] + 5000

    def sample(self) -> Sample:
        """As a monitor has it when it is over."""
        self._rows = rows = self._rows.copy()
        at = self._random.choice(len(rows), self._changed, replace=False)
        closed, renewed, queued = np.array_split(at, 3)
        rows["state"][closed], rows["inode"][closed] = TcpState.TIME_WAIT, 0
        rows["timer"][closed] = 3
        rows["timer_ms"] = np.where(rows["timer"] == 3, 60_000 - self._second * 1000 % 60_000, 0)
        rows["timer"][renewed] = rows["timer_ms"][renewed] = 0
        self._renew(renewed)
        rows["recv_queue_bytes"][queued] = self._random.integers(0, 9000, len(queued))
        self._second += 1
        workers = [Process(800 + number, 100, "nginx") for number in range(4)]
        held = owners_of({5001 + number: (workers[number % 4],) for number in range(16)})
        told = {worker.pid: Descriptors(self._second % 9 + worker.pid, 1024) for worker in workers}
        sample = Sample(
            *(sample_of([]).origin, TAKEN_AT + timedelta(seconds=self._second), float(self._second)),
            table=SocketTable(rows),
            counters={
                name: value + self._second * (number % 5) for number, (name, value) in enumerate(COUNTERS.items())
            },
            parameters={f"net.ipv4.tcp_{number}": "1" for number in range(60)},
            whereabouts=Whereabouts(replace(held, descriptors=told), {20: "/system.slice/nginx.service"}),
        )
        return remembered(self._memory, sample)


def remembered(memory: Memory, sample: Sample) -> Sample:
    """A sample with what a monitor knows of it when it is over."""
    known = memory.update(sample)
    attribution = attribute(sample, known.remembered)
    return replace(sample, age_ms=known.age_ms, is_watched=known.is_watched, attribution=attribution)


def assert_same_sample(one: Sample, other: Sample) -> None:
    """Each socket with all that is known of it, in whatever order, and what is known beside them."""
    assert (one.taken_at, one.monotonic_s) == (other.taken_at, other.monotonic_s)
    assert (one.counters, one.parameters) == (other.counters, other.parameters)
    assert described(one) == described(other)
    if one.owners is not None and other.owners is not None:
        assert one.owners.descriptors == other.owners.descriptors


def described(sample: Sample) -> dict[int, tuple[object, ...]]:
    """By identity."""
    rows, known = sample.table.rows, sample.attribution
    assert known is not None
    assert sample.age_ms is not None
    assert sample.is_watched is not None
    rows = rows.copy()
    timers, rows["timer_ms"] = rows["timer_ms"] // 200, 0
    groups, cgroups = (*known.groups, None), (*known.cgroups, None)
    facts = zip(
        *(rows.tolist(), timers.tolist(), [groups[code] for code in known.codes], known.standing.tolist()),
        *([cgroups[code] for code in known.cgroup_codes], sample.is_watched.tolist(), (sample.age_ms // 10).tolist()),
        strict=True,
    )
    return dict(zip(identities_of(rows).tolist(), facts, strict=True))


def test_what_is_kept_comes_out_as_it_was() -> None:
    machine, past = Churn(300, 30), Past()
    were = [machine.sample() for _ in range(40)]
    for was in were:
        past.append(was)
    assert len(past) == 40
    for was, before in zip(were[1:], were, strict=False):
        again = past.at(was.monotonic_s)
        assert again is not None
        assert_same_sample(again.sample, was)
        assert again.previous is not None
        assert_same_sample(again.previous.sample, before)
    assert past.at(0.5) is None
    assert past.at(41.0) is None


def test_what_is_left_after_thinning_comes_out_as_it_was() -> None:
    """Its neighbours are left out, so that it has no sample before it."""
    machine, past = Churn(300, 30), Past(most_bytes=60_000)
    were = {}
    for _ in range(120):
        was = machine.sample()
        were[was.monotonic_s] = was
        past.append(was)
        assert past.byte_count <= 60_000
    times = past.times_s.tolist()
    assert 10 < len(times) < 60
    for time_s in times:
        again = past.at(time_s)
        assert again is not None
        assert_same_sample(again.sample, were[time_s])
        is_next = time_s - 1 in times
        assert (again.previous is not None) == is_next


@given(st.lists(samples(), min_size=2, max_size=6))
def test_anything_that_a_sample_can_hold_is_kept(drawn: list[tuple[list[Socket], Known]]) -> None:
    """Holders come and go, and so do sockets of any kind."""
    memory, past, were = Memory(), Past(), []
    for number, (sockets, known) in enumerate(drawn):
        holders = {inode: frozenset(pids) for inode, pids in (known.holders or {}).items()}
        processes = {inode: tuple(Process(pid, 1, str(pid)) for pid in sorted(pids)) for inode, pids in holders.items()}
        whereabouts = Whereabouts(owners_of(processes), known.cgroups or {})
        sample = replace(sample_of(sockets, float(number)), whereabouts=whereabouts)
        were.append(remembered(memory, sample))
        past.append(were[-1])
    for was in were:
        again = past.at(was.monotonic_s)
        assert again is not None
        assert_same_sample(again.sample, was)


def test_the_hour_is_covered_and_the_newest_are_there_sample_by_sample() -> None:
    machine, past, interval_s = Churn(60, 12), Past(most_bytes=400_000), 5
    for number in range(900):
        was = machine.sample()
        past.append(replace(was, monotonic_s=float(number * interval_s)))
    times = past.times_s
    ages = times[-1] - times
    assert SPAN_S - 300 < ages[0] <= SPAN_S
    assert (np.diff(times[-12:]) == interval_s).all()
    gaps = np.diff(times)
    assert (gaps <= np.maximum(ages[:-1] * 0.25, 2 * interval_s)).all(), "no gap is wide for its age"
    assert 360_000 < past.byte_count <= 400_000, "what there is is used"


def test_what_is_counted_is_what_it_takes() -> None:
    """With a detail in each sample, and other holders in every one of them: whatever there may be."""
    machine = Churn(500, 60)
    were = []
    for number in range(150):
        was = machine.sample()
        forked = (Process(5000 + number, number, f"worker-{number}", "a command line " * 8),)
        attribution = was.attribution
        assert attribution is not None
        codes = np.where(np.arange(len(attribution.codes)) < 5, len(attribution.groups), attribution.codes)
        attribution = replace(attribution, codes=codes.astype(np.int32), groups=(*attribution.groups, forked))
        info = {f"field_{index}": 10_000 * number + index for index in range(60)}
        were.append(replace(was, attribution=attribution, detail=SocketDetail(KEY, info)))
    past = Past()
    del was, attribution
    gc.collect()
    tracemalloc.start()
    while were:
        past.append(were.pop(0))
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken <= past.byte_count
    assert len(past) == 150


def test_what_is_kept_at_most_is_stated() -> None:
    assert MOST_BYTES == 12 * 2**20


def test_where_a_single_table_would_take_half_of_the_room_nothing_is_kept() -> None:
    past, small = Past(), Churn(10, 1).sample()
    past.append(small)
    rows = np.zeros(400_001, ROW)
    past.append(replace(small, table=SocketTable(rows)))
    assert len(past) == 0
    assert past.byte_count == 0
    assert past.about(1.0) is None
    past.append(small)
    assert len(past) == 1


def test_samples_are_left_out_where_there_are_too_many_sockets_a_second() -> None:
    machine, past = Churn(500, 10), Past()
    for _ in range(8):
        was = machine.sample()
        past.append(replace(was, monotonic_s=was.monotonic_s / 500))
    assert [round(time_s * 500) for time_s in past.times_s.tolist()] == [1, 4, 7]
    again = past.at(past.times_s[1])
    assert again is not None
    assert again.previous is None, "the sample before it was left out"


def test_it_is_known_what_each_sample_was_taken_for() -> None:
    machine, past = Churn(10, 1), Past()
    narrow = request_for(parse_filter(":443"))
    for number in range(4):
        past.append(machine.sample(), narrow if number % 2 else EVERYTHING_PLAIN)
    assert past.times_answering(EVERYTHING_PLAIN).tolist() == [1.0, 3.0]
    assert past.times_answering(narrow).tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_counter_that_came_later_is_not_in_earlier_samples() -> None:
    past = Past()
    base = Churn(3, 0).sample()
    for second, counters in enumerate(({"a": 1}, {"a": 2, "b": 7}, {"b": 8})):
        past.append(replace(base, monotonic_s=float(second), counters=counters))
    assert [past.at(float(second)).sample.counters for second in range(3)] == [{"a": 1}, {"a": 2, "b": 7}, {"b": 8}]  # type: ignore[union-attr] # it is there


def test_numbers_that_are_too_large_do_no_harm() -> None:
    """What the kernel prints is up to 64 bits without a sign, and minus one for none."""
    past = Past()
    base = Churn(3, 0).sample()
    for second in range(3):
        past.append(replace(base, monotonic_s=float(second), counters={"a": 2**64 - 1, "b": -1, "c": second}))
    again = past.at(1.0)
    assert again is not None
    assert again.sample.counters == {"a": 2**63 - 1, "b": -1, "c": 1}
