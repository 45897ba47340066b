"""What there is to ask for in a sample; kept apart from completion, which takes the grammar to load."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Present:
    """What there is to ask for in the table right now, the most frequent first."""

    states: tuple[str, ...] = ()
    local_ports: tuple[str, ...] = ()
    remote_ports: tuple[str, ...] = ()
    local_addresses: tuple[str, ...] = ()
    remote_addresses: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    """Labels of the network namespaces that are looked at."""
    uids: tuple[int, ...] = ()


NOTHING_PRESENT = Present()
