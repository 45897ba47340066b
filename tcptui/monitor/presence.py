"""What there is to ask for in a sample: the values that completion offers."""

from collections import Counter

import numpy as np

from tcptui.analysis.matching import Column, factorize_column
from tcptui.model.address import UNTOLD_ADDRESS, address_text
from tcptui.model.sample import Sample
from tcptui.model.services import service_of
from tcptui.model.states import ALL_STATES
from tcptui.model.table import Rows
from tcptui.query.present import Present
from tcptui.query.words import STATE_WORDS

MOST_VALUES = 500
_ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104 - what a listener has for a peer


def present_in(sample: Sample) -> Present:
    """The states, ports, addresses, processes, services and namespaces of a sample, the most frequent first."""
    rows = sample.table.rows
    counts = sample.table.state_counts()
    by_count = sorted((state for state in ALL_STATES if counts[state]), key=lambda state: -counts[state])
    return Present(
        states=tuple(STATE_WORDS[state] for state in by_count),
        local_ports=_ports(rows, "local"),
        remote_ports=_ports(rows, "remote"),
        local_addresses=_addresses(sample, "local"),
        remote_addresses=_addresses(sample, "remote"),
        processes=process_names(sample),
        services=_services(sample),
        namespaces=_namespaces(sample),
        uids=tuple(uid for (uid,) in _most_frequent((rows["uid"],))),
    )


def _ports(rows: Rows, end: str) -> tuple[str, ...]:
    return tuple(str(port) for (port,) in _most_frequent((rows[f"{end}_port"],)) if port)


def _addresses(sample: Sample, end: str) -> tuple[str, ...]:
    """Addresses, and names where those are all that is known."""
    rows, names = sample.table.rows, sample.address_names
    found = [each for each in _most_frequent((rows[f"{end}_hi"], rows[f"{end}_lo"])) if each != UNTOLD_ADDRESS]
    texts = (names.get((hi, lo)) or address_text(hi, lo) for hi, lo in found)
    return tuple(text for text in texts if text not in _ANY)


def _most_frequent(column: Column) -> list[tuple[int, ...]]:
    """The values of a column that most rows have, at most ``MOST_VALUES``."""
    values, codes = factorize_column(column)
    order = np.argsort(-np.bincount(codes, minlength=len(values[0])), kind="stable")[:MOST_VALUES]
    return list(zip(*(part[order].tolist() for part in values), strict=True))


def process_names(sample: Sample) -> tuple[str, ...]:
    """Names of the processes that stand behind rows of the table, those of the most rows first."""
    attribution = sample.attribution
    if attribution is None:
        return ()
    rows = np.bincount(attribution.codes[attribution.codes >= 0], minlength=len(attribution.groups)).tolist()
    counts: Counter[str] = Counter()
    for group, count in zip(attribution.groups, rows, strict=True):
        for name in {process.name for process in group}:
            counts[name] += count
    return tuple(name for name, count in counts.most_common(MOST_VALUES) if count and name)


def _services(sample: Sample) -> tuple[str, ...]:
    """The parts of cgroup paths that name the services of the table's sockets."""
    attribution = sample.attribution
    if attribution is None:
        return ()
    parts = [service_of(path).part for path in attribution.cgroups]
    return tuple(dict.fromkeys(part for part in parts if part))


def _namespaces(sample: Sample) -> tuple[str, ...]:
    """The labels of the network namespaces that are there, also of those without sockets."""
    labels = sample.namespaces
    counts = np.bincount(sample.table.rows["netns"], minlength=len(labels))
    order = np.argsort(-counts, kind="stable")[:MOST_VALUES]
    return tuple(dict.fromkeys(labels[index] for index in order.tolist() if labels[index]))
