"""Counters and gauges of TCP, of the receive path and of the firewall's table.

They stand in ``/proc/net/{snmp,netstat,sockstat,sockstat6,softnet_stat}`` and ``/proc/net/stat/nf_conntrack`` (FACTS
section 1, ``proc(5)``).
"""

import functools
import re

_PLAIN_NUMBERS = re.compile(r"[0-9 ]+")
"""What the kernel writes nearly always, and what need not be looked at number by number."""
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{1,16}")


@functools.lru_cache(maxsize=16)
def _full_names(prefix: str, names: str) -> tuple[str, ...]:
    """The counters that a line of names stands for; the same lines come with every sample."""
    return tuple(f"{prefix}.{name}" for name in names.split())


def parse_counter_table(text: str) -> dict[str, int]:
    """``/proc/net/snmp`` and ``/proc/net/netstat``: a line of names, then a line of values, under one prefix.

    Returns the TCP ones as ``Tcp.CurrEstab`` and ``TcpExt.ListenDrops``. A line that does not fit is left out.
    """
    counters: dict[str, int] = {}
    lines = text.splitlines()
    for names_line, values_line in zip(lines[::2], lines[1::2], strict=False):
        prefix, _, names = names_line.partition(":")
        same_prefix, _, values = values_line.partition(":")
        if prefix == same_prefix and prefix.startswith("Tcp"):
            pairs = zip(_full_names(prefix, names), values.split(), strict=False)
            if _PLAIN_NUMBERS.fullmatch(values):
                counters |= {name: int(value) for name, value in pairs}
            else:
                counters |= {name: int(value) for name, value in pairs if _is_number(value)}
    return counters


def parse_sockstat(text: str) -> dict[str, int]:
    """``/proc/net/sockstat`` and ``sockstat6``: ``TCP: inuse 3 orphan 0`` becomes ``sockstat.TCP.inuse``.

    ``inuse`` and ``tw`` belong to the namespace; ``orphan``, ``alloc`` and ``mem`` (pages) to the machine (FACTS E-1).
    """
    gauges = {}
    for line in text.splitlines():
        protocol, _, rest = line.partition(":")
        words = rest.split()
        if protocol.startswith("TCP"):
            for name, value in zip(words[::2], words[1::2], strict=False):
                if _is_number(value):
                    gauges[f"sockstat.{protocol}.{name}"] = int(value)
    return gauges


def parse_softnet_stat(text: str) -> dict[str, int]:
    """``/proc/net/softnet_stat``: hexadecimal, a line for each processor (``softnet_seq_show()``).

    The sums over the processors: packets that found the queue full, and turns that ended before the work did.
    """
    dropped = squeezed = 0
    for line in text.splitlines():
        words = line.split()[1:3]
        if len(words) == 2 and all(map(_HEXADECIMAL.fullmatch, words)):
            dropped += int(words[0], 16)
            squeezed += int(words[1], 16)
    return {"softnet.dropped": dropped, "softnet.time_squeeze": squeezed}


def parse_conntrack_stat(text: str) -> dict[str, int]:
    """``/proc/net/stat/nf_conntrack``: a line of names, then a hexadecimal line for each processor.

    The sums over the processors of what tells of a full table.
    """
    header, *lines = text.splitlines() or [""]
    names = header.split()
    wanted = {name: names.index(name) for name in ("drop", "early_drop", "insert_failed") if name in names}
    sums = dict.fromkeys(wanted, 0)
    for line in lines:
        words = line.split()
        if len(words) == len(names) and all(map(_HEXADECIMAL.fullmatch, words)):
            for name, index in wanted.items():
                sums[name] += int(words[index], 16)
    return {f"conntrack.{name}": value for name, value in sums.items()}


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()
