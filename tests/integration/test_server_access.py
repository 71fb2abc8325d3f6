# SPDX-License-Identifier: Apache-2.0
"""The embedded registry: who may do what."""

import base64
import os
import select
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from embedded import ServerCase, digest, image
from harness import programs
from harness.case import main
from harness.servers import HTPASSWD, PASSWORD, USER


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


GOOD = basic(USER, PASSWORD)
PATHS = (("GET", "/v2/"), ("GET", "/v2/_catalog"), ("GET", "/v2/a/tags/list"),
         ("GET", "/v2/a/manifests/v1"), ("HEAD", "/v2/a/manifests/v1"),
         ("PUT", "/v2/a/manifests/v1"), ("DELETE", "/v2/a/manifests/v1"),
         ("GET", f"/v2/a/blobs/{digest(b'x')}"), ("DELETE", f"/v2/a/blobs/{digest(b'x')}"),
         ("POST", "/v2/a/blobs/uploads/"), ("GET", f"/v2/a/referrers/{digest(b'x')}"),
         ("GET", "/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000"))
# spellings that a check on the raw text would let through
DISGUISES = ("//v2/_catalog", "/V2/_catalog", "/v2/%5fcatalog", "/%76%32/_catalog", "/x/../v2/_catalog",
             "/v2/./_catalog", "/v2/_catalog;x", "/v2//a/tags/list", "/v2/a/%74ags/list")


class Passwords(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.TemporaryDirectory()
        path = Path(cls.files.name) / "htpasswd"
        path.write_text(HTPASSWD)
        cls.options = (f"--htpasswd={path}",)
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.files.cleanup()

    def assert_401(self, reply, method="GET"):
        self.assertEqual(reply.status, 401)
        self.assertEqual(reply.headers["WWW-Authenticate"], 'Basic realm="coras"')
        if method != "HEAD":
            self.assertEqual(reply.code, "UNAUTHORIZED")

    def test_every_path_asks_for_a_password(self):
        for method, path in PATHS:
            self.assert_401(self.request(method, path), method)
        for headers in (basic(USER, "wrong"), basic("mallory", PASSWORD)):
            self.assert_401(self.request("GET", "/v2/", headers=headers))
        for path in DISGUISES:
            self.assert_401(self.request("GET", path))

    def test_right_password(self):
        self.assertEqual(self.request("GET", "/v2/", headers=GOOD).status, 200)
        self.assertEqual(self.request("GET", "/v2/_catalog", headers=GOOD).status, 200)
        for path in DISGUISES:
            self.assertIn(self.request("GET", path, headers=GOOD).status, (200, 400, 404))

    def test_any_name_where_there_are_passwords(self):
        headers = {"Host": "registry.example"}
        self.assertNotEqual(self.request("GET", "/v2/", headers=headers).status, 421)
        self.assertEqual(self.request("GET", "/v2/", headers={**headers, **GOOD}).status, 200)

    def test_malformed_credentials(self):
        for value in ("Basic", "Basic !!!", "Basic " + "A" * 9000, "Bearer x", "", "\u00e9",
                      "Basic " + base64.b64encode(b"no-colon").decode(),
                      "Basic " + base64.b64encode(f"{USER}:{PASSWORD}\0x".encode()).decode(),
                      "Basic " + base64.b64encode(f"{USER.upper()}:{PASSWORD}".encode()).decode(),
                      "Basic " + base64.b64encode(f"{USER}:{PASSWORD}{'x' * 80}".encode()).decode()):
            self.assert_401(self.request("GET", "/v2/", headers={"Authorization": value}))

    def test_two_credentials_are_refused(self):
        value = GOOD["Authorization"]
        answer = self.server.raw(f"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: {value}\r\n"
                                 f"Authorization: {value}\r\n\r\n".encode())
        self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer)

    def test_answer_comes_before_the_body(self):
        with self.server.socket() as sock:
            sock.sendall(b"PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: 4000000\r\nExpect: 100-continue\r\n\r\n")
            self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 401"))
        with self.server.socket() as sock:
            sock.sendall(b"PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: 4000000\r\n\r\n")
            self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 401"))

    def test_session_belongs_to_its_user(self):
        path = "/v2/a/blobs/uploads/"
        location = self.request("POST", path, headers=GOOD).headers["Location"]
        self.assert_401(self.request("GET", location))
        self.assertEqual(self.request("GET", location, headers=GOOD).status, 204)

    def test_log_names_no_password(self):
        self.request("GET", "/v2/", headers=basic(USER, "tell-nobody"))
        self.assertIn("wrong password or unknown user from 127.0.0.1", self.server.log())
        self.assertNotIn("tell-nobody", self.server.log())
        self.assertNotIn(PASSWORD, self.server.log())

    def test_right_ones_are_served_while_others_guess(self):
        guesses = [threading.Thread(target=self.request, args=("GET", "/v2/"),
                                    kwargs={"headers": basic(USER, str(i))}) for i in range(4)]
        self.assertEqual(self.request("GET", "/v2/", headers=GOOD).status, 200)
        for guess in guesses:
            guess.start()
        for _ in range(20):
            self.assertEqual(self.request("GET", "/v2/", headers=GOOD).status, 200)
        for guess in guesses:
            guess.join()


