"""Where a text comes from: a file or standard input. Loads nothing heavy: it is opened before the first frame."""

import os
import sys
from typing import BinaryIO

from tcptui.errors import RequestError, SourceError, system_reason
from tcptui.language import tr
from tcptui.text import printable

STANDARD_INPUT = "-"
COLLECTING = "ss -tanoepi"
"""The command whose output tells the most."""


def open_text(path: str) -> BinaryIO:
    """The file at ``path``, or standard input for ``-``, to be read.

    Raises:
        SourceError: it cannot be opened.
        RequestError: standard input is a terminal, on which nobody has been asked to type.
    """
    if path == STANDARD_INPUT:
        return _standard_input()
    try:
        return open(path, "rb")
    except ValueError as error:  # a NUL in the path
        problem = tr("{path} is not a file's name", path=printable(path))
        raise SourceError(problem, tr("choose another name")) from error
    except OSError as error:
        raise unreadable(printable(path), error) from error


def _standard_input() -> BinaryIO:
    """Under a descriptor of its own, since the keyboard may take the place of the first one."""
    if sys.stdin is None:
        raise SourceError(tr("standard input is closed"), tr("name a file behind --from"))
    if sys.stdin.isatty():
        hint = tr("pipe a text into it: {command}", command=f"ssh BOX {COLLECTING} | tcptui --from -")
        raise RequestError(tr("standard input is the terminal"), hint)
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb")


def unreadable(name: str, error: OSError) -> SourceError:
    """What to say of a text that the system does not let be read."""
    hint = tr("name a file behind --from, or - for standard input")
    return SourceError(tr("cannot read {path} ({reason})", path=name, reason=system_reason(error)), hint)
