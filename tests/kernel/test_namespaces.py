"""Finding a network namespace, and what is said when there is none."""

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.errors import ExitCode, RequestError, SourceError
from tcptui.kernel.namespaces import namespace_path, run_in_namespace

OWN = "/proc/self/ns/net"
HIGHEST_PID = 4_194_304
"""``PID_MAX_LIMIT`` of a 64-bit kernel: a number above it is never a process."""


def test_a_process_id_means_that_process() -> None:
    assert namespace_path(str(os.getpid())) == f"/proc/{os.getpid()}/ns/net"


def test_a_path_means_itself(tmp_path: Path) -> None:
    assert namespace_path(OWN) == OWN
    link = tmp_path / "net"
    link.symlink_to("/nowhere")
    assert namespace_path(str(link)) == str(link)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (str(HIGHEST_PID + 1), f"no process {HIGHEST_PID + 1}"),
        ("/no/such/file", "no network namespace at /no/such/file"),
        ("./nothing-here", "no network namespace at ./nothing-here"),
        ("no-such-name", "no network namespace named no-such-name"),
        (".", "no network namespace named ."),
        ("..", "no network namespace named .."),
        ("blue\x1b[31m\n", "no network namespace named blue\\x1b[31m\\x0a"),
        ("/x/\u202eten", "no network namespace at /x/\\u202eten"),
        ("\udcff", "no network namespace named \\udcff"),
        ("nul\0byte", "no network namespace named nul\\x00byte"),
        ("٣", "no network namespace named ٣"),
    ],
)
def test_what_does_not_exist_is_a_wrong_request_with_a_way_out(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        namespace_path(text)
    assert caught.value.message == message
    assert caught.value.exit_code is ExitCode.REQUEST
    assert "ip netns" in caught.value.hint
    assert str(caught.value).isprintable()


def test_an_empty_name_is_no_namespace() -> None:
    with pytest.raises(RequestError):
        namespace_path("")


@given(st.text(min_size=1, max_size=30))
def test_any_text_is_an_existing_file_or_a_printable_refusal(text: str) -> None:
    try:
        outcome: str | RequestError = namespace_path(text)
    except RequestError as error:
        outcome = error
    if isinstance(outcome, RequestError):
        assert str(outcome).isprintable()
    else:
        assert os.path.lexists(outcome)


@pytest.mark.parametrize("path", ["/etc/hostname", "/", "/proc/self/ns/mnt"])
def test_a_file_that_is_no_network_namespace_is_a_wrong_request(path: str) -> None:
    with pytest.raises(RequestError) as caught:
        run_in_namespace(path, os.getpid)
    assert caught.value.message == f"{path} is not a network namespace"
    assert "ip netns" in caught.value.hint


def test_a_file_that_went_away_cannot_be_entered(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot enter the network namespace at .*gone") as caught:
        run_in_namespace(str(tmp_path / "gone"), os.getpid)
    assert caught.value.exit_code is ExitCode.SOURCE


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(SourceError):
        run_in_namespace(str(tmp_path / "gone"), os.getpid)
    assert threading.active_count() == before


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="setns(2) takes CAP_SYS_ADMIN")


@needs_root
def test_work_is_done_in_a_thread_of_its_own_and_its_result_comes_back() -> None:
    worker = run_in_namespace(OWN, threading.get_ident)
    assert worker != threading.get_ident()


@needs_root
def test_an_error_of_the_work_is_raised_to_the_caller() -> None:
    def fail() -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        run_in_namespace(OWN, fail)
