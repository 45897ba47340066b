"""The numbers of a view as short texts with their tones, the line of jumps, and what the marks mean.

May not know where any of it stands.
"""

from collections.abc import Iterator

from tcptui.explain.machine.edges import Edge, Sight
from tcptui.explain.machine.pieces import Piece, Tone, width_of
from tcptui.explain.machine.view import MachineView, flow
from tcptui.explain.machine.words import MachineWords
from tcptui.model.states import TcpState
from tcptui.text import cell_count

NOTHING, UNMEASURED, UNSEEN, ABSENT = "·", "…", "∅", "×"
"""In place of a rate: none, nothing to compare with, not to be told from samples, not on Linux."""

_MARKS: dict[Sight, str] = {"unseen": UNSEEN, "absent": ABSENT}
_SUFFIXES = ("", "k", "M", "G", "T")
_LARGEST_COUNT = 999_999
_GAP = "  "


def short_count(count: int) -> str:
    """At most seven cells: ``999,999``, then ``1.2M``."""
    return f"{count:,}" if count <= _LARGEST_COUNT else _short_number(count)


def short_rate(per_s: float) -> str:
    """At most six cells, since boxes and gaps have no room for more: ``12/s``, ``0.5/s``, ``1.2k/s``."""
    if per_s <= 0:
        return NOTHING
    return "<0.1/s" if per_s < 0.05 else f"{_short_number(per_s)}/s"


def _short_number(number: float) -> str:
    for suffix in _SUFFIXES:
        if number < 9.95:
            return f"{number:.1f}".removesuffix(".0") + suffix
        if number < 999.5 or suffix == _SUFFIXES[-1]:
            break
        number /= 1000
    return f"{number:.0f}{suffix}"


class Figures:
    """The texts of one view's numbers and the tones they are shown in."""

    def __init__(self, view: MachineView, words: MachineWords) -> None:
        self.view = view
        self.words = words
        self._flow = flow(view.transitions) if view.transitions is not None else None

    def edge(self, edge: Edge) -> tuple[str, Tone] | None:
        """The rate of an edge, or the mark in its place; None where the rate stands at the state."""
        if edge.sight in _MARKS:
            return _MARKS[edge.sight], "mark"
        if edge.sight != "moved":
            return None
        if self._flow is None:
            return UNMEASURED, "dim"
        rate = self._flow.edges[edge]
        return short_rate(rate), "rate" if rate > 0 else "dim"

    def ends(self, state: TcpState) -> str:
        """``+12/s −3/s``: sockets first seen in ``state``, and last seen there; without those that are zero."""
        if self._flow is None or state is TcpState.CLOSE:
            return ""
        pairs = (("+", self._flow.opened[state]), ("−", self._flow.closed[state]))
        return " ".join(sign + short_rate(rate) for sign, rate in pairs if rate > 0)

    def count(self, state: TcpState) -> tuple[str, Tone]:
        """How many sockets are in ``state``; CLOSE is in no table, as long as nothing lists one."""
        count = self.view.counts.get(state, 0)
        if state is TcpState.CLOSE and not count:
            return self.words.not_listed, "dim"
        return short_count(count), "strong" if count else "dim"

    def below(self, width: int) -> list[list[Piece]]:
        """What stands below the machine: the jumps and the legend."""
        return [*self._jump_lines(width), *self._legend_lines(width)]

    def _jump_lines(self, width: int) -> Iterator[list[Piece]]:
        """What no edge shows: one line, or two where there is no room for one."""
        words, brief = self.words, self._brief()
        total = UNMEASURED if self._flow is None else short_rate(self._flow.jumps_per_s)
        room = width - cell_count(f"{words.jumps} {total}{_GAP}{words.brief} {brief}")
        first: list[Piece] = [(f"{words.jumps} ", "dim", None), (total, "rate", None)]
        first.append((self._most_frequent(room), "dim", None))
        second: list[Piece] = [(f"{words.brief} ", "dim", None), (brief, "rate", None)]
        if room >= 0:
            yield [*first, (_GAP, "dim", None), *second]
        else:
            yield from (first, second)

    def _brief(self) -> str:
        """The rate of connections that were in no sample."""
        if self._flow is None:
            return UNMEASURED
        if self._flow.brief is None:
            return UNSEEN
        return ("" if self._flow.is_brief_exact else "≥") + short_rate(self._flow.brief)

    def _most_frequent(self, room: int) -> str:
        """The most frequent jumps in brackets, as many as have room."""
        texts = [f"{name} {short_rate(rate)}" for name, rate in self._flow.jumps] if self._flow is not None else []
        for shown in range(len(texts), 0, -1):
            rest = ["…"] if shown < len(texts) else []
            text = self.words.jumps_listed.format(moves=self.words.list_separator.join([*texts[:shown], *rest]))
            if cell_count(text) <= room:
                return text
        return ""

    def _legend_lines(self, width: int) -> list[list[Piece]]:
        lines: list[list[Piece]] = [[]]
        for mark, meaning in self._legend():
            gap = _GAP if lines[-1] else ""
            if width_of(lines[-1]) + cell_count(f"{gap}{mark} {meaning}") > width:
                lines.append([])
                gap = ""
            lines[-1] += [(f"{gap}{mark} ", "mark", None), (meaning, "dim", None)]
        return lines

    def _legend(self) -> Iterator[tuple[str, str]]:
        """Marks and what they mean."""
        words = self.words
        yield "+", words.opened
        yield "−", words.closed
        yield (UNMEASURED, words.unmeasured) if self._flow is None else (NOTHING, words.nothing)
        yield UNSEEN, words.unseen
        yield ABSENT, words.absent
