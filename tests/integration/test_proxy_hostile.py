# SPDX-License-Identifier: Apache-2.0
"""A cache before a registry that lies: its clients get what is right, or an error, and soon."""

import gzip
import http.client

from embedded import OCI_INDEX, OCI_MANIFEST, digest, image
from harness.case import main
from harness.scripted import Reply, compact, layer
from harness.waiting import wait_until
from proxied import ProxyCase

BLOB = bytes(range(256)) * 2000
MANIFEST = image([b"hello"])
JSON = "application/json"


def reply(body=b"", kind=OCI_MANIFEST, status=200, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"Content-Type": kind, **named}, body)


class Lies(ProxyCase):
    """One registry and one cache for all rows: each has a repository of its own."""

    def setUp(self):
        self.registry = self.origin()
        self.server = self.cache_of(self.registry)

    def row(self, number, answer, part):
        """The path of a repository in which `part` is answered so."""
        name = f"row/n{number}"
        self.registry.on("GET|HEAD", f"^/v2/{name}/{part}", answer)
        return f"/v2/{name}/"

    def ask(self, path, method="GET", **headers):
        """Status and body; 0 when the answer was cut."""
        try:
            found = self.server.request(method, path, headers=headers)
        except http.client.IncompleteRead:
            return 0, b""
        self.assertNotIn(str(self.registry.port).encode(), found.body)  # nobody needs to know where it is
        for name in ("Set-Cookie", "WWW-Authenticate", "Location", "Content-Encoding", "X-Evil"):
            self.assertNotIn(name, found.headers)
        return found.status, found.body

    def test_manifests(self):
        there = f"http://localhost:{self.registry.port}"
        rows = (
            (502, reply(b"<html>", "text/html")), (502, Reply(200, {}, MANIFEST)),
            (502, reply(MANIFEST, Docker_Content_Digest=digest(b"x"))),
            (502, reply(MANIFEST, Docker_Content_Digest="sha256:../../../etc/passwd")),
            (502, reply(MANIFEST, Docker_Content_Digest="sha256:" + "a" * 60_000)),
            (502, reply(MANIFEST + b" " * 5_000_000)),
            (502, Reply(200, {"Content-Type": OCI_MANIFEST}, b"", b" " * 65536)),
            (502, reply(gzip.compress(bytes(100_000_000), 1), Content_Encoding="gzip")),
            (502, reply(MANIFEST, "application/x\x1b[31m+json")), (502, reply(MANIFEST, "application/" + "a" * 70_000)),
            (502, reply(status=204)), (502, reply(status=304)), (502, reply(status=302)),
            (502, reply()), (502, reply(b"hello")), (502, reply(b"[]")), (502, reply(b"\0" * 100)),
            (502, reply(status=302, Location="file:///etc/passwd")),
            (502, reply(status=302, Location="gopher://127.0.0.1:1/x")),
            (502, reply(status=302, Location=f"{there}/v2/row/n{{}}/manifests/v1")),
            (403, reply(b"x" * 20_000_000, status=403)),
            (502, Reply(200, {f"X-{i}": "y" for i in range(5000)}, MANIFEST)),
            (200, reply(MANIFEST, OCI_MANIFEST + "; charset=utf-8")),
            (200, reply(MANIFEST, Set_Cookie="a=b", WWW_Authenticate="Basic", Location="http://evil", X_Evil="1")),
        )
        for number, (expected, answer) in enumerate(rows):
            if "Location" in answer.headers:
                answer.headers["Location"] = answer.headers["Location"].replace("{}", str(number))
            path = self.row(number, answer, "manifests") + "manifests/v1"
            for method in ("GET", "HEAD"):
                status, body = self.ask(path, method)
                # a HEAD that says another digest is believed until the bytes come, as clients do
                if method == "GET" or answer.body != MANIFEST:
                    self.assertIn(status, (200,) if expected == 200 else (expected, 404, 502), (number, method))
            if expected == 200:
                self.assertEqual(self.ask(path), (200, MANIFEST))
        self.assertEqual(self.server.request("GET", "/v2/").status, 200)

    def test_token_services(self):
        for expected, challenge in ((502, 'Bearer realm="file:///etc/passwd",service="x"'), (403, 'Basic realm="evil"'),
                                    (502, 'Bearer realm="http://169.254.169.254/t",service="x"'),
                                    (403, 'Bearer realm="' + "a" * 60_000), (403, "Bearer")):
            registry = self.origin()
            registry.on("GET|HEAD", "", reply(status=401, WWW_Authenticate=challenge))
            found = self.get(self.cache_of(registry), "v1")
            self.assertEqual((found.status, found.headers["WWW-Authenticate"]), (expected, None), challenge[:60])

    def blob_rows(self, data):
        """What is answered in place of these bytes, and what comes of it."""
        octets, size = "application/octet-stream", len(data)
        elsewhere = f"http://127.0.0.1:{self.registry.port}/storage/{digest(data)}?sig=secret-canary"
        return (
            (0, reply(b"x" * size, octets)), (0, reply(data + b"x", octets)), (502, reply(data[:1000], octets)),
            (502, reply(b"", octets)),  # a 200 of no bytes at all would look complete
            (502, reply(gzip.compress(data), octets, Content_Encoding="gzip")),
            (502, reply(data, octets, 206, Content_Range=f"bytes 5-{size + 4}/{size + 5}")),
            (502, reply(data, octets, 206, Content_Range="bytes 0-18446744073709551616/18446744073709551617")),
            (502, reply(b"<html>log in</html>", "text/html")), (502, reply(status=204)),
            (502, reply(status=302, Location="file:///etc/passwd")), (403, reply(status=403)),
            (404, reply(b"<html>", "text/html", 404)), (200, reply(status=307, Location=elsewhere)),
            (200, reply(data, "text/html", Set_Cookie="a", X_Evil="y", Cache_Control="no-store")),
        )

    def test_blobs(self):
        stored = []
        for number in range(len(self.blob_rows(BLOB))):
            data = BLOB + bytes([number])
            self.registry.on("GET|HEAD", f"^/storage/{digest(data)}", reply(data))
            expected, answer = self.blob_rows(data)[number]
            path = self.row(number, answer, "blobs") + f"blobs/{digest(data)}"
            status, body = self.ask(path)
            self.assertEqual((status, body == data), (expected, expected == 200), number)
            status, body = self.ask(path, Range="bytes=511000-511999")
            self.assertEqual(body == data[511000:512000], expected == 200, number)
            if expected == 200:
                stored.append(digest(data).split(":")[1])
        wait_until(lambda: self.server.blob_files() == sorted(stored))
        self.assertNotIn("secret-canary", self.server.log())

    def test_lists(self):
        tag, referrer = {"tags": ["a"]}, layer(b"r", media_type=OCI_MANIFEST, artifactType="a/b")
        rows = (
            ("tags/list", 502, reply(b"x", JSON)), ("tags/list", 502, reply(b"[]", JSON)),
            ("tags/list", 502, reply(compact({"tags": ["ok", 5]}), JSON)),
            ("tags/list", 502, reply(b'{"tags":' + b"[" * 100_000, JSON)),
            ("tags/list", 502, Reply(200, {"Content-Type": JSON}, b'{"tags":["', b"a" * 65536)),
            ("tags/list", 502, reply(compact(tag), JSON, Link='<http://evil.example/v2/x>; rel="next"')),
            ("tags/list", 502, reply(compact(tag), JSON, Link='<file:///etc/passwd>; rel="next"')),
            ("tags/list", 502, reply(compact(tag), JSON, Link='</v2/row/n7/tags/list?n=1>; rel="next"')),
            ("tags/list", 200, reply(compact({"name": "x", "tags": None}), JSON)),
            ("referrers", 502, reply(b"x", OCI_INDEX)), ("referrers", 404, reply(b"<html>", "text/html")),
            ("referrers", 502, reply(compact({"manifests": ["x", None]}), OCI_INDEX)),
            ("referrers", 502, reply(compact({"manifests": [{**referrer, "digest": "sha256:../x"}]}), OCI_INDEX)),
            ("referrers", 502, reply(compact({"manifests": [{**referrer, "size": -1}]}), OCI_INDEX)),
            ("referrers", 502, reply(compact({"manifests": [referrer]}), OCI_INDEX,
                                     Link=f'<http://evil.example/v2/x/referrers/{digest(b"s")}>; rel="next"')),
        )
        for number, (part, expected, answer) in enumerate(rows):
            path = self.row(number, answer, part) + part
            status, _ = self.ask(path + "/" + digest(b"s") if part == "referrers" else path)
            self.assertEqual(status, expected, number)


