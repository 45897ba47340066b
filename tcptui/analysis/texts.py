"""Texts as columns: numbers that order like the texts they stand for, and what a cell says of who holds a socket."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcptui.language import mark, tr
from tcptui.model.owners import LIKELY_LEAD, NO_CGROUP, REASONS, Holders, Standing
from tcptui.model.services import service_text

_LEADS = {Standing.HELD: "", Standing.REMEMBERED: "was ", Standing.LISTENER: "at ", Standing.LIKELY: ""}
EXITED = " (exited)"
"""What stands behind the name of a process that is not there any more."""

_SAID_LEADS = {"was ": mark("was {name}"), "at ": mark("at {name}"), LIKELY_LEAD: mark("likely {name}")}
_INSTEAD = frozenset({*REASONS.values(), NO_CGROUP})


class TextColumn(NamedTuple):
    """One text a row."""

    codes: NDArray[np.int32]
    """For each row the index of its text."""
    texts: Sequence[str]
    """Each once, in alphabetical order."""


def text_column(values: Sequence[str], codes: NDArray[np.generic] | None = None) -> TextColumn:
    """The column of ``values``, or of those at ``codes``; ordered by the letters, whatever their case."""
    texts = sorted(set(values), key=lambda text: (text.lower(), text))
    index = {text: number for number, text in enumerate(texts)}
    numbers = np.array([index[value] for value in values], np.int32)
    return TextColumn(numbers if codes is None else numbers[codes.astype(np.int64)], texts)


def holders_text(standing: Standing, holders: Holders | None) -> str:
    """Who holds a socket, how, and how many others share it; or why nobody can be named."""
    if holders is None:
        return REASONS[standing]
    others = f" +{len(holders) - 1}" if len(holders) > 1 else ""
    return f"{_LEADS[standing]}{holders[0].name or '?'}{others}"


def cell_text(field_id: str, text: str) -> str:
    """What a person is shown of a cell with ``text``, which is what names the row, and what a filter takes."""
    name_text = {"process": _process_text, "service": service_text}.get(field_id)
    if name_text is None:
        return text
    if text in _INSTEAD:
        return tr(text)
    lead = next((each for each in _SAID_LEADS if text.startswith(each)), "")
    name = name_text(text.removeprefix(lead))
    return tr(_SAID_LEADS[lead], name=name) if lead else name


def _process_text(name: str) -> str:
    return tr("{name} (exited)", name=name.removesuffix(EXITED)) if name.endswith(EXITED) else name
