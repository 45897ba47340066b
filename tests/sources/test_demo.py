"""The synthetic scenes: the same everywhere, and each shows what it is named for."""

import functools
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from tcptui.analysis.attribution import attributed
from tcptui.diagnosis.counters import COUNTER_GROUPS
from tcptui.errors import RequestError
from tcptui.model.detail import SocketKey
from tcptui.model.owners import Holders
from tcptui.model.sample import Sample
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.request import Need, Request, request_for
from tcptui.sources.demo import DEMO_PARAMETERS, FIRST_TAKEN_AT, SCENES, DemoSource

every_scene = pytest.mark.parametrize("scene", SCENES)


LENGTH = 30


@functools.cache
def samples(scene: str) -> list[Sample]:
    """The first half minute of a scene; taken once, since a scene's first second costs hundreds of earlier ones."""
    source = DemoSource(scene)
    taken = [source.sample() for _ in range(LENGTH)]
    source.close()
    return taken


def counts(sample: Sample) -> dict[TcpState, int]:
    by_number = sample.table.state_counts()
    return {state: int(by_number[state]) for state in ALL_STATES}


def series(scene: str, state: TcpState) -> list[int]:
    return [counts(sample)[state] for sample in samples(scene)]


@every_scene
def test_two_sources_of_one_scene_give_the_same_samples(scene: str) -> None:
    source = DemoSource(scene)
    for one in samples(scene)[:2]:
        other = source.sample()
        assert one.table.rows.tobytes() == other.table.rows.tobytes()
        assert (one.taken_at, one.monotonic_s, one.origin) == (other.taken_at, other.monotonic_s, other.origin)


@every_scene
def test_a_scenes_clock_is_the_number_of_samples(scene: str) -> None:
    for number, sample in enumerate(samples(scene)):
        assert sample.taken_at == FIRST_TAKEN_AT + timedelta(seconds=number)
        assert sample.monotonic_s == number


@every_scene
def test_a_scene_says_that_it_is_made_up(scene: str) -> None:
    sample = samples(scene)[0]
    assert sample.origin.source == f"demo {scene}"
    assert [each.code for each in sample.degraded] == ["demo"]
    assert sample.parameters == DEMO_PARAMETERS
    assert sample.absent_fields == frozenset()


@every_scene
def test_a_scenes_sockets_are_such_as_a_kernel_has(scene: str) -> None:
    for sample in samples(scene)[:3]:
        rows = sample.table.rows
        assert len(np.unique(rows["cookie"])) == len(rows)
        assert set(rows["family"].tolist()) <= {4, 6}
        assert counts(sample)[TcpState.CLOSE] == 0
        mini = np.isin(rows["state"], (TcpState.TIME_WAIT, TcpState.SYN_RECV, TcpState.FIN_WAIT2))
        assert not rows["inode"][mini].any()
        assert not rows["send_queue_bytes"][mini].any()
        assert (rows["remote_port"][rows["state"] == TcpState.LISTEN] == 0).all()
        assert (rows["remote_port"][rows["state"] != TcpState.LISTEN] > 0).all()


@every_scene
def test_no_timer_runs_longer_than_a_kernels(scene: str) -> None:
    """60 s of TIME_WAIT and FIN_WAIT2, 120 s between retransmissions (FACTS section 1)."""
    for sample in samples(scene)[:3]:
        assert sample.table.rows["timer_ms"].max() <= 120_000


@every_scene
def test_sockets_stay_themselves_from_one_sample_to_the_next(scene: str) -> None:
    """Most of them are there again, with the same ends."""
    before, after = samples(scene)[:2]
    ends = ("local_hi", "local_lo", "local_port", "remote_hi", "remote_lo", "remote_port")
    old, new = (
        dict(zip(rows["cookie"].tolist(), rows[list(ends)].tolist(), strict=True))
        for rows in (before.table.rows, after.table.rows)
    )
    both = old.keys() & new.keys()
    assert len(both) > len(old) * 0.9
    assert all(old[cookie] == new[cookie] for cookie in both)


@every_scene
def test_a_narrow_request_is_answered_with_everything(scene: str) -> None:
    """Nothing is saved by making up less, and a scene's picture does not depend on what is looked at."""
    source = DemoSource(scene)
    asked = source.sample(request_for(parse_filter("state time-wait and :443")))
    assert asked.table.rows.tobytes() == samples(scene)[0].table.rows.tobytes()
    assert asked.is_whole


def held_in(sample: Sample) -> dict[int, Holders]:
    """Who holds each inode."""
    owners = sample.owners
    assert owners is not None
    return {
        inode: owners.groups[code] for inode, code in zip(owners.inodes.tolist(), owners.codes.tolist(), strict=True)
    }


@every_scene
def test_every_socket_with_an_inode_is_held_by_sshd_or_the_scenes_processes(scene: str) -> None:
    for sample in samples(scene)[:3]:
        rows, held = sample.table.rows, held_in(sample)
        inodes = [inode for inode in rows["inode"].tolist() if inode]
        assert len(set(inodes)) == len(inodes)
        assert list(held) == sorted(inodes)
        is_ssh = (rows["local_port"] == 22)[rows["inode"] > 0].tolist()
        process = SCENES[scene].process
        names = [{holder.name for holder in held[inode]} for inode in inodes]
        assert names == [{"sshd"} if each else {process} for each in is_ssh]


