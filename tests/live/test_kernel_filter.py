"""What the kernel itself sorts out of a dump, and the marks it tells: against ss, over real sockets."""

import errno
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest
from numpy.typing import NDArray

from tcptui.kernel.decode import Attributes, RefusalError
from tcptui.kernel.sock_diag import LONGEST_BYTECODE, BytecodeRefused, DumpQuery, SockDiag
from tcptui.model.states import TcpState
from tcptui.sources.base import states_mask
from tests.support.commands import run_command
from tests.support.lab import Lab
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live
from tests.support.program import NOBODY
from tests.support.waiting import wait_for

pytestmark = pytest.mark.live

FAMILIES = (socket.AF_INET, socket.AF_INET6)
EVERYTHING = DumpQuery(socket.AF_INET, states_mask(TcpState))

# ``include/uapi/linux/inet_diag.h``
INET_DIAG_BC_S_GE, INET_DIAG_BC_S_LE, INET_DIAG_BC_D_GE, INET_DIAG_BC_D_LE = 2, 3, 4, 5
INET_DIAG_BC_S_COND, INET_DIAG_BC_D_COND, INET_DIAG_BC_MARK_COND = 7, 8, 10
INET_DIAG_BC_S_EQ, INET_DIAG_BC_D_EQ = 11, 12
UNKNOWN_CODE = 200


def instruction(code: int, operand: bytes) -> bytes:
    """A condition that ends the program: on to its end where it holds, 4 bytes beyond where not (FACTS section 6.4)."""
    length = 4 + len(operand)
    return struct.pack("=BBH", code, length, length + 4) + operand


def port_condition(code: int, port: int) -> bytes:
    return instruction(code, struct.pack("=BBH", 0, 0, port))


def address_condition(code: int, address: str, prefix_length: int) -> bytes:
    """``struct inet_diag_hostcond`` for any port."""
    parsed = ip_address(address)
    family = socket.AF_INET if parsed.version == 4 else socket.AF_INET6
    return instruction(code, struct.pack("=BBxxi", family, prefix_length, -1) + parsed.packed)


def mark_condition(mark: int) -> bytes:
    return instruction(INET_DIAG_BC_MARK_COND, struct.pack("=II", mark, 0xFFFFFFFF))


class Inquiry:
    """A netlink socket of a namespace, used from outside."""

    def __init__(self, namespace: NetworkNamespace) -> None:
        with namespace.entered():
            self.sock_diag = SockDiag()

    def cookies(self, query: DumpQuery) -> set[int]:
        """The sockets of both families."""
        return set(self.marks(query))

    def marks(self, query: DumpQuery) -> dict[int, int]:
        """By cookie; 0 where the query does not want them."""
        found: dict[int, int] = {}

        def take(messages: NDArray[np.void], attributes: Attributes) -> None:
            marks = np.zeros(len(messages), np.uint32) if attributes.marks is None else attributes.marks
            found.update(zip(messages["idiag_cookie"].tolist(), marks.tolist(), strict=True))

        for family in FAMILIES:
            report = self.sock_diag.dump(replace(query, family=family), take)
            assert (report.interrupted, report.skipped) == (False, 0)
        return found


@pytest.fixture(scope="module")
def full_lab() -> Iterator[Lab]:
    """Three families of each kind that the kernel keeps apart: full sockets, mini-sockets, requests, listeners."""
    require_live()
    with Lab() as lab:
        for family in (socket.AF_INET, socket.AF_INET6, "mapped"):
            lab.park(TcpState.ESTABLISHED, 3, family=family, port=7000)
            lab.park(TcpState.CLOSE_WAIT, 2, family=family, port=7001, role="server")
            lab.park(TcpState.TIME_WAIT, 2, family=family, port=7002)
            lab.park(TcpState.SYN_RECV, 1, family=family, port=7003)
            lab.park(TcpState.LISTEN, 1, family=family, port=7004)
        lab.settle()
        yield lab


@pytest.fixture
def inquiry(full_lab: Lab) -> Iterator[Inquiry]:
    made = Inquiry(full_lab.box)
    yield made
    made.sock_diag.close()


def cookies_by_ss(lab: Lab, expression: str) -> set[int]:
    return {row.cookie or 0 for row in lab.ss("-e", expression)}


def program(code: int, port: int) -> DumpQuery:
    return replace(EVERYTHING, bytecode=port_condition(code, port))


