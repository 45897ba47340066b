"""Live values for tests."""

from collections.abc import Mapping

from tcptui.explain.answers import explanation
from tcptui.explain.circumstances import Circumstances
from tcptui.explain.explanation import Explanation
from tcptui.explain.knowledge import load
from tcptui.model.states import TcpState

SPECIAL = {
    "net.ipv4.tcp_ehash_entries": "262144",
    "net.ipv4.tcp_max_tw_buckets": "131072",
    "net.ipv4.tcp_max_orphans": "131072",
    "net.ipv4.tcp_max_syn_backlog": "2048",
    "net.ipv4.tcp_mem": "287901 383868 575802",
    "net.ipv4.tcp_rmem": "4096 131072 33554432",
    "net.ipv4.tcp_wmem": "4096 16384 4194304",
    "fs.file-max": "2466177",
    "fs.file-nr": "383 0 2466177",
    "net.netfilter.nf_conntrack_max": "262144",
    "net.netfilter.nf_conntrack_buckets": "262144",
    "net.netfilter.nf_conntrack_count": "0",
}
"""What a machine with 24 GiB says where there is no fixed default."""


def machine(changes: Mapping[str, str] | None = None, without: tuple[str, ...] = (), /, **short: str) -> dict[str, str]:
    """The parameters of a machine with every default; ``short`` changes net.ipv4 names."""
    entries = load().parameters
    live = {name: entry.default for name, entry in entries.items() if entry.default is not None and not entry.removed}
    live |= SPECIAL | dict(changes or {}) | {f"net.ipv4.{name}": value for name, value in short.items()}
    return {name: value for name, value in live.items() if name not in without}


def explained(topic: TcpState | str, live: Mapping[str, str], language: str = "en") -> Explanation:
    """What there is to say about a topic where the parameters are ``live`` and nothing else is known."""
    name = topic.name if isinstance(topic, TcpState) else topic
    return explanation(name, Circumstances(parameters=live), language)
