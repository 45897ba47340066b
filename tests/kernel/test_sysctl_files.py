"""What is set on disk: folders, order, spelling, and both readers of the real tools over the same files."""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcptui.kernel.sysctl_files import (
    BOOTED_BY_SYSTEMD,
    BYTES_AT_MOST,
    FILE_BYTES_AT_MOST,
    FILES_AT_MOST,
    FOLDERS,
    LAST_FILE,
    Assignment,
    DiskSetting,
    DiskSettings,
    Reader,
    assignments_of,
    dotted_name,
    read_disk_settings,
)
from tcptui.model.disk import is_same_value
from tests.support.netns import NetworkNamespace
from tests.support.privileges import refuse
from tests.support.program import NOBODY

FIN = "net.ipv4.tcp_fin_timeout"
ETC, RUN, LOCAL, VENDOR = FOLDERS[:4]

readers = pytest.mark.parametrize("reader", Reader)


def written(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """``root`` with these files below it; a text that begins with ``->`` is the target of a link."""
    for path, content in files.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str) and content.startswith("->"):
            place.symlink_to(content[2:])
        else:
            place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def read(root: Path, files: Mapping[str, str | bytes], reader: Reader = Reader.SYSTEMD) -> DiskSettings:
    return read_disk_settings(str(written(root, files)), reader)


def said(line: bytes, reader: Reader = Reader.SYSTEMD) -> list[Assignment]:
    return list(assignments_of(line, reader))


@readers
def test_a_setting_says_its_file_and_line_and_what_it_overrides(tmp_path: Path, reader: Reader) -> None:
    found = read(
        tmp_path,
        {
            f"{ETC}/20-ours.conf": f"# ours\n\n{FIN} = 30\n-{FIN} = 20\n",
            f"{VENDOR}/10-vendor.conf": f"{FIN}=60\nnet.ipv4.tcp_rmem =  4096\t131072  6291456 \n",
        },
        reader,
    )
    assert found.settings == {
        FIN: DiskSetting(FIN, "20", f"{ETC}/20-ours.conf", 4, is_optional=True),
        "net.ipv4.tcp_rmem": DiskSetting(
            "net.ipv4.tcp_rmem", "4096 131072 6291456", f"{VENDOR}/10-vendor.conf", 2, is_optional=False
        ),
    }
    assert [(each.value, each.path, each.line) for each in found.overridden[FIN]] == [
        ("60", f"{VENDOR}/10-vendor.conf", 1),
        ("30", f"{ETC}/20-ours.conf", 3),
    ]
    assert list(found.overridden) == [FIN]
    assert (found.patterns, found.excluded, found.unreadable) == ((), frozenset(), ())


def test_a_machine_without_such_files_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "run").touch()
    found = read_disk_settings(str(tmp_path))
    assert found == DiskSettings(Reader.PROCPS, {}, (), frozenset(), {}, ())
    assert found.find(FIN) is None


def test_the_reader_is_the_one_that_boot_runs(tmp_path: Path) -> None:
    conf = {LAST_FILE: f"{FIN}=15\n"}
    bare, booted = written(tmp_path / "a", conf), written(tmp_path / "b", {**conf, f"{BOOTED_BY_SYSTEMD}/x": ""})
    assert read_disk_settings(str(bare)).find(FIN) == DiskSetting(FIN, "15", LAST_FILE, 1, is_optional=False)
    assert read_disk_settings(str(booted)).reader is Reader.SYSTEMD
    assert read_disk_settings(str(booted)).find(FIN) is None


