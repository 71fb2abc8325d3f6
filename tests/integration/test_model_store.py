# SPDX-License-Identifier: Apache-2.0
"""Models in and out of the stores of other programs: the hub's cache and Ollama's."""

import hashlib
import json
import os

from harness import programs
from harness.case import CliCase, layout_refs, main
from harness.models import check_modelpack_config, gguf, safetensors
from harness.servers import DockerRegistry

PATH = "org.cncf.model.filepath"
OLLAMA = "application/vnd.ollama.image."
COMMIT = "ab" * 20


def hex_of(data):
    return hashlib.sha256(data).hexdigest()


WEIGHTS = gguf({"general.architecture": "llama", "general.file_type": 15}, ["w"])
PROJECTOR = gguf({"general.architecture": "clip"}, ["v"])


class StoreCase(CliCase):
    def setUp(self):
        super().setUp()
        self.hub, self.ollama = self.box.work / "hub", self.box.work / "ollama"
        self.env = {"HF_HUB_CACHE": str(self.hub), "OLLAMA_MODELS": str(self.ollama)}

    def pushed(self, layout="lay"):
        manifest = self.blob(layout_refs(self.box.work / layout)["v1"], layout)
        return manifest, self.blob(manifest["config"]["digest"], layout)

    def blob(self, digest, layout="lay"):
        return json.loads(self.read(layout, "blobs/sha256", digest[7:]))

    def import_(self, source, layout="lay", **more):
        self.ok("model", "import", source, "--oci-layout", f"{layout}:v1", env=self.env, **more)
        manifest, config = self.pushed(layout)
        check_modelpack_config(self, config, manifest["layers"])
        return {layer["annotations"][PATH]: layer["digest"][7:] for layer in manifest["layers"]}

    def fill_hub(self, name="models--acme--tiny", commit=COMMIT):
        files = {"model.safetensors": safetensors({"a": ("F32", [4])}), "sub/config.json": b"{}"}
        for path, data in files.items():
            self.box.write(f"hub/{name}/blobs/{hex_of(data)}", data)
            link = self.hub / name / "snapshots" / commit / path
            link.parent.mkdir(parents=True, exist_ok=True)
            up = "../" * (2 + path.count("/"))
            link.symlink_to(f"{up}blobs/{hex_of(data)}")
        self.box.write(f"hub/{name}/refs/main", commit)
        return {path: hex_of(data) for path, data in files.items()}

    def fill_ollama(self, parts, name="registry.ollama.ai/library/tiny/latest", **members):
        layers = []
        for kind, data in parts:
            self.box.write(f"ollama/blobs/sha256-{hex_of(data)}", data)
            layers.append({"mediaType": OLLAMA + kind, "digest": "sha256:" + hex_of(data),
                           "size": len(data)})
        config = b'{"model_format":"gguf","model_family":"llama"}'
        self.box.write(f"ollama/blobs/sha256-{hex_of(config)}", config)
        manifest = json.dumps({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json",
                       "digest": "sha256:" + hex_of(config), "size": len(config)},
            "layers": layers, **members}) + "\n"
        self.box.write(f"ollama/manifests/{name}", manifest)
        return manifest.encode()


class Import(StoreCase):
    def test_a_model_of_the_hub_by_every_name(self):
        files = self.fill_hub()
        for source in ("hf:acme/tiny", "hf:acme/tiny@main", f"hf:acme/tiny@{COMMIT}",
                       "hf:hub/models--acme--tiny", "hub/models--acme--tiny",
                       f"hf:hub/models--acme--tiny/snapshots/{COMMIT}"):
            with self.subTest(source=source):
                self.assertEqual(self.import_(source), files)
                _, config = self.pushed()
                self.assertEqual(config["descriptor"]["revision"], COMMIT)
                self.assertEqual(config["descriptor"]["sourceURL"],
                                 "https://huggingface.co/acme/tiny")

    def test_what_the_hub_does_not_have(self):
        self.fill_hub()
        for source, words in (("hf:acme/other", "acme/other"), ("hf:acme/tiny@v9", "v9"),
                              ("hf:../tiny", "../tiny"), ("hf:acme/tiny@../x", "revision")):
            result = self.fails("model", "import", source, "--oci-layout", "lay:v1", env=self.env,
                                contains=words)
            self.assertTrue(result.err.startswith("Error: "), result.err)  # no registry's answer

    def test_a_model_of_ollama(self):
        self.fill_ollama([("model", WEIGHTS), ("projector", PROJECTOR), ("template", b"{{ . }}"),
                          ("params", b'{"stop":[]}'), ("license", b"MIT")])
        self.assertEqual(self.import_("ollama:tiny"), {
            "model.gguf": hex_of(WEIGHTS), "mmproj.gguf": hex_of(PROJECTOR),
            "template": hex_of(b"{{ . }}"), "params.json": hex_of(b'{"stop":[]}'),
            "license": hex_of(b"MIT")})
        manifest, config = self.pushed()
        self.assertEqual(config["config"]["architecture"], "llama")
        self.assertEqual(manifest["layers"][-1]["annotations"][PATH], "mmproj.gguf")
        self.assertEqual(self.import_("ollama:library/tiny:latest", "two").keys(),
                         self.import_("ollama:registry.ollama.ai/library/tiny", "three").keys())

    def test_a_damaged_store_of_ollama(self):
        self.fill_ollama([("model", WEIGHTS)])
        blob = self.ollama / "blobs" / f"sha256-{hex_of(WEIGHTS)}"
        blob.write_bytes(WEIGHTS[:-1])
        self.fails("model", "import", "ollama:tiny", "--oci-layout", "lay:v1", env=self.env,
                   contains=["bytes, the manifest says", hex_of(WEIGHTS)])
        blob.write_bytes(WEIGHTS[:-1] + b"\1")
        self.fails("model", "import", "ollama:tiny", "--oci-layout", "lay:v1", env=self.env,
                   contains="model.gguf")
        blob.unlink()
        self.fails("model", "import", "ollama:tiny", "--oci-layout", "lay:v1", env=self.env,
                   contains="no such file")
        for name in ("ollama:../x", "ollama:a/../b", "ollama:", "ollama:.x", "ollama:x:../../y"):
            self.fails("model", "import", name, "--oci-layout", "lay:v1", env=self.env,
                       contains="no name of a model of Ollama")


