"""Text to syntax tree."""

import functools
import re
from collections.abc import Mapping
from importlib import resources

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, VisitError

from tcptui.errors import RequestError
from tcptui.model.address import Network, parse_network
from tcptui.model.states import ALL_STATES, find_state, nearest_hint
from tcptui.query.syntax import (
    And,
    Comparison,
    EndpointTest,
    Expression,
    Filter,
    Not,
    Or,
    PortTest,
    Side,
    StateTest,
    depth,
)
from tcptui.text import printable

LONGEST_FILTER = 4096
DEEPEST_NESTING = 64
HIGHEST_PORT = 65535

FILTER_WORDS = ("state", "exclude", "port", "sport", "dport", "src", "dst", "ip", "and", "or", "not")
"""Words with a meaning of their own, for completion and for guessing what was meant."""

_SIDES = {"sport": Side.LOCAL, "dport": Side.REMOTE, "src": Side.LOCAL, "dst": Side.REMOTE}

_COMPARISONS = {
    **{comparison.value: comparison for comparison in Comparison},
    **dict.fromkeys(("==", "eq"), Comparison.EQUAL),
    **dict.fromkeys(("ne", "neq"), Comparison.NOT_EQUAL),
    "lt": Comparison.LESS,
    **dict.fromkeys(("le", "leq"), Comparison.LESS_OR_EQUAL),
    "gt": Comparison.GREATER,
    **dict.fromkeys(("ge", "geq"), Comparison.GREATER_OR_EQUAL),
}

_AFTER_STATE = re.compile(r"\b(state|exclude)\s*$", re.IGNORECASE)
_EXAMPLES = "try :443, 10.0.0.0/8, dst 10.1.2.3, state time-wait"


class FilterError(RequestError):
    """A filter that cannot be understood."""

    def __init__(self, problem: str, hint: str, column: int) -> None:
        super().__init__(f"filter, column {column}: {problem}", hint)
        self.column = column
        """Where it goes wrong, from 1."""


def parse_filter(text: str) -> Filter:
    """The filter that ``text`` says.

    Raises:
        FilterError: with the column, what is wrong there and what would be valid.
    """
    if len(text) > LONGEST_FILTER:
        raise FilterError(f"longer than {LONGEST_FILTER} characters", "shorten it", LONGEST_FILTER)
    _refuse_strange_characters(text)
    try:
        tree = _grammar().parse(text)
        expression = _TreeBuilder().transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, FilterError):
            raise error.orig_exc from error
        if isinstance(error.orig_exc, RecursionError):
            raise _too_deep() from error
        raise
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from error
    except RecursionError as error:
        raise _too_deep() from error
    return Filter(" ".join(text.split()), expression)


def _refuse_strange_characters(text: str) -> None:
    """The language is ASCII: letters that only look like its own, and blanks that hide, are told apart here."""
    for column, char in enumerate(text, start=1):
        if not char.isascii():
            raise FilterError(f"{printable(char)!r} does not fit here", _EXAMPLES, column)


@functools.cache
def _grammar() -> Lark:
    source = resources.files(__package__).joinpath("filter.lark").read_text("utf-8")
    return Lark(source, parser="lalr")


def _syntax_error(text: str, error: UnexpectedInput) -> FilterError:
    """What is wrong, in the reader's words instead of the parser's."""
    token = getattr(error, "token", None)
    if isinstance(error, UnexpectedEOF) or (isinstance(token, Token) and token.type == "$END"):
        column = len(text.rstrip()) + 1
        if not text.strip():
            return FilterError("empty", _EXAMPLES, 1)
        wanted = _wanted(getattr(error, "expected", set()), text)
        return FilterError("something is missing at the end", wanted, column)
    column = error.column if isinstance(error.column, int) and error.column > 0 else 1
    found = text[column - 1] if isinstance(error, UnexpectedCharacters) else str(token)
    return FilterError(f"{printable(found)!r} does not fit here", _wanted(_expected(error), text[: column - 1]), column)


def _expected(error: UnexpectedInput) -> set[str]:
    return set(
        getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", None) or ()
    )


def _wanted(terminals: set[str], before: str) -> str:
    """What may stand behind ``before``, where only ``terminals`` are valid."""
    if _AFTER_STATE.search(before):
        return "expected a state, such as time-wait"
    if "_STATE" in terminals:
        return f"expected a port, an address or a state, {_EXAMPLES}"
    if terminals == {"RPAR"}:
        return "expected )"
    if "WORD" in terminals:
        return "expected a value, such as :443 or 10.1.2.3"
    return "expected and, or, not, or another condition"


