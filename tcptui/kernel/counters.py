"""Counters and gauges of ``/proc/net/{snmp,netstat,sockstat,sockstat6}`` (FACTS section 1, ``proc(5)``)."""

import functools
import re

_PLAIN_NUMBERS = re.compile(r"[0-9 ]+")
"""What the kernel writes nearly always, and what need not be looked at number by number."""


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


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()
