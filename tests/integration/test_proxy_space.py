# SPDX-License-Identifier: Apache-2.0
"""A cache with less room than there is to cache."""

import concurrent.futures
import http.client
import random
import signal
import socket
import sqlite3
import subprocess
import threading

from embedded import digest
from harness.case import main
from proxy_case import ProxyCase

MB = 1_000_000
LAYERS = [random.Random(i).randbytes(MB) for i in range(10)]


class CacheSize(ProxyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for layer in LAYERS:
            cls.server.push_blob("lib/layers", layer)

    def setUp(self):
        super().setUp()
        self.cache = self.new_cache(f"--cache-size={5 * MB}")

    def fetch(self, number):
        reply = self.get(f"/v2/lib/layers/blobs/{digest(LAYERS[number])}")
        self.assertTrue(reply.status == 200 and reply.body == LAYERS[number])

    def stored(self):
        """Numbers of the layers that are here."""
        files = self.cache.blob_files()
        return [i for i, layer in enumerate(LAYERS) if digest(layer)[7:] in files]

    def fill_up(self, numbers):
        for number in numbers:
            self.fetch(number)
            # by then it counts as used, and so before the next one
            self.wait_until(lambda n=number: f"{digest(LAYERS[n])}: filled" in self.cache.log())

    def test_what_was_not_read_for_longest_goes(self):
        self.fill_up(range(4))
        self.fetch(0)  # and so it is newer than 1
        self.fill_up([4, 5])
        self.wait_until(lambda: len(self.stored()) <= 4)
        self.assertEqual(self.stored(), [0, 3, 4, 5])
        self.proxy.clear()
        self.fetch(1)
        self.assertEqual(len(self.proxy.requests("GET")), 1)

    def test_what_was_pushed_stays(self):
        self.cache.push_blob("own", LAYERS[0])
        self.fill_up([1])
        self.cache.push_blob("own", LAYERS[1])  # both
        self.fill_up(range(2, 10))
        self.wait_until(lambda: len(self.stored()) <= 6)
        self.assertTrue({0, 1, 9} <= set(self.stored()), self.stored())
        self.assertEqual(self.cache.request("GET", f"/v2/own/blobs/{digest(LAYERS[1])}").body, LAYERS[1])

    def test_what_two_repositories_have_read_goes_too(self):
        self.server.push_blob("lib/second", LAYERS[0])
        self.fill_up([0])
        reply = self.get(f"/v2/lib/second/blobs/{digest(LAYERS[0])}")
        self.assertTrue(reply.body == LAYERS[0])
        self.fill_up(range(1, 6))
        self.wait_until(lambda: len(self.stored()) <= 4)
        self.assertEqual(self.stored(), [2, 3, 4, 5])

    def test_larger_than_the_room_goes_after_its_last_reader(self):
        large = random.Random(99).randbytes(16 * MB)
        self.server.push_blob("lib/layers", large)
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", self.cache.port))
            reader.sendall(f"GET /v2/lib/layers/blobs/{digest(large)} HTTP/1.1\r\n"
                           "Host: localhost\r\n\r\n".encode())
            reader.recv(1)
            self.wait_until(lambda: digest(large)[7:] in self.cache.blob_files())
            self.fetch(0)
            self.wait_until(lambda: "evicted" in self.cache.log())
            self.assertIn(digest(large)[7:], self.cache.blob_files())
        self.wait_until(lambda: digest(large)[7:] not in self.cache.blob_files())

    def test_order_and_kind_outlive_a_restart(self):
        self.fill_up(range(4))
        self.assertEqual(self.cache.stop(signal.SIGTERM), 0)
        with sqlite3.connect(self.cache.root / "registry.db") as database:
            self.assertEqual(database.execute("SELECT count(*) FROM blob WHERE used > 0").fetchone(), (4,))
        self.cache.start()
        self.fill_up([4, 5])
        self.wait_until(lambda: len(self.stored()) <= 4)
        self.assertEqual(self.stored(), [2, 3, 4, 5])

    def test_uses_of_a_clock_that_was_wrong_pin_nothing(self):
        self.fill_up(range(4))
        self.assertEqual(self.cache.stop(), 0)
        with sqlite3.connect(self.cache.root / "registry.db") as database:  # as if it had been ten years later
            database.execute("UPDATE blob SET used = used + 315360000000")
        self.cache.start()
        self.fill_up([4, 5])
        self.wait_until(lambda: len(self.stored()) <= 4)
        self.assertEqual(self.stored(), [2, 3, 4, 5])


class FullDisk(ProxyCase):
    large = random.Random(98).randbytes(24 * MB)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.push_blob("lib/layers", cls.large)
        for layer in LAYERS:
            cls.server.push_blob("lib/layers", layer)

    def setUp(self):
        super().setUp()
        self.cache = self.small_server(8, f"--proxy=http://127.0.0.1:{self.proxy.port}")

    def layer(self, data):
        return self.get(f"/v2/lib/layers/blobs/{digest(data)}").body

    def test_what_does_not_fit_is_passed_through(self):
        all_read = threading.Event()
        self.addCleanup(all_read.set)
        self.fault(stall_response=MB, until=all_read)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            replies = pool.map(self.layer, [self.large] * 6)
            # who comes when the first bytes are gone already has to fetch it again
            self.wait_until(lambda: b"coras_cache_readers 6\n" in self.cache.request("GET", "/metrics").body)
            all_read.set()
            self.assertTrue(all(reply == self.large for reply in replies))
        self.assertEqual(len(self.gets()), 1)
        self.wait_until(lambda: "passed through" in self.cache.log())
        self.proxy.clear()
        for _ in range(2):
            self.assertTrue(self.get().body == self.data)  # fits again
            self.wait_until(lambda: "filled" in self.cache.log())
        self.assertEqual(len(self.gets()), 1)

    def test_wrong_bytes_do_not_end_there_either(self):
        self.fault(corrupt=23 * MB)
        with self.assertRaises(http.client.IncompleteRead):
            self.layer(self.large)
        self.assertTrue(self.get().body == self.data)

    def beside_it(self, command):
        """Run by a shell that sees the cache's small disk."""
        subprocess.run(["nsenter", f"--target={self.cache.process.pid}", "--mount", "--user", "--preserve-credentials",
                        "sh", "-c", command, "sh", self.cache.root.parent], check=True, capture_output=True, timeout=60)

    def is_kept(self, data):
        self.proxy.clear()
        self.assertTrue(self.layer(data) == data)
        return not self.gets()

    def test_a_disk_that_others_fill_and_empty_again(self):
        """No byte is left, for the database neither. It is a cache all the while, and all of one afterwards."""
        own = self.cache.push_image("own/a", "v1")
        tagged = self.server.push_image("lib/layers", "v1", LAYERS[:1])
        self.assertTrue(self.layer(LAYERS[0]) == LAYERS[0])
        self.beside_it('cat /dev/zero >"$1/of-others" || true')
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            wanted = [*LAYERS, self.large] * 3
            self.assertTrue(all(got == data for got, data in zip(pool.map(self.layer, wanted), wanted)))
        self.assertEqual(self.get("/v2/lib/layers/manifests/v1").body, tagged)
        self.assertEqual(self.get("/v2/own/a/manifests/v1").body, own)
        self.beside_it('rm "$1/of-others"')
        self.cache.push_image("own/a", "v2", (b"fits again",))
        self.wait_until(lambda: self.is_kept(LAYERS[1]))
        self.assertEqual(self.cache.stop(), 0)

    def test_what_is_older_makes_room(self):
        for layer in LAYERS:
            self.assertTrue(self.layer(layer) == layer)
        self.assertTrue(self.layer(LAYERS[9]) == LAYERS[9])
        self.assertEqual(len(self.gets()), 10)
        self.wait_until(lambda: self.cache.log().count("filled") == 10)
        self.assertIn("evicted", self.cache.log())


if __name__ == "__main__":
    main()