def test_the_files_of_this_machine_are_read() -> None:
    found = read_disk_settings()
    for each in (*found.settings.values(), *found.patterns):
        assert Path(each.path).is_file()
        assert each.line > 0


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("net.ipv4.tcp_rmem", "net.ipv4.tcp_rmem"),
        ("net/ipv4/tcp_rmem", "net.ipv4.tcp_rmem"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.conf.eth0/100.rp_filter"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net.ipv4.conf.eth0/100.rp_filter"),
        ("net.ipv4.conf.eth0.100.rp_filter", "net.ipv4.conf.eth0.100.rp_filter"),
        ("/net/ipv4//tcp_rmem/", "net.ipv4.tcp_rmem"),
        (".net..ipv4.tcp_rmem.", "net.ipv4.tcp_rmem"),
        ("net/./ipv4/tcp_rmem", "net.ipv4.tcp_rmem"),
        ("net/../net/ipv4/tcp_rmem", None),
        ("printk", "printk"),
        ("", None),
        ("./.", None),
        ("n" * 256, None),
        ("a." * 600, None),
    ],
)
def test_a_name_has_one_spelling(spelled: str, name: str | None) -> None:
    assert dotted_name(spelled) == name
    if name is not None:
        assert "/" in name.partition(".")[0] or dotted_name(name) == name


@readers
@pytest.mark.parametrize(
    "line", [b"", b"  \t", b"# a = 1", b" ; a = 1", b"a.b 1", b"a.b", b"= 1", b"-", b"- = 1", b"=", b"\xff"]
)
def test_a_line_that_assigns_nothing(line: bytes, reader: Reader) -> None:
    assert said(line, reader) == []


@readers
@pytest.mark.parametrize(
    ("line", "assignment"),
    [
        pytest.param(b"  a.b  =  1 \t 2 \t", Assignment("a.b", "1 2", False), id="blanks"),
        pytest.param(b"a.b=1\r", Assignment("a.b", "1", False), id="CRLF"),
        pytest.param(b"a.b =", Assignment("a.b", "", False), id="empty value"),
        pytest.param(b"a.b = 3 # why", Assignment("a.b", "3 # why", False), id="no comment behind a value"),
        pytest.param(b"a.b = 1=2", Assignment("a.b", "1=2", False), id="second equals sign"),
        pytest.param(b'a.b = "1"', Assignment("a.b", '"1"', False), id="quotes stay"),
        pytest.param(b" -a.b=1", Assignment("a.b", "1", True), id="optional"),
        pytest.param(b"-a.b ", Assignment("a.b", None, True), id="left out"),
        pytest.param(b"a.b c = 1", Assignment("a.b c", "1", False), id="blank in a name"),
        pytest.param(b"a.b = \xff\x1b[31m", Assignment("a.b", r"\xff\x1b[31m", False), id="not printable"),
        pytest.param("a.b = é".encode(), Assignment("a.b", "é", False), id="UTF-8"),
        pytest.param(b"\xef\xbb\xbfa.b = 1", Assignment(r"\ufeffa.b", "1", False), id="byte order mark"),
    ],
)
def test_a_line_that_assigns(line: bytes, assignment: Assignment, reader: Reader) -> None:
    assert said(line, reader) == [assignment]


@pytest.mark.parametrize(
    ("line", "by_systemd", "by_procps"),
    [
        (b"a.b=1\rc.d=2", [Assignment("a.b", "1", False), Assignment("c.d", "2", False)], "a.b = 1 c.d=2"),
        (b"a.b=1\0c.d=2", [Assignment("a.b", "1", False), Assignment("c.d", "2", False)], "a.b = 1"),
        (b"# a\rc.d=2", [Assignment("c.d", "2", False)], None),
        (b"- a.b=1", [Assignment("a.b", "1", True)], None),
        (b"--a.b=1", [Assignment("-a.b", "1", True)], "a.b = 1"),
        (b"a.b\v=1\f", [Assignment(r"a.b\x0b", "1", False)], "a.b = 1"),
    ],
)
def test_lines_that_the_readers_take_differently(
    line: bytes, by_systemd: list[Assignment], by_procps: str | None
) -> None:
    assert said(line) == by_systemd
    assert [f"{each.name} = {each.value}" for each in said(line, Reader.PROCPS)] == ([by_procps] if by_procps else [])


