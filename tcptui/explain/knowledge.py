"""What the program knows about states and parameters: the data files, read, checked and typed.

The same in every language: ``data/states.toml``, ``data/parameters.toml``. The words: ``data/<language>/*.toml``. A
new language is a new folder; a new entry is one in the facts and one in each language, and ``load`` refuses anything
that does not fit: an unknown key or state, a missing field or sentence, a reference to a parameter without an entry,
a placeholder that its law does not fill. May not read anything but these files.
"""

import dataclasses
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

from tcptui.explain.bounds import BOUNDS
from tcptui.explain.labels import PLACEHOLDERS, Labels
from tcptui.explain.reader import KnowledgeError, Table, read_toml
from tcptui.model.states import TcpState

Actor = Literal["program", "peer", "kernel", "nobody"]
"""Who must act: the local program, the peer, the kernel, or nobody."""
Scope = Literal["namespace", "machine"]
"""Whether a parameter belongs to the network namespace or to the whole machine."""
DefaultRule = Literal["half_of_hash", "hash_over_128", "conntrack_buckets"]
"""How to compute a default from another live value."""

DATA = Path(__file__).with_name("data")
LANGUAGES = ("en",)
"""The languages that have a folder of words."""

_UNITS = ("", "s", "ms", "us", "bytes", "pages", "packets", "ports")


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
class QueueReading:
    """How to read one value of the receive and send queue."""

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

    state: TcpState
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
    queues: tuple[QueueReading, ...]
    timer: str
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
    counters_note: str
    short: ShortEntry
    source: str
    """The section of the project's fact sheet that bears it out."""


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
    states: Mapping[TcpState, StateEntry]
    parameters: Mapping[str, ParameterEntry]
    bounds: Mapping[str, BoundWords]
    labels: Labels


def short_name(name: str) -> str:
    """A parameter's name without its folder."""
    return name.rpartition(".")[2]


@cache
def load(language: str = "en") -> Knowledge:
    """The package's own knowledge in ``language``; read and checked once.

    Raises:
        KnowledgeError: a file does not say what it should, or there is no such language.
    """
    if language not in LANGUAGES:
        raise KnowledgeError(f"no explanations in language {language!r}", f"known: {', '.join(LANGUAGES)}")
    return load_from(DATA, language)


def load_from(folder: Path, language: str) -> Knowledge:
    """Read and check the data files in ``folder``."""
    labels = _labels(Table(read_toml(folder / language / "labels.toml"), f"{language}/labels.toml"))
    bounds = _bound_words(Table(read_toml(folder / language / "bounds.toml"), f"{language}/bounds.toml"))
    parameters = _parameters(
        Table(read_toml(folder / "parameters.toml"), "parameters.toml"),
        Table(read_toml(folder / language / "parameters.toml"), f"{language}/parameters.toml"),
    )
    states = _states(
        Table(read_toml(folder / "states.toml"), "states.toml"),
        Table(read_toml(folder / language / "states.toml"), f"{language}/states.toml"),
        parameters,
    )
    return Knowledge(language, MappingProxyType(states), MappingProxyType(parameters), bounds, labels)


# -- words -----------------------------------------------------------------------------------------------------------


def _labels(table: Table) -> Labels:
    words = {}
    for field in dataclasses.fields(Labels):
        words[field.name] = table.text(field.name)
        expected = PLACEHOLDERS.get(field.name, frozenset())
        if _placeholders(table, field.name, words[field.name]) != expected:
            raise table.error(field.name, f"expected the placeholders: {', '.join(sorted(expected)) or 'none'}")
    table.finish()
    return Labels(**words)


def _bound_words(table: Table) -> Mapping[str, BoundWords]:
    entries = {}
    for name, bound in BOUNDS.items():
        words = table.table(name)
        entries[name] = BoundWords(words.sentence("label"), {case: words.sentence(case) for case in bound.cases})
        for case, sentence in entries[name].sentences.items():
            _check_placeholders(words, case, sentence, bound.cases[case])
        words.finish()
    table.finish()
    return entries


def _placeholders(table: Table, key: str, text: str) -> set[str]:
    """The names in braces in ``text``."""
    try:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    except ValueError as error:
        raise table.error(key, str(error)) from error


