"""What the program knows, as typed entries: one for each state, parameter, counter, option, column and false claim.

May not read files (``knowledge`` does) nor know this machine's values (``answers`` puts them in).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from tcptui.explain.labels import Labels
from tcptui.model.states import DISPLAY_ORDER, TcpState

Actor = Literal["program", "peer", "kernel", "nobody"]
"""Who must act: the local program, the peer, the kernel, or nobody."""
Scope = Literal["namespace", "machine"]
"""Whether a parameter or counter belongs to the network namespace or to the whole machine."""
DefaultRule = Literal["half_of_hash", "hash_over_128", "conntrack_buckets"]
"""How to compute a default from another live value."""
Flag = Literal["syn", "fin", "rst"]
"""A TCP flag by which a packet capture can be narrowed."""
Verdict = Literal["wrong", "outdated", "misleading"]
"""What is the matter with a claim."""
CounterKind = Literal["counter", "gauge"]
"""Whether a value only grows, or is a number of things there are now."""
OptionKind = Literal["socket option", "process limit", "kernel constant", "system call", "other system"]
TopicKind = Literal["state", "parameter", "counter", "option", "column", "myth", "overview"]
"""What can be asked about."""

INNER_STATES = ("NEW_SYN_RECV", "BOUND_INACTIVE")
"""States of the kernel that no table shows under these names (FACTS section 1)."""
STATE_NAMES = (*(state.name for state in TcpState), *INNER_STATES)
"""Every state that has an entry."""
STATE_ORDER = (*(state.name for state in (*DISPLAY_ORDER, TcpState.CLOSE)), *INNER_STATES)
"""The same in the order of a connection's life."""


@dataclass(frozen=True)
class Case:
    """One thing that ends or limits a state."""

    key: str
    label: str
    """When this is the case: a few words."""
    text: str
    """What then happens, after the sentence of the bound; may be empty if there is one."""
    bound: str
    """The name in ``BOUNDS`` whose sentence comes first; empty for none."""


@dataclass(frozen=True)
class Advice:
    """Something that people try and that does not help."""

    what: str
    why: str


@dataclass(frozen=True)
class Reading:
    """How to read one value of a column."""

    case: str
    text: str


@dataclass(frozen=True)
class OnlyWhen:
    """A parameter that matters only while another has one value."""

    parameter: str
    other: str
    value: str


@dataclass(frozen=True)
class ShortEntry:
    """A state in a few words."""

    summary: str
    ends: str
    """May hold placeholders of ``bound``."""
    bound: str


@dataclass(frozen=True)
class StateEntry:
    """All there is to say about one state."""

    name: str
    """One of ``STATE_NAMES``."""
    summary: str
    side: str
    entered: str
    left: str
    ends: tuple[Case, ...]
    limits: tuple[Case, ...]
    actors: tuple[Actor, ...]
    actor: str
    many: str
    do: tuple[str, ...]
    avoid: tuple[Advice, ...]
    queues: tuple[Reading, ...]
    timer: str
    packets: str
    """What to look for in a packet capture."""
    flags: tuple[Flag, ...]
    """What the packets worth looking at have set, any of them; empty for all packets."""
    ss: str
    """What ``ss`` is asked for such sockets; empty where no table has them."""
    parameters: tuple[str, ...]
    """Names that matter to the state, most important first."""
    modifiers: tuple[str, ...]
    """Names that matter, but are worth a line only when they are not at their default."""
    unrelated: tuple[str, ...]
    """Names that people change in vain."""
    only_when: tuple[OnlyWhen, ...]
    notes: Mapping[str, str]
    """A few words beside a parameter, by its name."""
    counters: tuple[str, ...]
    """Dotted names."""
    counters_note: str
    short: ShortEntry
    source: str
    """The section of the project's fact sheet that bears it out."""

    @property
    def bounds(self) -> tuple[str, ...]:
        """The laws that say what ends or limits it."""
        return tuple(case.bound for case in (*self.ends, *self.limits) if case.bound)


