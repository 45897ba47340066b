"""An account of every line of a text: what it was taken for. The numbers add up to the lines of the text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class Kind(Enum):
    """What a line was taken for."""

    ROW = "row"
    """A TCP socket."""
    COUNT = "count"
    """A number of sockets."""
    DETAIL = "detail"
    """More about the socket above it."""
    HEADING = "heading"
    """What stands around rows: titles, prompts, remarks, blank lines."""
    OTHER_PROTOCOL = "other_protocol"
    """A socket that is not TCP, or more about one."""
    STATELESS = "stateless"
    """A TCP socket, or a number of them, in a state that the text does not tell."""
    UNREAD = "unread"
    """Anything else."""


@dataclass
class Ledger:
    """How many lines of a text there are of each kind. Owned by who reads the text, until that is done."""

    numbers: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    first: dict[Kind, int] = field(default_factory=dict)
    """The number of the first line of each kind that there is, counted from 1."""
    escapes: int = 0
    """Lines with escape sequences in them, whatever they were taken for."""
    first_escape: int = 0

    @property
    def lines(self) -> int:
        """All of them."""
        return sum(self.numbers.values())

    def book(self, kind: Kind, line: int) -> None:
        """Enter the line with that number."""
        self.numbers[kind] += 1
        self.first.setdefault(kind, line)

    def rebook(self, before: Kind, after: Kind, number: int, line: int) -> None:
        """Take so many lines, from ``line`` on, for something else than before."""
        if number:
            self.numbers[before] -= number
            self.numbers[after] += number
            self.first[after] = min(line, self.first.get(after, line))

    @property
    def summary(self) -> Mapping[str, int]:
        """The numbers by name, for programs."""
        return MappingProxyType({kind.value: number for kind, number in self.numbers.items()})
