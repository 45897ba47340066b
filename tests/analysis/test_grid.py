"""Order of rows, and where a row is."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.analysis.grid import Grid
from tcptui.analysis.grouping import build_grid
from tcptui.model.fields import FIELDS, SortKey, Value, ViewKind
from tests.model.random_tables import Socket, sample_of, sockets


def value(grid: Grid, row: int, field_id: str) -> Value:
    return tuple(int(part[row]) for part in grid.columns[field_id])


def sorted_naively(grid: Grid, sort: SortKey) -> list[int]:
    """By the value, turned round where asked for; then by what names the row."""
    if sort.field_id not in grid.columns:
        return grid.members.tolist()
    sign = -1 if sort.descending else 1

    def key(row: int) -> tuple[tuple[int, ...], Value]:
        return tuple(sign * part for part in value(grid, row, sort.field_id)), value(grid, row, grid.identity_field)

    return sorted(grid.members.tolist(), key=key)


@pytest.mark.parametrize("kind", ViewKind)
@settings(max_examples=40)
@given(described=sockets, prefix=st.sampled_from((None, 24, 48)))
def test_every_field_orders_rows_as_python_orders_them(
    kind: ViewKind, described: list[Socket], prefix: int | None
) -> None:
    mask = np.array([socket.cookie % 3 > 0 for socket in described], bool)
    grid = build_grid(sample_of(described), kind, mask, prefix)
    for field, descending in product(kind.fields, (False, True)):
        sort = SortKey(field.id, descending)
        assert grid.ordered(sort).tolist() == sorted_naively(grid, sort), sort


@given(sockets, st.sampled_from(ViewKind))
def test_without_a_wish_rows_come_as_they_are(described: list[Socket], kind: ViewKind) -> None:
    grid = build_grid(sample_of(described), kind, None)
    assert grid.ordered(None) is grid.members


@given(sockets, st.sampled_from(ViewKind))
def test_a_row_is_found_by_its_identity_wherever_it_moved(described: list[Socket], kind: ViewKind) -> None:
    """The cursor follows the row's identity, never its index."""
    grid = build_grid(sample_of(described), kind, None)
    order = grid.members[::-1]
    for place, row in enumerate(order.tolist()):
        assert grid.position(order, grid.identity(row)) == place


def test_a_row_that_is_gone_has_no_position() -> None:
    grid = build_grid(sample_of([Socket(local_port=443), Socket(local_port=80, cookie=2)]), ViewKind.PORTS, None)
    assert grid.position(grid.members, (443,)) == 1
    assert grid.position(grid.members, (22,)) is None
    assert grid.position(grid.members[:1], (443,)) is None


def test_an_identity_of_several_parts_must_match_in_all_of_them() -> None:
    grid = build_grid(sample_of([Socket()]), ViewKind.PEERS, None)
    hi, lo = grid.identity(0)
    assert grid.position(grid.members, (hi, lo)) == 0
    assert grid.position(grid.members, (hi, lo + 1)) is None
    assert grid.position(grid.members, (hi + 1, lo)) is None


def test_equal_rows_keep_the_order_of_their_identity_in_both_directions() -> None:
    """Rows that jump about between samples cannot be read."""
    described = [Socket(local_port=port, cookie=port) for port in (443, 22, 80)]
    grid = build_grid(sample_of(described), ViewKind.PORTS, None)
    for descending in (False, True):
        order = grid.ordered(SortKey("total", descending))
        assert [grid.human(row, FIELDS["port"]) for row in order.tolist()] == ["22", "80", "443"]


def test_a_sum_is_of_the_members_only() -> None:
    described = [Socket(recv_queue=1, cookie=1), Socket(recv_queue=10, cookie=2), Socket(recv_queue=100, cookie=3)]
    grid = build_grid(sample_of(described), ViewKind.CONNECTIONS, np.array([True, False, True]))
    assert grid.sum("recv_queue_bytes") == 101
    assert len(grid) == 2


def test_a_field_without_a_column_is_unknown() -> None:
    grid = build_grid(sample_of([Socket()]), ViewKind.PORTS, None)
    assert grid.value(0, FIELDS["change"]) is None
    assert grid.human(0, FIELDS["change"]) == "?"
