"""Which law speaks about which parameters, and which sentence its numbers go into.

A bound reads live parameters, asks ``laws`` and answers with the name of a case and the numbers for its sentence; the
sentence itself is data (``data/<language>/bounds.toml``, one per bound and case). May not hold a word of any language.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tcptui.explain import laws

Number = int | float | str
"""A value for a sentence: an int is a count, a float a duration in seconds, a str goes in as it is."""

ABORT_ON_OVERFLOW = "net.ipv4.tcp_abort_on_overflow"
FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
KEEPALIVE_INTVL = "net.ipv4.tcp_keepalive_intvl"
KEEPALIVE_PROBES = "net.ipv4.tcp_keepalive_probes"
KEEPALIVE_TIME = "net.ipv4.tcp_keepalive_time"
MAX_SYN_BACKLOG = "net.ipv4.tcp_max_syn_backlog"
MEM = "net.ipv4.tcp_mem"
ORPHAN_RETRIES = "net.ipv4.tcp_orphan_retries"
PORT_RANGE = "net.ipv4.ip_local_port_range"
RESERVED_PORTS = "net.ipv4.ip_local_reserved_ports"
RETRIES2 = "net.ipv4.tcp_retries2"
RTO_MAX_MS = "net.ipv4.tcp_rto_max_ms"
RTO_MIN_US = "net.ipv4.tcp_rto_min_us"
SOMAXCONN = "net.core.somaxconn"
SYNACK_RETRIES = "net.ipv4.tcp_synack_retries"
SYNCOOKIES = "net.ipv4.tcp_syncookies"
SYN_LINEAR_TIMEOUTS = "net.ipv4.tcp_syn_linear_timeouts"
SYN_RETRIES = "net.ipv4.tcp_syn_retries"
TIMESTAMPS = "net.ipv4.tcp_timestamps"
TW_REUSE = "net.ipv4.tcp_tw_reuse"
TW_REUSE_DELAY = "net.ipv4.tcp_tw_reuse_delay"

_LONGER_THAN_60_FROM = 90
"""From here on 2 * (T - 60) is at least the 60 s that T = 60 gives."""
_PAGES_PER_MIB = 256
_SHOWN_WHOLE_FROM_S = 10
_MOST_RETRIES = 255
_LEAST_RTO_MAX_MS = 1000
_MOST_TIMES_OUT_EARLY = 1
"""The value of tcp_orphan_retries with which a single unanswered window probe is one too many."""


class NoValueError(Exception):
    """A parameter that a bound needs is neither live nor has a default of its own."""


class Values:
    """Parameters as numbers. ``texts`` holds what /proc/sys says, or what stands in for it."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def text(self, name: str) -> str:
        """The value as the kernel prints it."""
        try:
            return self._texts[name]
        except KeyError as error:
            raise NoValueError(name) from error

    def integer(self, name: str, position: int = 0) -> int:
        """The value, or the one at ``position`` of several."""
        try:
            return int(self.text(name).split()[position])
        except (ValueError, IndexError) as error:
            raise NoValueError(name) from error

    def retries(self, name: str) -> int:
        """A count of retries within the kernel's range (u8), whatever the text says."""
        return min(max(self.integer(name), 0), _MOST_RETRIES)

    def rto_max_ms(self) -> int:
        """The longest retransmission timeout; the kernel accepts 1 s at least."""
        return max(self.integer(RTO_MAX_MS), _LEAST_RTO_MAX_MS)

    def rto(self) -> dict[str, int]:
        """The two ends of the retransmission timeout, as the laws take them."""
        return {"rto_min_us": max(self.integer(RTO_MIN_US), 1), "rto_max_ms": self.rto_max_ms()}


Answer = tuple[str, dict[str, Number]]
"""A case of the bound and the numbers for that case's sentence."""


@dataclass(frozen=True)
class Bound:
    """What limits a state, as far as parameters have a say in it."""

    parameters: tuple[str, ...]
    """The parameters it reads."""
    cases: Mapping[str, frozenset[str]]
    """Every case it can answer with, and the placeholders that may stand in that case's sentence."""
    answer: Callable[[Values], Answer]


