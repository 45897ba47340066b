"""The screen's wiring: commands to wishes, presentations to panels."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.events import Click
from textual.filter import LineFilter
from textual.markup import escape
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.theme import Theme, ThemeProvider
from textual.widget import Widget

from tcptui.config.remembered import Remembered
from tcptui.errors import InternalError, RequestError, TcptuiError
from tcptui.language import mark, tr, tr_n
from tcptui.model.states import TcpState
from tcptui.text import printable
from tcptui.tui import terminal
from tcptui.tui.arranger import SAVE as SAVE_LAYOUT
from tcptui.tui.arranger import Arranger
from tcptui.tui.bars import HeaderBar, KeysBar, NoticeBar
from tcptui.tui.chart_choice import WINDOWS_S, ChartChoice, ChartChooser, length_text
from tcptui.tui.choice_screen import Choice, ChoiceScreen
from tcptui.tui.commands import COMMANDS, PLACES, PRIORITY_IDS
from tcptui.tui.detail_panel import DetailPanel
from tcptui.tui.explain_panel import ExplainPanel, GistBar
from tcptui.tui.filtering import FilterHistory, FilterTyping
from tcptui.tui.glyphs import AsciiFilter
from tcptui.tui.help import IN_BROWSER, filter_screen, help_screen
from tcptui.tui.history_panel import HistoryPanel
from tcptui.tui.layout import PANELS, PROMPT_ROWS, Centre, PanelScreen, Plan, TooSmall
from tcptui.tui.linked import CommandChosen, TargetChosen, TopicChosen
from tcptui.tui.preferences import Preferences, encoding_of_terminal
from tcptui.tui.states_panel import StatesPanel
from tcptui.tui.table_panel import TablePanel
from tcptui.tui.tabs import VIEW_ORDER, title_of
from tcptui.tui.theme import THEMES, variable_defaults
from tcptui.tui.theme_choice import ThemeChoice
from tcptui.tui.verdict_bar import VerdictBar

if TYPE_CHECKING:
    from tcptui.model.fields import Value
    from tcptui.monitor.frame import Frame
    from tcptui.monitor.presenter import Presentation
    from tcptui.monitor.view import View
    from tcptui.tui.backend import Backend
    from tcptui.tui.findings_screen import FindingsScreen, PageName
    from tcptui.tui.live_screen import LiveScreen
    from tcptui.tui.prompt import Prompt
    from tcptui.tui.saver import Saver
    from tcptui.tui.saving import Savable
    from tcptui.tui.topic_screen import TopicScreen
    from tcptui.tui.ways import Way

_PILES = (
    *(TcpState.CLOSE_WAIT, TcpState.LAST_ACK, TcpState.FIN_WAIT1, TcpState.FIN_WAIT2),
    *(TcpState.SYN_RECV, TcpState.SYN_SENT, TcpState.CLOSING),
)
SLOW_TERMINAL_PAUSE_S = 0.3
"""How long to let a slow terminal catch up before the newest presentation is looked at again."""
PATH_SEPARATOR = " › "
_FIND_HINT = mark("any text in a row · Enter keep · Esc go back · then {find_next} next, {find_previous} before")
_NONE_MARKED = mark("no row is marked: {mark_row} marks one")
_NOWHERE_TO_GO = mark("nothing to go to: {find} finds text, {mark_row} marks a row")
_LAYOUT_HINT = mark("{arrange} and {next_layout} will offer it · Enter save · Esc leave")
INTERVALS_S = (0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 3600)


@dataclass(frozen=True)
class _Level:
    """Where Esc leads back to."""

    view: View
    identity: Value | None
    label: str
    """What was opened, for people."""
    state_condition: str = ""
    """The condition that keeps to one state, if that is what led away from here."""


class TcptuiApp(terminal.LeanApp):
    """The live screen. Collects nothing itself: ``start`` makes the backend, after the first frame."""

    CSS_PATH = "app.tcss"
    TITLE = "tcptui"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(command.keys, command.id, command.help, id=command.id, show=False, priority=command.is_priority)
        for command in COMMANDS
    ]
    ENABLE_COMMAND_PALETTE = True

    # None of them repaints the application, which would be the whole screen: the panels repaint what they must.
    presentation: reactive[Presentation | None] = reactive(None, repaint=False)
    highlighted: reactive[TcpState] = reactive(TcpState.ESTABLISHED, repaint=False)
    plan: reactive[Plan] = reactive(Plan(), repaint=False)
    row: reactive[int | None] = reactive(None, repaint=False)
    chart_choice: reactive[ChartChoice] = reactive(ChartChoice(), repaint=False)

    @dataclass
    class BackendStarted(Message):
        """The sources are open; samples will come."""

        backend: Backend

    class Presented(Message):
        """There is a newer presentation."""

    @dataclass
    class StartFailed(Message):
        """There will be no samples."""

        error: TcptuiError

    def __init__(
        self,
        start: Callable[[], Backend],
        remembered: Remembered | None = None,
        preferences: Preferences | None = None,
    ) -> None:
        """``start`` is called after the first frame, in a thread of its own."""
        preferences = preferences or Preferences()
        self._tokens: dict[str, dict[str, str]] = {}
        """Those of each theme, which Textual asks for several times."""
        self._ascii_filter = AsciiFilter(encoding_of_terminal()) if preferences.is_ascii else None
        super().__init__()
        self.remembered = remembered or Remembered()
        self._preferences = preferences
        self._theme_choice = ThemeChoice(self.remembered, preferences)
        self.failure: TcptuiError | None = None
        """Why the screen ended, for the caller to tell."""
        self.animation_level = "none"
        self._start = start
        self._backend: Backend | None = None
        self._saver: Saver | None = None
        self._view: View | None = None
        self._levels: list[_Level] = []
        self._prompt: Prompt | None = None
        self._typing: FilterTyping | None = None
        self._filter_history = FilterHistory()
        self._is_announced = False
        self._wants_pause = False
        self._panel_screen = PanelScreen()
        self._arranger = Arranger(self.remembered, preferences.layouts)
        self._chart_chooser = ChartChooser(self.remembered)
        self.set_reactive(TcptuiApp.chart_choice, self._chart_chooser.choice)
        self.set_reactive(TcptuiApp.plan, Plan(arrangement=self._arranger.arrangement))
        self._sought = ""
        """What was looked for last."""
        self._found_before: Value | None = None
        """The row to go back to when a search is given up."""
        self._topic_screen: TopicScreen | None = None
        self._live_screens: list[LiveScreen] = []
        """Those that lie over the panels and follow the samples."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        theme = self.current_theme
        if theme.name not in self._tokens:
            is_coarse = self.console.color_system not in ("256", "truecolor")
            self._tokens[theme.name] = variable_defaults(theme, is_coarse=is_coarse)
        return self._tokens[theme.name]

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        return filters if self._ascii_filter is None else [*filters, self._ascii_filter]

    def get_default_screen(self) -> PanelScreen:
        return self._panel_screen

    def compose(self) -> ComposeResult:
        keymap = self._preferences.keymap
        self._header = HeaderBar(id="header").data_bind(TcptuiApp.presentation)
        self._verdict = VerdictBar("verdict", keymap).data_bind(TcptuiApp.presentation)
        self._notice = NoticeBar("notice", keymap).data_bind(TcptuiApp.presentation)
        self._states = StatesPanel(id="states").data_bind(TcptuiApp.presentation, TcptuiApp.highlighted)
        self._gist = GistBar(id="gist").data_bind(TcptuiApp.presentation, TcptuiApp.highlighted, TcptuiApp.row)
        self._table = TablePanel("table", keymap, self._preferences.columns).data_bind(
            TcptuiApp.presentation, TcptuiApp.highlighted
        )
        self._detail = DetailPanel("detail", keymap).data_bind(TcptuiApp.presentation)
        self._explain = ExplainPanel(id="explain").data_bind(
            TcptuiApp.presentation, TcptuiApp.highlighted, TcptuiApp.row
        )
        self._history = HistoryPanel(id="history").data_bind(
            TcptuiApp.presentation, TcptuiApp.highlighted, choice=TcptuiApp.chart_choice
        )
        self._keys = KeysBar("keys", keymap)
        yield self._header
        yield from (self._verdict, self._notice, self._states, self._gist, self._table, self._detail)
        yield from (self._explain, self._history, self._keys)
        yield TooSmall("too-small", keymap)

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._theme_choice.name
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self.set_keymap(self._preferences.keymap.for_textual)
        self._table.focus()
        terminal.end_on_signals(self._end)
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        self.call_after_refresh(self._load)

    def _say(self, message: str) -> str:
        """A message with the user's keys in it."""
        return self._preferences.keymap.say(message)

    def _theme_changed(self, theme: Theme) -> None:
        if advice := self._theme_choice.take(theme.name):
            self._keys.say(advice)

    # -- Starting and ending -------------------------------------------------------------------------------------------

    def _load(self) -> None:
        threading.Thread(target=self._make_backend, name="tcptui-loader", daemon=True).start()

    def _make_backend(self) -> None:
        """Runs in the loader's thread."""
        try:
            backend = self._start()
            self.post_message(self.BackendStarted(backend))
            backend.warm_up()
        except TcptuiError as error:
            self.post_message(self.StartFailed(error))
        except Exception as error:  # noqa: BLE001 - a thread's bug must end the program with a line, not a frozen screen
            self.post_message(self.StartFailed(InternalError.of(error)))

    @on(BackendStarted)
    async def _backend_started(self, event: BackendStarted) -> None:
        backend = event.backend
        prompt = backend.new_prompt()
        await self._panel_screen.mount(prompt)
        self._prompt, self._backend, self._view = prompt, backend, backend.first_view
        if self.is_web:
            backend.send_files(functools.partial(terminal.send_to_browser, self))
        self._saver = backend.new_saver(self, self.remembered, self._keys.say)
        self._filter_history.remember(backend.first_view.filter_text)
        self._history.chart = backend.chart
        self._notice.standing = backend.names.saved_problem
        self._explain.explainer = self._gist.explainer = self._verdict.speaker = backend
        self._detail.describer = backend.describer
        backend.presenter.start(self._announce)

    @on(StartFailed)
    def _start_failed(self, event: StartFailed) -> None:
        self._fail(event.error)

    def _fail(self, error: TcptuiError) -> None:
        self.failure = error
        self.exit(return_code=error.exit_code)

    def _end(self, exit_code: int) -> None:
        self.exit(return_code=exit_code)

    def _fatal_error(self) -> None:
        """A defect ends the screen with one line instead of Textual's traceback."""
        self.failure = InternalError.of(self._exception or RuntimeError("unknown"))
        self._close_messages_no_wait()

    def on_unmount(self) -> None:
        if self._backend is not None:
            self._backend.presenter.stop()

    # -- Presentations -------------------------------------------------------------------------------------------------

    def _announce(self) -> None:
        """Called in other threads; one wake-up is enough for any number of presentations."""
        if not self._is_announced:
            self._is_announced = True
            self.post_message(self.Presented())

    @on(Presented)
    def _presented(self) -> None:
        self._is_announced = False
        if not self.is_headless and terminal.has_hung_up():
            terminal.leave_without_terminal()
        if self._backend is None:
            return
        presentation = self._backend.presenter.latest()
        trouble = presentation.trouble
        if trouble is not None and (presentation.frame is None or isinstance(trouble, InternalError)):
            self._fail(trouble)
        elif self.is_output_behind and self._is_only_newer(presentation):
            self._header.is_terminal_slow = True
            self.set_timer(SLOW_TERMINAL_PAUSE_S, self._announce)
        elif presentation.frame is not None:
            self._header.is_terminal_slow = self.is_line_slow
            self._take(presentation)

    def _is_only_newer(self, presentation: Presentation) -> bool:
        """Whether it shows the same as before at a later time: nobody has asked for it."""
        shown, frame = self.presentation, presentation.frame
        if shown is None or shown.frame is None or frame is None:
            return False
        return shown.is_paused is presentation.is_paused and shown.frame.view == frame.view

    def _take(self, presentation: Presentation) -> None:
        is_first = self.presentation is None
        if self._typing is not None and self._prompt is not None:
            self._prompt.look_for_offers(anew=True)
        self.presentation = presentation
        if is_first:
            self.highlighted = _most_telling(presentation)
        for screen in self._live_screens:
            screen.take(presentation)
        self._name_table()
        self.row = self._table.cursor_row
        has_notice = bool(self._notice.notices())
        if has_notice != self.plan.has_notice:
            self.plan = replace(self.plan, has_notice=has_notice)

    def watch_plan(self) -> None:
        self._panel_screen.panel_layout.plan = self.plan
        if self._panel_screen.is_mounted:
            terminal.arrange_again(self._panel_screen)

    def _name_table(self) -> None:
        """The views as tabs in the table's title."""
        assert self._view is not None
        self._table.show_tabs(self._view.kind.value)

    @on(DetailPanel.LeaveClicked)
    def _leave_clicked(self) -> None:
        self.action_leave()

    @on(TablePanel.ViewChosen)
    def _view_chosen(self, event: TablePanel.ViewChosen) -> None:
        self._show_kind(event.name)

    @on(KeysBar.CommandChosen)
    async def _command_clicked(self, event: KeysBar.CommandChosen) -> None:
        await self.run_action(event.id)

    # -- Wishes --------------------------------------------------------------------------------------------------------

    def _show(self, view: View, *, is_settled: bool = True) -> None:
        self._view = view
        if self._backend is not None:
            self._backend.presenter.show(view, is_settled=is_settled)

    def _go_down(self, view: View, label: str, state_condition: str = "") -> None:
        """Show a view that Esc leads back from."""
        assert self._view is not None
        row, frame = self._table.cursor_row, self._table.frame
        identity = frame.grid.identity(row) if frame is not None and row is not None else None
        self._levels.append(_Level(self._view, identity, label, state_condition))
        self._show(view)
        self._tell_path()

    def _tell_path(self) -> None:
        """The way down to here, step by step."""
        steps = [part for level in self._levels for part in (title_of(level.view.kind.value), level.label)]
        self._table.path = self._detail.path = PATH_SEPARATOR.join(steps)

    def _show_kind(self, name: str) -> None:
        self._centre("table")
        if self._view is not None:
            self._show(replace(self._view.of_kind(name), watched=None))

    def action_show_peers(self) -> None:
        self._show_kind("peers")

    def action_show_processes(self) -> None:
        self._show_kind("processes")

    def action_show_services(self) -> None:
        self._show_kind("services")

    def action_show_namespaces(self) -> None:
        self._show_kind("namespaces")

    def action_show_listeners(self) -> None:
        self._show_kind("listeners")

    def action_show_ports(self) -> None:
        self._show_kind("ports")

    def action_show_connections(self) -> None:
        self._show_kind("connections")

    def action_next_view(self) -> None:
        self._step_view(1)

    def action_previous_view(self) -> None:
        self._step_view(-1)

    def _step_view(self, step: int) -> None:
        if self._view is None:
            return
        now = self._view.kind.value
        index = VIEW_ORDER.index(now) if now in VIEW_ORDER else -step
        self._show_kind(VIEW_ORDER[(index + step) % len(VIEW_ORDER)])

    def action_leave(self) -> None:
        if self._history.has_focus and self._history.drop_cursor():
            return
        if self.plan.arrangement.zoomed not in ("", "table"):
            self.action_zoom()
        elif self.plan.centre != "table" or not self._table.has_focus:
            self._centre("table")
        elif self._levels:
            level = self._levels.pop()
            self._show(level.view)
            self._tell_path()
            if level.identity is not None:
                self._table.select(level.view, functools.partial(_always, level.identity))
        elif self._view is not None and self._view.filter is not None:
            self._show(replace(self._view, filter=None))
        elif self.plan.arrangement.zoomed:
            self._arranger.zoom(self.plan.arrangement.zoomed)
            self._arrange()

    def action_open(self) -> None:
        if self._states.has_focus or self._history.has_focus:
            self.action_only_state()
            self._panel_screen.set_focus(self._table)
            return
        if self._explain.has_focus and self._explain.is_on_something:
            self._explain.use_chosen()
            return
        if self._explain.has_focus or self._detail.has_focus:
            self.action_leave()
            return
        row, frame = self._table.cursor_row, self._table.frame
        if self._backend is None or self._view is None or frame is None or row is None:
            return
        if frame.view.kind is not self._view.kind:  # the row is of the view before
            return
        if frame.view.kind.value == "states":
            self.highlighted = TcpState(frame.grid.identity(row)[0])
            self.action_only_state()
            return
        if frame.view.kind.value == "connections":
            self.highlighted = TcpState(int(frame.grid.columns["state"][0][row]))
            self._show(self._backend.watching(frame, row))
            self._centre("detail")
            return
        try:
            self._go_down(self._backend.opened(frame, row), frame.grid.shown(row, frame.view.kind.key))
        except RequestError as error:  # a filter that has grown too long
            self._keys.say(str(error), is_error=True)

    def action_only_state(self) -> None:
        if self._backend is None or self._view is None:
            return
        try:
            self._keep_to(self._backend, self._view, f"state {self.highlighted.name}")
        except RequestError as error:  # a filter that has grown too long
            self._keys.say(str(error), is_error=True)

    def _keep_to(self, backend: Backend, view: View, condition: str) -> None:
        """Narrow to one state; from another one, or from itself, first leave that again."""
        before = self._levels.pop() if self._levels and self._levels[-1].state_condition else None
        if before is None:
            self._go_down(backend.narrowed(view, condition), condition.removeprefix("state "), condition)
            return
        wider = before.view.of_kind(view.kind.value)
        if before.state_condition == condition:
            self._show(wider)
        else:
            label = condition.removeprefix("state ")
            self._levels.append(_Level(before.view, before.identity, label, condition))
            self._show(backend.narrowed(wider, condition))
        self._tell_path()

    def action_sort_next(self) -> None:
        fields = self._table.shown_fields
        if self._backend is not None and self._view is not None and fields:
            self._show(self._backend.sorted_by_next(self._view, fields))

    def action_sort_reverse(self) -> None:
        if self._backend is not None and self._view is not None:
            self._show(self._backend.reversed(self._view))

    @on(TablePanel.HeadingClicked)
    def _heading_clicked(self, event: TablePanel.HeadingClicked) -> None:
        self._sort_by(event.field_id)

    def _sort_by(self, field_id: str) -> None:
        if self._view is not None:
            self._show(self._view.sorted_by(field_id))

    def action_pause(self) -> None:
        if self._backend is not None:
            self._wants_pause = not self._wants_pause
            self._keys.tell_paused(self._wants_pause)
            self._backend.presenter.pause(self._wants_pause)

    # -- Back in time --------------------------------------------------------------------------------------------------

    def _go_to(
        self, *, moments: int = 0, seconds: float = 0.0, to_s: float | None = None, within_s: float = 0.0
    ) -> None:
        """Show another moment, and stay there."""
        if self._backend is not None:
            self._wants_pause = True
            self._keys.tell_paused(True)
            self._backend.step(moments=moments, seconds=seconds, to_s=to_s, within_s=within_s)

    def action_earlier(self) -> None:
        self._go_sideways(-1)

    def action_later(self) -> None:
        self._go_sideways(1)

    def _go_sideways(self, step: int) -> None:
        """Through time while it stands still, in the chart with its cursor; else as ``_step_state``."""
        if self._wants_pause:
            self._go_to(moments=step)
        elif self._history.has_focus:
            self._history.move(step)
        else:
            self._step_state(step)

    def action_minute_earlier(self) -> None:
        self._go_to(seconds=-60)

    def action_minute_later(self) -> None:
        self._go_to(seconds=60)

    def action_oldest(self) -> None:
        self._go_to(to_s=-math.inf)

    def action_newest(self) -> None:
        self._go_to(to_s=math.inf)

    @on(HistoryPanel.MomentChosen)
    def _moment_chosen(self, event: HistoryPanel.MomentChosen) -> None:
        self._go_to(to_s=event.to_s, within_s=event.within_s)

    def action_faster(self) -> None:
        self._step_interval(-1)

    def action_slower(self) -> None:
        self._step_interval(1)

    def _step_interval(self, step: int) -> None:
        if self._backend is None:
            return
        now = self._backend.presenter.latest().asked_interval_s
        others = [each for each in INTERVALS_S if (each > now) == (step > 0) and each != now]
        if others:
            self._backend.presenter.set_interval(min(others) if step > 0 else max(others))

    # -- Rows ----------------------------------------------------------------------------------------------------------

    def action_mark_row(self) -> None:
        self._table.action_mark()

    def action_unmark_rows(self) -> None:
        self._table.action_unmark()

    def action_only_marked(self) -> None:
        rows, frame = self._table.marked_rows, self._table.frame
        if self._backend is None or frame is None:
            return
        if not rows:
            self._keys.say(self._say(_NONE_MARKED), is_error=True)
            return
        try:
            self._go_down(self._backend.only_rows(frame, rows), tr("{count:,} marked", count=len(rows)))
        except RequestError as error:  # a filter that has grown too long
            self._keys.say(str(error), is_error=True)

    def action_copy_rows(self) -> None:
        rows, frame = self._table.chosen_rows, self._table.frame
        if self._backend is not None and frame is not None and rows:
            what = tr_n("{count:,} row", "{count:,} rows", len(rows), count=len(rows))
            self._copy(self._backend.rows_as_text(frame, rows), what)

    def action_copy_view(self) -> None:
        frame = self._table.frame
        if self._backend is not None and frame is not None:
            text, rows = self._backend.view_as_text(frame)
            self._copy(text, tr_n("the view with {count:,} row", "the view with {count:,} rows", rows, count=rows))

    def _copy(self, text: str, what: str) -> None:
        """Hand text to the terminal, which may put it into its clipboard (OSC 52)."""
        self.copy_to_clipboard(text)
        self._keys.say(tr("copied: {command}", command=what))

    def action_go_somewhere(self) -> None:
        frame = self._table.frame
        if self._backend is None or frame is None:
            return
        row = self._table.cursor_row
        if self._detail.has_focus and frame.watch is not None:
            row = frame.watch.row
        ways = self._backend.ways(frame, row) if row is not None else []
        if not ways:
            self._keys.say(tr("there is nowhere to go from here"), is_error=True)
            return
        by_id = {way.id: way for way in ways}
        choices = [Choice(way.id, way.text, way.about) for way in ways]
        self._choose(tr("Go to"), choices, lambda chosen: self._go(by_id[chosen]))

    def _go(self, way: Way) -> None:
        self._centre("table")
        self._go_down(way.view, way.about or way.text)
        if way.finder is not None:
            self._table.select(way.view, way.finder)

    def action_find(self) -> None:
        frame, row = self._table.frame, self._table.cursor_row
        if self._prompt is None or frame is None:
            return
        self._centre("table")
        self._found_before = None if row is None else frame.grid.identity(row)
        self._show_prompt()
        self._prompt.open("find", tr("find:"), self._sought, self._say(_FIND_HINT))

    def action_find_next(self) -> None:
        self._find_beside(1)

    def action_find_previous(self) -> None:
        self._find_beside(-1)

    def _find_beside(self, step: int) -> None:
        if self._sought:
            self._find(self._sought, self._table.position + step, step)
        elif not self._table.go_to_marked(step):
            self._keys.say(self._say(_NOWHERE_TO_GO), is_error=True)

    def _find(self, text: str, start: int, step: int) -> None:
        if self._table.frame is not None and self._backend is not None and text:
            self._look_through(self._backend, self._table.frame, text, start, step)

    @work(thread=True, exclusive=True, group="find", description="look through the rows")
    def _look_through(self, backend: Backend, frame: Frame, text: str, start: int, step: int) -> None:
        identity = backend.find(frame, self._table.columns_shown, text, start, step)
        self.call_from_thread(self._found, text, identity)

    def _found(self, text: str, identity: Value | None) -> None:
        is_there = identity is not None and self._table.go_to(identity)
        problem = "" if is_there else tr("no row shows {text}", text=text)
        if self._prompt is not None and self._prompt.purpose == "find":
            self._prompt.point(problem, "", len(text)) if problem else self._prompt.say(self._say(_FIND_HINT))
        elif problem:
            self._keys.say(problem, is_error=True)

    # -- What is looked at ---------------------------------------------------------------------------------------------

    def action_focus_states(self) -> None:
        self._states.focus()

    def action_previous_state(self) -> None:
        self._step_state(-1)

    def action_next_state(self) -> None:
        self._step_state(1)

    def _step_state(self, step: int) -> None:
        """Sideways is to another state, but in a table without states it is to other columns."""
        if self._view is not None and not self._view.kind.is_matrix and self._table.has_focus:
            self._table.scroll_columns(step)
        else:
            self._states.action_move(step)

    @on(StatesPanel.StateHighlighted)
    def _state_highlighted(self, event: StatesPanel.StateHighlighted) -> None:
        self.highlighted = event.state

    @on(TablePanel.RowSelected)
    def _row_selected(self, event: TablePanel.RowSelected) -> None:
        self.row = self._table.cursor_row
        if event.state is not None:
            self.highlighted = event.state

    @on(TablePanel.ColumnsShown)
    def _columns_shown(self, event: TablePanel.ColumnsShown) -> None:
        if self._backend is not None and self._view is not None:
            view = self._backend.showing(self._view, event.field_ids)
            if view != self._view:
                self._show(view)

    @on(TablePanel.RowOpened)
    def _row_opened(self) -> None:
        self.action_open()

    def action_toggle_explain(self) -> None:
        """To the explanation, to read all of it, and back."""
        layout = self._panel_screen.panel_layout
        if layout.has_room_for_all and not self.plan.shows("explain"):
            self._arranger.take(self.plan.arrangement.toggled("explain"))
            self._arrange()
        if layout.shows("explain") and self.plan.centre != "explain":
            self._panel_screen.set_focus(self._table if self._explain.has_focus else self._explain)
        else:
            self._centre("table" if self.plan.centre == "explain" else "explain")

    def action_toggle_history(self) -> None:
        """Show the chart, or give its room back."""
        if self._panel_screen.panel_layout.has_room_for_chart:
            self._arranger.take(self.plan.arrangement.toggled("history"))
            self._arrange()
        else:
            self._centre("table" if self.plan.centre == "history" else "history")

    def _arrange(self) -> None:
        """Place the panels as the arranger has them, and see that the keys go to one that is there."""
        self.plan = replace(self.plan, arrangement=self._arranger.arrangement)
        if isinstance(self.focused, Widget) and not self._panel_screen.panel_layout.shows(self.focused.id or ""):
            zoomed = self.plan.arrangement.zoomed
            self._panel_screen.set_focus(self._panel_called(zoomed) if zoomed else self._in_centre)

    def _panel_called(self, name: str) -> Widget:
        panels: dict[str, Widget] = {"states": self._states, "explain": self._explain, "history": self._history}
        return panels.get(name, self._in_centre)

    @property
    def _panel_in_use(self) -> str:
        """The panel with the keys, of ``PANELS``."""
        focused = self._panel_screen.focused
        name = focused.id if focused is not None else None
        if self.plan.arrangement.zoomed:
            return self.plan.arrangement.zoomed
        return name if name in PANELS else "history" if self.plan.centre == "history" else "table"

    def action_zoom(self) -> None:
        self._arranger.zoom(self._panel_in_use)
        self._arrange()

    def action_arrange(self) -> None:
        self._choose(tr("Panels"), self._arranger.choices(), self._arranged)

    def _arranged(self, choice_id: str) -> None:
        if choice_id == SAVE_LAYOUT:
            self._ask_for_layout_name()
            return
        self._arranger.choose(choice_id)
        self._arrange()

    def _ask_for_layout_name(self) -> None:
        if self._prompt is not None:
            self._show_prompt()
            self._prompt.open("layout", tr("name of the layout:"), "", self._say(_LAYOUT_HINT))

    def _save_layout(self, prompt: Prompt, name: str) -> None:
        try:
            self._arranger.save(name)
        except RequestError as error:
            prompt.point(error.message, error.hint, 0)
            prompt.input.go_on()
        else:
            self._close_prompt()
            self._keys.say(tr("saved layout {name}", name=name.strip()))

    def action_next_layout(self) -> None:
        self._keys.say(tr("layout: {name}", name=self._arranger.next_layout()))
        self._arrange()

    def action_widen(self) -> None:
        self._resize(left=1)

    def action_narrow(self) -> None:
        self._resize(left=-1)

    def action_heighten(self) -> None:
        self._resize(chart=1)

    def action_lower(self) -> None:
        self._resize(chart=-1)

    def _resize(self, left: int = 0, chart: int = 0) -> None:
        if not self._arranger.resize(self._panel_screen.panel_layout.size, self.plan, left, chart):
            self._keys.say(tr("there is no room to move that edge"), is_error=True)
        self._arrange()

    def _choose(self, title: str, choices: list[Choice], then: Callable[[str], None]) -> None:
        """Offer a list, and do what is chosen of it."""
        self.push_screen(ChoiceScreen(title, choices), lambda choice_id: then(choice_id) if choice_id else None)

    def _centre(self, panel: Centre) -> None:
        """Give the middle of a small screen to a panel, and the keys to it."""
        if self.plan.arrangement.zoomed not in ("", "table"):
            self._arranger.zoom(self.plan.arrangement.zoomed)
            self._arrange()
        if panel != self.plan.centre:
            self.plan = replace(self.plan, centre=panel)
        if panel != "detail" and self._view is not None and self._view.watched is not None:
            self._show(replace(self._view, watched=None))
        self._panel_screen.set_focus(self._in_centre)

    @property
    def _in_centre(self) -> Widget:
        """The panel in the middle of the screen."""
        panels: dict[str, Widget] = {"explain": self._explain, "detail": self._detail, "history": self._history}
        return panels.get(self.plan.centre, self._table)

    # -- The chart -----------------------------------------------------------------------------------------------------

    def action_focus_history(self) -> None:
        """To the chart, wherever it has a place, and back."""
        if self._history.has_focus:
            self.action_leave()
        elif self._panel_screen.panel_layout.shows("history"):
            self._panel_screen.set_focus(self._history)
        else:
            self.action_toggle_history()
            self._panel_screen.set_focus(self._history)

    def action_toggle_scale(self) -> None:
        self._chart_chooser.toggle_scale()
        self.chart_choice = self._chart_chooser.choice

    def action_toggle_alone(self) -> None:
        self._chart_chooser.toggle_only_highlighted()
        self.chart_choice = self._chart_chooser.choice

    def action_zoom_in(self) -> None:
        self._zoom_chart(-1)

    def action_zoom_out(self) -> None:
        self._zoom_chart(1)

    @on(HistoryPanel.Zoomed)
    def _chart_zoomed(self, event: HistoryPanel.Zoomed) -> None:
        self._zoom_chart(event.step)

    def _zoom_chart(self, step: int) -> None:
        shown_s = self._history.window_s or self.chart_choice.window_s or WINDOWS_S[0]
        if not self._chart_chooser.zoom(step, shown_s):
            problem = (
                mark("the chart shows {length} at most") if step > 0 else mark("the chart shows {length} at least")
            )
            self._keys.say(tr(problem, length=length_text(shown_s)), is_error=True)
        self.chart_choice = self._chart_chooser.choice

    def action_choose_chart(self) -> None:
        self._choose(tr("Chart"), self._chart_chooser.choices(), self._chart_chosen)

    def _chart_chosen(self, choice_id: str) -> None:
        self._chart_chooser.choose(choice_id)
        self.chart_choice = self._chart_chooser.choice

    @on(HistoryPanel.StateChosen)
    def _charted_state_chosen(self, event: HistoryPanel.StateChosen) -> None:
        self.highlighted = event.state

    # -- Explaining ----------------------------------------------------------------------------------------------------

    def action_explain_here(self) -> None:
        """Open the entry of what the cursor is on: a link in the explanation, or the state of the row."""
        if self._explain.has_focus and self._explain.chosen_topic:
            self._open_topic(self._explain.chosen_topic)
            return
        frame = self._table.frame
        if self._table.has_focus and frame is not None and frame.view.kind.value == "states":
            row = self._table.cursor_row
            self._open_topic(self.highlighted.name if row is None else TcpState(frame.grid.identity(row)[0]).name)
            return
        self._open_topic(self.highlighted.name)

    def _open_topic(self, topic: str) -> None:
        if self._backend is None:
            self.action_show_help()
            return
        if self._topic_screen is not None and self.screen is self._topic_screen:
            self._topic_screen.action_open(topic)
            return
        screen = self._backend.topic_screen(self._table.frame, self._explain.known_row, self.highlighted, topic)
        self._topic_screen = screen
        self._push_live(screen, lambda wish: self.action_show_help() if wish == "help" else None)

    def _push_live(self, screen: LiveScreen, then: Callable[[str], None]) -> None:
        """Show a screen that follows the samples, and do what is wanted when it is closed."""

        def closed(wish: str | None) -> None:
            self._live_screens.remove(screen)
            then(wish or "")

        screen.take(self.presentation)
        self._live_screens.append(screen)
        self.push_screen(screen, closed)

    @on(TopicChosen)
    def _topic_chosen(self, event: TopicChosen) -> None:
        self._open_topic(event.topic)

    @on(CommandChosen)
    def _command_chosen(self, event: CommandChosen) -> None:
        """Hand the command to the terminal, which may put it into its clipboard (OSC 52)."""
        self.copy_to_clipboard(event.command)
        self._keys.say(tr("copied: {command}", command=event.command))

    def action_show_machine(self) -> None:
        if self._backend is None:
            return
        screen = self._backend.machine_screen(self.highlighted)
        self._push_live(screen, lambda wish: self._machine_closed(screen.highlighted, wish))

    def _machine_closed(self, state: TcpState, wish: str) -> None:
        self.highlighted = state
        if wish == "explain":
            self._open_topic(state.name)
        elif wish == "filter":
            self.action_only_state()

    # -- What is wrong -------------------------------------------------------------------------------------------------

    def action_show_findings(self) -> None:
        self._show_findings("findings")

    def action_show_capacity(self) -> None:
        self._show_findings("capacity")

    def action_show_counters(self) -> None:
        self._show_findings("counters")

    @on(VerdictBar.Clicked)
    def _verdict_clicked(self) -> None:
        self._show_findings("findings")

    @on(TargetChosen)
    def _target_chosen(self, event: TargetChosen) -> None:
        """A finding was chosen in the explanation of a state that it concerns."""
        if self._backend is not None:
            self._open_findings(self._backend.findings_screen("findings", event.target))

    def _show_findings(self, page: PageName) -> None:
        if self._backend is not None:
            self._open_findings(self._backend.findings_screen(page))

    def _open_findings(self, screen: FindingsScreen) -> None:
        self._push_live(screen, lambda wish: self._findings_closed(screen, wish))

    def _findings_closed(self, screen: FindingsScreen, wish: str) -> None:
        if wish == "help":
            self.action_show_help()
        elif wish == "view" and screen.link is not None and self._backend is not None and self._view is not None:
            try:
                view = self._backend.view_behind(screen.link, screen.judgement, self._view)
            except RequestError as error:
                self._keys.say(str(error), is_error=True)
                return
            self._centre("table")
            self._go_down(view, tr("evidence"))

    def action_show_help(self) -> None:
        reasons = self._backend.reasons() if self._backend is not None else []
        remark = tr(IN_BROWSER) if self.is_web else ""
        keymap, notices = self._preferences.keymap, self._notice.notices()
        self.push_screen(help_screen(keymap, self._place, notices, reasons, remark=remark))

    @property
    def _place(self) -> str:
        """Where the keys go, of ``PLACES``."""
        focused = self._panel_screen.focused
        name = focused.id if focused is not None else None
        return name if name in PLACES else "table"

    def action_redraw(self) -> None:
        self.forget_output()
        self.refresh(repaint=True, layout=True)

    def action_suspend_process(self) -> None:
        if self.is_web:
            self._keys.say(tr("a browser has nothing to suspend: close the tab, or leave with q"), is_error=True)
        else:
            super().action_suspend_process()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for command in COMMANDS:
            if command.id != "command_palette":
                key = tr("key {keys}", keys=self._preferences.keymap.shown(command.id))
                yield SystemCommand(self._say(command.help), key, lambda name=command.id: self.run_action(name))
        for field in self._table.columns_shown:
            title = tr("Sort by {field}", field=field.title_in_text)
            yield SystemCommand(title, tr("again to reverse"), lambda name=field.id: self._sort_by(name))
        for name, text in self._backend.names.saved.items() if self._backend is not None else ():
            title = tr("Filter @{name}", name=name)
            yield SystemCommand(title, escape(printable(text)), lambda saved=f"@{name}": self._filter_by(saved))
        for topic, summary in self._backend.topics() if self._backend is not None else ():
            title = tr("Explain {topic}", topic=topic)
            # Found by what is typed, but not listed before: the commands would drown in them.
            yield SystemCommand(title, escape(summary), lambda name=topic: self._open_topic(name), discover=False)
        yield SystemCommand(tr("Theme"), tr("Choose other colours"), self.action_change_theme)

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(terminal.Palette(tr("Search for commands…")))

    def search_themes(self) -> None:
        self.push_screen(terminal.Palette(tr("Search for themes…"), [ThemeProvider]))

    # -- Typing --------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that are seen before any panel's are not seen while something is being typed or lies on top."""
        if action not in PRIORITY_IDS:
            return True
        return self._prompt is not None and self._prompt.purpose is None and self.screen is self._panel_screen

    def action_filter(self) -> None:
        if self._view is None or self._backend is None or self._prompt is None:
            return
        self._show_prompt()
        show = functools.partial(self._show, is_settled=False)
        self._typing = FilterTyping(self._prompt, self._backend, self._view, show)
        self._typing.begin(self._filter_history)
        show(self._view)

    async def action_save(self) -> None:
        if self._saver is not None and (savable := self._savable()) is not None:
            await self._saver.ask(savable)

    async def action_save_again(self) -> None:
        if self._saver is not None and (savable := self._savable()) is not None:
            await self._saver.save_again(savable)

    def _savable(self) -> Savable | None:
        """What there is to be saved, as it is on the screen."""
        frame = self._table.frame
        if self._backend is None or frame is None:
            return None
        return self._backend.savable(frame, self._table.marked_rows, terminal.lines_on(self._panel_screen))

    def _show_prompt(self) -> None:
        self.plan = replace(self.plan, prompt_rows=PROMPT_ROWS)

    def _close_prompt(self) -> None:
        assert self._prompt is not None
        self.plan = replace(self.plan, prompt_rows=0)
        self._panel_screen.set_focus(self._in_centre)
        self._typing = None
        self._prompt.close()

    # What the prompt tells is handled by name: its class is loaded after the first frame.

    def on_prompt_edited(self, event: Prompt.Edited) -> None:
        if self._is_finding:
            self._sought = event.text
            self._find(event.text, self._table.position, 1)
        elif self._typing is not None:
            self._typing.edited(event.text)

    def on_prompt_accepted(self, event: Prompt.Accepted) -> None:
        prompt = self._prompt
        assert prompt is not None
        if self._is_finding:
            self._close_prompt()
        elif prompt.purpose == "layout":
            self._save_layout(prompt, event.text)
        elif self._typing is not None and self._typing.edited(event.text, is_final=True):
            self._keep_filter(self._typing.view)
            self._close_prompt()
        else:
            prompt.input.go_on()

    @property
    def _is_finding(self) -> bool:
        return self._prompt is not None and self._prompt.purpose == "find"

    def on_prompt_cancelled(self) -> None:
        if self._is_finding:
            self._sought = ""
            if self._found_before is not None:
                self._table.go_to(self._found_before)
        elif self._typing is not None:
            self._show(self._typing.before)
        self._close_prompt()

    def on_click(self, event: Click) -> None:
        """A click beside the prompt ends typing; what is shown is kept."""
        prompt = self._prompt
        if prompt is None or prompt.purpose is None or self.screen is not self._panel_screen:
            return
        if event.widget is not None and prompt not in event.widget.ancestors_with_self:
            if self._typing is not None:
                self._keep_filter(self._typing.view)
            self._close_prompt()

    def _keep_filter(self, view: View) -> None:
        """Keep what was typed; it may have a state in it, which leaving the state must not take away again."""
        self._filter_history.remember(view.filter_text)
        if self._levels and self._levels[-1].state_condition:
            self._levels[-1] = replace(self._levels[-1], state_condition="")
        self._show(view)

    def _filter_by(self, text: str) -> None:
        """Set a whole filter."""
        if self._backend is None or self._view is None:
            return
        try:
            self._keep_filter(self._backend.filtered(self._view, text))
        except RequestError as error:
            self._keys.say(str(error), is_error=True)

    def action_explain_filter(self) -> None:
        if self._backend is None or self._view is None or self._prompt is None:
            return
        text = self._view.filter_text if self._typing is None else self._prompt.input.value
        self.push_screen(filter_screen(self._backend.filter_explanation(text, self._table.frame, self._say)))


def _always(identity: Value, _frame: Frame) -> Value:
    return identity


def _most_telling(presentation: Presentation) -> TcpState:
    """The state to explain first: the one that the worst finding is about.

    Without one it is the fullest that piles up beside the open connections, else ESTABLISHED. TIME_WAIT is normal as
    long as there are more connections than that.
    """
    frame, judgement = presentation.frame, presentation.judgement
    assert frame is not None
    found = judgement.alarms[0].finding.states if judgement is not None and judgement.alarms else ()
    if found:
        return max(found, key=frame.state_count)
    established = frame.state_count(TcpState.ESTABLISHED)
    fullest = max(_PILES, key=frame.state_count)
    if frame.state_count(fullest) > max(established // 5, 20):
        return fullest
    return TcpState.TIME_WAIT if frame.state_count(TcpState.TIME_WAIT) > established else TcpState.ESTABLISHED
