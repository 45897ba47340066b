"""Kernel parameters as they are set on disk, for the next boot."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|[0-9]+)")
_PORTS = re.compile(r"[0-9]{1,5}(?:-[0-9]{1,5})?(?:,[0-9]{1,5}(?:-[0-9]{1,5})?)*")


@dataclass(frozen=True)
class DiskSetting:
    """A line of a file that sets a kernel parameter."""

    name: str
    """Dotted, printable."""
    value: str
    """Printable, blanks collapsed."""
    path: str
    """Printable."""
    line: int
    """Counted from 1."""
    is_known: bool = True
    """Whether this kernel has such a parameter."""

    @property
    def place(self) -> str:
        """Where it is, as a compiler says it."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class OnDisk:
    """What files set at boot."""

    settings: Mapping[str, DiskSetting] = field(default_factory=dict)
    """The one that wins, by dotted name."""
    overridden: Mapping[str, tuple[DiskSetting, ...]] = field(default_factory=dict)
    """Those that lose against it, in the order in which they are read."""
    unreadable: tuple[tuple[str, str], ...] = ()
    """Files that could not be read, with the reason."""
    reader: str = "sysctl --system"
    """The program that sets them at boot; they differ in what they make of the files."""


def is_same_value(written: str, running: str) -> bool:
    """Whether ``written``, taken by the kernel, reads back as ``running``.

    ``kernel/sysctl.c`` takes 0x1e and 036 for 30, leaves the last numbers of a vector as they are where fewer are
    written, ignores what is too many, and merges and sorts a list of ports.
    """
    wanted, found = written.split(), running.split()
    if wanted == found:
        return True
    if not wanted or not found:
        return False
    if _NUMBER.fullmatch(wanted[0]):
        pairs = zip(map(_number, wanted), map(_number, found))  # noqa: B905 - the shorter one counts
        return all(number is not None and number == other for number, other in pairs)
    if len(wanted) == len(found) == 1 and _PORTS.fullmatch(wanted[0]) and _PORTS.fullmatch(found[0]):
        return _ports(wanted[0]) == _ports(found[0])
    return sorted(wanted) == sorted(found)  # words in any order: tcp_allowed_congestion_control


def _number(word: str) -> int | None:
    """``lib/kstrtox.c: _parse_integer_fixup_radix()``; None for what is not a number."""
    if len(word) > 24 or not _NUMBER.fullmatch(word):
        return None
    digits = word.removeprefix("-")
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits.startswith("0") else 10
    try:
        return int(word, base)
    except ValueError:  # 08
        return None


def _ports(text: str) -> list[tuple[int, int]]:
    """The ranges of a list of ports, in order, those that touch or overlap joined."""
    joined: list[tuple[int, int]] = []
    parts = (part.partition("-") for part in text.split(","))
    for first, last in sorted((int(low), int(high or low)) for low, _, high in parts):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
