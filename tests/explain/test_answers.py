"""What a person reads about a state or parameter, with the values of a machine in it."""

import pytest

from tcptui.explain.explanation import Explanation, ParameterLine
from tcptui.explain.knowledge import load
from tcptui.explain.voice import format_seconds
from tcptui.model.states import TcpState
from tests.explain.support import explained, machine


def text_of(explanation: Explanation, key: str = "") -> str:
    """All that is said, or what is said in one section."""
    return " ".join(
        f"{line.label} {line.text}"
        for section in explanation.sections
        if section.key == key or not key
        for line in section.lines
    )


def parameter(explanation: Explanation, short_name: str) -> ParameterLine:
    return next(line for line in explanation.parameters if line.short_name == short_name)


# -- lifetimes, live ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING])
@pytest.mark.parametrize(
    ("retries", "said"),
    [
        ("0", "about 107 s (tcp_orphan_retries = 0 counts as 8)"),
        ("1", "about 1.7 s (tcp_orphan_retries = 1)"),
        ("2", "about 3.3 s (tcp_orphan_retries = 2)"),
        ("3", "about 6.7 s (tcp_orphan_retries = 3)"),
        ("7", "about 53 s (tcp_orphan_retries = 7)"),
    ],
)
def test_an_orphan_gives_up_after_the_live_number_of_retries(state: TcpState, retries: str, said: str) -> None:
    explanation = explained(state, machine(tcp_orphan_retries=retries))
    assert said in text_of(explanation, "ends")
    assert parameter(explanation, "tcp_orphan_retries").live == retries


@pytest.mark.parametrize(
    ("timeout", "said"),
    [
        ("5", "T = 5: about 5 s."),
        ("60", "T = 60: about 60 s."),
        ("62", "T = 62: about 4 s — above 60 s the law is 2·(T−60)"),
        ("65", "T = 65: about 10 s — above 60 s the law is 2·(T−60)"),
        ("75", "T = 75: about 30 s — above 60 s the law is 2·(T−60)"),
        ("90", "T = 90: about 60 s — above 60 s the law is 2·(T−60)"),
        ("120", "T = 120: about 120 s — above 60 s the law is 2·(T−60)"),
        ("0", "T = 0: about 0.7 s."),
    ],
)
def test_closed_fin_wait2_lives_by_the_live_fin_timeout(timeout: str, said: str) -> None:
    live = machine(tcp_fin_timeout=timeout)
    assert said in text_of(explained(TcpState.FIN_WAIT2, live), "ends")
    assert said in text_of(explained("net.ipv4.tcp_fin_timeout", live), "now")


def test_fin_wait2_tells_closed_from_half_closed() -> None:
    closed, half_closed = explained(TcpState.FIN_WAIT2, machine()).sections[2].lines
    assert "about 60 s" in closed.text
    assert "No limit" in half_closed.text


@pytest.mark.parametrize("timeout", ["5", "60", "120"])
def test_time_wait_is_a_constant_whatever_fin_timeout_says(timeout: str) -> None:
    explanation = explained(TcpState.TIME_WAIT, machine(tcp_fin_timeout=timeout))
    assert "60 s, a constant of the kernel" in text_of(explanation, "ends")
    assert "tcp_fin_timeout does not apply" in text_of(explanation, "ends")
    assert parameter(explanation, "tcp_fin_timeout").role == "no effect here"
    assert f"about {timeout} s" not in text_of(explanation)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "only on loopback addresses (tcp_tw_reuse = 2)"),
        ({"tcp_tw_reuse": "1"}, "(tcp_tw_reuse = 1)"),
        ({"tcp_tw_reuse": "0"}, "never takes over a port in TIME_WAIT"),
        ({"tcp_tw_reuse": "1", "tcp_timestamps": "0"}, "does nothing here, because tcp_timestamps = 0"),
        ({"tcp_tw_reuse": "1", "tcp_tw_reuse_delay": "250"}, "in TIME_WAIT after 0.2 s"),
    ],
)
def test_time_wait_says_what_tw_reuse_does_here(changes: dict[str, str], said: str) -> None:
    assert said in text_of(explained(TcpState.TIME_WAIT, machine(**changes)), "ends")


def test_syn_sent_says_when_connect_gives_up() -> None:
    assert "about 131 s; SYNs sent again until then: 10" in text_of(explained(TcpState.SYN_SENT, machine()), "ends")
    shorter = explained(TcpState.SYN_SENT, machine(tcp_syn_retries="2"))
    assert "about 7 s; SYNs sent again until then: 5" in text_of(shorter, "ends")


