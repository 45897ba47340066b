"""Colours, once: tokens to theme variables, and variables to styles. Everything else speaks of tokens."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from tcptui.model.states import TcpState

STATE_COLOURS = {
    TcpState.LISTEN: "#9aa5b8",
    TcpState.SYN_SENT: "#4fb6e8",
    TcpState.SYN_RECV: "#3fd0c9",
    TcpState.ESTABLISHED: "#7ccf6b",
    TcpState.FIN_WAIT1: "#e8c34f",
    TcpState.FIN_WAIT2: "#c9a227",
    TcpState.CLOSING: "#d98cd9",
    TcpState.TIME_WAIT: "#8f9fd6",
    TcpState.CLOSE_WAIT: "#f0655e",
    TcpState.LAST_ACK: "#f09a52",
    TcpState.CLOSE: "#9aa5b8",
}

DARK = Theme(
    name="tcptui-dark",
    primary="#5fa8d3",
    secondary="#8f9fd6",
    accent="#e8c34f",
    foreground="#d5dae3",
    background="#11151c",
    surface="#161b24",
    panel="#222938",
    success="#7ccf6b",
    warning="#f09a52",
    error="#f0655e",
    dark=True,
)


def state_token(state: TcpState) -> str:
    """The theme variable that colours a state."""
    return f"state-{state.name.lower().replace('_', '-')}"


def variable_defaults() -> dict[str, str]:
    """Our tokens for themes that do not set them."""
    return {state_token(state): colour for state, colour in STATE_COLOURS.items()}


class Palette:
    """Styles by token, for one set of theme variables."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.text = self.style("foreground")
        self.dim = self.style("foreground-muted")
        self.strong = self.text + Style(bold=True)
        self.heading = self.style("primary") + Style(bold=True)
        self.good = self.style("success")
        self.warning = self.style("warning") + Style(bold=True)
        self.cursor = self.text + Style(reverse=True)

    @functools.lru_cache(maxsize=64)  # noqa: B019 - a palette lives as long as its theme
    def style(self, token: str) -> Style:
        """The style of a token; plain where the theme gives it no colour that can be mixed."""
        value = self.variables.get(token, "")
        try:
            return Style.from_color(Color.parse(value).rich_color) if value else Style()
        except ValueError:
            return Style()

    def emphasis(self, is_emphasised: bool) -> Style:  # noqa: FBT001 - the question is the argument
        """Bold, or nothing."""
        return Style(bold=True) if is_emphasised else Style()

    def state(self, state: TcpState) -> Style:
        """The style of a state."""
        return self.style(state_token(state))

    def state_rgb(self, state: TcpState) -> tuple[int, int, int]:
        """A state's colour as red, green and blue."""
        return Color.parse(self.variables[state_token(state)]).rgb
