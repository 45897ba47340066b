"""The ring of counts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.history import HISTORY_LENGTH, History
from tcptui.model.states import STATE_COUNT


def counts(number: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(STATE_COUNT, dtype=np.int64) + number


@given(st.integers(1, 7), st.integers(0, 30))
def test_the_newest_are_remembered_in_order(capacity: int, appended: int) -> None:
    history = History(capacity)
    for number in range(appended):
        history.append(number * 0.5, counts(number))
    view = history.view()
    remembered = range(max(0, appended - capacity), appended)
    assert len(view) == len(remembered)
    assert view.monotonic_s.tolist() == [number * 0.5 for number in remembered]
    assert view.counts.tolist() == [counts(number).tolist() for number in remembered]


@given(st.integers(0, 12), st.floats(-1, 13))
def test_what_is_remembered_can_be_had_up_to_a_time(appended: int, until_s: float) -> None:
    history = History(8)
    for number in range(appended):
        history.append(float(number), counts(number))
    remembered = [float(number) for number in range(max(0, appended - 8), appended) if number <= until_s]
    assert history.view(until_s).monotonic_s.tolist() == remembered
    assert len(history.view(until_s).counts) == len(remembered)


def test_a_view_does_not_change_when_the_ring_turns() -> None:
    """It is handed to another thread."""
    history = History(2)
    history.append(1.0, counts(1))
    view = history.view()
    for number in range(2, 6):
        history.append(float(number), counts(number))
    assert view.monotonic_s.tolist() == [1.0]
    assert view.counts[0].tolist() == counts(1).tolist()


def test_an_hour_at_one_a_second_is_kept() -> None:
    assert HISTORY_LENGTH == 3600
