"""The lab holds what was asked for: judged by ss, which reads the kernel without any code of ours."""

import socket
from collections import Counter
from pathlib import Path

import pytest

from tcptui.model.states import DISPLAY_ORDER, TcpState
from tests.support.commands import CommandError, run_command
from tests.support.lab import Lab
from tests.support.netns import namespaces_of_this_process
from tests.support.parking import HALF_CLOSABLE, RECIPES, Family, Parked, Role
from tests.support.privileges import require_live
from tests.support.ss import SsRow
from tests.support.waiting import WaitedInVainError, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(60)]

FAMILIES: tuple[Family, ...] = (socket.AF_INET, socket.AF_INET6, "mapped")
ORPHANS = (TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING)
UNACKNOWLEDGED_FIN = 1
UNREAD_END_OF_FILE = 1


def family_name(family: Family) -> str:
    """How a family is called in a test's id."""
    return family if isinstance(family, str) else family.name


def rows_of(lab: Lab, parked: Parked, *options: str) -> list[SsRow]:
    """The group's rows as ss prints them."""
    return [row for row in lab.ss(*options) if row.peer_address == parked.peer_address]


def open_descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_every_state_a_table_can_show_has_a_recipe() -> None:
    """A state added to the program must be added to the lab."""
    assert set(RECIPES) == set(DISPLAY_ORDER)


@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "in reverse order"])
def test_ten_states_in_three_families_have_exactly_the_counts_asked_for(lab: Lab, *, reverse: bool) -> None:
    """A different count for each state and family, in either order: no group takes a socket from another."""
    wanted = [(state, family) for family in FAMILIES for state in DISPLAY_ORDER]
    groups = [
        lab.park(state, 2 + 2 * number, family=family)
        for number, (state, family) in sorted(enumerate(wanted), reverse=reverse)
    ]
    lab.settle()

    each_state: Counter[TcpState] = Counter()
    for parked in groups:
        each_state[parked.state] += parked.count
    each_state[TcpState.LISTEN] += len(FAMILIES)  # SYN_RECV needs one in each family
    assert lab.ss_counts() == lab.expected() == each_state
    assert len(set(each_state.values())) == len(DISPLAY_ORDER)
    for parked in groups:
        if parked.state is not TcpState.LISTEN:
            assert Counter(row.state for row in rows_of(lab, parked)) == {parked.state: parked.count}


@pytest.mark.parametrize("family", FAMILIES, ids=family_name)
@pytest.mark.parametrize("state", ORPHANS, ids=lambda state: state.name)
def test_an_orphan_waits_for_an_acknowledgement_of_its_fin(lab: Lab, state: TcpState, family: Family) -> None:
    """No process holds it (inode 0), and the FIN alone is in the send queue, under the retransmission timer."""
    parked = lab.park(state, 3, family=family)

    rows = rows_of(lab, parked, "-oe")
    assert [row.inode for row in rows] == [0] * 3
    assert {row.send_q for row in rows} == {UNACKNOWLEDGED_FIN}
    assert {row.timer.name for row in rows if row.timer} == {"on"}


@pytest.mark.parametrize("role", ["client", "server"])
@pytest.mark.parametrize("state", sorted(HALF_CLOSABLE), ids=lambda state: state.name)
def test_a_half_closed_socket_keeps_its_inode(lab: Lab, state: TcpState, role: Role) -> None:
    """The program that shut down sending still has the descriptor."""
    parked = lab.park(state, 3, role=role, half_closed=True)

    rows = rows_of(lab, parked, "-e")
    assert Counter(row.state for row in rows) == {state: 3}
    assert all(row.inode for row in rows)


