"""Every setting of ``config.toml``, once: its key, kind, default and meaning.

From here it is read, checked and complained about, printed by ``tcptui config``, and listed in the README. To add one
is to declare a field of ``Config``; a key with a dot stands in a table, as in ``key="history.window"``. What a setting
means is for whoever uses it: who finds that a value means nothing raises ``Config.problem``, so that it is told with
its line like all others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TypeVar

from tcptui.config.kinds import (
    AnyText,
    Flag,
    Kind,
    Listed,
    Named,
    Number,
    OneOf,
    Record,
    Text,
    toml_key,
)
from tcptui.config.lines import lines_of_keys
from tcptui.errors import RequestError
from tcptui.language import LANGUAGES, mark, tr
from tcptui.text import printable, shown

T = TypeVar("T")

LEAST_INTERVAL_S, MOST_INTERVAL_S = 0.2, 3600.0

Layout = Mapping[str, object]
"""What a saved layout says: ``panels``, ``left_width``, ``chart_height``."""


class UnknownLanguageError(RequestError):
    """``lang`` is not a language that the program speaks."""


@dataclass(frozen=True)
class Setting:
    """What is declared of a setting."""

    name: str
    """Of the field of ``Config``."""
    key: tuple[str, ...]
    """Where it stands in the file."""
    kind: Kind
    about: str
    """What it means, said by ``tr``."""
    default: object
    without: str
    """What holds where it has no default, said by ``tr``; empty where it has one."""
    error: type[RequestError]
    """What a value of the wrong kind is."""

    @property
    def dotted(self) -> str:
        """The key as it is written in a sentence."""
        return ".".join(self.key)

    @property
    def is_table(self) -> bool:
        """Whether it is a table of entries, each of which a person may have said something about."""
        return isinstance(self.kind, Named)


def declared(
    kind: Kind,
    default: T,
    about: str,
    *,
    key: str = "",
    without: str = "",
    error: type[RequestError] = RequestError,
) -> T:
    """A field of ``Config`` that is a setting; without ``key`` its name is the key."""
    said = {"kind": kind, "about": about, "key": key, "without": without, "default": default, "error": error}
    return field(default_factory=lambda: default, metadata=said)


@dataclass(frozen=True)
class Config:
    """What the configuration file says, or what holds without it."""

    path: str
    """Where the file is or would be; not made printable."""
    text: str = field(default="", repr=False, compare=False)
    """What stands in it."""

    lang: str = declared(
        OneOf(LANGUAGES, mark("unknown language '{name}'")),
        "",
        mark("Language: en or zh."),
        without=mark("the locale decides"),
        error=UnknownLanguageError,
    )
    interval: float = declared(
        Number(LEAST_INTERVAL_S, MOST_INTERVAL_S, "2.0"), 1.0, mark("Seconds between two samples, 0.2 to 3600.")
    )
    view: str = declared(
        Text('"connections"'), "peers", mark("The view that the screen begins with: states, peers, processes …")
    )
    theme: str = declared(
        Text('"tcptui-light"'),
        "",
        mark(
            "Colours: tcptui-dark, tcptui-light, tcptui-contrast, tcptui-safe (for the colour-blind), or a theme of "
            "Textual's, such as nord."
        ),
        without=mark("the one chosen on the screen last, else tcptui-dark"),
    )
    ascii: bool | None = declared(
        Flag(),
        None,
        mark("Whether to draw with ASCII characters alone."),
        without=mark("true where the terminal's characters are not UTF-8, and on the Linux console"),
    )
    mouse: bool = declared(
        Flag("false"), True, mark("Whether the screen takes the mouse; without it the terminal selects text as usual.")
    )
    filters: Mapping[str, str] = declared(
        Named(Text('"sport = :80 or sport = :443"'), mark("not a name for a filter")),
        {},
        mark("Filters by name: a filter takes them as @NAME."),
    )
    keys: Mapping[str, str] = declared(
        Named(AnyText('"f5, r"')),
        {},
        mark(
            "Keys by command, apart by commas: a character, or a name such as f5, ctrl+r, space, comma; empty for none."
        ),
    )
    columns: Mapping[str, tuple[str, ...]] = declared(
        Named(Listed(Text('"total"'))),
        {},
        mark(
            "Columns by view, in this order. The first is always the one that names the row; a state that is named is "
            'always shown; "states" stands for all others that have sockets.'
        ),
    )
    layouts: Mapping[str, Layout] = declared(
        Named(
            Record(
                {
                    "panels": Listed(Text('"states"')),
                    "left_width": Number(1, 1000, "48"),
                    "chart_height": Number(1, 1000, "12"),
                }
            )
        ),
        {},
        mark(
            "Layouts by name, for L and X: the panels beside the table (states, explanation, chart), the width of the "
            "left column and the height of the chart."
        ),
    )
    diagnosis: Mapping[str, Mapping[str, float]] = declared(
        Named(Named(Number(0.0, 1e12, "50"))), {}, mark("Thresholds of the rules, such as R01.least.")
    )

    @cached_property
    def lines(self) -> Mapping[tuple[str, ...], int]:
        """The line of each key that stands in the file."""
        return lines_of_keys(self.text)

    def problem(self, key: tuple[str, ...], problem: str, hint: str) -> RequestError:
        """What to raise for a value, or key, that means nothing to who uses it."""
        return problem_in(self.path, self.lines, key, problem, hint)


def problem_in(
    path: str,
    lines: Mapping[tuple[str, ...], int],
    key: tuple[str, ...],
    problem: str,
    hint: str,
    error: type[RequestError] = RequestError,
) -> RequestError:
    """A line about a key, with the line in which it stands."""
    place = next((lines[key[:depth]] for depth in range(len(key), 0, -1) if key[:depth] in lines), 1)
    told = tr(
        "{path}: line {line}: {key}: {problem}",
        path=printable(path),
        line=place,
        key=".".join(shown(toml_key(part)) for part in key),
        problem=problem,
    )
    return error(told, hint)


def _declared_in(config: type[Config]) -> Iterator[Setting]:
    for each in fields(config):
        if "kind" in each.metadata:
            said = dict(each.metadata)
            key = tuple((said.pop("key") or each.name).split("."))
            yield Setting(name=each.name, key=key, **said)


SETTINGS = tuple(_declared_in(Config))
"""All of them, in the order of the file: what stands in no table comes first."""
