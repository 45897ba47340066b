"""The diagnose command behind its arguments, with scenes and with samples of the test's own."""

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tcptui import cli
from tcptui.diagnosis.finding import Severity
from tcptui.errors import ExitCode
from tcptui.explain.topics import parameter_names
from tcptui.export.diagnosis import SCHEMA
from tcptui.headless.diagnose import Plan, diagnose, write_diagnosis
from tcptui.model.owners import Process
from tcptui.model.sample import Sample, Whereabouts
from tcptui.model.states import TcpState
from tcptui.model.table import Rows
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, Need, Request
from tests.cli.process import Ended
from tests.cli.test_imports import SCREEN_LIBRARIES, modules_after
from tests.diagnosis.scenes import JAVA, NO_INFO, at, listener, part

Run = Callable[..., Ended]


@pytest.fixture
def tcptui(capfd: pytest.CaptureFixture[str]) -> Run:
    """The program, in this process."""

    def run(*arguments: str) -> Ended:
        code = cli.main([*arguments, "--lang", "en"])
        written = capfd.readouterr()
        return Ended(code, written.out, written.err)

    return run


EXPECTED = {
    "calm": (0, set()),
    "leak": (1, {"R01"}),
    "flood": (1, {"R08"}),
    "timewait": (1, {"R17"}),
    "lastack": (1, {"R06"}),
}
"""Exit code and alarms of each scene."""


@pytest.mark.parametrize("scene", EXPECTED)
def test_each_scene_has_what_it_is_called_after(tcptui: Run, scene: str) -> None:
    ended = tcptui("diagnose", "--demo", scene, "--format", "json")
    told = json.loads(ended.output)
    exit_code, alarms = EXPECTED[scene]
    assert ended.exit_code == exit_code
    assert {each["rule"] for each in told["findings"] if each["severity"] != "info"} == alarms


@pytest.mark.parametrize("scene", EXPECTED)
def test_a_scene_is_judged_the_same_each_time_and_by_all_rules_but_the_firewalls(tcptui: Run, scene: str) -> None:
    first, second = (tcptui("diagnose", "--demo", scene, "--for", "2", "--format", "json") for _ in range(2))
    assert first.output == second.output
    assert [each["rule"] for each in json.loads(first.output)["unchecked"]] == ["R24"]


def test_a_flood_is_not_seen_before_it_has_come(tcptui: Run) -> None:
    told = json.loads(tcptui("diagnose", "--demo", "flood", "--for", "5", "--format", "json").output)
    assert [each["rule"] for each in told["findings"] if each["severity"] != "info"] == []


def test_json_has_all_that_a_finding_is(tcptui: Run) -> None:
    told = json.loads(tcptui("diagnose", "--demo", "leak", "--format", "json").output)
    assert told["schema"] == SCHEMA == "tcptui.diagnosis/1"
    assert (told["host"], told["source"], told["netns"], told["samples"]) == ("app-1", "demo leak", "self", 16)
    finding = told["findings"][0]
    expected = {"rule", "subject", "severity", "confidence", "verdict", "states", "size", "evidence", "missing"}
    assert finding.keys() == expected | {"first", "not", "refuted_by", "explain"}
    assert finding["rule"] == "R01"
    assert finding["evidence"][0].keys() == {"text", "view", "filter"}
    assert finding["evidence"][0]["filter"] == "state close-wait and pid 812"
    assert told["worst"] == "critical"
    assert len(told["checked"]) + len(told["unchecked"]) == 40
    assert {"kind", "subject", "used", "limit", "peak", "reusable", "per_s", "wall_s"} == told["capacity"][0].keys()


@pytest.mark.parametrize(("level", "exit_code"), [("info", 1), ("warning", 0), ("critical", 0)])
def test_the_exit_code_goes_by_the_level_asked_for(tcptui: Run, level: str, exit_code: int) -> None:
    """The calm scene has something worth knowing."""
    assert tcptui("diagnose", "--demo", "calm", "--fail-on", level).exit_code == exit_code
    assert tcptui("diagnose", "--demo", "leak", "--fail-on", level).exit_code == 1


