# SPDX-License-Identifier: Apache-2.0
"""model pull: every form of package becomes the directory that engines want."""

import os
import stat
import unittest

from harness.case import CliCase, main
from harness.packages import *
from harness.scripted import Reply, ScriptedRegistry, compact, layer, sha256

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
        self.assertEqual(result.err, "")

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


if __name__ == "__main__":
    main()
