"""The cgroup v2 tree, read from folders made like it."""

import os
from pathlib import Path

import pytest

from tcptui.kernel.cgroups import cgroup2_mount, cgroup_paths

MOUNTS = """\
25 30 0:23 / /sys rw,nosuid,nodev shared:7 - sysfs sysfs rw
35 25 0:30 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
36 35 0:31 / /sys/fs/cgroup/cpu rw shared:10 - cgroup cgroup rw,cpu
37 30 8:1 / /srv/cgroup2 rw - ext4 /dev/sda1 rw
"""
HYBRID = "38 35 0:32 / /sys/fs/cgroup/unified rw,nosuid shared:11 - cgroup2 cgroup2 rw,nsdelegate\n"
OF_A_POD = "39 30 0:32 /kubepods.slice/pod1 /run/pod1 rw - cgroup2 none rw\n"


def mountinfo(folder: Path, text: str) -> str:
    path = folder / "mountinfo"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("lines", "mount"),
    [
        pytest.param("", None, id="cgroup v1 alone"),
        pytest.param(HYBRID, "/sys/fs/cgroup/unified", id="v1 and v2"),
        pytest.param(OF_A_POD, "/run/pod1", id="a part of the tree"),
        pytest.param(OF_A_POD + HYBRID, "/sys/fs/cgroup/unified", id="a part of the tree and the tree"),
        pytest.param(HYBRID.replace("shared:11 ", ""), "/sys/fs/cgroup/unified", id="no optional field"),
        pytest.param(HYBRID.replace("/unified", "/a\\040b\\134\\011\\012"), "/sys/fs/cgroup/a b\\\t\n", id="escapes"),
        pytest.param(HYBRID.replace("shared:11", "shared:11 master:3"), "/sys/fs/cgroup/unified", id="two fields"),
    ],
)
def test_the_mount_of_cgroup_v2_is_found_where_it_is(tmp_path: Path, lines: str, mount: str | None) -> None:
    """proc_pid_mountinfo(5)."""
    assert cgroup2_mount(mountinfo(tmp_path, MOUNTS + lines)) == mount


def test_a_mount_whose_name_is_no_utf8_can_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "mountinfo"
    path.write_bytes(HYBRID.encode().replace(b"unified", b"\xff"))
    assert cgroup2_mount(str(path)) == "/sys/fs/cgroup/\udcff"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two levels, with files as the kernel puts them into every cgroup."""
    mount = tmp_path / "cgroup"
    for path in (".", "system.slice", "system.slice/nginx.service", "system.slice/sshd.service", "empty"):
        (mount / path).mkdir(exist_ok=True)
        (mount / path / "cgroup.procs").touch()
    return mount


def test_every_folder_is_a_cgroup_by_its_inode(tree: Path) -> None:
    expected = ["/", "/empty", "/system.slice", "/system.slice/nginx.service", "/system.slice/sshd.service"]
    paths = cgroup_paths(str(tree))
    assert sorted(paths.values()) == expected
    assert paths == {os.stat(f"{tree}{path}").st_ino: path for path in expected}


def test_a_deep_tree_is_read_to_its_end(tree: Path) -> None:
    deep = "/".join(f"level{number}" for number in range(60))
    (tree / deep).mkdir(parents=True)
    assert f"/{deep}" in cgroup_paths(str(tree)).values()


def test_a_link_out_of_the_tree_is_not_followed(tree: Path) -> None:
    (tree / "out").symlink_to("/")
    assert len(cgroup_paths(str(tree))) == 5


def test_a_path_is_printable_whatever_a_cgroup_is_called(tree: Path) -> None:
    (tree / "red\x1b[31m\n").mkdir()
    (tree / "dev-disk\\x2dby.device").mkdir()
    paths = set(cgroup_paths(str(tree)).values())
    assert {"/red\\x1b[31m\\x0a", "/dev-disk\\x2dby.device"} <= paths


def test_a_tree_that_is_gone_has_no_cgroups(tmp_path: Path) -> None:
    """Unmounted, or removed between two looks."""
    assert cgroup_paths(str(tmp_path / "gone")) == {}
