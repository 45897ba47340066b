"""The ring of counts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.history import HISTORY_LENGTH, STRETCH_S, STRETCHES, History, Transitions
from tcptui.model.states import STATE_COUNT, TcpState
from tests.monitor.frames import assert_same_transitions


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
def test_the_newest_are_remembered_one_by_one(capacity: int, appended: int) -> None:
    history = History(capacity, stretches=1)
    for number in range(appended):
        history.append(number * STRETCH_S, counts(number))
    view = history.view()
    remembered = range(max(0, appended - capacity), appended)
    # One more is in the only stretch there is.
    older = len(view) - len(remembered)
    assert older == (appended > capacity)
    assert view.monotonic_s.tolist()[older:] == [number * STRETCH_S for number in remembered]
    assert view.counts.tolist()[older:] == [counts(number).tolist() for number in remembered]
    assert view.peaks.tolist()[older:] == view.counts.tolist()[older:]


@given(
    st.lists(st.tuples(st.sampled_from((0.2, 1.0, 7.0, 15.0, 100.0)), st.integers(0, 9)), max_size=120),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_older_samples_are_kept_by_stretches_with_their_last_and_their_highest_counts(
    steps: list[tuple[float, int]], capacity: int, stretches: int
) -> None:
    """No sample is in two entries, none of the time that is remembered is left out, and no peak is lost."""
    history = History(capacity, stretches)
    times = np.cumsum([seconds for seconds, _ in steps]).tolist()
    numbers = [number for _, number in steps]
    for time_s, number in zip(times, numbers, strict=True):
        history.append(time_s, counts(number))
    old = dict.fromkeys(time_s // STRETCH_S for time_s in times[: max(0, len(times) - capacity)])
    expected = []
    for stretch in list(old)[-stretches:]:
        members = [at for at in range(max(0, len(times) - capacity)) if times[at] // STRETCH_S == stretch]
        expected.append((times[members[-1]], numbers[members[-1]], max(numbers[at] for at in members)))
    expected += [(times[at], numbers[at], numbers[at]) for at in range(max(0, len(times) - capacity), len(times))]
    view = history.view()
    assert view.monotonic_s.tolist() == [time_s for time_s, _, _ in expected]
    assert view.counts.tolist() == [counts(last).tolist() for _, last, _ in expected]
    assert view.peaks.tolist() == [counts(most).tolist() for _, _, most in expected]


@given(st.integers(0, 12), st.floats(-1, 13))
def test_what_is_remembered_can_be_had_up_to_a_time(appended: int, until_s: float) -> None:
    history = History(12)
    for number in range(appended):
        history.append(float(number), counts(number))
    remembered = [float(number) for number in range(appended) if number <= until_s]
    assert history.view().until(until_s).monotonic_s.tolist() == remembered
    assert history.view(until_s).monotonic_s.tolist() == remembered
    assert len(history.view(until_s).counts) == len(remembered)


@given(st.integers(1, 5), st.integers(0, 12))
def test_what_changed_before_each_of_the_newest_is_kept(capacity: int, appended: int) -> None:
    """Nothing, where that could not be told."""
    history = History(capacity)
    told = [changes(number, brief=number % 2 or None) if number % 3 else None for number in range(appended)]
    for number, each in enumerate(told):
        history.append(float(number), counts(number), each)
    for number, each in enumerate(told):
        kept = history.transitions_at(float(number))
        assert (kept is None) == (each is None or number < appended - capacity)
        if kept is not None and each is not None:
            assert_same_transitions(kept, each)
    assert history.transitions_at(0.5) is None
    assert history.transitions_at(float(appended)) is None


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


def test_a_day_of_samples_takes_no_more_than_is_stated() -> None:
    """At five samples a second, the shortest interval; the newest of them are there one by one."""
    history = History()
    day_s, interval_s = 24 * 3600, 0.2
    for at in range(int(2 * day_s / interval_s / 75)):
        history.append(at * interval_s * 75, counts(at % 7))
    view = history.view()
    assert view.monotonic_s[-1] - view.monotonic_s[0] >= day_s
    assert len(view) <= HISTORY_LENGTH + STRETCHES
    held = [value.nbytes for value in vars(history).values() if isinstance(value, np.ndarray)]
    assert sum(held) == History.BYTES
    assert f"{History.BYTES:,}" in (History.__doc__ or "")


def test_an_hour_at_one_a_second_is_kept_sample_by_sample() -> None:
    assert HISTORY_LENGTH == 3600
    assert STRETCHES * STRETCH_S == 24 * 3600
