"""Samples in, frames out: remembers what a single sample cannot tell. Owned by one thread."""

from dataclasses import dataclass, replace

from tcptui.model.history import History
from tcptui.model.sample import Sample
from tcptui.monitor.ages import Ages
from tcptui.monitor.frame import Frame, build_frame, reframed
from tcptui.monitor.view import View
from tcptui.query.request import EVERYTHING_PLAIN, Need, Request, follows_sockets, request_for


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
        return self.request.covers(request_for(view.filter))

    def in_view(self, view: View, history: History) -> "_Take":
        """The same sample in another view; without the sample before where that does not answer it."""
        frame = self.frame
        if not self.previous_request.covers(request_for(view.filter)):
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
        self._ages = Ages()
        self._newest: _Take | None = None
        self._frozen: _Take | None = None
        self._is_frozen = False

    @property
    def shown(self) -> Frame | None:
        """The frame to show; None before the first sample."""
        take = self._frozen or self._newest
        if take is None:
            return None
        return take.frame.with_history(take.history.view(until_s=take.frame.sample.monotonic_s))

    @property
    def is_behind(self) -> bool:
        """Whether what is shown is of an earlier view, since its sample does not answer the present one."""
        take = self._frozen or self._newest
        return take is not None and take.frame.view != self._view

    def accept(self, sample: Sample, request: Request = EVERYTHING_PLAIN) -> None:
        """Take a new sample, which was taken for ``request``.

        One that does not answer the view, because that has changed in the meantime, is left alone.
        """
        request = _served(sample, request)
        sample = replace(sample, age_ms=self._ages.update(sample.table.rows, sample.monotonic_s, request))
        if sample.is_whole:
            self._unfiltered.append(sample.monotonic_s, sample.table.state_counts())
        if not request.covers(request_for(self._view.filter)):
            return
        before = self._newest if self._newest is not None and self._newest.answers(self._view) else None
        joins = follows_sockets(request) and (before is None or follows_sockets(before.request))
        frame = build_frame(self._view, sample, before.frame if before else None, joins=joins)
        self._newest = _Take(frame, request, self._history, before.request if before else EVERYTHING_PLAIN)
        if self._is_frozen and self._frozen is None:
            self._frozen = self._newest
        self._remember_filtered(frame)

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

    def _remember_filtered(self, frame: Frame) -> None:
        if frame.mask is not None:
            self._filtered.append(frame.sample.monotonic_s, frame.sample.table.state_counts(frame.mask))


def _served(sample: Sample, request: Request) -> Request:
    """The widest request that a sample is good for: a source may give more than it was asked for."""
    owners = {Need.OWNERS} if sample.owners is not None else set()
    cgroups = {Need.CGROUPS} if sample.cgroups is not None else set()
    return Request(None if sample.is_whole else request.scope, request.needs | owners | cgroups)
