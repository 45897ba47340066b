"""Which processes hold which sockets."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Owners:
    """Which processes hold which sockets. Compared by identity."""

    inodes: NDArray[np.uint32]
    """Rising; a socket that several processes share stands once for each of them."""
    pids: NDArray[np.int32]
    """One for each inode."""
    names: Mapping[int, str]
    """Process name by pid (the kernel's ``comm``), printable."""


def no_owners() -> Owners:
    """What is known where nobody has looked at processes."""
    return Owners(np.zeros(0, np.uint32), np.zeros(0, np.int32), {})