@dataclass(frozen=True)
class ParameterEntry:
    """All there is to say about one kernel parameter."""

    name: str
    """Dotted, as ``sysctl`` prints it."""
    does: str
    not_does: tuple[str, ...]
    values: Mapping[str, str]
    """What single values mean."""
    default: str | None
    """The raw text of Linux 6.18's default; None where it depends on the machine."""
    default_rule: DefaultRule | None
    default_text: str
    """The default in words, where it depends on the machine."""
    history: str
    changing: str
    risk: str
    unit: str
    scope: Scope
    since: str
    since_about: str
    """The first kernel that has it, where that is not certain."""
    removed: str
    """The first kernel that does not have it any more."""
    absent: str | None
    """The value a kernel without the parameter behaves as if it had."""
    no_effect: bool
    read_only: bool
    module: str
    """The kernel module that has to be loaded for the name to exist."""
    used: str
    """The counter, or the parameter, that tells how much of the limit is in use; empty where nothing does."""
    bounds: tuple[str, ...]
    see: tuple[str, ...]
    old_names: tuple[str, ...]
    source: str

    @property
    def short_name(self) -> str:
        """The name without its folder: ``tcp_fin_timeout``."""
        return short_name(self.name)

    @property
    def is_dead(self) -> bool:
        """Whether setting it does nothing on a current kernel."""
        return self.no_effect or bool(self.removed)


@dataclass(frozen=True)
class CounterEntry:
    """All there is to say about one counter or gauge of /proc/net."""

    name: str
    """``TcpExt.ListenDrops``: file section and name, as ``Sample.counters`` has it."""
    counts: str
    reading: str
    not_counts: tuple[str, ...]
    kind: CounterKind
    scope: Scope
    unit: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    see: tuple[str, ...]
    since: str
    source: str

    @property
    def short_name(self) -> str:
        """As people write it: ``ListenDrops``, ``sockstat TCP orphan``."""
        return counter_short_name(self.name)


@dataclass(frozen=True)
class OptionEntry:
    """A socket option, or another setting that is not a kernel parameter."""

    name: str
    does: str
    use: str
    """When to set it, and on which side."""
    values: Mapping[str, str]
    not_does: tuple[str, ...]
    risk: str
    kind: OptionKind
    level: str
    """The level of setsockopt(); empty for what is no socket option."""
    unit: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    overrides: tuple[str, ...]
    """The parameters that it replaces for its socket."""
    see: tuple[str, ...]
    since: str
    since_about: str
    source: str


@dataclass(frozen=True)
class ColumnEntry:
    """A column of the screen."""

    name: str
    """The field's id."""
    title: str
    means: str
    readings: tuple[Reading, ...]
    see: tuple[str, ...]
    """Names of other entries."""
    source: str


@dataclass(frozen=True)
class MythEntry:
    """Something that is often said and not true."""

    name: str
    number: int
    """Its number in the fact sheet's list of claims (section 3)."""
    claim: str
    """In the words of those who believe it."""
    truth: str
    verdict: Verdict
    topics: tuple[str, ...]
    """The entries where a believer would look, the most natural first."""
    proof: str


@dataclass(frozen=True)
class BoundWords:
    """What a law's answer is put into."""

    label: str
    """What it is about, where no state says so."""
    sentences: Mapping[str, str]
    """By case of the bound, with placeholders."""


@dataclass(frozen=True)
class Knowledge:
    """Everything, in one language."""

    language: str
    labels: Labels
    bounds: Mapping[str, BoundWords]
    states: Mapping[str, StateEntry]
    parameters: Mapping[str, ParameterEntry]
    counters: Mapping[str, CounterEntry]
    options: Mapping[str, OptionEntry]
    columns: Mapping[str, ColumnEntry]
    myths: Mapping[str, MythEntry]

    @cached_property
    def myths_by_topic(self) -> Mapping[str, tuple[MythEntry, ...]]:
        """The false claims that an entry answers."""
        found: dict[str, tuple[MythEntry, ...]] = {}
        for myth in self.myths.values():
            for topic in myth.topics:
                found[topic] = (*found.get(topic, ()), myth)
        return found

    def kind_of(self, name: str) -> TopicKind | None:
        """What kind of entry has this name; None if there is none."""
        kinds: tuple[tuple[TopicKind, Mapping[str, object]], ...] = (
            ("state", self.states),
            ("parameter", self.parameters),
            ("counter", self.counters),
            ("option", self.options),
            ("column", self.columns),
            ("myth", self.myths),
        )
        return next((kind for kind, entries in kinds if name in entries), None)


def short_name(name: str) -> str:
    """A parameter's name without its folder."""
    return name.rpartition(".")[2]


def counter_short_name(name: str) -> str:
    """A counter's name without its section; a gauge of sockstat keeps its own, for ``mem`` alone says nothing."""
    section, _, last = name.rpartition(".")
    return name.replace(".", " ") if section.startswith("sockstat") else last


def claim_text(myth: MythEntry, labels: Labels) -> str:
    """A claim in quotation marks, with the verdict."""
    verdict = getattr(labels, f"verdict_{myth.verdict}")
    return labels.claim.format(claim=myth.claim.rstrip(".。"), verdict=verdict)
