"""One connection in words: every line that is known of it, with its unit and how it went lately. Pure.

The kernel's figures keep the names that ``ss -tie`` and the literature have for them. What this kernel or this source
does not tell is left out, never 0. Loads numpy through the model, so the screen has it only after the first frame.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tcptui.model.fields import age_text, brief_time_text, duration_text, endpoint_text
from tcptui.model.owners import NAMED, Process, Standing
from tcptui.model.sample import Sample
from tcptui.model.services import service_of
from tcptui.model.states import TcpState
from tcptui.model.table import timer_text
from tcptui.monitor.watch import Measure, Series, Watch

Tone = Literal["text", "strong", "dim", "warning"]

LONGEST_COMMAND = 240
"""Characters of a command line that are shown: a Java class path can fill a screen."""
SAMPLES_TO_WAIT = 3
"""Samples without an answer after which it is said that there is none."""

_ALL_32, _ALL_64 = (1 << 32) - 1, (1 << 64) - 1
"""All ones stand for "none" in ``tcpi_min_rtt`` and the pacing rates."""
_NO_THRESHOLD = 0x7FFFFFFF
"""``TCP_INFINITE_SSTHRESH`` (``include/net/tcp.h``)."""


@dataclass(frozen=True)
class DetailLine:
    """One thing that is known of a connection."""

    label: str
    """Empty for a line that goes on with the one above."""
    text: str
    """As long as it needs to be; to be broken where the panel ends."""
    series: Series | None = None
    """How it went from sample to sample, where it is followed."""
    tone: Tone = "text"


UNNAMED = {
    Standing.SEARCHING: "being looked for: not every process has been looked at since this socket was first seen. "
    "It takes a few samples.",
    Standing.OTHER_USER: "no process that may be looked at holds it: it is one of another user's. "
    "Run as root to see whose.",
    Standing.PID_NAMESPACE: "no process that is listed here holds it, but only those of this pid namespace are. "
    "Run on the host, or in a container with --pid=host.",
    Standing.KERNEL: "every process was looked at and none has a descriptor for it: it is the kernel's own (NFS, a "
    "subflow of MPTCP), or io_uring's, or just being handed to another process. There is nobody to restart.",
    Standing.EARLIER: "its program had closed it before it was first seen here, and the kernel does not remember whose "
    "it was. Those that are closed from now on will be known.",
    Standing.BRIEF: "its program opened and closed it between two samples, so nobody saw whose it was. "
    "Sample more often (+) to see the next ones.",
    Standing.GONE: "it was closed while the process that held it was looked for.",
    Standing.REFUSED: "no process that shows what it holds has it, and some do not show even root: a container or a "
    "security module forbids it. Run on the host, or allow SYS_PTRACE.",
    Standing.UNTOLD: "this source does not tell which process holds a socket. Linux' own sources do "
    "(--source netlink or proc).",
}
"""Why nobody is named, and what can be done about it."""


def detail_title(watch: Watch) -> str:
    """Both ends with the direction in which the connection was opened; of a listener its own."""
    key = watch.key
    local = endpoint_text((key.local_hi, key.local_lo, key.local_port))
    if key.is_listener:
        return local
    arrow = "←" if watch.listener is not None else "→"
    return f"{local} {arrow} {endpoint_text((key.remote_hi, key.remote_lo, key.remote_port))}"


def detail_lines(watch: Watch, sample: Sample) -> list[DetailLine]:
    """All that is known of ``watch``, which is of ``sample``."""
    lines = [
        DetailLine("ends", _ends(watch)),
        _state(watch, sample),
        *_who(watch, sample),
        *_timer(watch, sample),
        *_queues(watch, sample),
        *_figures(watch, sample),
    ]
    return [line for line in lines if line.text]


# -- What the connection is --------------------------------------------------------------------------------------------


def _ends(watch: Watch) -> str:
    key = watch.key
    origin = "opened from here"
    if key.is_listener:
        origin = "listens"
    elif watch.listener is not None:
        origin = f"came in at {endpoint_text(watch.listener)}"
    device = f", bound to interface {key.interface}" if key.interface else ""
    return f"{detail_title(watch)}, {origin}{device}"


def _state(watch: Watch, sample: Sample) -> DetailLine:
    """The state and for how long, or since when there is none."""
    if watch.gone_since_s is not None:
        gone_ms = (sample.monotonic_s - watch.gone_since_s) * 1000
        when = f"{duration_text(gone_ms)} ago" if gone_ms >= 1 else "just now"
        seen = f"last seen in {watch.state.name}" if watch.state is not None else "never seen here"
        return DetailLine("state", f"closed {when}, {seen}", tone="warning")
    name = watch.state.name if watch.state is not None else "unknown"
    age = "" if watch.age_ms is None else f" for {age_text(watch.age_ms, is_whole=watch.is_age_whole)}"
    sight = ", outside of the filter" if watch.row is None else ""
    return DetailLine("state", f"{name}{age}{sight}{_half_closed(watch)}", tone="strong")


def _half_closed(watch: Watch) -> str:
    """What is shut down where the state alone does not tell; ``include/net/sock.h``: 1 is receiving, 2 sending."""
    shutdown = watch.detail.shutdown if watch.detail else None
    if shutdown == 2 and watch.state in (TcpState.FIN_WAIT1, TcpState.FIN_WAIT2):
        return ", half closed: the program may still receive"
    return ", the program has shut down receiving" if shutdown == 1 and watch.state is TcpState.ESTABLISHED else ""


def _timer(watch: Watch, sample: Sample) -> list[DetailLine]:
    if watch.row is None or watch.key.is_listener or "timer" in sample.absent_fields:
        return []
    row = sample.table.rows[watch.row]
    code, count = int(row["timer"]), int(row["retransmits"])
    if not code:
        return [DetailLine("timer", "none runs", tone="dim")]
    name = timer_text(code)
    times = _TIMES[name].format(count) if count and name in _TIMES else ""
    verb = "ends" if name == "timewait" else "fires"
    text = _joined([f"{name}, {verb} in {duration_text(int(row['timer_ms']))}", times])
    return [DetailLine("timer", text, tone="warning" if times else "text")]


_TIMES = {
    "on": "sent again {} × without an answer",
    "keepalive": "{} probes without an answer",
    "persist": "{} probes of the peer's shut window",
}
"""What the count of retransmissions means, by the timer that runs (FACTS section 6.3)."""


# -- Who ---------------------------------------------------------------------------------------------------------------


def _who(watch: Watch, sample: Sample) -> list[DetailLine]:
    """Processes, service and namespace."""
    texts = _processes(watch)
    lines = [DetailLine("" if index else "process", text) for index, text in enumerate(texts)]
    lines = lines or [_nobody(watch, sample)]
    if watch.standing is Standing.LISTENER:
        lines.append(DetailLine("", f"That is who listens where it came in{_acceptance(watch)}.", tone="dim"))
    if watch.cgroup:
        name = service_of(watch.cgroup).name
        lines.append(DetailLine("service", watch.cgroup if name == watch.cgroup else f"{name} · {watch.cgroup}"))
    if len(sample.namespaces) > 1:
        known = dict(enumerate(sample.namespaces))
        lines.append(DetailLine("namespace", known.get(watch.key.netns, "") or "one that has ended"))
    return lines


def _acceptance(watch: Watch) -> str:
    """How far a connection has come with the listener that it came in at, going by its state alone."""
    if watch.state is TcpState.SYN_RECV:
        return ""
    if watch.gone_since_s is None and watch.state in (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT):
        return ", and it waits there to be accepted"
    return ", but who accepted it was not seen"


def _processes(watch: Watch) -> list[str]:
    """The holders; those that are alike in all but their ids together."""
    holders = watch.holders or ()
    if watch.standing is Standing.LIKELY:
        return [f"{each.name}, as all that were seen and then closed towards there" for each in holders]
    ids: dict[tuple[str, str, str, bool], list[int]] = {}
    for each in holders:
        alike = (each.name or "?", each.user or _uid_text(each), each.command, each in watch.ended)
        ids.setdefault(alike, []).append(each.pid)
    is_at = watch.standing is Standing.LISTENER
    is_past = not is_at and (watch.gone_since_s is not None or watch.standing is Standing.REMEMBERED)
    texts = []
    for (name, user, command, has_exited), pids in ids.items():
        lead = "at " if is_at else "was " if is_past else ""
        ending = f", which ha{'s' if len(pids) == 1 else 've'} exited" if has_exited else ""
        who = f"{lead}{name} {', '.join(map(str, pids))}{ending}"
        shown = command if len(command) <= LONGEST_COMMAND else f"{command[: LONGEST_COMMAND - 1]}…"
        texts.append(_joined([who, user, "" if shown == name else shown]))
    return texts


def _uid_text(process: Process) -> str:
    return "" if process.uid is None else f"uid {process.uid}"


def _nobody(watch: Watch, sample: Sample) -> DetailLine:
    """Why no process is named."""
    if watch.standing is None or watch.standing in NAMED:
        return DetailLine("process", "nobody has looked for it", tone="dim")
    uid = ""
    if watch.row is not None and "uid" not in sample.absent_fields and sample.table.rows["inode"][watch.row]:
        uid = f" The socket belongs to uid {sample.table.rows['uid'][watch.row]}."
    return DetailLine("process", UNNAMED[watch.standing] + uid, tone="dim")


# -- Queues ------------------------------------------------------------------------------------------------------------


def _queues(watch: Watch, sample: Sample) -> list[DetailLine]:
    """What lies in the queues; a mini-socket or request has none (FACTS section 1, general rules)."""
    if watch.row is None or "recv_queue_bytes" in sample.absent_fields or _is_mini(watch):
        return []
    row = sample.table.rows[watch.row]
    received, sent = int(row["recv_queue_bytes"]), int(row["send_queue_bytes"])
    to_read = watch.series.get(Measure.RECV_QUEUE)
    if watch.key.is_listener:
        limit = "" if "backlog" in sample.absent_fields else f" of {sent:,}"
        is_full = bool(limit) and received > sent
        text = f"{received:,}{limit} connections wait to be accepted{': it is full' if is_full else ''}"
        return [DetailLine("accept queue", text, to_read, "warning" if is_full else "text")]
    return [
        DetailLine("recv queue", _received_text(watch.state, received), to_read),
        DetailLine("send queue", _sent_text(watch.state, sent), watch.series.get(Measure.SEND_QUEUE)),
    ]


def _received_text(state: TcpState | None, count: int) -> str:
    """A received FIN counts as 1 until the program has read up to it (FACTS section 1, general rules)."""
    if state in (TcpState.CLOSE_WAIT, TcpState.LAST_ACK, TcpState.CLOSING) and count == 1:
        return "only the peer's FIN, which the program has not read"
    if state is TcpState.CLOSE_WAIT and not count:
        return "empty: the program has read to the end, and does not close"
    return f"{size_text(count)} that the program has not read" if count else "empty"


def _sent_text(state: TcpState | None, count: int) -> str:
    """An own SYN or FIN counts as 1 until it is acknowledged (FACTS section 1, general rules)."""
    if count == 1 and state is TcpState.SYN_SENT:
        return "only our SYN, not acknowledged"
    if count == 1 and state in (TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING):
        return "only our FIN, not acknowledged"
    return f"{size_text(count)} not acknowledged" if count else "empty"


# -- Figures of the connection -----------------------------------------------------------------------------------------


class _Fact(NamedTuple):
    """A part of a line, said where the kernel tells all the fields that it needs."""

    say: Callable[..., str]
    names: tuple[str, ...]


def _fact(say: Callable[..., str], *names: str) -> _Fact:
    return _Fact(say, names)


class _Figure(NamedTuple):
    """A line of figures."""

    label: str
    facts: tuple[_Fact, ...]
    measure: Measure | None = None
    is_early: bool = False
    """Whether it says something in SYN_SENT."""
    is_lasting: bool = False
    """Whether it still says something when the connection is over."""
    warns: _Fact | None = None
    """Says something if the line is bad news."""


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(part for part in parts if part)


def _told(facts: Iterable[_Fact], known: Mapping[str, int]) -> str:
    told = (fact for fact in facts if known.keys() >= set(fact.names))
    return _joined(fact.say(*(known[name] for name in fact.names)) for fact in told)


def _figures(watch: Watch, sample: Sample) -> list[DetailLine]:
    """The kernel's figures, or what there is instead of them."""
    detail = watch.detail
    if detail is None and watch.gone_since_s is None:
        return [DetailLine("", _no_answer(watch, sample), tone="dim")]
    if watch.key.is_listener:
        return [] if detail is None else [_memory(detail.memory)]
    if detail is None or detail.info is None:
        return [*_no_figures(watch), *_last_figures(watch)]
    figures = [each for each in _FIGURES if each.is_early or watch.state is not TcpState.SYN_SENT]
    lines = [_line(each, watch, detail.info) for each in figures]
    options = _joined([detail.congestion, _told(_OPTIONS, detail.info), _type_of_service(detail.type_of_service)])
    return [*lines, DetailLine("options", options), _memory(detail.memory)]


