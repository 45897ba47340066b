"""The snapshot command behind its arguments, with a source that is told what to give."""

from pathlib import Path

import pytest

from tcptui.errors import OutputError, SourceError
from tcptui.export.formats import Format
from tcptui.headless.snapshot import write_snapshot
from tcptui.model.fields import ViewKind
from tcptui.model.sample import Degradation, Sample
from tcptui.model.states import TcpState
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.sources.base import ALL_STATES_MASK, StatesMask, states_mask
from tests.export.frames import sample


class RecordingSource:
    """Gives one sample and remembers what it was asked for."""

    def __init__(self, gives: Sample | SourceError) -> None:
        self.gives = gives
        self.asked: list[StatesMask] = []
        self.closed = 0

    def sample(self, states: StatesMask = ALL_STATES_MASK) -> Sample:
        """The sample, or the error."""
        self.asked.append(states)
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


@pytest.mark.parametrize(
    ("view", "states"),
    [
        (View(), set(TcpState)),
        (filtered(":443"), set(TcpState)),
        (filtered("state time-wait"), {TcpState.TIME_WAIT}),
        (filtered("state syn-recv :22"), {TcpState.SYN_RECV}),
        (filtered("state time-wait", ViewKind.LISTENERS), {TcpState.TIME_WAIT, TcpState.LISTEN}),
        (filtered("listen time-wait"), set()),
    ],
)
def test_the_source_is_asked_once_for_no_more_than_is_needed(tmp_path: Path, view: View, states: set[TcpState]) -> None:
    source = RecordingSource(sample())
    run(source, tmp_path / "a", view)
    assert source.asked == [states_mask(states)]
    assert source.closed == 1
    assert (tmp_path / "a").read_text().startswith("{")


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
