"""CSV: for spreadsheets and for programs."""

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.attribution import attributed
from tcptui.export.formats import Format, _csv_cell, render
from tcptui.model.fields import OVER_TIME_FIELDS, ViewKind
from tests.export.frames import frame, sample
from tests.model.held import SSHD, whereabouts_of

every_kind = pytest.mark.parametrize("kind", ViewKind, ids=[kind.value for kind in ViewKind])


@every_kind
def test_the_header_is_the_fields_and_the_cells_are_those_of_the_json_rows(kind: ViewKind) -> None:
    shown = frame(kind)
    header, *records = csv.reader(io.StringIO(render(shown, Format.CSV)))
    assert header == [field.id for field in kind.fields if field.id not in OVER_TIME_FIELDS]
    rows = json.loads(render(shown, Format.JSON))["rows"]
    assert len(records) == len(rows)
    for record, row in zip(records, rows, strict=True):
        values = row | row.get("states", {})
        assert record == ["" if (value := values.get(name, 0)) is None else str(value) for name in header]


@every_kind
def test_every_record_has_every_field(kind: ViewKind) -> None:
    lines = render(frame(kind), Format.CSV).splitlines()
    assert len({line.count(",") for line in lines}) == 1
    assert len(lines) > 1


def test_what_is_unknown_is_an_empty_cell() -> None:
    shown = frame(ViewKind.CONNECTIONS, taken=sample(absent=frozenset({"uid", "cookie"})))
    (first, *_) = csv.DictReader(io.StringIO(render(shown, Format.CSV)))
    assert {name for name, value in first.items() if value == ""} == {"uid", "cookie", "age_ms"}


def test_a_number_that_there_is_not_is_an_empty_cell() -> None:
    records = csv.DictReader(io.StringIO(render(frame(ViewKind.PROCESSES), Format.CSV)))
    unnamed = next(record for record in records if record["process"] == "(kernel)")
    assert {name for name, value in unnamed.items() if value == ""} == {
        *("pid", "user", "command", "descriptors", "descriptor_limit")
    }


def test_a_process_that_calls_itself_a_formula_stays_text() -> None:
    """``prctl(PR_SET_NAME)`` takes any name."""
    hostile = replace(SSHD, name='=1+1,"', command="@SUM(A1)", user="-x")
    taken = sample()
    taken = attributed(replace(taken, whereabouts=whereabouts_of({21: (hostile,)})))
    (record,) = (
        record
        for record in csv.DictReader(io.StringIO(render(frame(ViewKind.PROCESSES, taken=taken), Format.CSV)))
        if record["pid"] == "640"
    )
    assert (record["process"], record["command"], record["user"]) == ("'=1+1,\"", "'@SUM(A1)", "'-x")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_is_taken_for_a_formula(start: str) -> None:
    """OWASP, CSV injection."""
    assert _csv_cell(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


@given(st.one_of(st.none(), st.integers(), st.text()))
def test_a_cell_is_its_value_or_harmless_text(value: int | str | None) -> None:
    cell = _csv_cell(value)
    if value is None:
        assert cell == ""
    elif isinstance(value, int):
        assert cell == value
    else:
        assert isinstance(cell, str)
        assert cell.removeprefix("'") == value.removeprefix("'")
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_negative_change_stays_a_number() -> None:
    """It begins with a hyphen, and is none of the texts that a formula could be hidden in."""
    assert _csv_cell(-5) == -5
