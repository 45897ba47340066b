"""What is said of a wrong filter: the column, what is wrong there, and what to write."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.errors import ExitCode, RequestError
from tcptui.query.parse import DEEPEST_NESTING, LONGEST_FILTER, FilterError, parse_filter
from tcptui.query.syntax import Filter, depth

MISSING = "something is missing at the end"
NO_PORT = "from 0 to 65535"
NO_ADDRESS = "write 10.1.2.3, 10.0.0.0/8 or [::1]:22"
TEST_EXPECTED = "expected a port, an address"
VALUE_EXPECTED = "expected a value"
STATE_NAMES = "known: ESTABLISHED, SYN_SENT, "

WRONG = [
    # text, column, problem, hint
    ("", 1, "empty", "state time-wait"),
    ("   ", 1, "empty", "state time-wait"),
    ("port", 5, MISSING, VALUE_EXPECTED),
    ("dport =", 8, MISSING, VALUE_EXPECTED),
    ("dport gt  ", 9, MISSING, VALUE_EXPECTED),
    ("src", 4, MISSING, VALUE_EXPECTED),
    ("not", 4, MISSING, TEST_EXPECTED),
    ("!", 2, MISSING, TEST_EXPECTED),
    ("(", 2, MISSING, TEST_EXPECTED),
    (":443 and", 9, MISSING, TEST_EXPECTED),
    (":443 ||", 8, MISSING, TEST_EXPECTED),
    ("((:443)", 8, MISSING, "expected )"),
    (")", 1, "')' does not fit here", TEST_EXPECTED),
    ("()", 2, "')' does not fit here", TEST_EXPECTED),
    (":443 )", 6, "')' does not fit here", "and, or, not"),
    ("= 5", 1, "'=' does not fit here", TEST_EXPECTED),
    ("&& :443", 1, "'&&' does not fit here", TEST_EXPECTED),
    (":443 &&& :22", 8, "'&' does not fit here", TEST_EXPECTED),
    ("port <> 5", 7, "'>' does not fit here", VALUE_EXPECTED),
    ("port = = 5", 8, "'=' does not fit here", VALUE_EXPECTED),
    ("state != established", 7, "'!=' does not fit here", ""),
    ("state (established)", 7, "'(' does not fit here", ""),
    (":99999", 1, "port 99999 does not exist", NO_PORT),
    ("dport = :65536", 9, "port 65536 does not exist", NO_PORT),
    ("port 123456789012345678901234567890", 6, "port 123456789012 does not exist", NO_PORT),
    ("10.0.0.1:70000", 1, "port 70000 does not exist", NO_PORT),
    ("dst [::1]:70000", 5, "port 70000 does not exist", NO_PORT),
    ("dport gt abc", 10, "'abc' is not a port", NO_PORT),
    ("port -1", 6, "'-1' is not a port", NO_PORT),
    ("dst [::1]:x", 5, "'x' is not a port", NO_PORT),
    ("10.1.2.3:", 1, "'' is not a port", NO_PORT),
    ("port ٤٤٣", 6, "'٤' does not fit here", ":443"),
    ("端口 443", 1, "'端' does not fit here", ":443"),
    ("state foo", 7, "unknown state 'foo'", STATE_NAMES),
    (":443 and state tme-wait", 16, "unknown state 'tme-wait'", "did you mean TIME_WAIT?"),
    ("exclude listn", 9, "unknown state 'listn'", "did you mean LISTEN?"),
    ("estblished", 1, "'estblished'", "did you mean ESTABLISHED?"),
    ("dts 10.1.2.3", 1, "'dts'", "did you mean dst?"),
    (":1 and xyzzy", 8, "'xyzzy'", ":443"),
    ("dst 1.2.3", 5, "'1.2.3' is not an address", NO_ADDRESS),
    ("10.0.0.256", 1, "'10.0.0.256' is not an address", NO_ADDRESS),
    ("dst 10.0.0.0/33", 5, "'10.0.0.0/33' is not an address", NO_ADDRESS),
    (":1 or src ::1/129", 11, "'::1/129' is not an address", NO_ADDRESS),
    ("::1::2", 1, "'::1::2' is not an address", NO_ADDRESS),
    ("ip >= 10.0.0.1", 4, ">= does not compare addresses", "use = or !="),
    ("src lt 10.0.0.1", 5, "lt does not compare addresses", "use = or !="),
    ("and", 1, "'and' needs something before and after it", ":443"),
    ("or :1", 1, "'or' needs something before and after it", ":443"),
    (":1 and or :2", 8, "'or' needs something before and after it", ":443"),
]


@pytest.mark.parametrize(("text", "column", "problem", "hint"), WRONG, ids=[each[0] or "empty" for each in WRONG])
def test_a_wrong_filter_names_the_place_the_problem_and_a_way_out(
    text: str, column: int, problem: str, hint: str
) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    error = caught.value
    assert error.column == column
    assert error.message.startswith(f"filter, column {column}: {problem}")
    assert hint in error.hint
    assert error.exit_code is ExitCode.REQUEST
    assert isinstance(error, RequestError)


@pytest.mark.parametrize("text", ["state", "exclude", "state =", ":443 state ("])
def test_where_a_state_is_missing_a_state_is_offered(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert "state" in caught.value.hint
    assert ":443" not in caught.value.hint


@pytest.mark.parametrize("text", ["dst [10.0.0.1", "::1]", "10.[0].0.1", "[::1]]", "[[::1]]:22"])
def test_brackets_that_do_not_match_are_no_address(text: str) -> None:
    with pytest.raises(FilterError):
        parse_filter(text)


# -- Anything at all ---------------------------------------------------------------------------------------------------

WORDS = (
    *("state", "exclude", "port", "sport", "dport", "src", "dst", "ip", "and", "or", "not", "(", ")", "!", "&", "|"),
    *("=", "!=", "<", ">=", "gt", ":443", "443", "10.1.2.3", "10.0.0.0/8", "[::1]:22", "::1", "established", "listen"),
    *("[", "]", ":", "/", "%", "\x1b[31m", "\u202e", "ESTAB", "-1", "\n", "\t", "٣"),
)
anything = st.one_of(
    st.text(st.characters(), max_size=80),
    st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=20).map("".join),
)


@settings(max_examples=300)
@given(anything)
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    """Any other exception ends the test."""
    outcome: Filter | FilterError
    try:
        outcome = parse_filter(text)
    except FilterError as error:
        outcome = error
    if isinstance(outcome, FilterError):
        assert 1 <= outcome.column <= len(text) + 1
        assert str(outcome).isprintable()
        assert outcome.message
        assert outcome.hint
    else:
        assert depth(outcome.expression) <= DEEPEST_NESTING


HOSTILE = ["\x1b[2J", "\x1b]0;owned\x07", "\u202e443", "a\x00b", "\udcff", "\x9b31m", "\u200b", "\x7f"]


@pytest.mark.parametrize("hostile", HOSTILE, ids=[ascii(each) for each in HOSTILE])
@pytest.mark.parametrize(
    "text", ["{}", "state {}", "exclude {}", "port {}", "dst {}", "10.0.0.1:{}", ":1 {} :2", "10.{}"]
)
def test_what_is_hostile_is_never_repeated_as_it_is(text: str, hostile: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text.format(hostile))
    assert hostile not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["::1%\x1b[31mowned", "dst fe80::1%eth0", "[fe80::1%\u202e]:22", "fe80::%`id`/10"])
def test_a_zone_is_no_part_of_an_address(text: str) -> None:
    """It names an interface, which the test that it becomes does not look at."""
    with pytest.raises(FilterError):
        parse_filter(text)


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\r", "\x0b", "\x0c", "\x1c", " \n\t "])
def test_the_text_of_a_filter_is_one_printable_line(blank: str) -> None:
    """It is shown in the header and in files."""
    assert parse_filter(f":443{blank}:22").text == ":443 :22"


@pytest.mark.parametrize("blank", ["\x85", "\xa0", "\u2028", "\u3000", "\u200b"])
def test_a_blank_that_is_not_ascii_is_refused(blank: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(f":443{blank}:22")
    assert caught.value.column == 5


@pytest.mark.parametrize("text", ["\u017fport = :443", "\u017frc 10.0.0.1", "d\u017ft 10.0.0.1"])
def test_a_letter_that_only_looks_alike_is_no_word_of_the_language(text: str) -> None:
    """``ſport`` is read as a word, and then not as ``sport``: the filter would mean either port."""
    with pytest.raises(FilterError):
        parse_filter(text)


# -- Too much of it ----------------------------------------------------------------------------------------------------


def test_the_longest_filter_is_read_and_a_longer_one_refused() -> None:
    longest = " or ".join([":443"] * (LONGEST_FILTER // 8)).ljust(LONGEST_FILTER)
    assert parse_filter(longest).expression
    with pytest.raises(FilterError, match=f"longer than {LONGEST_FILTER} characters"):
        parse_filter(longest + " ")
    with pytest.raises(FilterError, match="longer than"):
        parse_filter("x" * 1_000_000)


@pytest.mark.parametrize("levels", [65, 100, 200])
@pytest.mark.parametrize("opening", ["(:1 or ", "(:1 and ", "not (:1 or "])
def test_a_filter_nested_too_deep_is_refused(levels: int, opening: str) -> None:
    with pytest.raises(FilterError, match=f"more than {DEEPEST_NESTING} levels"):
        parse_filter(opening * levels + ":2" + ")" * levels)


DEEPEST = {
    "or": "(:1 or " * 450 + ":2" + ")" * 450,
    "not": "!" * (LONGEST_FILTER - 2) + ":2",
    "not or": "!(:1|" * 680 + ":2" + ")" * 680,
}


@pytest.mark.parametrize("text", DEEPEST.values(), ids=DEEPEST)
def test_a_filter_nested_as_deep_as_its_length_allows_is_no_crash(text: str) -> None:
    assert len(text) <= LONGEST_FILTER
    try:
        parse_filter(text)
    except FilterError:
        return


def test_parentheses_alone_are_no_depth() -> None:
    assert parse_filter("(" * 2000 + ":1" + ")" * 2000).expression == parse_filter(":1").expression


def test_the_deepest_filter_that_is_accepted_works() -> None:
    text = "(:1 or " * DEEPEST_NESTING + ":2" + ")" * DEEPEST_NESTING
    assert depth(parse_filter(text).expression) == DEEPEST_NESTING
