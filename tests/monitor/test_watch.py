"""One connection from sample to sample: its figures, its end, and whose it is."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.attribution import attribute
from tcptui.model.address import address_text
from tcptui.model.detail import SocketDetail, SocketKey
from tcptui.model.owners import Holders, Process, Standing, owners_of
from tcptui.model.sample import Sample, Whereabouts
from tcptui.model.states import TcpState
from tcptui.monitor.memory import Memory
from tcptui.monitor.watch import SERIES_LENGTH, Measure, Watch, Watcher
from tests.model.random_tables import ANY_IPV4, ANY_IPV6, HERE, Socket, sample_of

SERVED = Socket(cookie=77, inode=4242, cgroup_id=20)
LISTENER = Socket(TcpState.LISTEN, ANY_IPV4, 443, ANY_IPV4, 0, cookie=1, inode=9, send_queue=128)
OTHER = Socket(cookie=78, remote_port=40001)
NGINX = Process(812, 4100, "nginx", "nginx: worker process", 33, "www-data", "/system.slice/nginx.service")
NGINX_TOO = Process(813, 4101, "nginx", "nginx: worker process", 33, "www-data", "/system.slice/nginx.service")


def key_of(socket: Socket) -> SocketKey:
    values = socket.values
    named = {name: values[name] for name in SocketKey._fields if name in values}
    return SocketKey(**named, netns=0, is_listener=socket.state is TcpState.LISTEN)


KEY = key_of(SERVED)


def sample_with(
    sockets: Iterable[Socket], at_s: float = 0.0, info: Mapping[str, int] | None = None, key: SocketKey = KEY
) -> Sample:
    """A sample that tells more of one socket, ``info`` if there is any."""
    return replace(sample_of(sockets, at_s), detail=SocketDetail(key, info))


def watched_through(*samples: Sample, key: SocketKey = KEY) -> Watch:
    watcher = Watcher()
    watches = [watcher.update(sample, key) for sample in samples]
    last = watches[-1]
    assert last is not None
    return last


def counted(*values: tuple[float, Mapping[str, int]]) -> Watch:
    """What is known after samples with these times and figures."""
    return watched_through(*(sample_with([SERVED], at_s, info) for at_s, info in values))


# -- Series ------------------------------------------------------------------------------------------------------------


def test_what_grows_is_told_as_its_growth_in_a_second() -> None:
    watch = counted(
        (10.0, {"bytes_sent": 1000, "bytes_received": 50, "total_retrans": 3}),
        (12.0, {"bytes_sent": 4000, "bytes_received": 50, "total_retrans": 5}),
        (12.5, {"bytes_sent": 4000, "bytes_received": 150, "total_retrans": 5}),
    )
    assert watch.series[Measure.SENT] == (None, 1500, 0)
    assert watch.series[Measure.RECEIVED] == (None, 0, 200)


def test_what_was_sent_again_is_counted_from_sample_to_sample() -> None:
    watch = counted((0.0, {"total_retrans": 3}), (2.0, {"total_retrans": 7}), (3.0, {"total_retrans": 7}))
    assert watch.series[Measure.RETRANSMITS] == (None, 4, 0)


def test_what_is_a_figure_by_itself_is_told_as_it_is() -> None:
    watch = counted(
        (0.0, {"rtt": 204_000, "snd_cwnd": 10, "delivery_rate": 90}),
        (1.0, {"rtt": 205_000, "snd_cwnd": 12, "delivery_rate": 0}),
    )
    assert watch.series[Measure.RTT_US] == (204_000, 205_000)
    assert watch.series[Measure.CWND] == (10, 12)
    assert watch.series[Measure.DELIVERY] == (90, 0)


def test_a_round_trip_that_was_not_measured_yet_is_none_at_all() -> None:
    assert counted((0.0, {"rtt": 0}), (1.0, {"rtt": 840})).series[Measure.RTT_US] == (None, 840)


def test_where_the_kernel_does_not_count_what_is_sent_it_is_what_is_acknowledged() -> None:
    """``tcpi_bytes_sent`` came with Linux 4.19."""
    watch = counted((0.0, {"bytes_acked": 10}), (1.0, {"bytes_acked": 30}), (2.0, {"bytes_acked": 31, "bytes_sent": 9}))
    assert watch.series[Measure.SENT] == (None, 20, 1)


@pytest.mark.parametrize("later", [(2.0, {"bytes_sent": 999}), (1.0, {"bytes_sent": 5000}), (2.0, {})])
def test_what_cannot_be_a_rate_is_not_known(later: tuple[float, Mapping[str, int]]) -> None:
    """A counter that went back, no time in between, no counter any more."""
    assert counted((1.0, {"bytes_sent": 1000}), later).series[Measure.SENT] == (None, None)


def test_a_rate_over_a_sample_without_figures_is_that_of_the_whole_time() -> None:
    watcher = Watcher()
    for at_s, detail in ((0.0, {"bytes_sent": 0}), (1.0, None), (2.0, {"bytes_sent": 600})):
        sample = sample_of([SERVED], at_s)
        watch = watcher.update(replace(sample, detail=None if detail is None else SocketDetail(KEY, detail)), KEY)
    assert watch is not None
    assert watch.series[Measure.SENT] == (None, None, 300)


def test_the_queues_are_those_of_the_row() -> None:
    sockets = [replace(SERVED, recv_queue=count, send_queue=9 * count) for count in (0, 1, 5)]
    watch = watched_through(*(sample_of([OTHER, each], float(at)) for at, each in enumerate(sockets)))
    assert watch.series[Measure.RECV_QUEUE] == (0, 1, 5)
    assert watch.series[Measure.SEND_QUEUE] == (0, 9, 45)


def test_queues_that_the_source_cannot_know_are_none() -> None:
    absent = frozenset({"recv_queue_bytes", "send_queue_bytes"})
    watch = watched_through(sample_of([replace(SERVED, recv_queue=5)], absent=absent))
    assert watch.series[Measure.RECV_QUEUE] == watch.series[Measure.SEND_QUEUE] == (None,)


def test_a_series_keeps_its_newest_values() -> None:
    watch = counted(*((float(at), {"snd_cwnd": at}) for at in range(SERIES_LENGTH + 7)))
    assert watch.series[Measure.CWND] == tuple(range(7, SERIES_LENGTH + 7))
    assert {len(series) for series in watch.series.values()} == {SERIES_LENGTH}


INFO_NAMES = (
    "rtt",
    "snd_cwnd",
    "delivery_rate",
    "bytes_sent",
    "bytes_acked",
    "bytes_received",
    "total_retrans",
    "state",
)
infos = st.dictionaries(st.sampled_from(INFO_NAMES), st.integers(0, 2**64 - 1))


passed_s = st.just(0.0) | st.floats(1e-9, 5)
"""Clocks tell nanoseconds."""


@given(st.lists(st.tuples(passed_s, st.none() | infos, st.booleans()), min_size=1, max_size=12))
def test_no_series_is_ever_below_zero_and_all_are_equally_long(steps: list[tuple[float, dict[str, int], bool]]) -> None:
    watcher, now_s = Watcher(), 0.0
    for elapsed_s, info, is_there in steps:
        now_s += elapsed_s
        watch = watcher.update(sample_with([SERVED] if is_there else [OTHER], now_s, info), KEY)
        assert watch is not None
        assert len({len(series) for series in watch.series.values()}) == 1
        assert all(value is None or value >= 0 for series in watch.series.values() for value in series)


# -- From its beginning to its end -------------------------------------------------------------------------------------


def test_nothing_is_watched_until_it_is_asked_for() -> None:
    assert Watcher().update(sample_of([SERVED]), None) is None


def test_the_row_is_the_one_with_the_cookie_in_the_namespace() -> None:
    sample = sample_of([OTHER, replace(SERVED, cookie=77, remote_port=1), SERVED])
    sample.table.rows["netns"] = (0, 1, 0)
    assert watched_through(sample).row == 2
    assert watched_through(sample, key=KEY._replace(netns=1)).row == 1


def test_another_key_begins_anew_and_none_forgets() -> None:
    watcher = Watcher()
    sample = sample_with([SERVED, OTHER], 0.0, {"rtt": 5})
    watcher.update(sample, KEY)
    watch = watcher.update(sample, key_of(OTHER))
    assert watch is not None
    assert (watch.key, watch.row, watch.detail, watch.unanswered) == (key_of(OTHER), 1, None, 1)
    assert {len(series) for series in watch.series.values()} == {1}
    assert watcher.update(sample, None) is None
    again = watcher.update(sample, KEY)
    assert again is not None
    assert again.series[Measure.RTT_US] == (5,)


def test_a_connection_that_goes_on_into_time_wait_stays_the_same_one() -> None:
    """The kernel keeps its cookie and forgets its figures (FACTS sections 6.2 and 6.5)."""
    closed = replace(SERVED, state=TcpState.TIME_WAIT, inode=0, timer=3, timer_ms=60_000)
    info = {"rtt": 840, "bytes_sent": 10}
    watch = watched_through(sample_with([SERVED], 0.0, info), sample_with([closed], 1.0))
    assert (watch.state, watch.gone_since_s, watch.last_info) == (TcpState.TIME_WAIT, None, info)
    assert watch.detail == SocketDetail(KEY)
    assert watch.series[Measure.RTT_US] == (840, None)


def test_what_is_gone_is_so_since_the_first_sample_without_it() -> None:
    seen = sample_with([SERVED], 0.0, {"rtt": 840})
    watch = watched_through(seen, sample_of([OTHER], 1.0), sample_of([OTHER], 4.0))
    assert (watch.row, watch.detail, watch.gone_since_s) == (None, None, 1.0)
    assert (watch.state, watch.last_info) == (TcpState.ESTABLISHED, {"rtt": 840})
    assert watch.series[Measure.RTT_US] == (840,)


def test_what_a_dump_has_missed_comes_back() -> None:
    """A dump is not atomic."""
    watch = watched_through(sample_of([SERVED], 0.0), sample_of([OTHER], 1.0), sample_of([SERVED], 2.0))
    assert (watch.row, watch.gone_since_s) == (0, None)


def test_what_the_kernel_still_answers_for_is_not_gone() -> None:
    """A sample that was narrowed to a filter does not hold the row."""
    watch = watched_through(sample_with([SERVED], 0.0, {"state": 1}), sample_with([OTHER], 1.0, {"state": 8, "rtt": 3}))
    assert (watch.row, watch.gone_since_s, watch.state) == (None, None, TcpState.CLOSE_WAIT)
    assert watch.series[Measure.RTT_US][-1] == 3
    assert watch.age_ms is None


@pytest.mark.parametrize("info", [None, {}, {"state": 200}])
def test_a_state_that_nobody_tells_stays_as_it_was_seen(info: dict[str, int] | None) -> None:
    watch = watched_through(sample_with([SERVED], 0.0), sample_with([OTHER], 1.0, info))
    assert watch.state is TcpState.ESTABLISHED


def test_what_was_never_there_has_no_state() -> None:
    watch = watched_through(sample_of([OTHER], 3.0))
    assert (watch.state, watch.gone_since_s, watch.holders) == (None, 3.0, None)


def test_samples_without_an_answer_are_counted_until_there_is_one() -> None:
    silent = [sample_of([SERVED], float(at)) for at in range(3)]
    assert watched_through(*silent).unanswered == 3
    assert watched_through(*silent, sample_with([SERVED], 3.0)).unanswered == 0
    assert watched_through(*silent, sample_of([], 3.0)).unanswered == 0


def test_the_age_is_that_of_the_row() -> None:
    sample = replace(sample_of([OTHER, SERVED]), age_ms=np.array([1, 90_000]), is_watched=np.array([False, True]))
    watch = watched_through(sample)
    assert (watch.age_ms, watch.is_age_whole) == (90_000, True)
    assert watched_through(sample_of([SERVED])).age_ms is None


# -- Where it came in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listener", "expected"),
    [
        (LISTENER, str(ANY_IPV4)),
        (replace(LISTENER, local=ANY_IPV6, remote=ANY_IPV6), "::"),
        (replace(LISTENER, local=HERE), str(HERE)),
        (replace(LISTENER, local=IPv4Address("10.9.9.9")), None),
        (replace(LISTENER, local_port=80), None),
        (None, None),
    ],
)
def test_a_connection_came_in_where_its_port_is_listened_on(listener: Socket | None, expected: str | None) -> None:
    watch = watched_through(sample_of([SERVED, *([listener] if listener else [])]))
    told = watch.listener
    assert (told and (address_text(told[0], told[1]), told[2])) == (expected and (expected, 443))


def test_what_has_come_in_did_so_after_the_listener_is_gone_too() -> None:
    assert watched_through(sample_of([SERVED, LISTENER]), sample_of([SERVED], 1.0)).listener is not None
    assert watched_through(sample_of([SERVED]), sample_of([SERVED, LISTENER], 1.0)).listener is None


def test_what_sends_a_syn_and_what_listens_did_not_come_in() -> None:
    opening = replace(SERVED, state=TcpState.SYN_SENT)
    assert watched_through(sample_of([opening, LISTENER])).listener is None
    assert watched_through(sample_of([LISTENER]), key=key_of(LISTENER)).listener is None


def test_where_it_came_in_is_known_without_its_row() -> None:
    """Listeners are in every sample, however narrow."""
    assert watched_through(sample_with([LISTENER], 0.0, {"state": 1})).listener is not None


def test_a_mapped_address_came_in_at_ipv4() -> None:
    mapped = replace(SERVED, local=IPv6Address("::ffff:10.0.0.5"), remote=IPv6Address("::ffff:198.51.100.7"))
    watch = watched_through(sample_of([mapped, replace(LISTENER, local=HERE)]), key=key_of(mapped))
    assert watch.listener is not None


# -- Whose it is -------------------------------------------------------------------------------------------------------


class Machine:
    """Samples with what is known of who holds the sockets, as the monitor makes them."""

    def __init__(self) -> None:
        self._memory = Memory()

    def sample(
        self, sockets: Iterable[Socket], holders: Mapping[int, Holders], former: Iterable[Process] = ()
    ) -> Sample:
        owners = owners_of(holders, former=frozenset(former))
        cgroups = {20: "/system.slice/nginx.service"}
        sample = replace(sample_of(sockets), whereabouts=Whereabouts(owners, cgroups))
        return replace(sample, attribution=attribute(sample, self._memory.update(sample).remembered))


def test_its_holders_and_its_cgroup_are_known() -> None:
    watch = watched_through(Machine().sample([SERVED], {4242: (NGINX, NGINX_TOO)}))
    assert (watch.holders, watch.standing) == ((NGINX, NGINX_TOO), Standing.HELD)
    assert watch.cgroup == "/system.slice/nginx.service"


def test_who_closed_it_is_remembered_while_it_lasts_and_after_it_is_gone() -> None:
    machine = Machine()
    closed = replace(SERVED, state=TcpState.FIN_WAIT2, inode=0, cgroup_id=0, timer=3)
    seen = [machine.sample([SERVED], {4242: (NGINX,)}), machine.sample([closed], {})]
    watch = watched_through(*seen)
    assert (watch.holders, watch.standing) == ((NGINX,), Standing.REMEMBERED)
    assert watch.cgroup == "/system.slice/nginx.service"
    watch = watched_through(*seen, machine.sample([], {}))
    assert (watch.holders, watch.standing) == ((NGINX,), Standing.REMEMBERED)
    assert watch.cgroup == "/system.slice/nginx.service"


def test_who_has_exited_meanwhile_is_known_after_it_is_gone_too() -> None:
    machine = Machine()
    seen = machine.sample([SERVED], {4242: (NGINX, NGINX_TOO)})
    assert watched_through(seen).ended == frozenset()
    gone = machine.sample([], {}, [NGINX_TOO])
    assert watched_through(seen, gone).ended == {NGINX}
    assert watched_through(seen, gone, machine.sample([], {}, [replace(NGINX, start_ticks=9000)])).ended == {
        NGINX,
        NGINX_TOO,
    }


def test_what_is_found_out_later_about_its_holders_is_taken() -> None:
    machine, watcher = Machine(), Watcher()
    watch = watcher.update(machine.sample([SERVED], {}), KEY)
    assert watch is not None
    assert (watch.holders, watch.standing) == (None, Standing.SEARCHING)
    watch = watcher.learn(machine.sample([SERVED], {4242: (NGINX,)}))
    assert watch is not None
    assert (watch.holders, watch.standing) == ((NGINX,), Standing.HELD)
    assert {len(series) for series in watch.series.values()} == {1}
    assert Watcher().learn(machine.sample([SERVED], {})) is None


def test_where_nobody_has_looked_nothing_is_said_of_holders() -> None:
    watch = watched_through(sample_of([SERVED]))
    assert (watch.holders, watch.standing, watch.cgroup) == (None, None, "")
