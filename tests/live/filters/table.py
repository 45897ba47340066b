"""Filters, each with what ss(8) is given for the same, or with a plain predicate where ss cannot say it.

Texts may have words of ``Scene.words`` in braces. ``ss`` 6.1 wants blanks around everything, words in lower case, and
states in front of all else.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

from tcptui.model.states import TcpState
from tests.live.filters.known import Address, Known

Predicate: TypeAlias = Callable[[Known], bool]
Extent: TypeAlias = Literal["some", "all", "none"]


@dataclass(frozen=True)
class Row:
    """One filter and who says what it means: ss, or a predicate."""

    ours: str
    ss: str | None = None
    holds: Predicate | None = None
    extent: Extent = "some"
    """How much of the scene's table it means, so that no row is about nothing by accident."""


SAVED = {
    "web": "dport = :443 or dport = :80",
    "slow": "retrans > 0",
    "both": "@web and not @slow",
}


def _in(network: str) -> Callable[[Address], bool]:
    parsed = ipaddress.ip_network(network)
    return lambda address: address.version == parsed.version and address in parsed


def _either_port(low: int, high: int) -> Predicate:
    return lambda row: any(low <= port <= high for port in row.ports)


def _named(name: str) -> Predicate:
    return lambda row: name in row.names


def _in_state(*states: TcpState) -> Predicate:
    return lambda row: row.state in states


def _localhost(hosts: str = "/etc/hosts") -> set[str]:
    """The addresses of localhost in the file of hosts."""
    lines = [line.partition("#")[0].split() for line in Path(hosts).read_text().splitlines()]
    return {words[0] for words in lines if "localhost" in words[1:]}


_ANY_STATES = (
    *("established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait"),
    *("close-wait", "last-ack", "listening", "closing"),
)
_PORT_SIGNS = ("=", "==", "eq", "", "!=", "ne", "neq", "<", "lt", "<=", "le", "leq", ">", "gt", ">=", "ge", "geq")

_in_10_78, _ipv4 = _in("10.78.0.0/16"), _in("0.0.0.0/0")

