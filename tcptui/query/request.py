"""What a filter asks of a source of samples."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from enum import Enum

from tcptui.model.detail import SocketKey
from tcptui.query.bytecode import kernel_can_tell
from tcptui.query.simplify import by_state
from tcptui.query.syntax import (
    NOTHING,
    AgeTest,
    AutoboundTest,
    CgroupTest,
    Expression,
    Filter,
    MarkTest,
    PidTest,
    ProcessTest,
    ServiceTest,
    conjuncts,
    tests_in,
)
from tcptui.query.words import STATE_GROUPS


class Need(Enum):
    """Something that a sample has only if it is asked for: it costs time that is spent for the filter alone."""

    OWNERS = "which processes hold the sockets"
    CGROUPS = "the paths of cgroups"
    MARKS = "firewall marks"
    AUTOBOUND = "whether the kernel chose the local port"
    TCP_INFO = "round-trip time, retransmissions and silence out of tcp_info"
    STRAIN = "counters of the receive path and of the firewall's table"
    LEAKS = "sockets that processes hold and no table shows"


FOUND_BESIDE = frozenset({Need.OWNERS, Need.CGROUPS})
"""What is found out apart from the sockets, and lasts from one sample to the next."""

_NEEDS = {
    PidTest: {Need.OWNERS},
    ProcessTest: {Need.OWNERS},
    CgroupTest: {Need.CGROUPS},
    ServiceTest: FOUND_BESIDE,
    MarkTest: {Need.MARKS},
    AutoboundTest: {Need.AUTOBOUND},
}


@dataclass(frozen=True)
class Request:
    """What the next sample must have in it."""

    scope: Expression | None = None
    """Sockets for which it does not hold may be left out, but for listeners; None: none may."""
    needs: frozenset[Need] = frozenset()
    watched: SocketKey | None = None
    """The socket to tell more of (``Sample.detail``)."""
    is_glance: bool = False
    """Whether nothing but the rows is looked at: counters and parameters, most of a small sample, may be left out."""

    @property
    def of_sockets(self) -> Request:
        """The same without what is found out beside the sockets."""
        return replace(self, needs=self.needs - FOUND_BESIDE)

    def covers(self, other: Request) -> bool:
        """Whether a sample taken for this request is good for the other one too.

        It sees that ``a and b`` is within ``a``; where one scope is within another for less plain reasons, it says no.
        """
        if not self.needs >= other.needs or other.watched not in (None, self.watched) or self.is_glance:
            return False
        if self.scope is None:
            return True
        return other.scope is not None and set(conjuncts(self.scope)) <= set(conjuncts(other.scope))


EVERYTHING_PLAIN = Request()
"""All sockets, and no more than their rows."""


def request_for(filter: Filter | None, needs: frozenset[Need] = frozenset()) -> Request:
    """What a sample needs to answer ``filter``, and nothing that it does not ask, beside ``needs``."""
    if filter is None:
        return Request(needs=needs)
    asked = frozenset().union(*(_NEEDS.get(type(test), ()) for test in tests_in(filter.expression)))
    return Request(filter.expression, asked | needs)


GLANCE = Request(scope=NOTHING, is_glance=True)
"""The listeners alone, which every sample has."""


@functools.lru_cache(maxsize=16)
def follows_sockets(request: Request) -> bool:
    """Whether a socket that a sample for ``request`` has stays in the samples after it until it is closed.

    Not where the kernel leaves out states: there a socket also comes and goes by changing its state.
    """
    if request.scope is None:
        return True
    return all(
        states == STATE_GROUPS["all"]
        for family in (4, 6)
        for states in by_state(request.scope, kernel_can_tell, family).values()
    )


def asks_for_age(expression: Expression) -> bool:
    """Whether time in a state decides, which takes more than one sample."""
    return any(isinstance(test, AgeTest) for test in tests_in(expression))
