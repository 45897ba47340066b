"""A frame is a pure function of a view and a sample, and of the frame before."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.attribution import attribute, attributed, nothing_remembered
from tcptui.model.fields import FIELDS, SortKey, ViewKind
from tcptui.model.owners import Process, owners_of
from tcptui.model.sample import Degradation, Destroyed, Sample
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.model.table import Rows
from tcptui.monitor.frame import Frame, build_frame, reframed
from tcptui.monitor.view import View
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tests.model.held import JAVA, MASTER, NGINX_PATH, WORKER, held_sample_of
from tests.model.random_tables import ANY_IPV4, Socket, sample_of
from tests.monitor.frames import assert_same_frames
from tests.query.placed import known_sample_of
from tests.query.placed import samples as known_samples

LOOPBACK = Names(interfaces={"lo": 1})
FILTERS = ("", ":443", "exclude listen", "state time-wait or :22", "dst 10.0.0.0/8", "netns blue", "service nginx")


@st.composite
def drawn_views(draw: st.DrawFn) -> View:
    kind = draw(st.sampled_from(ViewKind))
    text = draw(st.sampled_from(FILTERS))
    field = draw(st.sampled_from(kind.fields))
    sort = draw(st.one_of(st.none(), st.booleans().map(lambda descending: SortKey(field.id, descending))))
    return View(kind, parse_filter(text) if text else None, sort, draw(st.sampled_from((None, 16, 64))))


views = drawn_views()
samples = st.builds(
    lambda seen, monotonic_s: attributed(replace(known_sample_of(*seen), monotonic_s=monotonic_s)),
    known_samples(),
    st.floats(0, 1e6),
)


@given(views, views, samples, samples)
def test_changing_the_view_gives_the_frame_that_it_would_have_had(
    first: View, then: View, before: Sample, now: Sample
) -> None:
    shown = build_frame(first, now, build_frame(first, before))
    assert_same_frames(reframed(shown, then), build_frame(then, now, build_frame(then, before)))


@given(views, views, samples)
def test_changing_the_view_of_a_first_sample(first: View, then: View, now: Sample) -> None:
    assert_same_frames(reframed(build_frame(first, now), then), build_frame(then, now))


@given(views, samples, samples)
def test_the_same_question_has_the_same_answer(view: View, before: Sample, now: Sample) -> None:
    """And asking changes nothing: neither sample's table is written to."""
    tables = before.table.rows.tobytes(), now.table.rows.tobytes()
    one = build_frame(view, now, build_frame(view, before))
    other = build_frame(view, now, build_frame(view, before))
    assert_same_frames(one, other)
    assert (before.table.rows.tobytes(), now.table.rows.tobytes()) == tables


def name_of(row: np.void) -> tuple[int, int]:
    """What names a socket on this machine."""
    return int(row["cookie"]), int(row["netns"])


def selected(frame: Frame) -> Rows:
    """The rows that the filter means."""
    rows = frame.sample.table.rows
    return rows if frame.mask is None else rows[frame.mask]


@given(views, samples, samples)
def test_counts_and_changes_are_those_of_the_filtered_rows(view: View, before: Sample, now: Sample) -> None:
    frame = build_frame(view, now, build_frame(view, before))
    first = build_frame(view, before)
    counts, counts_before = (Counter(selected(each)["state"].tolist()) for each in (frame, first))
    assert frame.total == counts.total() == len(selected(frame))
    for state in ALL_STATES:
        assert frame.state_count(state) == counts[state]
        if counts[state] or state is not TcpState.CLOSE:
            assert frame.state_change(state) == counts[state] - counts_before[state]
    assert frame.transitions is not None
    known, still_there = ({name_of(row) for row in each.table.rows} for each in (before, now))
    opened = Counter(int(row["state"]) for row in selected(frame) if name_of(row) not in known)
    closed = Counter(int(row["state"]) for row in selected(first) if name_of(row) not in still_there)
    assert Counter(dict(enumerate(frame.transitions.opened.tolist()))) == opened
    assert Counter(dict(enumerate(frame.transitions.closed.tolist()))) == closed
    assert frame.elapsed_s == frame.transitions.elapsed_s == now.monotonic_s - before.monotonic_s