class Export(StoreCase):
    def setUp(self):
        super().setUp()
        self.files = {"config.json": b'{"model_type":"llama"}', "sub/config.json": b"{}",
                      "model.safetensors": safetensors({"a": ("F32", [4])}), "same.json": b"{}"}

    def push(self, files, layout="lay"):
        for name, data in files.items():
            self.box.write(f"m/{name}", data)
        return self.ok("model", "push", "--oci-layout", f"{layout}:v1", "m").digest[7:]

    def to_hub(self, *options):
        return self.ok("model", "export", "--oci-layout", "lay:v1", "hf-cache", "hub", "--name",
                       "acme/tiny", *options)

    def test_into_the_cache_of_the_hub(self):
        commit = self.push(self.files)[:40]
        done = self.to_hub("--format", "json")
        top = self.hub / "models--acme--tiny"
        self.assertEqual(json.loads(done.out)["path"], str(top / "snapshots" / commit))
        for name in ("main", "v1"):
            self.assertEqual((top / "refs" / name).read_text(), commit)
        for name, data in self.files.items():
            link = top / "snapshots" / commit / name
            self.assertTrue(link.is_symlink())
            self.assertEqual(link.resolve(), (top / "blobs" / hex_of(data)).resolve())
            self.assertEqual(link.read_bytes(), data)
        self.assertEqual(len(os.listdir(top / "blobs")), 3)
        self.assertEqual(self.to_hub().code, 0)  # again: nothing changes
        self.assertEqual(len(os.listdir(top / "blobs")), 3)

    def test_content_of_a_local_source_is_linked(self):
        self.push(self.files)
        self.to_hub()
        for data in self.files.values():
            self.assertTrue((self.hub / "models--acme--tiny/blobs" / hex_of(data)).samefile(
                self.box.work / "lay/blobs/sha256" / hex_of(data)))

    def test_a_damaged_source_is_not_linked(self):
        self.push(self.files)
        data = self.files["model.safetensors"]
        path = self.box.work / "lay/blobs/sha256" / hex_of(data)
        path.chmod(0o644)
        path.write_bytes(data[:-1] + b"\0")
        self.fails("model", "export", "--oci-layout", "lay:v1", "hf-cache", "hub", "--name", "a/b",
                   contains="digest")
        top = self.hub / "models--a--b"
        self.assertFalse((top / "refs").exists() or (top / "blobs" / hex_of(data)).exists())

    def test_the_commit_comes_back(self):
        self.fill_hub("models--acme--first")
        self.ok("model", "import", "hf:acme/first", "--oci-layout", "lay:v1", env=self.env)
        self.to_hub()
        self.assertEqual((self.hub / "models--acme--tiny/refs/main").read_text(), COMMIT)

    def test_names_that_a_store_cannot_have(self):
        self.push(self.files)
        for store, name in (("hf-cache", "../x"), ("hf-cache", "a/b/c"), ("hf-cache", "a--b"),
                            ("hf-cache", ".x/y"), ("ollama", "../x"), ("ollama", "a/b/c/d")):
            self.fails("model", "export", "--oci-layout", "lay:v1", store, "out", "--name", name,
                       contains="no name of a model")
        self.fails("model", "export", "--oci-layout", "lay:v1", "s3", "out",
                   contains="unknown store: s3")

    def test_a_tag_or_an_archive(self):
        self.box.write("dir/config.json", "{}")
        self.ok("push", "--oci-layout", "lay:v1", "dir")
        self.fails("model", "export", "--oci-layout", "lay:v1", "hf-cache", "hub", "--name", "a/b",
                   contains="is in an archive")

    def ollama_manifest(self, name="registry.ollama.ai/library/tiny/v1"):
        return json.loads((self.ollama / "manifests" / name).read_bytes())

    def ollama_blob(self, digest):
        data = (self.ollama / "blobs" / digest.replace(":", "-")).read_bytes()
        self.assertEqual("sha256:" + hex_of(data), digest)
        return data

    def test_into_the_store_of_ollama(self):
        self.push({"model.gguf": WEIGHTS, "mmproj.gguf": PROJECTOR, "template": b"{{ . }}",
                   "LICENSE": b"MIT", "README.md": b"# x"})
        self.ok("model", "export", "--oci-layout", "lay:v1", "ollama", "ollama", "--name",
                "tiny:v1")
        manifest = self.ollama_manifest()
        self.assertEqual([layer["mediaType"] for layer in manifest["layers"]],
                         [OLLAMA + kind for kind in ("model", "projector", "license", "template")])
        self.assertEqual([self.ollama_blob(layer["digest"]) for layer in manifest["layers"]],
                         [WEIGHTS, PROJECTOR, b"MIT", b"{{ . }}"])
        config = json.loads(self.ollama_blob(manifest["config"]["digest"]))
        self.assertEqual((config["model_format"], config["model_family"], config["file_type"]),
                         ("gguf", "llama", "Q4_K_M"))

    def test_ollama_loads_one_gguf(self):
        self.push(self.files)
        export = ("model", "export", "--oci-layout", "lay:v1", "ollama", "ollama", "--name", "x")
        self.fails(*export, contains="Ollama loads GGUF, and the package has none")
        self.push({"a.gguf": WEIGHTS, "b.gguf": WEIGHTS + b""})
        self.fails(*export, contains="Ollama loads one file")
        self.ok(*export, "--include", "a.gguf")
        self.assertFalse(os.listdir(self.ollama / "manifests") != ["registry.ollama.ai"])


