# SPDX-License-Identifier: Apache-2.0
"""A directory becomes a ModelPack artifact that other programs read."""

import hashlib
import json
import os

from harness import programs
from harness.case import CliCase, layout_refs, main
from harness.models import check_modelpack_config, gguf, safetensors, safetensors_raw
from harness.servers import Api, DockerRegistry

KIND = "application/vnd.cncf.model.{}.v1.raw"
PATH = "org.cncf.model.filepath"
CARD = """---
license: apache-2.0
language: [en]
pipeline_tag: text-generation
base_model:
- acme/base
---
# Tiny
"""


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class ModelPush(CliCase):
    def model(self, name="m"):
        """A small model with one file of each kind."""
        write = self.box.write
        write(f"{name}/config.json",
              '{"model_type":"llama","architectures":["LlamaForCausalLM"]}')
        write(f"{name}/sub/config.json", "{}")
        write(f"{name}/model.safetensors",
              safetensors({"a": ("BF16", [300, 4]), "b": ("F32", [10])}))
        write(f"{name}/README.md", CARD)
        write(f"{name}/modeling.py", "import os\n")
        return name

    def layout_of(self, *options, directory="m", layout="lay", **more):
        """Push into a layout: (manifest, config)."""
        self.ok("model", "push", "--oci-layout", f"{layout}:v1", directory, *options, **more)
        return self.pushed(layout)

    def pushed(self, layout="lay"):
        digest = layout_refs(self.box.work / layout)["v1"]
        manifest = self.blob(digest, layout)
        return manifest, self.blob(manifest["config"]["digest"], layout)

    def blob(self, digest, layout="lay"):
        return json.loads(self.read(layout, "blobs/sha256", digest[7:]))

    @staticmethod
    def layers(manifest):
        return {layer["annotations"][PATH]: layer for layer in manifest["layers"]}

    # ---- what is written ----

    def test_the_artifact_is_a_modelpack(self):
        self.model()
        manifest, config = self.layout_of()
        self.assertEqual(manifest["artifactType"],
                         "application/vnd.cncf.model.manifest.v1+json")
        self.assertEqual(manifest["config"]["mediaType"],
                         "application/vnd.cncf.model.config.v1+json")
        check_modelpack_config(self, config, manifest["layers"])
        self.assertEqual(config["config"], {
            "architecture": "LlamaForCausalLM", "format": "safetensors", "paramSize": "1.2k",
            "precision": "bfloat16,float32",
            "capabilities": {"inputTypes": ["text"], "outputTypes": ["text"], "languages": ["en"]},
        })
        self.assertEqual(config["descriptor"]["licenses"], ["Apache-2.0"])
        self.assertEqual(manifest["annotations"], {
            "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
            "org.opencontainers.image.licenses": "Apache-2.0",
            "dev.coras.card.base_model": "acme/base", "dev.coras.card.language": "en",
            "dev.coras.card.pipeline_tag": "text-generation",
        })

    def test_layers_are_the_files(self):
        self.model()
        manifest, _ = self.layout_of()
        self.assertEqual([layer["annotations"][PATH] for layer in manifest["layers"]],
                         ["README.md", "config.json", "model.safetensors", "modeling.py",
                          "sub/config.json"])
        kinds = ["doc", "weight.config", "weight", "code", "weight.config"]
        for layer, kind in zip(manifest["layers"], kinds):
            name = layer["annotations"][PATH]
            data = self.read("m", name)
            self.assertEqual(layer["mediaType"], KIND.format(kind))
            self.assertEqual(layer["digest"], sha256(data))
            self.assertEqual(layer["annotations"]["org.opencontainers.image.title"], name)
            self.assertEqual(json.loads(layer["annotations"]["org.cncf.model.file.metadata+json"]),
                             {"name": os.path.basename(name), "mode": 420, "uid": 0, "gid": 0,
                              "size": len(data), "mtime": "1970-01-01T00:00:00Z", "typeflag": 48})

    def test_headers_can_be_verified_later(self):
        self.model()
        weights = gguf({"general.architecture": "llama", "general.file_type": 15}, ["w"])
        self.box.write("m/w.gguf", weights)
        layers = self.layers(self.layout_of()[0])
        tensors = self.read("m/model.safetensors")
        size = 8 + int.from_bytes(tensors[:8], "little")
        for name, data, size, form in (("model.safetensors", tensors, size, "safetensors"),
                                       ("w.gguf", weights, len(weights) - 16, "gguf/3")):
            notes = layers[name]["annotations"]
            self.assertEqual(notes["dev.coras.format"], form)
            self.assertEqual(notes["dev.coras.header.size"], str(size))
            self.assertEqual(notes["dev.coras.header.digest"], sha256(data[:size]))
            self.assertEqual(notes["org.cncf.model.file.mediatype.untested"], "false")
        self.assertEqual(layers["modeling.py"]["annotations"]["dev.coras.unsafe"], "python")

    def test_content_counts_and_not_names(self):
        pickle = b"\x80\x02}q\x00."
        self.box.write("m/a.txt", safetensors({"a": ("F32", [2])}))
        self.box.write("m/b.safetensors", pickle)
        layers = self.layers(self.layout_of()[0])
        self.assertEqual(layers["a.txt"]["mediaType"], KIND.format("weight"))
        self.assertEqual(layers["b.safetensors"]["annotations"]["dev.coras.unsafe"], "pickle")

    def test_what_goes_with_a_gguf_comes_behind_it(self):
        self.box.write("m/a-mmproj.gguf", gguf({"general.architecture": "clip"}, ["v"]))
        self.box.write("m/model.gguf",
                       gguf({"general.architecture": "qwen2", "general.name": "Tiny",
                             "general.license": "mit", "general.file_type": 15,
                             "tokenizer.chat_template": "{% if tools %}<think>"}, ["w"]))
        manifest, config = self.layout_of()
        self.assertEqual(list(self.layers(manifest)), ["model.gguf", "a-mmproj.gguf"])
        self.assertEqual(config["config"]["architecture"], "qwen2")
        self.assertEqual(config["config"]["quantization"], "Q4_K_M")
        self.assertEqual(config["config"]["capabilities"], {"reasoning": True, "toolUsage": True})
        self.assertEqual(config["descriptor"]["name"], "Tiny")
        self.assertEqual(config["descriptor"]["licenses"], ["MIT"])

    def test_one_directory_has_one_digest(self):
        self.model("m")
        self.model("n")
        os.utime(self.box.work / "n/config.json", (1, 1))
        os.chmod(self.box.work / "n/config.json", 0o600)
        self.box.write("n/.DS_Store", "x")
        first = self.ok("model", "push", "--oci-layout", "a:v1", "m").digest
        self.assertEqual(self.ok("model", "push", "--oci-layout", "b:v1", "n").digest, first)
        dated = self.ok("model", "push", "--oci-layout", "c:v1", "m",
                        env={"SOURCE_DATE_EPOCH": "1700000000"}).digest
        self.assertNotEqual(dated, first)
        manifest, config = self.pushed("c")
        self.assertEqual(manifest["annotations"]["org.opencontainers.image.created"],
                         "2023-11-14T22:13:20Z")
        self.assertEqual(config["descriptor"]["createdAt"], "2023-11-14T22:13:20Z")

    def test_one_file_is_a_model_too(self):
        self.model()
        manifest, _ = self.layout_of(directory="m/model.safetensors")
        self.assertEqual(list(self.layers(manifest)), ["model.safetensors"])

    def test_annotations_of_the_user_win(self):
        self.model()
        manifest, _ = self.layout_of("--annotation", "org.opencontainers.image.licenses=MIT",
                                     "-a", "x=y")
        self.assertEqual(manifest["annotations"]["org.opencontainers.image.licenses"], "MIT")
        self.assertEqual(manifest["annotations"]["x"], "y")

    # ---- which files ----

    def test_what_never_belongs_to_a_model_is_left_out(self):
        self.model()
        for name in (".git/config", ".gitattributes", ".cache/huggingface/x", "a.incomplete",
                     "b.lock", "sub/.DS_Store", "__pycache__/m.pyc"):
            self.box.write(f"m/{name}", "x")
        done = self.ok("model", "push", "--oci-layout", "lay:v1", "m")
        self.assertEqual(done.err, "Left out: .cache/, .git/, .gitattributes, __pycache__/, "
                                   "a.incomplete and 2 more\n")
        self.assertEqual(len(self.pushed()[0]["layers"]), 5)

    def test_patterns_choose(self):
        self.model()
        manifest, _ = self.layout_of("--exclude", "**/*.py", "--exclude", "sub/**")
        self.assertEqual(list(self.layers(manifest)),
                         ["README.md", "config.json", "model.safetensors"])
        manifest, _ = self.layout_of("--include", "*.safetensors", layout="two")
        self.assertEqual(list(self.layers(manifest)), ["model.safetensors"])
        self.fails("model", "push", "--oci-layout", "no:v1", "m", "--include", "*.gguf",
                   contains="holds no file to push")

    def test_excluding_spares_what_could_not_be_pushed(self):
        self.model()
        (self.box.work / "m/out").symlink_to("/etc/passwd")
        os.mkfifo(self.box.work / "m/pipe")
        self.layout_of("--exclude", "out", "--exclude", "pipe")

    def test_parts_that_are_missing_are_told(self):
        part = safetensors({"a": ("F32", [2])})
        index = {"weight_map": {"a": "model-00001-of-00003.safetensors",
                                "b": "model-00002-of-00003.safetensors",
                                "c": "model-00003-of-00003.safetensors"}}
        self.box.write("m/model-00001-of-00003.safetensors", part)
        self.box.write("m/model.safetensors.index.json", json.dumps(index))
        done = self.ok("model", "push", "--oci-layout", "lay:v1", "m")
        lines = done.err.splitlines()
        self.assertEqual(len(lines), 2, done)
        for line in lines:
            self.assertIn("2 files of the model are missing: model-00002-of-00003.safetensors",
                          line)

    # ---- links ----

    def test_links_in_the_directory_are_names(self):
        self.model()
        (self.box.work / "m/copy.json").symlink_to("sub/config.json")
        layers = self.layers(self.layout_of()[0])
        self.assertEqual(layers["copy.json"]["digest"], layers["sub/config.json"]["digest"])

    def hub(self, content, name=None, size=None):
        """A snapshot whose one large file is a link to a blob; its path."""
        repository = "hub/models--acme--tiny"
        blob = name or hashlib.sha256(content).hexdigest()
        snapshot = f"{repository}/snapshots/{'ab' * 20}"
        self.box.write(f"{repository}/blobs/{blob}", content)
        self.box.write(f"{repository}/blobs/{'cd' * 20}", "{}")
        os.makedirs(self.box.work / snapshot / "sub")
        (self.box.work / snapshot / "model.safetensors").symlink_to(f"../../blobs/{blob}")
        (self.box.work / snapshot / "sub/config.json").symlink_to(f"../../../blobs/{'cd' * 20}")
        return snapshot

    def test_a_snapshot_of_the_hub_is_followed(self):
        content = safetensors({"a": ("F32", [4])})
        manifest, config = self.layout_of(directory=self.hub(content))
        layers = self.layers(manifest)
        self.assertEqual(layers["model.safetensors"]["digest"], sha256(content))
        self.assertEqual(layers["sub/config.json"]["size"], 2)
        self.assertEqual(config["descriptor"]["sourceURL"], "https://huggingface.co/acme/tiny")
        self.assertEqual(config["descriptor"]["revision"], "ab" * 20)

    def test_a_blob_that_is_not_what_its_name_says(self):
        content = safetensors({"a": ("F32", [4])})
        snapshot = self.hub(content, name="0" * 64)
        for argv in (("--oci-layout", "lay:v1"), (f"{self.registry_here().host}/m:v1",)):
            self.fails("model", "push", *argv, snapshot, contains=["model.safetensors", "0" * 64])
        self.assertFalse((self.box.work / "lay/index.json").exists()
                         and layout_refs(self.box.work / "lay"))

    def registry_here(self):
        if not programs.DOCKER_REGISTRY:
            self.skipTest("docker-registry is not installed")
        return self.serve_here(DockerRegistry())

    def test_what_the_registry_has_is_not_read(self):
        registry = self.registry_here()
        content = safetensors({"a": ("F32", [4])})
        snapshot = self.hub(content)
        self.ok("model", "push", f"{registry.host}/m:v1", snapshot)
        blob = self.box.work / "hub/models--acme--tiny/blobs" / sha256(content)[7:]
        blob.write_bytes(content[:-1] + b"\0")  # nobody looks: its name is enough
        done = self.ok("model", "push", f"{registry.host}/m:v2", snapshot, "--annotation", "x=y")
        self.assertIn("Exists", done.out)

    # ---- what is refused ----

    def refuses(self, contains, **more):
        self.fails("model", "push", "--oci-layout", "lay:v1", "m", contains=contains, **more)
        self.assertFalse((self.box.work / "lay/index.json").exists())

    def test_links_that_lead_out(self):
        for target in ("/etc/passwd", "../secret", "sub/../../secret"):
            with self.subTest(target=target):
                self.model()
                self.box.write("secret", "x")
                link = self.box.work / "m/out.json"
                link.symlink_to(target)
                self.refuses("out.json")
                link.unlink()

    def test_things_that_are_no_files(self):
        self.model()
        os.mkfifo(self.box.work / "m/pipe")
        self.refuses("pipe: neither a file nor a directory")
        os.unlink(self.box.work / "m/pipe")
        (self.box.work / "m/again").symlink_to("sub")
        self.refuses("again: a link to a directory")

    def test_as_deep_as_can_be_opened_again(self):
        self.model()
        self.box.write("m" + "/a" * 64 + "/weights.bin", b"w")
        self.ok("model", "push", "--oci-layout", "lay:v1", "m")
        self.ok("model", "inspect", "m")
        self.box.write("m" + "/a" * 65 + "/weights.bin", b"w")
        self.fails("model", "push", "--oci-layout", "lay:v2", "m", contains="more than 64 deep", hint=())
        self.fails("model", "inspect", "m", contains="more than 64 deep", hint=())

    def test_names(self):
        self.model()
        self.box.write("m/CONFIG.json", "{}")
        self.refuses("differ in the case of letters only")
        os.unlink(self.box.work / "m/CONFIG.json")
        for name in (b"a\xff", b"a\nb", b"a\\b"):
            path = os.fsencode(self.box.work) + b"/m/" + name
            with open(path, "w", encoding="utf-8"):
                pass
            self.refuses("a name with control characters")
            os.unlink(path)

    def test_headers_are_checked_before_anything_is_sent(self):
        self.model()
        data = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
        for name, content in (
                ("hole.safetensors", safetensors_raw(data.replace(b"[0,1]", b"[1,2]"), b"12")),
                ("trailing.safetensors", safetensors_raw(data, b"12")),
                ("short.safetensors", safetensors_raw(data)[:40]),
                ("tiny.safetensors", b"x"),
                ("cut.gguf", gguf({"general.architecture": "llama"}, ["w"])[:60])):
            with self.subTest(name=name):
                path = self.box.write(f"m/{name}", content)
                self.refuses(f"{name}: ")
                path.unlink()

    def test_a_pointer_of_git_lfs_is_no_file(self):
        self.model()
        self.box.write("m/model.safetensors", "version https://git-lfs.github.com/spec/v1\n"
                                              "oid sha256:00\nsize 1\n")
        self.refuses("model.safetensors: a pointer of Git LFS")

    def test_nothing_to_push(self):
        (self.box.work / "m").mkdir()
        self.refuses("holds no file to push")
        self.fails("model", "push", "--oci-layout", "lay:v1", "gone", contains="gone")


