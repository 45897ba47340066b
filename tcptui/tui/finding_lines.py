"""What was found, in lines: verdict, findings with their evidence, head-room, moving counters. Pure.

Loads numpy through the diagnosis, so the screen has it only after the first frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from tcptui.diagnosis.capacity import TITLES, Room
from tcptui.diagnosis.counters import Moving, MovingGroup
from tcptui.diagnosis.finding import CONFIDENCE_TITLES, SEVERITY_TITLES, Diagnosis, Fact, Finding, Severity
from tcptui.diagnosis.findings import PHASE_TITLES, FollowedFinding, Phase
from tcptui.diagnosis.rules.catalogue import RULES
from tcptui.language import mark, tr, tr_n
from tcptui.model.fields import duration_text
from tcptui.model.states import TcpState
from tcptui.monitor.judge import Episode, Judgement
from tcptui.monitor.presenter import Presentation
from tcptui.text import cell_count
from tcptui.tui.lines import SEPARATOR, clipped
from tcptui.tui.linked import Line, Linked, Tone
from tcptui.tui.severities import NOTHING_MARK, SEVERITY_MARKS
from tcptui.tui.states_panel import bar
from tcptui.wrapping import wrap

CLOCK = "%H:%M:%S"
MOST_GONE = 10
"""Findings that are gone and are still listed."""
MOST_ROOMS = 12
"""Of one kind, the fullest."""
BAR_WIDTH = 10
_USED_WIDTH, _SHARE_WIDTH, _TREND_WIDTH, _WALL_WIDTH = 19, 5, 9, 8
_FIGURES_WIDTH = _USED_WIDTH + 1 + BAR_WIDTH + _SHARE_WIDTH + _TREND_WIDTH + _WALL_WIDTH
_NAME_WIDTH, _RATE_WIDTH, _COUNT_WIDTH = 31, 11, 13
_LEAST_ABOUT = 24
_NO_LIMIT = 1 << 62
_FAR_S = 86400.0
"""A trend of seconds tells nothing of what is further away."""
_WIDTH_FOR_KEY = 60
"""From here on the verdict has room to say what leads to the others."""
_PHASE_ARROWS = {Phase.RISING: " ↑", Phase.EASING: " ↓"}
_TONES: dict[Severity, Tone] = {Severity.INFO: "text", Severity.WARNING: "warning", Severity.CRITICAL: "warning"}

Clock = Callable[[float], str]
"""What the wall clock said at a time of the samples."""


@dataclass(frozen=True)
class FindingTarget:
    """A line that leads to a finding."""

    key: tuple[str, str]


def clock_of(presentation: Presentation) -> Clock:
    """Times as the samples' wall clock had them."""
    frame = presentation.frame
    assert frame is not None
    return lambda monotonic_s: frame.clock_at(monotonic_s).astimezone().strftime(CLOCK)


# -- The verdict -------------------------------------------------------------------------------------------------------


def verdict_line(presentation: Presentation, more: Callable[[int], str], width: int) -> Line:
    """The worst finding in one line, or that nothing wrong was seen; ``more`` says how many others there are."""
    judgement = presentation.judgement
    if presentation.frame is None:
        return []
    if judgement is None:
        return [(clipped(f" ? {_unknown(presentation)}", width), "dim")]
    prefix = "".join(tr("{about}: ", about=part) for part in _of_when(presentation, judgement))
    alarms = judgement.alarms
    if not alarms:
        text = f" {NOTHING_MARK} {prefix}{_nothing_wrong(judgement)}"
        return [(clipped(text, width), "text")]
    worst, others = alarms[0], len(judgement.open_findings) - 1
    tail = "" if not others else more(others) if width >= _WIDTH_FOR_KEY else f"  +{others}"
    lead = f" {severity_text(worst.finding.severity)}{_PHASE_ARROWS.get(worst.phase, '')}  "
    room = width - cell_count(lead) - cell_count(tail)
    return [(lead, "warning"), (clipped(prefix + worst.finding.verdict, room), "strong"), (tail, "dim")]


def _unknown(presentation: Presentation) -> str:
    """Why there is no verdict, and what was wrong then as far as that is remembered."""
    assert presentation.frame is not None
    if not presentation.is_paused:
        if presentation.is_unjudged:
            return tr("not judged: the filter leaves out sockets by what they do")
        return tr("judged with the next sample")
    now_s = presentation.frame.sample.monotonic_s
    then = [each.finding.rule for each in presentation.episodes if each.is_open_at(now_s)]
    if not then:
        return tr("the verdict of that moment is not kept")
    return tr("the verdict of that moment is not kept; {rules} went on then", rules=tr(", ").join(dict.fromkeys(then)))


