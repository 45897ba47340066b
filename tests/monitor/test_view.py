"""What the user asked to see."""

import pytest

from tcptui.model.detail import SocketKey
from tcptui.model.fields import SortKey, ViewKind
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.request import Need, Request
from tcptui.query.syntax import Filter

FILTER = parse_filter(":443")


def test_another_grouping_keeps_the_filter_and_drops_the_order() -> None:
    view = View(ViewKind.PEERS, FILTER, SortKey("peer", descending=False), 24)
    assert view.of_kind("ports") == View(ViewKind.PORTS, FILTER, None, 24)
    assert view.of_kind("peers") is view
    assert View(ViewKind.CONNECTIONS, shows_info=True).of_kind("ports") == View(ViewKind.PORTS)


def test_every_grouping_can_be_asked_for_by_name() -> None:
    assert [View().of_kind(kind.value).kind for kind in ViewKind] == list(ViewKind)


@pytest.mark.parametrize(
    ("view", "field_id", "sort"),
    [
        (View(ViewKind.PEERS), "TIME_WAIT", SortKey("TIME_WAIT", descending=True)),
        (View(ViewKind.PEERS), "peer", SortKey("peer", descending=False)),
        (View(ViewKind.PEERS), "total", SortKey("total", descending=False)),
        (View(ViewKind.PEERS, sort=SortKey("peer", descending=False)), "peer", SortKey("peer", descending=True)),
        (View(ViewKind.CONNECTIONS), "state", SortKey("state", descending=False)),
        (View(ViewKind.CONNECTIONS), "timer_ms", SortKey("timer_ms", descending=True)),
    ],
)
def test_numbers_are_first_ordered_from_the_largest_and_asking_again_turns_it_round(
    view: View, field_id: str, sort: SortKey
) -> None:
    assert view.sorted_by(field_id).effective_sort == sort
    assert view.sorted_by(field_id).sorted_by(field_id).effective_sort == SortKey(field_id, not sort.descending)


OF_PROCESS = parse_filter("process nginx")
KEY = SocketKey(4, 0, 1, 443, 0, 2, 40000, 0, 77, 0, is_listener=False)
BESIDE = frozenset({Need.OWNERS, Need.CGROUPS})


@pytest.mark.parametrize(
    ("view", "filter", "needs"),
    [
        *((View(kind), None, set()) for kind in (ViewKind.STATES, ViewKind.PEERS, ViewKind.PORTS)),
        *((View(kind), None, BESIDE) for kind in (ViewKind.PROCESSES, ViewKind.SERVICES, ViewKind.LISTENERS)),
        *((View(kind), None, BESIDE) for kind in (ViewKind.CONNECTIONS, ViewKind.NAMESPACES)),
        (View(ViewKind.PORTS, FILTER), FILTER, set()),
        (View(ViewKind.PROCESSES, FILTER), FILTER, BESIDE),
        (View(ViewKind.PORTS, OF_PROCESS), OF_PROCESS, {Need.OWNERS}),
        (View(ViewKind.CONNECTIONS, shows_info=True), None, {*BESIDE, Need.TCP_INFO}),
        (View(ViewKind.CONNECTIONS, sort=SortKey("rtt_us", descending=True)), None, {*BESIDE, Need.TCP_INFO}),
        (View(ViewKind.CONNECTIONS, sort=SortKey("cookie", descending=True)), None, BESIDE),
    ],
)
def test_a_view_asks_for_what_it_shows_and_its_filter_decides_by(
    view: View, filter: Filter | None, needs: set[Need]
) -> None:
    scope = filter.expression if filter else None
    assert view.request == Request(scope, frozenset(needs))
    assert view.request.of_sockets == Request(scope, frozenset(needs) - BESIDE)


def test_a_view_that_watches_a_connection_asks_for_more_of_it() -> None:
    view = View(ViewKind.CONNECTIONS, watched=KEY)
    assert view.request == Request(None, BESIDE, KEY)
    assert view.request.of_sockets.watched == KEY


def test_the_filters_text_is_empty_without_one() -> None:
    assert View().filter_text == ""
    assert View(filter=FILTER).filter_text == ":443"
