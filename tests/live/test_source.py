"""The live source, in-process, against the lab."""

import contextlib
import os
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tcptui.analysis.joins import transitions
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.monitor.frame import build_frame
from tcptui.monitor.view import View
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.request import request_for
from tcptui.sources.live import LiveSource
from tests.support.commands import run_command
from tests.support.lab import Lab
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live

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


def test_a_state_filter_asks_the_kernel_for_that_state_and_the_listeners_alone(lab: Lab) -> None:
    """The table of /proc is whole whatever is asked for."""
    lab.park(TcpState.SYN_RECV, 3)
    lab.park(TcpState.CLOSE_WAIT, 2)
    lab.settle()
    request = request_for(parse_filter("state syn-recv"))
    with source_of(lab, "netlink") as source:
        sample = source.sample(request)
        whole = source.sample()
    listening = int((whole.table.rows["state"] == TcpState.LISTEN).sum())
    assert sorted(sample.table.rows["state"].tolist()) == [TcpState.SYN_RECV] * 3 + [TcpState.LISTEN] * listening
    assert (sample.is_whole, whole.is_whole) == (False, True)
    with source_of(lab, "proc") as source:
        by_proc = source.sample(request)
    assert by_proc.is_whole
    assert len(by_proc.table) == len(whole.table)


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


# -- What is asked for beside the rows ---------------------------------------------------------------------------------


def ports_meant(text: str, sample: Sample) -> Counter[int]:
    rows = sample.table.rows
    return Counter(rows["local_port"][mask_of(parse_filter(text).expression, rows, sample)].tolist())


@pytest.mark.parametrize("text", ["autobound", "autobound and sport >= :20050", "autobound or :8080"])
def test_which_port_the_kernel_chose_is_what_ss_says(namespace: NetworkNamespace, text: str) -> None:
    """An explicit port inside the range and one outside; the accepted ends have them too."""
    namespace.write_sysctl("net.ipv4.ip_local_port_range", "20000 20100")
    namespace.write_sysctl("net.ipv4.ip_local_reserved_ports", "20050-20051")  # the kernel may not choose those
    with contextlib.ExitStack() as opened:
        with namespace.entered():
            for port in (8080, 20050):
                listener = opened.enter_context(socket.create_server(("127.0.0.1", port)))
                chosen = opened.enter_context(socket.create_connection(listener.getsockname()))
                bound = opened.enter_context(
                    socket.create_connection(listener.getsockname(), source_address=("127.0.0.1", port + 1))
                )
                assert 20000 <= chosen.getsockname()[1] <= 20100
                assert bound.getsockname()[1] == port + 1
                opened.enter_context(listener.accept()[0])
                opened.enter_context(listener.accept()[0])
        source = LiveSource(netns=str(namespace.path))
        sample = source.sample(request_for(parse_filter(text)))
        source.close()
        said = run_command("ss", "-N", namespace.name, "-tanH", text.replace(":8080", "sport = :8080 or dport = :8080"))
    theirs = Counter(int(line.split()[3].rpartition(":")[2]) for line in said.splitlines())
    assert ports_meant(text, sample) == theirs
    assert theirs.total() > 0
    everything = Counter(sample.table.rows["local_port"].tolist())
    assert ports_meant("not autobound", sample) == everything - ports_meant("autobound", sample)
    assert sample.degraded == ()
    # Both halves together leave nothing out.
    assert sample.is_whole is (" and " not in text)


def test_a_condition_on_backlogs_is_not_decided_by_proc(lab: Lab) -> None:
    lab.park(TcpState.LISTEN, 2)
    lab.park(TcpState.ESTABLISHED, 3)
    view = View(filter=parse_filter("sendq < 100"))
    with source_of(lab, "proc") as source:
        by_proc = build_frame(view, source.sample())
    with source_of(lab, "netlink") as source:
        by_netlink = build_frame(view, source.sample())
    assert [each.code for each in by_proc.degraded if each.code.startswith("filter.")] == ["filter.undecided"]
    assert by_proc.state_count(TcpState.LISTEN) == 0
    assert by_proc.state_count(TcpState.ESTABLISHED) == by_netlink.state_count(TcpState.ESTABLISHED) >= 3
    assert by_netlink.degraded == ()


def test_the_paths_of_cgroups_are_read_where_a_tree_is_mounted(tmp_path: Path) -> None:
    require_live()
    run_command("mount", "-t", "cgroup2", "none", str(tmp_path))
    try:
        source = LiveSource(counters=False)
        sample = source.sample(request_for(parse_filter("service web")))
        source.close()
    finally:
        run_command("umount", str(tmp_path))
    assert sample.degraded == ()
    assert sample.cgroups is not None
    assert "/" in sample.cgroups.values()
    assert set(sample.table.rows["cgroup_id"].tolist()) - {0} <= sample.cgroups.keys()
