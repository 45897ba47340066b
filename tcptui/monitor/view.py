"""What the user asked to see."""

from dataclasses import dataclass, replace

from tcptui.model.detail import SocketKey
from tcptui.model.fields import INFO_FIELDS, OVER_TIME_FIELDS, SortKey, ViewKind, default_sort
from tcptui.query.request import FOUND_BESIDE, Need, Request, asks_for_age, request_for
from tcptui.query.syntax import Filter


@dataclass(frozen=True)
class View:
    """A grouping, a filter and an order. Immutable: a change of mind is another view."""

    kind: ViewKind = ViewKind.PEERS
    filter: Filter | None = None
    sort: SortKey | None = None
    """None is the order that the grouping starts with."""
    prefix: int | None = None
    """Group peers by networks of so many bits."""
    shows_info: bool = False
    """Whether columns are looked at that come out of ``tcp_info``."""
    watched: SocketKey | None = None
    """The connection that more is shown of."""

    @property
    def request(self) -> Request:
        """What a sample must have in it to show this."""
        beside = FOUND_BESIDE if self.kind.names_processes else frozenset()
        is_by_info = self.sort is not None and self.sort.field_id in INFO_FIELDS
        needs = beside | ({Need.TCP_INFO} if is_by_info or self.shows_info else set())
        return replace(request_for(self.filter, needs), watched=self.watched)

    @property
    def effective_sort(self) -> SortKey | None:
        """The order in force."""
        return self.sort or default_sort(self.kind)

    @property
    def takes_time(self) -> bool:
        """Whether one sample is not enough: ages, or what changes from one to the next, decide on rows or order."""
        if self.filter is not None and asks_for_age(self.filter.expression):
            return True
        return self.sort is not None and self.sort.field_id in OVER_TIME_FIELDS | {"age_ms"}

    @property
    def filter_text(self) -> str:
        """The filter as it was written; empty when there is none."""
        return self.filter.text if self.filter else ""

    def of_kind(self, name: str) -> "View":
        """The same filter in another grouping, in that grouping's own order."""
        kind = ViewKind(name)
        return self if kind is self.kind else replace(self, kind=kind, sort=None, shows_info=False)

    def sorted_by(self, field_id: str) -> "View":
        """Ordered by a field; asking for the field that already orders turns the direction round.

        A field that this grouping does not have changes nothing: a key may be meant for the view before.
        """
        now = self.effective_sort
        if now is not None and now.field_id == field_id:
            return replace(self, sort=SortKey(field_id, not now.descending))
        field = next((each for each in self.kind.fields if each.id == field_id), None)
        return self if field is None else replace(self, sort=SortKey(field_id, field.type.is_number))
