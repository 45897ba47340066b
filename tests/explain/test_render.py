"""Explanations as lines, text, Markdown and JSON."""

import json
import re

import pytest

from tcptui.explain.explanation import Explanation
from tcptui.explain.render import (
    to_dict,
    to_gist,
    to_lines,
    to_markdown,
    to_text,
    topic_list_text,
)
from tcptui.explain.topics import find_topic, topic_names, topics
from tcptui.model.states import TcpState
from tcptui.text import cell_count
from tests.explain.support import explained, machine

ENTRIES = [name for name in topic_names() if name != "machine"]
"""Every topic that is told in sentences; the state machine is drawn."""

MACHINES = {
    "defaults": machine(),
    "nothing read": {},
    "changed": machine(
        tcp_fin_timeout="75",
        tcp_orphan_retries="255",
        tcp_retries2="255",
        tcp_syn_retries="127",
        tcp_synack_retries="255",
        tcp_syncookies="0",
        tcp_abort_on_overflow="1",
        tcp_tw_reuse="1",
        tcp_timestamps="0",
        tcp_rto_max_ms="5000",
        tcp_rto_min_us="1000",
        tcp_keepalive_time="2147483",
        ip_local_reserved_ports=",".join(str(port) for port in range(30000, 30400, 2)),
    ),
    "old kernel": machine(
        {},
        (
            "net.ipv4.tcp_rto_max_ms",
            "net.ipv4.tcp_rto_min_us",
            "net.ipv4.tcp_syn_linear_timeouts",
            "net.ipv4.tcp_tw_reuse_delay",
            "net.ipv4.tcp_max_orphans",
            "net.ipv4.tcp_mem",
        ),
    ),
}


def explain(topic: str, live: dict[str, str]) -> Explanation:
    return explained(find_topic(topic), live)


@pytest.mark.parametrize("live", MACHINES.values(), ids=MACHINES)
@pytest.mark.parametrize("width", [34, 36, 50, 80, 120])
def test_no_line_is_wider_than_asked_for(live: dict[str, str], width: int) -> None:
    for topic in ENTRIES:
        for line in to_lines(explain(topic, live), width):
            assert cell_count(line.text) <= width, (topic, line.text)
            assert line.text == line.text.rstrip()
            assert line.label_end <= len(line.text)


@pytest.mark.parametrize("state", TcpState)
@pytest.mark.parametrize("width", [58, 78, 118])
def test_the_gist_is_two_lines_that_say_what_it_is(state: TcpState, width: int) -> None:
    explanation = explained(state, machine())
    lines = to_gist(explanation, width)
    assert 1 <= len(lines) <= 2
    assert all(cell_count(line) <= width for line in lines)
    assert " ".join(lines).startswith(explanation.short[0])


def test_a_wide_terminal_gets_an_aligned_table() -> None:
    text = to_text(explained(TcpState.FIN_WAIT2, machine(tcp_fin_timeout="75")), 80)
    head = next(line for line in text.splitlines() if line.strip().startswith("parameter"))
    row = next(line for line in text.splitlines() if line.startswith("  tcp_fin_timeout "))
    assert head.split() == ["parameter", "now", "default", "scope"]
    assert row.split() == ["tcp_fin_timeout", "75", "s", "60", "namespace", "changed"]
    assert [row.index("75"), row.index("60"), row.index("namespace")] == [head.index(w) for w in head.split()[1:]]


def test_a_narrow_panel_gets_name_and_value() -> None:
    text = to_text(explained(TcpState.FIN_WAIT2, machine(tcp_fin_timeout="75")), 40)
    assert "  tcp_fin_timeout\n    75 s, changed (default 60)\n" in text
    assert "  tcp_keepalive_probes 9 (default)\n" in text


def test_a_missing_value_is_never_blank() -> None:
    for width in (40, 80):
        text = to_text(explained(TcpState.TIME_WAIT, {}), width)
        assert "removed in Linux 4.12" in text
        assert "not read" in text
        assert not re.search(r"^  tcp_\w+$\n^\S", text, re.MULTILINE)


def test_a_changed_parameter_has_its_own_kind() -> None:
    for width in (40, 80):
        lines = to_lines(explained(TcpState.FIN_WAIT2, machine(tcp_fin_timeout="75")), width)
        changed = [line.text.split()[0] for line in lines if line.kind == "changed"]
        assert changed[0] == "tcp_fin_timeout"


def test_short_labels_lead_their_line_and_long_ones_stand_alone() -> None:
    lines = to_lines(explained(TcpState.CLOSE_WAIT, machine()), 80)
    lead = next(line for line in lines if line.text.startswith("  Recv-Q 0:"))
    assert lead.text[: lead.label_end] == "  Recv-Q 0"
    alone = next(line for line in lines if line.text.startswith("  SO_KEEPALIVE, after"))
    assert alone.label_end == len(alone.text)


def test_hostile_values_reach_no_output() -> None:
    live = machine(tcp_fin_timeout="60\x1b[31m|<b>\u202e")
    explanation = explained(TcpState.FIN_WAIT2, live)
    for text in (to_text(explanation), to_markdown(explanation), json.dumps(to_dict(explanation), ensure_ascii=False)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    row = next(line for line in to_markdown(explanation).splitlines() if "tcp_fin_timeout`" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 6
    assert "<b>" not in row


@pytest.mark.parametrize("topic", ENTRIES)
def test_markdown_has_a_heading_for_each_section(topic: str) -> None:
    explanation = explain(topic, machine())
    text = to_markdown(explanation)
    assert text.partition("\n\n")[0].replace("\\", "") == f"# {explanation.title}"
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        section.heading for section in explanation.sections
    ]


def test_json_is_versioned_and_complete() -> None:
    explanation = explained(TcpState.FIN_WAIT2, machine(tcp_fin_timeout="75"))
    content = json.loads(json.dumps(to_dict(explanation)))
    assert content["schema"] == "tcptui.explain/1"
    assert (content["topic"], content["kind"], content["language"]) == ("FIN_WAIT2", "state", "en")
    assert [section["key"] for section in content["sections"]] == [section.key for section in explanation.sections]
    governs = next(section for section in content["sections"] if section["key"] == "governs")
    assert governs["parameters"][0] == {
        "name": "net.ipv4.tcp_fin_timeout",
        "live": "75",
        "why_missing": "",
        "default": "60",
        "default_text": "",
        "unit": "s",
        "differs_from_default": True,
        "scope": "namespace",
        "role": "governs",
        "note": "closed sockets only",
        "in_use": None,
        "read_only": False,
        "on_disk": None,
    }


def test_the_list_of_topics_names_them_all() -> None:
    text = topic_list_text(topics(), 40)
    assert all(cell_count(line) <= 40 for line in text.splitlines())
    assert {name for name in topic_names() if len(name) < 38} <= set(text.split())
