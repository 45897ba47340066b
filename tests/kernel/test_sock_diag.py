"""The requests for a dump and for one socket, byte for byte."""

import errno
import struct
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.diag import inet_diag_req

from tcptui.errors import ExitCode, SourceError
from tcptui.kernel.decode import RefusalError
from tcptui.kernel.sock_diag import (
    LONGEST_BYTECODE,
    BytecodeRefused,
    DumpQuery,
    SocketId,
    dump_request,
    lookup_request,
)
from tests.kernel.messages import AF_INET, AF_INET6

SEQUENCE = 0x01020304
PORT_443 = bytes.fromhex("0b080c00 0000bb01")
"""S_EQ and the op that holds the port: on to the end where it is so, beyond it where not (FACTS section 6.4)."""

ports = st.integers(0, 65535)
queries = st.builds(
    DumpQuery,
    family=st.sampled_from((AF_INET, AF_INET6)),
    states_mask=st.integers(0, 2**32 - 1),
    local_port=ports,
    remote_port=ports,
    bytecode=st.binary(max_size=10).map(lambda part: part * 4),
    wants_marks=st.booleans(),
    wants_info=st.booleans(),
)
halves = st.integers(0, 2**64 - 1)
socket_ids = st.builds(
    SocketId,
    family=st.sampled_from((AF_INET, AF_INET6)),
    local_port=ports,
    remote_port=ports,
    local_hi=halves,
    local_lo=halves,
    remote_hi=halves,
    remote_lo=halves,
    interface=st.integers(0, 2**31 - 1),
    cookie=halves,
    is_listener=st.booleans(),
)


def test_a_plain_request_is_a_header_and_inet_diag_req_v2() -> None:
    """FACTS section 6.1: 72 bytes, NLM_F_REQUEST | NLM_F_DUMP, no extensions."""
    header = struct.pack("=IHHII", 72, 20, 0x301, SEQUENCE, 0)
    body = struct.pack("=BBBBI", AF_INET6, 6, 0, 0, 0x1FFE)
    assert dump_request(DumpQuery(AF_INET6, 0x1FFE), SEQUENCE) == header + body + bytes(48)


def test_ports_stand_in_the_order_of_the_network() -> None:
    request = dump_request(DumpQuery(AF_INET, 2, local_port=443, remote_port=0xC0DE), SEQUENCE)
    assert request[24:28] == bytes.fromhex("01bb c0de")
    assert request[28:] == bytes(44)


def test_tcp_info_is_asked_for_by_its_bit() -> None:
    """FACTS section 6.1: bit (attribute - 1)."""
    plain, request = (dump_request(DumpQuery(AF_INET, 2, wants_info=asked), SEQUENCE) for asked in (False, True))
    assert (plain[18], request[18]) == (0, 2)
    assert plain[:18] + plain[19:] == request[:18] + request[19:]


def test_bytecode_is_an_attribute_behind_the_request() -> None:
    request = dump_request(DumpQuery(AF_INET, 2, bytecode=PORT_443), SEQUENCE)
    assert struct.unpack_from("=I", request)[0] == len(request) == 72 + 4 + 8
    assert request[72:] == struct.pack("=HH", 12, 1) + PORT_443


def test_the_longest_bytecode_fits_into_its_attribute_and_no_instruction_more() -> None:
    longest = dump_request(DumpQuery(AF_INET, 2, bytecode=bytes(LONGEST_BYTECODE)), SEQUENCE)
    assert struct.unpack_from("=H", longest, 72)[0] == LONGEST_BYTECODE + 4
    with pytest.raises(struct.error):
        dump_request(DumpQuery(AF_INET, 2, bytecode=bytes(LONGEST_BYTECODE + 4)), SEQUENCE)


@given(queries)
def test_pyroute2_reads_what_was_asked(query: DumpQuery) -> None:
    request = dump_request(query, SEQUENCE)
    assert struct.unpack_from("=IHHII", request) == (len(request), 20, 0x301, SEQUENCE, 0)
    other = inet_diag_req(request)
    other.decode()
    assert other["sdiag_family"] == query.family
    assert other["sdiag_protocol"] == 6
    assert other["idiag_states"] == query.states_mask
    assert other["idiag_ext"] == 2 * query.wants_info
    assert (other["idiag_sport"], other["idiag_dport"]) == (query.local_port, query.remote_port)
    assert request[76:] == query.bytecode


def test_one_socket_is_asked_for_by_all_that_names_it() -> None:
    """Every byte of ``struct inet_diag_sockid`` (FACTS section 6.1); extensions of attributes 2 and 4 to 8."""
    wanted = SocketId(AF_INET, 443, 0xC0DE, 0x0A00_0005 << 32, 0, 0x0A01_0203 << 32, 0, 9, 0x1122334455667788, False)
    request = lookup_request(wanted, SEQUENCE)
    assert request[:24] == struct.pack("=IHHIIBBBBI", 72, 20, 0x1, SEQUENCE, 0, AF_INET, 6, 0xFA, 0, 0)
    addresses = bytes.fromhex("0a000005") + bytes(12) + bytes.fromhex("0a010203") + bytes(12)
    assert request[24:] == bytes.fromhex("01bb c0de") + addresses + struct.pack("=IQ", 9, 0x1122334455667788)


@given(socket_ids)
def test_a_listener_is_asked_for_by_a_dump_and_any_other_socket_exactly(wanted: SocketId) -> None:
    request = lookup_request(wanted, SEQUENCE)
    flags, states = struct.unpack_from("=H", request, 6)[0], struct.unpack_from("=I", request, 20)[0]
    assert (flags, states) == ((0x301, 1 << 10) if wanted.is_listener else (0x1, 0))
    other = inet_diag_req(request)
    other.decode()
    assert other["sdiag_family"] == wanted.family
    assert other["idiag_ext"] == 0xFA
    assert (other["idiag_sport"], other["idiag_dport"]) == (wanted.local_port, wanted.remote_port)
    assert (other["idiag_if"], other["idiag_cookie"]) == (wanted.interface, wanted.cookie)
    assert len(request) == 72


def test_a_query_is_a_value() -> None:
    """The same question is equal to itself, so that a reader can tell whether it has asked it before."""
    assert DumpQuery(AF_INET, 2) == DumpQuery(AF_INET, 2, 0, 0, b"", wants_marks=False)
    assert len({DumpQuery(AF_INET, 2), DumpQuery(AF_INET, 2), DumpQuery(AF_INET6, 2)}) == 2
    with pytest.raises(FrozenInstanceError):
        DumpQuery(AF_INET, 2).states_mask = 4  # type: ignore[misc]


def test_a_refusal_of_bytecode_is_a_refusal_and_an_error_of_the_source() -> None:
    """Whoever catches the wider kinds catches it too; the number says why."""
    refused = BytecodeRefused(errno.EPERM)
    assert isinstance(refused, RefusalError)
    assert isinstance(refused, SourceError)
    assert refused.number == errno.EPERM
    assert refused.exit_code is ExitCode.SOURCE
    assert "Operation not permitted" in refused.message
