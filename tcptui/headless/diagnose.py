"""``tcptui diagnose``: a few samples, what all rules say of them, and an exit code for cron and tickets."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from tcptui.diagnosis.capacity import rooms
from tcptui.diagnosis.course import Course
from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Severity
from tcptui.diagnosis.judging import judge
from tcptui.diagnosis.thresholds import DEFAULTS, Thresholds
from tcptui.errors import ExitCode
from tcptui.export.diagnosis import Report, to_json, to_markdown, to_text
from tcptui.files import STANDARD_OUTPUT, write_output
from tcptui.model.fields import ViewKind
from tcptui.monitor.frame import Frame
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.view import View
from tcptui.query.request import FOUND_BESIDE, GLANCE, Need
from tcptui.query.syntax import Filter
from tcptui.sources.base import Source

WIDEST = 120
"""Longer lines are hard to read."""
GLANCES = 5
"""Looks at the accept queues alone for each sample: they fill and empty within milliseconds."""

_NEEDS = FOUND_BESIDE | {Need.TCP_INFO, Need.STRAIN}

Pause = Callable[[float], None]


class Plan(NamedTuple):
    """How long to look, and how often."""

    for_s: float
    interval_s: float
    glances: int = GLANCES
    """Looks at the accept queues for each sample; with 0 there are none between."""
    pause: Pause = time.sleep


def write_diagnosis(
    source: Source,
    filter: Filter | None,
    plan: Plan,
    *,
    format_name: str,
    fail_on: Severity,
    thresholds: Thresholds = DEFAULTS,
) -> ExitCode:
    """Take samples, write what was found in them, and say whether any of it is as bad as ``fail_on``.

    Raises:
        SourceError: nothing can be read.
        OutputError: it cannot be written.
        BrokenPipeError: the reader of standard output went away.
    """
    try:
        report = diagnose(source, filter, plan, thresholds)
    finally:
        source.close()
    writers = {"json": to_json, "md": to_markdown}
    writer = writers.get(format_name)
    text = to_text(report, min(shutil.get_terminal_size().columns, WIDEST)) if writer is None else writer(report)
    write_output(STANDARD_OUTPUT, text, overwrite=False)
    worst = report.diagnosis.worst
    return ExitCode.FOUND if worst is not None and worst.severity >= fail_on else ExitCode.OK


def diagnose(source: Source, filter: Filter | None, plan: Plan, thresholds: Thresholds = DEFAULTS) -> Report:
    """What the rules say of samples over the time that the plan gives."""
    watch = Watch(source, filter, thresholds)
    first = watch.look().sample
    started_s = newest_s = first.monotonic_s
    while not first.origin.is_still and newest_s - started_s < plan.for_s:
        _wait(watch, plan, min(plan.interval_s, plan.for_s - (newest_s - started_s)))
        newest_s = watch.look().sample.monotonic_s
    return watch.report()


def _wait(watch: "Watch", plan: Plan, seconds: float) -> None:
    """Let time pass, with looks at the accept queues."""
    for _ in range(plan.glances):
        plan.pause(seconds / (plan.glances + 1))
        watch.glance()
    plan.pause(seconds / (plan.glances + 1))


class Watch:
    """Takes samples of a source and judges them. Owned by one thread."""

    def __init__(self, source: Source, filter: Filter | None = None, thresholds: Thresholds = DEFAULTS) -> None:
        """Nothing is read before the first look."""
        self._source = source
        self._view = View(ViewKind.STATES, filter)
        # What is in no table can be told only where the whole table is there.
        needs = _NEEDS if filter is not None else _NEEDS | {Need.LEAKS}
        self._request = replace(self._view.request, needs=self._view.request.needs | needs)
        self._monitor = Monitor(self._view)
        self._course = Course(thresholds)
        self._evidence: Evidence | None = None

    def look(self) -> Evidence:
        """Take a sample.

        Raises:
            SourceError: nothing can be read.
        """
        self._monitor.accept(self._source.sample(self._request), self._request)
        frame = self._frame
        self._evidence = self._course.take(frame.sample, frame.mask)
        return self._evidence

    def glance(self) -> None:
        """Look at the accept queues alone."""
        self._course.glance(self._source.sample(GLANCE))

    def report(self) -> Report:
        """What the rules say of the last look."""
        evidence, frame = self._evidence or self.look(), self._frame
        whereabouts = evidence.sample.whereabouts
        beside = () if whereabouts is None else whereabouts.degraded
        return Report(
            diagnosis=judge(evidence),
            sample=evidence.sample,
            samples=evidence.past.samples,
            watched_s=evidence.past.watched_s,
            rooms=rooms(evidence),
            counters=self._course.moving,
            filter=self._view.filter_text,
            mask=frame.mask,
            degraded=tuple(dict.fromkeys((*frame.degraded, *beside))),
        )

    @property
    def _frame(self) -> Frame:
        frame = self._monitor.shown
        assert frame is not None
        return frame
