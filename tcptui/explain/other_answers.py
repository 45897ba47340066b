"""What there is to say about a counter, an option, a column and a false claim."""

from collections.abc import Iterable

from tcptui.explain.commands import counters_command
from tcptui.explain.entries import STATE_ORDER, ColumnEntry, CounterEntry, MythEntry, OptionEntry
from tcptui.explain.explanation import Explanation, Line, SectionKey
from tcptui.explain.voice import Voice, Words


def counter_explanation(voice: Voice, entry: CounterEntry) -> Explanation:
    """Everything about a counter, with its value here."""
    command = counters_command([entry], voice.circumstances.selection)
    sections = (
        voice.items("value", _counter_texts(voice, entry)),
        voice.paragraph("reading", entry.reading),
        voice.items("not_does", entry.not_counts),
        voice.topics("states", entry.states),
        voice.named_parameters("bears", entry.parameters),
        voice.counters("see", entry.see),
        voice.section("commands", [Line("command", command, voice.labels.command_counters)] if command else []),
        voice.myths(entry.name),
    )
    return voice.explanation(entry.name, "counter", Words(entry.counts, entry.source), sections)


def _counter_texts(voice: Voice, entry: CounterEntry) -> list[str]:
    labels, line = voice.labels, voice.counter_line(entry.name)
    value = labels.counter_missing if line.value is None else f"{line.value:,} {line.unit}".strip()
    return [
        labels.counter_now.format(value=value),
        labels.counter_rate.format(rate=rate_text(line.rate_per_s)) if line.rate_per_s is not None else "",
        labels.gauge if entry.kind == "gauge" else labels.counter,
        labels.scope_machine_line if entry.scope == "machine" else labels.scope_namespace_line,
        labels.since_line.format(version=entry.since) if entry.since else "",
    ]


def rate_text(per_s: float) -> str:
    """A rate with as many digits as matter."""
    return f"{per_s:,.0f}" if per_s >= 10 or per_s == 0 else f"{per_s:.1f}"


def option_explanation(voice: Voice, entry: OptionEntry) -> Explanation:
    """Everything about a socket option or another limit."""
    labels = voice.labels
    kind = getattr(labels, entry.kind.replace(" ", "_")).format(level=entry.level)
    facts = [
        kind,
        labels.since_line.format(version=entry.since) if entry.since else "",
        labels.since_about_line.format(version=entry.since_about) if entry.since_about else "",
        voice.limit_text() if entry.kind == "process limit" else "",
    ]
    replaced = set(entry.overrides)
    sections = (
        voice.items("value", facts),
        voice.paragraph("use", entry.use),
        voice.section("values", (Line("case", meaning, value) for value, meaning in entry.values.items())),
        voice.items("not_does", entry.not_does),
        voice.paragraph("risk", entry.risk),
        voice.topics("states", entry.states),
        voice.named_parameters("overrides", entry.overrides),
        voice.named_parameters("bears", (name for name in entry.parameters if name not in replaced)),
        voice.topics("topics", entry.see),
        voice.myths(entry.name),
    )
    return voice.explanation(entry.name, "option", Words(entry.does, entry.source), sections)


def column_explanation(voice: Voice, entry: ColumnEntry) -> Explanation:
    """Everything about a column of the screen."""
    sections = (
        voice.section("reading", (Line("case", reading.text, reading.case) for reading in entry.readings)),
        voice.topics("topics", entry.see),
        voice.myths(entry.name),
    )
    return voice.explanation(entry.name, "column", Words(entry.means, entry.source, entry.title), sections)


def myth_explanation(voice: Voice, entry: MythEntry) -> Explanation:
    """What is true instead of what is said."""
    sections = (
        voice.paragraph("verdict", getattr(voice.labels, f"verdict_{entry.verdict}")),
        voice.topics("topics", entry.topics),
    )
    words = Words(entry.truth, f"3 #{entry.number}: {entry.proof}", voice.claim(entry))
    return voice.explanation(entry.name, "myth", words, sections)


def myths_overview(voice: Voice) -> Explanation:
    """Every false claim with what is true, in the order of the fact sheet."""
    labels = voice.labels
    myths = sorted(voice.knowledge.myths.values(), key=lambda each: each.number)
    sections = (voice.section("myths", map(voice.myth_line, myths)),)
    words = Words(labels.overview_myths, "3", labels.overview_myths_title)
    return voice.explanation("myths", "overview", words, sections)


def columns_overview(voice: Voice) -> Explanation:
    """The columns on the screen, or all there are, to choose from."""
    knowledge, labels = voice.knowledge, voice.labels
    shown = [name for name in voice.circumstances.columns if name in knowledge.columns or name in knowledge.states]
    sections = (voice.topics("topics", shown or knowledge.columns),)
    words = Words(labels.overview_columns, "1", labels.overview_columns_title)
    return voice.explanation("columns", "overview", words, sections)


def topics_overview(voice: Voice) -> Explanation:
    """Everything that can be asked, to choose from."""
    knowledge, labels = voice.knowledge, voice.labels
    kinds: tuple[tuple[SectionKey, Iterable[str]], ...] = (
        ("topics_states", STATE_ORDER),
        ("topics_parameters", knowledge.parameters),
        ("topics_counters", knowledge.counters),
        ("topics_options", knowledge.options),
        ("topics_columns", knowledge.columns),
        ("topics_myths", knowledge.myths),
    )
    sections = [voice.topics(key, names) for key, names in kinds]
    words = Words(labels.overview_topics, "1 to 5", labels.overview_topics_title)
    return voice.explanation("topics", "overview", words, sections)
