"""In which line of a TOML text each key stands; the TOML reader does not tell.

The text is cut into its statements, for which only strings, comments and brackets have to be known; what each of them
says is asked of the TOML reader. Only for text that as a whole is TOML.
"""

import re
import sys
from collections.abc import Iterator, Mapping

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Path = tuple[str, ...]

DEEPEST = 8
"""No setting has more keys that lead to it, and a dotted key may have thousands."""

_PART = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|#[^\n]*|[\[{]|[\]}]|\n|[^\"'#\[{\]}\n]+",
    re.DOTALL,
)


def lines_of_keys(text: str) -> Mapping[Path, int]:
    """The line of each key by the keys that lead to it, of a table that of its heading; counted from 1.

    Tables in a list have the same keys: it is the line in one of them. A key within a value stands where the statement
    begins.
    """
    lines: dict[Path, int] = {}
    heading: Path = ()
    for line, statement in _statements(text):
        said = tomllib.loads(statement)
        if statement.startswith("["):
            heading = _innermost(said)
            lines |= {heading[:depth]: line for depth in range(1, len(heading)) if heading[:depth] not in lines}
            lines[heading] = line
        else:
            lines |= {(*heading, *path): line for path in _paths(said) if (*heading, *path) not in lines}
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each heading and each key with its value, and the line where it begins."""
    statement, begin, line, depth = "", 1, 1, 0
    for part in _PART.findall(text.replace("\r\n", "\n") + "\n"):
        if part == "\n" and depth == 0:
            if statement.strip():
                yield begin, statement.strip()
            statement, begin = "", line + 1
        elif not part.startswith("#"):
            statement += part
        depth += (part in "[{") - (part in "]}")
        line += part.count("\n")


def _innermost(said: Mapping[str, object]) -> Path:
    """The keys of a heading, below which there is nothing."""
    path: list[str] = []
    inner: object = said
    while isinstance(inner, dict) and inner:
        ((key, inner),) = inner.items()
        path.append(key)
        inner = inner[0] if isinstance(inner, list) else inner
    return tuple(path)


def _paths(said: Mapping[str, object], above: Path = ()) -> Iterator[Path]:
    for key, value in said.items():
        yield (*above, key)
        if isinstance(value, dict) and len(above) < DEEPEST - 1:
            yield from _paths(value, (*above, key))
