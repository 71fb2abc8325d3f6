# SPDX-License-Identifier: Apache-2.0
"""Blobs into registries: what a broken, lying or limited registry costs, and that it costs no more.

Bytes are counted on the wire; what arrives is compared with what was sent.
"""

from harness import programs
from harness.case import main
from harness.proxy import Fault, FaultProxy
from harness.registry_case import DRIVER, KIB, MIB, RegistryCase, with_tls
from harness.scripted import Reply, ScriptedRegistry, compact
from harness.servers import DockerRegistry, Process, registry3
from harness.tls import Authority

PATCHES = "/blobs/uploads/"


def error(code, message="no"):
    return compact({"errors": [{"code": code, "message": message}]})


class Crane(Process):
    """go-containerregistry's registry: no status of sessions, no deleting of them."""

    def command(self):
        return [programs.CRANE, "registry", "serve", "--address", f"127.0.0.1:{self.port}"]


class Uploads:
    """The same uploads against each registry; faults are in a proxy in front."""

    keeps_cut_pieces = False  # a session goes on at any byte
    knows_sessions = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.serve_class(cls.make())

    def arrived(self, server, repo, data, digest):
        status, _, body = self.api(server).request("GET", f"/v2/{repo}/blobs/{digest}")
        self.assertEqual((status, body == data), (200, True))

    def test_every_size_arrives_and_is_not_sent_twice(self):
        server = self.server
        for size in (0, 1, 2 * MIB, 5 * MIB + 1, 64 * MIB + 1):
            data, digest = self.file(size)
            self.assertEqual(self.ok("push", server, "sizes/a", "blob"), "pushed\n")
            self.arrived(server, "sizes/a", data, digest)
            self.assertEqual(self.ok("push", server, "sizes/a", "blob"), "existed\n")

    def test_content_is_sent_before_its_digest_is_known(self):
        server = self.server
        data, digest = self.file(70 * MIB)
        self.assertEqual(self.ok("push", server, "late/a", "blob", digest, 5), "pushed\n")
        self.arrived(server, "late/a", data, digest)

    def test_an_upload_is_dropped_when_the_blob_turns_out_to_exist(self):
        server = self.server
        data, digest = self.file(140 * MIB)
        self.api(server).push_blob("drop/a", data, digest)
        with FaultProxy(server.port) as proxy:
            out = self.ok("push", proxy, "drop/a", "blob", digest, 2)
            self.assertEqual(out, "existed\n")
            self.assertEqual(len(proxy.requests("PATCH")), 1)
            self.assertEqual(len(proxy.requests("DELETE", PATCHES)), 1)
            self.assertEqual(proxy.requests("PUT"), [])

    def test_a_cut_piece_goes_on_or_starts_over_as_the_registry_can(self):
        """distribution 3 keeps every byte; 2.8 and crane lose the session or the piece."""
        server = self.server
        data, digest = self.file(100 * MIB)
        with FaultProxy(server.port) as proxy:
            proxy.add(Fault(PATCHES, "PATCH", times=1, cut_request=50 * MIB))
            out = self.ok("push", proxy, "cut/a", "blob")
            self.assertIn("retrying at ", out)
            self.assertTrue(out.endswith("pushed\n"))
            self.arrived(server, "cut/a", data, digest)
            if self.keeps_cut_pieces:
                self.assertLess(proxy.sent(), 110 * MIB)
            self.assertLess(proxy.sent(), 155 * MIB)

    def test_a_lost_answer_to_a_piece_is_not_a_lost_piece(self):
        server = self.server
        if not self.knows_sessions:
            self.skipTest("must start over")
        data, digest = self.file(70 * MIB)
        with FaultProxy(server.port) as proxy:
            proxy.add(Fault(PATCHES, "PATCH", times=1, drop_response=True))
            self.ok("push", proxy, "lost/a", "blob")
            self.arrived(server, "lost/a", data, digest)
            if self.keeps_cut_pieces:
                self.assertEqual(proxy.sent(), 70 * MIB)

    def test_a_lost_answer_to_the_closing_put_is_success(self):
        server = self.server
        for size in (1000, 10 * MIB):
            data, digest = self.file(size)
            repo = "put/a"
            with FaultProxy(server.port) as proxy:
                proxy.add(Fault("digest=", "PUT", times=1, drop_response=True))
                self.assertIn("pushed\n", self.ok("push", proxy, repo, "blob"))
                self.arrived(server, repo, data, digest)
                self.assertEqual(proxy.sent(), size)  # no byte twice

    def test_a_cut_put_of_a_small_blob_is_repeated(self):
        server = self.server
        data, digest = self.file(4 * MIB)
        with FaultProxy(server.port) as proxy:
            proxy.add(Fault("digest=", "PUT", times=2, cut_request=MIB))
            self.ok("push", proxy, "small/a", "blob")
            self.arrived(server, "small/a", data, digest)

    def test_errors_that_pass_are_waited_for(self):
        server = self.server
        data, digest = self.file(10 * MIB)
        with FaultProxy(server.port) as proxy:
            proxy.add(Fault(PATCHES, "PATCH", times=1, status=503))
            proxy.add(Fault(PATCHES, "PATCH", times=1, status=429,
                            headers=(("Retry-After", "0"),)))
            out = self.ok("push", proxy, "busy/a", "blob")
            self.assertIn("503", out)
            self.arrived(server, "busy/a", data, digest)

    def test_a_wrong_digest_is_told_with_the_right_one(self):
        server = self.server
        if not self.knows_sessions:
            self.skipTest("has words of its own")
        for size in (1000, 6 * MIB):
            _, digest = self.file(size)
            other = digest[:-4] + ("0000" if digest[-4:] != "0000" else "1111")
            self.fails("push", server, "wrong/a", "blob", other, code="HTTP",
                       contains="digest invalid", hint=digest)

    def test_a_mount_takes_no_bytes_and_a_declined_one_leads_into_its_session(self):
        server = self.server
        data, digest = self.file(1000)
        self.ok("push", server, "mount/from", "blob")
        with FaultProxy(server.port) as proxy:
            if self.knows_sessions:
                out = self.ok("mount", proxy, "mount/to", digest, 1000, "mount/from")
                self.assertEqual(out, "mounted\n")
                self.assertEqual(proxy.sent(), 0)
                proxy.clear()
            out = self.ok("mount", proxy, "mount/x", digest, 1000, "mount/none",
                          "blob", env={"DRIVER_KNOWN_MISSING": "1"})
            self.assertEqual(out, "declined\npushed\n")
            self.assertEqual([r.method for r in proxy.requests()], ["POST", "PUT"])
            self.arrived(server, "mount/x", data, digest)

    def journals(self):
        return list((self.box.root / "cache/coras/uploads").glob("*"))

    def killed(self, repo):
        """A proxy behind which a push died when its second piece began; its counts are at zero."""
        proxy = self.serve(FaultProxy(self.server.port))
        proxy.kill_at_piece(2, lambda: self.box.popen(DRIVER, "push", proxy.host, repo, "blob"))
        return proxy

    def test_a_later_process_goes_on_where_a_killed_one_was(self):
        data, digest = self.file(70 * MIB)
        proxy = self.killed("killed/a")
        (journal,) = self.journals()
        self.assertEqual(journal.stat().st_mode & 0o777, 0o600)
        self.assertTrue(self.ok("push", proxy, "killed/a", "blob").endswith("pushed\n"))
        self.arrived(self.server, "killed/a", data, digest)
        if self.keeps_cut_pieces:
            self.assertLessEqual(proxy.sent(), 6 * MIB)
            self.assertEqual(proxy.requests("POST"), [])
        self.assertEqual(self.journals(), [])

    def test_the_same_when_the_digest_is_known_late_only(self):
        data, digest = self.file(200 * MIB)
        proxy = self.killed("killed/b")
        self.ok("push", proxy, "killed/b", "blob", digest, 1)
        self.arrived(self.server, "killed/b", data, digest)
        if self.keeps_cut_pieces:
            self.assertLessEqual(proxy.sent(), 200 * MIB)
            self.assertEqual(len(proxy.requests("GET", PATCHES)), 1)

    def test_two_at_once_do_not_share_a_session(self):
        data, digest = self.file(70 * MIB)
        proxy = self.killed("twice/a")
        both = [self.box.popen(DRIVER, "push", proxy.host, "twice/a", "blob") for _ in range(2)]
        for process in both:
            process.communicate(timeout=60)
        self.assertEqual([process.returncode for process in both], [0, 0])
        self.arrived(self.server, "twice/a", data, digest)


