"""Samples are judged as they are looked at, as far as that is cheap, and findings are followed."""

import itertools
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from tcptui.diagnosis.course import queues_in
from tcptui.diagnosis.finding import Severity
from tcptui.diagnosis.findings import PATIENCE
from tcptui.model.sample import Cost, Sample
from tcptui.model.states import TcpState
from tcptui.monitor.judge import MOST_KEPT, Judge, is_about_whose
from tcptui.monitor.presenter import Presentation, Presenter
from tcptui.monitor.steps import Step
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, Need, request_for
from tcptui.query.syntax import Filter
from tests.diagnosis.scenes import JAVA, NGINX, at, listener, part
from tests.monitor.scripted_source import PATIENCE_S, SHORT_S, Announcements, ScriptedSource

PORT_8080 = ":8080"


def leaking(monotonic_s: float, count: int = 1500) -> Sample:
    """Sockets that java does not close, and a healthy web server."""
    waiting = part(TcpState.CLOSE_WAIT, count, local_port=8080, holder=JAVA, recv_queue_bytes=1)
    return at(monotonic_s, listener(), part(TcpState.ESTABLISHED, 30, holder=NGINX), waiting)


def healthy(monotonic_s: float) -> Sample:
    return at(monotonic_s, listener(), part(TcpState.ESTABLISHED, 30, holder=NGINX))


def filter_of(text: str) -> Filter:
    found = parse_filter(text)
    assert found is not None
    return found


def judged(*samples: Sample, judge: Judge | None = None) -> Judge:
    judge = judge or Judge(largest_share=math.inf)
    for sample in samples:
        judge.take(sample, None, None, {})
    return judge


def test_what_is_wrong_is_told_with_each_sample_and_followed() -> None:
    judge = judged(leaking(0), leaking(1))
    assert judge.newest is not None
    (worst, *_) = judge.newest.alarms
    assert worst.finding.rule == "R01"
    assert worst.finding.severity is Severity.CRITICAL
    assert (worst.first_seen_s, judge.newest.at_s) == (0, 1)
    assert worst in judge.newest.about(TcpState.CLOSE_WAIT)
    assert not judge.newest.about(TcpState.SYN_SENT)


def test_what_is_gone_is_an_episode_with_its_worst() -> None:
    after = [healthy(2.0 + number) for number in range(PATIENCE)]
    judge = judged(leaking(0, 1500), leaking(1, 1200), *after)
    assert judge.newest is not None
    assert not judge.newest.alarms
    (episode,) = [each for each in judge.episodes if each.finding.rule == "R01"]
    assert (episode.began_s, episode.ended_s) == (0, 1.0 + PATIENCE)
    assert "1,200" in episode.finding.verdict  # as it was told last among those that were as bad
    assert [episode.is_open_at(time_s) for time_s in (-1, 0, 2, 1.0 + PATIENCE)] == [False, True, True, False]


def test_who_does_it_may_turn_out_later_and_that_ends_no_episode() -> None:
    judge = judged(replace(leaking(0), attribution=None))
    for name, samples in (("a process of user", ()), ("java", [leaking(1.0 + number) for number in range(PATIENCE)])):
        judge = judged(*samples, judge=judge)
        (episode,) = [each for each in judge.episodes if each.finding.rule == "R01"]
        assert name in episode.finding.verdict
        assert (episode.began_s, episode.ended_s) == (0, None)


def test_a_sample_that_stands_still_is_judged_once() -> None:
    assert judged(leaking(0), leaking(0), leaking(0)).count == 1


def test_so_many_samples_are_left_out_that_judging_keeps_to_its_share() -> None:
    """Here it takes 50 ms each time, of samples that take 100."""
    ticks = itertools.count()
    judge = Judge(clock=lambda: next(ticks) * 0.05)
    for number in range(31):
        judge.take(replace(healthy(number), cost=Cost(total_ms=100)), None, None, {})
    assert judge.count == pytest.approx(1 + 30 / (50 / (0.2 * 100)), abs=2)


def test_what_is_quick_is_never_left_out() -> None:
    ticks = itertools.count()
    judge = Judge(clock=lambda: next(ticks) * 0.002)
    assert judged(*(healthy(number) for number in range(20)), judge=judge).count == 20


@pytest.mark.parametrize(
    ("text", "is_whose"),
    [
        (PORT_8080, True),
        ("dst 10.0.0.0/8 and process java", True),
        ("state close-wait", False),
        (":8080 and recvq > 0", False),
        ("timer keepalive", False),
        ("age > 5m", False),
    ],
)
def test_a_filter_says_whose_sockets_are_meant_or_which_by_what_they_do(text: str, *, is_whose: bool) -> None:
    assert is_about_whose(filter_of(text)) is is_whose


def test_a_filter_that_says_whose_has_those_judged_by_themselves() -> None:
    sample = leaking(0)
    mask = sample.table.rows["local_port"] == 443
    judge = Judge(largest_share=math.inf)
    judge.take(sample, filter_of("sport = :443"), mask, {})
    assert judge.newest is not None
    assert not judge.newest.alarms
    assert judge.newest.filter_text == "sport = :443"


