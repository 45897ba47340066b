"""A diagnosis in writing: as text for a terminal, as Markdown for a ticket, as JSON for programs."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tcptui.diagnosis.capacity import TITLES, Room
from tcptui.diagnosis.counters import MovingGroup
from tcptui.diagnosis.finding import CONFIDENCE_TITLES, SEVERITY_TITLES, Diagnosis, Fact, Finding, Link, Severity
from tcptui.export.head import circumstances
from tcptui.language import tr, tr_n
from tcptui.model.fields import duration_text
from tcptui.model.sample import Degradation, Sample
from tcptui.model.states import ALL_STATES, DISPLAY_ORDER
from tcptui.model.table import Mask
from tcptui.text import cell_count
from tcptui.wrapping import wrap

SCHEMA = "tcptui.diagnosis/1"
"""The version of the JSON form."""
_NARROWEST = 40
_LABEL_INDENT = 2
_FULL_SHARE = 0.05
"""Share of a limit from which on its use is worth a line in a report."""


@dataclass(frozen=True, eq=False)
class Report:
    """A diagnosis with what it was made of."""

    diagnosis: Diagnosis
    sample: Sample
    """The last one."""
    samples: int
    watched_s: float
    rooms: Sequence[Room] = ()
    counters: Sequence[MovingGroup] = ()
    filter: str = ""
    mask: Mask | None = None
    """The sockets that the filter means."""
    degraded: tuple[Degradation, ...] = ()


# -- Text --------------------------------------------------------------------------------------------------------------


def to_text(report: Report, width: int) -> str:
    """For a terminal of ``width`` cells."""
    width = max(width, _NARROWEST)
    lines = [*_preamble(report), ""]
    for finding in report.diagnosis.findings:
        lines += [*_finding_lines(finding, report, width), ""]
    lines += _closing_lines(report, width)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _preamble(report: Report) -> list[str]:
    origin = report.sample.origin
    counts = report.sample.table.state_counts(report.mask)
    states = "  ".join(f"{state.name} {counts[state]:,}" for state in DISPLAY_ORDER if counts[state])
    watched = tr_n(
        "{count} sample by {source}",
        "{count} samples by {source} in {time}",
        report.samples,
        count=report.samples,
        source=origin.source,
        time=duration_text(report.watched_s * 1000),
    )
    lines = [
        " · ".join(("tcptui", *circumstances(report.sample))),
        f"{watched} · {states or tr('none')}",
    ]
    if report.filter:
        lines.append(tr("filter: {filter}", filter=report.filter))
    return [*lines, *(f"! {trouble}" for trouble in report.degraded)]


def _finding_lines(finding: Finding, report: Report, width: int) -> Iterator[str]:
    head = tr(
        "{severity} {rule} ({confidence}): {verdict}",
        severity=tr(SEVERITY_TITLES[finding.severity]).upper(),
        rule=finding.rule,
        confidence=tr(CONFIDENCE_TITLES[finding.confidence]),
        verdict=finding.verdict,
    )
    yield from wrap(head, width, hanging="  ")
    for fact in finding.evidence:
        yield from wrap(f"  · {fact.text}", width, hanging="    ")
    if finding.link is not None:
        yield from wrap(f"    $ {command(finding.link, report)}", width, hanging="      ")
    rows = _advice(finding)
    label_width = max(cell_count(label) for label, _ in rows)
    for label, text in rows:
        lead = " " * _LABEL_INDENT + label + " " * (label_width - cell_count(label) + 2)
        yield from wrap(lead + text, width, hanging=" " * cell_count(lead))


def _advice(finding: Finding) -> list[tuple[str, str]]:
    """What to do, what not, what would refute it and where to read on, with what each is called."""
    return [
        (tr("first"), finding.first),
        (tr("no help"), finding.not_),
        (tr("refuted by"), finding.refuted_by),
        *((tr("missing"), each) for each in finding.missing),
        (tr("more"), f"tcptui explain {finding.explain}"),
    ]


def _closing_lines(report: Report, width: int) -> Iterator[str]:
    if not _is_wrong(report.diagnosis):
        yield tr("nothing wrong seen")
    for room in _full_rooms(report.rooms):
        yield from wrap(f"· {room_text(room)}", width, hanging="  ")
    for line in (_checked_text(report.diagnosis), *_unchecked_texts(report.diagnosis)):
        yield from wrap(line, width, hanging="  ")
    if 0 < report.watched_s < _LONG_ENOUGH_S:
        text = tr("What rises or stands still shows only over a while: --for 60 tells more of R01, R03, R28 and R30.")
        yield from wrap(text, width)


_LONG_ENOUGH_S = 30.0


def _is_wrong(diagnosis: Diagnosis) -> bool:
    return diagnosis.worst is not None and diagnosis.worst.severity > Severity.INFO


def _checked_text(diagnosis: Diagnosis) -> str:
    total = len(diagnosis.checked) + len(diagnosis.unchecked)
    return tr("{checked} of {total} rules were checked.", checked=len(diagnosis.checked), total=total)


def _unchecked_texts(diagnosis: Diagnosis) -> Iterator[str]:
    """Rules that could not be judged, by the reason."""
    by_reason: dict[str, list[str]] = {}
    for each in diagnosis.unchecked:
        by_reason.setdefault(each.reason, []).append(each.rule)
    for reason, rules in by_reason.items():
        yield tr("Not checked: {rules} ({reason}).", rules=tr(", ").join(rules), reason=reason)


def _full_rooms(rooms: Sequence[Room]) -> list[Room]:
    """Those worth a line, the fullest first."""
    return sorted((room for room in rooms if room.share >= _FULL_SHARE), key=lambda room: -room.share)


def room_text(room: Room) -> str:
    """One limit, how much of it is in use, and when it will be used up."""
    title = tr(TITLES[room.kind])
    name = tr("{title} {subject}", title=title, subject=room.subject) if room.subject else title
    text = tr(
        "{name}: {used:,} of {limit:,} ({share:.0%})",
        name=name,
        used=room.used,
        limit=room.limit,
        share=room.used / room.limit if room.limit else 1,
    )
    if room.wall_s is None or room.per_s is None:
        return text
    return tr(
        "{text}, {rate:+,.1f}/s, used up in {time}", text=text, rate=room.per_s, time=duration_text(room.wall_s * 1000)
    )


def command(link: Link, report: Report) -> str:
    """The command that shows what a fact speaks of."""
    words = ["tcptui", "snapshot", "--view", link.view.value, *report.sample.origin.options]
    return shlex.join([*words, link.filter] if link.filter else words)


# -- Markdown ----------------------------------------------------------------------------------------------------------


def to_markdown(report: Report) -> str:
    """As it would go into a ticket."""
    lines = [f"> {escaped(line)}  " for line in _preamble(report)]
    lines += ["", f"**{escaped(report.diagnosis.verdict_line)}**", ""]
    for finding in report.diagnosis.findings:
        lines += [*_finding_markdown(finding, report), ""]
    shown = _full_rooms(report.rooms)
    if shown:
        lines += ["### " + tr("Head-room"), "", *(f"- {escaped(room_text(room))}" for room in shown), ""]
    lines += ["### " + tr("Checked"), "", f"- {escaped(_checked_text(report.diagnosis))}"]
    lines += [f"- {escaped(text)}" for text in _unchecked_texts(report.diagnosis)]
    return "\n".join(lines) + "\n"


def _finding_markdown(finding: Finding, report: Report) -> Iterator[str]:
    severity, confidence = tr(SEVERITY_TITLES[finding.severity]), tr(CONFIDENCE_TITLES[finding.confidence])
    yield f"### {finding.rule} · {escaped(severity)} · {escaped(finding.verdict)}"
    yield ""
    yield escaped(tr("How sure: {confidence}", confidence=confidence))
    yield ""
    for fact in finding.evidence:
        yield f"- {escaped(fact.text)}"
    yield ""
    for label, text in _advice(finding):
        yield f"- **{escaped(label)}**: {escaped(text)}"
    if finding.link is not None:
        text = command(finding.link, report)
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text) or [""]))
        yield from ("", f"{fence}sh", text, fence)


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*<>|~\[\]#])", r"\\\1", text)


# -- JSON --------------------------------------------------------------------------------------------------------------


def to_json(report: Report) -> str:
    """For programs: one document."""
    return json.dumps(_document(report), indent=1, ensure_ascii=False) + "\n"


def _document(report: Report) -> dict[str, Any]:
    sample, diagnosis = report.sample, report.diagnosis
    counts = sample.table.state_counts(report.mask)
    return {
        "schema": SCHEMA,
        "taken_at": sample.taken_at.isoformat(timespec="microseconds") if sample.origin.tells_time else None,
        "host": sample.origin.host or None,
        "kernel": sample.origin.kernel or None,
        "source": sample.origin.source,
        "netns": sample.origin.netns or None,
        "filter": report.filter,
        "samples": report.samples,
        "watched_s": round(report.watched_s, 3),
        "degraded": [{"code": each.code, "reason": each.reason, "hint": each.hint} for each in report.degraded],
        "states": {state.name: int(counts[state]) for state in ALL_STATES},
        "worst": diagnosis.worst.severity.word if diagnosis.worst else None,
        "findings": [_finding_object(each) for each in diagnosis.findings],
        "capacity": [_room_object(each) for each in report.rooms],
        "counters": [
            {
                "name": each.name,
                "group": group.group.id,
                "total": each.total,
                "now_per_s": round(each.now_per_s, 3),
                "minute_per_s": round(each.minute_per_s, 3),
                "since_start": each.since_start,
            }
            for group in report.counters
            for each in group.counters
        ],
        "checked": list(diagnosis.checked),
        "unchecked": [{"rule": each.rule, "reason": each.reason} for each in diagnosis.unchecked],
    }


def _finding_object(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "subject": finding.subject,
        "severity": finding.severity.word,
        "confidence": finding.confidence.value,
        "verdict": finding.verdict,
        "states": [state.name for state in finding.states],
        "size": finding.size,
        "evidence": [_fact_object(each) for each in finding.evidence],
        "missing": list(finding.missing),
        "first": finding.first,
        "not": finding.not_,
        "refuted_by": finding.refuted_by,
        "explain": finding.explain,
    }


def _fact_object(fact: Fact) -> dict[str, Any]:
    shown: dict[str, Any] = {"text": fact.text}
    if fact.link is not None:
        shown |= {"view": fact.link.view.value, "filter": fact.link.filter}
    return {**shown, "explain": fact.topic} if fact.topic else shown


def _room_object(room: Room) -> dict[str, Any]:
    return {
        "kind": room.kind,
        "subject": room.subject,
        "used": room.used,
        "limit": room.limit,
        "peak": room.peak,
        "reusable": room.reusable,
        "per_s": None if room.per_s is None else round(room.per_s, 3),
        "wall_s": None if room.wall_s is None else round(room.wall_s, 1),
    }
