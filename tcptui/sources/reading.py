"""The ways to the kernel's socket table: sock_diag, and /proc/net/tcp where that is not to be had."""

from __future__ import annotations

import functools
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tcptui.errors import SourceError, system_reason
from tcptui.kernel.decode import Attributes
from tcptui.kernel.files import ProcFile, is_absent, open_proc_file
from tcptui.kernel.procfs import parse_proc_net_tcp
from tcptui.kernel.sock_diag import BytecodeRefused, DumpQuery, DumpReport, SockDiag, SocketId
from tcptui.kernel.tcp_info import Details
from tcptui.language import tr
from tcptui.model.address import IPV4_BITS, MAPPED_PREFIX
from tcptui.model.detail import SocketDetail, SocketKey
from tcptui.model.sample import Degradation
from tcptui.model.states import NEW_SYN_RECV, TcpState
from tcptui.model.table import Rows, unique_by_cookie
from tcptui.query.bytecode import KernelQuery, assemble, kernel_queries, split_by_autobound
from tcptui.query.request import Need, Request
from tcptui.query.simplify import all_of
from tcptui.query.syntax import AutoboundTest, Expression, MarkTest, Not, conjuncts
from tcptui.sources.base import states_mask
from tcptui.sources.tables import TableBuilder, diag_address, rows_from_proc_net
from tcptui.text import printable

AUTOBOUND_OR_NOT = (AutoboundTest(), Not(AutoboundTest()))

SOCKET_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

_IS_KNOWN = np.isin(np.arange(256), list(TcpState))
"""By the number of a state whether this program knows it."""

TCP_INFO_FIELDS = frozenset({"rtt_us", "total_retransmits", "idle_ms"})
"""The columns that ``Need.TCP_INFO`` asks for."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a reader of the socket table found."""

    rows: Rows
    dump_s: float
    decode_s: float
    degraded: tuple[Degradation, ...] = ()
    is_whole: bool = True
    """Whether no socket was left out."""
    absent_fields: frozenset[str] = frozenset()
    """Fields that were not asked for; what the reader never knows is in its own ``absent_fields``."""


class TableReader(Protocol):
    """One way to the kernel's socket table."""

    name: str
    absent_fields: frozenset[str]

    def read(self, request: Request) -> Reading:
        """The sockets that ``request`` asks for, and perhaps more."""

    def look_up(self, key: SocketKey) -> SocketDetail | None:
        """More about one socket; None where it is gone, or where this way does not tell.

        Raises:
            SourceError: the kernel refuses.
        """

    def close(self) -> None:
        """Give back what is held open."""


