"""What ``ss`` and ``netstat`` print behind the addresses of a socket.

``ss`` writes a time in units that must be read together (``misc/ss.c: print_ms_timer()`` of iproute2, the same from
2004 to 6.x): ``7min`` and more without seconds from ten minutes on, ``1min29sec``, ``59sec`` from ten seconds on,
``040ms`` below a second, and between them seconds and milliseconds joined by a dot, ``4.780ms``, which is 4.78
*seconds*. What has run out is empty. ``net-tools`` and BusyBox write seconds with two digits behind the dot.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from tcptui.model.table import TIMER_NAMES
from tcptui.sources.pasted import facets
from tcptui.sources.pasted.row import ParsedRow

UNKNOWN_TIMER = len(TIMER_NAMES)
"""What ``ss`` prints as ``unknown``: any code behind those that it knows."""
_TIMERS = {name: code for code, name in enumerate(TIMER_NAMES)} | {
    "unknown": UNKNOWN_TIMER,
    "probe": 4,
    # net-tools: po/de.po, po/ja.po, po/cs.po, po/pt_BR.po, po/et_EE.po
    "aus": 0,
    "ein": 1,
    "オフ": 0,
    "オン": 1,
    "キープアライブ": 2,
    "時間待ち": 3,
    "vyp": 0,
    "zapnut": 1,
    "desligado": 0,
    "em": 1,
    "käib": 1,
}
_RETRANSMITTING = 1

_SPAN = re.compile(
    r"(?:(?P<minutes>\d{1,6})min)?(?:(?P<seconds>\d{1,6})(?:sec|s|(?=\.)))?\.?(?:(?P<milliseconds>\d{1,6})(?:ms|sec))?"
)
_HOLDER = re.compile(r'\("(?P<name>.{0,64}?)",(?:pid=)?(?P<pid>\d{1,10})(?:,[^()]{0,400})?\)(?=,\(|\)(?:\s|$))')
_UNREACHABLE_CGROUP = "unreachable:"
"""Before the id of a cgroup that ``ss`` did not find in the file system."""

_BEHIND_NETSTAT = re.compile(
    r"(?:(?P<user>[^\s/()]{1,64})\s+(?P<inode>\d{1,10})(?!\S)\s*)?"
    r"(?:-(?!\S)|(?P<pid>\d{1,10})/(?P<name>.{0,64}?))?\s*"
    r"(?:(?P<timer>[^\s()]{1,24}) \(+(?P<seconds>\d{1,9}\.\d\d)/(?P<retransmits>\d{1,9})(?:/(?P<probes>\d{1,9}))?\))?"
    r"\s*"
)
_LONGEST_BEHIND_NETSTAT = 400
_HIGHEST = 0xFFFF_FFFF


def milliseconds(text: str) -> int:
    """A time as ``ss`` writes it.

    Raises:
        ValueError: it is none.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    minutes, seconds, rest = (int(part or 0) for part in match.group("minutes", "seconds", "milliseconds"))
    return (minutes * 60 + seconds) * 1000 + rest


def take_ss_words(row: ParsedRow, text: str) -> None:
    """Take what stands in ``text`` into ``row``: what is behind the addresses, or in a line below.

    The processes come first, and their names may hold anything, so they are taken out before other words are read.

    Raises:
        ValueError: a word is not what ``ss`` writes.
    """
    at = text.find("users:(")
    if at >= 0:
        row.holders = list(_holders(text, at + len("users:(")))
        row.told |= facets.HOLDERS if row.holders else 0
        text = text[:at] + text[_end_of_users(text, at) :]
    text = f" {text} "
    for word, take in _TAKERS:
        start = text.find(word)
        if start >= 0:
            start += len(word)
            take(row, text[start : text.find(" ", start)])


def _holders(text: str, start: int) -> Iterator[tuple[int, str]]:
    """Process ids and names; each process once, however many descriptors or threads it has."""
    while (match := _HOLDER.match(text, start)) is not None:
        yield int(match["pid"]), match["name"]
        start = match.end() + 1


def _end_of_users(text: str, at: int) -> int:
    start = at + len("users:(")
    while (match := _HOLDER.match(text, start)) is not None:
        start = match.end() + 1
    return start


