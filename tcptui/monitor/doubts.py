"""What a filter asks and a sample cannot answer, and names in it that stand for nothing here."""

from collections.abc import Iterable

from tcptui.model.sample import Degradation, Sample
from tcptui.monitor.presence import process_names
from tcptui.query.faults import nearest
from tcptui.query.mask import cgroup_test, has_unknown_backlog, is_unknown, process_name_test
from tcptui.query.request import asks_for_age
from tcptui.query.syntax import NO_LIMIT, CgroupTest, Expression, PidTest, ProcessTest, ServiceTest, Test, tests_in
from tcptui.query.wording import span_in_words, word_of

_MOST_SIMILAR = 3


def doubts(expression: Expression, sample: Sample) -> list[Degradation]:
    """Why rows may be missing, or why there are none, each said once."""
    tests = list(dict.fromkeys(tests_in(expression)))
    unknown = dict.fromkeys(word_of(test) for test in tests if is_unknown(test, sample))
    trouble = []
    if unknown:
        reason = f"{sample.origin.source} does not tell {', '.join(unknown)}: such a condition counts as not met"
        trouble.append(Degradation("filter.undecided", reason))
    if any(has_unknown_backlog(test, sample) and not is_unknown(test, sample) for test in tests):
        reason = f"{sample.origin.source} does not tell the backlog of listeners, so sendq holds for none of them"
        trouble.append(Degradation("filter.undecided", reason))
    if asks_for_age(expression) and sample.age_ms is None:
        trouble.append(Degradation("filter.undecided", "one sample knows no ages", "watch them in the screen"))
    return [*trouble, *_unknown_processes(tests, sample), *_unknown_cgroups(tests, sample)]


def _unknown_processes(tests: Iterable[Test], sample: Sample) -> list[Degradation]:
    """Processes in the filter that are not there."""
    owners = sample.owners
    named = [test for test in tests if isinstance(test, ProcessTest)]
    numbered = [test for test in tests if isinstance(test, PidTest)]
    if owners is None or not (named or numbered):
        return []
    trouble = []
    names = process_names(sample) if named else ()
    for test in named:
        if not any(map(process_name_test(test.name), names)):
            reason = f"no process {test.name} is seen with a socket"
            trouble.append(Degradation("filter.no_process", reason, _similar(test.name, names)))
    for pid_test in numbered:
        if not any(pid_test.pids.low <= pid <= pid_test.pids.high for pid in owners.names):
            pids = span_in_words(pid_test.pids, NO_LIMIT)
            trouble.append(Degradation("filter.no_process", f"no process with the id {pids} is seen with a socket"))
    return trouble


def _unknown_cgroups(tests: Iterable[Test], sample: Sample) -> list[Degradation]:
    """Services and cgroups in the filter that are not there."""
    if not sample.cgroups:
        return []
    paths = sample.cgroups.values()
    trouble = []
    for test in tests:
        if isinstance(test, (ServiceTest, CgroupTest)) and not any(map(cgroup_test(test), paths)):
            name = test.name if isinstance(test, ServiceTest) else test.path
            parts = {part for path in paths for part in path.split("/") if part}
            hint = _similar(name.rpartition("/")[2], parts)
            trouble.append(Degradation("filter.no_cgroup", f"there is no {word_of(test)} {name}", hint))
    return trouble


def _similar(name: str, known: Iterable[str]) -> str:
    """What may have been meant: names that have ``name`` in them or are a part of it, else the nearest."""
    wanted = name.lower().strip("*")
    names = list(known)
    similar = sorted(each for each in names if wanted and (wanted in each.lower() or each.lower() in wanted))
    if similar:
        return f"there is {', '.join(similar[:_MOST_SIMILAR])}"
    meant = nearest(wanted, names)
    return f"did you mean {meant}?" if meant else ""
