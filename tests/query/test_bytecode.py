"""What the kernel is asked: programs, run here as the kernel runs them, and the questions of a whole filter."""

from __future__ import annotations

import ipaddress
import socket as libc
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.model.address import parse_network
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.query.bytecode import (
    KernelQuery,
    assemble,
    for_other_namespaces,
    kernel_can_tell,
    kernel_queries,
    kernel_query,
    split_by_autobound,
)
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.simplify import given as given_state
from tcptui.query.syntax import (
    EVERYTHING,
    NOTHING,
    AgeTest,
    AutoboundTest,
    EndpointTest,
    Expression,
    InterfaceTest,
    Not,
    Or,
    PortTest,
    Side,
    Span,
    StateTest,
)
from tests.model.random_tables import Address, Known, Socket, connections, listeners, mapped, plain
from tests.query.expressions import NAMES, Written, autobound_tests, filters, filters_of, kernel_tests, meaning
from tests.query.placed import known_sample_of, namespace_of, namespaces_of, samples

# -- The kernel --------------------------------------------------------------------------------------------------------
#
# net/ipv4/inet_diag.c and include/uapi/linux/inet_diag.h of Linux 6.12, the parts that decide.

NOP, JMP, S_GE, S_LE, D_GE, D_LE, AUTO, S_COND, D_COND, DEV_COND, MARK_COND, S_EQ, D_EQ = range(13)
PORT_CODES = (S_GE, S_LE, D_GE, D_LE, S_EQ, D_EQ)
ADDRESS_BYTES = {libc.AF_UNSPEC: 0, libc.AF_INET: 4, libc.AF_INET6: 16}


class Refused(Exception):  # noqa: N818 - the kernel's EINVAL
    """The kernel does not take the program."""


@dataclass(frozen=True)
class Entry:
    """``struct inet_diag_entry``: what a program sees of a socket."""

    family: int
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    interface: int
    mark: int
    has_bound_its_port: bool


def entry_of(socket: Socket) -> Entry:
    length = 4 if socket.family == 4 else 16
    return Entry(
        libc.AF_INET if socket.family == 4 else libc.AF_INET6,
        mapped(socket.local).to_bytes(16, "big")[-length:],
        mapped(socket.remote).to_bytes(16, "big")[-length:],
        socket.local_port,
        socket.remote_port,
        socket.interface,
        socket.mark,
        not socket.is_autobound,
    )


def audit(program: bytes) -> None:
    """``inet_diag_bc_audit()``: the chain of ``yes`` ends exactly, and every ``no`` leads to a place on it."""
    if len(program) < 4:
        raise Refused("shorter than one operation")
    at = 0
    while at < len(program):
        left = len(program) - at
        code, yes, no = struct.unpack_from("=BBH", program, at)
        least = _least_size(code, program, at)
        if left < least:
            raise Refused(f"operation at {at} is cut off")
        if code != NOP:
            if no < least or no > left + 4 or no % 4:
                raise Refused(f"operation at {at} leads {no} on if it fails")
            if no < left and not _is_on_the_chain(program, at + no):
                raise Refused(f"operation at {at} leads into another")
        if yes < least or yes > left + 4 or yes % 4:
            raise Refused(f"operation at {at} leads {yes} on")
        at += yes
    if at != len(program):
        raise Refused("the chain leads beyond the end")


def _least_size(code: int, program: bytes, at: int) -> int:
    """The size of an operation with its operand, ``valid_hostcond()`` and its like."""
    if code in (S_COND, D_COND):
        if len(program) < at + 12:
            raise Refused(f"condition at {at} is cut off")
        family, prefix_length = struct.unpack_from("=BB", program, at + 4)
        if family not in ADDRESS_BYTES or prefix_length > 8 * ADDRESS_BYTES[family]:
            raise Refused(f"condition at {at} has family {family} and prefix length {prefix_length}")
        return 12 + ADDRESS_BYTES[family]
    if code in (*PORT_CODES, DEV_COND):
        return 8
    if code == MARK_COND:
        return 12
    if code in (NOP, JMP, AUTO):
        return 4
    raise Refused(f"no operation {code}")


