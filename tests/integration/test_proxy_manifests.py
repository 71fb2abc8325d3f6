# SPDX-License-Identifier: Apache-2.0
"""Manifests and tags through a cache: what is asked of the registry behind it, and what is told when it fails."""

import itertools
import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

from embedded import OCI_INDEX, OCI_MANIFEST, descriptor, image
from harness.case import main
from harness.scripted import Reply, compact, sha256
from harness.waiting import wait_until
from proxied import ProxyCase

WARNING = "Warning"


class Reading(ProxyCase):
    def test_asks_once_for_a_tag_and_never_for_a_digest(self):
        origin = self.origin()
        digest = origin.put("v1", image())
        origin.manifests["v1"] = origin.manifests[digest] = (image(), OCI_MANIFEST + "; charset=utf-8")
        cache = self.cache_of(origin)
        for _ in range(2):
            reply = self.get(cache, "v1")
            self.assertEqual((reply.status, reply.body), (200, image()))
            self.assertEqual(reply.headers["Content-Type"], OCI_MANIFEST)
            self.assertEqual(reply.headers["Docker-Content-Digest"], digest)
        self.assert_asked(origin, "GET v1")
        origin.close()
        self.assertEqual(self.get(cache, digest).body, image())
        self.assertEqual(self.head(cache, digest).status, 200)
        cache.stop()
        cache.start()
        self.assertEqual(self.get(cache, digest).body, image())

    def test_answers_a_head_from_the_headers_of_the_origin(self):
        origin = self.origin()
        digest = origin.put("v1", image())
        cache = self.cache_of(origin)
        for _ in range(2):
            reply = self.head(cache, "v1")
            self.assertEqual(reply.headers["Docker-Content-Digest"], digest)
            self.assertEqual(reply.headers["Content-Length"], str(len(image())))
            self.assertEqual(reply.headers["Content-Type"], OCI_MANIFEST)
        self.assert_asked(origin, "HEAD v1")
        # as containerd goes on; the tag is known from then on, also after a restart without the origin
        self.assertEqual(self.get(cache, digest).body, image())
        self.assert_asked(origin, "HEAD v1", f"GET {digest}")
        cache.stop()
        origin.close()
        cache.start()
        reply = self.head(cache, "v1")
        self.assertEqual((reply.status, reply.headers["Docker-Content-Digest"]), (200, digest))
        self.assertIn("299 - ", reply.headers[WARNING])

    def test_keeps_an_index_whose_children_are_absent(self):
        origin = self.origin()
        index = compact({"schemaVersion": 2, "mediaType": OCI_INDEX,
                         "manifests": [descriptor(image(), OCI_MANIFEST)]})
        origin.put("v1", index, OCI_INDEX)
        cache = self.cache_of(origin)
        self.assertEqual(self.get(cache, "v1").body, index)
        origin.close()
        self.assertEqual(self.get(cache, sha256(index)).body, index)

    def test_asks_by_head_when_the_time_is_over(self):
        origin = self.origin()
        origin.put("v1", image())
        cache = self.cache_of(origin, "--proxy-ttl=0")
        self.get(cache, "v1")
        self.assertEqual(self.get(cache, "v1").body, image())
        self.assert_asked(origin, "GET v1", "HEAD v1")
        moved = image(annotations={"a": "b"})
        origin.put("v1", moved)
        self.assertEqual(self.get(cache, "v1").body, moved)
        self.assert_asked(origin, "GET v1", "HEAD v1", "HEAD v1", f"GET {sha256(moved)}")
        self.assertEqual(self.get(cache, "v1").body, moved)
        self.assertEqual(len(origin.requests("GET")), 2)

    def test_gets_where_a_head_tells_too_little(self):
        origin = self.origin()
        digest = origin.put("v1", image())
        origin.on("HEAD", "/manifests/", Reply(405))
        cache = self.cache_of(origin)
        self.assertEqual(self.head(cache, "v1").headers["Docker-Content-Digest"], digest)
        self.assertEqual(self.get(cache, "v1").body, image())
        self.assert_asked(origin, "HEAD v1", "GET v1")

    def running(self, cache):
        """Requests under way, beside the one that asks."""
        page = cache.request("GET", "/metrics").body.decode()
        return int(re.search(r"^coras_http_requests_running (\d+)$", page, re.M)[1]) - 1

    def threads(self, cache):
        return len(list(Path(f"/proc/{cache.process.pid}/task").iterdir()))

    def ask_many(self, cache, paths, count):
        """Connections on which these were asked for, when all requests are under way."""
        sockets = [self.enterContext(cache.socket()) for _ in range(count)]
        for sock, path in zip(sockets, itertools.cycle(paths)):
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        wait_until(lambda: self.running(cache) == count)
        return sockets

    def all_of(self, sock):
        return b"".join(iter(lambda: sock.recv(65536), b""))

    def test_many_who_ask_cost_one_request_and_one_thread(self):
        origin, held = self.origin(), threading.Event()
        self.addCleanup(held.set)
        origin.put("v1", image())
        origin.on("GET", "/manifests/v1", lambda _: held.wait(30) and None)
        cache = self.cache_of(origin)
        before = self.threads(cache)
        sockets = self.ask_many(cache, ["/v2/org/x/manifests/v1"], 200)
        self.assertLess(self.threads(cache), before + 10)
        held.set()
        for sock in sockets:
            answer = self.all_of(sock)
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(image()), answer[:300])
        self.assert_asked(origin, "GET v1")

    def test_lists_that_many_want_cost_few_requests(self):
        origin, held = self.origin(), threading.Event()
        self.addCleanup(held.set)
        origin.on("GET", "/tags/list", lambda _: held.wait(30) and Reply(200, {}, b'{"name":"org/x","tags":["a"]}'))
        origin.on("GET", "/referrers/", lambda _: held.wait(30) and Reply(404))
        cache = self.cache_of(origin)
        sockets = self.ask_many(cache, ["/v2/org/x/tags/list", f"/v2/org/x/referrers/{sha256(b'x')}"], 60)
        held.set()
        answers = [self.all_of(sock) for sock in sockets]
        self.assertEqual({a.split(b"\r\n\r\n", 1)[1] for a in answers[::2]}, {b'{"name":"org/x","tags":["a"]}'})
        self.assertEqual({a[:12] for a in answers[1::2]}, {b"HTTP/1.1 404"})
        self.assertLess(len(origin.requests()), 20)  # whoever came when it was over asks again

    def test_who_waits_for_a_list_gets_all_of_it(self):
        """Not what is known of it here, as if the origin did not answer."""
        origin, held = self.origin(), threading.Event()
        self.addCleanup(held.set)
        origin.put("v1", image())
        cache = self.cache_of(origin)
        self.get(cache, "v1")
        tags = b'{"name":"org/x","tags":["a","v1"]}'
        origin.on("GET", "/tags/list", lambda _: held.wait(30) and Reply(200, {}, tags))
        sockets = self.ask_many(cache, ["/v2/org/x/tags/list"], 5)
        held.set()
        for answer in map(self.all_of, sockets):
            self.assertTrue(answer.endswith(tags), answer)
            self.assertNotIn(b"Warning", answer)

    def test_a_silent_origin_stops_nobody_who_does_not_need_it(self):
        origin, held = self.origin(), threading.Event()
        self.addCleanup(held.set)
        digest = origin.put("v1", image())
        cache = self.cache_of(origin)
        self.get(cache, "v1")
        origin.on("GET|HEAD", "/manifests/t", lambda _: held.wait(30) and None)
        self.ask_many(cache, [f"/v2/org/x/manifests/t{i}" for i in range(120)], 120)
        for known in ("v1", digest):
            self.assertEqual(self.get(cache, known).body, image())
        self.assertGreater(self.running(cache), 0)  # while others still wait

    def test_a_push_that_waits_for_the_origin_holds_nobody_up(self):
        """Not those who make room, for whom it would wait itself when it keeps what has come."""
        origin, asked, held = self.origin(), threading.Event(), threading.Event()
        self.addCleanup(held.set)
        child = origin.put("v1", image())
        origin.on("GET", f"/manifests/{child}", lambda _: (asked.set(), held.wait(30)) and None)
        blobs = [sha256(origin.blob(bytes([i]) * 700_000)) for i in range(2)]
        cache = self.cache_of(origin, "--cache-size=1000000")
        index = compact({"schemaVersion": 2, "mediaType": OCI_INDEX,
                         "manifests": [descriptor(image(), OCI_MANIFEST)]})
        with ThreadPoolExecutor(1) as pool:
            pushed = pool.submit(cache.put_manifest, "org/x", "all", index, OCI_INDEX)
            asked.wait(60)
            for blob in blobs:
                self.assertEqual(cache.request("GET", f"/v2/org/x/blobs/{blob}").status, 200)
                wait_until(lambda: self.running(cache) == 1)  # nobody reads it any more
            wait_until(lambda: "evicted 700000 bytes" in cache.log())
            held.set()
            self.assertEqual(pushed.result().status, 201)

    def test_a_client_that_leaves_ends_no_ones_wait(self):
        origin, asked, held = self.origin(), threading.Event(), threading.Event()
        origin.put("v1", image())
        origin.on("GET", "/manifests/v1", lambda _: (asked.set(), held.wait(30)) and None)
        cache = self.cache_of(origin)
        with cache.socket() as sock:
            sock.sendall(b"GET /v2/org/x/manifests/v1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(asked.wait(30))
        replies = []
        follower = threading.Thread(target=lambda: replies.append(self.get(cache, "v1")))
        follower.start()
        held.set()
        follower.join(30)
        self.assertEqual(replies[0].status, 200)
        self.assert_asked(origin, "GET v1")


class Refusals(ProxyCase):
    def test_tells_refusals_apart(self):
        rows = [
            (Reply(404), 404, "MANIFEST_UNKNOWN", 1),
            (Reply(401), 403, "DENIED", 2),
            (Reply(403), 403, "DENIED", 2),
            (Reply(429, {"Retry-After": "30"}), 429, "TOOMANYREQUESTS", 1),
            (Reply(500), 502, "UNKNOWN", 1),
            (Reply(200, {"Content-Type": "text/html"}, b"<html>"), 502, "UNKNOWN", 2),
            (Reply(200, {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": sha256(b"other")}, image()),
             502, "UNKNOWN", 2),
        ]
        for reply, status, code, asked in rows:
            with self.subTest(reply=reply.status):
                origin = self.origin()
                origin.on("GET", "/manifests/", reply)
                cache = self.cache_of(origin)
                first, second = self.get(cache, "v1"), self.get(cache, "v1")
                self.assert_error(first, status, code)
                self.assertEqual(second.status, 503 if reply.status == 500 else status)
                self.assertEqual(len(origin.requests()), asked)
                for one in (first, second):
                    self.assertNotIn(str(origin.port).encode(), one.body)
                    self.assertNotIn(b"localhost", one.body)
                if status == 429:
                    self.assertLessEqual(int(second.headers["Retry-After"]), 30)

    def test_refuses_bytes_of_another_digest(self):
        origin = self.origin()
        origin.manifests[sha256(image())] = (b"{}", OCI_MANIFEST)
        origin.on("GET", "/manifests/sha256", Reply(200, {"Content-Type": OCI_MANIFEST}, b"{}"))
        cache = self.cache_of(origin)
        self.assert_error(self.get(cache, sha256(image())), 502, "UNKNOWN")
        self.assertIn("digest", cache.log())

    def test_a_token_service_that_is_missing_says_nothing_of_a_tag(self):
        origin = self.origin()
        origin.put("v1", image())
        cache = self.cache_of(origin, "--proxy-ttl=0")
        self.get(cache, "v1")
        origin.on("HEAD|GET", "/v2/", Reply(401, {"WWW-Authenticate": f'Bearer realm="http://{origin.host}/t"'}))
        self.assert_error(cache.request("GET", f"/v2/org/x/referrers/{sha256(image())}"), 502, "UNKNOWN")
        self.assertEqual(self.get(cache, "v1").body, image())

    def test_serves_a_known_tag_stale_with_a_warning(self):
        for reply in (Reply(429), Reply(500), Reply(200, {"Content-Type": "text/html"}, b"<html>")):
            with self.subTest(reply=reply.status):
                origin = self.origin()
                origin.put("v1", image())
                cache = self.cache_of(origin, "--proxy-ttl=0")
                self.get(cache, "v1")
                origin.on("HEAD|GET", "/manifests/", reply)
                for _ in range(2):
                    stale = self.get(cache, "v1")
                    self.assertEqual((stale.status, stale.body), (200, image()))
                    self.assertTrue(stale.headers[WARNING].startswith('299 - "'))
                    self.assertNotIn(str(origin.port), stale.headers[WARNING])
                self.assertEqual(cache.log().count("stale: org/x:v1"), 1)
                page = cache.request("GET", "/metrics").body.decode()
                self.assertIn('coras_cache_stale_total{upstream="default"} 2\n', page)
                self.assertIn('coras_cache_origin_requests_total{upstream="default",method="GET",code="200"} 1\n', page)
                self.assertIn('coras_cache_origin_seconds_count{upstream="default"} ', page)
                self.assertNotIn("coras_cache_ratelimit_remaining{", page)
                self.assertIn('coras_cache_requests_total{upstream="default",kind="tag",result="fill"} 1', page)

    def test_serves_nothing_stale_that_was_taken_away(self):
        for reply, status in ((Reply(404), 404), (Reply(403), 403)):
            with self.subTest(status=status):
                origin = self.origin()
                origin.put("v1", image())
                cache = self.cache_of(origin, "--proxy-ttl=0")
                self.get(cache, "v1")
                origin.on("HEAD|GET", "/manifests/v1", reply)
                self.assertEqual(self.get(cache, "v1").status, status)
                self.fell(origin)
                self.assertEqual(self.get(cache, "v1").status, 404 if status == 404 else 200)

    def test_serves_no_stale_tag_when_told_so(self):
        origin = self.origin()
        digest = origin.put("v1", image())
        cache = self.cache_of(origin, "--proxy-ttl=0", "--no-stale")
        self.get(cache, "v1")
        self.fell(origin)
        self.assertEqual(self.get(cache, "v1").status, 502)
        self.assertEqual(self.get(cache, "v1").status, 503)
        self.assertEqual(self.get(cache, digest).body, image())

    def test_does_not_wait_for_silence(self):
        origin, held = self.origin(), threading.Event()
        self.addCleanup(held.set)
        origin.put("v1", image())
        with mock.patch.dict(os.environ, ORAS_HTTP_TIMEOUT="2"):
            cache = self.cache_of(origin, "--proxy-ttl=0")
        self.get(cache, "v1")
        origin.on("HEAD", "/manifests/", lambda _: held.wait(60) and None)
        began = time.monotonic()
        self.assertIn(WARNING, self.get(cache, "v1").headers)
        self.assertLess(time.monotonic() - began, 30)  # of a minute and more that it would be silent
        self.assertIn(WARNING, self.get(cache, "v1").headers)
        self.assertEqual(len(origin.requests("HEAD")), 1)
        held.set()
        wait_until(lambda: WARNING not in self.get(cache, "v1").headers)
        self.assertIn("is down", cache.log())
        self.assertIn("answers again", cache.log())


if __name__ == "__main__":
    main()
