"""The sampling thread: a fixed cadence, one read in flight."""

import threading
import time
from collections.abc import Callable

from tcptui.errors import InternalError, TcptuiError
from tcptui.model.sample import Sample
from tcptui.sources.base import Source

LARGEST_SHARE = 0.1
"""A sample may take this part of the interval; above it the interval stretches."""


def stretched_interval(interval_s: float, cost_s: float) -> float:
    """The interval in force when a sample costs ``cost_s``."""
    return max(interval_s, cost_s / LARGEST_SHARE)


class Poller:
    """Takes samples in a thread of its own and hands each on."""

    def __init__(
        self,
        source: Source,
        interval_s: float,
        on_sample: Callable[[Sample, float], None],
        on_trouble: Callable[[TcptuiError], None],
    ) -> None:
        """Both callbacks are called in the poller's thread; a sample comes with the interval in force."""
        self._source = source
        self._interval_s = interval_s
        self._on_sample = on_sample
        self._on_trouble = on_trouble
        self._woken = threading.Condition()
        self._stopping = False
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
                cost_s = self._take()
                with self._woken:
                    self._due_s = self._started_s + stretched_interval(self._interval_s, cost_s)
        finally:
            self._source.close()

    def _take(self) -> float:
        """One sample, handed on; what it cost, in seconds."""
        try:
            sample = self._source.sample()
        except TcptuiError as error:
            self._on_trouble(error)
            return 0.0
        except Exception as error:  # noqa: BLE001 - a thread's bug must reach the front end, which ends on it
            self._on_trouble(InternalError.of(error))
            return 0.0
        cost_s = sample.cost.total_ms / 1000
        self._on_sample(sample, stretched_interval(self._interval_s, cost_s))
        return cost_s

    def _wait_until_due(self) -> bool:
        """Whether to go on, when the next sample is due."""
        with self._woken:
            while not self._stopping:
                remaining = self._due_s - time.monotonic()
                if remaining <= 0:
                    self._started_s = time.monotonic()
                    return True
                self._woken.wait(remaining)
            return False
