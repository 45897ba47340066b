"""Every network namespace of the machine in one sample: none missed, none mixed with another, none kept alive.

Other work on the machine makes namespaces too, so a test looks at its own among those that a sample has.
"""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from tcptui.errors import RequestError
from tcptui.kernel.namespaces import FoundNamespace, all_namespaces, namespace_path, run_in_each, run_in_namespace
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import Rows, identities_of
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.request import Request, request_for
from tcptui.query.syntax import NOTHING
from tcptui.sources.live import LISTED_EVERY_S, REFRESHED_EVERY_S, LiveSource
from tcptui.sources.names import machine_names
from tcptui.sources.place import HIGHEST_NUMBER, Neighbour, Roll, Wanted, lasting, summed
from tests.support.commands import run_command
from tests.support.lab import Lab
from tests.support.netns import NAME_PREFIX, RUN_DIRECTORY, NetworkNamespace
from tests.support.parking import Family
from tests.support.privileges import require_live
from tests.support.program import NOBODY
from tests.support.ss import ss_rows
from tests.support.waiting import wait_for

pytestmark = pytest.mark.live

FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
MANY = 500


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def __call__(self) -> float:
        return self.passed_s


class Watch:
    """A source of all namespaces whose list is made anew with each sample."""

    def __init__(self, reader: str = "auto", parameters: tuple[str, ...] = ()) -> None:
        self.clock = Clock()
        self.source = LiveSource(netns="all", reader=reader, parameters=parameters, clock=self.clock)

    def look(self, request: Request | None = None) -> Sample:
        self.clock.passed_s += LISTED_EVERY_S
        return self.source.sample(request) if request else self.source.sample()


@contextmanager
def watching(reader: str = "auto", parameters: tuple[str, ...] = ()) -> Iterator[Watch]:
    watch = Watch(reader, parameters)
    try:
        yield watch
    finally:
        watch.source.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    require_live()
    with watching() as made:
        yield made


def rows_of(sample: Sample, label: str) -> Rows:
    rows = sample.table.rows
    return rows[rows["netns"] == sample.namespaces.index(label)]


# -- Rows --------------------------------------------------------------------------------------------------------------


def hold_connections(namespace: NetworkNamespace, connections: int, held: ExitStack) -> None:
    """A listener on 127.0.0.1:8080, and both ends of connections to it from the same ports in every namespace."""
    with namespace.entered():
        listener = held.enter_context(socket.create_server(("127.0.0.1", 8080)))
        for number in range(connections):
            source = ("127.0.0.1", 40_000 + number)
            held.enter_context(socket.create_connection(("127.0.0.1", 8080), source_address=source))
            held.enter_context(listener.accept()[0])


@pytest.mark.parametrize("reader", ["netlink", "proc"])
def test_the_same_address_and_port_in_three_namespaces_are_never_mixed(reader: str) -> None:
    require_live()
    with ExitStack() as held:
        namespaces = [held.enter_context(NetworkNamespace(label)) for label in ("a", "b", "c")]
        sockets = held.enter_context(ExitStack())
        for connections, namespace in enumerate(namespaces, start=1):
            hold_connections(namespace, connections, sockets)
        with watching(reader) as watch:
            sample = watch.look()
        for connections, namespace in enumerate(namespaces, start=1):
            rows, said = rows_of(sample, namespace.name), ss_rows(namespace, "-e")
            assert len(rows) == 1 + 2 * connections
            ends = zip(rows["state"].tolist(), rows["local_port"].tolist(), rows["remote_port"].tolist(), strict=True)
            assert Counter(ends) == Counter((each.state, each.local_port, each.peer_port) for each in said)
            assert Counter(rows["inode"].tolist()) == Counter(each.inode for each in said)
            if reader == "netlink":
                assert set(rows["cookie"].tolist()) == {each.cookie for each in said}
    assert len(np.unique(identities_of(sample.table.rows))) == len(sample.table)
    assert sample.origin.netns == "all"
    assert sample.origin.options[:2] == ("-N", "all")
    assert sample.is_whole


