"""What the files on disk set: ``/etc/sysctl.conf`` and the folders ``sysctl.d``, as their two readers take them.

Files ``*.conf`` are looked for in ``FOLDERS``; a name in an earlier folder hides the same name in later ones, a link to
``/dev/null`` or an empty file hides it with nothing in its place, and so does a file that cannot be read. They are read
in the order of their names' bytes, whichever folder they are in. A line is ``NAME = VALUE``; ``#`` and ``;`` begin a
comment at the start of a line only. The first ``.`` or ``/`` of a name says which of the two separates; where it is the
dot, a ``/`` stands for a dot inside a part: ``net.ipv4.conf.eth0/100.rp_filter``. Names may be glob(7) patterns. Of two
lines for one name the later wins; a name that has a line of its own is left out of every pattern, earlier or later; a
line ``-NAME`` without ``=`` leaves it out of patterns and sets nothing; ``-NAME = VALUE`` is a setting whose failure
nobody is told. What is not a regular file is not read here; both readers hang on a FIFO.

The readers differ. Seen with ``sysctl --system`` of procps-ng 4.0.2 and systemd-sysctl 252, see the live tests:

============================================  =============================  ======================================
what differs                                  systemd-sysctl                 sysctl --system
============================================  =============================  ======================================
``/etc/sysctl.conf``                          only where a folder links to   last of all, also where a folder
                                              it (``99-sysctl.conf``)        links to it
files whose name begins with a dot            not read                       read
``-NAME`` after ``NAME = VALUE``              the setting is off             the setting stays
a pattern again, with the value it had        keeps its first place          counts where it stands last
``-PATTERN`` without ``=``                    that pattern is off            no effect
carriage return or NUL inside a line          ends it, another line follows  kept in the value; NUL cuts the line
form feed and vertical tab                    part of the name or value      blanks
``- NAME``                                    as ``-NAME``                   names nothing
``--NAME``                                    names nothing                  as ``-NAME``
============================================  =============================  ======================================

The reader is systemd-sysctl where systemd has booted the machine; a later ``sysctl --system`` by hand can come to
another result. Left out: ``--prefix`` and the credential ``sysctl.extra`` of systemd-sysctl, files
that a boot script names, and what procps makes of separators at the end of a name (nothing). A part of a name that
begins or ends with a dot names nothing here. A backslash in a pattern is not special here.
"""

import enum
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import zip_longest
from typing import NamedTuple

from tcptui.errors import system_reason
from tcptui.language import tr
from tcptui.text import printable

FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
"""From the first to be asked to the last."""
LAST_FILE = "/etc/sysctl.conf"
BOOTED_BY_SYSTEMD = "/run/systemd/system"
"""There while systemd is process 1 (sd_booted(3))."""

FILES_AT_MOST = 256
FILE_BYTES_AT_MOST = 128 * 1024
"""A machine's files have some hundred bytes to some kilobytes."""
BYTES_AT_MOST = 1024 * 1024
"""Of all files together."""

_NAME_AT_MOST = 1024
_PART_AT_MOST = 255  # include/uapi/linux/limits.h: NAME_MAX
_WILDCARDS = frozenset("*?[")
_DOTS_FOR_SLASHES = str.maketrans("./", "/.")
_NULL_DEVICE = os.makedev(1, 3)  # Documentation/admin-guide/devices.txt


class Reader(enum.Enum):
    """Which program sets the parameters from the files."""

    SYSTEMD = "systemd-sysctl"
    PROCPS = "sysctl --system"


_BLANKS = {Reader.SYSTEMD: b" \t\n\r", Reader.PROCPS: b" \t\n\r\v\f"}


@dataclass(frozen=True)
class DiskSetting:
    """A line that sets a parameter, or every parameter that a pattern matches. All text is printable."""

    name: str
    """Dotted; a ``/`` in it stands for a dot inside a part: ``net.ipv4.conf.eth0/100.rp_filter``."""
    value: str
    """As written, with one blank for each run of blanks. The kernel separates the numbers of a vector by tabs."""
    path: str
    """The file as it was found: ``/etc/sysctl.d/99-sysctl.conf``, even where that is a link."""
    line: int
    """From 1."""
    is_optional: bool
    """It begins with ``-``: no error is told where it fails."""

    @property
    def is_pattern(self) -> bool:
        """Whether ``name`` has wildcards."""
        return has_wildcards(self.name)

    def matches(self, name: str) -> bool:
        """Whether the pattern stands for the parameter ``name``; wildcards do not reach over a dot (glob(7))."""
        parts = zip_longest(self.name.replace("[^", "[!").split("."), name.split("."))
        return all(wanted is not None and part is not None and fnmatchcase(part, wanted) for wanted, part in parts)


