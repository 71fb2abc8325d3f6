# SPDX-License-Identifier: Apache-2.0
"""The embedded registry over TLS."""

import http.client
import re
import shutil
import signal
import ssl
import tempfile
import warnings
from pathlib import Path

from embedded import ServerCase, digest
from harness.case import main
from harness.tls import Authority

DATA = bytes(range(256)) * 10_000


class Tls(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        issued = cls.authority.issue()
        cls.options = (f"--tls-cert={issued.certificate}", f"--tls-key={issued.key}")
        super().setUpClass()
        cls.context = ssl.create_default_context(cafile=cls.authority.certificate)
        # the same requests as everywhere, over a verified connection
        cls.server.connection = lambda: http.client.HTTPSConnection(
            "127.0.0.1", cls.server.port, timeout=60, context=cls.context)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.authority.close()

    def test_push_and_pull(self):
        data = self.server.push_image(self.repository, "v1", (DATA,))
        self.assertEqual(self.request("GET", f"/v2/{self.repository}/manifests/v1").body, data)
        path = f"/v2/{self.repository}/blobs/{digest(DATA)}"
        self.assertEqual(self.request("GET", path).body, DATA)
        self.assertEqual(self.request("GET", path, headers={"Range": "bytes=5-9"}).body, DATA[5:10])

    def test_old_versions_are_refused(self):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        for version, accepted in ((ssl.TLSVersion.TLSv1, False), (ssl.TLSVersion.TLSv1_1, False),
                                  (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
            with warnings.catch_warnings(action="ignore"):  # about the old ones
                context.minimum_version = version
                context.maximum_version = version
            with self.server.socket() as sock:
                try:
                    with context.wrap_socket(sock, server_hostname="127.0.0.1") as secure:
                        self.assertTrue(accepted, secure.version())
                except (ssl.SSLError, ConnectionError):
                    self.assertFalse(accepted, version)

    def test_plain_requests_are_not_answered(self):
        answer = self.server.raw(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertNotIn(b"HTTP/1.1 200", answer)
        self.assertEqual(self.request("GET", "/v2/").status, 200)

    def test_another_certificate_without_a_new_start(self):
        first, second = self.authority.issue("first"), self.authority.issue("second")
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder) / "cert.pem", Path(folder) / "key.pem"
            shutil.copy(first.certificate, certificate)
            shutil.copy(first.key, key)
            server = self.new_server(f"--tls-cert={certificate}", f"--tls-key={key}").start()
            connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=60, context=self.context)
            self.addCleanup(connection.close)

            def shown():
                return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", server.port)))

            def der(issued):
                return ssl.PEM_cert_to_DER_cert("-----BEGIN" + Path(issued.certificate).read_text().split("-----BEGIN")[1])

            connection.request("GET", "/v2/")
            connection.getresponse().read()
            self.assertEqual(shown(), der(first))
            shutil.copy(second.certificate, certificate)  # its key is still to come
            server.send(signal.SIGHUP)
            self.wait_until(lambda: "not reloaded: certificate: certificate and key: " in server.log())
            self.assertEqual(shown(), der(first))
            shutil.copy(second.key, key)
            server.send(signal.SIGHUP)
            self.wait_until(lambda: re.search(r"(?<!not )reloaded: certificate", server.log()))
            self.assertEqual(shown(), der(second))
            connection.request("GET", "/v2/")  # one that was open before goes on
            self.assertEqual(connection.getresponse().status, 200)

    def test_refused_at_the_start(self):
        certificate, key = self.options
        for options, complaint in (((certificate,), "go together"), ((key,), "go together"),
                                   (("--tls-cert=/nonexistent/file", key), "/nonexistent/file: no such file"),
                                   ((certificate, "--tls-key=/etc/hostname"), "certificate and key")):
            with self.assertRaisesRegex(RuntimeError, complaint):
                self.new_server(*options).start()


if __name__ == "__main__":
    main()