def _of_when(presentation: Presentation, judgement: Judgement) -> list[str]:
    """What the verdict is about, where that is not all sockets as they are shown."""
    parts = [tr("within the filter")] if judgement.filter_text else []
    if presentation.is_unjudged and not presentation.is_paused:
        parts.append(tr("as of {time}", time=clock_of(presentation)(judgement.at_s)))
    return parts


def _nothing_wrong(judgement: Judgement) -> str:
    text = nothing_wrong_text(judgement.diagnosis)
    infos = len(judgement.open_findings)
    if not infos:
        return text
    told = tr_n("{count} thing worth knowing", "{count} things worth knowing", infos, count=infos)
    return f"{text} · {told}"


def nothing_wrong_text(diagnosis: Diagnosis) -> str:
    """That nothing is wrong, as far as was checked."""
    total = len(diagnosis.checked) + len(diagnosis.unchecked)
    return tr("nothing wrong seen: {checked} of {total} rules checked", checked=len(diagnosis.checked), total=total)


def severity_text(severity: Severity) -> str:
    """A mark and a word."""
    return f"{SEVERITY_MARKS[severity]} {tr(SEVERITY_TITLES[severity])}"


# -- Findings ----------------------------------------------------------------------------------------------------------


def findings_lines(presentation: Presentation, width: int) -> list[Linked]:
    """All findings, what has gone, and what was checked."""
    judgement = presentation.judgement
    if presentation.frame is None or judgement is None:
        return [Linked([(line, "text")]) for line in wrap(_unknown(presentation), width)] if presentation.frame else []
    clock = clock_of(presentation)
    lines = []
    if about := _of_when(presentation, judgement):
        lines += [Linked([(SEPARATOR.join(filter(None, (*about, judgement.filter_text))), "dim")]), _BLANK]
    if not judgement.alarms:
        lines += [Linked([(f"{NOTHING_MARK} {nothing_wrong_text(judgement.diagnosis)}", "strong")]), _BLANK]
    for each in judgement.open_findings:
        lines += [*_finding_head(each, clock, judgement.at_s, width, FindingTarget(each.finding.key)), _BLANK]
    lines += _gone_lines(presentation, judgement, clock, width)
    return [*lines, *_checked_lines(judgement.diagnosis, width)]


_BLANK = Linked([("", "text")])


def _finding_head(
    each: FollowedFinding, clock: Clock, now_s: float, width: int, target: FindingTarget | None = None
) -> Iterator[Linked]:
    """Severity, since when and phase; the verdict below."""
    finding = each.finding
    head = severity_text(finding.severity)
    since = tr(
        "since {time} ({duration})",
        time=clock(each.first_seen_s),
        duration=duration_text((now_s - each.first_seen_s) * 1000),
    )
    phase = tr(PHASE_TITLES[each.phase]) + _PHASE_ARROWS.get(each.phase, "")
    yield Linked([(head, _TONES[finding.severity]), (f"  {finding.rule}  {since} · {phase}", "dim")], target=target)
    yield from (Linked([(f"  {line}", "strong")]) for line in wrap(finding.verdict, width - 2))


def _gone_lines(presentation: Presentation, judgement: Judgement, clock: Clock, width: int) -> Iterator[Linked]:
    """Those that have gone by the time of the judgement, the last first."""
    gone = [each for each in presentation.episodes if each.ended_s is not None and each.ended_s <= judgement.at_s]
    newest = sorted(gone, key=lambda each: -(each.ended_s or 0.0))[:MOST_GONE]
    if not newest:
        return
    yield Linked([(tr("Gone"), "heading")])
    for each in newest:
        assert each.ended_s is not None
        times = tr("{begun} to {ended}", begun=clock(each.began_s), ended=clock(each.ended_s))
        text = f"{severity_text(each.finding.severity)}  {each.finding.rule}  {times}  {each.finding.verdict}"
        yield from (Linked([(line, "dim")]) for line in wrap(text, width, hanging="  "))
    yield _BLANK


