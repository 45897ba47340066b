"""The views that tell who holds sockets, against the same counted socket by socket."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.analysis.attribution import attributed
from tcptui.analysis.grid import Grid, Late
from tcptui.analysis.grouping import build_grid
from tcptui.analysis.texts import holders_text
from tcptui.model.fields import FIELDS, Json, SortKey, Value, ViewKind
from tcptui.model.owners import (
    NAMED,
    NO_CGROUP,
    REASONS,
    Attribution,
    Descriptors,
    Holders,
    Process,
    Standing,
    owners_of,
)
from tcptui.model.sample import Sample, Whereabouts
from tcptui.model.states import TcpState
from tests.analysis.naive import group_in, grouped, grouped_by_each, groups_in
from tests.model.held import JAVA, JAVA_PATH, MASTER, NGINX_PATH, SSHD, WORKER, held_sample_of
from tests.model.random_tables import ANY_IPV4, Socket, sample_of
from tests.query.placed import LABELS, Placed

RESTARTED = replace(WORKER, start_ticks=9000, name="nginx-new")
NAMELESS = Process(7, 1, "")
PROCESSES = (MASTER, WORKER, RESTARTED, JAVA, NAMELESS)
GROUPS: tuple[Holders, ...] = ((MASTER,), (WORKER,), (MASTER, WORKER), (RESTARTED,), (JAVA, NAMELESS), (NAMELESS,))
SERVICES = {
    "/": "no service",
    NGINX_PATH: "nginx.service",
    f"{NGINX_PATH}/workers": "nginx.service",
    JAVA_PATH: "java.service",
}
"""The service of each path."""
DESCRIPTORS = {
    800: Descriptors(10, 1024),
    812: Descriptors(1000, 1024),
    900: Descriptors(2000, 1_000_000),
    7: Descriptors(5, None),
}
"""The worker is the nearest to its limit, then the master, then java; that of the last is not told."""


@dataclass
class Seen:
    """Sockets, and who is said to stand behind each."""

    described: Sequence[Socket]
    attribution: Attribution
    namespaces: tuple[str, ...]

    @property
    def sample(self) -> Sample:
        found = Whereabouts(owners_of({}, descriptors=DESCRIPTORS))
        sample = replace(sample_of(self.described), namespaces=self.namespaces, whereabouts=found)
        return replace(sample, attribution=self.attribution)

    def holders(self, socket: Socket) -> Holders | None:
        code = int(self.attribution.codes[socket.cookie])
        return self.attribution.groups[code] if code >= 0 else None

    def standing(self, socket: Socket) -> Standing:
        return Standing(int(self.attribution.standing[socket.cookie]))

    def service(self, socket: Socket) -> str:
        """Its service, or why there is none."""
        code = int(self.attribution.cgroup_codes[socket.cookie])
        if code >= 0:
            name = SERVICES[self.attribution.cgroups[code]]
            is_likely = self.standing(socket) is Standing.LIKELY and name != "no service"
            return f"likely {name}" if is_likely else name
        return NO_CGROUP if self.holders(socket) else REASONS[self.standing(socket)]


placed_sockets = st.lists(
    st.builds(
        Placed,
        state=st.sampled_from(TcpState),
        recv_queue=st.integers(0, 9),
        send_queue=st.integers(0, 9),
        netns=st.integers(0, 2),
    ),
    max_size=20,
)
named, unnamed = st.sampled_from(sorted(NAMED)), st.sampled_from(sorted(REASONS))


@st.composite
def drawn_samples(draw: st.DrawFn) -> Seen:
    """A socket's cookie is its row here."""
    described = [replace(each, cookie=number) for number, each in enumerate(draw(placed_sockets))]
    codes = draw(st.lists(st.integers(-1, len(GROUPS) - 1), min_size=len(described), max_size=len(described)))
    standing = [draw(unnamed if code < 0 else named) for code in codes]
    cgroups = draw(st.lists(st.integers(-1, len(SERVICES) - 1), min_size=len(described), max_size=len(described)))
    attribution = Attribution(
        np.array(codes, np.int32),
        GROUPS,
        np.array(standing, np.uint8),
        np.array(cgroups, np.int32),
        tuple(SERVICES),
        ended=draw(st.frozensets(st.sampled_from(PROCESSES), max_size=2)),
    )
    namespaces = draw(st.lists(st.sampled_from(LABELS), min_size=3, max_size=3, unique=True))
    return Seen(described, attribution, tuple(namespaces))


