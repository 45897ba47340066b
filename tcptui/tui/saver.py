"""What ``w`` and ``W`` do: the dialog, the writing beside the screen's thread, and the word about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from textual.app import App

from tcptui.config.remembered import Remembered
from tcptui.errors import TcptuiError
from tcptui.tui.save_screen import SaveScreen
from tcptui.tui.saving import Savable, Saving

SECTION = "saving"
"""Where the last choices are remembered."""


class Teller(Protocol):
    """Says something at the bottom of the screen."""

    def __call__(self, text: str, *, is_error: bool = False) -> None:
        """Say it."""


class Saver:
    """Saves by the choices made in the dialog, and again by the last ones."""

    def __init__(self, app: App[int], remembered: Remembered, tell: Teller) -> None:
        self._app = app
        self._remembered = remembered
        self._tell = tell

    async def ask(self, savable: Savable) -> None:
        """Have a person choose what to save, and where; the next key is the dialog's."""
        save = partial(self._save, savable)
        await self._app.push_screen(SaveScreen(savable, savable.fitted(self._last or Saving()), save))

    async def save_again(self, savable: Savable) -> None:
        """Save by the last choices under a new name; without any, ask."""
        last = self._last
        if last is None:
            await self.ask(savable)
        else:
            write = partial(savable.write_anew, savable.fitted(last))
            self._write(write, lambda path: self._tell(savable.store.word_of(path)), self._refuse)

    @property
    def _last(self) -> Saving | None:
        """What was chosen last, if that is known."""
        return Saving.of(self._remembered.section(SECTION))

    def _save(self, savable: Savable, screen: SaveScreen, saving: Saving, *, overwrite: bool) -> None:
        def saved(path: str) -> None:
            self._remembered.remember(SECTION, saving.plain())
            screen.finish()
            self._tell(savable.store.word_of(path))

        def refused(error: TcptuiError) -> None:
            if not screen.refuse(str(error).replace("--force", "Ctrl+O")):
                self._refuse(error)

        self._write(partial(savable.write, saving, overwrite=overwrite), saved, refused)

    def _write(
        self, write: Callable[[], str], saved: Callable[[str], None], refused: Callable[[TcptuiError], None]
    ) -> None:
        """Write in a thread, and go on in this one."""

        def work() -> None:
            try:
                path = write()
            except TcptuiError as error:
                self._app.call_from_thread(refused, error)
            else:
                self._app.call_from_thread(saved, path)

        self._app.run_worker(work, group="save", description="write a file", thread=True)

    def _refuse(self, error: TcptuiError) -> None:
        self._tell(str(error), is_error=True)
