"""Every command of the screen, once: its keys, footer label, help and palette entry all come from here.

May not know Textual: ``tcptui config`` lists the commands without it. How keys are read and shown is in ``keymap``.
"""

from dataclasses import dataclass

from tcptui.language import mark


@dataclass(frozen=True)
class Command:
    """Something that a key does."""

    id: str
    """The name of the action method, and of the binding in a keymap."""
    keys: str
    """Textual's names of the keys that do it without a keymap, separated by commas."""
    label: str
    """A word for the footer, said by ``tr`` as all texts here; empty where it is never there."""
    help: str
    """What it does, said by ``Keymap.say``: other commands' keys stand in it by their ids in braces."""
    group: str
    paused_label: str = ""
    """The same while samples do not go on, where it is another."""
    is_priority: bool = False
    """Whether the key is seen before any panel's: where it must take effect before the next key, or Textual has it."""


MOVE, LOOK = mark("Moving"), mark("What to see")
CHANGE, TIME, PROGRAM = mark("Narrow and order"), mark("Back in time"), mark("Program")
GROUPS = (MOVE, LOOK, CHANGE, TIME, PROGRAM)

COMMANDS = (
    Command(
        *("explain_here", "question_mark", mark("explain")),
        mark("Explain what the cursor is on, with links to all that belongs to it; twice: this help"),
        LOOK,
    ),
    Command(
        *("show_machine", "m", mark("machine")),
        mark("State machine: counts in each state, moves a second between them"),
        LOOK,
    ),
    Command(
        *("show_findings", "d", mark("findings")),
        mark("Findings: what is wrong here, with the evidence and what to do first"),
        LOOK,
    ),
    Command("show_capacity", "r", "", mark("Head-room: how much of each limit is in use, and when it is full"), LOOK),
    Command("show_counters", "i", "", mark("Counters that move: now, over a minute, since the start"), LOOK),
    Command("show_help", "f1", mark("keys"), mark("Show this help"), PROGRAM),
    Command("filter", "slash,f4", mark("filter"), mark("Filter as you type"), CHANGE, is_priority=True),
    Command("leave", "escape", "", mark("Close what is open, go back one level, or clear the filter"), CHANGE),
    Command(
        *("open", "enter", mark("open")),
        mark("Open the row: its connections, then all about one; keep to the state under the cursor"),
        CHANGE,
    ),
    Command("explain_filter", "e,f2", "", mark("How the filter is understood, and the ss command for it"), CHANGE),
    Command("only_state", "f", mark("only state"), mark("Keep to the highlighted state, or leave it again"), CHANGE),
    Command("only_marked", "F", "", mark("Keep to the marked rows"), CHANGE),
    Command(
        "mark_row",
        "t",
        "",
        mark("Mark the row for {copy_rows}, {only_marked} and {find_next}, or take the mark away"),
        CHANGE,
    ),
    Command("unmark_rows", "T", "", mark("Take all marks away"), CHANGE),
    Command("sort_next", "s", mark("sort"), mark("Order by the next column"), CHANGE),
    Command("sort_reverse", "S", "", mark("Reverse the order"), CHANGE),
    Command("focus_states", "0", "", mark("Move in the states"), LOOK),
    Command("show_peers", "1", "", mark("Peers: one row for each remote address"), LOOK),
    Command("show_processes", "2", "", mark("Processes: what each holds, held, and has waiting"), LOOK),
    Command("show_services", "3", "", mark("Services: systemd units, containers, pods and sessions"), LOOK),
    Command("show_listeners", "4", "", mark("Listeners: accept queue, backlog, process and connections"), LOOK),
    Command("show_ports", "5", "", mark("Ports: one row for each local port"), LOOK),
    Command("show_connections", "6", "", mark("Connections: one row for each socket"), LOOK),
    Command("show_namespaces", "7", "", mark("Network namespaces, where all are looked at (-N all)"), LOOK),
    Command("next_view", "tab", mark("view"), mark("Next view"), LOOK, is_priority=True),
    Command("previous_view", "shift+tab", "", mark("Previous view"), LOOK, is_priority=True),
    Command("go_somewhere", "o", mark("go to"), mark("Go to the row's peer, process, service, listener …"), MOVE),
    Command("find", "f3", "", mark("Find a row by any text in it"), MOVE, is_priority=True),
    Command("find_next", "n", "", mark("To the next row found, or marked"), MOVE),
    Command("find_previous", "N", "", mark("To the row before that was found, or marked"), MOVE),
    Command("previous_state", "h", "", mark("Highlight the state before; scroll connections sideways"), MOVE),
    Command("next_state", "l", "", mark("Highlight the next state; scroll connections sideways"), MOVE),
    Command(
        *("earlier", "left", mark("back")),
        mark("As {previous_state}; while paused the sample before; in the chart its cursor"),
        TIME,
    ),
    Command(
        *("later", "right", mark("forward")),
        mark("As {next_state}; while paused the sample after; in the chart its cursor"),
        TIME,
    ),
    Command(
        *("minute_earlier", "left_square_bracket,shift+left", mark("−1 min")),
        mark("Pause, and go a minute back"),
        TIME,
    ),
    Command(
        *("minute_later", "right_square_bracket,shift+right", mark("+1 min")),
        mark("Go a minute forward, paused"),
        TIME,
    ),
    Command(
        *("oldest", "left_parenthesis,ctrl+home", mark("oldest")),
        mark("Pause, and go to the oldest sample that is kept"),
        TIME,
    ),
    Command(
        *("newest", "right_parenthesis,ctrl+end", mark("newest")),
        mark("Go to the newest sample, paused"),
        TIME,
    ),
    Command("toggle_explain", "x", "", mark("Explain the highlighted state; again goes back"), LOOK),
    Command("toggle_history", "c", mark("chart"), mark("Show the history chart, or hide it"), LOOK),
    Command("focus_history", "H", "", mark("Move in the chart: its cursor reads it"), LOOK),
    Command("choose_chart", "C", "", mark("Choose what the chart shows: states, time and scale"), LOOK),
    Command("toggle_scale", "a", "", mark("Chart with a logarithmic scale, or a linear one"), LOOK),
    Command("toggle_alone", "A", "", mark("Chart of the highlighted state alone, or of all"), LOOK),
    Command("zoom_in", "full_stop", "", mark("Chart of less time"), LOOK),
    Command("zoom_out", "comma", "", mark("Chart of more time"), LOOK),
    Command("zoom", "z", "", mark("Zoom: give the panel all the room, or take it away again"), LOOK),
    Command("arrange", "X", mark("panels"), mark("Choose which panels are shown, and layouts"), LOOK),
    Command("next_layout", "L", "", mark("To the next layout"), LOOK),
    Command("widen", "greater_than_sign", "", mark("Left column wider"), LOOK),
    Command("narrow", "less_than_sign", "", mark("Left column narrower"), LOOK),
    Command("heighten", "right_curly_bracket", "", mark("Chart higher"), LOOK),
    Command("lower", "left_curly_bracket", "", mark("Chart lower"), LOOK),
    Command("copy_rows", "y", "", mark("Copy the row, or the marked rows"), PROGRAM),
    Command("copy_view", "Y", "", mark("Copy the whole view as text"), PROGRAM),
    Command(
        *("pause", "space,p", mark("pause")),
        mark("Keep this sample on the screen, from where {earlier} leads back; again goes on"),
        TIME,
        paused_label=mark("go on"),
    ),
    Command("faster", "plus,equals_sign", "", mark("Sample more often"), PROGRAM),
    Command("slower", "minus", "", mark("Sample less often"), PROGRAM),
    Command(
        *("save", "w", mark("save")),
        mark("Save the view, its connections or the screen: as text, CSV, JSON, Markdown, HTML or SVG"),
        PROGRAM,
        is_priority=True,
    ),
    Command("save_again", "W", "", mark("Save again as last time, under a new name"), PROGRAM, is_priority=True),
    Command("redraw", "ctrl+l", "", mark("Paint the whole screen again"), PROGRAM),
    Command("suspend_process", "ctrl+z", "", mark("Suspend; fg brings it back"), PROGRAM),
    Command("command_palette", "ctrl+p", mark("all"), mark("Every command, by name"), PROGRAM),
    Command("quit", "q,ctrl+c", mark("quit"), mark("Leave"), PROGRAM),
)

