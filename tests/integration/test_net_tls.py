# SPDX-License-Identifier: Apache-2.0
"""TLS: whom the client trusts, what it shows, what it says when it does not trust."""

import ssl
import subprocess

from harness.case import main
from harness.net import NetCase, RawServer
from harness.tls import Authority

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Tls(NetCase):
    @classmethod
    def setUpClass(cls):
        cls.ca = cls.enterClassContext(Authority())
        cls.other_ca = cls.enterClassContext(Authority("another CA"))
        cls.server_pair = cls.ca.issue()
        cls.client_pair = cls.ca.issue("client", client=True)

    def context(self, pair=None, client_ca=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pair = pair or self.server_pair
        context.load_cert_chain(pair.certificate, pair.key)
        if client_ca:
            context.load_verify_locations(client_ca.certificate)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def tls_server(self, *args, answer=OK, **more):
        self.shown = shown = []

        def handler(connection, _):
            shown.append(bool(connection.getpeercert()))
            connection.sendall(answer)
            return True
        return self.serve(RawServer(handler, self.context(*args, **more)))

    def https(self, check, server, *options, **more):
        return check(server, "GET", "/v2/", "--plain-http", -1, *options, scheme="https", **more)

    def test_named_authority_is_trusted(self):
        self.https(self.succeeds, self.tls_server(), "--ca-file", self.ca.certificate)

    def test_environments_authority_is_trusted(self):
        self.https(self.succeeds, self.tls_server(), env={"SSL_CERT_FILE": str(self.ca.certificate)})

    def test_environments_directory_is_trusted(self):
        directory = self.box.root / "certs"
        directory.mkdir()
        digest = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", self.ca.certificate],
                                capture_output=True, text=True, check=True).stdout.strip()
        (directory / f"{digest}.0").write_bytes(self.ca.certificate.read_bytes())
        self.https(self.succeeds, self.tls_server(), env={"SSL_CERT_DIR": str(directory)})

    def test_unknown_authority(self):
        server = self.tls_server()
        for tries, options in enumerate(([], ["--ca-file", self.other_ca.certificate]), 1):
            outcome = self.https(self.fails, server, *options, code="TLS", hint="CA_FILE")
            self.assertEqual(outcome["message"], f'Get "https://{server.host}/v2/": tls: failed to '
                             "verify certificate: x509: certificate signed by unknown authority")
            self.assertEqual(server.connections, tries)
        self.assertEqual(server.heads, [])

    def test_named_authority_replaces_the_others(self):
        self.https(self.fails, self.tls_server(), "--ca-file", self.other_ca.certificate, code="TLS",
                   env={"SSL_CERT_FILE": str(self.ca.certificate)})

    def test_insecure_takes_any(self):
        self.https(self.succeeds, self.tls_server(), "--insecure")

    def test_name_must_match(self):
        server = self.tls_server(self.ca.issue("elsewhere", hosts=("DNS:elsewhere.example",)))
        self.https(self.fails, server, "--ca-file", self.ca.certificate, code="TLS",
                   message="x509: certificate is not valid for localhost")
        self.assertEqual(server.heads, [])

    def test_resolve_keeps_the_name_that_is_checked(self):
        server = self.tls_server(self.ca.issue("elsewhere", hosts=("DNS:elsewhere.example",)))
        self.succeeds(server, "GET", "https://elsewhere.example/v2/", "--ca-file",
                      self.ca.certificate, "--resolve",
                      f"elsewhere.example:443:127.0.0.1:{server.port}", registry="elsewhere.example")
        self.assertIn("Host: elsewhere.example\r\n", server.heads[0])

    def test_client_certificate_is_shown(self):
        server = self.tls_server(client_ca=self.ca)
        pair = ["--cert", self.client_pair.certificate, "--key", self.client_pair.key]
        self.https(self.succeeds, server, "--ca-file", self.ca.certificate, *pair)
        self.assertEqual(self.shown, [True])

    def test_client_certificate_stays_with_the_registry(self):
        storage = self.tls_server(client_ca=self.ca)
        shown_there = self.shown
        answer = (f"HTTP/1.1 307 Go\r\nLocation: https://localhost:{storage.port}/x\r\n"
                  "Content-Length: 0\r\n\r\n").encode()
        server = self.tls_server(client_ca=self.ca, answer=answer)
        pair = ["--cert", self.client_pair.certificate, "--key", self.client_pair.key]
        self.https(self.succeeds, server, "--ca-file", self.ca.certificate, *pair)
        self.assertEqual((self.shown, shown_there), ([True], [False]))

    def test_registry_that_wants_a_client_certificate_says_so(self):
        for version, text in ((ssl.TLSVersion.TLSv1_2, "handshake failure"),
                              (ssl.TLSVersion.TLSv1_3, "certificate required")):
            context = self.context(client_ca=self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
            context.maximum_version = version
            server = self.serve(RawServer(lambda c, h: c.sendall(OK), context))
            outcome = self.https(self.fails, server, "--ca-file", self.ca.certificate, code="TLS",
                                 hint="CLIENT_CERTIFICATE")
            self.assertEqual(outcome["message"], f'Get "https://{server.host}/v2/": remote error: tls: {text}')
            self.assertEqual(server.connections, 1)
            self.https(self.succeeds, server, "--ca-file", self.ca.certificate, "--cert",
                       self.client_pair.certificate, "--key", self.client_pair.key)

    def test_other_alerts_are_told(self):
        context = self.context()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols(["other"])
        server = self.serve(RawServer(lambda c, h: c.sendall(OK), context))
        context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        outcome = self.https(self.fails, server, "--ca-file", self.ca.certificate, code="TLS",
                             message="remote error: tls: unrecognized name")
        self.assertNotIn("hint", outcome)

    def test_proxy_that_speaks_tls_is_judged_like_the_registry(self):
        def tunnel(connection, head):
            if not head.startswith("CONNECT"):
                return connection.sendall(OK)
            connection.sendall(b"HTTP/1.1 200 Yes\r\n\r\n")
            return True
        proxy = self.serve(RawServer(tunnel, self.context()))
        env = {"HTTP_PROXY": f"https://{proxy.host}", "HTTPS_PROXY": f"https://{proxy.host}"}
        for scheme, options in (("http", ["--ca-file", self.ca.certificate]), ("http", ["--insecure"])):
            self.succeeds(None, "GET", f"{scheme}://registry.example/v2/", "--plain-http", 1, *options,
                          registry="registry.example", env=env)
        self.succeeds(None, "GET", "http://registry.example/v2/", "--plain-http", 1,
                      registry="registry.example", env={**env, "SSL_CERT_FILE": str(self.ca.certificate)})
        for url in ("http://registry.example/v2/", "https://registry.example/v2/"):
            outcome = self.fails(None, "GET", url, "--plain-http", 1, registry="registry.example", env=env,
                                 code="TLS", hint="CA_FILE")
            self.assertIn("x509: certificate signed by unknown authority", outcome["message"])

    def test_redirect_to_http_is_refused(self):
        plain = self.serve(RawServer(lambda c, h: c.sendall(OK)))
        answer = (f"HTTP/1.1 307 Go\r\nLocation: http://{plain.host}/x\r\n"
                  "Content-Length: 0\r\n\r\n").encode()
        self.https(self.fails, self.tls_server(answer=answer), "--ca-file", self.ca.certificate,
                   code="UNTRUSTED_ORIGIN", message="downgrades scheme from https")
        self.assertEqual(plain.heads, [])

    def test_plain_realm_of_a_tls_registry_is_refused(self):
        plain = self.serve(RawServer(lambda c, h: c.sendall(OK)))
        answer = (f'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="http://{plain.host}/t"\r\n'
                  "Content-Length: 0\r\n\r\n").encode()
        self.https(self.fails, self.tls_server(answer=answer), "--ca-file", self.ca.certificate,
                   code="UNTRUSTED_ORIGIN", message=f'bearer realm "http://{plain.host}/t" uses http '
                                                    "but registry was contacted over https")
        self.assertEqual(plain.heads, [])

    def test_cut_handshake_is_tried_again(self):
        class Cutting(RawServer):
            def _serve(self, connection):
                if self.connections < 3:
                    connection.recv(64)
                    connection.close()
                else:
                    super()._serve(connection)
        server = self.serve(Cutting(lambda c, h: c.sendall(OK), self.context()))
        self.https(self.succeeds, server, "--ca-file", self.ca.certificate)
        self.assertEqual(server.connections, 3)

    def test_http_client_and_https_server(self):
        text = b"Client sent an HTTP request to an HTTPS server.\n"
        server = self.serve(RawServer(lambda c, h: c.sendall(
            b"HTTP/1.0 400 Bad Request\r\n\r\n" + text)))
        self.fails(server, "GET", "/v2/", code="HTTP", hint="USE_TLS")
        silent = self.serve(RawServer(lambda c, h: None))  # as those do that are made with GnuTLS
        self.fails(silent, "GET", "/v2/", "--no-retry", code="CONNECT", message="EOF", hint="USE_TLS")


if __name__ == "__main__":
    main()
