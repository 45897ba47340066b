"""What to show: a pure function of what is known and what was asked for."""

import functools
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.attribution import attributed
from tcptui.analysis.grid import Grid, Order
from tcptui.analysis.grouping import build_grid
from tcptui.analysis.joins import total_change, transitions
from tcptui.model.fields import OVER_TIME_FIELDS, Field, ViewKind
from tcptui.model.history import NO_HISTORY, HistoryView, Transitions
from tcptui.model.sample import Degradation, Sample
from tcptui.model.states import TcpState
from tcptui.model.table import Mask
from tcptui.monitor.doubts import doubts
from tcptui.monitor.view import View
from tcptui.monitor.watch import Watch
from tcptui.query.mask import mask_of
from tcptui.query.request import FOUND_BESIDE
from tcptui.query.syntax import Constant, EndpointTest, FamilyTest, NetnsTest, PortTest, tests_in

_TOLD_OF_THE_DESTROYED = (PortTest, EndpointTest, FamilyTest, NetnsTest, Constant)
"""What can be tested of a socket that has been freed; nothing else is known of it."""

NEW_FOR_S = 5
"""How long a connection is new in its state."""
LEAST_MOVEMENT, LEAST_SHARE_MOVED = 3, 0.1
"""By so many sockets, and by this part of them, a row must differ to have grown or shrunk."""


class Movement(Enum):
    """What is to be seen of a row besides its numbers."""

    NEW = "new"
    GROWS = "grows"
    SHRINKS = "shrinks"


@dataclass(frozen=True, eq=False)
class Retrospect:
    """From where a frame is looked at that is not live. Compared by identity."""

    ago_s: float
    """How long before the newest sample it was taken."""
    has_rows: bool = True
    """Whether its rows are kept; if not, only how many sockets each state had."""
    nearest: tuple[datetime | None, datetime | None] = (None, None)
    """When the samples before and after it were taken whose rows are kept."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Everything a front end shows of one sample in one view. Compared by identity."""

    view: View
    sample: Sample
    mask: Mask | None
    """The rows that the filter means; None is all of them."""
    states: Grid
    """The histogram: one row a state."""
    grid: Grid
    """The table of the view."""
    order: Order
    """The rows of ``grid`` in the order of display."""
    transitions: Transitions | None = None
    """What changed since the sample before, among the rows that the filter means; None where it cannot be told."""
    previous: Sample | None = None
    """The sample before."""
    history: HistoryView = NO_HISTORY
    """Counts of the rows that the filter means, since it was set, up to this sample."""
    course: HistoryView = NO_HISTORY
    """The same on to the newest sample that one can go to from here."""
    retrospect: Retrospect | None = None
    """None for the newest sample, while that is live."""
    watch: Watch | None = None
    """The connection that is looked at closely."""
    degraded: tuple[Degradation, ...] = ()
    """What of the filter can't be decided with the sample, and what in that could not be read or is not exact."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The view's fields that this sample has something for: see ``is_shown`` for those that people look at."""
        missing = OVER_TIME_FIELDS.difference(self.grid.columns)
        return tuple(field for field in self.view.kind.fields if field.id not in missing)

    def is_shown(self, field: Field) -> bool:
        """Whether a field of the view is for people, and says something here."""
        if field.is_for_programs or field.id not in self.grid.columns:
            return False
        if field.id == "netns" and field is not self.view.kind.key:
            return len(self.sample.namespaces) > 1
        return True

    def namespace_at(self, row: int | None, state: TcpState) -> int:
        """The index of the namespace whose kernel parameters hold for a row of the grid.

        Where a row is of several namespaces, of the one with the most sockets in ``state``.
        """
        if len(self.sample.namespaces) == 1:
            return 0
        if row is not None and self.view.kind.is_within_namespace:
            return self.grid.identity(row)[-1]
        rows = self.sample.table.rows if self.mask is None else self.sample.table.rows[self.mask]
        return int(np.argmax(np.bincount(rows["netns"][rows["state"] == state], minlength=1)))

    def namespace_name(self, netns: int) -> str:
        """The name of a namespace, where there are several."""
        return self.sample.namespaces[netns] if len(self.sample.namespaces) > 1 else ""

    @property
    def total(self) -> int:
        """Sockets that the filter means."""
        return self.states.sum("total")

    def state_count(self, state: TcpState) -> int:
        """Sockets in ``state`` that the filter means."""
        return self._state_counts.get(state, 0)

    @functools.cached_property
    def _state_counts(self) -> dict[int, int]:
        return self._by_state("total")

    @property
    def elapsed_s(self) -> float:
        """Time since the sample before; 0 without one."""
        return self.sample.monotonic_s - self.previous.monotonic_s if self.previous else 0.0

    def movement(self, row: int) -> Movement | None:
        """What a row of the grid has gone through in the last seconds; None for nothing much.

        A row of several sockets has grown or shrunk if its total differs by a tenth, and by three at least, from the
        peak of the last stretch of its trend.
        """
        columns = self.grid.columns
        if self.view.kind is ViewKind.CONNECTIONS:
            age = columns.get("age_ms")
            return Movement.NEW if age is not None and age[1][row] and age[0][row] < NEW_FOR_S * 1000 else None
        trend = columns.get("trend")
        if trend is None or trend[0][row] < 0:
            return None
        newest, before, total = int(trend[0][row]), int(trend[1][row]), int(columns["total"][0][row])
        if before == 0 and not any(int(part[row]) > 0 for part in trend[1:]):
            return Movement.NEW
        if abs(total - newest) < max(LEAST_MOVEMENT, newest * LEAST_SHARE_MOVED):
            return None
        return Movement.GROWS if total > newest else Movement.SHRINKS

    def with_history(self, course: HistoryView) -> "Frame":
        """The same frame with the history to draw beside it, which may go on beyond it."""
        return replace(self, history=course.until(self.sample.monotonic_s), course=course)

    def clock_at(self, monotonic_s: float) -> datetime:
        """What the wall clock said, or says, at another time; as if nobody had set it since."""
        return self.sample.taken_at + timedelta(seconds=monotonic_s - self.sample.monotonic_s)

    def state_change(self, state: TcpState) -> int | None:
        """How the count of ``state`` differs from the sample before; None without one."""
        return self._state_changes.get(state, 0) if "change" in self.states.columns else None

    @functools.cached_property
    def _state_changes(self) -> dict[int, int]:
        return self._by_state("change")

    def _by_state(self, field_id: str) -> dict[int, int]:
        """A column of the histogram; panels ask for its numbers one by one."""
        numbers, values = (self.states.columns[each][0] for each in ("state", field_id))
        return dict(zip(numbers.tolist(), values.tolist(), strict=True))