@dataclass(frozen=True)
class DiskSettings:
    """What is set on disk."""

    reader: Reader
    settings: Mapping[str, DiskSetting]
    """By the name without wildcards: the line that wins."""
    patterns: tuple[DiskSetting, ...]
    """In the order in which they are applied: the last that matches wins."""
    excluded: frozenset[str]
    """Names that no pattern reaches and no line sets."""
    overridden: Mapping[str, tuple[DiskSetting, ...]]
    """By the same name, a pattern's too: the lines that lose, in reading order."""
    unreadable: tuple[tuple[str, str], ...]
    """Path and why it was not read, or not to its end."""

    def find(self, name: str) -> DiskSetting | None:
        """The line that sets the parameter ``name``, dotted as ``DiskSetting.name`` is."""
        if name in self.settings or name in self.excluded:
            return self.settings.get(name)
        return next((each for each in reversed(self.patterns) if each.matches(name)), None)


def has_wildcards(name: str) -> bool:
    """Whether ``name`` is a pattern, for both readers."""
    return not _WILDCARDS.isdisjoint(name)


class Assignment(NamedTuple):
    """What a line says."""

    name: str
    """Dotted, printable."""
    value: str | None
    """None for a line that leaves ``name`` out."""
    is_optional: bool


def read_disk_settings(root: str = "/", reader: Reader | None = None) -> DiskSettings:
    """What the files below ``root`` set, as ``reader`` takes them; without one, as the one that runs at boot does.

    At most ``FILES_AT_MOST`` files and ``BYTES_AT_MOST`` bytes of them are read; what is left out is in ``unreadable``.
    """
    below = root.rstrip("/")
    chosen = _reader_at_boot(below) if reader is None else reader
    collected = _Collected(chosen)
    paths, unreadable = _paths_to_read(below, chosen)
    left = BYTES_AT_MOST
    for path in paths:
        try:
            content = _content(below + path, min(FILE_BYTES_AT_MOST, left))
        except OSError as error:
            unreadable.append((printable(path), _reason(error)))
            continue
        if content.is_cut:
            reason = tr("too long: only its first {size} bytes are read", size=len(content.text))
            unreadable.append((printable(path), reason))
        left -= len(content.text)
        collected.take_file(printable(path), content.text)
    return collected.settings(unreadable)


def _reader_at_boot(below: str) -> Reader:
    return Reader.SYSTEMD if os.path.isdir(below + BOOTED_BY_SYSTEMD) else Reader.PROCPS


