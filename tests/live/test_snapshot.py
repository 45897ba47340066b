"""``tcptui snapshot`` against sockets parked in every state, row by row what ss says."""

import csv
import io
import json
import os
import socket
import subprocess
from collections import Counter
from typing import Any

import pytest

from tcptui.model.states import ALL_STATES, DISPLAY_ORDER, TcpState
from tests.support.lab import Lab
from tests.support.parking import Family
from tests.support.program import User, run_inside, run_program
from tests.support.ss import SS_NAMES
from tests.support.waiting import wait_for

pytestmark = pytest.mark.live

FAMILIES: tuple[Family, ...] = (socket.AF_INET, socket.AF_INET6, "mapped")


@pytest.fixture
def full_lab(lab: Lab) -> Lab:
    """A box with a different count in each of the ten states, over three families; made anew, as TIME_WAIT ends."""
    for number, state in enumerate(DISPLAY_ORDER, start=1):
        for step, family in enumerate(FAMILIES):
            lab.park(state, 4 * number + step, family=family)
    lab.park(TcpState.FIN_WAIT2, 3, half_closed=True)
    lab.settle()
    return lab


def counts_in(document: dict[str, Any]) -> Counter[TcpState]:
    return Counter({TcpState[name]: count for name, count in document["states"].items() if count})


@pytest.mark.parametrize("user", ["root", "nobody"])
@pytest.mark.parametrize("reader", ["netlink", "proc"])
def test_states_are_exact(full_lab: Lab, user: User, reader: str) -> None:
    run = run_inside(full_lab.box, "snapshot", "--view", "states", "--format", "json", "--source", reader, user=user)
    document = run.document
    assert list(document["states"]) == [state.name for state in ALL_STATES]
    assert counts_in(document) == full_lab.expected() == full_lab.ss_counts()
    assert len({count for count in document["states"].values() if count}) == len(DISPLAY_ORDER)
    assert document["total"] == sum(document["states"].values())
    assert document["degraded"] == []


@pytest.mark.parametrize("reader", ["netlink", "proc"])
def test_peers_equal_the_pipeline(full_lab: Lab, reader: str) -> None:
    pipeline = r"""ss -tanH | awk '{print $1, $5}' | sed -E 's/:[^:]*$//; s/\[::ffff:([0-9.]+)\]/\1/; s/[][]//g' \
        | sort | uniq -c | awk '{print $3, $2, $1}'"""
    done = subprocess.run(
        full_lab.box.argv("sh", "-c", pipeline), capture_output=True, text=True, check=True, timeout=30
    )
    by_pipeline = Counter[tuple[str, str]]()
    for line in done.stdout.splitlines():
        peer, state, count = line.split()
        # ss writes the peer of a dual-stack listener as *.
        by_pipeline["::" if peer == "*" else peer, state] += int(count)
    document = run_inside(full_lab.box, "snapshot", "--view", "peers", "--format", "json", "--source", reader).document
    ours = {
        (row["peer"], SS_NAMES[TcpState[state]]): count
        for row in document["rows"]
        for state, count in row["states"].items()
    }
    assert ours == dict(by_pipeline)
    assert [row["total"] for row in document["rows"]] == sorted(
        (row["total"] for row in document["rows"]), reverse=True
    )


def test_every_column_of_a_connection_equals_ss(full_lab: Lab) -> None:
    document = run_inside(full_lab.box, "snapshot", "--view", "connections", "--format", "json").document
    by_cookie = {row["cookie"]: row for row in document["rows"]}
    ss_by_cookie = {row.cookie: row for row in full_lab.ss("-o", "-e")}
    assert set(by_cookie) == set(ss_by_cookie)
    for cookie, theirs in ss_by_cookie.items():
        ours = by_cookie[cookie]
        peer = {"*": "::"}.get(theirs.peer_address, theirs.peer_address).removeprefix("::ffff:")
        local = {"*": "::"}.get(theirs.local_address, theirs.local_address).removeprefix("::ffff:")
        assert (ours["state"], ours["local_address"], ours["local_port"]) == (
            *(theirs.state.name, local),
            theirs.local_port,
        )
        assert (ours["remote_address"], ours["remote_port"]) == (peer, theirs.peer_port)
        assert (ours["recv_queue_bytes"], ours["send_queue_bytes"]) == (theirs.recv_q, theirs.send_q)
        assert ours["uid"] == theirs.uid
        assert ours["inode"] == (theirs.inode or 0)
        assert ours["timer"] == (theirs.timer.name if theirs.timer else "off")
        assert ours["netns"] == "self"


