"""The user's configuration file, ``config.toml``.

A whole one::

    lang = "zh"

    [filters]
    web = "sport = :80 or sport = :443"
    stuck = "state close-wait and age > 5m"

    [diagnosis]
    R01.least = 50

``lang`` is the language, one of ``language.LANGUAGES``; without it the locale decides. ``filters`` holds saved filters
by name, ``diagnosis`` thresholds of rules. A file that is not there is an empty one; anything in it that is not
understood is an error, so that a misspelt line is never silently without effect. Whatever of the file is shown in an
error is shortened and made printable.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import platformdirs

from tcptui.errors import RequestError, SourceError, system_reason
from tcptui.language import LANGUAGES, mark, tr
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
_COMPLAINTS = (
    mark("illegal character {value}"),
    mark("found invalid character {value}"),
    mark("cannot declare {value} twice"),
    mark("cannot mutate immutable namespace {value}"),
    mark("cannot redefine namespace {value}"),
    mark("duplicate inline table key {value}"),
)
"""What the TOML reader says of a value; ``tests.catalogue`` has the rest."""
_KINDS = {
    str: mark("text"),
    dict: mark("a table"),
    list: mark("a list"),
    bool: mark("true or false"),
    int: mark("a number"),
    float: mark("a number"),
}
_OTHER_KIND = mark("a date or time")
_HOW_TO_WRITE_A_FILTER = mark('write NAME = "FILTER" below a line [filters]')


class UnknownLanguageError(RequestError):
    """``lang`` is not a language that the program speaks."""


@dataclass(frozen=True)
class Config:
    """What the configuration file says."""

    path: str
    """Where the file is or would be; not made printable."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Text of saved filters by name, in the file's order; not parsed yet."""
    lang: str = ""
    """The language to speak; empty where the file does not say."""
    diagnosis: Mapping[str, object] = field(default_factory=dict)
    """Thresholds of the rules, as ``diagnosis.thresholds`` understands them; not checked yet."""


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
    if content is None:
        return Config(path)
    tables = _tables(path, content)
    _refuse_unknown(path, tables)
    return Config(path, _filters(path, tables), _language(path, tables), _diagnosis(path, tables))


