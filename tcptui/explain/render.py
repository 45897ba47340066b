"""An explanation as lines of a given width, as Markdown and as JSON.

Widths are counted in terminal cells. May not choose words: what is said comes with the explanation, what surrounds it
from the labels of its language.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Literal

from tcptui.explain.entries import TopicKind
from tcptui.explain.explanation import CounterLine, Explanation, Line, LineKind, ParameterLine, Section
from tcptui.explain.knowledge import load
from tcptui.explain.labels import Labels
from tcptui.explain.other_answers import rate_text
from tcptui.explain.topics import Topic
from tcptui.text import cell_count
from tcptui.wrapping import wrap

TextKind = Literal[
    "title", "summary", "heading", "label", "text", "avoid", "note", "parameter", "changed", "command", "blank"
]
"""What a laid-out line is, for a front end to give it a style; ``changed`` is a parameter not at its default, or one
that a file sets otherwise."""

SCHEMA = "tcptui.explain/1"
"""The version of ``to_dict``'s form."""

_INDENT = "  "
_BULLET = "- "
_COLUMN_GAP = 2
_GIST_GAP = " · "
_WIDEST_VALUE = 32
"""A longer value, such as a list of ports, is not worth a column."""
_LEAD_SHARE = 3
"""A label goes in front of its text on the same line if it takes at most one part in this many of the width."""


@dataclass(frozen=True)
class TextLine:
    """One line of at most the width asked for."""

    text: str
    kind: TextKind
    label_end: int = 0
    """How many characters at the start are a label, where it shares the line with its text."""
    topic: str = ""
    """The name of the entry that the line leads to, on its first line; empty for none."""
    command: str = ""
    """The whole command that begins in this line, to be copied; empty for none."""


def to_lines(explanation: Explanation, width: int, *, breaks_commands: bool = True) -> tuple[TextLine, ...]:
    """The whole explanation for a panel or terminal of ``width`` cells.

    Without ``breaks_commands`` a command is one line, however long, so that it can be copied off a terminal.
    """
    lines = [TextLine(text, "title") for text in wrap(explanation.title, width)]
    lines += [TextLine(text, "summary") for text in wrap(explanation.summary, width)]
    labels = load(explanation.language).labels
    for section in explanation.sections:
        lines.append(TextLine("", "blank"))
        lines += [TextLine(text, "heading") for text in wrap(section.heading, width)]
        lines += _section_lines(section, width, labels, breaks_commands=breaks_commands)
    return tuple(lines)


def to_text(explanation: Explanation, width: int = 80) -> str:
    """Plain text, ending in a newline."""
    return "".join(f"{line.text}\n" for line in to_lines(explanation, width, breaks_commands=False))


def to_gist(explanation: Explanation, width: int, height: int = 2) -> tuple[str, ...]:
    """As many whole paragraphs of the short form as fit into ``height`` full lines, one after the other."""
    lines: list[str] = []
    for count in range(1, len(explanation.short) + 1):
        wrapped = wrap(_GIST_GAP.join(explanation.short[:count]), width)
        if len(wrapped) > height:
            break
        lines = wrapped
    return tuple(lines)


def to_dict(explanation: Explanation) -> dict[str, object]:
    """A form that ``json`` can write; versioned by ``SCHEMA``, independent of the classes."""
    return {
        "schema": SCHEMA,
        "topic": explanation.topic,
        "kind": explanation.kind,
        "language": explanation.language,
        "title": explanation.title,
        "summary": explanation.summary,
        "sections": [_section_dict(section) for section in explanation.sections],
        "short": list(explanation.short),
        "source": explanation.source,
    }


def to_markdown(explanation: Explanation) -> str:
    """Markdown with a heading per section and a table per group of parameters."""
    labels = load(explanation.language).labels
    blocks = [f"# {_escape(explanation.title)}", _escape(explanation.summary)]
    for section in explanation.sections:
        blocks.append(f"## {_escape(section.heading)}")
        if section.lines:
            blocks.append(_markdown_lines(section, labels))
        if section.parameters:
            blocks.append(_markdown_table(section.parameters, labels))
        if section.counters:
            blocks.append("\n".join(f"- {text}" for text in _markdown_counters(section.counters, labels)))
    return "\n\n".join(blocks) + "\n"


def topic_list_text(topics: Iterable[Topic], width: int = 80, language: str = "en") -> str:
    """What can be asked, one name and summary a paragraph."""
    labels = load(language).labels
    headings: dict[TopicKind, str] = {
        "state": labels.topics_states,
        "parameter": labels.topics_parameters,
        "counter": labels.topics_counters,
        "option": labels.topics_options,
        "column": labels.topics_columns,
        "myth": labels.topics_myths,
        "overview": labels.topics_overviews,
    }
    blocks = []
    for kind, group in groupby(topics, key=lambda topic: topic.kind):
        lines = [headings[kind]]
        for topic in group:
            lines += [_INDENT + part for part in wrap(topic.name, width - len(_INDENT))]
            lines += [_INDENT * 2 + part for part in wrap(topic.summary, width - 2 * len(_INDENT))]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def topic_list_markdown(topics: Iterable[Topic]) -> str:
    """The same as a Markdown list."""
    return "".join(f"- `{topic.name}`: {_escape(topic.summary)}\n" for topic in topics)


