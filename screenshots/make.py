"""Makes the README's pictures: ``python -m screenshots.make [NAME…]``, all of them without a name.

Each is the real screen, driven by Textual's pilot over a demo scene, so that the same program gives the same picture:
the scene's seed is fixed, its clock is the number of samples, and exactly ``SAMPLES`` of them are shown. The screen
becomes an SVG by Textual's own export and a PNG by rsvg-convert.

Needs the Debian packages fontconfig, fonts-firacode, fonts-dejavu-core, fonts-noto-cjk, librsvg2-bin and pngquant.
"""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from textual.pilot import Pilot

from tcptui.language import tr
from tcptui.model.fields import SortKey, ViewKind
from tcptui.monitor.judge import Judge
from tcptui.monitor.presenter import Presenter
from tcptui.monitor.view import View
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tcptui.sources.demo import DemoSource
from tcptui.text import cell_count
from tcptui.tui.app import TcptuiApp
from tcptui.tui.backend import Backend
from tcptui.tui.preferences import Preferences
from tests.support.languages import speaking
from tests.support.screens import GatedSource

FOLDER = Path(__file__).parent
SAMPLES = 240
"""Four minutes of the scene: most of the chart's window of five."""
LARGEST_BYTES = 300_000

SHOWN_INTERVAL_S = 1.0
FEEDING_INTERVAL_S = 0.001
PATIENCE_S = 30.0

SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (200, 60)

FIRST_VIEW = View()
"""What the program shows when nothing else is asked for."""


@dataclass(frozen=True)
class Picture:
    """What to show, and how to get there."""

    name: str
    scene: str
    size: tuple[int, int]
    shows: str
    """A text that is on the screen when it is ready."""
    view: View = FIRST_VIEW
    """As the command line asks for it."""
    keys: tuple[str, ...] = ()
    """Pressed after the last sample."""
    watched: int = 0
    """Samples to show after the keys, for what follows something from then on."""
    language: str = "en"
    look: Preferences = field(default_factory=Preferences)


_WORST_FIRST = View(sort=SortKey("LAST_ACK", descending=True))
_ONE_SERVER = View(ViewKind.CONNECTIONS, parse_filter("dst 10.0.4.11"), SortKey("timer_ms", descending=True))
_ONE_OF_MANY = View(ViewKind.CONNECTIONS, parse_filter("sport = :443 state established"), SortKey("age_ms", False))
_LEAKED = View(filter=parse_filter("java dst 10.1.7.0/28:3306 recvq > 0"))

