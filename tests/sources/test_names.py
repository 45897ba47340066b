"""Names of a machine, from files below a made-up root."""

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.errors import RequestError
from tcptui.query.names import Names
from tcptui.sources.names import machine_names

Machine = Callable[..., Names]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with the given files in its /etc."""

    def with_files(**contents: str | bytes) -> Names:
        (tmp_path / "etc").mkdir()
        for name, content in contents.items():
            (tmp_path / "etc" / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return machine_names(root=str(tmp_path))

    return with_files


def test_services_are_tcp_names_and_aliases_and_the_first_wins(machine: Machine) -> None:
    names = machine(
        services="""
# comment
domain      53/udp
domain      5353/tcp      # another one
gate\t4000/tcp\tgateway door  # alias
door        4001/tcp
ssh         2222/tcp
"""
    )
    services = names.services
    assert services["domain"] == 5353
    assert (services["gate"], services["gateway"], services["door"]) == (4000, 4000, 4000)
    assert services["ssh"] == 2222
    assert "alias" not in services


@pytest.mark.parametrize(
    "line",
    [
        *("odd", "odd 80", "odd 80/udp", "odd 80 /tcp", "odd 80/tcp/x", "#odd 80/tcp"),
        *("odd /tcp", "odd x/tcp", "odd 0/tcp", "odd -1/tcp", "odd 65536/tcp", "odd 99999999999999999999/tcp"),
        "odd ٨٠/tcp",
    ],
)
def test_a_malformed_service_is_skipped(machine: Machine, line: str) -> None:
    services = machine(services=f"{line}\nfine 4000/tcp\n").services
    assert "odd" not in services
    assert services["fine"] == 4000


def test_well_known_services_need_no_file(machine: Machine) -> None:
    services = machine().services
    assert {name: services[name] for name in ("ssh", "http", "www", "https", "domain", "postgresql", "redis")} == {
        "ssh": 22,
        "http": 80,
        "www": 80,
        "https": 443,
        "domain": 53,
        "postgresql": 5432,
        "redis": 6379,
    }
    assert all(name.islower() and 0 < port <= 65535 for name, port in services.items())


@pytest.mark.skipif(not os.path.exists("/etc/services"), reason="nothing to compare with")
def test_well_known_services_are_those_of_this_machine_too(machine: Machine) -> None:
    ours = machine().services
    differing = {name: port for name, port in ours.items() if machine_names().services[name] != port}
    assert differing == {}


def test_services_are_what_getservbyname_says() -> None:
    for name, port in machine_names().services.items():
        with contextlib.suppress(OSError):  # one of ours that the file lacks
            assert socket.getservbyname(name, "tcp") == port


def test_hosts_are_in_lower_case_with_all_their_addresses(machine: Machine) -> None:
    hosts = machine(
        hosts="""127.0.0.1\tlocalhost
::1 localhost ip6-localhost
10.0.0.7   Web-1.Example.ORG web-1 # web-2
10.0.0.8 web-1
10.0.0.7 web-1
fe80::1%eth0 near
"""
    ).hosts
    assert hosts == {
        "localhost": ("127.0.0.1", "::1"),
        "ip6-localhost": ("::1",),
        "web-1.example.org": ("10.0.0.7",),
        "web-1": ("10.0.0.7", "10.0.0.8"),
        "near": ("fe80::1",),
    }


@pytest.mark.parametrize(
    "line",
    ["odd", "odd odd", "10.0.0 odd", "010.0.0.1 odd", "10.0.0.1/8 odd", "::g odd", "# ::1 odd", "10.0.0.1\0 odd"],
)
def test_a_malformed_host_is_skipped(machine: Machine, line: str) -> None:
    assert machine(hosts=f"{line}\n10.0.0.9 fine\n").hosts == {"fine": ("10.0.0.9",)}


def test_a_host_of_a_malformed_line_may_have_an_address_in_another(machine: Machine) -> None:
    assert machine(hosts="nonsense web\n10.0.0.9 web\n").hosts == {"web": ("10.0.0.9",)}


def test_users_are_those_with_a_number(machine: Machine) -> None:
    entries = """root:x:0:0:root:/root:/bin/sh