def _paths_to_read(below: str, reader: Reader) -> tuple[list[str], list[tuple[str, str]]]:
    """The files in reading order, and the folders that cannot be listed."""
    found: dict[str, str] = {}
    unreadable = []
    for folder in FOLDERS:
        try:
            names = os.listdir(below + folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            unreadable.append((folder, _reason(error)))
            continue
        for name in names:
            if name.endswith(".conf") and not (reader is Reader.SYSTEMD and name.startswith(".")):
                found.setdefault(name, f"{folder}/{name}")
    paths = [found[name] for name in sorted(found, key=os.fsencode)]
    if len(paths) > FILES_AT_MOST:
        reason = tr("more than {most} files: the rest are not read", most=FILES_AT_MOST)
        unreadable.append((printable(paths[FILES_AT_MOST]), reason))
    if reader is Reader.PROCPS and os.path.lexists(below + LAST_FILE):
        return [*paths[:FILES_AT_MOST], LAST_FILE], unreadable
    return paths[:FILES_AT_MOST], unreadable


def _reason(error: OSError) -> str:
    return system_reason(error) if error.strerror else str(error)


class _Content(NamedTuple):
    text: bytes
    """Whole lines, where it is cut."""
    is_cut: bool


def _content(path: str, limit: int) -> _Content:
    """Up to ``limit`` bytes of a regular file; nothing of the null device.

    Raises:
        OSError: it cannot be read, or is not a regular file.
    """
    if _is_null(os.stat(path)):  # asked before it is opened: opening some devices does something
        return _Content(b"", is_cut=False)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if _is_null(os.fstat(descriptor)):
            return _Content(b"", is_cut=False)
        with open(descriptor, "rb", closefd=False) as file:
            text = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(text) > limit:
        return _Content(text[: text.rfind(b"\n", 0, limit) + 1], is_cut=True)
    return _Content(text, is_cut=False)


def _is_null(status: os.stat_result) -> bool:
    """Whether it is the null device and not a regular file.

    Raises:
        OSError: it is neither.
    """
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == _NULL_DEVICE:
        return True
    if not stat.S_ISREG(status.st_mode):
        raise OSError(tr("not a regular file"))
    return False


class _Collected:
    """Settings while they are read."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._winning: dict[str, DiskSetting] = {}
        """Patterns too, in the order in which they are applied."""
        self._overridden: dict[str, list[DiskSetting]] = {}
        self._excluded: set[str] = set()

    def take_file(self, path: str, text: bytes) -> None:
        for number, line in enumerate(text.split(b"\n"), 1):
            for assignment in assignments_of(line, self._reader):
                self._take(assignment, path, number)

    def _take(self, assignment: Assignment, path: str, number: int) -> None:
        name, value, is_optional = assignment
        if value is None:
            self._leave_out(name)
            return
        self._excluded.discard(name)
        earlier = self._winning.get(name)
        if earlier is not None:
            self._overridden.setdefault(name, []).append(earlier)
            if not (self._reader is Reader.SYSTEMD and value == earlier.value):  # then it keeps its place
                del self._winning[name]
        self._winning[name] = DiskSetting(name, value, path, number, is_optional)

    def _leave_out(self, name: str) -> None:
        """A line ``-NAME``: systemd-sysctl forgets what was set, procps goes by what is set anywhere."""
        if self._reader is Reader.SYSTEMD and name in self._winning:
            self._overridden.setdefault(name, []).append(self._winning.pop(name))
        if name not in self._winning and not has_wildcards(name):
            self._excluded.add(name)

    def settings(self, unreadable: Sequence[tuple[str, str]]) -> DiskSettings:
        return DiskSettings(
            self._reader,
            {name: each for name, each in self._winning.items() if not each.is_pattern},
            tuple(each for each in self._winning.values() if each.is_pattern),
            frozenset(self._excluded),
            {name: tuple(each) for name, each in self._overridden.items()},
            tuple(unreadable),
        )


def assignments_of(line: bytes, reader: Reader) -> Iterator[Assignment]:
    """What a line, as editors count them, says: nothing or one assignment; more where ``reader`` breaks it further."""
    # src/basic/fileio.c: read_line() of systemd; procps has the line as a C string
    pieces = re.split(rb"[\r\0]", line) if reader is Reader.SYSTEMD else line.split(b"\0", 1)[:1]
    for piece in pieces:
        assignment = _assignment(piece.strip(_BLANKS[reader]), reader)
        if assignment is not None:
            yield assignment


def _assignment(text: bytes, reader: Reader) -> Assignment | None:
    if text.startswith((b"#", b";")):
        return None
    is_optional = text.startswith(b"-")
    body = text.removeprefix(b"-")
    if is_optional:
        body = body.lstrip(_BLANKS[reader]) if reader is Reader.SYSTEMD else body.removeprefix(b"-")
    written, equals, value = body.partition(b"=")
    name = None if written[:1].isspace() else dotted_name(_decoded(written.rstrip(_BLANKS[reader])))
    if name is None or not (equals or is_optional):
        return None
    return Assignment(name, _decoded(b" ".join(value.split())) if equals else None, is_optional)


def _decoded(text: bytes) -> str:
    return printable(text.decode("utf-8", "backslashreplace"))


def dotted_name(written: str) -> str | None:
    """A parameter's or pattern's name in the one spelling that this module uses; None where it can name none."""
    if len(written) > _NAME_AT_MOST:
        return None
    first = next((char for char in written if char in "./"), "")
    path = written.translate(_DOTS_FOR_SLASHES) if first == "." else written
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or any("." in (part[0], part[-1]) or len(part) > _PART_AT_MOST for part in parts):
        return None  # no parameter's name has a dot at its end
    return ".".join(part.replace(".", "/") for part in parts)
