"""How long the kernel lets a socket live, as pure functions of its parameters.

May not read anything: a parameter comes in as a number, a lifetime goes out in seconds. The sentences around the
numbers are data (``data/<language>/bounds.toml``); which parameter feeds which law is declared in ``bounds``.

Three things make a lifetime longer than its textbook formula. They are all here, so that a prediction can be compared
with a measurement:

* The retransmission limits are a *time model*, not a count (``retransmits_timed_out()``): the connection dies at the
  first retransmission timeout after the model's time has passed since the first retransmission.
* Before that first retransmission the kernel waits for a loss probe and then for one retransmission timeout.
* A retransmission timeout (RTO) starts at ``tcp_rto_min_us`` plus the round trip and doubles, and the kernel's timer
  wheel fires up to an eighth late. ``NEAR_RTO_EXTRA_S`` stands for both on a near path.

Authority: FACTS sections 1 and 2, experiments E-2, E-5, E-7b, E-15, E-22, E-28, E-29. Measured values are quoted where
they fix a number; ``tests/explain/test_laws.py`` holds them all.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

TIME_WAIT_S = 60
"""TCP_TIMEWAIT_LEN: a constant in the kernel's source. Measured 60.3 s with tcp_fin_timeout = 5, 60.2 s with 120."""

ORPHAN_RETRIES_FOR_ZERO = 8
"""What ``tcp_orphan_retries = 0`` counts as (``tcp_orphan_retries()`` in net/ipv4/tcp_timer.c)."""

DEFAULT_RETRIES2 = 15
DEFAULT_RTO_MIN_US = 200_000
DEFAULT_RTO_MAX_MS = 120_000

NEAR_RTO_EXTRA_S = 0.0085
"""What a near path adds to the smallest RTO: 512 doublings-worth of (0.2 + this) are the 107 s that were measured."""

_BUSY_RTO_EXTRA_S = 0.017
"""The same for a sender that has filled the peer's window: its round trips vary more. Fits 342 s and 12.1 s."""

_MODEL_RTO_S = 0.2
"""TCP_RTO_MIN: the time model starts here whatever ``tcp_rto_min_us`` says (``tcp_model_timeout()``)."""

_FIRST_SYN_RTO_S = 1.0
"""TCP_TIMEOUT_INIT: the wait after the first SYN and after the first SYN-ACK."""


@dataclass(frozen=True)
class GiveUp:
    """When the kernel stops trying."""

    retries: int
    """The number of retries the kernel counts with, which is not always the one that is set."""
    floor_s: float
    """Seconds before which it never gives up, whatever the round trip."""
    about_s: float
    """Seconds after which it gives up on a near path; a long round trip stretches it."""
    retransmissions: int
    """How often the segment was sent again."""


def near_rto_s(rto_min_us: int = DEFAULT_RTO_MIN_US) -> float:
    """The first retransmission timeout of a connection whose round trip is negligible, in seconds."""
    return rto_min_us / 1e6 + NEAR_RTO_EXTRA_S


