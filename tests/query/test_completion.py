"""What is offered while a filter is typed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcptui.query.completion import MOST_OFFERED, as_condition, as_value, complete
from tcptui.query.faults import FilterError
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tcptui.query.present import Present
from tcptui.query.syntax import InterfaceTest, NetnsTest, ProcessTest, ServiceTest, Test, UserTest
from tcptui.query.syntax import tests_in as parts_that_test
from tcptui.query.words import STATE_GROUPS, STATE_WORDS
from tests.query.expressions import filters

NAMES = Names(
    services={"http": 80, "https": 443, "ssh": 22},
    interfaces={"lo": 1, "eth0": 2},
    users={"root": 0, "www-data": 33},
    saved={"web": ":80"},
)
PRESENT = Present(
    states=("established", "close-wait"),
    local_ports=("8080", "22"),
    remote_ports=("443", "40000"),
    local_addresses=("10.0.0.1",),
    remote_addresses=("10.1.2.3", "fe80::1"),
    processes=("nginx", "java", "Web Content", "listen", "eq", 'a"b'),
    services=("nginx.service",),
    namespaces=("self", "blue", "pid 812 nginx"),
)


def offered(text: str, cursor: int | None = None) -> tuple[str, ...]:
    return complete(text, len(text) if cursor is None else cursor, NAMES, PRESENT).offered


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("e", ("established", "exclude", "eq")),
        ("clo", ("close-wait",)),
        ("sp", ("sport",)),
        ("sport ", ("8080", "22", "http", "https", "ssh", ":8080", ":22")),
        ("dport = :4", (":443", ":40000")),
        ("port 4", ("443", "40000")),
        ("sport != ht", ("http", "https")),
        ("src ", ("10.0.0.1",)),
        ("dst 1", ("10.1.2.3",)),
        ("ip f", ("fe80::1",)),
        ("state c", ("close-wait", "closed", "closing", "connected")),
        ("exclude li", ("listening",)),
        ("process n", ("nginx",)),
        ("process We", ('"Web Content"',)),
        ("service ", ("nginx.service",)),
        ("netns ", ("self", "blue", '"pid 812 nginx"')),
        ("not netns != p", ('"pid 812 nginx"',)),
        ("user w", ("www-data",)),
        ("dev ", ("lo", "eth0")),
        ("timer k", ("keepalive",)),
        ("age > ", ()),
        ("recvq ", ()),
        ("@", ("@web",)),
        (":80 an", ("and",)),
        (":80 o", ("or",)),
        ("not (nginx and ja", ("java",)),
        ("(:80 or nginx) and not st", ("state",)),
        ("10.1", ("10.1.2.3",)),
        (":2", (":22",)),
    ],
)
def test_words_that_may_stand_there_the_most_frequent_first(text: str, words: tuple[str, ...]) -> None:
    assert offered(text) == words


def test_behind_a_whole_condition_joints_come_first_and_another_condition_may_follow() -> None:
    assert offered(":80 ")[:3] == ("and", "or", "established")


def test_behind_state_stand_all_states_and_groups_those_that_are_there_first() -> None:
    words = offered("state ")
    assert words[:2] == PRESENT.states
    assert set(words) == {*STATE_WORDS.values(), *STATE_GROUPS}


@pytest.mark.parametrize("text", ["sport = = ", ") ", 'process "a', ":80 ) e", "= "])
def test_behind_what_is_wrong_already_nothing_is_offered(text: str) -> None:
    assert offered(text) == ()


def test_a_whole_word_offers_nothing_but_longer_ones() -> None:
    assert offered("sport") == ()
    assert offered("sport = http") == ("http", "https")


def test_the_word_around_the_cursor_is_replaced() -> None:
    text = "state clo and :80"
    completion = complete(text, len("state c"), NAMES, PRESENT)
    assert completion.applied(text, 0) == ("state close-wait and :80", len("state close-wait"))


def test_the_only_word_on_offer_is_followed_by_a_blank_at_the_end_of_the_text() -> None:
    assert complete("sp", 2, NAMES, PRESENT).applied("sp", 0) == ("sport ", 6)
    assert complete("state cl", 8, NAMES, PRESENT).applied("state cl", 0) == ("state close-wait", 16)
    assert complete("sp = :80", 2, NAMES, PRESENT).applied("sp = :80", 0) == ("sport = :80", 5)


HOSTILE = (
    *("and", "or", "not", "eq", "GE", "state", "users", "listen", "time-wait", "time wait", "443", "0x1", "10.0.0.1"),
    *("::1", "@web", "-f", "a,b", "a=b", "<", "(sd-pam)", "(", "!", "a|b", "a&b", "'q'", "a'b", 'a"b', '"', "[x]"),
    *("a*b", "?", "kworker/0:1", "Web Content", "a  b", " a ", " ", "", "%", "#", "\\", "$(id)", "inet6:x", "5 m"),
    *("d\u00e9mon", "\u65e5\u672c", "\u202egnp", "\x1b[31m", "a\x00", "a\tb", "\u200b", "\u0085", "\ud800"),
)
"""Names that processes, services and interfaces may have."""


@example("nginx")
@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=15), st.text("ab '\"()!&|<>=*?@-:/.,", max_size=8)))
def test_what_is_offered_for_a_name_means_that_name_and_nothing_else(name: str) -> None:
    names = Names(interfaces={name: 7}, users={name: 77})
    present = Present(processes=(name,), services=(name,), namespaces=(name,))
    meant: dict[str, Test] = {
        "process": ProcessTest(name),
        "service": ServiceTest(name),
        "netns": NetnsTest(name),
        "dev": InterfaceTest(7, name),
        "user": UserTest(77, name),
    }
    for word, test in meant.items():
        for before in ("", ":80 and not ", "exclude listening ", "(java or "):
            for sign in (" ", " = "):
                text = f"{before}{word}{sign}"
                completion = complete(text, len(text), names, present)
                assert len(completion.offered) <= 1
                for index, offer in enumerate(completion.offered):
                    assert offer.isprintable()
                    whole = completion.applied(text, index)[0].strip() + ")" * before.count("(")
                    assert list(parts_that_test(parse_filter(whole, names).expression))[-1] == test


@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=15), st.text("ab '\"()!&|<>=*?@-:/.,", max_size=8)))
def test_a_name_that_is_offered_as_a_condition_means_that_process(name: str) -> None:
    condition = as_condition(name)
    if condition:
        assert condition.isprintable()
        for text in (condition, f":80 and not {condition}", f":80 {condition} :22", f"exclude listening ({condition})"):
            assert ProcessTest(name) in parts_that_test(parse_filter(text).expression)


@pytest.mark.parametrize(
    ("name", "condition", "value"),
    [
        ("nginx", "nginx", "nginx"),
        ("Web Content", '"Web Content"', '"Web Content"'),
        ("listen", '"listen"', "listen"),
        ("443", '"443"', "443"),
        ("users", '"users"', "users"),
        ("-f", '"-f"', "-f"),
        ("eq", "eq", '"eq"'),
        ("(sd-pam)", '"(sd-pam)"', '"(sd-pam)"'),
        ("it's", '"it\'s"', '"it\'s"'),
        ('a"b', "", ""),
        ("", "", ""),
        ("  ", "", ""),
        ("\x1b[31m", "", ""),
    ],
)
def test_a_name_that_means_something_else_stands_in_quotes_and_one_that_cannot_be_written_is_not_offered(
    name: str, condition: str, value: str
) -> None:
    assert (as_condition(name), as_value(name)) == (condition, value)
    present = Present(processes=(name,))
    assert complete("process ", 8, Names(), present).offered == ((value,) if value else ())


def test_users_who_have_sockets_come_first() -> None:
    names = Names(users={"root": 0, "bin": 2, "www-data": 33, "nobody": 65534})
    assert complete("user ", 5, names, Present(uids=(33, 65534))).offered[:2] == ("www-data", "nobody")
    assert len(complete("user ", 5, names, Present(uids=(33,))).offered) == 4


@given(filters, st.data())
def test_what_is_offered_within_a_good_filter_can_be_applied(written: object, data: st.DataObject) -> None:
    text = getattr(written, "text", "")
    cursor = data.draw(st.integers(0, len(text)))
    completion = complete(text, cursor, NAMES, PRESENT)
    assert 0 <= completion.start <= cursor <= completion.end <= len(text)
    assert len(completion.offered) <= MOST_OFFERED
    assert len(set(completion.offered)) == len(completion.offered)
    for index, word in enumerate(completion.offered):
        new_text, new_cursor = completion.applied(text, index)
        assert new_text[completion.start : new_cursor] in (word, f"{word} ")


@given(st.text(max_size=60), st.integers(0, 60))
def test_any_text_can_be_completed(text: str, cursor: int) -> None:
    completion = complete(text, min(cursor, len(text)), NAMES, PRESENT)
    assert 0 <= completion.start <= completion.end <= len(text)


@pytest.mark.parametrize("start", ["", "not ", "(", ":80 and ", ":80 or ", "exclude listening "])
def test_each_condition_that_is_offered_is_valid_or_waits_for_a_value(start: str) -> None:
    problems = [fault(f"{start}{word}{')' if '(' in start else ''}") for word in offered(start)]
    assert all(not each or each.startswith(("something is missing after ", "')' cannot follow ")) for each in problems)


def fault(text: str) -> str:
    """What is wrong with a filter; empty if nothing is."""
    try:
        parse_filter(text, NAMES)
    except FilterError as error:
        return error.problem
    return ""
