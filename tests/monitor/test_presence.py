"""What completion may offer of a sample."""

from dataclasses import replace

from tcptui.analysis.attribution import attributed
from tcptui.model.owners import Owners, Process, owners_of
from tcptui.model.sample import Sample, Whereabouts
from tcptui.model.states import TcpState
from tcptui.monitor.presence import MOST_VALUES, present_in
from tcptui.sources.demo import DemoSource
from tests.model.held import JAVA, MASTER, NGINX_PATH, WORKER, held_sample_of
from tests.model.random_tables import ANY_IPV4, Socket, sample_of

_ANY = {"0.0.0.0", "::"}  # noqa: S104 - what a listener has for a peer
SAMPLE = attributed(DemoSource("leak").sample())


def test_states_ports_and_addresses_come_by_frequency() -> None:
    present = present_in(SAMPLE)
    assert present.states[:2] == ("close-wait", "established")
    assert present.local_ports[0] == "8080"
    assert present.remote_ports[0] == "3306"
    assert present.local_addresses[0] == "10.0.0.7"
    assert present.remote_addresses[:3] == ("10.1.7.1", "10.1.7.2", "10.1.7.3")
    assert not _ANY & {*present.local_addresses, *present.remote_addresses}
    assert "0" not in present.remote_ports


def test_everything_that_is_offered_is_there() -> None:
    present = present_in(SAMPLE)
    rows = SAMPLE.table.rows
    assert {*map(int, present.local_ports)} <= set(rows["local_port"].tolist())
    assert {*map(int, present.remote_ports)} <= set(rows["remote_port"].tolist())
    assert len(present.remote_ports) <= MOST_VALUES


def test_processes_and_services_are_there_when_they_were_looked_for() -> None:
    present = present_in(SAMPLE)
    assert set(present.processes) == {"java", "sshd"}
    assert set(present.services) == {"java.service", "ssh.service"}
    without = present_in(replace(SAMPLE, attribution=None))
    assert without.processes == without.services == ()


def present_of(sample: Sample, names: dict[int, str], holders: dict[int, int]) -> tuple[str, ...]:
    """The processes on offer where ``holders`` has the process of each inode."""
    owners = owners_of({inode: (Process(pid, 0, names[pid]),) for inode, pid in holders.items()})
    return present_in(attributed(held_sample_of_rows(sample, owners))).processes


def held_sample_of_rows(sample: Sample, owners: Owners) -> Sample:
    return replace(sample, whereabouts=Whereabouts(owners))


def test_names_of_processes_come_as_they_are_those_with_the_most_sockets_first() -> None:
    sample = sample_of([Socket(inode=inode, cookie=inode) for inode in (11, 12, 13, 14)])
    names = {1: "Web Content", 2: 'a"b', 3: "listen", 4: "listen"}
    found = present_of(sample, names, {11: 1, 12: 3, 13: 4, 14: 2})
    assert found[0] == "listen"
    assert set(found) == {"listen", "Web Content", 'a"b'}


def test_a_process_that_holds_other_sockets_only_is_not_on_offer() -> None:
    """UNIX sockets have inodes too."""
    sample = sample_of([Socket(inode=11)])
    assert present_of(sample, {1: "nginx", 2: "postgres"}, {11: 1, 900: 2}) == ("nginx",)


def test_a_process_without_a_name_is_not_on_offer() -> None:
    assert present_of(sample_of([Socket(inode=11)]), {1: ""}, {11: 1}) == ()


def test_all_that_share_a_socket_are_on_offer_each_name_once() -> None:
    sample = held_sample_of(
        [Socket(inode=11), Socket(inode=12, cookie=2)], owners_of({11: (MASTER, WORKER), 12: (JAVA,)})
    )
    assert present_in(attributed(sample)).processes == ("nginx", "java")


def test_who_holds_only_a_listener_that_connections_wait_at_is_on_offer_with_those() -> None:
    waiting = [Socket(cookie=cookie) for cookie in (3, 4)]
    described = [Socket(TcpState.LISTEN, ANY_IPV4, 443, inode=11), Socket(inode=12, cookie=2), *waiting]
    sample = attributed(held_sample_of(described, owners_of({11: (MASTER,), 12: (JAVA,)})))
    assert present_in(sample).processes == ("nginx", "java")


def test_a_service_is_on_offer_by_the_part_of_its_path_that_the_filter_takes() -> None:
    cgroups = {20: f"{NGINX_PATH}/workers", 21: "/", 22: "/docker/" + "0" * 64, 23: "/system.slice/idle.service"}
    sockets = [Socket(cgroup_id=number, cookie=number) for number in (20, 21, 22)]
    assert present_in(attributed(held_sample_of(sockets, cgroups=cgroups))).services == ("nginx.service", "0" * 64)


def test_users_who_have_sockets_are_known_by_id_those_with_the_most_first() -> None:
    sample = sample_of([Socket(uid=uid, cookie=cookie) for cookie, uid in enumerate((33, 0, 33, 1000, 33, 0), 1)])
    assert present_in(sample).uids == (33, 0, 1000)


def test_namespaces_come_by_their_labels_those_with_the_most_sockets_first() -> None:
    sample = sample_of([Socket(cookie=cookie) for cookie in range(1, 7)])
    sample.table.rows["netns"] = [2, 3, 2, 0, 3, 2]
    found = present_in(replace(sample, namespaces=("self", "blue", "pid 812 nginx", "red", ""))).namespaces
    assert found == ("pid 812 nginx", "red", "self", "blue")
    assert present_in(sample_of([])).namespaces == ("self",)
