# SPDX-License-Identifier: Apache-2.0
"""Killed at any moment: no wrong file under a final name, and the next run ends well."""

import hashlib
import os
import random
import signal
import time

from harness import programs
from harness.case import CliCase, layout_refs, main
from harness.proxy import Fault, FaultProxy
from harness.servers import Api, DockerRegistry

ROUNDS = int(os.environ.get("CORAS_TEST_ROUNDS", "25"))


@programs.need_docker_registry
class Kill(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.random = random.Random(20261124)

    def setUp(self):
        super().setUp()
        self.files = {f"f{i}.bin": os.urandom(size) for i, size in
                      enumerate((3 << 20, 100000, 0, 1, 5 << 20, 70000))}
        for name, data in self.files.items():
            self.box.write("src/" + name, data)
        self.src = self.box.work / "src"

    def kill_at_random(self, *argv, longest, sig=signal.SIGKILL, cwd=None):
        process = self.box.popen(self.box.bin / "oras", *argv, cwd=cwd)
        time.sleep(self.random.uniform(0, longest))
        process.send_signal(sig)
        process.communicate(timeout=30)
        return process.returncode

    def duration(self, *argv, cwd=None):
        return self.coras(*argv, check=0, cwd=cwd).seconds * 1.1

    def assertFinalNamesRight(self, top):
        """Every file under a final name has the right bytes; others are working files."""
        for name, data in self.files.items():
            path = top / name
            if path.exists():
                self.assertEqual(path.read_bytes(), data, name)

    def test_pull(self):
        ref = f"{self.registry.host}/k:v1"
        self.ok("push", ref, *self.files, cwd=self.src)
        longest = self.duration("pull", ref, "-o", "once")
        for number in range(ROUNDS):
            out = f"out{number % 5}"
            self.kill_at_random("pull", ref, "-o", out, longest=longest)
            self.assertFinalNamesRight(self.box.work / out)
        for number in range(min(ROUNDS, 5)):
            self.ok("pull", ref, "-o", f"out{number}")
            self.assertFinalNamesRight(self.box.work / f"out{number}")
            self.no_leftovers(f"out{number}", but=self.files)

    def test_pull_over_other_files(self):
        """The old bytes or the new ones, never a mixture."""
        ref = f"{self.registry.host}/o:v1"
        self.ok("push", ref, *self.files, cwd=self.src)
        longest = self.duration("pull", ref, "-o", "once")
        old = b"old" * 500000
        for _ in range(ROUNDS // 2):
            self.box.write("out/f0.bin", old)
            self.kill_at_random("pull", ref, "-o", "out", longest=longest)
            self.assertIn(self.read("out/f0.bin"), (old, self.files["f0.bin"]))

    def test_push(self):
        longest = self.duration("push", f"{self.registry.host}/p:v0", *self.files, cwd=self.src)
        api = Api(self.registry.host)
        for number in range(ROUNDS):
            tag = f"v{number + 1}"
            ref = f"{self.registry.host}/p{number}:{tag}"
            self.kill_at_random("push", ref, *self.files, cwd=self.src, longest=longest)
            if api.digest(f"p{number}", tag):
                self.ok("pull", ref, "-o", f"back{number}")
                self.assertFinalNamesRight(self.box.work / f"back{number}")
        self.ok("push", f"{self.registry.host}/p0:again", *self.files, cwd=self.src)
        self.ok("pull", f"{self.registry.host}/p0:again", "-o", "final")
        self.no_leftovers("final", but=self.files)

    def test_layout(self):
        """index.json never names what is not there."""
        longest = self.duration("push", "--oci-layout", "../once:v1", *self.files, cwd=self.src)
        for number in range(ROUNDS):
            self.kill_at_random("push", "--oci-layout", f"../lay:v{number}", *self.files,
                                cwd=self.src, longest=longest)
            if (self.box.work / "lay/index.json").exists():
                for digest in layout_refs(self.box.work / "lay").values():
                    self.assertTrue((self.box.work / "lay/blobs/sha256" / digest[7:]).exists())
        for path in (self.box.work / "lay/blobs/sha256").glob("*"):
            self.assertEqual(hashlib.sha256(path.read_bytes()).hexdigest(), path.name)
        self.ok("push", "--oci-layout", "../lay:last", *self.files, cwd=self.src)
        self.ok("pull", "--oci-layout", "lay:last", "-o", "final")
        self.no_leftovers("final", but=self.files)

    def test_directory(self):
        for index in range(30):
            self.box.write(f"d/sub{index % 3}/{index}", os.urandom(20000))
        ref = f"{self.registry.host}/d:v1"
        self.ok("push", ref, "d")
        longest = self.duration("pull", ref, "-o", "once")
        for number in range(ROUNDS):
            self.kill_at_random("pull", ref, "-o", "out", longest=longest)
            if (self.box.work / "out/d").exists():
                self.assertEqual(self.box.tree("out/d"), self.box.tree("d"), number)
                self.box.run("rm", "-rf", "out/d")
        self.ok("pull", ref, "-o", "out")
        self.assertEqual(self.box.tree("out/d"), self.box.tree("d"))
        self.no_leftovers("out", but=["d/"] + ["d/" + n for n in self.box.tree("d")])

    def test_interrupt(self):
        """SIGINT: the message, no file under its final name, within a moment."""
        proxy = self.serve_here(FaultProxy(self.registry.port))
        proxy.add(Fault("/blobs/sha256:", "GET", rate=1 << 19))
        self.ok("push", f"{self.registry.host}/i:v1", "f0.bin", "f4.bin", cwd=self.src)
        for sig in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(sig):
                proxy.log.clear()
                process = self.box.popen(self.box.bin / "oras", "pull", f"{proxy.host}/i:v1",
                                         "-o", "out")
                self.wait_until(lambda: proxy.received() >= 200000, process)
                began = time.monotonic()
                process.send_signal(sig)
                _, err = process.communicate(timeout=20)
                self.assertLess(time.monotonic() - began, 10)
                self.assertNotEqual(process.returncode, 0)
                self.assertFalse((self.box.work / "out/f0.bin").exists())
                if sig == signal.SIGINT:
                    self.assertIn(b"interrupt", err)

    def test_two_pulls_into_one_directory(self):
        ref = f"{self.registry.host}/two:v1"
        self.ok("push", ref, *self.files, cwd=self.src)
        several = [self.box.popen(self.box.bin / "oras", "pull", ref, "-o", "out")
                   for _ in range(3)]
        for process in several:
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, (out, err))
        self.no_leftovers("out", but=self.files)
        self.assertFinalNamesRight(self.box.work / "out")

    def test_two_writers_of_one_layout(self):
        several = [self.box.popen(self.box.bin / "oras", "push", "--oci-layout", f"../lay:t{n}",
                                  f"f{n}.bin", cwd=self.src) for n in range(5)]
        for process in several:
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, (out, err))
        self.assertEqual(sorted(layout_refs(self.box.work / "lay")), [f"t{n}" for n in range(5)])


if __name__ == "__main__":
    main()
