"""What a person is pointing at while an explanation is asked for."""

from dataclasses import dataclass

from tcptui.model.states import TcpState


@dataclass(frozen=True)
class Subject:
    """The highlighted state, and a row of the table."""

    state: TcpState
    row: int | None = None
    """Of the frame's grid; None for all rows."""
