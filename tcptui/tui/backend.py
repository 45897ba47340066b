"""What the screen needs besides textual, gathered in one object that is made after the first frame.

Everything here may take its time to load: numpy, the filter grammar, the chart library.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from textual.app import App
from textual.geometry import Size
from textual.strip import Strip

from tcptui.config.remembered import Remembered
from tcptui.diagnosis.finding import Link
from tcptui.errors import RequestError, TcptuiError
from tcptui.explain.answers import explanation
from tcptui.explain.circumstances import NEEDS_HOLDERS, Circumstances
from tcptui.explain.commands import Selection
from tcptui.explain.knowledge import load
from tcptui.explain.machine.drawing import draw
from tcptui.explain.machine.pieces import Lines
from tcptui.explain.machine.words import machine_words
from tcptui.explain.render import TextKind, TextLine, to_gist, to_lines
from tcptui.explain.topics import topics
from tcptui.export.formats import Format, render
from tcptui.export.head import title
from tcptui.language import mark, spoken, tr
from tcptui.model.detail import SocketKey
from tcptui.model.fields import FIELDS, INFO_FIELDS, Field, SortKey, Value, ViewKind
from tcptui.model.history import HistoryView
from tcptui.model.owners import REASONS
from tcptui.model.states import TcpState
from tcptui.monitor.circumstances import circumstances_of
from tcptui.monitor.drawing import machine_view
from tcptui.monitor.frame import Frame
from tcptui.monitor.judge import Judgement
from tcptui.monitor.presenter import Presentation, Presenter
from tcptui.monitor.steps import Step
from tcptui.monitor.view import View
from tcptui.query.capture import capture_filter
from tcptui.query.completion import Completion, complete
from tcptui.query.faults import FilterError
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tcptui.query.ss_command import command_inside, ss_commands
from tcptui.query.syntax import Filter, Or
from tcptui.query.understanding import understanding
from tcptui.query.words import WORDS
from tcptui.text import printable
from tcptui.tui import detail_lines, finding_lines
from tcptui.tui.chart import ChartSettings, Drawing, Rgb, Stretch, draw_chart, stretch_of
from tcptui.tui.chart_choice import GLYPHS, ChartChoice
from tcptui.tui.finding import next_match
from tcptui.tui.findings_screen import FindingsScreen, PageName
from tcptui.tui.linked import Line, Linked, Tone
from tcptui.tui.machine_screen import MachineScreen
from tcptui.tui.picture import Picture
from tcptui.tui.prompt import Prompt
from tcptui.tui.saver import Saver, Teller
from tcptui.tui.saving import Disk, Downloads, Savable, Sender, Store, savable
from tcptui.tui.subject import Subject
from tcptui.tui.topic_screen import Page, TopicScreen
from tcptui.tui.ways import Way, ways_from
from tcptui.wrapping import wrap


def _at_listener(endpoint: str) -> str:
    """The connections of a listener; one bound to any address has all on its port."""
    address, _, port = endpoint.rpartition(":")
    return f"sport = :{port}" if address in ("0.0.0.0", "[::]") else f"src {endpoint}"


MOST_COPIED_ROWS = 300
"""Terminals take some 70 KB at once into the clipboard."""
MOST_PIDS = 8
"""Of processes that share sockets, in the filter for a row: hardly any others share with as many of them."""

REASON_LEADS = (
    (mark("was NAME"), mark("the process held the socket when it was last seen with a descriptor")),
    (
        mark("at NAME"),
        mark("the connection came in at that process's listener: it is not accepted yet, or nobody saw by whom"),
    ),
    (
        mark("likely NAME"),
        mark(
            "nobody saw whose it was, but all that were seen and then closed, to the same address and port, are NAME's"
        ),
    ),
    (mark("NAME +3"), mark("three other processes share the socket")),
)
"""What is said of a process beside its name; both said by ``tr``."""


def _quoted(text: str) -> str:
    """``text`` as one word of a filter; a quotation mark in it stands for any character."""
    return '"' + text.replace('"', "?") + '"' if re.search(r"[^\w.@/-]", text, re.ASCII) else text


def _host_word(text: str) -> str:
    """An address, or what stands in its place, as one word of a filter."""
    return f'"{text}"' if " " in text else text


def _process_condition(frame: Frame, row: int) -> str:
    """The sockets of a process, or those that have none for the same reason."""
    attribution = frame.sample.attribution
    if attribution is not None and row < len(attribution.groups) and attribution.groups[row][0].pid >= 0:
        return " and ".join(f"pid {process.pid}" for process in attribution.groups[row][:MOST_PIDS])
    return f"process {_quoted(frame.grid.human(row, FIELDS['process']))}"


_CONDITIONS: dict[str, Callable[[Frame, int], str]] = {
    "peer": lambda frame, row: f"dst {_host_word(frame.grid.human(row, FIELDS['peer']))}",
    "local": lambda frame, row: _at_listener(frame.grid.human(row, FIELDS["local"])),
    "port": lambda frame, row: f"sport = :{frame.grid.human(row, FIELDS['port'])}",
    "process": _process_condition,
    "service": lambda frame, row: f"service {_quoted(frame.grid.human(row, FIELDS['service']))}",
    "netns": lambda frame, row: f"netns {_quoted(frame.grid.human(row, FIELDS['netns']))}",
}
"""The filter that keeps to one row, by the row's key."""


