"""Sockets that this process holds and no table shows: real ones, as far as /proc tells of them."""

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from tcptui.kernel.namespaces import own_namespace
from tcptui.model.owners import Descriptors, Owners, Process, owners_of
from tcptui.model.table import ROW
from tcptui.sources.leaks import LEAST, LeakFinder
from tcptui.sources.whereabouts import LEAKS_EVERY_S, WhereaboutsFinder

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")

SELF = Process(os.getpid(), 1, "pytest")
NO_ROWS = np.zeros(0, ROW)


@contextlib.contextmanager
def reset_sockets(count: int, family: socket.AddressFamily = socket.AF_INET) -> Iterator[list[socket.socket]]:
    """Connections of this process that their other end has reset."""
    with contextlib.ExitStack() as held:
        address = "127.0.0.1" if family is socket.AF_INET else "::1"
        server = held.enter_context(socket.create_server((address, 0), family=family))
        kept = []
        for _ in range(count):
            kept.append(held.enter_context(socket.create_connection(server.getsockname()[:2])))
            accepted = server.accept()[0]
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()
        yield kept


def holding(*sockets: socket.socket) -> Owners:
    """Owners who say that this process holds these."""
    return owners_of(dict.fromkeys(map(inode_of, sockets), (SELF,)), descriptors={SELF.pid: Descriptors(50, 1024)})


def inode_of(each: socket.socket) -> int:
    return os.fstat(each.fileno()).st_ino


def test_they_are_told_from_the_second_look_on() -> None:
    finder = LeakFinder()
    with reset_sockets(LEAST) as kept, reset_sockets(LEAST, socket.AF_INET6) as more:
        owners = holding(*kept, *more)
        assert finder.look(NO_ROWS, owners, {own_namespace()}) == {}
        assert finder.look(NO_ROWS, owners, {own_namespace()}) == {SELF: 2 * LEAST}


def test_what_a_table_shows_is_none_of_them() -> None:
    finder = LeakFinder()
    with reset_sockets(LEAST + 5) as kept:
        rows = np.zeros(3, ROW)
        rows["inode"] = [inode_of(each) for each in kept[:3]]
        for expected in ({}, {SELF: LEAST + 2}):
            assert finder.look(rows, holding(*kept), {own_namespace()}) == expected


def test_other_protocols_and_other_namespaces_are_none_of_them() -> None:
    with contextlib.ExitStack() as held:
        udp = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(LEAST)]
        unix = [held.enter_context(each) for _ in range(LEAST) for each in socket.socketpair()]
        finder = LeakFinder()
        for _ in range(2):
            assert finder.look(NO_ROWS, holding(*udp, *unix), {own_namespace()}) == {}
    with reset_sockets(LEAST) as kept:
        finder = LeakFinder()
        for _ in range(2):
            assert finder.look(NO_ROWS, holding(*kept), {1}) == {}


def test_of_a_family_that_is_not_looked_at_nothing_is_said() -> None:
    with reset_sockets(LEAST) as kept, reset_sockets(LEAST, socket.AF_INET6) as more:
        finder = LeakFinder((6,))
        for expected in ({}, {SELF: LEAST}):
            assert finder.look(NO_ROWS, holding(*kept, *more), {own_namespace()}) == expected


def test_few_are_not_looked_at_and_closed_ones_are_gone() -> None:
    finder = LeakFinder()
    with reset_sockets(LEAST - 1) as kept:
        for _ in range(2):
            assert finder.look(NO_ROWS, holding(*kept), {own_namespace()}) == {}
    with reset_sockets(LEAST + 2) as kept:
        owners = holding(*kept)
        finder.look(NO_ROWS, owners, {own_namespace()})
        for each in kept[:2]:
            each.close()
        assert finder.look(NO_ROWS, owners, {own_namespace()}) == {SELF: LEAST}


def test_it_is_looked_twice_at_first_and_then_every_few_seconds() -> None:
    now_s = 0.0
    finder = WhereaboutsFinder(lambda: now_s)

    def told() -> int:
        leaks = finder.leaks(NO_ROWS, {own_namespace()}) or {}
        return sum(count for process, count in leaks.items() if process.pid == SELF.pid)

    with reset_sockets(LEAST) as kept:
        assert finder.leaks(NO_ROWS, {own_namespace()}) is None
        rows = np.zeros(1, ROW)
        rows["inode"] = inode_of(kept[0])
        finder.look(rows)
        told()
        assert told() >= LEAST
        before = told()
    now_s = LEAKS_EVERY_S - 0.1
    assert told() == before
    now_s = LEAKS_EVERY_S
    finder.look(rows)
    assert told() <= before - LEAST


def test_a_process_that_has_ended_holds_nothing() -> None:
    ended = Process(2**22 + 5, 1, "gone")
    owners = owners_of(dict.fromkeys(range(1, 2 * LEAST), (ended,)))
    finder = LeakFinder()
    for _ in range(2):
        assert finder.look(NO_ROWS, owners, {own_namespace()}) == {}
