"""How to go from one moment of the past to another. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Step:
    """Where to go, of the moments that can be shown."""

    moments: int = 0
    """So many further, back where negative."""
    seconds: float = 0.0
    """About so long further, back where negative; but to another moment at least."""
    to_s: float | None = None
    """To the moment at this time, or the nearest."""
    within_s: float = 0.0
    """Rather to one whose rows are kept, as long as it is so near to ``to_s``."""


OLDEST, NEWEST = Step(to_s=-math.inf), Step(to_s=math.inf)


def target(now_s: float, step: Step, kept_s: NDArray[np.float64], counted_s: NDArray[np.float64]) -> float:
    """The time of the moment that a step leads to; ``now_s`` where there is none.

    ``kept_s`` are the moments whose rows are kept, ``counted_s`` those that are only counted; both rise.
    """
    if not len(kept_s):
        return now_s
    if step.to_s is None:
        return _further(now_s, step, kept_s)
    nearest = _nearest(kept_s, step.to_s)
    if math.isinf(step.to_s) or abs(nearest - step.to_s) <= step.within_s or not len(counted_s):
        return nearest
    counted = _nearest(counted_s, step.to_s)
    return counted if abs(counted - step.to_s) < abs(nearest - step.to_s) else nearest


def _further(now_s: float, step: Step, kept_s: NDArray[np.float64]) -> float:
    is_back = step.moments < 0 or step.seconds < 0
    ahead = kept_s[kept_s < now_s][::-1] if is_back else kept_s[kept_s > now_s]
    if not len(ahead):
        return now_s
    if step.moments:
        return float(ahead[min(abs(step.moments), len(ahead)) - 1])
    return _nearest(ahead, now_s + step.seconds)


def _nearest(times_s: NDArray[np.float64], wanted_s: float) -> float:
    if math.isinf(wanted_s):
        return float(times_s.max() if wanted_s > 0 else times_s.min())
    return float(times_s[np.argmin(np.abs(times_s - wanted_s))])
