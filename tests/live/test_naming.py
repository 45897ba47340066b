"""Who stands behind each row, on real sockets: named as ``ss -p`` names, remembered, or with the reason why not."""

import contextlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcptui.analysis.grouping import build_grid
from tcptui.model.fields import FIELDS, ViewKind
from tcptui.model.owners import NAMED, REASONS, Standing
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.view import View
from tcptui.sources.live import LiveSource
from tests.support.cgroups import new_cgroup
from tests.support.commands import run_command
from tests.support.holder import holding
from tests.support.lab import Lab
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live
from tests.support.program import NOBODY, run_inside
from tests.support.waiting import wait_for

pytestmark = pytest.mark.live

CLIENT = """
import socket, sys, time
port, count, in_turn = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "brief"
with open("/proc/self/comm", "w") as comm:
    comm.write(sys.argv[4])
def connect():
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client
held = [] if in_turn else [connect() for _ in range(count)]
print("open", flush=True)
sys.stdin.readline()
if in_turn:
    for _ in range(count // 50):
        batch = [connect() for _ in range(50)]
        time.sleep(0.005)
        for each in batch:
            each.close()
for each in held:
    each.close()
print("closed", flush=True)
sys.stdin.readline()
"""
"""Connects and closes: all at once with a line from us in between, or fifty at a time that live for 5 ms."""

SERVER = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096)
print("listening", flush=True)
while True:
    peer, _ = server.accept()
    while peer.recv(4096):
        pass
    peer.close()
"""
"""Accepts one after the other and closes when the other end has."""

_USERS = re.compile(r'\("([^"]*)",pid=(\d+),fd=\d+\)')

Named = dict[int, set[tuple[int, str]]]
"""Pid and name of each holder, by the socket's cookie."""


class Watcher:
    """A monitor that is fed by hand: each sample, then a look for the holders, as the poller does."""

    def __init__(self, source: LiveSource, kind: ViewKind = ViewKind.CONNECTIONS) -> None:
        self._source = source
        self._monitor = Monitor(View(kind))

    def watch(self) -> Sample:
        """One more sample, with what is known of it then."""
        sample = self._source.sample()
        self._monitor.accept(sample)
        whereabouts = self._source.look(sample.table.rows)
        assert whereabouts is not None
        self._monitor.learn(whereabouts)
        shown = self._monitor.shown
        assert shown is not None
        return shown.sample


@contextlib.contextmanager
def watching(netns: str, *, destroyed: bool = False) -> Iterator[Watcher]:
    source = LiveSource(netns=netns, destroyed=destroyed)
    try:
        yield Watcher(source)
    finally:
        source.close()


