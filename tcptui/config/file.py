"""The user's configuration file, ``config.toml``: where it is, and how it becomes a ``Config``.

A file that is not there is an empty one; anything in it that is not understood is an error, so that a misspelt line is
never silently without effect. Whatever of the file is shown in an error is shortened and made printable.

Under sudo(8) root has a home of its own. Where no configuration is there, that of the user who called sudo holds. It is
read as what it is, somebody else's file in the hands of root: only a regular file that belongs to that user is opened,
so that no link of theirs makes root open a device, or tell in an error what stands in a file that they may not read.
"""

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

import platformdirs

from tcptui.config.kinds import Mistake, kind_of
from tcptui.config.lines import lines_of_keys
from tcptui.config.settings import SETTINGS, Config, Setting, problem_in
from tcptui.config.sudo import belongs_to, callers_uid, home_of
from tcptui.errors import RequestError, SourceError, nearest_hint, system_reason
from tcptui.language import LANGUAGES, mark, tr
from tcptui.text import printable, shown

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LONGEST_FILE = 64 * 1024
"""In bytes; keeps a path such as /dev/zero from filling the memory."""
LONGEST_LINE = 8192
"""The TOML reader keeps every beginning of a dotted key: one of 32,000 parts takes it 17 s and 6 GB."""

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
_HOW_TO_WRITE_ONE = mark("tcptui config --default prints one to begin with")


def config_path() -> str:
    """Where the user's configuration file is or would be: ``XDG_CONFIG_HOME`` or ``~/.config``, then ``tcptui``."""
    return os.path.join(platformdirs.user_config_dir("tcptui", appauthor=False), "config.toml")


def load_config(path: str | None = None) -> Config:
    """The configuration file at ``path``, or the user's own, which under sudo is that of who called it.

    Raises:
        RequestError: it is not what a configuration file should be.
        SourceError: it is there and cannot be read.
    """
    path, content = (path, _content(path)) if path is not None else _users_content()
    if content is None:
        return Config(path)
    text, said = _parsed(path, content)
    return _config(path, text, said)


def configured_language(path: str | None = None) -> str:
    """The language that the file asks for; empty where it does not, or nobody can tell."""
    try:
        path, content = (path, _content(path)) if path is not None else _users_content()
        said = _parsed(path, content)[1].get("lang") if content is not None else ""
    except (RequestError, SourceError):
        return ""
    return said if isinstance(said, str) and said in LANGUAGES else ""


def _users_content() -> tuple[str, bytes | None]:
    """Where the user's configuration is, and what stands there."""
    own, caller = config_path(), callers_uid()
    if caller is None:
        return own, _content(own)
    if not belongs_to(own, caller):
        content = _content(own)
        if content is not None:
            return own, content
    home = home_of(caller)
    lent = os.path.join(home, ".config", "tcptui", "config.toml") if home else own
    return lent, lent_content(lent, caller)


def lent_content(path: str, owner: int) -> bytes | None:
    """The bytes of another user's file, or None if there is no such file.

    Raises:
        SourceError: it is not a regular file of theirs.
    """
    try:
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)  # opens nothing yet: opening a device may do something
    except OSError:
        return None
    try:
        status = os.fstat(found)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != owner:
            problem = tr("{path} is not read as root", path=printable(path))
            raise SourceError(problem, tr("it must be a regular file of the user who called sudo"))
        return _content(path, f"/proc/self/fd/{found}")
    finally:
        os.close(found)


def _content(path: str, opened: str | None = None) -> bytes | None:
    """The file's bytes, or None if there is no such file; ``opened`` is another path to the same."""
    try:
        with open(opened or path, "rb") as file:
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


def _parsed(path: str, content: bytes) -> tuple[str, Mapping[str, object]]:
    """The content of the file at ``path`` as text and as nested dictionaries."""
    try:
        text = content.decode("utf-8")
        _refuse_long_lines(path, text)
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = tr("{path}: line {line}: not UTF-8", path=printable(path), line=line)
        raise RequestError(problem, tr("save the file in UTF-8")) from error
    except RecursionError as error:
        problem = tr("{path}: not TOML (nested too deeply)", path=printable(path))
        raise RequestError(problem, tr(_HOW_TO_WRITE_ONE)) from error
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
            raise RequestError(problem, tr("make several lines of it"))


def _not_toml(path: str, complaint: str) -> RequestError:
    placed = _PLACE_IN_FILE.fullmatch(complaint)
    reason, place = placed.groups() if placed else (complaint, "")
    where = f"{printable(path)}: {_place(place)}" if place else printable(path)
    complaint = shown(_complaint(reason[:1].lower() + reason[1:]), 80)
    return RequestError(tr("{path}: not TOML ({reason})", path=where, reason=complaint), tr(_HOW_TO_WRITE_ONE))


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


def _config(path: str, text: str, said: Mapping[str, object]) -> Config:
    values = {setting.name: _value(path, text, setting, value) for setting, value in _settings_in(path, text, said)}
    return Config(path, text, **values)


def _value(path: str, text: str, setting: Setting, value: object) -> Any:
    """What a setting is set to."""
    try:
        return setting.kind.read(value)
    except Mistake as mistake:
        key = (*setting.key, *mistake.below)
        raise problem_in(path, lines_of_keys(text), key, mistake.problem, mistake.hint, setting.error) from None


def _settings_in(
    path: str, text: str, said: Mapping[str, object], above: tuple[str, ...] = ()
) -> Iterator[tuple[Setting, object]]:
    """The settings that the file speaks of, each with its value."""
    by_key = {setting.key: setting for setting in SETTINGS}
    for name, value in said.items():
        key = (*above, name)
        if key in by_key:
            yield by_key[key], value
        elif not any(known[: len(key)] == key for known in by_key):
            known = dict.fromkeys(each[len(above)] for each in by_key if each[: len(above)] == above)
            problem = tr("unknown table") if isinstance(value, dict) else tr("unknown key")
            raise problem_in(path, lines_of_keys(text), key, problem, nearest_hint(name, known))
        elif isinstance(value, dict):
            yield from _settings_in(path, text, cast("dict[str, object]", value), key)
        else:
            problem = tr("expected a table, not {kind}", kind=kind_of(value))
            raise problem_in(path, lines_of_keys(text), key, problem, tr("make a line [NAME] of it"))
