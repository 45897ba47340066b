"""What an explanation is asked about: fixed while it is read, whatever happens to the table meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tcptui.model.states import TcpState

if TYPE_CHECKING:
    from tcptui.explain.commands import Selection


@dataclass(frozen=True)
class Subject:
    """A state in a namespace, and what of it a person has pointed at."""

    state: TcpState
    netns: int = 0
    """Index of the namespace whose parameters hold."""
    selection: Selection | None = None
    """What commands to look further are to be about; None for all sockets."""
