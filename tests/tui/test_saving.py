"""Saving: what is offered, under which name, and what then is in the file."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, Paste
from textual.widgets import Input

from tcptui.config.remembered import Remembered
from tcptui.errors import OutputError, RequestError
from tcptui.model.fields import ViewKind
from tcptui.monitor.frame import build_frame
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.sources.demo import DemoSource
from tcptui.tui.picture import Picture
from tcptui.tui.save_screen import SaveScreen
from tcptui.tui.saving import (
    DEFAULT_PATTERN,
    FILE_FORMATS,
    PLACEHOLDERS,
    Disk,
    Downloads,
    Savable,
    Saving,
    What,
    formats_of,
    savable,
)
from tests.export.frames import frame, sample
from tests.support.screens import RunningScreen, running_screen

Scenario = Callable[[RunningScreen], Awaitable[None]]
NO_PICTURE = Picture([], "")
DIALOG = "╭─ Save ─"

choices = st.sampled_from([Saving(what, each.id) for what in What for each in formats_of(what)])
patterns = st.text(st.sampled_from("ab.{}~/ -_"), max_size=12).flatmap(
    lambda stem: st.sampled_from(["", *(each.ending for each in FILE_FORMATS), ".xml", ".{ending}", ".HTM"]).map(
        lambda ending: stem + ending
    )
)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def savable_of(kind: ViewKind = ViewKind.PEERS, filter_text: str = "", host: str = "web-3") -> Savable:
    return savable(frame(kind, filter_text, taken=sample(host=host)), NO_PICTURE, None, Disk())


# -- Choices -----------------------------------------------------------------------------------------------------------


def fits(saving: Saving) -> bool:
    return saving.format in [each.id for each in formats_of(saving.what)]


@given(choices, patterns, st.sampled_from(What), st.sampled_from(FILE_FORMATS))
def test_whatever_is_chosen_goes_together(saving: Saving, pattern: str, what: What, format: object) -> None:
    named = saving.with_pattern(pattern)
    assert fits(named)
    assert named.pattern == pattern
    other = named.with_what(what)
    assert fits(other)
    assert other.what is what
    assert other.with_pattern(other.pattern) == other, "the name's ending means the format"
    assert isinstance(format, type(FILE_FORMATS[0]))
    formed = named.with_format(format.id)
    assert fits(formed)
    assert formed.format == format.id
    assert formed.with_pattern(formed.pattern) == formed


@given(choices, patterns)
def test_choices_are_remembered(saving: Saving, pattern: str) -> None:
    named = saving.with_pattern(pattern)
    assert Saving.of(json.loads(json.dumps(named.plain()))) == (named if pattern else None)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"what": "view", "format": "svg", "pattern": "a.svg"},
        {"what": "screen", "format": "csv", "pattern": "a.csv"},
        {"what": "all", "format": "csv", "pattern": "a.csv"},
        {"what": "view", "format": "csv", "pattern": 3},
        {"what": "view", "format": ["csv"], "pattern": "a.csv"},
        {"what": ["view"], "format": "csv", "pattern": "a.csv"},
        {"what": "view", "format": "csv", "pattern": "a\x1b[31m.csv"},
        {"what": "view", "format": "csv", "pattern": "a" * 5000},
    ],
)
def test_what_is_not_understood_is_as_nothing(values: Mapping[str, object]) -> None:
    assert Saving.of(values) is None


@pytest.mark.parametrize(
    ("pattern", "format", "named"),
    [
        (DEFAULT_PATTERN, "csv", "tcptui-{host}-{view}-{time}.csv"),
        ("a.b.json", "html", "a.b.html"),
        ("a.htm", "html", "a.htm"),
        ("report", "csv", "report"),
        ("report.log", "csv", "report.log"),
        ("{view}.{ending}", "md", "{view}.{ending}"),
    ],
)
def test_another_format_exchanges_an_ending_that_means_one(pattern: str, format: str, named: str) -> None:
    assert Saving().with_pattern(pattern).with_format(format).pattern == named


def test_a_picture_is_of_the_screen_alone() -> None:
    assert Saving().with_format("svg").what is What.SCREEN
    assert Saving(What.MARKED).with_format("svg").with_pattern("a.csv").what is What.VIEW
    assert Saving(What.SCREEN, "html", "a").with_what(What.MARKED) == Saving(What.MARKED, "html", "a")


# -- Names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("saving", "name"),
    [
        (Saving(), "tcptui-web-3-peers-20260102-030405.txt"),
        (Saving(What.CONNECTIONS, "csv", "{view}.{ending}"), "connections.csv"),
        (Saving(What.SCREEN, "svg", "{view}{view}"), "screenscreen"),
        (Saving(pattern="~/{filter}.md"), "dst_10.0.0.0_8_or_nginx.md"),
        (Saving(pattern="{}{ a}{{host}"), "{}{ a}{web-3"),
        (Saving(pattern=" -"), "-"),
    ],
)
def test_a_name_says_what_is_in_the_file(saving: Saving, name: str, tmp_path: Path) -> None:
    assert savable_of(filter_text="dst 10.0.0.0/8 or nginx").path(saving) == str(tmp_path / name)


def test_a_name_without_a_filter_says_so(tmp_path: Path) -> None:
    assert savable_of().path(Saving(pattern="{filter}.txt")) == str(tmp_path / "all.txt")


@given(st.text(max_size=30))
def test_no_host_leads_out_of_the_folder(host: str) -> None:
    folder, name = os.path.split(savable_of(host=host).path(Saving(pattern="/somewhere/{host}x")))
    assert folder == "/somewhere"
    assert re.fullmatch(r"[\w.-]+", name)
    assert not name.startswith((".", "-"))


@pytest.mark.parametrize("pattern", ["", "  ", "/tmp/", "..", "~/"])
def test_a_name_must_be_there(pattern: str) -> None:
    with pytest.raises(RequestError, match="no name for the file"):
        savable_of().path(Saving(pattern=pattern))


def test_a_placeholder_must_mean_something() -> None:
    with pytest.raises(RequestError, match=r"\{hots\} stands for nothing") as caught:
        savable_of().path(Saving(pattern="{hots}.txt"))
    assert all(f"{{{name}}}" in caught.value.hint for name in PLACEHOLDERS)


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(OutputError, match="current folder is gone"):
        savable_of().path(Saving())
    assert savable_of().path(Saving(pattern="/x")) == "/x"


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("new.txt", ""),
        ("there.txt", "it exists"),
        ("folder", "is a folder"),
        ("none/x.txt", "there is no folder"),
        ("there.txt/x.txt", "there is no folder"),
        ("{what}.txt", "stands for nothing"),
    ],
)
def test_what_stands_in_the_way_is_known_before(pattern: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "there.txt").touch()
    (tmp_path / "folder").mkdir()
    outlook = savable_of().outlook(Saving(pattern=pattern))
    assert problem in outlook.problem
    assert bool(problem) == bool(outlook.problem)
    assert outlook.is_taken == (pattern == "there.txt")
    assert outlook.preview[0] == "tcptui · web-3 · peers"


def test_a_new_name_is_found_for_every_file(tmp_path: Path) -> None:
    saved = savable_of()
    saving = Saving(pattern="a.b.txt")
    assert [os.path.basename(saved.write_anew(saving)) for _ in range(3)] == ["a.b.txt", "a.b-2.txt", "a.b-3.txt"]
    assert len({path.read_text() for path in tmp_path.iterdir()}) == 1


def test_a_new_name_is_none_for_what_cannot_be_written() -> None:
    with pytest.raises(OutputError, match="make its folder first"):
        savable_of().write_anew(Saving(pattern="none/a.txt"))


def test_for_who_looks_from_elsewhere_nothing_is_written_here_and_nothing_told(tmp_path: Path) -> None:
    (tmp_path / "there.txt").touch()
    sent = []

    def send(path: str, content: str, *, overwrite: bool) -> None:  # noqa: ARG001 - the seam has it
        sent.append((path, content))

    saved = savable(frame(ViewKind.PEERS), NO_PICTURE, None, Downloads(send))
    saving = Saving(pattern=str(tmp_path / "there.txt"))
    outlook = saved.outlook(saving)
    assert (outlook.path, outlook.problem, outlook.is_taken) == ("there.txt", "", False)
    assert saved.write(saving, overwrite=True) == saved.write_anew(saving) == "there.txt"
    assert sent == [("there.txt", saved.content(saving))] * 2
    assert (tmp_path / "there.txt").read_text() == ""


# -- Content -----------------------------------------------------------------------------------------------------------


def test_connections_are_those_behind_the_rows() -> None:
    document = json.loads(savable_of(filter_text=":443").content(Saving(What.CONNECTIONS, "json")))
    assert (document["view"], document["filter"], len(document["rows"])) == ("connections", ":443", 4)
    assert document["command"] == "tcptui snapshot --view connections -N blue :443"


def test_in_a_view_of_connections_there_are_none_behind_it() -> None:
    saved = savable_of(ViewKind.CONNECTIONS)
    assert saved.offered == (What.VIEW, What.SCREEN)
    assert saved.fitted(Saving(What.CONNECTIONS, "csv", "a.csv")) == Saving(What.VIEW, "csv", "a.csv")


def test_marked_rows_are_a_view_of_their_own() -> None:
    whole = frame(ViewKind.PEERS)
    marked = View(ViewKind.PEERS, parse_filter("dst 10.9.9.9"))
    saved = savable(whole, NO_PICTURE, (marked, 1), Disk())
    document = json.loads(saved.content(Saving(What.MARKED, "json")))
    assert document["rows"] == json.loads(saved.content(Saving(What.VIEW, "json")))["rows"][-2:-1]
    assert document["rows"][0]["peer"] == "10.9.9.9"
    assert document["command"].endswith("'dst 10.9.9.9'")


@pytest.mark.parametrize("format", [each.id for each in formats_of(What.VIEW) if each.id != "html"])
def test_the_preview_is_how_the_file_begins(format: str) -> None:
    saved = savable_of()
    assert list(saved.preview(Saving(format=format))) == saved.content(Saving(format=format)).splitlines()


def test_the_preview_of_markup_is_how_it_reads() -> None:
    saved = savable_of()
    assert saved.preview(Saving(format="html")) == saved.preview(Saving(format="text"))


def test_the_preview_of_very_many_rows_is_short() -> None:
    crowd = DemoSource("leak").sample()
    saved = savable(build_frame(View(), crowd), NO_PICTURE, (View(ViewKind.PORTS), 1), Disk())
    assert len(saved.preview(Saving(What.MARKED, "csv"))) <= 101


# -- The dialog --------------------------------------------------------------------------------------------------------


def play(scenario: Scenario, *, size: tuple[int, int] = (80, 24), remembered: Remembered | None = None) -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=size, samples=3, remembered=remembered) as running:
            await scenario(running)

    asyncio.run(run())


async def is_saved(running: RunningScreen) -> None:
    await running.wait_for("✔ saved ")
    assert not isinstance(running.app.screen, SaveScreen)


async def type_name(running: RunningScreen, name: str) -> None:
    """At once, as a terminal hands on what is pasted."""
    await running.press("tab", "ctrl+u")
    running.app.screen.query_one(Input).post_message(Paste(name))
    await running.wait_for(lambda _: running.app.screen.query_one(Input).value == name)


async def click_on(running: RunningScreen, text: str) -> None:
    await running.wait_for(text)
    lines = running.text.splitlines()
    y = next(y for y, line in enumerate(lines) if text in line)
    await running.pilot.click(offset=(lines[y].index(text) + 1, y))
    await running.pilot.pause()


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
def test_everything_has_room(size: tuple[int, int]) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("t", "w")
        await running.wait_for("→ ")
        for text in (DIALOG, "the view, 2", "1 marked row", "connections", "the screen", "HTML", "Enter save", "Esc"):
            assert text in running.text
        assert "how it begins" in running.text
        await running.wait_for("tcptui · app-1 · peers")

    play(scenario, size=size)


def test_enter_saves_the_view_as_text(tmp_path: Path) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("w", "enter")
        await is_saved(running)

    play(scenario)
    (written,) = tmp_path.iterdir()
    assert written.name == "tcptui-app-1-peers-20260102-030407.txt"
    text = written.read_text()
    for part in ("host     app-1", "kernel   6.18.44", "2026-01-02 03:04:07 UTC", "CLOSE_WAIT", "made up", "10.1.7.1"):
        assert part in text
    assert "$ tcptui snapshot --view peers --demo leak\n$ ss -tan\n" in text


@pytest.mark.parametrize("format", formats_of(What.VIEW), ids=lambda each: each.id)
def test_a_letter_chooses_a_format(format: object, tmp_path: Path) -> None:
    assert isinstance(format, type(FILE_FORMATS[0]))

    async def scenario(running: RunningScreen) -> None:
        await running.press("w", format.key, "enter")
        await is_saved(running)

    play(scenario)
    (written,) = tmp_path.iterdir()
    assert written.suffix == format.ending
    assert "10.1.7.1" in written.read_text()


def test_arrows_choose_in_a_row_and_lead_to_others(tmp_path: Path) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("w", "right", "right", "left")
        await running.wait_for("● CSV")
        await running.press("left", "left")
        await running.wait_for("● HTML")
        await running.press("up", "right")
        await running.wait_for(lambda text: bool(re.search("● 5,[0-9]{3} connections", text)))
        await running.press("down", "down", "enter")
        await is_saved(running)

    play(scenario)
    (written,) = tmp_path.iterdir()
    assert written.name.startswith("tcptui-app-1-connections-")
    assert written.read_text().count("<tr>") > 5000


@pytest.mark.parametrize(("key", "start"), [("s", "<svg "), ("h", "<!DOCTYPE html>"), ("t", " app-1 · demo leak · ")])
def test_the_screen_is_saved_as_it_was_without_the_dialog(key: str, start: str, tmp_path: Path) -> None:
    before = []

    async def scenario(running: RunningScreen) -> None:
        before.append(running.text + "\n")
        await running.press("w", "3", key)
        await running.wait_for("● the screen")
        await running.press("enter")
        await is_saved(running)

    play(scenario)
    (written,) = tmp_path.iterdir()
    text = written.read_text()
    assert text.startswith(start)
    assert "how it begins" not in text
    assert key != "t" or [text] == before


def test_marked_rows_are_saved_alone(tmp_path: Path) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("t", "down", "t", "w", "2", "j")
        await running.wait_for("● 2 marked rows")
        await running.press("enter")
        await is_saved(running)

    play(scenario)
    (written,) = tmp_path.iterdir()
    assert [row["peer"] for row in json.loads(written.read_text())["rows"]] == ["10.1.7.1", "10.1.7.3"]


def test_the_ending_that_is_typed_chooses_the_format(tmp_path: Path) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("w")
        await type_name(running, "{view} of {host}.md")
        await running.wait_for("● Markdown")
        await running.wait_for("/peers of app-1.md")
        await running.press("enter")
        await is_saved(running)

    play(scenario)
    assert (tmp_path / "peers of app-1.md").read_text().startswith("# tcptui · app-1 · peers\n")


def test_the_dialog_can_be_done_by_mouse_alone(tmp_path: Path) -> None:
    async def scenario(running: RunningScreen) -> None:
        await click_on(running, "w save")
        await click_on(running, "connections  3")
        await click_on(running, "○ CSV")
        await running.wait_for("● CSV")
        await click_on(running, "Enter save")
        await is_saved(running)
        await running.press("escape")
        await running.pilot.pause()
        await running.app.run_action("save")
        await click_on(running, "Esc leave")
        assert not isinstance(running.app.screen, SaveScreen)

    play(scenario)
    (written,) = tmp_path.iterdir()
    assert written.name.startswith("tcptui-app-1-connections-")
    assert written.suffix == ".csv"


def test_nothing_is_overwritten_unless_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    async def scenario(running: RunningScreen) -> None:
        await running.press("w")
        assert "overwrite" not in running.text
        await type_name(running, "mine.txt")
        await running.wait_for("it exists: change the name, or overwrite it with Ctrl+O")
        await running.press("enter")
        await running.wait_for("exists: choose another name, or overwrite it with Ctrl+O")
        assert (tmp_path / "mine.txt").read_text() == "mine"
        await click_on(running, "Ctrl+O overwrite")
        await is_saved(running)

    play(scenario)
    assert (tmp_path / "mine.txt").read_text().startswith("tcptui · ")


@pytest.mark.parametrize("name", ["/proc/none/x.txt", "none/x.csv", "{foo}.txt", "x" * 256 + ".txt"])
def test_what_cannot_be_written_is_said_and_nothing_typed_is_lost(name: str, tmp_path: Path) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("w")
        await type_name(running, name)
        await running.press("enter")
        await running.wait_for(lambda text: "cannot write" in text or "stands for nothing" in text)
        screen = running.app.screen
        assert isinstance(screen, SaveScreen)
        assert screen._input.value == name
        assert screen._input.has_focus
        await running.press("ctrl+u", *"ok.txt", "enter")
        await is_saved(running)

    play(scenario, size=(120, 40))
    assert [path.name for path in tmp_path.iterdir()] == ["ok.txt"]


def test_escape_writes_and_remembers_nothing(tmp_path: Path) -> None:
    remembered = Remembered()

    async def scenario(running: RunningScreen) -> None:
        await running.press("w", "c", "escape")
        await running.wait_for("? explain")

    play(scenario, remembered=remembered)
    assert list(tmp_path.iterdir()) == []
    assert remembered.section("saving") == {}


def test_the_choices_are_there_in_the_next_run(tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")

    async def first(running: RunningScreen) -> None:
        await running.press("w", "2", "j")
        await type_name(running, "~/{view}.json")
        await running.press("enter")
        await is_saved(running)

    async def second(running: RunningScreen) -> None:
        await running.press("w")
        await running.wait_for("it exists")
        for text in ("● JSON", "~/{view}.json"):
            assert text in running.text
        assert re.search(r"● 5,\d{3} connections", running.text)

    play(first, remembered=Remembered(state))
    play(second, remembered=Remembered(state))


def test_saving_again_takes_a_new_name_each_time(tmp_path: Path) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("w", "c", "enter")
        await is_saved(running)
        await running.press("W")
        await running.wait_for(f"saved tcptui-app-1-peers-20260102-030407-2.csv in {tmp_path}"[:70])
        await running.take_samples(1)
        await running.press("2")
        await running.wait_for("[2 Proc")
        await running.press("W")
        await running.wait_for("saved tcptui-app-1-processes-20260102-030408.csv")

    play(scenario)
    assert len(list(tmp_path.iterdir())) == 3


def test_saving_again_asks_where_nothing_was_chosen_before(tmp_path: Path) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("W")
        await running.wait_for(DIALOG)
        await running.press("enter")
        await is_saved(running)
        await running.press("W")
        await running.wait_for("-2.txt")

    play(scenario)
    assert len(list(tmp_path.iterdir())) == 2


def test_saving_again_where_it_cannot_be_is_said_at_the_bottom() -> None:
    remembered = Remembered()
    remembered.remember("saving", Saving(pattern="/nowhere/x.txt").plain())

    async def scenario(running: RunningScreen) -> None:
        await running.press("W")
        await running.wait_for("✖ cannot write /nowhere/x.txt")

    play(scenario, remembered=remembered)


def test_keys_typed_after_enter_reach_the_panels(tmp_path: Path) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("w", "tab")
        for key in ("enter", "2"):
            await running.pilot.press(key)
        await running.wait_for("[2 Proc")

    play(scenario)
    assert len(list(tmp_path.iterdir())) == 1


def test_keys_that_come_at_once_take_effect_in_their_order(tmp_path: Path) -> None:
    """Over a slow line they come in bursts."""

    async def scenario(running: RunningScreen) -> None:
        for key in ("w", "j", "left", "right", "tab", "ctrl+u", *"tcw.htm", "enter", "2"):
            running.app.post_message(Key(key, key if len(key) == 1 else None))
        await is_saved(running)
        await running.wait_for("[2 Proc")

    play(scenario)
    assert (tmp_path / "tcw.htm").read_text().startswith("<!DOCTYPE html>")


def test_the_preview_scrolls() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("w", "j")
        await running.wait_for('"schema"')
        await running.press("pagedown")
        await running.wait_for(lambda text: '"schema"' not in text)
        await running.press("pageup")
        await running.wait_for('"schema"')

    play(scenario)
