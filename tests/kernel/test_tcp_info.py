"""The attributes of one socket as numbers: against a C layout, pyroute2, and every length a kernel has ever sent."""

import struct
from ctypes import sizeof

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyroute2.netlink.diag import inet_diag_msg

from tcptui.kernel.tcp_info import INFO_OFFSETS, TCP_INFO, Details, details, memory_fields, tcp_info_fields
from tests.kernel.c_structs import LISTENERS_HAVE, CTcpInfo, expected_fields, names_within

LENGTHS = {
    104: "total_retrans",
    120: "max_pacing_rate",
    136: "bytes_received",
    144: "segs_in",
    152: "min_rtt",
    160: "data_segs_out",
    168: "delivery_rate",
    192: "sndbuf_limited",
    200: "delivered_ce",
    224: "reord_seen",
    232: "snd_wnd",
    240: "rehash",
    248: "total_rto_time",
    280: "received_ce_bytes",
}
"""Of ``struct tcp_info`` from 2.6 to 6.18, with the last field of each."""

values = st.binary(max_size=320)


def test_the_layout_is_that_of_c() -> None:
    assert TCP_INFO.itemsize == sizeof(CTcpInfo) == 280
    for name, offset in INFO_OFFSETS.items():
        if name.startswith("tcpi_"):
            descriptor = getattr(CTcpInfo, name.removeprefix("tcpi_"))
            assert (offset, TCP_INFO[name].itemsize) == (descriptor.offset, descriptor.size)


@given(values)
@example(bytes(range(256)) + bytes(range(64)))
@example(b"\x0a" + bytes(range(1, 256)))
@example(b"")
def test_a_struct_of_any_length_has_the_fields_that_it_has_whole(value: bytes) -> None:
    assert tcp_info_fields(value) == expected_fields(value)


@pytest.mark.parametrize("length", LENGTHS)
def test_each_kernel_tells_its_last_field_and_no_later_one(length: int) -> None:
    last = LENGTHS[length]
    fields = tcp_info_fields(b"\1" * length)
    assert fields.keys() == names_within(length)
    assert last in fields
    assert last not in tcp_info_fields(b"\1" * (length - 5))
    later = [name for other, name in LENGTHS.items() if other > length]
    assert not fields.keys() & set(later)


def test_a_newer_kernels_fields_are_passed_over() -> None:
    value = bytes(range(1, 249)) + bytes(32)
    assert tcp_info_fields(value + b"\xff" * 64) == tcp_info_fields(value)


def test_bits_that_a_kernel_did_not_have_yet_are_not_told_as_0() -> None:
    assert not {"delivery_rate_app_limited", "fastopen_client_fail"} & tcp_info_fields(bytes(160)).keys()
    assert "fastopen_client_fail" not in tcp_info_fields(bytes(224))
    assert tcp_info_fields(bytes(7) + b"\xff" + bytes(224))["fastopen_client_fail"] == 3


def test_a_listener_tells_what_it_has_and_no_zeros_for_the_rest() -> None:
    """``tcp_get_info()`` returns early: a round-trip time of 0 would be made up."""
    packed = bytearray(280)
    packed[0] = 10
    struct.pack_into("=II", packed, 24, 3, 128)
    fields = tcp_info_fields(bytes(packed))
    assert fields.keys() == LISTENERS_HAVE
    assert (fields["unacked"], fields["sacked"]) == (3, 128)


@given(st.binary(min_size=232, max_size=232).filter(lambda value: value[0] != 10))
def test_pyroute2_reads_the_same(value: bytes) -> None:
    """All but bit fields, of which pyroute2 0.9 takes others than the kernel declares."""
    message = struct.pack("=IHHII", 88 + 4 + len(value), 20, 0, 1, 0) + bytes(72)
    other = inet_diag_msg(message + struct.pack("=HH", 4 + len(value), 2) + value)
    other.decode()
    theirs = other.get_attr("INET_DIAG_INFO")
    for name, number in tcp_info_fields(value).items():
        if not name.endswith("wscale") and name not in {"delivery_rate_app_limited", "fastopen_client_fail"}:
            assert theirs[f"tcpi_{name}"] == number


@given(st.lists(st.integers(0, 2**32 - 1), max_size=12), st.binary(max_size=3))
def test_memory_is_told_as_far_as_it_goes(numbers: list[int], rest: bytes) -> None:
    names = ["rmem_alloc", "rcvbuf", "wmem_alloc", "sndbuf", "fwd_alloc", "wmem_queued", "optmem", "backlog", "drops"]
    packed = struct.pack(f"={len(numbers)}I", *numbers) + rest
    assert memory_fields(packed) == dict(zip(names, numbers, strict=False))


def test_of_what_is_not_there_nothing_is_said() -> None:
    assert details({}) == Details(None, {}, "", None, None, None)
    assert details({15: b"\1\0\0\0", 999: b"x"}) == details({})
    assert details({2: b"", 4: b"", 5: b"", 6: b"", 7: b"", 8: b""}) == Details({}, {}, "", None, None, None)


def test_every_attribute_is_taken_for_what_it_is() -> None:
    attributes = {2: b"\1" * 280, 4: b"cubic\0", 5: b"\x10", 6: b"\x20", 7: struct.pack("=9I", *range(9)), 8: b"\2"}
    told = details(attributes)
    assert told.info == tcp_info_fields(b"\1" * 280)
    assert told.memory["drops"] == 8
    assert told[2:] == ("cubic", 0x10, 0x20, 2)


@given(st.dictionaries(st.integers(0, 30), values))
def test_odd_attributes_are_no_crash(attributes: dict[int, bytes]) -> None:
    told = details(attributes)
    assert (told.info is None) == (2 not in attributes)
    assert "\0" not in told.congestion
    assert told.congestion.isascii()