def model_s(retries: int, *, first_rto_s: float = _MODEL_RTO_S, rto_max_ms: int = DEFAULT_RTO_MAX_MS) -> float:
    """The kernel's own time for ``retries`` doublings: ``tcp_model_timeout()``.

    (2^(n+1) - 1) * 0.2 s until a doubling would pass the largest RTO, then one largest RTO for each further retry:
    8 gives 102.2 s, 15 gives 924.6 s.
    """
    doublings = (rto_max_ms // round(first_rto_s * 1000)).bit_length() - 1
    capped = max(0, retries - doublings)
    return ((2 << min(retries, doublings)) - 1) * first_rto_s + capped * rto_max_ms / 1000


def orphan_give_up(
    retries: int, *, rto_min_us: int = DEFAULT_RTO_MIN_US, rto_max_ms: int = DEFAULT_RTO_MAX_MS
) -> GiveUp:
    """FIN_WAIT1, LAST_ACK or CLOSING that no program holds, and a peer that does not answer (``tcp_orphan_retries``).

    0 counts as 8 until the RTO has grown to its maximum, then as none, so a lower ``tcp_rto_max_ms`` ends such an
    orphan at once. Measured: 1 → 1.7 s, 2 → 3.4, 3 → 6.7, 7 → 53.0, 0 → 107.1; 0 with a largest RTO of 5 s → 11.9 s.
    """
    rto_max_s = rto_max_ms / 1000

    def limit_s(last_rto_s: float) -> float:
        counted = retries if retries or last_rto_s >= rto_max_s else ORPHAN_RETRIES_FOR_ZERO
        return model_s(counted, rto_max_ms=rto_max_ms)

    return _first_timeout_past(limit_s, retries or ORPHAN_RETRIES_FOR_ZERO, rto_min_us, rto_max_s)


def owned_give_up(
    retries2: int, *, rto_min_us: int = DEFAULT_RTO_MIN_US, rto_max_ms: int = DEFAULT_RTO_MAX_MS
) -> GiveUp:
    """Unacknowledged data or FIN on a socket that a program still holds (``tcp_retries2``).

    Measured: 3 → 6.8 s, 5 → 13.6 s, 15 → 944.4 s.
    """
    limit_s = model_s(retries2, rto_max_ms=rto_max_ms)
    return _first_timeout_past(lambda _rto_s: limit_s, retries2, rto_min_us, rto_max_ms / 1000)


def zero_window_orphan_s(
    retries: int = 0,
    retries2: int = DEFAULT_RETRIES2,
    *,
    rto_min_us: int = DEFAULT_RTO_MIN_US,
    rto_max_ms: int = DEFAULT_RTO_MAX_MS,
) -> float:
    """An orphan whose peer answers every probe but keeps its window shut, in seconds since the window closed.

    It ends when the probe interval has reached the largest RTO *and* the backoff has reached ``tcp_orphan_retries``
    (``tcp_probe_timer()``). The backoff stops at ``tcp_retries2``: it never ends where that is fewer than the orphan
    retries, or too few for the interval to grow to the largest RTO. Measured: 342 s with 0 and with 2 retries; with a
    largest RTO of 5 s 12.1 s, and 62 s with 15 retries; with a largest RTO of 1 s and 16 retries, or with
    ``tcp_retries2`` of 5 or 8, it outlived the experiment.
    """
    rto_max_s = rto_max_ms / 1000
    if retries > retries2 or (rto_min_us / 1e6 + _BUSY_RTO_EXTRA_S) * 2**retries2 < rto_max_s:
        return math.inf
    waited_s = 0.0
    for doublings, interval_s in enumerate(_doubling(rto_min_us / 1e6 + _BUSY_RTO_EXTRA_S, rto_max_s)):
        waited_s += interval_s
        if interval_s >= rto_max_s and doublings >= retries:
            break
    return waited_s


def syn_give_up(syn_retries: int, linear_timeouts: int = 4, *, rto_max_ms: int = DEFAULT_RTO_MAX_MS) -> GiveUp:
    """connect() without an answer (``tcp_syn_retries``, ``tcp_syn_linear_timeouts``).

    Two models, whichever ends first: as many retransmissions as both parameters together allow, or the time that
    ``tcp_syn_retries`` doublings of 1 s take. That is why the linear timeouts do not stretch a short limit: 2 retries
    give 7.1 s with 0 and with 4 linear timeouts. The defaults give 131 s; measured 133.4 s and 10 retransmissions.
    """
    limit_s = model_s(syn_retries, first_rto_s=_FIRST_SYN_RTO_S, rto_max_ms=rto_max_ms)
    rto_s, elapsed_s, retransmissions = _FIRST_SYN_RTO_S, _FIRST_SYN_RTO_S, 0
    while retransmissions < syn_retries + linear_timeouts and (retransmissions == 0 or elapsed_s < limit_s):
        retransmissions += 1
        if retransmissions > linear_timeouts:
            rto_s = min(rto_s * 2, rto_max_ms / 1000)
        elapsed_s += rto_s
    return GiveUp(syn_retries, elapsed_s, elapsed_s, retransmissions)


def syn_ack_give_up(synack_retries: int, *, rto_max_ms: int = DEFAULT_RTO_MAX_MS) -> GiveUp:
    """SYN_RECV without the last ACK (``tcp_synack_retries``): 1 + 2 + 4 ... s.

    5 gives 63 s; measured 64.8 s. A listener whose queue is more than half full drops old entries earlier.
    """
    waits_s = _doubling(_FIRST_SYN_RTO_S, rto_max_ms / 1000)
    total_s = sum(next(waits_s) for _ in range(synack_retries + 1))
    return GiveUp(synack_retries, total_s, total_s, synack_retries)


def fin_wait2_orphan_s(fin_timeout_s: int, *, rto_min_us: int = DEFAULT_RTO_MIN_US) -> float:
    """FIN_WAIT2 that no program holds (``tcp_fin_timeout`` or TCP_LINGER2), in seconds.

    Up to 60 s the value itself, though never less than 3.5 RTO. Above 60 s the kernel waits T - 60 twice, once as a
    full socket and once as a small one. Measured: 0 → 0.7 to 1.0 s, 5 → 5.2, 60 → 62.2, 62 → 4.3, 65 → 10.3, 90 → 62,
    120 → 123.6.
    """
    shortest_s = 3.5 * near_rto_s(rto_min_us)
    lifetime_s = max(float(fin_timeout_s), shortest_s)
    if lifetime_s <= TIME_WAIT_S:
        return lifetime_s
    beyond_s = lifetime_s - TIME_WAIT_S
    return beyond_s + max(beyond_s, shortest_s)


def keepalive_death_s(idle_s: int, interval_s: int, probes: int) -> int:
    """Silence after which SO_KEEPALIVE declares a peer dead that answers nothing: 7200 + 9 * 75 = 7875 s by default."""
    return idle_s + interval_s * probes


def syn_backlog_cap(max_syn_backlog: int) -> int:
    """Half-open connections from unproven peers that ``tcp_max_syn_backlog`` admits when cookies are off.

    A quarter is kept back: 97 of 128 and 1537 of 2048 were measured.
    """
    return max_syn_backlog - (max_syn_backlog >> 2) + 1


def ephemeral_ports(low: int, high: int, reserved: str = "") -> int:
    """Ports that connect() can choose from for one source, destination and destination port.

    ``reserved`` is ``ip_local_reserved_ports`` as the kernel prints it: ``"8080,9148,40000-40099"``.
    """
    ranges = [part.partition("-") for part in reserved.split(",") if part.strip()]
    taken = {
        port for first, _, last in ranges for port in range(max(low, int(first)), min(high, int(last or first)) + 1)
    }
    return max(0, high - low + 1 - len(taken))


def _doubling(first_s: float, largest_s: float) -> Iterator[float]:
    """The waits of an exponential backoff: ``first_s``, twice that, ... never more than ``largest_s``."""
    wait_s = min(first_s, largest_s)
    while True:
        yield wait_s
        wait_s = min(wait_s * 2, largest_s)


def _first_timeout_past(limit_s: Callable[[float], float], retries: int, rto_min_us: int, rto_max_s: float) -> GiveUp:
    """Replay the retransmission timer until ``limit_s(the RTO that just ran out)`` has passed.

    The model's clock starts at the first retransmission, which comes one loss probe and one RTO after the segment.
    """
    first_rto_s = near_rto_s(rto_min_us)
    waits_s = _doubling(first_rto_s, rto_max_s)
    before_first_s = next(waits_s) + first_rto_s
    elapsed_s, wait_s, retransmissions = 0.0, 0.0, 0
    while not retransmissions or elapsed_s < limit_s(wait_s):
        wait_s = next(waits_s)
        elapsed_s += wait_s
        retransmissions += 1
    return GiveUp(retries, limit_s(wait_s), before_first_s + elapsed_s, retransmissions)
