"""Every field, declared once: from here it becomes a column, a sort key, a CSV header, a JSON key and a filter word.

A column of a field is a tuple of equally long arrays, most significant first: one array for a number, two for an
address (``model.address``), three for an address with a port. A value is one row of that, a tuple of integers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tcptui.errors import RequestError, nearest_hint
from tcptui.language import mark, tr
from tcptui.model.address import address_text
from tcptui.model.states import ALL_STATE_COLUMNS, DISPLAY_ORDER, TcpState, find_state
from tcptui.model.table import timer_text
from tcptui.text import sparkline

Value = tuple[int, ...]
Json = int | str | None


@dataclass(frozen=True)
class FieldType:
    """How the values of a field become text for people and values for programs."""

    human: Callable[[Value], str]
    plain: Callable[[Value], Json]
    is_number: bool
    """Numbers are aligned right and first sorted from the largest."""


def _grouped(value: Value) -> str:
    return f"{value[0]:,}"


def _signed(value: Value) -> str:
    return f"{value[0]:+,}" if value[0] else "0"


def _number(value: Value) -> int:
    return value[0]


def _bare_number(value: Value) -> str:
    return str(value[0])


def _address(value: Value) -> str:
    return address_text(value[0], value[1])


def _network(value: Value) -> str:
    """An address, or with a third part the network of so many bits that begins there."""
    address = address_text(value[0], value[1])
    return f"{address}/{value[2]}" if len(value) > 2 else address


def endpoint_text(value: Value) -> str:
    """An address with its port, an IPv6 address in brackets."""
    address = address_text(value[0], value[1])
    return f"[{address}]:{value[2]}" if ":" in address else f"{address}:{value[2]}"


def _state(value: Value) -> str:
    return TcpState(value[0]).name


def _timer(value: Value) -> str:
    return timer_text(value[0])


def duration_text(milliseconds: float) -> str:
    """A duration in the two largest units that matter: ``840ms``, ``4.8s``, ``12s``, ``3m07s``, ``2h05m``."""
    if round(milliseconds) < 1000:
        return f"{milliseconds:.0f}ms"
    seconds = milliseconds / 1000
    if round(seconds, 1) < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"


def _duration(value: Value) -> str:
    return duration_text(value[0]) if value[0] else "-"


def age_text(age_ms: int, *, is_whole: bool) -> str:
    """A time in a state; at least so long where its beginning was not watched."""
    return duration_text(age_ms) if is_whole else f"≥{duration_text(age_ms)}"


def _age(value: Value) -> str:
    return age_text(value[0], is_whole=bool(value[1]))


def brief_time_text(microseconds: int) -> str:
    """A time as a path has it: ``840µs``, ``1.24ms``, ``204ms``, ``3.2s``."""
    if microseconds < 1000:
        return f"{microseconds}µs"
    return f"{microseconds / 1000:.3g}ms" if microseconds < 999_500 else duration_text(microseconds / 1000)


def _microseconds(value: Value) -> str:
    return brief_time_text(value[0]) if value[0] else "-"


def _number_or_none(value: Value) -> str:
    return "-" if value[0] < 0 else str(value[0])


def _plain_number_or_none(value: Value) -> Json:
    return None if value[0] < 0 else value[0]


def _used_of_limit(value: Value) -> str:
    """So many of so many; the second is ``NO_NUMBER`` where it is not told."""
    if value[0] < 0:
        return "-"
    return f"{value[0]}/{'?' if value[1] < 0 else value[1]}"


def _blocks(value: Value) -> str:
    return sparkline(value[::-1], TREND_COLUMNS)


def _course(value: Value) -> str:
    return " ".join("-" if each < 0 else str(each) for each in value[::-1])


def _no_text(_value: Value) -> str:
    raise AssertionError("a text stands in Grid.texts")


TREND_COLUMNS = 12
"""Stretches of time in a trend."""

NO_NUMBER = -1
"""Stands for none in columns of numbers that some rows do not have."""

COUNT = FieldType(_grouped, _number, is_number=True)
CHANGE = FieldType(_signed, _number, is_number=True)
NUMBER = FieldType(_bare_number, _number, is_number=True)
MILLISECONDS = FieldType(_duration, _number, is_number=True)
ADDRESS = FieldType(_address, _address, is_number=False)
NETWORK = FieldType(_network, _network, is_number=False)
ENDPOINT = FieldType(endpoint_text, endpoint_text, is_number=False)
STATE = FieldType(_state, _state, is_number=False)
TIMER = FieldType(_timer, _timer, is_number=False)
AGE = FieldType(_age, _number, is_number=True)
MICROSECONDS = FieldType(_microseconds, _number, is_number=True)
OPTIONAL_NUMBER = FieldType(_number_or_none, _plain_number_or_none, is_number=True)
USED_OF_LIMIT = FieldType(_used_of_limit, _plain_number_or_none, is_number=True)
TREND = FieldType(_blocks, _course, is_number=True)
"""A value has the newest number first, so that it orders by that; ``NO_NUMBER`` is from before anybody looked."""
TEXT = FieldType(_no_text, _no_text, is_number=False)
"""A value is an index into ``Grid.texts``, which are in their order."""


@dataclass(frozen=True)
class Field:
    """One field."""

    id: str
    """JSON key, CSV header and sort key; carries the unit."""
    title: str
    """Column heading, said by ``tr``; may be set over two lines where it holds an underscore or a blank."""
    type: FieldType
    width: int
    """Cells to reserve before the values are known."""
    about: str
    """One sentence for help, said by ``tr``."""
    filter_word: str = ""
    """The filter language's word for it, where it has one."""
    is_for_programs: bool = False
    """Whether only programs get it: people see it as a part of another column."""

    @property
    def title_in_text(self) -> str:
        """The heading as it stands in a sentence, in the language in force; names of states stay as they are."""
        said = tr(self.title)
        return said if said in TcpState.__members__ else said.lower()