@every_scene
def test_workers_share_the_listeners_and_each_has_its_own_connections(scene: str) -> None:
    sample = samples(scene)[0]
    rows, held = sample.table.rows, held_in(sample)
    of_scene = rows[(rows["inode"] > 0) & (rows["local_port"] != 22)]
    is_listening = of_scene["state"] == TcpState.LISTEN
    workers = {holder for inode in of_scene["inode"].tolist() for holder in held[inode]}
    assert len(workers) == SCENES[scene].workers
    assert {len(held[inode]) for inode in of_scene["inode"][is_listening].tolist()} == {len(workers)}
    busy = [held[inode] for inode in of_scene["inode"][~is_listening].tolist()]
    assert {len(group) for group in busy} == {1}
    assert {group[0] for group in busy} == workers


@every_scene
def test_a_process_has_as_many_descriptors_open_as_it_holds_sockets_and_some_files(scene: str) -> None:
    for sample in samples(scene)[:: LENGTH // 3]:
        owners = sample.owners
        assert owners is not None
        sockets = Counter(holder.pid for group in held_in(sample).values() for holder in group)
        assert set(owners.descriptors) == set(sockets)
        for pid, told in owners.descriptors.items():
            assert told.limit is not None
            assert sockets[pid] < told.open < told.limit


@every_scene
def test_a_process_is_in_the_cgroup_of_its_sockets_and_stays_itself(scene: str) -> None:
    first, *_, last = samples(scene)
    for sample in (first, last):
        assert sample.owners is not None
        for process in sample.owners.processes():
            assert process.cgroup == f"/system.slice/{'ssh' if process.name == 'sshd' else process.name}.service"
            assert process.command
            assert process.user
    assert first.owners is not None
    assert last.owners is not None
    assert first.owners.groups == last.owners.groups


def test_nothing_is_left_to_look_for() -> None:
    """So that a picture does not depend on when it is taken."""
    source = DemoSource("calm")
    assert source.look(source.sample().table.rows, 0.1) is None


@pytest.mark.parametrize("state", [TcpState.ESTABLISHED, TcpState.TIME_WAIT, TcpState.LISTEN])
def test_more_is_told_of_the_socket_that_is_asked_for(state: TcpState) -> None:
    """TIME_WAIT has no tcp_info (FACTS section 6.2)."""
    source = DemoSource("calm")
    rows = source.sample().table.rows
    row = rows[rows["state"] == state][-1]
    named = {name: int(row[name]) for name in SocketKey._fields if name != "is_listener"}
    key = SocketKey(**named, is_listener=state is TcpState.LISTEN)
    detail = source.sample(Request(watched=key)).detail
    assert detail is not None
    assert detail.key == key
    assert (detail.info is None) == (state is TcpState.TIME_WAIT)
    assert source.sample(Request(watched=key._replace(cookie=2**63))).detail is None
    assert source.sample().detail is None


@every_scene
def test_a_sockets_cgroup_is_the_service_of_its_process_and_mini_sockets_have_none(scene: str) -> None:
    """FACTS section 6.2."""
    for sample in samples(scene)[:3]:
        rows, cgroups = sample.table.rows, sample.cgroups
        assert cgroups is not None
        assert ((rows["cgroup_id"] > 0) == (rows["inode"] > 0)).all()
        by_path = {path: rows["cgroup_id"] == number for number, path in cgroups.items()}
        assert set(by_path) == {"/system.slice/ssh.service", f"/system.slice/{SCENES[scene].process}.service"}
        is_held = rows["inode"] > 0
        assert by_path["/system.slice/ssh.service"].tolist() == (is_held & (rows["local_port"] == 22)).tolist()
        assert (by_path[f"/system.slice/{SCENES[scene].process}.service"] | ~is_held | (rows["local_port"] == 22)).all()


def meant(text: str, sample: Sample) -> int:
    return int(mask_of(parse_filter(text).expression, sample.table.rows, sample).sum())


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("process java and inode != 0", "inode != 0 and sport != :22"),
        ("process java", "sport != :22"),  # those that it closed are at its listener
        ("java and state close-wait", "state close-wait"),
        ("service java", "java"),
        ("service system.slice", "state all"),
        ("cgroup /system.slice/ssh.service", "sshd"),
        ("pid 640", "sshd"),
        ("pid 812", "java"),
        ("user 33 and not inode 0", "inode != 0 and not state listen"),
    ],
)
def test_a_scene_can_be_asked_whose_the_sockets_are(text: str, same: str) -> None:
    sample = attributed(samples("leak")[0])
    assert meant(text, sample) == meant(same, sample) > 0


