"""What goes wrong with real sockets, each time after a healthy twin of it that must stay silent.

Times are shortened by thresholds; nothing else is.
"""

import contextlib
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from tcptui.diagnosis.finding import Finding, Severity
from tcptui.diagnosis.thresholds import Thresholds
from tcptui.explain.topics import parameter_names
from tcptui.headless.diagnose import Watch
from tcptui.model.states import TcpState
from tcptui.sources.live import LiveSource
from tests.diagnosis.scenes import fired
from tests.support.lab import Lab
from tests.support.parking import begin_all, open_listener, open_sockets
from tests.support.veth import BOX_INET
from tests.support.waiting import wait_for

pytestmark = pytest.mark.live

S = TcpState
SOON = Thresholds(
    {
        "R01.old": 0.2,
        "R04.least": 40,
        "R04.late": 0.3,
        "R05.old": 0.2,
        "R07.least": 5,
        "R28.still": 0.3,
        "R30.still": 0.3,
        "R31.silent": 0.3,
    }
)
DEAD_NETWORK = "10.78.128.0/17"
"""Addresses of the peer that nobody uses but those that are dead."""
_IP_HEADER, _TCP_HEADER = struct.Struct(">BBHHHBBH4s4s"), struct.Struct(">HHIIBBHHH")


class Doctor:
    """Watches the lab's box."""

    def __init__(self, lab: Lab) -> None:
        self._source = LiveSource(netns=str(lab.box.path), parameters=parameter_names())
        self._watch = Watch(self._source, thresholds=SOON)
        self._watch.look()

    def findings(self) -> dict[str, Finding]:
        """What one more look finds."""
        self._watch.look()
        return fired(self._watch.report().diagnosis)

    def finds(self, rule: str, size: int | None = None) -> Finding:
        """The finding of a rule, as soon as it comes, or has its whole size."""
        found = wait_for(
            self.findings,
            lambda found: rule in found and size in (None, found[rule].size),
            wanted=f"{rule} to speak",
            show=lambda found: ", ".join(each.verdict for each in found.values()) or "nothing",
        )
        return found[rule]

    def is_calm(self, *rules: str) -> bool:
        """Whether these rules, or all of them, say nothing worse than worth knowing, twice."""
        for _ in range(2):
            found = self.findings()
            loud = [each for each in found.values() if each.severity > Severity.INFO or each.rule in rules]
            if any(not rules or each.rule in rules for each in loud):
                return False
        return True

    def close(self) -> None:
        self._source.close()


@pytest.fixture
def doctor(lab: Lab) -> Iterator[Doctor]:
    """Somebody who has looked once, while all was well."""
    with closing(Doctor(lab)) as watching:
        yield watching


def lose_dead_network(lab: Lab) -> None:
    """Lose what the box sends to the dead."""
    lab.box.ip("route", "replace", DEAD_NETWORK, "dev", "sink0", "src", BOX_INET)


def dead_addresses(count: int) -> list[str]:
    return [f"10.78.{128 + number // 250}.{number % 250 + 1}" for number in range(count)]


def fill(each: socket.socket) -> int:
    """Send until nothing more is taken; how many bytes were."""
    each.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += each.send(b"x" * 65536)
    return sent


@contextlib.contextmanager
def inside(lab: Lab, script: str) -> Iterator[int]:
    """The id of a process of the box that has run a script and stays until the end of the block."""
    ready = "\nimport os, sys\nprint(os.getpid(), flush=True)\nsys.stdin.read()\n"
    command = lab.box.argv(sys.executable, "-c", script + ready)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.communicate(timeout=30)


def test_close_wait_that_nobody_closes(lab: Lab, doctor: Doctor) -> None:
    lab.park(S.CLOSE_WAIT, 5)
    lab.park(S.ESTABLISHED, 30)
    assert doctor.is_calm()
    lab.park(S.CLOSE_WAIT, 30)
    finding = doctor.finds("R01")
    assert f"({os.getpid()}) does not close" in finding.verdict
    assert any("whose end was not read" in fact.text for fact in finding.evidence)