def test_the_two_kinds_of_fin_wait2_differ_in_their_timer(lab: Lab) -> None:
    """Closed, it has a timer of 60 s, nearly always as a mini-socket; half-closed, it has none (FACTS section 1.5)."""
    orphan = lab.park(TcpState.FIN_WAIT2, 2)
    half_closed = lab.park(TcpState.FIN_WAIT2, 3, half_closed=True)

    orphan_timers = [row.timer for row in rows_of(lab, orphan, "-o")]
    assert {timer.name for timer in orphan_timers if timer} <= {"timewait", "keepalive"}
    assert all(timer and 50_000 < timer.expires_ms <= 60_000 for timer in orphan_timers)
    assert [row.timer for row in rows_of(lab, half_closed, "-o")] == [None] * 3


def test_syn_recv_is_more_than_the_default_queue_would_hold_and_sends_again(lab: Lab) -> None:
    """All are there after the kernel has looked for old ones, which it does when it sends the SYN-ACK again."""
    parked = lab.park(TcpState.SYN_RECV, 2000, port=8080)

    def all_sent_again() -> bool:
        rows = rows_of(lab, parked, "-o")
        return len(rows) == parked.count and all(row.timer and row.timer.retransmits for row in rows)

    wait_for(all_sent_again, bool, wanted="2000 SYN_RECV with a retransmission each")
    assert lab.ss_counts() == {TcpState.SYN_RECV: 2000, TcpState.LISTEN: 1}
    assert {row.local_port for row in rows_of(lab, parked)} == {8080}


def test_close_wait_has_an_owner_and_an_unread_end_of_file(lab: Lab) -> None:
    """Recv-Q 1 is the peer's FIN (FACTS section 1); the inode is the leaking program's."""
    rows = rows_of(lab, lab.park(TcpState.CLOSE_WAIT, 4), "-e")

    assert {row.recv_q for row in rows} == {UNREAD_END_OF_FILE}
    assert all(row.inode for row in rows)


def test_syn_sent_tries_from_the_box_to_the_chosen_port(lab: Lab) -> None:
    """The SYN counts in Send-Q until somebody acknowledges it."""
    rows = rows_of(lab, lab.park(TcpState.SYN_SENT, 5, port=5432))

    assert {(row.peer_port, row.send_q) for row in rows} == {(5432, 1)}


def test_a_role_decides_at_which_end_the_port_is(lab: Lab) -> None:
    """A client's sockets have it as peer port, a server's as local port with one listener for all groups there."""
    client = lab.park(TcpState.ESTABLISHED, 3, port=8080)
    servers = [lab.park(state, 2, port=8080, role="server") for state in (TcpState.ESTABLISHED, TcpState.TIME_WAIT)]

    assert {row.peer_port for row in rows_of(lab, client)} == {8080}
    for server in servers:
        assert {row.local_port for row in rows_of(lab, server)} == {8080}
    assert lab.ss_counts() == {TcpState.ESTABLISHED: 5, TcpState.TIME_WAIT: 2, TcpState.LISTEN: 1}


def test_listeners_of_all_families_share_a_port(lab: Lab) -> None:
    """The wildcard address is spelled differently for each family."""
    for number, family in enumerate(FAMILIES, start=1):
        lab.park(TcpState.LISTEN, number, family=family, port=8080)
    lab.park(TcpState.SYN_RECV, 1, family="mapped", port=8080)

    listening = Counter(row.local_address for row in lab.ss() if row.state is TcpState.LISTEN)
    assert listening == {"0.0.0.0": 1, "::": 2, "*": 3, "::ffff:10.77.0.2": 1}  # noqa: S104
    assert lab.ss_counts() == lab.expected()


def test_an_established_connection_works_beside_lost_ones(lab: Lab) -> None:
    """What becomes of one group's packets does not touch another's."""
    parked = lab.park(TcpState.ESTABLISHED, 1)
    for state in ORPHANS:
        lab.park(state, 2)

    near, far = lab.ends(parked)
    near[0].sendall(b"ping")
    assert far[0].recv(4) == b"ping"


