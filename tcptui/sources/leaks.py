"""TCP sockets that processes hold and no table shows: reset or timed out, and never closed by their program.

The kernel has taken such a socket out of its tables (FACTS section 1.7); a descriptor is the only trace that is left.
What else is in no table of TCP: sockets of other protocols, told apart by the name that the kernel gives them, those of
other network namespaces, and those that were opened between the dump and the look, which the next look does not find.
"""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import distinct, positions
from tcptui.kernel.processes import ProcessFolder
from tcptui.model.owners import Owners, Process
from tcptui.model.table import Rows

LEAST = 10
"""Processes with fewer sockets in no table are not looked at: each has some of other protocols."""
MOST_READ = 20_000
"""Descriptors that are read in one look; what is left waits for the next."""

_PROTOCOLS = {4: "TCP", 6: "TCPv6"}
"""``struct proto.name`` of ``net/ipv4/tcp_ipv4.c`` and ``net/ipv6/tcp_ipv6.c``."""

Inodes = NDArray[np.int64]


class LeakFinder:
    """Finds them from one look to the next. Owned by one thread."""

    def __init__(self, families: Iterable[int] = (4, 6), proc: str = "/proc") -> None:
        """Know nothing yet; sockets of these families are in the tables while they are open."""
        self._protocols = frozenset(_PROTOCOLS[family] for family in families)
        self._proc = proc
        self._others: Inodes = np.zeros(0, np.int64)
        """Rising; sockets that are known to be of another protocol or namespace."""
        self._unlisted: Mapping[Process, Inodes] = {}
        """What the look before found; rising."""

    def look(self, rows: Rows, owners: Owners, namespaces: Collection[int]) -> Mapping[Process, int]:
        """How many each process has held since the look before at least.

        Args:
            rows: all sockets of ``namespaces``.
            owners: what the processes hold, whatever it is.
            namespaces: inodes of the network namespaces that are looked at.
        """
        held = owners.inodes.astype(np.int64)
        self._others = self._others[positions(held, self._others) >= 0]
        listed = distinct(np.concatenate((rows["inode"].astype(np.int64), self._others)))
        is_candidate = positions(listed, held) < 0
        candidates = held[is_candidate]
        counts = np.bincount(owners.codes[is_candidate], minlength=len(owners.groups))
        before, self._unlisted = self._unlisted, {}
        found, left = {}, MOST_READ
        for code in np.flatnonzero(counts >= LEAST).tolist():
            process = owners.groups[code][0]
            left -= owners.descriptors[process.pid].open if process.pid in owners.descriptors else 0
            if left < 0:
                break
            self._unlisted[process] = inodes = self._tcp_sockets(process, candidates, namespaces)
            stays = int(np.count_nonzero(positions(before[process], inodes) >= 0)) if process in before else 0
            if stays:
                found[process] = stays
        return found

    def _tcp_sockets(self, process: Process, candidates: Inodes, namespaces: Collection[int]) -> Inodes:
        """Those of ``candidates``, which rise, that are TCP sockets which the process has open now; rising."""
        try:
            with ProcessFolder(process.pid, self._proc) as folder:
                numbers = folder.descriptors()
                inodes = folder.socket_inodes(numbers.tolist())
                is_wanted = positions(candidates, inodes) >= 0
                numbers, inodes = numbers[is_wanted], inodes[is_wanted]
                is_here = folder.network_namespace() in namespaces
                is_tcp = np.array(
                    [is_here and folder.socket_protocol(each) in self._protocols for each in numbers.tolist()], bool
                )
        except OSError:  # it has ended, or does not show its descriptors
            return np.zeros(0, np.int64)
        self._others = distinct(np.concatenate((self._others, inodes[~is_tcp])))
        return distinct(inodes[is_tcp])
