"""One connection in words: every line that is known of it, with its unit and how it went lately. Pure.

The kernel's figures keep the names that ``ss -tie`` and the literature have for them. What this kernel or this source
does not tell is left out, never 0. Loads numpy through the model, so the screen has it only after the first frame.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tcptui.analysis.texts import cell_text
from tcptui.language import mark, tr, tr_n
from tcptui.model.fields import age_text, brief_time_text, duration_text, endpoint_text
from tcptui.model.owners import NAMED, Process, Standing
from tcptui.model.sample import Sample
from tcptui.model.services import service_of, service_text
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
    Standing.SEARCHING: mark(
        "being looked for: not every process has been looked at since this socket was first seen. "
        "It takes a few samples."
    ),
    Standing.OTHER_USER: mark(
        "no process that may be looked at holds it: it is one of another user's. Run as root to see whose."
    ),
    Standing.PID_NAMESPACE: mark(
        "no process that is listed here holds it, but only those of this pid namespace are. "
        "Run on the host, or in a container with --pid=host."
    ),
    Standing.KERNEL: mark(
        "every process was looked at and none has a descriptor for it: it is the kernel's own (NFS, a "
        "subflow of MPTCP), or io_uring's, or just being handed to another process. There is nobody to restart."
    ),
    Standing.EARLIER: mark(
        "its program had closed it before it was first seen here, and the kernel does not remember whose "
        "it was. Those that are closed from now on will be known."
    ),
    Standing.BRIEF: mark(
        "its program opened and closed it between two samples, so nobody saw whose it was. "
        "Sample more often (+) to see the next ones."
    ),
    Standing.GONE: mark("it was closed while the process that held it was looked for."),
    Standing.REFUSED: mark(
        "no process that shows what it holds has it, and some do not show even root: a container or a "
        "security module forbids it. Run on the host, or allow SYS_PTRACE."
    ),
    Standing.UNTOLD: mark(
        "this source does not tell which process holds a socket. Linux' own sources do (--source netlink or proc)."
    ),
}
"""Why nobody is named, and what can be done about it."""


def detail_title(watch: Watch, sample: Sample) -> str:
    """Both ends with the direction in which the connection was opened, where it is known; of a listener its own."""
    key = watch.key
    local = sample.end_text((key.local_hi, key.local_lo, key.local_port))
    if key.is_listener:
        return local
    arrow = "↔" if not _tells_direction(watch, sample) else "←" if watch.listener is not None else "→"
    return f"{local} {arrow} {sample.end_text((key.remote_hi, key.remote_lo, key.remote_port))}"


def detail_lines(watch: Watch, sample: Sample) -> list[DetailLine]:
    """All that is known of ``watch``, which is of ``sample``."""
    lines = [
        DetailLine(tr("ends"), _ends(watch, sample)),
        _state(watch, sample),
        *_who(watch, sample),
        *_timer(watch, sample),
        *_queues(watch, sample),
        *_figures(watch, sample),
    ]
    return [line for line in lines if line.text]


# -- What the connection is --------------------------------------------------------------------------------------------


def _ends(watch: Watch, sample: Sample) -> str:
    key = watch.key
    ends = detail_title(watch, sample)
    if key.is_listener:
        text = tr("{ends}, listens", ends=ends)
    elif watch.listener is not None:
        text = tr("{ends}, came in at {listener}", ends=ends, listener=endpoint_text(watch.listener))
    elif not _tells_direction(watch, sample):
        text = ends
    else:
        text = tr("{ends}, opened from here", ends=ends)
    return tr("{text}, bound to interface {interface}", text=text, interface=key.interface) if key.interface else text


def _tells_direction(watch: Watch, sample: Sample) -> bool:
    """Whether a connection that came in at no listener was opened from here: a text may leave listeners out."""
    if not sample.origin.is_still:
        return True
    has_listeners = bool(sample.table.state_counts()[TcpState.LISTEN])
    return has_listeners and watch.row is not None and sample.is_known("local_port", watch.row)


def _state(watch: Watch, sample: Sample) -> DetailLine:
    """The state and for how long, or since when there is none."""
    if watch.gone_since_s is not None:
        return DetailLine(tr("state"), _closed(watch, (sample.monotonic_s - watch.gone_since_s) * 1000), tone="warning")
    if watch.is_past and watch.row is None and watch.state is None:
        return DetailLine(tr("state"), tr("not among the sockets of this moment"), tone="warning")
    text = watch.state.name if watch.state is not None else tr("unknown")
    if watch.age_ms is not None:
        text = tr("{state} for {age}", state=text, age=age_text(watch.age_ms, is_whole=watch.is_age_whole))
    if watch.row is None:
        text = tr("{text}, outside of the filter", text=text)
    return DetailLine(tr("state"), _half_closed(watch, text), tone="strong")


def _closed(watch: Watch, gone_ms: float) -> str:
    """When a connection was closed, and what was seen of it."""
    closed = tr("closed {duration} ago", duration=duration_text(gone_ms)) if gone_ms >= 1 else tr("closed just now")
    if watch.state is None:
        return tr("{closed}, never seen here", closed=closed)
    return tr("{closed}, last seen in {state}", closed=closed, state=watch.state.name)


def _half_closed(watch: Watch, text: str) -> str:
    """``text`` with what is shut down where the state does not tell; ``include/net/sock.h``: 1 receiving, 2 sending."""
    shutdown = watch.detail.shutdown if watch.detail else None
    if shutdown == 2 and watch.state in (TcpState.FIN_WAIT1, TcpState.FIN_WAIT2):
        return tr("{text}, half closed: the program may still receive", text=text)
    if shutdown == 1 and watch.state is TcpState.ESTABLISHED:
        return tr("{text}, the program has shut down receiving", text=text)
    return text


def _timer(watch: Watch, sample: Sample) -> list[DetailLine]:
    if watch.row is None or watch.key.is_listener or not sample.is_known("timer", watch.row):
        return []
    row = sample.table.rows[watch.row]
    code, count = int(row["timer"]), int(row["retransmits"])
    if not code:
        return [DetailLine(tr("timer"), tr("none runs"), tone="dim")]
    name = timer_text(code)
    times = tr(_TIMES[name], count=count) if count and name in _TIMES else ""
    fires = mark("{timer}, ends in {duration}") if name == "timewait" else mark("{timer}, fires in {duration}")
    text = tr(fires, timer=name, duration=duration_text(int(row["timer_ms"])))
    return [DetailLine(tr("timer"), _joined([text, times]), tone="warning" if times else "text")]


_TIMES = {
    "on": mark("sent again {count} × without an answer"),
    "keepalive": mark("{count} probes without an answer"),
    "persist": mark("{count} probes of the peer's shut window"),
}
"""What the count of retransmissions means, by the timer that runs (FACTS section 6.3)."""


# -- Who ---------------------------------------------------------------------------------------------------------------


def _who(watch: Watch, sample: Sample) -> list[DetailLine]:
    """Processes, service and namespace."""
    texts = _processes(watch)
    lines = [DetailLine("" if index else tr("process"), text) for index, text in enumerate(texts)]
    lines = lines or [_nobody(watch, sample)]
    if watch.standing is Standing.LISTENER:
        lines.append(DetailLine("", _acceptance(watch), tone="dim"))
    if watch.cgroup:
        name = service_of(watch.cgroup).name
        text = watch.cgroup if name == watch.cgroup else f"{service_text(name)} · {watch.cgroup}"
        lines.append(DetailLine(tr("service"), text))
    if len(sample.namespaces) > 1:
        known = dict(enumerate(sample.namespaces))
        lines.append(DetailLine(tr("namespace"), known.get(watch.key.netns, "") or tr("one that has ended")))
    return lines


def _acceptance(watch: Watch) -> str:
    """How far a connection has come with the listener that is named, going by its state alone."""
    if watch.state is TcpState.SYN_RECV:
        return tr("That is who listens where it came in.")
    if watch.gone_since_s is None and watch.state in (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT):
        return tr("That is who listens where it came in, and it waits there to be accepted.")
    return tr("That is who listens where it came in, but who accepted it was not seen.")


def _processes(watch: Watch) -> list[str]:
    """The holders; those that are alike in all but their ids together."""
    holders = watch.holders or ()
    if watch.standing is Standing.LIKELY:
        return [
            tr(
                "{process}, as all that were seen and then closed towards there",
                process=cell_text("process", each.name),
            )
            for each in holders
        ]
    ids: dict[tuple[str, str, str, bool], list[int]] = {}
    for each in holders:
        alike = (each.name or "?", each.user or _uid_text(each), each.command, each in watch.ended)
        ids.setdefault(alike, []).append(each.pid)
    is_at = watch.standing is Standing.LISTENER
    is_past = not is_at and (watch.gone_since_s is not None or watch.standing is Standing.REMEMBERED)
    texts = []
    for (name, user, command, has_exited), pids in ids.items():
        who = f"{name} " + tr(", ").join(map(str, pids))
        if is_at or is_past:
            who = tr("at {name}", name=who) if is_at else tr("was {name}", name=who)
        if has_exited:
            who = tr_n("{process}, which has exited", "{process}, which have exited", len(pids), process=who)
        shown = command if len(command) <= LONGEST_COMMAND else f"{command[: LONGEST_COMMAND - 1]}…"
        texts.append(_joined([who, user, "" if shown == name else shown]))
    return texts


def _uid_text(process: Process) -> str:
    return "" if process.uid is None else f"uid {process.uid}"


def _nobody(watch: Watch, sample: Sample) -> DetailLine:
    """Why no process is named."""
    if watch.standing is None or watch.standing in NAMED:
        return DetailLine(tr("process"), tr("nobody has looked for it"), tone="dim")
    text = tr(UNNAMED[watch.standing])
    if watch.standing is Standing.UNTOLD and sample.origin.is_still:
        text = tr("the text does not tell which process holds it: ss -p and netstat -p do, as root.")
    is_told = watch.row is not None and sample.is_known("uid", watch.row) and sample.is_known("inode", watch.row)
    if is_told and sample.table.rows["inode"][watch.row]:
        text = tr("{text} The socket belongs to uid {uid}.", text=text, uid=sample.table.rows["uid"][watch.row])
    return DetailLine(tr("process"), text, tone="dim")


# -- Queues ------------------------------------------------------------------------------------------------------------


def _queues(watch: Watch, sample: Sample) -> list[DetailLine]:
    """What lies in the queues; a mini-socket or request has none (FACTS section 1, general rules)."""
    if watch.row is None or not sample.is_known("recv_queue_bytes", watch.row) or _is_mini(watch):
        return []
    row = sample.table.rows[watch.row]
    received, sent = int(row["recv_queue_bytes"]), int(row["send_queue_bytes"])
    to_read = watch.series.get(Measure.RECV_QUEUE)
    if watch.key.is_listener:
        has_backlog = sample.is_known("backlog", watch.row)
        is_full = has_backlog and received > sent
        wait = mark("{count:,} of {limit:,} connections wait to be accepted")
        if not has_backlog:
            wait = mark("{count:,} connections wait to be accepted")
        elif is_full:
            wait = mark("{count:,} of {limit:,} connections wait to be accepted: it is full")
        text = tr(wait, count=received, limit=sent)
        return [DetailLine(tr("accept queue"), text, to_read, "warning" if is_full else "text")]
    return [
        DetailLine(tr("recv queue"), _received_text(watch.state, received), to_read),
        DetailLine(tr("send queue"), _sent_text(watch.state, sent), watch.series.get(Measure.SEND_QUEUE)),
    ]


def _received_text(state: TcpState | None, count: int) -> str:
    """A received FIN counts as 1 until the program has read up to it (FACTS section 1, general rules)."""
    if state in (TcpState.CLOSE_WAIT, TcpState.LAST_ACK, TcpState.CLOSING) and count == 1:
        return tr("only the peer's FIN, which the program has not read")
    if state is TcpState.CLOSE_WAIT and not count:
        return tr("empty: the program has read to the end, and does not close")
    return tr("{size} that the program has not read", size=size_text(count)) if count else tr("empty")


def _sent_text(state: TcpState | None, count: int) -> str:
    """An own SYN or FIN counts as 1 until it is acknowledged (FACTS section 1, general rules)."""
    if count == 1 and state is TcpState.SYN_SENT:
        return tr("only our SYN, not acknowledged")
    if count == 1 and state in (TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING):
        return tr("only our FIN, not acknowledged")
    return tr("{size} not acknowledged", size=size_text(count)) if count else tr("empty")


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
    return [*lines, DetailLine(tr("options"), options), _memory(detail.memory)]


def _no_answer(watch: Watch, sample: Sample) -> str:
    if sample.origin.is_still:
        return tr("The text tells no more of it.")
    if "cookie" in sample.absent_fields:
        return tr("{source} tells no more of a socket than its row; sock_diag does.", source=sample.origin.source)
    if watch.is_past:
        return tr("What the kernel told of it then was not asked for: that goes only while it is looked at.")
    if watch.unanswered < SAMPLES_TO_WAIT:
        return tr("reading …")
    return tr("The kernel has told no more of it in {count} samples.", count=watch.unanswered)


def _no_figures(watch: Watch) -> list[DetailLine]:
    """Why there are no figures of the present."""
    if watch.gone_since_s is not None or watch.state is None:
        return []
    return [DetailLine("", tr(_MINI.get(watch.state, _NO_FIGURES)), tone="dim")]


_NO_FIGURES = mark("The kernel keeps no figures of it.")
_MINI = {
    TcpState.TIME_WAIT: mark(
        "Closed on both sides: the kernel keeps its addresses, to answer what comes late, and no figures."
    ),
    TcpState.FIN_WAIT2: mark(
        "Closed by its program, and the peer knows: the kernel waits for the peer to close too, and keeps no figures."
    ),
    TcpState.SYN_RECV: mark(
        "A request, not a connection yet: the kernel keeps its addresses and sends SYN-ACKs until the peer answers."
    ),
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
    return [DetailLine("", tr("As it was when the kernel last had figures:"), tone="dim"), *lines]


def _line(figure: _Figure, watch: Watch, info: Mapping[str, int]) -> DetailLine:
    series = watch.series.get(figure.measure) if figure.measure is not None else None
    rate = ""
    if figure.measure in _RATES and series and watch.gone_since_s is None:
        rate = "" if series[-1] is None else rate_text(series[-1])
    is_bad = figure.warns is not None and bool(_told([figure.warns], info))
    text = _joined([rate, _told(figure.facts, info)])
    return DetailLine(tr(figure.label), text, series, "warning" if is_bad else "text")


_RATES = (Measure.SENT, Measure.RECEIVED)


def _memory(memory: Mapping[str, int]) -> DetailLine:
    return DetailLine(tr("memory"), _told(_MEMORY, memory), tone="warning" if memory.get("drops") else "text")


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
_OPTION_NAMES = {1: mark("timestamps"), 2: "sack", 8: "ecn", 32: mark("fast open")}
"""``TCPI_OPT_*``, without window scaling, which has figures of its own."""
_WINDOW_SCALING = 4


def _round_trip(rtt_us: int, variation_us: int) -> str:
    if not rtt_us:
        return tr("not measured yet")
    return f"{brief_time_text(rtt_us)} ± {brief_time_text(variation_us)}"


def _threshold(segments: int) -> str:
    return "ssthresh " + (tr("none") if segments >= _NO_THRESHOLD else f"{segments:,}")


def _congestion_state(number: int) -> str:
    return _CONGESTION_STATES[number] if number < len(_CONGESTION_STATES) else ""


def _sent_again(again: int, sent: int) -> str:
    share = share_text(again, sent)
    return tr("{size}, {share} of what was sent", size=size_text(again), share=share) if again else ""


def _delivery(bytes_per_s: int, is_limited_by_program: int) -> str:
    if not bytes_per_s:
        return tr("not measured yet")
    rate = rate_text(bytes_per_s)
    return tr("{rate}, limited by the program", rate=rate) if is_limited_by_program else rate


def _pacing(bytes_per_s: int) -> str:
    return "pacing " + (tr("unlimited") if bytes_per_s == _ALL_64 else rate_text(bytes_per_s))


def _pacing_limit(bytes_per_s: int) -> str:
    return "" if bytes_per_s == _ALL_64 else tr("at most {rate}", rate=rate_text(bytes_per_s))


def _ago(text: str) -> Callable[[int], str]:
    return lambda milliseconds: tr(text, duration=duration_text(milliseconds))


def _data_ago(text: str, never: str) -> Callable[[int, int], str]:
    return lambda milliseconds, segments: _ago(text)(milliseconds) if segments else tr(never)


def _waited(busy_us: int, by_window_us: int, by_buffer_us: int) -> str:
    """``tcp_get_info_chrono_stats()``: the two waits are parts of the busy time."""
    if not busy_us:
        return tr("not measured")
    return _joined(
        [
            tr("busy {duration}", duration=brief_time_text(busy_us)),
            tr("{share} of it for the peer's window", share=share_text(by_window_us, busy_us)),
            tr("{share} for the buffer", share=share_text(by_buffer_us, busy_us)),
        ]
    )


def _options(bits: int) -> str:
    return _joined(tr(name) for bit, name in _OPTION_NAMES.items() if bits & bit)


def _count(text: str) -> Callable[[int], str]:
    """The message ``text`` with the number in it."""
    return lambda count: tr(text, count=f"{count:,}")


def _size(text: str) -> Callable[[int], str]:
    """The message ``text`` with the bytes in it."""
    return lambda count: tr(text, size=size_text(count))


def _of_most(text: str) -> Callable[[int, int], str]:
    """The message ``text`` with the bytes in use, and the most that may be."""
    return lambda used, most: tr(text, used=size_text(used), most=size_text(most))


def _with_data(data: int, segments: int) -> str:
    return tr("{data:,} of {segments:,} segments with data", data=data, segments=segments)


def _peers_window(size: int) -> str:
    return tr("the peer's {size}", size=size_text(size)) if size else tr("the peer's is shut")


def _some(say: Callable[[int], str]) -> Callable[[int], str]:
    """What ``say`` says, but nothing of none."""
    return lambda count: say(count) if count else ""


_FIGURES = (
    _Figure(
        mark("round trip"),
        (
            _fact(_round_trip, "rtt", "rttvar"),
            _fact(lambda us: "" if us == _ALL_32 else tr("least {duration}", duration=brief_time_text(us)), "min_rtt"),
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
        mark("in flight"),
        (
            _fact(_count(mark("unacked {count}")), "unacked"),
            _fact(_count(mark("sacked {count}")), "sacked"),
            _fact(_count(mark("lost {count}")), "lost"),
            _fact(_count(mark("reordering {count}")), "reordering"),
            _fact(_some(_size(mark("{size} not sent yet"))), "notsent_bytes"),
        ),
        warns=_fact(_some(str), "lost"),
    ),
    _Figure(
        mark("retransmits"),
        (
            _fact(_some(_count(mark("{count} in flight"))), "retrans"),
            _fact(lambda count: tr("{count:,} segments in all", count=count) if count else tr("none"), "total_retrans"),
            _fact(_sent_again, "bytes_retrans", "bytes_sent"),
            _fact(_some(_count(mark("{count} needless"))), "dsack_dups"),
        ),
        Measure.RETRANSMITS,
        is_early=True,
        is_lasting=True,
        warns=_fact(_some(str), "retrans"),
    ),
    _Figure(
        mark("sent"),
        (
            _fact(_size(mark("{size} in all")), "bytes_sent"),
            _fact(_size(mark("{size} acked")), "bytes_acked"),
            _fact(_with_data, "data_segs_out", "segs_out"),
        ),
        Measure.SENT,
        is_lasting=True,
    ),
    _Figure(
        mark("received"),
        (
            _fact(_size(mark("{size} in all")), "bytes_received"),
            _fact(_with_data, "data_segs_in", "segs_in"),
            _fact(_some(_count(mark("{count} out of order"))), "rcv_ooopack"),
        ),
        Measure.RECEIVED,
        is_lasting=True,
    ),
    _Figure(
        mark("delivery"),
        (
            _fact(_delivery, "delivery_rate", "delivery_rate_app_limited"),
            _fact(_pacing, "pacing_rate"),
            _fact(_pacing_limit, "max_pacing_rate"),
        ),
        Measure.DELIVERY,
    ),
    _Figure(
        mark("last data"),
        (
            _fact(_data_ago(mark("sent {duration} ago"), mark("never sent")), "last_data_sent", "data_segs_out"),
            _fact(_data_ago(mark("received {duration} ago"), mark("never received")), "last_data_recv", "data_segs_in"),
            _fact(_ago(mark("acked {duration} ago")), "last_ack_recv"),
        ),
    ),
    _Figure(mark("waited"), (_fact(_waited, "busy_time", "rwnd_limited", "sndbuf_limited"),)),
    _Figure(
        mark("windows"),
        (
            _fact(_peers_window, "snd_wnd"),
            _fact(_size(mark("ours {size}")), "rcv_wnd"),
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
    _fact(lambda size: f"mss {size:,}", "snd_mss"),
    _fact(lambda size: f"pmtu {size:,}", "pmtu"),
)

_MEMORY = (
    _fact(_of_most(mark("rmem {used} of {most}")), "rmem_alloc", "rcvbuf"),
    _fact(_of_most(mark("wmem {used} of {most}")), "wmem_queued", "sndbuf"),
    _fact(_some(lambda size: f"backlog {size_text(size)}"), "backlog"),
    _fact(_some(_count(mark("{count} dropped"))), "drops"),
)
