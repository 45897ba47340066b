"""An explanation as plain data: what a front end gets and may show in any form.

May not know where the words come from nor how they are shown.
"""

from dataclasses import dataclass
from typing import Literal

from tcptui.explain.knowledge import Scope

LineKind = Literal["paragraph", "case", "item", "avoid", "note"]
"""What a line is: running text; a case and what happens then; a step of a list; advice that does not help, with the
reason; a remark about the values themselves."""

Role = Literal["governs", "no effect here"]
"""Whether a parameter has a say in the topic."""

SectionKey = Literal[
    "ends", "actor", "governs", "do", "avoid", "no_effect", "limits", "many", "queues", "timer", "side", "entered",
    "left", "counters", "value", "now", "values", "changing", "not_does", "risk", "states", "see",
]  # fmt: skip
"""What a section is about, whatever the language of its heading."""


@dataclass(frozen=True)
class Line:
    """One thing said in a section."""

    kind: LineKind
    text: str
    label: str = ""
    """What the text is about: the case, or the advice that does not help. Empty for most kinds."""


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


@dataclass(frozen=True)
class Section:
    """A heading with lines or parameters under it, never both."""

    key: SectionKey
    heading: str
    lines: tuple[Line, ...] = ()
    parameters: tuple[ParameterLine, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What there is to say about one state or parameter on this machine."""

    topic: str
    """The state's name or the parameter's dotted name."""
    kind: Literal["state", "parameter"]
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
