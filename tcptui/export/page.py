"""A frame as a web page that needs nothing beside itself: no script, no picture, no font, and no look at a network."""

from collections.abc import Iterable, Sequence
from html import escape

from tcptui.analysis.grid import Order
from tcptui.export.columns import cells, heading, left_out, shown_fields
from tcptui.export.head import Fact, commands, facts, title
from tcptui.language import spoken
from tcptui.model.fields import Field
from tcptui.monitor.frame import Frame

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for a page of ours: nothing."""

# System colours follow the reader's light or dark scheme by themselves.
_STYLE = """\
:root { color-scheme: light dark; --dim: color-mix(in srgb, CanvasText 65%, Canvas); }
body { margin: 1.5rem; font: 14px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
h1 { font-size: 1.3rem; margin: 0 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0 0 1rem; }
dt { color: var(--dim); }
dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
pre { padding: .6rem .8rem; border: 1px solid var(--dim); border-radius: .3rem; white-space: pre-wrap; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { position: sticky; top: 0; background: Canvas; text-align: left; border-bottom: 2px solid var(--dim); }
th, td { padding: .15rem .7rem; white-space: nowrap; }
tbody tr:nth-child(even) { background: color-mix(in srgb, CanvasText 6%, Canvas); }
.n { text-align: right; }
@media print { th { position: static; } }
"""


def _said(text: str) -> str:
    """Text between tags."""
    return escape(text, quote=False)


def document(name: str, style: str, body: str) -> str:
    """A whole page; ``body`` is markup already."""
    language = "zh-Hans" if spoken() == "zh" else spoken()
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{_said(name)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def page(frame: Frame, order: Order) -> str:
    """The head, the rows, and how to see them again."""
    fields = shown_fields(frame)
    more = left_out(frame, order)
    parts = [
        f"<h1>{_said(title(frame))}</h1>",
        _definitions(facts(frame)),
        _table(fields, cells(frame, order, fields)),
        *([f"<p>{_said(more)}</p>"] if more else []),
        f"<pre>{_said(chr(10).join(commands(frame)))}</pre>",
    ]
    return document(title(frame), _STYLE, "".join(f"{part}\n" for part in parts))


def _definitions(told: Iterable[Fact]) -> str:
    pairs = (f"<dt>{_said(fact.label)}</dt><dd>{_said(chr(10).join(fact.lines))}</dd>" for fact in told)
    return "<dl>\n" + "".join(f"{pair}\n" for pair in pairs) + "</dl>"


def _table(fields: Sequence[Field], rows: Iterable[Sequence[str]]) -> str:
    kinds = [' class="n"' if field.type.is_number else "" for field in fields]
    headings = "".join(
        f'<th scope="col"{kind}>{_said(heading(field))}</th>' for kind, field in zip(kinds, fields, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{_said(text)}</td>" for kind, text in zip(kinds, row, strict=True)) + "</tr>\n"
        for row in rows
    )
    return f"<table>\n<thead><tr>{headings}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"
