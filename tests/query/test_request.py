"""What a filter asks of a source."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.model.detail import SocketKey
from tcptui.model.states import TcpState
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.request import (
    EVERYTHING_PLAIN,
    Need,
    Request,
    asks_for_age,
    follows_sockets,
    request_for,
)
from tcptui.query.simplify import all_of
from tcptui.query.syntax import And, Expression, Filter
from tests.model.random_tables import Known, Socket
from tests.query.expressions import NAMES, Written, filters
from tests.query.placed import known_sample_of, samples
from tests.query.test_bytecode import answers, kernel_sockets

Seen = tuple[list[Socket], Known]


def request(text: str) -> Request:
    return request_for(parse_filter(text, NAMES))


def keeps(expression: Expression, seen: Seen) -> list[bool]:
    sample = known_sample_of(*seen)
    return mask_of(expression, sample.table.rows, sample).tolist()


# -- Whether a sample is good for another filter -----------------------------------------------------------------------


def scope_holds(request: Request, seen: Seen) -> list[bool]:
    return [True] * len(seen[0]) if request.scope is None else keeps(request.scope, seen)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Request, Request]:
    """Two requests, the second often narrower than the first."""
    wide, narrow, extra = (draw(filters).tree for _ in range(3))
    narrow = draw(
        st.sampled_from((narrow, wide, And((wide, extra)), And((extra, wide)), all_of((extra, wide, narrow))))
    )
    first, second = (request_for(Filter("", each)) for each in (wide, narrow))
    return draw(st.sampled_from((first, replace(first, needs=frozenset(Need)), Request(None, first.needs)))), second


@settings(max_examples=100)
@given(pairs(), samples())
def test_what_covers_a_request_has_every_row_that_it_needs(pair: tuple[Request, Request], seen: Seen) -> None:
    first, second = pair
    if first.covers(second):
        assert first.needs >= second.needs
        for in_first, in_second in zip(scope_holds(first, seen), scope_holds(second, seen), strict=True):
            assert in_first or not in_second


@given(filters, filters)
def test_a_request_covers_itself_and_what_is_narrower(one: Written, other: Written) -> None:
    first = request_for(Filter("", one.tree))
    second = request_for(Filter("", And((one.tree, other.tree))))
    assert first.covers(first)
    assert replace(first, needs=frozenset(Need)).covers(second)
    assert Request(None, frozenset(Need)).covers(second)


@pytest.mark.parametrize(
    ("first", "second", "covers"),
    [
        (":443", ":443 established", True),
        (":443 established", "established :443 nginx", False),  # owners are missing
        ("nginx", "nginx and :443", True),
        (":443 established", ":443", False),
        (":443", ":22", False),
        (":443 or :22", ":443", False),  # true, but not seen
    ],
)
def test_a_sample_for_one_filter_is_good_for_another(first: str, second: str, covers: bool) -> None:  # noqa: FBT001
    assert request(first).covers(request(second)) is covers


def test_everything_covers_what_needs_no_more_than_rows() -> None:
    assert EVERYTHING_PLAIN.covers(request(":443 recvq > 0"))
    assert not EVERYTHING_PLAIN.covers(request("nginx"))
    assert not request(":443").covers(EVERYTHING_PLAIN)


# -- What has to be read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        (":443 established recvq > 0 age > 5m user root timer on dev eth0", set()),
        ("netns blue or not netns 812", set()),
        ("pid 1", {Need.OWNERS}),
        ("nginx", {Need.OWNERS}),
        ("not process nginx", {Need.OWNERS}),
        ("service nginx", {Need.OWNERS, Need.CGROUPS}),
        ("cgroup /", {Need.CGROUPS}),
        ("fwmark 1", {Need.MARKS}),
        (":1 or not autobound", {Need.AUTOBOUND}),
        ("nginx service nginx fwmark 1 autobound", set(Need) - {Need.TCP_INFO, Need.STRAIN, Need.LEAKS}),
    ],
)
def test_a_filter_asks_for_what_it_tests(text: str, needs: set[Need]) -> None:
    assert request(text) == Request(parse_filter(text, NAMES).expression, frozenset(needs))


def test_no_filter_asks_for_the_rows_alone() -> None:
    assert request_for(None) == EVERYTHING_PLAIN == Request(None, frozenset())


@given(filters, st.frozensets(st.sampled_from(Need)))
def test_what_is_shown_is_asked_for_beside_what_the_filter_tests(written: Written, shown: frozenset[Need]) -> None:
    filter = Filter("", written.tree)
    assert request_for(None, shown) == Request(None, shown)
    asked = request_for(filter, shown)
    assert asked == Request(written.tree, request_for(filter).needs | shown)
    assert asked.of_sockets == Request(written.tree, asked.needs - {Need.OWNERS, Need.CGROUPS})
    assert asked.of_sockets.of_sockets == asked.of_sockets


KEY = SocketKey(4, 0, 1, 443, 0, 2, 40000, 0, 77, 0, is_listener=False)


@pytest.mark.parametrize(
    ("first", "second", "covers"),
    [(None, None, True), (KEY, None, True), (KEY, KEY, True), (None, KEY, False), (KEY._replace(cookie=1), KEY, False)],
)
def test_a_sample_is_good_for_the_socket_that_more_was_asked_of(
    first: SocketKey | None,
    second: SocketKey | None,
    covers: bool,  # noqa: FBT001
) -> None:
    assert Request(watched=first).covers(Request(watched=second)) is covers
    assert Request(watched=second).of_sockets.watched == second


@settings(max_examples=100)
@given(filters, samples())
def test_what_is_not_asked_for_decides_nothing(written: Written, seen: Seen) -> None:
    needs = request_for(Filter("", written.tree)).needs
    described, known = seen
    if Need.MARKS not in needs:
        described = [replace(socket, mark=0) for socket in described]
    if Need.AUTOBOUND not in needs:
        described = [replace(socket, is_autobound=False) for socket in described]
    if Need.OWNERS not in needs:
        known = replace(known, holders=None)
    if Need.CGROUPS not in needs:
        known = replace(known, cgroups=None)
    if not asks_for_age(written.tree):
        known = replace(known, ages=None)
    assert keeps(written.tree, (described, known)) == keeps(written.tree, seen)


# -- Whether sockets stay in the samples -------------------------------------------------------------------------------


@settings(max_examples=120)
@given(filters, st.lists(kernel_sockets, min_size=1, max_size=6), st.sampled_from(list(TcpState)))
def test_a_socket_that_is_followed_stays_in_the_sample_when_its_state_changes(
    written: Written, described: list[Socket], state: TcpState
) -> None:
    if not follows_sockets(Request(written.tree)):
        return
    for socket in described:
        if TcpState.LISTEN not in (socket.state, state):
            changed = replace(socket, state=state)
            assert bool(answers(written.tree, [socket], split=False)) == bool(
                answers(written.tree, [changed], split=False)
            )


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        (":443", True),
        ("recvq > 0", True),
        ("nginx or established", True),
        ("inet6:*:22", True),
        ("netns blue or established", True),
        ("established", False),
        ("established and :443 or :22", False),
        ("exclude listen", False),
        ("(established and inet:*:22) or inet6:*:22", False),  # in IPv4 the kernel leaves out states
        ("(established and inet6:*:22) or inet:*:22", False),
    ],
)
def test_a_filter_by_state_loses_sight_of_sockets(text: str, follows: bool) -> None:  # noqa: FBT001
    assert follows_sockets(request(text)) is follows


def test_without_a_filter_every_socket_is_followed() -> None:
    assert follows_sockets(EVERYTHING_PLAIN)
