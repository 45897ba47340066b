"""What a source cannot know is said once, by field, and is never shown as 0."""

import os
import socket

import numpy as np
import pytest

from tcptui.model.address import parse_network
from tcptui.model.fields import FIELDS
from tcptui.model.states import TcpState
from tcptui.model.table import ROW
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.request import request_for
from tcptui.sources.demo import DemoSource
from tcptui.sources.live import LiveSource, ProcNetReader

KNOWN = set(FIELDS) | set(ROW.names or ()) | {"accept_queue", "backlog"}


def test_netlink_knows_every_field_but_marks_where_the_kernel_keeps_those_to_root() -> None:
    """FACTS section 6.2."""
    source = LiveSource(reader="netlink", counters=False)
    sample = source.sample()
    source.close()
    assert sample.absent_fields == (frozenset() if os.geteuid() == 0 else {"mark"})
    assert DemoSource("calm").sample().absent_fields == frozenset()


def test_proc_has_no_cookie_backlog_cgroup_interface_mark_or_who_chose_the_port() -> None:
    """FACTS section 6.9."""
    absent = {"cookie", "backlog", "cgroup_id", "interface", "mark", "is_autobound"}
    assert ProcNetReader.absent_fields == absent
    source = LiveSource(reader="proc", counters=False)
    sample = source.sample()
    source.close()
    assert sample.absent_fields == absent
    assert sample.origin.source == "/proc/net/tcp"
    assert sample.absent_fields <= KNOWN


@pytest.mark.parametrize("reader", ["netlink", "proc"])
def test_what_costs_time_is_read_only_if_it_is_asked_for(reader: str) -> None:
    source = LiveSource(reader=reader, counters=False)
    plain, asked = source.sample(), source.sample(request_for(parse_filter("nginx or service nginx")))
    source.close()
    assert (plain.owners, plain.cgroups) == (None, None)
    assert plain.cost.owners_ms < asked.cost.owners_ms
    assert asked.owners is not None
    assert asked.cgroups is not None


@pytest.mark.parametrize("reader", ["netlink", "proc"])
def test_a_socket_of_this_process_is_told_as_such(reader: str) -> None:
    source = LiveSource(reader=reader, counters=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        text = f"sport = :{listener.getsockname()[1]} and pid {os.getpid()}"
        sample = source.sample(request_for(parse_filter(text)))
        mine = sample.table.rows[mask_of(parse_filter(text).expression, sample.table.rows, sample)]
        assert mine["inode"].tolist() == [os.fstat(listener.fileno()).st_ino]
    source.close()


def test_psutil_knows_states_addresses_and_ports_only() -> None:
    from tcptui.sources.portable import PortableSource

    sample = PortableSource().sample()
    assert sample.absent_fields <= KNOWN
    assert {"cookie", "inode", "uid", "timer", "timer_ms", "retransmits", "backlog"} <= sample.absent_fields
    assert {"recv_queue_bytes", "send_queue_bytes", "accept_queue"} <= sample.absent_fields
    assert not {"state", "local_address", "local_port", "remote_address", "remote_port"} & sample.absent_fields
    assert [each.code for each in sample.degraded] == ["source.portable"]
    assert sample.origin.source == "psutil"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_psutil_finds_a_listener_and_both_ends_of_its_connection(address: str) -> None:
    from tcptui.sources.portable import PortableSource

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.create_server((address, 0), family=family) as listener,
        socket.create_connection(listener.getsockname()[:2]) as client,
    ):
        ports = listener.getsockname()[1], client.getsockname()[1]
        rows = PortableSource().sample().table.rows
    mine = rows[np.isin(rows["local_port"], ports) & np.isin(rows["remote_port"], (0, *ports))]
    here = parse_network(address)
    assert set(zip(mine["local_hi"].tolist(), mine["local_lo"].tolist(), strict=True)) == {(here.hi, here.lo)}
    assert sorted(mine[["state", "local_port", "remote_port"]].tolist()) == sorted(
        [(TcpState.LISTEN, ports[0], 0), (TcpState.ESTABLISHED, *ports), (TcpState.ESTABLISHED, *ports[::-1])]
    )
    assert set(mine["family"].tolist()) == {6 if ":" in address else 4}
    assert len(set(mine["cookie"].tolist())) == 3


def test_a_parameter_that_the_kernel_lacks_has_no_entry() -> None:
    source = LiveSource(reader="proc", parameters=("net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_tw_recycle"))
    sample = source.sample()
    source.close()
    assert int(sample.parameters["net.ipv4.tcp_fin_timeout"]) > 0
    assert "net.ipv4.tcp_tw_recycle" not in sample.parameters
    assert all(each.code != "parameters.partial" for each in sample.degraded)


@pytest.mark.parametrize("families", [(4,), (6,), (4, 6)])
def test_only_the_families_that_were_asked_for_are_read(families: tuple[int, ...]) -> None:
    source = LiveSource(reader="proc", families=families, counters=False)
    rows = source.sample().table.rows
    source.close()
    assert set(rows["family"].tolist()) <= set(families)


def test_a_closed_source_holds_no_descriptor() -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    LiveSource(reader="proc", parameters=("net.ipv4.tcp_fin_timeout",)).close()
    assert sorted(os.listdir("/proc/self/fd")) == before
