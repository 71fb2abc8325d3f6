# SPDX-License-Identifier: Apache-2.0
"""OCI layouts that are served in place: read, changed meanwhile, half copied, damaged, written."""

import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from embedded import OCI_INDEX, OCI_MANIFEST, PROGRAM, SANITIZER_WORDS, Server, compact, descriptor, digest, image
from harness import programs
from harness.case import CliCase, main
from harness.waiting import wait_until

REF_NAME = "org.opencontainers.image.ref.name"


class Layout:
    """A layout as any tool may write it."""

    def __init__(self, path):
        self.path = Path(path)
        (self.path / "blobs/sha256").mkdir(parents=True)
        self.entries = []
        self.path.joinpath("oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.write_index()

    def file(self, data):
        return self.path / "blobs/sha256" / digest(data)[7:]

    def add(self, *blobs):
        for data in blobs:
            self.file(data).write_bytes(data)
        return blobs[-1]

    def write_index(self):
        text = compact({"schemaVersion": 2, "manifests": self.entries})
        draft = self.path / "index.json.new"
        draft.write_bytes(text)
        draft.rename(self.path / "index.json")

    def name(self, manifest, tag=None, media_type=OCI_MANIFEST):
        annotations = {"annotations": {REF_NAME: tag}} if tag else {}
        self.entries.append(descriptor(manifest, media_type, **annotations))
        self.write_index()

    def image(self, tag, layer=b"hello", **members):
        manifest = self.add(b"{}", layer, image([layer], **members))
        self.name(manifest, tag)
        return manifest


@unittest.skipUnless(PROGRAM.exists(), "built without the registry")
class Case(CliCase):
    options = ()
    with_root = False

    def setUp(self):
        super().setUp()
        self.dir = self.box.work / "layouts"
        self.dir.mkdir()

    def serve(self, *options):
        options = [f"--layouts={self.dir}", *self.options, *options]
        server = LayoutServer(*options, with_root=self.with_root)
        self.addCleanup(self.end, server)
        self.server = server.start()
        return server

    def end(self, server):
        code, log = server.stop(), server.log()
        server.close()
        self.assertEqual(code, 0, log)
        for word in SANITIZER_WORDS:
            self.assertNotIn(word, log)

    def layout(self, name):
        return Layout(self.dir / name)

    def get(self, path, method="GET", **headers):
        return self.server.request(method, f"/v2/{path}", headers=headers)

    def assert_error(self, reply, status, code):
        self.assertEqual((reply.status, reply.code), (status, code), reply.body)


class LayoutServer(Server):
    def __init__(self, *options, with_root=False):
        super().__init__(*options)
        self.with_root = with_root

    def start(self, *more):
        with open(self.log_path, "ab") as log:
            root = [f"--root={self.root}"] if self.with_root else []
            self.process = subprocess.Popen([PROGRAM, *root, "--listen=127.0.0.1:0", *self.options, *more],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline().decode()
        if not line.startswith("listening on 127.0.0.1:"):
            self.process.wait(30)
            raise RuntimeError(f"did not start: {line!r}\n{self.log()}")
        self.port = int(line.rsplit(":", 1)[1])
        return self


class Reading(Case):
    def test_manifests_blobs_tags_and_ranges(self):
        lay = self.layout("team/hello")
        manifest = lay.image("v1")
        self.serve()
        reply = self.get("team/hello/manifests/v1")
        self.assertEqual((reply.status, reply.body), (200, manifest))
        self.assertEqual(reply.headers["Content-Type"], OCI_MANIFEST)
        self.assertEqual(reply.headers["Docker-Content-Digest"], digest(manifest))
        self.assertEqual(self.get(f"team/hello/manifests/{digest(manifest)}").body, manifest)
        head = self.get("team/hello/manifests/v1", "HEAD")
        self.assertEqual((head.status, head.headers["Content-Length"]), (200, str(len(manifest))))
        blob = f"team/hello/blobs/{digest(b'hello')}"
        self.assertEqual(self.get(blob).body, b"hello")
        part = self.get(blob, Range="bytes=1-3")
        self.assertEqual((part.status, part.body), (206, b"ell"))
        self.assertEqual(self.get("team/hello/tags/list").json, {"name": "team/hello", "tags": ["v1"]})
        self.assertEqual(self.get("_catalog").json, {"repositories": ["team/hello"]})
        self.assert_error(self.get("team/hello/manifests/none"), 404, "MANIFEST_UNKNOWN")
        self.assert_error(self.get(f"team/hello/blobs/{digest(b'none')}"), 404, "BLOB_UNKNOWN")
        for name in ("team", "other", "team/hello/blobs/sha256", "team/hello/index.json"):
            self.assert_error(self.get(f"{name}/tags/list"), 404, "NAME_UNKNOWN")

    def test_children_of_an_index_are_manifests_and_a_config_is_none(self):
        lay = self.layout("multi")
        child = lay.add(b"{}", b"hello", image([b"hello"]))
        index = lay.add(compact({"schemaVersion": 2, "mediaType": OCI_INDEX,
                                 "manifests": [descriptor(child, OCI_MANIFEST)]}))
        lay.name(index, "all", OCI_INDEX)
        self.serve()
        self.assertEqual(self.get("multi/manifests/all").headers["Content-Type"], OCI_INDEX)
        reply = self.get(f"multi/manifests/{digest(child)}")
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, OCI_MANIFEST))
        self.assert_error(self.get(f"multi/manifests/{digest(b'{}')}"), 404, "MANIFEST_UNKNOWN")

    def test_lists_go_page_by_page(self):
        lay = self.layout("a")
        for tag in ("v2", "v1", "v10", "docker.io/library/x:full"):
            lay.image(tag, tag.encode())
        self.layout("a/b").image("v1")
        self.layout("z").image("v1")
        self.serve()
        self.assertEqual(self.get("a/tags/list").json["tags"], ["full", "v1", "v10", "v2"])
        page = self.get("a/tags/list?n=2")
        self.assertEqual(page.json["tags"], ["full", "v1"])
        self.assertIn("last=v1", page.headers["Link"])
        self.assertEqual(self.get("a/tags/list?n=2&last=v1").json["tags"], ["v10", "v2"])
        self.assertEqual(self.get("a/manifests/full").status, 200)
        self.assertEqual(self.get("_catalog").json["repositories"], ["a", "a/b", "z"])
        self.assertEqual(self.get("_catalog?n=1&last=a").json["repositories"], ["a/b"])

    def test_referrers(self):
        lay = self.layout("signed")
        subject = lay.image("v1")
        for kind in ("sig/a", "sig/b"):
            lay.name(lay.add(image([b"hello"], subject=descriptor(subject, OCI_MANIFEST),
                                   artifactType=f"application/{kind.replace('/', '.')}",
                                   annotations={"of": kind})))
        self.serve()
        path = f"signed/referrers/{digest(subject)}"
        found = self.get(path).json["manifests"]
        self.assertEqual(sorted(m["annotations"]["of"] for m in found), ["sig/a", "sig/b"])
        self.assertEqual([m["digest"] for m in found], sorted(m["digest"] for m in found))
        some = self.get(f"{path}?artifactType=application/sig.a").json["manifests"]
        self.assertEqual([m["artifactType"] for m in some], ["application/sig.a"])
        first = self.get(f"{path}?n=1")
        self.assertEqual(first.json["manifests"], found[:1])
        self.assertIn("Link", first.headers)
        self.assertEqual(self.get(f"nowhere/referrers/{digest(subject)}").json["manifests"], [])

    def test_nothing_can_be_pushed_or_deleted(self):
        lay = self.layout("fixed")
        manifest = lay.image("v1")
        before = sorted(p.name for p in self.dir.rglob("*"))
        self.serve()
        for method, path in (("POST", "fixed/blobs/uploads/"), ("PUT", "fixed/manifests/v2"),
                             ("DELETE", f"fixed/manifests/{digest(manifest)}"),
                             ("POST", "new/blobs/uploads/")):
            self.assert_error(self.get(path, method), 405, "UNSUPPORTED")
        self.assertEqual(sorted(p.name for p in self.dir.rglob("*")), before)

    def test_real_clients_pull(self):
        lay = self.layout("team/hello")
        lay.image("v1", annotations={"x": "y"})
        self.serve()
        name = f"{self.server.host}/team/hello:v1"
        self.ok("cp", "--from-plain-http", name, "--to-oci-layout", "copy:v1")
        for tool in (["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"],
                     [programs.ORAS or "oras", "manifest", "fetch", "--plain-http", name]):
            if not shutil.which(tool[0]):
                print(f"skipped: {tool[0]} is not installed")
                continue
            done = subprocess.run(tool, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)


