# SPDX-License-Identifier: Apache-2.0
"""A registry behind a cache that answers what it should not: never a wrong answer, seldom none."""

import base64
import gzip
import http.client
import json
import random
import re
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from embedded import digest, image
from harness.case import main
from harness.scripted import Reply, ScriptedRegistry
from harness.waiting import wait_until
from proxied import ProxyCase

DATA = random.Random(8).randbytes(300_000)
SIZE = len(DATA)
OCTETS = {"Content-Type": "application/octet-stream"}


def cut(at):
    return Reply(200, {**OCTETS, "Content-Length": str(SIZE), "Connection": "close"}, DATA[:at])


def part(first, total=SIZE, data=None, start=None):
    data = DATA[first:] if data is None else data
    start = first if start is None else start
    return Reply(206, {**OCTETS, "Content-Range": f"bytes {start}-{start + len(data) - 1}/{total}"}, data)


class LiesCase(ProxyCase):
    path = f"/v2/org/x/blobs/{digest(DATA)}"

    def behind(self, *replies, options=()):
        """A cache; its origin gives these answers to GET of the blob, then the right ones."""
        self.asked = self.origin()
        self.asked.blob(DATA)
        left = list(replies)
        self.asked.on("GET", "/blobs/", lambda _: left.pop(0) if left else None)
        return self.cache_of(self.asked, *options)

    def blob(self, cache, path=None, **headers):
        return cache.request("GET", path or self.path, headers=headers)

    def assert_refused(self, cache):
        """No answer that looks complete, and nothing of it stays."""
        try:
            self.assertGreaterEqual(self.blob(cache).status, 500)
        except http.client.IncompleteRead:
            pass
        wait_until(lambda: (cache.blob_files(), cache.upload_files()) == ([], []))


class Parts(LiesCase):
    def test_a_rest_that_is_another_part(self):
        for lie in (part(0), part(50_000), part(100_000, start=0), Reply(416), Reply(200, OCTETS, DATA)):
            with self.subTest(lie.headers.get("Content-Range", lie.status)):
                cache = self.behind(cut(100_000), lie)
                self.assertTrue(self.blob(cache).body == DATA)
                self.assertEqual(self.asked.requests("GET")[1].headers["Range"], "bytes=100000-")

    def test_a_rest_that_belongs_to_something_else(self):
        cache = self.behind(cut(100_000), part(100_000, data=bytes(SIZE - 100_000)))
        self.assert_refused(cache)

    def test_more_than_there_should_be(self):
        for lie in (Reply(200, OCTETS, DATA + b"more"),
                    Reply(200, {**OCTETS, "Transfer-Encoding": "chunked"},
                          b"%x\r\n%s\r\n0\r\n\r\n" % (SIZE + 4, DATA + b"more"))):
            with self.subTest(lie.headers):
                self.assert_refused(self.behind(lie))

    def test_compressed_unasked(self):
        packed = gzip.compress(DATA)
        cache = self.behind(Reply(200, {**OCTETS, "Content-Encoding": "gzip"}, packed))
        try:
            reply = self.blob(cache)
            self.assertNotIn("Content-Encoding", reply.headers)
            self.assertTrue(reply.status >= 500 or reply.body == DATA)
        except http.client.IncompleteRead:
            pass


class Redirects(LiesCase):
    def test_to_another_host_without_credentials(self):
        storage = ScriptedRegistry(host="127.0.0.2")
        self.addCleanup(storage.close)
        storage.on("GET|HEAD", "/place", Reply(200, OCTETS, DATA))
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        pair = base64.b64encode(b"cache:secret").decode()
        origin = self.origin()
        origin.on("GET|HEAD", "", lambda r: Reply(307, {
            "Location": f"http://127.0.0.2:{storage.port}/place?signature=canary"})
            if r.headers.get("Authorization") == f"Basic {pair}" else
            Reply(401, {"WWW-Authenticate": 'Basic realm="x"'}))
        config = directory / "config.json"
        config.write_text(json.dumps({"auths": {origin.host: {"auth": pair}}}))
        cache = self.cache_of(origin, f"--registry-config={config}")
        reply = self.blob(cache)
        self.assertEqual((reply.status, reply.headers.get("Location")), (200, None))
        self.assertTrue(reply.body == DATA)
        self.assertEqual([r.headers.get("Authorization") for r in storage.requests()], [None])
        self.assertNotIn("canary", cache.log())

    def test_in_a_circle(self):
        cache = self.behind(*[Reply(307, {"Location": self.path})] * 200)
        self.assertIn(self.blob(cache).status, (502, 503, 504))
        self.assertLess(len(self.asked.requests("GET")), 60)


