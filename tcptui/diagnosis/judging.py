"""All rules over one sample's evidence."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import IN_NAMESPACE, Diagnosis, Finding, Unchecked
from tcptui.diagnosis.rule import Rule
from tcptui.diagnosis.rules.catalogue import RULES
from tcptui.language import tr

MANY_NAMESPACES, LEAST_SOCKETS = 20, 5
"""Where there are more namespaces, those with fewer sockets are left alone: each takes more than a millisecond."""


def judge(evidence: Evidence, rules: Iterable[Rule] = RULES) -> Diagnosis:
    """What the rules say: the worst finding first, and within that the surest and the largest."""
    places = _by_namespace(evidence)
    findings: list[Finding] = []
    checked, unchecked = [], []
    for rule in rules:
        reasons = {place: rule.missing(place) for place in (places if rule.is_about_sockets else [evidence])}
        able = [place for place, reason in reasons.items() if reason is None]
        if not able:
            unchecked.append(Unchecked(rule.id, tr(rule.title), next(iter(reasons.values())) or ""))
            continue
        checked.append(rule.id)
        for place in able:
            findings += _findings(rule, place, is_one_of_several=len(evidence.sample.namespaces) > 1)
    return Diagnosis(tuple(sorted(findings, key=_order)), tuple(checked), tuple(unchecked))


def _by_namespace(evidence: Evidence) -> list[Evidence]:
    """The evidence of each namespace that has sockets; what is to be judged is judged in each by itself."""
    if len(evidence.sample.namespaces) == 1:
        return [evidence]
    counts = np.bincount(evidence.sample.table.rows["netns"])
    least = LEAST_SOCKETS if np.count_nonzero(counts) > MANY_NAMESPACES else 1
    numbers = np.flatnonzero(counts >= least)
    return [evidence.within(number) for number in numbers.tolist()] or [evidence]


def _findings(rule: Rule, evidence: Evidence, *, is_one_of_several: bool) -> Iterator[Finding]:
    for seen in rule.judge(evidence):
        finding = rule.finding(seen)
        if is_one_of_several and rule.is_about_sockets:
            name = evidence.sample.namespaces[evidence.sockets.netns]
            finding = replace(
                finding,
                subject=f"{finding.subject}{IN_NAMESPACE}{name}",
                verdict=tr("{verdict} (netns {netns})", verdict=finding.verdict, netns=name),
            )
        yield finding


def _order(finding: Finding) -> tuple[int, int, str, float]:
    sureness = list(type(finding.confidence)).index(finding.confidence)
    return -finding.severity, sureness, finding.rule, -finding.size
