"""Reading TOML into typed values, with errors that name the file and the key.

May not know what the values mean: that is ``knowledge``.
"""

import difflib
import string
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from tcptui.errors import SourceError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class KnowledgeError(SourceError):
    """The package's own explanations are not what they should be; names the file and the key."""


def read_toml(path: Path) -> dict[str, object]:
    """The whole file as nested dictionaries."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KnowledgeError(f"cannot read {path}", str(error)) from error


class Table:
    """One TOML table whose keys are taken one by one; ``finish`` complains about those that nobody asked for."""

    def __init__(self, content: object, where: str) -> None:
        if not isinstance(content, dict):
            raise KnowledgeError(f"{where}: expected a table")
        self.where = where
        self._left = cast("dict[str, object]", dict(content))

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that are still to be taken."""
        return tuple(self._left)

    def has(self, key: str) -> bool:
        """Whether ``key`` is there and not taken yet."""
        return key in self._left

    def error(self, key: str, problem: str) -> KnowledgeError:
        """An error at ``key`` of this table, for the caller to raise."""
        return KnowledgeError(f"{self.where}: {key}: {problem}" if key else f"{self.where}: {problem}")

    def text(self, key: str, default: str | None = None) -> str:
        """A string; ``default`` makes the key optional."""
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.error(key, "expected text")
        return value

    def sentence(self, key: str, default: str | None = None) -> str:
        """A string that is not empty, unless it may be left out and is."""
        value = self.text(key, default)
        if not value.strip() and default is None:
            raise self.error(key, "is empty")
        return value

    def choice(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """One of the ``known`` strings."""
        value = self.text(key, default)
        self.check_names(key, (value,), known)
        return value

    def check_names(self, key: str, names: Iterable[str], known: Iterable[str]) -> None:
        """Raise if one of ``names`` is not ``known``."""
        choices = tuple(known)
        for name in names:
            if name not in choices:
                close = difflib.get_close_matches(name, choices, n=6, cutoff=0) if len(choices) > 12 else choices
                raise self.error(key, f"unknown value {name!r}, known: {', '.join(filter(None, close))}")

    def check_placeholders(self, key: str, text: str, known: Iterable[str]) -> None:
        """Raise if ``text`` has a name in braces that is not ``known``."""
        choices = sorted(known)
        for name in sorted(self.placeholders(key, text)):
            if name not in choices:
                raise self.error(key, f"unknown placeholder {name!r}, known: {', '.join(choices) or 'none'}")

    def placeholders(self, key: str, text: str) -> set[str]:
        """The names in braces in ``text``."""
        try:
            return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
        except ValueError as error:
            raise self.error(key, str(error)) from error

    def flag(self, key: str) -> bool:
        """A boolean, False when left out."""
        value = self._take(key, default=False)
        if not isinstance(value, bool):
            raise self.error(key, "expected true or false")
        return value

    def number(self, key: str) -> int:
        """A whole number."""
        value = self._take(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "expected a whole number")
        return value

    def texts(self, key: str, *, optional: bool = False) -> tuple[str, ...]:
        """A list of strings."""
        values = self._list(key, optional=optional)
        if not all(isinstance(value, str) and value.strip() for value in values):
            raise self.error(key, "expected a list of texts")
        return tuple(cast("list[str]", values))

    def table(self, key: str, *, optional: bool = False) -> "Table":
        """A table within this one."""
        return Table(self._take(key, {} if optional else None), f"{self.where}: {key}")

    def tables(self, key: str, *, optional: bool = False) -> "tuple[Table, ...]":
        """A list of tables."""
        values = self._list(key, optional=optional)
        return tuple(Table(value, f"{self.where}: {key}[{position}]") for position, value in enumerate(values))

    def mapping(self, key: str) -> Mapping[str, str]:
        """A table of strings with keys of any name, empty when left out."""
        table = self.table(key, optional=True)
        return {name: table.sentence(name) for name in table.keys}

    def finish(self) -> None:
        """Raise if a key is left that nobody took."""
        for key in self._left:
            raise self.error(key, "unknown key")

    def _take(self, key: str, default: object | None = None) -> object:
        if key not in self._left:
            if default is None:
                raise self.error(key, "is missing")
            return default
        return self._left.pop(key)

    def _list(self, key: str, *, optional: bool) -> list[object]:
        values = self._take(key, [] if optional else None)
        if not isinstance(values, list):
            raise self.error(key, "expected a list")
        return values
