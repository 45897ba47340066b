"""What changed between two samples, socket by socket."""

import functools

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.grid import Grid
from tcptui.analysis.matching import match_rows, positions
from tcptui.model.history import Transitions
from tcptui.model.states import STATE_COUNT
from tcptui.model.table import Mask, SocketTable, identities_of


def transitions(
    before: SocketTable, after: SocketTable, before_mask: Mask | None = None, after_mask: Mask | None = None
) -> Transitions:
    """Join two samples of one source by socket cookie.

    With masks, only sockets that a mask means are counted, but a socket is new or gone only if it is so in the whole
    table: one that has merely come to be meant, or is no longer, has neither opened nor closed.
    """
    old, new = before.rows, after.rows
    at = rows_before(before, after)
    is_known = at >= 0
    met = at[is_known]
    is_gone = np.ones(len(old), bool)
    is_gone[met] = False
    is_new = ~is_known
    if before_mask is not None:
        is_gone &= before_mask
    if after_mask is not None:
        is_new &= after_mask
        met, is_known = met[after_mask[is_known]], is_known & after_mask
    state_pairs = old["state"][met].astype(np.int64) * STATE_COUNT + new["state"][is_known]
    return Transitions(
        opened=np.bincount(new["state"][is_new], minlength=STATE_COUNT),
        closed=np.bincount(old["state"][is_gone], minlength=STATE_COUNT),
        moved=np.bincount(state_pairs, minlength=STATE_COUNT**2).reshape(STATE_COUNT, STATE_COUNT).astype(np.uint32),
    )


@functools.lru_cache(maxsize=1)
def rows_before(before: SocketTable, after: SocketTable) -> NDArray[np.int64]:
    """For each row of ``after`` the row of the same socket in ``before``, -1 where it has none.

    The newest answer is kept: while a filter is typed, each character is about the same two samples.
    """
    rising = identities_of(before.rows)[before.order]
    return np.append(before.order, -1)[positions(rising, identities_of(after.rows))]


def total_change(grid: Grid, before: Grid) -> NDArray[np.int64]:
    """For each row of ``grid`` how its total differs from the same row's in ``before``; a new row counts from 0."""
    totals = grid.columns["total"][0]
    at = match_rows(before.identities, grid.identities)
    previous = np.append(before.columns["total"][0], 0)
    return totals - previous[at]
