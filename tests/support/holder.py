"""A process with a name and a user of its own that holds sockets of a namespace."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator

from tests.support.netns import NetworkNamespace

HOLDER = """
import ctypes, encodings.idna, os, socket, struct, sys  # the codec, while files can still be read
name, uid, endpoints = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
sys.stdin.readline()
with open("/proc/self/comm", "w") as comm:
    comm.write(name)
os.setgroups([])
os.setresgid(uid, uid, uid)
os.setresuid(uid, uid, uid)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: as if the user had started it
held = []
for endpoint in endpoints:
    address, _, port = endpoint.rpartition(":")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, int(port)), family=family)
    client = socket.create_connection((address, int(port)))
    held += [listener, client, listener.accept()[0]]
print(os.getpid(), flush=True)
sys.stdin.read()
for each in held:
    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    each.close()
"""
"""Listens on each address and port and connects to itself there as soon as it gets a line; aborts all in the end."""


def _do_nothing(_pid: int) -> None:
    """Leave the process as it was started."""


@contextlib.contextmanager
def holding(
    namespace: NetworkNamespace,
    name: str,
    *endpoints: str,
    uid: int = 0,
    prepare: Callable[[int], object] = _do_nothing,
) -> Iterator[int]:
    """The id of a process called ``name`` that holds a listener and both ends of a connection for each endpoint.

    ``prepare`` is given the id before there is a socket: what a socket inherits is settled when it is made.
    """
    command = namespace.argv(sys.executable, "-c", HOLDER, name, str(uid), *endpoints)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None  # both are pipes
    assert process.stdout is not None
    try:
        prepare(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == f"{process.pid}\n"
        yield process.pid
    finally:
        process.communicate(timeout=60)
