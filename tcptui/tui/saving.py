"""What can be saved of a screen, in which formats, under which name; and the writing itself. Draws nothing."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from tcptui.errors import OutputError, RequestError, TcptuiError
from tcptui.export.formats import Format, format_of_path, render
from tcptui.files import write_output
from tcptui.language import mark, tr
from tcptui.model.fields import ViewKind
from tcptui.monitor.frame import Frame, reframed
from tcptui.monitor.view import View
from tcptui.text import printable
from tcptui.tui.picture import Picture

DEFAULT_PATTERN = "tcptui-{host}-{view}-{time}.txt"
PLACEHOLDERS = ("host", "view", "time", "filter", "ending")
MOST_FILTER_CHARACTERS = 60
"""Of a filter in a file's name, which may have 255 bytes."""
LONGEST_PATTERN = 4096
PREVIEWED_ROWS = 100

SVG = "svg"


class What(str, Enum):
    """What can be saved."""

    VIEW = "view"
    MARKED = "marked"
    """The marked rows of the view."""
    CONNECTIONS = "connections"
    """Those behind the rows of a grouped view."""
    SCREEN = "screen"


@dataclass(frozen=True)
class FileFormat:
    """A format, as it is offered."""

    id: str
    """A name of ``export.formats.Format``, or ``SVG``."""
    key: str
    title: str
    """Said by ``tr``."""
    ending: str


FILE_FORMATS = (
    FileFormat(Format.TEXT.value, "t", mark("text"), ".txt"),
    FileFormat(Format.CSV.value, "c", "CSV", ".csv"),
    FileFormat(Format.JSON.value, "j", "JSON", ".json"),
    FileFormat(Format.JSONL.value, "l", mark("JSON lines"), ".jsonl"),
    FileFormat(Format.MD.value, "m", "Markdown", ".md"),
    FileFormat(Format.HTML.value, "h", "HTML", ".html"),
    FileFormat(SVG, "s", "SVG", ".svg"),
)
BY_ID = {each.id: each for each in FILE_FORMATS}
_OF_ROWS = tuple(each for each in FILE_FORMATS if each.id != SVG)
_OF_SCREEN = (BY_ID[SVG], BY_ID["html"], BY_ID["text"])


def formats_of(what: What) -> tuple[FileFormat, ...]:
    """The formats that go with what is saved, the most likely first."""
    return _OF_SCREEN if what is What.SCREEN else _OF_ROWS


@dataclass(frozen=True)
class Saving:
    """What is to be saved, how and where: a person's choices. The three fit each other."""

    what: What = What.VIEW
    format: str = Format.TEXT.value
    pattern: str = DEFAULT_PATTERN
    """A path with placeholders, as it was typed."""

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Saving | None:
        """What ``plain`` has given; None where that is not understood."""
        what, format, pattern = (values.get(name) for name in ("what", "format", "pattern"))
        if what not in [each.value for each in What] or not isinstance(pattern, str):
            return None
        saving = cls(What(what))
        is_offered = format in [each.id for each in formats_of(saving.what)]
        if not is_offered or not pattern.isprintable() or not 0 < len(pattern) <= LONGEST_PATTERN:
            return None
        return replace(saving, format=str(format), pattern=pattern)

    def plain(self) -> dict[str, object]:
        """As plain values to be remembered."""
        return {"what": self.what.value, "format": self.format, "pattern": self.pattern}

    def with_what(self, what: What) -> Saving:
        """Something else saved, in the same format if that goes with it."""
        offered = formats_of(what)
        format = self.format if BY_ID[self.format] in offered else offered[0].id
        return Saving(what, format, _ended(self.pattern, format))

    def with_format(self, format: str) -> Saving:
        """In another format, under a name that ends so."""
        return Saving(self._what_in(format), format, _ended(self.pattern, format))

    def with_pattern(self, pattern: str) -> Saving:
        """Under another name, whose ending chooses the format if it means one."""
        format = _format_of(pattern) or self.format
        return Saving(self._what_in(format), format, pattern)

    def _what_in(self, format: str) -> What:
        """The same to be saved, or something else that goes with a format."""
        if BY_ID[format] in formats_of(self.what):
            return self.what
        return What.SCREEN if format == SVG else What.VIEW


def _ended(pattern: str, format: str) -> str:
    """The name with the ending of a format, if it has one that means another."""
    is_right = _format_of(pattern) in ("", format)
    return pattern if is_right else os.path.splitext(pattern)[0] + BY_ID[format].ending


