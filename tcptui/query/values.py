"""What stands behind the words of a filter: ports, addresses, sizes, times."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tcptui.language import mark, tr
from tcptui.model.address import Network, parse_network
from tcptui.query.faults import ONE_AT_A_TIME, FilterError, nearest, quoted
from tcptui.query.syntax import HIGHEST_PORT, NO_LIMIT, Span

HOST_SYNTAX = mark("write 10.1.2.3, 10.0.0.0/8, [::1]:22 or [fe80::]/10")
_PORT_SYNTAX = mark("write 0 to 65535, a range like 8000-8100 or a service like https")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,8}|\d{1,19}", re.ASCII)
_PORT_RANGE = re.compile(r"(\d+)-(\d+)", re.ASCII)
_BYTES = re.compile(r"(\d{1,12})(?:([kmgt])(?:i?b)?|b)?", re.IGNORECASE | re.ASCII)
_UNIT_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_DURATION = re.compile(
    r"(?:\d{1,9}(?:\.\d{1,3})?(?:ms|s|sec|m|min|h|d))+|\d{1,9}(?:\.\d{1,3})?", re.IGNORECASE | re.ASCII
)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|sec|s|min|m|h|d)?", re.IGNORECASE)
_UNIT_MS = {"ms": 1, "s": 1000, "sec": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_FAMILIES = {"inet": 4, "inet6": 6}
_OTHER_FAMILIES = ("unix", "link", "netlink", "vsock", "tipc", "xdp")
_WHOLE_IPV4 = re.compile(r"\d+\.\d+\.\d+\.\d+")
_SHORT_IPV4 = re.compile(r"\d+(?:\.\d+){0,2}/\d+")
LARGEST_U32 = 0xFFFFFFFF


def number(text: str, largest: int) -> int | None:
    """A whole number, decimal or hexadecimal as ``ss`` takes it; None if ``text`` is none up to ``largest``.

    A leading zero, which C reads as octal, is no number here.
    """
    if not _NUMBER.fullmatch(text) or (len(text) > 1 and text[0] == "0" and text[1] not in "xX"):
        return None
    value = int(text, 16 if text[:2] in ("0x", "0X") else 10)
    return value if value <= largest else None


def is_number_like(text: str) -> bool:
    """Whether ``text`` was meant as a number or a range of numbers."""
    return text[:1].isdecimal() and bool(re.fullmatch(r"\d+(-\d+)?|0[xX][0-9a-fA-F]*", text))


def ports(text: str, services: Mapping[str, int], position: int) -> Span:
    """The ports that ``443``, ``:443``, ``8000-8100``, ``https`` name.

    Raises:
        FilterError: there is no such port.
    """
    plain = text.removeprefix(":")
    position += len(text) - len(plain)
    ends = _PORT_RANGE.fullmatch(plain)
    if ends:
        low, high = (_port(each, services, position) for each in ends.groups())
        if low > high:
            problem = tr("the range {ports} runs backwards", ports=plain)
            raise FilterError(problem, tr("write {example}", example=f"{high}-{low}"), position)
        return Span(low, high)
    port = _port(plain, services, position)
    return Span(port, port)


def _port(text: str, services: Mapping[str, int], position: int) -> int:
    port = number(text, HIGHEST_PORT)
    if port is not None:
        return port
    if is_number_like(text):
        if text.isdecimal() and text.startswith("0"):
            problem = tr("{text} is no port", text=quoted(text))
            raise FilterError(problem, tr("write it without the leading zero"), position)
        raise FilterError(tr("port {port} does not exist", port=text[:12]), tr(_PORT_SYNTAX), position)
    named = services.get(text, services.get(text.lower()))
    if named is not None:
        return named
    if text.lower() == "in":
        raise FilterError(tr("there are no lists here"), tr("write sport = :80 or sport = :443"), position)
    if not text:
        raise FilterError(tr("a port is missing"), tr(_PORT_SYNTAX), position)
    if set(text) <= set("0123456789.:/[]"):
        hint = tr("{syntax}; an address goes with src, dst or ip", syntax=tr(_PORT_SYNTAX))
        raise FilterError(tr("{text} is no port", text=quoted(text)), hint, position)
    meant = nearest(text, services)
    hint = tr("did you mean {meant}? Otherwise give its number", meant=meant) if meant else tr(_PORT_SYNTAX)
    raise FilterError(tr("no service {name} in /etc/services", name=quoted(text)), hint, position)


def split_family(text: str, position: int) -> tuple[int | None, str]:
    """``inet6:[::1]:22`` as 6 and ``[::1]:22``; None where no family is named.

    Raises:
        FilterError: a family that has no TCP.
    """
    head, colon, rest = text.partition(":")
    if colon and head.lower() in _FAMILIES:
        return _FAMILIES[head.lower()], rest
    if colon and head.lower() in _OTHER_FAMILIES:
        problem = tr("{family} sockets have no TCP", family=head.lower())
        raise FilterError(problem, tr("write inet:, inet6: or nothing"), position)
    return None, text


def split_endpoint(text: str) -> tuple[str, str | None]:
    """Address and port of ``10.1.2.3:443``, ``[::1]:22``, ``*:22``, ``:22``, ``host:443``.

    A colon separates a port only behind a bracket or where it is the only one.
    """
    if text.startswith("["):
        inside, bracket, rest = text[1:].partition("]")
        if bracket:
            prefix, _, port = rest.partition(":")
            return inside + prefix, port if ":" in rest else None
        return text, None
    if text.count(":") == 1:
        address, _, port = text.partition(":")
        return address, port
    return text, None


def networks(text: str, hosts: Mapping[str, tuple[str, ...]], position: int) -> tuple[Network, ...]:
    """The network that an address or prefix names; for a host name each of its addresses.

    Raises:
        FilterError: it is no address, and no host that this machine knows without asking a name server.
    """
    network = network_of(text)
    if network is not None:
        return (network,)
    known = tuple(each for each in map(network_of, hosts.get(text.lower(), ())) if each is not None)
    if known:
        return known
    raise FilterError(*_no_address(text), position)


def network_of(text: str) -> Network | None:
    """The network that ``10.1.2.3``, ``10/8``, ``10.0.0.0/255.0.0.0``, ``fe80::/10`` name; None if it is none."""
    if _SHORT_IPV4.fullmatch(text):
        address, _, prefix = text.partition("/")
        text = f"{address}{'.0' * (3 - address.count('.'))}/{prefix}"
    try:
        return parse_network(text)
    except ValueError:
        return None


def is_address_like(text: str) -> bool:
    """Whether ``text`` was meant as an address or network."""
    digits_and_dots = set(text) <= set("0123456789./") and ("." in text or "/" in text)
    return text.startswith("[") or text.count(":") >= 2 or digits_and_dots


def _no_address(text: str) -> tuple[str, str]:
    shown = quoted(text)
    no_address = tr("{text} is no address", text=shown)
    if text.isdecimal() and len(text) <= 5:
        return no_address, tr("for a port write :{port}", port=text)
    if "%" in text:
        return tr("{text} has a zone", text=shown), tr("leave out what follows the %, and add dev NAME")
    if "/" in text and network_of(text.partition("/")[0]) is not None:
        longest = 128 if ":" in text else 32
        hint = tr("behind the / goes a prefix length from 0 to {longest}", longest=longest)
        return tr("{text} is no network", text=shown), hint
    if _WHOLE_IPV4.fullmatch(text):
        return no_address, tr("each of the four numbers goes from 0 to 255")
    if re.fullmatch(r"\d+(\.\d+){1,2}\.?", text):
        part = text.rstrip(".")
        bits = 8 * (part.count(".") + 1)
        network = f"{part}{'.0' * (3 - part.count('.'))}/{bits}"
        return tr("{text} is no whole address", text=shown), tr("for the network write {network}", network=network)
    if "," in text:
        return no_address, tr(ONE_AT_A_TIME)
    if set(text) <= set("0123456789abcdefABCDEF:./[]-"):
        return no_address, tr(HOST_SYNTAX)
    return tr("no host {name} in /etc/hosts", name=shown), tr("give its address: tcptui asks no name server")


def byte_count(text: str, position: int) -> int:
    """Bytes: ``0``, ``64k``, ``1m``; units of 1,024.

    Raises:
        FilterError: it is none.
    """
    match = _BYTES.fullmatch(text)
    if match is None:
        problem = tr("{text} is no number of bytes", text=quoted(text))
        raise FilterError(problem, tr("write 0, 500, 64k or 1m"), position)
    return int(match[1]) * _UNIT_BYTES[(match[2] or "").lower()]


def count(text: str, position: int) -> int:
    """A whole number.

    Raises:
        FilterError: it is none.
    """
    value = number(text, LARGEST_U32)
    if value is None:
        problem = tr("{text} is no number", text=quoted(text))
        raise FilterError(problem, tr("write a whole number such as 0 or 812"), position)
    return value


def duration_ms(text: str, position: int) -> int:
    """Milliseconds: ``90s``, ``5m``, ``1h30m``, ``250ms``; a number alone is seconds.

    Raises:
        FilterError: it is no time.
    """
    if not _DURATION.fullmatch(text):
        raise FilterError(tr("{text} is no time", text=quoted(text)), tr("write 90s, 5m, 1h30m or 2d"), position)
    parts = _DURATION_PART.findall(text)
    return min(round(sum(float(amount) * _UNIT_MS[(unit or "s").lower()] for amount, unit in parts)), NO_LIMIT)


def compared(sign: str, value: Span, largest: int) -> Span:
    """The numbers up to ``largest`` that ``sign`` and ``value`` mean; for ``!=`` those that it denies."""
    return {
        "=": value,
        "!=": value,
        "<": Span(0, value.low - 1),
        "<=": Span(0, value.high),
        ">": Span(value.high + 1, largest),
        ">=": Span(value.low, largest),
    }[sign]
