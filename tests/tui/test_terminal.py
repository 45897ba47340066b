"""The private parts of Textual that the program leans on are there."""

import asyncio
from inspect import signature

from textual import _compositor
from textual.app import App
from textual.command import CommandPalette
from textual.drivers._writer_thread import WriterThread
from textual.reactive import Reactive
from textual.screen import Screen

from tcptui.sources.demo import DemoSource
from tests.support.languages import speaking
from tests.support.screens import RunningScreen, running_screen


def test_the_hooks_are_there() -> None:
    assert callable(Screen._clear_arrangement_cache)
    assert callable(App._fatal_error)
    assert callable(App._close_messages_no_wait)
    assert callable(App._display)
    assert callable(App._begin_update)
    assert callable(App._end_update)
    assert {"chops", "spans", "chop_ends"} <= set(signature(_compositor.ChopsUpdate).parameters)
    assert {"strips", "region"} <= set(signature(_compositor.LayoutUpdate).parameters)
    assert callable(_compositor.Compositor.render_strips)
    assert callable(CommandPalette._start_no_matches_countdown)
    assert callable(CommandPalette._stop_no_matches_countdown)
    assert CommandPalette._NO_MATCHES
    assert CommandPalette._NO_MATCHES_COUNTDOWN > 0
    assert isinstance(CommandPalette._list_visible, Reactive)
    with open("/dev/null", "w") as nothing:
        assert WriterThread(nothing)._queue.qsize() == 0


def test_the_palette_says_so_where_nothing_matches() -> None:
    async def run(words: str) -> None:
        async with running_screen(DemoSource("calm")) as running:
            await running.press("ctrl+p", *"zzqqx")
            await running.wait_for(words)

    asyncio.run(run("No matches found"))
    with speaking("zh"):
        asyncio.run(run("没有"))


def test_a_headless_application_is_never_behind() -> None:
    async def run() -> None:
        async with running_screen(DemoSource("calm")) as running:
            assert not running.app.is_output_behind

    asyncio.run(run())


def test_a_defect_ends_the_screen_with_one_line() -> None:
    async def run() -> RunningScreen:
        async with running_screen(DemoSource("calm")) as running:
            running.app._exception = ValueError("planted")
            running.app._fatal_error()
            running.app._exception = None
            return running

    failure = asyncio.run(run()).app.failure
    assert failure is not None
    assert str(failure).startswith("internal error, ValueError: planted")