def build_frame(view: View, sample: Sample, before: Frame | None = None, *, joins: bool = True) -> Frame:
    """The frame for a sample; with the frame of the sample before, in the same view, it tells what changed.

    Without ``joins`` sockets are not matched: for samples out of which a socket may drop before it is closed.
    """
    mask = mask_of(view.filter.expression, sample.table.rows, sample) if view.filter else None
    states = build_grid(sample, ViewKind.STATES, mask)
    grid = states if view.kind is ViewKind.STATES else build_grid(sample, view.kind, mask, view.prefix)
    if before is not None:
        states = _with_change(states, before.states)
        grid = _with_change(grid, before.grid)
    beside = sample.whereabouts.degraded if sample.whereabouts and is_about_holders(view) else ()
    degraded = (*(doubts(view.filter.expression, sample) if view.filter else ()), *sample.degraded, *beside)
    frame = Frame(view, sample, mask, states, grid, grid.ordered(view.effective_sort), degraded=degraded)
    if before is None:
        return frame
    moves = _moves(before, frame) if joins else None
    return replace(frame, transitions=moves, previous=before.sample)


def counted_frame(view: View, sample: Sample, counts: NDArray[np.uint32]) -> Frame:
    """The frame of a sample whose rows are not there any more: how many sockets each state had."""
    frame = build_frame(view, attributed(sample))
    numbers = frame.states.columns["state"][0]
    columns = {"state": (numbers,), "total": (counts[numbers].astype(np.int64),)}
    absent = frame.states.absent | {"recv_queue_bytes", "send_queue_bytes"}
    states = replace(frame.states, columns=columns, absent=absent)
    if view.kind is not ViewKind.STATES:
        return replace(frame, states=states)
    return replace(frame, states=states, grid=states, order=states.ordered(view.effective_sort))


def with_state_changes(frame: Frame) -> Frame:
    """A frame without the sample before, with what the history tells of how its states have changed since that."""
    history, time_s = frame.history, frame.sample.monotonic_s
    if len(history) < 2 or history.monotonic_s[-1] != time_s or "change" in frame.states.columns:
        return frame
    numbers = frame.states.columns["state"][0]
    before, now = history.counts[-2:].astype(np.int64)
    states = replace(frame.states, columns={**frame.states.columns, "change": ((now - before)[numbers],)})
    return replace(frame, states=states)


def is_about_holders(view: View) -> bool:
    """Whether it matters for ``view`` that some holders of sockets cannot be found out."""
    return view.kind.names_processes or not view.request.needs.isdisjoint(FOUND_BESIDE)


def _moves(before: Frame, frame: Frame) -> Transitions:
    """What changed between the samples of two frames, among the rows that the filter means."""
    sample, previous = frame.sample, before.sample
    moves = transitions(previous.table, sample.table, before.mask, frame.mask)
    moves = replace(moves, elapsed_s=sample.monotonic_s - previous.monotonic_s)
    if sample.destroyed is None:
        return moves
    brief = sample.destroyed.rows
    if frame.view.filter is not None:
        if not all(isinstance(test, _TOLD_OF_THE_DESTROYED) for test in tests_in(frame.view.filter.expression)):
            return moves
        brief = brief[mask_of(frame.view.filter.expression, brief, sample)]
    return replace(moves, brief=len(brief), is_brief_exact=sample.destroyed.is_complete)


def reframed(frame: Frame, view: View) -> Frame:
    """The same sample in another view."""
    before = build_frame(view, frame.previous) if frame.previous else None
    watch = frame.watch if frame.watch is not None and frame.watch.key == view.watched else None
    return replace(build_frame(view, frame.sample, before, joins=frame.transitions is not None), watch=watch)


def _with_change(grid: Grid, before: Grid) -> Grid:
    """``grid`` with the change of every total since ``before``; ungrouped rows have none."""
    if grid.kind is ViewKind.CONNECTIONS:
        return grid
    return replace(grid, columns={**grid.columns, "change": (total_change(grid, before),)})