def test_a_filter_finds_what_it_means_in_every_namespace(watch: Watch) -> None:
    with ExitStack() as held:
        namespaces = [held.enter_context(NetworkNamespace(label)) for label in ("a", "b")]
        sockets = held.enter_context(ExitStack())
        for connections, namespace in enumerate(namespaces, start=2):
            hold_connections(namespace, connections, sockets)
            with namespace.entered():
                sockets.enter_context(socket.create_server(("::", 9090), family=socket.AF_INET6))
        filter = parse_filter("sport = :40001 or sport = :9090")
        sample = watch.look(request_for(filter))
        assert not sample.is_whole
        for namespace in namespaces:
            rows = rows_of(sample, namespace.name)
            meant = rows[mask_of(filter.expression, rows, sample)]
            assert sorted(meant["local_port"].tolist()) == [9090, 40_001]
        assert set(rows_of(watch.look(Request(NOTHING)), namespace.name)["state"].tolist()) <= {TcpState.LISTEN}


def test_which_port_the_kernel_chose_goes_by_the_range_of_each_namespace(watch: Watch) -> None:
    with ExitStack() as held:
        namespaces = [held.enter_context(NetworkNamespace(label)) for label in ("a", "b")]
        namespaces[0].write_sysctl("net.ipv4.ip_local_port_range", "20000 20100")
        sockets = held.enter_context(ExitStack())
        for namespace in namespaces:
            with namespace.entered():
                listener = sockets.enter_context(socket.create_server(("127.0.0.1", 20_050)))
                sockets.enter_context(socket.create_connection(("127.0.0.1", 20_050)))
                sockets.enter_context(listener.accept()[0])
        filter = parse_filter("autobound")
        sample = watch.look(request_for(filter))
        for namespace in namespaces:
            rows = rows_of(sample, namespace.name)
            meant = rows[mask_of(filter.expression, rows, sample)]
            said = ss_rows(namespace, "autobound")
            assert Counter(meant["local_port"].tolist()) == Counter(each.local_port for each in said)


# -- Namespaces without sockets are not dumped -------------------------------------------------------------------------


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6, "mapped"])
@pytest.mark.parametrize("state", [state for state in TcpState if state is not TcpState.CLOSE])
def test_a_single_kind_of_socket_is_never_taken_for_none(
    lab: Lab, watch: Watch, state: TcpState, family: Family
) -> None:
    """The first look finds the namespace empty."""
    assert len(rows_of(watch.look(), lab.box.name)) == 0
    lab.park(state, 3, family=family)
    rows = rows_of(watch.look(), lab.box.name)
    assert Counter(map(TcpState, rows["state"].tolist())) == lab.expected()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_half_open_connections_that_their_listener_has_left_behind_are_seen(
    lab: Lab, watch: Watch, family: Family
) -> None:
    """No gauge of the kernel counts them."""
    lab.park(TcpState.SYN_RECV, 3, family=family)
    assert len(rows_of(watch.look(), lab.box.name)) == 4
    lab._listeners.close()
    left = watch.look(request_for(parse_filter("state syn-recv")))
    gauges = (lab.box.run("cat", "/proc/net/sockstat"), lab.box.run("cat", "/proc/net/sockstat6"))
    assert "TCP: inuse 0 " in gauges[0]
    assert "TCP6: inuse 0\n" in gauges[1]
    assert rows_of(left, lab.box.name)["state"].tolist() == [TcpState.SYN_RECV] * 3


# -- Namespaces come and go --------------------------------------------------------------------------------------------


def links_of(namespace: NetworkNamespace) -> set[str]:
    return {link["ifname"] for link in json.loads(namespace.ip("-json", "link", "show"))}