class _TreeBuilder(Transformer[Token, Expression]):
    """Lark's tree to ours; the method's name is the rule's."""

    def any_of(self, operands: list[Expression]) -> Expression:
        return _bounded(Or(tuple(operands)))

    def all_of(self, operands: list[Expression]) -> Expression:
        return _bounded(And(tuple(operands)))

    def negated(self, operands: list[Expression]) -> Expression:
        operand = operands[0]
        return operand.operand if isinstance(operand, Not) else _bounded(Not(operand))

    def state(self, words: list[Token]) -> Expression:
        return _state_test(words[0])

    def exclude(self, words: list[Token]) -> Expression:
        return Not(_state_test(words[0]))

    def port(self, words: list[Token]) -> Expression:
        word, comparison, port = words
        side = _SIDES.get(word.lower(), Side.EITHER)
        return _port_test(side, _comparison(comparison), _port(port, str(port).removeprefix(":")))

    def endpoint(self, words: list[Token]) -> Expression:
        word, sign, value = words
        comparison = _comparison(sign)
        if comparison not in (Comparison.EQUAL, Comparison.NOT_EQUAL):
            raise FilterError(f"{sign} does not compare addresses", "use = or !=", sign.column or 1)
        test = _endpoint_test(_SIDES.get(word.lower(), Side.EITHER), value)
        return test if comparison is Comparison.EQUAL else Not(test)

    def bare(self, words: list[Token]) -> Expression:
        word = words[0]
        if find_state(str(word)) is not None:
            return _state_test(word)
        if word.isascii() and word.isdecimal():
            return _port_test(Side.EITHER, Comparison.EQUAL, _port(word, str(word)))
        return _endpoint_test(Side.EITHER, word)


def _bounded(expression: Expression) -> Expression:
    """``expression``, if walking it down stays far from the interpreter's recursion limit."""
    if depth(expression) > DEEPEST_NESTING:
        raise _too_deep()
    return expression


def _too_deep() -> FilterError:
    return FilterError(f"more than {DEEPEST_NESTING} levels of parentheses and not", "write it flatter", 1)


def _comparison(token: Token | None) -> Comparison:
    return Comparison.EQUAL if token is None else _COMPARISONS[token.lower()]


def _port_test(side: Side, comparison: Comparison, port: int) -> Expression:
    """A port test; "either port differs" would be true of nearly everything, so ``!=`` means that neither is it."""
    if comparison is Comparison.NOT_EQUAL:
        return Not(PortTest(side, Comparison.EQUAL, port))
    return PortTest(side, comparison, port)


def _state_test(word: Token) -> Expression:
    state = find_state(str(word))
    if state is None:
        names = [each.name for each in ALL_STATES]
        raise FilterError(f"unknown state {printable(str(word))!r}", nearest_hint(str(word), names), word.column or 1)
    return StateTest(frozenset({state}))


def _port(token: Token, digits: str) -> int:
    column = token.column or 1
    if not (digits.isascii() and digits.isdecimal()):
        raise FilterError(f"{printable(digits)!r} is not a port", "give a number from 0 to 65535", column)
    if len(digits) > 5 or int(digits) > HIGHEST_PORT:
        raise FilterError(f"port {digits[:12]} does not exist", "give a number from 0 to 65535", column)
    return int(digits)


def _endpoint_test(side: Side, word: Token) -> Expression:
    """``:443``, ``10.1.2.3``, ``10.0.0.0/8``, ``10.1.2.3:443``, ``[::1]:22``, ``::1``."""
    text = str(word)
    if text.startswith(":") and text[1:].isdecimal():
        return PortTest(side, Comparison.EQUAL, _port(word, text[1:]))
    address, port = _split_endpoint(text)
    return EndpointTest(side, _network(word, address), None if port is None else _port(word, port))


def _split_endpoint(text: str) -> tuple[str, str | None]:
    """Address and port; a colon separates a port only after a dotted address or a bracket."""
    if text.startswith("["):
        address, bracket, rest = text.partition("]")
        if bracket and rest.startswith(":"):
            return address[1:], rest[1:]
        return (address[1:] + rest if bracket else text), None
    if text.count(":") == 1:
        address, _, port = text.partition(":")
        return address, port
    return text, None


def _network(word: Token, address: str) -> Network:
    try:
        return parse_network(address)
    except ValueError:
        problem, hint = _not_an_address(address)
        raise FilterError(problem, hint, word.column or 1) from None


def _not_an_address(text: str) -> tuple[str, str]:
    """A wrong word may be a misspelt state or word of the language as well as a wrong address."""
    shown = repr(printable(text))
    if text.lower() in FILTER_WORDS:
        return f"{shown} needs something before and after it", _EXAMPLES
    if text.isdecimal():
        return f"{shown} is not an address", f"for a port write :{text}"
    if any(char in text for char in ".:/") and not text[:1].isalpha():
        return f"{shown} is not an address", "write 10.1.2.3, 10.0.0.0/8 or [::1]:22"
    known: Mapping[str, str] = {name.lower(): name for name in (*FILTER_WORDS, *(state.name for state in ALL_STATES))}
    hint = nearest_hint(text, known.values())
    if hint.startswith("known:"):
        hint = _EXAMPLES
    return f"{shown} is no filter word", hint
