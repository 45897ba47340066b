"""What changed between two samples, against dictionaries by cookie."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.attribution import attributed
from tcptui.analysis.grouping import build_grid
from tcptui.analysis.joins import rows_before, total_change, transitions
from tcptui.analysis.matching import positions
from tcptui.model.fields import ViewKind
from tcptui.model.states import STATE_COUNT, TcpState
from tests.analysis.naive import place_of
from tests.model.random_tables import Known, Socket, sockets, table_of
from tests.query.placed import Placed, known_sample_of, samples

ALL = frozenset(map(int, TcpState))
placed = st.lists(
    st.builds(Placed, state=st.sampled_from(TcpState), cookie=st.integers(1, 6), netns=st.integers(0, 2)),
    max_size=10,
    unique_by=lambda each: (each.cookie, each.netns),
)


def name_of(socket: Socket) -> tuple[int, int]:
    return socket.cookie, place_of(socket)


@given(sockets, sockets)
def test_sockets_that_came_went_and_moved(before: list[Socket], after: list[Socket]) -> None:
    old = {socket.cookie: socket.state for socket in before}
    new = {socket.cookie: socket.state for socket in after}
    opened, closed = [0] * STATE_COUNT, [0] * STATE_COUNT
    moved = [[0] * STATE_COUNT for _ in range(STATE_COUNT)]
    for cookie in old.keys() | new.keys():
        if cookie not in old:
            opened[new[cookie]] += 1
        elif cookie not in new:
            closed[old[cookie]] += 1
        else:
            moved[old[cookie]][new[cookie]] += 1
    changes = transitions(table_of(before), table_of(after))
    assert changes.opened.tolist() == opened
    assert changes.closed.tolist() == closed
    assert changes.moved.tolist() == moved


@given(placed, placed, st.data())
def test_a_socket_is_met_again_in_its_own_namespace_only(
    before: list[Socket], after: list[Socket], data: st.DataObject
) -> None:
    """And among those that a mask means; whether it is new or gone is a matter of the whole table."""
    keep_before, keep_after = (
        data.draw(st.lists(st.booleans(), min_size=len(each), max_size=len(each))) for each in (before, after)
    )
    old, new = ({(each.cookie, place_of(each)): each.state for each in table} for table in (before, after))
    moves = transitions(table_of(before), table_of(after), np.array(keep_before, bool), np.array(keep_after, bool))
    gone = [each.state for each, kept in zip(before, keep_before, strict=True) if kept and name_of(each) not in new]
    come = [each.state for each, kept in zip(after, keep_after, strict=True) if kept and name_of(each) not in old]
    met = [
        (old[name_of(each)], each.state)
        for each, kept in zip(after, keep_after, strict=True)
        if kept and name_of(each) in old
    ]
    assert moves.closed.tolist() == [gone.count(TcpState(number)) if number in ALL else 0 for number in range(16)]
    assert moves.opened.tolist() == [come.count(TcpState(number)) if number in ALL else 0 for number in range(16)]
    assert [(pair, int(moves.moved[pair])) for pair in set(met)] == [(pair, met.count(pair)) for pair in set(met)]
    assert moves.moved.sum() == len(met)


@given(sockets)
def test_the_order_of_a_table_does_not_matter(described: list[Socket]) -> None:
    one, other = table_of(described), table_of(described[::-1])
    changes = transitions(one, other)
    assert changes.opened.sum() == changes.closed.sum() == 0
    assert changes.moved.sum() == np.trace(changes.moved) == len(described)


def test_a_close_wait_that_was_closed_is_seen_moving() -> None:
    changes = transitions(table_of([Socket(TcpState.CLOSE_WAIT)]), table_of([Socket(TcpState.LAST_ACK)]))
    assert changes.moved[TcpState.CLOSE_WAIT, TcpState.LAST_ACK] == 1
    assert changes.moved.sum() == 1


cookies = st.one_of(st.integers(0, 8), st.integers(2**63 - 2, 2**63 + 2), st.integers(2**64 - 4, 2**64 - 1))


@given(st.sets(cookies), st.lists(cookies))
def test_each_of_the_wanted_is_found_where_it_is(known: set[int], wanted: list[int]) -> None:
    """Beyond both ends too, and with all 64 bits."""
    rising = sorted(known)
    found = positions(np.array(rising, np.uint64), np.array(wanted, np.uint64))
    assert found.tolist() == [rising.index(each) if each in known else -1 for each in wanted]


GROUPED = st.sampled_from([kind for kind in ViewKind if kind is not ViewKind.CONNECTIONS])


@given(samples(), samples(), GROUPED, st.sampled_from((None, 16)))
def test_each_groups_total_is_compared_with_its_own_before(
    before: tuple[list[Socket], Known], after: tuple[list[Socket], Known], kind: ViewKind, prefix: int | None
) -> None:
    old, new = (build_grid(attributed(known_sample_of(*each)), kind, None, prefix) for each in (before, after))
    totals_before = {
        old.identity(row): int(old.columns["total"][0][row]) for row in range(len(old.columns["total"][0]))
    }
    changes = total_change(new, old)
    for row in new.members.tolist():
        total = int(new.columns["total"][0][row])
        assert changes[row] == total - totals_before.get(new.identity(row), 0)


def test_the_same_two_samples_are_joined_once() -> None:
    before, after = (table_of([Socket(cookie=cookie) for cookie in cookies]) for cookies in ((1, 2, 3), (2, 3, 4)))
    rows_before.cache_clear()
    for mask in (None, np.array([True, False, True]), np.zeros(3, bool)):
        transitions(before, after, mask, mask)
    assert rows_before.cache_info().misses == 1
    assert rows_before(before, after).tolist() == [1, 2, -1]
