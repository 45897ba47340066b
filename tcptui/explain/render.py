"""An explanation as lines of a given width, as Markdown and as JSON.

Widths are counted in terminal cells. May not choose words: what is said comes with the explanation, what surrounds it
from the labels of its language.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Literal

from tcptui.explain.explanation import Explanation, Line, ParameterLine, Section
from tcptui.explain.knowledge import load
from tcptui.explain.labels import Labels
from tcptui.explain.topics import Topic

TextKind = Literal["title", "summary", "heading", "label", "text", "avoid", "note", "parameter", "changed", "blank"]
"""What a laid-out line is, for a front end to give it a style; ``changed`` is a parameter not at its default."""

SCHEMA = "tcptui.explain/1"
"""The version of ``to_dict``'s form."""

SHORT_WIDTH, SHORT_HEIGHT = 34, 7
"""The smallest panel that the short form must fit."""

_INDENT = "  "
_BULLET = "- "
_COLUMN_GAP = 2
_GIST_GAP = " · "
_WIDEST_VALUE = 32
"""A longer value, such as a list of ports, is not worth a column."""
_WIDE = "[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]"
"""Ideographs, kana, hangul and full-width forms: a line may end after each of them."""
_CLOSING = "[\u3001\u3002\u300b\u300d\u300f\uff01\uff09\uff0c\uff1a\uff1b\uff1f]"
"""Full-width marks that must not start a line."""
_WIDE_OR_NOT = re.compile(f"{_WIDE}{_CLOSING}*\\s*|(?:(?!{_WIDE}).)+")
_WORD = re.compile(r"(?:= )?(?:\S*\d (?=(?:s|ms|µs|min|h|MiB)\b))?\S+\s*|\s+")
"""A word with the blanks after it; a number stays with its unit, and "= 15" together."""
_LEAD_SHARE = 3
"""A label goes in front of its text on the same line if it takes at most one part in this many of the width."""


@dataclass(frozen=True)
class TextLine:
    """One line of at most the width asked for."""

    text: str
    kind: TextKind
    label_end: int = 0
    """How many characters at the start are a label, where it shares the line with its text."""


def to_lines(explanation: Explanation, width: int) -> tuple[TextLine, ...]:
    """The whole explanation for a panel or terminal of ``width`` cells."""
    lines = [TextLine(text, "title") for text in wrap(explanation.title, width)]
    lines += [TextLine(text, "summary") for text in wrap(explanation.summary, width)]
    labels = load(explanation.language).labels
    for section in explanation.sections:
        lines.append(TextLine("", "blank"))
        lines += [TextLine(text, "heading") for text in wrap(section.heading, width)]
        lines += _section_lines(section, width, labels)
    return tuple(lines)


def to_text(explanation: Explanation, width: int = 80) -> str:
    """Plain text, ending in a newline."""
    return "".join(f"{line.text}\n" for line in to_lines(explanation, width))


def to_short_lines(
    explanation: Explanation, width: int = SHORT_WIDTH, height: int = SHORT_HEIGHT
) -> tuple[TextLine, ...]:
    """As many whole paragraphs of the short form as ``height`` lines hold, never a part of one."""
    lines: list[TextLine] = []
    for position, paragraph in enumerate(explanation.short):
        wrapped = wrap(paragraph, width, hanging=_INDENT if position else "")
        if len(lines) + len(wrapped) > height:
            break
        lines += [TextLine(text, "text" if position else "summary") for text in wrapped]
    return tuple(lines)


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
        blocks.append(_markdown_table(section.parameters, labels) if section.parameters else _markdown_lines(section))
    return "\n\n".join(blocks) + "\n"


def topic_list_text(topics: Iterable[Topic], width: int = 80, language: str = "en") -> str:
    """What can be asked, one name and summary a paragraph."""
    labels = load(language).labels
    headings = {"state": labels.topics_states, "parameter": labels.topics_parameters}
    blocks = []
    for kind, group in groupby(topics, key=lambda topic: topic.kind):
        lines = [headings[kind]]
        for topic in group:
            lines += [_INDENT + part for part in wrap(topic.name, width - len(_INDENT))]
            lines += [_INDENT * 2 + part for part in wrap(topic.summary, width - 2 * len(_INDENT))]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


# -- sections as lines -----------------------------------------------------------------------------------------------


def _section_lines(section: Section, width: int, labels: Labels) -> Iterator[TextLine]:
    for line in section.lines:
        yield from _lines(line, width)
    if section.parameters:
        table = _table(section.parameters, width, labels)
        yield from table or _stacked(section.parameters, width, labels)


def _lines(line: Line, width: int) -> Iterator[TextLine]:
    kind: TextKind = "avoid" if line.kind == "avoid" else "note" if line.kind == "note" else "text"
    lead = f"{line.label}: " if line.label else _BULLET if line.kind == "item" else ""
    if line.label and cells(lead) * _LEAD_SHARE > width:
        for text in wrap(f"{_INDENT}{line.label}:", width, hanging=_INDENT):
            yield TextLine(text, kind, len(text))
        for text in wrap(f"{_INDENT * 2}{line.text}", width, hanging=_INDENT * 2):
            yield TextLine(text, kind)
        return
    texts = wrap(f"{_INDENT}{lead}{line.text}", width, hanging=_INDENT * 2 if lead else _INDENT)
    yield TextLine(texts[0], kind, len(_INDENT + line.label) if line.label else 0)
    for text in texts[1:]:
        yield TextLine(text, kind)


