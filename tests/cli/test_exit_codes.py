"""Every way to be refused: the exit code, one line that says what and what to do, and nothing else."""

import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from tcptui.text import printable
from tests.cli.process import COMMAND, DEADLINE_S, Ended, environment, side_by_side, tcptui, tcptui_on_terminal

SNAPSHOT = ("snapshot", "--demo", "calm")
LONG = ("snapshot", "--demo", "calm", "--view", "connections")
"""Several times what a pipe holds."""

WRONG_REQUESTS = [
    # arguments, what the line says
    (("snapshot", "--nosuch"), "no such option '--nosuch'"),
    (("snapshot", "--\x1b[31m"), "no such option"),
    (("--nosuch",), "no such option '--nosuch'"),
    (("snapshot", "--view", "nosuch"), "'nosuch' is not one of 'states', 'peers'"),
    (("snapshot", "--format", "xml"), "'xml' is not one of 'table', 'text'"),
    (("snapshot", "--sort", "nosuch"), "the view states has no field 'nosuch' to sort by: known: state, total"),
    (("snapshot", "--view", "peers", "--sort=-totl"), "did you mean total?"),
    (("snapshot", "--limit", "-1"), "-1 is not in the range"),
    (("snapshot", "--limit", "many"), "'many' is not a valid integer"),
    (("snapshot", "--prefix", "0"), "0 is not in the range"),
    (("snapshot", "--prefix", "129"), "129 is not in the range"),
    (("snapshot", "-i", "0.1"), "0.1 is not in the range"),
    (("snapshot", "-i", "3601"), "3601"),
    (("snapshot", "-i", "nan"), "nan is not a time"),
    (("snapshot", "-i", "inf"), "inf is not in the range"),
    (("snapshot", "-i", "-inf"), "-inf is not in the range"),
    (("snapshot", "-i", "soon"), "'soon' is not a valid float"),
    (("snapshot", "--demo=nosuch"), "'nosuch' is not one of 'calm', 'leak'"),
    (("snapshot", "--source", "ebpf"), "'ebpf' is not one of 'auto', 'netlink'"),
    (("snapshot", "-N", "no-such-namespace"), "no network namespace named no-such-namespace"),
    (("snapshot", "-N", "/no/such/file"), "no network namespace at /no/such/file"),
    (("snapshot", "-N", "/etc/hostname"), "/etc/hostname is not a network namespace"),
    (("snapshot", "-N", "/"), "/ is not a network namespace"),
    (("snapshot", "-N", ""), "no network namespace named"),
    (("snapshot", "-N", "4194305"), "no process 4194305"),
    (("snapshot", "-N", "bl\x1b[31mue"), "no network namespace named bl\\x1b[31mue"),
    (("snapshot", "--source", "psutil", "-N", "1"), "psutil sees one network namespace only"),
    (("snapshot", "-N"), "requires an argument"),
    ((*SNAPSHOT, "-o", "report.xml"), "no format goes with the ending .xml"),
    (("completion", "tcsh"), "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
    (("completion",), "missing argument"),
    (("completion", "bash", "\x1b[31m"), "unexpected extra argument (\\x1b[31m)"),
    ((), "the screen needs a terminal: for a file or a pipe use tcptui snapshot"),
    ((":443",), "the screen needs a terminal"),
    ((":99999",), "the screen needs a terminal"),
    (("--explain-filter",), "there is no filter to explain: write one, such as tcptui :443 --explain-filter"),
    (("snapshot", "--explain-filter"), "there is no filter to explain"),
    (("explain", "--explain-filter"), "no such option '--explain-filter'"),
    ((*SNAPSHOT, "age > 5m"), "one sample knows no ages: leave out age, or watch it in tcptui"),
    ((*SNAPSHOT, "not", "(", "nginx", "or", "age", "<", "1s", ")"), "one sample knows no ages"),
    (("snapshot", "--view", "peers", "--sort=change"), "one sample has no change to sort by"),
    (("--demo",), "the screen needs a terminal"),
    (("--web",), "requires an argument"),
    (("--web", "soon"), "'soon' is no [HOST:]PORT: write 8000 for this machine alone"),
    (("--web", ":8000"), "':8000' is no [HOST:]PORT"),
    (("--web", "::1:8000"), "or [::]:8000"),
    (("--web", "\x1b[31m"), "'\\x1b[31m' is no [HOST:]PORT"),
    (("--web", "65536"), "port 65536 does not exist"),
    (("--web", f"{'x' * 64}:8000"), "no host"),
    (("--web", "0", "--sort", "nosuch"), "no field 'nosuch'"),
    (("--web", "0", "-N", "no-such-namespace"), "no network namespace named no-such-namespace"),
    (("snapshot", "--web", "0"), "no such option '--web'"),
]


WRONG_FILTERS = [
    # the filter's words, what the line says, what the caret points at
    ((":99999",), "filter, column 2: port 99999 does not exist: write 0 to 65535", "99999"),
    (("state", "foo"), "filter, column 7: unknown state 'foo'", "foo"),
    (("state", "tme-wait"), "did you mean time-wait?", "tme-wait"),
    (("(",), "filter, column 2: something is missing after '('", ""),
    (("dst", "10.0.0.0/33"), "'10.0.0.0/33' is no network", "10.0.0.0/33"),
    (("sport = :22 and stat established",), "filter, column 17: 'stat'", "stat established"),
    (("\x1b[31mowned\x1b[0m",), "filter, column 1: '\\x1b'", "\\x1b[31mowned\\x1b[0m"),
    (("state", "\x07"), "filter, column 7: '\\x07'", "\\x07"),
    (("state", "\u202e\x07"), "filter, column 7: '\\u202e'", "\\u202e\\x07"),
    ((os.fsdecode(b"\xff\xfe"),), "filter, column 1: '\\udcff'", "\\udcff\\udcfe"),
    (("@web",), "filter, column 1: ", "@web"),
    (("dev", "no-such-dev"), "filter, column 5: ", "no-such-dev"),
    (("user", "no-such-user"), "filter, column 6: ", "no-such-user"),
]

REFUSED = [*(words for words, _ in WRONG_REQUESTS), *(("snapshot", *words) for words, *_ in WRONG_FILTERS)]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Ended]:
    """How each of the wrong requests ended; nothing is configured."""
    environ = environment(XDG_CONFIG_HOME=str(tmp_path_factory.mktemp("config")))
    return side_by_side(lambda arguments: tcptui(*arguments, environ=environ), REFUSED)


