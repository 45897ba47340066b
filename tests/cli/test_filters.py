"""Filters on the command line: how they were understood, and those that the user has saved."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tcptui.query.words import WORDS
from tests.cli.process import DEADLINE_S, Ended, environment, side_by_side, tcptui, tcptui_on_terminal

DEMO = ("snapshot", "--demo", "leak", "--format", "json")

# -- How a filter is understood ----------------------------------------------------------------------------------------

UNDERSTOOD = {
    ("state", "time-wait", "and", ":443"): """\
filter  state time-wait and :443
means   all of
          the state is TIME_WAIT
          either port is 443
kernel  TIME_WAIT; either port is 443 (36 bytes of program)
        (and all listeners, which are few)
here    nothing more
ss      ss -tan state time-wait 'sport = :443 or dport = :443'
""",
    ("-4", "dst 10.0.0.0/8 and not sport = :22"): """\
filter  dst 10.0.0.0/8 and not sport = :22
means   all of
          the remote address is in 10.0.0.0/8
          not: the local port is 22
kernel  any state; the remote address is in 10.0.0.0/8 and not (the local port is 22) (36 bytes of program)
        (and all listeners, which are few)
here    nothing more
ss      ss -tan -4 'dst 10.0.0.0/8 and ! sport = :22'
""",
    ("nginx", "and", "recvq", ">", "64k"): """\
