"""What a single sample cannot tell, without threads."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tcptui.model.fields import SortKey, ViewKind
from tcptui.model.owners import Owners
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.monitor.frame import Frame, build_frame
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.request import Request, request_for
from tests.monitor.frames import assert_same_columns, assert_same_frames
from tests.monitor.scripted_source import honouring, numbered

PORTS = View(ViewKind.PORTS)
FILTERED = replace(PORTS, filter=parse_filter("port 80"))


SECONDS = itertools.count(1)
"""Time goes on from one sample to the next, whatever their numbers."""


def fed(monitor: Monitor, *numbers: int) -> list[Sample]:
    samples = [replace(numbered(number), monotonic_s=float(next(SECONDS))) for number in numbers]
    for sample in samples:
        monitor.accept(sample)
    return samples


def shown(monitor: Monitor) -> Frame:
    frame = monitor.shown
    assert frame is not None
    return frame


def totals(frame: Frame) -> list[int]:
    return frame.history.counts.sum(axis=1).tolist()


def test_before_the_first_sample_there_is_nothing_to_show() -> None:
    monitor = Monitor(PORTS)
    assert monitor.shown is None
    monitor.show(FILTERED)
    assert monitor.shown is None


def test_the_newest_sample_is_shown_with_what_changed() -> None:
    monitor = Monitor(PORTS)
    first, second = fed(monitor, 2, 5)
    assert_same_frames(shown(monitor), build_frame(PORTS, second, build_frame(PORTS, first)))
    (third,) = fed(monitor, 3)
    assert_same_frames(shown(monitor), build_frame(PORTS, third, build_frame(PORTS, second)))


def test_history_has_every_sample() -> None:
    monitor = Monitor(PORTS)
    samples = fed(monitor, 2, 5, 3)
    assert totals(shown(monitor)) == [2, 5, 3]
    assert shown(monitor).history.monotonic_s.tolist() == [sample.monotonic_s for sample in samples]


def test_a_change_of_view_is_of_the_sample_that_is_shown() -> None:
    monitor = Monitor(PORTS)
    first, second = fed(monitor, 2, 5)
    view = View(ViewKind.CONNECTIONS, sort=SortKey("cookie", descending=True))
    monitor.show(view)
    assert_same_frames(shown(monitor), build_frame(view, second, build_frame(view, first)))


def test_the_history_of_a_filter_begins_with_the_sample_that_it_is_set_on() -> None:
    monitor = Monitor(PORTS)
    fed(monitor, 2, 5)
    monitor.show(FILTERED)
    assert totals(shown(monitor)) == [3]
    fed(monitor, 6, 8)
    assert totals(shown(monitor)) == [3, 3, 4]
    monitor.show(replace(FILTERED, kind=ViewKind.PEERS))
    assert totals(shown(monitor)) == [3, 3, 4]
    monitor.show(PORTS)
    assert totals(shown(monitor)) == [2, 5, 6, 8]
    monitor.show(FILTERED)
    fed(monitor, 4)
    assert totals(shown(monitor)) == [4, 2]


def test_a_filter_set_on_a_frozen_sample_has_a_history_that_begins_there() -> None:
    monitor = Monitor(PORTS)
    fed(monitor, 2, 5)
    monitor.freeze()
    fed(monitor, 8)
    monitor.show(FILTERED)
    assert totals(shown(monitor)) == [3]
    fed(monitor, 6)
    assert totals(shown(monitor)) == [3]
    monitor.thaw()
    assert totals(shown(monitor)) == [3, 3]


def test_a_frozen_monitor_keeps_its_sample_while_history_goes_on() -> None:
    """The history beside it ends with it; what came meanwhile is there afterwards."""
    monitor = Monitor(PORTS)
    first, second = fed(monitor, 2, 5)
    monitor.freeze()
    fed(monitor, 7, 9)
    assert_same_frames(shown(monitor), build_frame(PORTS, second, build_frame(PORTS, first)))
    assert totals(shown(monitor)) == [2, 5]
    monitor.thaw()
    assert totals(shown(monitor)) == [2, 5, 7, 9]


def test_a_frozen_sample_can_be_looked_at_in_another_view() -> None:
    monitor = Monitor(PORTS)
    first, second = fed(monitor, 2, 5)
    monitor.freeze()
    fed(monitor, 7)
    monitor.show(FILTERED)
    assert_same_frames(shown(monitor), build_frame(FILTERED, second, build_frame(FILTERED, first)))


def test_thawing_shows_the_newest_in_the_view_asked_for_meanwhile() -> None:
    monitor = Monitor(PORTS)
    fed(monitor, 2, 5)
    monitor.freeze()
    third, fourth = fed(monitor, 7, 9)
    monitor.show(FILTERED)
    monitor.thaw()
    assert_same_frames(shown(monitor), build_frame(FILTERED, fourth, build_frame(FILTERED, third)))


def test_thawing_what_is_not_frozen_changes_nothing() -> None:
    monitor = Monitor(PORTS)
    fed(monitor, 2)
    monitor.thaw()
    assert shown(monitor).total == 2


def test_freezing_twice_keeps_the_sample_of_the_first_time() -> None:
    monitor = Monitor(PORTS)
    fed(monitor, 2)
    monitor.freeze()
    fed(monitor, 5)
    monitor.thaw()
    monitor.freeze()
    fed(monitor, 7)
    assert shown(monitor).total == 5


def test_a_monitor_that_was_frozen_before_the_first_sample_shows_that_one() -> None:
    """A key pressed while the first sample is on its way; the header says that the screen is paused."""
    monitor = Monitor(PORTS)
    monitor.freeze()
    fed(monitor, 2)
    assert shown(monitor).total == 2
    fed(monitor, 5)
    assert shown(monitor).total == 2


# -- Samples that have what a filter means, and not all ----------------------------------------------------------------

ON_80, ON_81 = FILTERED, replace(PORTS, filter=parse_filter("port 81"))
ON_80_ESTABLISHED = replace(PORTS, filter=parse_filter("port 80 and state established"))
CLOSE_WAITING = replace(PORTS, filter=parse_filter("state close-wait"))


def taken(number: int, view: View = PORTS) -> tuple[Sample, Request]:
    """A sample of so many sockets as a source gives it for a view, with what it was asked for."""
    request = request_for(view.filter)
    sample = replace(numbered(number), monotonic_s=float(next(SECONDS)))
    return honouring(request, sample), request


def test_a_narrowed_sample_shows_what_a_whole_one_would() -> None:
    narrowed, whole = Monitor(ON_80), Monitor(ON_80)
    for number in (4, 9):
        narrowed.accept(*taken(number, ON_80))
        whole.accept(*taken(number))
    one, other = shown(narrowed), shown(whole)
    assert len(one.sample.table) < len(other.sample.table)
    assert one.total == other.total == 5
    assert_same_columns(one.grid.columns, other.grid.columns)
    assert one.state_change(TcpState.ESTABLISHED) == other.state_change(TcpState.ESTABLISHED) == 3
    assert one.transitions is not None
    assert one.transitions.opened.sum() == 3
    assert totals(one) == totals(other) == [2, 5]


def test_a_filter_within_the_present_one_is_answered_from_a_narrowed_sample() -> None:
    monitor = Monitor(ON_80)
    monitor.accept(*taken(4, ON_80))
    monitor.accept(*taken(9, ON_80))
    assert monitor.covers(request_for(ON_80_ESTABLISHED.filter))
    monitor.show(ON_80_ESTABLISHED)
    assert shown(monitor).view == ON_80_ESTABLISHED
    assert (shown(monitor).total, shown(monitor).state_change(TcpState.ESTABLISHED)) == (5, 3)
    assert not monitor.is_behind


@pytest.mark.parametrize("view", [PORTS, ON_81], ids=["no filter", "another filter"])
def test_a_view_that_the_sample_does_not_answer_waits_for_one_that_does(view: View) -> None:
    monitor = Monitor(ON_80)
    monitor.accept(*taken(4, ON_80))
    before = shown(monitor)
    monitor.show(view)
    assert not monitor.covers(request_for(view.filter))
    assert_same_frames(shown(monitor), before)
    assert totals(shown(monitor)) == totals(before) == [2]
    assert monitor.is_behind
    monitor.accept(*taken(9, ON_80))
    assert_same_frames(shown(monitor), before)
    sample, request = taken(6, view)
    monitor.accept(sample, request)
    assert_same_frames(shown(monitor), build_frame(view, sample))
    assert shown(monitor).previous is None
    assert not monitor.is_behind


def test_a_sample_that_lacks_what_a_filter_needs_is_not_shown_for_it() -> None:
    by_process = replace(PORTS, filter=parse_filter("process nginx"))
    monitor = Monitor(PORTS)
    monitor.accept(*taken(4))
    monitor.show(by_process)
    assert shown(monitor).view == PORTS
    owners = Owners(np.zeros(0, np.uint32), np.zeros(0, np.int32), {})
    sample, request = taken(4, by_process)
    monitor.accept(replace(sample, owners=owners), request)
    assert (shown(monitor).view, shown(monitor).total) == (by_process, 0)


def test_a_sample_that_has_more_than_was_asked_for_answers_what_that_decides() -> None:
    """As a demo gives it, which knows all processes anyway."""
    owners = Owners(np.array([7], np.uint32), np.array([1], np.int32), {1: "nginx"})
    monitor = Monitor(PORTS)
    monitor.accept(replace(numbered(4), owners=owners, cgroups={}))
    for text in ("process nginx", "service nginx"):
        view = replace(PORTS, filter=parse_filter(text))
        assert monitor.covers(request_for(view.filter))
        monitor.show(view)
        assert (shown(monitor).view, shown(monitor).total) == (view, 0)


def test_a_sample_that_is_whole_although_less_was_asked_for_answers_everything() -> None:
    """As /proc gives it."""
    monitor = Monitor(ON_80)
    monitor.accept(numbered(4), request_for(ON_80.filter))
    monitor.show(PORTS)
    assert (shown(monitor).view, shown(monitor).total) == (PORTS, 4)
    assert totals(shown(monitor)) == [4]


def test_a_whole_sample_after_a_narrowed_one_has_nothing_before_it_that_a_wider_view_could_be_compared_with() -> None:
    """Else every socket that the narrowed one left out would have been opened since."""
    monitor = Monitor(ON_80)
    monitor.accept(*taken(4, ON_80))
    monitor.accept(*taken(9))
    assert shown(monitor).state_change(TcpState.ESTABLISHED) == 3
    for view in (ON_81, PORTS, ON_80):
        monitor.show(view)
        assert shown(monitor).view == view
        assert shown(monitor).previous is None
        assert shown(monitor).transitions is None
        assert shown(monitor).state_change(TcpState.ESTABLISHED) is None
    monitor.accept(*taken(10))
    assert shown(monitor).state_change(TcpState.ESTABLISHED) == 0


def test_a_change_is_told_of_narrowed_samples_between_whole_ones() -> None:
    monitor = Monitor(ON_80)
    for number, view, change in ((4, PORTS, None), (6, ON_80, 1), (8, ON_80, 1), (4, PORTS, -2)):
        monitor.accept(*taken(number, view))
        assert shown(monitor).state_change(TcpState.ESTABLISHED) == change


def test_history_without_a_filter_has_no_narrowed_sample_and_history_with_it_has_all() -> None:
    monitor = Monitor(ON_80)
    for number, view in ((4, PORTS), (6, ON_80), (8, ON_80), (10, PORTS)):
        monitor.accept(*taken(number, view))
    assert totals(shown(monitor)) == [2, 3, 4, 5]
    monitor.show(PORTS)
    assert totals(shown(monitor)) == [4, 10]


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("port 80", True),
        ("port 80 and recvq >= 0", True),
        ("state close-wait or established", False),
        ("port 80 and not state time-wait", False),
        ("( src inet:* and state established ) or src inet6:*", False),
        ("src inet:* and port 80", True),
    ],
)
def test_what_became_of_sockets_is_told_unless_the_kernel_leaves_out_states(text: str, is_told: bool) -> None:  # noqa: FBT001 - a case
    """A socket that changes its state would else seem to be closed."""
    view = replace(PORTS, filter=parse_filter(text))
    monitor = Monitor(view)
    monitor.accept(*taken(4, view))
    monitor.accept(*taken(9, view))
    assert (shown(monitor).transitions is not None) == is_told
    assert shown(monitor).previous is not None
    monitor.show(replace(view, kind=ViewKind.PEERS))
    assert (shown(monitor).transitions is not None) == is_told


def test_of_whole_samples_it_is_told_for_a_filter_by_state_too() -> None:
    monitor = Monitor(CLOSE_WAITING)
    monitor.accept(*taken(4))
    monitor.accept(*taken(9))
    assert shown(monitor).transitions is not None
    for number, view, is_told in ((9, CLOSE_WAITING, False), (9, PORTS, False), (4, PORTS, True)):
        monitor.accept(*taken(number, view))
        assert (shown(monitor).transitions is not None) == is_told


def test_a_frozen_sample_that_does_not_answer_a_view_stays_as_it_is() -> None:
    """With the history that goes with it; going on shows what was asked for meanwhile."""
    monitor = Monitor(ON_80)
    monitor.accept(*taken(4, ON_80))
    monitor.accept(*taken(6, ON_80))
    monitor.freeze()
    before = shown(monitor)
    monitor.show(ON_81)
    monitor.accept(*taken(8, ON_81))
    assert_same_frames(shown(monitor), before)
    assert totals(shown(monitor)) == [2, 3]
    assert monitor.is_behind
    monitor.thaw()
    assert (shown(monitor).view, shown(monitor).total) == (ON_81, 4)
    assert totals(shown(monitor)) == [4]
    assert not monitor.is_behind


def test_history_begins_with_the_newest_sample_where_the_frozen_one_does_not_answer() -> None:
    monitor = Monitor(ON_80)
    monitor.accept(*taken(4, ON_80))
    monitor.freeze()
    monitor.accept(*taken(9))
    monitor.show(ON_81)
    assert totals(shown(monitor)) == [2]
    monitor.thaw()
    assert totals(shown(monitor)) == [4]


def test_going_back_to_the_filter_of_a_frozen_sample_shows_it_in_the_view_asked_for() -> None:
    monitor = Monitor(ON_80)
    monitor.accept(*taken(4, ON_80))
    monitor.freeze()
    monitor.show(PORTS)
    monitor.show(replace(ON_80, kind=ViewKind.PEERS))
    assert shown(monitor).view == replace(ON_80, kind=ViewKind.PEERS)
    assert shown(monitor).total == 2


def test_samples_know_how_long_sockets_have_been_in_their_states() -> None:
    """Those that a narrowed sample left out as well."""
    monitor = Monitor(PORTS)
    (first, request), (narrowed, _), (last, _) = taken(2), taken(2, ON_80), taken(3)
    waited_ms = round((last.monotonic_s - first.monotonic_s) * 1000)
    monitor.accept(first, request)
    monitor.accept(narrowed, request_for(ON_80.filter))
    monitor.accept(last, request)
    ages = shown(monitor).sample.age_ms
    assert ages is not None
    assert ages.tolist() == [waited_ms, waited_ms, 0]
    monitor.show(replace(PORTS, filter=parse_filter(f"age >= {waited_ms}ms")))
    assert shown(monitor).total == 2
    assert shown(monitor).degraded == ()