FILTERS = {
    ":{listen_port}": "sport = :{listen_port} or dport = :{listen_port}",
    "sport = :{listen_port}": "sport = :{listen_port}",
    "dport gt :1024": "dport gt :1024",
    "dst {peer}": "dst {peer}",
    "src {box}": "src {box}",
    "dst {peer}/16": "dst {peer}/16",
    "{peer}": "dst {peer} or src {peer}",
    "not dst {peer}": "not dst {peer}",
    "dst {peer} or dport < 1024 and not sport = :{listen_port}": (
        "dst {peer} or ( dport < :1024 and not sport = :{listen_port} )"
    ),
    "( dst {peer} or sport = :{listen_port} ) and sport != :1": (
        "( dst {peer} or sport = :{listen_port} ) and sport != :1"
    ),
}


@pytest.mark.parametrize("ours", FILTERS)
@pytest.mark.parametrize("reader", ["netlink", "proc"])
def test_filters_keep_the_rows_that_ss_keeps(full_lab: Lab, ours: str, reader: str) -> None:
    established = full_lab.ss()
    listener = next(row for row in established if row.state is TcpState.LISTEN and "." in row.local_address)
    connected = next(row for row in established if row.state is TcpState.CLOSE_WAIT and ":" not in row.peer_address)
    words = {"listen_port": listener.local_port, "peer": connected.peer_address, "box": connected.local_address}
    theirs = Counter(row.state for row in full_lab.ss(FILTERS[ours].format(**words)))
    assert theirs, "the filter must keep something, or the test shows nothing"
    document = run_inside(
        *(full_lab.box, "snapshot", "--format", "json", "--source", reader, ours.format(**words))
    ).document
    assert counts_in(document) == theirs


@pytest.mark.parametrize("state", DISPLAY_ORDER)
def test_a_state_filter_asks_for_that_state_alone(full_lab: Lab, state: TcpState) -> None:
    document = run_inside(full_lab.box, "snapshot", "--format", "json", "state", SS_NAMES[state].lower()).document
    assert counts_in(document) == {state: full_lab.expected()[state]}


@pytest.mark.parametrize(("option", "family"), [("-4", 4), ("-6", 6)])
def test_one_family_only(full_lab: Lab, option: str, family: int) -> None:
    theirs = Counter(row.state for row in full_lab.ss(f"-{family}"))
    assert counts_in(run_inside(full_lab.box, "snapshot", "--format", "json", option).document) == theirs


def test_a_namespace_goes_by_name_pid_and_path(full_lab: Lab) -> None:
    holder = subprocess.Popen(full_lab.box.argv("cat"), stdin=subprocess.PIPE)
    try:
        wait_for(
            lambda: os.stat(f"/proc/{holder.pid}/ns/net").st_ino,
            lambda inode: inode == full_lab.box.path.stat().st_ino,
            wanted="the holder in the box's namespace",
            seconds=10,
            show=str,
        )
        for netns in (full_lab.box.name, str(full_lab.box.path), str(holder.pid), f"/proc/{holder.pid}/ns/net"):
            run = run_program("snapshot", "-N", netns, "--format", "json")
            assert counts_in(run.document) == full_lab.expected()
            assert run.document["netns"] == netns
    finally:
        holder.communicate()


def test_entering_a_namespace_needs_privileges(full_lab: Lab) -> None:
    run = run_inside(full_lab.peer, "snapshot", "-N", full_lab.box.name, user="nobody")
    assert run.exit_code == 3
    assert run.output == ""
    assert run.errors.count("\n") == 1
    assert "CAP_SYS_ADMIN" in run.errors


def test_without_netlink_the_proc_table_stands_in_and_says_so(full_lab: Lab) -> None:
    document = run_inside(full_lab.box, "snapshot", "--format", "json", block_netlink=True).document
    assert counts_in(document) == full_lab.expected()
    assert document["source"] == "/proc/net/tcp"
    assert [each["code"] for each in document["degraded"]] == ["netlink.unavailable"]
    refused = run_inside(full_lab.box, "snapshot", "--source", "netlink", block_netlink=True)
    assert refused.exit_code == 3
    assert refused.errors.count("\n") == 1


