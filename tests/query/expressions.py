"""Random filters, each in three forms: the text, the tree it must become, and a plain predicate of what it means."""

import functools
import ipaddress
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tcptui.model.address import parse_network
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.query.names import Names
from tcptui.query.syntax import (
    NO_LIMIT,
    AgeTest,
    AmountTest,
    And,
    AutoboundTest,
    CgroupTest,
    EndpointTest,
    Expression,
    FamilyTest,
    InterfaceTest,
    MarkTest,
    NetnsTest,
    Not,
    Or,
    PidTest,
    PortTest,
    ProcessTest,
    ServiceTest,
    Side,
    Span,
    StateTest,
    TimerTest,
    UserTest,
)
from tests.model.random_tables import ADDRESSES, PORTS, PROCESSES, Address, Known, Socket, mapped, plain
from tests.query.placed import namespace_of, namespaces_of
from tests.support.ss import SS_NAMES

Predicate = Callable[[Socket, Known], bool]

OR_LEVEL, AND_LEVEL, TEST_LEVEL = 0, 1, 2
"""How tightly a text holds together."""

SAVED = {"web": ":443 or :8080", "quiet": "exclude listening", "both": "not (@web and @quiet)", "empty-ones": "recvq 0"}
HOSTS = {"web-1": ("10.0.0.5", "2001:db8::1"), "db": ("192.0.2.1",)}
NAMES = Names(
    services={"ssh": 22, "https": 443, "HTTP-alt": 8080},
    hosts=HOSTS,
    interfaces={"eth0": 2, "wlan0": 7, "lo": 1},
    users={"root": 0, "www-data": 33},
    saved=SAVED,
)


@dataclass(frozen=True)
class Written:
    """A filter in its three forms."""

    text: str
    tree: Expression
    holds: Predicate
    level: int = TEST_LEVEL
    is_states: bool = False
    """Whether state words stand open in it, to which a neighbour would be added."""


def meaning(written: Written, described: Sequence[Socket], known: Known) -> list[bool]:
    """One truth value a socket."""
    return [written.holds(socket, known) for socket in described]


# -- Signs -------------------------------------------------------------------------------------------------------------

EQUAL_SIGNS, UNEQUAL_SIGNS = ("=", "==", "eq", "EQ"), ("!=", "ne", "neq")
_ORDERS: dict[str, Callable[[int, int], bool]] = {
    **dict.fromkeys(("<", "lt"), operator.lt),
    **dict.fromkeys(("<=", "le", "leq"), operator.le),
    **dict.fromkeys((">", "gt"), operator.gt),
    **dict.fromkeys((">=", "ge", "Geq"), operator.ge),
}
_EQUALITIES = ("", *EQUAL_SIGNS, *UNEQUAL_SIGNS)
_SIGNS = (*_EQUALITIES, *_ORDERS)


def _equal(number: int, other: int) -> bool:
    return number == other


def _comparison(sign: str) -> Callable[[int, int], bool]:
    return _ORDERS.get(sign, _equal)


def _span(sign: str, number: int, largest: int) -> Span:
    compare = _comparison(sign)
    below, above = compare(0, 1), compare(1, 0)
    at = compare(0, 0)
    return Span(0 if below else number + (not at), largest if above else number - (not at))


def _with_sign(word: str, sign: str, value: str, blank: str) -> str:
    """``recvq > 0``, ``recvq>0``, ``recvq 0``; words and nothing need blanks."""
    between = blank if sign and not sign.isalpha() else " "
    return f"{word}{between}{sign}{between}{value}" if sign else f"{word}{between}{value}"


def _denied_if_unequal(sign: str, text: str, tree: Expression, holds: Predicate) -> Written:
    """``!=`` is the negation of ``=``."""
    if sign in UNEQUAL_SIGNS:
        return Written(text, Not(tree), lambda socket, known: not holds(socket, known))
    return Written(text, tree, holds)


_blanks = st.sampled_from(("", " ", "  ", "\t"))