def test_a_filter_by_what_sockets_do_has_all_judged_where_they_are_there() -> None:
    sample = leaking(0)
    judge = Judge(largest_share=math.inf)
    judge.take(sample, filter_of("state established"), sample.table.rows["state"] == TcpState.ESTABLISHED, {})
    assert judge.newest is not None
    assert judge.newest.alarms[0].finding.rule == "R01"
    assert not judge.newest.filter_text


def test_where_they_are_not_there_the_last_verdict_stands() -> None:
    judge = judged(leaking(0))
    before = judge.newest
    judge.take(replace(healthy(1), is_whole=False), filter_of("state established"), np.ones(31, bool), {})
    assert (judge.is_suspended, judge.newest) == (True, before)
    judge.take(leaking(2), None, None, {})
    assert (judge.is_suspended, judge.count) == (False, 2)
    assert judge.newest is not None
    assert judge.newest.alarms[0].first_seen_s == 0


def test_what_was_thought_is_kept_without_what_it_was_made_of() -> None:
    judge = judged(leaking(0), healthy(1), leaking(2))
    assert judge.at(-1) is None
    then = judge.at(0.5)
    assert then is not None
    assert (then.at_s, then.evidence, then.rooms) == (0, None, None)
    assert judge.newest is not None
    assert judge.newest.rooms is not None


def test_only_so_many_are_kept_and_they_share_what_is_alike() -> None:
    judge = judged(*(healthy(number) for number in range(MOST_KEPT + 5)))
    assert judge.at(4) is None
    one, other = judge.at(10), judge.at(MOST_KEPT)
    assert one is not None
    assert other is not None
    assert one.diagnosis.checked is other.diagnosis.checked


def test_accept_queues_between_samples_count_as_peaks() -> None:
    first = at(0, listener(queue=1, backlog=128))
    judge = judged(first)
    (key,) = queues_in(first)
    judge.take(at(1, listener(queue=0, backlog=128)), None, None, {key: 77})
    assert judge.newest is not None
    (room,) = [room for room in judge.newest.rooms or () if room.kind == "accept_queue"]
    assert (room.used, room.peak) == (0, 77)


def test_leaks_are_looked_for_only_where_all_sockets_are_there() -> None:
    judge = Judge()
    assert judge.asks(EVERYTHING_PLAIN).needs == {Need.STRAIN, Need.LEAKS}
    assert judge.asks(request_for(filter_of(PORT_8080))).needs == {Need.STRAIN}


# -- With the presenter ------------------------------------------------------------------------------------------------


@contextmanager
def presenting(source: ScriptedSource) -> Iterator[tuple[Presenter, Announcements, Judge]]:
    judge = Judge(largest_share=math.inf)
    presenter = Presenter(source, View(), SHORT_S, judge)
    announcements = Announcements(presenter)
    presenter.start(announcements)
    try:
        yield presenter, announcements, judge
    finally:
        presenter.stop()


def judged_at(presentation: Presentation) -> float:
    return presentation.judgement.at_s if presentation.judgement is not None else -1.0


def test_each_frame_comes_with_the_verdict_on_its_own_sample() -> None:
    source = ScriptedSource(lambda number: leaking(float(number)))
    with presenting(source) as (_, announcements, judge):
        announcements.wait_until(lambda each: judged_at(each) > 5)
    seen = [each for each in announcements.seen if each.frame is not None]
    assert all(each.frame and judged_at(each) == each.frame.sample.monotonic_s for each in seen)
    assert judge.count <= source.taken


def test_a_moment_of_the_past_has_the_verdict_of_then() -> None:
    is_shown = threading.Event()

    def leaking_first(number: int) -> Sample:
        if number == 1:
            return leaking(1.0)
        assert is_shown.wait(PATIENCE_S)
        return healthy(float(number))

    with presenting(ScriptedSource(leaking_first)) as (presenter, announcements, _):
        announcements.wait_until(lambda each: judged_at(each) == 1)
        is_shown.set()
        announcements.wait_until(lambda each: judged_at(each) > 8)
        presenter.step(Step(to_s=-math.inf))
        then = announcements.wait_until(lambda each: each.is_paused and judged_at(each) == 1)
        assert then.judgement is not None
        assert then.judgement.alarms[0].finding.rule == "R01"
        assert then.episodes
        presenter.pause(paused=False)
        announcements.wait_until(lambda each: not each.is_paused and judged_at(each) > 8)


def test_while_paused_what_is_shown_keeps_what_it_was_made_of() -> None:
    source = ScriptedSource(lambda number: leaking(float(number)))
    with presenting(source) as (presenter, announcements, judge):
        announcements.wait_until(lambda each: judged_at(each) > 1)
        presenter.pause(paused=True)
        paused = announcements.wait_until(lambda each: each.is_paused)
        announcements.wait_until(lambda _: judge.newest is not None and judge.newest.at_s > judged_at(paused) + 2)
        now = presenter.latest()
    assert now.frame is not None
    assert now.judgement is not None
    assert judged_at(now) == judged_at(paused) == now.frame.sample.monotonic_s
    assert now.judgement.rooms is not None
