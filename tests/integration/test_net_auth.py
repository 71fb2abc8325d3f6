# SPDX-License-Identifier: Apache-2.0
"""Challenges, tokens, credentials and where they may go, login and logout."""

import base64
import json
import re
import threading
import urllib.parse

from harness.case import main
from harness.net import NetCase
from harness.registry_case import with_tls
from harness.scripted import Reply, ScriptedRegistry
from harness.tls import Authority

SECRET = "canary-7Q1"
PULL = "repository:a:pull"
JSON = {"Content-Type": "application/json"}
UNAUTHORIZED = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class AuthCase(NetCase):
    def basic_registry(self, path="/v2/a"):
        server = self.serve(ScriptedRegistry())

        def answer(request):
            if request.headers.get("Authorization") == basic("u", SECRET):
                return Reply(200, JSON, b"{}")
            return Reply(401, {"WWW-Authenticate": 'Basic realm="x"', **JSON}, UNAUTHORIZED)
        server.on("GET|HEAD|PUT", path, answer)
        return server

    def bearer_registry(self, *, token="T", challenge=None, scope=PULL, realm=None, reply=None,
                        headers=None, **token_reply):
        """A registry that is its own token service."""
        server = self.serve(ScriptedRegistry())
        realm = realm or f"http://{server.host}/token"
        challenge = challenge or f'Bearer realm="{realm}",service="s",scope="{scope}"'
        server.valid = {token}

        def answer(request):
            header = request.headers.get("Authorization", "")
            if header.startswith("Bearer ") and header[7:] in server.valid:
                return Reply(200, JSON, b"{}")
            return Reply(401, {"WWW-Authenticate": challenge, **JSON, **(headers or {})},
                         UNAUTHORIZED)
        server.on("GET|POST", "^/token", reply or Reply(200, JSON, json.dumps(
            {"token": token, "expires_in": 300, **token_reply}).encode()))
        server.on("GET|HEAD|PUT", "^/v2/", answer)
        return server

    def tokens(self, server):
        return server.requests(path="^/token")

    def config(self, value, name="config.json"):
        return self.box.write(name, json.dumps(value) if isinstance(value, dict) else value)

    def assertSecretStaysOut(self, *texts):
        for text in texts:
            self.assertNotIn(SECRET, text)
            self.assertNotIn(base64.b64encode(f"u:{SECRET}".encode()).decode(), text)


class Basic(AuthCase):
    def test_nothing_is_sent_before_the_challenge(self):
        server = self.basic_registry()
        self.succeeds(server, "GET", "/v2/a", "--user", "u", "--password", SECRET, "--debug")
        self.assertEqual([r.headers.get("Authorization") for r in server.requests()],
                         [None, basic("u", SECRET)])
        self.assertSecretStaysOut(self.err)
        self.assertIn('"Authorization": "*****"', self.err)

    def test_afterwards_it_goes_at_once(self):
        server = self.basic_registry()
        outcomes, _ = self.run_driver("--registry", server.host, "--user", "u", "--password", SECRET,
                                      "--repeat", 3, "GET", f"http://{server.host}/v2/a")
        self.assertEqual([o["rc"] for o in outcomes], [0, 0, 0])
        self.assertEqual(len(server.requests()), 4)

    def test_body_is_sent_again_after_the_challenge(self):
        server = self.basic_registry()
        self.succeeds(server, "PUT", "/v2/a", "--user", "u", "--password", SECRET, "--body", "hello")
        self.assertEqual([r.body for r in server.requests("PUT")], [b"hello", b"hello"])

    def test_without_a_credential(self):
        server = self.basic_registry()
        config = self.config({})
        outcome = self.fails(server, "GET", "/v2/a", "--registry-config", config,
                             code="NO_CREDENTIAL", hint=f'"{server.host}" in {config}')
        self.assertEqual(outcome["message"], "basic credential not found")

    def test_wrong_password(self):
        server = self.basic_registry()
        outcome = self.fails(server, "GET", "/v2/a", "--user", "u", "--password", "wrong",
                             code="UNAUTHORIZED", hint='tried user "u" from the command line')
        self.assertEqual(outcome["response"], "unauthorized: authentication required")
        self.assertEqual(len(server.requests()), 2)

    def test_identity_token_cannot_answer(self):
        server = self.basic_registry()
        outcome = self.fails(server, "GET", "/v2/a", "--identity-token", "t", code="UNAUTHORIZED")
        self.assertEqual(outcome["message"], f'GET "http://{server.host}/v2/a": missing username or '
                         "password for basic auth")

    def test_custom_authorization_header_is_left_alone(self):
        server = self.basic_registry()
        self.succeeds(server, "GET", "/v2/a", "--header", f"Authorization: {basic('u', SECRET)}",
                      "--debug")
        self.assertEqual(len(server.requests()), 1)
        self.assertSecretStaysOut(self.err)