def _format_of(pattern: str) -> str:
    """The format that a name's ending means; empty for none."""
    ending = os.path.splitext(pattern)[1]
    if ending.lower() == BY_ID[SVG].ending:
        return SVG
    with suppress(RequestError):
        return format_of_path(pattern).value if ending else ""
    return ""


class Store(Protocol):
    """Where files go."""

    def place(self, path: str) -> str:
        """The whole path of what was typed.

        Raises:
            TcptuiError: there is none.
        """

    def has(self, path: str) -> bool:
        """Whether there is a file by that name, which can be overwritten."""

    def problem_with(self, path: str) -> str:
        """Why nothing could be written there without more ado; empty where there is nothing to say."""

    def write(self, path: str, content: str, *, overwrite: bool) -> None:
        """Write a file whole, or not at all.

        Raises:
            OutputError: it is there already and ``overwrite`` is false, or it cannot be written.
        """

    def word_of(self, path: str) -> str:
        """What to say of a file that was written."""


class Disk:
    """Files of this machine."""

    def place(self, path: str) -> str:
        try:
            return os.path.abspath(os.path.expanduser(path))
        except OSError as error:
            raise OutputError(tr("the current folder is gone"), tr("write a whole path")) from error

    def has(self, path: str) -> bool:
        return os.path.isfile(path)

    def problem_with(self, path: str) -> str:
        folder = os.path.dirname(path)
        if os.path.isdir(path):
            return tr("{path} is a folder: put a name behind it", path=printable(path))
        if not os.path.isdir(folder):
            return tr("there is no folder {path}: make it first, or choose another", path=printable(folder))
        if self.has(path):
            return tr("it exists: change the name, or overwrite it with Ctrl+O")
        return ""

    def write(self, path: str, content: str, *, overwrite: bool) -> None:
        write_output(path, content, overwrite=overwrite)

    def word_of(self, path: str) -> str:
        folder, name = os.path.split(path)
        return tr("saved {name} in {folder}", name=printable(name), folder=printable(folder))


class Sender(Protocol):
    """Sends a file to who looks."""

    def __call__(self, path: str, content: str, *, overwrite: bool) -> None:
        """Send it."""


class Downloads:
    """Files of somebody elsewhere: of this machine's nothing is told, and nothing is written."""

    def __init__(self, send: Sender) -> None:
        self._send = send

    def place(self, path: str) -> str:
        return os.path.basename(path)

    def has(self, path: str) -> bool:
        return False

    def problem_with(self, path: str) -> str:
        return ""

    def write(self, path: str, content: str, *, overwrite: bool) -> None:
        self._send(path, content, overwrite=overwrite)

    def word_of(self, path: str) -> str:
        return tr("saved {name} by the browser", name=printable(path))


@dataclass(frozen=True)
class Outlook:
    """What saving would lead to."""

    path: str
    """Where the file would be; empty where there is no saying."""
    problem: str
    """Why it would not be written as things stand; empty if it would."""
    preview: tuple[str, ...]
    """How it begins; of a page and of a picture, how that reads."""
    is_taken: bool = False
    """Whether there is a file by that name, which can be overwritten."""


