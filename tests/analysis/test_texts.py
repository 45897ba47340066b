"""Texts as columns, and what a cell says of who holds a socket."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.texts import holders_text, text_column
from tcptui.model.owners import REASONS, Holders, Process, Standing
from tests.model.held import JAVA, MASTER, WORKER

texts = st.lists(st.one_of(st.sampled_from(("nginx", "NGINX", "Nginx", "sshd", "", "(kernel)")), st.text(max_size=4)))


@given(texts)
def test_numbers_stand_for_texts_and_order_like_them(values: list[str]) -> None:
    column = text_column(values)
    assert [column.texts[code] for code in column.codes.tolist()] == values
    assert list(column.texts) == sorted(set(values), key=lambda text: (text.lower(), text))


@given(texts.filter(bool), st.data())
def test_a_column_is_of_the_values_that_are_asked_for(values: list[str], data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=20))
    column = text_column(values, np.array(wanted, np.uint16))
    assert [column.texts[code] for code in column.codes.tolist()] == [values[index] for index in wanted]


def test_no_value_makes_no_column() -> None:
    assert (text_column([]).codes.tolist(), list(text_column([]).texts)) == ([], [])
    assert text_column(["self"], np.zeros(0, np.uint16)).codes.tolist() == []


@pytest.mark.parametrize(
    ("standing", "holders", "text"),
    [
        (Standing.HELD, (JAVA,), "java"),
        (Standing.HELD, (MASTER, WORKER), "nginx +1"),
        (Standing.HELD, (MASTER, WORKER, JAVA), "nginx +2"),
        (Standing.REMEMBERED, (JAVA,), "was java"),
        (Standing.REMEMBERED, (MASTER, WORKER), "was nginx +1"),
        (Standing.LISTENER, (JAVA,), "at java"),
        (Standing.HELD, (Process(7, 1, ""),), "?"),
        (Standing.REMEMBERED, (Process(7, 1, ""),), "was ?"),
    ],
)
def test_a_cell_names_the_first_holder_and_counts_the_others(standing: Standing, holders: Holders, text: str) -> None:
    assert holders_text(standing, holders) == text


@pytest.mark.parametrize("standing", REASONS)
def test_a_cell_without_holders_says_why(standing: Standing) -> None:
    assert holders_text(standing, None) == REASONS[standing]
