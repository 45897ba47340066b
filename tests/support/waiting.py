"""The one place where tests let time pass: look at the real thing until it is as wanted, or say what it was instead."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE_S = 0.01
"""Pause between two looks: well under the 40 ms of a delayed ACK, and long enough to leave the processor to others."""


class WaitedInVainError(AssertionError):
    """The deadline passed; the text has what was wanted and what was last seen."""


def wait_for(
    look: Callable[[], T],
    accept: Callable[[T], bool],
    *,
    wanted: str,
    seconds: float = 10.0,
    show: Callable[[T], str] = repr,
) -> T:
    """What ``look`` returned when ``accept`` first said yes to it.

    Raises:
        WaitedInVainError: ``accept`` did not say yes within ``seconds``.
    """
    deadline_s = time.monotonic() + seconds
    never_set = threading.Event()
    while True:
        seen = look()
        if accept(seen):
            return seen
        if time.monotonic() > deadline_s:
            raise WaitedInVainError(f"waited {seconds:g} s for {wanted}; last seen: {show(seen)}")
        never_set.wait(PAUSE_S)
