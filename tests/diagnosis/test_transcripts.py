"""Text in the shapes that people paste, judged by the command: what it tells is found, and what it cannot tell is said.

The incidents of ``test_incidents`` once more, this time as what stands in their notes: counts by state as ``netstat``
and ``awk`` printed them, peers as ``uniq -c`` counted them, a few connections. Where a note has no numbers, the table
that ``test_incidents`` makes up is written as ``ss -tanoeip`` writes it.
"""

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui import cli
from tcptui.diagnosis.finding import Severity
from tcptui.diagnosis.rules.catalogue import RULES
from tcptui.errors import RequestError
from tcptui.export.diagnosis import to_json, to_markdown, to_text
from tcptui.headless.diagnose import Plan, diagnose
from tcptui.model.states import TcpState
from tcptui.sources.pasted.source import PastedSource
from tests.diagnosis import transcripts
from tests.diagnosis.scenes import JAVA, NO_INFO, Part, at, listener, part
from tests.diagnosis.test_incidents import INCIDENTS, MADE_UP, SEVERITIES, Incident
from tests.sources.pasted.test_properties import garbage

Judge = Callable[..., dict[str, Any]]

NEEDS_THE_MACHINE = frozenset({"R17", "R20", "R22", "R25", "R26", "R27", "R38"})
"""Rules that go by parameters, counters or limits, which no such text has."""
WITHOUT_SOCKETS = frozenset({"timewait-advice-001", "timewait-windows-002", "tw-reuse-clock-003"})
"""Notes about settings or counters alone."""


