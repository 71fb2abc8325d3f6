# SPDX-License-Identifier: Apache-2.0
"""A large blob from an upstream that gives each connection little: by several, in order, once."""

import concurrent.futures
import contextlib
import http.client
import random
import threading

from harness.case import main
from harness.proxy import Fault
from proxy_case import BLOBS, ProxyCase

MIB = 1 << 20
RATE = 6 * MIB  # of each connection; so slow that more of them are tried on a busy machine too


class Wide(ProxyCase):
    data = random.Random(7).randbytes(80 * MIB)
    cache_options = ("--grace=1",)  # a reader that is stopped in the middle reads no more

    def setUp(self):
        super().setUp()
        self.lock, self.running, self.most = threading.Lock(), 0, 0

    def slow(self, rate=RATE, **named):
        """Each connection has its rate; how many there are at a time is counted."""
        forward = self.proxy._forward_response

        def counted(client, upstream, request, fault):
            with self.lock:
                self.running += 1
                self.most = max(self.most, self.running)
            try:
                return forward(client, upstream, request, fault)
            finally:
                with self.lock:
                    self.running -= 1
        self.proxy._forward_response = counted
        return self.proxy.add(Fault(BLOBS, "GET", rate=rate, **named))

    def stored_size(self):
        stored = self.cache.root / "blobs"
        return next(path for path in stored.rglob("*") if path.is_file()).stat().st_size

    def test_several_connections_bring_it_once_and_in_order(self):
        self.slow()
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            replies = list(pool.map(lambda _: self.get(), range(3)))
        self.assertTrue(all(reply.body == self.data for reply in replies))
        self.assertGreaterEqual(self.most, 4)
        self.assertLessEqual(self.most, 9)
        self.assertLess(self.proxy.received(), 1.05 * len(self.data))
        self.wait_stored()
        self.assertEqual(self.stored_size(), len(self.data))
        self.assertTrue(self.get().body == self.data)

    def go_on_after(self, end):
        self.slow()
        _, response, _ = self.begin()
        self.wait_until(lambda: self.proxy.received() > 40 * MIB)
        end()
        with contextlib.suppress(http.client.HTTPException, OSError):
            response.read()
        self.cache.start()
        self.assertTrue(self.get().body == self.data)
        self.assertLess(self.proxy.received(), 1.15 * len(self.data))  # what was on the way is lost
        self.wait_stored()
        self.assertEqual(self.stored_size(), len(self.data))

    def test_killed_in_the_middle(self):
        self.go_on_after(self.cache.kill)

    def test_stopped_in_the_middle(self):
        self.go_on_after(lambda: self.assertEqual(self.cache.stop(), 0))

    def test_connections_that_are_cut(self):
        self.slow(cut_response=7 * MIB)
        self.assertTrue(self.get().body == self.data)
        self.assertLess(self.proxy.received(), 1.05 * len(self.data))
        self.wait_stored()

    def test_wrong_bytes_of_one(self):
        fault = self.slow()
        fault.corrupt = 3 * MIB
        with self.assertRaises(http.client.IncompleteRead):
            self.get()
        self.wait_until(lambda: "mismatch" in self.cache.log())
        self.assertEqual((self.cache.blob_files(), self.cache.upload_files()), ([], []))

    def test_an_upstream_that_sends_no_parts(self):
        self.slow(rate=20 * MIB, drop_range=True)
        self.assertTrue(self.get().body == self.data)
        self.assertLess(self.proxy.received(), 1.5 * len(self.data))


if __name__ == "__main__":
    main()
