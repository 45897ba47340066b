"""Finding what a person means, and what can be asked."""

import pytest

from tcptui.errors import ExitCode, RequestError
from tcptui.explain.entries import STATE_NAMES
from tcptui.explain.knowledge import load
from tcptui.explain.topics import OVERVIEW_NAMES, complete_topic, find_topic, parameter_names, topic_names, topics
from tcptui.language import LANGUAGES
from tcptui.model.states import TcpState
from tests.explain.support import explained, machine


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("TIME_WAIT", "TIME_WAIT"),
        ("time-wait", "TIME_WAIT"),
        ("timewait", "TIME_WAIT"),
        ("FIN_WAIT_2", "FIN_WAIT2"),
        ("estab", "ESTABLISHED"),
        ("SYN_RCVD", "SYN_RECV"),
        ("LISTENING", "LISTEN"),
        ("BOUND_INACTIVE", "BOUND_INACTIVE"),
        ("bound inactive", "BOUND_INACTIVE"),
        ("NEW_SYN_RECV", "NEW_SYN_RECV"),
        ("newsynrecv", "SYN_RECV"),
        ("closed", "CLOSE"),
    ],
)
def test_states_in_any_spelling(text: str, state: str) -> None:
    assert find_topic(text) == state


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
        assert find_topic(name) == name


def test_every_entry_is_a_topic() -> None:
    knowledge = load()
    kinds = (knowledge.parameters, knowledge.counters, knowledge.options, knowledge.columns, knowledge.myths)
    assert set(topic_names()) == {*STATE_NAMES, *OVERVIEW_NAMES, *(name for entries in kinds for name in entries)}
    for language in LANGUAGES:
        assert [topic.name for topic in topics(language)] == list(topic_names())
        assert all(topic.summary for topic in topics(language))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ListenOverflows", "TcpExt.ListenOverflows"),
        ("listenoverflows", "TcpExt.ListenOverflows"),
        ("TcpExt.ListenOverflows", "TcpExt.ListenOverflows"),
        ("TcpExtListenOverflows", "TcpExt.ListenOverflows"),
        ("CurrEstab", "Tcp.CurrEstab"),
        ("sockstat TCP orphan", "sockstat.TCP.orphan"),
        ("so_linger", "SO_LINGER"),
        ("SO-LINGER", "SO_LINGER"),
        ("tcp_user_timeout", "TCP_USER_TIMEOUT"),
        ("listen() backlog", "listen_backlog"),
        ("Recv-Q", "recv_queue_bytes"),
        ("recv_queue_bytes", "recv_queue_bytes"),
        ("machine", "machine"),
        ("state machine", "machine"),
        ("myths", "myths"),
        ("parameters", "parameters"),
    ],
)
def test_everything_else_by_the_names_that_people_use(text: str, name: str) -> None:
    assert find_topic(text) == name


def test_completion_offers_states_and_short_names() -> None:
    assert complete_topic("fin-w") == ["FIN_WAIT1", "FIN_WAIT2"]
    assert complete_topic("tcp_keepalive") == ["tcp_keepalive_time", "tcp_keepalive_probes", "tcp_keepalive_intvl"]
    assert complete_topic("net.core.so") == ["net.core.somaxconn"]
    assert complete_topic("zzz") == []


def test_every_name_to_read_is_a_plain_dotted_path() -> None:
    for name in parameter_names():
        assert name.split(".")[0] in {"net", "fs"}
        assert all(part and part.replace("_", "").replace("-", "").isalnum() for part in name.split("."))


@pytest.mark.parametrize("topic", [name for name in topic_names() if name != "machine"])
def test_reading_only_the_names_of_a_topic_gives_the_same_explanation(topic: str) -> None:
    everything = machine(tcp_rto_max_ms="5000", tcp_orphan_retries="3")
    needed = {name: everything[name] for name in parameter_names(topic) if name in everything}
    if needed or topic in TcpState.__members__:
        assert explained(topic, needed) == explained(topic, everything)
