"""Commands to look further with other tools, filled in for what is selected: ``ss``, ``tcpdump`` and ``nstat``.

They are for a person to copy; nothing here runs them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tcptui.explain.entries import CounterEntry, Flag, StateEntry

_FLAG_BITS: dict[Flag, int] = {"fin": 0x01, "syn": 0x02, "rst": 0x04}
"""RFC 9293 section 3.1. libpcap has names for them in IPv4; for IPv6 they have to be written as numbers."""
_IPV6_FLAGS_AT = 53
"""The header of IPv6 has 40 bytes, and TCP has its flags in byte 13."""


@dataclass(frozen=True)
class Selection:
    """What a person is looking at, as other tools are asked for it."""

    ss: str = ""
    """The whole ``ss`` command for it; empty for all sockets in the state."""
    packets: str = ""
    """What of it a packet filter can select (``pcap-filter(7)``); empty for all TCP."""
    inside: str = ""
    """What to put in front of a command to run it in the network namespace: ``ip netns exec blue``."""


def ss_command(entry: StateEntry, selection: Selection) -> str:
    """The rows of the state; empty where ``ss`` has none."""
    if not entry.ss:
        return ""
    shown = "-tnoepi" if entry.ss.startswith("-") else "-tanoepi"
    return selection.ss or _within(selection, f"ss {shown} {entry.ss}")


def capture_command(entry: StateEntry, selection: Selection) -> str:
    """The packets that tell something about the state."""
    conditions = [condition for condition in (selection.packets, _flags_condition(entry.flags)) if condition]
    return _within(selection, f"tcpdump -nni any '{' and '.join(conditions) or 'tcp'}'")


def counters_command(counters: Iterable[CounterEntry], selection: Selection) -> str:
    """The counters as they stand, none left out for being zero and no history written; empty where nstat has none.

    It leaves gauges out, and knows nothing of sockstat.
    """
    names = [each.name.replace(".", "") for each in counters if each.kind == "counter"]
    return _within(selection, f"nstat -asz {' '.join(names)}") if names else ""


def _within(selection: Selection, command: str) -> str:
    return f"{selection.inside} {command}" if selection.inside else command


def _flags_condition(flags: tuple[Flag, ...]) -> str:
    if not flags:
        return ""
    named = "|".join(f"tcp-{flag}" for flag in flags)
    mask = sum(_FLAG_BITS[flag] for flag in flags)
    return f"(tcp[tcpflags] & ({named}) != 0 or (ip6 proto 6 and ip6[{_IPV6_FLAGS_AT}] & {mask:#x} != 0))"
