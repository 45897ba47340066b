"""What stood on a screen, as text, as an SVG or as a web page: files that need nothing beside themselves.

Textual's own SVG fetches a font from a server and squeezes wide characters into half of their cells; here every run of
text is given the cells that it had.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from rich.cells import cell_len
from rich.color import Color, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME
from textual.strip import Strip

from tcptui.export.page import document

FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace"
"""Those that a reader's system may have; none is fetched."""

CELL_WIDTH, LINE_HEIGHT, FONT_SIZE, BASELINE, MARGIN = 8.4, 18, 14, 13.5, 12
"""In units of the SVG."""

_DIMMED = 0.4
_WORDS = re.compile(r"\S+(?: \S+)*")
"""What is to be drawn of a text; what two blanks part stands by itself, in its own cells."""


@dataclass(frozen=True)
class Look:
    """How a run of text looks."""

    ink: str
    ground: str
    is_bold: bool = False
    is_italic: bool = False
    is_underlined: bool = False


@dataclass(frozen=True)
class Run:
    """Text in one look."""

    text: str
    look: Look


class Picture:
    """Lines of a screen, kept as they were."""

    def __init__(self, lines: Sequence[Strip], title: str) -> None:
        self._lines = [
            [Run(_harmless(segment.text), _look(segment.style)) for segment in line if segment.text] for line in lines
        ]
        self._title = _harmless(title)
        self._width = max((sum(cell_len(run.text) for run in line) for line in self._lines), default=0)

    def as_text(self) -> str:
        """The characters alone."""
        return "".join("".join(run.text for run in line).rstrip() + "\n" for line in self._lines)

    def as_svg(self) -> str:
        """A drawing for any size."""
        width, height = self._width * CELL_WIDTH + 2 * MARGIN, len(self._lines) * LINE_HEIGHT + 2 * MARGIN
        ground = self._ground
        drawn = [part for y, line in enumerate(self._lines) for part in (*_grounds(y, line, ground), *_texts(y, line))]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" font-family="{escape(FONTS)}" font-size="{FONT_SIZE}">\n'
            f"<title>{escape(self._title)}</title>\n"
            f'<rect width="100%" height="100%" rx="6" fill="{ground}"/>\n'
            f'<g transform="translate({MARGIN} {MARGIN})">\n'
            + "".join(f"{each}\n" for each in drawn)
            + "</g>\n</svg>\n"
        )

    def as_html(self) -> str:
        """A page whose text can be copied."""
        ground = self._ground
        numbers: dict[Look, int] = {}
        lines = [
            "".join(
                f'<span class="l{numbers.setdefault(run.look, len(numbers))}">{_in_cells(run.text)}</span>'
                for run in line
            )
            for line in self._lines
        ]
        style = (
            f"body {{ margin: 1rem; background: {ground}; }}\n"
            f"pre {{ margin: 0; font: {FONT_SIZE}px/{LINE_HEIGHT}px {FONTS}; }}\n"
            ".w { display: inline-block; width: 2ch; }\n"
            + "".join(f".l{number} {{ {_css(look, ground)} }}\n" for look, number in numbers.items())
        )
        return document(self._title, style, "<pre>" + "\n".join(lines) + "</pre>\n")

    @property
    def _ground(self) -> str:
        """The colour behind most cells."""
        cells: Counter[str] = Counter()
        for line in self._lines:
            for run in line:
                cells[run.look.ground] += cell_len(run.text)
        return max(cells, key=cells.__getitem__, default=_look(None).ground)


def _harmless(text: str) -> str:
    """``text`` without characters that XML does not know or that move others about; each cell stays."""
    return "".join(char if char.isprintable() else " " for char in text)


def _look(style: Style | None) -> Look:
    style = style or Style.null()
    theme = SVG_EXPORT_THEME
    ink = _triplet(style.color, theme.foreground_color)
    ground = _triplet(style.bgcolor, theme.background_color)
    if style.reverse:
        ink, ground = ground, ink
    if style.dim:
        ink = blend_rgb(ink, ground, _DIMMED)
    return Look(ink.hex, ground.hex, bool(style.bold), bool(style.italic), bool(style.underline))


def _triplet(color: Color | None, default: ColorTriplet) -> ColorTriplet:
    return default if color is None or color.is_default else color.get_truecolor(SVG_EXPORT_THEME)


def _placed(line: Sequence[Run]) -> Iterator[tuple[int, Run]]:
    """Each run with the cell that it begins in."""
    x = 0
    for run in line:
        yield x, run
        x += cell_len(run.text)


def _grounds(y: int, line: Sequence[Run], ground: str) -> Iterator[str]:
    """What lies behind the text, where that is another colour than everywhere."""
    for colour, placed in groupby(_placed(line), key=lambda each: each[1].look.ground):
        (x, first), *others = placed
        if colour != ground:
            cells = sum(cell_len(run.text) for run in (first, *(run for _, run in others)))
            yield (
                f'<rect x="{x * CELL_WIDTH:g}" y="{y * LINE_HEIGHT}" width="{cells * CELL_WIDTH:g}" '
                f'height="{LINE_HEIGHT}" fill="{colour}" shape-rendering="crispEdges"/>'
            )


def _texts(y: int, line: Sequence[Run]) -> Iterator[str]:
    """Each word in the cells that it has; wide characters apart from the others, which another font draws."""
    for x, run in _placed(line):
        at = x
        for _, group in groupby(run.text, key=_is_wide):
            text = "".join(group)
            for words in _WORDS.finditer(text):
                begin = at + cell_len(text[: words.start()])
                yield (
                    f'<text x="{begin * CELL_WIDTH:g}" y="{y * LINE_HEIGHT + BASELINE:g}" '
                    f'textLength="{cell_len(words[0]) * CELL_WIDTH:g}" lengthAdjust="spacingAndGlyphs"'
                    f"{_attributes(run.look)}>{escape(words[0])}</text>"
                )
            at += cell_len(text)


def _attributes(look: Look) -> str:
    wanted = {
        "fill": look.ink,
        "font-weight": "bold" if look.is_bold else "",
        "font-style": "italic" if look.is_italic else "",
        "text-decoration": "underline" if look.is_underlined else "",
    }
    return "".join(f' {name}="{value}"' for name, value in wanted.items() if value)


def _css(look: Look, ground: str) -> str:
    rules = [f"color: {look.ink};"]
    rules += [f"background: {look.ground};"] * (look.ground != ground)
    rules += ["font-weight: bold;"] * look.is_bold
    rules += ["font-style: italic;"] * look.is_italic
    rules += ["text-decoration: underline;"] * look.is_underlined
    return " ".join(rules)


def _in_cells(text: str) -> str:
    """Markup for a text in which a wide character has two cells in any font."""
    return "".join(
        "".join(f'<span class="w">{escape(char)}</span>' for char in group) if is_wide else escape("".join(group))
        for is_wide, group in groupby(text, key=_is_wide)
    )


def _is_wide(char: str) -> bool:
    return cell_len(char) == 2