_PLAIN_FIELDS = (
    Field("state", mark("STATE"), STATE, 11, mark("TCP state, by the kernel's name"), "state"),
    Field(
        "peer",
        mark("PEER"),
        NETWORK,
        15,
        mark("Remote address, or the network with --prefix; 0.0.0.0 or :: for listeners, which have none"),
        "dst",
    ),
    Field("port", mark("PORT"), NUMBER, 5, mark("Local port"), "sport"),
    Field("local", mark("LISTENER"), ENDPOINT, 21, mark("Address and port that a program listens on"), "src"),
    Field(
        "accept_queue",
        mark("ACCEPT QUEUE"),
        COUNT,
        6,
        mark("Connections that wait for the program to accept() them"),
    ),
    Field("backlog", mark("BACKLOG"), COUNT, 7, mark("Most connections that may wait, as fixed by listen()")),
    Field("total", mark("TOTAL"), COUNT, 7, mark("Sockets in the row")),
    Field("change", mark("CHANGE"), CHANGE, 6, mark("Change of the total since the sample before")),
    Field(
        "trend", mark("TREND"), TREND, TREND_COLUMNS, mark("The total over the last minute, by peaks of five seconds")
    ),
    Field(
        "recv_queue_bytes",
        mark("RECV-Q"),
        COUNT,
        6,
        mark("Bytes received that the program has not read; a FIN counts as 1"),
        "recvq",
    ),
    Field(
        "send_queue_bytes",
        mark("SEND-Q"),
        COUNT,
        6,
        mark("Bytes not acknowledged by the peer; a SYN or FIN counts as 1"),
        "sendq",
    ),
    Field("local_address", mark("LOCAL ADDRESS"), ADDRESS, 15, mark("This end's address"), "src"),
    Field("local_port", mark("LOCAL PORT"), NUMBER, 5, mark("This end's port"), "sport"),
    Field("remote_address", mark("REMOTE ADDRESS"), ADDRESS, 15, mark("The other end's address"), "dst"),
    Field("remote_port", mark("REMOTE PORT"), NUMBER, 6, mark("The other end's port"), "dport"),
    Field("timer", mark("TIMER"), TIMER, 9, mark("The kernel timer that is running for the socket"), "timer"),
    Field("timer_ms", mark("FIRES IN"), MILLISECONDS, 6, mark("Time until that timer fires")),
    Field(
        "retransmits",
        mark("RETRANS"),
        NUMBER,
        7,
        mark("Retransmissions or probes sent without an answer"),
        "retrans",
    ),
    Field("uid", mark("UID"), NUMBER, 5, mark("User id that owns the socket; 0 where the kernel keeps none"), "user"),
    Field(
        "inode",
        mark("INODE"),
        NUMBER,
        8,
        mark("Inode of the descriptor; 0 when no process holds the socket"),
        "inode",
    ),
    Field(
        "process",
        mark("PROCESS"),
        TEXT,
        9,
        mark(
            "Process that holds the socket; was: it held it; at: it holds the listener it came in at; "
            "or why there is none"
        ),
        "process",
    ),
    Field(
        "pid",
        mark("PID"),
        OPTIONAL_NUMBER,
        6,
        mark("Id of that process; the lowest of several that share the socket"),
        "pid",
    ),
    Field("holders", mark("HOLDERS"), COUNT, 3, mark("Processes that share the socket"), is_for_programs=True),
    Field(
        "holding",
        mark("HOLDING"),
        TEXT,
        8,
        mark("How the process stands to the socket (held, remembered, listener), or why there is none"),
        is_for_programs=True,
    ),
    Field("user", mark("USER"), TEXT, 6, mark("User that the process runs as")),
    Field("command", mark("COMMAND"), TEXT, 10, mark("Command line of the process")),
    Field(
        "descriptors",
        mark("FDS"),
        USED_OF_LIMIT,
        8,
        mark(
            "Descriptors that the process has open, of as many as it may; "
            "of several processes, the nearest to its limit"
        ),
    ),
    Field(
        "descriptor_limit",
        mark("FD LIMIT"),
        OPTIONAL_NUMBER,
        6,
        mark("Soft RLIMIT_NOFILE of that process"),
        is_for_programs=True,
    ),
    Field(
        "service",
        mark("SERVICE"),
        TEXT,
        14,
        mark("Systemd unit, container, pod or session that the socket belongs to"),
        "service",
    ),
    Field("netns", mark("NETNS"), TEXT, 8, mark("Network namespace; shown where all are looked at (-N all)"), "netns"),
    Field(
        "age_ms",
        mark("IN STATE"),
        AGE,
        7,
        mark("Time in the state; ≥ where it was in it already when it was first seen"),
        "age",
    ),
    Field(
        "rtt_us",
        mark("RTT"),
        MICROSECONDS,
        6,
        mark("Smoothed round-trip time (tcp_info); - where the kernel keeps none"),
    ),
    Field(
        "total_retransmits",
        mark("RETRANS SUM"),
        COUNT,
        7,
        mark("Segments sent again since the connection began (tcp_info)"),
    ),
    Field("cookie", mark("COOKIE"), NUMBER, 8, mark("The kernel's identity of the socket, unique until the next boot")),
)

