"""Back through the samples that are over, and forth again: each is shown as it was."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.fields import INFO_FIELDS, SortKey, ViewKind
from tcptui.model.sample import Destroyed, Sample
from tcptui.model.states import DISPLAY_ORDER, TcpState
from tcptui.monitor.frame import Frame
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.steps import NEWEST, OLDEST, Step, target
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, Need, Request
from tcptui.sources.demo import DemoSource
from tests.model.held import JAVA, NGINX_PATH, WORKER, whereabouts_of
from tests.model.random_tables import PORTS as SOME_PORTS
from tests.model.random_tables import Socket, sample_of, sockets
from tests.monitor.frames import assert_same_transitions
from tests.monitor.scripted_source import Announcements, ScriptedSource, honouring
from tests.monitor.test_presenter import LONG_S, presenting
from tests.monitor.test_watch import KEY, OTHER, SERVED, sample_with

MOST_ROWS = 500
BACK, ON = Step(moments=-1), Step(moments=1)
PORTS, CONNECTIONS, PROCESSES = View(ViewKind.PORTS), View(ViewKind.CONNECTIONS), View(ViewKind.PROCESSES)
ON_443 = replace(PORTS, filter=parse_filter(":443"))


def shown(monitor: Monitor) -> Frame:
    frame = monitor.shown
    assert frame is not None
    return frame


def cells(frame: Frame) -> list[list[str]]:
    """The table as a person sees it, but for the trend and what was not asked for; where nothing orders it, sorted.

    Of a large one some rows, the same of every moment.
    """
    fields = [field for field in frame.fields if field.id not in {"trend", *INFO_FIELDS}]
    step = max(len(frame.order) // MOST_ROWS, 1)
    order = frame.order[frame.grid.identities[0][frame.order] % step == 0]
    rows = [[frame.grid.human(row, field) for field in fields] for row in order.tolist()]
    return rows if frame.view.effective_sort else sorted(rows)


def assert_looks_like(one: Frame, other: Frame) -> None:
    """The same to whoever looks at states and table."""
    assert one.sample.taken_at == other.sample.taken_at
    assert one.sample.counters == other.sample.counters
    assert one.sample.parameters == other.sample.parameters
    assert one.total == other.total
    for state in DISPLAY_ORDER:
        assert (one.state_count(state), one.state_change(state)) == (
            other.state_count(state),
            other.state_change(state),
        )
    assert cells(one) == cells(other)
    assert one.history.counts.tolist() == other.history.counts.tolist()
    assert (one.transitions is None) == (other.transitions is None)
    if one.transitions is not None and other.transitions is not None:
        assert_same_transitions(one.transitions, other.transitions)


@pytest.mark.parametrize("kind", ViewKind)
@pytest.mark.parametrize("scene", ["calm", "timewait"])
def test_each_sample_is_shown_again_as_it_was(scene: str, kind: ViewKind) -> None:
    source, monitor = DemoSource(scene), Monitor(View(kind))
    were = []
    for _ in range(5):
        monitor.accept(source.sample())
        were.append(shown(monitor))
    monitor.freeze()
    for was in reversed(were[:-1]):
        monitor.step([BACK])
        assert_looks_like(shown(monitor), was)
    monitor.step([BACK])
    assert shown(monitor).sample.taken_at == were[0].sample.taken_at
    for was in were[1:]:
        monitor.step([ON])
        assert_looks_like(shown(monitor), was)


kinds = st.sampled_from([kind for kind in ViewKind if kind is not ViewKind.LISTENERS])
"""But for the one in which it matters which of several listeners at one address comes first in the table."""


@given(st.lists(sockets, min_size=2, max_size=6), kinds, st.data())
def test_any_moment_looks_as_it_did(tables: list[list[Socket]], kind: ViewKind, data: st.DataObject) -> None:
    monitor, were = Monitor(View(kind)), []
    for number, table in enumerate(tables):
        monitor.accept(sample_of(table, float(number)))
        were.append(shown(monitor))
    for _ in range(4):
        number = data.draw(st.integers(0, len(tables) - 1))
        monitor.step([Step(to_s=float(number))])
        again = shown(monitor)
        assert again.sample.monotonic_s == number
        assert cells(again) == cells(were[number])
        assert again.sample.table.state_counts().tolist() == were[number].sample.table.state_counts().tolist()


@given(st.lists(sockets, min_size=3, max_size=5), st.sampled_from(SOME_PORTS), kinds)
def test_another_view_or_filter_is_of_the_moment_that_is_shown(
    tables: list[list[Socket]], port: int, kind: ViewKind
) -> None:
    view = View(kind, parse_filter(f"port {port}"), SortKey("total", descending=False))
    gone_back, never_left = Monitor(PORTS), Monitor(view)
    for number, table in enumerate(tables):
        gone_back.accept(sample_of(table, float(number)))
        if number < len(tables) - 1:
            never_left.accept(sample_of(table, float(number)))
    gone_back.step([BACK])
    gone_back.show(view)
    assert not gone_back.is_behind
    again, was = shown(gone_back), shown(never_left)
    assert cells(again) == cells(was)
    assert [again.state_count(state) for state in TcpState] == [was.state_count(state) for state in TcpState]
    assert [again.state_change(state) for state in TcpState] == [was.state_change(state) for state in TcpState]
    gone_back.thaw()
    assert shown(gone_back).sample.monotonic_s == len(tables) - 1
    assert shown(gone_back).view == view


# -- What is known beside the rows -------------------------------------------------------------------------------------


def test_timers_and_ages_are_those_of_the_moment() -> None:
    monitor = Monitor(CONNECTIONS)
    for second in range(4):
        closing = Socket(TcpState.TIME_WAIT, timer=3, timer_ms=60_000 - second * 1000 + second, cookie=5)
        monitor.accept(sample_of([Socket(cookie=4), closing], 100.0 + second))
    monitor.step([BACK, BACK])
    sample = shown(monitor).sample
    assert sample.age_ms is not None
    assert sample.age_ms.tolist() == [1000, 1000]
    timers = dict(zip(sample.table.rows["cookie"].tolist(), sample.table.rows["timer_ms"].tolist(), strict=True))
    assert timers[4] == 0
    assert abs(timers[5] - 59_001) <= 100


def test_who_holds_sockets_and_who_has_exited_is_told_as_it_was_known_then() -> None:
    held, nginx = Socket(inode=7, cookie=1), whereabouts_of({7: (WORKER,)}, cgroups={20: NGINX_PATH})
    monitor = Monitor(PROCESSES)
    monitor.accept(sample_of([held], 1.0))
    monitor.learn(nginx)
    monitor.accept(replace(sample_of([held], 2.0), whereabouts=nginx))
    monitor.accept(replace(sample_of([Socket(inode=8, cookie=2)], 3.0), whereabouts=whereabouts_of({8: (JAVA,)})))
    monitor.accept(replace(sample_of([Socket(inode=8, cookie=2)], 4.0), whereabouts=whereabouts_of({8: (JAVA,)})))
    processes = {}
    for time_s in (1.0, 2.0, 3.0):
        monitor.step([Step(to_s=time_s)])
        frame = shown(monitor)
        processes[time_s] = [frame.grid.human(row, PROCESSES.kind.key) for row in frame.order.tolist()]
    assert processes == {1.0: ["nginx"], 2.0: ["nginx"], 3.0: ["java"]}


def test_brief_connections_are_told_of_the_moment_in_which_they_were_counted() -> None:
    monitor = Monitor(PORTS)
    for second in range(4):
        gone = sample_of([Socket(TcpState.CLOSE, cookie=100 + second, remote_port=second + 1)])
        monitor.accept(replace(sample_of([SERVED], float(second)), destroyed=Destroyed(gone.table.rows)))
    monitor.accept(sample_of([SERVED], 4.0))
    assert shown(monitor).transitions is not None
    monitor.step([Step(to_s=2.0)])
    moves = shown(monitor).transitions
    assert moves is not None
    assert moves.brief == 1


def test_a_connection_is_followed_into_the_past() -> None:
    view = replace(CONNECTIONS, watched=KEY)
    monitor = Monitor(view)
    request = view.request.of_sockets
    for second in range(5):
        there = [OTHER] if second == 0 else [OTHER, replace(SERVED, recv_queue=second)]
        sample = sample_with(there, float(second), {"rtt": 1000 + second})
        monitor.accept(sample if second else replace(sample, detail=None), request)
    monitor.step([Step(to_s=2.0)])
    watch = shown(monitor).watch
    assert watch is not None
    assert watch.detail is not None
    assert watch.detail.info == {"rtt": 1002}
    assert watch.is_past
    assert {len(series) for series in watch.series.values()} == {2}
    monitor.step([OLDEST])
    watch = shown(monitor).watch
    assert watch is not None
    assert (watch.row, watch.state, watch.gone_since_s) == (None, None, None)


def test_a_connection_can_be_opened_in_the_past_and_shows_what_its_row_tells() -> None:
    monitor = Monitor(CONNECTIONS)
    for second in range(3):
        monitor.accept(sample_of([SERVED], float(second)))
    monitor.step([BACK])
    monitor.show(replace(CONNECTIONS, watched=KEY))
    assert not monitor.is_behind
    watch = shown(monitor).watch
    assert watch is not None
    assert (watch.row, watch.state, watch.detail) == (0, TcpState.ESTABLISHED, None)


def test_what_a_sample_was_not_taken_for_is_not_known_of_it() -> None:
    """Rather than nothing, as the bare row has it."""
    monitor = Monitor(CONNECTIONS)
    with_info = Request(needs=frozenset({Need.TCP_INFO}))
    monitor.accept(sample_of([SERVED], 0.0))
    monitor.accept(sample_of([SERVED], 1.0), with_info)
    monitor.accept(sample_of([SERVED], 2.0), with_info)
    monitor.show(replace(CONNECTIONS, shows_info=True))
    monitor.step([BACK])
    assert not shown(monitor).grid.absent & INFO_FIELDS
    monitor.step([BACK])
    assert shown(monitor).grid.absent >= INFO_FIELDS


# -- What can be gone to -----------------------------------------------------------------------------------------------


def test_the_clock_says_how_long_ago_it_was_while_samples_go_on() -> None:
    monitor = Monitor(PORTS)
    assert shown_after(monitor, 3).retrospect is None
    monitor.step([BACK])
    assert ago_s(monitor) == 1.0
    monitor.accept(sample_of([SERVED], 7.0))
    assert ago_s(monitor) == 6.0
    monitor.step([BACK])
    assert ago_s(monitor) == 7.0
    monitor.thaw()
    assert shown(monitor).retrospect is None


def shown_after(monitor: Monitor, samples: int) -> Frame:
    for second in range(samples):
        monitor.accept(sample_of([SERVED, *([OTHER] if second % 2 else [])], float(second)))
    return shown(monitor)


def ago_s(monitor: Monitor) -> float:
    retrospect = shown(monitor).retrospect
    assert retrospect is not None
    return retrospect.ago_s


def test_one_goes_on_to_what_has_come_meanwhile() -> None:
    monitor = Monitor(PORTS)
    shown_after(monitor, 3)
    monitor.freeze()
    monitor.accept(sample_of([OTHER], 3.0))
    monitor.accept(sample_of([OTHER], 4.0))
    assert shown(monitor).sample.monotonic_s == 2.0
    assert shown(monitor).course.monotonic_s[-1] == 2.0
    monitor.step([ON])
    assert shown(monitor).sample.monotonic_s == 3.0
    assert shown(monitor).course.monotonic_s[-1] == 4.0
    assert shown(monitor).history.monotonic_s[-1] == 3.0
    monitor.step([ON, ON, ON])
    assert shown(monitor).sample.monotonic_s == 4.0
    assert shown(monitor).retrospect is not None


@pytest.mark.parametrize("lead", [lambda _: None, lambda monitor: monitor.freeze()])
def test_steps_before_the_first_sample_freeze_and_lead_nowhere(lead: Callable[[Monitor], None]) -> None:
    monitor = Monitor(PORTS)
    lead(monitor)
    monitor.step([BACK, OLDEST])
    assert monitor.shown is None
    assert shown_after(monitor, 2).sample.monotonic_s == 0.0


def test_moments_that_were_narrowed_to_other_sockets_are_passed_over() -> None:
    monitor, narrow = Monitor(ON_443), ON_443.request.of_sockets
    monitor.accept(sample_of([SERVED], 0.0))
    monitor.accept(honouring(narrow, sample_of([SERVED], 1.0)), narrow)
    monitor.show(PORTS)
    for second in (2.0, 3.0):
        monitor.accept(sample_of([SERVED], second))
    monitor.step([BACK])
    assert shown(monitor).sample.monotonic_s == 2.0
    monitor.step([BACK])
    assert shown(monitor).sample.monotonic_s == 0.0
    monitor.step([ON])
    assert shown(monitor).sample.monotonic_s == 2.0
    monitor.show(ON_443)
    monitor.step([BACK])
    assert shown(monitor).sample.monotonic_s == 1.0
    monitor.show(PORTS)
    assert monitor.is_behind


def large(second: float, count: int = 120_000) -> Sample:
    """At one a second of these some are left out."""
    model = sample_of([SERVED], second)
    rows = np.repeat(model.table.rows, count)
    rows["cookie"] = np.arange(1, count + 1)
    rows["state"][: int(second)] = TcpState.CLOSE_WAIT
    return replace(model, table=replace(model.table, rows=rows))


def test_a_moment_whose_rows_are_not_kept_is_shown_by_its_counts_alone() -> None:
    monitor = Monitor(PORTS)
    for second in range(6):
        monitor.accept(large(float(second)))
    monitor.step([Step(to_s=1.0)])
    frame = shown(monitor)
    assert (frame.sample.monotonic_s, len(frame.order)) == (1.0, 0)
    assert frame.state_count(TcpState.CLOSE_WAIT) == 1
    assert frame.state_change(TcpState.CLOSE_WAIT) == 1
    assert frame.total == 120_000
    retrospect = frame.retrospect
    assert retrospect is not None
    assert not retrospect.has_rows
    assert [each and (each - frame.sample.taken_at).total_seconds() for each in retrospect.nearest] == [-1.0, 1.0]
    for kind in ViewKind:
        monitor.show(View(kind))
        assert shown(monitor).state_count(TcpState.CLOSE_WAIT) == 1
        assert not shown(monitor).sample.table.rows.size
    monitor.show(ON_443)
    assert shown(monitor).total == 120_000
    assert shown(monitor).sample.monotonic_s in (0.0, 2.0)
    monitor.show(PORTS)
    monitor.step([Step(to_s=1.0, within_s=2.0)])
    assert shown(monitor).sample.monotonic_s in (0.0, 2.0)


# -- Where a step leads ------------------------------------------------------------------------------------------------

times = st.lists(st.integers(0, 40), unique=True, max_size=12).map(lambda each: np.array(sorted(each), np.float64))


@given(times, times, st.floats(-5, 45), st.integers(-4, 4).filter(bool))
def test_by_moments_one_goes_through_those_whose_rows_are_kept(
    kept_s: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    counted_s: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    now_s: float,
    moments: int,
) -> None:
    reached = target(now_s, Step(moments=moments), kept_s, counted_s)
    ahead = [time_s for time_s in kept_s.tolist() if (time_s > now_s if moments > 0 else time_s < now_s)]
    way = ahead if moments > 0 else ahead[::-1]
    assert reached == (way[: abs(moments)][-1] if way else now_s)


@given(times, st.floats(-5, 45), st.floats(-30, 30).filter(bool))
def test_by_seconds_one_always_comes_further(
    kept_s: "np.ndarray[tuple[int], np.dtype[np.float64]]", now_s: float, seconds: float
) -> None:
    reached = target(now_s, Step(seconds=seconds), kept_s, kept_s)
    ahead = [time_s for time_s in kept_s.tolist() if (time_s > now_s if seconds > 0 else time_s < now_s)]
    if not ahead:
        assert reached == now_s
        return
    assert reached in ahead
    assert abs(reached - now_s - seconds) == min(abs(time_s - now_s - seconds) for time_s in ahead)


@given(times, times, st.floats(-5, 45), st.floats(0, 9))
def test_to_a_time_one_goes_where_rows_are_or_as_near_as_may_be(
    kept_s: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    counted_s: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    to_s: float,
    within_s: float,
) -> None:
    reached = target(99.0, Step(to_s=to_s, within_s=within_s), kept_s, counted_s)
    if not len(kept_s):
        assert reached == 99.0
        return
    distances = [abs(time_s - to_s) for time_s in kept_s.tolist()]
    if min(distances) <= within_s:
        assert reached in kept_s
        assert abs(reached - to_s) == min(distances)
    else:
        assert abs(reached - to_s) == min(*distances, *(abs(time_s - to_s) for time_s in counted_s.tolist()), math.inf)
    assert target(99.0, OLDEST, kept_s, counted_s) == kept_s[0]
    assert target(99.0, NEWEST, kept_s, counted_s) == kept_s[-1]


# -- Through the presenter ---------------------------------------------------------------------------------------------


def at_s(announcements: Announcements, time_s: float, *, is_paused: bool = True) -> Frame:
    """The first frame of a moment."""
    found = announcements.wait_until(
        lambda each: each.frame is not None and each.frame.sample.monotonic_s == time_s and each.is_paused is is_paused
    )
    assert found.frame is not None
    return found.frame


def five_samples(number: int) -> Sample:
    if number > 5:
        return replace(sample_of([SERVED], 5.0), monotonic_s=5.0)
    return sample_of([SERVED, *([OTHER] if number % 2 else [])], float(number))


def test_steps_that_come_in_a_burst_add_up() -> None:
    with presenting(ScriptedSource(five_samples), 0.01) as (presenter, announcements):
        at_s(announcements, 5.0, is_paused=False)
        presenter.pause(True)
        for _ in range(3):
            presenter.step(BACK)
        assert at_s(announcements, 2.0).total == 1
        presenter.step(Step(moments=2))
        presenter.step(BACK)
        assert at_s(announcements, 3.0).total == 2
        presenter.show(CONNECTIONS)
        found = announcements.wait_until(lambda each: each.frame is not None and each.frame.view == CONNECTIONS)
        assert found.frame is not None
        assert found.frame.sample.monotonic_s == 3.0
        presenter.step(OLDEST)
        at_s(announcements, 1.0)
        presenter.pause(False)
        assert at_s(announcements, 5.0, is_paused=False).retrospect is None


def test_going_on_forgets_steps_that_nobody_has_taken() -> None:
    with presenting(ScriptedSource(five_samples), LONG_S) as (presenter, announcements):
        announcements.first_frame()
        presenter.step(BACK)
        presenter.pause(False)
        presenter.show(CONNECTIONS)
        found = announcements.wait_until(lambda each: each.frame is not None and each.frame.view == CONNECTIONS)
        assert not found.is_paused


def test_everything_is_still_sampled_for_the_view() -> None:
    source = ScriptedSource(five_samples)
    with presenting(source, 0.01) as (presenter, announcements):
        at_s(announcements, 5.0, is_paused=False)
        presenter.step(BACK)
        at_s(announcements, 4.0)
        source.await_taken(source.taken + 3)
    assert source.requests[-1] == EVERYTHING_PLAIN
