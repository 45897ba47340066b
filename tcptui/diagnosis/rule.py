"""What a rule is: a pure function over evidence, the words that go with it, and what it cannot do without."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Confidence, Fact, Finding, Link, Severity
from tcptui.diagnosis.sockets import Held, Index
from tcptui.language import mark, tr, tr_n
from tcptui.model.fields import ViewKind
from tcptui.model.states import TcpState


@dataclass(frozen=True)
class Seen:
    """What a rule's function has found; the rest of the finding is the same each time."""

    severity: Severity
    confidence: Confidence
    verdict: str
    evidence: tuple[Fact, ...]
    subject: str = ""
    size: float = 0.0
    missing: tuple[str, ...] = ()
    first: str = ""
    """Instead of the rule's, where it depends on what was found."""
    explain: str = ""
    """Likewise."""
    states: tuple[TcpState, ...] = ()
    """Likewise."""


class Input(Enum):
    """Something that a rule cannot do without, with what to say where it is missing."""

    OWNERS = mark("inodes are not known, by which it shows that a process holds a socket")
    TIMERS = mark("timers and retransmissions are not known")
    PEERS = mark("remote addresses are not known")
    QUEUES = mark("queues are not known")
    BACKLOG = mark("backlogs are not known")
    AGES = mark("one look does not tell how long")
    COUNTERS = mark("counters are not known")
    TWO_SAMPLES = mark("rates take two samples")
    GAUGES = mark("the gauges of sockstat are not known")
    PARAMETERS = mark("kernel parameters are not known")
    DISK = mark("the files of sysctl are not known")
    KNOWN_KERNEL = mark("what is known of parameters holds from Linux 4.4 on")
    DESCRIPTORS = mark("descriptors and their limits are not known")
    LEAKS = mark("nobody has looked for sockets that are in no table, which takes two looks")
    FILES = mark("the number of open files is not known")
    CONNTRACK = mark("the firewall remembers no connections here")
    EVERYTHING = mark("a filter leaves out what this is about")

    def is_there(self, evidence: Evidence) -> bool:
        """Whether the evidence has it."""
        return _CHECKS[self](evidence)


_CHECKS: dict[Input, Callable[[Evidence], bool]] = {
    Input.OWNERS: lambda evidence: evidence.sockets.knows("inode"),
    Input.TIMERS: lambda evidence: evidence.sockets.knows("timer", "retransmits"),
    Input.PEERS: lambda evidence: evidence.sockets.knows("remote_address"),
    Input.QUEUES: lambda evidence: evidence.sockets.knows("recv_queue_bytes", "send_queue_bytes"),
    Input.BACKLOG: lambda evidence: evidence.sockets.knows("backlog", "local_port"),
    Input.AGES: lambda evidence: evidence.knows_ages,
    Input.COUNTERS: lambda evidence: any(name.startswith("TcpExt.") for name in evidence.sample.counters),
    Input.TWO_SAMPLES: lambda evidence: evidence.window.elapsed_s > 0,
    Input.GAUGES: lambda evidence: "sockstat.TCP.tw" in evidence.sample.counters,
    Input.PARAMETERS: lambda evidence: bool(evidence.parameters),
    Input.DISK: lambda evidence: evidence.sample.disk is not None,
    Input.KNOWN_KERNEL: lambda evidence: evidence.is_known_kernel,
    Input.DESCRIPTORS: lambda evidence: evidence.sample.owners is not None and not evidence.sample.origin.is_still,
    Input.LEAKS: lambda evidence: evidence.sample.leaks is not None and evidence.past.samples > 1,
    Input.FILES: lambda evidence: evidence.parameter("fs.file-nr") is not None,
    Input.CONNTRACK: lambda evidence: bool(evidence.parameter("net.netfilter.nf_conntrack_count")),
    Input.EVERYTHING: lambda evidence: not evidence.is_filtered,
}

_MOST_NAMED = 3
RATES = (Input.COUNTERS, Input.TWO_SAMPLES)