def _no_answer(watch: Watch, sample: Sample) -> str:
    if "cookie" in sample.absent_fields:
        return f"{sample.origin.source} tells no more of a socket than its row; sock_diag does."
    if watch.unanswered < SAMPLES_TO_WAIT:
        return "reading …"
    return f"The kernel has told no more of it in {watch.unanswered} samples."


def _no_figures(watch: Watch) -> list[DetailLine]:
    """Why there are no figures of the present."""
    if watch.gone_since_s is not None or watch.state is None:
        return []
    return [DetailLine("", _MINI.get(watch.state, "The kernel keeps no figures of it."), tone="dim")]


_MINI = {
    TcpState.TIME_WAIT: "Closed on both sides: the kernel keeps its addresses, to answer what comes late, and no "
    "figures.",
    TcpState.FIN_WAIT2: "Closed by its program, and the peer knows: the kernel waits for the peer to close too, and "
    "keeps no figures.",
    TcpState.SYN_RECV: "A request, not a connection yet: the kernel keeps its addresses and sends SYN-ACKs until the "
    "peer answers.",
}
"""What is known of sockets without ``tcp_info`` (FACTS section 6.2)."""


def _is_mini(watch: Watch) -> bool:
    """Whether the kernel keeps little more than the addresses."""
    if watch.detail is not None:
        return watch.detail.info is None
    return watch.state in (TcpState.TIME_WAIT, TcpState.SYN_RECV)


