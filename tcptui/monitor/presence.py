"""What there is to ask for in a sample: the values that completion offers."""

from collections import Counter

import numpy as np

from tcptui.analysis.grid import Column
from tcptui.analysis.grouping import factorize, factorize_column
from tcptui.model.address import address_text
from tcptui.model.sample import Sample
from tcptui.model.states import ALL_STATES
from tcptui.model.table import Rows
from tcptui.query.present import Present
from tcptui.query.words import STATE_WORDS

MOST_VALUES = 500
_ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104 - what a listener has for a peer


def present_in(sample: Sample) -> Present:
    """The states, ports, addresses, processes and services of a sample, the most frequent first."""
    rows = sample.table.rows
    counts = sample.table.state_counts()
    by_count = sorted((state for state in ALL_STATES if counts[state]), key=lambda state: -counts[state])
    return Present(
        states=tuple(STATE_WORDS[state] for state in by_count),
        local_ports=_ports(rows, "local"),
        remote_ports=_ports(rows, "remote"),
        local_addresses=_addresses(rows, "local"),
        remote_addresses=_addresses(rows, "remote"),
        processes=process_names(sample),
        services=_services(sample),
        uids=tuple(uid for (uid,) in _most_frequent((rows["uid"],))),
    )


def _ports(rows: Rows, end: str) -> tuple[str, ...]:
    return tuple(str(port) for (port,) in _most_frequent((rows[f"{end}_port"],)) if port)


def _addresses(rows: Rows, end: str) -> tuple[str, ...]:
    found = _most_frequent((rows[f"{end}_hi"], rows[f"{end}_lo"]))
    return tuple(text for hi, lo in found if (text := address_text(hi, lo)) not in _ANY)


def _most_frequent(column: Column) -> list[tuple[int, ...]]:
    """The values of a column that most rows have, at most ``MOST_VALUES``."""
    values, codes = factorize_column(column)
    order = np.argsort(-np.bincount(codes, minlength=len(values[0])), kind="stable")[:MOST_VALUES]
    return list(zip(*(part[order].tolist() for part in values), strict=True))


def process_names(sample: Sample) -> tuple[str, ...]:
    """Names of the processes that hold sockets of the table, those with the most sockets first.

    Where the table has only a part of the sockets, of all that hold any socket.
    """
    owners = sample.owners
    if owners is None:
        return ()
    pids = owners.pids if not sample.is_whole else owners.pids[np.isin(owners.inodes, sample.table.rows["inode"])]
    counts: Counter[str] = Counter()
    holders, codes = factorize(pids)
    for pid, count in zip(holders.tolist(), np.bincount(codes, minlength=len(holders)).tolist(), strict=True):
        counts[owners.names[pid]] += count
    return tuple(name for name, _ in counts.most_common(MOST_VALUES))


def _services(sample: Sample) -> tuple[str, ...]:
    """The last parts of the paths of the cgroups that sockets were made in."""
    if sample.cgroups is None:
        return ()
    ids = factorize(sample.table.rows["cgroup_id"])[0].tolist()
    names = [sample.cgroups[number].rpartition("/")[2] for number in ids if number in sample.cgroups]
    return tuple(dict.fromkeys(name for name in names if name))
