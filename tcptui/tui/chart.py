"""The history chart as text. Loaded after the first frame: it brings plotext along."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotext

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
    """The chart with ANSI colours, ``settings.height`` lines."""
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(settings.width, settings.height)
    window = window_of(history)
    recent = history.monotonic_s >= history.monotonic_s[-1] - window
    seconds = history.monotonic_s[recent] - history.monotonic_s[-1]
    counts = history.counts[recent]
    # One value a column: more would only be drawn over one another.
    columns = np.floor(history.monotonic_s[recent] / _column_s(history, settings.width))
    is_last = np.append(columns[1:] != columns[:-1], True)
    seconds, counts = seconds[is_last], counts[is_last]
    shown = states_in(history)
    for state in sorted(shown, key=lambda each: each is settings.highlighted):
        values = counts[:, state]
        drawn = values > 0 if settings.is_logarithmic else np.ones(len(values), bool)
        if drawn.any():
            plotext.plot(seconds[drawn].tolist(), values[drawn].tolist(), marker=GLYPHS[state], color=colours[state])
    highest = int(counts.max(initial=1))
    plotext.xlim(-window, 0)
    plotext.ylim(*((1, max(highest, 2)) if settings.is_logarithmic else (0, max(highest, 1))))
    if settings.is_logarithmic:
        plotext.yscale("log")
    ticks = log_ticks(highest) if settings.is_logarithmic else linear_ticks(highest, max(settings.height // 3, 2))
    plotext.yticks(ticks, [f"{tick:,}" for tick in ticks])
    marks = [-window * quarter / 4 for quarter in range(4, -1, -1)]
    plotext.xticks(marks, ["now" if mark == 0 else "-" + duration_text(-mark * 1000) for mark in marks])
    return str(plotext.build())


def linear_ticks(highest: int, most: int) -> list[int]:
    """Round numbers from 0 to ``highest``, at most ``most`` + 1 of them."""
    steps = (digit * 10**power for power in itertools.count() for digit in (1, 2, 5))
    step = next(step for step in steps if highest / step <= most)
    return list(range(0, highest + 1, step))


def log_ticks(highest: int) -> list[int]:
    """Powers of ten up to ``highest``."""
    return [10**power for power in range(len(str(max(highest, 1))))]
