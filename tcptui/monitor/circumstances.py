"""What of a sample an explanation is told: values of one namespace, rates, limits. Pure."""

from collections.abc import Mapping

from tcptui.explain.circumstances import Circumstances, NearestLimit
from tcptui.explain.commands import Selection
from tcptui.model.sample import Sample

_OWN_NAMESPACE = 0
_NO_SELECTION = Selection()


def circumstances_of(
    sample: Sample,
    previous: Sample | None = None,
    *,
    netns: int = 0,
    selection: Selection = _NO_SELECTION,
    with_limits: bool = False,
) -> Circumstances:
    """The values that hold in the namespace with index ``netns``.

    Counters are those of all namespaces that are looked at. The files on disk are about the own namespace alone.
    ``with_limits`` looks for the process that is nearest to its own, among thousands.
    """
    return Circumstances(
        parameters=sample.namespace_parameters.get(netns, sample.parameters),
        was_read=netns in sample.read_only_parameters,
        counters=sample.counters,
        is_sum=len(sample.namespaces) > 1,
        rates=_rates(sample, previous),
        disk=sample.disk if netns == _OWN_NAMESPACE else None,
        read_only=sample.read_only_parameters.get(netns, frozenset()),
        nearest_limit=_nearest_limit(sample) if with_limits else None,
        selection=selection,
    )


def _rates(sample: Sample, previous: Sample | None) -> Mapping[str, float]:
    """How much each counter has grown a second; none went back but by a namespace that left."""
    if previous is None or sample.monotonic_s <= previous.monotonic_s:
        return {}
    elapsed_s = sample.monotonic_s - previous.monotonic_s
    before = previous.counters
    return {
        name: (value - before[name]) / elapsed_s
        for name, value in sample.counters.items()
        if name in before and value >= before[name]
    }


def _nearest_limit(sample: Sample) -> NearestLimit | None:
    """The process with sockets that is nearest to its limit of open descriptors."""
    if sample.owners is None:
        return None
    named = {process.pid: process for group in sample.owners.groups for process in group}
    told = (
        (each.open / each.limit, pid, each.open, each.limit)
        for pid, each in sample.owners.descriptors.items()
        if pid in named and each.limit
    )
    share = max(told, default=None)
    if share is None:
        return None
    _, pid, used, limit = share
    return NearestLimit(named[pid].name, pid, used, limit)
