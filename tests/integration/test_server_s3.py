# SPDX-License-Identifier: Apache-2.0
"""The embedded registry with its blobs in a store that speaks S3."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
import unittest
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import test_server_clients
import test_server_conformance
import test_server_uploads
from embedded import PROGRAM, Server, ServerCase, digest, end_well, image, send_part
from harness import programs, stores
from harness.case import main
from harness.postgres import Postgres, need_postgres
from harness.proxy import Fault, FaultProxy
from harness.stores import BUCKET, Store

PART = 8 << 20
LARGE = os.urandom(1 << 20) * 17 + b"and a rest"  # two parts and a tail
OCTETS = {"Content-Type": "application/octet-stream"}


def on_store(store, *options, prefix="registry", endpoint=None, **named):
    """A server whose blobs go there. What lies below a prefix belongs to one server."""
    environment = [f"{name}={value}" for name, value in stores.credentials().items()]
    return Server(f"--blobs=s3://{BUCKET}/{prefix}", f"--s3-endpoint={endpoint or store.endpoint}", *options,
                  prefix=["env", *environment], **named)


class StoreCase(ServerCase):
    """One store and one server for all tests of a class."""

    kind = Store

    @classmethod
    def setUpClass(cls):
        if not PROGRAM.exists():
            raise unittest.SkipTest(f"{PROGRAM} is not built")
        cls.store = cls.kind()
        cls.addClassCleanup(cls.store.close)
        cls.server = on_store(cls.store, *cls.options).start()

    def send_chunk(self, location, data, first, server=None):
        return (server or self.server).request(
            "PATCH", location, data, {"Content-Range": f"{first}-{first + len(data) - 1}", **OCTETS})

    def follow(self, content_digest, headers=None, server=None):
        """The blob, from where the registry sends us for it."""
        reply = (server or self.server).request("GET", f"/v2/{self.repository}/blobs/{content_digest}")
        self.assertEqual(reply.status, 307, reply.body)
        self.assertEqual(reply.headers["Docker-Content-Digest"], content_digest)
        request = urllib.request.Request(reply.headers["Location"], headers=headers or {})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()


@programs.need_versitygw
class Blobs(StoreCase):
    def test_nothing_of_a_blob_is_in_the_directory(self):
        before = self.store.objects()
        self.server.push_blob(self.repository, LARGE)
        new = {key: size for key, size in self.store.objects().items() if key not in before}
        self.assertEqual(list(new.values()), [len(LARGE)])  # once, and not a byte more
        self.assertEqual(self.store.parts(), [])
        self.assertEqual((self.server.blob_files(), self.server.upload_files()), ([], []))
        self.assertEqual(self.follow(digest(LARGE)), LARGE)
        head = self.request("HEAD", f"/v2/{self.repository}/blobs/{digest(LARGE)}")
        self.assertEqual((head.status, head.headers["Content-Length"]), (200, str(len(LARGE))))

    def test_a_part_is_read_where_the_client_is_sent(self):
        self.server.push_blob(self.repository, LARGE)
        self.assertEqual(self.follow(digest(LARGE), {"Range": "bytes=8388600-8388620"}),
                         LARGE[8388600:8388621])

    def test_a_session_outlives_its_process(self):
        location = self.server.begin(self.repository)
        first = 0
        for size in (1 << 20, 6 << 20, 100):  # a tail, a part with it, a tail
            self.assertEqual(self.send_chunk(location, LARGE[first:first + size], first).status, 202)
            first += size
            self.server.kill()
            self.server.start()
            reply = self.request("GET", location)
            self.assertEqual((reply.status, reply.headers["Range"]), (204, f"0-{first - 1}"))
        reply = self.request("PUT", f"{location}?digest={digest(LARGE)}", LARGE[first:], OCTETS)
        self.assertEqual(reply.status, 201, reply.body)
        self.assertEqual(self.follow(digest(LARGE)), LARGE)
        again = self.request("PUT", f"{location}?digest={digest(LARGE)}", b"", OCTETS)
        self.assertEqual(again.status, 201)  # its first answer may have been lost

    def test_a_wrong_digest_leaves_nothing(self):
        before = self.store.objects()
        for data in (LARGE, b"small"):
            for algorithm in ("sha256", "sha512"):  # of what was announced, and another
                location = self.server.begin(self.repository)
                self.assertEqual(self.send_chunk(location, data, 0).status, 202)
                wrong = digest(b"something else", algorithm)
                reply = self.request("PUT", f"{location}?digest={wrong}", b"more", OCTETS)
                self.assert_error(reply, 400, "DIGEST_INVALID")
                self.assert_error(self.request("GET", location), 404, "BLOB_UPLOAD_UNKNOWN")
        self.assertEqual((self.store.objects(), self.store.parts()), (before, []))

    def test_another_hash_is_computed_from_the_store(self):
        location = self.server.begin(self.repository)
        self.assertEqual(self.send_chunk(location, LARGE, 0).status, 202)
        wanted = digest(LARGE, "sha512")
        reply = self.request("PUT", f"{location}?digest={wanted}", b"", OCTETS)
        self.assertEqual(reply.status, 201, reply.body)
        self.assertEqual(self.follow(wanted), LARGE)

    def test_a_cancelled_upload_leaves_no_parts(self):
        location = self.server.begin(self.repository)
        self.send_chunk(location, LARGE, 0)
        self.assertNotEqual(self.store.parts(), [])
        self.assertEqual(self.request("DELETE", location).status, 204)
        self.assertEqual(self.store.parts(), [])

    def test_what_was_in_the_directory_before_is_still_served(self):
        server = self.new_server().start()
        server.push_blob(self.repository, b"from before")
        server.stop()
        new = on_store(self.store, prefix=self.repository, root=server.root)
        self.addCleanup(new.close)
        new.start()
        new.push_blob(self.repository, b"from now on")
        reply = new.request("GET", f"/v2/{self.repository}/blobs/{digest(b'from before')}")
        self.assertEqual((reply.status, reply.body), (200, b"from before"))
        self.assertEqual(self.follow(digest(b"from now on"), server=new), b"from now on")

    def chore(self, word, *options):
        """A chore on a stopped server's directory: exit code and report."""
        server = self.server_of_own
        done = subprocess.run(
            [PROGRAM, word, f"--root={server.root}", "--format=json",
             f"--blobs=s3://{BUCKET}/{self.repository}", f"--s3-endpoint={self.store.endpoint}", *options],
            env={**os.environ, **stores.credentials()}, capture_output=True, text=True, timeout=120,
            check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def own_server(self):
        self.server_of_own = on_store(self.store, prefix=self.repository)
        self.addCleanup(self.server_of_own.close)
        return self.server_of_own.start()

    def objects_made(self, before):
        return [key for key in self.store.objects() if key not in before and "/data/" in key]

    def test_collection_clears_the_store(self):
        before, server = self.store.objects(), self.own_server()
        server.push_blob(self.repository, b"named by nothing")
        server.push_blob(self.repository, b"named by nothing")  # in place of the first
        server.push_image(self.repository, "v1", (b"needed",))
        self.store.write(f"{self.repository}/data/stray", b"without a row")
        server.stop()
        time.sleep(1.1)  # what was stored in this second is not older than it
        code, report = self.chore("gc", "--older-than=0")
        self.assertEqual((code, report["blobs"], report["bytes"]), (0, 1, len(b"named by nothing")), report)
        self.assertEqual(len(self.objects_made(before)), 2)  # config and layer
        code, report = self.chore("gc", "--older-than=0", "--blobs=")
        self.assertIn("--blobs", report)
        self.assertNotEqual(code, 0)

    def test_a_prefix_has_one_owner(self):
        self.own_server().stop()
        other = on_store(self.store, prefix=self.repository)
        self.addCleanup(other.close)
        with self.assertRaisesRegex(RuntimeError, "belongs to another registry"):
            other.start()
        other.process.stdout.close()
        other.process = None
        self.server_of_own.start()  # its own

    def test_a_bucket_that_is_not_there(self):
        other = on_store(self.store, "--blobs=s3://none/x")
        self.addCleanup(other.close)
        with self.assertRaisesRegex(RuntimeError, "NoSuchBucket|403|404"):
            other.start()
        other.process.stdout.close()
        other.process = None

    def test_verification_reads_the_store(self):
        before, server = self.store.objects(), self.own_server()
        server.push_image(self.repository, "v1", (b"right",))
        known = self.objects_made(before)
        server.push_blob(self.repository, b"wrong")
        wrong = next(key for key in self.objects_made(before) if key not in known)
        self.store.write(wrong, b"WRONG")
        code, report = self.chore("verify")
        self.assertNotEqual(code, 0)
        self.assertEqual([p["problem"] for p in report["problems"]], ["damaged"], report)
        code, report = self.chore("verify", "--remove")
        self.assertEqual((code, [p["problem"] for p in report["problems"]]), (0, ["removed"]), report)
        head = server.request("HEAD", f"/v2/{self.repository}/blobs/{digest(b'wrong')}")
        self.assertEqual(head.status, 404)  # a client pushes it again
        server.push_blob(self.repository, b"wrong")
        self.assertEqual(self.follow(digest(b"wrong"), server=server), b"wrong")

    def test_an_image_can_be_pushed(self):
        self.server.push_image(self.repository, "v1", (b"layer", LARGE))
        reply = self.request("GET", f"/v2/{self.repository}/manifests/v1")
        self.assertEqual(reply.body, image((b"layer", LARGE)))


@programs.need_versitygw
class Faults(StoreCase):
    """The store fails at one request or another; each test has a registry that reaches it through a proxy."""

    def setUp(self):
        super().setUp()
        self.proxy = FaultProxy(self.store.port).start()
        self.addCleanup(self.proxy.close)
        self.through = on_store(self.store, "--no-redirect", prefix=self.repository,
                                endpoint=f"http://{self.proxy.host}")
        self.addCleanup(end_well, self, self.through)
        self.through.start()

    def push(self, data):
        location = self.through.begin(self.repository)
        return self.through.request("PUT", f"{location}?digest={digest(data)}", data, OCTETS)

    def blob(self, data, **headers):
        return self.through.request("GET", f"/v2/{self.repository}/blobs/{digest(data)}", headers=headers)

    def test_each_request_is_repeated(self):
        steps = (("POST", r"uploads="), ("PUT", r"partNumber=1&"), ("PUT", r"partNumber=3&"), ("POST", r"\?uploadId="))
        for method, path in steps:
            self.proxy.add(Fault(method=method, path=path, status=503, times=1))
        self.proxy.add(Fault(method="PUT", path=r"partNumber=2&", cut_request=1 << 20, times=1))
        self.assertEqual(self.push(LARGE).status, 201)
        self.assertEqual(self.blob(LARGE).body, LARGE)

    def test_other_bytes_than_a_part_reach_nobody(self):
        data = os.urandom(300_000)
        self.assertEqual(self.push(data).status, 201)
        headers = (("Content-Range", "bytes 0-999/300000"),)
        for lie in (Fault("/data/", "GET", status=200, body=data),
                    Fault("/data/", "GET", status=206, body=data[:1000], headers=headers)):
            self.proxy.clear()
            self.proxy.add(lie)
            with self.assertRaises(http.client.IncompleteRead) as caught:
                self.blob(data, Range="bytes=100000-100999")
            self.assertEqual(caught.exception.partial, b"")
        self.proxy.clear()
        self.assertEqual(self.blob(data, Range="bytes=100000-100999").body, data[100_000:101_000])

    def test_a_client_sends_while_the_last_part_goes_out(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.proxy.add(Fault(method="PUT", path="partNumber=1&", call=lambda _: gate.wait(60)))
        location, sent = self.through.begin(self.repository), LARGE[:PART + (1 << 20)]
        with send_part(self.through, location, sent, len(sent)) as sock:
            self.wait_until(lambda: self.through.request("GET", location).headers["Range"] == f"0-{len(sent) - 1}")
            gate.set()
            self.assertIn(b" 202 ", sock.recv(65536).split(b"\r\n")[0])
        reply = self.through.request("PUT", f"{location}?digest={digest(LARGE)}", LARGE[len(sent):], OCTETS)
        self.assertEqual(reply.status, 201, reply.body)
        self.assertEqual(self.blob(LARGE).body, LARGE)

    def test_a_part_that_is_lost(self):
        location = self.through.begin(self.repository)
        self.assertEqual(self.send_chunk(location, LARGE[:1000], 0, self.through).status, 202)
        self.proxy.add(Fault(method="PUT", path="partNumber=2&", status=403))
        self.assertEqual(self.send_chunk(location, LARGE[1000:], 1000, self.through).status, 500)
        self.proxy.clear()
        reply = self.through.request("GET", location)  # at once, and what the store has
        self.assertEqual((reply.status, reply.headers["Range"]), (204, f"0-{PART - 1}"))
        reply = self.through.request("PUT", f"{location}?digest={digest(LARGE)}", LARGE[PART:], OCTETS)
        self.assertEqual(reply.status, 201, reply.body)
        self.assertEqual(self.blob(LARGE).body, LARGE)

    def test_an_end_whose_answer_was_lost(self):
        self.proxy.add(Fault(method="POST", path=r"\?uploadId=", drop_response=True, times=1))
        self.assertEqual(self.push(LARGE).status, 201)
        self.assertEqual(self.blob(LARGE).body, LARGE)

    def test_an_end_that_takes_long_and_is_asked_for_again(self):
        location = self.through.begin(self.repository)
        self.assertEqual(self.send_chunk(location, LARGE, 0, self.through).status, 202)
        self.proxy.add(Fault(method="POST", path=r"\?uploadId=", delay=3))  # seconds, as a large blob takes
        path = f"{location}?digest={digest(LARGE)}"
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(self.through.request, "PUT", path, b"", OCTETS)
            self.wait_until(lambda: self.proxy.requests("POST", r"\?uploadId="))
            again = pool.submit(self.through.request, "PUT", path, b"", OCTETS)
            self.assertEqual((first.result().status, again.result().status), (201, 201))
        self.assertEqual(len(self.proxy.requests("POST", r"\?uploadId=")), 1)

    def test_an_end_that_failed_after_it_was_promised(self):
        error = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>a \x1b[31mlie</Message></Error>"
        location = self.through.begin(self.repository)
        self.assertEqual(self.send_chunk(location, LARGE, 0, self.through).status, 202)
        path = f"{location}?digest={digest(LARGE)}"
        self.proxy.add(Fault(method="POST", path=r"\?uploadId=", status=200, body=error))
        self.assertEqual(self.through.request("PUT", path, b"", OCTETS).status, 503)
        self.assert_error(self.blob(LARGE), 404, "BLOB_UNKNOWN")
        self.assertIn("InternalError", self.through.log())
        self.assertNotIn("\x1b", self.through.log())
        self.proxy.clear()
        self.proxy.add(Fault(method="POST", path=r"\?uploadId=", status=200, body=error, times=1))
        self.assertEqual(self.through.request("PUT", path, b"", OCTETS).status, 201)  # the same upload
        self.assertEqual(self.blob(LARGE).body, LARGE)

    def test_what_helps_is_told(self):
        def error(code, rest=""):
            return f"<Error><Code>{code}</Code><Message>no</Message>{rest}</Error>".encode()

        for fault, advice in (
                (Fault(status=403, body=error("RequestTimeTooSkewed")), "clock of this machine"),
                (Fault(status=301, body=error("PermanentRedirect"), headers=(("x-amz-bucket-region", "eu-west-9"),)),
                 "--s3-region eu-west-9"),
                (Fault(status=400, body=error("AuthorizationHeaderMalformed", "<Region>eu-\x1bwest-8</Region>")),
                 r"--s3-region eu-\x1bwest-8")):
            self.proxy.clear()
            self.proxy.add(fault)
            self.assertEqual(self.push(b"small").status, 500)
            self.assertIn(advice, self.through.log())

    def test_reading_goes_on_where_it_was_cut(self):
        self.push(LARGE)
        self.proxy.add(Fault(method="GET", path="data/", cut_response=3 << 20, times=2))
        self.assertEqual(self.blob(LARGE).body, LARGE)
        part = self.blob(LARGE, Range="bytes=1000000-9000000")
        self.assertEqual((part.status, part.body), (206, LARGE[1000000:9000001]))

    def test_an_object_that_went_is_never_a_whole_blob(self):
        self.push(LARGE)
        for key in self.store.objects():
            if key.startswith(f"{self.repository}/data/"):
                self.store.remove(key)
        with self.assertRaises(http.client.IncompleteRead):
            self.blob(LARGE)
        self.assertIn("NoSuchKey", self.through.log())

    def test_a_store_that_is_away(self):
        self.store.stop()
        reply = self.push(b"small")
        self.assertEqual((reply.status, "Retry-After" in reply.headers), (503, True))
        health = self.through.request("GET", "/healthz")
        self.assertEqual((health.status, health.json["checks"]["blobs"]), (200, "does not answer"))
        self.assertEqual(self.through.request("GET", "/readyz").status, 503)
        self.through.stop()
        self.through.start()  # as well without it
        self.assertEqual(self.through.request("GET", "/readyz").status, 503)
        self.store.start()
        self.wait_until(lambda: self.through.request("GET", "/readyz").status == 200)
        self.assertEqual(self.push(b"small").status, 201)

    def test_a_silent_store_does_not_hold_up_the_end(self):
        self.through.stop()
        self.through.start("--grace=0")
        self.proxy.add(Fault(method="PUT", path="partNumber=1&", stall_head=True))
        location = self.through.begin(self.repository)
        with send_part(self.through, location, LARGE[:PART], len(LARGE)):
            self.wait_until(lambda: self.proxy.requests("PUT", "partNumber=1&"))
            self.through.send(signal.SIGTERM)
            self.assertEqual(self.through.wait(20), 0)  # the store's silence alone would take longer

    def test_a_store_that_refuses_us(self):
        self.proxy.add(Fault(status=403, body=b"<Error><Code>AccessDenied</Code></Error>"))
        self.assertEqual(self.push(b"small").status, 500)
        self.assertIn("AccessDenied", self.through.log())
        self.assertNotIn(stores.SECRET, self.through.log())


    def test_the_store_is_counted(self):
        self.proxy.add(Fault(method="PUT", path=r"partNumber=2&", status=503, times=1))
        self.push(LARGE)
        self.blob(LARGE)
        found = {}

        def are_counted():  # which the last bytes are when the store's answer is over: its reader may have them before
            lines = self.through.request("GET", "/metrics").body.decode().splitlines()
            found.update(line.rsplit(" ", 1) for line in lines if line.startswith(("coras_store", "coras_database")))
            return int(found["coras_store_received_bytes_total"]) >= len(LARGE)

        self.wait_until(are_counted)
        self.assertEqual(found['coras_store_requests_total{method="PUT",code="503"}'], "1")
        self.assertEqual(found["coras_store_retries_total"], "1")
        self.assertGreaterEqual(int(found["coras_store_sent_bytes_total"]), len(LARGE) + PART)
        self.assertGreaterEqual(int(found['coras_store_seconds_count{method="PUT"}']), 4)
        self.assertGreater(int(found['coras_database_seconds_count{operation="write"}']), 0)


@programs.need_versitygw
class Credentials(StoreCase):
    """They are written anew while the server runs."""

    def setUp(self):
        super().setUp()
        self.file = self.server.top / "credentials"
        self.write(stores.SECRET)
        self.own = on_store(self.store, prefix=self.repository)
        self.own.prefix = ["env", f"AWS_SHARED_CREDENTIALS_FILE={self.file}", "AWS_PROFILE=registry"]
        self.addCleanup(self.own.close)
        self.own.start()

    def write(self, secret):
        self.file.write_text(f"[default]\naws_access_key_id = other\naws_secret_access_key = wrong\n\n[registry]\n"
                             f"aws_access_key_id = {stores.KEY_ID}\naws_secret_access_key = {secret}\n")

    def test_new_ones(self):
        self.own.push_blob(self.repository, b"with the first")
        self.store.stop()
        self.store.secret = "the-second-secret"
        self.store.start()
        self.write(self.store.secret)
        self.own.push_blob(self.repository, b"with the second")  # at once
        self.assertEqual(self.follow(digest(b"with the second"), server=self.own), b"with the second")

        self.file.write_text("[registry]\n")  # as while somebody writes it
        self.own.send(signal.SIGHUP)
        self.wait_until(lambda: "not reloaded: credentials of the store" in self.own.log())
        self.own.push_blob(self.repository, b"with the one before")
        self.write(self.store.secret)
        self.own.send(signal.SIGHUP)
        self.wait_until(lambda: self.own.log().count("reloaded: credentials of the store") == 2)
        for secret in (stores.SECRET, self.store.secret):
            self.assertNotIn(secret, self.own.log())


@programs.need_versitygw
class UploadsToStore(StoreCase, test_server_uploads.Uploads):
    """All that can be said of uploads holds; blobs pass through the server."""

    options = ("--no-redirect",)
    # these look into files of the directory
    test_two_writers_never_mix = test_cut_patch_keeps_its_bytes = None
    test_cancel_frees_the_space = test_same_blob_from_sixteen_at_once = None

    def test_writer_that_went_silent_is_replaced(self):
        location = self.begin()
        with send_part(self.server, location, b"x" * 3000, 10_000):
            self.wait_until(lambda: self.request("GET", location).headers["Range"] == "0-2999")
            self.assertEqual(self.patch(location, b"y" * 5, 3000).status, 202)
        self.assertEqual(self.request("GET", location).headers["Range"], "0-3004")


@programs.need_versitygw
class ClientsOnStore(StoreCase, test_server_clients.Clients):
    """They follow the registry's links."""

    @programs.need_coras
    def test_coras(self):
        self.run_ok(programs.CORAS, "push", "--plain-http", self.name(), "a.txt", "big.bin")
        self.run_ok(programs.CORAS, "pull", "--plain-http", self.name(), "-o", "out")
        for file in ("a.txt", "big.bin"):
            self.assertEqual((self.work / "out" / file).read_bytes(), (self.work / file).read_bytes())


@programs.need_versitygw
class Cache(StoreCase):
    """A cache that keeps what it fetches in the store."""

    def test_what_is_fetched_moves_to_the_store(self):
        origin = self.new_server().start()
        origin.push_blob(self.repository, LARGE)
        cache = on_store(self.store, f"--proxy=http://{origin.host}", f"--cache-size={3 * len(LARGE)}",
                         prefix=self.repository)
        self.addCleanup(cache.close)
        cache.start()
        path = f"/v2/{self.repository}/blobs/{digest(LARGE)}"
        self.assertEqual(cache.request("GET", path).body, LARGE)  # as it comes
        self.wait_until(lambda: cache.request("GET", path).status == 307)
        self.assertEqual((cache.blob_files(), cache.upload_files()), ([], []))
        origin.stop()
        self.assertEqual(self.follow(digest(LARGE), server=cache), LARGE)


@need_postgres
@programs.need_versitygw
class SeveralProcesses(StoreCase):
    """Two servers on one bucket and one database are one registry."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres = Postgres().start()
        cls.addClassCleanup(cls.postgres.close)

    def setUp(self):
        super().setUp()
        url = self.postgres.database(f"d{abs(hash(self.repository))}")
        self.both = [on_store(self.store, f"--metadata={url}", prefix=self.repository) for _ in range(2)]
        self.url = url
        for server in self.both:
            self.addCleanup(server.close)
            server.start()

    def rows(self, text):
        return self.postgres.sql(text, self.url.rsplit("/", 1)[1])

    def test_each_chunk_goes_to_another(self):
        location = self.both[0].begin(self.repository)
        first = 0
        for number, size in enumerate((1 << 20, 6 << 20, 100, 5 << 20)):
            server = self.both[number % 2]
            reply = self.send_chunk(location, LARGE[first:first + size], first, server)
            self.assertEqual(reply.status, 202, reply.body)
            first += size
            other = self.both[(number + 1) % 2].request("GET", location)
            self.assertEqual(other.headers["Range"], f"0-{first - 1}")
        path = f"{location}?digest={digest(LARGE)}"
        self.assertEqual(self.both[1].request("PUT", path, LARGE[first:], OCTETS).status, 201)
        self.assertEqual(self.both[0].request("PUT", path, b"", OCTETS).status, 201)  # once more
        for server in self.both:
            self.assertEqual(self.follow(digest(LARGE), server=server), LARGE)

    def test_one_goes_on_where_the_other_was_killed(self):
        first, second = self.both
        location = first.begin(self.repository)
        self.assertEqual(self.send_chunk(location, LARGE[:1000], 0, first).status, 202)
        with send_part(first, location, LARGE[1000:PART + 5000], len(LARGE)):
            self.wait_until(lambda: self.rows("SELECT parts FROM upload") == "1")
            held = second.request("GET", location)
            self.assertEqual(held.status, 204)
            reply = self.send_chunk(location, b"mine", 1000, second)  # which it is not
            self.assert_error(reply, 416, "RANGE_INVALID")
            first.kill()
        self.rows("UPDATE upload SET held_until = 0")  # as time does
        reply = second.request("GET", location)
        self.assertEqual(reply.headers["Range"], f"0-{PART - 1}")  # what became a part
        rest = second.request("PUT", f"{location}?digest={digest(LARGE)}", LARGE[PART:], OCTETS)
        self.assertEqual(rest.status, 201, rest.body)
        self.assertEqual(self.follow(digest(LARGE), server=second), LARGE)

    def test_what_one_deletes_is_gone_for_the_other(self):
        self.both[0].push_image(self.repository, "v1", (b"layer",))
        path = f"/v2/{self.repository}/blobs/{digest(b'layer')}"
        self.assertEqual(self.both[1].request("GET", path).status, 307)
        self.assertEqual(self.both[1].request("DELETE", path).status, 202)
        self.assertEqual(self.both[0].request("HEAD", path).status, 404)


@programs.need_versitygw
@programs.need_conformance
class ConformanceOnStore(StoreCase, test_server_conformance.Conformance):
    options = ("--sparse-index", "--no-redirect")
    test_first_specification = test_current_specification = None  # the next one asks for all of it


if __name__ == "__main__":
    main()
