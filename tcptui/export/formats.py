"""The formats a frame can be written in: table, csv, json, jsonl, md."""

import csv
import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import PurePath
from typing import Any

from tcptui.analysis.grid import Order
from tcptui.errors import RequestError
from tcptui.language import tr, tr_n
from tcptui.model.fields import INFO_FIELDS, Field, Json
from tcptui.model.sample import Sample
from tcptui.model.states import ALL_STATES, DISPLAY_ORDER, TcpState
from tcptui.monitor.frame import Frame
from tcptui.text import cell_count, printable
from tcptui.wrapping import WIDE

SCHEMA = "tcptui.snapshot/1"

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_STATE_NAMES = frozenset(state.name for state in ALL_STATES)


class Format(str, Enum):
    """A format, by the name that ``--format`` takes."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    MD = "md"


_ENDINGS = {
    ".txt": Format.TABLE,
    ".text": Format.TABLE,
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".md": Format.MD,
}


def format_of_path(path: str, others: tuple[str, ...] = ()) -> Format:
    """The format that a file's ending asks for; a table where it has none.

    ``others`` are endings to mention that the caller deals with.

    Raises:
        RequestError: the ending names another.
    """
    ending = PurePath(path).suffix.lower()
    if not ending:
        return Format.TABLE
    if ending not in _ENDINGS:
        problem = tr("no format goes with the ending {ending}", ending=printable(ending))
        raise RequestError(problem, tr("end it in {endings}", endings=tr(", ").join((*_ENDINGS, *others))))
    return _ENDINGS[ending]


def render(frame: Frame, format: Format, limit: int | None = None) -> str:
    """The frame's view in a format, with a final newline; at most ``limit`` rows."""
    return _RENDERERS[format](frame, frame.order[:limit])


def _document(frame: Frame, order: Order) -> dict[str, Any]:
    sample = frame.sample
    cost = sample.cost
    return {
        "schema": SCHEMA,
        "taken_at": sample.taken_at.isoformat(timespec="microseconds") if sample.origin.tells_time else None,
        "host": sample.origin.host or None,
        "kernel": sample.origin.kernel or None,
        "source": sample.origin.source,
        "view": frame.view.kind.value,
        "filter": frame.view.filter_text,
        "netns": sample.origin.netns or None,
        "cost": {
            "dump_ms": round(cost.dump_ms, 3),
            "decode_ms": round(cost.decode_ms, 3),
            "owners_ms": round(cost.owners_ms, 3),
            "total_ms": round(cost.total_ms, 3),
        },
        "degraded": [{"code": each.code, "reason": each.reason, "hint": each.hint} for each in frame.degraded],
        "states": {state.name: frame.state_count(state) for state in ALL_STATES},
        "total": frame.total,
        "rows": list(_json_rows(frame, order)),
    }


def _json(frame: Frame, order: Order) -> str:
    return json.dumps(_document(frame, order), indent=1, ensure_ascii=False) + "\n"


def _jsonl(frame: Frame, order: Order) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _json_rows(frame, order))


def _json_rows(frame: Frame, order: Order) -> Iterator[dict[str, Any]]:
    """One object a row; the counts of a matrix stand in ``states``, those that are not zero."""
    columns = {field.id: frame.grid.plain(field, order) for field in frame.fields}
    fields = frame.fields
    state_ids = [field.id for field in fields if field.id in _STATE_NAMES]
    other_ids = [field.id for field in fields if field.id not in _STATE_NAMES]
    for index in range(len(order)):
        row: dict[str, Any] = {field_id: columns[field_id][index] for field_id in other_ids}
        if state_ids:
            row["states"] = {field_id: columns[field_id][index] for field_id in state_ids if columns[field_id][index]}
        yield row