def test_an_older_kernel_has_no_linear_timeouts() -> None:
    older = machine({}, ("net.ipv4.tcp_syn_linear_timeouts",))
    explanation = explained(TcpState.SYN_SENT, older)
    assert "about 127 s; SYNs sent again until then: 6, each wait twice" in text_of(explanation, "ends")
    line = parameter(explanation, "tcp_syn_linear_timeouts")
    assert line.live is None
    assert line.why_missing == "not on this kernel (since about Linux 6.5)"


def test_syn_recv_says_when_it_is_dropped_and_how_many_there_can_be() -> None:
    explanation = explained(TcpState.SYN_RECV, machine())
    assert "about 63 s" in text_of(explanation, "ends")
    assert "backlog + 1" in text_of(explanation, "limits")
    assert parameter(explanation, "tcp_max_syn_backlog").role == "no effect here"


def test_the_syn_backlog_matters_only_without_cookies() -> None:
    explanation = explained(TcpState.SYN_RECV, machine(tcp_syncookies="0", tcp_max_syn_backlog="128"))
    assert "97 from peers" in text_of(explanation, "limits")
    assert parameter(explanation, "tcp_max_syn_backlog").role == "governs"
    assert parameter(explanation, "tcp_max_syn_backlog").note == "only while tcp_syncookies = 0"


def test_established_says_what_ends_idle_unacknowledged_and_zero_window() -> None:
    ends = explained(TcpState.ESTABLISHED, machine(tcp_retries2="5", tcp_keepalive_time="600")).section("ends")
    assert ends is not None
    idle, unacknowledged, zero_window = ends.lines
    assert "SO_KEEPALIVE" in idle.text
    assert "1,275 s (21 min)" in idle.text
    assert "about 13 s" in unacknowledged.text
    assert "tcp_retries2 = 5" in unacknowledged.text
    assert "never before 12 s" in unacknowledged.text  # 12.6 s, rounded down
    assert "No limit" in zero_window.text


def test_close_wait_offers_no_parameter_and_reads_the_queue() -> None:
    explanation = explained(TcpState.CLOSE_WAIT, machine())
    assert explanation.section("governs") is None
    assert all(line.role == "no effect here" for line in explanation.parameters)
    queues = text_of(explanation, "queues")
    assert all(case in queues for case in ("Recv-Q 0", "Recv-Q 1", "Recv-Q above 1", "inode 0"))
    assert "close()" in text_of(explanation, "actor")


def test_a_zero_window_orphan_is_not_shortened_by_orphan_retries() -> None:
    explanation = explained(TcpState.FIN_WAIT1, machine(tcp_orphan_retries="2"))
    assert "about 342 s (6 min) after the window closed" in text_of(explanation, "ends")


# -- live values and what stands in for them ---------------------------------------------------------------------------


def test_a_changed_value_is_marked() -> None:
    line = parameter(explained(TcpState.FIN_WAIT2, machine(tcp_fin_timeout="75")), "tcp_fin_timeout")
    assert (line.live, line.default, line.unit, line.differs_from_default) == ("75", "60", "s", True)


def test_blanks_of_proc_do_not_make_a_value_differ() -> None:
    live = machine(ip_local_port_range="32768\t60999\n")
    line = parameter(explained(TcpState.TIME_WAIT, live), "ip_local_port_range")
    assert (line.live, line.differs_from_default) == ("32768 60999", False)


def test_a_default_that_depends_on_the_machine_is_computed_from_the_hash_table() -> None:
    line = parameter(explained(TcpState.TIME_WAIT, machine(tcp_max_tw_buckets="5000")), "tcp_max_tw_buckets")
    assert (line.default, line.differs_from_default) == ("131072", True)
    child = machine(tcp_ehash_entries="-262144")
    line = parameter(explained(TcpState.TIME_WAIT, child), "tcp_max_tw_buckets")
    assert (line.default, line.differs_from_default) == ("131072", False)


def test_a_default_that_cannot_be_computed_is_not_compared() -> None:
    live = machine({}, ("net.ipv4.tcp_ehash_entries",))
    line = parameter(explained(TcpState.TIME_WAIT, live), "tcp_max_tw_buckets")
    assert (line.default, line.differs_from_default) == ("varies", None)
    assert line.default_text == "half of tcp_ehash_entries, at most 262144"


def test_nothing_read_means_defaults_and_says_so() -> None:
    explanation = explained(TcpState.FIN_WAIT1, {})
    assert "about 107 s (tcp_orphan_retries = 0 counts as 8)" in text_of(explanation, "ends")
    assert "kernel default is assumed: tcp_orphan_retries" in text_of(explanation, "ends")
    line = parameter(explanation, "tcp_orphan_retries")
    assert (line.live, line.why_missing, line.default, line.differs_from_default) == (None, "not read", "0", None)


