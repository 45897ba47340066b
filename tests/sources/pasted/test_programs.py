"""What each program prints, with any of its options, is read as what it means."""

import pytest

from tcptui.errors import RequestError
from tcptui.model.owners import Standing
from tcptui.model.states import TcpState
from tcptui.sources.pasted.details import milliseconds
from tcptui.sources.pasted.source import Depth
from tests.sources.pasted.texts import End, attribution_of, codes, column, counts, ends, holders, lines, read

# -- ss ----------------------------------------------------------------------------------------------------------------

TWO_ENDS = End("ESTABLISHED", "10.0.0.1:22", "10.0.0.2:5555")

SHAPES = {
    "ss -tan": "ESTAB 0      36         10.0.0.1:22      10.0.0.2:5555",
    "ss -an": "tcp   ESTAB 0      36         10.0.0.1:22      10.0.0.2:5555",
    "ss -tanQ": "ESTAB         10.0.0.1:22      10.0.0.2:5555",
    "ss -tn state established": "$ ss -tn state established\n0      36         10.0.0.1:22      10.0.0.2:5555",
    "ss -n state established": "# sudo ss -n state established\ntcp   0      36         10.0.0.1:22      10.0.0.2:5555",
    "grep of ss without its header": "$ ss -tan | grep ESTAB\nESTAB 0 36 10.0.0.1:22 10.0.0.2:5555",
    "net-tools": "tcp        0     36 10.0.0.1:22             10.0.0.2:5555           ESTABLISHED",
    "net-tools in German": "tcp        0     36 10.0.0.1:22             10.0.0.2:5555           VERBUNDEN",
    "net-tools in Portuguese": "tcp        0     36 10.0.0.1:22             10.0.0.2:5555           ESTABELECIDA",
    "BSD": "tcp4       0      0  10.0.0.1.22            10.0.0.2.5555          ESTABLISHED",
    "Windows": "  TCP    10.0.0.1:22            10.0.0.2:5555          ESTABLISHED",
    "Windows in German": "  TCP    10.0.0.1:22            10.0.0.2:5555          HERGESTELLT     4884",
    "/proc/net/tcp": "   1: 0100000A:0016 0200000A:15B3 01 00000024:00000000 00:00000000 00000000 0 0 77 1 0 20 4 30",
    "answered in a mail": "> ESTAB 0      36         10.0.0.1:22      10.0.0.2:5555",
    "in colour": "\x1b[01;31m\x1b[KESTAB\x1b[m\x1b[K 0 36 10.0.0.1:22 10.0.0.2:5555",
}


@pytest.mark.parametrize("name", SHAPES)
def test_one_socket_in_the_words_of_each_program(name: str) -> None:
    pasted = read(SHAPES[name] + "\n")
    assert ends(pasted) == [TWO_ENDS]
    assert sum(lines(pasted).values()) == len(SHAPES[name].splitlines())
    assert "UNREAD" not in lines(pasted)


ENDPOINTS = {
    "LISTEN 0 128 0.0.0.0:22 0.0.0.0:*": End("LISTEN", "0.0.0.0:22", "0.0.0.0:0"),
    "LISTEN 0 128 [::]:22 [::]:*": End("LISTEN", "[::]:22", "[::]:0"),
    "LISTEN 0 128 *:443 *:*": End("LISTEN", "[::]:443", "[::]:0"),
    "LISTEN 0 128 127.0.0.53%lo:53 0.0.0.0:*": End("LISTEN", "127.0.0.53:53", "0.0.0.0:0"),
    "ESTAB 0 0 [fe80::1]%eth0:22 [fe80::2]:4": End("ESTABLISHED", "[fe80::1]:22", "[fe80::2]:4"),
    "ESTAB 0 0 [fe80::1%eth0]:22 [fe80::2]:4": End("ESTABLISHED", "[fe80::1]:22", "[fe80::2]:4"),
    "ESTAB 0 0 [::ffff:10.0.0.1]:80 [::ffff:10.0.0.2]:9": End("ESTABLISHED", "10.0.0.1:80", "10.0.0.2:9"),
    "tcp6 0 0 :::443 :::* LISTEN": End("LISTEN", "[::]:443", "[::]:0"),
    "tcp 0 0 :::80 :::* LISTEN": End("LISTEN", "[::]:80", "[::]:0"),
    "tcp6 0 0 10.0.0.1:80 10.0.0.2:9 TIME_WAIT": End("TIME_WAIT", "10.0.0.1:80", "10.0.0.2:9"),
    "tcp46 0 0 *.443 *.* LISTEN": End("LISTEN", "[::]:443", "[::]:0"),
    "tcp4 0 0 *.22 *.* LISTEN": End("LISTEN", "0.0.0.0:22", "0.0.0.0:0"),
    "tcp6 0 0 fe80::1%lo0.49152 fe80::1%lo0.1024 CLOSED": End("CLOSE", "[fe80::1]:49152", "[fe80::1]:1024"),
    "  TCP    [::]:135   [::]:0   LISTENING   1016": End("LISTEN", "[::]:135", "[::]:0"),
    "tcp 0 0 web-1.lan:https peer7:52000 ESTABLISHED": End("ESTABLISHED", "web-1.lan:443", "peer7:52000"),
    "tcp6 0 0 2001:db8:1234:567:443 2001:db8::9:52000 ESTABLISHED": End(
        "ESTABLISHED", "2001:db8:1234:567:443", "[2001:db8::9]:52000"
    ),
}


