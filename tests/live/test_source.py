"""The live source, in-process, against the lab."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from tcptui.analysis.joins import transitions
from tcptui.model.states import TcpState
from tcptui.sources.base import states_mask
from tcptui.sources.live import LiveSource
from tests.support.lab import Lab

pytestmark = pytest.mark.live


@contextmanager
def source_of(lab: Lab, reader: str = "auto", parameters: tuple[str, ...] = ()) -> Iterator[LiveSource]:
    source = LiveSource(netns=str(lab.box.path), reader=reader, parameters=parameters)
    try:
        yield source
    finally:
        source.close()


def test_parameters_are_those_of_the_namespace_being_watched(lab: Lab) -> None:
    lab.sysctl("net.ipv4.tcp_fin_timeout", 17)
    names = ("net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_rmem", "net.ipv4.tcp_tw_recycle", "fs.file-max")
    with source_of(lab, parameters=names) as source:
        first = source.sample()
        assert first.parameters["net.ipv4.tcp_fin_timeout"] == "17"
        assert first.parameters["net.ipv4.tcp_rmem"].count(" ") == 2
        assert int(first.parameters["fs.file-max"]) > 0
        assert "net.ipv4.tcp_tw_recycle" not in first.parameters
        lab.sysctl("net.ipv4.tcp_fin_timeout", 19)
        assert source.sample().parameters["net.ipv4.tcp_fin_timeout"] == "19"
    with open("/proc/sys/net/ipv4/tcp_fin_timeout") as file:
        assert file.read().strip() not in ("17", "19")


@pytest.mark.parametrize("reader", ["netlink", "proc"])
def test_counters_are_those_of_the_namespace(lab: Lab, reader: str) -> None:
    lab.park(TcpState.ESTABLISHED, 3)
    lab.park(TcpState.CLOSE_WAIT, 2)
    lab.park(TcpState.TIME_WAIT, 4)
    with source_of(lab, reader) as source:
        sample = source.sample()
    assert sample.counters["Tcp.CurrEstab"] == 5
    assert sample.counters["sockstat.TCP.tw"] == 4
    assert sample.counters["TcpExt.ListenOverflows"] == 0
    assert "sockstat.TCP6.inuse" in sample.counters


def test_sockets_that_move_and_vanish_are_joined_by_cookie(lab: Lab) -> None:
    parked = lab.park(TcpState.ESTABLISHED, 6, role="client")
    staying = lab.park(TcpState.CLOSE_WAIT, 2)
    with source_of(lab) as source:
        before = source.sample()
        box_ends, _ = lab.ends(parked)
        for each in box_ends[:4]:
            each.close()
        lab.park(TcpState.SYN_SENT, 3)
        after = source.sample()
        changes = transitions(before.table, after.table)
        moved_on = changes.moved[TcpState.ESTABLISHED]
        assert moved_on[TcpState.ESTABLISHED] == 2
        assert moved_on[[TcpState.FIN_WAIT1, TcpState.FIN_WAIT2, TcpState.TIME_WAIT]].sum() == 4
        assert changes.moved[TcpState.CLOSE_WAIT, TcpState.CLOSE_WAIT] == 2
        assert changes.opened[TcpState.SYN_SENT] == 3
        assert changes.closed.sum() == 0
        lab.release(staying)
        assert transitions(after.table, source.sample().table).closed[TcpState.CLOSE_WAIT] == 2


def test_the_fallback_has_an_identity_for_each_socket_that_lasts(lab: Lab) -> None:
    for state in (TcpState.ESTABLISHED, TcpState.LISTEN, TcpState.TIME_WAIT):
        lab.park(state, 5)
    with source_of(lab, "proc") as source:
        first, second = source.sample().table.rows, source.sample().table.rows
    assert len(np.unique(first["cookie"])) == len(first)
    assert set(first["cookie"].tolist()) == set(second["cookie"].tolist())


def test_a_state_mask_asks_the_kernel_for_those_states_alone(lab: Lab) -> None:
    lab.park(TcpState.SYN_RECV, 3)
    lab.park(TcpState.CLOSE_WAIT, 2)
    for reader in ("netlink", "proc"):
        with source_of(lab, reader) as source:
            rows = source.sample(states_mask({TcpState.SYN_RECV})).table.rows
        assert rows["state"].tolist() == [TcpState.SYN_RECV] * 3


def test_cgroup_ids_name_the_cgroup_of_the_process(lab: Lab) -> None:
    parked = lab.park(TcpState.ESTABLISHED, 1)
    with open("/proc/self/cgroup") as file:
        own = next((line.split("::")[1].strip() for line in file if line.startswith("0::")), None)
    if own is None or not os.path.isdir("/sys/fs/cgroup" + own):
        pytest.skip("no cgroup v2 here")
    with source_of(lab) as source:
        rows = source.sample().table.rows
    assert parked.count == 1
    established = rows[rows["state"] == TcpState.ESTABLISHED]
    assert established["cgroup_id"].tolist() == [os.stat("/sys/fs/cgroup" + own).st_ino]


def test_closing_a_source_leaves_no_descriptor(lab: Lab) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with source_of(lab, parameters=("net.ipv4.tcp_fin_timeout",)) as source:
        source.sample()
        assert len(os.listdir("/proc/self/fd")) > before
    assert len(os.listdir("/proc/self/fd")) == before
