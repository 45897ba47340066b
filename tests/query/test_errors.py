"""What is said of a wrong filter: the column, what is wrong there, and what to write."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.errors import ExitCode, RequestError
from tcptui.query.bytecode import kernel_queries
from tcptui.query.faults import EXAMPLES, FilterError, SavedFilterError, excerpt
from tcptui.query.mask import mask_of
from tcptui.query.names import Names
from tcptui.query.parse import DEEPEST_NESTING, DEEPEST_SAVED, LONGEST_FILTER, MOST_PARTS, MOST_TESTS, parse_filter
from tcptui.query.simplify import by_state
from tcptui.query.ss_command import ss_commands
from tcptui.query.syntax import Filter, depth
from tcptui.query.syntax import tests_in as parts_that_test
from tcptui.query.understanding import to_text, understanding
from tests.model.random_tables import Socket, table_of
from tests.query.expressions import NAMES, SAVED, Written, filters

WRONG_SAVED = {
    **SAVED,
    "wrong": ":443 and",
    "alias": "@wrong",
    "gone": ":1 or @nowhere",
    "circle": "@circle",
    "x": ":1 or @y",
    "y": "@z",
    "z": "not @x",
    "bad\x1b[31m": "state foo",
}
TYPED = replace(NAMES, saved=WRONG_SAVED)

CONDITION = f"expected a condition, {EXAMPLES}"
PORT = "write 0 to 65535, a range like 8000-8100 or a service like https"
HOST = "write 10.1.2.3, 10.0.0.0/8, [::1]:22 or [fe80::]/10"
NO_ORDER = "use = or !="
COMPARE = "write what: sport = :443, recvq > 0, age > 5m"
BYTES = "write 0, 500, 64k or 1m"
TIME = "write 90s, 5m, 1h30m or 2d"
MARK = "write 1, 0x1 or 0x01/0x03"
LOOK_ALIKE = 'type it again on the keyboard; a process name with such letters goes in "quotes"'
NAME = "write one, such as nginx"
SLIP = "did you mean {}? For a process of that name write process {}"
DENY = "write exclude established, or not state established"
NO_QUOTE = 'leave it out: names with blanks go in "quotes", and all else needs none'
NO_NAME_SERVER = "give its address: tcptui asks no name server"

WRONG: list[tuple[str, int, str, str]] = [
    # text, column, problem, hint
    # Nothing, or not enough.
    ("", 1, "empty", EXAMPLES),
    ("   ", 1, "empty", EXAMPLES),
    ("port", 5, "something is missing after 'port'", "expected a port, as in port 8000-8100"),
    ("dport =", 8, "something is missing after '='", "expected a port, as in dport gt :1024"),
    ("dport gt  ", 9, "something is missing after 'gt'", "expected a port, as in dport gt :1024"),
    ("port>", 6, "something is missing after '>'", "expected a port, as in port 8000-8100"),
    ("nginx and process=", 19, "something is missing after '='", "expected a process name, as in process nginx"),
    ("src", 4, "something is missing after 'src'", "expected an address, as in src [::1]:22"),
    ("state", 6, "something is missing after 'state'", "expected a state, as in state time-wait"),
    (":1 exclude", 11, "something is missing after 'exclude'", "expected a state, as in exclude listening"),
    ("age > ", 6, "something is missing after '>'", "expected a time, as in age > 5m"),
    ("not", 4, "something is missing after 'not'", CONDITION),
    ("!", 2, "something is missing after '!'", CONDITION),
    ("(", 2, "something is missing after '('", CONDITION),
    (":443 and", 9, "something is missing after 'and'", CONDITION),
    (":443||", 7, "something is missing after '||'", CONDITION),
    ('dst ""', 5, "an empty address", HOST),
    ('process ""', 9, "an empty name", NAME),
    ('""', 1, "an empty name", NAME),
    ('service "  "', 9, "an empty name", NAME),
    ("netns", 6, "something is missing after 'netns'", "expected a network namespace, as in netns blue"),
    (":1 netns =", 11, "something is missing after '='", "expected a network namespace, as in netns blue"),
    ("netns (blue)", 7, "'(' cannot follow 'netns'", "expected a network namespace, as in netns blue"),
    ('netns ""', 7, "an empty name", NAME),
    ('netns "blue', 7, "a quotation does not end", 'close it with "'),
    ("netns 'blue'", 7, "a ' means nothing here", NO_QUOTE),
    # What does not fit together.
    ("((:443)", 8, "a parenthesis is not closed", "end it with )"),
    ("()", 2, "nothing stands between the parentheses", EXAMPLES),
    (":443 )", 6, "')' closes nothing", "leave it out, or write ( before what it should close"),
    (")", 1, "a condition is missing before ')'", EXAMPLES),
    ("and", 1, "a condition is missing before 'and'", EXAMPLES),
    ("&& :443", 1, "a condition is missing before '&&'", EXAMPLES),
    (":1 and or :2", 8, "a condition is missing before 'or'", EXAMPLES),
    (":443 &&& :22", 8, "a condition is missing before '&'", EXAMPLES),
    ("= 5", 1, "'=' has nothing to compare", COMPARE),
    ("autobound = 1", 11, "'=' has nothing to compare", COMPARE),
    ("port <> 5", 7, "'>' cannot follow '<'", "expected a port, as in port 8000-8100"),
    ("port = = 5", 8, "'=' cannot follow '='", "expected a port, as in port 8000-8100"),
    (
        "state != established",
        7,
        "'!=' cannot follow 'state'",
        "leave the sign out, as in state time-wait; the opposite of state is exclude",
    ),
    ("443,80", 1, "'443,80' is no port and no address", "write one at a time with or between them: :443 or :80"),
    (":443,:80", 1, "':443,:80' is no address", "write one at a time with or between them: :443 or :80"),
    (":80 , :90", 5, "',' is no port and no address", "write one at a time with or between them: :443 or :80"),
    ("8000-", 1, "'8000-' is no port and no address", "write :443, 8000-8100, 10.1.2.3 or 10.0.0.0/8"),
    ("uid = 33", 1, "'uid' is no word of this language", "write user 33"),
    (":80 recv-q > 0", 5, "'recv-q' is no word of this language", "write recvq > 0"),
    (
        "dts 10.1.2.3",
        1,
        "'dts' is no word of this language",
        "did you mean dst? For a process of that name write process dts",
    ),
    (
        "sprot = 80",
        1,
        "'sprot' is no word of this language",
        "did you mean sport? For a process of that name write process sprot",
    ),
    ("state (established)", 7, "'(' cannot follow 'state'", "expected a state, as in state time-wait"),
    ("dport:443", 1, "a blank is missing behind 'dport'", "write dport 443"),
    ("State:listen", 1, "a blank is missing behind 'state'", "write state listen"),
    ('"nginx', 1, "a quotation does not end", 'close it with "'),
    ('process "web', 9, "a quotation does not end", 'close it with "'),
    ('"a" "b', 5, "a quotation does not end", 'close it with "'),
    # Ports.
    (":99999", 2, "port 99999 does not exist", PORT),
    ("dport = :65536", 10, "port 65536 does not exist", PORT),
    ("port 123456789012345678901234567890", 6, "port 123456789012 does not exist", PORT),
    ("port 0x1ffff", 6, "port 0x1ffff does not exist", PORT),
    ("10.0.0.1:70000", 10, "port 70000 does not exist", PORT),
    ("dst [::1]:70000", 11, "port 70000 does not exist", PORT),
    ("port 8000-99999", 6, "port 99999 does not exist", PORT),
    ("port 9000-8000", 6, "the range 9000-8000 runs backwards", "write 8000-9000"),
    ("port < 80-90", 8, "'<' does not go with a range", "use = or !=, or one port"),
    ("port 0443", 6, "'0443' is no port", "write it without the leading zero"),
    ("dport gt abc", 10, "no service 'abc' in /etc/services", PORT),
    ("sport = htps", 9, "no service 'htps' in /etc/services", "did you mean https? Otherwise give its number"),
    ("port -1", 6, "no service '-1' in /etc/services", PORT),
    ("10.1.2.3:", 10, "a port is missing", PORT),
    ("sport 10.1.2.3", 7, "'10.1.2.3' is no port", f"{PORT}; an address goes with src, dst or ip"),
    # Addresses.
    ("dst 1.2.3", 5, "'1.2.3' is no whole address", "for the network write 1.2.3.0/24"),
    ("dst 10.1", 5, "'10.1' is no whole address", "for the network write 10.1.0.0/16"),
    ("10.0.0.256", 1, "'10.0.0.256' is no address", "each of the four numbers goes from 0 to 255"),
    ("dst 10.0.0.0/33", 5, "'10.0.0.0/33' is no network", "behind the / goes a prefix length from 0 to 32"),
    (":1 or src ::1/129", 11, "'::1/129' is no network", "behind the / goes a prefix length from 0 to 128"),
    ("::1::2", 1, "'::1::2' is no address", HOST),
    ("dst [10.0.0.1", 5, "'[10.0.0.1' is no address", HOST),
    ("src 443", 5, "'443' is no address", "for a port write :443"),
    ("dst fe80::1%eth0", 5, "'fe80::1%eth0' has a zone", "leave out what follows the %, and add dev NAME"),
    ("dst example.com", 5, "no host 'example.com' in /etc/hosts", NO_NAME_SERVER),
    ("example.com:443", 1, "no host 'example.com' in /etc/hosts", NO_NAME_SERVER),
    ("ip >= 10.0.0.1", 4, "'>=' does not compare addresses", NO_ORDER),
    ("src lt 10.0.0.1", 5, "'<' does not compare addresses", NO_ORDER),
    ("unix:*", 1, "unix sockets have no TCP", "write inet:, inet6: or nothing"),
    # States.
    (":443 and state tme-wait", 16, "unknown state 'tme-wait'", "did you mean time-wait?"),
    (
        *("state foo", 7, "unknown state 'foo'"),
        "write one such as time-wait, or connected, synchronized, big, bucket",
    ),
    (
        *("state bound-inactive", 7, "bound-inactive is no TCP state"),
        "such sockets have no connection yet and are not listed here",
    ),
    ("connected", 1, "'connected' is a group of states", "write state connected"),
    # Amounts and times.
    ("recvq > lots", 9, "'lots' is no number of bytes", BYTES),
    ("sendq > 1.5m", 9, "'1.5m' is no number of bytes", BYTES),
    ("retrans > 2k", 11, "'2k' is no number", "write a whole number such as 0 or 812"),
    ("age 5m", 5, "no age is exactly that", "write age > 5m or age < 5m"),
    ("age != 5m", 5, "no age is exactly that", "write age > 5m or age < 5m"),
    ("age > 5y", 7, "'5y' is no time", TIME),
    ('age > "5ſ"', 7, "'5ſ' is no time", TIME),
    ('recvq > "٤"', 9, "'٤' is no number of bytes", BYTES),
    ("timer foo", 7, "unknown timer 'foo'", "known: off, on, keepalive, timewait, persist"),
    ("timer > on", 7, "'>' does not compare timers", NO_ORDER),
    # Names.
    ("pid nginx", 5, "'nginx' is no process id", "write a number; for a name write process nginx"),
    ("user nobdy", 6, "no user 'nobdy' in /etc/passwd", "give a name from there, or a uid as id -u prints it"),
    ("user www-dat", 6, "no user 'www-dat' in /etc/passwd", "did you mean www-data?"),
    ("user > root", 6, "'>' does not compare users", NO_ORDER),
    ("service > x", 9, "'>' does not compare services", NO_ORDER),
    ("netns > x", 7, "'>' does not compare namespaces", NO_ORDER),
    ("netns:blue", 1, "a blank is missing behind 'netns'", "write netns blue"),
    ("process < x", 9, "'<' does not compare names", NO_ORDER),
    ("cgroup < /", 8, "'<' does not compare cgroups", NO_ORDER),
    ("dev eht0", 5, "no interface 'eht0' here", "did you mean eth0?"),
    ("dev tun7", 5, "no interface 'tun7' here", "known: eth0, lo, wlan0"),
    ("dev > lo", 5, "'>' does not compare interfaces", NO_ORDER),
    ("fwmark x", 8, "'x' is no mark", MARK),
    ("fwmark 0x1/0xg", 8, "'0x1/0xg' is no mark", MARK),
    ("fwmark > 1", 8, "'>' does not compare marks", NO_ORDER),
    # Words of other tools, and slips.
    ("host 10.1.2.3", 1, "'host' is no word of this language", "write ip 10.1.2.3"),
    ("namespace blue", 1, "'namespace' is no word of this language", "write netns blue"),
    ("net-ns blue", 1, "'net-ns' is no word of this language", SLIP.format("netns", "net-ns")),
    ("uid 33", 1, "'uid' is no word of this language", "write user 33"),
    (":1 and lport 22", 8, "'lport' is no word of this language", "write sport = :443"),
    (
        *("estblished", 1, "'estblished' is no word of this language"),
        "did you mean established? For a process of that name write process estblished",
    ),
    ("users", 1, "'users' is no word of this language", SLIP.format("user", "users")),
    ("auto", 1, "'auto' is no word of this language", SLIP.format("autobound", "auto")),
    ("stat", 1, "'stat' is no word of this language", SLIP.format("state", "stat")),
    ("local_port = 5", 1, "'local_port' is no word of this language", "write sport = :443"),
    ("-tan", 1, "'-tan' is an option", "write it before the filter, or leave it out"),
    (":443 -n", 6, "'-n' is an option", "write it before the filter, or leave it out"),
    ("src port 443", 5, "'src port' is of tcpdump's language", "write sport = :443"),
    (":1 and DST net 10/8", 12, "'dst net' is of tcpdump's language", "write dst 10.0.0.0/8"),
    ("sport in 80", 7, "there are no lists here", "write sport = :80 or sport = :443"),
    ("dport in (80, 443)", 7, "there are no lists here", "write sport = :80 or sport = :443"),
    ("state not listen", 7, "'not' goes before the whole condition", DENY),
    # Blanks and quotes where they do not belong.
    ("'nginx'", 1, "a ' means nothing here", NO_QUOTE),
    (":443 and process 'web'", 18, "a ' means nothing here", NO_QUOTE),
    ("close wait", 1, "'close wait' is one word", "write close-wait"),
    (":1 state TIME WAIT", 10, "'TIME WAIT' is one word", "write time-wait"),
    ("state fin wait 2 :22", 7, "'fin wait 2' is one word", "write fin-wait-2"),
    ("not syn  received", 5, "'syn  received' is one word", "write syn-recv"),
    ("age > 5 m", 9, "a unit stands beside its number", "write 5m"),
    ("recvq>64 kb and :1", 10, "a unit stands beside its number", "write 64kb"),
    (":1 age geq 90 sec", 15, "a unit stands beside its number", "write 90sec"),
    # Saved filters.
    ("@WEB", 1, "no saved filter @WEB", "did you mean @web?"),
    (":1 @webs", 4, "no saved filter @webs", "did you mean @web?"),
    ("@wrong", 1, "the saved filter @wrong is wrong at its column 9: something is missing after 'and'", CONDITION),
    (
        *(":1 or @alias", 7, "the saved filter @wrong is wrong at its column 9: something is missing after 'and'"),
        CONDITION,
    ),
    (
        *("@circle", 1, "the saved filter @circle leads back to itself"),
        "change it in config.toml",
    ),
    (":9 @x", 4, "the saved filter @x leads back to itself", "change it in config.toml"),
    # What cannot be seen, and what only looks right.
    ("port ４", 6, "'４' is not what it looks like", LOOK_ALIKE),
    ("sроrt 22", 2, "'р' is not what it looks like", LOOK_ALIKE),
    ("\u017fport 22", 1, "'ſ' is not what it looks like", LOOK_ALIKE),
    (":443\u00a0:22", 5, "'\\xa0' cannot be seen", "leave it out"),
    (":443\u200b", 5, "'\\u200b' cannot be seen", "leave it out"),
    ("\x1b[31m", 1, "'\\x1b' cannot be seen", "leave it out"),
    ("port \u202e443", 6, "'\\u202e' cannot be seen", "leave it out"),
    ('"a\x00b"', 3, "'\\x00' cannot be seen", "leave it out"),
    ('"a\tb"', 3, "'\\x09' cannot be seen", "leave it out"),
]


@pytest.mark.parametrize(("text", "column", "problem", "hint"), WRONG, ids=[ascii(each[0]) for each in WRONG])
def test_a_wrong_filter_names_the_place_the_problem_and_a_way_out(
    text: str, column: int, problem: str, hint: str
) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, TYPED)
    error = caught.value
    assert (error.column, error.problem, error.hint) == (column, problem, hint)
    assert error.message == f"filter, column {column}: {problem}"
    assert str(error) == f"filter, column {column}: {problem}: {hint}"
    assert error.exit_code is ExitCode.REQUEST
    assert isinstance(error, RequestError)


def test_a_saved_filter_that_is_missing_in_another_is_said() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("@gone", Names(saved={"gone": ":1 or @nowhere"}))
    assert caught.value.problem == "the saved filter @gone is wrong at its column 7: no saved filter @nowhere"
    assert caught.value.hint == "known: @gone"


def test_where_no_filter_is_saved_it_says_how_to() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("@web")
    assert caught.value.hint == "none is saved: write one below [filters] in config.toml"


def test_where_filters_are_saved_is_told_by_its_path() -> None:
    for saved in ({}, {"web": "@web"}):
        with pytest.raises(FilterError, match=r"/home/me/config\.toml"):
            parse_filter("@web", Names(saved=saved, saved_in="/home/me/config.toml"))


@pytest.mark.parametrize("text", ["@web", ":1 or not @web"])
def test_that_saved_filters_cannot_be_read_is_said_where_one_is_asked_for(text: str) -> None:
    names = Names(saved_problem="config.toml: line 1: what is this?")
    with pytest.raises(FilterError) as caught:
        parse_filter(text, names)
    assert (caught.value.problem, caught.value.position) == (names.saved_problem, text.index("@"))
    assert parse_filter("service getty@tty1 or cgroup /a@b", names)


def test_what_is_wrong_in_a_saved_filter_is_said_of_the_one_that_has_it() -> None:
    """At the place of the outermost."""
    with pytest.raises(SavedFilterError) as caught:
        parse_filter("not @outer", Names(saved={"outer": ":1 @inner", "inner": ":443 or state foo"}))
    assert caught.value.problem == "the saved filter @inner is wrong at its column 15: unknown state 'foo'"
    assert caught.value.position == 4


def test_several_saved_filters_are_offered_as_they_are_typed() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("@web", Names(saved={"web-a": ":1", "web-b": ":2"}))
    assert caught.value.hint == "did you mean @web-a or @web-b?"


# -- The place ---------------------------------------------------------------------------------------------------------


def pointed_at(text: str, names: Names = TYPED) -> str:
    """What stands above the caret, to the end of what is shown."""
    with pytest.raises(FilterError) as caught:
        parse_filter(text, names)
    line, caret = caught.value.excerpt
    assert line.isprintable()
    assert caret == caret.strip().rjust(len(caret))
    assert caret.strip() == "^"
    return line[len(caret) - 1 :]


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (":443 and state foo or :22", "foo or :22"),
        (":1\t\t\tstate\tfoo", "foo"),
        (":1\r\n state foo", "foo"),
        (":1 and\x1c state foo", "foo"),
        (":1 \x1b[0m", "\\x1b[0m"),
        (":1 \u202e:2", "\\u202e:2"),
        (":1 рort", "рort"),
        (':1 and "web', '"web'),
        ("(:1 or :2", ""),
        (":1 and   ", "   "),
        ("@wrong :1", "@wrong :1"),
    ],
    ids=ascii,
)
def test_the_caret_stands_under_the_place(text: str, rest: str) -> None:
    assert pointed_at(text) == rest


def test_the_caret_counts_cells() -> None:
    """Wide characters take two, combining ones none."""
    line, caret = excerpt('"日本" state foo', 11)
    assert line == '"日本" state foo'
    assert caret == " " * 13 + "^"
    line, caret = excerpt('"e\u0301" state foo', 11)
    assert caret == " " * 10 + "^"


@pytest.mark.parametrize("before", [0, 1, 30, 60, 490, 560])
@pytest.mark.parametrize("behind", [0, 1, 30, 70, 440])
def test_the_caret_stands_under_the_place_in_a_long_filter(before: int, behind: int) -> None:
    text = ":1 " * before + "state foo" + " :2" * behind
    shown = pointed_at(text)
    assert shown.startswith("foo")
    assert ("foo" + " :2" * behind).startswith(shown.removesuffix("…"))
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert len(caught.value.excerpt[0]) <= 74


@settings(max_examples=100)
@given(st.text(max_size=120), st.data())
def test_an_excerpt_is_short_printable_and_points_into_itself(text: str, data: st.DataObject) -> None:
    line, caret = excerpt(text, data.draw(st.integers(0, len(text))))
    assert line.isprintable()
    assert len(line) <= 74
    assert re.fullmatch(" *\\^", caret)
    assert len(caret) <= 2 * len(line) + 1


# -- Anything at all ---------------------------------------------------------------------------------------------------

TOKENS = (
    *("state", "exclude", "port", "sport", "dport", "src", "dst", "ip", "and", "or", "not", "(", ")", "!", "&", "|"),
    *("=", "!=", "<", ">=", "gt", ":443", "443", "10.1.2.3", "10.0.0.0/8", "[::1]:22", "::1", "established", "listen"),
    *("[", "]", ":", "/", "%", "\x1b[31m", "\u202e", "ESTAB", "-1", "\n", "\t", "٣", "@web", "@", "@x", '"', '"a b"'),
    *("age", "5m", "recvq", "64k", "pid", "process", "user", "root", "service", "cgroup", "dev", "eth0", "fwmark"),
    *("0x1/0x3", "autobound", "timer", "keepalive", "inode", "retrans", "inet6:", "*", "8000-8100", "0x", "ſ", "K"),
    *("netns", "blue"),
)
anything = st.one_of(
    st.text(st.characters(), max_size=80),
    st.lists(st.sampled_from(TOKENS), max_size=20).map(" ".join),
    st.lists(st.sampled_from(TOKENS), max_size=20).map("".join),
)


Edit = Callable[[list[str], int, str], list[str]]
EDITS: tuple[Edit, ...] = (
    lambda parts, at, _other: parts[:at] + parts[at + 1 :],
    lambda parts, at, _other: parts[: at + 1] + parts[at:],
    lambda parts, at, _other: parts[:at] + parts[at + 1 : at + 2] + parts[at : at + 1] + parts[at + 2 :],
    lambda parts, at, other: [*parts[:at], other, *parts[at:]],
)
"""To drop, to double, to swap with the next, to insert."""


@st.composite
def near_valid(draw: st.DrawFn) -> str:
    """A filter with some slips of the finger, in letters or in words."""
    text = draw(filters).text
    for edit in draw(st.lists(st.sampled_from(EDITS), min_size=1, max_size=3)):
        parts = draw(st.sampled_from((list(text), re.split(r"(\s+|[()!])", text))))
        other = draw(st.one_of(st.characters(), st.sampled_from(TOKENS)))
        text = "".join(edit(parts, draw(st.integers(0, max(len(parts) - 1, 0))), other))
    return text


def outcome_of(text: str) -> Filter | FilterError:
    """Any other exception ends the test."""
    try:
        return parse_filter(text, TYPED)
    except FilterError as error:
        return error


def check(text: str) -> None:
    outcome = outcome_of(text)
    if isinstance(outcome, FilterError):
        assert 0 <= outcome.position <= len(text)
        assert str(outcome).isprintable()
        assert outcome.problem
        assert outcome.hint
        assert len(str(outcome)) < 400
        assert all(line.isprintable() for line in outcome.excerpt)
        assert len(outcome.excerpt) == (2 if text.strip() else 0)
    else:
        assert outcome.text.isprintable()
        assert depth(outcome.expression) <= DEEPEST_NESTING
        assert parse_filter(outcome.text, TYPED) == outcome


@settings(max_examples=120)
@given(anything)
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    check(text)


@settings(max_examples=200)
@given(near_valid())
def test_a_filter_with_slips_is_a_filter_or_a_filter_error(text: str) -> None:
    check(text)


@given(st.sampled_from([word for word in TOKENS if word.isascii()]), st.text(max_size=12))
def test_a_quotation_behind_any_word_is_a_filter_or_a_filter_error(word: str, text: str) -> None:
    """Only there other letters come as far as the values."""
    check(f'{word} "{text}"')
    check(f'{word} > "1{text}"')


HOSTILE = ["\x1b[2J", "\x1b]0;owned\x07", "\u202e443", "a\x00b", "\udcff", "\x9b31m", "\u200b", "\x7f"]


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
@pytest.mark.parametrize(
    "text", ["{}", "state {}", "exclude {}", "port {}", "dst {}", "10.0.0.1:{}", ":1 {} :2", "10.{}", '"{}"', "@{}"]
)
def test_what_is_hostile_is_never_repeated_as_it_is(text: str, hostile: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text.format(hostile))
    shown = "\n".join((str(caught.value), *caught.value.excerpt))
    assert hostile not in shown
    assert shown.replace("\n", "").isprintable()


def test_a_problem_in_a_saved_filter_is_printable() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("@a", Names(saved={"a": ":1 \x1b[31m"}))
    assert caught.value.problem == "the saved filter @a is wrong at its column 4: '\\x1b' cannot be seen"


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\r", "\x0b", "\x0c", "\x1c", " \n\t "])
def test_the_text_of_a_filter_is_one_printable_line(blank: str) -> None:
    """It is shown in the header and in files."""
    assert parse_filter(f":443{blank}:22").text == ":443 :22"


# -- Too much of it ----------------------------------------------------------------------------------------------------


def test_the_longest_filter_is_read_and_a_longer_one_refused() -> None:
    longest = " or ".join([":443"] * (LONGEST_FILTER // 8)).ljust(LONGEST_FILTER)
    assert parse_filter(longest).expression
    for text in (longest + " ", "x" * 1_000_000):
        with pytest.raises(FilterError) as caught:
            parse_filter(text)
        assert (caught.value.problem, caught.value.hint) == ("longer than 4,096 characters", "shorten it")
        assert caught.value.position == LONGEST_FILTER


@pytest.mark.parametrize("levels", [65, 100, 200])
@pytest.mark.parametrize("opening", ["(:1 or ", "(:1 and ", "not (:1 or "])
def test_a_filter_nested_too_deep_is_refused(levels: int, opening: str) -> None:
    with pytest.raises(FilterError, match=f"more than {DEEPEST_NESTING} levels"):
        parse_filter(opening * levels + ":2" + ")" * levels)


DEEPEST = {
    "or": "(:1 or " * 450 + ":2" + ")" * 450,
    "not": "!" * (LONGEST_FILTER - 2) + ":2",
    "not or": "!(:1|" * 680 + ":2" + ")" * 680,
    "not in words": "not " * 1000 + ":2",
    "parentheses": "(" * 2047 + ":2" + ")" * 2047,
    "opened": "(" * 4096,
    "denied": "!" * 4096,
    "denied in words": "not " * 1000,
    "closed": ")" * 4096,
    "brackets": "[" * 4096,
    "colons": ":" * 4096,
    "quotes": '"' * 4096,
    "side by side": '""' * 2048,
    "tests": "a|" * 2047 + "a",
}


def used(filter: Filter) -> None:
    """All that is done with a filter that was accepted."""
    expression = filter.expression
    mask_of(expression, table_of([Socket()]).rows)
    by_state(expression, lambda _test: True)
    for family in (4, 6):
        kernel_queries(expression, family)
    ss_commands(expression)
    assert to_text(understanding(filter))


@pytest.mark.parametrize("text", DEEPEST.values(), ids=DEEPEST)
def test_a_filter_nested_as_deep_as_its_length_allows_is_no_crash(text: str) -> None:
    """Nor later, when it is used."""
    assert len(text) <= LONGEST_FILTER
    check(text)
    outcome = outcome_of(text)
    if isinstance(outcome, Filter):
        used(outcome)


def test_parentheses_alone_are_no_depth() -> None:
    assert parse_filter("(" * 500 + ":1" + ")" * 500).expression == parse_filter(":1").expression


def test_the_deepest_filter_that_is_accepted_works() -> None:
    text = "(:1 or nginx and " * (DEEPEST_NESTING // 2) + "dst != 10/8" + ")" * (DEEPEST_NESTING // 2)
    with pytest.raises(FilterError, match="levels"):
        parse_filter(text)
    accepted = parse_filter(text.replace("dst != ", ""))
    assert depth(accepted.expression) == DEEPEST_NESTING
    used(accepted)


@pytest.mark.parametrize("opening", ["!(", "not(", ":1 (", ":1|("])
def test_one_level_more_than_the_deepest_is_refused(opening: str) -> None:
    deepest = "(:1 or " * DEEPEST_NESTING + ":2" + ")" * DEEPEST_NESTING
    assert parse_filter(deepest)
    if opening.endswith("|("):
        deepest = deepest.replace("or", "and")
    with pytest.raises(FilterError, match="levels"):
        parse_filter(f"{opening}{deepest})")


def test_saved_filters_add_to_the_depth() -> None:
    half = DEEPEST_NESTING // 2 + 1
    saved = {"deep": "(:1 or " * half + ":2" + ")" * half}
    with pytest.raises(FilterError, match="levels"):
        parse_filter("(:1 or " * half + "@deep" + ")" * half, Names(saved=saved))


@pytest.mark.parametrize("length", [DEEPEST_SAVED, DEEPEST_SAVED + 1, 300])
def test_a_chain_of_saved_filters_has_an_end(length: int) -> None:
    chain = {f"f{number}": f"@f{number + 1}" for number in range(length - 1)} | {f"f{length - 1}": ":1"}
    names = Names(saved=chain)
    if length <= DEEPEST_SAVED:
        assert parse_filter("@f0", names).expression == parse_filter(":1").expression
        return
    with pytest.raises(FilterError) as caught:
        parse_filter(":2 @f0", names)
    assert caught.value.position == 3
    assert caught.value.problem == "the saved filter @f16 is taken in through more than 16 others"


@pytest.mark.parametrize("joint", [" ", "|", " or not "])
def test_saved_filters_that_double_each_other_are_refused(joint: str) -> None:
    """Fifteen lines would else stand for thirty thousand conditions."""
    saved = {f"f{number}": joint.join([f"@f{number + 1}"] * 2) for number in range(14)} | {"f14": ":1 :2"}
    with pytest.raises(FilterError, match=f"has more than {MOST_TESTS:,} conditions") as caught:
        parse_filter("@f0", Names(saved=saved))
    assert caught.value.position == 0


def test_conditions_count_however_they_are_written() -> None:
    """Without a blank between them, too."""
    names = Names(saved={"many": "|".join([":1"] * 500)})
    assert len(list(parts_that_test(parse_filter("|".join(["@many"] * 4), names).expression))) == 2000
    with pytest.raises(FilterError, match=f"with @many the filter has more than {MOST_TESTS:,} conditions"):
        parse_filter("|".join(["@many"] * 5), names)


def test_a_text_has_a_bounded_number_of_parts() -> None:
    """Each costs time, which a filter as it is typed must not take."""
    assert parse_filter(":1 " * MOST_PARTS)
    with pytest.raises(FilterError, match=f"more than {MOST_PARTS:,} words and signs") as caught:
        parse_filter(":1|" * MOST_PARTS)
    assert caught.value.position == MOST_PARTS // 2 * 3


@pytest.mark.parametrize("text", ["dev eth", "dev x", "user no", "sport svc", "@f", "@x"])
def test_a_hostile_name_of_this_machine_is_offered_printable(text: str) -> None:
    """An interface may be named nearly anything."""
    hostile = "\x1b[31m\u202e"
    names = Names(
        services={f"svc{hostile}": 1},
        interfaces={f"eth{hostile}": 2},
        users={f"nobody{hostile}": 3},
        saved={f"f{hostile}": ":1"},
    )
    with pytest.raises(FilterError) as caught:
        parse_filter(text, names)
    assert str(caught.value).isprintable()
    assert "\\x1b[31m\\u202e" in caught.value.hint


@given(filters)
def test_what_was_generated_is_right(written: Written) -> None:
    """Or the slips would be made in nothing."""
    assert isinstance(outcome_of(written.text), Filter)
