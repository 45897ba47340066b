"""How findings come and go: nothing flaps, and what is better is believed only after a while."""

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tcptui.diagnosis.finding import Confidence, Finding, Severity
from tcptui.diagnosis.findings import BAND, PATIENCE, FollowedFinding, Phase, follow

FOUND = Finding(
    "R01",
    "900",
    Severity.WARNING,
    Confidence.LIKELY,
    "verdict",
    (),
    "first",
    "not",
    "refuted",
    "CLOSE_WAIT",
    size=100.0,
)


def results(*sizes: float | None, severity: Severity = Severity.WARNING) -> list[list[Finding]]:
    """One finding of these sizes, result by result; None where it is missing."""
    return [[] if size is None else [replace(FOUND, size=size, severity=severity)] for size in sizes]


def followed(found: list[list[Finding]], before: tuple[FollowedFinding, ...] = ()) -> list[tuple[FollowedFinding, ...]]:
    """What is followed after each result, a second apart."""
    course = []
    for second, findings in enumerate(found):
        before = follow(before, findings, float(second))
        course.append(before)
    return course


def phases(*sizes: float | None) -> list[Phase | None]:
    return [each[0].phase if each else None for each in followed(results(*sizes))]


def test_it_is_seen_stands_still_rises_eases_and_goes() -> None:
    new, rising, steady, easing, gone = Phase.NEW, Phase.RISING, Phase.STEADY, Phase.EASING, Phase.GONE
    assert phases(100, 100, 100, 100) == [new, new, new, steady]
    assert phases(100, 120, 140, 140, 140, 140) == [new, rising, rising, rising, rising, steady]
    assert phases(100, 80, 60) == [new, easing, easing]
    assert phases(100, 120, 90) == [new, rising, steady]
    assert phases(100, None, None, None, None) == [new, new, new, gone, None]


def test_it_is_known_since_when_and_how_large_it_was() -> None:
    *_, last = followed(results(100, 150, 150, 150, 150, 90))
    (finding,) = last
    assert (finding.first_seen_s, finding.peak, finding.finding.size) == (0, 150, 90)
    assert (finding.phase, finding.changed_s) == (Phase.EASING, 5)


def test_what_comes_back_in_time_was_never_gone_and_later_it_is_new() -> None:
    assert phases(100, None, None, 100) == [Phase.NEW] * 4
    assert phases(100, None, None, None, 100)[-2:] == [Phase.GONE, Phase.NEW]


def test_it_gets_worse_at_once_and_better_after_a_while() -> None:
    critical, mild = results(100, severity=Severity.CRITICAL), results(100)
    course = followed([*mild, *critical, *mild * (PATIENCE + 1)])
    assert [each[0].finding.severity for each in course] == [
        Severity.WARNING,
        *[Severity.CRITICAL] * PATIENCE,
        *[Severity.WARNING] * 2,
    ]


def test_findings_of_one_rule_are_told_apart_and_the_worst_comes_first() -> None:
    other = replace(FOUND, subject="901", severity=Severity.CRITICAL)
    ((first, second),) = followed([[FOUND, other]])
    assert (first.finding.subject, second.finding.subject) == ("901", "900")
    *_, last = followed([[FOUND, other], *[[FOUND]] * PATIENCE])
    assert [each.phase for each in last] == [Phase.STEADY, Phase.GONE]


presences = st.lists(st.booleans(), min_size=1, max_size=40)


@given(presences)
def test_what_is_never_missing_for_long_never_goes(presence: list[bool]) -> None:
    """Whatever the pattern: a gap shorter than the patience is none."""
    gap, kept = 0, [True]
    for is_there in presence:
        gap = 0 if is_there or gap + 1 >= PATIENCE else gap + 1
        kept.append(gap == 0)
    for each in followed(results(*(100.0 if is_there else None for is_there in kept))):
        assert [finding.is_open for finding in each] == [True]


@given(st.lists(st.floats(-0.04, 0.04), min_size=PATIENCE + 1, max_size=40))
def test_noise_within_the_band_neither_rises_nor_eases(noise: list[float]) -> None:
    course = followed(results(1000, *(1000 * (1 + each) for each in noise)))
    assert {each[0].phase for each in course} <= {Phase.NEW, Phase.STEADY}
    assert course[-1][0].phase is Phase.STEADY


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), max_size=40))
def test_from_rising_to_easing_there_is_always_a_rest(sizes: list[float | None]) -> None:
    course = [each[0] for each in followed(results(*sizes)) if each]
    for before, after in itertools.pairwise(course):
        assert {before.phase, after.phase} != {Phase.RISING, Phase.EASING} or before.first_seen_s != after.first_seen_s
        assert after.peak >= after.finding.size or after.missing


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), unique=True), min_size=PATIENCE, max_size=30))
def test_each_finding_is_followed_once_and_all_go_in_the_end(subjects: list[list[str]]) -> None:
    found = [[replace(FOUND, subject=subject) for subject in each] for each in subjects]
    course = followed([*found, *[[]] * (PATIENCE + 1)])
    for each in course:
        keys = [finding.finding.key for finding in each if finding.is_open]
        assert len(keys) == len(set(keys))
    assert course[-1] == ()


@given(st.floats(1, 1e6))
def test_a_move_is_a_tenth_at_least(size: float) -> None:
    little, much = size * (1 + BAND * 0.9), size * (1 + BAND) + 2
    assert phases(size, little)[-1] is Phase.NEW
    assert phases(size, much)[-1] is Phase.RISING


def test_what_a_process_does_is_the_same_when_the_process_is_known() -> None:
    """It takes a moment to find out who holds the sockets."""
    unnamed, small = replace(FOUND, subject="user 0"), replace(FOUND, subject="901", size=2.0)
    *_, last = followed([[unnamed], [small, FOUND], [small, FOUND]])
    assert {each.finding.subject: each.first_seen_s for each in last} == {"900": 0, "901": 1}
    assert all(each.is_open for each in last)


def test_what_others_do_is_another_finding() -> None:
    unnamed, other_rule = replace(FOUND, subject="user 0"), replace(FOUND, rule="R02")
    *_, last = followed([[unnamed], [unnamed, FOUND], [unnamed, FOUND]])
    assert {each.finding.subject: each.first_seen_s for each in last} == {"user 0": 0, "900": 1}
    *_, last = followed([[unnamed], *[[other_rule]] * PATIENCE])
    assert {each.finding.rule: each.is_open for each in last} == {"R01": False, "R02": True}


def test_a_process_that_becomes_known_is_looked_for_in_the_same_namespace() -> None:
    unnamed, elsewhere = replace(FOUND, subject="user 0 @blue"), replace(FOUND, subject="7 @green", size=500.0)
    *_, last = followed([[unnamed], [elsewhere, replace(FOUND, subject="8 @blue")]])
    assert {each.finding.subject: each.first_seen_s for each in last} == {"8 @blue": 0, "7 @green": 1}