class Changing(Case):
    def test_what_appears_changes_and_goes_is_seen_at_once(self):
        self.serve()
        self.assertEqual(self.get("new/tags/list").status, 404)
        lay = self.layout("new")
        first = lay.image("v1")
        self.assertEqual(self.get("new/manifests/v1").body, first)
        second = lay.image("v2", b"other")
        self.assertEqual(self.get("new/manifests/v2").body, second)
        self.assertEqual(self.get(f"new/blobs/{digest(b'other')}").body, b"other")
        (self.dir / "new").rename(self.dir / "moved")
        self.assertEqual(self.get("new/manifests/v1").status, 404)
        self.assertEqual(self.get("moved/manifests/v1").body, first)
        Layout(self.dir / "new").image("v1", b"another one")
        self.assertNotEqual(self.get("new/manifests/v1").body, first)
        wait_until(lambda: self.get("_catalog").json["repositories"] == ["moved", "new"])

    def test_a_half_copied_one_recovers_when_it_is_complete(self):
        whole = Layout(self.box.work / "whole")
        manifest = whole.image("v1", b"weights" * 1000)
        layer = whole.file(b"weights" * 1000)
        target = self.dir / "model"
        (target / "blobs/sha256").mkdir(parents=True)
        self.serve()
        self.assertEqual(self.get("model/tags/list").status, 404)
        shutil.copy(whole.path / "oci-layout", target)
        self.assertEqual(self.get("model/tags/list").status, 503)
        (target / "index.json").write_bytes((whole.path / "index.json").read_bytes()[:40])
        wait_until(lambda: "invalid OCI Image Index" in self.server.log())
        self.assertEqual(self.get("model/tags/list").status, 503)
        shutil.copy(whole.path / "index.json", target)
        wait_until(lambda: self.get("model/tags/list").status == 200)
        self.assert_error(self.get("model/manifests/v1"), 404, "MANIFEST_UNKNOWN")
        (target / "blobs/sha256" / digest(manifest)[7:]).write_bytes(manifest)
        self.assertEqual(self.get("model/manifests/v1").body, manifest)
        blob = f"model/blobs/{digest(b'weights' * 1000)}"
        self.assert_error(self.get(blob), 404, "BLOB_UNKNOWN")
        half = target / "blobs/sha256" / layer.name
        half.write_bytes(layer.read_bytes()[:-1])
        self.assert_error(self.get(blob, "GET"), 404, "BLOB_UNKNOWN")
        half.write_bytes(layer.read_bytes())
        wait_until(lambda: self.get(blob).body == b"weights" * 1000)

    def test_a_damaged_manifest_is_not_served_and_harms_no_other(self):
        lay = self.layout("model")
        bad, good = lay.image("bad", b"bad"), lay.image("good", b"good")
        lay.file(bad).write_bytes(bad.replace(b"schemaVersion", b"SchemaVersion"))
        self.serve()
        self.assert_error(self.get("model/manifests/bad"), 404, "MANIFEST_UNKNOWN")
        self.assertEqual(self.get("model/manifests/good").body, good)
        self.assertEqual(self.get(f"model/blobs/{digest(b'good')}").status, 200)
        self.assertEqual(self.server.log().count("mismatched digest"), 1)
        self.assertIn(digest(bad), self.server.log())

    def test_links_and_devices_are_not_followed(self):
        secret = Layout(self.box.work / "secret")
        secret.image("v1")
        os.symlink(secret.path, self.dir / "link")
        lay = self.layout("model")
        lay.image("v1", b"hello")
        lay.file(b"hello").unlink()
        lay.file(b"hello").symlink_to("/etc/hostname")
        odd = Layout(self.dir / "Not-A-Name")
        odd.image("v1")
        Layout(self.dir / ".hidden").image("v1")
        self.serve()
        self.assertEqual(self.get("link/manifests/v1").status, 404)
        self.assert_error(self.get(f"model/blobs/{digest(b'hello')}"), 404, "BLOB_UNKNOWN")
        self.assertEqual(self.get("_catalog").json["repositories"], ["model"])
        self.assertIn("Not-A-Name: is no name of a repository", self.server.log())
        self.assertIn("link: is a link", self.server.log())

    def test_the_directory_must_not_be_a_layout(self):
        Layout(self.dir / "one").image("v1")
        server = LayoutServer(f"--layouts={self.dir / 'one'}")
        with self.assertRaisesRegex(RuntimeError, "is a layout itself"):
            server.start()
        server.process.stdout.close()
        server.close()


