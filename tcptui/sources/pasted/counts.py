"""Lines that count: ``TIME_WAIT 5002``, ``462 CLOSE_WAIT``, ``101 LAST_ACK 220.160.210.6``, ``101 220.160.210.6``.

A text may count the same sockets several times: by state, by state and peer, and list some of them besides. So counts
are taken to be of one moment, and never added to what they include: of 5,081 in LAST_ACK, 101 have the peer that is
counted 101 times, and seven of those the ports of seven rows. Where a list of counts comes again, the last one counts.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import factorize_column
from tcptui.errors import RequestError
from tcptui.language import tr
from tcptui.model.address import UNTOLD_ADDRESS
from tcptui.model.states import STATE_COUNT, TcpState
from tcptui.model.table import ROW, Rows
from tcptui.sources.pasted import facets
from tcptui.sources.pasted.endpoints import UNTOLD_PORT, Endpoint, Endpoints
from tcptui.sources.pasted.vocabulary import TCP, States

MOST_COUNTED = 4_000_000
"""Sockets that counts may come to: each becomes a row of 95 bytes, so that all views and filters hold for it."""

_NUMBER = re.compile(r"\d{1,9}|\d{1,3}(?:,\d{3}){1,2}")
_BEHIND_WORD = ":=,;|"
_IPV4_LIKE = re.compile(r"[\dxX*]{1,3}(?:\.[\dxX*]{1,3}){3}(?::(?:\d{1,5}|\*))?")
"""An IPv4 address, perhaps with parts of it made unknown before it was shown to others."""
_NAME_LIKE = re.compile(r"(?=.*[.:*\d])(?=.*[A-Za-z.:])[\w.%*:\[\]-]{1,255}")
_MOST_WORDS = 4


class Count(NamedTuple):
    """What one line counts."""

    number: int
    state: TcpState | None
    """None where only who reads the text knows it."""
    end: Endpoint | None
    """None where states alone are counted."""


def read_count(words: list[str], states: States, endpoints: Endpoints) -> Count | None:
    """The count that a line's words are; None where they are none."""
    if len(words) == 1 and "=" in words[0]:
        words = words[0].split("=")
    number: int | None = None
    state: TcpState | None = None
    others: list[str] = []
    for word in (each.rstrip(_BEHIND_WORD) for each in words[: _MOST_WORDS + 1]):
        named = states[word]
        if named is not None and state is None:
            state = named
        elif number is None and _NUMBER.fullmatch(word):
            number = int(word.replace(",", ""))
        elif word and word not in TCP:
            others.append(word)
    if number is None or len(others) > 1 or (state is None and not others):
        return None
    if not others:
        return Count(number, state, None)
    end = _end(others[0], endpoints, is_sure=state is not None)
    return Count(number, state, end) if end is not None and number else None


def _end(word: str, endpoints: Endpoints, *, is_sure: bool) -> Endpoint | None:
    """The peer that a word is; without a state beside it, only what looks like an address."""
    is_ipv4 = _IPV4_LIKE.fullmatch(word) is not None
    if not is_ipv4 and not (_NAME_LIKE.fullmatch(word) and (is_sure or word.count(":") > 1)):
        return None
    try:
        if is_ipv4 and ":" in word:
            return endpoints.read(word)
        hi, lo, family = endpoints.address(word)
    except ValueError:
        return None
    if not is_sure and not is_ipv4 and not family:
        return None
    return hi, lo, family, UNTOLD_PORT


@dataclass
class Counts:
    """The counts of a text, as they come."""

    by_state: dict[TcpState, int] = field(default_factory=dict)
    by_end: dict[tuple[TcpState, bool, Endpoint], int] = field(default_factory=dict)
    """By state, whether it is this machine's end, and that end."""
    repeated: int = 0
    """Lists that a later one took the place of."""
    _list_of: dict[tuple[TcpState, bool, Endpoint], int] = field(default_factory=dict)
    _list: int = 0

    def begin_list(self) -> None:
        """What comes is another list of counts, if it counts the same things again."""
        self._list += 1

    def add(self, count: Count, state: TcpState, *, is_local: bool) -> None:
        """Take a line's count."""
        if count.end is None:
            if state in self.by_state:
                self.by_state = {}
                self.repeated += 1
            self.by_state[state] = count.number
            return
        key = (state, is_local, count.end)
        if key in self.by_end and self._list_of[key] != self._list:
            self.by_end = {key: number for key, number in self.by_end.items() if self._list_of[key] == self._list}
            self.repeated += 1
        self._list_of[key] = self._list
        self.by_end[key] = self.by_end.get(key, 0) + count.number

    def rows_beyond(self, rows: Rows) -> tuple[Rows, NDArray[np.uint16]]:
        """A row for each socket that is counted and not among ``rows``, and what is known of each.

        Raises:
            RequestError: they are too many to be believed.
        """
        missing = dict(self.by_state)
        listed = np.bincount(rows["state"], minlength=STATE_COUNT)
        for state in missing:
            missing[state] -= int(listed[state])
        tallies: dict[tuple[str, bool], Counter[tuple[int, ...]]] = {}
        templates, numbers, told = [], [], []
        for (state, is_local, end), counted in self.by_end.items():
            side = "local" if is_local else "remote"
            hi, lo, _, port = end
            has_port = port != UNTOLD_PORT
            if (side, has_port) not in tallies:
                tallies[side, has_port] = _tally(rows, side, with_port=has_port)
            at = (int(state), hi, lo, port) if has_port else (int(state), hi, lo)
            number = max(counted - tallies[side, has_port][at], 0)
            templates.append(_template(state, side, end))
            numbers.append(number)
            told.append(_told(side, end))
            if state in missing:
                missing[state] -= number
        templates += [_template(state) for state in missing]
        numbers += [max(number, 0) for number in missing.values()]
        told += [0] * len(missing)
        if sum(numbers) > MOST_COUNTED:
            problem = tr("the text counts {count:,} sockets", count=sum(numbers))
            raise RequestError(problem, tr("up to {most:,} are taken from counts", most=MOST_COUNTED))
        return np.repeat(np.array(templates, ROW), numbers), np.repeat(np.array(told, np.uint16), numbers)


def _tally(rows: Rows, side: str, *, with_port: bool) -> Counter[tuple[int, ...]]:
    """How many rows there are in each state with each address, or address and port, at one end."""
    names = ("state", f"{side}_hi", f"{side}_lo", *([f"{side}_port"] if with_port else ()))
    keys, codes = factorize_column(tuple(rows[name] for name in names))
    numbers = np.bincount(codes, minlength=len(keys[0])).tolist()
    return Counter(dict(zip(zip(*(key.tolist() for key in keys), strict=True), numbers, strict=True)))


def _template(state: TcpState, side: str = "", end: Endpoint | None = None) -> tuple[int, ...]:
    """The values of a row that is known by no more than that."""
    values = dict.fromkeys(ROW.names or (), 0) | {"state": int(state)}
    for name in ("local", "remote"):
        values[f"{name}_hi"], values[f"{name}_lo"] = UNTOLD_ADDRESS
    if end is not None:
        hi, lo, family, port = end
        values |= {f"{side}_hi": hi, f"{side}_lo": lo, f"{side}_port": max(port, 0), "family": family}
    return tuple(values.values())


def _told(side: str, end: Endpoint) -> int:
    address, port = _FACETS[side]
    return address if end[3] == UNTOLD_PORT else address | port


_FACETS = {
    "local": (facets.LOCAL_ADDRESS, facets.LOCAL_PORT),
    "remote": (facets.REMOTE_ADDRESS, facets.REMOTE_PORT),
}
