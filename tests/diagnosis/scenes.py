"""Machines with what is wrong on them, or what only looks so: described in parts, made into samples, and judged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tcptui.analysis.attribution import attributed
from tcptui.diagnosis.course import Course
from tcptui.diagnosis.finding import Diagnosis, Finding, Severity
from tcptui.diagnosis.judging import judge
from tcptui.diagnosis.thresholds import DEFAULTS, Thresholds
from tcptui.model.address import parse_network
from tcptui.model.disk import DiskSetting, OnDisk
from tcptui.model.owners import Descriptors, Holders, Process, owners_of
from tcptui.model.sample import Origin, Sample, Whereabouts
from tcptui.model.states import TcpState
from tcptui.model.table import ROW, Rows, SocketTable
from tests.model.random_tables import TAKEN_AT

JAVA = Process(900, 5000, "java", "/usr/bin/java -jar shop.jar", 91, "tomcat")
NGINX = Process(812, 4100, "nginx", "nginx: worker process", 33, "www-data")
ANY = "0.0.0.0"  # noqa: S104 - the address of a listener, not a place to bind
OFF, ON, KEEPALIVE, TIMEWAIT, PERSIST = range(5)
NO_INFO = frozenset({"rtt_us", "total_retransmits", "idle_ms"})
HISTOGRAM = NO_INFO | {
    *("local_address", "local_port", "remote_address", "remote_port", "recv_queue_bytes", "send_queue_bytes"),
    *("timer", "timer_ms", "retransmits", "uid", "inode", "backlog", "interface", "cgroup_id", "cookie", "mark"),
}
"""What counts by state do not tell."""

DEFAULT_PARAMETERS = {
    "net.ipv4.tcp_fin_timeout": "60",
    "net.ipv4.tcp_orphan_retries": "0",
    "net.ipv4.tcp_max_orphans": "131072",
    "net.ipv4.tcp_max_tw_buckets": "131072",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv4.tcp_timestamps": "1",
    "net.ipv4.tcp_tw_reuse": "2",
    "net.ipv4.tcp_tw_reuse_delay": "1000",
    "net.ipv4.tcp_retries2": "15",
    "net.ipv4.tcp_mem": "287901 383868 575802",
    "net.ipv4.ip_local_port_range": "32768 60999",
    "net.ipv4.ip_local_reserved_ports": "",
    "net.core.somaxconn": "4096",
}
QUIET_COUNTERS: dict[str, int] = dict.fromkeys(
    (
        *("Tcp.ActiveOpens", "Tcp.PassiveOpens", "Tcp.AttemptFails", "Tcp.EstabResets", "Tcp.OutRsts", "Tcp.OutSegs"),
        *("Tcp.RetransSegs", "TcpExt.ListenOverflows", "TcpExt.ListenDrops", "TcpExt.TCPReqQFullDrop"),
        *("TcpExt.TCPReqQFullDoCookies", "TcpExt.SyncookiesSent", "TcpExt.SyncookiesRecv", "TcpExt.PAWSEstab"),
        *("TcpExt.EmbryonicRsts", "TcpExt.TCPTimeouts", "TcpExt.TCPAbortOnTimeout", "TcpExt.TCPAbortOnMemory"),
        *("TcpExt.TCPMemoryPressures", "TcpExt.TCPTimeWaitOverflow", "TcpExt.TCPBacklogDrop", "TcpExt.TCPRcvQDrop"),
        *("TcpExt.TCPDSACKRecv", "TcpExt.TCPKeepAlive", "softnet.dropped", "softnet.time_squeeze"),
    ),
    0,
)


@dataclass(frozen=True, eq=False)
class Part:
    """Sockets of one kind."""

    rows: Rows
    holder: Process | None = None


def part(
    state: TcpState,
    count: int,
    *,
    local: str = "10.0.0.5",
    local_port: int | None = 443,
    remote: str = "198.51.100.1",
    peers: int = 1,
    remote_port: int | None = None,
    holder: Process | None = None,
    **columns: int,
) -> Part:
    """``count`` sockets; without a port each has one of its own, and they come from so many peers in turn."""
    rows = np.zeros(count, ROW)
    number = np.arange(count)
    here, there = parse_network(local), parse_network(remote)
    rows["state"], rows["family"] = state, 4
    rows["local_hi"], rows["local_lo"] = here.hi, here.lo
    rows["remote_hi"], rows["remote_lo"] = there.hi, np.uint64(there.lo) + (number % peers).astype(np.uint64)
    rows["local_port"] = 32768 + number % 28232 if local_port is None else local_port
    rows["remote_port"] = 20000 + number // peers % 40000 if remote_port is None else remote_port
    for name, value in columns.items():
        rows[name] = value
    return Part(rows, holder)


def listener(port: int = 443, queue: int = 0, backlog: int = 511, holder: Process | None = NGINX) -> Part:
    """Somebody who listens on all addresses."""
    return part(
        *(TcpState.LISTEN, 1),
        local=ANY,
        local_port=port,
        remote=ANY,
        remote_port=0,
        holder=holder,
        recv_queue_bytes=queue,
        send_queue_bytes=backlog,
    )


def at(
    monotonic_s: float,
    *parts: Part,
    counters: Mapping[str, int] | None = None,
    gauges: Mapping[str, int] | None = None,
    parameters: Mapping[str, str] | None = None,
    descriptors: Mapping[int, Descriptors] | None = None,
    on_disk: Iterable[DiskSetting] = (),
    leaks: Mapping[Process, int] | None = None,
    absent: frozenset[str] = NO_INFO,
    age_s: float | None = None,
    kernel: str = "6.18.44",
) -> Sample:
    """A sample at a time; cookies and inodes are the same for the same parts."""
    rows = np.concatenate([np.zeros(0, ROW), *(each.rows for each in parts)])
    rows["cookie"] = np.arange(1, len(rows) + 1)
    holders: dict[int, Holders] = {}
    start = 0
    for each in parts:
        end = start + len(each.rows)
        if each.holder is not None:
            inodes = 1000 + np.arange(start, end)
            rows["inode"][start:end] = inodes
            holders |= dict.fromkeys(inodes.tolist(), (each.holder,))
        start = end
    owners = owners_of(holders, descriptors=descriptors or {})
    sample = Sample(
        Origin("web-3", kernel, "test"),
        TAKEN_AT,
        monotonic_s,
        SocketTable(rows),
        counters={**(counters or {}), **(gauges or {})},
        parameters=DEFAULT_PARAMETERS if parameters is None else {**DEFAULT_PARAMETERS, **parameters},
        disk=OnDisk({setting.name: setting for setting in on_disk}),
        leaks=leaks,
        absent_fields=absent,
        whereabouts=None if "inode" in absent else Whereabouts(owners),
        age_ms=None if age_s is None else np.full(len(rows), int(age_s * 1000)),
    )
    return attributed(sample)


def counted(counts: Mapping[TcpState, int], kernel: str = "6.18.44") -> Sample:
    """What counts by state tell, and nothing else."""
    rows = np.zeros(sum(counts.values()), ROW)
    rows["state"] = np.repeat(np.array(list(counts), np.uint8), list(counts.values()))
    sample = at(0, Part(rows), absent=HISTOGRAM, kernel=kernel)
    return replace(sample, parameters={}, disk=None)


def judged(*samples: Sample, thresholds: Thresholds = DEFAULTS) -> Diagnosis:
    """What the rules say of the last of these samples."""
    course = Course(thresholds)
    evidence = [course.take(sample) for sample in samples][-1]
    return judge(evidence)


def fired(diagnosis: Diagnosis) -> dict[str, Finding]:
    """The worst finding of each rule that found something."""
    return {finding.rule: finding for finding in reversed(diagnosis.findings)}


def alarms(diagnosis: Diagnosis) -> set[str]:
    """Rules that found something worse than worth knowing."""
    return {finding.rule for finding in diagnosis.findings if finding.severity > Severity.INFO}
