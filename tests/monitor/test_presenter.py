"""Samples and wishes become presentations in a thread of their own, and the newest wins."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tcptui.errors import InternalError, SourceError
from tcptui.model.fields import SortKey, ViewKind
from tcptui.model.sample import Destroyed, Sample, Whereabouts
from tcptui.model.states import TcpState
from tcptui.model.table import SocketTable
from tcptui.monitor.frame import Frame, build_frame
from tcptui.monitor.presence import present_in
from tcptui.monitor.presenter import SURVEY_INTERVAL_S, Patience, Presentation, Presenter
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.present import NOTHING_PRESENT
from tcptui.query.request import EVERYTHING_PLAIN, request_for
from tests.model.held import JAVA, NGINX_PATH, WORKER, whereabouts_of
from tests.model.random_tables import Socket, sample_of
from tests.monitor.frames import assert_same_grids
from tests.monitor.scripted_source import PATIENCE_S, SHORT_S, Announcements, ScriptedSource, costing, numbered, running

LONG_S = 3600.0
PORTS, CONNECTIONS = View(ViewKind.PORTS), View(ViewKind.CONNECTIONS)
THREADS = ("tcptui-presenter", "tcptui-poller")


@contextmanager
def presenting(
    source: ScriptedSource, interval_s: float = SHORT_S, view: View = PORTS, patience: Patience | None = None
) -> Iterator[tuple[Presenter, Announcements]]:
    presenter = Presenter(source, view, interval_s, patience=patience or Patience())
    announcements = Announcements(presenter)
    presenter.start(announcements)
    try:
        yield presenter, announcements
    finally:
        presenter.stop()
    assert source.closed.is_set()
    assert not running(*THREADS)


def number_of(presentation: Presentation) -> int:
    """Which sample is shown; 0 before the first."""
    return presentation.frame.total if presentation.frame else 0


def number_in_order(presentation: Presentation) -> float:
    """Which sample is shown, told by its time; 0 before the first."""
    return presentation.frame.sample.monotonic_s if presentation.frame else 0.0


def history_of(presentation: Presentation) -> int:
    return len(presentation.frame.history) if presentation.frame else 0


def test_before_the_first_sample_there_is_a_presentation_without_a_frame() -> None:
    latest = Presenter(ScriptedSource(), PORTS, 1.5).latest()
    assert latest.frame is None
    assert latest.trouble is None
    assert not latest.is_paused
    assert (latest.asked_interval_s, latest.interval_s) == (1.5, 1.5)


def test_samples_are_presented_in_the_view_asked_for() -> None:
    with presenting(ScriptedSource()) as (_, announcements):
        first = announcements.first_frame()
        later = announcements.wait_until(lambda each: number_of(each) > number_of(first))
    assert later.frame is not None
    assert later.frame.view == PORTS
    assert later.frame.previous is not None


def test_announcements_come_from_another_thread_than_the_callers() -> None:
    presenter = Presenter(ScriptedSource(), PORTS, LONG_S)
    names: list[str] = []
    announced = threading.Event()

    def announce() -> None:
        names.append(threading.current_thread().name)
        announced.set()

    presenter.start(announce)
    assert announced.wait(PATIENCE_S)
    presenter.stop()
    assert set(names) <= set(THREADS)


def test_the_newest_sample_wins_while_nobody_takes_the_older_ones() -> None:
    """A front end that takes its time is not given a queue to work off."""
    source = ScriptedSource()
    busy, release = threading.Event(), threading.Event()
    frames: list[int] = []
    presenter = Presenter(source, PORTS, SHORT_S)
    settled = threading.Condition()

    def announce() -> None:
        with settled:
            frames.append(number_of(presenter.latest()))
            settled.notify_all()
        busy.set()
        assert release.wait(PATIENCE_S)

    presenter.start(announce)
    assert busy.wait(PATIENCE_S)
    taken_before = source.taken
    source.await_taken(taken_before + 30)
    release.set()
    with settled:
        assert settled.wait_for(lambda: len(frames) >= 2, PATIENCE_S)
    presenter.stop()
    assert frames[0] <= taken_before
    assert frames[1] >= taken_before + 29


def test_the_newest_wish_wins_while_the_thread_is_busy() -> None:
    busy, release = threading.Event(), threading.Event()
    seen: list[View] = []
    presenter = Presenter(ScriptedSource(), PORTS, LONG_S)
    finished = threading.Event()
    last = View(ViewKind.PEERS, sort=SortKey("peer", descending=False))

    def announce() -> None:
        frame = presenter.latest().frame
        assert frame is not None
        seen.append(frame.view)
        busy.set()
        assert release.wait(PATIENCE_S)
        if frame.view == last:
            finished.set()

    presenter.start(announce)
    assert busy.wait(PATIENCE_S)
    for kind in ViewKind:
        presenter.show(View(kind))
    presenter.show(last)
    release.set()
    assert finished.wait(PATIENCE_S)
    presenter.stop()
    assert seen == [PORTS, last]


def test_a_changed_view_is_framed_from_the_same_sample() -> None:
    """No front end waits for the next one."""
    source = ScriptedSource()
    with presenting(source, LONG_S) as (presenter, announcements):
        first = announcements.first_frame()
        presenter.show(CONNECTIONS)
        changed = announcements.wait_until(lambda each: each.frame is not None and each.frame.view == CONNECTIONS)
    assert first.frame is not None
    assert changed.frame is not None
    assert changed.frame.sample is first.frame.sample
    assert source.taken == 1
    assert_same_grids(changed.frame.grid, build_frame(CONNECTIONS, changed.frame.sample).grid)


def test_what_completes_a_filter_is_looked_for_only_while_one_is_typed() -> None:
    with presenting(ScriptedSource(), LONG_S) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(CONNECTIONS)
        settled = announcements.wait_until(lambda each: each.frame is not None and each.frame.view == CONNECTIONS)
        assert settled.present == NOTHING_PRESENT
        presenter.show(PORTS, is_settled=False)
        typing = announcements.wait_until(lambda each: each.present != NOTHING_PRESENT)
        assert typing.frame is not None
        assert typing.present == present_in(typing.frame.sample)


def test_a_view_asked_for_before_the_first_sample_is_the_one_that_it_is_shown_in() -> None:
    may_come = threading.Event()

    def late(number: int) -> Sample:
        assert may_come.wait(PATIENCE_S)
        return numbered(number)

    with presenting(ScriptedSource(late), LONG_S) as (presenter, announcements):
        presenter.show(CONNECTIONS)
        announcements.wait_until(lambda each: each.frame is None)
        may_come.set()
        first = announcements.first_frame()
    assert first.frame is not None
    assert first.frame.view == CONNECTIONS


def test_pausing_keeps_the_sample_while_history_goes_on_and_going_on_shows_the_newest() -> None:
    source = ScriptedSource()
    with presenting(source) as (presenter, announcements):
        announcements.wait_until(lambda each: number_of(each) >= 2)
        presenter.pause(True)
        paused = announcements.wait_until(lambda each: each.is_paused)
        source.await_taken(source.taken + 5)
        later = presenter.latest()
        assert later.is_paused
        assert (number_of(later), history_of(later)) == (number_of(paused), history_of(paused))
        presenter.show(CONNECTIONS)
        viewed = announcements.wait_until(lambda each: each.frame is not None and each.frame.view == CONNECTIONS)
        assert number_of(viewed) == number_of(paused)
        assert viewed.frame is not None
        assert paused.frame is not None
        assert viewed.frame.sample is paused.frame.sample
        resumed_s = source.taken
        presenter.pause(False)
        going_on = announcements.wait_until(lambda each: number_of(each) >= number_of(paused) + 5)
    assert not going_on.is_paused
    assert going_on.frame is not None
    remembered_s = going_on.frame.history.monotonic_s
    assert ((remembered_s > number_of(paused)) & (remembered_s <= resumed_s)).any()
    assert going_on.frame.view == CONNECTIONS


def test_what_the_source_says_is_presented_until_a_sample_comes() -> None:
    """Beside the last good frame."""
    lost = SourceError("the kernel gives no sock_diag dump")
    recover = threading.Event()

    def script(number: int) -> Sample | BaseException:
        return numbered(number) if number == 1 or recover.is_set() else lost

    with presenting(ScriptedSource(script)) as (_, announcements):
        troubled = announcements.wait_until(lambda each: each.trouble is not None and number_of(each) == 1)
        assert troubled.trouble is lost
        recover.set()
        announcements.wait_until(lambda each: each.trouble is None and number_of(each) > 1)


def test_a_source_that_never_gives_anything_is_presented_without_a_frame() -> None:
    with presenting(ScriptedSource(lambda _: SourceError("nothing"))) as (_, announcements):
        troubled = announcements.wait_until(lambda each: each.trouble is not None)
    assert troubled.frame is None


def _without_a_column(number: int) -> Sample:
    return replace(numbered(number), table=SocketTable(np.zeros(number, [("cookie", "u8")])))


def test_a_defect_in_framing_reaches_the_front_end_and_the_threads_still_end() -> None:
    with presenting(ScriptedSource(_without_a_column)) as (_, announcements):
        troubled = announcements.wait_until(lambda each: isinstance(each.trouble, InternalError))
    assert troubled.frame is None


def test_a_new_interval_is_presented_at_once() -> None:
    with presenting(ScriptedSource(), LONG_S) as (presenter, announcements):
        announcements.first_frame()
        presenter.set_interval(120.0)
        presentation = announcements.wait_until(lambda each: each.asked_interval_s == 120.0)
    assert presentation.interval_s == 120.0


def test_an_interval_that_a_dear_sample_stretched_is_presented_beside_the_one_asked_for() -> None:
    source = ScriptedSource(lambda number: costing(numbered(number), 740.0))
    with presenting(source, 0.5) as (_, announcements):
        presentation = announcements.first_frame()
    assert presentation.asked_interval_s == 0.5
    assert presentation.interval_s == pytest.approx(7.4)


def test_a_presenter_that_was_never_started_can_be_stopped() -> None:
    """A front end that fails between making and starting it must still give the source back."""
    source = ScriptedSource()
    Presenter(source, PORTS, LONG_S).stop()
    assert source.closed.is_set()


@pytest.mark.parametrize("interval_s", [SHORT_S, LONG_S])
def test_stopping_ends_both_threads_and_closes_the_source(interval_s: float) -> None:
    source = ScriptedSource()
    with presenting(source, interval_s) as (_, announcements):
        assert running(*THREADS) == set(THREADS)
        announcements.first_frame()
    taken = source.taken
    assert source.closed.is_set()
    assert not running(*THREADS)
    assert source.taken == taken


# -- What samples are asked for ----------------------------------------------------------------------------------------

ON_80, ON_81 = (View(ViewKind.PORTS, parse_filter(text)) for text in ("port 80", "port 81"))
ON_80_LOCALLY = View(ViewKind.PORTS, parse_filter("port 80 and sport = :80"))
ON_80_ONLY, ON_81_ONLY = request_for(ON_80.filter), request_for(ON_81.filter)
ONE_OF_NGINX = View(ViewKind.PORTS, parse_filter("process nginx"))


def is_later_than(number: int) -> Callable[[Presentation], bool]:
    """Whether a newer sample is shown."""
    return lambda each: number_of(each) > number


def is_of(view: View) -> Callable[[Presentation], bool]:
    """Whether what is shown is of this view."""
    return lambda each: each.frame is not None and each.frame.view == view


def ten(number: int) -> Sample:
    """Ten sockets, half of them on port 80, at second ``number``."""
    return replace(numbered(10), monotonic_s=float(number))


def test_the_samples_after_a_settled_filter_are_narrowed_and_the_last_whole_one_answers_at_once() -> None:
    source = ScriptedSource(ten)
    with presenting(source, LONG_S) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(ON_80)
        answer = announcements.wait_until(is_of(ON_80))
        assert source.requests == [EVERYTHING_PLAIN]
        assert answer.frame is not None
        assert (answer.frame.total, len(answer.frame.sample.table)) == (5, 10)
        presenter.set_interval(SHORT_S)
        narrowed = announcements.wait_until(lambda each: table_of(each) == 5)
        source.await_taken(3)
    assert narrowed.frame is not None
    assert (narrowed.frame.view, narrowed.frame.total) == (ON_80, 5)
    assert source.requests[:3] == [EVERYTHING_PLAIN, ON_80_ONLY, ON_80_ONLY]


def test_a_presenter_that_begins_with_a_filter_never_asks_for_more() -> None:
    source = ScriptedSource(ten)
    with presenting(source, SHORT_S, ON_80) as (_, announcements):
        announcements.wait_until(lambda each: history_of(each) >= 3)
    assert set(source.requests) == {ON_80_ONLY}


OF_NGINX = whereabouts_of({7: (WORKER,)}, {3: NGINX_PATH})


def ten_of_nginx(number: int) -> Sample:
    """The same, held by a process of a service, as is known from before."""
    sockets = [Socket(local_port=80 + index % 2, inode=7, cgroup_id=3, cookie=index + 1) for index in range(10)]
    return replace(sample_of(sockets, float(number)), whereabouts=OF_NGINX)


def test_while_a_filter_is_typed_samples_have_everything_and_no_key_waits_for_one() -> None:
    may_come = threading.Event()

    def gated(number: int) -> Sample:
        assert number == 1 or may_come.wait(PATIENCE_S)
        return ten_of_nginx(number)

    source = ScriptedSource(gated)
    with presenting(source, LONG_S) as (presenter, announcements):
        announcements.first_frame()
        for view in (ON_80, ON_80_LOCALLY, ONE_OF_NGINX, ON_81, PORTS, ON_80):
            presenter.show(view, is_settled=False)
            assert not announcements.wait_until(is_of(view)).is_behind
        named = announcements.wait_until(lambda each: bool(each.present.processes))
        assert (named.present.processes, named.present.services) == (("nginx",), ("nginx.service",))
        assert source.taken == 1
        may_come.set()
        presenter.set_interval(SHORT_S)
        source.await_taken(4)
    assert set(source.requests) == {EVERYTHING_PLAIN}


def telling(number: int) -> Sample:
    """A sample whose only local port tells which it is."""
    return sample_of([Socket(local_port=1000 + number)], float(number))


def told_by(presentation: Presentation) -> int:
    """Which sample a filter is completed from; 0 for none."""
    return int(presentation.present.local_ports[0]) - 1000 if presentation.present.local_ports else 0


def test_what_completes_a_filter_is_looked_for_anew_every_few_seconds_while_one_is_typed() -> None:
    """It takes a while for many sockets, and nobody types for long."""
    with presenting(ScriptedSource(telling)) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(CONNECTIONS, is_settled=False)
        announcements.wait_until(lambda _: len(set(map(told_by, announcements.seen))) > 3)
    surveyed = [number for number in dict.fromkeys(map(told_by, announcements.seen)) if number]
    assert all(later - earlier >= SURVEY_INTERVAL_S for earlier, later in pairwise(surveyed))


def test_what_completes_a_filter_stays_on_offer_and_is_looked_for_at_once_when_another_is_typed() -> None:
    source = ScriptedSource(telling)
    with presenting(source, LONG_S) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(CONNECTIONS, is_settled=False)
        assert announcements.wait_until(lambda each: told_by(each) > 0).frame is not None
        presenter.show(PORTS)
        announcements.wait_until(is_of(PORTS))
        presenter.set_interval(SHORT_S)
        announcements.wait_until(lambda each: each.frame is not None and each.frame.sample.monotonic_s > 1)
        presenter.set_interval(LONG_S)
        assert told_by(presenter.latest()) == 1
        presenter.show(CONNECTIONS, is_settled=False)
        announcements.wait_until(lambda each: told_by(each) > 1)


def test_typing_into_a_settled_filter_asks_for_a_whole_sample_once() -> None:
    """The first key does; those after it find their answer in that sample."""
    source = ScriptedSource(ten_of_nginx)
    with presenting(source, LONG_S, ON_80) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(ON_80_LOCALLY, is_settled=False)
        announcements.wait_until(lambda each: is_of(ON_80_LOCALLY)(each) and table_of(each) == 10)
        for view in (ON_81, PORTS):
            presenter.show(view, is_settled=False)
            announcements.wait_until(is_of(view))
        presenter.show(ON_81)
        announcements.wait_until(lambda each: is_of(ON_81)(each) and not each.is_behind)
        assert source.requests == [ON_80_ONLY, EVERYTHING_PLAIN]
        presenter.set_interval(SHORT_S)
        source.await_taken(4)
    assert source.requests[:4] == [ON_80_ONLY, EVERYTHING_PLAIN, ON_81_ONLY, ON_81_ONLY]


def test_what_completes_a_filter_is_looked_for_again_once_all_sockets_are_there() -> None:
    """Typing into a settled filter begins with a sample that was narrowed to that."""
    source = ScriptedSource(ten_of_nginx)
    with presenting(source, LONG_S, ON_80) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(ON_80_LOCALLY, is_settled=False)
        whole = announcements.wait_until(lambda each: len(each.present.local_ports) == 2)
    assert set(whole.present.local_ports) == {"80", "81"}


def test_what_completes_a_filter_is_looked_for_again_once_all_processes_are_known() -> None:
    """A key may be pressed before the first of them has been looked at."""
    may_go_on = threading.Event()

    def finds(number: int) -> Whereabouts:
        assert number == 1 or may_go_on.wait(PATIENCE_S)
        return whereabouts_of({}, looked_at=0.5) if number == 1 else OF_NGINX

    source = ScriptedSource(lambda number: replace(ten_of_nginx(number), whereabouts=None), finds)
    with presenting(source, LONG_S) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(ON_80, is_settled=False)
        announcements.wait_until(lambda each: each.present != NOTHING_PRESENT)
        assert presenter.latest().present.processes == ()
        may_go_on.set()
        announcements.wait_until(lambda each: each.present.processes == ("nginx",))
    assert source.taken == 1


def table_of(presentation: Presentation) -> int:
    """How many sockets the sample that is shown has."""
    return len(presentation.frame.sample.table) if presentation.frame else 0


@pytest.mark.parametrize(("view", "total"), [(PORTS, 10), (ON_81, 5)], ids=["no filter", "another filter"])
def test_clearing_or_changing_a_settled_filter_shows_the_old_frame_until_a_sample_has_the_answer(
    view: View, total: int
) -> None:
    """It is asked for at once; the interval is an hour."""
    may_come = threading.Event()

    def gated(number: int) -> Sample:
        assert number == 1 or may_come.wait(PATIENCE_S)
        return ten(number)

    source = ScriptedSource(gated)
    with presenting(source, LONG_S, ON_80) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(view)
        waiting = announcements.wait_until(lambda each: each.is_behind)
        assert is_of(ON_80)(waiting)
        assert (number_of(waiting), history_of(waiting)) == (5, 1)
        source.await_taken(2)
        may_come.set()
        answered = announcements.wait_until(is_of(view))
        assert (number_of(answered), answered.is_behind) == (total, False)
    assert source.requests == [ON_80_ONLY, request_for(view.filter)]
    frames = [each.frame for each in announcements.seen if each.frame is not None]
    assert {(frame.view, frame.total) for frame in frames} == {(ON_80, 5), (view, total)}


def test_a_narrower_filter_is_answered_at_once_from_a_narrowed_sample() -> None:
    source = ScriptedSource(ten)
    with presenting(source, LONG_S, ON_80) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(ON_80_LOCALLY)
        answer = announcements.wait_until(is_of(ON_80_LOCALLY))
        assert (number_of(answer), table_of(answer)) == (5, 5)
        presenter.set_interval(SHORT_S)
        source.await_taken(3)
    assert source.requests[:3] == [ON_80_ONLY, request_for(ON_80_LOCALLY.filter), request_for(ON_80_LOCALLY.filter)]


def test_a_sample_that_was_asked_for_with_an_earlier_filter_is_not_shown_for_a_later_one() -> None:
    """It is under way when the filter changes; nothing of port 81 is in it."""
    in_flight, may_come = threading.Event(), threading.Event()

    def gated(number: int) -> Sample:
        if number == 2:
            in_flight.set()
            assert may_come.wait(PATIENCE_S)
        return ten(number)

    source = ScriptedSource(gated)
    with presenting(source, LONG_S) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(ON_80)
        announcements.wait_until(is_of(ON_80))
        presenter.set_interval(SHORT_S)
        assert in_flight.wait(PATIENCE_S)
        presenter.show(ON_81)
        announcements.wait_until(is_of(ON_81))
        may_come.set()
        later = announcements.wait_until(lambda each: is_of(ON_81)(each) and table_of(each) == 5)
    assert number_of(later) == 5
    assert source.requests[:3] == [EVERYTHING_PLAIN, ON_80_ONLY, ON_81_ONLY]
    frames = [each.frame for each in announcements.seen if each.frame is not None]
    assert {frame.total for frame in frames if frame.view == ON_81} == {5}


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_filter_by_process_is_answered_at_once_by_what_was_found_beside_the_samples(*, is_settled: bool) -> None:
    sockets = [Socket(inode=7, cookie=1), Socket(inode=8, cookie=2)]
    source = ScriptedSource(lambda number: sample_of(sockets, float(number)), lambda _: OF_NGINX)
    with presenting(source, LONG_S) as (presenter, announcements):
        announcements.wait_until(lambda each: each.frame is not None and each.frame.sample.whereabouts is OF_NGINX)
        presenter.show(ONE_OF_NGINX, is_settled=is_settled)
        answer = announcements.wait_until(is_of(ONE_OF_NGINX))
        assert (number_of(answer), source.taken) == (1, 1)
        presenter.set_interval(SHORT_S)
        source.await_taken(3)
    then = ONE_OF_NGINX.request.of_sockets if is_settled else EVERYTHING_PLAIN
    assert source.requests[:3] == [EVERYTHING_PLAIN, then, then]


def test_history_goes_on_for_a_filter_while_samples_are_narrowed_and_is_gone_with_it() -> None:
    source = ScriptedSource(ten)
    with presenting(source, LONG_S) as (presenter, announcements):
        announcements.first_frame()
        presenter.show(ON_80)
        announcements.wait_until(is_of(ON_80))
        presenter.set_interval(SHORT_S)
        announcements.wait_until(lambda each: is_of(ON_80)(each) and history_of(each) >= 4)
        presenter.set_interval(LONG_S)
        presenter.show(PORTS)
        whole = announcements.wait_until(is_of(PORTS))
    assert history_of(whole) == source.requests.count(EVERYTHING_PLAIN) == 2
    assert whole.frame is not None
    assert whole.frame.history.counts.sum(axis=1).tolist() == [10, 10]


def test_a_paused_sample_that_does_not_answer_a_view_stays_and_going_on_shows_the_answer() -> None:
    source = ScriptedSource(ten)
    with presenting(source, LONG_S, ON_80) as (presenter, announcements):
        announcements.first_frame()
        presenter.pause(True)
        announcements.wait_until(lambda each: each.is_paused)
        presenter.show(ON_81)
        waiting = announcements.wait_until(lambda each: each.is_behind)
        assert is_of(ON_80)(waiting)
        source.await_taken(2)
        presenter.pause(False)
        answer = announcements.wait_until(is_of(ON_81))
    assert (number_of(answer), answer.is_behind) == (5, False)
    assert source.requests == [ON_80_ONLY, ON_81_ONLY]


# -- Who holds the sockets ---------------------------------------------------------------------------------------------

PROCESSES = View(ViewKind.PROCESSES)


def names_in(presentation: Presentation) -> list[str]:
    """The processes that are shown."""
    frame = presentation.frame
    return [] if frame is None else [frame.grid.human(row, frame.view.kind.key) for row in frame.order.tolist()]


def held(number: int) -> Sample:
    """A sample of which the source knows no holders yet."""
    return replace(ten_of_nginx(number), whereabouts=None)


def test_who_holds_the_sockets_is_shown_when_it_is_found_out_with_what_that_cost() -> None:
    may_look = threading.Event()

    def finds(_number: int) -> Whereabouts:
        assert may_look.wait(PATIENCE_S)
        return OF_NGINX

    source = ScriptedSource(held, finds)
    with presenting(source, LONG_S, PROCESSES) as (_, announcements):
        first = announcements.first_frame()
        assert (names_in(first), first.look_ms) == (["(looking)"], 0.0)
        may_look.set()
        found = announcements.wait_until(lambda each: names_in(each) == ["nginx"])
    assert found.look_ms > 0
    assert found.look_budget_ms == pytest.approx(250.0)
    assert source.taken == 1


@pytest.mark.parametrize(("asked_s", "cost_ms", "budget_ms"), [(1.0, 0.0, 100.0), (0.2, 0.0, 20.0), (0.2, 74.0, 20.0)])
def test_what_a_look_may_cost_goes_with_the_interval_that_was_asked_for(
    asked_s: float, cost_ms: float, budget_ms: float
) -> None:
    with presenting(ScriptedSource(lambda number: costing(numbered(number), cost_ms)), asked_s) as (_, announcements):
        presentation = announcements.first_frame()
    assert presentation.look_budget_ms == pytest.approx(budget_ms)


def test_a_paused_sample_is_told_of_what_is_found_out_about_it() -> None:
    may_look = threading.Event()

    def finds(number: int) -> Whereabouts:
        assert may_look.wait(PATIENCE_S)
        return OF_NGINX if number == 1 else whereabouts_of({7: (JAVA,)})

    source = ScriptedSource(held, finds)
    with presenting(source, LONG_S, PROCESSES) as (presenter, announcements):
        announcements.first_frame()
        presenter.pause(True)
        announcements.wait_until(lambda each: each.is_paused)
        may_look.set()
        announcements.wait_until(lambda each: names_in(each) == ["nginx"])
        presenter.set_interval(SHORT_S)
        source.await_taken(3)
        assert names_in(presenter.latest()) == ["nginx"]
        presenter.pause(False)
        announcements.wait_until(lambda each: names_in(each) == ["java"])


def test_a_defect_in_looking_reaches_the_front_end_beside_the_frame() -> None:
    source = ScriptedSource(held, lambda _: ZeroDivisionError("oh"))
    with presenting(source, LONG_S, PROCESSES) as (_, announcements):
        troubled = announcements.wait_until(lambda each: each.trouble is not None and each.frame is not None)
    assert isinstance(troubled.trouble, InternalError)


# -- What waits for what ----------------------------------------------------------------------------------------------


def test_a_sample_is_shown_once_with_what_the_look_after_it_has_found() -> None:
    found = (OF_NGINX, whereabouts_of({7: (JAVA,)}))
    source = ScriptedSource(held, lambda number: found[number % 2])
    with presenting(source, SHORT_S, PROCESSES, Patience(look_s=PATIENCE_S)) as (_, announcements):
        announcements.wait_until(lambda each: number_in_order(each) > 20)
    shown = [(number_in_order(each), names_in(each)) for each in announcements.seen]
    later = [names for number, names in shown if number > 1]
    assert len({number for number, _ in shown if number > 1}) == len(later)
    assert {*map(tuple, later)} == {("nginx",), ("java",)}


def test_where_nobody_looks_no_sample_waits_for_that() -> None:
    with presenting(ScriptedSource(), SHORT_S, patience=Patience(look_s=LONG_S, longest_s=LONG_S)) as (_, seen):
        seen.wait_until(lambda each: number_of(each) > 20)


def test_while_a_filter_is_typed_a_sample_that_takes_long_waits_and_no_key_does() -> None:
    source = ScriptedSource()
    with presenting(source, SHORT_S, patience=Patience(dear_s=0, rest_s=LONG_S, longest_s=LONG_S)) as (presenter, seen):
        seen.wait_until(lambda each: number_of(each) > 1)
        presenter.show(CONNECTIONS, is_settled=False)
        shown = number_of(seen.wait_until(is_of(CONNECTIONS)))
        for kind in ViewKind:
            source.await_taken(source.taken + 3)
            presenter.show(View(kind), is_settled=False)
            assert number_of(seen.wait_until(is_of(View(kind)))) == shown
        presenter.show(PORTS)
        seen.wait_until(lambda each: number_of(each) > shown)


def test_what_is_typed_keeps_no_sample_back_for_ever() -> None:
    source = ScriptedSource()
    with presenting(source, SHORT_S, patience=Patience(dear_s=0, rest_s=LONG_S, longest_s=0.1)) as (presenter, seen):
        seen.first_frame()
        presenter.show(CONNECTIONS, is_settled=False)
        shown = number_of(seen.wait_until(is_of(CONNECTIONS)))
        for _ in range(3):
            shown = number_of(seen.wait_until(is_later_than(shown)))


# -- What came and went between the samples that are shown -------------------------------------------------------------


def freed(*numbers: int) -> Destroyed:
    sockets = [Socket(TcpState.CLOSE, remote_port=number, cookie=100_000 + number) for number in numbers]
    return Destroyed(sample_of(sockets).table.rows)


def test_what_came_and_went_before_a_sample_that_nobody_looked_at_is_told_with_the_next() -> None:
    """One connection before each sample; every frame tells of as many as there were samples since the last frame."""
    busy, release = threading.Event(), threading.Event()
    frames: list[Frame] = []
    source = ScriptedSource(lambda number: replace(numbered(number), destroyed=freed(number)))
    presenter = Presenter(source, PORTS, SHORT_S)
    settled = threading.Condition()

    def announce() -> None:
        frame = presenter.latest().frame
        assert frame is not None
        with settled:
            if not frames or frame is not frames[-1]:
                frames.append(frame)
            settled.notify_all()
        busy.set()
        assert release.wait(PATIENCE_S)

    presenter.start(announce)
    assert busy.wait(PATIENCE_S)
    source.await_taken(source.taken + 30)
    release.set()
    with settled:
        assert settled.wait_for(lambda: len(frames) >= 40, PATIENCE_S)
    presenter.stop()
    told = [(each.transitions.brief if each.transitions else None) for each in frames[1:]]
    assert told == [later.total - earlier.total for earlier, later in pairwise(frames)]
    assert told[0] is not None
    assert told[0] >= 29
