"""Which rows a filter keeps, against a plain predicate socket by socket."""

import ipaddress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tcptui.analysis.attribution import attributed
from tcptui.model.owners import REASONS, Attribution, Holders, Process, Standing, owners_of
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import ROW
from tcptui.query.mask import has_unknown_backlog, is_unknown, mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.syntax import Expression, ProcessTest
from tcptui.query.syntax import tests_in as parts_that_test
from tests.model.held import JAVA, JAVA_PATH, MASTER, NGINX_PATH, WORKER, held_sample_of
from tests.model.random_tables import Address, Known, Socket, sockets, table_of
from tests.query.expressions import NAMES, Written, filters, matches, meaning, tests
from tests.query.placed import LABELS, KnownPlaces, Placed, known_sample_of, samples


def mask(text: str, described: list[Socket], known: Known) -> list[bool]:
    sample = known_sample_of(described, known)
    found = mask_of(parse_filter(text, NAMES).expression, sample.table.rows, sample)
    assert found.dtype == np.bool_
    return found.tolist()


@settings(max_examples=120)
@given(tests, samples())
def test_a_test_keeps_the_sockets_that_it_means(written: Written, seen: tuple[list[Socket], Known]) -> None:
    assert mask(written.text, *seen) == meaning(written, *seen)


@settings(max_examples=120)
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
    "netns",  # an index into what every sample has
    "timer",  # without it a mini-socket is only known by its state
}


def columns_that_decide(tree: Expression, sample: Sample) -> set[str]:
    """Columns of the table, and holders, without which a test is unknown."""
    blind = {column: replace(sample, absent_fields=frozenset({column})) for column in (*(ROW.names or ()), "holders")}
    return {column for column, each in blind.items() if any(is_unknown(test, each) for test in parts_that_test(tree))}


@settings(max_examples=100)
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
        ("nginx autobound fwmark 1", {"holders", "is_autobound", "mark"}),
        ("cgroup /", {"cgroup_id"}),
        ("service nginx", set()),
        ('process "(kernel)"', set()),
    ],
)
def test_the_columns_that_a_source_may_lack_are_those_of_the_tests(text: str, columns: set[str]) -> None:
    assert columns_that_decide(parse_filter(text, NAMES).expression, known_sample_of([], Known())) == columns


def test_a_service_is_told_by_the_cgroup_or_by_the_holders() -> None:
    (test,) = parts_that_test(parse_filter("service nginx").expression)
    sample = known_sample_of([], Known())
    for absent, is_untold in (({"holders"}, False), ({"cgroup_id"}, False), ({"holders", "cgroup_id"}, True)):
        assert is_unknown(test, replace(sample, absent_fields=frozenset(absent))) is is_untold


def test_a_condition_holds_for_no_row_in_which_its_field_is_not_told() -> None:
    whole = known_sample_of([Socket(recv_queue=5, cookie=1), Socket(recv_queue=0, cookie=2)], Known())
    partly = replace(whole, untold={"recv_queue_bytes": np.array([False, True]), "timer": np.array([True, False])})
    for text, expected in (
        ("recvq > 0", [True, False]),
        ("recvq = 0", [False, False]),
        ("not recvq = 0", [True, True]),
        ("timer off", [False, True]),
    ):
        assert mask_of(parse_filter(text).expression, partly.table.rows, partly).tolist() == expected


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


IN_EACH: list[Socket] = [Placed(netns=index, interface=2, cookie=index + 1) for index in range(len(LABELS))]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("netns blue", {"blue"}),
        ("netns = BLUE", {"blue"}),
        ("netns != blue", set(LABELS) - {"blue"}),
        ("netns blue or netns self", {"blue", "self"}),
        ("netns green*", {"Green-2"}),
        ("netns gr?en-2", {"Green-2"}),
        ("netns green", set()),
        ("netns 812", {"pid 812 nginx"}),
        ("netns nginx", {"pid 812 nginx"}),
        ('netns "pid 812 nginx"', {"pid 812 nginx"}),
        ('netns "pid 812*"', {"pid 812 nginx"}),
        ('netns "pid 812"', set()),  # neither all of it nor one word
        ("netns 81", set()),
        ("netns pid", {"pid 812 nginx", "pid 77 Web Content"}),
        ('netns "web content"', set()),
        ('netns "*web content"', {"pid 77 Web Content"}),
        ("netns a*[b]", {"a*[b]"}),
        ("netns [ab]", set()),
        ("netns ?*", set(LABELS) - {""}),
        ("netns *", set(LABELS)),
        ("dev eth0", {"self"}),
        ("dev != eth0", set(LABELS) - {"self"}),
        ("dev eth0 netns blue", set()),
    ],
)
def test_a_namespace_is_meant_by_its_label_or_a_word_of_it(text: str, labels: set[str]) -> None:
    assert mask(text, IN_EACH, KnownPlaces(namespaces=LABELS)) == [label in labels for label in LABELS]


@pytest.mark.parametrize("label", ["self", "blue", "812"])
def test_where_one_namespace_is_looked_at_its_interfaces_are_meant(label: str) -> None:
    assert mask("dev eth0", [Socket(interface=2), Socket(cookie=2)], KnownPlaces(namespaces=(label,))) == [True, False]


