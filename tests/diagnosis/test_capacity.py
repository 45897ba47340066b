"""Head-room: what is in use, of how much, and for how long it lasts."""

import pytest

from tcptui.diagnosis.capacity import Room, rooms
from tcptui.diagnosis.course import Course
from tcptui.model.owners import Descriptors
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tests.diagnosis.scenes import NGINX, ON, TIMEWAIT, Part, at, listener, part


def rooms_of(*samples: Sample) -> dict[str, list[Room]]:
    """The rooms by kind, after these samples."""
    course = Course()
    evidence = [course.take(sample) for sample in samples][-1]
    found: dict[str, list[Room]] = {}
    for room in rooms(evidence):
        found.setdefault(room.kind, []).append(room)
    return found


def outgoing(count: int, remote: str = "10.0.4.11", remote_port: int = 11211) -> Part:
    return part(
        TcpState.TIME_WAIT,
        count,
        local_port=None,
        remote=remote,
        remote_port=remote_port,
        timer=TIMEWAIT,
        timer_ms=9000,
    )


def test_ports_are_counted_for_each_pair_of_address_and_destination() -> None:
    sample = at(
        0, outgoing(9000), outgoing(5000, "10.0.4.12"), outgoing(3000, remote_port=80), outgoing(9, "10.0.4.13")
    )
    ports = rooms_of(sample)["ports"]
    assert [(room.subject, room.used) for room in ports] == [
        ("10.0.0.5 → 10.0.4.11:11211", 9000),
        ("10.0.0.5 → 10.0.4.12:11211", 5000),
        ("10.0.0.5 → 10.0.4.11:80", 3000),
    ]
    assert {room.limit for room in ports} == {28232}
    assert {room.time_waits for room in ports} == {9000, 5000, 3000}


def test_reserved_ports_are_not_there() -> None:
    reserved = {"net.ipv4.ip_local_reserved_ports": "50000-50999,60001,8080"}
    (room,) = rooms_of(at(0, outgoing(5000), parameters=reserved))["ports"]
    assert room.limit == 28232 - 1000 - 1


def test_connections_that_came_in_take_no_ports() -> None:
    came_in = part(TcpState.ESTABLISHED, 9000, local_port=40_000, remote_port=50_000, holder=NGINX)
    assert "ports" not in rooms_of(at(0, listener(40_000), came_in))


@pytest.mark.parametrize(
    ("mode", "remote", "timestamps", "reusable"),
    [
        ("1", "10.0.4.11", "1", 9000),
        ("1", "10.0.4.11", "0", 0),
        ("2", "10.0.4.11", "1", 0),
        ("2", "127.0.0.1", "1", 9000),
        ("0", "127.0.0.1", "1", 0),
    ],
)
def test_what_may_be_taken_once_more(mode: str, remote: str, timestamps: str, reusable: int) -> None:
    """FACTS E-9: 1 for all, 2 for loopback, both with timestamps."""
    parameters = {"net.ipv4.tcp_tw_reuse": mode, "net.ipv4.tcp_timestamps": timestamps}
    (room,) = rooms_of(at(0, outgoing(9000, remote), parameters=parameters))["ports"]
    assert room.reusable == reusable
    assert room.share == pytest.approx((9000 - reusable) / 28232)


def test_what_has_waited_for_less_than_the_delay_may_not_be_taken_yet() -> None:
    fresh = part(TcpState.TIME_WAIT, 9000, local_port=None, remote_port=80, timer=TIMEWAIT, timer_ms=59_500)
    (room,) = rooms_of(at(0, fresh, parameters={"net.ipv4.tcp_tw_reuse": "1"}))["ports"]
    assert room.reusable == 0


def test_a_trend_tells_when_nothing_is_left() -> None:
    samples = [at(second, outgoing(9000 + 100 * second)) for second in range(11)]
    (room,) = rooms_of(*samples)["ports"]
    assert room.per_s == pytest.approx(100)
    assert room.wall_s == pytest.approx((28232 - 10_000) / 100)
    assert rooms_of(*samples[:2])["ports"][0].per_s is None
    shrinking = [at(second, outgoing(9000 - 100 * second)) for second in range(11)]
    assert rooms_of(*shrinking)["ports"][0].wall_s is None


def test_ports_that_no_two_destinations_share_were_bound_beforehand() -> None:
    """FACTS E-27."""
    apart = outgoing(4000, "10.0.4.12")
    apart.rows["local_port"] += 4000
    found = rooms_of(at(0, outgoing(4000), apart))
    (room,) = found["bound_ports"]
    assert (room.subject, room.used, room.topic) == ("10.0.0.5", 8000, "IP_BIND_ADDRESS_NO_PORT")
    assert "bound_ports" not in rooms_of(at(0, outgoing(4000), outgoing(4000, "10.0.4.12")))


def test_accept_queues_remember_their_peak() -> None:
    course = Course()
    course.take(at(0, listener(80, 2, 10), listener(81)))
    course.glance(at(0.2, listener(80, 9, 10), listener(81)))
    evidence = course.take(at(1, listener(80, 1, 10), listener(81)))
    (room,) = (room for room in rooms(evidence) if room.kind == "accept_queue")
    assert (room.subject, room.used, room.limit, room.peak) == ("0.0.0.0:80", 1, 11, 9)


def test_listeners_that_share_a_port_have_room_for_all_of_them() -> None:
    shared = [listener(80, 3, 10), listener(80, 8, 10)]
    half_open = part(TcpState.SYN_RECV, 6, local_port=80, peers=6, timer=ON)
    found = rooms_of(at(0, *shared, half_open))
    assert [(room.used, room.limit) for room in found["accept_queue"]] == [(8, 11)]
    assert [(room.used, room.limit) for room in found["half_open"]] == [(6, 22)]


def test_the_kernels_tables_and_the_processes() -> None:
    gauges = {"sockstat.TCP.tw": 50, "sockstat.TCP.orphan": 7, "sockstat.TCP.mem": 300}
    parameters = {
        "fs.file-nr": "900 0 1000",
        "fs.file-max": "1000",
        "net.netfilter.nf_conntrack_count": "80",
        "net.netfilter.nf_conntrack_max": "100",
    }
    descriptors = {NGINX.pid: Descriptors(600, 1024), 77: Descriptors(5, 1024), 78: Descriptors(9, None)}
    found = rooms_of(at(0, listener(), gauges=gauges, parameters=parameters, descriptors=descriptors))
    assert {kind: [(room.used, room.limit) for room in each] for kind, each in found.items()} == {
        "time_wait": [(50, 131072)],
        "orphans": [(7, 131072)],
        "memory": [(300, 575802)],
        "descriptors": [(600, 1024)],
        "files": [(900, 1000)],
        "conntrack": [(80, 100)],
    }
    assert found["descriptors"][0].subject == "nginx (812)"


def test_where_nothing_is_known_there_are_no_rooms() -> None:
    assert rooms_of(at(0, parameters={"net.ipv4.ip_local_port_range": ""})) == {}
