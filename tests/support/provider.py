"""A stub OpenID provider on 127.0.0.1: authorization codes and signed tokens, as Streamlit's sign-in asks for them."""

import secrets
import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.conftest import free_port
from tests.support.listening import Listening


class Provider:
    """Signs in `account` (claims, such as email) with a click on its page; knows one client, ganscope with `secret`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.account: dict[str, Any] = {}
        self.signed_out = 0
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self._codes: dict[str, tuple[str, dict[str, Any]]] = {}
        routes = [
            Route("/.well-known/openid-configuration", self._about),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/keys", self._keys),
            Route("/logout", self._logout),
        ]
        self._server = Listening(Starlette(routes=routes), self.port)

    def close(self) -> None:
        """Ends the provider."""
        self._server.close()

    def secrets(self, app: str) -> str:
        """The section [auth] for the server at `app`."""
        return f"""[auth]
redirect_uri = "{app}/oauth2callback"
cookie_secret = "{secrets.token_hex(16)}"
client_id = "ganscope"
client_secret = "secret"
server_metadata_url = "{self.url}/.well-known/openid-configuration"
"""

    async def _about(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "end_session_endpoint": f"{self.url}/logout",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        code = secrets.token_urlsafe(8)
        self._codes[code] = asked["nonce"], dict(self.account)
        to = f"{asked['redirect_uri']}?code={code}&state={asked['state']}"
        return HTMLResponse(f'<a href="{to}">Sign in as {self.account.get("email")}</a>')

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        nonce, account = self._codes.pop(str(form["code"]))
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "ganscope",
            "sub": "1",
            "iat": now,
            "exp": now + 600,
            "nonce": nonce,
            **account,
        }
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": token})

    async def _logout(self, request: Request) -> Response:
        self.signed_out += 1
        return RedirectResponse(request.query_params["post_logout_redirect_uri"])
