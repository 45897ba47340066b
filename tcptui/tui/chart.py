"""The history chart as text. Loaded after the first frame: it brings plotext along."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotext
from numpy.typing import NDArray

from tcptui.language import tr
from tcptui.model.fields import duration_text
from tcptui.model.history import HistoryView
from tcptui.model.states import DISPLAY_ORDER, TcpState

WINDOWS_S = (60, 300, 900, 3600)
"""Stretches of time to show; the shortest that holds all there is."""

GLYPHS = {
    TcpState.LISTEN: "·",
    TcpState.SYN_SENT: "○",
    TcpState.SYN_RECV: "◎",
    TcpState.ESTABLISHED: "●",
    TcpState.FIN_WAIT1: "◇",
    TcpState.FIN_WAIT2: "◆",
    TcpState.CLOSING: "△",
    TcpState.TIME_WAIT: "▲",
    TcpState.CLOSE_WAIT: "■",
    TcpState.LAST_ACK: "□",
}
"""A mark for each state, so that no line is told by its colour alone."""

Rgb = tuple[int, int, int]

_TICK_LABEL_WIDTH = 9


@dataclass(frozen=True)
class ChartSettings:
    """Everything besides the data that the looks depend on."""

    width: int
    height: int
    is_logarithmic: bool
    highlighted: TcpState


def window_of(history: HistoryView) -> int:
    """The stretch to show, in seconds."""
    if not len(history):
        return WINDOWS_S[0]
    span = history.monotonic_s[-1] - history.monotonic_s[0]
    return next((window for window in WINDOWS_S if span <= window), WINDOWS_S[-1])


def time_column(history: HistoryView, width: int) -> int:
    """The number of the newest column of time; while it is the same, the chart need not be drawn again."""
    return math.floor(history.monotonic_s[-1] / _column_s(history, width)) if len(history) else 0


def _column_s(history: HistoryView, width: int) -> float:
    return window_of(history) / max(width - _TICK_LABEL_WIDTH, 1)


def states_in(history: HistoryView) -> list[TcpState]:
    """The states that occur, the one with most sockets at the end first."""
    present = [state for state in DISPLAY_ORDER if history.counts[:, state].any()]
    return sorted(present, key=lambda state: -int(history.counts[-1, state]))


def draw_chart(history: HistoryView, settings: ChartSettings, colours: Mapping[TcpState, Rgb]) -> str:
    """The chart with ANSI colours, ``settings.height`` lines; empty before a first column of time is complete."""
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)  # plotext would keep to the size of the terminal it finds, which need not be ours
    plotext.plotsize(settings.width, settings.height)
    window, column_s = window_of(history), _column_s(history, settings.width)
    end_s = time_column(history, settings.width) * column_s
    columns = np.floor(history.monotonic_s / column_s)
    # One value a column, as more would only be drawn over one another; and only columns that are complete.
    is_last = np.append(columns[1:] != columns[:-1], False) & (history.monotonic_s >= end_s - window)
    seconds, counts = history.monotonic_s[is_last] - end_s, history.counts[is_last]
    if not len(seconds):
        return ""
    drawing_order = reversed(states_in(history))  # the fullest above the others, the highlighted above all
    for state in sorted(drawing_order, key=settings.highlighted.__eq__):
        values = counts[:, state]
        drawn = values > 0 if settings.is_logarithmic else np.ones(len(values), bool)
        if drawn.any():
            heights = _heights(values[drawn], settings)
            plotext.plot(seconds[drawn].tolist(), heights, marker=GLYPHS[state], color=colours[state])
    highest = max(int(counts.max(initial=1)), 2)
    ticks = log_ticks(highest) if settings.is_logarithmic else linear_ticks(highest, max(settings.height // 3, 2))
    plotext.yticks(_heights(np.array(ticks), settings), [f"{tick:,}" for tick in ticks])
    plotext.ylim(0, _heights(np.array([highest]), settings)[0])
    plotext.xlim(-window, 0)
    marks = [-window * quarter / 4 for quarter in range(4, -1, -1)]
    plotext.xticks(marks, [_mark_text(mark) for mark in marks])
    return str(plotext.build())


def _heights(values: NDArray[np.generic], settings: ChartSettings) -> list[float]:
    """Where counts lie on the vertical axis. plotext's own logarithmic axis does not keep to the limits it is given."""
    heights: list[float] = (np.log10(values) if settings.is_logarithmic else values).tolist()
    return heights


def _mark_text(seconds: float) -> str:
    """How long ago; plotext takes every character for one cell wide."""
    return tr("now") if seconds == 0 else "-" + duration_text(-seconds * 1000).replace("m00s", "m")


def linear_ticks(highest: int, most: int) -> list[int]:
    """Round numbers from 0 to ``highest``, at most ``most`` + 1 of them."""
    steps = (digit * 10**power for power in itertools.count() for digit in (1, 2, 5))
    step = next(step for step in steps if highest / step <= most)
    return list(range(0, highest + 1, step))


def log_ticks(highest: int) -> list[int]:
    """Powers of ten up to ``highest``."""
    return [10**power for power in range(len(str(max(highest, 1))))]
