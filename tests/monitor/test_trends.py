"""The course of each row's total, and what is said of a row that has moved."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.fields import FIELDS, TREND_COLUMNS, SortKey, ViewKind
from tcptui.model.sample import Sample
from tcptui.monitor.frame import Frame, Movement, build_frame
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.trends import BUCKET_S
from tcptui.monitor.view import View
from tests.model.random_tables import Socket, sample_of

PORTS = View(ViewKind.PORTS)


def sample_at(monotonic_s: float, counts: dict[int, int]) -> Sample:
    """``counts`` connections at each port."""
    ports = [port for port, count in counts.items() for _ in range(count)]
    sockets = [Socket(local_port=port, cookie=number) for number, port in enumerate(ports, start=1)]
    return replace(sample_of(sockets), monotonic_s=monotonic_s)


def fed(samples: list[Sample], view: View = PORTS) -> Monitor:
    monitor = Monitor(view)
    for sample in samples:
        monitor.accept(sample)
    return monitor


def frame_of(monitor: Monitor) -> Frame:
    assert monitor.shown is not None
    return monitor.shown


def row_of(frame: Frame, port: int) -> int:
    return int(np.flatnonzero(frame.grid.columns["port"][0] == port)[0])


def course(frame: Frame, port: int) -> list[int]:
    """Oldest first."""
    row = row_of(frame, port)
    return [int(part[row]) for part in frame.grid.columns["trend"]][::-1]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40))
def test_the_trend_has_the_peaks_of_whole_stretches(steps: list[tuple[int, int, int]]) -> None:
    times = np.cumsum([step for step, _, _ in steps])
    samples = [sample_at(float(time), {22: one + 1, 80: two}) for time, (_, one, two) in zip(times, steps, strict=True)]
    frame = frame_of(fed(samples))
    of_time: dict[int, list[int]] = {}
    for time, (_, one, _) in zip(times, steps, strict=True):
        of_time.setdefault(int(time // BUCKET_S), []).append(one + 1)
    now = int(times[-1] // BUCKET_S)
    expected = [max(of_time.get(now - back, [-1])) for back in range(TREND_COLUMNS, 0, -1)]
    assert course(frame, 22) == expected


def test_a_row_that_comes_and_goes() -> None:
    samples = [sample_at(float(time), {22: 2, 80: 7} if time >= 12 else {22: 2}) for time in range(20)]
    assert course(frame_of(fed(samples)), 80)[-3:] == [0, 0, 7]
    assert course(frame_of(fed(samples)), 22)[-4:] == [-1, 2, 2, 2]


def test_no_trend_without_rows_of_groups() -> None:
    frame = frame_of(fed([sample_at(float(time), {22: 2}) for time in range(20)], View(ViewKind.CONNECTIONS)))
    assert "trend" not in frame.grid.columns


def test_another_filter_or_view_begins_anew() -> None:
    monitor = fed([sample_at(float(time), {22: 2}) for time in range(20)])
    monitor.show(View(ViewKind.PEERS))
    assert "trend" not in frame_of(monitor).grid.columns
    monitor.accept(sample_at(21.0, {22: 2}))
    assert FIELDS["trend"] in frame_of(monitor).fields


def test_the_trend_of_a_frozen_frame_ends_there() -> None:
    monitor = fed([sample_at(float(time), {22: 2}) for time in range(10)])
    monitor.freeze()
    for time in range(10, 30):
        monitor.accept(sample_at(float(time), {22: 9}))
    assert course(frame_of(monitor), 22)[-2:] == [-1, 2]


def test_the_rows_can_be_ordered_by_it() -> None:
    view = replace(PORTS, sort=SortKey("trend", descending=True))
    frame = frame_of(fed([sample_at(float(time), {22: 2, 80: 5 if time < 10 else 1}) for time in range(12)], view))
    assert [int(port) for port in frame.grid.columns["port"][0][frame.order]] == [80, 22]


def test_what_rows_have_gone_through() -> None:
    early, later = {22: 2, 80: 40, 443: 40, 8080: 40}, {22: 2, 80: 43, 443: 45, 8080: 30, 9000: 1}
    samples = [sample_at(float(time), early if time < 10 else later) for time in range(12)]
    frame = frame_of(fed(samples))
    moved = {port: frame.movement(row_of(frame, port)) for port in later}
    assert moved == {22: None, 80: None, 443: Movement.GROWS, 8080: Movement.SHRINKS, 9000: Movement.NEW}


def test_nothing_has_moved_in_the_first_seconds() -> None:
    frame = frame_of(fed([sample_at(float(time), {22: 10 * time + 1}) for time in range(4)]))
    assert frame.movement(row_of(frame, 22)) is None


def test_a_connection_is_new_for_some_seconds() -> None:
    view = View(ViewKind.CONNECTIONS)
    monitor = fed([sample_at(0.0, {22: 1}), sample_at(1.0, {22: 2}), sample_at(4.0, {22: 2})], view)
    frame = frame_of(monitor)
    assert [frame.movement(row) for row in range(2)] == [None, Movement.NEW]
    monitor.accept(sample_at(8.0, {22: 2}))
    frame = frame_of(monitor)
    assert [frame.movement(row) for row in range(2)] == [None, None]


def test_a_frame_without_a_monitor_tells_nothing() -> None:
    frame = build_frame(PORTS, sample_at(0.0, {22: 1}))
    assert frame.movement(0) is None
