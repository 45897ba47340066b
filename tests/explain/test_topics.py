"""Finding what a person means, and what can be asked."""

import pytest

from tcptui.errors import ExitCode, RequestError
from tcptui.explain.answers import parameter_explanation, state_explanation
from tcptui.explain.knowledge import load
from tcptui.explain.topics import complete_topic, find_topic, parameter_names, topic_names, topics
from tcptui.model.states import TcpState
from tests.explain.support import machine


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("TIME_WAIT", TcpState.TIME_WAIT),
        ("time-wait", TcpState.TIME_WAIT),
        ("timewait", TcpState.TIME_WAIT),
        ("FIN_WAIT_2", TcpState.FIN_WAIT2),
        ("estab", TcpState.ESTABLISHED),
        ("SYN_RCVD", TcpState.SYN_RECV),
        ("LISTENING", TcpState.LISTEN),
        ("BOUND_INACTIVE", TcpState.CLOSE),
        ("bound-inactive", TcpState.CLOSE),
    ],
)
def test_states_in_any_spelling(text: str, state: TcpState) -> None:
    assert find_topic(text) is state


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tcp_fin_timeout", "net.ipv4.tcp_fin_timeout"),
        ("net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_fin_timeout"),
        ("net/ipv4/tcp_fin_timeout", "net.ipv4.tcp_fin_timeout"),
        ("/proc/sys/net/ipv4/tcp_fin_timeout", "net.ipv4.tcp_fin_timeout"),
        ("TCP_FIN_TIMEOUT", "net.ipv4.tcp_fin_timeout"),
        ("tcp-fin-timeout", "net.ipv4.tcp_fin_timeout"),
        (" somaxconn ", "net.core.somaxconn"),
        ("fs.file-max", "fs.file-max"),
        ("file_max", "fs.file-max"),
        ("ip_conntrack_max", "net.netfilter.nf_conntrack_max"),
        (
            "net.ipv4.netfilter.ip_conntrack_tcp_timeout_last_ack",
            "net.netfilter.nf_conntrack_tcp_timeout_last_ack",
        ),
        ("tcp_tw_recycle", "net.ipv4.tcp_tw_recycle"),
    ],
)
def test_parameters_by_full_and_short_name(text: str, name: str) -> None:
    assert find_topic(text) == name


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("TIME_WIAT", "did you mean TIME_WAIT?"),
        ("tcp_fin_timout", "did you mean tcp_fin_timeout?"),
        ("net.ipv4.tcp_fin_timout", "did you mean net.ipv4.tcp_fin_timeout?"),
        ("fin_timeout", "did you mean tcp_fin_timeout?"),
        ("closewai", "did you mean CLOSE_WAIT?"),
        ("zzzz", "'tcptui explain' lists what is known"),
        ("", "'tcptui explain' lists what is known"),
    ],
)
def test_a_misspelling_gets_the_nearest_name(text: str, hint: str) -> None:
    with pytest.raises(RequestError) as caught:
        find_topic(text)
    assert caught.value.hint == hint
    assert repr(text) in caught.value.message
    assert caught.value.exit_code is ExitCode.REQUEST


def test_every_topic_name_is_found_as_itself() -> None:
    for name in topic_names():
        found = find_topic(name)
        assert (found.name if isinstance(found, TcpState) else found) == name


def test_every_state_and_parameter_is_a_topic() -> None:
    assert set(topic_names()) == {state.name for state in TcpState} | set(load().parameters)
    assert [topic.name for topic in topics()] == list(topic_names())
    assert all(topic.summary for topic in topics())


def test_completion_offers_states_and_short_names() -> None:
    assert complete_topic("fin-w") == ["FIN_WAIT1", "FIN_WAIT2"]
    assert complete_topic("tcp_keepalive") == ["tcp_keepalive_time", "tcp_keepalive_probes", "tcp_keepalive_intvl"]
    assert complete_topic("net.core.so") == ["net.core.somaxconn"]
    assert complete_topic("zzz") == []


def test_every_name_to_read_is_a_plain_dotted_path() -> None:
    for name in parameter_names():
        assert name.split(".")[0] in {"net", "fs"}
        assert all(part and part.replace("_", "").replace("-", "").isalnum() for part in name.split("."))


@pytest.mark.parametrize("topic", topic_names())
def test_reading_only_the_names_of_a_topic_gives_the_same_explanation(topic: str) -> None:
    everything = machine(tcp_rto_max_ms="5000", tcp_orphan_retries="3")
    needed = {name: everything[name] for name in parameter_names(topic) if name in everything}
    found = find_topic(topic)
    if isinstance(found, TcpState):
        assert state_explanation(found, needed) == state_explanation(found, everything)
    elif needed:
        assert parameter_explanation(found, needed) == parameter_explanation(found, everything)