@pytest.mark.parametrize(
    "mini",
    [Socket(state=TcpState.TIME_WAIT), Socket(state=TcpState.SYN_RECV), Socket(state=TcpState.FIN_WAIT2, timer=3)],
)
def test_a_mini_socket_belongs_to_no_user(mini: Socket) -> None:
    """The kernel reports uid 0 for want of one."""
    assert mask("user root", [mini], Known()) == [False]
    assert mask("user != root", [mini], Known()) == [True]


@pytest.mark.parametrize("text", ["process *", "process ?*", 'service "*"'])
def test_a_socket_without_an_inode_is_held_by_nobody(text: str) -> None:
    sample = attributed(held_sample_of([Socket(inode=0)], owners_of({77: (WORKER,)})))
    assert not mask_of(parse_filter(text).expression, sample.table.rows, sample).any()


# -- By who stands behind the rows -------------------------------------------------------------------------------------

STANDING_BEHIND: tuple[tuple[Standing, Holders | None, str], ...] = (
    (Standing.HELD, (WORKER,), NGINX_PATH),
    (Standing.HELD, (MASTER, JAVA), JAVA_PATH),
    (Standing.REMEMBERED, (JAVA,), JAVA_PATH),
    (Standing.LISTENER, (MASTER, WORKER), ""),
    (Standing.HELD, (Process(7, 1, ""),), "/"),
    *((standing, None, "") for standing in REASONS),
    (Standing.KERNEL, None, NGINX_PATH),
)
"""How each row stands to its holders, those, and its cgroup."""
ROWS = {
    "nginx": 0,
    "shared": 1,
    "was java": 2,
    "at nginx": 3,
    "nameless": 4,
    **{REASONS[standing]: row for row, (standing, *_) in enumerate(STANDING_BEHIND) if 5 <= row < 5 + len(REASONS)},
    "kernel's of nginx": 5 + len(REASONS),
}


def told() -> Sample:
    """A sample with each of these rows."""
    groups = tuple(dict.fromkeys(holders for _, holders, _ in STANDING_BEHIND if holders))
    paths = tuple(dict.fromkeys(path for *_, path in STANDING_BEHIND if path))
    attribution = Attribution(
        np.array([groups.index(holders) if holders else -1 for _, holders, _ in STANDING_BEHIND], np.int32),
        groups,
        np.array([standing for standing, *_ in STANDING_BEHIND], np.uint8),
        np.array([paths.index(path) if path else -1 for *_, path in STANDING_BEHIND], np.int32),
        paths,
    )
    sample = held_sample_of(Socket(cookie=row + 1) for row in range(len(STANDING_BEHIND)))
    return replace(sample, attribution=attribution)


UNNAMED = set(REASONS.values())


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("process nginx", {"nginx", "shared", "at nginx"}),
        ("process java", {"shared", "was java"}),
        ("process nginx process java", {"shared"}),
        ("pid 812", {"nginx", "at nginx"}),
        ("pid 800", {"shared", "at nginx"}),
        ("pid >= 900", {"shared", "was java"}),
        ("pid < 8", {"nameless"}),
        ("pid >= 0", {"nginx", "shared", "was java", "at nginx", "nameless"}),
        ("process java or pid 7", {"shared", "was java", "nameless"}),
        ("service nginx", {"nginx", "kernel's of nginx"}),
        ("service java.service", {"shared", "was java"}),
        ("service system.slice", {"nginx", "shared", "was java", "kernel's of nginx"}),
        ('process "(kernel)"', {"(kernel)", "kernel's of nginx"}),
        ("process = (KERNEL)", {"(kernel)", "kernel's of nginx"}),
        ('process "(closed before)"', {"(closed before)"}),
        ('process "(*"', {*UNNAMED, "kernel's of nginx"}),
        ('service "(kernel)"', {"(kernel)"}),
        ('service "(looking)"', {"(looking)"}),
        ('service "(no cgroup)"', {"at nginx"}),
        ("process kernel", set()),
        ("service kernel", set()),
    ],
)
def test_rows_are_kept_by_who_stands_behind_them_or_by_the_reason_why_nobody_is_named(
    text: str, rows: set[str]
) -> None:
    sample = told()
    text = text.replace("(KERNEL)", '"(KERNEL)"')
    kept = mask_of(parse_filter(text).expression, sample.table.rows, sample)
    assert {name for name, row in ROWS.items() if kept[row]} == rows
    dropped = mask_of(parse_filter(f"not ({text})").expression, sample.table.rows, sample)
    assert (kept != dropped).all()


def test_every_reason_can_be_asked_for_by_what_is_shown_in_its_place() -> None:
    sample = told()
    for standing, reason in REASONS.items():
        kept = mask_of(parse_filter(f'process "{reason}"').expression, sample.table.rows, sample)
        assert set(np.flatnonzero(kept).tolist()) == {
            row for row, (each, holders, _) in enumerate(STANDING_BEHIND) if each is standing and holders is None
        }


@settings(max_examples=100)
@given(tests, samples())
def test_a_first_sample_keeps_the_sockets_that_are_held(written: Written, seen: tuple[list[Socket], Known]) -> None:
    """From what a source finds to the rows that a filter keeps, with the attribution in between."""
    of_processes = [each for each in parts_that_test(written.tree) if isinstance(each, ProcessTest)]
    assume(not any(matches(each.name, reason) for each in of_processes for reason in REASONS.values()))
    described, known = seen
    sample = attributed(known_sample_of(described, known))
    found = mask_of(written.tree, sample.table.rows, sample).tolist()
    assert found == meaning(written, described, known)


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