QUERIES = {
    "sport = :7001": replace(EVERYTHING, local_port=7001),
    "sport = :7004": replace(EVERYTHING, local_port=7004),
    "dport = :7000": replace(EVERYTHING, remote_port=7000),
    "dport = :7002": replace(EVERYTHING, remote_port=7002),
    "sport = :7003": program(INET_DIAG_BC_S_EQ, 7003),
    "dport == :7002": program(INET_DIAG_BC_D_EQ, 7002),
    "sport >= :7003": program(INET_DIAG_BC_S_GE, 7003),
    "sport <= :7003": program(INET_DIAG_BC_S_LE, 7003),
    "dport >= :7001": program(INET_DIAG_BC_D_GE, 7001),
    "dport <= :7001": program(INET_DIAG_BC_D_LE, 7001),
}


@pytest.mark.parametrize("expression", QUERIES)
def test_ports_are_sorted_out_by_the_kernel_as_ss_does_it(full_lab: Lab, inquiry: Inquiry, expression: str) -> None:
    """In the request's header and in bytecode (FACTS section 6.4)."""
    found = inquiry.cookies(QUERIES[expression])
    assert found == cookies_by_ss(full_lab, expression)
    assert 0 < len(found) < len(inquiry.cookies(EVERYTHING))


def test_header_states_and_bytecode_hold_together(full_lab: Lab, inquiry: Inquiry) -> None:
    query = DumpQuery(0, 1 << TcpState.CLOSE_WAIT, 7001, bytecode=port_condition(INET_DIAG_BC_S_GE, 7000))
    waiting = {row.cookie for row in full_lab.ss("-e") if row.state is TcpState.CLOSE_WAIT}
    assert inquiry.cookies(query) == waiting
    assert inquiry.cookies(replace(query, bytecode=port_condition(INET_DIAG_BC_S_GE, 7002))) == set()


@pytest.mark.parametrize(("code", "end"), [(INET_DIAG_BC_S_COND, "src"), (INET_DIAG_BC_D_COND, "dst")])
@pytest.mark.parametrize("exact", [True, False], ids=["host", "network"])
def test_an_address_is_sorted_out_as_ss_does_it(
    full_lab: Lab, inquiry: Inquiry, code: int, end: str, *, exact: bool
) -> None:
    """An IPv4 condition holds for IPv4-mapped addresses of the IPv6 table too (FACTS section 6.4)."""
    established = [row for row in full_lab.ss() if row.state is TcpState.ESTABLISHED and row.peer_port == 7000]
    everything = inquiry.cookies(EVERYTHING)
    for row in established:
        address = (row.local_address if end == "src" else row.peer_address).removeprefix("::ffff:")
        length = {(4, True): 32, (4, False): 24, (6, True): 128, (6, False): 64}[ip_address(address).version, exact]
        found = inquiry.cookies(replace(EVERYTHING, bytecode=address_condition(code, address, length)))
        assert found == cookies_by_ss(full_lab, f"{end} [{address}/{length}]")
        assert 0 < len(found) < len(everything)


# -- Refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bytecode",
    [
        pytest.param(port_condition(UNKNOWN_CODE, 443), id="instruction that there is not"),
        pytest.param(port_condition(INET_DIAG_BC_S_EQ, 443)[:4], id="operand missing"),
        pytest.param(struct.pack("=BBH", 0, 8, 4), id="jump beyond the end"),
        pytest.param(b"\0\4\4", id="no whole instruction"),
    ],
)
def test_bytecode_that_the_kernel_does_not_take_is_told_from_other_refusals(inquiry: Inquiry, bytecode: bytes) -> None:
    """It is said before any socket, and the netlink socket is as good as before."""
    with pytest.raises(BytecodeRefused) as caught:
        inquiry.sock_diag.dump(replace(EVERYTHING, bytecode=bytecode), _take_none)
    assert caught.value.number == errno.EINVAL
    assert len(inquiry.cookies(EVERYTHING)) > 0


