"""What is open in a network namespace, so that each sample can read it again; and which namespace is which.

Everything is opened by a thread that is in the namespace, and can then be read from any. What is open keeps the
namespace alive even when its last process has ended: whoever opens a place closes it soon after that.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tcptui.kernel.counters import parse_conntrack_stat, parse_counter_table, parse_sockstat, parse_softnet_stat
from tcptui.kernel.files import ProcFile, is_absent, open_proc_file, parameter_path
from tcptui.kernel.namespaces import FoundNamespace
from tcptui.kernel.processes import ProcessFolder
from tcptui.language import tr
from tcptui.model.detail import SocketDetail, SocketKey
from tcptui.model.sample import Degradation
from tcptui.model.table import ROW, Rows
from tcptui.query.bytecode import for_other_namespaces
from tcptui.query.request import Need, Request
from tcptui.query.simplify import all_of, any_of
from tcptui.query.syntax import FamilyTest
from tcptui.sources.reading import Reading, cannot_read, open_reader

PORT_RANGE = "net.ipv4.ip_local_port_range"

CounterParsers = Mapping[str, Callable[[str], dict[str, int]]]
"""What reads a file of /proc/net, by the file's name."""

TABLES: CounterParsers = {"snmp": parse_counter_table, "netstat": parse_counter_table}
GAUGES: CounterParsers = {"sockstat": parse_sockstat, "sockstat6": parse_sockstat}
STRAIN: CounterParsers = {"softnet_stat": parse_softnet_stat, "stat/nf_conntrack": parse_conntrack_stat}
"""Of the machine, and of the firewall where it has one; read only where somebody asks (``Need.STRAIN``)."""

_IN_USE = {4: "sockstat.TCP.inuse", 6: "sockstat.TCP6.inuse"}
_MINI_SOCKETS = "sockstat.TCP.tw"
"""TIME_WAIT and orphan FIN_WAIT2, of both families."""
_ESTABLISHED = "Tcp.CurrEstab"
MACHINE_WIDE = frozenset(
    {f"sockstat.TCP.{name}" for name in ("orphan", "alloc", "mem")}
    | {f"Tcp.{name}" for name in ("RtoAlgorithm", "RtoMin", "RtoMax", "MaxConn")}
)
"""Gauges of the whole machine (FACTS E-1) and constants of the kernel: the same in every namespace."""

HIGHEST_NUMBER = 0xFFFF
"""Of the namespaces that a source has met: the table has 16 bits for it."""
_NOTHING_READ = Reading(np.empty(0, ROW), 0.0, 0.0)


@dataclass(frozen=True)
class Wanted:
    """What to open in a namespace."""

    families: tuple[int, ...] = (4, 6)
    reader: str = "auto"
    """``netlink``, ``proc``, or ``auto`` for the first of them that works."""
    parameters: tuple[str, ...] = ()
    """Dotted names."""
    counters: bool = True


