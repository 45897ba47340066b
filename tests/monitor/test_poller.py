"""The sampling thread, with a source that is told what to give."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tcptui.errors import ExitCode, InternalError, SourceError
from tcptui.model.sample import Destroyed, Sample, Whereabouts
from tcptui.monitor.poller import FIRST_LOOK_S, LARGEST_SHARE, Poller, look_budget, stretched_interval
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, GLANCE, Need, Request, request_for
from tests.model.held import WORKER, whereabouts_of
from tests.monitor.scripted_source import (
    PATIENCE_S,
    SHORT_S,
    Handed,
    Look,
    ScriptedSource,
    costing,
    numbered,
    running,
)

LONG_S = 3600.0
THREAD = "tcptui-poller"


@contextmanager
def polling(source: ScriptedSource, interval_s: float, handed: Handed) -> Iterator[Poller]:
    poller = Poller(source, interval_s, handed.sample, handed.trouble, on_look=handed.look)
    poller.start()
    try:
        yield poller
    finally:
        poller.stop()
    assert source.closed.is_set()
    assert not running(THREAD)


def test_the_first_sample_comes_at_once_and_the_others_in_order() -> None:
    source, handed = ScriptedSource(), Handed()
    with polling(source, SHORT_S, handed):
        handed.await_samples(20)
    assert [len(sample.table) for sample, *_ in handed.samples] == list(range(1, len(handed.samples) + 1))
    assert handed.troubles == []
    assert source.threads == {THREAD}


def test_every_sample_is_read_after_the_one_before() -> None:
    """One read in flight."""
    together = threading.Lock()

    def exclusively(number: int) -> Sample:
        assert together.acquire(blocking=False)
        together.release()
        return numbered(number % 5)

    handed = Handed()
    with polling(ScriptedSource(exclusively), SHORT_S, handed):
        handed.await_samples(50)
    assert handed.troubles == []


@pytest.mark.parametrize("started", [True, False])
def test_stopping_does_not_wait_for_the_interval(*, started: bool) -> None:
    source, handed = ScriptedSource(), Handed()
    before = time.monotonic()
    with polling(source, LONG_S, handed):
        if started:
            handed.await_samples(1)
    assert time.monotonic() - before < 5  # half of the join's patience in the poller, and far below the interval


def test_stopping_waits_for_the_read_in_flight() -> None:
    """A source is not closed under a read."""
    in_flight, finish = threading.Event(), threading.Event()
    source = ScriptedSource()

    def slowly(number: int) -> Sample:
        in_flight.set()
        assert finish.wait(PATIENCE_S)
        assert not source.closed.is_set()
        return numbered(number)

    source.script = slowly
    handed = Handed()
    poller = Poller(source, LONG_S, handed.sample, handed.trouble)
    poller.start()
    assert in_flight.wait(PATIENCE_S)
    stopping = threading.Thread(target=poller.stop)
    stopping.start()
    assert not source.closed.is_set()
    finish.set()
    stopping.join(PATIENCE_S)
    assert source.closed.is_set()
    assert len(handed.samples) == 1
    assert not running(THREAD)


def test_what_the_source_says_is_handed_on_and_sampling_goes_on() -> None:
    lost = SourceError("the kernel gives no sock_diag dump", "use --source proc")
    handed = Handed()
    with polling(ScriptedSource(lambda number: lost if number == 2 else numbered(number)), SHORT_S, handed):
        handed.await_samples(3)
    assert handed.troubles == [lost]
    assert [len(sample.table) for sample, *_ in handed.samples[:3]] == [1, 3, 4]


def test_a_defect_of_a_source_is_handed_on_as_one() -> None:
    handed = Handed()
    with polling(ScriptedSource(lambda _: ZeroDivisionError("oh")), SHORT_S, handed):
        handed.await_troubles(1)
    (trouble, *_) = handed.troubles
    assert isinstance(trouble, InternalError)
    assert trouble.exit_code is ExitCode.INTERNAL
    assert isinstance(trouble.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    ("interval_s", "cost_s", "in_force_s"),
    [(1, 0, 1), (1, 0.05, 1), (1, 0.1, 1), (1, 0.2, 2), (0.2, 0.74, 7.4), (3600, 1, 3600)],
)
def test_the_interval_stretches_when_a_sample_takes_more_than_a_tenth(
    interval_s: float, cost_s: float, in_force_s: float
) -> None:
    assert stretched_interval(interval_s, cost_s) == pytest.approx(in_force_s)
    assert LARGEST_SHARE == 0.1


def test_a_dear_sample_comes_with_the_interval_that_it_forces() -> None:
    handed = Handed()
    with polling(ScriptedSource(lambda number: costing(numbered(number), 740.0)), 0.2, handed):
        handed.await_samples(1)
    assert handed.samples[0][2] == pytest.approx(7.4)


def test_a_cheap_sample_comes_with_the_interval_asked_for() -> None:
    handed = Handed()
    with polling(ScriptedSource(), LONG_S, handed):
        handed.await_samples(1)
    assert handed.samples[0][2] == LONG_S


def test_a_shorter_interval_takes_effect_during_a_long_one() -> None:
    handed = Handed()
    with polling(ScriptedSource(), LONG_S, handed) as poller:
        handed.await_samples(1)
        poller.set_interval(SHORT_S)
        handed.await_samples(5)


def test_an_interval_changed_during_a_read_counts_from_that_read() -> None:
    """A read of a large table takes its time, and a key may be pressed meanwhile."""
    in_flight, finish = threading.Event(), threading.Event()

    def slowly(number: int) -> Sample:
        if number == 1:
            in_flight.set()
            assert finish.wait(PATIENCE_S)
        return numbered(number)

    handed = Handed()
    with polling(ScriptedSource(slowly), LONG_S, handed) as poller:
        assert in_flight.wait(PATIENCE_S)
        poller.set_interval(SHORT_S)
        finish.set()
        handed.await_samples(3)


def test_an_interval_changed_by_a_callback_takes_effect() -> None:
    """In the poller's own thread, where no lock may be held and the next sample is not yet planned."""
    handed = Handed()

    def on_sample(sample: Sample, request: Request, interval_s: float) -> None:
        poller.set_interval(SHORT_S)
        handed.sample(sample, request, interval_s)

    poller = Poller(ScriptedSource(), LONG_S, on_sample, handed.trouble)
    poller.start()
    handed.await_samples(3)
    poller.stop()
    assert not running(THREAD)