class Bearer(AuthCase):
    def test_token_request(self):
        server = self.bearer_registry(scope="repository:a:pull repository:b/c:pull")
        self.succeeds(server, "GET", "/v2/a", "--scope", "repository:a:push,pull", "--user", "u",
                      "--password", SECRET)
        request, = self.tokens(server)
        self.assertEqual(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query),
                         [("scope", "repository:a:pull,push"), ("scope", "repository:b/c:pull"),
                          ("service", "s")])
        self.assertEqual(request.headers["Authorization"], basic("u", SECRET))
        for other in server.requests(path="^/v2"):
            self.assertSecretStaysOut(other.raw())

    def test_anonymous_token(self):
        server = self.bearer_registry()
        self.succeeds(server, "GET", "/v2/a")
        self.assertNotIn("Authorization", self.tokens(server)[0].headers)

    def test_challenges_of_all_shapes(self):
        for shape in ('Basic realm="x", Bearer realm="{realm}",service="s"',
                      'Negotiate, Bearer realm="{realm}",service="s"',
                      'bearer Realm="{realm}"',
                      'Bearer realm="{realm}?account=x"',
                      'Bearer realm = "{realm}" , service = s'):
            with self.subTest(shape):
                server = self.serve(ScriptedRegistry())
                challenge = shape.replace("{realm}", f"http://{server.host}/token")
                server.on("GET", "^/token", Reply(200, JSON, b'{"access_token":"T"}'))
                server.on("GET", "^/v2/", lambda r, c=challenge: Reply(200)
                          if r.headers.get("Authorization") == "Bearer T"
                          else Reply(401, {"WWW-Authenticate": c}))
                self.succeeds(server, "GET", "/v2/a")
                if "account" in shape:
                    self.assertIn("account=x", self.tokens(server)[0].path)

    def test_several_header_lines(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "^/token", Reply(200, JSON, b'{"access_token":"T"}'))
        server.on("GET", "^/v2/", lambda r: Reply(200)
                  if r.headers.get("Authorization") == "Bearer T" else
                  Reply(401, {"WWW-Authenticate": ['Basic realm="x"',
                                                   f'Bearer realm="http://{server.host}/token"']}))
        self.succeeds(server, "GET", "/v2/a")

    def test_many_threads_share_one_token_request(self):
        server = self.bearer_registry()
        outcomes, _ = self.run_driver("--registry", server.host, "--threads", 16, "--repeat", 3,
                                      "--scope", PULL, "GET", f"http://{server.host}/v2/a")
        self.assertEqual([o["rc"] for o in outcomes], [0] * 48)
        self.assertEqual(len(self.tokens(server)), 1)

    def test_refusal_reaches_all_threads(self):
        gate = threading.Barrier(8)

        def refuse(_):
            return Reply(403, JSON, b'{"errors":[{"code":"DENIED","message":"not you"}]}')
        server = self.bearer_registry(reply=refuse)
        server.on("GET", "/unused", gate)
        outcomes, _ = self.run_driver("--registry", server.host, "--threads", 8, "--scope", PULL,
                                      "GET", f"http://{server.host}/v2/a")
        self.assertEqual({o["response"] for o in outcomes}, {"denied: not you"})

    def test_expired_token_is_replaced_once(self):
        server = self.bearer_registry()
        serial = iter(range(100))

        def token(_):
            value = f"T{next(serial)}"
            server.valid = {value}
            return Reply(200, JSON, json.dumps({"token": value, "expires_in": 3000}).encode())
        server.rules[0] = ("GET", server.rules[0][1], token)
        count = iter(range(100))

        def answer(request):
            if next(count) == 3:
                server.valid = set()
            return None
        server.rules.insert(0, ("GET", __import__("re").compile("^/v2/"), answer))
        outcomes, _ = self.run_driver("--registry", server.host, "--repeat", 6, "--scope", PULL,
                                      "GET", f"http://{server.host}/v2/a")
        self.assertEqual([o["rc"] for o in outcomes], [0] * 6)
        self.assertEqual(len(self.tokens(server)), 2)

    def test_the_longest_life_needs_one_token(self):
        server = self.bearer_registry(expires_in=2 ** 63 - 1)
        outcomes, _ = self.run_driver("--registry", server.host, "--repeat", 3, "--scope", PULL,
                                      "GET", f"http://{server.host}/v2/a")
        self.assertEqual([o["rc"] for o in outcomes], [0, 0, 0])
        self.assertEqual(len(self.tokens(server)), 1)

    def test_refused_fresh_token_is_final(self):
        server = self.bearer_registry()
        server.valid = set()
        self.fails(server, "GET", "/v2/a", "--scope", PULL, code="UNAUTHORIZED")
        self.assertEqual(len(self.tokens(server)), 1)
        self.assertEqual(len(server.requests(path="^/v2")), 2)

    def test_new_scope_needs_no_second_challenge(self):
        server = self.bearer_registry()
        self.run_driver("--registry", server.host, "--repeat", 2, "--scope", "repository:b:pull",
                        "GET", f"http://{server.host}/v2/a")
        self.assertEqual(len(self.tokens(server)), 1)
        self.assertEqual(len(server.requests(path="^/v2")), 3)

    def test_denied_is_not_answered(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "^/v2/", Reply(403, {"WWW-Authenticate": 'Bearer realm="http://'
                                                                 f'{server.host}/token"'}))
        self.fails(server, "GET", "/v2/a", code="DENIED", hint="the request was anonymous")
        self.assertEqual(self.tokens(server), [])

    def test_insufficient_scope_is(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "^/token", Reply(200, JSON, b'{"access_token":"T"}'))
        server.on("GET", "^/v2/", lambda r: Reply(200)
                  if r.headers.get("Authorization") else
                  Reply(403, {"WWW-Authenticate": f'Bearer realm="http://{server.host}/token",'
                                                  'error="insufficient_scope"'}))
        self.succeeds(server, "GET", "/v2/a")

    def test_identity_token_is_posted(self):
        server = self.bearer_registry()
        self.succeeds(server, "GET", "/v2/a", "--identity-token", SECRET, "--debug")
        request, = self.tokens(server)
        self.assertEqual(urllib.parse.parse_qs(request.body.decode()),
                         {"grant_type": ["refresh_token"], "refresh_token": [SECRET],
                          "service": ["s"], "scope": [PULL], "client_id": ["coras"]})
        self.assertEqual(request.headers["Content-Type"], "application/x-www-form-urlencoded")
        self.assertSecretStaysOut(self.err)

    def test_service_without_post(self):
        server = self.bearer_registry(reply=lambda r: Reply(405) if r.method == "POST" else
                                      Reply(200, JSON, b'{"token":"T"}'))
        config = self.config({"auths": {server.host: {
            "auth": base64.b64encode(f"u:{SECRET}".encode()).decode(), "identitytoken": "i"}}})
        self.succeeds(server, "GET", "/v2/a", "--registry-config", config)
        self.assertEqual([r.method for r in self.tokens(server)], ["POST", "GET"])

    def test_registry_token_is_used_as_it_is(self):
        server = self.bearer_registry()
        config = self.config({"auths": {server.host: {"registrytoken": "T"}}})
        self.succeeds(server, "GET", "/v2/a", "--registry-config", config)
        self.assertEqual(self.tokens(server), [])

    def test_useless_tokens(self):
        for body, message in [(b"{}", "empty token returned"), (b"x", "not valid JSON"),
                              (b'{"token":"a\\r\\nX: y"}', "invalid characters")]:
            server = self.bearer_registry(reply=Reply(200, JSON, body))
            self.fails(server, "GET", "/v2/a", code="UNAUTHORIZED", message=message)
        server = self.bearer_registry(reply=Reply(200, JSON, b'{"token":"' + b"x" * 131072 + b'"}'))
        self.fails(server, "GET", "/v2/a", code="TOO_LARGE")

    def test_refusing_service(self):
        server = self.bearer_registry(reply=Reply(401, JSON, UNAUTHORIZED))
        outcome = self.fails(server, "GET", "/v2/a", "--user", "u", "--password", SECRET,
                             code="UNAUTHORIZED", hint="refused the credential")
        self.assertEqual(outcome["response"], "unauthorized: authentication required")
        self.assertTrue(outcome["message"].startswith(
            f'GET "http://{server.host}/v2/a": GET "http://{server.host}/token?'), outcome)

    def test_broken_service_does_not_look_like_a_wrong_password(self):
        server = self.bearer_registry(reply=Reply(501))
        self.fails(server, "GET", "/v2/a", code="HTTP", message="501", hint="was not judged")

    def test_debug_hides_tokens(self):
        server = self.bearer_registry(token=SECRET)
        self.succeeds(server, "GET", "/v2/a", "--debug")
        self.assertSecretStaysOut(self.err)
        self.assertIn("   Response body redacted due to potential credentials", self.err)


