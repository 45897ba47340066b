"""Live parameter values next to what stands in for them where they are missing.

May not read /proc/sys: the caller hands the values in.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property

from tcptui.explain.bounds import Values
from tcptui.explain.entries import DefaultRule, ParameterEntry
from tcptui.explain.labels import Labels
from tcptui.text import printable

_EHASH_ENTRIES = "net.ipv4.tcp_ehash_entries"
_CONNTRACK_BUCKETS = "net.netfilter.nf_conntrack_buckets"


class LiveValues:
    """The values of one machine, and the kernel's defaults behind them.

    A name that is missing from ``live`` counts as absent from the kernel if any other was read, and then behaves as
    the entry says a kernel without it does. If nothing was read at all, every default is assumed.
    """

    def __init__(
        self, live: Mapping[str, str], parameters: Mapping[str, ParameterEntry], *, was_read: bool = False
    ) -> None:
        self._live = live
        self._parameters = parameters
        self._was_read = was_read or bool(live)

    def live(self, name: str) -> str | None:
        """What the kernel says, made printable; None if it says nothing."""
        text = self._live.get(name)
        if text is None or (not text.strip() and self._parameters[name].default != ""):
            return None
        return printable(" ".join(text.split()))

    def default(self, name: str) -> str | None:
        """The default in the kernel's form, if it is fixed or can be computed from other live values."""
        entry = self._parameters[name]
        return self._computed(entry.default_rule) if entry.default_rule else entry.default

    def differs(self, name: str) -> bool | None:
        """Whether the live value is not the default; None if either is unknown."""
        live, default = self.live(name), self.default(name)
        return None if live is None or default is None else live != default

    def effective(self, name: str) -> str | None:
        """The live value, or what the kernel does without it, or the default."""
        live, absent = self.live(name), self._parameters[name].absent
        if live is not None:
            return live
        return absent if absent is not None and self._was_read else self.default(name)

    def assumed(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of ``names`` for which the default stands in because nothing could be read."""
        return tuple(
            name
            for name in names
            if self.live(name) is None and not (self._was_read and self._parameters[name].absent is not None)
        )

    @cached_property
    def numbers(self) -> Values:
        """The effective values, for the laws."""
        texts = ((name, self.effective(name)) for name in self._parameters)
        return Values({name: text for name, text in texts if text is not None})

    def why_missing(self, name: str, labels: Labels) -> str:
        """Why there is no live value of ``name``; empty if there is one."""
        entry = self._parameters[name]
        if self.live(name) is not None:
            return ""
        if entry.removed:
            return labels.absent_removed.format(version=entry.removed)
        if not self._was_read:
            return labels.not_read
        if entry.module:
            return labels.absent_module.format(module=entry.module)
        if entry.since:
            return labels.absent_since.format(version=entry.since)
        if entry.since_about:
            return labels.absent_since_about.format(version=entry.since_about)
        return labels.absent_machine if entry.scope == "machine" else labels.absent_other

    def _computed(self, rule: DefaultRule) -> str | None:
        """A default that the kernel derives at boot; a child namespace shows the shared table's size as negative."""
        source = self._live.get(_CONNTRACK_BUCKETS if rule == "conntrack_buckets" else _EHASH_ENTRIES, "").strip()
        try:
            size = abs(int(source))
        except ValueError:
            return None
        if rule == "conntrack_buckets":
            return str(size)
        return str(size // 2 if rule == "half_of_hash" else max(128, size // 128))
