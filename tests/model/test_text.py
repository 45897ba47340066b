"""Text from outside becomes printable once, where it enters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.text import printable

anything = st.text(st.characters(), max_size=60)
"""Surrogates included: a file name that is no UTF-8 has them."""


@given(anything)
def test_the_result_is_always_printable(text: str) -> None:
    assert printable(text).isprintable()


@given(anything)
def test_what_is_printable_stays_as_it_is(text: str) -> None:
    once = printable(text)
    assert printable(once) == once
    if text.isprintable():
        assert once is text


@given(anything, anything)
def test_each_character_is_judged_alone(left: str, right: str) -> None:
    assert printable(left + right) == printable(left) + printable(right)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2Jowned", "\\x1b[2Jowned"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d"),
        ("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d"),
        ("\u202eexe.nginx\u2066", "\\u202eexe.nginx\\u2066"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("\udcff\ud800", "\\udcff\\ud800"),
        ("\x00\x7f", "\\x00\\x7f"),
        ("no\xa0break", "no\\xa0break"),
    ],
)
def test_what_could_move_the_cursor_or_deceive_the_eye_is_written_out(hostile: str, shown: str) -> None:
    assert printable(hostile) == shown


@pytest.mark.parametrize(
    "text", ["", "nginx: master process [/usr/sbin/nginx]", "端口 443 é ±", "[red]no markup[/red]"]
)
def test_plain_text_in_any_script_is_left_alone(text: str) -> None:
    assert printable(text) == text
