"""What changed between two samples, against dictionaries by cookie."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.grouping import build_grid
from tcptui.analysis.joins import match_sorted, total_change, transitions
from tcptui.model.fields import ViewKind
from tcptui.model.states import STATE_COUNT, TcpState
from tests.model.random_tables import Socket, sample_of, sockets, table_of


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
    found = match_sorted(np.array(rising, np.uint64), np.array(wanted, np.uint64))
    assert found.tolist() == [rising.index(each) if each in known else -1 for each in wanted]


GROUPED = st.sampled_from([ViewKind.STATES, ViewKind.PEERS, ViewKind.PORTS, ViewKind.LISTENERS])


@given(sockets, sockets, GROUPED, st.sampled_from((None, 16)))
def test_each_groups_total_is_compared_with_its_own_before(
    before: list[Socket], after: list[Socket], kind: ViewKind, prefix: int | None
) -> None:
    old, new = (build_grid(sample_of(each), kind, None, prefix) for each in (before, after))
    totals_before = {
        old.identity(row): int(old.columns["total"][0][row]) for row in range(len(old.columns["total"][0]))
    }
    changes = total_change(new, old)
    for row in new.members.tolist():
        total = int(new.columns["total"][0][row])
        assert changes[row] == total - totals_before.get(new.identity(row), 0)