@pytest.mark.parametrize("line", ENDPOINTS)
def test_addresses_in_every_notation(line: str) -> None:
    assert ends(read(f"{line}\n")) == [ENDPOINTS[line]]


def test_a_star_is_any_ipv4_address_where_ss_is_older_than_its_brackets() -> None:
    """Before iproute2 4.15, ``:::22`` is any IPv6 address and ``*:22`` any IPv4 one."""
    pasted = read("LISTEN 0 128 *:22 *:*\nLISTEN 0 128 :::22 :::*\nESTAB 0 0 ::ffff:10.0.0.1:22 ::ffff:10.0.0.2:5\n")
    assert ends(pasted) == [
        End("LISTEN", "0.0.0.0:22", "0.0.0.0:0"),
        End("LISTEN", "[::]:22", "[::]:0"),
        End("ESTABLISHED", "10.0.0.1:22", "10.0.0.2:5"),
    ]
    assert column(pasted, "family") == [4, 6, 6]


@pytest.mark.parametrize(
    ("printed", "expected_ms"),
    [
        ("7min", 420_000),
        ("119min", 7_140_000),
        ("1min29sec", 89_000),
        ("59sec", 59_000),
        ("4.780ms", 4_780),
        ("2sec", 2_000),
        ("040ms", 40),
        ("", 0),
    ],
)
def test_times_as_ss_prints_them(printed: str, expected_ms: int) -> None:
    assert milliseconds(printed) == expected_ms
    pasted = read(f"ESTAB 0 0 10.0.0.1:1 10.0.0.2:2 timer:(keepalive,{printed},3)\n")
    assert (column(pasted, "timer"), column(pasted, "timer_ms"), column(pasted, "retransmits")) == (
        [2],
        [expected_ms],
        [3],
    )


EVERYTHING_OF_SS = """\
State     Recv-Q Send-Q Local Address:Port   Peer Address:Port Process
LISTEN    0      4096   0.0.0.0:8080       0.0.0.0:*         \
users:(("java",pid=812,fd=7),("java",pid=813,fd=7)) uid:33 ino:1234 sk:1a cgroup:/system.slice/shop.service <->
\t skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d0) cubic cwnd:10
ESTAB     1      9000   10.0.0.1:8080        10.0.0.2:40000    users:(("a",pid=1,fd=2) x",pid=814,fd=8)) \
timer:(on,200ms,2) ino:1235 sk:1b cgroup:unreachable:7f <->
\t ts sack cubic wscale:7,7 rto:204 rtt:0.523/0.25 ato:40 mss:1448 unacked:3 retrans:1/5 rcv_space:14480 minrtt:0.5
TIME-WAIT 0      0      10.0.0.1:8080        10.0.0.3:40001    timer:(timewait,43sec,0) ino:0 sk:1c
CLOSE-WAIT 1     0      10.0.0.1:8080        10.0.0.4:40002    ino:1236 sk:1d cgroup:/system.slice/shop.service -->
"""


