"""Netlink datagrams to arrays: against messages built by hand, a plain decoder, pyroute2, and a real kernel's dump."""

import errno
import itertools
import os
import re
import struct
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TypedDict

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyroute2.netlink.diag import inet_diag_msg

from tcptui.errors import ExitCode, SourceError
from tcptui.kernel.decode import Attributes, Decoder, RefusalError
from tests.kernel.collecting import Collector, decoded, feed
from tests.kernel.messages import (
    AF_INET,
    AF_INET6,
    INET_DIAG_CGROUP_ID,
    INET_DIAG_INFO,
    INET_DIAG_MARK,
    INET_DIAG_SKV6ONLY,
    MINI_SOCKET_ATTRIBUTES,
    NLM_F_DUMP_INTR,
    NLM_F_MULTI,
    NLMSG_DONE,
    NLMSG_NOOP,
    SOCK_DIAG_BY_FAMILY,
    Attribute,
    Decoded,
    DecodedRow,
    DiagSocket,
    cgroup,
    decode_plainly,
    done,
    full_socket_attributes,
    info,
    mark,
    message,
    refused,
)
from tests.support.ss import SsRow, parse_row

SEQUENCE = 0x01020304
CAPTURE = Path(__file__).parent.parent / "data" / "capture"
CAPTURED_SEQUENCE = 0x5EED5EED

EVERY_COLUMN = DiagSocket(
    family=AF_INET6,
    state=4,
    timer=1,
    retrans=7,
    sport=0xC0DE,
    dport=0x01BB,
    src=IPv6Address("2001:db8:1:2:3:4:5:6"),
    dst=IPv6Address("fe80::a:b:c:d"),
    interface=9,
    cookie=0x1122334455667788,
    expires=123456,
    rqueue=2,
    wqueue=3_000_000_000,
    uid=1000,
    inode=0xFFFFFFFF,
    attributes=[],
)


def row_message(described: DiagSocket, sequence: int = SEQUENCE, flags: int = NLM_F_MULTI) -> bytes:
    return message(SOCK_DIAG_BY_FAMILY, sequence, described.packed(), flags)


def expected_row(
    described: DiagSocket, cgroup_id: int = 0, mark_number: int = 0, told: tuple[int, int, int] = (0, 0, 0)
) -> DecodedRow:
    return DecodedRow(
        described.family,
        described.state,
        described.timer,
        described.retrans,
        described.sport,
        described.dport,
        described.src.packed.ljust(16, b"\0"),
        described.dst.packed.ljust(16, b"\0"),
        described.interface,
        described.cookie,
        described.expires,
        described.rqueue,
        described.wqueue,
        described.uid,
        described.inode,
        cgroup_id,
        mark_number,
        *told,
    )


# -- Golden messages ---------------------------------------------------------------------------------------------------


def test_every_column_is_read_at_its_place() -> None:
    """All values differ, so that two exchanged columns would show."""
    described = replace(
        EVERY_COLUMN, attributes=[mark(0xC0FFEE), cgroup(57595), info(20_250, 31, data_ms=77, ack_ms=66)]
    )
    _, rows = decoded([row_message(described)], SEQUENCE, wants_marks=True, wants_info=True)
    assert rows == [expected_row(described, 57595, 0xC0FFEE, (20_250, 31, 66))]


FULL = full_socket_attributes(cgroup_id=0x1_0000_0002, mark_number=0x80000001)
V6ONLY = [*FULL, Attribute(INET_DIAG_SKV6ONLY, b"\1")]


