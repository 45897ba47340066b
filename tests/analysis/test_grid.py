"""Order of rows, and where a row is."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.analysis.attribution import attributed
from tcptui.analysis.grid import FEW, Grid, Late
from tcptui.analysis.grouping import build_grid
from tcptui.model.fields import FIELDS, TEXT, SortKey, Value, ViewKind
from tests.model.random_tables import Known, Socket, sample_of
from tests.query.placed import known_sample_of, samples


def value(grid: Grid, row: int, field_id: str) -> Value:
    return tuple(int(part[row]) for part in grid.columns[field_id])


def sorted_naively(grid: Grid, sort: SortKey) -> list[int]:
    """By the value, turned round where asked for; then by what names the row."""
    if sort.field_id not in grid.columns:
        return grid.members.tolist()
    sign = -1 if sort.descending else 1

    def key(row: int) -> tuple[tuple[int, ...], Value]:
        return tuple(sign * part for part in value(grid, row, sort.field_id)), grid.identity(row)

    return sorted(grid.members.tolist(), key=key)


Seen = tuple[list[Socket], Known]


@pytest.mark.parametrize("kind", ViewKind)
@settings(max_examples=40)
@given(seen=samples(), prefix=st.sampled_from((None, 24, 48)))
def test_every_field_orders_rows_as_python_orders_them(kind: ViewKind, seen: Seen, prefix: int | None) -> None:
    mask = np.array([socket.cookie % 3 > 0 for socket in seen[0]], bool)
    grid = build_grid(attributed(known_sample_of(*seen)), kind, mask, prefix)
    for field, descending in product(kind.fields, (False, True)):
        sort = SortKey(field.id, descending)
        assert grid.ordered(sort).tolist() == sorted_naively(grid, sort), sort


@pytest.mark.parametrize("kind", ViewKind)
@settings(max_examples=40)
@given(seen=samples())
def test_texts_order_rows_as_their_letters_do(kind: ViewKind, seen: Seen) -> None:
    """In any case, as people look for a name in a list."""
    grid = build_grid(attributed(known_sample_of(*seen)), kind, None)
    for field in kind.fields:
        if field.type is TEXT and field.id in grid.columns:
            shown = grid.plain(field, grid.ordered(SortKey(field.id, descending=False)))
            assert shown == sorted(shown, key=lambda text: (str(text).lower(), text)), field.id


@given(samples(), st.sampled_from(ViewKind))
def test_without_a_wish_rows_come_as_they_are(seen: Seen, kind: ViewKind) -> None:
    grid = build_grid(attributed(known_sample_of(*seen)), kind, None)
    assert grid.ordered(None) is grid.members


@given(samples(), st.sampled_from(ViewKind))
def test_a_row_is_found_by_its_identity_wherever_it_moved(seen: Seen, kind: ViewKind) -> None:
    """The cursor follows the row's identity, never its index."""
    grid = build_grid(attributed(known_sample_of(*seen)), kind, None)
    order = grid.members[::-1]
    for place, row in enumerate(order.tolist()):
        assert grid.position(order, grid.identity(row)) == place


@given(samples(), st.sampled_from(ViewKind))
def test_a_column_for_programs_has_the_value_of_every_row(seen: Seen, kind: ViewKind) -> None:
    grid = build_grid(attributed(known_sample_of(*seen)), kind, None)
    order = grid.members[::-1]
    for field in kind.fields:
        values = [grid.value(row, field) for row in order.tolist()]
        texts = grid.texts[field.id] if field.type is TEXT and field.id in grid.columns else []
        expected = [
            None if each is None else texts[each[0]] if field.type is TEXT else field.type.plain(each)
            for each in values
        ]
        assert grid.plain(field, order) == expected


def test_a_row_that_is_gone_has_no_position() -> None:
    grid = build_grid(sample_of([Socket(local_port=443), Socket(local_port=80, cookie=2)]), ViewKind.PORTS, None)
    assert grid.position(grid.members, (443, 0)) == 1
    assert grid.position(grid.members, (22, 0)) is None
    assert grid.position(grid.members[:1], (443, 0)) is None


def test_an_identity_of_several_parts_must_match_in_all_of_them() -> None:
    grid = build_grid(sample_of([Socket()]), ViewKind.PEERS, None)
    hi, lo, netns = grid.identity(0)
    assert grid.position(grid.members, (hi, lo, netns)) == 0
    assert grid.position(grid.members, (hi, lo + 1, netns)) is None
    assert grid.position(grid.members, (hi + 1, lo, netns)) is None
    assert grid.position(grid.members, (hi, lo, netns + 1)) is None


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


@pytest.mark.parametrize(("kind", "field_id"), [(ViewKind.PORTS, "change"), (ViewKind.CONNECTIONS, "process")])
def test_a_field_without_a_column_is_unknown(kind: ViewKind, field_id: str) -> None:
    """One of numbers, and one of texts, where nobody has asked who holds the sockets."""
    grid = build_grid(sample_of([Socket()]), kind, None)
    assert grid.value(0, FIELDS[field_id]) is None
    assert grid.human(0, FIELDS[field_id]) == "?"
    assert grid.plain(FIELDS[field_id], grid.members) == [None]


# -- Values that are made late -----------------------------------------------------------------------------------------


def test_what_is_made_late_is_made_once_and_not_before_it_is_looked_at() -> None:
    made: list[str] = []

    def maker(name: str) -> Callable[[], str]:
        return lambda: made.append(name) or name.upper()  # type: ignore[func-returns-value] # None, so the name follows

    late = Late({name: maker(name) for name in ("a", "b", "c")})
    assert ("a" in late, "d" in late, len(late), list(late), set(late)) == (True, False, 3, ["a", "b", "c"], {*"abc"})
    assert made == []
    assert [late["b"], late["b"], late.get("b"), late.get("d")] == ["B", "B", "B", None]
    assert made == ["b"]
    assert dict(late) == {"a": "A", "b": "B", "c": "C"}
    assert sorted(made) == ["a", "b", "c"]
    with pytest.raises(KeyError):
        late["d"]


@pytest.mark.parametrize("count", [10, FEW + 1])
def test_rows_are_gone_that_another_view_of_the_same_kind_does_not_have(count: int) -> None:
    described = [Socket(cookie=cookie) for cookie in range(1, count + 1)]
    before = build_grid(attributed(sample_of(described)), ViewKind.CONNECTIONS, None)
    kept = np.arange(count) % 3 > 0
    after = build_grid(attributed(sample_of(described)), ViewKind.CONNECTIONS, kept)
    rows = range(9)
    assert after.gone([before.identity(row) for row in rows]) == [not kept[row] for row in rows]
