"""Every construct of the filter language over real sockets, judged by ss and by plain predicates."""

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings

from tcptui.analysis.attribution import attributed
from tcptui.model.address import address_text
from tcptui.model.fields import ViewKind
from tcptui.model.states import TcpState
from tcptui.monitor.frame import Frame, build_frame
from tcptui.monitor.view import View
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tcptui.query.request import request_for
from tcptui.query.ss_command import SsCommands, ss_commands
from tcptui.query.syntax import Filter
from tcptui.sources.live import LiveSource
from tcptui.sources.names import machine_names
from tests.live.filters import random_filters
from tests.live.filters.known import Known, cookies_in, ss_cookies
from tests.live.filters.scene import WORKER_PORT, Scene, filter_scene
from tests.live.filters.table import EVERY_ROW, SAVED, TABLE, Row
from tests.support.privileges import require_live
from tests.support.program import User, run_inside, run_program

pytestmark = pytest.mark.live


class Pasted(NamedTuple):
    """What printed commands did."""

    cookies: set[int]
    errors: str


@dataclass(frozen=True, eq=False)
class Findings:
    """What everybody says of one row of the table at the same moment."""

    known: dict[int, Known]
    wanted: set[int]
    """What ss or the predicate says, by cookie."""
    narrowed: Frame
    full: Frame
    printed: SsCommands
    pasted: Pasted


class Watched:
    """The scene as the program sees it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.source = LiveSource(netns=scene.lab.box.name, counters=False)
        self.names: Names = machine_names(scene.lab.box.name, saved=SAVED)
        self._findings: dict[Row, Findings] = {}

    def findings(self, row: Row) -> Findings:
        """Asked for once, since several tests look at them."""
        if row not in self._findings:
            self._findings[row] = self._find(row)
        return self._findings[row]

    def _find(self, row: Row) -> Findings:
        filter = self.filter(self.text(row.ours))
        printed = ss_commands(filter.expression, ("-N", self.scene.lab.box.name))

        def ask_everybody() -> tuple[set[int], Frame, Frame, Pasted]:
            by_ss = set[int]() if row.ss is None else self.ss(self.text(row.ss))
            return by_ss, self.frame(filter), self.frame_of_everything(filter), pasted(printed.commands)

        known, (by_ss, narrowed, full, shown) = self.scene.while_steady(ask_everybody)
        holds = row.holds
        wanted = by_ss if holds is None else {cookie for cookie, each in known.items() if holds(each)}
        return Findings(known, wanted, narrowed, full, printed, shown)

    def text(self, template: str) -> str:
        return template.format(**self.scene.words, worker=WORKER_PORT)

    def filter(self, text: str) -> Filter:
        return parse_filter(text, self.names)

    def frame(self, filter: Filter) -> Frame:
        """What is shown for ``filter``, out of a sample that was taken for it."""
        return build_frame(View(ViewKind.CONNECTIONS, filter), attributed(self.source.sample(request_for(filter))))

    def frame_of_everything(self, filter: Filter) -> Frame:
        """What is shown for ``filter``, out of a sample that leaves out nothing."""
        request = replace(request_for(filter), scope=None)
        return build_frame(View(ViewKind.CONNECTIONS, filter), attributed(self.source.sample(request)))

    def ss(self, words: str) -> set[int]:
        return ss_cookies(self.scene.lab.box, *words.split())


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    require_live()
    with filter_scene(tmp_path_factory.mktemp("cgroup2")) as scene:
        made = Watched(scene)
        yield made
        made.source.close()


def shown_rows(frame: Frame) -> set[tuple[int, str, int, str, int, str]]:
    """The rows that a frame's filter means, in the form of ``Known.row``."""
    rows = frame.sample.table.rows[frame.mask]
    return {
        (
            *(int(row["cookie"]), address_text(int(row["local_hi"]), int(row["local_lo"])), int(row["local_port"])),
            *(address_text(int(row["remote_hi"]), int(row["remote_lo"])), int(row["remote_port"])),
            TcpState(row["state"]).name,
        )
        for row in rows
    }


def cookies(frame: Frame) -> set[int]:
    return set(frame.sample.table.rows["cookie"][frame.mask].tolist())


def pasted(commands: Iterable[str]) -> Pasted:
    """What a shell shows for ``commands``, with ``-e`` for the cookies."""
    with_cookies = [command.replace("ss -tan", "ss -tanHe", 1) for command in commands]
    script = "\n".join(["set -e", *with_cookies])
    done = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False, timeout=60)
    return Pasted(cookies_in(done.stdout.splitlines()), done.stderr)


