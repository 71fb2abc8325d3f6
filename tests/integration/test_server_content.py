# SPDX-License-Identifier: Apache-2.0
"""The embedded registry: downloads, manifests, tags, lists, referrers, deletion."""

import json
import threading
import urllib.parse

from embedded import (OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, ServerCase, compact, descriptor, digest,
                      image)
from harness.case import main

BLOB = bytes(i % 251 for i in range(2048))


class Downloads(ServerCase):
    def setUp(self):
        super().setUp()
        self.repository = "t/downloads"
        self.server.push_blob(self.repository, BLOB)
        self.path = f"/v2/{self.repository}/blobs/{digest(BLOB)}"

    def get(self, **headers):
        return self.request("GET", self.path,
                            headers={name.replace("_", "-"): value for name, value in headers.items()})

    def test_headers(self):
        for method in ("GET", "HEAD"):
            reply = self.request(method, self.path)
            self.assertEqual(reply.status, 200)
            self.assertEqual(reply.headers["Content-Length"], "2048")
            self.assertEqual(reply.headers["Content-Type"], "application/octet-stream")
            self.assertEqual(reply.headers["Docker-Content-Digest"], digest(BLOB))
            self.assertEqual(reply.headers["ETag"], f'"{digest(BLOB)}"')
            self.assertEqual(reply.headers["Accept-Ranges"], "bytes")
            self.assertEqual(reply.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(reply.body, BLOB if method == "GET" else b"")

    def test_ranges(self):
        for value, first, last in (("500-1499", 500, 1499), ("500-", 500, 2047),
                                   ("-500", 1548, 2047), ("2000-5000", 2000, 2047),
                                   ("0-0", 0, 0), ("2047-2047", 2047, 2047)):
            reply = self.get(Range=f"bytes={value}")
            self.assertEqual(reply.status, 206, value)
            self.assertEqual(reply.headers["Content-Range"], f"bytes {first}-{last}/2048")
            self.assertEqual(reply.headers["Content-Length"], str(last - first + 1))
            self.assertEqual(reply.body, BLOB[first:last + 1])

    def test_ranges_that_cannot_be_served(self):
        for value in ("500-0", "5000-10000", "2048-", "-0"):
            reply = self.get(Range=f"bytes={value}")
            self.assert_error(reply, 416, "RANGE_INVALID")
            self.assertEqual(reply.headers["Content-Range"], "bytes */2048")
            self.assertEqual(int(reply.headers["Content-Length"]), len(reply.body))

    def test_ranges_that_are_ignored(self):
        for value in ("bytes=0-1,5-6", "lines=0-1", "bytes=x", "bytes=" + "0-1," * 1000):
            reply = self.get(Range=value)
            self.assertEqual((reply.status, reply.body), (200, BLOB), value)
        self.assertEqual(self.request("HEAD", self.path, headers={"Range": "bytes=0-1"}).status, 200)

    def test_conditions(self):
        tag = f'"{digest(BLOB)}"'
        reply = self.get(If_None_Match=tag)
        self.assertEqual((reply.status, reply.body), (304, b""))
        self.assertEqual(reply.headers["ETag"], tag)
        self.assertEqual(self.get(If_None_Match='"sha256:other"').status, 200)
        for other in (f'"x", {tag}', f"W/{tag}", "*", digest(BLOB)):
            self.assertEqual(self.get(If_None_Match=other).status, 304, other)
        self.assertEqual(self.get(Range="bytes=0-9", If_Range=tag).status, 206)
        for other in ('"other"', f"W/{tag}"):
            self.assertEqual(self.get(Range="bytes=0-9", If_Range=other).status, 200, other)
        path = f"/v2/{self.repository}/manifests/v1"
        data = self.server.push_image(self.repository, "v1")
        for known, status in ((f'"{digest(data)}"', 304), (digest(data), 304), ("*", 304), ('"x"', 200)):
            reply = self.request("GET", path, headers={"If-None-Match": known})
            self.assertEqual(reply.status, status, known)

    def test_never_compressed(self):
        reply = self.get(Accept_Encoding="gzip, br")
        self.assertNotIn("Content-Encoding", reply.headers)
        self.assertEqual(reply.body, BLOB)

    def test_unknown(self):
        reply = self.request("GET", f"/v2/{self.repository}/blobs/{digest(b'no')}")
        self.assert_error(reply, 404, "BLOB_UNKNOWN")
        reply = self.request("HEAD", f"/v2/{self.repository}/blobs/{digest(b'no')}")
        self.assertEqual((reply.status, reply.body), (404, b""))
        self.assertEqual(reply.headers["Content-Type"], "application/json")

    def test_manifests_are_no_blobs(self):
        data = self.server.push_image("t/not-a-blob", "v1")
        reply = self.request("GET", f"/v2/t/not-a-blob/blobs/{digest(data)}")
        self.assert_error(reply, 404, "BLOB_UNKNOWN")

    def test_damaged_file_is_not_served(self):
        data = b"will be damaged"
        self.server.push_blob(self.repository, data)
        path = self.server.root / "blobs/sha256" / digest(data)[7:]
        path.write_bytes(b"short")
        self.assertEqual(self.request("GET", f"/v2/{self.repository}/blobs/{digest(data)}").status, 404)
        path.unlink()
        path.symlink_to("/etc/passwd")
        self.assertEqual(self.request("GET", f"/v2/{self.repository}/blobs/{digest(data)}").status, 500)
        self.assertIn("damaged", self.server.log())
        path.unlink()
        self.server.push_blob(self.repository, data)  # pushing it again repairs it
        self.assertEqual(self.request("GET", f"/v2/{self.repository}/blobs/{digest(data)}").body, data)


class Manifests(ServerCase):
    def put(self, reference, data, media_type=OCI_MANIFEST):
        return self.server.put_manifest(self.repository, reference, data, media_type)

    def get(self, reference, **headers):
        return self.request("GET", f"/v2/{self.repository}/manifests/{reference}", headers=headers)

    def test_bytes_and_type_come_back(self):
        self.server.push_image(self.repository, "v1")
        odd = image([b"hello"], annotations={"z": "1", "a": "<&>"}) + b"\n \n"
        reply = self.put("odd", odd, OCI_MANIFEST + "; charset=utf-8")
        self.assertEqual(reply.status, 201)
        self.assertEqual(reply.headers["Docker-Content-Digest"], digest(odd))
        self.assertTrue(reply.headers["Location"].endswith(digest(odd)))
        for reference in ("odd", digest(odd)):
            for accept in ({}, {"Accept": "text/plain"}):
                reply = self.get(reference, **accept)
                self.assertEqual((reply.status, reply.body), (200, odd))
                self.assertEqual(reply.headers["Content-Type"], OCI_MANIFEST)
                self.assertEqual(reply.headers["Docker-Content-Digest"], digest(odd))
        reply = self.request("HEAD", f"/v2/{self.repository}/manifests/odd")
        self.assertEqual(reply.headers["Content-Length"], str(len(odd)))

    def test_put_by_digest_sets_no_tag(self):
        data = self.server.push_image(self.repository, "v1")
        other = image([b"hello"], annotations={"a": "b"})
        self.assertEqual(self.put(digest(other), other).status, 201)
        self.assertEqual(self.request("GET", f"/v2/{self.repository}/tags/list").json["tags"], ["v1"])
        self.assertEqual(self.get("v1").body, data)

    def test_sha512(self):
        self.server.push_image(self.repository, "v1")
        data = image([b"hello"], annotations={"sha": "512"})
        name = digest(data, "sha512")
        reply = self.put(name, data)
        self.assertEqual((reply.status, reply.headers["Docker-Content-Digest"]), (201, name))
        self.assertEqual(self.get(name).headers["Docker-Content-Digest"], name)

    def test_tag_parameters(self):
        self.server.push_image(self.repository, "v1")
        data = image([b"hello"], annotations={"many": "tags"})
        tags = [f"t{i}" for i in range(12)]
        query = "&".join(f"tag={tag}" for tag in tags)
        reply = self.put(f"{digest(data)}?{query}", data)
        self.assertEqual(reply.status, 201)
        self.assertEqual(reply.headers["OCI-Tag"].split(", "), tags)
        self.assertEqual(self.get("t11").body, data)
        reply = self.put(f"{digest(data)}?tag=good&tag=-bad", data)
        self.assert_error(reply, 400, "TAG_INVALID")
        self.assertEqual(self.get("good").status, 404)

    def test_digest_must_fit(self):
        self.server.push_image(self.repository, "v1")
        data = image([b"hello"], annotations={"x": "y"})
        self.assert_error(self.put(digest(b"else"), data), 400, "DIGEST_INVALID")
        self.assertEqual(self.get(digest(b"else")).status, 404)
        self.assert_error(self.put("sha256:baddigeststring", data), 400, "DIGEST_INVALID")
        self.assertIn(self.get("sha256:baddigeststring").status, (400, 404))

    def test_missing_content_is_named(self):
        self.server.push_blob(self.repository, b"{}")
        reply = self.put("v1", image([b"never pushed"]))
        self.assert_error(reply, 400, "MANIFEST_BLOB_UNKNOWN")
        self.assertEqual(reply.json["errors"][0]["detail"], digest(b"never pushed"))
        index = compact({"schemaVersion": 2, "mediaType": OCI_INDEX,
                         "manifests": [descriptor(b"absent", OCI_MANIFEST)]})
        self.assert_error(self.put("v1", index, OCI_INDEX), 400, "MANIFEST_BLOB_UNKNOWN")
        self.assertEqual(self.get("v1").status, 404)

    def test_absent_content_when_allowed(self):
        with self.new_server("--sparse-index") as server:
            index = compact({"schemaVersion": 2, "mediaType": OCI_INDEX,
                             "manifests": [descriptor(b"absent", OCI_MANIFEST)]})
            self.assertEqual(server.put_manifest("a", "v1", index, OCI_INDEX).status, 201)
            self.assertEqual(server.put_manifest("a", "v2", image([b"absent"])).status, 201)

    def test_foreign_layers_need_not_be_there(self):
        self.server.push_blob(self.repository, b"{}")
        for media_type in ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                           "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"):
            data = json.loads(image())
            data["layers"] = [descriptor(b"elsewhere", media_type)]
            self.assertEqual(self.put("v1", compact(data)).status, 201)

    def test_what_is_no_manifest(self):
        self.server.push_image(self.repository, "v1")
        layer = descriptor(b"hello")
        base = json.loads(image([b"hello"]))
        for data in (b"", b"x", b"[]", b"null", b'"x"', b"{}", b"{" * 5000, b"[" * 100000,
                     image() + b"x", b"\xef\xbb\xbf" + image(), b"\xff" + image(),
                     image()[:-1] + b',"layers":[]}',
                     compact({**base, "manifests": [layer]}), compact({**base, "manifests": []}),
                     compact({**base, "Manifests": []}), compact({**base, "layers": {}}),
                     compact({**base, "layers": [5]}), compact({**base, "config": None}),
                     compact({**base, "layers": [{**layer, "size": -1}]}),
                     compact({**base, "layers": [{**layer, "size": 2**63}]}),
                     compact({**base, "layers": [{**layer, "size": 1.5}]}),
                     compact({**base, "layers": [{**layer, "digest": "sha256:x"}]}),
                     compact({**base, "layers": [{**layer, "digest": "sha256:../x"}]}),
                     compact({**base, "layers": [{**layer, "size": 4}]}),
                     compact({**base, "layers": [{**layer, "size": 6}]}),
                     compact({**base, "config": {**base["config"], "size": 5000}}),
                     compact({**base, "mediaType": OCI_INDEX})):
            self.assert_error(self.put("bad", data), 400, "MANIFEST_INVALID")
        index = compact({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
            {**descriptor(image([b"hello"]), OCI_MANIFEST), "size": 1}]})
        self.assert_error(self.put("bad", index, OCI_INDEX), 400, "MANIFEST_INVALID")
        both = compact({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "layers": []})
        self.assert_error(self.put("bad", both, OCI_INDEX), 400, "MANIFEST_INVALID")
        self.assertEqual(self.get("bad").status, 404)

    def test_content_type(self):
        self.server.push_image(self.repository, "v1")
        data = image([b"hello"])
        for media_type in (OCI_INDEX, "text/html", "application/octet-stream", "x", "application/json"):
            self.assert_error(self.put("v2", data, media_type), 400, "MANIFEST_INVALID")
        path = f"/v2/{self.repository}/manifests/v2"
        self.assertEqual(self.request("PUT", path, data).status, 201)  # taken from the document
        self.assertEqual(self.get("v2").headers["Content-Type"], OCI_MANIFEST)
        untyped = json.loads(data)
        del untyped["mediaType"]
        self.assert_error(self.request("PUT", path, compact(untyped)), 400, "MANIFEST_INVALID")
        self.assertEqual(self.put("v3", compact(untyped)).status, 201)
        self.assertEqual(self.get("v3").headers["Content-Type"], OCI_MANIFEST)

    def test_types_of_the_future(self):
        data = compact({"mediaType": "application/vnd.example.future.v9+json", "x": [1, 2]})
        self.assertEqual(self.put("v1", data, "application/vnd.example.future.v9+json").status, 201)
        self.assertEqual(self.get("v1").body, data)

    def test_artifact_manifest_of_the_release_candidates(self):
        self.server.push_blob(self.repository, b"hello")
        media_type = "application/vnd.oci.artifact.manifest.v1+json"
        data = compact({"mediaType": media_type, "artifactType": "a/b", "blobs": [descriptor(b"hello")]})
        self.assertEqual(self.put("v1", data, media_type).status, 201)

    def test_size_limit(self):
        self.server.push_image(self.repository, "v1")
        big = image([b"hello"], annotations={f"k{i}": "x" * 10000 for i in range(390)})
        self.assertGreater(len(big), 3_900_000)
        self.assertEqual(self.put("big", big).status, 201)
        self.assertEqual(self.get("big").body, big)
        limit = 4 * 1024 * 1024
        empty = image([b"hello"], annotations={"k": ""})
        at_limit = image([b"hello"], annotations={"k": "x" * (limit - len(empty))})
        self.assertEqual(len(at_limit), limit)
        self.assertEqual(self.put("at", at_limit).status, 201)
        beyond = at_limit + b"\n"
        self.assert_error(self.put("over", beyond), 413, "SIZE_INVALID")
        path = f"/v2/{self.repository}/manifests/over"
        reply = self.request("PUT", path, iter([beyond[:100], beyond[100:]]), {"Content-Type": OCI_MANIFEST})
        self.assert_error(reply, 413, "SIZE_INVALID")

    def test_unknown(self):
        self.assert_error(self.get("v1"), 404, "NAME_UNKNOWN")
        self.server.push_image(self.repository, "v1")
        self.assert_error(self.get("v2"), 404, "MANIFEST_UNKNOWN")
        self.assert_error(self.get(digest(b"no")), 404, "MANIFEST_UNKNOWN")

    def test_sixteen_writers_of_a_tag(self):
        self.server.push_image(self.repository, "v1")
        documents = [image([b"hello"], annotations={"writer": str(i)}) for i in range(16)]
        statuses, stop, torn = [], threading.Event(), []

        def read():
            while not stop.is_set():
                reply = self.get("race")
                if reply.status == 200 and reply.headers["Docker-Content-Digest"] != digest(reply.body):
                    torn.append(reply.body)

        def write(document):
            statuses.append(self.put("race", document).status)
        reader = threading.Thread(target=read)
        reader.start()
        writers = [threading.Thread(target=write, args=(document,)) for document in documents]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        stop.set()
        reader.join()
        self.assertEqual((statuses, torn), ([201] * 16, []))
        self.assertIn(self.get("race").body, documents)


