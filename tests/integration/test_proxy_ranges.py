# SPDX-License-Identifier: Apache-2.0
"""Parts of a blob that is not here yet: asked for at once, sent once."""

import concurrent.futures
import contextlib
import http.client
import os
import random
import threading
from unittest import mock

from harness.case import main
from proxy_case import ProxyCase

MIB = 1 << 20


class Ranges(ProxyCase):
    data = random.Random(6).randbytes(40 * MIB)

    def test_a_part_far_ahead_does_not_wait(self):
        self.fault(stall_response=100_000, times=1)
        for asked, wanted in (("bytes=-8", self.data[-8:]),
                              (f"bytes={20 * MIB}-{20 * MIB + 999}", self.data[20 * MIB:][:1000])):
            reply = self.get(Range=asked)
            self.assertEqual(reply.status, 206)
            self.assertEqual(reply.body, wanted)
        self.assertLess(self.proxy.received(), 2 * MIB)
        self.assertEqual([r.header("Range") for r in self.gets()],
                         [None, f"bytes={40 * MIB - 8}-{40 * MIB - 1}",
                          f"bytes={20 * MIB}-{20 * MIB + 999}"])

    def test_no_such_part(self):
        self.fault(stall_response=100_000, times=1)
        reply = self.get(Range=f"bytes={40 * MIB}-")
        self.assertEqual((reply.status, reply.headers["Content-Range"]), (416, f"bytes */{40 * MIB}"))

    def test_several_open_ranges_of_which_a_piece_is_read(self):
        """As containerd pulls a layer: each connection reads one chunk and hangs up."""
        self.fault(rate=12 * MIB)
        step = 4 * MIB

        def read(start):
            connection, response, data = self.begin(step, Range=f"bytes={start}-")
            connection.close()
            return response.status, data
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            parts = list(pool.map(read, range(0, 40 * MIB, step)))
        self.assertEqual({status for status, _ in parts}, {206})
        self.assertTrue(b"".join(data for _, data in parts) == self.data)
        self.wait_stored()
        self.assertTrue(self.get().body == self.data)
        self.assertLess(self.proxy.received(), 1.5 * len(self.data))

    def test_an_upstream_that_sends_no_parts(self):
        self.fault(drop_range=True, rate=40 * MIB)
        self.assertEqual(self.get(Range=f"bytes={30 * MIB}-{30 * MIB + 9}").body,
                         self.data[30 * MIB:][:10])
        self.wait_stored()

    def test_what_was_brought_ahead_is_verified_with_the_whole(self):
        self.fault(stall_response=100_000, times=1)
        self.fault(corrupt=10, times=1)
        self.get(Range=f"bytes={20 * MIB}-{22 * MIB}")  # a part cannot be verified
        self.cache.kill()
        self.cache.start()
        with contextlib.suppress(http.client.IncompleteRead):  # what was there is found wrong at the end
            self.assertTrue(self.get().body == self.data)
        self.wait_until(lambda: self.get().body == self.data)

    def test_one_that_comes_when_all_is_there_changes_nothing(self):
        """The upstream gives no parts any more, while wrong bytes of one are still on their way."""
        self.enterContext(mock.patch.dict(os.environ, ORAS_HTTP_TIMEOUT="4"))
        self.cache = self.new_cache()
        cut, begun, late, over = (threading.Event() for _ in range(4))
        forward, self.part = self.proxy._pass, f"bytes={20 * MIB}-{24 * MIB - 1}"

        def passing(client, request, fault, piece, chunked):
            if request.header("Range") == self.part:
                if request.received > 0:
                    begun.set()
                    late.wait(60)
                piece = bytes(len(piece))
            elif not cut.is_set() and request.received >= 100_000:  # also where the part was faster
                cut.set()
                return begun.wait(60) and False
            return forward(client, request, fault, piece, chunked)

        def serving(*arguments):
            try:
                return serve(*arguments)
            finally:
                if arguments[2].header("Range") == self.part:
                    over.set()
        serve, self.proxy._forward_response = self.proxy._forward_response, serving
        self.proxy._pass = passing
        self.addCleanup(late.set)
        self.fault(times=2)
        self.fault(status=416, times=1)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(self.get, Range=self.part)
            self.wait_stored()
            late.set()
            over.wait(60)
            with contextlib.suppress(http.client.IncompleteRead):
                ahead.result()
        self.assertEqual(self.cache.stop(), 0)
        stored = next(path for path in (self.cache.root / "blobs").rglob("*") if path.is_file())
        self.assertTrue(stored.read_bytes() == self.data)

    def test_when_it_begins_anew_nobody_asks_before_the_size_is_known(self):
        self.cache.kill()
        self.partial().write_bytes(bytes(39 * MIB + MIB // 2))  # what a power cut has left
        self.cache.start()
        self.fault(times=1)
        self.fault(delay=1.5, times=1)
        with contextlib.suppress(http.client.IncompleteRead):
            self.get(Range="bytes=-8")
        self.wait_stored()
        self.assertNotIn(f"bytes={40 * MIB - 8}-", [r.header("Range") for r in self.gets()])


if __name__ == "__main__":
    main()
