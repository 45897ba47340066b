"""What the kernel tells of one socket beyond its row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class SocketKey(NamedTuple):
    """What names one socket to the kernel."""

    family: int
    """4 or 6, as the kernel's table has it."""
    local_hi: int
    local_lo: int
    local_port: int
    remote_hi: int
    remote_lo: int
    remote_port: int
    interface: int
    cookie: int
    netns: int
    """Index into ``Sample.namespaces``."""
    is_listener: bool


@dataclass(frozen=True)
class SocketDetail:
    """One socket, looked up by its key (``ss -tiem`` for one row)."""

    key: SocketKey
    info: Mapping[str, int] | None = None
    """Fields of ``struct tcp_info`` (``include/uapi/linux/tcp.h``) by name without ``tcpi_``, as far as this kernel has
    them; None for a socket that has none: TIME_WAIT, orphan FIN_WAIT2, SYN_RECV (FACTS section 6.2)."""
    memory: Mapping[str, int] = field(default_factory=dict)
    """Bytes by the names of ``SK_MEMINFO_*`` (``include/uapi/linux/sock_diag.h``) in lower case: ``rmem_alloc``,
    ``rcvbuf``, ``wmem_alloc``, ``sndbuf``, ``fwd_alloc``, ``wmem_queued``, ``optmem``, ``backlog``, ``drops``."""
    congestion: str = ""
    """Congestion control, printable."""
    type_of_service: int | None = None
    shutdown: int | None = None
    """Bit 1: receiving is shut down; bit 2: sending."""
    state: int | None = None
    """By the kernel's number."""