def _value(parameter: ParameterLine, labels: Labels) -> str:
    """The live value with its unit; a dash where there is none (a remark says why)."""
    return "-" if parameter.live is None else f"{parameter.live or labels.empty} {parameter.unit}".strip()


def _table(parameters: Sequence[ParameterLine], width: int, labels: Labels) -> list[TextLine] | None:
    """An aligned table with remarks under their rows, or None if ``width`` is too small for one."""
    head = (labels.column_parameter, labels.column_now, labels.column_default, labels.column_scope, "")
    rows = [_columns(parameter, labels) for parameter in parameters]
    widths = [max(cells(row[column]) for row in (head, *rows)) for column in range(len(head))]
    if sum(widths) + _COLUMN_GAP * (len(widths) - 1) + len(_INDENT) > width or max(widths[1:]) > _WIDEST_VALUE:
        return None
    lines = [TextLine(_row(head, widths), "label")]
    for parameter, row in zip(parameters, rows, strict=True):
        lines.append(TextLine(_row(row, widths), "changed" if parameter.differs_from_default else "parameter"))
        lines += _remark_lines(parameter, width)
    return lines


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
    padded = (text + " " * (width - cells(text)) for text, width in zip(row, widths, strict=True))
    return (_INDENT + (" " * _COLUMN_GAP).join(padded)).rstrip()


def _stacked(parameters: Sequence[ParameterLine], width: int, labels: Labels) -> Iterator[TextLine]:
    """Each parameter on a line, or with its values on the next, for a narrow panel or long values."""
    for parameter in parameters:
        kind: TextKind = "changed" if parameter.differs_from_default else "parameter"
        values = _value_and_default(parameter, labels)
        together = f"{_INDENT}{parameter.short_name} {values}"
        apart = (f"{_INDENT}{parameter.short_name}", f"{_INDENT * 2}{values}")
        for part in (together,) if cells(together) <= width else apart:
            for text in wrap(part, width, hanging=_INDENT * 2):
                yield TextLine(text, kind)
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
    """What stands under a parameter: why it has no value, and when it matters."""
    for remark in filter(None, (parameter.why_missing if with_reason else "", parameter.note)):
        for text in wrap(f"{_INDENT * 2}{remark}", width, hanging=_INDENT * 2):
            yield TextLine(text, "note")


# -- wrapping --------------------------------------------------------------------------------------------------------


def wrap(text: str, width: int, hanging: str = "") -> list[str]:
    """``text`` in lines of at most ``width`` cells; later lines start with ``hanging``.

    Breaks at blanks, between wide characters, and inside a word that is too long, there after ``_``, ``.``, ``/``
    or ``,`` if it can. The blanks that ``text`` starts with stay.
    """
    start = len(text) - len(text.lstrip(" "))
    lines, line = [], text[:start]
    room = max(width, cells(hanging) + 1, start + 1)
    for piece in _pieces(text[start:], room - max(cells(hanging), start)):
        if line.strip() and cells(line) + cells(piece.rstrip()) > room:
            lines.append(line.rstrip())
            line = hanging
        line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str, room: int) -> Iterator[str]:
    """The parts between which a line may end, each no wider than ``room``."""
    for word in _WORD.findall(text):
        for part in [word] if word.isascii() else _WIDE_OR_NOT.findall(word):
            if cells(part.rstrip()) <= room:
                yield part
            else:
                yield from _broken(part, room)


def _broken(word: str, room: int) -> Iterator[str]:
    piece = ""
    for fragment in re.findall(r"[^_./,]*[_./,]|[^_./,]+", word):
        if piece and cells(piece) + cells(fragment.rstrip()) > room:
            yield piece
            piece = ""
        for character in fragment:
            if cells(piece) + cells(character.rstrip()) > room:
                yield piece
                piece = ""
            piece += character
    yield piece


@lru_cache(maxsize=4096)
def cells(text: str) -> int:
    """How many terminal cells ``text`` takes."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


# -- other forms -----------------------------------------------------------------------------------------------------


def _section_dict(section: Section) -> dict[str, object]:
    content: dict[str, object] = {"key": section.key, "heading": section.heading}
    if section.lines:
        content["lines"] = [{"kind": line.kind, "label": line.label, "text": line.text} for line in section.lines]
    if section.parameters:
        content["parameters"] = [_parameter_dict(parameter) for parameter in section.parameters]
    return content


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
    }


def _markdown_lines(section: Section) -> str:
    """Single paragraphs as such, everything else as a list."""
    if all(line.kind in ("paragraph", "note") for line in section.lines):
        return "\n\n".join(_escape(line.text) for line in section.lines)
    lines = (
        f"**{_escape(line.label)}**: {_escape(line.text)}" if line.label else _escape(line.text)
        for line in section.lines
    )
    return "\n".join(f"- {line}" for line in lines)


def _markdown_table(parameters: Sequence[ParameterLine], labels: Labels) -> str:
    head = (labels.column_parameter, labels.column_now, labels.column_default, labels.column_scope, "")
    rows = [head, ("---",) * len(head)]
    for parameter in parameters:
        _, *texts, changed = _columns(parameter, labels)
        remarks = "; ".join(filter(None, (changed, parameter.why_missing, parameter.note)))
        rows.append((f"`{parameter.name}`", *(_escape(text) for text in (*texts, remarks))))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _escape(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*<>|\[\]])", r"\\\1", text)
