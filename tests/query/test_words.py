"""The words of the language: declared once, and everything that is shown of them can be typed."""

import re
from dataclasses import replace
from importlib import resources

import pytest

from tcptui.model.fields import Field, ViewKind
from tcptui.query.faults import FilterError
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tcptui.query.words import AMOUNT_FIELDS, FOREIGN_WORDS, STATE_GROUPS, STATE_WORDS, TCPDUMP_WORDS, WORDS, Kind, Word
from tests.query.expressions import NAMES

ALTERNATIVE_SPELLINGS = {"excl", *("eq", "ne", "neq", "lt", "le", "leq", "gt", "ge", "geq")}
"""Words of the grammar that are no words of their own."""


def test_the_grammar_has_the_words_and_no_others() -> None:
    grammar = resources.files("tcptui.query").joinpath("filter.lark").read_text("utf-8")
    keywords = set(re.findall(r'"(\w+)"i', grammar))
    assert keywords - ALTERNATIVE_SPELLINGS == {word.text for word in WORDS}
    assert keywords >= ALTERNATIVE_SPELLINGS


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.text)
def test_the_example_of_a_word_can_be_typed(word: Word) -> None:
    assert word.text in word.example.split()
    assert parse_filter(word.example, NAMES)
    assert word.about
    assert word.about.isprintable()


def hint_for(text: str) -> str:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, NAMES)
    return caught.value.hint


@pytest.mark.parametrize(
    "word", [word for word in WORDS if word.kind not in (Kind.NONE, Kind.JOINT)], ids=lambda word: word.text
)
def test_a_word_alone_shows_what_goes_with_it(word: Word) -> None:
    assert hint_for(word.text) == f"expected {word.kind.value}, as in {word.example}"


def test_every_amount_word_is_a_word() -> None:
    assert set(AMOUNT_FIELDS) <= {word.text for word in WORDS}


@pytest.mark.parametrize("spelling", [*STATE_WORDS.values(), *STATE_GROUPS])
def test_every_state_word_can_be_typed(spelling: str) -> None:
    assert parse_filter(f"state {spelling}")
    assert parse_filter(f"exclude {spelling}")


@pytest.mark.parametrize("word", FOREIGN_WORDS)
def test_a_word_of_another_tool_is_answered_with_ours(word: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(word, NAMES)
    assert caught.value.hint == FOREIGN_WORDS[word]
    said, _, examples = FOREIGN_WORDS[word].partition("write ")
    assert not said or said.startswith(("leave it ", "see tcptui --help"))
    for example in re.split(r", or |, ", examples):
        if not said:
            assert parse_filter(example, replace(NAMES, hosts={"localhost": ("127.0.0.1", "::1")}))


@pytest.mark.parametrize("word", TCPDUMP_WORDS)
@pytest.mark.parametrize("before", ["src", "dst", "ip"])
def test_a_pair_of_words_of_tcpdump_is_answered_with_ours(before: str, word: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(f":1 and {before} {word} 443", NAMES)
    assert caught.value.problem == f"'{before} {word}' is of tcpdump's language"
    assert caught.value.column == len(f":1 and {before} ") + 1
    assert parse_filter(caught.value.hint.removeprefix("write "), NAMES)


@pytest.mark.parametrize(
    "field", [field for field in ViewKind.CONNECTIONS.fields if field.filter_word], ids=lambda field: field.id
)
def test_a_column_of_a_csv_file_is_answered_with_the_word_that_compares_it(field: Field) -> None:
    assert str(field.filter_word) in hint_for(field.id).split()


def examples_in(hint: str) -> list[str]:
    """What ``write A, B or C`` offers."""
    return re.split(r", | or ", re.sub(r"^(try|write what:|write) (a whole number such as )?", "", hint))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("", "{}"),
        ("not", "not {}"),
        ("= 5", "{}"),
        ("dst ::1::2", "dst {}"),
        ("recvq > lots", "recvq > {}"),
        ("retrans > x", "retrans > {}"),
        ("age > x", "age < {}"),
        ("age 5m", "{}"),
        ("fwmark x", "fwmark {}"),
        ("port 9-8", "port {}"),
        ("pid nginx", "{}"),
    ],
)
def test_the_examples_in_a_hint_can_be_typed(wrong: str, right: str) -> None:
    hint = hint_for(wrong).removeprefix("expected a condition, ").removeprefix("write a number; for a name ")
    examples = examples_in(hint)
    assert examples
    for example in examples:
        assert parse_filter(right.format(example), NAMES)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("state tme-wait", "state {}"),
        ("estblished", "{}"),
        ("@webb", "{}"),
        ("dev eht0", "dev {}"),
        ("user www-dta", "user {}"),
        ("sport htps", "sport {}"),
    ],
)
def test_what_was_probably_meant_can_be_typed(wrong: str, right: str) -> None:
    meant = re.match(r"did you mean (.+?)\?", hint_for(wrong))
    assert meant
    for each in meant[1].split(" or "):
        assert parse_filter(right.format(each), NAMES)


DOCUMENTED = (
    *("dport = :443", "sport gt :1024", "dst 10.0.0.0/8", "src [::1]:22", "state established", "exclude time-wait"),
    *("state connected", "state synchronized", "state bucket", "state big", "state all", "( :1 or :2 )"),
    *(":1 and :2", ":1 & :2", ":1 && :2", ":1 or :2", ":1 | :2", ":1 || :2", "not :1", "! :1", ":1 :2"),
    *("sport 22", "autobound", "dev eth0", "fwmark 1", "cgroup /user.slice", ":443", "port 443", "10.1.2.3"),
    *("10.0.0.0/8", "ip 10.1.2.3", "pid 812", "process nginx", "user www-data", "service nginx.service"),
    *("netns blue", "netns self", "netns 812", "netns a or netns b"),
    *("recvq > 0", "sendq > 64k", "retrans > 0", "age > 5m", "timer keepalive", "port 8000-8100", "sport ge 1024"),
)
"""What the design, section 6, says can be typed."""


@pytest.mark.parametrize("text", DOCUMENTED)
def test_what_is_documented_can_be_typed(text: str) -> None:
    assert parse_filter(text, NAMES)


def test_an_empty_machine_has_no_names() -> None:
    """Then numbers are still there."""
    assert parse_filter("sport 22 user 0 dev 1 dst 10.1.2.3", Names())