@pytest.mark.parametrize(
    ("described", "length", "cgroup_id"),
    [
        pytest.param(DiagSocket(attributes=FULL), 124, 0x1_0000_0002, id="full socket"),
        pytest.param(DiagSocket(state=6, timer=3, attributes=MINI_SOCKET_ATTRIBUTES), 96, 0, id="TIME_WAIT"),
        pytest.param(DiagSocket(state=3, timer=1, attributes=MINI_SOCKET_ATTRIBUTES), 96, 0, id="SYN_RECV"),
        pytest.param(
            DiagSocket(AF_INET6, 10, src=IPv6Address("::"), dst=IPv6Address("::"), attributes=V6ONLY),
            132,
            0x1_0000_0002,
            id="IPv6 LISTEN with v6only",
        ),
        pytest.param(DiagSocket(attributes=[]), 88, 0, id="without attributes, for somebody without privileges"),
        pytest.param(DiagSocket(attributes=[cgroup(2**64 - 1)]), 100, 2**64 - 1, id="largest cgroup id"),
    ],
)
def test_messages_of_the_lengths_that_the_kernel_sends(described: DiagSocket, length: int, cgroup_id: int) -> None:
    """FACTS section 6.2."""
    packed = row_message(described)
    assert struct.unpack_from("=I", packed)[0] == length
    decoder, rows = decoded([packed * 3 + done(SEQUENCE)], SEQUENCE)
    assert rows == [expected_row(described, cgroup_id)] * 3
    assert decoder.done
    assert not decoder.interrupted
    assert decoder.skipped == 0


def test_lengths_may_differ_from_one_message_to_the_next() -> None:
    described = [DiagSocket(cookie=1, attributes=FULL), DiagSocket(cookie=2, attributes=[]), DiagSocket(cookie=3)]
    _, rows = decoded([b"".join(row_message(each) for each in described)], SEQUENCE)
    assert [(row.cookie, row.cgroup_id) for row in rows] == [(1, 0x1_0000_0002), (2, 0), (3, 1)]


def test_an_attribute_list_may_begin_or_end_with_the_cgroup() -> None:
    lists = [[cgroup(5), *FULL[:2]], [*FULL[:2], cgroup(6)], [cgroup(7)], [Attribute(1, b"x" * 21), cgroup(8)]]
    _, rows = decoded([b"".join(row_message(DiagSocket(attributes=each)) for each in lists)], SEQUENCE)
    assert [row.cgroup_id for row in rows] == [5, 6, 7, 8]


def test_marks_are_there_when_asked_for_and_nothing_is_said_of_them_otherwise() -> None:
    """FACTS section 6.2: of mini-sockets the kernel tells the mark and no cgroup; without CAP_NET_ADMIN no marks."""
    lists = [FULL, [mark(0x0A0B0C0D)], [cgroup(3)], []]
    datagram = b"".join(row_message(DiagSocket(attributes=each)) for each in lists)
    _, rows = decoded([datagram], SEQUENCE, wants_marks=True)
    assert [(row.mark, row.cgroup_id) for row in rows] == [(2**31 + 1, 2**32 + 2), (0x0A0B0C0D, 0), (0, 3), (0, 0)]
    taken: list[Attributes] = []
    feed(Decoder(SEQUENCE, lambda _rows, attributes: taken.append(attributes)), [datagram])
    assert [each.marks for each in taken] == [None]


def test_mark_and_cgroup_are_found_in_whichever_order() -> None:
    between = Attribute(INET_DIAG_SKV6ONLY, b"\1")
    lists = [[mark(5), cgroup(6)], [cgroup(6), mark(5)], [cgroup(6), between, mark(5)], [between, mark(5), cgroup(6)]]
    datagram = b"".join(row_message(DiagSocket(attributes=each)) for each in lists)
    _, rows = decoded([datagram], SEQUENCE, wants_marks=True)
    assert [(row.mark, row.cgroup_id) for row in rows] == [(5, 6)] * 4


