"""The kernel's arrays become rows of the socket table."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.kernel.decode import INET_DIAG_MSG, Attributes, Decoder
from tcptui.kernel.procfs import parse_proc_net_tcp
from tcptui.model.address import address_text
from tcptui.model.states import TcpState
from tcptui.model.table import Rows
from tcptui.sources.tables import TableBuilder, identities, rows_from_proc_net
from tests.model.random_tables import Socket, sockets, table_of

CAPTURE = Path(__file__).parent.parent / "data" / "capture"
CAPTURED_SEQUENCE = 0x5EED5EED

FAMILIES = pytest.mark.parametrize("family", [4, 6])


def messages(count: int) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    made = np.zeros(count, INET_DIAG_MSG)
    made["idiag_cookie"] = np.arange(1, count + 1)
    return made


def attributes(cgroup_ids: Sequence[int], marks: Sequence[int] | None = None) -> Attributes:
    return Attributes(np.array(cgroup_ids, np.uint64), None if marks is None else np.array(marks, np.uint32))


def without(count: int) -> Attributes:
    """What messages without attributes come with."""
    return attributes([0] * count)


def from_netlink(family: int) -> Rows:
    builder = TableBuilder(0)
    decoder = Decoder(CAPTURED_SEQUENCE, lambda rows, attributes: builder.append(rows, attributes, family))
    name = "sock_diag_inet.bin" if family == 4 else "sock_diag_inet6.bin"
    decoder.feed(np.frombuffer((CAPTURE / name).read_bytes(), np.uint32))
    return builder.rows()


def from_proc(family: int) -> Rows:
    name = "proc_net_tcp.txt" if family == 4 else "proc_net_tcp6.txt"
    return rows_from_proc_net(parse_proc_net_tcp((CAPTURE / name).read_bytes()).rows, family)


def described(rows: Rows) -> list[tuple[object, ...]]:
    """What both interfaces know, apart from the timers' time."""
    texts = [
        (address_text(*local), address_text(*remote))
        for local, remote in zip(
            zip(rows["local_hi"].tolist(), rows["local_lo"].tolist(), strict=True),
            zip(rows["remote_hi"].tolist(), rows["remote_lo"].tolist(), strict=True),
            strict=True,
        )
    ]
    names = ("family", "state", "local_port", "remote_port", "recv_queue_bytes", "inode", "timer", "retransmits")
    numbers = zip(*(rows[name].tolist() for name in names), strict=True)
    return sorted((*text, *number) for text, number in zip(texts, numbers, strict=True))


@FAMILIES
def test_netlink_and_proc_tell_the_same_of_the_same_sockets(family: int) -> None:
    by_netlink, by_proc = from_netlink(family), from_proc(family)
    assert described(by_netlink) == described(by_proc)
    assert set(by_netlink["state"].tolist()) == set(range(1, 12)) - {7}
    backlogs = by_netlink["send_queue_bytes"][by_netlink["state"] == TcpState.LISTEN]
    assert set(backlogs.tolist()) == {128}


def test_ipv4_is_the_same_address_in_both_tables() -> None:
    """Mapped addresses of dual-stack sockets stand in the IPv6 table."""
    mapped = {text for row in described(from_netlink(6)) for text in row[:2] if "." in str(text)}
    assert "10.77.0.1" in mapped
    assert "10.77.0.1" in {row[0] for row in described(from_netlink(4))}


def test_an_address_of_each_family_is_put_where_the_model_has_it() -> None:
    made = messages(1)
    made["idiag_src_hi"], made["idiag_dst_hi"] = int(IPv4Address("10.1.2.3")) << 32, int(IPv4Address("10.9.8.7")) << 32
    builder = TableBuilder(0)
    builder.append(made, attributes([5]), 4)
    (row,) = builder.rows()
    assert address_text(int(row["local_hi"]), int(row["local_lo"])) == "10.1.2.3"
    assert address_text(int(row["remote_hi"]), int(row["remote_lo"])) == "10.9.8.7"
    assert (row["family"], row["cgroup_id"], row["netns"]) == (4, 5, 0)
    v6 = int(IPv6Address("2001:db8::1"))
    made["idiag_src_hi"], made["idiag_src_lo"] = v6 >> 64, v6 & 2**64 - 1
    builder.append(made, without(1), 6)
    assert address_text(int(builder.rows()[1]["local_hi"]), int(builder.rows()[1]["local_lo"])) == "2001:db8::1"


def test_a_mark_is_a_column_and_0_where_nobody_asked() -> None:
    builder = TableBuilder(0)
    builder.append(messages(2), attributes([7, 8], [0xFFFFFFFF, 3]), 4)
    builder.append(messages(1), without(1), 4)
    assert builder.rows()["mark"].tolist() == [0xFFFFFFFF, 3, 0]
    assert builder.rows()["cgroup_id"].tolist() == [7, 8, 0]


def test_the_kernels_internal_twin_counts_as_syn_recv() -> None:
    made = messages(3)
    made["idiag_state"] = [3, 12, 1]
    builder = TableBuilder(0)
    builder.append(made, without(3), 4)
    assert builder.rows()["state"].tolist() == [3, 3, 1]


@given(st.lists(st.integers(0, 3000), max_size=5), st.integers(0, 5000))
def test_a_builder_keeps_all_rows_whatever_it_expected(batches: list[int], expected: int) -> None:
    builder = TableBuilder(expected)
    for count in batches:
        builder.append(messages(count), attributes(range(count)), 6)
    assert len(builder) == sum(batches)
    assert builder.rows()["cookie"].tolist() == [number for count in batches for number in range(1, count + 1)]
    assert builder.rows()["cgroup_id"].tolist() == [number for count in batches for number in range(count)]


def test_a_dump_that_was_interrupted_can_be_taken_back() -> None:
    builder = TableBuilder(0)
    builder.append(messages(2), without(2), 4)
    before = len(builder)
    builder.append(messages(5), without(5), 6)
    builder.forget_from(before)
    builder.append(messages(1), without(1), 6)
    assert builder.rows()["family"].tolist() == [4, 4, 6]


# -- Identities where there is no cookie -------------------------------------------------------------------------------


@given(sockets)
def test_an_identity_is_the_sockets_and_not_the_rows(each: list[Socket]) -> None:
    """It does not depend on the order, the state, the queues or the rest of the table."""
    rows = table_of(each).rows
    changed = rows.copy()
    is_connection = rows["state"] != TcpState.LISTEN
    changed["recv_queue_bytes"] += 1
    changed["inode"][is_connection] = 0
    changed["state"][is_connection] = TcpState.TIME_WAIT
    assert identities(changed).tolist() == identities(rows).tolist()
    assert identities(rows[::-1]).tolist() == identities(rows)[::-1].tolist()
    assert (identities(rows) != 0).all()


@given(sockets)
def test_sockets_that_differ_have_different_identities(each: list[Socket]) -> None:
    def name(socket: Socket) -> tuple[object, ...]:
        inode = socket.inode if socket.state is TcpState.LISTEN else 0
        values = socket.values
        ends = [values[part] for part in ("local_hi", "local_lo", "remote_hi", "remote_lo", "family")]
        return (*ends, socket.local_port, socket.remote_port, inode)

    assert len(set(identities(table_of(each).rows).tolist())) == len({name(socket) for socket in each})


def test_listeners_that_share_a_port_differ_by_their_inode() -> None:
    """SO_REUSEPORT."""
    both = [Socket(TcpState.LISTEN, inode=inode, remote_port=0) for inode in (7, 8)]
    first, second = identities(table_of(both).rows).tolist()
    assert first != second
