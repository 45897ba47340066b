"""The language that the program speaks: messages stand in the code in English and are looked up when they are said.

``tr`` says a message, ``tr_n`` one that depends on a number, ``mark`` names one in a declaration that is said later.
The translations are gettext catalogues, ``locale/<language>/LC_MESSAGES/tcptui.po`` and the ``.mo`` made of it; a
message without one comes out in English, and a test fails. Explanations are not among them: their words are whole files
in ``explain/data``.

Which language it is belongs to the whole process, as in the standard library's gettext: it is chosen once, by the
command line, before anything is said. May not import anything of the program.

What programs read is the same in every language: JSON, CSV, field ids, filter words, names of states.
"""

import gettext
import os
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = ("en", "zh")
"""English, in which the messages are written, and those with a catalogue."""

DOMAIN = "tcptui"
CATALOGUES = Path(__file__).with_name("locale")

_NO_DOMAIN = "messages"
"""The one that gettext begins with."""

_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Where gettext looks for the user's languages, in this order."""

_spoken: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def speak(language: str) -> None:
    """Say everything in ``language`` from here on: one of ``LANGUAGES``."""
    global _spoken, _language  # noqa: PLW0603 - the one thing that the whole process shares
    _spoken = gettext.translation(DOMAIN, CATALOGUES, [language]) if language != "en" else gettext.NullTranslations()
    _language = language
    _let_libraries_speak(language)


def _let_libraries_speak(language: str) -> None:
    """Have what libraries say by way of the standard library's gettext, as click does, looked up in our catalogue.

    They ask for the user's language, which gettext reads from the environment alone.
    """
    if language == "en":
        gettext.textdomain(_NO_DOMAIN)
        return
    gettext.bindtextdomain(DOMAIN, CATALOGUES)
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = language


def spoken() -> str:
    """The language in force, one of ``LANGUAGES``."""
    return _language


def tr(message: str, /, **values: object) -> str:
    """``message`` in the language in force, with ``values`` in its braces."""
    said = _spoken.gettext(message) if message else ""
    return said.format_map(values) if values else said


def tr_n(one: str, many: str, count: int, /, **values: object) -> str:
    """The message for ``count`` things, with ``values`` in its braces."""
    return _spoken.ngettext(one, many, count).format_map(values)


def mark(message: str, /) -> str:
    """``message`` as it is, to be said later by ``tr``."""
    return message


def users_language(environment: Mapping[str, str]) -> str:
    """The language that a user's locale asks for, English where there is no catalogue for it.

    The first variable that is set decides; ``LANGUAGE`` may hold several, and counts only where the locale is not C,
    as in gettext.
    """
    asked = {name: environment.get(name, "") for name in _VARIABLES}
    locale = next((asked[name] for name in _VARIABLES[1:] if asked[name]), "")
    if not locale or _stem(locale) in ("c", "posix"):
        return "en"
    wanted = [*asked["LANGUAGE"].split(":"), locale]
    return next((stem for name in wanted if (stem := _stem(name)) in LANGUAGES), "en")


def _stem(locale: str) -> str:
    """The language of a locale's name: ``zh`` of ``zh_CN.UTF-8``."""
    return locale.replace(".", "_").replace("-", "_").replace("@", "_").partition("_")[0].lower()
