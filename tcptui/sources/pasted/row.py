"""One socket as a line of text tells of it, and rows of the socket table made of many."""

import struct
from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tcptui.model.address import MAPPED_PREFIX
from tcptui.model.owners import Holders, Owners, Process, owners_of
from tcptui.model.states import TcpState
from tcptui.model.table import ROW, Rows
from tcptui.sources.pasted import facets
from tcptui.sources.pasted.endpoints import UNTOLD_PORT, Endpoint
from tcptui.text import printable

_CODES = {("u", 8): "Q", ("u", 4): "I", ("u", 2): "H", ("u", 1): "B"}
_PACKED = struct.Struct("=" + "".join(_CODES[ROW[name].kind, ROW[name].itemsize] for name in ROW.names or ()))
"""A row of the table as ``struct`` writes it: several times as fast as numpy takes a tuple."""

_HIGHEST_INODE = 0xFFFF_FFFF
_FIRST_STAND_IN_CGROUP = 1 << 48
"""Above all ids that a kernel gives: they are inodes of its file system of cgroups."""
_MOST_RETRANSMITS = 0xFF
_NO_DESCRIPTORS = (TcpState.TIME_WAIT, TcpState.SYN_RECV)
"""The kernel keeps no descriptor for any socket in these states (FACTS section 1, general rules)."""
_NO_INFO = (*_NO_DESCRIPTORS, TcpState.LISTEN)
"""States in which there is no peer to be heard, or the kernel keeps no ``tcp_info`` (FACTS section 6.2)."""


class ParsedRow:
    """One socket. What is not set is as the class has it: most lines set little, and there may be a million of them."""

    told = 0
    """What is known of it, as bits of ``facets``."""
    recv_queue = 0
    send_queue = 0
    timer = 0
    timer_ms = 0
    retransmits = 0
    uid = 0
    inode = 0
    cookie = 0
    cgroup = ""
    cgroup_id = 0
    """Where the path of the cgroup is not told, but its id."""
    rtt_us = 0
    total_retransmits = 0
    received_ago_ms = 0
    acknowledged_ago_ms = 0
    """Since the last data and the last acknowledgement of the peer."""
    holders: Sequence[tuple[int, str]] = ()
    """Process ids and names."""

    def __init__(self, state: int, local: Endpoint, remote: Endpoint, family: int) -> None:
        """``family`` is 4 or 6, or 0 where the text does not tell."""
        self.state = state
        self.local = local
        self.remote = remote
        self.family = family


