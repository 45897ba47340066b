"""What a person wants to see in the chart: how much time, which states, on which scale; remembered between runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tcptui.config.remembered import Remembered
from tcptui.language import mark, tr
from tcptui.model.states import DISPLAY_ORDER, TcpState
from tcptui.tui.choice_screen import Choice

SECTION = "chart"

WINDOWS_S = (60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""Stretches of time to choose from."""

GLYPHS = {
    TcpState.LISTEN: "·",
    TcpState.SYN_SENT: "○",
    TcpState.SYN_RECV: "◎",
    TcpState.ESTABLISHED: "●",
    TcpState.FIN_WAIT1: "◇",
    TcpState.FIN_WAIT2: "◆",
    TcpState.CLOSING: "△",
    TcpState.TIME_WAIT: "▲",
    TcpState.CLOSE_WAIT: "■",
    TcpState.LAST_ACK: "□",
}
"""A mark for each state, so that no line is told by its colour alone."""


@dataclass(frozen=True)
class ChartChoice:
    """What the chart is to show."""

    window_s: int | None = None
    """Seconds, of ``WINDOWS_S``; None for the shortest of them that holds all there is."""
    hidden: frozenset[TcpState] = frozenset()
    shows_only_highlighted: bool = False
    is_logarithmic: bool = False

    @classmethod
    def of(cls, values: Mapping[str, object]) -> ChartChoice:
        """What ``plain`` has given; anything that is not understood is left out."""
        window_s, hidden = values.get("window_s"), values.get("hidden")
        return cls(
            next((each for each in WINDOWS_S if each == window_s), None),
            frozenset(state for state in DISPLAY_ORDER if isinstance(hidden, list) and state.name in hidden),
            values.get("shows_only_highlighted") is True,
            values.get("is_logarithmic") is True,
        )

    def plain(self) -> dict[str, object]:
        """As plain values to be remembered."""
        return {
            "window_s": self.window_s,
            "hidden": sorted(state.name for state in self.hidden),
            "shows_only_highlighted": self.shows_only_highlighted,
            "is_logarithmic": self.is_logarithmic,
        }

    def shows(self, state: TcpState, highlighted: TcpState) -> bool:
        """Whether there is to be a line for ``state``."""
        return state is highlighted if self.shows_only_highlighted else state not in self.hidden


class ChartChooser:
    """Holds the choice, and remembers it between runs."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered
        self.choice = ChartChoice.of(remembered.section(SECTION))

    def take(self, choice: ChartChoice) -> None:
        """Have another choice, and remember it."""
        self.choice = choice
        self._remembered.remember(SECTION, choice.plain())

    def toggle_scale(self) -> None:
        """A logarithmic scale, or a linear one."""
        self.take(replace(self.choice, is_logarithmic=not self.choice.is_logarithmic))

    def toggle_only_highlighted(self) -> None:
        """The highlighted state alone, or all that are not hidden."""
        self.take(replace(self.choice, shows_only_highlighted=not self.choice.shows_only_highlighted))

    def zoom(self, step: int, shown_s: int) -> bool:
        """Show more time, or less where ``step`` is negative, than is shown; False where there is no such window."""
        others = [each for each in WINDOWS_S if (each > shown_s) == (step > 0) and each != shown_s]
        if others:
            self.take(replace(self.choice, window_s=min(others) if step > 0 else max(others)))
        return bool(others)

    def choices(self) -> list[Choice]:
        """All that there is to choose."""
        choice = self.choice
        return [
            Choice("only", tr("only the highlighted state"), is_on=choice.shows_only_highlighted),
            *(Choice(state.name, f"{GLYPHS[state]} {state.name}", is_on=self._has(state)) for state in DISPLAY_ORDER),
            Choice("log", tr("logarithmic scale"), is_on=choice.is_logarithmic),
            Choice("window", tr("as much time as there is"), is_on=choice.window_s is None),
            *(
                Choice(
                    f"window {each}", tr("the last {length}", length=length_text(each)), is_on=choice.window_s == each
                )
                for each in WINDOWS_S
            ),
        ]

    def _has(self, state: TcpState) -> bool:
        return not self.choice.shows_only_highlighted and state not in self.choice.hidden

    def choose(self, choice_id: str) -> None:
        """Do what was chosen of ``choices``; a state that is chosen while only one is shown brings back the others."""
        choice = self.choice
        if choice_id == "only":
            self.toggle_only_highlighted()
        elif choice_id == "log":
            self.toggle_scale()
        elif choice_id.startswith("window"):
            seconds = choice_id.removeprefix("window").strip()
            self.take(replace(choice, window_s=int(seconds) if seconds else None))
        elif choice.shows_only_highlighted:
            self.take(replace(choice, shows_only_highlighted=False, hidden=choice.hidden - {TcpState[choice_id]}))
        else:
            self.take(replace(choice, hidden=choice.hidden ^ {TcpState[choice_id]}))


_UNITS = ((3600, mark("{count:.3g} h")), (60, mark("{count:.3g} min")), (0, mark("{count:.3g} s")))


def length_text(seconds: float) -> str:
    """A length of time in the largest unit of which it has one."""
    unit_s, text = next(each for each in _UNITS if seconds >= each[0])
    return tr(text, count=seconds / (unit_s or 1))
