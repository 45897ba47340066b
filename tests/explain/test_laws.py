"""Predicted lifetimes against those that were measured.

The values marked FACTS are of the project's fact sheet (section and experiment beside them). The others were measured
the same way on Linux 6.18.44: namespaces joined by a veth, a wrong neighbour entry for the dead peer, ``ss`` polled
until the row was gone.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.explain import laws

SHARE, SECONDS = 0.05, 0.5
"""How far a prediction may be off: the kernel's timers fire up to an eighth late, and polling costs a little."""


def close_to(seconds: float) -> object:
    return pytest.approx(seconds, rel=SHARE, abs=SECONDS)


@pytest.mark.parametrize(
    ("retries", "measured_s"),
    [
        (1, 1.73),  # FACTS E-5, as the next three and 0
        (2, 3.40),
        (3, 6.75),
        (7, 53.0),
        (0, 107.08),
        (0, 107.0),  # FACTS E-5: LAST_ACK, with tcp_retries2 = 5
        (3, 6.58),  # FACTS E-15: CLOSING
        (4, 6.82),
        (5, 13.43),
        (6, 27.1),
        (9, 213.0),
        (10, 333.7),
    ],
)
def test_orphans_give_up_when_they_were_seen_to(retries: int, measured_s: float) -> None:
    assert laws.orphan_give_up(retries).about_s == close_to(measured_s)


def test_zero_orphan_retries_count_as_eight() -> None:
    assert laws.orphan_give_up(0) == laws.orphan_give_up(8)
    assert laws.orphan_give_up(0).floor_s == pytest.approx(102.2)


@pytest.mark.parametrize(
    ("retries", "rto_max_ms", "measured_s"),
    [(0, 5000, 11.9), (0, 1000, 2.71), (3, 1000, 3.72), (8, 1000, 8.86), (8, 5000, 27.5), (0, 20000, 48.5)],
)  # the first is FACTS E-28
def test_a_lower_largest_rto_ends_orphans_sooner(retries: int, rto_max_ms: int, measured_s: float) -> None:
    assert laws.orphan_give_up(retries, rto_max_ms=rto_max_ms).about_s == close_to(measured_s)


@pytest.mark.parametrize(
    ("retries", "rto_min_us", "measured_s"),
    [(3, 5000, 3.2), (3, 50_000, 3.72), (0, 50_000, 118.7), (3, 1_000_000, 8.28), (0, 1_000_000, 130.4)],
)
def test_the_smallest_rto_moves_the_last_retransmission(retries: int, rto_min_us: int, measured_s: float) -> None:
    assert laws.orphan_give_up(retries, rto_min_us=rto_min_us).about_s == close_to(measured_s)


@pytest.mark.parametrize(
    ("retries2", "measured_s"),
    [(3, 6.75), (5, 13.59), (15, 944.4), (0, 0.87), (1, 1.71), (8, 107.3)],  # the first three are FACTS E-5
)
def test_unacknowledged_data_gives_up_when_it_was_seen_to(retries2: int, measured_s: float) -> None:
    assert laws.owned_give_up(retries2).about_s == close_to(measured_s)


def test_the_lower_bound_of_retries2_is_the_kernels_own() -> None:
    assert laws.owned_give_up(15).floor_s == pytest.approx(924.6)  # FACTS 1.1
    assert laws.owned_give_up(15).about_s > 924.6


@pytest.mark.parametrize(
    ("retries", "rto_max_ms", "measured_s"),
    [(0, 120_000, 342.0), (2, 120_000, 342.0), (0, 5000, 12.1), (15, 5000, 62.3), (0, 20_000, 48.7)],
)  # the first three are FACTS E-22 and E-28
def test_an_orphan_before_a_shut_window_lives_as_long_as_was_seen(
    retries: int, rto_max_ms: int, measured_s: float
) -> None:
    assert laws.zero_window_orphan_s(retries, rto_max_ms=rto_max_ms) == close_to(measured_s)


def test_more_orphan_retries_than_retries2_never_end_an_answered_probe() -> None:
    assert laws.zero_window_orphan_s(15) < math.inf
    assert laws.zero_window_orphan_s(0, 5) == laws.zero_window_orphan_s(0, 8) == math.inf  # both alive after 540 s
    assert laws.zero_window_orphan_s(0, 9) == math.inf
    assert laws.zero_window_orphan_s(0, 10) < math.inf
    assert laws.zero_window_orphan_s(0, 4, rto_max_ms=5000) == math.inf
    assert laws.zero_window_orphan_s(0, 5, rto_max_ms=5000) < math.inf
    assert laws.zero_window_orphan_s(16) == math.inf  # seen with a largest RTO of 1 s: alive after 90 s, 15 took 12 s


@pytest.mark.parametrize(
    ("syn_retries", "linear", "measured_s", "retransmissions"),
    [
        (6, 4, 133.4, 10),  # FACTS E-29
        (1, 0, 3.02, 1),  # FACTS E-15, as the next three
        (2, 0, 7.13, 2),
        (2, 4, 7.13, 5),
        (1, 4, 3.07, 2),
        (6, 0, 130.0, 6),
        (3, 4, 19.4, 7),
        (4, 20, 35.7, 23),
        (1, 10, 3.07, 2),
    ],
)
def test_connect_gives_up_when_it_was_seen_to(
    syn_retries: int, linear: int, measured_s: float, retransmissions: int
) -> None:
    end = laws.syn_give_up(syn_retries, linear)
    assert end.about_s == close_to(measured_s)
    assert end.retransmissions == retransmissions


