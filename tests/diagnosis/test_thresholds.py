"""Thresholds are data: declared once, used, and changed by the configuration."""

import re
from pathlib import Path

import pytest

import tcptui.diagnosis
from tcptui.diagnosis.rules.catalogue import RULES
from tcptui.diagnosis.thresholds import DEFAULTS, THRESHOLDS, UnfitThresholdError, thresholds_of

SOURCES = [path.read_text("utf-8") for path in Path(tcptui.diagnosis.__file__).parent.rglob("*.py")]


def test_each_is_declared_once_with_its_unit_and_of_a_rule_that_there_is() -> None:
    assert len({each.id for each in THRESHOLDS}) == len(THRESHOLDS)
    assert {each.id.partition(".")[0] for each in THRESHOLDS} <= {rule.id for rule in RULES}
    units = {"sockets", "s", "1/s", "share", "bytes", "samples", "peers", "segments"}
    assert {each.unit for each in THRESHOLDS} == units
    assert all(each.about for each in THRESHOLDS)


def test_each_is_used_and_what_is_used_is_declared() -> None:
    used = {name for source in SOURCES for name in re.findall(r'"(R\d\d\.[a-z0-9_]+)"', source)}
    assert used == {each.id for each in THRESHOLDS}
    outside = [source for source in SOURCES if "THRESHOLDS = (" not in source]
    assert {name for source in outside for name in re.findall(r'"(R\d\d\.[a-z0-9_]+)"', source)} == used


def test_a_table_changes_some_and_leaves_the_others() -> None:
    changed = thresholds_of({"R01": {"least": 50}, "R17.warn": 0.6})
    assert (changed["R01.least"], changed["R17.warn"], changed["R02.least"]) == (50, 0.6, DEFAULTS["R02.least"])
    assert thresholds_of({}) == DEFAULTS


@pytest.mark.parametrize(
    ("table", "threshold", "problem"),
    [
        ({"R01.leest": 5}, "R01.leest", "there is no such threshold: did you mean R01.least?"),
        ({"R01": {"least": "many"}}, "R01.least", "not a number from 0 on: write R01.least = 20"),
        ({"R01.least": -1}, "R01.least", "not a number from 0 on: write R01.least = 20"),
        ({"R01.least": True}, "R01.least", "not a number from 0 on: write R01.least = 20"),
        ({"R01.least": float("nan")}, "R01.least", "not a number from 0 on: write R01.least = 20"),
        ({"R17.warn": 70}, "R17.warn", "a share is from 0 to 1: write 0.5 for a half"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_what_to_write(
    table: dict[str, object], threshold: str, problem: str
) -> None:
    with pytest.raises(UnfitThresholdError) as refused:
        thresholds_of(table)
    assert (refused.value.threshold, str(refused.value)) == (threshold, problem)
