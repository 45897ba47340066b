"""One socket out of what answers a look-up: made messages, stale ones, damaged ones."""

import errno
import itertools
import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.kernel.decode import Lookup, RefusalError
from tcptui.kernel.tcp_info import details
from tests.kernel.messages import (
    INET_DIAG_INFO,
    NLM_F_MULTI,
    NLMSG_NOOP,
    SOCK_DIAG_BY_FAMILY,
    Attribute,
    DiagSocket,
    done,
    full_socket_attributes,
    info,
    message,
    refused,
)

SEQUENCE = 0x01020304
COOKIE = 0x1122334455667788

ATTRIBUTES = [
    *full_socket_attributes(),
    Attribute(5, b"\x10"),
    Attribute(7, struct.pack("=9I", *range(9))),
    info(1500, 2),
    Attribute(4, b"bbr\0"),
]


def answer(cookie: int = COOKIE, sequence: int = SEQUENCE, attributes: Sequence[Attribute] = ATTRIBUTES) -> bytes:
    described = DiagSocket(cookie=cookie, sport=443, inode=77, attributes=attributes)
    return message(SOCK_DIAG_BY_FAMILY, sequence, described.packed(), flags=0)


def fed(datagrams: Iterable[bytes], *, is_dump: bool = False, cookie: int = COOKIE) -> Lookup:
    lookup = Lookup(SEQUENCE, cookie, is_dump=is_dump)
    for datagram in datagrams:
        lookup.feed(np.frombuffer(datagram, np.uint32))
    return lookup


def test_the_answer_is_the_row_and_what_its_attributes_say() -> None:
    lookup = fed([answer()])
    assert lookup.done
    assert not lookup.is_damaged
    assert lookup.found is not None
    row, told = lookup.found
    assert (row["idiag_sport"], row["idiag_inode"], row["idiag_cookie"]) == (443, 77, COOKIE)
    assert row["idiag_src_hi"] == int(IPv4Address("10.0.0.5")) << 32
    assert told == details({each.kind: each.value for each in ATTRIBUTES})
    assert told.info is not None
    assert (told.info["rtt"], told.info["total_retrans"], told.congestion) == (1500, 2, "bbr")


def test_what_was_found_stays_when_the_buffer_is_used_again() -> None:
    buffer = np.frombuffer(bytearray(answer()), np.uint32)
    lookup = Lookup(SEQUENCE, COOKIE, is_dump=False)
    lookup.feed(buffer)
    buffer[:] = 0
    assert lookup.found is not None
    assert lookup.found.row["idiag_cookie"] == COOKIE


def test_what_others_asked_for_is_passed_over() -> None:
    """An answer that nobody waited for any more, and the end of a dump that was given up."""
    stale = [answer(sequence=SEQUENCE - 1), done(SEQUENCE + 1), refused(0, errno.EPERM)]
    assert not fed(stale).done
    lookup = fed([*stale, answer(sequence=7) + answer()])
    assert lookup.done
    assert lookup.found is not None


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESTALE, errno.EPERM])
@pytest.mark.parametrize("is_dump", [False, True])
def test_a_refusal_is_an_error_with_its_number(number: int, *, is_dump: bool) -> None:
    with pytest.raises(RefusalError) as caught:
        fed([refused(SEQUENCE, number)], is_dump=is_dump)
    assert caught.value.number == number


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_of_a_dump_the_cookie_decides(place: int) -> None:
    """Listeners that share a port (SO_REUSEPORT); the fourth is not there any more."""
    cookies = [COOKIE + each for each in range(3)]
    rows = [answer(cookie, attributes=[info(each, 0)]) for each, cookie in enumerate(cookies)]
    datagrams = [rows[0] + rows[1], rows[2], done(SEQUENCE)]
    assert not fed(datagrams[:-1], is_dump=True, cookie=COOKIE + place).done
    lookup = fed(datagrams, is_dump=True, cookie=COOKIE + place)
    assert lookup.done
    assert not lookup.is_damaged
    found = None if lookup.found is None else (lookup.found.details.info or {})["rtt"]
    assert found == (place if place < 3 else None)


def test_the_end_of_a_dump_may_stand_behind_its_last_row() -> None:
    lookup = fed([answer() + done(SEQUENCE)], is_dump=True)
    assert lookup.done
    assert lookup.found is not None


