"""Who sees what: nobody sees anything without the token, whatever they ask for and however."""

import os
import re
import socket

import pytest

from tests.support.serving import HANDSHAKE, Answer, Served, served

pytestmark = pytest.mark.xdist_group("guard")

TARGETS = [
    *("/", "/?fontsize=20", "/ws", "/ws?width=80&height=24", "/static/js/textual.js", "/static/css/xterm.css"),
    *("/static/", "/static", "/static/../templates/app_index.html", "/page/page.js", "/page/", "/page/index.html"),
    *("/download/x", "/download/../ws", "/nothing", "//", "/%2e%2e/", "http://127.0.0.1/"),
]
METHODS = ["GET", "HEAD", "POST", "OPTIONS", "PUT"]


def sees_nothing(answer: Answer) -> bool:
    """Whether the answer is a plain line and no more."""
    assert answer.status == 403
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "Set-Cookie" not in answer.headers
    return re.fullmatch(r"[^\n<]+: [^\n<]+\.\n", answer.text) is not None


@pytest.mark.parametrize("target", TARGETS)
def test_without_a_token_nothing_is_seen(server: Served, target: str) -> None:
    assert sees_nothing(server.get(target))
    assert sees_nothing(server.get(target, HANDSHAKE))
    assert sees_nothing(server.get(target, {**HANDSHAKE, "Origin": f"http://{server.host}"}))


@pytest.mark.parametrize("target", TARGETS)
def test_with_a_wrong_token_nothing_is_seen(server: Served, target: str) -> None:
    name = server.cookie().partition("=")[0]
    for wrong in ("", "x", server.token[:-1], server.token + "x", server.token.swapcase(), "%00", "%ff", "ü" * 43):
        quoted = wrong.replace("ü", "%C3%BC")
        asked = f"{target}{'&' if '?' in target else '?'}token={quoted}" if target.startswith("/") else target
        assert sees_nothing(server.get(asked))
        assert sees_nothing(server.get(target, {"Cookie": f"{name}={quoted}"}))
    assert sees_nothing(server.get(target, {"Cookie": f"token={server.token}"}))


@pytest.mark.parametrize("method", [each for each in METHODS if each != "HEAD"])
def test_no_way_of_asking_helps(server: Served, method: str) -> None:
    assert sees_nothing(server.get("/", method=method))
    assert sees_nothing(server.get("/ws", {"Authorization": f"Bearer {server.token}"}, method=method))


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:{port}", "localhost.evil.example", "127.0.0.1.evil.example:{port}", "evil"),
        *("", "[::1", "127.0.0.1@evil.example", "localhost.", "[evil]:{port}"),
    ],
)
def test_a_foreign_name_is_refused_also_with_the_token(server: Served, host: str) -> None:
    """A site whose name was bent to our address would be of the same origin as our page."""
    called = host.format(port=server.port)
    for headers in ({"Host": called}, {"Host": called, "Origin": f"http://{called}"}):
        assert sees_nothing(server.get(f"/?token={server.token}", headers))
        assert sees_nothing(server.get("/", headers | {"Cookie": server.cookie()}))
        assert sees_nothing(server.get("/ws", headers | HANDSHAKE | {"Cookie": server.cookie()}))


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8000", "LOCALHOST:1", "10.1.2.3:80"])
def test_the_other_end_of_a_tunnel_is_no_foreign_name(server: Served, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert server.get(f"/?token={server.token}", {"Host": host}).status == 200
    assert f'"ws://{host}/ws"' in server.get("/", {"Host": host, "Cookie": server.cookie()}).text
    assert server.get("/ws", headers | HANDSHAKE | {"Cookie": server.cookie()}).status == 101


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://localhost:{other}",
        "https://{host}",
        "http://{host}.evil.example",
        "",
        None,
    ],
)
def test_another_site_opens_no_websocket_with_our_cookie(server: Served, origin: str | None) -> None:
    """Other ports of this machine are the same site, so a browser gives them the cookie."""
    headers = HANDSHAKE | {"Cookie": server.cookie()}
    if origin is not None:
        headers["Origin"] = origin.format(host=server.host, other=server.port + 1)
    assert sees_nothing(server.get("/ws", headers))
    assert sees_nothing(server.get(f"/ws?token={server.token}", headers))


def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(server: Served) -> None:
    answer = server.get(f"/?token={server.token}")
    assert answer.status == 200
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    assert re.fullmatch(r"tcptui-[0-9a-f]{8}", name)
    assert {part.strip() for part in rest.split(";")} == {server.token, "HttpOnly", "Path=/", "SameSite=Strict"}
    assert server.token not in answer.text
    for target in ("/", "/static/js/textual.js", "/page/page.js"):
        again = server.get(target, {"Cookie": f"{name}={server.token}"})
        assert again.status == 200
        assert "Set-Cookie" not in again.headers


def test_who_has_the_cookie_still_cannot_leave_the_folders(server: Served) -> None:
    headers = {"Cookie": server.cookie()}
    for target in ("/static/../server.py", "/page/../server.py", "/page/%2e%2e/server.py", "/static//etc/passwd"):
        assert server.get(target, headers).status in (403, 404)
    assert server.get("/download/x", headers).status == 404
    assert server.get("/nothing", headers).status == 404


@pytest.mark.parametrize("target", ["/", "/static/js/textual.js", "/nothing"])
def test_every_answer_forbids_the_page_to_ask_elsewhere(server: Served, target: str) -> None:
    for headers in ({}, {"Cookie": server.cookie()}):
        answer = server.get(target, headers)
        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        assert policy.pop("default-src") == "'none'"
        assert not any("*" in sources or "http" in sources for sources in policy.values())
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        is_of_library = headers and target.startswith("/static/")
        assert answer.headers["Cache-Control"] == ("private, max-age=3600" if is_of_library else "no-store")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: \xff\xfe=\xff\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    ],
)
def test_what_is_hardly_a_request_sees_nothing_and_breaks_nothing(server: Served, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(sent)
        answer = connection.recv(1 << 16)
    assert re.match(rb"HTTP/1\.[01] (400|403) ", answer)
    assert b"<" not in answer.partition(b"\r\n\r\n")[2]
    assert server.get(f"/?token={server.token}").status == 200


def test_each_start_has_a_token_of_its_own(server: Served) -> None:
    with served("--demo", "leak") as other:
        assert len(other.token) >= 43
        assert other.token != server.token
        assert other.cookie().partition("=")[0] != server.cookie().partition("=")[0]


def test_on_every_address_it_goes_by_this_machines_name() -> None:
    name = os.uname().nodename
    with served("--demo", "leak", place="0.0.0.0:0") as running:
        assert running.url.startswith(f"http://{name}:{running.port}/?token=")
        assert running.get(f"/?token={running.token}", {"Host": f"{name.upper()}:{running.port}"}).status == 200
        assert sees_nothing(running.get("/"))
        assert sees_nothing(running.get(f"/?token={running.token}", {"Host": f"{name}.evil.example"}))
        _, errors = running.end()
    assert "warning: the line is not encrypted" in errors