class Origins(AuthCase):
    def test_realm_on_this_machine_is_refused(self):
        server = self.bearer_registry(realm="http://127.0.0.1:1/token")
        outcome = self.fails(server, "GET", "/v2/a", "--user", "u", "--password", SECRET,
                             code="UNTRUSTED_ORIGIN")
        self.assertIn('bearer realm host "127.0.0.1" resolves to 127.0.0.1:1, in blocked prefix '
                      "127.0.0.0/8", outcome["message"])

    def test_realms_of_bad_shape_are_refused(self):
        for realm in ("file:///etc/passwd", "ftp://h/", "x", "http://u:p@localhost/", "//h/",
                      "http://h/" + "x" * 3000):
            server = self.bearer_registry(realm=realm)
            self.fails(server, "GET", "/v2/a", code="UNTRUSTED_ORIGIN", message="bearer realm")

    def test_secrets_stay_behind_on_redirects(self):
        other = self.serve(ScriptedRegistry())
        other.on("GET", "/blob", Reply(200, {}, b"data"))
        server = self.bearer_registry()
        server.rules.insert(0, ("GET", __import__("re").compile("^/v2/blob"),
                                lambda r: Reply(307, {"Location": f"http://{other.host}/blob?"
                                                                  f"sig={SECRET}"})
                                if r.headers.get("Authorization") else None))
        outcome = self.succeeds(server, "GET", "/v2/blob", "--header", f"X-Mine: {SECRET}", "--sink",
                                "--debug")
        self.assertTrue(outcome["foreign"])
        self.assertEqual(outcome["received"], 4)
        raw = other.requests()[0].raw()
        self.assertNotIn("X-Mine", raw)
        self.assertNotIn("Authorization", raw)
        self.assertSecretStaysOut(self.err)
        self.assertIn("sig=REDACTED", self.err)

    def test_secrets_do_not_come_back_on(self):
        other = self.serve(ScriptedRegistry())
        server = self.basic_registry("^/v2/a")
        other.on("GET", "/hop", Reply(302, {"Location": f"http://{server.host}/end"}))
        server.on("GET", "^/end", Reply(200))
        server.rules.insert(0, ("GET", __import__("re").compile("^/v2/a"),
                                lambda r: Reply(302, {"Location": f"http://{other.host}/hop"})
                                if r.headers.get("Authorization") else None))
        self.succeeds(server, "GET", "/v2/a", "--user", "u", "--password", SECRET, "--header",
                      f"X-Mine: {SECRET}")
        end, = server.requests(path="^/end")
        self.assertSecretStaysOut(end.raw())

    def test_foreign_401_is_not_answered(self):
        other = self.serve(ScriptedRegistry())
        other.on("GET", "/", Reply(401, {"WWW-Authenticate": 'Basic realm="give"'}))
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/v2/a", Reply(307, {"Location": f"http://{other.host}/blob"}))
        outcome = self.fails(server, "GET", "/v2/a", "--user", "u", "--password", SECRET,
                             code="UNAUTHORIZED", hint="no credential is sent there")
        self.assertEqual(outcome["host"], other.host)
        self.assertEqual(len(other.requests()), 1)

    def test_redirect_chains_end(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/loop", Reply(302, {"Location": "/loop"}))
        self.fails(server, "GET", "/loop", code="PROTOCOL", message="stopped after 10 redirects")
        self.assertEqual(len(server.requests()), 11)

    def test_methods_over_redirects(self):
        for status, method, seen in [(301, "GET", "GET"), (302, "HEAD", "HEAD"), (303, "HEAD", "HEAD"),
                                     (307, "PUT", "PUT"), (308, "POST", "POST"), (303, "GET", "GET")]:
            server = self.serve(ScriptedRegistry())
            server.on("GET|HEAD|PUT|POST", "/from", Reply(status, {"Location": "to"}))
            server.on("GET|HEAD|PUT|POST", "/to", Reply(200))
            body = ["--body", "hello"] if method in ("PUT", "POST") else []
            self.succeeds(server, method, "/from", *body)
            last = server.requests(path="/to")[0]
            self.assertEqual((last.method, last.body), (seen, b"hello" if body else b""))

    def test_upload_is_not_turned_into_a_download(self):
        for status in (301, 302, 303):
            server = self.serve(ScriptedRegistry())
            server.on("PUT", "/from", Reply(status, {"Location": "/to"}))
            self.fails(server, "PUT", "/from", "--body", "x", code="HTTP")
            self.assertEqual(server.requests(path="/to"), [])

    def test_unwanted_foreign_redirect_is_the_answer(self):
        server = self.serve(ScriptedRegistry())
        server.on("HEAD", "/v2/a", Reply(307, {"Location": "http://127.0.0.1:1/x"}))
        server.on("HEAD", "/near", Reply(307, {"Location": "/end"}))
        server.on("HEAD", "/end", Reply(200))
        self.assertEqual(self.succeeds(server, "HEAD", "/v2/a", "--no-foreign-redirect")["status"],
                         307)
        self.assertEqual(self.succeeds(server, "HEAD", "/near", "--no-foreign-redirect")["status"],
                         200)

    def test_redirects_to_other_schemes(self):
        for target in ("file:///etc/passwd", "gopher://h/", "ftp://h/x"):
            server = self.serve(ScriptedRegistry())
            server.on("GET", "/", Reply(302, {"Location": target}))
            self.fails(server, "GET", "/x", code="PROTOCOL")

    def test_token_post_is_not_sent_on(self):
        other = self.serve(ScriptedRegistry())
        server = self.bearer_registry(reply=Reply(307, {"Location": f"http://{other.host}/t"}))
        self.fails(server, "GET", "/v2/a", "--identity-token", SECRET, code="UNTRUSTED_ORIGIN",
                   message="refusing to resend a token request body to another origin")
        self.assertEqual(other.requests(), [])


class Upgrade(AuthCase):
    """A registry that is asked over http, sends us to https, and asks there who we are."""

    def setUp(self):
        super().setUp()
        self.ca = self.enterContext(Authority())
        self.secure = with_tls(self.basic_registry(), self.ca)
        self.plain = self.serve(ScriptedRegistry())
        self.plain.on("GET|PUT", "/v2/", lambda r: Reply(
            308, {"Location": f"https://localhost:{self.secure.port}{r.path}"}))
        self.options = ["--ca-file", self.ca.certificate, "--user", "u", "--password", SECRET]

    def test_secrets_go_to_https_only(self):
        outcomes, _ = self.run_driver("--registry", self.plain.host, *self.options, "--repeat", 3, "--body",
                                      "x", "PUT", f"http://{self.plain.host}/v2/a")
        self.assertEqual([o["rc"] for o in outcomes], [0, 0, 0], outcomes)
        self.assertFalse(outcomes[0]["foreign"])
        self.assertEqual(len(self.plain.requests()), 1)
        self.assertSecretStaysOut(self.plain.requests()[0].raw())
        self.assertEqual(len(self.secure.requests()), 4)

    def test_not_to_another_host_or_path(self):
        for where in (f"https://127.0.0.1:{self.secure.port}/v2/a", f"https://localhost:{self.secure.port}/v2/ab"):
            plain = self.serve(ScriptedRegistry())
            plain.on("GET", "/v2/a", Reply(308, {"Location": where}))
            self.fails(plain, "GET", "/v2/a", *self.options, code="UNAUTHORIZED")
        self.assertSecretStaysOut(*(r.raw() for r in self.secure.requests()))

    def test_certificate_is_checked(self):
        self.fails(self.plain, "GET", "/v2/a", "--user", "u", "--password", SECRET, code="TLS")
        self.assertSecretStaysOut(*(r.raw() for r in self.plain.requests()))


class Stores(AuthCase):
    def used(self, *options, env=None, host=None):
        """The user name that reaches the token service; None for an anonymous request."""
        server = self.bearer_registry()
        self.succeeds(server, "GET", "/v2/a", "--scope", PULL, *options(server), env=env)
        header = self.tokens(server)[0].headers.get("Authorization")
        return base64.b64decode(header[6:]).decode().split(":")[0] if header else None

    def auths(self, host, user):
        return {"auths": {host: {"auth": base64.b64encode(f"{user}:p".encode()).decode()}}}

    def test_order_of_the_stores(self):
        server = self.bearer_registry()
        runtime, config, named, docker = (self.box.root / n for n in
                                          ("runtime", "config", "named.json", "docker"))
        env = {"XDG_RUNTIME_DIR": str(runtime), "XDG_CONFIG_HOME": str(config),
               "DOCKER_CONFIG": str(docker)}
        expected = []
        for path, user in [(config / "containers/auth.json", "xdg"),
                           (runtime / "containers/auth.json", "runtime"),
                           (docker / "config.json", "docker"), (named, "named")]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self.auths(server.host, user)))
            if user == "named":
                env["REGISTRY_AUTH_FILE"] = str(named)
            self.succeeds(server, "GET", "/v2/a", "--scope", PULL, env=env)
            header = self.tokens(server)[-1].headers["Authorization"]
            expected.append((user, base64.b64decode(header[6:]).decode()))
        self.assertEqual(expected, [(u, f"{u}:p") for u, _ in expected])

    def test_named_files_replace_the_default(self):
        server = self.bearer_registry()
        (self.box.home / ".docker").mkdir()
        (self.box.home / ".docker/config.json").write_text(json.dumps(self.auths(server.host, "home")))
        first = self.config({}, "first.json")
        second = self.config(self.auths(server.host, "second"), "second.json")
        self.succeeds(server, "GET", "/v2/a", "--registry-config", first)
        self.assertNotIn("Authorization", self.tokens(server)[-1].headers)
        self.succeeds(server, "GET", "/v2/a", "--registry-config", first, "--registry-config", second)
        self.assertEqual(self.tokens(server)[-1].headers["Authorization"], basic("second", "p"))
        self.succeeds(server, "GET", "/v2/a")
        self.assertEqual(self.tokens(server)[-1].headers["Authorization"], basic("home", "p"))

    def test_broken_file_stops_before_the_first_request(self):
        server = self.bearer_registry()
        config = self.config("{")
        self.fails(server, "GET", "/v2/a", "--registry-config", config, code="CONFIG",
                   message=f"failed to decode config file {config}: invalid config format: ")
        self.assertEqual(server.requests(), [])

    def test_broken_entry(self):
        server = self.basic_registry()
        config = self.config({"auths": {server.host: {"auth": "!!"}}})
        outcome = self.fails(server, "GET", "/v2/a", "--registry-config", config, code="CONFIG")
        self.assertEqual(outcome["message"], f'GET "http://{server.host}/v2/a": failed to resolve '
                         "credential: failed to decode auth field: invalid config format: illegal "
                         "base64 data at input byte 0")

    def test_helper_is_asked_once(self):
        server = self.bearer_registry()
        log = self.box.root / "helper.log"
        self.box.script("docker-credential-x", f"#!/bin/sh\necho \"$*\" >>{log}\ncat >>{log}\n"
                        f"echo '{{\"Username\":\"u\",\"Secret\":\"{SECRET}\"}}'\n")
        config = self.config({"credHelpers": {server.host: "x"}, **self.auths(server.host, "no")})
        outcomes, _ = self.run_driver("--registry", server.host, "--registry-config", config,
                                      "--repeat", 2, "--scope", PULL, "--threads", 4, "GET",
                                      f"http://{server.host}/v2/a")
        self.assertEqual([o["rc"] for o in outcomes], [0] * 8)
        self.assertEqual(self.tokens(server)[0].headers["Authorization"], basic("u", SECRET))
        self.assertEqual(log.read_text(), f"get\n{server.host}")

    def test_stale_entry_of_the_containers_tools_is_passed_over(self):
        """Upstream does not read auth.json: what is public without it stays public with it."""
        server = self.bearer_registry()
        stale = [basic("stale", "p"), basic("stale too", "p")]
        server.rules.insert(0, ("GET", re.compile("^/token"), lambda request:
                                Reply(401) if request.headers.get("Authorization") in stale else None))
        runtime, config, docker = (self.box.root / n for n in ("runtime", "config", "docker"))
        for path, auths in [(runtime / "containers/auth.json", {
                server.host: "stale", f"{server.host}/a": "stale too"}),
                            (config / "containers/auth.json", {})]:
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"auths": {key: self.auths(key, user)["auths"][key]
                                                  for key, user in auths.items()}}))
        env = {"XDG_RUNTIME_DIR": str(runtime), "XDG_CONFIG_HOME": str(config)}
        outcomes, err = self.run_driver("--registry", server.host, "--scope", PULL, "--repeat", 2, "GET",
                                        f"http://{server.host}/v2/a", env=env)
        self.assertEqual([o["rc"] for o in outcomes], [0, 0], outcomes)
        self.assertEqual([r.headers.get("Authorization") for r in self.tokens(server)],
                         [stale[1], stale[0], None])
        self.assertEqual(err.count("was refused: going on without it"), 2, err)

        (config / "containers/auth.json").write_text(json.dumps(self.auths(server.host, "good")))
        self.succeeds(server, "GET", "/v2/a", "--scope", PULL, env=env)
        self.assertEqual(self.tokens(server)[-1].headers["Authorization"], basic("good", "p"))

        docker.mkdir()
        (docker / "config.json").write_text(json.dumps(self.auths(server.host, "stale")))
        self.fails(server, "GET", "/v2/a", "--scope", PULL, env={"DOCKER_CONFIG": str(docker)},
                   code="UNAUTHORIZED")

    def test_another_store_answers_basic_where_the_first_is_stale(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/v2/a", lambda r: Reply(200) if r.headers.get("Authorization") == basic("good", "p")
                  else Reply(401, {"WWW-Authenticate": 'Basic realm="x"'}))
        named = self.config(self.auths(server.host, "stale"), "auth.json")
        (self.box.home / ".docker").mkdir()
        docker = self.box.home / ".docker/config.json"
        docker.write_text(json.dumps(self.auths(server.host, "good")))
        self.succeeds(server, "GET", "/v2/a", env={"REGISTRY_AUTH_FILE": str(named)})
        docker.unlink()
        self.fails(server, "GET", "/v2/a", env={"REGISTRY_AUTH_FILE": str(named)}, code="UNAUTHORIZED")

    def test_missing_helper_does_not_hide_what_is_public(self):
        server = self.bearer_registry()
        for value in ({"credsStore": "absent"}, {"credHelpers": {server.host: "absent"}}):
            config = self.config({**value, **self.auths(server.host, "no")})
            outcomes, err = self.run_driver("--registry", server.host, "--registry-config", config,
                                            "--scope", PULL, "--repeat", 2, "GET",
                                            f"http://{server.host}/v2/a")
            self.assertEqual([o["rc"] for o in outcomes], [0, 0], outcomes)
            self.assertNotIn("Authorization", self.tokens(server)[-1].headers)
            self.assertEqual(err.count("docker-credential-absent"), 1, err)
            self.assertIn(f"going on without the credentials of {config}", err)

    def test_longest_key_of_a_repository_wins(self):
        server = self.bearer_registry()
        hosts = {server.host: "host", f"{server.host}/team": "team", f"{server.host}/team/repo": "repo"}
        config = self.config({"auths": {key: self.auths(key, user)["auths"][key]
                                        for key, user in hosts.items()}})
        for repository, user in [("team/repo", "repo"), ("team/repo/sub", "repo"), ("team/other", "team"),
                                 ("teams", "host"), ("x", "host")]:
            self.succeeds(server, "GET", "/v2/a", "--scope", f"repository:{repository}:pull",
                          "--registry-config", config)
            self.assertEqual(self.tokens(server)[-1].headers["Authorization"], basic(user, "p"), repository)
        config = self.config(self.auths(f"{server.host}/team", "team"))
        self.succeeds(server, "GET", "/v2/a", "--scope", PULL, "--registry-config", config)
        self.assertNotIn("Authorization", self.tokens(server)[-1].headers)

    def test_helper_without_an_answer_ends_the_search(self):
        server = self.basic_registry()
        self.box.script("docker-credential-x", "#!/bin/sh\n"
                        "echo credentials not found in native keychain\nexit 1\n")
        config = self.config({"credsStore": "x", **self.auths(server.host, "u")})
        outcome = self.fails(server, "GET", "/v2/a", "--registry-config", config,
                             code="NO_CREDENTIAL")
        self.assertEqual(outcome["message"], "basic credential not found")


