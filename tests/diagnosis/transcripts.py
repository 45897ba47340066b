"""Machines of tests as the text that somebody pastes: in the shapes of the notes that the incidents are from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tcptui.analysis.attribution import attributed
from tcptui.model.address import address_text
from tcptui.model.owners import Process
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import TIMER_NAMES

HISTOGRAM_BY = "netstat -n | awk '/^tcp/ {++S[$NF]} END {for(a in S) print a, S[a]}'"
PEERS_BY = "ss -an | grep x.x.x | awk '{print $1,$5}' | awk -F: '{print $1}' | sort | uniq -c | sort -n"
WORST_BY = "netstat -ant | fgrep %s | cut -b 49-75 | cut -d: -f1 | sort | uniq -c | sort -nr | head -5"
ONE_PEER_BY = "netstat -an | grep %s"

SS_NAMES = {TcpState.ESTABLISHED: "ESTAB", TcpState.FIN_WAIT1: "FIN-WAIT-1", TcpState.FIN_WAIT2: "FIN-WAIT-2"}
HAS_INFO = frozenset(TcpState) - {TcpState.TIME_WAIT, TcpState.SYN_RECV, TcpState.LISTEN}


def histogram(counts: Mapping[str, int]) -> str:
    """Sockets by state, as awk has counted them."""
    return f"[root@box ~]# {HISTOGRAM_BY}\n" + "".join(f"{state} {count}\n" for state, count in counts.items())


def peers(rows: Iterable[Mapping[str, Any]]) -> str:
    """Sockets by state and peer, as ``uniq -c`` has counted them; by peer alone where all are in one state."""
    rows = list(rows)
    states = {row["state"] for row in rows}
    if len(states) == 1:
        text = f"[root@box ~]# {WORST_BY % next(iter(states))}\n"
        return text + "".join(f"{row['count']:>7} {row['peer']}\n" for row in rows)
    named = {state: SS_NAMES.get(TcpState[state], state.replace("_", "-")) for state in states}
    text = f"[root@box ~]# {PEERS_BY}\n"
    return text + "".join(f"{row['count']:>7} {named[row['state']]} {row['peer']}\n" for row in rows)


def listing(rows: Iterable[Mapping[str, Any]]) -> str:
    """Sockets one by one, as ``netstat`` prints them."""
    return "".join(
        f"tcp   {row.get('recv_q', 0):6} {row.get('send_q', 0):6} {row['local']:<27} {row['remote']:<27} "
        f"{row['state']}\n"
        for row in rows
    )


def ss_listing(sample: Sample) -> str:
    """The whole table as ``ss -tanoeip`` prints it; without the lines of ``-i`` where the sample has none."""
    head = "State      Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
    return head + "".join(f"{line}\n" for line in _ss_lines(attributed(sample)))


def _ss_lines(sample: Sample) -> Iterator[str]:
    attribution = sample.attribution
    assert attribution is not None
    for number, row in enumerate(sample.table.rows):
        state = TcpState(int(row["state"]))
        code = int(attribution.codes[number])
        words = [
            SS_NAMES.get(state, state.name.replace("_", "-")),
            f"{row['recv_queue_bytes']:<6} {row['send_queue_bytes']:<6}",
            _end(row["local_hi"], row["local_lo"], row["local_port"]),
            _end(row["remote_hi"], row["remote_lo"], row["remote_port"]),
            _users(attribution.groups[code]) if row["inode"] and code >= 0 else "",
            _timer(row["timer"], row["timer_ms"], row["retransmits"]),
            f"uid:{row['uid']}" if row["uid"] else "",
            f"ino:{row['inode']} sk:{row['cookie']:x} <->",
        ]
        yield " ".join(filter(None, words))
        if state in HAS_INFO and "idle_ms" not in sample.absent_fields:
            idle_ms = int(row["idle_ms"])
            heard = f"lastrcv:{idle_ms} lastack:{idle_ms} " if idle_ms else ""
            yield f"\t cubic wscale:7,7 rto:204 rtt:0.5/0.25 mss:1448 cwnd:10 lastsnd:{idle_ms + 5} {heard}minrtt:0.5"


def _end(hi: int, lo: int, port: int) -> str:
    address = address_text(int(hi), int(lo))
    return f"[{address}]:{port or '*'}" if ":" in address else f"{address}:{port or '*'}"


def _users(processes: Iterable[Process]) -> str:
    named = ",".join(f'("{each.name}",pid={each.pid},fd=7)' for each in processes)
    return f"users:({named})"


def _timer(code: int, left_ms: int, retransmits: int) -> str:
    """A second and more is written with a dot before the milliseconds."""
    if not code:
        return ""
    seconds, rest = divmod(int(left_ms), 1000)
    left = f"{seconds}sec" if seconds >= 10 else f"{seconds}.{rest:03}ms" if seconds else f"{rest:03}ms"
    return f"timer:({TIMER_NAMES[code]},{left},{retransmits})"


FOREIGN_HEADINGS = (
    "Aktive Internetverbindungen (Server und stehende Verbindungen)",
    "稼働中のインターネット接続 (サーバと確立)",
    "激活Internet连接 (服务器和已建立连接的)",
    "Активные соединения с интернетом (servers and established)",
    "Proto Recv-Q Send-Q Local Address           Foreign Address         State",
)
BROKEN_LINES = (
    "ESTAB 0 0 10.0.0.1:44",
    "tcp        0      0 10.0.0.1:443    10.9",
    "LAST-ACK 0 8000 10.0.0.1:443 10.9.0.0:70000",
    "   7: 0100000A:01BB 0200000A",
    "\udcff\udcfe\x00\x00 ESTAB",
    "tcp 0 0 10.0.0.1:443 10.9.0.1:50000 HALB_OFFEN",
)
"""Cut off in the middle, out of range, of bytes that are no text, in a state that nobody knows."""
ROWS_OF_A_ROUND = 8
"""Sockets in ``messy``, in each round of its lines."""


def messy(rounds: int) -> Iterator[str]:
    """Lines of ``ss``, ``netstat`` and ``/proc/net/tcp`` after each other, with all that may come between them."""
    for number in range(rounds):
        peer, port = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 1024 + number % 60_000
        yield FOREIGN_HEADINGS[number % len(FOREIGN_HEADINGS)]
        yield f"\x1b[01;31m\x1b[KLAST-ACK\x1b[m\x1b[K 1 8192 10.0.0.1:443 {peer}:{port} timer:(on,4.780ms,6)"
        yield f"LAST-ACK 1 14401 10.0.0.2:443 {peer}:{port} timer:(on,59sec,7) ino:0 sk:{number + 1:x}"
        yield BROKEN_LINES[number % len(BROKEN_LINES)]
        yield f"tcp        1   8192 10.0.0.3:443            {peer}:{port}       LAST_ACK    on (12.34/5/0)"
        yield f"tcp        0      0 10.0.0.4:443            {peer}:{port}       VERBUNDEN"
        yield f"udp        0      0 10.0.0.4:53             {peer}:{port}"
        ends = f"0500000A:01BB {number + 1:08X}:{port:04X}"
        yield f"{number:4}: {ends} 09 00002000:00000001 01:00000200 00000005 0 0 0 1 0"
        for host in (6, 7, 8):
            yield f"\x1b]0;ss\x07TIME-WAIT 0 0 10.0.0.{host}:443 {peer}:{port} timer:(timewait,31sec,0)"