def test_connect_by_default_gives_up_at_131_seconds_and_at_127_before_linear_timeouts() -> None:
    assert laws.syn_give_up(6).about_s == 131  # FACTS 1.2
    assert laws.syn_give_up(6, 0).about_s == 127  # FACTS 2.2


@pytest.mark.parametrize(("syn_retries", "linear", "rto_max_ms", "measured_s"), [(6, 4, 5000, 31.8), (4, 0, 2000, 9.1)])
def test_a_lower_largest_rto_shortens_connect(
    syn_retries: int, linear: int, rto_max_ms: int, measured_s: float
) -> None:
    assert laws.syn_give_up(syn_retries, linear, rto_max_ms=rto_max_ms).about_s == close_to(measured_s)


@pytest.mark.parametrize(
    ("synack_retries", "rto_max_ms", "measured_s"),
    [(5, 120_000, 64.8), (0, 120_000, 0.98), (1, 120_000, 3.02), (2, 120_000, 7.25), (3, 120_000, 15.6), (5, 5000, 0)],
)  # the first is FACTS E-7b
def test_half_open_connections_are_dropped_when_they_were_seen_to(
    synack_retries: int, rto_max_ms: int, measured_s: float
) -> None:
    predicted = laws.syn_ack_give_up(synack_retries, rto_max_ms=rto_max_ms).about_s
    assert predicted == (close_to(measured_s) if measured_s else 1 + 2 + 4 + 5 + 5 + 5)


@pytest.mark.parametrize(
    ("timeout_s", "measured_s"),
    [
        (0, 1.0),  # FACTS E-2, as all to 120
        (1, 1.2),
        (5, 5.2),
        (30, 31.4),
        (60, 62.2),
        (62, 4.3),
        (65, 10.3),
        (90, 62.0),
        (120, 123.6),
        (61, 2.5),
        (75, 30.4),
        (89, 60.4),
        (100, 81.8),
    ],
)
def test_closed_fin_wait2_lives_as_long_as_was_seen(timeout_s: int, measured_s: float) -> None:
    assert laws.fin_wait2_orphan_s(timeout_s) == close_to(measured_s)


@given(st.integers(61, 89))
def test_every_fin_timeout_from_61_to_89_is_shorter_than_60(timeout_s: int) -> None:
    assert laws.fin_wait2_orphan_s(timeout_s) < laws.fin_wait2_orphan_s(60)


@given(st.integers(90, 10_000))
def test_a_fin_timeout_from_90_on_is_no_shorter_than_60(timeout_s: int) -> None:
    assert laws.fin_wait2_orphan_s(timeout_s) >= laws.fin_wait2_orphan_s(60)
    assert laws.fin_wait2_orphan_s(timeout_s) == 2 * (timeout_s - 60)


def test_time_wait_is_sixty_seconds() -> None:
    measured_s = 60.3  # FACTS E-2, with tcp_fin_timeout = 5
    assert measured_s == close_to(laws.TIME_WAIT_S)


@pytest.mark.parametrize(
    ("idle_s", "interval_s", "probes", "measured_s"),
    [(2, 1, 3, 5.11), (5, 2, 4, 13.18), (10, 5, 2, 20.36), (3, 7, 1, 10.21)],
)
def test_keepalive_declares_a_dead_peer_when_it_was_seen_to(
    idle_s: int, interval_s: int, probes: int, measured_s: float
) -> None:
    assert laws.keepalive_death_s(idle_s, interval_s, probes) == close_to(measured_s)


def test_keepalive_by_default_takes_two_hours_and_eleven_minutes() -> None:
    assert laws.keepalive_death_s(7200, 75, 9) == 7875  # FACTS 2.3: 7200 + 675


@pytest.mark.parametrize(("retries", "model_s"), [(1, 0.6), (2, 1.4), (3, 3), (7, 51), (8, 102.2), (15, 924.6)])
def test_the_time_model_is_the_kernels(retries: int, model_s: float) -> None:
    assert laws.model_s(retries) == pytest.approx(model_s)  # FACTS 2.1 and 1.1


@given(st.integers(0, 255), st.integers(1000, 120_000), st.integers(1000, 1_000_000))
def test_nothing_gives_up_before_its_floor(retries: int, rto_max_ms: int, rto_min_us: int) -> None:
    for law in (laws.orphan_give_up, laws.owned_give_up):
        end = law(retries, rto_min_us=rto_min_us, rto_max_ms=rto_max_ms)
        assert end.floor_s <= end.about_s
        assert end.retransmissions >= 1


@given(st.integers(1, 254))
def test_more_retries_never_live_shorter(retries: int) -> None:
    assert laws.orphan_give_up(retries + 1).about_s >= laws.orphan_give_up(retries).about_s
    assert laws.syn_give_up(retries + 1).about_s > laws.syn_give_up(retries).about_s
    assert laws.syn_ack_give_up(retries + 1).about_s > laws.syn_ack_give_up(retries).about_s


def test_a_quarter_of_the_syn_backlog_is_kept_back() -> None:
    assert laws.syn_backlog_cap(128) == 97  # FACTS E-7
    assert laws.syn_backlog_cap(2048) == 1537  # FACTS E-7


def test_reserved_ports_inside_the_range_are_taken_off_once() -> None:
    assert laws.ephemeral_ports(32768, 60999) == 28232  # FACTS 2.2
    assert laws.ephemeral_ports(40000, 40009, "8080,40001,40001-40003,50000-50010") == 7
    assert laws.ephemeral_ports(40000, 40009, "1-65535") == 0