STATES = (
    *(Row(f"state {name}", f"state {name}") for name in (*_ANY_STATES, "connected", "synchronized", "bucket", "big")),
    Row("state all", "state all", extent="all"),
    *(Row(f"state {name}", f"state {name}", extent="none") for name in ("closed", "close", "unconnected")),
    *(Row(f"exclude {name}", f"exclude {name}") for name in ("time-wait", "listening", "connected", "bucket", "big")),
    Row("exclude closed", "exclude closed", extent="all"),
    # Where no state is left ss shows what it shows without options
    Row("exclude all", holds=lambda _row: False, extent="none"),
    Row("excl established", "excl established"),
    Row("state TIME-WAIT", "state TIME-WAIT"),
    Row("state established state time-wait", "state established state time-wait"),
    Row("state last-ack state closing state bucket", "state last-ack state closing state bucket"),
    Row("exclude listening exclude time-wait", "exclude listening exclude time-wait"),
    Row("state all exclude time-wait", "state all exclude time-wait"),
    Row("state connected exclude established exclude syn-sent", "state connected exclude established exclude syn-sent"),
    Row("exclude time-wait state time-wait", "exclude time-wait state time-wait", extent="all"),
    Row("state established state established", "state established state established"),
    Row("exclude established state all", "exclude established state all", extent="all"),
    Row("state established exclude established", holds=lambda _row: False, extent="none"),
    Row("state bucket exclude syn-recv state closing", "state bucket exclude syn-recv state closing"),
    Row("state established dport = :443", "state established dport = :443"),
    Row("state listening ( sport = :22 or sport = :80 )", "state listening ( sport = :22 or sport = :80 )"),
    Row("exclude time-wait ( dport = :443 or sport = :22 )", "exclude time-wait ( dport = :443 or sport = :22 )"),
    Row("state fin-wait-2 state time-wait sport = :22", "state fin-wait-2 state time-wait sport = :22"),
    Row("dport = :443 state established", "state established dport = :443"),
    Row("dport = :443 exclude established exclude syn-sent", "exclude established exclude syn-sent dport = :443"),
    Row("not state established", "exclude established"),
    Row("not exclude established", "state established"),
    Row("state established and state time-wait", extent="none", holds=lambda _row: False),
    Row("state established or state time-wait", "state established state time-wait"),
    Row("( state time-wait or state established ) dport = :443", "state established state time-wait dport = :443"),
    Row("state established | dport = :80", holds=lambda row: row.state.name == "ESTABLISHED" or row.remote_port == 80),
    Row(
        "state listen and sport < 1024 or state time-wait and dport = :443 or state close-wait",
        holds=lambda row: (
            (row.state is TcpState.LISTEN and row.local_port < 1024)
            or (row.state is TcpState.TIME_WAIT and row.remote_port == 443)
            or row.state is TcpState.CLOSE_WAIT
        ),
    ),
    Row(
        "state established and dport 443 or state listen and sport 22 or state fin-wait-1 and dst 10/8 or close-wait",
        holds=lambda row: {
            TcpState.ESTABLISHED: row.remote_port == 443,
            TcpState.LISTEN: row.local_port == 22,
            TcpState.FIN_WAIT1: True,
            TcpState.CLOSE_WAIT: True,
        }.get(row.state, False),
    ),
)
BARE_STATES = (
    *(Row(word, f"state {name}") for word, name in (("ESTAB", "established"), ("time_wait", "time-wait"))),
    *(Row(word, f"state {name}") for word, name in (("SYN_RCVD", "syn-recv"), ("FIN_WAIT_2", "fin-wait-2"))),
    Row("listen close-wait", "state listening state close-wait"),
    Row("fin-wait-2 | TIME-WAIT", "state fin-wait-2 state time-wait"),
    Row("!listen !time-wait", "exclude listening exclude time-wait"),
    Row("established dport 443", "state established dport = :443"),
)

PORTS = (
    *(
        Row(f"{word} {sign} {port}", f"{word} {sign} {port}")
        for word, port in (("sport", ":8000"), ("dport", "443"))
        for sign in _PORT_SIGNS
    ),
    Row("sport>=:8000", "sport >= :8000"),
    Row("dport=443", "dport = 443"),
    Row("dport!=:443", "dport != :443"),
    Row("DPORT EQ :443", "dport eq :443"),
    Row("sport = :ssh", "sport = :ssh"),
    Row("sport ssh", "sport ssh"),
    Row("dport = :http", "dport = :http"),
    Row("dport :https", "dport :https"),
    Row("sport lt https", "sport lt https"),
    Row("sport geq :ssh and sport leq :https", "sport geq :ssh and sport leq :https"),
    Row("dport = :0x1bb", "dport = :0x1bb"),
    Row("sport 0x16", "sport 0x16"),
    Row("dport = :0", "dport = :0"),
    Row("dport != 0", "dport != 0"),
    Row("sport = 0", "sport = 0", extent="none"),
    Row("dport < 0", "dport < 0", extent="none"),
    Row("dport > 65535", "dport > 65535", extent="none"),
    Row("dport <= 65535", "dport <= 65535", extent="all"),
    Row("sport >= 0", "sport >= 0", extent="all"),
    Row("sport = *", "sport = *", extent="all"),
    Row("sport = :*", "sport = :*", extent="all"),
    Row("dport = *:*", "dport = *:*", extent="all"),
    Row("dport = HTTPS", "dport = https"),
    # ss takes the whole of *:443 for "any port"
    Row("dport = *:443", holds=lambda row: row.remote_port == 443),
    Row("dport = inet:443", "dport = inet:443"),
    Row("dport inet6::443", "dport inet6::443"),
    Row("sport = inet6:22", "sport = inet6:22"),
    # For ss a family that is named anywhere is the family of the whole filter
    Row("dport != inet:443", holds=lambda row: not (row.family == 4 and row.remote_port == 443)),
    Row("port 443", "( sport = :443 or dport = :443 )"),
    Row("port != 443", "sport != :443 dport != :443"),
    Row("port < 1024", "( sport < :1024 or dport < :1024 )"),
    Row("port 8000-8100", "( sport >= 8000 sport <= 8100 ) or ( dport >= 8000 dport <= 8100 )"),
    Row("sport 8000-8100", "sport >= :8000 sport <= :8100"),
    Row("sport != 8000-8100", "( sport < :8000 or sport > :8100 )"),
    Row("dport = :22-443", "dport >= :22 dport <= :443"),
)
BARE_PORTS = (
    Row(":443", "( sport = :443 or dport = :443 )"),
    Row("443", "( sport = :443 or dport = :443 )"),
    Row(":ssh", "( sport = :ssh or dport = :ssh )"),
    Row("8000-8100", holds=_either_port(8000, 8100)),
    Row(":8000-8100", holds=_either_port(8000, 8100)),
    Row("0x16", "( sport = :22 or dport = :22 )"),
    Row("!:443", "sport != :443 dport != :443"),
    Row(":22 or :443", "sport = :22 or dport = :22 or sport = :443 or dport = :443"),
)

