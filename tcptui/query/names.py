"""What the names in a filter stand for; given to the parser, which looks nothing up itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Names:
    """What words in a filter stand for on this machine."""

    services: Mapping[str, int] = field(default_factory=dict)
    """Port by TCP service name or alias."""
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses as text by host name in lower case."""
    interfaces: Mapping[str, int] = field(default_factory=dict)
    """Index by interface name, in the namespace that is looked at."""
    users: Mapping[str, int] = field(default_factory=dict)
    """Uid by user name."""
    saved: Mapping[str, str] = field(default_factory=dict)
    """Text of saved filters by name."""
    saved_in: str = "config.toml"
    """Where saved filters are kept, for messages."""
    saved_problem: str = ""
    """Why saved filters cannot be read; empty if they can."""
