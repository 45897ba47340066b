"""Words of the programs that list sockets, in the languages that those speak."""

import re

from tcptui.model.states import TcpState, find_state

TCP = frozenset({"tcp", "tcp4", "tcp6", "tcp46", "TCP", "TCPv6"})
"""What stands in the column of the protocol: ``ss``, net-tools, BusyBox, BSD and macOS, Windows."""
OTHER_PROTOCOLS = frozenset(
    {
        *("udp", "udp4", "udp6", "udp46", "udpl", "udplite", "udplite6", "UDP", "UDPv6", "icm4", "icm6", "icmp6"),
        *("raw", "raw6", "p_raw", "p_dgr", "nl", "u_str", "u_dgr", "u_seq", "unix", "v_str", "v_dgr", "xdp", "tipc"),
        *("ti_st", "ti_rd", "ti_dg", "ti_sq", "sctp", "sctp4", "sctp6", "dccp", "dccp6", "mptcp", "divert", "div4"),
        *("ax25", "ipx", "netrom", "x25", "rose", "l2cap", "rfcomm", "kctl", "kevt", "`-"),
    }
)
"""What ``ss`` without ``-t`` and ``netstat`` without ``-t`` list besides; a backquote leads an association of SCTP."""

_STATES_ELSEWHERE = {
    # net-tools: po/de.po, po/pt_BR.po, po/cs.po, as distributions install them
    "verbunden": TcpState.ESTABLISHED,
    "estabelecida": TcpState.ESTABLISHED,
    "syn_enviado": TcpState.SYN_SENT,
    "syn_recebido": TcpState.SYN_RECV,
    "espera_fin1": TcpState.FIN_WAIT1,
    "espera_fin2": TcpState.FIN_WAIT2,
    "fechar": TcpState.CLOSE,
    "esperando_fechar": TcpState.CLOSE_WAIT,
    "último_ack": TcpState.LAST_ACK,
    "ouça": TcpState.LISTEN,
    "fechando": TcpState.CLOSING,
    "spojeno": TcpState.ESTABLISHED,
    "zavřen": TcpState.CLOSE,
    "naslouchá": TcpState.LISTEN,
    "zavírá": TcpState.CLOSING,
    # Windows in German; the umlaut is often lost between code pages
    "abhören": TcpState.LISTEN,
    "hergestellt": TcpState.ESTABLISHED,
    "wartend": TcpState.TIME_WAIT,
    "schliessen_warten": TcpState.CLOSE_WAIT,
    "syn_gesendet": TcpState.SYN_SENT,
    "fin_warten_1": TcpState.FIN_WAIT1,
    "fin_warten_2": TcpState.FIN_WAIT2,
    "syn_send": TcpState.SYN_SENT,
}
_DAMAGED_LISTEN = re.compile(r"ABH\W{1,3}REN")

COLUMN_TITLES = frozenset(
    {
        *("proto", "netid", "state", "recv-q", "sl"),
        *("协议", "協定", "通訊協定", "プロトコル", "프로토콜", "имя"),  # Windows
    }
)
"""First words of the line above the rows, in lower case: even with no row below it is a listing."""
HEADING_STARTS = COLUMN_TITLES | {
    *("local", "active", "aktive", "connexions", "conexiones", "conexões", "connessioni", "aktivní", "aktiivsed"),
    *(
        "активные",
        "活动连接",
        "使用中連線",
        "アクティブな接続",
        "稼働中のインターネット接続",
        "활성",
        "激活internet连接",
    ),
    *("every", "```", "```text", "```console", "```sh", "(not", "(no", "will"),
}
"""First words of lines above rows, and of remarks of ``netstat`` and ``watch``, in lower case."""

HEADING_REMAINS = frozenset(
    {
        *("foreign", "established)", "servers)", "address", "state", "(state)", "local", "peer", "address:port"),
        *("address:portprocess", "recv-q", "send-q", "proto", "netid", "and", "internet", "connections", "(servers"),
        *("(w/o", "active"),
    }
)
"""Words of headings that ``awk '{print $5}' | sort | uniq -c`` and its like count along with the sockets."""


class States(dict[str, TcpState | None]):
    """The state that each word of a listing names, None for any other word; remembers the short ones."""

    def __missing__(self, word: str) -> TcpState | None:
        found = _state_named(word)
        if len(word) <= _LONGEST_WORD and len(self) < _MOST_WORDS:
            self[word] = found
        return found


_LONGEST_WORD, _MOST_WORDS = 24, 4096


def _state_named(word: str) -> TcpState | None:
    if not word[:1].isalpha():
        return None
    found = find_state(word) or _STATES_ELSEWHERE.get(word.lower())
    if found is None and _DAMAGED_LISTEN.fullmatch(word):
        return TcpState.LISTEN
    return found
