"""Which rows of a table a filter means."""

import fnmatch
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcptui.model.address import ADDRESS_BITS, IPV4_BITS, MAPPED_PREFIX, Network, is_ipv4, is_stand_in
from tcptui.model.owners import LIKELY_LEAD, NO_CGROUP, REASONS, Process, Standing
from tcptui.model.sample import Sample
from tcptui.model.services import service_of
from tcptui.model.states import TcpState
from tcptui.model.table import Mask, Rows
from tcptui.query.syntax import (
    AgeTest,
    AmountTest,
    And,
    AutoboundTest,
    CgroupTest,
    Constant,
    EndpointTest,
    Expression,
    FamilyTest,
    InterfaceTest,
    MarkTest,
    NetnsTest,
    Not,
    Or,
    PidTest,
    PortTest,
    ProcessTest,
    ServiceTest,
    Side,
    Span,
    StateTest,
    Test,
    TimerTest,
    UserTest,
)

LONGEST_COMM = 15
"""Characters of a process's name that the kernel keeps (``TASK_COMM_LEN``, ``include/linux/sched.h``)."""

OWN_NAMESPACE = "self"
"""The label of the network namespace that tcptui runs in, whose interfaces a filter means."""

_COLUMNS: dict[type[Test], str] = {
    TimerTest: "timer",
    InterfaceTest: "interface",
    UserTest: "uid",
    CgroupTest: "cgroup_id",
    PidTest: "holders",
    ProcessTest: "holders",
    MarkTest: "mark",
    AutoboundTest: "is_autobound",
}
_UNIT_ENDINGS = (".service", ".scope", ".slice", ".socket", ".mount", ".swap")
_TIMEWAIT_TIMER = 3


def mask_of(expression: Expression, rows: Rows, sample: Sample | None = None) -> Mask:
    """One truth value a row: whether ``expression`` holds for it.

    What decides beside the row, such as who holds the socket, comes out of ``sample``. A test of what is not known
    holds for no row.
    """
    if isinstance(expression, And):
        return np.logical_and.reduce([mask_of(each, rows, sample) for each in expression.operands])
    if isinstance(expression, Or):
        return np.logical_or.reduce([mask_of(each, rows, sample) for each in expression.operands])
    if isinstance(expression, Not):
        return ~mask_of(expression.operand, rows, sample)
    if sample is not None and is_unknown(expression, sample):
        return _unknown(rows)
    mask = _MASKS[type(expression)](expression, rows, sample)
    column = _column(expression)
    return mask & ~sample.untold[column] if sample is not None and column in sample.untold else mask


def is_unknown(test: Test, sample: Sample) -> bool:
    """Whether the column that decides ``test`` is one that the sample's source does not tell."""
    if isinstance(test, (ProcessTest, ServiceTest)) and test.name.startswith("("):
        return False  # a reason why nobody is named
    if isinstance(test, ServiceTest):
        return {"cgroup_id", "holders"} <= sample.absent_fields
    return _column(test) in sample.absent_fields


def _column(test: Test) -> str:
    """The field that decides ``test``; empty where that is not one alone, or stands beside the rows."""
    return test.field_id if isinstance(test, AmountTest) else _COLUMNS.get(type(test), "")


def has_mini_socket(rows: Rows) -> Mask:
    """Rows for which the kernel keeps neither owner nor inode: TIME_WAIT, orphan FIN_WAIT2, SYN_RECV (FACTS 6.2)."""
    states = rows["state"]
    return (states == TcpState.TIME_WAIT) | (states == TcpState.SYN_RECV) | (rows["timer"] == _TIMEWAIT_TIMER)


def _constant(test: Constant, rows: Rows, _sample: Sample | None) -> Mask:
    return np.full(len(rows), test.value)


def _state(test: StateTest, rows: Rows, _sample: Sample | None) -> Mask:
    wanted = np.zeros(256, bool)
    wanted[list(test.states)] = True
    return wanted[rows["state"]]


def _port(test: PortTest, rows: Rows, _sample: Sample | None) -> Mask:
    return _at_either_end(test.side, lambda end: _within(rows[f"{end}_port"], test.ports))


def _endpoint(test: EndpointTest, rows: Rows, _sample: Sample | None) -> Mask:
    def holds_at(end: str) -> Mask:
        mask = _in_network(test.network, rows[f"{end}_hi"], rows[f"{end}_lo"])
        return mask if test.ports is None else mask & _within(rows[f"{end}_port"], test.ports)

    return _at_either_end(test.side, holds_at)


def _at_either_end(side: Side, holds_at: Callable[[str], Mask]) -> Mask:
    return np.logical_or.reduce([holds_at(end.value) for end in side.ends])


