"""What there is to say about a kernel parameter, and about all of them on one machine."""

import difflib
from collections.abc import Iterable

from tcptui.explain.bounds import BOUNDS
from tcptui.explain.entries import ParameterEntry
from tcptui.explain.explanation import Explanation, Line, ParameterLine, Section
from tcptui.explain.voice import Voice, Words, first_sentence
from tcptui.model.disk import DiskSetting
from tcptui.model.states import DISPLAY_ORDER, TcpState

OUR_PREFIXES = ("net.ipv4.tcp_", "net.ipv4.ip_conntrack", "net.ipv4.netfilter.", "net.ipv4.ip_local_", "net.core.so")
"""How names begin that are about TCP: unknown ones on disk are worth a word."""
_MISSPELT_FROM = 0.85
"""Likeness of names, from which one is taken for a slip of the finger."""


def parameter_explanation(voice: Voice, entry: ParameterEntry) -> Explanation:
    """Everything about a parameter, with this machine's value."""
    line = voice.parameter_line(entry.name, "no effect here" if entry.is_dead else "governs")
    read = (name for bound in entry.bounds for name in BOUNDS[bound].parameters)
    related = [name for name in dict.fromkeys((*entry.see, *read)) if name != entry.name]
    options = [each.name for each in voice.knowledge.options.values() if entry.name in each.overrides]
    counters = [each.name for each in voice.knowledge.counters.values() if entry.name in each.parameters]
    sections = (
        voice.items("value", _value_texts(voice, entry, line)),
        voice.section("now", _now_lines(voice, entry)),
        voice.section("values", (Line("case", meaning, value) for value, meaning in entry.values.items())),
        voice.section("states", _state_lines(voice, entry)),
        voice.items("not_does", entry.not_does),
        voice.paragraph("changing", entry.changing),
        voice.paragraph("risk", entry.risk),
        voice.counters("counters", counters),
        voice.named_parameters("see", related),
        voice.topics("topics", options),
        voice.myths(entry.name),
    )
    words = Words(entry.does, entry.source, short=_short(voice, entry, line))
    return voice.explanation(entry.name, "parameter", words, sections)


def parameters_overview(voice: Voice) -> Explanation:
    """What of all parameters is worth a look: changed ones, what disk and kernel disagree on, what is set in vain."""
    labels, entries = voice.labels, voice.knowledge.parameters
    lines = [voice.parameter_line(name, "governs") for name in entries]
    changed = tuple(line for line in lines if line.differs_from_default and not entries[line.name].read_only)
    sections = (
        Section(
            "changed_parameters",
            labels.changed_parameters,
            () if changed else (Line("paragraph", labels.nothing_changed),),
            changed,
        ),
        *_disk_sections(voice, [line for line in lines if line.is_other_on_disk]),
    )
    words = Words(labels.overview_parameters, "2", labels.overview_parameters_title)
    return voice.explanation("parameters", "overview", words, sections)


def _disk_sections(voice: Voice, others: list[ParameterLine]) -> Iterable[Section]:
    labels, disk = voice.labels, voice.circumstances.disk
    if disk is None:
        yield voice.paragraph("on_disk", labels.disk_not_read)
        return
    dead = [line for line in others if _is_set_in_vain(voice, line)]
    waiting = tuple(line for line in others if line not in dead)
    read_as = Line("note", labels.read_as.format(reader=disk.reader))
    agrees = () if waiting else (Line("paragraph", labels.disk_agrees),)
    yield Section("on_disk", labels.on_disk, (*agrees, read_as), waiting)
    vain = [*(_dead_line(voice, line) for line in dead), *_unknown_lines(voice)]
    yield voice.section("dead_on_disk", vain or [Line("paragraph", labels.no_dead)])
    if disk.unreadable:
        yield voice.items("unreadable", (f"{path}: {reason}" for path, reason in disk.unreadable))


def _is_set_in_vain(voice: Voice, line: ParameterLine) -> bool:
    return line.on_disk is not None and (
        voice.knowledge.parameters[line.name].is_dead or line.on_disk.name != line.name
    )


def _dead_line(voice: Voice, line: ParameterLine) -> Line:
    assert line.on_disk is not None
    return Line("case", voice.disk_remark(voice.knowledge.parameters[line.name]), line.on_disk.name, line.name)


