"""The columns that the configuration asks for, checked.

May not know Textual: a mistake is told before the screen is loaded.
"""

from __future__ import annotations

from tcptui.config.settings import Config
from tcptui.errors import RequestError, nearest_hint
from tcptui.language import tr
from tcptui.model.fields import ViewKind, parse_column
from tcptui.text import shown
from tcptui.tui.columns import Columns

SECTION = "columns"


def chosen_columns(config: Config) -> Columns:
    """The columns that the user has chosen.

    Raises:
        RequestError: there is no such view or column.
    """
    views = {kind.value: kind for kind in ViewKind}
    chosen = {}
    for name, columns in config.columns.items():
        if name not in views:
            raise config.problem((SECTION, name), tr("there is no such view"), nearest_hint(name, views))
        kind = views[name]
        chosen[kind] = tuple(dict.fromkeys([kind.key.id, *(_column(config, kind, each) for each in columns)]))
    return chosen


def _column(config: Config, kind: ViewKind, text: str) -> str:
    try:
        return parse_column(text, kind)
    except RequestError as error:
        raise config.problem((SECTION, kind.value), shown(error.message, 100), error.hint) from None
