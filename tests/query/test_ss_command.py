"""The ss command of a filter: it can be pasted, and shows what the filter means or says that it shows more."""

import shlex
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.query.mask import mask_of
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tcptui.query.ss_command import SsCommands, ss_commands
from tcptui.query.syntax import EVERYTHING, And, Expression, FamilyTest, NetnsTest
from tcptui.query.syntax import tests_in as parts_that_test
from tests.model.random_tables import Known, Socket
from tests.query.expressions import NAMES, Written, filters, meaning
from tests.query.placed import KnownPlaces, Placed, known_sample_of, samples
from tests.query.test_bytecode import kernel_tables

MORE = "this shows more"
ONE = "ss looks into one namespace: "
NO_NOT_AUTOBOUND = "ss leaves out of ! autobound what it takes for neither, such as accepted connections"

MERGED = " or ".join(f"( sport = :{port} or dport = :{port} )" for port in (1, 4, 3, 2))

IN_MAPPED_FORM = "src [::ffff:10.0.0.5/128]:443 or dst [::ffff:10.0.0.5/128]:443"

GOLDEN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    ":443": (("ss -tan 'sport = :443 or dport = :443'",), ()),
    "state time-wait": (("ss -tan state time-wait",), ()),
    "listen or established": (("ss -tan state established state listening",), ()),
    "state connected": (("ss -tan state connected",), ()),
    "state bucket": (("ss -tan state bucket",), ()),
    "exclude time-wait": (("ss -tan exclude time-wait",), ()),
    "fin-wait-2 closed": (("ss -tan state fin-wait-2 state closed",), ()),
    "dport = :443 and exclude listening": (("ss -tan exclude listening 'dport = :443'",), ()),
    "dport != 8000-8100": (("ss -tan '! ( dport >= :8000 and dport <= :8100 )'",), ()),
    "sport > 1023 dst 10.0.0.0/8": (("ss -tan 'sport >= :1024 and dst 10.0.0.0/8'",), ()),
    "src [fe80::]/10:22": (("ss -tan -6 'src [fe80::/10]:22'",), ()),
    "web-1:443": (
        (
            "ss -tan -4 'src 10.0.0.5:443 or dst 10.0.0.5:443'",
            f"ss -tan -6 '( {IN_MAPPED_FORM} ) or ( src [2001:db8::1]:443 or dst [2001:db8::1]:443 )'",
        ),
        (),
    ),
    "dst 2001:db8::1": (("ss -tan -6 'dst [2001:db8::1]'",), ()),
    "dst 10.1.2.3 and inet6:*": (("ss -tan -6 'dst [::ffff:10.1.2.3/128]'",), ()),
    "dst ::/0": (("ss -tan -6 '! dst [::ffff:0.0.0.0/96]'",), ()),
    "dst 0.0.0.0/0": (("ss -tan -4", "ss -tan -6 'dst [::ffff:0.0.0.0/96]'"), ()),
    "fwmark 1/3 dev eth0 autobound": (("ss -tan 'fwmark = 0x1/0x3 and dev = eth0 and autobound'",), ()),
    "not autobound": (("ss -tan '! autobound'",), (NO_NOT_AUTOBOUND,)),
    "inet6:*:22": (("ss -tan -6 'sport = :22 or dport = :22'",), ()),
    "established and :443 or listen and sport = :22": (
        ("ss -tan state established 'sport = :443 or dport = :443'", "ss -tan state listening 'sport = :22'"),
        (),
    ),
    "established :1 or listen :2 or close-wait :3 or time-wait :4": (
        (f"ss -tan state established state time-wait state close-wait state listening '{MERGED}'",),
        (f"ss has one list of states for the whole filter: {MORE}",),
    ),
    "nginx recvq > 64k": (("ss -tanp",), (f"ss cannot select by Recv-Q or process: {MORE}",)),
    "age > 5m": (("ss -tan",), (f"ss cannot select by time in a state: {MORE}",)),
    "timer persist retrans > 2 user root": (
        ("ss -taneo",),
        (f"ss cannot select by retransmissions, timer or user: {MORE}",),
    ),
    "service nginx": (("ss -tan --cgroup",), (f"ss cannot select by service: {MORE}",)),
    "cgroup /system.slice/ssh.service": (("ss -tan 'cgroup = /system.slice/ssh.service'",), ()),
    "listen and established": ((), ()),
    "netns blue": (("ss -tan -N blue",), ()),
    "listen and netns blue and dport = :22": (("ss -tan -N blue state listening 'dport = :22'",), ()),
    "netns blue and (netns blue or :443)": (("ss -tan -N blue",), ()),
    "netns blue and not netns blue": ((), ()),
    "netns blue nginx": (("ss -tanp -N blue",), (f"ss cannot select by process: {MORE}",)),
    "netns blue cgroup /x": (("nsenter --net=/run/netns/blue ss -tan 'cgroup = /x'",), ()),
    'netns "it;s"': (("ss -tan -N 'it;s'",), ()),
    "netns self": (("ss -tan",), ()),
    "netns SELF and :443": (("ss -tan 'sport = :443 or dport = :443'",), ()),
    "netns 812": (("ss -tan",), (f"{ONE}put nsenter -t 812 -n before it",)),
    "netns a or netns b": (("ss -tan",), (f"{ONE}add -N a or -N b for it",)),
    "netns a netns b": (("ss -tan",), (f"{ONE}add -N a or -N b for it",)),
    "netns blue or :443": (("ss -tan",), (f"{ONE}add -N blue for it",)),
    "netns a or netns 812 or netns self": (("ss -tan",), (f"{ONE}add -N a for it or put nsenter -t 812 -n before it",)),
    "netns b*": (("ss -tan",), (f"{ONE}add -N NAME for another",)),
    'netns "pid 812 nginx"': (("ss -tan",), (f"{ONE}add -N NAME for another",)),
    "netns != blue": (("ss -tan",), (f"{ONE}add -N NAME for another",)),
    "nginx netns != self": (("ss -tanp",), (f"ss cannot select by process: {MORE}", f"{ONE}add -N NAME for another")),
}


