"""The program as a process inside a network namespace, as root or as somebody without privileges."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Literal

from tests.support.netns import NetworkNamespace

NOBODY = 65534

User = Literal["root", "nobody"]

_RUN_AS = f"""
import os, sys
user, block_netlink, arguments = sys.argv[1], sys.argv[2] == "yes", sys.argv[3:]
# Everything is loaded while files can still be read: a clone may lie where nobody may look.
import gettext, locale, numpy.ma, platformdirs
import tcptui.cli, tcptui.headless.snapshot, tcptui.headless.explain, tcptui.sources.live, tcptui.export.formats
import psutil, tcptui.config.file, tcptui.query.understanding, tcptui.sources.names, tcptui.sources.whereabouts
from tcptui.query.parse import parse_filter
parse_filter(":1")
tcptui.config.file.config_path()
from tests.support.seccomp import deny_netlink
if user == "nobody":
    os.setgroups([])
    os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
    os.chdir("/")
if block_netlink:
    deny_netlink()
sys.exit(tcptui.cli.main(arguments))
"""


@dataclass(frozen=True)
class Run:
    """How a run of the program ended."""

    exit_code: int
    output: str
    errors: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as JSON."""
        assert self.exit_code == 0, self.errors
        parsed: dict[str, Any] = json.loads(self.output)
        return parsed


def run_inside(namespace: NetworkNamespace, *arguments: str, user: User = "root", block_netlink: bool = False) -> Run:
    """Run ``tcptui`` with ``arguments`` in ``namespace``; ``block_netlink`` has seccomp refuse AF_NETLINK."""
    command = namespace.argv(sys.executable, "-c", _RUN_AS, user, "yes" if block_netlink else "no", *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return Run(done.returncode, done.stdout, done.stderr)


def run_program(*arguments: str, **environment: str) -> Run:
    """Run ``python -m tcptui`` with ``arguments`` where this process is."""
    done = subprocess.run(
        [sys.executable, "-m", "tcptui", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
    )
    return Run(done.returncode, done.stdout, done.stderr)
