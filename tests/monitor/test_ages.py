"""How long sockets have been in their states, against a dictionary."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.states import TcpState
from tcptui.model.table import ROW
from tcptui.monitor.ages import MOST_OUT_OF_SIGHT, Ages
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, Request, request_for
from tests.model.random_tables import Socket, table_of

STATES = (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT, TcpState.TIME_WAIT)
ON_443, ON_443_WAITING = request_for(parse_filter(":443")), request_for(parse_filter(":443 and state close-wait"))
ON_22 = request_for(parse_filter(":22"))


def is_in_sight(socket: Socket, request: Request) -> bool:
    """Whether a sample for one of the requests of this file has the socket."""
    if request == ON_443_WAITING:
        return socket.local_port == 443 and socket.state is TcpState.CLOSE_WAIT
    port = {ON_443: 443, ON_22: 22}.get(request)
    return port in (None, socket.local_port)


@dataclass
class Remembered:
    state: TcpState
    since_s: int
    is_seen: bool = True


@dataclass
class NaiveAges:
    """The same with a dictionary."""

    known: dict[int, Remembered] = field(default_factory=dict)
    request: Request = EVERYTHING_PLAIN

    def update(self, sockets: Iterable[Socket], now_s: int, request: Request) -> dict[int, int]:
        """Age in milliseconds by cookie."""
        seen = {socket.cookie: socket.state for socket in sockets}
        sees_as_much = request in (EVERYTHING_PLAIN, self.request) or (self.request, request) == (
            ON_443_WAITING,
            ON_443,
        )
        for cookie, before in list(self.known.items()):
            is_gone = cookie not in seen and (request == EVERYTHING_PLAIN or (before.is_seen and sees_as_much))
            if is_gone:
                del self.known[cookie]
            else:
                before.is_seen = False
        for cookie, state in seen.items():
            known = self.known.get(cookie)
            since_s = known.since_s if known is not None and known.state is state else now_s
            self.known[cookie] = Remembered(state, since_s)
        self.request = request
        return {cookie: (now_s - self.known[cookie].since_s) * 1000 for cookie in seen}


tables = st.lists(
    st.builds(
        Socket,
        state=st.sampled_from(STATES),
        local_port=st.sampled_from((443, 22)),
        cookie=st.one_of(st.integers(1, 6), st.integers(2**64 - 3, 2**64 - 1)),
    ),
    max_size=8,
    unique_by=lambda each: each.cookie,
)
requests = st.sampled_from((EVERYTHING_PLAIN, ON_443, ON_443_WAITING, ON_22))


@given(st.lists(st.tuples(tables, requests, st.integers(1, 5)), max_size=12))
def test_ages_are_those_of_a_dictionary(samples: list[tuple[list[Socket], Request, int]]) -> None:
    ages, naive, now_s = Ages(), NaiveAges(), 0
    for everything, request, elapsed_s in samples:
        now_s += elapsed_s
        sockets = [each for each in everything if is_in_sight(each, request)]
        by_cookie = naive.update(sockets, now_s, request)
        found = ages.update(table_of(sockets).rows, float(now_s), request)
        assert found.tolist() == [by_cookie[each.cookie] for each in sockets]
        assert len(ages) == len(naive.known)


def update(ages: Ages, now_s: float, *sockets: Socket, request: Request = EVERYTHING_PLAIN) -> list[int]:
    return ages.update(table_of(sockets).rows, now_s, request).tolist()


def test_time_counts_from_the_first_sight_of_a_state_in_milliseconds() -> None:
    ages = Ages()
    assert update(ages, 10.0, Socket(cookie=1)) == [0]
    assert update(ages, 11.25, Socket(cookie=2), Socket(cookie=1)) == [0, 1250]
    assert update(ages, 13.0, Socket(TcpState.CLOSE_WAIT, cookie=1), Socket(cookie=2)) == [0, 1750]
    assert update(ages, 14.0, Socket(TcpState.CLOSE_WAIT, cookie=1)) == [1000]


def test_a_socket_out_of_sight_keeps_its_age_if_it_comes_back_in_the_same_state() -> None:
    ages = Ages()
    other = Socket(local_port=22, cookie=9)
    update(ages, 0.0, Socket(cookie=1), Socket(cookie=2), other)
    for now_s in (10.0, 20.0):
        update(ages, now_s, other, request=ON_22)
    assert update(ages, 30.0, Socket(TcpState.CLOSE_WAIT, cookie=1), Socket(cookie=2), other) == [0, 30_000, 30_000]


@pytest.mark.parametrize("request_after", [EVERYTHING_PLAIN, ON_443])
def test_a_socket_that_a_sample_should_have_and_has_not_is_forgotten(request_after: Request) -> None:
    ages = Ages()
    update(ages, 0.0, Socket(cookie=1), request=ON_443)
    update(ages, 10.0, request=request_after)
    assert len(ages) == 0
    assert update(ages, 20.0, Socket(cookie=1), request=request_after) == [0]


def test_what_was_out_of_sight_is_forgotten_by_the_next_whole_sample_without_it() -> None:
    ages = Ages()
    update(ages, 0.0, Socket(cookie=1))
    update(ages, 10.0, request=ON_22)
    assert len(ages) == 1
    update(ages, 20.0)
    assert len(ages) == 0


def test_a_narrowed_view_of_connections_that_come_and_go_takes_no_more_and_more_memory() -> None:
    """Nobody may ever ask for a whole sample again."""
    ages = Ages()
    for second in range(50):
        newcomers = (Socket(cookie=second * 10 + each + 1) for each in range(10))
        update(ages, float(second), *newcomers, request=ON_443)
        assert len(ages) == 10


def test_filters_that_take_turns_take_no_more_and_more_memory() -> None:
    """Each leaves out of sight what the other has seen; without a whole sample nobody knows what of that is gone."""
    ages, count = Ages(), 60_000
    for second in range(12):
        rows = np.zeros(count, ROW)
        rows["cookie"] = np.arange(count) + second * count + 1
        assert not ages.update(rows, float(second), (ON_443, ON_22)[second % 2]).any()
        assert count <= len(ages) <= MOST_OUT_OF_SIGHT + count


def test_the_rows_of_a_sample_are_left_as_they_are() -> None:
    rows = table_of([Socket(cookie=5), Socket(cookie=3)]).rows
    before = rows.tobytes()
    ages = Ages()
    ages.update(rows, 1.0, EVERYTHING_PLAIN)
    assert ages.update(rows[::-1], 2.0, EVERYTHING_PLAIN).dtype == np.int64
    assert rows.tobytes() == before
