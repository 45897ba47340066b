"""The formats a frame can be written in: table, text, csv, json, jsonl, md, html."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import PurePath
from typing import Any

from tcptui.analysis.grid import Order
from tcptui.errors import RequestError
from tcptui.export.columns import cells, heading, left_out, shown_fields
from tcptui.export.head import command_of, commands, facts, preamble, title
from tcptui.export.page import page
from tcptui.language import tr
from tcptui.model.fields import Field, Json
from tcptui.model.states import ALL_STATES
from tcptui.monitor.frame import Frame
from tcptui.text import cell_count, printable

SCHEMA = "tcptui.snapshot/1"

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_STATE_NAMES = frozenset(state.name for state in ALL_STATES)


class Format(str, Enum):
    """A format, by the name that ``--format`` takes."""

    TABLE = "table"
    """For standard output: as few lines around the rows as can be."""
    TEXT = "text"
    """The same rows for a file, which must stand alone."""
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    MD = "md"
    HTML = "html"

    @property
    def is_of_rows_alone(self) -> bool:
        """Whether it has no place for what could not be read, nor for where and when."""
        return self in (Format.CSV, Format.JSONL)


_ENDINGS = {
    ".txt": Format.TEXT,
    ".text": Format.TEXT,
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".md": Format.MD,
    ".html": Format.HTML,
    ".htm": Format.HTML,
}


def format_of_path(path: str) -> Format:
    """The format that a file's ending asks for; text where it has none.

    Raises:
        RequestError: the ending names another.
    """
    ending = PurePath(path).suffix.lower()
    if not ending:
        return Format.TEXT
    if ending not in _ENDINGS:
        problem = tr("no format goes with the ending {ending}", ending=printable(ending))
        raise RequestError(problem, tr("end it in {endings}", endings=tr(", ").join(_ENDINGS)))
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
        "command": command_of(frame),
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


def _table(frame: Frame, order: Order) -> str:
    """Where and when, how exact, the counts, the rows, and how to see it again."""
    return _lines([*preamble(frame), "", *_rows(frame, order), "", f"$ {command_of(frame)}"])


def _text(frame: Frame, order: Order) -> str:
    """Text that stands alone."""
    told = facts(frame)
    width = max(cell_count(fact.label) for fact in told)
    head = [
        f"{label}{' ' * (width - cell_count(label))}  {line}"
        for fact in told
        for label, line in zip((fact.label, *[""] * len(fact.lines)), fact.lines, strict=False)
    ]
    below = [line if line.startswith("#") else f"$ {line}" for line in commands(frame)]
    return _lines([title(frame), "", *head, "", *_rows(frame, order), "", *below])


def _lines(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _rows(frame: Frame, order: Order) -> list[str]:
    """The rows below their headings, and how many were left out."""
    fields = shown_fields(frame)
    more = left_out(frame, order)
    return [*_aligned(fields, cells(frame, order, fields)), *([more] if more else [])]


def _aligned(fields: list[Field], rows: list[list[str]]) -> list[str]:
    headings = [heading(field) for field in fields]
    widths = [max(map(cell_count, column)) for column in zip(headings, *rows, strict=True)]
    return [
        "  ".join(_padded(text, width, field) for text, width, field in zip(row, widths, fields, strict=True))
        for row in (headings, *rows)
    ]


def _padded(text: str, width: int, field: Field) -> str:
    blanks = " " * (width - cell_count(text))
    return blanks + text if field.type.is_number else text + blanks


def _md(frame: Frame, order: Order) -> str:
    fields = shown_fields(frame)
    rows = [[heading(field) for field in fields], ["---:" if field.type.is_number else "---" for field in fields]]
    rows += cells(frame, order, fields)
    table = ["| " + " | ".join(_md_text(cell) for cell in row) + " |" for row in rows]
    told = [f"- {_md_text(fact.label)}: {_md_text(line)}" for fact in facts(frame) for line in fact.lines]
    more = left_out(frame, order)
    script = commands(frame)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", "\n".join(script)) or [""]))
    above = [f"# {_md_text(title(frame))}", "", *told, ""]
    return "\n".join([*above, *table, *(["", more] if more else []), "", f"{fence}sh", *script, fence]) + "\n"


def _md_text(text: str) -> str:
    """Text that Markdown shows as it is; an underscore within a word means nothing there."""
    return re.sub(r"([\\`*<>|~&\[\]]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", text)


_RENDERERS: dict[Format, Callable[[Frame, Order], str]] = {
    Format.TABLE: _table,
    Format.TEXT: _text,
    Format.CSV: _csv,
    Format.JSON: _json,
    Format.JSONL: _jsonl,
    Format.MD: _md,
    Format.HTML: page,
}