www-data:x:33:33::/var/www:/usr/sbin/nologin
root:x:7:7::/:/bin/sh
nobody:x:4294967295:1::/:/bin/sh
short:x:12
#gone:x:13:13::/:/bin/sh
+nis:x:14:14::/:/bin/sh
+::::::
broken
negative:x:-1:1::/:/bin/sh
beyond:x:4294967296:1::/:/bin/sh
:x:15:15::/:/bin/sh

"""
    assert machine(passwd=entries).users == {"root": 0, "www-data": 33, "nobody": 4294967295, "short": 12}


def test_bytes_that_are_not_utf_8_survive(machine: Machine) -> None:
    names = machine(services=b"caf\xe9 4000/tcp\n", hosts=b"10.0.0.9 caf\xe9\n", passwd=b"caf\xe9:x:5:5::/:\n")
    assert (names.services["caf\udce9"], names.hosts["caf\udce9"], names.users["caf\udce9"]) == (4000, ("10.0.0.9",), 5)


def test_files_that_are_not_there_or_no_files_hold_no_names(tmp_path: Path) -> None:
    missing = machine_names(root=str(tmp_path / "nowhere"))
    assert (missing.hosts, missing.users) == ({}, {})
    for name in ("services", "hosts", "passwd"):
        (tmp_path / "etc" / name).mkdir(parents=True)
    folders = machine_names(root=str(tmp_path))
    assert (folders.hosts, folders.users) == ({}, {})
    assert folders.services == missing.services


def test_a_file_is_read_when_its_names_are_looked_at_and_then_once(tmp_path: Path) -> None:
    names = machine_names(root=str(tmp_path))
    hosts = tmp_path / "etc" / "hosts"
    hosts.parent.mkdir()
    hosts.write_text("10.0.0.1 web\n")
    assert names.hosts.get("web") == ("10.0.0.1",)
    hosts.write_text("10.0.0.2 web\n")
    assert names.hosts.get("web") == ("10.0.0.1",)
    assert machine_names(root=str(tmp_path)).hosts.get("web") == ("10.0.0.2",)


def test_a_file_of_a_hundred_thousand_hosts_is_read_to_its_end(machine: Machine) -> None:
    lines = [f"127.0.0.1 ads{number}.example.com" for number in range(100_000)]
    hosts = machine(hosts="\n".join(lines)).hosts
    assert len(hosts) == 100_000
    assert hosts["ads99999.example.com"] == ("127.0.0.1",)


def test_a_name_that_is_unknown_is_missing_as_in_any_mapping(machine: Machine) -> None:
    names = machine(hosts="10.0.0.9 web\n")
    assert names.hosts.get("db") is None
    assert "db" not in names.hosts
    with pytest.raises(KeyError):
        names.hosts["db"]


def test_saved_filters_are_handed_through() -> None:
    assert machine_names(saved={"web": ":443"}).saved == {"web": ":443"}
    assert machine_names().saved == {}


def test_interfaces_are_those_of_this_namespace() -> None:
    assert machine_names().interfaces == {name: index for index, name in socket.if_nameindex()}


def test_a_namespace_that_does_not_exist_is_a_wrong_request() -> None:
    with pytest.raises(RequestError, match="no network namespace named no-such-name"):
        machine_names(netns="no-such-name")


def test_a_namespace_that_may_not_be_entered_has_no_interfaces(tmp_path: Path) -> None:
    (tmp_path / "net").symlink_to("/nowhere")
    assert machine_names(netns=str(tmp_path / "net")).interfaces == {}
    assert machine_names(netns="/etc/passwd").interfaces == {}


@given(st.binary(max_size=300))
def test_any_file_is_read_without_a_complaint(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "any" / "etc"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("services", "hosts", "passwd"):
        (folder / name).write_bytes(content)
    names = machine_names(root=str(folder.parent))
    assert all(0 < port <= 65535 for port in names.services.values())
    assert all(addresses for addresses in names.hosts.values())
    assert all(uid >= 0 for uid in names.users.values())
