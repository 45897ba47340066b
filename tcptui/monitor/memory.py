"""What is known of each socket beyond the present sample: since when it is in its state, who held it, in which cgroup.

The kernel forgets the owner of a connection that its program has closed, but not its cookie (FACTS section 6.5), so
what was seen before it was closed still belongs to it.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.attribution import Remembered, holders_of
from tcptui.analysis.matching import Column, factorize_column, match_rows, positions
from tcptui.model.owners import Holders, Owners
from tcptui.model.sample import Destroyed, Sample
from tcptui.model.states import TcpState
from tcptui.model.table import Mask, Rows, identities_of
from tcptui.query.request import EVERYTHING_PLAIN, Request, follows_sockets

MOST_OUT_OF_SIGHT = 1_000_000
"""Sockets to remember that samples do not show, at 40 bytes; more are dropped, and are new when they come back."""
MOST_GONE = 250_000
"""Sockets that have left the table, of which it is remembered that they were there."""
MOST_PIECES = 64
SPARE_GROUPS = 256
"""So many groups of holders more than twice those that sockets have are remembered; then the others are dropped."""


class _Entries(NamedTuple):
    """What is kept of sockets: a column each, since they are gone through as a whole several times a sample."""

    identity: NDArray[Any]
    """Of type ``u8``; rising."""
    state: NDArray[Any]
    since_s: NDArray[Any]
    cgroup_id: NDArray[Any]
    inode: NDArray[Any]
    """The last that it was seen with; 0 if it never had one."""
    holders: NDArray[Any]
    """Of type ``i4``: index of a group, or -1."""
    is_watched: NDArray[Any]
    """Whether it came into its state under watch."""
    is_late: NDArray[Any]
    """Whether it came into being under watch."""
    is_in_sight: NDArray[Any]
    """Whether the last sample had it."""

    def at(self, index: NDArray[np.int64] | Mask) -> "_Entries":
        """Those at ``index``."""
        return _Entries(*(column[index] for column in self))


def _no_entries() -> _Entries:
    types = {"identity": "u8", "state": "u1", "since_s": "f8", "cgroup_id": "u8", "inode": "u4", "holders": "i4"}
    return _Entries(*(np.zeros(0, types.get(name, "?")) for name in _Entries._fields))


@dataclass(frozen=True, eq=False)
class Recollection:
    """What is remembered of the rows of a sample; one entry a row."""

    age_ms: NDArray[np.int64]
    """How long each has been in its state at least."""
    is_watched: Mask
    """Whether that is all of it, to an interval."""
    remembered: Remembered
    brief: Destroyed | None
    """Sockets that came and went without being in any sample; None where that cannot be told."""


class Memory:
    """Remembers sockets by their identity. Owned by one thread.

    A connection does not come back to a state that it has left (RFC 9293, figure 5), so a socket that is in the same
    state as when it was last seen is taken to have been in it all the time between. One that a program closes and uses
    anew under the same cookie between two samples cannot be told from that.
    """

    def __init__(self) -> None:
        """Remember nothing."""
        self._entries = _no_entries()
        self._order = np.zeros(0, np.int64)
        """The rows of the last sample in the order of their identities."""
        self._gone: list[NDArray[np.uint64]] = []
        """Identities that have left the table, in pieces."""
        self._request: Request | None = None
        """What the last sample was taken for."""
        self._groups: dict[Holders, int] = {}
        """Index of each group of holders; equal ones are the same processes, perhaps under a new name."""
        self._group_list: list[Holders] = []
        self._most_groups = SPARE_GROUPS
        self._owners: Owners | None = None
        self._translation = np.full(1, -1, np.int32)
        """Our index for each of the owners' groups; -1 behind them."""

    def __len__(self) -> int:
        return len(self._entries.identity)

    def update(self, sample: Sample, request: Request = EVERYTHING_PLAIN) -> Recollection:
        """Take a new sample: what is remembered of its rows.

        ``request`` is what it was taken for. A socket that it leaves out of sight is remembered; one that it should
        have in it and has not is forgotten: it is gone, or in another state.
        """
        rows = sample.table.rows
        self._note_groups(sample.owners)
        self._order = sample.table.order
        identities = identities_of(rows)[self._order]
        at = positions(self._entries.identity, identities)
        sees_more = self._request is None or not self._saw_all_of(request)
        self._keep(self._entries_of(identities, at, sample, request), at, request)
        self._request = request
        is_held = self._take_holders(rows, sample.owners)
        brief = None if sees_more or sample.destroyed is None else self._brief(sample.destroyed, rows)
        return self._recollection(sample, is_held, brief)

    def learn(self, sample: Sample) -> Recollection:
        """Take what has been found out about the owners of the last sample's rows meanwhile."""
        self._note_groups(sample.owners)
        return self._recollection(sample, self._take_holders(sample.table.rows, sample.owners), sample.destroyed)

    def _entries_of(
        self, identities: NDArray[np.uint64], at: NDArray[np.int64], sample: Sample, request: Request
    ) -> _Entries:
        """An entry for each of ``identities``, which rise; ``at`` says where each was before, or -1."""
        rows = sample.table.rows
        is_watched = self._request is not None and self._saw_all_of(request)
        new = _Entries(
            identity=identities,
            state=rows["state"][self._order],
            since_s=np.full(len(identities), sample.monotonic_s),
            cgroup_id=rows["cgroup_id"][self._order],
            inode=rows["inode"][self._order],
            holders=np.full(len(identities), -1, np.int32),
            is_watched=np.full(len(identities), is_watched),
            # Out of a sample that leaves out states, one may have been missing because of the state that it was in.
            is_late=np.full(len(identities), is_watched and follows_sockets(request)),
            is_in_sight=np.ones(len(identities), bool),
        )
        known = np.flatnonzero(at >= 0)
        before = self._entries.at(at[known])
        stays = before.state == new.state[known]
        new.since_s[known[stays]] = before.since_s[stays]
        new.is_watched[known] = np.where(stays, before.is_watched, before.is_in_sight)
        new.is_late[known] = before.is_late
        new.holders[known] = before.holders
        closed = new.inode[known] == 0
        new.inode[known[closed]] = before.inode[closed]
        lost = new.cgroup_id[known] == 0
        new.cgroup_id[known[lost]] = before.cgroup_id[lost]
        return new

    def _keep(self, new: _Entries, at: NDArray[np.int64], request: Request) -> None:
        """Put the new entries in the place of the old ones, of which those stay that the sample does not show."""
        kept = self._out_of_sight_of(request)
        kept[at[at >= 0]] = False
        is_gone = ~kept
        is_gone[at[at >= 0]] = False
        self._note_gone(self._entries.identity[is_gone])
        if not kept.any():
            self._entries = new
            return
        if np.count_nonzero(kept) > MOST_OUT_OF_SIGHT:
            candidates = np.flatnonzero(kept)
            dearest = np.argsort(self._entries.holders[candidates] < 0, kind="stable")[:MOST_OUT_OF_SIGHT]
            kept[:] = False
            kept[candidates[dearest]] = True
        old = self._entries.at(kept)._replace(is_in_sight=np.zeros(np.count_nonzero(kept), bool))
        together = _Entries(*(np.concatenate(pair) for pair in zip(new, old, strict=True)))
        self._entries = together.at(np.argsort(together.identity))

    def _note_gone(self, identities: NDArray[np.uint64]) -> None:
        """Remember that these were there: their destroy events may come late."""
        if len(identities):
            self._gone.append(identities)
        if len(self._gone) > MOST_PIECES or sum(map(len, self._gone)) > MOST_GONE:
            self._gone = [np.concatenate(self._gone)[-MOST_GONE:]]

    def _brief(self, destroyed: Destroyed, rows: Rows) -> Destroyed:
        """The sockets among ``destroyed`` that no sample has shown.

        One that this side closed has its event when it enters TIME_WAIT, and is in the next sample; with its cookie
        only if it was in a sample before, for a cookie is given when somebody looks first. One that was reset has its
        event when its program closes the descriptor, however long it is out of the table by then.
        """
        freed = identities_of(destroyed.rows)
        is_seen = positions(self._entries.identity, freed) >= 0
        if not is_seen.all() and self._gone:
            is_seen |= positions(np.sort(np.concatenate(self._gone)), freed) >= 0
        closed_by_us = rows[np.isin(rows["state"], (TcpState.FIN_WAIT2, TcpState.TIME_WAIT)) & (rows["inode"] == 0)]
        unseen = np.flatnonzero(~is_seen)
        left_behind, _ = factorize_column(_ends(closed_by_us))
        is_seen[unseen] = match_rows(left_behind, _ends(destroyed.rows[unseen])) >= 0
        return replace(destroyed, rows=destroyed.rows[~is_seen])

    def _out_of_sight_of(self, request: Request) -> Mask:
        """The sockets that may be there although a sample for ``request`` does not have them."""
        if request.scope is None:
            return np.zeros(len(self), bool)
        has_all_of_the_last = Request(request.scope).covers(Request(self._last_request.scope))
        return ~self._entries.is_in_sight if has_all_of_the_last else np.ones(len(self), bool)

    def _saw_all_of(self, request: Request) -> bool:
        """Whether the last sample had all that one for ``request`` has."""
        return Request(self._last_request.scope).covers(Request(request.scope))

    @property
    def _last_request(self) -> Request:
        return EVERYTHING_PLAIN if self._request is None else self._request

    # -- Holders -------------------------------------------------------------------------------------------------------

    def _take_holders(self, rows: Rows, owners: Owners | None) -> Mask:
        """Note who holds the sockets now; which rows somebody is known to hold."""
        if owners is None:
            return np.zeros(len(rows), bool)
        in_sight = np.flatnonzero(self._entries.is_in_sight)
        now = self._translation[holders_of(self._entries.inode[in_sight], owners)]
        is_open = rows["inode"][self._order] > 0
        found = (now >= 0) & (is_open | (self._entries.holders[in_sight] < 0))
        self._entries.holders[in_sight[found]] = now[found]
        is_held = np.empty(len(rows), bool)
        is_held[self._order] = found & is_open
        return is_held

    def _note_groups(self, owners: Owners | None) -> None:
        """Find our index for each group of ``owners``."""
        if owners is None or owners is self._owners:
            return
        if len(self._group_list) > self._most_groups:
            self._forget_groups()
            self._most_groups = 2 * len(self._group_list) + SPARE_GROUPS
        for group in owners.groups:
            index = self._groups.setdefault(group, len(self._group_list))
            if index == len(self._group_list):
                self._group_list.append(group)
            else:
                self._group_list[index] = group
        self._owners = owners
        self._translation = np.array([*(self._groups[group] for group in owners.groups), -1], np.int32)

    def _forget_groups(self) -> None:
        """Forget groups that no socket has."""
        used = np.zeros(len(self._group_list) + 1, bool)
        used[self._entries.holders] = True
        used = used[:-1]
        self._group_list = [group for group, is_used in zip(self._group_list, used, strict=True) if is_used]
        self._groups = {group: index for index, group in enumerate(self._group_list)}
        renumbered = np.append(np.where(used, np.cumsum(used) - 1, -1), -1).astype(np.int32)
        self._entries.holders[:] = renumbered[self._entries.holders]

    def _recollection(self, sample: Sample, is_held: Mask, brief: Destroyed | None) -> Recollection:
        """What is remembered of the sample's rows, in their order."""
        in_sight = np.flatnonzero(self._entries.is_in_sight)
        at = np.empty(len(in_sight), np.int64)
        at[self._order] = in_sight
        entries = self._entries.at(at)
        remembered = Remembered(
            codes=entries.holders,
            is_held=is_held,
            groups=tuple(self._group_list),
            cgroup_ids=entries.cgroup_id,
            is_late=entries.is_late,
            was_open=entries.inode > 0,
        )
        age_ms = np.rint((sample.monotonic_s - entries.since_s) * 1000).astype(np.int64)
        return Recollection(age_ms, entries.is_watched, remembered, brief)


def _ends(rows: Rows) -> Column:
    """Both addresses and ports, and the namespace."""
    names = ("local_hi", "local_lo", "local_port", "remote_hi", "remote_lo", "remote_port", "netns")
    return tuple(rows[name] for name in names)