def _last_figures(watch: Watch) -> list[DetailLine]:
    """What the connection came to, as far as it was watched before."""
    if watch.last_info is None:
        return []
    lines = [_line(each, watch, watch.last_info) for each in _FIGURES if each.is_lasting]
    return [DetailLine("", "As it was when the kernel last had figures:", tone="dim"), *lines]


def _line(figure: _Figure, watch: Watch, info: Mapping[str, int]) -> DetailLine:
    series = watch.series.get(figure.measure) if figure.measure is not None else None
    rate = ""
    if figure.measure in _RATES and series and watch.gone_since_s is None:
        rate = "" if series[-1] is None else rate_text(series[-1])
    is_bad = figure.warns is not None and bool(_told([figure.warns], info))
    return DetailLine(figure.label, _joined([rate, _told(figure.facts, info)]), series, "warning" if is_bad else "text")


_RATES = (Measure.SENT, Measure.RECEIVED)


def _memory(memory: Mapping[str, int]) -> DetailLine:
    return DetailLine("memory", _told(_MEMORY, memory), tone="warning" if memory.get("drops") else "text")


def _type_of_service(number: int | None) -> str:
    return f"tos 0x{number:02x}" if number else ""


# -- Numbers -----------------------------------------------------------------------------------------------------------


def size_text(count: int) -> str:
    """Bytes in the largest unit that leaves at least one before the point, by thousands: ``840 B``, ``3.4 MB``."""
    if count < 1000:
        return f"{count} B"
    size, unit = count / 1000, "kB"
    for larger in ("MB", "GB", "TB", "PB", "EB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if size >= 99.95 else f"{size:.1f} {unit}"


def rate_text(bytes_per_s: int) -> str:
    """Bytes a second."""
    return f"{size_text(bytes_per_s)}/s"


def share_text(part: int, whole: int) -> str:
    """A part in per cent; what is little is not nothing."""
    share = 100 * part / whole if whole else 0.0
    return f"{share:.0f} %" if share >= 1 or not part else "<1 %"


# -- What each figure says ---------------------------------------------------------------------------------------------

_CONGESTION_STATES = ("", "disorder", "cwr", "recovery", "loss")
"""``enum tcp_ca_state`` (``include/uapi/linux/tcp.h``); the first is the usual one."""
_OPTION_NAMES = {1: "timestamps", 2: "sack", 8: "ecn", 32: "fast open"}
"""``TCPI_OPT_*``, without window scaling, which has figures of its own."""
_WINDOW_SCALING = 4


def _round_trip(rtt_us: int, variation_us: int) -> str:
    if not rtt_us:
        return "not measured yet"
    return f"{brief_time_text(rtt_us)} ± {brief_time_text(variation_us)}"


def _threshold(segments: int) -> str:
    return f"ssthresh {'none' if segments >= _NO_THRESHOLD else f'{segments:,}'}"


def _congestion_state(number: int) -> str:
    return _CONGESTION_STATES[number] if number < len(_CONGESTION_STATES) else ""


def _sent_again(again: int, sent: int) -> str:
    return f"{size_text(again)}, {share_text(again, sent)} of what was sent" if again else ""


def _delivery(bytes_per_s: int, is_limited_by_program: int) -> str:
    if not bytes_per_s:
        return "not measured yet"
    return f"{rate_text(bytes_per_s)}{', limited by the program' if is_limited_by_program else ''}"


def _pacing(bytes_per_s: int) -> str:
    return f"pacing {'unlimited' if bytes_per_s == _ALL_64 else rate_text(bytes_per_s)}"


def _pacing_limit(bytes_per_s: int) -> str:
    return "" if bytes_per_s == _ALL_64 else f"at most {rate_text(bytes_per_s)}"


def _ago(what: str) -> Callable[[int], str]:
    return lambda milliseconds: f"{what} {duration_text(milliseconds)} ago"


def _data_ago(what: str) -> Callable[[int, int], str]:
    return lambda milliseconds, segments: f"{what} {duration_text(milliseconds)} ago" if segments else f"never {what}"


def _waited(busy_us: int, by_window_us: int, by_buffer_us: int) -> str:
    """``tcp_get_info_chrono_stats()``: the two waits are parts of the busy time."""
    if not busy_us:
        return "not measured"
    by_window = f"{share_text(by_window_us, busy_us)} of it for the peer's window"
    return _joined(
        [f"busy {brief_time_text(busy_us)}", by_window, f"{share_text(by_buffer_us, busy_us)} for the buffer"]
    )


def _options(bits: int) -> str:
    return _joined(name for bit, name in _OPTION_NAMES.items() if bits & bit)


def _count(text: str) -> Callable[[int], str]:
    """``text`` with the number in it."""
    return lambda count: text.format(f"{count:,}")


def _size(text: str) -> Callable[[int], str]:
    """``text`` with the bytes in it."""
    return lambda count: text.format(size_text(count))


def _some(say: Callable[[int], str]) -> Callable[[int], str]:
    """What ``say`` says, but nothing of none."""
    return lambda count: say(count) if count else ""


_FIGURES = (
    _Figure(
        "round trip",
        (
            _fact(_round_trip, "rtt", "rttvar"),
            _fact(lambda us: "" if us == _ALL_32 else f"least {brief_time_text(us)}", "min_rtt"),
            _fact(lambda us: f"rto {brief_time_text(us)}", "rto"),
        ),
        Measure.RTT_US,
        is_early=True,
        is_lasting=True,
    ),
    _Figure(
        "cwnd",
        (
            _fact(lambda cwnd, mss: f"{cwnd:,} × {mss:,} B = {size_text(cwnd * mss)}", "snd_cwnd", "snd_mss"),
            _fact(_threshold, "snd_ssthresh"),
            _fact(_congestion_state, "ca_state"),
        ),
        Measure.CWND,
        is_early=True,
    ),
    _Figure(
        "in flight",
        (
            _fact(_count("unacked {}"), "unacked"),
            _fact(_count("sacked {}"), "sacked"),
            _fact(_count("lost {}"), "lost"),
            _fact(_count("reordering {}"), "reordering"),
            _fact(_some(_size("{} not sent yet")), "notsent_bytes"),
        ),
        warns=_fact(_some(str), "lost"),
    ),
    _Figure(
        "retransmits",
        (
            _fact(_some(_count("{} in flight")), "retrans"),
            _fact(lambda count: f"{count:,} segments in all" if count else "none", "total_retrans"),
            _fact(_sent_again, "bytes_retrans", "bytes_sent"),
            _fact(_some(_count("{} needless")), "dsack_dups"),
        ),
        Measure.RETRANSMITS,
        is_early=True,
        is_lasting=True,
        warns=_fact(_some(str), "retrans"),
    ),
    _Figure(
        "sent",
        (
            _fact(_size("{} in all"), "bytes_sent"),
            _fact(_size("{} acked"), "bytes_acked"),
            _fact(lambda data, segments: f"{data:,} of {segments:,} segments with data", "data_segs_out", "segs_out"),
        ),
        Measure.SENT,
        is_lasting=True,
    ),
    _Figure(
        "received",
        (
            _fact(_size("{} in all"), "bytes_received"),
            _fact(lambda data, segments: f"{data:,} of {segments:,} segments with data", "data_segs_in", "segs_in"),
            _fact(_some(_count("{} out of order")), "rcv_ooopack"),
        ),
        Measure.RECEIVED,
        is_lasting=True,
    ),
    _Figure(
        "delivery",
        (
            _fact(_delivery, "delivery_rate", "delivery_rate_app_limited"),
            _fact(_pacing, "pacing_rate"),
            _fact(_pacing_limit, "max_pacing_rate"),
        ),
        Measure.DELIVERY,
    ),
    _Figure(
        "last data",
        (
            _fact(_data_ago("sent"), "last_data_sent", "data_segs_out"),
            _fact(_data_ago("received"), "last_data_recv", "data_segs_in"),
            _fact(_ago("acked"), "last_ack_recv"),
        ),
    ),
    _Figure("waited", (_fact(_waited, "busy_time", "rwnd_limited", "sndbuf_limited"),)),
    _Figure(
        "windows",
        (
            _fact(lambda size: f"the peer's {size_text(size)}" if size else "the peer's is shut", "snd_wnd"),
            _fact(_size("ours {}"), "rcv_wnd"),
        ),
        warns=_fact(lambda size: "" if size else "shut", "snd_wnd"),
    ),
)

_OPTIONS = (
    _fact(_options, "options"),
    _fact(
        lambda bits, sending, receiving: f"wscale {sending},{receiving}" if bits & _WINDOW_SCALING else "",
        *("options", "snd_wscale", "rcv_wscale"),
    ),
    _fact(_count("mss {}"), "snd_mss"),
    _fact(_count("pmtu {}"), "pmtu"),
)

_MEMORY = (
    _fact(lambda used, most: f"rmem {size_text(used)} of {size_text(most)}", "rmem_alloc", "rcvbuf"),
    _fact(lambda used, most: f"wmem {size_text(used)} of {size_text(most)}", "wmem_queued", "sndbuf"),
    _fact(_some(_size("backlog {}")), "backlog"),
    _fact(_some(_count("{} dropped")), "drops"),
)