def test_wildcards_stay_between_dots() -> None:
    def matches(pattern: str, name: str) -> bool:
        return DiskSetting(pattern, "1", "/x", 1, is_optional=False).matches(name)

    assert matches("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.eth0/100.rp_filter")
    assert matches("net.ipv4.conf.eth*/100.rp_filter", "net.ipv4.conf.eth0/100.rp_filter")
    assert matches("net.*.tcp_[!a]", "net.ipv4.tcp_b")
    assert not matches("net.*.tcp_[^a]", "net.ipv4.tcp_a")
    assert not matches("net.*", "net.ipv4.tcp_a")
    assert not matches("net.*.tcp_a.*", "net.ipv4.tcp_a")
    assert not matches("net.ipv4.TCP_?", "net.ipv4.tcp_a")


@readers
def test_a_directory_hides_and_is_reported(tmp_path: Path, reader: Reader) -> None:
    (tmp_path / ETC[1:] / "10.conf").mkdir(parents=True)
    found = read(tmp_path, {f"{VENDOR}/10.conf": f"{FIN}=1\n"}, reader)
    assert found.settings == {}
    assert found.unreadable == ((f"{ETC}/10.conf", "not a regular file"),)


@pytest.mark.timeout(10)
@readers
def test_what_never_ends_or_never_begins_is_not_opened(tmp_path: Path, reader: Reader) -> None:
    files = {f"{ETC}/20.conf": "->/dev/zero", f"{ETC}/30.conf": "->/dev/null", f"{ETC}/40.conf": f"{FIN}=1\n"}
    written(tmp_path, files)
    os.mkfifo(tmp_path / ETC[1:] / "10.conf")
    os.mkfifo(tmp_path / LAST_FILE[1:])
    found = read_disk_settings(str(tmp_path), reader)
    assert list(found.settings) == [FIN]
    expected = [f"{ETC}/10.conf", f"{ETC}/20.conf", *([LAST_FILE] if reader is Reader.PROCPS else [])]
    assert found.unreadable == tuple((path, "not a regular file") for path in expected)


def test_a_link_to_nothing_says_so(tmp_path: Path) -> None:
    found = read(tmp_path, {f"{ETC}/10\x1b.conf": "->nowhere"})
    assert found.unreadable == ((f"{ETC}/10\\x1b.conf", "No such file or directory"),)


def test_what_may_not_be_read_says_so() -> None:
    """A file without its read permission, and a folder without it, read by somebody who is not root."""
    with tempfile.TemporaryDirectory() as folder:
        root = written(Path(folder), {f"{ETC}/10.conf": f"{FIN}=1\n", f"{ETC}/20.conf": f"{FIN}=2\n", f"{RUN}/x": ""})
        for path, mode in ((root, 0o755), (root / ETC[1:] / "20.conf", 0), (root / RUN[1:], 0o311)):
            path.chmod(mode)
        found = as_nobody(lambda: read_disk_settings(folder))
        (root / RUN[1:]).chmod(0o755)
    assert found.settings[FIN].value == "1"
    refused = "Permission denied"
    assert found.unreadable == ((RUN, refused), (f"{ETC}/20.conf", refused))


def as_nobody(work: Callable[[], DiskSettings]) -> DiskSettings:
    """What ``work`` comes to without root's power to read everything."""
    if os.geteuid() != 0:
        return work()
    os.seteuid(NOBODY)
    try:
        return work()
    finally:
        os.seteuid(0)


