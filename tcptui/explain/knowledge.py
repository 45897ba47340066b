"""What the program knows: the data files, read, checked against one another and typed.

The same in every language: ``data/*.toml``. The words: ``data/<language>/*.toml``. A new language is a new folder and a
name in ``language.LANGUAGES``; a new entry is one in the facts and one in each language. ``load`` refuses anything that
does not fit: an unknown key or state, a missing field or sentence, a name without an entry, a placeholder that its law
does not fill. May not read anything but these files.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from tcptui.explain.bounds import BOUNDS
from tcptui.explain.entries import BoundWords, Knowledge, StateEntry
from tcptui.explain.labels import PLACEHOLDERS, Labels
from tcptui.explain.other_files import read_columns, read_counters, read_myths, read_options
from tcptui.explain.reader import KnowledgeError, Table, read_toml
from tcptui.explain.state_files import read_parameters, read_states
from tcptui.language import LANGUAGES

DATA = Path(__file__).with_name("data")


def load(language: str = "en") -> Knowledge:
    """The package's own knowledge in ``language``; read and checked once.

    Raises:
        KnowledgeError: a file does not say what it should, or there is no such language.
    """
    if language not in LANGUAGES:
        raise KnowledgeError(f"no explanations in language {language!r}", f"known: {', '.join(LANGUAGES)}")
    return _loaded(language)


@cache
def _loaded(language: str) -> Knowledge:
    return load_from(DATA, language)


def load_from(folder: Path, language: str) -> Knowledge:
    """Read and check the data files in ``folder``."""

    def files(name: str) -> tuple[Table, Table]:
        paths = (f"{name}.toml", f"{language}/{name}.toml")
        facts, words = (Table(read_toml(folder / path), path) for path in paths)
        return facts, words

    knowledge = Knowledge(
        language=language,
        labels=_labels(Table(read_toml(folder / language / "labels.toml"), f"{language}/labels.toml")),
        bounds=_bound_words(Table(read_toml(folder / language / "bounds.toml"), f"{language}/bounds.toml")),
        states=MappingProxyType(read_states(*files("states"))),
        parameters=MappingProxyType(read_parameters(*files("parameters"))),
        counters=MappingProxyType(read_counters(*files("counters"))),
        options=MappingProxyType(read_options(*files("options"))),
        columns=MappingProxyType(read_columns(*files("columns"))),
        myths=MappingProxyType(read_myths(*files("myths"))),
    )
    _check(knowledge)
    return knowledge


# -- words -----------------------------------------------------------------------------------------------------------


def _labels(table: Table) -> Labels:
    words = {}
    for field in dataclasses.fields(Labels):
        words[field.name] = table.text(field.name)
        expected = PLACEHOLDERS.get(field.name, frozenset())
        if table.placeholders(field.name, words[field.name]) != expected:
            raise table.error(field.name, f"expected the placeholders: {', '.join(sorted(expected)) or 'none'}")
    table.finish()
    return Labels(**words)


def _bound_words(table: Table) -> Mapping[str, BoundWords]:
    entries = {}
    for name, bound in BOUNDS.items():
        words = table.table(name)
        entries[name] = BoundWords(words.sentence("label"), {case: words.sentence(case) for case in bound.cases})
        for case, sentence in entries[name].sentences.items():
            words.check_placeholders(case, sentence, bound.cases[case])
        words.finish()
    table.finish()
    return entries


# -- names that entries give of one another --------------------------------------------------------------------------


def _check(knowledge: Knowledge) -> None:
    _check_states(knowledge)
    _check_parameters(knowledge)
    for counter in knowledge.counters.values():
        where = f"counters.toml: {counter.name}"
        _check_names(f"{where}: states", counter.states, knowledge.states)
        _check_names(f"{where}: parameters", counter.parameters, knowledge.parameters)
        _check_names(f"{where}: see", counter.see, knowledge.counters)
    for option in knowledge.options.values():
        where = f"options.toml: {option.name}"
        _check_names(f"{where}: states", option.states, knowledge.states)
        _check_names(f"{where}: parameters", (*option.parameters, *option.overrides), knowledge.parameters)
        _check_names(f"{where}: see", option.see, knowledge.options)
    named = _all_names(knowledge)
    for column in knowledge.columns.values():
        _check_names(f"columns.toml: {column.name}: see", column.see, named)
    for myth in knowledge.myths.values():
        _check_names(f"myths.toml: {myth.name}: topics", myth.topics, named)


def _all_names(knowledge: Knowledge) -> frozenset[str]:
    """Every name that has an entry; none may have two."""
    kinds = (*(knowledge.states, knowledge.parameters, knowledge.counters), *(knowledge.options, knowledge.columns))
    seen: set[str] = set()
    for name in (name for entries in (*kinds, knowledge.myths) for name in entries):
        if name in seen:
            raise KnowledgeError(f"{name} is the name of two entries")
        seen.add(name)
    return frozenset(seen)


def _check_names(where: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise KnowledgeError(f"{where}: names {name}, which has no entry")


def _check_parameters(knowledge: Knowledge) -> None:
    for entry in knowledge.parameters.values():
        where = f"parameters.toml: {entry.name}"
        read = (name for bound in entry.bounds for name in BOUNDS[bound].parameters)
        _check_names(where, (*entry.see, *read), knowledge.parameters)
        if entry.used:
            _check_names(f"{where}: used", (entry.used,), {**knowledge.counters, **knowledge.parameters})


def _check_states(knowledge: Knowledge) -> None:
    """Everything named has an entry, and the laws of a state read no parameter that the state does not name."""
    for entry in knowledge.states.values():
        where = f"states.toml: {entry.name}"
        for key, names in _named_parameters(entry).items():
            _check_names(f"{where}: {key}", names, knowledge.parameters)
        _check_names(f"{where}: counters", entry.counters, knowledge.counters)
        for bound in entry.bounds:
            for name in BOUNDS[bound].parameters:
                if name not in (*entry.parameters, *entry.modifiers):
                    raise KnowledgeError(f"{where}: parameters: law {bound} reads {name}, which is not named here")


def _named_parameters(entry: StateEntry) -> dict[str, tuple[str, ...]]:
    return {
        "parameters": entry.parameters,
        "modifiers": entry.modifiers,
        "unrelated": entry.unrelated,
        "only_when": tuple(name for each in entry.only_when for name in (each.parameter, each.other)),
    }
