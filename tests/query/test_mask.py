"""Which rows a filter keeps, against a plain predicate socket by socket."""

import ipaddress

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tcptui.model.states import TcpState
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tests.model.random_tables import Address, Known, Socket, known_sample_of, samples, sockets, table_of
from tests.query.expressions import NAMES, Written, filters, matches, meaning, tests


def mask(text: str, described: list[Socket], known: Known) -> list[bool]:
    sample = known_sample_of(described, known)
    found = mask_of(parse_filter(text, NAMES).expression, sample.table.rows, sample)
    assert found.dtype == np.bool_
    return found.tolist()


@settings(max_examples=300)
@given(tests, samples())
def test_a_test_keeps_the_sockets_that_it_means(written: Written, seen: tuple[list[Socket], Known]) -> None:
    assert mask(written.text, *seen) == meaning(written, *seen)


@settings(max_examples=300)
@given(filters, samples())
def test_a_filter_keeps_the_sockets_that_it_means(written: Written, seen: tuple[list[Socket], Known]) -> None:
    assert mask(written.text, *seen) == meaning(written, *seen)


@given(filters, sockets)
def test_without_a_sample_nothing_is_known_beside_the_rows(written: Written, described: list[Socket]) -> None:
    rows = table_of(described).rows
    assert mask_of(parse_filter(written.text, NAMES).expression, rows).tolist() == meaning(written, described, Known())


@given(filters, samples())
def test_a_filter_and_its_opposite_share_the_table(written: Written, seen: tuple[list[Socket], Known]) -> None:
    opposite = mask(f"not ({written.text})", *seen)
    assert [not each for each in opposite] == mask(written.text, *seen)


@given(filters)
def test_an_empty_table_has_an_empty_mask(written: Written) -> None:
    assert mask(written.text, [], Known({}, {}, {})) == []


@given(sockets, st.integers(0, 65535))
@example([Socket(local_port=443, remote_port=22)], 443)
def test_neither_port_equals_where_a_port_differs(described: list[Socket], number: int) -> None:
    """That either port differs would be true of nearly everything."""
    assert mask(f"port != {number}", described, Known()) == [
        number not in (each.local_port, each.remote_port) for each in described
    ]


HELD = Socket(inode=77, cgroup_id=20, uid=33)
ALL_KNOWN = Known(
    {77: frozenset({811, 4_194_304}), 78: frozenset({79})}, {20: "/system.slice/nginx.service"}, {1: 5000}
)


@pytest.mark.parametrize("text", ["pid 811", "process nginx", "service nginx", "age > 1s"])
def test_what_is_not_known_holds_for_no_row(text: str) -> None:
    assert mask(text, [HELD], ALL_KNOWN) == [True]
    assert mask(text, [HELD], Known()) == [False]
    assert mask(f"not {text}", [HELD], Known()) == [True]


@pytest.mark.parametrize(
    "mini",
    [Socket(state=TcpState.TIME_WAIT), Socket(state=TcpState.SYN_RECV), Socket(state=TcpState.FIN_WAIT2, timer=3)],
)
def test_a_mini_socket_belongs_to_no_user(mini: Socket) -> None:
    """The kernel reports uid 0 for want of one."""
    assert mask("user root", [mini], Known()) == [False]
    assert mask("user != root", [mini], Known()) == [True]


def test_a_socket_without_an_inode_is_held_by_nobody() -> None:
    """Whatever a process may have open under that number."""
    assert mask("process *", [Socket(inode=0)], Known({0: frozenset({811})})) == [False]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("process kubelet-with-long-name", True),
        ("process kubelet-with-lo", True),
        ("process kubelet-with-lo*", True),
        ("process kubelet-with-long-*", True),
        ("process kubelet-with-l", False),
        ("process kubelet-with-lx-name", False),
    ],
)
def test_a_long_process_name_is_compared_as_the_kernel_cuts_it(text: str, holds: bool) -> None:  # noqa: FBT001
    assert mask(text, [HELD], ALL_KNOWN) == [holds]


@pytest.mark.parametrize(("text", "holds"), [("a\\*[b]", False), ("a*[b]", True), ("[a]*", False), ("a?[?]", True)])
def test_a_bracket_in_a_name_stands_for_itself(text: str, holds: bool) -> None:  # noqa: FBT001
    """Kernel threads and some daemons have them in their names."""
    assert mask(f'process "{text}"', [HELD], Known({77: frozenset({78})})) == [holds]


def test_an_ipv6_network_has_no_ipv4_address_in_it() -> None:
    described = [
        Socket(local=each.local, remote=each.remote, cookie=index)
        for index, each in enumerate(
            [Socket(), *(Socket(remote=address) for address in map(_address, ("::ffff:10.0.0.6", "2001:db8::1")))]
        )
    ]
    assert mask("dst ::/0", described, Known()) == [False, False, True]
    assert mask("dst 0.0.0.0/0", described, Known()) == [True, True, False]
    assert mask("dst ::ffff:0:0/96", described, Known()) == [True, True, False]


def _address(text: str) -> Address:
    return ipaddress.ip_address(text)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [("a*c", "abc", True), ("a?c", "ac", False), ("[ab]", "a", False), ("*", "", True), ("A*", "abc", True)],
)
def test_the_predicate_knows_how_a_pattern_is_read(pattern: str, name: str, *, expected: bool) -> None:
    assert matches(pattern, name) is expected
