"""What is to be said of a text: what was left out of it, and what it cannot tell."""

from collections.abc import Iterator

from tcptui.errors import RequestError
from tcptui.language import mark, tr, tr_n
from tcptui.model.sample import Degradation
from tcptui.sources.pasted.ledger import Kind, Ledger
from tcptui.sources.pasted.opening import COLLECTING
from tcptui.sources.pasted.reader import Reader

_PROGRAMS = "ss, netstat, cat /proc/net/tcp"
_COUNT_LINE = "TIME_WAIT 5002"
_ONE_STATE = "$ ss -tn state time-wait"

_WORTH_SAYING = {
    "peer": mark("peers"),
    "local": mark("local addresses"),
    "recv_queue_bytes": mark("queues"),
    "backlog": mark("backlogs"),
    "timer": mark("timers"),
    "inode": mark("inodes"),
    "holders": mark("processes"),
    "rtt_us": mark("round-trip times"),
}
"""What to call the fields that a text may lack, by the id of the first of each kind; said by ``tr``."""


def nothing_found(name: str, ledger: Ledger) -> RequestError:
    """What to say of a text that is about no socket whose state is known."""
    if ledger.numbers[Kind.STATELESS]:
        problem = tr("{name} has sockets in it but does not tell their states", name=name)
        return RequestError(problem, _keep_command())
    problem = tr("{name} has nothing about TCP sockets in it", name=name)
    known = tr("what {programs} print is understood, and lines such as {line}", programs=_PROGRAMS, line=_COUNT_LINE)
    return RequestError(problem, known)


def remarks(reader: Reader, absent: frozenset[str], counted: int, repeated: int) -> Iterator[Degradation]:
    """Everything that is to be said, each once: what is missing first.

    Args:
        reader: has read the text.
        absent: fields that no row tells.
        counted: sockets that are known by counts only.
        repeated: rows of sockets that a later row tells of.
    """
    yield from _left_out(reader.ledger)
    yield from _not_told(reader, absent, counted)
    yield from _told_twice(reader, repeated)
    yield from _named(reader)
    yield from _set_aside(reader.ledger)


def _left_out(ledger: Ledger) -> Iterator[Degradation]:
    stateless, unread = ledger.numbers[Kind.STATELESS], ledger.numbers[Kind.UNREAD]
    if stateless:
        reason = tr_n(
            "{count:,} line tells of sockets but not of their state, and is left out: line {line}",
            "{count:,} lines tell of sockets but not of their state, and are left out: from line {line}",
            stateless,
            count=stateless,
            line=ledger.first[Kind.STATELESS],
        )
        yield Degradation("text.stateless", reason, _keep_command())
    if unread:
        reason = tr_n(
            "{count:,} line is not understood, and is left out: line {line}",
            "{count:,} lines are not understood, and are left out: the first is line {line}",
            unread,
            count=unread,
            line=ledger.first[Kind.UNREAD],
        )
        yield Degradation("text.unread", reason)


def _keep_command() -> str:
    return tr("keep the command as a line above, such as {command}", command=_ONE_STATE)


def _not_told(reader: Reader, absent: frozenset[str], counted: int) -> Iterator[Degradation]:
    if counted:
        reason = tr_n(
            "of {count:,} socket the text tells no more than that it is counted",
            "of {count:,} sockets the text tells no more than that they are counted",
            counted,
            count=counted,
        )
        yield Degradation("text.counts", reason, tr("{command} lists each of them", command=COLLECTING))
    has_rows = reader.ledger.numbers[Kind.ROW] > 0
    if has_rows:
        unknown = [tr(word) for field_id, word in _WORTH_SAYING.items() if field_id in absent]
        what = tr(", ").join([*unknown, tr("ages"), tr("kernel parameters")])
        hint = tr("{command} tells the most", command=COLLECTING) if unknown else ""
        yield Degradation("text.untold", tr("the text does not tell {what}", what=what), hint)
    if counted and has_rows:
        reason = tr("counts and rows are taken to be of one moment: what rows show is not counted again")
        yield Degradation("text.combined", reason)


def _told_twice(reader: Reader, repeated: int) -> Iterator[Degradation]:
    if repeated:
        reason = tr_n(
            "{count:,} socket is in several of the listings: the last one counts",
            "{count:,} sockets are in several of the listings: the last one counts",
            repeated,
            count=repeated,
        )
        yield Degradation("text.repeated", reason)
    lists = reader.counts.repeated
    if lists:
        reason = tr_n(
            "{count:,} list of counts is followed by another one of the same: the last one counts",
            "{count:,} lists of counts are followed by others of the same: the last one counts",
            lists,
            count=lists,
        )
        yield Degradation("text.repeated", reason, tr("leave in the text only the one that is to be seen"))


def _named(reader: Reader) -> Iterator[Degradation]:
    names, services = len(reader.endpoints.names) - 1, reader.endpoints.unknown_services
    if names:
        reason = tr_n(
            "{count:,} address is known by its name only, so that no network holds it",
            "{count:,} addresses are known by their names only, so that no network holds them",
            names,
            count=names,
        )
        yield Degradation("text.names", reason, tr("-n prints numbers, and netstat -W does not cut them short"))
    if services:
        reason = tr_n(
            "{count:,} port has a name that /etc/services of this machine does not know",
            "{count:,} ports have names that /etc/services of this machine does not know",
            services,
            count=services,
        )
        yield Degradation("text.names", reason, tr("-n prints numbers"))


def _set_aside(ledger: Ledger) -> Iterator[Degradation]:
    others = ledger.numbers[Kind.OTHER_PROTOCOL]
    if others:
        reason = tr_n(
            "{count:,} line is not about TCP: line {line}",
            "{count:,} lines are not about TCP: the first is line {line}",
            others,
            count=others,
            line=ledger.first[Kind.OTHER_PROTOCOL],
        )
        yield Degradation("text.other_protocols", reason)
    if ledger.escapes:
        reason = tr_n(
            "{count:,} line has escape sequences in it, which are left out: line {line}",
            "{count:,} lines have escape sequences in them, which are left out: the first is line {line}",
            ledger.escapes,
            count=ledger.escapes,
            line=ledger.first_escape,
        )
        yield Degradation("text.escapes", reason)