@given(views, samples)
def test_a_first_frame_tells_of_no_change(view: View, now: Sample) -> None:
    frame = build_frame(view, now)
    assert frame.transitions is None
    assert frame.previous is None
    assert frame.elapsed_s == 0
    assert all(frame.state_change(state) is None for state in ALL_STATES)
    assert "change" not in frame.grid.columns


@given(views, samples)
def test_the_order_holds_every_row_of_the_view_once(view: View, now: Sample) -> None:
    frame = build_frame(view, now)
    assert sorted(frame.order.tolist()) == sorted(frame.grid.members.tolist())


def frame_of(view: View, *described: list[Socket]) -> Frame:
    frame = None
    for each in described:
        frame = build_frame(view, attributed(sample_of(each)), frame)
    assert frame is not None
    return frame


def test_a_group_that_is_new_counts_from_nothing_and_one_that_went_is_gone() -> None:
    here, there = Socket(local_port=80, cookie=1), Socket(local_port=22, cookie=2)
    frame = frame_of(View(ViewKind.PORTS), [here], [there, Socket(local_port=22, cookie=3)])
    assert frame.grid.columns["port"][0].tolist() == [22]
    assert frame.grid.columns["change"][0].tolist() == [2]


def test_a_change_can_order_the_rows() -> None:
    before = [Socket(local_port=80, cookie=1), Socket(local_port=80, cookie=2), Socket(local_port=22, cookie=3)]
    now = [Socket(local_port=80, cookie=1), *(Socket(local_port=22, cookie=cookie) for cookie in (3, 4, 5))]
    view = View(ViewKind.PORTS, sort=SortKey("change", descending=False))
    frame = frame_of(view, before, now)
    assert frame.grid.columns["port"][0][frame.order].tolist() == [80, 22]
    assert frame.grid.columns["change"][0][frame.order].tolist() == [-1, 2]


@pytest.mark.parametrize("kind", ViewKind)
def test_connections_alone_have_no_change(kind: ViewKind) -> None:
    frame = frame_of(View(kind), [Socket()], [Socket()])
    assert ("change" in frame.grid.columns) == (kind is not ViewKind.CONNECTIONS)


def test_frames_are_compared_by_identity() -> None:
    sample = sample_of([Socket()])
    assert build_frame(View(), sample) != build_frame(View(), sample)


# -- What the filter cannot decide -------------------------------------------------------------------------------------


def told(text: str, sample: Sample) -> list[tuple[str, str]]:
    return [(each.code, each.reason) for each in build_frame(View(filter=parse_filter(text)), sample).degraded]


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("fwmark = 1", "mark", "fwmark"),
        (":443 and not (autobound or listen)", "is_autobound", "autobound"),
        ("timer on", "timer", "timer"),
        ("recvq > 0", "recv_queue_bytes", "recvq"),
        ("sendq > 0 and not recvq > 0", "recv_queue_bytes", "recvq"),
        ("cgroup /web", "cgroup_id", "cgroup"),
        ("nginx or process sshd", "holders", "process"),
        ("pid 1", "holders", "pid"),
        ("user 0", "uid", "user"),
    ],
)
def test_a_condition_on_what_the_source_does_not_tell_is_named_as_it_is_written(
    text: str, column: str, word: str
) -> None:
    blind = sample_of([Socket()], absent=frozenset({column, "transitions"}))
    reason = f"test does not tell {word}: such a condition counts as not met"
    assert told(text, blind) == [("filter.undecided", reason)]
    assert told(text, sample_of([Socket()], absent=frozenset({"transitions"}))) == []


