"""``tcptui snapshot``: one sample, written to standard output or a file."""

from tcptui.errors import RequestError
from tcptui.export.files import narrate, write_output
from tcptui.export.formats import Format, render
from tcptui.model.fields import ViewKind
from tcptui.model.states import TcpState
from tcptui.monitor.frame import build_frame
from tcptui.monitor.view import View
from tcptui.query.mask import possible_states
from tcptui.sources.base import ALL_STATES_MASK, Source, StatesMask, states_mask


def write_snapshot(
    source: Source, view: View, *, format: Format, limit: int | None, path: str, overwrite: bool
) -> None:
    """Take one sample and write the view of it.

    Formats that have no place for what could not be read leave it to standard error.

    Raises:
        RequestError: the order needs a sample before.
        SourceError: nothing can be read.
        OutputError: it cannot be written.
        BrokenPipeError: the reader of standard output went away.
    """
    if view.sort is not None and view.sort.field_id == "change":
        raise RequestError("one sample has no change to sort by", "sort by total, or watch the change in tcptui")
    try:
        sample = source.sample(_needed_states(view))
    finally:
        source.close()
    write_output(path, render(build_frame(view, sample), format, limit), overwrite=overwrite)
    if format in (Format.CSV, Format.JSONL):
        for trouble in sample.degraded:
            narrate(str(trouble))


def _needed_states(view: View) -> StatesMask:
    """The states to ask the kernel for: what the filter can mean, and the listeners where they are the rows."""
    if view.filter is None:
        return ALL_STATES_MASK
    listeners = {TcpState.LISTEN} if view.kind is ViewKind.LISTENERS else set()
    return states_mask(possible_states(view.filter.expression) | listeners)
