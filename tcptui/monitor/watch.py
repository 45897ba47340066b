"""One connection looked at closely: what is known of it now, and how its figures went from sample to sample."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from tcptui.analysis.listening import endpoints, listener_of
from tcptui.model.detail import SocketDetail, SocketKey
from tcptui.model.fields import Value
from tcptui.model.owners import Holders, Process, Standing
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import ROW, Rows

SERIES_LENGTH = 240
"""Samples that a series goes back: four minutes at one a second."""

Series = tuple[int | None, ...]
"""One value a sample, the oldest first; None where it was not known."""


class Measure(Enum):
    """A figure of the connection that is followed."""

    RTT_US = "rtt_us"
    CWND = "cwnd"
    """Segments."""
    SENT = "sent_bytes_per_s"
    """Since the sample before; with what was sent again, where the kernel counts that."""
    RECEIVED = "received_bytes_per_s"
    DELIVERY = "delivery_bytes_per_s"
    """The kernel's own latest measurement of what gets through."""
    RETRANSMITS = "retransmits"
    """Segments sent again since the sample before."""
    RECV_QUEUE = "recv_queue_bytes"
    SEND_QUEUE = "send_queue_bytes"


_GAUGES = {Measure.RTT_US: "rtt", Measure.CWND: "snd_cwnd", Measure.DELIVERY: "delivery_rate"}
"""By the field of ``tcp_info`` that is the figure."""
_COUNTERS = {
    Measure.SENT: ("bytes_sent", "bytes_acked"),
    Measure.RECEIVED: ("bytes_received",),
    Measure.RETRANSMITS: ("total_retrans",),
}
"""By the field of ``tcp_info`` that grows by the figure: the first that this kernel has."""
_QUEUES = {Measure.RECV_QUEUE: "recv_queue_bytes", Measure.SEND_QUEUE: "send_queue_bytes"}
"""By the column of the table."""
_PER_SECOND = frozenset({Measure.SENT, Measure.RECEIVED})

Info = Mapping[str, int]
"""``SocketDetail.info``."""


@dataclass(frozen=True, eq=False)
class Watch:
    """The connection that is looked at, as one sample has it. Compared by identity.

    It keeps its cookie into FIN_WAIT2 and TIME_WAIT (FACTS section 6.5), so it is the same one until it is gone.
    """

    key: SocketKey
    row: int | None = None
    """Its row in the sample's table; None where it is gone, or not what the sample was narrowed to."""
    detail: SocketDetail | None = None
    """What the sample tells beyond the row."""
    last_info: Info | None = None
    """``tcp_info`` as it was when there last was one."""
    unanswered: int = 0
    """Samples in a row that had the socket and no detail."""
    state: TcpState | None = None
    """The state it is in, or was last seen in; None where it was never seen."""
    gone_since_s: float | None = None
    """``Sample.monotonic_s`` of the first sample without it; None while it is there."""
    listener: Value | None = None
    """Address and port of the listener that it came in at; None where it is one, or was opened from here."""
    holders: Holders | None = None
    """As last known, like all below; None where nobody is named."""
    standing: Standing | None = None
    """How they stand to it, or why there are none; None where nobody has looked."""
    ended: frozenset[Process] = frozenset()
    """Those of the holders that have exited."""
    cgroup: str = ""
    """Path; empty where it is not known."""
    age_ms: int | None = None
    """How long it has been in its state at least; None where that is not known."""
    is_age_whole: bool = False
    """Whether that is all of it."""
    series: Mapping[Measure, Series] = field(default_factory=dict)
    """The newest values, as many for each measure as there were samples."""
    is_past: bool = False
    """Whether the sample is over, so that nothing more can be asked for."""


