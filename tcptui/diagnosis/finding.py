"""What a rule says: one finding, with all that a person needs to believe or to refute it."""

from dataclasses import dataclass
from enum import Enum, IntEnum

from tcptui.language import mark, tr
from tcptui.model.fields import ViewKind
from tcptui.model.states import TcpState


class Severity(IntEnum):
    """How bad it is; the greater the worse."""

    INFO = 0
    """Worth knowing, and no harm by itself."""
    WARNING = 1
    """Something does not work as it should, or will not for long."""
    CRITICAL = 2
    """Connections fail or are about to."""

    @property
    def word(self) -> str:
        """What the command line and programs call it."""
        return self.name.lower()


SEVERITY_TITLES = {
    Severity.INFO: mark("info"),
    Severity.WARNING: mark("warning"),
    Severity.CRITICAL: mark("critical"),
}


class Confidence(str, Enum):
    """How sure the rule is."""

    CERTAIN = "certain"
    """The kernel says so itself."""
    LIKELY = "likely"
    """The evidence is whole and fits; something else could look the same."""
    POSSIBLE = "possible"
    """The numbers fit, and evidence is missing that would tell."""


CONFIDENCE_TITLES = {
    Confidence.CERTAIN: mark("certain"),
    Confidence.LIKELY: mark("likely"),
    Confidence.POSSIBLE: mark("possible"),
}


@dataclass(frozen=True)
class Link:
    """A view that shows what is spoken of."""

    view: ViewKind
    filter: str = ""
    """In the filter language; empty for all sockets."""


@dataclass(frozen=True)
class Fact:
    """One piece of evidence."""

    text: str
    """A line, printable, in the language in force."""
    link: Link | None = None
    """Where the rows are to be seen; None for a counter, a parameter or a limit."""
    topic: str = ""
    """What ``tcptui explain`` tells more about: a counter or a parameter."""


OF_USER = "user "
"""Begins the subject of a finding about a process that is not known; the user's id follows."""
IN_NAMESPACE = " @"
"""Stands in a subject before the name of the network namespace, where several are judged."""


@dataclass(frozen=True)
class Finding:
    """Something that a rule has found. All text is printable and in the language in force."""

    rule: str
    """``R01`` …"""
    subject: str
    """What tells it from another finding of the same rule; stays the same while its numbers change."""
    severity: Severity
    confidence: Confidence
    verdict: str
    """One line with numbers and names."""
    evidence: tuple[Fact, ...]
    first: str
    """What to do first."""
    not_: str
    """What will not help."""
    refuted_by: str
    """What would show that it is not so."""
    explain: str
    """The entry that explains it, as ``tcptui explain`` takes it."""
    states: tuple[TcpState, ...] = ()
    """The states that it concerns."""
    size: float = 0.0
    """How much of it there is, for telling whether it grows."""
    missing: tuple[str, ...] = ()
    """Evidence that would make it surer, and how to get it."""

    @property
    def key(self) -> tuple[str, str]:
        """What it is the same finding by, from one sample to the next."""
        return self.rule, self.subject

    @property
    def is_unnamed(self) -> bool:
        """Whether it is about a process of which nothing but the user is known so far."""
        return self.subject.startswith(OF_USER)

    @property
    def place(self) -> str:
        """The network namespace that it is about, where several are judged."""
        return self.subject.partition(IN_NAMESPACE)[2]

    @property
    def link(self) -> Link | None:
        """The first view that shows it."""
        return next((fact.link for fact in self.evidence if fact.link is not None), None)


@dataclass(frozen=True)
class Unchecked:
    """A rule that could not be judged, and why."""

    rule: str
    title: str
    reason: str


@dataclass(frozen=True)
class Diagnosis:
    """What all rules say of one sample."""

    findings: tuple[Finding, ...]
    """The worst first."""
    checked: tuple[str, ...]
    """Rules that could be judged."""
    unchecked: tuple[Unchecked, ...]

    @property
    def worst(self) -> Finding | None:
        """The worst finding; None where there is none."""
        return self.findings[0] if self.findings else None

    @property
    def verdict_line(self) -> str:
        """One line: the worst finding, or that nothing wrong was seen with what was checked."""
        if self.worst is not None and self.worst.severity > Severity.INFO:
            return self.worst.verdict
        total = len(self.checked) + len(self.unchecked)
        return tr("nothing wrong seen: {checked} of {total} rules checked", checked=len(self.checked), total=total)
