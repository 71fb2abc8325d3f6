# SPDX-License-Identifier: Apache-2.0
"""The embedded registry with its blobs in a store that speaks S3."""

import os
import unittest
import urllib.request

import test_server_conformance
import test_server_uploads
from embedded import PROGRAM, Server, ServerCase, digest, image, send_part
from harness import programs, stores
from harness.case import main
from harness.stores import BUCKET, Store

PART = 8 << 20
LARGE = os.urandom(1 << 20) * 17 + b"and a rest"  # two parts and a tail
OCTETS = {"Content-Type": "application/octet-stream"}


def on_store(store, *options, **named):
    """A server whose blobs go there."""
    environment = [f"{name}={value}" for name, value in stores.credentials().items()]
    return Server(f"--blobs=s3://{BUCKET}/registry", f"--s3-endpoint={store.endpoint}", *options,
                  prefix=["env", *environment], **named)


class StoreCase(ServerCase):
    """One store and one server for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        if not PROGRAM.exists() or not programs.VERSITYGW:
            raise unittest.SkipTest("versitygw, or the registry, is not there (see scripts/oracles)")
        cls.store = Store()
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
        new = on_store(self.store, root=server.root)
        self.addCleanup(new.close)
        new.start()
        new.push_blob(self.repository, b"from now on")
        reply = new.request("GET", f"/v2/{self.repository}/blobs/{digest(b'from before')}")
        self.assertEqual((reply.status, reply.body), (200, b"from before"))
        self.assertEqual(self.follow(digest(b"from now on"), server=new), b"from now on")

    def test_an_image_can_be_pushed(self):
        self.server.push_image(self.repository, "v1", (b"layer", LARGE))
        reply = self.request("GET", f"/v2/{self.repository}/manifests/v1")
        self.assertEqual(reply.body, image((b"layer", LARGE)))


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
@programs.need_conformance
class ConformanceOnStore(StoreCase, test_server_conformance.Conformance):
    options = ("--sparse-index", "--no-redirect")
    test_first_specification = test_current_specification = None  # the next one asks for all of it


if __name__ == "__main__":
    main()