@pytest.mark.parametrize(
    ("arguments", "text"), WRONG_REQUESTS, ids=[ascii(" ".join(each)) for each, _ in WRONG_REQUESTS]
)
def test_a_wrong_request_ends_with_2_and_one_line(
    refusals: dict[tuple[str, ...], Ended], arguments: tuple[str, ...], text: str
) -> None:
    ended = refusals[arguments]
    assert ended.exit_code == 2
    assert text in ended.complaint


@pytest.mark.parametrize(
    ("words", "text", "pointed_at"), WRONG_FILTERS, ids=[ascii(" ".join(each)) for each, *_ in WRONG_FILTERS]
)
def test_a_wrong_filter_ends_with_2_and_a_caret_under_the_place(
    refusals: dict[tuple[str, ...], Ended], words: tuple[str, ...], text: str, pointed_at: str
) -> None:
    arguments = ("snapshot", *words)
    ended = refusals[arguments]
    assert ended.exit_code == 2
    line, shown, marked = ended.complaint_about_filter
    assert text in line
    assert shown == printable(" ".join(words))
    assert marked == pointed_at


def test_of_a_long_filter_the_part_around_the_mistake_is_shown() -> None:
    before, behind = "sport = :22 or " * 20, " or dport = :443" * 20
    ended = tcptui("snapshot", f"{before}stat listen{behind}")
    line, shown, marked = ended.complaint_about_filter
    assert line.startswith(f"filter, column {len(before) + 1}: ")
    assert marked.startswith("stat listen")
    assert (shown[0], shown[-1]) == ("…", "…")
    assert len(shown) < 80


