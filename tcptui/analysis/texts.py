"""Texts as columns: numbers that order like the texts they stand for, and what a cell says of who holds a socket."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcptui.model.owners import REASONS, Holders, Standing

_LEADS = {Standing.HELD: "", Standing.REMEMBERED: "was ", Standing.LISTENER: "at ", Standing.LIKELY: ""}


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