@pytest.mark.parametrize("value", [b"", b"\1\2", b"\1\2\3\4\5\6\7\x08"])
def test_a_mark_of_another_size_is_not_guessed_at(value: bytes) -> None:
    attributes = [Attribute(INET_DIAG_MARK, value), cgroup(6)]
    _, rows = decoded([row_message(DiagSocket(attributes=attributes))], SEQUENCE, wants_marks=True)
    assert [(row.mark, row.cgroup_id) for row in rows] == [(0, 6)]


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param([Attribute(INET_DIAG_CGROUP_ID, b"\1\2\3\4")], id="too short a value"),
        pytest.param([Attribute(INET_DIAG_CGROUP_ID, bytes(range(12)))], id="too long a value"),
        pytest.param([Attribute(INET_DIAG_CGROUP_ID, b"")], id="no value"),
    ],
)
def test_a_cgroup_attribute_of_another_size_is_not_guessed_at(attributes: list[Attribute]) -> None:
    _, rows = decoded([row_message(DiagSocket(attributes=attributes))], SEQUENCE)
    assert [row.cgroup_id for row in rows] == [0]


def test_tcp_info_is_there_when_asked_for_and_nothing_is_said_of_it_otherwise() -> None:
    """Mini-sockets have none; a later kernel's is longer (FACTS section 6.2)."""
    lists = [[*FULL, info(1500, 2)], MINI_SOCKET_ATTRIBUTES, [cgroup(3)], [], [info(7, 8, 400), mark(1)]]
    datagram = b"".join(row_message(DiagSocket(attributes=each)) for each in lists)
    _, rows = decoded([datagram], SEQUENCE, wants_info=True)
    assert [(row.rtt_us, row.total_retransmits) for row in rows] == [(1500, 2), (0, 0), (0, 0), (0, 0), (7, 8)]
    assert [row.mark for row in rows] == [0] * 5
    taken: list[Attributes] = []
    feed(Decoder(SEQUENCE, lambda _rows, attributes: taken.append(attributes)), [datagram])
    assert [each.infos for each in taken] == [None]


def test_info_mark_and_cgroup_are_found_in_whichever_order() -> None:
    attributes = [mark(5), cgroup(6), info(7, 8), Attribute(INET_DIAG_SKV6ONLY, b"\1")]
    lists = [list(each) for each in itertools.permutations(attributes)]
    datagram = b"".join(row_message(DiagSocket(attributes=each)) for each in lists)
    _, rows = decoded([datagram], SEQUENCE, wants_marks=True, wants_info=True)
    assert {(row.mark, row.cgroup_id, row.rtt_us, row.total_retransmits) for row in rows} == {(5, 6, 7, 8)}


@pytest.mark.parametrize(("length", "told"), [(0, (0, 0)), (72, (0, 0)), (103, (0, 0)), (104, (7, 8)), (281, (7, 8))])
def test_of_tcp_info_that_is_too_short_nothing_is_taken(length: int, told: tuple[int, int]) -> None:
    attributes = [info(7, 8, length), cgroup(6)]
    _, rows = decoded([row_message(DiagSocket(attributes=attributes)) * 2], SEQUENCE, wants_info=True)
    assert [(row.rtt_us, row.total_retransmits, row.cgroup_id) for row in rows] == [(*told, 6)] * 2


def test_an_attribute_that_runs_past_its_message_takes_nothing_from_the_next() -> None:
    """A header as the last word of a message: its value would be the next message's header."""
    whole = row_message(DiagSocket(attributes=[mark(5), cgroup(4)]))
    for length, kind in ((12, INET_DIAG_CGROUP_ID), (8, INET_DIAG_MARK), (284, INET_DIAG_INFO)):
        cut = message(
            SOCK_DIAG_BY_FAMILY, SEQUENCE, DiagSocket(attributes=[]).packed() + struct.pack("=HH", length, kind)
        )
        _, rows = decoded([cut + whole * 3 + cut], SEQUENCE, wants_marks=True, wants_info=True)
        taken = [(row.cgroup_id, row.mark, row.rtt_us, row.total_retransmits) for row in rows]
        assert taken == [(0, 0, 0, 0), *[(4, 5, 0, 0)] * 3, (0, 0, 0, 0)]


