"""The framing thread: the newest sample and the newest wish become a frame, and no front end waits for either.

What the user wants goes before what has been found out: a frame for a key is not made behind a sample's, and while a
filter is typed, samples that take long wait for a rest. It also has each sample judged, if somebody judges.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tcptui.diagnosis.course import queues_in
from tcptui.errors import InternalError, TcptuiError
from tcptui.model.sample import Sample, Whereabouts, destroyed_together
from tcptui.monitor.frame import Frame
from tcptui.monitor.judge import Episode, Judge, Judgement
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.poller import Poller, look_budget
from tcptui.monitor.presence import present_in
from tcptui.monitor.steps import Step
from tcptui.monitor.view import View
from tcptui.query.present import NOTHING_PRESENT, Present
from tcptui.query.request import Request
from tcptui.query.syntax import Filter
from tcptui.sources.base import Source


@dataclass(frozen=True, eq=False)
class Presentation:
    """What a front end shows right now. Compared by identity."""

    frame: Frame | None
    """None before the first sample."""
    asked_interval_s: float
    interval_s: float
    """The interval in force, stretched if samples are dear."""
    is_paused: bool
    trouble: TcptuiError | None
    """Why there is no newer sample."""
    is_behind: bool = False
    """The frame is still of an earlier view: its sample has too little for the one that was asked for since."""
    present: Present = NOTHING_PRESENT
    """What a filter that is being typed can be completed with."""
    look_ms: float = 0.0
    """What the last look for the holders of sockets has cost."""
    judgement: Judgement | None = None
    """What is thought of the frame's sample, or of the last before it that was judged; None where that is not known."""
    is_unjudged: bool = False
    """Whether it stays as it was, because samples come that cannot be judged."""
    episodes: tuple[Episode, ...] = ()
    """What was wrong from when to when."""

    @property
    def look_budget_ms(self) -> float:
        """What a look for the holders of new sockets may cost."""
        return look_budget(self.asked_interval_s) * 1e3


SURVEY_INTERVAL_S = 5.0
"""Age at which what completes a filter is looked for anew."""


@dataclass(frozen=True)
class Patience:
    """How long what has come waits, so that what the user does is answered first. All in seconds."""

    look_s: float = 0.03
    """A sample waits so long for what the look for its holders finds: most are over by then, and both are shown at
    once."""
    dear_s: float = 0.015
    """From here on it takes long to take a sample up: a key that comes meanwhile would be answered late."""
    rest_s: float = 0.25
    """Then it waits, while a filter is typed, until no key has come for so long."""
    longest_s: float = 2.5
    """Nothing waits longer than this, whatever the user does."""


_USUAL_PATIENCE = Patience()


@dataclass(frozen=True, eq=False)
class _Wish:
    """A view that was asked for."""

    view: View
    is_settled: bool

    @property
    def request(self) -> Request:
        """What to sample for it; while a filter is still being typed, every sample has all sockets."""
        request = self.view.request.of_sockets
        return request if self.is_settled else replace(request, scope=None)


@dataclass(frozen=True, eq=False)
class _Wishes:
    """What the user has come to want since the thread last looked; each slot holds the newest only."""

    view: _Wish | None = None
    pause: bool | None = None
    steps: tuple[Step, ...] = ()
    """These add up: each begins where the one before ends."""


@dataclass(frozen=True, eq=False)
class _Arrivals:
    """What the source has given since then; each slot holds the newest only."""

    since_s: float
    """When the first of it came."""
    sample: tuple[Sample, Request] | None = None
    whereabouts: Whereabouts | None = None
    """What the look after that sample has found; without a sample, a look after one that was taken up before."""
    is_looked: bool = False
    """Whether the look after the sample has had a result, or there is none."""


