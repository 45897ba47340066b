"""The Linux kernel of this machine: sock_diag, or /proc/net/tcp where that is not to be had."""

import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tcptui.errors import SourceError
from tcptui.kernel.counters import parse_counter_table, parse_sockstat
from tcptui.kernel.files import ProcFile, is_absent, open_proc_file, parameter_path
from tcptui.kernel.namespaces import namespace_path, run_in_namespace
from tcptui.kernel.procfs import parse_proc_net_tcp
from tcptui.kernel.sock_diag import DumpReport, SockDiag
from tcptui.model.sample import Cost, Degradation, Origin, Sample
from tcptui.model.states import TcpState
from tcptui.model.table import Rows, SocketTable, unique_by_cookie
from tcptui.sources.base import ALL_STATES_MASK, StatesMask, family_options
from tcptui.sources.machine import host_and_kernel
from tcptui.sources.tables import TableBuilder, rows_from_proc_net
from tcptui.text import printable

SOCKET_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

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


class TableReader(Protocol):
    """One way to the kernel's socket table."""

    name: str
    absent_fields: frozenset[str]

    def read(self, states: StatesMask) -> Reading:
        """All sockets in ``states``."""

    def close(self) -> None:
        """Give back what is held open."""


class SockDiagReader:
    """The table through netlink."""

    name = "sock_diag"
    absent_fields: frozenset[str] = frozenset()

    def __init__(self, families: Iterable[int]) -> None:
        self._families = tuple(families)
        self._sock_diag = SockDiag()
        self._last_count = 0
        # A kernel without sock_diag says so only when asked: ask now, for no state at all, while there is a choice.
        self._sock_diag.dump(SOCKET_FAMILIES[self._families[0]], 0, lambda _rows, _ids: None)

    def read(self, states: StatesMask) -> Reading:
        builder = TableBuilder(self._last_count)
        reports = {family: self._dump(builder, family, states) for family in self._families}
        started = time.perf_counter()
        rows, trouble = _known_states(unique_by_cookie(builder.rows()))
        self._last_count = len(rows)
        decode_s = time.perf_counter() - started + sum(report.decode_s for report in reports.values())
        trouble += [each for family, report in reports.items() for each in _dump_trouble(report, family)]
        return Reading(rows, sum(report.receive_s for report in reports.values()), decode_s, tuple(trouble))

    def _dump(self, builder: TableBuilder, family: int, states: StatesMask) -> DumpReport:
        """Add one family to ``builder``; a dump that was interrupted is taken once more."""
        before = len(builder)

        def take(messages: NDArray[np.void], cgroup_ids: NDArray[np.uint64]) -> None:
            builder.append(messages, cgroup_ids, family)

        report = self._sock_diag.dump(SOCKET_FAMILIES[family], states, take)
        if report.interrupted:
            builder.forget_from(before)
            report = self._sock_diag.dump(SOCKET_FAMILIES[family], states, take)
        return report

    def close(self) -> None:
        self._sock_diag.close()


def _known_states(rows: Rows) -> tuple[Rows, list[Degradation]]:
    """The rows in states that this program knows, and what to say of the others."""
    known = np.isin(rows["state"], list(TcpState))
    if known.all():
        return rows, []
    reason = f"{len(rows) - int(known.sum())} sockets are in a state that this version does not know"
    return rows[known], [Degradation("states.unknown", reason)]


def _dump_trouble(report: DumpReport, family: int) -> list[Degradation]:
    trouble = []
    if report.interrupted:
        trouble.append(
            Degradation(
                "dump.interrupted",
                f"the IPv{family} table changed under two dumps in a row, so counts may be off",
                "look at the next sample",
            )
        )
    if report.skipped:
        trouble.append(
            Degradation("dump.skipped", f"{report.skipped} parts of the IPv{family} dump are not understood")
        )
    return trouble


class ProcNetReader:
    """The table through ``/proc/net/tcp`` and ``/proc/net/tcp6``."""

    name = "/proc/net/tcp"
    absent_fields = frozenset({"cookie", "backlog", "cgroup_id", "interface"})

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

    def read(self, states: StatesMask) -> Reading:
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
        wanted = (states >> rows["state"].astype(np.int64)) & 1 == 1
        degraded: tuple[Degradation, ...] = ()
        if malformed:
            degraded = (Degradation("procfs.malformed", f"{malformed} lines of /proc/net/tcp are not understood"),)
        return Reading(rows[wanted], dump_s, decode_s, degraded)

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

    def sample(self, states: StatesMask = ALL_STATES_MASK) -> Sample:
        started = time.perf_counter()
        taken_at, monotonic_s = datetime.now(timezone.utc), time.monotonic()
        reading = self._reader.read(states)
        trouble = [*self._standing_trouble, *reading.degraded]
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
                total_ms=(time.perf_counter() - started) * 1e3,
            ),
            degraded=tuple(trouble),
            absent_fields=self._reader.absent_fields,
        )

    def close(self) -> None:
        self._reader.close()
        for file in (*self._counter_files.values(), *self._parameter_files.values()):
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
