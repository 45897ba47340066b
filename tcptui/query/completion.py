"""What may come next in a filter that is being typed."""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lark import Token
from lark.exceptions import UnexpectedInput

from tcptui.model.table import TIMER_NAMES
from tcptui.query.faults import FilterError
from tcptui.query.names import Names
from tcptui.query.parse import filter_grammar, parse_filter
from tcptui.query.present import Present
from tcptui.query.syntax import ProcessTest, Test
from tcptui.query.words import SIGNS, STATE_GROUPS, STATE_WORDS, WORD_BY_TEXT, WORDS, Kind

MOST_OFFERED = 24
_WORD_AT_END = re.compile(r'[^\s()!&|<>="]*$')
_CONDITIONS = tuple(word.text for word in WORDS if word.kind is not Kind.JOINT)


@dataclass(frozen=True)
class Completion:
    """Words that may stand in place of a part of the text."""

    start: int = 0
    end: int = 0
    offered: tuple[str, ...] = ()

    def applied(self, text: str, index: int) -> tuple[str, int]:
        """``text`` with the word number ``index`` in it, and where the cursor then is."""
        word = self.offered[index]
        if len(self.offered) == 1 and self.end == len(text):
            word += " "
        return text[: self.start] + word + text[self.end :], self.start + len(word)


def complete(text: str, cursor: int, names: Names, present: Present) -> Completion:
    """What the word that ends at ``cursor`` may become; nothing where the text before it is wrong already."""
    match = _WORD_AT_END.search(text, 0, cursor)
    start = match.start() if match else cursor
    typed = text[start:cursor]
    found = _expected(text[:start])
    if found is None or text.startswith('"', cursor):
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


@functools.lru_cache(maxsize=4096)
def as_condition(process: str) -> str:
    """A process's name as a condition of its own; empty if none means it."""
    return next((each for each in (process, f'"{process}"') if _means(each, ProcessTest(process))), "")


def _means(text: str, test: Test) -> bool:
    try:
        return parse_filter(text).expression == test
    except FilterError:
        return False


def as_value(name: str) -> str:
    """A name as it is written behind a word; empty if it cannot be."""
    if not name.strip() or not name.isprintable() or '"' in name:
        return ""
    is_plain = name.isascii() and re.fullmatch(r"[^\s()!&|<>=']+", name) and name.lower() not in SIGNS
    return name if is_plain else f'"{name}"'


def _conditions(names: Names, present: Present) -> list[str]:
    """What a condition can begin with."""
    endpoints = [f":{port}" for port in dict.fromkeys((*present.local_ports, *present.remote_ports))]
    addresses = dict.fromkeys((*present.remote_addresses, *present.local_addresses))
    saved = [f"@{name}" for name in names.saved]
    processes = map(as_condition, present.processes)
    return [
        *present.states,
        *_CONDITIONS,
        "not",
        *saved,
        *processes,
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
        Kind.INTERFACE: map(as_value, names.interfaces),
        Kind.USER: map(as_value, _users(names, present)),
        Kind.PROCESS: map(as_value, present.processes),
        Kind.SERVICE: map(as_value, present.services),
        Kind.NETNS: map(as_value, present.namespaces),
        Kind.CGROUP: (),
    }
    known = WORD_BY_TEXT.get(word)
    offered = list(by_kind.get(known.kind, ())) if known else []
    if known and known.kind is Kind.PORT:
        offered += [*map(as_value, sorted(names.services)), *(f":{port}" for port in offered)]
    return offered


def _users(names: Names, present: Present) -> Iterable[str]:
    """All users, those who have sockets first."""
    return sorted(names.users, key=lambda name: names.users[name] not in present.uids)


def _beginning_with(typed: str, offered: Iterable[str]) -> tuple[str, ...]:
    """The words that ``typed`` begins, each once; none if it is a whole one and there is no other."""
    folded = typed.lower()
    found = [each for each in dict.fromkeys(offered) if each and each.lower().lstrip('"').startswith(folded)]
    return () if found == [typed] else tuple(found[:MOST_OFFERED])