@dataclass(frozen=True, eq=False)
class Savable:
    """What there was on the screen when the key was pressed. Compared by identity."""

    frame: Frame
    picture: Picture
    views: Mapping[What, View]
    """What there are rows of, with the view that has nothing but those."""
    counts: Mapping[What, int]
    """How many rows that is."""
    store: Store
    _frames: dict[What, Frame] = field(default_factory=dict)
    _previews: dict[tuple[What, str], tuple[str, ...]] = field(default_factory=dict)

    @property
    def offered(self) -> tuple[What, ...]:
        """What can be saved."""
        return (*self.views, What.SCREEN)

    def fitted(self, saving: Saving) -> Saving:
        """The same choices, for this view if there is nothing else as had been chosen."""
        return saving if saving.what in self.offered else saving.with_what(What.VIEW)

    def frame_of(self, what: What) -> Frame:
        """The rows; those of another view than the one on the screen are looked for when they are asked for."""
        if what not in self._frames:
            view = self.views[what]
            self._frames[what] = self.frame if view is self.frame.view else reframed(self.frame, view)
        return self._frames[what]

    def content(self, saving: Saving, limit: int | None = None) -> str:
        """The file; at most ``limit`` rows of it."""
        if saving.what is What.SCREEN:
            draw = {SVG: self.picture.as_svg, "html": self.picture.as_html, "text": self.picture.as_text}
            return draw[saving.format]()
        return render(self.frame_of(saving.what), Format(saving.format), limit)

    def preview(self, saving: Saving) -> tuple[str, ...]:
        """How the file begins, in lines; of markup that nobody reads, how it will look."""
        key = (saving.what, saving.format)
        if key not in self._previews:
            read = replace(saving, format="text") if saving.format in (SVG, "html") else saving
            self._previews[key] = tuple(self.content(read, PREVIEWED_ROWS).splitlines())
        return self._previews[key]

    def outlook(self, saving: Saving) -> Outlook:
        """What saving would lead to; looks at the file system."""
        preview = self.preview(saving)
        try:
            path = self.path(saving)
            return Outlook(path, self.store.problem_with(path), preview, self.store.has(path))
        except TcptuiError as error:
            return Outlook("", str(error), preview)

    def path(self, saving: Saving) -> str:
        """Where the pattern leads to.

        Raises:
            RequestError: there is no name in it, or a placeholder that means nothing.
            OutputError: it begins in a folder that is gone.
        """
        path = self._expanded(saving).strip()
        if os.path.basename(path) in ("", os.curdir, os.pardir):
            raise RequestError(tr("there is no name for the file"), tr("type one"))
        return self.store.place(path)

    def _expanded(self, saving: Saving) -> str:
        sample, view = self.frame.sample, self.views.get(saving.what, self.frame.view)
        values = {
            "host": _as_name(sample.origin.host) or ("text" if sample.origin.is_still else "host"),
            "view": What.SCREEN.value if saving.what is What.SCREEN else view.kind.value,
            "time": f"{sample.taken_at:%Y%m%d-%H%M%S}",
            "filter": _as_name(self.frame.view.filter_text[:MOST_FILTER_CHARACTERS]) or "all",
            "ending": BY_ID[saving.format].ending[1:],
        }
        assert set(values) == set(PLACEHOLDERS)

        def value(found: re.Match[str]) -> str:
            if found[1] not in values:
                known = tr(", ").join(f"{{{name}}}" for name in PLACEHOLDERS)
                problem = tr("{placeholder} stands for nothing", placeholder=printable(found[0]))
                raise RequestError(problem, tr("there are {names}", names=known))
            return values[found[1]]

        return re.sub(r"\{(\w+)\}", value, saving.pattern)

    def write(self, saving: Saving, *, overwrite: bool) -> str:
        """Write the file; where it is.

        Raises:
            TcptuiError: it is there already and ``overwrite`` is false, or it cannot be written.
        """
        path = self.path(saving)
        self.store.write(path, self.content(saving), overwrite=overwrite)
        return path

    def write_anew(self, saving: Saving) -> str:
        """Write the file under a name that no other has, with a number in it if it must be; where it is.

        Raises:
            TcptuiError: it cannot be written.
        """
        content = self.content(saving)
        for path in _numbered(self.path(saving)):
            if self.store.has(path):
                continue
            try:
                self.store.write(path, content, overwrite=False)
            except OutputError:
                if self.store.has(path):  # somebody was faster
                    continue
                raise
            return path
        raise AssertionError("there is always another number")


def savable(frame: Frame, picture: Picture, marked: tuple[View, int] | None, store: Store) -> Savable:
    """What there is to be saved of a frame; ``marked`` is the view of the marked rows alone, and how many they are."""
    views, counts = {What.VIEW: frame.view}, {What.VIEW: len(frame.order)}
    if marked is not None:
        views[What.MARKED], counts[What.MARKED] = marked
    if frame.view.kind is not ViewKind.CONNECTIONS:
        views[What.CONNECTIONS] = frame.view.of_kind(ViewKind.CONNECTIONS.value)
        counts[What.CONNECTIONS] = frame.total
    return Savable(frame, picture, views, counts, store)


def _as_name(text: str) -> str:
    """Text from outside as a part of a file's name: no way leads out of the folder, and no shell trips over it."""
    return re.sub(r"[^\w.-]+", "_", text).strip("._-")


def _numbered(path: str) -> Iterator[str]:
    """The path, then with numbers in front of the ending."""
    stem, ending = os.path.splitext(path)
    yield path
    yield from (f"{stem}-{number}{ending}" for number in itertools.count(2))
