# SPDX-License-Identifier: Apache-2.0
"""model pull: every form of package becomes the directory that engines want."""

import json
import os
import shutil
import signal
import stat
import tarfile
import unittest

from harness import programs
from harness.case import CliCase, main
from harness.packages import *
from harness.scripted import Reply, ScriptedRegistry, sha256
from harness.servers import DockerRegistry

need_zstd = unittest.skipUnless(shutil.which("zstd"), "zstd is not installed")

# Two shards of mode 0600, as the reference writer of safetensors makes them, and what lies around.
SHARDS = [b"\x02\0\0\0\0\0\0\0{}first", b"\x02\0\0\0\0\0\0\0{}second"]
TREE = {"model-00001-of-00002.safetensors": (SHARDS[0], 0o600),
        "model-00002-of-00002.safetensors": (SHARDS[1], 0o600),
        "config.json": (b'{"model_type":"tiny"}', 0o640),
        "sub/config.json": (b"{}", 0o644),
        "README.md": (b"# tiny\n", 0o644)}


class PackageCase(CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.packages = Packages(self.registry)
        self.reference = f"{self.registry.host}/m:v1"

    def pull(self, *flags, **options):
        return self.ok("model", "pull", self.reference, "-o", "out", *flags, **options)

    def refused(self, contains, **options):
        """Exit 1, a word that names the reason, no file."""
        result = self.fails("model", "pull", self.reference, "-o", "out", contains=contains, **options)
        self.assertPrintable(result.text)
        self.assertEqual([n for n in self.names("out") if not n.endswith("/")], [], result)
        return result

    def files(self):
        """Path -> bytes of all files; there is nothing but files and directories."""
        found = {}
        for path in sorted((self.box.work / "out").rglob("*")):
            mode = path.lstat().st_mode
            self.assertTrue(stat.S_ISREG(mode) or stat.S_ISDIR(mode), path)
            if stat.S_ISREG(mode):
                found[str(path.relative_to(self.box.work / "out"))] = path.read_bytes()
        return found

    def mode(self, name):
        return stat.S_IMODE((self.box.work / "out" / name).stat().st_mode)

    def mtime(self, name):
        return (self.box.work / "out" / name).stat().st_mtime_ns

    def assertTree(self, with_modes=True):
        self.assertEqual(self.files(), {name: data for name, (data, _) in TREE.items()})
        for name, (_, mode) in TREE.items():
            self.assertEqual(self.mode(name), mode if with_modes else 0o644, name)


class Raw(PackageCase):
    """Layers that are files."""

    def raw_tree(self, family=CNCF, path=PATH, metadata=METADATA, typeflag=48):
        # The kinds as one of the writers chooses them: nobody may go by them.
        kinds = iter(("weight", "weight.config", "code", "code", "doc"))
        return [self.packages.layer(data, f"{family}{next(kinds)}.v1.raw",
                                    {path: name, metadata: recorded(mode, "2023-01-02T03:04:05.25Z",
                                                                    len(data), typeflag)})
                for name, (data, mode) in TREE.items()]

    def test_titles(self):
        self.packages.put([self.packages.layer(data, "application/x", {TITLE: name})
                           for name, (data, _) in TREE.items()])
        result = self.pull()
        self.assertTree(with_modes=False)
        self.assertIn("Package: oras", result.out)

    def test_modelpack(self):
        self.packages.modelpack(self.raw_tree())
        result = self.pull()
        self.assertTree()
        self.assertEqual(self.mtime("config.json"), 1672628645_250000000)
        self.assertIn("Package: modelpack", result.out)
        self.assertEqual(result.err, "WARNING! 2 of the files can be read by their owner only: "
                                     "so the package recorded it\n")

    def test_modelpack_old_names(self):
        self.packages.modelpack(self.raw_tree(CNAI, OLD_PATH, OLD_METADATA, 0), family=CNAI)
        self.pull()
        self.assertTree()

    def test_modelpack_by_podman(self):
        self.packages.put([self.packages.layer(data, "text/plain; charset=utf-8", {TITLE: name})
                           for name, (data, _) in TREE.items()], artifactType=CNCF + "manifest.v1+json")
        self.pull()
        self.assertTree(with_modes=False)

    def test_two_paths(self):
        for annotations, wins in (({PATH: "new", OLD_PATH: "old"}, "new"), ({PATH: "p", TITLE: "t"}, "p")):
            with self.subTest(wins):
                self.packages.modelpack([self.packages.layer(b"x", CNCF + "weight.v1.raw", annotations)])
                result = self.ok("model", "pull", self.reference, "-o", wins)
                self.assertEqual(self.names(wins), [wins])
                self.assertIn("WARNING", result.err)

    def test_kit(self):
        self.packages.kit([self.packages.layer(b"x", KIT + "model.v1.raw",
                                               {PATH: "m.gguf", METADATA: recorded(0o600, size=1)})])
        self.pull()
        self.assertEqual(self.files(), {"m.gguf": b"x"})
        self.assertEqual(self.mode("m.gguf"), 0o600)

    def test_docker(self):
        file = self.packages.layer
        self.packages.docker(2, [file(b"w", DOCKER_AI + "safetensors", {PATH: "a.safetensors"}),
                                 file(b"{}", DOCKER_AI + "model.file", {PATH: "sub/config.json"})])
        self.pull()
        self.assertEqual(self.files(), {"a.safetensors": b"w", "sub/config.json": b"{}"})

    def test_docker_by_type(self):
        file = self.packages.layer
        for named in (True, False):
            with self.subTest(named=named):
                path = {PATH: "given.gguf"} if named else None
                self.packages.docker(1, [file(b"p", DOCKER_AI + "mmproj"),
                                         file(b"1", DOCKER_AI + "gguf.v3", path),
                                         file(b"2", DOCKER_AI + "gguf.v3"),
                                         file(b"3", DOCKER_AI + "gguf.v3"),
                                         file(b"t", DOCKER_AI + "chat.template.jinja")])
                self.pull()
                self.assertEqual(self.files(), {
                    "model.mmproj": b"p", "template.jinja": b"t", "model-00001-of-00003.gguf": b"1",
                    "model-00002-of-00003.gguf": b"2", "model-00003-of-00003.gguf": b"3"})

    def test_ollama(self):
        file = self.packages.layer
        self.packages.ollama([file(b"gguf", OLLAMA + "model"), file(b"p1", OLLAMA + "projector"),
                              file(b"p2", OLLAMA + "projector"), file(b"l1", OLLAMA + "license"),
                              file(b"l2", OLLAMA + "license"), file(b"{}", OLLAMA + "params"),
                              file(b"t", OLLAMA + "template")])
        result = self.pull()
        self.assertEqual(self.files(), {"model.gguf": b"gguf", "mmproj.gguf": b"p1",
                                        "mmproj-2.gguf": b"p2", "license": b"l1", "license-2": b"l2",
                                        "params.json": b"{}", "template": b"t"})
        self.assertIn("Package: ollama", result.out)

    def test_ollama_by_names(self):
        file = self.packages.layer
        self.packages.ollama([file(b"w", OLLAMA + "tensor", name="a.weight"),
                              file(b"{}", OLLAMA + "json", name="sub/config.json")])
        self.pull()
        self.assertEqual(self.files(), {"a.weight.safetensors": b"w", "sub/config.json": b"{}"})
        self.packages.ollama([file(b"{}", OLLAMA + "json", name="../evil")])
        self.fails("model", "pull", self.reference, "-o", "other", contains="leads out")

    def test_ollama_somewhere_else(self):
        self.packages.ollama([self.packages.layer(b"t", OLLAMA + "template")],
                             {"remote_host": "https://ollama.example", "remote_model": "big"})
        self.refused("https://ollama.example")

    def test_index(self):
        digest = self.packages.modelpack(self.raw_tree())
        size = len(self.registry.manifests[digest][0])
        entry = {"mediaType": IMAGE, "digest": digest, "size": size}
        other = {"mediaType": IMAGE, "digest": "sha256:" + "0" * 64, "size": 5}
        for name, entries in (("one", [entry]),
                              ("two", [{**other, "platform": {"os": "linux", "architecture": "vax"}},
                                       {**entry, "platform": {"os": "linux", "architecture": "amd64"}}])):
            with self.subTest(name):
                self.registry.put("v1", {"schemaVersion": 2, "manifests": entries,
                                         "mediaType": "application/vnd.oci.image.index.v1+json"},
                                  "application/vnd.oci.image.index.v1+json")
                if name == "two":
                    self.pull("--platform", "linux/amd64")
                else:
                    self.pull()
                self.assertTree()

    def test_again(self):
        """What is right is not fetched again, and gets its mode and time back."""
        self.packages.modelpack(self.raw_tree())
        self.pull()
        (self.box.work / "out" / "config.json").chmod(0o666)
        os.utime(self.box.work / "out" / "config.json", (1, 1))
        (self.box.work / "out" / "README.md").write_bytes(b"mine")
        self.registry.log.clear()
        result = self.pull()
        self.assertTree()
        self.assertEqual(self.mtime("config.json"), 1672628645_250000000)
        self.assertEqual(len(self.registry.requests("GET", "/blobs/")), 1, result)

    def test_mode_of_another_name_stays(self):
        """A hard link may be somebody else's file: its mode is not ours."""
        self.packages.modelpack(self.raw_tree())
        self.pull()
        (self.box.work / "out" / "config.json").chmod(0o644)
        os.link(self.box.work / "out" / "config.json", self.box.work / "mine.json")
        self.pull()
        self.assertEqual(stat.S_IMODE((self.box.work / "mine.json").stat().st_mode), 0o644)

    def test_recorded(self):
        for mode, expect in ((0, 0), (0o4755, 0o755), (0o600, 0o600), (2 ** 32, 0o644), ("x", 0o644)):
            with self.subTest(mode=mode):
                name = f"f{mode}"
                self.packages.modelpack([self.packages.layer(b"x", CNCF + "weight.v1.raw",
                                                             {PATH: name, METADATA: recorded(mode, size=1)})])
                self.pull()
                self.assertEqual(self.mode(name), expect)

    def test_one_content_many_names(self):
        """Of one content each name has its own mode."""
        self.packages.modelpack([
            self.packages.layer(b"x", CNCF + "code.v1.raw", {PATH: name, METADATA: recorded(mode, size=1)})
            for name, mode in (("a", 0o700), ("b", 0o600), ("c", 0o644))])
        self.pull()
        self.assertEqual([self.mode(n) for n in "abc"], [0o700, 0o600, 0o644])
        self.assertEqual(len(self.registry.requests("GET", "/blobs/")), 1)

    def test_without_a_path(self):
        self.packages.modelpack([self.packages.layer(b"x", CNCF + "weight.v1.raw")])
        self.refused(["weight.v1.raw", "1 byte"])

    def test_nothing_to_lay_down(self):
        self.packages.put([self.packages.layer(b"x", "application/x.thing")])
        self.refused("application/x.thing")
        self.packages.put([])
        self.refused("no layer")

    def test_clashes(self):
        for paths, reason in ((("a", "a"), "duplicate"), (("a", "a/b"), "lies in it"),
                              (("Sub/x", "sub/y"), "case"), (("../x",), "leads out"), (("/x",), "absolute"),
                              (("\x1b[31m/..",), "leads out"), ((".coras-partial/x",), "reserved")):
            with self.subTest(paths):
                self.packages.modelpack([self.packages.layer(b"%d" % i, CNCF + "weight.v1.raw", {PATH: p})
                                         for i, p in enumerate(paths)])
                self.registry.log.clear()
                self.refused(reason)
                self.assertEqual(self.registry.requests("GET", "/blobs/"), [])

    def test_wrong_bytes(self):
        """Of the right size, on every try and in the next run."""
        entry = self.packages.layer(b"right", CNCF + "weight.v1.raw", {PATH: "m"})
        self.packages.modelpack([entry])
        self.registry.blob(b"wrong", entry["digest"])
        for _ in range(2):
            self.refused("digest")
        self.registry.blob(b"right")
        self.pull()
        self.assertEqual(self.files(), {"m": b"right"})

    def test_layout(self):
        digest = self.packages.modelpack(self.raw_tree())
        self.ok("cp", "--from-plain-http", self.reference, "--to-oci-layout", "layout:v1")
        self.ok("model", "pull", "--oci-layout", "layout:v1", "-o", "out")
        self.assertTree()
        self.assertTrue(digest)

    def test_json(self):
        self.packages.modelpack(self.raw_tree())
        result = self.pull("--format", "json")
        files = json.loads(result.out)["files"]
        self.assertEqual([os.path.relpath(f["path"], self.box.work / "out") for f in files], list(TREE))


class Compressed(PackageCase):
    """Layers that are one compressed file each."""

    DATA = b"weights " * 50000

    def serve(self, packed, kind="raw+gzip", size=None, diff_id=None, annotations=None):
        entry = self.packages.layer(packed, KIT + "model.v1." + kind, {
            PATH: "m.safetensors", METADATA: recorded(0o600, size=len(self.DATA) if size is None else size),
            **(annotations or {})})
        self.packages.kit([entry], {"model": {"path": "m.safetensors", "digest": entry["digest"],
                                              "diffId": diff_id or sha256(self.DATA)}})

    def assertWhole(self):
        self.assertEqual(self.files(), {"m.safetensors": self.DATA})
        self.assertEqual(self.mode("m.safetensors"), 0o600)

    def test_gzip(self):
        self.serve(gzipped(self.DATA))
        self.pull()
        self.assertWhole()
        self.registry.log.clear()
        self.pull()
        self.assertWhole()
        self.assertEqual(len(self.registry.requests("GET", "/blobs/")), 1, "only the config")

    @need_zstd
    def test_zstd(self):
        self.serve(zstd(self.DATA), "raw+zstd")
        self.pull()
        self.assertWhole()

    def test_two_members(self):
        self.serve(gzipped(self.DATA[:1000]) + gzipped(self.DATA[1000:]))
        self.pull()
        self.assertWhole()

    def test_not_compressed(self):
        self.serve(self.DATA)
        self.pull()
        self.assertWhole()

    def test_wrong_diff_id(self):
        for data in (gzipped(self.DATA), self.DATA):
            self.serve(data, diff_id=sha256(b"other"))
            self.refused("another digest")

    def test_not_compressed_of_another_size(self):
        self.serve(self.DATA, size=len(self.DATA) + 1)
        self.refused("were recorded")

    def test_beyond_its_size(self):
        self.serve(gzipped(self.DATA), size=len(self.DATA) - 1)
        self.refused("more bytes")
        self.serve(gzipped(self.DATA), size=len(self.DATA) + 1)
        self.refused("fewer bytes")

    def test_broken(self):
        packed = gzipped(self.DATA)
        for name, data, reason in (("cut", packed[:-20], "unexpected EOF"),
                                   ("trailing", packed + b"junk", "trailing data"),
                                   ("checksum", packed[:-8] + b"\0" * 8, "checksum")):
            with self.subTest(name):
                self.serve(data)
                self.refused(reason)

    @need_zstd
    def test_broken_zstd(self):
        packed = zstd(self.DATA)
        for name, data, reason in (("cut", packed[:-6], "unexpected EOF"),
                                   ("trailing", packed + b"junk", "corrupt")):
            with self.subTest(name):
                self.serve(data, "raw+zstd")
                self.refused(reason)

    @need_zstd
    def test_without_the_library(self):
        """It is named, and so is what to install; from a layout, since libcurl may need it too."""
        self.serve(zstd(self.DATA), "raw+zstd")
        self.ok("cp", self.reference, "--to-oci-layout", "layout:v1")
        self.box.write("lib/libzstd.so.1", b"no library")
        self.fails("model", "pull", "--oci-layout", "layout:v1", "-o", "out",
                   env={"LD_LIBRARY_PATH": str(self.box.work / "lib")}, contains=["libzstd", "libzstd1"])

    def test_one_content_packed_and_not(self):
        packed = gzipped(self.DATA)
        self.packages.kit([
            self.packages.layer(packed, KIT + "docs.v1.raw", {PATH: "a.gz"}),
            self.packages.layer(packed, KIT + "docs.v1.raw+gzip", {PATH: "a"}),
            self.packages.layer(packed, KIT + "docs.v1.raw", {PATH: "b.gz"})])
        self.pull()
        self.assertEqual(self.files(), {"a.gz": packed, "a": self.DATA, "b.gz": packed})


class Archives(PackageCase):
    """Layers that are tars."""

    def tree_tars(self):
        return [tar(("model-00001-of-00002.safetensors", SHARDS[0], 0o600),
                    ("model-00002-of-00002.safetensors", SHARDS[1], 0o600)),
                tar(("config.json", TREE["config.json"][0], 0o640), ("sub", None), ("sub/config.json", b"{}"),
                    ("./README.md", TREE["README.md"][0]))]

    def test_forms(self):
        for form, pack in (("tar", bytes), ("tar+gzip", gzipped), ("tar+zstd", zstd)):
            if pack is zstd and not shutil.which("zstd"):
                continue
            with self.subTest(form):
                tars = self.tree_tars()
                layers = [self.packages.layer(pack(data), f"{CNCF}weight.v1.{form}",
                                              {PATH: "ignored/path.safetensors"}) for data in tars]
                self.packages.modelpack(layers, [sha256(data) for data in tars])
                result = self.pull()
                self.assertTree()
                self.assertEqual(self.mtime("config.json"), 1700000000_000000000)
                self.assertEqual(result.err, "")
                self.pull()
                self.assertTree()
                shutil.rmtree(self.box.work / "out")

    def test_kit(self):
        self.packages.kit([self.packages.layer(data, KIT + kind, {PATH: "sub"}) for data, kind in
                           zip(self.tree_tars(), ("model.v1.tar", "code.v1.tar"))])
        self.pull()
        self.assertTree()

    def test_kit_before_digests(self):
        data = tar(("set.csv", b"1"))
        self.packages.kit([self.packages.layer(data, KIT + "dataset.v1.tar")],
                          {"datasets": [{"path": "./data/sets/set.csv"}]})
        self.pull()
        self.assertEqual(self.files(), {"data/sets/set.csv": b"1"})

    def test_docker(self):
        self.packages.docker(1, [self.packages.layer(b"w", DOCKER_AI + "safetensors"),
                                 self.packages.layer(tar(("config.json", b"{}"), ("t.json", b"[]")),
                                                     DOCKER_AI + "vllm.config.tar"),
                                 self.packages.layer(tar(("d/x", b"x")), DOCKER_AI + "dir.tar")])
        self.pull()
        self.assertEqual(self.files(), {"model.safetensors": b"w", "config.json": b"{}", "t.json": b"[]",
                                        "d/x": b"x"})

    def test_packed_directory(self):
        (self.box.work / "d").mkdir()
        (self.box.work / "d" / "x").write_bytes(b"x")
        self.ok("push", "--plain-http", self.reference, "d", "--disable-path-validation")
        self.pull()
        self.assertEqual(self.files(), {"d/x": b"x"})

    def test_content_decides(self):
        archive = tar(("weights/model.safetensors", b"w"))
        for name, data, kind, path, expect in (
                ("a tar called raw", archive, "weight.v1.raw", "model.safetensors",
                 {"weights/model.safetensors": b"w"}),
                ("a file called tar", b"{}", "weight.config.v1.tar", "config.json", {"config.json": b"{}"}),
                ("a file called tar+gzip", gzipped(b"{}"), "weight.config.v1.tar+gzip", "config.json",
                 {"config.json": b"{}"}),
                ("a tar+gzip that is a tar", archive, "weight.v1.tar+gzip", "x",
                 {"weights/model.safetensors": b"w"}),
                ("a tar that is a tar+gzip", gzipped(archive), "weight.v1.tar", "x",
                 {"weights/model.safetensors": b"w"}),
                ("a tar that is a file", archive, "dataset.v1.raw", "set.tar", {"set.tar": archive}),
                ("an empty tar", tar(), "code.v1.tar", "x", None)):
            with self.subTest(name):
                self.packages.modelpack([self.packages.layer(data, CNCF + kind, {PATH: path})], [])
                if expect is None:
                    self.refused("no file")
                    continue
                self.pull()
                self.assertEqual(self.files(), expect)
                shutil.rmtree(self.box.work / "out")

    def test_no_archive_and_no_path(self):
        self.packages.modelpack([self.packages.layer(b"x" * 2000, CNCF + "weight.v1.tar")])
        self.refused("is none")

    def test_wrong_diff_id(self):
        for pack, form in ((gzipped, "tar+gzip"), (zstd, "tar+zstd")):
            if pack is zstd and not shutil.which("zstd"):
                continue
            with self.subTest(form):
                self.packages.modelpack([self.packages.layer(pack(tar(("a", b"a"))), f"{CNCF}doc.v1.{form}")],
                                        [sha256(b"other")])
                self.refused("content digest mismatch")

    def test_clashes(self):
        """Two archives, or an archive and a file, that have one name: nothing is laid down."""
        one = self.packages.layer(tar(("good", b"g"), ("a", b"1")), CNCF + "doc.v1.tar")
        two = self.packages.layer(tar(("a", b"2")), CNCF + "doc.v1.tar")
        file = self.packages.layer(b"3", CNCF + "doc.v1.raw", {PATH: "a"})
        inside = self.packages.layer(b"4", CNCF + "doc.v1.raw", {PATH: "a/b"})
        for others in ([two], [file], [inside]):
            self.packages.modelpack([one, *others])
            self.refused("duplicate name")

    def test_hostile_members(self):
        outside = self.box.root / "outside"
        outside.mkdir()
        for name, members in (("up", [("../evil", b"x")]), ("absolute", [("/tmp/coras-evil", b"x")]),
                              ("link out", [link("l", "../../outside")]),
                              ("absolute link", [link("l", str(outside))]),
                              ("through a link", [link("l", "../../outside"), ("l/x", b"x")]),
                              ("hard link out", [link("l", "../x", tarfile.LNKTYPE)])):
            for good in ([], [("good", b"g")]):
                with self.subTest(name, good=bool(good)):
                    self.packages.modelpack([self.packages.layer(tar(*good, *members), CNCF + "code.v1.tar")])
                    self.refused("Error")
                    self.assertEqual(list(outside.iterdir()), [])
        self.assertFalse(os.path.exists("/tmp/coras-evil"))

    def test_members_over_what_is_there(self):
        self.packages.modelpack([self.packages.layer(tar(("a", b"new", 0o600), ("d/x", b"x")), CNCF + "code.v1.tar")])
        (self.box.work / "out" / "d").mkdir(parents=True)
        (self.box.work / "out" / "d" / "mine").write_bytes(b"mine")
        (self.box.work / "out" / "a").write_bytes(b"old")
        self.pull()
        self.assertEqual(self.files(), {"a": b"new", "d/x": b"x", "d/mine": b"mine"})
        self.assertEqual(self.mode("a"), 0o600)

    def test_links_become_files(self):
        self.packages.modelpack([self.packages.layer(
            tar(("d/weights", b"w"), link("model", "d/weights"), link("again", "d/weights", tarfile.LNKTYPE),
                link("nowhere", "missing"), link("directory", "d")), CNCF + "weight.v1.tar")])
        self.pull()
        self.assertEqual(self.files(), {"d/weights": b"w", "model": b"w", "again": b"w"})


class Images(PackageCase):
    """What is below /models/ of an image."""

    def image(self, *tars, pack=bytes, media_type=OCI_LAYER):
        self.packages.image([self.packages.layer(pack(data), media_type) for data in tars],
                            [sha256(data) for data in tars])

    def test_merged(self):
        self.image(tar(("bin/sh", b"sh"), ("models", None), ("models/a", b"a1", 0o600), ("models/old.bin", b"o"),
                       ("models/d/x", b"x"), ("models/d/y", b"y"), ("models/e/z", b"z")),
                   tar(("models/.wh.old.bin", b""), ("models/a", b"a2", 0o640), ("models/d/.wh..wh..opq", b""),
                       ("models/d/new", b"n"), ("models/.wh.e", b""), ("models/e", b"file now")))
        result = self.pull()
        self.assertEqual(self.files(), {"a": b"a2", "d/new": b"n", "e": b"file now"})
        self.assertEqual(self.mode("a"), 0o640)
        self.assertIn("Package: modelcar", result.out)

    def test_whiteouts_of_no_file(self):
        """What they would take away is the directory that they are in, or the one above."""
        for name in (".wh.", ".wh..", ".wh..."):
            for directory in ("models", "models/d"):
                with self.subTest(f"{directory}/{name}"):
                    self.image(tar(("models/d/x", b"x")), tar((f"{directory}/{name}", b""), ("models/a", b"a")))
                    self.refused("takes away what has no name")

    def test_forms(self):
        data = tar(("./models/m.gguf", b"gguf"))
        for pack, media_type in ((gzipped, OCI_LAYER + "+gzip"), (zstd, OCI_LAYER + "+zstd"),
                                 (gzipped, "application/vnd.docker.image.rootfs.diff.tar.gzip")):
            if pack is zstd and not shutil.which("zstd"):
                continue
            with self.subTest(media_type):
                self.image(data, pack=pack, media_type=media_type)
                self.pull()
                self.assertEqual(self.files(), {"m.gguf": b"gguf"})

    def test_model_file(self):
        for name, entry in (("link", link("models/model.file", "tiny/m.gguf")),
                            ("absolute link", link("models/model.file", "/models/tiny/m.gguf")),
                            ("hard link", link("models/model.file", "models/tiny/m.gguf", tarfile.LNKTYPE)),
                            ("file", ("models/model.file", b"gguf"))):
            with self.subTest(name):
                self.image(tar(("models/tiny/m.gguf", b"gguf"), entry))
                self.pull()
                self.assertEqual(self.files(), {"tiny/m.gguf": b"gguf", "model.file": b"gguf"})
                shutil.rmtree(self.box.work / "out")

    def test_path_of_model_file(self):
        """The file that the link leads to, whichever is the first."""
        gguf = b"GGUF\x03" + bytes(19)
        self.image(tar(("models/a.gguf", gguf), ("models/tiny/m.gguf", gguf),
                       link("models/model.file", "tiny/m.gguf")))
        result = self.ok("model", "path", self.reference, env={"ORAS_CACHE": str(self.box.root / "cache")})
        self.assertTrue(json.loads(result.out)["path"].endswith("/tiny/m.gguf"), result)
        self.assertEqual(result.err, "")

    def test_links_out(self):
        for target in ("/etc/passwd", "../etc/passwd", "../../../etc/passwd"):
            with self.subTest(target):
                self.image(tar(("models/a", b"a"), link("models/model.file", target)))
                self.refused("leads out")

    def test_no_models(self):
        self.image(tar(("bin/sh", b"sh"), ("etc/passwd", b"p")))
        self.refused(["bin, etc", "no file of a model"])

    def test_wrong_diff_id(self):
        data = tar(("models/a", b"a"))
        self.packages.image([self.packages.layer(gzipped(data), OCI_LAYER + "+gzip")], [sha256(b"x")])
        self.refused("content digest mismatch")


class Choice(PackageCase):
    """--include, --exclude, --media-type, --dry-run."""

    def fetched(self):
        return len(self.registry.requests("GET", "/blobs/"))

    def test_files(self):
        self.packages.modelpack([self.packages.layer(data, CNCF + "weight.v1.raw", {PATH: name})
                                 for name, (data, _) in TREE.items()])
        for flags, names in ((["--include", "*.safetensors"], [n for n in TREE if n.startswith("model")]),
                             (["--include", "**/config.json"], ["config.json", "sub/config.json"]),
                             (["--exclude", "**/*.{safetensors,json}"], ["README.md"])):
            with self.subTest(flags):
                self.registry.log.clear()
                self.pull(*flags)
                self.assertEqual(sorted(self.files()), sorted(names))
                self.assertEqual(self.fetched(), len(names))
                shutil.rmtree(self.box.work / "out")

    def test_members(self):
        data = tar(("config.json", b"{}"), ("sub", None), ("sub/x.json", b"x"), ("w.bin", b"w"))
        self.packages.modelpack([self.packages.layer(data, CNCF + "weight.v1.tar"),
                                 self.packages.layer(b"r", CNCF + "doc.v1.raw", {PATH: "README.md"})])
        self.pull("--include", "**/*.json", "--exclude", "config.json")
        self.assertEqual(self.files(), {"sub/x.json": b"x"})
        shutil.rmtree(self.box.work / "out")
        self.registry.log.clear()
        self.pull("--media-type", CNCF + "doc.v1.raw")
        self.assertEqual(self.files(), {"README.md": b"r"})
        self.assertEqual(self.fetched(), 1)

    def test_of_an_image(self):
        data = tar(("models/a.gguf", b"a"), ("models/b.gguf", b"b"))
        self.packages.image([self.packages.layer(data, OCI_LAYER)], [sha256(data)])
        self.pull("--include", "b*")
        self.assertEqual(self.files(), {"b.gguf": b"b"})

    def test_nothing(self):
        for entry in (self.packages.layer(tar(("a", b"a")), CNCF + "weight.v1.tar"),
                      self.packages.layer(b"a", CNCF + "weight.v1.raw", {PATH: "a"})):
            self.packages.modelpack([entry])
            result = self.fails("model", "pull", self.reference, "-o", "out", "--include", "*.gguf",
                                contains="nothing matches", hint="a (")
            self.assertEqual([n for n in self.names("out") if not n.endswith("/")], [], result)

    def test_dry_run(self):
        self.packages.modelpack([self.packages.layer(data, CNCF + "weight.v1.raw", {PATH: name})
                                 for name, (data, _) in TREE.items()])
        result = self.pull("--dry-run", "--exclude", "*.md", "--format", "json")
        plan = json.loads(result.out)
        self.assertEqual({f["path"]: f["action"] for f in plan["files"]},
                         {name: "skip" if name == "README.md" else "download" for name in TREE})
        self.assertEqual(plan["bytes"], sum(len(d) for n, (d, _) in TREE.items() if n != "README.md"))
        self.assertEqual(self.fetched(), 0)
        self.assertFalse((self.box.work / "out").exists())
        self.pull()
        plan = json.loads(self.pull("--dry-run", "--format", "json").out)
        self.assertEqual({f["action"] for f in plan["files"]}, {"present"})


class Interrupted(PackageCase):
    def test_goes_on(self):
        """A later run asks for the rest only."""
        data = os.urandom(4 << 20)
        self.packages.modelpack([self.packages.layer(data, CNCF + "weight.v1.raw", {PATH: "m"})])
        half = {"Content-Type": "application/octet-stream", "Content-Length": str(len(data)),
                "Accept-Ranges": "bytes"}
        broken = [True]
        self.registry.on("GET", "/blobs/" + sha256(data),
                         lambda _: Reply(200, half, data[:len(data) // 2]) if broken[0] else None)
        process = self.box.popen(self.box.bin / "oras", "model", "pull", self.reference, "-o", "out")
        stage = self.box.work / "out" / ".coras-partial"
        third = len(data) // 3
        self.wait_until(lambda: stage.is_dir() and any(
            path.read_bytes()[third:third + 1000] == data[third:third + 1000] for path in stage.iterdir()))
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertFalse((self.box.work / "out" / "m").exists())
        broken[0] = False
        self.registry.log.clear()
        self.pull()
        self.assertEqual(self.files(), {"m": data})
        ranges = [r.headers.get("Range") for r in self.registry.requests("GET", "/blobs/")]
        self.assertTrue(all(r and not r.startswith("bytes=0-") for r in ranges), ranges)


class PlainPull(PackageCase):
    """`pull` goes by titles, and says which command knows more."""

    def test_model_packages(self):
        file = self.packages.layer
        for name, put in (
                ("modelpack", lambda: self.packages.modelpack([file(b"x", CNCF + "weight.v1.raw", {PATH: "m"})])),
                ("kitops", lambda: self.packages.kit([file(b"x", KIT + "model.v1.tar")])),
                ("docker", lambda: self.packages.docker(2, [file(b"x", DOCKER_AI + "gguf.v3", {PATH: "m"})])),
                ("ollama", lambda: self.packages.ollama([file(b"x", OLLAMA + "model")]))):
            with self.subTest(name):
                put()
                result = self.ok("pull", self.reference, "-o", "out")
                self.assertIn("Skipped pulling layers without file name", result.out)
                self.assertEqual((result.err.count("\n"), result.err.count("\\")), (1, 0), result)
                self.assertIn(f"({name})", result.err)
                self.assertIn(f"oras model pull {self.reference}", result.err)

    def test_others(self):
        file = self.packages.layer
        for name, put in (
                ("no model", lambda: self.packages.put([file(b"x", "application/x")])),
                ("an image", lambda: self.packages.image([file(tar(("a", b"a")), OCI_LAYER)], [])),
                ("titles", lambda: self.packages.modelpack([file(b"x", CNCF + "weight.v1.raw",
                                                                 {PATH: "m", TITLE: "m"})]))):
            with self.subTest(name):
                put()
                self.assertEqual(self.ok("pull", self.reference, "-o", "out").err, "")


@programs.need_docker_registry
class RealRegistry(CliCase):
    def test_modelpack_by_push(self):
        """A ModelPack as the plain push of files can write it, through a real registry."""
        registry = self.serve_here(DockerRegistry())
        names = ["model.safetensors", "config.json"]
        annotations = {name: {PATH: f"weights/{name}", METADATA: recorded(0o640, "2023-01-02T03:04:05Z", len(name))}
                       for name in names}
        for name in names:
            self.box.write(name, name.encode())
        self.box.write("annotations.json", json.dumps(annotations).encode())
        self.box.write("cfg.json", json.dumps({"modelfs": {"type": "layers", "diffIds": [
            sha256(name.encode()) for name in names]}}).encode())
        reference = f"{registry.host}/m:v1"
        self.ok("push", reference, "--artifact-type", CNCF + "manifest.v1+json",
                "--config", f"cfg.json:{CNCF}config.v1+json", "--annotation-file", "annotations.json",
                *[f"{name}:{CNCF}weight.v1.raw" for name in names])
        result = self.ok("model", "pull", reference, "-o", "out")
        self.assertIn("Package: modelpack", result.out)
        self.assertEqual([n for n in self.names("out") if not n.endswith("/")],
                         sorted(f"weights/{name}" for name in names))
        for name in names:
            path = self.box.work / "out" / "weights" / name
            self.assertEqual(path.read_bytes(), name.encode())
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
            self.assertEqual(path.stat().st_mtime, 1672628645)


if __name__ == "__main__":
    main()