keeps = st.one_of(st.none(), st.lists(st.booleans(), min_size=20, max_size=20))


def kept_of(seen: Seen, keep: list[bool] | None) -> list[Socket]:
    return [each for each in seen.described if keep is None or keep[each.cookie]]


def grid_of(seen: Seen, kind: ViewKind, keep: list[bool] | None = None) -> Grid:
    mask = None if keep is None else np.array(keep[: len(seen.described)], bool)
    return build_grid(seen.sample, kind, mask)


def shown(grid: Grid, *names: str) -> list[list[Json]]:
    """The rows for programs, in the order of the view's own."""
    order = grid.ordered(SortKey(grid.kind.key.id, descending=False))
    return [list(row) for row in zip(*(grid.plain(FIELDS[name], order) for name in names), strict=True)]


# -- Processes ---------------------------------------------------------------------------------------------------------


def identity_of(group: Holders) -> Value:
    others = " ".join(f"{each.pid}/{each.start_ticks}" for each in group[1:])
    hashed = hashlib.blake2b(others.encode(), digest_size=8).digest()
    return group[0].pid, group[0].start_ticks, int.from_bytes(hashed, "big", signed=True) if others else 0


@settings(max_examples=100)
@given(drawn_samples(), keeps)
def test_a_socket_counts_for_those_that_stand_behind_it_or_for_the_reason_why_there_is_none(
    seen: Seen, keep: list[bool] | None
) -> None:
    kept = kept_of(seen, keep)
    expected = grouped_by_each(kept, lambda socket: (seen.holders(socket) or seen.standing(socket),))
    grid = grid_of(seen, ViewKind.PROCESSES, keep)
    names: dict[Value, Holders | Standing] = {identity_of(group): group for group in GROUPS}
    names |= {(-1 - standing, 0, 0): standing for standing in REASONS}
    assert {names[grid.identity(row)]: group_in(grid, row) for row in grid.members.tolist()} == expected
    assert grid.sum("total") == len(kept)


@given(drawn_samples(), keeps)
def test_a_row_has_its_processes_and_the_descriptors_of_the_one_nearest_to_its_limit(
    seen: Seen, keep: list[bool] | None
) -> None:
    grid = grid_of(seen, ViewKind.PROCESSES, keep)
    groups = {identity_of(group): group for group in GROUPS}
    for row in grid.members.tolist():
        group = groups.get(grid.identity(row))
        cells = {field.id: grid.human(row, field) for field in grid.kind.fields if field.id in grid.columns}
        if group is None:
            expected = (REASONS[Standing(-1 - grid.identity(row)[0])], "-", "", "", "-", "-", "0")
        else:
            told = [DESCRIPTORS[each.pid] for each in group if each not in seen.attribution.ended]
            nearest = max(told, key=lambda each: each.open / (each.limit or 2**31), default=None)
            limit = "?" if nearest is None or nearest.limit is None else str(nearest.limit)
            expected = (
                holders_text(Standing.HELD, group) + ("" if told else " (exited)"),
                str(group[0].pid),
                group[0].user,
                group[0].command,
                f"{nearest.open}/{limit}" if nearest else "-",
                limit if nearest and nearest.limit is not None else "-",
                str(len(group)),
            )
        names = ("process", "pid", "user", "command", "descriptors", "descriptor_limit", "holders")
        assert tuple(cells[name] for name in names) == expected


