"""What can be asked about, and finding it by the name that a person types."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from tcptui.errors import RequestError
from tcptui.explain.bounds import BOUNDS
from tcptui.explain.knowledge import load
from tcptui.model.states import DISPLAY_ORDER, TcpState, find_state

_STATES = (*DISPLAY_ORDER, TcpState.CLOSE)
_OTHER_STATE_NAMES = {"boundinactive": TcpState.CLOSE}
"""BOUND_INACTIVE is not a state of its own (its state field says CLOSE); it is explained there."""

_SMALLEST_LIKENESS = 0.6


@dataclass(frozen=True)
class Topic:
    """Something that can be explained."""

    name: str
    kind: Literal["state", "parameter"]
    summary: str


def topics(language: str = "en") -> tuple[Topic, ...]:
    """All topics with their one-sentence summaries: the states in the order of a connection's life, then parameters."""
    knowledge = load(language)
    states = (Topic(state.name, "state", knowledge.states[state].summary) for state in _STATES)
    parameters = (Topic(name, "parameter", entry.does) for name, entry in knowledge.parameters.items())
    return (*states, *parameters)


def topic_names() -> tuple[str, ...]:
    """The name of every topic: states, then parameters with their dotted names."""
    return (*(state.name for state in _STATES), *load().parameters)


def complete_topic(incomplete: str) -> list[str]:
    """Names that a shell can offer for what is typed so far; parameters by their short name unless a dot was typed."""
    parameters = load().parameters
    offered = parameters if "." in incomplete else (entry.short_name for entry in parameters.values())
    folded = _fold(incomplete)
    return [name for name in (*(state.name for state in _STATES), *offered) if _fold(name).startswith(folded)]


def parameter_names(topic: str | None = None) -> tuple[str, ...]:
    """The dotted names whose live values an explanation can use, for the caller to read.

    ``topic`` (the name of a state or parameter) limits them to what that explanation needs. Names that the running
    kernel does not have are among them: finding out is the caller's reading.
    """
    knowledge = load()
    if topic is None:
        return tuple(knowledge.parameters)
    if topic in knowledge.parameters:
        parameter = knowledge.parameters[topic]
        bounds, named = parameter.bounds, (topic, *parameter.see)
    else:
        state = knowledge.states[TcpState[topic]]
        bounds = tuple(case.bound for case in (*state.ends, *state.limits) if case.bound)
        named = (*state.parameters, *state.modifiers, *state.unrelated)
    read = (name for bound in bounds for name in BOUNDS[bound].parameters)
    sources = ("net.ipv4.tcp_ehash_entries", "net.netfilter.nf_conntrack_buckets")
    rules = {name for name in named if knowledge.parameters[name].default_rule}
    return tuple(dict.fromkeys((*named, *read, *(sources if rules else ()))))


def find_topic(text: str) -> TcpState | str:
    """The state, or the dotted name of the parameter, that ``text`` names.

    States in every spelling in use; parameters by full or short name, with dots or slashes, also by names that current
    kernels no longer have (``ip_conntrack_max``).

    Raises:
        RequestError: nothing has that name; the hint offers the nearest one.
    """
    state = find_state(text) or _OTHER_STATE_NAMES.get(_fold(text).replace("_", ""))
    if state is not None:
        return state
    name = _parameters_by_name().get(_fold(text))
    if name is None:
        raise RequestError(f"nothing is known about {text!r}", _hint(text))
    return name


@cache
def _parameters_by_name() -> dict[str, str]:
    """Every folded name of every parameter; a full name wins over a short one."""
    entries = load().parameters.values()
    olds = [(old, entry.name) for entry in entries for old in entry.old_names]
    names = [(_fold(_last(old)), name) for old, name in olds]
    names += [(_fold(old), name) for old, name in olds]
    names += [(_fold(entry.short_name), entry.name) for entry in entries]
    names += [(_fold(entry.name), entry.name) for entry in entries]
    return dict(names)


def _fold(text: str) -> str:
    """One spelling of a name: lower case, dots for slashes, underscores for hyphens and blanks, no /proc/sys."""
    folded = text.strip().lower().replace("/", ".").strip(".").removeprefix("proc.sys.")
    return folded.replace("-", "_").replace(" ", "_")


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _hint(text: str) -> str:
    """The nearest name, by full and by short name alike."""
    entries = load().parameters.values()
    spellings = {_fold(state.name): state.name for state in _STATES}
    spellings |= {_fold(name): name for entry in entries for name in (entry.name, entry.short_name)}
    nearest = _nearest(_fold(text), spellings)
    return f"did you mean {spellings[nearest]}?" if nearest else "'tcptui explain' lists what is known"


def _nearest(folded: str, spellings: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(folded, spellings, n=1, cutoff=_SMALLEST_LIKENESS)
    return close[0] if close else None
