"""The command line in the user's language, and what programs read in none."""

import json
import os
import re
from pathlib import Path

import pytest

from tcptui.cli import _may_be_configured
from tcptui.config.file import config_path
from tests.cli.process import Ended, environment, tcptui
from tests.support.chinese import CHINESE, TYPED, foreign_words

CHINESE_LOCALE = {"LANG": "zh_CN.UTF-8"}
COMMANDS = frozenset(
    ("screen", "snapshot", "explain", "completion", "demo", "calm", "leak", "flood", "timewait", "lastack", "auto")
) | frozenset(("text", "zsh", "fish", "peers", "processes", "services", "listeners", "ports", "connections", "states"))
NAMES = (
    TYPED | COMMANDS | frozenset(("timer", "namespaces", "java", "sshd", "app-1", "tomcat", "self", "spec", "closed"))
)


def configured(folder: Path, text: str) -> dict[str, str]:
    """The environment of a user with a configuration file."""
    (folder / "tcptui").mkdir()
    (folder / "tcptui" / "config.toml").write_text(text)
    return {"XDG_CONFIG_HOME": str(folder)}


def is_chinese(ended: Ended) -> bool:
    return bool(CHINESE.search(ended.output + ended.errors))


@pytest.mark.parametrize(
    ("arguments", "changed", "expected"),
    [
        ((), {}, False),
        (("--lang", "zh"), {}, True),
        (("--lang=zh",), {}, True),
        ((), CHINESE_LOCALE, True),
        (("--lang", "en"), CHINESE_LOCALE, False),
        ((), {**CHINESE_LOCALE, "LC_ALL": "C.UTF-8"}, False),
        (("--", "--lang=zh"), {}, False),
    ],
)
def test_the_option_goes_before_the_locale(arguments: tuple[str, ...], changed: dict[str, str], expected: bool) -> None:  # noqa: FBT001
    assert is_chinese(tcptui("snapshot", "--demo", "calm", *arguments, environ=environment(**changed))) is expected


def test_the_configuration_goes_between_them(tmp_path: Path) -> None:
    chosen = configured(tmp_path, 'lang = "zh"\n')
    assert is_chinese(tcptui("snapshot", "--demo", "calm", environ=environment(**chosen)))
    assert not is_chinese(tcptui("snapshot", "--demo", "calm", "--lang", "en", environ=environment(**chosen)))


def test_a_configured_language_beats_the_locale(tmp_path: Path) -> None:
    chosen = configured(tmp_path, 'lang = "en"\n') | CHINESE_LOCALE
    assert not is_chinese(tcptui("snapshot", "--demo", "calm", environ=environment(**chosen)))


def test_an_unknown_language_is_refused() -> None:
    ended = tcptui("snapshot", "--demo", "calm", "--lang", "xx")
    assert ended.exit_code == 2
    assert "'xx' is not one of 'en', 'zh'" in ended.complaint


def test_an_unknown_language_in_the_configuration_is_told_beside_the_answer(tmp_path: Path) -> None:
    chosen = environment(**configured(tmp_path, 'lang = "xx"\n'))
    ended = tcptui("snapshot", "--demo", "calm", environ=chosen)
    assert ended.exit_code == 0
    assert "ESTABLISHED" in ended.output
    (line,) = [each for each in ended.errors.splitlines() if "made up" not in each]
    assert "lang: unknown language 'xx'" in line
    assert "unknown" not in tcptui("snapshot", "--demo", "calm", "--lang", "en", environ=chosen).errors


def test_a_fifo_in_the_place_of_the_configuration_keeps_nobody_waiting(tmp_path: Path) -> None:
    (tmp_path / "tcptui").mkdir()
    os.mkfifo(tmp_path / "tcptui" / "config.toml")
    assert tcptui("-V", environ=environment(XDG_CONFIG_HOME=str(tmp_path))).exit_code == 0


def test_an_unknown_language_in_the_configuration_is_told_where_that_is_read(tmp_path: Path) -> None:
    ended = tcptui("snapshot", "--demo", "calm", "@web", environ=environment(**configured(tmp_path, 'lang = "xx"\n')))
    assert ended.exit_code == 2
    assert "lang: unknown language 'xx'" in ended.errors