def test_the_longest_bytecode_is_taken_and_a_longer_one_refused(inquiry: Inquiry) -> None:
    nop = struct.pack("=BBH", 0, 4, 4)
    longest = nop * (LONGEST_BYTECODE // 4)
    assert inquiry.cookies(replace(EVERYTHING, bytecode=longest)) == inquiry.cookies(EVERYTHING)
    with pytest.raises(BytecodeRefused) as caught:
        inquiry.sock_diag.dump(replace(EVERYTHING, bytecode=longest + nop), _take_none)
    assert caught.value.number == errno.EMSGSIZE


def test_another_refusal_comes_again_without_the_bytecode(inquiry: Inquiry) -> None:
    """An address family that there is not is EINVAL too: a caller that then leaves out the bytecode learns it."""
    no_family = replace(EVERYTHING, family=99, bytecode=port_condition(INET_DIAG_BC_S_EQ, 443))
    with pytest.raises(BytecodeRefused):
        inquiry.sock_diag.dump(no_family, _take_none)
    with pytest.raises(RefusalError) as caught:
        inquiry.sock_diag.dump(replace(no_family, bytecode=b""), _take_none)
    assert not isinstance(caught.value, BytecodeRefused)


def _take_none(messages: NDArray[np.void], attributes: Attributes) -> None:
    raise AssertionError(f"sockets came: {messages}, {attributes}")


# -- Marks -------------------------------------------------------------------------------------------------------------

MARKS = (0, 42, 0x80000001, 0xFFFFFFFF)


def mark_some(lab: Lab) -> None:
    """One connection for each mark; those with an odd one are closed and keep it in FIN_WAIT2 and TIME_WAIT."""
    parked = lab.park(TcpState.ESTABLISHED, len(MARKS))
    box_ends, peer_ends = lab.ends(parked)
    for mark, near, far in zip(MARKS, box_ends, peer_ends, strict=True):
        near.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, struct.pack("=I", mark))
        if mark % 2:
            near.close()
            far.close()
    wanted = {TcpState.ESTABLISHED: 2, TcpState.TIME_WAIT: 2}
    wait_for(lab.ss_counts, lambda seen: seen == wanted, wanted=f"{wanted} in {lab.box.name}")


def marks_by_ss(lab: Lab) -> dict[int, int]:
    """By cookie, as ``ss -e`` prints them: nothing for 0."""
    lines = run_command("ss", "-N", lab.box.name, "-tanHe").splitlines()
    return {int(_word(line, "sk"), 16): int(_word(line, "fwmark") or "0", 16) for line in lines}


def _word(line: str, name: str) -> str:
    found = re.search(rf"\b{name}:(\S+)", line)
    return found[1] if found else ""


def test_marks_are_those_that_ss_prints(lab: Lab) -> None:
    mark_some(lab)
    inquiry = Inquiry(lab.box)
    marks = inquiry.marks(replace(EVERYTHING, wants_marks=True))
    assert marks == marks_by_ss(lab)
    assert sorted(marks.values()) == sorted(MARKS)
    assert set(inquiry.marks(EVERYTHING).values()) == {0}
    inquiry.sock_diag.close()


def test_a_mark_is_sorted_out_by_the_kernel(lab: Lab) -> None:
    mark_some(lab)
    inquiry = Inquiry(lab.box)
    for mark in MARKS:
        found = inquiry.marks(replace(EVERYTHING, bytecode=mark_condition(mark), wants_marks=True))
        assert list(found.values()) == [mark]
    inquiry.sock_diag.close()


AS_NOBODY = f"""
import os, sys
import numpy as np
from tcptui.kernel.sock_diag import BytecodeRefused, DumpQuery, SockDiag
os.setgroups([])
os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
sock_diag, marks = SockDiag(), []
take = lambda messages, attributes: marks.extend(attributes.marks.tolist())
sock_diag.dump(DumpQuery({int(socket.AF_INET)}, {EVERYTHING.states_mask}, wants_marks=True), take)
try:
    sock_diag.dump(DumpQuery({int(socket.AF_INET)}, 0, bytecode=bytes.fromhex(sys.argv[1])), take)
except BytecodeRefused as error:
    print(error.number, marks)
"""


def test_without_privilege_there_are_no_marks_and_no_condition_on_them(lab: Lab) -> None:
    """FACTS sections 6.2 and 6.4: they take CAP_NET_ADMIN. A program is judged even where no state is asked for."""
    mark_some(lab)
    command = lab.box.argv(sys.executable, "-c", AS_NOBODY, mark_condition(42).hex())
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split(maxsplit=1) == [str(errno.EPERM), f"{[0] * len(MARKS)}\n"]