@pytest.mark.parametrize("state", DISPLAY_ORDER, ids=lambda state: state.name)
@pytest.mark.parametrize("family", FAMILIES, ids=family_name)
def test_released_sockets_are_gone_and_the_others_stay(lab: Lab, state: TcpState, family: Family) -> None:
    """Also those that no process holds and those that only their timer would end."""
    lab.park(TcpState.ESTABLISHED, 2, family=family)
    parked = lab.park(state, 3, family=family)
    lab.release(parked)

    lab.settle()
    assert lab.ss_counts()[TcpState.ESTABLISHED] == 2


def test_settling_in_vain_says_what_is_wrong(lab: Lab) -> None:
    """The error must be enough to see which group went astray."""
    lab.park(TcpState.ESTABLISHED, 2)
    lab.park(TcpState.CLOSE_WAIT, 1)
    run_command("ss", "-N", lab.box.name, "-KtanH", "state", "close-wait")

    with pytest.raises(
        WaitedInVainError, match=r"CLOSE_WAIT 1 .*last seen: ESTABLISHED 2 \(CLOSE_WAIT 0 instead of 1\)"
    ):
        lab.settle(seconds=0.1)


@pytest.mark.parametrize(
    ("state", "role", "half_closed"),
    [
        (TcpState.CLOSE, None, False),
        (TcpState.SYN_SENT, "server", False),
        (TcpState.SYN_RECV, "client", False),
        (TcpState.ESTABLISHED, None, True),
    ],
)
def test_what_cannot_be_parked_is_refused(lab: Lab, state: TcpState, role: Role | None, *, half_closed: bool) -> None:
    """Before anything is made."""
    with pytest.raises(ValueError, match=state.name):
        lab.park(state, 1, role=role, half_closed=half_closed)
    assert not lab.ss_counts()


def test_more_than_the_descriptors_allow_is_refused(lab: Lab) -> None:
    """With the limit in the message, since it differs from machine to machine."""
    with pytest.raises(ValueError, match="descriptors"):
        lab.park(TcpState.ESTABLISHED, 10_000_000)


def test_a_parameter_is_set_in_the_box_alone(lab: Lab) -> None:
    """The machine and the peer keep theirs."""
    name = "net.ipv4.tcp_fin_timeout"
    before = (Path("/proc/sys/net/ipv4/tcp_fin_timeout").read_text(), lab.peer.read_sysctl(name))

    assert lab.sysctl(name, 31) == "31"
    assert lab.sysctl(name) == lab.box.run("sysctl", "-n", name).strip() == "31"
    assert (Path("/proc/sys/net/ipv4/tcp_fin_timeout").read_text(), lab.peer.read_sysctl(name)) == before


def test_parking_leaves_the_parameters_as_they_are(lab: Lab) -> None:
    """What the program shows about the box must not be the lab's doing."""
    names = ("net.core.somaxconn", "net.ipv4.tcp_max_tw_buckets", "net.ipv4.ip_local_port_range")
    before = [lab.sysctl(name) for name in names]
    for state in DISPLAY_ORDER:
        lab.park(state, 50)

    assert [lab.sysctl(name) for name in names] == before


def test_nothing_is_left_when_the_lab_ends_or_breaks_off() -> None:
    """No namespace and no descriptor."""
    require_live()
    descriptors = open_descriptors()
    with Lab() as ended:
        for state in DISPLAY_ORDER:
            ended.park(state, 2)
    with pytest.raises(ValueError, match="CLOSE"), Lab() as broken:
        broken.park(TcpState.CLOSE, 2)

    assert namespaces_of_this_process() == []
    assert open_descriptors() == descriptors


def test_a_lab_that_cannot_be_set_up_leaves_nothing() -> None:
    """Here the second namespace is there already, so that the first one has been made in vain."""
    require_live()
    lab = Lab()
    with lab.peer, pytest.raises(CommandError, match="File exists"), lab:
        pass

    assert namespaces_of_this_process() == []
