"""How many lines of pasted text are read in a second, and what a row of it takes in memory."""

import io
import os
import time

import pytest

from tcptui.headless.diagnose import Plan, diagnose
from tcptui.sources.pasted.source import PastedSource, read_pasted
from tests.bench.measuring import medians, print_table
from tests.diagnosis.transcripts import ROWS_OF_A_ROUND, messy

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

LARGEST = int(os.environ.get("TCPTUI_BENCH_SIZES", "100000").split(",")[-1])
SMALLEST = 2_000
INFORMATION = (
    "\n\t cubic wscale:7,7 rto:204 rtt:0.523/0.25 ato:40 mss:1448 pmtu:1500 rcvmss:536 advmss:1448 cwnd:10 "
    "bytes_sent:123 bytes_acked:124 segs_out:12 segs_in:13 send 221.6Mbps lastsnd:1 lastrcv:2 lastack:3 "
    "pacing_rate 443Mbps delivered:3 app_limited retrans:0/3 rcv_space:14480 rcv_ssthresh:64088 minrtt:0.5"
)
DETAILS = "timer:(timewait,{second}sec,0) ino:{number} sk:{number:x} cgroup:/system.slice/nginx.service <->"
USERS = 'users:(("nginx",pid={worker},fd={number}))'

PROGRAMS = {
    "ss -tan": "ESTAB 0 0 10.77.0.1:443 {peer}:{port}",
    "ss -tanoe": "ESTAB 0 0 10.77.0.1:443 {peer}:{port} " + DETAILS,
    "ss -tanoep": "ESTAB 0 0 10.77.0.1:443 {peer}:{port} " + USERS + " " + DETAILS,
    "ss -tanoepi": "ESTAB 0 0 10.77.0.1:443 {peer}:{port} " + USERS + " " + DETAILS + INFORMATION,
    "netstat -ant": "tcp        0      0 10.77.0.1:443           {peer}:{port}       ESTABLISHED",
    "/proc/net/tcp": (
        "{number:4d}: 01004D0A:01BB {number:08X}:1B58 06 00000000:00000000 03:00001766 00000000     0        0 0 3 0000"
    ),
    "words about something else": "host kernel: [{number}.1] device eth0 entered promiscuous mode",
}


def text_of(program: str, rows: int) -> bytes:
    made = (
        PROGRAMS[program].format(
            peer=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            port=1024 + number % 60_000,
            number=number + 1,
            second=number % 60,
            worker=number % 64 + 100,
        )
        for number in range(rows)
    )
    return "\n".join(["ESTAB 0 0 10.77.0.1:443 10.99.0.1:5", *made]).encode()


def test_a_line_takes_the_same_time_however_many_there_are() -> None:
    rows = [("", "rows", "lines a second", "µs a line", "of 2,000 lines")]
    for program in PROGRAMS:
        texts = {f"{size}": text_of(program, size) for size in (SMALLEST, LARGEST)}
        taken = medians(
            {name: (lambda text=text: read_pasted(io.BytesIO(text), "x")) for name, text in texts.items()},  # type: ignore[misc]
            rounds=3,
        )
        small, large = taken[f"{SMALLEST}"] / SMALLEST, taken[f"{LARGEST}"] / LARGEST
        rows.append((program, f"{LARGEST:,}", f"{1 / large:,.0f}", f"{large * 1e6:.1f}", f"{small * 1e6:.1f}"))
        assert large < 1.5 * small + 2e-6, program
    print_table("Pasted text", rows)


def test_counts_are_rows_at_once() -> None:
    started = time.perf_counter()
    assert len(read_pasted(io.BytesIO(b"ESTABLISHED 860000\n"), "x").sample.table) == 860_000
    assert time.perf_counter() - started < 5


def test_judging_a_messy_text_takes_the_same_time_a_line_however_long_it_is() -> None:
    """Three programs, headings in other languages, colours and broken lines; with ``TCPTUI_BENCH_SIZES`` a million."""
    rows = [("sockets", "lines", "read, s", "judged, s", "µs a line")]
    taken = []
    for sockets in (LARGEST // 10, LARGEST):
        lines = list(messy(sockets // ROWS_OF_A_ROUND))
        text = "\n".join(lines).encode("utf-8", "surrogateescape")
        started = time.process_time()
        source = PastedSource(io.BytesIO(text), "messy")
        read_s = time.process_time() - started
        report = diagnose(source, None, Plan(0, 1))
        judged_s = time.process_time() - started - read_s
        assert report.diagnosis.worst is not None
        assert sum(source.pasted.ledger.numbers) == len(lines)
        taken.append((read_s + judged_s) / len(lines))
        counts = (f"{len(source.pasted.sample.table):,}", f"{len(lines):,}")
        rows.append((*counts, f"{read_s:.2f}", f"{judged_s:.2f}", f"{taken[-1] * 1e6:.1f}"))
    print_table("Pasted text that is judged", rows)
    assert taken[1] < 1.5 * taken[0]
