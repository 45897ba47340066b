"""Colours, once: themes, tokens to theme variables, and variables to styles. Everything else speaks of tokens.

Text has tokens of its own (``body``, ``dim``, ``heading``, ``good``, ``alarm``, ``focus``, ``state-…``): a theme's own
colours are made for areas as well, and not all of them can be read on its background. Where one cannot, its token is
the nearest that can. So it is for every theme that there is, and for a terminal of 16 colours.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from rich.color import ColorSystem
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from tcptui.model.states import TcpState
from tcptui.tui.preferences import OWN_THEMES

LEAST_CONTRAST, HIGH_CONTRAST = 4.5, 7.0
"""Between text and what it stands on (WCAG 2, levels AA and AAA)."""
SPARE_CONTRAST = 0.1
"""What rounding to whole numbers may take."""
STEPS = 40
DIMMED, EDGE = 0.62, 0.4
"""How much of the foreground there is in text that matters less, and of the theme's own colour in a border."""

_DARK_STATES = {
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
_LIGHT_STATES = {
    TcpState.LISTEN: "#566173",
    TcpState.SYN_SENT: "#0a6aa1",
    TcpState.SYN_RECV: "#0b7772",
    TcpState.ESTABLISHED: "#2c7a1e",
    TcpState.FIN_WAIT1: "#876300",
    TcpState.FIN_WAIT2: "#6b5310",
    TcpState.CLOSING: "#96389a",
    TcpState.TIME_WAIT: "#4654ad",
    TcpState.CLOSE_WAIT: "#bd2018",
    TcpState.LAST_ACK: "#a5480b",
    TcpState.CLOSE: "#566173",
}
_CONTRAST_STATES = {
    TcpState.LISTEN: "#ffffff",
    TcpState.SYN_SENT: "#6cc8ff",
    TcpState.SYN_RECV: "#2ee6d6",
    TcpState.ESTABLISHED: "#5dff5d",
    TcpState.FIN_WAIT1: "#ffe14d",
    TcpState.FIN_WAIT2: "#c8a800",
    TcpState.CLOSING: "#ff9cff",
    TcpState.TIME_WAIT: "#b4b4ff",
    TcpState.CLOSE_WAIT: "#ff7a70",
    TcpState.LAST_ACK: "#ffa64d",
    TcpState.CLOSE: "#c8c8c8",
}
_SAFE_STATES = {
    TcpState.LISTEN: "#f9fff4",
    TcpState.SYN_SENT: "#53e4fb",
    TcpState.SYN_RECV: "#1594a0",
    TcpState.ESTABLISHED: "#35c1a9",
    TcpState.FIN_WAIT1: "#fdd027",
    TcpState.FIN_WAIT2: "#bde3ab",
    TcpState.CLOSING: "#bf54f5",
    TcpState.TIME_WAIT: "#b89aff",
    TcpState.CLOSE_WAIT: "#ed513a",
    TcpState.LAST_ACK: "#f19a1d",
    TcpState.CLOSE: "#c66078",
}
"""Found by a search for colours that stay apart for every kind of colour-blindness, by lightness where hue fails."""
_ANSI_STATES = {
    TcpState.LISTEN: "white",
    TcpState.SYN_SENT: "bright_blue",
    TcpState.SYN_RECV: "bright_cyan",
    TcpState.ESTABLISHED: "bright_green",
    TcpState.FIN_WAIT1: "bright_yellow",
    TcpState.FIN_WAIT2: "yellow",
    TcpState.CLOSING: "bright_magenta",
    TcpState.TIME_WAIT: "cyan",
    TcpState.CLOSE_WAIT: "bright_red",
    TcpState.LAST_ACK: "magenta",
    TcpState.CLOSE: "white",
}
_ANSI_STATES_ON_LIGHT = {
    TcpState.LISTEN: "bright_black",
    TcpState.SYN_SENT: "bright_blue",
    TcpState.SYN_RECV: "cyan",
    TcpState.ESTABLISHED: "green",
    TcpState.FIN_WAIT1: "yellow",
    TcpState.FIN_WAIT2: "black",
    TcpState.CLOSING: "magenta",
    TcpState.TIME_WAIT: "blue",
    TcpState.CLOSE_WAIT: "red",
    TcpState.LAST_ACK: "bright_red",
    TcpState.CLOSE: "bright_black",
}
"""For themes in the terminal's own 16 colours, whatever those are."""
_ANSI_NAMES = tuple(
    f"{brightness}{hue}"
    for brightness in ("", "bright_")
    for hue in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
)
"""By their numbers."""
_MATTERING = (
    *(TcpState.CLOSE_WAIT, TcpState.ESTABLISHED, TcpState.TIME_WAIT, TcpState.FIN_WAIT1, TcpState.SYN_RECV),
    *(TcpState.LAST_ACK, TcpState.SYN_SENT, TcpState.FIN_WAIT2, TcpState.LISTEN, TcpState.CLOSING, TcpState.CLOSE),
)
"""Which state has the first choice where there are too few colours for all."""


def state_token(state: TcpState) -> str:
    """The theme variable that colours a state."""
    return f"state-{state.name.lower().replace('_', '-')}"


def _state_variables(colours: Mapping[TcpState, str]) -> dict[str, str]:
    return {state_token(state): colour for state, colour in colours.items()}


DARK = Theme(
    name=OWN_THEMES[0],
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
LIGHT = Theme(
    name=OWN_THEMES[1],
    primary="#1f6693",
    secondary="#4654ad",
    accent="#875a00",
    foreground="#20252e",
    background="#fbfaf7",
    surface="#f2f1ec",
    panel="#e6e5df",
    success="#2c7a1e",
    warning="#a5480b",
    error="#bd2018",
    dark=False,
)
CONTRAST = Theme(
    name=OWN_THEMES[2],
    primary="#7fd4ff",
    secondary="#b4b4ff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    success="#5dff5d",
    warning="#ffb84d",
    error="#ff8a80",
    dark=True,
)
SAFE = Theme(
    name=OWN_THEMES[3],
    primary="#53b7fb",
    secondary="#b89aff",
    accent="#fdd027",
    foreground="#e4e7e2",
    background="#11151c",
    surface="#161b24",
    panel="#222938",
    success="#35c1a9",
    warning="#f19a1d",
    error="#ed513a",
    dark=True,
)
THEMES = (DARK, LIGHT, CONTRAST, SAFE)
"""Our own."""
_STATES = {DARK.name: _DARK_STATES, LIGHT.name: _LIGHT_STATES, CONTRAST.name: _CONTRAST_STATES, SAFE.name: _SAFE_STATES}
"""The states' colours by theme; others have those of our dark or our light one."""

COARSE_COLOURS = tuple(
    Color(*rgb)
    for rgb in (
        *(
            (0, 0, 0),
            (170, 0, 0),
            (0, 170, 0),
            (170, 85, 0),
            (0, 0, 170),
            (170, 0, 170),
            (0, 170, 170),
            (170, 170, 170),
        ),
        *((85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85), (85, 85, 255), (255, 85, 255), (85, 255, 255)),
        (255, 255, 255),
    )
)
"""The 16 of a terminal that has no others, as a VGA console has them, which Rich matches colours with."""


def contrast(one: Color, other: Color) -> float:
    """How well one colour can be told from another, from 1 to 21 (WCAG 2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable(colour: Color, grounds: Iterable[Color], least: float = LEAST_CONTRAST) -> Color:
    """The nearest of a colour's tints and shades that can be read on all ``grounds``; the best there is if none can."""
    grounds = list(grounds)
    ends = sorted((Color(0, 0, 0), Color(255, 255, 255)), key=lambda end: -_least_contrast(end, grounds))
    tones = (colour.blend(end, step / STEPS) for end in ends for step in range(STEPS + 1))
    enough = (tone for tone in tones if _least_contrast(tone, grounds) >= least + SPARE_CONTRAST)
    return next(enough, ends[0])


def _least_contrast(colour: Color, grounds: Iterable[Color]) -> float:
    return min(contrast(colour, ground) for ground in grounds)


def variable_defaults(theme: Theme, *, is_coarse: bool = False) -> dict[str, str]:
    """Our tokens, as far as the theme does not set them itself; ``is_coarse`` for a terminal of 16 colours."""
    return _ansi_tokens(theme) if theme.ansi else _tokens(theme, is_coarse=is_coarse)


def _ansi_tokens(theme: Theme) -> dict[str, str]:
    """In the terminal's own colours, of which nobody knows how they look: none is mixed or measured."""
    states = _ANSI_STATES if theme.dark else _ANSI_STATES_ON_LIGHT
    said = {"heading": theme.primary, "good": theme.success, "alarm": theme.warning, "focus": theme.accent}
    bright = {name: colour.replace("ansi_", "ansi_bright_") for name, colour in said.items() if colour and theme.dark}
    return {
        **{name: colour or "ansi_default" for name, colour in said.items()},
        **bright,
        **{state_token(state): f"ansi_{name}" for state, name in states.items()},
        "body": "ansi_default",
        "dim": "ansi_default",
        "bar": "ansi_default",
        "edge": theme.primary,
    }


def _tokens(theme: Theme, *, is_coarse: bool) -> dict[str, str]:
    variables = theme.to_color_system().generate()
    theirs = {name: Color.parse(variables[name]) for name in ("background", "panel", "foreground", "primary")}
    background, foreground = theirs["background"], theirs["foreground"]
    least = HIGH_CONTRAST if theme.name == CONTRAST.name else LEAST_CONTRAST
    ground = coarsened(background) if is_coarse else background
    body = readable(foreground, [ground])
    # Two grounds of 16 colours would leave too few for the text on both.
    bar = (
        ground
        if is_coarse
        else _near_enough(background.blend(theirs["panel"], theirs["panel"].a, alpha=1), ground, body)
    )
    usual = _DARK_STATES if theme.dark else _LIGHT_STATES
    wanted = {
        "heading": variables["primary"],
        "good": variables["success"],
        "alarm": variables["warning"],
        "focus": variables["accent"],
        "dim": foreground.blend(background, 1 - DIMMED).hex,
        **_state_variables(_STATES.get(theme.name, usual)),
    }
    colours = {name: Color(*Color.parse(value).rgb) for name, value in wanted.items()}
    found = (
        _coarse_tokens({"body": body, **colours}, ground, is_dark=theme.dark)
        if is_coarse
        else {"body": body}
        | {
            name: readable(colour, [ground] if _is_state(name) else [ground, bar], least)
            for name, colour in colours.items()
        }
    )
    edge = found["dim"] if is_coarse else background.blend(theirs["primary"], EDGE)
    return {name: colour.hex for name, colour in {**found, "bar": bar, "edge": edge}.items()}


def _near_enough(panel: Color, background: Color, text: Color) -> Color:
    """A panel on which the text of the background can be read too: as much of its own colour as that allows."""
    tones = (panel.blend(background, step / STEPS) for step in range(STEPS + 1))
    return next((tone for tone in tones if contrast(tone, text) >= LEAST_CONTRAST + SPARE_CONTRAST), background)


def _is_state(token: str) -> bool:
    return token.startswith("state-")


def coarsened(colour: Color) -> Color:
    """What a terminal of 16 colours makes of a colour."""
    number = colour.rich_color.downgrade(ColorSystem.STANDARD).number
    return COARSE_COLOURS[number or 0]


def _coarse_tokens(wanted: Mapping[str, Color], ground: Color, *, is_dark: bool) -> dict[str, Color]:
    """Of the 16 the nearest for each token that can be read; those of the states differ as long as there are others."""
    enough = [each for each in COARSE_COLOURS if contrast(each, ground) >= LEAST_CONTRAST]
    free = list(enough)
    found = {name: _nearest(colour, enough) for name, colour in wanted.items()}
    names = _ANSI_STATES if is_dark else _ANSI_STATES_ON_LIGHT
    for state in _MATTERING:
        colour = _nearest(COARSE_COLOURS[_ANSI_NAMES.index(names[state])], free or enough)
        found[state_token(state)] = colour
        free = [each for each in free if each != colour]
    return found


def _nearest(wanted: Color, colours: Iterable[Color]) -> Color:
    return min(colours, key=functools.partial(_distance, wanted))


def _distance(one: Color, other: Color) -> float:
    return sum((left - right) ** 2 for left, right in zip(one.rgb, other.rgb, strict=True))


class Palette:
    """Styles by token, for one set of theme variables."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.text = self.style("body")
        self.dim = self.style("dim")
        self.strong = self.text + Style(bold=True)
        self.heading = self.style("heading") + Style(bold=True)
        self.good = self.style("good")
        self.warning = self.style("alarm") + Style(bold=True)
        self.cursor = self.text + Style(reverse=True)
        self._bold, self._plain = Style(bold=True), Style()

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
        return self._bold if is_emphasised else self._plain

    def state(self, state: TcpState) -> Style:
        """The style of a state."""
        return self.style(state_token(state))

    def state_rgb(self, state: TcpState) -> tuple[int, int, int]:
        """A state's colour as red, green and blue."""
        return Color.parse(self.variables[state_token(state)]).rgb