def _checked_lines(diagnosis: Diagnosis, width: int) -> Iterator[Linked]:
    """What could not be judged and why, then what was: nothing said of it means that nothing was found."""
    by_reason: dict[str, list[str]] = {}
    for each in diagnosis.unchecked:
        by_reason.setdefault(each.reason, []).append(tr("{rule} {title}", rule=each.rule, title=each.title))
    if by_reason:
        heading = tr("Could not be checked ({count})", count=len(diagnosis.unchecked))
        yield Linked([(heading, "heading")])
        for reason, titles in by_reason.items():
            yield from _labelled(reason, tr(", ").join(titles), width)
        yield _BLANK
    yield Linked([(tr("Checked ({count})", count=len(diagnosis.checked)), "heading")])
    for rule in RULES:
        if rule.id in diagnosis.checked:
            first, *rest = wrap(f"{rule.id}  {tr(rule.title)}", width, hanging="     ")
            yield Linked([(first, "text")], topic=rule.explain)
            yield from (Linked([(line, "text")]) for line in rest)


def _labelled(label: str, text: str, width: int) -> Iterator[Linked]:
    """A label that stands out, and a text that goes on below it."""
    lead = tr("{label}: ", label=label)
    first, *rest = wrap(lead + text, width, hanging="  ")
    if first.startswith(lead):
        yield Linked([(lead, "strong"), (first[len(lead) :], "text")])
    else:
        yield Linked([(first, "strong")])
    yield from (Linked([(line, "text")]) for line in rest)


def finding_lines(presentation: Presentation, key: tuple[str, str], width: int) -> list[Linked]:
    """All that there is to say of one finding; of one that is gone, that it is."""
    judgement = presentation.judgement
    if presentation.frame is None:
        return []
    found = next((each for each in judgement.open_findings if each.finding.key == key), None) if judgement else None
    clock = clock_of(presentation)
    if found is not None and judgement is not None:
        lines = [*_finding_head(found, clock, judgement.at_s, width), *_peak_line(found), _BLANK]
        return [*lines, *_reasons(found.finding, width)]
    past = [each for each in presentation.episodes if each.finding.key == key]
    if not past:
        return [Linked([(tr("It has not been found then."), "text")])]
    return [*_past_head(past[-1], clock, width), _BLANK, *_reasons(past[-1].finding, width)]


def _peak_line(each: FollowedFinding) -> Iterator[Linked]:
    """What it once was, where that is more than now."""
    if each.peak > each.finding.size:
        text = tr("{size:,.0f} now, {peak:,.0f} at most", size=each.finding.size, peak=each.peak)
        yield Linked([(f"  {text}", "dim")])


def _past_head(episode: Episode, clock: Clock, width: int) -> Iterator[Linked]:
    times = tr(
        "{begun} to {ended}", begun=clock(episode.began_s), ended=clock(episode.ended_s) if episode.ended_s else "…"
    )
    yield Linked([(f"{severity_text(episode.finding.severity)}  {episode.finding.rule}  {times}", "dim")])
    yield from (Linked([(f"  {line}", "strong")]) for line in wrap(episode.finding.verdict, width - 2))


def _reasons(finding: Finding, width: int) -> Iterator[Linked]:
    """Evidence, advice, what would refute it, how sure it is, and where to read on."""
    yield Linked([(tr("Evidence"), "heading")])
    for fact in finding.evidence:
        yield from _fact_lines(fact, width)
    yield _BLANK
    yield from _labelled(tr("first"), finding.first, width)
    yield from _labelled(tr("no help"), finding.not_, width)
    yield from _labelled(tr("refuted by"), finding.refuted_by, width)
    yield from _labelled(tr("how sure"), tr(CONFIDENCE_TITLES[finding.confidence]), width)
    for each in finding.missing:
        yield from _labelled(tr("missing"), each, width)
    yield _BLANK
    yield Linked([(tr("Explained under {topic}", topic=finding.explain), "text")], topic=finding.explain)


def _fact_lines(fact: Fact, width: int) -> Iterator[Linked]:
    """A piece of evidence, which leads to its rows, or else to what explains it."""
    first, *rest = wrap(fact.text, width - 2)
    yield Linked([(f"· {first}", "text")], topic="" if fact.link else fact.topic, target=fact.link)
    yield from (Linked([(f"  {line}", "text")]) for line in rest)
    if fact.link is not None and fact.topic:
        yield Linked([(f"    {fact.topic}", "dim")], topic=fact.topic)