@pytest.mark.parametrize("is_one_line", [False, True], ids=["-tanoepim", "-tanoepimO"])
def test_everything_that_ss_tells(*, is_one_line: bool) -> None:
    text = EVERYTHING_OF_SS.replace("\n\t", "") if is_one_line else EVERYTHING_OF_SS
    pasted = read(text)
    both = [(812, "java"), (813, "java")]
    assert holders(pasted) == [both, [(814, 'a",pid=1,fd=2) x')], both, []]
    assert column(pasted, "uid") == [33, 0, 0, 0]
    assert column(pasted, "inode") == [1234, 1235, 0, 1236]
    assert column(pasted, "cookie") == [0x1A, 0x1B, 0x1C, 0x1D]
    assert column(pasted, "timer_ms") == [0, 200, 43_000, 0]
    assert column(pasted, "retransmits") == [0, 2, 0, 0]
    assert column(pasted, "rtt_us") == [None, 523, None, None]
    assert column(pasted, "total_retransmits") == [None, 5, None, None]
    attribution = attribution_of(pasted)
    assert [attribution.cgroups[code] if code >= 0 else "" for code in attribution.cgroup_codes.tolist()] == [
        *("/system.slice/shop.service", "", "", "/system.slice/shop.service")
    ]
    assert [Standing(each) for each in attribution.standing.tolist()] == [
        *(Standing.HELD, Standing.HELD, Standing.LISTENER, Standing.UNTOLD)
    ]
    assert pasted.depth is Depth.FULL
    assert lines(pasted) == ({"ROW": 4, "HEADING": 1} if is_one_line else {"ROW": 4, "DETAIL": 2, "HEADING": 1})


def test_processes_as_older_versions_and_security_contexts_write_them() -> None:
    pasted = read(
        'ESTAB 0 0 10.0.0.1:1 10.0.0.2:2 users:(("sshd",1234,3),("sshd",1230,3))\n'
        'ESTAB 0 0 10.0.0.1:1 10.0.0.2:3 users:(("sshd",pid=9,proc_ctx=system_u:system_r:sshd_t:s0,fd=3))\n'
        'ESTAB 0 0 10.0.0.1:1 10.0.0.2:4 users:(("java",pid=812,tid=901,fd=5),("java",pid=812,tid=902,fd=5))\n'
    )
    assert holders(pasted) == [[(1230, "sshd"), (1234, "sshd")], [(9, "sshd")], [(812, "java")]]


def test_a_field_is_unknown_in_the_listing_that_does_not_tell_it() -> None:
    """A row without a timer has none running if others of its listing have one; else nobody asked for timers."""
    pasted = read(
        "State Recv-Q Send-Q Local Peer\n"
        "ESTAB 0 0 10.0.0.1:1 10.0.0.2:1 timer:(keepalive,7min,0) ino:5 sk:1\n"
        "ESTAB 0 0 10.0.0.1:1 10.0.0.2:2 ino:6 sk:2\n"
        "State Recv-Q Send-Q Local Peer\n"
        "ESTAB 0 0 10.0.0.1:1 10.0.0.2:3\n"
    )
    assert column(pasted, "timer") == [2, 0, None]
    assert column(pasted, "inode") == [5, 6, None]
    assert pasted.depth is Depth.ROWS


def test_ss_of_all_kinds_of_sockets_leaves_those_of_tcp() -> None:
    pasted = read(
        "Netid State  Recv-Q Send-Q  Local Address:Port     Peer Address:Port Process\n"
        'u_str LISTEN 0      4096    /run/systemd/private 123  * 0 users:(("systemd",pid=1,fd=17))\n'
        "\t skmem:(r0)\n"
        "udp   UNCONN 0      0       127.0.0.53%lo:53       0.0.0.0:*\n"
        "tcp   LISTEN 0      4096    127.0.0.53%lo:53       0.0.0.0:*\n"
        "v_str ESTAB  0      0       2:1                    3:4\n"
    )
    assert counts(pasted) == {"LISTEN": 1}
    assert lines(pasted) == {"HEADING": 1, "OTHER_PROTOCOL": 4, "ROW": 1}
    assert "text.other_protocols" in codes(pasted)


def test_ss_of_udp_alone_is_known_by_what_tcp_never_shows() -> None:
    pasted = read("UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\nESTAB 0 0 10.0.0.1%eth0:68 10.0.0.254:67\n")
    assert lines(pasted) == {"OTHER_PROTOCOL": 2}
    assert not len(pasted.sample.table)
    bound = read("UNCONN 0 0 127.0.0.1:53 0.0.0.0:*\nTIME-WAIT 0 0 10.0.0.1:68 10.0.0.254:67\n")  # ss -tanB
    assert counts(bound) == {"CLOSE": 1, "TIME_WAIT": 1}


# -- netstat -----------------------------------------------------------------------------------------------------------