def test_a_process_that_has_exited_is_told_from_the_one_that_has_its_id_now() -> None:
    seen = Seen(
        [Placed(TcpState.TIME_WAIT, cookie=0), Placed(cookie=1)],
        Attribution(
            np.array([0, 1], np.int32),
            ((WORKER,), (RESTARTED,)),
            np.array([Standing.REMEMBERED, Standing.HELD], np.uint8),
            np.full(2, -1, np.int32),
            (),
            ended=frozenset({WORKER}),
        ),
        ("self",),
    )
    grid = grid_of(seen, ViewKind.PROCESSES)
    assert shown(grid, "process", "pid", "descriptors", "TIME_WAIT", "ESTABLISHED") == [
        ["nginx (exited)", 812, None, 1, 0],
        ["nginx-new", 812, 1000, 0, 1],
    ]


def test_a_row_of_a_reason_is_the_same_row_in_the_next_sample() -> None:
    """However the processes around it are numbered by then."""
    sockets = [Socket(inode=1, cookie=1), Socket(TcpState.TIME_WAIT, cookie=2)]
    first = build_grid(attributed(held_sample_of(sockets, owners_of({}))), ViewKind.PROCESSES, None)
    then = build_grid(attributed(held_sample_of(sockets, owners_of({1: (MASTER, JAVA)}))), ViewKind.PROCESSES, None)
    assert [grid.plain(FIELDS["process"], grid.members) for grid in (first, then)] == [
        ["(looking)", "(closed before)"],
        ["nginx +1", "(closed before)"],
    ]
    assert first.identity(int(first.members[1])) == then.identity(int(then.members[1]))


def test_a_source_that_does_not_tell_of_processes_makes_one_row_that_says_so() -> None:
    sample = attributed(
        sample_of([Socket(cookie=1), Socket(cookie=2)], absent=frozenset({"inode", "holders", "cgroup_id"}))
    )
    assert shown(build_grid(sample, ViewKind.PROCESSES, None), "process", "total") == [["(not told)", 2]]
    assert shown(build_grid(sample, ViewKind.SERVICES, None), "service", "total") == [["(not told)", 2]]


# -- Services ----------------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(drawn_samples(), keeps)
def test_a_socket_counts_for_its_service_or_for_the_reason_why_there_is_none(
    seen: Seen, keep: list[bool] | None
) -> None:
    grid = grid_of(seen, ViewKind.SERVICES, keep)
    assert groups_in(grid, str) == grouped(kept_of(seen, keep), seen.service)
    assert grid.sum("total") == len(kept_of(seen, keep))


@given(drawn_samples(), drawn_samples())
def test_a_service_is_named_the_same_in_every_sample(one: Seen, other: Seen) -> None:
    grids = [grid_of(seen, ViewKind.SERVICES) for seen in (one, other)]
    names = [
        {grid.human(row, FIELDS["service"]): grid.identity(row) for row in grid.members.tolist()} for grid in grids
    ]
    for name in names[0].keys() & names[1].keys():
        assert names[0][name] == names[1][name]
    assert len({identity for each in names for identity in each.values()}) == len(names[0].keys() | names[1].keys())


# -- Namespaces --------------------------------------------------------------------------------------------------------


@given(drawn_samples(), keeps)
def test_a_socket_counts_for_its_namespace(seen: Seen, keep: list[bool] | None) -> None:
    grid = grid_of(seen, ViewKind.NAMESPACES, keep)
    expected = grouped(kept_of(seen, keep), lambda socket: seen.namespaces[socket.values["netns"]])
    assert groups_in(grid, str) == expected
    assert grid.sum("total") == len(kept_of(seen, keep))


def test_two_namespaces_that_have_ended_stay_two() -> None:
    sample = replace(
        sample_of([Placed(cookie=netns + 1, netns=netns) for netns in range(3)]), namespaces=("self", "", "")
    )
    grid = build_grid(attributed(sample), ViewKind.NAMESPACES, None)
    assert shown(grid, "netns", "total") == [["", 1], ["", 1], ["self", 1]]


