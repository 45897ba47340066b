"""What completion may offer of a sample."""

from dataclasses import replace

import numpy as np

from tcptui.model.owners import Owners
from tcptui.monitor.presence import MOST_VALUES, present_in
from tcptui.query.parse import parse_filter
from tcptui.query.syntax import ProcessTest
from tcptui.sources.demo import DemoSource

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


def test_a_name_that_could_mean_something_else_stands_in_quotes() -> None:
    names = {
        1: "Web Content",
        2: "443",
        3: 'a"b',
        4: "kworker/0:1",
        5: "d\N{LATIN SMALL LETTER E WITH ACUTE}mon",
        6: "a-b",
    }
    owners = Owners(np.arange(6, dtype=np.uint32), np.arange(1, 7, dtype=np.int32), names)
    offered = present_in(replace(SAMPLE, owners=owners)).processes
    assert 'a"b' not in offered
    assert "a-b" in offered
    for word in offered:
        assert parse_filter(word).expression == ProcessTest(word.strip('"'))
