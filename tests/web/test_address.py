"""Where to listen, as it is asked for, and what it is called."""

import contextlib
import os
import pwd
import shlex
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.errors import ExitCode, OutputError, RequestError
from tcptui.web.address import Place, listen, parse_place, tunnel_command

ANY_IPV4 = "0.0.0.0"  # noqa: S104 - a place to name


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("8000", Place("127.0.0.1", 8000)),
        ("0", Place("127.0.0.1", 0)),
        (f"{ANY_IPV4}:80", Place(ANY_IPV4, 80)),
        ("localhost:65535", Place("localhost", 65535)),
        ("[::1]:8000", Place("::1", 8000)),
        ("[::]:0", Place("::", 0)),
        ("web-3.example:0080", Place("web-3.example", 80)),
    ],
)
def test_a_place_is_understood(text: str, place: Place) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "8000 ", "x", "-1", "+1", "1.5", "65536", "999999999", "9" * 400, "٣٤", "8000\n"),
        *(":8000", "host", "host:", "host:x", "::1:8000", "::1", "[::1]", "[]:1", "[::1]:", "a:b:1", "http://h:1"),
        "\x1b[31m:1:1",
    ],
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as error:
        parse_place(text)
    assert str(error.value).isprintable()
    assert error.value.hint


@given(st.text(max_size=20) | st.from_regex(r"\[?[0-9a-f.:]*\]?:?[0-9]*", fullmatch=True))
def test_any_text_is_a_place_or_refused(text: str) -> None:
    with contextlib.suppress(RequestError):
        place = parse_place(text)
        assert 0 <= place.port <= 65535
        assert place.host
        return
    with pytest.raises(RequestError) as error:
        parse_place(text)
    assert str(error.value).isprintable()


@given(st.integers(0, 65535), st.ip_addresses())
def test_every_address_can_be_asked_for(port: int, address: object) -> None:
    host = str(address)
    assert parse_place(f"[{host}]:{port}" if ":" in host else f"{host}:{port}") == Place(host, port)


@pytest.mark.parametrize(
    ("host", "called"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("::1", "[::1]"),
        (ANY_IPV4, os.uname().nodename),
        ("::", os.uname().nodename),
    ],
)
def test_a_listener_is_called_so_that_a_browser_finds_it(host: str, called: str) -> None:
    listener = listen(Place(host, 0))
    with listener.socket:
        assert listener.authority == f"{called}:{listener.port}"
        assert listener.is_loopback is (host not in (ANY_IPV4, "::"))
        assert listener.port == listener.socket.getsockname()[1] != 0
        with socket.create_connection((host if listener.is_loopback else "127.0.0.1", listener.port), timeout=5):
            pass


@pytest.mark.parametrize("host", ["x" * 64, "x" * 300, "a..b"])
def test_a_host_that_cannot_be_is_refused(host: str) -> None:
    with pytest.raises(RequestError, match="no host") as error:
        listen(Place(host, 0))
    assert str(error.value).isprintable()


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OutputError) as error:
        listen(Place("127.0.0.1", taken.getsockname()[1]))
    assert error.value.exit_code is ExitCode.OUTPUT
    assert "in use" in str(error.value)
    assert "another port" in error.value.hint


def test_an_address_that_is_elsewhere_is_told() -> None:
    with pytest.raises(OutputError, match=r"at 192\.0\.2\.1:8000 \(Cannot assign requested address\): name an"):
        listen(Place("192.0.2.1", 8000))


@pytest.mark.parametrize(
    ("environ", "login", "options"),
    [
        ({"USER": "ann"}, "ann", []),
        ({"USER": "root", "SUDO_USER": "ann"}, "ann", []),
        ({"USER": "ann", "SSH_CONNECTION": "10.1.1.1 5000 10.1.1.2 22"}, "ann", []),
        ({"USER": "ann", "SSH_CONNECTION": "10.1.1.1 5000 10.1.1.2 2222"}, "ann", ["-p", "2222"]),
        ({"USER": "ann", "SSH_CONNECTION": "x"}, "ann", []),
        ({"USER": "ann; id"}, "ann; id", []),
        ({}, pwd.getpwuid(os.getuid()).pw_name, []),
    ],
)
def test_the_tunnel_is_a_command_to_be_pasted(
    environ: dict[str, str], login: str, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    listener = listen(Place("127.0.0.1", 0))
    listener.socket.close()
    words = shlex.split(tunnel_command(listener, environ))
    way = f"{listener.port}:127.0.0.1:{listener.port}"
    assert words == ["ssh", *options, "-L", way, f"{login}@{os.uname().nodename}"]


@pytest.mark.parametrize(("host", "end"), [("::1", "[::1]"), ("localhost", "localhost"), (ANY_IPV4, "127.0.0.1")])
def test_the_tunnel_ends_where_something_listens(host: str, end: str) -> None:
    listener = listen(Place(host, 0))
    listener.socket.close()
    assert f" -L {listener.port}:{end}:{listener.port} " in tunnel_command(listener, {}).replace("'", "")