class Lists(ServerCase):
    def pages(self, path):
        """All pages, following Link, as lists."""
        found = []
        while path:
            reply = self.request("GET", path)
            self.assertEqual(reply.status, 200)
            found.append(reply.json.get("tags", reply.json.get("repositories")))
            link = reply.headers["Link"]
            if link:
                self.assertTrue(link.endswith('>; rel="next"'))
            path = link[1:link.index(">")] if link else None
        return found

    def test_tags(self):
        data = self.server.push_image(self.repository, "b")
        for tag in ("a", "B", "_", "a.1", "a-1", "10", "9", "z"):
            self.server.put_manifest(self.repository, tag, data)
        tags = sorted(["b", "a", "B", "_", "a.1", "a-1", "10", "9", "z"])
        path = f"/v2/{self.repository}/tags/list"
        reply = self.request("GET", path)
        self.assertEqual(reply.json, {"name": self.repository, "tags": tags})
        self.assertNotIn("Link", reply.headers)
        for n in (1, 2, 4, 8):
            pages = self.pages(f"{path}?n={n}")
            self.assertEqual(sum(pages, []), tags)
            self.assertTrue(all(len(page) == n for page in pages[:-1]))
        for n in ("9", "10", "99999", "99999999999999999999"):
            reply = self.request("GET", f"{path}?n={n}")
            self.assertEqual((reply.json["tags"], reply.headers["Link"]), (tags, None))
        self.assertEqual(self.request("GET", f"{path}?last=a").json["tags"], [t for t in tags if t > "a"])
        self.assertEqual(self.request("GET", f"{path}?last=a0").json["tags"], [t for t in tags if t > "a0"])
        self.assertEqual(self.request("GET", f"{path}?last=zz").json["tags"], [])
        reply = self.request("GET", f"{path}?n=0")
        self.assertEqual((reply.json["tags"], reply.headers["Link"]), ([], None))
        for n in ("-1", "abc", "1.5"):
            self.assert_error(self.request("GET", f"{path}?n={n}"), 400, "PAGINATION_NUMBER_INVALID")

    def test_unknown_and_empty_repository(self):
        path = f"/v2/{self.repository}/tags/list"
        self.assert_error(self.request("GET", path), 404, "NAME_UNKNOWN")
        data = self.server.push_image(self.repository, digest(image([b"hello"])))
        self.assertEqual(self.request("GET", path).json["tags"], [])
        self.assertTrue(data)

    def test_catalog(self):
        with self.new_server() as server:
            self.assertEqual(server.request("GET", "/v2/_catalog").json, {"repositories": []})
            for name in ("b/c", "a", "z", "b"):
                server.push_image(name, "v1")
            server.push_blob("only-blobs", b"x")
            self.assertEqual(server.request("GET", "/v2/_catalog").json["repositories"],
                             ["a", "b", "b/c", "z"])
            reply = server.request("GET", "/v2/_catalog?n=3&last=a")
            self.assertEqual(reply.json["repositories"], ["b", "b/c", "z"])
            self.assertNotIn("Link", reply.headers)
            reply = server.request("GET", "/v2/_catalog?n=2")
            self.assertEqual(reply.headers["Link"], '</v2/_catalog?last=b&n=2>; rel="next"')

    def test_text_of_databases_is_only_text(self):
        self.server.push_image(self.repository, "v1")
        for text in ("' OR 1=1 --", "x'; DROP TABLE tag; --", '" UNION SELECT 1', "%"):
            quoted = urllib.parse.quote(text)
            reply = self.request("GET", f"/v2/{self.repository}/tags/list?last={quoted}")
            self.assertEqual(reply.status, 200)
            reply = self.request("GET", f"/v2/{self.repository}/referrers/{digest(b'x')}?artifactType={quoted}")
            self.assertEqual(reply.json["manifests"], [])
            self.assertIn(self.request("GET", f"/v2/{self.repository}/manifests/{quoted}").status, (400, 404))
        self.assertEqual(self.request("GET", f"/v2/{self.repository}/tags/list").json["tags"], ["v1"])