def test_a_huge_file_is_read_to_the_limit_and_its_last_whole_line(tmp_path: Path) -> None:
    line = f"{FIN} = 11\n"
    found = read(tmp_path, {f"{ETC}/10.conf": line * (FILE_BYTES_AT_MOST // len(line) + 1), f"{ETC}/20.conf": line})
    assert found.find(FIN) == DiskSetting(FIN, "11", f"{ETC}/20.conf", 1, is_optional=False)
    assert len(found.overridden[FIN]) == FILE_BYTES_AT_MOST // len(line)
    ((path, reason),) = found.unreadable
    assert path == f"{ETC}/10.conf"
    assert reason.startswith("too long")


def test_all_files_together_are_bounded(tmp_path: Path) -> None:
    big = b"#" * (FILE_BYTES_AT_MOST - 1) + b"\n"
    count = BYTES_AT_MOST // FILE_BYTES_AT_MOST
    files: dict[str, str | bytes] = {f"{ETC}/{number:03}.conf": big for number in range(count)}
    found = read(tmp_path, {**files, f"{ETC}/900.conf": f"{FIN}=1\n"})
    assert (found.settings, [path for path, _ in found.unreadable]) == ({}, [f"{ETC}/900.conf"])


def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    found = read(tmp_path, {f"{ETC}/{number:03}.conf": f"{FIN}={number}\n" for number in range(FILES_AT_MOST + 2)})
    assert found.settings[FIN].value == str(FILES_AT_MOST - 1)
    ((path, reason),) = found.unreadable
    assert path == f"{ETC}/{FILES_AT_MOST}.conf"
    assert "the rest are not read" in reason


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    read(tmp_path, {f"{ETC}/10.conf": "a.b=1\n", f"{ETC}/20.conf": "->/dev/null", f"{ETC}/30.conf": "->/dev"})
    assert sorted(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("wanted", "running"),
    [
        ("60", "60\n"),
        ("0x1e", "30"),
        ("036", "30"),
        ("4096 131072 6291456", "4096\t131072\t6291456\n"),
        ("8192", "8192\t131072\t6291456"),
        ("30 40", "30"),
        ("-1", "-1"),
        ("5,1-3,9,10", "1-3,5,9-10"),
        ("8080", "8080"),
        ("cubic reno", "reno cubic"),
        ("", "\n"),
    ],
)
def test_values_that_the_kernel_reads_back_otherwise(wanted: str, running: str) -> None:
    assert is_same_value(wanted, running)


@pytest.mark.parametrize(
    ("wanted", "running"),
    [
        ("60", "30"),
        ("010", "10"),
        ("08", "8"),
        ("", "60"),
        ("60", ""),
        ("60s", "60"),
        ("4096 1", "4096\t131072\t6291456"),
        ("5", "5-6"),
        ("1-3", "1-4"),
        ("reno", "cubic"),
        ("reno", "reno cubic"),
        ("9" * 5000, "9"),
    ],
)
def test_values_that_differ(wanted: str, running: str) -> None:
    assert not is_same_value(wanted, running)


pieces = st.sampled_from(
    [b"net", b".", b"/", b"=", b" ", b"-", b"#", b";", b"*", b"[", b"\r", b"\0", b"\t", b"\xff", b"1"]
)
lines = st.one_of(st.lists(pieces, max_size=20).map(b"".join), st.binary(max_size=80))


@given(lines, st.sampled_from(Reader))
@example(b"[" * 1000 + b"=1", Reader.PROCPS)
def test_any_line_gives_assignments_or_nothing(line: bytes, reader: Reader) -> None:
    for name, value, is_optional in assignments_of(line, reader):
        assert "/" in name.partition(".")[0] or dotted_name(name) == name
        assert name.isprintable()
        assert value is None or (value.isprintable() and value == " ".join(value.split(" ")))
        assert value is not None or is_optional
        assert DiskSetting(name, value or "", "", 1, is_optional).matches(FIN) in (True, False)


@given(
    st.lists(st.tuples(st.sampled_from("abcd*"), st.sampled_from(["=1", "=2", ""])), max_size=12),
    st.sampled_from(Reader),
)
def test_a_parameter_is_set_by_its_own_last_line_or_by_a_pattern(
    said_of: list[tuple[str, str]], reader: Reader
) -> None:
    """Every line is accounted for: it wins, is overridden, or leaves out."""
    text = "".join(f"{'' if value else '-'}{name}{value}\n" for name, value in said_of)
    with tempfile.TemporaryDirectory() as folder:
        found = read(Path(folder), {f"{ETC}/10.conf": text}, reader)
    told = [each.line for each in (*found.settings.values(), *found.patterns, *sum(found.overridden.values(), ()))]
    assert sorted(told) == [number for number, (_, value) in enumerate(said_of, 1) if value]
    for name in "abcd":
        own = [value for each, value in said_of if each == name and (value or reader is Reader.SYSTEMD)]
        setting = found.find(name)
        if own:
            assert (f"={setting.value}" if setting else "") == own[-1]
            assert setting is None or setting.name == name


# The real tools. Each runs in a network namespace of the test and in a mount namespace of its own, where /etc, /run,
# the two folders below /usr and /proc/sys are folders of the test: it sees nothing of this machine's files and cannot
# write one of its parameters. The shell ends (-e) before the tool is started if one of them cannot be put in place.

SANDBOX = """
test ! -d "$1/proc/net" || mount --rbind /proc/sys/net "$1/proc/net"
mount --rbind "$1/proc" /proc/sys
mount --bind "$1/etc" /etc
mount --bind "$1/run" /run
mount --bind "$1/usr/local/lib" /usr/local/lib
mount --bind "$1/usr/lib/sysctl.d" /usr/lib/sysctl.d
shift
"$@" >/dev/null 2>&1 || :
"""
UNTOUCHED = "untouched"
PARAMETERS = ("a", "b", "c", "conf.all.rp", "conf.lo.rp", "conf.eth0.rp", "conf.eth0/100.rp")


def tool(reader: Reader) -> tuple[str, ...]:
    command = {
        Reader.SYSTEMD: ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl"),
        Reader.PROCPS: ("/usr/sbin/sysctl", "/sbin/sysctl"),
    }[reader]
    found = next((path for path in command if os.access(path, os.X_OK)), None)
    if found is None or not Path(VENDOR).is_dir():
        refuse(f"{command[0]} or {VENDOR} is not there", os.environ)
    return (found,) if reader is Reader.SYSTEMD else (found, "--system")


def apply(root: Path, reader: Reader, namespace: NetworkNamespace) -> None:
    """Have the real tool set what the files below ``root`` say, in ``root/proc`` or below its own /proc/sys/net."""
    for folder in ("etc", "run", "usr/local/lib", "usr/lib/sysctl.d", "proc"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "lib").symlink_to("usr/lib")
    namespace.run("unshare", "--mount", "sh", "-ec", SANDBOX, "sh", str(root), *tool(reader))


def pretended(name: str) -> Path:
    """Where the made-up parameter ``name`` is below /proc/sys."""
    return Path(*(part.replace("/", ".") for part in name.split(".")))


CASES: dict[str, dict[str, str | bytes]] = {
    "folders": {
        f"{ETC}/20.conf": "a=etc20\n",
        f"{RUN}/10.conf": "a=run10\nb=run10\n",
        f"{LOCAL}/15.conf": "b=local15\nc=local15\n",
        f"{VENDOR}/30.conf": "c=vendor30\n",
    },
    "hidden by name": {
        f"{ETC}/20.conf": "a=etc\n",
        f"{RUN}/20.conf": "b=run\n",
        f"{RUN}/30.conf": "c=run\n",
        f"{LOCAL}/30.conf": "c=local\n",
        f"{LOCAL}/40.conf": "conf.all.rp=local\n",
        f"{VENDOR}/40.conf": "conf.lo.rp=vendor\n",
    },
    "masked": {
        f"{ETC}/10.conf": "->/dev/null",
        f"{VENDOR}/10.conf": "a=1\n",
        f"{ETC}/20.conf": "",
        f"{VENDOR}/20.conf": "b=1\n",
        f"{ETC}/30.conf": "->nowhere",
        f"{VENDOR}/30.conf": "c=1\n",
        f"{RUN}/40.conf": "conf.lo.rp=1\n",
    },
    "order of names": {
        f"{ETC}/{name}.conf": f"a={name}\n" for name in ("a", "B", "_", "-", "9", "10", "2", "a-b", "ab")
    },
    "other files": {
        f"{ETC}/.10.conf": "a=1\n",
        f"{ETC}/10.conf~": "b=1\n",
        f"{ETC}/10.CONF": "b=2\n",
        f"{ETC}/10.conf.bak": "b=3\n",
        f"{ETC}/10.dpkg-old.conf": "c=1\n",
        f"{ETC}/README": "b=4\n",
    },
    "sysctl.conf": {LAST_FILE: "a=last\n", f"{ETC}/99-zz.conf": "a=zz\nb=zz\n"},
    "sysctl.conf by a link": {
        LAST_FILE: "a=last\nb=last\n",
        f"{ETC}/99-sysctl.conf": "->../sysctl.conf",
        f"{ETC}/99-zz.conf": "a=zz\n",
    },
    "spelling": {
        f"{ETC}/10.conf": "/a = 1\n.b = 2\nconf/eth0.100/rp=3\nconf..lo.rp=6\nconf.all/rp=7\n",
        f"{ETC}/20.conf": "conf.eth0/100.rp=4\nconf.eth0.100.rp=5\n",
    },
    "blanks and comments": {
        f"{ETC}/10.conf": "  a \t=  1 \t 2\t\n#b=1\n ; b=2\n b=3 # 4\nc = 1=2\n",
        f"{ETC}/20.conf": "conf.all.rp = \n \nconf.lo.rp\nconf.eth0.rp x\n",
    },
    "pattern": {f"{ETC}/10.conf": "conf.*.rp=1\n-conf.all.rp\nconf.lo.rp=2\n[ab]=5\n?=6\n[!a-b]=7\n"},
    "pattern after the name": {f"{ETC}/10.conf": "conf.lo.rp=2\na=1\n", f"{ETC}/20.conf": "conf.*.rp=1\n?=2\n"},
    "two patterns": {f"{ETC}/10.conf": "conf.*.rp=1\nconf.eth*.rp=2\n?=1\n", f"{ETC}/20.conf": "?=2\n[a]=3\n"},
    "pattern again": {f"{ETC}/10.conf": "conf.*.rp=1\nconf.eth*.rp=2\nconf.*.rp=1\n?=1\n[a]=2\n?=3\n"},
    "left out": {f"{ETC}/10.conf": "a=1\n-a\n?=2\n-b\nb=3\n-c\nconf.*.rp=1\n-conf.*.rp\n-conf.lo.rp\n"},
    "left out, odd": {f"{ETC}/10.conf": "?=1\n - a\n--b\n-c d\n"},
    "optional": {f"{ETC}/10.conf": "-a=1\n - b=2\n--c=3\n-nothing=1\n-conf.*.rp=4\n"},
    "line ends": {f"{ETC}/10.conf": b"a=1\r\nb=2\r\r\n\rc=3\n#\rconf.all.rp=4\nconf.lo.rp=5 \0 6\nconf.eth0.rp=7"},
    "bytes": {
        f"{ETC}/10.conf": b"\xff\xfe\nc\xff=1\na=\xc3\xa9\n\xef\xbb\xbfb=1\n"
        + bytes(range(14, 32)) * 999
        + b"\n\vc\f=1\n"
    },
}


@pytest.mark.live
@readers
@pytest.mark.parametrize("files", CASES.values(), ids=list(CASES))
def test_the_real_tools_set_the_same(
    tmp_path: Path, namespace: NetworkNamespace, files: Mapping[str, str | bytes], reader: Reader
) -> None:
    written(tmp_path, {f"/proc/{pretended(name)}": UNTOUCHED for name in PARAMETERS})
    written(tmp_path, files)
    apply(tmp_path, reader, namespace)
    ours = read_disk_settings(str(tmp_path), reader)
    expected = {name: UNTOUCHED if (found := ours.find(name)) is None else found.value for name in PARAMETERS}
    # systemd-sysctl writes over what is there without cutting the rest, as is right for /proc
    texts = {name: (tmp_path / "proc" / pretended(name)).read_bytes() for name in PARAMETERS}
    assert {name: " ".join(text.decode().split("\n")[0].split()) for name, text in texts.items()} == expected
    assert any(found != UNTOUCHED for found in expected.values())


REAL = {
    f"{ETC}/10-a.conf": f"{FIN} = 0x1e\nnet.ipv4.tcp_rmem = 8192 65536   1048576\nnet.ipv4.tcp_syn_retries=010\n",
    f"{ETC}/20-b.conf": "net.ipv4.conf.*.log_martians = 1\n-net.ipv4.conf.all.log_martians\nnet.ipv4.tcp_no_such=1\n"
    "net/ipv4/conf/tt0.100/log_martians = 0\nnet.ipv4.conf.tt*.arp_notify=1\nnet.ipv4.conf.tt0/100.arp_ignore=2\n",
    f"{ETC}/99-sysctl.conf": "->../sysctl.conf",
    f"{RUN}/30-c.conf": f"{FIN} = 25\nnet.ipv4.ip_local_reserved_ports = 9100,8080-8082,8083\n",
    f"{RUN}/31.conf": "net.ipv4.tcp_wmem = 8192\n",
    f"{VENDOR}/10-a.conf": "net.ipv4.tcp_sack = 0\n",
    f"{VENDOR}/50-d.conf": f"{FIN} = 20\nnet.core.somaxconn = 100\nnet.ipv4.tcp_keepalive_*=55\n",
    LAST_FILE: "net.core.somaxconn = 200\nnet.ipv4.tcp_keepalive_probes = 5\n",
}
"""Parameters of a namespace only, and none whose change changes another."""


def parameters(namespace: NetworkNamespace) -> dict[str, str]:
    """Every parameter below net.ipv4 and net.core that the namespace shows, by its dotted name."""
    values = {}
    with namespace.entered():
        for path in (*Path("/proc/sys/net/ipv4").rglob("*"), *Path("/proc/sys/net/core").rglob("*")):
            if path.is_file() and path.stat().st_mode & 0o200 and path.stat().st_mode & 0o400:
                parts = path.relative_to("/proc/sys").parts
                values[".".join(part.replace(".", "/") for part in parts)] = path.read_text()
    return values


@pytest.mark.live
@readers
def test_the_kernel_has_what_is_read_from_disk(tmp_path: Path, namespace: NetworkNamespace, reader: Reader) -> None:
    """Every parameter of a namespace with an interface that has a dot in its name, before and after the real tool."""
    namespace.ip("link", "add", "tt0.100", "type", "veth", "peer", "name", "tt1")
    (tmp_path / "proc" / "net").mkdir(parents=True)
    written(tmp_path, REAL)
    before = parameters(namespace)
    assert "net.ipv4.conf.tt0/100.rp_filter" in before
    apply(tmp_path, reader, namespace)
    after = parameters(namespace)
    ours = read_disk_settings(str(tmp_path), reader)
    assert after.keys() == before.keys()
    expected = {name: found.value if (found := ours.find(name)) else text for name, text in before.items()}
    assert {name: text for name, text in after.items() if not is_same_value(expected[name], text)} == {}
    changed = {name for name, text in after.items() if text != before[name]}
    assert {FIN, "net.ipv4.tcp_rmem", "net.ipv4.conf.tt1.log_martians", "net.ipv4.conf.tt0/100.arp_ignore"} <= changed
    assert {"net.ipv4.conf.all.log_martians", "net.ipv4.conf.tt0/100.log_martians", "net.ipv4.tcp_sack"}.isdisjoint(
        changed
    )
    assert ours.settings["net.ipv4.tcp_no_such"].path == f"{ETC}/20-b.conf"