@pytest.mark.parametrize("text", ["sendq > 128", "listen and not sendq = 0"])
def test_a_condition_on_backlogs_that_the_source_does_not_tell_is_said_to_hold_for_no_listener(text: str) -> None:
    """/proc has a listener's accept queue where others have the backlog."""
    sockets = [Socket(TcpState.LISTEN, send_queue=4096, cookie=1), Socket(send_queue=4096, cookie=2)]
    ((code, reason),) = told(text, sample_of(sockets, absent=frozenset({"backlog"})))
    assert (code, reason) == (
        "filter.undecided",
        "test does not tell the backlog of listeners, so sendq holds for none of them",
    )
    assert told(text, sample_of(sockets)) == []
    blind = sample_of(sockets, absent=frozenset({"backlog", "send_queue_bytes"}))
    assert [reason for _, reason in told(text, blind)] == [
        "test does not tell sendq: such a condition counts as not met"
    ]


def test_several_words_are_named_together_before_what_the_sample_says_itself() -> None:
    trouble = Degradation("demo", "these sockets are made up")
    blind = replace(sample_of([Socket()], absent=frozenset({"mark", "interface"})), degraded=(trouble,))
    frame = build_frame(View(filter=parse_filter("fwmark = 1 or not fwmark = 2 or user 0 or dev lo", LOOPBACK)), blind)
    assert [each.code for each in frame.degraded] == ["filter.undecided", "demo"]
    assert "fwmark, dev:" in frame.degraded[0].reason
    assert build_frame(View(), blind).degraded == (trouble,)


def test_ages_are_undecided_where_nobody_has_watched() -> None:
    ((code, reason),) = told("age > 5m", sample_of([Socket()]))
    assert (code, reason) == ("filter.undecided", "one sample knows no ages")
    watched = replace(sample_of([Socket()]), age_ms=np.array([300_001], np.int64))
    assert told("age > 5m", watched) == []
    assert build_frame(View(filter=parse_filter("age > 5m")), watched).total == 1


PHP, OTHER_SSHD = Process(1, 0, "php-fpm8.2"), Process(2, 0, "sshd")


def test_a_process_that_nobody_runs_is_told_with_those_that_may_have_been_meant() -> None:
    sockets = [Socket(inode=7), Socket(inode=8, cookie=2)]
    sample = attributed(held_sample_of(sockets, owners_of({7: (PHP,), 8: (OTHER_SSHD,)})))
    frame = build_frame(View(filter=parse_filter("php-fpm or process sshd or process ssdh or pid > 2 or x")), sample)
    assert [(each.code, each.reason, each.hint) for each in frame.degraded] == [
        ("filter.no_process", "no process php-fpm is seen with a socket", "there is php-fpm8.2"),
        ("filter.no_process", "no process ssdh is seen with a socket", "did you mean sshd?"),
        ("filter.no_process", "no process x is seen with a socket", ""),
        ("filter.no_process", "no process with the id 3 or above is seen with a socket", ""),
    ]
    assert told("process php-fpm* or pid 2", sample) == []


def test_a_process_that_holds_other_sockets_only_is_not_there() -> None:
    """The descriptors of a database that listens on a UNIX socket are sockets too."""
    owners = owners_of({7: (WORKER,), 900: (Process(2, 0, "postgres"),)})
    whole = attributed(held_sample_of([Socket(inode=7)], owners))
    assert [code for code, _ in told("process postgres", whole)] == ["filter.no_process"]
    assert [code for code, _ in told("pid 2", whole)] == ["filter.no_process"]
    assert told("nginx or pid 812", whole) == []
    # Its sockets may be among those that were left out.
    assert told("process postgres or pid 2", replace(whole, is_whole=False)) == []


