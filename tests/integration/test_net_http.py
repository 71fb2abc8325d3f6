# SPDX-License-Identifier: Apache-2.0
"""HTTP as the client speaks it: bodies, bounds, retries, stalls, what a server may get wrong."""

import gzip
import socket
import struct
import time

from harness.case import main
from harness.net import NetCase, RawServer, read_body
from harness.scripted import Reply, ScriptedRegistry

KIB, MIB = 1024, 1024 * 1024


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Bodies(NetCase):
    def test_streams_a_large_body_to_the_sink(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/big", Reply(200, {}, bytes(range(256)) * (32 * KIB)))
        outcome = self.succeeds(server, "GET", "/big", "--sink")
        self.assertEqual((outcome["received"], outcome["length"]), (8 * MIB, 8 * MIB))

    def test_upload_has_its_length_and_no_chunks(self):
        server = self.serve(ScriptedRegistry())
        server.on("PUT", "/up", Reply(201))
        outcome = self.succeeds(server, "PUT", "/up", "--body-size", 5 * MIB)
        request = server.requests("PUT")[0]
        self.assertEqual(len(request.body), 5 * MIB)
        self.assertEqual(request.headers["Content-Length"], str(5 * MIB))
        self.assertNotIn("Transfer-Encoding", request.headers)
        self.assertNotIn("Expect", request.headers)
        self.assertEqual(outcome["sent"], 5 * MIB)

    def test_bodiless_methods(self):
        server = self.serve(ScriptedRegistry())
        server.on("POST|PUT|PATCH|DELETE|GET|HEAD", "/x", Reply(200))
        for method, length in [("POST", "0"), ("PUT", "0"), ("PATCH", "0"), ("DELETE", None),
                               ("GET", None), ("HEAD", None)]:
            self.succeeds(server, method, "/x")
            self.assertEqual(server.requests(method)[0].headers.get("Content-Length"), length)

    def test_sends_few_headers_of_its_own(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/x", Reply(200))
        self.succeeds(server, "GET", "/x")
        headers = server.requests("GET")[0].headers
        self.assertEqual(sorted(headers), ["Accept-Encoding", "Host", "User-Agent"])
        self.assertEqual(headers["Accept-Encoding"], "identity")
        self.assertTrue(headers["User-Agent"].startswith("coras/"), headers)

    def test_buffered_body_is_bounded(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/at", Reply(200, {}, b"x" * 64 * KIB))
        server.on("GET", "/beyond", Reply(200, {}, b"x" * (64 * KIB + 1)))
        self.succeeds(server, "GET", "/at")
        self.fails(server, "GET", "/beyond", code="TOO_LARGE")

    def test_endless_error_body_ends(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/x", Reply(400, {}, b"oh no", b"x" * 64 * KIB))
        self.fails(server, "GET", "/x", code="HTTP", message="400: Bad Request")

    def test_documents_that_a_proxy_has_compressed_are_read(self):
        server = self.serve(ScriptedRegistry())
        packed = gzip.compress(b"x" * 64 * KIB)
        for name, coding, body in [("/gzip", "gzip", packed), ("/x-gzip", "X-GZIP", packed)]:
            server.on("GET", f"^{name}", Reply(200, {"Content-Encoding": coding}, body))
            self.assertEqual(self.succeeds(server, "GET", name, "--show-body")["body"], "x" * 64 * KIB)
        server.on("GET", "/error", Reply(403, {"Content-Encoding": "gzip"}, gzip.compress(
            b'{"errors":[{"code":"DENIED","message":"words"}]}')))
        self.fails(server, "GET", "/error", code="DENIED", message="denied: words")

    def test_compressed_documents_are_bounded(self):
        server = self.serve(ScriptedRegistry())
        for name, body in [("/beyond", b"x" * (64 * KIB + 1)), ("/bomb", bytes(64 * MIB))]:
            server.on("GET", name, Reply(200, {"Content-Encoding": "gzip"}, gzip.compress(body)))
            self.fails(server, "GET", name, code="TOO_LARGE")

    def test_codings_that_cannot_be_undone_are_refused(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/damaged", Reply(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b123"))
        self.fails(server, "GET", "/damaged", code="PROTOCOL")
        for coding in ("br", "zstd", "gzip, gzip", "\x1b[31m"):
            server.on("GET", "/other", Reply(200, {"Content-Encoding": coding}, b"123"))
            self.fails(server, "GET", "/other", code="PROTOCOL", message='Content-Encoding "')
            server.rules.pop()

    def test_content_is_handed_on_as_it_came(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/x", Reply(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b123"))
        self.assertEqual(self.succeeds(server, "GET", "/x", "--sink")["received"], 5)

    def test_large_upload_waits_for_the_word_of_the_server(self):
        seen = []

        def handler(connection, head):
            seen.append("100-continue" in head)
            connection.sendall(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        server = self.serve(RawServer(handler))
        outcome = self.fails(server, "PUT", "/x", "--expect", "--body-size", 64 * MIB, code="HTTP")
        self.assertEqual((seen, outcome["sent"], outcome["http_status"]), ([True], 0, 413))

    def test_silence_after_expect_does_not_hold_the_upload(self):
        def handler(connection, head):
            read_body(connection, head)
            connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
            return True
        server = self.serve(RawServer(handler))
        outcome = self.succeeds(server, "PUT", "/x", "--expect", "--body-size", MIB)
        self.assertEqual(outcome["sent"], MIB)
        self.assertLess(outcome["ms"], 5000)

    def test_connection_is_kept(self):
        def handler(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            return True
        server = self.serve(RawServer(handler))
        outcomes, _ = self.run_driver("--registry", server.host, "--repeat", 20, "GET",
                                      f"http://{server.host}/x")
        self.assertEqual([o["rc"] for o in outcomes], [0] * 20)
        self.assertEqual(server.connections, 1)

    def test_kept_connection_that_died_is_replaced(self):
        def handler(connection, head):
            body = read_body(connection, head)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                               % (len(body), body))
            return False  # without a word about closing
        server = self.serve(RawServer(handler))
        outcomes, _ = self.run_driver("--registry", server.host, "--repeat", 3, "--show-body",
                                      "--body", "hello", "PUT", f"http://{server.host}/x")
        self.assertEqual([o.get("body") for o in outcomes], ["hello"] * 3)


class Errors(NetCase):
    def test_registrys_words_make_the_error(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/v2/a", Reply(400, {"Content-Type": "application/json"}, b'{"errors":[{'
                  b'"code":"NAME_INVALID","message":"bad\\u001b[31m","detail":{"a":1}}]}'))
        outcome = self.fails(server, "GET", "/v2/a", code="HTTP")
        self.assertEqual(outcome["response"], "name invalid: bad\\x1b[31m: map[a:1]")
        self.assertEqual(outcome["registry_code"], "NAME_INVALID")
        self.assertEqual(outcome["host"], server.host)
        self.assertEqual(outcome["message"], f'GET "http://{server.host}/v2/a": response status '
                         f'code 400: {outcome["response"]}')

    def test_statuses_have_codes(self):
        server = self.serve(ScriptedRegistry())
        for status, code in [(401, "UNAUTHORIZED"), (403, "DENIED"), (404, "NOT_FOUND"),
                             (409, "HTTP"), (429, "RATE_LIMITED"), (501, "HTTP")]:
            server.on("HEAD", f"/{status}", Reply(status))
            outcome = self.fails(server, "HEAD", f"/{status}", code=code)
            self.assertEqual(outcome["http_status"], status)
        self.assertEqual(self.succeeds(server, "HEAD", "/404", "--allow", 404)["status"], 404)

    def test_refused_connection_in_gos_words(self):
        began = time.monotonic()
        outcome = self.fails(None, "HEAD", "http://127.0.0.1:1/v2/x/manifests/y", "--plain-http", 1,
                             code="CONNECT",
                             registry="127.0.0.1:1", hint="check host name and port")
        self.assertEqual(outcome["message"], 'Head "http://127.0.0.1:1/v2/x/manifests/y": '
                         "dial tcp 127.0.0.1:1: connect: connection refused")
        self.assertLess(time.monotonic() - began, 6)

    def test_unknown_host_is_told_at_once(self):
        outcome = self.fails(None, "GET", "https://no-such.invalid/v2/", code="CONNECT",
                             registry="no-such.invalid")
        self.assertEqual(outcome["message"], 'Get "https://no-such.invalid/v2/": dial tcp: lookup '
                         "no-such.invalid: no such host")

    def test_https_client_and_http_server(self):
        server = self.serve(RawServer(lambda c, h: False))

        def plain(connection, _):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        server.listener.settimeout(None)
        server._serve = lambda c: (c.recv(100), plain(c, None), c.close())
        outcome = self.fails(server, "HEAD", "/v2/", "--plain-http", -1, code="TLS",
                             scheme="https", hint="USE_PLAIN_HTTP")
        self.assertTrue(outcome["message"].endswith(
            "http: server gave HTTP response to HTTPS client"), outcome)

    def test_what_is_not_http_is_refused(self):
        for name, answer in [
                ("http 0.9", b"hello\n"),
                ("rubbish", b"SSH-2.0-OpenSSH_9.2\r\n"),
                ("status without number", b"HTTP/1.1 abc OK\r\n\r\n"),
                ("NUL in a header", b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"),
                ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2"
                                b"\r\n\r\nab"),
                ("length and chunks", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                      b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]:
            with self.subTest(name):
                server = self.serve(RawServer(lambda c, h, a=answer: c.sendall(a)))
                self.fails(server, "GET", "/x", code="PROTOCOL")

    def test_headers_are_bounded(self):
        line = b"X-Filler: " + b"x" * 1000 + b"\r\n"
        for name, header in [("many", line * 320), ("one", b"X: " + b"x" * 400000 + b"\r\n"),
                             ("endless", None)]:
            with self.subTest(name):
                def handler(connection, _, header=header):
                    connection.sendall(b"HTTP/1.1 200 OK\r\n")
                    while header is None:
                        connection.sendall(line)
                    connection.sendall(header + b"Content-Length: 0\r\n\r\n")
                server = self.serve(RawServer(handler))
                self.fails(server, "GET", "/x", code="TOO_LARGE", message="headers exceed")

    def test_no_control_character_reaches_the_message(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/x", Reply(307, {"Location": "http://evil\x1b[2J/"}))
        outcome = self.fails(server, "GET", "/x", code="PROTOCOL")
        self.assertNotIn("\x1b", outcome["message"])


class Retries(NetCase):
    def times(self, server, replies):
        """Answer with each of the replies in turn, then with the last for ever."""
        server.on("GET|HEAD|PUT|POST|PATCH|DELETE", "/x",
                  lambda _: replies.pop(0) if len(replies) > 1 else replies[0])

    def test_transient_statuses_are_tried_again(self):
        for status in (408, 425, 429, 500, 502, 503, 504):
            server = self.serve(ScriptedRegistry())
            self.times(server, [Reply(status), Reply(200)])
            self.succeeds(server, "GET", "/x")
            self.assertEqual(len(server.requests()), 2)

    def test_others_are_not(self):
        for status in (400, 404, 409, 501, 505, 507):
            server = self.serve(ScriptedRegistry())
            self.times(server, [Reply(status), Reply(200)])
            self.assertNotEqual(self.send(server, "GET", "/x")["rc"], 0)
            self.assertEqual(len(server.requests()), 1)

    def test_bodies_are_sent_again_from_the_start(self):
        server = self.serve(ScriptedRegistry())
        self.times(server, [Reply(503), Reply(500), Reply(201)])
        self.succeeds(server, "PUT", "/x", "--body", "hello")
        self.assertEqual([r.body for r in server.requests("PUT")], [b"hello"] * 3)

    def test_patch_is_never_repeated(self):
        server = self.serve(ScriptedRegistry())
        self.times(server, [Reply(503), Reply(202)])
        self.fails(server, "PATCH", "/x", "--body", "hello", code="HTTP")
        self.assertEqual(len(server.requests("PATCH")), 1)

    def test_one_try_when_told(self):
        server = self.serve(ScriptedRegistry())
        self.times(server, [Reply(503), Reply(200)])
        self.fails(server, "GET", "/x", "--no-retry", code="HTTP")

    def test_a_storm_ends_with_the_registrys_words(self):
        server = self.serve(ScriptedRegistry())
        self.times(server, [Reply(500, {}, b'{"errors":[{"code":"UNKNOWN","message":"storm"}]}')])
        outcome = self.fails(server, "GET", "/x", code="HTTP", message="unknown: storm")
        self.assertEqual(len(server.requests()), 6)
        self.assertLess(outcome["ms"], 15000)

    def test_retry_after_is_obeyed(self):
        server = self.serve(ScriptedRegistry())
        self.times(server, [Reply(429, {"Retry-After": "2"}), Reply(200)])
        outcome = self.succeeds(server, "GET", "/x")
        self.assertGreaterEqual(outcome["ms"], 2000)
        self.assertLess(outcome["ms"], 20000)

    def test_retry_after_date_counts_from_the_servers_clock(self):
        server = self.serve(ScriptedRegistry())
        self.times(server, [Reply(503, {"Date": "Tue, 24 Nov 2020 04:00:00 GMT",
                                        "Retry-After": "Tue, 24 Nov 2020 04:00:02 GMT"}),
                            Reply(200)])
        outcome = self.succeeds(server, "GET", "/x")
        self.assertGreaterEqual(outcome["ms"], 2000)
        self.assertLess(outcome["ms"], 20000)

    def test_too_long_a_wait_is_an_error_that_says_so(self):
        server = self.serve(ScriptedRegistry())
        self.times(server, [Reply(429, {"Retry-After": "3600"})])
        outcome = self.fails(server, "GET", "/x", code="RATE_LIMITED", hint="3600 s")
        self.assertLess(outcome["ms"], 60000)

    def test_resets_and_cuts_are_tried_again(self):
        def cut_body(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")

        def cut_headers(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
        for name, fault in [("reset", reset), ("nothing", lambda c: None),
                            ("cut in the headers", cut_headers), ("cut body", cut_body)]:
            with self.subTest(name):
                def handler(connection, _, fault=fault):
                    if len(server.heads) < 3:
                        fault(connection)
                        return False
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
                    return True
                server = self.serve(RawServer(handler))
                self.assertEqual(self.succeeds(server, "GET", "/x", "--show-body")["body"],
                                 "hello")

    def test_a_body_that_reached_the_sink_is_not_asked_for_again(self):
        def handler(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"x" * 5000)
            return False
        server = self.serve(RawServer(handler))
        outcome = self.fails(server, "GET", "/x", "--sink", code="CONNECT",
                             message="unexpected EOF")
        self.assertEqual((outcome["received"], outcome["retryable"], len(server.heads)),
                         (5000, True, 1))


class Patience(NetCase):
    def test_silence_is_a_timeout(self):
        server = self.serve(RawServer(lambda c, h: server.wait()))
        outcome = self.fails(server, "GET", "/x", "--timeout", 1, "--no-retry", code="TIMEOUT",
                             message="no answer for 1 s", hint="STALLED")
        self.assertTrue(outcome["retryable"])
        self.assertLess(outcome["ms"], 20000)

    def test_environment_sets_the_patience(self):
        server = self.serve(RawServer(lambda c, h: server.wait()))
        self.fails(server, "GET", "/x", "--no-retry", code="TIMEOUT",
                   env={"ORAS_HTTP_TIMEOUT": "1"}, timeout=20)

    def test_an_answer_may_take_longer_than_a_pause_within_it(self):
        def handler(connection, head):
            if "PUT" in head:
                read_body(connection, head)
            server.closing.wait(2.5)  # a cache that fetches the blob first, a registry that moves it
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)
            return True
        server = self.serve(RawServer(handler))
        for method, *options in (["GET", "--sink"], ["PUT", "--body-size", 3 * MIB]):
            outcome = self.succeeds(server, method, "/x", *options, "--timeout", 1, "--no-retry")
            self.assertGreater(outcome["ms"], 2000)
            self.fails(server, method, "/x", *options, "--timeout", 1, "--answer-timeout", 1,
                       "--no-retry", code="TIMEOUT", message="no answer for 1 s")

    def test_what_is_small_is_answered_at_once(self):
        server = self.serve(RawServer(lambda c, h: server.wait()))
        outcome = self.fails(server, "GET", "/x", "--timeout", 1, "--answer-timeout", 30, "--no-retry",
                             code="TIMEOUT")
        self.assertLess(outcome["ms"], 15000)

    def test_body_that_stops_is_a_timeout(self):
        def handler(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * 5000)
            server.wait()
        server = self.serve(RawServer(handler))
        outcome = self.fails(server, "GET", "/x", "--sink", "--timeout", 1, code="TIMEOUT")
        self.assertEqual(outcome["received"], 5000)

    def test_drops_are_no_progress(self):
        def handler(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
            while not server.closing.wait(0.2):
                connection.sendall(b"x")
        server = self.serve(RawServer(handler))
        self.fails(server, "GET", "/x", "--sink", "--timeout", 1, "--no-retry", code="TIMEOUT",
                   timeout=20)

    def test_slow_is_not_stalled(self):
        def handler(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n")
            for _ in range(20):
                connection.sendall(b"x" * 2000)
                server.closing.wait(0.2)
            return True
        server = self.serve(RawServer(handler))
        outcome = self.succeeds(server, "GET", "/x", "--sink", "--timeout", 3)
        self.assertEqual(outcome["received"], 40000)

    def test_interim_answers_are_no_progress(self):
        def handler(connection, _):
            while not server.closing.wait(0.05):
                connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        server = self.serve(RawServer(handler))
        self.fails(server, "GET", "/x", "--timeout", 1, "--no-retry", code="TIMEOUT", timeout=20)

    def test_upload_that_nobody_reads_is_a_timeout(self):
        server = self.serve(RawServer(lambda c, h: server.wait()))
        outcome = self.fails(server, "PUT", "/x", "--body-size", 64 * MIB, "--timeout", 1,
                             "--no-retry", code="TIMEOUT")
        self.assertLess(outcome["ms"], 20000)

    def test_slow_upload_is_not_stalled(self):
        def handler(connection, head):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            left = int(head.lower().split("content-length:")[1].split("\r\n")[0])
            while left > 0:
                left -= len(connection.recv(256 * KIB))
                server.closing.wait(0.05)
            connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        server = self.serve(RawServer(handler))
        self.succeeds(server, "PUT", "/x", "--body-size", 8 * MIB, "--timeout", 3)

    def test_cancel_works_at_once(self):
        stuck = self.serve(RawServer(lambda c, h: stuck.wait()))
        storm = self.serve(ScriptedRegistry())
        storm.on("GET", "/x", Reply(429, {"Retry-After": "60"}))
        for name, server in [("waiting for an answer", stuck), ("between two tries", storm)]:
            with self.subTest(name):
                outcome = self.fails(server, "GET", "/x", "--cancel-after-ms", 300,
                                     code="CANCELLED", message="interrupt signal received")
                self.assertLess(outcome["ms"], 20000)  # of a minute that it would wait

    def test_cancel_stops_a_transfer(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/x", Reply(200, {}, b"", b"x" * 64 * KIB))
        outcome = self.fails(server, "GET", "/x", "--sink", "--cancel-after-ms", 300,
                             code="CANCELLED")
        self.assertLess(outcome["ms"], 20000)  # of an answer without an end


class Options(NetCase):
    def test_resolve_keeps_the_host_header(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/x", Reply(200))
        self.succeeds(server, "GET", "http://example.org:5000/x", "--plain-http", 1, "--resolve",
                      "example.org:5000:192.0.2.1", "--resolve",
                      f"example.org:5000:127.0.0.1:{server.port}", registry="example.org:5000")
        self.assertEqual(server.requests()[0].headers["Host"], "example.org:5000")

    def test_bad_options_are_named(self):
        for option, value, message in [
                ("--resolve", "a:b", 'failed to parse resolve flag "a:b": expecting '
                                     "host:port:address[:address_port]"),
                ("--resolve", "a:b:1.2.3.4", 'failed to parse resolve flag "a:b:1.2.3.4": '
                                             "expecting uint64 host port"),
                ("--resolve", "a:1:b", 'failed to parse resolve flag "a:1:b": invalid IP address'),
                ("--resolve", "a:1:1.2.3.4:x", 'failed to parse resolve flag "a:1:1.2.3.4:x": '
                                               "expecting uint64 address port"),
                ("--header", "foo", 'invalid header: "foo"'),
                ("--header", ": foo", 'invalid header: ": foo"'),
                ("--header", "a\r\nb: c", 'invalid header: "a\\r\\nb: c"'),
                ("--header", "a: b\r\nc: d", 'invalid header: "a: b\\r\\nc: d"'),
                ("--ca-file", "nofile", "open nofile: no such file or directory")]:
            outcomes, _ = self.run_driver(option, value, "GET", "http://localhost:1/")
            self.assertEqual(outcomes[0]["message"], message)

    def test_custom_headers(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/x", Reply(200))
        self.succeeds(server, "GET", "/x", "--header", "X-A:  one", "--header", "X-B:",
                      "--header", "User-Agent: mine")
        headers = server.requests()[0].headers
        self.assertEqual((headers["X-A"], headers["X-B"], headers["User-Agent"]), ("one", "", "mine"))

    def test_warnings_show_once(self):
        server = self.serve(ScriptedRegistry())
        server.on("GET", "/x", Reply(200, {"Warning": ['299 - "be\x1bware \\"x\\""', '199 - "no"',
                                                       '299 - "be\x1bware \\"x\\""', "rubbish"]}))
        _, err = self.run_driver("--registry", server.host, "--repeat", 3, "GET",
                                 f"http://{server.host}/x")
        self.assertEqual(err, f'[WARNING]: be\\x1bware "x"\n[Data]: registry={server.host}\n')

    def test_proxy_carries_what_is_not_local(self):
        proxy = self.serve(ScriptedRegistry())
        proxy.on("GET", "http://registry.example/x", Reply(200, {}, b"by proxy"))
        env = {"HTTP_PROXY": f"http://user:canary@127.0.0.1:{proxy.port}"}
        outcome = self.succeeds(proxy, "GET", "http://registry.example/x", "--plain-http", 1,
                                "--show-body", "--debug", registry="registry.example", env=env)
        self.assertEqual(outcome["body"], "by proxy")
        self.assertIn("Proxy-Authorization", proxy.requests()[0].headers)
        self.assertNotIn("canary", self.err)
        self.succeeds(proxy, "GET", "/v2/", env={"HTTP_PROXY": "http://127.0.0.1:1"})

    def test_proxy_that_refuses(self):
        server = self.serve(RawServer(lambda c, h: c.sendall(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")))
        self.fails(None, "GET", "https://registry.example/x", registry="registry.example",
                   code="UNAUTHORIZED", hint="PROXY_CREDENTIAL",
                   env={"HTTPS_PROXY": f"http://127.0.0.1:{server.port}"})


if __name__ == "__main__":
    main()
