"""What every explanation is put together from: one language's words and one machine's values.

May not decide what is said about a kind of topic: the modules of answers do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tcptui.explain.bounds import BOUNDS, NoValueError, Number
from tcptui.explain.circumstances import Circumstances
from tcptui.explain.entries import (
    Case,
    Knowledge,
    MythEntry,
    ParameterEntry,
    TopicKind,
    claim_text,
    counter_short_name,
    short_name,
)
from tcptui.explain.explanation import CounterLine, Explanation, Line, ParameterLine, Role, Section, SectionKey
from tcptui.explain.labels import Labels
from tcptui.explain.live import LiveValues
from tcptui.model.disk import DiskSetting, is_same_value

_MINUTES_FROM_S = 300
_HOURS_FROM_S = 7200
_TENTHS_BELOW = 10
_PAGES_PER_MIB = 256
_LONGEST_SHOWN_VALUE = 60
_LONGEST_NUMBER = 20


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


@dataclass(frozen=True)
class Words:
    """What is said of a topic beside its sections."""

    summary: str
    source: str
    title: str = ""
    """Empty for the topic's name."""
    short: tuple[str, ...] = ()
    """Empty for the first sentence of the summary."""


def first_sentence(text: str) -> str:
    """What comes before the first full stop, with it."""
    for stop, kept in ((". ", "."), ("。", "。")):
        if stop in text:
            return text.partition(stop)[0] + kept
    return text