NETSTAT = """\
Active Internet connections (servers and established)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       User       Inode      \
PID/Program name     Timer
tcp        0      0 127.0.0.1:3306          0.0.0.0:*               LISTEN      112        27483      \
1201/mysqld          off (0.00/0/0)
tcp        0      1 10.0.0.5:38822          172.18.0.3:3306         SYN_SENT    33         29999      \
812/nginx: worker p  on (2.32/1/0)
tcp6       0      0 10.0.0.5:443            10.1.2.3:5555           ESTABLISHED www-data   30000      -         \
           keepalive (7137.22/0/2)
tcp        0      0 10.0.0.5:443            10.1.2.3:5556           TIME_WAIT   0          0          -         \
           timewait (43.21/0/0)
udp        0      0 0.0.0.0:68              0.0.0.0:*                           0          123        \
1/dhclient           off (0.00/0/0)
Active UNIX domain sockets (servers and established)
Proto RefCnt Flags       Type       State         I-Node   PID/Program name     Path
unix  2      [ ACC ]     STREAM     LISTENING     12345    1/init               /run/x
"""


def test_netstat_with_all_its_options() -> None:
    pasted = read(NETSTAT)
    assert counts(pasted) == {"LISTEN": 1, "SYN_SENT": 1, "ESTABLISHED": 1, "TIME_WAIT": 1}
    assert column(pasted, "uid") == [112, 33, None, 0]
    assert column(pasted, "inode") == [27483, 29999, 30000, 0]
    assert column(pasted, "timer") == [0, 1, 2, 3]
    assert column(pasted, "timer_ms") == [0, 2320, 7_137_220, 43_210]
    assert column(pasted, "retransmits") == [0, 1, 2, 0]
    assert holders(pasted) == [[(1201, "mysqld")], [(812, "nginx")], [], []]
    assert lines(pasted) == {"HEADING": 4, "ROW": 4, "OTHER_PROTOCOL": 2}
    assert "backlog" in pasted.sample.absent_fields, "netstat has the accept queue and no backlog"


@pytest.mark.parametrize("options", [[0], [6, 7], [8], [9], [6, 7, 8], [8, 9]])
def test_netstat_with_some_of_its_options(options: list[int]) -> None:
    words = ["tcp", "0", "1", "10.0.0.5:38822", "172.18.0.3:3306", "SYN_SENT"]
    behind = {6: "33", 7: "29999", 8: "812/nginx", 9: "on (2.32/1/0)"}
    pasted = read(" ".join([*words, *(behind[index] for index in options if index in behind)]) + "\n")
    assert column(pasted, "inode") == [29999 if 6 in options else None] or 6 not in options
    assert holders(pasted) == [[(812, "nginx")] if 8 in options else []]
    assert column(pasted, "timer_ms") == [2320 if 9 in options else None] or 9 not in options


def test_windows_with_the_programs_that_hold_the_sockets() -> None:
    pasted = read(
        "\r\nAktive Verbindungen\r\n\r\n  Proto  Lokale Adresse   Remoteadresse   Status   PID\r\n"
        "  TCP    0.0.0.0:135            0.0.0.0:0              ABH\u2122REN         1016\r\n [svchost.exe]\r\n"
        "  TCP    10.0.0.5:50123         20.42.65.92:443        WARTEND         0\r\n"
        "  UDP    0.0.0.0:500            *:*                                    3344\r\n"
    )
    assert counts(pasted) == {"LISTEN": 1, "TIME_WAIT": 1}
    assert holders(pasted) == [[(1016, "svchost.exe")], []]
    assert lines(pasted) == {"HEADING": 4, "ROW": 2, "DETAIL": 1, "OTHER_PROTOCOL": 1}
    assert "recv_queue_bytes" in pasted.sample.absent_fields