class HistoryChart:
    """The chart that ``HistoryPanel`` shows."""

    def stretch(self, course: HistoryView, width: int, window_s: int | None, cursor_s: float | None) -> Stretch:
        return stretch_of(course, width, window_s, cursor_s)

    def settings(
        self, size: tuple[int, int], choice: ChartChoice, highlighted: TcpState, end_text: str
    ) -> ChartSettings:
        shown = frozenset(state for state in GLYPHS if choice.shows(state, highlighted))
        return ChartSettings(*size, choice.is_logarithmic, highlighted, shown, end_text)

    def draw(
        self, course: HistoryView, stretch: Stretch, settings: ChartSettings, colours: Mapping[TcpState, Rgb]
    ) -> Drawing:
        return draw_chart(course, stretch, settings, colours)


class Backend:
    """A presenter, and what turns the user's words into views and views into files."""

    def __init__(self, presenter: Presenter, view: View, read_names: Callable[[], Names]) -> None:
        load(spoken())  # here and not on the screen's thread, at the first explanation
        self.presenter = presenter
        self.names = read_names()
        """What the names in a filter stand for; read anew by ``refresh_names``."""
        self._read_names = read_names
        self.first_view = view
        self.chart = HistoryChart()
        self.describer = detail_lines
        self._store: Store = Disk()
        """What takes finished files."""

    def new_prompt(self) -> Prompt:
        """A prompt to be mounted, by the screen's thread."""
        return Prompt()

    def warm_up(self) -> None:
        """Have ready what the first filter takes: the grammar alone is 40 ms, which its first key would wait for."""
        self.parsed(":0")

    def refresh_names(self) -> None:
        """Read names anew, for interfaces come and go and files are edited; if that fails, the old ones stay."""
        with contextlib.suppress(TcptuiError):
            self.names = self._read_names()

    def parsed(self, text: str) -> Filter | None:
        """The filter that ``text`` says; None for blank text.

        Raises:
            FilterError: it cannot be understood.
        """
        return parse_filter(text.rstrip(), self.names) if text.strip() else None

    def filtered(self, view: View, text: str) -> View:
        """``view`` with the filter that ``text`` says.

        Raises:
            FilterError: it cannot be understood.
        """
        return replace(view, filter=self.parsed(text))

    def completion(self, text: str, cursor: int) -> Completion:
        """What may stand at the cursor, with what is in the newest sample."""
        return complete(text, cursor, self.names, self.presenter.latest().present)

    def filter_explanation(
        self, text: str, frame: Frame | None, say: Callable[[str], str]
    ) -> list[tuple[str, tuple[str, ...]]]:
        """Labels and lines on how ``text`` is understood, or why it is not; on the language where it is blank.

        ``say`` puts the user's keys into a message.
        """
        try:
            filter = self.parsed(text)
        except FilterError as error:
            advice = [(tr("hint"), (error.hint,))] if error.hint else []
            return [(tr("filter"), error.excerpt), (tr("wrong"), (error.problem,)), *advice]
        if filter is None:
            return self._words_to_filter_by(say)
        options = frame.sample.origin.options if frame is not None else ()
        families = [int(option[1:]) for option in options if option in ("-4", "-6")]
        selects = frame is None or frame.sample.origin.source == "sock_diag"
        sections = understanding(filter, options, families or (4, 6), selects=selects)
        return [(section.label, section.lines) for section in sections]

    def _words_to_filter_by(self, say: Callable[[str], str]) -> list[tuple[str, tuple[str, ...]]]:
        lead = say(mark("No filter is set: press {filter} and type one. What ss(8) takes means the same here."))
        words = [(word.example, (tr(word.about),)) for word in WORDS]
        saved = [(f"@{name}", (printable(text),)) for name, text in self.names.saved.items()]
        return [("", (lead,)), *words, *saved]

    def narrowed(self, view: View, condition: str) -> View:
        """``view`` with one more condition."""
        if view.filter is None:
            return self.filtered(view, condition)
        text = view.filter_text
        kept = f"( {text} )" if isinstance(view.filter.expression, Or) else text
        return self.filtered(view, f"{kept} and {condition}")

    def opened(self, frame: Frame, row: int) -> View:
        """The connections behind a row of a grouped view."""
        kind = frame.view.kind
        condition = _CONDITIONS[kind.key.id](frame, row)
        if kind.key.id != "netns" and frame.is_shown(FIELDS["netns"]) and FIELDS["netns"] in kind.fields:
            condition += f" and {_CONDITIONS['netns'](frame, row)}"
        return self.narrowed(frame.view, condition).of_kind("connections")

    def ways(self, frame: Frame, row: int) -> list[Way]:
        """Where a row leads to."""
        with contextlib.suppress(RequestError):  # a filter that has grown too long
            return ways_from(frame, row, self.opened)
        return []

    def only_rows(self, frame: Frame, rows: list[int]) -> View:
        """The same view with nothing but some rows of it.

        Raises:
            FilterError: that makes too long a filter.
        """
        kind = frame.view.kind
        conditions = [
            _CONDITIONS[kind.key.id](frame, row) if kind.is_matrix else _connection_condition(frame, row)
            for row in rows
        ]
        return self.narrowed(frame.view, "( " + " or ".join(f"( {each} )" for each in conditions) + " )")

    def rows_as_text(self, frame: Frame, rows: list[int]) -> str:
        """Rows as lines, cells apart by tabs."""
        fields = [field for field in frame.fields if frame.is_shown(field)]
        return "\n".join("\t".join(frame.grid.shown(row, field) for field in fields) for row in rows)

    def view_as_text(self, frame: Frame) -> tuple[str, int]:
        """The view as it would be saved, and how many rows of it a terminal takes at once."""
        rows = min(len(frame.order), MOST_COPIED_ROWS)
        return render(frame, Format.TABLE, rows), rows

    def find(self, frame: Frame, fields: list[Field], text: str, start: int, step: int) -> Value | None:
        """The identity of the nearest row that shows a text."""
        position = next_match(frame, fields, text, start, step)
        return None if position is None else frame.grid.identity(int(frame.order[position]))

    def showing(self, view: View, field_ids: frozenset[str]) -> View:
        """The same view, for which what the columns in sight show is fetched too."""
        return replace(view, shows_info=not INFO_FIELDS.isdisjoint(field_ids))

    def watching(self, frame: Frame, row: int) -> View:
        """The same view with more shown of the connection in ``row``."""
        socket = frame.sample.table.rows[row]
        named = {name: int(socket[name]) for name in SocketKey._fields if name != "is_listener"}
        key = SocketKey(**named, is_listener=bool(socket["state"] == TcpState.LISTEN))
        return replace(frame.view, watched=key)

    def sorted_by_next(self, view: View, shown: list[str]) -> View:
        """Ordered by the field after the one that orders; numbers from the largest."""
        now = view.effective_sort
        index = shown.index(now.field_id) + 1 if now is not None and now.field_id in shown else 0
        return replace(view, sort=None).sorted_by(shown[index % len(shown)])

    def reversed(self, view: View) -> View:
        """The same order the other way round."""
        now = view.effective_sort or SortKey(view.kind.key.id, descending=False)
        return replace(view, sort=SortKey(now.field_id, not now.descending))

    def step(self, *, moments: int = 0, seconds: float = 0.0, to_s: float | None = None, within_s: float = 0.0) -> None:
        """Go to another moment, as ``Step`` says."""
        self.presenter.step(Step(moments, seconds, to_s, within_s))

    def reasons(self) -> list[tuple[str, str]]:
        """What stands in a cell for a socket's process, and what it means."""
        cells = [(cell, detail_lines.UNNAMED[standing]) for standing, cell in REASONS.items()]
        return [(tr(cell), tr(meaning)) for cell, meaning in (*REASON_LEADS, *cells)]

    def explanation(self, frame: Frame, judgement: Judgement | None, subject: Subject, width: int) -> list[Linked]:
        """Everything about the state, in lines of at most ``width`` cells, after what was found of it."""
        told = explanation(subject.state.name, _circumstances(frame, subject), spoken())
        lines = [_linked(line) for line in to_lines(told, width) if line.kind != "title"]
        return lines if judgement is None else [*finding_lines.about_state(judgement, subject.state, width), *lines]

    def gist(self, frame: Frame, judgement: Judgement | None, subject: Subject, width: int) -> list[Line]:
        """The same in two lines; the second is about what was found of it that the verdict does not say."""
        name = subject.state.name
        told = explanation(name, _circumstances(frame, subject), spoken())
        found = finding_lines.beside_verdict(judgement, subject.state) if judgement is not None else None
        lines = to_gist(told, width - len(name) - 2, 2 if found is None else 1)
        leads: list[tuple[str, Tone]] = [(f"{name}  ", "strong"), (" " * (len(name) + 2), "text")]
        said: list[Line] = [[lead, (line.removesuffix(" ·"), "text")] for lead, line in zip(leads, lines, strict=False)]
        return said if found is None else [*said, [leads[1], *finding_lines.gist_piece(found, width - len(name) - 2)]]

    # -- What is wrong -------------------------------------------------------------------------------------------------

    def verdict(self, presentation: Presentation, more: Callable[[int], str], width: int) -> Line:
        """The verdict in one line; ``more`` says how many other findings there are."""
        return finding_lines.verdict_line(presentation, more, width)

    def findings_screen(self, page: PageName, target: object = None) -> FindingsScreen:
        """What is wrong, over the panels; with the target of a line at the finding that it leads to."""
        return FindingsScreen(self, page, target.key if isinstance(target, finding_lines.FindingTarget) else None)

    def report(
        self, presentation: Presentation, page: PageName, key: tuple[str, str] | None, width: int
    ) -> list[Linked]:
        """A page of that, or the finding with this key."""
        if page == "capacity":
            return finding_lines.room_lines(presentation, width)
        if page == "counters":
            return finding_lines.counter_lines(presentation, dict(self.topics()), width)
        if key is not None:
            return finding_lines.finding_lines(presentation, key, width)
        return finding_lines.findings_lines(presentation, width)

    def view_behind(self, link: Link, judgement: Judgement | None, view: View) -> View:
        """The rows that a fact speaks of, among those that were judged.

        Raises:
            FilterError: that makes too long a filter.
        """
        judged = self.filtered(view, judgement.filter_text if judgement is not None else "")
        found = self.narrowed(judged, link.filter) if link.filter else judged
        return replace(found.of_kind(link.view.value), watched=None)

    def topic_screen(self, frame: Frame | None, row: int | None, state: TcpState, topic: str) -> TopicScreen:
        """The entry called ``topic`` over the panels, with commands for a row of the frame if they are about it."""
        return TopicScreen(self, self._subject(frame, row, state) if frame is not None else Subject(state), topic)

    def machine_screen(self, highlighted: TcpState) -> MachineScreen:
        """The state machine over the panels."""
        return MachineScreen(self, highlighted)

    def page(self, topic: str, frame: Frame | None, subject: Subject, width: int) -> Page:
        """Any entry, with the newest values."""
        circumstances = _circumstances(frame, subject, topic) if frame is not None else Circumstances()
        told = explanation(topic, circumstances, spoken())
        lines = [_linked(line) for line in to_lines(told, width) if line.kind != "title" or told.kind == "myth"]
        namespace = frame.namespace_name(subject.netns) if frame is not None else ""
        title = tr("{state} in {namespace}", state=told.title, namespace=namespace) if namespace else told.title
        return Page(title, lines)

    def _subject(self, frame: Frame, row: int | None, state: TcpState) -> Subject:
        """The state, in the namespace of the row, with what ``ss`` and ``tcpdump`` are to be asked."""
        netns = frame.namespace_at(row, state)
        inside = _inside(frame, netns)
        with contextlib.suppress(RequestError):  # a filter that has grown too long
            view = self._narrowed_to(frame, row, state)
            assert view.filter is not None
            expression = view.filter.expression
            commands = ss_commands(expression, frame.sample.origin.options, shows="eip").commands
            ss = _run_inside(inside, commands[0]) if commands else ""
            return Subject(state, netns, Selection(ss, capture_filter(expression), inside))
        return Subject(state, netns, Selection(inside=inside))

    def _narrowed_to(self, frame: Frame, row: int | None, state: TcpState) -> View:
        """The view of nothing but the state, and the row if that has to do with the state."""
        view = frame.view
        if row is not None and view.kind.is_matrix:
            view = self.opened(frame, row)
        elif row is not None and view.kind is ViewKind.CONNECTIONS and frame.grid.columns["state"][0][row] == state:
            view = self.narrowed(view, _connection_condition(frame, row))
        return self.narrowed(view, f"state {state.name}")

    def topics(self) -> list[tuple[str, str]]:
        """Everything that there is an entry for, each with a sentence."""
        return [(topic.name, topic.summary) for topic in topics(spoken()) if topic.name != "machine"]

    def machine(self, frame: Frame | None, highlighted: TcpState, size: Size) -> Lines:
        """The state machine, as large as there is room, and what its numbers cannot tell."""
        drawing = draw(machine_view(frame, highlighted), size.width, size.height, spoken())
        notes = (
            line for note in machine_words(spoken()).notes for line in wrap(f" - {note}", size.width, hanging="   ")
        )
        return (*drawing, (), *(((line, "dim", None),) for line in notes))

    def new_saver(self, app: App[int], remembered: Remembered, tell: Teller) -> Saver:
        """What saves for the screen."""
        return Saver(app, remembered, tell)

    def send_files(self, send: Sender) -> None:
        """Have files sent to who looks, and write none here."""
        self._store = Downloads(send)

    def savable(self, frame: Frame, marked: list[int], lines: list[Strip]) -> Savable:
        """What there is to be saved: rows, all or the marked ones, and the lines on the screen."""
        picture = Picture(lines, title(frame))
        with contextlib.suppress(RequestError):  # a filter that has grown too long
            alone = (self.only_rows(frame, marked), len(marked)) if marked else None
            return savable(frame, picture, alone, self._store)
        return savable(frame, picture, None, self._store)