class Voice:
    """One machine's values and one language's words, for the length of one explanation."""

    def __init__(self, knowledge: Knowledge, circumstances: Circumstances) -> None:
        self.knowledge = knowledge
        self.labels = knowledge.labels
        self.circumstances = circumstances
        live, was_read = circumstances.parameters, circumstances.was_read
        self.values = LiveValues(live, knowledge.parameters, was_read=was_read)

    # -- sections ----------------------------------------------------------------------------------------------------

    def section(self, key: SectionKey, lines: Iterable[Line]) -> Section:
        """A section of lines, under the heading of its key."""
        return Section(key, getattr(self.labels, key), lines=tuple(lines))

    def paragraph(self, key: SectionKey, text: str) -> Section:
        """A section of one paragraph; empty for an empty text."""
        return self.section(key, [Line("paragraph", text)] if text else [])

    def items(self, key: SectionKey, texts: Iterable[str]) -> Section:
        """A section of list items; empty texts are left out."""
        return self.section(key, (Line("item", text) for text in texts if text))

    def parameters(self, key: SectionKey, lines: Iterable[ParameterLine]) -> Section:
        """A section of parameters."""
        return Section(key, getattr(self.labels, key), parameters=tuple(lines))

    def named_parameters(self, key: SectionKey, names: Iterable[str]) -> Section:
        """A section of parameters that have a say in the topic."""
        return self.parameters(key, (self.parameter_line(name, "governs") for name in names))

    def counters(self, key: SectionKey, names: Iterable[str], note: str = "") -> Section:
        """A section of counters, with a word on them."""
        counters = tuple(map(self.counter_line, names))
        scope = self.labels.in_all_namespaces if self.circumstances.is_sum and counters else ""
        lines = tuple(Line("note", text) for text in (note, scope) if text)
        return Section(key, getattr(self.labels, key), lines, counters=counters)

    def topics(self, key: SectionKey, names: Iterable[str]) -> Section:
        """A section of other entries, each with what it is in a sentence."""
        return self.section(key, (Line("topic", self.summary(name), self.name(name), name) for name in names))

    def myths(self, name: str) -> Section:
        """The false claims that are answered at an entry."""
        return self.section("myths", map(self.myth_line, self.knowledge.myths_by_topic.get(name, ())))

    def myth_line(self, myth: MythEntry) -> Line:
        """A claim, and what is true."""
        return Line("myth", myth.truth, self.claim(myth), myth.name)

    def claim(self, myth: MythEntry) -> str:
        """A claim in quotation marks, with the verdict."""
        return claim_text(myth, self.labels)

    # -- other entries -----------------------------------------------------------------------------------------------

    def name(self, name: str) -> str:
        """An entry's name as it is shown in a list."""
        if name in self.knowledge.parameters:
            return short_name(name)
        if name in self.knowledge.counters:
            return counter_short_name(name)
        return self.knowledge.columns[name].title if name in self.knowledge.columns else name

    def summary(self, name: str) -> str:
        """An entry in a sentence or two."""
        knowledge = self.knowledge
        if name in knowledge.states:
            return knowledge.states[name].summary
        if name in knowledge.parameters:
            return knowledge.parameters[name].does
        if name in knowledge.counters:
            return knowledge.counters[name].counts
        if name in knowledge.options:
            return knowledge.options[name].does
        if name in knowledge.columns:
            return knowledge.columns[name].means
        return self.claim(knowledge.myths[name])

    def explanation(self, name: str, kind: TopicKind, words: Words, sections: Iterable[Section]) -> Explanation:
        """All of it, without the sections in which there is nothing to say."""
        return Explanation(
            topic=name,
            kind=kind,
            title=words.title or name,
            summary=words.summary,
            sections=tuple(section for section in sections if not section.is_empty),
            short=words.short or (first_sentence(words.summary),),
            source=words.source,
            language=self.knowledge.language,
        )

    # -- sentences of laws -------------------------------------------------------------------------------------------

    def case_lines(self, cases: tuple[Case, ...]) -> list[Line]:
        """Each case with the sentence of its law, and what had to be assumed for it."""
        lines = []
        for case in cases:
            sentences = [self.sentence(case.bound) if case.bound else "", case.text]
            lines.append(Line("case", self.joined(sentences), case.label))
        return [*lines, *self.assumption_notes(case.bound for case in cases if case.bound)]

    def joined(self, sentences: Iterable[str]) -> str:
        """Sentences one after the other, as the language sets them."""
        return self.labels.sentence_gap.join(filter(None, sentences))

    def sentence(self, bound: str) -> str:
        """What a law says here; empty if a number cannot be known."""
        return self.fill(bound, self.knowledge.bounds[bound].sentences.__getitem__)

    def fill(self, bound: str, template_of: Callable[[str], str]) -> str:
        """The template of the case that holds here, with its numbers; empty if a number cannot be known."""
        try:
            case, numbers = BOUNDS[bound].answer(self.values.numbers)
        except NoValueError:
            return ""
        return template_of(case).format_map({key: self._shown(number) for key, number in numbers.items()})

    def _shown(self, number: Number) -> str:
        if isinstance(number, float):
            return format_seconds(number, self.labels)
        return number if isinstance(number, str) else f"{number:,}"

    def assumption_notes(self, bounds: Iterable[str]) -> list[Line]:
        """What stands in for values that could not be read, over all ``bounds``."""
        names = dict.fromkeys(name for bound in bounds for name in BOUNDS[bound].parameters)
        missing = self.values.assumed(names)
        assumed = [short_name(name) for name in missing if self.values.effective(name) is not None]
        unknown = [short_name(name) for name in missing if self.values.effective(name) is None]
        templates = ((self.labels.assumed, assumed), (self.labels.unknown, unknown))
        return [
            Line("note", template.format(names=self.labels.list_separator.join(found)))
            for template, found in templates
            if found
        ]

    # -- parameters and counters -------------------------------------------------------------------------------------

    def parameter_line(self, name: str, role: Role, note: str = "") -> ParameterLine:
        """A parameter as it is on this machine."""
        entry = self.knowledge.parameters[name]
        on_disk = self.on_disk(name)
        return ParameterLine(
            name=name,
            short_name=entry.short_name,
            live=self.values.live(name),
            why_missing=self.values.why_missing(name, self.labels),
            default=self._default(entry),
            default_text=entry.default_text,
            unit=self.unit(entry.unit),
            differs_from_default=self.values.differs(name),
            scope=entry.scope,
            role=role,
            note=note,
            on_disk=on_disk,
            is_other_on_disk=on_disk is not None and self._is_other(entry, on_disk),
            in_use=self.in_use(entry),
            is_read_only=name in self.circumstances.read_only,
            remarks=tuple(filter(None, (self.in_use_text(entry), self.disk_remark(entry), self._read_only(entry)))),
        )

    def _read_only(self, entry: ParameterEntry) -> str:
        return self.labels.read_only_here if entry.name in self.circumstances.read_only and not entry.read_only else ""

    def unit(self, unit: str) -> str:
        """A unit in the language; empty for a plain number."""
        return str(getattr(self.labels, f"unit_{unit}")) if unit else ""

    def _default(self, entry: ParameterEntry) -> str:
        default = self.values.default(entry.name)
        if default is None:
            return self.labels.empty if entry.is_dead or entry.read_only else self.labels.varies
        return default or self.labels.empty

    def on_disk(self, name: str) -> DiskSetting | None:
        """The line of a file that sets a parameter for the next boot, under its own or an old name."""
        disk = self.circumstances.disk
        if disk is None:
            return None
        names = (name, *self.knowledge.parameters[name].old_names)
        return next((disk.settings[each] for each in names if each in disk.settings), None)

    def _is_other(self, entry: ParameterEntry, setting: DiskSetting) -> bool:
        """Whether a file sets something else than what runs, or sets it in vain."""
        live = self.values.live(entry.name)
        return (
            entry.is_dead or setting.name != entry.name or (live is not None and not is_same_value(setting.value, live))
        )

    def disk_remark(self, entry: ParameterEntry, *, is_thorough: bool = False) -> str:
        """What a file sets, if that is not what runs; ``is_thorough`` also where there is nothing wrong."""
        labels, setting = self.labels, self.on_disk(entry.name)
        if setting is None:
            is_lost = self.circumstances.disk is not None and self.values.differs(entry.name) and not entry.read_only
            return labels.disk_none if is_thorough and is_lost else ""
        words = self.disk_words(setting)
        if entry.is_dead or setting.name != entry.name:
            return labels.disk_dead.format_map(words)
        if self._is_other(entry, setting):
            return labels.disk_differs.format_map(words)
        return labels.disk_same.format(place=setting.place) if is_thorough else ""

    def disk_words(self, setting: DiskSetting) -> dict[str, str]:
        """Value and place of a setting for a sentence; a very long value is cut."""
        value = setting.value
        is_long = len(value) > _LONGEST_SHOWN_VALUE
        shown = value[: _LONGEST_SHOWN_VALUE - 1] + "…" if is_long else value
        return {"value": shown or self.labels.empty, "place": setting.place}

    def in_use(self, entry: ParameterEntry) -> int | None:
        """How much of a limit is in use; None where that is not known of the namespace that the limit is for."""
        if entry.used in self.knowledge.counters:
            is_of_another = self.circumstances.is_sum and self.knowledge.counters[entry.used].scope == "namespace"
            return None if is_of_another else self.circumstances.counters.get(entry.used)
        return _whole_number((self.values.live(entry.used) or "").partition(" ")[0]) if entry.used else None

    def in_use_text(self, entry: ParameterEntry) -> str:
        """How much of a limit is in use, in words; empty where nothing tells. The last of several numbers counts."""
        used = self.in_use(entry)
        limit = _whole_number((self.values.live(entry.name) or "").rpartition(" ")[2])
        if used is None:
            return ""
        labels, is_memory = self.labels, entry.unit == "pages"
        shown_used, shown_limit = (f"{(each or 0) // (_PAGES_PER_MIB if is_memory else 1):,}" for each in (used, limit))
        if not limit:
            return (labels.in_use_mib_count if is_memory else labels.in_use_count).format(used=shown_used)
        template = labels.in_use_mib if is_memory else labels.in_use
        return template.format(used=shown_used, limit=shown_limit, percent=_percent_text(used * 100 / limit))

    def counter_line(self, name: str) -> CounterLine:
        """A counter as it stands on this machine."""
        entry = self.knowledge.counters[name]
        rate = self.circumstances.rates.get(name) if entry.kind == "counter" else None
        value = self.circumstances.counters.get(name)
        return CounterLine(name, entry.short_name, entry.kind, value, rate, self.unit(entry.unit))

    def limit_text(self) -> str:
        """The process that is nearest to its limit of descriptors; empty where nobody looked."""
        nearest = self.circumstances.nearest_limit
        if nearest is None:
            return ""
        used, limit = f"{nearest.used:,}", f"{nearest.limit:,}"
        return self.labels.nearest_limit.format(process=nearest.process, pid=nearest.pid, used=used, limit=limit)


def _whole_number(text: str) -> int | None:
    """The number, if it is one that a kernel would print."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else None


def _percent_text(percent: float) -> str:
    return "<0.1" if 0 < percent < 0.1 else f"{percent:.1f}".removesuffix(".0")
