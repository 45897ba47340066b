"""The program in another language than English, for the length of a test."""

import contextlib
import os
from collections.abc import Iterator

from tcptui.language import speak


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything is said in ``language``; afterwards in English again."""
    before = os.environ.get("LANGUAGE")
    speak(language)
    try:
        yield
    finally:
        speak("en")
        os.environ.pop("LANGUAGE", None)
        if before is not None:
            os.environ["LANGUAGE"] = before