@EVERY_ROW
def test_a_filter_means_what_ss_or_the_predicate_says(watched: Watched, row: Row) -> None:
    found = watched.findings(row)
    assert shown_rows(found.narrowed) == {found.known[cookie].row for cookie in found.wanted}
    assert "filter.undecided" not in {each.code for each in found.narrowed.degraded}
    extent = "none" if not found.wanted else "all" if len(found.wanted) == len(found.known) else "some"
    assert extent == row.extent


@EVERY_ROW
def test_what_the_kernel_leaves_out_the_mask_would_have_left_out(watched: Watched, row: Row) -> None:
    found = watched.findings(row)
    assert shown_rows(found.narrowed) == shown_rows(found.full)
    assert len(found.narrowed.sample.table) <= len(found.full.sample.table) == len(found.known)


@EVERY_ROW
def test_the_printed_ss_command_shows_no_less_and_says_when_it_shows_more(watched: Watched, row: Row) -> None:
    found = watched.findings(row)
    assert found.pasted.errors == ""
    if not any("leaves out" in remark for remark in found.printed.remarks):
        assert cookies(found.narrowed) <= found.pasted.cookies
    if not found.printed.remarks:
        assert found.pasted.cookies <= cookies(found.narrowed)


# -- What the kernel is asked ------------------------------------------------------------------------------------------

DECIDED_BY_THE_KERNEL = (
    *(":443", "dport = :443", "sport 22", "port 8000-8100", "sport > :8000", "dport != :443", "dport = 443 sport > 0"),
    *("state time-wait", "exclude established", "state established dport = :443", "close-wait | last-ack"),
    *("dst 10.78.0.0/16", "10.77.0.1", "src [fd00:77::1]:22", "not dst 10/8", "dst [::/0]", "dst inet6:*:443"),
    *("dev veth0", "fwmark = 42", "not fwmark = 0", "dev lo or fwmark 1/1", "@web dst 10/8"),
)
"""Each test of theirs is one that the kernel has an instruction or a mask for."""


@pytest.mark.parametrize("text", DECIDED_BY_THE_KERNEL)
def test_the_kernel_tells_of_no_more_than_matches_and_listens(watched: Watched, text: str) -> None:
    filter = watched.filter(text)
    known, frame = watched.scene.while_steady(lambda: watched.frame(filter))
    told = set(frame.sample.table.rows["cookie"].tolist())
    listening = {cookie for cookie, each in known.items() if each.state is TcpState.LISTEN}
    assert told <= cookies(frame) | listening
    assert 0 < len(cookies(frame)) < len(known)


@pytest.mark.parametrize("text", ["recvq > 0", "dport = :443 or timer on", "crawler", "not ( :443 user root )"])
def test_the_kernel_tells_of_everything_where_it_cannot_decide(watched: Watched, text: str) -> None:
    filter = watched.filter(text)
    known, frame = watched.scene.while_steady(lambda: watched.frame(filter))
    assert set(frame.sample.table.rows["cookie"].tolist()) == set(known)


def test_half_a_filter_narrows_too(watched: Watched) -> None:
    """What the kernel can decide it does, though the rest is left to the mask."""
    filter = watched.filter("dport = :443 state established recvq = 0 timer off")
    known, frame = watched.scene.while_steady(lambda: watched.frame(filter))
    told = [known[cookie] for cookie in frame.sample.table.rows["cookie"].tolist()]
    assert {each.state for each in told} == {TcpState.ESTABLISHED, TcpState.LISTEN}
    assert {each.remote_port for each in told if each.state is TcpState.ESTABLISHED} == {443}


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_filters.filters)
def test_any_filter_has_the_same_rows_narrowed_or_not(watched: Watched, text: str) -> None:
    """Of the sockets that were there before and after, and for which it meant the same then."""
    filter = watched.filter(text)
    before, narrowed, after = (
        watched.frame_of_everything(filter),
        cookies(watched.frame(filter)),
        watched.frame_of_everything(filter),
    )
    later = verdicts(after)
    lasting = {cookie: meant for cookie, meant in verdicts(before).items() if later.get(cookie) is meant}
    assert len(lasting) > len(before.sample.table) // 2
    assert {cookie for cookie, meant in lasting.items() if meant} == narrowed & lasting.keys()


def verdicts(frame: Frame) -> dict[int, bool]:
    """Whether the frame's filter means a socket, by cookie."""
    assert frame.mask is not None
    return dict(zip(frame.sample.table.rows["cookie"].tolist(), frame.mask.tolist(), strict=True))


