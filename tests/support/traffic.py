"""A busy machine that is well: a server with several ports in one namespace, and its clients in another."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, final

from tests.support.netns import NetworkNamespace

_REPOSITORY = Path(__file__).parents[2]
_DEADLINE_S = 60.0


@final
class TrafficWorker:
    """A child process of ``tests.support.traffic_worker``; it works for the time of the block."""

    def __init__(self, namespace: NetworkNamespace, order: dict[str, Any]) -> None:
        """Nothing is started before the context is entered."""
        argv = [sys.executable, "-m", "tests.support.traffic_worker", str(namespace.path), json.dumps(order)]
        self._argv = argv
        self._process: subprocess.Popen[str] | None = None
        self.done: dict[str, int] = {}
        """What it has done, once it has ended."""

    def __enter__(self) -> "TrafficWorker":
        """Start it; returns when it works."""
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._argv, cwd=_REPOSITORY, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "\n":
            raise RuntimeError(f"a worker of the traffic ended with {self._process.wait(_DEADLINE_S)}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it by ending its input; kill it should it not listen."""
        assert self._process is not None
        try:
            said, _ = self._process.communicate(timeout=_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            said, _ = self._process.communicate()
        self.done = json.loads(said or "{}")


def site(namespace: NetworkNamespace, address: str, ports: Sequence[int], restart_every_s: float) -> TrafficWorker:
    """A server whose ports are shut and opened again one after the other."""
    order = {"address": address, "ports": list(ports), "restart_every_s": restart_every_s}
    return TrafficWorker(namespace, {"serve": order})


def visitors(
    namespace: NetworkNamespace, address: str, ports: Sequence[int], per_s: float, staying: int = 0
) -> TrafficWorker:
    """Its clients: so many short connections a second, and some that stay."""
    order = {"address": address, "ports": list(ports), "per_s": per_s, "staying": staying}
    return TrafficWorker(namespace, {"visit": order})
