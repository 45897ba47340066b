"""Rows counted by group and state."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import Codes, Column
from tcptui.model.states import ALL_STATES, STATE_COUNT, TcpState
from tcptui.model.table import Rows


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows assigned to groups."""

    codes: Codes
    """For each row the number of its group."""
    rows: Rows
    size: int
    """Number of groups."""


def matrix(groups: Groups) -> dict[str, Column]:
    """For each group its total, a count for each state, and the queues of its connections."""
    cells = groups.codes * STATE_COUNT + groups.rows["state"]
    counts = np.bincount(cells, minlength=groups.size * STATE_COUNT).reshape(groups.size, STATE_COUNT)
    recv, send = queue_sums(groups.rows, groups.codes, groups.size)
    columns: dict[str, Column] = {
        "total": (counts.sum(axis=1),),
        "recv_queue_bytes": (recv,),
        "send_queue_bytes": (send,),
    }
    return columns | {state.name: (counts[:, state],) for state in ALL_STATES}


def queue_sums(rows: Rows, codes: NDArray[np.generic], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bytes in the receive and send queues of each group; a listener's queues count connections and are left out."""
    sums = []
    for name in ("recv_queue_bytes", "send_queue_bytes"):
        queued = np.flatnonzero(rows[name])
        queued = queued[rows["state"][queued] != TcpState.LISTEN]
        weights = rows[name][queued]
        sums.append(np.bincount(codes[queued], weights=weights, minlength=size).astype(np.int64))
    return sums[0], sums[1]
