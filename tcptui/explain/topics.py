"""What can be asked about, and finding it by the name that a person types."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from tcptui.errors import RequestError
from tcptui.explain.bounds import BOUNDS
from tcptui.explain.entries import (
    INNER_STATES,
    STATE_NAMES,
    STATE_ORDER,
    Knowledge,
    TopicKind,
    claim_text,
    counter_short_name,
    short_name,
)
from tcptui.explain.knowledge import load
from tcptui.language import LANGUAGES, tr
from tcptui.model.states import find_state

OVERVIEW_NAMES = ("machine", "parameters", "myths", "columns", "topics")
"""Topics about many entries at once: the state machine, what is set here, what is wrongly believed, and lists."""
_OTHER_NAMES = {
    "state_machine": "machine",
    "claims": "myths",
    "sysctl": "parameters",
    "disk": "parameters",
    **dict.fromkeys(("index", "states", "counters", "options", "overview", "overviews"), "topics"),
    "recvq": "recv_queue_bytes",
    "sendq": "send_queue_bytes",
    "retrans": "retransmits",
    "age": "age_ms",
    "2msl": "TIME_WAIT",
    "msl": "TIME_WAIT",
    "half_open": "SYN_RECV",
    "syn_queue": "SYN_RECV",
    "keepalive": "SO_KEEPALIVE",
    "linger": "SO_LINGER",
    "nofile": "RLIMIT_NOFILE",
    "ulimit": "RLIMIT_NOFILE",
    **dict.fromkeys(("orphan", "orphans"), "sockstat.TCP.orphan"),
}
"""What people ask for by other words; ``recvq`` and the like are words of filters."""

_SMALLEST_LIKENESS = 0.6


@dataclass(frozen=True)
class Topic:
    """Something that can be explained."""

    name: str
    kind: TopicKind
    summary: str


def topics(language: str = "en") -> tuple[Topic, ...]:
    """All topics with their one-sentence summaries: the states in the order of a connection's life come first."""
    return tuple(_topics(load(language)))


def _topics(knowledge: Knowledge) -> Iterator[Topic]:
    yield from (Topic(name, "state", knowledge.states[name].summary) for name in STATE_ORDER)
    yield from (Topic(name, "parameter", entry.does) for name, entry in knowledge.parameters.items())
    yield from (Topic(name, "counter", entry.counts) for name, entry in knowledge.counters.items())
    yield from (Topic(name, "option", entry.does) for name, entry in knowledge.options.items())
    yield from (Topic(name, "column", entry.means) for name, entry in knowledge.columns.items())
    yield from (Topic(name, "myth", claim_text(entry, knowledge.labels)) for name, entry in knowledge.myths.items())
    yield from (Topic(name, "overview", getattr(knowledge.labels, f"overview_{name}")) for name in OVERVIEW_NAMES)


def topic_names() -> tuple[str, ...]:
    """The name of every topic: states, parameters with their dotted names, and so on as in ``topics``."""
    knowledge = load()
    kinds = (knowledge.parameters, knowledge.counters, knowledge.options, knowledge.columns, knowledge.myths)
    return (*STATE_ORDER, *(name for entries in kinds for name in entries), *OVERVIEW_NAMES)


def complete_topic(incomplete: str) -> list[str]:
    """Names that a shell can offer for what is typed so far; short ones unless a dot was typed."""
    knowledge = load()
    folded = _fold(incomplete)
    parameters, counters = tuple(knowledge.parameters), tuple(knowledge.counters)
    if "." not in incomplete:
        parameters, counters = tuple(map(short_name, parameters)), tuple(map(counter_short_name, counters))
    others = (*knowledge.options, *knowledge.columns, *OVERVIEW_NAMES)
    found = [name for name in (*STATE_ORDER, *parameters, *counters, *others) if _fold(name).startswith(folded)]
    return found or [name for name in knowledge.myths if _fold(name).startswith(folded)]


