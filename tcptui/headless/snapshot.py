"""``tcptui snapshot``: one sample, written to standard output or a file."""

from tcptui.analysis.attribution import attributed
from tcptui.errors import RequestError
from tcptui.export.formats import Format, render
from tcptui.files import narrate, write_output
from tcptui.language import tr
from tcptui.model.fields import OVER_TIME_FIELDS
from tcptui.monitor.frame import build_frame
from tcptui.monitor.view import View
from tcptui.query.request import asks_for_age
from tcptui.sources.base import Source


def write_snapshot(
    source: Source, view: View, *, format: Format, limit: int | None, path: str, overwrite: bool
) -> None:
    """Take one sample and write the view of it.

    Formats that have no place for what could not be read leave it to standard error.

    Raises:
        RequestError: the order or the filter needs a sample before.
        SourceError: nothing can be read.
        OutputError: it cannot be written.
        BrokenPipeError: the reader of standard output went away.
    """
    try:
        _refuse_what_takes_two_samples(view)
        sample = source.sample(view.request)
    finally:
        source.close()
    if sample.owners is not None or "holders" in sample.absent_fields:
        sample = attributed(sample)
    frame = build_frame(view, sample)
    write_output(path, render(frame, format, limit), overwrite=overwrite)
    if format.is_of_rows_alone:
        for trouble in frame.degraded:
            narrate(str(trouble))


def _refuse_what_takes_two_samples(view: View) -> None:
    if view.sort is not None and view.sort.field_id in OVER_TIME_FIELDS:
        problem = tr("one sample has no {field} to sort by", field=view.sort.field_id)
        raise RequestError(problem, tr("sort by total, or watch it in tcptui"))
    if view.sort is not None and view.sort.field_id == "age_ms":
        raise RequestError(tr("one sample knows no ages to sort by"), tr("watch them in tcptui"))
    if view.filter is not None and asks_for_age(view.filter.expression):
        raise RequestError(tr("one sample knows no ages"), tr("leave out age, or watch it in tcptui"))