@pytest.fixture
def judge(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Judge:
    """What the command says of a text."""

    def run(text: str, *words: str) -> dict[str, Any]:
        path = tmp_path / "notes.txt"
        path.write_text(text, "utf-8", "surrogateescape")
        cli.main(["diagnose", "--lang", "en", "--from", str(path), "--format", "json", *words])
        written = capfd.readouterr()
        assert written.err == ""
        told: dict[str, Any] = json.loads(written.out)
        return told

    return run


def note(incident: Incident) -> str:
    """What stands in the note of an incident, as far as it is about sockets."""
    if not incident["states"] and incident["id"] in MADE_UP and not incident["peers"]:
        return transcripts.ss_listing(MADE_UP[incident["id"]](incident)[-1])
    parts = [transcripts.histogram(incident["states"])] if incident["states"] else []
    if incident["peers"] and "local" in incident["peers"][0]:
        parts.append(transcripts.listing({**row, "remote": row["peer"]} for row in incident["peers"]))
    elif incident["peers"]:
        parts.append(transcripts.peers(incident["peers"]))
    if incident.get("sockets"):
        parts.append(transcripts.listing(incident["sockets"]))
    return "\n".join(parts)


def rules(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The worst finding of each rule."""
    return {each["rule"]: each for each in reversed(told["findings"])}


@pytest.mark.parametrize("name", [name for name in INCIDENTS if name not in WITHOUT_SOCKETS])
def test_what_a_note_tells_is_found_and_what_it_cannot_tell_is_said(judge: Judge, name: str) -> None:
    incident = INCIDENTS[name]
    told = judge(note(incident))
    found, expected = rules(told), set(incident["expect_rules"])
    unchecked = {each["rule"]: each["reason"] for each in told["unchecked"]}
    assert expected - set(found) == expected & NEEDS_THE_MACHINE
    assert expected & NEEDS_THE_MACHINE <= {rule for rule, reason in unchecked.items() if "not known" in reason}
    assert set(found) <= expected | set(incident["may_also"])
    if "expect_severity" in incident:
        (rule,) = expected
        assert found[rule]["severity"] == SEVERITIES[incident["expect_severity"]].word
    if incident.get("healthy"):
        assert told["worst"] in (None, Severity.INFO.word)


@pytest.mark.parametrize("name", [name for name, each in INCIDENTS.items() if each["states"]])
def test_counts_are_at_most_possible_and_name_the_evidence_that_is_missing(judge: Judge, name: str) -> None:
    told = judge(note(INCIDENTS[name]))
    assert "text.counts" in {each["code"] for each in told["degraded"]}
    for finding in told["findings"]:
        assert finding["confidence"] == "possible", finding["rule"]
        assert finding["missing"], finding["rule"]
    assert (told["host"], told["kernel"], told["netns"], told["taken_at"]) == ("box", None, None, None)


def test_every_rule_is_checked_or_said_not_to_be(judge: Judge) -> None:
    told = judge(note(INCIDENTS["closewait-7729"]))
    assert set(told["checked"]) | {each["rule"] for each in told["unchecked"]} == {rule.id for rule in RULES}
    assert set(told["checked"]) & {each["rule"] for each in told["unchecked"]} == set()


# -- How much a listing tells ------------------------------------------------------------------------------------------

LEAK = (listener(8080, holder=JAVA), part(TcpState.CLOSE_WAIT, 40, peers=2, local_port=8080, holder=JAVA))


def leak(minutes: int, *others: Part) -> str:
    rows = part(TcpState.CLOSE_WAIT, 40, peers=2, local_port=8080, holder=JAVA, idle_ms=minutes * 60_000)
    return transcripts.ss_listing(at(0, LEAK[0], rows, *others, absent=NO_INFO - {"idle_ms"}))


def test_how_long_the_peer_was_silent_makes_a_leak_certain(judge: Judge) -> None:
    finding = rules(judge(leak(minutes=50)))["R01"]
    assert (finding["severity"], finding["confidence"], finding["missing"]) == ("warning", "certain", [])
    assert "java (900) does not close 40 connections" in finding["verdict"]
    assert "the oldest for 50m00s at least" in [each["text"] for each in finding["evidence"]]


def test_close_wait_that_has_just_come_is_no_leak(judge: Judge) -> None:
    assert judge(leak(minutes=0))["findings"] == []


def test_without_it_a_listing_names_what_may_be_forgotten_and_asks_for_it(judge: Judge) -> None:
    finding = rules(judge(transcripts.ss_listing(at(0, *LEAK))))["R01"]
    assert (finding["severity"], finding["confidence"]) == ("info", "possible")
    assert finding["verdict"] == "java (900) has 40 CLOSE_WAIT: forgotten, if they are there in a minute still"
    assert finding["missing"] == ["how long they have been so: ss -i tells how long their peers have been silent"]


def test_one_connection_by_netstat_is_named_with_its_peer(judge: Judge) -> None:
    finding = rules(judge(note(INCIDENTS["closewait-mysql-003"])))["R01"]
    assert (finding["severity"], finding["confidence"]) == ("info", "possible")
    assert "from 1 peer: 172.18.0.3 (1)" in [each["text"] for each in finding["evidence"]]
    assert "which process holds them: ss -tanp as root" in finding["missing"]


def test_a_filter_leaves_what_is_judged(judge: Judge) -> None:
    asking = part(TcpState.SYN_SENT, 9, local_port=None, remote_port=3306, timer=1, retransmits=3)
    text = leak(50, asking)
    assert set(rules(judge(text))) == {"R01", "R15"}
    assert set(rules(judge(text, "state", "syn-sent"))) == {"R15"}


# -- What is not told is nothing ---------------------------------------------------------------------------------------


def test_what_is_not_told_is_no_peer_of_its_own(judge: Judge) -> None:
    """A hundred are counted, sixty of them by peer: the other forty are not one peer with forty."""
    text = "60 LAST_ACK 10.0.0.1\n" + "".join(f"1 LAST_ACK 10.0.1.{number}\n" for number in range(30))
    told = judge(f"LAST_ACK 150\n{text}ESTABLISHED 90\n")
    assert "R35" not in rules(told)
    assert "ff::" not in json.dumps(told)


def test_nothing_is_said_of_peers_where_none_is_told(judge: Judge) -> None:
    told = judge(note(INCIDENTS["fw2-lb"]))
    assert [each["text"] for each in rules(told)["R06"]["evidence"]] == ["FIN_WAIT1 449, LAST_ACK 81, CLOSING 5"]


def test_a_peer_that_is_a_name_is_called_by_it(judge: Judge) -> None:
    told = judge("60 LAST_ACK x.x.x.6\n20 LAST_ACK x.x.x.7\n")
    finding = rules(told)["R35"]
    assert finding["verdict"] == "x.x.x.6 has 60 of 80 in LAST_ACK"
    assert {"view": "connections", "filter": "state last-ack and dst x.x.x.6"}.items() <= finding["evidence"][1].items()


def test_a_destination_without_a_port_is_called_by_its_address(judge: Judge) -> None:
    finding = rules(judge("30 SYN_SENT 10.0.0.9\n"))["R15"]
    assert finding["verdict"] == "10.0.0.9 does not answer: 30 connects wait for it"
    assert finding["evidence"][0]["filter"] == "state syn-sent and dst 10.0.0.9"


def test_where_listeners_are_left_out_nobody_is_told_to_open_connections(judge: Judge) -> None:
    """``ss -tn state time-wait`` on a server: nothing in it tells that the port is listened on."""
    waiting = part(TcpState.TIME_WAIT, 800, peers=80, local_port=443, timer=3, timer_ms=30_000)
    finding = rules(judge(transcripts.ss_listing(at(0, waiting))))["R18"]
    assert finding["confidence"] == "possible"
    assert finding["missing"] == ["which ports are listened on: ss -tan lists the listeners too"]
    assert rules(judge(transcripts.ss_listing(at(0, listener(), waiting))))["R18"]["confidence"] == "likely"


# -- Whatever is in the file -------------------------------------------------------------------------------------------


def test_a_messy_file_is_judged_as_far_as_it_goes_and_the_rest_is_counted(judge: Judge) -> None:
    """Three programs, headings in other languages, colours, datagrams, and a line in eleven that is broken."""
    rounds = 600
    told = judge("\n".join(transcripts.messy(rounds)))
    assert +Counter(told["states"]) == Counter(LAST_ACK=4 * rounds, TIME_WAIT=3 * rounds, ESTABLISHED=rounds)
    assert sum(told["states"].values()) == transcripts.ROWS_OF_A_ROUND * rounds
    said = {each["code"]: each["reason"] for each in told["degraded"]}
    unread = rounds * 5 // len(transcripts.BROKEN_LINES)
    assert said["text.unread"] == f"{unread} lines are not understood, and are left out: the first is line 4"
    assert said["text.stateless"].startswith(f"{rounds - unread} lines tell of sockets but not of their state")
    assert said["text.other_protocols"].startswith(f"{rounds} ")
    assert said["text.escapes"].startswith(f"{4 * rounds:,} ")
    finding = rules(told)["R06"]
    assert (finding["severity"], finding["confidence"]) == ("critical", "likely")
    assert f"{4 * rounds:,} connections wait for the acknowledgement of their FIN" in finding["verdict"]
    assert set(rules(told)) == {"R06", "R18"}


@settings(max_examples=60, deadline=None)
@given(st.lists(garbage | st.sampled_from(list(transcripts.messy(30))), max_size=60).map("\n".join))
def test_whatever_a_text_holds_it_is_judged_in_words_that_can_be_printed(text: str) -> None:
    try:
        source = PastedSource(io.BytesIO(text.encode("utf-8", "surrogatepass")), "notes.txt")
    except RequestError:
        return
    report = diagnose(source, None, Plan(0, 1))
    assert len(report.diagnosis.checked) + len(report.diagnosis.unchecked) == len(RULES)
    for line in to_text(report, 80).splitlines():
        assert line.isprintable()
    assert json.loads(to_json(report))["schema"]
    assert to_markdown(report)
