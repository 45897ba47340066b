"""What is wrong with a filter, where, and what to type instead."""

from __future__ import annotations

import difflib
import functools
import itertools
import re
from collections.abc import Iterable

from tcptui.errors import RequestError
from tcptui.language import mark, tr
from tcptui.query.words import FOREIGN_WORDS, STATE_GROUPS, STATE_WORDS, WORD_BY_TEXT, Kind
from tcptui.text import cell_count, printable

EXAMPLES = mark("try :443, 10.0.0.0/8, nginx, state time-wait")
ONE_AT_A_TIME = mark("write one at a time with or between them: :443 or :80")

_NUMBERS = mark("write :443, 8000-8100, 10.1.2.3 or 10.0.0.0/8")

_EXCERPT_BEFORE = 40
_EXCERPT_LENGTH = 72
_LONGEST_QUOTATION = 32
_LIKELY, _SURE = 0.6, 0.8
"""How like a known word an unknown one must be to be offered it, and to be refused because of it."""
_SHORTEST_SLIP = 5
"""Characters; shorter words such as node (inode) are refused only if they begin a known one or swap its letters."""
_MOST_COMPARED = 2000
"""Comparing takes 2 us a name; a directory of users can have a hundred thousand."""


class FilterError(RequestError):
    """A filter that cannot be understood."""

    def __init__(self, problem: str, hint: str, position: int) -> None:
        problem, hint = printable(problem), printable(hint)  # names of this machine may be in them
        super().__init__(tr("filter, column {column}: {problem}", column=position + 1, problem=problem), hint)
        self.problem = problem
        self.position = position
        """Index of the character where it goes wrong; the length of the filter if its end is missing."""

    @property
    def column(self) -> int:
        """Where it goes wrong, from 1."""
        return self.position + 1

    def located_in(self, text: str) -> FilterError:
        """The same with the line and a caret under the place, for where the text is not in sight."""
        self.excerpt = excerpt(text, self.position) if text.strip() else ()
        return self


class SavedFilterError(FilterError):
    """A saved filter that cannot be taken in."""


def excerpt(text: str, position: int) -> tuple[str, ...]:
    """The part of ``text`` around ``position``, and a line with a caret under it."""
    flat = _on_one_line(text)
    position = len(_on_one_line(text[:position]))
    start = max(position - _EXCERPT_BEFORE, 0) if len(flat) > _EXCERPT_LENGTH else 0
    part = flat[start : start + _EXCERPT_LENGTH]
    lead, tail = "…" if start else "", "…" if start + _EXCERPT_LENGTH < len(flat) else ""
    return (f"{lead}{part}{tail}", " " * cell_count(lead + flat[start:position]) + "^")


def _on_one_line(text: str) -> str:
    return printable(re.sub(r"\s", " ", text, flags=re.ASCII))


def quoted(text: str) -> str:
    """``text`` from outside for a message: short, printable, in quotes."""
    shown = printable(text)
    return f"'{shown if len(shown) <= _LONGEST_QUOTATION else shown[:_LONGEST_QUOTATION] + '…'}'"


def nearest(text: str, known: Iterable[str]) -> str:
    """Which of ``known`` was probably meant by ``text``: what begins so, or differs in a letter or two; or nothing."""
    return tr(" or ").join(_nearest(text, known, _LIKELY))


def _nearest(text: str, known: Iterable[str], likeness: float) -> tuple[str, ...]:
    by_folded = {_folded(each): each for each in itertools.islice(known, _MOST_COMPARED)}
    folded = _folded(text)
    found = [each for each in by_folded if folded and each.startswith(folded)][:2]
    found = found or [each for each in by_folded if sorted(each) == sorted(folded)]
    found = found or difflib.get_close_matches(folded, by_folded, n=1, cutoff=likeness)
    return tuple(by_folded[each] for each in found)


def _folded(text: str) -> str:
    return text.lower().replace("-", "").replace("_", "")


def did_you_mean(meant: str) -> str:
    """The hint that names what was probably meant, as ``nearest`` gives it."""
    return tr("did you mean {meant}?", meant=meant)


def unlike_a_process(word: str) -> tuple[str, str] | None:
    """Problem and hint for a bare word that is more likely a slip than a process's name; None for any other."""
    folded = word.lower()
    shown = quoted(word)
    known = WORD_BY_TEXT.get(folded)
    if known is not None:
        return (
            (tr("a condition is missing before {found}", found=shown), tr(EXAMPLES))
            if known.kind is Kind.JOINT
            else (tr("{word} needs something behind it", word=shown), tr("write {example}", example=known.example))
        )
    if folded in STATE_GROUPS:
        return tr("{word} is a group of states", word=shown), tr("write {example}", example=f"state {folded}")
    if folded in FOREIGN_WORDS:
        return tr("{word} is no word of this language", word=shown), tr(FOREIGN_WORDS[folded])
    if word.startswith("-"):
        return tr("{word} is an option", word=shown), tr("write it before the filter, or leave it out")
    if not any(map(str.isalpha, word)) and word.strip("*?"):
        hint = ONE_AT_A_TIME if "," in word else _NUMBERS
        return tr("{word} is no port and no address", word=shown), tr(hint)
    meant = _slip_of(word)
    if not meant:
        return None
    hint = tr(
        "did you mean {meant}? For a process of that name write process {name}",
        meant=tr(" or ").join(meant),
        name=printable(word)[:_LONGEST_QUOTATION],
    )
    return tr("{word} is no word of this language", word=shown), hint


@functools.lru_cache(maxsize=256)
def _slip_of(word: str) -> tuple[str, ...]:
    """The words of the language that ``word`` is so like that it is refused because of it."""
    return _nearest(word, (*WORD_BY_TEXT, *STATE_WORDS.values(), "listen"), _SURE if len(word) >= _SHORTEST_SLIP else 1)


def unknown_state(word: str) -> tuple[str, str]:
    """Problem and hint for what stands where a state must."""
    if word.lower() in ("not", "!"):
        return (
            tr("'not' goes before the whole condition"),
            tr("write exclude established, or not state established"),
        )
    if _folded(word) == "boundinactive":
        return (
            tr("bound-inactive is no TCP state"),
            tr("such sockets have no connection yet and are not listed here"),
        )
    meant = nearest(word, [*STATE_WORDS.values(), *STATE_GROUPS])
    groups = tr("write one such as time-wait, or connected, synchronized, big, bucket")
    return tr("unknown state {word}", word=quoted(word)), did_you_mean(meant) if meant else groups
