"""Addresses as two halves, judged by the standard library's ipaddress."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.address import LOW_HALF, Network, address_text, is_ipv4, parse_network, prefix_mask
from tests.model.random_tables import Address, addresses, mapped, plain


def first(network: Network) -> int:
    return network.hi << 64 | network.lo


def mask(network: Network) -> int:
    return network.mask_hi << 64 | network.mask_lo


@given(addresses)
def test_text_comes_back_as_the_same_address(address: Address) -> None:
    bits = mapped(address)
    text = address_text(bits >> 64, bits & LOW_HALF)
    assert ip_address(text) == plain(address)
    assert first(parse_network(text)) == bits


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (mapped(IPv4Address("10.1.2.3")), "10.1.2.3"),
        (mapped(IPv4Address(0)), "0.0.0.0"),  # noqa: S104 - a text, not a place to bind
        (mapped(IPv6Address("::ffff:10.1.2.3")), "10.1.2.3"),
        (0, "::"),
        (1, "::1"),
        (mapped(IPv6Address("2001:db8:0:0:1:0:0:1")), "2001:db8::1:0:0:1"),
        (mapped(IPv6Address("2001:DB8::A")), "2001:db8::a"),
        (0xFFFE << 32, "::fffe:0:0"),
        ((1 << 128) - 1, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ],
)
def test_notation_is_the_usual_one(bits: int, text: str) -> None:
    """Dotted for IPv4, mapped or not; RFC 5952 for IPv6."""
    assert address_text(bits >> 64, bits & LOW_HALF) == text


@given(addresses, st.integers(0, 128))
def test_a_network_has_the_first_address_and_the_mask_that_ipaddress_says(address: Address, prefix: int) -> None:
    bits = 32 if isinstance(address, IPv4Address) else 128
    prefix = min(prefix, bits)
    judge = ip_network(f"{address}/{prefix}", strict=False)
    network = parse_network(f"{address}/{prefix}")
    assert mask(network) == ((1 << 128) - 1) ^ ((1 << bits - prefix) - 1)
    assert first(network) == mapped(judge.network_address)


@given(addresses)
def test_a_bare_address_is_a_network_of_one(address: Address) -> None:
    assert parse_network(str(address)) == parse_network(f"{address}/{address.max_prefixlen}")


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_brackets_may_stand_around_an_ipv6_address(address: IPv6Address) -> None:
    assert parse_network(f"[{address}]") == parse_network(str(address))
    assert parse_network(f"[{address}]/64") == parse_network(f"{address}/64")


@given(st.integers(0, 128))
def test_a_prefix_mask_has_so_many_leading_ones(prefix: int) -> None:
    assert f"{prefix_mask(prefix):0128b}" == "1" * prefix + "0" * (128 - prefix)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "10",
        "10.1.2",
        "10.1.2.3.4",
        "256.1.1.1",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "::1/129",
        ":::",
        "1::2::3",
        "host",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_network(text)


@given(st.text(max_size=40))
def test_any_text_is_a_network_or_a_value_error(text: str) -> None:
    try:
        network = parse_network(text)
    except ValueError:
        return
    assert first(network) & mask(network) == first(network)


@given(st.lists(addresses, max_size=20))
def test_a_column_knows_which_of_its_addresses_are_ipv4(column: list[Address]) -> None:
    bits = [mapped(address) for address in column]
    hi = np.array([each >> 64 for each in bits], np.uint64)
    lo = np.array([each & LOW_HALF for each in bits], np.uint64)
    expected = [isinstance(plain(address), ipaddress.IPv4Address) for address in column]
    assert is_ipv4(hi, lo).tolist() == expected
