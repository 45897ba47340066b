"""States and parameters: their facts and the words of one language, read and checked.

May not compare with what other files say: ``knowledge`` does, when all are read.
"""

from collections.abc import Iterator
from typing import cast, get_args

from tcptui.explain.bounds import BOUNDS
from tcptui.explain.entries import (
    STATE_NAMES,
    Actor,
    Advice,
    Case,
    DefaultRule,
    Flag,
    OnlyWhen,
    ParameterEntry,
    Reading,
    Scope,
    ShortEntry,
    StateEntry,
)
from tcptui.explain.reader import Table

UNITS = ("", "s", "ms", "us", "bytes", "pages", "packets", "ports")


# -- parameters ------------------------------------------------------------------------------------------------------


def read_parameters(facts: Table, words: Table) -> dict[str, ParameterEntry]:
    """Every parameter, by dotted name."""
    return {name: _parameter(name, *tables) for name, tables in read_pairs(facts, words)}


def read_pairs(facts: Table, words: Table) -> Iterator[tuple[str, tuple[Table, Table]]]:
    """Each entry of a file of facts with the entry of the same name in the words."""
    for name in facts.keys:
        if not words.has(name):
            raise words.error(name, "is missing")
        yield name, (facts.table(name), words.table(name))
    words.finish()


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
        unit=facts.choice("unit", UNITS, ""),
        scope=cast("Scope", facts.choice("scope", get_args(Scope))),
        since=facts.sentence("since", ""),
        since_about=facts.sentence("since_about", ""),
        removed=facts.sentence("removed", ""),
        absent=facts.text("absent") if facts.has("absent") else None,
        no_effect=facts.flag("no_effect"),
        read_only=facts.flag("read_only"),
        module=facts.sentence("module", ""),
        used=facts.text("used", ""),
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
    return cast("DefaultRule", facts.choice("default_from", get_args(DefaultRule)))


def _bound_names(facts: Table) -> tuple[str, ...]:
    names = facts.texts("bounds", optional=True)
    facts.check_names("bounds", names, BOUNDS)
    return names


# -- states ----------------------------------------------------------------------------------------------------------


def read_states(facts: Table, words: Table) -> dict[str, StateEntry]:
    """Every state, by name."""
    for table in (facts, words):
        unknown = set(table.keys) - set(STATE_NAMES)
        if unknown:
            raise table.error(min(unknown), "unknown state")
    return {name: _state(name, facts.table(name), words.table(name)) for name in STATE_NAMES}


def _state(name: str, facts: Table, words: Table) -> StateEntry:
    entry = StateEntry(
        name=name,
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
        queues=tuple(read_reading(table) for table in words.tables("queues")),
        timer=words.sentence("timer"),
        packets=words.sentence("packets"),
        flags=_flags(facts),
        ss=facts.text("ss", f"state {name.lower().replace('_', '-')}"),
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
        outline.check_names("bound", (bound,), BOUNDS)
    outline.finish()
    words = texts.table(key)
    text = words.sentence("text", "") if bound else words.sentence("text")
    case = Case(key, words.sentence("label"), text, bound)
    words.finish()
    return case


def _actors(facts: Table) -> tuple[Actor, ...]:
    actors = facts.texts("actor")
    facts.check_names("actor", actors, get_args(Actor))
    return cast("tuple[Actor, ...]", actors)


def _advice(table: Table) -> Advice:
    advice = Advice(table.sentence("what"), table.sentence("why"))
    table.finish()
    return advice


def read_reading(table: Table) -> Reading:
    """How to read one value."""
    reading = Reading(table.sentence("case"), table.sentence("text"))
    table.finish()
    return reading


def _flags(facts: Table) -> tuple[Flag, ...]:
    flags = facts.texts("packets")
    facts.check_names("packets", flags, get_args(Flag))
    return cast("tuple[Flag, ...]", flags)


def _only_when(table: Table) -> OnlyWhen:
    condition = OnlyWhen(table.sentence("parameter"), table.sentence("other"), table.text("value"))
    table.finish()
    return condition


def _short(bound: str, words: Table) -> ShortEntry:
    entry = ShortEntry(words.sentence("summary"), words.sentence("ends"), bound)
    if bound and bound not in BOUNDS:
        raise words.error("ends", f"unknown law {bound!r}")
    known = frozenset.intersection(*BOUNDS[bound].cases.values()) if bound else frozenset[str]()
    words.check_placeholders("ends", entry.ends, known)
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
