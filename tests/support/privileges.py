"""Whether this machine lets a test make namespaces with sockets in them; and what to do where a test cannot run."""

import functools
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.commands import CommandError
from tests.support.netns import NetworkNamespace


def require_live() -> None:
    """End the running test unless namespaces can be made: a skip with the reason, but a failure in CI."""
    obstacle = live_obstacle()
    if obstacle is not None:
        refuse(obstacle, os.environ)


def refuse(obstacle: str, environ: Mapping[str, str]) -> NoReturn:
    """End the running test because of ``obstacle``.

    In CI a skipped test would let a broken decoder, or a page that shows nothing, through without anybody seeing it.
    """
    if environ.get("CI") == "true":
        pytest.fail(f"this test must run in CI: {obstacle}")
    pytest.skip(f"this test cannot run here: {obstacle}")


@functools.cache
def live_obstacle() -> str | None:
    """Why no namespace with sockets can be made here, or None; tried once in a process."""
    if os.geteuid() != 0:
        return "not root"
    missing = [name for name in ("ip", "ss") if shutil.which(name) is None]
    if missing:
        return f"not installed (package iproute2): {', '.join(missing)}"
    if not Path("/proc/sys/net/ipv6").is_dir():
        return "the kernel has no IPv6"
    try:
        with NetworkNamespace("probe") as probe, probe.entered():
            pass
    except (CommandError, OSError) as error:
        return f"cannot make a network namespace: {error}"
    return None
