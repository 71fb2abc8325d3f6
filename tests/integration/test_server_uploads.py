# SPDX-License-Identifier: Apache-2.0
"""The embedded registry: every way to upload a blob, and every way to do it wrong."""

import socket
import threading

from embedded import ServerCase, digest, send_part, wait_for_size
from harness.case import main

DATA = bytes(range(256)) * 40  # 10240 bytes
OCTETS = {"Content-Type": "application/octet-stream"}


class Uploads(ServerCase):
    def begin(self, query=""):
        return self.server.begin(self.repository, query)

    def patch(self, location, data, first=None, length=None):
        headers = dict(OCTETS)
        if first is not None:
            headers["Content-Range"] = f"{first}-{first + len(data) - 1}"
        if length is not None:
            headers["Content-Length"] = str(length)
        return self.request("PATCH", location, data, headers)

    def put(self, location, data, content_digest, first=None):
        headers = dict(OCTETS)
        if first is not None:
            headers["Content-Range"] = f"{first}-{first + len(data) - 1}"
        return self.request("PUT", f"{location}?digest={content_digest}", data, headers)

    def assert_blob(self, data, algorithm="sha256"):
        reply = self.request("GET", f"/v2/{self.repository}/blobs/{digest(data, algorithm)}")
        self.assertEqual((reply.status, reply.body), (200, data))
        self.assertEqual(reply.headers["Docker-Content-Digest"], digest(data, algorithm))

    def assert_no_blob(self, content_digest):
        reply = self.request("GET", f"/v2/{self.repository}/blobs/{content_digest}")
        self.assert_error(reply, 404, "BLOB_UNKNOWN")

    # ---- ways that work ----
    def test_post_then_put(self):
        reply = self.request("POST", f"/v2/{self.repository}/blobs/uploads/")
        self.assertEqual(reply.status, 202)
        self.assertEqual(reply.headers["Range"], "0-0")
        self.assertTrue(reply.headers["Location"].endswith(reply.headers["Docker-Upload-UUID"]))
        self.assertTrue(reply.headers["Location"].startswith("/v2/"))  # holds behind any proxy
        reply = self.put(reply.headers["Location"], DATA, digest(DATA))
        self.assertEqual(reply.status, 201)
        self.assertEqual(reply.headers["Docker-Content-Digest"], digest(DATA))
        self.assertEqual(self.request("GET", reply.headers["Location"]).body, DATA)

    def test_single_post(self):
        path = f"/v2/{self.repository}/blobs/uploads/?digest={digest(DATA)}"
        self.assertEqual(self.request("POST", path, DATA, OCTETS).status, 201)
        self.assert_blob(DATA)

    def test_chunks_then_empty_put(self):
        location = self.begin()
        for first in range(0, len(DATA), 4096):
            chunk = DATA[first:first + 4096]
            reply = self.patch(location, chunk, first)
            self.assertEqual(reply.status, 202)
            self.assertEqual(reply.headers["Range"], f"0-{first + len(chunk) - 1}")
            self.assertIn("Docker-Upload-UUID", reply.headers)
            location = reply.headers["Location"]
        self.assertEqual(self.put(location, b"", digest(DATA)).status, 201)
        self.assert_blob(DATA)

    def test_last_chunk_in_the_put(self):
        location = self.begin()
        self.patch(location, DATA[:5000], 0)
        self.assertEqual(self.put(location, DATA[5000:], digest(DATA), 5000).status, 201)
        self.assert_blob(DATA)

    def test_stream_without_content_range(self):
        location = self.begin()
        self.patch(location, DATA[:5000])
        self.patch(location, DATA[5000:])
        self.assertEqual(self.put(location, b"", digest(DATA)).status, 201)
        self.assert_blob(DATA)

    def test_chunked_transfer_coding(self):
        location = self.begin()
        reply = self.request("PATCH", location, iter([DATA[:100], DATA[100:]]), OCTETS)
        self.assertEqual((reply.status, reply.headers["Range"]), (202, f"0-{len(DATA) - 1}"))
        reply = self.request("PUT", f"{location}?digest={digest(DATA + b'end')}", iter([b"end"]), OCTETS)
        self.assertEqual(reply.status, 201)
        self.assert_blob(DATA + b"end")

    def test_empty_patch_changes_nothing(self):
        location = self.begin()
        self.assertEqual(self.patch(location, b"").status, 202)
        self.assertEqual(self.put(location, DATA, digest(DATA)).status, 201)

    def test_empty_blob_every_way(self):
        for repository in ("post", "put", "patch"):
            self.repository = f"t/empty/{repository}"
            if repository == "post":
                path = f"/v2/{self.repository}/blobs/uploads/?digest={digest(b'')}"
                self.assertEqual(self.request("POST", path, b"", {"Content-Length": "0"}).status, 201)
            else:
                location = self.begin()
                if repository == "patch":
                    self.assertEqual(self.patch(location, b"").status, 202)
                self.assertEqual(self.put(location, b"", digest(b"")).status, 201)
            self.assert_blob(b"")

    def test_sha512_announced_or_not(self):
        for query in ("", "?digest-algorithm=sha512"):
            data = DATA + query.encode()
            location = self.begin(query)
            self.patch(location, data[:77])
            self.assertEqual(self.put(location, data[77:], digest(data, "sha512")).status, 201)
            self.assert_blob(data, "sha512")
        reply = self.request("POST", f"/v2/{self.repository}/blobs/uploads/?digest-algorithm=md5")
        self.assert_error(reply, 400, "DIGEST_INVALID")

    def test_encoded_digest(self):
        location = self.begin()
        reply = self.put(location, DATA, digest(DATA).replace(":", "%3A"))
        self.assertEqual(reply.status, 201)

    def test_expect_continue(self):
        location = self.begin()
        with self.server.socket() as sock:
            sock.sendall(f"PUT {location}?digest={digest(DATA)} HTTP/1.1\r\nHost: localhost\r\n"
                         f"Content-Length: {len(DATA)}\r\nExpect: 100-continue\r\n\r\n".encode())
            self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 100"))
            sock.sendall(DATA)
            self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 201"))

    def test_same_blob_from_sixteen_at_once(self):
        data, statuses = DATA * 20 + b"sixteen", []

        def push():
            statuses.append(self.server.push_blob(self.repository, data).status)
        threads = [threading.Thread(target=push) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, [201] * 16)
        self.assertEqual(self.server.blob_files().count(digest(data)[7:]), 1)
        self.assert_blob(data)

    # ---- order ----
    def test_gap_overlap_and_repeat_are_416_and_tell_the_offset(self):
        location = self.begin()
        self.patch(location, DATA[:1000], 0)
        for first in (1001, 999, 0):
            reply = self.patch(location, DATA[first:first + 100], first)
            self.assert_error(reply, 416, "RANGE_INVALID")
            self.assertEqual(reply.headers["Range"], "0-999")
            self.assertEqual(reply.headers["Location"], location)
            reply = self.put(location, DATA[first:], digest(DATA), first)
            self.assert_error(reply, 416, "RANGE_INVALID")
        self.assertEqual(self.put(location, DATA[1000:], digest(DATA), 1000).status, 201)
        self.assert_blob(DATA)

    def test_content_range_must_fit(self):
        location = self.begin()
        for value in ("0-98", "0-100", "bytes 0-99/*", "x", "5-4", "-1-98", "0-99999999999999999999"):
            reply = self.request("PATCH", location, DATA[:100], {**OCTETS, "Content-Range": value})
            self.assert_error(reply, 400, "SIZE_INVALID")
        self.assertEqual(self.request("GET", location).headers["Range"], "0-0")
        self.assertEqual(self.patch(location, DATA[:100], 0).status, 202)

    def test_status_tells_the_offset(self):
        location = self.begin()
        self.patch(location, DATA[:1000], 0)
        for method in ("GET", "HEAD"):
            reply = self.request(method, location)
            self.assertEqual((reply.status, reply.headers["Range"]), (204, "0-999"))
            self.assertEqual(reply.headers["Location"], location)

    def test_two_writers_never_mix(self):
        location, done, sent = self.begin(), threading.Event(), []
        with self.server.socket() as busy:
            busy.sendall(f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n".encode())

            def write():
                while not done.is_set():
                    busy.sendall(b"400\r\n" + DATA[:1024] + b"\r\n")
                    sent.append(DATA[:1024])
            writer = threading.Thread(target=write)
            writer.start()
            try:
                wait_for_size(self.server, location, 1024)
                reply = self.patch(location, b"x" * 10, 0)
                self.assert_error(reply, 416, "RANGE_INVALID")
                self.assertRegex(reply.headers["Range"], r"^0-\d{3,}$")
                # a client whose own cut connection still counts as the writer asks where it stands
                reply = self.request("GET", location)
                self.assertEqual(reply.status, 204)
                self.assertRegex(reply.headers["Range"], r"^0-\d{3,}$")
            finally:
                done.set()
                writer.join()
            busy.sendall(b"0\r\n\r\n")
            self.assertTrue(busy.recv(1000).startswith(b"HTTP/1.1 202"))
        content = b"".join(sent)
        self.assertEqual(self.put(location, b"", digest(content)).status, 201)
        self.assert_blob(content)

    def test_writer_that_went_silent_is_replaced(self):
        location = self.begin()
        with send_part(self.server, location, DATA[:3000], len(DATA)) as silent:
            wait_for_size(self.server, location, 3000)
            reply = self.request("GET", location)
            self.assertEqual((reply.status, reply.headers["Range"]), (204, "0-2999"))
            self.assertEqual(self.patch(location, DATA[3000:], 3000).status, 202)
            self.assertEqual(silent.recv(100), b"")
        self.assertEqual(self.put(location, b"", digest(DATA)).status, 201)
        self.assert_blob(DATA)

    def test_cut_patch_keeps_its_bytes(self):
        location = self.begin()
        with send_part(self.server, location, DATA[:3000], len(DATA)) as sock:
            sock.shutdown(socket.SHUT_WR)
            sock.recv(100)  # until the server closes
        self.assertEqual(self.request("GET", location).headers["Range"], "0-2999")
        self.assertEqual(self.patch(location, DATA[3000:], 3000).status, 202)
        self.assertEqual(self.put(location, b"", digest(DATA)).status, 201)
        self.assert_blob(DATA)

    # ---- digests ----
    def test_wrong_digest_is_400_and_stores_nothing(self):
        wrong = digest(b"something else")
        location = self.begin()
        self.assert_error(self.put(location, DATA, wrong), 400, "DIGEST_INVALID")
        self.assert_no_blob(wrong)
        self.assert_error(self.request("GET", location), 404, "BLOB_UPLOAD_UNKNOWN")
        path = f"/v2/{self.repository}/blobs/uploads/?digest={wrong}"
        self.assert_error(self.request("POST", path, DATA, OCTETS), 400, "DIGEST_INVALID")
        self.assert_no_blob(wrong)

    def test_wrong_digest_of_an_empty_put_keeps_the_session(self):
        location = self.begin()
        self.patch(location, DATA)
        self.assert_error(self.put(location, b"", digest(b"else")), 400, "DIGEST_INVALID")
        self.assertEqual(self.put(location, b"", digest(DATA)).status, 201)
        self.assert_blob(DATA)

    def test_digest_missing_or_malformed(self):
        location = self.begin()
        self.assert_error(self.request("PUT", location, DATA, OCTETS), 400, "DIGEST_INVALID")
        for bad in ("sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e", "x", "",
                    digest(DATA).upper(), "sha256:../../../etc/passwd"):
            self.assert_error(self.put(location, DATA, bad), 400, "DIGEST_INVALID")
        self.assertEqual(self.put(location, DATA, digest(DATA)).status, 201)

    # ---- sessions ----
    def test_repeated_last_put_is_201(self):
        location = self.begin()
        self.assertEqual(self.put(location, DATA, digest(DATA)).status, 201)
        self.assertEqual(self.put(location, DATA, digest(DATA)).status, 201)
        self.assert_error(self.put(location, DATA, digest(b"x")), 404, "BLOB_UPLOAD_UNKNOWN")
        self.assert_error(self.request("GET", location), 404, "BLOB_UPLOAD_UNKNOWN")

    def test_last_put_again_while_the_first_is_at_work(self):
        """What a client does whose connection broke while its large blob was hashed."""
        data = bytes(2_000_000)
        for _ in range(4):
            location, statuses = self.begin(), []
            self.patch(location, data)
            threads = [threading.Thread(target=lambda at=location: statuses.append(
                self.put(at, b"", digest(data)).status)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(statuses, [201] * 8)

    def test_cancel_frees_the_space(self):
        location = self.begin()
        self.patch(location, DATA)
        session = location.rsplit("/", 1)[1]
        self.assertIn(session, self.server.upload_files())
        self.assertEqual(self.request("DELETE", location).status, 204)
        self.assertNotIn(session, "".join(self.server.upload_files()))
        self.assert_error(self.request("DELETE", location), 404, "BLOB_UPLOAD_UNKNOWN")

    def test_session_belongs_to_its_repository(self):
        location = self.begin()
        other = location.replace(self.repository, "t/another")
        for method in ("GET", "PATCH", "DELETE"):
            self.assert_error(self.request(method, other), 404, "BLOB_UPLOAD_UNKNOWN")
        self.assertEqual(self.request("GET", location).status, 204)

    def test_unknown_sessions(self):
        for session in ("00000000-0000-4000-8000-000000000000", "x", "..", "%2e%2e"):
            reply = self.request("GET", f"/v2/{self.repository}/blobs/uploads/{session}")
            self.assertIn(reply.status, (400, 404))

    # ---- mount ----
    def test_mount(self):
        self.server.push_blob("t/source", DATA)
        path = f"/v2/{self.repository}/blobs/uploads/?mount={digest(DATA)}"
        reply = self.request("POST", f"{path}&from=t/source")
        self.assertEqual(reply.status, 201)
        self.assertEqual(reply.headers["Docker-Content-Digest"], digest(DATA))
        self.assertEqual(self.request("GET", reply.headers["Location"]).body, DATA)

    def test_mount_without_source(self):
        self.server.push_blob("t/source", DATA)
        path = f"/v2/{self.repository}/blobs/uploads/?mount={digest(DATA)}"
        self.assertEqual(self.request("POST", path).status, 201)
        self.assert_blob(DATA)

    def test_mount_of_what_the_source_lacks_begins_an_upload(self):
        for source in ("t/source", "t/never-pushed", "../..", "%00", "A"):
            path = f"/v2/{self.repository}/blobs/uploads/?mount={digest(b'nowhere')}&from={source}"
            reply = self.request("POST", path)
            self.assertIn(reply.status, (202, 400))
        path = f"/v2/{self.repository}/blobs/uploads/?mount=sha256:x&from=t/source"
        self.assert_error(self.request("POST", path), 400, "DIGEST_INVALID")

    def test_blob_is_not_seen_through_other_repositories(self):
        data = DATA + b"private"
        self.server.push_blob("t/source", data)
        self.assert_no_blob(digest(data))


if __name__ == "__main__":
    main()
