"""``tcptui explain machine``: the state machine, with what two samples show of it."""

import json
import time

from tcptui.explain.machine.drawing import machine_text
from tcptui.language import spoken
from tcptui.model.fields import ViewKind
from tcptui.model.states import ALL_STATES
from tcptui.monitor.drawing import machine_view
from tcptui.monitor.frame import Frame, build_frame
from tcptui.monitor.view import View
from tcptui.sources.base import Source

SCHEMA = "tcptui.machine/1"
"""The version of the JSON form."""


def machine_answer(source: Source, format_name: str, width: int, interval_s: float) -> str:
    """The drawing as text or Markdown, or its numbers as JSON.

    Raises:
        SourceError: nothing can be read.
    """
    frame = _watched_frame(source, interval_s)
    if format_name == "json":
        return json.dumps(_numbers(frame), indent=1) + "\n"
    text = machine_text(machine_view(frame), width, spoken())
    return f"```text\n{text}```\n" if format_name == "md" else text


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
        "elapsed_s": round(moves.elapsed_s, 6),
        "states": {state.name: count for state, count in view.counts.items()},
        "moved": moved,
        "opened": opened,
        "closed": closed,
    }
