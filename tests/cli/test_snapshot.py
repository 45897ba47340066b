"""The snapshot command behind its arguments, with a source that is told what to give."""

from pathlib import Path

import pytest

from tcptui.errors import OutputError, RequestError, SourceError
from tcptui.export.formats import Format
from tcptui.headless.snapshot import write_snapshot
from tcptui.model.fields import SortKey, ViewKind
from tcptui.model.sample import Degradation, Sample
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, Need, Request
from tests.export.frames import sample


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

    def close(self) -> None:
        """Count it."""
        self.closed += 1


def run(source: RecordingSource, path: Path, view: View | None = None, format: Format = Format.JSON) -> None:
    write_snapshot(source, view or View(), format=format, limit=None, path=str(path), overwrite=False)


def filtered(text: str, kind: ViewKind = ViewKind.PEERS) -> View:
    return View(kind, parse_filter(text))


def test_without_a_filter_the_source_is_asked_for_all_sockets_and_nothing_beside(tmp_path: Path) -> None:
    source = RecordingSource(sample())
    run(source, tmp_path / "a", View(ViewKind.CONNECTIONS))
    assert source.asked == [EVERYTHING_PLAIN]


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        (":443", set()),
        ("state time-wait and recvq > 0", set()),
        ("user 0 or inode 0", set()),
        ("nginx", {Need.OWNERS}),
        ("not pid 1", {Need.OWNERS}),
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
