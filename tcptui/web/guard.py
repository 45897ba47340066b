"""Who may see anything: requests with the token, sent by our own page, to a name that is ours.

The token comes with the first visit's URL and is a cookie from then on. A cookie belongs to a host and not to a port,
so its name is drawn anew for each server: two of them on one machine leave each other's alone.

That alone would let other sites act in the name of whoever has the cookie. So a request's ``Host`` must be a name of
this server, since a foreign name that was bent to our address (DNS rebinding) would make a foreign page the same
origin; and its ``Origin``, which a websocket must have, must be the one it is sent to: websockets know no other rule.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from tcptui.language import tr

TOKEN_PARAMETER = "token"  # noqa: S105 - the name of it
TOKEN_BYTES = 32
LIBRARY_FILES = "/static/"

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",  # the terminal makes style sheets as it goes
    "font-src 'self'",
    "img-src data:",  # the page's icon is an empty one: browsers ask for another otherwise
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
HEADERS = {
    hdrs.CACHE_CONTROL: "no-store",
    hdrs.CONTENT_SECURITY_POLICY: "; ".join(_POLICY),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    hdrs.SERVER: "tcptui",
    hdrs.X_CONTENT_TYPE_OPTIONS: "nosniff",
    hdrs.X_FRAME_OPTIONS: "DENY",
}
"""With every answer: nothing may come from elsewhere, nothing is kept, and no other page may frame this one."""

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Guard:
    """What a request must have."""

    names: frozenset[str]
    """What the server may be called beside its addresses, in small letters."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES), repr=False)
    cookie: str = field(default_factory=lambda: f"tcptui-{secrets.token_hex(4)}")
    """The name of the cookie that holds the token."""

    def obstacle(self, request: web.Request) -> str:
        """Why the request is to see nothing; empty where there is no reason."""
        if not self._is_called_by_its_name(request.headers.get(hdrs.HOST, "")):
            return tr("This server goes by another name: use the address that it printed.")
        if not _is_from_our_page(request):
            return tr("Another site sent this: open the address that the server printed.")
        if not self._has_token(request):
            return tr("The token is missing or wrong: open the whole address that the server printed.")
        return ""

    def _is_called_by_its_name(self, host: str) -> bool:
        """An address cannot be bent to another one, so every address is good."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self.names or _is_address(name)

    def _has_token(self, request: web.Request) -> bool:
        shown = (request.query.get(TOKEN_PARAMETER, ""), request.cookies.get(self.cookie, ""))
        return any(hmac.compare_digest(_as_bytes(each), self.token.encode()) for each in shown)

    @web.middleware
    async def watch(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        """Let the request through to ``handler``, or refuse it whatever it is for."""
        obstacle = self.obstacle(request)
        if obstacle:
            return web.Response(status=web.HTTPForbidden.status_code, text=obstacle + "\n")
        response = await handler(request)
        if TOKEN_PARAMETER in request.query:
            response.set_cookie(self.cookie, self.token, httponly=True, samesite="Strict")
        return response

    async def mark(self, request: web.Request, response: web.StreamResponse) -> None:
        """Put into any answer what all of them say, and that the library's files may be kept: they are 0.7 MB."""
        response.headers.update(HEADERS)
        if request.path.startswith(LIBRARY_FILES) and response.status == web.HTTPOk.status_code:
            response.headers[hdrs.CACHE_CONTROL] = "private, max-age=3600"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_from_our_page(request: web.Request) -> bool:
    """Whether the page that sends this, if it is one, came from where it is sent to."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return request.headers.get(hdrs.UPGRADE) is None
    return origin.lower() == f"http://{request.headers.get(hdrs.HOST, '')}".lower()


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
