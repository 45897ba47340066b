"""Feeds the parser what no person would type, for as long as wanted: ``python -m tests.query.fuzz SECONDS [SEED]``.

Whatever is not a filter must be refused with a ``FilterError``. Anything else is a crash: the text is printed and the
exit code is 1. Prints what was tried and the slowest refusal.
"""

import random
import string
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tcptui.query.faults import FilterError
from tcptui.query.names import Names
from tcptui.query.parse import LONGEST_FILTER, parse_filter
from tcptui.query.words import FOREIGN_WORDS, STATE_GROUPS, STATE_WORDS, WORDS

NAMES = Names(
    services={"ssh": 22, "https": 443, **{f"service-{number}": number for number in range(1, 300)}},
    hosts={"web-1": ("10.0.0.5", "2001:db8::1"), "zoned": ("fe80::1%eth0",)},
    interfaces={"eth0": 2, "lo": 1, "\x1b[31m": 3},
    users={"root": 0, "www-data": 33},
    saved={
        "web": ":443 or :8080",
        "wrong": "state (",
        "circle": "not @circle",
        "odd": "\x1b[0m",
        "two": "@web @web",
        **{f"f{number}": f"@f{number + 1}|@f{number + 1}" for number in range(12)},
        "f12": ":1 dst 10/8",
        "many": "|".join([":1"] * 1000),
        "deep": "(:1 or " * 60 + ":2" + ")" * 60,
    },
)
TOKENS = (
    *(word.text for word in WORDS),
    *(word.example for word in WORDS),
    *STATE_WORDS.values(),
    *STATE_GROUPS,
    *FOREIGN_WORDS,
    *(f"@{name}" for name in NAMES.saved),
    *("(", ")", "!", "&", "&&", "|", "||", "=", "==", "!=", "<", "<=", ">", ">=", "eq", "neq", "lt", "geq", '"', '""'),
    *(":443", "443", "8000-8100", "0x1bb", "10.1.2.3", "10/8", "[::1]:22", "::1", "fe80::/10", "::ffff:1.2.3.4", "*"),
    *("inet6:*:22", "web-1:443", "zoned", "64k", "5m", "1h30m", "0x1/0x3", "nginx", '"Web Content"', "java*", "eth0"),
    *(
        "\x1b[31m",
        "\u202e",
        "\u200b",
        "ſ",
        "\u212a",
        "٣",
        "İ",
        "\ud800",
        "\x00",
        "\t",
        "\n",
        "\u3000",
        "%",
        "[",
        "]",
        "@",
    ),
)
FILTERS = (
    "dport = :443 and (state established or state time-wait) nginx",
    "not (src 10.0.0.0/8 or dst [2001:db8::]/32:8000-8100) recvq > 64k age > 1h30m",
    'exclude listening process != "Web Content" user www-data @web',
    "fwmark 0x1/0x3 dev eth0 autobound | service nginx.service && cgroup /system.slice",
    "pid 812 timer keepalive retrans >= 2 inode 0 sport ge :1024 !ip web-1:https",
)
LETTERS = string.printable
LONGEST_SHOWN = 160


@dataclass
class Tally:
    """What has been tried."""

    accepted: int = 0
    refused: int = 0
    slowest_refusal_s: float = 0.0
    slowest_refused: str = ""
    slowest_accepted_s: float = 0.0
    by_kind: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, text: str) -> None:
        """Try ``text``."""
        started = time.process_time()
        try:
            parse_filter(text, NAMES)
        except FilterError as error:
            spent = time.process_time() - started
            self.refused += 1
            if spent > self.slowest_refusal_s:
                self.slowest_refusal_s, self.slowest_refused = spent, text
            if not (str(error).isprintable() and 0 <= error.position <= max(len(text), LONGEST_FILTER)):
                raise ValueError(f"not a printable line with a place: {error!r}, {error.position}") from error
        else:
            self.accepted += 1
            self.slowest_accepted_s = max(self.slowest_accepted_s, time.process_time() - started)
        self.by_kind[kind] = self.by_kind.get(kind, 0) + 1


