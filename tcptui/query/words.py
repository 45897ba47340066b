"""The words of the filter language, declared once: help, completion, messages and a part of the grammar's test."""

from dataclasses import dataclass
from enum import Enum

from tcptui.language import mark
from tcptui.model.states import ALL_STATES, TcpState


class Kind(Enum):
    """What may stand behind a word; the values are messages."""

    STATE = mark("a state")
    PORT = mark("a port")
    ADDRESS = mark("an address")
    BYTES = mark("a number of bytes")
    COUNT = mark("a number")
    DURATION = mark("a time")
    TIMER = mark("a timer")
    INTERFACE = mark("an interface")
    MARK = mark("a mark")
    CGROUP = mark("a cgroup path")
    SERVICE = mark("a service")
    NETNS = mark("a network namespace")
    USER = mark("a user")
    PID = mark("a process id")
    PROCESS = mark("a process name")
    NONE = mark("nothing")
    JOINT = mark("a condition")


@dataclass(frozen=True)
class Word:
    """One word of the language."""

    text: str
    kind: Kind
    example: str
    about: str
    """A message."""
    is_ss: bool = False
    """Whether ``ss(8)`` has it too, with the same meaning."""


WORDS = (
    Word("sport", Kind.PORT, "sport = :443", mark("Local port, also a range or a service name"), is_ss=True),
    Word("dport", Kind.PORT, "dport gt :1024", mark("Remote port"), is_ss=True),
    Word("port", Kind.PORT, "port 8000-8100", mark("Either port")),
    Word(
        "src",
        Kind.ADDRESS,
        "src [::1]:22",
        mark("Local address, with a prefix length, with a port, or both"),
        is_ss=True,
    ),
    Word("dst", Kind.ADDRESS, "dst 10.0.0.0/8", mark("Remote address"), is_ss=True),
    Word("ip", Kind.ADDRESS, "ip 10.1.2.3", mark("Either address")),
    Word(
        "state",
        Kind.STATE,
        "state time-wait",
        mark("State or group of states; several side by side add up"),
        is_ss=True,
    ),
    Word("exclude", Kind.STATE, "exclude listening", mark("Any other state"), is_ss=True),
    Word(
        "process", Kind.PROCESS, "process nginx", mark("Name of a process that holds the socket; * and ? as in a shell")
    ),
    Word("pid", Kind.PID, "pid 812", mark("Id of a process that holds the socket")),
    Word("user", Kind.USER, "user www-data", mark("Owner, by name or uid")),
    Word(
        "service",
        Kind.SERVICE,
        "service nginx.service",
        mark("Systemd unit or other cgroup by name, with all below it"),
    ),
    Word("cgroup", Kind.CGROUP, "cgroup /system.slice/ssh.service", mark("Cgroup (version 2) by path"), is_ss=True),
    Word("netns", Kind.NETNS, "netns blue", mark("Network namespace, where tcptui looks at all of them (-N all)")),
    Word("recvq", Kind.BYTES, "recvq > 0", mark("Bytes that the program has not read; a listener's accept queue")),
    Word("sendq", Kind.BYTES, "sendq > 64k", mark("Bytes that the peer has not acknowledged; a listener's backlog")),
    Word("retrans", Kind.COUNT, "retrans > 0", mark("Retransmissions or probes without an answer")),
    Word(
        "timer",
        Kind.TIMER,
        "timer keepalive",
        mark("Kernel timer that is running: off, on, keepalive, timewait, persist"),
    ),
    Word("age", Kind.DURATION, "age > 5m", mark("Time in the present state, as far as it was watched")),
    Word("inode", Kind.COUNT, "inode 0", mark("Inode of the descriptor; 0 when no process holds the socket")),
    Word(
        "dev", Kind.INTERFACE, "dev eth0", mark("Interface that the socket is bound to (SO_BINDTODEVICE)"), is_ss=True
    ),
    Word(
        "fwmark", Kind.MARK, "fwmark = 0x01/0x03", mark("Firewall mark (SO_MARK), also in some bits only"), is_ss=True
    ),
    Word("autobound", Kind.NONE, "autobound", mark("The kernel chose the local port"), is_ss=True),
    Word("and", Kind.JOINT, "sport = :22 and dst 10.0.0.0/8", mark("Both; also &, && or nothing at all"), is_ss=True),
    Word("or", Kind.JOINT, "sport = :22 or dport = :22", mark("One of them; also | or ||"), is_ss=True),
    Word("not", Kind.JOINT, "not sport = :22", mark("The opposite; also !"), is_ss=True),
)
"""In the order in which help and completion list them."""

WORD_BY_TEXT = {word.text: word for word in WORDS}
FILTER_WORDS = tuple(WORD_BY_TEXT)

