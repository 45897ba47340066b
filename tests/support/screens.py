"""The screen without a terminal: the real application over made-up samples that come exactly when a test wants them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable

from textual.pilot import Pilot

from tcptui.errors import SourceError
from tcptui.model.sample import Sample
from tcptui.monitor.presenter import Presenter
from tcptui.monitor.view import View
from tcptui.sources.base import ALL_STATES_MASK, Source, StatesMask
from tcptui.tui.app import TcptuiApp
from tcptui.tui.backend import Backend

SHORT_INTERVAL_S = 0.02


class GatedSource:
    """A source that hands out as many samples as it has been allowed to."""

    def __init__(self, source: Source, allowed: int) -> None:
        self._source = source
        self._gate = threading.Semaphore(allowed)
        self._is_closing = False
        self.given = 0
        """Samples handed out so far."""
        self.trouble: SourceError | None = None
        """Raised instead of the next sample."""

    def sample(self, states: StatesMask = ALL_STATES_MASK) -> Sample:
        self._gate.acquire()
        if self._is_closing:
            raise SourceError("closed")
        if self.trouble is not None:
            raise self.trouble
        self.given += 1
        return self._source.sample(states)

    def allow(self, count: int = 1) -> None:
        """Let ``count`` more samples pass."""
        self._gate.release(count)

    def let_go(self) -> None:
        """Wake a reader that waits, for the end of the test."""
        self._is_closing = True
        self._gate.release(1000)

    def close(self) -> None:
        self._source.close()


class RunningScreen:
    """The application, a pilot for its keys, and the gate for its samples."""

    def __init__(self, app: TcptuiApp, pilot: Pilot[int], source: GatedSource) -> None:
        self.app = app
        self.pilot = pilot
        self.source = source

    @property
    def text(self) -> str:
        """What the screen shows, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    async def press(self, *keys: str) -> None:
        """Press keys one after the other and let the screen settle."""
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause()

    async def wait_for(self, condition: Callable[[str], bool] | str) -> None:
        """Wait until the screen fulfils a condition or holds a text.

        Raises:
            AssertionError: it does not within ten seconds; shows the screen.
        """
        wanted = (lambda text: condition in text) if isinstance(condition, str) else condition
        for _ in range(1000):
            await self.pilot.pause()
            if wanted(self.text):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"the screen never showed {condition!r}; it shows:\n{self.text}")

    async def take_samples(self, count: int) -> None:
        """Let ``count`` samples come and be shown."""
        wanted = self.source.given + count
        self.source.allow(count)
        await self.wait_for(lambda _: self.source.given == wanted)
        newest = float(wanted - 1)
        await self.wait_for(lambda _: self._shown_at() == newest or self._is_paused())

    def _shown_at(self) -> float | None:
        """The demo clock of the sample on the screen."""
        presentation = self.app.presentation
        return presentation.frame.sample.monotonic_s if presentation and presentation.frame else None

    def _is_paused(self) -> bool:
        return self.app.presentation is not None and self.app.presentation.is_paused


@contextlib.asynccontextmanager
async def running_screen(
    source: Source, *, size: tuple[int, int] = (80, 24), view: View | None = None, samples: int = 1
) -> AsyncIterator[RunningScreen]:
    """The application with ``samples`` samples of ``source`` on the screen; no more come by themselves."""
    gated = GatedSource(source, samples)
    first_view = view or View()

    def start() -> Backend:
        return Backend(Presenter(gated, first_view, SHORT_INTERVAL_S), first_view)

    app = TcptuiApp(start)
    async with app.run_test(size=size) as pilot:
        running = RunningScreen(app, pilot, gated)
        try:
            if samples:
                await running.wait_for(lambda _: running._shown_at() == samples - 1)
            yield running
        finally:
            gated.let_go()
