"""State masks as the kernel's request has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.states import ALL_STATES, NEW_SYN_RECV, TcpState
from tcptui.sources.base import states_mask


@pytest.mark.parametrize(
    ("states", "mask"),
    [
        ((), 0),
        ((TcpState.ESTABLISHED,), 0b10),
        ((TcpState.LISTEN,), 1 << 10),
        ((TcpState.SYN_RECV,), 1 << 3 | 1 << 12),
        ((TcpState.SYN_RECV, TcpState.LISTEN), 1 << 3 | 1 << 12 | 1 << 10),
    ],
)
def test_a_mask_has_a_bit_for_each_state(states: tuple[TcpState, ...], mask: int) -> None:
    """SYN_RECV brings NEW_SYN_RECV along, which the kernel shows as SYN_RECV (FACTS section 6.3)."""
    assert states_mask(states) == mask


def test_all_states_are_what_the_kernel_has_without_bound_inactive() -> None:
    assert states_mask(TcpState) == 0x1FFE


@given(st.sets(st.sampled_from(ALL_STATES)))
def test_no_other_bit_is_set(states: set[TcpState]) -> None:
    bits = {number for number in range(16) if states_mask(states) >> number & 1}
    assert bits - {NEW_SYN_RECV} == {int(state) for state in states}
