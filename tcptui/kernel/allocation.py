"""How the C library hands out memory to this process."""

import ctypes

LARGE_BYTES = 4 * 2**20
_M_MMAP_THRESHOLD = -3
"""``malloc.h`` of glibc."""


def give_back_large_memory() -> bool:
    """Have each piece of ``LARGE_BYTES`` or more given back to the kernel as soon as it is freed (mallopt(3)).

    By itself glibc does that only until the first such piece is freed: from then on it keeps those that are not larger,
    and the tables of 100,000 sockets, one a second, leave more than 10 MiB of holes. Whether the C library can be told:
    musl cannot.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES))
