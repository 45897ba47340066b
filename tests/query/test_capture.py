"""A filter in the language of packet filters: never narrower than what is meant."""

import pytest

from tcptui.query.capture import capture_filter
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter


@pytest.mark.parametrize(
    ("filter", "capture"),
    [
        ("dport = :443", "port 443"),
        (":443", "port 443"),
        ("port 8000-8100", "portrange 8000-8100"),
        ("dst 10.1.2.3", "host 10.1.2.3"),
        ("dst 10.0.0.0/8", "net 10.0.0.0/8"),
        ("src [fe80::1]:22", "host fe80::1 and port 22"),
        ("dst 10.1.2.3 and dport = :443", "host 10.1.2.3 and port 443"),
        ("dport = :80 or dport = :443", "(port 80 or port 443)"),
        ("dst 10.1.2.3:80 or dport = :443", "((host 10.1.2.3 and port 80) or port 443)"),
        ("state time-wait and dport = :443", "port 443"),
        ("state time-wait or dport = :443", ""),
        ("process nginx", ""),
        ("not sport = :22", ""),
        ("not sport = :22 and dport = :443", "port 443"),
        ("dst 0.0.0.0/0 and dport = :443", "port 443"),
        ("recvq > 0", ""),
        ("src 0.0.0.0:22 and dst 0.0.0.0:0", "port 22"),
        ("src [::]:22", "port 22"),
        ("dst 10.0.0.1:0", "host 10.0.0.1"),
    ],
)
def test_what_a_packet_can_tell_is_kept(filter: str, capture: str) -> None:
    assert capture_filter(parse_filter(filter, Names()).expression) == capture
