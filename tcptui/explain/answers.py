"""Explanations of states and parameters, with this machine's values in them.

Takes words from ``knowledge``, numbers from ``bounds``, live values from the caller; decides what is said and in which
order. May not format for a screen or a file: that is ``render``.
"""

from collections.abc import Callable, Iterable, Mapping

from tcptui.explain.bounds import BOUNDS, NoValueError, Number
from tcptui.explain.explanation import Explanation, Line, ParameterLine, Role, Section, SectionKey
from tcptui.explain.knowledge import Case, Knowledge, ParameterEntry, StateEntry, load, short_name
from tcptui.explain.labels import Labels
from tcptui.explain.live import LiveValues
from tcptui.model.states import DISPLAY_ORDER, TcpState

_MINUTES_FROM_S = 300
_HOURS_FROM_S = 7200
_TENTHS_BELOW = 10


def state_explanation(state: TcpState, live: Mapping[str, str], language: str = "en") -> Explanation:
    """What ``state`` means on a machine whose parameters are ``live``.

    Args:
        state: any of the eleven states.
        live: dotted parameter name to the text of /proc/sys. A name that is missing could not be read or does not
            exist; read at least ``parameter_names(state.name)``.
        language: one of ``knowledge.LANGUAGES``.
    """
    return _Teller(load(language), live).state(state)


def parameter_explanation(name: str, live: Mapping[str, str], language: str = "en") -> Explanation:
    """What the kernel parameter ``name`` (dotted) does, and what its live value means. ``live`` as above."""
    return _Teller(load(language), live).parameter(name)


def format_seconds(seconds: float, labels: Labels) -> str:
    """A duration for a sentence: tenths below 10 s, with minutes from 5 minutes on, with hours from 2 hours on."""
    shown = f"{seconds:.1f}".removesuffix(".0") if seconds < _TENTHS_BELOW else f"{seconds:,.0f}"
    if seconds >= _HOURS_FROM_S:
        hours, minutes = divmod(round(seconds / 60), 60)
        template = labels.seconds_hours_minutes if minutes else labels.seconds_hours
        return template.format_map({"n": shown, "hours": hours, "minutes": minutes})
    if seconds >= _MINUTES_FROM_S:
        return labels.seconds_minutes.format(n=shown, minutes=f"{seconds / 60:.0f}")
    return labels.seconds.format(n=shown)


