# SPDX-License-Identifier: Apache-2.0
"""The embedded registry: requests that no client of good will sends. After each, the next is served."""

import contextlib
import http.client
import os
import re
import signal
import socket
import threading

from embedded import OCI_MANIFEST, Server, ServerCase, digest, image
from harness.case import main
from harness.programs import measures_memory


class Hostile(ServerCase):
    options = ("--access-log",)

    def tearDown(self):
        self.assertEqual(self.request("GET", "/v2/").status, 200)

    def status(self, data):
        """Status of the first answer; 0 when the server just closed."""
        answer = self.server.raw(data)
        return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0

    def answers(self, data):
        return self.server.raw(data).count(b"HTTP/1.1 ")

    def head(self, line, *headers):
        return "\r\n".join((line, "Host: localhost", *headers, "", "")).encode("latin-1")

    # ---- targets ----
    def test_paths_never_reach_the_file_system(self):
        for path in ("/v2/../../etc/passwd", "/v2/..%2f..%2fetc/tags/list", "/v2/%2e%2e/tags/list",
                     "/v2/a/blobs/../../registry.db", "/v2/a/blobs/uploads/../../registry.db",
                     "/v2/a/manifests/..", "/v2/a\\b/tags/list", "/v2/a%00/tags/list",
                     "/v2/%c0%ae%c0%ae/tags/list", "/v2/a/blobs/sha256:../../../registry.db",
                     "/v2/%252e%252e/tags/list", "/registry.db", "/blobs/sha256/x"):
            self.assertIn(self.status(self.head(f"GET {path} HTTP/1.1")), (400, 404), path)

    def test_long_targets(self):
        for size in (300, 4000, 70_000, 1_000_000, 5_000_000):
            status = self.status(self.head(f"GET /v2/{'a' * size}/tags/list HTTP/1.1"))
            self.assertIn(status, (0, 400, 414, 431), size)
        self.assertEqual(self.status(self.head(f"GET /v2/{'a/' * 2000}tags/list HTTP/1.1")), 400)

    def test_absolute_targets_are_ours_or_nobodys(self):
        data = b"blob"
        self.server.push_blob(self.repository, data)
        path = f"/v2/{self.repository}/blobs/{digest(data)}"
        for target, status in ((f"http://localhost{path}", 200), (f"HTTP://localhost:5000{path}", 200),
                               (f"https://127.0.0.1{path}", 200), ("http://localhost/v2/", 200),
                               ("http://localhost", 404), ("http://localhost?x", 404), (f"http://localhost/x{path}", 404),
                               ("http://evil.example/v2/", 421), (f"http://evil.example{path}", 421),
                               ("http:///v2/", 400), ("http://a@localhost/v2/", 400), ("ftp://localhost/v2/", 400),
                               ("localhost/v2/", 400), ("*", 400)):
            data = self.head(f"GET {target} HTTP/1.1", "Connection: close")
            self.assertEqual(self.status(data), status, target)

    # ---- heads ----
    def test_large_heads(self):
        self.assertIn(self.status(self.head("GET /v2/ HTTP/1.1", "X: " + "a" * 2_000_000)),
                      (0, 400, 413, 431))
        many = [f"X-{i}: y" for i in range(100_000)]
        self.assertIn(self.status(self.head("GET /v2/ HTTP/1.1", *many)), (0, 400, 413, 431))

    def test_long_lists_count_at_their_beginning_only(self):
        blob = b"blob"
        name = digest(blob)
        for data in (blob, b"{}"):
            self.server.push_blob(self.repository, data)
        self.server.put_manifest(self.repository, "v1", image([blob]))
        here, missing = f"/v2/{self.repository}/blobs/{name}", f"/v2/{self.repository}/blobs/{digest(b'x')}"
        tag = f"/v2/{self.repository}/manifests/v1"
        other = ",".join(["sha256:" + "0" * 64] * 900)  # 64 KiB
        for path, header, status in ((missing, f"If-None-Match: {other}", 404), (here, f"If-None-Match: {other}", 200),
                                     (here, f'If-None-Match: "{name}",{other}', 304),
                                     (here, f'If-None-Match: {other},"{name}"', 200),
                                     (here, f'If-None-Match: {other[:8000]},"{name}",{other}'[:65_000], 304),
                                     (here, f'If-Range: {other},"{name}"\r\nRange: bytes=1-1', 200),
                                     (tag, f"Accept: {'application/json,' * 3855}{OCI_MANIFEST}", 200),
                                     (tag, f"If-None-Match: {other[:60_000]}", 200),
                                     (here, f"If-None-Match: {other * 2}", 431),
                                     ("/", f"Accept: text/html,{'a/b,' * 16_000}", 200),
                                     ("/", f"Accept: {'a/b,' * 16_000}text/html", 404)):
            for method in ("GET", "HEAD"):
                data = self.head(f"{method} {path} HTTP/1.1", header, "Connection: close")
                self.assertEqual(self.status(data), status, (method, path, header[:90]))

    def test_any_header_may_be_long(self):
        """There is room for it, so that it reaches whoever reads it."""
        blob = b"blob"
        self.server.push_blob(self.repository, blob)
        tag, repository = f"/v2/{self.repository}/manifests/v1", f"/v2/{self.repository}"
        for name in ("Range", "Content-Range", "Content-Type", "Authorization", "If-Range", "Via", "Expect", "Origin",
                     "User-Agent", "Cookie", "Sec-Fetch-Site", "Content-Encoding", "Forwarded"):
            for line in (f"GET {repository}/blobs/{digest(blob)}", f"HEAD {tag}", f"GET {repository}/tags/list",
                         f"POST {repository}/blobs/uploads/", f"PUT {tag}", f"PATCH {self.server.begin(self.repository)}"):
                for value in ("a" * 60_000, "\xff=;,\"" * 12_000):
                    status = self.status(self.head(f"{line} HTTP/1.1", f"{name}: {value}", "Connection: close",
                                                   "Content-Length: 0"))
                    self.assertIn(status // 100, (2, 4), (name, line, value[:9]))
        self.assertLess(max(map(len, self.server.log().splitlines())), 2048)

    def test_ambiguous_bodies(self):
        second = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for headers in (("Content-Length: 5", "Content-Length: 6"), ("Content-Length: 0, 5",),
                        ("Content-Length: 5", "Transfer-Encoding: chunked"),
                        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
                        ("Transfer-Encoding: gzip, chunked",), ("Transfer-Encoding: identity",),
                        ("Transfer-Encoding: xchunked",), ("Content-Length: +5",),
                        ("Content-Length: 0x5",), ("Content-Length: -5",),
                        ("Content-Length: 5 5",), ("Content-Length:",),
                        ("Content-Length: 99999999999999999999999",), ("Content-Length : 5",),
                        ("X: y", " folded: z"), ("Transfer-Encoding : chunked",)):
            data = self.head("POST /v2/a/blobs/uploads/ HTTP/1.1", *headers) + b"0\r\n\r\n" + second
            answer = self.server.raw(data)
            self.assertIn(answer[:12], (b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 501", b""),
                          (headers, answer))
            self.assertNotIn(b"HTTP/1.1 2", answer, headers)

    def test_heads_that_end_or_go_on_unseen(self):
        """What one party takes for a header, the next one for text, or for another request."""
        second = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for head in (b"GET /v2/ HTTP/1.1\nHost: localhost\n\n", b"GET /v2/ HTTP/1.1\nHost: localhost\r\n\r\n",
                     b"GET /v2/ HTTP/1.1\r\nHost: localhost\n\r\n", b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\n",
                     b"GET /v2/\0x HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET  /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     *(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n" + line + b"\r\n\r\n" for line in (
                         b"X: a\nTransfer-Encoding: chunked", b"X: a\r\n folded", b"Transfer-Encoding:\r\n chunked",
                         b"X: a\r\n\tContent-Length: 50", b"X: a\0b", b"X\0: a", b"X: a\rContent-Length: 50", b"X: \x01",
                         b"X: \x7f", b": a", b"X Y: a", b"X(: a", b"\xe9: a", b"Content-Length: 2\0", b"nothing"))):
            answer = self.server.raw(head + second)
            self.assertEqual((answer[:12], answer.count(b"HTTP/1.1 ")), (b"HTTP/1.1 400", 1), head)
        # odd, and clear
        for line in (b"X:a", b"X: a ", b"X:\ta", b"X:", b"X: \xe9", b"!#$%&'*+-.^_`|~: a", b"X: " + b"a" * 20_000):
            head = b"GET /v2/?a=b&c HTTP/1.1\r\nHost: localhost\r\n" + line + b"\r\n\r\n"
            self.assertEqual(self.server.raw(b"\r\n" + head + second).count(b"HTTP/1.1 200"), 2, line[:20])

    def test_chunk_sizes(self):
        for size in ("FFFFFFFFFFFFFFFFF", "-1", "0x5", "xyz", "", " ", "5;" + "x" * 1_000_000):
            location = self.server.begin("t/chunks")
            data = self.head(f"PATCH {location} HTTP/1.1", "Transfer-Encoding: chunked")
            self.assertIn(self.status(data + size.encode() + b"\r\nhello\r\n0\r\n\r\n"), (0, 400, 413, 500),
                          size[:20])  # 500: the HTTP library's words for a line that never fits
            self.assertEqual(self.request("GET", location).headers["Range"], "0-0", size)

    def test_hosts(self):
        self.assertEqual(self.status(b"GET /v2/ HTTP/1.1\r\n\r\n"), 400)
        self.assertEqual(self.status(self.head("GET /v2/ HTTP/1.1", "Host: other")), 400)
        for host, status in (("localhost", 200), ("localhost:5000", 200), ("127.0.0.1", 200),
                             ("[::1]:80", 200), ("a.localhost", 200), ("evil.example", 421),
                             ("localhost.evil.example", 421), ("evil-localhost", 421),
                             ("127.0.0.1.evil.example", 421)):
            data = f"GET /v2/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
            self.assertEqual(self.status(data), status, host)

    def test_names_that_were_given(self):
        with self.new_server("--host=registry.example", "--host=Other") as server:
            for host, status in (("registry.example", 200), ("REGISTRY.example:5000", 200), ("other", 200),
                                 ("localhost", 200), ("a.registry.example", 421), ("evil.example", 421)):
                self.assertEqual(server.request("GET", "/v2/", headers={"Host": host}).status, status, host)

    def test_web_pages_of_others_change_nothing(self):
        path = f"/v2/{self.repository}/blobs/uploads/?digest={digest(b'x')}"
        host = self.server.host
        for headers, status in (({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403),
                                ({"Origin": "http://localhost:1"}, 403),
                                ({"Sec-Fetch-Site": "cross-site", "Origin": f"http://{host}"}, 403),
                                ({"Sec-Fetch-Site": "same-site"}, 403), ({"Origin": f"http://{host}"}, 201),
                                ({"Sec-Fetch-Site": "same-origin", "Origin": "http://proxied"}, 201),
                                ({"Sec-Fetch-Site": "none"}, 201), ({}, 201)):
            reply = self.request("POST", path, b"x", {"Content-Type": "text/plain", **headers})
            self.assertEqual(reply.status, status, headers)
            self.assertEqual([name for name in reply.headers if name.startswith("Access-Control")], [])
            reply = self.request("GET", "/v2/", headers=headers)
            self.assertEqual(reply.status, 200, headers)
            reply = self.request("OPTIONS", path, headers=headers)
            self.assertIn(reply.status, (403, 405), headers)

    def test_locations_do_not_repeat_the_host(self):
        answer = self.server.raw(b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: 6.6.6.6\r\n"
                                 b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        self.assertIn(b"\r\nLocation: /v2/a/", answer)
        self.assertNotIn(b"6.6.6.6", answer)

    def test_methods(self):
        for method in ("TRACE", "CONNECT", "OPTIONS", "PROPFIND", "get", "X" * 5000):
            self.assertIn(self.status(self.head(f"{method} /v2/ HTTP/1.1", "Connection: close")),
                          (0, 400, 405, 501), method)
        reply = self.request("POST", "/v2/a/tags/list", headers={"X-HTTP-Method-Override": "GET"})
        self.assertEqual((reply.status, reply.headers["Allow"]), (405, "GET, HEAD"))
        reply = self.request("GET", "/v2/a/blobs/uploads/")
        self.assertEqual((reply.status, reply.headers["Allow"]), (405, "POST"))

    def test_noise(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), b"\0" * 1000,
                     b"hello\r\n\r\n", b"GET\r\n\r\n", b"GET /v2/\r\n\r\n", b"\r\n" * 1000,
                     b"GET /v2/ HTTP/9.9\r\nHost: localhost\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            self.assertIn(self.status(data), (0, 400, 405, 501, 505), data[:20])

    def test_encoded_bodies_and_unknown_expectations(self):
        self.assertEqual(self.status(self.head("PUT /v2/a/manifests/v1 HTTP/1.1", "Content-Encoding: gzip",
                                               "Content-Length: 2", "Connection: close") + b"{}"), 415)
        self.assertIn(self.status(self.head("PUT /v2/a/manifests/v1 HTTP/1.1", "Expect: the-unexpected",
                                            "Content-Length: 2", "Connection: close") + b"{}"), (400, 417))

    def test_pipelined_requests_keep_their_order(self):
        one = self.head("GET /v2/ HTTP/1.1")
        two = self.head("GET /v2/none/tags/list HTTP/1.1", "Connection: close")
        answer = self.server.raw(one + one + two)
        self.assertEqual([answer.count(b"HTTP/1.1 200"), answer.count(b"HTTP/1.1 404")], [2, 1])

    # ---- patience ----
    def test_idle_connections_hold_nobody_up(self):
        idle = [self.server.socket() for _ in range(300)]
        for i, sock in enumerate(idle):
            if i % 2:
                sock.sendall(b"GET /v2/ HTTP/1.1\r\nHost: loc")
        for _ in range(10):
            self.assertEqual(self.request("GET", "/v2/").status, 200)
        for sock in idle:
            sock.close()

    def test_who_ends_before_the_body_is_let_go(self):
        """The end comes together with the head: the kernel tells of both once."""
        server = self.new_server("--grace=600").start()
        location = server.begin("a")
        for line, more in (("PUT /v2/a/manifests/v1", ("Content-Type: a/b",)), (f"PATCH {location}", ()),
                           ("TRACE /v2/", ()), ("GET /v2/", ()), (f"PUT {location}?digest={digest(b'x')}", ())):
            for announced in ("Content-Length: 5", "Transfer-Encoding: chunked"):
                for _ in range(4):
                    server.raw(self.head(line + " HTTP/1.1", announced, *more))
        self.assertEqual(server.stop(), 0)  # and none of them holds the end up

    def test_readers_that_do_not_read(self):
        data = bytes(20_000_000)
        self.server.push_blob("t/slow", data)
        stuck = []
        for _ in range(20):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", self.server.port))
            sock.sendall(self.head(f"GET /v2/t/slow/blobs/{digest(data)} HTTP/1.1"))
            stuck.append(sock)
        self.assertEqual(self.request("GET", f"/v2/t/slow/blobs/{digest(data)}").body, data)
        for sock in stuck:
            sock.close()

    def drip(self, sock, data):
        """Send some bytes a second, for as long as that goes well."""
        sock.settimeout(0.1)
        for byte in data:
            try:
                sock.sendall(bytes([byte]))
                if sock.recv(1000) == b"":
                    return
            except TimeoutError:
                continue
            except OSError:
                return
        self.fail("served for ever")

    def test_slow_heads_and_bodies_are_cut_off(self):
        with self.new_server("--idle=1") as server:
            location = server.begin("a")
            head = f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
            with server.socket() as silent, server.socket() as dripping, server.socket() as stalled:
                stalled.sendall(head.encode() + b"x" * 10)
                self.drip(dripping, head.encode() * 100)  # some bytes a second never make a head
                self.assertEqual(silent.recv(1000), b"")
                self.assertEqual(stalled.recv(1000)[:12], b"")
            self.assertEqual(server.request("GET", location).headers["Range"], "0-9")

    def test_a_few_bytes_a_second_are_no_progress(self):
        data = bytes(20_000_000)
        with self.new_server("--idle=1", "--access-log") as server:
            server.push_blob("a", data)
            with server.socket() as sock:  # a body
                sock.sendall(self.head(f"PATCH {server.begin('a')} HTTP/1.1", "Content-Length: 100000"))
                self.drip(sock, bytes(10_000))
            with server.socket() as sock:  # a manifest, which is kept in memory meanwhile
                sock.sendall(self.head("PUT /v2/a/manifests/v1 HTTP/1.1", "Content-Length: 100000"))
                self.drip(sock, bytes(10_000))
            with server.socket() as sock:  # the body of a request that is refused
                sock.sendall(self.head("POST /v2/_catalog HTTP/1.1", "Content-Length: 100000"))
                self.drip(sock, bytes(10_000))
            with socket.socket() as sock:  # an answer
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.connect(("127.0.0.1", server.port))
                sock.sendall(self.head(f"GET /v2/a/blobs/{digest(data)} HTTP/1.1"))
                # the line comes when the server is done with it; what the kernel holds would still come
                self.wait_until(lambda: sock.recv(10) and " GET /v2/a/blobs/" in server.log())

    def test_slow_but_steady_ones_are_served(self):
        with self.new_server("--idle=3") as server:
            location = server.begin("a")
            with server.socket() as sock:
                sock.sendall(self.head(f"PATCH {location} HTTP/1.1", "Content-Length: 800000"))
                sock.settimeout(0.1)
                for _ in range(40):  # four seconds; a busy machine may make one of them last longer
                    sock.sendall(bytes(20_000))
                    with contextlib.suppress(TimeoutError):
                        self.assertEqual(sock.recv(12), b"HTTP/1.1 202")

    def test_refused_bodies_are_not_read_for_ever(self):
        with self.server.socket() as sock:
            sock.sendall(self.head("POST /v2/_catalog HTTP/1.1", "Transfer-Encoding: chunked"))
            sent = 0
            with contextlib.suppress(OSError):
                while sent < 64_000_000:
                    sock.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
                    sent += 0x10000
        self.assertLess(sent, 32_000_000)

    def busy(self, server, source, count):
        """Connections from an address, each in the midst of a request: which of them are served."""
        served = []
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 60, (source, 0)))
                sock.sendall(self.head("PUT /v2/a/manifests/v1 HTTP/1.1", "Content-Length: 100",
                                       "Expect: 100-continue"))
                try:
                    served.append(sock.recv(100).startswith(b"HTTP/1.1 100 "))
                except OSError:
                    served.append(False)
            self.assertEqual(server.request("GET", "/v2/").status, 200)  # others, all the same
        return served

    def test_one_address_has_a_share_of_the_connections(self):
        with self.new_server("--max-connections=9") as server:  # of this machine: half of all
            self.assertEqual(self.busy(server, "127.0.0.2", 6), [True] * 5 + [False])
        with self.new_server("--max-connections-per-address=2") as server:
            self.assertEqual(self.busy(server, "127.0.0.2", 3), [True, True, False])
        with self.new_server("--max-connections=4", "--max-connections-per-address=0") as server:
            self.assertEqual(self.busy(server, "127.0.0.2", 3), [True] * 3)

    def test_idle_connections_make_room(self):
        with self.new_server("--max-connections-per-address=4") as server:
            idle = [server.socket() for _ in range(20)]
            self.assertEqual(server.request("GET", "/v2/").status, 200)
            self.assertEqual(idle[0].recv(1), b"")  # the one that had waited longest
            for sock in idle:
                sock.close()

    def test_more_connections_than_allowed(self):
        with self.new_server("--max-connections=8") as server:
            held = [server.socket() for _ in range(30)]
            for sock in held:
                sock.close()

            def is_served():  # the places come free as the closes are noticed
                try:
                    return server.request("GET", "/v2/").status == 200
                except (OSError, http.client.HTTPException):
                    return False
            with server.socket():
                self.wait_until(is_served)

    # ---- the log ----
    def test_log_lines_stay_lines(self):
        self.server.raw(b"GET /v2/%0d%0aforged HTTP/1.1\r\nHost: localhost\r\n"
                        b"User-Agent: \x1b[31mred\x07\r\nConnection: close\r\n\r\n")
        self.server.raw(self.head(f"GET /v2/{'a' * 50_000} HTTP/1.1", "Connection: close"))
        self.wait_until(lambda: "aaaa" in self.server.log())  # a line comes a moment after its answer
        for line in self.server.log().splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT")
            self.assertNotRegex(line, r"[\x00-\x08\x0b-\x1f\x7f]")
            self.assertLess(len(line), 2048)
        self.assertIn("red", self.server.log())

    def test_log_tells_how_much_was_sent(self):
        data = b"x" * 5000
        self.server.push_blob(self.repository, data)
        path = f"/v2/{self.repository}/blobs/{digest(data)}"
        for method, headers, sent in (("GET", {}, 5000), ("GET", {"Range": "bytes=1-10"}, 10), ("HEAD", {}, 0),
                                      ("GET", {"If-None-Match": digest(data)}, 0)):
            self.request(method, path, headers={**headers, "User-Agent": f"{method}-{sent}-{len(headers)}"})
            line = rf" {method} {path} in=0 out={sent} ms=\d+ agent={method}-{sent}-{len(headers)}\n"
            self.wait_until(lambda line=line: re.search(line, self.server.log()))


class Many(ServerCase):
    def as_many_as_events_are_taken_at_once(self, server):
        """128 open connections for each thread that serves them."""
        connections = []
        for _ in range(128 * min(8, max(2, os.sysconf("SC_NPROCESSORS_ONLN")))):
            sock = server.socket()
            self.addCleanup(sock.close)
            sock.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b" 200 ", sock.recv(1000))
            connections.append(sock)
        return connections

    @contextlib.contextmanager
    def meanwhile_it_stands_still(self, server):
        server.send(signal.SIGSTOP)
        yield
        server.send(signal.SIGCONT)

    def test_all_ask_at_the_same_moment(self):
        with self.new_server("--idle=600", "--max-connections-per-address=0") as server:
            connections = self.as_many_as_events_are_taken_at_once(server)
            with self.meanwhile_it_stands_still(server):
                for sock in connections:
                    sock.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for sock in connections:
                self.assertIn(b" 200 ", sock.recv(1000))

    def test_all_leave_at_the_same_moment(self):
        """Amid a request, for the end of which the server would wait."""
        server = self.new_server("--idle=600", "--grace=600", "--max-connections-per-address=0").start()
        connections = self.as_many_as_events_are_taken_at_once(server)
        for sock in connections:
            sock.sendall(b"PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
                         b"Expect: 100-continue\r\n\r\n")
            self.assertIn(b" 100 ", sock.recv(1000))
        with self.meanwhile_it_stands_still(server):
            for sock in connections:
                sock.close()
        self.assertEqual(server.stop(), 0, server.log())

    def test_a_hundred_clients_at_once(self):
        failures = []

        def work(number):
            try:
                blob = f"blob {number}".encode() * 1000
                self.server.push_blob("t/many", blob)
                reply = self.request("GET", f"/v2/t/many/blobs/{digest(blob)}")
                if reply.body != blob:
                    failures.append(number)
            except Exception as problem:  # reported by the assertion below
                failures.append((number, problem))
        threads = [threading.Thread(target=work, args=(i,)) for i in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    @measures_memory
    def test_memory_is_bounded_however_many_manifests_come_at_once(self):
        wide = b'{"schemaVersion":2,"a":[' + b"{}," * 1_390_000 + b"{}]}"
        with Server() as server:
            def put(number):
                statuses.append(server.put_manifest("a", f"v{number}", wide).status)
            statuses = []
            threads = [threading.Thread(target=put, args=(i,)) for i in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertLessEqual(set(statuses), {201, 400, 503})
            self.assertEqual(len(statuses), 8)
            self.assertLess(self.peak(server), 512 * 1024)

    @measures_memory
    def test_bodies_on_their_way_are_bounded_together(self):
        with self.new_server("--manifest-limit=200000000") as server:  # one that is as large as very many
            reply = server.put_manifest("a", "v1", bytes(150_000_000))
            self.assertEqual((reply.status, reply.headers["Retry-After"]), (503, "2"))
            self.assertLess(self.peak(server), 512 * 1024)
            self.assert_error(server.put_manifest("a", "v1", bytes(120_000_000)), 400, "MANIFEST_INVALID")

    def peak(self, server):
        """Most memory that it had, in KiB."""
        with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    @measures_memory
    def test_memory_does_not_grow_with_the_blob(self):
        with Server() as server:
            size = 300_000_000
            location = server.begin("a")
            reply = server.request("PATCH", location, iter([bytes(1_000_000)] * 300))
            self.assertEqual(reply.headers["Range"], f"0-{size - 1}")
            self.assertLess(self.peak(server), 64 * 1024)


if __name__ == "__main__":
    main()