@dataclass(frozen=True)
class Rule:
    """One rule. All its texts are said by ``tr``."""

    id: str
    title: str
    judge: Callable[[Evidence], Iterable[Seen]]
    explain: str
    first: str
    not_: str
    refuted_by: str
    states: tuple[TcpState, ...] = ()
    inputs: tuple[Input, ...] = ()
    is_about_sockets: bool = True
    """Whether it judges the sockets of each network namespace by themselves; otherwise counters or the machine."""

    def missing(self, evidence: Evidence) -> str | None:
        """Why it cannot be judged; None where it can."""
        absent = next((each for each in self.inputs if not each.is_there(evidence)), None)
        return None if absent is None else tr(absent.value)

    def finding(self, seen: Seen) -> Finding:
        """What was seen with the words of the rule."""
        return Finding(
            rule=self.id,
            subject=seen.subject,
            severity=seen.severity,
            confidence=seen.confidence,
            verdict=seen.verdict,
            evidence=seen.evidence,
            first=seen.first or tr(self.first),
            not_=tr(self.not_),
            refuted_by=tr(self.refuted_by),
            explain=seen.explain or self.explain,
            states=seen.states or self.states,
            size=seen.size,
            missing=seen.missing,
        )


# -- What rules have in common to say ----------------------------------------------------------------------------------

WITH_OWNERS = mark("which process holds them: ss -tanp as root")
WITH_TIMERS = mark("timers and retransmissions: ss -tano")
_WITH_AGES = mark("how long they have been so: --for 60, or watch them in tcptui")
_WITH_SILENCE = mark("how long they have been so: ss -i tells how long their peers have been silent")
WITH_PEERS = mark("addresses and ports: ss -tan instead of counts")
WITH_LISTENERS = mark("which ports are listened on: ss -tan lists the listeners too")
WITH_COUNTERS = mark("the kernel's counters: run tcptui on the machine itself")


def with_ages(evidence: Evidence) -> str:
    """What would tell how long sockets have been in their state."""
    return tr(_WITH_SILENCE) if evidence.sample.origin.is_still else tr(_WITH_AGES)


def counter_fact(evidence: Evidence, *names: str) -> tuple[Fact, ...]:
    """How much counters have grown, those that have."""
    growth = evidence.window
    return tuple(
        Fact(
            tr(
                "{counter} +{count:,} in {seconds:.0f} s", counter=name, count=growth.of(name), seconds=growth.elapsed_s
            ),
            topic=name,
        )
        for name in names
        if growth.of(name)
    )


def peer_facts(evidence: Evidence, index: Index, link: Link) -> tuple[Fact, ...]:
    """How many peers these rows have, and the first of them; nothing where addresses are not known."""
    if not evidence.sockets.knows("remote_address"):
        return ()
    names, counts = evidence.sockets.peers(index)
    if not names:
        return ()
    named = [f"{name} ({count:,})" for name, count in zip(names, counts.tolist(), strict=False)][:_MOST_NAMED]
    text = tr_n(
        "from {count:,} peer: {peers}",
        "from {count:,} peers, most from {peers}",
        len(counts),
        count=len(counts),
        peers=tr(", ").join(named),
    )
    return (Fact(text, link),)


def descriptor_facts(evidence: Evidence, held: Held) -> tuple[Fact, ...]:
    """How many descriptors the fullest of these processes has in use, where that is known."""
    use = descriptor_use(evidence, held)
    if use is None:
        return ()
    text = tr("{used:,} of {limit:,} descriptors are in use", used=use[0], limit=use[1])
    return (Fact(text, Link(ViewKind.PROCESSES, held.filter), "RLIMIT_NOFILE"),)


def descriptor_use(evidence: Evidence, held: Held) -> tuple[int, int] | None:
    """Descriptors in use and their limit, of the process that is nearest to its own; None where that is not known."""
    owners = evidence.sample.owners
    if owners is None:
        return None
    known = [owners.descriptors[each.pid] for each in held.holders if each.pid in owners.descriptors]
    pairs = [(each.open, each.limit) for each in known if each.limit]
    return max(pairs, key=lambda pair: pair[0] / pair[1], default=None)


def parameter_fact(evidence: Evidence, *names: str) -> tuple[Fact, ...]:
    """The values of parameters, of those that are known."""
    values = evidence.parameters
    return tuple(Fact(f"{name} = {values[name]}", topic=name) for name in names if values.get(name))


def share_text(part: float, whole: float) -> str:
    """A part of a whole in percent."""
    return f"{part / whole:.0%}" if whole else "-"