# -- Descriptors -------------------------------------------------------------------------------------------------------


def share(process: Process) -> float:
    told = DESCRIPTORS[process.pid]
    return told.open / (told.limit or 2**31)


@pytest.mark.parametrize("kind", [ViewKind.SERVICES, ViewKind.NAMESPACES])
@given(seen=drawn_samples(), keep=keeps)
def test_a_group_has_the_descriptors_of_the_process_that_is_nearest_to_its_limit(
    kind: ViewKind, seen: Seen, keep: list[bool] | None
) -> None:
    """Of those that stand behind its sockets and are still there."""
    grid = grid_of(seen, kind, keep)
    for row in grid.members.tolist():
        name = grid.human(row, kind.key)
        rows = [
            each for each in kept_of(seen, keep) if name in (seen.service(each), seen.namespaces[each.values["netns"]])
        ]
        holders = {process for each in rows for process in seen.holders(each) or ()} - seen.attribution.ended
        value = grid.value(row, FIELDS["descriptors"])
        assert value is not None
        if not holders:
            assert value == (-1, -1)
            continue
        nearest = DESCRIPTORS[max(holders, key=share).pid]
        assert value == (nearest.open, -1 if nearest.limit is None else nearest.limit)
        assert grid.value(row, FIELDS["descriptor_limit"]) == value[1:]


# -- Connections -------------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(drawn_samples(), keeps)
def test_a_connection_has_who_stands_behind_it(seen: Seen, keep: list[bool] | None) -> None:
    grid = grid_of(seen, ViewKind.CONNECTIONS, keep)
    names = ("process", "pid", "holders", "holding", "service", "netns")
    columns = [grid.plain(FIELDS[name], grid.members) for name in names]
    expected = [
        (
            holders_text(seen.standing(each), seen.holders(each)),
            (seen.holders(each) or (None,))[0] and (seen.holders(each) or ())[0].pid,
            len(seen.holders(each) or ()),
            seen.standing(each).name.lower(),
            seen.service(each),
            seen.namespaces[each.values["netns"]],
        )
        for each in kept_of(seen, keep)
    ]
    assert list(zip(*columns, strict=True)) == expected


def test_a_cookie_that_two_namespaces_have_names_two_connections() -> None:
    """Before Linux 5.4 each counts its own."""
    grid = build_grid(sample_of([Placed(cookie=7), Placed(cookie=7, netns=1)]), ViewKind.CONNECTIONS, None)
    assert [grid.position(grid.members, grid.identity(row)) for row in (0, 1)] == [0, 1]


LATE = {"process", "pid", "holders", "holding", "service", "netns"}


def made(grid: Grid) -> set[str]:
    """The columns and texts of ``grid`` that somebody has looked at."""
    assert isinstance(grid.columns, Late)
    assert isinstance(grid.texts, Late)
    return {*grid.columns._made, *grid.texts._made}


def test_what_nobody_looks_at_is_not_made() -> None:
    """Names for 100,000 rows cost more than all the rest of the view."""
    grid = build_grid(attributed(held_sample_of([Socket()], owners_of({}))), ViewKind.CONNECTIONS, None)
    assert set(grid.columns) >= LATE
    assert "process" in grid.columns
    assert grid.ordered(None).tolist() == [0]
    grid.ordered(SortKey("cookie", descending=True))
    assert made(grid) == {"cookie"}
    grid.ordered(SortKey("service", descending=False))
    assert made(grid) & LATE == {"service"}
    assert grid.human(0, FIELDS["process"]) == "(kernel)"
    assert made(grid) & LATE == {"service", "process"}


def test_what_somebody_looks_at_is_made_once() -> None:
    grid = build_grid(attributed(held_sample_of([Socket()], owners_of({}))), ViewKind.CONNECTIONS, None)
    for name in LATE:
        assert grid.columns[name] is grid.columns[name]
    for name in LATE - {"pid", "holders"}:
        assert grid.texts[name] is grid.texts[name]


