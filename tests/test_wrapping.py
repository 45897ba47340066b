"""Breaking text into lines."""

from hypothesis import given
from hypothesis import strategies as st

from tcptui.text import cell_count
from tcptui.wrapping import wrap


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]) | st.just(" ")), st.integers(10, 60))
def test_wrapping_keeps_the_text_and_the_width(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cell_count(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_long_name_breaks_at_its_joints() -> None:
    assert wrap("net.netfilter.nf_conntrack_tcp_timeout_unacknowledged", 34) == [
        "net.netfilter.nf_conntrack_tcp_",
        "timeout_unacknowledged",
    ]


def test_a_number_stays_with_its_unit_and_its_equals_sign() -> None:
    assert wrap("gives up after 107 s", 18) == ["gives up after", "107 s"]
    assert wrap("(tcp_retries2 = 15) so", 15) == ["(tcp_retries2", "= 15) so"]


def test_later_lines_hang() -> None:
    assert wrap("  - one two three", 11, hanging="    ") == ["  - one two", "    three"]


def test_wide_characters_count_twice_and_keep_their_stops() -> None:
    assert cell_count("连接a") == 5
    assert wrap("连接已经关闭。", 8) == ["连接已经", "关闭。"]
    assert wrap("连接已关闭。了", 10) == ["连接已关", "闭。了"]
