"""What is offered while a filter is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.query.completion import MOST_OFFERED, Present, complete
from tcptui.query.faults import FilterError
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
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
    processes=("nginx", "java", '"Web Content"'),
    services=("nginx.service",),
)


def offered(text: str, cursor: int | None = None) -> tuple[str, ...]:
    return complete(text, len(text) if cursor is None else cursor, NAMES, PRESENT).offered


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("e", ("established", "exclude")),
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
        assert new_text[completion.start : new_cursor] == word


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
