"""Who stands behind each row, against the same told socket by socket."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.analysis.attribution import Remembered, attribute, holders_of, nothing_remembered, together_of
from tcptui.analysis.likeness import FEWEST, NO_PID
from tcptui.model.owners import NAMED, Attribution, Blindness, Holders, Owners, Process, Standing, owners_of
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tests.analysis.naive import listener_of
from tests.model.held import JAVA, JAVA_PATH, MASTER, NGINX_PATH, SSHD, WORKER, held_sample_of
from tests.model.random_tables import ANY_IPV4, ANY_IPV6, Socket, mapped, plain, sample_of, table_of
from tests.query.placed import Placed

GROUPS: tuple[Holders, ...] = ((MASTER,), (WORKER,), (MASTER, WORKER), (JAVA,), (Process(7, 1, "nobody-knows"),))
PATHS = {1: "/", 20: NGINX_PATH, 21: JAVA_PATH}
UNHELD = {
    Blindness.NONE: Standing.KERNEL,
    Blindness.OTHER_USERS: Standing.OTHER_USER,
    Blindness.REFUSED: Standing.REFUSED,
    Blindness.PID_NAMESPACE: Standing.PID_NAMESPACE,
}
WAITING_OR_OPEN = {
    *(TcpState.SYN_SENT, TcpState.SYN_RECV, TcpState.ESTABLISHED, TcpState.CLOSE_WAIT, TcpState.LISTEN),
}


# -- Every case of the table -------------------------------------------------------------------------------------------

NOBODY = np.array([78], np.uint32)
LOOKED = owners_of({77: (WORKER,)})


@dataclass(frozen=True)
class Case:
    """One socket, what is known, and what must be said of it."""

    socket: Socket
    standing: Standing
    holders: Holders | None = None
    remembered: Holders | None = None
    """Who held it when it was last seen with a descriptor."""
    is_late: bool = False
    """Whether it came into being while it was watched."""
    was_open: bool = False
    """Whether it was ever seen with a descriptor."""
    owners: Owners | None = LOOKED
    absent: frozenset[str] = frozenset()

    def sample(self) -> Sample:
        whereabouts = held_sample_of([], self.owners).whereabouts if self.owners is not None else None
        return replace(sample_of([self.socket], absent=self.absent), whereabouts=whereabouts)

    def memory(self) -> Remembered:
        """What a memory would tell of it."""
        now = self.holders if self.standing is Standing.HELD else None
        group = now or self.remembered
        return Remembered(
            codes=np.array([-1 if group is None else 0], np.int32),
            is_held=np.array([now is not None]),
            groups=() if group is None else (group,),
            cgroup_ids=np.zeros(1, np.uint64),
            is_late=np.array([self.is_late]),
            was_open=np.array([self.was_open]),
        )


def blind(blindness: Blindness) -> Owners:
    """Inode 78 has been looked for in vain."""
    return owners_of({77: (WORKER,)}, nobodys=NOBODY, blindness=blindness)


CLOSED = (TcpState.FIN_WAIT1, TcpState.FIN_WAIT2, TcpState.TIME_WAIT, TcpState.LAST_ACK, TcpState.CLOSING)
CASES = {
    "held": Case(Socket(inode=77), Standing.HELD, (WORKER,)),
    "shared": Case(Socket(inode=77), Standing.HELD, (MASTER, WORKER)),
    **{
        f"closed by its program, {state.name}": Case(
            Socket(state), Standing.REMEMBERED, (WORKER,), remembered=(WORKER,)
        )
        for state in CLOSED
    },
    "nobody has looked": Case(Socket(inode=78), Standing.SEARCHING, owners=None),
    "new since the last look": Case(Socket(inode=78), Standing.SEARCHING),
    "nobody's": Case(Socket(inode=78), Standing.KERNEL, owners=blind(Blindness.NONE)),
    "another user's": Case(Socket(inode=78), Standing.OTHER_USER, owners=blind(Blindness.OTHER_USERS)),
    "of another container": Case(Socket(inode=78), Standing.PID_NAMESPACE, owners=blind(Blindness.PID_NAMESPACE)),
    "not shown to root": Case(Socket(inode=78), Standing.REFUSED, owners=blind(Blindness.REFUSED)),
    "closed during the look": Case(Socket(inode=78), Standing.GONE, owners=owners_of({}, gone=NOBODY)),
    "seen open, closed before its holder was found": Case(Socket(TcpState.TIME_WAIT), Standing.GONE, was_open=True),
    "gone says more than nobody's": Case(
        Socket(inode=78), Standing.GONE, owners=owners_of({}, gone=NOBODY, nobodys=NOBODY)
    ),
    **{
        f"without a descriptor, {state.name}": Case(Socket(state, local_port=50_000), Standing.KERNEL)
        for state in WAITING_OR_OPEN
    },
    **{f"closed before the first sample, {state.name}": Case(Socket(state), Standing.EARLIER) for state in CLOSED},
    **{
        f"opened and closed between two samples, {state.name}": Case(Socket(state), Standing.BRIEF, is_late=True)
        for state in CLOSED
    },
    "nobody has looked, closed": Case(Socket(TcpState.TIME_WAIT), Standing.EARLIER, owners=None),
    "a source without holders": Case(Socket(), Standing.UNTOLD, absent=frozenset({"holders"})),
    "a source without inodes, closed": Case(
        Socket(TcpState.TIME_WAIT), Standing.UNTOLD, owners=None, absent=frozenset({"holders"})
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_row_has_its_holders_or_the_reason_why_it_has_none(case: Case) -> None:
    attribution = attribute(case.sample(), case.memory())
    assert standing_of(attribution, 0) is case.standing
    assert holders_in(attribution, 0) == case.holders


def test_every_standing_has_its_case() -> None:
    assert {case.standing for case in CASES.values()} == set(Standing) - {Standing.LISTENER, Standing.LIKELY}


def standing_of(attribution: Attribution, row: int) -> Standing:
    return Standing(int(attribution.standing[row]))


def holders_in(attribution: Attribution, row: int) -> Holders | None:
    code = int(attribution.codes[row])
    return attribution.groups[code] if code >= 0 else None


def path_in(attribution: Attribution, row: int) -> str | None:
    code = int(attribution.cgroup_codes[row])
    return attribution.cgroups[code] if code >= 0 else None


# -- Named by the listener ---------------------------------------------------------------------------------------------

LISTEN = TcpState.LISTEN
HERE, THERE, V6 = IPv4Address("10.0.0.5"), IPv4Address("10.0.0.6"), IPv6Address("2001:db8::1")
OWNERS = owners_of({1: (MASTER, WORKER), 2: (JAVA,), 3: (SSHD,)})


def named(socket: Socket, *listeners: Socket) -> tuple[Standing, Holders | None]:
    """How the socket is named where these are listened on."""
    described = [replace(each, cookie=number) for number, each in enumerate([*listeners, socket], start=1)]
    sample = held_sample_of(described, OWNERS)
    attribution = attribute(sample, nothing_remembered(sample))
    return standing_of(attribution, len(listeners)), holders_in(attribution, len(listeners))


AT_NGINX, AT_JAVA, AT_SSHD, AT_NGINX_AND_JAVA = (
    (Standing.LISTENER, group)
    for group in ((MASTER, WORKER), (JAVA,), (SSHD,), together_of(((MASTER, WORKER), (JAVA,))))
)


def at(address: IPv4Address | IPv6Address, inode: int, netns: int = 0, port: int = 443) -> Socket:
    """A listener."""
    return Placed(LISTEN, address, port, ANY_IPV4, 0, inode=inode, netns=netns)


@pytest.mark.parametrize(
    "state", [TcpState.SYN_RECV, TcpState.ESTABLISHED, TcpState.CLOSE_WAIT, TcpState.TIME_WAIT, TcpState.LAST_ACK]
)
def test_what_nobody_was_seen_to_hold_is_named_by_the_listener_it_came_in_at(state: TcpState) -> None:
    """Not accepted yet, or accepted and closed unseen."""
    assert named(Socket(state, HERE), at(ANY_IPV4, 1)) == AT_NGINX


@pytest.mark.parametrize(
    ("local", "listeners", "expected"),
    [
        (HERE, [at(HERE, 1), at(ANY_IPV4, 2), at(ANY_IPV6, 3)], AT_NGINX),
        (THERE, [at(HERE, 1), at(ANY_IPV4, 2), at(ANY_IPV6, 3)], AT_JAVA),
        (V6, [at(HERE, 1), at(ANY_IPV4, 2), at(ANY_IPV6, 3)], AT_SSHD),
        (V6, [at(ANY_IPV6, 3), at(V6, 1)], AT_NGINX),
        (HERE, [at(ANY_IPV6, 3)], AT_SSHD),
        (IPv6Address(mapped(HERE)), [at(ANY_IPV6, 3)], AT_SSHD),
        (V6, [at(ANY_IPV4, 1)], (Standing.KERNEL, None)),
        (THERE, [at(HERE, 1)], (Standing.KERNEL, None)),
        (HERE, [at(ANY_IPV4, 1, port=8443)], (Standing.KERNEL, None)),
        # SO_REUSEPORT: the kernel does not tell which of them it chose
        (HERE, [at(ANY_IPV4, 1), at(ANY_IPV4, 2)], AT_NGINX_AND_JAVA),
        (HERE, [at(ANY_IPV4, 2), at(ANY_IPV4, 1)], AT_NGINX_AND_JAVA),
        (HERE, [at(ANY_IPV4, 1), at(ANY_IPV4, 1)], AT_NGINX),
        # 10.0.0.5 of one container is not that of another
        (HERE, [at(ANY_IPV4, 1, netns=1), at(ANY_IPV4, 2)], AT_JAVA),
        (HERE, [at(HERE, 1, netns=1)], (Standing.KERNEL, None)),
        # One whose own holder is not known says why
        (HERE, [at(ANY_IPV4, 99)], (Standing.SEARCHING, None)),
        (HERE, [at(ANY_IPV4, 0)], (Standing.KERNEL, None)),
    ],
)
def test_the_listener_is_the_one_that_the_kernel_chose(
    local: IPv4Address | IPv6Address, listeners: list[Socket], expected: tuple[Standing, Holders | None]
) -> None:
    assert named(Socket(local=local), *listeners) == expected


def test_a_socket_of_another_namespace_came_in_there() -> None:
    assert named(Placed(local=HERE, netns=1), at(ANY_IPV4, 2), at(ANY_IPV4, 1, netns=1)) == AT_NGINX


def test_a_socket_that_somebody_holds_is_theirs_and_not_the_listeners() -> None:
    assert named(Socket(local=HERE, inode=2), at(ANY_IPV4, 1)) == (Standing.HELD, (JAVA,))


def test_a_socket_with_a_descriptor_that_nobody_was_found_to_hold_is_not_waiting_at_a_listener() -> None:
    assert named(Socket(local=HERE, inode=99), at(ANY_IPV4, 1)) == (Standing.SEARCHING, None)


def test_who_held_a_listener_that_is_not_held_any_more_has_its_connections_waiting() -> None:
    """The descriptor went to another process, or into a queue of io_uring."""
    sample = held_sample_of([at(ANY_IPV4, 5), Socket(local=HERE, cookie=2)], owners_of({}))
    memory = replace(nothing_remembered(sample), codes=np.array([0, -1], np.int32), groups=((JAVA,),))
    attribution = attribute(sample, memory)
    assert [standing_of(attribution, row) for row in (0, 1)] == [Standing.REMEMBERED, Standing.LISTENER]
    assert holders_in(attribution, 1) == (JAVA,)


# -- The cgroup --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cgroup_id", "holder", "path"),
    [
        (20, (WORKER,), NGINX_PATH),
        (21, (WORKER,), JAVA_PATH),  # made in another than its holder is in: passed on, or the holder was moved
        (0, (WORKER,), NGINX_PATH),  # version 1, or a socket for which the kernel keeps none
        (1, (WORKER,), NGINX_PATH),  # version 1 beside an empty version 2
        (99, (WORKER,), NGINX_PATH),  # a cgroup that was removed meanwhile
        (0, (JAVA, WORKER), JAVA_PATH),
        (20, None, NGINX_PATH),
        (1, None, "/"),
        (0, None, None),
        (99, None, None),
        (1, (Process(7, 1, "bare"),), "/"),
        (0, (Process(7, 1, "bare"),), None),
        (1, (Process(7, 1, "in the root", cgroup="/"),), "/"),
        (0, (Process(7, 1, "in the root", cgroup="/"),), "/"),
    ],
)
def test_a_cgroup_is_the_sockets_own_or_that_of_its_first_holder(
    cgroup_id: int, holder: Holders | None, path: str | None
) -> None:
    owners = owners_of({77: holder} if holder else {})
    sample = held_sample_of([Socket(inode=77, cgroup_id=cgroup_id)], owners, PATHS)
    assert path_in(attribute(sample, nothing_remembered(sample)), 0) == path


def test_a_connection_that_waits_at_a_listener_is_of_the_listeners_service() -> None:
    sample = held_sample_of([at(ANY_IPV4, 1), Socket(local=HERE, cookie=2)], OWNERS)
    assert path_in(attribute(sample, nothing_remembered(sample)), 1) == NGINX_PATH


# -- Who is not there any more -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holder", "owners", "has_ended"),
    [
        (WORKER, owners_of({1: (WORKER,)}), False),
        (WORKER, owners_of({}, former=frozenset({WORKER})), False),  # there, and holds nothing any more
        (WORKER, owners_of({}), True),
        (WORKER, owners_of({1: (JAVA,)}, former=frozenset({SSHD})), True),
        (WORKER, owners_of({1: (replace(WORKER, start_ticks=9000),)}), True),
        (WORKER, owners_of({}, former=frozenset({replace(WORKER, start_ticks=9000)})), True),
        (WORKER, owners_of({1: (replace(WORKER, name="renamed"),)}), False),
        (WORKER, None, False),  # nobody has looked
    ],
)
def test_a_process_has_ended_if_its_id_is_gone_or_anothers(
    holder: Process, owners: Owners | None, *, has_ended: bool
) -> None:
    sample = replace(Case(Socket(TcpState.TIME_WAIT), Standing.REMEMBERED, owners=owners).sample())
    memory = Remembered(
        np.zeros(1, np.int32), np.zeros(1, bool), ((holder,),), np.zeros(1, np.uint64), *[np.zeros(1, bool)] * 2
    )
    assert attribute(sample, memory).ended == (frozenset({holder}) if has_ended else frozenset())


# -- Any table ---------------------------------------------------------------------------------------------------------

INODES = (0, 1, 2, 3, 4)
ADDRESSES = (HERE, THERE, IPv6Address(mapped(HERE)), V6)
placed_sockets = st.lists(
    st.one_of(
        st.builds(
            Placed,
            state=st.sampled_from(TcpState),
            local=st.sampled_from(ADDRESSES),
            local_port=st.sampled_from((22, 443)),
            inode=st.sampled_from(INODES),
            cgroup_id=st.sampled_from((0, *PATHS, 99)),
            netns=st.integers(0, 1),
        ),
        st.builds(
            Placed,
            state=st.just(LISTEN),
            local=st.sampled_from((*ADDRESSES, ANY_IPV4, ANY_IPV6, ANY_IPV6)),
            local_port=st.sampled_from((22, 443)),
            inode=st.sampled_from(INODES),
            netns=st.integers(0, 1),
        ),
    ),
    max_size=12,
)


@st.composite
def drawn_owners(draw: st.DrawFn) -> Owners:
    kinds = draw(st.lists(st.sampled_from((None, "held", "nobody", "gone")), min_size=4, max_size=4))
    by_kind = {kind: [inode for inode, each in enumerate(kinds, start=1) if each == kind] for kind in set(kinds)}
    return owners_of(
        {inode: draw(st.sampled_from(GROUPS)) for inode in by_kind.get("held", [])},
        nobodys=np.array(by_kind.get("nobody", []), np.uint32),
        gone=np.array(by_kind.get("gone", []), np.uint32),
        blindness=draw(st.sampled_from(Blindness)),
        former=draw(st.frozensets(st.sampled_from((MASTER, WORKER, JAVA, SSHD)))),
    )


@dataclass
class Seen:
    """A sample, and what is remembered of its rows."""

    described: Sequence[Socket]
    owners: Owners | None
    memory: Remembered
    is_told: bool
    """Whether the source tells who holds a socket."""

    @property
    def sample(self) -> Sample:
        whereabouts = held_sample_of([], self.owners, PATHS).whereabouts if self.owners is not None else None
        absent = frozenset() if self.is_told else frozenset({"holders"})
        return replace(sample_of(self.described, absent=absent), whereabouts=whereabouts)


@st.composite
def drawn_samples(draw: st.DrawFn) -> Seen:
    described = [replace(each, cookie=number) for number, each in enumerate(draw(placed_sockets), start=1)]
    owners = draw(st.one_of(drawn_owners(), drawn_owners(), drawn_owners(), st.none()))
    is_told = draw(st.sampled_from((True, True, True, False)))
    held = () if owners is None else owners.groups
    earlier = draw(
        st.lists(st.sampled_from((-1, -1, *range(len(GROUPS)))), min_size=len(described), max_size=len(described))
    )
    now = np.full(len(described), -1) if owners is None else holders_of(table_of(described).rows["inode"], owners)
    is_held = now >= 0
    is_late = draw(st.lists(st.booleans(), min_size=len(described), max_size=len(described)))
    codes = np.where(is_held, now, [len(held) + code if code >= 0 else -1 for code in earlier])
    ids = np.array([each.cgroup_id for each in described], np.uint64)
    memory = Remembered(codes.astype(np.int32), is_held, (*held, *GROUPS), ids, np.array(is_late, bool), now >= 0)
    return Seen(described, owners, memory, is_told)


def naively(seen: Seen) -> list[tuple[Standing, Holders | None]]:
    """The same, row by row."""
    own = [_by_itself(seen, row) for row in range(len(seen.described))]
    told = [_by_its_listener(seen, own, row) if is_unnamed(own[row]) else own[row] for row in range(len(own))]
    return [_by_likeness(seen, told, row) for row in range(len(told))]


def is_unnamed(told: tuple[Standing, Holders | None]) -> bool:
    return told[1] is None


def _by_itself(seen: Seen, row: int) -> tuple[Standing, Holders | None]:
    socket, code = seen.described[row], int(seen.memory.codes[row])
    if code >= 0:
        return Standing.HELD if seen.memory.is_held[row] else Standing.REMEMBERED, seen.memory.groups[code]
    return _reason(seen, socket, is_late=bool(seen.memory.is_late[row])), None


def _reason(seen: Seen, socket: Socket, *, is_late: bool) -> Standing:
    if not seen.is_told:
        return Standing.UNTOLD
    if socket.inode:
        if seen.owners is not None and socket.inode in seen.owners.gone:
            return Standing.GONE
        is_nobodys = seen.owners is not None and socket.inode in seen.owners.nobodys
        return UNHELD[seen.owners.blindness] if seen.owners is not None and is_nobodys else Standing.SEARCHING
    if socket.state in WAITING_OR_OPEN:
        return Standing.KERNEL
    return Standing.BRIEF if is_late else Standing.EARLIER


def _by_its_listener(
    seen: Seen, own: Sequence[tuple[Standing, Holders | None]], row: int
) -> tuple[Standing, Holders | None]:
    listener = listener_of(seen.described, seen.described[row])
    if seen.described[row].inode or seen.described[row].state is TcpState.LISTEN or listener is None:
        return own[row]
    end = near_end(seen.described[listener])
    others = [
        own[number]
        for number, each in enumerate(seen.described)
        if each.state is TcpState.LISTEN and near_end(each) == end
    ]
    holders = together_of(holders for _, holders in others if holders)
    return (Standing.LISTENER, holders) if holders else (own[listener][0], None)


def near_end(socket: Socket) -> tuple[object, int, int]:
    return plain(socket.local), socket.local_port, getattr(socket, "netns", 0)


def _by_likeness(
    seen: Seen, told: Sequence[tuple[Standing, Holders | None]], row: int
) -> tuple[Standing, Holders | None]:
    """By the closed connections to the same far end, if those who are known to have had them are all of one name."""
    is_blind = seen.owners is None or seen.owners.blindness is Blindness.OTHER_USERS
    if told[row][0] not in (Standing.EARLIER, Standing.BRIEF) or is_blind:
        return told[row]
    end = far_end(seen.described[row])
    alike = [
        holders
        for socket, (standing, holders) in zip(seen.described, told, strict=True)
        if standing is Standing.REMEMBERED and not socket.inode and holders and far_end(socket) == end
    ]
    names = [name for each in ({each.name for each in holders} for holders in alike) if len(each) == 1 for name in each]
    return (Standing.LIKELY, None) if len(set(names)) == 1 and len(names) >= FEWEST and end[1] else told[row]


def far_end(socket: Socket) -> tuple[object, int, int]:
    return plain(socket.remote), socket.remote_port, getattr(socket, "netns", 0)


@settings(max_examples=120)
@given(drawn_samples())
def test_rows_are_attributed_as_they_are_one_by_one(seen: Seen) -> None:
    attribution = attribute(seen.sample, seen.memory)
    expected = naively(seen)
    for row in range(len(seen.described)):
        standing, holders = standing_of(attribution, row), holders_in(attribution, row)
        if standing is Standing.LIKELY:
            assert holders is not None
            assert [each.pid for each in holders] == [NO_PID]
            holders = None
        assert (standing, holders) == expected[row]


@settings(max_examples=100)
@given(drawn_samples())
def test_every_row_is_named_or_has_a_reason_and_every_number_stands_for_something(seen: Seen) -> None:
    attribution, size = attribute(seen.sample, seen.memory), len(seen.described)
    for column, known in ((attribution.codes, attribution.groups), (attribution.cgroup_codes, attribution.cgroups)):
        assert len(column) == size
        assert ((column >= -1) & (column < len(known))).all()
    assert all(attribution.groups)
    assert len(set(attribution.cgroups)) == len(attribution.cgroups)
    assert all(path.startswith("/") for path in attribution.cgroups)
    for row in range(size):
        assert (holders_in(attribution, row) is not None) == (standing_of(attribution, row) in NAMED)


@given(drawn_samples())
def test_a_cgroup_is_the_sockets_or_its_holders(seen: Seen) -> None:
    attribution = attribute(seen.sample, seen.memory)
    for row, socket in enumerate(seen.described):
        own = PATHS.get(socket.cgroup_id, "") if seen.owners is not None else ""
        holders = holders_in(attribution, row)
        of_holder = holders[0].cgroup if holders else ""
        expected = of_holder if own in {"", "/"} and of_holder else own
        assert path_in(attribution, row) == (expected or None)


@given(drawn_samples())
def test_asking_changes_nothing(seen: Seen) -> None:
    sample = seen.sample
    before = (sample.table.rows.tobytes(), seen.memory.codes.tobytes(), seen.memory.is_held.tobytes())
    attribute(sample, seen.memory)
    assert (sample.table.rows.tobytes(), seen.memory.codes.tobytes(), seen.memory.is_held.tobytes()) == before


def test_a_socket_without_a_descriptor_is_nobodys_whatever_is_open_under_that_number() -> None:
    sample = held_sample_of([Socket(inode=0)], owners_of({0: (WORKER,)}))
    assert holders_of(sample.table.rows["inode"], owners_of({0: (WORKER,)})).tolist() == [-1]


@given(placed_sockets, drawn_owners())
def test_a_first_sample_has_the_holders_of_each_inode(described: list[Socket], owners: Owners) -> None:
    sample = held_sample_of(described, owners)
    memory = nothing_remembered(sample)
    by_inode = dict(zip(owners.inodes.tolist(), owners.codes.tolist(), strict=True))
    expected = [by_inode.get(each.inode, -1) for each in described]
    assert holders_of(sample.table.rows["inode"], owners).tolist() == memory.codes.tolist() == expected
    assert memory.is_held.tolist() == [code >= 0 for code in expected]
    assert not memory.is_late.any()
    assert memory.groups == owners.groups