def test_text_says_what_to_do_and_what_was_checked(tcptui: Run) -> None:
    ended = tcptui("diagnose", "--demo", "leak")
    assert ended.errors == ""
    assert re.search(r"CRITICAL R01 \(certain\): java \(812\) does not close [\d,]+ connections", ended.output)
    for word in ("first", "no help", "refuted by", "more        tcptui explain CLOSE_WAIT", "rules were checked"):
        assert word in ended.output
    assert max(map(len, ended.output.splitlines())) <= 120


def test_where_nothing_is_wrong_it_says_so_with_what_was_not_checked(tcptui: Run) -> None:
    output = tcptui("diagnose", "--demo", "calm").output
    assert "\nnothing wrong seen\n" in output
    assert "Not checked: R24 (the firewall remembers no connections here)." in " ".join(output.split())


def test_markdown_is_ready_for_a_ticket(tcptui: Run) -> None:
    output = tcptui("diagnose", "--demo", "leak", "--format", "md").output
    assert output.startswith("> tcptui · app-1 · ")
    assert "### R01 · critical · java (812) does not close" in output
    assert "- **first**: Close the socket in every path" in output
    assert "```sh\ntcptui snapshot --view connections --demo leak 'state close-wait and pid 812'\n```" in output


def test_commands_of_the_evidence_work(tcptui: Run) -> None:
    output = tcptui("diagnose", "--demo", "leak").output
    joined = re.sub(r"\n\s{6}", " ", output)
    commands = re.findall(r"\$ tcptui (snapshot --view \S+ --demo leak) '([^']+)'", joined)
    assert commands
    for words, filter in commands:
        assert tcptui(*words.split(), filter, "--limit", "1").exit_code == 0


def test_a_filter_leaves_what_is_judged(tcptui: Run) -> None:
    mysql, other = (
        json.loads(tcptui("diagnose", "--demo", "leak", "--format", "json", filter).output)
        for filter in ("dport = :3306", "sport = :8080")
    )
    assert mysql["filter"] == "dport = :3306"
    assert "R01" in {each["rule"] for each in mysql["findings"]}
    assert "R01" not in {each["rule"] for each in other["findings"]}
    assert "a filter leaves out what this is about" in {each["reason"] for each in mysql["unchecked"]}


def test_help_tells_how_to_collect_text_elsewhere(tcptui: Run) -> None:
    output = tcptui("diagnose", "--help").output
    for line, _ in cli.COLLECTING:
        assert line in output


REFUSED: dict[tuple[str, ...], str] = {
    ("--for", "-1"): "invalid value for '--for'",
    ("--for", "nan"): "nan is not a time",
    ("--fail-on", "never"): "invalid value for '--fail-on'",
    ("--format", "csv"): "invalid value for '--format'",
    ("state", "nonsense"): "nonsense",
}


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_a_wrong_request_is_one_line(tcptui: Run, arguments: tuple[str, ...]) -> None:
    ended = tcptui("diagnose", "--demo", "calm", *arguments)
    assert ended.exit_code == ExitCode.REQUEST
    assert REFUSED[arguments] in ended.errors.splitlines()[0]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes the user's configuration."""

    def write(text: str) -> None:
        (tmp_path / "tcptui").mkdir()
        (tmp_path / "tcptui" / "config.toml").write_text(text)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    return write


def test_thresholds_come_from_the_configuration(tcptui: Run, configure: Callable[[str], None]) -> None:
    configure("[diagnosis]\nR01.least = 90000\nR01.forgotten = 90000\nR35.least = 90000\n")
    ended = tcptui("diagnose", "--demo", "leak")
    assert ended.exit_code == 0
    assert "R01 (" not in ended.output


def test_a_threshold_that_there_is_not_is_named_with_its_file_and_line(
    tcptui: Run, configure: Callable[[str], None], tmp_path: Path
) -> None:
    configure("[diagnosis]\nR01.least = 50\nR01.leest = 5\n")
    ended = tcptui("diagnose", "--demo", "leak")
    assert ended.exit_code == ExitCode.REQUEST
    where = f"{tmp_path}/tcptui/config.toml: line 3: diagnosis.R01.leest"
    assert ended.complaint == f"{where}: there is no such threshold: did you mean R01.least?"