filter  nginx and recvq > 64k
means   all of
          a process named nginx holds the socket or held it
          the receive queue (a listener's accept queue) is 65,537 or above
kernel  every socket
here    a process named nginx holds the socket or held it
        the receive queue (a listener's accept queue) is 65,537 or above
        (whose a socket is takes a look into /proc: between samples on the screen, once for a snapshot)
ss      ss -tanp
        # ss cannot select by Recv-Q or process: this shows more
""",
    ("state", "established", "and", "state", "listen"): """\
filter  state established and state listen
means   all of
          the state is ESTABLISHED
          the state is LISTEN
but     no socket can be so: this never matches
kernel  nothing: no socket can match
here    nothing more
ss      # nothing to ask: no socket can match
""",
}

_WITHOUT_SOCKETS = """
import errno, sys
def refuse(event, arguments):
    if event == "socket.__new__" and arguments[1] == 16 or event == "open" and str(arguments[0]).startswith("/proc/"):
        raise PermissionError(errno.EACCES, event)
sys.addaudithook(refuse)
from tcptui.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The program where neither netlink (AF_NETLINK is 16) nor /proc may be used."""


def blind(*arguments: str) -> Ended:
    """Run the program where it cannot look at anything."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_SOCKETS, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
        env=environment(TERM="dumb"),
    )
    return Ended(done.returncode, done.stdout, done.stderr)


REQUESTS = [(*command, "--explain-filter", *words) for words in UNDERSTOOD for command in ((), ("snapshot",))]


@pytest.fixture(scope="module")
def explained() -> dict[tuple[str, ...], Ended]:
    """What each of the requests wrote."""
    return side_by_side(lambda arguments: blind(*arguments), REQUESTS)


@pytest.mark.parametrize("command", [(), ("snapshot",)], ids=["screen", "snapshot"])
@pytest.mark.parametrize("words", UNDERSTOOD, ids=" ".join)
def test_how_a_filter_is_understood_is_written_without_a_look_at_any_socket(
    explained: dict[tuple[str, ...], Ended], command: tuple[str, ...], words: tuple[str, ...]
) -> None:
    arguments = (*command, "--explain-filter", *words)
    ended = explained[arguments]
    assert (ended.exit_code, ended.errors, ended.output) == (0, "", UNDERSTOOD[words])


def test_a_place_without_sockets_is_one_where_a_sample_fails() -> None:
    """Else the test above would show nothing."""
    assert blind("snapshot").exit_code == 3


def test_the_option_may_stand_behind_the_filter() -> None:
    ended = tcptui(":443", "--explain-filter")
    assert ended.exit_code == 0
    assert ended.output.startswith("filter  :443\n")


def test_a_terminal_gets_the_text_and_no_screen() -> None:
    ended = tcptui_on_terminal("--explain-filter", ":443", environ=environment(TERM="xterm-256color"))
    assert ended.exit_code == 0
    assert ended.errors.startswith("filter  :443\nmeans ")
    assert ended.errors.isascii()
    assert "\x1b" not in ended.errors


# -- Saved filters -----------------------------------------------------------------------------------------------------

CONFIG = """\
[filters]
web = "sport = :80 or sport = :8080"
Waiting = "state close-wait"
mine = "@web and @Waiting"
circle = "not @circle"
wrong = "sport = :22 and stat listen"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the configuration in it."""
    (tmp_path / "tcptui").mkdir()
    (tmp_path / "tcptui" / "config.toml").write_text(CONFIG)
    return tmp_path


def with_config(home: Path, *arguments: str, **changed: str) -> Ended:
    return tcptui(*arguments, environ=environment(XDG_CONFIG_HOME=str(home), **changed))


def counts(ended: Ended) -> dict[str, int]:
    assert ended.exit_code == 0, ended.errors
    return {state: count for state, count in json.loads(ended.output)["states"].items() if count}


def test_a_saved_filter_stands_for_its_text(home: Path) -> None:
    named, written = (
        with_config(home, *DEMO, text)
        for text in ("@Waiting or @web", "state close-wait or (sport = :80 or sport = :8080)")
    )
    assert counts(named) == counts(written)
    assert set(counts(named)) > {"CLOSE_WAIT", "LISTEN"}
    assert json.loads(named.output)["filter"] == "@Waiting or @web"


def test_a_saved_filter_can_be_explained(home: Path) -> None:
    ended = with_config(home, "--explain-filter", "@Waiting")
    assert (ended.exit_code, ended.errors) == (0, "")
    assert "the state is CLOSE_WAIT" in ended.output


@pytest.mark.parametrize(
    ("text", "said", "pointed_at"),
    [
        (":443 and @wbe", "web", "@wbe"),
        ("@circle", "@circle", "@circle"),
        (":443 or @wrong", "'stat'", "@wrong"),
    ],
)
def test_a_saved_filter_that_is_not_there_or_wrong_is_pointed_at(
    home: Path, text: str, said: str, pointed_at: str
) -> None:
    ended = with_config(home, "snapshot", text)
    assert ended.exit_code == 2
    line, shown, marked = ended.complaint_about_filter
    assert said in line
    assert (shown, marked) == (text, pointed_at)


BROKEN = {
    "[filters\n": "line 1",
    "[filter]\nweb = ':80'\n": "filter: unknown table",
    "[filters]\nweb = 80\n": "filters.web: expected text, not a number",
}


@pytest.mark.parametrize("content", BROKEN, ids=BROKEN.values())
def test_a_broken_configuration_is_one_line_where_a_saved_filter_is_used(home: Path, content: str) -> None:
    path = home / "tcptui" / "config.toml"
    path.write_text(content)
    for command in (("snapshot", "@web"), ("--explain-filter", "@web")):
        ended = with_config(home, *command)
        assert ended.exit_code == 2
        line, shown, marked = ended.complaint_about_filter
        assert str(path) in line
        assert BROKEN[content] in line
        assert shown == marked == "@web"


@pytest.mark.parametrize(
    "arguments",
    [
        (*DEMO, ":8080"),
        (*DEMO, "service getty@tty1"),
        ("--explain-filter", ":443"),
        ("--explain-filter", "cgroup /system.slice/getty@tty1.service"),
        ("--help",),
        ("explain", "LISTEN"),
    ],
)
def test_a_broken_configuration_disturbs_nobody_who_uses_no_saved_filter(
    home: Path, arguments: tuple[str, ...]
) -> None:
    (home / "tcptui" / "config.toml").write_text("[filters\n")
    ended = with_config(home, *arguments)
    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output


# -- Completion and help -----------------------------------------------------------------------------------------------


def completed(home: Path, *words: str) -> Ended:
    typed = " ".join(("tcptui", *words))
    return with_config(home, _TCPTUI_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(len(words)))


def offered(home: Path, *words: str) -> list[str]:
    ended = completed(home, *words)
    assert (ended.exit_code, ended.errors) == (0, "")
    return [line.partition(",")[2] for line in ended.output.splitlines() if line]


@pytest.mark.parametrize(
    "command", [(), ("snapshot",), ("snapshot", ":443", "and")], ids=["screen", "snapshot", "behind"]
)
def test_saved_filters_are_offered_by_name(home: Path, command: tuple[str, ...]) -> None:
    assert set(offered(home, *command, "@")) == {"@web", "@Waiting", "@mine", "@circle", "@wrong"}
    assert set(offered(home, *command, "@w")) == {"@web", "@Waiting", "@wrong"}
    assert offered(home, *command, "@Wa") == ["@Waiting"]
    assert not any(word.startswith("@") for word in offered(home, *command, ""))


def test_a_broken_configuration_offers_no_saved_filter_and_writes_nothing_between_the_users_keys(home: Path) -> None:
    (home / "tcptui" / "config.toml").write_text("[filters\n")
    assert offered(home, "snapshot", "@") == []
    assert "state" in offered(home, "snapshot", "st")


def test_help_lists_every_word_of_the_filter_language() -> None:
    section = tcptui("--help").output.partition("Filter words:\n")[2]
    lines = [line.strip() for line in section.splitlines()]
    for word in WORDS:
        assert any(line.startswith(word.example) for line in lines), word.text
        assert word.text in word.example.split()
