"""Text to syntax tree."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable
from importlib import resources
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, VisitError
from lark.visitors import Transformer_NonRecursive

from tcptui.language import mark, tr
from tcptui.model.states import find_state
from tcptui.model.table import TIMER_NAMES
from tcptui.query import values
from tcptui.query.faults import (
    FilterError,
    SavedFilterError,
    did_you_mean,
    nearest,
    quoted,
    unknown_state,
    unlike_a_process,
)
from tcptui.query.misreadings import PART, misreading
from tcptui.query.names import Names
from tcptui.query.syntax import (
    HIGHEST_PORT,
    NO_LIMIT,
    AgeTest,
    AmountTest,
    And,
    AutoboundTest,
    CgroupTest,
    EndpointTest,
    Expression,
    FamilyTest,
    Filter,
    InterfaceTest,
    MarkTest,
    NetnsTest,
    Not,
    Or,
    PidTest,
    PortTest,
    ProcessTest,
    ServiceTest,
    Side,
    Span,
    StateTest,
    TimerTest,
    UserTest,
    depth,
    tests_in,
)
from tcptui.query.words import AMOUNT_FIELDS, SIGNS, STATE_GROUPS, STATE_WORDS, TCPDUMP_WORDS, WORD_BY_TEXT, Kind

LONGEST_FILTER = 4096
MOST_PARTS = 1024
"""Words and signs of one text; each takes 10 us to read."""
DEEPEST_NESTING = 64
DEEPEST_SAVED = 16
"""How many saved filters may lead from one to the next; each is read within the one before."""
MOST_TESTS = 2048
"""How many conditions a filter may have with all that it takes from saved ones."""

NO_NAMES = Names()

_SIDES = {
    **dict.fromkeys(("sport", "src"), Side.LOCAL),
    **dict.fromkeys(("dport", "dst"), Side.REMOTE),
    **dict.fromkeys(("port", "ip"), Side.EITHER),
}
_TORN_STATE = re.compile(
    r"(?P<name>\b(?:process|service|user|cgroup|netns|dev)[ \t]*[!=]{0,2}[ \t]*)?"
    r"\b(?P<state>(?:close|last|time|syn|fin)[ \t]+(?:wait|ack|sent|recv|rcvd|received)(?:[ \t]*[12])?)(?![\w-])",
    re.IGNORECASE,
)
"""A state with a blank in it, unless it begins with a name that was asked for."""
_TORN_AMOUNT = re.compile(
    r"(?:[<>=]|\b(?:gt|geq?|lt|leq?))[ \t]*(\d+[ \t]+(ms|sec|s|min|m|h|d|kb?|mb|gb?))(?![\w-])", re.IGNORECASE
)
_CGROUP_MOUNT = re.compile(r"/sys/fs/cgroup(/unified)?(?=/|$)")
"""Where systemd mounts version 2: below ``unified`` beside version 1, else directly."""


def parse_filter(text: str, names: Names = NO_NAMES) -> Filter:
    """The filter that ``text`` says.

    Raises:
        FilterError: with the place, what is wrong there and what would be valid.
    """
    return Filter(_tidy(text), _Reader(names).read(text))


def _tidy(text: str) -> str:
    """``text`` with one blank where there are several, but for those within quotes."""
    parts = text.split('"')
    parts[::2] = [re.sub(r"\s+", " ", part) for part in parts[::2]]
    return '"'.join(parts).strip()


class _Reader:
    """Reads a filter and the saved ones that it takes in, each of those once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._open: list[str] = []
        self._saved: dict[str, tuple[Expression, int]] = {}
        self._tests_taken_in = 0

    def read(self, text: str) -> Expression:
        """The expression that ``text`` says."""
        _refuse_strange(text)
        _refuse_torn(text)
        try:
            tree = filter_grammar().parse(text)
            expression: Expression = _TreeBuilder(self._names, self._take_in).transform(tree)
        except VisitError as error:
            if isinstance(error.orig_exc, FilterError):
                raise error.orig_exc.located_in(text) from None
            raise
        except UnexpectedInput as error:
            raise misreading(text, error).located_in(text) from None
        return expression

    def _take_in(self, name: str, position: int) -> Expression:
        """The saved filter ``name``."""
        if name not in self._saved:
            self._saved[name] = self._read_saved(name, position)
        expression, size = self._saved[name]
        self._tests_taken_in += size
        if self._tests_taken_in > MOST_TESTS:
            problem = tr("with @{name} the filter has more than {most:,} conditions", name=name, most=MOST_TESTS)
            raise SavedFilterError(problem, tr("make the saved filters smaller"), position)
        return expression

    def _read_saved(self, name: str, position: int) -> tuple[Expression, int]:
        text = self._names.saved.get(name)
        if text is None:
            if self._names.saved_problem:
                raise FilterError(self._names.saved_problem, "", position)
            raise FilterError(*_no_saved(name, list(self._names.saved), self._names.saved_in), position)
        if name in self._open:
            problem = tr("the saved filter @{name} leads back to itself", name=name)
            raise SavedFilterError(problem, tr("change it in {path}", path=self._names.saved_in), position)
        if len(self._open) == DEEPEST_SAVED:
            problem = tr(
                "the saved filter @{name} is taken in through more than {most} others", name=name, most=DEEPEST_SAVED
            )
            raise SavedFilterError(problem, tr("let fewer saved filters lead to one another"), position)
        self._open.append(name)
        before, self._tests_taken_in = self._tests_taken_in, 0
        try:
            expression = self.read(text)
        except SavedFilterError as error:
            raise SavedFilterError(error.problem, error.hint, position) from None
        except FilterError as error:
            problem = tr(
                "the saved filter @{name} is wrong at its column {column}: {problem}",
                name=name,
                column=error.column,
                problem=error.problem,
            )
            raise SavedFilterError(problem, error.hint, position) from None
        self._open.pop()
        self._tests_taken_in = before
        return expression, sum(1 for _ in tests_in(expression))


