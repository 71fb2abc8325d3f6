# SPDX-License-Identifier: Apache-2.0
"""Hostile registries: names, digests, sizes, documents, lists, origins. Rows C… of the threat model."""

import itertools
import json
import os
import shutil
import socket

from harness import programs
from harness.case import CliCase, main
from harness.scripted import (IMAGE, INDEX, TITLE, Reply, ScriptedRegistry, compact, layer,
                              manifest, sha256)

PASSWORD = "canary-5D1-secret"


class HostileCase(CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.host = self.registry.host
        self.outside = self.box.root / "outside.txt"
        self.outside.write_bytes(b"precious")

    def pull(self, *flags, reference="v1", **options):
        options.setdefault("timeout", 60)
        return self.coras("pull", f"{self.host}/a:{reference}", "-o", "out", *flags, **options)

    def refused(self, *flags, allow_files=(), **options):
        """A pull that must fail and leave nothing."""
        result = self.pull(*flags, **options)
        self.assertEqual(result.code, 1, result)
        self.assertTrue(result.err.startswith("Error"), result)
        self.assertPrintable(result.text)
        files = [n for n in self.names("out") if not n.endswith("/")]
        self.assertEqual(files, sorted(allow_files), result)
        self.assertEqual(self.outside.read_bytes(), b"precious")
        shutil.rmtree(self.box.work / "out", ignore_errors=True)
        return result


class Names(HostileCase):
    def serve(self, *layers):
        self.registry.artifact("v1", layers)

    def test_c1_c2_traversal(self):
        for title in ("../evil.txt", "a/../../evil.txt", "/tmp/coras-evil.txt", "a/b/../../../evil",
                      "..", "../", "./../x"):
            with self.subTest(title):
                self.serve((b"evil", title))
                result = self.refused()
                self.assertFalse((self.box.work / "evil.txt").exists())
                self.assertFalse(os.path.exists("/tmp/coras-evil.txt"))
                self.assertNotIn("evil", b"".join(p.read_bytes() for p in self.box.work.rglob("*")
                                                  if p.is_file()).decode("latin-1"), result)

    def test_c1_message_as_upstream(self):
        self.serve((b"evil", "../evil.txt"))
        result = self.refused()
        self.assertIn("path traversal disallowed", result.first_error)
        self.assertIn("--allow-path-traversal", result.err)

    def test_allowed_when_asked(self):
        self.serve((b"fine", "../sibling.txt"))
        self.assertEqual(self.pull("--allow-path-traversal").code, 0)
        self.assertEqual(self.read("sibling.txt"), b"fine")

    def test_c3_not_names(self):
        for title in (".", "./", "/", "a/", "a/."):
            with self.subTest(title):
                self.serve((b"evil", title))
                result = self.pull()
                if result.code == 0:
                    self.assertEqual(title, "a/", result)  # may mean the file a
                self.assertFalse((self.box.work / "out").is_file())

    def test_c4_symlinked_parent(self):
        (self.box.work / "out").mkdir()
        elsewhere = self.box.root / "elsewhere"
        elsewhere.mkdir()
        (self.box.work / "out/link").symlink_to(elsewhere)
        self.serve((b"evil", "link/evil.txt"))
        self.assertEqual(self.pull().code, 1)
        self.assertEqual(list(elsewhere.iterdir()), [])

    def test_c5_c6_c7_what_is_there_is_replaced_not_written_through(self):
        out = self.box.work / "out"
        out.mkdir()
        (out / "soft").symlink_to(self.outside)
        os.link(self.outside, out / "hard")
        os.mkfifo(out / "fifo")
        sock = socket.socket(socket.AF_UNIX)
        self.addCleanup(sock.close)
        sock.bind(str(out / "sock"))
        self.serve((b"1", "soft"), (b"2", "hard"))
        self.assertEqual(self.pull().code, 0)
        self.assertEqual((self.read("out/soft"), self.read("out/hard")), (b"1", b"2"))
        self.assertFalse((out / "soft").is_symlink())
        self.assertEqual(self.outside.read_bytes(), b"precious")
        for name in ("fifo", "sock"):
            with self.subTest(name):
                self.serve((b"3", name))
                result = self.pull(timeout=20)
                if result.code == 0:
                    self.assertEqual(self.read("out", name), b"3")

    def test_c8_directory_in_the_way(self):
        (self.box.work / "out/name").mkdir(parents=True)
        self.serve((b"x", "name"))
        result = self.pull()
        self.assertEqual(result.code, 1)
        self.assertIn("is a directory", result.err)

    def test_c9_nul(self):
        self.serve((b"evil", "good.txt\u0000.evil"))
        self.refused()

    def test_c10_long_names(self):
        for title in ("n" * 256, "/".join(["d" * 200] * 25) + "/x"):
            self.serve((b"x", title))
            self.refused()
        self.serve((b"x", "n" * 255))
        self.assertEqual(self.pull().code, 0)

    def test_c11_one_title_two_contents(self):
        self.serve((b"one", "same"), (b"two", "same"))
        result = self.refused()
        self.assertIn("same: duplicate name", result.err)
        self.assertEqual(self.registry.requests("GET", "/blobs/"), [])
        self.serve((b"one", "same"), (b"one", "same"))
        self.assertEqual(self.pull().code, 0)

    def test_c12_two_names_for_one_file(self):
        """As on a file system that folds case: neither name gets the other's bytes."""
        for _ in range(2):
            (self.box.work / "out/real").mkdir(parents=True)
            (self.box.work / "out/link").symlink_to("real")
            self.serve((b"one", "real/x"), (b"two", "link/x"))
            result = self.pull()
            self.assertEqual(result.code, 1, result)
            self.assertIn("link/x: duplicate name", result.err)
            self.assertEqual(self.names("out"), ["link", "real/"])
            (self.box.work / "out/real/x").write_bytes(b"two")  # one of them is right already
            self.assertEqual(self.pull().code, 1)
            self.assertEqual(self.read("out/real/x"), b"two")
            self.box.run("rm", "-rf", "out")
        (self.box.work / "out/real").mkdir(parents=True)
        (self.box.work / "out/link").symlink_to("real")
        self.serve((b"one", "real/x"), (b"one", "link/x"))
        self.assertEqual(self.pull().code, 0)
        self.assertEqual(self.read("out/real/x"), b"one")

    def test_c13_file_and_directory(self):
        for titles in (("a", "a/b"), ("a/b", "a"), ("x/a/b/c", "z", "x/a"), ("a", "a/b/c", "a-")):
            with self.subTest(titles):
                self.serve(*((title.encode(), title) for title in titles))
                result = self.pull()
                self.assertEqual(result.code, 1)
                self.assertIn("a is a file of the same artifact", result.err)
                self.no_leftovers("out")
        self.serve((b"1", "a"), (b"2", "a-b"), (b"3", "ab/c"))
        self.assertEqual(self.pull().code, 0)

    def test_c18_directory_swapped_during_the_pull(self):
        elsewhere = self.box.root / "elsewhere"
        (elsewhere / "deep").mkdir(parents=True)
        (elsewhere / "deep/mine").write_bytes(b"precious")
        sub = self.box.work / "out/sub"

        def swap(_):
            if not sub.is_symlink():
                sub.rename(self.box.work / "out/old")
                sub.symlink_to(elsewhere)

        for data in (b"small", os.urandom(3 << 20)):
            (sub / "deep").mkdir(parents=True)
            self.serve((data, "sub/deep/x"), (data, "sub/deep/y"), (b"z", "sub/new/z"))
            self.registry.on("GET", "/blobs/", swap)
            self.assertEqual(self.pull().code, 1)
            self.assertEqual(sorted(p.name for p in elsewhere.rglob("*")), ["deep", "mine"])
            self.box.run("rm", "-rf", "out")

    def test_failure_leaves_no_new_directories(self):
        """Everything that the pull made goes, what was there before stays."""
        (self.box.work / "out/old/empty").mkdir(parents=True)
        (self.box.work / "out/late").write_bytes(b"in the way")
        self.serve((b"1", "old/empty/x"), (b"2", "new/deep/y"), (b"3", "new/z"), (b"4", "late/x"))
        self.assertEqual(self.pull().code, 1)
        self.assertEqual(self.names("out"), ["late", "old/", "old/empty/"])

    def test_c14_our_working_names(self):
        names = ["x", "x.partial", "x.journal", ".x.partial", "x.lock", ".x.tmp"]
        self.serve(*((name.encode() * 3, name) for name in names))
        self.assertEqual(self.pull().code, 0)
        for name in names:
            self.assertEqual(self.read("out", name), name.encode() * 3)

    def test_c15_c16_escape_sequences(self):
        title = "\x1b]0;owned\x07\x1b[31mred\u202e\rback\x08"
        self.serve((b"x", title))
        result = self.pull()
        self.assertPrintable(result.text)
        if result.code == 0:
            self.assertEqual(os.listdir(self.box.work / "out"), [title])

    def test_c17_c20_plain_characters(self):
        names = ["a\\b", "C:evil", "~", "$HOME", "-rf", "sub/~x", "%2e%2e", "CON", "name ", " name"]
        self.serve(*((n.encode(), n) for n in names))
        self.assertEqual(self.pull().code, 0)
        for name in names:
            self.assertEqual(self.read("out", name), name.encode())

    def test_c19_output_is_a_link(self):
        (self.box.work / "real").mkdir()
        (self.box.work / "out").symlink_to("real")
        self.serve((b"x", "x"))
        self.assertEqual(self.pull().code, 0)
        self.assertEqual(self.read("real/x"), b"x")


class DigestsAndSizes(HostileCase):
    def entry(self, **members):
        """A one-layer manifest whose descriptor has these members instead."""
        entry = layer(self.registry.blob(b"content"), "file")
        entry.update(members)
        self.registry.put("v1", manifest([{k: v for k, v in entry.items() if v is not ...}]))

    def test_c45_to_c49_digests(self):
        good = "ab" * 32
        for digest in ("sha256:../../x", "sha256:" + good.upper(), "SHA256:" + good,
                       "sha256:" + good[1:], "sha256:" + good + "a", "sha256:" + good + "ab", "",
                       "sha256", "sha256:", good, "md5:" + "0" * 32, "sha1:" + "0" * 40,
                       "sha512:" + good, f"sha256:{good[:-2]}\r\n", f"sha256:{good[:-1]}?",
                       f"sha256:{good[:-1]}#", f"sha256:{good[:-1]}%", "sha256:" + "é" * 32):
            with self.subTest(digest):
                self.entry(digest=digest)
                self.registry.log.clear()
                self.refused()
                self.assertEqual(self.registry.requests("GET", "/blobs/"), [])

    def test_c50_wrong_bytes(self):
        for wrong in (b"cOntent", b"conten", b"content!", b""):
            with self.subTest(wrong):
                self.entry()
                self.registry.blobs[sha256(b"content")] = wrong
                self.refused()
                self.assertEqual(self.names("out"), [])

    def test_c51_endless_body(self):
        self.entry()
        self.registry.on("GET", "/blobs/", Reply(200, {}, b"content", endless=b"x" * 65536))
        self.refused()

    def test_c52_c53_manifest_differs(self):
        data = compact(manifest([layer(self.registry.blob(b"content"), "file")]))
        self.registry.manifests[sha256(b"other")] = (data, IMAGE)
        result = self.coras("pull", f"{self.host}/a@{sha256(b'other')}", "-o", "out")
        self.assertEqual(result.code, 1, result)
        self.registry.on("GET", "/manifests/v1", Reply(
            200, {"Content-Type": IMAGE, "Docker-Content-Digest": sha256(b"lie")}, data))
        self.refused()

    def test_c53_no_header(self):
        data = compact(manifest([layer(self.registry.blob(b"content"), "file")]))
        self.registry.on("GET", "/manifests/v1", Reply(200, {"Content-Type": IMAGE}, data))
        result = self.pull()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.digest, sha256(data))

    def test_c55_sizes(self):
        for size in ("-1", str(2**63), str(2**64 + 7), "6.5", "1e3", '"6"', "null", "true", "[]"):
            with self.subTest(size):
                entry = json.dumps(layer(self.registry.blob(b"content"), "file"))
                text = json.dumps(manifest(["X"])).replace('"X"', entry.replace(
                    '"size": 7', f'"size": {size}'))
                self.registry.put("v1", text.encode(), IMAGE)
                self.refused()

    def test_c56_c57_sizes_that_lie(self):
        for size in (1 << 50, 2**63 - 1, 8, 6, 0):
            with self.subTest(size):
                self.entry(size=size)
                result = self.refused()
                self.assertLess(result.seconds, 30)

    def test_c57_digest_of_nothing(self):
        self.entry(digest=sha256(b""), size=7)
        self.registry.blobs[sha256(b"")] = b""
        self.refused()

    def test_c58_sum_overflows(self):
        one, two = layer(b"a", "a", size=2**63 - 1), layer(b"b", "b", size=2**63 - 1)
        self.registry.put("v1", manifest([one, two]))
        self.refused()

    def test_c59_embedded_data(self):
        """`data` that lies is refused or not used; it never becomes the file."""
        self.entry(data="ZXZpbCBkYXRh")
        result = self.pull()
        if result.code == 0:
            self.assertEqual(self.read("out/file"), b"content")


