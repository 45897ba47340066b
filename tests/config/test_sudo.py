"""Whose configuration holds where root runs the program for somebody: read by root as if it were nobody's friend."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tcptui.config.file import lent_content
from tcptui.config.sudo import belongs_to
from tcptui.errors import SourceError

CALLER = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be called by sudo")

_WHERE = """
from tcptui.config.file import load_config
from tcptui.config.remembered import state_path
config = load_config()
print(config.interval, state_path())
"""


def test_a_regular_file_of_the_owner_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert lent_content(str(path), os.geteuid()) is None
    path.write_text("interval = 5")
    assert lent_content(str(path), os.geteuid()) == b"interval = 5"
    (tmp_path / "link").symlink_to(path)
    assert lent_content(str(tmp_path / "link"), os.geteuid()) == b"interval = 5"


def test_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("secret")
    with pytest.raises(SourceError) as caught:
        lent_content(str(path), os.geteuid() + 1)
    assert str(caught.value) == f"{path} is not read as root: it must be a regular file of the user who called sudo"
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("fifo", "device", ""):
        with pytest.raises(SourceError):
            lent_content(str(tmp_path / name), os.geteuid())


def test_a_folder_that_is_not_there_belongs_to_whom_the_one_above_does(tmp_path: Path) -> None:
    assert belongs_to(str(tmp_path / "a" / "b" / "file"), os.geteuid())
    assert not belongs_to(str(tmp_path / "a" / "b" / "file"), os.geteuid() + 1)


def run_by_sudo(home: Path) -> str:
    """What root reads and writes that was called by ``CALLER`` with a HOME."""
    environ = {**os.environ, "SUDO_UID": str(CALLER), "HOME": str(home)}
    environ.pop("XDG_CONFIG_HOME", None)
    environ.pop("XDG_STATE_HOME", None)
    done = subprocess.run([sys.executable, "-c", _WHERE], env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@as_root
def test_a_home_that_sudo_has_kept_is_not_written_to(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "tcptui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("interval = 5")
    assert run_by_sudo(tmp_path) == f"5.0 {tmp_path}/.local/state/tcptui/state.json"
    for path in (tmp_path, tmp_path / ".config", folder):
        os.chown(path, CALLER, -1)
    assert run_by_sudo(tmp_path) == "1.0 None"  # nobody has no home, and root's file lies in the hands of another
