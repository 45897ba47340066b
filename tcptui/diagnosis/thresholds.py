"""From where on a rule speaks: numbers with a unit and a reason, which ``[diagnosis]`` in config.toml may override."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tcptui.errors import RequestError, nearest_hint
from tcptui.language import tr


class UnfitThresholdError(RequestError):
    """A number that there is not, or a value that it cannot have."""

    def __init__(self, threshold: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.threshold = threshold


@dataclass(frozen=True)
class Threshold:
    """One number."""

    id: str
    """Rule and name: ``R01.least``."""
    default: float
    unit: str
    """``sockets``, ``s``, ``1/s``, ``share`` (of 1), ``bytes``, ``samples``, ``peers`` or ``segments``."""
    about: str


THRESHOLDS = (
    Threshold("R01.least", 20, "sockets", "CLOSE_WAIT of one process from which on it leaks"),
    Threshold("R01.old", 60, "s", "median time in CLOSE_WAIT from which on nobody will close them"),
    Threshold("R01.forgotten", 300, "s", "time in CLOSE_WAIT from which on even one socket is worth a line"),
    Threshold("R01.many", 1000, "sockets", "CLOSE_WAIT of one process from which on it is critical"),
    Threshold("R01.thin", 100, "sockets", "CLOSE_WAIT from which on a histogram alone says that something leaks"),
    Threshold("R02.least", 5, "sockets", "clients that gave up before accept(), from which on it is a warning"),
    Threshold("R03.least", 20, "sockets", "sockets of one process that no table shows"),
    Threshold("R04.least", 200, "sockets", "orphaned FIN_WAIT2"),
    Threshold("R04.share", 0.2, "share", "of ESTABLISHED, from which on FIN_WAIT2 are many"),
    Threshold("R04.much", 0.5, "share", "of ESTABLISHED, from which on it is a warning"),
    Threshold("R04.buckets", 0.1, "share", "of tcp_max_tw_buckets, from which on FIN_WAIT2 are many"),
    Threshold("R04.late", 5, "s", "median time in FIN_WAIT2 below which peers close promptly"),
    Threshold("R05.old", 300, "s", "time in FIN_WAIT2 with a descriptor"),
    Threshold("R05.least", 5, "sockets", "half-closed sockets of one process from which on it is a warning"),
    Threshold("R06.least", 50, "sockets", "unacknowledged FINs"),
    Threshold("R06.share", 0.1, "share", "of ESTABLISHED, from which on unacknowledged FINs are many"),
    Threshold("R06.much", 1 / 3, "share", "of ESTABLISHED, from which on it is critical"),
    Threshold("R06.retransmits", 2, "segments", "retransmissions from which on a FIN is unanswered"),
    Threshold("R07.least", 20, "sockets", "closing sockets against a zero window"),
    Threshold("R08.share", 0.8, "share", "of the backlog, from which on half-open connections fill it"),
    Threshold("R08.least", 10, "sockets", "half-open connections of one listener"),
    Threshold("R08.unanswered", 0.7, "share", "of half-open connections whose SYN-ACK was sent again"),
    Threshold("R08.distinct", 0.8, "share", "of half-open connections that have a source of their own"),
    Threshold("R08.thin", 200, "sockets", "SYN_RECV from which on a histogram alone is suspect"),
    Threshold("R08.thin_least", 50, "sockets", "the same where they are more than ESTABLISHED"),
    Threshold("R10.least", 20, "sockets", "half-open connections"),
    Threshold("R10.distinct", 0.2, "share", "of half-open connections below which the sources are few"),
    Threshold("R11.near", 0.7, "share", "of the backlog, from which on an accept queue is nearly full"),
    Threshold("R11.samples", 2, "samples", "in a row for which it has to be nearly full"),
    Threshold("R11.least", 4, "sockets", "in a queue below which nearly full means nothing"),
    Threshold("R12.small", 128, "sockets", "backlog up to which a busy listener has little room"),
    Threshold("R12.share", 0.1, "share", "of all connections at listeners, from which on one of them is busy"),
    Threshold("R12.used", 0.1, "share", "of a backlog as large as somaxconn, from which on it may need more"),
    Threshold("R12.rate", 50, "1/s", "accepted connections from which on a listener is busy"),
    Threshold("R13.rate", 1, "1/s", "SYNs dropped from which on it is a warning"),
    Threshold("R14.least", 50, "peers", "addresses that one process waits for"),
    Threshold("R14.failing", 0.8, "share", "of connects that fail"),
    Threshold("R15.least", 5, "sockets", "SYN_SENT to one destination"),
    Threshold("R15.thin", 20, "sockets", "the same where retransmissions are not known"),
    Threshold("R16.rate", 5, "1/s", "refused connects"),
    Threshold("R17.warn", 0.7, "share", "of the ports towards one destination"),
    Threshold("R17.full", 0.9, "share", "of the ports towards one destination, from which on it is critical"),
    Threshold("R18.least", 500, "sockets", "TIME_WAIT worth a line"),
    Threshold("R18.served", 0.8, "share", "of TIME_WAIT at a port that is listened on"),
    Threshold("R18.buckets", 0.5, "share", "of tcp_max_tw_buckets below which they are harmless"),
    Threshold("R19.near", 0.9, "share", "of tcp_max_tw_buckets"),
    Threshold("R20.near", 0.9, "share", "of the last value of tcp_mem"),
    Threshold("R21.near", 0.8, "share", "of tcp_max_orphans"),
    Threshold("R22.warn", 0.8, "share", "of RLIMIT_NOFILE"),
    Threshold("R22.full", 0.95, "share", "of RLIMIT_NOFILE, from which on it is critical"),
    Threshold("R23.near", 0.8, "share", "of fs.file-max"),
    Threshold("R24.warn", 0.8, "share", "of nf_conntrack_max"),
    Threshold("R24.full", 0.95, "share", "of nf_conntrack_max, from which on it is critical"),
    Threshold("R25.rate", 1, "1/s", "segments dropped for their timestamp"),
    Threshold("R28.still", 10, "s", "time against a zero window"),
    Threshold("R28.least", 5, "sockets", "stuck sockets from which on it is a warning"),
    Threshold("R28.share", 0.01, "share", "of the open connections below which some slow readers are usual"),
    Threshold("R28.long", 60, "s", "time against a zero window from which on it is a warning"),
    Threshold("R29.retransmits", 3, "segments", "retransmissions without an answer"),
    Threshold("R29.least", 3, "sockets", "stuck sockets from which on it is a warning"),
    Threshold("R29.share", 0.01, "share", "of the open connections below which some vanished peers are usual"),
    Threshold("R30.unread", 65536, "bytes", "unread bytes"),
    Threshold("R30.still", 10, "s", "time for which nothing was read"),
    Threshold("R31.silent", 7200, "s", "time without a word from the peer"),
    Threshold("R31.least", 20, "sockets", "silent connections of one process from which on it is a warning"),
    Threshold("R32.rate", 1, "1/s", "connections given up from which on it is a warning"),
    Threshold("R33.share", 0.05, "share", "of new connections that end by a reset"),
    Threshold("R33.much", 0.2, "share", "of new connections that end by a reset, from which on it is a warning"),
    Threshold("R33.least", 100, "sockets", "new connections below which shares mean nothing"),
    Threshold("R34.warn", 0.01, "share", "of segments sent again"),
    Threshold("R34.bad", 0.05, "share", "of segments sent again, from which on it is critical"),
    Threshold("R34.least", 1000, "segments", "sent below which shares mean nothing"),
    Threshold("R35.share", 0.5, "share", "of a bad state that one peer has"),
    Threshold("R35.least", 50, "sockets", "in a bad state below which shares mean nothing"),
    Threshold("R36.least", 100, "sockets", "FIN_WAIT2 of one peer"),
    Threshold("R36.peers", 30, "peers", "that have so many, at most"),
    Threshold("R37.rate", 1, "1/s", "packets dropped on the way in"),
    Threshold("R37.least", 10, "segments", "dropped below which it was a single event"),
    Threshold("R38.rate", 100, "1/s", "connections to one destination that this end closes"),
    Threshold("R39.share", 0.1, "share", "by which table and gauges differ"),
    Threshold("R39.least", 50, "sockets", "by which table and gauges differ"),
    Threshold("R40.time_wait", 5000, "sockets", "TIME_WAIT from which on somebody may want fewer"),
)

_BY_ID = {each.id: each for each in THRESHOLDS}


@dataclass(frozen=True)
class Thresholds:
    """The numbers in force."""

    changed: Mapping[str, float] = field(default_factory=dict)
    """Those that differ from their defaults, by id."""

    def __getitem__(self, id: str) -> float:
        return self.changed.get(id, _BY_ID[id].default)


DEFAULTS = Thresholds()


def thresholds_of(table: Mapping[str, object]) -> Thresholds:
    """The numbers with what a table ``[diagnosis]`` sets: ``R01.least = 50``, flat or nested.

    Raises:
        UnfitThresholdError: there is no such number, or it is none.
    """
    return Thresholds({name: _checked(name, value) for name, value in _flat(table)})


def _flat(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", each) for inner, each in _flat(value))
        else:
            yield name, value


def _checked(name: str, value: object) -> float:
    if name not in _BY_ID:
        raise UnfitThresholdError(name, tr("there is no such threshold"), nearest_hint(name, _BY_ID))
    unit = _BY_ID[name].unit
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise UnfitThresholdError(
            name,
            tr("not a number from 0 on"),
            tr("write {example}", example=f"{name} = {_BY_ID[name].default:g}"),
        )
    if unit == "share" and value > 1 and name not in _MAY_EXCEED_ONE:
        raise UnfitThresholdError(name, tr("a share is from 0 to 1"), tr("write 0.5 for a half"))
    return float(value)


_MAY_EXCEED_ONE = frozenset({"R04.share", "R04.much", "R06.share", "R06.much"})
"""Shares of another state's count."""
