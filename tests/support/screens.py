"""The screen without a terminal: the real application over made-up samples that come exactly when a test wants them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections.abc import AsyncIterator, Callable

from textual.events import MouseScrollDown
from textual.pilot import Pilot
from textual.widget import Widget

from tcptui.config.remembered import Remembered
from tcptui.errors import SourceError
from tcptui.model.sample import Sample, Whereabouts
from tcptui.model.table import Rows
from tcptui.monitor.judge import Judge
from tcptui.monitor.presenter import Presenter
from tcptui.monitor.view import View
from tcptui.query.names import Names
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.base import Source
from tcptui.tui.app import TcptuiApp
from tcptui.tui.backend import Backend
from tcptui.tui.preferences import Preferences

SHORT_INTERVAL_S = 0.02
_NO_NAMES = Names()


class GatedSource:
    """A source that hands out as many samples as it has been allowed to."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._gate = threading.Semaphore(0)
        self._is_closing = False
        self.trouble: SourceError | None = None
        """Raised instead of the next sample."""

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        self._gate.acquire()
        if self._is_closing:
            raise SourceError("closed")
        if self.trouble is not None:
            raise self.trouble
        return self._source.sample(request)

    def look(self, rows: Rows, budget_s: float = math.inf) -> Whereabouts | None:
        return self._source.look(rows, budget_s)

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

    async def turn_wheel(self, widget: Widget, steps: int) -> None:
        """Turn the mouse wheel down over ``widget``; the screen settles after the last step."""
        x, y = widget.region.x + 4, widget.region.y + 4
        for _ in range(steps):
            turned = MouseScrollDown(widget, x, y, 0, 0, 0, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y)
            self.app.screen._forward_event(turned)
        await self.pilot.pause()

    async def wait_for(self, condition: Callable[[str], bool] | str) -> None:
        """Wait until the screen fulfils a condition or holds a text.

        Raises:
            AssertionError: it does not within ten seconds; shows the screen.
        """
        wanted = (lambda text: condition in text) if isinstance(condition, str) else condition
        if not await self._wait_until(lambda: wanted(self.text)):
            raise AssertionError(f"the screen never showed {condition!r}; it shows:\n{self.text}")
        # What has been taken must be painted too.
        await self.pilot.pause()

    async def _wait_until(self, is_true: Callable[[], bool]) -> bool:
        """Whether something became true within ten seconds."""
        for _ in range(1000):
            await self.pilot.pause()
            if is_true():
                return True
            await asyncio.sleep(0.01)
        return False

    async def take_samples(self, count: int) -> None:
        """Let ``count`` samples come, each after the one before has been shown: a busy screen may leave some out."""
        for _ in range(count):
            before = self._taken
            self.source.allow()
            assert await self._wait_until(lambda before=before: self._taken > before), "no sample came"  # type: ignore[misc]
            assert await self._wait_until(self._has_verdict), "the sample was not judged"
        await self.pilot.pause()

    def _has_verdict(self) -> bool:
        """Whether the newest sample has been judged, as far as it can be, and that is on the screen."""
        backend, presentation = self.app._backend, self.app.presentation
        if backend is None or presentation is None or presentation is not backend.presenter.latest():
            return False
        judge, newest = backend.presenter._judge, backend.presenter._monitor.newest
        if judge is None or newest is None or judge.is_suspended or presentation.is_paused:
            return True
        return presentation.judgement is not None and presentation.judgement.at_s == newest.sample.monotonic_s

    @property
    def _taken(self) -> int:
        """How many samples the histories on and behind the screen hold; it grows with each sample."""
        backend = self.app._backend
        if backend is None:
            return 0
        monitor = backend.presenter._monitor
        return monitor._unfiltered._total + monitor._filtered._total


@contextlib.asynccontextmanager
async def running_screen(
    source: Source,
    *,
    size: tuple[int, int] = (80, 24),
    view: View | None = None,
    samples: int = 1,
    names: Names = _NO_NAMES,
    remembered: Remembered | None = None,
    application: type[TcptuiApp] = TcptuiApp,
    preferences: Preferences | None = None,
) -> AsyncIterator[RunningScreen]:
    """The application with ``samples`` samples of ``source`` on the screen; no more come by themselves."""
    gated = GatedSource(source)
    first_view = view or View()

    def start() -> Backend:
        judge = Judge(largest_share=math.inf)
        return Backend(Presenter(gated, first_view, SHORT_INTERVAL_S, judge), first_view, lambda: names)

    app = application(start, remembered, preferences)
    async with app.run_test(size=size) as pilot:
        running = RunningScreen(app, pilot, gated)
        try:
            await running.take_samples(samples)
            yield running
        finally:
            gated.let_go()
