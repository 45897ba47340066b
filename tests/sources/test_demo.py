"""The synthetic scenes: the same everywhere, and each shows what it is named for."""

import functools
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from tcptui.errors import RequestError
from tcptui.model.sample import Sample
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.request import Need, request_for
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


@every_scene
def test_every_socket_with_an_inode_is_held_by_sshd_or_the_scenes_process(scene: str) -> None:
    for sample in samples(scene)[:3]:
        rows, owners = sample.table.rows, sample.owners
        assert owners is not None
        assert owners.inodes.tolist() == sorted(set(rows["inode"].tolist()) - {0})
        held = dict(zip(owners.inodes.tolist(), owners.pids.tolist(), strict=True))
        names = [owners.names[held[inode]] for inode in rows["inode"].tolist() if inode]
        is_ssh = (rows["local_port"] == 22)[rows["inode"] > 0].tolist()
        process = SCENES[scene].process
        assert names == ["sshd" if each else process for each in is_ssh]
        assert {"sshd", process} == set(names)


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
        ("process java", "inode != 0 and sport != :22"),
        ("java and state close-wait", "state close-wait"),
        ("service java", "java"),
        ("service system.slice", "inode != 0"),
        ("cgroup /system.slice/ssh.service", "sshd"),
        ("pid 640", "sshd"),
        ("user 33 and not inode 0", "inode != 0 and not state listen"),
    ],
)
def test_a_scene_can_be_asked_whose_the_sockets_are(text: str, same: str) -> None:
    sample = samples("leak")[0]
    assert meant(text, sample) == meant(same, sample) > 0


def test_what_a_scene_says_is_there_whether_it_was_asked_for_or_not() -> None:
    """Owners and paths cost nothing here, so that completion knows them from the start."""
    request = request_for(parse_filter("java or service ssh"))
    assert request.needs == {Need.OWNERS, Need.CGROUPS}
    asked, plain = DemoSource("leak").sample(request), samples("leak")[0]
    assert asked.owners is not None
    assert plain.owners is not None
    assert asked.owners.names == plain.owners.names
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
