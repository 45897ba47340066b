"""A number over time, as points of (seconds, value), the oldest first."""

import itertools
from collections.abc import Sequence

Points = Sequence[tuple[float, int]]

WINDOWS = 3
"""What rises does not fall in any of so many windows of equal length."""
LONGEST = 120
"""Points that are kept."""


def extended(points: Points, now_s: float, value: int) -> tuple[tuple[float, int], ...]:
    """With one more point; the oldest go where there are too many."""
    return (*points[-LONGEST + 1 :], (now_s, value))


def span_s(points: Points) -> float:
    """From the first to the last."""
    return points[-1][0] - points[0][0] if points else 0.0


def is_rising(points: Points, least_s: float) -> bool:
    """Whether it has grown over at least so long, and has not fallen from one third of that to the next."""
    length_s = span_s(points)
    if length_s < least_s or length_s <= 0:
        return False
    start_s = points[0][0]
    marks = [points[0][1], *(_value_at(points, start_s + length_s * part / WINDOWS) for part in range(1, WINDOWS + 1))]
    return marks[-1] > marks[0] and all(later >= earlier for earlier, later in itertools.pairwise(marks))


def slope_per_s(points: Points, least_s: float) -> float | None:
    """How much it grows a second, by its ends; None where they are not so far apart."""
    length_s = span_s(points)
    return (points[-1][1] - points[0][1]) / length_s if length_s >= least_s and length_s > 0 else None


def _value_at(points: Points, moment_s: float) -> int:
    """The last value up to a moment."""
    return [value for at_s, value in points if at_s <= moment_s + 1e-9][-1]