def _check_placeholders(table: Table, key: str, text: str, known: frozenset[str]) -> None:
    unknown = _placeholders(table, key, text) - known
    if unknown:
        raise table.error(key, f"unknown placeholder {min(unknown)!r}, known: {', '.join(sorted(known)) or 'none'}")


# -- parameters ------------------------------------------------------------------------------------------------------


def _parameters(facts: Table, words: Table) -> dict[str, ParameterEntry]:
    entries = {}
    for name in facts.keys:
        if not words.has(name):
            raise words.error(name, "is missing")
        entries[name] = _parameter(name, facts.table(name), words.table(name))
    words.finish()
    for entry in entries.values():
        related = (*entry.see, *(read for bound in entry.bounds for read in BOUNDS[bound].parameters))
        _check_references(facts, entry.name, related, entries)
    return entries


def _parameter(name: str, facts: Table, words: Table) -> ParameterEntry:
    entry = ParameterEntry(
        name=name,
        does=words.sentence("does"),
        not_does=words.texts("not_does"),
        values=words.mapping("values"),
        default=facts.text("default") if facts.has("default") else None,
        default_rule=_default_rule(facts),
        default_text=words.sentence("default", ""),
        history=words.sentence("history", ""),
        changing=words.sentence("changing", ""),
        risk=words.sentence("risk", ""),
        unit=_one_of(facts, "unit", facts.text("unit", ""), _UNITS),
        scope=cast("Scope", _one_of(facts, "scope", facts.text("scope"), get_args(Scope))),
        since=facts.sentence("since", ""),
        since_about=facts.sentence("since_about", ""),
        removed=facts.sentence("removed", ""),
        absent=facts.text("absent") if facts.has("absent") else None,
        no_effect=facts.flag("no_effect"),
        read_only=facts.flag("read_only"),
        module=facts.sentence("module", ""),
        bounds=_bound_names(facts),
        see=facts.texts("see", optional=True),
        old_names=facts.texts("old_names", optional=True),
        source=facts.sentence("source"),
    )
    if entry.default is None and not (entry.default_text or entry.removed or entry.read_only):
        raise words.error("default", "is missing, and the facts name no fixed default")
    facts.finish()
    words.finish()
    return entry


def _default_rule(facts: Table) -> DefaultRule | None:
    if not facts.has("default_from"):
        return None
    return cast("DefaultRule", _one_of(facts, "default_from", facts.text("default_from"), get_args(DefaultRule)))


def _bound_names(facts: Table) -> tuple[str, ...]:
    names = facts.texts("bounds", optional=True)
    for name in names:
        _one_of(facts, "bounds", name, tuple(BOUNDS))
    return names