@pytest.mark.parametrize("command", [(), ("snapshot",), ("explain",), ("completion",)])
def test_help_in_chinese_has_no_english(command: tuple[str, ...]) -> None:
    ended = (
        tcptui(*command, "--help", "--lang", "zh")
        if command
        else tcptui("--help", environ=environment(**CHINESE_LOCALE))
    )
    assert ended.exit_code == 0
    text = re.sub(r"\[[\w|.\s-]*\]|<[^>]*>|--[\w-]+|\b[A-Z|]{2,}\b", " ", ended.output)
    assert foreign_words(text, NAMES) == set()
    assert CHINESE.search(ended.output)


@pytest.mark.parametrize(
    "arguments",
    [
        ("snapshot", "--demo", "leak"),
        ("snapshot", "--demo", "leak", "--view", "peers"),
        ("snapshot", "--demo", "leak", "--view", "processes"),
        ("snapshot", "--demo", "leak", "--view", "connections", "--limit", "5", "--format", "md"),
        ("snapshot", "--demo", "leak", "--explain-filter", "dport = :443 and not state listen"),
        ("explain", "CLOSE_WAIT", "--demo", "leak"),
        ("explain", "--demo", "leak"),
        ("explain", "machine", "--demo", "leak", "-i", "0.2"),
    ],
)
def test_answers_in_chinese_have_no_english(arguments: tuple[str, ...]) -> None:
    ended = tcptui(*arguments, "--lang", "zh")
    assert ended.exit_code == 0
    said = re.sub(r"^\s*(ss|tcpdump|nstat|ip) .*$|^ {4}\S.*$|^  [\w.-]+$", " ", ended.output, flags=re.MULTILINE)
    assert CHINESE.search(said)
    assert foreign_words(said, NAMES | frozenset(("listening", "exclude", "timer", "gt"))) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("snapshot", "--demo", "leak", "--nonsense"),
        ("snapshot", "--source", "nonsense"),
        ("snapshot", "--demo", "leak", "--sort", "nonsense"),
        ("snapshot", "--demo", "leak", "port", "99999"),
        ("snapshot", "--demo", "leak", "state", "nonsense"),
        ("snapshot", "-o", "/nonexistent/x.csv", "--demo", "leak"),
        ("explain", "zzzz"),
        ("explain", "TIME_WIAT"),
        ("completion", "nonsense"),
        ("completion",),
    ],
)
def test_complaints_are_in_chinese_too(arguments: tuple[str, ...]) -> None:
    ended = (
        tcptui(*arguments, "--lang", "zh")
        if arguments[0] != "completion"
        else tcptui(*arguments, environ=environment(**CHINESE_LOCALE))
    )
    assert ended.exit_code in (2, 3, 4)
    first = ended.errors.splitlines()[0]
    assert CHINESE.search(first)
    assert foreign_words(first, NAMES | frozenset(("nonsense", "zzzz", "nonexistent", "x.csv", "change"))) <= {"x"}


@pytest.mark.parametrize("view", ["states", "peers", "processes", "connections"])
@pytest.mark.parametrize("format", ["json", "csv", "jsonl"])
def test_what_programs_read_is_the_same_in_every_language(view: str, format: str) -> None:
    arguments = ("snapshot", "--demo", "leak", "--view", view, "--format", format, "--limit", "50")
    english, chinese = (tcptui(*arguments, "--lang", language).output for language in ("en", "zh"))
    if format == "json":
        documents = [json.loads(text) for text in (english, chinese)]
        for document in documents:
            del document["cost"], document["taken_at"]
            for trouble in document["degraded"]:
                del trouble["reason"], trouble["hint"]
        assert documents[0] == documents[1]
    else:
        assert english == chinese


def test_the_file_that_is_looked_for_is_the_one_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The language is needed before anything is loaded that knows where the configuration is."""
    for variables in ({"XDG_CONFIG_HOME": str(tmp_path)}, {"XDG_CONFIG_HOME": "", "HOME": str(tmp_path)}):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        path = Path(config_path())
        assert not _may_be_configured()
        path.parent.mkdir(parents=True)
        path.write_text("")
        assert _may_be_configured()
        path.unlink()
