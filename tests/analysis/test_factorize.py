"""Numbering of equal values, against dictionaries."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.matching import distinct, factorize, factorize_column, first_of_each, match_rows

Values = list[tuple[int, ...]]

small, wide = st.integers(0, 3), st.integers(0, 2**64 - 1)
values = st.integers(1, 4).flatmap(
    lambda parts: st.tuples(st.just(parts), st.lists(st.tuples(*[st.one_of(small, small, wide)] * parts), max_size=30))
)


def columns_of(parts: int, rows: Values) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint64]], ...]:
    return tuple(np.array([row[part] for row in rows], np.uint64) for part in range(parts))


@given(st.lists(st.one_of(small, wide), max_size=30))
def test_distinct_values_rise_and_each_value_knows_its_number(numbers: list[int]) -> None:
    values = np.array(numbers, np.uint64)
    known, codes = factorize(values)
    assert known.tolist() == sorted(set(numbers)) == distinct(values).tolist()
    assert known.dtype == distinct(values).dtype == np.uint64
    assert [known[code] for code in codes.tolist()] == numbers


@given(st.lists(st.integers(0, 5), max_size=20))
def test_each_number_is_found_where_it_is_first(numbers: list[int]) -> None:
    names, codes = factorize(np.array(numbers, np.int64))
    first = first_of_each(codes, len(names))
    assert first.tolist() == [numbers.index(name) for name in names.tolist()]


@given(values)
def test_values_of_several_parts_are_numbered_as_one(described: tuple[int, Values]) -> None:
    parts, rows = described
    keys, codes = factorize_column(columns_of(parts, rows))
    names = list(zip(*(key.tolist() for key in keys), strict=True))
    assert len(keys) == parts
    assert sorted(names) == sorted(set(rows))
    assert [names[code] for code in codes.tolist()] == rows


@given(values, st.data())
def test_rows_are_matched_to_where_they_are_known(described: tuple[int, Values], data: st.DataObject) -> None:
    parts, rows = described
    known = list(dict.fromkeys(rows))
    row = st.tuples(*[st.one_of(small, wide)] * parts)
    wanted = data.draw(st.lists(st.one_of(st.sampled_from(known), row) if known else row, max_size=20))
    codes = match_rows(columns_of(parts, known), columns_of(parts, wanted))
    place = {value: index for index, value in enumerate(known)}
    assert codes.tolist() == [place.get(value, -1) for value in wanted]
