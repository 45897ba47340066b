"""Files that are opened once and read for every sample."""

import os
from pathlib import Path

import pytest

from tcptui.kernel.files import ProcFile, is_absent, open_proc_file, parameter_path


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "tcp_fin_timeout"
    path.write_bytes(b"60\n")
    file = ProcFile(str(path))
    assert file.read() == b"60\n"
    path.write_bytes(b"30\n")
    assert file.read() == b"30\n"
    file.close()


def test_a_long_file_is_read_to_its_end(tmp_path: Path) -> None:
    """A table of /proc comes a page at a time, and several megabytes of it are usual."""
    content = os.urandom(1024 * 1024 + 17)
    (tmp_path / "tcp").write_bytes(content)
    file = ProcFile(str(tmp_path / "tcp"))
    assert file.read() == content
    assert file.read() == content
    file.close()


def test_a_file_of_proc_without_a_length_is_read() -> None:
    """``st_size`` is 0 there."""
    file = ProcFile("/proc/self/status")
    assert os.stat(file.path).st_size == 0
    assert b"Name:" in file.read()
    file.close()


def test_a_closed_file_holds_no_descriptor(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    before = sorted(os.listdir("/proc/self/fd"))
    file = ProcFile(str(tmp_path / "x"))
    file.close()
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_an_absent_file_is_told_from_a_refused_one(tmp_path: Path) -> None:
    """A parameter that this kernel does not have is no trouble; one that it hides is."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "nothing", tmp_path / "file" / "below"):
        missing = open_proc_file(str(path))
        assert isinstance(missing, OSError)
        assert is_absent(missing)
    assert not is_absent(PermissionError(13, "Permission denied"))


def test_what_cannot_be_read_says_why_when_it_is_read() -> None:
    opened = open_proc_file("/proc/self")
    assert isinstance(opened, ProcFile)
    with pytest.raises(IsADirectoryError):
        opened.read()
    opened.close()


def test_a_parameter_is_found_by_its_dotted_name() -> None:
    assert parameter_path("net.ipv4.tcp_fin_timeout") == "/proc/sys/net/ipv4/tcp_fin_timeout"
    opened = open_proc_file(parameter_path("net.ipv4.tcp_fin_timeout"))
    assert isinstance(opened, ProcFile)
    assert int(opened.read()) >= 0
    opened.close()
