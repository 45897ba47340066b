"""``tcptui explain``: what comes out, and what is refused."""

import json
import shlex

import pytest

from tcptui.explain.topics import topic_names
from tcptui.model.states import DISPLAY_ORDER
from tests.cli.process import tcptui
from tests.support.privileges import require_live

DEMO = ("--demo", "leak")


def test_the_list_has_every_topic_in_every_form() -> None:
    names = set(topic_names())
    assert {each["name"] for each in json.loads(tcptui("explain", "--format", "json").output)} == names
    markdown = tcptui("explain", "--format", "md").output
    assert {line.split("`")[1] for line in markdown.splitlines()} == names
    assert names <= {line.strip() for line in tcptui("explain").output.splitlines()}


def test_claims_in_the_list_say_that_they_are_wrong() -> None:
    listed = json.loads(tcptui("explain", "--format", "json").output)
    claims = [each["summary"] for each in listed if each["kind"] == "myth"]
    assert len(claims) == 74
    assert all(claim.endswith(("(wrong)", "(no longer so)", "(misleading)")) for claim in claims)


@pytest.mark.parametrize("topic", ["CLOSE_WAIT", "tcp_fin_timeout", "ListenOverflows", "SO_LINGER", "Recv-Q", "myths"])
@pytest.mark.parametrize("form", ["text", "md", "json"])
def test_a_topic_of_every_kind_has_every_form(topic: str, form: str) -> None:
    ended = tcptui("explain", topic, "--format", form, *DEMO)
    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output.startswith({"text": "", "md": "# ", "json": "{"}[form])
    if form == "json":
        assert json.loads(ended.output)["schema"] == "tcptui.explain/1"


def test_commands_are_lines_that_can_be_copied() -> None:
    for line in tcptui("explain", "SYN_RECV", *DEMO).output.splitlines():
        words = line.split()
        if words[:1] in (["ss"], ["tcpdump"], ["nstat"]):
            assert shlex.split(line)
    assert "TcpAttemptFails" in next(
        line for line in tcptui("explain", "SYN_RECV", *DEMO).output.splitlines() if line.startswith("    nstat ")
    )


@pytest.mark.live
def test_commands_go_where_the_values_come_from() -> None:
    require_live()
    output = tcptui("explain", "CLOSE_WAIT", "-N", "/proc/self/ns/net").output
    commands = [line.strip() for line in output.splitlines() if " -tan" in line or "tcpdump" in line or "nstat" in line]
    assert len(commands) == 3
    assert all(command.startswith("nsenter --net=/proc/self/ns/net ") for command in commands)


def test_the_machine_is_told_in_numbers() -> None:
    told = json.loads(tcptui("explain", "machine", "--format", "json", "-i", "0.2", *DEMO).output)
    assert told["schema"] == "tcptui.machine/1"
    assert set(told["states"]) == {state.name for state in DISPLAY_ORDER}
    assert told["states"]["CLOSE_WAIT"] > 5000
    assert {"from": "ESTABLISHED", "to": "CLOSE_WAIT"}.items() <= max(
        told["moved"], key=lambda each: each["per_s"]
    ).items()
    assert (told["host"], told["source"], told["brief_per_s"]) == ("app-1", "demo leak", None)


def test_the_machine_is_drawn() -> None:
    text = tcptui("explain", "machine", "-i", "0.2", *DEMO).output
    assert all(state.name in text for state in DISPLAY_ORDER)
    markdown = tcptui("explain", "machine", "-i", "0.2", "--format", "md", *DEMO).output
    assert markdown.startswith("```text\n")
    assert markdown.endswith("```\n")


@pytest.mark.parametrize(
    ("topic", "hint"),
    [
        ("TIME_WIAT", "did you mean TIME_WAIT?"),
        ("tcp_fin_timout", "did you mean tcp_fin_timeout?"),
        ("ListenOverflow", "did you mean ListenOverflows?"),
        ("SO_LINGR", "did you mean SO_LINGER?"),
        ("mashine", "did you mean machine?"),
        ("zzzz", "'tcptui explain' lists what is known"),
    ],
)
def test_a_slip_of_the_finger_gets_the_nearest_name(topic: str, hint: str) -> None:
    ended = tcptui("explain", topic)
    assert ended.exit_code == 2
    assert ended.complaint.endswith(hint)


def test_all_namespaces_at_once_are_refused() -> None:
    ended = tcptui("explain", "TIME_WAIT", "-N", "all")
    assert ended.exit_code == 2
    assert ended.complaint == "an explanation has the values of one network namespace: name it behind -N"