def test_a_longer_interval_brings_no_sample_at_once() -> None:
    """The next sample is due so long after the last: holding down + or - is no burst of reads."""
    source, handed = ScriptedSource(), Handed()
    with polling(source, LONG_S, handed) as poller:
        handed.await_samples(1)
        poller.set_interval(LONG_S / 2)
        too_early = threading.Event()

        def early(number: int) -> Sample:
            too_early.set()
            return numbered(number)

        source.script = early
        assert not too_early.wait(0.2)


# -- What is asked for -------------------------------------------------------------------------------------------------

NARROW = request_for(parse_filter(":80"))
WITH_OWNERS = Request(needs=frozenset({Need.OWNERS}))


def requests_of(handed: Handed) -> list[Request]:
    return [request for _, request, _ in handed.samples]


def test_the_first_sample_is_for_the_request_that_the_poller_is_made_with() -> None:
    source, handed = ScriptedSource(), Handed()
    poller = Poller(source, LONG_S, handed.sample, handed.trouble, NARROW)
    poller.start()
    handed.await_samples(1)
    poller.stop()
    assert source.requests == requests_of(handed) == [NARROW]


def test_another_request_is_that_of_the_next_sample_and_brings_none_by_itself() -> None:
    source, handed = ScriptedSource(), Handed()
    with polling(source, LONG_S, handed) as poller:
        handed.await_samples(1)
        poller.set_request(NARROW, at_once=False)
        poller.set_request(WITH_OWNERS, at_once=False)
        poller.set_interval(SHORT_S)
        handed.await_samples(3)
    assert source.requests[:3] == requests_of(handed)[:3] == [EVERYTHING_PLAIN, WITH_OWNERS, WITH_OWNERS]


