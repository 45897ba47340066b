"""Outside commands of the tests (``ip``, ``ss``): run, checked, and quoted in the error when they fail."""

import shlex
import subprocess

COMMAND_DEADLINE_S = 60.0
"""``ss`` needs about 6 s to print 800,000 sockets; a command that takes ten times as long hangs."""


class CommandError(RuntimeError):
    """A command ended with a code other than 0; the text has the command line and what it wrote to standard error."""


def run_command(*argv: str, stdin: str = "") -> str:
    """Standard output of ``argv``.

    Raises:
        CommandError: the command failed.
    """
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=COMMAND_DEADLINE_S)
    if done.returncode:
        raise CommandError(f"{shlex.join(argv)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout
