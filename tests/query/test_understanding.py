"""How a filter was understood, as it is shown to whoever asks."""

import pytest
from hypothesis import given

from tcptui.query.parse import parse_filter
from tcptui.query.understanding import Section, to_text, understanding
from tests.query.expressions import NAMES, Written, filters

GOLDEN = [
    """\
filter  :443
means   either port is 443
kernel  any state; either port is 443 (36 bytes of program)
        (and all listeners, which are few)
here    nothing more
ss      ss -tan 'sport = :443 or dport = :443'
""",
    """\
filter  state time-wait
means   the state is TIME_WAIT
kernel  TIME_WAIT
        (and all listeners, which are few)
here    nothing more
ss      ss -tan state time-wait
""",
    """\
filter  dport = :443 and exclude listening
means   all of
          the remote port is 443
          not: the state is LISTEN
kernel  any state but LISTEN; remote port 443 (in the request)
        (and all listeners, which are few)
here    nothing more
ss      ss -tan exclude listening 'dport = :443'
""",
    """\
filter  listen time-wait 10/8
means   all of
          the state is one of TIME_WAIT, LISTEN
          either address is in 10.0.0.0/8
kernel  one of TIME_WAIT, LISTEN; either address is in 10.0.0.0/8 (36 bytes of program)
        (and all listeners, which are few)
here    nothing more
ss      ss -tan state time-wait state listening 'src 10.0.0.0/8 or dst 10.0.0.0/8'
""",
    """\
filter  nginx recvq > 64k
means   all of
          a process named nginx holds the socket or held it
          the receive queue (a listener's accept queue) is 65,537 or above
kernel  every socket
here    a process named nginx holds the socket or held it
        the receive queue (a listener's accept queue) is 65,537 or above
        (whose a socket is takes a look into /proc: between samples on the screen, once for a snapshot)
ss      ss -tanp
        # ss cannot select by Recv-Q or process: this shows more
""",
    """\
filter  established and :443 or listen and sport = :22
means   any of
          all of
            the state is ESTABLISHED
            either port is 443
          all of
            the state is LISTEN
            the local port is 22
kernel  one of ESTABLISHED, LISTEN; either port is 443 (36 bytes of program)
        (and all listeners, which are few)
here    nothing more
ss      ss -tan state established 'sport = :443 or dport = :443'
        ss -tan state listening 'sport = :22'
""",
    """\
filter  age > 5m user www-data
means   all of
          the socket has been in its state for 5m00s or longer, as far as it was watched
          the user www-data (uid 33) owns the socket
kernel  every socket
here    the socket has been in its state for 5m00s or longer, as far as it was watched
        the user www-data (uid 33) owns the socket
ss      ss -tane
        # ss cannot select by time in a state or user: this shows more
""",
    """\
filter  inet6:*:22
means   all of
          the socket is an IPv6 one
          either port is 22
kernel  IPv4: nothing: no socket can match
        IPv6: any state; either port is 22 (36 bytes of program)
        IPv6: (and all listeners, which are few)
here    nothing more
ss      ss -tan -6 'sport = :22 or dport = :22'
""",
    """\
filter  not (established or src 10.1.2.3)
means   none of
          the state is ESTABLISHED
          the local address is 10.1.2.3
kernel  any state but ESTABLISHED; not (the local address is 10.1.2.3) (20 bytes of program)
        (and all listeners, which are few)
here    nothing more
ss      ss -tan exclude established '! src 10.1.2.3'
""",
    """\
filter  listen and established
means   all of
          the state is LISTEN
          the state is ESTABLISHED
but     no socket can be so: this never matches
kernel  nothing: no socket can match
here    nothing more
ss      # nothing to ask: no socket can match
""",
    """\
filter  fwmark 1/3
means   the firewall mark is 0x1 in the bits 0x3
kernel  any state; the firewall mark is 0x1 in the bits 0x3 (12 bytes of program)
        (and all listeners, which are few)
here    (marks are asked for with each socket: the kernel tells them to root only)
ss      ss -tan 'fwmark = 0x1/0x3'
""",
    """\
filter  not autobound
means   not: the kernel chose the local port
kernel  every socket
here    the kernel chose the local port
        (the kernel is asked twice: it does not tell which port it chose, but selects by that)
ss      ss -tan '! autobound'
        # ss leaves out of ! autobound what it takes for neither, such as accepted connections
""",
    """\
filter  service nginx or cgroup /
means   any of
          the socket belongs to the service nginx or to one below it
          the socket was made in the cgroup /
kernel  every socket
here    the socket belongs to the service nginx or to one below it
        the socket was made in the cgroup /
        (whose a socket is takes a look into /proc: between samples on the screen, once for a snapshot)
        (the paths of cgroups are read for it, and again when there are new ones)
ss      ss -tan --cgroup
        # ss cannot select by service or the root cgroup: this shows more
""",
    """\
filter  netns blue :443
means   all of
          the socket is in the network namespace blue
          either port is 443
kernel  any state; either port is 443 (36 bytes of program)
        (and all listeners, which are few)
here    the socket is in the network namespace blue
ss      ss -tan -N blue 'sport = :443 or dport = :443'
""",
    """\
filter  netns a or not netns 812
means   any of
          the socket is in the network namespace a
          not: the socket is in the network namespace 812
kernel  every socket
here    the socket is in the network namespace a
        the socket is in the network namespace 812
ss      ss -tan
        # ss looks into one namespace: add -N a for it
""",
    """\
filter  timer persist retrans > 2 inode 0 pid < 812
means   all of
          the persist timer runs
          the count of retransmissions or probes is 3 or above
          the inode is 0
          a process whose id is 811 or below holds the socket or held it
kernel  every socket
here    the persist timer runs
        the count of retransmissions or probes is 3 or above
        the inode is 0
        a process whose id is 811 or below holds the socket or held it
        (whose a socket is takes a look into /proc: between samples on the screen, once for a snapshot)
ss      ss -taneop
        # ss cannot select by inode, process, retransmissions or timer: this shows more
""",
    """\
filter  process "$(id) 'x'"
means   a process named $(id) 'x' holds the socket or held it
kernel  every socket
here    a process named $(id) 'x' holds the socket or held it
        (whose a socket is takes a look into /proc: between samples on the screen, once for a snapshot)
ss      ss -tanp
        # ss cannot select by process: this shows more
""",
]