PICTURES = (
    Picture("leak-120x40", "leak", MEDIUM, "History, last 5 min"),
    Picture("leak-80x24", "leak", SMALL, "[1 Peers]"),
    Picture("lastack-200x60", "lastack", LARGE, "History, last 5 min", _WORST_FIRST),
    Picture("timewait-connections-160x40", "timewait", (160, 40), "likely php", _ONE_SERVER),
    Picture("processes-80x24", "timewait", SMALL, "[2 Processes]", View(ViewKind.PROCESSES)),
    Picture("connection-120x40", "calm", MEDIUM, "Esc back", _ONE_OF_MANY, keys=("down", "enter"), watched=30),
    Picture("explain-80x24", "leak", SMALL, "Which side is in it", keys=("x",)),
    Picture("filter-80x24", "leak", SMALL, "did you mean", keys=("slash", *"state clsoe-wait")),
    Picture("filter-offers-80x24", "leak", SMALL, "live  filter: java", keys=("slash", *"java and state c", "tab")),
    Picture("filter-explained-120x40", "leak", MEDIUM, "kernel", _LEAKED, keys=("e",)),
    Picture("help-120x40", "leak", MEDIUM, "The states are the whole", keys=("f1",)),
    Picture("topic-80x24", "timewait", SMALL, "tcp_tw_reuse", keys=("question_mark", *("down",) * 9)),
    Picture("machine-80x24", "lastack", SMALL, "jumps over a state", keys=("m",)),
    Picture("machine-120x40", "lastack", MEDIUM, "jumps over a state", keys=("m",)),
    Picture("findings-120x40", "leak", MEDIUM, "refuted by", keys=("d", "enter")),
    Picture("past-120x40", "leak", MEDIUM, "ago", keys=("space", *("left_square_bracket",) * 2)),
    Picture("chart-120x40", "timewait", MEDIUM, "highest of", keys=("H", "z", *("left",) * 30)),
    Picture("save-80x24", "leak", SMALL, "Enter save", keys=("w",)),
    Picture("light-120x40", "leak", MEDIUM, "History, last 5 min", look=Preferences(theme="tcptui-light")),
    Picture("contrast-80x24", "lastack", SMALL, "[1 Peers]", look=Preferences(theme="tcptui-contrast")),
    Picture("safe-80x24", "lastack", SMALL, "[1 Peers]", look=Preferences(theme="tcptui-safe")),
    Picture("ascii-80x24", "leak", SMALL, "[1 Peers]", look=Preferences(is_ascii=True)),
    Picture("zh-120x40", "leak", MEDIUM, "谁该处理", language="zh"),
    Picture("zh-machine-80x24", "lastack", SMALL, "跳过中间状态", keys=("m",), language="zh"),
    Picture("zh-machine-120x40", "lastack", MEDIUM, "跳过中间状态", keys=("m",), language="zh"),
)


async def screen_of(picture: Picture, samples: int = SAMPLES, patience_s: float = PATIENCE_S) -> str:
    """The screen as an SVG, as Textual exports it, in the picture's language.

    Raises:
        TimeoutError: it does not show what it should within ``patience_s``.
    """
    with speaking(picture.language):
        return await _screen_of(picture, samples, patience_s)


async def _screen_of(picture: Picture, samples: int, patience_s: float) -> str:
    source = GatedSource(DemoSource(picture.scene))
    presenter = Presenter(source, picture.view, FEEDING_INTERVAL_S, Judge(glances=False, largest_share=math.inf))
    app = TcptuiApp(lambda: Backend(presenter, picture.view, Names), preferences=picture.look)
    async with app.run_test(size=picture.size) as pilot:
        try:
            await feed(app, source, range(samples))
            if picture.watched:
                await pilot.press(*picture.keys)
                source.allow()  # the sample that was being taken when the keys came, without what they ask for
                await feed(app, source, range(samples + 1, samples + 1 + picture.watched))
            presenter.set_interval(SHOWN_INTERVAL_S)
            await until_shown(pilot, tr("every {interval:.3g}s", interval=SHOWN_INTERVAL_S), patience_s)
            if not picture.watched:
                await pilot.press(*picture.keys)
            return await until_shown(pilot, picture.shows, patience_s)
        finally:
            source.let_go()


async def feed(app: TcptuiApp, source: GatedSource, ticks: range) -> None:
    """Have the screen show the scene's samples one after the other, none of them skipped."""
    presented = asyncio.Event()
    app.watch(app, "presentation", presented.set, init=False)
    for tick in ticks:
        source.allow()
        while app.presentation is None or app.presentation.frame is None or _tick(app) < tick:
            presented.clear()
            await asyncio.wait_for(presented.wait(), PATIENCE_S)


def _tick(app: TcptuiApp) -> float:
    assert app.presentation is not None
    assert app.presentation.frame is not None
    return app.presentation.frame.sample.monotonic_s


async def until_shown(pilot: Pilot[int], text: str, patience_s: float) -> str:
    """The screen once ``text`` stands on it."""
    deadline = time.monotonic() + patience_s
    while True:
        await pilot.pause()
        svg = pilot.app.export_screenshot(title="tcptui")
        lines = text_lines(svg)
        if any(text in line for line in lines):
            return svg
        if time.monotonic() > deadline:
            raise TimeoutError(f"the screen never showed {text!r}; it shows:\n" + "\n".join(lines))


