"""A box with something in its socket table for every filter."""

import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from tcptui.model.states import TcpState
from tests.live.filters.known import Known, Onlooker
from tests.support.cgroups import Cgroup, new_cgroup
from tests.support.holder import holding
from tests.support.lab import Lab
from tests.support.parking import Family, Parked
from tests.support.program import NOBODY
from tests.support.waiting import wait_for

T = TypeVar("T")

V4, V6 = socket.AF_INET, socket.AF_INET6
MAPPED: Family = "mapped"

LASTING: tuple[tuple[TcpState, int, Family, int | None, str | None], ...] = (
    (TcpState.ESTABLISHED, 3, V4, 443, None),
    (TcpState.ESTABLISHED, 2, V6, 443, None),
    (TcpState.ESTABLISHED, 2, MAPPED, 443, None),
    (TcpState.ESTABLISHED, 2, V4, 80, None),
    (TcpState.ESTABLISHED, 2, V4, 22, "server"),
    (TcpState.ESTABLISHED, 1, V6, 22, "server"),
    (TcpState.ESTABLISHED, 1, MAPPED, 22, "server"),
    (TcpState.ESTABLISHED, 1, V4, 7999, None),
    (TcpState.ESTABLISHED, 1, V4, 8000, "server"),
    (TcpState.ESTABLISHED, 1, V6, 8050, None),
    (TcpState.ESTABLISHED, 1, MAPPED, 8100, None),
    (TcpState.ESTABLISHED, 1, V4, 8101, None),
    (TcpState.CLOSE_WAIT, 2, V4, 8000, "server"),
    (TcpState.CLOSE_WAIT, 1, MAPPED, 443, None),
    (TcpState.LISTEN, 1, V4, 443, None),
    (TcpState.LISTEN, 1, V6, 8443, None),
    (TcpState.LISTEN, 1, MAPPED, 80, None),
)
"""State, count, family, port, role."""

PERISHABLE: tuple[tuple[TcpState, int, Family, int | None, str | None], ...] = (
    (TcpState.SYN_SENT, 1, V4, 80, None),
    (TcpState.SYN_SENT, 1, V6, 443, None),
    (TcpState.SYN_RECV, 1, V4, 22, None),
    (TcpState.SYN_RECV, 1, MAPPED, 8080, None),
    (TcpState.FIN_WAIT1, 2, V4, 443, None),
    (TcpState.FIN_WAIT2, 2, V4, 443, None),
    (TcpState.FIN_WAIT2, 1, V6, 22, "server"),
    (TcpState.TIME_WAIT, 2, V4, 443, None),
    (TcpState.TIME_WAIT, 1, V6, 22, "server"),
    (TcpState.TIME_WAIT, 1, MAPPED, 8000, None),
    (TcpState.LAST_ACK, 1, V4, 22, "server"),
    (TcpState.LAST_ACK, 1, MAPPED, 443, None),
    (TcpState.CLOSING, 1, V6, 80, None),
)
"""The kernel ends them after a minute or two (FACTS section 1)."""

MARKS = (42, 1, 2, 3, 0x101, 0xFFFFFFFF)
CABLE = "veth0"
RECEIVED_BYTES = (100, 5000)
UNACKNOWLEDGED_BYTES = 700
_MORE_THAN_A_WINDOW = 1 << 20
_SEND_BUFFER_BYTES = 1 << 18

WORKER, CRAWLER = "web worker", "crawler"
WORKER_PORT, CRAWLER_PORT = 8088, 9090
CHOSEN_EPHEMERAL_PORT = 40_000
"""In the range out of which the kernel chooses, but bound explicitly."""


