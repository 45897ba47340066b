"""An account of every line of a text: what it was taken for. The numbers add up to the lines of the text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType


class Kind(IntEnum):
    """What a line was taken for."""

    ROW = 0
    """A TCP socket."""
    COUNT = 1
    """A number of sockets."""
    DETAIL = 2
    """More about the socket above it."""
    HEADING = 3
    """What stands around rows: titles, prompts, remarks, blank lines."""
    OTHER_PROTOCOL = 4
    """A socket that is not TCP, or more about one."""
    STATELESS = 5
    """A TCP socket, or a number of them, in a state that the text does not tell."""
    UNREAD = 6
    """Anything else."""


@dataclass
class Ledger:
    """How many lines of a text there are of each kind. Owned by who reads the text, until that is done."""

    numbers: list[int] = field(default_factory=lambda: [0] * len(Kind))
    """By kind."""
    first: list[int] = field(default_factory=lambda: [0] * len(Kind))
    """By kind the number of the first line, counted from 1; 0 where there is none."""
    escapes: int = 0
    """Lines with escape sequences in them, whatever they were taken for."""
    first_escape: int = 0

    @property
    def lines(self) -> int:
        """All of them."""
        return sum(self.numbers)

    def book(self, kind: Kind, line: int) -> None:
        """Enter the line with that number."""
        self.numbers[kind] += 1
        if not self.first[kind]:
            self.first[kind] = line

    def rebook(self, before: Kind, after: Kind, number: int, line: int) -> None:
        """Take so many lines, from ``line`` on, for something else than before."""
        if number:
            self.numbers[before] -= number
            self.numbers[after] += number
            self.first[after] = min(line, self.first[after] or line)

    @property
    def summary(self) -> Mapping[str, int]:
        """The numbers by name, for programs."""
        return MappingProxyType({kind.name.lower(): self.numbers[kind] for kind in Kind})