ADDRESSES = (
    Row("dst 10.78.0.0/16", "dst 10.78.0.0/16"),
    Row("dst = 10.78.0.0/16", "dst = 10.78.0.0/16"),
    Row("dst == 10.78.0.0/16", "dst == 10.78.0.0/16"),
    Row("dst eq 10.78.0.0/16", "dst eq 10.78.0.0/16"),
    Row("dst 10.78/16", "dst 10.78/16"),
    Row("dst 10/8", "dst 10/8"),
    Row("src 10.0.0.0/255.0.0.0", "src 10.0.0.0/255.0.0.0"),
    Row("src 10.77.0.1", "src 10.77.0.1"),
    Row("src 10.77.0.1:22", "src 10.77.0.1:22"),
    Row("src 10/8:ssh", "src 10/8:ssh"),
    Row("dst 10.78.0.0/16:443", "dst 10.78.0.0/16:443"),
    Row("dst 10.78.0.0/16:https", "dst 10.78.0.0/16:https"),
    Row("dst 10/8:*", "dst 10/8:*"),
    Row("src 10.77.0.1/255.255.0.0:22", "src 10.77.0.1/255.255.0.0:22"),
    Row("src [10.77.0.1]:22", "src [10.77.0.1]:22"),
    Row("dst [10.78.0.0/16]", "dst [10.78.0.0/16]"),
    Row("src inet:[10.77.0.1]", "src inet:[10.77.0.1]"),
    Row("src [fd00:77::1]:*", "src [fd00:77::1]:*"),
    Row("src [fd00:77::1]:ssh", "src [fd00:77::1]:ssh"),
    Row("src 0/0", "src 0/0"),
    Row("dst {peer}", "dst {peer}"),
    Row("dst {peer}/24", "dst {peer}/24"),
    Row("dst {peer}:443", "dst {peer}:443"),
    Row("dst {peer}:80", "dst {peer}:80", extent="none"),
    Row("src *", "src *", extent="all"),
    Row("src *:*", "src *:*", extent="all"),
    Row("src *:22", "src *:22"),
    Row("src :22", "src :22"),
    Row("src = :22", "src = :22"),
    Row("dst :https", "dst :https"),
    Row("src inet:*", "src inet:*"),
    Row("src inet6:*", "src inet6:*"),
    Row("src inet:10.77.0.1", "src inet:10.77.0.1"),
    Row("dst inet:10/8:443", "dst inet:10/8:443"),
    Row("dst inet6:*:443", "dst inet6:*:443"),
    Row("src inet6:[fd00:77::1]:22", "src inet6:[fd00:77::1]:22"),
    Row("src [fd00:77::1]", "src [fd00:77::1]"),
    Row("src [fd00:77::1]:22", "src [fd00:77::1]:22"),
    Row("dst [fd00:78::/64]", "dst [fd00:78::/64]"),
    Row("dst [fd00:78::/64]:443", "dst [fd00:78::/64]:443"),
    Row("dst [fd00::/8]:https", "dst [fd00::/8]:https"),
    Row("src [::1]", "src [::1]"),
    Row("src [::1/128]:{worker}", "src [::1/128]:{worker}"),
    Row("src 0.0.0.0/0", "src 0.0.0.0/0"),
    # ss compares no bit with an IPv6 address either, and takes it for a member
    Row("not src 0.0.0.0/0", holds=lambda row: not _ipv4(row.local)),
    Row("src 0.0.0.0", "src 0.0.0.0"),
    Row("src 127.0.0.1", "src 127.0.0.1"),
    Row("not dst 10.78/16", "not dst 10.78/16"),
    Row("! src [fd00:77::1]:22", "! src [fd00:77::1]:22"),
    # A name stands for what /etc/hosts has of it, where ss may ask others too
    Row("src localhost", holds=lambda row: str(row.local) in _localhost()),
    Row("dst localhost:{worker}", holds=lambda row: str(row.remote) in _localhost() and row.remote_port == 8088),
    # For ss a family that is named anywhere is the family of the whole filter
    Row(
        "src inet6:* or dport = :80",
        holds=lambda row: row.family == 6 or row.remote_port == 80,
    ),
    Row("not src inet:10/8", holds=lambda row: not (row.family == 4 and _in("10.0.0.0/8")(row.local))),
    # A mapped address is the IPv4 address that it is; for ss it is in [::/0] too, and [::ffff:…] has no plain one
    Row("dst [::/0]", holds=lambda row: not _ipv4(row.remote)),
    Row("not dst [::/0]", holds=lambda row: _ipv4(row.remote)),
    Row("src [::/8]", holds=lambda row: _in("::/8")(row.local)),
    Row("src [::]", holds=lambda row: str(row.local) == "::"),
    Row("dst [::/0]:443", holds=lambda row: row.remote.version == 6 and row.remote_port == 443),
    Row("src [::ffff:10.77.0.1]", "src 10.77.0.1"),
    Row("src [::ffff:10.77.0.1]:22", "src 10.77.0.1:22"),
    Row("dst [::ffff:10.78.0.0/112]", "dst 10.78.0.0/16"),
    Row("dst != 10.78/16", "not dst 10.78/16"),
    Row("src neq [fd00:77::1]:22", "not src [fd00:77::1]:22"),
    Row("dst fd00:78::/64", "dst [fd00:78::/64]"),
    Row("dst [fd00:78::]/64", "dst [fd00:78::/64]"),
    Row("src 10.77.0.1:22-443", "src 10.77.0.1 sport >= :22 sport <= :443"),
    Row("src 10.77.0.1:0-65535", "src 10.77.0.1"),
    Row("ip != [::/0]", holds=lambda row: all(map(_ipv4, row.ends))),
    Row("ip 0.0.0.0/0 :443", holds=lambda row: any(map(_ipv4, row.ends)) and 443 in row.ports),
    Row("ip 10.78.0.0/16", "( src 10.78.0.0/16 or dst 10.78.0.0/16 )"),
    Row("ip != 10.77.0.1", "not src 10.77.0.1 not dst 10.77.0.1"),
    Row("ip [fd00:77::1]:22", "( src [fd00:77::1]:22 or dst [fd00:77::1]:22 )"),
)
BARE_ADDRESSES = (
    Row("10.77.0.1", "( src 10.77.0.1 or dst 10.77.0.1 )"),
    Row("10.78.0.0/16", "( src 10.78.0.0/16 or dst 10.78.0.0/16 )"),
    Row("10.78/16", holds=lambda row: any(map(_in_10_78, row.ends))),
    Row("10.77.0.1:22", "( src 10.77.0.1:22 or dst 10.77.0.1:22 )"),
    Row("127.0.0.1:{worker}", holds=lambda row: str(row.local) == "127.0.0.1" and 8088 in row.ports),
    Row("::1", holds=lambda row: "::1" in map(str, row.ends)),
    Row("[::1]:{worker}", "( src [::1]:{worker} or dst [::1]:{worker} )"),
    Row("[fd00:78::/64]", "( src [fd00:78::/64] or dst [fd00:78::/64] )"),
    Row("fd00::/8", holds=lambda row: any(map(_in("fd00::/8"), row.ends))),
    Row("!10/8", holds=lambda row: not any(map(_in("10.0.0.0/8"), row.ends))),
)