class Documents(HostileCase):
    def document(self, data, media_type=IMAGE):
        self.registry.put("v1", data, media_type)

    def refuse_all(self, cases):
        for name, data in cases.items():
            with self.subTest(name):
                self.registry.manifests.clear()
                self.document(data if isinstance(data, bytes) else compact(data))
                self.refused()

    def test_c60_c62_c63_json(self):
        good = compact(manifest([layer(self.registry.blob(b"content"), "file")]))
        twice = good.replace(b'"layers":', b'"layers":[],"layers":')
        self.refuse_all({
            "deep arrays": b"[" * 100000 + b"]" * 100000,
            "deep in annotations": good[:-1] + b',"x":' + b"[" * 90000 + b"]" * 90000 + b"}",
            "duplicate layers": twice, "trailing bytes": good + b"x", "two documents": good + good,
            "byte order mark": b"\xef\xbb\xbf" + good, "empty": b"", "null": b"null",
            "array": b"[]", "number": b"1", "string": b'"x"', "cut": good[:-10],
            "nul": good + b"\x00", "bad UTF-8": good.replace(b"file", b"f\xff\xfe"),
            "lone surrogate": good.replace(b'"file"', b'"\\ud800"'),
        })

    def test_c61_too_large(self):
        good = manifest([layer(self.registry.blob(b"content"), "file")],
                        annotations={"big": "x" * (4 << 20)})
        self.document(compact(good))
        self.refused()
        self.registry.on("GET", "/manifests/", Reply(200, {"Content-Type": IMAGE}, b"{",
                                                     endless=b" " * 65536))
        self.refused()

    def test_c64_c65_shapes(self):
        entry = layer(self.registry.blob(b"content"), "file")
        self.refuse_all({
            "layers and manifests": manifest([entry], manifests=[entry]),
            "layers object": manifest({}),
            "layer null": manifest([None]), "layer string": manifest(["x"]),
            "layer array": manifest([[]]), "no config": manifest([entry], config=...),
            "config null": manifest([entry], config=None),
            "config string": manifest([entry], config="x"),
            "media type number": manifest([dict(entry, mediaType=5)]),
            "digest number": manifest([dict(entry, digest=5)]),
            "annotations array": manifest([dict(entry, annotations=[1])]),
            "annotation number": manifest([dict(entry, annotations={TITLE: 5})]),
            "other media type": manifest([entry], mediaType=INDEX),
            "schema 1": {"schemaVersion": 1, "name": "a", "tag": "v1", "fsLayers": []},
        })

    def test_c64_c74_types_that_are_no_manifest(self):
        good = compact(manifest([layer(self.registry.blob(b"content"), "file")]))
        for kind in ("application/json", "application/octet-stream", INDEX,
                     "application/vnd.docker.distribution.manifest.v1+prettyjws"):
            with self.subTest(kind):
                self.registry.manifests.clear()
                self.document(good, kind)
                self.refused()
                if kind != INDEX:
                    self.fails("discover", f"{self.host}/a:v1", contains="is not a manifest: unsupported")

    def test_c68_c69_nested_indexes_end(self):
        inner = None
        for _ in range(200):
            entries = [] if inner is None else [{"mediaType": INDEX, "digest": inner[0],
                                                 "size": inner[1]}]
            value = compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
            inner = (sha256(value), len(value))
            self.registry.manifests[sha256(value)] = (value, INDEX)
        self.registry.manifests["v1"] = self.registry.manifests[inner[0]]
        result = self.refused()
        self.assertLess(len(self.registry.requests("GET", "/manifests/")), 60, result)

    def test_c70_one_blob_many_times(self):
        self.registry.artifact("v1", [(b"same", f"n{i:05}") for i in range(3000)])
        self.assertEqual(self.pull().code, 0)
        self.assertEqual(len(self.registry.requests("GET", "/blobs/sha256:" + sha256(b"same")[7:])), 1)
        self.assertEqual(len(self.names("out")), 3000)

    def test_c71_referrer_loop_ends(self):
        if not programs.has_command("discover"):
            self.skipTest("no discover command")
        digest = self.registry.artifact("v1", [(b"x", "x")])
        size = len(self.registry.manifests["v1"][0])
        entry = {"mediaType": IMAGE, "digest": digest, "size": size, "artifactType": "a/b"}
        self.registry.on("GET", "/referrers/", Reply(
            200, {"Content-Type": INDEX},
            compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})))
        result = self.coras("discover", f"{self.host}/a:v1", timeout=30)
        self.assertLess(len(self.registry.requests("GET", "/referrers/")), 10, result)

    def test_c71_invented_referrers_end(self):
        """Every referrer has referrers that were never seen: a loop without repetition."""
        made = itertools.count()

        def three_more(_):
            entries = [{"mediaType": IMAGE, "digest": sha256(b"%d" % next(made)), "size": 9,
                        "artifactType": "a/b"} for _ in range(3)]
            return Reply(200, {"Content-Type": INDEX},
                         compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}))

        self.registry.artifact("v1", [(b"x", "x")])
        self.registry.on("GET", "/referrers/", three_more)
        for depth, why in (([], "more than 64 levels"), (["--depth", "64"], "too many")):
            result = self.coras("discover", *depth, f"{self.host}/a:v1", timeout=120)
            self.assertEqual(result.code, 1)
            self.assertIn(why, result.err)
            self.assertIn("--depth", result.hint)
        result = self.coras("discover", "--depth", "4", f"{self.host}/a:v1", timeout=120)
        self.assertEqual(result.code, 0)
        self.assertEqual(len(result.out.splitlines()), 1 + sum(4 * 3 ** n for n in range(4)))

    def test_c73_texts_are_escaped(self):
        evil = "a/b\x1b[2J\u202e\nx"
        self.registry.artifact("v1", [(b"x", "x")], artifactType=evil,
                               annotations={"k\x1b[31m": "v\x1b[0m\x07"})
        for command in (["pull", "-o", "out"], ["resolve"]):
            result = self.coras(*command, f"{self.host}/a:v1")
            self.assertPrintable(result.text)


