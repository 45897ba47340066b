"""What a source cannot know is said once, by field, and is never shown as 0."""

import os
import socket
from contextlib import closing

import numpy as np
import pytest

from tcptui.analysis.attribution import attributed
from tcptui.model.address import parse_network
from tcptui.model.fields import FIELDS, INFO_FIELDS
from tcptui.model.owners import Standing
from tcptui.model.states import TcpState
from tcptui.model.table import ROW
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.request import Need, Request, request_for
from tcptui.sources.demo import DemoSource
from tcptui.sources.live import LiveSource
from tcptui.sources.reading import ProcNetReader

KNOWN = set(FIELDS) | set(ROW.names or ()) | {"accept_queue", "backlog"}


def test_netlink_knows_every_field_but_marks_where_the_kernel_keeps_those_to_root() -> None:
    """FACTS section 6.2; what stands in ``tcp_info`` is known where it is asked for."""
    unknown = frozenset() if os.geteuid() == 0 else {"mark"}
    with closing(LiveSource(reader="netlink", counters=False)) as source:
        assert source.sample().absent_fields == unknown | INFO_FIELDS | {"idle_ms"}
        assert source.sample(Request(needs=frozenset({Need.TCP_INFO}))).absent_fields == unknown
    assert DemoSource("calm").sample().absent_fields == frozenset()


def test_proc_has_no_cookie_backlog_cgroup_interface_mark_or_who_chose_the_port() -> None:
    """FACTS section 6.9; it has no ``tcp_info`` either, whether that is asked for or not."""
    absent = {"cookie", "backlog", "cgroup_id", "interface", "mark", "is_autobound", "idle_ms", *INFO_FIELDS}
    assert ProcNetReader.absent_fields == absent
    with closing(LiveSource(reader="proc", counters=False)) as source:
        sample = source.sample(Request(needs=frozenset({Need.TCP_INFO})))
    assert sample.absent_fields == absent
    assert sample.origin.source == "/proc/net/tcp"
    assert sample.absent_fields <= KNOWN


@pytest.mark.parametrize("reader", ["netlink", "proc"])
def test_what_costs_time_is_read_only_if_it_is_asked_for(reader: str) -> None:
    with closing(LiveSource(reader=reader, counters=False)) as source:
        plain = source.sample()
        assert (plain.owners, plain.cgroups, plain.cost.owners_ms) == (None, None, 0.0)
        asked = source.sample(request_for(parse_filter("nginx or service nginx")))
    assert asked.owners is not None
    assert asked.cgroups is not None
    assert asked.cost.owners_ms > 0


@pytest.mark.parametrize("reader", ["netlink", "proc"])
def test_what_was_found_out_stays_with_the_samples_to_come(reader: str) -> None:
    with closing(LiveSource(reader=reader, counters=False)) as source:
        found = source.look(source.sample().table.rows)
        later = source.sample()
    assert later.whereabouts is found
    assert later.cost.owners_ms == 0.0


@pytest.mark.parametrize("reader", ["netlink", "proc"])
def test_a_socket_of_this_process_is_told_as_such(reader: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        closing(LiveSource(reader=reader, counters=False)) as source,
    ):
        text = f"sport = :{listener.getsockname()[1]} and pid {os.getpid()}"
        sample = attributed(source.sample(request_for(parse_filter(text))))
        mine = sample.table.rows[mask_of(parse_filter(text).expression, sample.table.rows, sample)]
        assert mine["inode"].tolist() == [os.fstat(listener.fileno()).st_ino]


def test_psutil_knows_states_addresses_and_ports_only() -> None:
    from tcptui.sources.portable import PortableSource

    sample = PortableSource().sample()
    assert sample.absent_fields <= KNOWN
    assert {"cookie", "inode", "uid", "timer", "timer_ms", "retransmits", "backlog"} <= sample.absent_fields
    assert {"recv_queue_bytes", "send_queue_bytes", "accept_queue"} <= sample.absent_fields
    assert not {"state", "local_address", "local_port", "remote_address", "remote_port"} & sample.absent_fields
    assert [each.code for each in sample.degraded] == ["source.portable"]
    assert sample.origin.source == "psutil"
    assert PortableSource().look(sample.table.rows) is None
    attribution = attributed(sample).attribution
    assert attribution is not None
    assert set(attribution.standing.tolist()) <= {Standing.UNTOLD}


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
