# SPDX-License-Identifier: Apache-2.0
"""A model goes up, is tagged, listed, inspected and comes down: the everyday commands."""

import hashlib
import json
import os
import struct
import unittest

from harness import programs
from harness.case import CliCase, main
from harness.servers import PASSWORD, USER, Api, CorasServe, DockerRegistry, registry3


def safetensors(seed=1, elements=40000):
    """A true safetensors file: length of the header, header JSON, tensors."""
    data = b"".join(hashlib.sha256(bytes([seed]) + i.to_bytes(4, "little")).digest()
                    for i in range(elements * 4 // 32))
    half = len(data) // 2
    header = json.dumps({
        "__metadata__": {"format": "pt"},
        "embed.weight": {"dtype": "F32", "shape": [half // 4], "data_offsets": [0, half]},
        "lm_head.weight": {"dtype": "F32", "shape": [(len(data) - half) // 4],
                           "data_offsets": [half, len(data)]},
    }).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + data


class RoundTrip:
    """The commands of the manual, verbatim, with `oras` on the PATH being ours."""

    auth = False

    def setUp(self):
        super().setUp()
        self.host = self.registry.host
        self.repo = f"{self.host}/myorg/models/sentiment"
        self.box.write("model.safetensors", safetensors())
        self.box.write("config.json", b'{"model_type":"bert"}\n')
        self.box.write("tokenizer.json", b'{"version":"1.0"}\n')

    def sh(self, script, check=0, **env):
        return self.box.run("sh", "-ec", script, check=check,
                            env={"R": self.host, "USER": USER, "TOKEN": PASSWORD, **env})

    def push(self):
        return self.sh("oras push $R/myorg/models/sentiment:v1.0 "
                       "./model.safetensors:application/vnd.safetensors "
                       "./config.json:application/json ./tokenizer.json:application/json")

    def test_push_and_pull(self):
        pushed = self.push()
        self.assertIn(f"Pushed [registry] {self.repo}:v1.0\n", pushed.out)
        self.assertIn("ArtifactType: application/vnd.unknown.artifact.v1\n", pushed.out)
        self.assertEqual(pushed.err, "")
        pulled = self.sh("oras pull $R/myorg/models/sentiment:v1.0 --output ./model-artifacts/")
        self.assertIn(f"Pulled [registry] {self.repo}:v1.0\n", pulled.out)
        self.assertEqual(pulled.digest, pushed.digest)
        self.no_leftovers("model-artifacts",
                          but=["config.json", "model.safetensors", "tokenizer.json"])
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            self.assertEqual(self.read("model-artifacts", name), self.read(name))

    def test_tags_promote_and_roll_back(self):
        first = self.push().digest
        self.box.write("config.json", b'{"model_type":"bert2"}\n')
        second = self.sh("oras push $R/myorg/models/sentiment:v2.0 ./config.json").digest
        self.sh("oras tag $R/myorg/models/sentiment:v1.0 latest")
        several = self.sh("oras tag $R/myorg/models/sentiment:v1.0 prod stable canary")
        self.assertIn(f"Tagging [registry] {self.repo}@{first}", several.out)
        for tag in ("prod", "stable", "canary"):
            self.assertIn(f"Tagged {tag}\n", several.out)
        resolve = "oras resolve $R/myorg/models/sentiment:latest"
        self.assertEqual(self.sh(resolve).out.strip(), first)
        self.sh("oras tag $R/myorg/models/sentiment:v2.0 latest")
        self.assertEqual(self.sh(resolve).out.strip(), second)
        self.sh("oras tag $R/myorg/models/sentiment:v1.0 latest")
        self.assertEqual(self.sh(resolve).out.strip(), first)

    def test_inspect(self):
        digest = self.push().digest
        shown = self.sh("oras manifest fetch $R/myorg/models/sentiment:v1.0 | python3 -m json.tool")
        manifest = json.loads(shown.out)
        types = [entry["mediaType"] for entry in manifest["layers"]]
        self.assertEqual(types, ["application/vnd.safetensors"] + ["application/json"] * 2)
        config = next(entry["digest"] for entry in manifest["layers"]
                      if entry["annotations"]["org.opencontainers.image.title"] == "config.json")
        self.sh("oras blob fetch --output fetched.json $R/myorg/models/sentiment@$D", D=config)
        self.assertEqual(self.read("fetched.json"), self.read("config.json"))
        self.assertEqual(self.sh("oras resolve $R/myorg/models/sentiment:v1.0").out, digest + "\n")
        raw = self.sh("oras manifest fetch $R/myorg/models/sentiment:v1.0").out_bytes
        self.assertEqual("sha256:" + hashlib.sha256(raw).hexdigest(), digest)

    def test_listing(self):
        self.push()
        self.sh("oras tag $R/myorg/models/sentiment:v1.0 beta alpha")
        tags = self.sh("oras repo tags $R/myorg/models/sentiment").out.split()
        self.assertLessEqual({"alpha", "beta", "v1.0"}, set(tags))
        self.assertIn("myorg/models/sentiment", self.sh("oras repo ls $R").out.split())
        listed = json.loads(self.sh("oras repo tags --format json $R/myorg/models/sentiment").out)
        self.assertLessEqual({"alpha", "beta", "v1.0"}, set(listed["tags"]))

    def test_shards_with_timeout(self):
        for number in range(1, 5):
            self.box.write(f"model-0000{number}-of-00004.safetensors", safetensors(number))
        self.sh("ORAS_HTTP_TIMEOUT=3600 oras push $R/myorg/models/llm:v1 "
                "model-0000*-of-00004.safetensors --concurrency 4")
        self.sh("oras pull $R/myorg/models/llm:v1 -o out")
        for number in range(1, 5):
            name = f"model-0000{number}-of-00004.safetensors"
            self.assertEqual(self.read("out", name), self.read(name))

    def test_directories(self):
        self.box.write("model/weights/part1.bin", os.urandom(70000))
        self.box.write("model/weights/part2.bin", b"")
        self.box.write("model/run.sh", b"#!/bin/sh\n", 0o755, 1600000000)
        (self.box.work / "model/current").symlink_to("weights/part1.bin")
        self.sh("oras push $R/myorg/models/dir:v1 model config.json")
        self.sh("oras pull $R/myorg/models/dir:v1 -o out")
        self.assertEqual(self.box.tree("out/model"), self.box.tree("model"))
        self.assertEqual((self.box.work / "out/model/run.sh").stat().st_mtime, 1600000000)
        self.no_leftovers("out", but=["config.json", "model/", *(
            "model/" + name for name in self.box.tree("model"))])

    def test_empty_and_odd_names(self):
        names = ["with space.bin", "ünïcode-名前.bin", "-dash", "a%20b", "q?u#e&r", "~tilde",
                 "$HOME.txt", "back\\slash", "quote\"'s"]
        for name in names:
            self.box.write(name, name.encode())
        self.box.write("empty", b"")
        result = self.ok("push", f"{self.repo}:odd", "--", "empty", *names)
        self.ok("pull", f"{self.repo}:odd", "-o", "out")
        self.no_leftovers("out", but=["empty", *names])
        self.assertEqual(self.read("out/ünïcode-名前.bin"), "ünïcode-名前.bin".encode())
        self.assertEqual(self.read("out/empty"), b"")
        self.assertIsNotNone(result.digest)

    def test_json_output(self):
        pushed = json.loads(self.sh("oras push $R/myorg/models/sentiment:j1,j2 config.json "
                                    "--format json").out)
        self.assertEqual(list(pushed)[:4], ["reference", "mediaType", "digest", "size"])
        self.assertEqual(pushed["referenceAsTags"], [f"{self.repo}:j1", f"{self.repo}:j2"])
        pulled = json.loads(self.sh("oras pull $R/myorg/models/sentiment:j1 -o out --format json").out)
        self.assertEqual(pulled["files"][0]["path"], str(self.box.work / "out/config.json"))


@programs.need_docker_registry
class Distribution2(RoundTrip, CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())


@programs.need_registry3
class Distribution3(RoundTrip, CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(registry3())


@unittest.skipUnless(CorasServe.available(), "this build has no serve command")
class Serve(RoundTrip, CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(CorasServe())


class Layout(CliCase):
    """The same without any registry."""

    def test_round_trip(self):
        self.box.write("a.bin", os.urandom(100000))
        self.box.write("dir/b.bin", b"b")
        pushed = self.ok("push", "--oci-layout", "lay:v1", "a.bin", "dir")
        self.assertIn("Pushed [oci-layout] lay:v1\n", pushed.out)
        self.ok("pull", "--oci-layout", "lay:v1", "-o", "out")
        self.assertEqual(self.read("out/a.bin"), self.read("a.bin"))
        self.assertEqual(self.read("out/dir/b.bin"), b"b")
        self.assertEqual(self.ok("resolve", "--oci-layout", "lay:v1").out.strip(), pushed.digest)

    def test_tar_archive_is_read(self):
        self.box.write("a.bin", os.urandom(100000))
        pushed = self.ok("push", "--oci-layout", "lay:v1", "a.bin")
        self.box.run("tar", "-cf", "lay.tar", "-C", "lay", ".", check=0)
        pulled = self.ok("pull", "--oci-layout", "lay.tar:v1", "-o", "out")
        self.assertEqual(pulled.digest, pushed.digest)
        self.assertEqual(self.read("out/a.bin"), self.read("a.bin"))

    def test_version(self):
        shown = self.ok("version")
        self.assertRegex(shown.out, r"(?m)^Version: +\S+$")
        self.assertRegex(shown.out, r"(?m)^OS/Arch: +linux/(amd64|arm64)$")

    def test_name_of_the_link(self):
        called = self.box.run(programs.CORAS, "pull")
        self.assertIn('Error: "coras pull" requires exactly 1 argument but got 0', called.err)
        self.assertIn('Error: "oras pull" requires', self.coras("pull").err)


if __name__ == "__main__":
    main()
