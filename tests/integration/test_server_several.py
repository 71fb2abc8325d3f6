# SPDX-License-Identifier: Apache-2.0
"""Several processes on one store and one database: one registry, any of which may die."""

import contextlib
import itertools
import socket
import socketserver
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import test_server_conformance as judge
from embedded import PROGRAM, Server, digest, end_well, image
from harness import programs
from harness.case import main
from harness.postgres import PASSWORD, Postgres, need_postgres
from harness.proxy import Fault, FaultProxy
from harness.stores import Store
from harness.waiting import wait_until
from test_server_s3 import on_store

OCTETS = {"Content-Type": "application/octet-stream"}
BLOBS = "/blobs/sha256:"


class TurnByTurn(socketserver.ThreadingTCPServer):
    """Every request goes to the next server: connections end with their first answer."""

    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

    def __init__(self, servers):
        super().__init__(("127.0.0.1", 0), None)
        self.turns = itertools.cycle(servers)
        self.lock = threading.Lock()
        self.port = self.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = request.recv(65536)
            if not piece:
                return
            head += piece
        with self.lock:
            server = next(self.turns)
        lines, rest = head.split(b"\r\n\r\n", 1)
        lines = [line for line in lines.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with server.socket() as there:
            there.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]) + rest)
            sending = threading.Thread(target=self.pass_on, args=(request, there), daemon=True)
            sending.start()
            self.pass_on(there, request)
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
            sending.join()  # or it would read on from whoever gets the number of this socket

    @staticmethod
    def pass_on(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass  # either has hung up

    def handle_error(self, request, client_address):
        pass  # a client that went away

    def close(self):
        self.shutdown()
        self.server_close()


class SeveralCase(unittest.TestCase):
    """One store, one PostgreSQL, and for each test a database and as many servers as it likes."""

    names = itertools.count()
    store = postgres = None

    @classmethod
    def setUpClass(cls):
        if not PROGRAM.exists():
            raise unittest.SkipTest(f"{PROGRAM} is not built")
        if not SeveralCase.store:
            SeveralCase.store = Store()
            unittest.addModuleCleanup(cls.store.close)
            SeveralCase.postgres = Postgres(password=True).start()
            unittest.addModuleCleanup(cls.postgres.close)

    def setUp(self):
        self.name = f"d{next(self.names)}"
        self.url = self.postgres.database(self.name, PASSWORD)

    def serve(self, *options):
        server = on_store(self.store, f"--metadata={self.url}", *options, prefix=self.name)
        self.addCleanup(end_well, self, server)
        return server.start()


@need_postgres
@programs.need_versitygw
class Several(SeveralCase):
    def test_any_goes_on_with_an_upload(self):
        servers = [self.serve() for _ in range(3)]
        location, sent = servers[0].begin("a"), b""
        for i, piece in enumerate([b"one", b"two" * 3_000_000, b"three"]):
            reply = servers[i].request("PATCH", location, piece,
                                       {"Content-Range": f"{len(sent)}-{len(sent) + len(piece) - 1}", **OCTETS})
            self.assertEqual(reply.status, 202, reply.body)
            sent += piece
            if i < 2:
                servers[i].kill()
        for server in servers[:2]:
            server.start()
        self.assertEqual(servers[0].request("PUT", f"{location}?digest={digest(sent)}", b"", OCTETS).status, 201)
        for server in servers:  # the answer to the last may have been lost
            self.assertEqual(server.request("PUT", f"{location}?digest={digest(sent)}", b"", OCTETS).status, 201)
            head = server.request("HEAD", f"/v2/a/blobs/{digest(sent)}")
            self.assertEqual((head.status, head.headers["Content-Length"]), (200, str(len(sent))))

    def test_all_see_the_same_tags(self):
        servers = [self.serve() for _ in range(3)]
        data = [image(annotations={"n": str(i)}) for i in range(4)]
        servers[0].push_blob("a", b"{}")

        def move(i):
            for _ in range(20):
                reply = servers[i % 3].put_manifest("a", f"t{i % 5}", data[i % 4])
                if "Retry-After" not in reply.headers:  # the database had more to do than it could
                    break
            return reply.status, reply.body

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(move, range(120))), {(201, b"")})
        told = [[s.request("GET", f"/v2/a/manifests/t{i}").body for i in range(5)] for s in servers]
        self.assertEqual((told[1], told[2]), (told[0], told[0]))
        self.assertEqual(servers[1].request("DELETE", f"/v2/a/manifests/{digest(told[0][0])}").status, 202)
        for server in servers:
            self.assertEqual(server.request("GET", f"/v2/a/manifests/{digest(told[0][0])}").status, 404)

    def test_pushes_of_the_same_at_the_same_time(self):
        servers = [self.serve() for _ in range(3)]
        layers = [bytes([i]) * 1000 for i in range(4)]

        def push(i):
            return servers[i % 3].push_image(f"r{i % 2}", "v1", layers)

        with ThreadPoolExecutor(9) as pool:
            pushed = set(pool.map(push, range(18)))
        self.assertEqual(pushed, {image(layers)})
        for server, layer in itertools.product(servers, layers):
            self.assertEqual(server.request("GET", f"/v2/r1/blobs/{digest(layer)}").status, 307)
        self.assertEqual(self.postgres.sql("SELECT count(*) FROM blob", self.name), "5")