@programs.need(programs.DOCKER_REGISTRY, "docker-registry")
class ToDistribution2(Uploads, RegistryCase):
    make = staticmethod(DockerRegistry)


@programs.expects_speed  # sanitizers see the same of us as with version 2
@programs.need(programs.REGISTRY3, "registry")
class ToDistribution3(Uploads, RegistryCase):
    make = staticmethod(registry3)
    keeps_cut_pieces = True


@programs.expects_speed
@programs.need(programs.CRANE, "crane")
class ToCrane(Uploads, RegistryCase):
    make = Crane
    knows_sessions = False


class AgainstLiars(RegistryCase):
    """Each peculiarity that was seen somewhere, on a registry that has no other."""

    SIZE = 10 * MIB

    def setUp(self):
        super().setUp()
        self.server = self.serve(ScriptedRegistry())
        self.data, self.digest = self.file(self.SIZE)

    def push(self, **more):
        out = self.ok("push", self.server, "a/b", "blob", **more)
        self.assertIn("pushed\n", out)
        self.assertTrue(self.server.blobs.get(self.digest) == self.data, "other bytes arrived")
        return out

    def sent(self):
        return [(r.method, len(r.body)) for r in self.server.requests("PATCH|PUT")]

    def held(self, request):
        """Keep the body as the scripted registry does; returns the session's length."""
        session = request.path.split("?")[0].rsplit("/", 1)[1]
        self.server.uploads[session] += request.body
        return len(self.server.uploads[session])

    def test_pieces_carry_bare_ranges_and_the_newest_location(self):
        seen = []

        def moving(request):
            if request.method == "GET":
                return None
            seen.append(request)
            length = self.held(request)
            return Reply(202, {"Location": f"/v2/a/b/blobs/uploads/s0?_state={len(seen)}%3D%3d&z",
                               "Range": f"0-{length - 1}"})
        self.server.on("PATCH", "", moving)
        self.push()
        put = self.server.requests("PUT")[0]
        self.assertEqual(seen[0].headers["Content-Range"], f"0-{self.SIZE - 1}")
        self.assertEqual(seen[0].headers["Content-Type"], "application/octet-stream")
        self.assertNotIn("Accept", {k for k, v in seen[0].headers.items() if v != "*/*"})
        self.assertIn("?_state=1%3D%3d&z&digest=sha256%3A", put.path)
        self.assertEqual(put.headers["Content-Length"], "0")

    def test_no_patch(self):
        for status in (400, 404, 405, 501):
            with self.subTest(status=status):
                server = self.server = self.serve(ScriptedRegistry())
                server.on("PATCH", "", Reply(status, {}, error("UNSUPPORTED")))
                self.push()
                self.assertEqual(self.sent()[-1], ("PUT", self.SIZE))
                self.assertEqual(len(server.requests("PATCH")), 1)

    def test_bodies_of_4_mib_only_with_a_416(self):
        """As GHCR: the status means an offset elsewhere."""
        self.server.on("PATCH", "", lambda r: Reply(
            416, {}, b"request body is too large and exceeds the maximum permissible limit of 4.00MiB")
            if len(r.body) > 4 * MIB else None)
        self.push()
        self.assertEqual(self.sent()[1:4], [("PATCH", 4000000)] * 2 + [("PATCH", self.SIZE - 8000000)])

    def test_bodies_of_2_mib_only_with_a_413(self):
        self.server.on("PATCH|PUT", PATCHES, lambda r: Reply(413, {}, b"<html>too large</html>")
                       if len(r.body) > 2 * MIB else None)
        self.push()
        self.assertLessEqual(self.sent()[-2][1], 2 * MIB)

    def test_no_useful_body_size_is_explained(self):
        self.server.on("PATCH|PUT", PATCHES, lambda r: Reply(413, {}, b"<html>too large</html>")
                       if r.body else None)
        self.fails("push", self.server, "a/b", "blob", code="HTTP", contains="413",
                   hint="client_max_body_size")
        self.assertLess(len(self.server.requests("PATCH")), 8)

    def in_pieces(self, reply):
        """Refuse large bodies, so that there are several pieces; answer them with `reply`."""
        def answer(request):
            if len(request.body) > 4 * MIB:
                return Reply(416, {}, b"too large")
            return reply(request)
        self.server.on("PATCH", "", answer)

    def test_a_range_that_does_not_advance(self):
        """As ECR: 201, and the Range of the first piece for ever, in the status too."""
        def stuck(request):
            self.held(request)
            return Reply(201, {"Range": "0-3999999"})
        self.in_pieces(stuck)
        self.server.on("GET", PATCHES, Reply(204, {"Range": "0-3999999"}))
        self.push()
        taken = [length for method, length in self.sent()[1:]]
        self.assertEqual(sum(taken), self.SIZE)  # nothing twice
        self.assertEqual(self.sent()[-1][0], "PUT")
        self.assertGreater(self.sent()[-1][1], 0)  # the last piece, not an empty body

    def test_a_range_of_the_last_piece_only(self):
        """As old zot: the session itself tells the truth."""
        def last_only(request):
            self.held(request)
            return Reply(202, {"Range": f"0-{len(request.body) - 1}"})
        self.in_pieces(last_only)
        self.push()
        self.assertEqual(sum(n for _, n in self.sent()[1:]), self.SIZE)

    def test_a_short_write_goes_on_behind_it(self):
        def short(request):
            session = request.path.rsplit("/", 1)[1]
            held = self.server.uploads[session] + request.body[:3000000]
            self.server.uploads[session] = held
            return Reply(202, {"Range": f"0-{len(held) - 1}"})
        self.server.on("PATCH", "", short)
        self.push()
        self.assertEqual(self.server.requests("PATCH")[1].headers["Content-Range"],
                         f"3000000-{self.SIZE - 1}")

    def test_no_range_at_all(self):
        def silent(request):
            self.held(request)
            return Reply(202)
        self.in_pieces(silent)
        self.push()

    def test_a_wrong_offset_is_corrected(self):
        """416 with the true Range, as the specification wants."""
        refused = []

        def once(request):
            if not refused and request.headers["Content-Range"].startswith("4000000-"):
                refused.append(request)
                self.server.uploads["s1"] = self.server.uploads["s1"][:1000]
                return Reply(416, {"Range": "0-999"}, error("RANGE_INVALID"))
            return None
        self.in_pieces(once)
        self.push()
        self.assertEqual(len(refused), 1)

    def test_a_session_that_is_lost_again_and_again_ends_in_one_put(self):
        lost = Reply(404, {}, error("BLOB_UPLOAD_UNKNOWN"))
        self.in_pieces(lambda r: lost if not r.headers["Content-Range"].startswith("0-") else None)
        self.push()
        self.assertEqual(self.sent()[-1], ("PUT", self.SIZE))
        self.assertLessEqual(len(self.server.requests("POST")), 7)

    def test_pieces_that_do_not_make_the_blob_are_sent_once_more_in_one(self):
        def spoilt(request):
            session = request.path.rsplit("/", 1)[1]
            self.server.uploads[session] += bytes(len(request.body))
            return Reply(202, {"Range": f"0-{len(request.body) - 1}"})
        self.server.on("PATCH", "", spoilt)
        self.push()
        self.assertEqual(self.sent()[-1], ("PUT", self.SIZE))

    def test_a_registry_that_spoils_every_body_is_named(self):
        self.server.on("PUT", "", Reply(400, {}, error("DIGEST_INVALID", "bytes differ")))
        self.fails("push", self.server, "a/b", "blob", code="HTTP", contains="bytes differ",
                   hint="something on the way")

    def test_smallest_piece_that_is_announced(self):
        self.server.on("POST", "", lambda r: Reply(202, {
            "Location": "/v2/a/b/blobs/uploads/s0", "OCI-Chunk-Min-Length": "100000000"}))
        self.server.uploads["s0"] = b""
        self.data, self.digest = self.file(90 * MIB)
        self.push()
        self.assertEqual(self.sent()[0], ("PATCH", 90 * MIB))

    def test_an_absurd_smallest_piece_is_not_believed(self):
        self.server.on("POST", "", lambda r: Reply(202, {
            "Location": "/v2/a/b/blobs/uploads/s0", "OCI-Chunk-Min-Length": str(2 ** 63 - 1)}))
        self.server.uploads["s0"] = b""
        self.data, self.digest = self.file(70 * MIB)
        self.push()
        self.assertEqual(self.sent()[0], ("PATCH", 64 * MIB))

    def test_commit_that_goes_on_behind_the_answer(self):
        self.server.on("PUT", "", lambda r: (
            self.server.blobs.__setitem__(self.digest, self.data), Reply(202))[1])
        self.push()

    def test_500_on_everything_ends(self):
        self.server.on("PATCH", "", Reply(500))
        result = self.fails("push", self.server, "a/b", "blob", code="HTTP", contains="500",
                            timeout=90)
        self.assertLess(result.seconds, 60)
        self.assertEqual(len(self.server.requests("DELETE", PATCHES)), 1)

    def test_missing_or_strange_locations_are_refused(self):
        for location, code in ((None, "PROTOCOL"), ("file:///etc/passwd", "PROTOCOL"),
                               ("ht!tp://x", "PROTOCOL"), ("/v2/a/%%", "PROTOCOL"),
                               ("http://127.0.0.2:1/u", "UNTRUSTED_ORIGIN"), ("", "PROTOCOL")):
            with self.subTest(location=location):
                server = self.serve(ScriptedRegistry())
                headers = {} if location is None else {"Location": location}
                server.on("POST", "", Reply(202, headers))
                result = self.run_driver("push", server, "a/b", "blob", check=1)
                self.assertRegex(result.out, f"^error ({code}|HTTP) final")
                self.assertEqual(server.requests("PATCH|PUT"), [])

    def test_advice_for_refusals(self):
        for status, code, hint in (
                (404, "NAME_UNKNOWN", "knows no repository"), (403, "DENIED", ""),
                (507, "UNKNOWN", "storage"), (413, "SIZE_INVALID", "limits the size")):
            with self.subTest(status=status):
                server = self.serve(ScriptedRegistry())
                server.on("POST|PATCH|PUT", PATCHES, lambda r: None if status == 507
                          and r.method == "POST" else Reply(status, {}, error(code)))
                result = self.run_driver("push", server, "a/b", "blob", check=1)
                self.assertIn(hint, result.out.partition("hint: ")[2])
                self.assertIn("hint: ", result.out)


    def test_a_small_blob_takes_three_requests(self):
        self.data, self.digest = self.file(100 * KIB)
        self.push()
        self.assertEqual([r.method for r in self.server.requests()], ["HEAD", "POST", "PUT"])

    def test_known_missing_saves_a_request(self):
        self.data, self.digest = self.file(100 * KIB)
        self.push(env={"DRIVER_KNOWN_MISSING": "1"})
        self.assertEqual([r.method for r in self.server.requests()], ["POST", "PUT"])


