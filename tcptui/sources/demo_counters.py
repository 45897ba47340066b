"""The counters and gauges of a synthetic machine: they agree with its sockets and with what has become of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from tcptui.model.states import TcpState
from tcptui.model.table import Rows

SEGMENTS_A_TICK = 20
"""That an open connection sends."""
_SEGMENTS_A_LIFE = 6
"""That it takes to open and to close one."""

_STILL = (
    *("Tcp.AttemptFails", "Tcp.EstabResets", "Tcp.OutRsts"),
    *(
        f"TcpExt.{name}"
        for name in (
            *("ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPDeferAcceptDrop", "SyncookiesRecv"),
            *("SyncookiesFailed", "TCPFastRetrans", "TCPSlowStartRetrans", "TCPSpuriousRtxHostQueues"),
            *("TCPDSACKRecv", "EmbryonicRsts", "TCPAbortOnData", "TCPAbortOnClose", "TCPAbortOnLinger"),
            *("TCPAbortOnMemory", "TCPAbortFailed", "TWRecycled", "TWKilled", "TCPTimeWaitOverflow", "PAWSActive"),
            *("PAWSEstab", "PAWSTimewait", "TCPMemoryPressures", "PruneCalled", "RcvPruned", "TCPRcvQDrop"),
            *("TCPBacklogDrop", "TCPRcvCollapsed", "TCPToZeroWindowAdv", "TCPWinProbe", "TCPKeepAlive"),
        )
    ),
    *("softnet.dropped", "softnet.time_squeeze"),
)
"""What is counted by every kernel and happens in no scene."""


@dataclass(frozen=True)
class Tally:
    """What has become of one kind of connections so far."""

    opened: int = 0
    """By connect()."""
    accepted: int = 0
    waited: int = 0
    """Entered TIME_WAIT, or FIN_WAIT2 without a descriptor."""
    given_up: int = 0
    """Ended since the peer did not answer."""
    repeated: int = 0
    """Segments sent again for want of an answer, without those of handshakes."""
    asked_again: int = 0
    """SYNs and SYN-ACKs sent again."""
    lost: int = 0
    """Segments of open connections that were lost on the way and sent again."""
    segments: int = 0
    """Sent by open connections."""
    cookies: int = 0
    """SYNs answered with a cookie."""


def counters_of(tallies: Iterable[Tally]) -> Mapping[str, int]:
    """What /proc/net/snmp and netstat would say."""
    each = list(tallies)
    opened, accepted = sum(tally.opened for tally in each), sum(tally.accepted for tally in each)
    repeated, asked_again = sum(tally.repeated for tally in each), sum(tally.asked_again for tally in each)
    lost, cookies = sum(tally.lost for tally in each), sum(tally.cookies for tally in each)
    again = repeated + asked_again + lost
    sent = sum(tally.segments for tally in each) + (opened + accepted) * _SEGMENTS_A_LIFE + again + cookies
    moving = {
        "Tcp.ActiveOpens": opened,
        "Tcp.PassiveOpens": accepted,
        "Tcp.OutSegs": sent,
        "Tcp.RetransSegs": again,
        "TcpExt.TCPTimeouts": repeated + asked_again,
        "TcpExt.TCPSynRetrans": asked_again,
        "TcpExt.TCPLossProbes": lost,
        "TcpExt.TCPAbortOnTimeout": sum(tally.given_up for tally in each),
        "TcpExt.TW": sum(tally.waited for tally in each),
        "TcpExt.TCPReqQFullDoCookies": cookies,
        "TcpExt.SyncookiesSent": cookies,
    }
    return {**dict.fromkeys(_STILL, 0), **moving}


def gauges_of(rows: Rows) -> Mapping[str, int]:
    """What /proc/net/sockstat would say of the table."""
    is_of = {state: rows["state"] == state for state in TcpState}
    is_orphan = rows["inode"] == 0
    mini = is_of[TcpState.TIME_WAIT] | (is_of[TcpState.FIN_WAIT2] & is_orphan)
    closing = is_of[TcpState.FIN_WAIT1] | is_of[TcpState.LAST_ACK] | is_of[TcpState.CLOSING]
    is_full = ~mini & ~is_of[TcpState.SYN_RECV]
    has_bytes = (rows["recv_queue_bytes"] > 0) | (rows["send_queue_bytes"] > 0)
    return {
        "sockstat.TCP.inuse": int(np.count_nonzero(is_full)),
        "sockstat.TCP.orphan": int(np.count_nonzero(closing & is_orphan)),
        "sockstat.TCP.tw": int(np.count_nonzero(mini)),
        "sockstat.TCP.alloc": int(np.count_nonzero(is_full)),
        "sockstat.TCP.mem": int(np.count_nonzero(is_full & has_bytes & ~is_of[TcpState.LISTEN])),
    }
