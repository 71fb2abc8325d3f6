# SPDX-License-Identifier: Apache-2.0
"""A blob that is not here yet: fetched once, read by all while it comes, right or not at all."""

import concurrent.futures
import contextlib
import http.client
import http.server
import random
import re
import signal
import threading
import time
from pathlib import Path

from embedded import digest, image
from harness.case import main
from harness.programs import measures_memory
from harness.proxy import Fault
from harness.scripted import Listener
from harness.servers import free_port
from proxy_case import BLOBS, DATA, ProxyCase

NAME = f"/v2/lib/model/blobs/{digest(DATA)}"


class Reading(ProxyCase):
    def test_many_cold_readers_cost_one_transfer(self):
        self.fault(rate=6_000_000)
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            replies = [f.result() for f in [pool.submit(self.get) for _ in range(40)]]
        for reply in replies:
            self.assertEqual(reply.status, 200)
            self.assertEqual(reply.headers["Content-Length"], str(len(DATA)))
            self.assertEqual(reply.headers["Docker-Content-Digest"], digest(DATA))
            self.assertTrue(reply.body == DATA)
        self.assertEqual(len(self.gets()), 1)
        self.assertEqual(self.proxy.requests("HEAD", BLOBS), [])
        self.wait_stored()
        self.assertTrue(self.get().body == DATA)
        self.assertEqual(len(self.gets()), 1)

    def test_bytes_are_handed_on_as_they_come(self):
        self.fault(stall_response=1_000_000)
        _, response, data = self.begin(900_000)
        self.assertEqual(response.status, 200)
        self.assertTrue(data == DATA[:900_000])
        self.assertEqual(self.cache.blob_files(), [])
        self.assertTrue(self.get(Range="bytes=1000-2999").body == DATA[1000:3000])
        head = self.cache.request("HEAD", NAME)
        self.assertEqual((head.status, head.headers["Content-Length"]), (200, str(len(DATA))))
        self.assertEqual(self.proxy.requests("HEAD", BLOBS), [])

    def test_nobody_gets_the_end_before_the_verdict(self):
        self.fault(stall_response=len(DATA) - 1)
        connection, response, data = self.begin(len(DATA) - 65536)
        self.assertEqual(len(data), len(DATA) - 65536)
        connection.sock.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            response.read(1)

    def test_a_reader_that_leaves_does_not_end_it(self):
        self.fault(rate=3_000_000)
        connection, _, _ = self.begin()
        connection.close()
        self.wait_stored()
        self.assertTrue(self.get().body == DATA)
        self.assertEqual(len(self.gets()), 1)

    def test_nor_begins_what_nobody_wants(self):
        self.cache = self.new_cache("--keep-filling=0")
        self.fault(rate=100_000, times=1)
        connection, _, _ = self.begin(1000)
        connection.close()
        self.wait_until(lambda: self.cache.request("GET", "/metrics").body.count(b"coras_cache_fills"
                                                                                b'{upstream="default"} 1') == 0)
        self.assertLess(self.partial().stat().st_size, len(DATA) / 2)
        self.assertTrue(self.get().body == DATA)

    def test_a_slow_reader_holds_nobody_up(self):
        self.begin(1000)
        self.assertTrue(self.get().body == DATA)
        self.wait_stored()
        self.assertEqual(len(self.gets()), 1)

    @measures_memory
    def test_two_hundred_readers_take_little_memory(self):
        """Some of them take what there is and wait for more, the others do not read at all."""
        self.fault(stall_response=2_500_000)
        sockets = [self.enterContext(self.cache.socket()) for _ in range(200)]
        for sock in sockets:
            sock.sendall(f"GET {NAME} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        for sock in sockets[:50]:
            got = 0
            while got < 2_400_000:
                got += len(sock.recv(1 << 20))
        self.wait_until(lambda: b"coras_cache_readers 200\n" in self.cache.request("GET", "/metrics").body)
        status = Path(f"/proc/{self.cache.process.pid}/status").read_text()
        self.assertLess(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]), 64 * 1024)

    def test_looking_stores_nothing(self):
        head = self.cache.request("HEAD", NAME)
        self.assertEqual((head.status, head.headers["Content-Length"], head.body),
                         (200, str(len(DATA)), b""))
        self.assertEqual(head.headers["Docker-Content-Digest"], digest(DATA))
        self.assertEqual((self.gets(), self.cache.upload_files()), ([], []))

    def test_sha512(self):
        self.server.push_blob("lib/model", b"long digest", "sha512")
        path = "/v2/lib/model/blobs/" + digest(b"long digest", "sha512")
        self.assertEqual(self.get(path).body, b"long digest")
        self.wait_stored()
        self.assertEqual(self.get(path).body, b"long digest")

    def test_nothing_at_all(self):
        self.server.push_blob("lib/model", b"")
        path = "/v2/lib/model/blobs/" + digest(b"")
        self.assertEqual((self.get(path).status, self.get(path).body), (200, b""))


