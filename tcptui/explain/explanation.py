"""An explanation as plain data: what a front end gets and may show in any form.

May not know where the words come from nor how they are shown.
"""

from dataclasses import dataclass
from typing import Literal

from tcptui.explain.entries import CounterKind, Scope, TopicKind
from tcptui.model.disk import DiskSetting

LineKind = Literal["paragraph", "case", "item", "avoid", "note", "myth", "topic", "command"]
"""What a line is: running text; a case and what happens then; a step of a list; advice that does not help, with the
reason; a remark about the values themselves; a false claim and what is true; another topic with its summary; a command
for a shell, to be copied as it stands."""

Role = Literal["governs", "no effect here"]
"""Whether a parameter has a say in the topic."""

SectionKey = Literal[
    "ends", "actor", "governs", "do", "avoid", "no_effect", "limits", "many", "queues", "timer", "side", "entered",
    "left", "counters", "value", "now", "values", "changing", "not_does", "risk", "states", "see", "commands", "myths",
    "reading", "use", "overrides", "bears", "verdict", "changed_parameters", "on_disk", "dead_on_disk",
    "unreadable", "topics", "topics_states", "topics_parameters", "topics_counters", "topics_options", "topics_columns",
    "topics_myths",
]  # fmt: skip
"""What a section is about, whatever the language of its heading."""


@dataclass(frozen=True)
class Line:
    """One thing said in a section."""

    kind: LineKind
    text: str
    label: str = ""
    """What the text is about: the case, the claim, or the advice that does not help. Empty for most kinds."""
    topic: str = ""
    """The name of the entry that tells more; empty for none."""


@dataclass(frozen=True)
class ParameterLine:
    """A kernel parameter as it is on this machine."""

    name: str
    """Dotted."""
    short_name: str
    live: str | None
    """What /proc/sys says, made printable; None if it says nothing."""
    why_missing: str
    """Why there is no live value; empty if there is one."""
    default: str
    """The default of Linux 6.18 as the kernel prints it, computed where other live values allow; else one word."""
    default_text: str
    """Where a default that depends on the machine comes from; empty for a fixed one."""
    unit: str
    """In the explanation's language; empty for a plain number."""
    differs_from_default: bool | None
    """None where there is no live value, or no default to compare it with."""
    scope: Scope
    role: Role
    note: str
    """A few words: when it matters after all, or does not."""
    on_disk: DiskSetting | None = None
    """The line of a file that sets it for the next boot."""
    is_other_on_disk: bool = False
    """Whether that is another value than the one that runs, or one that this kernel ignores."""
    in_use: int | None = None
    """How much of the limit is in use; None where nothing tells."""
    is_read_only: bool = False
    """Whether nobody can change it from here."""
    remarks: tuple[str, ...] = ()
    """What there is to say about these, in sentences."""


@dataclass(frozen=True)
class CounterLine:
    """A counter as it stands on this machine."""

    name: str
    """Dotted."""
    short_name: str
    kind: CounterKind
    value: int | None
    """None where it was not read."""
    rate_per_s: float | None
    """None where there is no earlier sample, or for a gauge."""
    unit: str


@dataclass(frozen=True)
class Section:
    """A heading with lines, parameters or counters under it."""

    key: SectionKey
    heading: str
    lines: tuple[Line, ...] = ()
    parameters: tuple[ParameterLine, ...] = ()
    counters: tuple[CounterLine, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing under the heading."""
        return not (self.lines or self.parameters or self.counters)


@dataclass(frozen=True)
class Explanation:
    """What there is to say about one topic on this machine."""

    topic: str
    """The name of its entry."""
    kind: TopicKind
    title: str
    summary: str
    sections: tuple[Section, ...]
    """In the order in which a person in trouble wants them."""
    short: tuple[str, ...]
    """The same in a few short paragraphs, most important first, for a very small panel."""
    source: str
    """The section of the project's fact sheet that bears it out."""
    language: str

    @property
    def parameters(self) -> tuple[ParameterLine, ...]:
        """The parameters of all sections."""
        return tuple(line for section in self.sections for line in section.parameters)

    def section(self, key: SectionKey) -> Section | None:
        """The section of that kind, if there is one."""
        return next((section for section in self.sections if section.key == key), None)
