"""Laws and live parameters together: every case is reached, and every sentence gets the numbers it asks for."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.explain.bounds import BOUNDS, NoValueError, Values
from tcptui.explain.knowledge import load
from tcptui.explain.live import LiveValues
from tests.explain.support import machine


def answer(bound: str, live: Mapping[str, str]) -> tuple[str, Mapping[str, object]]:
    return BOUNDS[bound].answer(LiveValues(live, load().parameters).numbers)


CASES: list[tuple[str, dict[str, str], str]] = [
    ("keepalive", {}, "usual"),
    ("retries2", {}, "usual"),
    ("syn", {}, "linear"),
    ("syn", {"tcp_syn_linear_timeouts": "0"}, "doubling"),
    ("syn_ack", {}, "usual"),
    ("syn_recv_cap", {}, "cookies_on"),
    ("syn_recv_cap", {"tcp_syncookies": "0"}, "cookies_off"),
    ("syn_recv_cap", {"tcp_syncookies": "0", "tcp_max_syn_backlog": "?"}, "cookies_off_unknown"),
    ("syn_recv_cap", {"tcp_syncookies": "2"}, "cookies_always"),
    ("orphan", {}, "zero"),
    ("orphan", {"tcp_orphan_retries": "3"}, "set"),
    ("orphan", {"tcp_rto_max_ms": "5000"}, "zero_capped"),
    ("zero_window_orphan", {}, "usual"),
    ("zero_window_orphan", {"tcp_orphan_retries": "1"}, "one"),
    ("zero_window_orphan", {"tcp_orphan_retries": "16"}, "unlimited"),
    ("zero_window_orphan", {"tcp_retries2": "8"}, "never_far_apart"),
    ("fin_wait2", {"tcp_fin_timeout": "0"}, "shortest"),
    ("fin_wait2", {}, "up_to_60"),
    ("fin_wait2", {"tcp_fin_timeout": "61"}, "above_60_shorter"),
    ("fin_wait2", {"tcp_fin_timeout": "90"}, "above_60"),
    ("time_wait", {}, "usual"),
    ("tw_reuse", {"tcp_tw_reuse": "0"}, "off"),
    ("tw_reuse", {}, "loopback"),
    ("tw_reuse", {"tcp_tw_reuse": "1"}, "all"),
    ("tw_reuse", {"tcp_timestamps": "0"}, "no_timestamps"),
    ("ports", {}, "usual"),
    ("backlog", {}, "usual"),
    ("overflow", {}, "ignore"),
    ("overflow", {"tcp_abort_on_overflow": "1"}, "reset"),
    ("memory", {}, "usual"),
]


@pytest.mark.parametrize(("bound", "changes", "case"), CASES)
def test_each_case_fills_its_sentence(bound: str, changes: dict[str, str], case: str) -> None:
    found, numbers = answer(bound, machine(**changes))
    assert found == case
    assert set(numbers) == BOUNDS[bound].cases[case]
    assert "{" not in load().bounds[bound].sentences[case].format_map(numbers)


def test_every_case_of_every_bound_is_covered() -> None:
    assert {(bound, case) for bound, _, case in CASES} == {
        (name, case) for name, bound in BOUNDS.items() for case in bound.cases
    }


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_reads_nothing_but_the_parameters_it_names(name: str) -> None:
    bound = BOUNDS[name]
    live = machine()
    BOUNDS[name].answer(Values({parameter: live[parameter] for parameter in bound.parameters}))


@given(st.dictionaries(st.sampled_from(sorted(machine())), st.text(max_size=12) | st.integers().map(str), max_size=20))
def test_no_value_whatever_breaks_a_bound(changes: dict[str, str]) -> None:
    live = machine(changes)
    for name in BOUNDS:
        try:
            case, numbers = answer(name, live)
        except NoValueError:
            continue
        assert set(numbers) == BOUNDS[name].cases[case]


def test_ports_leave_out_the_reserved_ones() -> None:
    assert answer("ports", machine(ip_local_reserved_ports="40000-40099,8080"))[1]["ports"] == 28132


def test_memory_counts_pages_of_four_kibibytes() -> None:
    assert answer("memory", machine(tcp_mem="1 256 512"))[1] == {"pressure": 1, "maximum": 2}
