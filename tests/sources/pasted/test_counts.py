"""Texts that count sockets instead of listing them; numbers of real incidents."""

import numpy as np
import pytest

from tcptui.analysis.attribution import attributed
from tcptui.analysis.grouping import build_grid
from tcptui.errors import RequestError
from tcptui.model.fields import FIELDS, ViewKind
from tcptui.sources.pasted.counts import MOST_COUNTED
from tcptui.sources.pasted.source import Depth, Pasted
from tests.sources.pasted.texts import codes, column, counts, lines, read

LOAD_BALANCERS = {
    "TIME_WAIT": 5002,
    "FIN_WAIT1": 449,
    "FIN_WAIT2": 5786,
    "ESTABLISHED": 2609,
    "CLOSING": 5,
    "LAST_ACK": 81,
    "LISTEN": 1,
}
LAST_ACK_PILE = {
    "CLOSE_WAIT": 6,
    "CLOSING": 9,
    "ESTABLISHED": 6420,
    "FIN_WAIT1": 693,
    "FIN_WAIT2": 391,
    "LAST_ACK": 5081,
    "LISTEN": 2,
    "SYN_RECV": 203,
}
WORST_PEERS = {"220.160.210.6": 101, "222.75.65.69": 46, "221.0.91.118": 31}
ONE_PEER = """\
tcp        0  17280 10.1.1.145:80               220.160.210.6:52787         ESTABLISHED
tcp        1  14401 10.1.1.145:80               220.160.210.6:52513         LAST_ACK
tcp        0   8184 10.1.1.145:80               220.160.210.6:52515         LAST_ACK
"""
BY_AWK = "netstat -n | awk '/^tcp/ {++S[$NF]} END {for(a in S) print a, S[a]}'"
WORST_BY_PIPELINE = "netstat -ant | fgrep LAST_ACK | cut -b 49-75 | cut -d: -f1 | sort | uniq -c | sort -nr | head -5"
BY_STATE_AND_PEER = "ss -an | grep x.x.x | awk '{print $1,$5}' | awk -F: '{print $1}' | sort | uniq -c | sort -n"

FORMS = {
    "awk": "{state} {count}",
    "uniq -c": "{count:>7} {state}",
    "with a colon": "{state}: {count}",
    "with an equals sign": "{state}={count}",
    "with a tab": "{state}\t{count}",
    "with commas in the numbers": "{state} {count:,}",
    "with the protocol": "{count:>7} tcp {state}",
}


def peers(pasted: Pasted) -> dict[str, int]:
    grid = build_grid(attributed(pasted.sample), ViewKind.PEERS, None)
    return {grid.human(row, FIELDS["peer"]): int(grid.columns["total"][0][row]) for row in grid.members.tolist()}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("histogram", [LOAD_BALANCERS, LAST_ACK_PILE, {"CLOSE_WAIT": 7729}], ids=["lb", "ack", "leak"])
def test_a_histogram_in_any_form(form: str, histogram: dict[str, int]) -> None:
    pasted = read("\n".join(FORMS[form].format(state=state, count=count) for state, count in histogram.items()))
    assert counts(pasted) == histogram
    assert pasted.depth is Depth.COUNTS
    assert pasted.counted == sum(histogram.values())
    assert lines(pasted) == {"COUNT": len(histogram)}
    assert codes(pasted) == ["text.counts"]


def test_counts_know_nothing_but_states() -> None:
    pasted = read("ESTABLISHED 3\n")
    absent = pasted.sample.absent_fields
    assert set(FIELDS) - absent >= {"state", "total"}
    for field_id in (
        "peer",
        "local_address",
        "local_port",
        "remote_port",
        "recv_queue_bytes",
        "timer",
        "uid",
        "holders",
    ):
        assert field_id in absent
    assert peers(pasted) == {"(not told)": 3}
    grid = build_grid(attributed(pasted.sample), ViewKind.PEERS, None)
    assert grid.plain(FIELDS["peer"], grid.members) == [None]
    assert grid.plain(FIELDS["recv_queue_bytes"], grid.members) == [None]


def test_860_000_are_as_many_rows_each_by_itself() -> None:
    rows = read("ESTABLISHED 860000\n").sample.table.rows
    assert len(rows) == len(np.unique(rows["cookie"])) == 860_000


@pytest.mark.parametrize("count", [MOST_COUNTED + 1, 999_999_999])
def test_more_than_can_be_believed_is_refused(count: int) -> None:
    with pytest.raises(RequestError, match="the text counts"):
        read(f"ESTABLISHED {count}\nTIME_WAIT 3\n")


def test_words_of_headings_that_were_counted_are_headings() -> None:
    pasted = read("      1 Foreign\n      1 established)\n   2609 ESTABLISHED\n")
    assert (counts(pasted), lines(pasted)) == ({"ESTABLISHED": 2609}, {"HEADING": 2, "COUNT": 1})


# -- Peers -------------------------------------------------------------------------------------------------------------


