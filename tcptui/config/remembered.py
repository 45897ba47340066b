"""What the program remembers between runs, in ``state.json``: the last theme, the layout, where to save to.

Nothing in it is worth an error: a file that is missing, broken or not to be written is as none, and whoever reads a
section checks what stands in it. Settings that a person writes are in ``config.toml``, which goes before this.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from typing import cast

import platformdirs

from tcptui.config.sudo import belongs_to, callers_uid
from tcptui.errors import OutputError
from tcptui.files import write_output

LONGEST_FILE = 64 * 1024
"""In bytes; the program writes a few hundred."""


def state_path() -> str | None:
    """Where the file is or would be: ``XDG_STATE_HOME`` or ``~/.local/state``, then ``tcptui``.

    None where sudo has left the HOME of who called it: root would follow links there that others may change.
    """
    path = os.path.join(platformdirs.user_state_dir("tcptui", appauthor=False), "state.json")
    caller = callers_uid()
    return None if caller is not None and belongs_to(path, caller) else path


class Remembered:
    """Sections of plain values by name. Owned by one thread."""

    def __init__(self, path: str | None = None) -> None:
        """Without ``path`` nothing is read or written: for tests and pictures."""
        self._path = path
        self._sections = _read(path) if path is not None else {}

    def section(self, name: str) -> Mapping[str, object]:
        """What was remembered under ``name``; empty where nothing was."""
        return self._sections.get(name, {})

    def remember(self, name: str, values: Mapping[str, object]) -> None:
        """Keep ``values`` (plain JSON) under ``name``; what another program has written meanwhile stays."""
        if self._sections.get(name) == values:
            return
        if self._path is not None:
            self._sections = _read(self._path)
        self._sections[name] = dict(values)
        if self._path is not None:
            _write(self._path, self._sections)


def _read(path: str) -> dict[str, Mapping[str, object]]:
    try:
        with open(path, "rb") as file:
            content = file.read(LONGEST_FILE + 1)
        sections = json.loads(content) if len(content) <= LONGEST_FILE else {}
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(sections, dict):
        return {}
    named = cast("dict[str, object]", sections)
    return {name: cast("dict[str, object]", each) for name, each in named.items() if isinstance(each, dict)}


def _write(path: str, sections: Mapping[str, Mapping[str, object]]) -> None:
    with contextlib.suppress(OSError, OutputError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_output(path, json.dumps(sections, indent=1, ensure_ascii=False) + "\n", overwrite=True)
