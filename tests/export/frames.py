"""Frames to write out: few sockets, all of them known."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from tcptui.analysis.attribution import attributed
from tcptui.model.fields import ViewKind
from tcptui.model.owners import Descriptors
from tcptui.model.sample import Cost, Degradation, Origin, Sample
from tcptui.model.states import TcpState
from tcptui.monitor.frame import Frame, build_frame
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tests.model.held import MASTER, NGINX_PATH, SSHD, WORKER, whereabouts_of
from tests.model.random_tables import ANY_IPV4, ANY_IPV6, TAKEN_AT, Socket, table_of

SOCKETS = (
    Socket(TcpState.LISTEN, ANY_IPV4, 443, ANY_IPV4, 0, recv_queue=2, send_queue=4096, inode=20, cookie=1),
    Socket(TcpState.LISTEN, ANY_IPV6, 22, ANY_IPV6, 0, send_queue=128, inode=21, cookie=2),
    Socket(recv_queue=5, send_queue=7, timer=2, timer_ms=4800, uid=33, inode=77, cgroup_id=20, cookie=3),
    Socket(remote_port=40001, cookie=4),
    Socket(TcpState.FIN_WAIT1, send_queue=1, timer=1, timer_ms=200, retransmits=3, remote_port=40002, cookie=5),
    Socket(TcpState.CLOSE_WAIT, IPv6Address("2001:db8::5"), 50000, IPv6Address("2001:db8::9"), 3306, cookie=6),
    Socket(TcpState.CLOSE_WAIT, IPv4Address("10.0.0.5"), 50001, IPv4Address("10.9.9.9"), 3306, cookie=2**63),
)
DEGRADED = (
    Degradation("owners.partial", "processes of other users have no name", "run as root to see every process"),
    Degradation("demo", "these sockets are made up"),
)


WHEREABOUTS = whereabouts_of(
    {20: (MASTER, WORKER), 21: (SSHD,), 77: (WORKER,)},
    {20: NGINX_PATH},
    descriptors={800: Descriptors(12, 1024), 812: Descriptors(1000, 1024), 640: Descriptors(9, None)},
)


def sample(
    *, degraded: tuple[Degradation, ...] = (), absent: frozenset[str] = frozenset(), host: str = "web-3"
) -> Sample:
    """The seven sockets, and who stands behind them."""
    unnamed = Sample(
        Origin(host, "6.18.44", "sock_diag", "blue", ("-N", "blue")),
        TAKEN_AT,
        10.0,
        table_of(SOCKETS),
        namespaces=("blue",),
        cost=Cost(8.1234, 1.0006, 0.0, 12.4),
        degraded=degraded,
        absent_fields=absent,
    )
    return attributed(unnamed if "holders" in absent else replace(unnamed, whereabouts=WHEREABOUTS))


def frame(kind: ViewKind, filter_text: str = "", prefix: int | None = None, taken: Sample | None = None) -> Frame:
    """One view of them."""
    parsed = parse_filter(filter_text) if filter_text else None
    return build_frame(View(kind, parsed, prefix=prefix), taken or sample())