class Watcher:
    """Follows one connection. Owned by one thread."""

    def __init__(self) -> None:
        """Follow nothing."""
        self._watch: Watch | None = None
        self._series: dict[Measure, deque[int | None]] = {}
        self._times_s: deque[float] = deque(maxlen=SERIES_LENGTH)
        """Of the samples in the series."""
        self._counted: tuple[float, Info] | None = None
        """When ``tcp_info`` was last had, and what was in it."""

    def update(self, sample: Sample, watched: SocketKey | None) -> Watch | None:
        """Take a new sample, each once, that was asked to tell more of the socket with the key ``watched``.

        Another key than before begins anew; None forgets.
        """
        if watched is None:
            self._watch = None
            return None
        if self._watch is None or self._watch.key != watched:
            self._watch = _first_seen(watched, sample)
            self._series = {measure: deque(maxlen=SERIES_LENGTH) for measure in Measure}
            self._times_s.clear()
            self._counted = None
        row, detail = _row_of(watched, sample.table.rows), _detail_of(watched, sample)
        watch = _with_holders(_seen(self._watch, sample, row, detail), sample)
        if watch.gone_since_s is None:
            self._follow(sample, row, detail.info if detail else None)
        self._watch = replace(watch, series={measure: tuple(values) for measure, values in self._series.items()})
        return self._watch

    def learn(self, sample: Sample) -> Watch | None:
        """Take what has been found out meanwhile about who holds the sockets of the last sample."""
        if self._watch is not None:
            self._watch = _with_holders(self._watch, sample)
        return self._watch

    def recalled(self, sample: Sample, watched: SocketKey) -> Watch:
        """The socket with the key ``watched`` as an earlier sample has it, with the series up to then."""
        row, detail = _row_of(watched, sample.table.rows), _detail_of(watched, sample)
        known = self._watch if self._watch is not None and self._watch.key == watched else None
        watch = replace(_first_seen(watched, sample), is_past=True)
        if known is not None:
            size = sum(time_s <= sample.monotonic_s for time_s in self._times_s)
            series = {measure: values[:size] for measure, values in known.series.items()}
            watch = replace(watch, listener=known.listener, series=series)
        if row is not None or detail is not None:
            return _with_holders(_seen(watch, sample, row, detail), sample)
        if known is not None and known.gone_since_s is not None and known.gone_since_s <= sample.monotonic_s:
            return replace(watch, gone_since_s=known.gone_since_s, state=known.state)
        return watch

    def _follow(self, sample: Sample, row: int | None, info: Info | None) -> None:
        """Add a value to each series."""
        values: dict[Measure, int | None] = {}
        if row is not None:
            known = {measure: name for measure, name in _QUEUES.items() if name not in sample.absent_fields}
            values |= {measure: int(sample.table.rows[name][row]) for measure, name in known.items()}
        if info is not None:
            values |= {measure: info.get(name) for measure, name in _GAUGES.items()}
            values[Measure.RTT_US] = info.get("rtt") or None
            values |= self._growth(sample.monotonic_s, info)
            self._counted = (sample.monotonic_s, info)
        self._times_s.append(sample.monotonic_s)
        for measure, series in self._series.items():
            series.append(values.get(measure))

    def _growth(self, now_s: float, info: Info) -> dict[Measure, int | None]:
        """By how much the counters have grown, those of bytes in a second."""
        if self._counted is None or now_s <= self._counted[0]:
            return {}
        before_s, before = self._counted
        grown: dict[Measure, int | None] = {}
        for measure, names in _COUNTERS.items():
            name = next((each for each in names if each in info and each in before), None)
            growth = None if name is None else info[name] - before[name]
            if growth is not None and growth >= 0:
                grown[measure] = round(growth / (now_s - before_s)) if measure in _PER_SECOND else growth
        return grown


def _row_of(key: SocketKey, rows: Rows) -> int | None:
    found = np.flatnonzero((rows["cookie"] == key.cookie) & (rows["netns"] == key.netns))
    return int(found[0]) if len(found) else None


def _detail_of(key: SocketKey, sample: Sample) -> SocketDetail | None:
    return sample.detail if sample.detail is not None and sample.detail.key == key else None


def _first_seen(key: SocketKey, sample: Sample) -> Watch:
    """A connection that was not watched before, and where it came from."""
    rows = sample.table.rows
    row = _row_of(key, rows)
    is_outgoing = row is not None and rows["state"][row] == TcpState.SYN_SENT
    return Watch(key, listener=None if key.is_listener or is_outgoing else _listener(key, rows))


def _listener(key: SocketKey, rows: Rows) -> Value | None:
    """The endpoint that the connection came in at; listeners are in every sample, however narrow."""
    ends = np.zeros(1, ROW)
    for name in ("local_hi", "local_lo", "local_port", "netns"):
        ends[name] = getattr(key, name)
    listening = rows[rows["state"] == TcpState.LISTEN]
    at = int(listener_of(endpoints(ends), endpoints(listening))[0])
    return tuple(int(listening[name][at]) for name in ("local_hi", "local_lo", "local_port")) if at >= 0 else None


def _seen(watch: Watch, sample: Sample, row: int | None, detail: SocketDetail | None) -> Watch:
    """The watch with what a sample tells of the socket itself; without row and detail it is gone."""
    if row is None and detail is None:
        since_s = sample.monotonic_s if watch.gone_since_s is None else watch.gone_since_s
        return replace(watch, row=None, detail=None, gone_since_s=since_s, unanswered=0)
    info = detail.info if detail else None
    age_ms, is_age_whole = _age(sample, row)
    return replace(
        watch,
        row=row,
        detail=detail,
        last_info=watch.last_info if info is None else info,
        unanswered=0 if detail else watch.unanswered + 1,
        state=_state(watch, sample, row, detail),
        gone_since_s=None,
        age_ms=age_ms,
        is_age_whole=is_age_whole,
    )


def _age(sample: Sample, row: int | None) -> tuple[int | None, bool]:
    if row is None or sample.age_ms is None:
        return None, False
    return int(sample.age_ms[row]), sample.is_watched is not None and bool(sample.is_watched[row])


def _state(watch: Watch, sample: Sample, row: int | None, detail: SocketDetail | None) -> TcpState | None:
    """The row's state, or the one that was looked up where the sample was narrowed to other rows."""
    told = None if detail is None else detail.state if detail.state is not None else (detail.info or {}).get("state")
    number = int(sample.table.rows["state"][row]) if row is not None else told
    return next((state for state in TcpState if state == number), watch.state)


def _with_holders(watch: Watch, sample: Sample) -> Watch:
    """The watch with who stands behind it; of one that is not in the table only who has exited since."""
    attribution, owners = sample.attribution, sample.owners
    if attribution is None:
        return watch
    if watch.row is not None:
        code, cgroup = int(attribution.codes[watch.row]), int(attribution.cgroup_codes[watch.row])
        watch = replace(
            watch,
            holders=attribution.groups[code] if code >= 0 else None,
            standing=Standing(int(attribution.standing[watch.row])),
            cgroup=attribution.cgroups[cgroup] if cgroup >= 0 else watch.cgroup,
        )
    ended = owners.ended(watch.holders or ()) if owners is not None else watch.ended
    return replace(watch, ended=ended)