_STATE_FIELDS = tuple(
    Field(state.name, state.name, COUNT, 5, f"Sockets in {state.name}", f"state {state.name}") for state in TcpState
)

FIELDS = {field.id: field for field in (*_PLAIN_FIELDS, *_STATE_FIELDS)}
"""Every field by its id."""

OVER_TIME_FIELDS = frozenset({"change", "trend"})
"""What takes more than one sample to know."""

_MATRIX = ("total", "change", *(state.name for state in DISPLAY_ORDER), "recv_queue_bytes", "send_queue_bytes", "trend")


class ViewKind(str, Enum):
    """What one row of the table stands for."""

    STATES = "states"
    PEERS = "peers"
    PROCESSES = "processes"
    SERVICES = "services"
    LISTENERS = "listeners"
    PORTS = "ports"
    CONNECTIONS = "connections"
    NAMESPACES = "namespaces"

    @property
    def fields(self) -> tuple[Field, ...]:
        """The view's columns, the key first."""
        return tuple(FIELDS[field_id] for field_id in _VIEW_FIELDS[self])

    @property
    def key(self) -> Field:
        """The field that tells one row from another for a reader."""
        return self.fields[0]

    @property
    def usual_columns(self) -> tuple[str, ...]:
        """Ids of the columns for people, of all states ``ALL_STATE_COLUMNS``."""
        shown = (field.id for field in self.fields if not field.is_for_programs)
        return tuple(dict.fromkeys(ALL_STATE_COLUMNS if each in TcpState.__members__ else each for each in shown))

    @property
    def last_pinned(self) -> str:
        """Id of the column up to which all stay in sight when the others are scrolled sideways."""
        return "total" if self.is_matrix else self.key.id

    @property
    def is_matrix(self) -> bool:
        """Whether each row has one count for every state."""
        return self not in (ViewKind.STATES, ViewKind.CONNECTIONS)

    @property
    def is_within_namespace(self) -> bool:
        """Whether all sockets of a row are of one network namespace."""
        return "netns" in _VIEW_FIELDS[self]

    @property
    def names_processes(self) -> bool:
        """Whether a row tells who holds sockets."""
        return not _NAMING.isdisjoint(_VIEW_FIELDS[self])


