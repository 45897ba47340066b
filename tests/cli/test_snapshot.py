"""The snapshot command behind its arguments, with a source that is told what to give."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tcptui.errors import OutputError, RequestError, SourceError
from tcptui.export.formats import Format
from tcptui.headless.snapshot import write_snapshot
from tcptui.model.fields import SortKey, ViewKind
from tcptui.model.sample import Degradation, Sample, Whereabouts
from tcptui.model.table import Rows
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, Need, Request
from tests.export.frames import SOCKETS, sample


class RecordingSource:
    """Gives one sample and remembers what it was asked for."""

    def __init__(self, gives: Sample | SourceError) -> None:
        self.gives = gives
        self.asked: list[Request] = []
        self.closed = 0

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        """The sample, or the error."""
        self.asked.append(request)
        if isinstance(self.gives, SourceError):
            raise self.gives
        return self.gives

    def look(self, rows: Rows, budget_s: float = math.inf) -> Whereabouts | None:
        """Nothing: a single sample has all that was asked for."""
        raise AssertionError("there is no time for that between samples")

    def close(self) -> None:
        """Count it."""
        self.closed += 1


def run(source: RecordingSource, path: Path, view: View | None = None, format: Format = Format.JSON) -> None:
    write_snapshot(source, view or View(), format=format, limit=None, path=str(path), overwrite=False)


def filtered(text: str, kind: ViewKind = ViewKind.PEERS) -> View:
    return View(kind, parse_filter(text))


BESIDE = frozenset({Need.OWNERS, Need.CGROUPS})


@pytest.mark.parametrize("kind", ViewKind)
def test_without_a_filter_the_source_is_asked_for_all_sockets_and_for_whom_they_belong_to_where_that_is_shown(
    tmp_path: Path, kind: ViewKind
) -> None:
    source = RecordingSource(sample())
    run(source, tmp_path / "a", View(kind))
    is_told = kind not in (ViewKind.STATES, ViewKind.PEERS, ViewKind.PORTS)
    assert source.asked == [Request(None, BESIDE if is_told else frozenset())]


def test_round_trip_times_are_asked_for_where_they_order_the_rows(tmp_path: Path) -> None:
    source = RecordingSource(sample())
    run(source, tmp_path / "a", View(ViewKind.CONNECTIONS, sort=SortKey("rtt_us", descending=True)))
    assert source.asked == [Request(None, BESIDE | {Need.TCP_INFO})]


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        (":443", set()),
        ("state time-wait and recvq > 0", set()),
        ("user 0 or inode 0", set()),
        ("nginx", {Need.OWNERS}),
        ("not pid 1", {Need.OWNERS}),
        ("service ssh", {Need.OWNERS, Need.CGROUPS}),
        ("service ssh and pid 1", {Need.OWNERS, Need.CGROUPS}),
        ("cgroup /system.slice", {Need.CGROUPS}),
        ("fwmark = 1", {Need.MARKS}),
        ("state listen or autobound", {Need.AUTOBOUND}),
    ],
)
def test_the_source_is_asked_once_for_what_the_filter_needs(tmp_path: Path, text: str, needs: set[Need]) -> None:
    source = RecordingSource(sample())
    run(source, tmp_path / "a", filtered(text))
    assert source.asked == [Request(parse_filter(text).expression, frozenset(needs))]
    assert source.closed == 1
    assert (tmp_path / "a").read_text().startswith("{")


@pytest.mark.parametrize(
    "view",
    [
        filtered("age > 5m"),
        filtered("state close-wait and not (age < 1s or :443)"),
        View(sort=SortKey("change", descending=True)),
        View(ViewKind.CONNECTIONS, sort=SortKey("age_ms", descending=True)),
    ],
)
def test_what_takes_two_samples_is_refused_without_one(tmp_path: Path, view: View) -> None:
    source = RecordingSource(sample())
    with pytest.raises(RequestError, match="one sample"):
        run(source, tmp_path / "a", view)
    assert (source.asked, source.closed) == ([], 1)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_is_closed_and_nothing_is_written(tmp_path: Path) -> None:
    source = RecordingSource(SourceError("nothing to see"))
    with pytest.raises(SourceError, match="nothing to see"):
        run(source, tmp_path / "a")
    assert source.closed == 1
    assert list(tmp_path.iterdir()) == []


def test_a_source_is_closed_when_the_output_fails(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    source = RecordingSource(sample())
    with pytest.raises(OutputError):
        run(source, tmp_path / "a")
    assert source.closed == 1


@pytest.mark.parametrize("format", Format)
def test_what_is_missing_is_said_once(tmp_path: Path, format: Format, capsys: pytest.CaptureFixture[str]) -> None:
    """In the file where the format has a place for it, on standard error where it has none."""
    trouble = Degradation("owners.partial", "no names of other users' processes", "run as root")
    run(RecordingSource(sample(degraded=(trouble,))), tmp_path / "a", format=format)
    captured = capsys.readouterr()
    said = (tmp_path / "a").read_text("utf-8").count(trouble.reason), captured.err.count(trouble.reason)
    assert said == ((0, 1) if format in (Format.CSV, Format.JSONL) else (1, 0))
    assert captured.out == ""


@pytest.mark.parametrize("format", Format)
def test_what_the_source_cannot_tell_of_the_filter_is_said(
    tmp_path: Path, format: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    run(RecordingSource(sample(absent=frozenset({"mark"}))), tmp_path / "a", filtered("fwmark = 1"), format)
    everything = (tmp_path / "a").read_text("utf-8") + capsys.readouterr().err
    assert everything.count("sock_diag does not tell fwmark") == 1


# -- Who stands behind the rows ----------------------------------------------------------------------------------------


def written(path: Path, view: View, gives: Sample) -> dict[str, Any]:
    run(RecordingSource(gives), path, view)
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


def plain(*, absent: frozenset[str] = frozenset()) -> Sample:
    """As a source gives it: who stands behind the rows is worked out afterwards."""
    return replace(sample(absent=absent), attribution=None)


def test_a_sample_is_attributed_by_what_the_source_found(tmp_path: Path) -> None:
    rows = written(tmp_path / "a", View(ViewKind.CONNECTIONS), plain())["rows"]
    assert {row["cookie"]: row["process"] for row in rows if row["cookie"] < 5} == {
        1: "nginx +1",
        2: "sshd",
        3: "nginx",
        4: "at nginx +1",
    }


@pytest.mark.parametrize(
    ("text", "cookies"),
    [
        ("process sshd", [2]),
        ("pid 812", [1, 3, 4, 5]),
        ("pid 812 and not pid 800", [3]),
        ("service nginx", [1, 3, 4, 5]),
        ('process "(kernel)"', [6, 2**63]),
        ('not process "(*"', [1, 2, 3, 4, 5]),
    ],
)
def test_a_filter_decides_by_who_stands_behind_the_rows(tmp_path: Path, text: str, cookies: list[int]) -> None:
    document = written(tmp_path / "a", filtered(text, ViewKind.CONNECTIONS), plain())
    assert [row["cookie"] for row in document["rows"]] == cookies
    assert document["degraded"] == []


@pytest.mark.parametrize("kind", ViewKind)
def test_a_source_that_tells_of_no_processes_can_be_written_in_every_view(tmp_path: Path, kind: ViewKind) -> None:
    document = written(tmp_path / "a", View(kind), plain(absent=frozenset({"inode", "holders", "cgroup_id", "uid"})))
    assert document["total"] == len(SOCKETS)
    if kind in (ViewKind.PROCESSES, ViewKind.SERVICES):
        assert [row[kind.key.id] for row in document["rows"]] == ["(not told)"]


@pytest.mark.parametrize("kind", [ViewKind.STATES, ViewKind.PEERS, ViewKind.PORTS])
def test_a_source_that_was_not_asked_for_owners_needs_none(tmp_path: Path, kind: ViewKind) -> None:
    document = written(tmp_path / "a", View(kind), replace(plain(), whereabouts=None))
    assert document["total"] == len(SOCKETS)