# -- sections as lines -----------------------------------------------------------------------------------------------


def _section_lines(section: Section, width: int, labels: Labels, *, breaks_commands: bool) -> Iterator[TextLine]:
    if section.counters:
        yield from _counter_table(section.counters, width, labels)
    for line in section.lines:
        if line.kind == "command":
            yield from _command_lines(line, width if breaks_commands else None, labels)
        else:
            yield from _lines(line, width, labels)
    if section.parameters:
        table = _table(section.parameters, width, labels)
        yield from table or _stacked(section.parameters, width, labels)


_LINE_KINDS: dict[LineKind, TextKind] = {"avoid": "avoid", "myth": "avoid", "note": "note"}


def _command_lines(line: Line, width: int | None, labels: Labels) -> Iterator[TextLine]:
    """A command below its label, in lines of ``width`` cells if that is given."""
    label = f"{_INDENT}{line.label}{labels.colon}".rstrip()
    yield TextLine(label, "text", len(label))
    whole = f"{_INDENT * 2}{line.text}"
    texts = [whole] if width is None else wrap(whole, width, hanging=_INDENT * 3)
    for index, text in enumerate(texts):
        yield TextLine(text, "command", command="" if index else line.text)


def _lines(line: Line, width: int, labels: Labels) -> Iterator[TextLine]:
    kind = _LINE_KINDS.get(line.kind, "text")
    lead = f"{line.label}{labels.colon}" if line.label else _BULLET if line.kind == "item" else ""
    if line.label and (cell_count(lead) * _LEAD_SHARE > width or line.kind == "myth"):
        for index, text in enumerate(wrap(f"{_INDENT}{lead.rstrip()}", width, hanging=_INDENT)):
            yield TextLine(text, kind, len(text), "" if index else line.topic)
        for text in wrap(f"{_INDENT * 2}{line.text}", width, hanging=_INDENT * 2):
            yield TextLine(text, kind)
        return
    texts = wrap(f"{_INDENT}{lead}{line.text}", width, hanging=_INDENT * 2 if lead else _INDENT)
    yield TextLine(texts[0], kind, len(_INDENT + line.label) if line.label else 0, line.topic)
    for text in texts[1:]:
        yield TextLine(text, kind)


def _counter_table(counters: Sequence[CounterLine], width: int, labels: Labels) -> Iterator[TextLine]:
    """Name, value and rate of each counter, aligned where there is room."""
    rows = [
        (
            counter.short_name,
            labels.counter_missing if counter.value is None else f"{counter.value:,} {counter.unit}".strip(),
            "" if counter.rate_per_s is None else f"+{rate_text(counter.rate_per_s)}/s",
        )
        for counter in counters
    ]
    name_width, value_width = (max(cell_count(row[column]) for row in rows) for column in range(2))
    for counter, (name, value, rate) in zip(counters, rows, strict=True):
        aligned = f"{_padded(name, name_width)}  {' ' * (value_width - cell_count(value))}{value}  {rate}".rstrip()
        texts = wrap(f"{_INDENT}{aligned}", width, hanging=_INDENT * 2)
        if len(texts) > 1:
            texts = wrap(f"{_INDENT}{name} {value} {rate}".rstrip(), width, hanging=_INDENT * 2)
        for index, text in enumerate(texts):
            yield TextLine(text, "parameter", 0, "" if index else counter.name)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_count(text))


def _value(parameter: ParameterLine, labels: Labels) -> str:
    """The live value with its unit; a dash where there is none (a remark says why)."""
    return "-" if parameter.live is None else f"{parameter.live or labels.empty} {parameter.unit}".strip()


def _table(parameters: Sequence[ParameterLine], width: int, labels: Labels) -> list[TextLine] | None:
    """An aligned table with remarks under their rows, or None if ``width`` is too small for one."""
    head = (labels.column_parameter, labels.column_now, labels.column_default, labels.column_scope, "")
    rows = [_columns(parameter, labels) for parameter in parameters]
    widths = [max(cell_count(row[column]) for row in (head, *rows)) for column in range(len(head))]
    if sum(widths) + _COLUMN_GAP * (len(widths) - 1) + len(_INDENT) > width or max(widths[1:]) > _WIDEST_VALUE:
        return None
    lines = [TextLine(_row(head, widths), "label")]
    for parameter, row in zip(parameters, rows, strict=True):
        lines.append(TextLine(_row(row, widths), _parameter_kind(parameter), topic=parameter.name))
        lines += _remark_lines(parameter, width)
    return lines


def _parameter_kind(parameter: ParameterLine) -> TextKind:
    return "changed" if parameter.differs_from_default or parameter.is_other_on_disk else "parameter"


def _columns(parameter: ParameterLine, labels: Labels) -> tuple[str, ...]:
    changed = labels.changed if parameter.differs_from_default else ""
    return (
        parameter.short_name,
        _value(parameter, labels),
        parameter.default,
        labels.scope_machine if parameter.scope == "machine" else labels.scope_namespace,
        changed,
    )


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (text + " " * (width - cell_count(text)) for text, width in zip(row, widths, strict=True))
    return (_INDENT + (" " * _COLUMN_GAP).join(padded)).rstrip()


