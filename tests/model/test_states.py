"""State names: every spelling in use comes in, the kernel's names go out."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.errors import nearest_hint
from tcptui.model.states import ALL_STATES, DISPLAY_ORDER, STATE_COUNT, TcpState, find_state
from tests.support.ss import SS_NAMES

KERNEL_NUMBERS = {
    "ESTABLISHED": 1,
    "SYN_SENT": 2,
    "SYN_RECV": 3,
    "FIN_WAIT1": 4,
    "FIN_WAIT2": 5,
    "TIME_WAIT": 6,
    "CLOSE": 7,
    "CLOSE_WAIT": 8,
    "LAST_ACK": 9,
    "LISTEN": 10,
    "CLOSING": 11,
}
"""``include/net/tcp_states.h``."""

SPELLINGS = {
    "ESTABLISHED": ("ESTABLISHED", "ESTAB", "established", "estab", "Established"),
    "SYN_SENT": ("SYN_SENT", "SYN-SENT", "syn-sent", "synsent", "SynSent"),
    "SYN_RECV": ("SYN_RECV", "SYN-RECV", "SYN_RCVD", "syn-rcvd", "syn_received", "SYN-RECEIVED", "NEW_SYN_RECV"),
    "FIN_WAIT1": ("FIN_WAIT1", "FIN-WAIT-1", "FIN_WAIT_1", "fin-wait-1", "finwait1", "FinWait1"),
    "FIN_WAIT2": ("FIN_WAIT2", "FIN-WAIT-2", "FIN_WAIT_2", "fin-wait-2", "finwait2", "fin wait 2"),
    "TIME_WAIT": ("TIME_WAIT", "TIME-WAIT", "time-wait", "time_wait", "timewait", "TimeWait"),
    "CLOSE": ("CLOSE", "CLOSED", "closed", "UNCONN", "unconnected"),
    "CLOSE_WAIT": ("CLOSE_WAIT", "CLOSE-WAIT", "close-wait", "closewait"),
    "LAST_ACK": ("LAST_ACK", "LAST-ACK", "last-ack", "lastack"),
    "LISTEN": ("LISTEN", "LISTENING", "listen", "listening"),
    "CLOSING": ("CLOSING", "closing"),
}
"""ss, netstat on three systems, RFC 9293, psutil, the kernel's own."""


def test_numbers_and_names_are_the_kernels() -> None:
    assert {state.name: state.value for state in TcpState} == KERNEL_NUMBERS
    assert max(TcpState) < STATE_COUNT


@pytest.mark.parametrize(
    ("name", "spelling"), [(name, spelling) for name, spellings in SPELLINGS.items() for spelling in spellings]
)
def test_every_spelling_in_use_is_understood(name: str, spelling: str) -> None:
    assert find_state(spelling) is TcpState[name]


@given(st.sampled_from(ALL_STATES), st.randoms(use_true_random=False))
def test_case_hyphens_underscores_and_blanks_do_not_matter(state: TcpState, chance: random.Random) -> None:
    respelled = "".join(
        chance.choice(("", "-", "_", " ")) if char == "_" else chance.choice((char.lower(), char))
        for char in state.name
    )
    assert find_state(respelled) is state


def test_every_name_that_ss_prints_is_understood() -> None:
    assert [find_state(name) for name in SS_NAMES.values()] == list(ALL_STATES) == list(SS_NAMES)


def test_every_state_but_close_is_displayed_once() -> None:
    assert sorted(DISPLAY_ORDER) == sorted(set(ALL_STATES) - {TcpState.CLOSE})


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("TIMEWAITS", "did you mean TIME_WAIT?"),
        ("etablished", "did you mean ESTABLISHED?"),
        ("close-wiat", "did you mean CLOSE_WAIT?"),
        ("lastak", "did you mean LAST_ACK?"),
        ("lisen", "did you mean LISTEN?"),
        ("fin-wait-3", "did you mean FIN_WAIT"),
    ],
)
def test_for_a_misspelt_name_the_nearest_is_offered(typed: str, hint: str) -> None:
    assert find_state(typed) is None
    assert nearest_hint(typed, KERNEL_NUMBERS).startswith(hint)


@pytest.mark.parametrize("typed", ["", "-", "xyzzy", "1", "état"])
def test_for_a_word_like_no_name_all_are_offered(typed: str) -> None:
    assert find_state(typed) is None
    assert nearest_hint(typed, KERNEL_NUMBERS) == "known: " + ", ".join(KERNEL_NUMBERS)


@given(st.text(max_size=20))
def test_any_text_is_a_state_or_none(text: str) -> None:
    assert find_state(text) in (None, *ALL_STATES)


@given(
    st.text(max_size=30), st.lists(st.sampled_from(("alpha", "beta", "gamma-ray", "delta_4")), unique=True, min_size=1)
)
def test_a_hint_names_known_things_only(text: str, known: list[str]) -> None:
    hint = nearest_hint(text, known)
    assert hint in {f"did you mean {name}?" for name in known} | {f"known: {', '.join(known)}"}