def _any_case(words: Sequence[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(words), st.sampled_from(words).map(str.upper))


# -- States ------------------------------------------------------------------------------------------------------------

_STATE_WORDS: dict[str, frozenset[TcpState]] = {
    **{state.name: frozenset({state}) for state in ALL_STATES},
    **{name.lower(): frozenset({state}) for state, name in SS_NAMES.items()},
    "SYN_RCVD": frozenset({TcpState.SYN_RECV}),
    "timewait": frozenset({TcpState.TIME_WAIT}),
    "listening": frozenset({TcpState.LISTEN}),
    "closed": frozenset({TcpState.CLOSE}),
}
_OPEN = frozenset(ALL_STATES) - {TcpState.LISTEN, TcpState.CLOSE}
_GROUP_WORDS: dict[str, frozenset[TcpState]] = {
    "all": frozenset(ALL_STATES),
    "connected": _OPEN,
    "synchronized": _OPEN - {TcpState.SYN_SENT},
    "bucket": frozenset({TcpState.SYN_RECV, TcpState.TIME_WAIT}),
    "BIG": frozenset(ALL_STATES) - {TcpState.SYN_RECV, TcpState.TIME_WAIT},
}

StatePart = tuple[str, str]
"""How the word is introduced, and the word."""


def _states(parts: list[StatePart]) -> Written:
    """``state a state b exclude c``, as ``ss`` reads its command line: the first word decides what there is before."""
    words = {**_STATE_WORDS, **_GROUP_WORDS}
    states: frozenset[TcpState] = frozenset() if parts[0][0].lower() in ("state", "") else frozenset(ALL_STATES)
    for keyword, word in parts:
        states = states | words[word] if keyword.lower() in ("state", "") else states - words[word]
    tree: Expression = StateTest(states)
    if len(parts) == 1 and parts[0][0].lower() not in ("state", ""):
        tree = Not(StateTest(words[parts[0][1]]))
    return Written(
        " ".join(f"{keyword} {word}".strip() for keyword, word in parts),
        tree,
        lambda socket, _known: socket.state in states,
        TEST_LEVEL if len(parts) == 1 else AND_LEVEL,
        is_states=True,
    )


_state_parts = st.one_of(
    st.tuples(
        st.sampled_from(("state", "exclude", "excl", "State")), st.sampled_from([*_STATE_WORDS, *_GROUP_WORDS, "all"])
    ),
    st.tuples(st.just(""), st.sampled_from(sorted(_STATE_WORDS))),
)
state_tests = st.one_of(
    st.builds(_states, st.lists(_state_parts, min_size=1, max_size=1)),
    st.builds(_states, st.lists(_state_parts, min_size=2, max_size=3)),
)

# -- Ports and addresses -----------------------------------------------------------------------------------------------

_PORT_SIDES = {"sport": Side.LOCAL, "dport": Side.REMOTE, "port": Side.EITHER}
_ADDRESS_SIDES = {"src": Side.LOCAL, "dst": Side.REMOTE, "ip": Side.EITHER, "": Side.EITHER}
_FAMILY_WORDS = {"": None, "inet:": 4, "inet6:": 6}
_SERVICES = {"ssh": 22, "HTTPS": 443, "HTTP-alt": 8080, "0x1F90": 8080}

PortWord = tuple[str, int, int]
"""Text, lowest and highest port."""


def _ends(side: Side, socket: Socket) -> list[tuple[Address, int]]:
    local, remote = (socket.local, socket.local_port), (socket.remote, socket.remote_port)
    return {Side.LOCAL: [local], Side.REMOTE: [remote], Side.EITHER: [local, remote]}[side]


def _of_family(family_word: str, tree: Expression, holds: Predicate) -> tuple[Expression, Predicate]:
    family = _FAMILY_WORDS[family_word]
    if family is None:
        return tree, holds
    return And((FamilyTest(family), tree)), lambda socket, known: socket.family == family and holds(socket, known)


def _port(word: str, sign: str, blank: str, family_word: str, port: PortWord) -> Written:
    side, (port_text, low, high) = _PORT_SIDES[word.lower()], port
    if low == high:
        span = _span(sign, low, 65535)
        compare = _comparison(sign)
    else:
        sign = "" if sign in _ORDERS else sign
        span = Span(low, high)

        def compare(number: int, _other: int) -> bool:
            return low <= number <= high

    text = _with_sign(word, sign, f"{family_word}{port_text}", blank)
    tree, holds = _of_family(
        family_word,
        PortTest(side, span),
        lambda socket, _known: any(compare(number, low) for _, number in _ends(side, socket)),
    )
    return _denied_if_unequal(sign, text, tree, holds)


def _bare_port(port: PortWord) -> Written:
    text, low, high = port
    return Written(
        text,
        PortTest(Side.EITHER, Span(low, high)),
        lambda socket, _known: any(low <= number <= high for _, number in _ends(Side.EITHER, socket)),
    )


def _hosts(text: str) -> list[Address]:
    return [ipaddress.ip_address(each) for each in HOSTS[text]]


def _endpoint(word: str, sign: str, family_word: str, host: Address | str, prefix: int | None, port: str) -> Written:
    """``dst 10.0.0.0/8``, ``src != [::1]:22``, ``10.1.2.3:443``, ``dst web-1:8000-8100``."""
    side = _ADDRESS_SIDES[word.lower()]
    sign = sign if word else ""
    addresses = _hosts(host) if isinstance(host, str) else [host]
    ends = [int(each) for each in port.split("-")] if port not in ("", "*") else []
    ports = Span(ends[0], ends[-1]) if ends else None
    networks: list[ipaddress.IPv6Network] = []
    tests: list[Expression] = []
    value = str(host)
    for address in addresses:
        bits: int = address.max_prefixlen
        network_text = str(address)
        if prefix is not None and not isinstance(host, str):
            bits = min(prefix, bits)
            network_text = value = f"{address}/{bits}"
        full_bits = bits + (96 if address.version == 4 else 0)
        networks.append(ipaddress.IPv6Network((mapped(address), full_bits), strict=False))
        tests.append(EndpointTest(side, parse_network(network_text), ports))
    if (port or family_word or not word) and not isinstance(host, str) and host.version == 6:
        value = f"[{value}]"
    if isinstance(host, str) and not word and not port and not family_word:
        port, ports = "443", Span(443, 443)
        tests = [EndpointTest(side, each.network, ports) for each in tests if isinstance(each, EndpointTest)]
    value = f"{value}:{port}" if port else value

    def is_within(address: Address, number: int) -> bool:
        if ports is not None and not ports.low <= number <= ports.high:
            return False
        return any(_contains(network, plain(address)) for network in networks)

    tree, holds = _of_family(
        family_word,
        tests[0] if len(tests) == 1 else Or(tuple(tests)),
        lambda socket, _known: any(is_within(*end) for end in _ends(side, socket)),
    )
    text = " ".join(part for part in (word, sign, family_word + value) if part)
    return _denied_if_unequal(sign, text, tree, holds)


def _contains(network: ipaddress.IPv6Network, address: Address) -> bool:
    """An IPv4 network is written with the mapped prefix; an IPv6 one has no IPv4 addresses in it."""
    is_for_ipv4 = network.prefixlen >= 96 and int(network.network_address) >> 32 == 0xFFFF
    return is_for_ipv4 == (address.version == 4) and ipaddress.IPv6Address(mapped(address)) in network


def _anywhere(word: str, family_word: str, port: PortWord) -> Written:
    """``dst *:443``, ``src :22``, ``ip inet6:*``: an end without an address."""
    text, low, high = port
    side = _ADDRESS_SIDES[word]
    tree, holds = _of_family(
        family_word,
        PortTest(side, Span(low, high)),
        lambda socket, _known: any(low <= number <= high for _, number in _ends(side, socket)),
    )
    return Written(f"{word} {family_word}{text}".strip(), tree, holds)


_numbers = st.sampled_from((*PORTS, 40000))
_ranges = st.tuples(_numbers, _numbers).map(sorted).map(lambda ends: (f"{ends[0]}-{ends[1]}", ends[0], ends[1]))
_plain_ports: st.SearchStrategy[PortWord] = st.one_of(_numbers.map(lambda port: (str(port), port, port)), _ranges)
_coloured_ports: st.SearchStrategy[PortWord] = _plain_ports.map(lambda port: (f":{port[0]}", port[1], port[2]))
_port_words: st.SearchStrategy[PortWord] = st.one_of(
    _plain_ports,
    _coloured_ports,
    st.sampled_from([(name, port, port) for name, port in _SERVICES.items()]),
    st.sampled_from([("*", 0, 65535), (":*", 0, 65535), ("*:22", 22, 22), ("*:ssh", 22, 22)]),
)
_endpoint_ports = st.one_of(st.just(""), st.just("*"), _plain_ports.map(lambda port: port[0]))
_prefixes = st.one_of(st.none(), st.sampled_from((0, 8, 24, 32, 33, 48, 64, 80, 95, 96, 97, 104, 128)))
_family_words = st.sampled_from(("", "", "", *_FAMILY_WORDS))

kernel_port_tests = st.one_of(
    st.builds(_port, _any_case(list(_PORT_SIDES)), st.sampled_from(_SIGNS), _blanks, st.just(""), _port_words),
    st.builds(_bare_port, st.one_of(_plain_ports, _coloured_ports)),
)
kernel_endpoint_tests = st.builds(
    _endpoint,
    _any_case(["src", "dst", "ip"]),
    st.sampled_from(_EQUALITIES),
    st.just(""),
    st.one_of(st.sampled_from(ADDRESSES), st.sampled_from(sorted(HOSTS))),
    _prefixes,
    _endpoint_ports,
)
family_tests = st.one_of(
    st.builds(
        _port, st.sampled_from(list(_PORT_SIDES)), st.sampled_from(_SIGNS), _blanks, _family_words, _coloured_ports
    ),
    st.builds(
        _endpoint,
        st.sampled_from(list(_ADDRESS_SIDES)),
        st.sampled_from(_EQUALITIES),
        _family_words,
        st.one_of(st.sampled_from(ADDRESSES), st.sampled_from(sorted(HOSTS))),
        _prefixes,
        _endpoint_ports,
    ),
    st.builds(
        _anywhere,
        st.sampled_from(("src", "dst", "ip")),
        st.sampled_from(list(_FAMILY_WORDS)),
        st.one_of(_coloured_ports, st.sampled_from([("*", 0, 65535), ("*:*", 0, 65535), ("*:443", 443, 443)])),
    ),
)

# -- What else the kernel compares -------------------------------------------------------------------------------------

_INTERFACES = {"eth0": 2, "wlan0": 7, "2": 2, "0": 0}
_MARKS = {
    "1": (1, 2**32 - 1),
    "0": (0, 2**32 - 1),
    "0xff": (0xFF, 2**32 - 1),
    "0x01/0x03": (1, 3),
    "5/3": (5, 3),
    "0/0": (0, 0),
    "4294967295": (2**32 - 1, 2**32 - 1),
}


def _interface(sign: str, blank: str, name: str) -> Written:
    index = _INTERFACES[name]
    text = _with_sign("dev", sign, name, blank)

    def is_bound(socket: Socket, known: Known) -> bool:
        is_ours = len(namespaces_of(known)) < 2 or namespace_of(socket, known) == "self"
        return is_ours and socket.interface == index

    return _denied_if_unequal(sign, text, InterfaceTest(index, name), is_bound)


def _mark(sign: str, blank: str, mark_text: str) -> Written:
    mark, mask = _MARKS[mark_text]
    text = _with_sign("fwmark", sign, mark_text, blank)
    return _denied_if_unequal(sign, text, MarkTest(mark, mask), lambda socket, _known: socket.mark & mask == mark)


interface_tests = st.builds(_interface, st.sampled_from(_EQUALITIES), _blanks, st.sampled_from(sorted(_INTERFACES)))
mark_tests = st.builds(_mark, st.sampled_from(_EQUALITIES), _blanks, st.sampled_from(sorted(_MARKS)))
autobound_tests = _any_case(["autobound"]).map(
    lambda text: Written(text, AutoboundTest(), lambda socket, _known: socket.is_autobound)
)
kernel_tests = st.one_of(
    kernel_port_tests, kernel_port_tests, kernel_endpoint_tests, kernel_endpoint_tests, interface_tests, mark_tests
)
"""What a program can hold that depends on neither state nor family."""

# -- What is decided here ----------------------------------------------------------------------------------------------

_AMOUNTS: dict[str, tuple[str, Callable[[Socket], int]]] = {
    "recvq": ("recv_queue_bytes", lambda socket: socket.recv_queue),
    "sendq": ("send_queue_bytes", lambda socket: socket.send_queue),
    "retrans": ("retransmits", lambda socket: socket.retransmits),
    "inode": ("inode", lambda socket: socket.inode),
}
_BYTES = {
    "0": 0,
    "1": 1,
    "8191": 8191,
    "8k": 8192,
    "8KiB": 8192,
    "1m": 2**20,
    "2g": 2**31,
    "2147483648b": 2**31,
    "4294967295": 2**32 - 1,
    "4gb": 2**32,
    "1T": 2**40,
    "99999999t": 99_999_999 * 2**40,
}
_COUNTS = {"0": 0, "1": 1, "15": 15, "0xff": 255, "255": 255, "77": 77, "256": 256, "4294967295": 2**32 - 1}
_DURATIONS = {
    "0": 0,
    "250ms": 250,
    "10": 10_000,
    "9.999s": 9_999,
    "1.5m": 90_000,
    "5m": 300_000,
    "1h30m": 5_400_000,
    "300SEC": 300_000,
    "4min60s": 300_000,
    "2d": 172_800_000,
    "0h": 0,
}
_TIMERS = ("off", "on", "keepalive", "timewait", "persist")
_USERS = {"root": 0, "www-data": 33, "33": 33, "4294967294": 2**32 - 2, "0x21": 33}


def _amount(word: str, sign: str, blank: str, byte_text: str, count_text: str) -> Written:
    field_id, read = _AMOUNTS[word.lower()]
    text, amount = (
        (byte_text, _BYTES[byte_text])
        if word.lower() in ("recvq", "sendq")
        else (
            count_text,
            _COUNTS[count_text],
        )
    )
    compare = _comparison(sign)
    return _denied_if_unequal(
        sign,
        _with_sign(word, sign, text, blank),
        AmountTest(field_id, _span(sign, amount, NO_LIMIT)),
        lambda socket, _known: compare(read(socket), amount),
    )


def _age(sign: str, blank: str, age_text: str) -> Written:
    age, compare = _DURATIONS[age_text], _ORDERS[sign]
    return Written(
        _with_sign("age", sign, age_text, blank),
        AgeTest(_span(sign, age, NO_LIMIT)),
        lambda socket, known: known.ages is not None and compare(known.ages[socket.cookie], age),
    )


def _timer(sign: str, blank: str, name: str) -> Written:
    code = _TIMERS.index(name.lower())
    text = _with_sign("timer", sign, name, blank)
    return _denied_if_unequal(sign, text, TimerTest(code), lambda socket, _known: socket.timer == code)


def _holders(socket: Socket, known: Known) -> frozenset[int]:
    """Ids of the processes that are known to hold ``socket``."""
    return frozenset() if known.holders is None else known.holders.get(socket.inode, frozenset())


def _pid(sign: str, blank: str, pid: int) -> Written:
    compare = _comparison(sign)
    return _denied_if_unequal(
        sign,
        _with_sign("pid", sign, str(pid), blank),
        PidTest(_span(sign, pid, NO_LIMIT)),
        lambda socket, known: any(compare(each, pid) for each in _holders(socket, known)),
    )


def matches(pattern: str, name: str) -> bool:
    """``*`` stands for any number of characters, ``?`` for one, anything else for itself in any case."""
    return _matches(pattern.lower(), name.lower())


@functools.cache
def _matches(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] == "*":
        return _matches(pattern[1:], name) or (bool(name) and _matches(pattern, name[1:]))
    return bool(name) and pattern[0] in ("?", name[0]) and _matches(pattern[1:], name[1:])


def _process(word: str, sign: str, blank: str, name: str, *, is_quoted: bool) -> Written:
    value = f'"{name}"' if is_quoted or not _is_plain(name) else name
    text = _with_sign(word, sign, value, blank) if word else value

    def is_named(process: str) -> bool:
        return matches(name, process) or (len(name) > 15 and process.lower() == name[:15].lower())

    return _denied_if_unequal(
        sign if word else "",
        text,
        ProcessTest(name),
        lambda socket, known: any(is_named(PROCESSES[pid]) for pid in _holders(socket, known)),
    )


def _is_plain(name: str) -> bool:
    """Whether a name may stand without quotes."""
    return not set(name) & set(' ()!&|<>="')


def _cgroup_path(socket: Socket, known: Known) -> str | None:
    return (known.cgroups or {}).get(socket.cgroup_id)


def _cgroup(sign: str, blank: str, path: str) -> Written:
    plain_path = "/" + path.removeprefix("/sys/fs/cgroup").removeprefix("/unified").strip("/")
    return _denied_if_unequal(
        sign,
        _with_sign("cgroup", sign, path, blank),
        CgroupTest(plain_path),
        lambda socket, known: _cgroup_path(socket, known) == plain_path,
    )


def _service(sign: str, blank: str, name: str) -> Written:
    def is_named(component: str) -> bool:
        head, dot, ending = component.rpartition(".")
        is_unit = bool(dot) and ending in ("service", "scope", "slice", "socket", "mount", "swap")
        return matches(name, component) or (is_unit and matches(name, head))

    return _denied_if_unequal(
        sign,
        _with_sign("service", sign, name, blank),
        ServiceTest(name),
        lambda socket, known: any(
            is_named(component) for component in (_cgroup_path(socket, known) or "").split("/") if component
        ),
    )


def _netns(sign: str, blank: str, name: str, *, is_quoted: bool) -> Written:
    value = f'"{name}"' if is_quoted or not _is_plain(name) else name

    def is_there(socket: Socket, known: Known) -> bool:
        label = namespace_of(socket, known)
        return label is not None and any(matches(name, each) for each in (label, *label.split()))

    return _denied_if_unequal(sign, _with_sign("netns", sign, value, blank), NetnsTest(name), is_there)


def _user(sign: str, blank: str, name: str) -> Written:
    uid = _USERS[name]
    return _denied_if_unequal(
        sign,
        _with_sign("user", sign, name, blank),
        UserTest(uid, name),
        lambda socket, _known: socket.uid == uid and not socket.is_mini,
    )


_process_names = st.sampled_from(
    (
        *("nginx", "NGINX", "ng*", "?ginx", "*", "python3.*", "kubelet-with-long-name", "kubelet-with-lo", "sshd"),
        *("Web Content", "web*", "a*[b]", "a?[b]", "[ab]", "nothing-of-that-name", "(sd-pam)", "a.b"),
    )
)
_bare_names = ("nginx", "NGINX", "ng*", "?ginx", "python3.*", "kubelet-with-long-name", "sshd", "a.b", "Web Content")
_paths = st.sampled_from(
    (
        *("/", "/system.slice/nginx.service", "system.slice/nginx.service/", "/system.slice/ssh.socket"),
        *("/sys/fs/cgroup/system.slice/nginx.service", "/sys/fs/cgroup/unified/system.slice/ssh.socket", "/none"),
    )
)
_services = st.sampled_from(
    (
        "nginx",
        "nginx.service",
        "NGINX",
        "ssh",
        "system.slice",
        "system",
        "user-1000",
        "app-*",
        "*nginx*",
        "nginx.socket",
    )
)
_netns_names = st.sampled_from(
    (
        *("self", "SELF", "blue", "Blue", "green-2", "bl*", "b?ue", "*", "?*", "812", "77", "nginx", "pid", "pid*"),
        *("pid 812 nginx", "pid 812*", "web content", "content", "a*[b]", "[ab]", "self blue", "all", "red"),
    )
)
_pids = st.sampled_from((0, 1, 77, 78, 79, 811, 812, 900, 4_194_304, 2**32 - 1))
local_tests = st.one_of(
    st.builds(
        _amount,
        _any_case(list(_AMOUNTS)),
        st.sampled_from(_SIGNS),
        _blanks,
        st.sampled_from(sorted(_BYTES)),
        st.sampled_from(sorted(_COUNTS)),
    ),
    st.builds(_age, st.sampled_from(sorted(_ORDERS)), _blanks, st.sampled_from(sorted(_DURATIONS))),
    st.builds(_timer, st.sampled_from(_EQUALITIES), _blanks, _any_case(_TIMERS)),
    st.builds(_pid, st.sampled_from(_SIGNS), _blanks, _pids),
    st.builds(
        _process, st.just("process"), st.sampled_from(_EQUALITIES), _blanks, _process_names, is_quoted=st.booleans()
    ),
    st.builds(_process, st.just(""), st.just(""), st.just(""), st.sampled_from(_bare_names), is_quoted=st.just(False)),
    st.builds(_process, st.just(""), st.just(""), st.just(""), _process_names, is_quoted=st.just(True)),
    st.builds(_cgroup, st.sampled_from(_EQUALITIES), _blanks, _paths),
    st.builds(_service, st.sampled_from(_EQUALITIES), _blanks, _services),
    st.builds(_netns, st.sampled_from(_EQUALITIES), _blanks, _netns_names, is_quoted=st.booleans()),
    st.builds(_user, st.sampled_from(_EQUALITIES), _blanks, st.sampled_from(sorted(_USERS))),
)

# -- Saved filters -----------------------------------------------------------------------------------------------------

_WEB = Or((PortTest(Side.EITHER, Span(443, 443)), PortTest(Side.EITHER, Span(8080, 8080))))
_QUIET = Not(StateTest(frozenset({TcpState.LISTEN})))


def _is_web(socket: Socket, _known: Known) -> bool:
    return bool({443, 8080} & {socket.local_port, socket.remote_port})


def _is_quiet(socket: Socket, _known: Known) -> bool:
    return socket.state is not TcpState.LISTEN


SAVED_MEANINGS: Mapping[str, Written] = {
    "web": Written("@web", _WEB, _is_web),
    "quiet": Written("@quiet", _QUIET, _is_quiet),
    "both": Written(
        "@both",
        Not(And((_WEB, _QUIET))),
        lambda socket, known: not (_is_web(socket, known) and _is_quiet(socket, known)),
    ),
    "empty-ones": Written(
        "@empty-ones", AmountTest("recv_queue_bytes", Span(0, 0)), lambda socket, _known: socket.recv_queue == 0
    ),
}
saved_filters = st.sampled_from(sorted(SAVED_MEANINGS)).map(SAVED_MEANINGS.__getitem__)

# -- Joining -----------------------------------------------------------------------------------------------------------

_ADDED = (" ", "\t", "  ")
_AND_SIGNS = (" and ", " & ", "&&", " AND ", *_ADDED)
_OR_SIGNS = (" or ", " | ", "||", " Or ")


def _enclosed(written: Written, level: int) -> Written:
    """As an operand: in parentheses where it would be read otherwise without."""
    if written.level >= level:
        return written
    return Written(f"({written.text})", written.tree, written.holds)


def _negated(sign: str, operand: Written) -> Written:
    enclosed = _enclosed(operand, TEST_LEVEL)
    inner = operand.tree
    return Written(
        f"{sign}{enclosed.text}",
        inner.operand if isinstance(inner, Not) else Not(inner),
        lambda socket, known: not operand.holds(socket, known),
    )


def _all(signs: list[str], operands: list[Written]) -> Written:
    parts = [_enclosed(operands[0], TEST_LEVEL)]
    text = parts[0].text
    for sign, operand in zip(signs, operands[1:], strict=False):
        part = _enclosed(operand, TEST_LEVEL)
        if sign in _ADDED and part.is_states and parts[-1].is_states:
            part = _enclosed(operand, TEST_LEVEL + 1)
        text += sign + part.text
        parts.append(part)
    return Written(
        text,
        And(tuple(part.tree for part in parts)),
        lambda socket, known: all(part.holds(socket, known) for part in parts),
        AND_LEVEL,
    )


def _any(signs: list[str], operands: list[Written]) -> Written:
    parts = [_enclosed(operand, AND_LEVEL) for operand in operands]
    text = parts[0].text
    for sign, part in zip(signs, parts[1:], strict=False):
        text += sign + part.text
    return Written(
        text,
        Or(tuple(part.tree for part in parts)),
        lambda socket, known: any(part.holds(socket, known) for part in parts),
        OR_LEVEL,
    )


def _combined(children: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    several = st.lists(children, min_size=2, max_size=4)
    ands = st.lists(st.sampled_from(_AND_SIGNS), min_size=3, max_size=3)
    ors = st.lists(st.sampled_from(_OR_SIGNS), min_size=3, max_size=3)
    return st.one_of(
        st.builds(_negated, st.sampled_from(("not ", "!", "! ", "NOT ")), children),
        st.builds(_all, ands, several),
        st.builds(_any, ors, several),
        children.map(lambda each: Written(f"( {each.text} )", each.tree, each.holds)),
    )


def filters_of(tests: st.SearchStrategy[Written], most_tests: int = 8) -> st.SearchStrategy[Written]:
    """Filters whose tests are of these."""
    return st.recursive(tests, _combined, max_leaves=most_tests)


tests = st.one_of(state_tests, kernel_tests, family_tests, autobound_tests, local_tests, saved_filters)
filters = filters_of(tests)
"""Filters out of the whole language; to be read with ``NAMES``."""
