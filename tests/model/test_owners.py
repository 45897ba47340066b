"""Who stands behind a socket."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model.owners import (
    NAMED,
    NO_CGROUP,
    REASONS,
    Blindness,
    Holders,
    Owners,
    Process,
    Standing,
    no_owners,
    owners_of,
)
from tests.model.held import JAVA, MASTER, WORKER


def test_owners_are_compared_by_identity() -> None:
    """An array in an == would ask which element is meant."""
    owners = owners_of({5: (MASTER, WORKER)})
    assert owners == owners  # noqa: PLR0124 - that is the point
    assert owners != Owners(owners.inodes, owners.codes, owners.groups)


def test_nobody_looked_means_nothing_known() -> None:
    owners = no_owners()
    assert [owners.inodes.tolist(), owners.codes.tolist(), owners.groups] == [[], [], ()]
    assert [owners.inodes.dtype, owners.codes.dtype] == [np.dtype(np.uint32), np.dtype(np.int32)]
    assert [owners.nobodys.tolist(), owners.gone.tolist(), owners.processes()] == [[], [], []]
    assert (owners.blindness, owners.looked_at) == (Blindness.NONE, 1.0)


inodes = st.integers(1, 2**32 - 1)
groups: st.SearchStrategy[Holders] = st.sampled_from(((MASTER,), (WORKER,), (MASTER, WORKER), (JAVA,)))


@given(st.dictionaries(inodes, groups, max_size=8))
def test_each_inode_has_its_group_and_each_group_is_there_once(holders: dict[int, Holders]) -> None:
    owners = owners_of(holders)
    assert owners.inodes.tolist() == sorted(holders)
    found = zip(owners.inodes.tolist(), owners.codes.tolist(), strict=True)
    assert {inode: owners.groups[code] for inode, code in found} == holders
    assert len(set(owners.groups)) == len(owners.groups)
    processes = owners.processes()
    assert len(processes) == len(set(processes))
    assert set(processes) == {process for group in holders.values() for process in group}


@pytest.mark.parametrize("changed", [{"name": "x"}, {"command": "x"}, {"uid": 7}, {"user": "x"}, {"cgroup": "/x"}])
def test_a_process_stays_itself_whatever_it_calls_itself(changed: dict[str, object]) -> None:
    """``prctl(PR_SET_NAME)``, ``setuid(2)``, a move to another cgroup."""
    assert replace(WORKER, **changed) == WORKER  # type: ignore[arg-type] # any field
    assert hash(replace(WORKER, **changed)) == hash(WORKER)  # type: ignore[arg-type]


def test_a_process_id_that_is_given_again_is_another_process() -> None:
    assert Process(812, 4100, "nginx") != Process(812, 9000, "nginx")


def test_a_row_either_has_holders_or_a_reason_why_not() -> None:
    assert set(Standing) == NAMED | set(REASONS)
    assert not NAMED & set(REASONS)


def test_a_reason_looks_like_no_name_of_a_process_or_unit() -> None:
    """They stand in one column with those, and are filtered by with the same word."""
    texts = [*REASONS.values(), NO_CGROUP]
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert (text[0], text[-1]) == ("(", ")")
        assert text.isprintable()
        assert text == text.lower()
