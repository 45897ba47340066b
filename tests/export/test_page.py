"""Web pages: complete, closed to what they show, and reading nothing from elsewhere."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.attribution import attributed
from tcptui.analysis.grid import Grid
from tcptui.export.columns import cells, heading, shown_fields
from tcptui.export.formats import Format, render
from tcptui.export.head import commands, facts, title
from tcptui.model.fields import Field, ViewKind
from tcptui.monitor.frame import Frame
from tests.export.frames import DEGRADED, frame, sample
from tests.model.held import SSHD, whereabouts_of

every_kind = pytest.mark.parametrize("kind", ViewKind, ids=[kind.value for kind in ViewKind])

TEXTS = {"title", "h1", "dt", "dd", "th", "td", "pre", "p"}
"""Elements with nothing but text in them."""
KNOWN = TEXTS | {"html", "head", "meta", "style", "body", "dl", "table", "thead", "tbody", "tr"}
WITHOUT_END = {"meta"}


class Reader(HTMLParser):
    """What a browser makes of a page, as far as this is: elements one in another, and their texts."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {name: [] for name in TEXTS}
        self.rows: list[list[str]] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in KNOWN
        self.attributes += attrs
        if tag not in WITHOUT_END:
            self.open.append(tag)
        if tag in TEXTS:
            self.texts[tag].append("")
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        innermost = self.open[-1] if self.open else ""
        if innermost in TEXTS:
            self.texts[innermost][-1] += data
        elif innermost != "style":
            assert not data.strip()
        if innermost in ("th", "td"):
            self.rows[-1][-1] += data


def page_of(shown: Frame) -> Reader:
    return Reader(render(shown, Format.HTML))


@every_kind
def test_the_cells_are_those_of_the_table(kind: ViewKind) -> None:
    shown = frame(kind)
    fields = shown_fields(shown)
    assert page_of(shown).rows == [[heading(field) for field in fields], *cells(shown, shown.order, fields)]


def test_the_head_is_that_of_a_text_file() -> None:
    shown = frame(ViewKind.PEERS, "nginx or :22", taken=sample(degraded=DEGRADED))
    page = page_of(shown)
    told = facts(shown)
    assert page.texts["title"] == page.texts["h1"] == [title(shown)]
    assert page.texts["dt"] == [fact.label for fact in told]
    assert page.texts["dd"] == ["\n".join(fact.lines) for fact in told]
    assert page.texts["pre"] == ["\n".join(commands(shown))]


def test_a_page_says_how_many_rows_were_left_out() -> None:
    assert Reader(render(frame(ViewKind.CONNECTIONS), Format.HTML, limit=2)).texts["p"] == ["(5 more rows)"]
    assert page_of(frame(ViewKind.CONNECTIONS)).texts["p"] == []


def test_a_page_needs_nothing_from_elsewhere() -> None:
    """Neither by a link nor by its style; a browser is told so, too."""
    text = render(frame(ViewKind.CONNECTIONS), Format.HTML)
    attributes = Reader(text).attributes
    assert {name for name, _ in attributes} == {"lang", "charset", "http-equiv", "content", "name", "scope", "class"}
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in attributes
    assert not any(word in text for word in ("url(", "@import", "http://", "https://", "<script"))


class SpellingGrid(Grid):
    """A grid in which every cell has a text of somebody's choice."""

    spelling = ""

    def human(self, row: int, field: Field) -> str:
        return self.spelling


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_no_text_breaks_out_of_its_cell(text: str) -> None:
    shown = frame(ViewKind.PORTS)
    grid = SpellingGrid(**vars(shown.grid))
    object.__setattr__(grid, "spelling", text)
    fields = shown_fields(shown)
    _, *rows = page_of(replace(shown, grid=grid)).rows
    assert rows == [[text] * len(fields)] * len(shown.order)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</td></table>", "&lt;b&gt;", "\"'--><!--", "a]]>b"])
def test_a_process_cannot_break_out_of_a_page(name: str) -> None:
    hostile = replace(SSHD, name=name)
    taken = attributed(replace(sample(), whereabouts=whereabouts_of({21: (hostile,)})))
    assert any(name in cell for row in page_of(frame(ViewKind.CONNECTIONS, taken=taken)).rows for cell in row)


def test_a_host_cannot_break_out_of_a_page() -> None:
    page = page_of(frame(ViewKind.PEERS, taken=sample(host="</title><b>")))
    assert page.texts["title"] == ["tcptui · </title><b> · peers"]