# -- Through the command line ------------------------------------------------------------------------------------------

TYPED = ("dport = :443 and not state established", "crawler or ( 10.78/16 sendq > 0 )")


@pytest.mark.parametrize("text", TYPED)
def test_the_command_line_shows_the_same(watched: Watched, text: str) -> None:
    filter = watched.filter(text)
    arguments = ("snapshot", "-N", watched.scene.lab.box.name, "--view", "connections", "--format", "json")
    _, (run, frame) = watched.scene.while_steady(
        lambda: (run_program(*arguments, *text.split()), watched.frame(filter))
    )
    assert {row["cookie"] for row in run.document["rows"]} == cookies(frame) != set()


@pytest.mark.parametrize("text", ["dport = :443 and not state established", "state listen sport 22 or dst [::/0]:443"])
def test_the_explained_ss_command_can_be_pasted(watched: Watched, text: str) -> None:
    filter = watched.filter(text)
    run = run_program("snapshot", "-N", watched.scene.lab.box.name, "--explain-filter", text)
    assert (run.exit_code, run.errors) == (0, "")
    commands = [line.removeprefix("ss").strip() for line in run.output.splitlines() if "ss -tan" in line]
    _, (shown, frame) = watched.scene.while_steady(lambda: (pasted(commands), watched.frame(filter)))
    assert shown.errors == ""
    assert shown.cookies == cookies(frame) != set()


# -- What a source cannot tell -----------------------------------------------------------------------------------------


def rows_and_remarks(
    watched: Watched, *words: str, user: User = "root"
) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """The rows of a snapshot taken in the box, and the reasons of what it could not see, by code."""
    run = run_inside(
        watched.scene.lab.box, *("snapshot", "--view", "connections", "--format", "json"), *words, user=user
    )
    remarks: dict[str, list[str]] = {}
    for each in run.document["degraded"]:
        remarks.setdefault(each["code"], []).append(each["reason"])
    return run.document["rows"], remarks


def test_a_kernel_that_refuses_the_condition_still_answers_the_rest(watched: Watched) -> None:
    """Conditions on marks take CAP_NET_ADMIN (FACTS section 6.4)."""
    rows, remarks = rows_and_remarks(watched, "fwmark = 42", user="nobody")
    assert rows == []
    (reason,) = remarks["filter.undecided"]
    assert "mark" in reason
    assert rows_and_remarks(watched, "fwmark = 0", user="nobody")[0] == []
    rows, remarks = rows_and_remarks(watched, "fwmark = 42 or dport = :80 state established", user="nobody")
    assert {(row["state"], row["remote_port"]) for row in rows} == {("ESTABLISHED", 80)}
    assert "filter.undecided" in remarks
    rows, remarks = rows_and_remarks(watched, "fwmark = 42 or dport = :80 state established")
    assert {row["remote_port"] for row in rows} == {80, 6000}
    assert "filter.undecided" not in remarks


PORTABLE_LACKS = (
    *("dev veth0", "fwmark 42", "autobound", "recvq > 0", "sendq > 0", "retrans > 0", "timer on", "inode 5"),
    *(
        "user root",
        "recvq 0",
        "timer off",
        "inode 0",
        "fwmark 0",
        "dev 0",
        "pid 1",
        "process crawler",
        "service web.service",
    ),
)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        *(("proc", text) for text in ("dev veth0", "dev 0", "fwmark 42", "fwmark 0", "autobound", "cgroup /")),
        *(("psutil", text) for text in PORTABLE_LACKS),
    ],
)
def test_a_condition_on_what_the_source_lacks_holds_for_none_and_it_says_so(
    watched: Watched, source: str, text: str
) -> None:
    rows, remarks = rows_and_remarks(watched, "--source", source, text)
    assert rows == []
    assert len(remarks["filter.undecided"]) == 1


@pytest.mark.parametrize("source", ["proc", "psutil"])
def test_what_the_source_has_it_selects_by(watched: Watched, source: str) -> None:
    rows, remarks = rows_and_remarks(watched, "--source", source, "established dport 443 dst 10/8")
    assert {(row["state"], row["remote_port"]) for row in rows} == {("ESTABLISHED", 443)}
    assert "filter.undecided" not in remarks


def test_the_table_is_long_enough_and_says_nothing_twice() -> None:
    texts = [row.ours for row in TABLE]
    assert len(texts) >= 130
    assert len(texts) == len(set(texts))
    assert all((row.ss is None) != (row.holds is None) for row in TABLE)
