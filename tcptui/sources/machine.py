"""Which machine this is."""

import platform

from tcptui.text import printable


def host_and_kernel() -> tuple[str, str]:
    """Host name and kernel release, printable."""
    return printable(platform.node()), printable(platform.release())