# -- SVG to PNG --------------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"
XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
CELL_WIDTH, LINE_HEIGHT = 12.2, 24.4
"""Size of a cell in the exported SVG (``Console.export_svg()`` of rich: a font of 20 by 0.61)."""
PNG_CELL_WIDTH = 12
"""In whole pixels, as the line height of 24 then is too, so that blocks and borders meet without seams."""
EXPORT_OVERLAP = 0.25
"""By so much the export lets lines overlap, so that borders are drawn twice there, and brighter."""
EXPORT_ORIGIN = "translate(9, 41)"
PIXEL_ORIGIN = "translate(9.15, 41.2)"
"""Where the cells begin. The export cuts lines at 1.5 below that; the nearest place where both are whole pixels."""
PNG_COLOURS = 128
"""A screen has about fifteen colours, and shades of them at the edges of letters."""
FONT = "Fira Code"
SECOND_FONT = "DejaVu Sans Mono"
"""For the few marks that the first one lacks."""
CHINESE_FONT = "Noto Sans Mono CJK SC"
FONT_ADVANCE = 0.6
"""Width of each of its characters, as a part of the font size."""
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def text_lines(svg: str) -> list[str]:
    """What stands on the screen, line by line."""
    lines: dict[float, dict[int, str]] = {}
    for text in _cell_texts(ET.fromstring(svg)):  # noqa: S314 - made by ourselves
        cells = lines.setdefault(float(text.attrib["y"]), {})
        first = round(float(text.attrib["x"]) / CELL_WIDTH)
        for offset, char in _placed(_chars(text)):
            cells[first + offset] = char
            cells.update({first + offset + 1: ""} if cell_count(char) > 1 else {})
    return ["".join(cells.get(x, " ") for x in range(max(cells) + 1)) for _, cells in sorted(lines.items())]


def _placed(chars: str) -> Iterator[tuple[int, str]]:
    """Each character with the cell that it begins in."""
    cell = 0
    for char in chars:
        yield cell, char
        cell += cell_count(char)


def one_text_for_each_cell(svg: str) -> str:
    """The picture with every character placed by itself.

    rsvg-convert ignores ``textLength``, by which a run of text is fitted to its cells, so that runs drift; the font
    joins pairs such as ``::`` and ``->``; and a character that the font lacks comes from one with another width.
    """
    root = ET.fromstring(svg)  # noqa: S314 - made by ourselves
    _align_to_pixels(root)
    underlined = _restyle(root)
    parents = {child: parent for parent in root.iter() for child in parent}
    for text in list(_cell_texts(root)):
        parent = parents[text]
        place = list(parent).index(text)
        parent.remove(text)
        for offset, cell in enumerate(_cells(text, keeps_blanks=text.get("class") in underlined)):
            parent.insert(place + offset, cell)
    return ET.tostring(root, encoding="unicode")


def _align_to_pixels(root: ET.Element) -> None:
    """Begin and end cells at whole pixels, and leave out the window's frame, which lies between two."""
    for rectangle in root.iter(f"{SVG}rect"):
        rectangle.attrib.pop("stroke", None)
        if rectangle.get("height") == f"{LINE_HEIGHT + EXPORT_OVERLAP}":
            rectangle.set("height", f"{LINE_HEIGHT}")
    for group in root.iter(f"{SVG}g"):
        if group.get("transform") == EXPORT_ORIGIN:
            group.set("transform", PIXEL_ORIGIN)


