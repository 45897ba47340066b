"""What is shown of narrowed samples is what is shown of the whole table, whatever was asked for and came in between."""

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.analysis.attribution import attributed
from tcptui.analysis.joins import transitions
from tcptui.model.fields import ViewKind
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import SocketTable
from tcptui.monitor.frame import Frame, build_frame
from tcptui.monitor.monitor import Monitor
from tcptui.monitor.view import View
from tcptui.query.bytecode import KernelQuery, kernel_queries
from tcptui.query.mask import mask_of
from tcptui.query.parse import parse_filter
from tcptui.query.request import Request
from tests.model.held import WORKER, whereabouts_of
from tests.model.random_tables import ANY_IPV4, ANY_IPV6, Socket, sample_of
from tests.monitor.frames import assert_same_columns, assert_same_transitions

LOCAL_PORTS, REMOTE_PORTS = (1, 2), (3, 4)
STATES_AFTER = {
    TcpState.ESTABLISHED: TcpState.FIN_WAIT1,
    TcpState.FIN_WAIT1: TcpState.TIME_WAIT,
    TcpState.CLOSE_WAIT: TcpState.TIME_WAIT,
}
OF_NGINX = whereabouts_of(dict.fromkeys(range(1, 5), (WORKER,)))
FILTERS = (
    None,
    *map(
        parse_filter,
        (
            *("sport = :1", "sport = :2", "sport = :1 and dport = :3", "not sport = :1", "dport > :3 or sport = :1"),
            *("state established", "state time-wait", "sport = :1 and state established", "exclude listening"),
            "(state established or sport = :1) and (state listening or dport = :3)",
            *("process nginx", "sport = :1 and process nginx", "not nginx", "recvq > 0", "sport = :1 and recvq > 0"),
            *("inet6:*", "inet:*:1", "state established or dport = :3", "not (state close-wait and sport = :2)"),
            "dport = :3 or (state listening and sport = :1)",
        ),
    ),
)
KINDS = (ViewKind.PEERS, ViewKind.LISTENERS, ViewKind.STATES)


def of_one_family(socket: Socket) -> Socket:
    """With the other end's address in the family of this one."""
    return replace(socket, remote=ANY_IPV4 if socket.family == 4 else ANY_IPV6)


connections = st.builds(
    Socket,
    state=st.sampled_from((*STATES_AFTER, TcpState.TIME_WAIT)),
    local=st.sampled_from((ANY_IPV4, ANY_IPV6)),
    local_port=st.sampled_from(LOCAL_PORTS),
    remote_port=st.sampled_from(REMOTE_PORTS),
    recv_queue=st.sampled_from((0, 5)),
    inode=st.integers(0, 8),
).map(of_one_family)
listeners = connections.map(lambda socket: replace(socket, state=TcpState.LISTEN, remote_port=0))
newcomers = st.lists(st.one_of(connections, connections, connections, listeners), max_size=6)
filters = st.sampled_from(FILTERS)


def narrowed(whole: Sample, request: Request) -> Sample:
    """What a source that asks the kernel gives of a sample."""
    if request.scope is None:
        return whole
    queries = [query for family in (4, 6) for query in kernel_queries(request.scope, family)]
    rows = whole.table.rows
    is_sent = np.logical_or.reduce([sent(query, whole) for query in queries])
    is_whole = all(query == KernelQuery(query.family, frozenset(TcpState)) for query in queries)
    return replace(whole, table=SocketTable(rows[is_sent]), is_whole=is_whole)


