"""Counters over time: how fast each moves now, over the last minute and since the watching began."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tcptui.language import mark

MINUTE_S = 60.0


@dataclass(frozen=True)
class CounterGroup:
    """Counters that tell of the same thing."""

    id: str
    title: str
    """Said by ``tr``."""
    names: tuple[str, ...]
    """As ``Sample.counters`` has them, and as ``tcptui explain`` takes them."""


def _ext(*names: str) -> tuple[str, ...]:
    return tuple(f"TcpExt.{name}" for name in names)


COUNTER_GROUPS = (
    CounterGroup("opens", mark("Opened, refused, cut"), ("Tcp.ActiveOpens", "Tcp.PassiveOpens", "Tcp.AttemptFails")),
    CounterGroup(
        "listen",
        mark("Dropped at listeners"),
        _ext("ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPDeferAcceptDrop"),
    ),
    CounterGroup(
        "cookies",
        mark("SYN cookies"),
        _ext("TCPReqQFullDoCookies", "SyncookiesSent", "SyncookiesRecv", "SyncookiesFailed"),
    ),
    CounterGroup(
        "retransmits",
        mark("Sent again"),
        (
            *("Tcp.RetransSegs", "Tcp.OutSegs"),
            *_ext("TCPTimeouts", "TCPSynRetrans", "TCPLossProbes", "TCPFastRetrans", "TCPSlowStartRetrans"),
            *_ext("TCPSpuriousRtxHostQueues", "TCPDSACKRecv"),
        ),
    ),
    CounterGroup(
        "aborts",
        mark("Resets and aborts"),
        (
            *("Tcp.EstabResets", "Tcp.OutRsts"),
            *_ext("EmbryonicRsts", "TCPAbortOnData", "TCPAbortOnClose", "TCPAbortOnLinger", "TCPAbortOnTimeout"),
            *_ext("TCPAbortOnMemory", "TCPAbortFailed"),
        ),
    ),
    CounterGroup(
        "time_wait",
        mark("TIME_WAIT and timestamps"),
        _ext("TW", "TWRecycled", "TWKilled", "TCPTimeWaitOverflow", "PAWSActive", "PAWSEstab", "PAWSTimewait"),
    ),
    CounterGroup(
        "memory",
        mark("Memory and windows"),
        _ext(
            *("TCPMemoryPressures", "PruneCalled", "RcvPruned", "TCPRcvQDrop", "TCPBacklogDrop", "TCPRcvCollapsed"),
            *("TCPToZeroWindowAdv", "TCPWinProbe", "TCPKeepAlive"),
        ),
    ),
    CounterGroup(
        "path",
        mark("Before and beside TCP"),
        (
            "softnet.dropped",
            "softnet.time_squeeze",
            "conntrack.drop",
            "conntrack.early_drop",
            "conntrack.insert_failed",
        ),
    ),
)
"""In the order in which they are shown."""


@dataclass(frozen=True)
class CounterPoint:
    """All counters at one time."""

    monotonic_s: float
    counters: Mapping[str, int]


@dataclass(frozen=True)
class Growth:
    """How much counters have grown between two points."""

    elapsed_s: float = 0.0
    by_name: Mapping[str, int] = field(default_factory=dict)
    """Those that both points have; one that went back, because a namespace has left, is not among them."""

    def of(self, name: str) -> int:
        """How much a counter has grown; 0 where that is not known."""
        return self.by_name.get(name, 0)

    def total(self, *names: str) -> int:
        """How much several have grown together."""
        return sum(map(self.of, names))

    def per_s(self, *names: str) -> float:
        """The same a second."""
        return self.total(*names) / self.elapsed_s if self.elapsed_s > 0 else 0.0

    def knows(self, *names: str) -> bool:
        """Whether all of these were read at both points."""
        return self.elapsed_s > 0 and all(name in self.by_name for name in names)


def growth_between(before: CounterPoint, after: CounterPoint) -> Growth:
    """How much the counters have grown from one point to a later one."""
    grown = {
        name: value - before.counters[name]
        for name, value in after.counters.items()
        if name in before.counters and value >= before.counters[name]
    }
    return Growth(after.monotonic_s - before.monotonic_s, grown)


@dataclass(frozen=True)
class Moving:
    """How one counter moves."""

    name: str
    total: int
    """Since the boot, or since its namespace was made."""
    now_per_s: float
    """Since the sample before."""
    minute_per_s: float
    """Over the last minute, or as long as it has been watched."""
    since_start: int
    """Since the watching began."""


@dataclass(frozen=True)
class MovingGroup:
    """Those of a group that have moved since the watching began."""

    group: CounterGroup
    counters: tuple[Moving, ...]


def moving_counters(points: Sequence[CounterPoint]) -> tuple[MovingGroup, ...]:
    """What moves, by what it means; ``points`` are samples in their order, the first the start of the watching.

    Groups in which nothing has moved are left out.
    """
    if len(points) < 2:
        return ()
    newest = points[-1]
    now = growth_between(points[-2], newest)
    since = growth_between(points[0], newest)
    minute = growth_between(_minute_ago(points), newest)
    groups = (
        MovingGroup(
            group,
            tuple(
                Moving(name, newest.counters[name], now.per_s(name), minute.per_s(name), since.of(name))
                for name in group.names
                if since.of(name)
            ),
        )
        for group in COUNTER_GROUPS
    )
    return tuple(each for each in groups if each.counters)


def _minute_ago(points: Sequence[CounterPoint]) -> CounterPoint:
    """The oldest point that is at most a minute old."""
    end_s = points[-1].monotonic_s
    return next(each for each in points if end_s - each.monotonic_s <= MINUTE_S or each is points[-2])
