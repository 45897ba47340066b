"""The configuration file: what it says, and one line about each way to get it wrong."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.config.file import LONGEST_FILE, LONGEST_LINE, config_path, configured_language, load_config
from tcptui.config.kinds import LONGEST_TEXT
from tcptui.config.settings import SETTINGS, Config
from tcptui.errors import ExitCode, RequestError, SourceError, TcptuiError

WRITE = "tcptui config --default prints one to begin with"
WRITE_ONLY = "/proc/sys/net/ipv4/route/flush"
"""Mode 0200, which the kernel holds against root as well."""

EXAMPLE = 'write "sport = :80 or sport = :443"'
BOUNDS = "write a number from 0.2 to 3600"

Writer = Callable[[str | bytes], str]


@pytest.fixture
def written(tmp_path: Path) -> Writer:
    def write(content: str | bytes) -> str:
        path = tmp_path / "config.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


def complaint(path: str) -> str:
    """What is said of the file at ``path``, without its name."""
    with pytest.raises(RequestError) as caught:
        load_config(path)
    assert caught.value.exit_code is ExitCode.REQUEST
    text = str(caught.value)
    assert text.isprintable()
    assert text.startswith(path)
    return text.removeprefix(path).removeprefix(": ")


def test_filters_come_in_the_files_order(written: Writer) -> None:
    path = written(
        """
        [filters]
        web = "sport = :80 or sport = :443"
        stuck = 'state close-wait and age > 5m'
        A-b_9 = "dst 端口"
        """
    )
    config = load_config(path)
    assert config == Config(
        path,
        filters={"web": "sport = :80 or sport = :443", "stuck": "state close-wait and age > 5m", "A-b_9": "dst 端口"},
    )
    assert list(config.filters) == ["web", "stuck", "A-b_9"]


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "[filters]\n", "filters = {}"])
def test_a_file_may_say_nothing(written: Writer, content: str) -> None:
    assert load_config(written(content)).filters == {}


def test_a_file_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("absent", "absent/config.toml", "file/config.toml", "dangling"):
        assert load_config(str(tmp_path / name)) == Config(str(tmp_path / name))


def test_the_file_is_in_the_users_configuration_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert config_path() == str(tmp_path / ".config" / "tcptui" / "config.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    path = tmp_path / "xdg" / "tcptui" / "config.toml"
    assert load_config() == Config(str(path))
    assert not path.parent.exists()
    path.parent.mkdir(parents=True)
    path.write_text('[filters]\nweb = ":443"\n')
    assert load_config() == Config(str(path), filters={"web": ":443"})


@pytest.mark.parametrize(
    ("content", "start"),
    [
        ("[filters]\nweb = sport = :80\n", "line 2, column 7: not TOML ("),
        ('[filters]\nweb = ":80\n', "line 2, column 11: not TOML ("),
        ("[filters\n", "line 1, column 9: not TOML ("),
        ('[filters]\nweb = ":80"\nweb = ":443"\n', "line 3, column 13: not TOML ("),
        ("[filters]\nweb", "end of document: not TOML ("),
        ("[filters]\nweb = '\x1b[2J'\n", "line 2, column 8: not TOML ("),
        (f"a = {'[' * 8_000}", "not TOML (nested too deeply)"),
        (f"a = {'9' * 8_000}", "not TOML ("),
    ],
    ids=["unquoted", "open quote", "open table", "twice", "cut off", "escape", "nesting", "digits"],
)
def test_broken_toml_is_refused_with_its_place(written: Writer, content: str, start: str) -> None:
    text = complaint(written(content))
    assert text.startswith(start)
    assert text.endswith(f"): {WRITE}")
    assert len(text) < 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('\n[filtres]\nweb = ":80"', "line 2: filtres: unknown table: did you mean filters?"),
        ("# hello\n\nintervall = 3", "line 3: intervall: unknown key: did you mean interval?"),
        ("filter = 3", "line 1: filter: unknown key: did you mean filters?"),
        ('web = ":80"', f"line 1: web: unknown key: known: {', '.join(each.dotted for each in SETTINGS)}"),
        ('[filters]\n[thema]\nname = "x"', "line 2: thema: unknown table: did you mean theme?"),
        ('filters = ":80"', "line 1: filters: expected a table, not text: make a line [NAME] of it"),
        ('[[filters]]\nweb = ":80"', "line 1: filters: expected a table, not a list: make a line [NAME] of it"),
        ("[filters]\nweb = 80", f"line 2: filters.web: expected text, not a number: {EXAMPLE}"),
        ("[filters]\nweb = nan", f"line 2: filters.web: expected text, not a number: {EXAMPLE}"),
        ("[filters]\nweb = true", f"line 2: filters.web: expected text, not true or false: {EXAMPLE}"),
        ("[filters]\nweb = [':80']", f"line 2: filters.web: expected text, not a list: {EXAMPLE}"),
        ("[filters]\nweb.tls = ':443'", f"line 2: filters.web: expected text, not a table: {EXAMPLE}"),
        ("filters = { a = ':1', web = 1 }", f"line 1: filters.web: expected text, not a number: {EXAMPLE}"),
        ("[filters]\nweb = 2026-01-02", f"line 2: filters.web: expected text, not a date or time: {EXAMPLE}"),
        ("[filters]\nweb = ' \\t\\u00a0'".replace("'", '"'), f"line 2: filters.web: there is nothing in it: {EXAMPLE}"),
        (
            f"[filters]\nweb = '{'x' * (LONGEST_TEXT + 1)}'",
            "line 2: filters.web: longer than 4096 characters: make it shorter",
        ),
        ("interval = 'x'", f"line 1: interval: expected a number, not text: {BOUNDS}"),
        ("interval = true", f"line 1: interval: expected a number, not true or false: {BOUNDS}"),
        ("interval = 0.1", f"line 1: interval: 0.1 is not within the bounds: {BOUNDS}"),
        ("interval = nan", f"line 1: interval: nan is not within the bounds: {BOUNDS}"),
        ("interval = 1e999", f"line 1: interval: inf is not within the bounds: {BOUNDS}"),
        ("mouse = 'no'", "line 1: mouse: expected true or false, not text: write false"),
        ("lang = 'xx'", "line 1: lang: unknown language 'xx': known: en, zh"),
        ("[columns]\npeers = 'total'", 'line 2: columns.peers: expected a list, not text: write ["total", …]'),
        ("[layouts.wide]\npanel = ['chart']", "line 2: layouts.wide.panel: unknown key: did you mean panels?"),
        (
            "[layouts.wide]\nchart_height = 4.5",
            "line 2: layouts.wide.chart_height: 4.5 is not a whole number: write a number from 1 to 1000",
        ),
    ],
)
def test_what_is_not_understood_is_refused_with_its_key(written: Writer, content: str, said: str) -> None:
    assert complaint(written(content)) == said


def test_every_setting_is_read(written: Writer) -> None:
    config = load_config(
        written(
            """
            lang = "zh"
            interval = 5
            view = "ports"
            theme = "nord"
            ascii = true
            mouse = false
            [keys]
            pause = "f5, r"
            save = ""
            [columns]
            peers = ["total", "close-wait"]
            [layouts.wide]
            panels = ["chart"]
            left_width = 40
            chart_height = 12
            """
        )
    )
    assert (config.lang, config.interval, config.view, config.theme) == ("zh", 5.0, "ports", "nord")
    assert (config.ascii, config.mouse) == (True, False)
    assert config.keys == {"pause": "f5, r", "save": ""}
    assert config.columns == {"peers": ("total", "close-wait")}
    assert config.layouts == {"wide": {"panels": ("chart",), "left_width": 40, "chart_height": 12}}


def test_every_setting_says_what_it_is() -> None:
    for setting in SETTINGS:
        assert setting.about.endswith((".", "…"))
        assert (setting.default in ("", None)) == bool(setting.without)


def test_the_language_is_known_however_wrong_the_rest_is(written: Writer) -> None:
    assert configured_language(written('lang = "zh"\nintervall = 3')) == "zh"
    assert configured_language(written('lang = "xx"')) == ""
    assert configured_language(written("lang = ")) == ""
    assert configured_language("/absent") == ""


def test_who_uses_a_setting_complains_of_it_with_its_line(written: Writer) -> None:
    path = written('\n[keys]\npause = "p"\n\nsave = "p"\n')
    config = load_config(path)
    assert str(config.problem(("keys", "save"), "taken", "choose")) == f"{path}: line 5: keys.save: taken: choose"
    assert str(config.problem(("keys", "quit"), "taken", "choose")).startswith(f"{path}: line 2: ")


def test_the_longest_filter_is_read(written: Writer) -> None:
    longest = "é" * LONGEST_TEXT
    assert load_config(written(f"[filters]\nweb = '{longest}'")).filters == {"web": longest}


@pytest.mark.parametrize("name", ["", "9web", "-web", "my web", "web.tls", "wéb", "web\\n", "٣", "\\u202eweb", "_web"])
def test_a_name_that_a_filter_cannot_have_is_refused(written: Writer, name: str) -> None:
    text = complaint(written(f"[filters]\n\"{name}\" = ':80'"))
    assert text.endswith(": not a name for a filter: begin with a letter of a-z; then letters, digits, - and _")


def test_what_a_message_shows_of_the_file_is_short_and_printable(written: Writer) -> None:
    hostile = "\\u001b[2J" * 800
    text = complaint(written(f'["{hostile}"]'))
    assert text.startswith('line 1: "\\u001b[2J')
    assert "…: unknown table" in text
    assert len(text) < 300


def test_bytes_that_are_not_utf_8_are_refused_with_their_line(written: Writer) -> None:
    assert complaint(written(b"[filters]\n# caf\xe9\n")) == "line 2: not UTF-8: save the file in UTF-8"


def test_a_folder_is_no_configuration_file(tmp_path: Path) -> None:
    assert complaint(str(tmp_path)) == " is a directory: the configuration is one file"


def test_a_line_that_no_filter_needs_is_not_parsed(written: Writer) -> None:
    """A dotted key costs the square of its length."""
    assert complaint(written(f"[filters]\n{'a.' * 30_000}a = 1")) == (
        "line 2: longer than 8192 characters: make several lines of it"
    )
    line = f"{'a.' * (LONGEST_LINE // 2 - 4)}a = 1\n"
    assert "longer" not in complaint(written(f"[filters]\n{line}"))


def test_a_file_without_an_end_is_not_read_to_it(written: Writer) -> None:
    said = " is longer than 64 KiB: is it the configuration file?"
    assert complaint("/dev/zero") == said
    assert complaint(written("#\n" * (LONGEST_FILE // 2) + "#")) == said
    assert load_config(written("#\n" * (LONGEST_FILE // 2))).filters == {}


def test_a_file_that_cannot_be_reached_is_no_wrong_request(tmp_path: Path) -> None:
    loop = tmp_path / "esc\x1b"
    loop.symlink_to(loop.name)
    with pytest.raises(SourceError) as caught:
        load_config(str(loop))
    assert caught.value.exit_code is ExitCode.SOURCE
    assert caught.value.message == f"cannot read {tmp_path}/esc\\x1b (Too many levels of symbolic links)"
    assert caught.value.hint == "move it away to go on without it"


@pytest.mark.skipif(not os.path.exists(WRITE_ONLY), reason="no file here that root may not read")
def test_a_file_that_may_not_be_read_is_no_wrong_request() -> None:
    with pytest.raises(SourceError) as caught:
        load_config(WRITE_ONLY)
    assert str(caught.value) == f"cannot read {WRITE_ONLY} (Permission denied): make it readable for you"


_LOAD_AS_NOBODY = """
import os, sys
from tcptui.config.file import load_config
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
print(load_config(sys.argv[1]).filters)
"""


def test_a_file_that_nobody_can_tell_of_is_as_good_as_absent(tmp_path: Path) -> None:
    """HOME may be that of root when another user runs the program."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text("broken")
    home.chmod(0)
    try:
        command = [sys.executable, "-c", _LOAD_AS_NOBODY, str(home / "config.toml")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        home.chmod(0o700)
    assert (done.stdout, done.stderr) == ("{}\n", "")


def test_reading_it_loads_nothing_heavy() -> None:
    program = "import sys, tcptui.config.file as f; f.load_config('/'+'absent'); print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"numpy", "lark", "textual", "rich", "psutil", "click"}
    assert {name for name in loaded if name.startswith("tcptui.")} == {
        *(
            "tcptui.config",
            "tcptui.config.file",
            "tcptui.config.kinds",
            "tcptui.config.lines",
            "tcptui.config.settings",
        ),
        *("tcptui.config.sudo", "tcptui.errors", "tcptui.language", "tcptui.text"),
    }


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"[filters]\n{text}".encode("utf-8", "replace"))
)
def test_any_content_is_a_configuration_or_one_printable_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        outcome: Config | TcptuiError = load_config(str(path))
    except TcptuiError as error:
        outcome = error
    if isinstance(outcome, Config):
        assert all(text.strip() for text in outcome.filters.values())
    else:
        assert isinstance(outcome, RequestError)
        assert str(outcome).isprintable()
        assert str(outcome).startswith(str(path))
