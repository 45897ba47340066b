"""Which processes hold which sockets."""

import numpy as np

from tcptui.model.owners import Owners, no_owners


def test_owners_are_compared_by_identity() -> None:
    """An array in an == would ask which element is meant."""
    inodes, pids = np.array([5, 5], np.uint32), np.array([1, 2], np.int32)
    owners = Owners(inodes, pids, {1: "parent", 2: "child"})
    assert owners == owners  # noqa: PLR0124 - that is the point
    assert owners != Owners(inodes, pids, owners.names)


def test_nobody_looked_means_nothing_known() -> None:
    owners = no_owners()
    assert [owners.inodes.tolist(), owners.pids.tolist(), dict(owners.names)] == [[], [], {}]
    assert [owners.inodes.dtype, owners.pids.dtype] == [np.dtype(np.uint32), np.dtype(np.int32)]
