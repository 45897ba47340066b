"""Whose a connection probably was that was closed unseen: all that were seen and then closed are of one name.

A program that opens a connection for every request to its cache leaves thousands of TIME_WAIT, each of which lived for
a few milliseconds. Those that a sample has caught before they were closed tell of whose kind the others are; that a
program merely has connections to the same place open tells nothing.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import Codes, Column, factorize_column, match_rows
from tcptui.model.owners import LIKELY_LEAD, Holders, Process
from tcptui.model.table import Rows

FEWEST = 3
"""Closed connections to the same far end whose holders were seen."""
NO_PID = -1
"""The id of a likely process: it is known by its name alone."""

_FAR_END = ("remote_hi", "remote_lo", "remote_port", "netns")
_AMBIGUOUS = -1

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Likenesses:
    """Who is likely to stand behind rows."""

    codes: Codes
    """For each row the index of its likely holders in ``groups``, -1 where none are likely."""
    groups: tuple[Holders, ...]
    """Each one nameless process that stands for all of its name."""


def likenesses(
    rows: Rows, unnamed: Index, named: Index, codes: NDArray[np.int32], groups: tuple[Holders, ...]
) -> Likenesses:
    """Who is likely to have held the rows ``unnamed``, by the rows ``named`` with the same remote address and port.

    At least ``FEWEST`` of those are needed, all of one name.

    Args:
        rows: of a sample.
        unnamed: rows to find names for.
        named: rows whose holders are remembered: they have been closed too.
        codes: for each row of the sample the index of its holders in ``groups``.
        groups: holders.
    """
    nobody = Likenesses(np.full(len(unnamed), -1), ())
    is_wanted = np.zeros(1 << 16, bool)
    is_wanted[rows["remote_port"][unnamed]] = True
    is_wanted[0] = False
    named = named[is_wanted[rows["remote_port"][named]]]
    kinds, kind_of_group = _kinds(groups)
    named = named[kind_of_group[codes[named]] != _AMBIGUOUS]
    if not len(unnamed) or not len(named):
        return nobody
    ends, end_of_row = factorize_column(_far_ends(rows, unnamed))
    at = match_rows(ends, _far_ends(rows, named))
    kind = kind_of_group[codes[named]][at >= 0]
    least, greatest = np.full(len(ends[0]), len(kinds)), np.full(len(ends[0]), -1)
    np.minimum.at(least, at[at >= 0], kind)
    np.maximum.at(greatest, at[at >= 0], kind)
    seen = np.bincount(at[at >= 0], minlength=len(least))
    is_plain = (least == greatest) & (seen >= FEWEST)
    return Likenesses(np.where(is_plain, least, -1)[end_of_row], tuple((kind,) for kind in kinds))


def _far_ends(rows: Rows, at: Index) -> Column:
    return tuple(rows[name][at] for name in _FAR_END)


def _kinds(groups: tuple[Holders, ...]) -> tuple[list[Process], Index]:
    """A process for each name, with the cgroup that all of that name are in; and the number of each group's name."""
    numbers: dict[str, int] = {}
    kinds: list[Process] = []
    of_group = []
    for group in groups:
        names = {process.name for process in group}
        if len(names) > 1:
            of_group.append(_AMBIGUOUS)
            continue
        number = numbers.setdefault(group[0].name, len(kinds))
        if number == len(kinds):
            name = f"{LIKELY_LEAD}{group[0].name}"
            kinds.append(Process(NO_PID, number, name, cgroup=group[0].cgroup))
        if any(process.cgroup != kinds[number].cgroup for process in group):
            kinds[number] = replace(kinds[number], cgroup="")
        of_group.append(number)
    return kinds, np.array(of_group, np.int64)