def test_clients_that_gave_up_before_they_were_accepted(lab: Lab, doctor: Doctor) -> None:
    with open_listener(lab.box, socket.AF_INET, BOX_INET, 8000, dual=False) as listener:
        taken = lab.park(S.CLOSE_WAIT, 6, role="server", port=8001)
        assert doctor.is_calm("R02")
        clients = open_sockets(lab.peer, socket.AF_INET, 6)
        for each in clients:
            each.connect((BOX_INET, 8000))
            each.shutdown(socket.SHUT_WR)
        finding = doctor.finds("R02", 6)
        assert f"6 clients of {BOX_INET}:8000" in finding.verdict
        for each in clients:
            each.close()
        accepted = [listener.accept()[0] for _ in clients]
        assert doctor.is_calm("R02")
        for each in accepted:
            each.close()
        lab.release(taken)


RESET_SOCKETS = """
import socket, struct
server = socket.create_server(("127.0.0.1", 0))
kept = []
for _ in range({count}):
    kept.append(socket.create_connection(server.getsockname()))
    accepted = server.accept()[0]
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    accepted.close()
pairs = [socket.socketpair() for _ in range(30)]
other = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(30)]
"""


def test_sockets_that_no_table_shows(lab: Lab, doctor: Doctor) -> None:
    """Reset by the other end, and never closed; pairs of Unix sockets and UDP ones are not among them."""
    with inside(lab, RESET_SOCKETS.format(count=5)):
        assert doctor.is_calm("R03")
    with inside(lab, RESET_SOCKETS.format(count=30)) as pid:
        finding = doctor.finds("R03", 30)
    assert f"({pid}) holds 30 sockets that are closed in the kernel already" in finding.verdict


def test_orphaned_fin_wait2_behind_slow_peers(lab: Lab, doctor: Doctor) -> None:
    lab.park(S.TIME_WAIT, 60)
    assert doctor.is_calm()
    lab.park(S.FIN_WAIT2, 60)
    finding = doctor.finds("R04", 60)
    assert finding.severity is Severity.WARNING


def test_half_closed_connections_of_a_program(lab: Lab, doctor: Doctor) -> None:
    lab.park(S.FIN_WAIT2, 8)
    assert doctor.is_calm("R05")
    lab.park(S.FIN_WAIT2, 8, half_closed=True)
    assert "has shut down sending on 8 connections" in doctor.finds("R05", 8).verdict


def test_fins_to_dead_peers(lab: Lab, doctor: Doctor) -> None:
    lab.park(S.ESTABLISHED, 40)
    lab.park(S.TIME_WAIT, 60)
    assert doctor.is_calm()
    lab.park(S.FIN_WAIT1, 40)
    lab.park(S.LAST_ACK, 40)
    finding = doctor.finds("R06", 80)
    assert finding.severity is Severity.CRITICAL
    assert any(fact.text == "FIN_WAIT1 40, LAST_ACK 40" for fact in finding.evidence)


def test_closing_and_open_connections_to_peers_that_do_not_read(lab: Lab, doctor: Doctor) -> None:
    """Closed ones are R07, open ones R28; both are silent while the peers read."""
    lab.peer.write_sysctl("net.ipv4.tcp_rmem", "4096 8192 8192")
    box, peer = lab.ends(lab.park(S.ESTABLISHED, 14))
    for near, far in zip(box, peer, strict=True):
        near.sendall(b"x" * 4096)
        assert far.recv(4096, socket.MSG_WAITALL)
    assert doctor.is_calm()
    stuck = wait_for(
        lambda: (sum(map(fill, box)), doctor.findings().get("R28")),
        lambda seen: seen[1] is not None and seen[1].size == 14,
        wanted="R28 to speak of all 14",
    )[1]
    assert stuck is not None
    assert stuck.severity is Severity.WARNING
    for each in box[:7]:
        each.close()
    closing_ = doctor.finds("R07", 7)
    assert "7 closed connections still hold" in closing_.verdict


