"""Counters, options, columns and false claims: their facts and the words of one language, read and checked.

May not compare with what other files say: ``knowledge`` does, when all are read.
"""

from typing import cast, get_args

from tcptui.explain.entries import (
    ColumnEntry,
    CounterEntry,
    CounterKind,
    MythEntry,
    OptionEntry,
    OptionKind,
    Scope,
    Verdict,
)
from tcptui.explain.reader import Table
from tcptui.explain.state_files import UNITS, read_pairs, read_reading

_LEVELS = ("", "SOL_SOCKET", "IPPROTO_TCP", "IPPROTO_IP")
_COLUMN = "column:"
"""In front of a column's name where a list holds names of all kinds."""


def read_counters(facts: Table, words: Table) -> dict[str, CounterEntry]:
    """Every counter, by dotted name."""
    return {name: _counter(name, *tables) for name, tables in read_pairs(facts, words)}


def _counter(name: str, facts: Table, words: Table) -> CounterEntry:
    entry = CounterEntry(
        name=name,
        counts=words.sentence("counts"),
        reading=words.sentence("reading"),
        not_counts=words.texts("not", optional=True),
        kind=cast("CounterKind", facts.choice("kind", get_args(CounterKind))),
        scope=cast("Scope", facts.choice("scope", get_args(Scope))),
        unit=facts.choice("unit", UNITS, ""),
        states=facts.texts("states"),
        parameters=facts.texts("parameters"),
        see=facts.texts("see"),
        since=facts.sentence("since", ""),
        source=facts.sentence("source"),
    )
    facts.finish()
    words.finish()
    return entry


def read_options(facts: Table, words: Table) -> dict[str, OptionEntry]:
    """Every option, by name."""
    return {name: _option(name, *tables) for name, tables in read_pairs(facts, words)}


def _option(name: str, facts: Table, words: Table) -> OptionEntry:
    entry = OptionEntry(
        name=name,
        does=words.sentence("does"),
        use=words.sentence("use"),
        values=words.mapping("values"),
        not_does=words.texts("not_does"),
        risk=words.sentence("risk", ""),
        kind=cast("OptionKind", facts.choice("kind", get_args(OptionKind))),
        level=facts.choice("level", _LEVELS),
        unit=facts.choice("unit", UNITS),
        states=facts.texts("states"),
        parameters=facts.texts("parameters"),
        overrides=facts.texts("overrides", optional=True),
        see=facts.texts("see"),
        since=facts.sentence("since", ""),
        since_about=facts.sentence("since_about", ""),
        source=facts.sentence("source"),
    )
    facts.finish()
    words.finish()
    return entry


def read_columns(facts: Table, words: Table) -> dict[str, ColumnEntry]:
    """Every column, by its field's id."""
    return {name: _column(name, *tables) for name, tables in read_pairs(facts, words)}


def _column(name: str, facts: Table, words: Table) -> ColumnEntry:
    entry = ColumnEntry(
        name=name,
        title=words.sentence("title"),
        means=words.sentence("means"),
        readings=tuple(read_reading(table) for table in words.tables("readings", optional=True)),
        see=facts.texts("see"),
        source=facts.sentence("source"),
    )
    facts.finish()
    words.finish()
    return entry


def read_myths(facts: Table, words: Table) -> dict[str, MythEntry]:
    """Every false claim, by its short name."""
    return {name: _myth(name, *tables) for name, tables in read_pairs(facts, words)}


def _myth(name: str, facts: Table, words: Table) -> MythEntry:
    entry = MythEntry(
        name=name,
        number=facts.number("claim"),
        claim=words.sentence("claim"),
        truth=words.sentence("truth"),
        verdict=cast("Verdict", facts.choice("verdict", get_args(Verdict))),
        topics=tuple(topic.removeprefix(_COLUMN) for topic in facts.texts("topics")),
        proof=facts.sentence("proof"),
    )
    facts.finish()
    words.finish()
    return entry