class Presenter:
    """Holds the newest of everything; a newer sample, wish or frame replaces one that nobody took."""

    def __init__(
        self,
        source: Source,
        view: View,
        interval_s: float,
        judge: Judge | None = None,
        *,
        patience: Patience = _USUAL_PATIENCE,
    ) -> None:
        """Without a ``judge`` nobody says what is wrong."""
        self._patience = patience
        self._monitor = Monitor(view)
        self._judge = judge
        self._whose: Filter | None = view.filter
        """The filter that is settled, whose sockets are judged."""
        self._shown_judgement: Judgement | None = None
        self._queues: dict[tuple[int, ...], int] = {}
        """The longest that accept queues were seen since the last sample."""
        self._poller = Poller(
            source,
            interval_s,
            self._take_sample,
            self._take_trouble,
            self._asked(view.request.of_sockets),
            self._take_look,
            self._take_glance if judge is not None and judge.glances else None,
        )
        self._changed = threading.Condition()
        self._wishes: _Wishes | None = None
        self._arrivals: _Arrivals | None = None
        self._stopping = False
        self._wish: _Wish | None = None
        self._wished_s = 0.0
        """When a view was asked for last."""
        self._taking_up_s = 0.0
        """How long it took to take up the last sample."""
        self._surveyed_at_s: float | None = None
        self._surveyed_completeness = (False, False)
        self._latest = Presentation(None, interval_s, interval_s, is_paused=False, trouble=None)
        self._announce: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="tcptui-presenter", daemon=True)

    def start(self, announce: Callable[[], None]) -> None:
        """Begin; ``announce`` is called, in another thread, whenever ``latest()`` has something new."""
        self._announce = announce
        self._thread.start()
        self._poller.start()

    def stop(self) -> None:
        """End both threads and close the source."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._poller.stop()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def latest(self) -> Presentation:
        """The newest presentation."""
        return self._latest

    def show(self, view: View, *, is_settled: bool = True) -> None:
        """Ask for another view.

        If it is settled, the samples to come hold what its filter means; until then they hold everything, so that any
        other filter finds its answer in the newest of them.
        """
        self._want(view=_Wish(view, is_settled))

    def pause(self, paused: bool) -> None:  # noqa: FBT001 - a state, not a choice of behaviour
        """Keep showing the present sample, or go on; sampling goes on either way."""
        self._want(pause=paused, steps=())

    def step(self, step: Step) -> None:
        """Go to another moment from the one that is shown, and stay there until ``pause(False)``."""
        with self._changed:
            before = self._wishes.steps if self._wishes is not None else ()
            self._want(steps=(*before, step))

    def set_interval(self, interval_s: float) -> None:
        """Sample every ``interval_s`` seconds."""
        with self._changed:
            self._latest = replace(self._latest, asked_interval_s=interval_s, interval_s=interval_s)
        self._poller.set_interval(interval_s)
        self._announce()

    def _take_sample(self, sample: Sample, request: Request, interval_s: float) -> None:
        with self._changed:
            lasting = self._latest.trouble if isinstance(self._latest.trouble, InternalError) else None
            self._latest = replace(self._latest, interval_s=interval_s, trouble=lasting)
            unread = self._arrivals.sample if self._arrivals is not None else None
            if unread is not None:
                sample = replace(sample, destroyed=destroyed_together(unread[0].destroyed, sample.destroyed))
            # In one go: else the thread might take the unread one meanwhile.
            self._arrive(sample=(sample, request), whereabouts=None, is_looked=False)

    def _take_glance(self, sample: Sample) -> None:
        """Nobody is woken for it: it counts with the next sample."""
        seen = queues_in(sample)
        with self._changed:
            for key, length in seen.items():
                self._queues[key] = max(length, self._queues.get(key, 0))

    def _take_look(self, whereabouts: Whereabouts | None, spent_s: float) -> None:
        with self._changed:
            if whereabouts is not None:
                self._latest = replace(self._latest, look_ms=spent_s * 1e3)
            self._arrive(whereabouts=whereabouts, is_looked=True)

    def _take_trouble(self, trouble: TcptuiError) -> None:
        with self._changed:
            self._latest = replace(self._latest, trouble=trouble)
        self._announce()

    def _want(self, **wishes: _Wish | tuple[Step, ...] | bool) -> None:
        """Put what is wanted into its slot and wake the thread."""
        with self._changed:
            self._wishes = replace(self._wishes or _Wishes(), **wishes)  # type: ignore[arg-type] # checked by callers
            self._changed.notify()

    def _arrive(self, **arrivals: tuple[Sample, Request] | Whereabouts | bool | None) -> None:
        """Put what has come into its slot and wake the thread."""
        with self._changed:
            before = self._arrivals or _Arrivals(time.monotonic())
            self._arrivals = replace(before, **arrivals)  # type: ignore[arg-type] # slots checked by callers
            self._changed.notify()

    def _run(self) -> None:
        try:
            while (news := self._wait_for_news()) is not None:
                if isinstance(news, _Wishes):
                    self._fulfil(news)
                    self._present_frame()
                elif self._take_up(news):
                    self._present_frame()
                    if self._wishes is None:
                        self._monitor.put_away()
                if self._is_typing:
                    self._survey()
        except Exception as error:  # noqa: BLE001 - a thread's bug must reach the front end, which ends on it
            self._take_trouble(InternalError.of(error))

    @property
    def _is_typing(self) -> bool:
        """Whether a filter is being typed."""
        return self._wish is not None and not self._wish.is_settled

    def _present_frame(self) -> None:
        monitor = self._monitor
        frame = monitor.shown
        self._shown_judgement = self._judgement_of(frame)
        with self._changed:
            self._latest = replace(
                self._latest,
                frame=frame,
                is_paused=monitor.is_frozen,
                is_behind=monitor.is_behind,
                judgement=self._shown_judgement,
                is_unjudged=self._judge is not None and self._judge.is_suspended,
                episodes=self._judge.episodes if self._judge is not None else (),
            )
        self._announce()

    def _judgement_of(self, frame: Frame | None) -> Judgement | None:
        """What is thought of the frame's sample; while that stays, with all that it was made of."""
        if self._judge is None or frame is None:
            return None
        if not self._monitor.is_frozen:
            return self._judge.newest
        found, shown = self._judge.at(frame.sample.monotonic_s), self._shown_judgement
        return shown if found is not None and shown is not None and found.at_s == shown.at_s else found

    def _judge_newest(self) -> None:
        """Have the newest sample judged."""
        newest = self._monitor.newest
        if self._judge is None or newest is None:
            return
        with self._changed:
            queues, self._queues = self._queues, {}
        is_of_filter = self._whose is not None and newest.view.filter == self._whose
        self._judge.take(
            newest.sample, self._whose if is_of_filter else None, newest.mask if is_of_filter else None, queues
        )

    def _survey(self) -> None:
        """Find what there is to complete a filter with; the frame does not wait for that."""
        sample = self._latest.frame.sample if self._latest.frame else None
        if sample is None or not self._is_worth_a_survey(sample):
            return
        present = present_in(sample)
        self._surveyed_at_s, self._surveyed_completeness = sample.monotonic_s, _completeness(sample)
        with self._changed:
            self._latest = replace(self._latest, present=present)
        self._announce()

    def _is_worth_a_survey(self, sample: Sample) -> bool:
        if self._surveyed_at_s is None or _completeness(sample) > self._surveyed_completeness:
            return True
        is_old = sample.monotonic_s - self._surveyed_at_s >= SURVEY_INTERVAL_S
        return is_old and time.monotonic() >= self._rest_s

    @property
    def _rest_s(self) -> float:
        """From when on there is time for what takes long."""
        is_pressed = self._is_typing and self._taking_up_s >= self._patience.dear_s
        return self._wished_s + self._patience.rest_s if is_pressed else -math.inf

    def _asked(self, request: Request) -> Request:
        """``request`` with what the judge needs beside it."""
        return request if self._judge is None else self._judge.asks(request)

    def _ask(self, wish: _Wish) -> None:
        """Have the samples to come taken for ``wish``, and one at once if there is none that answers it."""
        request = self._asked(wish.request)
        self._poller.set_request(request, at_once=not self._monitor.covers(request))

    def _wait_for_news(self) -> _Wishes | _Arrivals | None:
        """What is wanted, else what has come once it is time for that; None when it is time to stop."""
        with self._changed:
            while not self._stopping:
                wishes, arrivals, now_s = self._wishes, self._arrivals, time.monotonic()
                is_overdue = arrivals is not None and now_s - arrivals.since_s >= self._patience.longest_s
                if wishes is not None and not is_overdue:
                    self._wishes = None
                    return wishes
                left_s = None if arrivals is None else self._due_s(arrivals) - now_s
                if left_s is not None and left_s <= 0:
                    self._arrivals = None
                    return arrivals
                self._changed.wait(left_s)
            return None

    def _due_s(self, arrivals: _Arrivals) -> float:
        """When to take up what has come: at once if somebody waits for it."""
        due_s, patience = arrivals.since_s, self._patience
        if self._latest.frame is None or self._latest.is_behind:
            return due_s
        if arrivals.sample is not None and not arrivals.is_looked:
            due_s += patience.look_s
        return min(max(due_s, self._rest_s), arrivals.since_s + patience.longest_s)

    def _fulfil(self, wishes: _Wishes) -> None:
        if wishes.pause is not None:
            if wishes.pause:
                self._monitor.freeze()
            else:
                self._monitor.thaw()
        if wishes.steps:
            self._monitor.step(wishes.steps)
        if wishes.view is not None:
            self._wished_s = time.monotonic()
            if not self._is_typing:
                self._surveyed_at_s = None
            self._wish = wishes.view
            self._whose = wishes.view.view.filter if wishes.view.is_settled else None
            self._monitor.show(wishes.view.view)
            self._ask(wishes.view)

    def _take_up(self, arrivals: _Arrivals) -> bool:
        """Whether there is something new in what has come."""
        if arrivals.sample is None:
            return arrivals.whereabouts is not None and self._monitor.learn(arrivals.whereabouts)
        started_s = time.monotonic()
        sample, request = arrivals.sample
        if arrivals.whereabouts is not None:
            sample = replace(sample, whereabouts=arrivals.whereabouts)
        self._monitor.accept(sample, request)
        self._judge_newest()
        self._taking_up_s = time.monotonic() - started_s
        return True


def _completeness(sample: Sample) -> tuple[bool, bool]:
    """Whether all sockets are there to complete a filter with, and whether all processes have been looked at."""
    return sample.is_whole, sample.owners is not None and sample.owners.looked_at >= 1