@programs.need_docker_registry
class ThroughARegistry(StoreCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(DockerRegistry())
        self.reference = f"{self.registry.host}/acme/tiny:v1"

    def test_there_and_back(self):
        files = self.fill_hub()
        self.ok("model", "import", "hf:acme/tiny", self.reference, env=self.env)
        self.ok("model", "export", self.reference, "hf-cache", "back")
        top = self.box.work / "back/models--acme--tiny"
        self.assertEqual((top / "refs/main").read_text(), COMMIT)
        for path, digest in files.items():
            self.assertEqual(hex_of((top / "snapshots" / COMMIT / path).read_bytes()), digest)

    def test_nothing_is_moved_twice(self):
        self.fill_hub()
        self.ok("model", "import", "hf:acme/tiny", self.reference, env=self.env)
        self.ok("model", "export", self.reference, "hf-cache", "back")
        before = len(self.registry.requests())
        self.ok("model", "export", self.reference, "hf-cache", "back")
        self.assertFalse([path for method, path, _ in self.registry.requests()[before:]
                          if method == "GET" and "/blobs/" in path])

    def test_a_package_of_ollama_stays_what_it_is(self):
        manifest = self.fill_ollama([("model", WEIGHTS), ("params", b"{}")])
        value = json.loads(manifest)
        api = self.api(self.registry)
        for blob in (value["config"], *value["layers"]):
            api.push_blob("o/tiny", (self.ollama / "blobs" / blob["digest"].replace(":", "-"))
                          .read_bytes(), blob["digest"])
        api.push_manifest("o/tiny", "v1", manifest, value["mediaType"])
        self.ok("model", "export", f"{self.registry.host}/o/tiny:v1", "ollama", "back")
        self.assertEqual(self.read("back/manifests/registry.ollama.ai/library/tiny/v1"), manifest)
        self.assertEqual(sorted(os.listdir(self.box.work / "back/blobs")),
                         sorted(os.listdir(self.ollama / "blobs")))

    @programs.need_model_python
    def test_the_hubs_client_finds_it_offline(self):
        files = self.fill_hub()
        self.ok("model", "import", "hf:acme/tiny", self.reference, env=self.env)
        self.ok("model", "export", self.reference, "hf-cache", "back", "--name", "acme/again")
        code = ("import sys, huggingface_hub as h\n"
                "for revision in ('main', 'v1', sys.argv[1]):\n"
                "    print(h.snapshot_download('acme/again', revision=revision,\n"
                "                              local_files_only=True, cache_dir='back'))\n"
                "print(h.hf_hub_download('acme/again', 'sub/config.json', local_files_only=True,\n"
                "                        cache_dir='back'))\n")
        done = self.box.run("env", programs.MODEL_PYTHON, "-c", code, COMMIT, check=0,
                            env={"HF_HUB_OFFLINE": "1"})
        *snapshots, config = done.out.splitlines()
        self.assertEqual(len(set(snapshots)), 1)
        for path, digest in files.items():
            with open(os.path.join(self.box.work, snapshots[0], path), "rb") as file:
                self.assertEqual(hex_of(file.read()), digest)
        self.assertTrue(config.endswith("sub/config.json"))


if __name__ == "__main__":
    main()