class Place:
    """All that is open in one namespace."""

    def __init__(self, wanted: Wanted) -> None:
        """Open it in the namespace of the calling thread.

        Raises:
            SourceError: the table cannot be read.
        """
        self._reader, self.trouble = open_reader(wanted.families, wanted.reader)
        """``trouble`` is what is amiss with every sample."""
        self._counters = CounterFiles({**TABLES, **GAUGES} if wanted.counters else {}, self.trouble)
        self._strain = CounterFiles(STRAIN if wanted.counters else {}, [])
        self._parameters = ParameterFiles(wanted.parameters, self.trouble)
        self._port_range = ParameterFiles((PORT_RANGE,), [])

    @property
    def reader_name(self) -> str:
        """Which interface gives the table."""
        return self._reader.name

    def read(self, request: Request, trouble: list[Degradation]) -> Reading:
        """The sockets that ``request`` asks for, and perhaps more.

        Raises:
            SourceError: the table cannot be read any more.
        """
        reading = self._reader.read(request)
        if Need.AUTOBOUND in request.needs:
            self._keep_to_port_range(reading.rows, trouble)
        return replace(reading, absent_fields=reading.absent_fields | self._reader.absent_fields)

    def look_up(self, key: SocketKey) -> SocketDetail | None:
        """More about one socket; None if it is gone.

        Raises:
            SourceError: the kernel does not answer.
        """
        return self._reader.look_up(key)

    def counters(self, trouble: list[Degradation]) -> dict[str, int]:
        """Counters and gauges as they are now."""
        return self._counters.read(trouble)

    def strain(self, trouble: list[Degradation]) -> dict[str, int]:
        """Counters of the receive path and of the firewall's table as they are now."""
        return self._strain.read(trouble)

    @property
    def read_only_parameters(self) -> frozenset[str]:
        """Those that nobody may change from within the namespace."""
        return self._parameters.read_only

    def parameters(self, trouble: list[Degradation]) -> dict[str, str]:
        """The parameters that the namespace has."""
        return self._parameters.read(trouble)

    def refresh(self) -> None:
        """Read what is not read with each sample, by a thread that is in the namespace: nothing."""

    def close(self) -> None:
        """Give back what is held open."""
        for each in (self._reader, self._counters, self._strain, self._parameters, self._port_range):
            each.close()

    def _keep_to_port_range(self, rows: Rows, trouble: list[Degradation]) -> None:
        """Take back "the kernel chose the port" where that is out of its range, as ``ss`` does.

        The kernel says so of every port that was not bound explicitly, and so of all connections that were accepted.
        """
        text = self._port_range.read(trouble).get(PORT_RANGE)
        if text is None:
            reason = tr("cannot read {parameter}, so autobound means too much", parameter=PORT_RANGE)
            trouble.append(Degradation("parameters.partial", reason))
            return
        low, high = map(int, text.split() or (0, 0xFFFF))
        rows["is_autobound"] &= (rows["local_port"] >= low) & (rows["local_port"] <= high)


class Neighbour(Place):
    """The place of another namespace, of which there may be hundreds, most of them with hardly a socket.

    A dump walks the hash table that all namespaces share, 0.16 ms for 262,144 empty buckets and 10 ms where another
    namespace has 100,000 sockets, while ``/proc/net/sockstat`` tells in 5 us whether there is a socket.
    So where it tells of none, nothing is dumped. Parameters are files of each namespace's own, 20 us each: they are
    read when somebody enters it anyway.
    """

    def __init__(self, wanted: Wanted, index: int) -> None:
        """Open it in the namespace of the calling thread, whose sockets get ``index`` as their namespace."""
        super().__init__(replace(wanted, parameters=(), counters=False))
        self._index = index
        self._wanted = wanted
        self._tables = CounterFiles(TABLES if wanted.counters else {}, self.trouble)
        self._gauges = CounterFiles(GAUGES, self.trouble)
        self._gauges_now: dict[str, int] = {}
        self._without_sockets = frozenset(wanted.families)
        """Families of which the gauges tell of no socket, and a dump had none either if there ever were some."""
        self._is_quiet = self._was_quiet = False
        self.refresh()

    def refresh(self) -> None:
        files = ParameterFiles(self._wanted.parameters, [])
        self._parameters_now, self._read_only_now = files.read([]), files.read_only
        files.close()
        self._tables_now = self._tables.read([])

    def read(self, request: Request, trouble: list[Degradation]) -> Reading:
        self._gauges_now = self._gauges.read(trouble)
        self._without_sockets = self._still_without_sockets()
        families = tuple(each for each in self._wanted.families if each not in self._without_sockets)
        self._was_quiet, self._is_quiet = self._is_quiet, not families
        if not families:
            return _NOTHING_READ
        if request.scope is not None:
            request = replace(request, scope=for_other_namespaces(request.scope))
        reading = super().read(self._narrowed(request, families), trouble)
        reading.rows["netns"] = self._index
        return replace(reading, is_whole=reading.is_whole or request.scope is None)

    def _still_without_sockets(self) -> frozenset[int]:
        """The families in which there is nothing to dump.

        The gauges do not count half-open connections, which a closed listener leaves behind until their timers fire.
        So where there have been sockets, the gauges are believed once a dump has none. At first sight they are believed
        at once: to dump hundreds of namespaces would be a high price for connections that nobody can accept any more.
        """
        silent = {family for family in self._wanted.families if self._is_silent(family)}
        return frozenset(each for each in silent if each in self._without_sockets or self._is_empty(each))

    def _is_silent(self, family: int) -> bool:
        """Whether the gauges tell of no socket. Those of a machine without IPv6 do not tell of any family."""
        return self._gauges_now.get(_IN_USE[family]) == 0 == self._gauges_now.get(_MINI_SOCKETS)

    def _is_empty(self, family: int) -> bool:
        """Whether the table has no socket of ``family``."""
        rows = self._reader.read(Request(FamilyTest(family))).rows
        return not np.any(rows["family"] == family)

    def _narrowed(self, request: Request, families: tuple[int, ...]) -> Request:
        """``request`` for some of the families; of another the kernel is only asked for listeners, which it has not."""
        if families == self._wanted.families:
            return request
        parts = [any_of(FamilyTest(each) for each in families)]
        if request.scope is not None:
            parts.append(request.scope)
        return replace(request, scope=all_of(parts))

    def counters(self, trouble: list[Degradation]) -> dict[str, int]:
        """Counters as they are where there were sockets in this sample or the last, else as when they were refreshed.

        A namespace without any hardly counts, and its tables take ten times as long as its gauges.
        """
        if not (self._is_quiet and self._was_quiet):
            self._tables_now = self._tables.read(trouble)
        return self._tables_now | self._gauges_now if self._wanted.counters else {}

    @property
    def read_only_parameters(self) -> frozenset[str]:
        """Those that nobody might change when they were refreshed."""
        return self._read_only_now

    def parameters(self, trouble: list[Degradation]) -> dict[str, str]:
        """The parameters as they were when they were refreshed."""
        return self._parameters_now

    def close(self) -> None:
        super().close()
        self._tables.close()
        self._gauges.close()


