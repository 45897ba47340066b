"""The history chart as text. Loaded after the first frame: it brings plotext along."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotext
from numpy.typing import NDArray

from tcptui.model.fields import duration_text
from tcptui.model.history import HistoryView
from tcptui.model.states import STATE_COUNT, TcpState
from tcptui.tui.chart_choice import GLYPHS, WINDOWS_S

Rgb = tuple[int, int, int]

_TICK_LABEL_WIDTH = 9
LONGEST_WAIT_S = 10.0
"""Where a column stands for more, it is drawn before it is complete, as it is every so often."""


@dataclass(frozen=True)
class Stretch:
    """The time that a chart shows, in columns that all have the same length; it ends where a column ends."""

    window_s: int
    columns: int
    end: int
    """The number of the first column that is not in it any more."""
    until_s: float
    """What came later is not drawn yet."""

    @property
    def column_s(self) -> float:
        """The length of a column."""
        return self.window_s / self.columns

    @property
    def end_s(self) -> float:
        """The time at the right edge."""
        return self.end * self.column_s


@dataclass(frozen=True)
class ChartSettings:
    """Everything besides the data that the looks depend on."""

    width: int
    height: int
    is_logarithmic: bool
    highlighted: TcpState
    shown: frozenset[TcpState]
    end_text: str
    """What is said of the right edge."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A chart, and what has been drawn: a point for each column of time in which there was a sample."""

    text: str
    """With ANSI colours; empty before a first column of time is complete."""
    times_s: NDArray[np.float64]
    """When the last sample of each column was taken."""
    counts: NDArray[np.uint32]
    """The most that each state had in it, shape ``(n, STATE_COUNT)``."""
    samples: NDArray[np.int64]
    """How many samples, or stretches of them, were in it."""


def stretch_of(course: HistoryView, width: int, window_s: int | None = None, cursor_s: float | None = None) -> Stretch:
    """The newest ``window_s`` seconds, or all there is; so much further back that ``cursor_s`` is in sight."""
    window_s = window_s or _window_of(course)
    columns = max(width - _TICK_LABEL_WIDTH, 2)
    column_s = window_s / columns
    first_s, last_s = (float(course.monotonic_s[at]) if len(course) else 0.0 for at in (0, -1))
    if column_s > LONGEST_WAIT_S:
        end, until_s = math.floor(last_s / column_s) + 1, max(last_s // LONGEST_WAIT_S * LONGEST_WAIT_S, first_s)
    else:
        end, until_s = math.floor(last_s / column_s), math.inf
    if cursor_s is not None and cursor_s < (end - columns) * column_s:
        halves = math.ceil(((end - columns) - cursor_s / column_s) / (columns // 2))
        end, until_s = end - halves * (columns // 2), math.inf
    return Stretch(window_s, columns, end, until_s)


def _window_of(course: HistoryView) -> int:
    """The shortest stretch that holds all there is."""
    if not len(course):
        return WINDOWS_S[0]
    span = course.monotonic_s[-1] - course.monotonic_s[0]
    return next((window for window in WINDOWS_S if span <= window), WINDOWS_S[-1])


def draw_chart(
    course: HistoryView, stretch: Stretch, settings: ChartSettings, colours: Mapping[TcpState, Rgb]
) -> Drawing:
    """The chart, in ``settings.height`` lines."""
    times_s, counts, samples = _points(course, stretch)
    if not len(times_s):
        return Drawing("", times_s, counts, samples)
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)  # plotext would keep to the size of the terminal it finds, which need not be ours
    plotext.plotsize(settings.width, settings.height)
    seconds = times_s - stretch.end_s
    fullest_last = sorted(settings.shown, key=lambda state: int(counts[-1, state]))
    for state in sorted(fullest_last, key=settings.highlighted.__eq__):  # the highlighted above all others
        values = counts[:, state]
        drawn = values > 0 if settings.is_logarithmic else np.full(len(values), values.any())
        if drawn.any():
            heights = _heights(values[drawn], settings)
            plotext.plot(seconds[drawn].tolist(), heights, marker=GLYPHS[state], color=colours[state])
    highest = max(int(counts[:, sorted(settings.shown)].max(initial=1)), 2)
    ticks = log_ticks(highest) if settings.is_logarithmic else linear_ticks(highest, max(settings.height // 3, 2))
    plotext.yticks(_heights(np.array(ticks), settings), [f"{tick:,}" for tick in ticks])
    plotext.ylim(0, _heights(np.array([highest]), settings)[0])
    plotext.xlim(-stretch.window_s, 0)
    marks = [-stretch.window_s * quarter / 4 for quarter in range(4, -1, -1)]
    plotext.xticks(marks, [*map(_mark_text, marks[:-1]), settings.end_text])
    return Drawing(str(plotext.build()), times_s, counts, samples)


def _points(course: HistoryView, stretch: Stretch) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.int64]]:
    """For each column in which there was a sample: when the last was, the most in each state, how many.

    More than one point a column would only be drawn over one another.
    """
    course = course.until(stretch.until_s)
    columns = np.floor(course.monotonic_s / stretch.column_s)
    first, last = np.searchsorted(columns, (stretch.end - stretch.columns, stretch.end))
    columns, times_s = columns[first:last], course.monotonic_s[first:last]
    if not len(columns):
        return times_s, np.zeros((0, STATE_COUNT), np.uint32), np.zeros(0, np.int64)
    starts = np.flatnonzero(np.append(True, columns[1:] != columns[:-1]))
    ends = np.append(starts[1:], len(columns))
    return times_s[ends - 1], np.maximum.reduceat(course.peaks[first:last], starts), ends - starts


def _heights(values: NDArray[np.generic], settings: ChartSettings) -> list[float]:
    """Where counts lie on the vertical axis. plotext's own logarithmic axis does not keep to the limits it is given."""
    heights: list[float] = (np.log10(values) if settings.is_logarithmic else values).tolist()
    return heights


def _mark_text(seconds: float) -> str:
    """How long before the end; plotext takes every character for one cell wide."""
    return "-" + duration_text(-seconds * 1000).replace("m00s", "m").replace("h00m", "h")


def linear_ticks(highest: int, most: int) -> list[int]:
    """Round numbers from 0 to ``highest``, at most ``most`` + 1 of them."""
    steps = (digit * 10**power for power in itertools.count() for digit in (1, 2, 5))
    step = next(step for step in steps if highest / step <= most)
    return list(range(0, highest + 1, step))


def log_ticks(highest: int) -> list[int]:
    """Powers of ten up to ``highest``."""
    return [10**power for power in range(len(str(max(highest, 1))))]