class ElsewhereUploads(RegistryCase):
    """Locations of uploads that are not the registry's own."""

    env = {"DRIVER_USER": "alice", "DRIVER_PASSWORD": "wonder-canary"}

    def setUp(self):
        super().setUp()
        self.authority = self.serve(Authority())
        self.server = with_tls(self.serve(ScriptedRegistry()), self.authority)
        self.server.on("POST|HEAD", "", lambda r: None if "Authorization" in r.headers else Reply(
            401, {"WWW-Authenticate": 'Basic realm="r"'}))
        self.data, self.digest = self.file(6 * MIB)

    def push(self, location, **more):
        self.server.on("POST", "", Reply(202, {"Location": location}))
        return self.run_driver("push", self.server, "a/b", "blob", options=["-k"], **more)

    def test_storage_gets_the_content_but_no_credentials(self):
        storage = with_tls(self.serve(ScriptedRegistry()), self.authority, "storage")
        storage.uploads["s0"] = b""
        self.push(f"https://{storage.host}/v2/x/blobs/uploads/s0?signature=abc", check=0)
        self.assertTrue(storage.blobs[self.digest] == self.data)
        self.assertEqual([r.method for r in storage.requests()], ["PATCH", "PUT"])
        for request in storage.requests():
            self.assertNotIn("Authorization", request.headers)
        self.assertIn("Authorization", self.server.requests("POST")[-1].headers)

    def test_storage_in_clear_is_refused(self):
        storage = self.serve(ScriptedRegistry())
        out = self.push(f"http://127.0.0.1:{storage.port}/v2/x/blobs/uploads/s0", check=1).out
        self.assertIn("error UNTRUSTED_ORIGIN final", out)
        self.assertIn("downgrades scheme from https", out)
        self.assertEqual(storage.requests(), [])

    def test_a_registry_that_does_not_know_of_its_tls_proxy(self):
        self.server.uploads["s0"] = b""
        host = self.server.host.replace("localhost", "LOCALHOST")
        result = self.push(f"http://{host}/v2/a/b/blobs/uploads/s0?_state=x", check=0)
        self.assertTrue(self.server.blobs[self.digest] == self.data)
        self.assertIn("X-Forwarded-Proto", result.err)


if __name__ == "__main__":
    main()
