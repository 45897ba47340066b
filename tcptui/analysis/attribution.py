"""Who stands behind each socket of a sample: those who hold it, held it, or hold the listener it came in at."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.likeness import likenesses
from tcptui.analysis.listening import endpoint_of, endpoints
from tcptui.analysis.matching import factorize, factorize_column, first_of_each, positions
from tcptui.model.owners import Attribution, Blindness, Holders, Owners, Standing
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import Rows

_UNHELD = {
    Blindness.NONE: Standing.KERNEL,
    Blindness.OTHER_USERS: Standing.OTHER_USER,
    Blindness.REFUSED: Standing.REFUSED,
    Blindness.PID_NAMESPACE: Standing.PID_NAMESPACE,
}
"""What to say of a socket that no process was found to hold, by what keeps from seeing all of them."""
_ROOT = "/"

Codes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Remembered:
    """What earlier samples told of the rows of one; one entry a row."""

    codes: Codes
    """The holders at last as an index into ``groups``, -1 where none were seen."""
    is_held: NDArray[np.bool_]
    """Whether those hold it still, as far as is known."""
    groups: tuple[Holders, ...]
    cgroup_ids: NDArray[np.uint64]
    """The cgroup that the socket was made in; 0 where it was never told."""
    is_late: NDArray[np.bool_]
    """Whether the socket came into being while it was watched."""
    was_open: NDArray[np.bool_]
    """Whether the socket was ever seen with a descriptor."""


def nothing_remembered(sample: Sample) -> Remembered:
    """What a first sample tells of its rows."""
    rows, owners = sample.table.rows, sample.owners
    codes = np.full(len(rows), -1, np.int32) if owners is None else holders_of(rows["inode"], owners)
    groups = () if owners is None else owners.groups
    return Remembered(codes, codes >= 0, groups, rows["cgroup_id"], np.zeros(len(rows), bool), rows["inode"] > 0)


def attributed(sample: Sample) -> Sample:
    """A sample with who stands behind each row, as far as it tells by itself."""
    return replace(sample, attribution=attribute(sample, nothing_remembered(sample)))


def holders_of(inodes: NDArray[np.uint32], owners: Owners) -> Codes:
    """For each inode the index of its holders in ``owners.groups``, -1 where none are known."""
    held = np.flatnonzero(inodes)
    codes = np.full(len(inodes), -1, np.int32)
    codes[held] = np.append(owners.codes, np.int32(-1))[positions(owners.inodes, inodes[held])]
    return codes


def attribute(sample: Sample, remembered: Remembered) -> Attribution:
    """Who stands behind each row of ``sample``."""
    rows, owners = sample.table.rows, sample.owners
    codes = remembered.codes.copy()
    standing = np.where(remembered.is_held, Standing.HELD, Standing.REMEMBERED).astype(np.uint8)
    unnamed = np.flatnonzero(codes < 0)
    inodes = rows["inode"][unnamed]
    standing[unnamed] = _reasons(inodes, rows["state"][unnamed], remembered.is_late[unnamed], sample)
    standing[unnamed[remembered.was_open[unnamed] & (inodes == 0)]] = Standing.GONE
    groups = remembered.groups
    is_waiting = (inodes == 0) & (rows["state"][unnamed] != TcpState.LISTEN)
    if "holders" in sample.untold:
        is_untold = sample.untold["holders"][unnamed]
        standing[unnamed[is_untold]] = Standing.UNTOLD
        is_waiting &= ~is_untold
    groups += _name_by_listener(rows, codes, standing, unnamed[is_waiting], groups)
    if owners is not None and owners.blindness is not Blindness.OTHER_USERS:
        groups += _name_by_likeness(rows, codes, standing, groups)
    cgroup_codes, cgroups = _cgroups(remembered.cgroup_ids, codes, groups, sample.cgroups or {})
    ended = owners.ended(itertools.chain.from_iterable(remembered.groups)) if owners is not None else frozenset()
    return Attribution(codes, groups, standing, cgroup_codes, cgroups, ended)


def _reasons(
    inodes: NDArray[np.uint32], states: NDArray[np.uint8], is_late: NDArray[np.bool_], sample: Sample
) -> NDArray[np.uint8]:
    """Why each of these sockets has no holders."""
    if "holders" in sample.absent_fields:
        return np.full(len(inodes), Standing.UNTOLD, np.uint8)
    reasons = np.where(is_late, Standing.BRIEF, Standing.EARLIER).astype(np.uint8)
    reasons[np.isin(states, _OPEN_STATES)] = Standing.KERNEL
    reasons[inodes > 0] = Standing.SEARCHING
    if sample.owners is not None:
        reasons[positions(sample.owners.nobodys, inodes) >= 0] = _UNHELD[sample.owners.blindness]
        reasons[positions(sample.owners.gone, inodes) >= 0] = Standing.GONE
    return reasons


_OPEN_STATES = (TcpState.SYN_SENT, TcpState.SYN_RECV, TcpState.ESTABLISHED, TcpState.CLOSE_WAIT, TcpState.LISTEN)
"""States in which a socket that has no descriptor waits to be accepted, or is the kernel's (an MPTCP subflow)."""


