"""Every theme can be read, on every terminal, by everybody; and the one that was chosen stays."""

import asyncio
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tcptui.config.remembered import Remembered
from tcptui.model.states import DISPLAY_ORDER, TcpState
from tcptui.sources.demo import DemoSource
from tcptui.tui.preferences import DEFAULT_THEME, OWN_THEMES, TEXTUAL_THEMES, THEME_NAMES, Preferences
from tcptui.tui.theme import (
    COARSE_COLOURS,
    CONTRAST,
    HIGH_CONTRAST,
    LEAST_CONTRAST,
    SAFE,
    THEMES,
    Palette,
    coarsened,
    contrast,
    readable,
    state_token,
    variable_defaults,
)
from tests.support.screens import running_screen

ALL_THEMES = {theme.name: theme for theme in (*THEMES, *BUILTIN_THEMES.values())}
MIXED = [theme for theme in ALL_THEMES.values() if not theme.ansi]
ON_BACKGROUND = ("body", "dim", "heading", "good", "alarm", "focus", *map(state_token, TcpState))
ON_BARS = ("body", "dim", "heading", "good", "alarm")

Rgb = tuple[float, float, float]
Matrix = tuple[Rgb, Rgb, Rgb]

SIGHT: dict[str, Matrix] = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""What becomes of linear red, green and blue (Machado, Oliveira and Fernandes 2009, severity 1)."""
_CONES: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_OKLAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
"""Linear sRGB to cones, and the cube roots of those to lightness and two hues (Ottosson 2020)."""
APART = 0.075
"""In Oklab; two neighbouring greys of which an eye can just tell that they differ are 0.02 apart."""


def times(matrix: Matrix, vector: Rgb) -> Rgb:
    red, green, blue = (sum(factor * part for factor, part in zip(row, vector, strict=True)) for row in matrix)
    return red, green, blue


def seen(colour: Color, sight: Matrix) -> Rgb:
    """Where a colour lies for an eye."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    simulated = times(sight, (red, green, blue))
    long, middle, short = (max(part, 0) ** (1 / 3) for part in times(_CONES, simulated))
    return times(_OKLAB, (long, middle, short))


def distance(one: Color, other: Color, sight: Matrix) -> float:
    return sum((left - right) ** 2 for left, right in zip(seen(one, sight), seen(other, sight), strict=True)) ** 0.5


def colours_of(theme: Theme, *, is_coarse: bool = False) -> dict[str, Color]:
    """Everything that the screen is drawn with."""
    variables = variable_defaults(theme, is_coarse=is_coarse)
    background = Color.parse(theme.to_color_system().generate()["background"])
    return {"background": background} | {name: Color.parse(value) for name, value in variables.items()}


@pytest.mark.parametrize("theme", MIXED, ids=lambda theme: theme.name)
def test_text_can_be_read_in_every_theme(theme: Theme) -> None:
    colours = colours_of(theme)
    least = HIGH_CONTRAST if theme is CONTRAST else LEAST_CONTRAST
    for grounds, names in (("background", ON_BACKGROUND), ("bar", ON_BARS)):
        assert {name for name in names if contrast(colours[name], colours[grounds]) < least} == set()


@pytest.mark.parametrize("theme", MIXED, ids=lambda theme: theme.name)
def test_text_can_be_read_in_every_theme_in_16_colours(theme: Theme) -> None:
    colours = {name: coarsened(colour) for name, colour in colours_of(theme, is_coarse=True).items()}
    assert {name for name in ON_BACKGROUND if contrast(colours[name], colours["background"]) < LEAST_CONTRAST} == set()
    assert colours["bar"] == colours["background"]


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_16_colours_keep_as_many_states_apart_as_they_can(theme: Theme) -> None:
    colours = colours_of(theme, is_coarse=True)
    states = {coarsened(colours[state_token(state)]) for state in DISPLAY_ORDER}
    readable_ones = [
        each for each in COARSE_COLOURS if contrast(each, coarsened(colours["background"])) >= LEAST_CONTRAST
    ]
    assert len(states) == min(len(readable_ones), len(DISPLAY_ORDER))


def test_what_rich_makes_of_16_colours_is_known() -> None:
    for number, colour in enumerate(COARSE_COLOURS):
        assert colour.rich_color.downgrade(ColorSystem.STANDARD).number == number


