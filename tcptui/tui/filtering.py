"""A filter as it is typed: each character narrows what is shown, and what cannot be understood changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tcptui.language import mark, tr
from tcptui.query.faults import FilterError

if TYPE_CHECKING:
    from tcptui.monitor.view import View
    from tcptui.tui.backend import Backend
    from tcptui.tui.prompt import Prompt

HINT = mark(":443, 10.0.0.0/8, nginx, state time-wait · Enter keep · Esc undo · F2 explain")
MOST_REMEMBERED = 100


class FilterHistory:
    """The filters that were kept, the newest last, each once."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def remember(self, text: str) -> None:
        """Put a filter at the end."""
        if text:
            self.texts = [*(each for each in self.texts if each != text), text][-MOST_REMEMBERED:]


class FilterTyping:
    """One time of typing a filter, from opening the prompt to keeping the filter or undoing it."""

    def __init__(
        self,
        prompt: Prompt,
        backend: Backend,
        view: View,
        show: Callable[[View], None],
    ) -> None:
        """``show`` is called with each view that the text asks for."""
        self._prompt = prompt
        self._backend = backend
        self._show = show
        self.before = view
        """The view to go back to."""
        self.view = view
        """The view with the last good filter."""

    def begin(self, history: FilterHistory) -> None:
        """Open the prompt."""
        self._backend.refresh_names()
        text = self.view.filter_text and f"{self.view.filter_text} "  # another condition can follow at once
        completer = self._backend.completion
        self._prompt.open("filter", tr("filter:"), text, tr(HINT), history=history.texts, completer=completer)

    def edited(self, text: str, *, is_final: bool = False) -> bool:
        """Narrow to what is typed so far; whether it can be understood.

        A last word that is only the beginning of something that is there is waited with, unless the text is final.
        """
        try:
            filter = self._backend.parsed(text)
        except FilterError as error:
            self._prompt.point(error.problem, error.hint, error.position)
            return False
        self._prompt.say(tr(HINT))
        if filter != self.view.filter and (is_final or not self._prompt.input.is_within_word):
            self.view = replace(self.view, filter=filter)
            self._show(self.view)
        return True