class Names(ProxyCase):
    def test_spellings_of_a_registry(self):
        registry = self.origin()
        registry.artifact("v1", [(b"hello", "a")])
        server = self.cache(f"hub.example=http://{registry.host}")
        for name, status in (("hub.example", 200), ("HUB.EXAMPLE", 200), ("hub.example:443", 200),
                             ("hub%2eexample", 200), ("hub.example:80", 404), ("hub.example.", 404),
                             ("hub.example/", 404), ("", 404), ("..", 404), ("hub.example%23", 404),
                             ("hub.example@evil.example", 404), ("evil.example@hub.example", 404),
                             ("http://hub.example", 404), ("%20hub.example", 404), ("169.254.169.254", 404),
                             ("localhost", 404), ("evil.example&ns=hub.example", 404), ("hub.example%00", 400),
                             ("hub.example%0d%0aX:y", 400), ("x" * 5000, 404)):
            asked = len(registry.requests())
            path = f"/v2/org/x/manifests/v1?ns={name}"
            self.assertEqual(server.request("GET", path).status, status, name)
            self.assertTrue(status == 200 or len(registry.requests()) == asked, name)
        for path, status in (("hub.example/org/x", 200), ("hub.example%3a443/org/x", 200), ("HUB.example/org/x", 400),
                             ("hub.example//x", 400), ("hub.example/../x", 400), ("hub.example/x%2f..%2fy", 400),
                             ("hub.example/x%23", 400), ("hub.example/x%3fy", 400), ("evil@hub.example/x", 400),
                             ("other.example/org/x", 404), ("hub.example", 404)):
            self.assertEqual(server.request("GET", f"/v2/{path}/manifests/v1").status, status, path)

    def test_what_clients_say_of_themselves_stays_here(self):
        registry = self.origin()
        registry.artifact("v1", [(b"hello", "a")])
        server = self.cache_of(registry)
        secrets = {"Authorization": "Basic c2VjcmV0OmNhbmFyeQ==", "Cookie": "a=canary",
                   "Proxy-Authorization": "canary",
                   "X-Forwarded-For": "1.2.3.4", "X-Canary": "canary", "User-Agent": "canary",
                   "Referer": "http://canary"}
        self.assertEqual(self.get(server, "v1", **secrets).status, 200)
        for request in registry.requests():
            self.assertNotIn("canary", request.raw())
            self.assertNotIn("1.2.3.4", request.raw())
            self.assertNotIn("Authorization", request.headers)


if __name__ == "__main__":
    main()
