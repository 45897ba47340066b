"""The Linux kernel of this machine: sock_diag, or /proc/net/tcp where that is not to be had."""

import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tcptui.errors import SourceError
from tcptui.kernel.cgroups import cgroup2_mount, cgroup_paths
from tcptui.kernel.counters import parse_counter_table, parse_sockstat
from tcptui.kernel.decode import Attributes
from tcptui.kernel.files import ProcFile, is_absent, open_proc_file, parameter_path
from tcptui.kernel.namespaces import namespace_path, run_in_namespace
from tcptui.kernel.owners import hides_processes, read_owners
from tcptui.kernel.procfs import parse_proc_net_tcp
from tcptui.kernel.sock_diag import BytecodeRefused, DumpQuery, DumpReport, SockDiag
from tcptui.model.owners import Owners, no_owners
from tcptui.model.sample import Cost, Degradation, Origin, Sample
from tcptui.model.states import TcpState
from tcptui.model.table import Rows, SocketTable, unique_by_cookie
from tcptui.query.bytecode import KernelQuery, assemble, kernel_queries, split_by_autobound
from tcptui.query.request import EVERYTHING_PLAIN, Need, Request
from tcptui.query.simplify import all_of
from tcptui.query.syntax import AutoboundTest, MarkTest, Not, conjuncts
from tcptui.sources.base import family_options, states_mask
from tcptui.sources.machine import host_and_kernel
from tcptui.sources.tables import TableBuilder, rows_from_proc_net
from tcptui.text import printable

AUTOBOUND_OR_NOT = (AutoboundTest(), Not(AutoboundTest()))

SOCKET_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

_PORT_RANGE = "net.ipv4.ip_local_port_range"

_COUNTER_FILES: dict[str, Callable[[str], dict[str, int]]] = {
    "snmp": parse_counter_table,
    "netstat": parse_counter_table,
    "sockstat": parse_sockstat,
    "sockstat6": parse_sockstat,
}


@dataclass(frozen=True, eq=False)
class Reading:
    """What a reader of the socket table found."""

    rows: Rows
    dump_s: float
    decode_s: float
    degraded: tuple[Degradation, ...] = ()
    is_whole: bool = True
    """Whether no socket was left out."""


class TableReader(Protocol):
    """One way to the kernel's socket table."""

    name: str
    absent_fields: frozenset[str]

    def read(self, request: Request) -> Reading:
        """The sockets that ``request`` asks for, and perhaps more."""

    def close(self) -> None:
        """Give back what is held open."""


class SockDiagReader:
    """The table through netlink."""

    name = "sock_diag"

    def __init__(self, families: Iterable[int]) -> None:
        self._families = tuple(families)
        self._sock_diag = SockDiag()
        self._last_count = 0
        self._refused: set[bytes] = set()
        """Programs that this kernel does not take."""
        # A kernel without sock_diag says so only when asked: ask now, for no state at all, while there is a choice.
        self._dump_nothing(b"")
        self.absent_fields = frozenset() if self._may_see_marks() else frozenset({"mark"})

    def read(self, request: Request) -> Reading:
        builder = TableBuilder(self._last_count)
        queries = [query for family in self._families for query in _queries(request, family)]
        is_whole = all(query == KernelQuery(query.family, frozenset(TcpState)) for query in queries)
        if Need.AUTOBOUND in request.needs:
            queries = [part for query in queries for part in split_by_autobound(query)]
        reports = [(query.family, self._dump(builder, query, request)) for query in queries]
        started = time.perf_counter()
        rows, trouble = _known_states(unique_by_cookie(builder.rows()))
        self._last_count = len(rows)
        decode_s = time.perf_counter() - started + sum(report.decode_s for _, report in reports)
        for family in self._families:
            trouble += _dump_trouble([report for each, report in reports if each == family], family)
        receive_s = sum(report.receive_s for _, report in reports)
        return Reading(rows, receive_s, decode_s, tuple(trouble), is_whole)

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


def _queries(request: Request, family: int) -> list[KernelQuery]:
    """What to ask the kernel for ``request``."""
    if request.scope is None:
        return [KernelQuery(family, frozenset(TcpState))]
    return kernel_queries(request.scope, family)