def _keepalive(values: Values) -> Answer:
    idle, interval = values.integer(KEEPALIVE_TIME), values.integer(KEEPALIVE_INTVL)
    probes = values.retries(KEEPALIVE_PROBES)
    death = float(laws.keepalive_death_s(idle, interval, probes))
    return "usual", {"idle": float(idle), "interval": float(interval), "probes": probes, "death": death}


def _retries2(values: Values) -> Answer:
    end = laws.owned_give_up(values.retries(RETRIES2), **values.rto())
    return "usual", {"about": end.about_s, "floor": _rounded_down(end.floor_s), "retries": end.retries}


def _syn(values: Values) -> Answer:
    linear = values.retries(SYN_LINEAR_TIMEOUTS)
    end = laws.syn_give_up(values.retries(SYN_RETRIES), linear, rto_max_ms=values.rto_max_ms())
    numbers: dict[str, Number] = {
        "about": end.about_s,
        "retries": end.retries,
        "retransmissions": end.retransmissions,
    }
    return ("linear", numbers | {"linear": linear}) if linear else ("doubling", numbers)


def _syn_ack(values: Values) -> Answer:
    end = laws.syn_ack_give_up(values.retries(SYNACK_RETRIES), rto_max_ms=values.rto_max_ms())
    return "usual", {"about": end.about_s, "retries": end.retries}


def _syn_recv_cap(values: Values) -> Answer:
    cookies = values.integer(SYNCOOKIES)
    if cookies:
        return ("cookies_always" if cookies > 1 else "cookies_on"), {}
    try:
        backlog = values.integer(MAX_SYN_BACKLOG)
    except NoValueError:
        return "cookies_off_unknown", {}
    return "cookies_off", {"backlog": backlog, "cap": laws.syn_backlog_cap(backlog)}


def _orphan(values: Values) -> Answer:
    retries = values.retries(ORPHAN_RETRIES)
    end = laws.orphan_give_up(retries, **values.rto())
    if retries == 0 and end.floor_s < laws.model_s(end.retries, rto_max_ms=values.rto_max_ms()):
        return "zero_capped", {"about": end.about_s, "rto_max": values.rto_max_ms() / 1000}
    return ("set" if retries else "zero"), {
        "about": end.about_s,
        "floor": _rounded_down(end.floor_s),
        "retries": end.retries,
    }


def _zero_window_orphan(values: Values) -> Answer:
    retries, retries2 = values.retries(ORPHAN_RETRIES), values.retries(RETRIES2)
    if retries > retries2:
        return "unlimited", {"retries": retries, "retries2": retries2}
    about = laws.zero_window_orphan_s(retries, retries2, **values.rto())
    if about == math.inf:
        return "never_far_apart", {"retries2": retries2, "rto_max": values.rto_max_ms() / 1000}
    return ("one" if retries == _MOST_TIMES_OUT_EARLY else "usual"), {"about": about}


def _fin_wait2(values: Values) -> Answer:
    timeout = values.integer(FIN_TIMEOUT)
    about = laws.fin_wait2_orphan_s(timeout, rto_min_us=values.integer(RTO_MIN_US))
    numbers: dict[str, Number] = {"timeout": timeout, "about": about}
    if timeout > laws.TIME_WAIT_S:
        return ("above_60_shorter" if timeout < _LONGER_THAN_60_FROM else "above_60"), numbers
    return ("up_to_60" if about == timeout else "shortest"), numbers


def _time_wait(_values: Values) -> Answer:
    return "usual", {"seconds": float(laws.TIME_WAIT_S)}


def _tw_reuse(values: Values) -> Answer:
    reuse = values.integer(TW_REUSE)
    if not reuse:
        return "off", {}
    if not values.integer(TIMESTAMPS):
        return "no_timestamps", {"reuse": reuse}
    return ("loopback" if reuse > 1 else "all"), {"delay": values.integer(TW_REUSE_DELAY) / 1000}


