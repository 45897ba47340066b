"""Completion in the shell: the scripts, and what they ask the program."""

import shutil
import subprocess

import pytest

from tcptui.cli import SCENE_NAMES, VIEW_NAMES
from tcptui.query.words import FILTER_WORDS, STATE_WORDS
from tests.cli.process import DEADLINE_S, environment, side_by_side, tcptui

SHELLS = ("bash", "zsh", "fish")


@pytest.mark.parametrize("shell", SHELLS)
def test_there_is_a_script_for_each_shell(shell: str) -> None:
    ended = tcptui("completion", shell)
    assert (ended.exit_code, ended.errors) == (0, "")
    assert f"_TCPTUI_COMPLETE={shell}_complete" in ended.output
    assert "tcptui" in ended.output


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_that_is_here_accepts_its_script(shell: str) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    script = tcptui("completion", shell).output
    done = subprocess.run([path, "-n"], input=script, capture_output=True, text=True, check=False, timeout=DEADLINE_S)
    assert (done.returncode, done.stderr) == (0, "")


def completions(*words: str) -> list[str]:
    """What bash would be offered with the cursor behind the last of ``words``."""
    ended = tcptui(
        environ=environment(
            _TCPTUI_COMPLETE="bash_complete", COMP_WORDS=" ".join(("tcptui", *words)), COMP_CWORD=str(len(words))
        )
    )
    assert (ended.exit_code, ended.errors) == (0, "")
    return [line.partition(",")[2] for line in ended.output.splitlines() if line]


OFFERED = [
    (("snapshot", "--vi"), ["--view"]),
    (("snapshot", "--view", ""), list(VIEW_NAMES)),
    (("snapshot", "--view", "p"), ["peers", "ports"]),
    (("snapshot", "--format", "js"), ["json", "jsonl"]),
    (("snapshot", "--source", "n"), ["netlink"]),
    (("snapshot", "--demo", ""), list(SCENE_NAMES)),
    (("snapshot", "d"), ["dport", "dst", "dev"]),
    (("snapshot", "state", "time"), ["time-wait"]),
    (("snapshot", "state", "FIN"), ["fin-wait-1", "fin-wait-2"]),
    (("completion", ""), list(SHELLS)),
    (("s",), ["sport", "src", "state", "service", "sendq", "syn-sent", "syn-recv"]),
    (("--de",), ["--demo"]),
    (("--view", "c"), ["connections"]),
]
OFFERED_WORDS = [words for words, _ in OFFERED]


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, ...], list[str]]:
    """What is offered for each."""
    return side_by_side(lambda words: completions(*words), OFFERED_WORDS)


@pytest.mark.parametrize(("words", "offered"), OFFERED, ids=[" ".join(words) for words in OFFERED_WORDS])
def test_what_fits_is_offered(
    found: dict[tuple[str, ...], list[str]], words: tuple[str, ...], offered: list[str]
) -> None:
    assert set(offered) <= set(found[words])
    assert [each for each in found[words] if each in offered] == offered
    assert all(each.lower().startswith(words[-1].lower()) for each in found[words])


def test_every_filter_word_and_state_is_offered() -> None:
    found = completions("snapshot", "")
    assert set(FILTER_WORDS) <= set(found)
    assert set(STATE_WORDS.values()) <= set(found)
    assert {"established", "syn-sent", "fin-wait-1", "close-wait", "last-ack", "listening"} <= set(found)


@pytest.mark.parametrize(
    ("typed", "command"), [("sn", "snapshot"), ("ex", "explain"), ("comp", "completion"), ("", "snapshot")]
)
def test_a_commands_name_is_offered(typed: str, command: str) -> None:
    assert command in completions(typed)


def test_nothing_is_offered_for_what_fits_nothing() -> None:
    assert completions("snapshot", "--nosuch") == []
    assert completions("snapshot", "xyzzy") == []


@pytest.mark.parametrize(("shell", "start"), [("zsh", "plain\n--view\n"), ("fish", "plain,--view")])
def test_zsh_and_fish_ask_in_their_own_way(shell: str, start: str) -> None:
    incomplete = {"zsh": str(2), "fish": "--vi"}[shell]
    words = {"zsh": "tcptui snapshot --vi", "fish": "tcptui snapshot --vi"}[shell]
    ended = tcptui(environ=environment(_TCPTUI_COMPLETE=f"{shell}_complete", COMP_WORDS=words, COMP_CWORD=incomplete))
    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output.startswith(start)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_can_also_be_had_from_the_environment(shell: str) -> None:
    """``eval "$(_TCPTUI_COMPLETE=bash_source tcptui)"``."""
    ended = tcptui(environ=environment(_TCPTUI_COMPLETE=f"{shell}_source"))
    assert ended.exit_code == 0
    assert ended.output.strip() == tcptui("completion", shell).output.strip()
