"""What is thought of the samples: each judged by all rules as far as that is cheap, and findings followed over time.

A sample is judged as it is looked at. Where a filter says whose sockets are meant, those are judged by themselves;
where it goes by what sockets do, all are, and if they are not there nothing is judged: next to none but CLOSE_WAIT,
say, every number of them would be too many.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tcptui.diagnosis.capacity import Room, rooms
from tcptui.diagnosis.counters import CounterPoint, MovingGroup, moving_counters
from tcptui.diagnosis.course import Course
from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Diagnosis, Finding, Severity
from tcptui.diagnosis.findings import FollowedFinding, follow
from tcptui.diagnosis.judging import judge
from tcptui.diagnosis.thresholds import DEFAULTS, Thresholds
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import Mask
from tcptui.query.request import Need, Request
from tcptui.query.syntax import AgeTest, AmountTest, Filter, StateTest, TimerTest, tests_in

LARGEST_SHARE = 0.2
"""Of what a sample costs, to be spent on judging; where it takes more, samples are left out in between."""
ALWAYS_MS = 3.0
"""So much is not worth leaving one out."""
MOST_KEPT = 900
"""Judgements that can be gone back to."""
MOST_EPISODES = 200

_BY_WHAT_THEY_DO = (StateTest, AmountTest, AgeTest, TimerTest)


@dataclass(frozen=True, eq=False)
class Episode:
    """From when to when something was wrong. Compared by identity."""

    finding: Finding
    """As it was at its worst."""
    began_s: float
    ended_s: float | None = None
    """None while it goes on."""

    def is_open_at(self, monotonic_s: float) -> bool:
        """Whether it was wrong at a time."""
        return self.began_s <= monotonic_s and (self.ended_s is None or monotonic_s < self.ended_s)


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is thought of one sample. Compared by identity."""

    at_s: float
    """When that was taken, by its clock."""
    diagnosis: Diagnosis
    findings: tuple[FollowedFinding, ...]
    """The worst first."""
    filter_text: str = ""
    """Whose sockets alone were judged; empty for all."""
    evidence: Evidence | None = None
    """None once it is over: it would keep the whole sample."""
    points: tuple[CounterPoint, ...] = ()
    """Counters of the first sample, and of those of the last minute; none once it is over."""

    @property
    def open_findings(self) -> tuple[FollowedFinding, ...]:
        """Those that are still there."""
        return tuple(each for each in self.findings if each.is_open)

    @property
    def alarms(self) -> tuple[FollowedFinding, ...]:
        """Those of them that something should be done about."""
        return tuple(each for each in self.open_findings if each.finding.severity > Severity.INFO)

    def about(self, state: TcpState) -> tuple[FollowedFinding, ...]:
        """Those that concern a state."""
        return tuple(each for each in self.open_findings if state in each.finding.states)

    @property
    def rooms(self) -> list[Room] | None:
        """How much of each limit is in use; None once it is over. Computed when it is asked for."""
        return None if self.evidence is None else rooms(self.evidence)

    @property
    def moving(self) -> tuple[MovingGroup, ...]:
        """The counters that have moved. Computed when it is asked for."""
        return moving_counters(self.points)

    @property
    def watched_s(self) -> float:
        """How long the counters have been watched."""
        return self.points[-1].monotonic_s - self.points[0].monotonic_s if self.points else 0.0

    def over(self) -> Judgement:
        """The same to be kept, without what it was made of."""
        return replace(self, evidence=None, points=())


class _Case:
    """Sockets that are judged together from sample to sample: all, or those that a filter means."""

    def __init__(self, thresholds: Thresholds, filter: Filter | None) -> None:
        self.filter = filter
        self._course = Course(thresholds)
        self._findings: tuple[FollowedFinding, ...] = ()
        self._going_on: dict[tuple[str, str], Episode] = {}
        self._ended: deque[Episode] = deque(maxlen=MOST_EPISODES)

    def judged(self, sample: Sample, mask: Mask | None, queues: Mapping[tuple[int, ...], int]) -> Judgement:
        """What the rules say of one more sample; ``queues`` are accept queues that were seen since the one before."""
        self._course.note_queues(queues)
        evidence = self._course.take(sample, mask)
        diagnosis = judge(evidence)
        now_s = sample.monotonic_s
        self._findings = follow(self._findings, diagnosis.findings, now_s)
        self._note_episodes(now_s)
        text = self.filter.text if self.filter is not None else ""
        return Judgement(now_s, diagnosis, self._findings, text, evidence, self._course.points)

    def _note_episodes(self, now_s: float) -> None:
        for each in self._findings:
            key, finding = each.finding.key, each.finding
            before = self._going_on.get(key)
            if not each.is_open:
                self._going_on.pop(key, None)
                self._ended.append(Episode(before.finding if before else finding, each.first_seen_s, now_s))
            elif before is None or finding.severity >= before.finding.severity:
                self._going_on[key] = Episode(finding, each.first_seen_s)
        named = {each.finding.key for each in self._findings}
        self._going_on = {key: episode for key, episode in self._going_on.items() if key in named}

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """Those that are over, and those that go on."""
        return (*self._ended, *self._going_on.values())


