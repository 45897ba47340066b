"""What a filter asks and a sample cannot answer, and names in it that stand for nothing here."""

from collections.abc import Iterable

from tcptui.analysis.matching import distinct
from tcptui.language import tr
from tcptui.model.owners import LIKELY_LEAD, NO_CGROUP, REASONS, Attribution, Process
from tcptui.model.sample import Degradation, Sample
from tcptui.query.faults import nearest
from tcptui.query.mask import (
    OWN_NAMESPACE,
    cgroup_test,
    has_foreign_interfaces,
    has_unknown_backlog,
    is_unknown,
    namespace_test,
    process_name_test,
)
from tcptui.query.request import asks_for_age
from tcptui.query.syntax import (
    NO_LIMIT,
    CgroupTest,
    Expression,
    NetnsTest,
    PidTest,
    ProcessTest,
    ServiceTest,
    Test,
    tests_in,
)
from tcptui.query.wording import span_in_words, word_of

_MOST_SIMILAR = 3


def doubts(expression: Expression, sample: Sample) -> list[Degradation]:
    """Why rows may be missing, or why there are none, each said once."""
    tests = list(dict.fromkeys(tests_in(expression)))
    unknown = dict.fromkeys(word_of(test) for test in tests if is_unknown(test, sample))
    trouble = []
    if unknown:
        reason = tr(
            "{source} does not tell {words}: such a condition counts as not met",
            source=sample.origin.source,
            words=tr(", ").join(unknown),
        )
        trouble.append(Degradation("filter.undecided", reason))
    if any(has_unknown_backlog(test, sample) and not is_unknown(test, sample) for test in tests):
        reason = tr(
            "{source} does not tell the backlog of listeners, so sendq holds for none of them",
            source=sample.origin.source,
        )
        trouble.append(Degradation("filter.undecided", reason))
    if any(has_foreign_interfaces(test, sample) and not is_unknown(test, sample) for test in tests):
        reason = tr(
            "interfaces have other numbers in other namespaces, so dev holds in {namespace} alone",
            namespace=OWN_NAMESPACE,
        )
        trouble.append(Degradation("filter.undecided", reason))
    if asks_for_age(expression) and sample.age_ms is None:
        trouble.append(Degradation("filter.undecided", tr("one sample knows no ages"), tr("watch them in the screen")))
    return [
        *trouble,
        *_unknown_processes(tests, sample),
        *_unknown_cgroups(tests, sample),
        *_unknown_namespaces(tests, sample),
    ]


def _unknown_processes(tests: Iterable[Test], sample: Sample) -> list[Degradation]:
    """Processes in the filter that are not there, or have not been looked for yet."""
    named = [test for test in tests if isinstance(test, ProcessTest)]
    numbered = [test for test in tests if isinstance(test, PidTest)]
    if sample.owners is None or sample.attribution is None or not (named or numbered):
        return []
    if sample.owners.looked_at < 1:
        part = tr(
            "{part:.0%} of the processes have been looked at, so rows may be missing yet", part=sample.owners.looked_at
        )
        return [Degradation("owners.looking", part)]
    trouble = []
    seen = _processes_seen(sample, sample.attribution)
    names = sorted({process.name for process in seen})
    for test in named:
        if not any(map(process_name_test(test.name), (*names, *REASONS.values()))):
            reason = tr("no process {name} is seen with a socket", name=test.name)
            trouble.append(Degradation("filter.no_process", reason, _similar(test.name, names)))
    for pid_test in numbered:
        if not any(pid_test.pids.low <= process.pid <= pid_test.pids.high for process in seen):
            wanted = span_in_words(pid_test.pids, NO_LIMIT)
            reason = tr("no process with the id {id} is seen with a socket", id=wanted)
            trouble.append(Degradation("filter.no_process", reason))
    return trouble


def _processes_seen(sample: Sample, attribution: Attribution) -> set[Process]:
    """The processes that stand behind rows of the table; where that has a part of the sockets only, all known ones."""
    groups = attribution.groups
    if sample.is_whole:
        groups = tuple(groups[code] for code in distinct(attribution.codes).tolist() if code >= 0)
    return {process for group in groups for process in group}


def _unknown_cgroups(tests: Iterable[Test], sample: Sample) -> list[Degradation]:
    """Services and cgroups in the filter that are not there."""
    of_sockets = sample.attribution.cgroups if sample.attribution else ()
    paths = {*(sample.cgroups or {}).values(), *of_sockets}
    if not paths:
        return []
    trouble = []
    for test in tests:
        if isinstance(test, ServiceTest) and any(map(cgroup_test(test), (NO_CGROUP, *REASONS.values()))):
            continue
        if isinstance(test, ServiceTest):
            test = ServiceTest(test.name.removeprefix(LIKELY_LEAD))  # noqa: PLW2901 - the same service
        if isinstance(test, (ServiceTest, CgroupTest)) and not any(map(cgroup_test(test), paths)):
            name = test.name if isinstance(test, ServiceTest) else test.path
            parts = {part for path in paths for part in path.split("/") if part}
            hint = _similar(name.rpartition("/")[2], parts)
            reason = tr("there is no {kind} {name}", kind=word_of(test), name=name)
            trouble.append(Degradation("filter.no_cgroup", reason, hint))
    return trouble


def _unknown_namespaces(tests: Iterable[Test], sample: Sample) -> list[Degradation]:
    """Network namespaces in the filter that are not looked at."""
    labels = [label for label in sample.namespaces if label]
    is_one_of_many = len(labels) == len(sample.namespaces) == 1 and "all" not in sample.origin.options
    trouble = []
    for test in tests:
        if isinstance(test, NetnsTest) and not any(map(namespace_test(test.name), sample.namespaces)):
            reason = tr("there is no network namespace {name}", name=test.name)
            looks_at = tr("only {namespace} is looked at: -N all looks at every one", namespace="".join(labels))
            hint = looks_at if is_one_of_many else _similar(test.name, labels)
            trouble.append(Degradation("filter.no_netns", reason, hint))
    return trouble


def _similar(name: str, known: Iterable[str]) -> str:
    """What may have been meant: names that have ``name`` in them or are a part of it, else the nearest."""
    wanted = name.lower().strip("*")
    names = list(known)
    similar = sorted(each for each in names if wanted and (wanted in each.lower() or each.lower() in wanted))
    if similar:
        return tr("there is {names}", names=tr(", ").join(similar[:_MOST_SIMILAR]))
    meant = nearest(wanted, names)
    return tr("did you mean {name}?", name=meant) if meant else ""