def random_bytes(dice: random.Random) -> bytes:
    """Of any length up to the longest."""
    return dice.randbytes(min(int(dice.expovariate(1 / 60)), LONGEST_FILTER))


def latin(dice: random.Random) -> str:
    """Random bytes, each a character."""
    return random_bytes(dice).decode("latin-1")


def escaped(dice: random.Random) -> str:
    """Random bytes as a command line comes in."""
    return random_bytes(dice).decode("utf-8", "surrogateescape")


def replaced(dice: random.Random) -> str:
    """Random bytes as a file comes in."""
    return random_bytes(dice).decode("utf-8", "replace")


def printable_letters(dice: random.Random) -> str:
    """What a keyboard has."""
    return "".join(dice.choices(LETTERS, k=dice.randint(0, 40)))


def words(dice: random.Random) -> str:
    """Words of the language in any order."""
    return dice.choice((" ", "", " ")).join(dice.choices(TOKENS, k=dice.randint(1, 16)))


def with_slips(dice: random.Random) -> str:
    """A filter with some characters or words dropped, doubled, swapped or put in."""
    text = dice.choice(FILTERS)
    for _ in range(dice.randint(1, 4)):
        parts = list(text) if dice.random() < 0.6 else text.split(" ")
        glue = "" if len(parts) == len(text) else " "
        at, other = dice.randrange(len(parts) or 1), dice.choice((*TOKENS, *LETTERS))
        text = glue.join(dice.choice(_SLIPS)(parts, at, other))
    return text


_SLIPS: tuple[Callable[[list[str], int, str], list[str]], ...] = (
    lambda parts, at, _other: parts[:at] + parts[at + 1 :],
    lambda parts, at, _other: parts[: at + 1] + parts[at:],
    lambda parts, at, _other: parts[:at] + parts[at + 1 : at + 2] + parts[at : at + 1] + parts[at + 2 :],
    lambda parts, at, other: [*parts[:at], other, *parts[at:]],
)


def quoted_value(dice: random.Random) -> str:
    """Any letters behind a word that takes a value."""
    letters = "".join(chr(dice.choice((dice.randrange(0x300), dice.randrange(0x110000)))) for _ in range(4))
    digits = "".join(dice.choices("0123456789.:/-kmsh", k=dice.randint(0, 6)))
    value = f'"{digits}{letters}"'.replace("\n", "")
    return f"{dice.choice(WORDS).text} {dice.choice(('', '=', '!=', '<', '>='))} {value}"


def longest(dice: random.Random) -> str:
    """As long as a filter may be, of few different parts."""
    parts = dice.choices(TOKENS + tuple('()!|:[]a0" '), k=dice.randint(1, 3))
    text = dice.choice(("", " ", "|")).join(parts) or "x"
    full = (text + dice.choice(("", " ", "|", "&"))) * LONGEST_FILTER
    return full[: LONGEST_FILTER - dice.choice((0, 0, 1, 7)) + dice.choice((0, 0, 0, 1))]


KINDS = (latin, escaped, replaced, printable_letters, words, with_slips, quoted_value, words, with_slips)


def main(seconds: float, seed: int) -> int:
    """Try until the time is over; the exit code."""
    dice = random.Random(seed)
    tally = Tally()
    parse_filter(":1", NAMES)  # reads the grammar
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        kind = longest if count % 25 == 0 else dice.choice(KINDS)
        count += 1
        text = kind(dice)
        try:
            tally.add(kind.__name__, text)
        except Exception as error:  # noqa: BLE001 - any other exception is what is looked for
            print(f"seed {seed}, {kind.__name__}: {type(error).__name__}: {error}\n{text!a}")
            return 1
    print(f"seed {seed}: {tally.accepted:,} accepted, {tally.refused:,} refused, no crash")
    print(", ".join(f"{kind} {number:,}" for kind, number in sorted(tally.by_kind.items())))
    print(f"slowest accepted: {tally.slowest_accepted_s * 1000:.1f} ms")
    text = tally.slowest_refused
    shown = ascii(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")
    print(f"slowest refusal: {tally.slowest_refusal_s * 1000:.1f} ms, {len(text):,} characters: {shown}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m tests.query.fuzz SECONDS [SEED]")
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)))
