# SPDX-License-Identifier: Apache-2.0
"""`cache ls`, `cache prune` and `cache verify`: what is in there, what goes, what is damaged."""

import fcntl
import json
import os
import threading
import time

from harness import programs
from harness.case import CliCase, main
from harness.proxy import Fault, FaultProxy
from harness.servers import DockerRegistry

SIZE = 1_000_000


@programs.need_docker_registry
class CacheCommands(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))

    def setUp(self):
        super().setUp()
        self.proxy.faults.clear()
        self.cache = self.box.work / "cache"
        self.box.env["ORAS_CACHE"] = str(self.cache)
        self.refs = {}

    def model(self, name, age=0):
        """Push a model of SIZE bytes and have it in the cache; its path."""
        header = json.dumps({"__metadata__": {"of": name}}).encode()
        content = len(header).to_bytes(8, "little") + header
        self.box.write(f"{name}/config.json", json.dumps({"name": name}).encode())
        self.box.write(f"{name}/model.safetensors", content)
        self.box.write(f"{name}/weights.bin", os.urandom(SIZE))
        self.refs[name] = f"{self.proxy.host}/m:{name}"
        self.ok("push", self.refs[name], "config.json", "model.safetensors", "weights.bin",
                cwd=self.box.work / name)
        place = json.loads(self.ok("model", "path", self.refs[name]).out)
        lease = self.cache / "models" / (place["digest"].replace(":", "-") + ".lease")
        then = time.time() - age
        os.utime(lease, (then, then))
        return place["path"], lease

    def listed(self):
        return json.loads(self.ok("cache", "ls", "--format", "json").out)

    def is_there(self, name):
        return self.coras("model", "path", "--no-pull", self.refs[name]).code == 0

    def test_ls_tells_models_sizes_and_use(self):
        path, lease = self.model("a", age=3600)
        with open(lease, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            cache = self.listed()
            text = self.ok("cache", "ls").out
        self.assertEqual(cache["directory"], str(self.cache))
        (model,) = cache["models"]
        self.assertEqual((model["reference"], model["path"], model["inUse"], model["intact"]),
                         (self.refs["a"], path, True, True))
        self.assertGreater(model["size"], SIZE)
        self.assertGreaterEqual(cache["size"], model["size"])
        self.assertLess(cache["size"], model["size"] + 10_000)  # each file counts once
        self.assertIn("in use", text)
        self.assertIn(self.refs["a"], text)

    def test_what_was_used_longest_ago_goes_first(self):
        paths = [self.model(*one)[0] for one in (("a", 3000), ("b", 1000), ("c", 2000))]
        self.ok("cache", "prune", "--max-size", "2500K")
        self.assertEqual([os.path.exists(p) for p in paths], [False, True, True])
        self.assertLess(self.listed()["size"], 2500 * 1024)
        self.ok("cache", "prune", "--older-than", "25m")
        self.assertEqual([os.path.exists(p) for p in paths], [False, True, False])
        self.assertTrue(self.is_there("b"))
        self.ok("cache", "prune", "--max-size", "0")
        self.assertEqual(self.listed()["models"], [])
        self.assertEqual(list((self.cache / "blobs/sha256").iterdir()), [])
        self.ok("model", "path", self.refs["a"])

    def test_what_is_held_stays(self):
        path, lease = self.model("a", age=10 * 86400)
        with open(lease, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            kept = self.ok("cache", "prune", "--max-size", "0", "--older-than", "1d")
            self.assertIn("Kept", kept.err)
            self.assertTrue(os.path.exists(f"{path}/weights.bin"))
        self.ok("cache", "prune", "--older-than", "1d")
        self.assertFalse(os.path.exists(path))

    def test_what_is_being_written_stays(self):
        self.model("a")
        self.ok("cache", "prune", "--max-size", "0")
        came, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)
        self.proxy.add(Fault("/blobs/", "GET", call=lambda _: (came.set(), go_on.wait())))
        process = self.box.popen(programs.CORAS, "model", "path", self.refs["a"])
        self.assertTrue(came.wait(30))
        self.ok("cache", "prune", "--max-size", "0")
        self.assertEqual(self.listed()["models"][0]["intact"], False)
        go_on.set()
        process.communicate()
        self.assertEqual(process.returncode, 0)

    def test_verify_reports_and_removes_what_is_damaged(self):
        path, _ = self.model("a")
        self.model("b")
        self.assertIn("Read:", self.ok("cache", "verify").out)
        bad = f"{path}/weights.bin"
        before = os.stat(bad)
        os.chmod(bad, 0o644)
        with open(bad, "r+b") as file:
            byte = file.read(1)
            file.seek(0)
            file.write(bytes([byte[0] ^ 1]))
        os.utime(bad, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a bad disk does it
        result = self.fails("cache", "verify", contains="2 damaged", hint=())
        self.assertIn("Damaged blobs/sha256/", result.out)
        self.assertIn(f"Damaged models/{os.path.basename(path)}", result.out)
        self.assertTrue(os.path.exists(bad))
        self.ok("cache", "verify", "--remove")
        self.assertFalse(os.path.exists(bad))
        self.ok("cache", "verify")
        self.assertTrue(self.is_there("b"))
        self.ok("model", "path", self.refs["a"])
        self.ok("cache", "verify")

    def test_limits_are_asked_for_and_read(self):
        self.model("a")
        self.fails("cache", "prune", contains="--max-size, --older-than")
        for options in (["--max-size", "much"], ["--older-than", "12"], ["--max-size", "-1"],
                        ["--max-size", "99999999999T"]):
            self.fails("cache", "prune", *options, contains=options[0])
        self.assertTrue(self.is_there("a"))

    def test_a_cache_that_is_not_there_is_an_error(self):
        for command in (["ls"], ["verify"], ["prune", "--max-size", "0"]):
            self.fails("cache", *command, contains=str(self.cache))
        self.assertFalse(self.cache.exists())


if __name__ == "__main__":
    main()