@contextlib.contextmanager
def running(namespace: NetworkNamespace, program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = namespace.argv(sys.executable, "-c", program, *arguments)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def named_by_ss(namespace: NetworkNamespace) -> Named:
    found: Named = {}
    for line in run_command("ss", "-N", namespace.name, "-tanHpe").splitlines():
        cookie = re.search(r"\bsk:([0-9a-f]+)", line)
        assert cookie is not None
        users = {(int(pid), name) for name, pid in _USERS.findall(line)}
        if users:
            found[int(cookie[1], 16)] = users
    return found


def named_by_us(sample: Sample, netns: str, standing: Standing = Standing.HELD) -> Named:
    attribution = sample.attribution
    assert attribution is not None
    rows = sample.table.rows
    chosen = (rows["netns"] == sample.namespaces.index(netns)) & (attribution.standing == standing)
    found: Named = {}
    for cookie, code in zip(rows["cookie"][chosen].tolist(), attribution.codes[chosen].tolist(), strict=True):
        assert code >= 0
        found[cookie] = {(process.pid, process.name) for process in attribution.groups[code]}
    return found


def standings(sample: Sample, state: TcpState | None = None) -> Counter[Standing]:
    attribution = sample.attribution
    assert attribution is not None
    mask = slice(None) if state is None else sample.table.rows["state"] == state
    return Counter(Standing(each) for each in attribution.standing[mask].tolist())


def test_every_row_that_ss_names_is_named_alike_and_every_other_has_a_reason(lab: Lab, tmp_path: Path) -> None:
    """Three namespaces with equal addresses, four processes, three users, a cgroup, sockets in all states."""
    for state in (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT, TcpState.TIME_WAIT, TcpState.FIN_WAIT1, TcpState.SYN_RECV):
        lab.park(state, 3)
    with (
        new_cgroup(tmp_path, "web.service") as cgroup,
        NetworkNamespace("two") as two,
        NetworkNamespace("three") as three,
        holding(two, "web worker", "127.0.0.1:8080", "::1:8080", uid=33, prepare=cgroup.take_in),
        holding(two, "other", "127.0.0.1:9090", uid=1234),
        holding(three, "web worker", "127.0.0.1:8080", uid=0),
        watching("all") as watcher,
    ):
        sample = watcher.watch()
        for namespace in (lab.box, lab.peer, two, three):
            assert named_by_us(sample, namespace.name) == named_by_ss(namespace)
        attribution = sample.attribution
        assert attribution is not None
        unnamed = attribution.codes < 0
        assert {Standing(each) for each in attribution.standing[unnamed].tolist()} <= REASONS.keys()
        assert {Standing(each) for each in attribution.standing[~unnamed].tolist()} <= NAMED
        grid = build_grid(sample, ViewKind.CONNECTIONS, None)
        assert all(grid.human(row, FIELDS["process"]) for row in grid.members.tolist())
        services = build_grid(sample, ViewKind.SERVICES, None)
        assert "web.service" in services.texts["service"]
        users = {process.uid for group in attribution.groups for process in group if process.name == "other"}
        assert users == {1234}


def test_closed_connections_keep_the_name_of_who_had_them_also_when_it_has_ended(namespace: NetworkNamespace) -> None:
    """2,000 at once; the server's ends are gone, the client's wait in TIME_WAIT."""
    with (
        running(namespace, SERVER, "7100") as server,
        watching(namespace.name) as watcher,
    ):
        hear(server)
        with running(namespace, CLIENT, "7100", "2000", "together", "closing client") as client:
            assert hear(client) == "open"
            held = named_by_us(watcher.watch(), namespace.name)
            mine = {cookie for cookie, users in held.items() if (client.pid, "closing client") in users}
            assert len(mine) == 2000
            say(client, "close")
            assert hear(client) == "closed"
            watcher.watch()
        wait_for(lambda: Path(f"/proc/{client.pid}").exists(), lambda there: not there, wanted="the client gone")
        sample = watcher.watch()
        remembered = named_by_us(sample, namespace.name, Standing.REMEMBERED)
        left = mine & set(sample.table.rows["cookie"].tolist())
        assert len(left) > 1500, "a TIME_WAIT can be reset"
        assert {cookie for cookie, users in remembered.items() if users == {(client.pid, "closing client")}} == left
        grid = build_grid(sample, ViewKind.PROCESSES, None)
        rows = {grid.human(row, FIELDS["process"]): grid.human(row, FIELDS["total"]) for row in grid.members.tolist()}
        assert rows["closing client (exited)"] == f"{len(left):,}"


def test_brief_connections_are_counted_although_no_sample_shows_them(namespace: NetworkNamespace) -> None:
    """1,000 between two samples: the client's ends are in TIME_WAIT, the server's in no sample at all."""
    with (
        running(namespace, SERVER, "7200") as server,
        running(namespace, CLIENT, "7200", "1000", "brief", "brief client") as client,
        watching(namespace.name, destroyed=True) as watcher,
    ):
        hear(server)
        hear(client)
        watcher.watch()
        say(client, "go")
        assert hear(client) == "closed"
        wait_for(
            lambda: run_command("ss", "-N", namespace.name, "-tanH", "state", "close-wait", "state", "last-ack"),
            lambda text: not text,
            wanted="the server's ends closed",
        )
        sample = watcher.watch()
        assert sample.destroyed is not None
        assert sample.destroyed.is_complete
        brief, left = sample.destroyed.rows, standings(sample, TcpState.TIME_WAIT)
        assert len(brief[brief["local_port"] == 7200]) == 1000
        assert left == {Standing.BRIEF: len(sample.table) - 1}
        assert len(brief) + left.total() == 2000, "a TIME_WAIT that was reset meanwhile is among the brief"


def test_without_privileges_own_processes_are_named_and_others_have_the_reason(namespace: NetworkNamespace) -> None:
    require_live()
    with (
        holding(namespace, "mine", "127.0.0.1:8001", uid=NOBODY),
        holding(namespace, "another's", "127.0.0.1:8002", uid=1234),
    ):
        run = run_inside(namespace, "snapshot", "--view", "connections", "--format", "json", user="nobody")
        rows = run.document["rows"]
        by_port = {
            port: {row["process"] for row in rows if port in (row["local_port"], row["remote_port"])}
            for port in (8001, 8002)
        }
        assert by_port == {8001: {"mine"}, 8002: {"(other user)"}}
        assert "owners.partial" in {each["code"] for each in run.document["degraded"]}
        for view in ("processes", "services", "listeners", "namespaces"):
            shown = run_inside(namespace, "snapshot", "--view", view, user="nobody")
            assert shown.exit_code == 0
            assert "! " in shown.output
