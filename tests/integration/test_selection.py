# SPDX-License-Identifier: Apache-2.0
"""Parts of an artifact: --include, --exclude, --media-type and --dry-run of pull and cp."""

import json
import os

from harness import programs
from harness.case import CliCase, layout_refs, main
from harness.proxy import FaultProxy
from harness.servers import DockerRegistry

BIG = 300_000
FILES = {"config.json": 700, "model-1.safetensors": BIG, "model-2.safetensors": BIG,
         "original/model.bin": BIG, "original/params.json": 300, "tokenizer/a/vocab.txt": 2000}


@programs.need_docker_registry
class Selection(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))
        cls.content = {name: os.urandom(size) for name, size in FILES.items()}

    def setUp(self):
        super().setUp()
        for name, content in self.content.items():
            self.box.write(name, content)
        self.ref = f"{self.proxy.host}/model:v1"
        typed = [f"{name}:application/x-{name.rsplit('.')[-1]}" for name in FILES]
        self.digest = self.ok("push", self.ref, *typed).digest
        self.proxy.clear()

    def assertMoved(self, names):
        """These contents and at most 1 % more crossed the wire."""
        moved, chosen = self.proxy.received(), sum(FILES[name] for name in names)
        self.assertGreaterEqual(moved, chosen)
        self.assertLessEqual(moved, chosen * 1.01 + 2)  # and the empty config

    def assertTree(self, directory, names):
        self.assertEqual([n for n in self.names(directory) if not n.endswith("/")], sorted(names))
        for name in names:
            self.assertEqual(self.read(directory, name), self.content[name], name)

    # ---- pull ----

    def test_pull_takes_what_matches(self):
        for options, names in (
                (["--include", "*.safetensors"], ["model-1.safetensors", "model-2.safetensors"]),
                (["--include", "**/*.json", "--include", "tokenizer/**"],
                 ["config.json", "original/params.json", "tokenizer/a/vocab.txt"]),
                (["--exclude", "**/*.{safetensors,bin}"],
                 ["config.json", "original/params.json", "tokenizer/a/vocab.txt"]),
                (["--include", "*.safetensors", "--exclude", "*2*"], ["model-1.safetensors"]),
                (["--media-type", "application/x-bin"], ["original/model.bin"]),
                (["--media-type", "application/x-bin", "--media-type", "application/x-txt",
                  "--include", "tokenizer"], []),
        ):
            with self.subTest(options):
                self.proxy.clear()
                out = "-".join(options).replace("/", "_")
                if not names:
                    self.fails("pull", self.ref, "-o", out, *options)
                    self.assertEqual(self.proxy.received(), 0)
                    continue
                self.ok("pull", self.ref, "-o", out, *options)
                self.assertTree(out, names)
                self.assertMoved(names)

    def test_what_matches_nothing_is_told_with_what_there_is(self):
        result = self.fails("pull", self.ref, "-o", "out", "--include", "*.gguf",
                            contains="nothing matches the selection",
                            hint=["config.json (application/x-json)", "tokenizer/a/vocab.txt"])
        self.assertNotIn("registry", result.err)
        self.assertFalse((self.box.work / "out").exists())
        self.fails("cp", self.ref, "--to-oci-layout", "part:v1", "--include", "*.gguf",
                   contains="nothing matches the selection", hint="config.json")
        self.assertEqual(layout_refs(self.box.work / "part"), {})
        self.assertEqual(self.proxy.received(), 0)

    def test_names_of_strangers_are_shown_harmlessly_and_not_endlessly(self):
        titles = [f"evil\x1b[31m{number}" + "x" * 400 for number in range(40)]
        blob = self.ok("blob", "push", f"{self.proxy.host}/model", "config.json").digest
        layers = [{"mediaType": "a/b", "digest": blob, "size": FILES["config.json"],
                   "annotations": {"org.opencontainers.image.title": title}} for title in titles]
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": {"mediaType": "a/c", "digest": blob, "size": FILES["config.json"]},
                    "layers": layers}
        self.box.write("m.json", json.dumps(manifest).encode())
        self.ok("manifest", "push", f"{self.proxy.host}/model:evil", "m.json")
        result = self.fails("pull", f"{self.proxy.host}/model:evil", "--include", "a", hint="…")
        self.assertPrintable(result.err)
        self.assertLess(len(result.err), 4000)

    def test_a_pattern_that_is_none_is_refused_before_anything_is_asked(self):
        self.fails("pull", self.ref, "--include", "[a", contains='invalid pattern "[a"')
        self.fails("cp", self.ref, "--to-oci-layout", "part:v1", "--exclude", "{a",
                   contains='invalid pattern "{a"')
        self.assertEqual(self.proxy.requests(), [])

    def test_a_model_is_chosen_from_by_the_paths_that_it_gets(self):
        options = ["--include", "*.safetensors", "--include", "config.json"]
        plan = json.loads(self.ok("model", "pull", self.ref, "-o", "out", *options, "--dry-run",
                                  "--format", "json").out)
        self.assertEqual(plan["bytes"], 2 * BIG + 700)
        self.assertFalse((self.box.work / "out").exists())
        self.ok("model", "pull", self.ref, "-o", "out", *options)
        self.assertTree("out", ["config.json", "model-1.safetensors", "model-2.safetensors"])
        self.assertEqual(self.proxy.received(), plan["bytes"])
        self.fails("model", "pull", self.ref, "--include", "*.gguf",
                   contains="nothing matches the selection", hint="config.json")

    # ---- dry runs ----

    def test_a_dry_run_of_pull_says_what_a_pull_then_does(self):
        self.box.write("out/config.json", self.content["config.json"])
        self.box.write("out/model-1.safetensors", b"x" * BIG)
        options = ["-o", "out", "--exclude", "original/*"]
        before = self.names("out")
        plan = json.loads(self.ok("pull", self.ref, *options, "--dry-run", "--format", "json").out)
        self.assertEqual(self.proxy.received(), 0)
        self.assertEqual(self.names("out"), before)
        self.assertEqual(plan["digest"], self.digest)
        self.assertEqual(plan["reference"], self.ref)
        self.assertEqual({f["path"]: f["action"] for f in plan["files"]}, {
            "config.json": "present", "model-1.safetensors": "download",
            "model-2.safetensors": "download", "original/model.bin": "skip",
            "original/params.json": "skip", "tokenizer/a/vocab.txt": "download"})
        self.assertEqual({f["path"]: f["size"] for f in plan["files"]}, FILES)
        self.assertEqual(plan["bytes"], 2 * BIG + 2000)
        text = self.ok("pull", self.ref, *options, "--dry-run").out
        self.assertIn("Would be pulled: 3 of 6", text)
        self.assertRegex(text, r"(?m)^Present  +\w{12} .* config.json$")
        self.ok("pull", self.ref, *options)
        self.assertEqual(self.proxy.received(), plan["bytes"])
        again = json.loads(self.ok("pull", self.ref, *options, "--dry-run", "--format", "json").out)
        self.assertEqual(again["bytes"], 0)

    def test_a_dry_run_makes_nothing(self):
        self.ok("pull", self.ref, "-o", "new/out", "--dry-run")
        self.assertFalse((self.box.work / "new").exists())
        self.ok("cp", self.ref, "--to-oci-layout", "new/layout:v1", "--dry-run")
        self.assertFalse((self.box.work / "new").exists())

    def test_a_dry_run_keeps_what_an_interrupted_pull_left(self):
        self.box.write("out/.coras-partial/sha256-" + "0" * 64 + ".partial", b"x")
        (self.box.work / "out/.coras-partial").chmod(0o700)
        before = self.names("out")
        self.ok("pull", self.ref, "-o", "out", "--dry-run")
        self.assertEqual(self.names("out"), before)

    def test_a_dry_run_of_cp_counts_what_the_destination_lacks(self):
        other = f"{self.registry.host}/other:v1"
        whole = self.ok("cp", self.ref, other, "--dry-run").out
        self.assertIn("Would be copied: 8 of 8", whole)
        self.assertNotIn("other", self.api(self.registry).catalog())
        self.ok("cp", self.ref, other)
        self.assertIn("Would be copied: 0 of 1", self.ok("cp", self.ref, other, "--dry-run").out)

    # ---- cp ----

    def test_cp_takes_a_part_into_a_layout_and_a_later_cp_the_rest(self):
        part = self.ok("cp", self.ref, "--to-oci-layout", "part:v1", "--include", "*.json")
        self.assertIn("The layout holds a part", part.err)
        self.assertMoved(["config.json"])
        self.assertEqual(layout_refs(self.box.work / "part"), {"v1": self.digest})
        self.ok("pull", "--oci-layout", "part:v1", "-o", "out", "--include", "*.json")
        self.assertTree("out", ["config.json"])
        self.fails("pull", "--oci-layout", "part:v1", "-o", "whole", contains="not found")
        self.ok("cp", self.ref, "--to-oci-layout", "part:v1", "--include", "tokenizer/**")
        self.proxy.clear()
        whole = self.ok("cp", self.ref, "--to-oci-layout", "part:v1")
        self.assertNotIn("part", whole.err)
        self.assertMoved(["model-1.safetensors", "model-2.safetensors", "original/model.bin",
                          "original/params.json"])
        self.ok("pull", "--oci-layout", "part:v1", "-o", "all")
        self.assertTree("all", list(FILES))
        self.proxy.clear()
        self.ok("cp", self.ref, "--to-oci-layout", "part:v1")
        self.assertEqual(self.proxy.received(), 0)

    def test_cp_knows_the_paths_of_model_packages(self):
        names = {"org.cncf.model.filepath": "config.json", "org.cnai.model.filepath": "sub/a.bin"}
        layers = []
        for key, name in names.items():
            self.box.write("layer", name.encode())
            blob = self.ok("blob", "push", f"{self.proxy.host}/model", "layer").digest
            layers.append({"mediaType": "a/b", "digest": blob, "size": len(name),
                           "annotations": {key: name}})
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": layers[0], "layers": layers}
        self.box.write("m.json", json.dumps(manifest).encode())
        self.ok("manifest", "push", f"{self.proxy.host}/model:packed", "m.json")
        plan = self.ok("cp", f"{self.proxy.host}/model:packed", "--to-oci-layout", "part:v1",
                       "--include", "sub/**", "--dry-run").out
        self.assertRegex(plan, r"(?m)^Download .* sub/a.bin$")
        self.assertRegex(plan, r"(?m)^Skip .* config.json$")
        self.fails("pull", f"{self.proxy.host}/model:packed", "--include", "sub/**",
                   contains="nothing matches the selection")

    def test_a_whole_layout_stays_whole(self):
        self.ok("cp", self.ref, "--to-oci-layout", "whole:v1")
        again = self.ok("cp", self.ref, "--to-oci-layout", "whole:v2", "--include", "*.json")
        self.assertNotIn("part", again.err)
        self.proxy.clear()
        self.ok("cp", self.ref, "--to-oci-layout", "whole:v3")
        self.assertEqual(self.proxy.received(), 0)

    def test_cp_of_a_part_into_a_registry_is_refused(self):
        self.fails("cp", self.ref, f"{self.registry.host}/other:part", "--include", "*.json",
                   contains="only an OCI layout holds a part of an artifact")
        self.assertEqual(self.proxy.received(), 0)


if __name__ == "__main__":
    main()