def test_attributes_that_end_too_early_are_left_out() -> None:
    """The last one says that it is longer than the message, or has no length at all."""
    for header in (struct.pack("=HH", 284, INET_DIAG_INFO), struct.pack("=HH", 0, INET_DIAG_INFO), b"\xff\xff"):
        payload = DiagSocket(cookie=COOKIE, attributes=[Attribute(4, b"cubic\0")]).packed() + header
        lookup = fed([message(SOCK_DIAG_BY_FAMILY, SEQUENCE, payload, flags=0)])
        assert lookup.found is not None
        assert (lookup.found.details.congestion, lookup.found.details.info) == ("cubic", None)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(answer()[:-4], id="cut message"),
        pytest.param(b"\1\0\0\0", id="less than a header"),
        pytest.param(message(SOCK_DIAG_BY_FAMILY, SEQUENCE, bytes(71)), id="cut row"),
        pytest.param(message(NLMSG_NOOP, SEQUENCE, b""), id="another kind"),
    ],
)
def test_what_is_not_understood_is_no_proof_that_the_socket_is_gone(odd: bytes) -> None:
    """One message was to come, and this was it; of a dump there is more."""
    exact, dump = fed([odd]), fed([odd], is_dump=True)
    assert (exact.found, dump.found) == (None, None)
    assert (exact.is_damaged, dump.is_damaged) == (True, True)
    assert (exact.done, dump.done) == (True, False)


def test_a_cut_row_among_listeners_does_not_hide_the_one_that_is_asked_for() -> None:
    cut = message(SOCK_DIAG_BY_FAMILY, SEQUENCE, bytes(71), NLM_F_MULTI)
    lookup = fed([cut + answer() + done(SEQUENCE)], is_dump=True)
    assert lookup.found is not None


attribute_lists = st.lists(
    st.builds(Attribute, st.integers(0, 30), st.binary(max_size=300)), max_size=6, unique_by=lambda each: each.kind
)


@given(attribute_lists)
def test_any_attributes_are_told_as_they_are(attributes: list[Attribute]) -> None:
    lookup = fed([answer(attributes=attributes)])
    assert lookup.found is not None
    assert lookup.found.details == details({each.kind: each.value for each in attributes})


@given(attribute_lists, st.lists(st.integers(COOKIE, COOKIE + 3), max_size=5), st.integers(0, 3))
def test_any_dump_gives_the_socket_that_has_the_cookie(
    attributes: list[Attribute], cookies: list[int], wanted: int
) -> None:
    datagrams = [answer(cookie, attributes=attributes) for cookie in cookies]
    lookup = fed([*datagrams, done(SEQUENCE)], is_dump=True, cookie=COOKIE + wanted)
    assert lookup.done
    assert (lookup.found is not None) == (COOKIE + wanted in cookies)


noise = st.binary(max_size=400).map(lambda data: data[: len(data) & ~3])
headers = st.builds(
    lambda length, kind, sequence: struct.pack("=IHHII", length, kind, 0, sequence, 0),
    st.one_of(st.integers(0, 200), st.integers(0, 2**32 - 1)),
    st.sampled_from((1, 2, 3, 20, 99)),
    st.sampled_from((SEQUENCE, 0)),
)


@given(st.lists(st.one_of(noise, headers, st.just(answer())), max_size=5).map(b"".join), st.booleans())
def test_arbitrary_bytes_are_found_out_or_refused_and_never_a_crash(
    data: bytes,
    is_dump: bool,  # noqa: FBT001 - drawn
) -> None:
    try:
        lookup = fed([data], is_dump=is_dump)
    except RefusalError:
        return
    assert lookup.found is None or lookup.found.row["idiag_cookie"] == COOKIE


@given(st.integers(0, len(answer())))
def test_an_answer_that_is_cut_anywhere_is_not_waited_for(kept: int) -> None:
    data = answer()[: kept & ~3]
    lookup = fed([data])
    assert lookup.done == bool(data)
    assert (lookup.found is None) == (len(data) < len(answer()))


def test_flags_in_an_attributes_type_are_no_part_of_its_number() -> None:
    """``NLA_F_NESTED`` and ``NLA_F_NET_BYTEORDER``."""
    for flags in itertools.accumulate((0, 0x4000, 0x8000)):
        lookup = fed([answer(attributes=[Attribute(4 | flags, b"reno\0")])])
        assert lookup.found is not None
        assert lookup.found.details.congestion == "reno"
