"""Kinds of values that a setting may have: how one is read out of TOML, what is wrong with another, how one is written.

What a value means is for whoever uses the setting. May not know a setting.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from tcptui.errors import nearest_hint
from tcptui.language import mark, tr
from tcptui.text import shown

LONGEST_TEXT = 4096
LONGEST_NAME = 64
MOST_ENTRIES = 1000

_KINDS = {
    str: mark("text"),
    dict: mark("a table"),
    list: mark("a list"),
    bool: mark("true or false"),
    int: mark("a number"),
    float: mark("a number"),
}
_OTHER_KIND = mark("a date or time")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


class Mistake(Exception):  # noqa: N818 - becomes an error once it is known in which file and line it was made
    """A value that is not what it should be."""

    def __init__(self, problem: str, hint: str, *below: str) -> None:
        """``below`` are the keys that lead from the setting to the value."""
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.below = below

    def under(self, key: str) -> "Mistake":
        """The same, seen from one level further up."""
        return Mistake(self.problem, self.hint, key, *self.below)


class Kind(Protocol):
    """A kind of value."""

    @property
    def example(self) -> str:
        """A value as it may be written."""

    def read(self, value: object) -> object:
        """The setting's value, of what the TOML reader gives.

        Raises:
            Mistake: it is none.
        """

    def written(self, value: object) -> str:
        """A value as TOML, which reads as the same."""
        return toml_value(value)


@dataclass(frozen=True)
class Text(Kind):
    """Text that is not blank."""

    example: str = '"TEXT"'

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise Mistake(tr("expected text, not {kind}", kind=kind_of(value)), self._hint)
        if not value.strip():
            raise Mistake(tr("there is nothing in it"), self._hint)
        if len(value) > LONGEST_TEXT:
            raise Mistake(tr("longer than {most} characters", most=LONGEST_TEXT), tr("make it shorter"))
        return value

    @property
    def _hint(self) -> str:
        return tr("write {example}", example=self.example)


@dataclass(frozen=True)
class AnyText(Text):
    """Text, which may be empty."""

    def read(self, value: object) -> str:
        return "" if value == "" else super().read(value)


@dataclass(frozen=True)
class OneOf(Kind):
    """One of some words."""

    names: tuple[str, ...]
    unknown: str = mark("unknown: '{name}'")
    """What to say of another word."""

    @property
    def example(self) -> str:
        return f'"{self.names[0]}"'

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise Mistake(tr("expected text, not {kind}", kind=kind_of(value)), nearest_hint("", self.names))
        if value not in self.names:
            raise Mistake(tr(self.unknown, name=shown(value)), nearest_hint(value, self.names))
        return value


@dataclass(frozen=True)
class Flag(Kind):
    """Yes or no."""

    example: str = "true"

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise Mistake(
                tr("expected true or false, not {kind}", kind=kind_of(value)),
                tr("write {example}", example=self.example),
            )
        return value


@dataclass(frozen=True)
class Number(Kind):
    """A number within bounds; one without a fraction if the bounds have none."""

    least: float
    most: float
    example: str = "1"

    def read(self, value: object) -> float:
        hint = tr("write a number from {least:g} to {most:g}", least=self.least, most=self.most)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise Mistake(tr("expected a number, not {kind}", kind=kind_of(value)), hint)
        is_whole = isinstance(self.least, int)
        if is_whole and not isinstance(value, int):
            raise Mistake(tr("{number} is not a whole number", number=value), hint)
        if not self.least <= value <= self.most:  # so is nan
            raise Mistake(tr("{number} is not within the bounds", number=shown(str(value))), hint)
        return value if is_whole else float(value)


@dataclass(frozen=True)
class Listed(Kind):
    """Values of one kind, one after the other."""

    of: Kind

    @property
    def example(self) -> str:
        return f"[{self.of.example}, …]"

    def read(self, value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise Mistake(
                tr("expected a list, not {kind}", kind=kind_of(value)), tr("write {example}", example=self.example)
            )
        return tuple(self.of.read(each) for each in value)


@dataclass(frozen=True)
class Named(Kind):
    """A table of values of one kind by names that a person has chosen, or that mean something to who uses it."""

    of: Kind
    refusal: str = mark("not a name")

    @property
    def example(self) -> str:
        return f"NAME = {self.of.example}"

    def read(self, value: object) -> Mapping[str, object]:
        return {name: self._entry(name, each) for name, each in _table(value).items()}

    def _entry(self, name: str, value: object) -> object:
        if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            hint = tr("begin with a letter of a-z; then letters, digits, - and _")
            raise Mistake(tr(self.refusal), hint, name)
        return _below(name, self.of, value)


@dataclass(frozen=True)
class Record(Kind):
    """A table with keys of its own, none of which need be there."""

    of: Mapping[str, Kind]

    @property
    def example(self) -> str:
        return "{ " + ", ".join(f"{key} = {kind.example}" for key, kind in self.of.items()) + " }"

    def read(self, value: object) -> Mapping[str, object]:
        table = _table(value)
        for key in table:
            if key not in self.of:
                raise Mistake(tr("unknown key"), nearest_hint(key, self.of), key)
        return {key: _below(key, self.of[key], each) for key, each in table.items()}


def _table(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Mistake(tr("expected a table, not {kind}", kind=kind_of(value)), tr("make a line [NAME] of it"))
    if len(value) > MOST_ENTRIES:
        raise Mistake(tr("more than {most} entries", most=MOST_ENTRIES), tr("remove some"))
    return cast("dict[str, object]", value)


def _below(key: str, kind: Kind, value: object) -> object:
    """The value of an entry of a table."""
    try:
        return kind.read(value)
    except Mistake as mistake:
        raise mistake.under(key) from None


def kind_of(value: object) -> str:
    """What a value out of TOML is, in words."""
    return tr(_KINDS.get(type(value), _OTHER_KIND))


def toml_key(name: str) -> str:
    """A key as TOML."""
    return name if _BARE_KEY.fullmatch(name) else _quoted(name)


def toml_value(value: object) -> str:
    """A plain value as TOML in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        entries = ", ".join(f"{toml_key(key)} = {toml_value(each)}" for key, each in value.items())
        return "{ " + entries + " }" if entries else "{}"
    if isinstance(value, Iterable):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return repr(value)


def _quoted(text: str) -> str:
    """A basic string; what is not printable is escaped, so that the text can be shown as it is."""
    return (
        '"'
        + "".join(_SHORT_ESCAPES.get(char) or (char if char.isprintable() else _escaped(char)) for char in text)
        + '"'
    )


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
