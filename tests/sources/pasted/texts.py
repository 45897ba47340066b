"""Texts read, and what they told in words that a test can compare."""

import io
from collections import Counter
from typing import NamedTuple

from tcptui.analysis.attribution import attributed
from tcptui.model.owners import Attribution
from tcptui.model.states import TcpState
from tcptui.sources.pasted.ledger import Kind
from tcptui.sources.pasted.source import Pasted, read_pasted


class End(NamedTuple):
    """A row as text: state, and both ends."""

    state: str
    local: str
    remote: str


def read(text: str | bytes) -> Pasted:
    """What is found in a text."""
    return read_pasted(io.BytesIO(text.encode() if isinstance(text, str) else text), "notes.txt")


def ends(pasted: Pasted) -> list[End]:
    """The rows, in the order of the text."""
    sample = pasted.sample
    sides = [
        [
            sample.end_text((int(row[f"{side}_hi"]), int(row[f"{side}_lo"]), int(row[f"{side}_port"])))
            for side in ("local", "remote")
        ]
        for row in sample.table.rows
    ]
    states = [TcpState(int(state)).name for state in sample.table.rows["state"]]
    return [End(state, *side) for state, side in zip(states, sides, strict=True)]


def column(pasted: Pasted, field_id: str) -> list[int | None]:
    """A field of each row; None where it is not told."""
    values = pasted.sample.table.rows[field_id].tolist()
    return [value if pasted.sample.is_known(field_id, row) else None for row, value in enumerate(values)]


def holders(pasted: Pasted) -> list[list[tuple[int, str]]]:
    """Process ids and names for each row."""
    attribution = attribution_of(pasted)
    groups = [attribution.groups[code] if code >= 0 else () for code in attribution.codes.tolist()]
    return [[(process.pid, process.name) for process in group] for group in groups]


def attribution_of(pasted: Pasted) -> Attribution:
    """Who stands behind the rows."""
    attribution = attributed(pasted.sample).attribution
    assert attribution is not None
    return attribution


def counts(pasted: Pasted) -> Counter[str]:
    """Sockets by the name of their state."""
    numbers = pasted.sample.table.state_counts().tolist()
    return Counter({TcpState(state).name: number for state, number in enumerate(numbers) if number})


def codes(pasted: Pasted) -> list[str]:
    """What is said of the text."""
    return [each.code for each in pasted.sample.degraded]


def lines(pasted: Pasted) -> dict[str, int]:
    """How many lines were taken for what, where there are any."""
    return {kind.name: pasted.ledger.numbers[kind] for kind in Kind if pasted.ledger.numbers[kind]}
