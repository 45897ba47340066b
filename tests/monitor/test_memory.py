"""What is remembered of sockets beyond the present sample, against a dictionary."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.analysis.attribution import attribute
from tcptui.model.owners import Holders, Process, Standing, owners_of
from tcptui.model.sample import Destroyed, Sample, Whereabouts
from tcptui.model.states import TcpState
from tcptui.model.table import ROW, SocketTable, identities_of
from tcptui.monitor.memory import MOST_GONE, MOST_OUT_OF_SIGHT, SPARE_GROUPS, Memory, Recollection
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, Request, request_for
from tests.model.held import JAVA, MASTER, NGINX_PATH, WORKER, whereabouts_of
from tests.model.random_tables import Socket, sample_of, table_of
from tests.query.placed import Placed

STATES = (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT, TcpState.TIME_WAIT)
ON_443, ON_443_WAITING = request_for(parse_filter(":443")), request_for(parse_filter(":443 and state close-wait"))
ON_22 = request_for(parse_filter(":22"))
GROUPS: tuple[Holders, ...] = ((MASTER,), (WORKER,), (MASTER, WORKER), (JAVA,))


def is_in_sight(socket: Socket, request: Request) -> bool:
    """Whether a sample for one of the requests of this file has the socket."""
    if request == ON_443_WAITING:
        return socket.local_port == 443 and socket.state is TcpState.CLOSE_WAIT
    port = {ON_443: 443, ON_22: 22}.get(request)
    return port in (None, socket.local_port)


def has_all_of(request: Request, other: Request) -> bool:
    """Whether a sample for one of the requests of this file has all that one for another has."""
    return request in (EVERYTHING_PLAIN, other) or (request, other) == (ON_443, ON_443_WAITING)


def sample_at(
    now_s: float,
    sockets: Iterable[Socket],
    found: Whereabouts | None = None,
    destroyed: Destroyed | None = None,
) -> Sample:
    return replace(sample_of(sockets, now_s), whereabouts=found, destroyed=destroyed)


Name = tuple[int, int]
"""Cookie and namespace."""


def name_of(socket: Socket) -> Name:
    return socket.cookie, socket.values.get("netns", 0)


@dataclass
class Remembered:
    """All about one socket."""

    state: TcpState
    since_s: int
    is_watched: bool
    is_late: bool
    cgroup_id: int
    holders: Holders | None = None
    is_seen: bool = True
    inode: int = 0


@dataclass(frozen=True)
class Told:
    """What is to be said of one row."""

    age_ms: int
    is_watched: bool
    is_late: bool
    cgroup_id: int
    holders: Holders | None
    is_held: bool


@dataclass
class NaiveMemory:
    """The same with a dictionary."""

    known: dict[Name, Remembered] = field(default_factory=dict)
    ever_seen: set[Name] = field(default_factory=set)
    request: Request | None = None
    now_s: int = 0

    def update(
        self, sockets: Sequence[Socket], now_s: int, request: Request, owners: Mapping[int, Holders] | None
    ) -> list[Told]:
        last, self.now_s = self.request or EVERYTHING_PLAIN, now_s
        saw_all = self.request is not None and has_all_of(last, request)
        self._forget({name_of(each) for each in sockets}, request, last)
        for socket in sockets:
            self._see(socket, is_new_since_the_last=saw_all, is_followed=request != ON_443_WAITING)
        for name, each in self.known.items():
            each.is_seen = name in {name_of(socket) for socket in sockets}
        self.request = request
        return self.learn(sockets, owners)

    def learn(self, sockets: Sequence[Socket], owners: Mapping[int, Holders] | None) -> list[Told]:
        return [self._told(socket, owners or {}) for socket in sockets]

    def _forget(self, seen: set[Name], request: Request, last: Request) -> None:
        """What should be in the sample and is not."""
        for name, before in list(self.known.items()):
            is_expected = request == EVERYTHING_PLAIN or (before.is_seen and has_all_of(request, last))
            if name not in seen and is_expected:
                del self.known[name]

    def _see(self, socket: Socket, *, is_new_since_the_last: bool, is_followed: bool) -> None:
        before = self.known.get(name_of(socket))
        self.ever_seen.add(name_of(socket))
        if before is None:
            is_late = is_new_since_the_last and is_followed
            self.known[name_of(socket)] = Remembered(
                socket.state, self.now_s, is_new_since_the_last, is_late, socket.cgroup_id
            )
            return
        if before.state is not socket.state:
            before.state, before.since_s, before.is_watched = socket.state, self.now_s, before.is_seen
        before.cgroup_id = socket.cgroup_id or before.cgroup_id

    def _told(self, socket: Socket, owners: Mapping[int, Holders]) -> Told:
        known = self.known[name_of(socket)]
        known.inode = socket.inode or known.inode
        holders = owners.get(known.inode) if known.inode else None
        if holders is not None and (socket.inode or known.holders is None):
            known.holders = holders
        age_ms = (self.now_s - known.since_s) * 1000
        is_held = holders is not None and socket.inode > 0
        return Told(age_ms, known.is_watched, known.is_late, known.cgroup_id, known.holders, is_held)


def told_by(recollection: Recollection) -> list[Told]:
    """A recollection, row by row."""
    remembered = recollection.remembered
    return [
        Told(age_ms, is_watched, is_late, cgroup_id, remembered.groups[code] if code >= 0 else None, is_held)
        for age_ms, is_watched, is_late, cgroup_id, code, is_held in zip(
            recollection.age_ms.tolist(),
            recollection.is_watched.tolist(),
            remembered.is_late.tolist(),
            remembered.cgroup_ids.tolist(),
            remembered.codes.tolist(),
            remembered.is_held.tolist(),
            strict=True,
        )
    ]


tables = st.lists(
    st.builds(
        Placed,
        state=st.sampled_from(STATES),
        local_port=st.sampled_from((443, 22)),
        inode=st.integers(0, 3),
        cgroup_id=st.sampled_from((0, 0, 20, 2**64 - 1)),
        cookie=st.one_of(st.integers(1, 6), st.integers(2**64 - 3, 2**64 - 1)),
        netns=st.sampled_from((0, 0, 0, 1)),
    ),
    max_size=8,
    unique_by=name_of,
)
requests = st.sampled_from((EVERYTHING_PLAIN, ON_443, ON_443_WAITING, ON_22))
owners_maps = st.one_of(st.none(), st.dictionaries(st.integers(1, 3), st.sampled_from(GROUPS)))


@dataclass(frozen=True)
class Step:
    """One sample, and what is found out after it."""

    everything: list[Socket]
    request: Request
    elapsed_s: int
    owners: Mapping[int, Holders] | None
    learned: Mapping[int, Holders] | None
    freed: list[Name]


steps = st.builds(
    Step,
    tables,
    requests,
    st.integers(1, 5),
    owners_maps,
    owners_maps,
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 1)), max_size=4, unique=True),
)


def found(owners: Mapping[int, Holders] | None) -> Whereabouts | None:
    return None if owners is None else whereabouts_of(owners)


@settings(max_examples=150)
@given(st.lists(steps, max_size=12))
def test_what_is_remembered_is_what_a_dictionary_remembers(history: list[Step]) -> None:
    memory, naive, now_s = Memory(), NaiveMemory(), 0
    for step in history:
        now_s += step.elapsed_s
        sockets = [each for each in step.everything if is_in_sight(each, step.request)]
        sample = sample_at(float(now_s), sockets, found(step.owners))
        expected = naive.update(sockets, now_s, step.request, step.owners)
        assert told_by(memory.update(sample, step.request)) == expected
        assert len(memory) == len(naive.known)
        if step.learned is not None:
            later = replace(sample, whereabouts=found(step.learned))
            assert told_by(memory.learn(later)) == naive.learn(sockets, step.learned)


# -- Ages --------------------------------------------------------------------------------------------------------------


def update(memory: Memory, now_s: float, *sockets: Socket, request: Request = EVERYTHING_PLAIN) -> list[int]:
    return memory.update(sample_at(now_s, sockets), request).age_ms.tolist()


def test_time_counts_from_the_first_sight_of_a_state_in_milliseconds() -> None:
    memory = Memory()
    assert update(memory, 10.0, Socket(cookie=1)) == [0]
    assert update(memory, 11.25, Socket(cookie=2), Socket(cookie=1)) == [0, 1250]
    assert update(memory, 13.0, Socket(TcpState.CLOSE_WAIT, cookie=1), Socket(cookie=2)) == [0, 1750]
    assert update(memory, 14.0, Socket(TcpState.CLOSE_WAIT, cookie=1)) == [1000]


def test_a_socket_out_of_sight_keeps_its_age_if_it_comes_back_in_the_same_state() -> None:
    memory = Memory()
    other = Socket(local_port=22, cookie=9)
    update(memory, 0.0, Socket(cookie=1), Socket(cookie=2), other)
    for now_s in (10.0, 20.0):
        update(memory, now_s, other, request=ON_22)
    assert update(memory, 30.0, Socket(TcpState.CLOSE_WAIT, cookie=1), Socket(cookie=2), other) == [0, 30_000, 30_000]


@pytest.mark.parametrize("request_after", [EVERYTHING_PLAIN, ON_443])
def test_a_socket_that_a_sample_should_have_and_has_not_is_forgotten(request_after: Request) -> None:
    memory = Memory()
    update(memory, 0.0, Socket(cookie=1), request=ON_443)
    update(memory, 10.0, request=request_after)
    assert len(memory) == 0
    assert update(memory, 20.0, Socket(cookie=1), request=request_after) == [0]


def test_a_narrower_sample_forgets_nothing_of_what_it_leaves_out() -> None:
    memory = Memory()
    update(memory, 0.0, Socket(cookie=1), Socket(TcpState.CLOSE_WAIT, cookie=2), request=ON_443)
    update(memory, 10.0, Socket(TcpState.CLOSE_WAIT, cookie=2), request=ON_443_WAITING)
    assert update(memory, 20.0, Socket(cookie=1), request=ON_443) == [20_000]
    assert len(memory) == 1


def test_what_was_out_of_sight_is_forgotten_by_the_next_whole_sample_without_it() -> None:
    memory = Memory()
    update(memory, 0.0, Socket(cookie=1))
    update(memory, 10.0, request=ON_22)
    assert len(memory) == 1
    update(memory, 20.0)
    assert len(memory) == 0


def test_a_narrowed_view_of_connections_that_come_and_go_takes_no_more_and_more_memory() -> None:
    """Nobody may ever ask for a whole sample again."""
    memory = Memory()
    for second in range(50):
        newcomers = (Socket(cookie=second * 10 + each + 1) for each in range(10))
        update(memory, float(second), *newcomers, request=ON_443)
        assert len(memory) == 10


def sample_of_cookies(now_s: float, first: int, count: int) -> Sample:
    rows = np.zeros(count, ROW)
    rows["cookie"] = np.arange(count) + first
    return replace(sample_of([], now_s), table=SocketTable(rows))


def test_filters_that_take_turns_take_no_more_and_more_memory() -> None:
    """Each leaves out of sight what the other has seen; without a whole sample nobody knows what of that is gone."""
    memory, count = Memory(), 60_000
    for second in range(12):
        sample = sample_of_cookies(float(second), second * count + 1, count)
        assert not memory.update(sample, (ON_443, ON_22)[second % 2]).age_ms.any()
        assert count <= len(memory) <= MOST_OUT_OF_SIGHT + count


def test_the_rows_of_a_sample_are_left_as_they_are() -> None:
    sample = sample_at(1.0, [Socket(cookie=5), Socket(cookie=3)], whereabouts_of({7: (WORKER,)}))
    before = sample.table.rows.tobytes()
    memory = Memory()
    memory.update(sample)
    memory.learn(sample)
    reversed_sample = replace(sample, table=SocketTable(sample.table.rows[::-1]), monotonic_s=2.0)
    assert memory.update(reversed_sample).age_ms.dtype == np.int64
    assert sample.table.rows.tobytes() == before


def watched(memory: Memory, now_s: float, *sockets: Socket, request: Request = EVERYTHING_PLAIN) -> list[bool]:
    return memory.update(sample_at(now_s, sockets), request).is_watched.tolist()


OPEN, WAITING = Socket(cookie=1), Socket(TcpState.CLOSE_WAIT, cookie=1)


def test_an_age_is_all_of_it_only_for_a_state_that_was_come_into_under_watch() -> None:
    """A connection that was there at the start may have been in its state for days."""
    memory = Memory()
    assert watched(memory, 0.0, OPEN) == [False]
    assert watched(memory, 1.0, OPEN, Socket(cookie=2)) == [False, True]
    assert watched(memory, 2.0, WAITING, Socket(cookie=2)) == [True, True]
    assert watched(memory, 3.0, WAITING) == [True]


def test_a_state_that_was_come_into_out_of_sight_began_nobody_knows_when() -> None:
    memory = Memory()
    watched(memory, 0.0, OPEN)
    watched(memory, 1.0, request=ON_22)
    assert watched(memory, 2.0, WAITING) == [False]
    assert watched(memory, 3.0, WAITING) == [False]


@pytest.mark.parametrize(
    ("before", "after", "is_watched"),
    [
        (ON_443, ON_443, True),
        (EVERYTHING_PLAIN, ON_443, True),
        (ON_443, ON_443_WAITING, True),
        (ON_443_WAITING, ON_443, False),
        (ON_443, EVERYTHING_PLAIN, False),
        (ON_22, ON_443, False),
    ],
)
def test_a_socket_is_new_if_the_sample_before_should_have_had_it(
    before: Request, after: Request, *, is_watched: bool
) -> None:
    memory = Memory()
    watched(memory, 0.0, request=before)
    assert watched(memory, 1.0, WAITING, request=after) == [is_watched]


# -- Holders -----------------------------------------------------------------------------------------------------------


def standings(memory: Memory, sample: Sample, request: Request = EVERYTHING_PLAIN) -> list[tuple[Standing, object]]:
    """How each row is named in the end, and by whom."""
    return attributed_by(sample, memory.update(sample, request))


def attributed_by(sample: Sample, recollection: Recollection) -> list[tuple[Standing, object]]:
    attribution = attribute(sample, recollection.remembered)
    groups = [attribution.groups[code] if code >= 0 else None for code in attribution.codes.tolist()]
    return list(zip(map(Standing, attribution.standing.tolist()), groups, strict=True))


HELD, CLOSED_BY_WORKER = (Standing.HELD, (WORKER,)), (Standing.REMEMBERED, (WORKER,))
OF_WORKER = whereabouts_of({7: (WORKER,)}, {20: NGINX_PATH})
NOBODY_THERE = whereabouts_of({})
PATHS_TO_THE_END = [
    (TcpState.FIN_WAIT1, TcpState.FIN_WAIT2, TcpState.TIME_WAIT),
    (TcpState.FIN_WAIT1, TcpState.CLOSING, TcpState.TIME_WAIT),
    (TcpState.CLOSE_WAIT, TcpState.LAST_ACK),
    (TcpState.FIN_WAIT1, TcpState.TIME_WAIT),
]


@pytest.mark.parametrize("path", PATHS_TO_THE_END, ids=lambda path: " ".join(state.name for state in path))
@pytest.mark.parametrize("after", [OF_WORKER, NOBODY_THERE], ids=["its process runs on", "its process has ended"])
def test_who_closed_a_connection_is_known_until_it_is_gone(path: tuple[TcpState, ...], after: Whereabouts) -> None:
    """FACTS section 6.5: the kernel forgets inode and cgroup, but not the cookie."""
    memory = Memory()
    assert standings(memory, sample_at(0.0, [Socket(inode=7, cgroup_id=20)], OF_WORKER)) == [HELD]
    for second, state in enumerate(path, start=1):
        is_closed = state is not TcpState.CLOSE_WAIT
        socket = Socket(state, inode=0 if is_closed else 7, cgroup_id=0 if is_closed else 20)
        sample = sample_at(float(second), [socket], after if is_closed else OF_WORKER)
        recollection = memory.update(sample)
        assert attributed_by(sample, recollection) == [CLOSED_BY_WORKER if is_closed else HELD]
        assert recollection.remembered.cgroup_ids.tolist() == [20]
    assert memory.update(sample_at(9.0, [])).remembered.codes.tolist() == []
    assert len(memory) == 0


def test_a_socket_is_not_said_to_be_held_by_a_process_that_gave_it_up() -> None:
    memory = Memory()
    standings(memory, sample_at(0.0, [Socket(inode=7)], OF_WORKER))
    assert standings(memory, sample_at(1.0, [Socket(inode=7)], NOBODY_THERE)) == [CLOSED_BY_WORKER]
    assert standings(memory, sample_at(2.0, [Socket(inode=7)], whereabouts_of({7: (JAVA,)}))) == [
        (Standing.HELD, (JAVA,))
    ]
    assert standings(memory, sample_at(3.0, [Socket(TcpState.TIME_WAIT)], NOBODY_THERE)) == [
        (Standing.REMEMBERED, (JAVA,))
    ]


def test_what_is_found_out_after_a_sample_is_of_that_sample_and_of_those_to_come() -> None:
    memory = Memory()
    sample = sample_at(0.0, [Socket(inode=7)], NOBODY_THERE)
    assert standings(memory, sample) == [(Standing.SEARCHING, None)]
    later = replace(sample, whereabouts=OF_WORKER)
    assert attributed_by(later, memory.learn(later)) == [HELD]
    assert standings(memory, sample_at(1.0, [Socket(TcpState.FIN_WAIT1)], OF_WORKER)) == [CLOSED_BY_WORKER]


def test_learning_makes_nothing_older_or_newer() -> None:
    memory = Memory()
    memory.update(sample_at(0.0, [OPEN]))
    sample = sample_at(1.0, [WAITING, Socket(cookie=2)], NOBODY_THERE)
    before = memory.update(sample)
    after = memory.learn(replace(sample, whereabouts=OF_WORKER))
    assert (after.age_ms.tolist(), after.is_watched.tolist()) == (before.age_ms.tolist(), before.is_watched.tolist())
    assert after.remembered.is_late.tolist() == before.remembered.is_late.tolist() == [False, True]


def test_a_socket_that_was_closed_out_of_sight_is_still_known_by_who_held_it() -> None:
    """A filter was set and taken away meanwhile."""
    memory = Memory()
    other = Socket(local_port=22, cookie=9)
    standings(memory, sample_at(0.0, [Socket(inode=7), other], OF_WORKER))
    for second in (1.0, 2.0, 3.0):
        standings(memory, sample_at(second, [other], OF_WORKER), ON_22)
    assert standings(memory, sample_at(4.0, [Socket(TcpState.TIME_WAIT), other], OF_WORKER))[0] == CLOSED_BY_WORKER


@pytest.mark.parametrize(
    ("request_of_all", "standing"),
    [
        (EVERYTHING_PLAIN, Standing.BRIEF),
        (ON_443, Standing.BRIEF),
        (ON_443_WAITING, Standing.EARLIER),  # it may have been established for hours, which was not asked for
    ],
)
def test_a_closed_connection_was_brief_if_no_sample_could_have_missed_it(
    request_of_all: Request, standing: Standing
) -> None:
    memory = Memory()
    closed = Socket(TcpState.LAST_ACK)
    memory.update(sample_at(0.0, []), request_of_all)
    assert standings(memory, sample_at(1.0, [closed], NOBODY_THERE), request_of_all) == [(standing, None)]
    assert standings(memory, sample_at(2.0, [closed], NOBODY_THERE), request_of_all) == [(standing, None)]


def test_a_closed_connection_of_a_first_sample_was_closed_before() -> None:
    assert standings(Memory(), sample_at(0.0, [Socket(TcpState.LAST_ACK)], NOBODY_THERE)) == [(Standing.EARLIER, None)]


def test_a_process_goes_by_the_name_that_it_had_last() -> None:
    """``prctl(PR_SET_NAME)`` after ``fork(2)``; closed connections are told by it too."""
    memory = Memory()
    memory.update(sample_at(0.0, [Socket(inode=7)], OF_WORKER))
    renamed = replace(WORKER, name="nginx: old")
    sample = sample_at(1.0, [Socket(TcpState.FIN_WAIT1)], whereabouts_of({8: (renamed,)}))
    remembered = memory.update(sample).remembered
    assert [each.name for each in remembered.groups[remembered.codes[0]]] == ["nginx: old"]
    assert len(remembered.groups) == 1


# -- Groups that nobody is in any more ---------------------------------------------------------------------------------


def crowd(first: int, count: int) -> dict[int, Holders]:
    """So many processes, each with a socket; inode and process id are the same number."""
    return {number: (Process(number, 1, f"p{number}"),) for number in range(first, first + count)}


def test_groups_that_no_socket_has_are_forgotten_and_the_others_keep_their_sockets() -> None:
    """A machine that starts a process for each connection."""
    memory = Memory()
    many, mine = whereabouts_of(crowd(1, SPARE_GROUPS + 1)), (1, 70, SPARE_GROUPS)
    sockets = [Socket(inode=inode, cookie=inode) for inode in mine]
    first = memory.update(sample_at(0.0, sockets, many)).remembered
    assert len(first.groups) == SPARE_GROUPS + 1
    closed = [Socket(TcpState.FIN_WAIT1, cookie=inode) for inode in mine]
    late = sample_at(1.0, [*closed, Socket(inode=50_000, cookie=50_000)], whereabouts_of(crowd(50_000, 1)))
    then = memory.update(late).remembered
    assert [process.pid for group in then.groups for process in group] == [*mine, 50_000]
    assert [then.groups[code][0].pid for code in then.codes.tolist()] == [*mine, 50_000]
    # What was handed out before is as it was.
    assert [first.groups[code][0].pid for code in first.codes.tolist()] == list(mine)


def test_groups_of_sockets_out_of_sight_are_kept() -> None:
    memory = Memory()
    memory.update(sample_at(0.0, [Socket(inode=70)], whereabouts_of(crowd(1, SPARE_GROUPS + 1))))
    memory.update(sample_at(1.0, []), ON_22)
    memory.update(sample_at(2.0, [], whereabouts_of(crowd(50_000, 1))), ON_22)
    closed = sample_at(3.0, [Socket(TcpState.FIN_WAIT1)], whereabouts_of({}))
    remembered = memory.update(closed).remembered
    assert remembered.groups[remembered.codes[0]] == crowd(70, 1)[70]
    assert len(remembered.groups) == 2


def test_processes_that_come_and_go_take_no_more_and_more_memory() -> None:
    memory, count = Memory(), 3000
    for second in range(20):
        inodes = crowd(second * count + 1, count)
        sockets = [Socket(inode=inode, cookie=inode) for inode in list(inodes)[:3]]
        remembered = memory.update(sample_at(float(second), sockets, whereabouts_of(inodes))).remembered
        assert [remembered.groups[code][0].pid for code in remembered.codes.tolist()] == list(inodes)[:3]
        assert len(remembered.groups) <= SPARE_GROUPS + 2 * count


@settings(max_examples=30)
@given(st.lists(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 400)), max_size=4), min_size=1, max_size=8))
def test_however_groups_are_renumbered_each_socket_keeps_its_own(history: list[list[tuple[int, int]]]) -> None:
    """Sockets 1 to 5 go from one process to another, among more processes than are remembered."""
    memory, last_holders = Memory(), dict.fromkeys(range(1, 6), 0)
    everybody = crowd(1_000_000, SPARE_GROUPS)
    for second, changes in enumerate(history):
        held = dict(changes)
        holders = {cookie: (Process(pid, 1, f"p{pid}"),) for cookie, pid in held.items()}
        sockets = [Socket(inode=cookie if cookie in held else 0, cookie=cookie) for cookie in range(1, 6)]
        here = whereabouts_of({**holders, **(everybody if second % 2 else {})})
        remembered = memory.update(sample_at(float(second), sockets, here)).remembered
        last_holders |= held
        pids = [remembered.groups[code][0].pid if code >= 0 else 0 for code in remembered.codes.tolist()]
        assert pids == list(last_holders.values())


# -- Connections that came and went between two samples ----------------------------------------------------------------


def freed(*sockets: Socket, **known: object) -> Destroyed:
    """The destroy events of these: of each only its ends and cookie are told."""
    described = [replace(each, state=TcpState.CLOSE, inode=0) for each in sockets]
    return replace(Destroyed(table_of(described).rows), **known)  # type: ignore[arg-type] # checked by callers


def brief(memory: Memory, now_s: float, sockets: Sequence[Socket], destroyed: Destroyed) -> list[int] | None:
    """Cookies of those that no sample has shown."""
    left = memory.update(sample_at(now_s, sockets, destroyed=destroyed)).brief
    return None if left is None else left.rows["cookie"].tolist()


def test_what_no_sample_has_shown_came_and_went_in_between() -> None:
    memory = Memory()
    one, other = Socket(remote_port=1, cookie=1), Socket(remote_port=2, cookie=2)
    assert brief(memory, 0.0, [one], freed(Socket(remote_port=5, cookie=50))) is None
    assert brief(memory, 1.0, [other], freed(one, Socket(remote_port=6, cookie=60))) == [60]
    assert brief(memory, 2.0, [], freed(other, Socket(remote_port=7, cookie=70))) == [70]


def test_a_socket_whose_program_was_slow_to_close_it_was_shown_long_ago() -> None:
    """It was reset: out of the table at once, and freed when the descriptor is closed."""
    memory = Memory()
    reset = Socket(cookie=1)
    brief(memory, 0.0, [reset], freed())
    for second in (1.0, 2.0, 3.0):
        assert brief(memory, second, [], freed()) == []
    assert brief(memory, 4.0, [], freed(reset)) == []


@pytest.mark.parametrize(
    ("left_behind", "is_brief"),
    [
        (Socket(TcpState.TIME_WAIT, cookie=9), False),
        (Socket(TcpState.FIN_WAIT2, cookie=9), False),
        (Socket(TcpState.FIN_WAIT2, inode=7, cookie=9), True),  # its program has it open: another connection
        (Socket(TcpState.ESTABLISHED, cookie=9), True),  # the same ends are in use again
        (Socket(TcpState.TIME_WAIT, remote_port=9, cookie=9), True),
        (Placed(TcpState.TIME_WAIT, cookie=9, netns=1), True),
    ],
)
def test_what_this_side_closed_goes_on_in_time_wait_under_a_cookie_of_its_own(
    left_behind: Socket, *, is_brief: bool
) -> None:
    """A cookie is given when somebody looks first, and that was after the event."""
    memory = Memory()
    brief(memory, 0.0, [], freed())
    assert brief(memory, 1.0, [left_behind], freed(Socket(cookie=50))) == ([50] if is_brief else [])


def test_after_a_narrower_sample_nobody_knows_what_came_and_went() -> None:
    memory = Memory()
    gone = freed(Socket(cookie=50))
    for second, request, is_known in ((0.0, ON_443, False), (1.0, ON_443, True), (2.0, EVERYTHING_PLAIN, False)):
        recollection = memory.update(sample_at(second, [], destroyed=gone), request)
        assert (recollection.brief is not None) == is_known
    assert memory.update(sample_at(3.0, [], destroyed=gone), EVERYTHING_PLAIN).brief is not None


def test_without_events_nobody_knows_either() -> None:
    memory = Memory()
    memory.update(sample_at(0.0, []))
    assert memory.update(sample_at(1.0, [])).brief is None


def test_events_that_were_lost_stay_said() -> None:
    memory = Memory()
    memory.update(sample_at(0.0, []))
    left = memory.update(sample_at(1.0, [], destroyed=freed(Socket(cookie=5), is_complete=False))).brief
    assert left is not None
    assert (len(left.rows), left.is_complete) == (1, False)


def test_learning_leaves_what_came_and_went_as_it_was_found() -> None:
    memory = Memory()
    memory.update(sample_at(0.0, [Socket(cookie=1)]))
    sample = sample_at(1.0, [], destroyed=freed(Socket(cookie=1), Socket(remote_port=5, cookie=5)))
    left = memory.update(sample).brief
    assert left is not None
    assert memory.learn(replace(sample, destroyed=left, whereabouts=OF_WORKER)).brief is left


def test_what_has_left_the_table_takes_no_more_and_more_memory() -> None:
    memory, count = Memory(), 60_000
    for second in range(10):
        memory.update(sample_of_cookies(float(second), second * count + 1, count))
        assert sum(map(len, memory._gone)) <= MOST_GONE
    early, late = (replace(sample_of_cookies(0.0, first, 10).table) for first in (1, 8 * count))
    for table, is_known in ((early, False), (late, True)):
        sample = replace(sample_of([], 20.0), destroyed=Destroyed(table.rows))
        left = memory.update(sample).brief
        assert left is not None
        assert (len(left.rows) == 0) == is_known


@settings(max_examples=100)
@given(st.lists(steps, max_size=8))
def test_brief_are_those_that_no_sample_has_ever_shown(history: list[Step]) -> None:
    memory, ever_seen = Memory(), set[Name]()
    for second, step in enumerate(history):
        # A connection of its own each, so that none is taken for what another left behind.
        sockets = [
            replace(each, remote_port=each.cookie % 2**16, state=TcpState.ESTABLISHED) for each in step.everything
        ]
        events = freed(*(Placed(remote_port=1000 + cookie, cookie=cookie, netns=netns) for cookie, netns in step.freed))
        left = memory.update(sample_at(float(second), sockets, destroyed=events)).brief
        ever_seen |= {name_of(each) for each in sockets}
        if second == 0:
            assert left is None
            continue
        assert left is not None
        names = list(zip(left.rows["cookie"].tolist(), left.rows["netns"].tolist(), strict=True))
        assert names == [name for name in step.freed if name not in ever_seen]


def test_the_same_cookie_in_two_namespaces_is_two_sockets() -> None:
    """Before Linux 5.4 each namespace counts its own."""
    memory = Memory()
    here, there = Placed(inode=7, cookie=1), Placed(inode=8, cookie=1, netns=1)
    sample = sample_at(0.0, [here, there], whereabouts_of({7: (WORKER,), 8: (JAVA,)}))
    assert standings(memory, sample) == [HELD, (Standing.HELD, (JAVA,))]
    closed = [replace(each, state=TcpState.TIME_WAIT, inode=0) for each in (there, here)]
    assert standings(memory, sample_at(1.0, closed, NOBODY_THERE)) == [(Standing.REMEMBERED, (JAVA,)), CLOSED_BY_WORKER]
    assert len(set(identities_of(sample.table.rows).tolist())) == 2


def test_owners_that_are_the_same_object_are_read_once() -> None:
    """A look that found nothing new hands out the same owners; their groups are not gone through again."""
    memory = Memory()
    memory.update(sample_at(0.0, [Socket(inode=7)], OF_WORKER))
    translation = memory._translation
    memory.update(sample_at(1.0, [Socket(inode=7)], OF_WORKER))
    assert memory._translation is translation
    again = Whereabouts(owners_of({7: (WORKER,)}))
    memory.update(sample_at(2.0, [Socket(inode=7)], again))
    assert memory._translation is not translation