def test_an_attribute_without_length_ends_the_walk() -> None:
    """Length 0 would keep a careless walk at the same place for ever."""
    stuck = message(SOCK_DIAG_BY_FAMILY, SEQUENCE, DiagSocket(attributes=[]).packed() + bytes(8) + cgroup(3).packed())
    _, rows = decoded([stuck], SEQUENCE)
    assert [row.cgroup_id for row in rows] == [0]


# -- The end, and what is not a row ------------------------------------------------------------------------------------


def test_done_ends_the_dump_alone_or_behind_rows() -> None:
    for datagrams in ([row_message(DiagSocket()), done(SEQUENCE)], [row_message(DiagSocket()) + done(SEQUENCE)]):
        decoder, rows = decoded(datagrams, SEQUENCE)
        assert decoder.done
        assert len(rows) == 1


def test_a_dump_goes_on_until_done() -> None:
    decoder, _ = decoded([row_message(DiagSocket())] * 2, SEQUENCE)
    assert not decoder.done


def test_done_of_another_dump_is_not_ours() -> None:
    """What an earlier, abandoned dump left in the socket's queue."""
    decoder, rows = decoded([row_message(DiagSocket(), SEQUENCE - 1) + done(SEQUENCE - 1)], SEQUENCE)
    assert not decoder.done
    assert rows == []
    assert decoder.skipped == 2


@pytest.mark.parametrize("flagged", [0, 1, 2, 3])
def test_an_interrupted_dump_is_noticed_wherever_the_flag_stands(flagged: int) -> None:
    flags = [NLM_F_MULTI | NLM_F_DUMP_INTR * (index == flagged) for index in range(3)]
    datagrams = [row_message(DiagSocket(), flags=flags[0]) + row_message(DiagSocket(), flags=flags[1])]
    decoder, rows = decoded([*datagrams, done(SEQUENCE, flags=flags[2])], SEQUENCE)
    assert decoder.interrupted == (flagged < 3)
    assert decoder.done
    assert len(rows) == 2


def test_messages_of_other_kinds_and_cut_rows_are_counted() -> None:
    noop = message(NLMSG_NOOP, SEQUENCE, b"")
    cut_row = message(SOCK_DIAG_BY_FAMILY, SEQUENCE, DiagSocket().packed()[:71])
    decoder, rows = decoded([noop + row_message(DiagSocket(cookie=5)) + cut_row + done(SEQUENCE)], SEQUENCE)
    assert [row.cookie for row in rows] == [5]
    assert decoder.skipped == 2


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOENT, "load the module tcp_diag"),
        (errno.EPERM, "--source proc"),
        (errno.EINVAL, "--source proc"),
        (errno.EOPNOTSUPP, "--source proc"),
    ],
)
def test_a_refusal_is_an_error_with_the_kernels_reason(number: int, hint: str) -> None:
    for answer in (refused(SEQUENCE, number), done(SEQUENCE, -number)):
        decoder = Decoder(SEQUENCE, Collector())
        with pytest.raises(RefusalError, match=re.escape(os.strerror(number))) as caught:
            feed(decoder, [answer])
        assert caught.value.exit_code is ExitCode.SOURCE
        assert caught.value.number == number
        assert hint in caught.value.hint
        assert decoder.done


def test_an_acknowledgement_is_no_refusal() -> None:
    """NLMSG_ERROR with status 0."""
    decoder, _ = decoded([refused(SEQUENCE, 0)], SEQUENCE)
    assert decoder.done


def test_a_refusal_of_somebody_elses_request_is_not_ours() -> None:
    decoder, _ = decoded([refused(SEQUENCE + 1, errno.EPERM)], SEQUENCE)
    assert not decoder.done
    assert decoder.skipped == 1