class Links(ProxyCase):
    """What one repository has brought here is not another one's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.push_blob("lib/other", b"something else")

    def test_a_repository_without_it_does_not_get_it(self):
        self.get()
        self.wait_stored()
        foreign = NAME.replace("lib/model", "lib/none")
        self.proxy.clear()
        for _ in range(3):
            self.assert_error(self.get(foreign), 404, "BLOB_UNKNOWN")
            self.assertEqual(self.cache.request("HEAD", foreign).status, 404)
        self.assertEqual(len(self.proxy.requests(None, BLOBS)), 1)

    def test_a_repository_that_has_it_too_costs_one_look(self):
        self.get()
        self.wait_stored()
        other = NAME.replace("lib/model", "lib/other")
        self.server.request("POST", f"/v2/lib/other/blobs/uploads/?mount={digest(DATA)}"
                            "&from=lib/model", headers={"Content-Length": "0"})
        self.proxy.clear()
        self.proxy.add(Fault(BLOBS, "HEAD", delay=0.5))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertTrue(all(r.body == DATA for r in pool.map(self.get, [other] * 8)))
        self.assertEqual([r.method for r in self.proxy.requests(None, BLOBS)], ["HEAD"])

    def test_what_is_not_there_is_asked_for_once(self):
        path = "/v2/lib/model/blobs/" + digest(b"never pushed")
        for _ in range(3):
            self.assert_error(self.get(path), 404, "BLOB_UNKNOWN")
        self.assertEqual(len(self.proxy.requests(None, BLOBS)), 1)

    def test_nor_while_it_comes(self):
        self.fault(stall_response=1_000_000)
        self.begin()
        self.assertEqual(self.get(NAME.replace("lib/model", "lib/none")).status, 404)


class Cuts(ProxyCase):
    def test_it_goes_on_where_it_was_cut(self):
        self.fault(cut_response=700_000, times=3)
        self.assertTrue(self.get().body == DATA)
        self.assertEqual([r.header("Range") for r in self.gets()][0], None)
        self.assertEqual(len(self.gets()), 4)
        self.assertEqual(self.proxy.received(), len(DATA))

    def test_an_upstream_without_ranges(self):
        self.fault(cut_response=1_000_000, times=1)
        self.fault(drop_range=True)
        self.assertTrue(self.get().body == DATA)
        self.wait_stored()

    def test_refusals_that_pass(self):
        self.fault(cut_response=500_000, times=1)
        self.fault(status=503, headers=(("Retry-After", "1"),), times=1)
        self.fault(status=500, times=1)
        self.assertTrue(self.get().body == DATA)
        self.assertEqual(self.proxy.received(), len(DATA))

    def test_killed_in_the_middle(self):
        for there in (800_000, 1_600_000):
            self.fault(stall_response=800_000, times=1)
            with self.assertRaises((http.client.HTTPException, OSError)):
                _, response, _ = self.begin(10_000)
                self.wait_until(lambda size=there: self.partial().stat().st_size == size)
                self.cache.kill()
                response.read()
            self.cache.start()
        self.assertTrue(self.get().body == DATA)
        self.assertEqual(self.proxy.received(), len(DATA))
        self.wait_stored()

    def test_killed_when_all_but_the_name_was_there(self):
        self.cache.kill()
        self.partial().write_bytes(DATA)
        self.cache.start()
        self.assertTrue(self.get().body == DATA)
        self.assertEqual(self.proxy.received(), 0)
        self.wait_stored()

    def test_what_a_power_cut_has_left_is_fetched_anew(self):
        self.cache.kill()
        self.partial().write_bytes(bytes(1_000_000))
        self.cache.start()
        for _ in range(2):
            try:
                self.assertTrue(self.get().body == DATA)
                break
            except http.client.IncompleteRead:
                pass
        self.wait_stored()
        self.assertEqual(self.get().body[:100], DATA[:100])

    def test_what_is_longer_than_the_blob_is_fetched_anew(self):
        """As it is where a power cut has taken the end of what says which parts are there."""
        self.cache.kill()
        self.partial().write_bytes(DATA + bytes(1000))
        self.cache.start()
        self.wait_until(lambda: self.get_unless_cut() == DATA)
        self.wait_stored()
        self.assertLess(len(self.gets()), 5)

    def get_unless_cut(self):
        try:
            return self.get().body
        except http.client.IncompleteRead:
            return None

    def test_stopping_cuts(self):
        self.fault(stall_response=1_000_000)
        _, response, _ = self.begin()
        self.wait_until(lambda: self.partial().stat().st_size == 1_000_000)
        began = time.monotonic()
        self.cache.send(signal.SIGTERM)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            response.read()
        self.assertTrue(caught.exception.partial == DATA[100_000:1_000_000])
        self.assertEqual(self.cache.wait(), 0)
        self.assertLess(time.monotonic() - began, 25)
        self.assertEqual(self.partial().stat().st_size, 1_000_000)


class Long(ProxyCase):
    """So long that the upstream is asked for the size before what is here is read again."""

    data = random.Random(6).randbytes(66 << 20)

    def test_what_was_there_outlives_an_upstream_that_is_away(self):
        self.cache.kill()
        self.partial().write_bytes(self.data[:65 << 20])
        self.cache.start()
        away = self.proxy.add(Fault(BLOBS, "HEAD|GET", status=500))
        self.assertEqual(self.get().status, 502)
        self.wait_until(lambda: "given up" in self.cache.log())
        away.times = 0
        self.wait_until(lambda: self.get().status == 200)
        self.assertEqual(self.proxy.received(), 1 << 20)
        self.wait_stored()


class Lies(ProxyCase):
    def test_wrong_bytes_never_end(self):
        self.fault(corrupt=2_500_000)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.get()
        self.assertLessEqual(len(caught.exception.partial), len(DATA) - 65536)
        self.wait_until(lambda: "mismatch" in self.cache.log())
        self.assertEqual((self.cache.blob_files(), self.cache.upload_files()), ([], []))
        with self.assertRaises(http.client.IncompleteRead):
            self.get()  # one more try
        self.wait_until(lambda: self.cache.log().count("mismatch") == 2)
        self.assertEqual(self.get().status, 502)
        self.assertEqual(len(self.gets()), 2)

    def test_a_small_blob_is_refused_with_a_status(self):
        self.server.push_blob("lib/model", b"small")
        self.fault(corrupt=0)
        self.assertEqual(self.get("/v2/lib/model/blobs/" + digest(b"small")).status, 502)

    def test_another_size_after_a_cut(self):
        self.fault(cut_response=1_000_000, times=1)
        self.fault(status=206, body=DATA[1_000_000:2_000_000],
                   headers=(("Content-Range", "bytes 1000000-1999999/2000000"),))
        with self.assertRaises(http.client.IncompleteRead):
            self.get()
        self.wait_until(lambda: not self.cache.upload_files())


class Chunks(http.server.BaseHTTPRequestHandler):
    """An upstream that does not tell how long its blobs are."""

    protocol_version = "HTTP/1.1"
    end = b"0\r\n\r\n"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = not self.end
        with contextlib.suppress(OSError):  # nobody waits for it any more
            for at in range(0, len(DATA), 100_000):
                piece = DATA[at:at + 100_000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(self.end)

    def log_message(self, *_):
        pass


class Unsized(ProxyCase):
    def behind(self, handler):
        origin = Listener(("127.0.0.1", 0), handler)
        threading.Thread(target=origin.serve_forever, daemon=True).start()
        self.addCleanup(origin.server_close)
        self.addCleanup(origin.shutdown)
        cache = self.new_server(f"--proxy=http://127.0.0.1:{origin.server_port}")
        self.addCleanup(self.check_log, cache)
        return cache.start()

    def test_what_a_manifest_names_comes_at_once(self):
        """Each blob waits for five others to be asked for."""
        blobs = {digest(data): data for data in (bytes([i]) * 1000 for i in range(12))}
        all_asked, asked = threading.Barrier(6, timeout=30), []

        class Together(Chunks):
            def do_GET(self):
                data = blobs.get(self.path.rpartition("/")[2])
                if data:
                    asked.append(data)
                    all_asked.wait()
                self.send_response(200 if data else 404)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"")

        self.cache = self.behind(Together)
        self.cache.push_blob("org/x", b"{}")
        self.assertEqual(self.cache.put_manifest("org/x", "v1", image(blobs.values())).status, 201)
        self.assertEqual(sorted(asked), sorted(blobs.values()))
        for name, data in blobs.items():
            self.assertEqual(self.cache.request("GET", f"/v2/org/x/blobs/{name}").body, data)
        self.assert_error(self.cache.put_manifest("org/x", "no", image([b"nowhere", *blobs.values()])), 400,
                          "MANIFEST_BLOB_UNKNOWN")

    def test_a_blob_of_unknown_size(self):
        self.cache = self.behind(Chunks)
        for _ in range(2):
            reply = self.get()
            self.assertEqual(reply.status, 200)
            self.assertTrue(reply.body == DATA)
            self.wait_stored()

    def test_its_end_is_told_from_a_cut(self):
        self.cache = self.behind(type("Cut", (Chunks,), {"end": b""}))
        with self.assertRaises(http.client.IncompleteRead):
            _, response, _ = self.begin(len(DATA) - 70_000)
            self.cache.send(signal.SIGTERM)  # or it would try again
            response.read()


class Refusals(ProxyCase):
    def test_what_clients_hear(self):
        cases = ((401, 403, "DENIED"), (403, 403, "DENIED"), (404, 404, "BLOB_UNKNOWN"),
                 (500, 502, "UNKNOWN"))
        for status, answer, code in cases:
            with self.subTest(status):
                cache = self.new_cache()
                self.proxy.clear()
                self.proxy.add(Fault(BLOBS, status=status))
                began = time.monotonic()
                reply = cache.request("GET", NAME)
                self.assert_error(reply, answer, code)
                self.assertLess(time.monotonic() - began, 15)  # where bytes have come it has patience for 20 s
                self.assertNotIn(str(self.proxy.port).encode(), reply.body)
                self.assertNotIn("WWW-Authenticate", reply.headers)

    def test_busy(self):
        self.fault(status=429, headers=(("Retry-After", "30"),))
        reply = self.get()
        self.assert_error(reply, 429, "TOOMANYREQUESTS")
        self.assertGreater(int(reply.headers["Retry-After"]), 20)
        self.assertEqual(self.get().status, 429)
        self.assertEqual(len(self.gets()), 1)

    def test_silence(self):
        self.fault(stall_head=True)
        began = time.monotonic()
        self.assertEqual(self.get().status, 504)
        self.assertLess(time.monotonic() - began, 15)

    def test_nobody_there(self):
        cache = self.new_server(f"--proxy=http://127.0.0.1:{free_port()}").start()
        began = time.monotonic()
        self.assertIn(cache.request("GET", NAME).status, (502, 503))
        self.assertIn(cache.request("GET", NAME).status, (502, 503))
        self.assertLess(time.monotonic() - began, 15)


class Operating(ProxyCase):
    """What an operator sees of a cache."""

    def metrics(self):
        lines = self.cache.request("GET", "/metrics").body.decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    def test_metrics_and_health(self):
        for _ in range(3):
            self.assertTrue(self.get().body == DATA)
            self.wait_until(lambda: self.metrics()['coras_cache_fills{upstream="default"}'] == "0")
        found = self.metrics()
        self.assertEqual(found['coras_cache_requests_total{upstream="default",kind="blob",result="fill"}'], "1")
        self.assertEqual(found['coras_cache_requests_total{upstream="default",kind="blob",result="hit"}'], "2")
        self.assertEqual(found['coras_cache_fetched_bytes_total{upstream="default"}'], str(len(DATA)))
        self.assertEqual(found['coras_cache_sent_bytes_total{upstream="default"}'], str(3 * len(DATA)))
        self.assertEqual(found['coras_cache_upstream_up{upstream="default"}'], "1")
        self.assertEqual(found['registry_proxy_requests_total{type="blob"}'], "3")
        self.assertEqual(found['registry_proxy_hits_total{type="blob"}'], "2")
        self.assertEqual(found['registry_proxy_misses_total{type="blob"}'], "1")
        health = self.cache.request("GET", "/healthz")
        self.assertEqual((health.status, health.json["checks"]),
                         (200, {"database": "ok", "fills": "ok", "default": "ok"}))


if __name__ == "__main__":
    main()