def _stacked(parameters: Sequence[ParameterLine], width: int, labels: Labels) -> Iterator[TextLine]:
    """Each parameter on a line, or with its values on the next, for a narrow panel or long values."""
    for parameter in parameters:
        topic = parameter.name
        values = _value_and_default(parameter, labels)
        together = f"{_INDENT}{parameter.short_name} {values}"
        apart = (f"{_INDENT}{parameter.short_name}", f"{_INDENT * 2}{values}")
        for part in (together,) if cell_count(together) <= width else apart:
            for text in wrap(part, width, hanging=_INDENT * 2):
                yield TextLine(text, _parameter_kind(parameter), topic=topic)
                topic = ""
        yield from _remark_lines(parameter, width, with_reason=False)


def _value_and_default(parameter: ParameterLine, labels: Labels) -> str:
    if parameter.live is None and parameter.default == labels.empty:
        return parameter.why_missing
    template = {
        True: labels.value_changed,
        False: labels.value_default,
        None: labels.value_missing if parameter.live is None else labels.value_unknown,
    }[parameter.differs_from_default]
    value, default = _value(parameter, labels), parameter.default
    return template.format_map({"value": value, "default": default, "reason": parameter.why_missing})


def _remark_lines(parameter: ParameterLine, width: int, *, with_reason: bool = True) -> Iterator[TextLine]:
    """What stands under a parameter: why it has no value, when it matters, what is in use, and what is on disk."""
    reason = parameter.why_missing if with_reason else ""
    for remark in filter(None, (reason, parameter.note, *parameter.remarks)):
        for text in wrap(f"{_INDENT * 2}{remark}", width, hanging=_INDENT * 2):
            yield TextLine(text, "note")


# -- other forms -----------------------------------------------------------------------------------------------------


def _section_dict(section: Section) -> dict[str, object]:
    content: dict[str, object] = {"key": section.key, "heading": section.heading}
    if section.lines:
        content["lines"] = [_line_dict(line) for line in section.lines]
    if section.parameters:
        content["parameters"] = [_parameter_dict(parameter) for parameter in section.parameters]
    if section.counters:
        content["counters"] = [asdict(counter) for counter in section.counters]
    return content


def _line_dict(line: Line) -> dict[str, object]:
    content: dict[str, object] = {"kind": line.kind, "label": line.label, "text": line.text}
    return content | {"topic": line.topic} if line.topic else content


def _parameter_dict(parameter: ParameterLine) -> dict[str, object]:
    return {
        "name": parameter.name,
        "live": parameter.live,
        "why_missing": parameter.why_missing,
        "default": parameter.default,
        "default_text": parameter.default_text,
        "unit": parameter.unit,
        "differs_from_default": parameter.differs_from_default,
        "scope": parameter.scope,
        "role": parameter.role,
        "note": parameter.note,
        "in_use": parameter.in_use,
        "read_only": parameter.is_read_only,
        "on_disk": _disk_dict(parameter),
    }


def _disk_dict(parameter: ParameterLine) -> dict[str, object] | None:
    setting = parameter.on_disk
    if setting is None:
        return None
    place: dict[str, object] = {
        "name": setting.name,
        "value": setting.value,
        "path": setting.path,
        "line": setting.line,
    }
    return place | {"differs": parameter.is_other_on_disk}


def _markdown_lines(section: Section, labels: Labels) -> str:
    """Single paragraphs as such, everything else as a list."""
    if all(line.kind in ("paragraph", "note") for line in section.lines):
        return "\n\n".join(_escape(line.text) for line in section.lines)
    return "\n".join(f"- {_markdown_line(line, labels)}" for line in section.lines)


def _markdown_line(line: Line, labels: Labels) -> str:
    text = f"`{line.text}`" if line.kind == "command" else _escape(line.text)
    return f"**{_escape(line.label)}**{labels.colon}{text}" if line.label else text


def _markdown_counters(counters: Sequence[CounterLine], labels: Labels) -> Iterator[str]:
    for counter in counters:
        value = labels.counter_missing if counter.value is None else f"{counter.value:,} {counter.unit}".strip()
        rate = "" if counter.rate_per_s is None else f" (+{rate_text(counter.rate_per_s)}/s)"
        yield f"`{counter.name}`{labels.colon}{value}{rate}"


def _markdown_table(parameters: Sequence[ParameterLine], labels: Labels) -> str:
    head = (labels.column_parameter, labels.column_now, labels.column_default, labels.column_scope, "")
    rows = [head, ("---",) * len(head)]
    for parameter in parameters:
        _, *texts, changed = _columns(parameter, labels)
        remarks = "; ".join(filter(None, (changed, parameter.why_missing, parameter.note, *parameter.remarks)))
        rows.append((f"`{parameter.name}`", *(_escape(text) for text in (*texts, remarks))))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _escape(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*<>|\[\]])", r"\\\1", text)
