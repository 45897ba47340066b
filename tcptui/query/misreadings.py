"""What the parser could not read, in the reader's words instead of the parser's."""

import re

from lark import Token
from lark.exceptions import UnexpectedInput, UnexpectedToken

from tcptui.query.faults import EXAMPLES, FilterError, quoted, unlike_a_process
from tcptui.query.words import SIGNS, WORD_BY_TEXT, Kind

PART = re.compile(r'"[^"]*"|[()!]|[&|<>=]+|[^\s()!&|<>="]+')
"""One thing of a text for a message: a quotation, a parenthesis, a sign, a word."""
_JOINTS = ("and", "&", "&&", "or", "|", "||")
_VALUE, _CONDITION = "WORD", "LPAR"
"""Terminals that are accepted where a value can stand, and where a condition can begin."""


def misreading(text: str, error: UnexpectedInput) -> FilterError:
    """What is wrong with ``text``, where the parser met with ``error``."""
    if not text.strip():
        return FilterError("empty", EXAMPLES, 0)
    if not isinstance(error, UnexpectedToken):  # no other character fails to begin a token
        return FilterError("a quotation does not end", 'close it with "', error.pos_in_stream or 0)
    expected = set(error.accepts or error.expected)
    at_end = error.token.type == "$END"
    position = len(text.rstrip()) if at_end else error.pos_in_stream or 0
    parts = list(PART.finditer(text, 0, position))
    before = [each[0].lower() for each in parts]
    if error.token.lower() in SIGNS and _CONDITION in expected and before and before[-1] not in WORD_BY_TEXT:
        slip = unlike_a_process(parts[-1][0])  # of a word that would compare, if it were spelt right
        if slip is not None:
            return FilterError(*slip, parts[-1].start())
    if _VALUE in expected and _CONDITION not in expected:
        return _missing_value(before, None if at_end else error.token, position)
    if not at_end:
        return FilterError(*_misplaced(str(error.token), text[:position].rstrip(), expected), position)
    if "RPAR" in expected:
        return FilterError("a parenthesis is not closed", "end it with )", position)
    return FilterError(
        f"something is missing after {quoted(before[-1])}", f"expected a condition, {EXAMPLES}", position
    )


def _missing_value(before: list[str], found: Token | None, position: int) -> FilterError:
    """A word or comparison that lacks what goes behind it."""
    word = next((WORD_BY_TEXT[each] for each in reversed(before) if each in WORD_BY_TEXT), None)
    if found is not None and word is not None and word.kind is Kind.STATE and found.lower() in SIGNS:
        hint = f"leave the sign out, as in {word.example}; the opposite of state is exclude"
        return FilterError(f"{quoted(found)} cannot follow {quoted(before[-1])}", hint, position)
    wanted = f"{word.kind.value}, as in {word.example}" if word else "a value"
    after = quoted(before[-1]) if before else "the beginning"
    problem = f"something is missing after {after}" if found is None else f"{quoted(found)} cannot follow {after}"
    return FilterError(problem, f"expected {wanted}", position)


def _misplaced(found: str, before: str, expected: set[str]) -> tuple[str, str]:
    """Problem and hint for something that cannot stand behind ``before``."""
    shown = quoted(found)
    if found == ")" and before.endswith("("):
        return "nothing stands between the parentheses", EXAMPLES
    if found == ")" and "$END" in expected:
        return "')' closes nothing", "leave it out, or write ( before what it should close"
    if found.lower() in SIGNS:
        return f"{shown} has nothing to compare", "write what: sport = :443, recvq > 0, age > 5m"
    if found.lower() in _JOINTS or found == ")":
        return f"a condition is missing before {shown}", EXAMPLES
    return f"{shown} does not fit here", f"expected a condition, and, or, not; {EXAMPLES}"
