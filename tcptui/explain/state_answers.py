"""What there is to say about a state: decides what comes in which order."""

from tcptui.explain.commands import capture_command, counters_command, ss_command
from tcptui.explain.entries import StateEntry, short_name
from tcptui.explain.explanation import Explanation, Line, ParameterLine
from tcptui.explain.voice import Voice, Words


def state_explanation(voice: Voice, entry: StateEntry) -> Explanation:
    """Everything about a state, with this machine's values."""
    governing = _governing_lines(voice, entry)
    sections = (
        voice.paragraph("side", entry.side),
        voice.paragraph("actor", entry.actor),
        voice.section("ends", voice.case_lines(entry.ends)),
        voice.parameters("governs", governing),
        voice.items("do", entry.do),
        voice.section("avoid", (Line("avoid", advice.why, advice.what) for advice in entry.avoid)),
        voice.parameters("no_effect", _vain_lines(voice, entry)),
        voice.section("limits", voice.case_lines(entry.limits)),
        voice.paragraph("many", entry.many),
        voice.section("queues", (Line("case", reading.text, reading.case) for reading in entry.queues)),
        voice.paragraph("timer", entry.timer),
        voice.paragraph("entered", entry.entered),
        voice.paragraph("left", entry.left),
        voice.counters("counters", entry.counters, entry.counters_note),
        voice.section("commands", _command_lines(voice, entry)),
        voice.myths(entry.name),
    )
    words = Words(entry.summary, entry.source, short=_short(voice, entry, governing))
    return voice.explanation(entry.name, "state", words, sections)


def _command_lines(voice: Voice, entry: StateEntry) -> list[Line]:
    labels, selection = voice.labels, voice.circumstances.selection
    counters = [voice.knowledge.counters[name] for name in entry.counters]
    commands = (
        (labels.command_rows, ss_command(entry, selection), ""),
        (labels.command_packets, capture_command(entry, selection), entry.packets),
        (labels.command_counters, counters_command(counters, selection), ""),
    )
    lines = []
    for label, command, what_to_look_for in commands:
        if command:
            lines.append(Line("command", command, label))
        if what_to_look_for:
            lines.append(Line("note", what_to_look_for))
    return lines


def _governing_lines(voice: Voice, entry: StateEntry) -> list[ParameterLine]:
    changed = [name for name in entry.modifiers if voice.values.differs(name)]
    lines = [_line(voice, entry, name) for name in (*entry.parameters, *changed)]
    return [line for line in lines if line.role == "governs"]


def _vain_lines(voice: Voice, entry: StateEntry) -> list[ParameterLine]:
    conditional = [line for name in entry.parameters if (line := _line(voice, entry, name)).role != "governs"]
    unrelated = (voice.parameter_line(name, "no effect here", entry.notes.get(name, "")) for name in entry.unrelated)
    return [*conditional, *unrelated]


def _line(voice: Voice, entry: StateEntry, name: str) -> ParameterLine:
    """A parameter of the state; it has no effect while the one that it depends on says otherwise."""
    for condition in entry.only_when:
        if condition.parameter == name:
            note = voice.labels.only_with.format(other=short_name(condition.other), value=condition.value)
            holds = voice.values.effective(condition.other) == condition.value
            return voice.parameter_line(name, "governs" if holds else "no effect here", note)
    return voice.parameter_line(name, "governs", entry.notes.get(name, ""))


def _short(voice: Voice, entry: StateEntry, governing: list[ParameterLine]) -> tuple[str, ...]:
    labels = voice.labels
    ends = voice.fill(entry.short.bound, lambda _case: entry.short.ends) if entry.short.bound else entry.short.ends
    return (
        entry.short.summary,
        labels.short_acts.format(actor=_actors(voice, entry)),
        labels.short_ends.format(text=ends),
        *(_short_parameter(voice, line) for line in governing),
    )


def _actors(voice: Voice, entry: StateEntry) -> str:
    first, *others = (getattr(voice.labels, f"actor_{actor}") for actor in entry.actors)
    return voice.labels.actor_or.format(first=first, second=others[0]) if others else str(first)


def _short_parameter(voice: Voice, line: ParameterLine) -> str:
    value = f"{line.live or voice.labels.empty} {line.unit}".strip() if line.live is not None else line.why_missing
    return f"{line.short_name} {value}"
