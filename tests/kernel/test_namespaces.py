"""Finding a network namespace or all of them, entering them, and what is said when there is none."""

import errno
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.errors import ExitCode, RequestError, SourceError
from tcptui.kernel.namespaces import (
    FoundNamespace,
    all_namespaces,
    namespace_path,
    own_namespace,
    run_in_each,
    run_in_namespace,
)

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


def test_all_namespaces_are_not_one() -> None:
    with pytest.raises(RequestError, match="name one") as caught:
        namespace_path("all")
    assert "ip netns" in caught.value.hint


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


# -- Several namespaces in turn ----------------------------------------------------------------------------------------


def found_at(path: str) -> FoundNamespace:
    return FoundNamespace(os.stat(path).st_ino, path)


@needs_root
def test_each_namespace_is_entered_in_turn_by_one_thread() -> None:
    workers = run_in_each([found_at(OWN), found_at(OWN)], lambda _: threading.get_ident())
    assert len(set(workers)) == 1
    assert workers[0] != threading.get_ident()
    assert run_in_each([], lambda _: threading.get_ident()) == []


@needs_root
def test_the_work_is_told_which_namespace_it_is_in() -> None:
    here = found_at(OWN)
    assert run_in_each([here], lambda namespace: (namespace, own_namespace())) == [(here, here.inode)]


@needs_root
def test_a_namespace_that_cannot_be_entered_does_not_keep_us_from_the_next(tmp_path: Path) -> None:
    """The second is there, but it is another's by now; the third is a namespace of another kind."""
    here = found_at(OWN)
    wrong = [FoundNamespace(1, str(tmp_path / "gone")), here._replace(inode=1), found_at("/proc/self/ns/uts")]
    outcomes = run_in_each([*wrong, here], lambda _: "entered")
    assert [each.errno for each in outcomes[:3] if isinstance(each, OSError)] == [
        errno.ENOENT,
        errno.ENOENT,
        errno.EINVAL,
    ]
    assert outcomes[3] == "entered"


@needs_root
def test_an_error_of_the_work_ends_the_round() -> None:
    def fail(_: FoundNamespace) -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        run_in_each([found_at(OWN)], fail)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter")
def test_what_may_not_be_entered_is_said_to_be_so() -> None:
    (outcome,) = run_in_each([found_at(OWN)], lambda _: "entered")
    assert isinstance(outcome, PermissionError)


# -- All namespaces ----------------------------------------------------------------------------------------------------


def make_proc(folder: Path, namespaces: dict[int, int]) -> str:
    """A /proc in which each process is in the namespace with the given inode; its names are looked for in nsfs."""
    for pid, inode in namespaces.items():
        (folder / str(pid) / "ns").mkdir(parents=True)
        (folder / str(pid) / "ns/net").symlink_to(f"net:[{inode}]")
    (folder / "self/ns").mkdir(parents=True)
    (folder / "self/ns/net").symlink_to(OWN)
    return str(folder)


def make_names(folder: Path, *names: str) -> Sequence[str]:
    """A folder with names for the namespace of this process."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(f"/proc/{os.getpid()}/ns/net")
    return (str(folder),)


def test_each_namespace_is_found_once_with_its_lowest_process(tmp_path: Path) -> None:
    proc = make_proc(tmp_path, {1: 77, 10: 5, 9: 5, 200: 77, 30: 5})
    (tmp_path / "uptime").touch()
    namespaces, hidden = all_namespaces(proc, ())
    assert namespaces == [
        FoundNamespace(5, f"{proc}/9/ns/net", (), 9, 3),
        FoundNamespace(77, f"{proc}/1/ns/net", (), 1, 2),
    ]
    assert hidden == 0


def test_a_name_is_preferred_to_a_process_since_it_stays(tmp_path: Path) -> None:
    own = own_namespace()
    proc = make_proc(tmp_path / "proc", {4: own, 5: 77})
    folders = make_names(tmp_path / "netns", "web", "blue\x1b[31m")
    namespaces, _ = all_namespaces(proc, folders)
    assert [each for each in namespaces if each.inode == own] == [
        FoundNamespace(own, f"{folders[0]}/blue\x1b[31m", ("blue\\x1b[31m", "web"), 4, 1)
    ]


def test_a_namespace_may_have_a_name_and_no_process(tmp_path: Path) -> None:
    proc = make_proc(tmp_path / "proc", {5: 77})
    folders = (str(tmp_path / "absent"), *make_names(tmp_path / "netns", "web"))
    found = {each.inode: each for each in all_namespaces(proc, folders).namespaces}
    assert found[own_namespace()] == FoundNamespace(own_namespace(), f"{folders[1]}/web", ("web",), None, 0)


def test_a_name_for_something_else_is_left_out(tmp_path: Path) -> None:
    proc = make_proc(tmp_path / "proc", {5: 77})
    folders = make_names(tmp_path / "netns")
    (tmp_path / "netns/file").touch()
    (tmp_path / "netns/lost").symlink_to("/nowhere")
    (tmp_path / "netns/folder").mkdir()
    assert [each.inode for each in all_namespaces(proc, folders).namespaces] == [77]


def test_processes_that_have_ended_or_hide_their_namespace_are_normal(tmp_path: Path) -> None:
    """ENOENT for the first, as a zombie has it; ENOTDIR stands for whatever else is in the way."""
    proc = make_proc(tmp_path, {5: 77})
    (tmp_path / "6/ns").mkdir(parents=True)
    (tmp_path / "7").mkdir()
    (tmp_path / "7/ns").touch()
    namespaces, hidden = all_namespaces(proc, ())
    assert [each.inode for each in namespaces] == [77]
    assert hidden == 1


def test_where_processes_cannot_be_listed_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        all_namespaces(str(tmp_path / "proc"), ())


def test_this_process_is_in_one_of_those_that_are_found() -> None:
    found = {each.inode: each for each in all_namespaces().namespaces}
    own = found[own_namespace()]
    assert own.lowest_pid is not None
    assert own.lowest_pid <= os.getpid()
    assert own.process_count > 0