def test_a_namespace_that_ends_is_let_go_and_keeps_its_index(namespace: NetworkNamespace, watch: Watch) -> None:
    """One end of a veth pair is in it: the other goes when the kernel takes the namespace down, and not before."""
    ends, later = NetworkNamespace("ends"), NetworkNamespace("later")
    with ends:
        namespace.ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", ends.name)
        before = watch.look().namespaces
        assert {namespace.name, ends.name} <= set(before)
    assert "near" in links_of(namespace)
    sample = watch.look()
    assert sample.namespaces[before.index(ends.name)] == ""
    assert ends.name not in sample.namespaces
    wait_for(lambda: links_of(namespace), lambda seen: "near" not in seen, wanted="the namespace to be taken down")
    with later:
        after = watch.look().namespaces
    assert after.index(namespace.name) == before.index(namespace.name)
    assert after[before.index(ends.name)] == ""
    assert after.index(later.name) >= len(before)
    assert after[0] == "self"


def test_a_list_is_good_for_two_seconds(watch: Watch) -> None:
    watch.look()
    with NetworkNamespace("late") as late:
        assert late.name not in watch.source.sample().namespaces
        assert late.name in watch.look().namespaces


def test_counters_are_sums_that_do_not_fall_when_a_namespace_ends(watch: Watch) -> None:
    with NetworkNamespace("ends") as ends, ExitStack() as held:
        hold_connections(ends, 5, held)
        sample = watch.look()
        assert sample.counters["sockstat.TCP.inuse"] >= 11
        assert sample.counters["Tcp.ActiveOpens"] >= 5
        assert sample.counters["Tcp.CurrEstab"] >= 10
        held.close()
    after = watch.look()
    assert ends.name not in after.namespaces
    assert after.counters["Tcp.ActiveOpens"] >= sample.counters["Tcp.ActiveOpens"]
    source = LiveSource()
    here = source.sample().counters
    source.close()
    assert {name: after.counters[name] for name in ("Tcp.RtoMin", "Tcp.MaxConn")} == {
        name: here[name] for name in ("Tcp.RtoMin", "Tcp.MaxConn")
    }


def test_namespaces_that_come_and_go_do_not_disturb_a_sample(watch: Watch) -> None:
    require_live()
    names = [f"{NAME_PREFIX}brief-{os.getpid()}-{number}" for number in range(10)]
    lines = [f"netns {action} {name}" for _ in range(30) for action in ("add", "delete") for name in names]
    passing = subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE, text=True)
    assert passing.stdin is not None
    passing.stdin.write("\n".join(lines))
    passing.stdin.close()
    looks = 0
    while passing.poll() is None:
        assert watch.look().namespaces[0] == "self"
        looks += 1
    assert looks
    assert not set(names) & set(watch.look().namespaces)


# -- Labels ------------------------------------------------------------------------------------------------------------

SITTER = """
import socket, sys
with open("/proc/self/comm", "w") as comm:
    comm.write(sys.argv[1])
held = socket.create_server(("0.0.0.0", 8080))
print(flush=True)
sys.stdin.read()
"""