def _ports(values: Values) -> Answer:
    low, high = values.integer(PORT_RANGE), values.integer(PORT_RANGE, 1)
    try:
        ports = laws.ephemeral_ports(low, high, values.text(RESERVED_PORTS))
    except ValueError as error:
        raise NoValueError(RESERVED_PORTS) from error
    return "usual", {"ports": ports, "low": str(low), "high": str(high)}


def _backlog(values: Values) -> Answer:
    return "usual", {"somaxconn": values.integer(SOMAXCONN)}


def _overflow(values: Values) -> Answer:
    return ("reset" if values.integer(ABORT_ON_OVERFLOW) else "ignore"), {}


def _memory(values: Values) -> Answer:
    _, pressure, maximum = (values.integer(MEM, position) // _PAGES_PER_MIB for position in range(3))
    return "usual", {"pressure": pressure, "maximum": maximum}


def _rounded_down(seconds: float) -> float:
    """A lower bound that stays one when it is shown without decimals."""
    return float(math.floor(seconds)) if seconds >= _SHOWN_WHOLE_FROM_S else seconds


def _cases(**placeholders: str) -> Mapping[str, frozenset[str]]:
    """``case="first second"`` for each case."""
    return {case: frozenset(names.split()) for case, names in placeholders.items()}


BOUNDS: Mapping[str, Bound] = {
    "keepalive": Bound(
        (KEEPALIVE_TIME, KEEPALIVE_PROBES, KEEPALIVE_INTVL), _cases(usual="idle interval probes death"), _keepalive
    ),
    "retries2": Bound((RETRIES2, RTO_MAX_MS, RTO_MIN_US), _cases(usual="about floor retries"), _retries2),
    "syn": Bound(
        (SYN_RETRIES, SYN_LINEAR_TIMEOUTS, RTO_MAX_MS),
        _cases(linear="about retries retransmissions linear", doubling="about retries retransmissions"),
        _syn,
    ),
    "syn_ack": Bound((SYNACK_RETRIES, RTO_MAX_MS), _cases(usual="about retries"), _syn_ack),
    "syn_recv_cap": Bound(
        (SYNCOOKIES, MAX_SYN_BACKLOG),
        _cases(cookies_on="", cookies_off="backlog cap", cookies_off_unknown="", cookies_always=""),
        _syn_recv_cap,
    ),
    "orphan": Bound(
        (ORPHAN_RETRIES, RTO_MAX_MS, RTO_MIN_US),
        _cases(zero="about floor retries", zero_capped="about rto_max", set="about floor retries"),
        _orphan,
    ),
    "zero_window_orphan": Bound(
        (ORPHAN_RETRIES, RETRIES2, RTO_MAX_MS, RTO_MIN_US),
        _cases(usual="about", one="about", unlimited="retries retries2", never_far_apart="retries2 rto_max"),
        _zero_window_orphan,
    ),
    "fin_wait2": Bound(
        (FIN_TIMEOUT, RTO_MIN_US),
        _cases(
            shortest="timeout about",
            up_to_60="timeout about",
            above_60_shorter="timeout about",
            above_60="timeout about",
        ),
        _fin_wait2,
    ),
    "time_wait": Bound((), _cases(usual="seconds"), _time_wait),
    "tw_reuse": Bound(
        (TW_REUSE, TW_REUSE_DELAY, TIMESTAMPS),
        _cases(off="", loopback="delay", all="delay", no_timestamps="reuse"),
        _tw_reuse,
    ),
    "ports": Bound((PORT_RANGE, RESERVED_PORTS), _cases(usual="ports low high"), _ports),
    "backlog": Bound((SOMAXCONN,), _cases(usual="somaxconn"), _backlog),
    "overflow": Bound((ABORT_ON_OVERFLOW,), _cases(ignore="", reset=""), _overflow),
    "memory": Bound((MEM,), _cases(usual="pressure maximum"), _memory),
}
"""Every bound by the name that the data files use."""
