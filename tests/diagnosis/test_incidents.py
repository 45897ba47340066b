"""The incidents that the project began with: the rules that should speak do, and no others.

An incident is judged by what its note tells: mostly counts by state, sometimes peers. Where it has no numbers, it is
made up as its text says.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcptui.diagnosis.finding import Confidence, Diagnosis, Severity
from tcptui.model.disk import DiskSetting
from tcptui.model.owners import Descriptors, Process
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import ROW
from tests.diagnosis.scenes import (
    HISTOGRAM,
    JAVA,
    NO_INFO,
    ON,
    QUIET_COUNTERS,
    Part,
    alarms,
    at,
    counted,
    fired,
    judged,
    listener,
    part,
)

Incident = dict[str, Any]

INCIDENTS: dict[str, Incident] = {
    each["id"]: each for each in json.loads((Path(__file__).parents[1] / "data" / "incidents.json").read_text("utf-8"))
}
SEVERITIES = {"high": Severity.CRITICAL, "warn": Severity.WARNING}
"""The words of the incidents for it."""
BEFORE_6 = "2.6.18-53.1.13.el5PAE"


def settings(incident: Incident) -> list[DiskSetting]:
    """What somebody was told to put into /etc/sysctl.conf, or has."""
    known = {"net.ipv4.tcp_tw_recycle": False}
    return [
        DiskSetting(name, str(_newest(value)), "/etc/sysctl.conf", line, is_known=known.get(name, True))
        for line, (name, value) in enumerate(incident["sysctls"].items(), start=1)
        if name.startswith("net.")
    ]


def _newest(value: object) -> object:
    return value[-1] if isinstance(value, list) else value


def by_counts(incident: Incident) -> list[Sample]:
    """What the histogram tells, of the kernel that it was of."""
    kernel = BEFORE_6 if "series" in incident else "6.18.44"
    return [counted({TcpState[name]: count for name, count in incident["states"].items()}, kernel)]


def behind_balancers(incident: Incident) -> list[Sample]:
    """The histogram, and the peers as far as the note has them; those were counted at another time."""
    rest = {TcpState[name]: count for name, count in incident["states"].items()}
    parts = []
    for number, row in enumerate(incident["peers"]):
        state = TcpState[row["state"]]
        remote = row["peer"].replace("x.x.x.", "192.0.2.")
        parts.append(part(state, row["count"], remote=remote, remote_port=1024 + number))
        rest[state] -= row["count"]
    others = np.zeros(sum(max(count, 0) for count in rest.values()), ROW)
    others["state"] = np.repeat(np.array(list(rest), np.uint8), [max(count, 0) for count in rest.values()])
    others["remote_lo"] = np.arange(len(others)) + (0xFFFF_0A00_0000)
    return [at(0, *parts, Part(others), absent=HISTOGRAM - {"remote_address"}, parameters={})]


def leak_of_descriptors(incident: Incident) -> list[Sample]:
    process = incident["process"]
    full = {JAVA.pid: Descriptors(process["fds_open"], process["limit_nofile"])}
    leaked = part(TcpState.CLOSE_WAIT, incident["states"]["CLOSE_WAIT"], local_port=8080, holder=JAVA)
    return [at(0, leaked, descriptors=full, absent=HISTOGRAM - {"inode"})]


def advice(incident: Incident) -> list[Sample]:
    """Nothing is known of the machine, but what was put into its files."""
    return [at(0, on_disk=settings(incident))]


def unacknowledged(incident: Incident) -> list[Sample]:
    closing = part(TcpState.FIN_WAIT1, 900, peers=450, timer=ON, retransmits=5, send_queue_bytes=1)
    return [at(0, listener(), closing, on_disk=settings(incident))]


def worm(_incident: Incident) -> list[Sample]:
    scanner = Process(666, 1, "msblast")
    asking = part(
        *(TcpState.SYN_SENT, 120),
        local_port=None,
        remote="203.0.113.0",
        peers=120,
        remote_port=135,
        holder=scanner,
        timer=ON,
        retransmits=2,
        send_queue_bytes=1,
    )
    return [at(0, asking)]


def one_forgotten(incident: Incident) -> list[Sample]:
    (row,) = incident["peers"]
    forgotten = part(
        *(TcpState.CLOSE_WAIT, row["count"]),
        local="172.18.0.5",
        local_port=38822,
        remote="172.18.0.3",
        remote_port=3306,
        holder=JAVA,
        idle_ms=45 * 60_000,
    )
    return [at(0, forgotten, absent=NO_INFO - {"idle_ms"})]


def load_test(_incident: Incident) -> list[Sample]:
    """The server's end: it closes first, and the client takes its ports again."""
    return [at(0, listener(80), part(TcpState.TIME_WAIT, 28_000, local_port=80, timer=3, timer_ms=30_000))]