def joined(readings: list[Reading]) -> Reading:
    """The readings of several namespaces as one; they have no socket in common."""
    if len(readings) == 1:
        return readings[0]
    started = time.perf_counter()
    parts = [each.rows for each in readings if len(each.rows)]
    rows = parts[0] if len(parts) == 1 else np.concatenate(parts or [_NOTHING_READ.rows])
    joining_s = time.perf_counter() - started
    return Reading(
        rows,
        sum(each.dump_s for each in readings),
        sum(each.decode_s for each in readings) + joining_s,
        tuple(trouble for each in readings for trouble in each.degraded),
        all(each.is_whole for each in readings),
        frozenset().union(*(each.absent_fields for each in readings)),
    )


def summed(readings: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sum by name. Readings that have the same names in the same order, as a kernel's have, take 2 us each."""
    alike: dict[tuple[str, ...], list[Iterable[int]]] = {}
    for reading in readings:
        alike.setdefault(tuple(reading), []).append(reading.values())
    total: dict[str, int] = {}
    for names, rows in alike.items():
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            total[name] = total.get(name, 0) + sum(values)
    return total


def lasting(counters: Mapping[str, int]) -> dict[str, int]:
    """What remains of the counters of a namespace that has ended, so that sums never fall: all but the gauges."""
    return {
        name: value for name, value in counters.items() if not name.startswith("sockstat.") and name != _ESTABLISHED
    }


# -- Which namespace is which ------------------------------------------------------------------------------------------


class Roll:
    """Gives each namespace of the machine a number and a label of its own, which stay while the source lives."""

    def __init__(self, own_inode: int) -> None:
        """The namespace of this process is number 0."""
        self._own_inode = own_inode
        self.labels = ["self"]
        """By number; empty for a namespace that has ended."""
        self.found: dict[int, FoundNamespace] = {}
        """The others by number, as they were listed last."""

    def unknown(self, namespaces: Iterable[FoundNamespace]) -> list[FoundNamespace]:
        """Those without a number."""
        known = {self._own_inode, *(each.inode for each in self.found.values())}
        return [each for each in namespaces if each.inode not in known]

    def ended(self, namespaces: Iterable[FoundNamespace]) -> list[int]:
        """The numbers of those that are no more among ``namespaces``."""
        alive = {each.inode for each in namespaces}
        return [number for number, each in self.found.items() if each.inode not in alive]

    def free_number(self) -> int:
        """The next number, or that of a namespace that has ended when all have been given."""
        return len(self.labels) if len(self.labels) <= HIGHEST_NUMBER else self.labels.index("")

    def enter(self, namespace: FoundNamespace, number: int) -> None:
        """Give the namespace ``number``, which is free."""
        self.found[number] = namespace
        if number == len(self.labels):
            self.labels.append("")
        self.labels[number] = _label(namespace)

    def forget(self, number: int) -> None:
        """The namespace has ended."""
        del self.found[number]
        self.labels[number] = ""

    def update(self, namespaces: Iterable[FoundNamespace]) -> None:
        """Take over a new list; the inode tells those apart whose labels would be equal."""
        listed = {each.inode: each for each in namespaces}
        taken = {self.labels[0]}
        for number, namespace in self.found.items():
            self.found[number] = listed.get(namespace.inode, namespace)
            label = _label(self.found[number])
            while label in taken:
                label = f"{label} {namespace.inode}"
            taken.add(label)
            self.labels[number] = label


def _label(namespace: FoundNamespace) -> str:
    if namespace.names or namespace.lowest_pid is None:
        return namespace.names[0] if namespace.names else str(namespace.inode)
    try:
        with ProcessFolder(namespace.lowest_pid) as process:
            return f"pid {namespace.lowest_pid} {process.name()}"
    except OSError:  # it has ended
        return f"pid {namespace.lowest_pid}"


# -- Files -------------------------------------------------------------------------------------------------------------


class CounterFiles:
    """Open files of ``/proc/net``."""

    def __init__(self, parsers: CounterParsers, trouble: list[Degradation]) -> None:
        """Open those that ``parsers`` names; what cannot be opened goes to ``trouble``."""
        self._files: list[tuple[ProcFile, Callable[[str], dict[str, int]]]] = []
        for name, parse in parsers.items():
            opened = open_proc_file(f"/proc/thread-self/net/{name}")
            if isinstance(opened, ProcFile):
                self._files.append((opened, parse))
            elif not (name == "sockstat6" and is_absent(opened)):
                trouble.append(Degradation("counters.partial", cannot_read(opened.filename, opened)))

    def read(self, trouble: list[Degradation]) -> dict[str, int]:
        """What they say now."""
        counters: dict[str, int] = {}
        for file, parse in self._files:
            counters |= parse(_read_text(file, trouble))
        return counters

    def close(self) -> None:
        """Close them."""
        for file, _ in self._files:
            file.close()


class ParameterFiles:
    """Open files of kernel parameters."""

    def __init__(self, names: Iterable[str], trouble: list[Degradation]) -> None:
        """Open those that this kernel has and lets us read; one that it lacks is no trouble."""
        self._files: dict[str, ProcFile] = {}
        read_only = []
        refused = []
        for name in names:
            opened = open_proc_file(parameter_path(name))
            if isinstance(opened, ProcFile):
                self._files[name] = opened
                read_only += [] if opened.is_writable_by_somebody else [name]
            elif not is_absent(opened):
                refused.append(name)
        if refused:
            reason = tr("cannot read the kernel parameters {names}", names=tr(", ").join(refused))
            trouble.append(Degradation("parameters.partial", reason, tr("run as root to see them")))
        self.read_only = frozenset(read_only)
        """Those that nobody may write."""

    def read(self, trouble: list[Degradation]) -> dict[str, str]:
        """The values by name, words separated by one space."""
        return {name: " ".join(_read_text(file, trouble).split()) for name, file in self._files.items()}

    def close(self) -> None:
        """Close them."""
        for file in self._files.values():
            file.close()


def _read_text(file: ProcFile, trouble: list[Degradation]) -> str:
    """The file as printable ASCII; what can't be read any more is trouble, once a sample."""
    try:
        return file.read().decode("ascii", "replace")
    except OSError as error:
        trouble.append(Degradation("proc.unreadable", cannot_read(file.path, error)))
        return ""