class Writing(Case):
    options = ("--layouts-write",)

    def test_a_push_makes_a_layout_that_others_read(self):
        self.serve()
        self.box.write("hi.txt", b"hi there")
        name = f"{self.server.host}/team/new"
        self.ok("push", "--plain-http", f"{name}:v1", "hi.txt:text/plain")
        self.ok("tag", "--plain-http", f"{name}:v1", "v2")
        self.ok("pull", "--oci-layout", f"{self.dir}/team/new:v2", "-o", "out")
        self.assertEqual((self.box.work / "out/hi.txt").read_bytes(), b"hi there")
        self.assertEqual(self.get("_catalog").json["repositories"], ["team/new"])
        self.assertEqual(os.listdir(self.dir / "team/new/ingest"), [])
        self.assertEqual(list((self.dir / ".coras-serve/blobs/sha256").iterdir()), [])

    def test_deleting(self):
        self.serve()
        manifest = self.server.push_image("x", "v1")
        self.assertEqual(self.server.put_manifest("x", "v2", manifest).status, 201)
        self.assertEqual(self.get("x/manifests/v1", "DELETE").status, 202)
        self.assertEqual(self.get("x/tags/list").json["tags"], ["v2"])
        self.assert_error(self.get("x/manifests/v1", "DELETE"), 404, "MANIFEST_UNKNOWN")
        self.assertEqual(self.get(f"x/manifests/{digest(manifest)}", "DELETE").status, 202)
        self.assertEqual(self.get(f"x/manifests/{digest(manifest)}").status, 404)
        self.assertEqual(self.get("x/tags/list").json["tags"], [])

    def test_manifests_name_what_is_there(self):
        self.serve()
        self.server.push_blob("x", b"{}")
        self.assert_error(self.server.put_manifest("x", "v1", image([b"absent"])), 400, "MANIFEST_BLOB_UNKNOWN")
        index = compact({"schemaVersion": 2, "mediaType": OCI_INDEX,
                         "manifests": [descriptor(b"absent", OCI_MANIFEST)]})
        self.assert_error(self.server.put_manifest("x", "v1", index, OCI_INDEX), 400, "MANIFEST_BLOB_UNKNOWN")

    def test_mount_and_wrong_digest(self):
        self.serve()
        self.server.push_image("a", "v1", [b"shared"])
        reply = self.server.request(
            "POST", f"/v2/b/blobs/uploads/?mount={digest(b'shared')}&from=a", headers={"Content-Length": "0"})
        self.assertEqual(reply.status, 201, reply.body)
        self.assertEqual(self.get(f"b/blobs/{digest(b'shared')}").body, b"shared")
        location = self.server.begin("b")
        reply = self.server.request("PUT", f"{location}?digest={digest(b'this')}", b"that")
        self.assert_error(reply, 400, "DIGEST_INVALID")
        self.assertFalse((self.dir / "b/blobs/sha256" / digest(b"this")[7:]).exists())

    def test_a_layouts_own_folders_are_no_repositories(self):
        self.serve()
        self.server.push_image("a", "v1")
        (self.dir / "file").write_bytes(b"in the way")
        for name in ("a/blobs", "a/blobs/x", "a/ingest", "a/index.json", "a/oci-layout/x", "file"):
            location = self.server.begin(name)
            reply = self.server.request("PUT", f"{location}?digest={digest(b'x')}", b"x")
            self.assert_error(reply, 400, "NAME_INVALID")
        self.assertFalse((self.dir / "a/blobs/oci-layout").exists())
        self.assertEqual((self.dir / "file").read_bytes(), b"in the way")

    @programs.need_conformance
    def test_conformance(self):
        self.serve("--sparse-index")
        done = subprocess.run(
            [programs.CONFORMANCE], cwd=self.server.top, capture_output=True, text=True, timeout=120, check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "OCI_REGISTRY": self.server.host, "OCI_VERSION": "1.1", "OCI_REPO1": "c/one",
                 "OCI_REPO2": "c/two", "OCI_RESULTS_DIR": str(self.server.top / "results"), "OCI_TLS": "disabled"})
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr)[-6000:])


class BesideARoot(Case):
    with_root = True
    options = ("--layouts-write",)

    def test_each_keeps_its_own(self):
        self.layout("lay").image("v1")
        self.serve()
        self.server.push_image("own", "v1")
        self.server.push_image("lay", "v2", [b"pushed"])
        self.assertEqual(self.get("_catalog").json["repositories"], ["lay", "own"])
        self.assertEqual(self.get("lay/tags/list").json["tags"], ["v1", "v2"])
        self.assertEqual([p.name for p in self.dir.iterdir()], ["lay"])
        self.assertEqual(self.get(f"own/blobs/{digest(b'pushed')}").status, 404)


if __name__ == "__main__":
    main()
