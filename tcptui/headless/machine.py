"""``tcptui explain machine``: the state machine, with what two samples show of it."""

import json
import shutil
import time

from tcptui.explain.machine.drawing import machine_text
from tcptui.files import STANDARD_OUTPUT, write_output
from tcptui.language import spoken
from tcptui.model.fields import ViewKind
from tcptui.model.states import ALL_STATES
from tcptui.monitor.drawing import machine_view
from tcptui.monitor.frame import Frame, build_frame
from tcptui.monitor.view import View
from tcptui.sources.base import Source

SCHEMA = "tcptui.machine/1"
"""The version of the JSON form."""
WIDEST = 160
"""A wider drawing would be nothing but longer lines."""


def write_machine(source: Source, format_name: str, interval_s: float) -> None:
    """Write the drawing as text or Markdown, or its numbers as JSON, of two samples ``interval_s`` apart.

    Raises:
        SourceError: nothing can be read.
    """
    try:
        frame = _watched_frame(source, interval_s)
    finally:
        source.close()
    width = min(shutil.get_terminal_size().columns, WIDEST)
    text = machine_text(machine_view(frame), width, spoken()) if format_name != "json" else ""
    forms = {"text": text, "md": f"```text\n{text}```\n"}
    write_output(
        STANDARD_OUTPUT, forms.get(format_name) or json.dumps(_numbers(frame), indent=1) + "\n", overwrite=False
    )


def _watched_frame(source: Source, interval_s: float) -> Frame:
    """Two samples joined socket by socket."""
    view = View(ViewKind.STATES)
    first = build_frame(view, source.sample(view.request))
    time.sleep(interval_s)
    return build_frame(view, source.sample(view.request), first)


def _numbers(frame: Frame) -> dict[str, object]:
    view, moves = machine_view(frame), frame.transitions
    assert moves is not None
    moved = [
        {"from": before.name, "to": after.name, "per_s": round(moves.moved_per_s(before, after), 3)}
        for before in ALL_STATES
        for after in ALL_STATES
        if before is not after and moves.moved[before, after]
    ]
    opened = {state.name: round(moves.opened_in_per_s(state), 3) for state in ALL_STATES if moves.opened[state]}
    closed = {state.name: round(moves.closed_in_per_s(state), 3) for state in ALL_STATES if moves.closed[state]}
    return {
        "schema": SCHEMA,
        "taken_at": frame.sample.taken_at.isoformat(),
        "host": frame.sample.origin.host,
        "kernel": frame.sample.origin.kernel,
        "netns": frame.sample.origin.netns,
        "source": frame.sample.origin.source,
        "elapsed_s": round(moves.elapsed_s, 6),
        "states": {state.name: count for state, count in view.counts.items()},
        "moved": moved,
        "opened": opened,
        "closed": closed,
        "brief_per_s": None if moves.brief is None else round(moves.brief_per_s, 3),
        "is_brief_exact": moves.is_brief_exact,
    }