def test_what_the_fallback_cannot_know_is_unknown_not_zero(full_lab: Lab) -> None:
    rows = run_inside(full_lab.box, "snapshot", "--view", "listeners", "--format", "json", "--source", "proc").document[
        "rows"
    ]
    assert rows
    assert {row["backlog"] for row in rows} == {None}


def test_listeners_show_queue_and_backlog(lab: Lab) -> None:
    with lab.box.entered():
        listener = socket.create_server(("127.0.0.1", 8080), backlog=7)
        clients = [socket.create_connection(("127.0.0.1", 8080)) for _ in range(3)]
    try:
        rows = run_inside(lab.box, "snapshot", "--view", "listeners", "--format", "json").document["rows"]
    finally:
        for each in (listener, *clients):
            each.close()
    assert len(rows) == 1
    row = rows[0]
    assert (row["local"], row["accept_queue"], row["backlog"]) == ("127.0.0.1:8080", 3, 7)
    assert row["states"] == {"LISTEN": 1, "ESTABLISHED": 3}


def test_all_formats_tell_the_same_rows(full_lab: Lab) -> None:
    def snapshot(format: str) -> str:
        run = run_inside(full_lab.box, "snapshot", "--view", "connections", "--sort", "cookie", "--format", format)
        assert run.exit_code == 0
        return run.output

    cookies = [row["cookie"] for row in json.loads(snapshot("json"))["rows"]]
    assert cookies == sorted(row.cookie or 0 for row in full_lab.ss("-e"))
    assert [json.loads(line)["cookie"] for line in snapshot("jsonl").splitlines()] == cookies
    assert [int(row["cookie"]) for row in csv.DictReader(io.StringIO(snapshot("csv")))] == cookies
    for text in (snapshot("table"), snapshot("md")):
        words = set(text.replace("|", " ").split())
        assert {str(cookie) for cookie in cookies} <= words


# -- What a filter asks for beside the rows ----------------------------------------------------------------------------


def codes_of(lab: Lab, text: str, user: User, *arguments: str) -> list[str]:
    document = run_inside(lab.box, "snapshot", "--format", "json", text, *arguments, user=user).document
    return [each["code"] for each in document["degraded"]]


def test_marks_are_told_to_root_alone(lab: Lab) -> None:
    assert codes_of(lab, "fwmark = 1", "root") == []
    assert codes_of(lab, "fwmark = 1", "nobody") == ["filter.undecided"]
    assert codes_of(lab, "fwmark = 1", "root", "--source", "proc") == ["filter.undecided"]


def test_processes_of_others_hide_what_they_hold(lab: Lab) -> None:
    assert "owners.partial" in codes_of(lab, "pid 1", "nobody")
    assert "owners.partial" not in codes_of(lab, ":443", "nobody")


def test_services_are_those_of_the_processes_where_no_cgroup_tree_is_mounted(lab: Lab) -> None:
    """As ``ip netns exec`` leaves it, with a /sys of its own."""
    lab.park(TcpState.ESTABLISHED, 1)
    assert "cgroups.absent" in codes_of(lab, "service web", "root")
    assert codes_of(lab, ":443", "root") == []


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_who_chose_the_port_is_known_beside_a_condition_that_the_kernel_refuses(lab: Lab, user: User) -> None:
    """It takes no program about marks from those without privileges."""
    lab.box.write_sysctl("net.ipv4.ip_local_port_range", "20000 20100")
    with lab.box.entered():
        listener = socket.create_server(("127.0.0.1", 20050))
        client = socket.create_connection(("127.0.0.1", 20050))
    accepted, _ = listener.accept()
    words = "state listen established and autobound and not fwmark = 1"
    document = run_inside(
        *(lab.box, "snapshot", "--view", "connections", "--format", "json", words), user=user
    ).document
    mine = {
        row["local_port"]: row["state"] for row in document["rows"] if row["remote_port"] != client.getsockname()[1]
    }
    assert mine == {client.getsockname()[1]: "ESTABLISHED"}
    for each in (accepted, client, listener):
        each.close()


def test_a_saved_filter_is_looked_for_where_the_home_folder_is_out_of_sight(lab: Lab) -> None:
    """As after setpriv(1): another user with root's HOME."""
    run = run_inside(lab.box, "snapshot", "@web", user="nobody")
    assert run.exit_code == 2
    assert run.errors.splitlines()[1:] == ["  @web", "  ^"]