_TONES: dict[TextKind, Tone] = {
    "title": "strong",
    "summary": "strong",
    "heading": "heading",
    "label": "dim",
    "text": "text",
    "avoid": "text",
    "note": "dim",
    "parameter": "text",
    "changed": "warning",
    "command": "text",
    "blank": "text",
}


def _linked(line: TextLine) -> Linked:
    """A line of an explanation; a label at its start stands out."""
    tone = _TONES[line.kind]
    if not line.label_end:
        return Linked([(line.text, tone)], line.topic, line.command)
    label: Tone = "warning" if line.kind == "avoid" else "strong"
    return Linked([(line.text[: line.label_end], label), (line.text[line.label_end :], tone)], line.topic, line.command)


def _connection_condition(frame: Frame, row: int) -> str:
    """The filter that keeps to one connection; a listener has no other end."""
    sample = frame.sample
    local = sample.end_text(_end(frame, row, "local_address", "local_port"))
    if frame.grid.columns["state"][0][row] == TcpState.LISTEN:
        return _at_listener(local)
    remote = sample.end_text(_end(frame, row, "remote_address", "remote_port"))
    return f"src {_host_word(local)} and dst {_host_word(remote)}"


def _end(frame: Frame, row: int, address: str, port: str) -> tuple[int, int, int]:
    columns = frame.grid.columns
    hi, lo = (int(part[row]) for part in columns[address][:2])
    return hi, lo, int(columns[port][0][row])