def _unknown_lines(voice: Voice) -> list[Line]:
    """Names about TCP that no kernel file answers to, and that we have no entry for: mostly typing errors."""
    disk = voice.circumstances.disk
    known = {name for each in voice.knowledge.parameters.values() for name in (each.name, *each.old_names)}
    settings = disk.settings.values() if disk is not None else ()
    unknown = (each for each in settings if not each.is_known and each.name not in known)
    return [
        Line("case", _unknown_text(voice, each), each.name) for each in unknown if each.name.startswith(OUR_PREFIXES)
    ]


def _unknown_text(voice: Voice, setting: DiskSetting) -> str:
    """That there is no such parameter, and which may have been meant."""
    words = voice.disk_words(setting)
    near = difflib.get_close_matches(setting.name, voice.knowledge.parameters, n=1, cutoff=_MISSPELT_FROM)
    if near:
        return voice.labels.unknown_on_disk_near.format(**words, name=near[0])
    return voice.labels.unknown_on_disk.format(**words)


def _value_texts(voice: Voice, entry: ParameterEntry, line: ParameterLine) -> list[str]:
    labels = voice.labels
    return [
        "" if entry.removed and line.live is None else _now(voice, line),
        _default_line(voice, line),
        voice.in_use_text(entry),
        voice.disk_remark(entry, is_thorough=True),
        *_overridden(voice, entry),
        labels.history_line.format(text=entry.history) if entry.history else "",
        labels.scope_machine_line if entry.scope == "machine" else labels.scope_namespace_line,
        labels.read_only_line if entry.read_only else "",
        labels.read_only_here_line if line.is_read_only and not entry.read_only else "",
        labels.since_line.format(version=entry.since) if entry.since else "",
        labels.since_about_line.format(version=entry.since_about) if entry.since_about else "",
        labels.removed_line.format(version=entry.removed) if entry.removed else "",
        labels.no_effect_line if entry.no_effect else "",
        *(labels.old_name_line.format(name=name) for name in entry.old_names),
    ]


def _overridden(voice: Voice, entry: ParameterEntry) -> list[str]:
    """The lines on disk that lose against a later one with another value."""
    disk, winner = voice.circumstances.disk, voice.on_disk(entry.name)
    if disk is None or winner is None:
        return []
    losers = (each for each in disk.overridden.get(winner.name, ()) if each.value != winner.value)
    return [voice.labels.disk_overridden.format_map(voice.disk_words(each)) for each in losers]


def _now(voice: Voice, line: ParameterLine) -> str:
    if line.live is None:
        return voice.labels.live_missing.format(reason=line.why_missing)
    value = f"{line.live or voice.labels.empty} {line.unit}".strip()
    template = voice.labels.live_changed if line.differs_from_default else voice.labels.live_is
    return template.format(value=value)


def _default_line(voice: Voice, line: ParameterLine) -> str:
    """The default with its unit and where it comes from; empty for something that has none."""
    default = voice.values.default(line.name)
    words = line.default_text
    if default is not None:
        value = f"{line.default} {line.unit}".strip() if default else line.default
        words = voice.labels.default_computed.format(value=value, rule=words) if words else value
    return voice.labels.default_line.format(default=words) if words else ""


def _now_lines(voice: Voice, entry: ParameterEntry) -> list[Line]:
    sentences = ((voice.sentence(bound), voice.knowledge.bounds[bound].label) for bound in entry.bounds)
    lines = [Line("case", sentence, label) for sentence, label in sentences if sentence]
    return [*lines, *voice.assumption_notes(entry.bounds)]


def _state_lines(voice: Voice, entry: ParameterEntry) -> list[Line]:
    labels = voice.labels
    states = [voice.knowledge.states[state.name] for state in (*DISPLAY_ORDER, TcpState.CLOSE)]
    governed = [each.name for each in states if entry.name in (*each.parameters, *each.modifiers)]
    unrelated = [each.name for each in states if entry.name in each.unrelated]
    templates = ((labels.governs_line, governed), (labels.unrelated_line, unrelated))
    return [
        Line("item", template.format(states=labels.list_separator.join(names)))
        for template, names in templates
        if names
    ]


def _short(voice: Voice, entry: ParameterEntry, line: ParameterLine) -> tuple[str, ...]:
    return (first_sentence(entry.does), _now(voice, line), *filter(None, [_default_line(voice, line)]))
