"""What the drawn state machine is told of a frame. Pure."""

from tcptui.explain.machine.view import MachineView
from tcptui.model.states import DISPLAY_ORDER, TcpState
from tcptui.monitor.frame import Frame


def machine_view(frame: Frame | None, highlighted: TcpState | None = None) -> MachineView:
    """The counts of the frame's states and the moves that it saw."""
    if frame is None:
        return MachineView({}, None, highlighted)
    counts = {state: frame.state_count(state) for state in DISPLAY_ORDER}
    return MachineView(counts, frame.transitions, highlighted)
