"""A frame as a reader sees it in a table: which columns, their headings, and the cells."""

import re

from tcptui.analysis.grid import Order
from tcptui.language import tr
from tcptui.model.fields import INFO_FIELDS, Field
from tcptui.model.states import TcpState
from tcptui.monitor.frame import Frame
from tcptui.wrapping import WIDE


def shown_fields(frame: Frame) -> list[Field]:
    """The fields for a reader: without states in which there is nobody, and without what was not fetched."""
    empty = {state.name for state in TcpState if not frame.state_count(state)} | (INFO_FIELDS & frame.grid.absent)
    return [field for field in frame.fields if field.id not in empty and frame.is_shown(field)]


def heading(field: Field) -> str:
    """A heading on one line; Chinese needs no blank where a narrow one would be broken."""
    return re.sub(f"(?<={WIDE}) (?={WIDE})", "", tr(field.title))


def cells(frame: Frame, order: Order, fields: list[Field]) -> list[list[str]]:
    """The cells of some rows, line by line."""
    return [[frame.grid.shown(row, field) for field in fields] for row in order.tolist()]


def left_out(frame: Frame, order: Order) -> str:
    """How many rows of the frame are not among ``order``; empty for none."""
    count = len(frame.order) - len(order)
    return tr("({count:,} more rows)", count=count) if count else ""