PANEL_KEYS = (
    ("↑ ↓ j k", mark("Move the cursor")),
    ("PgUp PgDn", mark("Move by a page")),
    ("g G", mark("To the first, to the last row")),
    ("Alt+1 … 9", mark("Order by the first, second … column in sight; again turns the order round")),
    ("Tab ↑ ↓ F2", mark("While typing a filter: complete a word, go back to earlier filters, explain it")),
    (mark("mouse"), mark("Click a heading to sort, a row or state to select it; the wheel scrolls")),
    (
        mark("chart: mouse"),
        mark("Click to read it, or while paused to go there; the wheel shows more time or less"),
    ),
    (mark("right button"), mark("On a heading, a row or a state: explain it")),
)
"""What the panels themselves do with keys, for help; both said by ``tr``."""

KEYS_OF_PANELS = (
    *("up", "k", "down", "j", "pageup", "ctrl+b", "pagedown", "ctrl+f", "home", "g", "end", "G"),
    *(f"alt+{number}" for number in range(1, 10)),
)
"""Keys that never come to a command, because a panel takes them."""

PLACES = {
    "table": (
        mark("in the table"),
        (
            *("open", "leave", "filter", "find", "sort_next", "only_state", "mark_row", "copy_rows", "go_somewhere"),
            *("explain_here", "show_findings", "next_view", "zoom"),
        ),
    ),
    "states": (mark("in the states"), ("open", "only_state", "explain_here", "show_machine", "leave", "zoom")),
    "explain": (mark("in the explanation"), ("open", "explain_here", "toggle_explain", "leave", "zoom")),
    "history": (
        mark("in the chart"),
        (
            *("earlier", "later", "zoom_in", "zoom_out", "choose_chart", "toggle_alone", "toggle_scale", "pause"),
            *("toggle_history", "leave", "zoom"),
        ),
    ),
    "detail": (mark("at a connection"), ("leave", "go_somewhere", "explain_here", "pause", "save", "zoom")),
}
"""Where the keys can go, as a person calls it, and the commands that matter most there; said by ``tr``."""

_FOOTER_IDS = (
    *("explain_here", "filter", "open", "next_view", "sort_next", "save", "quit", "show_findings"),
    *("show_help", "show_machine", "pause", "toggle_history", "go_somewhere", "arrange", "only_state"),
)
_PAUSED_FOOTER_IDS = ("earlier", "later", "pause", "minute_earlier", "minute_later", "oldest", "newest")
BY_ID = {command.id: command for command in COMMANDS}
PRIORITY_IDS = frozenset(command.id for command in COMMANDS if command.is_priority)
FOOTER = tuple(BY_ID[command_id] for command_id in _FOOTER_IDS)
"""What the bottom line shows, the most wanted first: a narrow screen has no room for the last ones."""
PAUSED_FOOTER = (
    *(BY_ID[command_id] for command_id in _PAUSED_FOOTER_IDS),
    *(command for command in FOOTER if command.id != "pause"),
)
"""The same while samples do not go on."""
EVERYTHING = BY_ID["command_palette"]
"""What stands at the end of the bottom line, whatever has room there."""