BEYOND_ADDRESSES = (
    *(Row(f"dev {sign} veth0", f"dev {sign} veth0") for sign in ("", "=", "==", "eq", "!=", "ne", "neq")),
    Row("dev {cable}", "dev {cable}"),
    Row("dev != {cable}", "dev != {cable}"),
    Row("dev lo", "dev lo"),
    Row("dev veth0 or dev lo", "dev veth0 or dev lo"),
    Row("not dev veth0 dport = :443", "not dev veth0 dport = :443"),
    Row("dev veth0 state established dst [fd00::/8]", "state established dev veth0 dst [fd00::/8]"),
    Row("dev 0", holds=lambda row: not row.device),
    Row("fwmark 42", "fwmark 42"),
    Row("fwmark = 0x2a", "fwmark = 0x2a"),
    Row("fwmark == 42", "fwmark == 42"),
    Row("fwmark eq 0xffffffff", "fwmark eq 0xffffffff"),
    Row("fwmark != 42", "fwmark != 42"),
    Row("fwmark = 0x01/0x03", "fwmark = 0x01/0x03"),
    Row("fwmark ne 0x01/0x03", "fwmark ne 0x01/0x03"),
    Row("fwmark 0/0x1", "fwmark 0/0x1"),
    Row("fwmark 0", "fwmark 0"),
    Row("not fwmark 0", holds=lambda row: row.mark != 0),
    # A mark that has bits outside its own mask: ss compares with nothing, here they do not count
    Row("fwmark 0x105/0xff", holds=lambda row: row.mark & 0xFF == 5, extent="none"),
    Row("autobound", "autobound"),
    Row("autobound dport = :443", "autobound dport = :443"),
    Row("autobound or sport = :22", "autobound or sport = :22"),
    Row("state established autobound", "state established autobound"),
    # The opposite; ss has the kernel and itself deny it, each by its own half of the rule, and leaves out the rest
    Row("! autobound", holds=lambda row: not row.is_autobound),
    Row("dport = :443 or not autobound", holds=lambda row: row.remote_port == 443 or not row.is_autobound),
    Row("not ( autobound dport = :443 )", holds=lambda row: not (row.is_autobound and row.remote_port == 443)),
    Row("cgroup {cgroup}", "cgroup {cgroup}"),
    Row("cgroup = {cgroup}", "cgroup = {cgroup}"),
    Row("cgroup != {cgroup}", "cgroup != {cgroup}"),
    Row("cgroup {parent}/web.service sport = :{worker}", "cgroup {cgroup} sport = :{worker}"),
    Row("cgroup /{parent}", "cgroup /{parent}", extent="none"),
    # Paths begin where the tree does; ss looks in the whole file system first
    Row("cgroup /", holds=lambda row: row.cgroup == "/"),
    Row("cgroup != /", holds=lambda row: row.cgroup != "/"),
    Row("cgroup /sys/fs/cgroup{cgroup}", "cgroup {cgroup}"),
    Row(
        "cgroup {cgroup} or sport = :22", holds=lambda row: row.cgroup.endswith("/web.service") or row.local_port == 22
    ),
    Row("service web.service", holds=lambda row: row.service.endswith("/web.service")),
    Row("service web", holds=lambda row: row.service.endswith("/web.service")),
    Row("service WEB*", holds=lambda row: row.service.endswith("/web.service")),
    Row("service {parent}", holds=lambda row: row.service.endswith("/web.service")),
    Row("service != web.service", holds=lambda row: not row.service.endswith("/web.service")),
    Row('service "web.s?rvice"', holds=lambda row: row.service.endswith("/web.service")),
)

