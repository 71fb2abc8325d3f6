# SPDX-License-Identifier: Apache-2.0
"""Registries behind TLS with a private authority."""

import ssl
import threading
import socket

from harness import programs
from harness.case import CliCase, main
from harness.servers import DockerRegistry
from harness.tls import Authority

WRONG_CA = "x509: certificate signed by unknown authority"


@programs.need_docker_registry
class Tls(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = cls.serve(Authority())
        cls.other = cls.serve(Authority("another CA"))
        cls.registry = cls.serve(DockerRegistry(tls=cls.authority.issue()))
        cls.plain = cls.serve(DockerRegistry())
        cls.host = cls.registry.ip_host

    def setUp(self):
        super().setUp()
        self.box.write("f.txt", b"content")

    def test_ca_file(self):
        ca = ["--ca-file", self.authority.certificate]
        self.ok("push", *ca, f"{self.host}/t/a:v1", "f.txt")
        self.ok("pull", *ca, f"{self.host}/t/a:v1", "-o", "out")
        self.assertEqual(self.read("out/f.txt"), b"content")
        self.assertEqual(self.ok("repo", "tags", *ca, f"{self.host}/t/a").out, "v1\n")

    def test_environment(self):
        env = {"SSL_CERT_FILE": str(self.authority.certificate)}
        self.ok("push", f"{self.host}/t/b:v1", "f.txt", env=env)
        self.ok("pull", f"{self.host}/t/b:v1", "-o", "out", env=env)

    def test_insecure(self):
        self.ok("push", "--insecure", f"{self.host}/t/c:v1", "f.txt")
        self.ok("pull", "--insecure", f"{self.host}/t/c:v1", "-o", "out")

    def test_localhost_is_plain_unless_told(self):
        host = self.registry.host
        self.fails("resolve", f"{host}/t/a:v1")
        self.ok("push", "--plain-http=false", "--insecure", f"{host}/t/d:v1", "f.txt")

    def test_unknown_authority(self):
        for flags in ([], ["--ca-file", self.other.certificate]):
            with self.subTest(flags):
                result = self.fails("pull", *flags, f"{self.host}/t/a:v1", hint="--ca-file")
                self.assertIn("tls: failed to verify certificate: " + WRONG_CA, result.first_error)

    @programs.need_oras
    def test_first_line_as_upstream(self):
        argv = ["resolve", f"{self.host}/t/a:v1"]
        self.assertEqual(self.coras(*argv).first_error, self.upstream(*argv).first_error)

    def test_wrong_name(self):
        certificate = self.authority.issue("elsewhere", ["DNS:elsewhere.example"])
        registry = self.serve_here(DockerRegistry(tls=certificate))
        result = self.fails("pull", "--ca-file", self.authority.certificate,
                            f"{registry.ip_host}/t/a:v1")
        self.assertIn("certificate", result.first_error)
        self.assertEqual(registry.requests(), [])

    def test_no_request_before_the_certificate_is_right(self):
        before = len(self.registry.requests())
        self.fails("push", f"{self.host}/t/e:v1", "f.txt", "-u", "u", "--password-stdin", stdin="p")
        self.assertEqual(len(self.registry.requests()), before)

    def test_plain_http_where_https_is_expected(self):
        result = self.fails("resolve", f"{self.plain.ip_host}/t/a:v1", hint="--plain-http")
        self.assertIn("http: server gave HTTP response to HTTPS client", result.first_error)
        self.assertEqual(self.plain.requests(), [])

    def test_https_where_plain_http_is_expected(self):
        self.fails("resolve", "--plain-http", f"{self.host}/t/a:v1", hint="--plain-http")

    def test_files_missing_or_broken(self):
        self.fails("pull", "--ca-file", "nofile", f"{self.host}/t/a:v1",
                   contains="Error: open nofile: no such file or directory\n")
        self.fails("pull", "--ca-file", "f.txt", f"{self.host}/t/a:v1")
        self.fails("pull", "--cert-file", "f.txt", f"{self.host}/t/a:v1",
                   contains="Error: --cert-file must be used in conjunction with --key-file\n")

    def test_resolve_keeps_the_name(self):
        certificate = self.authority.issue("named", ["DNS:registry.example"])
        registry = self.serve_here(DockerRegistry(tls=certificate))
        name = f"registry.example:{registry.port}"
        flags = ["--ca-file", self.authority.certificate, "--resolve",
                 f"registry.example:{registry.port}:127.0.0.1"]
        self.ok("push", *flags, f"{name}/t/a:v1", "f.txt")
        self.ok("pull", *flags, f"{name}/t/a:v1", "-o", "out")
        mapped = f"registry.example:4430:127.0.0.1:{registry.port}"
        self.ok("resolve", "--ca-file", self.authority.certificate, "--resolve", mapped,
                "registry.example:4430/t/a:v1")


class ClientCertificate(CliCase):
    """A TLS server that asks for a certificate and tells who came."""

    def test_it_is_sent(self):
        with Authority() as authority:
            server, client = authority.issue(), authority.issue("client", client=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(server.certificate, server.key)
            context.load_verify_locations(authority.certificate)
            context.verify_mode = ssl.CERT_REQUIRED
            listener = socket.create_server(("127.0.0.1", 0))
            seen = []

            def answer():
                while True:
                    try:
                        raw, _ = listener.accept()
                    except OSError:
                        return
                    try:
                        with context.wrap_socket(raw, server_side=True) as conn:
                            seen.append(dict(x[0] for x in conn.getpeercert()["subject"]))
                            conn.recv(65536)
                            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                    except OSError:
                        raw.close()

            threading.Thread(target=answer, daemon=True).start()
            self.addCleanup(listener.close)
            self.addCleanup(listener.shutdown, socket.SHUT_RDWR)  # it waits no more then
            host = f"127.0.0.1:{listener.getsockname()[1]}"
            ca = ["--ca-file", authority.certificate]
            pair = ["--cert-file", client.certificate, "--key-file", client.key]
            login = ["login", host, "-u", "u", "--password-stdin"]
            self.ok(*login, *ca, *pair, stdin="p")
            self.assertEqual(seen, [{"commonName": "client"}])
            self.fails(*login, *ca, stdin="p")


if __name__ == "__main__":
    main()