def test_a_sample_that_is_asked_for_at_once_comes_before_it_is_due() -> None:
    source, handed = ScriptedSource(), Handed()
    with polling(source, LONG_S, handed) as poller:
        handed.await_samples(1)
        poller.set_request(NARROW, at_once=True)
        handed.await_samples(2)
        poller.set_request(EVERYTHING_PLAIN, at_once=True)
        handed.await_samples(3)
    assert source.requests == requests_of(handed) == [EVERYTHING_PLAIN, NARROW, EVERYTHING_PLAIN]


def test_a_sample_is_handed_on_with_the_request_that_it_was_taken_for() -> None:
    """Not with the one that came while it was read, which the next is taken for."""
    in_flight, finish = threading.Event(), threading.Event()

    def slowly(number: int) -> Sample:
        in_flight.set()
        assert finish.wait(PATIENCE_S)
        return numbered(number)

    handed = Handed()
    with polling(ScriptedSource(slowly), LONG_S, handed) as poller:
        assert in_flight.wait(PATIENCE_S)
        poller.set_request(NARROW, at_once=True)
        finish.set()
        handed.await_samples(2)
    assert requests_of(handed) == [EVERYTHING_PLAIN, NARROW]
    assert [len(sample.table) for sample, *_ in handed.samples] == [1, 1]


def test_asking_again_for_what_is_being_read_takes_no_further_sample() -> None:
    """As many keys as are pressed during a read of a large table."""
    in_flight, finish, further = threading.Event(), threading.Event(), threading.Event()

    def script(number: int) -> Sample:
        if number == 2:
            in_flight.set()
            assert finish.wait(PATIENCE_S)
        elif number > 2:
            further.set()
        return numbered(number)

    source, handed = ScriptedSource(script), Handed()
    with polling(source, LONG_S, handed) as poller:
        handed.await_samples(1)
        poller.set_request(NARROW, at_once=True)
        assert in_flight.wait(PATIENCE_S)
        for _ in range(10):
            poller.set_request(NARROW, at_once=True)
        finish.set()
        handed.await_samples(2)
        assert not further.wait(0.2)
        poller.set_request(WITH_OWNERS, at_once=True)
        handed.await_samples(3)
    assert requests_of(handed) == [EVERYTHING_PLAIN, NARROW, WITH_OWNERS]


# -- Who holds the sockets ---------------------------------------------------------------------------------------------


def found(looked_at: float) -> Whereabouts:
    """What is known when that part of the processes has been looked at."""
    return whereabouts_of({7: (WORKER,)}, looked_at=looked_at)


ALL_OF_THEM = found(1.0)


def test_after_each_sample_its_sockets_are_looked_for() -> None:
    """Once it has been handed on: what is shown does not wait for that."""
    handed, handed_before_look = Handed(), list[int]()

    def finds(_number: int) -> Whereabouts:
        handed_before_look.append(len(handed.samples))
        return ALL_OF_THEM

    source = ScriptedSource(finds=finds)
    with polling(source, SHORT_S, handed):
        handed.await_looks(5)
    assert [(look.after, look.sockets) for look in source.looks] == [(n, n) for n in range(1, len(source.looks) + 1)]
    assert handed_before_look == [look.after for look in source.looks]
    assert {id(whereabouts) for whereabouts, _ in handed.looks} == {id(ALL_OF_THEM)}
    assert all(spent_s >= 0 for _, spent_s in handed.looks)
    assert source.threads == {THREAD}


@pytest.mark.parametrize(("interval_s", "budget_s"), [(0.2, 0.02), (1, 0.1), (2, 0.2), (10, 0.25), (LONG_S, 0.25)])
def test_a_look_may_take_a_tenth_of_the_interval_and_never_long(interval_s: float, budget_s: float) -> None:
    assert look_budget(interval_s) == pytest.approx(budget_s)
    source, handed = ScriptedSource(finds=lambda _: ALL_OF_THEM), Handed()
    with polling(source, interval_s, handed):
        handed.await_looks(1)
    (first, *_) = source.looks
    assert first == Look(after=1, sockets=1, budget_s=look_budget(interval_s))


