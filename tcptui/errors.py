"""One tree of errors: what went wrong, what to do about it, and the process's exit code.

May not import anything of the program but its language: every layer raises these.
"""

import difflib
from collections.abc import Iterable
from enum import IntEnum

from tcptui.language import tr


class ExitCode(IntEnum):
    """What the process tells its caller."""

    OK = 0
    """Done; also when the reader of our output went away."""
    FOUND = 1
    """Something was found that is as bad as diagnose was asked to fail on."""
    REQUEST = 2
    """The request is wrong: an unknown option, a bad filter, a name that does not exist."""
    SOURCE = 3
    """The data cannot be read."""
    OUTPUT = 4
    """The output cannot be written."""
    INTERNAL = 70
    """A defect of this program (EX_SOFTWARE of sysexits.h)."""


class TcptuiError(Exception):
    """An error that a person can act on.

    ``message`` says what is wrong, ``hint`` what to do (both one line, without a final period).
    """

    exit_code = ExitCode.REQUEST

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.excerpt: tuple[str, ...] = ()
        """Lines to show under the message where there is room for them: the place in what was typed."""

    def __str__(self) -> str:
        return tr("{problem}: {hint}", problem=self.message, hint=self.hint) if self.hint else self.message


class RequestError(TcptuiError):
    """The caller asked for something that does not exist or makes no sense."""


class SourceError(TcptuiError):
    """The kernel, or whatever stands in for it, does not give the data."""

    exit_code = ExitCode.SOURCE


class OutputError(TcptuiError):
    """A file or standard output cannot be written."""

    exit_code = ExitCode.OUTPUT


class InternalError(TcptuiError):
    """A defect of this program, kept for a line to the person instead of a traceback."""

    exit_code = ExitCode.INTERNAL

    @classmethod
    def of(cls, error: BaseException) -> "InternalError":
        """What to say of an exception that nobody expected."""
        wrapped = cls(
            tr("internal error, {kind}: {message}", kind=type(error).__name__, message=error),
            tr("TCPTUI_TRACEBACK=1 shows where; please report it"),
        )
        wrapped.__cause__ = error
        return wrapped


def system_reason(error: OSError) -> str:
    """Why the system refused, in its own words where they have no translation."""
    return tr(error.strerror) if error.strerror else str(error)


def nearest_hint(text: str, known: Iterable[str]) -> str:
    """What to type instead of ``text``: the nearest of ``known``, or all of them."""
    names = list(known)
    folded = {name.lower().replace("-", "_"): name for name in names}
    close = difflib.get_close_matches(text.lower().replace("-", "_"), folded, n=1, cutoff=0.6)
    if close:
        return tr("did you mean {name}?", name=folded[close[0]])
    return tr("known: {names}", names=tr(", ").join(names))
