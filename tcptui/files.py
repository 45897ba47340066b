"""Output that is written whole or not at all."""

import contextlib
import os
import stat
import sys

from tcptui.errors import OutputError, system_reason
from tcptui.language import tr
from tcptui.text import printable

STANDARD_OUTPUT = "-"


def write_output(path: str, content: str, *, overwrite: bool) -> None:
    """Write ``content`` as UTF-8 to a file, or to standard output for ``-``.

    A regular file appears complete, by way of a temporary file in the same folder, or not at all. A device or pipe is
    written to as it is.

    Raises:
        OutputError: it exists and ``overwrite`` is false, or it cannot be written.
        BrokenPipeError: the reader of standard output went away.
    """
    data = content.encode("utf-8", "replace")
    if path == STANDARD_OUTPUT:
        _write_standard_output(data)
        return
    try:
        target = os.path.realpath(path)
        existing = _status(target)
        if existing is not None and not stat.S_ISREG(existing.st_mode):
            _write_special(target, data, is_fifo=stat.S_ISFIFO(existing.st_mode))
        elif existing is not None and not overwrite:
            problem = tr("{path} exists", path=printable(path))
            raise OutputError(problem, tr("choose another name, or overwrite it with --force"))
        else:
            _write_regular(target, data, existing)
    except ValueError as error:  # a NUL in the path
        problem = tr("{path} is not a file's name", path=printable(path))
        raise OutputError(problem, tr("choose another name")) from error
    except OSError as error:
        problem = tr("cannot write {path} ({reason})", path=printable(path), reason=system_reason(error))
        raise OutputError(problem, _remedy(error)) from error


def _remedy(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return tr("choose a folder that you may write to")
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return tr("make its folder first")
    return tr("choose another place")


def _write_standard_output(data: bytes) -> None:
    """Past Python's buffer, which would be written once more at the end of the program."""
    if sys.stdout is None:
        raise OutputError(tr("standard output is closed"), tr("redirect it to a file"))
    try:
        sys.stdout.flush()
        descriptor = sys.stdout.fileno()
        while data:
            data = data[os.write(descriptor, data) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        problem = tr("cannot write to standard output ({reason})", reason=system_reason(error))
        raise OutputError(problem, tr("free some space")) from error


def narrate(text: str, *below: str) -> None:
    """Say something beside the data, on standard error, with lines below it if it has any.

    Where nobody can hear it, nothing is lost.
    """
    if sys.stderr is not None:
        try:
            print("\n  ".join((f"tcptui: {text}", *below)), file=sys.stderr, flush=True)
        except OSError:
            sys.stderr = None  # as where it is closed; else Python writes it again at the end


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _write_special(path: str, data: bytes, *, is_fifo: bool) -> None:
    """A FIFO that nobody reads is an error (ENXIO) instead of a wait for a reader."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | (os.O_NONBLOCK if is_fifo else 0))
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _write_regular(path: str, data: bytes, existing: os.stat_result | None) -> None:
    temporary = os.path.join(os.path.dirname(path), f".tcptui-{os.urandom(8).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if existing is not None:
                with contextlib.suppress(PermissionError):  # the file stays its owner's where we may say so
                    os.fchown(descriptor, existing.st_uid, existing.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(existing.st_mode))
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        if existing is not None:
            os.replace(temporary, path)
        else:
            _name_once(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _name_once(temporary: str, path: str) -> None:
    """Give a finished file its name, unless somebody else has taken that meanwhile."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.rename(temporary, path)
    else:
        os.unlink(temporary)