class SockDiagReader:
    """The table through netlink."""

    name = "sock_diag"

    def __init__(self, families: Iterable[int]) -> None:
        self._families = tuple(families)
        self._sock_diag = SockDiag()
        self._last_counts = {True: 0, False: 0}
        """Rows of the last glance, and of the last other reading."""
        self._refused: set[bytes] = set()
        """Programs that this kernel does not take."""
        # A kernel without sock_diag says so only when asked: ask now, for no state at all, while there is a choice.
        self._dump_nothing(b"")
        self.absent_fields = frozenset() if self._may_see_marks() else frozenset({"mark"})

    def read(self, request: Request) -> Reading:
        builder = TableBuilder(self._last_counts[request.is_glance])
        queries = [query for family in self._families for query in _questions(request.scope, family)]
        is_whole = all(query == _everything(query.family) for query in queries)
        if Need.AUTOBOUND in request.needs:
            queries = [part for query in queries for part in split_by_autobound(query)]
        reports = [(query.family, self._dump(builder, query, request)) for query in queries]
        started = time.perf_counter()
        rows, trouble = _known_states(unique_by_cookie(builder.rows()))
        self._last_counts[request.is_glance] = len(rows)
        decode_s = time.perf_counter() - started + sum(report.decode_s for _, report in reports)
        for family in self._families:
            trouble += _dump_trouble([report for each, report in reports if each == family], family)
        receive_s = sum(report.receive_s for _, report in reports)
        absent = frozenset() if Need.TCP_INFO in request.needs else TCP_INFO_FIELDS
        return Reading(rows, receive_s, decode_s, tuple(trouble), is_whole, absent)

    def look_up(self, key: SocketKey) -> SocketDetail | None:
        found = self._sock_diag.look_up(_socket_id(key))
        return None if found is None else _detail(key, int(found.row["idiag_state"]), found.details)

    def _dump(self, builder: TableBuilder, query: KernelQuery, request: Request) -> DumpReport:
        """Add the answer to ``builder``; a dump that was interrupted is taken once more.

        A program that the kernel refuses is left out, here and from now on: the answer has then more than was asked.
        """
        bytecode = self._accepted_program(query)
        is_autobound = bool(bytecode) and AutoboundTest() in conjuncts(query.condition)
        diag_query = DumpQuery(
            SOCKET_FAMILIES[query.family],
            states_mask(query.states),
            query.local_port,
            query.remote_port,
            bytecode,
            wants_marks=Need.MARKS in request.needs,
            wants_info=Need.TCP_INFO in request.needs,
        )
        before = len(builder)

        def take(messages: NDArray[np.void], attributes: Attributes) -> None:
            builder.append(messages, attributes, query.family, is_autobound=is_autobound)

        try:
            report = self._sock_diag.dump(diag_query, take)
        except BytecodeRefused:
            self._refused.add(bytecode)
            return self._dump(builder, query, request)
        if report.interrupted:
            builder.forget_from(before)
            report = self._sock_diag.dump(diag_query, take)
        return report

    def _accepted_program(self, query: KernelQuery) -> bytes:
        """What the kernel takes of the query's program: all, what tells autobound sockets from others, or nothing."""
        told_apart = all_of(each for each in conjuncts(query.condition) if each in AUTOBOUND_OR_NOT)
        programs = (query.bytecode, assemble(told_apart))
        return next((program for program in programs if program not in self._refused), b"")

    def _dump_nothing(self, bytecode: bytes) -> None:
        query = DumpQuery(SOCKET_FAMILIES[self._families[0]], 0, bytecode=bytecode)
        self._sock_diag.dump(query, lambda _messages, _attributes: None)

    def _may_see_marks(self) -> bool:
        """Whether the kernel compares marks for us, and so tells them: both take CAP_NET_ADMIN (FACTS section 6.2)."""
        try:
            self._dump_nothing(assemble(MarkTest(0, 0)))
        except BytecodeRefused:
            return False
        return True

    def close(self) -> None:
        self._sock_diag.close()


@functools.lru_cache(maxsize=16)
def _questions(scope: Expression | None, family: int) -> tuple[KernelQuery, ...]:
    """What to ask the kernel for a scope; most samples are for the same one as the sample before."""
    return (_everything(family),) if scope is None else tuple(kernel_queries(scope, family))


def _everything(family: int) -> KernelQuery:
    return KernelQuery(family, frozenset(TcpState))


def _socket_id(key: SocketKey) -> SocketId:
    """The key in the kernel's terms."""
    return SocketId(
        SOCKET_FAMILIES[key.family],
        key.local_port,
        key.remote_port,
        *diag_address(key.family, key.local_hi, key.local_lo),
        *diag_address(key.family, key.remote_hi, key.remote_lo),
        key.interface,
        key.cookie,
        key.is_listener,
    )


def _detail(key: SocketKey, state: int, details: Details) -> SocketDetail:
    """What was found, with the type of service of the packets that the socket really sends."""
    sends_ipv4 = key.local_hi == 0 and key.local_lo >> IPV4_BITS == MAPPED_PREFIX >> IPV4_BITS
    return SocketDetail(
        key,
        details.info,
        details.memory,
        printable(details.congestion),
        details.type_of_service if sends_ipv4 else details.traffic_class,
        details.shutdown,
        TcpState.SYN_RECV if state == NEW_SYN_RECV else state,
    )