class RowStore:
    """Rows, packed as they come: some 100 bytes for each, and no object."""

    def __init__(self) -> None:
        self._packed = bytearray()
        self.told = array("H")
        """What is known of each row."""
        self._holders: dict[int, Holders] = {}
        """By inode, or what stands for it."""
        self._groups: dict[tuple[tuple[int, str], ...], Holders] = {}
        self._cgroups: dict[str, int] = {}
        self._next_stand_in = _HIGHEST_INODE

    def __len__(self) -> int:
        return len(self.told)

    def add(self, row: ParsedRow) -> None:
        """Take a row; a number that is too large for its column is none that a kernel has.

        Raises:
            struct.error: it has such a number.
        """
        local_hi, local_lo, _, local_port = row.local
        remote_hi, remote_lo, _, remote_port = row.remote
        self._packed += _PACKED.pack(
            row.cookie,
            local_hi,
            local_lo,
            remote_hi,
            remote_lo,
            self._cgroup(row.cgroup) if row.cgroup else row.cgroup_id,
            row.timer_ms,
            row.recv_queue,
            row.send_queue,
            row.uid,
            self._inode(row) if row.holders else row.inode,
            0,
            0,
            row.rtt_us,
            row.total_retransmits,
            min(row.received_ago_ms, row.acknowledged_ago_ms),
            0 if local_port == UNTOLD_PORT else local_port,
            0 if remote_port == UNTOLD_PORT else remote_port,
            0,
            row.family,
            row.state,
            row.timer,
            min(_MOST_RETRANSMITS, row.retransmits),
            0,
        )
        self.told.append(row.told)

    def extend(self, rows: Rows, told: int) -> None:
        """Take many rows, of each of which ``told`` is known."""
        self._packed += rows.tobytes()
        self.told.extend([told] * len(rows))

    def rows(self) -> Rows:
        """All rows, which may be written to."""
        return np.frombuffer(self._packed, ROW).copy()

    def told_of_rows(self) -> NDArray[np.uint16]:
        """What is known of each row."""
        return np.frombuffer(self.told, np.uint16).copy() if self.told else np.zeros(0, np.uint16)

    def settle(self, start: int, told: int, any_family: int) -> None:
        """Settle what is told of all rows from ``start`` on, which are of one listing.

        What ``told`` has of timers and cgroups is known of each of them: a row without has none. If holders are told at
        all, nobody holds a row without a descriptor; if silence is, one without ``tcp_info`` is not silent.
        ``any_family`` is of whom ``*`` means any address.
        """
        if start >= len(self.told):
            return
        rows, told_of = np.frombuffer(self._packed, ROW)[start:], np.frombuffer(self.told, np.uint16)[start:]
        told_of |= np.uint16(told & ~(facets.HOLDERS | facets.SILENCE))
        if told & facets.HOLDERS:
            has_no_inode = (rows["inode"] == 0) & (told_of & np.uint16(facets.INODE) != 0)
            told_of[has_no_inode | np.isin(rows["state"], _NO_DESCRIPTORS)] |= np.uint16(facets.HOLDERS)
        if told & facets.SILENCE:
            is_orphan = (rows["state"] == TcpState.FIN_WAIT2) & (rows["inode"] == 0)
            told_of[is_orphan | np.isin(rows["state"], _NO_INFO)] |= np.uint16(facets.SILENCE)
        is_any = (rows["family"] == 0) & (rows["local_hi"] == 0)
        rows["family"][is_any] = any_family
        for end in ("local", "remote"):
            if any_family == 4:
                rows[f"{end}_lo"][is_any & (rows[f"{end}_hi"] == 0) & (rows[f"{end}_lo"] == 0)] = MAPPED_PREFIX

    def forget_from(self, length: int) -> None:
        """Take back all rows but the first ``length``."""
        del self._packed[length * ROW.itemsize :]
        del self.told[length:]

    def owners(self) -> Owners:
        """Who holds the rows."""
        return owners_of(self._holders)

    @property
    def cgroups(self) -> dict[int, str]:
        """Paths by what stands for their ids."""
        return {number: printable(path) for path, number in self._cgroups.items()}

    def _inode(self, row: ParsedRow) -> int:
        """The inode of a row with holders, or what stands for it where the text tells none."""
        inode = row.inode
        if not inode:
            inode, self._next_stand_in = self._next_stand_in, self._next_stand_in - 1
        key = tuple(row.holders)
        group = self._groups.get(key)
        if group is None:
            by_pid = dict(key)
            group = self._groups[key] = tuple(Process(pid, 0, printable(by_pid[pid])) for pid in sorted(by_pid))
        self._holders[inode] = group
        return inode

    def _cgroup(self, path: str) -> int:
        return self._cgroups.setdefault(path, _FIRST_STAND_IN_CGROUP + len(self._cgroups))


def told_fields(told: NDArray[np.uint16]) -> tuple[frozenset[str], dict[str, NDArray[np.bool_]]]:
    """The fields that no row tells; and of those that some tell, in which rows they are not told."""
    absent: set[str] = set(facets.NEVER_TOLD)
    untold: dict[str, NDArray[np.bool_]] = {}
    for bit, field_ids in facets.FIELDS.items():
        is_told = told & np.uint16(bit) != 0
        if not is_told.any():
            absent.update(field_ids)
        elif not is_told.all():
            untold.update(dict.fromkeys(field_ids, ~is_told))
    return frozenset(absent), untold
