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
from tcptui.model.sample import Degradation
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.view import View
from tcptui.query.request import FOUND_BESIDE, Need, Request
from tcptui.query.syntax import NOTHING, Filter
from tcptui.sources.base import Source

WIDEST = 120
"""Longer lines are hard to read."""
GLANCES = 5
"""Looks at the accept queues alone for each sample: they fill and empty within milliseconds."""

_NEEDS = FOUND_BESIDE | {Need.TCP_INFO, Need.STRAIN, Need.LEAKS}
_LISTENERS = Request(scope=NOTHING)
"""Every sample has the listeners."""

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
    view = View(ViewKind.STATES, filter)
    request = replace(view.request, needs=view.request.needs | _NEEDS)
    monitor, course = Monitor(view), Course(thresholds)
    evidence = _taken(source, request, monitor, course)
    started_s = newest_s = evidence.sample.monotonic_s
    while newest_s - started_s < plan.for_s:
        _wait(source, course, plan, min(plan.interval_s, plan.for_s - (newest_s - started_s)))
        evidence = _taken(source, request, monitor, course)
        if evidence.sample.monotonic_s <= newest_s:  # a text, of which there is no more
            break
        newest_s = evidence.sample.monotonic_s
    assert monitor.shown is not None
    return Report(
        diagnosis=judge(evidence),
        sample=evidence.sample,
        samples=evidence.past.samples,
        watched_s=evidence.past.watched_s,
        rooms=rooms(evidence),
        counters=course.moving,
        filter=view.filter_text,
        degraded=tuple(dict.fromkeys((*monitor.shown.degraded, *_beside(evidence)))),
    )


def _taken(source: Source, request: Request, monitor: Monitor, course: Course) -> Evidence:
    monitor.accept(source.sample(request), request)
    assert monitor.shown is not None
    return course.take(monitor.shown.sample, monitor.shown.mask)


def _beside(evidence: Evidence) -> tuple[Degradation, ...]:
    """What could not be found out about processes."""
    whereabouts = evidence.sample.whereabouts
    return () if whereabouts is None else whereabouts.degraded


def _wait(source: Source, course: Course, plan: Plan, seconds: float) -> None:
    """Let time pass, with looks at the accept queues."""
    for _ in range(plan.glances):
        plan.pause(seconds / (plan.glances + 1))
        course.glance(source.sample(_LISTENERS))
    plan.pause(seconds / (plan.glances + 1))
