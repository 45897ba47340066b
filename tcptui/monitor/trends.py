"""How the total of each row went over the last minute. Owned by one thread."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import Column, match_rows
from tcptui.model.fields import NO_NUMBER, TREND_COLUMNS, ViewKind
from tcptui.monitor.frame import Frame
from tcptui.monitor.view import View

BUCKET_S = 5.0
"""The stretch of time that one number stands for: so rows change their looks every five seconds, not every one."""


@dataclass(frozen=True, eq=False)
class _Course:
    """Totals of the rows of one view up to one moment."""

    subject: object
    """What the rows are of: without the same subject nothing can be compared."""
    identities: Column
    bucket: int
    """The number of the stretch of time that is not over yet."""
    peaks: NDArray[np.int64]
    """Shape ``(rows, TREND_COLUMNS + 1)``, the newest first; the first column belongs to ``bucket``."""


class Trends:
    """Follows the rows of the view that is shown, sample by sample; another view or filter begins anew."""

    def __init__(self) -> None:
        self._course: _Course | None = None

    def remember(self, frame: Frame) -> None:
        """Take a newer sample's totals."""
        if not frame.view.kind.is_matrix:
            self._course = None
            return
        grid, subject = frame.grid, _subject(frame.view)
        bucket = int(frame.sample.monotonic_s // BUCKET_S)
        members = grid.members
        identities = tuple(part[members] for part in grid.identities)
        before = self._course if self._course is not None and self._course.subject == subject else None
        peaks = _carried_on(before, identities, bucket)
        peaks[:, 0] = np.maximum(peaks[:, 0], grid.columns["total"][0][members])
        self._course = _Course(subject, identities, bucket, peaks)

    def shown_in(self, frame: Frame) -> Frame:
        """``frame`` with a trend for each row up to its moment, of whole stretches only; none where none is known."""
        course = self._course
        if course is None or course.subject != _subject(frame.view):
            return frame
        later = course.bucket - int(frame.sample.monotonic_s // BUCKET_S)
        known = np.full((len(course.peaks) + 1, TREND_COLUMNS), NO_NUMBER)
        whole = course.peaks[:, 1 + max(later, 0) :]
        known[:-1, : whole.shape[1]] = whole
        at = match_rows(course.identities, frame.grid.identities)
        trend = tuple(np.ascontiguousarray(part) for part in known[at].T)
        grid = replace(frame.grid, columns={**frame.grid.columns, "trend": trend})
        sort = frame.view.effective_sort
        is_by_trend = sort is not None and sort.field_id == "trend"
        return replace(frame, grid=grid, order=grid.ordered(sort) if is_by_trend else frame.order)


def _subject(view: View) -> tuple[ViewKind, int | None, str]:
    return view.kind, view.prefix, view.filter_text


def _carried_on(before: _Course | None, identities: Column, bucket: int) -> NDArray[np.int64]:
    """The peaks so far of each row, moved on to ``bucket``; a row that was not there had none."""
    size = len(identities[0])
    if before is None:
        peaks = np.full((size, TREND_COLUMNS + 1), NO_NUMBER)
        peaks[:, 0] = 0
        return peaks
    unheard_of = np.where(before.peaks.max(axis=0, initial=NO_NUMBER) < 0, NO_NUMBER, 0)[None]
    peaks = np.concatenate((before.peaks, unheard_of))[match_rows(before.identities, identities)]
    passed = min(max(bucket - before.bucket, 0), TREND_COLUMNS + 1)
    if passed:
        # While no sample came, a row is taken to have stayed as it was.
        peaks = np.concatenate(
            (np.repeat(peaks[:, :1], passed, axis=1), peaks[:, : TREND_COLUMNS + 1 - passed]), axis=1
        )
        peaks[:, 0] = 0
    return peaks