def _circumstances(frame: Frame, subject: Subject, topic: str = "") -> Circumstances:
    """The values of the frame; the selection is about the subject's state, other topics only run where that is."""
    selection = subject.selection or Selection()
    if topic and topic != subject.state.name:
        selection = Selection(inside=selection.inside)
    told = circumstances_of(
        *(frame.sample, frame.previous), netns=subject.netns, selection=selection, with_limits=topic in NEEDS_HOLDERS
    )
    return replace(told, columns=tuple(field.id for field in frame.fields if frame.is_shown(field)))


def _run_inside(inside: str, ss: str) -> str:
    """An ``ss`` command in the namespace that it is about, unless it goes there by itself."""
    return ss if not inside or " -N " in ss or ss.startswith("nsenter ") else f"{inside} {ss}"


_PID_LABEL = re.compile(r"pid (\d+)\b.*")
"""How a namespace without a name is called where all are looked at."""


def _inside(frame: Frame, netns: int) -> str:
    """What runs a command in the namespace with index ``netns``; empty for our own, or where there is no way."""
    if len(frame.sample.namespaces) == 1:
        return command_inside(frame.sample.origin.netns)
    label = frame.sample.namespaces[netns]
    process = _PID_LABEL.fullmatch(label)
    if process is not None:
        return command_inside(process[1])
    return "" if label.isdecimal() else command_inside(label)
