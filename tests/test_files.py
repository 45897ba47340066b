"""Files that are written whole or not at all."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcptui.errors import ExitCode, OutputError
from tcptui.files import write_output

OLD, NEW = "what was there before\n", "neu – 新\n"


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_new_file_has_the_content_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_output(str(tmp_path / "a.json"), NEW, overwrite=False)
    assert (tmp_path / "a.json").read_bytes() == NEW.encode()
    assert names(tmp_path) == ["a.json"]


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        write_output(str(tmp_path / "a"), NEW, overwrite=False)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_an_existing_file_is_left_alone_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(OLD)
    with pytest.raises(OutputError) as caught:
        write_output(str(path), NEW, overwrite=False)
    assert caught.value.exit_code is ExitCode.OUTPUT
    assert caught.value.message == f"{path} exists"
    assert "--force" in caught.value.hint
    assert path.read_text() == OLD
    write_output(str(path), NEW, overwrite=True)
    assert path.read_text("utf-8") == NEW
    assert names(tmp_path) == ["a"]


def test_an_overwritten_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(OLD)
    path.chmod(0o604)
    write_output(str(path), NEW, overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_somebody_who_reads_the_old_file_reads_it_to_its_end(tmp_path: Path) -> None:
    """The new one takes its name, not its place on the disk."""
    path = tmp_path / "a"
    path.write_text(OLD)
    with path.open() as reader:
        write_output(str(path), NEW, overwrite=True)
        assert reader.read() == OLD


def test_a_symbolic_link_stays_one_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    target, link = tmp_path / "shared" / "target", tmp_path / "link"
    link.symlink_to("shared/target")
    write_output(str(link), OLD, overwrite=False)
    assert target.read_text() == OLD
    with pytest.raises(OutputError, match="exists"):
        write_output(str(link), NEW, overwrite=False)
    write_output(str(link), NEW, overwrite=True)
    assert link.is_symlink()
    assert target.read_text("utf-8") == NEW
    assert names(tmp_path / "shared") == ["target"]


def test_a_link_that_leads_in_circles_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError, match="cannot write"):
        write_output(str(tmp_path / "a"), NEW, overwrite=True)


def test_the_null_device_stays_a_device() -> None:
    before = os.stat("/dev/null")
    write_output("/dev/null", NEW, overwrite=True)
    write_output("/dev/null", NEW, overwrite=False)
    after = os.stat("/dev/null")
    assert stat.S_ISCHR(after.st_mode)
    assert (after.st_ino, after.st_mode, after.st_rdev) == (before.st_ino, before.st_mode, before.st_rdev)


@pytest.mark.parametrize("content", [NEW, "x" * 100_000])
def test_a_full_device_is_an_error(content: str) -> None:
    with pytest.raises(OutputError, match="No space left on device"):
        write_output("/dev/full", content, overwrite=False)
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_output(str(path), NEW, overwrite=False)
        assert os.read(reader, 100) == NEW.encode()
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize(
    ("path", "reason", "hint"),
    [
        ("missing/a", "No such file or directory", "make its folder first"),
        ("file/a", "Not a directory", "make its folder first"),
        ("", "Is a directory", "choose another place"),
        (".", "Is a directory", "choose another place"),
        ("n" * 256, "File name too long", "choose another place"),
    ],
)
def test_what_cannot_be_written_says_why_and_leaves_nothing(tmp_path: Path, path: str, reason: str, hint: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as caught:
        write_output(str(tmp_path / path), NEW, overwrite=True)
    assert reason in caught.value.message
    assert caught.value.hint == hint
    assert names(tmp_path) == ["file"]


def test_a_hostile_name_is_not_repeated_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write_output(str(tmp_path / "no" / "a\x1b[31m\n"), NEW, overwrite=False)
    assert str(caught.value).isprintable()
    assert "a\\x1b[31m\\x0a" in caught.value.message


def test_a_name_that_no_file_can_have_is_an_error(tmp_path: Path) -> None:
    """Pasted into the screen's prompt."""
    with pytest.raises(OutputError) as caught:
        write_output(str(tmp_path / "a\0b"), NEW, overwrite=False)
    assert "a\\x00b" in caught.value.message


def test_a_name_of_any_bytes_can_be_written(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(str(tmp_path)) + b"/caf\xe9 \xff")
    write_output(path, NEW, overwrite=False)
    assert Path(path).read_text("utf-8") == NEW


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("n" * 255, id="ascii"),
        pytest.param("表" * 85, id="three bytes each"),
        pytest.param("😀" * 63, id="four bytes each"),
    ],
)
def test_the_longest_name_that_a_folder_takes_can_be_written(tmp_path: Path, name: str) -> None:
    write_output(str(tmp_path / name), NEW, overwrite=False)
    assert names(tmp_path) == [name]


def test_what_cannot_be_encoded_is_replaced() -> None:
    """A lone surrogate in a name must not cost the whole report."""
    write_output("/dev/null", "\udcff", overwrite=False)


_LIMITED = """
import resource, sys
from tcptui.errors import OutputError
from tcptui.files import write_output
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_output(sys.argv[1], "x" * 100_000, overwrite=True)
except OutputError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("existing", [None, OLD])
def test_a_file_that_does_not_fit_leaves_things_as_they_were(tmp_path: Path, existing: str | None) -> None:
    """The kernel lets the process write 4,096 bytes of a file and no more."""
    path = tmp_path / "a"
    if existing is not None:
        path.write_text(existing)
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path)], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.stderr.startswith(f"cannot write {path} (File too large)")
    assert done.returncode == 1
    assert names(tmp_path) == ([] if existing is None else ["a"])
    if existing is not None:
        assert path.read_text() == existing


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with no room left; mounting it takes root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tcptui-test", str(folder)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("no file system can be mounted here; the limit on the size of files shows the same")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_things_as_they_were(full_disk: Path) -> None:
    (full_disk / "a").write_text(OLD)
    with pytest.raises(OutputError, match="No space left on device"):
        write_output(str(full_disk / "a"), "x" * 200_000, overwrite=True)
    assert (full_disk / "a").read_text() == OLD
    assert names(full_disk) == ["a"]


def test_a_folder_that_takes_no_files_is_an_error() -> None:
    """Not even root may make a file in sysfs."""
    with pytest.raises(OutputError) as caught:
        write_output("/sys/tcptui.json", NEW, overwrite=False)
    assert "cannot write /sys/tcptui.json" in caught.value.message
    assert caught.value.hint
