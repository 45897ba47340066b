"""Older tables come out of newer ones."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.deltas import (
    Difference,
    Table,
    Unwinding,
    difference,
    merged,
    packed,
    places_in,
    reader_of,
    unpacked,
)

KIND = np.dtype([("name", "u8"), ("state", "u1"), ("queue", "i4")])
OTHER_KIND = np.dtype([("name", "u8"), ("share", "f8")])

tables = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2), st.integers(-(2**31), 2**31 - 1)), max_size=10).map(
    lambda rows: table_of(sorted(rows))
)
"""Few names, so that rows meet again and some tables have a name twice."""


def table_of(rows: list[tuple[int, int, int]]) -> Table:
    return np.array(rows, KIND) if rows else np.zeros(0, KIND)


def step(older: Table, newer: Table) -> Difference:
    at = places_in(older["name"], newer["name"])
    return difference(reader_of(older), reader_of(newer), at, len(older))


def made(newest: Table, *steps: Difference) -> list[tuple[int, ...]]:
    """The table that is reached."""
    unwinding = Unwinding(newest)
    for each in steps:
        unwinding.back(each)
    rows: list[tuple[int, ...]] = unwinding.table.tolist()
    return rows


@given(tables, tables)
def test_the_older_table_comes_out_of_the_newer(older: Table, newer: Table) -> None:
    assert made(newer, step(older, newer)) == older.tolist()


@given(tables)
def test_a_table_that_did_not_change_leaves_nothing_to_keep(table: Table) -> None:
    one = table[np.unique(table["name"], return_index=True)[1]]
    kept = step(one, one.copy())
    assert not len(kept.fresh)
    assert not len(kept.gone)
    assert not kept.others


@given(tables, tables, tables)
def test_two_steps_in_one_lead_to_the_same_table(oldest: Table, middle: Table, newest: Table) -> None:
    first, second = step(oldest, middle), step(middle, newest)
    assert made(newest, second, first) == oldest.tolist()
    assert made(newest, merged(first, second)) == oldest.tolist()


@given(st.lists(tables, min_size=2, max_size=9), st.data())
def test_any_way_back_leads_through_the_tables_that_were_not_left_out(
    history: list[Table], data: st.DataObject
) -> None:
    kept = list(history)
    steps = [step(older, newer) for older, newer in pairwise(kept)]
    for _ in range(data.draw(st.integers(0, len(history) - 2))):
        out = data.draw(st.integers(1, len(kept) - 2))
        steps[out - 1 : out + 1] = [merged(steps[out - 1], steps[out])]
        del kept[out]
    unwinding = Unwinding(kept[-1])
    for table, each in zip(reversed(kept[:-1]), reversed(steps), strict=True):
        unwinding.back(unpacked(packed([each]), [KIND])[0])
        assert unwinding.table.tolist() == table.tolist()


@given(tables, tables, st.lists(st.floats(allow_nan=False), max_size=4))
def test_what_is_packed_comes_out_as_it_was(older: Table, newer: Table, shares: list[float]) -> None:
    beside = np.array(list(enumerate(shares)), OTHER_KIND) if shares else np.zeros(0, OTHER_KIND)
    steps = [step(older, newer), step(beside, beside[:0])]
    sockets, others = unpacked(packed(steps), [KIND, OTHER_KIND])
    assert made(newer, sockets) == older.tolist()
    assert others.gone_rows.tolist() == beside.tolist()


def test_a_table_is_not_changed_by_going_back_from_it() -> None:
    older, newer = table_of([(1, 1, 5), (2, 2, 6)]), table_of([(2, 1, 7), (3, 0, 0)])
    before = newer.copy()
    assert made(newer, step(older, newer)) == older.tolist()
    assert newer.tolist() == before.tolist()
