"""The JSON document and its rows: a contract with other programs (DESIGN section 5)."""

import json
from datetime import datetime
from typing import Any

import pytest

from tcptui.export.formats import Format, render
from tcptui.model.fields import ViewKind
from tcptui.model.states import ALL_STATES
from tcptui.monitor.frame import build_frame
from tcptui.monitor.view import View
from tests.export.frames import DEGRADED, SOCKETS, frame, sample

DOCUMENT_KEYS = {
    *("schema", "taken_at", "host", "kernel", "source", "view", "filter", "netns"),
    *("command", "cost", "degraded", "states", "total", "rows"),
}
MATRIX_KEYS = {"total", "states", "recv_queue_bytes", "send_queue_bytes"}
ROW_KEYS = {
    ViewKind.STATES: {"state", "total", "recv_queue_bytes", "send_queue_bytes"},
    ViewKind.PEERS: {"peer", "netns", *MATRIX_KEYS},
    ViewKind.PROCESSES: {
        *("process", "pid", "user", "command", "descriptors", "descriptor_limit", "holders"),
        *MATRIX_KEYS,
    },
    ViewKind.SERVICES: {"service", "descriptors", "descriptor_limit", *MATRIX_KEYS},
    ViewKind.LISTENERS: {"local", "netns", "accept_queue", "backlog", "process", "pid", *MATRIX_KEYS},
    ViewKind.PORTS: {"port", "netns", *MATRIX_KEYS},
    ViewKind.CONNECTIONS: {
        *("state", "local_address", "local_port", "remote_address", "remote_port"),
        *("recv_queue_bytes", "send_queue_bytes", "timer", "timer_ms", "retransmits", "age_ms"),
        *("uid", "inode", "cookie", "netns", "pid", "process", "holders", "holding", "service"),
        *("rtt_us", "total_retransmits"),
    },
    ViewKind.NAMESPACES: {"netns", "descriptors", "descriptor_limit", *MATRIX_KEYS},
}

every_kind = pytest.mark.parametrize("kind", ViewKind, ids=[kind.value for kind in ViewKind])


def document(kind: ViewKind, filter_text: str = "", limit: int | None = None) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(render(frame(kind, filter_text), Format.JSON, limit))
    return parsed


@every_kind
def test_a_document_has_exactly_the_keys_of_the_contract(kind: ViewKind) -> None:
    written = document(kind)
    assert set(written) == DOCUMENT_KEYS
    assert set(written["cost"]) == {"dump_ms", "decode_ms", "owners_ms", "total_ms"}
    assert list(written["states"]) == [state.name for state in ALL_STATES]
    assert written["rows"]
    for row in written["rows"]:
        assert set(row) == ROW_KEYS[kind]


def test_a_document_says_where_when_and_what_it_cost() -> None:
    written = document(ViewKind.PEERS, "dport = :3306")
    assert written["schema"] == "tcptui.snapshot/1"
    assert written["taken_at"] == "2026-01-02T03:04:05.678901+00:00"
    assert datetime.fromisoformat(written["taken_at"]) == sample().taken_at
    assert (written["host"], written["kernel"], written["source"]) == ("web-3", "6.18.44", "sock_diag")
    assert (written["view"], written["filter"], written["netns"]) == ("peers", "dport = :3306", "blue")
    assert written["cost"] == {"dump_ms": 8.123, "decode_ms": 1.001, "owners_ms": 0.0, "total_ms": 12.4}
    assert written["command"] == "tcptui snapshot --view peers -N blue 'dport = :3306'"
    assert written["degraded"] == []


def test_what_is_missing_is_said_with_code_reason_and_remedy() -> None:
    written = json.loads(render(frame(ViewKind.STATES, taken=sample(degraded=DEGRADED)), Format.JSON))
    assert written["degraded"] == [
        {
            "code": "owners.partial",
            "reason": "processes of other users have no name",
            "hint": "run as root to see every process",
        },
        {"code": "demo", "reason": "these sockets are made up", "hint": ""},
    ]


@every_kind
def test_the_states_are_those_of_all_sockets_that_the_filter_means(kind: ViewKind) -> None:
    written = document(kind, "dport = :3306", limit=1)
    assert written["states"] == {state.name: 2 if state.name == "CLOSE_WAIT" else 0 for state in ALL_STATES}
    assert written["total"] == 2
    assert len(written["rows"]) <= 1


def test_a_matrix_row_has_the_states_that_are_not_zero() -> None:
    rows = {row["peer"]: row for row in document(ViewKind.PEERS)["rows"]}
    assert rows["198.51.100.7"] == {
        "peer": "198.51.100.7",
        "netns": "blue",
        "total": 3,
        "states": {"ESTABLISHED": 2, "FIN_WAIT1": 1},
        "recv_queue_bytes": 5,
        "send_queue_bytes": 8,
    }
    assert rows["0.0.0.0"]["states"] == {"LISTEN": 1}  # noqa: S104 - nothing is bound
    assert rows["2001:db8::9"]["states"] == {"CLOSE_WAIT": 1}


def test_groups_begin_with_the_largest() -> None:
    totals = [row["total"] for row in document(ViewKind.PEERS)["rows"]]
    assert totals == sorted(totals, reverse=True)


def test_a_network_is_written_with_its_prefix() -> None:
    written = json.loads(render(frame(ViewKind.PEERS, prefix=8), Format.JSON))
    assert {row["peer"] for row in written["rows"]} == {
        *("198.0.0.0/8", "10.0.0.0/8", "0.0.0.0/8", "2001:db8::/64", "::/64")
    }


def test_a_listener_row_has_its_queue_and_its_connections() -> None:
    rows = {row["local"]: row for row in document(ViewKind.LISTENERS)["rows"]}
    assert set(rows) == {"0.0.0.0:443", "[::]:22"}
    assert (rows["0.0.0.0:443"]["accept_queue"], rows["0.0.0.0:443"]["backlog"]) == (2, 4096)
    assert rows["0.0.0.0:443"]["states"] == {"LISTEN": 1, "ESTABLISHED": 2, "FIN_WAIT1": 1}
    assert rows["0.0.0.0:443"]["send_queue_bytes"] == 8
    assert [(rows[each]["process"], rows[each]["pid"]) for each in ("0.0.0.0:443", "[::]:22")] == [
        ("nginx +1", 800),
        ("sshd", 640),
    ]


def test_a_process_row_has_what_it_holds_and_how_near_it_is_to_its_limit() -> None:
    rows = {(row["process"], row["pid"]): row for row in document(ViewKind.PROCESSES)["rows"]}
    assert rows["nginx", 812] == {
        "process": "nginx",
        "pid": 812,
        "user": "www-data",
        "command": "nginx: worker process",
        "descriptors": 1000,
        "descriptor_limit": 1024,
        "holders": 1,
        "total": 1,
        "states": {"ESTABLISHED": 1},
        "recv_queue_bytes": 5,
        "send_queue_bytes": 7,
    }
    shared = rows["nginx +1", 800]
    assert (shared["holders"], shared["descriptors"]) == (2, 1000), "those of the worker, which is nearer to its limit"
    # The listener, and the two connections that nobody was seen to accept.
    assert shared["states"] == {"LISTEN": 1, "ESTABLISHED": 1, "FIN_WAIT1": 1}
    assert (rows["sshd", 640]["descriptors"], rows["sshd", 640]["descriptor_limit"]) == (9, None)


def test_a_row_of_a_reason_has_no_number_that_there_is_not() -> None:
    rows = {row["process"]: row for row in document(ViewKind.PROCESSES)["rows"]}
    assert rows["(kernel)"] == {
        "process": "(kernel)",
        "pid": None,
        "user": "",
        "command": "",
        "descriptors": None,
        "descriptor_limit": None,
        "holders": 0,
        "total": 2,
        "states": {"CLOSE_WAIT": 2},
        "recv_queue_bytes": 0,
        "send_queue_bytes": 0,
    }


def test_a_service_row_has_the_sockets_of_its_cgroups() -> None:
    rows = {row["service"]: row for row in document(ViewKind.SERVICES)["rows"]}
    assert {name: (row["total"], row["descriptors"], row["descriptor_limit"]) for name, row in rows.items()} == {
        "nginx.service": (4, 1000, 1024),
        "ssh.service": (1, 9, None),
        "(kernel)": (2, None, None),
    }


def test_a_namespace_row_has_all_of_its_sockets() -> None:
    (row,) = document(ViewKind.NAMESPACES)["rows"]
    assert (row["netns"], row["total"], row["descriptors"], row["descriptor_limit"]) == ("blue", 7, 1000, 1024)


def test_a_connection_row_has_numbers_as_numbers_and_names_as_names() -> None:
    by_cookie = {row["cookie"]: row for row in document(ViewKind.CONNECTIONS)["rows"]}
    assert set(by_cookie) == {socket.cookie for socket in SOCKETS}
    assert by_cookie[3] == {
        "state": "ESTABLISHED",
        "local_address": "10.0.0.5",
        "local_port": 443,
        "remote_address": "198.51.100.7",
        "remote_port": 40000,
        "recv_queue_bytes": 5,
        "send_queue_bytes": 7,
        "timer": "keepalive",
        "timer_ms": 4800,
        "retransmits": 0,
        "uid": 33,
        "inode": 77,
        "cookie": 3,
        "netns": "blue",
        "pid": 812,
        "process": "nginx",
        "holders": 1,
        "holding": "held",
        "service": "nginx.service",
        "age_ms": None,
        "rtt_us": 0,
        "total_retransmits": 0,
    }


def test_a_connection_row_says_how_its_process_stands_to_it() -> None:
    by_cookie = {row["cookie"]: row for row in document(ViewKind.CONNECTIONS)["rows"]}
    told = {cookie: (row["process"], row["pid"], row["holders"], row["holding"]) for cookie, row in by_cookie.items()}
    assert told == {
        1: ("nginx +1", 800, 2, "held"),
        2: ("sshd", 640, 1, "held"),
        3: ("nginx", 812, 1, "held"),
        4: ("at nginx +1", 800, 2, "listener"),
        5: ("at nginx +1", 800, 2, "listener"),
        6: ("(kernel)", None, 0, "kernel"),
        2**63: ("(kernel)", None, 0, "kernel"),
    }


def test_a_source_that_tells_no_holders_leaves_them_open() -> None:
    written = json.loads(render(frame(ViewKind.CONNECTIONS, taken=sample(absent=frozenset({"holders"}))), Format.JSON))
    assert {(row["process"], row["pid"], row["holding"]) for row in written["rows"]} == {("(not told)", None, "untold")}


def test_what_a_source_cannot_know_is_null() -> None:
    absent = frozenset({"cookie", "timer", "recv_queue_bytes", "rtt_us"})
    written = json.loads(render(frame(ViewKind.CONNECTIONS, taken=sample(absent=absent)), Format.JSON))
    for row in written["rows"]:
        unnamed = {"pid"} if row["holding"] == "kernel" else set()
        assert {name for name, value in row.items() if value is None} == absent | {"age_ms"} | unnamed


@pytest.mark.parametrize("kind", [kind for kind in ViewKind if kind is not ViewKind.CONNECTIONS])
def test_queues_that_a_source_cannot_know_are_null_in_groups(kind: ViewKind) -> None:
    absent = frozenset({"recv_queue_bytes", "send_queue_bytes"})
    written = json.loads(render(frame(kind, taken=sample(absent=absent)), Format.JSON))
    assert {row["recv_queue_bytes"] for row in written["rows"]} == {None}


@every_kind
def test_json_lines_are_the_rows_of_the_document_one_a_line(kind: ViewKind) -> None:
    text = render(frame(kind), Format.JSONL)
    assert [json.loads(line) for line in text.splitlines()] == document(kind)["rows"]
    assert text.endswith("\n")
    assert "\n\n" not in text


@every_kind
@pytest.mark.parametrize("limit", [0, 1, 2, 100])
def test_a_limit_keeps_the_first_rows(kind: ViewKind, limit: int) -> None:
    everything = document(kind)
    limited = document(kind, limit=limit)
    assert limited["rows"] == everything["rows"][:limit]
    assert limited["total"] == everything["total"]


def test_a_change_is_written_where_there_is_a_sample_before() -> None:
    view = View(ViewKind.PORTS)
    before = build_frame(view, sample())
    after = build_frame(view, sample(), before)
    assert {row["change"] for row in json.loads(render(after, Format.JSON))["rows"]} == {0}
    assert render(after, Format.CSV).splitlines()[0].startswith("port,netns,total,change,")


def test_text_from_outside_stays_text() -> None:
    """JSON escapes it; names in any script stay readable."""
    hostile = 'a"b\\端口<script>'
    text = render(frame(ViewKind.STATES, taken=sample(host=hostile)), Format.JSON)
    assert json.loads(text)["host"] == hostile
    assert "端口" in text


def test_an_empty_view_is_a_document_too() -> None:
    written = document(ViewKind.CONNECTIONS, "port 9")
    assert written["rows"] == []
    assert written["total"] == 0
    assert render(frame(ViewKind.CONNECTIONS, "port 9"), Format.JSONL) == ""
