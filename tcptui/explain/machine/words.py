"""The words of the drawing: one file a language, ``data/<language>/machine.toml``, read and checked once.

May not know where a word stands.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from tcptui.explain.knowledge import DATA
from tcptui.explain.machine.edges import EDGES
from tcptui.explain.reader import Table, read_toml


@dataclass(frozen=True)
class EdgeWords:
    """What makes a connection move, in one language."""

    short: str
    event: str
    action: str
    """What the kernel sends then; may be empty."""

    @property
    def full(self) -> str:
        """Event and action on one line."""
        return f"{self.event} / {self.action}" if self.action else self.event


@dataclass(frozen=True)
class MachineWords:
    """All words of the drawing in one language."""

    title: str
    not_listed: str
    passive_open: str
    active_open: str
    active_close: str
    passive_close: str
    jumps: str
    jumps_listed: str
    brief: str
    list_separator: str
    opened: str
    closed: str
    nothing: str
    unmeasured: str
    unseen: str
    absent: str
    letters: str
    notes: tuple[str, ...]
    edges: Mapping[str, EdgeWords]


_PLACEHOLDERS = {"jumps_listed": "moves"}
_LONGER = ("notes", "edges")
"""The fields that are more than one text."""


@cache
def machine_words(language: str = "en") -> MachineWords:
    """The words in ``language``; read and checked once.

    Raises:
        KnowledgeError: a word is missing or unknown, or there is no such language.
    """
    return words_from(DATA / language / "machine.toml")


def words_from(path: Path) -> MachineWords:
    """Read and check one file of words."""
    table = Table(read_toml(path), f"{path.parent.name}/{path.name}")
    single = {
        field.name: table.sentence(field.name)
        for field in dataclasses.fields(MachineWords)
        if field.name not in _LONGER
    }
    for key, expected in _PLACEHOLDERS.items():
        if table.placeholders(key, single[key]) != {expected}:
            raise table.error(key, f"expected the placeholder: {expected}")
    notes, edges = table.texts("notes"), table.table("edges")
    table.finish()
    words = {edge.name: _edge_words(edges.table(edge.name)) for edge in EDGES}
    edges.finish()
    return MachineWords(**single, notes=notes, edges=MappingProxyType(words))


def _edge_words(table: Table) -> EdgeWords:
    words = EdgeWords(table.sentence("short"), table.sentence("event"), table.text("action"))
    table.finish()
    return words