def _csv(frame: Frame, order: Order) -> str:
    fields = frame.fields
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.id for field in fields])
    columns = [[_csv_cell(value) for value in frame.grid.plain(field, order)] for field in fields]
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def _csv_cell(value: Json) -> int | str:
    """A cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value


def _shown_fields(frame: Frame) -> list[Field]:
    """The fields for a reader: without states in which there is nobody, and without what was not fetched."""
    empty = {state.name for state in TcpState if not frame.state_count(state)} | (INFO_FIELDS & frame.grid.absent)
    return [field for field in frame.fields if field.id not in empty and frame.is_shown(field)]


def _cells(frame: Frame, order: Order, fields: list[Field]) -> list[list[str]]:
    return [[frame.grid.shown(row, field) for field in fields] for row in order.tolist()]


def _table(frame: Frame, order: Order) -> str:
    """Text that stands alone: where and when, how exact, the counts, the rows, and how to see it again."""
    fields = _shown_fields(frame)
    lines = [*preamble(frame), "", *_aligned(fields, _cells(frame, order, fields))]
    if len(order) < len(frame.order):
        lines.append(tr("({count:,} more rows)", count=len(frame.order) - len(order)))
    return "\n".join(line.rstrip() for line in [*lines, "", f"$ {command_of(frame)}"]) + "\n"


def preamble(frame: Frame) -> list[str]:
    """The lines above a table."""
    sample = frame.sample
    origin = sample.origin
    counts = "  ".join(
        f"{state.name} {frame.state_count(state):,}" for state in DISPLAY_ORDER if frame.state_count(state)
    )
    lines = [
        " · ".join(("tcptui", *_circumstances(sample))),
        tr_n(
            "{total:,} socket by {source} in {time:.1f} ms · {counts}",
            "{total:,} sockets by {source} in {time:.1f} ms · {counts}",
            frame.total,
            total=frame.total,
            source=origin.source,
            time=sample.cost.total_ms,
            counts=counts or tr("none"),
        ),
    ]
    if frame.view.filter:
        lines.append(tr("filter: {filter}", filter=frame.view.filter_text))
    return [*lines, *(f"! {trouble}" for trouble in frame.degraded)]


def _circumstances(sample: Sample) -> Iterator[str]:
    """Of which machine, in which namespace and at what time the sample was taken, as far as that is known."""
    origin = sample.origin
    yield origin.host or tr("host unknown")
    yield from (origin.kernel,) if origin.kernel else ()
    yield from (f"netns {origin.netns}",) if origin.netns else ()
    yield sample.taken_at.strftime("%Y-%m-%d %H:%M:%S %Z") if origin.tells_time else tr("time unknown")


def _aligned(fields: list[Field], cells: list[list[str]]) -> list[str]:
    titles = [_title(field) for field in fields]
    widths = [max(map(cell_count, column)) for column in zip(titles, *cells, strict=True)]
    return [
        "  ".join(_padded(text, width, field) for text, width, field in zip(row, widths, fields, strict=True))
        for row in (titles, *cells)
    ]


def _title(field: Field) -> str:
    """A heading on one line; Chinese needs no blank where a narrow one would be broken."""
    return re.sub(f"(?<={WIDE}) (?={WIDE})", "", tr(field.title))


def _padded(text: str, width: int, field: Field) -> str:
    blanks = " " * (width - cell_count(text))
    return blanks + text if field.type.is_number else text + blanks


def _md(frame: Frame, order: Order) -> str:
    fields = _shown_fields(frame)
    rows = [[_title(field) for field in fields], ["---:" if field.type.is_number else "---" for field in fields]]
    rows += _cells(frame, order, fields)
    table = ["| " + " | ".join(_md_text(cell) for cell in row) + " |" for row in rows]
    quoted = [f"> {_md_text(line)}  " for line in preamble(frame)]
    command = command_of(frame)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", command) or [""]))
    return "\n".join([*quoted, "", *table, "", f"{fence}sh", command, fence]) + "\n"


def _md_text(text: str) -> str:
    """Text that Markdown shows as it is; an underscore within a word means nothing there."""
    return re.sub(r"([\\`*<>|~\[\]])", r"\\\1", text)


def command_of(frame: Frame) -> str:
    """The command that asks for the same view again."""
    view = frame.view
    words = ["tcptui", "snapshot", "--view", view.kind.value, *frame.sample.origin.options]
    if view.prefix is not None:
        words += ["--prefix", str(view.prefix)]
    if view.sort is not None:
        words.append(f"--sort={'-' if view.sort.descending else ''}{view.sort.field_id}")
    if view.filter is not None:
        words.append(view.filter_text)
    return shlex.join(words)


_RENDERERS: dict[Format, Callable[[Frame, Order], str]] = {
    Format.TABLE: _table,
    Format.CSV: _csv,
    Format.JSON: _json,
    Format.JSONL: _jsonl,
    Format.MD: _md,
}
