"""The socket table."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.states import STATE_COUNT, TcpState
from tcptui.model.table import ROW, SocketTable, identities_of, timer_text, unique_by_cookie
from tests.model.random_tables import Socket, sockets, table_of


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 11)), max_size=30))
def test_the_last_sighting_of_each_cookie_stays_in_its_place(seen: list[tuple[int, int]]) -> None:
    """A cookie of 0 is no identity: such rows all stay."""
    rows = np.zeros(len(seen), ROW)
    rows["cookie"] = [cookie for cookie, _ in seen]
    rows["state"] = [state for _, state in seen]
    last = {cookie: index for index, (cookie, _) in enumerate(seen)}
    kept = [each for index, each in enumerate(seen) if each[0] == 0 or last[each[0]] == index]
    unique = unique_by_cookie(rows)
    assert list(zip(unique["cookie"].tolist(), unique["state"].tolist(), strict=True)) == kept


@pytest.mark.parametrize("cookies", [(2, 1, 2**64 - 1), (0, 0, 0), (0, 1, 0), ()])
def test_a_table_without_repetition_is_not_copied(cookies: tuple[int, ...]) -> None:
    rows = table_of([Socket(cookie=cookie) for cookie in cookies]).rows
    assert unique_by_cookie(rows) is rows


places = st.tuples(st.integers(1, 40), st.integers(0, 300))


@given(st.lists(places, max_size=40), st.lists(places, max_size=40))
def test_a_socket_is_the_same_in_two_tables_if_cookie_and_namespace_are(
    before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    """Before Linux 5.4 each namespace counts cookies of its own."""
    names: list[tuple[tuple[int, int], int]] = []
    for described in (before, after):
        rows = np.zeros(len(described), ROW)
        rows["cookie"], rows["netns"] = [each for each, _ in described], [each for _, each in described]
        names += zip(described, identities_of(rows).tolist(), strict=True)
    for place, identity in names:
        for other_place, other_identity in names:
            assert (identity == other_identity) == (place == other_place)


def test_where_there_is_one_namespace_a_socket_is_named_by_its_cookie() -> None:
    rows = table_of([Socket(cookie=2**64 - 1), Socket(cookie=5)]).rows
    assert identities_of(rows).tolist() == [2**64 - 1, 5]


@given(sockets)
def test_state_counts_are_those_of_the_rows_asked_for(described: list[Socket]) -> None:
    table = table_of(described)
    mask = table.rows["cookie"] % 2 == 0
    everything = Counter(int(socket.state) for socket in described)
    even = Counter(int(socket.state) for socket in described if socket.cookie % 2 == 0)
    assert table.state_counts().tolist() == [everything[number] for number in range(STATE_COUNT)]
    assert table.state_counts(mask).tolist() == [even[number] for number in range(STATE_COUNT)]


def test_an_empty_table_has_no_rows_and_no_states() -> None:
    assert len(table_of([])) == 0
    assert table_of([]).state_counts().tolist() == [0] * STATE_COUNT


def test_tables_are_compared_by_identity() -> None:
    """An array in an == would ask which element is meant."""
    table = table_of([Socket()])
    assert table == table  # noqa: PLR0124 - that is the point
    assert table != SocketTable(table.rows)


def test_a_column_is_a_view_of_the_rows() -> None:
    table = table_of([Socket(state=TcpState.LISTEN)])
    assert np.shares_memory(table.column("state"), table.rows)
    assert table.column("state").tolist() == [10]


@pytest.mark.parametrize(
    ("code", "text"),
    [(0, "off"), (1, "on"), (2, "keepalive"), (3, "timewait"), (4, "persist"), (5, "5"), (255, "255")],
)
def test_a_timer_has_the_kernels_name_or_its_number(code: int, text: str) -> None:
    """FACTS section 1: trees newer than 6.18 add a code 5."""
    assert timer_text(code) == text
