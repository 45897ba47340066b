"""The ring of counts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.history import HISTORY_LENGTH, History, Transitions
from tcptui.model.states import STATE_COUNT, TcpState


def counts(number: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(STATE_COUNT, dtype=np.int64) + number


def changes(number: int, elapsed_s: float = 2.0, brief: int | None = None) -> Transitions:
    """So many sockets opened, twice as many closed, thrice as many were closed by the other side."""
    opened, closed = np.zeros(STATE_COUNT, np.int64), np.zeros(STATE_COUNT, np.int64)
    moved = np.zeros((STATE_COUNT, STATE_COUNT), np.uint32)
    opened[TcpState.ESTABLISHED], closed[TcpState.TIME_WAIT] = number, 2 * number
    moved[TcpState.ESTABLISHED, TcpState.CLOSE_WAIT] = 3 * number
    return Transitions(opened, closed, moved, elapsed_s, brief)


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


@given(st.integers(1, 5), st.integers(0, 12), st.floats(-1, 13))
def test_each_entry_keeps_what_changed_before_it(capacity: int, appended: int, until_s: float) -> None:
    """Nothing, where that could not be told."""
    history = History(capacity)
    told = [changes(number) if number % 3 else None for number in range(appended)]
    for number, each in enumerate(told):
        history.append(float(number), counts(number), each)
    view = history.view(until_s)
    remembered = [number for number in range(max(0, appended - capacity), appended) if number <= until_s]
    assert len(view.transitions) == len(view)
    assert list(view.transitions) == [told[number] for number in remembered]


def test_what_changed_is_told_per_second() -> None:
    moves = changes(10)
    assert (moves.opened_per_s, moves.closed_per_s, moves.brief_per_s) == (5.0, 10.0, 0.0)
    assert moves.moved_per_s(TcpState.ESTABLISHED, TcpState.CLOSE_WAIT) == 15.0
    assert moves.moved_per_s(TcpState.CLOSE_WAIT, TcpState.LAST_ACK) == 0.0


@pytest.mark.parametrize(("brief", "per_s"), [(None, 0.0), (0, 0.0), (7, 3.5)])
def test_connections_that_came_and_went_in_between_were_opened_and_closed(brief: int | None, per_s: float) -> None:
    moves = changes(10, brief=brief)
    assert moves.brief_per_s == per_s
    assert (moves.opened_per_s, moves.closed_per_s) == (5.0 + per_s, 10.0 + per_s)


@pytest.mark.parametrize("elapsed_s", [0.0, -1.0])
def test_where_no_time_has_passed_nothing_went_on(elapsed_s: float) -> None:
    """A clock that stands still must not divide by zero."""
    moves = replace(changes(10, brief=7), elapsed_s=elapsed_s)
    assert (moves.opened_per_s, moves.closed_per_s, moves.brief_per_s) == (0.0, 0.0, 0.0)
    assert moves.moved_per_s(TcpState.ESTABLISHED, TcpState.CLOSE_WAIT) == 0.0


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
