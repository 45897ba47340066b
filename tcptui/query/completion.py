"""What may come next in a filter that is being typed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lark import Token
from lark.exceptions import UnexpectedInput

from tcptui.model.table import TIMER_NAMES
from tcptui.query.names import Names
from tcptui.query.parse import filter_grammar
from tcptui.query.words import STATE_GROUPS, STATE_WORDS, WORD_BY_TEXT, WORDS, Kind

MOST_OFFERED = 24
_WORD_AT_END = re.compile(r'[^\s()!&|<>="]*$')
_CONDITIONS = tuple(word.text for word in WORDS if word.kind is not Kind.JOINT)


@dataclass(frozen=True)
class Present:
    """What there is to ask for in the table right now, the most frequent first."""

    states: tuple[str, ...] = ()
    local_ports: tuple[str, ...] = ()
    remote_ports: tuple[str, ...] = ()
    local_addresses: tuple[str, ...] = ()
    remote_addresses: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


NOTHING_PRESENT = Present()


@dataclass(frozen=True)
class Completion:
    """Words that may stand in place of a part of the text."""

    start: int = 0
    end: int = 0
    offered: tuple[str, ...] = ()

    def applied(self, text: str, index: int) -> tuple[str, int]:
        """``text`` with the word number ``index`` in it, and where the cursor then is."""
        word = self.offered[index]
        return text[: self.start] + word + text[self.end :], self.start + len(word)


def complete(text: str, cursor: int, names: Names, present: Present) -> Completion:
    """What the word that ends at ``cursor`` may become; nothing where the text before it is wrong already."""
    match = _WORD_AT_END.search(text, 0, cursor)
    start = match.start() if match else cursor
    typed = text[start:cursor]
    found = _expected(text[:start])
    if found is None:
        return Completion(cursor, cursor)
    before, accepted = found
    if "LPAR" in accepted:
        offered = _conditions(names, present)
        if "$END" in accepted:
            offered = [*offered, "and", "or"] if typed else ["and", "or", *offered]
    else:
        offered = _values(before, names, present)
    rest = re.match(r'[^\s()!&|<>="]*', text[cursor:])
    end = cursor + (rest.end() if rest else 0)
    return Completion(start, end, _beginning_with(typed, offered))


def _expected(text: str) -> tuple[str, set[str]] | None:
    """The last keyword of ``text``, and the grammar's terminals that may follow; None if ``text`` is wrong."""
    parser = filter_grammar().parse_interactive(text)
    keyword = ""
    try:
        for token in parser.iter_parse():
            if isinstance(token, Token) and token.lower() in WORD_BY_TEXT:
                keyword = token.lower()
        return keyword, parser.accepts()  # type: ignore[no-untyped-call]
    except UnexpectedInput:
        return None


def _conditions(names: Names, present: Present) -> list[str]:
    """What a condition can begin with."""
    endpoints = [f":{port}" for port in dict.fromkeys((*present.local_ports, *present.remote_ports))]
    addresses = dict.fromkeys((*present.remote_addresses, *present.local_addresses))
    saved = [f"@{name}" for name in names.saved]
    return [
        *present.states,
        *_CONDITIONS,
        "not",
        *saved,
        *present.processes,
        *endpoints,
        *addresses,
        *_bare_ports(present),
    ]


def _bare_ports(present: Present) -> Iterable[str]:
    return dict.fromkeys((*present.local_ports, *present.remote_ports))


def _values(word: str, names: Names, present: Present) -> list[str]:
    """What can stand behind ``word``."""
    ports = {
        "sport": present.local_ports,
        "dport": present.remote_ports,
        "port": tuple(_bare_ports(present)),
    }
    addresses = {
        "src": present.local_addresses,
        "dst": present.remote_addresses,
        "ip": tuple(dict.fromkeys((*present.remote_addresses, *present.local_addresses))),
    }
    by_kind: Mapping[Kind, Iterable[str]] = {
        Kind.STATE: (*present.states, *STATE_WORDS.values(), *STATE_GROUPS),
        Kind.PORT: ports.get(word, ()),
        Kind.ADDRESS: addresses.get(word, ()),
        Kind.TIMER: TIMER_NAMES,
        Kind.INTERFACE: names.interfaces,
        Kind.USER: names.users,
        Kind.PROCESS: present.processes,
        Kind.SERVICE: present.services,
        Kind.CGROUP: (),
    }
    known = WORD_BY_TEXT.get(word)
    offered = list(by_kind.get(known.kind, ())) if known else []
    if known and known.kind is Kind.PORT:
        offered += [*sorted(names.services), *(f":{port}" for port in offered)]
    return offered


def _beginning_with(typed: str, offered: Iterable[str]) -> tuple[str, ...]:
    """The words that ``typed`` begins, each once; none if it is a whole one and there is no other."""
    folded = typed.lower()
    found = [each for each in dict.fromkeys(offered) if each.lower().lstrip('"').startswith(folded)]
    return () if found == [typed] else tuple(found[:MOST_OFFERED])