@pytest.mark.parametrize(
    "heading",
    [
        "Aktive Internetverbindungen (Server und stehende Verbindungen)",
        "Connexions Internet actives (serveurs et établies)\nProto Recv-Q Send-Q Adresse locale Adresse distante Etat",
        "激活Internet连接 (服务器和已建立连接的)\nProto Recv-Q Send-Q Local Address   Foreign Address   State",
        "稼働中のインターネット接続 (サーバと確立)\nProto 受信-Q 送信-Q 内部アドレス    外部アドレス    状態",
        "活动连接\n\n  协议  本地地址          外部地址        状态           PID",
        "Aktivní Internetová spojení\nProto Přích-F Odch-F Místní Adresa          Vzdálená Adresa         Stav",
        "Ενεργές συνδέσεις\nΠρωτόκολλο Τοπική",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_headings_in_any_language_are_headings(heading: str, encoding: str) -> None:
    text = f"{heading}\ntcp        0      0 10.0.0.5:443            10.1.2.3:5555           ESTABLISHED\n"
    pasted = read(text.encode(encoding))
    assert lines(pasted) == {"HEADING": len(heading.splitlines()), "ROW": 1}


def test_a_heading_in_another_encoding_is_one_too() -> None:
    heading = "活动连接\n\n  协议  本地地址          外部地址        状态\n".encode("gbk")
    pasted = read(heading + b"  TCP    10.0.0.5:50123         20.42.65.92:443        ESTABLISHED\r\n")
    assert lines(pasted) == {"HEADING": 3, "ROW": 1}


# -- What is around ----------------------------------------------------------------------------------------------------


def test_where_and_when_are_taken_from_the_text() -> None:
    pasted = read(
        "2026-01-02T03:04:05+01:00\nLinux db-2 5.10.0-28-amd64 #1 SMP Debian x86_64 GNU/Linux\n"
        "LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n"
    )
    origin = pasted.sample.origin
    assert (origin.host, origin.kernel, origin.tells_time, origin.is_still) == ("db-2", "5.10.0-28-amd64", True, True)
    assert pasted.sample.taken_at.isoformat() == "2026-01-02T03:04:05+01:00"
    assert lines(pasted) == {"HEADING": 2, "ROW": 1}


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("[root@web-3 ~]# ss -tan", "web-3"),
        ("me@app-1:/var/log$ sudo netstat -antp", "app-1"),
        ("Every 10.0s: ss -tan            db-7: Tue Mar  3 12:01:02 2026", "db-7"),
        ("$ ss -tan", ""),
    ],
)
def test_the_host_is_that_of_the_prompt(line: str, host: str) -> None:
    pasted = read(f"{line}\nLISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n")
    assert (pasted.sample.origin.host, pasted.sample.origin.tells_time) == (host, False)
    assert lines(pasted) == {"HEADING": 1, "ROW": 1}


def test_a_state_that_is_not_told_is_not_guessed() -> None:
    row = "0 0 10.0.0.1:22 10.0.0.2:5555\n"
    for command in (
        "",
        "$ ss -tn exclude established\n",
        "$ ss -tn state connected\n",
        "$ netstat -nt | grep -v LISTEN\n",
    ):
        with pytest.raises(RequestError, match="does not tell their states"):
            read(command + row)
    pasted = read(f"{row}ESTAB {row}$ ss -tn state close-wait\n{row.replace('5555', '5556')}")
    assert counts(pasted) == {"ESTABLISHED": 1, "CLOSE_WAIT": 1}
    assert "text.stateless" in codes(pasted)


def test_an_empty_listing_is_one() -> None:
    pasted = read("State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n")
    assert len(pasted.sample.table) == 0


@pytest.mark.parametrize(
    "text", ["", "\n\n", "hello\n", "a: 1\nb: 2\n", "%PDF-1.4 1 0 obj\n", "\x00" * 100, "Total: 14\n"]
)
def test_a_text_about_nothing_says_what_would_be_understood(text: str) -> None:
    with pytest.raises(RequestError, match="nothing about TCP") as caught:
        read(text)
    assert "ss, netstat" in caught.value.hint


def test_what_is_broken_is_counted_and_named_by_its_first_line() -> None:
    pasted = read(
        "ESTAB 0 0 10.0.0.1:22 10.0.0.2:1\n"
        "ESTAB 0 x 10.0.0.1:22 10.0.0.2:2\n"
        "BLUB 0 0 10.0.0.1:22 10.0.0.2:3\n"
        "ESTAB 0 0 10.0.0.1:22 10.0.0.2:99999\n"
        "ESTAB 0 0 10.0.0.1:22\n"
        "tcp 0 0 10.0.0.1:22 10.0.0.2:4 HALB_OFFEN\n"
        f"ESTAB 0 {2**40} 10.0.0.1:22 10.0.0.2:5\n"
        "ESTAB 0 0 10.0.0.1:22 10.0.0.2:6 timer:(on,soon,1)\n"
        "ESTAB 0 0 10.0.0.1:22 10.0.0.2:7\n"
    )
    assert [each.remote for each in ends(pasted)] == ["10.0.0.2:1", "10.0.0.2:7"]
    assert lines(pasted) == {"ROW": 2, "UNREAD": 7}
    (reason,) = [each.reason for each in pasted.sample.degraded if each.code == "text.unread"]
    assert reason == "7 lines are not understood, and are left out: the first is line 2"


def test_every_state_by_every_name_that_the_program_takes() -> None:
    spellings = {state: [state.name, state.name.lower(), state.name.replace("_", "-")] for state in TcpState}
    for state, names in spellings.items():
        for name in names:
            remote = "0.0.0.0:*" if state is TcpState.LISTEN else "10.0.0.2:1"
            assert counts(read(f"tcp 0 0 10.0.0.1:22 {remote} {name}\n")) == {state.name: 1}
