"""Predicted lifetimes against those of real sockets: the number that a person reads is the one that happens."""

import re
import time
from collections.abc import Mapping

import pytest

from tcptui.explain.knowledge import load
from tcptui.explain.voice import format_seconds
from tcptui.model.states import TcpState
from tests.explain.support import explained
from tests.support.lifetimes import (
    CLOSING,
    ENDLESS_FROM_S,
    FIN_WAIT1,
    FIN_WAIT2,
    GIVEN_UP,
    KEEPALIVE,
    LAST_ACK,
    SHUT_DOWN,
    SHUT_WINDOW,
    SYN_RECV,
    SYN_SENT,
    TIME_WAIT,
    UNACKNOWLEDGED,
    Case,
    Lived,
    case,
    live_through,
)
from tests.support.privileges import require_live

pytestmark = pytest.mark.live

SHARE, SECONDS = 0.15, 1.0
"""How far a prediction may be off: a share of itself and a second."""

WAIT_AT_MOST_S = 75.0
"""The longest life that is waited for is the 62 s of FIN_WAIT2 with 60 or 90."""

CASES = (
    case(SYN_SENT, tcp_syn_retries=1, tcp_syn_linear_timeouts=0),
    case(SYN_SENT, tcp_syn_retries=1, tcp_syn_linear_timeouts=4),
    case(SYN_SENT, tcp_syn_retries=2, tcp_syn_linear_timeouts=0),
    case(SYN_SENT, tcp_syn_retries=2, tcp_syn_linear_timeouts=4),
    case(SYN_SENT, tcp_syn_retries=3, tcp_syn_linear_timeouts=4),
    case(SYN_RECV, tcp_synack_retries=0),
    case(SYN_RECV, tcp_synack_retries=1),
    case(SYN_RECV, tcp_synack_retries=2),
    case(SYN_RECV, tcp_synack_retries=3),
    case(SYN_RECV, tcp_synack_retries=4),
    case(KEEPALIVE, tcp_keepalive_time=2, tcp_keepalive_intvl=1, tcp_keepalive_probes=2),
    case(KEEPALIVE, tcp_keepalive_time=4, tcp_keepalive_intvl=2, tcp_keepalive_probes=3),
    case(UNACKNOWLEDGED, tcp_retries2=3),
    case(UNACKNOWLEDGED, tcp_retries2=5, tcp_orphan_retries=1),
    case(SHUT_DOWN, tcp_retries2=5, tcp_orphan_retries=1),
    case(FIN_WAIT1, tcp_orphan_retries=1),
    case(FIN_WAIT1, tcp_orphan_retries=2),
    case(FIN_WAIT1, tcp_orphan_retries=3),
    case(FIN_WAIT1, tcp_orphan_retries=4),
    case(FIN_WAIT1, tcp_orphan_retries=5, tcp_retries2=1),
    case(FIN_WAIT1, tcp_orphan_retries=6),
    case(FIN_WAIT1, tcp_orphan_retries=7),
    case(FIN_WAIT1, tcp_orphan_retries=0, tcp_rto_max_ms=5000),
    case(LAST_ACK, tcp_orphan_retries=2),
    case(LAST_ACK, tcp_orphan_retries=5, tcp_retries2=1),
    case(CLOSING, tcp_orphan_retries=3),
    case(SHUT_WINDOW, tcp_rto_max_ms=5000),
    case(SHUT_WINDOW, tcp_rto_max_ms=5000, tcp_orphan_retries=2),
    case(SHUT_WINDOW, tcp_rto_max_ms=5000, tcp_retries2=5),
    case(FIN_WAIT2, tcp_fin_timeout=1),
    case(FIN_WAIT2, tcp_fin_timeout=5),
    case(FIN_WAIT2, tcp_fin_timeout=20),
    case(FIN_WAIT2, tcp_fin_timeout=60),
    case(FIN_WAIT2, tcp_fin_timeout=61),
    case(FIN_WAIT2, tcp_fin_timeout=62),
    case(FIN_WAIT2, tcp_fin_timeout=65),
    case(FIN_WAIT2, tcp_fin_timeout=70),
    case(FIN_WAIT2, tcp_fin_timeout=90),
    case(FIN_WAIT2, tcp_fin_timeout=120, is_foretold=True),
    case(TIME_WAIT, tcp_fin_timeout=5),
    case(TIME_WAIT, tcp_fin_timeout=120),
)