def _no_saved(name: str, saved: list[str], place: str) -> tuple[str, str]:
    problem = tr("no saved filter @{name}", name=name[:32])
    if not saved:
        return problem, tr("none is saved: write one below [filters] in {path}", path=place)
    meant = nearest(f"@{name}", [f"@{each}" for each in saved])
    return problem, did_you_mean(meant) if meant else _known(f"@{each}" for each in sorted(saved)[:8])


def _known(names: Iterable[str]) -> str:
    """The hint that lists what there is to choose from."""
    return tr("known: {names}", names=tr(", ").join(names) or tr("none"))


def _refuse_strange(text: str) -> None:
    """Refuse what is too long, and look-alikes of the language's own letters and blanks, which only quotes may hold."""
    if len(text) > LONGEST_FILTER:
        problem = tr("longer than {most:,} characters", most=LONGEST_FILTER)
        raise FilterError(problem, tr("shorten it"), LONGEST_FILTER)
    too_many = next(itertools.islice(PART.finditer(text), MOST_PARTS, None), None)
    if too_many is not None:
        problem = tr("more than {most:,} words and signs", most=MOST_PARTS)
        raise FilterError(problem, tr("make a saved filter of a part of it"), too_many.start()).located_in(text)
    in_quotes = False
    for position, char in enumerate(text):
        in_quotes ^= char == '"'
        if char == "'" and not in_quotes:
            hint = tr('leave it out: names with blanks go in "quotes", and all else needs none')
            raise FilterError(tr("a ' means nothing here"), hint, position).located_in(text)
        if not (char.isprintable() or (char.isspace() and char.isascii() and not in_quotes)):
            problem = tr("{character} cannot be seen", character=quoted(char))
            raise FilterError(problem, tr("leave it out"), position).located_in(text)
        if not char.isascii() and not in_quotes:
            problem = tr("{character} is not what it looks like", character=quoted(char))
            hint = tr('type it again on the keyboard; a process name with such letters goes in "quotes"')
            raise FilterError(problem, hint, position).located_in(text)


def _refuse_torn(text: str) -> None:
    """Refuse a blank within a state's name, or between a number and its unit: the rest would be a process's name."""
    outside_quotes = re.sub(r'"[^"]*"', lambda found: " " * len(found[0]), text)
    for found in _TORN_STATE.finditer(outside_quotes):
        whole = find_state(found["state"])
        if whole is not None and found["name"] is None:
            problem = tr("{words} is one word", words=quoted(found["state"]))
            raise FilterError(problem, _write(STATE_WORDS[whole]), found.start("state")).located_in(text)
    amount = _TORN_AMOUNT.search(outside_quotes)
    if amount is not None:
        hint = _write("".join(amount[1].split()))
        raise FilterError(tr("a unit stands beside its number"), hint, amount.start(2)).located_in(text)


def _write(example: str) -> str:
    """The hint that says what to write instead."""
    return tr("write {example}", example=example)


