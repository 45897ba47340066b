"""What every explanation is put together from: one language's words and one machine's values.

May not decide what is said about a kind of topic: the modules of answers do.
"""

from collections.abc import Callable, Iterable

from tcptui.explain.bounds import BOUNDS, NoValueError, Number
from tcptui.explain.circumstances import Circumstances
from tcptui.explain.entries import Case, Knowledge, MythEntry, ParameterEntry, counter_short_name, short_name
from tcptui.explain.explanation import CounterLine, Line, ParameterLine, Role, Section, SectionKey
from tcptui.explain.labels import Labels
from tcptui.explain.live import LiveValues
from tcptui.model.disk import DiskSetting
from tcptui.text import printable

_MINUTES_FROM_S = 300
_HOURS_FROM_S = 7200
_TENTHS_BELOW = 10
_PAGES_PER_MIB = 256
_SHOWN_DEAD_VALUE = 60


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


class Voice:
    """One machine's values and one language's words, for the length of one explanation."""

    def __init__(self, knowledge: Knowledge, circumstances: Circumstances) -> None:
        self.knowledge = knowledge
        self.labels = knowledge.labels
        self.circumstances = circumstances
        self.values = LiveValues(circumstances.parameters, knowledge.parameters)

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

    def parameters(self, key: SectionKey, names: Iterable[str], notes: dict[str, str] | None = None) -> Section:
        """A section of parameters."""
        lines = tuple(self.parameter_line(name, "governs", (notes or {}).get(name, "")) for name in names)
        return Section(key, getattr(self.labels, key), parameters=lines)

    def counters(self, key: SectionKey, names: Iterable[str], note: str = "") -> Section:
        """A section of counters, with a word on them."""
        lines = (Line("note", note),) if note else ()
        return Section(key, getattr(self.labels, key), lines, counters=tuple(map(self.counter_line, names)))

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
        verdict = getattr(self.labels, f"verdict_{myth.verdict}")
        return self.labels.claim.format(claim=myth.claim.rstrip(".。"), verdict=verdict)

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
        return knowledge.myths[name].claim

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
        return entry.is_dead or setting.name != entry.name or (live is not None and not setting.is_running(live))

    def disk_remark(self, entry: ParameterEntry, *, is_thorough: bool = False) -> str:
        """What a file sets, if that is not what runs; ``is_thorough`` also where there is nothing wrong."""
        labels, setting = self.labels, self.on_disk(entry.name)
        if setting is None:
            is_lost = self.circumstances.disk is not None and self.values.differs(entry.name) and not entry.read_only
            return labels.disk_none if is_thorough and is_lost else ""
        words = {"value": setting.value[:_SHOWN_DEAD_VALUE] or labels.empty, "place": setting.place}
        if entry.is_dead or setting.name != entry.name:
            return labels.disk_dead.format_map(words)
        if self._is_other(entry, setting):
            return labels.disk_differs.format_map(words)
        return labels.disk_same.format(place=setting.place) if is_thorough else ""

    def in_use(self, entry: ParameterEntry) -> int | None:
        """How much of a limit is in use."""
        if not entry.used:
            return None
        if entry.used in self.knowledge.counters:
            return self.circumstances.counters.get(entry.used)
        first = (self.values.live(entry.used) or "").partition(" ")[0]
        return int(first) if first.isdecimal() else None

    def in_use_text(self, entry: ParameterEntry) -> str:
        """How much of a limit is in use, in words; empty where nothing tells. The last of several numbers counts."""
        used, limits = self.in_use(entry), (self.values.live(entry.name) or "").split()
        if used is None:
            return ""
        if not limits or not limits[-1].isdecimal() or not int(limits[-1]):
            return self.labels.in_use_count.format(used=f"{used:,}")
        limit = int(limits[-1])
        percent = f"{used * 100 / limit:.3g}"
        if entry.unit == "pages":
            mib = (f"{each // _PAGES_PER_MIB:,}" for each in (used, limit))
            return self.labels.in_use_mib.format(used=next(mib), limit=next(mib), percent=percent)
        return self.labels.in_use.format(used=f"{used:,}", limit=f"{limit:,}", percent=percent)

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
        process = printable(nearest.process)
        return self.labels.nearest_limit.format(process=process, pid=nearest.pid, used=used, limit=limit)
