"""Who may look: a key printed by `up` works once, or the API token typed in; then a same-site cookie.

The cookie holds no secret of its own: it is an HMAC of the token, so that a restart with the same token keeps it good.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "passerelle"
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
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
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self._proof("session").encode())

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

    def genuine(self, value: str) -> bool:
        """Whether a form was ours."""
        return hmac.compare_digest(value.encode(), self.csrf.encode())

    def admit(self, response: Response, *, secure: bool) -> Response:
        """Give the cookie."""
        response.set_cookie(COOKIE, self._proof("session"), httponly=True, samesite="strict", secure=secure, path="/")
        return response

    def _proof(self, what: str) -> str:
        return hmac.new(self._token, f"console-{what}".encode(), hashlib.sha256).hexdigest()