def _name_by_listener(
    rows: Rows, codes: Codes, standing: NDArray[np.uint8], unnamed: NDArray[np.int64], groups: tuple[Holders, ...]
) -> tuple[Holders, ...]:
    """Give the rows ``unnamed``, which have no descriptor, the holders of the listener that they came in at.

    Where several listen at one address and port (SO_REUSEPORT), those of all of them together: groups to add.
    """
    listening = np.flatnonzero(rows["state"] == TcpState.LISTEN)
    if not len(unnamed) or not len(listening):
        return ()
    ends, end_of_listener = factorize_column(endpoints(rows, listening))
    at = endpoint_of(endpoints(rows, unnamed), ends)
    came, at = unnamed[at >= 0], at[at >= 0]
    first = listening[first_of_each(end_of_listener, len(ends[0]))]
    code_of_end = codes[first]
    several = np.flatnonzero(np.bincount(end_of_listener) > 1).tolist()
    known = {group: number for number, group in enumerate(groups)} if several else {}
    added: list[Holders] = []
    for end in several:
        together = together_of(groups[code] for code in codes[listening[end_of_listener == end]].tolist() if code >= 0)
        if together:
            if together not in known:
                known[together] = len(groups) + len(added)
                added.append(together)
            code_of_end[end] = known[together]
    codes[came] = code_of_end[at]
    standing[came] = np.where(codes[came] >= 0, np.uint8(Standing.LISTENER), standing[first[at]])
    return tuple(added)


def together_of(groups: Iterable[Holders]) -> Holders:
    """All processes of ``groups``, each once, by rising id."""
    return tuple(sorted({process for group in groups for process in group}, key=lambda process: process.pid))


def _name_by_likeness(
    rows: Rows, codes: Codes, standing: NDArray[np.uint8], groups: tuple[Holders, ...]
) -> tuple[Holders, ...]:
    """Give rows that were closed unseen those who are likely to have held them; groups to add.

    Not where other users' processes are hidden: those that are seen would have to answer for all.
    """
    unnamed = np.flatnonzero(np.isin(standing, (Standing.EARLIER, Standing.BRIEF)))
    if not len(unnamed):
        return ()
    named = np.flatnonzero((codes >= 0) & (standing == Standing.REMEMBERED) & (rows["inode"] == 0))
    found = likenesses(rows, unnamed, named, codes, groups)
    is_likely = found.codes >= 0
    codes[unnamed[is_likely]] = found.codes[is_likely] + len(groups)
    standing[unnamed[is_likely]] = Standing.LIKELY
    return found.groups


def _cgroups(
    ids_of_rows: NDArray[np.uint64], codes: Codes, groups: tuple[Holders, ...], paths: Mapping[int, str]
) -> tuple[Codes, tuple[str, ...]]:
    """The cgroup of each row; where its own says nothing, that of its first holder (cgroup v1, hybrid hosts)."""
    ids, of_id = factorize(ids_of_rows)
    known: dict[str, int] = {}
    by_id = [_code_of(paths.get(int(number), ""), known) for number in ids]
    by_group = [_code_of(group[0].cgroup, known) for group in groups]
    found = np.array(by_id, np.int32)[of_id] if len(ids) else np.zeros(0, np.int32)
    root = known.get(_ROOT, -1)
    vague = (found < 0) | (found == root)
    better = np.array([*by_group, -1], np.int32)[codes]
    found = np.where(vague & (better >= 0), better, found)
    return found, tuple(known)


def _code_of(path: str, known: dict[str, int]) -> int:
    return known.setdefault(path, len(known)) if path else -1