@pytest.mark.parametrize(("text", "expected"), GOLDEN.items(), ids=GOLDEN)
def test_a_filter_has_the_command_that_one_would_type(
    text: str, expected: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    assert ss_commands(parse_filter(text, NAMES).expression) == SsCommands(*expected)


BOTH = "time-wait sport = :22 and inet6:* or inet:*:443"


@pytest.mark.parametrize(
    ("options", "commands"),
    [
        (("-N", "blue"), ("ss -tan -N blue state time-wait 'sport = :22'",)),
        (("-N", "812"), ("nsenter -t 812 -n ss -tan state time-wait 'sport = :22'",)),
        (("-N", "/run/n/a b"), ("nsenter '--net=/run/n/a b' ss -tan state time-wait 'sport = :22'",)),
        (("-N", "a;id"), ("ss -tan -N 'a;id' state time-wait 'sport = :22'",)),
        (("-6",), ("ss -tan -6 state time-wait 'sport = :22'",)),
        (("-4", "-N", "blue"), ("ss -tan -N blue -4 state time-wait 'sport = :22'",)),
    ],
)
def test_the_command_looks_where_we_look(options: tuple[str, ...], commands: tuple[str, ...]) -> None:
    assert ss_commands(parse_filter("time-wait sport = :22").expression, options).commands == commands


OF_ANOTHER = (f"{ONE}add -N NAME for another",)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        # Everywhere: ss has no such option.
        (":*", ("-N", "all"), SsCommands(("ss -tan",), OF_ANOTHER)),
        ("inet6:*", ("-N", "all", "-6"), SsCommands(("ss -tan -6",), OF_ANOTHER)),
        ("netns blue", ("-N", "all"), SsCommands(("ss -tan -N blue",), ())),
        ("netns blue", ("-N", "all", "-4"), SsCommands(("ss -tan -N blue -4",), ())),
        ("netns self", ("-N", "all"), SsCommands(("ss -tan",), ())),
        ("not netns self", ("-N", "all"), SsCommands(("ss -tan",), OF_ANOTHER)),
        # In one namespace, which the filter names or not.
        ("netns blue", ("-N", "blue"), SsCommands(("ss -tan -N blue",), ())),
        ("netns bl* or netns red", ("-N", "blue"), SsCommands(("ss -tan -N blue",), ())),
        ("netns 812", ("-N", "812"), SsCommands(("nsenter -t 812 -n ss -tan",), ())),
        ("not netns red", ("-N", "blue"), SsCommands(("ss -tan -N blue",), ())),
        ("netns red", ("-N", "blue"), SsCommands((), ())),
        ("netns red or sport = :1", ("-N", "blue"), SsCommands(("ss -tan -N blue 'sport = :1'",), ())),
    ],
)
def test_a_namespace_in_the_filter_goes_with_the_one_that_is_looked_at(
    text: str, options: tuple[str, ...], expected: SsCommands
) -> None:
    assert ss_commands(parse_filter(text).expression, options) == expected


def test_a_filter_that_tells_families_apart_has_a_command_for_each() -> None:
    expression = parse_filter(BOTH).expression
    ipv4, ipv6 = "'sport = :443 or dport = :443'", "state time-wait 'sport = :22'"
    assert ss_commands(expression).commands == (f"ss -tan -4 {ipv4}", f"ss -tan -6 {ipv6}")


@pytest.mark.parametrize(("family", "other"), [("-4", "-6"), ("-6", "-4")])
def test_a_family_that_we_do_not_look_at_is_not_asked_for(family: str, other: str) -> None:
    for text in (BOTH, "inet6:*:22", "inet:*:22"):
        for command in ss_commands(parse_filter(text).expression, [family]).commands:
            assert family in command.split()
            assert other not in command.split()