@contextmanager
def sitting(name: str) -> Iterator[int]:
    """The id of a process called ``name`` that is alone in a namespace without a name, in which it listens."""
    command = ["unshare", "--net", sys.executable, "-c", SITTER, name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield process.pid
    finally:
        process.communicate(timeout=60)


def test_a_namespace_without_a_name_is_called_after_its_lowest_process(watch: Watch) -> None:
    with sitting("web worker") as pid:
        label = f"pid {pid} web worker"
        assert rows_of(watch.look(), label)["local_port"].tolist() == [8080]
        run_command("ip", "netns", "attach", f"{NAME_PREFIX}{pid}", str(pid))
        try:
            named = watch.look()
        finally:
            run_command("ip", "netns", "delete", f"{NAME_PREFIX}{pid}")
        assert rows_of(named, f"{NAME_PREFIX}{pid}")["local_port"].tolist() == [8080]
        assert label in watch.look().namespaces
    assert label not in watch.look().namespaces


def test_a_process_cannot_write_to_the_terminal_with_its_name(watch: Watch) -> None:
    with sitting("\x1b[2Jx") as pid:
        assert f"pid {pid} \\x1b[2Jx" in watch.look().namespaces


def test_namespaces_that_are_called_the_same_are_told_apart_by_their_inode() -> None:
    roll = Roll(own_inode=1)
    found = [FoundNamespace(inode, f"/{inode}", (name,)) for inode, name in ((5, "web"), (6, "self"), (7, "web"))]
    for namespace in found:
        roll.enter(namespace, roll.free_number())
    roll.update(found)
    assert roll.labels == ["self", "web", "self 6", "web 7"]
    roll.forget(1)
    roll.update(found[1:])
    assert roll.labels == ["self", "", "self 6", "web"]
    assert (roll.ended(found[2:]), roll.unknown(found)) == ([2], found[:1])


def test_when_all_numbers_have_been_given_that_of_an_ended_namespace_is_given_again() -> None:
    roll = Roll(own_inode=0)
    for inode in range(1, HIGHEST_NUMBER + 1):
        roll.enter(FoundNamespace(inode, "", (str(inode),)), roll.free_number())
    roll.forget(812)
    assert roll.free_number() == 812
    roll.enter(FoundNamespace(70_000, "", ("new",)), 812)
    assert roll.labels[811:814] == ["811", "new", "813"]


def test_sums_leave_nothing_out_where_kernels_differ() -> None:
    assert summed([{"a": 1, "b": 2}, {"a": 3, "b": 4}, {"a": 5}, {}]) == {"a": 9, "b": 6}
    counters = {"Tcp.ActiveOpens": 7, "Tcp.CurrEstab": 2, "sockstat.TCP.inuse": 3, "TcpExt.ListenDrops": 1}
    assert lasting(counters) == {"Tcp.ActiveOpens": 7, "TcpExt.ListenDrops": 1}


# -- Parameters --------------------------------------------------------------------------------------------------------


def test_each_namespace_has_parameters_of_its_own() -> None:
    require_live()
    with NetworkNamespace("one") as one, NetworkNamespace("two") as two, watching(parameters=(FIN_TIMEOUT,)) as watch:
        one.write_sysctl(FIN_TIMEOUT, 17)
        sample = watch.look()

        def told(sample: Sample, label: str) -> str:
            return sample.namespace_parameters[sample.namespaces.index(label)][FIN_TIMEOUT]

        assert (told(sample, one.name), told(sample, two.name)) == ("17", two.read_sysctl(FIN_TIMEOUT)) != ("17", "17")
        assert sample.parameters == sample.namespace_parameters[0]
        assert sample.parameters[FIN_TIMEOUT] == Path("/proc/sys/net/ipv4/tcp_fin_timeout").read_text().strip()
        one.write_sysctl(FIN_TIMEOUT, 19)
        assert told(watch.source.sample(), one.name) == "17"
        watch.clock.passed_s += REFRESHED_EVERY_S
        wait_for(watch.source.sample, lambda seen: told(seen, one.name) == "19", wanted="each to have its turn")


def test_a_namespace_holds_few_descriptors_whatever_is_read_of_it(namespace: NetworkNamespace) -> None:
    names = ("net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.tcp_syn_retries")
    before = len(os.listdir("/proc/self/fd"))
    place = run_in_namespace(str(namespace.path), lambda: Neighbour(Wanted(parameters=names), 1))
    assert len(os.listdir("/proc/self/fd")) - before <= 6
    assert sorted(place.parameters([])) == sorted(names)
    place.close()
    assert len(os.listdir("/proc/self/fd")) == before


# -- What keeps us from seeing all -------------------------------------------------------------------------------------

LIMITED = f"""
import json, os, resource, socket, sys
from tcptui.sources.live import _DESCRIPTORS_EACH, _DESCRIPTORS_LEFT, LiveSource
if sys.argv[1] == "nobody":
    os.setgroups([])
    os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
else:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, _DESCRIPTORS_LEFT + 3 * _DESCRIPTORS_EACH))
own = socket.create_server(("127.0.0.1", 0))
source = LiveSource(netns="all", counters=False)
sample = source.sample()
open_places = sum(map(bool, sample.namespaces))
print(json.dumps([open_places, sample.table.rows["inode"].tolist(), os.fstat(own.fileno()).st_ino,
    [(each.code, each.reason, each.hint) for each in sample.degraded], resource.getrlimit(resource.RLIMIT_NOFILE)]))
"""


def limited_look(way: str) -> tuple[int, Sequence[int], int, list[list[str]], list[int]]:
    command = [sys.executable, "-c", LIMITED, way]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    places, inodes, own, degraded, limits = json.loads(done.stdout)
    return places, inodes, own, degraded, limits


def test_without_privileges_what_cannot_be_entered_is_said_once(namespace: NetworkNamespace) -> None:
    with namespace.entered():
        foreign = socket.create_server(("127.0.0.1", 0))
    with foreign:
        places, inodes, own, degraded, _ = limited_look("nobody")
        foreign_inode = os.fstat(foreign.fileno()).st_ino
    assert places == 1
    assert own in inodes
    assert foreign_inode not in inodes
    ((code, reason, hint),) = degraded
    assert (code, hint) == ("netns.partial", "run as root")
    assert "cannot be entered" in reason
    assert "not show their network namespaces" in reason


def test_where_descriptors_run_out_it_is_said_for_how_many() -> None:
    require_live()
    with ExitStack() as made:
        for number in range(4):
            made.enter_context(NetworkNamespace(f"n{number}"))
        places, inodes, own, degraded, limits = limited_look("root")
    assert 2 <= places <= 3
    assert own in inodes
    ((code, reason, hint),) = degraded
    assert code == "netns.partial"
    crowded_out = re.search(r"(\d+) network namespaces find no descriptor", reason)
    assert crowded_out is not None
    assert int(crowded_out[1]) >= 2
    assert hint == "raise the limit (ulimit -n)"
    assert limits[0] == limits[1]


def test_one_namespace_must_be_named_where_only_one_will_do() -> None:
    with pytest.raises(RequestError, match="name one"):
        namespace_path("all")


def test_a_device_in_a_filter_is_one_of_this_namespace() -> None:
    assert dict(machine_names("all").interfaces) == dict(machine_names().interfaces)


# -- Many --------------------------------------------------------------------------------------------------------------


@contextmanager
def many_namespaces(count: int) -> Iterator[list[str]]:
    """Names of ``count`` namespaces: one command makes 500 in 0.2 s."""
    prefix = f"{NAME_PREFIX}many-{os.getpid()}-{secrets.token_hex(4)}"
    names = [f"{prefix}-{number}" for number in range(count)]
    try:
        run_command("ip", "-batch", "-", stdin="".join(f"netns add {name}\n" for name in names))
        yield names
    finally:
        made = [name for name in names if (RUN_DIRECTORY / name).exists()]
        run_command("ip", "-batch", "-", stdin="".join(f"netns delete {name}\n" for name in made))


def listen_in(namespace: FoundNamespace) -> socket.socket:
    """A listener of IPv4 or of IPv6, by turns."""
    family, address = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))[namespace.inode % 2]  # noqa: S104
    return socket.create_server((address, 8080), family=family)