def test_what_a_scene_says_is_there_whether_it_was_asked_for_or_not() -> None:
    """Owners and paths cost nothing here, so that completion knows them from the start."""
    request = request_for(parse_filter("java or service ssh"))
    assert request.needs == {Need.OWNERS, Need.CGROUPS}
    asked, plain = DemoSource("leak").sample(request), samples("leak")[0]
    assert asked.owners is not None
    assert plain.owners is not None
    assert asked.owners.groups == plain.owners.groups
    assert asked.owners.inodes.tolist() == plain.owners.inodes.tolist()
    assert asked.cgroups == plain.cgroups


def test_an_unknown_scene_is_refused_with_the_nearest() -> None:
    with pytest.raises(RequestError, match="no demo scene 'flod': did you mean flood"):
        DemoSource("flod")


# -- What each scene shows ---------------------------------------------------------------------------------------------


def test_calm_is_steady() -> None:
    for state in ALL_STATES:
        seen = series("calm", state)
        assert max(seen) - min(seen) <= max(20, 0.25 * max(seen))
    first = counts(samples("calm")[0])
    assert first[TcpState.ESTABLISHED] > first[TcpState.TIME_WAIT] > first[TcpState.FIN_WAIT2] > 0
    assert first[TcpState.CLOSE_WAIT] == first[TcpState.SYN_RECV] == first[TcpState.LAST_ACK] == 0


def test_leak_grows_in_close_wait_and_never_shrinks() -> None:
    seen = series("leak", TcpState.CLOSE_WAIT)
    assert all(later >= earlier for earlier, later in pairwise(seen))
    assert seen[-1] - seen[0] > 300
    assert seen[0] > 3000
    rows = samples("leak")[0].table.rows
    held = rows["inode"][rows["state"] == TcpState.CLOSE_WAIT]
    assert held.all()


def test_flood_has_more_half_open_connections_than_the_backlog_after_its_start() -> None:
    seen = series("flood", TcpState.SYN_RECV)
    assert max(seen[:8]) < min(seen[20:])
    rows = samples("flood")[-1].table.rows
    unanswered = rows[rows["state"] == TcpState.SYN_RECV]
    assert len(np.unique(unanswered["remote_lo"])) > 100
    assert (unanswered["timer"] == 1).all()


def test_timewait_comes_near_the_ports_there_are_for_one_destination() -> None:
    seen = series("timewait", TcpState.TIME_WAIT)
    assert min(seen) > 20_000
    rows = samples("timewait")[0].table.rows
    waiting = rows[rows["state"] == TcpState.TIME_WAIT]
    destinations, sizes = np.unique(waiting[["remote_hi", "remote_lo", "remote_port"]], return_counts=True)
    assert sizes.max() > 0.9 * len(waiting)
    assert destinations[sizes.argmax()]["remote_port"] == 11211


def test_lastack_has_thousands_that_nobody_acknowledges() -> None:
    first = counts(samples("lastack")[0])
    assert first[TcpState.LAST_ACK] > 4000
    assert first[TcpState.FIN_WAIT1] > 500
    assert first[TcpState.CLOSING] > 50
    rows = samples("lastack")[0].table.rows
    waiting = rows[rows["state"] == TcpState.LAST_ACK]
    assert (waiting["send_queue_bytes"] > 1).all()
    assert not waiting["inode"].any()
    assert waiting["retransmits"].max() > 3


# -- Counters ----------------------------------------------------------------------------------------------------------


@every_scene
def test_counters_only_grow_and_are_those_that_rules_and_views_know(scene: str) -> None:
    taken = samples(scene)
    for before, after in pairwise(taken):
        gone_back = [
            name
            for name, value in before.counters.items()
            if not name.startswith("sockstat.") and after.counters[name] < value
        ]
        assert gone_back == []
    known = {name for group in COUNTER_GROUPS for name in group.names if not name.startswith("conntrack.")}
    assert known <= set(taken[0].counters)


def grown(scene: str, name: str) -> float:
    """How much a counter has grown a second."""
    first, *_, last = samples(scene)
    return (last.counters[name] - first.counters[name]) / (last.monotonic_s - first.monotonic_s)


@pytest.mark.parametrize(
    ("scene", "name", "least", "most"),
    [
        ("calm", "Tcp.PassiveOpens", 14, 18),
        ("calm", "TcpExt.TCPTimeouts", 0, 0),
        ("leak", "Tcp.ActiveOpens", 12, 15),
        ("flood", "TcpExt.SyncookiesSent", 50, 90),
        ("flood", "Tcp.PassiveOpens", 8, 10),
        ("timewait", "Tcp.ActiveOpens", 380, 460),
        ("timewait", "TcpExt.TW", 380, 470),
        ("lastack", "TcpExt.TCPAbortOnTimeout", 55, 80),
        ("lastack", "TcpExt.TCPTimeouts", 400, 700),
    ],
)
def test_counters_tell_what_the_sockets_do(scene: str, name: str, least: float, most: float) -> None:
    assert least <= grown(scene, name) <= most


@every_scene
def test_what_is_sent_again_is_a_small_part(scene: str) -> None:
    """Of what a scene is about, lost segments are no part."""
    again = grown(scene, "Tcp.RetransSegs") - grown(scene, "TcpExt.TCPSynRetrans")
    assert again < 0.01 * grown(scene, "Tcp.OutSegs")