# -- Both ways to the same rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "misleading",
    [
        pytest.param(DiagSocket(expires=SEQUENCE), id="timer"),
        pytest.param(DiagSocket(cookie=SEQUENCE << 32 | SEQUENCE), id="cookie"),
        pytest.param(DiagSocket(inode=SEQUENCE, attributes=[]), id="last word"),
        pytest.param(DiagSocket(attributes=[cgroup(SEQUENCE)]), id="attribute"),
        pytest.param(DiagSocket(attributes=[Attribute(2, struct.pack("=4I", 124, 20, SEQUENCE, 0))]), id="header"),
    ],
)
def test_a_value_that_equals_the_sequence_number_is_no_header(misleading: DiagSocket) -> None:
    plain = DiagSocket(cookie=77)
    datagram = row_message(plain) + row_message(misleading) + row_message(plain) + done(SEQUENCE)
    by_plain_decoder = Decoded()
    decode_plainly(datagram, SEQUENCE, by_plain_decoder)
    decoder, rows = decoded([datagram], SEQUENCE)
    assert rows == by_plain_decoder.rows
    assert len(rows) == 3
    assert decoder.done
    assert decoder.skipped == 0


def test_a_length_that_equals_the_sequence_number_is_no_header() -> None:
    """Sequence numbers of the program are above any length; the decoder does not depend on it."""
    datagram = row_message(DiagSocket(attributes=FULL), 124) + done(124)
    decoder, rows = decoded([datagram], 124)
    assert len(rows) == 1
    assert decoder.done


ipv4 = st.integers(0, 2**32 - 1).map(IPv4Address)
ipv6 = st.integers(0, 2**128 - 1).map(IPv6Address)
byte, half, word = st.integers(0, 255), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
number = st.one_of(word, st.just(SEQUENCE))
"""Now and then the sequence number itself, which forces the walk."""

attributes = st.lists(
    st.one_of(
        st.builds(Attribute, half, st.binary(max_size=40)),
        st.integers(0, 2**64 - 1).map(cgroup),
        st.just(cgroup(SEQUENCE)),
        number.map(mark),
        st.builds(info, number, number, st.integers(60, 320)),
    ),
    max_size=5,
    unique_by=lambda each: each.kind,
)
"""The kernel writes each attribute once."""
diag_sockets = st.builds(
    DiagSocket,
    family=st.sampled_from((AF_INET, AF_INET6)),
    state=byte,
    timer=byte,
    retrans=byte,
    sport=half,
    dport=half,
    src=st.one_of(ipv4, ipv6),
    dst=st.one_of(ipv4, ipv6),
    interface=number,
    cookie=st.integers(0, 2**64 - 1),
    expires=number,
    rqueue=number,
    wqueue=number,
    uid=number,
    inode=number,
    attributes=attributes,
)
flags = st.sampled_from((0, NLM_F_MULTI, NLM_F_MULTI, NLM_F_MULTI, NLM_F_MULTI | NLM_F_DUMP_INTR))
ours_or_not = st.sampled_from((SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE + 1, 0))
uniform_rows = st.builds(lambda one, count: row_message(one) * count, diag_sockets, st.integers(1, 4))
messages = st.one_of(
    uniform_rows,
    st.builds(row_message, diag_sockets, ours_or_not, flags),
    st.builds(message, half.filter(lambda kind: kind not in (2, 3)), ours_or_not, st.binary(max_size=99), flags),
    st.builds(done, ours_or_not, st.just(0), flags),
    st.builds(refused, st.sampled_from((SEQUENCE, SEQUENCE + 1)), st.sampled_from((0, errno.EPERM, errno.ENOENT))),
)
dumps = st.lists(st.lists(messages, max_size=6).map(b"".join), max_size=4)


class Wanted(TypedDict):
    wants_marks: bool
    wants_info: bool


wanted = st.fixed_dictionaries({"wants_marks": st.booleans(), "wants_info": st.booleans()}).map(
    lambda drawn: Wanted(wants_marks=drawn["wants_marks"], wants_info=drawn["wants_info"])
)
NOTHING, EVERYTHING = Wanted(wants_marks=False, wants_info=False), Wanted(wants_marks=True, wants_info=True)