SIGNS = {
    **dict.fromkeys(("=", "==", "eq"), "="),
    **dict.fromkeys(("!=", "ne", "neq"), "!="),
    **dict.fromkeys(("<", "lt"), "<"),
    **dict.fromkeys(("<=", "le", "leq"), "<="),
    **dict.fromkeys((">", "gt"), ">"),
    **dict.fromkeys((">=", "ge", "geq"), ">="),
}
"""The signs that compare, by all their spellings."""

AMOUNT_FIELDS = {"recvq": "recv_queue_bytes", "sendq": "send_queue_bytes", "retrans": "retransmits", "inode": "inode"}
"""Field id by the word that compares it."""

_ALL = frozenset(ALL_STATES)
_CONNECTED = _ALL - {TcpState.CLOSE, TcpState.LISTEN}
_BUCKET = frozenset({TcpState.SYN_RECV, TcpState.TIME_WAIT})
STATE_GROUPS = {
    "all": _ALL,
    "connected": _CONNECTED,
    "synchronized": _CONNECTED - {TcpState.SYN_SENT},
    "bucket": _BUCKET,
    "big": _ALL - _BUCKET,
}
"""The groups of states of ``ss(8)``, STATE-FILTER."""

_SS_SPELLINGS = {
    TcpState.FIN_WAIT1: "fin-wait-1",
    TcpState.FIN_WAIT2: "fin-wait-2",
    TcpState.LISTEN: "listening",
    TcpState.CLOSE: "closed",
}
STATE_WORDS = {state: _SS_SPELLINGS.get(state, state.name.lower().replace("_", "-")) for state in ALL_STATES}
"""Each state as ``ss(8)`` takes it in a filter."""

TCPDUMP_WORDS = {
    "port": {"src": "sport = :443", "dst": "dport = :443", "ip": "port 443"},
    "host": {"src": "src 10.1.2.3", "dst": "dst 10.1.2.3", "ip": "ip 10.1.2.3"},
    "net": {"src": "src 10.0.0.0/8", "dst": "dst 10.0.0.0/8", "ip": "ip 10.0.0.0/8"},
    "portrange": {"src": "sport 8000-8100", "dst": "dport 8000-8100", "ip": "port 8000-8100"},
}
"""What to write for a word of tcpdump behind one of ours."""

FOREIGN_WORDS = {
    "host": mark("write ip 10.1.2.3"),
    "net": mark("write ip 10.0.0.0/8"),
    "addr": mark("write ip 10.1.2.3"),
    "address": mark("write ip 10.1.2.3"),
    "peer": mark("write dst 10.1.2.3"),
    "remote": mark("write dst 10.1.2.3, or dport = :443"),
    "local": mark("write src 10.1.2.3, or sport = :443"),
    "lport": mark("write sport = :443"),
    "rport": mark("write dport = :443"),
    "srcport": mark("write sport = :443"),
    "dstport": mark("write dport = :443"),
    "portrange": mark("write port 8000-8100"),
    "proc": mark("write process nginx"),
    "program": mark("write process nginx"),
    "comm": mark("write process nginx"),
    "unit": mark("write service nginx.service"),
    "container": mark("write service NAME"),
    "namespace": mark("write netns blue"),
    "namespaces": mark("write netns blue"),
    "ns": mark("write netns blue"),
    "uid": mark("write user 33"),
    "owner": mark("write user www-data"),
    "iface": mark("write dev eth0"),
    "interface": mark("write dev eth0"),
    "mark": mark("write fwmark 1"),
    "age_ms": mark("write age > 5m"),
    "queue": mark("write recvq > 0, or sendq > 0"),
    "recv-q": mark("write recvq > 0"),
    "send-q": mark("write sendq > 0"),
    "recv_q": mark("write recvq > 0"),
    "send_q": mark("write sendq > 0"),
    "retransmits": mark("write retrans > 0"),
    "local_port": mark("write sport = :443"),
    "remote_port": mark("write dport = :443"),
    "local_address": mark("write src 10.1.2.3"),
    "remote_address": mark("write dst 10.1.2.3"),
    "recv_queue_bytes": mark("write recvq > 0"),
    "send_queue_bytes": mark("write sendq > 0"),
    "localhost": mark("write ip localhost"),
    "help": mark("see tcptui --help, or press F1 or e on the screen"),
    "ss": mark("leave it and its options out: write the condition alone"),
    "netstat": mark("leave it and its options out: write the condition alone"),
    "tcp": mark("leave it out: every socket here is TCP"),
    "listener": mark("write state listen"),
    "where": mark("leave it out: write the condition alone"),
    "grep": mark("leave it out: write the word alone"),
}
"""Words of other tools, and what to write for them here, as messages."""