def parameter_names(topic: str | None = None) -> tuple[str, ...]:
    """The dotted names whose live values an explanation can use, for the caller to read.

    ``topic`` (the name of an entry) limits them to what that explanation needs. Names that the running kernel does not
    have are among them: finding out is the caller's reading.
    """
    knowledge = load()
    if topic in (None, "parameters"):
        return tuple(knowledge.parameters)
    named, bounds = _needed(knowledge, str(topic))
    read = (name for bound in bounds for name in BOUNDS[bound].parameters)
    used = (entry.used for name in named if (entry := knowledge.parameters[name]).used in knowledge.parameters)
    rules = {name for name in named if knowledge.parameters[name].default_rule}
    sources = ("net.ipv4.tcp_ehash_entries", "net.netfilter.nf_conntrack_buckets") if rules else ()
    return tuple(dict.fromkeys((*named, *read, *used, *sources)))


def _needed(knowledge: Knowledge, topic: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The parameters that an entry shows, and the laws whose sentences it says."""
    if topic in knowledge.states:
        state = knowledge.states[topic]
        return (*state.parameters, *state.modifiers, *state.unrelated), state.bounds
    if topic in knowledge.parameters:
        parameter = knowledge.parameters[topic]
        return (topic, *parameter.see), parameter.bounds
    if topic in knowledge.counters:
        return knowledge.counters[topic].parameters, ()
    if topic in knowledge.options:
        return (*knowledge.options[topic].parameters, *knowledge.options[topic].overrides), ()
    return (), ()


def find_topic(text: str) -> str:
    """The name of the entry that ``text`` names.

    States in every spelling in use; parameters by full or short name, with dots or slashes, also by names that current
    kernels no longer have (``ip_conntrack_max``); counters as ``ListenDrops``, ``TcpExt.ListenDrops`` or, as ``nstat``
    prints them, ``TcpExtListenDrops``; columns by their heading or field id.

    Raises:
        RequestError: nothing has that name; the hint offers the nearest one.
    """
    if load().kind_of(text.strip()) is not None:  # TCP_RTO_MAX_MS is an option, and in small letters a parameter
        return text.strip()
    folded = _fold(text)
    if folded.upper() in STATE_NAMES:
        return folded.upper()
    names = _names()
    if folded in names:
        return names[folded]
    state = find_state(text)
    if state is not None:
        return state.name
    joined = folded.replace("_", "")
    found = next((name for name in INNER_STATES if name.replace("_", "").lower() == joined), None)
    if found is None:
        raise RequestError(tr("nothing is known about {text}", text=repr(text)), _hint(folded))
    return found


@cache
def _names() -> dict[str, str]:
    """Every folded name of everything but the states; where two share one, the later of these kinds has it."""
    knowledge = load()
    titles = [(column.title, name) for language in LANGUAGES for name, column in load(language).columns.items()]
    entries = knowledge.parameters.values()
    olds = [(old, entry.name) for entry in entries for old in entry.old_names]
    names = [
        *((name, name) for name in knowledge.myths),
        *titles,
        *((name, name) for name in knowledge.columns),
        *((counter_short_name(name), name) for name in knowledge.counters),
        *((name.replace(".", ""), name) for name in knowledge.counters),
        *((name, name) for name in knowledge.counters),
        *((name, name) for name in knowledge.options),
        *((short_name(old), name) for old, name in olds),
        *olds,
        *((entry.short_name, entry.name) for entry in entries),
        *((entry.name, entry.name) for entry in entries),
        *_OTHER_NAMES.items(),
        *((name, name) for name in OVERVIEW_NAMES),
    ]
    return {_fold(spelling): name for spelling, name in names}


def _fold(text: str) -> str:
    """One spelling of a name: lower case, dots for slashes, underscores for hyphens and blanks, no /proc/sys."""
    folded = text.strip().lower().replace("/", ".").strip(".").removeprefix("proc.sys.").replace("()", "")
    return folded.replace("-", "_").replace(" ", "_")


def _hint(folded: str) -> str:
    """The nearest name, by full and by short name alike."""
    knowledge = load()
    names = (*STATE_ORDER, *knowledge.parameters, *knowledge.counters, *knowledge.options, *knowledge.columns)
    shorter = (*map(short_name, knowledge.parameters), *map(counter_short_name, knowledge.counters))
    spellings = {_fold(name): name for name in (*names, *shorter, *OVERVIEW_NAMES, *knowledge.myths)}
    nearest = _nearest(folded, spellings)
    if nearest is None:
        return tr("'tcptui explain' lists what is known")
    return tr("did you mean {name}?", name=spellings[nearest])


def _nearest(folded: str, spellings: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(folded, spellings, n=1, cutoff=_SMALLEST_LIKENESS)
    return close[0] if close else None
