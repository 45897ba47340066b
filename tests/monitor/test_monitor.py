"""What a single sample cannot tell, without threads."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tcptui.analysis.attribution import attributed
from tcptui.model.detail import SocketKey
from tcptui.model.fields import FIELDS, INFO_FIELDS, SortKey, ViewKind
from tcptui.model.owners import Standing
from tcptui.model.sample import Destroyed, Sample
from tcptui.model.states import TcpState
from tcptui.monitor.frame import Frame, build_frame
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.steps import Step
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.request import Need, Request, request_for
from tcptui.sources.demo import DemoSource
from tests.model.held import JAVA, NGINX_PATH, WORKER, whereabouts_of
from tests.model.random_tables import Socket, sample_of
from tests.monitor.frames import assert_same_columns, assert_same_frames, assert_same_grids
from tests.monitor.scripted_source import honouring, numbered

PORTS = View(ViewKind.PORTS)
FILTERED = replace(PORTS, filter=parse_filter("port 80"))


BACK = Step(moments=-1)

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
    seen = shown(monitor).sample
    second = replace(attributed(second), age_ms=seen.age_ms, is_watched=seen.is_watched)
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
    # Nothing more can be asked for, so what was not asked for is not known.
    second = replace(second, absent_fields=INFO_FIELDS)
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
    request = view.request.of_sockets
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


BY_MARK = replace(PORTS, filter=parse_filter("fwmark = 1"))


def test_a_sample_that_lacks_what_a_filter_needs_is_not_shown_for_it() -> None:
    monitor = Monitor(PORTS)
    monitor.accept(*taken(4))
    monitor.show(BY_MARK)
    assert shown(monitor).view == PORTS
    assert monitor.is_behind
    monitor.accept(*taken(4))
    assert shown(monitor).view == PORTS
    monitor.accept(*taken(4, BY_MARK))
    assert (shown(monitor).view, shown(monitor).total) == (BY_MARK, 0)


def test_a_sample_that_has_no_round_trip_times_is_not_shown_where_they_are_looked_at() -> None:
    view = View(ViewKind.CONNECTIONS, shows_info=True)
    monitor = Monitor(replace(view, shows_info=False))
    monitor.accept(*taken(4))
    monitor.show(view)
    assert monitor.is_behind
    monitor.accept(*taken(4, view))
    assert shown(monitor).view == view


KEY = SocketKey(4, 0, 1, 80, 0, 2, 40000, 0, 1, 0, is_listener=False)


@pytest.mark.parametrize(
    "view",
    [
        View(ViewKind.CONNECTIONS, watched=KEY),
        View(ViewKind.CONNECTIONS, shows_info=True),
        replace(ON_80, watched=KEY),
        replace(ON_80, kind=ViewKind.PEERS, watched=KEY),
    ],
)
def test_what_is_looked_at_more_closely_does_not_keep_a_sample_from_being_compared(view: View) -> None:
    """The sample before has no details, and all that changes are told of."""
    monitor = Monitor(replace(ON_80, kind=ViewKind.PORTS) if view.filter else PORTS)
    monitor.accept(*taken(4, view=replace(view, watched=None, shows_info=False)))
    monitor.show(view)
    assert monitor.is_behind
    monitor.accept(*taken(9, view))
    assert shown(monitor).state_change(TcpState.ESTABLISHED) == (3 if view.filter else 5)
    assert ("change" in shown(monitor).grid.columns) == (view.kind is not ViewKind.CONNECTIONS)
    moves = shown(monitor).transitions
    assert moves is not None
    assert moves.opened.sum() == (3 if view.filter else 5)
    for then in (replace(view, kind=ViewKind.STATES), view, replace(view, watched=None, shows_info=False)):
        monitor.show(then)
        assert shown(monitor).view == then
        assert shown(monitor).previous is not None
        assert shown(monitor).state_change(TcpState.ESTABLISHED) == (3 if view.filter else 5)


@pytest.mark.parametrize("text", ["process nginx", "service nginx", "pid 812", "cgroup /", "not process nginx"])
def test_who_holds_sockets_is_found_beside_the_samples_so_that_any_of_them_answers(text: str) -> None:
    view = replace(PORTS, filter=parse_filter(text))
    monitor = Monitor(PORTS)
    monitor.accept(numbered(4))
    assert monitor.covers(view.request.of_sockets)
    monitor.show(view)
    assert shown(monitor).view == view
    assert not monitor.is_behind


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


@pytest.mark.parametrize(
    ("elapsed", "states", "watched"),
    [
        ("once", (TcpState.ESTABLISHED,), False),
        ("twice", (TcpState.ESTABLISHED, TcpState.ESTABLISHED), False),
        ("changed", (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT), True),
    ],
)
def test_samples_know_whether_an_age_is_all_of_it(elapsed: str, states: tuple[TcpState, ...], *, watched: bool) -> None:
    monitor = Monitor(View(ViewKind.CONNECTIONS))
    for second, state in enumerate(states):
        monitor.accept(sample_of([Socket(state)], float(second)))
    frame = shown(monitor)
    assert frame.sample.is_watched is not None
    assert frame.sample.is_watched.tolist() == [watched], elapsed
    assert frame.grid.human(0, FIELDS["age_ms"]).startswith("≥") is not watched


# -- Who holds the sockets ---------------------------------------------------------------------------------------------

PROCESSES, OF_NGINX = View(ViewKind.PROCESSES), replace(PORTS, filter=parse_filter("process nginx"))
NGINX, NOBODY = whereabouts_of({7: (WORKER,)}, {20: NGINX_PATH}), whereabouts_of({})


def held(now_s: float, *sockets: Socket) -> Sample:
    """A sample that was taken before anybody looked."""
    return sample_of(sockets or [Socket(inode=7, cgroup_id=20)], now_s)


def processes(monitor: Monitor) -> list[str]:
    grid = shown(monitor).grid
    return [grid.human(row, FIELDS["process"]) for row in grid.members.tolist()]


def test_what_is_found_out_after_a_sample_is_shown_of_that_sample() -> None:
    monitor = Monitor(PROCESSES)
    monitor.accept(held(1.0))
    assert processes(monitor) == ["(looking)"]
    monitor.learn(NGINX)
    assert processes(monitor) == ["nginx"]
    assert shown(monitor).sample.whereabouts is NGINX
    assert totals(shown(monitor)) == [1]


def test_before_the_first_sample_there_is_nothing_to_find_out() -> None:
    monitor = Monitor(PROCESSES)
    monitor.learn(NGINX)
    assert monitor.shown is None


def test_what_is_known_already_is_not_framed_again() -> None:
    """A look that found nothing new hands out what it handed out before."""
    monitor = Monitor(PROCESSES)
    monitor.accept(held(1.0))
    monitor.learn(NGINX)
    sample = shown(monitor).sample
    monitor.learn(NGINX)
    assert shown(monitor).sample is sample
    monitor.accept(replace(held(2.0), whereabouts=NGINX))
    sample = shown(monitor).sample
    monitor.learn(NGINX)
    assert shown(monitor).sample is sample


def test_what_is_found_out_changes_nothing_of_what_came_and_went() -> None:
    monitor = Monitor(PORTS)
    monitor.accept(*taken(2))
    monitor.accept(*taken(5))
    before = shown(monitor)
    monitor.learn(NGINX)
    after = shown(monitor)
    assert after.transitions is before.transitions
    assert after.previous is before.previous
    assert_same_grids(after.states, before.states)
    assert totals(after) == totals(before) == [2, 5]


def test_a_filter_by_process_keeps_the_rows_that_were_just_found_out_to_be_its_own() -> None:
    monitor = Monitor(OF_NGINX)
    monitor.accept(held(1.0))
    assert (shown(monitor).total, processes_of(monitor)) == (0, (Standing.SEARCHING, None))
    monitor.learn(NGINX)
    assert (shown(monitor).total, processes_of(monitor)) == (1, (Standing.HELD, 812))
    monitor.accept(replace(held(2.0, Socket(TcpState.TIME_WAIT)), whereabouts=NGINX))
    assert (shown(monitor).total, processes_of(monitor)) == (1, (Standing.REMEMBERED, 812))


def processes_of(monitor: Monitor) -> tuple[Standing, int | None]:
    """How the first row is named, and the process."""
    attribution = shown(monitor).sample.attribution
    assert attribution is not None
    code = int(attribution.codes[0])
    return Standing(int(attribution.standing[0])), attribution.groups[code][0].pid if code >= 0 else None


def test_a_frozen_sample_is_told_of_what_is_found_out_about_it_and_of_nothing_later() -> None:
    monitor = Monitor(PROCESSES)
    monitor.accept(held(1.0))
    monitor.freeze()
    monitor.learn(NGINX)
    assert processes(monitor) == ["nginx"]
    monitor.accept(replace(held(2.0), whereabouts=NGINX))
    monitor.learn(whereabouts_of({7: (JAVA,)}))
    assert processes(monitor) == ["nginx"]
    monitor.thaw()
    assert processes(monitor) == ["java"]


def test_what_is_found_out_of_a_sample_that_is_not_shown_is_remembered() -> None:
    """It does not answer the view; its sockets may be closed in the next."""
    monitor = Monitor(BY_MARK)
    monitor.accept(held(1.0))
    assert monitor.shown is None
    monitor.learn(NGINX)
    monitor.show(PROCESSES)
    monitor.accept(held(2.0, Socket(TcpState.TIME_WAIT)))
    assert processes(monitor) == ["nginx"]
    assert processes_of(monitor) == (Standing.REMEMBERED, 812)


def test_a_change_of_view_shows_who_stands_behind_the_rows() -> None:
    monitor = Monitor(PORTS)
    monitor.accept(held(1.0))
    monitor.learn(NGINX)
    for view in (PROCESSES, OF_NGINX, View(ViewKind.SERVICES)):
        monitor.show(view)
        assert (shown(monitor).view, shown(monitor).total) == (view, 1)
        assert processes_of(monitor) == (Standing.HELD, 812)


@pytest.mark.parametrize("kind", ViewKind)
def test_every_view_can_be_shown_before_anybody_has_looked(kind: ViewKind) -> None:
    monitor = Monitor(View(kind))
    monitor.accept(held(1.0, Socket(inode=7, cookie=1), Socket(TcpState.TIME_WAIT, cookie=2)))
    assert shown(monitor).total == 2
    monitor.learn(NOBODY)
    assert shown(monitor).total == 2


@pytest.mark.parametrize("scene", ["calm", "lastack"])
def test_who_closed_a_connection_is_told_of_every_one_that_was_seen_open(scene: str) -> None:
    """Tens of thousands of rows, as a busy server has them."""
    source, monitor = DemoSource(scene), Monitor(View(ViewKind.CONNECTIONS))
    seen_open: dict[int, int] = {}
    for _ in range(20):
        monitor.accept(source.sample())
        sample = shown(monitor).sample
        attribution, rows = sample.attribution, sample.table.rows
        assert attribution is not None
        pids = np.array([*(group[0].pid for group in attribution.groups), 0])[attribution.codes]
        for cookie, inode, pid, standing in zip(
            rows["cookie"].tolist(),
            rows["inode"].tolist(),
            pids.tolist(),
            attribution.standing.tolist(),
            strict=True,
        ):
            if inode:
                assert standing == Standing.HELD
                seen_open[cookie] = pid
            elif cookie in seen_open:
                assert (standing, pid) == (Standing.REMEMBERED, seen_open[cookie])
            else:
                assert standing == Standing.LISTENER


# -- What came and went between two samples ----------------------------------------------------------------------------


def freed(*cookies: int) -> Destroyed:
    return Destroyed(
        sample_of([Socket(TcpState.CLOSE, remote_port=cookie, cookie=cookie) for cookie in cookies]).table.rows
    )


def brief_in(monitor: Monitor) -> int | None:
    moves = shown(monitor).transitions
    return None if moves is None else moves.brief


@pytest.mark.parametrize(("text", "brief"), [("", 2), (":443", 2), (":80", 0)])
def test_connections_that_were_in_no_sample_are_counted_once(text: str, brief: int) -> None:
    monitor = Monitor(View(filter=parse_filter(text) if text else None))
    known = Socket(remote_port=1, cookie=1)
    monitor.accept(replace(held(1.0, known), destroyed=freed(9)))
    assert brief_in(monitor) is None
    monitor.accept(replace(held(2.0), destroyed=freed(1, 2, 3)))
    assert brief_in(monitor) == brief
    monitor.learn(NGINX)
    assert brief_in(monitor) == brief
    monitor.show(replace(PROCESSES, filter=shown(monitor).view.filter))
    assert brief_in(monitor) == brief
    monitor.accept(held(3.0))
    assert brief_in(monitor) is None


def test_connections_that_a_sample_which_was_passed_over_tells_of_are_counted_with_the_next() -> None:
    """It has nothing of ``tcp_info``, which the view has come to show."""
    monitor = Monitor(View(ViewKind.CONNECTIONS, shows_info=True))
    with_info = Request(needs=frozenset({Need.TCP_INFO}))
    monitor.accept(held(1.0), with_info)
    monitor.accept(replace(held(2.0), destroyed=freed(11, 12)))
    monitor.accept(replace(held(3.0), destroyed=freed(13)))
    monitor.accept(replace(held(4.0), destroyed=freed(14)), with_info)
    assert brief_in(monitor) == 4
    monitor.accept(replace(held(5.0), destroyed=freed(15)), with_info)
    assert brief_in(monitor) == 1


def test_what_changed_before_each_sample_is_there_when_one_goes_back_to_it() -> None:
    """For the rows that the filter means, and for all of them."""
    monitor = Monitor(PORTS)
    fed(monitor, 2, 5)
    monitor.show(ON_80)
    fed(monitor, 9, 4)
    monitor.freeze()
    told = [shown(monitor).transitions]
    for _ in range(3):
        monitor.step([BACK])
        told.append(shown(monitor).transitions)
    # The sample on which the filter was set has one before it, too.
    assert [None if each is None else int(each.opened.sum() - each.closed.sum()) for each in told] == [-3, 2, 2, None]