@functools.cache
def filter_grammar() -> Lark:
    """The grammar, ready to parse with; made once."""
    source = resources.files(__package__).joinpath("filter.lark").read_text("utf-8")
    return Lark(source, parser="lalr", maybe_placeholders=True)


class _StateWord:
    """A state condition that its neighbours may still add to, as ``ss`` adds up the states of its command line."""

    def __init__(self, states: frozenset[Any], *, excludes: bool) -> None:
        self.states = states
        self.excludes = excludes

    def settled(self) -> Expression:
        test = StateTest(self.states)
        return Not(test) if self.excludes else test


_BOTH = object()
"""An "and" that was written."""


class _TreeBuilder(Transformer_NonRecursive[Token, Any]):
    """Lark's tree to ours; the method's name is the rule's."""

    def __init__(self, names: Names, take_in: Callable[[str, int], Expression]) -> None:
        super().__init__()
        self._names = names
        self._take_in = take_in

    # -- Structure -----------------------------------------------------------------------------------------------------

    def start(self, children: list[Any]) -> Expression:
        return _settled(children[0])

    def any_of(self, children: list[Any]) -> Any:
        return children[0] if len(children) == 1 else _bounded(Or(tuple(map(_settled, children))))

    def all_of(self, children: list[Any]) -> Any:
        operands: list[Any] = []
        joined_by_word = True
        for child in children:
            if child is _BOTH:
                joined_by_word = True
                continue
            if not joined_by_word and isinstance(child, _StateWord) and isinstance(operands[-1], _StateWord):
                child = _added(operands.pop(), child)  # noqa: PLW2901 - two neighbours become one
            operands.append(child)
            joined_by_word = False
        return operands[0] if len(operands) == 1 else _bounded(And(tuple(map(_settled, operands))))

    def both(self, _children: list[Any]) -> Any:
        return _BOTH

    def negated(self, children: list[Any]) -> Expression:
        operand = _settled(children[0])
        return operand.operand if isinstance(operand, Not) else _bounded(Not(operand))

    def group(self, children: list[Any]) -> Expression:
        return _settled(children[0])

    # -- Tests ---------------------------------------------------------------------------------------------------------

    def state(self, children: list[Any]) -> Any:
        return _StateWord(_states(children[0]), excludes=False)

    def exclude(self, children: list[Any]) -> Any:
        return _StateWord(_states(children[0]), excludes=True)

    def port(self, children: list[Any]) -> Expression:
        word, comparison, value = children
        side = _SIDES[_first_word(word)]
        sign = _sign(comparison)
        family, text = values.split_family(_text(value), _position(value))
        text = text.removeprefix("*") if text.startswith("*:") else text
        at = _position(value) + len(_text(value)) - len(text)
        ports = Span(0, HIGHEST_PORT) if text in ("*", ":*") else values.ports(text, self._names.services, at)
        if ports.low != ports.high and sign not in ("=", "!="):
            problem = tr("{sign} does not go with a range", sign=quoted(sign))
            raise FilterError(problem, tr("use = or !=, or one port"), _position(value))
        return _compared(comparison, ports, HIGHEST_PORT, lambda span: _with_family(family, PortTest(side, span)))

    def endpoint(self, children: list[Any]) -> Expression:
        word, comparison, value = children
        sign = _equality(comparison, mark("addresses"))
        if _text(value).lower() in TCPDUMP_WORDS:
            name = f"{_first_word(word)} {_text(value).lower()}"
            hint = _write(TCPDUMP_WORDS[_text(value).lower()][_first_word(word)])
            raise FilterError(tr("'{words}' is of tcpdump's language", words=name), hint, _position(value))
        return _denied_if(sign == "!=", self._endpoint(_SIDES[_first_word(word)], value))

    def amount(self, children: list[Any]) -> Expression:
        word, comparison, value = children
        name = _first_word(word)
        read = values.byte_count if WORD_BY_TEXT[name].kind is Kind.BYTES else values.count
        amount = read(_text(value), _position(value))
        return _compared(comparison, Span(amount, amount), NO_LIMIT, lambda span: AmountTest(AMOUNT_FIELDS[name], span))

    def age(self, children: list[Any]) -> Expression:
        comparison, value = children
        sign = _sign(comparison)
        age = values.duration_ms(_text(value), _position(value))
        if comparison is None or sign in ("=", "!="):
            hint = tr("write age > {age} or age < {age}", age=_text(value))
            raise FilterError(tr("no age is exactly that"), hint, _position(comparison or value))
        return AgeTest(values.compared(sign, Span(age, age), NO_LIMIT))

    def timer(self, children: list[Any]) -> Expression:
        return _equated(children, mark("timers"), _timer)

    def pid(self, children: list[Any]) -> Expression:
        comparison, value = children
        text = _text(value)
        pid = values.number(text, values.LARGEST_U32)
        if pid is None:
            hint = tr("write a number; for a name write process {name}", name=quoted(text)[1:-1])
            raise FilterError(tr("{text} is no process id", text=quoted(text)), hint, _position(value))
        return _compared(comparison, Span(pid, pid), NO_LIMIT, PidTest)

    def process(self, children: list[Any]) -> Expression:
        return _equated(children, mark("names"), lambda value: ProcessTest(_name(value)))

    def user(self, children: list[Any]) -> Expression:
        return _equated(children, mark("users"), self._user)

    def service(self, children: list[Any]) -> Expression:
        return _equated(children, mark("services"), lambda value: ServiceTest(_name(value)))

    def cgroup(self, children: list[Any]) -> Expression:
        return _equated(
            children, mark("cgroups"), lambda value: CgroupTest("/" + _CGROUP_MOUNT.sub("", _name(value)).strip("/"))
        )

    def netns(self, children: list[Any]) -> Expression:
        return _equated(children, mark("namespaces"), lambda value: NetnsTest(_name(value)))

    def dev(self, children: list[Any]) -> Expression:
        return _equated(children, mark("interfaces"), self._interface)

    def fwmark(self, children: list[Any]) -> Expression:
        return _equated(children, mark("marks"), _mark)

    def autobound(self, _children: list[Any]) -> Expression:
        return AutoboundTest()

    def bare(self, children: list[Any]) -> Any:
        """A word alone: a saved filter, a state, a port, an address, or else the name of a process."""
        value: Token = children[0]
        text = _text(value)
        if value.type == "QUOTED":
            return ProcessTest(_name(value))
        if text.startswith("@"):
            return self._take_in(text[1:], _position(value))
        state = find_state(text)
        if state is not None:
            return _StateWord(frozenset({state}), excludes=False)
        if values.is_number_like(text):
            return PortTest(Side.EITHER, values.ports(text, self._names.services, _position(value)))
        if ":" in text or values.is_address_like(text):
            self._refuse_a_word_and_colon(text, _position(value))
            return self._endpoint(Side.EITHER, value)
        slip = unlike_a_process(text)
        if slip is not None:
            raise FilterError(*slip, _position(value))
        return ProcessTest(text)

    # -- Values --------------------------------------------------------------------------------------------------------

    def _endpoint(self, side: Side, value: Token) -> Expression:
        """``:443``, ``10.1.2.3``, ``10.0.0.0/8:443``, ``[::1]:22``, ``::1``, ``*``, ``inet6:*:22``, ``web-1:443``."""
        family, text = values.split_family(_text(value), _position(value))
        at = _position(value) + len(_text(value)) - len(text)
        address, port = values.split_endpoint(text)
        ports = None
        if port not in (None, "*"):
            ports = values.ports(str(port), self._names.services, at + len(text) - len(str(port)))
        if not _text(value):
            raise FilterError(tr("an empty address"), tr(values.HOST_SYNTAX), _position(value))
        if address in ("", "*"):
            if ports is None:
                ports = Span(0, HIGHEST_PORT)
            return _with_family(family, PortTest(side, ports))
        tests = [EndpointTest(side, each, ports) for each in values.networks(address, self._names.hosts, at)]
        found: Expression = tests[0] if len(tests) == 1 else Or(tuple(tests))
        return _with_family(family, found)

    def _refuse_a_word_and_colon(self, text: str, position: int) -> None:
        """``dport:443``, which would else be a port of the host ``dport``."""
        head, _, rest = text.partition(":")
        word = head.lower()
        if word in WORD_BY_TEXT and word not in self._names.hosts:
            hint = _write(f"{word} {rest[:32]}" if rest else WORD_BY_TEXT[word].example)
            raise FilterError(tr("a blank is missing behind {word}", word=quoted(word)), hint, position)

    def _user(self, value: Token) -> Expression:
        name = _name(value)
        uid = self._names.users.get(name, values.number(name, values.LARGEST_U32))
        if uid is None:
            meant = nearest(name, self._names.users)
            hint = did_you_mean(meant) if meant else tr("give a name from there, or a uid as id -u prints it")
            raise FilterError(tr("no user {name} in /etc/passwd", name=quoted(name)), hint, _position(value))
        return UserTest(uid, name)

    def _interface(self, value: Token) -> Expression:
        name = _name(value)
        index = self._names.interfaces.get(name, values.number(name, values.LARGEST_U32))
        if index is None:
            known = sorted(self._names.interfaces)
            meant = nearest(name, known)
            hint = did_you_mean(meant) if meant else _known(known[:8])
            raise FilterError(tr("no interface {name} here", name=quoted(name)), hint, _position(value))
        return InterfaceTest(index, name)