def test_peers_are_in_the_state_that_the_command_kept_to() -> None:
    text = f"[root@nginx-1 ~]# {WORST_BY_PIPELINE}\n"
    pasted = read(text + "".join(f"{count:>7} {peer}\n" for peer, count in WORST_PEERS.items()))
    assert (peers(pasted), counts(pasted)) == (WORST_PEERS, {"LAST_ACK": 178})
    assert pasted.depth is Depth.COUNTS


def test_peers_without_a_state_are_left_out_and_said_to_be() -> None:
    with pytest.raises(RequestError, match="does not tell their states"):
        read("    101 220.160.210.6\n     46 222.75.65.69\n")
    pasted = read("    101 220.160.210.6\nESTABLISHED 4\n")
    assert (counts(pasted), codes(pasted)) == ({"ESTABLISHED": 4}, ["text.stateless", "text.counts"])


def test_peers_whose_addresses_were_made_unknown_keep_what_is_left_of_them() -> None:
    pasted = read(
        f"$ {BY_STATE_AND_PEER}\n    371 TIME-WAIT x.x.x.6\n    379 TIME-WAIT x.x.x.10\n   1108 FIN-WAIT-2 x.x.x.6\n"
    )
    assert peers(pasted) == {"x.x.x.6": 1479, "x.x.x.10": 379}
    assert counts(pasted) == {"TIME_WAIT": 750, "FIN_WAIT2": 1108}
    assert "text.names" in codes(pasted)


def test_networks_leave_names_alone() -> None:
    pasted = read("ESTAB 0 0 10.0.0.1:22 web.lan:5\nESTAB 0 0 10.0.0.1:22 db.lan:5\nESTAB 0 0 10.0.0.1:22 10.9.8.7:5\n")
    for prefix, network in ((24, "10.9.8.0/24"), (48, "10.9.8.7/32")):
        grid = build_grid(attributed(pasted.sample), ViewKind.PEERS, None, prefix)
        assert sorted(grid.human(row, FIELDS["peer"]) for row in grid.members.tolist()) == [
            network,
            "db.lan",
            "web.lan",
        ]


def test_this_machines_ends_are_not_taken_for_peers() -> None:
    command = "netstat -ant | grep ESTABLISHED | awk '{print $4}' | sort | uniq -c"
    pasted = read(f"$ {command}\n   7 10.0.0.1:80\n   5 10.0.0.1:443\n")
    assert column(pasted, "local_port") == [80] * 7 + [443] * 5
    assert peers(pasted) == {"(not told)": 12}


# -- Several of one moment ---------------------------------------------------------------------------------------------


def test_what_is_counted_twice_and_listed_besides_is_there_once() -> None:
    """The note of an incident: its histogram, the worst peers in one state, and one peer's connections."""
    text = f"# {BY_AWK}\n" + "".join(f"{state} {count}\n" for state, count in LAST_ACK_PILE.items())
    text += f"# {WORST_BY_PIPELINE}\n" + "".join(f"{count:>7} {peer}\n" for peer, count in WORST_PEERS.items())
    text += f"# netstat -an | grep 220.160.210.6\n{ONE_PEER}"
    pasted = read(text)
    assert counts(pasted) == LAST_ACK_PILE
    assert {peer: count for peer, count in peers(pasted).items() if peer in WORST_PEERS} == WORST_PEERS | {
        "220.160.210.6": 102
    }, "one of its connections is ESTABLISHED"
    assert sum(value == 80 for value in column(pasted, "local_port")) == 3
    assert column(pasted, "send_queue_bytes")[:3] == [17280, 14401, 8184]
    assert set(column(pasted, "send_queue_bytes")[3:]) == {None}
    assert pasted.depth is Depth.ROWS
    assert pasted.counted == sum(LAST_ACK_PILE.values()) - 3
    assert "text.combined" in codes(pasted)
    assert "UNREAD" not in lines(pasted)


def test_rows_of_a_state_that_outnumber_its_count_are_all_there() -> None:
    pasted = read(f"LAST_ACK 1\n{ONE_PEER}")
    assert counts(pasted) == {"LAST_ACK": 2, "ESTABLISHED": 1}


def test_of_several_histograms_the_last_one_counts() -> None:
    pasted = read("LAST_ACK 5830\nLISTEN 2\n\nLAST_ACK 1966\nLISTEN 2\n\nLAST_ACK 1068\nCLOSE_WAIT 1\n")
    assert counts(pasted) == {"LAST_ACK": 1068, "CLOSE_WAIT": 1}
    assert "text.repeated" in codes(pasted)


def test_of_several_lists_of_peers_the_last_one_counts() -> None:
    pasted = read("9 LAST_ACK 10.0.0.1\n5 LAST_ACK 10.0.0.2\n\n3 LAST_ACK 10.0.0.1\n")
    assert peers(pasted) == {"10.0.0.1": 3}
    assert "text.repeated" in codes(pasted)