def test_where_processes_cannot_be_seen_that_is_handed_on() -> None:
    source, handed = ScriptedSource(), Handed()
    with polling(source, SHORT_S, handed):
        source.await_looks(3)
    assert {found for found, _ in handed.looks} == {None}
    assert [look.after for look in source.looks] == list(range(1, len(source.looks) + 1))


def test_as_long_as_there_are_processes_that_were_never_looked_at_it_goes_on() -> None:
    """On a machine with many of them the first look takes longer than anybody waits for a sample."""
    parts = (0.3, 0.6, 0.999, 1.0)
    source, handed = ScriptedSource(finds=lambda number: found(parts[min(number, len(parts)) - 1])), Handed()
    with polling(source, LONG_S, handed) as poller:
        handed.await_looks(4)
        poller.set_request(NARROW, at_once=True)
        handed.await_looks(5)
    assert [look.after for look in source.looks] == [1, 1, 1, 1, 2]
    assert [each and each.owners.looked_at for each, _ in handed.looks] == [*parts, 1.0]
    assert [look.budget_s for look in source.looks] == [0.25, *[FIRST_LOOK_S] * 3, 0.25]


def test_between_two_looks_it_rests_as_long_as_it_looked() -> None:
    began_s: list[float] = []
    ended_s: list[float] = []

    def finds(number: int) -> Whereabouts:
        began_s.append(time.monotonic())
        whereabouts = found(number / 8)
        ended_s.append(time.monotonic())
        return whereabouts

    source, handed = ScriptedSource(finds=finds), Handed()
    with polling(source, LONG_S, handed):
        handed.await_looks(8)
    spent = [ended - began for began, ended in zip(began_s, ended_s, strict=True)]
    rested = [began - ended for began, ended in zip(began_s[1:], ended_s, strict=False)]
    assert all(rest >= look for rest, look in zip(rested, spent, strict=False))
    assert all(told_s >= spent_s for (_, told_s), spent_s in zip(handed.looks, spent, strict=True))


def test_a_sample_that_is_due_does_not_wait_for_all_processes() -> None:
    source, handed = ScriptedSource(finds=lambda _: found(0.5)), Handed()
    with polling(source, SHORT_S, handed):
        handed.await_samples(20)
    assert handed.troubles == []
    assert {look.after for look in source.looks} >= set(range(1, 20))


def test_a_sample_that_is_asked_for_comes_before_the_next_look() -> None:
    looking, finish = threading.Event(), threading.Event()

    def finds(_number: int) -> Whereabouts:
        looking.set()
        assert finish.wait(PATIENCE_S)
        return found(0.5)

    source, handed = ScriptedSource(finds=finds), Handed()
    with polling(source, LONG_S, handed) as poller:
        assert looking.wait(PATIENCE_S)
        poller.set_request(NARROW, at_once=True)
        finish.set()
        handed.await_samples(2)
        source.await_looks(2)
    assert [look.after for look in source.looks[:2]] == [1, 2]


def test_stopping_waits_for_the_look_in_flight_and_begins_no_other() -> None:
    looking, finish = threading.Event(), threading.Event()
    source = ScriptedSource()

    def finds(_number: int) -> Whereabouts:
        looking.set()
        assert finish.wait(PATIENCE_S)
        assert not source.closed.is_set()
        return found(0.5)

    source.finds = finds
    handed = Handed()
    poller = Poller(source, LONG_S, handed.sample, handed.trouble, on_look=handed.look)
    poller.start()
    assert looking.wait(PATIENCE_S)
    stopping = threading.Thread(target=poller.stop)
    stopping.start()
    assert not source.closed.is_set()
    finish.set()
    stopping.join(PATIENCE_S)
    assert source.closed.is_set()
    assert (source.taken, len(source.looks)) == (1, 1)
    assert not running(THREAD)


