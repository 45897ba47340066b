"""Samples in, frames out: remembers what a single sample cannot tell. Owned by one thread."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.attribution import attribute, attributed
from tcptui.model.fields import INFO_FIELDS
from tcptui.model.history import History
from tcptui.model.sample import Sample, Whereabouts, destroyed_together
from tcptui.monitor.frame import (
    Frame,
    Retrospect,
    build_frame,
    counted_frame,
    is_about_holders,
    reframed,
    with_state_changes,
)
from tcptui.monitor.memory import Memory, Recollection
from tcptui.monitor.past import Past, Recalled
from tcptui.monitor.steps import Step, target
from tcptui.monitor.trends import Trends
from tcptui.monitor.view import View
from tcptui.monitor.watch import Watch, Watcher
from tcptui.query.request import EVERYTHING_PLAIN, Need, Request, follows_sockets, request_for

_EVERYTHING = Request(needs=frozenset(Need))
"""What a sample answers that nothing can be added to."""


@dataclass(frozen=True, eq=False)
class _Take:
    """A frame, what its sample was taken for, and the history that goes with it."""

    frame: Frame
    request: Request
    history: History
    previous_request: Request = EVERYTHING_PLAIN
    """What the sample before, if the frame has one, was taken for."""
    is_over: bool = False
    """Whether nothing more can be asked for: then it does for any view of the same rows."""
    has_rows: bool = True
    """Whether there are rows, or only how many sockets each state had."""

    @property
    def monotonic_s(self) -> float:
        """When the sample was taken."""
        return self.frame.sample.monotonic_s

    def answers(self, view: View) -> bool:
        """Whether the sample has in it all that ``view`` shows, as far as that is still to be had."""
        return self.request.covers(_compared(view) if self.is_over else view.request.of_sockets)

    def is_comparable(self, view: View) -> bool:
        """Whether the next sample can be compared with this one in ``view``."""
        return self.request.covers(_compared(view))

    def in_view(self, view: View, history: History) -> "_Take":
        """The same sample in another view; without the sample before where that does not answer it."""
        frame = self.frame
        if not self.previous_request.covers(_compared(view)):
            frame = replace(frame, previous=None)
        return replace(self, frame=reframed(frame, view), history=history)


class Monitor:
    """Joins each sample with the one before and keeps the history of what is shown.

    While it is frozen, ``shown`` stays at one sample, or goes from one that is over to another, in whatever view is
    asked for; memory goes on growing.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._unfiltered = History()
        self._filtered = History()
        self._memory = Memory()
        self._watcher = Watcher()
        self._trends = Trends()
        self._kept = Past()
        self._over: tuple[Sample, Request] | None = None
        """The sample before the last, until it is put away."""
        self._last: Sample | None = None
        """The last sample, whether it answered the view or not."""
        self._last_request = EVERYTHING_PLAIN
        self._newest: _Take | None = None
        self._frozen: _Take | None = None
        self._is_frozen = False
        self._horizon_s = 0.0
        """While it is frozen, the time of the newest sample that one can go to, as far as that was told."""

    @property
    def shown(self) -> Frame | None:
        """The frame to show; None before the first sample."""
        take = self._frozen or self._newest
        if take is None:
            return None
        if take.frame.sample.origin.is_still:
            return take.frame
        if not self._is_frozen:
            return self._trends.shown_in(take.frame.with_history(take.history.view(until_s=take.monotonic_s)))
        frame = take.frame.with_history(take.history.view(until_s=max(self._horizon_s, take.monotonic_s)))
        told = take.history.transitions_at(take.monotonic_s) or frame.transitions
        frame = replace(frame, transitions=told)
        return self._trends.shown_in(replace(with_state_changes(frame), retrospect=self._retrospect(take)))

    @property
    def newest(self) -> Frame | None:
        """The newest sample in the present view, whatever is shown; None where that does not answer it."""
        return self._newest.frame if self._newest is not None and self._newest.frame.sample is self._last else None

    @property
    def is_frozen(self) -> bool:
        """Whether ``shown`` does not follow the samples."""
        return self._is_frozen

    @property
    def is_behind(self) -> bool:
        """Whether what is shown is of an earlier view, since its sample does not answer the present one."""
        take = self._frozen or self._newest
        return take is not None and take.frame.view != self._view

    def accept(self, sample: Sample, request: Request = EVERYTHING_PLAIN) -> None:
        """Take a new sample, which was taken for ``request``.

        One that does not answer the view, because that has changed in the meantime, is left alone; what the kernel told
        of sockets that it freed before it belongs to the next.
        """
        if sample.origin.is_still:
            self._take_still(sample, request)
            return
        self.put_away()
        self._over = (self._last, self._last_request) if self._last is not None else None
        request = _served(sample, request)
        sample = _recalled(sample, self._memory.update(sample, request))
        if self._last is not None and (self._newest is None or self._newest.frame.sample is not self._last):
            sample = replace(sample, destroyed=destroyed_together(self._last.destroyed, sample.destroyed))
        self._last, self._last_request = sample, request
        if not request.covers(self._view.request.of_sockets):
            self._remember_unfiltered(sample, None)
            return
        before = self._newest if self._newest is not None and self._newest.is_comparable(self._view) else None
        joins = follows_sockets(request) and (before is None or follows_sockets(before.request))
        frame = build_frame(self._view, sample, self._in_view_of_now(before.frame) if before else None, joins=joins)
        frame = replace(frame, watch=self._watcher.update(sample, self._view.watched))
        self._newest = _Take(frame, request, self._history, before.request if before else EVERYTHING_PLAIN)
        if self._is_frozen and self._frozen is None:
            self.freeze()
        self._remember_unfiltered(sample, frame)
        self._remember_filtered(frame)
        self._trends.remember(frame)

    def _take_still(self, sample: Sample, request: Request) -> None:
        """Take the only sample that there is, perhaps once more: nothing in it changes, and nothing is remembered."""
        self._last = attributed(sample)
        frame = build_frame(self._view, self._last)
        frame = replace(frame, watch=self._watcher.update(self._last, self._view.watched))
        self._newest = _Take(frame, replace(_EVERYTHING, watched=request.watched), self._history)

    def put_away(self) -> None:
        """Put the sample before the last to those that can be gone back to; what needs it there does it by itself."""
        if self._over is not None:
            self._kept.append(*self._over)
            self._over = None

    @property
    def _past(self) -> Past:
        """All samples but the last."""
        self.put_away()
        return self._kept

    def learn(self, whereabouts: Whereabouts) -> bool:
        """Take what has been found out about who holds the sockets of the newest sample; whether that is new."""
        if self._last is None or self._last.whereabouts is whereabouts:
            return False
        before, self._last = self._last, replace(self._last, whereabouts=whereabouts)
        self._last = _recalled(self._last, self._memory.learn(self._last))
        self._newest = self._informed(self._newest, before)
        self._frozen = self._informed(self._frozen, before)
        return True

    def _informed(self, take: _Take | None, before: Sample) -> _Take | None:
        """The same take with what is known of its sample now, if it is of the last one."""
        if take is None or take.frame.sample.table is not before.table:
            return take
        assert self._last is not None
        frame = replace(take.frame, sample=_told_of(self._last, take.request) if take.is_over else self._last)
        if is_about_holders(frame.view):
            frame = replace(reframed(replace(frame, transitions=None), frame.view), transitions=frame.transitions)
        watch = self._watcher.learn(self._last) if take.frame.watch is not None else None
        return replace(take, frame=replace(frame, watch=_past(watch) if take.is_over else watch))

    def show(self, view: View) -> None:
        """Change the view, of the frozen sample too; a sample that does not answer it stays as it is shown."""
        is_other_filter = view.filter != self._view.filter
        self._view = view
        if is_other_filter:
            self._filtered = History()
        self._newest = self._in_present_view(self._newest)
        self._frozen = self._in_present_view(self._frozen)
        answers = [take.frame for take in (self._frozen, self._newest) if take is not None and take.frame.view == view]
        if is_other_filter and answers:
            self._remember_filtered(answers[0])

    def covers(self, request: Request) -> bool:
        """Whether the newest sample is good for ``request`` too."""
        return self._newest is not None and self._newest.request.covers(request)

    def freeze(self) -> None:
        """Keep showing the present sample; before there is one, the first that comes."""
        self._is_frozen = True
        self._frozen = _over(self._newest) if self._newest is not None else None
        self._horizon_s = self._frozen.monotonic_s if self._frozen is not None else 0.0

    def thaw(self) -> None:
        """Show the newest sample again."""
        self._is_frozen = False
        self._frozen = None

    def step(self, steps: Iterable[Step]) -> None:
        """Go to other moments, one after the other, and stay at the last; freezes what is not frozen."""
        if not self._is_frozen:
            self.freeze()
        if self._frozen is None or self._newest is None:
            return
        kept_s, counted_s = self._kept_s, self._history.view().monotonic_s
        now_s = self._frozen.monotonic_s
        for step in steps:
            now_s = target(now_s, step, kept_s, counted_s)
        self._horizon_s = self._newest.monotonic_s
        if now_s != self._frozen.monotonic_s:
            self._frozen = self._take_at(now_s) or self._frozen

    @property
    def _kept_s(self) -> NDArray[np.float64]:
        """When the samples were taken that have rows for the present view."""
        kept_s = self._past.times_answering(_compared(self._view))
        if self._newest is None or not self._newest.request.covers(_compared(self._view)):
            return kept_s
        return np.append(kept_s[kept_s < self._newest.monotonic_s], self._newest.monotonic_s)

    def _take_at(self, monotonic_s: float) -> _Take | None:
        """What is known of a moment; None where that is nothing."""
        if self._newest is not None and monotonic_s == self._newest.monotonic_s:
            return _over(self._newest)
        recalled = self._past.at(monotonic_s)
        if recalled is not None and recalled.request.covers(_compared(self._view)):
            return self._taken_again(recalled)
        history, about = self._history.view(), self._past.about(monotonic_s)
        at = int(np.searchsorted(history.monotonic_s, monotonic_s))
        if about is None or at == len(history) or history.monotonic_s[at] != monotonic_s:
            return None
        bare = replace(
            about,
            monotonic_s=monotonic_s,
            taken_at=about.taken_at + timedelta(seconds=monotonic_s - about.monotonic_s),
            is_whole=False,
            whereabouts=None,
            detail=None,
        )
        frame = counted_frame(self._view, bare, history.counts[at])
        return _Take(frame, EVERYTHING_PLAIN, self._history, is_over=True, has_rows=False)

    def _taken_again(self, recalled: Recalled) -> _Take:
        """The frame of a sample that is over, in the present view."""
        view, previous = self._view, recalled.previous
        sample = _told_of(recalled.sample, recalled.request)
        if previous is None or not previous.request.covers(_compared(view)):
            frame, previous_request = build_frame(view, sample), EVERYTHING_PLAIN
        else:
            joins = follows_sockets(recalled.request) and follows_sockets(previous.request)
            frame = build_frame(view, sample, build_frame(view, previous.sample), joins=joins)
            previous_request = previous.request
        take = _Take(frame, recalled.request, self._history, previous_request, is_over=True)
        return self._looked_at(take)

    def _looked_at(self, take: _Take) -> _Take:
        """A take that is over with the connection that the view is about, if that is another than before."""
        watch, watched = take.frame.watch, take.frame.view.watched
        if watched is None or (watch is not None and watch.key == watched):
            return take
        return replace(take, frame=replace(take.frame, watch=self._watcher.recalled(take.frame.sample, watched)))

    def _retrospect(self, take: _Take) -> Retrospect:
        """From where a frozen take is looked at."""
        newest_s = self._last.monotonic_s if self._last is not None else take.monotonic_s
        ago_s = max(newest_s - take.monotonic_s, 0.0)
        if take.has_rows:
            return Retrospect(ago_s)
        kept_s = self._kept_s
        at = int(np.searchsorted(kept_s, take.monotonic_s))
        before, after = kept_s[:at][-1:], kept_s[at : at + 1]
        return Retrospect(ago_s, has_rows=False, nearest=(_clock(take.frame, before), _clock(take.frame, after)))

    @property
    def _history(self) -> History:
        """The history of what the view shows."""
        return self._filtered if self._view.filter else self._unfiltered

    def _in_present_view(self, take: _Take | None) -> _Take | None:
        """The same sample in the view asked for, if it can answer that."""
        if take is None or not take.answers(self._view):
            return take
        if not take.has_rows:
            nearest_s = target(
                take.monotonic_s, Step(to_s=take.monotonic_s), self._kept_s, self._history.view().monotonic_s
            )
            return self._take_at(nearest_s) or take
        take = take.in_view(self._view, self._history)
        return self._looked_at(take) if take.is_over else take

    def _in_view_of_now(self, frame: Frame) -> Frame:
        """The same sample as it has to be compared with the next."""
        return frame if frame.view == self._view else build_frame(self._view, frame.sample)

    def _remember_unfiltered(self, sample: Sample, frame: Frame | None) -> None:
        if sample.is_whole:
            is_of_all = frame is not None and frame.mask is None
            transitions = frame.transitions if frame is not None and is_of_all else None
            self._unfiltered.append(sample.monotonic_s, sample.table.state_counts(), transitions)

    def _remember_filtered(self, frame: Frame) -> None:
        if frame.mask is not None:
            counts = frame.sample.table.state_counts(frame.mask)
            self._filtered.append(frame.sample.monotonic_s, counts, frame.transitions)


def _over(take: _Take) -> _Take:
    """A take that samples go on without."""
    if take.is_over:
        return take
    sample = _told_of(take.frame.sample, take.request)
    return replace(take, frame=replace(take.frame, sample=sample, watch=_past(take.frame.watch)), is_over=True)


def _past(watch: Watch | None) -> Watch | None:
    return watch and replace(watch, is_past=True)


def _told_of(sample: Sample, request: Request) -> Sample:
    """A sample that nothing more can be asked for, which says of what it was not taken for that it does not know it."""
    if Need.TCP_INFO in request.needs:
        return sample
    return replace(sample, absent_fields=sample.absent_fields | INFO_FIELDS)


def _clock(frame: Frame, times_s: NDArray[np.float64]) -> datetime | None:
    return frame.clock_at(float(times_s[0])) if len(times_s) else None


def _compared(view: View) -> Request:
    """What a sample must have in it to be compared with another in ``view``: that decides which rows are meant."""
    return request_for(view.filter).of_sockets


def _served(sample: Sample, request: Request) -> Request:
    """The widest request that a sample is good for: a source may give more than it was asked for."""
    return replace(request.of_sockets, scope=None if sample.is_whole else request.scope)


def _recalled(sample: Sample, recollection: Recollection) -> Sample:
    """A sample with what is remembered of its sockets."""
    return replace(
        sample,
        age_ms=recollection.age_ms,
        is_watched=recollection.is_watched,
        destroyed=recollection.brief,
        attribution=attribute(sample, recollection.remembered),
    )
