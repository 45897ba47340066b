"""The fact sheet's 74 false claims: each is answered where somebody who believes it would look, in every language."""

import pytest

from tcptui.explain.knowledge import load
from tcptui.explain.render import to_text
from tcptui.explain.topics import find_topic
from tcptui.language import LANGUAGES
from tests.explain.support import explained, machine

CLAIMS = range(1, 75)
"""FACTS section 3."""
BY_NUMBER = {myth.number: myth for myth in load().myths.values()}


def in_one_line(text: str) -> str:
    """What was said, without the blanks and line ends between."""
    return "".join(text.split())


def test_every_claim_has_one_entry() -> None:
    assert sorted(BY_NUMBER) == list(CLAIMS)
    assert len(load().myths) == len(CLAIMS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", CLAIMS)
def test_who_believes_a_claim_finds_what_is_true(number: int, language: str) -> None:
    name = BY_NUMBER[number].name
    myth = load(language).myths[name]
    assert myth.topics
    for topic in myth.topics:
        shown = in_one_line(to_text(explained(topic, machine(), language), 80))
        assert in_one_line(myth.truth) in shown, topic
        assert in_one_line(myth.claim.rstrip(".。")) in shown, topic


@pytest.mark.parametrize("number", CLAIMS)
def test_a_claim_can_be_asked_for_by_name(number: int) -> None:
    name = BY_NUMBER[number].name
    assert find_topic(name) == find_topic(name.replace("-", " ").upper()) == name
    assert explained(name, machine()).summary == BY_NUMBER[number].truth


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_overview_lists_them_all(language: str) -> None:
    section = explained("myths", {}, language).section("myths")
    assert section is not None
    assert [line.topic for line in section.lines] == [BY_NUMBER[number].name for number in CLAIMS]


@pytest.mark.parametrize(
    ("number", "topic", "said"),
    [
        (1, "TIME_WAIT", "60"),
        (2, "FIN_WAIT2", "tcp_fin_timeout"),
        (4, "CLOSE_WAIT", "descriptor"),
        (6, "net.ipv4.tcp_orphan_retries", "0"),
        (11, "LAST_ACK", "socket"),
        (22, "net.ipv4.tcp_tw_recycle", "4.12"),
        (24, "net.ipv4.tcp_tw_reuse", "2"),
        (40, "SO_LINGER", "RST"),
        (55, "net.ipv4.tcp_max_syn_backlog", "400"),
        (56, "net.ipv4.tcp_abort_on_overflow", "ACK"),
        (66, "net.core.rmem_max", "SO_RCVBUF"),
    ],
)
def test_well_known_claims_are_answered_at_the_obvious_place(number: int, topic: str, said: str) -> None:
    myth = BY_NUMBER[number]
    assert topic in myth.topics
    assert said in myth.truth or (said == "RST" and "reset" in myth.truth)
