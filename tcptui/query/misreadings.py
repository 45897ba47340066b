"""What the parser could not read, in the reader's words instead of the parser's."""

import re

from lark import Token
from lark.exceptions import UnexpectedInput, UnexpectedToken

from tcptui.language import tr
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
        return FilterError(tr("empty"), tr(EXAMPLES), 0)
    if not isinstance(error, UnexpectedToken):  # no other character fails to begin a token
        return FilterError(tr("a quotation does not end"), tr('close it with "'), error.pos_in_stream or 0)
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
        return FilterError(tr("a parenthesis is not closed"), tr("end it with )"), position)
    problem = tr("something is missing after {before}", before=quoted(before[-1]))
    return FilterError(problem, tr("expected a condition, {examples}", examples=tr(EXAMPLES)), position)


def _missing_value(before: list[str], found: Token | None, position: int) -> FilterError:
    """A word or comparison that lacks what goes behind it."""
    word = next((WORD_BY_TEXT[each] for each in reversed(before) if each in WORD_BY_TEXT), None)
    if found is not None and word is not None and word.kind is Kind.STATE and found.lower() in SIGNS:
        hint = tr("leave the sign out, as in {example}; the opposite of state is exclude", example=word.example)
        problem = tr("{found} cannot follow {before}", found=quoted(found), before=quoted(before[-1]))
        return FilterError(problem, hint, position)
    hint = tr("expected a value")
    if word is not None:
        hint = tr("expected {kind}, as in {example}", kind=tr(word.kind.value), example=word.example)
    after = quoted(before[-1]) if before else tr("the beginning")
    problem = tr("something is missing after {before}", before=after)
    if found is not None:
        problem = tr("{found} cannot follow {before}", found=quoted(found), before=after)
    return FilterError(problem, hint, position)


def _misplaced(found: str, before: str, expected: set[str]) -> tuple[str, str]:
    """Problem and hint for something that cannot stand behind ``before``."""
    shown = quoted(found)
    if found == ")" and before.endswith("("):
        return tr("nothing stands between the parentheses"), tr(EXAMPLES)
    if found == ")" and "$END" in expected:
        return tr("')' closes nothing"), tr("leave it out, or write ( before what it should close")
    if found.lower() in SIGNS:
        return tr("{sign} has nothing to compare", sign=shown), tr("write what: sport = :443, recvq > 0, age > 5m")
    if found.lower() in _JOINTS or found == ")":
        return tr("a condition is missing before {found}", found=shown), tr(EXAMPLES)
    hint = tr("expected a condition, and, or, not; {examples}", examples=tr(EXAMPLES))
    return tr("{found} does not fit here", found=shown), hint