def churning(incident: Incident) -> list[Sample]:
    """A thousand connections a second to one memcached, all closed by PHP."""
    low, high = incident["sysctls"]["net.ipv4.ip_local_port_range"].split()
    waiting = part(
        *(TcpState.TIME_WAIT, incident["rates"]["available_ports"] - 100),
        local_port=None,
        remote_port=11211,
        timer=3,
        timer_ms=30_000,
    )
    parameters = {
        "net.ipv4.ip_local_port_range": f"{low} {high}",
        "net.ipv4.tcp_max_tw_buckets": "180000",
        "net.ipv4.tcp_tw_reuse": "1",
    }
    return [at(0, waiting, parameters=parameters, on_disk=settings(incident))]


def many_connections(incident: Incident) -> list[Sample]:
    (sample,) = by_counts(incident)
    sample.parameters.update(incident["sysctls"])  # type: ignore[attr-defined] # a dict of the test's own
    return [sample]


def spoofed(_incident: Incident) -> list[Sample]:
    half_open = part(TcpState.SYN_RECV, 500, remote="192.0.2.0", peers=500, timer=ON, retransmits=3)
    return [at(0, listener(443, backlog=511), half_open)]


def refused_segments(_incident: Incident) -> list[Sample]:
    return [
        at(0, counters=QUIET_COUNTERS),
        at(10, counters={**QUIET_COUNTERS, "TcpExt.PAWSEstab": 60}),
    ]


MADE_UP = {
    "fw2-lb": behind_balancers,
    "closewait-java-fd": leak_of_descriptors,
    "timewait-advice-001": advice,
    "timewait-windows-002": advice,
    "finwait1-advice-001": unacknowledged,
    "synsent-worm-002": worm,
    "closewait-mysql-003": one_forgotten,
    "ab-timewait-003": load_test,
    "memcached-php-003": churning,
    "tcpmem-860k-003": many_connections,
    "synflood-003": spoofed,
    "tw-reuse-clock-003": refused_segments,
}


def diagnosis_of(incident: Incident) -> Diagnosis:
    return judged(*MADE_UP.get(incident["id"], by_counts)(incident))


@pytest.mark.parametrize("name", INCIDENTS)
def test_the_rules_that_should_speak_do_and_no_others(name: str) -> None:
    incident = INCIDENTS[name]
    found = set(fired(diagnosis_of(incident)))
    expected, allowed = set(incident["expect_rules"]), set(incident["may_also"])
    assert expected <= found, f"silent: {sorted(expected - found)}"
    assert found <= expected | allowed, f"too much: {sorted(found - expected - allowed)}"


@pytest.mark.parametrize("name", [name for name, each in INCIDENTS.items() if "expect_severity" in each])
def test_it_is_as_bad_as_it_was(name: str) -> None:
    incident = INCIDENTS[name]
    found = fired(diagnosis_of(incident))
    (rule,) = incident["expect_rules"]
    assert found[rule].severity is SEVERITIES[incident["expect_severity"]]


@pytest.mark.parametrize("name", [name for name, each in INCIDENTS.items() if each.get("healthy")])
def test_on_a_healthy_machine_nothing_is_wrong(name: str) -> None:
    diagnosis = diagnosis_of(INCIDENTS[name])
    assert alarms(diagnosis) == set()
    assert "nothing wrong seen" in diagnosis.verdict_line


@pytest.mark.parametrize("name", [name for name in INCIDENTS if name not in MADE_UP])
def test_counts_alone_make_nothing_more_than_possible_and_say_what_is_missing(name: str) -> None:
    for finding in diagnosis_of(INCIDENTS[name]).findings:
        assert finding.confidence is Confidence.POSSIBLE
        assert finding.missing


def test_every_incident_is_there() -> None:
    assert len(INCIDENTS) == 29
    assert INCIDENTS.keys() >= MADE_UP.keys()