ENDLESS = (
    case(SHUT_WINDOW, tcp_rto_max_ms=5000, tcp_retries2=4),
    case(SHUT_WINDOW, tcp_rto_max_ms=5000, tcp_retries2=5, tcp_orphan_retries=6),
)
"""What no timer ends, as long as the peer answers."""


@pytest.fixture(scope="module")
def lives() -> Mapping[Case, Lived]:
    """All cases that this kernel has the parameters for, after they have ended."""
    require_live()
    lived = live_through(
        [each for each in (*CASES, *ENDLESS) if not each.missing], time.monotonic, seconds=WAIT_AT_MOST_S
    )
    print(f"\n{'predicted':>9} {'measured':>9}  {'timers':<18} case")
    for each, life in lived.items():
        measured = "-" if life.measured_s is None else f"{life.measured_s:.2f}"
        print(f"{life.predicted_s:9.2f} {measured:>9}  {', '.join(life.timers):<18} {each}")
    return lived


def life_of(each: Case, lives: Mapping[Case, Lived]) -> Lived:
    if each.missing:
        pytest.skip(f"this kernel has no {', '.join(each.missing)}")
    return lives[each]


def ends_text(state: TcpState, live: Mapping[str, str]) -> str:
    """What a person reads about the end of ``state``."""
    section = explained(state, live).section("ends")
    assert section is not None
    return " ".join(line.text for line in section.lines)


def is_near(measured_s: float, predicted_s: float) -> bool:
    return abs(measured_s - predicted_s) <= SHARE * predicted_s + SECONDS


@pytest.mark.parametrize("each", CASES, ids=str)
def test_a_socket_lives_as_long_as_is_said(each: Case, lives: Mapping[Case, Lived]) -> None:
    life = life_of(each, lives)
    assert format_seconds(life.predicted_s, load().labels) in ends_text(each.ending.state, life.live)
    assert life.timers, "never seen in its state"
    assert life.measured_s is not None, f"still there after {WAIT_AT_MOST_S:g} s"
    assert is_near(life.measured_s, life.predicted_s), f"{life.measured_s:.2f} s, predicted {life.predicted_s:.2f} s"
    assert life.error in (None, GIVEN_UP)


@pytest.mark.parametrize("each", ENDLESS, ids=str)
def test_what_is_said_to_have_no_limit_goes_on(each: Case, lives: Mapping[Case, Lived]) -> None:
    life = life_of(each, lives)
    assert "No limit while the peer answers" in ends_text(each.ending.state, life.live)
    assert life.measured_s is None
    assert life.watched_s >= ENDLESS_FROM_S
    assert life.timers[-1] == "persist"


@pytest.mark.parametrize("timeout", [5, 60, 65, 90, 120])
def test_the_number_that_is_read_for_fin_wait2_is_the_one_that_happens(
    timeout: int, lives: Mapping[Case, Lived]
) -> None:
    life = lives[case(FIN_WAIT2, tcp_fin_timeout=timeout, is_foretold=timeout == 120)]
    read = re.search(rf"\bT = {timeout}: about ([\d.]+) s\b", ends_text(TcpState.FIN_WAIT2, life.live))
    assert read is not None
    assert life.measured_s is not None
    assert is_near(life.measured_s, float(read[1]))


def test_above_sixty_seconds_fin_wait2_waits_twice(lives: Mapping[Case, Lived]) -> None:
    timers = {dict(each.setting)["tcp_fin_timeout"]: lives[each].timers for each in lives if each.ending == FIN_WAIT2}
    for timeout, seen in timers.items():
        if timeout > 60:
            assert seen == ("keepalive", "timewait"), timeout
        else:
            assert len(seen) == 1, timeout


def test_a_shut_window_is_probed_and_silence_is_not(lives: Mapping[Case, Lived]) -> None:
    for each, life in lives.items():
        if each.ending.state is TcpState.FIN_WAIT1:
            assert life.timers[-1] == ("persist" if each.ending == SHUT_WINDOW else "on"), each
