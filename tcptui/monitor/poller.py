"""The sampling thread: a fixed cadence, one read in flight; between the samples it looks for who holds the sockets.

If somebody wants to know, it then glances at the listeners until the next sample is due: accept queues fill and empty
within milliseconds.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from tcptui.errors import InternalError, TcptuiError
from tcptui.model.sample import Destroyed, Sample, Whereabouts, destroyed_together
from tcptui.query.request import EVERYTHING_PLAIN, GLANCE, Request
from tcptui.sources.base import Source

LARGEST_SHARE = 0.1
"""A sample may take this part of the interval; above it the interval stretches."""


LOOKING_SHARE = 0.1
"""Part of the interval that may go into looking for the holders of new sockets."""
LONGEST_LOOK_S = 0.25
FIRST_LOOK_S = 0.05
"""As long as there are processes that were never looked at: so long at a time, with rests as long between."""

GLANCE_EVERY_S = 0.2
"""Time between two glances at the listeners, and between one and a sample."""
GLANCE_SHARE = 0.003
"""Of the time that may go into glances: where one costs more than 0.6 ms, they are fewer."""


def look_budget(interval_s: float) -> float:
    """How long to look after a sample at most, in seconds."""
    return min(interval_s * LOOKING_SHARE, LONGEST_LOOK_S)


def stretched_interval(interval_s: float, cost_s: float) -> float:
    """The interval in force when a sample costs ``cost_s``."""
    return max(interval_s, cost_s / LARGEST_SHARE)


class Poller:
    """Takes samples in a thread of its own and hands each on."""

    def __init__(
        self,
        source: Source,
        interval_s: float,
        on_sample: Callable[[Sample, Request, float], None],
        on_trouble: Callable[[TcptuiError], None],
        request: Request = EVERYTHING_PLAIN,
        on_look: Callable[[Whereabouts | None, float], None] = lambda _whereabouts, _spent_s: None,
        on_glance: Callable[[Sample], None] | None = None,
    ) -> None:
        """All callbacks are called in the poller's thread.

        A sample comes with the request that it was taken for and with the interval in force; what is known of the
        holders of sockets, with what the look for it has cost in seconds: None where the source does not look. Without
        ``on_glance`` there are no glances.
        """
        self._source = source
        self._interval_s = interval_s
        self._on_sample = on_sample
        self._on_trouble = on_trouble
        self._on_look = on_look
        self._on_glance = on_glance
        self._freed: Destroyed | None = None
        """What glances were told of sockets that the kernel has freed since the last sample."""
        self._request = request
        self._woken = threading.Condition()
        self._stopping = False
        self._is_asked_for = False
        self._is_still = False
        """Whether there is nothing newer than the last sample, which is taken again only if it is asked for."""
        self._started_s = self._due_s = 0.0
        self._thread = threading.Thread(target=self._run, name="tcptui-poller", daemon=True)

    def start(self) -> None:
        """Take the first sample at once, then one an interval."""
        self._thread.start()

    def set_interval(self, interval_s: float) -> None:
        """Take the next sample ``interval_s`` after the last."""
        with self._woken:
            self._interval_s = interval_s
            self._due_s = self._started_s + interval_s
            self._woken.notify()

    def set_request(self, request: Request, *, at_once: bool) -> None:
        """Take the samples to come for ``request``; the next one now rather than when it is due, if ``at_once``.

        One that is already asked for, or being read, for the same request is not asked for again. What the last
        sample cost, and has stretched the interval, says nothing of another request.
        """
        with self._woken:
            if request != self._request:
                self._request = request
                self._is_asked_for |= at_once
                self._due_s = min(self._due_s, self._started_s + self._interval_s)
                self._woken.notify()

    def stop(self) -> None:
        """End the thread and close the source; waits for a read in flight."""
        with self._woken:
            self._stopping = True
            self._woken.notify()
        if self._thread.ident is None:
            self._source.close()
        else:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            while self._wait_until_due():
                sample = self._take()
                cost_s = sample.cost.total_ms / 1000 if sample is not None else 0.0
                with self._woken:
                    self._due_s = self._started_s + stretched_interval(self._interval_s, cost_s)
                if sample is not None:
                    self._look(sample)
                    if self._on_glance is not None and not self._is_still and "backlog" not in sample.absent_fields:
                        self._glance(self._on_glance)
        finally:
            self._source.close()

    def _take(self) -> Sample | None:
        """One sample, handed on; None where there is none."""
        request = self._request
        try:
            sample = self._source.sample(request)
        except TcptuiError as error:
            self._on_trouble(error)
            return None
        except Exception as error:  # noqa: BLE001 - a thread's bug must reach the front end, which ends on it
            self._on_trouble(InternalError.of(error))
            return None
        if self._freed is not None:
            sample = replace(sample, destroyed=destroyed_together(self._freed, sample.destroyed))
            self._freed = None
        self._is_still = sample.origin.is_still
        cost_s = sample.cost.total_ms / 1000
        self._on_sample(sample, request, stretched_interval(self._interval_s, cost_s))
        return sample

    def _look(self, sample: Sample) -> None:
        """Find out who holds the sample's sockets: in steps with rests between as long as processes are all new."""
        budget_s = look_budget(self._interval_s)
        while True:
            started_s = time.monotonic()
            try:
                whereabouts = self._source.look(sample.table.rows, budget_s)
            except Exception as error:  # noqa: BLE001 - a thread's bug must reach the front end, which ends on it
                self._on_trouble(InternalError.of(error))
                return
            spent_s = time.monotonic() - started_s
            self._on_look(whereabouts, spent_s)
            if whereabouts is None or whereabouts.owners.looked_at >= 1 or not self._rest(max(spent_s, FIRST_LOOK_S)):
                return
            budget_s = FIRST_LOOK_S

    def _glance(self, on_glance: Callable[[Sample], None]) -> None:
        """Look at the listeners alone, again and again until a sample is due or asked for."""
        pause_s = GLANCE_EVERY_S
        while self._rest(pause_s):
            started_s = time.monotonic()
            try:
                sample = self._source.sample(GLANCE)
            except TcptuiError:  # the next sample tells
                return
            except Exception as error:  # noqa: BLE001 - a thread's bug must reach the front end, which ends on it
                self._on_trouble(InternalError.of(error))
                return
            if sample.destroyed is not None:
                self._freed = destroyed_together(self._freed, sample.destroyed) if self._freed else sample.destroyed
            on_glance(sample)
            pause_s = max(GLANCE_EVERY_S, (time.monotonic() - started_s) / GLANCE_SHARE)

    def _rest(self, seconds: float) -> bool:
        """Whether that went by without a sample being due or asked for."""
        until_s = time.monotonic() + seconds
        with self._woken:
            while not (self._stopping or self._is_asked_for or self._due_s <= until_s):
                left_s = until_s - time.monotonic()
                if left_s <= 0:
                    return True
                self._woken.wait(left_s)
            return False

    def _wait_until_due(self) -> bool:
        """Whether to go on, when the next sample is due."""
        with self._woken:
            while not self._stopping:
                remaining = None if self._is_still else self._due_s - time.monotonic()
                if self._is_asked_for or (remaining is not None and remaining <= 0):
                    self._is_asked_for = False
                    self._started_s = time.monotonic()
                    return True
                self._woken.wait(remaining)
            return False
