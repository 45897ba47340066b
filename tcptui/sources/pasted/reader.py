"""A whole text, line by line: which of them tell of sockets, which count some, and what the others are.

A text may hold several listings after each other, of one program or of several: sections. A section ends where a
heading, a prompt or another program's line begins another, and what only a section as a whole tells is settled there:
whether ``-o`` and ``-p`` were asked for, what ``*`` stands for, and whether it is a listing of TCP at all.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tcptui.kernel.procfs import PROC_NET_TCP_ROW, parse_proc_net_line
from tcptui.model.states import TcpState
from tcptui.sources.pasted import facets
from tcptui.sources.pasted.counts import Counts, read_count
from tcptui.sources.pasted.details import take_ss_words
from tcptui.sources.pasted.endpoints import Endpoints
from tcptui.sources.pasted.ledger import Kind, Ledger
from tcptui.sources.pasted.lines import Line
from tcptui.sources.pasted.listings import Program, StatelessError, read_socket
from tcptui.sources.pasted.row import ParsedRow, RowStore
from tcptui.sources.pasted.surroundings import Surroundings
from tcptui.sources.pasted.vocabulary import COLUMN_TITLES, HEADING_REMAINS, HEADING_STARTS, OTHER_PROTOCOLS, States
from tcptui.sources.tables import rows_from_proc_net

_MOST_SPLITS = 8
_MOST_PENDING = 4
"""Lines of words alone that are held for the heading of what comes."""
_PROC_BATCH = 10_000
_IPV6_DIGITS = 32
_PROC_TELLS = facets.ENDS | facets.QUEUES | facets.TIMER | facets.UID | facets.INODE
_ONLY_UDP_HAS = frozenset({TcpState.CLOSE})
_STATES_OF_UDP = frozenset({TcpState.CLOSE, TcpState.ESTABLISHED})


@dataclass
class _Section:
    """One listing, while it is read."""

    program: Program | None = None
    """None before its first row."""
    start: int = 0
    """Its first row."""
    start_line: int = 0
    told: int = 0
    """What any of its rows tells, as bits of ``facets``."""
    states: set[int] = field(default_factory=set)
    has_protocol: bool = False
    """Whether rows say that they are of TCP."""
    has_old_any: bool = False
    """Whether an address is written as ``ss`` did before it had brackets."""


class Reader:
    """Takes the lines of one text, in their order."""

    def __init__(self, services: Callable[[], Mapping[str, int]]) -> None:
        """``services`` gives the ports by their names."""
        self.store = RowStore()
        self.ledger = Ledger()
        self.counts = Counts()
        self.endpoints = Endpoints(services)
        self.surroundings = Surroundings()
        self.starts: list[int] = []
        """The first row of each section that has any."""
        self.is_listing = False
        """Whether there is a listing of sockets, be it an empty one or one of other protocols."""
        self._states = States()
        self._line = 0
        self._row: ParsedRow | None = None
        """The last row, which the next lines may tell more of."""
        self._before = Kind.HEADING
        """What the line before was taken for, blank ones left out."""
        self._is_below_blank = True
        self._pending: list[int] = []
        """Lines of words alone, which are a heading if rows follow."""
        self._proc: list[tuple[int, ...]] = []
        self._proc_family = 4
        self._is_proc_of_udp = False
        self._section = _Section()

    def read(self, lines: Iterable[Line]) -> None:
        """Take all lines."""
        for text, had_escapes in lines:
            self._line += 1
            if had_escapes:
                self.ledger.escapes += 1
                self.ledger.first_escape = self.ledger.first_escape or self._line
            self._take(text)
        self._end_section()
        self._settle_pending(Kind.UNREAD)

    def _take(self, text: str) -> None:
        words = text.split(None, _MOST_SPLITS)
        if not words:
            self.ledger.book(Kind.HEADING, self._line)
            self._is_below_blank = True
            return
        kind = self._kind_of(text, words)
        if kind is None:
            return
        self.ledger.book(kind, self._line)
        self._before = kind
        self._is_below_blank = False

    def _kind_of(self, text: str, words: list[str]) -> Kind | None:
        """What a line is, after it has been taken in; None if that is settled later."""
        first = words[0]
        if first in OTHER_PROTOCOLS:
            self._flush()
            self._settle_pending(Kind.HEADING)
            self.is_listing = True
            return Kind.OTHER_PROTOCOL
        is_numbered = first[-1] == ":" and first[:-1].isdecimal()
        if is_numbered and len(words) > _MOST_SPLITS:
            return self._take_proc(text)
        if text[0] in " \t" and not is_numbered and self._takes_detail(text):
            return Kind.DETAIL if self._before is not Kind.OTHER_PROTOCOL else Kind.OTHER_PROTOCOL
        if len(words) > 3 or ":" in words[-1] or "." in words[-1]:
            try:
                row, program = read_socket(words, self._states, self.endpoints, self.surroundings.only_state)
            except StatelessError:
                self._settle_pending(Kind.HEADING)
                return Kind.STATELESS
            except ValueError:
                pass
            else:
                self._take_row(row, program, text)
                return Kind.ROW
        return self._take_count(words) or self._take_other(text, words)

    # -- Rows ----------------------------------------------------------------------------------------------------------

    def _take_row(self, row: ParsedRow, program: Program, text: str) -> None:
        if program is not self._section.program:
            self._begin_section(program)
        self._flush()
        if self._pending:
            self._settle_pending(Kind.HEADING)
        self._row = row
        self._section.has_protocol |= text.startswith("tcp")
        self._section.has_old_any |= ":::" in text

    def _flush(self) -> None:
        """Store the last row, which nothing more can be told of."""
        row = self._row
        if row is None:
            return
        self._row = None
        try:
            self.store.add(row)
        except struct.error:  # a number larger than any that a kernel has
            self.ledger.rebook(Kind.ROW, Kind.UNREAD, 1, self._line)
            return
        self._section.told |= row.told
        self._section.states.add(row.state)

    def _take_proc(self, text: str) -> Kind:
        """A line of ``/proc/net/tcp`` or ``tcp6``."""
        parsed = parse_proc_net_line(text.encode("ascii", "replace"))
        if parsed is None:
            return Kind.UNREAD
        if self._section.program is not Program.PROC:
            self._begin_section(Program.PROC)
        self._settle_pending(Kind.HEADING)
        family = 6 if len(text.split(None, 2)[1].partition(":")[0]) == _IPV6_DIGITS else 4
        if self._is_proc_of_udp or parsed[_PROC_STATE] == TcpState.CLOSE:
            return Kind.OTHER_PROTOCOL
        if family != self._proc_family or len(self._proc) >= _PROC_BATCH:
            self._flush_proc()
            self._proc_family = family
        self._proc.append(parsed)
        return Kind.ROW

    def _flush_proc(self) -> None:
        if self._proc:
            self.store.extend(
                rows_from_proc_net(np.array(self._proc, PROC_NET_TCP_ROW), self._proc_family), _PROC_TELLS
            )
            self._proc = []

    def _takes_detail(self, text: str) -> bool:
        """Take an indented line into the row above it, if it tells more of that; else whether it belongs to it.

        What belongs to a row of another protocol is not taken in.
        """
        if self._before is Kind.OTHER_PROTOCOL:
            return not self._is_below_blank and (":" in text or text.strip()[:1] == "[")
        if self._row is None or self._is_below_blank:
            return False
        stripped = text.strip()
        if (
            stripped[0] == "[" and stripped[-1] == "]" and self._section.program is Program.NETSTAT
        ):  # netstat -b of Windows
            self._row.holders = [(pid, stripped[1:-1]) for pid, _ in self._row.holders]
            return True
        if self._section.program is not Program.SS or ":" not in stripped or self._states[stripped.split(None, 1)[0]]:
            return False
        try:
            take_ss_words(self._row, stripped)
        except ValueError:
            return False
        return True

    # -- Sections ------------------------------------------------------------------------------------------------------

    def _begin_section(self, program: Program | None) -> None:
        self._end_section()
        self._section = _Section(program, len(self.store), self._line)

    def _end_section(self) -> None:
        """Settle what only the section as a whole tells."""
        self._flush()
        self._flush_proc()
        section = self._section
        number = len(self.store) - section.start
        if not number:
            return
        if self._is_of_udp():
            self.is_listing = True
            self.store.forget_from(section.start)
            self.ledger.rebook(Kind.ROW, Kind.OTHER_PROTOCOL, number, section.start_line)
            return
        self.starts.append(section.start)
        if section.program is not Program.PROC:
            of_all = facets.TIMER | facets.CGROUP if section.program is Program.SS else 0
            told = section.told & (of_all | facets.HOLDERS | facets.SILENCE)
            self.store.settle(section.start, told, any_family=4 if section.has_old_any else 6)

    def _is_of_udp(self) -> bool:
        """Whether the rows are those of ``ss -u``: it lists UNCONN, which is no state that a table of TCP shows.

        But for ``ss -B``, which shows others too (FACTS section 1.7).
        """
        section = self._section
        is_untold = section.program is Program.SS and not section.has_protocol
        return is_untold and _ONLY_UDP_HAS <= section.states <= _STATES_OF_UDP

    # -- Other lines ---------------------------------------------------------------------------------------------------

    def _take_count(self, words: list[str]) -> Kind | None:
        count = read_count(words, self._states, self.endpoints)
        if count is None:
            return None
        state = count.state or self.surroundings.only_state
        if state is None:
            return Kind.STATELESS
        if self._before is not Kind.COUNT or self._is_below_blank:
            self.counts.begin_list()
        self._settle_pending(Kind.HEADING)
        self.counts.add(count, state, is_local=self.surroundings.counts_local_ends)
        return Kind.COUNT

    def _take_other(self, text: str, words: list[str]) -> Kind | None:
        if self.surroundings.take(text.strip(), self._states):
            self._begin_section(None)
            return Kind.HEADING
        if _is_heading(words):
            self.is_listing |= words[0].lower() in COLUMN_TITLES
            if self._section.program is not None:
                self._begin_section(None)
            self._is_proc_of_udp = words[0] == "sl" and "drops" in words[-1]
            self._settle_pending(Kind.HEADING)
            return Kind.HEADING
        if not self._may_be_heading(text):
            return Kind.UNREAD
        if len(self._pending) >= _MOST_PENDING:
            self._settle_pending(Kind.UNREAD)
        self._pending.append(self._line)
        return None

    def _may_be_heading(self, text: str) -> bool:
        """Whether a line in no language that is known may be a heading: words without numbers, not amid rows."""
        is_amid_rows = self._before in (Kind.ROW, Kind.COUNT, Kind.DETAIL) and not self._is_below_blank
        return not is_amid_rows and not any(char.isdecimal() for char in text)

    def _settle_pending(self, kind: Kind) -> None:
        for line in self._pending:
            self.ledger.book(kind, line)
        self._pending = []


_PROC_STATE = (PROC_NET_TCP_ROW.names or ()).index("state")


def _is_heading(words: list[str]) -> bool:
    """Whether a line is a heading that is known, or a word of one that was counted as if it were a socket's."""
    if words[0].lower() in HEADING_STARTS:
        return True
    rest = [word for word in words if not word.isdecimal()]
    return 0 < len(words) - len(rest) < 2 and len(rest) == 1 and rest[0].lower() in HEADING_REMAINS