def sent(query: KernelQuery, whole: Sample) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The rows that the kernel sends for a question."""
    rows = whole.table.rows
    is_asked = (rows["family"] == query.family) & np.isin(rows["state"], list(query.states))
    if query.local_port:
        is_asked &= rows["local_port"] == query.local_port
    if query.remote_port:
        is_asked &= (rows["remote_port"] == query.remote_port) & (rows["state"] != TcpState.LISTEN)
    return is_asked & mask_of(query.condition, rows)


@dataclass
class World:
    """Sockets that come, change and go."""

    sockets: list[Socket] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    """Whole ones, one each second."""

    def go_on(self, chance: st.DataObject) -> Sample:
        """A second later."""
        staying = [each for each in self.sockets if chance.draw(st.integers(0, 6)) > 0]
        self.sockets = [self._later(each, chance) for each in staying]
        cookie = 100 * (len(self.samples) + 1)
        self.sockets += [replace(each, cookie=cookie + index) for index, each in enumerate(chance.draw(newcomers))]
        self.samples.append(replace(sample_of(self.sockets, float(len(self.samples))), whereabouts=OF_NGINX))
        return self.samples[-1]

    def _later(self, socket: Socket, chance: st.DataObject) -> Socket:
        change = chance.draw(st.integers(0, 8))
        if change == 0:
            return replace(socket, state=STATES_AFTER.get(socket.state, socket.state))
        return replace(socket, recv_queue=5 - socket.recv_queue) if change == 1 else socket

    def at(self, sample: Sample) -> Sample:
        """The whole one that ``sample`` is a part of, as it would be attributed."""
        return attributed(self.samples[int(sample.monotonic_s)])


def check(shown: Frame, world: World) -> None:
    """All that is shown must be as if nothing had been left out."""
    whole = world.at(shown.sample)
    expected = build_frame(shown.view, whole)
    assert shown.total == expected.total
    for state in TcpState:
        assert shown.state_count(state) == expected.state_count(state)
    ours, theirs = (
        {name: (column[0],) for name, column in each.grid.columns.items() if name != "change"}
        for each in (shown, expected)
    )
    assert_same_columns(ours, theirs)
    if shown.previous is not None:
        before = build_frame(shown.view, world.at(shown.previous))
        assert shown.elapsed_s == whole.monotonic_s - before.sample.monotonic_s > 0
        for state in TcpState:
            assert (shown.state_change(state) or 0) == expected.state_count(state) - before.state_count(state)
        if shown.transitions is not None:
            moves = transitions(before.sample.table, whole.table, before.mask, expected.mask)
            assert_same_transitions(shown.transitions, replace(moves, elapsed_s=shown.elapsed_s))


@settings(max_examples=200)
@given(st.data())
def test_what_is_shown_of_narrowed_samples_is_what_the_whole_table_shows(chance: st.DataObject) -> None:
    world = World()
    view = View(chance.draw(st.sampled_from(KINDS)), chance.draw(filters))
    monitor, request = Monitor(view), view.request.of_sockets
    frozen_at: Sample | None = None
    for step in chance.draw(
        st.lists(st.sampled_from(("sample", "sample", "sample", "late", "type", "show", "show", "pause")), max_size=14)
    ):
        if step == "sample":
            monitor.accept(narrowed(world.go_on(chance), request), request)
        elif step == "late":  # one that was under way for an earlier wish
            earlier = View(view.kind, chance.draw(filters)).request.of_sockets
            monitor.accept(narrowed(world.go_on(chance), earlier), earlier)
        elif step == "type":  # into the filter that is in force
            request = replace(request, scope=None)
        elif step == "show":
            view = View(chance.draw(st.sampled_from(KINDS)), chance.draw(filters))
            monitor.show(view)
            request = view.request.of_sockets
            if chance.draw(st.booleans()):  # while it is typed
                request = replace(request, scope=None)
        elif frozen_at is None:
            monitor.freeze()
            frozen_at = monitor.shown.sample if monitor.shown is not None else None
        else:
            monitor.thaw()
            frozen_at = None
        shown = monitor.shown
        if shown is None:
            continue
        assert (shown.view == view) is not monitor.is_behind
        assert frozen_at is None or shown.sample.monotonic_s == frozen_at.monotonic_s
        check(shown, world)
    monitor.thaw()
    monitor.accept(narrowed(world.go_on(chance), request), request)
    assert monitor.shown is not None
    assert (monitor.shown.view, monitor.shown.sample.monotonic_s) == (view, world.samples[-1].monotonic_s)
    check(monitor.shown, world)