class ListsAndHeaders(HostileCase):
    def tags(self, **options):
        return self.coras("repo", "tags", f"{self.host}/a", timeout=60, **options)

    def test_c76_pages_that_never_end(self):
        self.registry.on("GET", "/tags/list", Reply(
            200, {"Content-Type": "application/json", "Link": '</v2/a/tags/list?last=x>; rel="next"'},
            compact({"name": "a", "tags": ["x"]})))
        self.assertEqual(self.tags().code, 1)
        self.assertLess(len(self.registry.requests("GET", "/tags/list")), 10)

    def test_c76_pages_that_never_repeat(self):
        made = itertools.count()
        self.registry.on("GET", "/tags/list", lambda _: Reply(
            200, {"Content-Type": "application/json",
                  "Link": f'</v2/a/tags/list?last=x{next(made)}>; rel="next"'},
            compact({"name": "a", "tags": ["x"]})))
        result = self.coras("repo", "tags", f"{self.host}/a", timeout=120)
        self.assertEqual(result.code, 1)
        self.assertIn("too many pages", result.err)
        self.assertEqual(next(made), 10000)

    def test_c77_link_to_another_origin(self):
        other = self.serve_here(ScriptedRegistry())
        self.registry.on("GET", "/tags/list", Reply(
            200, {"Content-Type": "application/json",
                  "Link": f'<http://{other.host}/v2/a/tags/list?last=x>; rel="next"'},
            compact({"name": "a", "tags": ["x"]})))
        self.assertEqual(self.tags().code, 1)
        self.assertEqual(other.log, [])

    def test_c78_escape_sequences_everywhere(self):
        evil = "x\x1b]0;owned\x07\x9b31m\u202e"
        self.registry.on("GET", "/tags/list", Reply(
            200, {"Content-Type": "application/json"}, compact({"name": "a", "tags": [evil]})))
        self.registry.on("GET", "/_catalog", Reply(
            200, {"Content-Type": "application/json"}, compact({"repositories": [evil]})))
        self.registry.on("GET|HEAD", "/manifests/", Reply(
            403, {"Content-Type": "application/json"},
            compact({"errors": [{"code": evil, "message": evil, "detail": {evil: evil}}]})))
        for command in (["repo", "tags", f"{self.host}/a"], ["repo", "ls", self.host],
                        ["pull", f"{self.host}/a:v1"], ["pull", "-d", f"{self.host}/a:v1"]):
            with self.subTest(command[:2]):
                self.assertPrintable(self.coras(*command).text)

    def test_c15_c16_c78_every_command(self):
        """Titles, types, annotations and platforms of others, in every text that we print."""
        evil = "\x1b]0;owned\x07\x1b[31m\x9b32m\u202e\u2066\r\x08\x7fX"
        notes = {"k" + evil: "v" + evil}
        entry = layer(self.registry.blob(b"x"), "t" + evil, "a/b" + evil)
        self.registry.blob(b"{}")
        digest = self.registry.put("v1", manifest([entry], artifactType="at" + evil,
                                                  annotations=notes))
        listed = {"mediaType": IMAGE, "digest": digest, "artifactType": "at" + evil,
                  "size": len(self.registry.manifests["v1"][0]), "annotations": notes,
                  "platform": {"os": "os" + evil, "architecture": "arch" + evil}}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]}
        self.registry.put("idx", index)
        self.registry.on("GET", "/referrers/", lambda request: Reply(
            200, {"Content-Type": INDEX},
            compact(index if digest in request.path else dict(index, manifests=[]))))
        ref = f"{self.host}/a:v1"
        name = self.box.write("evil" + evil, b"x").name
        for command in (["pull", ref, "-o", "o1"], ["pull", "-d", ref, "-o", "o2"],
                        ["pull", "-k", ref, "-o", "o1"], ["discover", ref], ["discover", "-d", ref],
                        ["pull", f"{self.host}/a:idx", "--platform", "linux/amd64"],
                        ["cp", ref, "--to-oci-layout", "lay:v1"],
                        ["cp", "-r", ref, f"{self.host}/b:v1"], ["pull", "--oci-layout", "lay:v1"],
                        ["backup", ref, "--output", "bk"], ["push", f"{self.host}/c:v1", name],
                        ["attach", ref, "--artifact-type", "a/b", name], ["push", ref, "no" + name],
                        ["manifest", "push", ref, "no" + name], ["blob", "push", ref, "no" + name],
                        ["resolve", ref, "--ca-file", name], ["resolve", "--no" + evil, ref]):
            with self.subTest(command):
                result = self.coras(*command)
                self.assertPrintable(result.text)

    def test_c79_error_bodies(self):
        for reply in (Reply(500, {"Content-Type": "text/plain"}, b"y" * 100, endless=b"z" * 65536),
                      Reply(403, {"Content-Type": "application/json"}, b"{" * (50 << 20))):
            self.registry.rules.clear()
            self.registry.on("GET", "/tags/list", reply)
            result = self.tags()
            self.assertEqual(result.code, 1)
            self.assertLess(len(result.err), 4096)

    def test_c80_header_flood(self):
        self.registry.on("GET", "/tags/list", Reply(
            200, {"Content-Type": "application/json", "X-Junk": ["y" * 1000] * 2000},
            compact({"name": "a", "tags": ["x"]})))
        self.assertEqual(self.tags().code, 1)

    def test_c81_content_encoding(self):
        import gzip
        self.registry.artifact("v1", [(b"content" * 100, "file")])
        self.registry.on("GET", "/blobs/sha256:" + sha256(b"content" * 100)[7:], Reply(
            200, {"Content-Encoding": "gzip"}, gzip.compress(b"content" * 100)))
        self.refused()

    def test_c81_compressed_documents(self):
        """A proxy that compresses JSON although nobody asked for it does no harm."""
        import gzip
        self.registry.artifact("v1", [(b"content", "file")])

        def compressed(request):
            self.registry.rules.pop()
            reply = self.registry.answer(request)
            self.registry.rules.append(rule)
            if reply.status == 200:
                reply.headers["Content-Encoding"] = "gzip"
                reply.body = gzip.compress(reply.body)
            return reply
        self.registry.on("GET|HEAD", "/manifests/|/tags/list", compressed)
        rule = self.registry.rules[-1]
        for command in ("pull", "manifest fetch", "resolve", "repo tags", "cp"):
            words = command.split()
            target = f"{self.host}/a" + ("" if words[-1] == "tags" else ":v1")
            extra = ["--to-oci-layout", "layout:v1"] if command == "cp" else []
            with self.subTest(command):
                self.assertEqual(self.coras(*words, target, *extra, timeout=60).code, 0)

    def test_c82_not_http(self):
        for answer in (b"HTTP/0.9\r\n", b"garbage without end", b"<html>old</html>"):
            listener = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(listener.close)
            self.addCleanup(listener.shutdown, socket.SHUT_RDWR)  # it waits no more then
            import threading

            def serve(listener=listener, answer=answer):
                while True:
                    try:
                        conn, _ = listener.accept()
                    except OSError:
                        return
                    conn.recv(65536)
                    conn.sendall(answer)
                    conn.close()

            threading.Thread(target=serve, daemon=True).start()
            host = f"localhost:{listener.getsockname()[1]}"
            self.assertEqual(self.coras("resolve", f"{host}/a:v1", timeout=60).code, 1)

    def test_c84_c85_ranges_that_lie(self):
        """Whatever a server answers to a range request, the file is right or there is none."""
        data = os.urandom(3 << 20)
        self.registry.artifact("v1", [(data, "file")])
        blob = "/blobs/" + sha256(data)
        cut = {"left": 1}

        def once(request):
            if cut["left"]:
                cut["left"] -= 1
                return Reply(200, {"Content-Length": str(len(data)), "Connection": "close"},
                             data[:1 << 20])
            if "Range" not in request.headers:
                return None
            return lies.pop(0) if lies else None

        for lie in (Reply(206, {"Content-Range": f"bytes 0-99/{len(data)}"}, data[:100]),
                    Reply(206, {"Content-Range": "bytes 5-4/*"}, data),
                    Reply(206, {}, data), Reply(200, {}, data),
                    Reply(206, {"Content-Range": f"bytes {1 << 20}-{len(data) - 1}/{1 << 40}"},
                          data[1 << 20:]),
                    Reply(416, {}, b"")):
            with self.subTest(lie.headers):
                cut["left"], lies = 1, [lie]
                self.registry.rules.clear()
                self.registry.on("GET", blob, once)
                self.box.run("rm", "-rf", "out")
                result = self.pull()
                self.assertEqual(result.code, 0, result)
                self.assertEqual(self.read("out/file"), data)
                self.no_leftovers("out", but=["file"])