def test_who_held_a_connection_or_has_it_waiting_is_there() -> None:
    listener = Socket(TcpState.LISTEN, ANY_IPV4, 443, inode=7)
    sample = held_sample_of([listener, Socket(TcpState.TIME_WAIT, local_port=80, cookie=2)], owners_of({7: (WORKER,)}))
    remembered = replace(nothing_remembered(sample), codes=np.array([0, 1], np.int32), groups=((WORKER,), (JAVA,)))
    sample = replace(sample, attribution=attribute(sample, remembered))
    assert told("nginx or process java or pid 900", sample) == []


@pytest.mark.parametrize(
    "text", ['process "(kernel)"', 'process "(closed*"', 'service "(no cgroup)"', 'service "(no*"']
)
def test_a_reason_is_no_name_that_is_missing(text: str) -> None:
    """It may be that of no row at present."""
    sample = attributed(held_sample_of([Socket(inode=7)], owners_of({7: (WORKER,)}), {20: NGINX_PATH}))
    assert told(text, sample) == []


def test_while_processes_have_not_all_been_looked_at_rows_may_be_missing() -> None:
    looking = owners_of({7: (WORKER,)}, looked_at=0.304)
    sample = attributed(held_sample_of([Socket(inode=7)], looking))
    reason = "30% of the processes have been looked at, so rows may be missing yet"
    assert told("process postgres or nginx or pid 5", sample) == [("owners.looking", reason)]
    assert told(":443", sample) == []


def test_before_anybody_has_looked_no_process_is_missing() -> None:
    assert told("process postgres or pid 5", attributed(sample_of([Socket(inode=7)]))) == []


def test_a_service_that_is_not_there_is_told_with_those_that_may_have_been_meant() -> None:
    cgroups = {1: "/", 2: "/system.slice/nginx.service", 3: "/system.slice/ssh.service"}
    sample = attributed(held_sample_of([Socket()], cgroups=cgroups))
    text = "service nginx or service ngnix.service or cgroup /system.slice/ssh or cgroup /system.slice/ssh.service"
    frame = build_frame(View(filter=parse_filter(text)), sample)
    assert [(each.code, each.reason, each.hint) for each in frame.degraded] == [
        ("filter.no_cgroup", "there is no service ngnix.service", "did you mean nginx.service?"),
        ("filter.no_cgroup", "there is no cgroup /system.slice/ssh", "there is ssh.service"),
    ]
    assert told("service nowhere", attributed(sample_of([Socket()]))) == []


def test_a_service_that_a_socket_has_from_its_process_is_there() -> None:
    """Where sockets have no cgroup: on hosts with version 1."""
    sample = attributed(held_sample_of([Socket(inode=7)], owners_of({7: (WORKER,)})))
    assert told("service nginx", sample) == []
    assert [code for code, _ in told("service java", sample)] == ["filter.no_cgroup"]


def test_a_namespace_that_is_not_looked_at_is_told_with_those_that_may_have_been_meant() -> None:
    sample = replace(sample_of([Socket()]), namespaces=("self", "blue", "pid 812 nginx", ""))
    text = "netns blu or netns bleu or netns 81 or netns green or netns b*"
    frame = build_frame(View(filter=parse_filter(text)), sample)
    assert [(each.code, each.reason, each.hint) for each in frame.degraded] == [
        ("filter.no_netns", "there is no network namespace blu", "there is blue"),
        ("filter.no_netns", "there is no network namespace bleu", "did you mean blue?"),
        ("filter.no_netns", "there is no network namespace 81", "there is pid 812 nginx"),
        ("filter.no_netns", "there is no network namespace green", ""),
    ]
    assert told("netns SELF or netns 812 or not netns nginx or netns *", sample) == []


