"""What to show: a pure function of what is known and what was asked for."""

from dataclasses import dataclass, replace

import numpy as np

from tcptui.analysis.grid import Grid, Order
from tcptui.analysis.grouping import build_grid
from tcptui.analysis.joins import Transitions, total_change, transitions
from tcptui.model.fields import ViewKind
from tcptui.model.history import HistoryView
from tcptui.model.sample import Degradation, Sample
from tcptui.model.states import STATE_COUNT, TcpState
from tcptui.model.table import Mask
from tcptui.monitor.doubts import doubts
from tcptui.monitor.view import View
from tcptui.query.mask import mask_of

NO_HISTORY = HistoryView(np.zeros(0), np.zeros((0, STATE_COUNT), np.uint32))


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
    """Counts of the rows that the filter means, since it was set."""
    degraded: tuple[Degradation, ...] = ()
    """What of the filter can't be decided with the sample, and what in that could not be read or is not exact."""

    @property
    def total(self) -> int:
        """Sockets that the filter means."""
        return self.states.sum("total")

    def state_count(self, state: TcpState) -> int:
        """Sockets in ``state`` that the filter means."""
        numbers, totals = self.states.columns["state"][0], self.states.columns["total"][0]
        return int(totals[numbers == state].sum())

    @property
    def elapsed_s(self) -> float:
        """Time since the sample before; 0 without one."""
        return self.sample.monotonic_s - self.previous.monotonic_s if self.previous else 0.0

    def with_history(self, history: HistoryView) -> "Frame":
        """The same frame with the history to draw beside it."""
        return replace(self, history=history)

    def state_change(self, state: TcpState) -> int | None:
        """How the count of ``state`` differs from the sample before; None without one."""
        if "change" not in self.states.columns:
            return None
        numbers, changes = self.states.columns["state"][0], self.states.columns["change"][0]
        return int(changes[numbers == state].sum())


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
    degraded = (*(doubts(view.filter.expression, sample) if view.filter else ()), *sample.degraded)
    frame = Frame(view, sample, mask, states, grid, grid.ordered(view.effective_sort), degraded=degraded)
    if before is None:
        return frame
    moves = transitions(before.sample.table, sample.table, before.mask, mask) if joins else None
    return replace(frame, transitions=moves, previous=before.sample)


def reframed(frame: Frame, view: View) -> Frame:
    """The same sample in another view."""
    before = build_frame(view, frame.previous) if frame.previous else None
    return build_frame(view, frame.sample, before, joins=frame.transitions is not None)


def _with_change(grid: Grid, before: Grid) -> Grid:
    """``grid`` with the change of every total since ``before``; ungrouped rows have none."""
    if grid.kind is ViewKind.CONNECTIONS:
        return grid
    return replace(grid, columns={**grid.columns, "change": (total_change(grid, before),)})
