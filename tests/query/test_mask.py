"""Which rows a filter keeps, against a plain predicate socket by socket."""

import ipaddress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import ROW
from tcptui.query.mask import has_unknown_backlog, is_unknown, mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.syntax import Expression
from tcptui.query.syntax import tests_in as parts_that_test
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


ALWAYS_THERE = {
    *("state", "family", "local_hi", "local_lo", "remote_hi", "remote_lo", "local_port", "remote_port"),
    "timer",  # without it a mini-socket is only known by its state
}


def columns_that_decide(tree: Expression, sample: Sample) -> set[str]:
    """Columns of the table without which a test is unknown."""
    blind = {column: replace(sample, absent_fields=frozenset({column})) for column in ROW.names or ()}
    return {column for column, each in blind.items() if any(is_unknown(test, each) for test in parts_that_test(tree))}


@settings(max_examples=200)
@given(filters, samples(), st.integers(0, 2**32 - 1))
def test_no_column_decides_but_those_without_which_a_test_is_unknown(
    written: Written, seen: tuple[list[Socket], Known], seed: int
) -> None:
    sample = known_sample_of(*seen)
    rows = sample.table.rows.copy()
    generator = np.random.default_rng(seed)
    for column in set(ROW.names or ()) - columns_that_decide(written.tree, sample) - ALWAYS_THERE:
        rows[column] = generator.permutation(rows[column]) ^ generator.integers(0, 2, len(rows), rows[column].dtype)
    assert mask_of(written.tree, rows, sample).tolist() == mask_of(written.tree, sample.table.rows, sample).tolist()


@given(tests, samples())
def test_a_test_that_is_unknown_holds_for_no_row(written: Written, seen: tuple[list[Socket], Known]) -> None:
    sample = known_sample_of(*seen)
    for test in parts_that_test(written.tree):
        for column in columns_that_decide(test, sample):
            blind = replace(sample, absent_fields=frozenset({column}))
            assert not mask_of(test, sample.table.rows, blind).any()


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (":443 established 10/8", set()),
        ("timer on dev eth0 user root", {"timer", "interface", "uid"}),
        ("recvq > 0 or not retrans 0", {"recv_queue_bytes", "retransmits"}),
        ("nginx service nginx autobound fwmark 1", {"inode", "cgroup_id", "is_autobound", "mark"}),
    ],
)
def test_the_columns_that_a_source_may_lack_are_those_of_the_tests(text: str, columns: set[str]) -> None:
    assert columns_that_decide(parse_filter(text, NAMES).expression, known_sample_of([], Known())) == columns


def test_a_backlog_that_is_not_told_is_compared_with_nothing() -> None:
    """/proc has no backlog: what stands in its place is the accept queue."""
    described = [Socket(TcpState.LISTEN, send_queue=5, cookie=1), Socket(send_queue=5, cookie=2)]
    whole = known_sample_of(described, Known())
    blind = replace(whole, absent_fields=frozenset({"backlog"}))
    for text, with_backlog, without in (
        ("sendq > 0", [True, True], [False, True]),
        ("sendq = 0", [False, False], [False, False]),
        ("recvq = 0", [True, True], [True, True]),
    ):
        expression = parse_filter(text).expression
        assert mask_of(expression, whole.table.rows, whole).tolist() == with_backlog
        assert mask_of(expression, blind.table.rows, blind).tolist() == without
        (test,) = parts_that_test(expression)
        assert has_unknown_backlog(test, blind) == (with_backlog != without or text == "sendq = 0")
        assert not has_unknown_backlog(test, whole)


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
