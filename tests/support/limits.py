"""How many descriptors a process of the tests may open."""

import resource


def raise_descriptor_limit() -> int:
    """Let this process open as many descriptors as it may at most; how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
