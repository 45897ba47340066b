"""What the names in a filter stand for on this machine, from its own files: no name server is ever asked.

A file is read when its names are first looked at, and then once: a filter that has no host name in it costs nothing
even where /etc/hosts blocks a hundred thousand advertisers. A file that is missing or unreadable holds no names and a
malformed line is skipped, since whoever types a name will be told that it is unknown.
"""

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import TypeVar

from tcptui.errors import TcptuiError
from tcptui.kernel.namespaces import ALL, namespace_path, run_in_namespace
from tcptui.query.names import Names

HIGHEST_PORT = 0xFFFF
HIGHEST_UID = 0xFFFF_FFFF

T = TypeVar("T")


def machine_names(netns: str | None = None, root: str = "/", saved: Mapping[str, str] = {}) -> Names:
    """The names of this machine, whose files are below ``root``, with the interfaces of the namespace ``netns``.

    Where all namespaces are meant, an interface's name means the one of this thread's.

    Raises:
        RequestError: there is no such namespace. One that may not be entered has no interfaces instead.
    """
    namespace = None if netns in (None, ALL) else namespace_path(netns)
    return Names(
        services=_ReadOnFirstLook(partial(_services, root)),
        hosts=_ReadOnFirstLook(partial(_hosts, root)),
        interfaces=_ReadOnFirstLook(partial(_interfaces, namespace)),
        users=_ReadOnFirstLook(partial(_users, root)),
        saved=saved,
    )


class _ReadOnFirstLook(Mapping[str, T]):
    """A mapping that is made when somebody first looks into it."""

    def __init__(self, read: Callable[[], Mapping[str, T]]) -> None:
        self._read = read

    @cached_property
    def _content(self) -> Mapping[str, T]:
        return self._read()

    def __getitem__(self, name: str) -> T:
        return self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)


def _services(root: str) -> Mapping[str, int]:
    """TCP ports by name and alias (services(5)): the first line with a name wins, and our own lines come last."""
    ports: dict[str, int] = {}
    for words in _words((*_lines(root, "etc/services"), *_WELL_KNOWN_SERVICES)):
        port_text, _, protocol = words[1].partition("/") if len(words) > 1 else ("", "", "")
        port = _number(port_text, HIGHEST_PORT)
        if protocol == "tcp" and port:
            for name in (words[0], *words[2:]):
                ports.setdefault(name, port)
    return ports


def _hosts(root: str) -> Mapping[str, tuple[str, ...]]:
    """Addresses by host name and alias (hosts(5)), in the file's order."""
    addresses: dict[str, tuple[str, ...]] = {}
    checked: dict[str, tuple[str, ...]] = {}  # a hundred thousand lines may share one address
    for spelling, *names in _words(_lines(root, "etc/hosts")):
        if spelling not in checked:
            checked[spelling] = _address(spelling)
        address = checked[spelling]
        for name in names if address else ():
            known = addresses.setdefault(name.lower(), address)
            if known is not address and address[0] not in known:
                addresses[name.lower()] = known + address
    return addresses


def _address(text: str) -> tuple[str, ...]:
    """The address in ``text`` without its zone (``fe80::1%eth0``); none if it is no address."""
    address = text.partition("%")[0]
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except (OSError, ValueError):
        return ()
    return (address,)


def _users(root: str) -> Mapping[str, int]:
    """Uids by user name (passwd(5)); the first line with a name wins, as in getpwnam(3)."""
    uids: dict[str, int] = {}
    for line in _lines(root, "etc/passwd"):
        name, *others = line.split(":")
        uid = _number(others[1], HIGHEST_UID) if len(others) > 1 else None
        if uid is not None and name and name[0] not in "#+-":  # a comment; directories of NIS
            uids.setdefault(name, uid)
    return uids


def _interfaces(namespace: str | None) -> Mapping[str, int]:
    """Indices by interface name, in the namespace at the path ``namespace`` or in this thread's own."""
    try:
        found = run_in_namespace(namespace, socket.if_nameindex) if namespace else socket.if_nameindex()
    except (OSError, TcptuiError):  # the source that reads sockets there has said so
        return {}
    return {name: index for index, name in found}


def _lines(root: str, name: str) -> list[str]:
    """The lines of a file below ``root``, with surrogates for bytes that are not UTF-8; none if it is unreadable."""
    try:
        with open(os.path.join(root, name), encoding="utf-8", errors="surrogateescape") as file:
            return file.read().split("\n")
    except OSError:
        return []


def _words(lines: Iterable[str]) -> Iterator[list[str]]:
    """The words of each line that has any, without its comment."""
    for line in lines:
        words = line.partition("#")[0].split()
        if words:
            yield words


def _number(text: str, highest: int) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(highest))):
        return None
    return number if (number := int(text)) <= highest else None


_WELL_KNOWN_SERVICES = """\
ftp-data 20/tcp
ftp 21/tcp
ssh 22/tcp
telnet 23/tcp
smtp 25/tcp
whois 43/tcp
tacacs 49/tcp
domain 53/tcp
finger 79/tcp
http 80/tcp www
kerberos 88/tcp
pop3 110/tcp
sunrpc 111/tcp
auth 113/tcp
nntp 119/tcp
epmap 135/tcp
netbios-ssn 139/tcp
imap 143/tcp
snmp 161/tcp
bgp 179/tcp
ldap 389/tcp
https 443/tcp
microsoft-ds 445/tcp
kpasswd 464/tcp
submissions 465/tcp
exec 512/tcp
login 513/tcp
shell 514/tcp
printer 515/tcp
rtsp 554/tcp
submission 587/tcp
ipp 631/tcp
ldaps 636/tcp
domain-s 853/tcp
rsync 873/tcp
ftps 990/tcp
telnets 992/tcp
imaps 993/tcp
pop3s 995/tcp
socks 1080/tcp
openvpn 1194/tcp
ms-sql-s 1433/tcp
radius 1812/tcp
mqtt 1883/tcp
nfs 2049/tcp
docker 2375/tcp
docker-s 2376/tcp
etcd-client 2379/tcp
etcd-server 2380/tcp
iscsi-target 3260/tcp
mysql 3306/tcp
ms-wbt-server 3389/tcp
svn 3690/tcp
epmd 4369/tcp
ntske 4460/tcp
sip 5060/tcp
sips 5061/tcp
xmpp-client 5222/tcp
xmpp-server 5269/tcp
postgresql 5432/tcp
amqps 5671/tcp
amqp 5672/tcp
rfb 5900/tcp
x11 6000/tcp
redis 6379/tcp
syslog-tls 6514/tcp
ircs-u 6697/tcp
http-alt 8080/tcp
puppet 8140/tcp
secure-mqtt 8883/tcp
git 9418/tcp
zabbix-agent 10050/tcp
zabbix-trapper 10051/tcp
nbd 10809/tcp
memcache 11211/tcp
mongodb 27017/tcp
""".splitlines()
"""Names of IANA's registry for machines without /etc/services, as containers are."""
