"""What the configuration can say of the screen: every command, view and layout, with what holds without it.

May not know Textual: ``tcptui config`` prints it without a screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from tcptui.config.printing import Found, Usual
from tcptui.config.remembered import Remembered
from tcptui.config.settings import Config
from tcptui.diagnosis.thresholds import THRESHOLDS
from tcptui.language import tr, users_language
from tcptui.model.fields import ViewKind
from tcptui.tui.commands import COMMANDS
from tcptui.tui.keymap import Keymap
from tcptui.tui.keys import key_text
from tcptui.tui.preferences import THEME_NAMES, THEME_SECTION, encoding_of_terminal, needs_ascii

_EXAMPLES = {
    "filters": (Usual("web", "sport = :80 or sport = :443", is_example=True),),
    "layouts": (
        Usual("narrow", {"panels": ("states", "chart"), "left_width": 34, "chart_height": 12}, is_example=True),
    ),
}


def usual_entries() -> Mapping[str, Sequence[Usual]]:
    """The entries of the configuration's tables."""
    keymap = Keymap()
    keys = [Usual(command.id, _written(command.keys), keymap.say(command.help)) for command in COMMANDS]
    columns = [Usual(kind.value, kind.usual_columns) for kind in ViewKind]
    return {**_EXAMPLES, "keys": keys, "columns": columns, "diagnosis": list(_usual_thresholds())}


def _usual_thresholds() -> Iterator[Usual]:
    """The thresholds of each rule."""
    for rule, numbers in groupby(THRESHOLDS, lambda threshold: threshold.id.partition(".")[0]):
        yield Usual(rule, {each.id.partition(".")[2]: round(each.default, 3) for each in numbers})


def _written(keys: str) -> str:
    """Textual's names of keys as a person writes them: a comma is the one character that has to go by its name."""
    names = keys.split(",")
    return ", ".join(
        text if len(text := key_text(name)) == 1 and text.isascii() and text != "," else name for name in names
    )


def found_outside(config: Config, environment: Mapping[str, str], remembered: Remembered) -> Mapping[str, Found]:
    """What holds, of that which the configuration does not say, because of the terminal or an earlier run."""
    found = {}
    decisive = next((name for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    if not config.lang and decisive:
        origin = tr("from the environment: {name}={value}", name=decisive, value=environment[decisive])
        found["lang"] = Found(users_language(environment), origin)
    if config.ascii is None:
        encoding, terminal = encoding_of_terminal(), environment.get("TERM", "")
        origin = tr("from the environment: TERM={terminal}, {encoding}", terminal=terminal, encoding=encoding)
        found["ascii"] = Found(needs_ascii(environment, encoding), origin)
    theme = remembered.section(THEME_SECTION).get("name")
    if not config.theme and isinstance(theme, str) and theme in THEME_NAMES:
        found["theme"] = Found(theme, tr("chosen on the screen, and remembered"))
    return found