_NAMING = frozenset({"process", "descriptors", "service"})
INFO_FIELDS = frozenset({"rtt_us", "total_retransmits"})
"""What stands in ``tcp_info`` alone, and is fetched only when it is shown or ordered by."""

_VIEW_FIELDS = {
    ViewKind.STATES: ("state", "total", "change", "recv_queue_bytes", "send_queue_bytes"),
    ViewKind.PEERS: ("peer", "netns", *_MATRIX),
    ViewKind.PROCESSES: (
        *("process", "pid", "descriptors", *_MATRIX),
        *("user", "command", "descriptor_limit", "holders"),
    ),
    ViewKind.SERVICES: ("service", "descriptors", *_MATRIX, "descriptor_limit"),
    ViewKind.LISTENERS: ("local", "netns", "process", "accept_queue", "backlog", *_MATRIX, "pid"),
    ViewKind.PORTS: ("port", "netns", *_MATRIX),
    ViewKind.CONNECTIONS: (
        "state",
        "netns",
        "process",
        "local_address",
        "local_port",
        "remote_address",
        "remote_port",
        "recv_queue_bytes",
        "send_queue_bytes",
        "age_ms",
        "timer",
        "timer_ms",
        "retransmits",
        "pid",
        "service",
        "rtt_us",
        "total_retransmits",
        "uid",
        "inode",
        "cookie",
        "holders",
        "holding",
    ),
    ViewKind.NAMESPACES: ("netns", "descriptors", *_MATRIX, "descriptor_limit"),
}


@dataclass(frozen=True)
class SortKey:
    """By which field to order, and in which direction."""

    field_id: str
    descending: bool


def parse_sort(text: str, kind: ViewKind) -> SortKey:
    """A sort key as ``--sort`` takes it: a field's id, ``-`` in front for descending.

    State columns go by any spelling of the state.

    Raises:
        RequestError: the view has no such field; the hint offers the nearest.
    """
    wanted = text.removeprefix("-")
    field_id = _field_id(wanted, kind)
    if field_id is None:
        known = [field.id for field in kind.fields]
        problem = tr("the view {view} has no field {field!r} to sort by", view=kind.value, field=wanted)
        raise RequestError(problem, nearest_hint(wanted, known))
    return SortKey(field_id, text.startswith("-"))


def _field_id(text: str, kind: ViewKind) -> str | None:
    """The field of a view by its id, or of a state by any spelling of it; None if the view has none."""
    by_folded_id = {field.id.replace("_", "").lower(): field.id for field in kind.fields}
    state = find_state(text)
    return by_folded_id.get((state.name if state else text).replace("-", "").replace("_", "").lower())


def parse_column(text: str, kind: ViewKind) -> str:
    """A column as a person names it: a field's id, a state in any spelling, or ``ALL_STATE_COLUMNS``.

    Raises:
        RequestError: the view has no such column; the hint offers the nearest.
    """
    field_id = _field_id(text, kind)
    if field_id is not None and not FIELDS[field_id].is_for_programs:
        return field_id
    if text.lower() == ALL_STATE_COLUMNS and ALL_STATE_COLUMNS in kind.usual_columns:
        return ALL_STATE_COLUMNS
    known = [field.id for field in kind.fields if not field.is_for_programs]
    problem = tr("the view {view} has no column {column!r}", view=kind.value, column=text)
    raise RequestError(problem, nearest_hint(text, dict.fromkeys([*known, *kind.usual_columns])))


def default_sort(kind: ViewKind) -> SortKey | None:
    """The order a view starts with: largest group first; states and connections as they come."""
    return SortKey("total", descending=True) if kind.is_matrix else None
