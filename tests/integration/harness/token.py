# SPDX-License-Identifier: Apache-2.0
"""A Bearer token service as registries delegate to: GET with Basic, POST with grants."""

import base64
import http.server
import json
import os
import subprocess
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

from .scripted import Listener
from .servers import PASSWORD, USER

REFRESH_TOKEN = "refresh-canary-2B8"


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenServer:
    """Signs RS256 tokens whose `x5c` certificate the registry is told to trust.

    Knobs: `lifetime` (seconds), `refuse` (answer 401), `anonymous` (give pull without credentials).
    `log` has one dictionary for each request: method, path, scopes, credentials, headers, body.
    """

    service, issuer = "tests.registry", "tests.issuer"

    def __init__(self, lifetime=300, anonymous=True, path="/token"):
        self.lifetime, self.anonymous, self.path, self.refuse = lifetime, anonymous, path, False
        self.temp = tempfile.TemporaryDirectory(prefix="coras-test-token-")
        root = Path(self.temp.name)
        self.certificate, self.key = root / "token.pem", root / "token.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        str(self.key), "-out", str(self.certificate), "-days", "30",
                        "-subj", "/CN=tests.issuer"],
                       check=True, capture_output=True, stdin=subprocess.DEVNULL)
        der = subprocess.run(["openssl", "x509", "-in", str(self.certificate), "-outform", "DER"],
                             check=True, capture_output=True).stdout
        self.x5c = base64.b64encode(der).decode()
        self.log = []
        self.tokens = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                query = urllib.parse.parse_qs(url.query)
                server.answer(self, url.path, query.get("scope", []),
                              query.get("account", [None])[0], None, b"")

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                form = urllib.parse.parse_qs(body.decode())
                scopes = [s for value in form.get("scope", []) for s in value.split(" ")]
                server.answer(self, self.path, scopes, None, form, body)

        self.http = Listener(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def realm(self):
        return f"http://localhost:{self.port}{self.path}"

    def answer(self, request, path, scopes, account, form, body):
        header = request.headers.get("Authorization", "")
        self.log.append({"method": request.command, "path": path, "scopes": scopes,
                         "authorization": header, "form": form, "account": account,
                         "headers": dict(request.headers), "body": body})
        known = self._known(header, form)
        if self.refuse or known is False or (known is None and not self.anonymous):
            self._send(request, 401, {"errors": [
                {"code": "UNAUTHORIZED", "message": "the token service says no"}]})
            return
        token = self.token(scopes if known else [_only_pull(s) for s in scopes])
        reply = {"token": token, "access_token": token, "expires_in": self.lifetime}
        if form and form.get("grant_type") == ["password"]:
            reply["refresh_token"] = REFRESH_TOKEN
        self._send(request, 200, reply)

    @staticmethod
    def _known(header, form):
        """True: right credentials; False: wrong ones; None: none."""
        if form is not None:
            if form.get("grant_type") == ["refresh_token"]:
                return form.get("refresh_token") == [REFRESH_TOKEN]
            return (form.get("username"), form.get("password")) == ([USER], [PASSWORD])
        if not header:
            return None
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return header == f"Basic {expected}"

    @staticmethod
    def _send(request, status, value):
        data = json.dumps(value).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def token(self, scopes):
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            if name:
                access.append({"type": kind, "name": name, "actions": actions.split(",")})
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self.x5c]}
        claims = {"iss": self.issuer, "aud": self.service, "sub": USER, "exp": now + self.lifetime,
                  "nbf": now - 10, "iat": now, "jti": os.urandom(8).hex(), "access": access}
        text = ".".join(_b64(json.dumps(part).encode()) for part in (header, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.key)],
                                   input=text.encode(), check=True, capture_output=True).stdout
        token = f"{text}.{_b64(signature)}"
        self.tokens.append(token)
        return token

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.temp.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _only_pull(scope):
    head, _, actions = scope.rpartition(":")
    return f"{head}:{'pull' if 'pull' in actions.split(',') else ''}"
