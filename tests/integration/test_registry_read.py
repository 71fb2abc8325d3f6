# SPDX-License-Identifier: Apache-2.0
"""Manifests and blobs out of registries: what is believed, what is not, and what is asked for."""

import json

from harness import programs
from harness.case import main
from harness.proxy import Fault, FaultProxy
from harness.registry_case import MIB, RegistryCase
from harness.scripted import IMAGE, INDEX, Reply, ScriptedRegistry, compact, manifest, sha256
from harness.servers import DockerRegistry, registry3

OCTETS = "application/octet-stream"


def error(code, message="no"):
    return compact({"errors": [{"code": code, "message": message}]})


class Reading(RegistryCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve(ScriptedRegistry())

    def blob(self, size=1000):
        data = bytes(i % 251 for i in range(size))
        self.server.blob(data)
        return data, sha256(data)

    def fetch(self, data, digest, offset, length, **more):
        return self.run_driver("fetch", self.server, "a/b", digest, len(data), OCTETS, offset,
                               length, **more)


class Manifests(Reading):
    def test_resolve_asks_once_with_all_types(self):
        digest = self.server.put("v1", manifest([]))
        found = json.loads(self.ok("resolve", self.server, "a/b", "v1"))
        self.assertEqual((found["digest"], found["mediaType"]), (digest, IMAGE))
        (request,) = self.server.requests()
        self.assertEqual((request.method, request.path), ("HEAD", "/v2/a/b/manifests/v1"))
        self.assertEqual(request.headers["Accept"], ", ".join((
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            IMAGE, INDEX, "application/vnd.oci.artifact.manifest.v1+json")))

    def test_fetch_takes_one_request(self):
        self.server.put("v1", manifest([]))
        self.ok("manifest", self.server, "a/b", "v1")
        self.assertEqual([r.method for r in self.server.requests()], ["GET"])

    def test_a_head_that_says_too_little_is_followed_by_a_get(self):
        data = compact(manifest([]))
        for name, head in (("no digest", Reply(200, {"Content-Type": IMAGE}, data)),
                           ("no length", Reply(200, {"Content-Type": IMAGE, "Content-Length": "0",
                                                     "Docker-Content-Digest": sha256(data)})),
                           ("no type", Reply(200, {"Docker-Content-Digest": sha256(data)}, data)),
                           ("405", Reply(405)), ("400", Reply(400)), ("501", Reply(501))):
            with self.subTest(name):
                server = self.serve(ScriptedRegistry())
                server.put("v1", data)
                server.on("HEAD", "", head)
                found = json.loads(self.ok("resolve", server, "a/b", "v1"))
                self.assertEqual((found["digest"], found["size"]), (sha256(data), len(data)))

    def test_a_contradicting_digest_is_refused(self):
        data = compact(manifest([]))
        other = sha256(b"other")
        self.server.put("v1", data)
        self.server.on("GET|HEAD", "/manifests/", Reply(
            200, {"Content-Type": IMAGE, "Docker-Content-Digest": other}, data))
        self.fails("manifest", self.server, "a/b", "v1", code="DIGEST_MISMATCH", contains=other)
        self.fails("manifest", self.server, "a/b", sha256(data), code="DIGEST_MISMATCH")
        self.fails("resolve", self.server, "a/b", sha256(data), code="DIGEST_MISMATCH")

    def test_other_bytes_than_the_digest_asked_for(self):
        digest = self.server.put("v1", manifest([]))
        self.server.on("GET", "/manifests/", Reply(200, {"Content-Type": IMAGE}, b'{"a":1}'))
        self.fails("manifest", self.server, "a/b", digest, code="DIGEST_MISMATCH")
        self.assertEqual(len(self.server.requests("GET")), 2)  # one more whole try, then refused

    def test_a_digest_of_another_algorithm_proves_nothing(self):
        data = compact(manifest([]))
        self.server.on("GET|HEAD", "/manifests/", Reply(
            200, {"Content-Type": IMAGE, "Docker-Content-Digest": "sha512:" + "0" * 128}, data))
        self.ok("resolve", self.server, "a/b", sha256(data))
        self.ok("manifest", self.server, "a/b", sha256(data))

    def test_a_malformed_digest_header_is_refused(self):
        self.server.on("GET|HEAD", "/manifests/", Reply(
            200, {"Content-Type": IMAGE, "Docker-Content-Digest": "sha256:\x1b[31m../../x"}, b"{}"))
        for command in ("resolve", "manifest"):
            result = self.fails(command, self.server, "a/b", "v1", code="PROTOCOL",
                                contains="Docker-Content-Digest")
            self.assertNotIn("\x1b", result.out)

    def test_parameters_of_the_type_are_dropped(self):
        self.server.put("v1", manifest([]), media_type=IMAGE + "; charset=utf-8")
        for command in ("resolve", "manifest"):
            found = json.loads(self.lines(command, self.server, "a/b", "v1")[0])
            self.assertEqual(found["mediaType"], IMAGE)

    def test_a_web_page_is_no_manifest(self):
        self.server.on("GET|HEAD", "", Reply(200, {"Content-Type": "text/html"}, b"<html>log in"))
        for command in ("resolve", "manifest"):
            self.fails(command, self.server, "a/b", "v1", code="PROTOCOL", contains="text/html",
                       hint="proxy")

    def test_other_successes_are_none(self):
        data = compact(manifest([]))
        for status, body in ((201, data), (203, data), (204, b""), (206, data), (200, b"")):
            server = self.serve(ScriptedRegistry())
            server.on("GET|HEAD", "/manifests/", Reply(status, {"Content-Type": IMAGE}, body))
            for command in ("resolve", "manifest"):
                self.fails(command, server, "a/b", "v1", code="PROTOCOL",
                           contains=str(status) if body or status == 204 else "without content")

    def test_a_manifest_over_the_limit_is_not_read(self):
        self.server.on("GET", "/manifests/", Reply(200, {"Content-Type": IMAGE}, b"{",
                                                   endless=b" " * 65536))
        self.fails("manifest", self.server, "a/b", "v1", code="TOO_LARGE")

    def test_a_manifest_that_is_announced_too_large_is_not_waited_for(self):
        self.server.on("GET", "/manifests/", Reply(200, {"Content-Type": IMAGE, "Content-Length": "4194305"}, b"{"))
        self.fails("manifest", self.server, "a/b", "v1", code="TOO_LARGE")
        self.assertEqual(len(self.server.requests()), 1)

    def test_bad_references_never_leave(self):
        for reference, code in (("-x", "INVALID_REFERENCE"), ("a/b", "INVALID_REFERENCE"),
                                ("", "INVALID_REFERENCE"), ("sha256:../../x", "INVALID_DIGEST"),
                                ("sha256:" + "A" * 64, "INVALID_DIGEST"),
                                ("md5:" + "a" * 32, "UNSUPPORTED_DIGEST"),
                                ("v1?x=%2e", "INVALID_REFERENCE")):
            with self.subTest(reference):
                self.fails("resolve", self.server, "a/b", reference, code=code)
        self.assertEqual(self.server.requests(), [])

    def test_not_found_is_told_in_upstreams_words(self):
        digest = sha256(b"x")
        self.fails("resolve", self.server, "a/b", "v1", code="NOT_FOUND",
                   contains=f"\n{self.server.host}/a/b:v1: not found\n")
        self.fails("manifest", self.server, "a/b", digest, code="NOT_FOUND",
                   contains=f"\n{self.server.host}/a/b@{digest}: not found\n")
        self.fails("blob", self.server, "a/b", digest, 1, code="NOT_FOUND",
                   contains=f"\n{digest}: not found\n")

    def test_refusals_keep_the_registrys_words(self):
        self.server.on("GET", "", Reply(403, {}, error("DENIED", "no way")))
        self.fails("manifest", self.server, "a/b", "v1", code="DENIED", contains="denied: no way")

    def test_missing_tags_are_explained_by_the_closest(self):
        for tag in ("v1.0", "v1.1", "v2.0", "latest", "nightly", "stable", "old"):
            self.server.put(tag, manifest([]))
        self.fails("resolve", self.server, "a/b", "v1.2", code="NOT_FOUND", hint="v1.0, v1.1, v2.0")
        self.assertEqual(len(self.server.requests("GET", "/tags/list$")), 1)

    def test_tags_in_advice_cannot_reach_the_terminal_raw(self):
        self.server.on("GET", "/tags/list", Reply(200, {}, compact({"tags": ["\x1b[2J\x07v1"]})))
        result = self.fails("resolve", self.server, "a/b", "v1", code="NOT_FOUND")
        self.assertNotIn("\x1b", result.out)

    def test_missing_repositories_are_explained(self):
        self.server.on("GET", "/tags/list", Reply(404, {}, error("NAME_UNKNOWN")))
        self.fails("manifest", self.server, "a/b", "v1", code="NOT_FOUND",
                   hint="knows no repository \"a/b\"")

    def test_missing_digests_cost_no_further_request(self):
        self.run_driver("manifest", self.server, "a/b", sha256(b"x"), check=1)
        self.assertEqual(len(self.server.requests()), 1)


class Storing(Reading):
    def put(self, *argv, **more):
        self.box.write("m.json", compact(manifest([])))
        return self.run_driver("put", self.server, "a/b", "m.json", IMAGE, *argv, **more)

    def test_bytes_go_up_as_they_are(self):
        self.put("v1", check=0)
        (request,) = self.server.requests()
        self.assertEqual((request.method, request.path), ("PUT", "/v2/a/b/manifests/v1"))
        self.assertEqual(request.headers["Content-Type"], IMAGE)
        self.assertEqual(request.body, compact(manifest([])))

    def test_without_reference_by_digest(self):
        self.put(check=0)
        self.assertEqual(self.server.requests()[0].path,
                         "/v2/a/b/manifests/" + sha256(compact(manifest([]))))

    def test_another_digest_in_the_answer_is_refused(self):
        self.server.on("PUT", "", Reply(201, {"Docker-Content-Digest": sha256(b"x")}))
        self.assertIn("error DIGEST_MISMATCH", self.put("v1", check=1).out)

    def test_a_blob_that_is_not_visible_yet_is_waited_for(self):
        answers = [Reply(404, {}, error("MANIFEST_BLOB_UNKNOWN"))] * 2
        self.server.on("PUT", "/manifests/", lambda r: answers.pop() if answers else None)
        self.file(10)
        self.put("v1", "blob", check=0)
        self.assertEqual(len(self.server.requests("PUT", "/manifests/")), 3)

    def test_a_blob_that_nobody_has_stored_is_not_waited_for(self):
        self.server.on("PUT", "", Reply(404, {}, error("MANIFEST_BLOB_UNKNOWN", "no blob")))
        self.assertIn("no blob", self.put("v1", check=1).out)
        self.assertEqual(len(self.server.requests("PUT")), 1)

    def test_a_tag_that_may_not_move_but_is_right(self):
        self.server.put("v1", compact(manifest([])))
        self.server.on("PUT", "", Reply(409, {}, error("TAG_INVALID", "immutable")))
        self.put("v1", check=0)
        self.assertIn("immutable", self.put("v2", check=1).out)

    def test_advice_for_refused_artifacts(self):
        for status, code in ((400, "MANIFEST_INVALID"), (405, "UNSUPPORTED"), (415, "UNKNOWN")):
            with self.subTest(status):
                self.server.rules.clear()
                self.server.on("PUT", "", Reply(status, {}, error(code)))
                self.assertIn("USE_IMAGE_SPEC_1_0", self.put("v1", check=1).out.partition("hint")[2])

    def test_a_tag_gets_the_same_bytes(self):
        data = compact(manifest([])) + b"\n \n"
        self.server.put("v1", data)
        self.ok("tag", self.server, "a/b", "v1", "v2")
        put = self.server.requests("PUT")[0]
        self.assertEqual((put.path, put.body), ("/v2/a/b/manifests/v2", data))


class Blobs(Reading):
    def test_whole_blobs_are_asked_for_without_range(self):
        data, digest = self.blob()
        self.assertEqual(self.fetch(data, digest, 0, -1, check=0).out_bytes, data)
        self.assertEqual(self.fetch(data, digest, 0, 5000, check=0).out_bytes, data)
        for request in self.server.requests():
            self.assertNotIn("Range", request.headers)
            self.assertEqual(request.headers.get("Accept-Encoding", "identity"), "identity")

    def test_ranges_are_closed_and_within_the_blob(self):
        data, digest = self.blob()
        for offset, length, want in ((1, -1, "1-999"), (0, 10, "0-9"), (990, 50, "990-999"),
                                     (999, 1, "999-999"), (10, 20, "10-29")):
            with self.subTest(want):
                end = len(data) if length < 0 else offset + length
                out = self.fetch(data, digest, offset, length, check=0).out_bytes
                self.assertEqual(out, data[offset:end])
                self.assertEqual(self.server.requests()[-1].headers["Range"], "bytes=" + want)

    def test_nothing_is_asked_for_nothing(self):
        data, digest = self.blob()
        self.assertEqual(self.fetch(data, digest, 1000, -1, check=0).out_bytes, b"")
        self.assertEqual(self.server.requests(), [])

    def refused(self, reply, offset=10, length=20):
        data, digest = self.blob()
        self.server.rules.clear()
        self.server.on("GET", "/blobs/", reply)
        return self.fetch(data, digest, offset, length, check=1).out

    def test_ranges_that_are_not_what_was_asked_for_deliver_nothing(self):
        part = b"secret-bytes-of-another-range"[:20]
        for name, reply in (
                ("ignored", Reply(200, {}, bytes(1000))),
                ("shifted", Reply(206, {"Content-Range": "bytes 11-30/1000"}, part)),
                ("shorter", Reply(206, {"Content-Range": "bytes 10-28/1000"}, part[1:])),
                ("other total", Reply(206, {"Content-Range": "bytes 10-29/1001"}, part)),
                ("overflow", Reply(206, {"Content-Range": "bytes 10-99999999999999999999/*"}, part)),
                ("no header", Reply(206, {}, part)),
                ("garbage", Reply(206, {"Content-Range": "10-29"}, part)),
                ("several", Reply(206, {"Content-Type": "multipart/byteranges; boundary=x",
                                        "Content-Range": "bytes 10-29/1000"}, part)),
                ("416", Reply(416, {}, b"no"))):
            with self.subTest(name):
                out = self.refused(reply)
                self.assertTrue(out.startswith("error RANGE final\n"), out)

    def test_an_unknown_total_is_fine(self):
        data, digest = self.blob()
        self.server.on("GET", "", Reply(206, {"Content-Range": "bytes 10-29/*"}, data[10:30]))
        self.assertEqual(self.fetch(data, digest, 10, 20, check=0).out_bytes, data[10:30])

    def test_the_start_of_a_whole_answer_serves_a_range_from_0(self):
        data, digest = self.blob()
        self.server.on("GET", "", Reply(200, {}, data))
        self.assertEqual(self.fetch(data, digest, 0, 20, check=0).out_bytes, data[:20])

    def test_part_without_having_asked(self):
        out = self.refused(Reply(206, {"Content-Range": "bytes 0-999/1000"}, bytes(1000)), 0, -1)
        self.assertIn("error PROTOCOL final", out)

    def test_a_wrong_length_fails_before_the_first_byte(self):
        for size in (999, 1001, 0):
            out = self.refused(Reply(200, {}, b"x" * size), 0, -1)
            self.assertTrue(out.startswith("error SIZE_MISMATCH retryable\nmismatch Content-Length"))

    def test_bodies_without_length_end_at_the_size(self):
        data, digest = self.blob()
        self.server.on("GET", "", Reply(200, {}, data, endless=b"x"))
        self.fails("blob", self.server, "a/b", digest, 1000, code="SIZE_MISMATCH",
                   contains="trailing data")

    def test_compressed_bodies_are_refused(self):
        out = self.refused(Reply(200, {"Content-Encoding": "gzip"}, bytes(1000)), 0, -1)
        self.assertIn("error PROTOCOL", out)

    def test_errors_tell_whether_it_is_worth_trying_again(self):
        for status, word in ((500, "retryable"), (503, "retryable"), (429, "retryable"),
                             (404, "final"), (403, "final"), (501, "final"), (507, "final")):
            with self.subTest(status):
                self.assertIn(f" {word}\n", self.refused(Reply(status), 0, -1))
        self.assertEqual(len(self.server.requests("GET")), 7)  # one try each

    def test_wrong_bytes_are_found(self):
        data, digest = self.blob()
        self.server.blob(bytes(1000), digest)
        self.fails("blob", self.server, "a/b", digest, 1000, code="DIGEST_MISMATCH",
                   contains="mismatched digest")

    def test_a_manifest_is_fetched_as_one(self):
        data = compact(manifest([]))
        digest = self.server.put("v1", data)
        self.ok("bytes", self.server, "a/b", digest, len(data), IMAGE)
        (request,) = self.server.requests()
        self.assertEqual((request.path, request.headers["Accept"]),
                         (f"/v2/a/b/manifests/{digest}", IMAGE))

    def test_redirects_to_storage_answer_whether_a_blob_is_there(self):
        """A signed link is good for one method: HEAD must not follow it."""
        storage = self.serve(ScriptedRegistry())
        data, digest = self.blob()
        storage.blob(data)
        storage.on("HEAD", "", Reply(403))
        self.server.on("GET|HEAD", "/blobs/", lambda r: Reply(
            307, {"Location": f"http://{storage.host}/v2/s/blobs/{digest}?signature=x"}))
        self.assertEqual(self.ok("exists", self.server, "a/b", digest, 1000), "yes\n")
        self.assertEqual(storage.requests(), [])
        found = json.loads(self.ok("resolve-blob", self.server, "a/b", digest))
        self.assertEqual(found, {"mediaType": OCTETS, "digest": digest, "size": 1000})
        out = self.run_driver("blob", self.server, "a/b", digest, 1000, check=0).out_bytes
        self.assertEqual(out, data)

    def test_a_registry_without_head(self):
        data, digest = self.blob()
        self.server.on("HEAD", "", Reply(405))
        self.assertEqual(self.ok("exists", self.server, "a/b", digest, 1000), "yes\n")
        self.assertEqual(self.ok("exists", self.server, "a/b", sha256(b"x"), 1000), "no\n")
        self.assertEqual(json.loads(self.ok("resolve-blob", self.server, "a/b", digest))["size"],
                         1000)


@programs.need(programs.DOCKER_REGISTRY, "docker-registry")
@programs.need(programs.REGISTRY3, "registry")
class FromRealRegistries(RegistryCase):
    def test_a_range_behind_the_end(self):
        """distribution 2.8 announces the blob's length with its 416 and sends 33 bytes."""
        data, digest = self.file(1000)
        for make in (DockerRegistry, registry3):
            with self.subTest(make), make() as server:
                self.api(server).push_blob("a/b", data, digest)
                self.fails("fetch", server, "a/b", digest, 5000, OCTETS, 2000, 10, code="RANGE")
                out = self.run_driver("fetch", server, "a/b", digest, 1000, OCTETS, 5, 10, check=0)
                self.assertEqual(out.out_bytes, data[5:15])


class Resuming(RegistryCase):
    """Verified streaming over a connection that breaks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make = DockerRegistry if programs.DOCKER_REGISTRY else registry3
        cls.server = cls.serve_class(make())

    def stored(self, size=4 * MIB):
        data, digest = self.file(size)
        self.api(self.server).push_blob("a/b", data, digest)
        return data, digest

    def fetched(self, proxy, data, digest):
        result = self.run_driver("blob", proxy, "a/b", digest, len(data), check=0)
        self.assertTrue(result.out_bytes == data)

    def test_a_cut_download_goes_on_where_it_broke(self):
        data, digest = self.stored()
        with FaultProxy(self.server.port) as proxy:
            proxy.add(Fault("/blobs/", "GET", times=3, cut_response=MIB))
            self.fetched(proxy, data, digest)
            self.assertLess(proxy.received(), len(data) + 1)
            self.assertEqual(len(proxy.requests("GET")), 4)

    def test_a_server_that_ignores_ranges_is_read_again(self):
        data, digest = self.stored()
        with FaultProxy(self.server.port) as proxy:
            proxy.add(Fault("/blobs/", "GET", times=1, cut_response=MIB))
            proxy.add(Fault("/blobs/", "GET", drop_range=True))
            self.fetched(proxy, data, digest)

    def test_no_progress_ends(self):
        data, digest = self.stored()
        with FaultProxy(self.server.port) as proxy:
            proxy.add(Fault("/blobs/", "GET", cut_response=0))
            result = self.run_driver("blob", proxy, "a/b", digest, len(data), check=1)
            self.assertLess(result.seconds, 30)
            self.assertEqual(len(proxy.requests("GET")), 6)


if __name__ == "__main__":
    main()
