"""Samples in, frames out: remembers what a single sample cannot tell. Owned by one thread."""

from tcptui.model.history import History
from tcptui.model.sample import Sample
from tcptui.monitor.frame import Frame, build_frame, reframed
from tcptui.monitor.view import View


class Monitor:
    """Joins each sample with the one before and keeps the history of what is shown.

    While it is frozen, ``shown`` stays at one sample, in whatever view is asked for; memory goes on growing.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._unfiltered = History()
        self._filtered = History()
        self._newest: Frame | None = None
        self._frozen: Frame | None = None
        self._is_frozen = False

    @property
    def shown(self) -> Frame | None:
        """The frame to show; None before the first sample."""
        frame = self._frozen or self._newest
        if frame is None:
            return None
        history = self._unfiltered if frame.mask is None else self._filtered
        return frame.with_history(history.view(until_s=frame.sample.monotonic_s))

    def accept(self, sample: Sample) -> None:
        """Take a new sample."""
        frame = build_frame(self._view, sample, self._newest)
        self._newest = frame
        if self._is_frozen and self._frozen is None:
            self._frozen = frame
        self._unfiltered.append(sample.monotonic_s, sample.table.state_counts())
        self._remember_filtered(frame)

    def show(self, view: View) -> None:
        """Change the view, of the frozen sample too."""
        is_other_filter = view.filter != self._view.filter
        self._view = view
        if self._newest is not None:
            self._newest = reframed(self._newest, view)
        if self._frozen is not None:
            self._frozen = reframed(self._frozen, view)
        if is_other_filter:
            self._filtered = History()
            self._remember_filtered(self._frozen or self._newest)

    def freeze(self) -> None:
        """Keep showing the present sample; before there is one, the first that comes."""
        self._is_frozen = True
        self._frozen = self._newest

    def thaw(self) -> None:
        """Show the newest sample again."""
        self._is_frozen = False
        self._frozen = None

    def _remember_filtered(self, frame: Frame | None) -> None:
        if frame is not None and frame.mask is not None:
            self._filtered.append(frame.sample.monotonic_s, frame.sample.table.state_counts(frame.mask))