def _take_timer(row: ParsedRow, value: str) -> None:
    if not row.told & facets.TIMER:
        row.timer, row.timer_ms, row.retransmits = _timer(value)
        row.told |= facets.TIMER


@lru_cache(maxsize=4096)
def _timer(value: str) -> tuple[int, int, int]:
    """Code, time left and retransmissions out of ``(keepalive,7min,0)``."""
    name, span, retransmits = value.strip("()").split(",")
    return _TIMERS.get(name, UNKNOWN_TIMER), milliseconds(span), int(retransmits)


def _take_uid(row: ParsedRow, value: str) -> None:
    if not row.told & facets.INODE:
        row.uid = int(value)


def _take_inode(row: ParsedRow, value: str) -> None:
    """``-e`` prints the inode always, and the user id in front of it only where that is not 0."""
    if not row.told & facets.INODE:
        row.inode = int(value)
        row.told |= facets.INODE | facets.UID


def _take_cookie(row: ParsedRow, value: str) -> None:
    if not row.told & facets.COOKIE:
        row.cookie = int(value, 16)
        row.told |= facets.COOKIE


def _take_cgroup(row: ParsedRow, value: str) -> None:
    if row.told & facets.CGROUP:
        return
    row.told |= facets.CGROUP
    if value.startswith(_UNREACHABLE_CGROUP):
        row.cgroup_id = int(value.removeprefix(_UNREACHABLE_CGROUP), 16)
    else:
        row.cgroup = value


def _take_rtt(row: ParsedRow, value: str) -> None:
    if not row.told & facets.INFO:
        row.rtt_us = round(min(float(value.partition("/")[0]) * 1000, _HIGHEST))
        row.told |= facets.INFO


def _take_retrans(row: ParsedRow, value: str) -> None:
    """Segments that are being sent again, and all that ever were; left out where both are 0."""
    row.total_retransmits = row.total_retransmits or int(value.rpartition("/")[2])


def _take_sent_ago(row: ParsedRow, _value: str) -> None:
    """``ss`` prints those three times together and leaves out what is 0."""
    row.told |= facets.SILENCE


def _take_received_ago(row: ParsedRow, value: str) -> None:
    row.received_ago_ms = int(value)
    row.told |= facets.SILENCE


def _take_acknowledged_ago(row: ParsedRow, value: str) -> None:
    row.acknowledged_ago_ms = int(value)
    row.told |= facets.SILENCE


_TAKERS = (
    (" timer:", _take_timer),
    (" uid:", _take_uid),
    (" ino:", _take_inode),
    (" sk:", _take_cookie),
    (" cgroup:", _take_cgroup),
    (" rtt:", _take_rtt),
    (" lastsnd:", _take_sent_ago),
    (" lastrcv:", _take_received_ago),
    (" lastack:", _take_acknowledged_ago),
    (" retrans:", _take_retrans),
)
"""In the order in which ``ss`` prints them: each is looked for by itself, which takes less than to read all words."""


def take_netstat_words(row: ParsedRow, text: str) -> None:
    """Take what ``netstat`` prints behind the state: user and inode (-e), process (-p), timer (-o).

    The process is named by its command line, of which what is before a colon comes next to what ``ss`` has:
    ``nginx: worker``.

    Raises:
        ValueError: it is something else.
    """
    match = _BEHIND_NETSTAT.fullmatch(text[:_LONGEST_BEHIND_NETSTAT])
    if match is None:
        raise ValueError(text)
    if match["inode"]:
        row.inode = int(match["inode"])
        row.told |= facets.INODE
        if match["user"].isdecimal():
            row.uid = int(match["user"])
            row.told |= facets.UID
    if match["pid"]:
        row.holders = [(int(match["pid"]), match["name"].partition(":")[0].strip())]
        row.told |= facets.HOLDERS
    code = _TIMERS.get(match["timer"] or "")
    if code is not None:
        row.timer, row.timer_ms = code, round(float(match["seconds"]) * 1000)
        counter = match["retransmits"] if code == _RETRANSMITTING else match["probes"] or 0
        row.retransmits = int(counter)
        row.told |= facets.TIMER
