"""Random filters over what the scene has in its table."""

from hypothesis import strategies as st

from tests.live.filters.scene import CABLE, CRAWLER, CRAWLER_PORT, MARKS, WORKER_PORT
from tests.live.filters.table import SAVED

_PORTS = (0, 22, 80, 443, 8000, 8080, 8100, WORKER_PORT, CRAWLER_PORT, 40_000, 65_535)
_NETWORKS = (
    *("10.77.0.1", "10.77.0.2", "10.78.0.0/16", "10.78.0.0/28", "127.0.0.1", "0.0.0.0", "0.0.0.0/0", "10/8"),  # noqa: S104
    *("[fd00:77::1]", "[fd00:78::/64]", "[fd00::/8]", "[::1]", "[::]", "[::/0]", "[::ffff:10.78.0.0/112]"),
)
_STATES = (
    *("established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "close-wait", "last-ack"),
    *("listening", "closing", "closed", "all", "connected", "synchronized", "bucket", "big"),
)
_OTHERS = (
    *("autobound", f"dev {CABLE}", "dev lo", "dev 0", "fwmark 0", "fwmark 1/3", *(f"fwmark {mark}" for mark in MARKS)),
    *("timer on", "timer off", "timer keepalive", "retrans = 0", "recvq > 0", "recvq < 4k", "sendq > 0", "inode 0"),
    *("user root", "user nobody", f"process {CRAWLER}", "pid > 0", "service web.service", "src inet:*", "dst inet6:*"),
    *("dport = inet6:443", *(f"@{name}" for name in SAVED)),
)

_ports = st.sampled_from(_PORTS)
_networks = st.sampled_from(_NETWORKS)
_signs = st.sampled_from(("=", "!=", "<", "<=", ">", ">=", ""))
_sides = st.sampled_from(("src", "dst", "ip"))

_tests = st.one_of(
    st.builds("{} {} :{}".format, st.sampled_from(("sport", "dport", "port")), _signs, _ports),
    st.builds("{} {}-{}".format, st.sampled_from(("sport", "dport", "port")), st.just(22), st.sampled_from((22, 8000))),
    st.builds("{} {} {}".format, _sides, st.sampled_from(("", "=", "!=")), _networks),
    st.builds("{} {}:{}".format, _sides, _networks, _ports),
    st.builds("{} {}".format, st.sampled_from(("state", "exclude")), st.sampled_from(_STATES)),
    st.builds(":{}".format, _ports),
    _networks,
    st.sampled_from(_OTHERS),
)


def _combined(operands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joints = st.sampled_from((" and ", " or ", " or ", " ", " & ", " || "))
    return st.one_of(
        st.builds("{} ({})".format, st.sampled_from(("not", "!")), operands),
        st.builds("({}){}({})".format, operands, joints, operands),
        st.builds("{}{}{}".format, operands, joints, operands),
    )


filters = st.recursive(_tests, _combined, max_leaves=8)
"""Texts."""
