"""Which rows a filter keeps, against a plain predicate socket by socket."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.model.states import ALL_STATES, TcpState
from tcptui.query.mask import mask_of, possible_states
from tcptui.query.parse import parse_filter
from tests.model.random_tables import Socket, sockets, table_of
from tests.query.expressions import Written, filters


@settings(max_examples=150)
@given(filters, sockets)
def test_a_filter_keeps_the_sockets_that_it_means(written: Written, described: list[Socket]) -> None:
    rows = table_of(described).rows
    mask = mask_of(parse_filter(written.text).expression, rows)
    assert mask.dtype == np.bool_
    assert mask.tolist() == [written.holds(socket) for socket in described]


@settings(max_examples=150)
@given(filters, sockets)
def test_asking_the_kernel_for_the_possible_states_alone_loses_no_row(
    written: Written, described: list[Socket]
) -> None:
    possible = possible_states(parse_filter(written.text).expression)
    assert {socket.state for socket in described if written.holds(socket)} <= possible


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("state listen", {TcpState.LISTEN}),
        ("listen or time-wait", {TcpState.LISTEN, TcpState.TIME_WAIT}),
        ("state listen :22", {TcpState.LISTEN}),
        ("listen time-wait", set()),
        ("exclude listen", set(ALL_STATES) - {TcpState.LISTEN}),
        ("exclude listen exclude time-wait", set(ALL_STATES) - {TcpState.LISTEN, TcpState.TIME_WAIT}),
        ("(established or close-wait) and not established", {TcpState.CLOSE_WAIT}),
        (":443", set(ALL_STATES)),
        (":443 or listen", set(ALL_STATES)),
        ("not (listen and :22)", set(ALL_STATES)),
    ],
)
def test_a_narrow_filter_asks_for_few_states(text: str, states: set[TcpState]) -> None:
    """What makes the poll cheap."""
    assert possible_states(parse_filter(text).expression) == states


@given(filters)
def test_an_empty_table_has_an_empty_mask(written: Written) -> None:
    assert mask_of(parse_filter(written.text).expression, table_of([]).rows).tolist() == []


@given(filters, sockets)
def test_a_filter_and_its_opposite_share_the_table(written: Written, described: list[Socket]) -> None:
    rows = table_of(described).rows
    mask = mask_of(parse_filter(written.text).expression, rows)
    opposite = mask_of(parse_filter(f"not ({written.text})").expression, rows)
    assert (mask ^ opposite).all()


@given(sockets, st.integers(0, 65535))
def test_neither_port_equals_where_a_port_differs(described: list[Socket], number: int) -> None:
    """That either port differs would be true of nearly everything."""
    rows = table_of(described).rows
    differs = mask_of(parse_filter(f"port != {number}").expression, rows)
    assert differs.tolist() == [number not in (each.local_port, each.remote_port) for each in described]
