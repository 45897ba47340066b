"""What stands around the rows of a text: prompts with commands, ``uname -a``, ``date``, what ``watch`` puts on top."""

import contextlib
import re
from dataclasses import dataclass
from datetime import datetime

from tcptui.model.states import TcpState
from tcptui.sources.pasted.vocabulary import States

_COMMAND = re.compile(
    r"(?:(?P<prompt>.{0,120}?[$#%>])\s*)?(?:(?:sudo|time|timeout \d+|[A-Z_]+=\S*)\s+)*(?:watch\s.{0,60}?)?[\"']?"
    r"(?:ssh\s.{0,80}?)?(?P<command>(?:/\S*/)?(?:busybox\s+)?(?:ss|netstat|cat\s+/proc/\S*net/tcp6?)(?![\w.-]).*)"
)
_PROMPT = re.compile(r"\[?[\w.-]{1,64}@(?P<host>[\w.-]{1,255})[:\s\]~][^$#%]{0,120}[$#%](?:\s|$)")
_WATCH = re.compile(r"Every [\d.,]+s: .*?(?:\s{2,}(?P<host>[\w.-]{1,255}): [A-Z][a-z]{2} .*)?")
_UNAME = re.compile(r"Linux (?P<host>[\w.-]{1,255}) (?P<kernel>\d+\.\d+\S{0,100})(?:\s.*)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)")
_UTC_TIME = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d) (?:UTC|GMT) (\d{4})")
_NEGATION = re.compile(r"\bexclude\b|\bnot\b|![=~]|!\s*/|\bgrep\b[^|]*\s(?:-\w*v|--invert-match)")
_WORD = re.compile(r"[A-Za-z][\w-]*")


@dataclass
class Surroundings:
    """Where and when the text was made, as far as it tells. Owned by who reads it."""

    host: str = ""
    kernel: str = ""
    taken_at: datetime | None = None
    only_state: TcpState | None = None
    """The state that the last command keeps to."""
    counts_local_ends: bool = False
    """Whether the last command counts this machine's addresses and not those of the peers."""

    def take(self, text: str, states: States) -> bool:
        """Learn from a line that is not about a socket; whether there was anything to be learnt."""
        return self._take_command(text, states) or self._take_machine(text) or self._take_time(text)

    def _take_command(self, text: str, states: States) -> bool:
        prompt = _PROMPT.match(text)
        if prompt is not None:
            self.host = prompt["host"]
        match = _COMMAND.fullmatch(text)
        if match is None and prompt is None:
            return False
        command = match["command"] if match is not None else ""
        self.only_state = _state_kept_to(command, states)
        self.counts_local_ends = "netstat" in command and "$4" in command and "$5" not in command
        return True

    def _take_machine(self, text: str) -> bool:
        watched, machine = _WATCH.fullmatch(text), _UNAME.fullmatch(text)
        if watched is not None:
            self.host = watched["host"] or self.host
        if machine is not None:
            self.host, self.kernel = machine["host"], machine["kernel"]
        return watched is not None or machine is not None

    def _take_time(self, text: str) -> bool:
        """A time of which the zone is known too."""
        if _TIME.fullmatch(text):
            with contextlib.suppress(ValueError):
                self.taken_at = _iso_time(text)
                return True
        if _UTC_TIME.fullmatch(text):
            with contextlib.suppress(ValueError):
                words = text.split()
                self.taken_at = datetime.strptime(" ".join((*words[1:4], words[5], "+0000")), "%b %d %H:%M:%S %Y %z")
                return True
        return False


def _iso_time(text: str) -> datetime:
    """A time as ``date -Is`` writes it; Python 3.10 reads neither a bare Z nor an offset without a colon."""
    text = re.sub(r"[.,]\d+", "", text).replace("Z", "+00:00")
    return datetime.fromisoformat(text if text[-3] == ":" else f"{text[:-2]}:{text[-2:]}")


def _state_kept_to(command: str, states: States) -> TcpState | None:
    """The one state that ``ss state …``, ``grep`` or ``awk`` let through; None where there are several, or all."""
    if _NEGATION.search(command):
        return None
    named = {state for word in _WORD.findall(command) if (state := states[word]) is not None}
    return named.pop() if len(named) == 1 else None