def _known_states(rows: Rows) -> tuple[Rows, list[Degradation]]:
    """The rows in states that this program knows, and what to say of the others."""
    known = np.isin(rows["state"], list(TcpState))
    if known.all():
        return rows, []
    reason = f"{len(rows) - int(known.sum())} sockets are in a state that this version does not know"
    return rows[known], [Degradation("states.unknown", reason)]


def _dump_trouble(reports: list[DumpReport], family: int) -> list[Degradation]:
    trouble = []
    if any(report.interrupted for report in reports):
        trouble.append(
            Degradation(
                "dump.interrupted",
                f"the IPv{family} table changed under two dumps in a row, so counts may be off",
                "look at the next sample",
            )
        )
    skipped = sum(report.skipped for report in reports)
    if skipped:
        trouble.append(Degradation("dump.skipped", f"{skipped} parts of the IPv{family} dump are not understood"))
    return trouble


class ProcNetReader:
    """The table through ``/proc/net/tcp`` and ``/proc/net/tcp6``."""

    name = "/proc/net/tcp"
    absent_fields = frozenset({"cookie", "backlog", "cgroup_id", "interface", "mark", "is_autobound"})

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
            raise SourceError(f"cannot read {trouble[0].filename} ({trouble[0].strerror})", "is /proc mounted?")
        if not self._files:
            raise SourceError("this kernel has no IPv6", "leave out -6")

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
            degraded = (Degradation("procfs.malformed", f"{malformed} lines of /proc/net/tcp are not understood"),)
        return Reading(rows, dump_s, decode_s, degraded)

    def close(self) -> None:
        for _, file in self._files:
            file.close()


def _read(file: ProcFile) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise SourceError(f"cannot read {file.path} ({error.strerror})", "is /proc still mounted?") from error


class LiveSource:
    """Samples of one network namespace."""

    def __init__(
        self,
        *,
        netns: str | None = None,
        families: Iterable[int] = (4, 6),
        reader: str = "auto",
        parameters: Iterable[str] = (),
        counters: bool = True,
    ) -> None:
        """Open everything that will be read, inside the namespace.

        Args:
            netns: name, pid or path; None is the namespace of this process.
            families: 4, 6 or both.
            reader: ``netlink``, ``proc``, or ``auto`` for the first of them that works.
            parameters: dotted names of the kernel parameters to read with each sample.
            counters: whether to read the counters.

        Raises:
            RequestError: there is no such namespace.
            SourceError: it cannot be entered or read.
        """
        path = namespace_path(netns) if netns is not None else None
        families = tuple(families)

        def open_all() -> None:
            self._reader, self._standing_trouble = _open_reader(families, reader)
            self._counter_files = _open_counter_files(self._standing_trouble) if counters else {}
            self._parameter_files = _open_parameter_files(parameters, self._standing_trouble)
            self._port_range_files = _open_parameter_files((_PORT_RANGE,), [])

        if path is None:
            open_all()
        else:
            run_in_namespace(path, open_all)
        host, kernel = host_and_kernel()
        shown_netns = "self" if netns is None else printable(netns)
        options = [*(() if netns is None else ("-N", netns)), *family_options(families)]
        if reader != "auto":
            options += ["--source", reader]
        self._origin = Origin(host, kernel, self._reader.name, shown_netns, tuple(map(printable, options)))

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        started = time.perf_counter()
        taken_at, monotonic_s = datetime.now(timezone.utc), time.monotonic()
        reading = self._reader.read(request)
        trouble = [*self._standing_trouble, *reading.degraded]
        read_s = time.perf_counter()
        owners = _read_owners(trouble) if Need.OWNERS in request.needs else None
        owners_s = time.perf_counter() - read_s
        cgroups = _read_cgroups(trouble) if Need.CGROUPS in request.needs else None
        if Need.AUTOBOUND in request.needs:
            self._keep_to_port_range(reading.rows, trouble)
        counters: dict[str, int] = {}
        for name, file in self._counter_files.items():
            counters |= _COUNTER_FILES[name](_read_text(file, trouble))
        parameters = {name: " ".join(_read_text(file, trouble).split()) for name, file in self._parameter_files.items()}
        return Sample(
            origin=self._origin,
            taken_at=taken_at,
            monotonic_s=monotonic_s,
            table=SocketTable(reading.rows),
            namespaces=(self._origin.netns,),
            counters=counters,
            parameters=parameters,
            cost=Cost(
                dump_ms=reading.dump_s * 1e3,
                decode_ms=reading.decode_s * 1e3,
                owners_ms=owners_s * 1e3,
                total_ms=(time.perf_counter() - started) * 1e3,
            ),
            degraded=tuple(trouble),
            absent_fields=self._reader.absent_fields,
            is_whole=reading.is_whole,
            owners=owners,
            cgroups=cgroups,
        )

    def _keep_to_port_range(self, rows: Rows, trouble: list[Degradation]) -> None:
        """Take back "the kernel chose the port" where that is out of its range, as ``ss`` does.

        The kernel says so of every port that was not bound explicitly, and so of all connections that were accepted.
        """
        file = self._port_range_files.get(_PORT_RANGE)
        if file is None:
            trouble.append(Degradation("parameters.partial", f"cannot read {_PORT_RANGE}, so autobound means too much"))
            return
        low, high = map(int, _read_text(file, trouble).split() or (0, 0xFFFF))
        rows["is_autobound"] &= (rows["local_port"] >= low) & (rows["local_port"] <= high)

    def close(self) -> None:
        self._reader.close()
        for files in (self._counter_files, self._parameter_files, self._port_range_files):
            for file in files.values():
                file.close()