def test_without_owners_the_namespaces_are_told_all_the_same() -> None:
    grid = build_grid(replace(sample_of([Socket()]), namespaces=("blue",)), ViewKind.CONNECTIONS, None)
    assert grid.human(0, FIELDS["netns"]) == "blue"
    assert grid.human(0, FIELDS["process"]) == "?"


# -- Listeners ---------------------------------------------------------------------------------------------------------

LISTEN = TcpState.LISTEN


def test_a_listener_has_who_holds_it() -> None:
    described = [
        Socket(LISTEN, ANY_IPV4, 443, ANY_IPV4, 0, inode=1, cookie=1),
        Socket(LISTEN, ANY_IPV4, 22, ANY_IPV4, 0, inode=2, cookie=2),
        Socket(LISTEN, ANY_IPV4, 80, ANY_IPV4, 0, inode=3, cookie=3),
        Socket(inode=4, cookie=4),
    ]
    owners = owners_of({1: (MASTER, WORKER), 2: (SSHD,), 4: (JAVA,)}, nobodys=np.array([3], np.uint32))
    grid = build_grid(attributed(held_sample_of(described, owners)), ViewKind.LISTENERS, None)
    assert shown(grid, "local", "process", "pid", "total") == [
        ["0.0.0.0:22", "sshd", 640, 1],
        ["0.0.0.0:80", "(kernel)", None, 1],
        ["0.0.0.0:443", "nginx +1", 800, 2],
    ]


def test_a_listener_of_which_nobody_asked_has_no_holder() -> None:
    grid = build_grid(sample_of([Socket(LISTEN, ANY_IPV4, 443)]), ViewKind.LISTENERS, None)
    assert grid.human(0, FIELDS["process"]) == grid.human(0, FIELDS["pid"]) == "?"


def test_equal_endpoints_of_two_namespaces_have_holders_of_their_own() -> None:
    described = [
        Placed(LISTEN, ANY_IPV4, 443, ANY_IPV4, 0, inode=inode, cookie=inode, netns=netns)
        for inode, netns in ((1, 0), (2, 1))
    ]
    sample = held_sample_of(described, owners_of({1: (WORKER,), 2: (JAVA,)}), namespaces=("self", "blue"))
    grid = build_grid(attributed(sample), ViewKind.LISTENERS, None)
    assert shown(grid, "netns", "process") == [["self", "nginx"], ["blue", "java"]]


@pytest.mark.parametrize("kind", ViewKind)
def test_a_table_is_not_written_to_by_who_looks_at_it(kind: ViewKind) -> None:
    sample = attributed(held_sample_of([Socket(LISTEN, inode=1), Socket(inode=1, cookie=2)], owners_of({1: (WORKER,)})))
    before = sample.table.rows.tobytes()
    grid = build_grid(sample, kind, np.array([True, True]))
    assert all(grid.columns.values())
    assert sample.table.rows.tobytes() == before


def test_more_holders_and_services_than_a_byte_counts() -> None:
    """Numbers of groups and standings are added; a standing is one byte."""
    count = 300
    groups = tuple((Process(1000 + number, 1, f"p{number}", cgroup=f"/s{number}.service"),) for number in range(count))
    sockets = [Placed(cookie=number) for number in range(count)] + [Placed(TcpState.TIME_WAIT, cookie=count)]
    codes = np.array([*range(count), -1], np.int32)
    standing = np.array([*[Standing.HELD] * count, Standing.EARLIER], np.uint8)
    paths = tuple(group[0].cgroup for group in groups)
    seen = Seen(sockets, Attribution(codes, groups, standing, codes, paths), ("self",))
    for kind, key in ((ViewKind.PROCESSES, "process"), (ViewKind.SERVICES, "service")):
        rows = {name: total for name, total in shown(grid_of(seen, kind), key, "total")}  # noqa: C416 - pairs are lists
        assert rows["(closed before)"] == 1
        assert list(rows.values()) == [1] * (count + 1)
