"""The embedded registry over TLS."""

import http.client
import ssl

from embedded import ServerCase, digest
from harness.case import main
from harness.tls import Authority

DATA = bytes(range(256)) * 10_000


class Tls(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        issued = cls.authority.issue()
        cls.options = (f"tls-cert={issued.certificate}", f"tls-key={issued.key}")
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

    def test_plain_requests_are_not_answered(self):
        answer = self.server.raw(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertNotIn(b"HTTP/1.1 200", answer)
        self.assertEqual(self.request("GET", "/v2/").status, 200)

    def test_refused_at_the_start(self):
        certificate, key = self.options
        for options, complaint in (((certificate,), "go together"), ((key,), "go together"),
                                   (("tls-cert=/nonexistent", key), "/nonexistent: no such file"),
                                   ((certificate, "tls-key=/etc/hostname"), "certificate and key")):
            with self.assertRaisesRegex(RuntimeError, complaint):
                self.new_server(*options).start()


if __name__ == "__main__":
    main()