class Origins(HostileCase):
    def setUp(self):
        super().setUp()
        self.other = self.serve_here(ScriptedRegistry())
        self.credentials = ["-u", "user", "--password-stdin", "-H", "X-Canary: " + PASSWORD]

    def challenge(self, text, path="/v2/"):
        self.registry.on("GET|HEAD|POST|PUT|PATCH", path, lambda r: None if "Authorization" in r.headers
                         else Reply(401, {"WWW-Authenticate": text}))

    def run_with_secret(self, *argv, **options):
        options.setdefault("timeout", 60)
        return self.coras(*argv, *self.credentials, stdin=PASSWORD, **options)

    def assertKept(self, result=None):
        self.assertNoSecret([PASSWORD], *(r.raw() for r in self.other.log),
                            *([result.text] if result else []))

    def test_c89_c91_realms(self):
        inside = f"127.0.0.1:{self.other.port}"
        for realm in (f"ftp://{inside}/token", "file:///etc/passwd", "gopher://x/", "not a url", "",
                      "http://169.254.169.254/latest/token", f"http://10.255.255.1:{self.other.port}/"):
            with self.subTest(realm):
                self.registry.rules.clear()
                self.challenge(f'Bearer realm="{realm}",service="s",scope="repository:a:pull"')
                result = self.run_with_secret("pull", f"{self.host}/a:v1", timeout=90)
                self.assertEqual(result.code, 1)
                self.assertKept(result)

    def test_c94_redirected_blob(self):
        """Blob storage elsewhere gets neither credentials nor custom headers."""
        self.registry.artifact("v1", [(b"content", "file")])
        self.other.blob(b"content")
        self.challenge('Basic realm="x"')
        where = f"http://{self.other.host}/storage/blobs/{sha256(b'content')}?sig=abc"
        self.registry.on("GET", "/blobs/" + sha256(b"content"), Reply(307, {"Location": where}))
        result = self.run_with_secret("pull", f"{self.host}/a:v1", "-o", "out")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.read("out/file"), b"content")
        self.assertEqual(len(self.other.log), 1)
        self.assertKept(result)

    def test_c95_and_back(self):
        self.registry.artifact("v1", [(b"content", "file")])
        self.challenge('Basic realm="x"', "/v2/.*manifests")
        path = "/blobs/" + sha256(b"content")
        self.other.on("GET", "/hop", Reply(307, {"Location": f"http://{self.host}/v2/x{path}?back"}))
        self.registry.on("GET", path + "$", Reply(307, {"Location": f"http://{self.other.host}/hop"}))
        result = self.run_with_secret("pull", f"{self.host}/a:v1", "-o", "out")
        self.assertEqual(result.code, 0, result)
        back = self.registry.requests("GET", r"\?back")
        self.assertNotIn("Authorization", back[0].headers)
        self.assertKept(result)

    def test_c96_storage_asks_for_credentials(self):
        self.registry.artifact("v1", [(b"content", "file")])
        self.challenge('Basic realm="x"')
        self.registry.on("GET", "/blobs/" + sha256(b"content"), Reply(
            307, {"Location": f"http://{self.other.host}/x"}))
        self.other.on("GET", "/x", Reply(401, {"WWW-Authenticate": 'Basic realm="give"'}))
        result = self.run_with_secret("pull", f"{self.host}/a:v1", "-o", "out")
        self.assertEqual(result.code, 1)
        self.assertKept(result)

    def test_c97_loops_and_schemes(self):
        self.registry.artifact("v1", [(b"content", "file")])
        path = "/blobs/" + sha256(b"content")
        for location in (f"http://{self.host}/v2/a{path}", "file:///etc/passwd", "ftp://x/y",
                         "gopher://x/", "javascript:1", "http://[", ""):
            with self.subTest(location):
                self.registry.rules.clear()
                self.registry.on("GET", path, Reply(307, {"Location": location}))
                self.refused()
                self.assertLess(len(self.registry.requests("GET", path)), 80)

    def test_c98_upload_location_elsewhere(self):
        self.box.write("f.txt", b"content")
        self.challenge('Basic realm="x"')
        self.registry.on("POST", "/uploads/", Reply(202, {
            "Location": f"http://{self.other.host}/v2/a/blobs/uploads/x"}))
        result = self.run_with_secret("push", f"{self.host}/a:v1", "f.txt")
        self.assertKept(result)

    def test_c99_upload_location_bad(self):
        self.box.write("f.txt", b"content")
        for headers in ({}, {"Location": "file:///tmp/x"}, {"Location": "http://["},
                        {"Location": "x" * 100000}):
            with self.subTest(str(headers)[:60]):
                self.registry.rules.clear()
                self.registry.on("POST", "/uploads/", Reply(202, headers))
                self.assertEqual(self.coras("push", f"{self.host}/a:v1", "f.txt", timeout=60).code, 1)

    def test_c101_refused_for_ever(self):
        self.registry.on("GET|HEAD", "/v2/", Reply(401, {"WWW-Authenticate": 'Basic realm="x"'}))
        result = self.run_with_secret("pull", f"{self.host}/a:v1")
        self.assertEqual(result.code, 1)
        self.assertLess(len(self.registry.log), 8)

    def test_c102_tokens_that_are_none(self):
        for token in ("a\r\nX-Evil: 1", "a b", "a\u0000b", "x" * (1 << 20), 5, None, ""):
            with self.subTest(str(token)[:20]):
                self.registry.rules.clear()
                self.registry.log.clear()
                self.registry.on("GET", "/token", Reply(
                    200, {"Content-Type": "application/json"}, compact({"token": token})))
                self.registry.on("GET|HEAD", "/manifests/", Reply(401, {
                    "WWW-Authenticate": f'Bearer realm="http://{self.host}/token",service="s"'}))
                result = self.coras("pull", f"{self.host}/a:v1", timeout=60)
                self.assertEqual(result.code, 1)
                self.assertFalse([r for r in self.registry.log if "X-Evil" in r.headers])

    def test_c103_challenges(self):
        for text in ('Bearer realm="x', "Bearer", "", ",,,", "Bearer " + 'a="b",' * 10000,
                     'Basic realm="x" Bearer', 'Bearer realm="a",realm="b"', "\x01\x02",
                     "Negotiate", 'Digest realm="x", nonce="y"'):
            with self.subTest(text[:30]):
                self.registry.rules.clear()
                self.registry.on("GET|HEAD", "/v2/", Reply(401, {"WWW-Authenticate": text}))
                result = self.run_with_secret("pull", f"{self.host}/a:v1", timeout=60)
                self.assertEqual(result.code, 1)
                self.assertPrintable(result.text)

    def test_c100_urls_are_not_followed(self):
        entry = dict(layer(b"content", "file"), urls=[f"http://{self.other.host}/x"])
        self.registry.put("v1", manifest([entry]))
        self.refused()
        self.assertEqual(self.other.log, [])

    def test_c115_no_netrc_no_cookies(self):
        (self.box.home / ".netrc").write_text(f"machine localhost login u password {PASSWORD}\n")
        self.registry.artifact("v1", [(b"x", "x")])
        self.registry.on("GET", "/manifests/v1", lambda r: Reply(
            200, {"Content-Type": IMAGE, "Set-Cookie": "s=1; Path=/"},
            self.registry.manifests["v1"][0]))
        self.assertEqual(self.pull().code, 0)
        self.assertNoSecret([PASSWORD], *(r.raw() for r in self.registry.log))
        self.assertFalse([r for r in self.registry.log if "Cookie" in r.headers])


if __name__ == "__main__":
    main()
