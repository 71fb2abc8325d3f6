# SPDX-License-Identifier: Apache-2.0
"""`model path`: a model in the shared cache, for engines that want a path."""

import json
import os
import shutil
import signal
import struct

from harness import programs
from harness.case import CliCase, main
from harness.proxy import Fault, FaultProxy
from harness.servers import DockerRegistry


def safetensors(size):
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + os.urandom(size)


def gguf(architecture=b"llama", extra=b""):
    key = b"general.architecture"
    return (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", len(key)) + key +
            struct.pack("<IQ", 8, len(architecture)) + architecture + extra)


@programs.need_docker_registry
class ModelPath(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))
        cls.files = {"config.json": b'{"model_type": "x"}', "model.safetensors": safetensors(6_000_000),
                     "sub/config.json": b"{}", "copy.safetensors": None}
        cls.files["copy.safetensors"] = cls.files["model.safetensors"]

    def setUp(self):
        super().setUp()
        self.proxy.faults.clear()
        self.cache = self.box.work / "cache"
        self.box.env["ORAS_CACHE"] = str(self.cache)
        self.name = self.id().rsplit(".", 1)[1].replace("_", "-")
        self.ref = f"{self.proxy.host}/{self.name}:v1"
        self.digest = self.push(self.ref, self.files)
        self.proxy.clear()

    def push(self, ref, files):
        for name, content in files.items():
            self.box.write(f"src/{name}", content)
        return self.ok("push", ref, *files, cwd=self.box.work / "src").digest

    def path(self, *options, ref=None):
        lines = self.ok("model", "path", ref or self.ref, *options).out.splitlines()
        self.assertEqual(len(lines), 1, lines)
        return json.loads(lines[0])

    def assertModel(self, path):
        for name, content in self.files.items():
            with open(os.path.join(path, name), "rb") as file:
                self.assertEqual(file.read(), content, name)

    def size_on_disk(self):
        return sum({(s.st_dev, s.st_ino): s.st_blocks * 512
                    for p in self.cache.rglob("*") for s in [p.lstat()]}.values())

    # ---- answers ----

    def test_the_first_call_pulls_and_the_next_asks_once(self):
        first = self.path()
        self.assertEqual(list(first), ["reference", "digest", "path", "format"])
        self.assertEqual((first["reference"], first["digest"], first["format"]),
                         (self.ref, self.digest, "safetensors"))
        self.assertModel(first["path"])
        self.assertTrue(first["path"].startswith(str(self.cache)))
        self.proxy.clear()
        self.assertEqual(self.path(), first)
        self.assertEqual([r.method for r in self.proxy.requests()], ["HEAD"])
        self.proxy.clear()
        by_digest = self.path(ref=f"{self.proxy.host}/{self.name}@{self.digest}")
        self.assertEqual(by_digest["path"], first["path"])
        self.assertEqual(self.path("--no-pull"), first)
        self.assertEqual(self.proxy.requests(), [])

    def test_a_model_takes_its_size_once(self):
        self.path()
        whole = sum(len(c) for n, c in self.files.items() if n != "copy.safetensors")
        self.assertLess(self.size_on_disk(), whole + 200_000)
        self.proxy.clear()
        self.ok("pull", self.ref, "-o", "out")  # the cache's blobs serve everybody
        self.assertEqual(self.proxy.received(), 0)

    def test_what_an_earlier_pull_cached_does_not_come_again(self):
        self.ok("pull", self.ref, "-o", "out")
        self.proxy.clear()
        self.assertModel(self.path()["path"])
        self.assertEqual(self.proxy.received(), 0)

    def test_without_pulling_what_is_not_there_is_an_error(self):
        result = self.fails("model", "path", "--no-pull", self.ref, contains="is not in the cache")
        self.assertEqual(result.out, "")
        self.assertEqual(self.proxy.requests(), [])
        self.assertFalse(self.cache.exists())

    def test_the_users_cache_directory_is_the_usual_one(self):
        del self.box.env["ORAS_CACHE"]
        self.assertIn("/coras/content/models/", self.path()["path"])

    def test_a_gguf_model_is_its_file(self):
        shards = {f"q-0000{n}-of-00002.gguf": gguf(extra=b"\0" * n) for n in (2, 1)}
        cases = {"one": ({"a-mmproj.gguf": gguf(b"clip"), "m.gguf": gguf()}, "m.gguf", False),
                 "eye": ({"a.gguf": gguf(b"clip"), "m.gguf": gguf()}, "m.gguf", False),
                 "split": (shards, "q-00001-of-00002.gguf", False),
                 "both": ({"m.gguf": gguf(), "model.safetensors": safetensors(10)}, "m.gguf", True)}
        for tag, (files, wanted, remark) in cases.items():
            with self.subTest(tag):
                ref = f"{self.proxy.host}/{self.name}:{tag}"
                self.push(ref, files)
                result = self.ok("model", "path", ref)
                place = json.loads(result.out)
                self.assertEqual(place["format"], "gguf")
                self.assertEqual(os.path.basename(place["path"]), wanted)
                self.assertTrue(os.path.isfile(place["path"]))
                self.assertEqual("safetensors too" in result.err, remark)

    def test_a_safetensors_model_is_the_directory_of_its_configuration(self):
        cases = {"nested": (["sub/config.json", "sub/model.safetensors"], "sub"),
                 "diffusers": (["unet/config.json", "unet/w.safetensors", "model_index.json"], ""),
                 "none": (["w.safetensors"], "")}
        for tag, (names, wanted) in cases.items():
            with self.subTest(tag):
                ref = f"{self.proxy.host}/{self.name}:{tag}"
                self.push(ref, {n: safetensors(5) if n.endswith("s") else b"{}" for n in names})
                place = self.path(ref=ref)
                root = place["path"].removesuffix("/" + wanted) if wanted else place["path"]
                self.assertEqual(os.path.dirname(root), str(self.cache / "models"))

    def test_a_package_without_a_model_is_an_error_that_names_what_is_there(self):
        ref = f"{self.proxy.host}/{self.name}:none"
        self.push(ref, {"readme.txt": b"no model"})
        result = self.fails("model", "path", ref, contains=["no model", "readme.txt"])
        self.assertEqual(result.out, "")

    # ---- damage, interruption, company ----

    def test_a_damaged_model_never_answers(self):
        def cut(path):
            path.chmod(0o644)
            path.write_bytes(b"short")

        def change(path):
            path.chmod(0o644)
            content = bytearray(path.read_bytes())
            content[-1] ^= 1
            path.write_bytes(content)

        for number, spoil in enumerate((cut, change, lambda p: p.unlink(),
                                        lambda p: p.with_name("more.bin").write_bytes(b"x"))):
            with self.subTest(number):
                place = self.path()
                spoil(self.cache / "models" / os.path.basename(place["path"]) / "model.safetensors")
                self.fails("model", "path", "--no-pull", self.ref, contains="is not in the cache")
                self.assertEqual(self.path(), place)
                self.assertModel(place["path"])
                self.assertNotIn("more.bin", os.listdir(place["path"]))

    def test_a_call_that_was_killed_is_gone_on_with(self):
        self.proxy.add(Fault("/blobs/", "GET", stall_response=4_000_000))
        process = self.box.popen(programs.CORAS, "model", "path", self.ref)
        self.wait_until(lambda: self.proxy.received() >= 4_000_000)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.proxy.faults.clear()
        self.fails("model", "path", "--no-pull", self.ref)
        self.assertModel(self.path()["path"])

    def test_concurrent_calls_share_one_download(self):
        for _ in range(3):
            shutil.rmtree(self.cache, ignore_errors=True)
            self.proxy.clear()
            calls = [self.box.popen(programs.CORAS, "model", "path", self.ref)
                     for _ in range(4)]
            answers = {call.communicate()[0] for call in calls}
            self.assertEqual([call.returncode for call in calls], [0] * 4)
            self.assertEqual(len(answers), 1)
            self.assertModel(json.loads(answers.pop())["path"])
            whole = sum(len(c) for n, c in self.files.items() if n != "copy.safetensors")
            self.assertLessEqual(self.proxy.received(), whole)


if __name__ == "__main__":
    main()
