"""A frame is a pure function of a view and a sample, and of the frame before."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.fields import SortKey, ViewKind
from tcptui.model.owners import Owners
from tcptui.model.sample import Degradation, Sample
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.model.table import Rows
from tcptui.monitor.frame import Frame, build_frame, reframed
from tcptui.monitor.view import View
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tests.model.random_tables import Socket, sample_of, sockets
from tests.monitor.frames import assert_same_frames

LOOPBACK = Names(interfaces={"lo": 1})
FILTERS = ("", ":443", "exclude listen", "state time-wait or :22", "dst 10.0.0.0/8")


@st.composite
def drawn_views(draw: st.DrawFn) -> View:
    kind = draw(st.sampled_from(ViewKind))
    text = draw(st.sampled_from(FILTERS))
    field = draw(st.sampled_from(kind.fields))
    sort = draw(st.one_of(st.none(), st.booleans().map(lambda descending: SortKey(field.id, descending))))
    return View(kind, parse_filter(text) if text else None, sort, draw(st.sampled_from((None, 16, 64))))


views = drawn_views()
samples = st.builds(sample_of, sockets, st.floats(0, 1e6))


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
    known, still_there = set(before.table.rows["cookie"].tolist()), set(now.table.rows["cookie"].tolist())
    opened = Counter(int(row["state"]) for row in selected(frame) if int(row["cookie"]) not in known)
    closed = Counter(int(row["state"]) for row in selected(first) if int(row["cookie"]) not in still_there)
    assert Counter(dict(enumerate(frame.transitions.opened.tolist()))) == opened
    assert Counter(dict(enumerate(frame.transitions.closed.tolist()))) == closed
    assert frame.elapsed_s == now.monotonic_s - before.monotonic_s


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
        frame = build_frame(view, sample_of(each), frame)
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
        ("service web", "cgroup_id", "service"),
        ("cgroup /web", "cgroup_id", "cgroup"),
        ("nginx or process sshd", "inode", "process"),
        ("pid 1", "inode", "pid"),
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


def test_a_process_that_nobody_runs_is_told_with_those_that_may_have_been_meant() -> None:
    held = Owners(np.array([7, 8], np.uint32), np.array([1, 2], np.int32), {1: "php-fpm8.2", 2: "sshd"})
    sample = replace(sample_of([Socket(inode=7), Socket(inode=8, cookie=2)]), owners=held)
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
    held = Owners(np.array([7, 900], np.uint32), np.array([1, 2], np.int32), {1: "nginx", 2: "postgres"})
    whole = replace(sample_of([Socket(inode=7)]), owners=held)
    assert [code for code, _ in told("process postgres", whole)] == ["filter.no_process"]
    assert told("nginx", whole) == []
    # Its sockets may be among those that were left out.
    assert told("process postgres", replace(whole, is_whole=False)) == []


def test_a_service_that_is_not_there_is_told_with_those_that_may_have_been_meant() -> None:
    cgroups = {1: "/", 2: "/system.slice/nginx.service", 3: "/system.slice/ssh.service"}
    sample = replace(sample_of([Socket()]), cgroups=cgroups)
    text = "service nginx or service ngnix.service or cgroup /system.slice/ssh or cgroup /system.slice/ssh.service"
    frame = build_frame(View(filter=parse_filter(text)), sample)
    assert [(each.code, each.reason, each.hint) for each in frame.degraded] == [
        ("filter.no_cgroup", "there is no service ngnix.service", "did you mean nginx.service?"),
        ("filter.no_cgroup", "there is no cgroup /system.slice/ssh", "there is ssh.service"),
    ]
    assert told("service nowhere", replace(sample, cgroups=None)) == []


def test_a_doubt_is_told_once_however_often_the_filter_has_it() -> None:
    held = Owners(np.zeros(0, np.uint32), np.zeros(0, np.int32), {})
    assert len(told("process web or not process web", replace(sample_of([Socket()]), owners=held))) == 1