def _is_on_the_chain(program: bytes, target: int) -> bool:
    """``valid_cc()``."""
    at = 0
    while at < target:
        yes = program[at + 1]
        if yes < 4 or yes % 4:
            return False
        at += yes
    return at == target


def accepts(program: bytes, entry: Entry) -> bool:
    """``inet_diag_bc_run()``: whether the program ends exactly at its end."""
    at = 0
    while at < len(program):
        code, yes, no = struct.unpack_from("=BBH", program, at)
        at += yes if _holds(code, program, at + 4, entry) else no
    return at == len(program)


def _holds(code: int, program: bytes, operand: int, entry: Entry) -> bool:
    if code in PORT_CODES:
        port = struct.unpack_from("=H", program, operand + 2)[0]
        return {
            S_EQ: entry.source_port == port,
            D_EQ: entry.destination_port == port,
            S_GE: entry.source_port >= port,
            S_LE: entry.source_port <= port,
            D_GE: entry.destination_port >= port,
            D_LE: entry.destination_port <= port,
        }[code]
    if code == AUTO:
        return not entry.has_bound_its_port
    if code in (S_COND, D_COND):
        return _host_holds(code, program, operand, entry)
    if code == DEV_COND:
        return entry.interface == struct.unpack_from("=I", program, operand)[0]
    if code == MARK_COND:
        mark, mask = struct.unpack_from("=II", program, operand)
        return entry.mark & mask == mark
    return code == NOP


def _host_holds(code: int, program: bytes, operand: int, entry: Entry) -> bool:
    family, prefix_length, port = struct.unpack_from("=BBxxi", program, operand)
    wanted = program[operand + 8 : operand + 8 + ADDRESS_BYTES[family]]
    number = entry.source_port if code == S_COND else entry.destination_port
    address = entry.source if code == S_COND else entry.destination
    if port not in (-1, number):
        return False
    if family not in (libc.AF_UNSPEC, entry.family):
        is_mapped = entry.family == libc.AF_INET6 and address[:12] == bytes(10) + b"\xff\xff"
        return family == libc.AF_INET and is_mapped and _agree(address[12:], wanted, prefix_length)
    return _agree(address, wanted, prefix_length)


def _agree(address: bytes, wanted: bytes, bits: int) -> bool:
    """``bitstring_match()``."""
    shift = 8 * len(address) - bits
    return int.from_bytes(address, "big") >> shift == int.from_bytes(wanted, "big") >> shift


def answer(query: KernelQuery, described: Iterable[Socket]) -> list[Socket]:
    """``inet_diag_dump_icsk()``: what the kernel sends for one question."""
    if query.bytecode:
        audit(query.bytecode)
    return [socket for socket in described if _is_sent(query, socket)]


def _is_sent(query: KernelQuery, socket: Socket) -> bool:
    if socket.family != query.family or socket.state not in query.states:
        return False
    if socket.state is TcpState.LISTEN and query.remote_port:
        return False  # a question with a remote port skips the listeners' table
    if query.local_port not in (0, socket.local_port) or query.remote_port not in (0, socket.remote_port):
        return False
    return not query.bytecode or accepts(query.bytecode, entry_of(socket))


# -- Sockets as the kernel has them ------------------------------------------------------------------------------------


def of_one_family(socket: Socket) -> Socket:
    """Both ends in the family's own notation, as in the kernel."""
    return replace(socket, remote=_as_family(socket.family, socket.remote))


def _as_family(family: int, address: Address) -> Address:
    bare = plain(address)
    if family == 4:
        return bare if bare.version == 4 else ipaddress.IPv4Address(int(bare) & 0xFFFFFFFF)
    return ipaddress.IPv6Address(mapped(address))


kernel_sockets = st.one_of(connections, connections, listeners).map(of_one_family)
kernel_tables = st.lists(kernel_sockets, max_size=24, unique_by=lambda each: each.cookie)
kernel_filters = filters_of(st.one_of(kernel_tests, kernel_tests, kernel_tests, autobound_tests), most_tests=12)