class Guessers(ServerCase):
    """Every check takes as long as that of the costliest hash; there is nobody behind it here."""

    @classmethod
    def setUpClass(cls):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(f"{HTPASSWD}nobody:$2y$10${'a' * 53}\n")
            file.flush()
            cls.options = (f"--htpasswd={file.name}",)
            super().setUpClass()

    def guess(self, source, number):
        sock = socket.create_connection(("127.0.0.1", self.server.port), 60, (source, 0))
        self.addCleanup(sock.close)
        value = basic(USER, f"guess {number}")["Authorization"]
        sock.sendall(f"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: {value}\r\n\r\n".encode())
        return sock

    def test_others_wait_for_one_guess_and_not_for_all(self):
        guesses = [self.guess("127.0.0.2", i) for i in range(60)]
        select.select(guesses, [], [], 60)  # they are at it
        self.assertEqual(self.request("GET", "/v2/", headers=GOOD).status, 200)
        answered = select.select(guesses, [], [], 0)[0]
        self.assertLess(len(answered), 30)
        for sock in answered:
            self.assertTrue(sock.recv(100).startswith(b"HTTP/1.1 401 "))


class AnonymousRead(Passwords):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.stop()
        cls.server.options += ("--anonymous-read",)
        cls.server.start()

    def test_every_path_asks_for_a_password(self):
        for method, path in PATHS:
            reply = self.request(method, path)
            if method in ("GET", "HEAD") and "uploads" not in path:
                self.assertNotEqual(reply.status, 401, path)
            else:
                self.assert_401(reply, method)
        self.assert_401(self.request("GET", "/v2/", headers=basic(USER, "wrong")))

    def test_malformed_credentials(self):
        self.assert_401(self.request("GET", "/v2/", headers={"Authorization": "Basic !!!"}))

    def test_log_in_is_offered(self):
        reply = self.request("GET", "/v2/")
        self.assertEqual((reply.status, reply.headers["WWW-Authenticate"]), (200, 'Basic realm="coras"'))
        reply = self.request("GET", "/v2/", headers=GOOD)
        self.assertEqual((reply.status, reply.headers["WWW-Authenticate"]), (200, None))

    def test_empty_credentials_are_none(self):
        self.assertEqual(self.request("GET", "/v2/_catalog", headers=basic("", "")).status, 200)
        self.assert_401(self.request("POST", "/v2/a/blobs/uploads/", headers=basic("", "")))
        self.assert_401(self.request("GET", "/v2/_catalog", headers=basic("", "x")))

    @programs.need_skopeo
    def test_skopeo_reads_without_and_writes_with_a_password(self):
        def skopeo(*arguments):
            return subprocess.run(
                [programs.SKOPEO, *arguments], cwd=self.files.name, capture_output=True, text=True,
                timeout=60, check=False, stdin=subprocess.DEVNULL,
                env={**os.environ, "HOME": self.files.name,
                     "REGISTRY_AUTH_FILE": f"{self.files.name}/auth.json"})
        name = f"docker://{self.server.host}/{self.repository}"
        for blob in (b"{}", b"hello"):
            self.request("POST", f"/v2/{self.repository}/blobs/uploads/?digest={digest(blob)}", blob, GOOD)
        self.request("PUT", f"/v2/{self.repository}/manifests/v1", image([b"hello"]), GOOD)
        done = skopeo("copy", "--src-tls-verify=false", f"{name}:v1", "oci:layout:v1")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = skopeo("copy", "--dest-tls-verify=false", "oci:layout:v1", f"{name}/new:v1")
        self.assertNotEqual(done.returncode, 0)
        done = skopeo("copy", "--dest-tls-verify=false", "--dest-creds", f"{USER}:{PASSWORD}",
                      "oci:layout:v1", f"{name}/new:v1")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_right_ones_are_served_while_others_guess(self):
        self.assertEqual(self.request("GET", "/v2/").status, 200)

    def test_reading_what_a_user_wrote(self):
        for blob in (b"{}", b"hello"):
            reply = self.request("POST", f"/v2/r/blobs/uploads/?digest={digest(blob)}", blob, GOOD)
            self.assertEqual(reply.status, 201)
        reply = self.request("PUT", "/v2/r/manifests/v1", image([b"hello"]), GOOD)
        self.assertEqual(reply.status, 201)
        self.assertEqual(self.request("GET", "/v2/r/manifests/v1").body, image([b"hello"]))
        self.assert_401(self.request("DELETE", "/v2/r/manifests/v1"))
        self.assertEqual(self.request("GET", "/v2/r/manifests/v1").status, 200)


class BadPasswordFiles(ServerCase):
    def test_refused_at_the_start_with_the_line(self):
        for text, complaint in (("alice:plain\n", r"(?s):1: not a bcrypt hash.*Hint: .*htpasswd -B"),
                                (HTPASSWD + "bob:$apr1$x$y\n", ":2: not a bcrypt hash"),
                                (HTPASSWD.replace("\n", "\r\n"), ":1: not a line"),
                                ("", "no users")):
            with tempfile.NamedTemporaryFile("w", newline="") as file:
                file.write(text)
                file.flush()
                with self.assertRaisesRegex(RuntimeError, complaint):
                    self.new_server(f"--htpasswd={file.name}").start()
        with self.assertRaisesRegex(RuntimeError, "/nonexistent/file: no such file"):
            self.new_server("--htpasswd=/nonexistent/file").start()


if __name__ == "__main__":
    main()