def _restyle(root: ET.Element) -> set[str]:
    """Use the fonts that are here, in a size that fills a cell; the classes that are underlined."""
    style = root.find(f"{SVG}style")
    assert style is not None
    assert style.text is not None
    rules = [f"{rule}}}" for rule in style.text.split("}") if "{" in rule and "@font-face" not in rule]
    style.text = (
        "".join(rules)
        .replace("font-family: Fira Code, monospace", f"font-family: {FONT}, {SECOND_FONT}, {CHINESE_FONT}")
        .replace("font-family: arial", f"font-family: {FONT}")
        .replace("font-size: 20px", f"font-size: {CELL_WIDTH / FONT_ADVANCE:.4f}px")
    )
    return {rule.split()[0].removeprefix(".") for rule in rules if "text-decoration: underline" in rule}


def _cell_texts(root: ET.Element) -> Iterator[ET.Element]:
    """The runs of text in the cells; the window's title is not one."""
    return (text for text in root.iter(f"{SVG}text") if "textLength" in text.attrib)


def _chars(text: ET.Element) -> str:
    """What stands in the cells of a run, which may end with the end of the line."""
    return (text.text or "").rstrip("\n").replace(NO_BREAK_SPACE, " ")


def _cells(text: ET.Element, *, keeps_blanks: bool) -> Iterator[ET.Element]:
    """The run as one element for each cell; a blank is one only where it is underlined."""
    for offset, char in _placed(_chars(text)):
        if char == " " and not keeps_blanks:
            continue
        x = float(text.attrib["x"]) + offset * CELL_WIDTH
        kept = {name: text.attrib[name] for name in ("class", "y", "clip-path")}
        cell = ET.Element(f"{SVG}text", {**kept, "x": f"{x:.1f}", XML_SPACE: "preserve"})
        cell.text = char
        yield cell


def write_png(svg: str, path: Path) -> None:
    """Draw the picture.

    Raises:
        ValueError: the file is too large for a README.
    """
    ET.register_namespace("", SVG.strip("{}"))
    draw = ["rsvg-convert", "--zoom", f"{PNG_CELL_WIDTH / CELL_WIDTH:.6f}"]
    drawn = subprocess.run(draw, input=one_text_for_each_cell(svg).encode(), capture_output=True, check=True).stdout
    reduce = ["pngquant", "--nofs", "--speed", "1", "--strip", str(PNG_COLOURS), "-"]
    path.write_bytes(subprocess.run(reduce, input=drawn, capture_output=True, check=True).stdout)
    if path.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes, more than {LARGEST_BYTES}")


def missing_packages() -> list[str]:
    """The Debian packages that are not here."""
    programs = {"fontconfig": "fc-match", "librsvg2-bin": "rsvg-convert", "pngquant": "pngquant"}
    fonts = {"fonts-firacode": FONT, "fonts-dejavu-core": SECOND_FONT, "fonts-noto-cjk": CHINESE_FONT}
    missing = [package for package, program in programs.items() if shutil.which(program) is None]
    knows_fonts = "fontconfig" not in missing
    return missing + [package for package, font in fonts.items() if not (knows_fonts and font in _best_font(font))]


def _best_font(wanted: str) -> str:
    """What is drawn where ``wanted`` is asked for."""
    return subprocess.run(["fc-match", "--format=%{family}", wanted], capture_output=True, text=True, check=True).stdout


def main(names: list[str]) -> int:
    """Make the pictures of these names, or all."""
    if missing := missing_packages():
        print(f"missing: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 3
    wanted = [picture for picture in PICTURES if not names or picture.name in names]
    if unknown := set(names) - {picture.name for picture in wanted}:
        print(f"no picture {', '.join(sorted(unknown))}: {', '.join(each.name for each in PICTURES)}", file=sys.stderr)
        return 2
    os.environ.pop("NO_COLOR", None)
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    # The application ends when its terminal has gone away, as a pipe has that nobody writes to.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for picture in wanted:
        # The chart library asks how large the terminal is, where there is none.
        os.environ.update(COLUMNS=str(picture.size[0]), LINES=str(picture.size[1]))
        path = FOLDER / f"{picture.name}.png"
        write_png(asyncio.run(screen_of(picture)), path)
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