@pytest.mark.parametrize(("cookies", "severity"), [(1, Severity.WARNING), (0, Severity.CRITICAL)])
def test_a_flood_of_syns_whose_sources_do_not_answer(lab: Lab, cookies: int, severity: Severity) -> None:
    lab.sysctl("net.ipv4.tcp_syncookies", cookies)
    lose_dead_network(lab)
    with (
        open_listener(lab.box, socket.AF_INET, BOX_INET, 8000, dual=False) as listener,
        closing(Doctor(lab)) as doctor,
        contextlib.ExitStack() as held,
    ):
        listener.listen(32)
        for each in open_sockets(lab.peer, socket.AF_INET, 30):
            held.enter_context(each)
            each.connect((BOX_INET, 8000))
            held.enter_context(listener.accept()[0])
        assert doctor.is_calm()
        send_syns(lab, dead_addresses(90), 8000)
        finding = doctor.finds("R08")
    assert f"{BOX_INET}:8000" in finding.verdict
    assert finding.severity is severity


def send_syns(lab: Lab, sources: list[str], port: int) -> None:
    """One SYN from each source to the box, none of which will ever answer."""
    here = socket.inet_aton(BOX_INET)
    with lab.peer.entered(), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for number, source in enumerate(sources):
            there = socket.inet_aton(source)
            plain = _TCP_HEADER.pack(20_000 + number, port, number, 0, 5 << 4, 2, 8192, 0, 0)
            pseudo = there + here + struct.pack(">BBH", 0, socket.IPPROTO_TCP, len(plain))
            syn = plain[:16] + struct.pack(">HH", checksum(pseudo + plain), 0)
            header = _IP_HEADER.pack(0x45, 0, 20 + len(syn), number, 0, 64, socket.IPPROTO_TCP, 0, there, here)
            raw.sendto(header + syn, (BOX_INET, 0))


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(word for (word,) in struct.iter_unpack(">H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def test_a_program_that_accepts_too_slowly(lab: Lab, doctor: Doctor) -> None:
    with open_listener(lab.box, socket.AF_INET, BOX_INET, 8000, dual=False) as listener, contextlib.ExitStack() as held:
        listener.listen(4)
        clients = [held.enter_context(each) for each in open_sockets(lab.peer, socket.AF_INET, 12)]
        for each in clients[:4]:
            each.connect((BOX_INET, 8000))
            held.enter_context(listener.accept()[0])
        assert doctor.is_calm()
        begin_all(clients[4:], (BOX_INET, 8000))
        finding = doctor.finds("R11")
        assert f"{BOX_INET}:8000" in finding.verdict
        wait_for(
            lambda: doctor.findings().get("R11", finding),
            lambda seen: seen.severity is Severity.CRITICAL,
            wanted="the overflow to be counted",
        )


def test_connects_to_one_dead_upstream_and_to_many(lab: Lab, doctor: Doctor) -> None:
    lose_dead_network(lab)
    lab.park(S.ESTABLISHED, 60)
    assert doctor.is_calm()
    dead = open_sockets(lab.box, socket.AF_INET, 8)
    begin_all(dead, ("10.78.250.9", 5432))
    one = doctor.finds("R15", 8)
    assert one.verdict == "10.78.250.9:5432 does not answer: 8 connects wait for it"
    assert doctor.is_calm("R14")
    scanning = open_sockets(lab.box, socket.AF_INET, 60)
    for each, address in zip(scanning, dead_addresses(60), strict=True):
        begin_all([each], (address, 135))
    many = doctor.finds("R14", 68)
    assert f"({os.getpid()}) waits for 61 addresses that do not answer" in many.verdict
    for each in (*dead, *scanning):
        each.close()


def test_ports_to_one_destination_run_out(lab: Lab, doctor: Doctor) -> None:
    lab.sysctl("net.ipv4.ip_local_port_range", "40000 40009")
    lab.park(S.ESTABLISHED, 4)
    lab.park(S.ESTABLISHED, 4)
    assert doctor.is_calm("R17")
    parked = lab.park(S.ESTABLISHED, 9)
    finding = doctor.finds("R17", 9)
    assert finding.verdict == f"9 of 10 ports are taken for {BOX_INET} → {parked.peer_address}:7000"
    assert finding.severity is Severity.CRITICAL


def test_the_table_of_time_wait_runs_over(lab: Lab, doctor: Doctor) -> None:
    lab.park(S.TIME_WAIT, 5)
    assert doctor.is_calm("R19")
    box, peer = lab.ends(lab.park(S.ESTABLISHED, 20))
    lab.sysctl("net.ipv4.tcp_max_tw_buckets", 10)
    for each in (*box, *peer):
        each.close()
    finding = doctor.finds("R19")
    assert finding.severity is Severity.CRITICAL
    assert "closes were cut short" in finding.verdict


MANY_DESCRIPTORS = """
import resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = [socket.create_server(("127.0.0.1", 0)) for _ in range({count})]
"""


def test_a_process_that_runs_out_of_descriptors(lab: Lab, doctor: Doctor) -> None:
    with inside(lab, MANY_DESCRIPTORS.format(count=20)):
        assert doctor.is_calm("R22")
    with inside(lab, MANY_DESCRIPTORS.format(count=52)) as pid:
        finding = wait_for(
            lambda: [each for each in (doctor.findings().get("R22"),) if each and f"({pid})" in each.verdict],
            bool,
            wanted="R22 to speak of the process",
        )[0]
    assert "of 64 descriptors open" in finding.verdict


def test_a_program_that_does_not_read(lab: Lab, doctor: Doctor) -> None:
    box, peer = lab.ends(lab.park(S.ESTABLISHED, 2))
    peer[0].sendall(b"x" * 1000)
    assert doctor.is_calm()
    size = fill(peer[1])
    assert size > 64 * 1024
    finding = doctor.finds("R30")
    assert f"({os.getpid()}) does not read" in finding.verdict
    box[1].setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while box[1].recv(1 << 20):
            pass
    assert doctor.is_calm("R30")


def test_silent_connections_without_keepalive(lab: Lab, doctor: Doctor) -> None:
    asked, _ = lab.ends(lab.park(S.ESTABLISHED, 25, role="server", port=8000))
    for each in asked:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    lab.park(S.ESTABLISHED, 25, role="client")
    wait_for(lambda: doctor.is_calm("R31"), bool, wanted="nothing to be said of those that are asked")
    lab.park(S.ESTABLISHED, 25, role="server", port=8001)
    finding = doctor.finds("R31", 25)
    assert "holds 25 connections that have been silent" in finding.verdict


BUSY = """
import socket, threading
server = socket.create_server(("127.0.0.1", 8000), backlog=512)
def serve():
    while True:
        each = server.accept()[0]
        each.recv(100)
        each.sendall(b"x" * 500)
        each.close()
def ask():
    while True:
        with socket.create_connection(("127.0.0.1", 8000)) as each:
            each.sendall(b"?")
            while each.recv(1000):
                pass
for work in (serve, serve, ask, ask):
    threading.Thread(target=work, daemon=True).start()
"""
"""Short connections as fast as they go, closed by the server first."""


def test_a_busy_healthy_machine_is_left_in_peace(lab: Lab) -> None:
    """The load begins, goes on and ends while it is watched."""
    with closing(Doctor(lab)) as doctor:
        with inside(lab, BUSY):
            wait_for(
                lambda: (doctor.is_calm(), lab.ss_counts()[S.TIME_WAIT]),
                lambda seen: not seen[0] or seen[1] >= 2000,
                wanted="two thousand connections",
            )
            assert doctor.is_calm()
            assert lab.ss_counts()[S.TIME_WAIT] >= 2000
        assert doctor.is_calm()
