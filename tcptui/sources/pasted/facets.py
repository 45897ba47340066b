"""What a line of text tells of a socket, as bits, and the fields that come of each.

Plain numbers: an ``IntFlag`` costs a microsecond each time two are joined, as much as the rest of a line.
"""

from collections.abc import Mapping
from typing import Final

LOCAL_ADDRESS: Final = 1 << 0
LOCAL_PORT: Final = 1 << 1
REMOTE_ADDRESS: Final = 1 << 2
REMOTE_PORT: Final = 1 << 3
QUEUES: Final = 1 << 4
BACKLOG: Final = 1 << 5
TIMER: Final = 1 << 6
UID: Final = 1 << 7
INODE: Final = 1 << 8
COOKIE: Final = 1 << 9
CGROUP: Final = 1 << 10
INFO: Final = 1 << 11
HOLDERS: Final = 1 << 12
SILENCE: Final = 1 << 13

ENDS: Final = LOCAL_ADDRESS | LOCAL_PORT | REMOTE_ADDRESS | REMOTE_PORT
EVERYTHING: Final = (1 << 14) - 1

FIELDS: Mapping[int, tuple[str, ...]] = {
    LOCAL_ADDRESS: ("local_address", "local"),
    LOCAL_PORT: ("local_port", "port"),
    REMOTE_ADDRESS: ("remote_address", "peer"),
    REMOTE_PORT: ("remote_port",),
    QUEUES: ("recv_queue_bytes", "send_queue_bytes", "accept_queue"),
    BACKLOG: ("backlog",),
    TIMER: ("timer", "timer_ms", "retransmits"),
    UID: ("uid",),
    INODE: ("inode",),
    COOKIE: ("cookie",),
    CGROUP: ("cgroup_id",),
    INFO: ("rtt_us", "total_retransmits"),
    HOLDERS: ("holders",),
    SILENCE: ("idle_ms",),
}
"""By bit the ids of the fields that it makes known."""

NEVER_TOLD = frozenset({"interface", "mark", "is_autobound", "age_ms", "netns"})
"""Fields that no text makes known: interfaces are told by names of another machine, and time does not pass in it."""
