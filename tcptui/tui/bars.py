"""The one-line panels: header, notice, keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer

from tcptui.language import mark, tr, tr_n
from tcptui.tui.commands import EVERYTHING, FOOTER, PAUSED_FOOTER, Command
from tcptui.tui.keymap import Keymap
from tcptui.tui.lines import LineWidget, Piece, clipped

if TYPE_CHECKING:
    from tcptui.model.sample import Sample
    from tcptui.monitor.frame import Frame
    from tcptui.monitor.presenter import Presentation

GAP = 2
SAID_FOR_S = 4
OWN_NETNS = "self"
USUAL_SOURCE = "sock_diag"
"""The source that need not be named where there is little room."""
TEXT_LEAD = "text "
"""Before the name of the file in that of a source."""


class HeaderBar(LineWidget):
    """Where the sockets come from, how often, at what cost, and whether they are live."""

    presentation: reactive[Presentation | None] = reactive(None, repaint=False)

    is_terminal_slow: reactive[bool] = reactive(False, repaint=False)
    """Whether the terminal takes frames more slowly than there are samples."""

    _shown_cost_ms = 0.0
    _shown_look_ms = 0.0

    def watch_presentation(self) -> None:
        frame = self.presentation.frame if self.presentation else None
        if frame is not None:
            self._shown_cost_ms = steady(self._shown_cost_ms, frame.sample.cost.total_ms)
        if self.presentation is not None:
            self._shown_look_ms = steady(self._shown_look_ms, self.presentation.look_ms)
        self.redraw()

    def line(self, y: int, width: int) -> Iterable[Piece]:
        palette = self.palette
        presentation = self.presentation
        if presentation is None or presentation.frame is None:
            return [(" tcptui", palette.strong), (" · " + tr("reading the sockets …"), palette.dim)]
        right = self._status(presentation)
        room = width - 1 - sum(cell_len(text) for text, _ in right) - GAP
        left = _fitting(_facts(presentation, self._shown_cost_ms, self._shown_look_ms), room)
        blank = width - 1 - cell_len(left) - sum(cell_len(text) for text, _ in right) - 1
        return [(" " + left, palette.text), (" " * max(blank, 1), palette.text), *right]

    def _status(self, presentation: Presentation) -> list[Piece]:
        """Live, still, paused or stuck, and the filter."""
        palette = self.palette
        assert presentation.frame is not None
        if presentation.trouble is not None:
            pieces = [(tr("✖ no new sample"), palette.warning)]
        elif presentation.frame.sample.origin.is_still:
            pieces = [(tr("■ still"), palette.dim)]
        elif presentation.is_paused:
            pieces = [(_moment(presentation.frame), palette.warning)]
        else:
            pieces = [(tr("● live"), palette.good)]
        if self.is_terminal_slow:
            pieces.append((" " + tr("slow terminal"), palette.warning))
        if text := presentation.frame.view.filter_text:
            pieces.append(("  " + tr("filter: {filter}", filter=text), palette.heading))
        return pieces


def _moment(frame: Frame) -> str:
    """That the screen is paused, and when it was as it is shown, once that is some time ago."""
    ago_s = round(frame.retrospect.ago_s) if frame.retrospect is not None else 0
    if not ago_s:
        return tr("‖ paused")
    return tr(
        "‖ {time} · {duration} ago", time=f"{frame.sample.taken_at.astimezone():%H:%M:%S}", duration=_lasting(ago_s)
    )


def _lasting(seconds: int) -> str:
    """``2m10s``, ``41s``."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def counted(sockets: int) -> str:
    """So many sockets, in words."""
    return tr_n("{count:,} socket", "{count:,} sockets", sockets, count=sockets)


def steady(shown: float, now: float) -> float:
    """What to show of a value that trembles: as before, unless it has really changed."""
    return shown if shown * 0.6 < now < shown * 1.6 else now


def _facts(presentation: Presentation, cost_ms: float, look_ms: float) -> list[tuple[int, str]]:
    """What to say, in order, each with its rank: the lowest matters most."""
    frame = presentation.frame
    assert frame is not None
    sample = frame.sample
    shown, known = frame.total, len(sample.table)
    is_all = shown == known or not sample.is_whole
    sockets = counted(shown) if is_all else tr("{part:,} of {sockets}", part=shown, sockets=counted(known))
    if sample.origin.is_still:
        return [*_still_facts(sample), (0, sockets)]
    return [
        (3, sample.origin.host),
        (5, sample.origin.kernel),
        (4 if sample.origin.netns == OWN_NETNS else 1, f"netns {sample.origin.netns}"),
        (6 if sample.origin.source == USUAL_SOURCE else 1, sample.origin.source),
        (2, _interval(presentation)),
        (0, sockets),
        (2, tr("sample {cost} ms", cost=f"{cost_ms:.2g}" if cost_ms < 10 else f"{cost_ms:.0f}")),
        *_search(presentation, look_ms),
    ]


def _still_facts(sample: Sample) -> list[tuple[int, str]]:
    """Where the only sample comes from, and of which machine and time it is, as far as that is known."""
    origin = sample.origin
    when = f"{sample.taken_at:%Y-%m-%d %H:%M:%S %Z}" if origin.tells_time else tr("time unknown")
    file = origin.source.removeprefix(TEXT_LEAD)
    facts = [(2, origin.host or tr("host unknown")), (4, origin.kernel), (1, tr("from {file}", file=file)), (3, when)]
    return [fact for fact in facts if fact[1]]