class Referrers(ServerCase):
    def refer(self, subject, **members):
        data = image([], subject=subject, **members)
        self.server.push_blob(self.repository, b"{}")
        reply = self.server.put_manifest(self.repository, digest(data), data)
        self.assertEqual(reply.status, 201)
        self.assertEqual(reply.headers["OCI-Subject"], subject["digest"])
        return data

    def referrers(self, subject, query=""):
        reply = self.request("GET", f"/v2/{self.repository}/referrers/{subject['digest']}{query}")
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["Content-Type"], OCI_INDEX)
        self.assertEqual((reply.json["schemaVersion"], reply.json["mediaType"]), (2, OCI_INDEX))
        return reply

    def test_described_filtered_and_sorted(self):
        subject = descriptor(self.server.push_image(self.repository, "v1"), OCI_MANIFEST)
        a = self.refer(subject, artifactType="a/one", annotations={"k": "v"})
        b = self.refer(subject, artifactType="a/two")
        c = self.refer(subject)
        index = compact({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": subject})
        self.server.put_manifest(self.repository, digest(index), index, OCI_INDEX)
        expected = sorted((
            descriptor(a, OCI_MANIFEST, annotations={"k": "v"}, artifactType="a/one"),
            descriptor(b, OCI_MANIFEST, artifactType="a/two"),
            descriptor(c, OCI_MANIFEST, artifactType=OCI_EMPTY),
            descriptor(index, OCI_INDEX)), key=lambda d: d["digest"])
        reply = self.referrers(subject)
        self.assertEqual(reply.json["manifests"], expected)
        self.assertNotIn("OCI-Filters-Applied", reply.headers)
        reply = self.referrers(subject, "?artifactType=a%2Ftwo")
        self.assertEqual([d["digest"] for d in reply.json["manifests"]], [digest(b)])
        self.assertEqual(reply.headers["OCI-Filters-Applied"], "artifactType")
        self.assertEqual(self.referrers(subject, "?artifactType=none").json["manifests"], [])

    def test_before_its_subject(self):
        subject = descriptor(image([b"later"]), OCI_MANIFEST)
        data = self.refer(subject, artifactType="a/b")
        self.assertEqual(self.referrers(subject).json["manifests"][0]["digest"], digest(data))

    def test_pages(self):
        subject = descriptor(image([b"paged"]), OCI_MANIFEST)
        all_of_them = sorted(digest(self.refer(subject, artifactType="a/b", annotations={"i": str(i)}))
                             for i in range(7))
        path, found = f"/v2/{self.repository}/referrers/{subject['digest']}?n=3&artifactType=a/b", []
        while path:
            reply = self.request("GET", path)
            self.assertEqual(reply.headers["OCI-Filters-Applied"], "artifactType")
            found += [d["digest"] for d in reply.json["manifests"]]
            link = reply.headers["Link"]
            path = link[1:link.index(">")] if link else None
        self.assertEqual(found, all_of_them)

    def test_large_lists_stay_readable(self):
        subject = descriptor(image([b"large"]), OCI_MANIFEST)
        for i in range(5):
            self.refer(subject, annotations={"i": str(i), "fill": "x" * 1_000_000})
        reply = self.referrers(subject)
        self.assertLess(len(reply.body), 4 * 1024 * 1024)
        self.assertIn("Link", reply.headers)

    def test_unknown_is_empty_and_malformed_is_400(self):
        nothing = descriptor(b"nothing")
        self.repository = "never/pushed"
        self.assertEqual(self.referrers(nothing).json["manifests"], [])
        reply = self.request("GET", f"/v2/{self.repository}/referrers/sha256:x")
        self.assert_error(reply, 400, "DIGEST_INVALID")

    def test_deleted_referrers_vanish(self):
        subject = descriptor(image([b"gone"]), OCI_MANIFEST)
        data = self.refer(subject)
        self.request("DELETE", f"/v2/{self.repository}/manifests/{digest(data)}")
        self.assertEqual(self.referrers(subject).json["manifests"], [])


class Deletion(ServerCase):
    def path(self, reference):
        return f"/v2/{self.repository}/manifests/{reference}"

    def test_tag_alone(self):
        data = self.server.push_image(self.repository, "v1")
        self.assertEqual(self.request("DELETE", self.path("v1")).status, 202)
        self.assert_error(self.request("DELETE", self.path("v1")), 404, "MANIFEST_UNKNOWN")
        self.assertEqual(self.request("GET", self.path("v1")).status, 404)
        self.assertEqual(self.request("GET", self.path(digest(data))).body, data)

    def test_manifest_takes_its_tags(self):
        data = self.server.push_image(self.repository, "v1")
        self.server.put_manifest(self.repository, "v2", data)
        self.assertEqual(self.request("DELETE", self.path(digest(data))).status, 202)
        for reference in ("v1", "v2", digest(data)):
            self.assertEqual(self.request("GET", self.path(reference)).status, 404)
        self.assert_error(self.request("DELETE", self.path(digest(data))), 404, "MANIFEST_UNKNOWN")
        self.assertEqual(self.request("GET", f"/v2/{self.repository}/tags/list").json["tags"], [])

    def test_blob(self):
        self.server.push_blob(self.repository, b"blob")
        self.server.push_blob("t/keeps-it", b"blob")
        path = f"/v2/{self.repository}/blobs/{digest(b'blob')}"
        self.assertEqual(self.request("DELETE", path).status, 202)
        self.assert_error(self.request("DELETE", path), 404, "BLOB_UNKNOWN")
        self.assertEqual(self.request("GET", path).status, 404)
        self.assertEqual(self.request("GET", f"/v2/t/keeps-it/blobs/{digest(b'blob')}").body, b"blob")

    def test_switched_off(self):
        with self.new_server("--disable-delete") as server:
            data = server.push_image("a", "v1")
            for path in ("/v2/a/manifests/v1", f"/v2/a/manifests/{digest(data)}",
                         f"/v2/a/blobs/{digest(b'hello')}"):
                self.assert_error(server.request("DELETE", path), 405, "UNSUPPORTED")
            location = server.begin("a")
            self.assertEqual(server.request("DELETE", location).status, 204)  # no content yet

    def test_race_of_delete_and_push(self):
        data = self.server.push_image(self.repository, "v1")
        statuses = []

        def run(call):
            for _ in range(30):
                statuses.append(call().status)
        threads = [threading.Thread(target=run, args=(call,)) for call in (
            lambda: self.server.put_manifest(self.repository, "v1", data),
            lambda: self.request("DELETE", self.path(digest(data))))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(statuses), {201, 202, 404})
        tags = self.request("GET", f"/v2/{self.repository}/tags/list").json["tags"]
        self.assertEqual(self.request("GET", self.path("v1")).status, 200 if tags else 404)


if __name__ == "__main__":
    main()
