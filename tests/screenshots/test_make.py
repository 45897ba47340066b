import asyncio
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from screenshots.make import (
    CELL_WIDTH,
    EXPORT_ORIGIN,
    PICTURES,
    SMALL,
    SVG,
    Picture,
    one_text_for_each_cell,
    screen_of,
    text_lines,
)

PEERS = Picture("peers", "leak", SMALL, "[1 Peers]")


@pytest.fixture(scope="module")
def svg() -> str:
    return asyncio.run(screen_of(PEERS, samples=3))


def test_the_same_scene_gives_the_same_picture(svg: str) -> None:
    assert asyncio.run(screen_of(PEERS, samples=3)) == svg


def test_the_picture_shows_the_scene_at_its_last_sample(svg: str) -> None:
    lines = text_lines(svg)
    assert len(lines) == SMALL[1]
    assert "app-1" in lines[0]
    assert "every 1s" in lines[0]
    assert any("CLOSE_WAIT" in line for line in lines)


def test_a_text_that_never_comes_is_an_error_that_shows_the_screen() -> None:
    with pytest.raises(TimeoutError, match=r"never showed 'no such text'(?s:.*)app-1"):
        asyncio.run(screen_of(replace(PEERS, shows="no such text"), samples=1, patience_s=0.5))


def test_every_character_is_placed_by_itself_and_none_is_lost(svg: str) -> None:
    root = ET.fromstring(one_text_for_each_cell(svg))  # noqa: S314 - made by ourselves
    cells: dict[float, dict[int, str]] = {}
    for text in root.iter(f"{SVG}text"):
        if "y" in text.attrib and "text-anchor" not in text.attrib:
            assert text.text is not None
            assert len(text.text) == 1
            cells.setdefault(float(text.attrib["y"]), {})[round(float(text.attrib["x"]) / CELL_WIDTH)] = text.text
    assert ["".join(line.get(x, " ") for x in range(max(line) + 1)).rstrip() for _, line in sorted(cells.items())] == [
        line.rstrip() for line in text_lines(svg)
    ]


def test_the_rewrite_finds_what_it_changes_in_the_export(svg: str) -> None:
    assert "font-size: 20px" in svg
    assert "font-family: Fira Code, monospace" in svg
    assert EXPORT_ORIGIN in svg
    rewritten = one_text_for_each_cell(svg)
    assert "font-size: 20px" not in rewritten
    assert EXPORT_ORIGIN not in rewritten
    assert "@font-face" not in rewritten
    assert "://" not in rewritten.replace("http://www.w3.org/", "")


def test_each_picture_has_a_name_of_its_own() -> None:
    assert len({picture.name for picture in PICTURES}) == len(PICTURES)