def test_a_source_that_was_asked_for_and_is_not_there_ends_with_3() -> None:
    """No descriptor is left for a netlink socket."""
    script = (
        "import sys, tcptui.cli, tcptui.headless.snapshot, tcptui.sources.live, tcptui.export.formats, resource;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3));"
        "sys.exit(tcptui.cli.main(['snapshot', '--source', 'netlink']))"
    )
    done = subprocess.run(
        [COMMAND[0], "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30
    )
    ended = Ended(done.returncode, done.stdout, done.stderr)
    assert ended.exit_code == 3
    assert "sock_diag" in ended.complaint


# -- Output ------------------------------------------------------------------------------------------------------------


def test_an_existing_file_ends_with_4_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("mine")
    ended = tcptui(*SNAPSHOT, "-o", str(path))
    assert ended.exit_code == 4
    assert ended.complaint == f"{path} exists: choose another name, or overwrite it with --force"
    assert path.read_text() == "mine"
    forced = tcptui(*SNAPSHOT, "-o", str(path), "--force")
    assert (forced.exit_code, forced.output, forced.errors) == (0, "", "")
    assert path.read_text().startswith("{")


@pytest.mark.parametrize("path", ["/sys/report.json", "/no/such/folder/report.json"])
def test_a_folder_that_cannot_be_written_to_ends_with_4(path: str) -> None:
    ended = tcptui(*SNAPSHOT, "-o", path)
    assert ended.exit_code == 4
    assert f"cannot write {path}" in ended.complaint


on_either_standard_output = pytest.mark.parametrize(
    "environ", [environment(), environment(PYTHONUNBUFFERED="1")], ids=["buffered", "unbuffered"]
)
"""The usual standard output, and that of many containers: a raw file there, whose write() may take a part only."""


@on_either_standard_output
def test_a_full_standard_output_ends_with_4(environ: dict[str, str]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        ended = tcptui(*SNAPSHOT, stdout=full, environ=environ)
    finally:
        os.close(full)
    assert ended.exit_code == 4
    assert "cannot write to standard output (No space left on device)" in ended.complaint


def test_a_full_device_as_the_file_ends_with_4() -> None:
    ended = tcptui(*SNAPSHOT, "--format", "json", "-o", "/dev/full")
    assert ended.exit_code == 4
    assert "No space left on device" in ended.complaint


def test_a_limit_on_the_size_of_files_ends_with_4_and_leaves_no_file(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    ended = tcptui(*SNAPSHOT, "-o", str(tmp_path / "report.json"), before=limit)
    assert ended.exit_code == 4
    assert "File too large" in ended.complaint
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("arguments", [("--help",), ("-V",), ("completion", "zsh")])
def test_help_on_a_full_standard_output_ends_with_4(arguments: tuple[str, ...]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        ended = tcptui(*arguments, stdout=full)
    finally:
        os.close(full)
    assert ended.exit_code == 4
    assert ended.complaint


def test_a_closed_standard_output_ends_with_4() -> None:
    ended = tcptui(*SNAPSHOT, before=lambda: os.close(1))
    assert ended.exit_code == 4
    assert "standard output" in ended.complaint


def test_a_closed_standard_input_is_no_terminal() -> None:
    ended = tcptui("--demo", before=lambda: os.close(0))
    assert ended.exit_code == 2
    assert "needs a terminal" in ended.complaint


@pytest.mark.parametrize("arguments", [(*SNAPSHOT, "--format", "csv"), ("snapshot", ":99999")])
def test_a_closed_standard_error_leaves_standard_output_to_data(arguments: tuple[str, ...]) -> None:
    ended = tcptui(*arguments, before=lambda: os.close(2))
    assert "tcptui:" not in ended.output


def test_a_full_standard_error_does_not_spoil_what_was_written() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [*COMMAND, *SNAPSHOT, "--format", "csv"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=full,
            check=False,
            timeout=DEADLINE_S,
        )
    assert done.stdout.startswith(b"state,total")
    assert done.returncode == 0


# -- A reader that went away -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [SNAPSHOT, (*LONG, "--format", "jsonl"), ("--help",), ("-V",), ("completion", "zsh")],
    ids=" ".join,
)
def test_a_pipe_that_nobody_reads_ends_quietly_with_0(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = tcptui(*arguments, stdout=writer)
    finally:
        os.close(writer)
    assert (ended.exit_code, ended.errors) == (0, "")


@on_either_standard_output
def test_a_reader_that_has_seen_enough_ends_it_quietly_with_0(environ: dict[str, str]) -> None:
    """``tcptui snapshot … | head -1``."""
    with subprocess.Popen(
        [*COMMAND, *LONG], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"tcptui")
        process.stdout.close()
        errors = process.stderr.read()
        assert (process.wait(DEADLINE_S), errors) == (0, b"")


@on_either_standard_output
def test_output_that_does_not_fit_is_never_taken_for_whole(tmp_path: Path, environ: dict[str, str]) -> None:
    """``tcptui snapshot > FILE`` where the disk, or here the limit on a file's size, is reached half-way."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    with open(tmp_path / "report", "wb") as file:
        ended = tcptui(*LONG, stdout=file.fileno(), before=limit, environ=environ)
    assert (tmp_path / "report").stat().st_size <= 10_000
    assert ended.exit_code == 4
    assert "cannot write to standard output (File too large)" in ended.complaint


# -- A terminal that cannot do it --------------------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["dumb", None])
def test_a_terminal_without_a_cursor_is_refused(term: str | None) -> None:
    environ = environment(TERM="dumb")
    if term is None:
        del environ["TERM"]
    ended = tcptui_on_terminal("--demo", environ=environ)
    assert ended.exit_code == 2
    assert "TERM is dumb" in ended.complaint


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("-N", "no-such-namespace"), "no network namespace named no-such-namespace"),
        (("--sort", "nosuch", "--demo"), "no field 'nosuch'"),
        (("-i", "nan"), "nan is not a time"),
    ],
)
def test_a_wrong_request_on_a_terminal_starts_no_screen(arguments: tuple[str, ...], text: str) -> None:
    """Not one byte for a screen is written: what stands there is the line alone."""
    ended = tcptui_on_terminal(*arguments, environ=environment(TERM="xterm-256color"))
    assert ended.exit_code == 2
    assert text in ended.complaint


@pytest.mark.parametrize(
    ("arguments", "text", "pointed_at"),
    [
        ((":99999",), "port 99999 does not exist", "99999"),
        (("stat", "established"), "'stat' is no word", "stat established"),
        (("--demo", "state", "\x1b[31m"), "column 7", "\\x1b[31m"),
    ],
)
def test_a_wrong_filter_on_a_terminal_starts_no_screen(arguments: tuple[str, ...], text: str, pointed_at: str) -> None:
    ended = tcptui_on_terminal(*arguments, environ=environment(TERM="xterm-256color"))
    assert ended.exit_code == 2
    line, _, marked = ended.complaint_about_filter
    assert text in line
    assert marked == pointed_at


def test_an_interrupt_ends_with_130_and_no_traceback() -> None:
    """Sent while the process waits in the kernel for somebody to read a pipe."""
    reader, writer = os.pipe()
    with subprocess.Popen(
        [*COMMAND, *LONG],
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        os.close(writer)
        assert os.read(reader, 1)  # it writes, and soon waits: the output is larger than a pipe
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        errors = process.stderr.read()
        assert process.wait(DEADLINE_S) == 130
    os.close(reader)
    assert errors == b""
