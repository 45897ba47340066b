"""The crowd is as large, as mixed and as steady as a measurement asked for."""

from collections import Counter

import pytest

from tcptui.model.states import TcpState
from tests.support.crowd import Crowd, Share, even_parts, plan_shares, split_shares
from tests.support.netns import NetworkNamespace
from tests.support.ss import SsRow, ss_counts, ss_rows
from tests.support.waiting import wait_for


def test_shares_are_even_and_complete() -> None:
    """Every port gets its number, and no peer more than one connection above another."""
    shares = plan_shares(1000, 7, {8080: 100, 443: 15}, (9000, 9001))

    each_port: Counter[int] = Counter()
    each_source: Counter[str] = Counter()
    for share in shares:
        each_port[share.port] += share.count
        each_source[share.source] += share.count
    assert each_port == {8080: 100, 443: 15, 9000: 443, 9001: 442}
    assert set(each_source.values()) == {142, 143}


@pytest.mark.parametrize("arguments", [(10, 3, {80: 11}, (9000,)), (10, 3, {80: 9}, ()), (10, 0, {}, (9000,))])
def test_what_cannot_be_spread_is_refused(arguments: tuple[int, int, dict[int, int], tuple[int, ...]]) -> None:
    """Rather than made in another number."""
    with pytest.raises(ValueError, match="cannot spread 10 connections"):
        plan_shares(*arguments)


def test_workloads_fit_into_a_worker() -> None:
    """A share that does not fit is cut."""
    workloads = split_shares([Share("a", 1, 5), Share("b", 1, 12)], 8)

    assert workloads == [[Share("a", 1, 5), Share("b", 1, 3)], [Share("b", 1, 8)], [Share("b", 1, 1)]]


def test_even_parts_differ_by_one_at_most() -> None:
    """The larger ones come first."""
    assert even_parts(11, 4) == [3, 3, 3, 2]
    assert even_parts(0, 0) == []


@pytest.mark.live
@pytest.mark.timeout(60)
def test_a_crowd_has_the_chosen_counts_peers_and_ports(namespace: NetworkNamespace) -> None:
    """Counted by ss, from the listeners' end."""
    with Crowd(namespace, 2000, peers=40, ports={8080: 100}, other_ports=(9000, 9001), time_wait=300) as crowd:
        assert ss_counts(namespace) == crowd.expected()
        assert crowd.expected() == {TcpState.ESTABLISHED: 4000, TcpState.TIME_WAIT: 300, TcpState.LISTEN: 3}
        arrived = [row for row in ss_rows(namespace) if row.local_port in {8080, 9000, 9001} and row.peer_port]

    assert Counter(row.local_port for row in arrived) == {8080: 100, 9000: 950, 9001: 950}
    assert Counter(Counter(row.peer_address for row in arrived).values()) == {50: 40}


@pytest.mark.live
@pytest.mark.timeout(60)
def test_a_crowd_leaves_only_its_time_wait(namespace: NetworkNamespace) -> None:
    """The namespace, which is not the crowd's, takes those with it."""
    with Crowd(namespace, 1000, peers=3, time_wait=50):
        pass

    wait_for(
        lambda: ss_counts(namespace), lambda seen: seen == {TcpState.TIME_WAIT: 50}, wanted="nothing but TIME_WAIT"
    )


@pytest.mark.live
@pytest.mark.timeout(60)
def test_churn_replaces_connections_and_keeps_their_number(namespace: NetworkNamespace) -> None:
    """Every tenth connection is replaced by another, and a second later every tenth again."""
    with Crowd(namespace, 1000, peers=5) as crowd:
        first = connections(namespace)
        crowd.churn(1 / 10)
        await_replaced(namespace, first, 100)
        await_replaced(namespace, connections(namespace), 100)
        crowd.churn(0)
        crowd.settle()

        assert ss_counts(namespace) == crowd.expected()
        assert crowd.expected()[TcpState.ESTABLISHED] == 2000


def connections(namespace: NetworkNamespace) -> set[SsRow]:
    """The dialling ends of the crowd's connections."""
    return {row for row in ss_rows(namespace) if row.peer_address == "127.0.0.1"}


def await_replaced(namespace: NetworkNamespace, before: set[SsRow], count: int) -> None:
    """Wait until ``count`` connections are there that were not there ``before``."""
    wait_for(lambda: len(connections(namespace) - before), lambda new: new >= count, wanted=f"{count} new connections")
