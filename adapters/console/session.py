"""Who may look: a key printed by `up` works once, or the API token typed in; then a same-site cookie.

The cookie holds no secret of its own: it is an HMAC of the token, so that a restart with the same token keeps it good.
Its name holds the port, as browsers share cookies between the ports of one host: two sandboxes, two sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "passerelle"
FORM_BYTES = 16 * 1024
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class Doorkeeper:
    """Keeps the console's door. One per gateway."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self.entry_key = secrets.token_urlsafe(18)
        self._used = False

    def lets_in(self, request: Request) -> bool:
        """Whether the request carries a good cookie."""
        given = request.cookies.get(cookie_name(request), "")
        return hmac.compare_digest(given.encode(), self._proof("session").encode())

    def accepts_key(self, key: str) -> bool:
        """The key of the printed address, good once."""
        if self._used or not hmac.compare_digest(key.encode(), self.entry_key.encode()):
            return False
        self._used = True
        return True

    def accepts_token(self, token: str) -> bool:
        """The API token, typed in."""
        return hmac.compare_digest(token.strip().encode(), self._token)

    @property
    def csrf(self) -> str:
        """What every form must send back."""
        return self._proof("csrf")

    def genuine(self, request: Request, form: dict[str, str]) -> bool:
        """Whether a form was ours: its hidden field, and no other site as its origin."""
        return from_here(request) and hmac.compare_digest(form.get("csrf", "").encode(), self.csrf.encode())

    def admit(self, request: Request, response: Response) -> Response:
        """Give the cookie."""
        name, secure = cookie_name(request), request.url.scheme == "https"
        response.set_cookie(name, self._proof("session"), httponly=True, samesite="strict", secure=secure, path="/")
        return response

    def _proof(self, what: str) -> str:
        return hmac.new(self._token, f"console-{what}".encode(), hashlib.sha256).hexdigest()


def cookie_name(request: Request) -> str:
    """The name of the session cookie of this gateway."""
    return f"{COOKIE}_{request.url.port}" if request.url.port else COOKIE


def from_here(request: Request) -> bool:
    """Whether a form came from one of our own pages. Browsers say where a form comes from; other clients say nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin", "")
    # with `Referrer-Policy: no-referrer` a browser says `null` for its own pages too; Sec-Fetch-Site told them apart
    return origin in ("", "null") or urlsplit(origin).netloc == request.headers.get("host", "")


async def form_of(request: Request) -> dict[str, str]:
    """A small form, `application/x-www-form-urlencoded`; what is too large or of another type reads as empty."""
    if "application/x-www-form-urlencoded" not in request.headers.get("content-type", ""):
        return {}
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            return {}
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=50)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}