class Judge:
    """Judges one sample after another. Owned by one thread."""

    def __init__(
        self,
        thresholds: Thresholds = DEFAULTS,
        *,
        glances: bool = True,
        largest_share: float = LARGEST_SHARE,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """``glances`` where accept queues may be looked at between the samples."""
        self.glances = glances
        self._thresholds = thresholds
        self._largest_share = largest_share
        self._clock = clock
        self._of_all = self._case = _Case(thresholds, None)
        self._kept: deque[Judgement] = deque(maxlen=MOST_KEPT)
        self._left_out = 0
        """Samples that are still to be left out."""
        self.newest: Judgement | None = None
        self.is_suspended = False
        """Whether samples come that cannot be judged, because a filter leaves out sockets by what they do."""
        self.count = 0
        """Judgements so far."""

    def asks(self, request: Request) -> Request:
        """``request`` with what rules need beside it: sockets that are in no table, only where all others are."""
        needs = {Need.STRAIN} if request.scope is not None else {Need.STRAIN, Need.LEAKS}
        return replace(request, needs=request.needs | needs)

    def take(
        self, sample: Sample, filter: Filter | None, mask: Mask | None, queues: Mapping[tuple[int, ...], int]
    ) -> None:
        """Judge a sample, unless it is to be left out or has been judged; ``mask`` has the rows that ``filter`` means.

        ``queues`` are accept queues that were seen between the samples.
        """
        if filter is not None and not is_about_whose(filter):
            filter = mask = None
        self.is_suspended = filter is None and not sample.is_whole
        self._case = self._case_of(filter)
        if self.is_suspended or self._is_still(sample) or self._is_left_out():
            return
        started = self._clock()
        self._keep(self._case.judged(sample, mask, queues))
        self.count += 1
        self._left_out = self._samples_worth((self._clock() - started) * 1e3, sample) if self.count > 1 else 0

    def at(self, monotonic_s: float) -> Judgement | None:
        """What was thought at a time; None where that is not known, or not any more."""
        return next((each for each in reversed(self._kept) if each.at_s <= monotonic_s), None)

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """What was wrong from when to when, of what is judged now."""
        return self._case.episodes

    def _case_of(self, filter: Filter | None) -> _Case:
        if filter is None:
            return self._of_all
        is_same = self._case.filter is not None and self._case.filter.expression == filter.expression
        return self._case if is_same else _Case(self._thresholds, filter)

    def _is_still(self, sample: Sample) -> bool:
        """Whether it is the one that was judged last: a text stands still."""
        newest = self.newest
        text = self._case.filter.text if self._case.filter is not None else ""
        return newest is not None and newest.filter_text == text and newest.at_s == sample.monotonic_s

    def _is_left_out(self) -> bool:
        if not self._left_out:
            return False
        self._left_out -= 1
        return True

    def _samples_worth(self, cost_ms: float, sample: Sample) -> int:
        """How many samples are to be left out for what judging one has cost."""
        budget_ms = max(self._largest_share * sample.cost.total_ms, ALWAYS_MS)
        return math.ceil(cost_ms / budget_ms) - 1 if math.isfinite(budget_ms) else 0

    def _keep(self, judgement: Judgement) -> None:
        if self._kept:
            judgement = replace(judgement, diagnosis=_sharing(judgement.diagnosis, self._kept[-1].diagnosis))
        self.newest = judgement
        self._kept.append(judgement.over())


def is_about_whose(filter: Filter) -> bool:
    """Whether a filter says whose sockets are meant, and not which of them by what they do."""
    return not any(isinstance(test, _BY_WHAT_THEY_DO) for test in tests_in(filter.expression))


def _sharing(diagnosis: Diagnosis, before: Diagnosis) -> Diagnosis:
    """The same, with the lists of the one before where they are alike: hundreds of judgements are kept."""
    return Diagnosis(
        diagnosis.findings,
        before.checked if before.checked == diagnosis.checked else diagnosis.checked,
        before.unchecked if before.unchecked == diagnosis.unchecked else diagnosis.unchecked,
    )
