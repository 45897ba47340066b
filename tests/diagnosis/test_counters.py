"""Counters over time, by what they mean."""

from hypothesis import given
from hypothesis import strategies as st

from tcptui.diagnosis.counters import COUNTER_GROUPS, CounterPoint, growth_between, moving_counters
from tcptui.diagnosis.course import Course
from tcptui.explain.topics import find_topic
from tests.diagnosis.scenes import at

DROPS, SENT = "TcpExt.ListenDrops", "Tcp.OutSegs"


def points(*values: int, apart_s: float = 1.0) -> list[CounterPoint]:
    return [CounterPoint(number * apart_s, {DROPS: value, SENT: 5}) for number, value in enumerate(values)]


def test_a_counter_has_a_rate_now_over_the_minute_and_since_the_start() -> None:
    (group,) = moving_counters([*points(*range(1000, 1120)), CounterPoint(120, {DROPS: 1139, SENT: 5})])
    (moving,) = group.counters
    assert group.group.id == "listen"
    assert (moving.name, moving.total, moving.since_start) == (DROPS, 1139, 139)
    assert moving.now_per_s == 20
    assert moving.minute_per_s == 79 / 60


def test_what_stands_still_is_left_out_and_one_point_tells_nothing() -> None:
    assert moving_counters(points(7, 7, 7)) == ()
    assert moving_counters(points(7)) == ()


def test_one_that_went_back_is_not_known() -> None:
    growth = growth_between(*points(9, 7))
    assert not growth.knows(DROPS)
    assert growth.of(DROPS) == 0


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=30))
def test_rates_of_what_only_grows_are_never_negative_and_add_up(steps: list[int]) -> None:
    totals = [sum(steps[: number + 1]) for number in range(len(steps))]
    for group in moving_counters(points(*totals)):
        for moving in group.counters:
            assert moving.now_per_s >= 0
            assert moving.minute_per_s >= 0
            assert moving.since_start == totals[-1] - totals[0]


def test_each_counter_is_in_one_group_and_can_be_explained() -> None:
    names = [name for group in COUNTER_GROUPS for name in group.names]
    assert len(names) == len(set(names))
    for name in names:
        if not name.startswith(("softnet.", "conntrack.")):
            assert find_topic(name) == name


def test_the_course_keeps_a_minute_and_the_first() -> None:
    course = Course()
    for second in range(0, 300, 5):
        course.take(at(second, counters={DROPS: second}))
    (group,) = course.moving
    (moving,) = group.counters
    assert (moving.since_start, moving.now_per_s, moving.minute_per_s) == (295, 1, 1)
