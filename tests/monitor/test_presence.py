"""What completion may offer of a sample."""

from dataclasses import replace

import numpy as np

from tcptui.model.owners import Owners
from tcptui.model.sample import Sample
from tcptui.monitor.presence import MOST_VALUES, present_in
from tcptui.sources.demo import DemoSource
from tests.model.random_tables import Socket, sample_of

_ANY = {"0.0.0.0", "::"}  # noqa: S104 - what a listener has for a peer
SAMPLE = DemoSource("leak").sample()


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
    without = present_in(replace(SAMPLE, owners=None, cgroups=None))
    assert without.processes == without.services == ()


def present_of(sample: Sample, names: dict[int, str], holders: dict[int, int]) -> tuple[str, ...]:
    """The processes on offer where ``holders`` has the process of each inode."""
    owners = Owners(np.array(list(holders), np.uint32), np.array(list(holders.values()), np.int32), names)
    return present_in(replace(sample, owners=owners)).processes


def test_names_of_processes_come_as_they_are_those_with_the_most_sockets_first() -> None:
    sample = sample_of([Socket(inode=inode, cookie=inode) for inode in (11, 12, 13, 14)])
    names = {1: "Web Content", 2: 'a"b', 3: "listen", 4: "listen"}
    found = present_of(sample, names, {11: 1, 12: 3, 13: 4, 14: 2})
    assert found[0] == "listen"
    assert set(found) == {"listen", "Web Content", 'a"b'}


def test_a_process_that_holds_other_sockets_only_is_not_on_offer() -> None:
    """UNIX sockets have inodes too."""
    sample = sample_of([Socket(inode=11)])
    names = {1: "nginx", 2: "postgres"}
    assert present_of(sample, names, {11: 1, 900: 2}) == ("nginx",)
    assert set(present_of(replace(sample, is_whole=False), names, {11: 1, 900: 2})) == {"nginx", "postgres"}


def test_users_who_have_sockets_are_known_by_id_those_with_the_most_first() -> None:
    sample = sample_of([Socket(uid=uid, cookie=cookie) for cookie, uid in enumerate((33, 0, 33, 1000, 33, 0), 1)])
    assert present_in(sample).uids == (33, 0, 1000)
