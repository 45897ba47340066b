"""What every source of samples offers."""

import math
from collections.abc import Iterable
from typing import Protocol

from tcptui.model.sample import Sample, Whereabouts
from tcptui.model.states import NEW_SYN_RECV, TcpState
from tcptui.model.table import Rows
from tcptui.query.request import EVERYTHING_PLAIN, Request

StatesMask = int
"""A bit for each state number, as ``idiag_states`` has it."""


def states_mask(states: Iterable[TcpState]) -> StatesMask:
    """The mask of ``states``; SYN_RECV brings its kernel-internal twin along (FACTS section 1)."""
    mask = 0
    for state in states:
        mask |= 1 << state
        if state is TcpState.SYN_RECV:
            mask |= 1 << NEW_SYN_RECV
    return mask


def family_options(families: Iterable[int]) -> tuple[str, ...]:
    """The options that choose these address families; both are the default."""
    chosen = tuple(families)
    return (f"-{chosen[0]}",) if len(chosen) == 1 else ()


class Source(Protocol):
    """Gives one sample after another. Used by one thread at a time."""

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        """A look at the sockets: all that ``request`` asks for, and perhaps more.

        Raises:
            SourceError: nothing can be read any more.
        """

    def look(self, rows: Rows, budget_s: float = math.inf) -> Whereabouts | None:
        """Find out who holds the sockets in ``rows``, as far as it is not known, for about ``budget_s`` at most.

        The same object as before if nothing is new; None where processes are not to be seen at all.
        """

    def close(self) -> None:
        """Give back what the source holds open."""