STRUCTURE = (
    *(
        Row(f"dport = :443 {joint} dst 10/8", f"dport = :443 {joint} dst 10/8")
        for joint in ("and", "&", "&&", "", "or", "|", "||")
    ),
    *(Row(f"{sign} dport = :443", f"{sign} dport = :443") for sign in ("not", "!", "not not", "! !", "not !")),
    # "and" binds closer, as ss(8) has it; ss itself joins from the left to the right
    Row("sport = :22 or dport = :443 and dst [fd00::/8]", "sport = :22 or ( dport = :443 and dst [fd00::/8] )"),
    Row("dport = :443 and dst [fd00::/8] or sport = :22", "dport = :443 and dst [fd00::/8] or sport = :22"),
    Row("sport = :22 | dport = :443 & dst [fd00::/8]", "sport = :22 | ( dport = :443 & dst [fd00::/8] )"),
    Row("sport = :22 || dport = :443 dst [fd00::/8]", "sport = :22 || ( dport = :443 dst [fd00::/8] )"),
    Row("( sport = :22 or dport = :443 ) dst [fd00::/8]", "( sport = :22 or dport = :443 ) dst [fd00::/8]"),
    Row("not sport = :22 or dport = :443", "not sport = :22 or dport = :443"),
    Row("not ( sport = :22 or dport = :443 )", "not ( sport = :22 or dport = :443 )"),
    Row("not ( dport = :443 and dst 10/8 )", "not ( dport = :443 and dst 10/8 )"),
    Row("( ( ( dport = :443 ) ) )", "( ( ( dport = :443 ) ) )"),
    Row("( dport = :443 ) ( dst 10/8 )", "( dport = :443 ) ( dst 10/8 )"),
    Row("! ( not ( dport = :443 ) )", "! ( not ( dport = :443 ) )"),
    Row("dst 10/8 ! dport = :443", "dst 10/8 ! dport = :443"),
    Row("dst 10/8 not dport = :443 not sport = :22", "dst 10/8 not dport = :443 not sport = :22"),
    Row(
        "( dst 10/8 and not ( dport = :443 or sport = :22 ) ) or ( src [::1] and ! dport = :{worker} )",
        "( dst 10/8 and not ( dport = :443 or sport = :22 ) ) or ( src [::1] and ! dport = :{worker} )",
    ),
    Row("dport = :443 dport = :443", "dport = :443 dport = :443"),
    Row("dport = :443 and sport = :443", "dport = :443 and sport = :443", extent="none"),
    Row("dport = :443 and not dport = :443", "dport = :443 and not dport = :443", extent="none"),
    Row("sport=:22||dport=:443&&!dst 10/8", "sport = :22 || ( dport = :443 && ! dst 10/8 )"),
    Row("(dport=443|dport=80)dst 10/8", "( dport = 443 | dport = 80 ) dst 10/8"),
    Row("Sport = :22 OR Dport = :443 AND NOT DST 10/8", "sport = :22 or ( dport = :443 and not dst 10/8 )"),
    Row(
        "not time-wait and not ( :443 or :22 )",
        "exclude time-wait not ( ( sport = 443 or dport = 443 ) or src :22 or dst :22 )",
    ),
    Row("\t dport = :443\n or  dport = :80 ", "dport = :443 or dport = :80"),
)