@need_postgres
@programs.need_versitygw
@programs.need_conformance
class ConformanceOfSeveral(SeveralCase):
    access = judge.Conformance.access
    assert_conforms = judge.Conformance.assert_conforms
    test_next_specification = judge.Conformance.test_next_specification

    def setUp(self):
        super().setUp()
        self.server = TurnByTurn([self.serve("--sparse-index", "--no-redirect") for _ in range(3)])
        self.addCleanup(self.server.close)
        self.server.top = self.store.top  # a place for results


@need_postgres
@programs.need_versitygw
class Caches(SeveralCase):
    data = b"cold" * 100_000

    def setUp(self):
        super().setUp()
        self.origin = Server().start()
        self.addCleanup(self.origin.close)
        self.origin.push_blob("org/x", self.data)
        self.proxy = self.enterContext(FaultProxy(self.origin.port))
        self.path = f"/v2/org/x/blobs/{digest(self.data)}"

    def caches(self, count):
        return [self.serve(f"--proxy=http://127.0.0.1:{self.proxy.port}", "--no-redirect") for _ in range(count)]

    def bytes_of(self, cache):
        while (reply := cache.request("GET", self.path)).status == 504:
            pass  # on a busy machine the first byte may be longer on its way than a reader waits
        self.assertEqual(reply.status, 200, reply.body)
        return reply.body

    def test_one_process_fetches(self):
        caches, all_ask, began = self.caches(3), threading.Event(), time.monotonic()
        self.proxy.add(Fault(BLOBS, "GET", call=lambda _: all_ask.wait(60)))
        with ThreadPoolExecutor(12) as pool:
            asked = [pool.submit(self.bytes_of, cache) for cache in caches * 4]
            wait_until(lambda: all(b'coras_cache_fills{upstream="default"} 1' in cache.request("GET", "/metrics").body
                                   for cache in caches))
            all_ask.set()
            self.assertEqual({one.result() for one in asked}, {self.data})
            took = time.monotonic() - began
        if took < 2:  # those who waited longer for the one that fetches do it themselves
            self.assertEqual(len(self.proxy.requests("GET", BLOBS)), 1)
        self.assertEqual(self.bytes_of(caches[1]), self.data)
        stored = [size for key, size in self.store.objects().items() if key.startswith(f"{self.name}/")]
        self.assertEqual(stored.count(len(self.data)), 1)

    def test_nobody_waits_for_a_dead_process(self):
        caches, begun = self.caches(2), threading.Event()
        self.proxy.add(Fault(BLOBS, "GET", times=1, stall_head=True, call=lambda _: begun.set()))
        with ThreadPoolExecutor(1) as pool:
            lost = pool.submit(caches[0].request, "GET", self.path)
            self.assertTrue(begun.wait(60))
            caches[0].kill()
            self.assertIsNotNone(lost.exception())
        self.assertEqual(self.bytes_of(caches[1]), self.data)


if __name__ == "__main__":
    main()