class Login(AuthCase):
    def login(self, server, user, secret, *options, **more):
        outcomes, self.err = self.run_driver("--registry", server.host, *options, "--login", user,
                                             secret, **more)
        return outcomes[0]

    def path(self):
        return self.box.home / ".docker/config.json"

    def test_login_and_logout(self):
        server = self.basic_registry("^/v2/")
        self.assertEqual(self.login(server, "u", SECRET)["rc"], 0)
        auth = base64.b64encode(f"u:{SECRET}".encode()).decode()
        self.assertEqual(self.path().read_text(), '{\n\t"auths": {\n\t\t"%s": {\n\t\t\t"auth": "%s"\n'
                         "\t\t}\n\t}\n}" % (server.host, auth))
        self.assertEqual(self.path().stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.path().parent.stat().st_mode & 0o777, 0o700)
        self.succeeds(server, "GET", "/v2/a")
        for _ in range(2):
            outcomes, _ = self.run_driver("--registry", server.host, "--logout")
            self.assertEqual(outcomes[0]["rc"], 0)
        self.assertEqual(self.path().read_text(), '{\n\t"auths": {}\n}')

    def test_wrong_password_is_not_stored(self):
        server = self.basic_registry("^/v2/")
        outcome = self.login(server, "u", "wrong")
        self.assertEqual(outcome["code"], "UNAUTHORIZED")
        self.assertEqual(outcome["response"], "unauthorized: authentication required")
        self.assertTrue(outcome["message"].startswith(
            f"failed to validate the credentials for {server.host}: "))
        self.assertFalse(self.path().exists())

    def test_identity_token(self):
        server = self.bearer_registry()
        self.assertEqual(self.login(server, "", SECRET)["rc"], 0)
        self.assertEqual(json.loads(self.path().read_text()),
                         {"auths": {server.host: {"identitytoken": SECRET}}})
        outcome = self.login(self.basic_registry("^/v2/"), "", SECRET)
        self.assertIn("missing username or password for basic auth", outcome["message"])

    def test_not_a_registry(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "^/v2/", Reply(404))
        outcome = self.login(server, "u", SECRET)
        self.assertEqual((outcome["code"], outcome["message"]), (
            "NOT_FOUND", f"failed to validate the credentials for {server.host}: not found"))

    def test_anonymous_registry_accepts_all(self):
        server = self.serve(ScriptedRegistry())
        self.assertEqual(self.login(server, "u", SECRET)["rc"], 0)

    def test_bad_registry_name(self):
        outcomes, _ = self.run_driver("--registry", "h/foo", "--login", "u", "p")
        self.assertEqual(outcomes[0]["message"], 'invalid reference: invalid registry "h/foo"')
        for name, meant in [("h/foo", "h"), ("https://h:5000", "h:5000"), ("https://h/v2/", "h"),
                            ("h!", None), ("https://", None)]:
            outcomes, _ = self.run_driver("--registry", name, "--login", "u", "p")
            self.assertEqual(outcomes[0].get("hint"), meant and
                             f"REGISTRY_NAME: a registry is named without scheme and path: {meant}")

    def test_colon_in_the_user_name(self):
        server = self.serve(ScriptedRegistry())
        outcome = self.login(server, "u:v", SECRET)
        self.assertEqual(outcome["message"], f"failed to store the credentials for {server.host}: bad "
                         "credential format: colons(:) are not allowed in username")

    def test_missing_helper(self):
        server = self.serve(ScriptedRegistry())
        config = self.config({"credsStore": "absent"})
        outcome = self.login(server, "u", SECRET, "--registry-config", config)
        self.assertEqual(outcome["message"], f"failed to store the credentials for {server.host}: "
                         'exec: "docker-credential-absent": executable file not found in $PATH')
        self.assertEqual(json.loads(config.read_text()), {"credsStore": "absent"})

    def test_helper_stores_and_erases(self):
        server = self.serve(ScriptedRegistry())
        log = self.box.root / "helper.log"
        self.box.script("docker-credential-x", f"#!/bin/sh\necho \"$*\" >>{log}\ncat >>{log}\n")
        config = self.config({"credsStore": "x"})
        self.assertEqual(self.login(server, "u", "s", "--registry-config", config)["rc"], 0)
        self.run_driver("--registry", server.host, "--registry-config", config, "--logout")
        self.assertEqual(log.read_text(), 'store\n{"ServerURL":"%s","Username":"u","Secret":"s"}erase\n%s'
                         % (server.host, server.host))


if __name__ == "__main__":
    main()