def _timer(value: Token) -> Expression:
    word = _text(value).lower().replace("-", "").replace("_", "")
    if word not in TIMER_NAMES:
        raise FilterError(tr("unknown timer {word}", word=quoted(word)), _known(TIMER_NAMES), _position(value))
    return TimerTest(TIMER_NAMES.index(word))


def _mark(value: Token) -> Expression:
    mark_text, slash, mask_text = _text(value).partition("/")
    mark = values.number(mark_text, values.LARGEST_U32)
    mask = values.number(mask_text, values.LARGEST_U32) if slash else values.LARGEST_U32
    if mark is None or mask is None:
        problem = tr("{text} is no mark", text=quoted(_text(value)))
        raise FilterError(problem, tr("write 1, 0x1 or 0x01/0x03"), _position(value))
    return MarkTest(mark, mask)


def _equated(children: list[Any], what: str, test_of: Callable[[Token], Expression]) -> Expression:
    """What a word says of a value that it may be equal to or not."""
    comparison, value = children
    sign = _equality(comparison, what)
    return _denied_if(sign == "!=", test_of(value))


def _compared(
    comparison: Tree[Token] | None, value: Span, largest: int, test_of: Callable[[Span], Expression]
) -> Expression:
    """What a word says of a number."""
    sign = _sign(comparison)
    return _denied_if(sign == "!=", test_of(values.compared(sign, value, largest)))


