"""Since when each socket is in its state, as far as it was watched."""

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.joins import match_sorted
from tcptui.model.table import Mask, Rows
from tcptui.query.request import EVERYTHING_PLAIN, Request

MOST_OUT_OF_SIGHT = 250_000
"""Sockets to remember that samples do not show; more are dropped, and are new when they come back."""


class Ages:
    """Remembers, by cookie, when a socket was first seen in its present state. Owned by one thread.

    A connection does not come back to a state that it has left (RFC 9293, figure 5), so a socket that is in the same
    state as when it was last seen is taken to have been in it all the time between. One that a program closes and uses
    anew under the same cookie between two samples cannot be told from that.
    """

    def __init__(self) -> None:
        self._cookies = np.zeros(0, np.uint64)
        """Rising."""
        self._states = np.zeros(0, np.uint8)
        self._since_s = np.zeros(0)
        self._is_in_sight = np.zeros(0, bool)
        """Whether the last sample had the socket."""
        self._request = EVERYTHING_PLAIN
        """What the last sample was taken for."""

    def __len__(self) -> int:
        return len(self._cookies)

    def update(self, rows: Rows, now_s: float, request: Request) -> NDArray[np.int64]:
        """Take the rows of a sample: how long each has been in its state at least, in milliseconds.

        Args:
            rows: of the sample.
            now_s: when it was taken.
            request: what it was taken for. A socket that it leaves out of sight is remembered; one that it should have
                in it and has not is forgotten: it is gone, or in another state.
        """
        cookies, states = rows["cookie"], rows["state"]
        since_s = np.full(len(rows), now_s)
        at = match_sorted(self._cookies, cookies)
        is_known = at >= 0
        stays = is_known.copy()
        stays[is_known] = self._states[at[is_known]] == states[is_known]
        since_s[stays] = self._since_s[at[stays]]
        kept = self._out_of_sight_of(request)
        kept[at[is_known]] = False
        if np.count_nonzero(kept) > MOST_OUT_OF_SIGHT:
            kept[:] = False
        known = np.concatenate((cookies, self._cookies[kept]))
        order = np.argsort(known)
        self._cookies = known[order]
        self._states = np.concatenate((states, self._states[kept]))[order]
        self._since_s = np.concatenate((since_s, self._since_s[kept]))[order]
        self._is_in_sight = order < len(rows)
        self._request = request
        return np.rint((now_s - since_s) * 1000).astype(np.int64)

    def _out_of_sight_of(self, request: Request) -> Mask:
        """The sockets that may be there although a sample for ``request`` does not have them."""
        if request.scope is None:
            return np.zeros(len(self), bool)
        sees_the_same = Request(request.scope).covers(Request(self._request.scope))
        return ~self._is_in_sight if sees_the_same else np.ones(len(self), bool)