PROCESSES = (
    Row("pid {pid}", holds=_named("web worker")),
    Row("pid = {pid}", holds=_named("web worker")),
    Row("pid != {pid}", holds=lambda row: "web worker" not in row.names),
    Row("pid >= {pid} pid < {next_pid}", holds=_named("web worker")),
    Row("pid > 0", holds=lambda row: bool(row.holders)),
    Row("process crawler", holds=_named("crawler")),
    Row('process "web worker"', holds=_named("web worker")),
    Row("process CRAWL*", holds=_named("crawler")),
    Row("process c?awler", holds=_named("crawler")),
    Row("process crawl", holds=_named("crawl"), extent="none"),
    Row("process != crawler", holds=lambda row: "crawler" not in row.names),
    Row("crawler", holds=_named("crawler")),
    Row('"web worker"', holds=_named("web worker")),
    Row("crawl* :9090", holds=lambda row: "crawler" in row.names and 9090 in row.ports),
    Row("not crawler listen", holds=lambda row: "crawler" not in row.names and row.state is TcpState.LISTEN),
    Row('crawler or "web worker"', holds=lambda row: bool({"crawler", "web worker"} & row.names)),
    Row("user nobody", holds=lambda row: row.uid == 65534),
    Row("user 65534", holds=lambda row: row.uid == 65534),
    Row("user root", holds=lambda row: row.uid == 0 and not row.is_mini),
    Row("user != nobody", holds=lambda row: row.uid != 65534),
)

