"""Kernel parameters as they are told: what runs, what is set on disk, and what cannot be changed from here."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcptui.explain.topics import parameter_names
from tcptui.query.request import Request
from tcptui.query.syntax import NOTHING
from tcptui.sources.disk import READ_EVERY_S, DiskReader
from tcptui.sources.live import LiveSource
from tests.support.netns import NetworkNamespace

pytestmark = pytest.mark.live

FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
FILES = {
    "10-old.conf": f"{FIN_TIMEOUT} = 30\nnet.ipv4.tcp_tw_recycle = 1\n",
    "20-new.conf": f"# later wins\n{FIN_TIMEOUT} = 45\nnet.ipv4.tcp_orphan_retries=2\nnet.ipv4.tcp_fin_timout = 9\n",
    "30-old-name.conf": "net.ipv4.ip_conntrack_max = 65536\n",
}
"""As files would be on a machine whose administrator has read the web."""


@pytest.fixture
def namespace() -> Iterator[NetworkNamespace]:
    with NetworkNamespace("sysctl") as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sysctl.d"
    made.mkdir()
    for name, text in FILES.items():
        (made / name).write_text(text)
    return made


def explained(topic: str, folder: Path, namespace: NetworkNamespace, *options: str) -> str:
    """What the program says inside the namespace, where the folder lies over /etc/sysctl.d and nothing else is set."""
    empty = folder.parent / "empty"
    empty.mkdir(exist_ok=True)
    program = shlex.join([sys.executable, "-m", "tcptui", "explain", topic, *options])
    others = ("/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
    covers = [f"test ! -d {each} || mount --bind {empty} {each}" for each in others]
    commands = [f"mount --bind {folder} /etc/sysctl.d", *covers, program]
    return run_as_init("\n".join(commands), namespace)


def run_as_init(script: str, namespace: NetworkNamespace) -> str:
    """What a script says as process 1 of a machine that has booted in the given namespace, with mounts of its own."""
    shell = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc", "sh", "-ec", script]
    inside = ["ip", "netns", "exec", namespace.name, *shell]
    return subprocess.run(inside, capture_output=True, text=True, check=True, timeout=60).stdout


def test_files_are_not_about_a_namespace_that_was_made_later(namespace: NetworkNamespace) -> None:
    program = shlex.join([sys.executable, "-m", "tcptui", "explain", "parameters"])
    with NetworkNamespace("later") as later:
        told = run_as_init(f"ip netns exec {later.name} {program}", namespace)
    assert "What files set is not about this namespace" in told


def test_what_is_on_disk_and_does_not_run_is_told(folder: Path, namespace: NetworkNamespace) -> None:
    told = json.loads(explained("FIN_WAIT2", folder, namespace, "--format", "json"))
    governs = next(section for section in told["sections"] if section["key"] == "governs")
    line = next(each for each in governs["parameters"] if each["name"] == FIN_TIMEOUT)
    assert line["live"] == "60"
    assert line["on_disk"] == {
        "name": FIN_TIMEOUT,
        "value": "45",
        "path": "/etc/sysctl.d/20-new.conf",
        "line": 2,
        "differs": True,
    }


def test_a_line_that_loses_is_told_with_the_parameter(folder: Path, namespace: NetworkNamespace) -> None:
    told = " ".join(explained(FIN_TIMEOUT, folder, namespace).split())
    assert "on disk it is 45 (/etc/sysctl.d/20-new.conf:2): not what runs" in told
    assert "also 30 in /etc/sysctl.d/10-old.conf:1" in told


def test_what_is_set_in_vain_is_told_together(folder: Path, namespace: NetworkNamespace) -> None:
    told = " ".join(explained("parameters", folder, namespace).split())
    vain = told[told.index("Set on disk in vain") :]
    assert "net.ipv4.tcp_tw_recycle: set to 1 in /etc/sysctl.d/10-old.conf:2: does nothing on this kernel" in vain
    assert "net.ipv4.ip_conntrack_max: set to 65536 in /etc/sysctl.d/30-old-name.conf:1: does nothing" in vain
    assert "net.ipv4.tcp_fin_timout: 9 in /etc/sysctl.d/20-new.conf:4: this kernel has no such parameter" in vain


def test_once_the_value_runs_nothing_is_marked(folder: Path, namespace: NetworkNamespace) -> None:
    with namespace.entered():
        Path("/proc/sys/net/ipv4/tcp_fin_timeout").write_text("45")
        Path("/proc/sys/net/ipv4/tcp_orphan_retries").write_text("2")
    told = " ".join(explained("parameters", folder, namespace).split())
    assert "Every parameter that a file sets has that value." in told
    assert "on disk too: /etc/sysctl.d/20-new.conf:2" in " ".join(explained(FIN_TIMEOUT, folder, namespace).split())


def test_what_a_namespace_cannot_change_is_read_only(namespace: NetworkNamespace) -> None:
    source = LiveSource(netns=namespace.name, parameters=parameter_names())
    try:
        sample = source.sample(Request(scope=NOTHING))
    finally:
        source.close()
    read_only = sample.read_only_parameters[0]
    assert {"net.core.rmem_max", "net.core.wmem_max", "net.ipv4.tcp_ehash_entries"} <= read_only
    assert FIN_TIMEOUT not in read_only
    assert sample.disk is None, "files of this machine are not about another namespace"


def test_where_proc_sys_is_mounted_read_only_everything_is(namespace: NetworkNamespace) -> None:
    program = (
        "from tcptui.sources.live import LiveSource\n"
        f"source = LiveSource(parameters=[{FIN_TIMEOUT!r}])\n"
        "print(*source.sample().read_only_parameters[0])"
    )
    commands = ["mount --bind /proc/sys /proc/sys", "mount -o remount,ro,bind /proc/sys"]
    script = "\n".join([*commands, shlex.join([sys.executable, "-c", program])])
    assert run_as_init(script, namespace).split() == [FIN_TIMEOUT]


def test_the_machines_own_files_are_read_and_read_again_in_a_while() -> None:
    now_s = 1000.0
    reader = DiskReader(parameter_names(), lambda: now_s)
    first = reader.read()
    assert reader.read() is first
    now_s += READ_EVERY_S / 2
    assert reader.read() is first
    now_s += READ_EVERY_S / 2
    assert reader.read() is not first
    assert reader.read() == first


def test_a_sample_of_the_own_namespace_has_what_is_on_disk() -> None:
    source = LiveSource(parameters=[FIN_TIMEOUT])
    try:
        sample = source.sample(Request(scope=NOTHING))
        assert sample.disk is not None
        assert source.sample(Request(scope=NOTHING)).disk is sample.disk
    finally:
        source.close()