@pytest.mark.parametrize(
    ("options", "namespaces", "hint"),
    [
        ((), ("self",), "only self is looked at: -N all looks at every one"),
        (("-N", "red"), ("red",), "only red is looked at: -N all looks at every one"),
        (("-N", "red"), ("",), ""),
        (("-N", "all"), ("self",), ""),
    ],
)
def test_where_one_namespace_is_looked_at_it_is_told_how_to_look_at_every_one(
    options: tuple[str, ...], namespaces: tuple[str, ...], hint: str
) -> None:
    sample = sample_of([Socket()])
    sample = replace(sample, origin=replace(sample.origin, options=options), namespaces=namespaces)
    (doubt,) = build_frame(View(filter=parse_filter("netns blue")), sample).degraded
    assert (doubt.code, doubt.reason, doubt.hint) == ("filter.no_netns", "there is no network namespace blue", hint)


def test_an_interface_is_told_to_be_one_of_our_own_namespace_where_there_are_several() -> None:
    several = replace(sample_of([Socket(interface=1)]), namespaces=("self", "blue"))
    frame = build_frame(View(filter=parse_filter("dev lo or not dev lo", LOOPBACK)), several)
    assert [(each.code, each.reason) for each in frame.degraded] == [
        ("filter.undecided", "interfaces have other numbers in other namespaces, so dev holds in self alone")
    ]
    assert build_frame(View(filter=parse_filter("dev lo", LOOPBACK)), sample_of([Socket()])).degraded == ()
    blind = replace(several, absent_fields=frozenset({"interface"}))
    (doubt,) = build_frame(View(filter=parse_filter("dev lo", LOOPBACK)), blind).degraded
    assert doubt.reason == "test does not tell dev: such a condition counts as not met"


def test_a_doubt_is_told_once_however_often_the_filter_has_it() -> None:
    assert len(told("process web or not process web", attributed(held_sample_of([Socket()])))) == 1


HIDDEN = Degradation("owners.partial", "12 processes do not show what they hold", "run as root")


@pytest.mark.parametrize(
    ("kind", "text", "is_told"),
    [
        (ViewKind.PROCESSES, ":443", True),
        (ViewKind.SERVICES, ":443", True),
        (ViewKind.LISTENERS, ":443", True),
        (ViewKind.CONNECTIONS, ":443", True),
        (ViewKind.NAMESPACES, ":443", True),
        (ViewKind.PEERS, ":443", False),
        (ViewKind.PORTS, ":443", False),
        (ViewKind.STATES, ":443", False),
        (ViewKind.STATES, "process nginx", True),
        (ViewKind.STATES, "service nginx", True),
        (ViewKind.STATES, "cgroup /", True),
    ],
)
def test_what_keeps_from_finding_holders_is_told_where_they_matter(kind: ViewKind, text: str, *, is_told: bool) -> None:
    sample = held_sample_of([Socket(inode=7)], owners_of({7: (WORKER,)}), {20: NGINX_PATH, 1: "/"})
    assert sample.whereabouts is not None
    sample = attributed(replace(sample, whereabouts=replace(sample.whereabouts, degraded=(HIDDEN,))))
    assert (HIDDEN in build_frame(View(kind, parse_filter(text)), sample).degraded) == is_told


# -- What people see ---------------------------------------------------------------------------------------------------


def titles(frame: Frame) -> list[str]:
    return [field.id for field in frame.fields if frame.is_shown(field) and field.id.islower()]


def shared_by(*holders: Process) -> Sample:
    return attributed(held_sample_of([Socket(inode=7)], owners_of({7: holders})))


def test_a_change_is_a_field_of_a_frame_that_has_one_before_it() -> None:
    first = build_frame(View(ViewKind.PORTS), sample_of([Socket()]))
    assert "change" not in {field.id for field in first.fields}
    assert "change" in {field.id for field in build_frame(View(ViewKind.PORTS), sample_of([Socket()]), first).fields}
    assert {field.id for field in build_frame(View(ViewKind.CONNECTIONS), sample_of([Socket()])).fields} == {
        field.id for field in ViewKind.CONNECTIONS.fields
    }


