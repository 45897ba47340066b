"""Which theme is in force: one that was asked for, else the one chosen on the screen last, which is remembered."""

from __future__ import annotations

from tcptui.config.remembered import Remembered
from tcptui.language import tr
from tcptui.text import printable
from tcptui.tui.preferences import DEFAULT_THEME, THEME_NAMES, THEME_SECTION, Preferences


class ThemeChoice:
    """Holds the name of the theme."""

    def __init__(self, remembered: Remembered, preferences: Preferences) -> None:
        self._remembered = remembered
        self._path = preferences.path
        self.name = preferences.theme or self._last or DEFAULT_THEME

    @property
    def _last(self) -> str:
        """The theme chosen last; empty for none, or one that there is no more."""
        name = self._remembered.section(THEME_SECTION).get("name")
        return name if isinstance(name, str) and name in THEME_NAMES else ""

    def take(self, name: str) -> str:
        """Have another theme, and remember it; what to tell the user of that, empty for nothing."""
        if name == self.name:
            return ""
        self.name = name
        self._remembered.remember(THEME_SECTION, {"name": name})
        return tr("for now: {path} asks for another theme", path=printable(self._path)) if self._path else ""