class _Teller:
    """One machine's values and one language's words, for the length of one explanation."""

    def __init__(self, knowledge: Knowledge, live: Mapping[str, str]) -> None:
        self._knowledge = knowledge
        self._labels = knowledge.labels
        self._values = LiveValues(live, knowledge.parameters)

    # -- states ------------------------------------------------------------------------------------------------------

    def state(self, state: TcpState) -> Explanation:
        entry = self._knowledge.states[state]
        actors = self._actors(entry)
        sections = (
            self._section("side", [Line("paragraph", entry.side)]),
            self._section("actor", [Line("paragraph", entry.actor)]),
            self._section("ends", self._case_lines(entry.ends)),
            self._parameter_section("governs", self._governing_lines(entry)),
            self._section("do", (Line("item", text) for text in entry.do)),
            self._section("avoid", (Line("avoid", advice.why, advice.what) for advice in entry.avoid)),
            self._parameter_section("no_effect", self._vain_lines(entry)),
            self._section("limits", self._case_lines(entry.limits)),
            self._section("many", [Line("paragraph", entry.many)]),
            self._section("queues", (Line("case", reading.text, reading.case) for reading in entry.queues)),
            self._section("timer", [Line("paragraph", entry.timer)]),
            self._section("entered", [Line("paragraph", entry.entered)]),
            self._section("left", [Line("paragraph", entry.left)]),
            self._section("counters", self._counter_lines(entry)),
        )
        return Explanation(
            topic=state.name,
            kind="state",
            title=state.name,
            summary=entry.summary,
            sections=tuple(section for section in sections if section.lines or section.parameters),
            short=self._short_state(entry, actors),
            source=entry.source,
            language=self._knowledge.language,
        )

    def _section(self, key: SectionKey, lines: Iterable[Line]) -> Section:
        return Section(key, getattr(self._labels, key), lines=tuple(lines))

    def _parameter_section(self, key: SectionKey, parameters: Iterable[ParameterLine]) -> Section:
        return Section(key, getattr(self._labels, key), parameters=tuple(parameters))

    def _actors(self, entry: StateEntry) -> str:
        first, *others = (getattr(self._labels, f"actor_{actor}") for actor in entry.actors)
        return self._labels.actor_or.format(first=first, second=others[0]) if others else str(first)

    def _case_lines(self, cases: tuple[Case, ...]) -> list[Line]:
        """Each case with the sentence of its law, and what had to be assumed for it."""
        lines = []
        for case in cases:
            sentences = [self._sentence(case.bound) if case.bound else "", case.text]
            lines.append(Line("case", " ".join(filter(None, sentences)), case.label))
        return [*lines, *self._assumption_notes(case.bound for case in cases if case.bound)]

    def _counter_lines(self, entry: StateEntry) -> list[Line]:
        names = Line("paragraph", self._labels.list_separator.join(entry.counters))
        return [names, Line("note", entry.counters_note)] if entry.counters_note else [names]

    def _short_state(self, entry: StateEntry, actors: str) -> tuple[str, ...]:
        ends = self._fill(entry.short.bound, lambda _case: entry.short.ends) if entry.short.bound else entry.short.ends
        parameters = (self._short_parameter(line) for line in self._governing_lines(entry) if line.role == "governs")
        return (
            entry.short.summary,
            self._labels.short_acts.format(actor=actors),
            self._labels.short_ends.format(text=ends),
            *parameters,
        )

    def _short_parameter(self, line: ParameterLine) -> str:
        value = f"{line.live or self._labels.empty} {line.unit}".strip() if line.live is not None else line.why_missing
        return f"{line.short_name} {value}"

    # -- sentences of laws -------------------------------------------------------------------------------------------

    def _sentence(self, bound: str) -> str:
        return self._fill(bound, self._knowledge.bounds[bound].sentences.__getitem__)

    def _fill(self, bound: str, template_of: Callable[[str], str]) -> str:
        """The template of the case that holds here, with its numbers; empty if a number cannot be known."""
        try:
            case, numbers = BOUNDS[bound].answer(self._values.numbers)
        except NoValueError:
            return ""
        return template_of(case).format_map({key: self._shown(number) for key, number in numbers.items()})

    def _shown(self, number: Number) -> str:
        if isinstance(number, float):
            return format_seconds(number, self._labels)
        return number if isinstance(number, str) else f"{number:,}"

    def _assumption_notes(self, bounds: Iterable[str]) -> list[Line]:
        """What stands in for values that could not be read, over all ``bounds``."""
        names = dict.fromkeys(name for bound in bounds for name in BOUNDS[bound].parameters)
        missing = self._values.assumed(names)
        assumed = [short_name(name) for name in missing if self._values.effective(name) is not None]
        unknown = [short_name(name) for name in missing if self._values.effective(name) is None]
        templates = ((self._labels.assumed, assumed), (self._labels.unknown, unknown))
        return [
            Line("note", template.format(names=self._labels.list_separator.join(found)))
            for template, found in templates
            if found
        ]

    # -- parameter lines ---------------------------------------------------------------------------------------------

    def _governing_lines(self, entry: StateEntry) -> list[ParameterLine]:
        changed = [name for name in entry.modifiers if self._values.differs(name)]
        lines = [self._state_line(entry, name) for name in (*entry.parameters, *changed)]
        return [line for line in lines if line.role == "governs"]

    def _vain_lines(self, entry: StateEntry) -> list[ParameterLine]:
        conditional = [line for name in entry.parameters if (line := self._state_line(entry, name)).role != "governs"]
        return [
            *conditional,
            *(self._line(name, "no effect here", entry.notes.get(name, "")) for name in entry.unrelated),
        ]

    def _state_line(self, entry: StateEntry, name: str) -> ParameterLine:
        """A parameter of the state; it has no effect while the one that it depends on says otherwise."""
        for condition in entry.only_when:
            if condition.parameter == name:
                note = self._labels.only_with.format(other=short_name(condition.other), value=condition.value)
                holds = self._values.effective(condition.other) == condition.value
                return self._line(name, "governs" if holds else "no effect here", note)
        return self._line(name, "governs", entry.notes.get(name, ""))

    def _line(self, name: str, role: Role, note: str = "") -> ParameterLine:
        entry = self._knowledge.parameters[name]
        return ParameterLine(
            name=name,
            short_name=entry.short_name,
            live=self._values.live(name),
            why_missing=self._values.why_missing(name, self._labels),
            default=self._default(entry),
            default_text=entry.default_text,
            unit=self._unit(entry),
            differs_from_default=self._values.differs(name),
            scope=entry.scope,
            role=role,
            note=note,
        )

    def _unit(self, entry: ParameterEntry) -> str:
        return str(getattr(self._labels, f"unit_{entry.unit}")) if entry.unit else ""

    def _default(self, entry: ParameterEntry) -> str:
        default = self._values.default(entry.name)
        if default is None:
            return self._labels.empty if entry.is_dead or entry.read_only else self._labels.varies
        return default or self._labels.empty

    # -- parameters --------------------------------------------------------------------------------------------------

    def parameter(self, name: str) -> Explanation:
        entry = self._knowledge.parameters[name]
        line = self._line(name, "no effect here" if entry.is_dead else "governs")
        related = dict.fromkeys((*entry.see, *(read for bound in entry.bounds for read in BOUNDS[bound].parameters)))
        sections = (
            self._section("value", self._value_lines(entry, line)),
            self._section("now", self._now_lines(entry)),
            self._section("values", (Line("case", meaning, value) for value, meaning in entry.values.items())),
            self._section("states", self._state_lines(entry)),
            self._section("not_does", (Line("item", text) for text in entry.not_does)),
            self._section("changing", [Line("paragraph", entry.changing)] if entry.changing else []),
            self._section("risk", [Line("paragraph", entry.risk)] if entry.risk else []),
            self._parameter_section("see", (self._line(other, "governs") for other in related if other != name)),
        )
        return Explanation(
            topic=name,
            kind="parameter",
            title=name,
            summary=entry.does,
            sections=tuple(section for section in sections if section.lines or section.parameters),
            short=self._short_parameter_topic(entry, line),
            source=entry.source,
            language=self._knowledge.language,
        )

    def _value_lines(self, entry: ParameterEntry, line: ParameterLine) -> list[Line]:
        labels = self._labels
        texts = [
            "" if entry.removed and line.live is None else self._now(line),
            self._default_line(line),
            labels.history_line.format(text=entry.history) if entry.history else "",
            labels.scope_machine_line if entry.scope == "machine" else labels.scope_namespace_line,
            labels.read_only_line if entry.read_only else "",
            labels.since_line.format(version=entry.since) if entry.since else "",
            labels.since_about_line.format(version=entry.since_about) if entry.since_about else "",
            labels.removed_line.format(version=entry.removed) if entry.removed else "",
            labels.no_effect_line if entry.no_effect else "",
            *(labels.old_name_line.format(name=name) for name in entry.old_names),
        ]
        return [Line("item", text) for text in texts if text]

    def _now(self, line: ParameterLine) -> str:
        if line.live is None:
            return self._labels.live_missing.format(reason=line.why_missing)
        value = f"{line.live or self._labels.empty} {line.unit}".strip()
        template = self._labels.live_changed if line.differs_from_default else self._labels.live_is
        return template.format(value=value)

    def _default_line(self, line: ParameterLine) -> str:
        """The default with its unit and where it comes from; empty for something that has none."""
        default = self._values.default(line.name)
        words = line.default_text
        if default is not None:
            value = f"{line.default} {line.unit}".strip() if default else line.default
            words = self._labels.default_computed.format(value=value, rule=words) if words else value
        return self._labels.default_line.format(default=words) if words else ""

    def _now_lines(self, entry: ParameterEntry) -> list[Line]:
        sentences = ((self._sentence(bound), self._knowledge.bounds[bound].label) for bound in entry.bounds)
        lines = [Line("case", sentence, label) for sentence, label in sentences if sentence]
        return [*lines, *self._assumption_notes(entry.bounds)]

    def _state_lines(self, entry: ParameterEntry) -> list[Line]:
        states = [self._knowledge.states[state] for state in (*DISPLAY_ORDER, TcpState.CLOSE)]
        governed = [each.state.name for each in states if entry.name in (*each.parameters, *each.modifiers)]
        unrelated = [each.state.name for each in states if entry.name in each.unrelated]
        templates = ((self._labels.governs_line, governed), (self._labels.unrelated_line, unrelated))
        return [
            Line("item", template.format(states=self._labels.list_separator.join(names)))
            for template, names in templates
            if names
        ]

    def _short_parameter_topic(self, entry: ParameterEntry, line: ParameterLine) -> tuple[str, ...]:
        first_sentence = entry.does.split(". ", 1)[0].rstrip(".") + "."
        return (first_sentence, self._now(line), *filter(None, [self._default_line(line)]))
