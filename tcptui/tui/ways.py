"""Where a row leads to.

From a connection to its peer, process, service, listener and other end; from a group to what is behind it, by any other
grouping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tcptui.analysis.listening import endpoints, listener_of
from tcptui.language import mark, tr
from tcptui.model.fields import FIELDS, Value, ViewKind, endpoint_text
from tcptui.model.states import TcpState
from tcptui.monitor.frame import Frame
from tcptui.monitor.view import View

Finder = Callable[[Frame], "Value | None"]
"""The identity of the row to go to, in a frame of the other view; None where it is not there."""

_BEHIND = {
    ViewKind.CONNECTIONS: mark("its connections"),
    ViewKind.PEERS: mark("by peer"),
    ViewKind.PROCESSES: mark("by process"),
    ViewKind.SERVICES: mark("by service"),
    ViewKind.PORTS: mark("by local port"),
}
"""What can be asked of a group's connections; said by ``tr``."""


@dataclass(frozen=True)
class Way:
    """Somewhere to go."""

    id: str
    text: str
    about: str
    view: View
    finder: Finder | None = None
    """Where to put the cursor there; None for the first row."""


def ways_from(frame: Frame, row: int, opened: Callable[[Frame, int], View]) -> list[Way]:
    """All there is for a row of the frame; ``opened`` gives the view of a group's connections."""
    if frame.view.kind is ViewKind.CONNECTIONS:
        return list(_from_connection(frame, row))
    if not frame.view.kind.is_matrix:
        return []
    behind = opened(frame, row)
    return [
        Way(kind.value, tr(text), "", behind.of_kind(kind.value))
        for kind, text in _BEHIND.items()
        if kind is not frame.view.kind
    ]


def _from_connection(frame: Frame, row: int) -> Iterator[Way]:
    everything = replace(frame.view, filter=None, watched=None)
    here = replace(frame.view, watched=None)
    is_listener = int(frame.grid.columns["state"][0][row]) == TcpState.LISTEN
    if not is_listener:
        peer = frame.grid.human(row, FIELDS["remote_address"])
        yield Way("peer", tr("peer"), peer, replace(here.of_kind("peers"), prefix=None), _at_text("peer", peer))
    process = frame.grid.shown(row, FIELDS["process"])
    yield Way("process", tr("process"), process, here.of_kind("processes"), _process_of(frame, row))
    service = frame.grid.human(row, FIELDS["service"])
    yield Way("service", tr("service"), service, here.of_kind("services"), _at_text("service", service))
    listener = _listener_of(frame, row)
    if listener is not None:
        end = endpoint_text(listener)
        yield Way("listener", tr("listener"), end, everything.of_kind("listeners"), _at_text("local", end))
    other_end = None if is_listener else _other_end(frame, row)
    if other_end is not None:
        holder = frame.grid.shown(other_end, FIELDS["process"])
        identity = frame.grid.identity(other_end)
        yield Way("other_end", tr("other end, on this machine"), holder, everything, lambda _frame: identity)


def _at_text(field_id: str, text: str) -> Finder:
    """The row that has ``text`` in its key column."""

    def find(frame: Frame) -> Value | None:
        field, grid = FIELDS[field_id], frame.grid
        return next((grid.identity(row) for row in frame.order.tolist() if grid.human(row, field) == text), None)

    return find


def _process_of(frame: Frame, row: int) -> Finder:
    """The row of the processes view that the connection counts in."""
    attribution = frame.sample.attribution
    code = -1 if attribution is None else int(attribution.codes[row])
    holders = attribution.groups[code] if attribution is not None and code >= 0 else None
    standing = 0 if attribution is None else int(attribution.standing[row])

    def find(frame: Frame) -> Value | None:
        attribution = frame.sample.attribution
        groups = attribution.groups if attribution is not None else ()
        if attribution is None or (holders is not None and holders not in groups):
            return None
        return frame.grid.identity(len(groups) + standing if holders is None else groups.index(holders))

    return find


def _listener_of(frame: Frame, row: int) -> tuple[int, int, int] | None:
    """The endpoint that the connection came in at; None for one that was made from here."""
    rows = frame.sample.table.rows
    listeners = endpoints(rows, np.flatnonzero(rows["state"] == TcpState.LISTEN))
    if not len(listeners[0]):
        return None
    code = int(listener_of(endpoints(rows, np.array([row])), listeners)[0])
    return None if code < 0 else (int(listeners[0][code]), int(listeners[1][code]), int(listeners[2][code]))


def _other_end(frame: Frame, row: int) -> int | None:
    """The row of the socket at the other end, if that is in the table too."""
    rows = frame.sample.table.rows
    this = rows[row]
    swapped = (("local_port", "remote_port"), ("local_lo", "remote_lo"), ("local_hi", "remote_hi"))
    found = np.flatnonzero(rows["local_port"] == this["remote_port"])
    for local, remote in swapped:
        found = found[(rows[local][found] == this[remote]) & (rows[remote][found] == this[local])]
    found = found[found != row]
    return int(found[0]) if len(found) else None