@pytest.mark.parametrize("sight", SIGHT)
def test_every_eye_tells_the_states_apart_in_the_safe_theme(sight: str) -> None:
    colours = colours_of(SAFE)
    pairs = itertools.combinations((colours[state_token(state)] for state in TcpState), 2)
    assert min(distance(one, other, SIGHT[sight]) for one, other in pairs) >= APART


def test_that_tells_the_safe_theme_from_others() -> None:
    """A bar that every theme clears would prove nothing."""
    colours = colours_of(ALL_THEMES[DEFAULT_THEME])
    pairs = list(itertools.combinations((colours[state_token(state)] for state in DISPLAY_ORDER), 2))
    assert min(distance(one, other, sight) for one, other in pairs for sight in SIGHT.values()) < APART / 2


@pytest.mark.parametrize("name", ["ansi-dark", "ansi-light"])
def test_a_theme_in_the_terminals_colours_mixes_none(name: str) -> None:
    variables = variable_defaults(ALL_THEMES[name])
    assert all(value.startswith("ansi_") for value in variables.values())
    assert len({variables[state_token(state)] for state in DISPLAY_ORDER}) == len(DISPLAY_ORDER)
    palette = Palette(variables)
    assert all(palette.style(token).color is not None for token in variables)


@given(st.tuples(*[st.integers(0, 255)] * 3), st.tuples(*[st.integers(0, 255)] * 3))
def test_a_colour_becomes_readable_on_any_ground(colour: tuple[int, int, int], ground: tuple[int, int, int]) -> None:
    found = readable(Color(*colour), [Color(*ground)])
    assert contrast(found, Color(*ground)) >= LEAST_CONTRAST
    if contrast(Color(*colour), Color(*ground)) > LEAST_CONTRAST + 0.2:
        assert found == Color(*colour)


def test_the_names_of_all_themes_are_known() -> None:
    assert set(TEXTUAL_THEMES) == set(BUILTIN_THEMES)
    assert tuple(theme.name for theme in THEMES) == OWN_THEMES
    assert len(set(THEME_NAMES)) == len(THEME_NAMES)


# -- On the screen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", THEME_NAMES)
def test_every_theme_renders(name: str) -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), preferences=Preferences(theme=name)) as running:
            assert running.app.theme == name
            assert "CLOSE_WAIT" in running.text
            await running.press("m")
            await running.wait_for("State machine")

    asyncio.run(run())


def test_a_theme_chosen_on_the_screen_is_there_in_the_next_run(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")

    async def choose(name: str, preferences: Preferences) -> str:
        async with running_screen(DemoSource("calm"), remembered=Remembered(path), preferences=preferences) as running:
            begun_with = running.app.theme
            running.app.search_themes()
            await running.wait_for("Search for themes")
            await running.press(*name, "enter", "enter")
            assert running.app.theme == name
            await running.pilot.pause()
            return begun_with

    assert asyncio.run(choose("nord", Preferences())) == DEFAULT_THEME
    assert asyncio.run(choose("gruvbox", Preferences())) == "nord"
    assert asyncio.run(choose("dracula", Preferences(theme="monokai"))) == "monokai"
    assert Remembered(path).section("theme") == {"name": "dracula"}
    Remembered(path).remember("theme", {"name": "no such theme"})
    assert asyncio.run(choose("nord", Preferences())) == DEFAULT_THEME


def test_where_the_configuration_asks_for_a_theme_another_holds_for_now() -> None:
    async def run() -> None:
        preferences = Preferences(theme="nord", path="/etc/config.toml")
        async with running_screen(DemoSource("calm"), preferences=preferences) as running:
            running.app.theme = "gruvbox"
            await running.wait_for("for now: /etc/config.toml asks for another theme")

    asyncio.run(run())


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=(120, 40), samples=3) as running:
            strips = running.app.screen._compositor.render_strips()
            styles = {segment.style for strip in strips for segment in strip if segment.style is not None}
            colours = {
                colour.triplet for style in styles for colour in (style.color, style.bgcolor) if colour is not None
            }
            assert {triplet for triplet in colours if triplet is not None and len(set(triplet)) > 1} == set()

    asyncio.run(run())