def test_nothing_of_the_screen_is_loaded() -> None:
    packages, modules = modules_after("diagnose", "--demo", "leak", "--fail-on", "critical", "state", "time-wait")
    assert not packages & (SCREEN_LIBRARIES | {"pyroute2"})
    assert not any(name.startswith("tcptui.tui") for name in modules)


class Scripted:
    """A source that gives what it is told to, and remembers what it was asked for."""

    def __init__(self, *samples: Sample) -> None:
        self._samples = iter(samples)
        self.asked: list[Request] = []

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        """The next sample."""
        self.asked.append(request)
        return next(self._samples)

    def look(self, rows: Rows, budget_s: float = math.inf) -> Whereabouts | None:
        """Nothing beside the samples."""
        return None

    def close(self) -> None:
        """Nothing is held open."""


def seconds(*moments: float) -> Iterator[Sample]:
    return (at(moment, listener(), part(TcpState.ESTABLISHED, 3)) for moment in moments)


def test_it_watches_for_as_long_as_it_is_asked_to_and_rests_in_between() -> None:
    rests: list[float] = []
    source = Scripted(*seconds(0, 1, 2, 2.5))
    report = diagnose(source, None, Plan(2.5, 1.0, glances=0, pause=rests.append))
    assert (report.samples, report.watched_s) == (4, 2.5)
    assert rests == [1.0, 1.0, 0.5]
    assert source.asked[0].needs == {Need.OWNERS, Need.CGROUPS, Need.TCP_INFO, Need.STRAIN, Need.LEAKS}


def test_without_time_there_is_one_sample_and_what_it_cannot_tell_is_said() -> None:
    report = diagnose(Scripted(*seconds(0)), None, Plan(0, 1.0))
    assert report.samples == 1
    assert {each.rule for each in report.diagnosis.unchecked} >= {"R03", "R25", "R30"}


def test_a_source_that_stands_still_has_said_all_at_once() -> None:
    (sample,) = seconds(0)
    still = replace(sample, origin=replace(sample.origin, is_still=True))
    assert diagnose(Scripted(still), None, Plan(10, 1.0)).samples == 1


def test_accept_queues_are_looked_at_in_between() -> None:
    quiet, full = listener(80, 0, 10), listener(80, 9, 10)
    source = Scripted(at(0, quiet), at(0.5, full), at(1, quiet))
    report = diagnose(source, None, Plan(1, 1.0, glances=1, pause=lambda _: None))
    (room,) = (room for room in report.rooms if room.kind == "accept_queue")
    assert (room.used, room.peak) == (0, 9)


def test_names_from_outside_are_not_markup_in_markdown(capfd: pytest.CaptureFixture[str]) -> None:
    evil = Process(666, 1, "*a* [b](c) `d`|e")
    waiting = part(TcpState.CLOSE_WAIT, 30, holder=evil, idle_ms=900_000)
    source = Scripted(at(0, waiting, absent=NO_INFO - {"idle_ms"}))
    code = write_diagnosis(source, None, Plan(0, 1), format_name="md", fail_on=Severity.WARNING)
    assert code is ExitCode.FOUND
    assert "\\*a\\* \\[b\\](c) \\`d\\`\\|e (666) does not close" in capfd.readouterr().out


def test_a_filter_is_part_of_what_is_asked_for() -> None:
    source = Scripted(at(0, part(TcpState.CLOSE_WAIT, 30, holder=JAVA)))
    parsed = parse_filter("state close-wait")
    report = diagnose(source, parsed, Plan(0, 1))
    assert source.asked[0].scope == parsed.expression
    assert report.filter == "state close-wait"


def test_every_parameter_that_a_rule_looks_at_is_read() -> None:
    root = Path(cli.__file__).parent / "diagnosis"
    named = {
        name
        for path in root.rglob("*.py")
        for name in re.findall(r'"((?:net\.(?:ipv4|core|netfilter)|fs)\.[a-z0-9_-]+)"', path.read_text("utf-8"))
        if not name.endswith("_")
    }
    gone = {"net.ipv4.tcp_tw_recycle", "net.ipv4.ip_conntrack_max"}
    assert named - gone <= set(parameter_names())