AMOUNTS = (
    Row("recvq > 0", holds=lambda row: row.recv_q > 0),
    Row("recvq>=5000", holds=lambda row: row.recv_q >= 5000),
    Row("recvq > 4k", holds=lambda row: row.recv_q > 4096),
    Row("recvq 100", holds=lambda row: row.recv_q == 100),
    Row("recvq != 0", holds=lambda row: row.recv_q != 0),
    Row("recvq < 1", holds=lambda row: row.recv_q == 0),
    Row("sendq > 0", holds=lambda row: row.send_q > 0),
    Row("sendq gt 64k", holds=lambda row: row.send_q > 65536),
    Row("sendq <= 700b", holds=lambda row: row.send_q <= 700),
    Row("sendq > 0 established", holds=lambda row: row.send_q > 0 and row.state is TcpState.ESTABLISHED),
    Row("sendq > 1t", holds=lambda _row: False, extent="none"),
    Row("sendq = 128 or recvq = 1", holds=lambda row: row.send_q == 128 or row.recv_q == 1),
    Row("retrans > 0", holds=lambda row: row.retransmits > 0),
    Row("retrans != 0 timer on", holds=lambda row: row.retransmits != 0 and row.timer == "on"),
    Row("retrans = 0", holds=lambda row: row.retransmits == 0),
    Row("timer off", holds=lambda row: row.timer == "off"),
    *(Row(f"timer {name}", holds=lambda row, name=name: row.timer == name) for name in ("on", "keepalive", "persist")),  # type: ignore[misc]
    Row("timer = timewait", holds=lambda row: row.timer == "timewait"),
    Row("timer != off", holds=lambda row: row.timer != "off"),
    Row("not timer keepalive dport = :6020", holds=lambda _row: False, extent="none"),
    Row("inode {inode}", holds=lambda row: row.local_port == 8088 and row.state is TcpState.LISTEN and row.family == 4),
    Row("inode 0", holds=lambda row: row.inode == 0),
    Row("inode > 0 dport = :443", holds=lambda row: row.inode > 0 and row.remote_port == 443),
)

SAVED_ONES = (
    Row("@web", "dport = :443 or dport = :80"),
    Row("@web dst 10/8", "( dport = :443 or dport = :80 ) dst 10/8"),
    Row("not @web", "not ( dport = :443 or dport = :80 )"),
    Row("@slow", holds=lambda row: row.retransmits > 0),
    Row("@both", holds=lambda row: row.remote_port in (80, 443) and row.retransmits == 0),
)

TABLE = (
    *STATES,
    *BARE_STATES,
    *PORTS,
    *BARE_PORTS,
    *ADDRESSES,
    *BARE_ADDRESSES,
    *BEYOND_ADDRESSES,
    *STRUCTURE,
    *PROCESSES,
    *AMOUNTS,
    *SAVED_ONES,
)

EVERY_ROW = pytest.mark.parametrize("row", [pytest.param(row, id=" ".join(row.ours.split())) for row in TABLE])