@dataclass
class Scene:
    """The box, and what the texts of filters need to know about it."""

    lab: Lab
    cgroup: Cgroup
    worker_pid: int
    _perishable: list[Parked]

    @cached_property
    def _onlooker(self) -> Onlooker:
        return Onlooker(self.lab.box)

    @cached_property
    def words(self) -> dict[str, str]:
        """What stands in the braces of the table's texts."""
        with self.lab.box.entered():
            cable_index = socket.if_nametoindex(CABLE)
        known = self._onlooker.look().values()
        worker_listener = next(
            each for each in known if each.state is TcpState.LISTEN and each.local_port == WORKER_PORT
        )
        return {
            "pid": str(self.worker_pid),
            "next_pid": str(self.worker_pid + 1),
            "cable": str(cable_index),
            "cgroup": self.cgroup.path,
            "parent": self.cgroup.path.split("/")[1],
            "inode": str(worker_listener.inode),
            "peer": next(
                str(each.remote) for each in known if each.state is TcpState.CLOSE_WAIT and each.remote_port == 443
            ),
        }

    def while_steady(self, look: Callable[[], T]) -> tuple[dict[int, Known], T]:
        """All sockets, and what ``look`` returned while nothing about them changed."""

        def look_between() -> tuple[dict[int, Known], T, dict[int, Known]]:
            before = self._replenished()
            found = look()
            return before, found, self._onlooker.look()

        known, found, _ = wait_for(
            look_between,
            lambda seen: seen[0] == seen[2],
            wanted="a socket table that stands still",
            show=lambda seen: str({*seen[0].values()} ^ {*seen[2].values()}),
        )
        return known, found

    def _replenished(self) -> dict[int, Known]:
        """All sockets, after parking anew what the kernel has ended meanwhile."""
        known = self._onlooker.look()
        present = {(each.state, str(each.remote)) for each in known.values()}
        ended = [
            index
            for index, parked in enumerate(self._perishable)
            if (parked.state, parked.peer_address.removeprefix("::ffff:")) not in present
        ]
        for index in ended:
            self._perishable[index] = _park(self.lab, PERISHABLE[index])
        return self._onlooker.look() if ended else known


@contextlib.contextmanager
def filter_scene(folder: Path) -> Iterator[Scene]:
    """The scene; ``folder`` is empty and serves as a mount point."""
    with contextlib.ExitStack() as undo:
        cgroup = undo.enter_context(new_cgroup(folder, "web.service"))
        lab = undo.enter_context(Lab())
        for group in LASTING:
            _park(lab, group)
        _mark_and_bind(lab)
        _fill_queues(lab)
        _keep_alive(lab)
        endpoints = (f"127.0.0.1:{WORKER_PORT}", f"::1:{WORKER_PORT}")
        pid = undo.enter_context(holding(lab.box, WORKER, *endpoints, prepare=cgroup.take_in))
        endpoints = (f"127.0.0.1:{CRAWLER_PORT}", f"127.0.0.1:{CHOSEN_EPHEMERAL_PORT}")
        undo.enter_context(holding(lab.box, CRAWLER, *endpoints, uid=NOBODY))
        yield Scene(lab, cgroup, pid, [_park(lab, group) for group in PERISHABLE])


def _park(lab: Lab, group: tuple[TcpState, int, Family, int | None, str | None]) -> Parked:
    state, count, family, port, role = group
    return lab.park(state, count, family=family, port=port, role="server" if role else None)


def _mark_and_bind(lab: Lab) -> None:
    """Connections with marks, connections and a listener bound to interfaces."""
    box_ends, _ = lab.ends(lab.park(TcpState.ESTABLISHED, len(MARKS), port=6000))
    for each, mark in zip(box_ends, MARKS, strict=True):
        each.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, struct.pack("=I", mark))
    for device, parked in (
        (CABLE, lab.park(TcpState.ESTABLISHED, 1, port=443)),
        (CABLE, lab.park(TcpState.ESTABLISHED, 1, port=6001, family=V6)),
        ("lo", lab.park(TcpState.LISTEN, 1, port=6002, family=MAPPED)),
    ):
        for each in lab.ends(parked)[0]:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())


def _fill_queues(lab: Lab) -> None:
    """Bytes that nobody reads, bytes that nobody acknowledges, and more bytes than the peer has room for."""
    _, peer_ends = lab.ends(lab.park(TcpState.ESTABLISHED, len(RECEIVED_BYTES), port=6010))
    for each, count in zip(peer_ends, RECEIVED_BYTES, strict=True):
        each.sendall(bytes(count))
    silent = lab.park(TcpState.ESTABLISHED, 1, port=6011, family=V6)
    lab.lose(silent)
    lab.ends(silent)[0][0].sendall(bytes(UNACKNOWLEDGED_BYTES))
    stuffed = lab.park(TcpState.ESTABLISHED, 1, port=6012)
    (writer,) = lab.ends(stuffed)[0]
    writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)  # else it is as large as it turns out
    writer.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while writer.send(bytes(_MORE_THAN_A_WINDOW)):
            pass

    def queues() -> tuple[list[int], list[str]]:
        rows = lab.ss("-o", "dport >= :6010 and dport <= :6012")
        return sorted(row.recv_q for row in rows), sorted(row.timer.name for row in rows if row.timer)

    wanted = ([0, 0, *RECEIVED_BYTES], ["on", "persist"])
    wait_for(queues, lambda seen: seen == wanted, wanted=f"queues and timers {wanted}")


def _keep_alive(lab: Lab) -> None:
    for family in (V4, V6):
        for each in lab.ends(lab.park(TcpState.ESTABLISHED, 1, port=6020, family=family))[0]:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
