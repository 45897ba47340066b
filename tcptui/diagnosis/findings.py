"""Findings over time: first seen, rising, steady, easing, gone. A pure state machine over one result after another.

Nothing flaps. A finding that is missing from a result stays for ``PATIENCE`` results before it is gone; its severity
rises at once and falls only when it has been lower for as long; and it rises or eases only when its size leaves a band
about the size at which it was last said to move.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from tcptui.diagnosis.finding import Finding, Severity
from tcptui.language import mark

PATIENCE = 3
"""Results in a row that it takes to believe that something is better."""
BAND = 0.1
"""Of its size, within which a finding is taken to stand still."""
LEAST_MOVE = 1.0
"""A change of less is none, however small the size is."""


class Phase(str, Enum):
    """How a finding stands to what it was."""

    NEW = "first seen"
    RISING = "rising"
    STEADY = "steady"
    EASING = "easing"
    GONE = "gone"


PHASE_TITLES = {
    Phase.NEW: mark("first seen"),
    Phase.RISING: mark("rising"),
    Phase.STEADY: mark("steady"),
    Phase.EASING: mark("easing"),
    Phase.GONE: mark("gone"),
}


@dataclass(frozen=True)
class FollowedFinding:
    """A finding with what has become of it."""

    finding: Finding
    """As it was found last, with the severity in force."""
    phase: Phase
    first_seen_s: float
    """By the clock of the samples, like all times here."""
    changed_s: float
    """When it came into its phase."""
    peak: float
    """The largest size so far."""
    level: float
    """The size at which it was last said to move."""
    quiet: int = 0
    """Results in a row within the band."""
    missing: int = 0
    """Results in a row without it."""
    milder: int = 0
    """Results in a row with a lower severity."""

    @property
    def is_open(self) -> bool:
        """Whether it is still there."""
        return self.phase is not Phase.GONE


def follow(before: Iterable[FollowedFinding], findings: Iterable[Finding], now_s: float) -> tuple[FollowedFinding, ...]:
    """The findings after one more result, the worst first; those that are gone once more, at the end, and no longer."""
    now = {finding.key: finding for finding in findings}
    open_before = [each for each in before if each.is_open]
    found = {each.finding.key: now.pop(each.finding.key, None) for each in open_before}
    for each in open_before:
        if each.finding.is_unnamed and found[each.finding.key] is None:
            found[each.finding.key] = _named_by_now(each.finding, now)
    followed = [_continued(each, found[each.finding.key], now_s) for each in open_before]
    new = [
        FollowedFinding(finding, Phase.NEW, now_s, now_s, peak=finding.size, level=finding.size)
        for finding in now.values()
    ]
    return tuple(sorted((*followed, *new), key=_order))


def _named_by_now(before: Finding, new: dict[tuple[str, str], Finding]) -> Finding | None:
    """What was found of a process that was not known, once it is: the largest new finding of the rule, taken out."""
    named = [
        each for each in new.values() if (each.rule, each.place) == (before.rule, before.place) and not each.is_unnamed
    ]
    return new.pop(max(named, key=lambda each: each.size).key) if named else None


def _continued(before: FollowedFinding, finding: Finding | None, now_s: float) -> FollowedFinding:
    if finding is None:
        missing = before.missing + 1
        if missing >= PATIENCE:
            return replace(before, phase=Phase.GONE, changed_s=now_s, missing=missing)
        return replace(before, missing=missing)
    severity, milder = _severity(before, finding)
    phase, level, quiet = _movement(before, finding.size)
    return replace(
        before,
        finding=replace(finding, severity=severity),
        phase=phase,
        changed_s=before.changed_s if phase is before.phase else now_s,
        peak=max(before.peak, finding.size),
        level=level,
        quiet=quiet,
        missing=0,
        milder=milder,
    )


def _severity(before: FollowedFinding, finding: Finding) -> tuple[Severity, int]:
    """The severity in force, and for how many results it has been lower."""
    if finding.severity >= before.finding.severity:
        return finding.severity, 0
    milder = before.milder + 1
    return (finding.severity, 0) if milder >= PATIENCE else (before.finding.severity, milder)


def _movement(before: FollowedFinding, size: float) -> tuple[Phase, float, int]:
    """The phase in force, the size that further moves are judged by, and for how many results it has stood still."""
    band = max(BAND * before.level, LEAST_MOVE)
    if abs(size - before.level) < band:
        quiet = before.quiet + 1
        return (Phase.STEADY if quiet >= PATIENCE else before.phase), before.level, quiet
    wanted = Phase.RISING if size > before.level else Phase.EASING
    opposite = {before.phase, wanted} == {Phase.RISING, Phase.EASING}
    # What turns round has stood still for a moment, at least.
    return (Phase.STEADY if opposite else wanted), size, 0


def _order(each: FollowedFinding) -> tuple[bool, int, float]:
    return not each.is_open, -each.finding.severity, each.first_seen_s