def _open_reader(families: tuple[int, ...], wanted: str) -> tuple[TableReader, list[Degradation]]:
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
            f"{error.message}; /proc/net/tcp is read instead, which has no backlog and no socket identity",
            "allow NETLINK_SOCK_DIAG for this process",
        )
        return ProcNetReader(families), [trouble]


def _open_counter_files(trouble: list[Degradation]) -> dict[str, ProcFile]:
    files = {}
    for name in _COUNTER_FILES:
        opened = open_proc_file(f"/proc/thread-self/net/{name}")
        if isinstance(opened, ProcFile):
            files[name] = opened
        elif not (name == "sockstat6" and is_absent(opened)):
            trouble.append(Degradation("counters.partial", f"cannot read {opened.filename} ({opened.strerror})"))
    return files


def _open_parameter_files(names: Iterable[str], trouble: list[Degradation]) -> dict[str, ProcFile]:
    """The parameters that this kernel has and lets us read; one that it lacks is no trouble."""
    files = {}
    refused = []
    for name in names:
        opened = open_proc_file(parameter_path(name))
        if isinstance(opened, ProcFile):
            files[name] = opened
        elif not is_absent(opened):
            refused.append(name)
    if refused:
        reason = f"cannot read the kernel parameters {', '.join(refused)}"
        trouble.append(Degradation("parameters.partial", reason, "run as root to see them"))
    return files


def _read_text(file: ProcFile, trouble: list[Degradation]) -> str:
    """The file as printable ASCII; what can't be read any more is trouble, once a sample."""
    try:
        return file.read().decode("ascii", "replace")
    except OSError as error:
        trouble.append(Degradation("proc.unreadable", f"cannot read {file.path} ({error.strerror})"))
        return ""


def _read_owners(trouble: list[Degradation]) -> Owners:
    """Who holds which socket, as far as we may look."""
    try:
        scan = read_owners()
    except OSError as error:
        trouble.append(Degradation("owners.unreadable", f"cannot read /proc ({error.strerror})", "is it mounted?"))
        return no_owners()
    if scan.hidden:
        shown = "1 process does not show which sockets it holds"
        if scan.hidden > 1:
            shown = f"{scan.hidden} processes do not show which sockets they hold"
        trouble.append(Degradation("owners.partial", shown, "" if os.geteuid() == 0 else "run as root to see more"))
    elif hides_processes():
        trouble.append(
            Degradation(
                "owners.partial", "/proc hides the processes of other users (hidepid)", "run as root to see them"
            )
        )
    return Owners(scan.inodes, scan.pids, scan.names)


def _read_cgroups(trouble: list[Degradation]) -> dict[int, str]:
    """The path of every cgroup by its id."""
    try:
        mount = cgroup2_mount()
    except OSError as error:
        trouble.append(Degradation("cgroups.absent", f"cannot read the mounts ({error.strerror})"))
        return {}
    if mount is None:
        trouble.append(
            Degradation(
                "cgroups.absent",
                "no cgroup v2 is mounted, so a service or cgroup has no sockets that can be told",
                "filter by process, or mount one: mount -t cgroup2 none /sys/fs/cgroup/unified",
            )
        )
        return {}
    return cgroup_paths(mount)
