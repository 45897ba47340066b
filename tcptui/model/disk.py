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

    def is_running(self, live: str | None) -> bool:
        """Whether the kernel has this value, going by what it says."""
        return live is not None and is_same_value(self.value, live)


@dataclass(frozen=True)
class OnDisk:
    """What the files of ``sysctl --system`` say."""

    settings: Mapping[str, DiskSetting] = field(default_factory=dict)
    """The one that wins, by dotted name."""
    overridden: Mapping[str, tuple[DiskSetting, ...]] = field(default_factory=dict)
    """Those that lose against it, in the order in which they are read."""
    unreadable: tuple[tuple[str, str], ...] = ()
    """Files that could not be read, with the reason."""


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


def _ports(text: str) -> set[int]:
    ports: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        ports.update(range(int(first), int(last or first) + 1))
    return ports
