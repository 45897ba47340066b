"""What a packet filter can select of a filter's connections (``pcap-filter(7)``), for ``tcpdump``.

A packet has addresses and ports and goes in either direction; it has no state, process or queue. So what comes out may
mean more packets than the filter means connections, never fewer.
"""

from tcptui.query.syntax import HIGHEST_PORT, And, EndpointTest, Expression, FamilyTest, Or, PortTest, Span
from tcptui.query.wording import network_text

_FAMILIES = {4: "ip", 6: "ip6"}
_NO_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - nothing is bound here
"""What stands for any address, or for none; no packet has it."""


def capture_filter(expression: Expression) -> str:
    """The expression for ``tcpdump``; empty where every packet may belong to what is meant."""
    parts = _parts(expression)
    return " and ".join(parts)


def _parts(expression: Expression) -> list[str]:
    """Conditions that must all hold, each of which can stand beside ``and``."""
    if isinstance(expression, And):
        return list(dict.fromkeys(part for operand in expression.operands for part in _parts(operand)))
    if isinstance(expression, Or):
        choices = [" and ".join(_parts(operand)) for operand in expression.operands]
        if not all(choices):
            return []
        unique = list(dict.fromkeys(choices))
        grouped = [f"({choice})" if " and " in choice else choice for choice in unique]
        return [grouped[0]] if len(grouped) == 1 else [f"({' or '.join(grouped)})"]
    if isinstance(expression, PortTest):
        return _ports(expression.ports)
    if isinstance(expression, EndpointTest):
        return [*_network(expression), *(_ports(expression.ports) if expression.ports is not None else [])]
    if isinstance(expression, FamilyTest):
        return [_FAMILIES[expression.family]]
    return []  # "not port 22" would leave out connections from port 22 over there


def _ports(ports: Span) -> list[str]:
    if ports.low > ports.high or (ports.low == 0 and ports.high in (0, HIGHEST_PORT)):
        return []  # port 0 is that of the end that a listener has not
    return [f"port {ports.low}" if ports.low == ports.high else f"portrange {ports.low}-{ports.high}"]


def _network(test: EndpointTest) -> list[str]:
    text = network_text(test.network)
    if text.endswith("/0") or text in _NO_ADDRESS:
        return []
    return [f"net {text}" if "/" in text else f"host {text}"]
