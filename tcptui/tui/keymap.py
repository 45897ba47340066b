"""Which keys do what: those of the commands, with what the user has chosen instead.

May not know Textual: a keymap is checked before the screen is loaded.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tcptui.errors import nearest_hint
from tcptui.language import tr
from tcptui.text import shown
from tcptui.tui.commands import BY_ID, COMMANDS, KEYS_OF_PANELS
from tcptui.tui.keys import KEY_NAMES, key_called, key_text

if TYPE_CHECKING:
    from tcptui.config.settings import Config

SECTION = "keys"
_ARROWS_IN_WORDS = str.maketrans({"↑": "Up", "↓": "Down", "←": "Left", "→": "Right"})
_NO_KEY = "unbound"
"""For Textual, which takes an empty text for no wish: a key that no keyboard has."""


class Keymap:
    """The keys of every command, as Textual calls them."""

    def __init__(self, chosen: Mapping[str, tuple[str, ...]] | None = None, *, has_arrows: bool = True) -> None:
        """``chosen`` are the user's by command id; ``has_arrows`` unless only ASCII can be shown."""
        self.chosen = dict(chosen or {})
        self._keys = {command.id: tuple(command.keys.split(",")) for command in COMMANDS} | self.chosen
        self._has_arrows = has_arrows

    def keys(self, command_id: str) -> tuple[str, ...]:
        """The keys of a command; none where the user wants none."""
        return self._keys[command_id]

    def shown(self, command_id: str) -> str:
        """All keys of a command as a person reads them."""
        return " ".join(self._texts(command_id))

    def first(self, command_id: str) -> str:
        """The first of them, in few cells; empty where there is none."""
        return next(iter(self._texts(command_id)), "").replace("Ctrl+", "^")

    def say(self, message: str, /, **values: object) -> str:
        """``message`` in the language in force, with ``values`` in its braces, and keys where those name a command."""
        return tr(message, **self._first_keys, **values)

    @functools.cached_property
    def _first_keys(self) -> dict[str, str]:
        """The first key of every command."""
        return {command_id: self.first(command_id) or tr("(no key)") for command_id in self._keys}

    def plain(self, keys: str) -> str:
        """Keys as they are written in a text, without arrows where there are none."""
        return keys if self._has_arrows else keys.translate(_ARROWS_IN_WORDS)

    def _texts(self, command_id: str) -> list[str]:
        return [key_text(key, has_arrows=self._has_arrows) for key in self._keys[command_id]]

    @property
    def for_textual(self) -> dict[str, str]:
        """What ``App.set_keymap`` takes."""
        return {command_id: ",".join(keys) or _NO_KEY for command_id, keys in self.chosen.items()}


def chosen_keys(config: Config) -> Mapping[str, tuple[str, ...]]:
    """The keys that the user has chosen, by command id.

    Raises:
        RequestError: there is no such command or key, or a key would do two things.
    """
    chosen = {command_id: _keys_of(config, command_id, text) for command_id, text in config.keys.items()}
    keymap = Keymap(chosen)
    takers = {key: command.id for command in COMMANDS if command.id not in chosen for key in keymap.keys(command.id)}
    for command_id, keys in chosen.items():
        for key in keys:
            _refuse_taken(config, command_id, key, takers.get(key, ""))
            takers[key] = command_id
    return chosen


def _keys_of(config: Config, command_id: str, text: str) -> tuple[str, ...]:
    if command_id not in BY_ID:
        raise config.problem((SECTION, command_id), tr("there is no such command"), nearest_hint(command_id, BY_ID))
    keys = []
    for name in text.split(",") if text.strip() else ():
        key = key_called(name)
        if not key:
            problem = tr("there is no key '{name}'", name=shown(name.strip()))
            raise config.problem((SECTION, command_id), problem, _nearest_key(name.strip()))
        keys.append(key)
    return tuple(dict.fromkeys(keys))


def _nearest_key(name: str) -> str:
    hint = nearest_hint(name.rpartition("+")[2], KEY_NAMES)
    return hint if len(hint) < 60 else tr("write a character, or a name such as f5, ctrl+r, space, pageup, comma")


def _refuse_taken(config: Config, command_id: str, key: str, taker: str) -> None:
    if key in KEYS_OF_PANELS:
        problem = tr("{key} moves the cursor and cannot mean anything else", key=key_text(key))
        raise config.problem((SECTION, command_id), problem, tr("choose another key"))
    if taker:
        problem = tr("{key} is a key of {command} too", key=key_text(key), command=taker)
        hint = tr("choose another key, or give {command} others", command=taker)
        raise config.problem((SECTION, command_id), problem, hint)