def _known_states(rows: Rows) -> tuple[Rows, list[Degradation]]:
    """The rows in states that this program knows, and what to say of the others."""
    known = _IS_KNOWN[rows["state"]]
    if known.all():
        return rows, []
    count = len(rows) - int(known.sum())
    reason = tr("{count} sockets are in a state that this version does not know", count=count)
    return rows[known], [Degradation("states.unknown", reason)]


def _dump_trouble(reports: list[DumpReport], family: int) -> list[Degradation]:
    trouble = []
    if any(report.interrupted for report in reports):
        trouble.append(
            Degradation(
                "dump.interrupted",
                tr("the IPv{family} table changed under two dumps in a row, so counts may be off", family=family),
                tr("look at the next sample"),
            )
        )
    skipped = sum(report.skipped for report in reports)
    if skipped:
        reason = tr("{count} parts of the IPv{family} dump are not understood", count=skipped, family=family)
        trouble.append(Degradation("dump.skipped", reason))
    return trouble


class ProcNetReader:
    """The table through ``/proc/net/tcp`` and ``/proc/net/tcp6``."""

    name = "/proc/net/tcp"
    absent_fields = TCP_INFO_FIELDS | {"cookie", "backlog", "cgroup_id", "interface", "mark", "is_autobound"}

    def __init__(self, families: Iterable[int]) -> None:
        self._files: list[tuple[int, ProcFile]] = []
        trouble: list[OSError] = []
        for family in families:
            opened = open_proc_file("/proc/thread-self/net/" + ("tcp" if family == 4 else "tcp6"))
            if isinstance(opened, ProcFile):
                self._files.append((family, opened))
            elif family == 4 or not is_absent(opened):
                trouble.append(opened)
        if trouble:
            self.close()
            raise SourceError(cannot_read(trouble[0].filename, trouble[0]), tr("is /proc mounted?"))
        if not self._files:
            raise SourceError(tr("this kernel has no IPv6"), tr("leave out -6"))

    def read(self, request: Request) -> Reading:
        parts, malformed, dump_s, decode_s = [], 0, 0.0, 0.0
        for family, file in self._files:
            started = time.perf_counter()
            text = _read(file)
            received = time.perf_counter()
            parsed = parse_proc_net_tcp(text)
            parts.append(rows_from_proc_net(parsed.rows, family))
            malformed += parsed.malformed
            dump_s += received - started
            decode_s += time.perf_counter() - received
        rows = unique_by_cookie(np.concatenate(parts))
        degraded: tuple[Degradation, ...] = ()
        if malformed:
            reason = tr("{count} lines of /proc/net/tcp are not understood", count=malformed)
            degraded = (Degradation("procfs.malformed", reason),)
        return Reading(rows, dump_s, decode_s, degraded)

    def look_up(self, key: SocketKey) -> SocketDetail | None:
        return None

    def close(self) -> None:
        for _, file in self._files:
            file.close()


def _read(file: ProcFile) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise SourceError(cannot_read(file.path, error), tr("is /proc still mounted?")) from error


def cannot_read(path: str, error: OSError) -> str:
    """That a file cannot be read, and why."""
    return tr("cannot read {path} ({reason})", path=path, reason=system_reason(error))


def open_reader(families: tuple[int, ...], wanted: str) -> tuple[TableReader, list[Degradation]]:
    """The reader that was asked for, or the first that works with the reason why it is not the better one."""
    if wanted == "proc":
        return ProcNetReader(families), []
    try:
        return SockDiagReader(families), []
    except SourceError as error:
        if wanted == "netlink":
            raise
        trouble = Degradation(
            "netlink.unavailable",
            tr(
                "{refusal}; /proc/net/tcp is read instead, which has no backlog and no socket identity",
                refusal=error.message,
            ),
            tr("allow NETLINK_SOCK_DIAG for this process"),
        )
        return ProcNetReader(families), [trouble]
