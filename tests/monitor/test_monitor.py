"""What a single sample cannot tell, without threads."""

import itertools
from dataclasses import replace

from tcptui.model.fields import SortKey, ViewKind
from tcptui.model.sample import Sample
from tcptui.monitor.frame import Frame, build_frame
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tests.monitor.frames import assert_same_frames
from tests.monitor.scripted_source import numbered

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