@pytest.mark.parametrize("kind", ViewKind)
def test_the_namespace_is_shown_where_there_are_several_or_it_is_what_the_row_stands_for(kind: ViewKind) -> None:
    one = attributed(sample_of([Socket()]))
    several = replace(one, namespaces=("self", "blue"))
    netns = FIELDS["netns"]
    for sample, is_shown in ((one, kind is ViewKind.NAMESPACES), (several, netns in kind.fields)):
        frame = build_frame(View(kind), sample)
        assert frame.is_shown(netns) == is_shown
        assert (netns in frame.fields) == (netns in kind.fields)


@pytest.mark.parametrize("kind", ViewKind)
def test_what_only_programs_ask_for_is_shown_to_nobody(kind: ViewKind) -> None:
    frame = build_frame(View(kind), shared_by(MASTER, WORKER))
    for field in kind.fields:
        assert not (field.is_for_programs and frame.is_shown(field))
        assert field.id in ("change", "trend", "netns", "age_ms") or field.is_for_programs or frame.is_shown(field)


def test_ages_are_shown_where_somebody_has_watched() -> None:
    """A column of question marks tells nobody anything."""
    once = shared_by(WORKER)
    watched = replace(once, age_ms=np.array([1000], np.int64), is_watched=np.array([True]))
    frames = [build_frame(View(ViewKind.CONNECTIONS), sample) for sample in (once, watched)]
    assert [frame.is_shown(FIELDS["age_ms"]) for frame in frames] == [False, True]
    assert all(FIELDS["age_ms"] in frame.fields for frame in frames)


def test_what_a_source_cannot_know_is_shown_as_unknown() -> None:
    frame = build_frame(View(ViewKind.CONNECTIONS), replace(shared_by(WORKER), absent_fields=frozenset({"uid"})))
    assert frame.is_shown(FIELDS["uid"])
    assert frame.grid.human(0, FIELDS["uid"]) == "?"


# -- What came and went between two samples ----------------------------------------------------------------------------


def destroyed(*sockets: Socket, **known: object) -> Destroyed:
    rows = sample_of([replace(each, state=TcpState.CLOSE) for each in sockets]).table.rows
    return replace(Destroyed(rows), **known)  # type: ignore[arg-type] # checked by callers


BRIEF = (Socket(cookie=5), Socket(local_port=22, cookie=6), Socket(local_port=22, cookie=7))


@pytest.mark.parametrize(("text", "brief"), [("", 3), (":443", 1), (":22", 2), (":9", 0), ("inet6:*", 0)])
def test_brief_connections_are_counted_among_those_that_the_filter_means(text: str, brief: int) -> None:
    view = View(filter=parse_filter(text) if text else None)
    first = build_frame(view, sample_of([]))
    frame = build_frame(view, replace(sample_of([], 2.0), destroyed=destroyed(*BRIEF)), first)
    assert frame.transitions is not None
    assert (frame.transitions.brief, frame.transitions.brief_per_s) == (brief, brief / 2)
    assert frame.transitions.is_brief_exact


@pytest.mark.parametrize(
    ("events", "brief", "is_exact"),
    [
        (None, None, True),
        (destroyed(), 0, True),
        (destroyed(*BRIEF, is_complete=False), 3, False),
    ],
)
def test_how_many_were_brief_is_unknown_or_at_least_so_many_where_events_are_missing(
    events: Destroyed | None, brief: int | None, *, is_exact: bool
) -> None:
    frame = build_frame(View(), replace(sample_of([], 1.0), destroyed=events), build_frame(View(), sample_of([])))
    assert frame.transitions is not None
    assert (frame.transitions.brief, frame.transitions.is_brief_exact) == (brief, is_exact)


def test_without_joins_nothing_is_told_of_what_became_of_sockets() -> None:
    first = build_frame(View(), sample_of([]))
    frame = build_frame(View(), replace(sample_of([], 1.0), destroyed=destroyed(*BRIEF)), first, joins=False)
    assert frame.transitions is None
    assert frame.previous is first.sample