class Ranges(LiesCase):
    def test_cold_as_stored(self):
        """What a client is told about a part does not depend on how much of the blob is here."""
        rows = ["bytes=-5", "bytes=0-0", "bytes=5-3", "bytes=10-20,30-40", "items=0-5", f"bytes={SIZE}-",
                f"bytes={SIZE - 1}-{SIZE + 100}", "bytes=-0", "bytes=-999999999", "bytes=0-", "bytes=299999-"]
        origin = self.origin()
        cache = self.cache_of(origin)
        for number, asked in enumerate(rows):
            with self.subTest(asked):
                data = origin.blob(DATA[:-1] + bytes([number]))
                path = f"/v2/org/x/blobs/{digest(data)}"
                cold = self.blob(cache, path, Range=asked)
                wait_until(lambda path=path: cache.request("GET", path).body == data and not cache.upload_files())
                stored = self.blob(cache, path, Range=asked)
                self.assertEqual((cold.status, cold.headers.get("Content-Range"), len(cold.body)),
                                 (stored.status, stored.headers.get("Content-Range"), len(stored.body)))
                self.assertTrue(cold.body == stored.body)
                for name in ("Content-Type", "ETag", "Accept-Ranges", "Cache-Control", "Docker-Content-Digest"):
                    self.assertEqual(cold.headers.get(name), stored.headers.get(name), name)

    def test_if_range(self):
        for tag, status in ((f'"{digest(DATA)}"', 206), (f'W/"{digest(DATA)}"', 200), ('"other"', 200)):
            with self.subTest(tag):
                cache = self.behind()
                reply = self.blob(cache, Range="bytes=10-19", **{"If-Range": tag})
                self.assertEqual(reply.status, status)
                self.assertTrue(reply.body == (DATA[10:20] if status == 206 else DATA))

    def test_of_nothing(self):
        origin = self.origin()
        origin.blob(b"")
        cache, path = self.cache_of(origin), f"/v2/org/x/blobs/{digest(b'')}"
        for asked in ("bytes=0-", "bytes=-5", "bytes=0-0"):
            first = self.blob(cache, path, Range=asked)
            wait_until(lambda: cache.blob_files())
            again = self.blob(cache, path, Range=asked)
            self.assertEqual((first.status, first.body), (again.status, again.body), asked)


class Others(LiesCase):
    """Two repositories are asked for one blob at the same time; the registry has it in one of them."""

    def cache_of_one(self):
        self.asked = self.origin()
        self.asked.on("GET|HEAD", "/v2/org/none/blobs/", Reply(404))
        return self.cache_of(self.asked)

    def test_neither_gets_the_answer_of_the_other(self):
        cache = self.cache_of_one()
        clients = {name: cache.connection() for name in ("org/none", "org/x")}
        together = threading.Barrier(len(clients))

        def ask(name, data):
            together.wait()
            clients[name].request("GET", f"/v2/{name}/blobs/{digest(data)}")
            response = clients[name].getresponse()
            return response.status, response.read()

        with ThreadPoolExecutor(len(clients)) as pool:
            for number in range(400):
                data = self.asked.blob(b"blob %d" % number)
                order = sorted(clients, reverse=number % 2)
                answers = dict(zip(order, pool.map(ask, order, [data] * 2)))
                self.assertEqual(answers["org/x"], (200, data), f"blob {number}")
                self.assertEqual(answers["org/none"][0], 404, f"blob {number}")
        for client in clients.values():
            client.close()


class Ends(LiesCase):
    def test_a_token_that_ends_in_the_middle(self):
        cache = self.behind(cut(100_000))
        origin, given = self.asked, []

        def token(_):
            given.append(f"t{len(given)}")
            return Reply(200, {"Content-Type": "application/json"}, json.dumps({"token": given[-1]}).encode())

        def guard(request):
            part_of = 1 if "Range" in request.headers else 0
            if request.headers.get("Authorization") == f"Bearer t{part_of}":
                return None
            return Reply(401, {"WWW-Authenticate": f'Bearer realm="http://{origin.host}/token",service="x"'})
        origin.rules.insert(0, ("GET", re.compile("/blobs/"), guard))
        origin.rules.insert(0, ("GET", re.compile("/token"), token))
        self.assertTrue(self.blob(cache).body == DATA)
        self.assertEqual(given, ["t0", "t1"])

    def test_a_stored_blob_that_was_cut_off(self):
        cache = self.behind()
        self.assertTrue(self.blob(cache).body == DATA)
        wait_until(lambda: b'coras_cache_fills{upstream="default"} 0' in cache.request("GET", "/metrics").body)
        stored = next(path for path in (cache.root / "blobs").rglob("*") if path.is_file())
        stored.chmod(0o600)
        with open(stored, "r+b") as file:
            file.truncate(1000)
        self.assertTrue(self.blob(cache).body == DATA)
        self.assertEqual(len(self.asked.requests("GET", "/blobs/")), 2)

    def test_started_again_without_the_origin(self):
        """Killed in the middle of a blob: the tag is served as it was, the blob refused at once."""
        held = threading.Event()
        self.addCleanup(held.set)
        cache = self.behind(options=("--proxy-ttl=0",))
        self.asked.put("v1", image([DATA]))
        self.assertEqual(self.get(cache, "v1").status, 200)
        self.asked.rules.insert(0, ("GET", re.compile("/blobs/"), lambda _: held.wait(30) and None))
        with cache.socket() as sock:
            sock.sendall(f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            wait_until(lambda: cache.upload_files())
            cache.kill()
        (cache.root / "uploads" / ("fill-" + digest(DATA).replace(":", "-"))).write_bytes(DATA[:200_000])
        self.fell(self.asked)
        cache.start()
        reply = self.get(cache, "v1")
        self.assertEqual((reply.status, reply.body), (200, image([DATA])))
        self.assertIn("Warning", reply.headers)
        for headers in ({}, {"Range": "bytes=0-9"}):
            self.assertIn(self.blob(cache, **headers).status, (502, 503, 504))

    def test_many_looks_cost_one(self):
        cache = self.behind()
        held = threading.Event()
        self.addCleanup(held.set)
        self.asked.on("HEAD", "/blobs/", lambda _: held.wait(30) and None)
        with ThreadPoolExecutor(40) as pool:
            looks = [pool.submit(cache.request, "HEAD", self.path) for _ in range(40)]
            wait_until(lambda: b"coras_http_requests_running 41\n" in cache.request("GET", "/metrics").body)
            held.set()
            self.assertEqual({look.result().headers["Content-Length"] for look in looks}, {str(SIZE)})
        self.assertLess(len(self.asked.requests("HEAD")), 20)  # whoever came when it was over asks again


if __name__ == "__main__":
    main()