def test_one_unreadable_parameter_means_its_default_and_says_so() -> None:
    explanation = explained(TcpState.SYN_RECV, machine({}, ("net.ipv4.tcp_synack_retries",)))
    assert "about 63 s" in text_of(explanation, "ends")
    assert "kernel default is assumed: tcp_synack_retries." in text_of(explanation, "ends")
    assert parameter(explanation, "tcp_synack_retries").why_missing == "not readable"


def test_nothing_is_assumed_where_all_was_read() -> None:
    for state in TcpState:
        assert "assumed" not in text_of(explained(state, machine()))


@pytest.mark.parametrize("garbage", ["", "  ", "many", "\x1b[2J"])
def test_a_value_that_is_no_number_does_not_break_a_sentence(garbage: str) -> None:
    explanation = explained(TcpState.FIN_WAIT2, machine(tcp_fin_timeout=garbage))
    assert "\x1b" not in repr(explanation).replace("\\\\x1b", "")
    assert "half-closed by shutdown(SHUT_WR)" in text_of(explanation, "ends")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("net.ipv4.tcp_tw_recycle", "removed in Linux 4.12"),
        ("net.netfilter.nf_conntrack_tcp_timeout_time_wait", "nf_conntrack is not loaded"),
        ("net.ipv4.tcp_tw_reuse_delay", "not on this kernel (since Linux 6.14)"),
        ("net.ipv4.tcp_rfc1337", "not readable"),
    ],
)
def test_a_missing_value_has_a_reason(name: str, why: str) -> None:
    explanation = explained(TcpState.TIME_WAIT, machine({}, (name,)))
    line = next(line for line in explanation.parameters if line.name == name)
    assert (line.live, line.why_missing) == (None, why)


def test_a_machine_wide_value_is_hidden_in_a_child_namespace() -> None:
    explanation = explained(TcpState.FIN_WAIT1, machine({}, ("net.ipv4.tcp_max_orphans",)))
    assert parameter(explanation, "tcp_max_orphans").why_missing == "not visible in this namespace"


def test_a_modifier_has_a_line_only_when_it_was_changed() -> None:
    names = [line.short_name for line in explained(TcpState.FIN_WAIT1, machine()).parameters]
    assert "tcp_rto_max_ms" not in names
    changed = explained(TcpState.FIN_WAIT1, machine(tcp_rto_max_ms="5000"))
    assert parameter(changed, "tcp_rto_max_ms").role == "governs"
    assert "about 12 s" in text_of(changed, "ends")


def test_no_parameter_is_listed_twice() -> None:
    for state in TcpState:
        names = [line.name for line in explained(state, machine()).parameters]
        assert len(names) == len(set(names))


# -- parameters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", load().parameters)
def test_every_parameter_is_explained(name: str) -> None:
    explanation = explained(name, machine())
    assert explanation.title == name
    assert explanation.summary
    assert explanation.section("value")
    assert explanation.section("not_does")


def test_fin_timeout_says_where_it_matters_and_where_not() -> None:
    states = text_of(explained("net.ipv4.tcp_fin_timeout", machine()), "states")
    governs, unrelated = states.split("has no effect on")
    assert governs.split() == ["matters", "to", "FIN_WAIT2"]
    assert "TIME_WAIT" in unrelated
    assert "FIN_WAIT1" in unrelated


def test_a_removed_parameter_has_neither_value_nor_default() -> None:
    value = text_of(explained("net.ipv4.tcp_tw_recycle", machine()), "value")
    assert "removed in Linux 4.12" in value
    assert "default" not in value


def test_a_parameter_without_effect_says_so() -> None:
    assert "ignores the value" in text_of(explained("net.ipv4.tcp_fack", machine()), "value")


def test_a_renamed_parameter_names_its_dead_name() -> None:
    value = text_of(explained("net.netfilter.nf_conntrack_max", machine()), "value")
    assert "old name net.ipv4.ip_conntrack_max: gone" in value


def test_a_law_without_a_number_says_that_it_is_unknown() -> None:
    now = text_of(explained("net.ipv4.tcp_mem", machine({}, ("net.ipv4.tcp_mem",))), "now")
    assert now.strip() == "Not readable here, so the number is unknown: tcp_mem."


def test_memory_is_told_in_mebibytes() -> None:
    assert "Above 1,499 MiB" in text_of(explained("net.ipv4.tcp_mem", machine()), "now")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.73, "0.7 s"),
        (5.0, "5 s"),
        (6.67, "6.7 s"),
        (9.97, "10 s"),
        (106.75, "107 s"),
        (299.0, "299 s"),
        (342.0, "342 s (6 min)"),
        (933.5, "934 s (16 min)"),
        (7200.0, "7,200 s (2 h)"),
        (7875.0, "7,875 s (2 h 11 min)"),
    ],
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert format_seconds(seconds, load().labels) == text