@programs.need_docker_registry
class OtherPrograms(CliCase):
    """What was pushed, as others see it."""

    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(DockerRegistry())
        self.files = {
            "config.json": b'{"model_type":"llama"}',
            "unet/model.safetensors": safetensors({"a": ("F16", [3000])}),
            "model.safetensors": safetensors({"a": ("BF16", [20 << 20])}),  # hashed while sent
            "empty.txt": b"",
        }
        for name, data in self.files.items():
            self.box.write(f"m/{name}", data)
        self.reference = f"{self.registry.host}/acme/tiny:v1"
        self.digest = self.ok("model", "push", self.reference, "m").digest

    def assertFiles(self, directory):
        got = {name: self.read(directory, name) for name in self.files}
        self.assertEqual(got, self.files)

    @programs.need_oras
    def test_upstream_pulls_the_files(self):
        self.box.run(programs.ORAS, "pull", "--plain-http", self.reference, "-o", "out", check=0)
        self.assertFiles("out")
        fetched = self.box.run(programs.ORAS, "manifest", "fetch", "--plain-http", self.reference,
                               check=0).out
        self.assertEqual(sha256(fetched.encode()), self.digest)
        layers = json.loads(fetched)["layers"]
        config = self.box.run(programs.ORAS, "manifest", "fetch-config", "--plain-http",
                              self.reference, check=0).out
        check_modelpack_config(self, json.loads(config), layers)

    def test_ours_pulls_the_files(self):
        self.assertEqual(self.ok("pull", self.reference, "-o", "out", "--dry-run").err, "")
        self.ok("pull", self.reference, "-o", "out")
        self.assertFiles("out")

    @programs.need_skopeo
    def test_skopeo_copies_it(self):
        self.box.run(programs.SKOPEO, "copy", "--src-tls-verify=false", "--dest-tls-verify=false",
                     f"docker://{self.reference}", f"docker://{self.registry.host}/copy:v1",
                     check=0)
        self.assertEqual(Api(self.registry.host).digest("copy", "v1"), self.digest)

    @programs.need_docker_model
    def test_dockers_library_lays_the_files_down(self):
        done = self.box.run(programs.DOCKER_MODEL, "store", self.reference, check=0)
        bundle = done.out.splitlines()[-1]
        for name, data in self.files.items():
            self.assertEqual(self.read(bundle, "model", name), data)

    def test_again_nothing_is_sent(self):
        before = len(self.registry.requests())
        done = self.ok("model", "push", f"{self.registry.host}/acme/tiny:v2", "m")
        self.assertEqual(done.digest, self.digest)
        methods = [method for method, _, _ in self.registry.requests()[before:]]
        self.assertNotIn("POST", methods)


if __name__ == "__main__":
    main()
