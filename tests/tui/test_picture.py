"""Pictures of a screen: each character in its cell, nothing fetched, and no text that becomes markup."""

from __future__ import annotations

import asyncio
import itertools
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tcptui.sources.demo import DemoSource
from tcptui.tui import terminal
from tcptui.tui.picture import CELL_WIDTH, LINE_HEIGHT, Picture
from tests.support.languages import speaking
from tests.support.screens import running_screen

SVG = "{http://www.w3.org/2000/svg}"
PLAIN, LOUD = Style.parse("#ffffff on #000000"), Style.parse("bold underline #ff0000 on #00ff00")

SKIN_TONES = "".join(map(chr, range(0x1F3FB, 0x1F400)))
"""Alone they have no width that all agree on; they belong to the character before."""
printable_texts = st.text(
    st.characters(codec="utf-8", exclude_characters=SKIN_TONES).filter(str.isprintable), max_size=20
)
lines = st.lists(st.lists(st.tuples(printable_texts, st.sampled_from([PLAIN, LOUD, None]))), min_size=1, max_size=4)


def picture_of(*rows: list[tuple[str, Style | None]], title: str = "a") -> Picture:
    return Picture([Strip([Segment(text, style) for text, style in row]) for row in rows], title)


def cells_of(svg: str) -> dict[tuple[int, int], str]:
    """Each word of a drawing by the cell that it begins in; its cells must be as many as it has."""
    root = ET.fromstring(svg)  # noqa: S314 - made here
    found = {}
    for text in root.iter(f"{SVG}text"):
        x, width = (float(text.attrib[name]) / CELL_WIDTH for name in ("x", "textLength"))
        y = int(float(text.attrib["y"]) // LINE_HEIGHT)
        assert text.text is not None
        assert round(width, 3) == cell_len(text.text)
        found[y, round(x)] = text.text
    return found


def read(page: str) -> str:
    """The text of a page's body."""
    parts: list[str] = []

    class Reader(HTMLParser):
        inside = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in {"html", "head", "meta", "title", "style", "body", "pre", "span"}
            self.inside = self.inside or tag == "pre"

        def handle_endtag(self, tag: str) -> None:
            self.inside = self.inside and tag != "pre"

        def handle_data(self, data: str) -> None:
            if self.inside:
                parts.append(data)

    Reader(convert_charrefs=True).feed(page)
    return "".join(parts)


@given(lines)
def test_no_text_becomes_markup(rows: list[list[tuple[str, Style | None]]]) -> None:
    picture = picture_of(*rows)
    texts = ["".join(text for text, _ in row) for row in rows]
    assert read(picture.as_html()) == "\n".join(texts)
    drawn = cells_of(picture.as_svg())
    assert "".join("".join(word.split()) for word in drawn.values()) == "".join("".join(texts).split())
    assert picture.as_text() == "".join(f"{text.rstrip()}\n" for text in texts)


@pytest.mark.parametrize("hostile", ["</text><script>x</script>", "]]>&amp;", "a\x1b[31m\x00\u202eb", "\ud800"])
def test_hostile_text_is_text(hostile: str) -> None:
    picture = picture_of([(hostile, PLAIN)], title=hostile)
    for written in (picture.as_svg(), picture.as_html(), picture.as_text()):
        assert "<script" not in written.replace(hostile, "") or written == picture.as_text()
        assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800]", written) is None
    ET.fromstring(picture.as_svg())  # noqa: S314 - made here


def test_a_wide_character_has_two_cells() -> None:
    picture = picture_of([("a 状态 b ", PLAIN), ("c", LOUD)])
    assert cells_of(picture.as_svg()) == {(0, 0): "a", (0, 2): "状态", (0, 7): "b", (0, 9): "c"}
    assert picture.as_html().count('<span class="w">') == 2


def test_colours_and_weight_are_kept() -> None:
    picture = picture_of([("plain ", PLAIN), ("loud", LOUD)], [("plain again", PLAIN)])
    svg = picture.as_svg()
    assert '<rect width="100%" height="100%" rx="6" fill="#000000"/>' in svg
    assert f'<rect x="{6 * CELL_WIDTH:g}" y="0" width="{4 * CELL_WIDTH:g}" height="18" fill="#00ff00"' in svg
    assert 'fill="#ff0000" font-weight="bold" text-decoration="underline">loud</text>' in svg
    page = picture.as_html()
    assert "{ color: #ff0000; background: #00ff00; font-weight: bold; text-decoration: underline; }" in page


def test_reversed_and_dim_text_looks_so() -> None:
    svg = picture_of([("x", Style.parse("reverse #112233 on #445566")), ("y", Style.parse("dim #ffffff on #000000"))])
    assert 'fill="#445566">x</text>' in svg.as_svg()
    assert 'fill="#999999">y</text>' in svg.as_svg()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_real_screen_needs_nothing_from_elsewhere(language: str) -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=(120, 40), samples=3) as running:
            picture = Picture(terminal.lines_on(running.app._panel_screen), "tcptui")
            assert picture.as_text() == running.text + "\n"
            assert read(picture.as_html()).splitlines()[0].rstrip() == running.text.splitlines()[0]
            shown = running.text.splitlines()
            begins = [list(itertools.accumulate(map(cell_len, line), initial=0)) for line in shown]
            for (y, x), word in cells_of(picture.as_svg()).items():
                assert shown[y][begins[y].index(x) :].startswith(word)
            for written in (picture.as_svg(), picture.as_html()):
                foreign = written.replace("http://www.w3.org/2000/svg", "")
                assert not any(
                    each in foreign for each in ("http:", "https:", "url(", "@import", "@font-face", "<script")
                )

    with speaking(language):
        asyncio.run(run())
