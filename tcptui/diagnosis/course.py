"""Samples in, evidence out: remembers of each what a rule needs to know of the past. Owned by one thread."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tcptui.diagnosis.counters import CounterPoint, Growth, MovingGroup, growth_between, moving_counters
from tcptui.diagnosis.evidence import Evidence, Past, QueuePast, Stillness
from tcptui.diagnosis.sockets import TIMER_PERSIST, Held, Sockets
from tcptui.diagnosis.thresholds import DEFAULTS, Thresholds
from tcptui.diagnosis.trend import Points, extended
from tcptui.model.owners import Process
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import Mask, identities_of

WINDOW_S = 30.0
"""Rates are told over so long, where it has been watched for that."""
LONGEST_S = 60.0
"""Counters are kept for so long, and those of the first sample."""
_MOST_STEPS = 20
"""Growths from sample to sample that are kept: four seconds at the shortest interval."""
_LEAST_FOLLOWED = 5
"""Sockets of one process below which their number is not followed."""
_BUSY_SHARE = 0.1
"""Of all ports towards one destination, from which on their number is followed."""
FOLLOWED_GAUGES = ("sockstat.TCP.tw", "sockstat.TCP.orphan", "sockstat.TCP.mem")
_ONE_FAMILY = frozenset({"-4", "-6"})
"""Options of a source with which the table has less than the gauges tell of."""
FOLLOWED_PARAMETERS = ("fs.file-nr", "net.netfilter.nf_conntrack_count")


class Course:
    """What has been seen so far."""

    def __init__(self, thresholds: Thresholds = DEFAULTS) -> None:
        """Nothing yet."""
        self._thresholds = thresholds
        self._start: CounterPoint | None = None
        self._points: deque[CounterPoint] = deque()
        self._samples = 0
        self._past = Past()

    def take(self, sample: Sample, mask: Mask | None = None) -> Evidence:
        """The evidence that a sample is, after those before it; ``mask`` has the sockets that a filter means."""
        sockets = Sockets(sample, mask)
        self._samples += 1
        self._note_counters(CounterPoint(sample.monotonic_s, sample.counters))
        self._past = self._followed(Evidence(sockets, self._past, self._thresholds))
        return Evidence(sockets, self._past, self._thresholds, is_filtered=mask is not None)

    def glance(self, sample: Sample) -> None:
        """Look at the accept queues between two samples; ``sample`` has the listeners, whatever else is in it."""
        self.note_queues(queues_in(sample))

    def note_queues(self, queues: Mapping[tuple[int, ...], int]) -> None:
        """Take the lengths of accept queues, as ``queues_in`` gives them, that were seen between two samples."""
        pasts = dict(self._past.queues)
        for key, length in queues.items():
            past = pasts.get(key, QueuePast())
            pasts[key] = replace(past, peak=max(past.peak, length))
        self._past = replace(self._past, queues=pasts)

    @property
    def points(self) -> tuple[CounterPoint, ...]:
        """The counters of the first sample, and of those of the last minute."""
        assert self._start is not None
        return (*(() if self._points[0] is self._start else (self._start,)), *self._points)

    @property
    def moving(self) -> tuple[MovingGroup, ...]:
        """The counters that have moved since the first sample."""
        return moving_counters(self.points)

    def _note_counters(self, point: CounterPoint) -> None:
        self._start = self._start or point
        self._points.append(point)
        while point.monotonic_s - self._points[0].monotonic_s > LONGEST_S and len(self._points) > 2:
            self._points.popleft()

    def _followed(self, evidence: Evidence) -> Past:
        """What is known of the past with a new sample; the evidence has that of the one before."""
        sample, before = evidence.sample, evidence.past
        newest, now_s = self._points[-1], sample.monotonic_s
        in_window = next(each for each in self._points if now_s - each.monotonic_s <= WINDOW_S)
        is_second = len(self._points) > 1
        assert self._start is not None
        return Past(
            samples=self._samples,
            watched_s=now_s - self._start.monotonic_s,
            window=growth_between(in_window if in_window is not newest else self._points[-2], newest)
            if is_second
            else Growth(),
            steps=(*before.steps[-_MOST_STEPS:], growth_between(self._points[-2], newest)) if is_second else (),
            close_waits=_counted(before.close_waits, _close_waits(evidence.sockets), now_s),
            leaks=_counted_leaks(before.leaks, sample.leaks or {}, now_s),
            queues=_queues(evidence),
            used=_used(evidence, before.used),
            gauges=_gauges(evidence, before.gauges),
            sending=_sending(evidence),
            unread=_unread(evidence),
            mismatches=before.mismatches + 1 if is_mismatch(evidence) else 0,
        )


def queues_in(sample: Sample) -> dict[tuple[int, ...], int]:
    """How many connections wait for accept() at each listener that has any; none where backlogs are not known."""
    if "backlog" in sample.absent_fields:
        return {}
    listeners = Sockets(sample).listeners
    return {listeners.key(end): int(listeners.queue[end]) for end in np.flatnonzero(listeners.queue > 0).tolist()}


def _close_waits(sockets: Sockets) -> list[Held]:
    waiting = sockets.at(TcpState.CLOSE_WAIT)
    if len(waiting) < _LEAST_FOLLOWED or not sockets.knows("inode"):
        return []
    return [held for held in sockets.by_holder(sockets.owned(waiting)) if len(held) >= _LEAST_FOLLOWED]


def _counted(before: Mapping[str, Points], held: list[Held], now_s: float) -> Mapping[str, Points]:
    return {each.key: extended(before.get(each.key, ()), now_s, len(each)) for each in held}


def _counted_leaks(
    before: Mapping[Process, Points], leaks: Mapping[Process, int], now_s: float
) -> Mapping[Process, Points]:
    return {process: extended(before.get(process, ()), now_s, count) for process, count in leaks.items()}


def _queues(evidence: Evidence) -> Mapping[tuple[int, ...], QueuePast]:
    """What each accept queue has gone through that has ever been seen with somebody in it."""
    before, listeners = evidence.past.queues, evidence.sockets.listeners
    if not evidence.sockets.knows("backlog"):
        return {}
    busy = {listeners.key(end): end for end in np.flatnonzero(listeners.queue > 0).tolist()}
    found = {key: QueuePast(peak=past.peak) for key, past in before.items() if key not in busy}
    share, least = evidence.threshold("R11.near"), evidence.threshold("R11.least")
    for key, end in busy.items():
        queue, backlog = int(listeners.queue[end]), int(listeners.backlog[end])
        past = before.get(key, QueuePast())
        is_near, is_over = queue >= max(share * backlog, least), queue > backlog
        found[key] = QueuePast(max(past.peak, queue), past.near + 1 if is_near else 0, past.over + 1 if is_over else 0)
    return found


def _used(evidence: Evidence, before: Mapping[tuple[int, ...], Points]) -> Mapping[tuple[int, ...], Points]:
    now_s = evidence.sample.monotonic_s
    return {
        each.key: extended(before.get(each.key, ()), now_s, each.used)
        for each in evidence.sockets.busy_destinations(_BUSY_SHARE)
    }


def _gauges(evidence: Evidence, before: Mapping[str, Points]) -> Mapping[str, Points]:
    now_s = evidence.sample.monotonic_s
    told = {name: evidence.gauge(name) for name in FOLLOWED_GAUGES}
    told |= {name: evidence.parameter(name) for name in FOLLOWED_PARAMETERS}
    return {name: extended(before.get(name, ()), now_s, value) for name, value in told.items() if value is not None}


def _sending(evidence: Evidence) -> Stillness:
    """Sockets with bytes for a peer that has closed its window."""
    sockets = evidence.sockets
    stuck = sockets.where(sockets.at(TcpState.ESTABLISHED, TcpState.CLOSE_WAIT), timer=TIMER_PERSIST)
    stuck = stuck[sockets.column("send_queue_bytes", stuck) > 0]
    identities = identities_of(evidence.sample.table.rows[stuck])
    return evidence.past.sending.followed_by(identities, np.zeros(len(stuck), np.int64), evidence.sample.monotonic_s)


def _unread(evidence: Evidence) -> Stillness:
    """Sockets with many bytes that their program has not read."""
    sockets = evidence.sockets
    index = sockets.at(TcpState.ESTABLISHED)
    index = index[sockets.column("recv_queue_bytes", index) > evidence.threshold("R30.unread")]
    identities = identities_of(evidence.sample.table.rows[index])
    values = sockets.column("recv_queue_bytes", index).astype(np.int64)
    return evidence.past.unread.followed_by(identities, values, evidence.sample.monotonic_s)


def is_mismatch(evidence: Evidence) -> bool:
    """Whether the table has another number of sockets than the gauges tell of."""
    told, found = table_and_gauges(evidence)
    return abs(told - found) > max(evidence.threshold("R39.share") * told, evidence.threshold("R39.least"))


def table_and_gauges(evidence: Evidence) -> tuple[int, int]:
    """How many sockets the gauges tell of, and how many the table has; both 0 where they cannot be compared."""
    sockets, sample = evidence.sockets, evidence.sample
    names = ("sockstat.TCP.inuse", "sockstat.TCP6.inuse", "sockstat.TCP.tw")
    told = [sample.counters.get(name) for name in names]
    is_of_one_family = not _ONE_FAMILY.isdisjoint(sample.origin.options)
    if None in told or not sample.is_whole or sockets.mask is not None or is_of_one_family:
        return 0, 0
    # Half-open connections are in no gauge (FACTS section 1).
    return sum(each for each in told if each is not None), len(sample.table) - sockets.count(TcpState.SYN_RECV)