@pytest.mark.parametrize("expected", GOLDEN, ids=lambda text: text.splitlines()[0].removeprefix("filter").strip())
def test_a_filter_is_told_in_words(expected: str) -> None:
    text = expected.splitlines()[0].removeprefix("filter").strip()
    assert to_text(understanding(parse_filter(text, NAMES))) == expected


def lines_of(text: str, label: str, families: tuple[int, ...] = (4, 6)) -> tuple[str, ...]:
    """What stands under ``label``."""
    options = [f"-{family}" for family in families] if len(families) == 1 else []
    sections = understanding(parse_filter(text, NAMES), options, families)
    return next((section.lines for section in sections if section.label == label), ())


def test_families_are_told_apart_where_they_differ() -> None:
    assert [line.partition(":")[0] for line in lines_of("inet6:*:22", "kernel")] == ["IPv4", "IPv6", "IPv6"]


@pytest.mark.parametrize("family", [4, 6])
def test_of_one_family_alone_nothing_is_said_of_the_other(family: int) -> None:
    text = to_text(understanding(parse_filter(":22 or inet6:*:80"), [f"-{family}"], [family]))
    assert "IPv4" not in text
    assert text.count("IPv6") == 1  # in what the filter means
    assert f"ss -tan -{10 - family}" not in text


@pytest.mark.parametrize(
    "text", ["listen and established", "sport > 65535", "sport < 0", "state all and not state all"]
)
def test_a_filter_that_never_matches_is_said_to(text: str) -> None:
    assert lines_of(text, "but")
    assert lines_of(text, "ss") == ("# nothing to ask: no socket can match",)


def test_a_filter_that_may_match_is_not_said_to_fail() -> None:
    assert lines_of("listen time-wait", "but") == ()


@given(filters)
def test_every_line_is_printable_and_stands_in_its_column(written: Written) -> None:
    sections = understanding(parse_filter(written.text, NAMES))
    lines = [line for section in sections for line in section.lines]
    assert all(line.isprintable() and line.strip() for line in lines)
    text = to_text(sections)
    assert text.endswith("\n")
    assert len(text.splitlines()) == len(lines)
    assert all(line[6:8] == "  " for line in text.splitlines())


def test_text_has_its_labels_in_a_column_of_their_own() -> None:
    assert to_text([Section("a", ("1", "2")), Section("long", ("3",))]) == "a     1\n      2\nlong  3\n"