def test_an_ipv4_network_is_written_in_its_mapped_form_where_only_ipv6_is_looked_at() -> None:
    found = ss_commands(parse_filter("not src 10.0.0.0/8 or dst 10.1.2.3:443").expression, ["-6"])
    assert found.commands == ("ss -tan -6 '! src [::ffff:10.0.0.0/104] or dst [::ffff:10.1.2.3/128]:443'",)


def test_a_filter_for_a_family_that_we_do_not_look_at_has_no_command() -> None:
    assert ss_commands(parse_filter("inet6:*:22").expression, ["-4"]).commands == ()


# -- What it shows -----------------------------------------------------------------------------------------------------


def read_back(command: str) -> Expression:
    """The filter that ``command`` means, which our language has too."""
    before, _, after = command.rpartition("ss -")
    words = shlex.split(f"{before} -{after}")
    netns = [word.rpartition("/")[2] for word in words if word.startswith("--net=")]
    if "-N" in words:
        at = words.index("-N")
        netns.append(words[at + 1])
        del words[at : at + 2]
    options = [word for word in words if word.startswith("-")]
    rest = [word for word in words if not word.startswith("-") and word != "nsenter"]
    states = rest if len(rest) % 2 == 0 else rest[:-1]
    text = " ".join(states) or "state all"
    if len(rest) % 2:
        text += f" and ({rest[-1]})"
    families = [FamilyTest(int(option[1])) for option in options if option in ("-4", "-6")]
    return And((*map(NetnsTest, netns), *families, parse_filter(text, NAMES).expression))


@settings(max_examples=120)
@given(filters, samples(kernel_tables))
def test_the_command_shows_what_the_filter_means_or_says_that_it_shows_more(
    written: Written, seen: tuple[list[Socket], Known]
) -> None:
    """Without an option, in each namespace that is asked for."""
    described, known = seen
    found = ss_commands(written.tree)
    asks_for_ours = NetnsTest in map(type, parts_that_test(written.tree)) and not any(map(is_of_one, found.remarks))
    sample = known_sample_of(described, known)
    shown = [False] * len(described)
    for command in found.commands:
        place = NetnsTest("self") if asks_for_ours and "-N" not in command and "--net" not in command else EVERYTHING
        mask = mask_of(And((place, read_back(command))), sample.table.rows, sample)
        shown = [before or each for before, each in zip(shown, mask.tolist(), strict=True)]
    meant = meaning(written, *seen)
    assert all(is_shown for is_shown, is_meant in zip(shown, meant, strict=True) if is_meant)
    if not found.remarks:
        assert shown == meant


def is_of_one(remark: str) -> bool:
    """Whether it says where ``ss`` does not look."""
    return remark.startswith(ONE)


@given(filters, samples(kernel_tables), st.sampled_from(("blue", "812")))
def test_where_one_namespace_is_looked_at_the_command_asks_in_it(
    written: Written, seen: tuple[list[Socket], Known], label: str
) -> None:
    described, known = seen[0], KnownPlaces(**{**vars(seen[1]), "namespaces": (label,)})
    described = [replace(socket, netns=0) if isinstance(socket, Placed) else socket for socket in described]
    found = ss_commands(written.tree, ["-N", label])
    assert not any(map(is_of_one, found.remarks))
    sample = known_sample_of(described, known)
    shown = [False] * len(described)
    for command in found.commands:
        assert label in command
        mask = mask_of(read_back(command.removeprefix(f"nsenter -t {label} -n ")), sample.table.rows, sample)
        shown = [before or each for before, each in zip(shown, mask.tolist(), strict=True)]
    meant = meaning(written, described, known)
    assert all(is_shown for is_shown, is_meant in zip(shown, meant, strict=True) if is_meant)
    if not found.remarks:
        assert shown == meant


# -- Whatever is in a name ---------------------------------------------------------------------------------------------

HOSTILE = ["$(id)", "`id`", "a;id", "a'b", "a\\b", "a b", "-p", "*", "~", "$HOME", "a&b", "a|b", "a>b", "(a)", "#a"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_name_stays_one_word_of_the_shell(hostile: str) -> None:
    names = replace(NAMES, interfaces={hostile: 3})
    filter = parse_filter(f'dev "{hostile}" cgroup "/x/{hostile}" process "{hostile}"', names)
    found = ss_commands(filter.expression, ["-N", hostile])
    for command in found.commands:
        assert command.isprintable()
        words = subprocess.run(
            ["sh", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True, text=True
        ).stdout.split("\0")
        assert words[:-1] == shlex.split(command)
        assert words[-2] == f"dev = {hostile} and cgroup = /x/{hostile}"


@given(filters)
def test_a_command_is_one_printable_line(written: Written) -> None:
    found = ss_commands(written.tree, ["-N", "blue"])
    assert all(line.isprintable() for line in (*found.commands, *found.remarks))
    assert all("blue" in command for command in found.commands)


def test_an_interface_without_a_name_is_asked_for_by_its_index() -> None:
    assert ss_commands(parse_filter("dev 9", Names()).expression).commands == ("ss -tan 'dev = 9'",)
