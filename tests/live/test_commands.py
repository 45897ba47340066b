"""The commands that an explanation offers are understood by the programs that they are for."""

import shlex
import subprocess

import pytest

from tcptui.explain.answers import explanation
from tcptui.explain.circumstances import Circumstances
from tcptui.explain.commands import Selection
from tcptui.explain.entries import STATE_NAMES
from tests.support.commands import run_command

pytestmark = pytest.mark.live

SELECTIONS = {
    "nothing": Selection(),
    "a connection": Selection(packets="host 10.1.2.3 and port 443"),
    "a choice": Selection(packets="(port 80 or net 2001:db8::/32)"),
}
IN_SS_SINCE_6_8 = "BOUND_INACTIVE"
"""Which Debian 12 does not have yet."""


def commands_of(state: str, selection: Selection = SELECTIONS["nothing"]) -> dict[str, list[str]]:
    section = explanation(state, Circumstances(selection=selection)).section("commands")
    assert section is not None
    lines = (shlex.split(line.text) for line in section.lines if line.kind == "command")
    return {words[0]: words for words in lines}


@pytest.mark.parametrize("state", [name for name in STATE_NAMES if name not in ("CLOSE", IN_SS_SINCE_6_8)])
def test_ss_understands(state: str) -> None:
    command = commands_of(state)["ss"]
    assert command[0] == "ss"
    assert "Local Address:Port" in run_command(*command)


@pytest.mark.parametrize("selection", SELECTIONS.values(), ids=SELECTIONS)
@pytest.mark.parametrize("state", STATE_NAMES)
def test_tcpdump_can_compile_the_expression(state: str, selection: Selection) -> None:
    *_, expression = commands_of(state, selection)["tcpdump"]
    done = subprocess.run(
        ["tcpdump", "-d", "-y", "LINUX_SLL2", expression], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ret" in done.stdout


@pytest.mark.parametrize("state", STATE_NAMES)
def test_nstat_prints_every_counter(state: str) -> None:
    command = commands_of(state).get("nstat")
    if command is None:  # what moves with it is in sockstat, which nstat does not read
        assert state == IN_SS_SINCE_6_8
        return
    printed = {line.split()[0] for line in run_command(*command).splitlines() if not line.startswith("#")}
    assert printed == set(command[2:])
