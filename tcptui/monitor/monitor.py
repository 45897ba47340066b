"""Samples in, frames out: remembers what a single sample cannot tell. Owned by one thread."""

from dataclasses import dataclass, replace

from tcptui.analysis.attribution import attribute, attributed
from tcptui.model.history import History
from tcptui.model.sample import Sample, Whereabouts, destroyed_together
from tcptui.monitor.frame import Frame, build_frame, is_about_holders, reframed
from tcptui.monitor.memory import Memory, Recollection
from tcptui.monitor.trends import Trends
from tcptui.monitor.view import View
from tcptui.monitor.watch import Watcher
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

    def answers(self, view: View) -> bool:
        """Whether the sample has in it all that ``view`` shows."""
        return self.request.covers(view.request.of_sockets)

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

    While it is frozen, ``shown`` stays at one sample, in whatever view is asked for; memory goes on growing.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._unfiltered = History()
        self._filtered = History()
        self._memory = Memory()
        self._watcher = Watcher()
        self._trends = Trends()
        self._last: Sample | None = None
        """The last sample, whether it answered the view or not."""
        self._newest: _Take | None = None
        self._frozen: _Take | None = None
        self._is_frozen = False

    @property
    def shown(self) -> Frame | None:
        """The frame to show; None before the first sample."""
        take = self._frozen or self._newest
        if take is None:
            return None
        if take.frame.sample.origin.is_still:
            return take.frame
        frame = take.frame.with_history(take.history.view(until_s=take.frame.sample.monotonic_s))
        return self._trends.shown_in(frame)

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
        request = _served(sample, request)
        sample = _recalled(sample, self._memory.update(sample, request))
        if self._last is not None and (self._newest is None or self._newest.frame.sample is not self._last):
            sample = replace(sample, destroyed=destroyed_together(self._last.destroyed, sample.destroyed))
        self._last = sample
        if not request.covers(self._view.request.of_sockets):
            self._remember_unfiltered(sample, None)
            return
        before = self._newest if self._newest is not None and self._newest.is_comparable(self._view) else None
        joins = follows_sockets(request) and (before is None or follows_sockets(before.request))
        frame = build_frame(self._view, sample, self._in_view_of_now(before.frame) if before else None, joins=joins)
        frame = replace(frame, watch=self._watcher.update(sample, self._view.watched))
        self._newest = _Take(frame, request, self._history, before.request if before else EVERYTHING_PLAIN)
        if self._is_frozen and self._frozen is None:
            self._frozen = self._newest
        self._remember_unfiltered(sample, frame)
        self._remember_filtered(frame)
        self._trends.remember(frame)

    def _take_still(self, sample: Sample, request: Request) -> None:
        """Take the only sample that there is, perhaps once more: nothing in it changes, and nothing is remembered."""
        self._last = attributed(sample)
        frame = build_frame(self._view, self._last)
        frame = replace(frame, watch=self._watcher.update(self._last, self._view.watched))
        self._newest = _Take(frame, replace(_EVERYTHING, watched=request.watched), self._history)

    def learn(self, whereabouts: Whereabouts) -> None:
        """Take what has been found out about who holds the sockets of the newest sample."""
        if self._last is None or self._last.whereabouts is whereabouts:
            return
        before, self._last = self._last, replace(self._last, whereabouts=whereabouts)
        self._last = _recalled(self._last, self._memory.learn(self._last))
        self._newest = self._informed(self._newest, before)
        self._frozen = self._informed(self._frozen, before)

    def _informed(self, take: _Take | None, before: Sample) -> _Take | None:
        """The same take with what is known of its sample now, if it is of the last one."""
        if take is None or take.frame.sample is not before:
            return take
        assert self._last is not None
        frame = replace(take.frame, sample=self._last)
        if is_about_holders(frame.view):
            frame = replace(reframed(replace(frame, transitions=None), frame.view), transitions=frame.transitions)
        watch = self._watcher.learn(self._last) if take.frame.watch is not None else None
        return replace(take, frame=replace(frame, watch=watch))

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
        self._frozen = self._newest

    def thaw(self) -> None:
        """Show the newest sample again."""
        self._is_frozen = False
        self._frozen = None

    @property
    def _history(self) -> History:
        """The history of what the view shows."""
        return self._filtered if self._view.filter else self._unfiltered

    def _in_present_view(self, take: _Take | None) -> _Take | None:
        """The same sample in the view asked for, if it can answer that."""
        return take.in_view(self._view, self._history) if take and take.answers(self._view) else take

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