def _content(path: str) -> bytes | None:
    """The file's bytes, or None if there is no such file."""
    try:
        with open(path, "rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError as error:
        problem = tr("{path} is a directory", path=printable(path))
        raise RequestError(problem, tr("the configuration is one file")) from error
    except OSError as error:
        if _is_out_of_sight(path, error):
            return None
        is_refused = isinstance(error, PermissionError)
        hint = tr("make it readable for you") if is_refused else tr("move it away to go on without it")
        problem = tr("cannot read {path} ({reason})", path=printable(path), reason=system_reason(error))
        raise SourceError(problem, hint) from error
    if len(content) > LONGEST_FILE:
        problem = tr("{path} is longer than 64 KiB", path=printable(path))
        raise RequestError(problem, tr("is it the configuration file?"))
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
        problem = tr("{path}: line {line}: not UTF-8", path=printable(path), line=line)
        raise RequestError(problem, tr("save the file in UTF-8")) from error
    except RecursionError as error:
        problem = tr("{path}: not TOML (nested too deeply)", path=printable(path))
        raise RequestError(problem, tr(_HOW_TO_WRITE_A_FILTER)) from error
    except ValueError as error:  # the reader's own error, or that of int() for a number of thousands of digits
        raise _not_toml(path, str(error)) from error


def _refuse_long_lines(path: str, text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            problem = tr(
                "{path}: line {line}: longer than {most} characters",
                path=printable(path),
                line=number,
                most=LONGEST_LINE,
            )
            raise RequestError(problem, tr("make several filters of it"))


def _not_toml(path: str, complaint: str) -> RequestError:
    placed = _PLACE_IN_FILE.fullmatch(complaint)
    reason, place = placed.groups() if placed else (complaint, "")
    where = f"{printable(path)}: {_place(place)}" if place else printable(path)
    shown = _shown(_complaint(reason[:1].lower() + reason[1:]), 80)
    return RequestError(tr("{path}: not TOML ({reason})", path=where, reason=shown), tr(_HOW_TO_WRITE_A_FILTER))


def _complaint(reason: str) -> str:
    """What the TOML reader says, in the language in force as far as it is known."""
    for message in _COMPLAINTS:
        before, _, after = message.partition("{value}")
        if reason.startswith(before) and reason.endswith(after):
            return tr(message, value=reason[len(before) : len(reason) - len(after)])
    return tr(reason)


def _place(text: str) -> str:
    """A place in the file, which the TOML reader names in English."""
    numbers = re.findall(r"\d+", text)
    if not numbers:
        return tr("end of document")
    return tr("line {line}, column {column}", line=numbers[0], column=numbers[1])


def _refuse_unknown(path: str, tables: Mapping[str, object]) -> None:
    for key, value in tables.items():
        if key not in ("diagnosis", "filters", "lang"):
            raise _unknown(path, key, value)


def _language(path: str, tables: Mapping[str, object]) -> str:
    """The language to speak; empty where the file does not say."""
    value = tables.get("lang", "")
    where = f"{printable(path)}: lang"
    hint = tr("write {example}", example=tr(" or ").join(f'lang = "{each}"' for each in LANGUAGES))
    if not isinstance(value, str):
        raise RequestError(tr("{where}: expected text, not {kind}", where=where, kind=_kind(value)), hint)
    if "lang" in tables and value not in LANGUAGES:
        raise UnknownLanguageError(tr("{where}: unknown language '{name}'", where=where, name=_shown(value)), hint)
    return value


def _diagnosis(path: str, tables: Mapping[str, object]) -> Mapping[str, object]:
    """The thresholds of the rules as they are written."""
    table = tables.get("diagnosis", {})
    if not isinstance(table, dict):
        problem = tr("{path}: diagnosis: expected a table, not {kind}", path=printable(path), kind=_kind(table))
        raise RequestError(problem, tr("write R01.least = 50 below a line [diagnosis]"))
    return cast("dict[str, object]", table)


def _filters(path: str, tables: Mapping[str, object]) -> Mapping[str, str]:
    """The saved filters."""
    filters = tables.get("filters", {})
    if not isinstance(filters, dict):
        problem = tr("{path}: filters: expected a table, not {kind}", path=printable(path), kind=_kind(filters))
        raise RequestError(problem, tr(_HOW_TO_WRITE_A_FILTER))
    return {name: _filter(path, name, value) for name, value in cast("dict[str, object]", filters).items()}


def _unknown(path: str, key: str, value: object) -> RequestError:
    """What to say of a key that means nothing."""
    message = mark("{path}: {key}: unknown table") if isinstance(value, dict) else mark("{path}: {key}: unknown key")
    problem = tr(message, path=printable(path), key=_shown(key))
    if isinstance(value, str):
        return RequestError(problem, tr(_HOW_TO_WRITE_A_FILTER))
    return RequestError(problem, tr("did you mean [filters]? there is no other table"))


def _filter(path: str, name: str, value: object) -> str:
    """The text of one saved filter."""
    where = f"{printable(path)}: filters: {_shown(name)}"
    if not _FILTER_NAME.fullmatch(name):
        problem = tr("{where}: not a name for a filter", where=where)
        raise RequestError(problem, tr("begin with a letter of a-z; then letters, digits, - and _"))
    if not isinstance(value, str):
        problem = tr("{where}: expected text, not {kind}", where=where, kind=_kind(value))
        raise RequestError(problem, tr('write {name} = "FILTER"', name=_shown(name)))
    if not value.strip():
        problem = tr("{where}: the filter is empty", where=where)
        raise RequestError(problem, tr('write one, such as "dport = :443", or remove the line'))
    if len(value) > LONGEST_FILTER:
        problem = tr("{where}: longer than {most} characters", where=where, most=LONGEST_FILTER)
        raise RequestError(problem, tr("make several filters of it"))
    return value


def _kind(value: object) -> str:
    return tr(_KINDS.get(type(value), _OTHER_KIND))


def _shown(text: str, longest: int = 40) -> str:
    """``text`` from the file as it may stand in a message."""
    return printable(text if len(text) <= longest else text[: longest - 1] + "…")
