"""The cgroup v2 tree, read from folders made like it, and the texts of ``/proc/PID/cgroup``."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.kernel.cgroups import cgroup2_mount, cgroup_paths, process_cgroup

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


# -- The cgroup of a process -------------------------------------------------------------------------------------------

CONTAINER = "/docker/3f2a9c0d1e2f"
UNIFIED = "0::/system.slice/nginx.service\n"
LEGACY = f"""\
12:perf_event:/
11:hugetlb:/
10:cpuset:/other
9:memory:{CONTAINER}
4:cpu,cpuacct:/system.slice
2:net_cls,net_prio:/
"""
OF_SYSTEMD = "1:name=systemd:/user.slice/user-1000.slice/session-3.scope\n"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("0::/\n", "/", id="version 2, the root"),
        pytest.param(UNIFIED, "/system.slice/nginx.service", id="version 2"),
        pytest.param(UNIFIED.strip(), "/system.slice/nginx.service", id="without an end of line"),
        pytest.param(OF_SYSTEMD + LEGACY, "/user.slice/user-1000.slice/session-3.scope", id="version 1 with systemd"),
        pytest.param(LEGACY, CONTAINER, id="version 1 without systemd"),
        pytest.param("1:name=systemd:/\n" + LEGACY, CONTAINER, id="version 1 with systemd elsewhere"),
        pytest.param("3:cpu,cpuacct:/web\n2:memory:/\n", "/web", id="two controllers in one hierarchy"),
        pytest.param("2:cpu:/\n1:name=openrc:/nginx\n", "/nginx", id="version 1 with OpenRC"),
        pytest.param("7:rdma:/a\n6:misc:/b\n", "/a", id="controllers that tell little"),
        pytest.param("2:cpu:/\n1:name=systemd:/\n", "/", id="version 1, the root"),
        pytest.param(OF_SYSTEMD + LEGACY + UNIFIED, "/system.slice/nginx.service", id="both"),
        pytest.param(OF_SYSTEMD + "0::/\n", "/user.slice/user-1000.slice/session-3.scope", id="both, 2 at its root"),
        pytest.param(LEGACY + "1:name=systemd:/\n0::/\n", CONTAINER, id="both, one controller elsewhere"),
        pytest.param("0::/web.service (deleted)\n", "/web.service", id="removed"),
        pytest.param("0::/a (deleted)/b\n", "/a (deleted)/b", id="a name that looks removed"),
        pytest.param("0::/../../web\n", "/../../web", id="out of this cgroup namespace"),
        pytest.param("0::/a:b:c\n", "/a:b:c", id="colons"),
        pytest.param("0::/red\x1b[31m\x0b\x85\u2028\r\n", "/red\\x1b[31m\\x0b\\x85\\u2028\\x0d", id="hostile"),
        pytest.param("0::/dev\\x2dmd0.mount\n", "/dev\\x2dmd0.mount", id="systemd's escapes"),
        pytest.param("0::relative\nno colon\n1:cpu\n", "", id="another format"),
    ],
)
def test_the_cgroup_of_a_process_is_the_most_telling_one(text: str, path: str) -> None:
    """cgroups(7)."""
    assert process_cgroup(text) == path
    assert process_cgroup(text.encode()) == path


def test_a_cgroup_whose_name_is_no_utf8_is_printable() -> None:
    assert process_cgroup(b"0::/\xff\n") == "/\\udcff"


@given(st.text() | st.binary())
def test_any_text_gives_a_path_or_nothing(text: str | bytes) -> None:
    path = process_cgroup(text)
    assert path.isprintable()
    assert path == "" or path.startswith("/")


def test_this_process_has_a_cgroup() -> None:
    assert process_cgroup(Path("/proc/self/cgroup").read_bytes()).startswith("/")
