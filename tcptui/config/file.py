"""The user's configuration file, ``config.toml``.

A whole one::

    [filters]
    web = "sport = :80 or sport = :443"
    stuck = "state close-wait and age > 5m"

``filters`` holds saved filters by name. A file that is not there is an empty one; anything in it that is not understood
is an error, so that a misspelt line is never silently without effect. Whatever of the file is shown in an error is
shortened and made printable.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import platformdirs

from tcptui.errors import RequestError, SourceError
from tcptui.text import printable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LONGEST_FILTER = 4096
LONGEST_FILE = 64 * 1024
"""In bytes; keeps a path such as /dev/zero from filling the memory."""
LONGEST_LINE = 2 * LONGEST_FILTER
"""The TOML reader keeps every beginning of a dotted key: one of 32,000 parts takes it 17 s and 6 GB."""

_FILTER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_PLACE_IN_FILE = re.compile(r"(.*) \(at (line \d+, column \d+|end of document)\)", re.DOTALL)
"""How the TOML reader ends its messages; before Python 3.14 the numbers are nowhere else."""
_KINDS = {str: "text", dict: "a table", list: "a list", bool: "true or false", int: "a number", float: "a number"}
_HOW_TO_WRITE_A_FILTER = 'write NAME = "FILTER" below a line [filters]'


@dataclass(frozen=True)
class Config:
    """What the configuration file says."""

    path: str
    """Where the file is or would be; not made printable."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Text of saved filters by name, in the file's order; not parsed yet."""


def config_path() -> str:
    """Where the user's configuration file is or would be: ``XDG_CONFIG_HOME`` or ``~/.config``, then ``tcptui``."""
    return os.path.join(platformdirs.user_config_dir("tcptui", appauthor=False), "config.toml")


def load_config(path: str | None = None) -> Config:
    """The configuration file at ``path``, or the user's own.

    Raises:
        RequestError: it is not what a configuration file should be.
        SourceError: it is there and cannot be read.
    """
    path = config_path() if path is None else path
    content = _content(path)
    return Config(path) if content is None else Config(path, _filters(path, _tables(path, content)))


def _content(path: str) -> bytes | None:
    """The file's bytes, or None if there is no such file."""
    try:
        with open(path, "rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError as error:
        raise RequestError(f"{printable(path)} is a directory", "the configuration is one file") from error
    except OSError as error:
        if _is_out_of_sight(path, error):
            return None
        hint = "make it readable for you" if isinstance(error, PermissionError) else "move it away to go on without it"
        raise SourceError(f"cannot read {printable(path)} ({error.strerror})", hint) from error
    if len(content) > LONGEST_FILE:
        raise RequestError(f"{printable(path)} is longer than 64 KiB", "is it the configuration file?")
    return content


def _is_out_of_sight(path: str, error: OSError) -> bool:
    """Whether a folder on the way may not be searched, so that nobody can tell if the file exists.

    So it is after setpriv(1) or some configurations of sudo(8): another user with root's HOME. The program must start.
    """
    return isinstance(error, PermissionError) and not os.path.lexists(path)


def _tables(path: str, content: bytes) -> Mapping[str, object]:
    """The content of the file at ``path`` as nested dictionaries."""
    try:
        text = content.decode("utf-8")
        _refuse_long_lines(path, text)
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RequestError(f"{printable(path)}: line {line}: not UTF-8", "save the file in UTF-8") from error
    except RecursionError as error:
        raise RequestError(f"{printable(path)}: not TOML (nested too deeply)", _HOW_TO_WRITE_A_FILTER) from error
    except ValueError as error:  # the reader's own error, or that of int() for a number of thousands of digits
        raise _not_toml(path, str(error)) from error


def _refuse_long_lines(path: str, text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            problem = f"longer than {LONGEST_LINE} characters"
            raise RequestError(f"{printable(path)}: line {number}: {problem}", "make several filters of it")


def _not_toml(path: str, complaint: str) -> RequestError:
    placed = _PLACE_IN_FILE.fullmatch(complaint)
    reason, place = placed.groups() if placed else (complaint, "")
    where = f"{printable(path)}: {place}" if place else printable(path)
    return RequestError(f"{where}: not TOML ({_shown(reason[:1].lower() + reason[1:], 80)})", _HOW_TO_WRITE_A_FILTER)


def _filters(path: str, tables: Mapping[str, object]) -> Mapping[str, str]:
    """The saved filters, the one thing that can be configured."""
    for key, value in tables.items():
        if key != "filters":
            raise _unknown(path, key, value)
    filters = tables.get("filters", {})
    if not isinstance(filters, dict):
        raise RequestError(
            f"{printable(path)}: filters: expected a table, not {_kind(filters)}", _HOW_TO_WRITE_A_FILTER
        )
    return {name: _filter(path, name, value) for name, value in cast("dict[str, object]", filters).items()}


def _unknown(path: str, key: str, value: object) -> RequestError:
    """What to say of something beside ``filters``."""
    if isinstance(value, str):
        return RequestError(f"{printable(path)}: {_shown(key)}: unknown key", _HOW_TO_WRITE_A_FILTER)
    what = "table" if isinstance(value, dict) else "key"
    return RequestError(
        f"{printable(path)}: {_shown(key)}: unknown {what}", "did you mean [filters]? there is no other table"
    )


def _filter(path: str, name: str, value: object) -> str:
    """The text of one saved filter."""
    where = f"{printable(path)}: filters: {_shown(name)}"
    if not _FILTER_NAME.fullmatch(name):
        raise RequestError(
            f"{where}: not a name for a filter", "begin with a letter of a-z; then letters, digits, - and _"
        )
    if not isinstance(value, str):
        raise RequestError(f"{where}: expected text, not {_kind(value)}", f'write {_shown(name)} = "FILTER"')
    if not value.strip():
        raise RequestError(f"{where}: the filter is empty", 'write one, such as "dport = :443", or remove the line')
    if len(value) > LONGEST_FILTER:
        raise RequestError(f"{where}: longer than {LONGEST_FILTER} characters", "make several filters of it")
    return value


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a date or time")


def _shown(text: str, longest: int = 40) -> str:
    """``text`` from the file as it may stand in a message."""
    return printable(text if len(text) <= longest else text[: longest - 1] + "…")