def _interval(presentation: Presentation) -> str:
    """How often there is a sample, and why not as often as was asked for."""
    asked_s, interval_s = presentation.asked_interval_s, presentation.interval_s
    if interval_s > asked_s:
        return tr("every {interval:.3g}s (asked {asked:g}s, samples are dear)", interval=interval_s, asked=asked_s)
    return tr("every {interval:.3g}s", interval=interval_s)


def _search(presentation: Presentation, look_ms: float) -> list[tuple[int, str]]:
    """How far the search for the holders of sockets has come; then what it costs, and what it may."""
    owners = presentation.frame.sample.owners if presentation.frame is not None else None
    if owners is None:
        return []
    if owners.looked_at < 1:
        return [(1, tr("names {part:.0%}", part=owners.looked_at))]
    budget_ms = presentation.look_budget_ms
    return [(5, tr("names {cost:.2g} of {budget:.0f} ms", cost=look_ms, budget=budget_ms))] if look_ms else []


def _fitting(facts: list[tuple[int, str]], room: int) -> str:
    """As many facts as fit, in their order; the lowest ranks are seated first, and one that is too long is left out."""
    kept: set[tuple[int, str]] = set()
    for fact in sorted(facts):
        if not kept or cell_len(_joined(facts, kept | {fact})) <= room:
            kept.add(fact)
    return _joined(facts, kept)


def _joined(facts: list[tuple[int, str]], kept: set[tuple[int, str]]) -> str:
    return " · ".join(fact[1] for fact in facts if fact in kept)


_TOO_LITTLE = mark("the paused sample has too little in it for this view: {pause} goes on with a new one")
_MORE = mark(" (+{count}: press {show_help})")


class NoticeBar(LineWidget):
    """What cannot be read, and why."""

    presentation: reactive[Presentation | None] = reactive(None, repaint=False)
    standing = ""
    """What is wrong whatever is looked at."""

    def __init__(self, id: str, keymap: Keymap) -> None:
        super().__init__(id=id)
        self._keymap = keymap

    def watch_presentation(self) -> None:
        self.redraw()

    def notices(self) -> list[str]:
        """One text for each thing that is wrong; the newest trouble first."""
        presentation = self.presentation
        if presentation is None:
            return []
        texts = [str(presentation.trouble)] if presentation.trouble else []
        if presentation.is_behind and presentation.is_paused:
            texts.append(self._keymap.say(_TOO_LITTLE))
        if presentation.frame is not None:
            texts += [str(each) for each in presentation.frame.degraded]
        if self.standing:
            texts.append(self.standing)
        return texts

    def line(self, y: int, width: int) -> Iterable[Piece]:
        notices = self.notices()
        if not notices:
            return []
        more = self._keymap.say(_MORE, count=len(notices) - 1) if len(notices) > 1 else ""
        return [(clipped(f" ! {notices[0]}", width - cell_len(more)) + more, self.palette.warning)]


class KeysBar(LineWidget):
    """The keys, as far as they fit; for a while what has just been done."""

    @dataclass
    class CommandChosen(Message):
        """A command was clicked."""

        id: str

    def __init__(self, id: str, keymap: Keymap) -> None:
        super().__init__(id=id)
        self._keymap = keymap
        self._said = ""
        self._is_error = False
        self._timer: Timer | None = None
        self._footer = FOOTER

    def tell_paused(self, is_paused: bool) -> None:  # noqa: FBT001 - the question is the argument
        """Show the keys that matter while samples go on, or while they do not."""
        footer = PAUSED_FOOTER if is_paused else FOOTER
        if footer is not self._footer:
            self._footer = footer
            self.redraw()

    def say(self, text: str, *, is_error: bool = False) -> None:
        """Show ``text`` instead of the keys for some seconds."""
        self._said, self._is_error = text, is_error
        self.redraw()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SAID_FOR_S, self._fall_silent)

    def _fall_silent(self) -> None:
        self._said = ""
        self.redraw()

    def line(self, y: int, width: int) -> Iterable[Piece]:
        palette = self.palette
        if self._said:
            return [(f" ✖ {self._said}", palette.warning) if self._is_error else (f" ✔ {self._said}", palette.good)]
        shown = self._commands(width)
        pieces: list[Piece] = []
        for command in shown:
            key, label = self._key_and_label(command)
            pieces += [(key, palette.heading), (label, palette.text)]
        return pieces

    def _commands(self, width: int) -> list[Command]:
        """Those that fit; the last one leads to all the others."""
        left = width - cell_len("".join(self._key_and_label(EVERYTHING)))
        shown = []
        for command in self._footer:
            if (left := left - cell_len("".join(self._key_and_label(command)))) < 0:
                break
            shown.append(command)
        return [*shown, EVERYTHING]

    def on_click(self, event: Click) -> None:
        begin = 0
        for command in self._commands(self.size.width):
            begin += cell_len("".join(self._key_and_label(command)))
            if event.x < begin:
                self.post_message(self.CommandChosen(command.id))
                return

    def _key_and_label(self, command: Command) -> tuple[str, str]:
        label = command.paused_label if self._footer is PAUSED_FOOTER and command.paused_label else command.label
        return f" {self._keymap.first(command.id)}", f" {tr(label)} "
