"""What the user asked to see."""

import pytest

from tcptui.model.fields import SortKey, ViewKind
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter

FILTER = parse_filter(":443")


def test_another_grouping_keeps_the_filter_and_drops_the_order() -> None:
    view = View(ViewKind.PEERS, FILTER, SortKey("peer", descending=False), 24)
    assert view.of_kind("ports") == View(ViewKind.PORTS, FILTER, None, 24)
    assert view.of_kind("peers") is view


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


def test_the_filters_text_is_empty_without_one() -> None:
    assert View().filter_text == ""
    assert View(filter=FILTER).filter_text == ":443"
