"""Every command of the screen, once: its keys, footer label, help and palette entry all come from here."""

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Command:
    """Something that a key does."""

    id: str
    """The name of the action method, and of the binding in a keymap."""
    keys: str
    """Textual's key names, separated by commas."""
    shown_keys: str
    """The keys as a person reads them."""
    label: str
    """A word for the footer; empty where it is never there."""
    help: str
    group: str
    is_priority: bool = False
    """Whether the key is seen before any panel's: where it must take effect before the next key, or Textual has it."""

    @property
    def binding(self) -> Binding:
        """For Textual."""
        return Binding(self.keys, self.id, self.help, id=self.id, show=False, priority=self.is_priority)


MOVE, LOOK, CHANGE, PROGRAM = GROUPS = ("Moving", "What to see", "Narrow and order", "Program")

COMMANDS = (
    Command("show_help", "question_mark,f1", "?", "help", "Show this help", PROGRAM),
    Command("filter", "slash,f4", "/", "filter", "Filter as you type", CHANGE, is_priority=True),
    Command("leave", "escape", "Esc", "", "Close what is open, go back one level, or clear the filter", CHANGE),
    Command(
        *("open", "enter", "Enter", "open"),
        "Open the row: its connections, then all about one; keep to the state under the cursor",
        CHANGE,
    ),
    Command("explain_filter", "e,f2", "e", "", "How the filter is understood, and the ss command for it", CHANGE),
    Command("only_state", "f", "f", "only state", "Keep to the highlighted state, or leave it again", CHANGE),
    Command("sort_next", "s", "s", "sort", "Order by the next column", CHANGE),
    Command("sort_reverse", "S", "S", "", "Reverse the order", CHANGE),
    Command("focus_states", "0", "0", "", "Move in the states", LOOK),
    Command("show_peers", "1", "1", "", "Peers: one row for each remote address", LOOK),
    Command("show_processes", "2", "2", "", "Processes: what each holds, held, and has waiting", LOOK),
    Command("show_services", "3", "3", "", "Services: systemd units, containers, pods and sessions", LOOK),
    Command("show_listeners", "4", "4", "", "Listeners: accept queue, backlog, process and connections", LOOK),
    Command("show_ports", "5", "5", "", "Ports: one row for each local port", LOOK),
    Command("show_connections", "6", "6", "", "Connections: one row for each socket", LOOK),
    Command("show_namespaces", "7", "7", "", "Network namespaces, where all are looked at (-N all)", LOOK),
    Command("next_view", "tab", "Tab", "view", "Next view", LOOK, is_priority=True),
    Command("previous_view", "shift+tab", "Shift+Tab", "", "Previous view", LOOK, is_priority=True),
    Command("previous_state", "left,h", "← h", "", "Highlight the state before; scroll connections sideways", MOVE),
    Command("next_state", "right,l", "→ l", "", "Highlight the next state; scroll connections sideways", MOVE),
    Command("toggle_explain", "x", "x", "explain", "Explain the highlighted state; again goes back", LOOK),
    Command("toggle_history", "c", "c", "chart", "Show the history chart, or hide it", LOOK),
    Command("toggle_scale", "y", "y", "", "Chart with a logarithmic scale, or a linear one", LOOK),
    Command("pause", "space,p", "Space", "pause", "Keep this sample on the screen, or go on", PROGRAM),
    Command("faster", "plus,equals_sign", "+", "", "Sample more often", PROGRAM),
    Command("slower", "minus", "-", "", "Sample less often", PROGRAM),
    Command(
        "save", "w", "w", "save", "Save the view: the file's ending chooses text, CSV, JSON, Markdown or SVG", PROGRAM
    ),
    Command("redraw", "ctrl+l", "Ctrl+L", "", "Paint the whole screen again", PROGRAM),
    Command("suspend_process", "ctrl+z", "Ctrl+Z", "", "Suspend; fg brings it back", PROGRAM),
    Command("command_palette", "ctrl+p", "Ctrl+P", "", "Every command, by name", PROGRAM),
    Command("quit", "q,ctrl+c", "q", "quit", "Leave", PROGRAM),
)

PANEL_KEYS = (
    ("↑ ↓ j k", "Move the cursor"),
    ("PgUp PgDn", "Move by a page"),
    ("g G", "To the first, to the last row"),
    ("Tab ↑ ↓ F2", "While typing a filter: complete a word, go back to earlier filters, explain it"),
    ("mouse", "Click a heading to sort, a row or state to select it; the wheel scrolls"),
)
"""What the panels themselves do with keys, for help."""

_FOOTER_IDS = (
    *("show_help", "filter", "open", "toggle_explain", "next_view", "sort_next", "save", "quit"),
    *("pause", "toggle_history", "only_state"),
)
PRIORITY_IDS = frozenset(command.id for command in COMMANDS if command.is_priority)
FOOTER = tuple(command for command_id in _FOOTER_IDS for command in COMMANDS if command.id == command_id)
"""What the bottom line shows, the most wanted first: a narrow screen has no room for the last ones."""
