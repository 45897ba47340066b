"""Two frames compared part by part: they hold arrays, so ``==`` is identity."""

from collections.abc import Mapping

import numpy as np

from tcptui.analysis.grid import Grid
from tcptui.analysis.matching import Column
from tcptui.model.history import Transitions
from tcptui.monitor.frame import Frame


def assert_same_columns(one: Mapping[str, Column], other: Mapping[str, Column]) -> None:
    """The same fields with the same values, but for the trend, which belongs to the history."""
    assert set(one) - {"trend"} == set(other) - {"trend"}
    for field_id, column in one.items():
        if field_id == "trend":
            continue
        for part, other_part in zip(column, other[field_id], strict=True):
            assert part.tolist() == other_part.tolist(), field_id


def assert_same_grids(one: Grid, other: Grid) -> None:
    """The same view of the same rows."""
    assert (one.kind, one.absent) == (other.kind, other.absent)
    assert one.members.tolist() == other.members.tolist()
    assert_same_columns(one.columns, other.columns)
    assert_same_columns({"identities": one.identities}, {"identities": other.identities})
    assert {name: list(texts) for name, texts in one.texts.items()} == {
        name: list(texts) for name, texts in other.texts.items()
    }


def assert_same_frames(one: Frame, other: Frame) -> None:
    """The same answer, history and ages apart."""
    assert one.view == other.view
    assert one.sample.table is other.sample.table
    assert (one.previous and one.previous.table) is (other.previous and other.previous.table)
    assert (one.mask is None) == (other.mask is None)
    if one.mask is not None and other.mask is not None:
        assert one.mask.tolist() == other.mask.tolist()
    assert_same_grids(one.states, other.states)
    assert_same_grids(one.grid, other.grid)
    assert one.order.tolist() == other.order.tolist()
    assert (one.transitions is None) == (other.transitions is None)
    if one.transitions is not None and other.transitions is not None:
        assert_same_transitions(one.transitions, other.transitions)


def assert_same_transitions(one: Transitions, other: Transitions) -> None:
    """The same sockets came, went and moved."""
    for name in ("opened", "closed", "moved"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    for name in ("elapsed_s", "brief", "is_brief_exact"):
        assert getattr(one, name) == getattr(other, name), name