@given(dumps, wanted)
@example([row_message(DiagSocket()) * 5 + done(SEQUENCE)], NOTHING)
@example([row_message(DiagSocket(expires=SEQUENCE)) * 5, done(SEQUENCE, flags=NLM_F_DUMP_INTR)], EVERYTHING)
def test_any_chain_of_messages_is_read_as_a_plain_decoder_reads_it(datagrams: list[bytes], wanted: Wanted) -> None:
    expected = Decoded(**wanted)
    collector = Collector()
    decoder = Decoder(SEQUENCE, collector, **wanted)
    for datagram in datagrams:
        decode_plainly(datagram, SEQUENCE, expected)
        if expected.error:
            with pytest.raises(SourceError, match=re.escape(os.strerror(expected.error))):
                feed(decoder, [datagram])
            return
        feed(decoder, [datagram])
        assert collector.rows == expected.rows
        assert decoder.done == expected.done
        assert decoder.interrupted == expected.interrupted
        assert decoder.skipped == expected.skipped


@given(st.lists(st.one_of(uniform_rows, diag_sockets.map(row_message)), max_size=8), st.data())
def test_where_a_dump_is_cut_into_datagrams_does_not_matter(parts: list[bytes], data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
    datagrams = [b""]
    for part, begins_another in zip(parts, cuts, strict=True):
        datagrams.append(b"") if begins_another else None
        datagrams[-1] += part
    _, rows_of_one = decoded([b"".join(parts)], SEQUENCE)
    _, rows_of_many = decoded(datagrams, SEQUENCE)
    assert rows_of_one == rows_of_many


@given(st.lists(diag_sockets, min_size=1, max_size=4), st.integers(1, 150))
def test_a_damaged_tail_costs_no_whole_message(described: list[DiagSocket], lost: int) -> None:
    """The last message is cut short: the ones before it are all there, and nothing is made up of the rest."""
    packed = [row_message(each) for each in described]
    kept = max(len(packed[-1]) - lost, 0) & ~3
    _, rows = decoded([b"".join(packed[:-1]) + packed[-1][:kept]], SEQUENCE)
    _, expected = decoded(packed[:-1], SEQUENCE)
    assert rows == expected


def test_a_damaged_tail_is_counted() -> None:
    decoder, _ = decoded([(row_message(DiagSocket()) * 2)[:-8]], SEQUENCE)
    assert decoder.skipped == 1


noise = st.binary(max_size=400).map(lambda data: data[: len(data) & ~3])
headers = st.builds(
    lambda length, kind, flag, sequence: struct.pack("=IHHII", length, kind, flag, sequence, 0),
    st.one_of(st.integers(0, 200), word),
    st.one_of(st.sampled_from((2, 3, 20)), half),
    half,
    number,
)
damaged = st.lists(st.one_of(noise, headers, diag_sockets.map(row_message)), max_size=6).map(b"".join)


@given(damaged, wanted)
def test_arbitrary_bytes_are_read_or_refused_and_never_a_crash(data: bytes, wanted: Wanted) -> None:
    expected = Decoded()
    decode_plainly(data, SEQUENCE, expected)
    if expected.error > 2**31 - 1:  # an errno that no C int holds; see the next test
        return
    if expected.error:
        with pytest.raises(SourceError):
            decoded([data], SEQUENCE, **wanted)
    else:
        decoder, rows = decoded([data], SEQUENCE, **wanted)
        assert len(rows) <= len(data) // 88
        assert decoder.skipped <= len(data) // 4


def test_the_lowest_status_there_is_is_a_refusal_too() -> None:
    with pytest.raises(SourceError):
        decoded([done(SEQUENCE, -(2**31))], SEQUENCE)


@pytest.mark.parametrize("data", [b"", b"\0" * 4, struct.pack("=3I", 0, 0, SEQUENCE), struct.pack("=I", SEQUENCE)])
def test_nothing_or_less_than_a_header_is_no_message(data: bytes) -> None:
    decoder, rows = decoded([data], SEQUENCE)
    assert rows == []
    assert not decoder.done


# -- Second opinions ---------------------------------------------------------------------------------------------------


@given(diag_sockets.filter(lambda each: each.family == (AF_INET6 if each.src.version == 6 else AF_INET)))
def test_pyroute2_reads_the_same(described: DiagSocket) -> None:
    described = replace(described, attributes=[], dst=described.src)
    (row,) = decoded([row_message(described)], SEQUENCE)[1]
    other = inet_diag_msg(row_message(described))
    other.decode()
    names = ("family", "state", "timer", "retrans", "sport", "dport", "expires", "rqueue", "wqueue", "uid", "inode")
    assert [getattr(row, name) for name in names] == [other[f"idiag_{name}"] for name in names]
    assert row.cookie == other["idiag_cookie"]
    assert described.src.packed == row.src[: len(described.src.packed)]
    assert ip_address(other["idiag_src"]) == ip_address(other["idiag_dst"]) == described.src


def captured_ss_rows(*, ipv6: bool) -> dict[int, SsRow]:
    lines = (CAPTURE / "ss_tanoe.txt").read_text("utf-8").splitlines()
    rows = [parse_row(line) for line in lines]
    return {row.cookie or 0: row for row in rows if (":" in row.local_address or row.local_address == "*") == ipv6}


@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_a_real_kernels_dump_says_what_ss_said(family: int) -> None:
    name = "sock_diag_inet.bin" if family == AF_INET else "sock_diag_inet6.bin"
    data = (CAPTURE / name).read_bytes()
    decoder, rows = decoded([data], CAPTURED_SEQUENCE)
    by_ss = captured_ss_rows(ipv6=family == AF_INET6)
    assert decoder.done
    assert decoder.skipped == 0
    assert {row.cookie for row in rows} == set(by_ss)
    for row in rows:
        expected = by_ss[row.cookie]
        assert (row.family, row.state) == (family, expected.state)
        assert (row.sport, row.dport) == (expected.local_port, expected.peer_port)
        assert (row.rqueue, row.wqueue) == (expected.recv_q, expected.send_q)
        assert (row.uid, row.inode) == (expected.uid, expected.inode)
        size = 4 if family == AF_INET else 16
        address_of = IPv4Address if family == AF_INET else IPv6Address
        local = expected.local_address.replace("*", "::")
        assert address_of(row.src[:size]) == address_of(local)
        assert (row.timer != 0) == (expected.timer is not None)
        if expected.timer is not None:
            assert ("on", "keepalive", "timewait", "persist")[row.timer - 1] == expected.timer.name
            assert row.retrans == expected.timer.retransmits
        assert row.cgroup_id == (1 if row.state in (1, 2, 4, 8, 9, 10, 11) else 0)


def test_the_capture_holds_every_state() -> None:
    states = set()
    for name in ("sock_diag_inet.bin", "sock_diag_inet6.bin"):
        _, rows = decoded([(CAPTURE / name).read_bytes()], CAPTURED_SEQUENCE)
        states |= {row.state for row in rows}
    assert states == set(range(1, 12)) - {7}


def test_rows_stay_whole_when_the_buffer_is_used_again() -> None:
    """The sink may keep a reference until it returns, and no longer: the next datagram lies in the same memory."""
    kept: list[np.ndarray[tuple[int], np.dtype[np.void]]] = []
    decoder = Decoder(SEQUENCE, lambda rows, _attributes: kept.append(rows.copy()))
    feed(decoder, [row_message(DiagSocket(cookie=cookie)) for cookie in (1, 2, 3)])
    assert [part["idiag_cookie"].tolist() for part in kept] == [[1], [2], [3]]


def test_done_may_be_shorter_than_its_status() -> None:
    decoder, _ = decoded([message(NLMSG_DONE, SEQUENCE, b"")], SEQUENCE)
    assert decoder.done