def _within(numbers: NDArray[Any], span: Span) -> Mask:
    """Which numbers are in ``span``, whose ends may lie outside what the numbers' type can hold."""
    limits = np.iinfo(numbers.dtype)
    if span.low > span.high or span.low > limits.max:
        return np.zeros(len(numbers), bool)
    if span.low == span.high:
        return numbers == span.low
    mask = numbers >= span.low if span.low > limits.min else np.ones(len(numbers), bool)
    return mask & (numbers <= span.high) if span.high < limits.max else mask


def _in_network(network: Network, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> Mask:
    """Which addresses are in ``network``.

    An IPv6 network has no IPv4 address in it, mapped or not, nor what stands for a name.
    """
    mask = (hi & np.uint64(network.mask_hi)) == np.uint64(network.hi)
    mask &= (lo & np.uint64(network.mask_lo)) == np.uint64(network.lo)
    return mask & ~is_ipv4(hi, lo) & ~is_stand_in(hi) if surrounds_ipv4(network) else mask


def surrounds_ipv4(network: Network) -> bool:
    """Whether an IPv6 network has the mapped IPv4 addresses in it, as ``::/0`` has."""
    is_within = network.hi == 0 and MAPPED_PREFIX & network.mask_lo == network.lo
    return is_within and prefix_length(network) < ADDRESS_BITS - IPV4_BITS


def is_ipv4_network(network: Network) -> bool:
    """Whether all of its addresses are IPv4 ones, in their mapped form."""
    is_mapped = network.hi == 0 and network.lo >> IPV4_BITS == MAPPED_PREFIX >> IPV4_BITS
    return is_mapped and prefix_length(network) >= ADDRESS_BITS - IPV4_BITS


def prefix_length(network: Network) -> int:
    """How many leading bits of the 128 its addresses share."""
    return network.mask_hi.bit_count() + network.mask_lo.bit_count()


def _family(test: FamilyTest, rows: Rows, _sample: Sample | None) -> Mask:
    return rows["family"] == test.family


def _amount(test: AmountTest, rows: Rows, sample: Sample | None) -> Mask:
    mask = _within(rows[test.field_id], test.amounts)
    if has_unknown_backlog(test, sample):
        mask &= rows["state"] != TcpState.LISTEN
    return mask


def has_unknown_backlog(test: Test, sample: Sample | None) -> bool:
    """Whether ``test`` compares what is the backlog of a listener, and the sample's source does not tell that."""
    is_send_queue = isinstance(test, AmountTest) and test.field_id == "send_queue_bytes"
    return is_send_queue and sample is not None and "backlog" in sample.absent_fields


def _age(test: AgeTest, rows: Rows, sample: Sample | None) -> Mask:
    ages = None if sample is None else sample.age_ms
    return _unknown(rows) if ages is None else _within(ages, test.ages)


def _timer(test: TimerTest, rows: Rows, _sample: Sample | None) -> Mask:
    return rows["timer"] == test.timer


def _interface(test: InterfaceTest, rows: Rows, sample: Sample | None) -> Mask:
    mask = rows["interface"] == test.index
    if sample is not None and has_foreign_interfaces(test, sample):
        mask &= _in_namespaces(rows, sample, lambda label: label == OWN_NAMESPACE)
    return mask


def has_foreign_interfaces(test: Test, sample: Sample) -> bool:
    """Whether ``test`` asks for an interface by its index, which in other namespaces of the sample is another's."""
    return isinstance(test, InterfaceTest) and len(sample.namespaces) > 1


def _netns(test: NetnsTest, rows: Rows, sample: Sample | None) -> Mask:
    if sample is None:
        return _unknown(rows)
    return np.array(namespaces_meant(test.name, sample.namespaces), bool)[rows["netns"]]


def namespaces_meant(name: str, labels: Sequence[str]) -> list[bool]:
    """Which of ``labels`` a name means: the one that is just that, or all that have it in them."""
    exactly = [label.lower() == name.lower() for label in labels]
    is_meant = namespace_test(name)
    return exactly if any(exactly) else [is_meant(label) for label in labels]


def _in_namespaces(rows: Rows, sample: Sample, is_meant: Callable[[str], bool]) -> Mask:
    return np.array([is_meant(label) for label in sample.namespaces], bool)[rows["netns"]]


def namespace_test(pattern: str) -> Callable[[str], bool]:
    """Whether a label, or one of its words, is ``pattern``: both ``812`` and ``nginx`` mean ``pid 812 nginx``."""
    is_named = _name_test(pattern)
    return lambda label: is_named(label) or any(map(is_named, label.split()))


def _mark(test: MarkTest, rows: Rows, _sample: Sample | None) -> Mask:
    return rows["mark"] & np.uint32(test.mask) == test.mark


def _autobound(_test: AutoboundTest, rows: Rows, _sample: Sample | None) -> Mask:
    return rows["is_autobound"] == 1


def _cgroup(test: CgroupTest, rows: Rows, sample: Sample | None) -> Mask:
    paths = None if sample is None else sample.cgroups
    is_meant = cgroup_test(test)
    ids = [number for number, path in (paths or {}).items() if is_meant(path)]
    return np.isin(rows["cgroup_id"], np.array(ids, np.uint64)) if ids else _unknown(rows)


def _service(test: ServiceTest, rows: Rows, sample: Sample | None) -> Mask:
    if sample is None or sample.attribution is None:
        return _unknown(rows)
    attribution = sample.attribution
    is_meant = cgroup_test(ServiceTest(test.name.removeprefix(LIKELY_LEAD)))
    mask = np.array([*map(is_meant, attribution.cgroups), False], bool)[attribution.cgroup_codes]
    mask &= (attribution.standing == Standing.LIKELY) == test.name.startswith(LIKELY_LEAD)
    has_none = attribution.cgroup_codes < 0
    if test.name.startswith("(") and _name_test(test.name)(NO_CGROUP):
        mask |= has_none & (attribution.codes >= 0)
    return mask | has_none & _unnamed(rows, sample, test.name)


def cgroup_test(test: CgroupTest | ServiceTest) -> Callable[[str], bool]:
    """Whether a cgroup's path is one that ``test`` means: a service by the name that is shown, or by a part of it."""
    if isinstance(test, CgroupTest):
        return lambda path: path == test.path
    is_named = _name_test(test.name)
    return lambda path: any(is_named(each) or is_named(_without_ending(each)) for each in _names_of(path))


def _names_of(path: str) -> list[str]:
    return [service_of(path).name, *(each for each in path.split("/") if each)]


def _without_ending(unit: str) -> str:
    ending = next((each for each in _UNIT_ENDINGS if unit.endswith(each)), "")
    return unit.removesuffix(ending)


def _user(test: UserTest, rows: Rows, _sample: Sample | None) -> Mask:
    return (rows["uid"] == test.uid) & ~has_mini_socket(rows)


def _pid(test: PidTest, rows: Rows, sample: Sample | None) -> Mask:
    return _held_by(rows, sample, lambda process: test.pids.low <= process.pid <= test.pids.high)


def _process(test: ProcessTest, rows: Rows, sample: Sample | None) -> Mask:
    is_named = process_name_test(test.name)
    return _held_by(rows, sample, lambda process: is_named(process.name)) | _unnamed(rows, sample, test.name)


def _held_by(rows: Rows, sample: Sample | None, is_meant: Callable[[Process], bool]) -> Mask:
    """Rows behind which a process stands that is meant: one that holds, held or has waiting what the row is."""
    if sample is None or sample.attribution is None:
        return _unknown(rows)
    groups = sample.attribution.groups
    return np.array([*(any(map(is_meant, group)) for group in groups), False], bool)[sample.attribution.codes]


def _unnamed(rows: Rows, sample: Sample | None, pattern: str) -> Mask:
    """Rows behind which nobody is named, for a reason that is written as the table shows it: ``(kernel)``."""
    if sample is None or sample.attribution is None or not pattern.startswith("("):
        return _unknown(rows)
    is_meant = _name_test(pattern)
    reasons = np.array([is_meant(REASONS.get(standing, "")) for standing in Standing], bool)
    return reasons[sample.attribution.standing] & (sample.attribution.codes < 0)


def process_name_test(pattern: str) -> Callable[[str], bool]:
    """Whether a process's name is ``pattern``, of which the kernel would keep the beginning only."""
    is_named = _name_test(pattern)
    kept = pattern.lower()[:LONGEST_COMM] if len(pattern) > LONGEST_COMM else None
    return lambda name: is_named(name) or name.lower() == kept


def _name_test(pattern: str) -> Callable[[str], bool]:
    """Whether a name is ``pattern``, in which ``*`` and ``?`` stand for others, in any case."""
    matches = re.compile(fnmatch.translate(pattern.lower().replace("[", "[[]"))).match
    return lambda name: matches(name.lower()) is not None


def _unknown(rows: Rows) -> Mask:
    return np.zeros(len(rows), bool)


_MASKS: dict[type[Test], Callable[[Any, Rows, Sample | None], Mask]] = {
    Constant: _constant,
    StateTest: _state,
    PortTest: _port,
    EndpointTest: _endpoint,
    FamilyTest: _family,
    AmountTest: _amount,
    AgeTest: _age,
    TimerTest: _timer,
    InterfaceTest: _interface,
    MarkTest: _mark,
    AutoboundTest: _autobound,
    CgroupTest: _cgroup,
    ServiceTest: _service,
    NetnsTest: _netns,
    UserTest: _user,
    PidTest: _pid,
    ProcessTest: _process,
}