# -- Programs ----------------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(kernel_filters, st.lists(kernel_sockets, min_size=4, max_size=16))
def test_a_program_accepts_the_sockets_that_the_filter_means(written: Written, described: list[Socket]) -> None:
    for family in (4, 6):
        condition = given_state(written.tree, TcpState.ESTABLISHED, family)  # what is left holds for any state
        of_family = [socket for socket in described if socket.family == family]
        if condition == NOTHING:
            assert not any(meaning(written, of_family, Known()))
            continue
        program = assemble(condition)
        if program:
            audit(program)
        accepted = [accepts(program, entry_of(socket)) for socket in of_family]
        assert accepted == meaning(written, of_family, Known())


def words(*numbers: int) -> bytes:
    """Operations of a program, four numbers each group: code, yes, no."""
    return struct.pack("=" + "BBH" * (len(numbers) // 3), *numbers)


GOLDEN = {
    # Two comparisons of 8 bytes, each with the port in a second operation; failing leads 4 behind the end, at 20.
    "sport = :22": words(S_GE, 8, 20, 0, 0, 22, S_LE, 8, 12, 0, 0, 22),
    # One comparison is enough where the range is open.
    "dport >= :1024": words(D_GE, 8, 12, 0, 0, 1024),
    # The opposite: where the interface differs, to the end at 12; else the jump at 8 rejects, to 16.
    "dev != eth0": words(DEV_COND, 8, 12) + struct.pack("=I", 2) + words(JMP, 4, 8),
    # A network of 16 bytes; if it fails, on to the second test at 20, else the jump at 16 accepts, to 24.
    "dst 10.0.0.0/8 or autobound": (
        words(D_COND, 16, 20) + struct.pack("=BBxxi4B", libc.AF_INET, 8, -1, 10, 0, 0, 0) + words(JMP, 4, 8, AUTO, 4, 8)
    ),
    # Any IPv6 address, at 0; but not an IPv4 one, at 28: where it is none, over the jump that rejects, to the end.
    "src ::/0": (
        words(S_COND, 28, 52)
        + struct.pack("=BBxxi16x", libc.AF_INET6, 0, -1)
        + words(S_COND, 16, 20)
        + struct.pack("=BBxxi4x", libc.AF_INET, 0, -1)
        + words(JMP, 4, 8)
    ),
    "fwmark 1/3 and dev 7": (
        words(MARK_COND, 12, 24) + struct.pack("=II", 1, 3) + words(DEV_COND, 8, 12) + struct.pack("=I", 7)
    ),
}


@pytest.mark.parametrize(("text", "program"), GOLDEN.items(), ids=GOLDEN)
def test_a_program_is_the_one_written_by_hand(text: str, program: bytes) -> None:
    audit(program)
    assert assemble(parse_filter(text, NAMES).expression) == program


BROKEN = {
    "empty": b"",
    "a jump backwards": words(JMP, 4, 0),
    "a jump of 6": words(JMP, 4, 6, JMP, 4, 8),
    "a jump into an operand": words(JMP, 4, 8, S_GE, 8, 12, 0, 0, 1),
    "a jump too far": words(JMP, 4, 12),
    "no port": words(S_GE, 4, 8),
    "a chain beyond the end": words(AUTO, 8, 8),
    "a prefix of 33": words(S_COND, 16, 20) + struct.pack("=BBxxi4x", libc.AF_INET, 33, -1),
    "an unknown operation": words(99, 4, 8),
}


@pytest.mark.parametrize("program", BROKEN.values(), ids=BROKEN)
def test_the_audit_refuses_what_the_kernel_refuses(program: bytes) -> None:
    with pytest.raises(Refused):
        audit(program)


def test_no_program_is_needed_for_everything() -> None:
    assert assemble(EVERYTHING) == b""


@pytest.mark.parametrize("test", [StateTest(frozenset({TcpState.LISTEN})), AgeTest(Span(0, 1))], ids=repr)
def test_there_is_no_program_for_what_the_kernel_cannot_tell(test: StateTest | AgeTest) -> None:
    assert not kernel_can_tell(test)
    with pytest.raises(TypeError, match=type(test).__name__):
        assemble(Not(test))


# -- The questions of a filter -----------------------------------------------------------------------------------------


def answers(expression: Expression, described: list[Socket], *, split: bool) -> list[Socket]:
    """All that the kernel sends for a filter."""
    queries = [query for family in (4, 6) for query in kernel_queries(expression, family)]
    if split:
        queries = [part for query in queries for part in split_by_autobound(query)]
    return [socket for query in queries for socket in answer(query, described)]


def answers_of_all(expression: Expression, seen: tuple[list[Socket], Known], *, split: bool) -> list[Socket]:
    """All that the kernel sends where each namespace of several is asked on its own."""
    described, known = seen
    is_ours = [len(namespaces_of(known)) < 2 or namespace_of(socket, known) == "self" for socket in described]
    here = [socket for socket, is_here in zip(described, is_ours, strict=True) if is_here]
    elsewhere = [socket for socket, is_here in zip(described, is_ours, strict=True) if not is_here]
    found = answers(expression, here, split=split)
    return [*found, *answers(for_other_namespaces(expression), elsewhere, split=split)]


@settings(max_examples=120)
@given(filters, samples(kernel_tables), st.booleans())
def test_the_kernel_leaves_out_nothing_that_the_filter_means(
    written: Written,
    seen: tuple[list[Socket], Known],
    split: bool,  # noqa: FBT001
) -> None:
    described, known = seen
    sent = answers_of_all(written.tree, seen, split=split)
    cookies = [socket.cookie for socket in sent]
    assert len(cookies) == len(set(cookies))
    meant = {socket.cookie for socket, is_meant in zip(described, meaning(written, *seen), strict=True) if is_meant}
    assert meant <= set(cookies)
    assert {socket.cookie for socket in described if socket.state is TcpState.LISTEN} <= set(cookies)
    sample = known_sample_of(sent, known)
    mask = mask_of(written.tree, sample.table.rows, sample)
    assert {socket.cookie for socket, is_kept in zip(sent, mask, strict=True) if is_kept} == meant


@settings(max_examples=100)
@given(kernel_filters, kernel_tables)
def test_the_kernel_sends_no_more_than_is_meant_and_the_listeners(written: Written, described: list[Socket]) -> None:
    """Where it can tell all of it."""
    if "autobound" in written.text.lower():
        return
    sent = answers(written.tree, described, split=False)
    kept = meaning(written, described, Known())
    expected = {
        socket.cookie
        for socket, is_kept in zip(described, kept, strict=True)
        if is_kept or socket.state is TcpState.LISTEN
    }
    assert {socket.cookie for socket in sent} == expected


@given(filters, kernel_tables)
def test_the_two_halves_of_a_question_are_its_whole(written: Written, described: list[Socket]) -> None:
    for family in (4, 6):
        for query in kernel_queries(written.tree, family):
            given_, chosen = split_by_autobound(query)
            sent_given, sent_chosen = answer(given_, described), answer(chosen, described)
            assert all(socket.is_autobound for socket in sent_chosen)
            assert not any(socket.is_autobound for socket in sent_given)
            together = {socket.cookie for socket in (*sent_chosen, *sent_given)}
            assert together == {socket.cookie for socket in answer(query, described)}


@pytest.mark.parametrize(
    ("text", "elsewhere"),
    [
        (":443 dev eth0", ":443"),
        (":443 and not dev eth0", ":443"),
        ("dev eth0 or established", "state all"),
        ("not (dev eth0 or established)", "not established"),
        (":443 or dev != eth0 nginx", ":443 or nginx"),
    ],
)
def test_another_namespace_is_not_asked_for_our_interfaces(text: str, elsewhere: str) -> None:
    asked, expected = for_other_namespaces(parse_filter(text, NAMES).expression), parse_filter(elsewhere).expression
    assert kernel_queries(asked, 4) == kernel_queries(expected, 4)


ALL, LISTENING = frozenset(ALL_STATES), frozenset({TcpState.LISTEN})


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("state time-wait", [KernelQuery(4, LISTENING | {TcpState.TIME_WAIT})]),
        ("recvq > 0", [KernelQuery(4, ALL)]),
        ("listen", [KernelQuery(4, LISTENING)]),
        ("inet6:*", [KernelQuery(4, LISTENING)]),
        ("dport = :443", [KernelQuery(4, LISTENING), KernelQuery(4, ALL - LISTENING, remote_port=443)]),
        (
            "sport = :22 dport = :9 established",
            [KernelQuery(4, LISTENING), KernelQuery(4, frozenset({TcpState.ESTABLISHED}), 22, 9)],
        ),
        (
            "established sport = :22 dev eth0 nginx",
            [
                KernelQuery(4, LISTENING),
                KernelQuery(
                    4,
                    frozenset({TcpState.ESTABLISHED}),
                    22,
                    condition=InterfaceTest(2, "eth0"),
                    bytecode=words(DEV_COND, 8, 12) + struct.pack("=I", 2),
                ),
            ],
        ),
    ],
)
def test_a_narrow_filter_is_a_cheap_question(text: str, queries: list[KernelQuery]) -> None:
    assert kernel_queries(parse_filter(text, NAMES).expression, 4) == queries