def _added(before: _StateWord, word: _StateWord) -> _StateWord:
    """Two state conditions side by side, as ``ss`` takes them: another state is added, an excluded one taken away."""
    states = before.states if not before.excludes else STATE_GROUPS["all"] - before.states
    changed = states - word.states if word.excludes else states | word.states
    return _StateWord(changed, excludes=False)


def _settled(child: Any) -> Expression:
    return child.settled() if isinstance(child, _StateWord) else child


def _bounded(expression: Expression) -> Expression:
    """``expression``, if walking it down stays far from the interpreter's recursion limit."""
    if depth(expression) > DEEPEST_NESTING:
        problem = tr("more than {most} levels of parentheses and not", most=DEEPEST_NESTING)
        raise FilterError(problem, tr("write it flatter"), 0)
    return expression


def _with_family(family: int | None, test: Expression) -> Expression:
    """``test`` for the sockets of one family only, if one was named."""
    return test if family is None else And((FamilyTest(family), test))


def _denied_if(denied: bool, test: Expression) -> Expression:  # noqa: FBT001 - reads as it is called
    """``test`` or its opposite; "either port differs" would be true of nearly everything, so it means that none is."""
    return Not(test) if denied else test


def _first_word(tree: Tree[Token]) -> str:
    return str(tree.children[0]).lower()


def _sign(comparison: Tree[Token] | None) -> str:
    return "=" if comparison is None else SIGNS[_first_word(comparison)]


def _equality(comparison: Tree[Token] | None, what: str) -> str:
    """The sign, which may only be ``=`` or ``!=``; ``what`` is a message."""
    sign = _sign(comparison)
    if sign not in ("=", "!="):
        problem = tr("{sign} does not compare {what}", sign=quoted(sign), what=tr(what))
        raise FilterError(problem, tr("use = or !="), _position(comparison))
    return sign


def _position(value: Token | Tree[Token] | None) -> int:
    token = value.children[0] if isinstance(value, Tree) else value
    return (token.start_pos or 0) if isinstance(token, Token) else 0


def _text(value: Token) -> str:
    return str(value).strip('"') if value.type == "QUOTED" else str(value)


def _name(value: Token) -> str:
    """A name, which may not be empty."""
    text = _text(value)
    if not text.strip():
        raise FilterError(tr("an empty name"), tr("write one, such as nginx"), _position(value))
    return text


def _states(value: Token) -> frozenset[Any]:
    word = _text(value)
    group = STATE_GROUPS.get(word.lower())
    if group is not None:
        return group
    state = find_state(word)
    if state is None:
        raise FilterError(*unknown_state(word), _position(value))
    return frozenset({state})