def about_state(judgement: Judgement, state: TcpState, width: int) -> list[Linked]:
    """What was found that concerns a state, to be said before what the state means."""
    lines = [line for each in judgement.about(state) for line in _short(each, _of_filter(judgement), width)]
    return [Linked([(tr("Seen here"), "heading")]), *lines, _BLANK] if lines else []


def _of_filter(judgement: Judgement) -> str:
    return tr("{about}: ", about=tr("within the filter")) if judgement.filter_text else ""


def _short(each: FollowedFinding, about: str, width: int) -> Iterator[Linked]:
    """A finding in a few lines, which lead to it."""
    lead = f"{severity_text(each.finding.severity)}{_PHASE_ARROWS.get(each.phase, '')}  "
    first, *rest = wrap(lead + about + each.finding.verdict, width, hanging="  ")
    tone = _TONES[each.finding.severity]
    yield Linked([(lead, tone), (first[len(lead) :], "text")], target=FindingTarget(each.finding.key))
    yield from (Linked([(line, "text")]) for line in rest)


def beside_verdict(judgement: Judgement, state: TcpState) -> FollowedFinding | None:
    """The worst finding that concerns a state, unless the verdict is it."""
    found = next(iter(judgement.about(state)), None)
    return None if found in judgement.alarms[:1] else found


def gist_piece(each: FollowedFinding, width: int) -> Line:
    """A finding in at most one line."""
    lead = f"{severity_text(each.finding.severity)}  "
    return [(lead, _TONES[each.finding.severity]), (clipped(each.finding.verdict, width - cell_count(lead)), "text")]


# -- Head-room ---------------------------------------------------------------------------------------------------------


def room_lines(presentation: Presentation, width: int) -> list[Linked]:
    """How much of each limit is in use, the fullest first within each kind."""
    rooms = presentation.judgement.rooms if presentation.judgement is not None else None
    if rooms is None:
        why = (
            tr("Head-room is told of the newest sample alone.")
            if presentation.is_paused
            else tr("Nothing is judged yet.")
        )
        return [Linked([(line, "text")]) for line in wrap(why, width)]
    if not rooms:
        why = tr("No limit is known here, or nothing is in use of any.")
        return [Linked([(line, "text")]) for line in wrap(why, width)]
    lines = [Linked([(_room_heading(width), "dim")])]
    for kind, group in groupby(rooms, key=lambda room: room.kind):
        of_kind = sorted(group, key=lambda room: -room.share)
        lines.append(Linked([(tr(TITLES[kind]), "heading")], topic=of_kind[0].topic))
        for room in of_kind[:MOST_ROOMS]:
            lines += _room(room, width)
        if len(of_kind) > MOST_ROOMS:
            left = len(of_kind) - MOST_ROOMS
            lines.append(Linked([(tr_n("  and {count} more", "  and {count} more", left, count=left), "dim")]))
    return lines


def _room_heading(width: int) -> str:
    figures = (
        _right(tr("used / limit"), _USED_WIDTH)
        + " " * (BAR_WIDTH + 1)
        + _right(tr("share"), _SHARE_WIDTH)
        + _right(tr("trend"), _TREND_WIDTH)
        + _right(tr("full in"), _WALL_WIDTH)
    )
    return " " * max(width - _FIGURES_WIDTH, 0) + figures


def _right(text: str, width: int) -> str:
    return " " * max(width - cell_count(text), 0) + text


def _room(room: Room, width: int) -> Iterator[Linked]:
    """One limit: whose it is on a line of its own where there is no room before the figures."""
    room_for_name = width - _FIGURES_WIDTH - 2
    name = room.subject or tr("all together")
    tone: Tone = "warning" if room.share >= 0.9 else "text"
    figures: Line = [
        (_right(_used(room), _USED_WIDTH) + " ", tone),
        (bar(min(room.share, 1.0), BAR_WIDTH), tone),
        (f"{room.share:.0%}".rjust(_SHARE_WIDTH), tone),
        (_trend(room).rjust(_TREND_WIDTH), "text"),
        (_right(_wall(room), _WALL_WIDTH), "strong"),
    ]
    topic, target = ("", room.link) if room.link is not None else (room.topic, None)
    if cell_count(name) <= room_for_name:
        lead = f"  {name}" + " " * (room_for_name - cell_count(name))
        yield Linked([(lead, "text"), *figures], topic=topic, target=target)
    else:
        yield Linked([(f"  {clipped(name, width - 2)}", "text")], topic=topic, target=target)
        yield Linked([(" " * (room_for_name + 2), "text"), *figures])
    for note in _notes(room):
        yield from (Linked([(f"    {line}", "dim")]) for line in wrap(note, width - 4))