def _one_of(table: Table, key: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise table.error(key, f"unknown value {value!r}, known: {', '.join(filter(None, known))}")
    return value


def _check_references(table: Table, key: str, names: tuple[str, ...], entries: Mapping[str, ParameterEntry]) -> None:
    for name in names:
        if name not in entries:
            raise table.error(key, f"names {name}, which has no entry in parameters.toml")


# -- states ----------------------------------------------------------------------------------------------------------


def _states(facts: Table, words: Table, parameters: Mapping[str, ParameterEntry]) -> dict[TcpState, StateEntry]:
    entries = {}
    for table in (facts, words):
        unknown = set(table.keys) - {state.name for state in TcpState}
        if unknown:
            raise table.error(min(unknown), "unknown state")
    for state in TcpState:
        entry_facts = facts.table(state.name)
        entries[state] = _state(state, entry_facts, words.table(state.name))
        _check_parameters(entry_facts, entries[state], parameters)
    return entries


def _state(state: TcpState, facts: Table, words: Table) -> StateEntry:
    entry = StateEntry(
        state=state,
        summary=words.sentence("summary"),
        side=words.sentence("side"),
        entered=words.sentence("entered"),
        left=words.sentence("left"),
        ends=_case_list(facts, words, "ends"),
        limits=_case_list(facts, words, "limits", optional=True),
        actors=_actors(facts),
        actor=words.sentence("actor"),
        many=words.sentence("many"),
        do=words.texts("do"),
        avoid=tuple(_advice(table) for table in words.tables("not")),
        queues=tuple(_queue_reading(table) for table in words.tables("queues")),
        timer=words.sentence("timer"),
        parameters=facts.texts("parameters"),
        modifiers=facts.texts("modifiers", optional=True),
        unrelated=facts.texts("unrelated"),
        only_when=tuple(_only_when(table) for table in facts.tables("only_when", optional=True)),
        notes=words.mapping("notes"),
        counters=facts.texts("counters"),
        counters_note=words.sentence("counters", ""),
        short=_short(facts.sentence("short_bound", ""), words.table("short")),
        source=facts.sentence("source"),
    )
    _check_state(facts, words, entry)
    facts.finish()
    words.finish()
    return entry


def _case_list(facts: Table, words: Table, key: str, *, optional: bool = False) -> tuple[Case, ...]:
    outlines = facts.tables(key, optional=optional)
    texts = words.table(key, optional=not outlines)
    cases = tuple(_case(outline, texts) for outline in outlines)
    texts.finish()
    return cases


def _case(outline: Table, texts: Table) -> Case:
    key = outline.sentence("case")
    bound = outline.sentence("bound", "")
    if bound:
        _one_of(outline, "bound", bound, tuple(BOUNDS))
    outline.finish()
    words = texts.table(key)
    text = words.sentence("text", "") if bound else words.sentence("text")
    case = Case(key, words.sentence("label"), text, bound)
    words.finish()
    return case


def _actors(facts: Table) -> tuple[Actor, ...]:
    actors = facts.texts("actor")
    for actor in actors:
        _one_of(facts, "actor", actor, get_args(Actor))
    return cast("tuple[Actor, ...]", actors)


def _advice(table: Table) -> Advice:
    advice = Advice(table.sentence("what"), table.sentence("why"))
    table.finish()
    return advice


def _queue_reading(table: Table) -> QueueReading:
    reading = QueueReading(table.sentence("case"), table.sentence("text"))
    table.finish()
    return reading


def _only_when(table: Table) -> OnlyWhen:
    condition = OnlyWhen(table.sentence("parameter"), table.sentence("other"), table.text("value"))
    table.finish()
    return condition


def _short(bound: str, words: Table) -> ShortEntry:
    entry = ShortEntry(words.sentence("summary"), words.sentence("ends"), bound)
    if bound and bound not in BOUNDS:
        raise words.error("ends", f"unknown law {bound!r}")
    known = frozenset.intersection(*BOUNDS[bound].cases.values()) if bound else frozenset[str]()
    _check_placeholders(words, "ends", entry.ends, known)
    words.finish()
    return entry


def _check_state(facts: Table, words: Table, entry: StateEntry) -> None:
    for key, filled in (("actor", entry.actors), ("ends", entry.ends), ("counters", entry.counters)):
        if not filled:
            raise facts.error(key, "is empty")
    for key, parts in (("do", entry.do), ("not", entry.avoid), ("queues", entry.queues)):
        if not parts:
            raise words.error(key, "is empty")
    twice = set(entry.unrelated) & {*entry.parameters, *entry.modifiers}
    if twice:
        raise facts.error("unrelated", f"{min(twice)} is among the parameters that matter too")
    for name in entry.notes:
        if name not in (*entry.parameters, *entry.modifiers, *entry.unrelated):
            raise words.error("notes", f"{name} is not a parameter of this state")


def _check_parameters(table: Table, entry: StateEntry, parameters: Mapping[str, ParameterEntry]) -> None:
    """Every parameter has an entry, and the laws of the state read none that the state does not name."""
    conditions = tuple(name for each in entry.only_when for name in (each.parameter, each.other))
    named = (*entry.parameters, *entry.modifiers)
    for key, names in (
        ("parameters", entry.parameters),
        ("modifiers", entry.modifiers),
        ("unrelated", entry.unrelated),
        ("only_when", conditions),
    ):
        _check_references(table, key, names, parameters)
    for case in (*entry.ends, *entry.limits):
        for name in BOUNDS[case.bound].parameters if case.bound else ():
            if name not in named:
                raise table.error("parameters", f"law {case.bound} reads {name}, which is not named here")