def test_five_hundred_namespaces_are_counted_right_and_cost_little() -> None:
    require_live()
    before = len(os.listdir("/proc/self/fd"))
    with many_namespaces(MANY) as names, ExitStack() as held:
        busy = [each for each in all_namespaces().namespaces if set(each.names) & set(names)][: MANY // 5]
        for listener in run_in_each(busy, listen_in):
            assert isinstance(listener, socket.socket)
            held.enter_context(listener)
        with watching() as watch:
            first = watch.look()
            assert set(names) <= set(first.namespaces)
            assert len(set(filter(None, first.namespaces))) == sum(map(bool, first.namespaces))
            samples = [watch.look() for _ in range(5)]
        cost = sorted(sample.cost.total_ms for sample in samples)[2]
        print(f"\n{MANY} namespaces, {len(busy)} with a socket: first {first.cost.total_ms:.0f} ms, then {cost:.1f} ms")
        for sample in (first, samples[-1]):
            ours = [sample.namespaces.index(name) for name in names]
            counts = np.bincount(sample.table.rows["netns"], minlength=len(sample.namespaces))
            assert counts[ours].sum() == len(busy)
            assert counts[[sample.namespaces.index(each.names[0]) for each in busy]].tolist() == [1] * len(busy)
    assert len(os.listdir("/proc/self/fd")) == before