def test_nothing_is_looked_for_where_there_is_no_sample() -> None:
    lost = SourceError("the kernel gives no sock_diag dump")
    source = ScriptedSource(lambda number: lost if number % 2 else numbered(number), lambda _: ALL_OF_THEM)
    handed = Handed()
    with polling(source, SHORT_S, handed):
        handed.await_looks(3)
    assert [look.after for look in source.looks[:3]] == [2, 4, 6]


def test_a_defect_in_looking_is_handed_on_and_sampling_goes_on() -> None:
    source, handed = ScriptedSource(finds=lambda _: ZeroDivisionError("oh")), Handed()
    with polling(source, SHORT_S, handed):
        handed.await_samples(3)
        handed.await_troubles(2)
    assert all(isinstance(trouble, InternalError) for trouble in handed.troubles)
    assert isinstance(handed.troubles[0].__cause__, ZeroDivisionError)
    assert handed.looks == []


# -- Glances -----------------------------------------------------------------------------------------------------------


class Glances:
    """What a poller has glanced at, and the means to wait for it."""

    def __init__(self) -> None:
        self.seen: list[Sample] = []
        self._changed = threading.Condition()

    def __call__(self, sample: Sample) -> None:
        with self._changed:
            self.seen.append(sample)
            self._changed.notify_all()

    def await_count(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen) >= count, PATIENCE_S)


def freeing(number: int) -> Sample:
    """A sample before which the kernel has freed one socket."""
    return replace(numbered(number), destroyed=Destroyed(numbered(1).table.rows))


def test_between_two_samples_the_listeners_are_glanced_at() -> None:
    """What the kernel tells of freed sockets only once is handed on with the next sample."""
    source, handed, glances = ScriptedSource(freeing), Handed(), Glances()
    poller = Poller(source, LONG_S, handed.sample, handed.trouble, on_glance=glances)
    poller.start()
    try:
        glances.await_count(2)
        poller.set_request(request_for(None, frozenset({Need.MARKS})), at_once=True)
        handed.await_samples(2)
    finally:
        poller.stop()
    assert source.requests[:3] == [EVERYTHING_PLAIN, GLANCE, GLANCE]
    assert all(len(sample.table) == 0 for sample in glances.seen)  # nobody listens
    first, second = (sample for sample, *_ in handed.samples)
    assert first.destroyed is not None
    assert second.destroyed is not None
    assert len(first.destroyed.rows) == 1
    assert len(second.destroyed.rows) == 1 + len(glances.seen)
    assert second.destroyed.is_complete


@pytest.mark.parametrize(
    "sample",
    [
        lambda number: replace(numbered(number), absent_fields=frozenset({"backlog"})),
        lambda number: replace(numbered(number), origin=replace(numbered(number).origin, is_still=True)),
    ],
    ids=["no backlogs", "a text"],
)
def test_nobody_glances_at_what_tells_nothing(sample: Callable[[int], Sample]) -> None:
    source, handed, glances = ScriptedSource(sample), Handed(), Glances()
    poller = Poller(source, LONG_S, handed.sample, handed.trouble, on_look=handed.look, on_glance=glances)
    poller.start()
    try:
        for needs in (Need.MARKS, Need.TCP_INFO):
            poller.set_request(request_for(None, frozenset({needs})), at_once=True)
            handed.await_samples(1 + (needs is Need.TCP_INFO))
    finally:
        poller.stop()
    assert GLANCE not in source.requests


def test_short_intervals_have_no_glances() -> None:
    source, handed, glances = ScriptedSource(), Handed(), Glances()
    poller = Poller(source, SHORT_S, handed.sample, handed.trouble, on_glance=glances)
    poller.start()
    handed.await_samples(20)
    poller.stop()
    assert not glances.seen


def test_a_defect_in_a_glance_is_handed_on() -> None:
    handed, glances = Handed(), Glances()
    source = ScriptedSource(lambda number: numbered(number) if number == 1 else ZeroDivisionError("oh"))
    poller = Poller(source, LONG_S, handed.sample, handed.trouble, on_glance=glances)
    poller.start()
    handed.await_troubles(1)
    poller.stop()
    assert isinstance(handed.troubles[0], InternalError)
