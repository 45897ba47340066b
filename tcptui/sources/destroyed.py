"""The connections that end between two samples."""

from collections.abc import Iterable

from tcptui.errors import SourceError
from tcptui.kernel.destroyed import PAUSE_S, DestroyCollector, DestroyEvents, Taken
from tcptui.language import tr
from tcptui.model.sample import Degradation, Destroyed
from tcptui.sources.tables import rows_of_destroyed


class DestroyedSockets:
    """What the kernel tells of the sockets it frees, from the namespaces that are open here.

    It makes the kernel work for every socket that is closed: for a source of which several samples are taken. Make it
    outside of the namespaces that it is to listen to (``DestroyCollector``).
    """

    def __init__(self, families: Iterable[int] = (4, 6)) -> None:
        """Listen to no namespace yet; where that is not possible at all, ``take`` says so."""
        self._families = tuple(families)
        self._open: set[int] = set()
        self._refusals: dict[int, str] = {}
        """Reasons by namespace."""
        self._collector: DestroyCollector | None = None
        self._missing = ""
        try:
            self._collector = DestroyCollector()
        except SourceError as error:
            self._missing = error.message

    def open(self, netns: int) -> None:
        """Listen to the namespace of the calling thread, which has the index ``netns``."""
        if self._collector is None:
            self._refusals[netns] = self._missing
            return
        try:
            self._collector.add(DestroyEvents(self._families), netns)
        except SourceError as error:
            self._refusals[netns] = error.message
        else:
            self._open.add(netns)

    def drop(self, netns: int) -> None:
        """Listen to the namespace with index ``netns`` no more; what it told since the last take is still to be had."""
        self._refusals.pop(netns, None)
        if self._collector is not None and netns in self._open:
            self._open.remove(netns)
            self._collector.remove(netns)

    def close(self) -> None:
        """Listen no more."""
        if self._collector is not None:
            self._collector.close()

    @property
    def has_room(self) -> bool:
        """Whether nothing will be lost soon, if it is not taken."""
        return self._collector is None or self._collector.has_room

    def take(self, now_s: float, trouble: list[Degradation]) -> Destroyed | None:
        """What was freed since the last take; None where no namespace tells. Take it before the table is dumped.

        Args:
            now_s: monotonic time.
            trouble: what is not known, and why, is added to it.
        """
        trouble += self._refused()
        if self._collector is None:
            return None
        taken = self._collector.take(now_s)
        trouble += trouble_of(taken)
        if not len(taken.messages) and (taken.paused or not self._open):
            return None
        rows = rows_of_destroyed(taken.messages, taken.netns)
        is_complete = not (taken.lost or taken.overflowed or taken.paused or self._refusals)
        return Destroyed(rows, is_complete=is_complete)

    def _refused(self) -> list[Degradation]:
        """One for all namespaces: they refuse for the same reason."""
        if not self._refusals:
            return []
        refusal = next(iter(self._refusals.values()))
        reason = tr("{refusal}, so connections shorter than the interval are not counted", refusal=refusal)
        if self._open:
            reason = tr(
                "{refusal}, so connections shorter than the interval are not counted in {count} network namespaces",
                refusal=refusal,
                count=len(self._refusals),
            )
        return [Degradation("destroyed.unavailable", reason, tr("allow NETLINK_SOCK_DIAG for this process"))]


def trouble_of(taken: Taken) -> list[Degradation]:
    """What is missing from ``taken``."""
    trouble = []
    if taken.paused:
        reason = tr(
            "too many sockets are closed to listen to all, "
            "so for {time:.0f} s connections shorter than the interval are not counted",
            time=PAUSE_S,
        )
        hint = tr("the rates of ActiveOpens and PassiveOpens have them")
        trouble.append(Degradation("destroyed.paused", reason, hint))
    if taken.lost:
        reason = tr("{count} of the connections that ended since the last sample found no room", count=taken.lost)
        trouble.append(Degradation("destroyed.lost", reason, tr("take samples more often")))
    if taken.overflowed:
        reason = tr("more connections ended at once than the kernel could queue for us, so some are not counted")
        trouble.append(Degradation("destroyed.lost", reason, tr("run as root, or raise net.core.rmem_max")))
    return trouble