def test_port_0_is_asked_by_program() -> None:
    """In the request's header 0 means any port."""
    query = kernel_query(4, ALL, PortTest(Side.LOCAL, Span(0, 0)))
    assert (query.local_port, query.condition) == (0, PortTest(Side.LOCAL, Span(0, 0)))
    assert query.bytecode == words(S_LE, 8, 12, 0, 0, 0)


def any_network(count: int) -> Expression:
    return Or(tuple(EndpointTest(Side.REMOTE, parse_network(f"2001:db8:{number:x}::/48")) for number in range(count)))


@pytest.mark.parametrize("count", [2, 500, 1000])
def test_a_long_program_is_one_that_the_kernel_takes(count: int) -> None:
    query = kernel_query(6, ALL, any_network(count))
    audit(query.bytecode)
    inside, outside = (
        Socket(local=ipaddress.IPv6Address("::1"), remote=ipaddress.IPv6Address(f"2001:db8:{number:x}::1"))
        for number in (count - 1, count)
    )
    for part in (query, *split_by_autobound(query)[:1]):
        assert answer(part, [inside, outside]) == [inside]


def test_a_program_that_would_be_too_long_is_left_out() -> None:
    """And everything decided here."""
    query = kernel_query(6, ALL, any_network(1100))
    assert (query.condition, query.bytecode) == (EVERYTHING, b"")
    assert query.states == ALL


def test_the_longest_filter_is_asked_too() -> None:
    text = "|".join(f"ip 10.{number}.0.0/16:1-{number + 1}" for number in range(160))
    expression = parse_filter(text).expression
    queries = kernel_queries(expression, 4)
    described = [Socket(remote=ipaddress.IPv4Address(f"10.{number}.0.9"), remote_port=5) for number in range(256)]
    sent = [socket for query in queries for socket in answer(query, described)]
    kept = mask_of(expression, known_sample_of(described, Known()).table.rows)
    assert {each.remote for each in sent} >= {
        socket.remote for socket, is_kept in zip(described, kept, strict=True) if is_kept
    }


def test_the_test_of_the_tests_sees_a_wrong_program() -> None:
    """A program that swaps its ends does not pass as the one that is meant."""
    local, remote = (assemble(PortTest(side, Span(443, 443))) for side in (Side.LOCAL, Side.REMOTE))
    socket = Socket(local_port=443, remote_port=1)
    assert accepts(local, entry_of(socket))
    assert not accepts(remote, entry_of(socket))
    assert not accepts(assemble(AutoboundTest()), entry_of(socket))