def _used(room: Room) -> str:
    """Used of the limit; what the kernel has for "as many as you like" is none."""
    limit = f"{room.limit:,}" if room.limit < _NO_LIMIT else tr("no limit")
    return f"{room.used:,} / {limit}"


def _trend(room: Room) -> str:
    """How fast the use changes; nothing where that is not known yet."""
    if room.per_s is None:
        return ""
    return f"{room.per_s:+,.0f}/s" if abs(room.per_s) >= 9.95 else f"{room.per_s:+.1f}/s" if room.per_s else "="


def _wall(room: Room) -> str:
    """When it is full, at the present rate."""
    if room.used >= room.limit:
        return tr("full")
    if room.wall_s is None or room.wall_s > _FAR_S:
        return "-"
    return duration_text(room.wall_s * 1000)


def _notes(room: Room) -> Iterator[str]:
    if room.peak is not None and room.peak > room.used:
        yield tr("{count:,} at most since the start", count=room.peak)
    if room.reusable:
        text = mark("{count:,} of them in TIME_WAIT, of which connect() may take {reusable:,} once more")
        yield tr(text, count=room.time_waits, reusable=room.reusable)
    elif room.time_waits:
        yield tr("{count:,} of them in TIME_WAIT", count=room.time_waits)


# -- Counters ----------------------------------------------------------------------------------------------------------


def counter_lines(presentation: Presentation, about: Mapping[str, str], width: int) -> list[Linked]:
    """The counters that move, by what they mean; ``about`` has a sentence on each."""
    judgement, frame = presentation.judgement, presentation.frame
    if judgement is None or frame is None or not judgement.points:
        why = (
            tr("Counters are told of the newest sample alone.")
            if presentation.is_paused
            else tr("Nothing is judged yet.")
        )
        return [Linked([(line, "text")]) for line in wrap(why, width)]
    if not any(name.startswith(("Tcp.", "TcpExt.")) for name in frame.sample.counters):
        why = tr("{source} does not tell counters.", source=frame.sample.origin.source)
        return [Linked([(line, "text")]) for line in wrap(why, width)]
    since = clock_of(presentation)(judgement.points[0].monotonic_s)
    lines = [Linked([(_counter_heading(since), "dim")])]
    groups = judgement.moving
    if not groups:
        lines.append(Linked([(tr("None has moved since {time}.", time=since), "text")]))
    for group in groups:
        lines += _counter_group(group, about, width)
    return lines


def _counter_heading(since: str) -> str:
    return (
        " " * _NAME_WIDTH
        + _right(tr("now"), _RATE_WIDTH)
        + _right(tr("a minute"), _RATE_WIDTH)
        + _right(tr("since {time}", time=since), _COUNT_WIDTH + 3)
    )


def _counter_group(group: MovingGroup, about: Mapping[str, str], width: int) -> Iterator[Linked]:
    yield Linked([(tr(group.group.title), "heading")])
    for each in group.counters:
        yield _counter(each, about.get(each.name, ""), width)
    yield _BLANK


def _counter(each: Moving, about: str, width: int) -> Linked:
    name = f"  {each.name}".ljust(_NAME_WIDTH)
    figures = (
        f"{_rate(each.now_per_s).rjust(_RATE_WIDTH)}{_rate(each.minute_per_s).rjust(_RATE_WIDTH)}"
        f"{f'+{each.since_start:,}'.rjust(_COUNT_WIDTH + 3)}"
    )
    room = width - _NAME_WIDTH - cell_count(figures) - 2
    pieces: Line = [(name, "strong" if each.now_per_s else "text"), (figures, "text")]
    if about and room >= _LEAST_ABOUT:
        pieces.append((f"  {clipped(about, room)}", "dim"))
    return Linked(pieces, topic=each.name)


def _rate(per_s: float) -> str:
    if not per_s:
        return "·"
    return f"{per_s:,.0f}/s" if per_s >= 9.95 else f"{per_s:.1f}/s" if per_s >= 0.05 else f"{per_s * 60:.1f}/min"
