"""Telling a word of English in Chinese text from a name that is the same in every language."""

import re
import string

CHINESE = re.compile("[\u3400-\u9fff]")

TERMS = frozenset(
    (
        *("accept", "backlog", "cgroup", "conntrack", "cookie", "inode", "keepalive", "netns", "pid", "pod", "proc"),
        *("root", "socket", "tcptui", "uid", "veth", "Linux", "Windows", "CentOS", "Java", "systemd", "sysctl", "ss"),
        *("netstat", "nstat", "tcpdump", "awk", "sort", "uniq", "ulimit", "iproute2", "nginx", "IPv4", "IPv6", "TCP"),
        *("sockstat", "inuse", "mem", "orphan", "alloc", "tw", "off", "on", "persist", "timewait", "held"),
        *("remembered", "listener", "likely", "min", "KiB", "MiB", "GiB", "ms", "s", "somaxconn", "file-max"),
        *("file-nr", "Tcpip", "Parameters", "Drop", "Killed", "x", "n+1", "Recv-Q", "Send-Q", "SYN-ACK", "FIN+ACK"),
        *("F-RTO", "Fast", "Open", "RAM", "K", "B", "N", "T", "n", "c", "p", "w", "v1", "v2", "prefix", "all", "win"),
        *("nofile", "LimitNOFILE", "Unix", "finally", "rsync", "ssh"),
    )
)
"""Names of programs and protocols, values of columns and options, units; and words that engineers leave as they are."""

TYPED = frozenset(
    (
        *("Shift", "Ctrl+Home", "Ctrl+End"),
        *("Backspace", "Enter", "Esc", "Space", "PgUp", "PgDn", "Tab", *string.ascii_lowercase, "a-z"),
        *("age", "and", "autobound", "big", "bound-inactive", "bucket", "connected", "dev", "dport", "dst"),
        *("established", "exclude", "fwmark", "host", "id", "inet", "inet6", "ip", "listen", "not", "or", "port"),
        *("process", "recvq", "retrans", "sendq", "service", "sport", "src", "state", "synchronized", "time-wait"),
        *("total", "user", "web", "www-data", "blue", "eth0", "fe80", "https", "localhost", "shell", "dumb"),
        *("auto", "bash", "completion", "csv", "en", "false", "fg", "filters", "hidepid", "json", "jsonl", "md"),
        *("netlink", "ns", "nsenter", "psutil", "recvmmsg", "rmem", "snapshot", "svg", "table", "true", "txt"),
        *("wmem", "zh", "Markdown", "Unicode", "0x03", "Ctrl+C", "Ctrl+N", "Ctrl+O", "Ctrl+T", "Ctrl+W", "peers"),
        *("tcptui---.txt", "chart", "comma", "config", "ctrl+r", "explanation", "pageup", "processes", "space"),
        *("states", "sudo", "nord", "tcptui-contrast", "tcptui-dark", "tcptui-light", "tcptui-safe", "Textual"),
        *("diagnosis", "explain", "ls", "proc//fd"),
    )
)
"""Keys, and what is typed into a filter or on a command line; further names that only the interface has."""

_NAME = re.compile(
    r"[A-Z0-9][A-Z0-9_+-]*s?"  # TIME_WAIT, SO_LINGER, RST
    r"|\w*[_/.:\\]\w[\w/.:\\-]*"  # tcp_fin_timeout, /proc/net/tcp, sysctl.conf
    r"|\w+\(\w*\)?"  # close(), shutdown(SHUT_WR)
    r"|[A-Z]{2,}[a-z]\w*|[A-Z][a-z]+[A-Z]\w*|[a-z]+[A-Z]\w*"  # TCPTimeouts, ListenDrops, setSoTimeout
    r"|-.*"  # an option
    r"|\d+[a-zµ]*|[a-z]?\d+",
    re.ASCII,
)
_QUOTED = re.compile(r"“[\x00-\x7f]*”|`[^`]*`|‘[\x00-\x7f]*’|'[\x00-\x7f]*'")
"""What other programs print, and what is to be typed."""
_WORD = re.compile(r"[A-Za-z/-][\w.:()/+\\-]*|\d+[A-Za-zµ]+", re.ASCII)


def foreign_words(text: str, names: frozenset[str] = frozenset()) -> set[str]:
    """The words in ``text`` that are neither Chinese nor a name; ``names`` are further ones."""
    words = _WORD.findall(re.sub(r"{[^{}]*}", "", _QUOTED.sub("", text)))
    stripped = (word.strip("./:+)") for word in words)
    return {word for word in stripped if word and word not in TERMS | names and not _NAME.fullmatch(word)}
